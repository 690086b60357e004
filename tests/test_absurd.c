/* test_absurd.c: descriptions that nobody means. Each is answered, by C or by an error, within ten seconds of processor time and
 * a gigabyte: what hangs or fills the memory is ended by these limits and fails. */
#define _DEFAULT_SOURCE
#include "test_processes.h"

#include <sys/resource.h>

#define SECONDS 10
#define BYTES ((rlim_t)1 << 30)

typedef struct Case { const char *what, *before, *repeated; int times; const char *after; int status; const char *says; } Case;

static const Case cases[] = {
    {"units", "input 4\ndense 1000000000\n", "", 0, "", 1, "'units' must be an integer from 1 to 16777216"},
    {"sizes", "input 999999999x999999999\n", "", 0, "", 1, "each part an integer from 1 to 16777216"},
    {"elements", "input 30000x30000x3\nconv2d 64 3x3\n", "", 0, "", 1, "has more than 2^31 - 1 elements"},
    {"weights", "input 100000\ndense 100000\n", "", 0, "", 1, "100000x100000, has more than 2^31 - 1 elements"},
    {"epochs", "input 4\ndense 2\ncompile loss=mse\nfit epochs=1e300\n", "", 0, "", 1, "'epochs' must be an integer from 1 to 1000000000"},
    {"digits", "input ", "9", 1000000, "\n", 1, "this number is out of range"},
    {"layers", "input 8\n", "dense 8\n", 1000000, "", 1, "more than 10000 statements"},
    {"unknown words", "", "foo bar\n", 1000000, "", 1, "more than 10000 statements"},
    {"garbage", "", "$%&/ foo ((\n", 1000000, "", 1, "expected a statement, found '$'"},
    {"empty lines", "", "\n# comment\n", 500000, "input 4\ndense 2\n", 0, ""},
    {"continued lines", "input 4 ", "\\\n", 1000000, "\ndense 2\n", 0, ""},
    {"nested calls", "input 4\ndense 2 kernel_initializer=", "a(", 1000000, "\n", 1, "nested more than 32 deep"},
    {"arguments", "input 4\ndense 2 ", "units=1 ", 1000000, "\n", 1, "more than 4096 values in one statement"},
    {"inputs", "input 4\nadd from a", ",a", 1000000, "\n", 1, "more than 4096 values in one statement"},
    {"name", "", "a", 5000000, " = input 4\n", 1, "this name has 5000000 characters; at most 63 are allowed"},
    {"file", "input 4\n", "# a comment, over and over again\n", 1000000, "", 3, "it is larger than 16 MiB"},
    {"deep", "input 8\n", "dense 8 activation=relu\n", 2000, "compile loss=mse\n", 0, ""},
};

static void limit(int resource, rlim_t value) {
    struct rlimit old;
    assert_int_equal(getrlimit(resource, &old), 0);
    if (old.rlim_cur < value) return;
    old.rlim_cur = value;
    assert_int_equal(setrlimit(resource, &old), 0);
}

static int set_up(void **state) {
    if (make_folder(state)) return -1;
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* they reserve more */
    limit(RLIMIT_AS, BYTES);
#endif
    limit(RLIMIT_CPU, SECONDS); /* of each process */
    return 0;
}

static void an_answer(const char *arguments, const char *what, int status, const char *says) {
    char *said = cnnc_says(arguments, status);
    if (!strstr(said, says)) fail_msg("%s: '%s' was expected in: %.500s", what, says, said);
}

static void absurd_descriptions_are_answered(void **state) {
    (void)state;
    char *net = text("%s/a.net", folder), *arguments = text("%s --target=scalar -o %s/a.c", net, folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        FILE *out = fopen(net, "w");
        assert_non_null(out);
        fputs(c->before, out);
        for (int k = 0; k < c->times; k++) fputs(c->repeated, out);
        fputs(c->after, out);
        assert_int_equal(fclose(out), 0);
        an_answer(arguments, c->what, c->status, c->says);
    }
}

/* A file of zeros is full of holes; a line without an end comes by standard input. */
static void a_gigabyte(void **state) {
    (void)state;
    char *net = text("%s/zeros.net", folder), *arguments = text("%s -o %s/a.c", net, folder);
    FILE *out = fopen(net, "w");
    assert_non_null(out);
    assert_int_equal(ftruncate(fileno(out), 1 << 30), 0);
    assert_int_equal(fclose(out), 0);
    an_answer(arguments, "zeros", 3, "it is larger than 16 MiB");
    Job *job = add_job("sh -c");
    add_word(job, "tr '\\0' a </dev/zero | '" CNNC_COMMAND "' - -o /dev/null");
    assert_int_equal(try_jobs(), 1);
    char *log = log_of(job), *said = file_text(log, NULL);
    assert_int_equal(WEXITSTATUS(job->status), 3);
    assert_string_equal(said, "cnnc: error: cannot read standard input: it is larger than 16 MiB\n");
    forget_jobs();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(absurd_descriptions_are_answered), cmocka_unit_test(a_gigabyte)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
