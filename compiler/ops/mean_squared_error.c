/* mean_squared_error.c: the mean of (p - t)^2. */
#include "loss.h"

static void gradient(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, &op_mean_squared_error_grad); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    int64_t n = shape_count(op->inputs[0]->shape);
    for (int64_t i = 0; i < n; i++) out[0][0] += (in[0][i] - in[1][i]) * (in[0][i] - in[1][i]) / (double)n;
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = shape_count(op->inputs[0]->shape);
    for (int64_t i = 0; i < n; i++) out[0][i] = 2 * (in[0][i] - in[1][i]) / (double)n * in[2][0];
}

const OpDef op_mean_squared_error = {
    .call = {"mean_squared_error", "mean of the squared differences", NULL, 0, "mse"}, .kind = OP_LOSS, .accumulates = true, .infer = infer_total,
    .gradient = gradient, .evaluate = evaluate, .plain = "mean_squared_error.loss", .bind = bind_rows, .target = target_like_prediction,
    .equation = "loss = mean (p - t)^2",
};
const OpDef op_mean_squared_error_grad = {
    .call = {"mean_squared_error_grad", "gradient of mean_squared_error", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad, .plain = "mean_squared_error.grad", .bind = bind_rows, .equation = "dp = 2 (p - t) / n * scale",
};
