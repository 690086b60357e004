/* TensorBoard's event files: checksums against RFC 3720, records and events against bytes written down here. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"
#include "test_runtime.h"

#include <dirent.h>

/* RFC 3720, B.4. */
static void crc_of_the_rfc(void **state) {
    (void)state;
    unsigned char bytes[32];
    static const unsigned char command[48] = {
        0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
        0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    memset(bytes, 0, 32);
    assert_true(cnnc_crc32c(bytes, 32) == 0x8a9136aau);
    memset(bytes, 0xff, 32);
    assert_true(cnnc_crc32c(bytes, 32) == 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_true(cnnc_crc32c(bytes, 32) == 0x46dd794eu);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_true(cnnc_crc32c(bytes, 32) == 0x113fdb5cu);
    assert_true(cnnc_crc32c(command, 48) == 0xd9963a56u);
    assert_true(cnnc_crc32c("", 0) == 0);
    assert_true(cnnc_crc32c("123456789", 9) == 0xe3069283u);
    /* rotated right by 15, plus 0xa282ead8 */
    assert_true(cnnc_crc32c_masked("123456789", 9) == (uint32_t)((0xe3069283u >> 15 | 0xe3069283u << 17) + 0xa282ead8u));
}

static size_t written(FILE *out, unsigned char *bytes, size_t room) {
    rewind(out);
    size_t n = fread(bytes, 1, room, out);
    fclose(out);
    return n;
}

static uint32_t number(const unsigned char *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void a_record(void **state) {
    (void)state;
    unsigned char bytes[64];
    FILE *out = tmpfile();
    assert_int_equal(cnnc_tfrecord_write(out, "123456789", 9), 0);
    assert_int_equal(written(out, bytes, sizeof bytes), 8 + 4 + 9 + 4);
    static const unsigned char length[8] = {9};
    assert_memory_equal(bytes, length, 8);
    assert_true(number(bytes + 8) == cnnc_crc32c_masked(length, 8));
    assert_memory_equal(bytes + 12, "123456789", 9);
    assert_true(number(bytes + 21) == cnnc_crc32c_masked("123456789", 9));
}

/* Field numbers and wire types of event.proto and summary.proto. */
static void events(void **state) {
    (void)state;
    unsigned char bytes[256];
    static const unsigned char version[] = "\x09\0\0\0\0\0\0\xf8\x3f\x10\0\x1a\x0d" "brain.Event:2";
    static const unsigned char start[] = "\x09\0\0\0\0\0\0\xf8\x3f\x10\xac\x02\x3a\x02\x08\x01";
    static const unsigned char scalar[] = "\x09\0\0\0\0\0\0\xf8\x3f\x10\x07\x2a\x13\x0a\x11\x0a\x0a" "epoch_loss" "\x15\0\0\x20\x3f";
    FILE *out = tmpfile();
    assert_int_equal(cnnc_tfevents_version(out, 1.5), 0);
    assert_int_equal(written(out, bytes, sizeof bytes), sizeof version - 1 + 16);
    assert_memory_equal(bytes + 12, version, sizeof version - 1);
    out = tmpfile();
    assert_int_equal(cnnc_tfevents_start(out, 1.5, 300), 0);
    assert_int_equal(written(out, bytes, sizeof bytes), sizeof start - 1 + 16);
    assert_memory_equal(bytes + 12, start, sizeof start - 1);
    out = tmpfile();
    assert_int_equal(cnnc_tfevents_scalar(out, 1.5, 7, "epoch_loss", 0.625f), 0);
    assert_int_equal(written(out, bytes, sizeof bytes), sizeof scalar - 1 + 16);
    assert_memory_equal(bytes + 12, scalar, sizeof scalar - 1);
}

static int files_in(const char *path) {
    int n = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));)
        n += strstr(entry->d_name, "events.out.tfevents.") == entry->d_name;
    closedir(folder);
    return n;
}

/* How often the folder's event file has a text. */
static int mentions(const char *path, const char *tag) {
    static unsigned char bytes[4096];
    char name[512] = "";
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, "events.out.tfevents.") == entry->d_name) snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    closedir(folder);
    size_t n = read_bytes(name, bytes, sizeof bytes), length = strlen(tag);
    int found = 0;
    for (size_t i = 0; i + length <= n; i++) found += !memcmp(bytes + i, tag, length);
    return found;
}

/* Folders are made; validation's only when there is some; a folder that cannot be is an error. */
static void the_callback(void **state) {
    (void)state;
    cnnc_error error;
    cnnc_hook hook;
    double results[2] = {1, 2};
    cnnc_event begin = {.kind = CNNC_TRAIN_BEGIN, .error = &error}, end = {.kind = CNNC_EPOCH_END, .results = results, .error = &error};
    assert_int_equal(cnnc_tensorboard_new(&linear_network, in_folder("a/b"), &hook, &error), CNNC_OK);
    assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_OK);
    assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    assert_int_equal(files_in(in_folder("a/b/train")), 1);
    assert_int_equal(files_in(in_folder("a/b/validation")), -1);
    end.validation = results;
    assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    assert_int_equal(files_in(in_folder("a/b/train")), 1);
    assert_int_equal(files_in(in_folder("a/b/validation")), 1);
    static const struct { const char *tag; int train, validation; } tags[] = {{"epoch_loss", 2, 1}, {"epoch_mae", 2, 1}, {"epoch_learning_rate", 2, 0}};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        assert_int_equal(mentions(in_folder("a/b/train"), tags[i].tag), tags[i].train);
        assert_int_equal(mentions(in_folder("a/b/validation"), tags[i].tag), tags[i].validation);
    }
    cnnc_hook_free(&hook);
    write_bytes(in_folder("file"), "x", 1);
    assert_int_equal(cnnc_tensorboard_new(&linear_network, in_folder("file"), &hook, &error), CNNC_OK);
    assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_FAILED);
    assert_says(&error, "file: an event file cannot be written: Not a directory");
    cnnc_hook_free(&hook);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_the_rfc),
        cmocka_unit_test(a_record),
        cmocka_unit_test(events),
        cmocka_unit_test(the_callback),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
