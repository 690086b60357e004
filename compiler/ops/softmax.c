/* softmax.c: y = exp(x - max x) / sum exp(x - max x) along the last axis. */
#include "ops.h"

#include <math.h>

static bool infer(Graph *g, Op *op) {
    if (!infer_like_input(g, op)) return false;
    if (last_dim(op->outputs[0]->shape) == 1) {
        warning(g->diag, op->layer->loc, "softmax of a single value is 1 whatever the value");
        hint(g->diag, "for two classes write 2 units, or 1 unit with activation=sigmoid and loss=mse");
    }
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_softmax_grad, dy); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Shape s = op->outputs[0]->shape;
    int64_t n = last_dim(s);
    for (int64_t r = 0; r < row_count(s); r++) {
        const double *x = in[0] + r * n;
        double *y = out[0] + r * n, largest = x[0], sum = 0;
        for (int64_t i = 1; i < n; i++) largest = fmax(largest, x[i]);
        for (int64_t i = 0; i < n; i++) sum += y[i] = exp(x[i] - largest);
        for (int64_t i = 0; i < n; i++) y[i] /= sum;
    }
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Shape s = op->outputs[0]->shape;
    int64_t n = last_dim(s);
    for (int64_t r = 0; r < row_count(s); r++) {
        const double *dy = in[0] + r * n, *y = in[1] + r * n;
        double dot = 0;
        for (int64_t i = 0; i < n; i++) dot += dy[i] * y[i];
        for (int64_t i = 0; i < n; i++) out[0][r * n + i] = y[i] * (dy[i] - dot);
    }
}

static void bind(const Op *op, Bindings *b) {
    bind_int(b, "ROWS", row_count(op->outputs[0]->shape));
    bind_int(b, "N", last_dim(op->outputs[0]->shape));
}

static double flops(const Op *op) { return 4.0 * (double)shape_count(op->outputs[0]->shape); }

const OpDef op_softmax = {
    .call = {"softmax", "exponentials divided by their sum, along the last axis", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Softmax", .min_inputs = 1,
    .max_inputs = 1, .activation = true, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "softmax.forward",
    .bind = bind, .flops = flops, .equation = "y = exp(x - max x) / sum exp(x - max x)",
};
const OpDef op_softmax_grad = {
    .call = {"softmax_grad", "gradient of softmax", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .plain = "softmax.grad", .bind = bind, .flops = flops, .equation = "dx = y * (dy - sum dy * y)",
};
