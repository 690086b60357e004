/* The progress bar, byte for byte against what Keras 3.15's own Progbar wrote under a scripted clock. In the expected
 * texts {bN} stands for N backspaces.
 */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

typedef struct step {
    int current;
    double values[4];
    int count, finalize;
    double time; /* seconds since the beginning */
} step;

/* mnist */
static const step mnist_steps[] = {
    {1, {0.125, 2.3026}, 2, 0, 0.5},
    {2, {0.13, 2.3}, 2, 0, 0.51},
    {20, {0.25, 2.1}, 2, 0, 0.62},
    {469, {0.8, 0.6}, 2, 0, 3.3},
    {938, {0.8953, 0.337}, 2, 1, 6.2},
};
static const char mnist_text[] =
    "\r\x1b[1m  1/938\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m7:48\x1b[0m 500ms/step - accuracy: 0.1250 - loss: 2.3026"
    "{b78}"
    "\r\x1b[1m 20/938\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m5s\x1b[0m 6ms/step - accuracy: 0.2500 - loss: 2.1000    "
    "{b74}"
    "\r\x1b[1m469/938\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━\x1b[0m \x1b[1m2s\x1b[0m 6ms/step - accuracy: 0.8000 - loss: 0.6000"
    "{b74}"
    "\r\x1b[1m938/938\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m6s\x1b[0m 6ms/step - accuracy: 0.8953 - loss: 0.3370\n";

/* val */
static const step val_steps[] = {
    {938, {0.8953, 0.337, 0.98, 0.0005}, 4, 1, 6.2},
};
static const char val_text[] =
    "\r\x1b[1m938/938\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m6s\x1b[0m 7ms/step - accuracy: 0.8953 - loss: 0.3370 - val_accuracy: 0.9800 - val_loss: 5.0000e-04\n";

/* slow */
static const step slow_steps[] = {
    {1, {NAN}, 1, 0, 2.5},
    {2, {-1e-09}, 1, 0, 5.0},
    {9000, {1000000000.0}, 1, 0, 9000.0},
    {9990, {-0.5}, 1, 0, 9990.0},
    {10000, {INFINITY}, 1, 1, 10000.4},
};
static const char slow_text[] =
    "\r\x1b[1m    1/10000\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m6:56:37\x1b[0m 2s/step - loss: nan"
    "{b60}"
    "\r\x1b[1m    2/10000\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m6:56:35\x1b[0m 2s/step - loss: -1.0000e-09"
    "{b68}"
    "\r\x1b[1m 9000/10000\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m━━\x1b[0m \x1b[1m16:39\x1b[0m 1000ms/step - loss: 1000000000.0000"
    "{b74}"
    "\r\x1b[1m 9990/10000\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m━\x1b[0m \x1b[1m9s\x1b[0m 1000ms/step - loss: -0.5000           "
    "{b63}"
    "\r\x1b[1m10000/10000\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m10000s\x1b[0m 1000ms/step - loss: inf\n";

/* fast */
static const step fast_steps[] = {
    {1, {1.0}, 1, 0, 0.0001},
    {50000, {0.001}, 1, 0, 1.0},
    {100000, {0.00100001}, 1, 1, 2.0},
};
static const char fast_text[] =
    "\r\x1b[1m     1/100000\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m9s\x1b[0m 100us/step - loss: 1.0000"
    "{b63}"
    "\r\x1b[1m 50000/100000\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m 20us/step - loss: 1.0000e-03"
    "{b66}"
    "\r\x1b[1m100000/100000\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m2s\x1b[0m 20us/step - loss: 0.0010    \n";

/* line */
static const step line_steps[] = {
    {938, {0.8953, -0.337}, 2, 1, 6.2},
};
static const char line_text[] =
    "938/938 - 6s - 7ms/step - accuracy: 0.8953 - loss: -3.3700e-01\n";

/* line1 */
static const step line1_steps[] = {
    {1, {0.5}, 1, 1, 0.0004},
};
static const char line1_text[] =
    "1/1 - 0s - 400us/step - loss: 0.5000\n";

/* shrink */
static const step shrink_steps[] = {
    {1, {1e-05}, 1, 0, 0.5},
    {50, {1.0}, 1, 0, 2.0},
    {100, {1.0}, 1, 1, 100.0},
};
static const char shrink_text[] =
    "\r\x1b[1m  1/100\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m49s\x1b[0m 500ms/step - loss: 1.0000e-05"
    "{b62}"
    "\r\x1b[1m 50/100\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━\x1b[0m \x1b[1m1s\x1b[0m 31ms/step - loss: 1.0000      "
    "{b56}"
    "\r\x1b[1m100/100\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m100s\x1b[0m 1s/step - loss: 1.0000\n";

static const char *const names[] = {"accuracy", "loss", "val_accuracy", "val_loss"};

/* What a script prints, with runs of backspaces as {bN}; to be freed. */
static char *play(const step *steps, size_t count, int target, cnnc_progress_mode mode, int color) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cnnc_progress p;
    cnnc_progress_begin(&p, out, mode, color, target, 1000.0);
    for (size_t i = 0; i < count; i++)
        cnnc_progress_update(&p, steps[i].current, steps[i].count == 1 ? names + 1 : names, steps[i].values,
                             steps[i].count, steps[i].finalize, 1000.0 + steps[i].time);
    fclose(out);
    char *short_text = calloc(size + 1, 4), *to = short_text;
    assert_non_null(short_text);
    for (const char *c = text; *c;) {
        size_t run = strspn(c, "\b");
        if (run)
            to += sprintf(to, "{b%zu}", run);
        else
            *to++ = *c;
        c += run ? run : 1;
    }
    free(text);
    return short_text;
}

#define CHECK(name, target, mode)                                                                    \
    do {                                                                                             \
        char *got = play(name##_steps, sizeof name##_steps / sizeof *name##_steps, target, mode, 1); \
        assert_string_equal(got, name##_text);                                                       \
        free(got);                                                                                   \
    } while (0)

static void bars_are_kerass(void **state) {
    (void)state;
    CHECK(mnist, 938, CNNC_PROGRESS_BAR);
    CHECK(val, 938, CNNC_PROGRESS_BAR);
    CHECK(slow, 10000, CNNC_PROGRESS_BAR);
    CHECK(fast, 100000, CNNC_PROGRESS_BAR);
    CHECK(shrink, 100, CNNC_PROGRESS_BAR);
}

static void lines_are_kerass(void **state) {
    (void)state;
    CHECK(line, 938, CNNC_PROGRESS_LINE);
    CHECK(line1, 1, CNNC_PROGRESS_LINE);
}

static void silence_and_no_color(void **state) {
    (void)state;
    char *got = play(mnist_steps, 5, 938, CNNC_PROGRESS_SILENT, 1);
    assert_string_equal(got, "");
    free(got);
    got = play(mnist_steps + 3, 1, 938, CNNC_PROGRESS_BAR, 0);
    assert_string_equal(got, "\r469/938 ━━━━━━━━━━           3s 7ms/step - accuracy: 0.8000 - loss: 0.6000");
    free(got);
}

static void a_line_can_be_broken_off(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cnnc_progress p;
    cnnc_progress_begin(&p, out, CNNC_PROGRESS_BAR, 0, 10, 1000.0);
    cnnc_progress_break(&p);
    cnnc_progress_update(&p, 1, NULL, NULL, 0, 0, 1001.0);
    cnnc_progress_break(&p);
    cnnc_progress_break(&p);
    fclose(out);
    assert_string_equal(text, "\r 1/10 ━━                   9s 1s/step\n");
    free(text);
}

static void files_get_lines(void **state) {
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_int_equal(cnnc_progress_choose(0, out), CNNC_PROGRESS_SILENT);
    assert_int_equal(cnnc_progress_choose(1, out), CNNC_PROGRESS_LINE);
    assert_int_equal(cnnc_progress_choose(2, out), CNNC_PROGRESS_LINE);
    assert_int_equal(cnnc_progress_color(out), 0);
    fclose(out);
    double before = cnnc_seconds();
    assert_true(cnnc_seconds() >= before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_are_kerass),          cmocka_unit_test(lines_are_kerass),
        cmocka_unit_test(silence_and_no_color),     cmocka_unit_test(a_line_can_be_broken_off),
        cmocka_unit_test(files_get_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
