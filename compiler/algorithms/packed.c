/* packed.c: convolutions whose output channels do not fill vectors. Pixels of a row and their channels lie side by side, and
 * a block of vectors holds whole pixels: with 6 channels and 16 lanes, 8 pixels are 3 full vectors instead of 8 thirds.
 * For that an input pixel has to stand as often as there are channels (repeat.c.tmpl), and so have the taps. The gradient in
 * an input of few channels has the channels of a row of taps side by side. */
#include "../ops/ops.h"
#include "tiles.h"

enum { MAX_BLOCK = 5, MAX_ROWS = 8, MAX_GROUP = 3 }; /* vectors of a block; rows or pixels of a tile; vectors of a tile of dx */
enum { MAX_ROWS_SIZE = 1 << 15, MAX_REPEATED = 1 << 18, MAX_TAPS = 64 }; /* elements of the rows of sums of dx, and of a repeated input; taps written out */

/* ---- where it fits, and what it costs ------------------------------------------------------------------------------- */

static int common_divisor(int a, int b) { return b ? common_divisor(b, a % b) : a; }

/* Vectors that hold whole pixels of `channels`. */
static int block_vectors(const Program *p, int channels) { return channels / common_divisor(channels, p->target->lanes); }

/* Channels of what lies in packed lanes: op's output, or, for the gradient of a kernel, dy. */
static int packed_channels(const Op *op) { return last_dim(op->def->convolution == CONV_KERNEL ? op->inputs[1]->shape : op->outputs[0]->shape); }

/* Vectors of a row of the kernel, taps and input channels side by side. */
static int row_vectors(const Program *p, const Window *w) { return vectors_of(p, w->kw * w->ic); }

/* Rows of sums of dx, in each of which no two pixels' taps overlap. */
static int rows_of(const Window *w) { return parts(w->kw, w->sw) < w->ow ? parts(w->kw, w->sw) : w->ow; }

/* Elements of one of them. */
static int64_t reach_of(const Program *p, const Window *w) {
    int64_t end = (int64_t)(w->ow - 1) * w->sw + w->kw, width = (int64_t)w->iw + w->left;
    return (end > width ? end : width) * w->ic + p->target->lanes;
}

static bool covers(const Program *p, const Op *op) {
    bool dx = op->def->convolution == CONV_INPUT, dw = op->def->convolution == CONV_KERNEL;
    if (p->target->lanes == 1 || !op->def->convolution) return false;
    Window w = window_of(op);
    if (w.groups > 1) return false;
    int channels = packed_channels(op);
    if (dx) return w.dw == 1 && rows_of(&w) * reach_of(p, &w) <= MAX_ROWS_SIZE;
    if (dw && w.kh * w.kw > MAX_TAPS) return false;
    return channels % p->target->lanes && block_vectors(p, channels) <= MAX_BLOCK && w.sw == 1 && (double)w.ic * w.ih * w.iw * channels <= MAX_REPEATED;
}

/* Products at seven tenths of the target's rate; what is repeated, two stores for a pixel's vector; and the sums of what
 * lies side by side. */
static double cost(const Program *p, const Op *op) {
    Window w = window_of(op);
    int channels = packed_channels(op), lanes = p->target->lanes, filters = w.oc;
    double taps = (double)w.kh * w.kw * w.ic, rate = p->target->fma * 0.7;
    if (op->def->convolution == CONV_INPUT) {
        double pixel = (double)w.kh * filters * row_vectors(p, &w) / rate, sums = (double)w.ih / w.oh * row_vectors(p, &w) * 3;
        return w.oh * w.ow * (pixel + sums) + w.ih * w.iw * w.ic / lanes * (rows_of(&w) + 3);
    }
    double vectors = (w.ow * channels + lanes - 1) / lanes, sums = op->def->convolution == CONV_KERNEL ? taps * (lanes * block_vectors(p, channels) / channels + 4) : 0;
    return w.oh * vectors * taps / rate + (double)w.ih * w.iw * w.ic * ((channels + lanes - 1) / lanes) * 2 + sums;
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

static void schedule_tile(Program *p, Kernel *k) {
    int vectors = (int)kernel_get(k, "VECTORS"), rows = (p->target->registers - 1 - vectors) / vectors;
    kernel_int(p, k, "TILE", rows < MAX_ROWS ? rows : MAX_ROWS);
}

/* Vectors of a row of taps and pixels in a tile: as even as they come. */
static void schedule_grad_input(Program *p, Kernel *k) {
    int vectors = (int)kernel_get(k, "WIDTH") / p->target->lanes, width = (int)kernel_get(k, "OW");
    int group = parts(vectors, parts(vectors, MAX_GROUP)), most = (p->target->registers - 1 - group) / group;
    kernel_int(p, k, "GROUP", group);
    kernel_int(p, k, "TILE", parts(width, parts(width, most < MAX_ROWS ? most : MAX_ROWS)));
}

static const KernelDef repeat = {.template = "repeat", .level = LEVEL_EXAMPLE};
static void evaluate_repeat_kernel(const Kernel *k, const double *in, double *out) {
    int64_t filters = kernel_get(k, "O"), width = kernel_get(k, "WIDTH");
    for (int64_t t = 0; t < kernel_get(k, "TAPS"); t++)
        for (int64_t i = 0; i < width; i++) out[t * width + i] = in[t * filters + i % filters];
}

static const KernelDef repeat_kernel = {.template = "repeat_kernel", .level = LEVEL_DERIVE, .evaluate = evaluate_repeat_kernel};
static const KernelDef conv = {.template = "conv2d_packed", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_tile};
static const KernelDef grad_kernel = {.template = "conv2d_packed_grad_kernel", .level = LEVEL_EXAMPLE, .schedule = schedule_tile};

static const KernelDef grad_input = {.template = "conv2d_packed_grad_input", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_grad_input};

/* Elements of a row of x where each stands `times` side by side; a vector more, which the last may reach into. */
static int row_length(const Program *p, int width, int times) {
    int lanes = p->target->lanes;
    return (width * times + lanes - 1) / lanes * lanes + lanes;
}

/* x[H][W][C] as [C][H][W][times]. */
static Tensor *repeated(Program *p, const Op *op, Tensor *x, int times) {
    Shape s = x->shape;
    int row = row_length(p, s.dim[1], times);
    Kernel *k = add_kernel(p, &repeat, op, "repeat");
    Tensor *y = program_tensor(p, arena_printf(p->arena, "%s_repeated_%d", x->name, p->tensor_count - p->graph->tensor_count), shape3(s.dim[2], s.dim[0], row), x->role);
    const Integer integers[] = {{"H", s.dim[0]}, {"W", s.dim[1]}, {"C", s.dim[2]}, {"TIMES", times}, {"ROW", row}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, x);
    kernel_output(p, k, y);
    k->flops = 0;
    return y;
}

/* Each tap's channels over and over, a block of vectors long. */
static Tensor *repeated_kernel(Program *p, const Op *op, Tensor *kernel) {
    Shape s = kernel->shape;
    int filters = last_dim(s), width = block_vectors(p, filters) * p->target->lanes;
    Kernel *k = add_kernel(p, &repeat_kernel, op, "kernel");
    Tensor *y = program_tensor(p, arena_printf(p->arena, "%s_repeated_%d", kernel->name, p->tensor_count - p->graph->tensor_count), s, ROLE_DERIVED);
    y->shape.dim[s.rank - 1] = width;
    const Integer integers[] = {{"TAPS", row_count(s)}, {"O", filters}, {"WIDTH", width}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, kernel);
    kernel_output(p, k, y);
    k->flops = 0;
    return y;
}

static void add_conv(Program *p, const KernelDef *def, const Op *op, const char *name, const Window *w, int channels, Tensor *x, Tensor *with) {
    x = repeated(p, op, x, channels);
    Kernel *k = add_kernel(p, def, op, name);
    kernel_window(p, k, w);
    kernel_int(p, k, "O", channels);
    kernel_int(p, k, "ROW", last_dim(x->shape));
    kernel_int(p, k, "VECTORS", block_vectors(p, channels));
    kernel_input(p, k, x);
    kernel_input(p, k, with);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_grad_input(Program *p, const Op *op) {
    Window w = window_of(op);
    int filters = last_dim(op->inputs[0]->shape);
    Tensor *rows = turned_rows(p, op, op->inputs[1], w.kh, w.kw * w.ic, filters);
    Kernel *k = add_kernel(p, &grad_input, op, "grad_input");
    kernel_window(p, k, &w);
    kernel_int(p, k, "O", filters);
    kernel_int(p, k, "WIDTH", last_dim(rows->shape));
    kernel_int(p, k, "TOP", w.top);
    kernel_int(p, k, "LEFT", w.left);
    kernel_input(p, k, op->inputs[0]);
    kernel_input(p, k, rows);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_packed(Program *p, const Op *op) {
    Window w = window_of(op);
    if (op->def->convolution == CONV_INPUT) {
        lower_grad_input(p, op);
        return;
    }
    Tensor *x = window_input(p, op, &w, op->inputs[0]);
    if (op->def->convolution == CONV_FORWARD) add_conv(p, &conv, op, "forward", &w, packed_channels(op), x, repeated_kernel(p, op, op->inputs[1]));
    else add_conv(p, &grad_kernel, op, "grad_kernel", &w, packed_channels(op), x, op->inputs[1]);
}

const Algorithm algorithm_packed = {.name = "packed", .doc = "convolutions of few channels, pixels and channels side by side in vectors", .covers = covers, .cost = cost, .lower = lower_packed};
