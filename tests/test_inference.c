/* test_inference.c: what cnnc NET --inference refuses: weights that are not the network's, options that do not go together. Nothing is written then.
 * What it predicts is in test_standalone.c, what it leaves out in test_prune.c. */
#define _XOPEN_SOURCE 700
#include "test_processes.h"

#include "cnnc_runtime.h"

#include <math.h>

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

static void expect_nothing_written(void) {
    assert_int_equal(access(in_folder("out.c"), F_OK), -1);
    assert_int_equal(access(in_folder("out.h"), F_OK), -1);
}

/* ---- weights -------------------------------------------------------------------------------------------------------------- */

static float kernel[6] = {1, 2, 3, 4, 5, 6}, bias[2] = {7, 8};
static double large[2] = {1, 1e39};

static const cnnc_safetensor right_kernel = {"dense/kernel", {CNNC_DTYPE_F32, 2, {3, 2}, 6, kernel}}, right_bias = {"dense/bias", {CNNC_DTYPE_F32, 1, {2}, 2, bias}};

/* Of a dense layer of 3 inputs and 2 units, a file with these weights. */
static void expect_refused(cnnc_safetensor first, cnnc_safetensor second, int count, const char *reason) {
    const cnnc_safetensor tensors[] = {first, second, {"dense_1/bias", {CNNC_DTYPE_F32, 1, {2}, 2, bias}}};
    cnnc_error error;
    assert_int_equal(cnnc_safetensors_write(in_folder("weights"), tensors, count, NULL, 0, &error), CNNC_OK);
    char *said = cnnc_says(text("%s/dense.net --inference --weights=%s/weights -o %s/out.c", folder, folder, folder), 1);
    if (!strstr(said, reason)) fail_msg("%s: %s", reason, said);
    expect_nothing_written();
}

static void weights_of_another_network(void **state) {
    (void)state;
    cnnc_safetensor turned = right_kernel, as_double = right_bias;
    turned.array.shape[0] = 2, turned.array.shape[1] = 3;
    as_double.array.dtype = CNNC_DTYPE_F64, as_double.array.data = large;
    expect_refused(right_kernel, right_bias, 1, "dense/bias");
    expect_refused(right_kernel, right_bias, 3, "dense_1/bias");
    expect_refused(turned, right_bias, 2, "dense/kernel");
    expect_refused(right_kernel, as_double, 2, "element 1 of 'dense/bias' is not a finite number of a float's range");
    bias[0] = NAN;
    expect_refused(right_kernel, right_bias, 2, "element 0 of 'dense/bias' is not a finite number of a float's range");
    bias[0] = 7;
}

/* Each is a float; what is made of two of them is none. */
static void products_of_weights(void **state) {
    (void)state;
    static float wide[6] = {1e30f, 1, 1, 1, 1, 1}, gamma[2] = {1e20f, 1}, zeros[2], ones[2] = {1, 1};
    cnnc_safetensor tensors[] = {right_kernel, right_bias, {"batch_normalization/gamma", right_bias.array}, {"batch_normalization/beta", right_bias.array}, {"batch_normalization/moving_mean", right_bias.array}, {"batch_normalization/moving_variance", right_bias.array}};
    cnnc_error error;
    tensors[0].array.data = wide, tensors[2].array.data = gamma, tensors[3].array.data = tensors[4].array.data = zeros, tensors[5].array.data = ones;
    assert_int_equal(cnnc_safetensors_write(in_folder("weights"), tensors, 6, NULL, 0, &error), CNNC_OK);
    char *command = text("%s/normalized.net --inference --weights=%s/weights -o %s/out.c", folder, folder, folder);
    if (!strstr(cnnc_says(command, 1), "2:1: error: 'dense_kernel_folded' of these weights has numbers beyond a float's range")) fail_msg("it is not told");
    expect_nothing_written();
}

static void files_that_are_no_weights(void **state) {
    (void)state;
    size_t length;
    const cnnc_safetensor tensors[] = {right_kernel, right_bias};
    cnnc_error error;
    assert_int_equal(cnnc_safetensors_write(in_folder("weights"), tensors, 2, NULL, 0, &error), CNNC_OK);
    char *command = text("%s/dense.net --inference --weights=%s/weights -o %s/out.c", folder, folder, folder);
    cnnc_says(command, 0);
    unlink(in_folder("out.c")), unlink(in_folder("out.h"));
    file_text(in_folder("weights"), &length);
    for (size_t shorter = 0; shorter < length; shorter += 7) {
        assert_int_equal(truncate(in_folder("weights"), (off_t)(length - shorter - 1)), 0);
        cnnc_says(command, 1);
    }
    unlink(in_folder("weights"));
    cnnc_says(command, 3);
    expect_nothing_written();
}

/* ---- options --------------------------------------------------------------------------------------------------------------- */

static void options_that_do_not_go_together(void **state) {
    (void)state;
    static const struct { const char *options, *reason; } cases[] = {
        {"--weights=weights", "--weights needs --inference"}, {"--inference --input-gradient", "--inference of code that does not"},
        {"--optimize=cold", "--optimize needs --inference"}, {"--inference --optimize=fast", "hot, cold or size, not 'fast'"},
        {"--unroll=-1", "--unroll must be an integer from 0"}, {"--inference --unroll=all", "--unroll must be an integer from 0"},
        {"--inference --weights=", "--weights needs a value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *said = cnnc_says(text("%s/dense.net %s -o %s/out.c", folder, cases[i].options, folder), 2);
        if (!strstr(said, cases[i].reason)) fail_msg("%s: %s", cases[i].options, said);
        expect_nothing_written();
    }
}

static void weights_are_not_written_over(void **state) {
    (void)state;
    const cnnc_safetensor tensors[] = {right_kernel, right_bias};
    cnnc_error error;
    size_t before, after;
    assert_int_equal(cnnc_safetensors_write(in_folder("out.h"), tensors, 2, NULL, 0, &error), CNNC_OK);
    char *old = file_text(in_folder("out.h"), &before), *said = cnnc_says(text("%s/dense.net --inference --weights=%s/out.h -o %s/out.c", folder, folder, folder), 2);
    assert_non_null(strstr(said, "would be written over"));
    char *new = file_text(in_folder("out.h"), &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, new, before);
    unlink(in_folder("out.h"));
}

static bool write_net(const char *name, const char *net) {
    FILE *f = fopen(in_folder(name), "w");
    return f && fputs(net, f) >= 0 && !fclose(f);
}

static int set_up(void **state) {
    return make_folder(state) || !write_net("dense.net", "network n\ninput 3\ndense 2\n") || !write_net("normalized.net", "input 3\ndense 2\nbatch_normalization\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_another_network),
        cmocka_unit_test(products_of_weights), cmocka_unit_test(files_that_are_no_weights),
        cmocka_unit_test(options_that_do_not_go_together),
        cmocka_unit_test(weights_are_not_written_over),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
