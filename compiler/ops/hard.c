/* hard.c: sigmoid, silu and tanh out of straight lines. Gradients are 0 at -3 and 3 of hard_sigmoid, but pass at -1 and 1 of hard_tanh, as
 * in Keras. */
#include "ops.h"

static double clip(double x, double least, double most) { return x < least ? least : x > most ? most : x; }

/* ---- hard_sigmoid ----------------------------------------------------------------------------------------------------- */

static void gradient_sigmoid(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_hard_sigmoid_grad, dy); }

static double sigmoid(const Op *op, double x) { return (void)op, clip(x + 3, 0, 6) / 6; }
static double sigmoid_slope(const Op *op, double y) { return (void)op, y > 0 && y < 1 ? 1.0 / 6 : 0; }
EVALUATE(evaluate_sigmoid, sigmoid)
EVALUATE_GRAD(evaluate_sigmoid_grad, sigmoid_slope)

/* ---- hard_silu -------------------------------------------------------------------------------------------------------- */

static void gradient_silu(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_hard_silu_grad, dy); }

static double silu(const Op *op, double x) { return x * sigmoid(op, x); }
static double silu_slope(const Op *op, double x) { return sigmoid(op, x) + x * sigmoid_slope(op, sigmoid(op, x)); }
EVALUATE(evaluate_silu, silu)
EVALUATE_GRAD(evaluate_silu_grad, silu_slope)

/* ---- hard_tanh -------------------------------------------------------------------------------------------------------- */

static void gradient_tanh(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_hard_tanh_grad, dy); }

static double tanh_value(const Op *op, double x) { return (void)op, clip(x, -1, 1); }
static double tanh_slope(const Op *op, double x) { return (void)op, !(x < -1 || x > 1); }
EVALUATE(evaluate_tanh, tanh_value)
EVALUATE_GRAD(evaluate_tanh_grad, tanh_slope)

const OpDef op_hard_sigmoid = {
    .call = {"hard_sigmoid", "x / 6 + 1/2, from 0 to 1", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .monotone = true, .gradient = gradient_sigmoid,
    .evaluate = evaluate_sigmoid, .expression = "${V}_hard_sigmoid(${a})", .equation = "y = min(max(x + 3, 0), 6) / 6",
};
const OpDef op_hard_sigmoid_grad = {
    ACTIVATION_GRAD("hard_sigmoid"), .evaluate = evaluate_sigmoid_grad, .scales_dy = true,
    .expression = "${V}_where_greater(${V}_splat(1), ${b}, ${V}_where_positive(${b}, ${a} / 6), ${V}_zero())", .equation = "dx = 0 < y < 1 ? dy / 6 : 0",
};
const OpDef op_hard_silu = {
    .call = {"hard_silu", "x hard_sigmoid(x)", NULL, 0, "hard_swish"}, ACTIVATION_LAYER, .keras = "Activation", .gradient = gradient_silu,
    .evaluate = evaluate_silu, .expression = "${a} * ${V}_hard_sigmoid(${a})", .equation = "y = x * min(max(x + 3, 0), 6) / 6",
};
const OpDef op_hard_silu_grad = {
    ACTIVATION_GRAD("hard_silu"), .evaluate = evaluate_silu_grad, .expression = "${a} * ${V}_hard_silu_slope(${b})",
    .equation = "dx = dy * (min(max(x + 3, 0), 6) + (-3 < x < 3 ? x : 0)) / 6",
};
const OpDef op_hard_tanh = {
    .call = {"hard_tanh", "x, from -1 to 1", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .monotone = true, .gradient = gradient_tanh,
    .evaluate = evaluate_tanh, .expression = "${V}_min(${V}_splat(1), ${V}_max(${V}_splat(-1), ${a}))", .equation = "y = min(max(x, -1), 1)",
};
const OpDef op_hard_tanh_grad = {
    ACTIVATION_GRAD("hard_tanh"), .evaluate = evaluate_tanh_grad,
    .expression = "${V}_where_greater(${V}_abs(${b}), ${V}_splat(1), ${V}_zero(), ${a})", .equation = "dx = -1 <= x <= 1 ? dy : 0",
};
