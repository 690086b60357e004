/* linear.c: y = x, the activation that does nothing. */
#include "ops.h"

#include <string.h>

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], dy);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    memcpy(out[0], in[0], sizeof(double) * (size_t)shape_count(op->outputs[0]->shape));
}

const OpDef op_linear = {
    .call = {"linear", "the input itself", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Activation", .min_inputs = 1, .max_inputs = 1, .activation = true,
    .view = true, .infer = infer_like_input, .same_size = true, .gradient = gradient, .evaluate = evaluate, .equation = "y = x",
};
