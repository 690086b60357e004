/* test_tune.c: cnnc tune, and what its file does to the choice of algorithms. No time is expected of anything. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#define NETS CNNC_SOURCE_DIR "/tests/nets/"

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

/* Words with a path in each %s. */
static void expect_says(const char *words, int status, const char *says) {
    char *said = cnnc_says(words, status);
    if (!strstr(said, says)) fail_msg("'%s' is not in what 'cnnc %s' says: %s", says, words, said);
}

static void write_text(const char *path, const char *words) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(words, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Each comparison has two times. */
static void assert_times(const char *said) {
    int compared = 0;
    for (const char *at = said; (at = strstr(at, " us, ")); at += 5, compared++) {
        const char *first = at, *second = strchr(at + 5, ' ');
        while (first > said && first[-1] != ' ') first--;
        assert_true(second && atof(first) > 0 && atof(second) > 0);
    }
    assert_true(compared >= 3);
}

/* Of every op with a choice there is a line, and the choice is taken. */
static void choices_are_found_and_taken(void **state) {
    (void)state;
    char *path = in_folder("conv2d.tune"), *tune = text("tune " NETS "conv2d.net --target=vec16 --repeat=1 -o %s", path);
    char *select = text(NETS "conv2d.net --target=vec16 --emit=select --tuning=%s", path);
    assert_times(cnnc_says(tune, 0));
    char *lines = file_text(path, NULL), *said = cnnc_says(select, 0);
    int chosen = 0, tuned = 0;
    for (const char *at = lines; (at = strstr(at, "\nvec16 ")); at++) chosen++;
    for (const char *at = said; (at = strstr(at, "tuned;")); at++) tuned++;
    assert_true(chosen >= 3);
    assert_true(tuned >= chosen); /* forward ops are in more than one entry point */
    unlink(path);
}

/* Another choice than that of cost; another target's, other shapes' and another op's choices are not for it. */
static void choices_are_obeyed(void **state) {
    (void)state;
    char *path = in_folder("by_hand.tune"), *words = text(NETS "dense.net --target=vec16 --emit=select --tuning=%s", path);
    write_text(path, "# by hand\n\nvec16 dense_out dense 13*13x17=17 plain\navx2 dense_1_out dense 17*17x1=1 plain\nvec16 dense_2_out dense 2*1x34=34 plain\n"
                     "vec16 dense_kernel_grad dense 13*17=13x17 plain\n");
    expect_says(words, 0, "  dense_out                    dense                    plain       tuned; ");
    expect_says(words, 0, "  dense_1_out                  dense                    direct      ");
    expect_says(words, 0, "  dense_2_out                  dense                    direct      ");
    expect_says(words, 0, "  dense_kernel_grad            dense_grad_kernel        direct      ");
    unlink(path);
}

static void wrong_files(void **state) {
    (void)state;
    char *path = in_folder("wrong.tune"), *words = text(NETS "dense.net --emit=select --tuning=%s", path);
    expect_says(words, 3, "cannot read");
    const struct { const char *contents, *says; } cases[] = {
        {"avx2 dense_out dense direct\n", ":1: error: expected a target, tensor, op, shapes and an algorithm, not fewer words"},
        {"# one\navx2 dense_out dense 1=1 direct again\n", ":2: error: expected a target, tensor, op, shapes and an algorithm, not more words"},
        {"avx2 dense_out dense 1=1 fast\n", ":1: error: there is no algorithm 'fast'"},
        {"avx3 dense_out dense 1=1 direct", ":1: error: there is no target 'avx3'"},
        {"avx2 a dense 1=1 direct\navx2 a dense 2=2 plain\n", ":2: error: line 1 has chosen for 'a' already"},
        {"avx2 \033[31m dense 1=1 fast\n", "wrong.tune: error: not a text file"},
        {"avx2 \303\251 dense 1=1 fast\n", "wrong.tune: error: not a text file"},
        {"avx2 \177 dense 1=1 fast\n", "wrong.tune: error: not a text file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(path, cases[i].contents);
        expect_says(words, 1, cases[i].says);
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite("# one\0\n", 1, 7, f), 7);
    assert_int_equal(fclose(f), 0);
    expect_says(words, 1, "wrong.tune: error: not a text file");
    char *other = text(NETS "dense.net -o %s/dense.c --target=avx2 --tuning=%s", folder, path);
    write_text(path, "avx2 another dense 1=1 direct\navx2 dense_out dense 13*13x17=17 winograd\n");
    expect_says(other, 0, "wrong.tune:1: warning: the network has no dense 'another' of these shapes that direct covers on avx2");
    expect_says(other, 0, "wrong.tune:2: warning: the network has no dense 'dense_out' of these shapes that winograd covers on avx2");
    char *strict = text("%s -Werror", other);
    expect_says(strict, 1, "warnings are errors");
    char *line = text("%1100d", 1);
    write_text(path, line);
    expect_says(other, 1, "wrong.tune:1: error: a line of more than 1000 characters");
    char *outputs[] = {in_folder("dense.c"), in_folder("dense.h")};
    for (int i = 0; i < 2; i++) unlink(outputs[i]);
    unlink(path);
}

static void wrong_usage(void **state) {
    (void)state;
    expect_says("tune " NETS "dense.net", 2, "-o FILE is missing");
    expect_says("tune " NETS "dense.net -o x.tune --algorithm=direct", 2, "finds the choices itself");
    expect_says("tune " NETS "predict_only.net -o x.tune", 1, "cannot be trained");
    expect_says("tune " NETS "dense.net --target=vec16 -o /nonexistent/x.tune", 3, "cannot write");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_are_found_and_taken),
        cmocka_unit_test(choices_are_obeyed),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
