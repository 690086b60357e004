/* mish.c: y = x tanh(log(1 + e^x)). The tanh is n / (n + 2) where n = e^x (e^x + 2). */
#include "ops.h"

#include <math.h>

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_mish_grad, dy); }

static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double value(const Op *op, double x) { return (void)op, x * tanh(softplus(x)); }
static double slope(const Op *op, double x) {
    double t = tanh(softplus(x));
    return (void)op, t + x * (1 - t * t) / (1 + exp(-x));
}
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

const OpDef op_mish = {
    .call = {"mish", "x tanh(log(1 + exp(x)))", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient, .evaluate = evaluate,
    .expression = "${V}_mish(${a})", .equation = "y = x * tanh(log(1 + exp(x)))",
};
const OpDef op_mish_grad = {
    ACTIVATION_GRAD("mish"), .evaluate = evaluate_grad, .expression = "${a} * ${V}_mish_slope(${b})",
    .equation = "dx = dy * (t + x * (1 - t * t) / (1 + exp(-x))), t = tanh(log(1 + exp(x)))",
};
