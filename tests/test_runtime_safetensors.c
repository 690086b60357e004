/* safetensors files, good and bad. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

static cnnc_error error;

/* A file of that header with size bytes of data, in memory of exactly its size. */
static unsigned char *file_of(const char *header, const void *data, size_t size, size_t *total) {
    size_t length = strlen(header);
    *total = 8 + length + size;
    unsigned char *bytes = calloc(*total, 1);
    assert_non_null(bytes);
    bytes[0] = (unsigned char)(length & 255);
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    if (size)
        memcpy(bytes + 8 + length, data, size);
    return bytes;
}

static int parse(const char *header, size_t size, cnnc_safetensors *file) {
    static const char data[64] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t total;
    unsigned char *bytes = file_of(header, data, size, &total);
    int result = cnnc_safetensors_parse(bytes, total, "w", file, &error);
    free(bytes);
    return result;
}

/* What the Python library (0.5) writes for
 * {"dense/kernel": float32 [[0, 1], [2, 3], [4, 5]], "b": int64 [1, 2]} with metadata {"format": "np"} */
static const char python_header[] =
    "{\"__metadata__\":{\"format\":\"np\"},\"b\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
    "\"dense/kernel\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[16,40]}}      ";

static void pythons_file_is_read(void **state) {
    (void)state;
    int64_t b[] = {1, 2};
    float kernel[] = {0, 1, 2, 3, 4, 5}, f[6];
    unsigned char data[40];
    size_t total;
    memcpy(data, b, 16);
    memcpy(data + 16, kernel, 24);
    unsigned char *bytes = file_of(python_header, data, sizeof data, &total);
    assert_int_equal(bytes[0], 0xa0);
    cnnc_safetensors file;
    assert_int_equal(cnnc_safetensors_parse(bytes, total, "w", &file, &error), CNNC_OK);
    free(bytes);
    assert_int_equal(file.count, 2);
    assert_int_equal(file.metadata_count, 1);
    assert_string_equal(file.metadata[0].key, "format");
    assert_string_equal(file.metadata[0].value, "np");
    assert_string_equal(file.tensors[0].name, "b");
    assert_null(cnnc_safetensors_find(&file, "a"));
    const cnnc_safetensor *t = cnnc_safetensors_find(&file, "dense/kernel");
    assert_non_null(t);
    assert_int_equal(t->array.rank, 2);
    assert_int_equal(t->array.shape[0], 3);
    assert_int_equal(cnnc_array_convert(&t->array, 0, 6, CNNC_F32, f, &error), CNNC_OK);
    assert_memory_equal(f, kernel, sizeof f);
    cnnc_safetensors_free(&file);
    cnnc_safetensors_free(&file);
}

static void accept(const char *header, size_t size, int count) {
    cnnc_safetensors file;
    if (parse(header, size, &file) != CNNC_OK)
        fail_msg("%s", error.text);
    assert_int_equal(file.count, count);
    cnnc_safetensors_free(&file);
}

static void refuse(const char *header, size_t size, const char *why) {
    cnnc_safetensors file;
    assert_int_equal(parse(header, size, &file), CNNC_FAILED);
    assert_says(&error, why);
    assert_says(&error, "w: ");
    assert_null(file.memory);
}

#define A "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}"
#define B "\"b\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[4,8]}"

static void good_headers(void **state) {
    (void)state;
    accept("{}", 0, 0);
    accept("{" A "}", 4, 1);
    accept("{" B "," A "}   ", 8, 2); /* any order */
    accept("{ \"a\" : { \"shape\" : [ 4 ] , \"data_offsets\":[0,4],\n\"dtype\":\"U8\"}\t}", 4, 1);
    accept("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1);
    accept("{\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[4,4]}," A "," B "}", 8, 3);
    accept("{\"__metadata__\":{}," A "}", 4, 1);
    accept("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[4],\"data_offsets\":[0,4]}}\r\n\t ", 4, 1);
    static const struct { const char *escaped, *text; } strings[] = {
        {"\\u0041\\u007f\\u0080\\u07FF", "A\x7f\xc2\x80\xdf\xbf"},
        {"\\u0800\\u20aC\\uFfFf", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf"},
        {"\\ud800\\udc00\\uDBFF\\uDFFF", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\\ud7ff\\ue000", "\xed\x9f\xbf\xee\x80\x80"},
        {"\\b\\f\\n\\r\\t\\\"\\\\\\/", "\b\f\n\r\t\"\\/"},
        {"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    };
    cnnc_safetensors file;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        char header[200];
        snprintf(header, sizeof header, "{\"__metadata__\":{\"k\":\"%s\"}}", strings[i].escaped);
        if (parse(header, 0, &file) != CNNC_OK)
            fail_msg("%s", error.text);
        assert_string_equal(file.metadata[0].value, strings[i].text);
        cnnc_safetensors_free(&file);
    }
    assert_int_equal(parse("{\"__metadata__\":{\"\\u00e9\\ud83d\\ude00\\n\":\"\\\"\\\\\\/\xc3\xa9\"}}", 0, &file), CNNC_OK);
    assert_string_equal(file.metadata[0].key, "\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_string_equal(file.metadata[0].value, "\"\\/\xc3\xa9");
    cnnc_safetensors_free(&file);
}

static void bad_headers_are_refused(void **state) {
    (void)state;
    refuse("", 0, "begin with '{'");
    refuse(" {}", 0, "begin with '{'");
    refuse("[]", 0, "begin with '{'");
    refuse("{" A "}", 3, "not within the 3 bytes");
    refuse("{" A "}", 5, "end at byte 4 of the data, which has 5");
    refuse("{" B "}", 8, "'b' begins at byte 4 of the data");
    refuse("{" A "," A "}", 4, "'a' begins at byte 0 of the data, the tensor before it ends at 4");
    refuse("{" A ",\"c\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}", 7, "begins at byte 3");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{\"dtype\":\"U8\",\"shape\":[0],"
           "\"data_offsets\":[0,0]}}", 0, "'a' comes twice");
    refuse("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "'k' comes twice");
    refuse("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ comes twice");
    refuse("{\"__metadata__\":{\"k\":1}}", 0, "needs a '\"'");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4, "not within");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,4]}}", 4, "take 5 bytes, its range has 4");
    refuse("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "'F8_E4M3' cannot be read");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "more than any file");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", 0, "too large");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[04],\"data_offsets\":[0,4]}}", 4, "whole number");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", 4, "whole number");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", 4, "needs a ']'");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,4]}}", 4,
           "too many dimensions");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, "needs a ','");
    refuse("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4]}}", 4, "once each");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":0}}", 4, "needs a '}'");
    refuse("{\"a\":{\"dtype\":\"U8\",\"x\":[4],\"data_offsets\":[0,4]}}", 4, "nothing else");
    refuse("{" A ",}", 4, "needs a '\"'");
    refuse("{" A "}x", 4, "goes on after its end");
    refuse("{" A, 4, "needs a '}'");
}

static void bad_strings_are_refused(void **state) {
    (void)state;
    refuse("{\"a", 0, "ends within a string");
    refuse("{\"a\\", 0, "escape");
    refuse("{\"\\u0000\":{}}", 0, "zero character");
    refuse("{\"\\ud800\":{}}", 0, "surrogate");
    refuse("{\"\\udc00\":{}}", 0, "surrogate");
    refuse("{\"\\ud800\\u0041\":{}}", 0, "half a surrogate pair");
    refuse("{\"\\ud800\\ue000\":{}}", 0, "half a surrogate pair");
    static const char *const not_hexadecimal[] = {"\\u12g4", "\\u12G4", "\\u12/4", "\\u12:4", "\\u12@4", "\\u12`4", "\\ud800\\u12x4"};
    for (size_t i = 0; i < sizeof not_hexadecimal / sizeof *not_hexadecimal; i++) {
        char header[40];
        snprintf(header, sizeof header, "{\"%s\":{}}", not_hexadecimal[i]);
        refuse(header, 0, "\\u needs four hexadecimal digits");
    }
    refuse("{\"\\u12", 0, "w: at byte 14: \\u needs four hexadecimal digits");
    refuse("{\"\\ud800", 0, "w: at byte 16: half a surrogate pair");
    refuse("{\"\\ud800\\", 0, "half a surrogate pair");
    refuse("{\"\\ud800\\n\":{}}", 0, "half a surrogate pair");
    refuse("{\"\\ud800ab\":{}}", 0, "half a surrogate pair");
    refuse("{\"\\x\":{}}", 0, "w: at byte 11: an escape that JSON does not have");
    refuse("{\"a\nb\":{}}", 0, "control character");
    refuse("{\"\xff\":{}}", 0, "not UTF-8");
    static const char *const not_utf8[] = {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xed\xbf\xbf", "\x80", "\xbf", "\xc3(", "\xe2\x82(", "\xf0\x9f\x90"};
    for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        char header[40];
        snprintf(header, sizeof header, "{\"%s\":{}}", not_utf8[i]);
        refuse(header, 0, "w: at byte 10: a string that is not UTF-8");
    }
    refuse("{\"\xe2\x82", 0, "w: at byte 10: a string that is not UTF-8"); /* cut */
    refuse("{\"\xed\xa0\x80\":{}}", 0, "not UTF-8");
    refuse("{\"\xf4\x90\x80\x80\":{}}", 0, "not UTF-8");
}

static void bad_lengths_are_refused(void **state) {
    (void)state;
    cnnc_safetensors file;
    unsigned char bytes[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'};
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(cnnc_safetensors_parse(bytes, size, "w", &file, &error), CNNC_FAILED);
    assert_int_equal(cnnc_safetensors_parse(bytes, 16, "w", &file, &error), CNNC_FAILED);
    assert_says(&error, "a header of 18446744073709551615 bytes in a file of 16");
    assert_int_equal(cnnc_safetensors_read(in_folder("none"), &file, &error), CNNC_FAILED);
    enum { MOST = 100 * 1000 * 1000 }; /* of a header, in a file that has it */
    unsigned char *large = calloc(MOST + 9, 1);
    assert_non_null(large);
    for (int more = 0; more < 2; more++) {
        for (int i = 0; i < 8; i++)
            large[i] = (unsigned char)((uint64_t)(MOST + more) >> 8 * i);
        assert_int_equal(cnnc_safetensors_parse(large, MOST + 9, "w", &file, &error), CNNC_FAILED);
        assert_says(&error, more ? "w: at byte 0: not safetensors: a header of 100000001 bytes in a file of 100000009" : "w: at byte 8: the header has to begin with '{'");
    }
    free(large);
}

/* More names than there is room for at first, empty tensors between the others. */
static void many_tensors(void **state) {
    (void)state;
    enum { MANY = 100 };
    static uint8_t bytes[MANY];
    char names[MANY][8];
    cnnc_safetensor tensors[MANY];
    cnnc_metadata metadata[MANY];
    cnnc_safetensors file;
    for (int i = 0; i < MANY; i++) {
        size_t size = i % 3 ? 1 : 0;
        snprintf(names[i], sizeof names[i], "t%d", MANY - i);
        bytes[i] = (uint8_t)i;
        tensors[i] = (cnnc_safetensor){names[i], {CNNC_DTYPE_U8, 1, {size}, size, &bytes[i]}};
        metadata[i] = (cnnc_metadata){names[i], names[MANY - 1 - i]};
    }
    assert_int_equal(cnnc_safetensors_write(in_folder("many"), tensors, MANY, metadata, MANY, &error), CNNC_OK);
    if (cnnc_safetensors_read(in_folder("many"), &file, &error) != CNNC_OK)
        fail_msg("%s", error.text);
    assert_int_equal(file.count, MANY);
    assert_int_equal(file.metadata_count, MANY);
    for (int i = 0; i < MANY; i++) {
        const cnnc_safetensor *t = cnnc_safetensors_find(&file, names[i]);
        assert_non_null(t);
        assert_int_equal(t->array.count, i % 3 ? 1 : 0);
        if (t->array.count)
            assert_int_equal(*(uint8_t *)t->array.data, i);
    }
    cnnc_safetensors_free(&file);
    cnnc_safetensors_free(NULL);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    float kernel[] = {0, 1, 2, 3, 4, 5};
    int64_t b[] = {1, 2};
    const cnnc_metadata metadata[] = {{"format", "np"}, {"odd", "\"\\\n\x7f\xc3\xa9"}};
    cnnc_safetensor tensors[] = {{"b", {CNNC_DTYPE_I64, 1, {2}, 2, b}},
                                 {"dense/kernel", {CNNC_DTYPE_F32, 2, {3, 2}, 6, kernel}}};
    const char *path = in_folder("w.safetensors");
    unsigned char bytes[512], again[512];
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, metadata, 1, &error), CNNC_OK);
    size_t size = read_bytes(path, bytes, sizeof bytes);
    assert_int_equal(size, 8 + strlen(python_header) + 40);
    assert_memory_equal(bytes + 8, python_header, strlen(python_header)); /* the Python library's bytes */
    assert_memory_equal(bytes + size - 24, kernel, 24);
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, metadata, 1, &error), CNNC_OK);
    assert_int_equal(read_bytes(path, again, sizeof again), size);
    assert_memory_equal(bytes, again, size);
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, metadata, 2, &error), CNNC_OK);
    cnnc_safetensors file;
    assert_int_equal(cnnc_safetensors_read(path, &file, &error), CNNC_OK);
    assert_string_equal(file.metadata[1].value, metadata[1].value);
    cnnc_safetensors_free(&file);
    assert_int_equal(cnnc_safetensors_write(test_folder, tensors, 2, NULL, 0, &error), CNNC_FAILED);
    assert_says(&error, "is a folder");
    tensors[0].name = "dense/kernel";
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_FAILED);
    assert_says(&error, "'dense/kernel' comes twice");
    tensors[0].name = "\xff";
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_FAILED);
    tensors[0].name = "b";
    static const cnnc_metadata not_text[] = {{"\xc3(", "np"}, {"format", "\xff"}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cnnc_safetensors_write(path, tensors, 2, not_text + i, 1, &error), CNNC_FAILED);
        assert_says(&error, "is not UTF-8");
    }
    assert_int_equal(cnnc_safetensors_write(in_folder("no/where"), tensors, 2, metadata, 2, &error), CNNC_FAILED);
    assert_says(&error, "cannot be written");
    tensors[0].name = "__metadata__";
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_FAILED);
    assert_int_equal(cnnc_safetensors_write(path, tensors, 0, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_safetensors_read(path, &file, &error), CNNC_OK);
    assert_int_equal(file.count, 0);
    cnnc_safetensors_free(&file);
}

static void torture(void **state) {
    (void)state;
    cnnc_random random;
    size_t total;
    static const char data[40];
    unsigned char *whole = file_of(python_header, data, sizeof data, &total);
    cnnc_random_seed(&random, 3, 0);
    int read = 0;
    for (int i = 0; i < 60000; i++) {
        size_t size;
        unsigned char *bytes = mutate(whole, total, &random, &size);
        cnnc_safetensors file;
        if (cnnc_safetensors_parse(bytes, size, "torture", &file, &error) == CNNC_OK) {
            size_t sum = 0;
            for (int t = 0; t < file.count; t++)
                sum += file.tensors[t].array.count * cnnc_dtype_size(file.tensors[t].array.dtype);
            assert_true(sum <= size);
            read++;
        }
        cnnc_safetensors_free(&file);
        free(bytes);
    }
    assert_true(read > 0);
    free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pythons_file_is_read),    cmocka_unit_test(good_headers),
        cmocka_unit_test(bad_headers_are_refused), cmocka_unit_test(bad_strings_are_refused),
        cmocka_unit_test(bad_lengths_are_refused), cmocka_unit_test(many_tensors),
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(torture),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
