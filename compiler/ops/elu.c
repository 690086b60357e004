/* elu.c: exponential linear units: x above 0, a multiple of e^x - 1 below. */
#include "ops.h"

#include <math.h>

static const AttrDef attributes[] = {{"alpha", ATTR_REAL, "1", 0, 1e38, 0, NULL, NULL, false, "how far below 0 outputs go"}};

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_elu_grad, dy); }

static double value(const Op *op, double x) { return x > 0 ? x : op->attributes[0].real * expm1(x); }
static double slope(const Op *op, double y) { return y > 0 ? 1 : y + op->attributes[0].real; }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

/* ---- selu: means of 0 and variances of 1 stay so ---------------------------------------------------------------------- */

#define SCALE 1.0507009873554805
#define SCALE_ALPHA 1.7580993408473766
#define TEXT(number) QUOTED(number) "${F}"
#define QUOTED(number) #number

static void gradient_selu(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_selu_grad, dy); }

static double value_selu(const Op *op, double x) { return (void)op, x < 0 ? SCALE_ALPHA * expm1(x) : SCALE * x; }
static double slope_selu(const Op *op, double y) { return (void)op, y < 0 ? y + SCALE_ALPHA : SCALE; }
EVALUATE(evaluate_selu, value_selu)
EVALUATE_GRAD(evaluate_selu_grad, slope_selu)

const OpDef op_elu = {
    .call = {"elu", "exponential linear unit: x above 0, alpha (e^x - 1) below", ATTRIBUTES(attributes), NULL}, ACTIVATION_LAYER, .keras = "ELU", .gradient = gradient,
    .evaluate = evaluate, .expression = "${V}_where_greater(${a}, ${V}_zero(), ${a}, ${V}_expm1(${a}) * ${V}_splat(${alpha}))",
    .equation = "y = x > 0 ? x : alpha * (exp(x) - 1)",
};
const OpDef op_elu_grad = {
    ACTIVATION_GRAD("elu"), .evaluate = evaluate_grad, .scales_dy = true,
    .expression = "${V}_where_greater(${b}, ${V}_zero(), ${a}, ${a} * (${b} + ${V}_splat(${alpha})))", .equation = "dx = y > 0 ? dy : dy * (y + alpha)",
};
const OpDef op_selu = {
    .call = {"selu", "self-normalizing elu", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient_selu, .evaluate = evaluate_selu,
    .expression = "${V}_where_greater(${V}_zero(), ${a}, ${V}_expm1(${a}) * ${V}_splat(" TEXT(SCALE_ALPHA) "), ${a} * ${V}_splat(" TEXT(SCALE) "))",
    .equation = "y = x < 0 ? 1.758 * (exp(x) - 1) : 1.0507 * x",
};
const OpDef op_selu_grad = {
    ACTIVATION_GRAD("selu"), .evaluate = evaluate_selu_grad, .scales_dy = true,
    .expression = "${V}_where_greater(${V}_zero(), ${b}, ${a} * (${b} + ${V}_splat(" TEXT(SCALE_ALPHA) ")), ${a} * ${V}_splat(" TEXT(SCALE) "))",
    .equation = "dx = y < 0 ? dy * (y + 1.758) : 1.0507 * dy",
};
