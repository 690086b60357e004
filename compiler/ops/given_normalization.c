/* given_normalization.c: Keras's Normalization by a mean and a variance that the description gives: (x - mean) / max(sqrt(variance), 1e-7),
 * each index along some axes by numbers of its own; with invert=true the way back. The numbers are constants of the code, not weights:
 * a row of them goes from the first of the axes to the last one of the example. */
#include "ops.h"

#include <math.h>

enum { AXIS, MEAN, VARIANCE, INVERT };     /* the layer's options */
enum { SCALES, SHIFTS, INVERTED, NUMBERS }; /* the op's */
enum { LONGEST_ROW = 1 << 16 };
static const double smallest_deviation = 1e-7;

static const AttrDef attributes[] = {
    {"axis", ATTR_SIZE, "-1", -MAX_RANK, MAX_RANK, 0, NULL, NULL, false, "each index along this axis, or these, 1,3, has numbers of its own; the batch is 0"},
    {"mean", ATTR_REALS, NULL, 0, 0, 0, NULL, NULL, false, "one for all, or one for each index along the axes"},
    {"variance", ATTR_REALS, NULL, 0, 1e30, 0, NULL, NULL, false, "likewise"},
    {"invert", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "the way back: x sqrt(variance) + mean"},
};

/* ---- the layer ---------------------------------------------------------------------------------------------------------- */

/* Which axes of an example have numbers of their own; how many numbers, 0 after an error. */
static int64_t own_axes(Graph *g, const Layer *l, bool own[MAX_RANK]) {
    const Attr *axis = &l->attributes[AXIS];
    Shape s = l->inputs[0]->shape;
    int64_t n = 1;
    for (int i = 0; i < axis->rank; i++) {
        Attr one = {.real = axis->size[i], .loc = axis->loc};
        int at = axis_index(&one, s);
        if (at < 0) return no_axis(g, &one, s, "normalize");
        if (own[at]) error(g->diag, axis->loc, "axis %d is given twice", axis->size[i]);
        if (own[at]) return 0;
        own[at] = true;
        n *= s.dim[at];
    }
    return n;
}

static bool check_count(Graph *g, const Layer *l, int name, int64_t n) {
    const Attr *a = &l->attributes[name];
    if (a->real_count == 1 || a->real_count == n) return true;
    error(g->diag, a->loc, "there are %d numbers here, and %lld along the axes", a->real_count, (long long)n);
    hint(g->diag, "a single one would stand for all");
    note_shape(g, l->inputs[0]);
    return false;
}

static double number(const Attr *a, int64_t i) { return a->reals[a->real_count == 1 ? 0 : i]; }

/* Scales and shifts of a row. */
static Attr *make_numbers(Graph *g, const Layer *l, const bool own[MAX_RANK], int length) {
    const Attr *a = l->attributes;
    Shape s = l->inputs[0]->shape;
    Attr *numbers = NEW_ARRAY(g->arena, Attr, NUMBERS);
    for (int i = 0; i < INVERTED; i++) numbers[i].reals = NEW_ARRAY(g->arena, double, numbers[i].real_count = length);
    numbers[INVERTED] = a[INVERT];
    for (int i = 0; i < length; i++) {
        int64_t at = 0, stride = 1, rest = i;
        for (int k = s.rank - 1; k >= 0; rest /= s.dim[k], k--)
            if (own[k]) at += rest % s.dim[k] * stride, stride *= s.dim[k];
        double deviation = fmax(sqrt(number(&a[VARIANCE], at)), smallest_deviation);
        numbers[SCALES].reals[i] = a[INVERT].real != 0 ? deviation : 1 / deviation;
        numbers[SHIFTS].reals[i] = number(&a[MEAN], at);
    }
    return numbers;
}

static Tensor *layer(Graph *g, Layer *l) {
    bool own[MAX_RANK] = {false};
    Shape s = l->inputs[0]->shape;
    int64_t n = own_axes(g, l, own), length = 1;
    if (n == 0 || !check_count(g, l, MEAN, n) || !check_count(g, l, VARIANCE, n)) return NULL;
    for (int i = s.rank - 1, left = l->attributes[AXIS].rank; left; left -= own[i--]) length *= s.dim[i];
    if (length <= LONGEST_ROW) return add_op(g, &op_normalization, l, make_numbers(g, l, own, (int)length), l->inputs, 1);
    error(g->diag, l->attributes[AXIS].loc, "there are %lld elements from the first of the axes on; 'normalization' takes %d", (long long)length, LONGEST_ROW);
    note_shape(g, l->inputs[0]);
    return NULL;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_normalization_grad, op, (Tensor *[]){dy}, 1));
}

/* ---- what it computes ----------------------------------------------------------------------------------------------------- */

static void evaluate(const Op *op, double *const *in, double *const *out) {
    const Attr *scales = &op->attributes[SCALES], *shifts = &op->attributes[SHIFTS];
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) {
        double scale = scales->reals[i % scales->real_count], shift = shifts->reals[i % shifts->real_count];
        out[0][i] = op->attributes[INVERTED].real != 0 ? in[0][i] * scale + shift : (in[0][i] - shift) * scale;
    }
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    const Attr *scales = &op->attributes[SCALES];
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * scales->reals[i % scales->real_count];
}

/* Numbers that are all alike are one, and what they are for a single row. */
static bool all_alike(const Attr *a) {
    for (int i = 1; i < a->real_count; i++)
        if (a->reals[i] != a->reals[0]) return false;
    return true;
}

static void bind_grad(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    int64_t count = shape_count(op->outputs[0]->shape);
    bool alike = all_alike(&a[SCALES]) && all_alike(&a[SHIFTS]);
    bind_int(b, "N", alike ? count : a[SCALES].real_count);
    bind_int(b, "ROWS", alike ? 1 : count / a[SCALES].real_count);
    bind_int(b, "alike", alike);
    bind_reals(b, "scales", a[SCALES].reals, alike ? 1 : a[SCALES].real_count);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    bind_grad(op, b);
    bind_reals(b, "shifts", a[SHIFTS].reals, all_alike(&a[SCALES]) && all_alike(&a[SHIFTS]) ? 1 : a[SHIFTS].real_count);
    bind_int(b, "inverted", a[INVERTED].real != 0);
}

const OpDef op_normalization = {
    .call = {"normalization", "by a mean and a variance that are given", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Normalization", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer_like_input, .gradient = gradient, .evaluate = evaluate, .plain = "given_normalization.forward", .bind = bind,
    .equation = "y = (x - mean) / sqrt(variance), or x sqrt(variance) + mean",
};
const OpDef op_normalization_grad = {
    .call = {"normalization_grad", "gradient of normalization", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .plain = "given_normalization.grad", .bind = bind_grad, .equation = "dx = dy / sqrt(variance), or dy sqrt(variance)",
};
