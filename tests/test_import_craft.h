/* test_import_craft.h: configurations of Keras that are made up, as .keras files, for test_import_keras and test_import_hostile. */
#ifndef TEST_IMPORT_CRAFT_H
#define TEST_IMPORT_CRAFT_H
#include "test_import.h"

#include <zip.h>

/* A file of a .keras. For free(). */
static char *entry_of(const char *file, const char *name, size_t *n) {
    zip_stat_t info;
    zip_t *zip = zip_open(file, ZIP_RDONLY, NULL);
    assert_non_null(zip);
    assert_int_equal(zip_stat(zip, name, 0, &info), 0);
    char *bytes = malloc(info.size + 1);
    zip_file_t *entry = zip_fopen(zip, name, 0);
    assert_non_null(bytes);
    assert_int_equal(zip_fread(entry, bytes, info.size), info.size);
    zip_fclose(entry);
    zip_discard(zip);
    *n = info.size;
    return bytes;
}

static void add_entry(zip_t *zip, const char *name, const void *bytes, size_t n) {
    assert_true(zip_file_add(zip, name, zip_source_buffer(zip, bytes, n, 0), 0) >= 0);
}

/* A .keras with this configuration and, unless other weights are given, those of a dense layer of 3 inputs and 2 outputs. */
static char *craft_with(const char *config, const char *weights) {
    size_t n;
    char *path = in_folder("crafted.keras"), *bytes = weights ? file_text(weights, &n) : entry_of(MODELS "/adam.keras", "model.weights.h5", &n);
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    assert_non_null(zip);
    add_entry(zip, "config.json", config, strlen(config));
    add_entry(zip, "model.weights.h5", bytes, n);
    assert_int_equal(zip_close(zip), 0);
    if (!weights) free(bytes);
    return path;
}

#define INPUT "{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,3],\"name\":\"x\"}}"
#define SEQUENTIAL(layers) "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":[" INPUT "," layers "]}}"
#define DENSE(name, units, more) "{\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\",\"units\":" units more "}}"
#define TENSOR(name) "[[[\"" name "\",0,0,{}]]]"
#define LAYER(name, class, config, from) "{\"name\":\"" name "\",\"class_name\":\"" class "\",\"config\":{" config "},\"inbound_nodes\":" from "}"
/* Without its last brace. */
#define FUNCTIONAL_OF(inputs, layers, outputs) "{\"class_name\":\"Functional\",\"config\":{\"name\":\"net\",\"layers\":[" LAYER("x", "InputLayer", "\"batch_shape\":[null,3]", "[]") "," layers \
    "],\"input_layers\":" inputs ",\"output_layers\":" outputs "}"
#define FUNCTIONAL(layers, out) FUNCTIONAL_OF("[[\"x\",0,0]]", layers, "[[\"" out "\",0,0]]") "}"

#endif
