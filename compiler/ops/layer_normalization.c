/* layer_normalization.c: each row, along the last axis, by its own mean and variance; then times gamma, plus beta. */
#include "normalization.h"

enum { RMS_SCALING = FIRST_OWN_OPTION };

static const AttrDef attributes[] = {
    NORMALIZATION_DEFS,
    {"rms_scaling", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "divide by the root of the variance, but keep the mean; no beta"},
    SCALE_AND_CENTER_DEFS,
};

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    bool rms = a[RMS_SCALING].real != 0;
    if (!check_last_axis(g, l)) return NULL;
    Tensor *y = add_op(g, &op_layer_normalization, l, l->attributes, l->inputs, 1);
    return y ? scale_and_center(g, l, y, rms || a[SCALE].real != 0, !rms && a[CENTER].real != 0) : NULL;
}

static Groups groups_of(const Op *op) {
    Shape s = op->outputs[0]->shape;
    return (Groups){row_count(s), 1, 1, last_dim(s), op->attributes[RMS_SCALING].real == 0};
}

static bool infer(Graph *g, Op *op) {
    Shape deviation = op->inputs[0]->shape;
    deviation.dim[deviation.rank - 1] = 1;
    return infer_standardized(g, op, deviation);
}

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_of_standardized(g, op, &op_layer_normalization_grad, dy); }

static const Standardized standardized = {groups_of};

const OpDef op_layer_normalization = {
    .call = {"layer_normalization", "each row by its own mean and variance", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "LayerNormalization",
    .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer, .same_size = true, .gradient = gradient, .cancels = true, .evaluate = standardize,
    .plain = "normalization.forward", .finishes = true, .own = &standardized, .bind = bind_standardized, .flops = standardize_flops,
    .equation = "y = (x - mean x) / sqrt(var x + epsilon), row by row",
};
const OpDef op_layer_normalization_grad = {
    .call = {"layer_normalization_grad", "gradient of layer_normalization", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .cancels = true, .evaluate = standardize_grad, .plain = "normalization.grad", .own = &standardized, .bind = bind_standardized, .flops = standardize_flops,
    .equation = "dx = (dy - mean dy - y * mean (dy * y)) / sqrt(var x + epsilon)",
};
