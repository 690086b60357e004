/* sequence.c: length x channels as a map of one row, and back: what is one-dimensional is computed as a row. Only changes of
 * view. And what layers on sequences share. */
#include "convolution.h"

#include <string.h>

static bool infer_row(Graph *g, Op *op) {
    Shape x = op->inputs[0]->shape;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "row", shape3(1, x.dim[0], x.dim[1]), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_sequence(Graph *g, Op *op) {
    Shape x = op->inputs[0]->shape;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "sequence", shape2(x.dim[1], x.dim[2]), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient_of_row(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], as_sequence(g, op->layer, dy));
}

static void gradient_of_sequence(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], as_row(g, op->layer, dy));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    memcpy(out[0], in[0], sizeof(double) * (size_t)shape_count(op->outputs[0]->shape));
}

const OpDef op_row = {
    .call = {"row", "a sequence as a map of one row", NULL, 0, NULL}, .kind = OP_INTERNAL, .view = true, .infer = infer_row, .gradient = gradient_of_row,
    .evaluate = evaluate, .equation = "y = x as a row",
};
const OpDef op_sequence = {
    .call = {"sequence", "a map of one row as a sequence", NULL, 0, NULL}, .kind = OP_INTERNAL, .view = true, .infer = infer_sequence,
    .gradient = gradient_of_sequence, .evaluate = evaluate, .equation = "y = x as a sequence",
};

/* There and back is where it came from. */
static Tensor *viewed(Graph *g, Layer *l, Tensor *x, const OpDef *def, const OpDef *back) {
    return x->producer && x->producer->def == back ? x->producer->inputs[0] : add_op(g, def, l, NULL, &x, 1);
}
Tensor *as_row(Graph *g, Layer *l, Tensor *x) { return viewed(g, l, x, &op_row, &op_sequence); }
Tensor *as_sequence(Graph *g, Layer *l, Tensor *row) { return viewed(g, l, row, &op_sequence, &op_row); }

Attr *row_attributes(Graph *g, const Attr *a, const AttrDef *defs, int n) {
    Attr *row = NEW_ARRAY(g->arena, Attr, n);
    for (int i = 0; i < n; i++) {
        row[i] = a[i];
        if (defs[i].kind == ATTR_SIZE) row[i].size[0] = 1, row[i].size[1] = a[i].size[0], row[i].rank = 2;
    }
    return row;
}

bool check_sequence(Graph *g, const Layer *l, const Attr *size, const Attr *dilation, const Attr *padding) {
    const Tensor *x = l->inputs[0];
    const char *shape = shape_text(g->arena, x->shape);
    int distance = dilation ? dilation->size[0] : 1;
    int64_t wide = size ? (int64_t)(size->size[0] - 1) * distance + 1 : 0;
    if (x->shape.rank != 2) {
        error(g->diag, l->loc, "'%s' needs an input of length x channels, not %s", l->def->call.name, shape);
        if (x->shape.rank == 1) hint(g->diag, "with one channel that is %sx1", shape);
    } else if (size && !strcmp(padding->word, "valid") && wide > x->shape.dim[0]) {
        error(g->diag, size->loc, "%s %d is larger than its input %s", dilation ? "kernel" : "pool", size->size[0], shape);
        if (distance > 1) hint(g->diag, "with dilation_rate %d it spans %lld", distance, (long long)wide);
    } else return true;
    if (x->layer) note(g->diag, x->layer->loc, "the input comes from '%s', declared here", x->layer->name);
    return false;
}
