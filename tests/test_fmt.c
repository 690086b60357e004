/* test_fmt.c: cnnc fmt: one form for descriptions, that says the same and that nothing changes any more. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#define EXAMPLE CNNC_SOURCE_DIR "/examples/mnist/mnist.net"
#define GOLDEN CNNC_SOURCE_DIR "/tests/golden/fmt/"

static void write_text(const char *path, const char *s) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s, 1, strlen(s), f), strlen(s));
    assert_int_equal(fclose(f), 0);
}

static char *says(int status, const char *format, const char *path) {
    char *arguments = text(format, path), *said = cnnc_says(arguments, status);
    free(arguments);
    return said;
}

/* What is right stays: that is the form in which the example is written. Then the same statements; then nothing to do. */
static void format_twice(const char *from) {
    char *path = text("%s/copy.net", folder), *before = file_text(from, NULL);
    struct stat first, second;
    write_text(path, before);
    char *statements = says(0, "%s --emit=parse", path), *said = says(0, "fmt %s", path);
    assert_string_equal(said, "");
    char *again = says(0, "%s --emit=parse", path), *after = file_text(path, NULL);
    assert_string_equal(statements, again);
    assert_int_equal(stat(path, &first), 0);
    free(says(0, "fmt --check %s", path));
    free(says(0, "fmt %s", path));
    assert_int_equal(stat(path, &second), 0);
    assert_true(first.st_ino == second.st_ino); /* another file would have taken its place */
    if (!strcmp(from, EXAMPLE)) assert_string_equal(before, after);
    free(path), free(before), free(statements), free(said), free(again), free(after);
}

static void all_networks(void **state) {
    (void)state;
    Net nets[MAX_NETS];
    int n = find_nets(CNNC_SOURCE_DIR "/tests/nets", nets);
    assert_true(n > 50);
    for (int i = 0; i < n; i++) {
        format_twice(nets[i].path);
        free(nets[i].path), free(nets[i].name);
    }
    format_twice(EXAMPLE);
    format_twice(GOLDEN "messy.net");
}

/* CRLF, a byte order mark, continuations, comments everywhere, long statements: compared with messy.txt. */
static void golden(void **state) {
    (void)state;
    char *path = text("%s/messy.net", folder), *messy = file_text(GOLDEN "messy.net", NULL);
    write_text(path, messy);
    free(says(0, "fmt %s", path));
    if (getenv("CNNC_UPDATE_GOLDEN")) {
        char *after = file_text(path, NULL);
        write_text(GOLDEN "messy.txt", after);
        free(after);
    }
    assert_same_files(path, GOLDEN "messy.txt");
    free(path), free(messy);
}

/* --check names those that would change and leaves them; so does an error, and the other files are done nonetheless. */
static void left_alone(void **state) {
    (void)state;
    static const char wrong[] = "network  w\ninput 5 (\n", wild[] = "network   w\n", tame[] = "network w\n";
    char *bad = text("%s/bad.net", folder), *untidy = text("%s/untidy.net", folder), *tidy = text("%s/tidy.net", folder);
    char *check = text("fmt --check %s %s", untidy, tidy), *both = text("fmt %s %s", bad, untidy), *named = text("%s\n", untidy);
    write_text(bad, wrong), write_text(untidy, wild), write_text(tidy, tame);
    char *said = cnnc_says(check, 1), *kept = file_text(untidy, NULL);
    assert_string_equal(said, named);
    assert_string_equal(kept, wild);
    free(said), free(kept);
    said = cnnc_says(both, 1);
    assert_non_null(strstr(said, "bad.net:2:9: error: "));
    char *bad_now = file_text(bad, NULL), *untidy_now = file_text(untidy, NULL);
    assert_string_equal(bad_now, wrong);
    assert_string_equal(untidy_now, tame);
    free(said), free(bad_now), free(untidy_now);
    free(cnnc_says("fmt no_such_file.net", 3));
    free(cnnc_says("fmt", 2));
    free(bad), free(untidy), free(tidy), free(check), free(both), free(named);
}

/* From standard input, which is empty here, to standard output. */
static void standard_input(void **state) {
    (void)state;
    char *script = text("%s/script", folder), *line = text("printf 'network   w\\n# c' | %s fmt -\n", CNNC_COMMAND);
    write_text(script, line);
    add_word(add_job("sh"), script);
    assert_int_equal(try_jobs(), 0);
    char *log = log_of(&jobs[0]), *said = file_text(log, NULL);
    assert_string_equal(said, "network w\n# c\n");
    forget_jobs();
    free(script), free(line), free(log), free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_networks), cmocka_unit_test(golden), cmocka_unit_test(left_alone), cmocka_unit_test(standard_input)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
