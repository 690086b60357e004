/* group_normalization.c: groups of an example's channels, each by its own mean and variance over all positions; then times gamma,
 * plus beta. */
#include "normalization.h"

enum { GROUPS = FIRST_OWN_OPTION };

static const AttrDef attributes[] = {
    NORMALIZATION_DEFS,
    {"groups", ATTR_INT, "32", -1, 1 << 24, 0, NULL, NULL, false, "number of groups, a divisor of that of channels; -1: as many as channels"},
    SCALE_AND_CENTER_DEFS,
};

/* Keras names no layer with its default of 32 groups that has fewer channels: groups= has to be written. */
static bool check_groups(Graph *g, const Layer *l) {
    const Attr *groups = &l->attributes[GROUPS];
    int n = attr_int(groups), channels = last_dim(l->inputs[0]->shape);
    Loc loc = groups->given ? groups->loc : l->loc;
    if (n == -1 || (n > 0 && channels % n == 0)) return true;
    if (n == 0) error(g->diag, loc, "'group_normalization' needs groups, one at least, or -1 for as many as channels");
    else error(g->diag, loc, "%d channels cannot be divided into %d groups", channels, n);
    if (n > 0) hint(g->diag, groups->given ? "the number of groups divides that of channels" : "there are 32 groups unless groups= says how many");
    return false;
}

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    if (!check_last_axis(g, l) || !check_groups(g, l)) return NULL;
    Tensor *y = add_op(g, &op_group_normalization, l, l->attributes, l->inputs, 1);
    return y ? scale_and_center(g, l, y, a[SCALE].real != 0, a[CENTER].real != 0) : NULL;
}

static Groups groups_of(const Op *op) {
    Shape s = op->outputs[0]->shape;
    int channels = last_dim(s), groups = attr_int(&op->attributes[GROUPS]);
    if (groups == -1) groups = channels;
    return (Groups){1, row_count(s), groups, channels / groups, true};
}

static bool infer(Graph *g, Op *op) {
    int groups = attr_int(&op->attributes[GROUPS]);
    return infer_standardized(g, op, shape1(groups == -1 ? last_dim(op->inputs[0]->shape) : groups));
}

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_of_standardized(g, op, &op_group_normalization_grad, dy); }

static const Standardized standardized = {groups_of};

const OpDef op_group_normalization = {
    .call = {"group_normalization", "groups of channels, each by its own mean and variance", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER,
    .keras = "GroupNormalization", .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer, .gradient = gradient, .cancels = true, .evaluate = standardize,
    .plain = "normalization.forward", .finishes = true, .own = &standardized, .bind = bind_standardized, .flops = standardize_flops,
    .equation = "y = (x - mean x) / sqrt(var x + epsilon), group by group",
};
const OpDef op_group_normalization_grad = {
    .call = {"group_normalization_grad", "gradient of group_normalization", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .cancels = true, .evaluate = standardize_grad, .plain = "normalization.grad", .own = &standardized, .bind = bind_standardized, .flops = standardize_flops,
    .equation = "dx = (dy - mean dy - y * mean (dy * y)) / sqrt(var x + epsilon)",
};
