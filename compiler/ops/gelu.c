/* gelu.c: y = x P(x), P the distribution function of normal numbers, or near it x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which is
 * Keras's x (1 + tanh(...)) / 2. */
#include "ops.h"

#include <math.h>

static const AttrDef attributes[] = {{"approximate", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "by a tanh in place of the normal distribution"}};

static const double pi = 3.14159265358979323846;
static double normal(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_gelu_grad, dy); }

static double value(const Op *op, double x) { return (void)op, x * normal(x); }
static double slope(const Op *op, double x) { return (void)op, normal(x) + x * exp(-0.5 * x * x) / sqrt(2 * pi); }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

static void gradient_near(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_gelu_near_grad, dy); }

static double sigmoid_near(double x) { return 1 / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x * x * x))); }
static double value_near(const Op *op, double x) { return (void)op, x * sigmoid_near(x); }
static double slope_near(const Op *op, double x) {
    double s = sigmoid_near(x);
    return (void)op, s + x * s * (1 - s) * 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
}
EVALUATE(evaluate_near, value_near)
EVALUATE_GRAD(evaluate_near_grad, slope_near)

static Tensor *activate(Graph *g, Layer *l, Attr *a, Tensor *x) { return add_op(g, a[0].real != 0 ? &op_gelu_near : &op_gelu, l, a, (Tensor *[]){x}, 1); }

const OpDef op_gelu = {
    .call = {"gelu", "x times the part of normal numbers below x", ATTRIBUTES(attributes), NULL}, ACTIVATION_LAYER, .keras = "Activation", .activate = activate,
    .gradient = gradient, .evaluate = evaluate, .expression = "${a} * ${V}_normal(${a})", .equation = "y = x * (1 + erf(x / sqrt 2)) / 2",
};
const OpDef op_gelu_grad = {
    ACTIVATION_GRAD("gelu"), .evaluate = evaluate_grad, .expression = "${a} * ${V}_gelu_slope(${b})",
    .equation = "dx = dy * ((1 + erf(x / sqrt 2)) / 2 + x * exp(-x * x / 2) / sqrt(2 pi))",
};
const OpDef op_gelu_near = {
    .call = {"gelu_near", "gelu by a tanh", ATTRIBUTES(attributes), NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .same_size = true,
    .gradient = gradient_near, .evaluate = evaluate_near, .expression = "${a} * ${V}_near_normal(${a})", .equation = "y = x * sigmoid(1.5958 * (x + 0.044715 * x^3))",
};
const OpDef op_gelu_near_grad = {
    ACTIVATION_GRAD("gelu_near"), .evaluate = evaluate_near_grad, .expression = "${a} * ${V}_gelu_near_slope(${b})",
    .equation = "dx = dy * d/dx (x * sigmoid(1.5958 * (x + 0.044715 * x^3)))",
};
