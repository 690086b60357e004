/* onnx_file.c: nodes, attributes and constants of an ONNX graph, and its file. */
#include "onnx.h"

#include <string.h>

/* Of protobuf's messages, which are initialized each in its own way. */
#define NEW_MESSAGE(o, type, init) type *message = NEW((o)->arena, type); init(message)

static char *text_of(Onnx *o, const char *s) { return arena_string(o->arena, s, strlen(s)); }

/* ---- nodes ---- */

const char *new_name(Onnx *o, const char *wanted) {
    const char *name = wanted;
    for (int i = 1; map_get(&o->names, name); i++) name = arena_printf(o->arena, "%s.%d", wanted, i);
    map_set(o->arena, &o->names, name, o);
    return name;
}

const char *add_output(Onnx *o, const Op *op) {
    Onnx__NodeProto *node = o->nodes[o->node_count - 1];
    int n = (int)node->n_output;
    *PUSH(o->arena, node->output, n) = text_of(o, new_name(o, op->outputs[0]->name));
    node->n_output = (size_t)n;
    return node->output[n - 1];
}

const char *add_node(Onnx *o, const Op *op, const char *type, const char *const *inputs, int n) {
    NEW_MESSAGE(o, Onnx__NodeProto, onnx__node_proto__init);
    message->op_type = text_of(o, type);
    message->input = NEW_ARRAY(o->arena, char *, n);
    message->n_input = (size_t)n;
    for (int i = 0; i < n; i++) message->input[i] = text_of(o, inputs[i]);
    *PUSH(o->arena, o->nodes, o->node_count) = message;
    return message->name = text_of(o, add_output(o, op));
}

void rename_value(Onnx *o, const char *from, const char *to) {
    for (int i = 0; i < o->node_count; i++) {
        Onnx__NodeProto *node = o->nodes[i];
        for (size_t k = 0; k < node->n_input; k++)
            if (!strcmp(node->input[k], from)) node->input[k] = text_of(o, to);
        for (size_t k = 0; k < node->n_output; k++)
            if (!strcmp(node->output[k], from)) node->output[k] = text_of(o, to);
    }
    for (int i = 0; i < o->graph->tensor_count; i++)
        for (int k = 0; o->values[i] && k < LAYOUTS; k++)
            if (o->values[i]->names[k] && !strcmp(o->values[i]->names[k], from)) o->values[i]->names[k] = to;
}

/* ---- attributes ---- */

static Onnx__AttributeProto *new_attribute(Onnx *o, const char *name, Onnx__AttributeProto__AttributeType type) {
    NEW_MESSAGE(o, Onnx__AttributeProto, onnx__attribute_proto__init);
    Onnx__NodeProto *node = o->nodes[o->node_count - 1];
    int n = (int)node->n_attribute;
    message->name = text_of(o, name);
    message->type = type;
    message->has_type = true;
    *PUSH(o->arena, node->attribute, n) = message;
    node->n_attribute = (size_t)n;
    return message;
}
#define NEW_ATTRIBUTE(o, name, TYPE) new_attribute(o, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##TYPE)

static ProtobufCBinaryData bytes_of(Onnx *o, const char *s) { return (ProtobufCBinaryData){strlen(s), (uint8_t *)text_of(o, s)}; }

void set_int(Onnx *o, const char *name, int64_t value) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, INT);
    a->i = value, a->has_i = true;
}

void set_real(Onnx *o, const char *name, double value) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, FLOAT);
    a->f = (float)value, a->has_f = true;
}

void set_word(Onnx *o, const char *name, const char *word) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, STRING);
    a->s = bytes_of(o, word), a->has_s = true;
}

void set_ints(Onnx *o, const char *name, const int64_t *values, int n) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, INTS);
    a->ints = NEW_ARRAY(o->arena, int64_t, n), a->n_ints = (size_t)n;
    for (int i = 0; i < n; i++) a->ints[i] = values[i];
}

void set_reals(Onnx *o, const char *name, const double *values, int n) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, FLOATS);
    a->floats = NEW_ARRAY(o->arena, float, n), a->n_floats = (size_t)n;
    for (int i = 0; i < n; i++) a->floats[i] = (float)values[i];
}

void set_words(Onnx *o, const char *name, const char *const *words, int n) {
    Onnx__AttributeProto *a = NEW_ATTRIBUTE(o, name, STRINGS);
    a->strings = NEW_ARRAY(o->arena, ProtobufCBinaryData, n), a->n_strings = (size_t)n;
    for (int i = 0; i < n; i++) a->strings[i] = bytes_of(o, words[i]);
}

/* ---- constants ---- */

static Onnx__TensorProto *new_constant(Onnx *o, const char *name, Onnx__TensorProto__DataType type, Shape s) {
    NEW_MESSAGE(o, Onnx__TensorProto, onnx__tensor_proto__init);
    message->name = text_of(o, new_name(o, name));
    message->data_type = (int32_t)type;
    message->has_data_type = true;
    message->dims = NEW_ARRAY(o->arena, int64_t, s.rank + 1);
    message->n_dims = (size_t)s.rank;
    for (int i = 0; i < s.rank; i++) message->dims[i] = s.dim[i];
    *PUSH(o->arena, o->constants, o->constant_count) = message;
    return message;
}
#define NEW_CONSTANT(o, name, TYPE, shape) new_constant(o, name, ONNX__TENSOR_PROTO__DATA_TYPE__##TYPE, shape)

const char *constant(Onnx *o, const char *name, Shape s, const double *values) {
    Onnx__TensorProto *t = NEW_CONSTANT(o, name, FLOAT, s);
    t->n_float_data = (size_t)shape_count(s);
    t->float_data = NEW_ARRAY(o->arena, float, t->n_float_data);
    for (size_t i = 0; i < t->n_float_data; i++) t->float_data[i] = (float)values[i];
    o->bytes += (double)t->n_float_data * sizeof(float);
    return t->name;
}

static const char *constant_name(Onnx *o, const Op *op) { return arena_printf(o->arena, "%s.c", op->outputs[0]->name); }

const char *number(Onnx *o, const Op *op, double value) { return constant(o, constant_name(o, op), (Shape){0}, &value); }

const char *integers(Onnx *o, const Op *op, const int64_t *values, int n) {
    Onnx__TensorProto *t = NEW_CONSTANT(o, constant_name(o, op), INT64, shape1(n));
    t->n_int64_data = (size_t)n;
    t->int64_data = NEW_ARRAY(o->arena, int64_t, n);
    for (int i = 0; i < n; i++) t->int64_data[i] = values[i];
    return t->name;
}

const char *integer32(Onnx *o, const Op *op, int32_t value) {
    Onnx__TensorProto *t = NEW_CONSTANT(o, constant_name(o, op), INT32, (Shape){0});
    t->n_int32_data = 1;
    t->int32_data = NEW(o->arena, int32_t);
    *t->int32_data = value;
    return t->name;
}

const double *permuted(Arena *arena, const double *values, Shape s, const int *order) {
    int64_t n = shape_count(s);
    double *out = NEW_ARRAY(arena, double, n);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = 0, rest = i;
        for (int k = s.rank - 1; k >= 0; rest /= s.dim[order[k--]]) from += rest % s.dim[order[k]] * stride_of(s, order[k]);
        out[i] = values[from];
    }
    return out;
}

/* ---- the file ---- */

static void add_dimension(Onnx *o, Onnx__TensorShapeProto *shape, int64_t value, const char *parameter) {
    NEW_MESSAGE(o, Onnx__TensorShapeProto__Dimension, onnx__tensor_shape_proto__dimension__init);
    int n = (int)shape->n_dim;
    if (parameter) message->dim_param = text_of(o, parameter);
    else message->dim_value = value, message->has_dim_value = true;
    *PUSH(o->arena, shape->dim, n) = message;
    shape->n_dim = (size_t)n;
}

/* Any number of examples. */
static Onnx__ValueInfoProto *describe_value(Onnx *o, const char *name, const Tensor *t) {
    static const int types[] = {
        [TYPE_REAL] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, [TYPE_U8] = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, [TYPE_I32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
    };
    NEW_MESSAGE(o, Onnx__ValueInfoProto, onnx__value_info_proto__init);
    message->name = text_of(o, name);
    message->type = NEW(o->arena, Onnx__TypeProto);
    onnx__type_proto__init(message->type);
    Onnx__TypeProto__Tensor *tensor = message->type->tensor_type = NEW(o->arena, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(tensor);
    tensor->elem_type = types[t->type];
    tensor->has_elem_type = true;
    tensor->shape = NEW(o->arena, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(tensor->shape);
    add_dimension(o, tensor->shape, 0, "batch");
    for (int i = 0; i < t->shape.rank; i++) add_dimension(o, tensor->shape, t->shape.dim[i], NULL);
    return message;
}

static Onnx__ValueInfoProto **describe_values(Onnx *o, Tensor *const *tensors, int n) {
    Onnx__ValueInfoProto **all = NEW_ARRAY(o->arena, Onnx__ValueInfoProto *, n);
    for (int i = 0; i < n; i++) all[i] = describe_value(o, value_in(o, tensors[i], LAST), tensors[i]);
    return all;
}

static Onnx__GraphProto *make_graph(Onnx *o) {
    Graph *g = o->graph;
    NEW_MESSAGE(o, Onnx__GraphProto, onnx__graph_proto__init);
    message->name = text_of(o, g->name);
    message->node = o->nodes, message->n_node = (size_t)o->node_count;
    message->initializer = o->constants, message->n_initializer = (size_t)o->constant_count;
    message->input = describe_values(o, g->inputs, g->input_count), message->n_input = (size_t)g->input_count;
    message->output = describe_values(o, g->outputs, g->output_count), message->n_output = (size_t)g->output_count;
    return message;
}

void pack_model(Onnx *o, Bytes *out) {
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    opset.domain = text_of(o, "");
    opset.version = OPSET, opset.has_version = true;
    model.ir_version = IR_VERSION, model.has_ir_version = true;
    model.producer_name = text_of(o, "cnnc");
    model.producer_version = text_of(o, CNNC_VERSION);
    model.opset_import = opsets, model.n_opset_import = 1;
    model.graph = make_graph(o);
    out->length = onnx__model_proto__get_packed_size(&model);
    out->data = NEW_ARRAY(o->arena, char, out->length);
    onnx__model_proto__pack(&model, (uint8_t *)out->data);
}
