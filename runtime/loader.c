/* loader.c: data files to arrays, by a table of formats. Folders are folder.c's, what becomes of arrays dataset.c's. */
#define _POSIX_C_SOURCE 200809L
#include "loader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first that recognises a file reads it. */
static const cnnc_format *const formats[] = {
    &cnnc_format_npy, &cnnc_format_npz, &cnnc_format_cifar10, &cnnc_format_cifar100, &cnnc_format_csv, &cnnc_format_idx,
};

int cnnc_path_is(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    return !strcmp(slash ? slash + 1 : path, name);
}

int cnnc_path_ends(const char *path, const char *ending) {
    size_t length = strlen(path), end = strlen(ending);
    return length >= end && !strcmp(path + length - end, ending);
}

int cnnc_request_pair(const cnnc_request *request, const char *path, const char *holds, cnnc_error *error) {
    if (request->inputs == 1 && request->targets <= 1)
        return CNNC_OK;
    return cnnc_fail(error, "%s: %s, but network %s has %d inputs and %d targets", path, holds, request->network->name,
                     request->inputs, request->targets);
}

size_t cnnc_example_bytes(const cnnc_array *array) {
    return array->rank > 0 && array->shape[0] ? array->count / array->shape[0] * cnnc_dtype_size(array->dtype) : 0;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void free_part(cnnc_part *part) {
    cnnc_array_free(&part->array);
    for (int i = 0; i < part->origin_count; i++)
        free(part->origins[i].name);
    free(part->origins);
    *part = (cnnc_part){0};
}

void cnnc_parts_free(cnnc_parts *parts) {
    for (int i = 0; i < parts->count; i++)
        free_part(&parts->parts[i]);
    parts->count = 0;
}

static char *origin_name(const cnnc_origin *origin) {
    size_t size = strlen(origin->path) + (origin->member ? strlen(origin->member) : 0) + 2;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s%s%s", origin->path, origin->member ? "/" : "", origin->member ? origin->member : "");
    return name;
}

int cnnc_parts_add(cnnc_parts *parts, cnnc_array *array, cnnc_origin origin, cnnc_error *error) {
    cnnc_part part = {.array = *array, .origins = malloc(sizeof origin)};
    *array = (cnnc_array){0};
    if (part.origins && (origin.name = origin_name(&origin))) {
        origin.examples = part.array.rank > 0 ? part.array.shape[0] : 0;
        part.origins[part.origin_count++] = origin;
    }
    int result = CNNC_OK;
    if (!part.origin_count)
        result = cnnc_fail_system(error, "%s: no memory", origin.path);
    else if (parts->count == CNNC_MAX_PARTS)
        result = cnnc_fail(error, "%s: more than %d arrays", origin.path, CNNC_MAX_PARTS);
    if (result != CNNC_OK) {
        free_part(&part);
        return CNNC_FAILED;
    }
    part.origins[0].path = part.origins[0].member = NULL; /* they need not live as long: the name has both */
    parts->parts[parts->count++] = part;
    return CNNC_OK;
}

void cnnc_part_place(const cnnc_part *part, size_t example, char *text, size_t size) {
    int i = 0;
    while (i + 1 < part->origin_count && example >= part->origins[i].examples)
        example -= part->origins[i++].examples;
    const cnnc_origin *origin = &part->origins[i];
    size_t at = origin->first + example * origin->step;
    switch (origin->unit) {
    case CNNC_AT_BYTE: snprintf(text, size, "%s: at byte %zu", origin->name, at); break;
    case CNNC_AT_INFLATED_BYTE: snprintf(text, size, "%s: at byte %zu inflated", origin->name, at); break;
    case CNNC_AT_LINE: snprintf(text, size, "%s:%zu", origin->name, at); break;
    }
}

/* Puts the examples of one part behind those of another. */
static int join(cnnc_part *to, const cnnc_part *more, cnnc_error *error) {
    cnnc_array *a = &to->array;
    const cnnc_array *b = &more->array;
    int same = a->rank == b->rank && a->rank > 0 && a->dtype == b->dtype;
    for (int i = 1; same && i < a->rank; i++)
        same = a->shape[i] == b->shape[i];
    if (!same)
        return cnnc_fail(error, "%s: its examples are of another type or shape than those of %s", more->origins[0].name,
                         to->origins[0].name);
    size_t size = cnnc_dtype_size(a->dtype); /* both are in memory: the sums cannot overflow */
    void *data = realloc(a->data, (a->count + b->count) * size + 1);
    if (data)
        a->data = data;
    cnnc_origin *origins = realloc(to->origins, (size_t)(to->origin_count + 1) * sizeof *origins);
    if (origins)
        to->origins = origins;
    char *name = strdup(more->origins[0].name);
    if (!data || !origins || !name) {
        free(name);
        return cnnc_fail_system(error, "%s: no memory for %zu examples", more->origins[0].name, a->shape[0] + b->shape[0]);
    }
    memcpy((char *)a->data + a->count * size, b->data, b->count * size);
    a->shape[0] += b->shape[0];
    a->count += b->count;
    to->origins[to->origin_count] = more->origins[0];
    to->origins[to->origin_count++].name = name;
    return CNNC_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static const cnnc_format *format_of(const cnnc_file *file) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->recognise(file))
            return formats[i];
    return NULL;
}

int cnnc_load_file(const char *path, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    cnnc_file file = {.path = path};
    unsigned char *bytes;
    if (cnnc_file_bytes(path, &bytes, &file.size, error) != CNNC_OK)
        return CNNC_FAILED;
    file.bytes = bytes;
    const cnnc_format *format = format_of(&file);
    int result = format ? format->read(&file, request, parts, error)
                        : cnnc_fail(error, "%s: at byte 0: neither .npy, IDX nor gzip, no .npz, and by its name no CIFAR or CSV file", path);
    free(bytes);
    return result;
}

int cnnc_load_more(const char *path, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    cnnc_parts more = {0};
    int result = cnnc_load_file(path, request, &more, error);
    if (result == CNNC_OK && more.count != parts->count)
        result = cnnc_fail(error, "%s: has %d arrays, the files before it %d", path, more.count, parts->count);
    for (int i = 0; i < more.count && result == CNNC_OK; i++)
        result = join(&parts->parts[i], &more.parts[i], error);
    cnnc_parts_free(&more);
    return result;
}

/* A file name behind which columns may stand, "data.csv:label": cuts it there; NULL when none do. */
static const char *cut_columns(char *word) {
    char *found = NULL;
    if (access(word, F_OK) == 0) /* a name may have a colon in it */
        return NULL;
    for (char *p = word; (p = strstr(p, ".csv:")); p++)
        found = p + strlen(".csv");
    if (!found)
        return NULL;
    *found = 0;
    return found + 1;
}

/* Reads the files of a list that was cut at its commas. */
static int load_words(char **words, int count, cnnc_request request, cnnc_parts *parts, cnnc_error *error) {
    int result = CNNC_OK;
    if (count > 1)
        request.single = request.inputs = 1, request.targets = 0;
    for (int i = 0; i < count && result == CNNC_OK; i++) {
        request.columns = cut_columns(words[i]);
        result = cnnc_load_file(words[i], &request, parts, error);
    }
    return result;
}

/* What the last target is, where it is none. */
static const char *of_weights(const cnnc_network *network) {
    int last = network->target_count - 1;
    return last > 0 && !strcmp(network->targets[last].name, "sample_weight") ? " (the last one weights of examples)" : "";
}

static int load_list(const char *list, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    char *copy = strdup(list), *words[CNNC_MAX_PARTS];
    if (!copy)
        return cnnc_fail_system(error, "%s: no memory", list);
    int count = 0, inputs = request->inputs, targets = request->targets, result = CNNC_OK;
    for (char *rest = copy; rest; count++) {
        char *comma = strchr(rest, ',');
        if (comma)
            *comma = 0;
        if (count < CNNC_MAX_PARTS)
            words[count] = rest;
        rest = comma ? comma + 1 : NULL;
    }
    if (count > CNNC_MAX_PARTS)
        result = cnnc_fail(error, "%s: %d files are more than the most possible, %d", list, count, CNNC_MAX_PARTS);
    else if (count != 1 && count != inputs && count != inputs + targets)
        result = cnnc_fail(error, "%s: %d files, but network %s has %d inputs and %d targets%s, a file each", list, count,
                           request->network->name, inputs, targets, of_weights(request->network));
    if (result == CNNC_OK)
        result = load_words(words, count, *request, parts, error);
    free(copy);
    return result;
}

static int is_folder(const char *where) {
    struct stat status;
    return stat(where, &status) == 0 && S_ISDIR(status.st_mode);
}

int cnnc_load(const cnnc_network *network, const char *where, const char *split, cnnc_parts *parts, cnnc_error *error) {
    cnnc_request request = {.network = network, .split = split, .inputs = network->input_count, .targets = network->target_count};
    *parts = (cnnc_parts){0};
    int result = (is_folder(where) ? cnnc_folder_load : load_list)(where, &request, parts, error);
    if (result == CNNC_OK && parts->count != request.inputs && parts->count != request.inputs + request.targets)
        result = cnnc_fail(error, "%s: %d arrays, but network %s has %d inputs and %d targets%s, an array each", where, parts->count,
                           network->name, request.inputs, request.targets, of_weights(network));
    if (result != CNNC_OK)
        cnnc_parts_free(parts);
    return result;
}

/* The first bytes tell the format; of most formats that is all that need be read. */
int cnnc_file_has_test(const char *path, int *has, cnnc_error *error) {
    enum { FIRST = 16 };
    cnnc_file file = {.path = path};
    unsigned char *bytes;
    *has = 0;
    if (cnnc_file_first_bytes(path, FIRST, &bytes, &file.size, error) != CNNC_OK)
        return CNNC_FAILED;
    file.bytes = bytes;
    const cnnc_format *format = format_of(&file);
    free(bytes);
    if (!format || !format->has_test)
        return CNNC_OK;
    if (cnnc_file_bytes(path, &bytes, &file.size, error) != CNNC_OK)
        return CNNC_FAILED;
    file.bytes = bytes;
    int result = format->has_test(&file, has, error);
    free(bytes);
    return result;
}

int cnnc_dataset_has_test(const char *where, int *has, cnnc_error *error) {
    *has = 0;
    if (is_folder(where))
        return cnnc_folder_has_test(where, has, error);
    return access(where, F_OK) == 0 ? cnnc_file_has_test(where, has, error) : CNNC_OK; /* what is not there is a list of files */
}

int cnnc_array_read(const char *path, cnnc_array *array, cnnc_error *error) {
    cnnc_request request = {.split = "train", .inputs = 1, .single = 1};
    cnnc_parts parts = {0};
    *array = (cnnc_array){0};
    int result = cnnc_load_file(path, &request, &parts, error);
    if (result == CNNC_OK) {
        *array = parts.parts[0].array;
        parts.parts[0].array = (cnnc_array){0};
    }
    cnnc_parts_free(&parts);
    return result;
}
