/* merge.c: what layers of several inputs of one shape share. As in Keras, an axis of 1 stands for as many as the others have: such an input
 * is repeated first. */
#include "ops.h"

static bool no_merge(Graph *g, Layer *l, const Tensor *x, Shape s) {
    error(g->diag, l->loc, "'%s' needs inputs of the same shape, not %s and %s", l->def->call.name, shape_text(g->arena, s), shape_text(g->arena, x->shape));
    note_shape(g, l->inputs[0]);
    note_shape(g, x);
    if (x->shape.rank == s.rank) hint(g->diag, "only an axis of 1 is repeated where the other input has more");
    return false;
}

static bool common_shape(Graph *g, Layer *l, Shape *s) {
    *s = l->inputs[0]->shape;
    for (int i = 1; i < l->input_count; i++) {
        Shape x = l->inputs[i]->shape;
        if (x.rank != s->rank) return no_merge(g, l, l->inputs[i], *s);
        for (int k = 0; k < x.rank; k++) {
            if (x.dim[k] != s->dim[k] && x.dim[k] != 1 && s->dim[k] != 1) return no_merge(g, l, l->inputs[i], *s);
            if (s->dim[k] == 1) s->dim[k] = x.dim[k];
        }
    }
    return true;
}

/* Its shape is that of an attribute of its own. */
static Tensor *repeated(Graph *g, Layer *l, Tensor *x, Shape s) {
    if (shape_equal(x->shape, s)) return x;
    Attr *a = NEW(g->arena, Attr);
    a->rank = s.rank;
    for (int i = 0; i < s.rank; i++) a->size[i] = s.dim[i];
    return add_op(g, &op_expand, l, a, (Tensor *[]){x}, 1);
}

Tensor *merge(Graph *g, Layer *l, const OpDef *def) {
    Shape s;
    if (!common_shape(g, l, &s)) return NULL;
    Tensor *y = repeated(g, l, l->inputs[0], s);
    for (int i = 1; y && i < l->input_count; i++) {
        Tensor *x = repeated(g, l, l->inputs[i], s);
        y = x ? add_op(g, def, l, l->attributes, (Tensor *[]){y, x}, 2) : NULL;
    }
    return y;
}

/* ---- expand ----------------------------------------------------------------------------------------------------------- */

static bool infer(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "expand", shape_of(op->attributes->rank, op->attributes->size), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_expand_grad, op, (Tensor *[]){dy}, 1));
}

static Walk walk_of(const Op *op) {
    Shape x = op->inputs[0]->shape, y = op->outputs[0]->shape;
    Walk w = {0};
    for (int i = 0; i < y.rank; i++) add_axis(&w, y.dim[i], x.dim[i] == 1 ? 0 : stride_of(x, i), stride_of(y, i));
    return w;
}

WALK(walk_of)
WALK_BACK(walk_of)

const OpDef op_expand = {
    .call = {"expand", "axes of 1 repeated", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer, .gradient = gradient, WALK_DEFS, .equation = "y = x, repeated along axes",
};
const OpDef op_expand_grad = {
    .call = {"expand_grad", "gradient of expand", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, WALK_BACK_DEFS,
    .equation = "dx = sum of dy along axes",
};
