/* test_compile.c: cnnc NET -o OUT.c as a step of a build: rules for Make and Ninja, warnings as errors. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "commands/commands.h"

#define NETS CNNC_SOURCE_DIR "/tests/nets/"

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

static void expect_file(const char *path, const char *wanted) {
    char *found = file_text(path, NULL);
    assert_string_equal(found, wanted);
    unlink(path);
}

static void remove_outputs(const char *c) {
    char *header = text("%.*s.h", (int)strlen(c) - 2, c);
    unlink(c);
    unlink(header);
}

static void rules(void **state) {
    (void)state;
    char *c = in_folder("out.c"), *d = in_folder("out.d"), *other = in_folder("rule"), *tuning = in_folder("t.tune");
    char *plain = text(NETS "dense.net -o %s -MD", c), *named = text(NETS "dense.net -o %s -MF %s -MT out.o --tuning=%s", c, other, tuning);
    char *wanted = text("%s %s/out.h: " NETS "dense.net\n", c, folder), *wanted_named = text("out.o: " NETS "dense.net %s\n", tuning);
    cnnc_says(plain, 0);
    expect_file(d, wanted);
    FILE *f = fopen(tuning, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    cnnc_says(named, 0);
    expect_file(other, wanted_named);
    assert_int_equal(access(d, F_OK), -1);
    unlink(tuning);
    remove_outputs(c);
}

/* Templates of a folder that the network needs are in the rule, others are not; what Make would misread is escaped. */
static void rules_name_templates(void **state) {
    (void)state;
    char *c = in_folder("a $b#c.c"), *d = in_folder("rule");
    Job *job = add_job(CNNC_COMMAND " " NETS "dense.net --templates=" CNNC_SOURCE_DIR "/templates -o");
    add_word(job, c);
    add_word(job, "-MF");
    add_word(job, d);
    run_jobs(false);
    char *rule = file_text(d, NULL), *start = text("%s/a\\ $$b\\#c.c %s/a\\ $$b\\#c.h: " NETS "dense.net ", folder, folder);
    assert_memory_equal(rule, start, strlen(start));
    assert_non_null(strstr(rule, "/templates/gemm.c.tmpl"));
    assert_null(strstr(rule, "/templates/winograd_in.c.tmpl"));
    unlink(d);
    remove_outputs(c);
}

static void names_in_rules(void **state) {
    (void)state;
    static const struct { const char *c, *h, *targets; } cases[] = {
        {"a.c", "a.h", "a.c a.h"}, {"a b.c", "a\tb.h", "a\\ b.c a\\\tb.h"}, {"#.c", "$.h", "\\#.c $$.h"}, {"a\\b.c", "a\\ b.h", "a\\b.c a\\\\\\ b.h"},
        {"a:.c", "a.h", NULL}, {"a.c", "a%.h", NULL}, {"a.c", "a;.h", NULL}, {"a|.c", "a.h", NULL}, {"a.c", "a\n.h", NULL}, {"a\r", "a.h", NULL}, {"a.c\\", "a.h", NULL},
        {"", "a.h", NULL}, {"a.c", "", NULL},
    };
    Arena *arena = arena_new();
    for (int i = 0; i < LENGTH(cases); i++) {
        const char *found = depfile_targets(arena, cases[i].c, cases[i].h);
        if (cases[i].targets) assert_string_equal(found ? found : "nothing", cases[i].targets);
        else assert_null(found);
    }
    arena_free(arena);
}

static void warnings_as_errors(void **state) {
    (void)state;
    char *c = in_folder("out.c"), *loose = text(CNNC_SOURCE_DIR "/tests/golden/warnings/unused_layer.net -o %s", c), *strict = text("%s -Werror", loose);
    char *said = cnnc_says(strict, 1);
    assert_non_null(strstr(said, "warning: "));
    assert_non_null(strstr(said, "warnings are errors"));
    assert_int_equal(access(c, F_OK), -1);
    cnnc_says(loose, 0);
    remove_outputs(c);
}

/* The header goes with the C: when that or the rule cannot be written, neither is new. */
static void all_outputs_or_none(void **state) {
    (void)state;
    char *c = in_folder("pair.c"), *h = in_folder("pair.h"), *first = text(NETS "dense.net -o %s", c);
    static const char *const rules_to[] = {"/nonexistent/rule", "/"};
    for (size_t i = 0; i < sizeof rules_to / sizeof *rules_to; i++) {
        char *other = text(NETS "add.net -o %s -MF %s", c, rules_to[i]);
        cnnc_says(other, 3);
        assert_int_equal(access(c, F_OK), -1);
        assert_int_equal(access(h, F_OK), -1);
        cnnc_says(first, 0);
        char *before = file_text(h, NULL);
        cnnc_says(other, 3);
        expect_file(h, before);
        remove_outputs(c);
    }
    char *nowhere = text(NETS "add.net -o /nonexistent/pair.c --header=%s", h);
    cnnc_says(nowhere, 3);
    assert_int_equal(access(h, F_OK), -1);
}

/* Nothing but the cache is in the folder. */
static void nothing_is_left(void **state) {
    (void)state;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *e; (e = readdir(directory));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "cache")) fail_msg("%s is left", e->d_name);
    closedir(directory);
}

/* The second function for a kernel has a 2 in its name; a kernel that is the same again has no function of its own. */
static void names_of_functions(void **state) {
    (void)state;
    char *said = cnnc_says(NETS "relu.net --target=vec16 --emit=c", 0);
    static const char *const names[] = {"static void relu_dense_forward_vec16(", "static void relu_dense_forward_2_vec16("};
    for (int i = 0; i < 2; i++) {
        const char *first = strstr(said, names[i]);
        assert_non_null(first);
        assert_null(strstr(first + 1, names[i]));
    }
    for (const char *other = said; (other = strstr(other, "static void relu_dense_forward_")); other++)
        if (strncmp(other, names[0], strlen(names[0])) && strncmp(other, names[1], strlen(names[1]))) fail_msg("%.60s", other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules), cmocka_unit_test(rules_name_templates), cmocka_unit_test(names_in_rules), cmocka_unit_test(warnings_as_errors), cmocka_unit_test(all_outputs_or_none),
        cmocka_unit_test(nothing_is_left), cmocka_unit_test(names_of_functions),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
