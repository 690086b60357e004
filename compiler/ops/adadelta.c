/* adadelta.c: Keras's Adadelta: steps as large as the last ones were, by the root of the mean squares of both. */
#include "optimizer.h"

enum { RHO = FIRST_OWN_OPTION, EPSILON };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    {"rho", ATTR_REAL, "0.95", 0, 1, 0, NULL, NULL, false, "how much of the mean squares stays"},
    EPSILON_DEF("added under the roots"),
};

static int slots(const Attr *a, const char **names) {
    names[0] = "squares";
    names[1] = "step_squares";
    return shared_slots(a, names, 2);
}

static void bind(const Op *op, Bindings *b) {
    bind_optimizer(op->attributes, b);
    bind_factor(b, "rho", "rho_rest", op->attributes[RHO].real);
    bind_real(b, "epsilon", op->attributes[EPSILON].real);
}

const OpDef op_adadelta = {
    .call = {"adadelta", "steps as large as the last ones", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Adadelta", .plain = "adadelta",
    .infer = infer_optimizer, .bind = bind, .slots = slots,
    .equation = "s = rho s + (1 - rho) g^2;  d = sqrt(q + epsilon) / sqrt(s + epsilon) g;  q = rho q + (1 - rho) d^2;  w -= learning_rate d",
};
