/* onnx_fold.c: what depends on constants only: new constants, arithmetic, and who folds which operator. Shapes are computed so by all exporters;
 * a batch that is free is an integer, FREE, that may be moved about but not computed with. */
#include "onnx_fold.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 1 << 26 }; /* elements that are computed */

int normal_axis(int64_t axis, int rank) { return axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : -1; }

bool read_perm(const OnnxNode *n, int rank, int *perm) {
    int count;
    const int64_t *given = attribute_ints(n, "perm", &count);
    unsigned seen = 0;
    for (int i = 0; i < rank; i++) {
        perm[i] = !given ? rank - 1 - i : count == rank ? normal_axis(given[i], rank) : -1;
        if (perm[i] < 0 || seen >> perm[i] & 1) return false;
        seen |= 1u << perm[i];
    }
    return !given || count == rank;
}

bool set_constant(Onnx *o, const OnnxNode *n, Numbers *c) {
    if (!c) return refuse(o, n, "makes a constant that is too large");
    if (n->outputs[0] >= 0) o->values[n->outputs[0]].constant = c;
    return true;
}

Numbers *reshaped_constant(Onnx *o, const Numbers *c, int rank, const int64_t *dims) {
    Numbers *y = NEW(o->arena, Numbers);
    *y = *c;
    y->rank = rank;
    for (int i = 0; i < rank; i++) y->dims[i] = dims[i];
    return y;
}

Numbers *made_constant(Onnx *o, const OnnxNode *n, ElementType type, int rank, const int64_t *dims) {
    size_t count;
    if (rank > ONNX_RANK || !element_count(rank, dims, &count) || count > LARGEST) return refuse(o, n, "makes a constant that is too large"), NULL;
    return afford(o, 2 * (int64_t)count) ? new_constant(o, type, rank, dims) : NULL;
}

void move_element(Numbers *y, size_t to, const Numbers *x, size_t from) {
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
    const Numbers *c = constant_input(o, n, i);
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
    const Numbers *x = constant_input(o, n, 0);
    Numbers *y = made_constant(o, n, x->type, x->rank, x->dims);
    for (size_t i = 0; y && i < x->count; i++) {
        if (x->integers && x->integers[i] == FREE) return refuse(o, n, "computes with the size of the batch, which is free");
        if (!put(o, n, y, i, f(constant_at(x, i)))) return false;
    }
    return y && set_constant(o, n, y);
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
        size_t size = dims[d] > 0 ? (size_t)dims[d] : 1, k = i % size;
        i /= size;
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
    const Numbers *a = constant_input(o, n, 0), *b = n->input_count > 1 ? constant_input(o, n, 1) : a;
    int rank;
    int64_t dims[ONNX_RANK] = {0};
    if (n->input_count > 2) return refuse(o, n, "of more than two constants is not computed");
    if (!a || !b || !broadcast(a, b, &rank, dims)) return refuse(o, n, "its constants do not fit each other");
    if (!exact(a) || !exact(b)) return refuse(o, n, "computes with the size of the batch, which is free, or with very large integers");
    if (!a->reals != !b->reals) return refuse(o, n, "computes with integers and fractions at once");
    if (f == rest && attribute_int(n, "fmod", 0)) f = fmod;
    else if (f == rest && a->reals) return refuse(o, n, "has fractions, but not fmod=1");
    Numbers *y = made_constant(o, n, truth ? ONNX_BOOL : a->type, rank, dims);
    for (size_t i = 0; y && i < y->count; i++) {
        double value = f(constant_at(a, repeated_index(a, i, rank, dims)), constant_at(b, repeated_index(b, i, rank, dims)));
        if (!put(o, n, y, i, value)) return false;
    }
    return y && set_constant(o, n, y);
}

/* ---- new ones ------------------------------------------------------------------------------------------------------------------- */

static bool fold_cast(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    ElementType to = (ElementType)attribute_int(n, "to", 0);
    bool real = is_real_type(to);
    if (!real && to != ONNX_I64 && to != ONNX_I32 && to != ONNX_BOOL) return refuse(o, n, "to type %d is not computed", (int)to);
    if (to == ONNX_F16 || to == ONNX_BF16) return refuse(o, n, "rounds constants to 16 bits");
    Numbers *y = made_constant(o, n, to, x->rank, x->dims);
    for (size_t i = 0; y && i < x->count; i++) {
        double value = constant_at(x, i);
        if (real && x->integers && x->integers[i] == FREE) return refuse(o, n, "computes with the size of the batch, which is free");
        if (real) y->reals[i] = x->reals ? x->reals[i] : (float)value;
        else if (to == ONNX_BOOL) y->integers[i] = value != 0;
        else if (x->integers) y->integers[i] = to == ONNX_I64 || x->integers[i] == FREE ? x->integers[i] : (int32_t)x->integers[i];
        else if (fabs(value) < 2e9) y->integers[i] = (int64_t)value;
        else return refuse(o, n, "casts %g to an integer", value);
    }
    return y && set_constant(o, n, y);
}

static bool fold_constant(Onnx *o, const OnnxNode *n) {
    const void *tensor = attribute_tensor(n, "value");
    int count = 0;
    if (tensor) {
        Numbers *c = tensor_constant(o, tensor, arena_printf(o->arena, "constant '%s'", shown(o->model, n->outputs[0] < 0 ? "" : o->values[n->outputs[0]].name)));
        return c && set_constant(o, n, c);
    }
    const int64_t *integers = attribute_ints(n, "value_ints", &count);
    const float *reals = integers ? NULL : attribute_reals(n, "value_floats", &count);
    int64_t dims[] = {count};
    bool list = integers || reals;
    if (!list && !has_attribute(n, "value_int") && !has_attribute(n, "value_float")) return refuse(o, n, "has no tensor as its value");
    Numbers *c = made_constant(o, n, integers || has_attribute(n, "value_int") ? ONNX_I64 : ONNX_FLOAT, list, dims);
    for (size_t i = 0; c && i < c->count; i++) {
        int64_t integer = integers ? integers[i] : attribute_int(n, "value_int", 0);
        if (c->integers) c->integers[i] = integer == FREE ? FREE + 1 : integer; /* as in a tensor */
        else c->reals[i] = reals ? reals[i] : (float)attribute_real(n, "value_float", 0);
    }
    return c && set_constant(o, n, c);
}

/* An input that is a shape. A batch that is free is 1 in it, if it may be, and *free says which dimension, from 1. */
static bool shape_input(Onnx *o, const OnnxNode *n, int i, int *rank, int64_t *dims, int *free) {
    const Numbers *shape = constant_input(o, n, i);
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
    int64_t dims[ONNX_RANK] = {0};
    int free;
    if ((tensor && !value) || !shape_input(o, n, 0, &rank, dims, &free)) return false;
    if (value && value->count != 1) return refuse(o, n, "its value is not one element");
    Numbers *y = made_constant(o, n, value ? value->type : ONNX_FLOAT, rank, dims);
    if (y) y->free = free;
    for (size_t i = 0; y && value && i < y->count; i++) move_element(y, i, value, 0);
    return y && set_constant(o, n, y);
}

static bool fold_expand(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    Numbers shape = {0};
    int rank, free;
    int64_t dims[ONNX_RANK] = {0};
    if (!shape_input(o, n, 1, &shape.rank, shape.dims, &free)) return false;
    if (!broadcast(x, &shape, &rank, dims)) return refuse(o, n, "its shape does not fit");
    if (free && dims[free - 1 + rank - shape.rank] != 1) return refuse(o, n, "its shape depends on the size of the batch, which is free");
    Numbers *y = made_constant(o, n, x->type, rank, dims);
    if (y && free) y->free = free + rank - shape.rank;
    for (size_t i = 0; y && i < y->count; i++) move_element(y, i, x, repeated_index(x, i, rank, dims));
    return y && set_constant(o, n, y);
}

static bool fold_range(Onnx *o, const OnnxNode *n) {
    double start, limit, step;
    if (!is_scalar(constant_input(o, n, 0), &start) || !is_scalar(constant_input(o, n, 1), &limit) || !is_scalar(constant_input(o, n, 2), &step)) return refuse(o, n, "its ends are no numbers");
    for (int i = 0; i < 3; i++)
        if (!exact(constant_input(o, n, i))) return refuse(o, n, "computes with the size of the batch, which is free, or with very large integers");
    double length = ceil((limit - start) / step);
    int64_t dims[] = {length > 0 ? (int64_t)fmin(length, LARGEST + 1.0) : 0};
    if (step == 0 || !isfinite(length) || fabs(start) > 9e15) return refuse(o, n, "its ends are wrong");
    Numbers *y = made_constant(o, n, constant_input(o, n, 0)->type, 1, dims);
    for (size_t i = 0; y && i < y->count; i++)
        if (!put(o, n, y, i, start + (double)i * step)) return false;
    return y && set_constant(o, n, y);
}

static bool fold_identity(Onnx *o, const OnnxNode *n) { return set_constant(o, n, constant_input(o, n, 0)); }

/* As it predicts. */
static bool fold_dropout(Onnx *o, const OnnxNode *n) {
    double training = 0;
    if (!output_unused(o, n, 1)) return refuse(o, n, "gives its mask, too");
    if (has_input(n, 2) && (!is_scalar(constant_input(o, n, 2), &training) || training != 0)) return refuse(o, n, "is in training mode");
    return fold_identity(o, n);
}

static bool fold_reduce_prod(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int count;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[] = {1};
    if (!axes) return false;
    if (count <= 0 && attribute_int(n, "noop_with_empty_axes", 0)) return fold_identity(o, n);
    for (int i = 0; i < count; i++)
        if (normal_axis(axes[i], x->rank) < 0) return refuse(o, n, "has no axis %lld", (long long)axes[i]);
    if (x->rank > 1 || !exact(x)) return refuse(o, n, "of a constant with several axes, or of the batch, is not computed");
    Numbers *y = made_constant(o, n, x->type, attribute_int(n, "keepdims", 1) && x->rank, dims);
    if (!y) return false;
    double product = 1;
    for (size_t i = 0; i < x->count; i++) product *= constant_at(x, i);
    return put(o, n, y, 0, product) && set_constant(o, n, y);
}

/* ---- which they are ---------------------------------------------------------------------------------------------------------------- */

static const struct { const char *type; Fold *fold; int inputs; bool views; } folds[] = { /* inputs: at least these; views: of a View, too */
    {"Constant", fold_constant, 0, false}, {"ConstantOfShape", fold_constant_of_shape, 1, false}, {"Shape", fold_shape, 1, true}, {"Size", fold_size, 1, true},
    {"Identity", fold_identity, 1, false}, {"Cast", fold_cast, 1, false}, {"Gather", fold_gather, 2, false}, {"Slice", fold_slice, 1, false},
    {"Concat", fold_concat, 1, false}, {"Transpose", fold_transpose, 1, false}, {"Reshape", fold_reshape, 1, false}, {"Flatten", fold_flatten, 1, false},
    {"Squeeze", fold_squeeze, 1, false}, {"Unsqueeze", fold_unsqueeze, 1, false}, {"Expand", fold_expand, 2, false}, {"Range", fold_range, 3, false},
    {"Where", fold_where, 3, false}, {"ReduceProd", fold_reduce_prod, 1, false}, {"Dropout", fold_dropout, 1, false},
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
