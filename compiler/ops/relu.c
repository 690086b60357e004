/* relu.c: y = max(x, 0); the gradient at 0 is 0, and what is no number stays so, as in Keras. */
#include "ops.h"

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_relu_grad, dy); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] < 0 ? 0 : in[0][i];
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[1][i] > 0 ? in[0][i] : 0;
}

const OpDef op_relu = {
    .call = {"relu", "rectified linear unit, max(x, 0)", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "ReLU", .min_inputs = 1, .max_inputs = 1,
    .activation = true, .monotone = true, .sparse = true, .infer = infer_like_input, .same_size = true, .gradient = gradient, .evaluate = evaluate,
    .expression = "${V}_max(${V}_zero(), ${a})", .equation = "y = max(x, 0)",
};
const OpDef op_relu_grad = {
    .call = {"relu_grad", "gradient of relu", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .scales_dy = true, .expression = "${V}_where_positive(${b}, ${a})", .equation = "dx = y > 0 ? dy : 0",
};
