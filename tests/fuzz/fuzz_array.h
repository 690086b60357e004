/* fuzz_array.h: for formats that hold one array: bytes that are refused leave a message and nothing else. */
#ifndef FUZZ_ARRAY_H
#define FUZZ_ARRAY_H

#include "fuzz.h"

#include "cnnc_runtime.h"

typedef int parse_array(const void *bytes, size_t size, const char *name, cnnc_array *array, cnnc_error *error);

static inline int fuzz_array(parse_array *parse, const uint8_t *data, size_t size) {
    cnnc_array array;
    cnnc_error error = {.text = ""};
    if (parse(data, size, "input", &array, &error) != CNNC_OK) {
        REQUIRE(!array.data);
        require_message(error.text);
        return 0;
    }
    REQUIRE(array.rank >= 0 && array.rank <= CNNC_ARRAY_RANK);
    size_t sum = 0, bytes = array.count * cnnc_dtype_size(array.dtype);
    for (size_t i = 0; i < bytes; i++) sum += ((const uint8_t *)array.data)[i]; /* all of it can be read */
    double one;
    int converted = array.count ? cnnc_array_convert(&array, array.count - 1, 1, CNNC_F64, &one, &error) : CNNC_OK;
    cnnc_array_free(&array);
    return sum == SIZE_MAX && converted ? -1 : 0;
}

#endif
