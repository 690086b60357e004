/* multiply.c: the elementwise product of two inputs or more, as a chain of products of two. */
#include "ops.h"

static Tensor *layer(Graph *g, Layer *l) { return merge(g, l, &op_multiply); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    for (int i = 0; i < 2; i++)
        if (wants_gradient(op->inputs[i])) add_gradient(g, op->inputs[i], add_gradient_op(g, &op_multiply, op, (Tensor *[]){dy, op->inputs[1 - i]}, 2));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * in[1][i];
}

const OpDef op_multiply = {
    .call = {"multiply", "elementwise product of its inputs", NULL, 0, NULL}, MERGE, .keras = "Multiply", .layer = layer,
    .gradient = gradient, .evaluate = evaluate, .expression = "${a} * ${b}", .equation = "y = a * b",
};
