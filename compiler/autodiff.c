/* autodiff.c: gradients in the same graph, by walking the forward ops backwards.
 *
 * Each operator knows its own gradient (ops/); here is only the walk: which tensors want a gradient, sums where a
 * tensor is read more than once, and the removal of what turned out not to be needed. */
#include "ops/ops.h"

void add_gradient(Graph *g, Tensor *of, Tensor *gradient) {
    if (of->role == ROLE_PARAMETER) gradient->index = of->index;
    if (!of->gradient) of->gradient = gradient;
    else if (of->role == ROLE_PARAMETER && gradient->producer->def->accumulates) gradient->producer->outputs[0] = of->gradient; /* both add to it */
    else of->gradient = add_op(g, &op_add, of->layer, NULL, (Tensor *[]){of->gradient, gradient}, 2);
    if (of->gradient->role == ROLE_ACTIVATION) of->gradient->role = ROLE_GRADIENT; /* made by an op that also serves forward */
}

static void mark_wanting(Graph *g, bool input_gradient) {
    for (int i = 0; i < g->parameter_count; i++) g->parameters[i]->wants_gradient = g->parameters[i]->trainable;
    for (int i = 0; i < g->input_count; i++) g->inputs[i]->wants_gradient = input_gradient && g->inputs[i]->type != TYPE_I32;
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        bool wanted = false;
        for (int k = 0; k < op->input_count; k++) wanted = wanted || op->inputs[k]->wants_gradient;
        if (!op->def->gradient) continue;
        for (int k = 0; k < op->output_count; k++)
            if (op->outputs[k]->role != ROLE_MASK) op->outputs[k]->wants_gradient = wanted;
    }
}

bool *needed_ops(const Graph *g, Tensor *const *roots, int n) {
    bool *needed = NEW_ARRAY(g->arena, bool, g->tensor_count), *keep = NEW_ARRAY(g->arena, bool, g->op_count);
    for (int i = 0; i < n; i++) needed[roots[i]->id] = true;
    for (int i = g->op_count - 1; i >= 0; i--) {
        const Op *op = g->ops[i];
        for (int k = 0; k < op->output_count; k++) keep[i] = keep[i] || needed[op->outputs[k]->id];
        for (int k = 0; keep[i] && k < op->input_count; k++) needed[op->inputs[k]->id] = true;
    }
    return keep;
}

Tensor **graph_results(const Graph *g, bool outputs, bool totals, bool gradients, int *n) {
    Tensor **results = NULL;
    *n = 0;
    for (int i = 0; outputs && i < g->output_count; i++) *PUSH(g->arena, results, *n) = g->outputs[i];
    for (int i = 0; totals && i < g->total_count; i++) *PUSH(g->arena, results, *n) = g->totals[i];
    for (int i = 0; gradients && i < g->parameter_count; i++)
        if (g->parameters[i]->gradient) *PUSH(g->arena, results, *n) = g->parameters[i]->gradient;
    for (int i = 0; gradients && i < g->input_count; i++)
        if (g->inputs[i]->gradient) *PUSH(g->arena, results, *n) = g->inputs[i]->gradient;
    return results;
}

static void drop_unneeded(Graph *g) {
    int n, kept = 0;
    Tensor **results = graph_results(g, true, true, true, &n);
    const bool *keep = needed_ops(g, results, n);
    for (int i = 0; i < g->op_count; i++) {
        if (!keep[i]) continue;
        g->ops[i]->id = kept;
        g->ops[kept++] = g->ops[i];
    }
    g->op_count = kept;
}

bool autodiff(Graph *g, bool input_gradient) {
    int forward = g->op_count;
    if (g->loss) {
        mark_wanting(g, input_gradient);
        for (int i = forward - 1; i >= 0; i--) {
            Op *op = g->ops[i];
            Tensor *y = op->outputs[0];
            bool is_loss = y->role == ROLE_TOTAL && y->is_loss;
            if (op->def->gradient && (is_loss || (y->role != ROLE_TOTAL && y->gradient))) op->def->gradient(g, op, y->gradient);
        }
        for (int i = forward; i < g->op_count; i++) g->ops[i]->backward = true;
        if (forward == g->op_count) {
            error(g->diag, g->loss_loc, "nothing in this network can be trained");
            hint(g->diag, "no layer has trainable weights");
            return false;
        }
    }
    drop_unneeded(g);
    return !g->diag->errors;
}
