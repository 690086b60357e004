/* sparse_pool.c: the gradients of a convolution before a max pooling, at the pooling's winners only: of a window's elements
 * one has a gradient, and none where the activation let nothing through. So of dy, as the pooling passes it back, neither
 * the zeros are stored nor multiplied (see pool_winners.c.tmpl, which finds the others, as sets of bits).
 *
 * dw: sums of patches of the input times gradients; with few input channels each lane looks up the pixel it needs.
 * dx: patches of the kernel times gradients. */
#include "../ops/ops.h"
#include "tiles.h"

enum { MAX_WINDOWS = 4096, MAX_WINDOW = 4, MAX_DX = 128 << 10, BLOCK = 4 }; /* windows; elements of one; bytes; examples */

/* ---- where it fits ------------------------------------------------------------------------------------------------------ */

/* The gradient of the pooling that dy of a convolution's gradient comes from; NULL: it does not. */
static const Op *pooling_behind(const Op *op) {
    bool input = op->def->convolution == CONV_INPUT, kernel = op->def->convolution == CONV_KERNEL;
    const Op *route = input || kernel ? op->inputs[kernel]->producer : NULL;
    return route && route->def == &op_max_pooling2d_grad ? route : NULL;
}

/* How windows of the pooling lie on the convolution's output. */
static bool windows_fit(const Window *pool) {
    bool apart = pool->sh == pool->kh && pool->sw == pool->kw && !pool->top && !pool->left && pool->oh * pool->kh <= pool->ih && pool->ow * pool->kw <= pool->iw;
    return apart && pool->kh * pool->kw <= MAX_WINDOW && pool->oh * pool->ow <= MAX_WINDOWS;
}

static int more(int a, int b) { return a > b ? a : b; }
static int rows_with(const Window *w, const Window *pool) { return more(pool->oh * pool->kh + w->kh - 1, w->ih + w->top); }
static int columns_with(const Window *w, const Window *pool) { return more(pool->ow * pool->kw + w->kw - 1, w->iw + w->left); }

/* Rows of the kernel that dx's patch in registers allows at a time; 0: not even one. */
static int kernel_rows(const Program *p, const Window *w, const Window *pool) {
    int rows = (p->target->registers - 3) / (pool->kw + w->kw - 1) - pool->kh + 1;
    return rows < w->kh ? rows : w->kh;
}

static bool covers(const Program *p, const Op *op) {
    const Op *route = pooling_behind(op);
    if (p->target->lanes == 1 || !route) return false;
    Window w = window_of(op), pool = window_of(route);
    if (!windows_fit(&pool) || w.groups > 1 || w.dh != 1 || w.dw != 1) return false;
    if (op->def->convolution == CONV_KERNEL) return true;
    int64_t bytes = (int64_t)rows_with(&w, &pool) * columns_with(&w, &pool) * p->target->lanes * 4;
    return w.sh == 1 && w.sw == 1 && kernel_rows(p, &w, &pool) > 0 && bytes <= MAX_DX;
}

/* The pooling behind what `covers` covered. */
static const Op *route_of(const Op *op) {
    const Op *route = pooling_behind(op);
    if (!route) bug("sparse_pool without a max pooling");
    return route;
}

static bool few_channels(const Program *p, const Op *op) {
    Window w = window_of(op);
    int lanes = p->target->lanes, row = (w.kw * w.ic + lanes - 1) / lanes;
    return w.kh * row * lanes > 3 * w.kh * w.kw * w.ic || w.ic < 2;
}

/* Two thirds of the gradients are taken to be non-zero; a list's or set's entry costs some integer work beside its products. */
static double cost(const Program *p, const Op *op) {
    Window w = window_of(op), pool = window_of(route_of(op));
    double lanes = p->target->lanes, channels = last_dim(route_of(op)->inputs[0]->shape), winners = 0.67 * pool.oh * pool.ow * channels;
    bool kernel = op->def->convolution == CONV_KERNEL;
    if (kernel && few_channels(p, op)) return pool.oh * pool.ow * channels / lanes * w.kh * w.kw * w.ic * 3;
    double row = (kernel ? w.kw * w.ic + lanes - 1 : w.ic + lanes - 1) / lanes, vectors = (int)row * w.kh * (kernel ? 1 : w.kw);
    return winners * (vectors / (0.8 * p->target->fma) + (kernel ? 2 : 4 * (int)row));
}

/* ---- kernels -------------------------------------------------------------------------------------------------------------- */

static void schedule_grad_kernel(Program *p, Kernel *k) {
    int lanes = p->target->lanes, row = (int)(kernel_get(k, "KW") * kernel_get(k, "C") + lanes - 1) / lanes, vectors = row * (int)kernel_get(k, "KH");
    int most = p->target->registers >= 32 ? 28 : 13, passes = (vectors + most - 1) / most;
    kernel_int(p, k, "PASS", (vectors + passes - 1) / passes);
}

static void schedule_few(Program *p, Kernel *k) {
    int taps = (int)(kernel_get(k, "KH") * kernel_get(k, "KW") * kernel_get(k, "C")), channels = (int)kernel_get(k, "O");
    int most = p->target->registers >= 32 ? 27 : 11, deep = most / taps < 1 ? 1 : most / taps, vectors = vectors_of(p, channels);
    int passes = (taps + most - 1) / most;
    kernel_int(p, k, "TAPS", (taps + passes - 1) / passes);
    cut_channels(p, k, channels, deep < vectors ? deep : vectors);
}

static const KernelDef winners = {.template = "pool_winners", .level = LEVEL_EXAMPLE};
static const KernelDef grad_kernel = {.template = "pool_grad_kernel", .level = LEVEL_SHARD, .schedule = schedule_grad_kernel};
static const KernelDef grad_kernel_few = {.template = "pool_grad_kernel_few", .level = LEVEL_EXAMPLE, .schedule = schedule_few};
static const KernelDef grad_input = {.template = "pool_grad_input", .level = LEVEL_BLOCK, .epilogue = true, .schedule = schedule_nothing};
static const KernelDef lanes_inside = {.template = "lanes", .level = LEVEL_DERIVE};
static const KernelDef turn_add = {.template = "turn_add", .level = LEVEL_SHARD};

static const char *tensor_name(Program *p, const Tensor *t, const char *suffix) {
    return arena_printf(p->arena, "%s_%s_%d", t->name, suffix, p->tensor_count - p->graph->tensor_count);
}

static int planes_of(const Window *pool) { return pool->kh * pool->kw > 2 ? 2 : pool->kh * pool->kw - 1; }

/* What all kernels of this algorithm ask about the pooling and its convolution. */
static void pool_integers(Program *p, Kernel *k, const Op *route) {
    Window pool = window_of(route);
    int channels = last_dim(route->inputs[0]->shape);
    const Integer integers[] = {
        {"P", (int64_t)pool.oh * pool.ow}, {"O", channels}, {"Q", (int64_t)pool.kh * pool.kw}, {"PH", pool.kh}, {"PW", pool.kw}, {"DOWN", pool.oh},
        {"ACROSS", pool.ow}, {"PLANES", planes_of(&pool)}, {"CHANNELS", (int64_t)vectors_of(p, channels) * p->target->lanes},
    };
    kernel_ints(p, k, integers, LENGTH(integers));
}

/* The two kinds of sets: by window, and by channel. */
static void find_winners(Program *p, const Op *op, const Op *route, Tensor *by[2]) {
    Window pool = window_of(route);
    int channels = last_dim(route->inputs[0]->shape), windows = pool.oh * pool.ow;
    Kernel *k = add_kernel(p, &winners, op, "winners");
    pool_integers(p, k, route);
    kernel_input(p, k, route->inputs[0]);
    kernel_input(p, k, route->inputs[1]);
    by[0] = program_tensor(p, tensor_name(p, route->inputs[0], "by_window"), shape3(windows, pool.kh * pool.kw, (channels + 63) / 64), ROLE_MASK);
    by[1] = program_tensor(p, tensor_name(p, route->inputs[0], "by_channel"), shape3((windows + 31) / 32, 1 + planes_of(&pool), vectors_of(p, channels) * p->target->lanes), ROLE_MASK);
    by[0]->type = TYPE_SET64, by[1]->type = TYPE_SET32;
    for (int i = 0; i < 2; i++) kernel_output(p, k, by[i]);
    k->flops = 0;
}

static void lower_few(Program *p, const Op *op, const Op *route, const Window *w, Tensor *x) {
    Kernel *k = add_kernel(p, &grad_kernel_few, op, "grad_kernel");
    kernel_window(p, k, w);
    pool_integers(p, k, route);
    kernel_input(p, k, x);
    kernel_input(p, k, route->inputs[0]);
    kernel_input(p, k, route->inputs[1]);
    kernel_output(p, k, op->outputs[0]);
    k->flops = 2.0 * w->kh * w->kw * w->ic * (double)shape_count(route->inputs[0]->shape);
}

static void lower_grad_kernel(Program *p, const Op *op, const Op *route) {
    Window w = window_of(op);
    Tensor *x = window_input(p, op, &w, op->inputs[0]), *by[2], *dy = route->inputs[0];
    int lanes = p->target->lanes, row = (w.kw * w.ic + lanes - 1) / lanes * lanes, channels = last_dim(dy->shape);
    if (few_channels(p, op)) {
        lower_few(p, op, route, &w, x);
        return;
    }
    find_winners(p, op, route, by);
    Kernel *k = add_kernel(p, &grad_kernel, op, "grad_kernel_sums"), *end;
    Tensor *sums = program_tensor(p, tensor_name(p, op->outputs[0], "by_channel"), shape3(channels, w.kh, row), ROLE_PARTIAL);
    kernel_window(p, k, &w);
    pool_integers(p, k, route);
    kernel_int(p, k, "IMAGE", shape_count(x->shape));
    kernel_input(p, k, x);
    kernel_input(p, k, dy);
    kernel_input(p, k, by[1]);
    kernel_output(p, k, sums);
    k->flops = 2.0 * w.kh * w.kw * w.ic * (double)shape_count(dy->shape);
    end = add_kernel(p, &turn_add, op, "grad_kernel");
    const Integer integers[] = {{"O", channels}, {"ROWS", w.kh}, {"STEP", row}, {"N", (int64_t)w.kw * w.ic}};
    kernel_ints(p, end, integers, LENGTH(integers));
    kernel_input(p, end, sums);
    kernel_output(p, end, op->outputs[0]);
    end->flops = 0;
}

static Tensor *kernel_in_lanes(Program *p, const Op *op, Tensor *kernel, const Window *w, int channels) {
    int lanes = p->target->lanes;
    Kernel *k = add_kernel(p, &lanes_inside, op, "lanes");
    Tensor *t = program_tensor(p, tensor_name(p, kernel, "lanes"), shape4(vectors_of(p, w->ic), channels, w->kh * w->kw, lanes), ROLE_DERIVED);
    const Integer integers[] = {{"TAPS", (int64_t)w->kh * w->kw}, {"C", w->ic}, {"O", channels}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, kernel);
    kernel_output(p, k, t);
    k->flops = 0;
    return t;
}

static void lower_grad_input(Program *p, const Op *op, const Op *route) {
    Window w = window_of(op), pool = window_of(route);
    Tensor *by[2], *dy = route->inputs[0], *kernel = kernel_in_lanes(p, op, op->inputs[1], &w, last_dim(dy->shape));
    find_winners(p, op, route, by);
    Kernel *k = add_kernel(p, &grad_input, op, "grad_input");
    pool_integers(p, k, route);
    const Integer integers[] = {{"KH", w.kh}, {"KW", w.kw}, {"C", w.ic}, {"H", w.ih}, {"W", w.iw}, {"TOP", w.top}, {"LEFT", w.left},
                                {"HIGH", rows_with(&w, &pool)}, {"WIDE", columns_with(&w, &pool)}, {"ROWS", kernel_rows(p, &w, &pool)}};
    kernel_ints(p, k, integers, LENGTH(integers));
    kernel_input(p, k, dy);
    kernel_input(p, k, by[0]);
    kernel_input(p, k, kernel);
    kernel_output(p, k, op->outputs[0]);
    k->block = BLOCK < p->examples ? BLOCK : p->examples;
    k->flops = 2.0 * w.kh * w.kw * w.ic * (double)shape_count(dy->shape);
}

static void lower_sparse_pool(Program *p, const Op *op) {
    const Op *route = route_of(op);
    if (op->def->convolution == CONV_KERNEL) lower_grad_kernel(p, op, route);
    else lower_grad_input(p, op, route);
}

const Algorithm algorithm_sparse_pool = {.name = "sparse_pool", .doc = "gradients of convolutions at the winners of the max pooling behind them", .covers = covers, .cost = cost, .lower = lower_sparse_pool};
