/* relu.c: y = max(x, 0) and what has a slope below or a limit above; the gradient at 0 is 0, and what is no number stays so, as in Keras.
 *
 * In general y = min(x, max_value) above the threshold and negative_slope * (x - threshold) below; each simpler form is an op of its own. */
#include "ops.h"

#include <math.h>

enum { MAX_VALUE, NEGATIVE_SLOPE, THRESHOLD, LAST };

#define NUMBER(name, fallback, doc) {name, ATTR_REAL, fallback, 0, 1e38, 0, NULL, NULL, false, doc}
static const AttrDef attributes[] = {
    NUMBER("max_value", "", "the largest output"),
    NUMBER("negative_slope", "0", "slope below the threshold"),
    NUMBER("threshold", "0", "where the input itself begins"),
};

/* ---- max(x, 0) ------------------------------------------------------------------------------------------------------ */

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_relu_grad, dy); }

static double value(const Op *op, double x) { return (void)op, x < 0 ? 0 : x; }
static double slope(const Op *op, double y) { return (void)op, y > 0; }
EVALUATE(evaluate, value)
EVALUATE_GRAD(evaluate_grad, slope)

/* ---- up to 6 -------------------------------------------------------------------------------------------------------- */

static void gradient_6(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_relu6_grad, dy); }

static double value_6(const Op *op, double x) { return (void)op, x < 0 ? 0 : x > 6 ? 6 : x; }
static double slope_6(const Op *op, double y) { return (void)op, y > 0 && y < 6; }
EVALUATE(evaluate_6, value_6)
EVALUATE_GRAD(evaluate_6_grad, slope_6)

/* ---- in general ----------------------------------------------------------------------------------------------------- */

/* `last`: the largest input whose gradient passes. Of Keras's two ways to cut, one leaves out the limit itself. */
static const AttrDef general[] = {
    NUMBER("max_value", "", ""), NUMBER("negative_slope", "0", ""), NUMBER("threshold", "0", ""), NUMBER("last", "", ""),
};

static double limit(const Attr *a) { return a->present ? a->real : INFINITY; }

static double value_general(const Op *op, double x) {
    const Attr *a = op->attributes;
    double below = a[NEGATIVE_SLOPE].real > 0 ? a[NEGATIVE_SLOPE].real * (x - a[THRESHOLD].real) : 0;
    return x > a[THRESHOLD].real ? fmin(x, limit(&a[MAX_VALUE])) : below;
}

static double slope_general(const Op *op, double x) {
    const Attr *a = op->attributes;
    return x > a[THRESHOLD].real ? !(x > limit(&a[LAST])) : x < a[THRESHOLD].real ? a[NEGATIVE_SLOPE].real : 0;
}
EVALUATE(evaluate_general, value_general)
EVALUATE_GRAD(evaluate_general_grad, slope_general)

static void gradient_limited(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_relu_limited_grad, dy); }
static void gradient_sloped(Graph *g, Op *op, Tensor *dy) { gradient_from_input(g, op, &op_relu_sloped_grad, dy); }

static Tensor *activate(Graph *g, Layer *l, Attr *a, Tensor *x) {
    bool limited = a[MAX_VALUE].present, sloped = a[NEGATIVE_SLOPE].real > 0, moved = a[THRESHOLD].real > 0, six = limited && a[MAX_VALUE].real == 6 && !moved;
    const OpDef *def = sloped ? &op_relu_sloped : six ? &op_relu6 : limited || moved ? &op_relu_limited : &op_relu;
    Attr *own = NEW_ARRAY(g->arena, Attr, LENGTH(general));
    for (int i = 0; i < LENGTH(attributes); i++) own[i] = a[i];
    own[LAST] = a[MAX_VALUE];
    if (six) own[LAST].real = 6 - 0x1p-21; /* the largest float below 6 */
    if (sloped && !limited && !moved) def = &op_leaky_relu, own = &own[NEGATIVE_SLOPE];
    return add_op(g, def, l, own, (Tensor *[]){x}, 1);
}

#define ABOVE "${V}_min(${V}_splat(${max_value}), ${a})"
#define PASSED "${V}_where_greater(${b}, ${V}_splat(${last}), ${V}_zero(), ${a})"

const OpDef op_relu = {
    .call = {"relu", "rectified linear unit, max(x, 0)", ATTRIBUTES(attributes), NULL}, ACTIVATION_LAYER, .keras = "ReLU", .activate = activate,
    .monotone = true, .sparse = true, .gradient = gradient, .evaluate = evaluate, .expression = "${V}_max(${V}_zero(), ${a})", .equation = "y = max(x, 0)",
};
const OpDef op_relu_grad = {
    ACTIVATION_GRAD("relu"), .evaluate = evaluate_grad, .scales_dy = true, .expression = "${V}_where_positive(${b}, ${a})", .equation = "dx = y > 0 ? dy : 0",
};
const OpDef op_relu6 = {
    .call = {"relu6", "rectified linear unit up to 6, min(max(x, 0), 6)", NULL, 0, NULL}, ACTIVATION_LAYER, .keras = "Activation", .monotone = true, .sparse = true,
    .gradient = gradient_6, .evaluate = evaluate_6, .expression = "${V}_min(${V}_splat(6), ${V}_max(${V}_zero(), ${a}))", .equation = "y = min(max(x, 0), 6)",
};
const OpDef op_relu6_grad = {
    ACTIVATION_GRAD("relu6"), .evaluate = evaluate_6_grad, .scales_dy = true,
    .expression = "${V}_where_greater(${V}_splat(6), ${b}, ${V}_where_positive(${b}, ${a}), ${V}_zero())", .equation = "dx = 0 < y < 6 ? dy : 0",
};
const OpDef op_relu_limited = {
    .call = {"relu_limited", "relu with a limit or a threshold", ATTRIBUTES(general), NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .same_size = true,
    .monotone = true, .sparse = true, .gradient = gradient_limited, .evaluate = evaluate_general,
    .expression = "${V}_where_greater(${a}, ${V}_splat(${threshold}), " ABOVE ", ${V}_zero())", .equation = "y = x > threshold ? min(x, max) : 0",
};
const OpDef op_relu_limited_grad = {
    ACTIVATION_GRAD("relu_limited"), .evaluate = evaluate_general_grad,
    .expression = "${V}_where_greater(${b}, ${V}_splat(${threshold}), " PASSED ", ${V}_zero())", .equation = "dx = threshold < x <= max ? dy : 0",
};
const OpDef op_relu_sloped = {
    .call = {"relu_sloped", "relu with a slope below its threshold", ATTRIBUTES(general), NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .same_size = true,
    .gradient = gradient_sloped, .evaluate = evaluate_general,
    .expression = "${V}_where_greater(${a}, ${V}_splat(${threshold}), " ABOVE ", (${a} - ${V}_splat(${threshold})) * ${V}_splat(${negative_slope}))",
    .equation = "y = x > threshold ? min(x, max) : slope * (x - threshold)",
};
const OpDef op_relu_sloped_grad = {
    ACTIVATION_GRAD("relu_sloped"), .evaluate = evaluate_general_grad,
    .expression = "${V}_where_greater(${b}, ${V}_splat(${threshold}), " PASSED ", "
                  "${V}_where_greater(${V}_splat(${threshold}), ${b}, ${a} * ${V}_splat(${negative_slope}), ${V}_zero()))",
    .equation = "dx = x > threshold ? x <= max ? dy : 0 : slope * dy",
};
