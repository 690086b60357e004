/* exponential.c: y = e^x. */
#include "ops.h"

#include <math.h>

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_exponential_grad, dy); }

static double value(const Op *op, double x) { return (void)op, exp(x); }
static double slope(const Op *op, double y) { return (void)op, y; }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

const OpDef op_exponential = {
    .call = {"exponential", "exp(x)", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient, .evaluate = evaluate,
    .expression = "${V}_exp(${a})", .equation = "y = exp(x)",
};
const OpDef op_exponential_grad = {
    ACTIVATION_GRAD("exponential"), .evaluate = evaluate_grad, .scales_dy = true, .expression = "${a} * ${b}", .equation = "dx = dy * y",
};
