/* concatenate.c: two inputs or more, one after the other along an axis, as a chain of concatenations of two. Both
 * are seen as [outer][length * inner], the axis being the one of `length`. */
#include "ops.h"

#include <string.h>

enum { AXIS };

static const AttrDef attributes[] = {
    {"axis", ATTR_INT, "-1", -MAX_RANK, MAX_RANK, 0, NULL, NULL, false, "which axis, the batch being 0; -1 is the last"},
};

/* The axis as an index into a shape of one example. */
static int axis_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    return axis_index(&forward->attributes[AXIS], forward->inputs[0]->shape);
}

static Tensor *layer(Graph *g, Layer *l) {
    Tensor *y = l->inputs[0];
    for (int i = 1; i < l->input_count && y; i++) y = add_op(g, &op_concatenate, l, l->attributes, (Tensor *[]){y, l->inputs[i]}, 2);
    return y;
}

static bool infer(Graph *g, Op *op) {
    Shape a = op->inputs[0]->shape, b = op->inputs[1]->shape, y = a;
    int axis = axis_of(op);
    if (axis < 0) return no_axis(g, &op->attributes[AXIS], a, "concatenate");
    bool fits = a.rank == b.rank;
    for (int i = 0; fits && i < a.rank; i++) fits = i == axis || a.dim[i] == b.dim[i];
    if (!fits) {
        error(g->diag, op->layer->loc, "'concatenate' needs inputs that differ in axis %d only, not %s and %s", axis + 1, shape_text(g->arena, a), shape_text(g->arena, b));
        note_shape(g, op->inputs[0]);
        note_shape(g, op->inputs[1]);
        return false;
    }
    y.dim[axis] += b.dim[axis];
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "concatenate", y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_grad(Graph *g, Op *op) {
    for (int i = 0; i < 2; i++)
        op->outputs[op->output_count++] = new_tensor(g, op->layer, "concatenate_grad", op->forward->inputs[i]->shape, TYPE_REAL, ROLE_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Op *grad = add_gradient_op(g, &op_concatenate_grad, op, (Tensor *[]){dy}, 1)->producer;
    for (int i = 0; i < 2; i++)
        if (wants_gradient(op->inputs[i])) add_gradient(g, op->inputs[i], grad->outputs[i]);
}

typedef struct Split { size_t outer, a, b; } Split; /* rows; elements of each input in a row */
static Split split_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    Shape a = forward->inputs[0]->shape;
    size_t outer = 1;
    for (int i = 0; i < axis_of(op); i++) outer *= (size_t)a.dim[i];
    return (Split){outer, (size_t)shape_count(a) / outer, (size_t)shape_count(forward->inputs[1]->shape) / outer};
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Split s = split_of(op);
    for (size_t r = 0; r < s.outer; r++) {
        memcpy(out[0] + r * (s.a + s.b), in[0] + r * s.a, s.a * sizeof(double));
        memcpy(out[0] + r * (s.a + s.b) + s.a, in[1] + r * s.b, s.b * sizeof(double));
    }
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Split s = split_of(op);
    for (size_t r = 0; r < s.outer; r++) {
        memcpy(out[0] + r * s.a, in[0] + r * (s.a + s.b), s.a * sizeof(double));
        memcpy(out[1] + r * s.b, in[0] + r * (s.a + s.b) + s.a, s.b * sizeof(double));
    }
}

static void bind(const Op *op, Bindings *b) {
    Split s = split_of(op);
    bind_int(b, "ROWS", (int64_t)s.outer);
    bind_int(b, "A", (int64_t)s.a);
    bind_int(b, "B", (int64_t)s.b);
}

const OpDef op_concatenate = {
    .call = {"concatenate", "its inputs one after the other along an axis", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Concatenate",
    .min_inputs = 2, .max_inputs = 64, .layer = layer, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "concatenate.forward",
    .bind = bind, .equation = "y = a, b",
};
const OpDef op_concatenate_grad = {
    .call = {"concatenate_grad", "gradient of concatenate", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad,
    .plain = "concatenate.grad", .bind = bind, .equation = "da, db = dy",
};
