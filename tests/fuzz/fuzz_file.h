/* fuzz_file.h: for formats that hold examples and labels: bytes that are refused leave a message, those that are read all arrays. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "fuzz.h"

#include "loader.h"

static const cnnc_tensor fuzz_inputs[] = {{"input", CNNC_F32, 1, {2}, 2, 0}}, fuzz_targets[] = {{"dense", CNNC_F32, 1, {1}, 1, 0}};
static const cnnc_network fuzz_network = {.name = "n", .inputs = fuzz_inputs, .input_count = 1, .targets = fuzz_targets, .target_count = 1};

/* single: as one of a list of files; columns: the label's, or NULL. */
static inline int fuzz_file(const cnnc_format *format, const char *name, const uint8_t *data, size_t size, int single, const char *columns) {
    const cnnc_request request = {.network = &fuzz_network, .split = "train", .inputs = 1, .targets = 1, .single = single, .columns = columns};
    const cnnc_file file = {name, data, size};
    cnnc_parts parts = {0};
    cnnc_error error = {.text = ""};
    if (format->read(&file, &request, &parts, &error) != CNNC_OK) {
        cnnc_parts_free(&parts);
        require_message(error.text);
        return 0;
    }
    REQUIRE(parts.count >= 1 && parts.count <= 2);
    size_t sum = 0;
    for (int i = 0; i < parts.count; i++) {
        const cnnc_array *array = &parts.parts[i].array;
        char place[200];
        for (size_t k = 0; k < array->count * cnnc_dtype_size(array->dtype); k++) sum += ((const uint8_t *)array->data)[k]; /* all of it can be read */
        cnnc_part_place(&parts.parts[i], array->rank > 0 ? array->shape[0] : 0, place, sizeof place);
        sum += (size_t)place[0];
    }
    cnnc_parts_free(&parts);
    return sum == SIZE_MAX ? -1 : 0;
}

#endif
