/* model.c: a network with memory and threads; batches through its phases. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static int find_variant(const cnnc_network *network, const char *variant, int *index, cnnc_error *error) {
    *index = -1;
    if (!variant)
        return CNNC_OK;
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < network->variant_count; i++) {
        if (!strcmp(network->variants[i], variant)) {
            *index = i;
            return CNNC_OK;
        }
        int more = snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", network->variants[i]);
        used += more > 0 && (size_t)more < sizeof names - used ? (size_t)more : 0;
    }
    return cnnc_fail(error, "network %s has no variant '%s', only: %s", network->name, variant, names);
}

static int open_model(cnnc_model *model, int threads, const char *variant, cnnc_error *error) {
    const cnnc_network *network = model->network;
    int index;
    if (network->abi != CNNC_ABI)
        return cnnc_fail(error, "network %s was generated for ABI %d, this runtime has ABI %d: regenerate it",
                         network->name, network->abi, CNNC_ABI);
    if (find_variant(network, variant, &index, error) != CNNC_OK)
        return CNNC_FAILED;
    model->means = calloc((size_t)cnnc_total_count(network), sizeof *model->means);
    if (!model->means)
        return cnnc_fail_system(error, "no memory for the results of network %s", network->name);
    model->pool = cnnc_pool_new(threads, error);
    if (!model->pool)
        return CNNC_FAILED;
    int workers = cnnc_pool_threads(model->pool);
    size_t size = network->size(workers);
    void *memory = cnnc_allocate(size);
    if (!memory)
        return cnnc_fail_system(error, "no memory for the %zu bytes of network %s with %d threads", size, network->name, workers);
    model->net = network->init(memory, workers, index);
    if (!model->net) {
        free(memory);
        return cnnc_fail(error, "this machine cannot run network %s%s%s", network->name, variant ? " in variant " : "",
                         variant ? variant : "");
    }
    model->state = model->net;
    model->state->learning_rate = network->learning_rate;
    cnnc_initialize(network, model->net, network->seed);
    return CNNC_OK;
}

cnnc_model *cnnc_model_new(const cnnc_network *network, int threads, const char *variant, cnnc_error *error) {
    cnnc_model *model = calloc(1, sizeof *model);
    if (!model) {
        cnnc_fail_system(error, "no memory for a model");
        return NULL;
    }
    model->network = network;
    if (open_model(model, threads, variant, error) != CNNC_OK) {
        cnnc_model_free(model);
        return NULL;
    }
    return model;
}

void cnnc_model_free(cnnc_model *model) {
    if (!model)
        return;
    cnnc_pool_free(model->pool);
    free(model->means);
    free(model->net);
    free(model);
}

const char *cnnc_model_variant(const cnnc_model *model) {
    int index = model->state->variant;
    return index >= 0 && index < model->network->variant_count ? model->network->variants[index] : "";
}

void cnnc_model_parameters_changed(cnnc_model *model) {
    model->state->version++;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

typedef struct running {
    void *net;
    const cnnc_batch *batch;
    const cnnc_phase *phase;
} running;

static void run_items(void *context, int worker, int begin, int end) {
    const running *r = context;
    r->phase->run(r->net, r->batch, worker, begin, end);
}

static int run_phases(cnnc_model *model, const cnnc_phase *phases, int count, const cnnc_batch *batch, const char *what,
                      cnnc_error *error) {
    if (count < 1)
        return cnnc_fail(error, "network %s was not compiled to %s", model->network->name, what);
    if (batch->n < 1)
        return cnnc_fail(error, "a batch of %d examples", batch->n);
    for (int i = 0; i < count; i++) {
        running r = {model->net, batch, &phases[i]};
        int items = phases[i].count(model->net, batch);
        if (items < 0)
            return cnnc_fail(error, "a batch of %d examples is larger than network %s was compiled for: give 'fit' a larger batch_size", batch->n, model->network->name);
        cnnc_pool_run(model->pool, run_items, &r, items);
    }
    return CNNC_OK;
}

int cnnc_total_count(const cnnc_network *network) {
    return network->total_count ? network->total_count : 1 + network->metric_count;
}

/* Totals of the gradient buffers, in order, over the number of examples. */
static void average(const cnnc_model *model, int n) {
    int count = cnnc_total_count(model->network);
    for (int c = 0; c < count; c++) {
        double sum = 0;
        for (int b = 0; b < model->network->gradient_buffers; b++)
            sum += model->state->totals[b * count + c];
        model->means[c] = sum / n;
    }
}

void cnnc_make_results(const cnnc_network *network, const double *means, double *results) {
    if (network->results)
        network->results(means, results);
    else
        memcpy(results, means, (1 + (size_t)network->metric_count) * sizeof *results);
}

int cnnc_train_means(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error) {
    const cnnc_network *network = model->network;
    if (run_phases(model, network->train, network->train_phases, batch, "train", error) != CNNC_OK)
        return CNNC_FAILED;
    model->state->step++;
    model->state->version++;
    if (network->schedule)
        model->state->learning_rate = network->schedule(model->state->step);
    average(model, batch->n);
    return CNNC_OK;
}

int cnnc_evaluate_means(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error) {
    const cnnc_network *network = model->network;
    if (run_phases(model, network->evaluate, network->evaluate_phases, batch, "evaluate", error) != CNNC_OK)
        return CNNC_FAILED;
    average(model, batch->n);
    return CNNC_OK;
}

int cnnc_model_train_batch(cnnc_model *model, const cnnc_batch *batch, double *results, cnnc_error *error) {
    if (cnnc_train_means(model, batch, error) != CNNC_OK)
        return CNNC_FAILED;
    if (results)
        cnnc_make_results(model->network, model->means, results);
    return CNNC_OK;
}

int cnnc_model_evaluate_batch(cnnc_model *model, const cnnc_batch *batch, double *results, cnnc_error *error) {
    if (cnnc_evaluate_means(model, batch, error) != CNNC_OK)
        return CNNC_FAILED;
    if (results)
        cnnc_make_results(model->network, model->means, results);
    return CNNC_OK;
}

int cnnc_model_predict_batch(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error) {
    const cnnc_network *network = model->network;
    return run_phases(model, network->predict, network->predict_phases, batch, "predict", error);
}
