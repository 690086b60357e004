/* winograd.c: convolutions of stride 1 by Winograd's minimal filtering, F(m x m, r x r) with alpha = m + r - 1 points an
 * axis (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin, S. Gray, arXiv:1509.09308):
 *
 *   y tile = A^T [ (G w G^T) . (B^T x B) ] A      one product a point, input and output channel
 *
 * The products of a point over all tiles are a matrix product. Gradients are the adjoints: Z = A dy A^T serves both
 * dw = G^T [ V^T Z ] G, with the forward pass's V = B^T x B, and, where one tile is the whole map, dx = B [ Z U^T ] B^T.
 * Otherwise dx is the forward pass of dy, zeros around it, with the kernel turned.
 *
 * Points are 0, fractions in pairs and infinity, so that transforms share sums (transform.c). */
#include "../ops/ops.h"
#include "tiles.h"
#include "transform.h"

#include <math.h>

enum { MAX_SIDE = 5, MAX_MAP = 256 }; /* of a tile: larger ones round too much; vectors of a map that a pooling may keep at hand */

/* ---- where it fits, and what it costs ------------------------------------------------------------------------------- */

static bool fits(const Window *w) { return w->groups == 1 && w->sh == 1 && w->sw == 1 && w->dh == 1 && w->dw == 1 && w->kh == w->kw && (w->kh == 3 || w->kh == 5); }

/* The tile's side for an output of oh x ow: that of least products and transforms an output. */
static int tile_side(int oh, int ow, int r) {
    int best = 2;
    double least = INFINITY;
    for (int m = 2; m <= MAX_SIDE && m + r - 1 <= MAX_POINTS; m++) {
        double tiles = (double)((oh + m - 1) / m) * ((ow + m - 1) / m), points = (m + r - 1) * (m + r - 1);
        if (tiles * points < least) best = m, least = tiles * points;
    }
    return best;
}

/* The window of the convolution that computes op: of the forward pass, or of dy with the turned kernel. */
static Window own_window(const Op *op) {
    Window w = window_of(op);
    if (op->def->convolution != CONV_INPUT) return w;
    return (Window){.ih = w.ih + w.kh - 1, .iw = w.iw + w.kw - 1, .ic = w.oc, .kh = w.kh, .kw = w.kw, .sh = 1, .sw = 1,
                    .dh = 1, .dw = 1, .oh = w.ih, .ow = w.iw, .oc = w.ic, .groups = 1};
}

static bool single_tile(const Op *op) {
    const Window w = window_of(op);
    bool whole = !w.top && !w.left && w.ih == w.oh + w.kh - 1 && w.iw == w.ow + w.kw - 1;
    return whole && w.oh == w.ow && tile_side(w.oh, w.ow, w.kh) == w.oh;
}

static bool covers(const Program *p, const Op *op) {
    if (!takes_tiles(p) || !op->def->convolution) return false;
    Window w = window_of(op);
    return p->options->optimize != OPTIMIZE_SIZE && fits(&w) && w.ic >= 8 && w.oc >= 8;
}

/* Products at nine tenths of the target's rate, transforms at a vector operation a cycle. */
static double cost(const Program *p, const Op *op) {
    bool adjoint = op->def->convolution != CONV_FORWARD && single_tile(op);
    Window w = adjoint || op->def->convolution == CONV_KERNEL ? window_of(op) : own_window(op);
    int m = tile_side(w.oh, w.ow, w.kh), alpha = m + w.kh - 1, lanes = p->target->lanes;
    double in = w.ic, out = w.oc;
    double tiles = (double)parts(w.oh, m) * parts(w.ow, m), points = alpha * alpha;
    double filled = out / ((((int)out + lanes - 1) / lanes) * lanes);
    double products = tiles * points * in * out / (p->target->fma * lanes * filled * 0.85);
    if (p->entry == ENTRY_ONE) products = products_cost(p, (int)points, (int)tiles, (int)in, (int)out);
    return products + tiles * points * (in + out) / lanes * 8;
}

/* The transformed input: the gradient of the kernel reads the forward pass's. */
static double shared(const Program *p, const Op *op) {
    if (op->def->convolution != CONV_KERNEL) return 0;
    Window w = window_of(op);
    int m = tile_side(w.oh, w.ow, w.kh), alpha = m + w.kh - 1;
    return (double)parts(w.oh, m) * parts(w.ow, m) * alpha * alpha * w.ic / p->target->lanes * 8;
}

/* ---- kernels -------------------------------------------------------------------------------------------------------- */

/* Once buffers are placed: the distance of points in each. */
static int points_of(const Kernel *k) { return (int)(kernel_get(k, "M") + kernel_get(k, "R") - 1); }

static void schedule_in(Program *p, Kernel *k) {
    kernel_int(p, k, "STRIDE", point_stride(p, k->outputs[0]));
    keep_vectors(p, k, points_of(k) * points_of(k));
}

static void schedule_out(Program *p, Kernel *k) {
    kernel_int(p, k, "STRIDE", point_stride(p, k->inputs[0]));
    keep_vectors(p, k, points_of(k) * points_of(k) + (k->pool ? (int)(kernel_get(k, "H") * kernel_get(k, "W")) : 0));
    kernel_int(p, k, "PH", k->pool ? k->pool->window.kh : 1);
    kernel_int(p, k, "PW", k->pool ? k->pool->window.kw : 1);
    kernel_int(p, k, "MONOTONE", monotone_epilogues(k));
}

/* Elements of the next point's operand, all of them over a point's steps: of the kernel, or of the input when that is summed over. */
static int prefetch_pace(const Program *p, const Kernel *k) {
    bool sum = kernel_get(k, "SUM");
    int64_t examples = k->def->level == LEVEL_BLOCK ? k->block : p->examples, rows = examples * kernel_get(k, "ROWS");
    int64_t columns = (kernel_get(k, "N") + 2 * p->target->lanes - 1) / (2 * p->target->lanes), tile = p->target->registers >= 32 ? 8 : 4;
    int64_t m = sum ? kernel_get(k, "M") : rows, depth = sum ? rows : kernel_get(k, "K"), operand = sum ? m * depth : depth * kernel_get(k, "N");
    int64_t steps = columns * ((m + tile - 1) / tile) * depth;
    return p->target->lanes > 1 && p->entry != ENTRY_ONE ? (int)((operand + steps - 1) / steps) : 0;
}

static void schedule_products(Program *p, Kernel *k) {
    kernel_int(p, k, "A_POINT", point_stride(p, k->inputs[0]));
    kernel_int(p, k, "B_POINT", point_stride(p, k->inputs[1]));
    kernel_int(p, k, "C_POINT", point_stride(p, k->outputs[0]));
    schedule_gemm(p, k);
    kernel_int(p, k, "PACE", prefetch_pace(p, k));
}

#define BIND(name, transform)                                                                                          \
    static void bind_##name(const Program *p, const Kernel *k, Bindings *b) {                                          \
        bind_transform(p, b, transform, (int)kernel_get(k, "M"), (int)kernel_get(k, "R"));                             \
    }
BIND(in, TRANSFORM_INPUT)
BIND(out, TRANSFORM_OUTPUT)
BIND(kernel, TRANSFORM_KERNEL)
BIND(in_adjoint, TRANSFORM_INPUT_ADJOINT)
BIND(out_adjoint, TRANSFORM_OUTPUT_ADJOINT)
BIND(kernel_adjoint, TRANSFORM_KERNEL_ADJOINT)

/* G w G^T of each input and output channel. */
static void evaluate_kernel(const Kernel *k, const double *in, double *out) {
    double g[MAX_POINTS * MAX_POINTS];
    int alpha, r;
    transform_matrix(TRANSFORM_KERNEL, (int)kernel_get(k, "M"), (int)kernel_get(k, "R"), &alpha, &r, g);
    int64_t pairs = kernel_get(k, "C") * kernel_get(k, "O"), stride = kernel_get(k, "STRIDE");
    bool reverse = kernel_get(k, "REVERSE");
    for (int64_t i = 0; i < pairs; i++)
        for (int a = 0; a < alpha; a++)
            for (int b = 0; b < alpha; b++) {
                double sum = 0;
                for (int t = 0; t < r * r; t++) sum += g[a * r + t / r] * g[b * r + t % r] * in[(reverse ? r * r - 1 - t : t) * pairs + i];
                out[(a * alpha + b) * stride + i] = sum;
            }
}

static const KernelDef x_transform = {.template = "winograd_in", .level = LEVEL_EXAMPLE, .schedule = schedule_in, .bind = bind_in};
static const KernelDef dy_transform = {.template = "winograd_in", .level = LEVEL_EXAMPLE, .schedule = schedule_in, .bind = bind_out_adjoint};
static const KernelDef y_transform = {.template = "winograd_out", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_out, .bind = bind_out};
static const KernelDef y_transform_pools = {.template = "winograd_out", .level = LEVEL_EXAMPLE, .epilogue = true, .pools = true, .schedule = schedule_out, .bind = bind_out};
static const KernelDef dx_transform = {.template = "winograd_out", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_out, .bind = bind_in_adjoint};
static const KernelDef kernel_transform = {.template = "winograd_kernel", .level = LEVEL_DERIVE, .schedule = schedule_in, .bind = bind_kernel, .evaluate = evaluate_kernel};
static const KernelDef dkernel_transform = {.template = "winograd_kernel_grad", .level = LEVEL_SHARD, .schedule = schedule_out, .bind = bind_kernel_adjoint, .starts = true};
static const KernelDef block_products = {.template = "gemm", .level = LEVEL_BLOCK, .schedule = schedule_products};
static const KernelDef shard_products = {.template = "gemm", .level = LEVEL_SHARD, .schedule = schedule_products};

static Tensor *domain(Program *p, const char *stem, int alpha, int rows, int channels, Role role) {
    const char *name = arena_printf(p->arena, "%s_%d", stem, p->tensor_count - p->graph->tensor_count);
    Tensor *t = program_tensor(p, name, shape3(alpha * alpha, rows, channels), role);
    t->points = alpha * alpha;
    return t;
}

static Kernel *transform(Program *p, const KernelDef *def, const Op *op, const char *name, int m, int r, Tensor *from, Tensor *to) {
    Kernel *k = add_kernel(p, def, op, name);
    kernel_int(p, k, "M", m);
    kernel_int(p, k, "R", r);
    kernel_input(p, k, from);
    kernel_output(p, k, to);
    k->flops = 0;
    return k;
}

/* Of a map in tiles of `side`, `down` by `across` of them, `step` apart. */
static void map_integers(Program *p, Kernel *k, Shape map, int step, int down, int across) {
    const Integer integers[] = {{"STEP", step}, {"DOWN", down}, {"ACROSS", across}, {"H", map.dim[0]}, {"W", map.dim[1]}, {"C", map.dim[2]}};
    kernel_ints(p, k, integers, LENGTH(integers));
}

/* Rows of x or dy in the Winograd domain. */
static Tensor *transformed(Program *p, const KernelDef *def, const Op *op, const char *name, int m, int r, Tensor *map, int down, int across) {
    Tensor *v = domain(p, arena_printf(p->arena, "%s_transformed", map->name), m + r - 1, down * across, last_dim(map->shape), ROLE_ACTIVATION);
    map_integers(p, transform(p, def, op, name, m, r, map, v), map->shape, m, down, across);
    return v;
}

static Tensor *transformed_kernel(Program *p, const Op *op, int m, int r, Tensor *kernel, bool reverse) {
    int o = last_dim(kernel->shape), c = (int)(row_count(kernel->shape) / (r * r));
    Tensor *u = domain(p, arena_printf(p->arena, "%s_transformed", kernel->name), m + r - 1, c, o, ROLE_DERIVED);
    Kernel *k = transform(p, &kernel_transform, op, "kernel", m, r, kernel, u);
    kernel_int(p, k, "C", c);
    kernel_int(p, k, "O", o);
    kernel_int(p, k, "REVERSE", reverse);
    return u;
}

/* c[rows][n] = a[rows][depth] b[depth][n] for each point, or with sum c[m][n] = a^T b over all rows. */
static Kernel *multiply(Program *p, const KernelDef *def, const Op *op, const char *name, Tensor *a, Tensor *b, Tensor *c, bool sum) {
    Kernel *k = add_kernel(p, def, op, name);
    int rows = a->shape.dim[1], columns = a->shape.dim[2];
    const Integer integers[] = {{"ROWS", rows}, {"SUM", sum}, {"M", sum ? columns : 0}, {"N", c->shape.dim[2]}, {"K", sum ? 0 : columns},
                                {"ROW", sum ? 1 : columns}, {"COLUMN", sum ? columns : 1}, {"POINTS", a->points}, {"ADD", 0}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, a);
    kernel_input(p, k, b);
    kernel_output(p, k, c);
    k->flops = 2.0 * a->points * rows * columns * c->shape.dim[2];
    return k;
}

/* ---- the three passes -------------------------------------------------------------------------------------------------- */

static Tensor *grown(Program *p, const Op *op, Tensor *x, int top, int left, int height, int width) {
    int high = x->shape.dim[0] + top, wide = x->shape.dim[1] + left;
    return padded(p, op, x, top, left, 1, 1, height > high ? height : high, width > wide ? width : wide);
}

/* Examples in a block: enough rows for the product's tile, and more where the kernel is large. */
static int block_of(const Program *p, int tiles, int64_t kernel_elements) {
    int rows = kernel_elements * 4 > 256 << 10 ? 32 : 16, block = (rows + tiles - 1) / tiles;
    return block < p->examples ? block : p->examples;
}

/* Where a window of x is all zeros. */
static Tensor *zero_windows(Program *p, const Op *op, Tensor *x, int r, Shape map) {
    static const KernelDef def = {.template = "zero_windows", .level = LEVEL_EXAMPLE};
    Kernel *k = add_kernel(p, &def, op, "zeros");
    Tensor *places = program_tensor(p, arena_printf(p->arena, "%s_zeros_%d", x->name, p->tensor_count - p->graph->tensor_count), shape1(1 + map.dim[0] * map.dim[1]), ROLE_MASK);
    const Integer integers[] = {{"IH", x->shape.dim[0]}, {"IW", x->shape.dim[1]}, {"C", x->shape.dim[2]}, {"KH", r}, {"KW", r}, {"OH", map.dim[0]}, {"OW", map.dim[1]}};
    kernel_ints(p, k, integers, LENGTH(integers));
    places->type = TYPE_I32;
    kernel_input(p, k, x);
    kernel_output(p, k, places);
    k->flops = 0;
    return places;
}

/* y = conv(x with zeros before it, kernel), to op's output. In a forward pass sums of zeros are exactly zero. */
static void lower_conv(Program *p, const Op *op, Tensor *x, int top, int left, Tensor *kernel, const char *names[3]) {
    Tensor *y = op->outputs[0];
    int r = window_of(op).kh, m = tile_side(y->shape.dim[0], y->shape.dim[1], r), alpha = m + r - 1;
    int down = parts(y->shape.dim[0], m), across = parts(y->shape.dim[1], m);
    x = grown(p, op, x, top, left, down * m + r - 1, across * m + r - 1);
    Tensor *v = transformed(p, &x_transform, op, names[0], m, r, x, down, across), *u = transformed_kernel(p, op, m, r, kernel, false);
    Tensor *product = domain(p, arena_printf(p->arena, "%s_product", y->name), alpha, down * across, last_dim(y->shape), ROLE_ACTIVATION);
    multiply(p, &block_products, op, names[1], v, u, product, false)->block = block_of(p, down * across, shape_count(u->shape));
    const KernelDef *out = y->shape.dim[0] * y->shape.dim[1] <= MAX_MAP ? &y_transform_pools : &y_transform;
    Tensor *places = !op->backward && p->entry < ENTRY_ONE ? zero_windows(p, op, x, r, y->shape) : NULL;
    Kernel *k = transform(p, out, op, names[2], m, r, product, y);
    map_integers(p, k, y->shape, m, down, across);
    kernel_int(p, k, "ZEROS", places != NULL);
    if (places) kernel_input(p, k, places);
}

static void lower_forward(Program *p, const Op *op) {
    Window w = window_of(op);
    lower_conv(p, op, op->inputs[0], w.top, w.left, op->inputs[1], (const char *[]){"in", "products", "forward"});
}

static void lower_grad_input(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *dy = op->inputs[0], *kernel = turned(p, op, op->inputs[1], &w);
    if (!single_tile(op)) {
        lower_conv(p, op, dy, w.kh - 1 - w.top, w.kw - 1 - w.left, kernel, (const char *[]){"dy", "grad_input_products", "grad_input"});
        return;
    }
    int m = w.oh, r = w.kh;
    Tensor *z = transformed(p, &dy_transform, op, "dy_adjoint", m, r, dy, 1, 1), *u = transformed_kernel(p, op, m, r, kernel, true);
    Tensor *product = domain(p, arena_printf(p->arena, "%s_product", op->outputs[0]->name), m + r - 1, 1, w.ic, ROLE_GRADIENT);
    multiply(p, &shard_products, op, "grad_input_products", z, u, product, false);
    Kernel *k = transform(p, &dx_transform, op, "grad_input", m, r, product, op->outputs[0]);
    map_integers(p, k, op->outputs[0]->shape, m, 1, 1);
    kernel_int(p, k, "ZEROS", 0);
}

static void lower_grad_kernel(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = op->inputs[0], *dy = op->inputs[1];
    int m = tile_side(w.oh, w.ow, w.kh), r = w.kh, down = parts(w.oh, m), across = parts(w.ow, m);
    x = grown(p, op, x, w.top, w.left, down * m + r - 1, across * m + r - 1);
    dy = grown(p, op, dy, 0, 0, down * m, across * m);
    Tensor *v = transformed(p, &x_transform, op, "in", m, r, x, down, across), *z = transformed(p, &dy_transform, op, "dy_adjoint", m, r, dy, down, across);
    Tensor *du = domain(p, arena_printf(p->arena, "%s_transformed", op->outputs[0]->name), m + r - 1, w.ic, last_dim(dy->shape), ROLE_PARTIAL);
    multiply(p, &shard_products, op, "grad_kernel_products", v, z, du, true);
    Kernel *k = transform(p, &dkernel_transform, op, "grad_kernel", m, r, du, op->outputs[0]);
    kernel_int(p, k, "C", w.ic);
    kernel_int(p, k, "O", last_dim(dy->shape));
}

static void lower_winograd(Program *p, const Op *op) {
    if (op->def->convolution == CONV_FORWARD) lower_forward(p, op);
    else if (op->def->convolution == CONV_INPUT) lower_grad_input(p, op);
    else lower_grad_kernel(p, op);
}

const Algorithm algorithm_winograd = {.name = "winograd", .doc = "convolutions of stride 1 with fewer products, by transforms", .covers = covers, .cost = cost, .shared = shared, .lower = lower_winograd};
