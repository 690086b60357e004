/* adam.c: Keras's Adam, and AdamW, which differs in its default weight_decay: moving averages m of g and v of g^2, both
 * corrected for their start at 0. With amsgrad the largest v so far divides. */
#include "optimizer.h"

enum { BETA_1 = FIRST_OWN_OPTION, BETA_2, EPSILON, AMSGRAD };

#define OWN_ATTRIBUTES                                                                                                 \
    BETA_DEF("beta_1", "0.9", "how much of the mean gradient stays"),                                                 \
    BETA_DEF("beta_2", "0.999", "how much of the mean square stays"),                                                 \
    EPSILON_DEF("added to the root"),                                                                                 \
    {"amsgrad", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "divide by the largest mean square so far"}

static const AttrDef adam_attributes[] = {OPTIMIZER_ATTRIBUTES("0.001"), OWN_ATTRIBUTES};
static const AttrDef adamw_attributes[] = {OPTIMIZER_ATTRIBUTES_DECAYING("0.001", "0.004"), OWN_ATTRIBUTES};

static int slots(const Attr *a, const char **names) {
    int n = 0;
    names[n++] = "momentum";
    names[n++] = "velocity";
    if (a[AMSGRAD].real != 0) names[n++] = "velocity_hat";
    return shared_slots(a, names, n);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_factor(b, "beta_1", "beta_1_rest", a[BETA_1].real);
    bind_factor(b, "beta_2", "beta_2_rest", a[BETA_2].real);
    bind_real(b, "epsilon", a[EPSILON].real);
    bind_int(b, "amsgrad", a[AMSGRAD].real != 0);
}

#define STEP "m += (1 - beta_1) (g - m);  v += (1 - beta_2) (g^2 - v);  w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)"
const OpDef op_adam = {
    .call = {"adam", "adaptive moments", ATTRIBUTES(adam_attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Adam", .plain = "adam",
    .infer = infer_optimizer, .bind = bind, .slots = slots, .equation = STEP,
};
const OpDef op_adamw = {
    .call = {"adamw", "adam with a weight decay of 0.004", ATTRIBUTES(adamw_attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "AdamW", .plain = "adam",
    .infer = infer_optimizer, .bind = bind, .slots = slots, .equation = "w -= learning_rate weight_decay w;  " STEP,
};
