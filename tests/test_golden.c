/* test_golden.c: what the command says and writes, compared with files under tests/golden.
 *
 *     errors/NAME.net    must fail with exit status 1, say NAME.err and leave no file
 *     warnings/NAME.net  must succeed and say NAME.err
 *     commands/NAME.txt  lines "$ COMMAND", below each what it says on standard error and its exit status
 *     stages/NAME.net    NAME.STAGE.txt is what --emit=STAGE prints; of the smallest also the C
 *
 * CNNC_UPDATE_GOLDEN=1 in the environment rewrites the files instead; look at the difference before you commit it.
 * Each case runs in a folder of its own, so that only names of files appear in what is compared. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cnnc.h"

#define GOLDEN CNNC_SOURCE_DIR "/tests/golden"

static Arena *arena; /* of the whole run */

/* ---- folders ------------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sorted names in a folder that end so; without the ending. */
static const char **names_in(const char *folder, const char *ending, int *n) {
    const char **names = NULL;
    *n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name), end = strlen(ending);
        if (entry->d_name[0] == '.' || length < end || strcmp(entry->d_name + length - end, ending) != 0) continue;
        *PUSH(arena, names, *n) = arena_string(arena, entry->d_name, length - end);
    }
    if (dir) closedir(dir);
    if (*n) qsort(names, (size_t)*n, sizeof *names, compare_names);
    return names;
}

static const char *make_folder(void) {
    char *folder = arena_printf(arena, "/tmp/cnnc-golden-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void remove_folder(const char *folder) {
    int n;
    const char **names = names_in(folder, "", &n);
    for (int i = 0; i < n; i++) unlink(arena_printf(arena, "%s/%s", folder, names[i]));
    assert_int_equal(rmdir(folder), 0);
}

static const char *text_of(const char *path, bool required) {
    char *text = NULL;
    size_t length;
    const char *failure = read_file(arena, path, &text, &length);
    if (failure && required) fail_msg("%s", failure);
    return failure ? NULL : text;
}

static void write_text(const char *path, const char *text) {
    const char *failure = write_file(arena, path, text, strlen(text));
    if (failure) fail_msg("%s", failure);
}

static const char *in(const char *folder, const char *name) {
    return arena_printf(arena, "%s/%s", folder, name);
}

/* ---- running ------------------------------------------------------------------------------------------------------- */

typedef struct Outcome { int status; const char *out, *err; } Outcome;

static Outcome run(const char *folder, const char *const *argv) {
    const char *out = in(folder, ".out"), *err = in(folder, ".err");
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool fine = freopen("/dev/null", "r", stdin) && freopen(out, "w", stdout) && freopen(err, "w", stderr) && !chdir(folder);
        if (fine) execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    Outcome o = {WEXITSTATUS(status), text_of(out, true), text_of(err, true)};
    unlink(out);
    unlink(err);
    return o;
}
#define RUN(folder, ...) run(folder, (const char *const[]){CNNC_COMMAND, __VA_ARGS__, NULL})

/* ---- comparing ----------------------------------------------------------------------------------------------------- */

static bool updating(void) {
    const char *update = getenv("CNNC_UPDATE_GOLDEN");
    return update && *update && strcmp(update, "0") != 0;
}

static void show_difference(const char *golden, const char *actual) {
    const char *folder = make_folder(), *path = in(folder, "actual");
    write_text(path, actual);
    Outcome o = run(folder, (const char *const[]){"diff", "-u", text_of(golden, false) ? golden : "/dev/null", "actual", NULL});
    fputs(o.out, stderr);
    remove_folder(folder);
}

static void assert_golden(const char *path, const char *actual) {
    if (updating()) {
        write_text(path, actual);
        return;
    }
    const char *expected = text_of(path, false);
    if (expected && strcmp(expected, actual) == 0) return;
    show_difference(path, actual);
    fail_msg("%s is not what came out; if that is right, CNNC_UPDATE_GOLDEN=1 rewrites it", path);
}

/* ---- diagnostics --------------------------------------------------------------------------------------------------- */

static Outcome compile_copy(const char *folder, const char *kind, const char *name) {
    const char *net = arena_printf(arena, "%s.net", name);
    write_text(in(folder, net), text_of(arena_printf(arena, GOLDEN "/%s/%s", kind, net), true));
    return RUN(folder, net, "-o", arena_printf(arena, "%s.c", name));
}

static void errors_are_told(void **state) {
    const char *name = *state, *folder = make_folder();
    int files;
    Outcome o = compile_copy(folder, "errors", name);
    assert_string_equal(o.out, "");
    assert_golden(arena_printf(arena, GOLDEN "/errors/%s.err", name), o.err);
    assert_int_equal(o.status, EXIT_INPUT);
    names_in(folder, "", &files);
    assert_int_equal(files, 1);
    remove_folder(folder);
}

/* The file that docs/prediction.md shows, which is all of it in a block. */
static void standalone_code_is_as_shown(void **state) {
    (void)state;
    static const char opening[] = "```c\n";
    const char *folder = make_folder(), *page_path = CNNC_SOURCE_DIR "/docs/prediction.md", *page = text_of(page_path, true), *shown = strstr(page, opening);
    assert_int_equal(symlink(GOLDEN "/standalone/disc.net", in(folder, "disc.net")), 0);
    assert_int_equal(symlink(GOLDEN "/standalone/disc.safetensors", in(folder, "disc.safetensors")), 0);
    Outcome o = RUN(folder, "disc.net", "--inference", "--weights", "disc.safetensors", "--target=scalar", "--optimize=size", "-o", "disc.c");
    assert_string_equal(o.err, "");
    assert_int_equal(o.status, 0);
    assert_non_null(shown);
    shown += sizeof opening - 1;
    const char *end = strstr(shown, "\n```\n");
    assert_non_null(end);
    assert_golden(page_path, arena_printf(arena, "%.*s%s%s", (int)(shown - page), page, text_of(in(folder, "disc.c"), true), end + 1));
    remove_folder(folder);
}

static void reference_is_as_written(void **state) {
    (void)state;
    const char *folder = make_folder();
    Outcome o = RUN(folder, "help", "--markdown");
    assert_string_equal(o.err, "");
    assert_int_equal(o.status, 0);
    assert_golden(CNNC_SOURCE_DIR "/docs/reference.md", o.out);
    remove_folder(folder);
}

static void warnings_are_told(void **state) {
    const char *name = *state, *folder = make_folder();
    int files;
    Outcome o = compile_copy(folder, "warnings", name);
    assert_string_equal(o.out, "");
    assert_golden(arena_printf(arena, GOLDEN "/warnings/%s.err", name), o.err);
    assert_int_equal(o.status, EXIT_FINE);
    names_in(folder, "", &files);
    assert_int_equal(files, 3);
    remove_folder(folder);
}

static void every_golden_file_has_its_network(void **state) {
    (void)state;
    static const char *const kinds[][2] = {{"errors", ".err"}, {"warnings", ".err"}, {"stages", ".txt"}};
    for (int k = 0; k < LENGTH(kinds); k++) {
        int n;
        const char *folder = in(GOLDEN, kinds[k][0]), **names = names_in(folder, kinds[k][1], &n);
        for (int i = 0; i < n; i++) {
            const char *net = arena_printf(arena, "%s/%.*s.net", folder, (int)strcspn(names[i], "."), names[i]);
            if (access(net, R_OK)) fail_msg("%s/%s%s belongs to no network", folder, names[i], kinds[k][1]);
        }
        assert_true(n > 0);
    }
}

static void a_failure_leaves_the_old_output(void **state) {
    (void)state;
    const char *folder = make_folder();
    write_text(in(folder, "bad.c"), "old\n");
    write_text(in(folder, "bad.net"), "input 4\ndense\n");
    assert_int_equal(RUN(folder, "bad.net", "-o", "bad.c").status, EXIT_INPUT);
    assert_string_equal(text_of(in(folder, "bad.c"), true), "old\n");
    assert_int_equal(access(in(folder, "bad.h"), F_OK), -1);
    remove_folder(folder);
}

/* ---- transcripts ---------------------------------------------------------------------------------------------------- */

/* One command of a shell, as a transcript tells it: what it says and, unless that is 0, its exit status. */
static void transcribe(const char *folder, const char *line, StrBuf *out) {
    const char *command = arena_printf(arena, "PATH='%.*s':$PATH; %s", (int)(strrchr(CNNC_COMMAND, '/') - CNNC_COMMAND), CNNC_COMMAND, line);
    Outcome o = run(folder, (const char *const[]){"sh", "-c", command, NULL});
    strbuf_printf(out, "$ %s\n%s", line, o.err);
    if (o.status) strbuf_printf(out, "[%d]\n", o.status);
}

/* All commands of a transcript, one after the other in the same folder, give the transcript. */
static void commands_say_what_they_said(void **state) {
    const char *name = *state, *path = arena_printf(arena, GOLDEN "/commands/%s.txt", name), *text = text_of(path, true);
    const char *folder = make_folder(), *cache = make_folder();
    StrBuf out = {0};
    assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (length > 2 && !strncmp(text, "$ ", 2)) transcribe(folder, arena_string(arena, text + 2, length - 2), &out);
        else if (*text == '#' || !length) strbuf_printf(&out, "%.*s\n", (int)length, text);
    }
    unsetenv("XDG_CACHE_HOME");
    assert_golden(path, out.text);
    strbuf_free(&out);
    char *remove = arena_printf(arena, "rm -rf %s %s", folder, cache);
    assert_int_equal(system(remove), 0);
}

/* ---- exit statuses ------------------------------------------------------------------------------------------------- */

static void wrong_usage_exits_2(void **state) {
    (void)state;
    static const char *const arguments[][4] = {
        {"good.net"}, {"good.net", "-o"}, {"good.net", "--emit=bild"}, {"good.net", "-o", "a.c", "--taget=scalar"},
        {"good.net", "-o", "a.c", "--target=mmx"}, {"good.net", "good.net", "-o", "a.c"}, {"good.net", "-o", "a.c", "--shard-size=0"},
        {"train", "good.net"}, {"evaluate", "good.net"}, {"predict", "good.net"}, {"summary"}, {"-o", "a.c"},
    };
    const char *folder = make_folder();
    int files;
    write_text(in(folder, "good.net"), "input 4\ndense 2\ncompile loss=mse\n");
    for (int i = 0; i < LENGTH(arguments); i++) {
        const char *const *a = arguments[i];
        Outcome o = RUN(folder, a[0], a[1], a[2], a[3]);
        assert_string_equal(o.out, "");
        assert_non_null(strstr(o.err, "cnnc: error: "));
        assert_int_equal(o.status, EXIT_USAGE);
    }
    names_in(folder, "", &files);
    assert_int_equal(files, 1);
    remove_folder(folder);
}

static void unreadable_and_unwritable_files_exit_3(void **state) {
    (void)state;
    const char *folder = make_folder();
    write_text(in(folder, "good.net"), "input 4\ndense 2\n");
    Outcome o = RUN(folder, "none.net", "-o", "a.c");
    assert_string_equal(o.err, "cnnc: error: cannot read none.net: No such file or directory\n");
    assert_int_equal(o.status, EXIT_FILE);
    o = RUN(folder, "good.net", "-o", "none/a.c");
    assert_int_equal(o.status, EXIT_FILE);
    assert_non_null(strstr(o.err, "No such file or directory"));
    remove_folder(folder);
}

static void the_same_network_gives_the_same_bytes(void **state) {
    (void)state;
    const char *one = make_folder(), *other = make_folder(), *elsewhere = make_folder(), *net = text_of(GOLDEN "/stages/tiny.net", true);
    write_text(in(one, "tiny.net"), net);
    write_text(in(other, "tiny.net"), net);
    assert_int_equal(RUN(one, "tiny.net", "-o", "tiny.c").status, EXIT_FINE);
    setenv("TZ", "Pacific/Apia", 1);
    assert_int_equal(RUN(elsewhere, in(other, "tiny.net"), "-o", in(other, "tiny.c")).status, EXIT_FINE);
    unsetenv("TZ");
    assert_string_equal(text_of(in(one, "tiny.c"), true), text_of(in(other, "tiny.c"), true));
    assert_string_equal(text_of(in(one, "tiny.h"), true), text_of(in(other, "tiny.h"), true));
    remove_folder(one);
    remove_folder(other);
    remove_folder(elsewhere);
}

/* ---- stages -------------------------------------------------------------------------------------------------------- */

/* Choices for each target; from there on AVX-512, where the direct algorithm and fusion have something to do even in small networks. */
static const char *const dumps[] = {"parse", "build", "dot", "live", "autodiff", "select", "fuse", "plan"};
static const char every_target[] = "--target=avx512,avx2,vec16,scalar";

static void stages_leave_what_they_did(void **state) {
    const char *name = *state, *folder = make_folder(), *net = arena_printf(arena, "%s.net", name);
    write_text(in(folder, net), text_of(arena_printf(arena, GOLDEN "/stages/%s", net), true));
    for (int i = 0; i < LENGTH(dumps); i++) {
        Outcome o = RUN(folder, net, arena_printf(arena, "--emit=%s", dumps[i]), strcmp(dumps[i], "select") ? "--target=avx512" : every_target);
        assert_string_equal(o.err, "");
        assert_int_equal(o.status, EXIT_FINE);
        assert_golden(arena_printf(arena, GOLDEN "/stages/%s.%s.txt", name, dumps[i]), o.out);
    }
    setenv("COLUMNS", "80", 1);
    Outcome summary = RUN(folder, "summary", net, "--target=avx512");
    assert_int_equal(summary.status, EXIT_FINE);
    assert_golden(arena_printf(arena, GOLDEN "/stages/%s.summary.txt", name), summary.out);
    remove_folder(folder);
}

/* The canonical form means the same. */
static void canonical_form_is_canonical(void **state) {
    const char *name = *state, *folder = make_folder();
    write_text(in(folder, "a.net"), text_of(arena_printf(arena, GOLDEN "/stages/%s.parse.txt", name), true));
    Outcome parse = RUN(folder, "a.net", "--emit=parse"), plan = RUN(folder, "a.net", "--emit=plan", "--target=avx512");
    assert_string_equal(parse.out, text_of(in(folder, "a.net"), true));
    assert_string_equal(plan.out, text_of(arena_printf(arena, GOLDEN "/stages/%s.plan.txt", name), true));
    remove_folder(folder);
}

static void generated_code_is_as_it_was(void **state) {
    const char *name = *state, *folder = make_folder(), *net = arena_printf(arena, "%s.net", name);
    write_text(in(folder, net), text_of(arena_printf(arena, GOLDEN "/stages/%s", net), true));
    assert_int_equal(RUN(folder, net, "-o", arena_printf(arena, "%s.c", name), "--target=scalar").status, EXIT_FINE);
    static const char *const endings[] = {"c", "h"};
    for (int i = 0; i < LENGTH(endings); i++) {
        const char *file = arena_printf(arena, "%s.%s", name, endings[i]);
        assert_golden(arena_printf(arena, GOLDEN "/stages/%s.txt", file), text_of(in(folder, file), true));
    }
    remove_folder(folder);
}

/* ---- the cases ----------------------------------------------------------------------------------------------------- */

typedef struct Cases { struct CMUnitTest *tests; int length; } Cases;

static void add_case(Cases *c, const char *what, const char *name, CMUnitTestFunction function) {
    *PUSH(arena, c->tests, c->length) = (struct CMUnitTest){
        .name = name ? arena_printf(arena, "%s: %s", what, name) : what, .test_func = function, .initial_state = (void *)(uintptr_t)name};
}

static void add_folder(Cases *c, const char *kind, const char *ending, CMUnitTestFunction function) {
    int n;
    const char **names = names_in(in(GOLDEN, kind), ending, &n);
    for (int i = 0; i < n; i++) add_case(c, kind, names[i], function);
}

int main(void) {
    arena = arena_new();
    Cases c = {0};
    add_folder(&c, "errors", ".net", errors_are_told);
    add_folder(&c, "warnings", ".net", warnings_are_told);
    add_folder(&c, "stages", ".net", stages_leave_what_they_did);
    add_folder(&c, "stages", ".net", canonical_form_is_canonical);
    add_folder(&c, "commands", ".txt", commands_say_what_they_said);
    add_case(&c, "code that stands alone", NULL, standalone_code_is_as_shown);
    add_case(&c, "all words and their options", NULL, reference_is_as_written);
    add_case(&c, "code", "smallest", generated_code_is_as_it_was);
    add_case(&c, "every golden file has its network", NULL, every_golden_file_has_its_network);
    add_case(&c, "a failure leaves the old output", NULL, a_failure_leaves_the_old_output);
    add_case(&c, "wrong usage exits with 2", NULL, wrong_usage_exits_2);
    add_case(&c, "unreadable and unwritable files exit with 3", NULL, unreadable_and_unwritable_files_exit_3);
    add_case(&c, "the same network gives the same bytes", NULL, the_same_network_gives_the_same_bytes);
    int failed = _cmocka_run_group_tests("golden", c.tests, (size_t)c.length, NULL, NULL);
    arena_free(arena);
    return failed;
}
