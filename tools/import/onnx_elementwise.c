/* onnx_elementwise.c: activations, and arithmetic with constants and between tensors. A constant for each channel becomes a
 * batch_normalization whose statistics are 0 and 1, x * gamma + beta. */
#include "onnx.h"

#include <float.h>
#include <math.h>
#include <string.h>

View *apply(Onnx *o, const OnnxNode *n, const View *v, const char *word) { return v ? view_like(o, v, emit_one(o, n, word, v->node)) : NULL; }

static View *as_positive(View *v) {
    if (v) v->positive = true;
    return v;
}

/* ---- x * scale + offset -------------------------------------------------------------------------------------------------------- */

View *scaled(Onnx *o, const OnnxNode *n, const View *v, double scale, double offset) {
    if (!v || !(fabs(scale) <= FLT_MAX) || !(fabs(offset) <= FLT_MAX)) return v ? refuse(o, n, "has a constant that is no number, or infinite"), NULL : NULL;
    bool same = scale == 1 && offset == 0;
    View *y = same ? view_like(o, v, v->node) : apply(o, n, v, "rescaling");
    if (!y) return NULL;
    y->positive = v->positive && scale >= 0 && offset >= 0;
    if (same) return y;
    set_real(o, y->node, NULL, scale);
    if (offset != 0) set_real(o, y->node, "offset", offset);
    return y;
}

static bool all_finite(const float *x, int64_t n) {
    for (int64_t i = 0; x && i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

View *affine(Onnx *o, const OnnxNode *n, const View *v, const float *scale, const float *offset, int64_t count) {
    if (!v) return NULL;
    if (!all_finite(scale, count) || !all_finite(offset, count)) return refuse(o, n, "has a constant that is no number, or infinite"), NULL;
    if (!afford(o, 4 * count)) return NULL;
    bool by_last = count == v->shape[v->axes - 1];
    int node = emit_one(o, n, "batch_normalization", by_last ? v->node : reshaped(o, v->node, 1, &count));
    if (node < 0) return NULL;
    add_setting(o->model, node, "epsilon", "0");
    if (!offset) add_setting(o->model, node, "center", "false");
    if (!scale) add_setting(o->model, node, "scale", "false");
    add_setting(o->model, node, "trainable", "false");
    float *ones = NEW_ARRAY(o->arena, float, count), *zeros = NEW_ARRAY(o->arena, float, count);
    for (int64_t i = 0; i < count; i++) ones[i] = 1;
    if (scale) set_weight(o, node, "gamma", 1, &count, scale);
    if (offset) set_weight(o, node, "beta", 1, &count, offset);
    set_weight(o, node, "moving_mean", 1, &count, zeros);
    set_weight(o, node, "moving_variance", 1, &count, ones);
    return view_like(o, v, by_last ? node : reshaped(o, node, v->axes, v->shape));
}

/* How often the first of n numbers come again: 1 when all are the same, else every `last` or not at all. */
static int64_t period(const float *x, int64_t n, int64_t last) {
    int64_t p = 1;
    for (int64_t i = 1; i < n; i++)
        if (x[i] != x[0]) p = last;
    for (int64_t i = p; p == last && i < n; i++)
        if (x[i] != x[i - last]) return n;
    return p;
}

static int setting_of(const Node *node, const char *key) {
    for (int i = 0; i < node->setting_count; i++)
        if (node->settings[i].key && !strcmp(node->settings[i].key, key)) return i;
    return -1;
}

/* What a layer that has just been made was made without, and what can follow it as one of its weights. A factor comes before what is added. */
static const struct { char operation; const char *word, *without, *weight; } absorbs[] = {
    {'A', "dense", "use_bias", "bias"}, {'A', "conv", "use_bias", "bias"}, {'A', "normalization", "center", "beta"}, {'M', "layer_normalization", "scale", "gamma"},
};

/* Whether nothing but this value's one reader gets a node: neither takes from it another value, of which this one is another view. */
static bool alone(const Onnx *o, int value, int node) {
    for (int from = value; value >= 0; value = from) {
        const Edge *e = &o->values[value];
        const OnnxNode *p = e->producer < 0 ? NULL : &o->nodes[e->producer];
        if (e->uses != 1) return false;
        from = -1;
        for (int i = 0; p && i < p->input_count; i++) {
            const View *v = p->match ? NULL : view_input(o, p, i);
            if (v && v->node == node) from = p->inputs[i];
        }
    }
    return true;
}

/* False: a constant does not become a weight of the layer that makes its input. */
static bool absorb(Onnx *o, const OnnxNode *n, int input, const View *v, char operation, const float *data, int64_t count) {
    Node *node = &o->model->nodes[v->node];
    bool just_made = v->node == o->model->node_count - 1 && count == v->shape[v->axes - 1];
    if (!just_made || !alone(o, n->inputs[input], v->node) || !all_finite(data, count)) return false;
    for (int i = 0; i < LENGTH(absorbs); i++) {
        int at = absorbs[i].operation == operation && strstr(node->word, absorbs[i].word) ? setting_of(node, absorbs[i].without) : -1;
        if (at < 0 || (operation == 'M' && setting_of(node, "center") < 0) || (!strcmp(absorbs[i].weight, "bias") && setting_of(node, "trainable") >= 0)) continue;
        node->settings[at] = node->settings[--node->setting_count];
        set_weight(o, v->node, absorbs[i].weight, 1, &count, data);
        return true;
    }
    return false;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------------- */

static bool same_places(const View *a, const View *b) {
    return a->rank == b->rank && a->part_count == b->part_count && a->batch == b->batch && a->axes == b->axes &&
           !memcmp(a->begin, b->begin, sizeof *a->begin * (size_t)(a->rank + 1)) && !memcmp(a->size, b->size, sizeof *a->size * (size_t)a->part_count) &&
           !memcmp(a->order, b->order, sizeof *a->order * (size_t)a->part_count) && !memcmp(a->shape, b->shape, sizeof *a->shape * (size_t)a->axes);
}

/* With as many dimensions, those before its own being 1; where it has more it is as it was. */
static const View *of_rank(Onnx *o, const View *v, int rank) { return v->rank >= rank ? v : view_unsqueeze(o, v, rank, (1u << (rank - v->rank)) - 1); }

/* The dimensions that both are repeated to; false: they do not fit. */
static bool common_dims(const View *a, const View *b, int64_t *dims) {
    for (int d = 0; d < a->rank; d++) {
        int64_t x = view_dim(a, d), y = view_dim(b, d);
        if (x != y && x != 1 && y != 1) return false;
        dims[d] = x == 1 ? y : x;
    }
    return batch_dim(a) == batch_dim(b) && (a->batch < 0 || (is_batch(a, batch_dim(a)) && is_batch(b, batch_dim(b)) && a->size[a->batch] == b->size[b->batch]));
}

static bool merged_positive(const View *a, const View *b, const char *word) {
    if (!strcmp(word, "maximum")) return a->positive || b->positive;
    return a->positive && b->positive && strcmp(word, "subtract");
}

View *multiplied(Onnx *o, const OnnxNode *n, const View *a, const View *b, const char *word) {
    if (!a || !b) return NULL;
    View *y;
    if (same_places(a, b)) y = view_like(o, a, emit_merge(o, n, word, (int[]){a->node, b->node}, 2));
    else {
        int rank = a->rank > b->rank ? a->rank : b->rank, order[ONNX_RANK], axes;
        int64_t dims[ONNX_RANK];
        const View *x = of_rank(o, a, rank), *z = of_rank(o, b, rank), *larger = view_count(z) > view_count(x) ? z : x;
        if (!common_dims(x, z, dims)) return refuse(o, n, "its inputs do not fit each other, or mix examples of the batch"), NULL;
        int batch = batch_dim(x);
        if (!in_order(larger, order, &axes) && !in_order(larger == x ? z : x, order, &axes))
            for (int d = axes = 0; d < rank; d++)
                if (d != batch) order[axes++] = d;
        int nodes[] = {arranged(o, n, x, order, axes), arranged(o, n, z, order, axes)};
        y = new_view(o, emit_merge(o, n, word, nodes, 2), rank, dims, batch, batch_size(x), order, axes);
    }
    if (y) y->positive = merged_positive(a, b, word);
    return y;
}

/* The view with its dimensions of 1 repeated where the constant has more. */
static const View *as_large_as(Onnx *o, const OnnxNode *n, const View *v, const Numbers *c) {
    v = of_rank(o, v, c->rank);
    for (int d = 0; v && d < c->rank; d++) {
        int own = d + v->rank - c->rank;
        if (c->dims[d] <= 1 || view_dim(v, own) != 1) continue;
        if (c->dims[d] > 1 << 16) return refuse(o, n, "repeats its input too often"), NULL;
        if (!afford(o, c->dims[d])) return NULL;
        float *ones = NEW_ARRAY(o->arena, float, c->dims[d]);
        for (int64_t i = 0; i < c->dims[d]; i++) ones[i] = 1;
        v = along(o, n, v, own, c->dims[d], ones);
    }
    return v;
}

/* What x op c is as x * scale + offset; false: it is not. */
static bool as_affine(const char *type, bool constant_first, float c, float *scale, float *offset) {
    *scale = 1, *offset = 0;
    if (*type == 'A') *offset = c;
    else if (*type == 'S') *scale = constant_first ? -1.0f : 1.0f, *offset = constant_first ? c : -c;
    else if (*type == 'M') *scale = c;
    else *scale = (float)(1 / (double)c);
    return *type != 'D' || !constant_first;
}

static View *with_constant(Onnx *o, const OnnxNode *n, const View *v, const Numbers *c, bool constant_first) {
    float scale, offset;
    double value;
    if (!as_affine(n->type, constant_first, 1, &scale, &offset)) return refuse(o, n, "divides by what is computed"), NULL;
    if (!c->reals || !c->count) return refuse(o, n, "its constant has integers, or no elements"), NULL;
    v = as_large_as(o, n, v, c);
    if (!v) return NULL;
    if (is_scalar(c, &value)) {
        if (*n->type == 'D') return scaled(o, n, v, 1 / value, 0);
        as_affine(n->type, constant_first, (float)value, &scale, &offset);
        return scaled(o, n, v, (double)scale, (double)offset);
    }
    const char *why;
    float *all = spread(o, v, c, &why);
    if (!all) return why ? (refuse(o, n, "%s", why), NULL) : NULL;
    int64_t count = view_count(v), each = period(all, count, v->shape[v->axes - 1]);
    float *scales = NEW_ARRAY(o->arena, float, each), *offsets = NEW_ARRAY(o->arena, float, each);
    for (int64_t i = 0; i < each; i++) as_affine(n->type, constant_first, all[i], &scales[i], &offsets[i]);
    if (each == 1 && count > 1) return scaled(o, n, v, (double)*scales, (double)*offsets);
    bool adds = *n->type == 'A' || (*n->type == 'S' && !constant_first);
    if (adds ? absorb(o, n, constant_first, v, 'A', offsets, each) : *n->type == 'M' && absorb(o, n, constant_first, v, 'M', scales, each)) return view_like(o, v, v->node);
    return affine(o, n, v, adds ? NULL : scales, *n->type == 'A' || *n->type == 'S' ? offsets : NULL, each);
}

bool convert_arithmetic(Onnx *o, const OnnxNode *n) {
    const View *a = view_input(o, n, 0), *b = view_input(o, n, 1);
    static const char *const words[] = {['A'] = "add", ['S'] = "subtract", ['M'] = "multiply", ['D'] = NULL};
    if (n->input_count != 2 || !has_input(n, 1)) return refuse(o, n, "needs two inputs");
    if (!a) return set_view(o, n, 0, with_constant(o, n, b, constant_input(o, n, 0), true));
    if (!b) return set_view(o, n, 0, with_constant(o, n, a, constant_input(o, n, 1), false));
    if (*n->type == 'D') return refuse(o, n, "divides by what is computed");
    return set_view(o, n, 0, multiplied(o, n, a, b, words[(unsigned char)*n->type]));
}

/* A constant as a tensor of the shape of a view. Only what is not finite there makes it other than it should be, and then no number. */
static View *filled(Onnx *o, const OnnxNode *n, const View *v, const Numbers *c) {
    const char *why;
    double value;
    if (!c->reals) return refuse(o, n, "its constant has integers"), NULL;
    v = as_large_as(o, n, v, c);
    if (!v) return NULL;
    if (is_scalar(c, &value)) return scaled(o, NULL, v, 0, value);
    float *all = spread(o, v, c, &why);
    if (!all) return why ? (refuse(o, n, "%s", why), NULL) : NULL;
    int64_t count = view_count(v), each = period(all, count, v->shape[v->axes - 1]);
    return each == 1 && count > 1 ? scaled(o, NULL, v, 0, (double)*all) : affine(o, NULL, v, NEW_ARRAY(o->arena, float, each), all, each);
}

bool convert_merge(Onnx *o, const OnnxNode *n) {
    const char *word = !strcmp(n->type, "Max") ? "maximum" : !strcmp(n->type, "Min") ? "minimum" : "add";
    const View *y = NULL;
    for (int i = 0; i < n->input_count && !y; i++) y = view_input(o, n, i);
    const View *first = y;
    for (int i = 0, seen = 0; i < n->input_count && y; i++) {
        if (!has_input(n, i)) return refuse(o, n, "leaves out an input");
        const View *x = view_input(o, n, i);
        if (x && x == first && !seen++) continue; /* y began with it */
        if (!x) x = filled(o, n, y, constant_input(o, n, i));
        y = multiplied(o, n, y, x, word);
    }
    if (y && !strcmp(n->type, "Mean")) y = scaled(o, n, y, 1.0 / n->input_count, 0);
    else if (y == first && y) y = view_like(o, y, y->node);
    return set_view(o, n, 0, (View *)y);
}

bool convert_pow(Onnx *o, const OnnxNode *n) {
    const Numbers *c = constant_input(o, n, 1);
    double power;
    if (!is_scalar(c, &power)) return refuse(o, n, "its exponent is not one constant");
    const View *x = of_rank(o, view_input(o, n, 0), c->rank);
    if (!x) return false;
    if (power != floor(power) || power < 1 || power > 8) return refuse(o, n, "its exponent is %g; cnnc takes 1 to 8", power);
    int inputs[8];
    for (int i = 0; i < (int)power; i++) inputs[i] = x->node;
    View *y = view_like(o, x, power > 1 ? emit_merge(o, n, "multiply", inputs, (int)power) : x->node);
    if (y) y->positive = x->positive || fmod(power, 2) == 0;
    return set_view(o, n, 0, y);
}

/* ---- activations -------------------------------------------------------------------------------------------------------------------- */

static const struct { const char *type, *word, *attribute; double fallback; const char *key; bool positive; } activations[] = {
    {"Relu", "relu", NULL, 0, NULL, true}, {"Sigmoid", "sigmoid", NULL, 0, NULL, true}, {"Tanh", "tanh", NULL, 0, NULL, false},
    {"Softplus", "softplus", NULL, 0, NULL, true}, {"Softsign", "softsign", NULL, 0, NULL, false}, {"Exp", "exponential", NULL, 0, NULL, true},
    {"HardSwish", "hard_silu", NULL, 0, NULL, false}, {"Mish", "mish", NULL, 0, NULL, false}, {"Elu", "elu", "alpha", 1, "alpha", false},
    {"LeakyRelu", "leaky_relu", "alpha", 0.01, "negative_slope", false}, {"ThresholdedRelu", "relu", "alpha", 1, "threshold", true},
};

static View *selu(Onnx *o, const OnnxNode *n, const View *x) {
    double alpha = attribute_real(n, "alpha", 1.67326319217681884765625), gamma = attribute_real(n, "gamma", 1.05070102214813232421875);
    if (fabs(alpha - 1.6732632423543772) < 1e-6 && fabs(gamma - 1.0507009873554805) < 1e-6) return apply(o, n, x, "selu");
    if (alpha < 0) return refuse(o, n, "has an alpha below 0"), NULL;
    View *y = apply(o, n, x, "elu");
    if (y) set_real(o, y->node, "alpha", alpha);
    return scaled(o, NULL, y, gamma, 0);
}

static View *celu(Onnx *o, const OnnxNode *n, const View *x) {
    double alpha = attribute_real(n, "alpha", 1);
    if (!(alpha > 0)) return refuse(o, n, "has no alpha above 0"), NULL;
    View *y = apply(o, n, scaled(o, NULL, x, 1 / alpha, 0), "elu");
    return scaled(o, NULL, y, alpha, 0);
}

static View *hard_sigmoid(Onnx *o, const OnnxNode *n, const View *x) {
    double alpha = attribute_real(n, "alpha", 0.2f), beta = attribute_real(n, "beta", 0.5);
    if ((float)alpha == 1 / 6.0f && beta == 0.5) return as_positive(apply(o, n, x, "hard_sigmoid"));
    View *y = apply(o, n, scaled(o, NULL, x, alpha, beta), "relu");
    if (y) add_setting(o->model, y->node, "max_value", "1");
    return as_positive(y);
}

static View *gelu(Onnx *o, const OnnxNode *n, const View *x) {
    const char *approximate = attribute_text(n, "approximate", "none");
    if (strcmp(approximate, "none") && strcmp(approximate, "tanh")) return refuse(o, n, "is approximated by '%s'", shown(o->model, approximate)), NULL;
    View *y = apply(o, n, x, "gelu");
    if (y && !strcmp(approximate, "tanh")) add_setting(o->model, y->node, "approximate", "true");
    return y;
}

static View *negative(Onnx *o, const OnnxNode *n, const View *x) { return scaled(o, n, x, -1, 0); }
static View *absolute(Onnx *o, const OnnxNode *n, const View *x) { return as_positive(multiplied(o, n, x, scaled(o, NULL, x, -1, 0), "maximum")); }

static const struct { const char *type; View *(*make)(Onnx *, const OnnxNode *, const View *); } others[] = {
    {"Selu", selu}, {"Celu", celu}, {"HardSigmoid", hard_sigmoid}, {"Gelu", gelu}, {"Neg", negative}, {"Abs", absolute},
};

static View *prelu(Onnx *o, const OnnxNode *n, const View *v, const float *alpha, int64_t each) {
    View *y = apply(o, n, v, "prelu");
    if (!y) return NULL;
    int64_t shape[ONNX_RANK];
    const char *shared = "";
    int shared_count = each == 1 ? v->axes : each < view_count(v) ? v->axes - 1 : 0;
    for (int i = 0; i < v->axes; i++) {
        shape[i] = i < shared_count ? 1 : v->shape[i];
        if (i < shared_count) shared = arena_printf(o->arena, "%s%s%d", shared, i ? "," : "", i + 1);
    }
    if (*shared) add_setting(o->model, y->node, "shared_axes", "%s", shared);
    set_weight(o, y->node, "alpha", v->axes, shape, alpha);
    return y;
}

bool convert_activation(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    for (int i = 0; i < LENGTH(others); i++)
        if (!strcmp(n->type, others[i].type)) return set_view(o, n, 0, others[i].make(o, n, x));
    int k = 0;
    while (strcmp(n->type, activations[k].type)) k++;
    double value = activations[k].attribute ? attribute_real(n, activations[k].attribute, activations[k].fallback) : 0;
    float slope = (float)value;
    if (!strcmp(n->type, "LeakyRelu") && value < 0 && isfinite(value)) return set_view(o, n, 0, prelu(o, n, x, &slope, 1));
    if (!(value >= 0) || value > 1e38) return refuse(o, n, "has an %s of %g", activations[k].attribute, value);
    View *y = apply(o, n, x, activations[k].word);
    if (y && activations[k].key) set_real(o, y->node, activations[k].key, value);
    if (y) y->positive = activations[k].positive;
    return set_view(o, n, 0, y);
}

bool convert_prelu(Onnx *o, const OnnxNode *n) {
    const Numbers *slope = constant_input(o, n, 1);
    const char *why;
    if (!slope) return refuse(o, n, "its slopes are not constant");
    const View *x = of_rank(o, view_input(o, n, 0), slope->rank);
    if (!x) return false;
    float *all = spread(o, x, slope, &why);
    if (!all) return why && refuse(o, n, "%s", why);
    int64_t count = view_count(x), each = period(all, count, x->shape[x->axes - 1]);
    if (!all_finite(all, count)) return refuse(o, n, "has a slope that is no number, or infinite");
    return set_view(o, n, 0, prelu(o, n, x, all, each));
}

/* ---- limits ---------------------------------------------------------------------------------------------------------------------------- */

static bool limit(Onnx *o, const OnnxNode *n, int input, const char *attribute, double *value) {
    if (o->opset < 11) *value = attribute_real(n, attribute, *value);
    else if (has_input(n, input) && (!is_scalar(constant_input(o, n, input), value) || isnan(*value))) return refuse(o, n, "its limits are not two constants");
    if (fabs(*value) >= 3e38) *value = *value < 0 ? -INFINITY : INFINITY;
    return !isnan(*value) || refuse(o, n, "its limits are no numbers");
}

static View *limited(Onnx *o, const OnnxNode *n, const View *v, double value, const char *word) {
    return isinf(value) || !v ? (View *)v : multiplied(o, n, v, scaled(o, NULL, v, 0, value), word);
}

bool convert_clip(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    double least = -INFINITY, most = INFINITY;
    if (!limit(o, n, 1, "min", &least) || !limit(o, n, 2, "max", &most)) return false;
    if (least > most || least == INFINITY || most == -INFINITY) return refuse(o, n, "its limits are the wrong way round");
    if (least == -1 && most == 1) return set_view(o, n, 0, apply(o, n, x, "hard_tanh"));
    if (least != 0 || most <= 0) {
        View *y = limited(o, n, limited(o, n, x, least, "maximum"), most, "minimum");
        y = y ? view_like(o, y, y->node) : NULL;
        return set_view(o, n, 0, least >= 0 ? as_positive(y) : y);
    }
    View *y = apply(o, n, x, most == 6 ? "relu6" : "relu");
    if (y && most != 6 && !isinf(most)) set_real(o, y->node, "max_value", most);
    return set_view(o, n, 0, as_positive(y));
}

/* ---- softmax ---------------------------------------------------------------------------------------------------------------------------- */

/* all: of the dimensions from the axis on, as one. */
View *softmax(Onnx *o, const OnnxNode *n, const View *x, int axis, bool all, const char *word) {
    int perm[ONNX_RANK], back[ONNX_RANK], first = all ? axis : x->rank - 1;
    dim_to_end(x->rank, all ? x->rank - 1 : axis, perm, back);
    const View *turned = view_transpose(o, x, perm);
    View *y = apply(o, n, last_as_rows(o, n, first < x->rank - 1 ? view_merge(o, turned, first, x->rank) : turned, first, NULL), word);
    if (!y) return NULL;
    y->rank = turned->rank;
    memcpy(y->begin, turned->begin, sizeof y->begin);
    y = view_transpose(o, y, back);
    y->positive = !strcmp(word, "softmax");
    return y;
}

/* Before version 13 all dimensions from the axis on are one. */
bool convert_softmax(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    int axis = normal_axis(attribute_int(n, "axis", o->opset < 13 ? 1 : -1), x->rank);
    if (axis < 0) return refuse(o, n, "has no such axis");
    return set_view(o, n, 0, softmax(o, n, x, axis, o->opset < 13, *n->type == 'S' ? "softmax" : "log_softmax"));
}
