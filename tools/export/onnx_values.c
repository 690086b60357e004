/* onnx_values.c: tensors of cnnc's graph as values of ONNX's, in the layout that is asked for. */
#include "onnx.h"

static Named *value_of(const Onnx *o, const Tensor *t) {
    if (!o->values[t->id]) bug("export: nothing has made '%s'", t->name);
    return o->values[t->id];
}

int rank_of(const Onnx *o, const Tensor *t) { return o->rows[t->id] ? 2 : t->shape.rank; }

/* A vector has one layout only. */
static Layout real_layout(const Onnx *o, const Tensor *t, Layout wanted) { return rank_of(o, t) > 1 ? wanted : LAST; }

Layout layout_of(const Onnx *o, const Tensor *t) {
    const Named *v = value_of(o, t);
    return v->names[FIRST] ? FIRST : LAST;
}

void set_value(Onnx *o, const Tensor *t, Layout layout, const char *name) {
    Named *v = o->values[t->id] = NEW(o->arena, Named);
    v->names[real_layout(o, t, layout)] = name;
}

void set_alias(Onnx *o, const Tensor *t, const Tensor *of) { o->values[t->id] = value_of(o, of); }

void set_flattened(Onnx *o, const Tensor *t, const Tensor *of) {
    o->values[t->id] = NEW(o->arena, Named);
    o->values[t->id]->flattened = of;
}

static const char *flatten_in(Onnx *o, const Tensor *t, const Tensor *of, Layout layout) {
    const char *name = add_node(o, t->producer, "Flatten", IN(value_in(o, of, layout)));
    set_int(o, "axis", 1);
    return name;
}

static const char *transposed(Onnx *o, const Tensor *t, const char *name, Layout to) {
    int64_t order[MAX_RANK + 1] = {0};
    int rank = rank_of(o, t);
    for (int i = 1; i <= rank; i++) order[i] = to == FIRST ? (i == 1 ? rank : i - 1) : i == rank ? 1 : i + 1;
    const Op named = {.outputs = (Tensor *[]){(Tensor *)(uintptr_t)t}};
    name = add_node(o, &named, "Transpose", IN(name));
    set_ints(o, "perm", order, rank + 1);
    return name;
}

const char *value_in(Onnx *o, const Tensor *t, Layout layout) {
    Named *v = value_of(o, t);
    layout = real_layout(o, t, layout);
    if (v->names[layout]) return v->names[layout];
    return v->names[layout] = v->flattened ? flatten_in(o, t, v->flattened, LAST) : transposed(o, t, v->names[LAYOUTS - 1 - layout], layout);
}

const char *flattened_first(Onnx *o, const Tensor *t, Shape *of) {
    const Named *v = value_of(o, t);
    if (v->names[LAST] || !v->flattened || layout_of(o, v->flattened) != FIRST || v->flattened->shape.rank >= MAX_RANK) return NULL;
    *of = v->flattened->shape;
    return flatten_in(o, t, v->flattened, FIRST);
}

int64_t axis_in(const Onnx *o, const Tensor *t, Layout layout, int axis) {
    if (real_layout(o, t, layout) == LAST) return axis + 1;
    return axis == rank_of(o, t) - 1 ? 1 : axis + 2;
}

Shape vector_shape(const Onnx *o, const Tensor *t, Layout layout) {
    Shape s = {.rank = real_layout(o, t, layout) == LAST ? 1 : rank_of(o, t), .dim = {last_dim(t->shape)}};
    for (int i = 1; i < s.rank; i++) s.dim[i] = 1;
    return s;
}
