/* onnx_convert.c: node by node to the Model's, inputs first and outputs last, and what the functions of onnx_ops.def share. */
#include "onnx.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a node's inputs and outputs -------------------------------------------------------------------------------------------- */

bool has_input(const OnnxNode *n, int i) { return i < n->input_count && n->inputs[i] >= 0; }
Numbers *constant_input(const Onnx *o, const OnnxNode *n, int i) { return has_input(n, i) ? o->values[n->inputs[i]].constant : NULL; }
View *view_input(const Onnx *o, const OnnxNode *n, int i) { return has_input(n, i) && !o->values[n->inputs[i]].constant ? o->values[n->inputs[i]].view : NULL; }
bool output_unused(const Onnx *o, const OnnxNode *n, int i) { return i >= n->output_count || n->outputs[i] < 0 || !o->values[n->outputs[i]].uses; }

bool set_view(Onnx *o, const OnnxNode *n, int output, View *v) {
    if (v && output < n->output_count && n->outputs[output] >= 0) {
        o->values[n->outputs[output]].view = v;
        o->values[n->outputs[output]].type = ONNX_FLOAT;
    }
    return v;
}

/* ---- nodes of the Model -------------------------------------------------------------------------------------------------------- */

/* "/features/0/Conv" of a Conv is features_0. */
static const char *clean_name(Onnx *o, const char *name, const char *type) {
    const char *last = strrchr(name, '/');
    if (last && last > name && !strcmp(last + 1, type)) name = arena_string(o->arena, name, (size_t)(last - name));
    char *clean = arena_string(o->arena, name, strlen(name)), *to = clean;
    for (const char *c = name; *c; c++) {
        bool letter = (unsigned char)*c < 0x80 && isalnum((unsigned char)*c);
        if (letter || (to > clean && to[-1] != '_')) *to++ = letter ? *c : '_';
    }
    while (to > clean && to[-1] == '_') to--;
    *to = 0;
    return *clean ? clean : NULL;
}

int emit_merge(Onnx *o, const OnnxNode *n, const char *word, const int *inputs, int count) {
    for (int i = 0; i < count; i++)
        if (inputs[i] < 0) return -1;
    return add_node(o->model, word, n ? clean_name(o, n->name, n->type) : NULL, inputs, count);
}

int emit_one(Onnx *o, const OnnxNode *n, const char *word, int input) { return emit_merge(o, n, word, &input, 1); }

void set_real(Onnx *o, int node, const char *key, double value) {
    char text[32];
    int digits = 1;
    while (snprintf(text, sizeof text, "%.*g", digits, value), strtof(text, NULL) != (float)value && digits < 9) digits++; /* as short as it is the same float */
    if (node >= 0) add_setting(o->model, node, key, "%s", (double)(float)value == value ? text : arena_real(o->arena, value));
}

void set_weight(Onnx *o, int node, const char *name, int rank, const int64_t *shape, const float *data) {
    size_t count;
    float *to = node < 0 || !data ? NULL : add_weight(o->model, node, name, rank, shape);
    if (to && element_count(rank, shape, &count)) memcpy(to, data, sizeof *to * count);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------------------- */

/* Where a value's dimensions come from: those of an input, in another order. */
typedef struct Origin { Port *port; int dims[ONNX_RANK]; } Origin;
typedef struct Wish { bool known; int order[ONNX_RANK], batch; } Wish; /* axes in memory, the batch among them */

static bool is_one_of(const char *type, const char *const *types) {
    while (*types && strcmp(type, *types)) types++;
    return *types;
}

static const char *const channels_first[] = {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization", "InstanceNormalization",
                                             "GroupNormalization", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth", NULL};
static const char *const recurrent[] = {"LSTM", "GRU", "RNN", NULL};
static const char *const with_graphs[] = {"If", "Loop", "Scan", NULL};
static const char *const as_they_are[] = {"Identity", "Cast", "Dropout", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Clip", "Add", "Sub", "Mul", "Div", "Pad", "PRelu", NULL};

static Origin *transposed(Onnx *o, const OnnxNode *n, const Origin *from) {
    int perm[ONNX_RANK];
    Origin *y = NEW(o->arena, Origin);
    y->port = from->port;
    if (!read_perm(n, from->port->rank, perm)) return NULL;
    for (int i = 0; i < from->port->rank; i++) y->dims[i] = from->dims[perm[i]];
    return y;
}

/* The first node that wants the axes of an input in an order decides it. */
static void find_wishes(Onnx *o, Wish *wishes) {
    const Origin **origins = NEW_ARRAY(o->arena, const Origin *, o->value_count + 1);
    for (int i = 0; i < o->input_count; i++) {
        Origin *own = NEW(o->arena, Origin);
        origins[o->inputs[i].value] = own;
        own->port = &o->inputs[i];
        for (int d = 0; d < ONNX_RANK; d++) own->dims[d] = d;
    }
    for (int i = 0; i < o->node_count; i++) {
        const OnnxNode *n = &o->nodes[i];
        const Origin *from = n->needed && has_input(n, 0) ? origins[n->inputs[0]] : NULL;
        if (!from || !n->output_count) continue;
        Wish *wish = &wishes[from->port - o->inputs];
        int rank = from->port->rank;
        const Origin *onward = !strcmp(n->type, "Transpose") ? transposed(o, n, from) : is_one_of(n->type, as_they_are) ? from : NULL;
        if (onward && n->outputs[0] >= 0) origins[n->outputs[0]] = onward;
        if (!wish->known && is_one_of(n->type, channels_first) && rank > 2) {
            *wish = (Wish){.known = true, .batch = from->dims[0]};
            for (int k = 0, d = 0; d < rank; d++)
                if (d != 1) wish->order[k++] = from->dims[d];
            wish->order[rank - 1] = from->dims[1];
        } else if (!wish->known && is_one_of(n->type, recurrent) && rank == 3) {
            *wish = (Wish){.known = true, .batch = from->dims[!attribute_int(n, "layout", 0)]};
            for (int d = 0; d < rank; d++) wish->order[d] = from->dims[d];
        }
    }
}

/* Its axes are known but for the batch, which comes first unless a layer says otherwise. */
static bool check_input(Onnx *o, Port *port, const Wish *wish) {
    const char *place = arena_printf(o->arena, "input '%s'", shown(o->model, port->name));
    port->batch = o->options->whole ? -1 : wish->known ? wish->batch : 0;
    for (int d = 0; d < port->rank; d++)
        if (d != port->batch && port->dims[d] < 0) return fail(o->model, place, "dimension %d has no size; only the batch's may be free", d), false;
    ElementType type = o->values[port->value].type;
    if (!is_real_type(type) && type != ONNX_U8 && type != ONNX_I32 && type != ONNX_I64)
        return fail(o->model, place, "has elements of type %d, which cnnc does not compute with", (int)type), false;
    for (int i = 0; i < port->rank; i++) {
        int d = wish->known ? wish->order[i] : i;
        if (d != port->batch) port->order[port->axes++] = d;
    }
    int64_t count = 1;
    for (int i = 0; i < port->axes; i++) {
        count *= port->dims[port->order[i]];
        if (count > INT32_MAX) return fail(o->model, place, "has 2^31 elements or more"), false;
    }
    if (port->axes && port->axes <= MAX_RANK) return true;
    return fail(o->model, place, "has %d axes beside the batch; cnnc takes 1 to %d", port->axes, MAX_RANK), false;
}

static void convert_inputs(Onnx *o) {
    Wish *wishes = NEW_ARRAY(o->arena, Wish, o->input_count + 1);
    find_wishes(o, wishes);
    for (int i = 0; i < o->input_count; i++) {
        Port *port = &o->inputs[i];
        Edge *value = &o->values[port->value];
        if (!value->uses) continue;
        if (!check_input(o, port, &wishes[i])) continue;
        int64_t shape[ONNX_RANK], batch = port->batch < 0 ? 0 : port->dims[port->batch];
        for (int k = 0; k < port->axes; k++) shape[k] = port->dims[port->order[k]];
        port->node = add_node(o->model, "input", clean_name(o, port->name, ""), NULL, 0);
        if (port->node < 0) return;
        add_setting(o->model, port->node, NULL, "%s", size_text(o, shape, port->axes));
        if (value->type == ONNX_U8) add_setting(o->model, port->node, "type", "u8");
        value->view = new_view(o, port->node, port->rank, port->dims, port->batch, batch < 0 ? 0 : batch, port->order, port->axes);
    }
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------------- */

/* In ONNX's order where that is how it lies, or where its axes do not lie one by one. */
static void convert_output(Onnx *o, Port *port) {
    const Edge *value = &o->values[port->value];
    const View *v = value->view;
    const OnnxNode *n = &o->nodes[value->producer];
    if (value->constant) fail(o->model, NULL, "output '%s' is a constant", shown(o->model, port->name));
    if (!value->constant && !v && !o->model->errors) refuse(o, n, "does not make the output '%s'", shown(o->model, port->name));
    if (value->constant || !v) return;
    o->current = n;
    port->batch = batch_dim(v);
    port->rank = v->rank;
    if (v->batch >= 0 && !is_batch(v, port->batch)) {
        refuse(o, n, "output '%s' has no axis that is the batch alone", shown(o->model, port->name));
        return;
    }
    if (!in_order(v, port->order, &port->axes))
        for (int d = port->axes = 0; d < v->rank; d++)
            if (d != port->batch) port->order[port->axes++] = d;
    port->node = arranged(o, n, v, port->order, port->axes);
    if (port->node < 0) return;
    bool taken = !strcmp(o->model->nodes[port->node].word, "input");
    for (int i = 0; i < o->model->output_count; i++) taken = taken || o->model->outputs[i] == port->node;
    if (taken) port->node = emit_one(o, n, "linear", port->node);
    if (port->node >= 0) add_output(o->model, port->node);
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------- */

static const struct { const char *type; Convert *convert; bool moves, any; } converts[] = {
#define OP(type, function) {#type, convert_##function, false, false},
#define ANY(type, function) {#type, convert_##function, false, true},
#define MOVES(type, function) {#type, convert_##function, true, false},
#include "onnx_ops.def"
#undef OP
#undef ANY
#undef MOVES
};

/* Whether all that it takes from is known, and whether all of it is constant. What is not was refused where it is made. */
static bool inputs_known(const Onnx *o, const OnnxNode *n, bool *constant) {
    *constant = true;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] < 0) continue;
        const Edge *v = &o->values[n->inputs[i]];
        if (!v->constant && !v->view) return false;
        *constant = *constant && v->constant;
    }
    return true;
}

static bool check_types(Onnx *o, const OnnxNode *n) {
    for (int i = 0; i < n->input_count; i++)
        if (view_input(o, n, i) && !is_real_type(o->values[n->inputs[i]].type)) return refuse(o, n, "computes with integers");
    return true;
}

static bool check_free(Onnx *o, const OnnxNode *n) {
    for (int i = 0; i < n->input_count && !takes_free(n); i++)
        if (constant_input(o, n, i) && constant_input(o, n, i)->free) return refuse(o, n, "depends on the size of the batch, which is free");
    return true;
}

static void convert_node(Onnx *o, const OnnxNode *n) {
    bool constant;
    if (!inputs_known(o, n, &constant)) return;
    if (*n->domain && strcmp(n->domain, "ai.onnx")) {
        refuse(o, n, "is of the domain '%s', not of ONNX itself", shown(o->model, n->domain));
        return;
    }
    if (!n->output_count || (n->outputs[0] >= 0 && o->values[n->outputs[0]].constant)) return;
    if (is_one_of(n->type, with_graphs)) {
        refuse(o, n, "cnnc has no such layer");
        return;
    }
    if (constant || can_fold(n)) {
        if (check_free(o, n)) onnx_fold(o, n);
        return;
    }
    for (int i = 0; i < LENGTH(converts); i++) {
        if (strcmp(n->type, converts[i].type)) continue;
        if (!has_input(n, 0)) refuse(o, n, "has no input");
        else if (!converts[i].any && !view_input(o, n, 0)) refuse(o, n, "its first input is constant");
        else if (!check_free(o, n)) return;
        else if (converts[i].moves) {
            if (converts[i].convert(o, n) && n->outputs[0] >= 0) o->values[n->outputs[0]].type = o->values[n->inputs[0]].type;
        } else if (converts[i].convert == convert_cast || converts[i].convert == convert_gather || check_types(o, n)) converts[i].convert(o, n);
        return;
    }
    refuse(o, n, "cnnc has no such layer");
}

void onnx_convert(Onnx *o) {
    convert_inputs(o);
    for (int i = 0; i < o->node_count; i++) {
        const OnnxNode *n = &o->nodes[i];
        if (!n->needed) continue;
        o->current = n;
        o->model->origin = node_place(o, n);
        if (n->match) convert_match(o, n);
        else convert_node(o, n);
    }
    o->model->origin = NULL;
    for (int i = 0; i < o->output_count; i++) convert_output(o, &o->outputs[i]);
}
