/* depthwise_conv2d.c: Keras's DepthwiseConv2D and DepthwiseConv1D: a convolution of each channel by itself, with so many outputs
 * each; kernel [kh][kw][channel][multiplier]. And SeparableConv2D and SeparableConv1D: one of these, then a convolution of one tap. */
#include "convolution.h"

enum { DEPTHWISE_ACTIVATION = CONV_NEXT, DEPTHWISE_USE_BIAS, DEPTHWISE_INITIALIZER, DEPTHWISE_BIAS_INITIALIZER };
enum { SEPARABLE_MULTIPLIER = CONV_NEXT, SEPARABLE_ACTIVATION, SEPARABLE_USE_BIAS, SEPARABLE_DEPTHWISE_INITIALIZER, SEPARABLE_POINTWISE_INITIALIZER, SEPARABLE_BIAS_INITIALIZER };

#define MULTIPLIER_DEF {"depth_multiplier", ATTR_INT, "1", 1, 1 << 20, 0, NULL, NULL, false, "output channels of each input channel"}
#define FILTERS_DEF {"filters", ATTR_INT, NULL, 1, 1 << 20, 0, NULL, NULL, true, "number of output channels"}
#define ATTR_DEPTHWISE_INITIALIZER_DEF {"depthwise_initializer", ATTR_CALL, "glorot_uniform", 0, 0, 0, NULL, initializer_family, false, "how the channels' kernel starts"}
#define ATTR_POINTWISE_INITIALIZER_DEF {"pointwise_initializer", ATTR_CALL, "glorot_uniform", 0, 0, 0, NULL, initializer_family, false, "how the kernel of one tap starts"}

#define DEPTHWISE_DEFS(window)                                                                                         \
    MULTIPLIER_DEF, window, ATTR_ACTIVATION_DEF, ATTR_USE_BIAS_DEF, ATTR_DEPTHWISE_INITIALIZER_DEF, ATTR_BIAS_INITIALIZER_DEF, ATTR_TRAINABLE_DEF, \
        WEIGHT_OPTION_DEFS("depthwise"), WEIGHT_OPTION_DEFS("bias"), ATTR_ACTIVITY_REGULARIZER_DEF
#define SEPARABLE_DEFS(window)                                                                                         \
    FILTERS_DEF, window, MULTIPLIER_DEF, ATTR_ACTIVATION_DEF, ATTR_USE_BIAS_DEF, ATTR_DEPTHWISE_INITIALIZER_DEF,       \
        ATTR_POINTWISE_INITIALIZER_DEF, ATTR_BIAS_INITIALIZER_DEF, ATTR_TRAINABLE_DEF, WEIGHT_OPTION_DEFS("depthwise"),   \
        WEIGHT_OPTION_DEFS("pointwise"), WEIGHT_OPTION_DEFS("bias"), ATTR_ACTIVITY_REGULARIZER_DEF

static const AttrDef depthwise_attributes[] = {DEPTHWISE_DEFS(MAP_CONVOLUTION_DEFS)};
static const AttrDef depthwise_attributes_1d[] = {DEPTHWISE_DEFS(SEQUENCE_CONVOLUTION_DEFS)};
static const AttrDef separable_attributes[] = {SEPARABLE_DEFS(MAP_CONVOLUTION_DEFS)};
static const AttrDef separable_attributes_1d[] = {SEPARABLE_DEFS(SEQUENCE_CONVOLUTION_DEFS)};

static bool infer(Graph *g, Op *op) {
    const Attr *a = op->attributes;
    Window *w = &op->window;
    if (!infer_window(g, op, &a[CONV_SIZE], &a[CONV_STRIDES], &a[CONV_DILATION], &a[CONV_PADDING])) return false;
    w->oc = (int)(shape_count(op->inputs[1]->shape) / w->kh / w->kw);
    w->groups = w->ic;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "depthwise_conv2d", shape3(w->oh, w->ow, w->oc), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static Tensor *add_depthwise(Graph *g, Layer *l, const char *weight, int multiplier, const Attr *initializer) {
    Tensor *x = conv_input(g, l);
    Tensor *kernel = x ? conv_kernel(g, l, weight, last_dim(x->shape), multiplier, initializer) : NULL;
    return kernel ? add_op(g, &op_depthwise_conv2d, l, conv_attributes(g, l), (Tensor *[]){x, kernel}, 2) : NULL;
}

static Tensor *depthwise(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    Tensor *y = add_depthwise(g, l, "kernel", attr_int(&a[CONV_OWN]), &a[DEPTHWISE_INITIALIZER]);
    return conv_output(g, l, y, &a[DEPTHWISE_USE_BIAS], &a[DEPTHWISE_BIAS_INITIALIZER], &a[DEPTHWISE_ACTIVATION]);
}

/* The attributes of a convolution of one tap. */
static Attr *one_tap(Graph *g) {
    Attr *a = NEW_ARRAY(g->arena, Attr, CONV_NEXT);
    for (int i = CONV_SIZE; i < CONV_NEXT; i++) a[i] = (Attr){.word = "valid", .size = {1, 1}, .rank = 2, .present = true};
    return a;
}

static Tensor *separable(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    Tensor *y = add_depthwise(g, l, "depthwise_kernel", attr_int(&a[SEPARABLE_MULTIPLIER]), &a[SEPARABLE_DEPTHWISE_INITIALIZER]);
    if (!y) return NULL;
    int in = last_dim(y->shape), out = attr_int(&a[CONV_OWN]), rank = a[CONV_SIZE].rank;
    Shape shape = {.rank = rank + 2, .dim = {1, 1}};
    shape.dim[rank] = in, shape.dim[rank + 1] = out;
    Tensor *kernel = layer_parameter(g, l, "pointwise_kernel", shape, &a[SEPARABLE_POINTWISE_INITIALIZER], in, out);
    if (!kernel) return NULL;
    y = add_op(g, &op_conv2d, l, one_tap(g), (Tensor *[]){y, kernel}, 2);
    return conv_output(g, l, y, &a[SEPARABLE_USE_BIAS], &a[SEPARABLE_BIAS_INITIALIZER], &a[SEPARABLE_ACTIVATION]);
}

const OpDef op_depthwise_conv2d = {
    .call = {"depthwise_conv2d", "2-D convolution of each channel by itself", ATTRIBUTES(depthwise_attributes), NULL}, .kind = OP_LAYER, .keras = "DepthwiseConv2D",
    .min_inputs = 1, .max_inputs = 1, .layer = depthwise, .convolution = CONV_FORWARD, .infer = infer, .kernel_by_channel = true, .region = region_window, .gradient = convolution_gradient,
    .evaluate = evaluate_convolution, .plain = "conv2d.forward", .bind = bind_convolution, .flops = convolution_flops,
    .equation = "y[h][w][c] = sum x[h + kh][w + kw][c] * kernel[kh][kw][c]",
};
const OpDef op_depthwise_conv1d = {
    .call = {"depthwise_conv1d", "1-D convolution of each channel by itself", ATTRIBUTES(depthwise_attributes_1d), NULL}, .kind = OP_LAYER, .keras = "DepthwiseConv1D",
    .min_inputs = 1, .max_inputs = 1, .layer = depthwise,
};
const OpDef op_separable_conv2d = {
    .call = {"separable_conv2d", "depthwise_conv2d, then a 1x1 conv2d", ATTRIBUTES(separable_attributes), NULL}, .kind = OP_LAYER, .keras = "SeparableConv2D",
    .min_inputs = 1, .max_inputs = 1, .layer = separable,
};
const OpDef op_separable_conv1d = {
    .call = {"separable_conv1d", "depthwise_conv1d, then a conv1d of one tap", ATTRIBUTES(separable_attributes_1d), NULL}, .kind = OP_LAYER, .keras = "SeparableConv1D",
    .min_inputs = 1, .max_inputs = 1, .layer = separable,
};
