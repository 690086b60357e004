/* soft.c: softplus, y = log(1 + e^x), whose slope 1 - e^-y is; softsign, y = x / (1 + |x|), whose slope (1 - |y|)^2 is. */
#include "ops.h"

#include <math.h>

static void gradient_plus(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_softplus_grad, dy); }
static void gradient_sign(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_softsign_grad, dy); }

static double plus(const Op *op, double x) { return (void)op, fmax(x, 0) + log1p(exp(-fabs(x))); }
static double plus_slope(const Op *op, double y) { return (void)op, -expm1(-y); }
static double sign(const Op *op, double x) { return (void)op, x / (1 + fabs(x)); }
static double sign_slope(const Op *op, double y) { return (void)op, (1 - fabs(y)) * (1 - fabs(y)); }
EVALUATE(evaluate_plus, plus)
EVALUATE_GRAD(evaluate_plus_grad, plus_slope)
EVALUATE(evaluate_sign, sign)
EVALUATE_GRAD(evaluate_sign_grad, sign_slope)

const OpDef op_softplus = {
    .call = {"softplus", "log(1 + exp(x))", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient_plus, .evaluate = evaluate_plus,
    .expression = "${V}_softplus(${a})", .equation = "y = log(1 + exp(x))",
};
const OpDef op_softplus_grad = {
    ACTIVATION_GRAD("softplus"), .evaluate = evaluate_plus_grad, .scales_dy = true, .expression = "-${a} * ${V}_expm1(-${b})", .equation = "dx = dy * (1 - exp(-y))",
};
const OpDef op_softsign = {
    .call = {"softsign", "x / (1 + |x|)", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient_sign, .evaluate = evaluate_sign,
    .expression = "${a} / (1 + ${V}_abs(${a}))", .equation = "y = x / (1 + |x|)",
};
const OpDef op_softsign_grad = {
    ACTIVATION_GRAD("softsign"), .evaluate = evaluate_sign_grad, .scales_dy = true,
    .expression = "${a} * ((1 - ${V}_abs(${b})) * (1 - ${V}_abs(${b})))", .equation = "dx = dy * (1 - |y|)^2",
};
