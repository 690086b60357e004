/* check_network.c: a whole network on one random batch: the interpreter's gradients against differences of its loss, the
 * generated double code against the interpreter, each float variant against the double code. Gradients that are further away may
 * still be as exact as that code can be (a bias in front of a batch normalization has none but rounding): see check_noise.c. */
#include "interpret.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double slope_tolerance = 1e-5, double_tolerance = 1e-10, float_tolerance = 1e-5;
static const double step = 5e-7;        /* of a tensor's root mean square, within what check_batch.c's `near` allows */
static const double finer = 0.1;        /* of the step, where a kink lies within it */
static const double precision = 1e-7;   /* of doubles, of that of floats; they are more exact than that */
static const double smallest = 1e-3;    /* slopes below are not told from the differences' rounding */
static const double work = 2e10, memory = 1 << 27; /* of the interpreters, 2 + NOISES at most: operations of one, elements of all */
enum { SEED = 1, THREADS = 2, MAX_VARIANTS = 8 };

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

/* ---- the batch ---------------------------------------------------------------------------------------------------- */

/* Two shards and a part of a third, unless that is too much for the interpreter. */
static int batch_size(const Graph *g, int shard_size) {
    double flops = 1, elements = 1;
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        flops += op->def->flops ? op->def->flops(op) : (double)count_of(op->outputs[0]);
        for (int k = 0; k < op->output_count; k++) elements += (double)count_of(op->outputs[k]);
    }
    return (int)fmax(2, fmin(2 * shard_size + 5, fmin(work / flops, memory / (2 + NOISES) / elements)));
}

/* ---- slopes ------------------------------------------------------------------------------------------------------ */

static double loss_at(Interpreter *one, double *x, const double *kept, const double *direction, size_t n, double h) {
    for (size_t i = 0; i < n; i++) x[i] = kept[i] + h * direction[i];
    interpret(one, RUN_FORWARD);
    double loss = 0;
    for (int k = 0; k < one->graph->total_count; k++) {
        const Tensor *total = one->graph->totals[k];
        if (total->is_loss) loss += factor_of(total) * *interpreter_value(one, total);
    }
    return loss / one->n;
}

static double slope_at(Interpreter *one, double *x, const double *kept, const double *direction, size_t n, double h) {
    return (loss_at(one, x, kept, direction, n, h) - loss_at(one, x, kept, direction, n, -h)) / (2 * h);
}

/* The error of a gradient along a random direction, at the examples (mostly it is one) that `one` ran last. */
static double slope_error(Interpreter *one, const Tensor *t) {
    size_t n = count_of(t) * (is_shared(t) ? 1 : (size_t)one->n);
    Arena *arena = one->graph->arena;
    double *x = interpreter_value(one, t), *kept = NEW_ARRAY(arena, double, n), *direction = NEW_ARRAY(arena, double, n);
    const double *gradient = interpreter_value(one, t->gradient);
    double size = fmax(root_mean_square(x, n), 1e-3), analytic = 0, squares = 0;
    cnnc_random random;
    cnnc_random_seed(&random, SEED, 3 + (uint64_t)t->id);
    memcpy(kept, x, sizeof(double) * n);
    for (size_t i = 0; i < n; i++) {
        direction[i] = cnnc_random_below(&random, 2) ? size : -size;
        analytic += gradient[i] * direction[i];
        squares += gradient[i] * gradient[i] * direction[i] * direction[i];
    }
    double scale = fmax(sqrt(squares), smallest), error = fabs(slope_at(one, x, kept, direction, n, step) - analytic) / scale;
    if (error > slope_tolerance) error = fmin(error, fabs(slope_at(one, x, kept, direction, n, finer * step) - analytic) / scale);
    memcpy(x, kept, sizeof(double) * n);
    return error;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef enum { ROW_OUTPUT, ROW_LOSS, ROW_METRIC, ROW_GRADIENT, ROW_INPUT_GRADIENT } RowKind;
typedef struct Row { RowKind kind; int index; const char *name; Shape shape; size_t count; } Row;
typedef struct Column { const char *name; Results results; } Column;
typedef struct Table {
    Arena *arena;
    Row *rows; int row_count;
    const Graph *graph;
    double *const *parameters;
    const Batch *batch;
    Interpreter *one;              /* for the slopes */
    Expected *expected;            /* NULL until a gradient is too far away */
    Results interpreter, doubles;
    Column floats[MAX_VARIANTS]; int float_count;
    bool hard;                     /* some row is as exact as floats can be, and no more */
} Table;

static void add_row(Table *t, RowKind kind, int index, const char *name, Shape shape, size_t n) {
    *PUSH(t->arena, t->rows, t->row_count) = (Row){kind, index, name, shape, (size_t)shape_count(shape) * n};
}

static void add_gradient_row(Table *t, RowKind kind, int index, const Tensor *x, size_t n) {
    const char *name = arena_printf(t->arena, "gradient %s", x->weight ? weight_path(t->arena, x) : x->layer->name);
    if (x->gradient) add_row(t, kind, index, name, x->shape, n);
}

static void add_rows(Table *t, const Graph *g, size_t n) {
    for (int i = 0; i < g->output_count; i++)
        add_row(t, ROW_OUTPUT, i, arena_printf(t->arena, "output %s", g->outputs[i]->layer->name), g->outputs[i]->shape, n);
    if (g->loss) add_row(t, ROW_LOSS, 0, "loss", shape1(1), 1);
    for (int i = 1; i < g->total_count; i++) add_row(t, g->totals[i]->is_loss ? ROW_LOSS : ROW_METRIC, g->totals[i]->index, g->metrics[i - 1], g->totals[i]->shape, 1);
    for (int i = 0; i < g->parameter_count; i++) add_gradient_row(t, ROW_GRADIENT, i, g->parameters[i], 1);
    for (int i = 0; i < g->input_count; i++) add_gradient_row(t, ROW_INPUT_GRADIENT, i, g->inputs[i], n);
}

static double *values_of(const Results *r, const Row *row) {
    switch (row->kind) {
    case ROW_OUTPUT: return r->outputs[row->index];
    case ROW_GRADIENT: return r->gradients[row->index];
    case ROW_INPUT_GRADIENT: return r->input_gradients[row->index];
    default: return &r->totals[row->index];
    }
}

static double row_error(const Row *row, const Results *r, const Results *expected) {
    double error = relative_error(values_of(r, row), values_of(expected, row), row->count);
    bool total = row->kind == ROW_LOSS || row->kind == ROW_METRIC;
    double evaluated = total ? relative_error(&r->evaluated[row->index], &expected->evaluated[row->index], row->count) : 0;
    return isnan(evaluated) || evaluated > error ? evaluated : error;
}

static bool print_error(double error, double tolerance) {
    printf(" %9.1e", error);
    return error <= tolerance;
}

/* Whether an output, a gradient or a loss is as far away from the expected one as rounding, times `part`, may move it. */
static bool is_inexact(Table *t, const Row *row, const Results *r, const Results *expected, double part) {
    double *noisy[NOISES];
    if (row->kind == ROW_METRIC) return false;
    if (!t->expected) {
        t->expected = NEW(t->arena, Expected);
        *t->expected = expect_results(t->graph, t->parameters, 0, t->batch, SEED);
    }
    for (int k = 0; k < NOISES; k++) noisy[k] = values_of(&t->expected->noisy[k], row);
    double spread = spread_of(values_of(&t->expected->exact, row), noisy, row->count);
    double error = absolute_error(values_of(r, row), values_of(expected, row), row->count);
    double evaluated = row->kind == ROW_LOSS ? absolute_error(&r->evaluated[row->index], &expected->evaluated[row->index], row->count) : 0;
    return is_rounding(error, part * spread) && is_rounding(evaluated, part * spread);
}

typedef enum { FAILS, IS_ROUNDING, AGREES } Verdict;

static Verdict print_results(Table *t, const Row *row, const Results *r, const Results *expected, double tolerance, double part) {
    if (print_error(row_error(row, r, expected), tolerance)) return AGREES;
    return is_inexact(t, row, r, expected, part) ? IS_ROUNDING : FAILS;
}

static Verdict worse(Verdict a, Verdict b) { return a < b ? a : b; }

static bool print_row(Table *t, const Graph *g, const Row *row) {
    static const char *const words[] = {[FAILS] = "FAIL", [IS_ROUNDING] = "float", [AGREES] = "ok"}; /* as check --reference says it */
    const Tensor *x = row->kind == ROW_GRADIENT ? g->parameters[row->index] : NULL;
    Verdict verdict = AGREES;
    if (row->kind == ROW_INPUT_GRADIENT) x = g->inputs[row->index];
    printf("  %-36s %-16s", row->name, shape_text(t->arena, row->shape));
    if (x) verdict = print_error(slope_error(t->one, x), slope_tolerance) ? AGREES : FAILS;
    else printf(" %9s", "-");
    verdict = worse(verdict, print_results(t, row, &t->doubles, &t->interpreter, double_tolerance, precision));
    for (int i = 0; i < t->float_count; i++)
        if (row->kind == ROW_METRIC) printf(" %9s", "-"); /* a class may change within the tolerance */
        else verdict = worse(verdict, print_results(t, row, &t->floats[i].results, &t->doubles, float_tolerance, 1));
    printf("  %s\n", words[verdict]);
    t->hard = t->hard || verdict == IS_ROUNDING;
    return verdict != FAILS;
}

static bool print_table(Table *t, const Graph *g) {
    bool fine = true;
    printf("  %-36s %-16s %9s %9s", "tensor", "shape", "slope", "double");
    for (int i = 0; i < t->float_count; i++) printf(" %9s", t->floats[i].name);
    printf("\n");
    for (int i = 0; i < t->row_count; i++)
        if (!print_row(t, g, &t->rows[i])) fine = false;
    printf("  %-36s %-16s %9.0e %9.0e", "tolerance, of the largest element", "", slope_tolerance, double_tolerance);
    for (int i = 0; i < t->float_count; i++) printf(" %9.0e", float_tolerance);
    printf("\n");
    if (t->hard) printf(ABOUT_FLOAT);
    return fine;
}

/* ---- generated code ---------------------------------------------------------------------------------------------- */

static bool run_model(const Graph *g, cnnc_model *model, double *const *parameters, const Batch *b, Results *r, cnnc_error *failure) {
    Arena *arena = g->arena;
    const cnnc_network *network = model->network;
    void **inputs = store_all(arena, network->inputs, network->input_count, b->inputs, b->n);
    void **wanted = network->target_count ? store_all(arena, network->targets, network->target_count, b->targets, b->n) : NULL;
    set_model(arena, model, parameters);
    return model_results(g, model, b->n, inputs, wanted, r, failure);
}

/* A variant that this machine cannot run is named and left out. */
static bool run_floats(Table *t, const cnnc_network *network, double *const *parameters, const Batch *b, cnnc_error *failure) {
    for (int i = 0; i < network->variant_count && i < MAX_VARIANTS; i++) {
        cnnc_model *model = cnnc_model_new(network, THREADS, network->variants[i], failure);
        if (!model) {
            printf("  not checked: %s\n", failure->text);
            continue;
        }
        Column *column = &t->floats[t->float_count++];
        column->name = network->variants[i];
        bool fine = run_model(t->graph, model, parameters, b, &column->results, failure);
        cnnc_model_free(model);
        if (!fine) return false;
    }
    return true;
}

static int compare(Compilation *c, cnnc_model *doubles, const cnnc_network *floats) {
    const Graph *g = c->graph;
    cnnc_error failure = {.text = ""};
    int n = batch_size(g, c->options.shard_size), redrawn;
    double **parameters = draw_parameters(c->arena, doubles, SEED);
    Interpreter one = interpreter_new(g, 1), all = interpreter_new(g, n), *few = has_statistics(g) ? &all : &one;
    set_interpreter(&one, parameters);
    set_interpreter(&all, parameters);
    const Batch batch = draw_batch(few, n, SEED, &redrawn);
    interpret(few, RUN_ALL);
    Table t = {.arena = c->arena, .graph = g, .parameters = parameters, .batch = &batch, .one = few, .interpreter = interpreter_results(&all, &batch)};
    printf("\nGenerated code: %d examples in shards of %d (%d drawn again, near kinks)\n", n, c->options.shard_size, redrawn);
    printf("slope: the interpreter's gradient against differences of its loss; double against the interpreter; others against it\n");
    if (!run_model(g, doubles, parameters, &batch, &t.doubles, &failure) ||
        !run_floats(&t, floats, parameters, &batch, &failure)) {
        say_error("%s", failure.text);
        return EXIT_FILE;
    }
    add_rows(&t, g, (size_t)n);
    return print_table(&t, g) ? EXIT_FINE : EXIT_INPUT;
}

static int check_loaded(Compilation *c, const cnnc_network *doubles, const cnnc_network *floats) {
    cnnc_error failure;
    cnnc_model *model = cnnc_model_new(doubles, THREADS, NULL, &failure);
    if (!model) {
        say_error("%s", failure.text);
        return EXIT_FILE;
    }
    int status = compare(c, model, floats);
    cnnc_model_free(model);
    return status;
}

int check_network(Compilation *doubles, Compilation *floats, const char *path) {
    Loaded a = {NULL, NULL}, b = {NULL, NULL};
    int status;
    doubles->quiet = floats->quiet = true; /* the check of operators has shown what there is */
    if (load_network(doubles, path, &a, &status) && load_network(floats, path, &b, &status))
        status = check_loaded(doubles, a.network, b.network);
    unload_network(&b);
    unload_network(&a);
    return status;
}
