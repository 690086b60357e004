/* direct.c: convolutions and dense layers by register tiles over the arrays as they are.
 *
 * A convolution's forward pass and its gradient in the input are the same kernel: the latter over dy with zeros around
 * and the kernel turned around. With strides the gradient falls into phases: the pixels of every stride-th row and column
 * see the same taps. Groups of channels are convolutions of their own, side by side. Dense layers are matrix products over a
 * whole shard. */
#include "../ops/ops.h"
#include "tiles.h"

/* Phases make the code longer, one by one: beyond this zeros come between the pixels of dy. So they do with dilation, where
 * the taps of a phase would be no regular grid (and strides cannot be). */
enum { MAX_PHASES = 16 };

static bool in_phases(const Window *w) { return w->dh == 1 && w->dw == 1 && w->sh <= MAX_PHASES && w->sw <= MAX_PHASES && w->sh * w->sw <= MAX_PHASES; }

/* In lanes: of a group of the output, or of dy. */
static int channels_of(const Op *op) {
    const Window w = window_of(op);
    return !op->def->convolution ? last_dim(op->outputs[0]->shape) : (op->def->convolution == CONV_INPUT ? w.ic : w.oc) / w.groups;
}

/* Multiply-adds at the target's rate, three quarters of it reached, with the lanes that the last axis fills. The gradient in
 * the input multiplies the zeros around and between dy too. */
static double cost(const Program *p, const Op *op) {
    int channels = channels_of(op), lanes = p->target->lanes;
    double filled = (double)channels / ((channels + lanes - 1) / lanes * lanes), products = op->def->flops(op) / 2;
    if (op->def->convolution == CONV_INPUT) {
        Window w = window_of(op);
        products *= (double)w.ih * w.iw / ((double)w.oh * w.ow * (in_phases(&w) ? w.sh * w.sw : 1));
    }
    double cycles = products / (p->target->fma * lanes * filled * 0.75), load = p->entry == ENTRY_ONE ? load_cost(p, (double)shape_count(op->inputs[1]->shape)) : 0;
    return cycles > load ? cycles : load;
}

/* ---- tiles ----------------------------------------------------------------------------------------------------------- */

/* Splits n columns into tiles of `tile` and a rest; the cost of a tile is what its multiply-adds or loads take. */
static double columns_cost(int n, int tile, int vectors) {
    int rest = n % tile;
    double one = tile * vectors > tile + vectors ? tile * vectors : tile + vectors;
    double last = rest * vectors > rest + vectors ? rest * vectors : rest + vectors;
    if (tile * vectors < 8) one = 8; /* fewer accumulators than the latency of a multiply-add asks for */
    if (rest * vectors < 8) last = 8;
    return n / tile * one + (rest ? last : 0);
}

/* The tile of rows x columns x vectors that costs least over `width` columns and `vectors` vectors. */
static void best_tile(const Program *p, int rows, int step, int width, int vectors, int *columns, int *deep) {
    double least = 0;
    *columns = step, *deep = 1;
    for (int v = 1; v <= vectors && v <= 4; v++)
        for (int c = step; c <= width && c <= 12; c += step) {
            if (rows * c * v + v + 1 > p->target->registers) break;
            double blocks = (double)vectors / v, cost = blocks * columns_cost(rows * width, rows * c, v);
            if (least == 0 || cost < least) least = cost, *columns = c, *deep = v;
        }
}

/* What a template asks about groups; C becomes the channels of one. */
static void group_integers(Program *p, Kernel *k, const Window *w) {
    if (w->groups == 1) return;
    kernel_int(p, k, "C", w->ic / w->groups);
    kernel_int(p, k, "G", w->groups);
}

/* A kernel of one tap sees the map as one row. */
static void join_rows(Program *p, Kernel *k) {
    int64_t height = kernel_get(k, "OH"), width = kernel_get(k, "OW");
    bool one_tap = kernel_get(k, "KH") == 1 && kernel_get(k, "KW") == 1 && kernel_get(k, "STEP_H") == 1 && kernel_get(k, "STEP_W") == 1;
    if (k->pool || !one_tap || kernel_get(k, "IH") != height || kernel_get(k, "IW") != width) return;
    const Integer integers[] = {{"IH", 1}, {"IW", height * width}, {"OH", 1}, {"OW", height * width}};
    kernel_ints(p, k, integers, LENGTH(integers));
}

static void schedule_conv(Program *p, Kernel *k) {
    join_rows(p, k);
    int ph = 1, pw = 1, rows = (int)kernel_get(k, "OH"), width = (int)kernel_get(k, "OW"), columns, deep;
    if (k->pool) {
        Shape y = k->pool->outputs[0]->shape;
        ph = k->pool->window.kh, pw = k->pool->window.kw;
        rows = y.dim[0] * ph, width = y.dim[1] * pw;
    }
    int channels = (int)(kernel_get(k, "O") / groups_of(k->op));
    int step = (int)kernel_get(k, "STEP_W");
    best_tile(p, ph, pw, (width + step - 1) / step, vectors_of(p, channels), &columns, &deep);
    if (p->options->optimize == OPTIMIZE_SIZE) columns = pw, deep = 1;
    const Integer integers[] = {{"PH", ph}, {"PW", pw}, {"ROWS", rows}, {"COLUMNS", width}, {"TH", ph}, {"TW", columns}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_int(p, k, "MONOTONE", monotone_epilogues(k));
    cut_channels(p, k, channels, deep);
    int64_t taps = kernel_get(k, "KH") * kernel_get(k, "KW") * kernel_get(k, "C");
    kernel_int(p, k, "WRITTEN_OUT", p->options->unroll < 0 && p->options->optimize != OPTIMIZE_SIZE && taps <= p->target->registers); /* more: gcc keeps splats on the stack */
    const int tiles[] = {ph * columns, ph * (width % columns)};
    if (step == 1) count_steps(p, k, taps, width < columns ? &tiles[1] : tiles, width < columns || !tiles[1] ? 1 : 2);
    if (step == 1) kernel_int(p, k, "HELD", taps * deep * p->target->lanes * 4); /* the input's place changes, its splats are not kept */
}

static void schedule_grad_kernel(Program *p, Kernel *k) {
    int channels = (int)(kernel_get(k, "O") / groups_of(k->op)), rows = p->target->registers >= 32 ? 8 : 4, vectors = vectors_of(p, channels);
    int64_t all = kernel_get(k, "KH") * kernel_get(k, "KW") * kernel_get(k, "C");
    kernel_int(p, k, "TILE", rows);
    kernel_int(p, k, "UNROLL", kernel_get(k, "C") % rows != 0 && all <= 96);
    cut_channels(p, k, channels, vectors < 2 ? vectors : 2);
}

/* ---- phases of a convolution's output ----------------------------------------------------------------------------------- */

/* Along one axis: pixel i of phase `first` of dx, first + i * stride, takes the taps tap, tap + stride ...: `taps` of them, in
 * the turned kernel from `turned` on. The last of them reads dy's pixel i + at, the first one i + at + taps - 1. */
typedef struct Axis { int pixels, taps, turned, at; } Axis;

static Axis phase_axis(int first, int size, int kernel, int stride, int padding) {
    int tap = (first + padding) % stride, taps = tap < kernel ? (kernel - tap + stride - 1) / stride : 0;
    return (Axis){(size - first + stride - 1) / stride, taps, kernel - 1 - tap - (taps - 1) * stride, (first + padding - tap) / stride - (taps - 1)};
}

/* Rows of dy that all phases read: from -*before on, up to *end. */
static void phases_reach(int size, int kernel, int stride, int padding, int out, int *before, int *end) {
    *before = 0, *end = out;
    for (int first = 0; first < stride && first < size; first++) {
        Axis x = phase_axis(first, size, kernel, stride, padding);
        if (!x.taps) continue;
        if (-x.at > *before) *before = -x.at;
        if (x.pixels - 1 + x.at + x.taps > *end) *end = x.pixels - 1 + x.at + x.taps;
    }
}

static Bindings *phase(const Program *p, const Kernel *k, Axis rows, Axis columns, int64_t y) {
    int64_t channels = kernel_get(k, "C");
    const struct { const char *name; int64_t value; } integers[] = {
        {"rows", rows.pixels}, {"columns", columns.pixels}, {"high", rows.taps}, {"wide", columns.taps},
        {"x", (rows.at * kernel_get(k, "IW") + columns.at) * channels * groups_of(k->op)},
        {"w", (rows.turned * kernel_get(k, "KW") + columns.turned) * channels * kernel_get(k, "O")}, {"y", y}};
    Bindings *b = bindings_new(p->arena, NULL);
    for (int i = 0; i < LENGTH(integers); i++) bind_int(b, integers[i].name, integers[i].value);
    return b;
}

static void bind_whole(const Program *p, const Kernel *k, Bindings *b) {
    Axis rows = {(int)kernel_get(k, "ROWS"), (int)kernel_get(k, "KH"), 0, 0}, columns = {(int)kernel_get(k, "COLUMNS"), (int)kernel_get(k, "KW"), 0, 0};
    Bindings *one = phase(p, k, rows, columns, 0);
    bind_records(b, "phases", &one, 1);
}

static void bind_phases(const Program *p, const Kernel *k, Bindings *b) {
    const Window w = window_of(k->op);
    int above, before, end, n = 0;
    Bindings **records = NEW_ARRAY(p->arena, Bindings *, w.sh * w.sw);
    phases_reach(w.ih, w.kh, w.sh, w.top, w.oh, &above, &end);
    phases_reach(w.iw, w.kw, w.sw, w.left, w.ow, &before, &end);
    for (int i = 0; i < w.sh && i < w.ih; i++)
        for (int j = 0; j < w.sw && j < w.iw; j++) {
            Axis rows = phase_axis(i, w.ih, w.kh, w.sh, w.top), columns = phase_axis(j, w.iw, w.kw, w.sw, w.left);
            bool none = !rows.taps || !columns.taps; /* no tap is a stride away: zeros */
            if (none) rows.taps = columns.taps = rows.turned = columns.turned = 0;
            rows.at = none ? 0 : rows.at + above, columns.at = none ? 0 : columns.at + before;
            records[n++] = phase(p, k, rows, columns, ((int64_t)i * w.iw + j) * w.ic);
        }
    bind_records(b, "phases", records, n);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

static const KernelDef conv = {.template = "conv2d_direct", .level = LEVEL_EXAMPLE, .epilogue = true, .pools = true, .schedule = schedule_conv, .bind = bind_whole};
static const KernelDef conv_phases = {.template = "conv2d_direct", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_conv, .bind = bind_phases};
static const KernelDef grad_kernel = {.template = "conv2d_direct_grad_kernel", .level = LEVEL_EXAMPLE, .schedule = schedule_grad_kernel};
/* A row of one example: weights are read once, and how fast they come decides. */
static void schedule_row(Program *p, Kernel *k) {
    int vectors = vectors_of(p, (int)kernel_get(k, "N")), deep = vectors < 4 ? vectors : 4, ways = (p->target->registers - 2) / (2 * deep);
    if (p->options->optimize == OPTIMIZE_SIZE) deep = ways = 1;
    if (kernel_get(k, "SKIP")) k->stack = (int)(kernel_get(k, "K") + p->target->lanes) * 4;
    kernel_int(p, k, "WAYS", ways > 4 ? 4 : ways < 1 ? 1 : ways);
    cut_channels(p, k, (int)kernel_get(k, "N"), deep);
    if (!kernel_get(k, "SKIP")) count_steps(p, k, kernel_get(k, "K"), (const int[]){1}, 1);
}

static const KernelDef row = {.template = "gemv", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_row};
static const KernelDef matrix = {.template = "gemm", .level = LEVEL_SHARD, .epilogue = true, .schedule = schedule_gemm, .starts = true};

static void lower_conv(Program *p, const KernelDef *def, const Op *op, const Window *w, int channels, Tensor *x, Tensor *kernel, const char *name, int step_h, int step_w) {
    Kernel *k = add_kernel(p, def, op, name);
    kernel_window(p, k, w);
    group_integers(p, k, w);
    kernel_int(p, k, "O", channels);
    kernel_int(p, k, "STEP_H", step_h);
    kernel_int(p, k, "STEP_W", step_w);
    kernel_input(p, k, x);
    kernel_input(p, k, kernel);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_forward(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = window_input(p, op, &w, op->inputs[0]);
    lower_conv(p, &conv, op, &w, w.oc, x, op->inputs[1], "forward", 1, 1);
}

static void lower_grad_input(Program *p, const Op *op) {
    Window w = window_of(op), back = w;
    Tensor *dy = op->inputs[0], *kernel = turned(p, op, op->inputs[1], &w);
    bool one = w.kh == 1 && w.kw == 1 && w.sh == 1 && w.sw == 1, phases = in_phases(&w) && !one;
    int high = (w.kh - 1) * w.dh, wide = (w.kw - 1) * w.dw, top = high - w.top, left = wide - w.left;
    back.ic = w.oc, back.oc = w.ic, back.sh = back.sw = 1, back.oh = w.ih, back.ow = w.iw;
    back.ih = w.ih + high, back.iw = w.iw + wide;
    if (phases) {
        phases_reach(w.ih, w.kh, w.sh, w.top, w.oh, &top, &back.ih);
        phases_reach(w.iw, w.kw, w.sw, w.left, w.ow, &left, &back.iw);
        back.ih += top, back.iw += left;
    }
    dy = padded(p, op, dy, top, left, phases ? 1 : w.sh, phases ? 1 : w.sw, back.ih, back.iw);
    lower_conv(p, phases ? &conv_phases : &conv, op, &back, w.ic, dy, kernel, "grad_input", phases ? w.sh : 1, phases ? w.sw : 1);
}

static void lower_grad_kernel(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = window_input(p, op, &w, op->inputs[0]);
    Kernel *k = add_kernel(p, &grad_kernel, op, "grad_kernel");
    kernel_window(p, k, &w);
    group_integers(p, k, &w);
    kernel_int(p, k, "O", w.oc);
    kernel_input(p, k, x);
    kernel_input(p, k, op->inputs[1]);
    kernel_output(p, k, op->outputs[0]);
}

/* c[M][N] = a[M][K] b[K][N]; a's rows and columns `row` and `column` apart. by_examples: M (else K) counts a shard's rows. */
static void lower_matrix(Program *p, const Op *op, const char *name, Tensor *a, Tensor *b, int64_t rows, bool by_examples, int64_t m, int64_t n, int64_t depth) {
    Kernel *k = add_kernel(p, &matrix, op, name);
    const Integer integers[] = {{"ROWS", rows},  {"SUM", !by_examples},          {"M", m},
                                {"N", n},        {"K", depth},                   {"ROW", by_examples ? depth : 1},
                                {"COLUMN", by_examples ? 1 : m}, {"POINTS", 1}, {"ADD", !by_examples}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, a);
    kernel_input(p, k, b);
    kernel_output(p, k, op->outputs[0]);
}

enum { MOST_LISTED = 4096 }; /* places of elements that are not zero, on the stack */

static void lower_row(Program *p, const Op *op) {
    Shape kernel = op->inputs[1]->shape;
    Kernel *k = add_kernel(p, &row, op, "forward");
    bool skips = is_sparse(op->inputs[0]) && p->options->optimize != OPTIMIZE_SIZE && kernel.dim[0] <= MOST_LISTED;
    const Integer integers[] = {{"K", kernel.dim[0]}, {"N", kernel.dim[1]}, {"SKIP", skips}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, op->inputs[0]);
    kernel_input(p, k, op->inputs[1]);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_dense(Program *p, const Op *op) {
    Shape kernel = op->inputs[1]->shape;
    if (p->entry == ENTRY_ONE && row_count(op->inputs[0]->shape) == 1) {
        lower_row(p, op);
        return;
    }
    lower_matrix(p, op, "forward", op->inputs[0], op->inputs[1], row_count(op->inputs[0]->shape), true, 0, kernel.dim[1], kernel.dim[0]);
}

static void lower_dense_grad_input(Program *p, const Op *op) {
    Shape kernel = op->inputs[1]->shape;
    const Window w = {.kh = 1, .kw = 1, .ic = kernel.dim[0], .oc = kernel.dim[1], .groups = 1};
    Tensor *turned_kernel = turned(p, op, op->inputs[1], &w);
    lower_matrix(p, op, "grad_input", op->inputs[0], turned_kernel, row_count(op->inputs[0]->shape), true, 0, kernel.dim[0], kernel.dim[1]);
}

static void lower_dense_grad_kernel(Program *p, const Op *op) {
    Shape kernel = op->outputs[0]->shape;
    lower_matrix(p, op, "grad_kernel", op->inputs[0], op->inputs[1], row_count(op->inputs[0]->shape), false, kernel.dim[0], kernel.dim[1], 0);
}

static const struct { const OpDef *def; void (*lower)(Program *, const Op *); } covered[] = {
    {&op_dense, lower_dense}, {&op_dense_grad_input, lower_dense_grad_input}, {&op_dense_grad_kernel, lower_dense_grad_kernel},
};

static void (*const passes[])(Program *, const Op *) = {[CONV_FORWARD] = lower_forward, [CONV_INPUT] = lower_grad_input, [CONV_KERNEL] = lower_grad_kernel};

static void lower_direct(Program *p, const Op *op) {
    if (op->def->convolution) passes[op->def->convolution](p, op);
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) covered[i].lower(p, op);
}

/* Whether dy is of a size that can be, where zeros come between its pixels. */
static bool gaps_fit(const Op *op) {
    static const int64_t most = 1 << 28; /* elements */
    Window w = window_of(op);
    int64_t high = w.ih + (int64_t)(w.kh - 1) * w.dh, wide = w.iw + (int64_t)(w.kw - 1) * w.dw;
    return op->def->convolution != CONV_INPUT || in_phases(&w) || high * wide <= most / w.oc;
}

static bool covers(const Program *p, const Op *op) {
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) return takes_tiles(p);
    return op->def->convolution && takes_tiles(p) && gaps_fit(op);
}

const Algorithm algorithm_direct = {.name = "direct", .doc = "register tiles over the arrays as they are", .covers = covers, .cost = cost, .lower = lower_direct};
