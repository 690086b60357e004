/* onnx_layers.c: dense layers, vectors along the channels, embeddings, normalizations. */
#include "onnx.h"

#include <math.h>
#include <string.h>

static const char *parameter(Onnx *o, const Tensor *w) { return constant(o, weight_path(o->arena, w), w->shape, w->values); }

/* ---- dense ---- */

/* The kernel's rows in the order in which elements of `from` come, channels first. */
static const char *kernel_of_first(Onnx *o, const Tensor *kernel, Shape from) {
    int order[MAX_RANK];
    from.dim[from.rank++] = last_dim(kernel->shape);
    for (int i = 0; i < from.rank; i++) order[i] = i == from.rank - 1 ? i : i ? i - 1 : from.rank - 2;
    return constant(o, weight_path(o->arena, kernel), kernel->shape, permuted(o->arena, kernel->values, from, order));
}

void write_dense(Onnx *o, const Op *op, const char *type) {
    Tensor *x = op->inputs[0], *kernel = op->inputs[1];
    if (is_recurrent(op->layer)) return;
    if (x->shape.rank > 1) {
        set_value(o, op->outputs[0], LAST, add_node(o, op, "MatMul", IN(value_in(o, x, LAST), parameter(o, kernel))));
        return;
    }
    Shape from;
    const Op *bias = bias_behind(o, op), *end = bias ? bias : op;
    const char *first = flattened_first(o, x, &from);
    const char *inputs[3] = {first ? first : value_in(o, x, LAST), first ? kernel_of_first(o, kernel, from) : parameter(o, kernel)};
    if (bias) inputs[2] = parameter(o, bias->inputs[1]);
    set_value(o, end->outputs[0], LAST, add_node(o, end, type, inputs, bias ? 3 : 2));
}

/* ---- a vector along the channels ---- */

static void put(Onnx *o, const Op *op, Layout layout, const char *name) {
    o->rows[op->outputs[0]->id] = o->rows[op->inputs[0]->id];
    set_value(o, op->outputs[0], layout, name);
}

void write_vector(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *vector = op->inputs[1];
    if (is_recurrent(op->layer)) return;
    Layout layout = layout_of(o, x);
    const char *by = constant(o, weight_path(o->arena, vector), vector_shape(o, x, layout), vector->values);
    put(o, op, layout, add_node(o, op, type, IN(value_in(o, x, layout), by)));
}

/* ---- embedding: tokens that the table does not have take rows of zeros, before and behind it ---- */

void write_embedding(Onnx *o, const Op *op, const char *type) {
    const Tensor *table = op->inputs[1];
    Shape s = table->shape;
    int rows = s.dim[0], length = s.dim[1];
    s.dim[0] += 2;
    double *wider = NEW_ARRAY(o->arena, double, shape_count(s));
    memcpy(wider + length, table->values, sizeof *wider * (size_t)shape_count(table->shape));
    const char *weights = constant(o, weight_path(o->arena, table), s, wider);
    const char *tokens = add_node(o, op, "Clip", IN(value_in(o, op->inputs[0], LAST), integer32(o, op, -1), integer32(o, op, rows)));
    tokens = add_node(o, op, "Add", IN(tokens, integer32(o, op, 1)));
    set_value(o, op->outputs[0], LAST, add_node(o, op, type, IN(weights, tokens)));
}

/* ---- normalizations ---- */

/* By numbers for the last axes of an example, as many as there are. */
void write_normalization(Onnx *o, const Op *op, const char *type) {
    enum { SCALES, SHIFTS, INVERTED };
    const Attr *a = op->attributes;
    Shape x = op->inputs[0]->shape, s = {0};
    for (int64_t n = 1; n < a[SCALES].real_count || !s.rank; n = shape_count(s)) s = shape_of(s.rank + 1, x.dim + x.rank - s.rank - 1);
    const char *scales = constant(o, "scales", s, a[SCALES].reals), *shifts = constant(o, "shifts", s, a[SHIFTS].reals);
    const char *value = value_in(o, op->inputs[0], LAST);
    (void)type;
    if (a[INVERTED].real != 0) value = add_node(o, op, "Add", IN(add_node(o, op, "Mul", IN(value, scales)), shifts));
    else value = add_node(o, op, "Mul", IN(add_node(o, op, "Sub", IN(value, shifts)), scales));
    set_value(o, op->outputs[0], LAST, value);
}

static const double *filled(Arena *arena, int n, double value) {
    double *x = NEW_ARRAY(arena, double, n);
    for (int i = 0; i < n; i++) x[i] = value;
    return x;
}

/* Of sequences and maps with channels last: (x - mean) * factor + beta. */
static const char *normalized_last(Onnx *o, const Op *op, const double *mean, const double *variance, const double *gamma, const double *beta) {
    int n = last_dim(op->outputs[0]->shape);
    double *factor = NEW_ARRAY(o->arena, double, n);
    for (int i = 0; i < n; i++) factor[i] = gamma[i] / sqrt(variance[i] + attribute_of(op, "epsilon")->real);
    const char *y = add_node(o, op, "Sub", IN(value_in(o, op->inputs[0], LAST), constant(o, "mean", shape1(n), mean)));
    y = add_node(o, op, "Mul", IN(y, constant(o, "factor", shape1(n), factor)));
    return add_node(o, op, "Add", IN(y, constant(o, "beta", shape1(n), beta)));
}

void write_batch_normalization(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *mean = op->inputs[1], *variance = op->inputs[2];
    int next = 3, n = last_dim(x->shape);
    Layout layout = layout_of(o, x);
    const Tensor *gamma = attribute_of(op, "scale")->real != 0 ? op->inputs[next++] : NULL;
    const Tensor *beta = attribute_of(op, "center")->real != 0 ? op->inputs[next] : NULL;
    const double *scale = gamma ? gamma->values : filled(o->arena, n, 1), *shift = beta ? beta->values : filled(o->arena, n, 0);
    if (layout == LAST && x->shape.rank > 1) {
        set_value(o, op->outputs[0], LAST, normalized_last(o, op, mean->values, variance->values, scale, shift));
        return;
    }
    const char *names[] = {gamma ? weight_path(o->arena, gamma) : "ones", beta ? weight_path(o->arena, beta) : "zeros"};
    const char *factor = constant(o, names[0], shape1(n), scale), *term = constant(o, names[1], shape1(n), shift);
    const char *y = add_node(o, op, type, IN(value_in(o, x, layout), factor, term, parameter(o, mean), parameter(o, variance)));
    set_real(o, "epsilon", attribute_of(op, "epsilon")->real);
    put(o, op, layout, y);
}

static const char *mean_of(Onnx *o, const Op *op, const char *x) {
    const char *y = add_node(o, op, "ReduceMean", IN(x));
    set_ints(o, "axes", (int64_t[]){-1}, 1);
    set_int(o, "keepdims", 1);
    return y;
}

/* What is not centered is only divided. */
static const char *divided(Onnx *o, const Op *op, const char *x) {
    const char *off = add_node(o, op, "Sub", IN(x, mean_of(o, op, x)));
    const char *variance = mean_of(o, op, add_node(o, op, "Mul", IN(off, off)));
    const char *deviation = add_node(o, op, "Sqrt", IN(add_node(o, op, "Add", IN(variance, number(o, op, attribute_of(op, "epsilon")->real)))));
    return add_node(o, op, "Div", IN(x, deviation));
}

void write_layer_normalization(Onnx *o, const Op *op, const char *type) {
    const char *x = value_in(o, op->inputs[0], LAST), *y;
    int n = last_dim(op->inputs[0]->shape);
    if (attribute_of(op, "rms_scaling")->real != 0) y = divided(o, op, x);
    else {
        y = add_node(o, op, type, IN(x, constant(o, "ones", shape1(n), filled(o->arena, n, 1))));
        set_int(o, "axis", -1);
        set_real(o, "epsilon", attribute_of(op, "epsilon")->real);
    }
    set_value(o, op->outputs[0], LAST, y);
}

/* Groups as channels of their own, each over all that is in it. */
void write_group_normalization(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0];
    int channels = last_dim(x->shape), groups = attr_int(attribute_of(op, "groups")), rank = rank_of(o, x);
    if (groups == -1) groups = channels;
    int64_t shape[MAX_RANK + 1] = {0, channels};
    for (int i = 1; i < rank; i++) shape[i + 1] = x->shape.dim[i - 1];
    const char *y = add_node(o, op, "Reshape", IN(value_in(o, x, FIRST), integers(o, op, (int64_t[]){0, groups, -1}, 3)));
    const char *ones = constant(o, "ones", shape1(groups), filled(o->arena, groups, 1)), *zeros = constant(o, "zeros", shape1(groups), filled(o->arena, groups, 0));
    y = add_node(o, op, type, IN(y, ones, zeros));
    set_real(o, "epsilon", attribute_of(op, "epsilon")->real);
    set_value(o, op->outputs[0], FIRST, add_node(o, op, "Reshape", IN(y, integers(o, op, shape, rank + 1))));
}
