/* keras_container.c: what Keras saves: .keras, a zip of config.json and model.weights.h5, or .h5 with the configuration as attributes.
 *
 * Only entries of exactly these names are read, into memory that grows with what comes, whatever sizes the zip claims. HDF5 loads no
 * plugins and follows no link into another file.
 */
#include "keras.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

enum { CHUNK = 1 << 16 };
static const size_t MOST_TEXT = (size_t)64 << 20, MOST_WEIGHTS = (size_t)64 << 30;

/* ---- zip ----------------------------------------------------------------------------------------------------------------- */

/* A whole entry, terminated; NULL after an error. For free(). */
static char *read_entry(Model *m, zip_t *zip, const char *name, size_t most, size_t *length) {
    zip_file_t *entry = zip_fopen(zip, name, 0);
    size_t capacity = CHUNK, n = 0;
    char *text = entry ? malloc(capacity + 1) : NULL;
    zip_int64_t got = -1;
    while (text && (got = zip_fread(entry, text + n, capacity - n)) > 0) {
        n += (size_t)got;
        if (n < capacity) continue;
        if (n > most) break;
        char *grown = realloc(text, (capacity *= 2) + 1);
        if (!grown) free(text);
        text = grown;
    }
    zip_stat_t info;
    if (got == 0 && (zip_stat(zip, name, 0, &info) != 0 || !(info.valid & ZIP_STAT_SIZE) || info.size != n)) got = -1;
    bool complete = text && got == 0, broken = !entry || (text && got < 0);
    if (complete) text[n] = '\0', *length = n;
    else fail(m, name, "%s", broken ? (entry ? "cannot be read: the zip is damaged" : "is not in the zip, or damaged") : text ? "is too large" : "is too large for the memory");
    if (entry && zip_fclose(entry) != 0 && complete) fail(m, name, "cannot be read: the zip is damaged"), complete = false;
    if (complete) return text;
    free(text);
    return NULL;
}

static json_t *parse_text(Model *m, const char *text, size_t length, const char *place) {
    json_error_t error;
    json_t *json = json_loadb(text, length, 0, &error);
    if (!json) fail(m, place, "is not JSON: line %d, column %d: %s", error.line, error.column, shown(m, error.text));
    else if (!json_is_object(json)) fail(m, place, "is no JSON object");
    else return json;
    json_decref(json);
    return NULL;
}

/* From memory. Its name must not be that of a file. */
static hid_t open_image(Container *c, const char *path) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (access >= 0 && H5Pset_fapl_core(access, CHUNK, 0) >= 0 && H5Pset_file_image(access, c->image, c->size) >= 0)
        file = H5Fopen(arena_printf(c->model->arena, "%s/model.weights.h5", path), H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

bool open_zip(Container *c, const char *path) {
    Model *m = c->model;
    int code;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip) return fail(m, NULL, "cannot be read: it is no whole zip"), false;
    size_t length;
    char *text = read_entry(m, zip, "config.json", MOST_TEXT, &length);
    if (text) c->config = parse_text(m, text, length, "config.json");
    free(text);
    if (c->config) c->image = read_entry(m, zip, "model.weights.h5", MOST_WEIGHTS, &c->size);
    zip_discard(zip);
    if (!c->image) return false;
    c->bytes = c->size;
    c->version = 3;
    json_t *compile = json_object_get(c->config, "compile_config");
    c->compile = json_is_object(compile) ? json_incref(compile) : NULL;
    c->file = open_image(c, path);
    if (c->file < 0) fail(m, "model.weights.h5", "is no whole HDF5 file");
    return c->file >= 0;
}

/* ---- HDF5 ---------------------------------------------------------------------------------------------------------------- */

static json_t *parse_attribute(Container *c, const char *name) {
    char *text = read_text_attribute(c, c->file, name);
    return text ? parse_text(c->model, text, strlen(text), name) : NULL;
}

bool open_legacy(Container *c, const char *path) {
    struct stat status;
    c->legacy = true;
    c->bytes = stat(path, &status) ? 0 : (uint64_t)status.st_size;
    c->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (c->file < 0) return fail(c->model, NULL, "is no whole HDF5 file"), false;
    if (H5Aexists(c->file, "model_config") <= 0) return fail(c->model, NULL, "has no attribute model_config: weights alone are no model"), false;
    const char *version = read_text_attribute(c, c->file, "keras_version");
    c->version = version && *version >= '3' && *version <= '9' ? 3 : 2;
    c->config = parse_attribute(c, "model_config");
    if (c->config && H5Aexists(c->file, "training_config") > 0) c->compile = parse_attribute(c, "training_config");
    return c->config && !c->model->errors;
}

void container_begin(Container *c, Model *m) {
    *c = (Container){.model = m, .file = -1};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    H5Lunregister(H5L_TYPE_EXTERNAL);
}

void container_close(Container *c) {
    if (c->file >= 0) H5Fclose(c->file);
    free(c->image);
    json_decref(c->config);
    json_decref(c->compile);
    H5close();
}
