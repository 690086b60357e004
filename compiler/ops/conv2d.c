/* conv2d.c: Keras's Conv2D (channels last, kernel HWIO) and Conv1D, and the gradients of convolutions; what they compute stands
 * in convolution.c. */
#include "convolution.h"

enum { FILTERS, KERNEL_SIZE, STRIDES, PADDING, DILATION_RATE, GROUPS, ACTIVATION, USE_BIAS, KERNEL_INITIALIZER, BIAS_INITIALIZER };

#define FILTERS_DEF {"filters", ATTR_INT, NULL, 1, 1 << 20, 0, NULL, NULL, true, "number of output channels"}
#define GROUPS_DEF {"groups", ATTR_INT, "1", 1, 1 << 20, 0, NULL, NULL, false, "parts of the channels, each convolved by itself"}

static const AttrDef attributes[] = {
    FILTERS_DEF,
    MAP_CONVOLUTION_DEFS,
    GROUPS_DEF,
    KERNEL_LAYER_DEFS,
};

static const AttrDef attributes_1d[] = {
    FILTERS_DEF,
    CAUSAL_CONVOLUTION_DEFS,
    GROUPS_DEF,
    KERNEL_LAYER_DEFS,
};

static bool check_groups(Graph *g, const Layer *l, int channels) {
    const Attr *a = l->attributes;
    int groups = attr_int(&a[GROUPS]), filters = attr_int(&a[FILTERS]);
    if (channels % groups) {
        error(g->diag, a[GROUPS].loc, "the %d channels of the input cannot be cut into %d groups", channels, groups);
        note_shape(g, l->inputs[0]);
    } else if (filters % groups) error(g->diag, a[GROUPS].loc, "%d filters cannot be cut into %d groups", filters, groups);
    return channels % groups == 0 && filters % groups == 0;
}

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    int channels = last_dim(l->inputs[0]->shape);
    if (!check_strides_or_dilation(g, l) || !check_groups(g, l, channels)) return NULL;
    Tensor *x = conv_input(g, l), *kernel = NULL;
    if (x) kernel = conv_kernel(g, l, "kernel", channels / attr_int(&a[GROUPS]), attr_int(&a[FILTERS]), &a[KERNEL_INITIALIZER]);
    if (!kernel) return NULL;
    Tensor *y = add_op(g, &op_conv2d, l, conv_attributes(g, l), (Tensor *[]){x, kernel}, 2);
    return conv_output(g, l, y, &a[USE_BIAS], &a[BIAS_INITIALIZER], &a[ACTIVATION]);
}

static bool infer(Graph *g, Op *op) {
    const Attr *a = op->attributes;
    Shape kernel = op->inputs[1]->shape;
    if (!infer_window(g, op, &a[CONV_SIZE], &a[CONV_STRIDES], &a[CONV_DILATION], &a[CONV_PADDING])) return false;
    op->window.oc = last_dim(kernel);
    op->window.groups = op->window.ic / kernel.dim[kernel.rank - 2];
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "conv2d", shape3(op->window.oh, op->window.ow, op->window.oc), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

const OpDef op_conv2d = {
    .call = {"conv2d", "2-D convolution", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Conv2D", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .convolution = CONV_FORWARD, .infer = infer, .kernel_by_channel = true, .region = region_window, .gradient = convolution_gradient, .evaluate = evaluate_convolution,
    .plain = "conv2d.forward", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "y[h][w][o] = sum x[h + kh][w + kw][c] * kernel[kh][kw][c][o]",
};
const OpDef op_conv1d = {
    .call = {"conv1d", "1-D convolution", ATTRIBUTES(attributes_1d), NULL}, .kind = OP_LAYER, .keras = "Conv1D", .min_inputs = 1, .max_inputs = 1, .layer = layer,
};
const OpDef op_conv2d_grad_input = {
    .call = {"conv2d_grad_input", "gradient of conv2d in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .convolution = CONV_INPUT, .infer = infer_like_forward_input,
    .evaluate = evaluate_convolution, .plain = "conv2d.grad_input", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "dx[h + kh][w + kw][c] += dy[h][w][o] * kernel[kh][kw][c][o]",
};
const OpDef op_conv2d_grad_kernel = {
    .call = {"conv2d_grad_kernel", "gradient of conv2d in its kernel", NULL, 0, NULL}, .kind = OP_INTERNAL, .convolution = CONV_KERNEL, .infer = infer_grad_kernel,
    .accumulates = true, .evaluate = evaluate_convolution, .plain = "conv2d.grad_kernel", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "dkernel[kh][kw][c][o] += x[h + kh][w + kw][c] * dy[h][w][o]",
};
