/* onnx_fold.c: what depends on constants only. Shapes are computed so by all exporters; a batch that is free is an integer, FREE, that may be
 * moved about but not computed with. */
#include "onnx.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 1 << 26 }; /* elements that are computed */

int normal_axis(int64_t axis, int rank) { return axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : -1; }

static Numbers *input(const Onnx *o, const OnnxNode *n, int i) { return constant_input(o, n, i); }

static bool set(Onnx *o, const OnnxNode *n, Numbers *c) {
    if (!c) return refuse(o, n, "makes a constant that is too large");
    if (n->outputs[0] >= 0) o->values[n->outputs[0]].constant = c;
    return true;
}

static Numbers *copy(Onnx *o, const Numbers *c, int rank, const int64_t *dims) {
    Numbers *y = NEW(o->arena, Numbers);
    *y = *c;
    y->rank = rank;
    for (int i = 0; i < rank; i++) y->dims[i] = dims[i];
    return y;
}

static Numbers *made(Onnx *o, const OnnxNode *n, ElementType type, int rank, const int64_t *dims) {
    size_t count;
    if (rank > ONNX_RANK || !element_count(rank, dims, &count) || count > LARGEST) return refuse(o, n, "makes a constant that is too large"), NULL;
    return afford(o, 2 * (int64_t)count) ? new_constant(o, type, rank, dims) : NULL;
}

static void move(Numbers *y, size_t to, const Numbers *x, size_t from) {
    if (x->reals) y->reals[to] = x->reals[from];
    else y->integers[to] = x->integers[from];
}

const int64_t *integers_of(Onnx *o, const OnnxNode *n, int i, const char *attribute, int *count) {
    const int64_t *list = attribute_ints(n, attribute, count);
    if (!has_input(n, i)) {
        static const int64_t none[1];
        if (!list && !*count) *count = has_attribute(n, attribute) ? 0 : -1;
        return list ? list : none;
    }
    const Numbers *c = input(o, n, i);
    if (!c || !c->integers || c->rank > 1) return refuse(o, n, "its %s must be constant integers", attribute), NULL;
    for (size_t k = 0; k < c->count; k++)
        if (c->integers[k] == FREE && strcmp(attribute, "shape")) return refuse(o, n, "its %s depend on the size of the batch", attribute), NULL;
    *count = (int)c->count;
    return c->integers;
}

/* ---- one number from another ------------------------------------------------------------------------------------------------ */

typedef double Unary(double);
typedef double Binary(double, double);
static double negative(double x) { return -x; }
static double reciprocal(double x) { return 1 / x; }
static double logistic(double x) { return 1 / (1 + exp(-x)); }
static double inverted(double x) { return x == 0; }
static double ramp(double x) { return x < 0 ? 0 : x; }
static const struct { const char *type; Unary *real; } unaries[] = {
    {"Neg", negative}, {"Abs", fabs}, {"Sqrt", sqrt}, {"Exp", exp}, {"Log", log}, {"Floor", floor}, {"Ceil", ceil}, {"Reciprocal", reciprocal}, {"Not", inverted},
    {"Sigmoid", logistic}, {"Tanh", tanh}, {"Erf", erf}, {"Relu", ramp}, {"Round", nearbyint}, {"Sin", sin}, {"Cos", cos},
};

static double plus(double a, double b) { return a + b; }
static double minus(double a, double b) { return a - b; }
static double times(double a, double b) { return a * b; }
static double divided(double a, double b) { return a / b; }
static double equal(double a, double b) { return a == b; }
static double less(double a, double b) { return a < b; }
static double greater(double a, double b) { return a > b; }
static double both(double a, double b) { return a != 0 && b != 0; }
static double either(double a, double b) { return a != 0 || b != 0; }
static double larger(double a, double b) { return a > b ? a : b; }
static double smaller(double a, double b) { return a < b ? a : b; }
/* Of b's sign; a Mod with fmod=1 has a's. */
static double rest(double a, double b) {
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static const struct { const char *type; Binary *f; bool truth; } binaries[] = {
    {"Add", plus, false}, {"Sub", minus, false}, {"Mul", times, false}, {"Div", divided, false}, {"Pow", pow, false}, {"Max", larger, false}, {"Min", smaller, false},
    {"Mod", rest, false}, {"Equal", equal, true}, {"Less", less, true}, {"Greater", greater, true}, {"And", both, true}, {"Or", either, true},
};

/* What its integers can be; 64 bits only as far as doubles hold them. */
static const struct { ElementType type; double least, most; } ranges[] = {
    {ONNX_U8, 0, UINT8_MAX}, {ONNX_I8, INT8_MIN, INT8_MAX}, {ONNX_U16, 0, UINT16_MAX}, {ONNX_I16, INT16_MIN, INT16_MAX}, {ONNX_I32, INT32_MIN, INT32_MAX},
    {ONNX_I64, -9e15, 9e15}, {ONNX_BOOL, 0, 1}, {ONNX_U32, 0, UINT32_MAX}, {ONNX_U64, 0, 9e15},
};

/* Element i of a result; false after an error. */
static bool put(Onnx *o, const OnnxNode *n, Numbers *y, size_t i, double value) {
    if (y->reals) return y->reals[i] = (float)value, true;
    int k = 0;
    while (k < LENGTH(ranges) && ranges[k].type != y->type) k++;
    if (k == LENGTH(ranges) || !(value >= ranges[k].least && value <= ranges[k].most)) return refuse(o, n, "its result, %g, is no integer of its type", value);
    return y->integers[i] = (int64_t)value, true;
}

static bool fold_unary(Onnx *o, const OnnxNode *n, Unary *f) {
    const Numbers *x = input(o, n, 0);
    Numbers *y = made(o, n, x->type, x->rank, x->dims);
    for (size_t i = 0; y && i < x->count; i++) {
        if (x->integers && x->integers[i] == FREE) return refuse(o, n, "computes with the size of the batch, which is free");
        if (!put(o, n, y, i, f(constant_at(x, i)))) return false;
    }
    return y && set(o, n, y);
}

/* The shape that both have with axes of 1 repeated; false: they do not fit. */
static bool broadcast(const Numbers *a, const Numbers *b, int *rank, int64_t *dims) {
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank; i++) {
        int ia = i - (*rank - a->rank), ib = i - (*rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        if (da != db && da != 1 && db != 1) return false;
        dims[i] = da == 1 ? db : da;
    }
    return true;
}

/* Where element i of a shape is in a constant that is repeated to it. */
static size_t repeated_index(const Numbers *c, size_t i, int rank, const int64_t *dims) {
    size_t at = 0, stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
        size_t k = i % (size_t)dims[d];
        i /= (size_t)dims[d];
        int own = d - (rank - c->rank);
        if (own < 0) continue;
        if (c->dims[own] != 1) at += k * stride;
        stride *= (size_t)c->dims[own];
    }
    return at;
}

/* Exact as long as doubles hold the integers. */
static bool exact(const Numbers *c) {
    for (size_t i = 0; c->integers && i < c->count; i++)
        if (c->integers[i] > INT64_C(1) << 53 || c->integers[i] < -(INT64_C(1) << 53)) return false;
    return true;
}

static bool fold_binary(Onnx *o, const OnnxNode *n, Binary *f, bool truth) {
    const Numbers *a = input(o, n, 0), *b = n->input_count > 1 ? input(o, n, 1) : a;
    int rank;
    int64_t dims[ONNX_RANK];
    if (n->input_count > 2) return refuse(o, n, "of more than two constants is not computed");
    if (!a || !b || !broadcast(a, b, &rank, dims)) return refuse(o, n, "its constants do not fit each other");
    if (!exact(a) || !exact(b)) return refuse(o, n, "computes with the size of the batch, which is free, or with very large integers");
    if (!a->reals != !b->reals) return refuse(o, n, "computes with integers and fractions at once");
    if (f == rest && attribute_int(n, "fmod", 0)) f = fmod;
    else if (f == rest && a->reals) return refuse(o, n, "has fractions, but not fmod=1");
    Numbers *y = made(o, n, truth ? ONNX_BOOL : a->type, rank, dims);
    for (size_t i = 0; y && i < y->count; i++) {
        double value = f(constant_at(a, repeated_index(a, i, rank, dims)), constant_at(b, repeated_index(b, i, rank, dims)));
        if (!put(o, n, y, i, value)) return false;
    }
    return y && set(o, n, y);
}

/* ---- elements elsewhere ------------------------------------------------------------------------------------------------------ */

static bool fold_where(Onnx *o, const OnnxNode *n) {
    const Numbers *which = input(o, n, 0), *a = input(o, n, 1), *b = input(o, n, 2);
    if (!which || !a || !b || which->reals || a->rank != b->rank || which->rank != a->rank || memcmp(a->dims, b->dims, sizeof *a->dims * (size_t)a->rank) ||
        memcmp(a->dims, which->dims, sizeof *a->dims * (size_t)a->rank) || !a->reals != !b->reals)
        return refuse(o, n, "of constants of different shapes is not computed");
    Numbers *y = made(o, n, a->type, a->rank, a->dims);
    for (size_t i = 0; y && i < y->count; i++) move(y, i, which->integers[i] ? a : b, i);
    return y && set(o, n, y);
}

/* Of an axis only the given places. */
static Numbers *pick(Onnx *o, const OnnxNode *n, const Numbers *x, int axis, const int64_t *places, size_t count) {
    int64_t dims[ONNX_RANK];
    size_t outer = 1, inner = 1, size = (size_t)x->dims[axis];
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d], *(d < axis ? &outer : d > axis ? &inner : &size) *= d == axis ? 1 : (size_t)x->dims[d];
    dims[axis] = (int64_t)count;
    Numbers *y = made(o, n, x->type, x->rank, dims);
    for (size_t a = 0; y && a < outer; a++)
        for (size_t k = 0; k < count; k++)
            for (size_t b = 0; b < inner; b++) move(y, (a * count + k) * inner + b, x, (a * size + (size_t)places[k]) * inner + b);
    return y;
}

static bool fold_gather(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0), *which = input(o, n, 1);
    int axis = x ? normal_axis(attribute_int(n, "axis", 0), x->rank) : -1, rank = 0;
    int64_t dims[2 * ONNX_RANK];
    if (axis < 0 || !which || which->reals) return refuse(o, n, "has no such axis, or no integers");
    int64_t *places = NEW_ARRAY(o->arena, int64_t, which->count + 1);
    for (size_t i = 0; i < which->count; i++) {
        places[i] = which->integers[i] < 0 ? which->integers[i] + x->dims[axis] : which->integers[i];
        if (which->integers[i] < -x->dims[axis] || places[i] >= x->dims[axis]) return refuse(o, n, "takes what is not there");
    }
    for (int d = 0; d < axis; d++) dims[rank++] = x->dims[d];
    for (int d = 0; d < which->rank; d++) dims[rank++] = which->dims[d];
    for (int d = axis + 1; d < x->rank; d++) dims[rank++] = x->dims[d];
    if (rank > ONNX_RANK) return refuse(o, n, "would have more than %d dimensions", ONNX_RANK);
    Numbers *y = pick(o, n, x, axis, places, which->count);
    return y && set(o, n, copy(o, y, rank, dims));
}

bool clamp_cut(Cut *c, int64_t size, int64_t *count) {
    int64_t least = c->step < 0 ? -1 : 0, most = c->step < 0 ? size - 1 : size;
    int64_t *ends[] = {&c->start, &c->end};
    if (!c->step || c->step == INT64_MIN) return false;
    for (int i = 0; i < 2; i++) {
        if (*ends[i] < 0) *ends[i] = *ends[i] < -size ? least : *ends[i] + size;
        if (*ends[i] < least) *ends[i] = least;
        if (*ends[i] > most) *ends[i] = most;
    }
    int64_t way = c->step > 0 ? c->end - c->start : c->start - c->end, step = c->step > 0 ? c->step : -c->step;
    *count = way > 0 ? (way - 1) / step + 1 : 0;
    return true;
}

int slice_cuts(Onnx *o, const OnnxNode *n, int rank, Cut *cuts) {
    int starts, ends, axes, steps;
    const int64_t *start = integers_of(o, n, 1, "starts", &starts), *end = start ? integers_of(o, n, 2, "ends", &ends) : NULL;
    const int64_t *axis = end ? integers_of(o, n, 3, "axes", &axes) : NULL, *step = axis ? integers_of(o, n, 4, "steps", &steps) : NULL;
    if (!step) return -1;
    unsigned seen = 0;
    if (starts < 0 || starts != ends || (axes >= 0 && axes != starts) || (steps >= 0 && steps != starts) || starts > rank)
        return refuse(o, n, "its starts, ends, axes and steps differ in number"), -1;
    for (int i = 0; i < starts; i++) {
        cuts[i] = (Cut){axes < 0 ? i : normal_axis(axis[i], rank), start[i], end[i], steps < 0 ? 1 : step[i]};
        if (cuts[i].axis < 0 || seen >> cuts[i].axis & 1 || !cuts[i].step) return refuse(o, n, "has an axis twice, or one that is not there, or a step of 0"), -1;
        seen |= 1u << cuts[i].axis;
    }
    return starts;
}

static bool fold_slice(Onnx *o, const OnnxNode *n) {
    Numbers *x = input(o, n, 0);
    Cut cuts[ONNX_RANK];
    int count = slice_cuts(o, n, x->rank, cuts);
    if (count < 0) return false;
    for (int i = 0; i < count && x; i++) {
        int64_t length;
        if (!clamp_cut(&cuts[i], x->dims[cuts[i].axis], &length)) return refuse(o, n, "has a wrong step");
        if (!afford(o, 2 * length)) return false;
        int64_t *places = NEW_ARRAY(o->arena, int64_t, length + 1);
        for (int64_t k = 0; k < length; k++) places[k] = cuts[i].start + k * cuts[i].step;
        x = pick(o, n, x, cuts[i].axis, places, (size_t)length);
    }
    return x && set(o, n, x);
}

static bool fold_concat(Onnx *o, const OnnxNode *n) {
    const Numbers *first = input(o, n, 0);
    int axis = normal_axis(attribute_int(n, "axis", 0), first ? first->rank : 0);
    if (axis < 0) return refuse(o, n, "has no such axis");
    int64_t dims[ONNX_RANK] = {0}, size = 0, before = 0;
    size_t outer = 1, inner = 1;
    for (int d = 0; d < first->rank; d++) dims[d] = first->dims[d], *(d < axis ? &outer : &inner) *= d == axis ? 1 : (size_t)first->dims[d];
    for (int i = 0; i < n->input_count; i++) {
        const Numbers *x = input(o, n, i);
        bool same = x && x->rank == first->rank && !x->reals == !first->reals;
        for (int d = 0; same && d < x->rank; d++) same = d == axis || x->dims[d] == dims[d];
        if (!same) return refuse(o, n, "its constants do not fit each other");
        size += x->dims[axis];
    }
    dims[axis] = size;
    Numbers *y = made(o, n, first->type, first->rank, dims);
    for (int i = 0; y && i < n->input_count; i++)
        if (input(o, n, i)->free != first->free || first->free == axis + 1) return refuse(o, n, "depends on the size of the batch, which is free");
    if (y) y->free = first->free;
    for (int i = 0; y && i < n->input_count; before += input(o, n, i)->dims[axis], i++) {
        const Numbers *x = input(o, n, i);
        size_t length = (size_t)x->dims[axis] * inner;
        for (size_t a = 0; a < outer; a++)
            for (size_t b = 0; b < length; b++) move(y, (a * (size_t)size + (size_t)before) * inner + b, x, a * length + b);
    }
    return y && set(o, n, y);
}

static bool fold_transpose(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int count, perm[ONNX_RANK];
    const int64_t *given = attribute_ints(n, "perm", &count);
    int64_t dims[ONNX_RANK];
    unsigned seen = 0;
    if (given && count != x->rank) return refuse(o, n, "its perm has not as many axes as its input");
    for (int i = 0; i < x->rank; i++) {
        perm[i] = given ? normal_axis(given[i], x->rank) : x->rank - 1 - i;
        if (perm[i] < 0 || seen >> perm[i] & 1) return refuse(o, n, "its perm is no order of axes");
        seen |= 1u << perm[i], dims[i] = x->dims[perm[i]];
    }
    Numbers *y = made(o, n, x->type, x->rank, dims);
    for (size_t i = 0; y && i < y->count; i++) {
        size_t at[ONNX_RANK] = {0}, from = 0, left = i;
        for (int d = x->rank - 1; d >= 0; d--) at[perm[d]] = left % (size_t)dims[d], left /= (size_t)dims[d];
        for (int d = 0; d < x->rank; d++) from = from * (size_t)x->dims[d] + at[d];
        move(y, i, x, from);
    }
    return y && set(o, n, y);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------------- */

/* Of a constant, or of what is computed. */
static int shape_of_input(const Onnx *o, const OnnxNode *n, int64_t *dims) {
    const Numbers *c = input(o, n, 0);
    const View *v = view_input(o, n, 0);
    int rank = c ? c->rank : v->rank;
    for (int d = 0; d < rank; d++) dims[d] = c ? c->dims[d] : view_dim(v, d);
    return rank;
}

static bool fold_shape(Onnx *o, const OnnxNode *n) {
    int64_t dims[ONNX_RANK], start = attribute_int(n, "start", 0), end = attribute_int(n, "end", INT64_MAX);
    int rank = shape_of_input(o, n, dims);
    Cut c = {0, start, end, 1};
    int64_t count = 0;
    clamp_cut(&c, rank, &count);
    const View *v = view_input(o, n, 0);
    for (int d = 0; v && d < rank; d++)
        if (dims[d] == FREE && !is_batch(v, d)) return refuse(o, n, "dimension %d is the batch times another number", d);
    Numbers *y = new_constant(o, ONNX_I64, 1, &count);
    memcpy(y->integers, dims + c.start, sizeof *dims * (size_t)count);
    return set(o, n, y);
}

static bool fold_size(Onnx *o, const OnnxNode *n) {
    int64_t dims[ONNX_RANK];
    int rank = shape_of_input(o, n, dims);
    Numbers *y = new_constant(o, ONNX_I64, 0, NULL);
    *y->integers = 1;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == FREE) return refuse(o, n, "depends on the size of the batch, which is free");
        *y->integers *= dims[d];
    }
    return set(o, n, y);
}

static bool fold_reshape(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int count, left = -1;
    const int64_t *shape = integers_of(o, n, 1, "shape", &count);
    int64_t dims[ONNX_RANK], known = 1;
    if (!shape) return false;
    if (count < 0 || count > ONNX_RANK) return refuse(o, n, "has no shape, or one of more than %d dimensions", ONNX_RANK);
    for (int i = 0; i < count; i++) {
        dims[i] = shape[i] == 0 && !attribute_int(n, "allowzero", 0) && i < x->rank ? x->dims[i] : shape[i];
        if (dims[i] == -1 && left < 0) left = i;
        else if (dims[i] < 0 || dims[i] > INT32_MAX || (known *= dims[i]) > INT32_MAX) return refuse(o, n, "its shape is wrong");
    }
    if (left >= 0) dims[left] = known ? (int64_t)x->count / known : 0, known *= dims[left];
    if (known != (int64_t)x->count) return refuse(o, n, "its shape has other than %zu elements", x->count);
    return set(o, n, copy(o, x, count, dims));
}

static bool fold_flatten(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int64_t axis = attribute_int(n, "axis", 1), dims[2] = {1, 1};
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank) return refuse(o, n, "has no such axis");
    for (int d = 0; d < x->rank; d++) dims[d >= axis] *= x->dims[d];
    return set(o, n, copy(o, x, 2, dims));
}

static bool fold_squeeze(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int count, rank = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[ONNX_RANK];
    unsigned gone = 0;
    for (int i = 0; axes && i < count; i++) {
        int axis = normal_axis(axes[i], x->rank);
        if (axis < 0 || x->dims[axis] != 1) return refuse(o, n, "has an axis that is not 1");
        gone |= 1u << axis;
    }
    for (int d = 0; d < x->rank; d++)
        if (count < 0 ? x->dims[d] != 1 : !(gone >> d & 1)) dims[rank++] = x->dims[d];
    return axes && set(o, n, copy(o, x, rank, dims));
}

static bool fold_unsqueeze(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int count, from = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[ONNX_RANK] = {0};
    unsigned new = 0;
    if (!axes) return false;
    if (count < 0 || x->rank + count > ONNX_RANK) return refuse(o, n, "has no axes, or too many");
    for (int i = 0; i < count; i++) {
        int axis = normal_axis(axes[i], x->rank + count);
        if (axis < 0 || new >> axis & 1) return refuse(o, n, "has an axis twice, or one that is not there");
        new |= 1u << axis;
    }
    Numbers *y = copy(o, x, x->rank + count, dims);
    for (int d = 0; d < y->rank; d++) {
        bool is_new = new >> d & 1;
        y->dims[d] = is_new ? 1 : x->dims[from++];
        if (!is_new && from == x->free) y->free = d + 1;
    }
    return set(o, n, y);
}

/* ---- new ones ------------------------------------------------------------------------------------------------------------------- */

static bool fold_cast(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    ElementType to = (ElementType)attribute_int(n, "to", 0);
    bool real = is_real_type(to);
    if (!real && to != ONNX_I64 && to != ONNX_I32 && to != ONNX_BOOL) return refuse(o, n, "to type %d is not computed", (int)to);
    if (to == ONNX_F16 || to == ONNX_BF16) return refuse(o, n, "rounds constants to 16 bits");
    Numbers *y = made(o, n, to, x->rank, x->dims);
    for (size_t i = 0; y && i < x->count; i++) {
        double value = constant_at(x, i);
        if (real && x->integers && x->integers[i] == FREE) return refuse(o, n, "computes with the size of the batch, which is free");
        if (real) y->reals[i] = x->reals ? x->reals[i] : (float)value;
        else if (to == ONNX_BOOL) y->integers[i] = value != 0;
        else if (x->integers) y->integers[i] = to == ONNX_I64 || x->integers[i] == FREE ? x->integers[i] : (int32_t)x->integers[i];
        else if (fabs(value) < 2e9) y->integers[i] = (int64_t)value;
        else return refuse(o, n, "casts %g to an integer", value);
    }
    return y && set(o, n, y);
}

static bool fold_constant(Onnx *o, const OnnxNode *n) {
    const void *tensor = attribute_tensor(n, "value");
    int count = 0;
    if (tensor) {
        Numbers *c = tensor_constant(o, tensor, arena_printf(o->arena, "constant '%s'", shown(o->model, n->outputs[0] < 0 ? "" : o->values[n->outputs[0]].name)));
        return c && set(o, n, c);
    }
    const int64_t *integers = attribute_ints(n, "value_ints", &count);
    const float *reals = integers ? NULL : attribute_reals(n, "value_floats", &count);
    int64_t dims[] = {count};
    bool list = integers || reals;
    if (!list && !has_attribute(n, "value_int") && !has_attribute(n, "value_float")) return refuse(o, n, "has no tensor as its value");
    Numbers *c = made(o, n, integers || has_attribute(n, "value_int") ? ONNX_I64 : ONNX_FLOAT, list, dims);
    for (size_t i = 0; c && i < c->count; i++) {
        int64_t integer = integers ? integers[i] : attribute_int(n, "value_int", 0);
        if (c->integers) c->integers[i] = integer == FREE ? FREE + 1 : integer; /* as in a tensor */
        else c->reals[i] = reals ? reals[i] : (float)attribute_real(n, "value_float", 0);
    }
    return c && set(o, n, c);
}

/* An input that is a shape. A batch that is free is 1 in it, if it may be, and *free says which dimension, from 1. */
static bool shape_input(Onnx *o, const OnnxNode *n, int i, int *rank, int64_t *dims, int *free) {
    const Numbers *shape = input(o, n, i);
    *free = 0;
    if (!shape || shape->reals || shape->rank != 1 || shape->count > ONNX_RANK) return refuse(o, n, "its shape is none");
    *rank = (int)shape->count;
    for (int d = 0; d < *rank; d++) {
        dims[d] = shape->integers[d];
        if (dims[d] == FREE && !*free) *free = d + 1, dims[d] = 1;
        if (dims[d] < 0) return refuse(o, n, "its shape is wrong");
    }
    return true;
}

static bool fold_constant_of_shape(Onnx *o, const OnnxNode *n) {
    const void *tensor = attribute_tensor(n, "value");
    const Numbers *value = tensor ? tensor_constant(o, tensor, "the value of a ConstantOfShape") : NULL;
    int rank;
    int64_t dims[ONNX_RANK];
    int free;
    if ((tensor && !value) || !shape_input(o, n, 0, &rank, dims, &free)) return false;
    if (value && value->count != 1) return refuse(o, n, "its value is not one element");
    Numbers *y = made(o, n, value ? value->type : ONNX_FLOAT, rank, dims);
    if (y) y->free = free;
    for (size_t i = 0; y && value && i < y->count; i++) move(y, i, value, 0);
    return y && set(o, n, y);
}

static bool fold_expand(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    Numbers shape = {0};
    int rank, free;
    int64_t dims[ONNX_RANK];
    if (!shape_input(o, n, 1, &shape.rank, shape.dims, &free)) return false;
    if (!broadcast(x, &shape, &rank, dims)) return refuse(o, n, "its shape does not fit");
    if (free && dims[free - 1 + rank - shape.rank] != 1) return refuse(o, n, "its shape depends on the size of the batch, which is free");
    Numbers *y = made(o, n, x->type, rank, dims);
    if (y && free) y->free = free + rank - shape.rank;
    for (size_t i = 0; y && i < y->count; i++) move(y, i, x, repeated_index(x, i, rank, dims));
    return y && set(o, n, y);
}

static bool fold_range(Onnx *o, const OnnxNode *n) {
    double start, limit, step;
    if (!is_scalar(input(o, n, 0), &start) || !is_scalar(input(o, n, 1), &limit) || !is_scalar(input(o, n, 2), &step)) return refuse(o, n, "its ends are no numbers");
    for (int i = 0; i < 3; i++)
        if (!exact(input(o, n, i))) return refuse(o, n, "computes with the size of the batch, which is free, or with very large integers");
    double length = ceil((limit - start) / step);
    int64_t dims[] = {length > 0 ? (int64_t)fmin(length, LARGEST + 1.0) : 0};
    if (step == 0 || !isfinite(length) || fabs(start) > 9e15) return refuse(o, n, "its ends are wrong");
    Numbers *y = made(o, n, input(o, n, 0)->type, 1, dims);
    for (size_t i = 0; y && i < y->count; i++)
        if (!put(o, n, y, i, start + (double)i * step)) return false;
    return y && set(o, n, y);
}

static bool fold_identity(Onnx *o, const OnnxNode *n) { return set(o, n, input(o, n, 0)); }

static bool fold_reduce_prod(Onnx *o, const OnnxNode *n) {
    const Numbers *x = input(o, n, 0);
    int count;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[] = {1};
    if (!axes) return false;
    if (x->rank > 1 || !exact(x)) return refuse(o, n, "of a constant with several axes, or of the batch, is not computed");
    Numbers *y = made(o, n, x->type, attribute_int(n, "keepdims", 1) && x->rank, dims);
    if (!y) return false;
    double product = 1;
    for (size_t i = 0; i < x->count; i++) product *= constant_at(x, i);
    return put(o, n, y, 0, product) && set(o, n, y);
}

/* ---- which they are ---------------------------------------------------------------------------------------------------------------- */

static const struct { const char *type; bool (*fold)(Onnx *, const OnnxNode *); int inputs; bool views; } folds[] = { /* inputs: at least these; views: of a View, too */
    {"Constant", fold_constant, 0, false}, {"ConstantOfShape", fold_constant_of_shape, 1, false}, {"Shape", fold_shape, 1, true}, {"Size", fold_size, 1, true},
    {"Identity", fold_identity, 1, false}, {"Cast", fold_cast, 1, false}, {"Gather", fold_gather, 2, false}, {"Slice", fold_slice, 1, false},
    {"Concat", fold_concat, 1, false}, {"Transpose", fold_transpose, 1, false}, {"Reshape", fold_reshape, 1, false}, {"Flatten", fold_flatten, 1, false},
    {"Squeeze", fold_squeeze, 1, false}, {"Unsqueeze", fold_unsqueeze, 1, false}, {"Expand", fold_expand, 2, false}, {"Range", fold_range, 3, false},
    {"Where", fold_where, 3, false}, {"ReduceProd", fold_reduce_prod, 1, false}, {"Dropout", fold_identity, 1, false},
};

bool can_fold(const OnnxNode *n) {
    for (int i = 0; i < LENGTH(folds); i++)
        if (!strcmp(n->type, folds[i].type)) return n->input_count >= folds[i].inputs && folds[i].views;
    return false;
}

/* Who may take a constant of a batch that is free. */
bool takes_free(const OnnxNode *n) {
    static const char *const types[] = {"Concat", "Unsqueeze", "Identity", "LSTM", "GRU", "RNN"};
    for (int i = 0; i < LENGTH(types); i++)
        if (!strcmp(n->type, types[i])) return true;
    return false;
}

bool onnx_fold(Onnx *o, const OnnxNode *n) {
    for (int i = 0; i < LENGTH(folds); i++)
        if (!strcmp(n->type, folds[i].type))
            for (int k = 0; k < folds[i].inputs; k++)
                if (!has_input(n, k)) return refuse(o, n, "has too few inputs");
    for (int i = 0; i < LENGTH(folds); i++)
        if (!strcmp(n->type, folds[i].type)) return folds[i].fold(o, n);
    if (!has_input(n, 0)) return refuse(o, n, "has no input");
    for (int i = 0; i < LENGTH(unaries); i++)
        if (!strcmp(n->type, unaries[i].type)) return fold_unary(o, n, unaries[i].real);
    for (int i = 0; i < LENGTH(binaries); i++)
        if (!strcmp(n->type, binaries[i].type)) return fold_binary(o, n, binaries[i].f, binaries[i].truth);
    return refuse(o, n, "of constants is not computed");
}
