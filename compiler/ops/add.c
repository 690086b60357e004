/* add.c: the elementwise sum of two inputs or more, as a chain of sums of two; their mean. */
#include "ops.h"

static Tensor *layer(Graph *g, Layer *l) { return merge(g, l, &op_add); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    for (int i = 0; i < 2; i++)
        if (wants_gradient(op->inputs[i])) add_gradient(g, op->inputs[i], dy);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] + in[1][i];
}

static Tensor *layer_average(Graph *g, Layer *l) {
    Tensor *sum = merge(g, l, &op_add);
    Attr *scale = NEW(g->arena, Attr);
    *scale = (Attr){.present = true, .real = 1.0 / l->input_count};
    return sum ? add_op(g, &op_scaled, l, scale, (Tensor *[]){sum}, 1) : NULL;
}

const OpDef op_add = {
    .call = {"add", "elementwise sum of its inputs", NULL, 0, NULL}, MERGE, .keras = "Add", .layer = layer,
    .gradient = gradient, .evaluate = evaluate, .expression = "${a} + ${b}", .equation = "y = a + b",
};
const OpDef op_average = {
    .call = {"average", "elementwise mean of its inputs", NULL, 0, NULL}, MERGE, .keras = "Average", .layer = layer_average,
};
