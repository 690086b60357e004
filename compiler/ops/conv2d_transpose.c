/* conv2d_transpose.c: Keras's Conv2DTranspose and Conv1DTranspose: what conv2d's gradient in its input is, of a convolution from
 * this layer's output to its input. The window is that convolution's, and so is the kernel [kh][kw][filters][channels]. */
#include "convolution.h"

#include <string.h>

enum { OUTPUT_PADDING = CONV_NEXT, ACTIVATION, USE_BIAS, KERNEL_INITIALIZER, BIAS_INITIALIZER };

#define TRANSPOSE_DEFS(window, rank, extent)                                                                           \
    {"filters", ATTR_INT, NULL, 1, 1 << 20, 0, NULL, NULL, true, "number of output channels"}, window,                 \
    {"output_padding", ATTR_SIZE, "", 0, 1 << 16, rank, NULL, NULL, false, extent " that the output has more than a whole number of strides, less than a stride"}, \
    KERNEL_LAYER_DEFS

static const AttrDef attributes[] = {TRANSPOSE_DEFS(MAP_TRANSPOSE_DEFS, 2, "height x width")};
static const AttrDef attributes_1d[] = {TRANSPOSE_DEFS(SEQUENCE_TRANSPOSE_DEFS, 1, "length")};

static bool check_output_padding(Graph *g, const Layer *l) {
    const Attr *padding = &l->attributes[OUTPUT_PADDING], *strides = &l->attributes[CONV_STRIDES];
    for (int i = 0; padding->present && i < padding->rank; i++)
        if (padding->size[i] >= strides->size[i]) {
            error(g->diag, padding->loc, "output_padding must be less than the stride, %d", strides->size[i]);
            return false;
        }
    return true;
}

/* Those of the op; a row gets no padding in height. */
static Attr *op_attributes(Graph *g, const Layer *l, bool sequence) {
    if (!sequence) return l->attributes;
    Attr *a = row_attributes(g, l->attributes, l->def->call.attributes, OUTPUT_PADDING + 1);
    a[OUTPUT_PADDING].size[0] = 0;
    return a;
}

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    bool sequence = a[CONV_SIZE].rank == 1;
    Tensor *x = l->inputs[0];
    if (!check_strides_or_dilation(g, l) || !check_output_padding(g, l) || (sequence && !check_sequence(g, l, NULL, NULL, NULL))) return NULL;
    Tensor *kernel = conv_kernel(g, l, "kernel", attr_int(&a[CONV_OWN]), last_dim(x->shape), &a[KERNEL_INITIALIZER]);
    if (!kernel) return NULL;
    if (sequence) x = as_row(g, l, x);
    Tensor *y = add_op(g, &op_conv2d_transpose, l, op_attributes(g, l, sequence), (Tensor *[]){x, kernel}, 2);
    return conv_output(g, l, y, &a[USE_BIAS], &a[BIAS_INITIALIZER], &a[ACTIVATION]);
}

/* The output along one axis, by Keras's rules; *before: zeros that the convolution from it has before it. */
static int64_t output_length(int in, int k, int stride, bool same, int more, int *before) {
    int64_t whole = (int64_t)(in - 1) * stride, out = whole + (same ? stride : k > stride ? k : stride);
    if (more >= 0) out = whole + (same ? k % 2 : k) + more;
    int64_t total = whole + k - out;
    *before = same && total > 0 ? (int)(total / 2) : 0;
    return out;
}

static bool infer(Graph *g, Op *op) {
    const Attr *a = op->attributes, *size = &a[CONV_SIZE], *strides = &a[CONV_STRIDES], *dilation = &a[CONV_DILATION], *more = &a[OUTPUT_PADDING];
    Shape x = op->inputs[0]->shape, kernel = op->inputs[1]->shape;
    Window *w = &op->window;
    bool same = !strcmp(a[CONV_PADDING].word, "same");
    if (!check_map(g, op)) return false;
    *w = (Window){.oh = x.dim[0], .ow = x.dim[1], .oc = x.dim[2], .ic = kernel.dim[kernel.rank - 2], .kh = size->size[0], .kw = size->size[1], .sh = strides->size[0],
                  .sw = strides->size[1], .dh = dilation->size[0], .dw = dilation->size[1], .groups = 1};
    int64_t high = (int64_t)(w->kh - 1) * w->dh + 1, wide = (int64_t)(w->kw - 1) * w->dw + 1;
    if (!check_reach(g, size, high, wide)) return false;
    int64_t height = output_length(w->oh, (int)high, w->sh, same, more->present ? more->size[0] : -1, &w->top);
    int64_t width = output_length(w->ow, (int)wide, w->sw, same, more->present ? more->size[1] : -1, &w->left);
    if (height < 1 || width < 1) {
        error(g->diag, more->loc, "with this output_padding the output would be %lldx%lld", (long long)height, (long long)width);
        return false;
    }
    if (height > 1 << 24 || width > 1 << 24) {
        error(g->diag, op->layer->loc, "an output of %lldx%lld is beyond what cnnc takes", (long long)height, (long long)width);
        return false;
    }
    w->ih = (int)height, w->iw = (int)width;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "conv2d_transpose", shape3(w->ih, w->iw, w->ic), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *kernel = op->inputs[1];
    if (wants_gradient(kernel)) add_gradient(g, kernel, add_gradient_op(g, &op_conv2d_grad_kernel, op, (Tensor *[]){dy, x}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_conv2d_transpose_grad_input, op, (Tensor *[]){dy, kernel}, 2));
}

const OpDef op_conv2d_transpose = {
    .call = {"conv2d_transpose", "2-D convolution the other way: from fewer pixels to more", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER,
    .keras = "Conv2DTranspose", .min_inputs = 1, .max_inputs = 1, .layer = layer, .convolution = CONV_INPUT, .infer = infer, .gradient = gradient,
    .evaluate = evaluate_convolution, .plain = "conv2d.grad_input", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "y[h*sh + kh][w*sw + kw][o] += x[h][w][c] * kernel[kh][kw][o][c]",
};
const OpDef op_conv1d_transpose = {
    .call = {"conv1d_transpose", "1-D convolution the other way: from shorter to longer", ATTRIBUTES(attributes_1d), NULL}, .kind = OP_LAYER,
    .keras = "Conv1DTranspose", .min_inputs = 1, .max_inputs = 1, .layer = layer,
};
const OpDef op_conv2d_transpose_grad_input = {
    .call = {"conv2d_transpose_grad_input", "gradient of conv2d_transpose in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .convolution = CONV_FORWARD,
    .infer = infer_like_forward_input, .evaluate = evaluate_convolution, .plain = "conv2d.forward", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "dx[h][w][c] = sum dy[h*sh + kh][w*sw + kw][o] * kernel[kh][kw][o][c]",
};
