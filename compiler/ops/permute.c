/* permute.c: the axes of an example in another order. */
#include "ops.h"

static const AttrDef attributes[] = {
    {"dims", ATTR_SIZE, NULL, 1, MAX_RANK, 0, NULL, NULL, true, "the axes in their new order, the first being 1: 2,1"},
};

static bool is_order(const Attr *a, int rank) {
    unsigned seen = 0;
    for (int i = 0; i < a->rank; i++) seen |= 1u << a->size[i];
    return a->rank == rank && seen == (1u << (rank + 1)) - 2;
}

static bool infer(Graph *g, Op *op) {
    const Attr *a = &op->attributes[0];
    Shape x = op->inputs[0]->shape, y = x;
    if (!is_order(a, x.rank)) {
        error(g->diag, a->loc, "'dims' must be the axes 1 to %d of %s, each once", x.rank, shape_text(g->arena, x));
        note_shape(g, op->inputs[0]);
        return false;
    }
    for (int i = 0; i < x.rank; i++) y.dim[i] = x.dim[a->size[i] - 1];
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "permute", y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_permute_grad, op, (Tensor *[]){dy}, 1));
}

static Walk walk_of(const Op *op) {
    Shape x = op->inputs[0]->shape, y = op->outputs[0]->shape;
    Walk w = {0};
    for (int i = 0; i < y.rank; i++) add_axis(&w, y.dim[i], stride_of(x, op->attributes[0].size[i] - 1), stride_of(y, i));
    return w;
}

WALK(walk_of)
WALK_BACK(walk_of)

const OpDef op_permute = {
    .call = {"permute", "the axes in another order", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Permute", .min_inputs = 1, .max_inputs = 1,
    .infer = infer, .gradient = gradient, WALK_DEFS, .equation = "y = x with its axes in another order",
};
const OpDef op_permute_grad = {
    .call = {"permute_grad", "gradient of permute", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, WALK_BACK_DEFS,
    .equation = "dx = dy with its axes in their first order",
};
