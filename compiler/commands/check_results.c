/* check_results.c: what one batch gives, from the interpreter or from generated code, as doubles; and how far two
 * such results are apart. */
#include "interpret.h"

#include <math.h>
#include <string.h>

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

void *store_numbers(Arena *arena, cnnc_type type, const double *from, size_t n) {
    void *to = arena_alloc(arena, (n + 1) * cnnc_type_size(type));
    for (size_t i = 0; i < n; i++)
        switch (type) {
        case CNNC_F32: ((float *)to)[i] = (float)from[i]; break;
        case CNNC_F64: ((double *)to)[i] = from[i]; break;
        case CNNC_U8: ((uint8_t *)to)[i] = (uint8_t)from[i]; break;
        case CNNC_I32: ((int32_t *)to)[i] = (int32_t)from[i]; break;
        }
    return to;
}

double *load_numbers(Arena *arena, cnnc_type type, const void *from, size_t n) {
    double *to = NEW_ARRAY(arena, double, n + 1);
    for (size_t i = 0; i < n; i++)
        switch (type) {
        case CNNC_F32: to[i] = (double)((const float *)from)[i]; break;
        case CNNC_F64: to[i] = ((const double *)from)[i]; break;
        case CNNC_U8: to[i] = ((const uint8_t *)from)[i]; break;
        case CNNC_I32: to[i] = ((const int32_t *)from)[i]; break;
        }
    return to;
}

void **store_all(Arena *arena, const cnnc_tensor *tensors, int count, double *const *values, int n) {
    void **stored = NEW_ARRAY(arena, void *, count + 1);
    for (int i = 0; i < count; i++) stored[i] = store_numbers(arena, tensors[i].type, values[i], tensors[i].count * (size_t)n);
    return stored;
}

void draw_example(cnnc_random *random, const Tensor *t, double *x) {
    size_t n = count_of(t), classes = (size_t)t->classes;
    if (t->role == ROLE_TARGET && classes && t->type == TYPE_REAL) {
        memset(x, 0, sizeof(double) * n);
        for (size_t i = 0; i < n; i += classes) x[i + cnnc_random_below(random, classes)] = 1;
        return;
    }
    for (size_t i = 0; i < n; i++)
        x[i] = t->type == TYPE_I32  ? (double)cnnc_random_below(random, classes ? classes : 1)
               : t->type == TYPE_U8 ? (double)cnnc_random_below(random, 256)
                                    : (double)(float)cnnc_random_normal(random);
}

double root_mean_square(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    return n ? sqrt(sum / (double)n) : 0;
}

double largest(const double *x, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return NAN;
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

double absolute_error(const double *x, const double *expected, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(x[i] - expected[i]);
        if (isnan(d)) return NAN;
        most = fmax(most, d);
    }
    return most;
}

double relative_error(const double *x, const double *expected, size_t n) {
    double error = absolute_error(x, expected, n), scale = largest(expected, n);
    return error == 0 ? 0 : error / scale;
}

/* ---- the interpreter --------------------------------------------------------------------------------------------- */

static double **values_of(const Interpreter *it, Tensor *const *tensors, int n) {
    double **values = NEW_ARRAY(it->graph->arena, double *, n + 1);
    for (int i = 0; i < n; i++) values[i] = tensors[i] ? interpreter_value(it, tensors[i]) : NULL;
    return values;
}

static double **gradients_of(const Interpreter *it, Tensor *const *tensors, int n) {
    Tensor **gradients = NEW_ARRAY(it->graph->arena, Tensor *, n + 1);
    for (int i = 0; i < n; i++) gradients[i] = tensors[i]->gradient;
    return values_of(it, gradients, n);
}

/* For all examples, to be kept while the interpreter goes on. */
static double **copies_of(const Interpreter *it, Tensor *const *tensors, int n) {
    double **values = NEW_ARRAY(it->graph->arena, double *, n + 1);
    for (int i = 0; i < n; i++) {
        size_t count = count_of(tensors[i]) * (size_t)it->n;
        values[i] = memcpy(NEW_ARRAY(it->graph->arena, double, count), interpreter_value(it, tensors[i]), sizeof(double) * count);
    }
    return values;
}

static double *totals_of(const Interpreter *it) {
    const Graph *g = it->graph;
    double *totals = NEW_ARRAY(g->arena, double, g->total_elements);
    for (int i = 0; i < g->total_count; i++)
        for (size_t k = 0; k < count_of(g->totals[i]); k++) totals[(size_t)g->totals[i]->index + k] = interpreter_value(it, g->totals[i])[k] / it->n;
    return totals;
}

static void set_values(Interpreter *it, Tensor *const *tensors, int n, double *const *from) {
    for (int i = 0; i < n; i++) {
        double *to = interpreter_value(it, tensors[i]);
        if (to) memcpy(to, from[i], sizeof(double) * (size_t)it->n * count_of(tensors[i]));
    }
}

Results interpreter_results(Interpreter *it, const Batch *batch) {
    const Graph *g = it->graph;
    set_values(it, g->inputs, g->input_count, batch->inputs);
    if (batch->targets) set_values(it, g->targets, g->target_count, batch->targets);
    interpret(it, RUN_PREDICT);
    Results r = {.outputs = copies_of(it, g->outputs, g->output_count)};
    if (!g->loss || !batch->targets) return r;
    r.evaluated = totals_of(it);
    interpret(it, RUN_ALL);
    r.totals = totals_of(it);
    r.gradients = gradients_of(it, g->parameters, g->parameter_count);
    r.input_gradients = gradients_of(it, g->inputs, g->input_count);
    return r;
}

/* ---- generated code ---------------------------------------------------------------------------------------------- */

void **new_arrays(Arena *arena, const cnnc_tensor *tensors, int count, int n, cnnc_type type) {
    void **arrays = NEW_ARRAY(arena, void *, count + 1);
    for (int i = 0; i < count; i++) arrays[i] = arena_alloc(arena, tensors[i].count * (size_t)n * cnnc_type_size(type) + 8);
    return arrays;
}

static double **load_arrays(Arena *arena, const cnnc_tensor *tensors, int count, int n, cnnc_type type, void *const *arrays) {
    double **numbers = NEW_ARRAY(arena, double *, count + 1);
    for (int i = 0; i < count; i++) numbers[i] = load_numbers(arena, type, arrays[i], tensors[i].count * (size_t)n);
    return numbers;
}

/* The sum over the gradient buffers, in their order. */
static double **sum_gradients(Arena *arena, const cnnc_model *model) {
    const cnnc_network *network = model->network;
    double **sums = NEW_ARRAY(arena, double *, network->parameters_length + 1);
    size_t size = cnnc_type_size(network->type);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        sums[i] = NEW_ARRAY(arena, double, p->count + 1);
        for (int b = 0; b < network->gradient_buffers; b++) {
            size_t at = ((size_t)b * network->parameter_count + p->offset) * size;
            const double *terms = load_numbers(arena, network->type, (const char *)model->state->gradients + at, p->count);
            for (size_t k = 0; k < p->count; k++) sums[i][k] += terms[k];
        }
    }
    return sums;
}

static double *average_totals(Arena *arena, const cnnc_model *model, int n) {
    int columns = model->network->total_count ? model->network->total_count : 1 + model->network->metric_count;
    double *means = NEW_ARRAY(arena, double, columns);
    for (int b = 0; b < model->network->gradient_buffers; b++)
        for (int c = 0; c < columns; c++) means[c] += model->state->totals[b * columns + c] / n;
    return means;
}

typedef struct Work { void *net; const cnnc_batch *batch; const cnnc_phase *phase; } Work;
static void do_work(void *context, int worker, int begin, int end) {
    const Work *w = context;
    w->phase->run(w->net, w->batch, worker, begin, end);
}

/* The phases of training that make the gradient; what else they change is changed back. False after a failure. */
static bool run_gradient(Arena *arena, cnnc_model *model, const cnnc_batch *batch) {
    const cnnc_network *network = model->network;
    size_t bytes = network->parameter_count * cnnc_type_size(network->type);
    void *parameters = memcpy(arena_alloc(arena, bytes + 1), model->state->parameters, bytes);
    for (int i = 0; i < network->train_phases && !is_update(&network->train[i]); i++) {
        Work work = {model->net, batch, &network->train[i]};
        int count = work.phase->count(model->net, batch);
        if (count < 0) return false;
        cnnc_pool_run(model->pool, do_work, &work, count);
    }
    memcpy(model->state->parameters, parameters, bytes);
    return true;
}

static void divide_all(double **arrays, const size_t *counts, int n, double by) {
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < counts[i]; k++) arrays[i][k] /= by;
}

/* Gradients of the loss: generated code has those that the optimizer takes, times loss_scale_factor. */
static void unscale(const Graph *g, const cnnc_network *network, int n, Results *r) {
    size_t *counts = NEW_ARRAY(g->arena, size_t, network->parameters_length + network->input_count + 1), *of_inputs = counts + network->parameters_length;
    for (int i = 0; i < network->parameters_length; i++) counts[i] = network->parameters[i].count;
    for (int i = 0; i < network->input_count; i++) of_inputs[i] = network->inputs[i].count * (size_t)n;
    divide_all(r->gradients, counts, network->parameters_length, loss_scale_factor(g));
    divide_all(r->input_gradients, of_inputs, network->input_count, loss_scale_factor(g));
}

bool model_results(const Graph *g, cnnc_model *model, int n, void *const *inputs, void *const *wanted, Results *r, cnnc_error *failure) {
    Arena *arena = g->arena;
    const cnnc_network *network = model->network;
    *r = (Results){0};
    void **outputs = new_arrays(arena, network->outputs, network->output_count, n, network->type);
    void **gradients = new_arrays(arena, network->inputs, network->input_count, n, network->type);
    const cnnc_batch predict = {n, (const void *const *)inputs, NULL, NULL, outputs, NULL};
    const cnnc_batch train = {n, (const void *const *)inputs, (const void *const *)wanted, NULL, NULL, gradients};
    if (cnnc_model_predict_batch(model, &predict, failure)) return false;
    r->outputs = load_arrays(arena, network->outputs, network->output_count, n, network->type, outputs);
    if (!network->train || !wanted) return true;
    if (cnnc_model_evaluate_batch(model, &train, NULL, failure)) return false;
    r->evaluated = average_totals(arena, model, n);
    if (!run_gradient(arena, model, &train)) bug("no memory for a batch of %d examples", n);
    r->totals = average_totals(arena, model, n);
    r->gradients = sum_gradients(arena, model);
    r->input_gradients = load_arrays(arena, network->inputs, network->input_count, n, network->type, gradients);
    unscale(g, network, n, r);
    return true;
}
