/* Datasets: from folders, lists of files and memory, in the types that a network asks for. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <sys/stat.h>

#include "../runtime/loader.h"

static cnnc_error error;

static const cnnc_tensor image_inputs[] = {{"input", CNNC_U8, 3, {2, 2, 1}, 4, 0}};
static const cnnc_tensor one_hot[] = {{"dense", CNNC_F32, 1, {3}, 3, 3}};
static const cnnc_tensor index_target[] = {{"dense", CNNC_I32, 0, {0}, 1, 3}};
static const cnnc_network images = {.name = "images", .inputs = image_inputs, .input_count = 1, .targets = one_hot,
                                    .target_count = 1};

/* 3 images of 2 x 2, 3 labels */
static const unsigned char image_file[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const unsigned char label_file[] = {0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1};

static void write_mnist(const char *split) {
    char name[64];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", split);
    write_bytes(in_folder(name), image_file, sizeof image_file);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", split);
    write_bytes(in_folder(name), label_file, sizeof label_file);
}

static void a_folder_of_mnist(void **state) {
    (void)state;
    cnnc_dataset d;
    static const float expected[] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    assert_int_equal(cnnc_dataset_load(&images, test_folder, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "has no train-images-idx3-ubyte");
    write_mnist("train");
    assert_int_equal(cnnc_dataset_load(&images, test_folder, "train", &d, &error), CNNC_OK);
    assert_int_equal(d.n, 3);
    assert_memory_equal(d.inputs[0], image_file + 16, 12);
    assert_memory_equal(d.targets[0], expected, sizeof expected);
    assert_int_equal((uintptr_t)d.inputs[0] % 64, 0);
    assert_int_equal((uintptr_t)d.targets[0] % 64, 0);
    cnnc_dataset_free(&d);
    assert_int_equal(cnnc_dataset_load(&images, test_folder, "t10k", &d, &error), CNNC_FAILED);
    assert_int_equal(cnnc_dataset_load(&images, test_folder, "../x", &d, &error), CNNC_FAILED);
    assert_says(&error, "'../x' is not one of the splits");
}

static void indices_and_floats(void **state) {
    (void)state;
    cnnc_dataset d;
    cnnc_tensor input = {"input", CNNC_F32, 1, {4}, 4, 0};
    cnnc_network network = images;
    network.inputs = &input;
    network.targets = index_target;
    static const int32_t labels[] = {2, 0, 1};
    write_mnist("train");
    assert_int_equal(cnnc_dataset_load(&network, test_folder, NULL, &d, &error), CNNC_OK);
    assert_true(((float *)d.inputs[0])[11] == 12);
    assert_memory_equal(d.targets[0], labels, sizeof labels);
    cnnc_dataset_free(&d);
    network.target_count = 0; /* not compiled to train: labels are not even looked for */
    assert_int_equal(cnnc_dataset_load(&network, test_folder, NULL, &d, &error), CNNC_OK);
    assert_int_equal(d.target_count, 0);
    cnnc_dataset_free(&d);
}

static void npy_files(void **state) {
    (void)state;
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float y[6] = {0, 0.5f, 0.5f, 1, 0, 0};
    int64_t labels[2] = {1, 2};
    cnnc_array ax = {CNNC_DTYPE_F64, 2, {2, 4}, 8, x}, ay = {CNNC_DTYPE_F32, 2, {2, 3}, 6, y};
    cnnc_array al = {CNNC_DTYPE_I64, 2, {2, 1}, 2, labels};
    char list[300];
    cnnc_dataset d;
    assert_int_equal(cnnc_npy_write(in_folder("x.npy"), &ax, &error), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("y.npy"), &ay, &error), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("l.npy"), &al, &error), CNNC_OK);
    snprintf(list, sizeof list, "%s,%s", in_folder("x.npy"), in_folder("y.npy"));
    assert_int_equal(cnnc_dataset_load(&images, list, NULL, &d, &error), CNNC_OK); /* all elements: as they are */
    assert_memory_equal(d.targets[0], y, sizeof y);
    assert_int_equal(((uint8_t *)d.inputs[0])[7], 8);
    cnnc_dataset_free(&d);
    snprintf(list, sizeof list, "%s,%s", in_folder("x.npy"), in_folder("l.npy"));
    static const float expected[] = {0, 1, 0, 0, 0, 1};
    assert_int_equal(cnnc_dataset_load(&images, list, NULL, &d, &error), CNNC_OK);
    assert_memory_equal(d.targets[0], expected, sizeof expected);
    cnnc_dataset_free(&d);
    assert_int_equal(cnnc_dataset_load(&images, in_folder("x.npy"), NULL, &d, &error), CNNC_OK); /* to predict */
    assert_int_equal(d.target_count, 0);
    cnnc_dataset_free(&d);
    assert_int_equal(cnnc_dataset_load(&images, "a,b,c", NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "3 files, but network images has 1 inputs and 1 targets");
    char many[400] = "";
    for (int i = 0; i < 199; i++)
        many[i] = ',';
    assert_int_equal(cnnc_dataset_load(&images, many, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "200 files");
    assert_int_equal(cnnc_dataset_load(&images, "", NULL, &d, &error), CNNC_FAILED);
}

/* What cnnc-images writes, under its names or in small letters. */
static void a_folder_of_npy_files(void **state) {
    (void)state;
    static const char *const names[][4] = {{"X.npy", "Y.npy", "X_test.npy", "Y_test.npy"}, {"x.npy", "y.npy", "x_test.npy", "y_test.npy"}};
    double x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    int32_t labels[3] = {2, 0, 1};
    cnnc_dataset d;
    for (int i = 0; i < 2; i++) {
        const char *where = in_folder(i ? "small" : "capital");
        int has = 1;
        assert_int_equal(mkdir(where, 0777), 0);
        for (int k = 0; k < 4; k++) {
            char path[200];
            size_t n = k < 2 ? 3 : 1;
            cnnc_array ax = {CNNC_DTYPE_F64, 2, {n, 4}, 4 * n, x}, ay = {CNNC_DTYPE_I32, 1, {n}, n, labels};
            snprintf(path, sizeof path, "%s/%s", where, names[i][k]);
            if (k == 2) {
                assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
                assert_false(has);
            }
            assert_int_equal(cnnc_npy_write(path, k % 2 ? &ay : &ax, &error), CNNC_OK);
        }
        assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
        assert_true(has);
        for (int test = 0; test < 2; test++) {
            if (cnnc_dataset_load(&images, where, test ? "test" : "train", &d, &error)) fail_msg("%s", error.text);
            assert_int_equal(d.n, test ? 1 : 3);
            assert_int_equal(((uint8_t *)d.inputs[0])[3], 4);
            assert_true(((float *)d.targets[0])[2] == 1);
            cnnc_dataset_free(&d);
        }
    }
}

/* Labels become one-hot targets of any type. */
static void one_hot_of_each_type(void **state) {
    (void)state;
    uint8_t x[12] = {0}, labels[3] = {2, 0, 1};
    cnnc_array ax = {CNNC_DTYPE_U8, 4, {3, 2, 2, 1}, 12, x}, al = {CNNC_DTYPE_U8, 1, {3}, 3, labels};
    static const double expected[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    static const cnnc_type types[] = {CNNC_F32, CNNC_F64, CNNC_U8};
    for (int t = 0; t < 3; t++) {
        const cnnc_tensor target = {"dense", types[t], 1, {3}, 3, 3};
        cnnc_network network = images;
        cnnc_dataset d;
        network.targets = &target;
        assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, NULL, &d, &error), CNNC_OK);
        for (int i = 0; i < 9; i++) {
            const void *to = d.targets[0];
            double got = types[t] == CNNC_F64 ? ((const double *)to)[i] : types[t] == CNNC_F32 ? (double)((const float *)to)[i] : ((const uint8_t *)to)[i];
            assert_true(got == expected[i]);
        }
        cnnc_dataset_free(&d);
    }
}

/* A folder has one input and one target. */
static void networks_that_no_folder_fits(void **state) {
    (void)state;
    cnnc_dataset d;
    cnnc_network network = images;
    write_mnist("train");
    network.input_count = 2;
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "train", &d, &error), CNNC_FAILED);
    assert_says(&error, "a folder has images and labels, but network images has 2 inputs and 1 targets");
    network.input_count = 0;
    assert_int_equal(cnnc_dataset_make(&network, NULL, NULL, 0, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "network images has no input");
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "train", &d, &error), CNNC_FAILED);
    assert_says(&error, "network images has no input");
}

static void many_arrays(void **state) {
    (void)state;
    static cnnc_parts parts;
    char text[64];
    for (int i = 0; i <= CNNC_MAX_PARTS; i++) {
        cnnc_array array = {CNNC_DTYPE_U16, i % 2 ? 1 : 0, {3}, i % 2 ? 3 : 1, NULL};
        int result = cnnc_parts_add(&parts, &array, (cnnc_origin){.path = "a", .first = 7, .step = cnnc_example_bytes(&array)}, &error);
        assert_int_equal(result, i < CNNC_MAX_PARTS ? CNNC_OK : CNNC_FAILED);
    }
    assert_string_equal(error.text, "a: more than 64 arrays");
    cnnc_part_place(&parts.parts[1], 2, text, sizeof text);
    assert_string_equal(text, "a: at byte 11");
    cnnc_part_place(&parts.parts[0], 0, text, sizeof text);
    assert_string_equal(text, "a: at byte 7");
    cnnc_parts_free(&parts);
}

/* Files that cannot be asked for a split. */
static void splits_of_files(void **state) {
    (void)state;
    int has = 1;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(cnnc_dataset_has_test(in_folder("fifo"), &has, &error), CNNC_FAILED);
    assert_says(&error, "fifo: not a regular file");
    write_bytes(in_folder("text"), "hello", 5);
    write_bytes(in_folder("labels"), label_file, sizeof label_file);
    static const char *const without[] = {"none", "text", "labels"}; /* that they cannot be read is said when they are */
    for (int i = 0; i < 3; i++) {
        has = 1;
        assert_int_equal(cnnc_dataset_has_test(in_folder(without[i]), &has, &error), CNNC_OK);
        assert_false(has);
    }
}

/* Sizes that no memory has are refused before they wrap around. */
static void sizes_that_overflow(void **state) {
    (void)state;
    static const struct { size_t count; int inputs; } cases[] = {{SIZE_MAX / 8, 1}, {SIZE_MAX / 32 + 1, 1}, {SIZE_MAX / 64, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnnc_tensor inputs[5];
        cnnc_array arrays[5];
        cnnc_network network = images;
        cnnc_dataset d;
        for (int k = 0; k < 5; k++) {
            inputs[k] = (cnnc_tensor){"input", CNNC_F32, 1, {1}, cases[i].count, 0};
            arrays[k] = (cnnc_array){CNNC_DTYPE_F32, 1, {1}, cases[i].count, NULL};
        }
        network.inputs = inputs;
        network.input_count = cases[i].inputs;
        assert_int_equal(cnnc_dataset_make(&network, arrays, NULL, 0, NULL, &d, &error), CNNC_FAILED);
        assert_string_equal(error.text, "1 examples of network images are more than any memory holds");
        assert_null(d.memory);
    }
}

/* Whole numbers that are no classes; files without names. */
static void integers(void **state) {
    (void)state;
    static const cnnc_tensor numbers[] = {{"input", CNNC_I32, 1, {2}, 2, 0}};
    static const char *const names[] = {NULL, "Y.npy"};
    int64_t x[6] = {-5, 1000, 0, 3, 4, 1 << 20};
    uint8_t labels[3] = {2, 0, 3};
    cnnc_array ax = {CNNC_DTYPE_I64, 2, {3, 2}, 6, x}, al = {CNNC_DTYPE_U8, 1, {3}, 3, labels};
    cnnc_network network = images;
    cnnc_dataset d;
    network.inputs = numbers;
    assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, &error), CNNC_FAILED);
    assert_says(&error, "Y.npy: example 2 is of class 3");
    labels[2] = 1;
    assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, &error), CNNC_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(((const int32_t *)d.inputs[0])[i], x[i]);
    cnnc_dataset_free(&d);
    x[3] = INT64_MAX;
    assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, NULL), CNNC_FAILED);
    assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, &error), CNNC_FAILED);
    assert_says(&error, "array: for the input 'input' of network images: element 3 is 9.22337204e+18, not an integer from");
    cnnc_dataset_free(NULL);
}

/* An input of tokens takes those that there are. */
static void tokens(void **state) {
    (void)state;
    static const cnnc_tensor words[] = {{"words", CNNC_I32, 1, {2}, 2, 5}};
    static const char *const names[] = {"X.npy", "Y.npy"};
    int64_t x[6] = {0, 4, 1, 2, 3, 4};
    uint8_t labels[3] = {0, 1, 2}, wide[9] = {0};
    cnnc_array ax = {CNNC_DTYPE_I64, 2, {3, 2}, 6, x}, al = {CNNC_DTYPE_U8, 1, {3}, 3, labels}, three = {CNNC_DTYPE_U8, 2, {3, 3}, 9, wide};
    cnnc_network network = images;
    cnnc_dataset d;
    network.inputs = words;
    assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, &error), CNNC_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(((const int32_t *)d.inputs[0])[i], x[i]);
    cnnc_dataset_free(&d);
    static const int64_t wrong[] = {5, -1};
    for (int i = 0; i < 2; i++) {
        char why[128];
        x[3] = wrong[i];
        snprintf(why, sizeof why, "X.npy: element 1 of example 1 is %d, but the input 'words' of network images takes tokens 0 .. 4", (int)x[3]);
        assert_int_equal(cnnc_dataset_make(&network, &ax, &al, 1, names, &d, &error), CNNC_FAILED);
        assert_says(&error, why);
        assert_null(d.memory);
    }
    assert_int_equal(cnnc_dataset_make(&network, &three, &al, 1, names, &d, &error), CNNC_FAILED);
    assert_says(&error, "X.npy: an example of the input 'words' of network images is 2 i32 (2 elements), of the file 3 u8 (3)");
    static const char csv[] = "a,b,label\n1,2,0\n3,7,1\n";
    write_bytes(in_folder("tokens.csv"), csv, sizeof csv - 1);
    assert_int_equal(cnnc_dataset_load(&network, in_folder("tokens.csv"), NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "tokens.csv:3: element 1 of example 1 is 7, but the input 'words'");
}

static void refuse(const cnnc_network *network, const cnnc_array *x, const cnnc_array *y, const char *why) {
    static const char *const names[] = {"X.npy", "Y.npy"};
    cnnc_dataset d;
    assert_int_equal(cnnc_dataset_make(network, x, y, 1, names, &d, &error), CNNC_FAILED);
    assert_says(&error, why);
    assert_null(d.memory);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    uint8_t x[24] = {0};
    float halves[8] = {0.5f};
    int32_t labels[3] = {0, 1, 2}, bad[3] = {0, 3, 1}, negative[3] = {0, -1, 1};
    cnnc_array ax = {CNNC_DTYPE_U8, 4, {3, 2, 2, 1}, 12, x}, wide = {CNNC_DTYPE_U8, 2, {3, 8}, 24, x};
    cnnc_array al = {CNNC_DTYPE_I32, 1, {3}, 3, labels}, two = {CNNC_DTYPE_I32, 1, {2}, 2, labels};
    cnnc_array number = {CNNC_DTYPE_I32, 0, {0}, 1, labels}, none = {CNNC_DTYPE_U8, 2, {0, 4}, 0, x};
    cnnc_array fractions = {CNNC_DTYPE_F32, 2, {2, 4}, 8, halves}, half = {CNNC_DTYPE_F32, 1, {3}, 3, halves};
    cnnc_array too_large = {CNNC_DTYPE_I32, 1, {3}, 3, bad}, below = {CNNC_DTYPE_I32, 1, {3}, 3, negative};
    cnnc_dataset d;
    assert_int_equal(cnnc_dataset_make(&images, &ax, &al, 1, NULL, &d, &error), CNNC_OK);
    cnnc_dataset_free(&d);
    refuse(&images, &wide, &al, "X.npy: an example of the input 'input' of network images is 2x2x1 u8 (4 elements), of the "
                                "file 8 u8 (8)");
    refuse(&images, &ax, &two, "Y.npy: 2 examples, but the first file has 3");
    refuse(&images, &ax, &number, "Y.npy: a single number");
    refuse(&images, &number, &al, "X.npy: a single number");
    refuse(&images, &none, &al, "X.npy: 0 examples");
    refuse(&images, &fractions, &two, "X.npy: for the input 'input' of network images: element 0 is 0.5, not an integer");
    refuse(&images, &ax, &half, "Y.npy: for the target 'dense' of network images: element 0 is 0.5, not an integer");
    refuse(&images, &ax, &too_large, "Y.npy: example 1 is of class 3, but the target 'dense' of network images has classes "
                                     "0 .. 2");
    refuse(&images, &ax, &below, "Y.npy: example 1 is of class -1");
    refuse(&images, &ax, &wide, "3 elements or class indices");
    cnnc_network network = images;
    network.targets = index_target;
    refuse(&network, &ax, &too_large, "Y.npy: example 1 is of class 3");
    refuse(&network, &ax, &half, "not an integer");
    assert_int_equal(cnnc_dataset_make(&images, &ax, &al, 2, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "has 1 targets, not 2");
}

static void views(void **state) {
    (void)state;
    cnnc_dataset d, v;
    write_mnist("train");
    assert_int_equal(cnnc_dataset_load(&images, test_folder, NULL, &d, &error), CNNC_OK);
    assert_int_equal(cnnc_dataset_view(&images, &d, 1, 3, &v, &error), CNNC_OK);
    assert_int_equal(v.n, 2);
    assert_int_equal(*(uint8_t *)v.inputs[0], 5);
    assert_true(((float *)v.targets[0])[0] == 1);
    cnnc_dataset_free(&v);
    assert_int_equal(cnnc_dataset_view(&images, &d, 2, 4, &v, &error), CNNC_FAILED);
    assert_int_equal(cnnc_dataset_view(&images, &d, 2, 1, &v, &error), CNNC_FAILED);
    cnnc_dataset_free(&d);
    cnnc_dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_mnist), cmocka_unit_test(indices_and_floats),
        cmocka_unit_test(npy_files),         cmocka_unit_test(a_folder_of_npy_files), cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(views),             cmocka_unit_test(one_hot_of_each_type),
        cmocka_unit_test(networks_that_no_folder_fits), cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(many_arrays), cmocka_unit_test(splits_of_files),
        cmocka_unit_test(integers), cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
