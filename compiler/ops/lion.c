/* lion.c: Keras's Lion: steps of one size, in the direction of the sign of a mean gradient. */
#include "optimizer.h"

enum { BETA_1 = FIRST_OWN_OPTION, BETA_2 };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    {"beta_1", ATTR_REAL, "0.9", 1e-30, 1, 0, NULL, NULL, false, "part of the mean gradient in the direction of a step"},
    {"beta_2", ATTR_REAL, "0.99", 0, 1, 0, NULL, NULL, false, "how much of the mean gradient stays"},
};

static int slots(const Attr *a, const char **names) {
    names[0] = "momentum";
    return shared_slots(a, names, 1);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_factor(b, "beta_1", "beta_1_rest", a[BETA_1].real);
    bind_factor(b, "beta_2", "beta_2_rest", a[BETA_2].real);
}

const OpDef op_lion = {
    .call = {"lion", "steps by the sign of the mean gradient", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Lion", .plain = "lion",
    .infer = infer_optimizer, .bind = bind, .slots = slots,
    .equation = "w -= learning_rate sign(beta_1 m + (1 - beta_1) g);  m = beta_2 m + (1 - beta_2) g",
};
