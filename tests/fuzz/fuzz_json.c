/* The pieces of JSON: what is a string, written as one, is read as the same. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include "json.h"

#include <string.h>

static void write_and_read(const char *string, char *text) {
    char *written;
    size_t size;
    const char *again;
    cnnc_error error;
    FILE *out = open_memstream(&written, &size);
    REQUIRE(out);
    cnnc_json_write_string(out, string);
    fclose(out);
    const unsigned char *bytes = (const unsigned char *)written;
    cnnc_json json = {.file = bytes, .p = bytes, .end = bytes + size, .text = text, .name = "again", .error = &error};
    REQUIRE(cnnc_json_string(&json, &again) == CNNC_OK && json.p == json.end);
    REQUIRE(!strcmp(string, again));
    for (size_t i = 0; i < size; i++) REQUIRE(bytes[i] >= 0x20);
    free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 1 << 16) return -1;
    unsigned char *copy = malloc(size + 1); /* a byte behind the end is there, as in a file that was read */
    char *text = malloc(size + 1), *other = malloc(size * 6 + 16);
    cnnc_error error = {.text = ""};
    REQUIRE(copy && text && other);
    memcpy(copy, data, size);
    copy[size] = 0;
    cnnc_json json = {.file = copy, .p = copy, .end = copy + size, .text = text, .name = "input", .error = &error};
    while (json.p < json.end) {
        const unsigned char *before = json.p;
        const char *string;
        size_t value;
        cnnc_json_space(&json);
        if (json.p == json.end) break;
        int result = *json.p == '"' ? cnnc_json_string(&json, &string) : *json.p >= '0' && *json.p <= '9' ? cnnc_json_size(&json, &value) : cnnc_json_expect(&json, (char)*json.p);
        if (result != CNNC_OK) {
            require_message(error.text);
            break;
        }
        if (*before == '"') write_and_read(string, other);
        REQUIRE(json.p > before && json.p <= json.end);
    }
    free(copy);
    free(text);
    free(other);
    return 0;
}
