/* interpret.c: the plain interpreter. Its results define what generated code must compute; it is in no hurry. */
#include "interpret.h"

#include <string.h>

static size_t count_of(const Tensor *t) { return (size_t)shape_count(t->shape); }

bool is_shared(const Tensor *t) {
    switch (t->role) {
    case ROLE_PARAMETER: case ROLE_PARAMETER_GRADIENT: case ROLE_DERIVED: case ROLE_TOTAL: case ROLE_SCALE: return true;
    default: return false;
    }
}

static void make_value(Interpreter *it, const Tensor *t) {
    if (!it->values[t->id]) it->values[t->id] = NEW_ARRAY(it->graph->arena, double, count_of(t) * (is_shared(t) ? 1 : (size_t)it->n));
}

Interpreter interpreter_new(const Graph *g, int n) {
    Interpreter it = {g, n, NEW_ARRAY(g->arena, double *, g->tensor_count)};
    for (int i = 0; i < g->op_count; i++) {
        for (int k = 0; k < g->ops[i]->input_count; k++) make_value(&it, g->ops[i]->inputs[k]);
        for (int k = 0; k < g->ops[i]->output_count; k++) make_value(&it, g->ops[i]->outputs[k]);
    }
    for (int i = 0; i < g->parameter_count; i++) make_value(&it, g->parameters[i]);
    if (g->scale) make_value(&it, g->scale), *it.values[g->scale->id] = 1.0 / n;
    return it;
}

double *interpreter_value(const Interpreter *it, const Tensor *t) { return it->values[t->id]; }

void interpret_op(Interpreter *it, const Op *op) {
    double *in[64], *out[4];
    if (op->input_count > LENGTH(in) || op->output_count > LENGTH(out)) bug("%s has too many operands to interpret", op->def->call.name);
    for (int k = 0; op->def->accumulates && k < op->output_count; k++) {
        const Tensor *t = op->outputs[k];
        memset(it->values[t->id], 0, sizeof(double) * count_of(t) * (is_shared(t) ? 1 : (size_t)it->n));
    }
    for (int i = 0; i < it->n; i++) {
        for (int k = 0; k < op->input_count; k++) in[k] = it->values[op->inputs[k]->id] + (is_shared(op->inputs[k]) ? 0 : (size_t)i * count_of(op->inputs[k]));
        for (int k = 0; k < op->output_count; k++) out[k] = it->values[op->outputs[k]->id] + (is_shared(op->outputs[k]) ? 0 : (size_t)i * count_of(op->outputs[k]));
        op->def->evaluate(op, in, out);
    }
}

void interpret(Interpreter *it, Extent extent) {
    for (int i = 0; i < it->graph->op_count; i++)
        if (extent == RUN_ALL || !it->graph->ops[i]->backward) interpret_op(it, it->graph->ops[i]);
}
