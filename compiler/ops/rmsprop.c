/* rmsprop.c: Keras's RMSprop, v = rho v + (1 - rho) g^2; w -= learning_rate g / sqrt(v + epsilon). */
#include "optimizer.h"

enum { RHO = FIRST_OWN_OPTION, MOMENTUM, EPSILON, CENTERED };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    {"rho", ATTR_REAL, "0.9", 0, 1, 0, NULL, NULL, false, "how much of the mean square stays"},
    {"momentum", ATTR_REAL, "0", 0, 1, 0, NULL, NULL, false, "how much of the last step is taken again"},
    {"epsilon", ATTR_REAL, "1e-7", 0, 1e30, 0, NULL, NULL, false, "added under the root"},
    {"centered", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "divide by the variance instead of the mean square"},
};

static int slots(const Attr *a, const char **names) {
    int n = 0;
    names[n++] = "velocity";
    if (a[MOMENTUM].real > 0) names[n++] = "momentum";
    if (a[CENTERED].real != 0) names[n++] = "average_gradient";
    return shared_slots(a, names, n);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_real(b, "rho", a[RHO].real);
    bind_real(b, "one_minus_rho", 1 - a[RHO].real);
    bind_real(b, "epsilon", a[EPSILON].real);
    bind_int(b, "has_momentum", a[MOMENTUM].real > 0);
    bind_real(b, "momentum", a[MOMENTUM].real);
    bind_int(b, "centered", a[CENTERED].real != 0);
    bind_optional(b, "momentum");
}

const OpDef op_rmsprop = {
    .call = {"rmsprop", "root mean square propagation", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "RMSprop", .plain = "rmsprop",
    .infer = infer_optimizer, .bind = bind, .slots = slots, .equation = "v = rho v + (1 - rho) g^2;  w -= learning_rate g / sqrt(v + epsilon)",
};
