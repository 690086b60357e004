/* results.c: what training and evaluation share: batches of a dataset, names of results in Keras's order, the progress bar. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

int cnnc_batches(size_t n, int batch_size) {
    return (int)((n + (size_t)batch_size - 1) / (size_t)batch_size);
}

int cnnc_batch_length(size_t n, int batch_size, int batch) {
    size_t left = n - (size_t)batch * (size_t)batch_size;
    return left < (size_t)batch_size ? (int)left : batch_size;
}

int cnnc_asked_to_stop(const volatile sig_atomic_t *stop) {
    return stop && *stop;
}

int cnnc_check_data(const cnnc_network *network, const cnnc_dataset *dataset, int batch_size, const char *what,
                    cnnc_error *error) {
    if (batch_size < 1)
        return cnnc_fail(error, "a batch size of %d", batch_size);
    if (dataset->n < 1 || dataset->n > INT32_MAX)
        return cnnc_fail(error, "%zu examples to %s, not 1 to %d", dataset->n, what, INT32_MAX);
    if (dataset->input_count != network->input_count || dataset->target_count != network->target_count)
        return cnnc_fail(error, "to %s, network %s needs %d inputs and %d targets, the data has %d and %d", what,
                         network->name, network->input_count, network->target_count, dataset->input_count,
                         dataset->target_count);
    return CNNC_OK;
}

const char *cnnc_result_name(const cnnc_network *network, int column) {
    return column ? network->metrics[column - 1] : "loss";
}

void cnnc_shown_free(cnnc_shown *s) {
    free(s->order);
    free(s->text);
    free(s->names);
    free(s->values);
    *s = (cnnc_shown){0};
}

int cnnc_shown_new(cnnc_shown *s, const cnnc_network *network, cnnc_error *error) {
    int columns = 1 + network->metric_count;
    size_t length = 1;
    for (int i = 0; i < columns; i++)
        length += strlen(cnnc_result_name(network, i)) + 5;
    *s = (cnnc_shown){.columns = columns, .count = columns};
    s->order = malloc((size_t)columns * sizeof *s->order);
    s->names = malloc((2 * (size_t)columns + 1) * sizeof *s->names);
    s->values = calloc(2 * (size_t)columns + 1, sizeof *s->values);
    s->text = malloc(length);
    if (!s->order || !s->names || !s->values || !s->text) {
        cnnc_shown_free(s);
        return cnnc_fail_system(error, "no memory for the names of %d results", columns);
    }
    for (int i = 0; i < columns; i++) { /* insertion sort: there are few */
        int k = i;
        for (; k > 0 && strcmp(cnnc_result_name(network, s->order[k - 1]), cnnc_result_name(network, i)) > 0; k--)
            s->order[k] = s->order[k - 1];
        s->order[k] = i;
    }
    char *text = s->text;
    for (int i = 0; i < columns; i++) {
        const char *name = cnnc_result_name(network, s->order[i]);
        s->names[i] = name;
        text += sprintf(text, "val_%s", name) + 1;
    }
    return CNNC_OK;
}

void cnnc_shown_set(cnnc_shown *s, const double *results, const double *validation) {
    const char *text = s->text;
    s->count = validation ? 2 * s->columns : s->columns;
    for (int i = 0; i < s->columns; i++) {
        s->values[i] = results[s->order[i]];
        if (!validation)
            continue;
        s->names[s->columns + i] = text;
        s->values[s->columns + i] = validation[s->order[i]];
        text += strlen(text) + 1;
    }
}

void cnnc_shown_rate(cnnc_shown *s, double rate) {
    s->names[s->count] = "learning_rate";
    s->values[s->count++] = rate;
}

void cnnc_show(cnnc_progress *progress, const cnnc_shown *s, int step, int finalize) {
    cnnc_progress_update(progress, step, s->names, s->values, s->count, finalize, cnnc_seconds());
}

void cnnc_start_progress(cnnc_progress *progress, int verbose, FILE *out, int steps) {
    out = out ? out : stdout;
    cnnc_progress_mode mode = cnnc_progress_choose(verbose, out);
    cnnc_progress_begin(progress, out, mode, cnnc_progress_color(out), steps, cnnc_seconds());
}
