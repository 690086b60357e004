/* onnx_resize.c: other sizes of dimensions, each a linear map by itself: how much each element is of each new one. Where that is what
 * up_sampling2d does, it is used; all else is a matrix. */
#include "onnx.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_LENGTH = 1 << 12 };

typedef struct Resize { const char *mode, *coordinates, *nearest; double cubic; bool exclude_outside; } Resize;

/* Where element i of the new ones lies among the old; in floats, as everybody has it, since the nearest one depends on their rounding. */
static float origin(const Resize *r, float i, float scale, float from, float to) {
    if (!strcmp(r->coordinates, "align_corners")) return to > 1 ? i * (from - 1) / (to - 1) : 0;
    if (!strcmp(r->coordinates, "asymmetric")) return i / scale;
    if (!strcmp(r->coordinates, "pytorch_half_pixel")) return to > 1 ? (i + 0.5f) / scale - 0.5f : 0;
    if (!strcmp(r->coordinates, "tf_half_pixel_for_nn")) return (i + 0.5f) / scale;
    return (i + 0.5f) / scale - 0.5f;
}

/* Before there was a nearest_mode, fewer elements were those above. */
static double nearest_to(const Resize *r, double x, float scale) {
    if (!strcmp(r->nearest, "floor") || (!*r->nearest && scale >= 1)) return floor(x);
    if (!strcmp(r->nearest, "ceil") || !*r->nearest) return ceil(x);
    if (!strcmp(r->nearest, "round_prefer_ceil")) return floor(x + 0.5);
    return ceil(x - 0.5);
}

/* So near to the middle of two elements that some round it as if it were there, others not. */
static bool is_doubtful(const Resize *r, double x) {
    double off = fabs(x - floor(x) - 0.5);
    return !strncmp(r->nearest, "round", 5) && off > 0 && off < fmax(1e-5, 4 * (double)FLT_EPSILON * fabs(x));
}

/* Keys's kernel, at a distance. */
static double cubic(double a, double x) {
    x = fabs(x);
    return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* Column i of the matrix, that lies at x. */
static void share(const Resize *r, double x, float scale, int64_t from, int64_t to, int64_t i, float *matrix) {
    double first = floor(x), shares[4], sum = 0;
    int count = *r->mode == 'n' ? 1 : *r->mode == 'l' ? 2 : 4, start = count == 4 ? -1 : 0;
    if (count == 1) first = nearest_to(r, x, scale);
    for (int k = 0; k < count; k++) {
        double at = first + start + k;
        shares[k] = count == 1 ? 1 : count == 2 ? fmax(0, 1 - fabs(x - at)) : cubic(r->cubic, x - at);
        if (count > 1 && r->exclude_outside && (at < 0 || at >= (double)from)) shares[k] = 0;
        sum += shares[k];
    }
    for (int k = 0; k < count; k++) {
        double at = fmin(fmax(first + start + k, 0), (double)from - 1);
        float *to_it = &matrix[(int64_t)at * to + i];
        *to_it = (float)((double)*to_it + (r->exclude_outside ? shares[k] / sum : shares[k]));
    }
}

/* NULL after an error. */
static float *matrix_of(Onnx *o, const Resize *r, int64_t from, int64_t to, float scale) {
    if (!afford(o, from * to)) return NULL;
    float *matrix = NEW_ARRAY(o->arena, float, from * to);
    for (int64_t i = 0; i < to; i++) {
        double x = (double)origin(r, (float)i, scale, (float)from, (float)to);
        if (*r->mode == 'n' && is_doubtful(r, x)) return refuse(o, NULL, "its element %lld lies in the middle of two, but for rounding, of which there are several meanings", (long long)i), NULL;
        share(r, x, scale, from, to, i, matrix);
    }
    return matrix;
}

/* What up_sampling2d does, as a matrix, is the same. */
static bool is_up_sampling(Onnx *o, const float *matrix, int64_t from, int64_t to, bool bilinear) {
    Resize keras = {bilinear ? "linear" : "nearest", bilinear ? "half_pixel" : "asymmetric", "floor", 0, false};
    if (to % from) return false;
    const float *other = matrix_of(o, &keras, from, to, (float)(to / from));
    for (int64_t i = 0; other && i < from * to; i++)
        if (fabs((double)matrix[i] - (double)other[i]) > 1e-6) return false;
    return other;
}

/* One dimension's, whose size is what it was, by the scale or the size that is given. False after an error. */
static bool find_size(Onnx *o, const OnnxNode *n, double value, bool by_size, float *scale, int64_t *size) {
    if (*size == FREE || !(value > 0) || value > MOST_LENGTH) return refuse(o, n, "has a scale or size of %g, or resizes the batch", value);
    *scale = by_size ? (float)value / (float)*size : (float)value;
    int64_t exact = (int64_t)((double)*size * value), rounded = (int64_t)((float)*size * *scale);
    if (!by_size && exact != rounded) return refuse(o, n, "its scale of %g gives %lld elements or %lld, as one rounds", value, (long long)exact, (long long)rounded);
    *size = by_size ? (int64_t)value : exact;
    return *size > 0 || refuse(o, n, "leaves nothing");
}

/* Its scales or sizes, for each dimension. False after an error. */
static bool find_sizes(Onnx *o, const OnnxNode *n, const View *x, float *scales, int64_t *sizes) {
    bool old = !strcmp(n->type, "Upsample") || o->opset < 11;
    int count = 0, listed;
    const float *given = attribute_reals(n, "scales", &count);
    const Numbers *c = constant_input(o, n, old ? 1 : 2), *size = old ? NULL : constant_input(o, n, 3);
    const int64_t *axes = attribute_ints(n, "axes", &listed);
    bool by_size = size && size->count;
    const Numbers *list = by_size ? size : c;
    if (given && axes) return refuse(o, n, "has scales of all axes, and axes");
    if (given ? count != x->rank : !list || !list->reals != by_size) return refuse(o, n, "its scales or sizes are not constant");
    int64_t expected = axes ? listed : x->rank;
    if (!given && ((int64_t)list->count != expected || expected > x->rank)) return refuse(o, n, "has not a scale or size for each axis");
    const char *policy = attribute_text(n, "keep_aspect_ratio_policy", "stretch");
    if (strcmp(policy, "stretch")) return refuse(o, n, "has the policy '%s'", shown(o->model, policy));
    for (int d = 0; d < x->rank; d++) scales[d] = 1, sizes[d] = view_dim(x, d);
    for (int i = 0; i < expected; i++) {
        int d = axes ? normal_axis(axes[i], x->rank) : i;
        if (d < 0) return refuse(o, n, "has no axis %lld", (long long)axes[i]);
        double value = given ? (double)given[i] : constant_at(list, (size_t)i);
        if (sizes[d] == FREE && (by_size ? list->integers[i] == FREE : value == 1)) continue;
        if (!find_size(o, n, value, by_size, &scales[d], &sizes[d])) return false;
    }
    return true;
}

static bool find_mode(Onnx *o, const OnnxNode *n, Resize *r) {
    bool old = !strcmp(n->type, "Upsample") || o->opset < 11;
    static const char *const modes[] = {"nearest", "linear", "cubic"}, *const ways[] = {"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "tf_half_pixel_for_nn"};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    *r = (Resize){attribute_text(n, "mode", "nearest"), attribute_text(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
                  old ? "" : attribute_text(n, "nearest_mode", "round_prefer_floor"), attribute_real(n, "cubic_coeff_a", -0.75), attribute_int(n, "exclude_outside", 0)};
    const struct { const char *word; const char *const *list; int count; } checks[] = {{r->mode, modes, 3}, {r->coordinates, ways, 5}, {r->nearest, roundings, 4}};
    for (int i = 0; i < LENGTH(checks) - old; i++) {
        int k = 0;
        while (k < checks[i].count && strcmp(checks[i].word, checks[i].list[k])) k++;
        if (k == checks[i].count) return refuse(o, n, "'%s' is not converted", shown(o->model, checks[i].word));
    }
    return !attribute_int(n, "antialias", 0) || refuse(o, n, "is antialiased");
}

/* Rows and columns of a map at once; NULL: it is not what cnnc does. */
static View *up_sampled(Onnx *o, const OnnxNode *n, const View *x, float *const *matrices, const int64_t *sizes, bool bilinear) {
    int64_t rows = view_dim(x, 2), columns = view_dim(x, 3), dims[] = {1, sizes[1], sizes[2], sizes[3]};
    if (matrices[1] || !is_up_sampling(o, matrices[2], rows, sizes[2], bilinear) || !is_up_sampling(o, matrices[3], columns, sizes[3], bilinear)) return NULL;
    static const int order[] = {2, 3, 1};
    int node = arranged(o, n, x, order, 3), batch = batch_dim(x);
    node = node < 0 ? -1 : emit_one(o, n, "up_sampling2d", node);
    if (node < 0) return NULL;
    add_setting(o->model, node, NULL, "%lldx%lld", (long long)(sizes[2] / rows), (long long)(sizes[3] / columns));
    if (bilinear) add_setting(o->model, node, "interpolation", "bilinear");
    return new_view(o, node, 4, dims, batch, batch_size(x), order, 3);
}

/* What it does along each dimension; NULL where nothing happens. False after an error. */
static bool find_matrices(Onnx *o, const OnnxNode *n, const View *x, const Resize *r, const float *scales, const int64_t *sizes, float **matrices) {
    for (int d = 0; d < x->rank; d++) {
        int64_t from = view_dim(x, d);
        bool two = x->rank == 4 && d > 1; /* of a map both */
        if (from == FREE || (sizes[d] == from && scales[d] == 1 && !two)) continue;
        if (from > MOST_LENGTH || sizes[d] > MOST_LENGTH) return refuse(o, n, "resizes %lld elements", (long long)from);
        if (!strcmp(r->coordinates, "align_corners") && fabs((double)from * (double)scales[d] - (double)sizes[d]) > 1e-4)
            return refuse(o, n, "aligns corners by a scale that gives no whole size, of which there are several meanings");
        matrices[d] = matrix_of(o, r, from, sizes[d], scales[d]);
        if (!matrices[d]) return false;
    }
    return true;
}

bool convert_resize(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    Resize r;
    float scales[ONNX_RANK] = {0};
    int64_t sizes[ONNX_RANK] = {0};
    float *matrices[ONNX_RANK] = {0};
    bool same = true, scaled_by_1 = true;
    if (!find_mode(o, n, &r) || !find_sizes(o, n, x, scales, sizes)) return false;
    for (int d = 0; d < x->rank; d++) same = same && sizes[d] == view_dim(x, d), scaled_by_1 = scaled_by_1 && scales[d] == 1;
    if (same && !scaled_by_1) return refuse(o, n, "its scales leave all sizes as they are, of which there are several meanings");
    if (!find_matrices(o, n, x, &r, scales, sizes, matrices)) return false;
    View *y = NULL;
    if (x->rank == 4 && (batch_dim(x) == 0 || (view_dim(x, 0) == 1 && x->batch < 0))) {
        int errors = o->model->errors;
        y = up_sampled(o, n, x, matrices, sizes, false);
        if (!y && o->model->errors == errors) y = up_sampled(o, n, x, matrices, sizes, true);
    }
    if (y) return set_view(o, n, 0, y);
    for (int d = 0; d < x->rank && x; d++)
        if (matrices[d] && !(sizes[d] == view_dim(x, d) && scales[d] == 1)) {
            x = along(o, n, x, d, sizes[d], matrices[d]);
            if (!x) return false;
        }
    return set_view(o, n, 0, view_like(o, x, x->node));
}
