/* conv2d.c: y[oh][ow][o] = sum over kh, kw, c of x[oh*sh + kh*dh - top][ow*sw + kw*dw - left][c] * kernel[kh][kw][c][o],
 * as Keras's Conv2D (channels last, kernel HWIO), and its two gradients. */
#include "ops.h"

#include <limits.h>

enum { FILTERS, KERNEL_SIZE, STRIDES, PADDING, DILATION_RATE, ACTIVATION, USE_BIAS, KERNEL_INITIALIZER, BIAS_INITIALIZER };

static const AttrDef attributes[] = {
    {"filters", ATTR_INT, NULL, 1, 1 << 20, 0, NULL, NULL, true, "number of output channels"},
    {"kernel_size", ATTR_SIZE, NULL, 1, 1 << 16, 2, NULL, NULL, true, "height x width of the kernel"},
    {"strides", ATTR_SIZE, "1", 1, 1 << 16, 2, NULL, NULL, false, "steps of the kernel"},
    {"padding", ATTR_WORD, "valid", 0, 0, 0, "valid|same", NULL, false, "valid: only whole windows; same: zeros around"},
    {"dilation_rate", ATTR_SIZE, "1", 1, 1 << 16, 2, NULL, NULL, false, "distance of the kernel's taps"},
    ATTR_ACTIVATION_DEF,
    ATTR_USE_BIAS_DEF,
    ATTR_KERNEL_INITIALIZER_DEF,
    ATTR_BIAS_INITIALIZER_DEF,
    ATTR_TRAINABLE_DEF,
};

/* The kernels that need it are refused. */
static int clamp(int64_t n) { return n < INT_MAX ? (int)n : INT_MAX; }

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    bool strided = a[STRIDES].size[0] > 1 || a[STRIDES].size[1] > 1, dilated = a[DILATION_RATE].size[0] > 1 || a[DILATION_RATE].size[1] > 1;
    if (strided && dilated) {
        error(g->diag, a[DILATION_RATE].loc, "strides and dilation_rate cannot both be above 1");
        return NULL;
    }
    Shape x = l->inputs[0]->shape;
    int channels = last_dim(x), filters = attr_int(&a[FILTERS]);
    Shape k = shape4(a[KERNEL_SIZE].size[0], a[KERNEL_SIZE].size[1], channels, filters);
    int64_t taps = (int64_t)k.dim[0] * k.dim[1];
    Tensor *kernel = layer_parameter(g, l, "kernel", k, &a[KERNEL_INITIALIZER], clamp(taps * channels), clamp(taps * filters));
    if (!kernel) return NULL;
    Tensor *y = add_op(g, &op_conv2d, l, l->attributes, (Tensor *[]){l->inputs[0], kernel}, 2);
    return bias_and_activation(g, l, y, &a[USE_BIAS], &a[BIAS_INITIALIZER], &a[ACTIVATION]);
}

static bool infer(Graph *g, Op *op) {
    const Attr *a = op->attributes;
    if (!infer_window(g, op, &a[KERNEL_SIZE], &a[STRIDES], &a[DILATION_RATE], &a[PADDING])) return false;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "conv2d", shape3(op->window.oh, op->window.ow, attr_int(&a[FILTERS])), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_grad_kernel(Graph *g, Op *op) {
    Shape k = op->forward->inputs[1]->shape;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "kernel_grad", k, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *kernel = op->inputs[1];
    if (wants_gradient(kernel)) add_gradient(g, kernel, add_gradient_op(g, &op_conv2d_grad_kernel, op, (Tensor *[]){x, dy}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_conv2d_grad_input, op, (Tensor *[]){dy, kernel}, 2));
}

/* Calls visit for every product of one example: indices of x, kernel and y. */
#define FOR_EACH_PRODUCT(w, filters, xi, ki, yi, body)                                                                 \
    for (int oh = 0; oh < w.oh; oh++)                                                                                  \
        for (int ow = 0; ow < w.ow; ow++)                                                                              \
            for (int kh = 0; kh < w.kh; kh++)                                                                          \
                for (int kw = 0; kw < w.kw; kw++) {                                                                    \
                    int ih = oh * w.sh + kh * w.dh - w.top, iw = ow * w.sw + kw * w.dw - w.left;                       \
                    if (ih < 0 || ih >= w.ih || iw < 0 || iw >= w.iw) continue;                                        \
                    for (int c = 0; c < w.ic; c++)                                                                     \
                        for (int o = 0; o < filters; o++) {                                                            \
                            size_t xi = ((size_t)ih * (size_t)w.iw + (size_t)iw) * (size_t)w.ic + (size_t)c;           \
                            size_t ki = (((size_t)kh * (size_t)w.kw + (size_t)kw) * (size_t)w.ic + (size_t)c) * (size_t)filters + (size_t)o; \
                            size_t yi = ((size_t)oh * (size_t)w.ow + (size_t)ow) * (size_t)filters + (size_t)o;        \
                            body;                                                                                      \
                        }                                                                                              \
                }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    int filters = attr_int(&op->attributes[FILTERS]);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    FOR_EACH_PRODUCT(w, filters, x, k, y, out[0][y] += in[0][x] * in[1][k])
}

static void evaluate_grad_input(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    int filters = attr_int(&op->attributes[FILTERS]);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    FOR_EACH_PRODUCT(w, filters, x, k, y, out[0][x] += in[0][y] * in[1][k])
}

static void evaluate_grad_kernel(const Op *op, double *const *in, double *const *out) {
    Window w = window_of(op);
    int filters = attr_int(&op->attributes[FILTERS]);
    FOR_EACH_PRODUCT(w, filters, x, k, y, out[0][k] += in[0][x] * in[1][y])
}

static void bind(const Op *op, Bindings *b) {
    bind_window(op, b);
    bind_int(b, "O", attr_int(&op->attributes[FILTERS]));
}

static double flops(const Op *op) {
    Window w = window_of(op);
    return 2.0 * w.oh * w.ow * w.kh * w.kw * w.ic * op->attributes[FILTERS].real;
}

const OpDef op_conv2d = {
    .call = {"conv2d", "2-D convolution", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Conv2D", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .region = region_window, .gradient = gradient, .evaluate = evaluate, .plain = "conv2d.forward", .bind = bind, .flops = flops,
    .equation = "y[h][w][o] = sum x[h + kh][w + kw][c] * kernel[kh][kw][c][o]",
};
const OpDef op_conv2d_grad_input = {
    .call = {"conv2d_grad_input", "gradient of conv2d in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad_input, .plain = "conv2d.grad_input", .bind = bind, .flops = flops,
    .equation = "dx[h + kh][w + kw][c] += dy[h][w][o] * kernel[kh][kw][c][o]",
};
const OpDef op_conv2d_grad_kernel = {
    .call = {"conv2d_grad_kernel", "gradient of conv2d in its kernel", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad_kernel, .accumulates = true,
    .evaluate = evaluate_grad_kernel, .plain = "conv2d.grad_kernel", .bind = bind, .flops = flops,
    .equation = "dkernel[kh][kw][c][o] += x[h + kh][w + kw][c] * dy[h][w][o]",
};
