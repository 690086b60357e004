/* tiles.c: what several algorithms share: the cutting into register tiles, padded inputs, turned kernels. */
#include "tiles.h"

#include <string.h>

static const KernelDef pad = {.template = "pad", .level = LEVEL_EXAMPLE};

static void evaluate_turn(const Kernel *k, const double *in, double *out) {
    int64_t taps = kernel_get(k, "TAPS"), groups = groups_of(k->op), c = kernel_get(k, "C") / groups, o = kernel_get(k, "O") / groups, width = kernel_get(k, "WIDTH");
    memset(out, 0, sizeof *out * (size_t)(taps * o * width));
    for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < c; i++)
            for (int64_t j = 0; j < o * groups; j++)
                out[((kernel_get(k, "REVERSE") ? taps - 1 - t : t) * o + j % o) * width + j / o * c + i] = in[(t * c + i) * o * groups + j];
}

static const KernelDef turn = {.template = "turn", .level = LEVEL_DERIVE, .evaluate = evaluate_turn};

int groups_of(const Op *op) { return op->def->convolution ? window_of(op).groups : 1; }
int vectors_of(const Program *p, int channels) { return parts(channels, p->target->lanes); }

void cut_channels(Program *p, Kernel *k, int channels, int deep) {
    int lanes = p->target->lanes, vectors = vectors_of(p, channels), partial = channels % lanes;
    int full = partial ? (vectors - 1) / deep : vectors / deep;
    kernel_int(p, k, "VECTORS", deep);
    kernel_int(p, k, "BLOCKS", full);
    kernel_int(p, k, "LAST", vectors - full * deep);
    kernel_int(p, k, "LANES", partial ? partial : lanes);
}

/* Instructions of a step: loads of the vectors and splats of the rows, a multiply-add for each pair. HELD: bytes of what compilers load before
 * the loops around them and keep on the stack, the vectors or the splats of all steps. */
void count_steps(Program *p, Kernel *k, int64_t depth, const int *rows, int n) {
    enum { OPERAND = 10, PRODUCT = 6 }; /* bytes, on x86 */
    int64_t bytes = 0, most = kernel_get(k, "VECTORS"), full = kernel_get(k, "BLOCKS") ? kernel_get(k, "VECTORS") : 0, last = kernel_get(k, "LAST");
    for (int i = 0; i < n; i++) {
        if (full) bytes += OPERAND * (rows[i] + full) + PRODUCT * rows[i] * full;
        if (last) bytes += OPERAND * (rows[i] + last) + PRODUCT * rows[i] * last;
        if (rows[i] > most) most = rows[i];
    }
    kernel_int(p, k, "DEPTH", depth);
    kernel_int(p, k, "STEP_BYTES", bytes);
    kernel_int(p, k, "HELD", depth * most * p->target->lanes * 4);
}

/* Cycles of a step over the depth, of a block of rows by vectors: multiply-adds, loads or the latency of a sum, whatever takes
 * longest, and a little for each operand. */
static double step_cost(const Program *p, int rows, int vectors) {
    static const double latency = 4.4, operand = 0.1;
    double products = rows * vectors / p->target->fma, loads = (rows + vectors) / 2.0, most = products > loads ? products : loads;
    return (most > latency ? most : latency) + operand * (rows + vectors);
}

/* Of the blocks that fit into registers, with the vectors of the second factor and a splat beside them, the one that takes the
 * fewest cycles for so many rows and vectors. */
static double best_block(const Program *p, int rows, int vectors, int *tile, int *deep) {
    enum { PACKED = 4 }; /* sums side by side, of which C compilers make vectors where there are some */
    double least = 0;
    if (p->options->optimize == OPTIMIZE_SIZE) return *tile = *deep = 1, (double)rows * vectors;
    if (p->target->lanes == 1) {
        *tile = rows < PACKED ? rows : PACKED, *deep = vectors < PACKED ? vectors : PACKED;
        return (double)rows * vectors;
    }
    for (int v = 1; v <= vectors && v <= 6; v++)
        for (int t = 1; t <= rows && t * v + v + 1 <= p->target->registers; t++) {
            double across = (vectors / v) * step_cost(p, t, v) + (vectors % v ? step_cost(p, t, vectors % v) : 0);
            double rest = (vectors / v) * step_cost(p, 1, v) + (vectors % v ? step_cost(p, 1, vectors % v) : 0);
            double cost = rows / t * across + rows % t * rest;
            if (least == 0 || cost < least) least = cost, *tile = t, *deep = v;
        }
    return least;
}

double load_cost(const Program *p, double weights) {
    static const double bytes_a_cycle[] = {[OPTIMIZE_HOT] = 32, [OPTIMIZE_COLD] = 10, [OPTIMIZE_SIZE] = 4};
    return weights * element_size(p, TYPE_REAL) / bytes_a_cycle[p->options->optimize];
}

double products_cost(const Program *p, int points, int rows, int depth, int columns) {
    int tile, deep;
    double products = (double)points * depth * best_block(p, rows, vectors_of(p, columns), &tile, &deep), load = load_cost(p, (double)points * depth * columns);
    return products > load ? products : load;
}

void schedule_gemm(Program *p, Kernel *k) {
    if (p->entry == ENTRY_ONE || k->def->level == LEVEL_EXAMPLE) {
        int tile = 1, deep = 1, rows = (int)kernel_get(k, "ROWS");
        best_block(p, rows, vectors_of(p, (int)kernel_get(k, "N")), &tile, &deep);
        kernel_int(p, k, "TILE", tile);
        kernel_int(p, k, "REST", rows % tile);
        kernel_int(p, k, "PACE", 0);
        kernel_int(p, k, "HOLD", 1);
        cut_channels(p, k, (int)kernel_get(k, "N"), deep);
        count_steps(p, k, kernel_get(k, "K"), (const int[]){tile, 1}, rows % tile ? 2 : 1);
        return;
    }
    int channels = (int)kernel_get(k, "N"), rows = p->target->registers >= 32 ? 8 : 4, vectors = vectors_of(p, channels), most = p->target->lanes == 1 ? 4 : 2;
    kernel_int(p, k, "TILE", rows);
    if (p->entry == ENTRY_MANY && k->def->level == LEVEL_BLOCK && k->block == 1) kernel_int(p, k, "REST", kernel_get(k, "ROWS") % rows);
    kernel_int(p, k, "PACE", 0);
    cut_channels(p, k, channels, vectors < most ? vectors : most);
    if (!kernel_get(k, "SUM")) count_steps(p, k, kernel_get(k, "K"), (const int[]){rows, 1}, kernel_has(k, "REST") && !kernel_get(k, "REST") ? 1 : 2);
}

Tensor *padded(Program *p, const Op *op, Tensor *x, int top, int left, int sh, int sw, int height, int width) {
    Shape s = x->shape;
    if (height == s.dim[0] && width == s.dim[1]) return x;
    Kernel *k = add_kernel(p, &pad, op, "pad");
    Tensor *y = program_tensor(p, arena_printf(p->arena, "%s_padded_%d", x->name, p->tensor_count - p->graph->tensor_count), shape3(height, width, s.dim[2]), x->role);
    const Integer integers[] = {{"H", s.dim[0]}, {"W", s.dim[1]}, {"C", s.dim[2]}, {"TOP", top}, {"LEFT", left}, {"SH", sh}, {"SW", sw}, {"PH", height}, {"PW", width}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, x);
    kernel_output(p, k, y);
    k->flops = 0;
    return y;
}

static Tensor *transposed(Program *p, const Op *op, Tensor *kernel, Shape shape, int taps, int c, int o, int groups, bool reverse) {
    Kernel *k = add_kernel(p, &turn, op, "turn");
    Tensor *t = program_tensor(p, arena_printf(p->arena, "%s_turned_%d", kernel->name, p->tensor_count - p->graph->tensor_count), shape, ROLE_DERIVED);
    const Integer integers[] = {{"TAPS", taps}, {"C", c}, {"O", o}, {"WIDTH", last_dim(shape)}, {"REVERSE", reverse}};
    kernel_ints(p, k, integers, LENGTH(integers));
    if (groups > 1) kernel_int(p, k, "G", groups);
    kernel_input(p, k, kernel);
    kernel_output(p, k, t);
    k->flops = 0;
    return t;
}

Tensor *turned(Program *p, const Op *op, Tensor *kernel, const Window *w) {
    return transposed(p, op, kernel, shape4(w->kh, w->kw, w->oc / w->groups, w->ic), w->kh * w->kw, w->ic, w->oc, w->groups, true);
}

Tensor *turned_rows(Program *p, const Op *op, Tensor *kernel, int kh, int row, int o) {
    return transposed(p, op, kernel, shape3(kh, o, vectors_of(p, row) * p->target->lanes), kh, row, o, 1, false);
}

Tensor *window_input(Program *p, const Op *op, Window *w, Tensor *x) {
    int high = (w->oh - 1) * w->sh + (w->kh - 1) * w->dh + 1, wide = (w->ow - 1) * w->sw + (w->kw - 1) * w->dw + 1;
    int ih = high > w->ih + w->top ? high : w->ih + w->top, iw = wide > w->iw + w->left ? wide : w->iw + w->left;
    x = padded(p, op, x, w->top, w->left, 1, 1, ih, iw);
    w->ih = ih, w->iw = iw;
    return x;
}

void keep_vectors(const Program *p, Kernel *k, int vectors) { k->stack = vectors * p->target->lanes * element_size(p, TYPE_REAL); }

bool is_sparse(const Tensor *x) {
    const Op *op = x->producer;
    while (op && (op->def->view || op->def->pools)) op = op->inputs[0]->producer;
    return op && op->def->sparse;
}

void schedule_nothing(Program *p, Kernel *k) { (void)p, (void)k; }

bool monotone_epilogues(const Kernel *k) {
    for (int i = 0; i < k->epilogue_count; i++)
        if (!k->epilogues[i].op->def->monotone) return false;
    return true;
}
