/* keras_weights.c: numbers and texts of an HDF5 file.
 *
 * Before memory is reserved for a dataset the file must be known to hold it: no external or virtual storage, and no more numbers than its
 * bytes, or its compressed ones, can be. All datasets that are asked for have together no more bytes than the file: one is read once.
 */
#define _POSIX_C_SOURCE 200809L /* strnlen */
#include "keras.h"

#include <string.h>

enum { MOST_ATTRIBUTE = 64 << 20, MOST_NAMES = 1 << 20, MOST_RATIO = 1100 }; /* of deflate */

/* ---- datasets --------------------------------------------------------------------------------------------------------------- */

typedef struct Data { hid_t id, space; int rank; int64_t shape[MODEL_RANK]; size_t count; } Data;

static void close_data(Data *d) {
    if (d->space >= 0) H5Sclose(d->space);
    if (d->id >= 0) H5Dclose(d->id);
}

/* What is wrong with how the numbers are kept; NULL: nothing. */
static const char *storage_problem(Container *c, const Data *d, size_t size) {
    hid_t list = H5Dget_create_plist(d->id);
    if (list < 0) return "is damaged";
    int filters = H5Pget_nfilters(list);
    bool elsewhere = H5Pget_external_count(list) != 0 || H5Pget_layout(list) == H5D_VIRTUAL;
    H5Pclose(list);
    if (elsewhere) return "is kept in other files, which are not read";
    uint64_t stored = H5Dget_storage_size(d->id), needed = (uint64_t)d->count * size;
    bool whole = stored <= c->bytes && (filters > 0 ? needed / MOST_RATIO <= stored : needed <= stored);
    if (!whole) return "says that it has more numbers than the file holds";
    c->read += stored;
    return c->read <= c->bytes ? NULL : "is there more than once: the weights have more bytes than the file";
}

static const char *inspect(Container *c, Data *d) {
    hsize_t dims[H5S_MAX_RANK];
    hid_t type = H5Dget_type(d->id);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    size_t size = type < 0 ? 0 : H5Tget_size(type);
    if (type >= 0) H5Tclose(type);
    d->space = H5Dget_space(d->id);
    if (d->space < 0 || class == H5T_NO_CLASS || !size) return "is damaged";
    if (class != H5T_FLOAT && class != H5T_INTEGER) return "is not of numbers";
    H5S_class_t extent = H5Sget_simple_extent_type(d->space);
    if (extent != H5S_SIMPLE && extent != H5S_SCALAR) return "has no shape";
    d->rank = H5Sget_simple_extent_dims(d->space, NULL, NULL);
    if (d->rank < 0 || d->rank > MODEL_RANK || H5Sget_simple_extent_dims(d->space, dims, NULL) != d->rank) return "has too many axes";
    for (int i = 0; i < d->rank; i++) d->shape[i] = dims[i] > INT32_MAX ? -1 : (int64_t)dims[i];
    if (!element_count(d->rank, d->shape, &d->count)) return "is too large";
    return storage_problem(c, d, size);
}

/* False after an error; close it in any case. */
static bool open_data(Container *c, const char *path, const char *place, Data *d) {
    *d = (Data){.id = H5Dopen2(c->file, path, H5P_DEFAULT), .space = -1};
    if (d->id < 0) return fail(c->model, place, "the file has no weight %s", shown(c->model, path)), false;
    const char *problem = inspect(c, d);
    if (problem) fail(c->model, place, "%s %s", shown(c->model, path), problem);
    return !problem;
}

static void read_weight(Container *c, const Wanted *w, const char *path, const char *place) {
    Data d;
    float *to;
    if (open_data(c, path, place, &d) && (to = add_weight(c->model, w->node, w->name, d.rank, d.shape)) && d.count && H5Dread(d.id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0)
        fail(c->model, place, "%s cannot be read", shown(c->model, path));
    close_data(&d);
}

double *read_numbers(Container *c, const char *path, const char *place, int most, int *n) {
    Data d;
    double *numbers = NULL;
    if (open_data(c, path, place, &d)) {
        if (d.count > (size_t)most) fail(c->model, place, "%s has more than %d numbers", shown(c->model, path), most);
        else {
            numbers = NEW_ARRAY(c->model->arena, double, d.count + 1);
            *n = (int)d.count;
            if (d.count && H5Dread(d.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0) fail(c->model, place, "%s cannot be read", shown(c->model, path)), numbers = NULL;
        }
    }
    close_data(&d);
    return numbers;
}

/* ---- attributes ----------------------------------------------------------------------------------------------------------------- */

/* Texts of an attribute, of one or a list, fixed in length or not; *n -1: it cannot be read. */
static char **texts_of(Container *c, hid_t attribute, int *n) {
    Arena *arena = c->model->arena;
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    size_t size = type < 0 ? 0 : H5Tget_size(type);
    bool text = type >= 0 && H5Tget_class(type) == H5T_STRING, any = text && H5Tis_variable_str(type) > 0;
    char **texts = NULL;
    *n = count == 0 && type >= 0 ? 0 : -1; /* an empty list may be of any type */
    if (text && size && count > 0 && count <= MOST_NAMES && (any || (uint64_t)count * size <= MOST_ATTRIBUTE)) {
        texts = NEW_ARRAY(arena, char *, count);
        char *bytes = any ? NULL : NEW_ARRAY(arena, char, (size_t)count * size);
        if (H5Aread(attribute, type, any ? (void *)texts : bytes) >= 0) *n = (int)count;
        for (int i = 0; i < *n; i++) {
            char *held = texts[i], *from = any ? (held ? held : "") : bytes + (size_t)i * size;
            texts[i] = arena_string(arena, from, any ? strlen(from) : strnlen(from, size));
            if (any) H5free_memory(held);
        }
    }
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return texts;
}

char *read_text_attribute(Container *c, hid_t object, const char *name) {
    hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    int n = 0;
    if (attribute < 0) return NULL;
    char **texts = texts_of(c, attribute, &n);
    H5Aclose(attribute);
    if (n != 1) fail(c->model, name, "is not a text");
    return n == 1 ? texts[0] : NULL;
}

/* An attribute that may be cut into NAME0, NAME1 ..., as HDF5 limits one. */
static bool read_names(Container *c, hid_t object, const char *place, const char *name, char ***names, int *n) {
    *names = NULL, *n = 0;
    for (int part = -1;; part++) {
        const char *full = part < 0 ? name : arena_printf(c->model->arena, "%s%d", name, part);
        if (H5Aexists(object, full) <= 0) {
            if (part < 0) continue;
            return part > 0 || (fail(c->model, place, "the file has no attribute %s", name), false);
        }
        hid_t attribute = H5Aopen(object, full, H5P_DEFAULT);
        int more = -1;
        char **texts = attribute < 0 ? NULL : texts_of(c, attribute, &more);
        if (attribute >= 0) H5Aclose(attribute);
        if (more < 0) return fail(c->model, place, "attribute %s cannot be read", full), false;
        for (int i = 0; i < more; i++) *PUSH(c->model->arena, *names, *n) = texts[i];
        if (part < 0) return true;
    }
}

/* ---- weights of layers --------------------------------------------------------------------------------------------------------------- */

void read_saved_weights(Container *c, const WantedList *list, const char *place) {
    for (int i = 0; i < list->length; i++) read_weight(c, &list->items[i], list->items[i].path, place);
}

void read_legacy_weights(Container *c, const WantedList *list, const char *layer) {
    Model *m = c->model;
    const char *place = arena_printf(m->arena, "layer '%s'", shown(m, layer)), *path = arena_printf(m->arena, "model_weights/%s", layer);
    char **names;
    int n, next = 0;
    if (!list->length) return;
    hid_t group = H5Gopen2(c->file, path, H5P_DEFAULT);
    if (group < 0) {
        fail(m, place, "the file has no weights of it");
        return;
    }
    bool fine = read_names(c, group, place, "weight_names", &names, &n);
    H5Gclose(group);
    if (!fine) return;
    if (n != list->length) {
        fail(m, place, "the file has %d weights of it, where there should be %d", n, list->length);
        return;
    }
    for (int trainable = 1; trainable >= 0; trainable--)
        for (int i = 0; i < n; i++)
            if (list->items[i].trainable == trainable) read_weight(c, &list->items[i], arena_printf(m->arena, "%s/%s", path, names[next++]), place);
}
