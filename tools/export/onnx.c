/* onnx.c: a graph that only predicts as an ONNX model: what each op becomes, in a table. */
#include "onnx.h"

#include <limits.h>
#include <string.h>

const Attr *attribute_of(const Op *op, const char *name) {
    for (int i = 0; i < op->def->call.attribute_count; i++)
        if (!strcmp(op->def->call.attributes[i].name, name)) return &op->attributes[i];
    bug("export: '%s' has no attribute '%s'", op->def->call.name, name);
}

const Op *bias_behind(Onnx *o, const Op *op) {
    const Op *reader = only_reader(o->graph, op->outputs[0]);
    if (!reader || strcmp(reader->def->call.name, "bias_add")) return NULL;
    o->done[reader->id] = true;
    return reader;
}

/* ---- ends and views ---- */

static void write_input(Onnx *o, const Op *op, const char *type) {
    double scale = attribute_of(op, "scale")->real, offset = attribute_of(op, "offset")->real;
    const char *x = value_in(o, op->inputs[0], LAST);
    if (op->inputs[0]->type == TYPE_U8) {
        x = add_node(o, op, type, IN(x));
        set_int(o, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    }
    if (scale != 1) x = add_node(o, op, "Mul", IN(x, number(o, op, scale)));
    if (offset != 0) x = add_node(o, op, "Add", IN(x, number(o, op, offset)));
    set_value(o, op->outputs[0], LAST, x);
}

/* Whether a name is an input's or that of an output before: then it stays. */
static bool is_taken(Onnx *o, const char *name) {
    const Graph *g = o->graph;
    for (int i = 0; i < g->input_count; i++)
        if (!strcmp(value_in(o, g->inputs[i], LAST), name)) return true;
    for (int i = 0; i < g->output_count; i++)
        if (o->values[g->outputs[i]->id] && !strcmp(value_in(o, g->outputs[i], LAST), name)) return true;
    return false;
}

/* What makes an output takes the name of its layer. */
static void write_output(Onnx *o, const Op *op, const char *type) {
    int i = 0;
    while (o->graph->outputs[i] != op->outputs[0]) i++;
    const char *x = value_in(o, op->inputs[0], LAST), *name = o->output_names[i];
    rename_value(o, is_taken(o, x) ? add_node(o, op, type, IN(x)) : x, name);
    set_value(o, op->outputs[0], LAST, name);
}

static void write_view(Onnx *o, const Op *op, const char *type) {
    o->rows[op->outputs[0]->id] = !strcmp(type, "row") || (strcmp(type, "sequence") && o->rows[op->inputs[0]->id]);
    set_alias(o, op->outputs[0], op->inputs[0]);
}

/* Of recurrent layers, which are written as a whole. */
static void write_nothing(Onnx *o, const Op *op, const char *type) { (void)o, (void)op, (void)type; }

/* ---- the table ---- */

static const struct { const char *op; OpWriter *write; const char *type; } writers[] = {
    {"input", write_input, "Cast"}, {"output", write_output, "Identity"}, {"row", write_view, "row"},
    {"sequence", write_view, "sequence"}, {"linear", write_view, "same"}, {"expand", write_view, "same"},
    {"conv2d", write_convolution, "Conv"}, {"depthwise_conv2d", write_convolution, "Conv"},
    {"conv2d_transpose", write_convolution, "ConvTranspose"}, {"max_pooling2d", write_pooling, "MaxPool"},
    {"average_pooling2d", write_pooling, "AveragePool"}, {"global_average_pooling2d", write_global_pooling, "Average"},
    {"global_average_pooling1d", write_global_pooling, "Average"}, {"global_max_pooling2d", write_global_pooling, "Max"},
    {"global_max_pooling1d", write_global_pooling, "Max"}, {"dense", write_dense, "Gemm"}, {"bias_add", write_vector, "Add"},
    {"channel_scale", write_vector, "Mul"}, {"embedding", write_embedding, "Gather"}, {"normalization", write_normalization, NULL},
    {"batch_normalization", write_batch_normalization, "BatchNormalization"},
    {"layer_normalization", write_layer_normalization, "LayerNormalization"},
    {"group_normalization", write_group_normalization, "InstanceNormalization"}, {"lstm", write_recurrent, NULL},
    {"gru", write_recurrent, NULL}, {"simple_rnn", write_recurrent, NULL}, {"last_row", write_nothing, NULL},
    {"reverse_rows", write_nothing, NULL}, {"flatten", write_flatten, "Flatten"}, {"reshape", write_reshape, "Reshape"},
    {"permute", write_permute, "Transpose"}, {"zero_padding2d", write_padding, "Pad"}, {"zero_padding1d", write_padding, "Pad"},
    {"cropping2d", write_cropping, "Slice"}, {"cropping1d", write_cropping, "Slice"}, {"up_sampling2d", write_up_sampling, "nearest"},
    {"up_sampling1d", write_up_sampling, "nearest"}, {"up_sampling_bilinear", write_up_sampling, "linear"},
    {"repeat_vector", write_repeat, "Expand"}, {"concatenate", write_concatenation, "Concat"}, {"add", write_merge, "Add"},
    {"subtract", write_merge, "Sub"}, {"multiply", write_merge, "Mul"}, {"maximum", write_merge, "Max"},
    {"minimum", write_merge, "Min"}, {"relu", write_unary, "Relu"}, {"leaky_relu", write_unary, "LeakyRelu"},
    {"elu", write_unary, "Elu"}, {"selu", write_unary, "Selu"}, {"softplus", write_unary, "Softplus"},
    {"softsign", write_unary, "Softsign"}, {"exponential", write_unary, "Exp"}, {"sigmoid", write_unary, "Sigmoid"},
    {"tanh", write_unary, "Tanh"}, {"hard_sigmoid", write_unary, "HardSigmoid"}, {"hard_silu", write_unary, "HardSwish"},
    {"relu6", write_clipped, "relu6"}, {"hard_tanh", write_clipped, "hard_tanh"}, {"relu_limited", write_activation, "relu"},
    {"relu_sloped", write_activation, "relu"}, {"gelu", write_activation, "gelu"}, {"gelu_near", write_activation, "gelu_near"},
    {"silu", write_activation, "silu"}, {"mish", write_activation, "mish"}, {"prelu", write_prelu, "PRelu"},
    {"prelu_channels", write_prelu, "PRelu"}, {"softmax", write_softmax, "Softmax"}, {"log_softmax", write_softmax, "LogSoftmax"},
    {"rescaling", write_scaled, "offset"}, {"scaled", write_scaled, "scale"},
};

static void write_op(Onnx *o, const Op *op) {
    if (op->def->idle) {
        write_view(o, op, "same");
        return;
    }
    for (int i = 0; i < LENGTH(writers); i++)
        if (!strcmp(writers[i].op, op->def->call.name)) {
            writers[i].write(o, op, writers[i].type);
            return;
        }
    error(o->graph->diag, op->layer->loc, "ONNX has nothing for '%s'", op->def->call.name);
}

bool write_onnx(Graph *g, Bytes *out) {
    Onnx o = {.graph = g, .arena = g->arena};
    o.values = NEW_ARRAY(g->arena, Named *, g->tensor_count), o.rows = NEW_ARRAY(g->arena, bool, g->tensor_count);
    o.done = NEW_ARRAY(g->arena, bool, g->op_count);
    bool *needed = needed_ops(g, g->outputs, g->output_count);
    for (int i = 0; i < g->input_count; i++) set_value(&o, g->inputs[i], LAST, new_name(&o, g->inputs[i]->layer->name));
    o.output_names = NEW_ARRAY(g->arena, const char *, g->output_count);
    for (int i = 0; i < g->output_count; i++) o.output_names[i] = new_name(&o, g->outputs[i]->layer->name);
    for (int i = 0; i < g->op_count && !g->diag->errors; i++)
        if (needed[i] && !o.done[g->ops[i]->id]) write_op(&o, g->ops[i]);
    if (g->diag->errors) return false;
    if (o.bytes > INT_MAX - (1 << 20)) return say_error("the weights have more than the 2 GiB that a file of ONNX may have"), false;
    pack_model(&o, out);
    return true;
}
