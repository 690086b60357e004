/* test_algorithms.c: what algorithms promise beyond agreeing with the definition. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "../compiler/commands/commands.h"
#include "cnnc_runtime.h"

enum { HEIGHT = 5, WIDTH = 130, CHANNELS = 8, FILTERS = 9, KERNEL = 3, OUT_HEIGHT = HEIGHT - KERNEL + 1, OUT_WIDTH = WIDTH - KERNEL + 1 };

static const char description[] = "network sums\ninput 5x130x8\nconv2d 9 3x3\n";

/* Pixels that are not zero: at both sides of column 62, where a second word of places begins, and at the last column. */
static bool is_lit(int h, int v) { return (h == 2 && (v == 3 || v == 60)) || (h == 0 && v == 64) || (h == 4 && v == WIDTH - 1); }

static bool sees_light(int h, int v) {
    for (int i = 0; i < KERNEL * KERNEL; i++)
        if (is_lit(h + i / KERNEL, v + i % KERNEL)) return true;
    return false;
}

static void assert_sums(const float *y, const char *variant) {
    for (int h = 0; h < OUT_HEIGHT; h++)
        for (int v = 0; v < OUT_WIDTH; v++)
            for (int o = 0; o < FILTERS; o++) {
                float sum = y[(h * OUT_WIDTH + v) * FILTERS + o];
                if ((sum != 0) != sees_light(h, v)) fail_msg("%s: %g at %d, %d, %d", variant, (double)sum, h, v, o);
            }
}

/* Winograd's sums of zeros would be rounding errors, which an activation or a pooling takes for numbers. */
static void sums_of_zeros_are_zero(void **state) {
    (void)state;
    char *path = text("%s/sums.net", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(description, f);
    assert_int_equal(fclose(f), 0);
    Compilation c;
    Loaded loaded;
    int status;
    compilation_init(&c, false);
    c.options.algorithm = "winograd";
    const cnnc_network *network = load_network(&c, path, &loaded, &status);
    assert_non_null(network);
    static float x[HEIGHT * WIDTH * CHANNELS], y[OUT_HEIGHT * OUT_WIDTH * FILTERS];
    for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) x[i] = is_lit(i / CHANNELS / WIDTH, i / CHANNELS % WIDTH) ? 0.3f + (float)(i % CHANNELS) : 0;
    for (int i = 0; i < network->variant_count; i++) {
        cnnc_error failure;
        cnnc_model *model = cnnc_model_new(network, 1, network->variants[i], &failure);
        if (!model) continue; /* this machine has no such instructions */
        const void *inputs[] = {x};
        void *outputs[] = {y};
        const cnnc_batch batch = {.n = 1, .inputs = inputs, .outputs = outputs};
        assert_int_equal(cnnc_model_predict_batch(model, &batch, &failure), CNNC_OK);
        assert_sums(y, network->variants[i]);
        cnnc_model_free(model);
    }
    unload_network(&loaded);
    compilation_free(&c);
    unlink(path);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_of_zeros_are_zero)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
