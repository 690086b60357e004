/* test_input.c: a network from standard input, which a pipe says once, for every command that takes a network. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "cnnc_runtime.h"

enum { N = 32 };

static const char network[] = "network tiny\ninput 4\ndense 3 activation=softmax\ncompile loss=categorical_crossentropy\nfit batch_size=8\n";

static void write_text(const char *name, const char *contents) {
    FILE *f = fopen(text("%s/%s", folder, name), "wb");
    assert_non_null(f);
    assert_true(fputs(contents, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state) {
    static float xs[N * 4];
    static int32_t ys[N];
    if (make_folder(state)) return -1;
    for (int i = 0; i < N * 4; i++) xs[i] = (float)(i * 37 % 101) / 101;
    for (int i = 0; i < N; i++) ys[i] = i % 3;
    cnnc_array x = {CNNC_DTYPE_F32, 2, {N, 4}, N * 4, xs}, y = {CNNC_DTYPE_I32, 1, {N}, N, ys};
    assert_int_equal(cnnc_npy_write(text("%s/X.npy", folder), &x, NULL), CNNC_OK);
    assert_int_equal(cnnc_npy_write(text("%s/Y.npy", folder), &y, NULL), CNNC_OK);
    write_text("tiny.net", network);
    write_text("wrong.net", "network tiny\ninput 4\ndens 3\n");
    write_text("plain.net", "network tiny\ninput 4\ndense 3\n");
    return 0;
}

/* What "cat NET | cnnc ARGUMENTS" says, in the folder. */
static char *pipe_into(const char *net, const char *arguments, int status) {
    char *command = text("cd %s && cat %s | " CNNC_COMMAND " %s >said 2>&1", folder, net, arguments);
    int result = system(command), exited = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    char *said = file_text(text("%s/said", folder), NULL);
    if (exited != status) fail_msg("exit status %d, not %d: %s\n%s", exited, status, command, said);
    return said;
}

static void expect(const char *net, const char *arguments, int status, const char *says) {
    char *said = pipe_into(net, arguments, status);
    if (!strstr(said, says)) fail_msg("'%s' is not in what 'cnnc %s' says:\n%s", says, arguments, said);
}

static bool there(const char *name) { return !access(text("%s/%s", folder, name), F_OK); }

static void every_command(void **state) {
    (void)state;
    expect("tiny.net", "- -o tiny.c -MD", 0, "");
    char *rule = file_text(text("%s/tiny.d", folder), NULL);
    assert_string_equal(rule, "tiny.c tiny.h:\n"); /* it comes from no file */
    expect("tiny.net", "summary -", 0, "Total params: 15");
    expect("tiny.net", "train - --data X.npy,Y.npy --threads=1", 0, "Weights saved to tiny.safetensors");
    assert_true(there("tiny.safetensors"));
    assert_false(there("-.safetensors"));
    expect("tiny.net", "evaluate - --data X.npy,Y.npy --weights tiny.safetensors", 0, "loss: ");
    expect("tiny.net", "predict - --weights tiny.safetensors --input X.npy -o P.npy", 0, "");
    assert_true(there("P.npy"));
    expect("tiny.net", "check -", 0, "dense");
    expect("tiny.net", "bench - --target=vec16 --repeat=1", 0, "dense_forward");
    expect("tiny.net", "tune - --target=vec16 --repeat=1 -o tiny.tune", 0, "choices in tiny.tune");
    expect("tiny.net", "fmt -", 0, "dense  3  activation=softmax\n");
}

/* The place is in no file either. */
static void mistakes(void **state) {
    (void)state;
    static const char *const commands[] = {
        "- -o x.c", "summary -", "train - --data X.npy,Y.npy", "evaluate - --data X.npy,Y.npy --weights x", "predict - --weights x --input X.npy -o x",
        "check -", "bench -", "tune - -o x",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) expect("wrong.net", commands[i], 1, "<stdin>:3:1: error: ");
    expect("plain.net", "train - --data X.npy,Y.npy", 1, "<stdin>: error: the network cannot be trained");
    expect("plain.net", "evaluate - --data X.npy,Y.npy --weights x", 1, "<stdin>: error: the network has no loss");
    expect("plain.net", "bench -", 1, "<stdin>: error: the network cannot be trained");
    expect("plain.net", "tune - -o x", 1, "<stdin>: error: the network cannot be trained");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_command), cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, make_files, remove_folder);
}
