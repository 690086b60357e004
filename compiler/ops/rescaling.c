/* rescaling.c: y = scale x + offset. */
#include "ops.h"

static const AttrDef attributes[] = {
    {"scale", ATTR_REAL, NULL, 0, 0, 0, NULL, NULL, true, "elements are multiplied by it"},
    {"offset", ATTR_REAL, "0", 0, 0, 0, NULL, NULL, false, "and this is added"},
};

static Tensor *layer(Graph *g, Layer *l) { return add_op(g, l->attributes[1].real == 0 ? &op_scaled : &op_rescaling, l, l->attributes, l->inputs, 1); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_scaled, op, (Tensor *[]){dy}, 1));
}

static double value(const Op *op, double x) { return x * op->attributes[0].real + op->attributes[1].real; }
static double scaled(const Op *op, double x) { return x * op->attributes[0].real; }
EVALUATE(evaluate, value)
EVALUATE(evaluate_scaled, scaled)

#define LIKE_INPUT .infer = infer_like_input, .same_size = true, .gradient = gradient

const OpDef op_rescaling = {
    .call = {"rescaling", "x * scale + offset", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Rescaling", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, LIKE_INPUT, .evaluate = evaluate, .expression = "${a} * ${V}_splat(${scale}) + ${V}_splat(${offset})", .equation = "y = x * scale + offset",
};
const OpDef op_scaled = {
    .call = {"scaled", "x * scale", attributes, 1, NULL}, .kind = OP_INTERNAL, LIKE_INPUT, .evaluate = evaluate_scaled,
    .expression = "${a} * ${V}_splat(${scale})", .equation = "y = x * scale",
};
