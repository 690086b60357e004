/* evaluate.c: evaluation and prediction over whole datasets. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

/* to[i] = from[i] moved on by `first` examples. */
static void advance(const cnnc_tensor *tensors, int count, const void *const *from, size_t first, const void **to) {
    for (int i = 0; i < count; i++)
        to[i] = (const char *)from[i] + first * tensors[i].count * cnnc_type_size(tensors[i].type);
}

/* ---- evaluate ---------------------------------------------------------------------------------------------------- */

typedef struct evaluation {
    const void **arrays;  /* inputs, then targets, of the batch */
    double *sums, *means; /* [total_count]: of the batches so far; sums owns both */
    cnnc_shown shown;
} evaluation;

static int evaluate_batches(evaluation *e, cnnc_model *model, const cnnc_dataset *data, int size, cnnc_progress *progress,
                            const volatile sig_atomic_t *stop, double *results, cnnc_error *error) {
    const cnnc_network *network = model->network;
    int batches = cnnc_batches(data->n, size), totals = cnnc_total_count(network);
    size_t seen = 0;
    for (int b = 0; b < batches; b++) {
        const void **targets = e->arrays + data->input_count;
        advance(network->inputs, data->input_count, (const void *const *)data->inputs, seen, e->arrays);
        advance(network->targets, data->target_count, (const void *const *)data->targets, seen, targets);
        cnnc_batch batch = {.n = cnnc_batch_length(data->n, size, b), .inputs = e->arrays, .targets = targets};
        if (cnnc_evaluate_means(model, &batch, error) != CNNC_OK)
            return CNNC_FAILED;
        seen += (size_t)batch.n;
        for (int c = 0; c < totals; c++) {
            e->sums[c] += model->means[c] * batch.n;
            e->means[c] = e->sums[c] / (double)seen;
        }
        cnnc_make_results(network, e->means, results);
        cnnc_shown_set(&e->shown, results, NULL);
        if (progress->mode == CNNC_PROGRESS_BAR)
            cnnc_show(progress, &e->shown, b + 1, 0);
        if (cnnc_asked_to_stop(stop) && b + 1 < batches)
            return CNNC_STOPPED;
    }
    cnnc_show(progress, &e->shown, batches, 1);
    return CNNC_OK;
}

int cnnc_evaluate(cnnc_model *model, const cnnc_dataset *dataset, int batch_size, int verbose, FILE *out,
                  const volatile sig_atomic_t *stop, double *results, cnnc_error *error) {
    const cnnc_network *network = model->network;
    batch_size = batch_size > 0 ? batch_size : network->batch_size;
    if (cnnc_check_data(network, dataset, batch_size, "evaluate", error) != CNNC_OK)
        return CNNC_FAILED;
    evaluation e = {0};
    if (cnnc_shown_new(&e.shown, network, error) != CNNC_OK)
        return CNNC_FAILED;
    size_t columns = (size_t)e.shown.columns, totals = (size_t)cnnc_total_count(network), arrays = (size_t)(dataset->input_count + dataset->target_count);
    e.arrays = calloc(arrays + 1, sizeof *e.arrays);
    e.sums = calloc(2 * totals, sizeof *e.sums);
    memset(results, 0, columns * sizeof *results);
    int result;
    if (e.arrays && e.sums) {
        e.means = e.sums + totals;
        cnnc_progress progress;
        cnnc_start_progress(&progress, verbose, out, cnnc_batches(dataset->n, batch_size));
        result = evaluate_batches(&e, model, dataset, batch_size, &progress, stop, results, error);
        cnnc_progress_break(&progress);
    } else {
        result = cnnc_fail_system(error, "no memory to evaluate");
    }
    free(e.arrays);
    free(e.sums);
    cnnc_shown_free(&e.shown);
    return result;
}

/* ---- predict ----------------------------------------------------------------------------------------------------- */

/* pointers: room for the batch's inputs and outputs. */
static int predict_batches(cnnc_model *model, const void *const *inputs, size_t n, int size, cnnc_progress *progress,
                           const volatile sig_atomic_t *stop, void *const *outputs, const void **in, void **out,
                           cnnc_error *error) {
    const cnnc_network *network = model->network;
    int batches = cnnc_batches(n, size);
    for (int b = 0; b < batches; b++) {
        size_t first = (size_t)b * (size_t)size;
        advance(network->inputs, network->input_count, inputs, first, in);
        for (int i = 0; i < network->output_count; i++) {
            const cnnc_tensor *tensor = &network->outputs[i];
            out[i] = (char *)outputs[i] + first * tensor->count * cnnc_type_size(tensor->type);
        }
        cnnc_batch batch = {.n = cnnc_batch_length(n, size, b), .inputs = in, .outputs = out};
        if (cnnc_model_predict_batch(model, &batch, error) != CNNC_OK)
            return CNNC_FAILED;
        cnnc_progress_update(progress, b + 1, NULL, NULL, 0, 0, cnnc_seconds());
        if (cnnc_asked_to_stop(stop) && b + 1 < batches)
            return CNNC_STOPPED;
    }
    cnnc_progress_update(progress, batches, NULL, NULL, 0, 1, cnnc_seconds());
    return CNNC_OK;
}

int cnnc_predict(cnnc_model *model, const void *const *inputs, size_t n, int batch_size, int verbose, FILE *out,
                 const volatile sig_atomic_t *stop, void *const *outputs, cnnc_error *error) {
    const cnnc_network *network = model->network;
    batch_size = batch_size > 0 ? batch_size : network->batch_size;
    if (batch_size < 1)
        return cnnc_fail(error, "a batch size of %d", batch_size);
    if (n < 1 || n > INT32_MAX)
        return cnnc_fail(error, "%zu examples to predict, not 1 to %d", n, INT32_MAX);
    const void **in = calloc((size_t)network->input_count + 1, sizeof *in);
    void **to = calloc((size_t)network->output_count + 1, sizeof *to);
    int result;
    if (in && to) {
        cnnc_progress progress;
        cnnc_start_progress(&progress, verbose, out, cnnc_batches(n, batch_size));
        result = predict_batches(model, inputs, n, batch_size, &progress, stop, outputs, in, to, error);
        cnnc_progress_break(&progress);
    } else {
        result = cnnc_fail_system(error, "no memory to predict");
    }
    free(in);
    free(to);
    return result;
}
