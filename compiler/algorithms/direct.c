/* direct.c: convolutions and dense layers by register tiles over the arrays as they are.
 *
 * A convolution's forward pass and its gradient in the input are the same kernel: the latter over dy with zeros around
 * (and between, for strides) and the kernel turned around. Dense layers are matrix products over a whole shard. */
#include "../ops/ops.h"
#include "tiles.h"

/* Multiply-adds at the target's rate, three quarters of it reached, with the lanes that the last axis fills. */
static double cost(const Program *p, const Op *op) {
    int channels = last_dim(op->outputs[0]->shape), lanes = p->target->lanes;
    double filled = (double)channels / ((channels + lanes - 1) / lanes * lanes);
    return op->def->flops(op) / 2 / (p->target->fma * lanes * filled * 0.75);
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

static void schedule_conv( Program *p, Kernel *k) {
    int ph = 1, pw = 1, rows = (int)kernel_get(k, "OH"), width = (int)kernel_get(k, "OW"), columns, deep;
    if (k->pool) {
        Shape y = k->pool->outputs[0]->shape;
        const Attr *size = &k->pool->attributes[0];
        ph = size->size[0], pw = size->size[1];
        rows = y.dim[0] * ph, width = y.dim[1] * pw;
    }
    int channels = (int)kernel_get(k, "O");
    best_tile(p, ph, pw, width, vectors_of(p, channels), &columns, &deep);
    const Integer integers[] = {{"PH", ph}, {"PW", pw}, {"ROWS", rows}, {"COLUMNS", width}, {"TH", ph}, {"TW", columns}};
    for (int i = 0; i < LENGTH(integers); i++) kernel_int(p, k, integers[i].name, integers[i].value);
    kernel_int(p, k, "MONOTONE", monotone_epilogues(k));
    kernel_int(p, k, "UNROLL", kernel_get(k, "KH") * kernel_get(k, "KW") * kernel_get(k, "C") <= 32);
    cut_channels(p, k, channels, deep);
}

static void schedule_grad_kernel( Program *p, Kernel *k) {
    int channels = (int)kernel_get(k, "O"), rows = p->target->registers >= 32 ? 8 : 4, vectors = vectors_of(p, channels);
    int64_t all = kernel_get(k, "KH") * kernel_get(k, "KW") * kernel_get(k, "C");
    kernel_int(p, k, "TILE", rows);
    kernel_int(p, k, "UNROLL", kernel_get(k, "C") % rows != 0 && all <= 96);
    cut_channels(p, k, channels, vectors < 2 ? vectors : 2);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

static const KernelDef conv = {"conv2d_direct", LEVEL_EXAMPLE, true, true, schedule_conv, NULL};
static const KernelDef grad_kernel = {"conv2d_direct_grad_kernel", LEVEL_EXAMPLE, false, false, schedule_grad_kernel, NULL};
static const KernelDef matrix = {"gemm", LEVEL_SHARD, true, false, schedule_gemm, NULL};

static void lower_conv(Program *p, const Op *op, const Window *w, int channels, Tensor *x, Tensor *kernel, const char *name) {
    Kernel *k = add_kernel(p, &conv, op, name);
    kernel_window(p, k, w);
    kernel_int(p, k, "O", channels);
    kernel_input(p, k, x);
    kernel_input(p, k, kernel);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_forward(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = window_input(p, op, &w, op->inputs[0]);
    lower_conv(p, op, &w, last_dim(op->outputs[0]->shape), x, op->inputs[1], "forward");
}

static void lower_grad_input(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *dy = op->inputs[0], *kernel = op->inputs[1];
    int filters = last_dim(dy->shape), high = (w.kh - 1) * w.dh, wide = (w.kw - 1) * w.dw;
    Window back = {.ih = w.ih + high, .iw = w.iw + wide, .ic = filters, .kh = w.kh, .kw = w.kw, .sh = 1, .sw = 1, .dh = w.dh, .dw = w.dw, .oh = w.ih, .ow = w.iw};
    dy = padded(p, op, dy, high - w.top, wide - w.left, w.sh, w.sw, back.ih, back.iw);
    kernel = turned(p, op, kernel, w.kh, w.kw, w.ic, filters);
    lower_conv(p, op, &back, w.ic, dy, kernel, "grad_input");
}

static void lower_grad_kernel(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = window_input(p, op, &w, op->inputs[0]);
    Kernel *k = add_kernel(p, &grad_kernel, op, "grad_kernel");
    kernel_window(p, k, &w);
    kernel_int(p, k, "O", last_dim(op->outputs[0]->shape));
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
    for (int i = 0; i < LENGTH(integers); i++) kernel_int(p, k, integers[i].name, integers[i].value);
    kernel_input(p, k, a);
    kernel_input(p, k, b);
    kernel_output(p, k, op->outputs[0]);
}

static void lower_dense(Program *p, const Op *op) {
    Shape kernel = op->inputs[1]->shape;
    lower_matrix(p, op, "forward", op->inputs[0], op->inputs[1], row_count(op->inputs[0]->shape), true, 0, kernel.dim[1], kernel.dim[0]);
}

static void lower_dense_grad_input(Program *p, const Op *op) {
    Shape kernel = op->inputs[1]->shape;
    Tensor *turned_kernel = turned(p, op, op->inputs[1], 1, 1, kernel.dim[0], kernel.dim[1]);
    lower_matrix(p, op, "grad_input", op->inputs[0], turned_kernel, row_count(op->inputs[0]->shape), true, 0, kernel.dim[0], kernel.dim[1]);
}

static void lower_dense_grad_kernel(Program *p, const Op *op) {
    Shape kernel = op->outputs[0]->shape;
    lower_matrix(p, op, "grad_kernel", op->inputs[0], op->inputs[1], row_count(op->inputs[0]->shape), false, kernel.dim[0], kernel.dim[1], 0);
}

static const struct { const OpDef *def; void (*lower)(Program *, const Op *); } covered[] = {
    {&op_conv2d, lower_forward}, {&op_conv2d_grad_input, lower_grad_input}, {&op_conv2d_grad_kernel, lower_grad_kernel},
    {&op_dense, lower_dense},    {&op_dense_grad_input, lower_dense_grad_input}, {&op_dense_grad_kernel, lower_dense_grad_kernel},
};

static void lower_direct(Program *p, const Op *op) {
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) covered[i].lower(p, op);
}

/* Not for the scalar target: it is what any compiler takes, in plain loops. */
static bool covers(const Program *p, const Op *op) {
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) return p->target->lanes > 1;
    return false;
}

const Algorithm algorithm_direct = {"direct", "register tiles over the arrays as they are", false, covers, cost, lower_direct};
