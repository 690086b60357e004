/* dataset.c: examples from files or memory, in the types that a network asks for. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One array on its way into a dataset. */
typedef struct feed {
    const cnnc_network *network;
    const char *role; /* "input", "target" */
    const cnnc_tensor *tensor;
    const cnnc_array *array;
    const char *name;
    size_t n;
    int one_hot; /* the array holds class indices, the tensor one element a class */
    cnnc_error *error;
} feed;

static size_t per_example(const cnnc_array *array) {
    return array->shape[0] ? array->count / array->shape[0] : 0;
}

static int mismatch(const feed *f) {
    char want[128], have[128];
    cnnc_tensor_text(want, sizeof want, f->tensor->rank, f->tensor->shape);
    cnnc_shape_text(have, sizeof have, f->array->rank - 1, f->array->shape + 1);
    return cnnc_fail(f->error,
                     "%s: an example of the %s '%s' of network %s is %s %s (%zu elements%s), of the file %s %s (%zu)", f->name,
                     f->role, f->tensor->name, f->network->name, want, cnnc_type_name(f->tensor->type), f->tensor->count,
                     f->tensor->classes > 0 ? " or class indices" : "", have, cnnc_dtype_name(f->array->dtype),
                     per_example(f->array));
}

/* Whether the array fits the tensor, and how. */
static int check_shape(feed *f) {
    const cnnc_array *array = f->array;
    if (array->rank < 1)
        return cnnc_fail(f->error, "%s: a single number, not an array of examples", f->name);
    if (array->shape[0] != f->n)
        return cnnc_fail(f->error, "%s: %zu examples, but the first file has %zu", f->name, array->shape[0], f->n);
    if (f->n == 0 || f->n > INT32_MAX)
        return cnnc_fail(f->error, "%s: %zu examples, not 1 to %d", f->name, f->n, INT32_MAX);
    size_t have = per_example(array), want = f->tensor->count, classes = (size_t)f->tensor->classes;
    f->one_hot = have != want && f->tensor->type != CNNC_I32 && f->tensor->classes > 0 && want % classes == 0 &&
                 have == want / classes;
    return have == want || f->one_hot ? CNNC_OK : mismatch(f);
}

static int check_labels(const feed *f, const int32_t *labels, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= f->tensor->classes)
            return cnnc_fail(f->error, "%s: example %zu is of class %d, but the target '%s' of network %s has classes 0 .. %d",
                             f->name, i / per_example(f->array) /* NOLINT(clang-analyzer-core.DivideZero): there is a label */, (int)labels[i], f->tensor->name, f->network->name,
                             f->tensor->classes - 1);
    return CNNC_OK;
}

/* Names the file in a message that lacks it. */
static int prefix(const feed *f) {
    if (f->error) {
        cnnc_error inner = *f->error;
        cnnc_fail(f->error, "%s: for the %s '%s' of network %s: %.300s", f->name, f->role, f->tensor->name,
                  f->network->name, inner.text);
    }
    return CNNC_FAILED;
}

static int fill_one_hot(const feed *f, void *to) {
    size_t count = f->array->count, classes = (size_t)f->tensor->classes;
    int32_t *labels = cnnc_allocate(count * sizeof *labels);
    if (!labels)
        return cnnc_fail_system(f->error, "%s: no memory for %zu labels", f->name, count);
    int result = CNNC_OK;
    if (cnnc_array_convert(f->array, 0, count, CNNC_I32, labels, f->error) != CNNC_OK)
        result = prefix(f);
    else
        result = check_labels(f, labels, count);
    if (result == CNNC_OK) {
        memset(to, 0, count * classes * cnnc_type_size(f->tensor->type));
        for (size_t i = 0; i < count; i++) {
            size_t k = i * classes + (size_t)labels[i];
            if (f->tensor->type == CNNC_F64)
                ((double *)to)[k] = 1;
            else if (f->tensor->type == CNNC_F32)
                ((float *)to)[k] = 1;
            else
                ((uint8_t *)to)[k] = 1;
        }
    }
    free(labels);
    return result;
}

static int fill(const feed *f, void *to) {
    if (f->one_hot)
        return fill_one_hot(f, to);
    if (cnnc_array_convert(f->array, 0, f->array->count, f->tensor->type, to, f->error) != CNNC_OK)
        return prefix(f);
    if (f->tensor->type == CNNC_I32 && f->tensor->classes > 0)
        return check_labels(f, to, f->array->count);
    return CNNC_OK;
}

static size_t aligned(size_t bytes) {
    return (bytes + CNNC_ALIGNMENT - 1) / CNNC_ALIGNMENT * CNNC_ALIGNMENT;
}

/* Memory for the tables of pointers and the arrays they point to; SIZE_MAX when that is more than there can be. */
static size_t layout(const cnnc_tensor *tensor, size_t n) {
    size_t elements, bytes;
    if (!cnnc_multiply(tensor->count, n, &elements) || !cnnc_multiply(elements, cnnc_type_size(tensor->type), &bytes) ||
        bytes > SIZE_MAX / 4)
        return SIZE_MAX;
    return aligned(bytes);
}

static int allocate(const cnnc_network *network, int target_count, size_t n, cnnc_dataset *dataset, cnnc_error *error) {
    int inputs = network->input_count, count = inputs + target_count;
    for (int pass = 0; pass < 2; pass++) {
        size_t offset = aligned(((size_t)count + 1) * sizeof(void *));
        for (int i = 0; i < count; i++) {
            const cnnc_tensor *tensor = i < inputs ? &network->inputs[i] : &network->targets[i - inputs];
            size_t bytes = layout(tensor, n);
            if (bytes == SIZE_MAX || offset > SIZE_MAX / 4)
                return cnnc_fail(error, "%zu examples of network %s are more than any memory holds", n, network->name);
            if (pass)
                dataset->inputs[i] = (char *)dataset->memory + offset;
            offset += bytes;
        }
        if (!pass) { /* now the size is known */
            dataset->memory = cnnc_allocate(offset);
            if (!dataset->memory)
                return cnnc_fail_system(error, "no memory for %zu bytes of data", offset);
            dataset->inputs = dataset->memory;
            dataset->targets = dataset->inputs + inputs;
        }
    }
    dataset->n = n;
    dataset->input_count = inputs;
    dataset->target_count = target_count;
    return CNNC_OK;
}

int cnnc_dataset_make(const cnnc_network *network, const cnnc_array *inputs, const cnnc_array *targets,
                      int target_count, const char *const *names, cnnc_dataset *dataset, cnnc_error *error) {
    *dataset = (cnnc_dataset){0};
    if (target_count != 0 && target_count != network->target_count)
        return cnnc_fail(error, "network %s has %d targets, not %d", network->name, network->target_count, target_count);
    if (network->input_count < 1)
        return cnnc_fail(error, "network %s has no input", network->name);
    size_t n = inputs[0].rank > 0 ? inputs[0].shape[0] : 0;
    int result = CNNC_OK;
    for (int pass = 0; pass < 2 && result == CNNC_OK; pass++) { /* check all, then copy all */
        if (pass)
            result = allocate(network, target_count, n, dataset, error);
        for (int i = 0; i < network->input_count + target_count && result == CNNC_OK; i++) {
            int k = i - network->input_count;
            feed f = {.network = network, .role = k < 0 ? "input" : "target", .n = n, .error = error};
            f.tensor = k < 0 ? &network->inputs[i] : &network->targets[k];
            f.array = k < 0 ? &inputs[i] : &targets[k];
            f.name = names && names[i] ? names[i] : "array"; /* NOLINT(clang-analyzer-core.uninitialized.Branch): one for each array */
            result = check_shape(&f);
            if (result == CNNC_OK && pass)
                result = fill(&f, k < 0 ? dataset->inputs[i] : dataset->targets[k]);
        }
    }
    if (result != CNNC_OK)
        cnnc_dataset_free(dataset);
    return result;
}

int cnnc_dataset_view(const cnnc_network *network, const cnnc_dataset *dataset, size_t begin, size_t end,
                      cnnc_dataset *view, cnnc_error *error) {
    *view = (cnnc_dataset){0};
    int count = dataset->input_count + dataset->target_count;
    if (begin > end || end > dataset->n)
        return cnnc_fail(error, "examples %zu .. %zu of %zu do not exist", begin, end, dataset->n);
    void **table = calloc((size_t)count + 1, sizeof *table);
    if (!table)
        return cnnc_fail_system(error, "no memory for a view of the data");
    *view = *dataset;
    view->n = end - begin;
    view->memory = table;
    view->inputs = table;
    view->targets = table + dataset->input_count;
    for (int i = 0; i < count; i++) {
        int k = i - dataset->input_count;
        const cnnc_tensor *tensor = k < 0 ? &network->inputs[i] : &network->targets[k];
        char *whole = k < 0 ? dataset->inputs[i] : dataset->targets[k];
        table[i] = whole + begin * tensor->count * cnnc_type_size(tensor->type);
    }
    return CNNC_OK;
}

void cnnc_dataset_free(cnnc_dataset *dataset) {
    if (!dataset)
        return;
    free(dataset->memory);
    *dataset = (cnnc_dataset){0};
}

/* ---- from files -------------------------------------------------------------------------------------------------- */

enum { MAX_FILES = 64 };

/* Reads files paths[0 .. count - 1], inputs first, and makes a dataset of them. */
static int load_files(const cnnc_network *network, const char *const *paths, int count, cnnc_dataset *dataset,
                      cnnc_error *error) {
    cnnc_array arrays[MAX_FILES] = {{0}};
    int read = 0, result = CNNC_OK;
    for (; read < count && result == CNNC_OK; read++)
        result = cnnc_array_read(paths[read], &arrays[read], error);
    if (result == CNNC_OK)
        result = cnnc_dataset_make(network, arrays, arrays + network->input_count, count - network->input_count, paths,
                                   dataset, error);
    while (read-- > 0)
        cnnc_array_free(&arrays[read]);
    return result;
}

/* The first that exists of the customary names of an MNIST file: "train-images-idx3-ubyte", ... */
static int find_mnist(const char *folder, const char *split, const char *part, char **path, cnnc_error *error) {
    int rank = strcmp(part, "images") ? 1 : 3;
    size_t size = strlen(folder) + strlen(split) + 64;
    *path = malloc(size);
    if (!*path)
        return cnnc_fail_system(error, "%s: no memory", folder);
    for (int i = 0; i < 4; i++) {
        snprintf(*path, size, "%s/%s-%s%cidx%d-ubyte%s", folder, split, part, i < 2 ? '-' : '.', rank, i & 1 ? ".gz" : "");
        if (access(*path, F_OK) == 0)
            return CNNC_OK;
    }
    free(*path);
    *path = NULL;
    return cnnc_fail(error, "%s: has no %s-%s-idx%d-ubyte and no %s-%s-idx%d-ubyte.gz", folder, split, part, rank, split,
                     part, rank);
}

static int load_folder(const cnnc_network *network, const char *folder, const char *split, cnnc_dataset *dataset,
                       cnnc_error *error) {
    if (network->input_count != 1 || network->target_count > 1)
        return cnnc_fail(error, "%s: a folder has images and labels, but network %s has %d inputs and %d targets", folder,
                         network->name, network->input_count, network->target_count);
    char *paths[2] = {NULL, NULL};
    int result = find_mnist(folder, split, "images", &paths[0], error);
    if (result == CNNC_OK && network->target_count == 1)
        result = find_mnist(folder, split, "labels", &paths[1], error);
    if (result == CNNC_OK)
        result = load_files(network, (const char *const *)paths, 1 + network->target_count, dataset, error);
    free(paths[0]);
    free(paths[1]);
    return result;
}

/* Cuts a list at its commas and loads what it names. */
static int load_list(const cnnc_network *network, const char *list, cnnc_dataset *dataset, cnnc_error *error) {
    char *copy = strdup(list);
    if (!copy)
        return cnnc_fail_system(error, "%s: no memory", list);
    const char *paths[MAX_FILES] = {NULL};
    int count = 0, inputs = network->input_count, result = CNNC_OK;
    for (char *rest = copy; rest; count++) {
        char *comma = strchr(rest, ',');
        if (comma)
            *comma = 0;
        if (count < MAX_FILES)
            paths[count] = rest;
        rest = comma ? comma + 1 : NULL;
    }
    if (count > MAX_FILES)
        result = cnnc_fail(error, "%s: %d files are more than the most possible, %d", list, count, MAX_FILES);
    else if (count != inputs && count != inputs + network->target_count)
        result = cnnc_fail(error, "%s: %d files, but network %s has %d inputs and %d targets, a file each", list, count,
                           network->name, inputs, network->target_count);
    if (result == CNNC_OK)
        result = load_files(network, paths, count, dataset, error);
    free(copy);
    return result;
}

int cnnc_dataset_load(const cnnc_network *network, const char *where, const char *split, cnnc_dataset *dataset,
                      cnnc_error *error) {
    *dataset = (cnnc_dataset){0};
    struct stat status;
    if (!split)
        split = "train";
    if (strcmp(split, "train") && strcmp(split, "t10k"))
        return cnnc_fail(error, "'%s' is not one of the splits train and t10k", split);
    if (stat(where, &status) == 0 && S_ISDIR(status.st_mode))
        return load_folder(network, where, split, dataset, error);
    return load_list(network, where, dataset, error);
}
