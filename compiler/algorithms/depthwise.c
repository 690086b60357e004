/* depthwise.c: convolutions of each channel by itself, vectors of channels of a few pixels at a time, over the arrays as they
 * are. The gradient in the input is the same kernel over dy, in phases where there are strides: the pixels of every stride-th row
 * and column see the same taps. Where a channel has several outputs the input is spread, each channel as often as that. */
#include "tiles.h"

enum { MAX_PHASES = 16, MAX_WIDE = 16, MAX_TAPS = 49, MAX_STRIDE = 8, MAX_BORDER = 8 }; /* written out: taps of a row, and of a kernel; tiles that hang over the input */
static const int64_t max_spread = 1 << 28; /* elements */

/* ---- where it fits, and what it costs ------------------------------------------------------------------------------- */

static bool covers(const Program *p, const Op *op) {
    if (!op->def->convolution || !takes_tiles(p)) return false;
    Window w = window_of(op);
    bool phases = op->def->convolution != CONV_INPUT || (w.sh <= MAX_PHASES && w.sw <= MAX_PHASES && w.sh * w.sw <= MAX_PHASES);
    return w.groups == w.ic && w.ic > 1 && phases && (w.oc == w.ic || (int64_t)w.ih * w.iw <= max_spread / w.oc);
}

/* Products at six tenths of the target's rate, with the lanes that channels fill, and a store a pixel; what is spread costs an
 * element a cycle. */
static double cost(const Program *p, const Op *op) {
    Window w = window_of(op);
    double pixels = (double)vectors_of(p, w.oc) * w.oh * w.ow, spread = w.oc > w.ic ? (double)w.ih * w.iw * w.oc : 0;
    return pixels * (w.kh * w.kw / (0.6 * p->target->fma) + 2) + spread;
}

/* ---- tiles ------------------------------------------------------------------------------------------------------------- */

/* The pixels of a row and the vectors of channels that take the fewest cycles: products, loads or the latency of sums, whatever
 * takes longest; and a rest of columns is a tile too. */
static void best_tile(const Program *p, int columns, int wide, int stride, int vectors, int *tile, int *deep) {
    static const double latency = 4.4;
    double least = 0;
    *tile = *deep = 1;
    for (int v = 1; v <= vectors && v <= 3; v++)
        for (int t = 1; t <= columns && t <= 8; t++) {
            if ((t + (wide < 4 ? wide : 4) + 1) * v > p->target->registers) break;
            double products = (double)t * wide * v / p->target->fma, loads = ((t - 1) * stride + 2 * wide) * v / 2.0, most = products > loads ? products : loads;
            double cycles = ((most > latency * wide ? most : latency * wide) + 2) * parts(columns, t) * parts(vectors, v);
            if (least == 0 || cycles < least) least = cycles, *tile = t, *deep = v;
        }
}

/* Whether taps are looped over: less code, and where they are many or much of a row hangs over. */
static bool looped(const Program *p, int wide, int distance, int stride, int padding, int tile) {
    int border = parts(parts(padding, stride), tile) + parts(parts((wide - 1) * distance, stride), tile);
    return p->options->optimize == OPTIMIZE_SIZE || wide > MAX_WIDE || stride > MAX_STRIDE || border > MAX_BORDER;
}

static void schedule_conv(Program *p, Kernel *k) {
    const Window w = window_of(k->op);
    int channels = (int)kernel_get(k, "C"), vectors = vectors_of(p, channels), stride = (int)kernel_get(k, "SW"), columns = parts((int)kernel_get(k, "OW"), (int)kernel_get(k, "STEP_W")), tile, deep;
    best_tile(p, columns, w.kw, stride, vectors, &tile, &deep);
    bool loops = looped(p, w.kw, (int)kernel_get(k, "DW"), stride, w.left, tile);
    if (loops) deep = vectors < 4 ? vectors : 4;
    if (p->options->optimize == OPTIMIZE_SIZE) deep = 1;
    kernel_int(p, k, "LOOPED", loops);
    kernel_int(p, k, "TW", tile);
    cut_channels(p, k, channels, deep);
}

/* As many taps at a time as there are registers, those of whole rows if they fit. */
static void schedule_grad_kernel(Program *p, Kernel *k) {
    const Window w = window_of(k->op);
    int channels = (int)kernel_get(k, "C"), vectors = vectors_of(p, channels), tile = w.kh * w.kw <= 9 ? 4 : 2, most = p->target->registers - 2 - tile;
    if (tile > w.ow) tile = w.ow;
    int columns = parts(w.kw, parts(w.kw, most)), rows = columns < w.kw ? 1 : parts(w.kh, parts(w.kh, most / columns));
    bool loops = w.kh * w.kw > MAX_TAPS || looped(p, w.kw, w.dw, w.sw, w.left, tile);
    int deep = loops ? 4 : 2 * (rows * columns + tile + 1) < p->target->registers ? 2 : 1;
    if (p->options->optimize == OPTIMIZE_SIZE) deep = 1;
    const Integer integers[] = {{"LOOPED", loops}, {"TW", tile}, {"ROWS", rows}, {"COLUMNS", columns}};
    kernel_ints(p, k, integers, LENGTH(integers));
    cut_channels(p, k, channels, deep < vectors ? deep : vectors);
}

/* ---- phases ------------------------------------------------------------------------------------------------------------ */

/* Along one axis: how many pixels a phase has; which taps they see, from `tap` on, `step` apart; the place of the first of these
 * for the first pixel. */
typedef struct Axis { int pixels, taps, tap, step, at; } Axis;

static int common_divisor(int a, int b) { return b ? common_divisor(b, a % b) : a; }

/* Of the gradient in the input, pixels first, first + stride ...: they see taps of which each is a whole number of strides away,
 * the last one first, so that places in dy grow. */
static Axis phase_axis(int first, int size, int kernel, int stride, int dilation, int padding) {
    int divisor = common_divisor(stride, dilation), step = stride / divisor, tap = 0;
    while (tap < step && (first + padding - tap * dilation) % stride) tap++;
    int taps = tap < step && tap < kernel ? (kernel - 1 - tap) / step + 1 : 0, last = tap + (taps - 1) * step;
    Axis a = {(size - first + stride - 1) / stride, taps, last, -step, 0};
    if (taps) a.at = (first + padding - last * dilation) / stride;
    return a;
}

static Bindings *phase(const Program *p, const Kernel *k, Axis rows, Axis columns, int64_t y) {
    int64_t channels = kernel_get(k, "C"), width = window_of(k->op).kw;
    bool none = !rows.taps || !columns.taps;
    const struct { const char *name; int64_t value; } integers[] = {
        {"rows", rows.pixels}, {"columns", columns.pixels}, {"high", none ? 0 : rows.taps}, {"wide", none ? 0 : columns.taps}, {"down", none ? 0 : rows.at},
        {"right", none ? 0 : columns.at}, {"tap", none ? 0 : (rows.tap * width + columns.tap) * channels}, {"tap_h", rows.step * width * channels},
        {"tap_w", columns.step * channels}, {"y", y}};
    Bindings *b = bindings_new(p->arena, NULL);
    for (int i = 0; i < LENGTH(integers); i++) bind_int(b, integers[i].name, integers[i].value);
    return b;
}

static void bind_conv(const Program *p, const Kernel *k, Bindings *b) {
    const Window w = window_of(k->op);
    Bindings **records = NEW_ARRAY(p->arena, Bindings *, MAX_PHASES);
    int n = 0;
    if (k->op->def->convolution == CONV_FORWARD) records[n++] = phase(p, k, (Axis){w.oh, w.kh, 0, 1, -w.top}, (Axis){w.ow, w.kw, 0, 1, -w.left}, 0);
    else
        for (int i = 0; i < w.sh && i < w.ih; i++)
            for (int j = 0; j < w.sw && j < w.iw; j++)
                records[n++] = phase(p, k, phase_axis(i, w.ih, w.kh, w.sh, w.dh, w.top), phase_axis(j, w.iw, w.kw, w.sw, w.dw, w.left), ((int64_t)i * w.iw + j) * kernel_get(k, "C"));
    bind_records(b, "phases", records, n);
}

/* ---- kernels ------------------------------------------------------------------------------------------------------------- */

static const KernelDef conv = {.template = "depthwise", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_conv, .bind = bind_conv};
static const KernelDef grad_kernel = {.template = "depthwise_grad_kernel", .level = LEVEL_EXAMPLE, .schedule = schedule_grad_kernel};
static const KernelDef spread = {.template = "spread", .level = LEVEL_EXAMPLE};
static const KernelDef gather = {.template = "gather", .level = LEVEL_EXAMPLE};

/* Elements `times` over, or sums of so many: between x and y, the smaller of which has n elements. */
static void add_helper(Program *p, const KernelDef *def, const Op *op, Tensor *from, Tensor *to, int64_t n, int times) {
    Kernel *k = add_kernel(p, def, op, def->template);
    kernel_int(p, k, "N", n);
    kernel_int(p, k, "TIMES", times);
    kernel_input(p, k, from);
    kernel_output(p, k, to);
    k->flops = 0;
}

static Tensor *spread_tensor(Program *p, const Tensor *x, int channels) {
    return program_tensor(p, arena_printf(p->arena, "%s_spread_%d", x->name, p->tensor_count - p->graph->tensor_count), shape3(x->shape.dim[0], x->shape.dim[1], channels), x->role);
}

static Tensor *spread_input(Program *p, const Op *op, Tensor *x, const Window *w) {
    if (w->oc == w->ic) return x;
    Tensor *y = spread_tensor(p, x, w->oc);
    add_helper(p, &spread, op, x, y, shape_count(x->shape), w->oc / w->ic);
    return y;
}

static void add_conv(Program *p, const Op *op, const char *name, const Integer *integers, int n, Tensor *x, Tensor *y) {
    Kernel *k = add_kernel(p, &conv, op, name);
    kernel_ints(p, k, integers, n);
    kernel_input(p, k, x);
    kernel_input(p, k, op->inputs[1]);
    kernel_output(p, k, y);
}

static void lower_forward(Program *p, const Op *op) {
    Window w = window_of(op);
    const Integer integers[] = {{"IH", w.ih}, {"IW", w.iw}, {"C", w.oc}, {"SH", w.sh}, {"SW", w.sw}, {"DH", w.dh}, {"DW", w.dw}, {"OW", w.ow}, {"STEP_H", 1}, {"STEP_W", 1}};
    add_conv(p, op, "forward", integers, LENGTH(integers), spread_input(p, op, op->inputs[0], &w), op->outputs[0]);
}

static void lower_grad_input(Program *p, const Op *op) {
    Window w = window_of(op);
    int dh = w.dh / common_divisor(w.dh, w.sh), dw = w.dw / common_divisor(w.dw, w.sw);
    const Integer integers[] = {{"IH", w.oh}, {"IW", w.ow}, {"C", w.oc}, {"SH", 1}, {"SW", 1}, {"DH", dh}, {"DW", dw}, {"OW", w.iw}, {"STEP_H", w.sh}, {"STEP_W", w.sw}};
    bool several = w.oc > w.ic;
    Tensor *dx = op->outputs[0], *y = several ? spread_tensor(p, dx, w.oc) : dx;
    add_conv(p, op, "grad_input", integers, LENGTH(integers), op->inputs[0], y);
    if (several) add_helper(p, &gather, op, y, dx, shape_count(dx->shape), w.oc / w.ic);
}

static void lower_grad_kernel(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = spread_input(p, op, op->inputs[0], &w);
    Kernel *k = add_kernel(p, &grad_kernel, op, "grad_kernel");
    kernel_window(p, k, &w);
    kernel_int(p, k, "C", w.oc);
    kernel_int(p, k, "TOP", w.top);
    kernel_int(p, k, "LEFT", w.left);
    kernel_input(p, k, x);
    kernel_input(p, k, op->inputs[1]);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_depthwise(Program *p, const Op *op) {
    static void (*const passes[])(Program *, const Op *) = {[CONV_FORWARD] = lower_forward, [CONV_INPUT] = lower_grad_input, [CONV_KERNEL] = lower_grad_kernel};
    passes[op->def->convolution](p, op);
}

const Algorithm algorithm_depthwise = {.name = "depthwise", .doc = "convolutions of each channel by itself, by vectors of channels", .covers = covers, .cost = cost, .lower = lower_depthwise};
