/* sgd.c: Keras's SGD, w -= learning_rate g; with momentum m = momentum m - learning_rate g; w += m, or with nesterov
 * w += momentum m - learning_rate g. */
#include "optimizer.h"

enum { MOMENTUM = FIRST_OWN_OPTION, NESTEROV };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.01"),
    {"momentum", ATTR_REAL, "0", 0, 1, 0, NULL, NULL, false, "how much of the last step is taken again"},
    {"nesterov", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "step from where momentum leads"},
};

static int slots(const Attr *a, const char **names) {
    int n = 0;
    if (a[MOMENTUM].real > 0) names[n++] = "momentum";
    return shared_slots(a, names, n);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_optimizer(a, b);
    bind_int(b, "has_momentum", a[MOMENTUM].real > 0);
    bind_real(b, "momentum", a[MOMENTUM].real);
    bind_int(b, "nesterov", a[NESTEROV].real != 0);
    bind_optional(b, "momentum");
    bind_optional(b, "nesterov");
}

const OpDef op_sgd = {
    .call = {"sgd", "stochastic gradient descent", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "SGD", .plain = "sgd",
    .infer = infer_optimizer, .bind = bind, .slots = slots, .equation = "m = momentum m - learning_rate g;  w += m",
};
