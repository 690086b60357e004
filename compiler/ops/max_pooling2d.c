/* max_pooling2d.c: the largest of each window, and which element that was (row by row, the first one wins): the
 * gradient goes to that element. Padding never wins. */
#include "ops.h"

#include <math.h>

static const AttrDef attributes[] = {POOLING_DEFS};

static bool infer(Graph *g, Op *op) {
    if (!infer_pooling(g, op)) return false;
    Window w = op->window;
    if (w.kh * w.kw > 256) {
        error(g->diag, op->attributes[0].loc, "pool %dx%d has more than 256 elements", w.kh, w.kw);
        return false;
    }
    Shape y = shape3(w.oh, w.ow, w.ic);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "max_pooling2d", y, TYPE_REAL, ROLE_ACTIVATION);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "argmax", y, TYPE_INDEX, ROLE_MASK);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0];
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_max_pooling2d_grad, op, (Tensor *[]){dy, op->outputs[1]}, 2));
}

static size_t at(const Window *w, int h, int c, int k) { return ((size_t)h * (size_t)w->iw + (size_t)c) * (size_t)w->ic + (size_t)k; }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    size_t y = 0;
    for (int oh = 0; oh < w.oh; oh++)
        for (int ow = 0; ow < w.ow; ow++)
            for (int c = 0; c < w.ic; c++, y++) {
                out[0][y] = -INFINITY;
                out[1][y] = 0;
                for (int k = 0; k < w.kh * w.kw; k++) {
                    int ih = oh * w.sh + k / w.kw - w.top, iw = ow * w.sw + k % w.kw - w.left;
                    if (ih < 0 || ih >= w.ih || iw < 0 || iw >= w.iw || !(in[0][at(&w, ih, iw, c)] > out[0][y])) continue;
                    out[0][y] = in[0][at(&w, ih, iw, c)];
                    out[1][y] = k;
                }
            }
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    size_t y = 0;
    for (int oh = 0; oh < w.oh; oh++)
        for (int ow = 0; ow < w.ow; ow++)
            for (int c = 0; c < w.ic; c++, y++) {
                int k = (int)in[1][y];
                out[0][at(&w, oh * w.sh + k / w.kw - w.top, ow * w.sw + k % w.kw - w.left, c)] += in[0][y];
            }
}

static void bind(const Op *op, Bindings *b) {
    bind_window(op, b);
}

static double flops(const Op *op) {
    Window w = window_of(op);
    return (double)w.oh * w.ow * w.ic * w.kh * w.kw;
}

const OpDef op_max_pooling2d = {
    .call = {"max_pooling2d", "the largest element of each window", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "MaxPooling2D", .min_inputs = 1,
    .max_inputs = 1, .pools = true, .within_channel = true, .infer = infer, .region = region_window, .gradient = gradient, .evaluate = evaluate, .plain = "pooling2d.max", .bind = bind, .flops = flops,
    .equation = "y[h][w][c] = max over kh, kw of x[h*sh + kh][w*sw + kw][c]",
};
const OpDef op_max_pooling2d_grad = {
    .call = {"max_pooling2d_grad", "gradient of max_pooling2d", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .routes_dy = true,
    .evaluate = evaluate_grad, .plain = "pooling2d.max_grad", .bind = bind, .equation = "dx[argmax of window h, w][c] += dy[h][w][c]",
};
