/* flatten.c: the same elements in one axis. Only a change of view: nothing is computed. */
#include "ops.h"

#include <string.h>

static bool infer(Graph *g, Op *op) {
    int64_t n = shape_count(op->inputs[0]->shape);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "flatten", shape1((int)n), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_flatten_grad, op, (Tensor *[]){dy}, 1));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    memcpy(out[0], in[0], sizeof(double) * (size_t)shape_count(op->outputs[0]->shape));
}

const OpDef op_flatten = {
    .call = {"flatten", "the input as one axis", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Flatten", .min_inputs = 1, .max_inputs = 1, .view = true,
    .infer = infer, .gradient = gradient, .evaluate = evaluate, .equation = "y = x as one axis",
};
const OpDef op_flatten_grad = {
    .call = {"flatten_grad", "gradient of flatten", NULL, 0, NULL}, .kind = OP_INTERNAL, .view = true, .infer = infer_like_forward_input, .evaluate = evaluate,
    .equation = "dx = dy in the shape of x",
};
