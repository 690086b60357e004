/* check_batch.c: weights and a batch of examples at random, as the checks of whole networks take them.
 *
 * Float code can pick another side of a kink than double code (a relu near zero, two nearly equal elements of a pooling
 * window); both are right and their gradients differ. So examples that come near one are drawn again. */
#include "interpret.h"

#include <math.h>
#include <string.h>

static const double near = 8e-6;        /* of an activation's root mean square: closer to a kink is near */
enum { ATTEMPTS = 20 };

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

/* The value of one example of an interpreter's. */
static double *value_of(const Interpreter *it, const Tensor *t, int example) {
    double *all = interpreter_value(it, t);
    return all && !is_shared(t) ? all + (size_t)example * count_of(t) : all;
}

/* ---- kinks ------------------------------------------------------------------------------------------------------- */

/* Whether an op's output has a kink within `near` of its operands: the two sides of a piecewise expression bend, or a
 * mask changes. Exact zeros are left alone: they are the same zeros in float code. */
static bool op_near_kink(const Interpreter *it, int example, const Op *op, cnnc_random *random) {
    Arena *scratch = arena_new();
    double *up[MAX_OPERANDS], *down[MAX_OPERANDS], *above[MAX_OPERANDS], *below[MAX_OPERANDS], reach = 0;
    bool found = false;
    for (int k = 0; k < op->input_count; k++) {
        const double *x = value_of(it, op->inputs[k], example);
        size_t n = count_of(op->inputs[k]);
        double r = is_shared(op->inputs[k]) ? 0 : near * root_mean_square(x, n);
        up[k] = NEW_ARRAY(scratch, double, n);
        down[k] = NEW_ARRAY(scratch, double, n);
        reach = fmax(reach, r);
        for (size_t i = 0; i < n; i++) {
            double d = x[i] == 0 ? 0 : r * (2 * cnnc_random_uniform(random) - 1);
            up[k][i] = x[i] + d, down[k][i] = x[i] - d;
        }
    }
    for (int k = 0; k < op->output_count; k++) {
        above[k] = NEW_ARRAY(scratch, double, count_of(op->outputs[k]));
        below[k] = NEW_ARRAY(scratch, double, count_of(op->outputs[k]));
    }
    op->def->evaluate(op, up, above);
    op->def->evaluate(op, down, below);
    for (int k = 0; k < op->output_count; k++) {
        const double *y = value_of(it, op->outputs[k], example);
        bool mask = op->outputs[k]->role == ROLE_MASK;
        for (size_t i = 0; i < count_of(op->outputs[k]); i++) {
            bool moved = above[k][i] != y[i] || below[k][i] != y[i];
            found = found || (mask ? moved : op->def->expression && fabs(above[k][i] + below[k][i] - 2 * y[i]) > 0.01 * reach);
        }
    }
    arena_free(scratch);
    return found;
}

static bool near_kink(const Interpreter *it, int example, cnnc_random *random) {
    const Graph *g = it->graph;
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        bool masks = op->output_count > 1 && op->outputs[1]->role == ROLE_MASK;
        if (!op->backward && op->def->gradient && (op->def->expression || masks) && op_near_kink(it, example, op, random)) return true;
    }
    return false;
}

/* ---- parameters and batch ---------------------------------------------------------------------------------------- */

/* Initial values that floats hold exactly; weights that all start alike get noise, so that they count. */
double **draw_parameters(Arena *arena, const cnnc_model *doubles, uint64_t seed) {
    const cnnc_network *network = doubles->network;
    double **values = NEW_ARRAY(arena, double *, network->parameters_length + 1);
    cnnc_random random;
    cnnc_random_seed(&random, seed, 1);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        values[i] = load_numbers(arena, network->type, (double *)doubles->state->parameters + p->offset, p->count);
        double noise = p->initializer.distribution == CNNC_CONSTANT ? 0.02 : 0;
        for (size_t k = 0; k < p->count; k++) values[i][k] = (double)(float)(values[i][k] + noise * cnnc_random_normal(&random));
    }
    return values;
}

void set_model(Arena *arena, cnnc_model *model, double *const *parameters) {
    const cnnc_network *network = model->network;
    size_t size = cnnc_type_size(network->type);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        const void *stored = store_numbers(arena, network->type, parameters[i], p->count);
        memcpy((char *)model->state->parameters + p->offset * size, stored, p->count * size);
    }
    cnnc_model_parameters_changed(model);
}

void set_interpreter(Interpreter *it, double *const *parameters) {
    const Graph *g = it->graph;
    for (int i = 0; i < g->parameter_count; i++)
        memcpy(interpreter_value(it, g->parameters[i]), parameters[i], sizeof(double) * count_of(g->parameters[i]));
}

static double **new_values(Arena *arena, Tensor *const *tensors, int count, int n) {
    double **values = NEW_ARRAY(arena, double *, count + 1);
    for (int i = 0; i < count; i++) values[i] = NEW_ARRAY(arena, double, count_of(tensors[i]) * (size_t)n);
    return values;
}

static void draw(cnnc_random *random, Interpreter *it, Tensor *const *tensors, int count, double *const *values, int example) {
    for (int i = 0; i < count; i++) {
        double *x = values[i] + (size_t)example * count_of(tensors[i]), *to = value_of(it, tensors[i], example % it->n);
        draw_example(random, tensors[i], x);
        if (to) memcpy(to, x, sizeof(double) * count_of(tensors[i]));
    }
}

/* As many examples from `first` on as the interpreter has: those near a kink are drawn again, while others may have moved there. */
static void draw_examples(Interpreter *it, const Batch *b, int first, cnnc_random *random, int *redrawn) {
    const Graph *g = it->graph;
    bool *again = NEW_ARRAY(g->arena, bool, it->n);
    memset(again, true, (size_t)it->n);
    for (int attempt = 0, left = it->n; left && attempt < ATTEMPTS; attempt++) {
        for (int k = 0; k < it->n; k++) {
            if (!again[k]) continue;
            draw(random, it, g->inputs, g->input_count, b->inputs, first + k);
            draw(random, it, g->targets, g->target_count, b->targets, first + k);
        }
        interpret(it, RUN_FORWARD);
        left = 0;
        for (int k = 0; k < it->n; k++) left += again[k] = near_kink(it, k, random);
        *redrawn += left;
    }
}

Batch draw_batch(Interpreter *it, int n, uint64_t seed, int *redrawn) {
    const Graph *g = it->graph;
    Batch b = {n, new_values(g->arena, g->inputs, g->input_count, n), new_values(g->arena, g->targets, g->target_count, n)};
    cnnc_random random;
    cnnc_random_seed(&random, seed, 2);
    *redrawn = 0;
    for (int i = 0; i < n; i += it->n) draw_examples(it, &b, i, &random, redrawn);
    return b;
}
