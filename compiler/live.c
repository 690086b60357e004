/* live.c: what is never read is not computed.
 *
 * Goes backwards through the ops and cuts tensors of height x width x channels to the rows and columns that some op
 * reads: those from the first on, which is all that windows leave unread. Which part of its inputs a part of an op's
 * output needs stands with the op (OpDef.region). Runs before autodiff, so that gradients are as small as what they are
 * gradients of. */
#include "cnnc.h"

static Shape larger(Shape a, Shape b) {
    for (int i = 0; i < 2; i++)
        if (b.dim[i] > a.dim[i]) a.dim[i] = b.dim[i];
    return a;
}

static bool is_map(const Tensor *t) { return t->shape.rank == 3; }

/* The outputs of other ops are made as a whole: input and concatenate, say. */
static bool can_shrink(const Tensor *t) { return is_map(t) && t->producer && (t->producer->def->region || t->producer->def->same_size); }

/* Raises what is needed of t; true if that was less. */
static bool need(Shape *needed, const Tensor *t, Shape region) {
    if (!is_map(t)) return false;
    Shape before = needed[t->id];
    needed[t->id] = larger(before, region);
    return !shape_equal(before, needed[t->id]);
}

static bool need_inputs(const Op *op, Shape *needed) {
    bool changed = false, shrinks = can_shrink(op->outputs[0]);
    Shape output = needed[op->outputs[0]->id];
    for (int k = 0; k < op->input_count; k++) {
        const Tensor *x = op->inputs[k];
        if (shrinks && output.dim[0] == 0) continue; /* nothing reads it so far */
        Shape part = !shrinks ? x->shape : op->def->same_size ? output : op->def->region(op, output);
        changed |= need(needed, x, part);
    }
    return changed;
}

/* Where inputs and output must be of one size, an input of which there is more makes the output larger. */
static bool match_output(const Op *op, Shape *needed) {
    bool changed = false;
    for (int k = 0; op->def->same_size && needed[op->outputs[0]->id].dim[0] > 0 && k < op->input_count; k++)
        if (is_map(op->inputs[k])) changed |= need(needed, op->outputs[0], needed[op->inputs[k]->id]);
    return changed;
}

static void find_needs(const Graph *g, Shape *needed) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = g->op_count - 1; i >= 0; i--) changed |= need_inputs(g->ops[i], needed);
        for (int i = 0; i < g->op_count; i++) changed |= match_output(g->ops[i], needed);
    }
}

static void cut(Tensor *t, Shape needed) {
    if (!can_shrink(t) || needed.dim[0] == 0) return; /* nothing reads it: it goes as a whole */
    t->shape.dim[0] = needed.dim[0];
    t->shape.dim[1] = needed.dim[1];
}

static void cut_window(Op *op) {
    Window *w = &op->window;
    if (!w->kh) return;
    bool back = op->def->convolution == CONV_INPUT; /* from the window's output to its input */
    const int *from = (back ? op->outputs : op->inputs)[0]->shape.dim, *to = (back ? op->inputs : op->outputs)[0]->shape.dim;
    w->ih = from[0], w->iw = from[1];
    w->oh = to[0], w->ow = to[1];
}

void live(Graph *g) {
    Shape *needed = NEW_ARRAY(g->arena, Shape, g->tensor_count);
    for (int i = 0; i < g->tensor_count; i++) {
        needed[i] = g->tensors[i]->shape;
        if (can_shrink(g->tensors[i])) needed[i].dim[0] = needed[i].dim[1] = 0;
    }
    find_needs(g, needed);
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i]->output_count; k++) cut(g->ops[i]->outputs[k], needed[g->ops[i]->outputs[0]->id]);
    for (int i = 0; i < g->op_count; i++) cut_window(g->ops[i]);
}
