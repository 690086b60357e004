/* .npy files, good and bad. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <sys/stat.h>

static cnnc_error error;

/* A file of that version and header (padded by spaces to a multiple of 16) with size bytes of data. */
static unsigned char *npy(int major, const char *header, const void *data, size_t size, size_t *total) {
    size_t start = major == 1 ? 10 : 12, length = (strlen(header) + 16) / 16 * 16;
    unsigned char *bytes = calloc(start + length + size + 1, 1);
    assert_non_null(bytes);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)major;
    bytes[8] = (unsigned char)(length & 255);
    bytes[9] = (unsigned char)(length >> 8);
    memset(bytes + start, ' ', length);
    memcpy(bytes + start, header, strlen(header));
    bytes[start + length - 1] = '\n';
    if (size)
        memcpy(bytes + start + length, data, size);
    *total = start + length + size;
    return bytes;
}

static int parse(int major, const char *header, const void *data, size_t size, cnnc_array *array) {
    size_t total;
    unsigned char *bytes = npy(major, header, data, size, &total), *exact = malloc(total);
    assert_non_null(exact);
    memcpy(exact, bytes, total);
    free(bytes);
    int result = cnnc_npy_parse(exact, total, "x.npy", array, &error);
    free(exact);
    return result;
}

static void versions_and_types(void **state) {
    (void)state;
    static const struct {
        const char *descr;
        unsigned char bytes[8];
        size_t size;
        double value;
    } cases[] = {
        {"|u1", {200}, 1, 200},       {"|b1", {1}, 1, 1},           {"|i1", {0xff}, 1, -1},
        {"<u2", {1, 2}, 2, 513},      {"<i2", {0, 0x80}, 2, -32768}, {"<u4", {0, 0, 0, 0x80}, 4, 2147483648.0},
        {"<i4", {0xfe, 0xff, 0xff, 0xff}, 4, -2}, {"<u8", {0, 0, 0, 0, 1}, 8, 4294967296.0}, {"<i8", {7}, 8, 7},
        {"<f2", {0, 0x3e}, 2, 1.5},   {"<f4", {0, 0, 0xc0, 0x3f}, 4, 1.5}, {"<f8", {0, 0, 0, 0, 0, 0, 4, 0xc0}, 8, -2.5},
        {"<u1", {3}, 1, 3},
    };
    for (int major = 1; major <= 3; major++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char header[128];
            cnnc_array a;
            double value;
            snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 1), }", cases[i].descr);
            assert_int_equal(parse(major, header, cases[i].bytes, cases[i].size, &a), CNNC_OK);
            assert_int_equal(a.rank, 2);
            assert_int_equal(cnnc_array_convert(&a, 0, 1, CNNC_F64, &value, &error), CNNC_OK);
            assert_true(value == cases[i].value);
            cnnc_array_free(&a);
        }
}

static void shapes(void **state) {
    (void)state;
    cnnc_array a;
    assert_int_equal(parse(1, "{\"shape\":(),'descr':'|u1','fortran_order':False}", "a", 1, &a), CNNC_OK);
    assert_int_equal(a.rank, 0);
    assert_int_equal(a.count, 1);
    cnnc_array_free(&a);
    assert_int_equal(parse(1, "{'shape':(3,),'descr':'|u1','fortran_order':False}", "abc", 3, &a), CNNC_OK);
    assert_int_equal(a.rank, 1);
    assert_memory_equal(a.data, "abc", 3);
    cnnc_array_free(&a);
    assert_int_equal(parse(1, "{'shape':(2,0,5),'descr':'<f4','fortran_order':False}", "", 0, &a), CNNC_OK);
    assert_int_equal(a.count, 0);
    cnnc_array_free(&a);
}

static void refuse(const char *header, size_t size, const char *why) {
    static const char data[64];
    cnnc_array a;
    assert_int_equal(parse(1, header, data, size, &a), CNNC_FAILED);
    assert_says(&error, why);
    assert_says(&error, "x.npy: ");
    assert_null(a.data);
}

#define REST ", 'descr': '|u1', 'fortran_order': False}"

static void bad_headers_are_refused(void **state) {
    (void)state;
    refuse("{'shape': (3,)" REST, 2, "take 3 bytes, but 2 follow");
    refuse("{'shape': (3,)" REST, 4, "take 3 bytes, but 4 follow");
    refuse("{'shape': (99999999999999999999,)" REST, 3, "too large");
    if (SIZE_MAX == UINT64_MAX) { /* the last number that fits, and the first that does not */
        refuse("{'shape': (18446744073709551615,)" REST, 3, "more than any file holds");
        refuse("{'shape': (18446744073709551616,)" REST, 3, "too large");
    }
    refuse("{'shape': (4294967296, 4294967296)" REST, 3, "more than any file holds");
    refuse("{'shape': (4294967296, 4294967296, 0)" REST, 0, "more than any file holds");
    refuse("{'shape': (-1,)" REST, 3, "needs a number");
    refuse("{'shape': (3)" REST, 3, "needs a ','");
    refuse("{'shape': (1, 3" REST, 3, "needs a number");
    refuse("{'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)" REST, 1, "more than 16 dimensions");
    refuse("{'shape': 3" REST, 3, "needs a '('");
    refuse("{'shape': (3,), 'shape': (3,)" REST, 3, "'shape' twice");
    refuse("{'shape': (3,), 'eval': (3,)" REST, 3, "'eval' of all things");
    refuse("{'descr': '|u1', 'fortran_order': False}", 3, "lacks 'shape'");
    refuse("{'shape': (3,)" REST "}", 3, "goes on after its end");
    refuse("['shape']", 3, "needs a '{'");
    refuse("{'shape': (3,), 'descr': '>f4', 'fortran_order': False}", 12, "newbyteorder");
    refuse("{'shape': (3,), 'descr': '|O', 'fortran_order': False}", 12, "'|O' cannot be read");
    refuse("{'shape': (3,), 'descr': [('a', '<f4')], 'fortran_order': False}", 12, "records");
    refuse("{'shape': (3,), 'descr': '|u1', 'fortran_order': True}", 3, "ascontiguousarray");
    refuse("{'shape': (3,), 'descr': '|u1', 'fortran_order': Perhaps}", 3, "True or False");
    refuse("{'shape': (3,), 'descr': '|u1", 3, "does not end");
    refuse("", 3, "needs a '{'");
}

static void bad_frames_are_refused(void **state) {
    (void)state;
    size_t total;
    unsigned char *bytes = npy(1, "{'shape': (3,)" REST, "abc", 3, &total);
    cnnc_array a;
    for (size_t size = 0; size < total; size++) {
        unsigned char *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, size);
        assert_int_equal(cnnc_npy_parse(exact, size, "x.npy", &a, &error), CNNC_FAILED);
        free(exact);
    }
    bytes[6] = 4;
    assert_int_equal(cnnc_npy_parse(bytes, total, "x.npy", &a, &error), CNNC_FAILED);
    assert_says(&error, "version 4.0");
    bytes[6] = 2; /* the length is now of four bytes */
    assert_int_equal(cnnc_npy_parse(bytes, total, "x.npy", &a, &error), CNNC_FAILED);
    assert_says(&error, "at byte 8");
    assert_int_equal(cnnc_npy_parse(bytes, 11, "x.npy", &a, &error), CNNC_FAILED); /* of which two are there */
    assert_says(&error, "at byte 11: the file ends within its header");
    bytes[0] = 'x';
    assert_int_equal(cnnc_npy_parse(bytes, total, "x.npy", &a, &error), CNNC_FAILED);
    assert_says(&error, "not a .npy file");
    free(bytes);
}

/* np.save(path, np.array([[1, 2, 3], [4, 5, 6]], dtype='<f4')) of NumPy 2 */
static const char numpys[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
                             "                                                          \n";

static void writes_numpys_bytes(void **state) {
    (void)state;
    float values[] = {1, 2, 3, 4, 5, 6};
    unsigned char bytes[256];
    cnnc_array a = {CNNC_DTYPE_F32, 2, {2, 3}, 6, values}, b;
    const char *path = in_folder("a.npy");
    assert_int_equal(cnnc_npy_write(path, &a, &error), CNNC_OK);
    assert_int_equal(read_bytes(path, bytes, sizeof bytes), 128 + 24);
    assert_memory_equal(bytes, numpys, 128);
    assert_memory_equal(bytes + 128, values, 24);
    assert_int_equal(cnnc_array_read(path, &b, &error), CNNC_OK);
    assert_memory_equal(b.data, values, 24);
    cnnc_array_free(&b);
    static const char scalar[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (), }"; /* and spaces */
    a.rank = 0;
    a.count = 1;
    assert_int_equal(cnnc_npy_write(in_folder("scalar.npy"), &a, &error), CNNC_OK);
    assert_int_equal(read_bytes(in_folder("scalar.npy"), bytes, sizeof bytes), 128 + 4);
    assert_memory_equal(bytes, scalar, sizeof scalar - 1);
    assert_int_equal(cnnc_npy_read(in_folder("scalar.npy"), &b, &error), CNNC_OK);
    assert_int_equal(b.rank, 0);
    assert_memory_equal(b.data, values, 4);
    cnnc_array_free(&b);
    a.rank = 2;
    a.count = 6;
    assert_int_equal(cnnc_npy_read(in_folder("none.npy"), &b, &error), CNNC_FAILED);
    assert_says(&error, "none.npy: No such file or directory");
    assert_int_equal(cnnc_npy_write(in_folder("no/where.npy"), &a, &error), CNNC_FAILED);
    assert_says(&error, "cannot be written");
    assert_int_equal(cnnc_npy_write(test_folder, &a, &error), CNNC_FAILED);
    assert_says(&error, "is a folder");
    assert_int_equal(cnnc_npy_write("/dev/null", &a, &error), CNNC_OK);
    a.rank = CNNC_ARRAY_RANK + 1;
    assert_int_equal(cnnc_npy_write(path, &a, &error), CNNC_FAILED);
    assert_says(&error, "17 dimensions, not 0 to 16");
    a.rank = -1;
    assert_int_equal(cnnc_npy_write(path, &a, &error), CNNC_FAILED);
    assert_says(&error, "-1 dimensions, not 0 to 16");
    a.rank = 2;
    a.dtype = CNNC_DTYPE_BF16;
    assert_int_equal(cnnc_npy_write(path, &a, &error), CNNC_FAILED);
    assert_int_equal(read_bytes(path, bytes, sizeof bytes), 128 + 24); /* what was there is there */
}

/* Whole or not at all: what is there stays, nothing else is left. */
/* More than is written at a time, in elements of two sizes. */
static void writes_long_arrays(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    static double numbers[COUNT];
    static const cnnc_dtype dtypes[] = {CNNC_DTYPE_F64, CNNC_DTYPE_U8};
    for (int i = 0; i < COUNT; i++) numbers[i] = i * 1.5;
    for (int d = 0; d < 2; d++) {
        cnnc_array a = {dtypes[d], 1, {COUNT}, COUNT, numbers}, b;
        assert_int_equal(cnnc_npy_write(in_folder("long.npy"), &a, &error), CNNC_OK);
        assert_int_equal(cnnc_npy_read(in_folder("long.npy"), &b, &error), CNNC_OK);
        assert_int_equal(b.count, COUNT);
        assert_memory_equal(b.data, numbers, COUNT * cnnc_dtype_size(dtypes[d]));
        cnnc_array_free(&b);
    }
}

static void writes_that_fail(void **state) {
    (void)state;
    enum { TAKEN = 100 };
    static float values[10000];
    unsigned char bytes[256];
    cnnc_array small = {CNNC_DTYPE_F32, 1, {1}, 1, values}, large = {CNNC_DTYPE_F32, 1, {10000}, 10000, values};
    char path[64], taken[128];
    snprintf(path, sizeof path, "%s", in_folder("taken.npy"));
    for (int i = 0; i < TAKEN; i++) { /* planted under the names of temporary files */
        snprintf(taken, sizeof taken, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        assert_int_equal(symlink(in_folder("precious"), taken), 0);
        if (i < TAKEN - 1)
            continue;
        assert_int_equal(cnnc_npy_write(path, &small, &error), CNNC_FAILED);
        assert_says(&error, "taken.npy: cannot be written: File exists");
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(unlink(taken), 0);
        assert_int_equal(cnnc_npy_write(path, &small, &error), CNNC_OK);
        assert_int_equal(read_bytes(path, bytes, sizeof bytes), 132);
        assert_int_equal(access(taken, F_OK), -1);
    }
    assert_int_equal(access(in_folder("precious"), F_OK), -1);
    if (access("/dev/full", W_OK))
        return;
    assert_int_equal(cnnc_npy_write("/dev/full", &small, &error), CNNC_FAILED);
    assert_string_equal(error.text, "/dev/full: not written: No space left on device");
    assert_int_equal(cnnc_npy_write("/dev/full", &large, &error), CNNC_FAILED); /* before the end is reached */
    assert_says(&error, "/dev/full: not written: ");
}

/* The file's permissions stay, and a link to it; what may not be written is not replaced. */
static void what_is_replaced(void **state) {
    (void)state;
    float value = 1;
    cnnc_array a = {CNNC_DTYPE_F32, 1, {1}, 1, &value};
    char file[64], link[64];
    struct stat status;
    unsigned char bytes[256];
    snprintf(file, sizeof file, "%s", in_folder("file.npy"));
    snprintf(link, sizeof link, "%s", in_folder("link.npy"));
    write_bytes(file, "before", 6);
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(symlink("file.npy", link), 0);
    assert_int_equal(cnnc_npy_write(link, &a, &error), CNNC_OK);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(read_bytes(file, bytes, sizeof bytes), 132);
    assert_int_equal(chmod(file, 0444), 0);
    if (geteuid() != 0) {
        assert_int_equal(cnnc_npy_write(link, &a, &error), CNNC_FAILED);
        assert_says(&error, "link.npy: cannot be written: Permission denied");
    }
}

/* Bytes that are no UTF-8 may be controls of a terminal. */
static void names_are_shown_safely(void **state) {
    (void)state;
    cnnc_array a;
    assert_int_equal(cnnc_npy_read("none/\x9b\xc2\x9b\xe2\x80\xae\xc3\xa4\xc3.npy", &a, &error), CNNC_FAILED);
    assert_string_equal(error.text, "none/??????\xc3\xa4?.npy: No such file or directory");
}

static void torture(void **state) {
    (void)state;
    cnnc_random random;
    size_t total;
    unsigned char *whole = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "aaaabbbbccccddddeeeeffff",
                               24, &total);
    cnnc_random_seed(&random, 2, 0);
    int read = 0;
    for (int i = 0; i < 60000; i++) {
        size_t size;
        unsigned char *bytes = mutate(whole, total, &random, &size);
        cnnc_array a;
        if (cnnc_npy_parse(bytes, size, "torture", &a, &error) == CNNC_OK) {
            assert_true(a.count * cnnc_dtype_size(a.dtype) < size);
            read++;
        }
        cnnc_array_free(&a);
        free(bytes);
    }
    assert_true(read > 0);
    free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_and_types),     cmocka_unit_test(shapes),
        cmocka_unit_test(bad_headers_are_refused), cmocka_unit_test(bad_frames_are_refused),
        cmocka_unit_test(writes_numpys_bytes),    cmocka_unit_test(writes_long_arrays),    cmocka_unit_test(writes_that_fail),
        cmocka_unit_test(what_is_replaced),       cmocka_unit_test(names_are_shown_safely),
        cmocka_unit_test(torture),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
