/* confusion.c: the confusion matrix of test data: how many of each class were taken for which. The class of an output is that of its
 * largest number, of a single one whether it is above 0.5, as `accuracy` counts. */
#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 256, MOST_CLASSES = 1000 };

typedef struct Matrix { const char *name; int classes; int64_t *counts; } Matrix; /* [label][prediction] */

static int class_count(const cnnc_network *network, const cnnc_tensor *target) {
    if (target->classes) return target->classes;
    return target->count == 1 && !strcmp(network->loss, "binary_crossentropy") ? 2 : 0;
}

static double number(const cnnc_tensor *t, const void *array, size_t i) {
    switch (t->type) {
    case CNNC_F32: return (double)((const float *)array)[i];
    case CNNC_F64: return ((const double *)array)[i];
    case CNNC_U8: return ((const uint8_t *)array)[i];
    case CNNC_I32: return ((const int32_t *)array)[i];
    }
    return 0;
}

/* Of `width` numbers from the first on: the place of the largest; of one: 0 or 1. */
static int class_of(const cnnc_tensor *t, const void *array, size_t first, int width) {
    int best = 0;
    if (width == 1) return number(t, array, first) > 0.5;
    for (int i = 1; i < width; i++)
        if (number(t, array, first + (size_t)i) > number(t, array, first + (size_t)best)) best = i;
    return best;
}

/* Positions of n examples, from the first one on in the dataset; outputs: those of these examples. */
static void count(Matrix *m, const cnnc_tensor *target, const void *labels, const cnnc_tensor *output, const void *outputs, size_t first, size_t n) {
    int width = output->count == 1 ? 1 : m->classes;
    size_t positions = output->count / (size_t)width;
    for (size_t i = 0; i < n * positions; i++) {
        size_t at = first * positions + i;
        int label = target->type == CNNC_I32 ? ((const int32_t *)labels)[at] : class_of(target, labels, at * (size_t)width, width);
        m->counts[label * m->classes + class_of(output, outputs, i * (size_t)width, width)]++;
    }
}

static bool can_count(const cnnc_network *network, int k) {
    int classes = class_count(network, &network->targets[k]);
    return k < network->output_count && classes >= 2 && classes <= MOST_CLASSES;
}

/* False after a failure of the runtime. */
static bool count_all(Arena *arena, cnnc_model *model, const cnnc_dataset *test, Matrix *matrices, cnnc_error *failure) {
    const cnnc_network *network = model->network;
    const void **inputs = NEW_ARRAY(arena, const void *, network->input_count);
    void **outputs = NEW_ARRAY(arena, void *, network->output_count);
    for (int k = 0; k < network->output_count; k++) outputs[k] = arena_alloc(arena, AT_ONCE * network->outputs[k].count * cnnc_type_size(network->outputs[k].type));
    for (size_t first = 0; first < test->n; first += AT_ONCE) {
        size_t n = test->n - first < AT_ONCE ? test->n - first : AT_ONCE;
        for (int k = 0; k < network->input_count; k++)
            inputs[k] = (const char *)test->inputs[k] + first * network->inputs[k].count * cnnc_type_size(network->inputs[k].type);
        if (cnnc_predict(model, inputs, n, AT_ONCE, 0, NULL, NULL, outputs, failure)) return false;
        for (int k = 0; k < network->output_count; k++)
            if (matrices[k].counts) count(&matrices[k], &network->targets[k], test->targets[k], &network->outputs[k], outputs[k], first, n);
    }
    return true;
}

static void print_matrix(const Matrix *m, StrBuf *csv) {
    int64_t most = 1;
    for (int i = 0; i < m->classes * m->classes; i++) most = m->counts[i] > most ? m->counts[i] : most;
    int width = (int)fmax(log10((double)most) + 3, 5);
    printf("Confusion matrix of %s: labels down, predictions across\n      ", m->name);
    strbuf_printf(csv, "%s", m->name);
    for (int i = 0; i < m->classes; i++) printf("%*d", width, i), strbuf_printf(csv, ",%d", i);
    for (int i = 0; i < m->classes; i++) {
        printf("\n%6d", i);
        strbuf_printf(csv, "\n%d", i);
        for (int k = 0; k < m->classes; k++) {
            printf("%*lld", width, (long long)m->counts[i * m->classes + k]);
            strbuf_printf(csv, ",%lld", (long long)m->counts[i * m->classes + k]);
        }
    }
    printf("\n");
    strbuf_add(csv, "\n");
}

int print_confusion(Arena *arena, cnnc_model *model, const cnnc_dataset *test, const char *path, cnnc_error *failure) {
    const cnnc_network *network = model->network;
    Matrix *matrices = NEW_ARRAY(arena, Matrix, network->output_count);
    int counted = 0;
    for (int k = 0; k < network->output_count; k++) {
        if (k >= network->target_count || !can_count(network, k)) continue;
        int classes = class_count(network, &network->targets[k]);
        matrices[k] = (Matrix){network->outputs[k].name, classes, NEW_ARRAY(arena, int64_t, classes * classes)};
        counted++;
    }
    if (!counted) {
        say_error("network %s has no output of 2 to %d classes to make a confusion matrix of", network->name, MOST_CLASSES);
        return EXIT_INPUT;
    }
    if (!count_all(arena, model, test, matrices, failure)) {
        say_error("%s", failure->text);
        return status_of(failure);
    }
    StrBuf csv = {0};
    for (int k = 0; k < network->output_count; k++)
        if (matrices[k].counts) print_matrix(&matrices[k], &csv);
    const char *problem = path ? write_file(arena, path, csv.text, csv.length) : NULL;
    if (problem) say_error("%s", problem);
    strbuf_free(&csv);
    return problem ? EXIT_FILE : EXIT_FINE;
}
