/* sigmoid.c: y = 1 / (1 + exp(-x)). */
#include "ops.h"

#include <math.h>

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_sigmoid_grad, dy); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 1 / (1 + exp(-in[0][i]));
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * in[1][i] * (1 - in[1][i]);
}

const OpDef op_sigmoid = {
    .call = {"sigmoid", "1 / (1 + exp(-x))", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Activation", .min_inputs = 1, .max_inputs = 1,
    .activation = true, .infer = infer_like_input, .same_size = true, .gradient = gradient, .evaluate = evaluate,
    .expression = "${V}_sigmoid(${a})", .equation = "y = 1 / (1 + exp(-x))",
};
const OpDef op_sigmoid_grad = {
    .call = {"sigmoid_grad", "gradient of sigmoid", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .scales_dy = true, .expression = "${a} * (${b} * (${V}_splat(1) - ${b}))", .equation = "dx = dy * y * (1 - y)",
};
