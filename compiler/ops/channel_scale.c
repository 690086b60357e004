/* channel_scale.c: multiplies by a vector along the last axis; part of normalizations. */
#include "ops.h"

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *gamma = op->inputs[1];
    if (wants_gradient(gamma)) add_gradient(g, gamma, add_gradient_op(g, &op_channel_scale_grad, op, (Tensor *[]){dy, x}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_op(g, &op_channel_scale, op->layer, NULL, (Tensor *[]){dy, gamma}, 2));
}

static bool infer_grad(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "gamma_grad", op->forward->inputs[1]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->outputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * in[1][i % n];
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) out[0][i % n] += in[0][i] * in[1][i];
}

static void bind_grad(const Op *op, Bindings *b) {
    bind_int(b, "ROWS", row_count(op->inputs[0]->shape));
    bind_int(b, "N", last_dim(op->inputs[0]->shape));
    bind_int(b, "WEIGHTED", 1);
}

static double flops(const Op *op) { return 2.0 * (double)shape_count(op->inputs[0]->shape); }

const OpDef op_channel_scale = {
    .call = {"channel_scale", "multiplies by a vector along the last axis", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .same_size = true,
    .gradient = gradient, .evaluate = evaluate, .expression = "${a} * ${b}", .channelwise = 1 << 1, .equation = "y = x * gamma",
};
const OpDef op_channel_scale_grad = {
    .call = {"channel_scale_grad", "gradient of channel_scale in the vector", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .accumulates = true,
    .evaluate = evaluate_grad, .plain = "bias_grad.grad", .bind = bind_grad, .flops = flops, .equation = "dgamma[o] += sum dy[r][o] * x[r][o]",
};
