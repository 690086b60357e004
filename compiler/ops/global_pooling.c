/* global_pooling.c: the mean or the largest of all pixels or steps, channel by channel. The gradient of the largest is shared by equals, as
 * in Keras. */
#include "ops.h"

#include <string.h>

static const AttrDef attributes[] = {{"keepdims", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "axes stay, with a length of 1"}};

static bool infer_over(Graph *g, Op *op, int axes) {
    if (!check_rank(g, op, axes + 1)) return false;
    int channels = last_dim(op->inputs[0]->shape);
    Shape y = op->attributes[0].real == 0 ? shape1(channels) : axes == 2 ? shape3(1, 1, channels) : shape2(1, channels);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}
static bool infer2d(Graph *g, Op *op) { return infer_over(g, op, 2); }
static bool infer1d(Graph *g, Op *op) { return infer_over(g, op, 1); }

static void gradient_average(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_global_average_pooling_grad, op, (Tensor *[]){dy}, 1));
}

static void gradient_max(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *y = op->outputs[0];
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_global_max_pooling_grad, op, (Tensor *[]){dy, x, y}, 3));
}

typedef struct Size { int64_t rows, channels; } Size;
static Size size_of(const Op *op) {
    Shape x = (op->forward ? op->forward : op)->inputs[0]->shape;
    return (Size){row_count(x), last_dim(x)};
}

static void evaluate_average(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    for (int64_t c = 0; c < s.channels; c++) out[0][c] = 0;
    for (int64_t i = 0; i < s.rows * s.channels; i++) out[0][i % s.channels] += in[0][i] / (double)s.rows;
}

static void evaluate_average_grad(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    for (int64_t i = 0; i < s.rows * s.channels; i++) out[0][i] = in[0][i % s.channels] / (double)s.rows;
}

static void evaluate_max(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    memcpy(out[0], in[0], sizeof(double) * (size_t)s.channels);
    for (int64_t i = 0; i < s.rows * s.channels; i++)
        if (in[0][i] > out[0][i % s.channels]) out[0][i % s.channels] = in[0][i];
}

static void evaluate_max_grad(const Op *op, double *const *in, double *const *out) {
    const double *dy = in[0], *x = in[1], *y = in[2];
    Size s = size_of(op);
    for (int64_t c = 0; c < s.channels; c++) {
        double equals = 0;
        for (int64_t r = 0; r < s.rows; r++) equals += x[r * s.channels + c] == y[c];
        for (int64_t r = 0; r < s.rows; r++) out[0][r * s.channels + c] = x[r * s.channels + c] == y[c] ? dy[c] / equals : 0;
    }
}

static void bind(const Op *op, Bindings *b) {
    Size s = size_of(op);
    bind_int(b, "ROWS", s.rows);
    bind_int(b, "C", s.channels);
}

static double flops(const Op *op) { return (double)shape_count((op->forward ? op->forward : op)->inputs[0]->shape); }

#define POOLING(name, doc, class) \
    .call = {name, doc, ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = class, .min_inputs = 1, .max_inputs = 1, .within_channel = true, .bind = bind, .flops = flops
#define AVERAGE .gradient = gradient_average, .evaluate = evaluate_average, .plain = "global_pooling.average", .equation = "y[c] = mean of x[...][c]"
#define MAX .gradient = gradient_max, .evaluate = evaluate_max, .plain = "global_pooling.max", .equation = "y[c] = max of x[...][c]"

const OpDef op_global_average_pooling2d = {POOLING("global_average_pooling2d", "the mean of all pixels", "GlobalAveragePooling2D"), .infer = infer2d, AVERAGE};
const OpDef op_global_average_pooling1d = {POOLING("global_average_pooling1d", "the mean of all steps", "GlobalAveragePooling1D"), .infer = infer1d, AVERAGE};
const OpDef op_global_max_pooling2d = {POOLING("global_max_pooling2d", "the largest of all pixels", "GlobalMaxPooling2D"), .infer = infer2d, MAX};
const OpDef op_global_max_pooling1d = {POOLING("global_max_pooling1d", "the largest of all steps", "GlobalMaxPooling1D"), .infer = infer1d, MAX};
const OpDef op_global_average_pooling_grad = {
    .call = {"global_average_pooling_grad", "gradient of global_average_pooling", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_average_grad, .plain = "global_pooling.average_grad", .bind = bind, .flops = flops, .equation = "dx[...][c] = dy[c] / count",
};
const OpDef op_global_max_pooling_grad = {
    .call = {"global_max_pooling_grad", "gradient of global_max_pooling", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_max_grad, .plain = "global_pooling.max_grad", .bind = bind, .flops = flops, .equation = "dx[...][c] = x[...][c] == y[c] ? dy[c] / equals : 0",
};
