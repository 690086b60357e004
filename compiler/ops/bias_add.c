/* bias_add.c: adds a vector along the last axis; part of the layers that have a bias. */
#include "ops.h"

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[1])) add_gradient(g, op->inputs[1], add_gradient_op(g, &op_bias_grad, op, (Tensor *[]){dy}, 1));
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], dy);
}

static bool infer_grad(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "bias_grad", op->forward->inputs[1]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->outputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] + in[1][i % n];
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) out[0][i % n] += in[0][i];
}

static void bind(const Op *op, Bindings *b) {
    bind_int(b, "ROWS", row_count(op->inputs[0]->shape));
    bind_int(b, "N", last_dim(op->inputs[0]->shape));
}

static double flops(const Op *op) { return (double)shape_count(op->inputs[0]->shape); }

const OpDef op_bias_add = {
    .call = {"bias_add", "adds a vector along the last axis", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .same_size = true, .gradient = gradient,
    .evaluate = evaluate, .monotone = true, .expression = "${a} + ${b}", .channelwise = 1 << 1, .equation = "y = x + bias",
};
const OpDef op_bias_grad = {
    .call = {"bias_grad", "gradient of bias_add in the bias", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .accumulates = true, .sums_dy = true,
    .evaluate = evaluate_grad, .plain = "bias_grad.grad", .bind = bind, .flops = flops, .equation = "dbias[o] += sum dy[r][o]",
};
