/* silu.c: y = x sigmoid(x). */
#include "ops.h"

#include <math.h>

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_silu_grad, dy); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double value(const Op *op, double x) { return (void)op, x * sigmoid(x); }
static double slope(const Op *op, double x) { return (void)op, sigmoid(x) * (1 + x * (1 - sigmoid(x))); }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

const OpDef op_silu = {
    .call = {"silu", "x / (1 + exp(-x))", NULL, 0, "swish"}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient, .evaluate = evaluate,
    .expression = "${a} * ${V}_sigmoid(${a})", .equation = "y = x / (1 + exp(-x))",
};
const OpDef op_silu_grad = {
    ACTIVATION_GRAD("silu"), .evaluate = evaluate_grad, .expression = "${a} * ${V}_silu_slope(${b})",
    .equation = "dx = dy * s * (1 + x * (1 - s)), s = 1 / (1 + exp(-x))",
};
