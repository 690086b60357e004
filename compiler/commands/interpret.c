/* interpret.c: the plain interpreter. Its results define what generated code must compute; it is in no hurry. */
#include "interpret.h"

#include "cnnc_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

bool is_shared(const Tensor *t) {
    switch (t->role) {
    case ROLE_PARAMETER: case ROLE_PARAMETER_GRADIENT: case ROLE_DERIVED: case ROLE_BATCH: case ROLE_TOTAL: case ROLE_SCALE: return true;
    default: return false;
    }
}

/* Elements that the tensor has for all examples together. */
static size_t extent(const Interpreter *it, const Tensor *t) { return count_of(t) * (is_shared(t) ? 1 : (size_t)it->n); }

static double *value_at(const Interpreter *it, const Tensor *t, int example) {
    return it->values[t->id] + (is_shared(t) ? 0 : (size_t)example * count_of(t));
}

static void make_value(Interpreter *it, const Tensor *t) {
    if (!it->values[t->id]) it->values[t->id] = NEW_ARRAY(it->graph->arena, double, extent(it, t));
}

Interpreter interpreter_new(const Graph *g, int n) {
    Interpreter it = {.graph = g, .n = n, .values = NEW_ARRAY(g->arena, double *, g->tensor_count)};
    for (int i = 0; i < g->op_count; i++) {
        for (int k = 0; k < g->ops[i]->input_count; k++) make_value(&it, g->ops[i]->inputs[k]);
        for (int k = 0; k < g->ops[i]->output_count; k++) make_value(&it, g->ops[i]->outputs[k]);
    }
    for (int i = 0; i < g->parameter_count; i++) make_value(&it, g->parameters[i]);
    for (int i = 0; i < g->total_count; i++) make_value(&it, g->totals[i]);
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i]->role == ROLE_SCALE) make_value(&it, g->tensors[i]), *it.values[i] = factor_of(g->tensors[i]) / n;
    for (int i = 0; g->key && i < n; i++) {
        uint64_t key = cnnc_key(g->seed, 0, (uint64_t)i); /* of the first update */
        make_value(&it, g->key);
        it.values[g->key->id][2 * i] = (double)(uint32_t)key, it.values[g->key->id][2 * i + 1] = (double)(key >> 32);
    }
    return it;
}

double *interpreter_value(const Interpreter *it, const Tensor *t) { return it->values[t->id]; }

bool has_statistics(const Graph *g) {
    for (int i = 0; i < g->op_count; i++)
        if (g->ops[i]->def->moving) return true;
    return false;
}

static void clear_sums(Interpreter *it, const Op *op) {
    for (int k = 0; op->def->accumulates && k < op->output_count; k++)
        memset(it->values[op->outputs[k]->id], 0, sizeof(double) * extent(it, op->outputs[k]));
}

/* ---- noise ------------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

/* All numbers that an op works on, the smallest first. */
static double *sorted_operands(Arena *arena, const Interpreter *it, const Op *op, size_t *n) {
    *n = 0;
    for (int k = 0; k < op->input_count; k++) *n += extent(it, op->inputs[k]);
    double *all = NEW_ARRAY(arena, double, *n + 1), *to = all;
    for (int k = 0; k < op->input_count; to += extent(it, op->inputs[k]), k++)
        memcpy(to, it->values[op->inputs[k]->id], sizeof *all * extent(it, op->inputs[k]));
    qsort(all, *n, sizeof *all, by_size);
    return all;
}

static double moved_by(Interpreter *it, double x, double size) { return x + size * (2 * cnnc_random_uniform(&it->random) - 1); }

/* Zeros stay, and what was only moved or chosen: they are the same in any arithmetic, and gradients go by them. */
static void add_noise(Interpreter *it, const Op *op, Arena *scratch) {
    size_t n;
    double *operands = sorted_operands(scratch, it, op, &n);
    for (int k = 0; k < op->output_count; k++) {
        const Tensor *t = op->outputs[k];
        double *x = it->values[t->id], size = root_mean_square(x, extent(it, t));
        for (size_t i = 0; t->type == TYPE_REAL && t->role != ROLE_MASK && i < extent(it, t); i++)
            if (x[i] != 0 && !bsearch(&x[i], operands, n, sizeof *operands, by_size)) x[i] = moved_by(it, x[i], it->noise * fmax(fabs(x[i]), size));
    }
}

/* Noise of a sum over an example's positions: n roundings at random are as large as sqrt(n) of one (Higham and Mary, "A new approach to
 * probabilistic rounding error analysis", 2019). Up to 64 are within `noise`, which is some roundings. */
static double noise_of_sum(const Interpreter *it, const Op *op) {
    int64_t n = INT64_MAX;
    for (int k = 0; k < op->input_count; k++) {
        const Shape s = op->inputs[k]->shape;
        const int64_t positions = s.rank ? row_count(s) : 1;
        n = positions < n ? positions : n;
    }
    return it->noise * fmax(1, sqrt((double)n) / 8);
}

/* A weight's gradient is rounded after each example: where it cancels, more is left of that than of its terms' rounding. */
static void round_sums(Interpreter *it, const Op *op, double *const *out) {
    for (int k = 0; k < op->output_count; k++) {
        const size_t n = op->outputs[k]->role == ROLE_PARAMETER_GRADIENT ? count_of(op->outputs[k]) : 0;
        const double size = root_mean_square(out[k], n), noise = noise_of_sum(it, op);
        for (size_t i = 0; i < n; i++)
            if (out[k][i] != 0) out[k][i] = moved_by(it, out[k][i], noise * fmax(fabs(out[k][i]), size));
    }
}

/* ---- ops ---------------------------------------------------------------------------------------------------------- */

/* What is left of differences is as inexact as an example's operands: these are moved, and what becomes of that is noise in each element by
 * itself, as the means that are taken away are rounded, too. */
static void move_operands(Interpreter *it, Arena *scratch, const Op *op, double **in) {
    for (int k = 0; k < op->input_count; k++) {
        size_t n = count_of(op->inputs[k]);
        double *moved = memcpy(NEW_ARRAY(scratch, double, n), in[k], sizeof(double) * n);
        for (size_t i = 0; i < n; i++) moved[i] *= 1 + it->noise * (2 * cnnc_random_uniform(&it->random) - 1);
        in[k] = moved;
    }
}

static void evaluate_moved(Interpreter *it, Arena *scratch, const Op *op, double **in, double *const *out) {
    if (op->def->accumulates) {
        move_operands(it, scratch, op, in);
        op->def->evaluate(op, in, out);
        return;
    }
    double **exact = NEW_ARRAY(scratch, double *, op->output_count);
    op->def->evaluate(op, in, out);
    for (int k = 0; k < op->output_count; k++)
        exact[k] = memcpy(NEW_ARRAY(scratch, double, count_of(op->outputs[k])), out[k], sizeof(double) * count_of(op->outputs[k]));
    move_operands(it, scratch, op, in);
    op->def->evaluate(op, in, out);
    for (int k = 0; k < op->output_count; k++) {
        size_t n = count_of(op->outputs[k]);
        double distance = absolute_error(out[k], exact[k], n);
        for (size_t i = 0; i < n; i++) out[k][i] = exact[k][i] + distance * (2 * cnnc_random_uniform(&it->random) - 1);
    }
}

static void add_weighted(const Op *op, double *const *in, double *const *out) {
    double loss = 0;
    op->def->evaluate(op, in, (double *[]){&loss});
    out[0][0] += in[2][0] * loss;
}

static void run_op(Interpreter *it, const Op *op, RunMode run) {
    double **in = it->in, **out = it->out;
    if (op->input_count > MAX_OPERANDS || op->output_count > MAX_OPERANDS) bug("%s has too many operands", op->def->call.name);
    for (int k = 0; op->def->moving && run == RUN_PREDICT && k + 1 < op->input_count; k++)
        memcpy(it->values[op->outputs[k]->id], it->values[op->inputs[k + 1]->id], sizeof(double) * count_of(op->outputs[k]));
    if (op->def->moving && run == RUN_PREDICT) return;
    Arena *scratch = it->noise > 0 ? arena_new() : NULL;
    for (int i = 0; i < it->n; i++) {
        for (int k = 0; k < op->input_count; k++) in[k] = value_at(it, op->inputs[k], i);
        for (int k = 0; k < op->output_count; k++) out[k] = value_at(it, op->outputs[k], i);
        if (op->def->idle && run == RUN_PREDICT) memcpy(out[0], in[0], sizeof(double) * count_of(op->outputs[0]));
        else if (is_weighted(op)) add_weighted(op, in, out);
        else if (scratch && op->def->cancels) evaluate_moved(it, scratch, op, in, out);
        else op->def->evaluate(op, in, out);
        if (scratch && op->def->accumulates) round_sums(it, op, out);
    }
    if (!scratch) return;
    add_noise(it, op, scratch);
    arena_free(scratch);
}

void interpret_op(Interpreter *it, const Op *op) {
    clear_sums(it, op);
    run_op(it, op, RUN_ALL);
}

void interpret(Interpreter *it, RunMode run) {
    const Graph *g = it->graph;
    for (int i = 0; i < g->op_count; i++)
        if (run == RUN_ALL || !g->ops[i]->backward) clear_sums(it, g->ops[i]); /* several ops may add to one */
    for (int i = 0; i < g->op_count; i++)
        if (run == RUN_ALL || !g->ops[i]->backward) run_op(it, g->ops[i], run);
}
