/* A file of tensors; and that what was read, written again, is read as the same. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include "cnnc_runtime.h"

#include <string.h>

static void require_same(const cnnc_safetensors *a, const cnnc_safetensors *b) {
    REQUIRE(a->count == b->count && a->metadata_count == b->metadata_count);
    for (int i = 0; i < a->count; i++) {
        const cnnc_safetensor *other = cnnc_safetensors_find(b, a->tensors[i].name);
        REQUIRE(other);
        const cnnc_array *x = &a->tensors[i].array, *y = &other->array;
        REQUIRE(x->dtype == y->dtype && x->rank == y->rank && x->count == y->count);
        REQUIRE(!memcmp(x->data, y->data, x->count * cnnc_dtype_size(x->dtype)));
    }
    for (int i = 0; i < a->metadata_count; i++)
        REQUIRE(!strcmp(a->metadata[i].key, b->metadata[i].key) && !strcmp(a->metadata[i].value, b->metadata[i].value));
}

static void write_and_read(const cnnc_safetensors *file) {
    char path[SCRATCH];
    cnnc_error error;
    cnnc_safetensors again;
    scratch(path, "safetensors");
    if (cnnc_safetensors_write(path, file->tensors, file->count, file->metadata, file->metadata_count, &error) != CNNC_OK) {
        require_message(error.text);
        return;
    }
    REQUIRE(cnnc_safetensors_read(path, &again, &error) == CNNC_OK);
    require_same(file, &again);
    cnnc_safetensors_free(&again);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cnnc_safetensors file;
    cnnc_error error = {.text = ""};
    if (cnnc_safetensors_parse(data, size, "input", &file, &error) != CNNC_OK) {
        REQUIRE(!file.memory && !file.tensors);
        require_message(error.text);
        return 0;
    }
    size_t bytes = 0;
    for (int i = 0; i < file.count; i++) bytes += file.tensors[i].array.count * cnnc_dtype_size(file.tensors[i].array.dtype);
    REQUIRE(bytes <= size);
    if (file.count < 20) write_and_read(&file);
    cnnc_safetensors_free(&file);
    return 0;
}
