/* pooling1d.c: Keras's MaxPooling1D and AveragePooling1D: the 2-D poolings over a map of one row. */
#include "convolution.h"

enum { POOL_SIZE, STRIDES, PADDING, ATTRIBUTE_COUNT };

static const AttrDef attributes[ATTRIBUTE_COUNT] = {
    {"pool_size", ATTR_SIZE, "2", 1, 1 << 15, 1, NULL, NULL, true, "length of the window"},
    {"strides", ATTR_SIZE, "", 1, 1 << 16, 1, NULL, NULL, false, "steps of the window; as long as the window unless given"},
    {"padding", ATTR_WORD, "valid", 0, 0, 0, "valid|same", NULL, false, "valid: only whole windows; same: windows may hang over"},
};

static Tensor *pool(Graph *g, Layer *l, const OpDef *def) {
    const Attr *a = l->attributes;
    if (!check_sequence(g, l, &a[POOL_SIZE], NULL, &a[PADDING])) return NULL;
    Tensor *x = as_row(g, l, l->inputs[0]), *y = add_op(g, def, l, row_attributes(g, a, attributes, ATTRIBUTE_COUNT), &x, 1);
    return y ? as_sequence(g, l, y) : NULL;
}

static Tensor *max_pool(Graph *g, Layer *l) { return pool(g, l, &op_max_pooling2d); }
static Tensor *average_pool(Graph *g, Layer *l) { return pool(g, l, &op_average_pooling2d); }

const OpDef op_max_pooling1d = {
    .call = {"max_pooling1d", "the largest element of each window", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "MaxPooling1D", .min_inputs = 1,
    .max_inputs = 1, .layer = max_pool,
};
const OpDef op_average_pooling1d = {
    .call = {"average_pooling1d", "the mean of each window", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "AveragePooling1D", .min_inputs = 1,
    .max_inputs = 1, .layer = average_pool,
};
