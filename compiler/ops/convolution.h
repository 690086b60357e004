/* convolution.h: what the layers that convolve share. */
#ifndef CONVOLUTION_H
#define CONVOLUTION_H
#include "ops.h"

/* Their attributes: a first one of their own, filters, say; these, which decide the window and are also the attributes of their
 * ops; then more of their own. */
enum { CONV_OWN, CONV_SIZE, CONV_STRIDES, CONV_PADDING, CONV_DILATION, CONV_NEXT };
#define CONVOLUTION_DEFS(rank, extent, words, paddings)                                                                \
    {"kernel_size", ATTR_SIZE, NULL, 1, 1 << 16, rank, NULL, NULL, true, extent " of the kernel"},                     \
    {"strides", ATTR_SIZE, "1", 1, 1 << 16, rank, NULL, NULL, false, "steps of the kernel"},                           \
    {"padding", ATTR_WORD, "valid", 0, 0, 0, words, NULL, false, paddings},                                            \
    {"dilation_rate", ATTR_SIZE, "1", 1, 1 << 16, rank, NULL, NULL, false, "distance of the kernel's taps"}
#define MAP_CONVOLUTION_DEFS CONVOLUTION_DEFS(2, "height x width", "valid|same", "valid: only whole windows; same: zeros around")
#define SEQUENCE_CONVOLUTION_DEFS CONVOLUTION_DEFS(1, "length", "valid|same", "valid: only whole windows; same: zeros around")
#define MAP_TRANSPOSE_DEFS CONVOLUTION_DEFS(2, "height x width", "valid|same", "valid: all that the kernel reaches; same: strides times the input")
#define SEQUENCE_TRANSPOSE_DEFS CONVOLUTION_DEFS(1, "length", "valid|same", "valid: all that the kernel reaches; same: strides times the input")
#define CAUSAL_CONVOLUTION_DEFS CONVOLUTION_DEFS(1, "length", "valid|same|causal", "valid: only whole windows; same: zeros around; causal: zeros before")

/* What a layer of one or two dimensions works on, as a map of height x width x channels, and the attributes of its ops; NULL
 * after an error. */
Tensor *conv_input(Graph *, Layer *);
Attr *conv_attributes(Graph *, const Layer *);
/* Strides and dilation both above 1 are refused. */
bool check_strides_or_dilation(Graph *, const Layer *);
/* A kernel of the layer's size, from `in` to `out` channels. */
Tensor *conv_kernel(Graph *, Layer *, const char *weight, int in, int out, const Attr *initializer);
/* The end of the layer: bias, the layer's own dimensions, activation. */
Tensor *conv_output(Graph *, Layer *, Tensor *y, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation);

/* Definitions that ops of convolutions share. */
bool infer_grad_kernel(Graph *, Op *);
void evaluate_convolution(const Op *, double *const *in, double *const *out); /* by OpDef.convolution */
void bind_convolution(const Op *, Bindings *);
double convolution_flops(const Op *);
void convolution_gradient(Graph *, Op *, Tensor *dy);

/* sequence.c: length x channels as a map of one row, and back; attributes of a single size as those of such a map. */
Tensor *as_row(Graph *, Layer *, Tensor *x);
Tensor *as_sequence(Graph *, Layer *, Tensor *row);
Attr *row_attributes(Graph *, const Attr *, const AttrDef *, int n);
/* Whether the layer's input is a sequence on which the window fits. size NULL: any does; dilation NULL: a pool. */
bool check_sequence(Graph *, const Layer *, const Attr *size, const Attr *dilation, const Attr *padding);
#endif
