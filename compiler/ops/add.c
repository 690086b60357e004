/* add.c: the elementwise sum of two inputs or more, as a chain of sums of two. */
#include "ops.h"

static Tensor *layer(Graph *g, Layer *l) {
    Tensor *sum = l->inputs[0];
    for (int i = 1; i < l->input_count; i++) {
        Tensor *x = l->inputs[i];
        if (!shape_equal(x->shape, sum->shape)) {
            error(g->diag, l->loc, "'add' needs inputs of the same shape, not %s and %s", shape_text(g->arena, sum->shape), shape_text(g->arena, x->shape));
            note_shape(g, l->inputs[0]);
            note_shape(g, x);
            return NULL;
        }
        sum = add_op(g, &op_add, l, NULL, (Tensor *[]){sum, x}, 2);
    }
    return sum;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    for (int i = 0; i < 2; i++)
        if (wants_gradient(op->inputs[i])) add_gradient(g, op->inputs[i], dy);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] + in[1][i];
}

const OpDef op_add = {
    .call = {"add", "elementwise sum of its inputs", NULL, 0, NULL}, .kind = OP_LAYER, .keras = "Add", .min_inputs = 2, .max_inputs = 64, .layer = layer,
    .infer = infer_like_input, .same_size = true, .gradient = gradient, .evaluate = evaluate, .expression = "${a} + ${b}", .equation = "y = a + b",
};
