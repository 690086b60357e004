/* check_reference.c: generated float code against a safetensors file that another implementation wrote:
 *
 *     input, target               one batch; a second input is input_1 and so on
 *     initial/<layer>/<weight>    all weights before training
 *     output                      predictions from these; a second output is output_1 and so on
 *     loss [1]                    of the batch, at the initial weights
 *     gradient/<layer>/<weight>   d loss / d weight there; and, not needed, gradient/input
 *     losses [K]                  of the batch before each of K updates on it
 *     after/<layer>/<weight>      weights after these
 *
 * What is further away than the tolerance may still be float arithmetic's doing, the file's as well: see check_noise.c. Then it is shown
 * as such, and weights whose gradient is 0 but for rounding are not compared after updates by it; a moving mean of what such a bias was
 * added to may be away by what it follows of that. Updates may part for other reasons: see check_steps.c.
 *
 * Without a target only outputs are compared (a network may be random in training), without losses no updates. */
#include "interpret.h"

#include <limits.h>
#include <math.h>

#include <stdio.h>
#include <string.h>

typedef struct Reference {
    Arena *arena;
    const char *path;
    cnnc_safetensors file;
    cnnc_model *model;
    cnnc_dataset data;
    const Tolerances *tolerances;
    const Graph *graph;
    Compilation *doubles; /* not compiled until steps part */
    const char *net;
    Expected *expected; /* of the interpreter; NULL until something is too far away */
    const ExpectedSteps *steps_expected; /* likewise */
    bool steps_tried;
    bool *unknown;     /* by parameter: its gradient is 0 but for rounding */
    bool hard;         /* some row is as exact as floats can be, and no more */
    int n;             /* examples */
    size_t steps;      /* of training */
    bool trains;       /* the network does, and the file has a target */
    bool fits, fine;   /* the file fits the network; no row fails */
} Reference;

/* ---- what the file holds ----------------------------------------------------------------------------------------- */

static const cnnc_safetensor *find(Reference *r, const char *name, bool needed) {
    const cnnc_safetensor *t = cnnc_safetensors_find(&r->file, name);
    if (!t && needed) {
        say_error("%s: has no tensor '%s'", r->path, name);
        r->fits = false;
    }
    return t;
}

static const char *size_text(Arena *arena, int rank, const size_t *shape) {
    const char *text = arena_printf(arena, "%s", rank ? "" : "scalar");
    for (int i = 0; i < rank; i++) text = arena_printf(arena, "%s%s%zu", text, i ? "x" : "", shape[i]);
    return text;
}

/* The tensor's numbers when it has the shape; else NULL, after a message when it is there or needed. */
static double *numbers(Reference *r, const char *name, int rank, const size_t *shape, bool needed) {
    const cnnc_safetensor *t = find(r, name, needed);
    if (!t) return NULL;
    bool same = t->array.rank == rank;
    for (int i = 0; same && i < rank; i++) same = t->array.shape[i] == shape[i];
    double *values = NEW_ARRAY(r->arena, double, t->array.count + 1);
    cnnc_error failure;
    if (same && !cnnc_array_convert(&t->array, 0, t->array.count, CNNC_F64, values, &failure)) return values;
    if (same) say_error("%s: '%s': %s", r->path, name, failure.text);
    else
        say_error("%s: '%s' is %s, it should be %s", r->path, name,
                size_text(r->arena, t->array.rank, t->array.shape), size_text(r->arena, rank, shape));
    r->fits = false;
    return NULL;
}

static double *batch_numbers(Reference *r, const char *name, const cnnc_tensor *t, bool needed) {
    size_t shape[1 + CNNC_MAX_RANK] = {(size_t)r->n};
    for (int i = 0; i < t->rank; i++) shape[1 + i] = (size_t)t->shape[i];
    return numbers(r, name, 1 + t->rank, shape, needed);
}

static double *parameter_numbers(Reference *r, const char *group, const cnnc_parameter *p) {
    size_t shape[CNNC_MAX_RANK];
    for (int i = 0; i < p->rank; i++) shape[i] = (size_t)p->shape[i];
    return numbers(r, arena_printf(r->arena, "%s/%s", group, p->name), p->rank, shape, true);
}

static const char *indexed(Arena *arena, const char *name, int i) { return i ? arena_printf(arena, "%s_%d", name, i) : name; }

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void print_word(const char *name, const char *shape, double error, double tolerance, const char *word) {
    printf("  %-40s %-16s %9.1e %9.0e  %s\n", name, shape, error, tolerance, word);
}
static void print_row(Reference *r, const char *name, const char *shape, double error, double tolerance) {
    bool fine = error <= tolerance;
    print_word(name, shape, error, tolerance, fine ? "ok" : "FAIL");
    r->fine = r->fine && fine;
}

static void print_float_row(Reference *r, const char *name, const char *shape, double error, double tolerance) {
    print_word(name, shape, error, tolerance, "float");
    r->hard = true;
}

static double **dataset_numbers(const Reference *r, const cnnc_tensor *tensors, int count, void *const *arrays) {
    double **numbers = NEW_ARRAY(r->arena, double *, count + 1);
    for (int i = 0; i < count; i++) numbers[i] = load_numbers(r->arena, tensors[i].type, arrays[i], tensors[i].count * (size_t)r->n);
    return numbers;
}

static double **initial_weights(Reference *r) {
    const cnnc_network *network = r->model->network;
    double **weights = NEW_ARRAY(r->arena, double *, network->parameters_length + 1);
    for (int i = 0; i < network->parameters_length; i++) weights[i] = parameter_numbers(r, "initial", &network->parameters[i]);
    return weights;
}

/* Without targets where the file has none. */
static Batch batch_of(const Reference *r) {
    const cnnc_network *network = r->model->network;
    double **wanted = r->trains ? dataset_numbers(r, network->targets, network->target_count, r->data.targets) : NULL;
    return (Batch){r->n, dataset_numbers(r, network->inputs, network->input_count, r->data.inputs), wanted};
}

/* The interpreter's results on the file's weights and batch. */
static const Expected *expect(Reference *r) {
    if (r->expected) return r->expected;
    const Batch batch = batch_of(r);
    r->expected = NEW(r->arena, Expected);
    *r->expected = expect_results(r->graph, initial_weights(r), 0, &batch, 1);
    return r->expected;
}

/* The double code's steps from there; NULL where there is no such code. */
static const ExpectedSteps *step_in_double(Reference *r) {
    const Batch batch = batch_of(r);
    if (!r->steps_tried) r->steps_expected = expect_steps(r->doubles, r->net, initial_weights(r), &batch, r->steps);
    r->steps_tried = true;
    return r->steps_expected;
}

static const char *tensor_shape(Arena *arena, int n, const cnnc_tensor *t) {
    const char *text = arena_printf(arena, "%d", n);
    for (int i = 0; i < t->rank; i++) text = arena_printf(arena, "%sx%d", text, t->shape[i]);
    return text;
}

enum { INPUT = -1, LOSS = -2, OUTPUT = -3 };
/* The loss and the metrics. */
static double *made_of(const Reference *r, const double *totals) {
    const cnnc_network *network = r->model->network;
    double *made = NEW_ARRAY(r->arena, double, 1 + network->metric_count);
    if (network->results) network->results(totals, made);
    else memcpy(made, totals, sizeof *made * (size_t)(1 + network->metric_count));
    return made;
}

/* What explains rows by rounding: the gradient in parameter i, that in the INPUT, the LOSS, output OUTPUT - i. */
static double *explained_of(const Reference *r, const Results *results, int i) {
    if (i <= OUTPUT) return results->outputs[OUTPUT - i];
    return i == LOSS ? made_of(r, results->totals) : i == INPUT ? results->input_gradients[0] : results->gradients[i];
}

/* How far rounding moves an element of n at most; 0 of an input that has no gradient. */
static double explained_spread(const Reference *r, const Expected *e, int i, size_t n) {
    double *noisy[NOISES];
    if (!explained_of(r, &e->exact, i)) return 0;
    for (int k = 0; k < NOISES; k++) noisy[k] = explained_of(r, &e->noisy[k], i);
    return spread_of(explained_of(r, &e->exact, i), noisy, n);
}

static void print_explained_row(Reference *r, int i, const char *name, const char *shape, const double *values, const double *expected, size_t n) {
    const double error = relative_error(values, expected, n), tolerance = i <= OUTPUT ? r->tolerances->output : r->tolerances->gradient;
    if (error <= tolerance) {
        print_row(r, name, shape, error, tolerance);
        return;
    }
    const Expected *e = expect(r);
    const double spread = explained_spread(r, e, i, n);
    const bool hard = is_rounding(absolute_error(values, expected, n), spread);
    (hard ? print_float_row : print_row)(r, name, shape, error, tolerance);
    if (i >= 0) r->unknown[i] = hard && largest(explained_of(r, &e->exact, i), n) < spread;
}

/* The model's, as they are now. */
static const double *weights_of(const Reference *r, int i) {
    const cnnc_network *network = r->model->network;
    const cnnc_parameter *p = &network->parameters[i];
    return load_numbers(r->arena, network->type, (const float *)r->model->state->parameters + p->offset, p->count);
}

/* How far a bias that only rounding has moved takes parameter i with it, when that is the moving mean of what it was added to; else 0.
 * Twice what the mean follows in so many steps of a bias that was as far away in all of them. */
static double drift_below(Reference *r, int i) {
    const Tensor *mean = r->graph->parameters[i];
    for (int k = 0; k < r->graph->parameter_count && !strcmp(mean->weight, "moving_mean"); k++) {
        const Tensor *bias = r->graph->parameters[k];
        const cnnc_parameter *p = &r->model->network->parameters[k];
        if (!r->unknown[k] || strcmp(bias->weight, "bias") || bias->layer != mean->layer->inputs[0]->layer) continue;
        const double *expected = parameter_numbers(r, "after", p);
        if (!expected) return 0;
        double follows = 1 - pow(layer_attribute(mean->layer, "momentum")->real, (double)r->steps);
        return fmin(1, 2 * follows) * absolute_error(weights_of(r, k), expected, p->count);
    }
    return 0;
}

/* Whether rounding explains how far n numbers are from the file's, and how far those in double are. */
static bool is_parting(const double *values, const double *exact, const double *expected, size_t n, double spread) {
    return is_rounding(absolute_error(values, expected, n), spread) && is_rounding(absolute_error(exact, expected, n), spread);
}

static bool weights_part(Reference *r, int i, const double *values, const double *expected) {
    const ExpectedSteps *e = step_in_double(r);
    size_t n = r->model->network->parameters[i].count;
    return e && is_parting(values, e->after[i], expected, n, e->after_spreads[i]);
}

static void print_weight_row(Reference *r, int i) {
    const cnnc_parameter *p = &r->model->network->parameters[i];
    const double *expected = parameter_numbers(r, "after", p), *values = weights_of(r, i);
    const char *name = arena_printf(r->arena, "after/%s", p->name), *shape = shape_text(r->arena, shape_of(p->rank, p->shape));
    if (!expected) return;
    double error = relative_error(values, expected, p->count), tolerance = r->tolerances->after;
    bool far = !r->unknown[i] && !(error <= tolerance), drifted = far && absolute_error(values, expected, p->count) <= drift_below(r, i);
    if (r->unknown[i] || drifted || (far && weights_part(r, i, values, expected))) print_float_row(r, name, shape, error, tolerance);
    else print_row(r, name, shape, error, tolerance);
}

static void compare_outputs(Reference *r, const Results *results) {
    for (int i = 0; i < r->model->network->output_count; i++) {
        const cnnc_tensor *t = &r->model->network->outputs[i];
        const char *name = indexed(r->arena, "output", i);
        const double *expected = batch_numbers(r, name, t, true);
        size_t n = t->count * (size_t)r->n;
        if (expected) print_explained_row(r, OUTPUT - i, name, tensor_shape(r->arena, r->n, t), results->outputs[i], expected, n);
    }
}

static void compare_gradients(Reference *r, const Results *results) {
    const cnnc_network *network = r->model->network;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        const double *expected = p->trainable ? parameter_numbers(r, "gradient", p) : NULL;
        const char *name = arena_printf(r->arena, "gradient/%s", p->name), *shape = shape_text(r->arena, shape_of(p->rank, p->shape));
        if (expected) print_explained_row(r, i, name, shape, results->gradients[i], expected, p->count);
    }
    const cnnc_tensor *x = &network->inputs[0];
    const double *expected = network->input_count == 1 ? batch_numbers(r, "gradient/input", x, false) : NULL;
    if (expected) print_explained_row(r, INPUT, "gradient/input", tensor_shape(r->arena, r->n, x), results->input_gradients[0], expected, x->count * (size_t)r->n);
}

/* Metrics: those that the file has. */
static void compare_results(Reference *r, const Results *results) {
    const cnnc_network *network = r->model->network;
    const double *loss = numbers(r, "loss", 1, (size_t[]){1}, true);
    double *made = made_of(r, results->totals);
    if (loss) print_explained_row(r, LOSS, "loss", "1", made, loss, 1);
    for (int i = 0; i < network->metric_count; i++) {
        const char *name = arena_printf(r->arena, "metric/%s", network->metrics[i]);
        const double *expected = numbers(r, name, 1, (size_t[]){1}, false);
        if (expected) print_row(r, name, "1", relative_error(&made[i + 1], expected, 1), r->tolerances->gradient);
    }
}

/* ---- steps of training ------------------------------------------------------------------------------------------- */

static bool losses_part(Reference *r, const double *losses, const double *expected) {
    const ExpectedSteps *e = step_in_double(r);
    return e && is_parting(losses, e->losses, expected, r->steps, e->losses_spread);
}

/* False when the file has losses in a wrong shape. */
static bool compare_losses(Reference *r, const cnnc_safetensor *t) {
    cnnc_model *model = r->model;
    const cnnc_network *network = model->network;
    const double *expected = numbers(r, "losses", 1, &t->array.count, true);
    if (!expected) return false;
    size_t steps = r->steps = t->array.count;
    double *losses = NEW_ARRAY(r->arena, double, steps + 1), *results = NEW_ARRAY(r->arena, double, 1 + network->metric_count);
    const cnnc_batch batch = {
        .n = r->n, .inputs = (const void *const *)r->data.inputs, .targets = (const void *const *)r->data.targets,
        .input_gradients = new_arrays(r->arena, network->inputs, network->input_count, r->n, network->type),
    };
    cnnc_error failure;
    for (size_t k = 0; k < steps; k++) {
        if (cnnc_model_train_batch(model, &batch, results, &failure)) bug("training: %s", failure.text);
        losses[k] = results[0];
    }
    double error = relative_error(losses, expected, steps), tolerance = r->tolerances->losses;
    bool parted = !(error <= tolerance) && losses_part(r, losses, expected);
    (parted ? print_float_row : print_row)(r, "losses", arena_printf(r->arena, "%zu", steps), error, tolerance);
    return true;
}

static void compare_after(Reference *r) {
    for (int i = 0; i < r->model->network->parameters_length; i++) print_weight_row(r, i);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void set_parameters(Reference *r) {
    const cnnc_network *network = r->model->network;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        const double *values = parameter_numbers(r, "initial", p);
        float *weights = (float *)r->model->state->parameters + p->offset;
        if (values) memcpy(weights, store_numbers(r->arena, network->type, values, p->count), p->count * sizeof(float));
    }
    cnnc_model_parameters_changed(r->model);
}

/* Inputs and, when both sides have one, the target, as the network wants them. */
static bool load_batch(Reference *r) {
    const cnnc_network *network = r->model->network;
    int wanted = r->trains ? network->target_count : 0, count = network->input_count + wanted;
    cnnc_array *arrays = NEW_ARRAY(r->arena, cnnc_array, count);
    const char **names = NEW_ARRAY(r->arena, const char *, count);
    for (int i = 0; i < count; i++) {
        const char *name = i < network->input_count ? indexed(r->arena, "input", i) : indexed(r->arena, "target", i - network->input_count);
        const cnnc_safetensor *t = find(r, name, true);
        if (!t) return false;
        arrays[i] = t->array;
        names[i] = arena_printf(r->arena, "%s: %s", r->path, name);
    }
    cnnc_error failure;
    if (!cnnc_dataset_make(network, arrays, arrays + network->input_count, wanted, names, &r->data, &failure) && r->data.n) {
        r->n = (int)r->data.n;
        return true;
    }
    say_error("%s", r->data.memory ? arena_printf(r->arena, "%s: has no examples", r->path) : failure.text);
    return r->fits = false;
}

static void compare(Reference *r) {
    const cnnc_network *network = r->model->network;
    const cnnc_safetensor *losses = cnnc_safetensors_find(&r->file, "losses");
    Results results;
    cnnc_error failure;
    r->trains = network->train && cnnc_safetensors_find(&r->file, "target");
    if (!load_batch(r)) return;
    set_parameters(r);
    if (!r->fits) return;
    void **wanted = r->trains ? r->data.targets : NULL;
    if (!model_results(r->graph, r->model, r->n, r->data.inputs, wanted, &results, &failure)) bug("running: %s", failure.text);
    printf("%s: %d examples, %s\n", r->path, r->n, cnnc_model_variant(r->model));
    printf("  %-40s %-16s %9s %9s\n", "tensor", "shape", "error", "tolerance");
    compare_outputs(r, &results);
    if (r->trains) compare_results(r, &results);
    if (r->trains) compare_gradients(r, &results);
    if (r->trains && losses && compare_losses(r, losses)) compare_after(r);
    if (r->hard) printf(ABOUT_FLOAT);
    const char *why = network->train ? "the file has no target" : "the network has no compile statement";
    if (!r->trains) printf("  training is not compared: %s\n", why);
}

static int check_file(Compilation *c, Compilation *doubles, const char *net, const cnnc_network *network, const char *reference, const Tolerances *tolerances) {
    Reference r = {.arena = c->arena, .doubles = doubles, .net = net, .path = reference, .tolerances = tolerances, .graph = c->graph, .fits = true, .fine = true};
    r.unknown = NEW_ARRAY(c->arena, bool, network->parameters_length + 1);
    cnnc_error failure;
    int status;
    if (cnnc_safetensors_read(reference, &r.file, &failure) || !(r.model = cnnc_model_new(network, 0, NULL, &failure)))
        say_error("%s", failure.text), status = status_of(&failure);
    else {
        compare(&r);
        status = r.fits && r.fine ? EXIT_FINE : EXIT_INPUT;
    }
    cnnc_dataset_free(&r.data);
    cnnc_model_free(r.model);
    cnnc_safetensors_free(&r.file);
    return status;
}

int reference_examples(const char *reference) {
    cnnc_safetensors file;
    cnnc_error failure;
    if (cnnc_safetensors_read(reference, &file, &failure)) return 0;
    const cnnc_safetensor *input = cnnc_safetensors_find(&file, "input");
    int n = input && input->array.rank && input->array.shape[0] <= INT_MAX ? (int)input->array.shape[0] : 0;
    cnnc_safetensors_free(&file);
    return n;
}

int check_reference(Compilation *c, Compilation *doubles, const char *net, const char *reference, const Tolerances *tolerances) {
    Loaded loaded;
    int status;
    const cnnc_network *network = load_network(c, net, &loaded, &status);
    if (!network) return status;
    status = check_file(c, doubles, net, network, reference, tolerances);
    unload_network(&loaded);
    return status;
}
