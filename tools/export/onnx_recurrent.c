/* onnx_recurrent.c: lstm, gru, simple_rnn: all ops of such a layer are one node, whose states come step by step, then batch by batch. */
#include "onnx.h"

#include <string.h>

/* ONNX's gates in their order, by their places in Keras's; hidden: activations of a step, G: of gates. */
typedef struct Cell { const char *layer, *type, *activations; int gates, order[4]; } Cell;
static const Cell cells[] = {
    {"lstm", "LSTM", "GHH", 4, {0, 3, 1, 2}},
    {"gru", "GRU", "GH", 3, {0, 1, 2}},
    {"simple_rnn", "RNN", "H", 1, {0}},
};

static const struct { const char *word, *type; int numbers; double alpha, beta; } activations[] = {
    {"tanh", "Tanh", 0, 0, 0}, {"sigmoid", "Sigmoid", 0, 0, 0}, {"relu", "Relu", 0, 0, 0}, {"softsign", "Softsign", 0, 0, 0},
    {"softplus", "Softplus", 0, 0, 0}, {"linear", "Affine", 2, 1, 0}, {"hard_sigmoid", "HardSigmoid", 2, 1.0 / 6, 0.5},
};

static const Cell *cell_of(const Layer *l) {
    for (int i = 0; i < LENGTH(cells); i++)
        if (!strcmp(cells[i].layer, l->def->call.name)) return &cells[i];
    return NULL;
}

bool is_recurrent(const Layer *l) { return cell_of(l) != NULL; }

static const Tensor *weight(const Onnx *o, const Layer *l, const char *name) {
    for (int i = 0; i < o->graph->parameter_count; i++)
        if (o->graph->parameters[i]->layer == l && !strcmp(o->graph->parameters[i]->weight, name)) return o->graph->parameters[i];
    return NULL;
}

/* [in][gates * units] becomes [1][gates * units][in], the gates in ONNX's order. */
static const char *matrix(Onnx *o, const Cell *cell, const Tensor *w) {
    int in = w->shape.dim[0], columns = w->shape.dim[1], units = columns / cell->gates;
    double *values = NEW_ARRAY(o->arena, double, (int64_t)in * columns);
    for (int c = 0; c < columns; c++)
        for (int i = 0; i < in; i++) values[(int64_t)c * in + i] = w->values[(int64_t)i * columns + cell->order[c / units] * units + c % units];
    return constant(o, weight_path(o->arena, w), shape3(1, columns, in), values);
}

/* One bias of the inputs and one of the state, which only gru has. */
static const char *biases(Onnx *o, const Cell *cell, const Tensor *w) {
    int count = (int)shape_count(w->shape), columns = last_dim(w->shape), units = columns / cell->gates;
    double *values = NEW_ARRAY(o->arena, double, 2 * (int64_t)columns);
    for (int i = 0; i < count; i++) values[i] = w->values[i / columns * columns + cell->order[i % columns / units] * units + i % units];
    return constant(o, weight_path(o->arena, w), shape2(1, 2 * columns), values);
}

/* False after an error. */
static bool set_activations(Onnx *o, const Layer *l, const Cell *cell) {
    const char *words[3];
    double alphas[3], betas[3];
    int n = 0, numbers = 0;
    for (const char *a = cell->activations; *a; a++) {
        const Attr *written = layer_attribute(l, *a == 'G' ? "recurrent_activation" : "activation");
        int k = 0;
        while (k < LENGTH(activations) && strcmp(activations[k].word, written->word)) k++;
        if (k == LENGTH(activations)) {
            error(o->graph->diag, written->given ? written->loc : l->loc, "ONNX has no '%s' inside of '%s'", written->word, l->def->call.name);
            return false;
        }
        words[n++] = activations[k].type;
        if (activations[k].numbers) alphas[numbers] = activations[k].alpha, betas[numbers++] = activations[k].beta;
    }
    set_words(o, "activations", words, n);
    if (numbers) set_reals(o, "activation_alpha", alphas, numbers), set_reals(o, "activation_beta", betas, numbers);
    return true;
}

static const char *reversed(Onnx *o, const Op *op, const char *x) {
    const int64_t start = -1, end = -INT64_MAX, axis = 1, step = -1;
    return add_node(o, op, "Slice", IN(x, integers(o, op, &start, 1), integers(o, op, &end, 1), integers(o, op, &axis, 1), integers(o, op, &step, 1)));
}

static const char *with_steps_swapped(Onnx *o, const Op *op, const char *x) {
    const char *y = add_node(o, op, "Transpose", IN(x));
    set_ints(o, "perm", (int64_t[]){1, 0, 2}, 3);
    return y;
}

void write_recurrent(Onnx *o, const Op *op, const char *type) {
    const Layer *l = op->layer;
    const Cell *cell = cell_of(l);
    const Tensor *kernel = weight(o, l, "kernel"), *recurrent = weight(o, l, "recurrent_kernel"), *bias = weight(o, l, "bias");
    if (!cell || !kernel || !recurrent) bug("a recurrent layer without its weights");
    const char *x = value_in(o, l->inputs[0], LAST);
    (void)type;
    if (layer_attribute(l, "go_backwards")->real != 0) x = reversed(o, op, x);
    x = with_steps_swapped(o, op, x);
    const char *inputs[] = {x, matrix(o, cell, kernel), matrix(o, cell, recurrent), bias ? biases(o, cell, bias) : ""};
    const char *states = add_node(o, op, cell->type, inputs, bias ? 4 : 3), *last = add_output(o, op);
    set_int(o, "hidden_size", last_dim(op->outputs[0]->shape));
    if (!set_activations(o, l, cell)) return;
    if (!strcmp(cell->type, "GRU")) set_int(o, "linear_before_reset", 1);
    bool all = layer_attribute(l, "return_sequences")->real != 0;
    const char *y = add_node(o, op, "Squeeze", IN(all ? states : last, integers(o, op, (int64_t[]){all}, 1)));
    set_value(o, l->output, LAST, all ? with_steps_swapped(o, op, y) : y);
}
