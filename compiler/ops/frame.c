/* frame.c: rows and columns of zeros around the input, or rows and columns of it left away. */
#include "ops.h"

#include <string.h>

#define PAIRS(name, fallback, rank, doc) {name, ATTR_PAIRS, fallback, 0, 1 << 20, rank, NULL, NULL, true, doc}
static const AttrDef padding2d[] = {PAIRS("padding", "1", 2, "zeros on each side: 1, 2x1 or (1,0)x(2,1)")};
static const AttrDef padding1d[] = {PAIRS("padding", "1", 1, "zeros on each side: 1 or (1,0)")};
static const AttrDef cropping2d[] = {PAIRS("cropping", "0", 2, "what goes on each side: 1, 2x1 or (1,0)x(2,1)")};
static const AttrDef cropping1d[] = {PAIRS("cropping", "1", 1, "what goes on each side: 1 or (1,0)")};

static bool crops(const Op *op) { return !strncmp(op->def->call.name, "cropping", 8); }
static int axes_of(const Op *op) { return op->attributes[0].rank / 2; }
static int before(const Op *op, int axis) { return axis < axes_of(op) ? op->attributes[0].size[2 * axis] : 0; }

static bool infer_padding(Graph *g, Op *op) {
    Shape y = op->inputs[0]->shape;
    if (!check_rank(g, op, axes_of(op) + 1)) return false;
    for (int i = 0; i < axes_of(op); i++) y.dim[i] += before(op, i) + op->attributes[0].size[2 * i + 1];
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

/* What is left of an axis, not what goes after it, is the op's own attribute: that holds of an input that was cut, too. */
static bool infer_cropping(Graph *g, Op *op) {
    Shape y = op->inputs[0]->shape;
    const Attr *written = &op->layer->attributes[0];
    if (!check_rank(g, op, axes_of(op) + 1)) return false;
    if (op->attributes == op->layer->attributes) {
        op->attributes = NEW(g->arena, Attr);
        *op->attributes = *written;
        for (int i = 0; i < axes_of(op); i++) op->attributes->size[2 * i + 1] = y.dim[i] - written->size[2 * i] - written->size[2 * i + 1];
    }
    for (int i = 0; i < axes_of(op); i++) {
        int left = op->attributes->size[2 * i + 1];
        if (left <= 0) {
            error(g->diag, written->loc, "cropping %d and %d leaves nothing of %s", written->size[2 * i], written->size[2 * i + 1], shape_text(g->arena, y));
            note_shape(g, op->inputs[0]);
            return false;
        }
        y.dim[i] = left < y.dim[i] - before(op, i) ? left : y.dim[i] - before(op, i);
    }
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static int between(int least, int x, int most) { return x < least ? least : x > most ? most : x; }

/* What lies before it is read as well. */
static Shape region(const Op *op, Shape output) {
    Shape x = op->inputs[0]->shape;
    for (int i = 0; i < axes_of(op); i++) x.dim[i] = between(1, output.dim[i] + (crops(op) ? 1 : -1) * before(op, i), x.dim[i]);
    return x;
}

/* What input and output have in common, of tensors that may have been cut. */
static Walk walk_of(const Op *op) {
    Shape x = op->inputs[0]->shape, y = op->outputs[0]->shape;
    Walk w = {0};
    for (int i = 0; i < x.rank; i++) {
        int from = crops(op) ? before(op, i) : 0, to = crops(op) ? 0 : before(op, i), in = x.dim[i] - from, out = y.dim[i] - to;
        add_axis(&w, between(0, in, out > 0 ? out : 0), stride_of(x, i), stride_of(y, i));
        w.from_start += from * stride_of(x, i), w.to_start += to * stride_of(y, i);
    }
    return w;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, crops(op) ? &op_cropping_grad : &op_zero_padding_grad, op, (Tensor *[]){dy}, 1));
}

WALK(walk_of)
WALK_BACK(walk_of)

#define FRAME(name, doc, table, class, is) \
    .call = {name, doc, ATTRIBUTES(table), NULL}, .kind = OP_LAYER, .keras = class, .min_inputs = 1, .max_inputs = 1, .region = region, \
    .gradient = gradient, WALK_DEFS, .equation = is

const OpDef op_zero_padding2d = {.infer = infer_padding, FRAME("zero_padding2d", "rows and columns of zeros around it", padding2d, "ZeroPadding2D", "y = x within zeros")};
const OpDef op_zero_padding1d = {.infer = infer_padding, FRAME("zero_padding1d", "steps of zeros before and after it", padding1d, "ZeroPadding1D", "y = x within zeros")};
const OpDef op_cropping2d = {.infer = infer_cropping, FRAME("cropping2d", "without some outer rows and columns", cropping2d, "Cropping2D", "y = a part of x")};
const OpDef op_cropping1d = {.infer = infer_cropping, FRAME("cropping1d", "without some first and last steps", cropping1d, "Cropping1D", "y = a part of x")};
const OpDef op_zero_padding_grad = {
    .call = {"zero_padding_grad", "gradient of zero_padding", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, WALK_BACK_DEFS,
    .equation = "dx = a part of dy",
};
const OpDef op_cropping_grad = {
    .call = {"cropping_grad", "gradient of cropping", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, WALK_BACK_DEFS,
    .equation = "dx = dy within zeros",
};
