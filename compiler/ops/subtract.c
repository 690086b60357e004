/* subtract.c: the elementwise difference of two inputs. */
#include "ops.h"

static Tensor *layer(Graph *g, Layer *l) { return merge(g, l, &op_subtract); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], dy);
    if (wants_gradient(op->inputs[1])) add_gradient(g, op->inputs[1], add_gradient_op(g, &op_negative, op, (Tensor *[]){dy}, 1));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] - in[1][i];
}

static double negative(const Op *op, double x) { return (void)op, -x; }
EVALUATE(evaluate_negative, negative)

const OpDef op_subtract = {
    .call = {"subtract", "elementwise difference of two inputs", NULL, 0, NULL}, .kind = OP_LAYER, .min_inputs = 2, .max_inputs = 2, .infer = infer_like_input,
    .same_size = true, .keras = "Subtract", .layer = layer,
    .gradient = gradient, .evaluate = evaluate, .expression = "${a} - ${b}", .equation = "y = a - b",
};
const OpDef op_negative = {
    .call = {"negative", "gradient of subtract in what is subtracted", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_negative, .expression = "-${a}", .equation = "db = -dy",
};
