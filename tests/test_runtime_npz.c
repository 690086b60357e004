/* .npz archives: NumPy's own, and others made here; which arrays are read, and what is refused. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <sys/stat.h>

#include "../runtime/loader.h"

static cnnc_error error;
static cnnc_dataset d;

static const cnnc_tensor inputs[] = {{"input", CNNC_U8, 1, {2}, 2, 0}, {"more", CNNC_U8, 1, {2}, 2, 0}}, targets[] = {{"dense", CNNC_U8, 1, {1}, 1, 0}};
static const cnnc_network network = {.name = "n", .inputs = inputs, .input_count = 1, .targets = targets, .target_count = 1};

/* python: np.savez_compressed(f, x=np.array([[1, 2], [3, 4]], 'u1'), y=np.array([1, 0], 'i1')) */
static const unsigned char packed[] =
    "PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00!\x00\x82_X\xebJ\x00\x00\x00\x84\x00\x00\x00\x05\x00\x14\x00x.npy\x01\x00\x10\x00\x84\x00\x00\x00"
    "\x00\x00\x00\x00J\x00\x00\x00\x00\x00\x00\x00\x9b\xec\x17\xea\x1b\x10\xc9\xc8P\xc6P\xad\x9e\x92Z\x9c\x5c\xa4n\xa5\xa0^Sj\xa8\xae\xa3\xa0"
    "\x9e\x96_TR\x94\x98\x17\x9f_\x94\x92\x0a\x12wK\xcc)N\x05\x8a\x17g$\x16\xa4\x02\xf9\x1a" "F:\x0a" "F\x9a:\x0a\xb5\x0a" "d\x03.F&f\x16\x00"
    "PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00!\x00\xe2" "D\xf6HF\x00\x00\x00\x82\x00\x00\x00\x05\x00\x14\x00y.npy\x01\x00\x10\x00\x82\x00\x00"
    "\x00\x00\x00\x00\x00" "F\x00\x00\x00\x00\x00\x00\x00\x9b\xec\x17\xea\x1b\x10\xc9\xc8P\xc6P\xad\x9e\x92Z\x9c\x5c\xa4n\xa5\xa0^\x93i\xa8\xae"
    "\xa3\xa0\x9e\x96_TR\x94\x98\x17\x9f_\x94\x92\x0a\x12wK\xcc)N\x05\x8a\x17g$\x16\xa4\x02\xf9\x1a" "F:\x9a:\x0a\xb5\x0a\x14\x00.F\x06\x00PK"
    "\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00!\x00\x82_X\xebJ\x00\x00\x00\x84\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x80\x01\x00\x00\x00\x00x.npyPK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00!\x00\xe2" "D\xf6HF\x00\x00\x00\x82\x00\x00\x00\x05\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x81\x00\x00\x00y.npyPK\x05\x06\x00\x00\x00\x00\x02\x00\x02\x00" "f\x00\x00\x00\xfe\x00\x00"
    "\x00\x00";

enum { PACKED = sizeof packed, CENTRAL = 0xfe, LOCAL = 0 }; /* the string's zero is the archive's last byte */

static int has_libzip(void) {
    write_bytes(in_folder("probe.npz"), packed, PACKED);
    int result = cnnc_dataset_load(&network, in_folder("probe.npz"), NULL, &d, &error);
    cnnc_dataset_free(&d);
    return result == CNNC_OK || !strstr(error.text, "without libzip");
}

/* ---- archives made here: stored, not packed ---------------------------------------------------------------------------- */

typedef struct Member {
    const char *name;
    size_t rows, columns; /* of bytes first, first + 1 ...; columns 0: an array of one dimension */
    unsigned char first;
    unsigned claims; /* the size that the archive says; 0: the true one */
    int method, crc; /* crc: added to the checksum */
    int flags;       /* 1: encrypted */
    int wide;        /* of integers of four bytes */
} Member;

static unsigned char zip[8192];
static size_t zip_size;

static void put(uint64_t value, int bytes) {
    for (; bytes > 0; bytes--, value >>= 8) zip[zip_size++] = (unsigned char)value;
}

static void put_bytes(const void *bytes, size_t size) {
    memcpy(zip + zip_size, bytes, size);
    zip_size += size;
}

static uint32_t crc32_of(const unsigned char *bytes, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* What local header and directory both have. */
static void put_facts(const Member *m, uint32_t crc, size_t size) {
    put(20, 2), put((uint64_t)m->flags, 2), put((uint64_t)m->method, 2), put(0, 2), put(0x21, 2), put(crc + (uint32_t)m->crc, 4);
    put(size, 4), put(m->claims ? m->claims : size, 4), put(strlen(m->name), 2), put(0, 2);
}

static const char *archive_of(const Member *members, size_t count) {
    size_t at[8], sizes[8], directory;
    uint32_t crcs[8];
    unsigned char bytes[1024], data[64];
    zip_size = 0;
    for (size_t i = 0; i < count; i++) {
        const Member *m = &members[i];
        int32_t wide[16];
        cnnc_array array = {m->wide ? CNNC_DTYPE_I32 : CNNC_DTYPE_U8, m->columns ? 2 : 1, {m->rows, m->columns}, m->rows * (m->columns ? m->columns : 1), m->wide ? (void *)wide : data};
        for (size_t k = 0; k < array.count; k++)
            if (m->wide) wide[k] = m->first + (int32_t)k;
            else data[k] = (unsigned char)(m->first + k);
        assert_int_equal(cnnc_npy_write(in_folder("m.npy"), &array, &error), CNNC_OK);
        sizes[i] = read_bytes(in_folder("m.npy"), bytes, sizeof bytes);
        crcs[i] = crc32_of(bytes, sizes[i]);
        at[i] = zip_size;
        put(0x04034b50, 4), put_facts(m, crcs[i], sizes[i]), put_bytes(m->name, strlen(m->name)), put_bytes(bytes, sizes[i]);
    }
    directory = zip_size;
    for (size_t i = 0; i < count; i++) {
        put(0x02014b50, 4), put(20, 2), put_facts(&members[i], crcs[i], sizes[i]), put(0, 2), put(0, 2), put(0, 2), put(0, 4), put(at[i], 4);
        put_bytes(members[i].name, strlen(members[i].name));
    }
    size_t end = zip_size;
    put(0x06054b50, 4), put(0, 4), put(count, 2), put(count, 2), put(end - directory, 4), put(directory, 4), put(0, 2);
    write_bytes(in_folder("a.npz"), zip, zip_size);
    return in_folder("a.npz");
}

#define ARCHIVE(...) archive_of((const Member[]){__VA_ARGS__}, sizeof((const Member[]){__VA_ARGS__}) / sizeof(Member))

#define OF(...) {__VA_ARGS__, 0, 0, 0, 0, 0} /* an honest member */

/* The first byte of each input and target, -1 without. */
static void expect(const cnnc_network *n, const char *where, const char *split, size_t examples, int x, int y) {
    if (cnnc_dataset_load(n, where, split, &d, &error) != CNNC_OK) fail_msg("%s", error.text);
    assert_int_equal(d.n, examples);
    assert_int_equal(((unsigned char *)d.inputs[0])[0], x);
    assert_int_equal(((unsigned char *)d.inputs[0])[examples * 2 - 1], x + (int)examples * 2 - 1);
    assert_int_equal(d.target_count, y >= 0);
    if (y >= 0) assert_int_equal(((unsigned char *)d.targets[0])[0], y);
    cnnc_dataset_free(&d);
}

static void refuse(const cnnc_network *n, const char *where, const char *why) {
    assert_int_equal(cnnc_dataset_load(n, where, "train", &d, &error), CNNC_FAILED);
    assert_says(&error, why);
    assert_int_equal(error.system, 0);
    assert_null(d.memory);
}

static void arrays_are_found(void **state) {
    (void)state;
    int has = 1;
    cnnc_network two = network;
    two.input_count = 2;
    if (!has_libzip()) skip();
    expect(&network, in_folder("probe.npz"), NULL, 2, 1, 1);
    const char *where = ARCHIVE(OF("y_test.npy", 1, 0, 9), OF("x_train.npy", 3, 2, 20), OF("y_train.npy", 3, 1, 5), OF("x_test.npy", 1, 2, 30));
    expect(&network, where, "train", 3, 20, 5);
    expect(&network, where, "t10k", 1, 30, 9);
    assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
    assert_true(has);
    expect(&network, ARCHIVE(OF("other.npy", 1, 1, 0), OF("y.npy", 2, 0, 7), OF("x.npy", 2, 2, 8)), "test", 2, 8, 7);
    assert_int_equal(cnnc_dataset_has_test(in_folder("a.npz"), &has, &error), CNNC_OK);
    assert_false(has);
    expect(&network, ARCHIVE(OF("x.npy", 2, 2, 8)), NULL, 2, 8, -1);
    expect(&network, ARCHIVE(OF("arr_0.npy", 2, 2, 8), OF("arr_1.npy", 2, 0, 3)), NULL, 2, 8, 3);
    expect(&two, ARCHIVE(OF("arr_0.npy", 2, 2, 8), OF("arr_1.npy", 2, 2, 0), OF("arr_2.npy", 2, 0, 3)), NULL, 2, 8, 3);
    expect(&two, in_folder("a.npz"), NULL, 2, 8, 3);
    cnnc_array array;
    assert_int_equal(cnnc_array_read(ARCHIVE(OF("any.npy", 2, 2, 8)), &array, &error), CNNC_OK);
    assert_int_equal(array.count, 4);
    cnnc_array_free(&array);
    assert_int_equal(cnnc_array_read(in_folder("probe.npz"), &array, &error), CNNC_FAILED);
    assert_says(&error, "holds 2 arrays, here one is wanted");
}

/* The weights of examples: a last target of that name. */
static void weights_of_examples(void **state) {
    (void)state;
    const cnnc_tensor wanted[] = {targets[0], {"sample_weight", CNNC_F32, 1, {1}, 1, 0}};
    cnnc_network weighted = network;
    if (!has_libzip()) skip();
    weighted.targets = wanted, weighted.target_count = 2;
    static const char *const names[][2] = {{"sample_weight.npy", NULL}, {"w.npy", NULL}, {"W.npy", NULL}, {"w_train.npy", "train"}, {"sample_weight_test.npy", "test"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *split = names[i][1];
        const char *x = !split ? "x.npy" : *split == 't' && split[1] == 'r' ? "x_train.npy" : "x_test.npy", *y = !split ? "y.npy" : split[1] == 'r' ? "y_train.npy" : "y_test.npy";
        if (cnnc_dataset_load(&weighted, ARCHIVE(OF(x, 2, 2, 8), OF(y, 2, 0, 1), OF(names[i][0], 2, 0, 7)), split, &d, &error)) fail_msg("%s", error.text);
        assert_int_equal(d.target_count, 2);
        assert_true(((const float *)d.targets[1])[0] == 7);
        cnnc_dataset_free(&d);
    }
    refuse(&weighted, ARCHIVE(OF("x.npy", 2, 2, 8), OF("y.npy", 2, 0, 1)), "a.npz: has neither sample_weight nor w");
}

/* As others write names, and as a folder that holds nothing else. */
static void names_in_capitals(void **state) {
    (void)state;
    int has;
    if (!has_libzip()) skip();
    const char *where = ARCHIVE(OF("X_train.npy", 3, 2, 20), OF("Y_train.npy", 3, 1, 5), OF("X_test.npy", 1, 2, 30), OF("y_test.npy", 1, 0, 9));
    expect(&network, where, "train", 3, 20, 5);
    expect(&network, where, "test", 1, 30, 9);
    assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
    assert_true(has);
    expect(&network, ARCHIVE(OF("X.npy", 2, 2, 8), OF("Y.npy", 2, 0, 7)), NULL, 2, 8, 7);
    expect(&network, ARCHIVE(OF("X.npy", 2, 2, 4), OF("x.npy", 2, 2, 8), OF("y.npy", 2, 0, 7)), NULL, 2, 8, 7); /* the very name first */
}

static void a_folder_with_an_archive(void **state) {
    (void)state;
    int has;
    static unsigned char bytes[sizeof zip];
    if (!has_libzip()) skip();
    char where[200];
    snprintf(where, sizeof where, "%s/mnist", test_folder);
    assert_int_equal(mkdir(where, 0777), 0);
    size_t size = read_bytes(ARCHIVE(OF("x_train.npy", 3, 2, 20), OF("y_train.npy", 3, 1, 5), OF("x_test.npy", 1, 2, 30), OF("y_test.npy", 1, 0, 9)), bytes, sizeof bytes);
    write_bytes(in_folder("mnist/mnist.npz"), bytes, size);
    write_bytes(in_folder("mnist/.hidden.npz"), "no", 2);
    expect(&network, where, "train", 3, 20, 5);
    expect(&network, where, "test", 1, 30, 9);
    assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
    assert_true(has);
    write_bytes(in_folder("mnist/train.csv"), "a,b,label\n1,2,0\n", 16); /* other files decide: it has none for the test */
    assert_int_equal(cnnc_dataset_has_test(where, &has, &error), CNNC_OK);
    assert_false(has);
    assert_int_equal(cnnc_dataset_load(&network, where, "test", &d, &error), CNNC_FAILED);
    assert_says(&error, " or X_test.npy, nor one .npz alone");
    assert_int_equal(unlink(in_folder("mnist/train.csv")), 0);
    write_bytes(in_folder("mnist/more.npz"), bytes, size);
    refuse(&network, where, "mnist: has more than one .npz; name the one wanted");
}

static void what_is_not_there(void **state) {
    (void)state;
    cnnc_network two = network;
    two.input_count = 2;
    if (!has_libzip()) skip();
    refuse(&network, ARCHIVE(OF("a.npy", 2, 2, 8), OF("b.npy", 2, 2, 8)), "has none of the arrays x_train, x_test, x and arr_0; it holds a.npy, b.npy");
    refuse(&network, ARCHIVE(OF("x_test.npy", 2, 2, 8)), "has x_test, but no x_train");
    refuse(&two, ARCHIVE(OF("x.npy", 2, 2, 8)), "an archive with x and y has an input and a target, but network n has 2 inputs");
    refuse(&two, ARCHIVE(OF("arr_0.npy", 2, 2, 8)), "1 arrays, but network n has 2 inputs and 1 targets");
    refuse(&network, ARCHIVE(OF("x.npy", 2, 3, 8)), "a.npz/x.npy: an example of the input 'input' of network n is 2 u8");
    refuse(&network, ARCHIVE(OF("x.npy", 2, 2, 8), OF("y.npy", 3, 0, 8)), "a.npz/y.npy: 3 examples, but the first file has 2");
    write_bytes(in_folder("a.npz"), "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    refuse(&network, in_folder("a.npz"), "it holds nothing");
}

/* A label beyond the classes: where in which array. */
static void labels_are_checked(void **state) {
    (void)state;
    static const cnnc_tensor classes[] = {{"dense", CNNC_I32, 0, {0}, 1, 3}};
    cnnc_network n = network;
    n.targets = classes;
    if (!has_libzip()) skip();
    refuse(&n, ARCHIVE(OF("x.npy", 2, 2, 8), OF("y.npy", 2, 0, 2)), "a.npz/y.npy: at byte 129: example 1 is of class 3, but the target 'dense' of network n has classes 0 .. 2");
    refuse(&n, ARCHIVE(OF("x.npy", 2, 2, 8), {"y.npy", 2, 0, 2, 0, 0, 0, 0, 1}), "a.npz/y.npy: at byte 132: example 1 is of class 3");
}

static const char *damaged(size_t at, const void *bytes, size_t count) {
    unsigned char copy[PACKED];
    memcpy(copy, packed, PACKED);
    memcpy(copy + at, bytes, count);
    write_bytes(in_folder("a.npz"), copy, PACKED);
    return in_folder("a.npz");
}

/* Reads bytes in memory of just their size. */
static int read_exactly(const unsigned char *bytes, size_t size) {
    const cnnc_request request = {.network = &network, .split = "train", .inputs = 1, .targets = 1};
    cnnc_parts parts = {0};
    unsigned char *exact = malloc(size);
    if (size) memcpy(exact, bytes, size);
    const cnnc_file file = {"a.npz", exact, size};
    error = (cnnc_error){.text = ""};
    int result = cnnc_format_npz.read(&file, &request, &parts, &error);
    if (result != CNNC_OK) assert_says(&error, "a.npz");
    assert_int_equal(error.system, 0);
    cnnc_parts_free(&parts);
    free(exact);
    return result;
}

static void hostile_archives(void **state) {
    (void)state;
    if (!has_libzip()) skip();
    refuse(&network, damaged(CENTRAL + 24, "\xff\xff\xff\x7f", 4), "a.npz/x.npy: unpacks to 2147483647 bytes, as the archive says, but its 74 bytes cannot hold more than 76368");
    refuse(&network, damaged(CENTRAL + 24, "\x90", 1), "a.npz/x.npy: "); /* less, more than it says */
    refuse(&network, damaged(CENTRAL + 24, "\x80", 1), "a.npz/x.npy: ");
    refuse(&network, damaged(CENTRAL + 20, "\xff\xff\xff", 3), "a.npz"); /* more packed bytes than there are */
    refuse(&network, damaged(CENTRAL + 10, "\x0c", 1), "a.npz/x.npy: is packed by method 12, not by deflate");
    refuse(&network, damaged(CENTRAL + 8, "\1", 1), "a.npz");            /* encrypted */
    refuse(&network, damaged(CENTRAL + 16, "\0\0\0\0", 4), "a.npz/x.npy: damaged archive: "); /* another checksum */
    refuse(&network, damaged(CENTRAL + 42, "\xff\xff\xff\xff", 4), "a.npz"); /* where it is not */
    refuse(&network, damaged(LOCAL + 60, "\xff\xff\xff\xff", 4), "a.npz/x.npy: damaged archive: ");
    refuse(&network, ARCHIVE({"x.npy", 2, 2, 8, 1u << 30, 0, 0, 0, 0}), "a.npz/x.npy: unpacks to 1073741824 bytes, as the archive says, but its 132 bytes");
    refuse(&network, ARCHIVE({"x.npy", 2, 2, 8, 0, 0, 1, 0, 0}), "a.npz/x.npy: damaged archive: ");
    refuse(&network, ARCHIVE({"x.npy", 2, 2, 8, 0, 0, 0, 1, 0}), "a.npz/x.npy: is encrypted");
    for (size_t size = 4; size < PACKED; size++) assert_int_equal(read_exactly(packed, size), CNNC_FAILED); /* cut anywhere */
}

/* Random damage: read or refused, within memory of its own. */
static void torture(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 5, 0);
    if (!has_libzip()) skip();
    for (int i = 0; i < 3000; i++) {
        size_t size;
        unsigned char *bytes = mutate(packed, PACKED, &random, &size);
        read_exactly(bytes, size);
        free(bytes);
    }
}

/* As NumPy on this machine writes them, where there is one. */
static void of_numpy(void **state) {
    (void)state;
    static const char *const script =
        "import numpy as np; x = np.arange(10, dtype='u1').reshape(5, 2) + 3; y = np.arange(5) + 40\n"
        "np.savez('1.npz', x_train=x, y_train=y, x_test=x[1:], y_test=y[1:]); np.savez_compressed('2.npz', x=x, y=y)\n"
        "np.savez('3.npz', x.astype('f8'), y.astype('f4')); np.savez('4.npz', x=x.T.copy().T); np.savez('5.npz', x=np.array([{}]))\n";
    char command[300];
    write_bytes(in_folder("make.py"), script, strlen(script));
    snprintf(command, sizeof command, "cd %s && { python3 make.py || /usr/bin/python3 make.py; } 2>/dev/null", test_folder);
    if (!has_libzip() || system(command)) skip();
    expect(&network, in_folder("1.npz"), "train", 5, 3, 40);
    expect(&network, in_folder("1.npz"), "test", 4, 5, 41);
    expect(&network, in_folder("2.npz"), NULL, 5, 3, 40);
    expect(&network, in_folder("3.npz"), NULL, 5, 3, 40);
    refuse(&network, in_folder("4.npz"), "4.npz/x.npy: at byte 44: Fortran order cannot be read");
    refuse(&network, in_folder("5.npz"), "5.npz/x.npy: at byte 19: elements of type '|O' cannot be read");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_found), cmocka_unit_test(names_in_capitals), cmocka_unit_test(weights_of_examples), cmocka_unit_test(a_folder_with_an_archive), cmocka_unit_test(what_is_not_there), cmocka_unit_test(labels_are_checked),
        cmocka_unit_test(hostile_archives), cmocka_unit_test(torture),           cmocka_unit_test(of_numpy),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
