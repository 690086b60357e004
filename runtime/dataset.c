/* dataset.c: examples from arrays, in the types that a network asks for. Reading files is loader.c's. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

/* One array on its way into a dataset. */
typedef struct feed {
    const cnnc_network *network;
    const char *role; /* "input", "target" */
    const cnnc_tensor *tensor;
    const cnnc_array *array;
    const char *name;
    const cnnc_part *part; /* where the array came from; NULL: from memory */
    size_t n, each; /* examples; elements of one of the array */
    int one_hot; /* the array holds class indices, the tensor one element a class */
    cnnc_error *error;
} feed;

static int is_input(const feed *f) {
    return f->tensor >= f->network->inputs && f->tensor < f->network->inputs + f->network->input_count;
}

/* The name of what holds an element, and where in it. */
static const char *place(const feed *f, size_t element, char *text, size_t size) {
    if (!f->part)
        return f->name;
    cnnc_part_place(f->part, element / f->each, text, size); /* NOLINT(clang-analyzer-core.DivideZero): there is an element */
    return text;
}

static int mismatch(const feed *f) {
    char want[128], have[128];
    cnnc_tensor_text(want, sizeof want, f->tensor->rank, f->tensor->shape);
    cnnc_shape_text(have, sizeof have, f->array->rank - 1, f->array->shape + 1);
    return cnnc_fail(f->error,
                     "%s: an example of the %s '%s' of network %s is %s %s (%zu elements%s), of the file %s %s (%zu)", f->name,
                     f->role, f->tensor->name, f->network->name, want, cnnc_type_name(f->tensor->type), f->tensor->count,
                     f->tensor->classes > 0 && !is_input(f) ? " or class indices" : "", have, cnnc_dtype_name(f->array->dtype),
                     f->each);
}

/* Whether the array fits the tensor, and how. */
static int check_shape(feed *f) {
    const cnnc_array *array = f->array;
    if (array->rank < 1) /* NOLINT(clang-analyzer-core.NullDereference): inputs and targets are as many as there are arrays */
        return cnnc_fail(f->error, "%s: a single number, not an array of examples", f->name);
    if (array->shape[0] != f->n)
        return cnnc_fail(f->error, "%s: %zu examples, but the first file has %zu", f->name, array->shape[0], f->n);
    if (f->n == 0 || f->n > INT32_MAX)
        return cnnc_fail(f->error, "%s: %zu examples, not 1 to %d", f->name, f->n, INT32_MAX);
    f->each = array->count / f->n;
    f->one_hot = f->each != f->tensor->count && f->tensor->type != CNNC_I32 && f->tensor->classes > 0 &&
                 f->each * (size_t)f->tensor->classes == f->tensor->count;
    return f->each == f->tensor->count || f->one_hot ? CNNC_OK : mismatch(f);
}

static int check_labels(const feed *f, const int32_t *labels, size_t count) {
    char text[256];
    const cnnc_tensor *t = f->tensor;
    size_t i = 0;
    while (i < count && labels[i] >= 0 && labels[i] < t->classes)
        i++;
    if (i == count)
        return CNNC_OK;
    size_t example = i / f->each; /* NOLINT(clang-analyzer-core.DivideZero): there is a label */
    const char *where = place(f, i, text, sizeof text);
    if (is_input(f))
        return cnnc_fail(f->error, "%s: element %zu of example %zu is %d, but the input '%s' of network %s takes tokens 0 .. %d", where,
                         i % f->each, example, (int)labels[i], t->name, f->network->name, t->classes - 1);
    return cnnc_fail(f->error, "%s: example %zu is of class %d, but the target '%s' of network %s has classes 0 .. %d", where, example,
                     (int)labels[i], t->name, f->network->name, t->classes - 1);
}

/* All elements, converted; a failure names the file and the place in it. */
static int convert(const feed *f, cnnc_type type, void *to) {
    char text[256];
    size_t bad;
    cnnc_error inner;
    if (cnnc_array_convert_at(f->array, 0, f->array->count, type, to, &bad, &inner) == CNNC_OK)
        return CNNC_OK;
    return cnnc_fail(f->error, "%s: for the %s '%s' of network %s: %.300s", place(f, bad, text, sizeof text), f->role,
                     f->tensor->name, f->network->name, inner.text);
}

static int fill_one_hot(const feed *f, void *to) {
    size_t count = f->array->count, classes = (size_t)f->tensor->classes;
    int32_t *labels = cnnc_allocate(count * sizeof *labels);
    if (!labels)
        return cnnc_fail_system(f->error, "%s: no memory for %zu labels", f->name, count);
    int result = convert(f, CNNC_I32, labels);
    if (result == CNNC_OK)
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
    if (convert(f, f->tensor->type, to) != CNNC_OK)
        return CNNC_FAILED;
    if (f->tensor->type == CNNC_I32 && f->tensor->classes > 0)
        return check_labels(f, to, f->array->count);
    return CNNC_OK;
}

static size_t aligned(size_t bytes) {
    return (bytes + CNNC_ALIGNMENT - 1) / CNNC_ALIGNMENT * CNNC_ALIGNMENT;
}

/* Memory for n examples; SIZE_MAX when that is more than there can be. */
static size_t layout(const cnnc_tensor *tensor, size_t n) {
    double bytes = (double)tensor->count * (double)n * (double)cnnc_type_size(tensor->type);
    return bytes >= (double)(SIZE_MAX / 8) ? SIZE_MAX : aligned(tensor->count * n * cnnc_type_size(tensor->type));
}

/* Memory for the tables of pointers and the arrays they point to. */
static int allocate(const cnnc_network *network, int target_count, size_t n, cnnc_dataset *dataset, cnnc_error *error) {
    int inputs = network->input_count, count = inputs + target_count;
    for (int pass = 0; pass < 2; pass++) {
        size_t offset = aligned(((size_t)count + 1) * sizeof(void *));
        for (int i = 0; i < count; i++) {
            const cnnc_tensor *tensor = i < inputs ? &network->inputs[i] : &network->targets[i - inputs];
            size_t bytes = layout(tensor, n);
            if (bytes > SIZE_MAX / 4 - offset)
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

/* Arrays and their names, inputs first; parts: where they came from, or NULL. */
static int make(const cnnc_network *network, const cnnc_array *const *arrays, const char *const *names, const cnnc_parts *parts,
                int target_count, cnnc_dataset *dataset, cnnc_error *error) {
    size_t n = arrays[0]->rank > 0 ? arrays[0]->shape[0] : 0;
    int result = CNNC_OK, inputs = network->input_count;
    for (int pass = 0; pass < 2 && result == CNNC_OK; pass++) { /* check all, then copy all */
        if (pass)
            result = allocate(network, target_count, n, dataset, error);
        for (int i = 0; i < inputs + target_count && result == CNNC_OK; i++) {
            feed f = {.network = network, .role = i < inputs ? "input" : "target", .n = n, .error = error};
            f.tensor = i < inputs ? &network->inputs[i] : &network->targets[i - inputs];
            f.array = arrays[i];
            f.name = names[i];
            f.part = parts ? &parts->parts[i] : NULL;
            result = check_shape(&f);
            if (result == CNNC_OK && pass)
                result = fill(&f, dataset->inputs[i]); /* targets follow the inputs in that table */
        }
    }
    if (result != CNNC_OK)
        cnnc_dataset_free(dataset);
    return result;
}

int cnnc_dataset_make(const cnnc_network *network, const cnnc_array *inputs, const cnnc_array *targets,
                      int target_count, const char *const *names, cnnc_dataset *dataset, cnnc_error *error) {
    *dataset = (cnnc_dataset){0};
    if (target_count != 0 && target_count != network->target_count)
        return cnnc_fail(error, "network %s has %d targets, not %d", network->name, network->target_count, target_count);
    if (network->input_count < 1)
        return cnnc_fail(error, "network %s has no input", network->name);
    int count = network->input_count + target_count;
    const cnnc_array **arrays = malloc((size_t)count * sizeof *arrays);
    const char **known = malloc((size_t)count * sizeof *known);
    int result = arrays && known ? CNNC_OK : cnnc_fail_system(error, "no memory for %d arrays", count);
    for (int i = 0; i < count && result == CNNC_OK; i++) {
        arrays[i] = i < network->input_count ? &inputs[i] : &targets[i - network->input_count];
        known[i] = names && names[i] ? names[i] : "array";
    }
    if (result == CNNC_OK)
        result = make(network, arrays, known, NULL, target_count, dataset, error);
    free(known);
    free(arrays);
    return result;
}

int cnnc_dataset_load(const cnnc_network *network, const char *where, const char *split, cnnc_dataset *dataset,
                      cnnc_error *error) {
    *dataset = (cnnc_dataset){0};
    split = split ? split : "train";
    if (!strcmp(split, "t10k")) /* as MNIST calls it */
        split = "test";
    if (strcmp(split, "train") && strcmp(split, "test"))
        return cnnc_fail(error, "'%s' is not one of the splits train and test (or t10k)", split);
    if (network->input_count < 1)
        return cnnc_fail(error, "network %s has no input", network->name);
    cnnc_parts parts;
    if (cnnc_load(network, where, split, &parts, error) != CNNC_OK)
        return CNNC_FAILED;
    const cnnc_array *arrays[CNNC_MAX_PARTS] = {&parts.parts[0].array}; /* there is at least one */
    const char *names[CNNC_MAX_PARTS] = {parts.parts[0].origins[0].name};
    for (int i = 1; i < parts.count; i++) {
        arrays[i] = &parts.parts[i].array;
        names[i] = parts.parts[i].origins[0].name;
    }
    int result = make(network, arrays, names, &parts, parts.count - network->input_count, dataset, error);
    cnnc_parts_free(&parts);
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
