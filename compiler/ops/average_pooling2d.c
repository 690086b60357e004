/* average_pooling2d.c: the mean of each window. With padding 'same' only elements inside the input count, as in Keras. */
#include "ops.h"

static const AttrDef attributes[] = {POOLING_DEFS};

static bool infer(Graph *g, Op *op) {
    if (!infer_pooling(g, op)) return false;
    Window w = op->window;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "average_pooling2d", shape3(w.oh, w.ow, w.ic), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_average_pooling2d_grad, op, (Tensor *[]){dy}, 1));
}

/* The part of window h, v that lies inside the input: rows h0 .. h1 - 1, columns v0 .. v1 - 1. */
typedef struct Inside { int h0, h1, v0, v1; } Inside;
static Inside inside(const Window *w, int h, int v) {
    int top = h * w->sh - w->top, left = v * w->sw - w->left;
    return (Inside){top > 0 ? top : 0, top + w->kh < w->ih ? top + w->kh : w->ih, left > 0 ? left : 0, left + w->kw < w->iw ? left + w->kw : w->iw};
}

#define FOR_EACH_ELEMENT(w, body)                                                                                      \
    for (int h = 0; h < w.oh; h++)                                                                                     \
        for (int v = 0; v < w.ow; v++) {                                                                               \
            Inside in_window = inside(&w, h, v);                                                                       \
            double share = 1.0 / ((in_window.h1 - in_window.h0) * (in_window.v1 - in_window.v0));                      \
            for (int i = in_window.h0; i < in_window.h1; i++)                                                          \
                for (int j = in_window.v0; j < in_window.v1; j++)                                                      \
                    for (int c = 0; c < w.ic; c++) {                                                                   \
                        size_t x = ((size_t)i * (size_t)w.iw + (size_t)j) * (size_t)w.ic + (size_t)c;                  \
                        size_t y = ((size_t)h * (size_t)w.ow + (size_t)v) * (size_t)w.ic + (size_t)c;                  \
                        body;                                                                                          \
                    }                                                                                                  \
        }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    FOR_EACH_ELEMENT(w, out[0][y] += in[0][x] * share)
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    FOR_EACH_ELEMENT(w, out[0][x] += in[0][y] * share)
}

static void bind(const Op *op, Bindings *b) {
    bind_window(op, b);
}

static double flops(const Op *op) {
    Window w = window_of(op);
    return (double)w.oh * w.ow * w.ic * w.kh * w.kw;
}

const OpDef op_average_pooling2d = {
    .call = {"average_pooling2d", "the mean of each window", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "AveragePooling2D",
    .min_inputs = 1, .max_inputs = 1, .within_channel = true, .infer = infer, .region = region_window, .gradient = gradient, .evaluate = evaluate, .plain = "pooling2d.average", .bind = bind,
    .flops = flops, .equation = "y[h][w][c] = mean over kh, kw of x[h*sh + kh][w*sw + kw][c]",
};
const OpDef op_average_pooling2d_grad = {
    .call = {"average_pooling2d_grad", "gradient of average_pooling2d", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad, .plain = "pooling2d.average_grad", .bind = bind, .flops = flops, .equation = "dx[h*sh + kh][w*sw + kw][c] += dy[h][w][c] / count",
};
