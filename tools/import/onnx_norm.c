/* onnx_norm.c: normalizations by statistics that the file has, or the example. */
#include "onnx.h"

#include <math.h>
#include <string.h>

/* A vector of so many finite floats; NULL after an error. */
static const float *vector(Onnx *o, const OnnxNode *n, int input, int64_t count, const char *what) {
    const Numbers *c = constant_input(o, n, input);
    if (!c || !c->reals || (int64_t)c->count != count) return refuse(o, n, "its %s is no constant of %lld elements", what, (long long)count), NULL;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(c->reals[i])) return refuse(o, n, "its %s has an element that is no number, or infinite", what), NULL;
    return c->reals;
}

/* With the channels, dimension 1, last. */
static View *channels_last(Onnx *o, const OnnxNode *n, const View *v) {
    int order[ONNX_RANK], axes = 0, batch = batch_dim(v);
    if (v->rank < 2) return refuse(o, n, "has no axis of channels"), NULL;
    for (int d = 2; d < v->rank; d++) order[axes++] = d;
    order[axes++] = 1;
    int64_t dims[ONNX_RANK];
    for (int d = 0; d < v->rank; d++) dims[d] = view_dim(v, d);
    if (batch > 0) return refuse(o, n, "its first axis is not the batch"), NULL;
    View *y = new_view(o, arranged(o, n, v, order, axes), v->rank, dims, batch, batch_size(v), order, axes);
    if (y) y->positive = v->positive;
    return y;
}

bool convert_batch_normalization(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    if (n->input_count != 5) return refuse(o, n, "needs five inputs");
    for (int i = 1; i < n->output_count; i++)
        if (!output_unused(o, n, i)) return refuse(o, n, "gives statistics, too");
    if (attribute_int(n, "training_mode", 0) || !attribute_int(n, "spatial", 1)) return refuse(o, n, "is in training mode, or not by channels");
    View *v = channels_last(o, n, x);
    if (!v) return false;
    int64_t channels = v->shape[v->axes - 1];
    static const char *const names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    const float *data[4];
    for (int i = 0; i < 4; i++)
        if (!(data[i] = vector(o, n, i + 1, channels, names[i]))) return false;
    double epsilon = attribute_real(n, "epsilon", 1e-5f);
    for (int64_t i = 0; i < channels; i++)
        if (!((double)data[3][i] + epsilon > 0) || epsilon < 0) return refuse(o, n, "has a variance below 0");
    View *y = apply(o, n, v, "batch_normalization");
    if (!y) return false;
    set_real(o, y->node, "epsilon", epsilon);
    double momentum = attribute_real(n, "momentum", 0.9f);
    if (momentum >= 0 && momentum <= 1) set_real(o, y->node, "momentum", momentum); /* of a training that goes on */
    for (int i = 0; i < 4; i++) set_weight(o, y->node, names[i], 1, &channels, data[i]);
    return set_view(o, n, 0, y);
}

/* gamma and beta NULL: without them. */
static View *by_groups(Onnx *o, const OnnxNode *n, const View *x, int64_t groups, const float *gamma, const float *beta) {
    View *v = channels_last(o, n, x), *y = v ? apply(o, n, v, "group_normalization") : NULL;
    double epsilon = attribute_real(n, "epsilon", 1e-5f);
    if (!y) return NULL;
    int64_t channels = v->shape[v->axes - 1];
    if (epsilon < 0) return refuse(o, n, "has an epsilon below 0"), NULL;
    add_setting(o->model, y->node, "groups", "%lld", (long long)groups);
    set_real(o, y->node, "epsilon", epsilon);
    set_weight(o, y->node, "gamma", 1, &channels, gamma);
    set_weight(o, y->node, "beta", 1, &channels, beta);
    return y;
}

bool convert_instance_normalization(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    if (x->rank < 3) return refuse(o, n, "needs an input with at least three axes");
    int64_t channels = view_dim(x, 1);
    const float *gamma = vector(o, n, 1, channels, "scale"), *beta = gamma ? vector(o, n, 2, channels, "bias") : NULL;
    return beta && set_view(o, n, 0, by_groups(o, n, x, channels, gamma, beta));
}

/* Before version 21 there is a factor for each group. */
bool convert_group_normalization(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    if (x->rank < 3) return refuse(o, n, "needs an input with at least three axes");
    int64_t channels = view_dim(x, 1), groups = attribute_int(n, "num_groups", 0);
    if (groups < 1 || channels < 1 || channels % groups) return refuse(o, n, "its groups do not divide its channels");
    int64_t each = o->opset < 21 ? channels / groups : 1;
    const float *gamma = vector(o, n, 1, channels / each, "scale"), *beta = gamma ? vector(o, n, 2, channels / each, "bias") : NULL;
    if (!beta) return false;
    if (!afford(o, 2 * channels)) return false;
    float *scales = NEW_ARRAY(o->arena, float, channels), *offsets = NEW_ARRAY(o->arena, float, channels);
    for (int64_t i = 0; i < channels; i++) scales[i] = gamma[i / each], offsets[i] = beta[i / each];
    return set_view(o, n, 0, by_groups(o, n, x, groups, scales, offsets));
}

/* From an axis on, as one. */
static View *layer_normalized(Onnx *o, const OnnxNode *n, const View *x, int axis, double epsilon, int64_t **elements) {
    View *rows = last_as_rows(o, n, axis < x->rank - 1 ? view_merge(o, x, axis, x->rank) : x, axis, elements);
    View *y = apply(o, n, rows, "layer_normalization");
    if (!y) return NULL;
    if (!(epsilon >= 0)) return refuse(o, n, "has an epsilon below 0"), NULL;
    set_real(o, y->node, "epsilon", epsilon);
    y->rank = x->rank;
    memcpy(y->begin, x->begin, sizeof y->begin);
    return y;
}

/* Whether a constant has one element for each of those in a view's dimensions from `axis` on. */
static bool is_of_last(const Numbers *c, const View *v, int axis) {
    int64_t count = 1;
    for (int d = axis; d < v->rank; d++) count *= view_dim(v, d);
    for (int i = 1; i <= c->rank; i++)
        if (i > v->rank || c->dims[c->rank - i] != (v->rank - i < axis ? 1 : view_dim(v, v->rank - i))) return false;
    return (int64_t)c->count == count;
}

/* Its gamma or beta, of values whose elements are those of the view's dimensions from `axis` on. */
static bool set_elements(Onnx *o, const OnnxNode *n, const View *y, int axis, const Numbers *c, bool there, bool beta, const int64_t *elements) {
    int64_t count = y->shape[y->axes - 1];
    if (!there) return add_setting(o->model, y->node, beta ? "center" : "scale", "false"), true;
    if (!c || !c->reals || !is_of_last(c, y, axis)) return refuse(o, n, "its %s is no constant of the %lld elements that it normalizes", beta ? "bias" : "scale", (long long)count);
    float *turned = NEW_ARRAY(o->arena, float, count);
    for (int64_t k = 0; k < count; k++) {
        turned[k] = c->reals[elements[k]];
        if (!isfinite(turned[k])) return refuse(o, n, "its %s has an element that is no number, or infinite", beta ? "bias" : "scale");
    }
    set_weight(o, y->node, beta ? "beta" : "gamma", 1, &count, turned);
    return true;
}

bool convert_layer_normalization(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    int axis = normal_axis(attribute_int(n, "axis", -1), x->rank);
    int64_t *elements;
    if (axis < 0 || !has_input(n, 1)) return refuse(o, n, "has no such axis, or no scale");
    if (!output_unused(o, n, 1) || !output_unused(o, n, 2)) return refuse(o, n, "gives statistics, too");
    View *y = layer_normalized(o, n, x, axis, attribute_real(n, "epsilon", 1e-5f), &elements);
    for (int i = 1; i < 3; i++)
        if (!y || !set_elements(o, n, y, axis, constant_input(o, n, i), has_input(n, i), i == 2, elements)) return false;
    return set_view(o, n, 0, y);
}

/* What onnx_match.c found, of the last axis. Where there is no scale and offset, the exporter's own may follow. */
View *matched_layer_normalization(Onnx *o, const OnnxNode *n, const View *x) {
    const Match *m = n->match;
    int axis = m->axis == SPATIAL ? (x->rank == 3 ? 2 : -1) : normal_axis(m->axis, x->rank);
    int64_t *elements;
    if (axis < 0 || axis != x->rank - 1) return refuse(o, n, "normalizes another axis than the last"), NULL;
    View *y = layer_normalized(o, n, x, axis, m->a, &elements);
    for (int i = 0; i < 2; i++) {
        int v = i ? m->offset : m->scale;
        const Numbers *c = v < 0 ? NULL : o->values[v].constant;
        if (!y || !set_elements(o, n, y, axis, c, v >= 0, i, elements)) return NULL;
    }
    return y;
}
