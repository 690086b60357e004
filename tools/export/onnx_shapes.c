/* onnx_shapes.c: elements in other places. */
#include "onnx.h"

#include <string.h>

void write_flatten(Onnx *o, const Op *op, const char *type) {
    (void)type;
    if (op->inputs[0]->shape.rank > 1) set_flattened(o, op->outputs[0], op->inputs[0]);
    else set_alias(o, op->outputs[0], op->inputs[0]);
}

void write_reshape(Onnx *o, const Op *op, const char *type) {
    const Tensor *y = op->outputs[0];
    int64_t shape[MAX_RANK + 1] = {0}; /* as many examples as there are */
    for (int i = 0; i < y->shape.rank; i++) shape[i + 1] = y->shape.dim[i];
    set_value(o, y, LAST, add_node(o, op, type, IN(value_in(o, op->inputs[0], LAST), integers(o, op, shape, y->shape.rank + 1))));
}

void write_permute(Onnx *o, const Op *op, const char *type) {
    const Attr *order = &op->attributes[0];
    int64_t perm[MAX_RANK + 1] = {0};
    for (int i = 0; i < order->rank; i++) perm[i + 1] = order->size[i];
    const char *y = add_node(o, op, type, IN(value_in(o, op->inputs[0], LAST)));
    set_ints(o, "perm", perm, order->rank + 1);
    set_value(o, op->outputs[0], LAST, y);
}

void write_padding(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0];
    const Attr *padding = &op->attributes[0];
    Layout layout = layout_of(o, x);
    int axes = x->shape.rank + 1;
    int64_t pads[2 * (MAX_RANK + 1)] = {0};
    for (int i = 0; i < padding->rank; i++) pads[axis_in(o, x, layout, i / 2) + (i % 2 ? axes : 0)] = padding->size[i];
    set_value(o, op->outputs[0], layout, add_node(o, op, type, IN(value_in(o, x, layout), integers(o, op, pads, 2 * axes))));
}

/* What is before and what is left of each axis. */
void write_cropping(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *y = op->outputs[0];
    const Attr *cropping = &op->attributes[0];
    Layout layout = layout_of(o, x);
    int64_t starts[MAX_RANK], ends[MAX_RANK], axes[MAX_RANK];
    int n = cropping->rank / 2;
    for (int i = 0; i < n; i++) starts[i] = cropping->size[2 * i], ends[i] = starts[i] + y->shape.dim[i], axes[i] = axis_in(o, x, layout, i);
    set_value(o, y, layout, add_node(o, op, type, IN(value_in(o, x, layout), integers(o, op, starts, n), integers(o, op, ends, n), integers(o, op, axes, n))));
}

/* type: nearest or linear, which needs channels first. */
void write_up_sampling(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *y = op->outputs[0];
    bool linear = !strcmp(type, "linear");
    Layout layout = linear ? FIRST : layout_of(o, x);
    double scales[MAX_RANK + 1] = {1};
    for (int i = 0; i < x->shape.rank; i++) scales[axis_in(o, x, layout, i)] = (double)(y->shape.dim[i] / x->shape.dim[i]);
    const char *by = constant(o, arena_printf(o->arena, "%s.c", y->name), shape1(x->shape.rank + 1), scales);
    const char *name = add_node(o, op, "Resize", IN(value_in(o, x, layout), "", by));
    set_word(o, "mode", type);
    set_word(o, "coordinate_transformation_mode", linear ? "half_pixel" : "asymmetric");
    if (!linear) set_word(o, "nearest_mode", "floor");
    set_value(o, y, layout, name);
}

void write_repeat(Onnx *o, const Op *op, const char *type) {
    const char *one = add_node(o, op, "Unsqueeze", IN(value_in(o, op->inputs[0], LAST), integers(o, op, (int64_t[]){1}, 1)));
    set_value(o, op->outputs[0], LAST, add_node(o, op, type, IN(one, integers(o, op, (int64_t[]){1, op->outputs[0]->shape.dim[0], 1}, 3))));
}

/* The last of a layer's chain takes all of the layer's inputs. */
void write_concatenation(Onnx *o, const Op *op, const char *type) {
    const Layer *l = op->layer;
    if (op->outputs[0] != l->output) return;
    Layout layout = LAST;
    for (int i = 0; i < l->input_count; i++)
        if (layout_of(o, l->inputs[i]) == FIRST) layout = FIRST;
    const char **names = NEW_ARRAY(o->arena, const char *, l->input_count);
    for (int i = 0; i < l->input_count; i++) names[i] = value_in(o, l->inputs[i], layout);
    const char *y = add_node(o, op, type, names, l->input_count);
    set_int(o, "axis", axis_in(o, op->outputs[0], layout, axis_index(&op->attributes[0], op->outputs[0]->shape)));
    set_value(o, op->outputs[0], layout, y);
}
