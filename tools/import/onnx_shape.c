/* onnx_shape.c: what is only another view of the same memory, and what is not computed at all. */
#include "onnx.h"

#include <string.h>

bool convert_identity(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    View *y = view_like(o, x, x->node);
    y->positive = x->positive;
    return set_view(o, n, 0, y);
}

/* While training it drops elements, as it did where the model comes from. */
bool convert_dropout(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    double rate = attribute_real(n, "ratio", 0.5), training = 0;
    if (!output_unused(o, n, 1)) return refuse(o, n, "gives its mask, too");
    if (has_input(n, 1) && !is_scalar(constant_input(o, n, 1), &rate)) return refuse(o, n, "its rate is not constant");
    if (has_input(n, 2) && !is_scalar(constant_input(o, n, 2), &training)) return refuse(o, n, "its training_mode is not constant");
    if (training != 0 && rate != 0) return refuse(o, n, "is in training mode");
    if (!(rate > 0 && rate <= 0.999999) || !is_real_type(o->values[n->inputs[0]].type)) return convert_identity(o, n);
    View *y = apply(o, n, x, "dropout");
    if (!y) return false;
    set_real(o, y->node, NULL, rate);
    y->positive = x->positive;
    return set_view(o, n, 0, y);
}

/* Between kinds of floats, and of integers to floats: the numbers are the same in cnnc. */
bool convert_cast(Onnx *o, const OnnxNode *n) {
    ElementType from = o->values[n->inputs[0]].type, to = (ElementType)attribute_int(n, "to", 0);
    bool wider = to == ONNX_FLOAT || to == ONNX_DOUBLE, token = (from == ONNX_I32 || from == ONNX_I64) && (to == ONNX_I32 || to == ONNX_I64);
    if (from != to && !wider && !token) return refuse(o, n, "from type %d to %d changes the numbers", (int)from, (int)to);
    convert_identity(o, n);
    if (n->outputs[0] >= 0) o->values[n->outputs[0]].type = to;
    return true;
}

bool convert_flatten(Onnx *o, const OnnxNode *n) {
    View *v = view_input(o, n, 0);
    int64_t axis = attribute_int(n, "axis", 1);
    if (axis < 0) axis += v->rank;
    if (axis < 0 || axis > v->rank) return refuse(o, n, "has no such axis");
    int first = (int)axis;
    View *y = first < v->rank ? view_merge(o, v, first, v->rank) : v;
    if (first) y = view_merge(o, y, 0, first);
    while (y->rank < 2) y = view_unsqueeze(o, y, y->rank + 1, first ? 1u << y->rank : 1);
    return set_view(o, n, 0, y);
}

bool convert_reshape(Onnx *o, const OnnxNode *n) {
    View *v = view_input(o, n, 0);
    int count;
    const int64_t *shape = integers_of(o, n, 1, "shape", &count);
    int64_t dims[ONNX_RANK];
    if (!shape) return false;
    if (count < 0 || count > ONNX_RANK) return refuse(o, n, "has no shape, or one of more than %d dimensions", ONNX_RANK);
    for (int d = 0; d < count; d++) {
        dims[d] = shape[d];
        if (shape[d] || attribute_int(n, "allowzero", 0)) continue;
        if (d >= v->rank) return refuse(o, n, "takes dimension %d of its input, which has %d", d, v->rank);
        dims[d] = view_dim(v, d);
        if (dims[d] == FREE && !is_batch(v, d)) return refuse(o, n, "dimension %d is the batch times another number", d);
    }
    return set_view(o, n, 0, view_reshape(o, n, v, count, dims));
}

bool convert_squeeze(Onnx *o, const OnnxNode *n) {
    View *v = view_input(o, n, 0);
    int count;
    unsigned gone = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    if (!axes) return false;
    for (int d = 0; count < 0 && d < v->rank; d++)
        if (view_dim(v, d) == 1) gone |= 1u << d;
    for (int i = 0; i < count; i++) {
        int d = normal_axis(axes[i], v->rank);
        if (d < 0 || view_dim(v, d) != 1) return refuse(o, n, "has an axis that is not 1");
        gone |= 1u << d;
    }
    for (int d = 0; d < v->rank; d++)
        if (gone >> d & 1 && v->begin[d] != v->begin[d + 1]) return refuse(o, n, "takes the axis of the batch away");
    return set_view(o, n, 0, view_squeeze(o, v, gone));
}

bool convert_unsqueeze(Onnx *o, const OnnxNode *n) {
    View *v = view_input(o, n, 0);
    int count;
    unsigned new = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    if (!axes) return false;
    if (count < 0 || v->rank + count > ONNX_RANK) return refuse(o, n, "has no axes, or too many");
    for (int i = 0; i < count; i++) {
        int d = normal_axis(axes[i], v->rank + count);
        if (d < 0 || new >> d & 1) return refuse(o, n, "has an axis twice, or one that is not there");
        new |= 1u << d;
    }
    return set_view(o, n, 0, view_unsqueeze(o, v, v->rank + count, new));
}

bool convert_transpose(Onnx *o, const OnnxNode *n) {
    View *v = view_input(o, n, 0);
    int perm[ONNX_RANK];
    if (!read_perm(n, v->rank, perm)) return refuse(o, n, "its perm is no order of its input's axes");
    return set_view(o, n, 0, view_transpose(o, v, perm));
}

/* Depth to space and back are three views. Of dimensions a b c h w ..., in the order `perm`, some together. */
static bool by_blocks(Onnx *o, const OnnxNode *n, const int64_t *split, const int *perm, const int64_t *together) {
    View *v = view_reshape(o, n, view_input(o, n, 0), 6, split);
    return v && set_view(o, n, 0, view_reshape(o, n, view_transpose(o, v, perm), 4, together));
}

bool convert_depth_to_space(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    int64_t b = attribute_int(n, "blocksize", 0);
    bool columns_first = !strcmp(attribute_text(n, "mode", "DCR"), "CRD");
    if (v->rank != 4 || b < 1 || b > 1024 || view_dim(v, 1) < 1 || view_dim(v, 1) % (b * b)) return refuse(o, n, "its blocksize does not divide its channels");
    if (view_dim(v, 2) < 1 || view_dim(v, 3) < 1) return refuse(o, n, "its map is the batch");
    int64_t c = view_dim(v, 1) / (b * b), h = view_dim(v, 2), w = view_dim(v, 3), batch = view_dim(v, 0);
    static const int perms[2][6] = {{0, 3, 4, 1, 5, 2}, {0, 1, 4, 2, 5, 3}};
    int64_t split[2][6] = {{batch, b, b, c, h, w}, {batch, c, b, b, h, w}};
    return by_blocks(o, n, split[columns_first], perms[columns_first], (int64_t[]){batch, c, h * b, w * b});
}

bool convert_space_to_depth(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    int64_t b = attribute_int(n, "blocksize", 0);
    if (v->rank != 4 || b < 1 || b > 1024 || view_dim(v, 2) < 1 || view_dim(v, 3) < 1 || view_dim(v, 2) % b || view_dim(v, 3) % b)
        return refuse(o, n, "its blocksize does not divide its map");
    int64_t c = view_dim(v, 1), h = view_dim(v, 2) / b, w = view_dim(v, 3) / b, batch = view_dim(v, 0);
    return by_blocks(o, n, (int64_t[]){batch, c, h, b, w, b}, (int[]){0, 3, 5, 1, 2, 4}, (int64_t[]){batch, c * b * b, h, w});
}
