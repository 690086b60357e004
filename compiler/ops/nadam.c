/* nadam.c: Keras's Nadam: Adam with Nesterov's momentum, whose beta_1 grows: u_t = beta_1 (1 - 0.96^t / 2). */
#include "optimizer.h"

enum { BETA_1 = FIRST_OWN_OPTION, BETA_2, EPSILON };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    BETA_DEF("beta_1", "0.9", "how much of the mean gradient stays"),
    BETA_DEF("beta_2", "0.999", "how much of the mean square stays"),
    EPSILON_DEF("added to the root"),
};

static int slots(const Attr *a, const char **names) {
    names[0] = "momentum";
    names[1] = "velocity";
    return shared_slots(a, names, 2);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_factor(b, "beta_1", "beta_1_rest", a[BETA_1].real);
    bind_factor(b, "beta_2", "beta_2_rest", a[BETA_2].real);
    bind_real(b, "epsilon", a[EPSILON].real);
}

const OpDef op_nadam = {
    .call = {"nadam", "adam with Nesterov's momentum", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Nadam", .plain = "nadam",
    .infer = infer_optimizer, .bind = bind, .slots = slots,
    .equation = "m += (1 - beta_1) (g - m);  v += (1 - beta_2) (g^2 - v);  w -= learning_rate (m and g, corrected) / (sqrt(v / (1 - beta_2^t)) + epsilon)",
};
