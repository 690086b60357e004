/* test_fmt.c: cnnc fmt: what it writes, that this says the same, and that it leaves alone what it should. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

static void write_text(const char *path, const char *contents) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(contents, 1, strlen(contents), f), strlen(contents));
    assert_int_equal(fclose(f), 0);
}

/* What "cnnc ARGUMENTS" says that reads `input`. */
static char *says_of(const char *arguments, const char *input, int status) {
    char *path = in_folder("input.net"), *command = text(CNNC_COMMAND " %s <%s", arguments, path);
    write_text(path, input);
    Job *job = add_job("sh -c");
    add_word(job, command);
    try_jobs();
    char *log = log_of(job), *said = file_text(log, NULL);
    if (!WIFEXITED(job->status) || WEXITSTATUS(job->status) != status) fail_msg("exit status of '%s', not %d:\n%s", arguments, status, said);
    forget_jobs();
    unlink(path);
    return said;
}

static void columns(void **state) {
    (void)state;
    static const struct { const char *from, *to; } rows[] = {
        {"", ""},
        {"\n\n", ""},
        {"dense 3", "dense  3\n"},
        {"network a\ninput 4\nwide=dense 3 activation=relu\nflatten\n dense   12   activation=relu use_bias=false from a,b\nadd from a,b\noutput a , b\n",
         "network a\ninput         4\nwide = dense  3   activation=relu\nflatten\ndense         12  activation=relu use_bias=false from a, b\nadd from a, b\noutput a,b\n"},
        {"compile loss=mse\nfit epochs=2\ncompile optimizer=sgd( momentum = 0.9,nesterov=true ) loss=mse\n",
         "compile  loss=mse\nfit      epochs=2\ncompile  optimizer=sgd(momentum=0.9, nesterov=true) loss=mse\n"},
        /* a blank line or a comment's begins anew, and stays */
        {"conv2d 2 3x3 strides=1\n\n\n  # a\tb  \ndense 3 activation=relu\n\n", "conv2d  2 3x3  strides=1\n\n\n# a\tb\ndense  3  activation=relu\n"},
        /* comments behind statements stand below each other */
        {"input 4# a\nflatten\ndense 3 activation=relu    # b\n", "input  4                   # a\nflatten\ndense  3  activation=relu  # b\n"},
        /* lines are continued where they must be */
        {"dense \\\n  3 \\\n\\\n activation=relu # c\n\\\nflatten", "dense  3  activation=relu  # c\nflatten\n"},
        {"# what\r\ndense\t3\r\n\r\n  dense 3 \\\r\n activation=relu\r\n", "# what\ndense  3\n\ndense  3  activation=relu\n"},
        {"\xef\xbb\xbf" "dense 3\n", "dense  3\n"},
        /* what a backslash at the end of a comment would make of the next line */
        {"dense 3 # a\\ \n# b \\", "dense  3  # a\\ \n# b \\ \n"},
        /* 118 characters, and a word more */
        {"dense 3 kernel_initializer=random_normal(stddev=0.05, mean=0.01234567890123) bias_initializer=random_uniform(seed=1)\n"
         "dense 3 kernel_initializer=random_normal(stddev=0.05, mean=0.012345678901231) bias_initializer=random_uniform(seed=1) # d\n",
         "dense  3  kernel_initializer=random_normal(stddev=0.05, mean=0.01234567890123) bias_initializer=random_uniform(seed=1)\n"
         "dense  3  kernel_initializer=random_normal(stddev=0.05, mean=0.012345678901231) \\\n    bias_initializer=random_uniform(seed=1)  # d\n"},
        /* but not the word alone, however long what follows it is */
        {"compile optimizer=rmsprop(learning_rate=0.0001, rho=0.95, momentum=0.5, epsilon=1e-6, centered=true, weight_decay=0.015625) loss=mse\n",
         "compile  optimizer=rmsprop(learning_rate=0.0001, rho=0.95, momentum=0.5, epsilon=1e-6, centered=true, weight_decay=0.015625) \\\n    loss=mse\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *once = says_of("fmt -", rows[i].from, 0), *again = says_of("fmt -", rows[i].to, 0);
        assert_string_equal(once, rows[i].to);
        assert_string_equal(again, rows[i].to);
    }
}

/* Of statements as long as they come, no line is longer than 120 characters when its words are not. */
static void long_statements(void **state) {
    (void)state;
    char net[4096] = "concatenate from ";
    for (int i = 0; i < 300; i++) snprintf(net + strlen(net), sizeof net - strlen(net), "%slayer_%d", i ? "," : "", i);
    char *once = says_of("fmt -", net, 0), *again = says_of("fmt -", once, 0), *before = says_of("- --emit=parse", net, 0), *after = says_of("- --emit=parse", once, 0);
    assert_string_equal(once, again);
    assert_string_equal(before, after);
    for (const char *line = once, *end; (end = strchr(line, '\n')); line = end + 1) assert_in_range(end - line, 1, 120);
}

/* ---- all networks there are --------------------------------------------------------------------------------------------- */

static char *copy_of(const Net *net, int number) {
    char *to = text("%s/copy_%d.net", folder, number), *contents = file_text(net->path, NULL);
    write_text(to, contents);
    return to;
}

/* The exit status of "cnnc WORDS PATH", and what it says. */
static char *outcome(const char *words, const char *path, int *status) {
    Job *job = add_job(CNNC_COMMAND);
    add_words(job, words);
    add_word(job, path);
    try_jobs();
    assert_true(WIFEXITED(job->status));
    *status = WEXITSTATUS(job->status);
    char *log = log_of(job), *said = file_text(log, NULL);
    forget_jobs();
    return said;
}

static void check_net(const Net *net, int number) {
    char *copy = copy_of(net, number);
    int status, formatted;
    char *before = outcome("--emit=parse", copy, &status), *said = outcome("fmt --color=never", copy, &formatted);
    assert_int_equal(formatted, status);
    if (status) { /* the same diagnostics, the file as it was */
        assert_int_equal(status, 1);
        assert_string_equal(said, before);
        assert_same_files(copy, net->path);
    } else {
        char *after = outcome("--emit=parse", copy, &status), *check = outcome("fmt --check", copy, &formatted);
        assert_string_equal(said, "");
        if (strcmp(after, before)) fail_msg("%s says something else:\n%s\n%s", net->path, before, after);
        if (formatted || *check) fail_msg("%s is not yet formatted", net->path);
    }
    unlink(copy);
}

static void all_networks(void **state) {
    (void)state;
    static const char *const folders[] = {
        "tests/nets", "tests/nets/oracle", "tests/nets/tiny", "tests/nets/warned", "tests/bench/nets", "tests/cmake/app", "tests/cmake/cross", "tests/golden/errors", "tests/golden/warnings",
        "tests/golden/stages", "examples/mnist", "examples/fashion", "examples/embed", "examples/cpp", "examples/python", "examples/finetune", "examples/make",
    };
    static Net nets[MAX_NETS];
    int number = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *where = text(CNNC_SOURCE_DIR "/%s", folders[i]);
        int n = find_nets(where, nets);
        assert_true(n > 0);
        for (int k = 0; k < n; k++) check_net(&nets[k], number++);
    }
    assert_true(number > 150);
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static struct timespec time_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mtim;
}

static void expect_contents(const char *path, const char *wanted) {
    char *found = file_text(path, NULL);
    assert_string_equal(found, wanted);
}

/* --check names what would change and writes nothing; without it only that is written. A file with errors stays, the others are formatted. */
static void in_place(void **state) {
    (void)state;
    char *good = in_folder("good.net"), *loose = in_folder("loose.net"), *wrong = in_folder("wrong.net");
    char *check = text("fmt --check %s %s", good, loose), *fmt = text("fmt --color=never %s %s %s", wrong, good, loose);
    write_text(good, "dense  3\n");
    write_text(loose, "dense 3\n");
    write_text(wrong, "dense 3 x 3\n");
    assert_int_equal(chmod(loose, 0640), 0);
    struct timespec then = {.tv_sec = 1000000000}, past[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, good, past, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, loose, past, 0), 0);

    char *said = cnnc_says(check, 1), *named = text("%s\n", loose);
    assert_string_equal(said, named);
    expect_contents(loose, "dense 3\n");

    said = cnnc_says(fmt, 1);
    named = text("%s:1:9: error: ", wrong);
    assert_memory_equal(said, named, strlen(named));
    expect_contents(wrong, "dense 3 x 3\n");
    expect_contents(good, "dense  3\n");
    expect_contents(loose, "dense  3\n");
    assert_int_equal(time_of(good).tv_sec, then.tv_sec);
    assert_true(time_of(loose).tv_sec > then.tv_sec);
    struct stat status;
    assert_int_equal(stat(loose, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    cnnc_says(check, 0);
    unlink(good), unlink(loose), unlink(wrong);
}

static void usage(void **state) {
    (void)state;
    char *said = cnnc_says("fmt", 2);
    assert_non_null(strstr(said, "the network's file is missing"));
    said = cnnc_says("fmt nowhere.net", 3);
    assert_non_null(strstr(said, "cannot read nowhere.net"));
    cnnc_says("fmt --chek a.net", 2);
    says_of("fmt --check -", "dense 3\n", 1);
    says_of("fmt --check -", "dense  3\n", 0);
    said = says_of("fmt --color=never -", "dense 3\ndense (\n", 1);
    assert_memory_equal(said, "<stdin>:2:7: error: ", 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns), cmocka_unit_test(long_statements), cmocka_unit_test(all_networks), cmocka_unit_test(in_place), cmocka_unit_test(usage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
