/* prune.c: channels that predictions can do without are gone, of convolutions and dense layers whose weights are known, where all that lies
 * between them and the next such layers works on each channel by itself:
 *
 *   those that no kernel behind them reads, its weights for them all being zero;
 *   those that are the same number for every input, which kernels behind them take into their biases. Bounds of the input, known when it is
 *   bytes, say so of a relu that is never above zero; a kernel of zeros says so without any. */
#include "ops/ops.h"

#include <math.h>

typedef struct Range { double least, most; } Range;
typedef struct Ranges { Range *of; int count; } Ranges; /* by channel; count 0: nothing is known */
static const Ranges nothing;

/* An op that multiplies by a known kernel, in which a channel of the output depends on all of the input. */
static bool is_linear(const Op *op) {
    return op->def->kernel_by_channel && op->window.groups <= 1 && op->inputs[1]->values;
}

/* ---- bounds ------------------------------------------------------------------------------------------------------------- */

static Ranges input_range(Graph *g, const Op *op) {
    double scale = 1, shift = 0;
    Ranges y = {NEW(g->arena, Range), 1};
    if (op->def->affine) op->def->affine(op, NULL, &scale, &shift);
    y.of[0] = (Range){fmin(shift, 255 * scale + shift), fmax(shift, 255 * scale + shift)};
    return y;
}

static Ranges linear_range(Graph *g, const Op *op, Ranges x) {
    const Tensor *kernel = op->inputs[1];
    Ranges y = {NULL, last_dim(kernel->shape)};
    y.of = NEW_ARRAY(g->arena, Range, y.count);
    for (int64_t i = 0; i < shape_count(kernel->shape); i++) {
        double w = kernel->values[i];
        Range in = x.count ? x.of[i / y.count % x.count] : (Range){-INFINITY, INFINITY}, *out = &y.of[i % y.count];
        if (!reads_no_padding(op)) in.least = fmin(in.least, 0), in.most = fmax(in.most, 0);
        if (w == 0) continue;
        out->least += w * (w > 0 ? in.least : in.most);
        out->most += w * (w > 0 ? in.most : in.least);
    }
    return y;
}

/* Of an elementwise op of one input. */
static Ranges unary_range(Graph *g, const Op *op, Ranges x) {
    Tensor pair = {.shape = shape1(2)}, *pairs[] = {&pair};
    Op on_pair = *op;
    on_pair.inputs = on_pair.outputs = pairs;
    Ranges y = {NEW_ARRAY(g->arena, Range, x.count), x.count};
    for (int c = 0; c < x.count; c++) {
        double in[2] = {x.of[c].least, x.of[c].most}, out[2];
        op->def->evaluate(&on_pair, (double *[]){in}, (double *[]){out});
        bool bounded = (op->def->monotone || in[0] == in[1]) && !isnan(out[0]) && !isnan(out[1]);
        y.of[c] = bounded ? (Range){out[0], out[1]} : (Range){-INFINITY, INFINITY};
    }
    return y;
}

static Ranges biased_range(Graph *g, const Op *op, Ranges x) {
    Ranges y = {NEW_ARRAY(g->arena, Range, x.count), x.count};
    const double *bias = op->inputs[1]->values;
    for (int c = 0; c < x.count; c++) y.of[c] = (Range){x.of[c].least + bias[c], x.of[c].most + bias[c]};
    return y;
}

static Ranges range_of(Graph *g, const Op *op, const Ranges *known) {
    if (!op->input_count) return nothing;
    if (op->inputs[0]->role == ROLE_INPUT) return op->inputs[0]->type == TYPE_U8 && !op->def->takes_tokens ? input_range(g, op) : nothing;
    Ranges x = known[op->inputs[0]->id];
    if (is_linear(op)) return linear_range(g, op, x);
    if (!x.count) return x;
    if (op->def == &op_bias_add && op->inputs[1]->values && x.count == last_dim(op->outputs[0]->shape)) return biased_range(g, op, x);
    if (op->def->view || op->def->within_channel) return last_dim(op->outputs[0]->shape) % x.count ? nothing : x;
    if (op->def->expression && op->input_count == 1) return unary_range(g, op, x);
    return nothing;
}

/* ---- what is between a layer and the next ones ---------------------------------------------------------------------------- */

typedef struct Span {
    int channels;            /* of the first op's output */
    Op **between; int between_count;
    Op **readers; int reader_count;
} Span;

static bool works_by_channel(const Op *op, int channels) {
    if (last_dim(op->inputs[0]->shape) % channels || last_dim(op->outputs[0]->shape) % channels) return false;
    return op->def->view || op->def->within_channel || (op->def->expression && op->input_count == 1) || (op->def == &op_bias_add && op->inputs[1]->values);
}

/* False where something else reads t or what comes of it. */
static bool follow(Graph *g, const Tensor *t, Span *s) {
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i]->input_count; k++) {
            Op *op = g->ops[i];
            if (op->inputs[k] != t) continue;
            if (k == 0 && is_linear(op) && last_dim(t->shape) % s->channels == 0) {
                *PUSH(g->arena, s->readers, s->reader_count) = op;
                continue;
            }
            if (k || !works_by_channel(op, s->channels)) return false;
            *PUSH(g->arena, s->between, s->between_count) = op;
            if (!follow(g, op->outputs[0], s)) return false;
        }
    return true;
}

/* The op that adds a known bias to the reader's output; NULL: none. */
static Op *bias_of(const Graph *g, const Op *reader) {
    Op *bias = only_reader(g, reader->outputs[0]);
    return bias && bias->def == &op_bias_add && bias->inputs[1]->values ? bias : NULL;
}

static bool is_read(const Op *reader, int channel, int channels) {
    const Tensor *kernel = reader->inputs[1];
    int columns = last_dim(kernel->shape);
    for (int64_t i = 0; i < shape_count(kernel->shape); i++)
        if (i / columns % channels == channel && kernel->values[i] != 0) return true;
    return false;
}

/* Whether the channel may go, its value being a constant where that is finite. */
static bool is_idle(const Graph *g, const Span *s, int channel, const double *constants) {
    for (int r = 0; r < s->reader_count; r++) {
        const Op *reader = s->readers[r];
        double value = constants[r * s->channels + channel];
        if (!is_read(reader, channel, s->channels) || value == 0) continue;
        if (!isfinite(value) || !reads_no_padding(reader) || !bias_of(g, reader)) return false;
    }
    return true;
}

/* ---- without them ----------------------------------------------------------------------------------------------------------- */

static Tensor *cut_parameter(Graph *g, const Tensor *old, int axis, const bool *gone, int channels, int kept) {
    Shape shape = old->shape;
    shape.dim[axis] = shape.dim[axis] / channels * kept;
    Tensor *t = new_tensor(g, old->layer, axis == shape.rank - 1 ? "pruned" : "pruned_input", shape, TYPE_REAL, ROLE_PARAMETER);
    double *to = NEW_ARRAY(g->arena, double, shape_count(shape));
    int64_t inner = axis == shape.rank - 1 ? 1 : last_dim(shape), n = 0;
    for (int64_t i = 0; i < shape_count(old->shape); i++)
        if (!gone[i / inner % channels]) to[n++] = old->values[i];
    t->values = to, t->weight = old->weight;
    return t;
}

static void cut_channels(Op *op, int channels, int kept) {
    for (int k = 0; k < op->output_count; k++) {
        Shape *y = &op->outputs[k]->shape;
        y->dim[y->rank - 1] = last_dim(*y) / channels * kept;
    }
    op->window.oc = op->window.oc / channels * kept;
}

/* Constants that go with their channels reach the reader's output by its kernel. */
static void move_constants(Graph *g, const Op *reader, const bool *gone, const double *constants, int channels) {
    Op *bias = bias_of(g, reader);
    if (!bias || !reads_no_padding(reader)) return; /* then all are zero, or not read */
    const Tensor *kernel = reader->inputs[1], *old = bias->inputs[1];
    int columns = last_dim(kernel->shape);
    double *sums = NEW_ARRAY(g->arena, double, columns);
    for (int c = 0; c < columns; c++) sums[c] = old->values[c];
    for (int64_t i = 0; i < shape_count(kernel->shape); i++) {
        int channel = (int)(i / columns % channels);
        if (gone[channel] && kernel->values[i] != 0) sums[i % columns] += constants[channel] * kernel->values[i];
    }
    Tensor *t = new_tensor(g, old->layer, "bias_with_constants", old->shape, TYPE_REAL, ROLE_PARAMETER);
    t->values = sums, t->weight = old->weight;
    bias->inputs[1] = t;
}

static void cut(Graph *g, Op *first, const Span *s, const bool *gone, int kept, const double *constants) {
    int n = s->channels;
    first->inputs[1] = cut_parameter(g, first->inputs[1], first->inputs[1]->shape.rank - 1, gone, n, kept);
    cut_channels(first, n, kept);
    for (int i = 0; i < s->between_count; i++) {
        Op *op = s->between[i];
        cut_channels(op, n, kept);
        op->window.ic = op->window.ic / n * kept;
        if (op->def == &op_bias_add) op->inputs[1] = cut_parameter(g, op->inputs[1], 0, gone, n, kept);
    }
    for (int r = 0; r < s->reader_count; r++) {
        Op *reader = s->readers[r];
        move_constants(g, reader, gone, constants + r * n, n);
        reader->inputs[1] = cut_parameter(g, reader->inputs[1], reader->inputs[1]->shape.rank - 2, gone, n, kept);
        reader->window.ic = reader->window.ic / n * kept;
    }
}

static void prune_op(Graph *g, Op *op, const Ranges *known) {
    Span s = {.channels = last_dim(op->outputs[0]->shape)};
    if (!is_linear(op) || !follow(g, op->outputs[0], &s) || !s.reader_count) return;
    double *constants = NEW_ARRAY(g->arena, double, s.reader_count * s.channels);
    bool *gone = NEW_ARRAY(g->arena, bool, s.channels);
    for (int r = 0; r < s.reader_count; r++) {
        Ranges x = known[s.readers[r]->inputs[0]->id];
        for (int c = 0; c < s.channels; c++) constants[r * s.channels + c] = x.count && x.of[c % x.count].least == x.of[c % x.count].most ? x.of[c % x.count].least : NAN;
    }
    int kept = s.channels;
    for (int c = 0; c < s.channels && kept > 1; c++) kept -= gone[c] = is_idle(g, &s, c, constants);
    if (kept < s.channels) cut(g, op, &s, gone, kept, constants);
}

/* From the last to the first: what a channel was read for may be gone. */
void prune(Graph *g) {
    Ranges *known = NEW_ARRAY(g->arena, Ranges, g->tensor_count);
    for (int i = 0; i < g->op_count; i++) known[g->ops[i]->outputs[0]->id] = range_of(g, g->ops[i], known);
    for (int i = g->op_count - 1; i >= 0; i--) prune_op(g, g->ops[i], known);
}
