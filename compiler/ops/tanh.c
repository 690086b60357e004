/* tanh.c: y = tanh(x). */
#include "ops.h"

#include <math.h>

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_tanh_grad, dy); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = tanh(in[0][i]);
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * (1 - in[1][i] * in[1][i]);
}

const OpDef op_tanh = {
    .call = {"tanh", "hyperbolic tangent", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Activation", .min_inputs = 1, .max_inputs = 1,
    .activation = true, .infer = infer_like_input, .same_size = true, .gradient = gradient, .evaluate = evaluate,
    .expression = "${V}_tanh(${a})", .equation = "y = tanh(x)",
};
const OpDef op_tanh_grad = {
    .call = {"tanh_grad", "gradient of tanh", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .scales_dy = true, .expression = "${a} * (${V}_splat(1) - ${b} * ${b})", .equation = "dx = dy * (1 - y * y)",
};
