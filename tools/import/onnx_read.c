/* onnx_read.c: the protobuf as values and nodes, each node after those that it takes from; nothing of it is believed. */
#include "onnx.h"
#include "onnx.pb-c.h"

#include <string.h>

enum { OPSET_LEAST = 7, OPSET_MOST = 21, MOST_NODES = 1 << 17, MOST_MADE = 1 << 28, MOST_INPUTS = 1 << 12, MOST_LISTED = 1 << 20 };

const char *node_place(Onnx *o, const OnnxNode *n) {
    const char *name = n->name;
    for (int i = 0; i < n->output_count && !*name; i++)
        if (n->outputs[i] >= 0) name = o->values[n->outputs[i]].name;
    return arena_printf(o->arena, "node '%s' (%s)", shown(o->model, name), shown(o->model, n->type));
}

bool refuse(Onnx *o, const OnnxNode *n, const char *format, ...) {
    StrBuf text = {0};
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    fail(o->model, node_place(o, n ? n : o->current), "%s", text.text);
    strbuf_free(&text);
    return false;
}

bool afford(Onnx *o, int64_t count) {
    if (count >= 0 && count <= MOST_MADE - o->spent) return o->spent += count, true;
    return refuse(o, NULL, "needs too many constants that are not in the file");
}

/* ---- attributes -------------------------------------------------------------------------------------------------------- */

enum { ATTRIBUTE_REAL = 1, ATTRIBUTE_INT, ATTRIBUTE_TEXT, ATTRIBUTE_TENSOR, ATTRIBUTE_REALS = 6, ATTRIBUTE_INTS, ATTRIBUTE_TEXTS };

/* One of the wanted type; files before there were types have 0. */
static const Onnx__AttributeProto *find(const OnnxNode *n, const char *name, int type) {
    const Onnx__NodeProto *node = n->attributes;
    for (size_t i = 0; node && i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (!strcmp(a->name, name) && (!type || !a->type || a->type == type)) return a;
    }
    return NULL;
}

bool has_attribute(const OnnxNode *n, const char *name) { return find(n, name, 0); }

int64_t attribute_int(const OnnxNode *n, const char *name, int64_t fallback) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_INT);
    return a ? a->i : fallback;
}

double attribute_real(const OnnxNode *n, const char *name, double fallback) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_REAL);
    return a ? (double)a->f : fallback;
}

const char *attribute_text(const OnnxNode *n, const char *name, const char *fallback) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_TEXT);
    return a ? (const char *)a->s.data : fallback;
}

const int64_t *attribute_ints(const OnnxNode *n, const char *name, int *count) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_INTS);
    *count = a ? (int)a->n_ints : 0;
    return a ? a->ints : NULL;
}

const float *attribute_reals(const OnnxNode *n, const char *name, int *count) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_REALS);
    *count = a ? (int)a->n_floats : 0;
    return a ? a->floats : NULL;
}

const char *attribute_texts(const OnnxNode *n, const char *name, int i, int *count) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_TEXTS);
    *count = a ? (int)a->n_strings : 0;
    return a && i < *count ? (const char *)a->strings[i].data : "";
}

const void *attribute_tensor(const OnnxNode *n, const char *name) {
    const Onnx__AttributeProto *a = find(n, name, ATTRIBUTE_TENSOR);
    return a ? a->t : NULL;
}

/* protobuf-c leaves bytes unterminated. */
static void terminate(Onnx *o, ProtobufCBinaryData *bytes) { bytes->data = (uint8_t *)arena_string(o->arena, bytes->data ? (const char *)bytes->data : "", bytes->len); }

static void terminate_texts(Onnx *o, Onnx__NodeProto *node) {
    for (size_t i = 0; i < node->n_attribute; i++) {
        terminate(o, &node->attribute[i]->s);
        for (size_t k = 0; k < node->attribute[i]->n_strings; k++) terminate(o, &node->attribute[i]->strings[k]);
    }
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

typedef struct Reading { Onnx *o; Map by_name; } Reading;

/* Its index, made if there is none yet; -1 for an empty name. */
static int value_of(Reading *r, const char *name) {
    if (!*name) return -1;
    Onnx *o = r->o;
    const int *found = map_get(&r->by_name, name);
    if (found) return *found;
    int *index = NEW(o->arena, int);
    *index = o->value_count;
    *PUSH(o->arena, o->values, o->value_count) = (Edge){.name = name, .producer = -1};
    map_set(o->arena, &r->by_name, name, index);
    return *index;
}

static bool read_initializers(Reading *r, const Onnx__GraphProto *g) {
    Onnx *o = r->o;
    if (g->n_sparse_initializer) return fail(o->model, NULL, "has sparse weights, which cnnc does not take"), false;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const char *name = g->initializer[i]->name;
        int v = value_of(r, name);
        if (v < 0) return fail(o->model, NULL, "a weight has no name"), false;
        if (o->values[v].constant) return fail(o->model, shown(o->model, name), "there are two weights of this name"), false;
        o->values[v].constant = tensor_constant(o, g->initializer[i], arena_printf(o->arena, "weight '%s'", shown(o->model, name)));
        if (!o->values[v].constant) return false;
    }
    for (int i = 0; i < o->options->constant_count; i++) {
        int v = value_of(r, o->options->constant_names[i]);
        if (v < 0 || !(o->values[v].constant = tensor_file(o, o->options->constant_paths[i]))) return false;
    }
    return true;
}

/* The shape of an input; free dimensions are -1. */
static bool read_type(Onnx *o, const Onnx__ValueInfoProto *info, Port *port) {
    const Onnx__TypeProto__Tensor *type = info->type ? info->type->tensor_type : NULL;
    const char *place = arena_printf(o->arena, "input '%s'", shown(o->model, info->name));
    if (!type) return fail(o->model, place, "is no tensor"), false;
    if (!type->shape) return fail(o->model, place, "has no shape"), false;
    if (type->shape->n_dim > ONNX_RANK) return fail(o->model, place, "has %zu dimensions, more than %d", type->shape->n_dim, ONNX_RANK), false;
    o->values[port->value].type = (ElementType)type->elem_type;
    port->rank = (int)type->shape->n_dim;
    for (int d = 0; d < port->rank; d++) {
        const Onnx__TensorShapeProto__Dimension *dim = type->shape->dim[d];
        port->dims[d] = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? dim->dim_value : -1;
        if (port->dims[d] < -1 || port->dims[d] > INT32_MAX) return fail(o->model, place, "dimension %d is %lld", d, (long long)port->dims[d]), false;
        if (!port->dims[d]) port->dims[d] = -1; /* as some exporters write what is free */
    }
    return true;
}

static bool read_ports(Reading *r, Onnx__ValueInfoProto *const *infos, size_t count, Port **ports, int *port_count, bool inputs) {
    Onnx *o = r->o;
    if (count > MOST_INPUTS) return fail(o->model, NULL, "has %zu %s", count, inputs ? "inputs" : "outputs"), false;
    for (size_t i = 0; i < count; i++) {
        int v = value_of(r, infos[i]->name);
        if (v < 0) return fail(o->model, NULL, "an %s has no name", inputs ? "input" : "output"), false;
        if (inputs && o->values[v].constant) continue;
        Port port = {.name = infos[i]->name, .value = v, .node = -1, .rank = -1};
        if (inputs && !read_type(o, infos[i], &port)) return false;
        for (int k = 0; k < *port_count; k++)
            if ((*ports)[k].value == v) return fail(o->model, NULL, "'%s' is listed twice", shown(o->model, infos[i]->name)), false;
        *PUSH(o->arena, *ports, *port_count) = port;
    }
    return true;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------------- */

static bool read_node(Reading *r, Onnx__NodeProto *from, OnnxNode *n) {
    Onnx *o = r->o;
    *n = (OnnxNode){.name = from->name, .type = from->op_type, .domain = from->domain, .attributes = from};
    terminate_texts(o, from);
    if (from->n_input > MOST_INPUTS || from->n_output > MOST_INPUTS) return refuse(o, n, "has more than %d inputs or outputs", MOST_INPUTS);
    n->inputs = NEW_ARRAY(o->arena, int, from->n_input + 1);
    n->outputs = NEW_ARRAY(o->arena, int, from->n_output + 1);
    for (size_t i = 0; i < from->n_input; i++) n->inputs[n->input_count++] = value_of(r, from->input[i]);
    for (size_t i = 0; i < from->n_output; i++) {
        int v = n->outputs[n->output_count++] = value_of(r, from->output[i]);
        if (v < 0) continue;
        if (o->values[v].constant || o->values[v].producer >= 0) return refuse(o, n, "'%s' is made twice", shown(o->model, o->values[v].name));
        o->values[v].producer = o->node_count;
    }
    for (size_t i = 0; i < from->n_attribute; i++) {
        const Onnx__AttributeProto *a = from->attribute[i];
        if (*a->ref_attr_name) return refuse(o, n, "attribute '%s' is that of a function", shown(o->model, a->name));
        if (a->n_ints > MOST_LISTED || a->n_floats > MOST_LISTED || a->n_strings > MOST_LISTED)
            return refuse(o, n, "attribute '%s' has more than %d elements", shown(o->model, a->name), MOST_LISTED);
    }
    return true;
}

static bool read_nodes(Reading *r, const Onnx__GraphProto *g) {
    Onnx *o = r->o;
    if (g->n_node > MOST_NODES) return fail(o->model, NULL, "has %zu nodes, more than %d", g->n_node, MOST_NODES), false;
    o->nodes = NEW_ARRAY(o->arena, OnnxNode, g->n_node + 1);
    for (; o->node_count < (int)g->n_node; o->node_count++)
        if (!read_node(r, g->node[o->node_count], &o->nodes[o->node_count])) return false;
    for (int i = 0; i < o->input_count; i++)
        if (o->values[o->inputs[i].value].producer >= 0) return fail(o->model, NULL, "input '%s' is made by a node, too", shown(o->model, o->inputs[i].name)), false;
    return true;
}

/* For each node those that take from it: readers[first[i]] .. readers[first[i + 1] - 1]; waits: from how many others a node takes. */
typedef struct Readers { int *first, *readers, *waits; } Readers;

static int producer_of(const Onnx *o, int value) { return value < 0 ? -1 : o->values[value].producer; }

static Readers find_readers(const Onnx *o) {
    size_t n = (size_t)o->node_count;
    Readers r = {NEW_ARRAY(o->arena, int, n + 2), NULL, NEW_ARRAY(o->arena, int, n + 1)};
    for (int i = 0; i < o->node_count; i++)
        for (int k = 0; k < o->nodes[i].input_count; k++) {
            int p = producer_of(o, o->nodes[i].inputs[k]);
            if (p >= 0) r.waits[i]++, r.first[p + 1]++;
        }
    for (int i = 0; i < o->node_count; i++) r.first[i + 1] += r.first[i];
    int *next = memcpy(NEW_ARRAY(o->arena, int, n + 1), r.first, sizeof *next * n);
    r.readers = NEW_ARRAY(o->arena, int, r.first[n] + 1);
    for (int i = 0; i < o->node_count; i++)
        for (int k = 0; k < o->nodes[i].input_count; k++) {
            int p = producer_of(o, o->nodes[i].inputs[k]);
            if (p >= 0) r.readers[next[p]++] = i;
        }
    return r;
}

/* Kahn's algorithm, in the file's order where that is one already. What nobody makes counts as made if it is an input or constant. */
static bool sort_nodes(Onnx *o) {
    Readers r = find_readers(o);
    int *ready = NEW_ARRAY(o->arena, int, o->node_count + 1), ready_count = 0;
    for (int i = 0; i < o->node_count; i++)
        if (!r.waits[i]) ready[ready_count++] = i;
    OnnxNode *sorted = NEW_ARRAY(o->arena, OnnxNode, o->node_count + 1);
    for (int i = 0; i < ready_count; i++) {
        sorted[i] = o->nodes[ready[i]];
        for (int k = r.first[ready[i]]; k < r.first[ready[i] + 1]; k++)
            if (!--r.waits[r.readers[k]]) ready[ready_count++] = r.readers[k];
    }
    for (int i = 0; i < o->node_count && ready_count < o->node_count; i++)
        if (r.waits[i]) return refuse(o, &o->nodes[i], "takes from itself, through others or not");
    o->nodes = sorted;
    for (int i = 0; i < o->node_count; i++)
        for (int k = 0; k < sorted[i].output_count; k++)
            if (sorted[i].outputs[k] >= 0) o->values[sorted[i].outputs[k]].producer = i;
    return true;
}

static bool check_made(Onnx *o) {
    bool *given = NEW_ARRAY(o->arena, bool, o->value_count + 1), fine = true;
    for (int i = 0; i < o->input_count; i++) given[o->inputs[i].value] = true;
    for (int i = 0; i < o->node_count; i++)
        for (int k = 0; k < o->nodes[i].input_count; k++) {
            int v = o->nodes[i].inputs[k];
            if (v < 0 || given[v] || o->values[v].constant || o->values[v].producer >= 0) continue;
            fine = refuse(o, &o->nodes[i], "there is no '%s'", shown(o->model, o->values[v].name));
            given[v] = true;
        }
    for (int i = 0; i < o->output_count; i++) {
        const Edge *v = &o->values[o->outputs[i].value];
        if (v->producer < 0) fail(o->model, NULL, "no node makes the output '%s'", shown(o->model, v->name)), fine = false;
    }
    return fine;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

static bool read_opset(Onnx *o, const Onnx__ModelProto *m) {
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = m->opset_import[i];
        if (*set->domain && strcmp(set->domain, "ai.onnx")) continue; /* nodes tell whether they are of it */
        if (set->version < OPSET_LEAST || set->version > OPSET_MOST)
            return fail(o->model, NULL, "is of version %lld of ONNX's operators; cnnc takes %d to %d", (long long)set->version, OPSET_LEAST, OPSET_MOST), false;
        o->opset = (int)set->version;
    }
    if (!o->opset) fail(o->model, NULL, "does not say of which version its operators are; is it a model of ONNX?");
    return o->opset;
}

/* What protobuf-c allocates lives as long as the model. */
static void *take(void *arena, size_t size) { return arena_alloc(arena, size); }
static void leave(void *arena, void *memory) { (void)arena, (void)memory; }

bool onnx_read(Onnx *o, const char *path) {
    char *bytes;
    size_t length;
    const char *message = read_file(o->arena, path, &bytes, &length);
    if (message) return fail(o->model, NULL, "%s", message), false;
    ProtobufCAllocator allocator = {take, leave, o->arena};
    Onnx__ModelProto *m = length ? onnx__model_proto__unpack(&allocator, length, (const uint8_t *)bytes) : NULL;
    if (!m) return fail(o->model, NULL, "is no file of ONNX, or a damaged one; what can be imported: .keras, .h5, .onnx"), false;
    if (!m->graph) return fail(o->model, NULL, "has no graph; is it a model of ONNX?"), false;
    if (!read_opset(o, m)) return false;
    Reading r = {.o = o};
    o->spent = -(int64_t)length; /* what is in the file may be had several times in other orders */
    if (o->options->outputs && m->graph->n_output > (size_t)o->options->outputs) m->graph->n_output = (size_t)o->options->outputs;
    return read_initializers(&r, m->graph) && read_ports(&r, m->graph->input, m->graph->n_input, &o->inputs, &o->input_count, true) &&
           read_nodes(&r, m->graph) && read_ports(&r, m->graph->output, m->graph->n_output, &o->outputs, &o->output_count, false) &&
           (o->output_count || (fail(o->model, NULL, "has no output"), false)) && sort_nodes(o) && check_made(o);
}
