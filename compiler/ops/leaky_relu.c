/* leaky_relu.c: y = x above 0, negative_slope * x below; the gradient at 0 is the slope. */
#include "ops.h"

#define NEGATIVE_SLOPE(fallback) {"negative_slope", ATTR_REAL, fallback, 0, 1e38, 0, NULL, NULL, false, "slope below 0"}
static const AttrDef attributes[] = {NEGATIVE_SLOPE("0.3")};
static const AttrDef activation_attributes[] = {NEGATIVE_SLOPE("0.2")};

#define DOC "x above 0, a part of it below (as an activation negative_slope is 0.2 by default)"
static const Callable as_activation = {"leaky_relu", DOC, ATTRIBUTES(activation_attributes), NULL};

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_leaky_relu_grad, dy); }

static double value(const Op *op, double x) { return x > 0 ? x : x * op->attributes[0].real; }
static double slope(const Op *op, double y) { return y > 0 ? 1 : op->attributes[0].real; }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

const OpDef op_leaky_relu = {
    .call = {"leaky_relu", DOC, ATTRIBUTES(attributes), NULL}, ACTIVATION_LAYER, .keras = "LeakyReLU", .as_activation = &as_activation, .monotone = true,
    .gradient = gradient, .evaluate = evaluate, .expression = "${V}_where_greater(${a}, ${V}_zero(), ${a}, ${a} * ${V}_splat(${negative_slope}))",
    .equation = "y = x > 0 ? x : slope * x",
};
const OpDef op_leaky_relu_grad = {
    ACTIVATION_GRAD("leaky_relu"), .evaluate = evaluate_grad, .scales_dy = true,
    .expression = "${V}_where_greater(${b}, ${V}_zero(), ${a}, ${a} * ${V}_splat(${negative_slope}))", .equation = "dx = y > 0 ? dy : slope * dy",
};
