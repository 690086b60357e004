/* onnx_window.c: convolutions and poolings, in one and two dimensions. What cnnc's padding 'same' does not say is padded before, or cut off
 * afterwards. */
#include "onnx.h"

#include <string.h>

enum { MOST_SIZE = 1 << 16 };

/* Along one axis, rows or columns. */
typedef struct Axis { int64_t size, kernel, stride, dilation, before, after, out; } Axis;
typedef struct Geometry { int n; Axis axis[2]; bool same; } Geometry; /* same: cnnc's */

static int64_t reach(const Axis *a) { return (a->kernel - 1) * a->dilation + 1; }

/* An attribute of so many integers, from the least to 65536, or all the least. */
static bool read_axes(Onnx *o, const OnnxNode *n, const char *name, int count, int64_t least, int64_t *to) {
    int given;
    const int64_t *list = attribute_ints(n, name, &given);
    for (int i = 0; i < count; i++) to[i] = least;
    if (!list && !given) return true;
    if (!list || given != count) return refuse(o, n, "its %s has %d numbers, not %d", name, given, count);
    for (int i = 0; i < count; i++)
        if (list[i] < least || list[i] > MOST_SIZE) return refuse(o, n, "its %s has a %lld", name, (long long)list[i]);
    memcpy(to, list, sizeof *to * (size_t)count);
    return true;
}

/* The padding that TensorFlow's 'same' has, of which cnnc puts the odd one behind. */
static int64_t same_total(const Axis *a) {
    int64_t out = (a->size - 1) / a->stride + 1, total = (out - 1) * a->stride + reach(a) - a->size;
    return total > 0 ? total : 0;
}

/* How it is padded: its pads, which count only where there is no auto_pad; *upper or *lower: as much as it takes instead. False after an error. */
static bool read_pads(Onnx *o, const OnnxNode *n, int axes, int64_t *pads, bool *upper, bool *lower) {
    const char *automatic = attribute_text(n, "auto_pad", "NOTSET");
    bool none = !strcmp(automatic, "VALID");
    *upper = !strcmp(automatic, "SAME_UPPER"), *lower = !strcmp(automatic, "SAME_LOWER");
    if (strcmp(automatic, "NOTSET") && *automatic && !none && !*upper && !*lower) return refuse(o, n, "has the auto_pad '%s'", shown(o->model, automatic));
    if (!read_axes(o, n, "pads", 2 * axes, 0, pads)) return false;
    if (none) memset(pads, 0, sizeof *pads * 2 * (size_t)axes);
    return true;
}

static bool find_padding(Onnx *o, const OnnxNode *n, Geometry *g) {
    int64_t pads[4] = {0};
    bool upper, lower;
    if (!read_pads(o, n, g->n, pads, &upper, &lower)) return false;
    for (int i = 0; i < g->n; i++) {
        Axis *a = &g->axis[i];
        int64_t total = same_total(a);
        if (upper || lower) a->before = upper ? total / 2 : total - total / 2, a->after = total - a->before;
        else a->before = pads[i], a->after = pads[g->n + i];
    }
    return true;
}

static bool find_outputs(Onnx *o, const OnnxNode *n, Geometry *g, bool ceil_mode) {
    bool padded = false;
    g->same = true;
    for (int i = 0; i < g->n; i++) {
        Axis *a = &g->axis[i];
        int64_t over = a->size + a->before + a->after - reach(a);
        if (over < 0) return refuse(o, n, "its window is larger than its input");
        a->out = over / a->stride + 1;
        if (ceil_mode && over % a->stride) {
            if (a->out * a->stride >= a->size + a->before) return refuse(o, n, "its ceil_mode would have a window outside of its input");
            a->after += a->stride - over % a->stride;
            a->out++;
        }
        padded = padded || a->before || a->after;
        g->same = g->same && a->before == same_total(a) / 2 && a->after == same_total(a) - a->before;
    }
    g->same = g->same && padded;
    return true;
}

/* Of a map or sequence; false after an error. */
static bool find_geometry(Onnx *o, const OnnxNode *n, const View *x, const int64_t *kernel, Geometry *g) {
    int64_t strides[2], dilations[2];
    *g = (Geometry){.n = x->rank - 2};
    if (g->n < 1 || g->n > 2) return refuse(o, n, "is %d-dimensional; cnnc has one and two dimensions", x->rank - 2);
    if (!read_axes(o, n, "strides", g->n, 1, strides) || !read_axes(o, n, "dilations", g->n, 1, dilations)) return false;
    for (int i = 0; i < g->n; i++) {
        int64_t size = view_dim(x, i + 2);
        if (kernel[i] < 1 || kernel[i] > MOST_SIZE || size < 1) return refuse(o, n, "its kernel has a size of %lld, or its input is the batch", (long long)kernel[i]);
        g->axis[i] = (Axis){.size = size, .kernel = kernel[i], .stride = strides[i], .dilation = dilations[i]};
    }
    return true;
}

/* "3x3" of one of the numbers of each axis, of which there are n. */
#define EACH(o, g, member) ((g)->n > 1 ? arena_printf((o)->arena, "%lldx%lld", (long long)(g)->axis[0].member, (long long)(g)->axis[1].member) \
                                       : arena_printf((o)->arena, "%lld", (long long)(g)->axis[0].member))

static bool all_are(const Geometry *g, int64_t value, bool strides) {
    for (int i = 0; i < g->n; i++)
        if ((strides ? g->axis[i].stride : g->axis[i].dilation) != value) return false;
    return true;
}

/* "(1,0)x(2,1)" */
static const char *sides(Onnx *o, int n, const int64_t *before, const int64_t *after) {
    const char *text = "";
    for (int i = 0; i < n; i++) text = arena_printf(o->arena, "%s%s(%lld,%lld)", text, i ? "x" : "", (long long)before[i], (long long)after[i]);
    return text;
}

/* zero_padding or cropping of a node that is a map or sequence; the node itself where there is nothing to do. */
static int sided(Onnx *o, const char *word, int node, int n, const int64_t *before, const int64_t *after) {
    bool any = false;
    for (int i = 0; i < n; i++) any = any || before[i] || after[i];
    int y = node < 0 || !any ? node : emit_one(o, NULL, arena_printf(o->arena, "%s%dd", word, n), node);
    if (y >= 0 && any) add_setting(o->model, y, NULL, "%s", sides(o, n, before, after));
    return y;
}

static int zero_padded(Onnx *o, int node, const Geometry *g) {
    int64_t before[2], after[2];
    for (int i = 0; i < g->n; i++) before[i] = g->axis[i].before, after[i] = g->axis[i].after;
    return sided(o, "zero_padding", node, g->n, before, after);
}

static const int map_order[][3] = {{2, 1}, {2, 3, 1}};

static int as_map(Onnx *o, const OnnxNode *n, const View *x, const Geometry *g) { return arranged(o, n, x, map_order[g->n - 1], g->n + 1); }

static View *map_view(Onnx *o, const View *x, int node, const Geometry *g, int64_t channels) {
    int64_t dims[4] = {1, channels};
    for (int i = 0; i < g->n; i++) dims[i + 2] = g->axis[i].out;
    int batch = batch_dim(x);
    return new_view(o, node, x->rank, dims, batch, batch_size(x), map_order[g->n - 1], g->n + 1);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------------------------- */

/* [a][b][taps] -> [taps][b][a], or, not crossed, [taps][a][b]. */
static float *taps_first(Onnx *o, const float *from, int64_t a, int64_t b, int64_t taps, bool crossed) {
    if (!afford(o, a * b * taps)) return NULL;
    float *to = NEW_ARRAY(o->arena, float, a * b * taps);
    for (int64_t i = 0; i < a; i++)
        for (int64_t k = 0; k < b; k++)
            for (int64_t t = 0; t < taps; t++) to[t * a * b + (crossed ? k * a + i : i * b + k)] = from[(i * b + k) * taps + t];
    return to;
}

typedef struct Taps { const Numbers *weights, *bias; int64_t taps, sizes[2], groups; } Taps;

static bool find_kernel(Onnx *o, const OnnxNode *n, const View *x, Taps *k) {
    int given;
    *k = (Taps){constant_input(o, n, 1), constant_input(o, n, 2), 1, {1, 1}, attribute_int(n, "group", 1)};
    if (!k->weights || !k->weights->reals || (has_input(n, 2) && (!k->bias || !k->bias->reals))) return refuse(o, n, "its weights are not constant");
    if (x->rank < 3 || x->rank > 4) return refuse(o, n, "is %d-dimensional; cnnc has one and two dimensions", x->rank - 2);
    if (k->weights->rank != x->rank) return refuse(o, n, "its kernel has not as many dimensions as its input");
    if (k->groups < 1 || k->groups > MOST_SIZE || !k->weights->count) return refuse(o, n, "its group is %lld, or its kernel is empty", (long long)k->groups);
    const int64_t *shape = attribute_ints(n, "kernel_shape", &given);
    for (int i = 0; i < x->rank - 2; i++) {
        k->sizes[i] = k->weights->dims[i + 2];
        k->taps *= k->sizes[i];
        if (shape && (given != x->rank - 2 || shape[i] != k->sizes[i])) return refuse(o, n, "its kernel_shape is not that of its kernel");
    }
    return true;
}

static void set_kernel(Onnx *o, int node, const Geometry *g, const Taps *k, int64_t a, int64_t b, bool crossed) {
    int64_t shape[4] = {k->sizes[0], k->sizes[1]};
    shape[g->n] = crossed ? b : a, shape[g->n + 1] = crossed ? a : b;
    set_weight(o, node, "kernel", g->n + 2, shape, taps_first(o, k->weights->reals, a, b, k->taps, crossed));
    if (!k->bias) add_setting(o->model, node, "use_bias", "false");
}

bool convert_conv(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    Taps k;
    Geometry g;
    if (!find_kernel(o, n, x, &k) || !find_geometry(o, n, x, k.sizes, &g) || !find_padding(o, n, &g) || !find_outputs(o, n, &g, false)) return false;
    int64_t channels = view_dim(x, 1), filters = k.weights->dims[0], each = k.weights->dims[1];
    if (channels < 1 || each * k.groups != channels || filters % k.groups || (k.bias && (int64_t)k.bias->count != filters)) return refuse(o, n, "its kernel does not fit its %lld channels", (long long)channels);
    bool depthwise = each == 1 && k.groups > 1;
    if (!all_are(&g, 1, true) && !all_are(&g, 1, false) && !depthwise) return refuse(o, n, "has strides and dilations at once");
    int node = as_map(o, n, x, &g);
    if (!g.same) node = zero_padded(o, node, &g);
    node = node < 0 ? -1 : emit_one(o, n, arena_printf(o->arena, depthwise ? "depthwise_conv%dd" : "conv%dd", g.n), node);
    if (node < 0) return false;
    if (!depthwise) add_setting(o->model, node, NULL, "%lld", (long long)filters);
    add_setting(o->model, node, NULL, "%s", EACH(o, &g, kernel));
    if (depthwise && filters > channels) add_setting(o->model, node, "depth_multiplier", "%lld", (long long)(filters / channels));
    if (!all_are(&g, 1, true)) add_setting(o->model, node, "strides", "%s", EACH(o, &g, stride));
    if (!all_are(&g, 1, false)) add_setting(o->model, node, "dilation_rate", "%s", EACH(o, &g, dilation));
    if (g.same) add_setting(o->model, node, "padding", "same");
    if (!depthwise && k.groups > 1) add_setting(o->model, node, "groups", "%lld", (long long)k.groups);
    if (depthwise) set_kernel(o, node, &g, &k, channels, filters / channels, false); /* [C * m][1] is [C][m] */
    else set_kernel(o, node, &g, &k, filters, each, true);
    if (k.bias) set_weight(o, node, "bias", 1, &filters, k.bias->reals);
    return set_view(o, n, 0, map_view(o, x, node, &g, filters));
}

/* What of all that the kernels reach is cut off, before and behind; below 0: added. False after an error. */
static bool find_cuts(Onnx *o, const OnnxNode *n, Geometry *g, int64_t *before, int64_t *after) {
    int64_t more[2] = {0}, pads[4] = {0};
    int count;
    bool upper, lower;
    const int64_t *shape = attribute_ints(n, "output_shape", &count);
    if (!read_axes(o, n, "output_padding", g->n, 0, more) || !read_pads(o, n, g->n, pads, &upper, &lower)) return false;
    if (shape && count != g->n) return refuse(o, n, "its output_shape has %d numbers, not %d", count, g->n);
    for (int i = 0; shape && i < g->n; i++)
        if (shape[i] < 1 || shape[i] > MOST_SIZE) return refuse(o, n, "its output has a size of %lld", (long long)shape[i]);
    for (int i = 0; i < g->n; i++) {
        Axis *a = &g->axis[i];
        int64_t whole = (a->size - 1) * a->stride + reach(a), got = a->stride > reach(a) ? (a->size - 1) * a->stride + a->stride : whole;
        int64_t total = whole + more[i] - (shape ? shape[i] : a->size * a->stride);
        a->out = whole + more[i] - pads[i] - pads[g->n + i];
        before[i] = pads[i];
        if (shape || upper || lower) {
            a->out = shape ? shape[i] : a->size * a->stride;
            if (total < 0) return refuse(o, n, "its output is larger than what its kernels reach");
            before[i] = upper ? total / 2 : total - total / 2;
        }
        if (a->out < 1 || a->out > MOST_SIZE) return refuse(o, n, "its output has a size of %lld", (long long)a->out);
        after[i] = got - before[i] - a->out;
    }
    return true;
}

bool convert_conv_transpose(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    Taps k;
    Geometry g;
    int64_t before[2] = {0}, after[2] = {0}, more[2] = {0}, less[2] = {0}, none[2] = {0};
    if (!find_kernel(o, n, x, &k) || !find_geometry(o, n, x, k.sizes, &g) || !find_cuts(o, n, &g, before, after)) return false;
    int64_t channels = view_dim(x, 1), filters = k.weights->dims[1];
    if (k.groups > 1) return refuse(o, n, "has groups");
    if (k.weights->dims[0] != channels || (k.bias && (int64_t)k.bias->count != filters)) return refuse(o, n, "its kernel does not fit its %lld channels", (long long)channels);
    if (!all_are(&g, 1, true) && !all_are(&g, 1, false)) return refuse(o, n, "has strides and dilations at once");
    for (int i = 0; i < g.n; i++) more[i] = after[i] < 0 ? -after[i] : 0, less[i] = after[i] > 0 ? after[i] : 0;
    bool bias_later = k.bias && (more[0] || more[1]); /* what no kernel reaches has it, too */
    const Numbers *bias = k.bias;
    if (bias_later) k.bias = NULL;
    int node = as_map(o, n, x, &g);
    node = node < 0 ? -1 : emit_one(o, n, arena_printf(o->arena, "conv%dd_transpose", g.n), node);
    if (node < 0) return false;
    add_setting(o->model, node, NULL, "%lld", (long long)filters);
    add_setting(o->model, node, NULL, "%s", EACH(o, &g, kernel));
    if (!all_are(&g, 1, true)) add_setting(o->model, node, "strides", "%s", EACH(o, &g, stride));
    if (!all_are(&g, 1, false)) add_setting(o->model, node, "dilation_rate", "%s", EACH(o, &g, dilation));
    set_kernel(o, node, &g, &k, channels, filters, true);
    if (k.bias) set_weight(o, node, "bias", 1, &filters, k.bias->reals);
    node = sided(o, "cropping", sided(o, "zero_padding", node, g.n, none, more), g.n, before, less);
    View *y = map_view(o, x, node, &g, filters);
    return set_view(o, n, 0, bias_later ? affine(o, NULL, y, NULL, bias->reals, filters) : y);
}

/* ---- poolings ------------------------------------------------------------------------------------------------------------------------- */

/* How many of a window's elements are not padding, of all. */
static float share(const Axis *a, int64_t i) {
    int64_t first = i * a->stride - a->before, last = first + a->kernel;
    if (first < 0) first = 0;
    if (last > a->size) last = a->size;
    return (float)a->kernel / (float)(last - first);
}

/* Means in which zeros of the padding were counted, so that they are not. */
static View *without_padding(Onnx *o, const View *y, const Geometry *g) {
    int64_t channels = y->shape[y->axes - 1], columns = g->n > 1 ? g->axis[1].out : 1;
    if (!afford(o, g->axis[0].out * columns * channels)) return NULL;
    float *factors = NEW_ARRAY(o->arena, float, g->axis[0].out * columns * channels);
    for (int64_t i = 0; i < g->axis[0].out * columns * channels; i++) {
        int64_t row = i / channels / columns, column = i / channels % columns;
        factors[i] = share(&g->axis[0], row) * (g->n > 1 ? share(&g->axis[1], column) : 1);
    }
    return affine(o, NULL, y, factors, NULL, g->axis[0].out * columns * channels);
}

/* The largest of a window is no other when rows of the border are repeated instead of padded: they are in it already. */
static const View *repeated_border(Onnx *o, const OnnxNode *n, const View *x, const Geometry *g) {
    for (int i = 0; i < g->n && x; i++) x = with_padding(o, n, x, i + 2, g->axis[i].before, g->axis[i].after, "edge", 0);
    return x;
}

bool convert_pool(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    bool max = !strcmp(n->type, "MaxPool"), ceil_mode = attribute_int(n, "ceil_mode", 0), counted = attribute_int(n, "count_include_pad", 0);
    int given;
    Geometry g;
    const int64_t *kernel = attribute_ints(n, "kernel_shape", &given);
    if (x->rank < 3 || x->rank > 4) return refuse(o, n, "is not one- or two-dimensional");
    if (!kernel || given != x->rank - 2) return refuse(o, n, "has no kernel_shape, or a wrong one");
    if (!output_unused(o, n, 1)) return refuse(o, n, "gives the places of the largest, too");
    if (!find_geometry(o, n, x, kernel, &g)) return false;
    if (!all_are(&g, 1, false)) return refuse(o, n, "has dilations");
    if (!find_padding(o, n, &g) || !find_outputs(o, n, &g, ceil_mode)) return false;
    for (int i = 0; i < g.n; i++)
        if (g.axis[i].before >= kernel[i] || g.axis[i].after >= kernel[i]) return refuse(o, n, "has windows of padding only");
    if (!max && counted && ceil_mode) return refuse(o, n, "has ceil_mode and count_include_pad at once, of which there are several meanings");
    bool same = g.same && (max || !counted), pad = false;
    for (int i = 0; i < g.n; i++) pad = pad || (!same && (g.axis[i].before || g.axis[i].after));
    bool repeat = pad && max && !x->positive;
    const View *from = repeat ? repeated_border(o, n, x, &g) : x;
    int node = from ? as_map(o, n, from, &g) : -1;
    if (pad && !repeat) node = zero_padded(o, node, &g);
    node = node < 0 ? -1 : emit_one(o, n, arena_printf(o->arena, max ? "max_pooling%dd" : "average_pooling%dd", g.n), node);
    if (node < 0) return false;
    add_setting(o->model, node, NULL, "%s", EACH(o, &g, kernel));
    if (strcmp(EACH(o, &g, kernel), EACH(o, &g, stride))) add_setting(o->model, node, "strides", "%s", EACH(o, &g, stride));
    if (same) add_setting(o->model, node, "padding", "same");
    View *y = map_view(o, x, node, &g, view_dim(x, 1));
    if (y && pad && !max && !counted) y = without_padding(o, y, &g);
    if (y) y->positive = x->positive;
    return set_view(o, n, 0, y);
}

bool convert_global_pool(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    unsigned dims = 0;
    if (x->rank < 3) return refuse(o, n, "needs an input with at least three axes");
    for (int d = 2; d < x->rank; d++) dims |= 1u << d;
    return set_view(o, n, 0, reduced(o, n, x, dims, strstr(n->type, "Max") ? "global_max_pooling" : "global_average_pooling", true));
}
