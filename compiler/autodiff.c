/* autodiff.c: gradients in the same graph, by walking the forward ops backwards.
 *
 * Each operator knows its own gradient (ops/); here is only the walk: which tensors want a gradient, sums where a
 * tensor is read more than once, and the removal of what turned out not to be needed. */
#include "ops/ops.h"

void add_gradient(Graph *g, Tensor *of, Tensor *gradient) {
    if (!of->gradient) of->gradient = gradient;
    else if (of->role == ROLE_PARAMETER) bug("the parameter '%s' is read twice", of->name);
    else of->gradient = add_op(g, &op_add, of->layer, NULL, (Tensor *[]){of->gradient, gradient}, 2);
    if (of->gradient->role == ROLE_ACTIVATION) of->gradient->role = ROLE_GRADIENT; /* made by an op that also serves forward */
}

static void mark_wanting(Graph *g, bool input_gradient) {
    for (int i = 0; i < g->parameter_count; i++) g->parameters[i]->wants_gradient = g->parameters[i]->trainable;
    for (int i = 0; i < g->input_count; i++) g->inputs[i]->wants_gradient = input_gradient;
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        bool wanted = false;
        for (int k = 0; k < op->input_count; k++) wanted = wanted || op->inputs[k]->wants_gradient;
        if (!op->def->gradient) continue;
        for (int k = 0; k < op->output_count; k++)
            if (op->outputs[k]->role != ROLE_MASK) op->outputs[k]->wants_gradient = wanted;
    }
}

void drop_unneeded(Graph *g, Tensor *const *roots, int n) {
    bool *needed = NEW_ARRAY(g->arena, bool, g->tensor_count);
    for (int i = 0; i < n; i++) needed[roots[i]->id] = true;
    bool *keep = NEW_ARRAY(g->arena, bool, g->op_count);
    for (int i = g->op_count - 1; i >= 0; i--) {
        const Op *op = g->ops[i];
        for (int k = 0; k < op->output_count; k++) keep[i] = keep[i] || needed[op->outputs[k]->id];
        for (int k = 0; keep[i] && k < op->input_count; k++) needed[op->inputs[k]->id] = true;
    }
    int kept = 0;
    for (int i = 0; i < g->op_count; i++) {
        if (!keep[i]) continue;
        g->ops[i]->id = kept;
        g->ops[kept++] = g->ops[i];
    }
    g->op_count = kept;
}

static Tensor **all_results(Graph *g, int *n) {
    Tensor **roots = NULL;
    *n = 0;
    for (int i = 0; i < g->output_count; i++) *PUSH(g->arena, roots, *n) = g->outputs[i];
    for (int i = 0; i < g->total_count; i++) *PUSH(g->arena, roots, *n) = g->totals[i];
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->gradient) *PUSH(g->arena, roots, *n) = g->parameters[i]->gradient;
    for (int i = 0; i < g->input_count; i++)
        if (g->inputs[i]->gradient) *PUSH(g->arena, roots, *n) = g->inputs[i]->gradient;
    return roots;
}

bool autodiff(Graph *g, bool input_gradient) {
    int forward = g->op_count, n;
    if (g->loss) {
        mark_wanting(g, input_gradient);
        for (int i = forward - 1; i >= 0; i--) {
            Op *op = g->ops[i];
            Tensor *y = op->outputs[0];
            bool is_loss = y->role == ROLE_TOTAL && y->index == 0;
            if (op->def->gradient && (is_loss || (y->role != ROLE_TOTAL && y->gradient))) op->def->gradient(g, op, y->gradient);
        }
        for (int i = forward; i < g->op_count; i++) g->ops[i]->backward = true;
        if (forward == g->op_count) {
            error(g->diag, g->loss_loc, "nothing in this network can be trained");
            hint(g->diag, "no layer has trainable weights");
            return false;
        }
    }
    Tensor **roots = all_results(g, &n);
    drop_unneeded(g, roots, n);
    return true;
}
