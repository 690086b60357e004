/* onnx_recurrent.c: LSTM, GRU and RNN. ONNX has the gates of an LSTM in the order i, o, f, c, cnnc, as Keras, i, f, c, o; both have z, r, h of
 * a GRU. A bidirectional one is two layers side by side. */
#include "onnx.h"

#include <string.h>
#include <strings.h>

typedef struct Cell { const char *type, *word, *part; int gates, order[4]; } Cell; /* order: which gate of ONNX's cnnc has there */
static const Cell cells[] = {
    {"LSTM", "lstm", "lstm_cell", 4, {0, 2, 3, 1}}, {"GRU", "gru", "gru_cell", 3, {0, 1, 2}}, {"RNN", "simple_rnn", "simple_rnn_cell", 1, {0}},
};
typedef struct Sizes { int64_t steps, features, units; int directions; } Sizes;

static const char *activation_word(const char *name) {
    static const char *const words[][2] = {{"Sigmoid", "sigmoid"}, {"Tanh", "tanh"}, {"Relu", "relu"}, {"Softsign", "softsign"}, {"Softplus", "softplus"}};
    for (int i = 0; i < LENGTH(words); i++)
        if (!strcasecmp(name, words[i][0])) return words[i][1];
    return NULL;
}

/* Of the gates and of the state; false after an error. LSTM has f, g, h, of which g and h must be one. */
static bool find_activations(Onnx *o, const OnnxNode *n, const Cell *cell, int direction, const char **gates, const char **state) {
    int each = cell->gates == 4 ? 3 : cell->gates == 3 ? 2 : 1, count;
    *gates = "sigmoid", *state = "tanh";
    attribute_texts(n, "activations", 0, &count);
    if (!count) return true;
    const char *words[3] = {0};
    for (int i = 0; i < each; i++) {
        int at = direction * each + i;
        const char *name = attribute_texts(n, "activations", at, &count);
        words[i] = at < count ? activation_word(name) : NULL;
        if (!words[i]) return refuse(o, n, "has the activation '%s'", shown(o->model, at < count ? name : ""));
    }
    if (each == 3 && strcmp(words[1], words[2])) return refuse(o, n, "has one activation for what enters the cell, another for what leaves it");
    *state = words[each > 1];
    if (each > 1) *gates = words[0];
    return true;
}

/* Zero, or not there. */
static bool is_zero(const Onnx *o, const OnnxNode *n, int input) {
    double value;
    return !has_input(n, input) || (constant_input(o, n, input) && is_uniform(constant_input(o, n, input), &value) && value == 0);
}

static bool check_cell(Onnx *o, const OnnxNode *n, const Cell *cell, const Sizes *s) {
    double length;
    const Numbers *lengths = constant_input(o, n, 4);
    if (has_input(n, 4) && (!lengths || !is_uniform(lengths, &length) || length != (double)s->steps)) return refuse(o, n, "has sequences of different lengths");
    if (!is_zero(o, n, 5) || (cell->gates == 4 && !is_zero(o, n, 6))) return refuse(o, n, "starts with a state that is not zero");
    if (cell->gates == 4 && !is_zero(o, n, 7)) return refuse(o, n, "has peepholes");
    if (has_attribute(n, "clip") || attribute_int(n, "input_forget", 0)) return refuse(o, n, "has a clip, or its gates coupled");
    if (has_attribute(n, "activation_alpha") || has_attribute(n, "activation_beta")) return refuse(o, n, "has activations with options");
    if (cell->gates == 3 && !attribute_int(n, "linear_before_reset", 0)) return refuse(o, n, "resets the state before the product (linear_before_reset=0); cnnc does it after");
    return cell->gates != 4 || output_unused(o, n, 2) || refuse(o, n, "gives the cell's state, too");
}

/* [directions][gates * rows][columns], rows being units: its part of a direction, turned, gates in cnnc's order. */
static float *turned(Onnx *o, const Cell *cell, const float *from, int64_t units, int64_t columns) {
    if (!afford(o, cell->gates * units * columns)) return NULL;
    float *to = NEW_ARRAY(o->arena, float, cell->gates * units * columns);
    for (int64_t g = 0; g < cell->gates; g++)
        for (int64_t u = 0; u < units; u++)
            for (int64_t c = 0; c < columns; c++) to[(c * cell->gates + g) * units + u] = from[(cell->order[g] * units + u) * columns + c];
    return to;
}

/* The biases of input and state: two of a GRU, of others their sum. */
static void set_bias(Onnx *o, const Cell *cell, int node, const float *from, int64_t units) {
    int64_t columns = cell->gates * units, shape[] = {2, columns};
    float *both = NEW_ARRAY(o->arena, float, 2 * columns);
    const float *parts[] = {turned(o, cell, from, units, 1), turned(o, cell, from + columns, units, 1)};
    for (int64_t i = 0; i < columns && parts[0] && parts[1]; i++) both[i] = parts[0][i], both[columns + i] = parts[1][i];
    for (int64_t i = 0; i < columns && cell->gates != 3; i++) both[i] += both[columns + i];
    const char *name = arena_printf(o->arena, "%s/bias", cell->part);
    if (cell->gates == 3) set_weight(o, node, name, 2, shape, both);
    else set_weight(o, node, name, 1, &columns, both);
}

static bool has_shape(const Numbers *c, int rank, int64_t a, int64_t b, int64_t d) {
    return c && c->reals && c->rank == rank && c->dims[0] == a && c->dims[1] == b && (rank < 3 || c->dims[2] == d);
}

/* One direction over the node; the states of all steps, or the last one. */
static int emit_direction(Onnx *o, const OnnxNode *n, const Cell *cell, const Sizes *s, int x, int direction, bool backwards, bool sequences) {
    const Numbers *w = constant_input(o, n, 1), *r = constant_input(o, n, 2), *b = constant_input(o, n, 3);
    int64_t columns = cell->gates * s->units;
    const char *gates, *state;
    if (!find_activations(o, n, cell, direction, &gates, &state)) return -1;
    int node = emit_one(o, n, cell->word, x);
    if (node < 0) return -1;
    add_setting(o->model, node, NULL, "%lld", (long long)s->units);
    add_setting(o->model, node, "activation", "%s", state);
    if (cell->gates > 1) add_setting(o->model, node, "recurrent_activation", "%s", gates);
    if (sequences) add_setting(o->model, node, "return_sequences", "true");
    if (backwards) add_setting(o->model, node, "go_backwards", "true");
    if (!b) add_setting(o->model, node, "use_bias", "false");
    const float *kernel = turned(o, cell, w->reals + direction * columns * s->features, s->units, s->features);
    const float *recurrent = turned(o, cell, r->reals + direction * columns * s->units, s->units, s->units);
    set_weight(o, node, arena_printf(o->arena, "%s/kernel", cell->part), 2, (int64_t[]){s->features, columns}, kernel);
    set_weight(o, node, arena_printf(o->arena, "%s/recurrent_kernel", cell->part), 2, (int64_t[]){s->units, columns}, recurrent);
    if (b) set_bias(o, cell, node, b->reals + direction * 2 * columns, s->units);
    return node;
}

/* With the steps of a layer that went backwards in their own order again. */
static int in_time(Onnx *o, const OnnxNode *n, int node, const Sizes *s) {
    int64_t dims[] = {s->steps, s->units};
    if (s->steps > 1 << 12) return refuse(o, n, "goes backwards over more than %d steps", 1 << 12), -1;
    if (!afford(o, s->steps * s->steps)) return -1;
    float *mirror = NEW_ARRAY(o->arena, float, s->steps * s->steps);
    for (int64_t i = 0; i < s->steps; i++) mirror[i * s->steps + s->steps - 1 - i] = 1;
    View *v = new_view(o, node, 2, dims, -1, 0, (int[]){0, 1}, 2), *y = s->steps > 1 ? along(o, NULL, v, 0, s->steps, mirror) : v;
    return y ? arranged(o, n, y, (int[]){0, 1}, 2) : -1;
}

/* Y is [steps][directions][batch][units], Y_h has no steps; with layout 1 the batch is first. Axes of size 1 have no parts. */
static View *state_view(Onnx *o, const View *x, int node, const Sizes *s, bool sequences, bool layout) {
    int order[3], axes = 0, rank = 0, batch, direction, step = -1;
    int64_t dims[4];
    if (layout) batch = rank++;
    if (sequences) step = rank++;
    direction = rank++;
    if (!layout) batch = rank++;
    dims[batch] = 1, dims[direction] = s->directions, dims[rank] = s->units;
    if (sequences) dims[step] = s->steps, order[axes++] = step;
    if (s->directions > 1) order[axes++] = direction;
    order[axes++] = rank;
    View *v = new_view(o, node, rank + 1, dims, x->batch < 0 ? -1 : batch, batch_size(x), order, axes);
    if (v && s->directions > 1) v->axes--, v->shape[v->axes - 1] = s->directions * s->units; /* as they were joined */
    return v;
}

/* Of the states of all steps, as the layer has them, the last one. */
static int last_state(Onnx *o, int node, const Sizes *s) {
    int last = s->steps > 1 ? emit_one(o, NULL, "cropping1d", node) : node;
    if (last >= 0 && s->steps > 1) add_setting(o->model, last, NULL, "(%lld,0)", (long long)s->steps - 1);
    return reshaped(o, last, 1, &s->units);
}

/* Y and Y_h, as far as they are used, of the same layers. */
static bool set_states(Onnx *o, const OnnxNode *n, const Cell *cell, const Sizes *s, const View *x, int input) {
    bool reverse = !strcmp(attribute_text(n, "direction", "forward"), "reverse"), used[2] = {!output_unused(o, n, 0), !output_unused(o, n, 1)};
    int nodes[2][2] = {{-1, -1}, {-1, -1}}; /* of Y and Y_h, for each direction */
    for (int d = 0; d < s->directions; d++) {
        bool backwards = reverse || d;
        int node = emit_direction(o, n, cell, s, input, d, backwards, used[0]);
        if (node < 0) return false;
        if (used[1]) nodes[1][d] = used[0] ? last_state(o, node, s) : node;
        if (used[0]) nodes[0][d] = backwards ? in_time(o, n, node, s) : node;
    }
    for (int k = 0; k < 2; k++) {
        if (!used[k]) continue;
        int node = s->directions > 1 ? emit_merge(o, NULL, "concatenate", nodes[k], 2) : nodes[k][0];
        if (!set_view(o, n, k, state_view(o, x, node, s, !k, attribute_int(n, "layout", 0)))) return false;
    }
    return true;
}

bool convert_recurrent(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    const Numbers *w = constant_input(o, n, 1), *r = constant_input(o, n, 2);
    const Cell *cell = cells;
    while (strcmp(n->type, cell->type)) cell++;
    int layout = attribute_int(n, "layout", 0) != 0;
    const char *direction = attribute_text(n, "direction", "forward");
    if (x->rank != 3 || !w || !r || w->rank != 3 || r->rank != 3) return refuse(o, n, "its input is no sequences, or its weights are not constant");
    if (strcmp(direction, "forward") && strcmp(direction, "reverse") && strcmp(direction, "bidirectional")) return refuse(o, n, "has the direction '%s'", shown(o->model, direction));
    Sizes s = {view_dim(x, layout), view_dim(x, 2), r->dims[2], strcmp(direction, "bidirectional") ? 1 : 2};
    if (s.units < 1 || s.units > 1 << 20 || s.features < 1 || s.steps < 1) return refuse(o, n, "its sizes are wrong; is its batch where it should be?");
    int64_t rows = cell->gates * s.units;
    if (!has_shape(w, 3, s.directions, rows, s.features) || !has_shape(r, 3, s.directions, rows, s.units))
        return refuse(o, n, "its weights do not fit its input");
    if (has_input(n, 3) && !has_shape(constant_input(o, n, 3), 2, s.directions, 2 * rows, 0)) return refuse(o, n, "its biases do not fit");
    if (has_attribute(n, "hidden_size") && attribute_int(n, "hidden_size", 0) != s.units) return refuse(o, n, "its hidden_size is not that of its weights");
    if (!check_cell(o, n, cell, &s)) return false;
    int input = arranged(o, n, x, (int[]){layout, 2}, 2);
    return input >= 0 && set_states(o, n, cell, &s, x, input);
}
