/* example_weight.c: how much each example counts in the loss: a number that comes with the data (fit sample_weight=true), or one of its
 * class (fit class_weight=...), which counts only while training. Losses have it as their third input: their total adds weight * loss; and
 * their gradient is multiplied by it. As in Keras the sum is divided by the number of examples, not by that of weights. */
#include "ops.h"

#include <math.h>

/* ---- 1, or what the data say ---------------------------------------------------------------------------------------------- */

static bool infer_weight(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, shape1(1), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void evaluate_given(const Op *op, double *const *in, double *const *out) { (void)op, out[0][0] = in[0][0]; }
static void evaluate_one(const Op *op, double *const *in, double *const *out) { (void)op, (void)in, out[0][0] = 1; }

/* ---- of the class ----------------------------------------------------------------------------------------------------------- */

/* The target's: an index, where the largest of several numbers stands, or a number itself. */
static int class_of(const Op *op, const double *target) {
    int64_t n = shape_count(op->inputs[1]->shape);
    int best = 0;
    if (n == 1) return (int)fmin(fmax(rint(target[0]), -1), 1 << 30);
    for (int i = 1; i < n; i++)
        if (target[i] > target[best]) best = i;
    return best;
}

static void evaluate_class(const Op *op, double *const *in, double *const *out) {
    const Attr *weights = op->attributes;
    int class = class_of(op, in[1]);
    out[0][0] = class >= 0 && class < weights->real_count ? in[0][0] * weights->reals[class] : in[0][0];
}

static void bind_class(const Op *op, Bindings *b) {
    const Attr *weights = op->attributes;
    const Tensor *target = op->inputs[1];
    bind_int(b, "CLASSES", weights->real_count);
    bind_int(b, "N", shape_count(target->shape));
    bind_int(b, "indices", target->type == TYPE_I32);
    bind_optional(b, "indices");
    bind_reals(b, "weights", weights->reals, weights->real_count);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------------------- */

static void evaluate_weigh(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * in[1][0];
}

static void bind_weigh(const Op *op, Bindings *b) { bind_int(b, "N", shape_count(op->outputs[0]->shape)); }

const OpDef op_sample_weight = {
    .call = {"sample_weight", "how much an example counts, as the data say", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_weight, .evaluate = evaluate_given,
    .plain = "example_weight.given", .equation = "weight = sample_weight",
};
const OpDef op_unit_weight = {
    .call = {"unit_weight", "an example counts once", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_weight, .evaluate = evaluate_one, .plain = "example_weight.one",
    .equation = "weight = 1",
};
const OpDef op_class_weight = {
    .call = {"class_weight", "how much an example of its class counts while training", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_weight, .idle = true,
    .evaluate = evaluate_class, .plain = "example_weight.of_class", .bind = bind_class, .equation = "weight = weight * class_weight[class]",
};
const OpDef op_weigh = {
    .call = {"weigh", "the gradient of a loss times the example's weight", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_weigh,
    .plain = "example_weight.weigh", .bind = bind_weigh, .equation = "dp = dp * weight",
};
