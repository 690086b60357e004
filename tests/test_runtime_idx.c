/* IDX files, good and bad, plain and gzipped; and arrays: memory, conversion. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include "../runtime/private.h"

static cnnc_error error;

/* 2 x 3 bytes */
static const unsigned char good[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};

/* python: gzip.compress(good, mtime=0) */
static const unsigned char zipped[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60, 0x62, 0x60, 0x60, 0x00,
    0x61, 0x66, 0x46, 0x26, 0x66, 0x16, 0xd6, 0xff, 0x00, 0xf0, 0xde, 0x5f, 0x21, 0x12, 0x00, 0x00, 0x00};

/* python: gzip.compress(good + bytes(50), mtime=0) */
static const unsigned char longer[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60, 0x62, 0x60, 0x60, 0x00,
    0x61, 0x66, 0x46, 0x26, 0x66, 0x16, 0xd6, 0xff, 0x0c, 0x24, 0x03, 0x00, 0x07, 0x58, 0x2d, 0x6e, 0x44, 0x00,
    0x00, 0x00};

/* python: gzip.compress(good[:-1], mtime=0) */
static const unsigned char shorter[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60, 0x62, 0x60, 0x60, 0x00,
    0x61, 0x66, 0x46, 0x26, 0x66, 0x16, 0x56, 0x00, 0xed, 0x35, 0x40, 0xe4, 0x11, 0x00, 0x00, 0x00};

/* declares two gigabytes */
/* python: gzip.compress(bytes([0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xff]), mtime=0) */
static const unsigned char bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60, 0xac, 0xff, 0xff, 0xff,
    0x3f, 0x00, 0x6c, 0xe2, 0xf3, 0x87, 0x08, 0x00, 0x00, 0x00};

static int has_zlib(void) {
    cnnc_array a;
    int result = cnnc_idx_parse(zipped, sizeof zipped, "probe", &a, &error);
    cnnc_array_free(&a);
    return result == CNNC_OK || !strstr(error.text, "without zlib");
}

static void bytes_are_read(void **state) {
    (void)state;
    cnnc_array a;
    assert_int_equal(cnnc_idx_parse(good, sizeof good, "good", &a, &error), CNNC_OK);
    assert_int_equal(a.dtype, CNNC_DTYPE_U8);
    assert_int_equal(a.rank, 2);
    assert_int_equal(a.shape[0], 2);
    assert_int_equal(a.shape[1], 3);
    assert_int_equal(a.count, 6);
    assert_memory_equal(a.data, good + 12, 6);
    assert_int_equal((uintptr_t)a.data % 64, 0);
    cnnc_array_free(&a);
    assert_null(a.data);
}

static void every_type_is_read(void **state) {
    (void)state;
    static const struct {
        unsigned char bytes[16];
        size_t size;
        float value;
    } cases[] = {
        {{0, 0, 0x09, 1, 0, 0, 0, 1, 0xfe}, 9, -2},
        {{0, 0, 0x0b, 1, 0, 0, 0, 1, 0xff, 0x00}, 10, -256},
        {{0, 0, 0x0c, 1, 0, 0, 0, 1, 0x00, 0x01, 0x00, 0x02}, 12, 65538},
        {{0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0x00, 0x00}, 12, 1.5f},
        {{0, 0, 0x0e, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0}, 16, -2.5f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnnc_array a;
        float value;
        assert_int_equal(cnnc_idx_parse(cases[i].bytes, cases[i].size, "case", &a, &error), CNNC_OK);
        assert_int_equal(cnnc_array_convert(&a, 0, 1, CNNC_F32, &value, &error), CNNC_OK);
        assert_true(value == cases[i].value);
        cnnc_array_free(&a);
    }
}

static void refuse(const void *bytes, size_t size, const char *why) {
    cnnc_array a;
    unsigned char *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    assert_int_equal(cnnc_idx_parse(exact, size, "bad", &a, &error), CNNC_FAILED);
    assert_says(&error, why);
    assert_says(&error, "bad: ");
    assert_null(a.data);
    free(exact);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    unsigned char b[sizeof good + 1];
    for (size_t size = 0; size < sizeof good; size++) /* cut anywhere */
        refuse(good, size, size < 12 ? "ends within" : "take 6 bytes");
    memcpy(b, good, sizeof good);
    b[sizeof good] = 0;
    refuse(b, sizeof b, "take 6 bytes, but 7 follow");
    memcpy(b, good, sizeof good);
    b[1] = 1;
    refuse(b, sizeof good, "begins with 00 01");
    b[1] = 0, b[2] = 0x0a;
    refuse(b, sizeof good, "0x0a is no IDX element type");
    b[2] = 8, b[3] = 0;
    refuse(b, sizeof good, "0 dimensions");
    b[3] = 200;
    refuse(b, sizeof good, "200 dimensions");
    b[3] = 2, b[4] = 0xff;
    refuse(b, sizeof good, "elements take");
    static const unsigned char huge[] = {0,    0,    8,    4,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    refuse(huge, sizeof huge, "more than any file holds");
    static const unsigned char wraps[] = {0, 0, 8, 3, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4, 1}; /* 2^64 elements */
    refuse(wraps, sizeof wraps, "more than any file holds");
    static const unsigned char hidden[] = {0, 0, 8, 4, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0};
    refuse(hidden, sizeof hidden, "more than any file holds"); /* a zero dimension does not excuse it */
}

static void gzip_is_read_and_checked(void **state) {
    (void)state;
    if (!has_zlib())
        skip();
    cnnc_array a;
    assert_int_equal(cnnc_idx_parse(zipped, sizeof zipped, "zipped", &a, &error), CNNC_OK);
    assert_memory_equal(a.data, good + 12, 6);
    cnnc_array_free(&a);
    for (size_t size = 2; size < sizeof zipped; size++)
        refuse(zipped, size, "");
    unsigned char b[sizeof zipped + 1];
    memcpy(b, zipped, sizeof zipped);
    b[sizeof zipped] = 0;
    refuse(b, sizeof b, "1 bytes follow the gzip data");
    b[sizeof zipped - 8] ^= 1;
    refuse(b, sizeof zipped, "damaged gzip data");
    refuse(longer, sizeof longer, "inflates to more than the 18 bytes");
    refuse(shorter, sizeof shorter, "ends within its elements");
    refuse(bomb, sizeof bomb, "more than");
}

/* A label beyond the classes: where it is in what was unpacked. */
static void labels_in_gzip(void **state) {
    (void)state;
    static const cnnc_tensor inputs[] = {{"input", CNNC_U8, 1, {3}, 3, 0}}, targets[] = {{"dense", CNNC_I32, 1, {3}, 3, 4}};
    static const cnnc_network network = {.name = "n", .inputs = inputs, .input_count = 1, .targets = targets, .target_count = 1};
    char list[300];
    cnnc_dataset d;
    if (!has_zlib())
        skip();
    write_bytes(in_folder("zipped"), zipped, sizeof zipped);
    snprintf(list, sizeof list, "%s,%s", in_folder("zipped"), in_folder("zipped"));
    assert_int_equal(cnnc_dataset_load(&network, list, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "zipped: at byte 15 inflated: example 1 is of class 4, but the target 'dense' of network n has classes 0 .. 3");
}

static void files_are_found_out(void **state) {
    (void)state;
    cnnc_array a;
    write_bytes(in_folder("good"), good, sizeof good);
    assert_int_equal(cnnc_array_read(in_folder("good"), &a, &error), CNNC_OK);
    cnnc_array_free(&a);
    assert_int_equal(cnnc_idx_read(in_folder("good"), &a, &error), CNNC_OK);
    cnnc_array_free(&a);
    assert_int_equal(cnnc_array_read(in_folder("none"), &a, &error), CNNC_FAILED);
    assert_says(&error, "No such file");
    assert_int_equal(cnnc_array_read(test_folder, &a, &error), CNNC_FAILED);
    assert_says(&error, "not a regular file");
    assert_int_equal(cnnc_idx_read(in_folder("none"), &a, &error), CNNC_FAILED);
    assert_says(&error, "none: No such file or directory");
    static const char *const neither[] = {"", "\x1f", "\x1f\x8a", "\1", "\1\2"};
    for (size_t i = 0; i < sizeof neither / sizeof *neither; i++) {
        write_bytes(in_folder("text"), neither[i], strlen(neither[i]));
        assert_int_equal(cnnc_array_read(in_folder("text"), &a, &error), CNNC_FAILED);
        assert_says(&error, "text: at byte 0: neither .npy, IDX nor gzip");
    }
    write_bytes(in_folder("text"), "\0\1", 2);
    assert_int_equal(cnnc_array_read(in_folder("text"), &a, &error), CNNC_FAILED);
    write_bytes(in_folder("text"), "hello", 5);
    assert_int_equal(cnnc_array_read(in_folder("text"), &a, NULL), CNNC_FAILED);
    assert_int_equal(cnnc_array_read(in_folder("text"), &a, &error), CNNC_FAILED);
    assert_says(&error, "neither .npy, IDX nor gzip");
}

static void torture(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 1, 0);
    for (int i = 0; i < 40000; i++) {
        const unsigned char *from = i % 2 ? zipped : good;
        size_t size;
        unsigned char *bytes = mutate(from, i % 2 ? sizeof zipped : sizeof good, &random, &size);
        cnnc_array a;
        if (cnnc_idx_parse(bytes, size, "torture", &a, &error) == CNNC_OK) {
            double sum = 0, *values = malloc((a.count + 1) * sizeof *values);
            assert_non_null(values);
            assert_true(a.count < 100);
            assert_int_equal(cnnc_array_convert(&a, 0, a.count, CNNC_F64, values, &error), CNNC_OK);
            for (size_t k = 0; k < a.count; k++)
                sum += values[k];
            assert_true(sum < 1 || sum >= 1 || isnan(sum));
            free(values);
        }
        cnnc_array_free(&a);
        free(bytes);
    }
}

/* ---- conversion -------------------------------------------------------------------------------------------------- */

static void conversions(void **state) {
    (void)state;
    static const double doubles[] = {0, 255, 256, 0.5, -1, 1e300, NAN, 2147483647, 2147483648.0};
    double copy[9];
    memcpy(copy, doubles, sizeof copy);
    cnnc_array a = {CNNC_DTYPE_F64, 1, {9}, 9, copy};
    uint8_t u8[9];
    int32_t i32[9];
    float f32[9];
    assert_int_equal(cnnc_array_convert(&a, 0, 2, CNNC_U8, u8, &error), CNNC_OK);
    assert_int_equal(u8[1], 255);
    for (size_t i = 2; i < 9; i++)
        assert_int_equal(cnnc_array_convert(&a, i, 1, CNNC_U8, u8, &error), CNNC_FAILED);
    assert_int_equal(cnnc_array_convert(&a, 3, 1, CNNC_U8, u8, &error), CNNC_FAILED);
    assert_says(&error, "element 3 is 0.5, not an integer from 0 to 255");
    assert_int_equal(cnnc_array_convert(&a, 7, 1, CNNC_I32, i32, &error), CNNC_OK);
    assert_int_equal(i32[0], INT32_MAX);
    assert_int_equal(cnnc_array_convert(&a, 8, 1, CNNC_I32, i32, &error), CNNC_FAILED);
    assert_int_equal(cnnc_array_convert(&a, 0, 9, CNNC_F32, f32, &error), CNNC_OK);
    assert_true(f32[3] == 0.5f && isnan(f32[6]));
    assert_int_equal(cnnc_array_convert(&a, 8, 2, CNNC_F32, f32, &error), CNNC_FAILED);
    assert_int_equal(cnnc_array_convert(&a, SIZE_MAX, 2, CNNC_F32, f32, &error), CNNC_FAILED);
}

static void half_precision(void **state) {
    (void)state;
    uint16_t half[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000, 0x7c00, 0x7e00}, brain[] = {0x3f80, 0xc020};
    cnnc_array a = {CNNC_DTYPE_F16, 1, {8}, 8, half}, b = {CNNC_DTYPE_BF16, 1, {2}, 2, brain};
    float f[8];
    assert_int_equal(cnnc_array_convert(&a, 0, 8, CNNC_F32, f, &error), CNNC_OK);
    assert_true(f[0] == 1 && f[1] == -2 && f[2] == 65504 && f[3] == 0x1p-24f && f[4] == 0x1p-14f);
    assert_true(f[5] == 0 && signbit(f[5]) && isinf(f[6]) && isnan(f[7]));
    assert_int_equal(cnnc_array_convert(&b, 0, 2, CNNC_F32, f, &error), CNNC_OK);
    assert_true(f[0] == 1 && f[1] == -2.5f);
}

/* Sizes that no memory has are refused before they wrap around; large ones are aligned for huge pages. */
static void allocations(void **state) {
    (void)state;
    volatile size_t most = SIZE_MAX; /* no compiler shall warn of it */
    for (size_t less = 0; less < 70; less++)
        assert_null(cnnc_allocate(most - less));
    assert_null(cnnc_allocate(most - ((size_t)2 << 20) + 2));
    for (size_t bytes = 0; bytes <= (size_t)5 << 20; bytes = bytes * 3 + 1) {
        unsigned char *memory = cnnc_allocate(bytes);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % (bytes < (size_t)2 << 20 ? 64 : (size_t)2 << 20), 0);
        memset(memory, 1, bytes);
        free(memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_read),           cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(bad_files_are_refused),    cmocka_unit_test(gzip_is_read_and_checked),
        cmocka_unit_test(files_are_found_out),      cmocka_unit_test(labels_in_gzip),
        cmocka_unit_test(torture),
        cmocka_unit_test(conversions),              cmocka_unit_test(half_precision),
        cmocka_unit_test(allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
