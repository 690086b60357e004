/* ops.h: the definitions by name, for operators that build others. */
#ifndef OPS_H
#define OPS_H
#include "../cnnc.h"

#define OP(name) extern const OpDef op_##name;
#include "../ops.def"
#undef OP

/* The table entries that many layers share. */
#define ATTR_ACTIVATION_DEF {"activation", ATTR_CALL, "linear", 0, 0, 0, NULL, activation_family, false, "applied to the output"}
#define ATTR_USE_BIAS_DEF {"use_bias", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "add a trainable bias"}
#define ATTR_KERNEL_INITIALIZER_DEF {"kernel_initializer", ATTR_CALL, "glorot_uniform", 0, 0, 0, NULL, initializer_family, false, "how the kernel starts"}
#define ATTR_BIAS_INITIALIZER_DEF {"bias_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how the bias starts"}
/* Beside the initializer of a weight, "kernel" say; layer_parameter finds them by the initializer's name. */
#define WEIGHT_OPTION_DEFS(weight)                                                                                     \
    {weight "_regularizer", ATTR_CALL, "", 0, 0, 0, NULL, regularizer_family, false, "what the size of the " weight " adds to the loss"}, \
    {weight "_constraint", ATTR_CALL, "", 0, 0, 0, NULL, constraint_family, false, "what holds for the " weight " after each update"}
#define ATTR_ACTIVITY_REGULARIZER_DEF                                                                                  \
    {"activity_regularizer", ATTR_CALL, "", 0, 0, 0, NULL, regularizer_family, false, "what the size of the output adds to the loss"}
#define ATTR_TRAINABLE_DEF {"trainable", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "false: training leaves the layer's weights alone"}

/* Poolings: their attributes, and their window; false after an error. */
#define POOLING_DEFS                                                                                                   \
    {"pool_size", ATTR_SIZE, "2", 1, 1 << 15, 2, NULL, NULL, true, "height x width of the window"},                   \
    {"strides", ATTR_SIZE, "", 1, 1 << 16, 2, NULL, NULL, false, "steps of the window; as large as the window unless given"}, \
    {"padding", ATTR_WORD, "valid", 0, 0, 0, "valid|same", NULL, false, "valid: only whole windows; same: windows may hang over"}
bool infer_pooling(Graph *, Op *);

/* Shape inference of many: the first output like the first input; a gradient like its forward op's first input. */
bool infer_like_input(Graph *, Op *);
bool infer_like_forward_input(Graph *, Op *);
/* After an error about shapes: where one of them comes from. */
void note_shape(Graph *, const Tensor *);
/* A layer's usual end: bias (when asked for), then activation. */
Tensor *bias_and_activation(Graph *, Layer *, Tensor *, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation);
/* For elementwise activations whose gradient needs dy and the output y. */
void gradient_from_output(Graph *, Op *, const OpDef *grad, Tensor *dy);
#endif
