/* onnx_text.h: a file of ONNX as text for people, a line each for inputs, constants, nodes and outputs. */
#ifndef ONNX_TEXT_H
#define ONNX_TEXT_H
#include "cnnc.h"

#include "onnx.pb-c.h"

static inline void print_attribute(StrBuf *out, const Onnx__AttributeProto *a) {
    strbuf_printf(out, " %s=", a->name);
    if (a->has_i) strbuf_printf(out, "%lld", (long long)a->i);
    if (a->has_f) strbuf_printf(out, "%.6g", (double)a->f);
    if (a->has_s) strbuf_printf(out, "%.*s", (int)a->s.len, (const char *)a->s.data);
    for (size_t i = 0; i < a->n_ints; i++) strbuf_printf(out, "%s%lld", i ? "," : "", (long long)a->ints[i]);
    for (size_t i = 0; i < a->n_floats; i++) strbuf_printf(out, "%s%.6g", i ? "," : "", (double)a->floats[i]);
    for (size_t i = 0; i < a->n_strings; i++) strbuf_printf(out, "%s%.*s", i ? "," : "", (int)a->strings[i].len, (const char *)a->strings[i].data);
}

static inline void print_value_info(StrBuf *out, const char *what, const Onnx__ValueInfoProto *v) {
    const Onnx__TypeProto__Tensor *t = v->type->tensor_type;
    strbuf_printf(out, "%s %s type %d [", what, v->name, t->elem_type);
    for (size_t i = 0; i < t->shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = t->shape->dim[i];
        if (d->dim_param) strbuf_printf(out, "%s%s", i ? "," : "", d->dim_param);
        else strbuf_printf(out, "%s%lld", i ? "," : "", (long long)d->dim_value);
    }
    strbuf_add(out, "]\n");
}

/* Floats only of scalars: those of weights are not for people. */
static inline void print_onnx_constant(StrBuf *out, const Onnx__TensorProto *t) {
    strbuf_printf(out, "constant %s type %d [", t->name, t->data_type);
    for (size_t i = 0; i < t->n_dims; i++) strbuf_printf(out, "%s%lld", i ? "," : "", (long long)t->dims[i]);
    strbuf_add(out, "]");
    for (size_t i = 0; i < t->n_float_data && !t->n_dims; i++) strbuf_printf(out, " %.6g", (double)t->float_data[i]);
    for (size_t i = 0; i < t->n_int32_data; i++) strbuf_printf(out, " %d", (int)t->int32_data[i]);
    for (size_t i = 0; i < t->n_int64_data; i++) strbuf_printf(out, " %lld", (long long)t->int64_data[i]);
    strbuf_add(out, "\n");
}

static inline void print_node(StrBuf *out, const Onnx__NodeProto *n) {
    for (size_t i = 0; i < n->n_output; i++) strbuf_printf(out, "%s%s", i ? ", " : "  ", n->output[i]);
    strbuf_printf(out, " = %s(", n->op_type);
    for (size_t i = 0; i < n->n_input; i++) strbuf_printf(out, "%s%s", i ? ", " : "", n->input[i]);
    strbuf_add(out, ")");
    for (size_t i = 0; i < n->n_attribute; i++) print_attribute(out, n->attribute[i]);
    strbuf_add(out, "\n");
}

static inline void print_onnx(StrBuf *out, const Onnx__ModelProto *m) {
    const Onnx__GraphProto *g = m->graph;
    strbuf_printf(out, "%s, ir %lld, opset %lld, graph %s\n", m->producer_name, (long long)m->ir_version, (long long)m->opset_import[0]->version, g->name);
    for (size_t i = 0; i < g->n_input; i++) print_value_info(out, "input", g->input[i]);
    for (size_t i = 0; i < g->n_initializer; i++) print_onnx_constant(out, g->initializer[i]);
    for (size_t i = 0; i < g->n_node; i++) print_node(out, g->node[i]);
    for (size_t i = 0; i < g->n_output; i++) print_value_info(out, "output", g->output[i]);
}
#endif
