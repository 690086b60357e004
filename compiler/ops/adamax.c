/* adamax.c: Keras's Adamax: Adam with the largest |g|, slowly forgotten, in place of the root of the mean square. */
#include "optimizer.h"

enum { BETA_1 = FIRST_OWN_OPTION, BETA_2, EPSILON };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    BETA_DEF("beta_1", "0.9", "how much of the mean gradient stays"),
    BETA_DEF("beta_2", "0.999", "how much of the largest gradient stays"),
    EPSILON_DEF("added to the largest gradient"),
};

static int slots(const Attr *a, const char **names) {
    names[0] = "momentum";
    names[1] = "largest";
    return shared_slots(a, names, 2);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_factor(b, "beta_1", "beta_1_rest", a[BETA_1].real);
    bind_real(b, "beta_2", a[BETA_2].real);
    bind_real(b, "epsilon", a[EPSILON].real);
}

const OpDef op_adamax = {
    .call = {"adamax", "adam by the largest gradient", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Adamax", .plain = "adamax",
    .infer = infer_optimizer, .bind = bind, .slots = slots,
    .equation = "m += (1 - beta_1) (g - m);  u = max(beta_2 u, |g|);  w -= learning_rate / (1 - beta_1^t) m / (u + epsilon)",
};
