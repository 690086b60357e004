/* check_operators.c: each operator of a network alone: the gradient ops that its definition adds against central
 * differences of its evaluate, in double.
 *
 * An op is put into a graph of its own with fresh operands, and its gradient is asked for as autodiff asks: what is
 * tested is what autodiff adds, also where that is dy itself. Batches and sums of several gradients are not looked at. */
#include "interpret.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double tolerance = 1e-6;
static const double step = 1e-5;        /* of the operand's root mean square */
static const double kink = 1e-3;        /* one-sided differences further apart than this part of the largest: skipped */
static const double smallest = 1e-4;    /* gradients below are not told from the differences' rounding */
enum { MIN_SAMPLES = 64, MAX_SAMPLES = 400, LOSS_ROWS = 16 };
static const double work = 4e8;         /* operations for the differences in one operand, where samples may be fewer */

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }
static bool is_total(const Op *op) { return op->outputs[0]->role == ROLE_TOTAL; }

/* ---- an op in a graph of its own --------------------------------------------------------------------------------- */

static bool can_want_gradient(const Tensor *t) {
    if (t->role == ROLE_PARAMETER) return t->trainable;
    return t->role != ROLE_TARGET && t->role != ROLE_MASK && t->type != TYPE_I32;
}

/* The rows of a loss are all alike: fewer will do, and their sum hides less of a difference. */
static Shape operand_shape(const Op *op, const Tensor *t) {
    Shape s = t->shape;
    int64_t rows = 1;
    for (int i = 0; is_total(op) && i < op->inputs[0]->shape.rank - 1 && i < s.rank; i++) {
        while (s.dim[i] > 1 && s.dim[i] * rows > LOSS_ROWS) s.dim[i]--;
        rows *= s.dim[i];
    }
    return s;
}

static Tensor *new_operand(Graph *g, const Op *op, const Tensor *t) {
    Role role = t->role == ROLE_PARAMETER || t->role == ROLE_TARGET || t->role == ROLE_INPUT ? t->role : ROLE_ACTIVATION;
    Tensor *x = new_tensor(g, NULL, "operand", operand_shape(op, t), t->type, role);
    x->layer = t->layer, x->weight = t->weight, x->classes = t->classes, x->trainable = t->trainable;
    x->wants_gradient = can_want_gradient(t);
    return x;
}

/* *dy: what flows into the op; NULL for a loss. */
static Op *isolate(Graph *g, const Op *op, Tensor **dy) {
    Tensor **inputs = NEW_ARRAY(g->arena, Tensor *, op->input_count);
    for (int i = 0; i < op->input_count; i++) inputs[i] = new_operand(g, op, op->inputs[i]);
    if (is_weighted(op)) inputs[2]->wants_gradient = false;
    g->scale = new_tensor(g, NULL, "scale", shape1(1), TYPE_REAL, ROLE_SCALE);
    Tensor *y = add_op(g, op->def, op->layer, op->attributes, inputs, op->input_count);
    if (!y) bug("'%s' does not build again", op->def->call.name);
    Op *alone = y->producer;
    *dy = is_total(op) ? NULL : new_tensor(g, NULL, "dy", y->shape, TYPE_REAL, ROLE_GRADIENT);
    y->wants_gradient = true;
    if (*dy) add_gradient(g, y, *dy);
    int forward = g->op_count;
    op->def->gradient(g, alone, *dy);
    for (int i = forward; i < g->op_count; i++) g->ops[i]->backward = true;
    return alone;
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

/* What a loss on probabilities gets: positive rows whose sum is 1. */
static void fill_probabilities(cnnc_random *random, const Tensor *t, double *x) {
    size_t n = (size_t)last_dim(t->shape);
    for (size_t r = 0; r < count_of(t); r += n) {
        double sum = 0;
        for (size_t i = r; i < r + n; i++) sum += x[i] = 0.2 + 0.6 * cnnc_random_uniform(random);
        for (size_t i = r; n > 1 && i < r + n; i++) x[i] /= sum;
    }
}

static void fill_operand(cnnc_random *random, const Op *op, int k, double *x) {
    if (k == 0 && op->def->kind == OP_LOSS && op->def->probabilities) fill_probabilities(random, op->inputs[k], x);
    else draw_example(random, op->inputs[k], x);
    for (size_t i = 0; op->def->positive & 1 << k && i < count_of(op->inputs[k]); i++) x[i] = 0.5 + x[i] * x[i];
}

/* Away from zero, so that each element of y counts. */
static void fill_dy(cnnc_random *random, double *dy, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double magnitude = 0.5 + cnnc_random_uniform(random);
        dy[i] = cnnc_random_below(random, 2) ? magnitude : -magnitude;
    }
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

typedef struct Trial {
    Interpreter it;
    const Op *op;
    const double *dy;
    double *y, *higher; /* y at the operands drawn, and above */
    cnnc_random random;
} Trial;

static double project(const Trial *t, const double *higher, const double *lower) {
    double sum = 0;
    for (size_t i = 0; i < count_of(t->op->outputs[0]); i++)
        if (higher[i] != lower[i]) sum += (t->dy ? t->dy[i] : 1) * (higher[i] - lower[i]);
    return sum;
}

/* The slope along one element of an operand; *bend: by how much its two sides differ. */
static double slope(Trial *t, double *element, double h, double *bend) {
    double *now = interpreter_value(&t->it, t->op->outputs[0]), kept = *element, up = kept + h, down = kept - h;
    *element = up;
    interpret_op(&t->it, t->op);
    memcpy(t->higher, now, sizeof(double) * count_of(t->op->outputs[0]));
    *element = down;
    interpret_op(&t->it, t->op);
    *element = kept;
    *bend = fabs(project(t, t->higher, t->y) / (up - kept) - project(t, t->y, now) / (kept - down));
    return project(t, t->higher, now) / (up - down);
}

static int sample_size(const Op *op, size_t count) {
    double flops = op->def->flops ? op->def->flops(op) : (double)count_of(op->outputs[0]);
    double most = fmin(MAX_SAMPLES, fmax(MIN_SAMPLES, work / fmax(flops, 1)));
    return (double)count < most ? (int)count : (int)most;
}

static const char *operand_name(Arena *arena, const Op *op, int k) {
    const Tensor *t = op->inputs[k];
    bool only = op->input_count == 1 || op->inputs[1]->weight || is_total(op);
    const char *name = t->weight ? t->weight : only ? "input" : arena_printf(arena, "input %d", k);
    return arena_printf(arena, "%s %s", name, shape_text(arena, t->shape));
}

/* A row of the table. */
static bool check_operand(Trial *t, int k) {
    const Tensor *x = t->op->inputs[k];
    Arena *arena = t->it.graph->arena;
    size_t count = count_of(x);
    int n = sample_size(t->op, count), skipped = 0;
    double *at = interpreter_value(&t->it, x), h = step * root_mean_square(at, count), error = 0, most = 0;
    const double *analytic = x->gradient ? interpreter_value(&t->it, x->gradient) : NULL;
    size_t *element = NEW_ARRAY(arena, size_t, n + 1);
    double *numeric = NEW_ARRAY(arena, double, n + 1), *bend = NEW_ARRAY(arena, double, n + 1);
    for (int i = 0; i < n; i++) {
        element[i] = (size_t)n == count ? (size_t)i : (size_t)cnnc_random_below(&t->random, count);
        numeric[i] = slope(t, at + element[i], h, &bend[i]);
        most = fmax(most, fabs(numeric[i]));
    }
    for (int i = 0; i < n; i++)
        if (bend[i] > kink * most) skipped++;
        else if (analytic) error = fmax(error, fabs(analytic[element[i]] - numeric[i]));
    bool numbers = analytic && !isnan(largest(analytic, count)) && !isnan(largest(numeric, (size_t)n));
    error = numbers ? error / fmax(most, smallest) : NAN;
    bool fine = error <= tolerance && skipped < n;
    printf("  %-20s %-32s %-24s %9zu %8d %8d %9.1e  %s\n", t->op->layer->name, t->op->def->call.name, operand_name(arena, t->op, k),
           count, n, skipped, error, !x->gradient ? "FAIL, no gradient" : fine ? "ok" : "FAIL");
    return fine;
}

static bool check_operator(const Graph *whole, const Op *op) {
    Graph g = {.arena = whole->arena, .diag = whole->diag, .name = whole->name, .names = whole->names};
    Tensor *dy;
    Op *alone = isolate(&g, op, &dy);
    Trial t = {.it = interpreter_new(&g, 1), .op = alone};
    size_t outputs = count_of(alone->outputs[0]);
    cnnc_random_seed(&t.random, 1, (uint64_t)op->id);
    for (int k = 0; k < alone->input_count; k++) fill_operand(&t.random, alone, k, interpreter_value(&t.it, alone->inputs[k]));
    if (dy) {
        double *values = t.it.values[dy->id] = NEW_ARRAY(g.arena, double, outputs); /* also where no gradient op reads it */
        fill_dy(&t.random, values, outputs);
        t.dy = values;
    }
    interpret(&t.it, RUN_ALL);
    t.y = NEW_ARRAY(g.arena, double, outputs);
    t.higher = NEW_ARRAY(g.arena, double, outputs);
    memcpy(t.y, interpreter_value(&t.it, alone->outputs[0]), sizeof(double) * outputs);
    bool fine = true;
    for (int k = 0; k < alone->input_count; k++)
        if (alone->inputs[k]->wants_gradient && !check_operand(&t, k)) fine = false;
    return fine;
}

bool check_operators(const Graph *g) {
    bool fine = true;
    printf("Operators: gradients against central differences in double, to %g of the largest\n", tolerance);
    printf("  %-20s %-32s %-24s %9s %8s %8s %9s\n", "layer", "operator", "gradient in", "elements", "tried", "at kinks", "error");
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        if (op->backward || !op->def->gradient || (is_total(op) && !op->outputs[0]->is_loss)) continue;
        if (!check_operator(g, op)) fine = false;
        fflush(stdout);
    }
    return fine;
}
