/* onnx_windows.c: convolutions and poolings, of maps and, without the axis of one row, of sequences; channels first. */
#include "onnx.h"

#include <string.h>

/* What a window reads beyond the input on its far side, less than 0: that it leaves. */
static int beyond(int in, int out, int kernel, int stride, int dilation, int before) { return (out - 1) * stride + (kernel - 1) * dilation + 1 - in - before; }

static void set_pairs(Onnx *o, const char *name, bool row, int64_t height, int64_t width) {
    set_ints(o, name, (int64_t[]){row ? width : height, width}, row ? 1 : 2);
}

/* `over`: whether there can be outputs that no whole window reaches, those of a transposed convolution. */
static void set_window(Onnx *o, const Window *w, bool row, bool over) {
    int bottom = beyond(w->ih, w->oh, w->kh, w->sh, w->dh, w->top), right = beyond(w->iw, w->ow, w->kw, w->sw, w->dw, w->left);
    const int64_t pads[] = {w->top, w->left, bottom > 0 ? bottom : 0, right > 0 ? right : 0};
    set_pairs(o, "kernel_shape", row, w->kh, w->kw);
    set_pairs(o, "strides", row, w->sh, w->sw);
    set_ints(o, "pads", row ? (int64_t[]){pads[1], pads[3]} : pads, row ? 2 : 4);
    if (w->dh > 1 || w->dw > 1) set_pairs(o, "dilations", row, w->dh, w->dw);
    if (over && (bottom < 0 || right < 0)) set_pairs(o, "output_padding", row, bottom < 0 ? -bottom : 0, right < 0 ? -right : 0);
}

/* [kh][kw][in][out] becomes [out][in][kh][kw]. */
static const char *kernel_of(Onnx *o, const Op *op, bool row) {
    static const int order[] = {3, 2, 0, 1};
    const Window *w = &op->window;
    const Tensor *kernel = op->inputs[1];
    Shape from = shape4(w->kh, w->kw, w->ic / w->groups, w->oc), to = shape4(w->oc, w->ic / w->groups, w->kh, w->kw);
    if (row) to = shape3(w->oc, w->ic / w->groups, w->kw);
    return constant(o, weight_path(o->arena, kernel), to, permuted(o->arena, kernel->values, from, order));
}

void write_convolution(Onnx *o, const Op *op, const char *type) {
    bool row = o->rows[op->inputs[0]->id];
    const Op *bias = bias_behind(o, op), *end = bias ? bias : op;
    const char *inputs[3] = {value_in(o, op->inputs[0], FIRST), kernel_of(o, op, row)};
    if (bias) inputs[2] = constant(o, weight_path(o->arena, bias->inputs[1]), bias->inputs[1]->shape, bias->inputs[1]->values);
    const char *y = add_node(o, end, type, inputs, bias ? 3 : 2);
    set_window(o, &op->window, row, !strcmp(type, "ConvTranspose"));
    if (op->window.groups > 1) set_int(o, "group", op->window.groups);
    o->rows[op->outputs[0]->id] = o->rows[end->outputs[0]->id] = row;
    set_value(o, end->outputs[0], FIRST, y);
}

void write_pooling(Onnx *o, const Op *op, const char *type) {
    bool row = o->rows[op->outputs[0]->id] = o->rows[op->inputs[0]->id];
    const char *y = add_node(o, op, type, IN(value_in(o, op->inputs[0], FIRST)));
    set_window(o, &op->window, row, false);
    set_value(o, op->outputs[0], FIRST, y);
}

/* GlobalMaxPool where channels are first, else ReduceMax. */
void write_global_pooling(Onnx *o, const Op *op, const char *type) {
    const Tensor *x = op->inputs[0], *y = op->outputs[0];
    bool keeps = y->shape.rank > 1;
    const char *name;
    if (layout_of(o, x) == FIRST) {
        name = add_node(o, op, arena_printf(o->arena, "Global%sPool", type), IN(value_in(o, x, FIRST)));
        if (!keeps) {
            name = add_node(o, op, "Flatten", IN(name));
            set_int(o, "axis", 1);
        }
    } else {
        name = add_node(o, op, strcmp(type, "Max") ? "ReduceMean" : "ReduceMax", IN(value_in(o, x, LAST)));
        set_ints(o, "axes", (int64_t[]){1, 2}, x->shape.rank - 1);
        set_int(o, "keepdims", keeps);
    }
    set_value(o, y, layout_of(o, x), name);
}
