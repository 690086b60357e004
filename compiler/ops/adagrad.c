/* adagrad.c: Keras's Adagrad: each weight's rate falls with the sum of its squared gradients. */
#include "optimizer.h"

#include <string.h>

enum { INITIAL = FIRST_OWN_OPTION, EPSILON };

static const AttrDef attributes[] = {
    OPTIMIZER_ATTRIBUTES("0.001"),
    {"initial_accumulator_value", ATTR_REAL, "0.1", 0, 1e30, 0, NULL, NULL, false, "where the sums begin"},
    EPSILON_DEF("added under the root"),
};

static int slots(const Attr *a, const char **names) {
    names[0] = "squares";
    return shared_slots(a, names, 1);
}

static double slot_start(const Attr *a, const char *slot) { return strcmp(slot, "squares") ? 0 : a[INITIAL].real; }

static void bind(const Op *op, Bindings *b) {
    bind_optimizer(op->attributes, b);
    bind_real(b, "epsilon", op->attributes[EPSILON].real);
}

const OpDef op_adagrad = {
    .call = {"adagrad", "rates that fall with the squared gradients", ATTRIBUTES(attributes), NULL}, .kind = OP_OPTIMIZER, .keras = "Adagrad", .plain = "adagrad",
    .infer = infer_optimizer, .bind = bind, .slots = slots, .slot_start = slot_start, .equation = "s += g^2;  w -= learning_rate g / sqrt(s + epsilon)",
};
