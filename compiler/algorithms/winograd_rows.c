/* winograd_rows.c: convolutions of one example by F(m, r) along the row only, directly down the column: more products than with
 * tiles of two axes (winograd.c), but each weight, which one example reads once, serves all rows of the map. Where a map is one
 * tile, that counts. */
#include "../ops/ops.h"
#include "tiles.h"
#include "transform.h"

enum { MAX_SIDE = 5, MAX_MAP = 256 }; /* as in winograd.c */

static bool covers(const Program *p, const Op *op) {
    if (p->entry < ENTRY_ONE || p->options->optimize == OPTIMIZE_SIZE || op->def->convolution != CONV_FORWARD) return false;
    Window w = window_of(op);
    return w.groups == 1 && w.sh == 1 && w.sw == 1 && w.dh == 1 && w.dw == 1 && (w.kw == 3 || w.kw == 5) && w.kh > 1 && w.ic >= 8 && w.oc >= 8;
}

/* The tile's length: that of the fewest products. */
static int tile_length(const Window *w) {
    int best = 2;
    for (int m = 2; m <= MAX_SIDE && m + w->kw - 1 <= MAX_POINTS; m++)
        if (parts(w->ow, m) * (m + w->kw - 1) < parts(w->ow, best) * (best + w->kw - 1)) best = m;
    return best;
}

/* Rows of the input that the output sees; those of a product: windows of the tiles' columns, with those that lie across two. */
static int input_rows(const Window *w) { return w->oh + w->kh - 1; }
static int product_rows(const Window *w, int across) { return (across - 1) * input_rows(w) + w->oh; }

static double cost(const Program *p, const Op *op) {
    Window w = window_of(op);
    int m = tile_length(&w), alpha = m + w.kw - 1, across = parts(w.ow, m), channels = last_dim(op->outputs[0]->shape);
    double transforms = (double)alpha * across * (vectors_of(p, w.ic) * input_rows(&w) + vectors_of(p, channels) * w.oh) * 4;
    return products_cost(p, alpha, product_rows(&w, across), w.kh * w.ic, channels) + transforms;
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

static void schedule_in(Program *p, Kernel *k) { kernel_int(p, k, "STRIDE", point_stride(p, k->outputs[0])); }

static void schedule_out(Program *p, Kernel *k) {
    kernel_int(p, k, "STRIDE", point_stride(p, k->inputs[0]));
    keep_vectors(p, k, k->pool ? (int)(kernel_get(k, "H") * kernel_get(k, "W")) : 0);
    kernel_int(p, k, "PH", k->pool ? k->pool->window.kh : 1);
    kernel_int(p, k, "PW", k->pool ? k->pool->window.kw : 1);
    kernel_int(p, k, "MONOTONE", monotone_epilogues(k));
    kernel_int(p, k, "ZEROS", 0);
}

static void schedule_products(Program *p, Kernel *k) {
    kernel_int(p, k, "A_POINT", point_stride(p, k->inputs[0]));
    kernel_int(p, k, "B_POINT", point_stride(p, k->inputs[1]));
    kernel_int(p, k, "C_POINT", point_stride(p, k->outputs[0]));
    schedule_gemm(p, k);
}

static void bind_in(const Program *p, const Kernel *k, Bindings *b) { bind_transform(p, b, TRANSFORM_INPUT, (int)kernel_get(k, "M"), (int)kernel_get(k, "R")); }
static void bind_out(const Program *p, const Kernel *k, Bindings *b) { bind_transform(p, b, TRANSFORM_OUTPUT, (int)kernel_get(k, "M"), (int)kernel_get(k, "R")); }
static void bind_kernel(const Program *p, const Kernel *k, Bindings *b) { bind_transform(p, b, TRANSFORM_KERNEL, (int)kernel_get(k, "M"), (int)kernel_get(k, "R")); }

/* G w of each row of taps. */
static void evaluate_kernel(const Kernel *k, const double *in, double *out) {
    double g[MAX_POINTS * MAX_POINTS];
    int alpha, r;
    transform_matrix(TRANSFORM_KERNEL, (int)kernel_get(k, "M"), (int)kernel_get(k, "R"), &alpha, &r, g);
    int64_t pairs = kernel_get(k, "C") * kernel_get(k, "O"), stride = kernel_get(k, "STRIDE");
    for (int64_t t = 0; t < kernel_get(k, "KH"); t++)
        for (int64_t i = 0; i < pairs; i++)
            for (int a = 0; a < alpha; a++) {
                double sum = 0;
                for (int j = 0; j < r; j++) sum += g[a * r + j] * in[(t * r + j) * pairs + i];
                out[a * stride + t * pairs + i] = sum;
            }
}

static const KernelDef x_transform = {.template = "winograd_row_in", .level = LEVEL_EXAMPLE, .schedule = schedule_in, .bind = bind_in};
static const KernelDef products = {.template = "gemm", .level = LEVEL_EXAMPLE, .schedule = schedule_products, .counts = true};
static const KernelDef y_transform = {.template = "winograd_row_out", .level = LEVEL_EXAMPLE, .epilogue = true, .schedule = schedule_out, .bind = bind_out};
static const KernelDef y_transform_pools = {.template = "winograd_row_out", .level = LEVEL_EXAMPLE, .epilogue = true, .pools = true, .schedule = schedule_out, .bind = bind_out};
static const KernelDef kernel_transform = {.template = "winograd_row_kernel", .level = LEVEL_DERIVE, .schedule = schedule_in, .bind = bind_kernel, .evaluate = evaluate_kernel};

static Tensor *domain(Program *p, const char *stem, int points, int rows, int channels, Role role) {
    Tensor *t = program_tensor(p, arena_printf(p->arena, "%s_%d", stem, p->tensor_count - p->graph->tensor_count), shape3(points, rows, channels), role);
    t->points = points;
    return t;
}

static Kernel *add(Program *p, const KernelDef *def, const Op *op, const char *name, const Integer *integers, int n, Tensor *from, Tensor *to) {
    Kernel *k = add_kernel(p, def, op, name);
    kernel_ints(p, k, integers, n);
    kernel_input(p, k, from);
    kernel_output(p, k, to);
    k->flops = 0;
    return k;
}

static void lower_rows(Program *p, const Op *op) {
    Window w = window_of(op);
    Tensor *x = op->inputs[0], *y = op->outputs[0];
    int m = tile_length(&w), alpha = m + w.kw - 1, across = parts(w.ow, m), filters = last_dim(y->shape), high = input_rows(&w), wide = across * m + w.kw - 1;
    int rows = product_rows(&w, across), tall = w.ih + w.top, broad = w.iw + w.left;
    x = padded(p, op, x, w.top, w.left, 1, 1, high > tall ? high : tall, wide > broad ? wide : broad);
    Tensor *v = domain(p, arena_printf(p->arena, "%s_transformed", x->name), alpha, across * high, w.ic, ROLE_ACTIVATION);
    Tensor *u = domain(p, arena_printf(p->arena, "%s_transformed", op->inputs[1]->name), alpha, w.kh * w.ic, filters, ROLE_DERIVED);
    Tensor *product = domain(p, arena_printf(p->arena, "%s_product", y->name), alpha, rows, filters, ROLE_ACTIVATION);
    const Integer in[] = {{"M", m}, {"R", w.kw}, {"STEP", m}, {"ACROSS", across}, {"H", high}, {"W", x->shape.dim[1]}, {"C", w.ic}};
    const Integer kernel[] = {{"M", m}, {"R", w.kw}, {"KH", w.kh}, {"C", w.ic}, {"O", filters}};
    const Integer multiply[] = {{"ROWS", rows}, {"SUM", 0}, {"M", 0}, {"N", filters}, {"K", w.kh * w.ic}, {"ROW", w.ic}, {"COLUMN", 1}, {"POINTS", alpha}, {"ADD", 0}};
    const Integer out[] = {{"M", m}, {"R", w.kw}, {"STEP", m}, {"ACROSS", across}, {"ROWS", high}, {"H", w.oh}, {"W", w.ow}, {"C", filters}};
    add(p, &x_transform, op, "in", in, LENGTH(in), x, v);
    add(p, &kernel_transform, op, "kernel", kernel, LENGTH(kernel), op->inputs[1], u);
    Kernel *k = add_kernel(p, &products, op, "products");
    kernel_ints(p, k, multiply, LENGTH(multiply));
    kernel_input(p, k, v);
    kernel_input(p, k, u);
    kernel_output(p, k, product);
    k->flops = 2.0 * alpha * rows * w.kh * w.ic * filters;
    add(p, w.oh * w.ow <= MAX_MAP ? &y_transform_pools : &y_transform, op, "forward", out, LENGTH(out), product, y);
}

const Algorithm algorithm_winograd_rows = {.name = "winograd_rows", .doc = "convolutions of one example with fewer products along the row", .covers = covers, .cost = cost, .lower = lower_rows};
