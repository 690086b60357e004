/* random_run.c: see random_run.h.
 *
 * A network is compiled twice: in double with plain loops, which must be the interpreter to rounding, and in float. Both take two
 * steps. Before each the interpreter gets the float code's weights: outputs, loss and gradients are compared; then the double code
 * makes the update from the float code's gradient, and the weights of both are compared. In the end code that stands alone predicts with
 * these weights. */
#define _POSIX_C_SOURCE 200809L
#include "random_run.h"

#include "random_alone.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double double_tolerance = 1e-9, float_tolerance = 1e-4;
static const double of_doubles = 1e-6;    /* by how much less noise moves them than floats, at least */
static const double loss_rounding = 6e-8; /* of 1 - 1e-7, to which probabilities are clipped */
static const double large = 1e5, chaos = 0.01;
enum { STEPS = 2, THREADS = 2 };

typedef struct Code { Compilation c; void *library; cnnc_model *model; } Code;
typedef struct Trial {
    const RandomRun *how;
    const char *net;
    Code doubles, floats;
    const Graph *graph;      /* of the double code; the interpreter's */
    int n;                   /* examples */
    int status;
} Trial;

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

/* ---- code ------------------------------------------------------------------------------------------------------------- */

static bool generate(Trial *t, Code *code, const char *net, const char *name) {
    Compilation *c = &code->c;
    c->source = (Source){"random.net", net, strlen(net)};
    c->quiet = true;
    c->options.shard_size = t->how->shard_size;
    c->options.most_examples = t->n;
    c->options.header = arena_printf(c->arena, "%s.h", name);
    int status = compile_source(c, NULL, NULL, NULL);
    const char *base = arena_printf(c->arena, "%s/%s", t->how->folder, name);
    if (status) printf("%s", c->diag.out.text);
    if (status) return t->status = RUN_REFUSED, false;
    const char *failure = write_file(c->arena, arena_printf(c->arena, "%s.c", base), c->c.text, c->c.length);
    if (!failure) failure = write_file(c->arena, arena_printf(c->arena, "%s.h", base), c->h.text, c->h.length);
    if (failure) bug("%s", failure);
    return true;
}

static bool load(Trial *t, Code *code, const char *compiler, const char *flags, const char *name) {
    Compilation *c = &code->c;
    const char *base = arena_printf(c->arena, "%s/%s", t->how->folder, name);
    const char *command = arena_printf(c->arena, "%s -std=c11 %s -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fPIC -shared -I%s/runtime -o %s.so %s.c -lm",
                                       compiler, flags, CNNC_SOURCE_DIR, base, base);
    fflush(stdout);
    if (system(command)) {
        printf("failed: %s\n", command);
        return t->status = RUN_SILENT, false;
    }
    code->library = dlopen(arena_printf(c->arena, "%s.so", base), RTLD_NOW | RTLD_LOCAL);
    if (!code->library) bug("%s", dlerror());
    const cnnc_network *network = dlsym(code->library, "net_network");
    return network != NULL;
}

static bool begin(Trial *t, const char *net) {
    Options *o = &t->doubles.c.options;
    compilation_init(&t->doubles.c, false);
    compilation_init(&t->floats.c, false);
    o->input_gradient = o->real_is_double = true;
    o->targets[0] = find_target("scalar");
    o->target_count = 1;
    o->algorithm = "plain";
    o = &t->floats.c.options;
    o->input_gradient = t->how->input_gradient;
    o->algorithm = t->how->algorithm;
    if (t->how->targets) o->target_count = 0;
    for (const Target *target = targets; t->how->targets && target->name; target++)
        if (strstr(t->how->targets, target->name)) o->targets[o->target_count++] = target;
    if (!generate(t, &t->doubles, net, "double") || !generate(t, &t->floats, net, "float")) return false;
    t->graph = t->doubles.c.graph;
    return load(t, &t->doubles, t->how->compiler, "-O0", "double");
}

static cnnc_model *new_model(Code *code, const char *variant) {
    cnnc_error error;
    const cnnc_network *network = dlsym(code->library, "net_network");
    cnnc_model *model = cnnc_model_new(network, THREADS, variant, &error);
    if (!model) printf("not run: %s\n", error.text);
    return code->model = model;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------- */

static bool is_ordinary(const double *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= large)) return false;
    return true;
}

/* What was looked at, by what tolerance; noisy NULL: no other excuse. */
static void compare(Trial *t, const char *what, const char *name, const double *x, const double *exact, double *const *noisy, size_t n, double tolerance) {
    double error = absolute_error(x, exact, n), size = largest(exact, n);
    if (error <= tolerance * size || (n == 1 && error <= loss_rounding)) return;
    double spread = noisy ? spread_of(exact, noisy, n) : 0;
    int status = !is_rounding(error, tolerance < float_tolerance ? spread * of_doubles : spread) ? RUN_WRONG : spread > chaos * size ? RUN_UNFIT : RUN_HARD;
    printf("%s: %s: error %.2e of %.2e, by noise %.2e%s\n", what, name, error, size, spread, status == RUN_WRONG ? ": WRONG" : "");
    if (status > t->status) t->status = status;
}

typedef double *Pick(const Results *, int index);
static double *pick_output(const Results *r, int i) { return r->outputs[i]; }
static double *pick_gradient(const Results *r, int i) { return r->gradients[i]; }
static double *pick_input_gradient(const Results *r, int i) { return r->input_gradients[i]; }
static double *pick_total(const Results *r, int i) { return r->totals + i; }
static double *pick_evaluated(const Results *r, int i) { return r->evaluated + i; }

static void compare_one(Trial *t, const char *what, const char *name, Pick *pick, int i, const Results *r, const Expected *e, size_t n, bool exact) {
    double *noisy[NOISES];
    for (int k = 0; k < NOISES; k++) noisy[k] = pick(&e->noisy[k], i);
    compare(t, what, name, pick(r, i), pick(&e->exact, i), noisy, n, exact ? double_tolerance : float_tolerance);
}

/* Metrics of float code are not compared: a class may change within the tolerance. */
static void compare_results(Trial *t, const char *what, const Results *r, const Expected *e, bool exact) {
    const Graph *g = t->graph;
    Arena *a = g->arena;
    for (int i = 0; i < g->output_count; i++) compare_one(t, what, arena_printf(a, "output %d", i), pick_output, i, r, e, count_of(g->outputs[i]) * (size_t)t->n, exact);
    for (int i = 0; i < g->total_count; i++) {
        if (!exact && !g->totals[i]->is_loss) continue;
        const char *name = i ? g->metrics[i - 1] : "loss";
        compare_one(t, what, name, pick_total, g->totals[i]->index, r, e, count_of(g->totals[i]), exact);
        compare_one(t, what, arena_printf(a, "evaluated %s", name), pick_evaluated, g->totals[i]->index, r, e, count_of(g->totals[i]), exact);
    }
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->gradient) compare_one(t, what, arena_printf(a, "gradient %s", weight_path(a, g->parameters[i])), pick_gradient, i, r, e, count_of(g->parameters[i]), exact);
    for (int i = 0; i < g->input_count && (exact || t->how->input_gradient); i++)
        if (g->inputs[i]->gradient) compare_one(t, what, arena_printf(a, "gradient of input %d", i), pick_input_gradient, i, r, e, count_of(g->inputs[i]) * (size_t)t->n, exact);
}

/* ---- the interpreter ------------------------------------------------------------------------------------------------------ */

/* False where numbers are out of hand. */
static bool are_ordinary(const Expected *e) {
    const Interpreter *it = &e->it;
    const Results *r = &e->exact;
    const Graph *g = it->graph;
    for (int i = 0; i < g->output_count; i++)
        if (!is_ordinary(r->outputs[i], count_of(g->outputs[i]) * (size_t)it->n)) return false;
    if (!is_ordinary(r->evaluated, (size_t)g->total_elements)) return false;
    for (int i = 0; i < it->graph->op_count; i++) {
        const Op *op = it->graph->ops[i];
        for (int k = 0; k < op->output_count; k++) {
            const Tensor *x = op->outputs[k];
            if (x->type == TYPE_REAL && !is_ordinary(it->values[x->id], count_of(x) * (is_shared(x) ? 1 : (size_t)it->n))) return false;
        }
    }
    return true;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static double **weights_of(const Trial *t, const cnnc_model *model) {
    const cnnc_network *network = model->network;
    double **values = NEW_ARRAY(t->graph->arena, double *, network->parameters_length + 1);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        values[i] = load_numbers(t->graph->arena, network->type, (const char *)model->state->parameters + p->offset * cnnc_type_size(network->type), p->count);
    }
    return values;
}

/* The gradient as the sum over its buffers, as floats; or the other way, into the first of them. */
static void move_gradient(Trial *t, cnnc_model *model, double **gradient, bool into) {
    const cnnc_network *network = model->network;
    size_t size = cnnc_type_size(network->type);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        if (!into) gradient[i] = NEW_ARRAY(t->graph->arena, double, p->count + 1);
        for (int b = 0; b < network->gradient_buffers; b++) {
            char *at = (char *)model->state->gradients + ((size_t)b * network->parameter_count + p->offset) * size;
            const double *terms = load_numbers(t->graph->arena, network->type, at, p->count);
            for (size_t k = 0; !into && k < p->count; k++) gradient[i][k] = (double)(float)(gradient[i][k] + terms[k]);
            if (!into) continue;
            memset(at, 0, size * p->count);
            if (!b) memcpy(at, store_numbers(t->graph->arena, network->type, gradient[i], p->count), size * p->count);
        }
    }
}

typedef struct Work { void *net; const cnnc_batch *batch; const cnnc_phase *phase; } Work;
static void do_work(void *context, int worker, int begin, int end) {
    const Work *w = context;
    w->phase->run(w->net, w->batch, worker, begin, end);
}

/* One update. gives: the gradient is copied there; else it comes from there. */
static void step_model(Trial *t, cnnc_model *model, const Batch *b, double **gradient, bool gives) {
    const cnnc_network *network = model->network;
    Arena *a = t->graph->arena;
    bool moved = false;
    void **inputs = store_all(a, network->inputs, network->input_count, b->inputs, b->n), **wanted = store_all(a, network->targets, network->target_count, b->targets, b->n);
    const cnnc_batch batch = {b->n, (const void *const *)inputs, (const void *const *)wanted, NULL, NULL, new_arrays(a, network->inputs, network->input_count, b->n, network->type)};
    for (int i = 0; i < network->train_phases; i++) {
        Work work = {model->net, &batch, &network->train[i]};
        if (!moved && is_update(&network->train[i])) moved = true, move_gradient(t, model, gradient, !gives);
        cnnc_pool_run(model->pool, do_work, &work, work.phase->count(model->net, &batch));
    }
    model->state->step++;
    model->state->version++;
    if (network->schedule) model->state->learning_rate = network->schedule(model->state->step);
}

static void compare_weights(Trial *t, const char *what) {
    double **x = weights_of(t, t->floats.model), **exact = weights_of(t, t->doubles.model);
    const cnnc_network *network = t->floats.model->network;
    for (int i = 0; i < network->parameters_length; i++)
        compare(t, what, network->parameters[i].name, x[i], exact[i], NULL, network->parameters[i].count, float_tolerance);
}

static bool run_results(Trial *t, cnnc_model *model, const Batch *b, Results *r) {
    cnnc_error error;
    Arena *a = t->graph->arena;
    const cnnc_network *network = model->network;
    void **inputs = store_all(a, network->inputs, network->input_count, b->inputs, b->n), **wanted = store_all(a, network->targets, network->target_count, b->targets, b->n);
    if (!model_results(t->graph, model, b->n, inputs, wanted, r, &error)) {
        printf("%s\n", error.text);
        return t->status = RUN_WRONG, false;
    }
    return true;
}

/* The initial weights and the first batch, before anything is done about float code. */
static bool begins_well(Trial *t) {
    int redrawn;
    double **weights = draw_parameters(t->graph->arena, t->doubles.model, t->how->seed);
    Interpreter drawer = interpreter_at(t->graph, weights, 0, has_statistics(t->graph) ? t->n : 1);
    const Batch batch = draw_batch(&drawer, t->n, t->how->seed, &redrawn);
    Expected e = {.it = interpreter_at(t->graph, weights, 0, t->n)};
    e.exact = interpreter_results(&e.it, &batch);
    return are_ordinary(&e);
}

static bool step(Trial *t, int k) {
    Arena *a = t->graph->arena;
    cnnc_model *doubles = t->doubles.model, *floats = t->floats.model;
    double **weights = weights_of(t, floats), **gradient = NEW_ARRAY(a, double *, floats->network->parameters_length + 1);
    Results r;
    int redrawn;
    Interpreter drawer = interpreter_at(t->graph, weights, (uint64_t)k, has_statistics(t->graph) ? t->n : 1);
    const Batch batch = draw_batch(&drawer, t->n, t->how->seed + (uint64_t)k, &redrawn);
    const Expected e = expect_results(t->graph, weights, (uint64_t)k, &batch, t->how->seed);
    if (!are_ordinary(&e)) return t->status = RUN_UNFIT, false;
    set_model(a, doubles, weights);
    if (!run_results(t, doubles, &batch, &r)) return false;
    compare_results(t, arena_printf(a, "double, step %d", k), &r, &e, true);
    if (!run_results(t, floats, &batch, &r)) return false;
    compare_results(t, arena_printf(a, "%s, step %d", cnnc_model_variant(floats), k), &r, &e, false);
    step_model(t, floats, &batch, gradient, true);
    step_model(t, doubles, &batch, gradient, false);
    compare_weights(t, arena_printf(a, "%s, weights after step %d", cnnc_model_variant(floats), k));
    return t->status < RUN_UNFIT;
}

/* Outputs only: of the examples of a third step. */
static void run_alone(Trial *t) {
    Arena *a = t->graph->arena;
    cnnc_random random;
    int redrawn;
    cnnc_random_seed(&random, t->how->seed, 2);
    const Alone alone = {t->how->folder, t->how->compiler, "-O0", t->how->algorithm, (Optimize)cnnc_random_below(&random, 3), cnnc_random_below(&random, 2), cnnc_random_below(&random, 2)};
    double **weights = weights_of(t, t->floats.model);
    Interpreter drawer = interpreter_at(t->graph, weights, STEPS, has_statistics(t->graph) ? t->n : 1);
    const Batch batch = draw_batch(&drawer, t->n, t->how->seed + STEPS, &redrawn);
    const Expected e = expect_results(t->graph, weights, STEPS, &batch, t->how->seed);
    if (!are_ordinary(&e)) return;
    Results r = {.outputs = alone_outputs(a, t->net, &alone, t->floats.model, &batch)};
    const char *what = arena_printf(a, "alone, optimized %d, weights %s, %s", (int)alone.optimize, alone.known ? "known" : "packed", alone.many ? "many" : "one");
    if (!r.outputs) {
        printf("%s: no code\n", what);
        t->status = RUN_SILENT;
    }
    for (int i = 0; r.outputs && i < t->graph->output_count; i++)
        compare_one(t, what, arena_printf(a, "output %d", i), pick_output, i, &r, &e, count_of(t->graph->outputs[i]) * (size_t)t->n, false);
}

/* One variant of the float code; the double code from the start each time. */
static void run_variant(Trial *t, const char *variant) {
    if (!new_model(&t->floats, variant) || !new_model(&t->doubles, NULL)) return;
    double **weights = draw_parameters(t->graph->arena, t->doubles.model, t->how->seed);
    set_model(t->graph->arena, t->floats.model, weights);
    for (int k = 0; k < STEPS && step(t, k); k++) {}
    if (t->status < RUN_UNFIT && t->floats.model->network->finalize) {
        t->floats.model->network->finalize(t->floats.model->net);
        t->doubles.model->network->finalize(t->doubles.model->net);
        compare_weights(t, "weights in the end");
    }
    if (t->status < RUN_UNFIT) run_alone(t);
    cnnc_model_free(t->floats.model);
    cnnc_model_free(t->doubles.model);
}

int random_run(const char *net, const RandomRun *how) {
    Trial t = {.how = how, .net = net, .n = 2 * how->shard_size + 1};
    if (!begin(&t, net) || !new_model(&t.doubles, NULL)) return t.status;
    bool well = begins_well(&t);
    cnnc_model_free(t.doubles.model);
    if (!well) return RUN_UNFIT;
    if (!load(&t, &t.floats, how->compiler, how->flags, "float")) return t.status;
    const cnnc_network *network = dlsym(t.floats.library, "net_network");
    for (int i = 0; i < network->variant_count && t.status < RUN_UNFIT; i++) run_variant(&t, network->variants[i]);
    return t.status;
}
