/* Random layers on inputs, by what they draw: how often, how far, never beyond their ranges; what they do for a given number
 * augmentation_fixed.net compares with Keras, and test_determinism that it is the same for any number of threads. */
#include "test_network.h"

#include "cnnc_network.h"

#include <math.h>

enum { EXAMPLES = 4000 };

/* Evaluates the random op of a layer for a number of examples: see[i] gets element `element` of the output for the input `x`. */
static void draw(const char *layer_text, const double *x, int element, double *see) {
    char text[256];
    snprintf(text, sizeof text, "%s\nflatten\ndense 1\n", layer_text);
    Run *r = start_built(text);
    const Op *op = NULL;
    for (int i = 0; i < r->graph->op_count; i++)
        if (r->graph->ops[i]->input_count == 2 && r->graph->ops[i]->inputs[1]->role == ROLE_KEY) op = r->graph->ops[i];
    assert_non_null(op);
    size_t n = (size_t)shape_count(op->inputs[0]->shape);
    double *input = NEW_ARRAY(r->arena, double, n), *output = NEW_ARRAY(r->arena, double, n);
    memcpy(input, x, n * sizeof *x);
    for (int i = 0; i < EXAMPLES; i++) {
        uint64_t key = cnnc_key(1, 2, (uint64_t)i);
        double halves[2] = {(double)(uint32_t)key, (double)(key >> 32)};
        op->def->evaluate(op, (double *[]){input, halves}, (double *[]){output});
        see[i] = output[element];
    }
    stop(r);
}

static double seen[EXAMPLES], ramp[100];

/* Uniform numbers from low to high: their range, mean and variance; neighbours are not alike. */
static void assert_uniform(double low, double high) {
    double mean = 0, squares = 0, product = 0, width = high - low, least = seen[0], most = seen[0];
    for (int i = 0; i < EXAMPLES; i++) {
        double u = (seen[i] - low) / width - 0.5, next = (seen[(i + 1) % EXAMPLES] - low) / width - 0.5;
        mean += u / EXAMPLES, squares += u * u / EXAMPLES, product += u * next / EXAMPLES;
        least = fmin(least, seen[i]), most = fmax(most, seen[i]);
    }
    assert_true(least >= low - 1e-9 * width && most <= high + 1e-9 * width);
    assert_true(least < low + 0.01 * width && most > high - 0.01 * width);
    assert_true(fabs(mean) < 4 / sqrt(12.0 * EXAMPLES));
    assert_true(fabs(squares - 1 / 12.0) < 4 / sqrt(180.0 * EXAMPLES));
    assert_true(fabs(product) < 4 / 12.0 / sqrt(EXAMPLES));
}

static void half_of_the_examples_are_mirrored(void **state) {
    (void)state;
    static const char *const modes[] = {"horizontal", "vertical", "horizontal_and_vertical"};
    static const double mirrored[] = {1, 2, 3}, x[] = {0, 1, 2, 3};
    for (int m = 0; m < LENGTH(modes); m++) {
        char text[128];
        int n = 0;
        snprintf(text, sizeof text, "input 2x2x1\nrandom_flip %s", modes[m]);
        draw(text, x, 0, seen);
        for (int i = 0; i < EXAMPLES; i++) {
            assert_true(seen[i] == 0 || seen[i] == mirrored[m]);
            n += seen[i] != 0;
        }
        assert_true(abs(n - EXAMPLES / 2) < 4 * sqrt(EXAMPLES / 4.0));
    }
}

/* Of a ramp the shift can be read off any pixel that comes from within. */
static void translations_spread_evenly(void **state) {
    (void)state;
    draw("input 1x100x1\nrandom_translation 0 0.3", ramp, 50, seen);
    assert_uniform(20, 80);
    draw("input 1x100x1\nrandom_translation 0 (0.4,0.1)", ramp, 50, seen);
    assert_uniform(10, 40);
    draw("input 100x1x1\nrandom_translation (-0.4,-0.1) 0", ramp, 50, seen);
    assert_uniform(60, 90);
}

static void zooms_spread_evenly(void **state) {
    (void)state;
    draw("input 1x100x1\nrandom_zoom 0 (-0.5,-0.1)", ramp, 0, seen);
    assert_uniform(49.5 * 0.1, 49.5 * 0.5);
    draw("input 100x1x1\nrandom_zoom (-0.5,-0.1)", ramp, 0, seen);
    assert_uniform(49.5 * 0.1, 49.5 * 0.5);
}

/* Two pixels, turned by a small angle: the left one gets less of itself the further it turns. */
static void rotations_and_contrast_stay_in_their_ranges(void **state) {
    (void)state;
    static const double x[] = {1, 3};
    draw("input 1x2x1\nrandom_contrast 0.5 value_range=(-9,9)", x, 1, seen);
    assert_uniform(3, 3.5);
    draw("input 1x2x1\nrandom_contrast (0.25,0.5) value_range=(-9,9)", x, 1, seen);
    assert_uniform(2.75, 3.5);
    draw("input 1x2x1\nrandom_contrast (0.25,0.5) value_range=(0,3.1)", x, 1, seen);
    for (int i = 0; i < EXAMPLES; i++) assert_true(seen[i] >= 2.75 && seen[i] <= 3.1);
    draw("input 1x100x1\nrandom_rotation (0.5,0.5)", ramp, 10, seen);
    for (int i = 0; i < EXAMPLES; i++) assert_true(fabs(seen[i] - 89) < 1e-9);
    draw("input 1x100x1\nrandom_rotation 0.05", ramp, 0, seen);
    double least = 99, most = 0;
    for (int i = 0; i < EXAMPLES; i++) least = fmin(least, seen[i]), most = fmax(most, seen[i]);
    assert_true(least >= 0 && least < 1e-3 && most <= 49.5 * (1 - cos(0.314159265358979)) + 1e-9 && most > 2.4);
}

static void empty_ranges_change_nothing(void **state) {
    (void)state;
    static const char *const layers[] = {"random_translation 0 0", "random_rotation 0", "random_zoom 0", "random_contrast 0"};
    for (int l = 0; l < LENGTH(layers); l++) {
        char text[128];
        snprintf(text, sizeof text, "input 10x10x1\n%s", layers[l]);
        draw(text, ramp, 37, seen);
        for (int i = 0; i < EXAMPLES; i++) assert_true(seen[i] == 37);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_examples_are_mirrored), cmocka_unit_test(translations_spread_evenly), cmocka_unit_test(zooms_spread_evenly),
        cmocka_unit_test(rotations_and_contrast_stay_in_their_ranges), cmocka_unit_test(empty_ranges_change_nothing),
    };
    for (int i = 0; i < LENGTH(ramp); i++) ramp[i] = i;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
