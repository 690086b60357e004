/* cnnc evaluate --confusion: matrices of networks whose weights are set so that what they say of each example is known. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "cnnc_runtime.h"

static void save(const char *name, cnnc_dtype dtype, int rank, size_t rows, size_t columns, void *data) {
    cnnc_array array = {.dtype = dtype, .rank = rank, .shape = {rows, columns}, .count = rows * (rank > 1 ? columns : 1), .data = data};
    cnnc_error error;
    if (cnnc_npy_write(text("%s/%s", folder, name), &array, &error)) fail_msg("%s", error.text);
}

/* A network of one dense layer: what evaluate says with --confusion-csv, and the file. */
static char *confusion(const char *network, float *kernel, size_t outputs, const char *data, char **csv) {
    static float bias[2];
    char *net = text("%s/n.net", folder), *weights = text("%s/n.safetensors", folder), *table = text("%s/n.csv", folder);
    const cnnc_safetensor tensors[] = {
        {"dense/kernel", {.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {2, outputs}, .count = 2 * outputs, .data = kernel}},
        {"dense/bias", {.dtype = CNNC_DTYPE_F32, .rank = 1, .shape = {outputs}, .count = outputs, .data = bias}},
    };
    FILE *out = fopen(net, "w");
    assert_non_null(out);
    fputs(network, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(cnnc_safetensors_write(weights, tensors, 2, NULL, 0, NULL), CNNC_OK);
    char *said = cnnc_says(text("evaluate %s --weights %s --data %s --confusion --confusion-csv %s", net, weights, data, table), 0);
    *csv = file_text(table, NULL);
    return said;
}

static float x[] = {1, 0, 0, 1, 1, 0, 0, 1, 0, 2};
static uint8_t labels[] = {0, 1, 1, 1, 0};

static int set_up(void **state) {
    if (make_folder(state)) return -1;
    save("x.npy", CNNC_DTYPE_F32, 2, 5, 2, x);
    save("y.npy", CNNC_DTYPE_U8, 1, 5, 1, labels);
    return 0;
}

static char *data(void) { return text("%s/x.npy,%s/y.npy", folder, folder); }

static void of_two_classes(void **state) {
    (void)state;
    static const char *const losses[] = {"categorical_crossentropy", "sparse_categorical_crossentropy"};
    float kernel[] = {3, 0, 0, 3};
    for (int i = 0; i < 2; i++) {
        char *csv, *said = confusion(text("network n\ninput 2\ndense 2 activation=softmax\ncompile loss=%s\n", losses[i]), kernel, 2, data(), &csv);
        assert_string_equal(csv, "dense,0,1\n0,1,1\n1,1,2\n");
        assert_non_null(strstr(said, "Confusion matrix of dense: labels down, predictions across\n          0    1\n     0    1    1\n     1    1    2\n"));
    }
}

static void of_one_number(void **state) {
    (void)state;
    float kernel[] = {-3, 3};
    char *csv;
    confusion("network n\ninput 2\ndense 1 activation=sigmoid\ncompile loss=binary_crossentropy\n", kernel, 1, data(), &csv);
    assert_string_equal(csv, "dense,0,1\n0,1,1\n1,1,2\n");
}

/* Not of numbers that are no classes. */
static void of_no_classes(void **state) {
    (void)state;
    char *net = text("%s/m.net", folder);
    FILE *out = fopen(net, "w");
    assert_non_null(out);
    fputs("network n\ninput 2\ndense 1\ncompile loss=mse\n", out);
    assert_int_equal(fclose(out), 0);
    char *said = cnnc_says(text("evaluate %s --weights %s/n.safetensors --data %s --confusion", net, folder, data()), 1);
    assert_non_null(strstr(said, "network n has no output of 2 to 1000 classes to make a confusion matrix of"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_two_classes), cmocka_unit_test(of_one_number), cmocka_unit_test(of_no_classes)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
