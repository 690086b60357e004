/* onnx_elementwise.c: what works on elements, in whatever layout these are. */
#include "onnx.h"

#include <string.h>

static void put(Onnx *o, const Op *op, Layout layout, const char *name) {
    o->rows[op->outputs[0]->id] = o->rows[op->inputs[0]->id];
    set_value(o, op->outputs[0], layout, name);
}

/* ---- of one input ---- */

static const struct { const char *op, *attribute, *name; } options[] = {{"leaky_relu", "alpha", "negative_slope"}, {"elu", "alpha", "alpha"}};

void write_unary(Onnx *o, const Op *op, const char *type) {
    Layout layout = layout_of(o, op->inputs[0]);
    const char *y = add_node(o, op, type, IN(value_in(o, op->inputs[0], layout)));
    for (int i = 0; i < LENGTH(options); i++)
        if (!strcmp(options[i].op, op->def->call.name)) set_real(o, options[i].attribute, attribute_of(op, options[i].name)->real);
    if (!strcmp(type, "HardSigmoid")) set_real(o, "alpha", 1.0 / 6), set_real(o, "beta", 0.5);
    put(o, op, layout, y);
}

void write_clipped(Onnx *o, const Op *op, const char *type) {
    Layout layout = layout_of(o, op->inputs[0]);
    bool six = !strcmp(type, "relu6");
    put(o, op, layout, add_node(o, op, "Clip", IN(value_in(o, op->inputs[0], layout), number(o, op, six ? 0 : -1), number(o, op, six ? 6 : 1))));
}

/* Formulas of x. */
typedef const char *Formula(Onnx *, const Op *, const char *x);

static const char *multiplied(Onnx *o, const Op *op, const char *x, double by) { return add_node(o, op, "Mul", IN(x, number(o, op, by))); }
static const char *plus(Onnx *o, const Op *op, const char *x, double by) { return add_node(o, op, "Add", IN(x, number(o, op, by))); }
static const char *product(Onnx *o, const Op *op, const char *a, const char *b) { return add_node(o, op, "Mul", IN(a, b)); }

static const char *gelu(Onnx *o, const Op *op, const char *x) {
    const char *half = multiplied(o, op, x, 0.5), *bell = add_node(o, op, "Erf", IN(multiplied(o, op, x, 0.70710678118654752440)));
    return product(o, op, plus(o, op, bell, 1), half);
}

static const char *gelu_near(Onnx *o, const Op *op, const char *x) {
    const char *cubic = product(o, op, x, plus(o, op, multiplied(o, op, product(o, op, x, x), 0.044715), 1));
    const char *half = multiplied(o, op, x, 0.5), *bell = add_node(o, op, "Tanh", IN(multiplied(o, op, cubic, 0.79788456080286535588)));
    return product(o, op, plus(o, op, bell, 1), half);
}

static const char *silu(Onnx *o, const Op *op, const char *x) { return product(o, op, x, add_node(o, op, "Sigmoid", IN(x))); }
static const char *mish(Onnx *o, const Op *op, const char *x) { return product(o, op, x, add_node(o, op, "Tanh", IN(add_node(o, op, "Softplus", IN(x))))); }

/* min(x, max_value) above the threshold, slope * (x - threshold) below. */
static const char *relu(Onnx *o, const Op *op, const char *x) {
    const Attr *most = attribute_of(op, "max_value");
    double threshold = attribute_of(op, "threshold")->real, slope = attribute_of(op, "negative_slope")->real;
    const char *above = most->present ? add_node(o, op, "Min", IN(x, number(o, op, most->real))) : x;
    const char *below = slope > 0 ? multiplied(o, op, plus(o, op, x, -threshold), slope) : number(o, op, 0);
    return add_node(o, op, "Where", IN(add_node(o, op, "Greater", IN(x, number(o, op, threshold))), above, below));
}

void write_activation(Onnx *o, const Op *op, const char *type) {
    static const struct { const char *name; Formula *formula; } formulas[] = {
        {"gelu", gelu}, {"gelu_near", gelu_near}, {"silu", silu}, {"mish", mish}, {"relu", relu},
    };
    Layout layout = layout_of(o, op->inputs[0]);
    for (int i = 0; i < LENGTH(formulas); i++)
        if (!strcmp(formulas[i].name, type)) put(o, op, layout, formulas[i].formula(o, op, value_in(o, op->inputs[0], layout)));
}

/* rescaling, and the factor of average. */
void write_scaled(Onnx *o, const Op *op, const char *type) {
    Layout layout = layout_of(o, op->inputs[0]);
    const char *y = multiplied(o, op, value_in(o, op->inputs[0], layout), op->attributes[0].real);
    put(o, op, layout, strcmp(type, "offset") ? y : plus(o, op, y, op->attributes[1].real));
}

void write_softmax(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0];
    Layout layout = layout_of(o, x);
    const char *y = add_node(o, op, type, IN(value_in(o, x, layout)));
    set_int(o, "axis", axis_in(o, x, layout, axis_index(&op->attributes[0], x->shape)));
    put(o, op, layout, y);
}

/* Alpha has the axes of an example, in its layout. */
void write_prelu(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *alpha = op->inputs[1];
    Layout layout = layout_of(o, x);
    int order[MAX_RANK], rank = alpha->shape.rank;
    Shape s = {.rank = rank};
    for (int i = 0; i < rank; i++) order[i] = layout == LAST ? i : i ? i - 1 : rank - 1, s.dim[i] = alpha->shape.dim[order[i]];
    const char *slope = constant(o, weight_path(o->arena, alpha), s, permuted(o->arena, alpha->values, alpha->shape, order));
    put(o, op, layout, add_node(o, op, type, IN(value_in(o, x, layout), slope)));
}

/* ---- of two: axes of 1 need not be repeated before ---- */

void write_merge(Onnx *o, const Op *op, const char *type) {
    const Tensor *a = op->inputs[0], *b = op->inputs[1];
    Layout layout = layout_of(o, a) == FIRST || layout_of(o, b) == FIRST ? FIRST : LAST;
    put(o, op, layout, add_node(o, op, type, IN(value_in(o, a, layout), value_in(o, b, layout))));
}
