/* CIFAR-10 and CIFAR-100: folders and files of records, good and bad. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

enum { PIXELS = 1024, IMAGE = 3 * PIXELS, FEW = 4 };

static cnnc_error error;
static cnnc_dataset d;

static const cnnc_tensor inputs[] = {{"input", CNNC_U8, 3, {32, 32, 3}, IMAGE, 0}};
static const cnnc_tensor ten[] = {{"dense", CNNC_I32, 0, {0}, 1, 10}}, hundred[] = {{"dense", CNNC_I32, 0, {0}, 1, 100}}, eight[] = {{"dense", CNNC_F32, 1, {8}, 8, 8}};
static const cnnc_network cifar10 = {.name = "c", .inputs = inputs, .input_count = 1, .targets = ten, .target_count = 1};

/* The color of a pixel of a file's image, unlike that of its neighbours. */
static unsigned char color(int file, int image, int channel, int pixel) {
    return (unsigned char)(file * 3 + image * 11 + channel * 85 + pixel * 7 + pixel / 32);
}

/* FEW records: `labels` label bytes, of which the last counts, then the planes. Their size. */
static size_t write_records(const char *name, int file, int labels) {
    static unsigned char bytes[FEW * (2 + IMAGE)];
    unsigned char *p = bytes;
    for (int i = 0; i < FEW; i++) {
        for (int k = 0; k < labels; k++) *p++ = (unsigned char)(k + 1 < labels ? 19 : (file * FEW + i) % 10 * (labels > 1 ? 11 : 1));
        for (int c = 0; c < 3; c++)
            for (int at = 0; at < PIXELS; at++) *p++ = color(file, i, c, at);
    }
    write_bytes(in_folder(name), bytes, (size_t)(p - bytes));
    return (size_t)(p - bytes);
}

static void damage(const char *name, size_t at, unsigned char byte) {
    FILE *f = fopen(in_folder(name), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    fputc(byte, f);
    assert_int_equal(fclose(f), 0);
}

static void refuse(const cnnc_network *network, const char *where, const char *split, const char *why) {
    assert_int_equal(cnnc_dataset_load(network, where, split, &d, &error), CNNC_FAILED);
    assert_says(&error, why);
    assert_int_equal(error.system, 0);
    assert_null(d.memory);
}

static void check_examples(int files) {
    assert_int_equal(d.n, files * FEW);
    for (int f = 0; f < files; f++)
        for (int i = 0; i < FEW; i++) {
            const unsigned char *image = (const unsigned char *)d.inputs[0] + (f * FEW + i) * IMAGE;
            assert_int_equal(((const int32_t *)d.targets[0])[f * FEW + i], (f * FEW + i) % 10);
            for (int at = 0; at < PIXELS; at++)
                for (int c = 0; c < 3; c++) assert_int_equal(image[at * 3 + c], color(f, i, c, at));
        }
    cnnc_dataset_free(&d);
}

static void a_folder_of_cifar_10(void **state) {
    (void)state;
    char name[32];
    int has;
    for (int i = 0; i < 5; i++) {
        if (i == 4) refuse(&cifar10, test_folder, "train", "has data_batch_1.bin, but no data_batch_5.bin");
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        write_records(name, i, 1);
    }
    assert_int_equal(cnnc_dataset_load(&cifar10, test_folder, "train", &d, &error), CNNC_OK);
    check_examples(5);
    assert_int_equal(cnnc_dataset_has_test(test_folder, &has, &error), CNNC_OK);
    assert_false(has);
    refuse(&cifar10, test_folder, "test", "has no t10k-images-idx3-ubyte[.gz], test_batch.bin");
    write_records("test_batch.bin", 0, 1);
    assert_int_equal(cnnc_dataset_has_test(test_folder, &has, &error), CNNC_OK);
    assert_true(has);
    assert_int_equal(cnnc_dataset_load(&cifar10, test_folder, "test", &d, &error), CNNC_OK);
    check_examples(1);
    assert_int_equal(cnnc_dataset_load(&cifar10, in_folder("data_batch_1.bin"), NULL, &d, &error), CNNC_OK); /* one file */
    check_examples(1);
    cnnc_array array;
    assert_int_equal(cnnc_array_read(in_folder("test_batch.bin"), &array, &error), CNNC_OK);
    assert_int_equal(array.rank, 4);
    assert_int_equal(array.shape[0], FEW);
    cnnc_array_free(&array);
}

static void cifar_100_has_fine_labels(void **state) {
    (void)state;
    cnnc_network network = cifar10;
    network.targets = hundred;
    write_records("train.bin", 0, 2);
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        unlink(in_folder(name));
    }
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "train", &d, &error), CNNC_OK);
    for (int i = 0; i < FEW; i++) assert_int_equal(((const int32_t *)d.targets[0])[i], 11 * i);
    assert_int_equal(((const unsigned char *)d.inputs[0])[IMAGE + 1], color(0, 1, 1, 0));
    cnnc_dataset_free(&d);
    damage("train.bin", 2 + IMAGE + 1, 100);
    refuse(&network, test_folder, "train", "/train.bin: at byte 3075: example 1 is of class 100, but CIFAR-100 has classes 0 .. 99");
}

/* Files that have a batch's name, but what they hold is another format's. */
static void other_formats_under_these_names(void **state) {
    (void)state;
    static uint8_t bytes[4 * 4];
    static const char other[] = "data_batch_2.bin: its examples are of another type or shape than those of ";
    const struct { cnnc_array array; const char *says; } cases[] = {
        {{CNNC_DTYPE_I8, 2, {4, 4}, 16, bytes}, other},
        {{CNNC_DTYPE_U8, 3, {4, 2, 2}, 16, bytes}, other},
        {{CNNC_DTYPE_U8, 2, {8, 2}, 16, bytes}, other},
        {{CNNC_DTYPE_U8, 0, {0}, 1, bytes}, other},
        {{CNNC_DTYPE_U8, 2, {2, 4}, 8, bytes}, "has data_batch_1.bin, but no data_batch_3.bin"}, /* these fit */
    };
    const cnnc_array first = {CNNC_DTYPE_U8, 2, {4, 4}, 16, bytes}, single = cases[3].array;
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        unlink(in_folder(name));
    }
    assert_int_equal(cnnc_npy_write(in_folder("data_batch_1.bin"), &first, &error), CNNC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cnnc_npy_write(in_folder("data_batch_2.bin"), &cases[i].array, &error), CNNC_OK);
        refuse(&cifar10, test_folder, "train", cases[i].says);
    }
    assert_int_equal(cnnc_npy_write(in_folder("data_batch_1.bin"), &single, &error), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("data_batch_2.bin"), &single, &error), CNNC_OK);
    refuse(&cifar10, test_folder, "train", other);
    write_records("data_batch_1.bin", 0, 1);
    refuse(&cifar10, test_folder, "train", "data_batch_2.bin: has 1 arrays, the files before it 2");
    unlink(in_folder("data_batch_1.bin"));
    unlink(in_folder("data_batch_2.bin"));
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    size_t size = write_records("test_batch.bin", 0, 1);
    assert_int_equal(truncate(in_folder("test_batch.bin"), (long)size - 1), 0);
    refuse(&cifar10, in_folder("test_batch.bin"), NULL, "at byte 12291: the file ends within a record: CIFAR-10 has records of 3073 bytes");
    assert_int_equal(truncate(in_folder("test_batch.bin"), 0), 0);
    refuse(&cifar10, in_folder("test_batch.bin"), NULL, "at byte 0: the file ends within a record");
    write_records("test_batch.bin", 0, 1);
    damage("test_batch.bin", 2 * 3073, 255);
    refuse(&cifar10, in_folder("test_batch.bin"), NULL, "at byte 6146: example 2 is of class 255, but CIFAR-10 has classes 0 .. 9");
}

static void networks_that_do_not_fit(void **state) {
    (void)state;
    cnnc_network network = cifar10;
    network.targets = eight;
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        write_records(name, i, 1);
    }
    refuse(&network, test_folder, "train", "/data_batch_3.bin: at byte 0: example 8 is of class 8, but the target 'dense'"); /* of all; in that file the first */
    write_records("data_batch_2.bin", 2, 1); /* classes 8, 9, 0, 1 */
    refuse(&network, in_folder("data_batch_2.bin"), NULL, "data_batch_2.bin: at byte 0: example 0 is of class 8, but the target 'dense' of network c has classes 0 .. 7");
    network.input_count = 2;
    refuse(&network, in_folder("data_batch_2.bin"), NULL, "a CIFAR file has images and labels, but network c has 2 inputs and 1 targets");
    network = cifar10;
    network.target_count = 0;
    assert_int_equal(cnnc_dataset_load(&network, in_folder("data_batch_2.bin"), NULL, &d, &error), CNNC_OK);
    assert_int_equal(d.target_count, 0);
    cnnc_dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_cifar_10), cmocka_unit_test(cifar_100_has_fine_labels), cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(other_formats_under_these_names), cmocka_unit_test(networks_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
