/* test_shard.c: how many examples a shard has, by layers and batch. */
#include "test_network.h"

#define SMALL "input 28x28x1\nconv2d 8 3x3\nglobal_average_pooling2d\n" /* many FLOPs for each weight */
#define DENSE "input 50\ndense 9\n"
#define TRAINS "compile loss=mse\nfit batch_size=%d\n"

static int size_of(const char *text, int batch, bool input_gradient, const Options *options) {
    char filled[400];
    snprintf(filled, sizeof filled, text, batch);
    Run *r = start_autodiff(filled, input_gradient);
    int size = shard_size(r->graph, options);
    stop(r);
    return size;
}

static void many_flops_a_weight_make_small_ones(void **state) {
    (void)state;
    static const Options none;
    static const struct { const char *text; int batch, examples; } cases[] = {
        {SMALL TRAINS, 64, 8}, {"input 10x10x1\nconv2d 8 3x3\nflatten\ndense 10\n" TRAINS, 64, 32}, {"input 10x10x1\nconv2d 8 3x3\nglobal_average_pooling2d\n" TRAINS, 64, 16},
        {"input 16x16x64\nconv2d 512 3x3\nglobal_average_pooling2d\n" TRAINS, 64, 16}, /* as the first one, but the weights do not stay in a cache */
        {DENSE TRAINS, 1000, 32}, {"input 2048\ndense 2048 trainable=false\ndense 1\n" TRAINS, 64, 32},
    };
    for (int i = 0; i < LENGTH(cases); i++) assert_int_equal(size_of(cases[i].text, cases[i].batch, false, &none), cases[i].examples);
}

/* If they can be of eight examples. */
static void a_batch_has_two(void **state) {
    (void)state;
    static const Options none, asked = {.batch_size = 32};
    static const int cases[][2] = {{1000, 32}, {64, 32}, {63, 16}, {32, 16}, {16, 8}, {1, 8}};
    for (int i = 0; i < LENGTH(cases); i++) assert_int_equal(size_of(DENSE TRAINS, cases[i][0], false, &none), cases[i][1]);
    assert_int_equal(size_of(DENSE TRAINS, 512, false, &asked), 16); /* that of the command line */
}

/* Bits hang on it. */
static void gradients_of_the_input_change_nothing(void **state) {
    (void)state;
    static const Options none;
    assert_int_equal(size_of("input 10x10x1\nconv2d 8 3x3\nglobal_average_pooling2d\n" TRAINS, 64, true, &none), 16);
}

static void prediction_has_large_ones(void **state) {
    (void)state;
    static const Options none, inference = {.inference = true};
    assert_int_equal(size_of(SMALL, 0, false, &none), 32);
    assert_int_equal(size_of(SMALL TRAINS, 64, false, &inference), 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_flops_a_weight_make_small_ones),
        cmocka_unit_test(a_batch_has_two),
        cmocka_unit_test(gradients_of_the_input_change_nothing),
        cmocka_unit_test(prediction_has_large_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
