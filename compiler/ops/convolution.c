/* convolution.c: y[oh][ow][o] = sum over kh, kw, c of x[oh*sh + kh*dh - top][ow*sw + kw*dw - left][c] * kernel[kh][kw][c][o],
 * and its two gradients; with groups, c runs over the channels of o's group, and kernel has only those. And what the layers
 * made of it share. */
#include "convolution.h"

#include <limits.h>

/* ---- what it means -------------------------------------------------------------------------------------------------- */

/* Calls visit for every product of one example: indices of x, kernel and y. */
#define FOR_EACH_PRODUCT(w, xi, ki, yi, body)                                                                          \
    for (int oh = 0; oh < w.oh; oh++)                                                                                  \
        for (int ow = 0; ow < w.ow; ow++)                                                                              \
            for (int kh = 0; kh < w.kh; kh++)                                                                          \
                for (int kw = 0; kw < w.kw; kw++) {                                                                    \
                    int ih = oh * w.sh + kh * w.dh - w.top, iw = ow * w.sw + kw * w.dw - w.left;                       \
                    if (ih < 0 || ih >= w.ih || iw < 0 || iw >= w.iw) continue;                                        \
                    for (int c = 0; c < w.ic / w.groups; c++)                                                          \
                        for (int o = 0; o < w.oc; o++) {                                                               \
                            int channel = o / (w.oc / w.groups) * (w.ic / w.groups) + c;                               \
                            size_t xi = ((size_t)ih * (size_t)w.iw + (size_t)iw) * (size_t)w.ic + (size_t)channel;     \
                            size_t ki = (((size_t)kh * (size_t)w.kw + (size_t)kw) * (size_t)(w.ic / w.groups) + (size_t)c) * (size_t)w.oc + (size_t)o; \
                            size_t yi = ((size_t)oh * (size_t)w.ow + (size_t)ow) * (size_t)w.oc + (size_t)o;           \
                            body;                                                                                      \
                        }                                                                                              \
                }

void evaluate_convolution(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    ConvPass pass = op->def->convolution;
    for (int64_t i = 0; pass != CONV_KERNEL && i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    if (pass == CONV_FORWARD) FOR_EACH_PRODUCT(w, x, k, y, out[0][y] += in[0][x] * in[1][k])
    else if (pass == CONV_INPUT) FOR_EACH_PRODUCT(w, x, k, y, out[0][x] += in[0][y] * in[1][k])
    else FOR_EACH_PRODUCT(w, x, k, y, out[0][k] += in[0][x] * in[1][y])
}

void bind_convolution(const Op *op, Bindings *b) {
    bind_window(op, b);
    bind_int(b, "O", window_of(op).oc);
    bind_int(b, "G", window_of(op).groups);
}

double convolution_flops(const Op *op) {
    Window w = window_of(op);
    return 2.0 * w.oh * w.ow * w.kh * w.kw * (w.ic / w.groups) * w.oc;
}

bool infer_grad_kernel(Graph *g, Op *op) {
    Shape k = op->forward->inputs[1]->shape;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "kernel_grad", k, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

void convolution_gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *kernel = op->inputs[1];
    if (wants_gradient(kernel)) add_gradient(g, kernel, add_gradient_op(g, &op_conv2d_grad_kernel, op, (Tensor *[]){x, dy}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_conv2d_grad_input, op, (Tensor *[]){dy, kernel}, 2));
}

/* ---- layers ----------------------------------------------------------------------------------------------------------- */

static bool is_sequence(const Layer *l) { return l->def->call.attributes[CONV_SIZE].rank == 1; }

/* The kernels that need it are refused. */
static int clamp(int64_t n) { return n < INT_MAX ? (int)n : INT_MAX; }

bool check_strides_or_dilation(Graph *g, const Layer *l) {
    bool strided = false, dilated = false;
    const Attr *strides = &l->attributes[CONV_STRIDES], *dilation = &l->attributes[CONV_DILATION];
    for (int i = 0; i < strides->rank; i++) strided = strided || strides->size[i] > 1, dilated = dilated || dilation->size[i] > 1;
    if (strided && dilated) error(g->diag, dilation->loc, "strides and dilation_rate cannot both be above 1");
    return !strided || !dilated;
}

Tensor *conv_input(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    if (!is_sequence(l)) return l->inputs[0];
    return check_sequence(g, l, &a[CONV_SIZE], &a[CONV_DILATION], &a[CONV_PADDING]) ? as_row(g, l, l->inputs[0]) : NULL;
}

Attr *conv_attributes(Graph *g, const Layer *l) {
    return is_sequence(l) ? row_attributes(g, l->attributes, l->def->call.attributes, CONV_NEXT) : l->attributes;
}

Tensor *conv_kernel(Graph *g, Layer *l, const char *weight, int in, int out, const Attr *initializer) {
    const Attr *size = &l->attributes[CONV_SIZE];
    Shape k = {.rank = size->rank + 2};
    int64_t taps = 1;
    for (int i = 0; i < size->rank; i++) k.dim[i] = size->size[i], taps *= size->size[i];
    k.dim[size->rank] = in, k.dim[size->rank + 1] = out;
    return layer_parameter(g, l, weight, k, initializer, clamp(taps * in), clamp(taps * out));
}

Tensor *conv_output(Graph *g, Layer *l, Tensor *y, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation) {
    if (!y) return NULL;
    Attr none = {.word = "linear", .callable = &op_linear.call};
    bool before = find_op(activation->word, OP_LAYER)->sparse; /* relu, say: a pooling behind it can then come first (route.c) */
    y = bias_and_activation(g, l, y, use_bias, bias_initializer, before ? activation : &none);
    if (y && is_sequence(l)) y = as_sequence(g, l, y);
    return y && !before ? apply_activation(g, l, activation, y) : y;
}
