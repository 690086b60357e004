/* maximum.c: the elementwise maximum and minimum of two inputs or more, as chains of two. The gradient goes to the first of equals, as in
 * Keras. */
#include "ops.h"

static Tensor *layer_maximum(Graph *g, Layer *l) { return merge(g, l, &op_maximum); }
static Tensor *layer_minimum(Graph *g, Layer *l) { return merge(g, l, &op_minimum); }

static void add_choice(Graph *g, Op *op, const OpDef *def, Tensor *dy) {
    Op *grad = add_gradient_op(g, def, op, (Tensor *[]){dy, op->inputs[0], op->inputs[1]}, 3)->producer;
    for (int i = 0; i < 2; i++)
        if (wants_gradient(op->inputs[i])) add_gradient(g, op->inputs[i], grad->outputs[i]);
}
static void gradient_maximum(Graph *g, Op *op, Tensor *dy) { add_choice(g, op, &op_maximum_grad, dy); }
static void gradient_minimum(Graph *g, Op *op, Tensor *dy) { add_choice(g, op, &op_minimum_grad, dy); }

static bool infer_grad(Graph *g, Op *op) {
    for (int i = 0; i < 2; i++) infer_like_forward_input(g, op);
    return true;
}

static void evaluate_maximum(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] > in[1][i] ? in[0][i] : in[1][i];
}

static void evaluate_minimum(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] < in[1][i] ? in[0][i] : in[1][i];
}

static bool takes_second(const Op *op, double a, double b) { return op->def == &op_maximum_grad ? b > a : a > b; }

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) {
        bool second = takes_second(op, in[1][i], in[2][i]);
        out[0][i] = second ? 0 : in[0][i];
        out[1][i] = second ? in[0][i] : 0;
    }
}

static void bind_choice(const Op *op, Bindings *b) {
    bind_int(b, "COUNT", shape_count(op->outputs[0]->shape));
    bind_int(b, "LARGEST", op->def == &op_maximum_grad);
}

#define CHOICE(name) \
    .call = {name "_grad", "gradient of " name, NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad, \
    .plain = "choice", .bind = bind_choice

const OpDef op_maximum = {
    .call = {"maximum", "elementwise largest of its inputs", NULL, 0, NULL}, MERGE, .keras = "Maximum", .layer = layer_maximum,
    .gradient = gradient_maximum, .evaluate = evaluate_maximum, .expression = "${V}_max(${a}, ${b})", .equation = "y = max(a, b)",
};
const OpDef op_maximum_grad = {CHOICE("maximum"), .equation = "da = a >= b ? dy : 0, db = dy - da"};
const OpDef op_minimum = {
    .call = {"minimum", "elementwise smallest of its inputs", NULL, 0, NULL}, MERGE, .keras = "Minimum", .layer = layer_minimum,
    .gradient = gradient_minimum, .evaluate = evaluate_minimum, .expression = "${V}_min(${a}, ${b})", .equation = "y = min(a, b)",
};
const OpDef op_minimum_grad = {CHOICE("minimum"), .equation = "da = a <= b ? dy : 0, db = dy - da"};
