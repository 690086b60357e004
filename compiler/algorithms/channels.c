/* channels.c: a batch normalization as a factor and a term for each channel, made from its mean and variance, and two elementwise
 * ops, which go into other kernels; and what training sums over the batch for it. */
#include "tiles.h"
#include "../ops/ops.h"

#include <math.h>
#include <string.h>

/* Of the layer. */
static double option(const Op *op, const char *name) {
    const Callable *c = &op->layer->def->call;
    for (int i = 0; i < c->attribute_count; i++)
        if (!strcmp(c->attributes[i].name, name)) return op->layer->attributes[i].real;
    bug("'%s' has no option '%s'", c->name, name);
}

/* ---- factor and term -------------------------------------------------------------------------------------------------- */

/* Inputs: variance, gamma if there is one. */
static void evaluate_scale(const Kernel *k, const double *const *in, double *out) {
    for (int64_t c = 0; c < kernel_get(k, "N"); c++) out[c] = (k->input_count > 1 ? in[1][c] : 1) / sqrt(in[0][c] + option(k->op, "epsilon"));
}

/* Inputs: mean, factor, beta if there is one. */
static void evaluate_shift(const Kernel *k, const double *const *in, double *out) {
    for (int64_t c = 0; c < kernel_get(k, "N"); c++) out[c] = (k->input_count > 2 ? in[2][c] : 0) - in[0][c] * in[1][c];
}

static void bind_scale(const Program *p, const Kernel *k, Bindings *b) {
    (void)p;
    bind_int(b, "batch", k->def->level == LEVEL_BATCH);
    bind_int(b, "has_gamma", k->input_count > 1);
    bind_real(b, "epsilon", option(k->op, "epsilon"));
}

static void bind_shift(const Program *p, const Kernel *k, Bindings *b) {
    (void)p;
    bind_int(b, "batch", k->def->level == LEVEL_BATCH);
    bind_int(b, "has_beta", k->input_count > 2);
}

/* Where they come from the parameters, and from statistics of the batch. */
static const KernelDef scale_def = {.template = "batch_normalization.scale", .level = LEVEL_DERIVE, .bind = bind_scale, .combine = evaluate_scale};
static const KernelDef shift_def = {.template = "batch_normalization.shift", .level = LEVEL_DERIVE, .bind = bind_shift, .combine = evaluate_shift};
static const KernelDef batch_scale_def = {.template = "batch_normalization.scale", .level = LEVEL_BATCH, .bind = bind_scale};
static const KernelDef batch_shift_def = {.template = "batch_normalization.shift", .level = LEVEL_BATCH, .bind = bind_shift};

static const char *unique_name(const Program *p, const Op *op, const char *word) {
    return arena_printf(p->arena, "%s_%s_%d", op->layer->name, word, p->tensor_count - p->graph->tensor_count);
}

/* A kernel that makes vectors along the channels; inputs that are NULL are left out. */
static Kernel *add_vectors(Program *p, const KernelDef *def, const Op *op, const char *word, Tensor *const *inputs, int n) {
    const Op *forward = op->forward ? op->forward : op;
    Shape x = forward->inputs[0]->shape;
    Kernel *k = add_kernel(p, def, op, word);
    for (int i = 0; i < n; i++)
        if (inputs[i]) kernel_input(p, k, inputs[i]);
    kernel_int(p, k, "P", row_count(x));
    kernel_int(p, k, "N", last_dim(x));
    k->flops = 0;
    return k;
}

static Tensor *new_output(Program *p, const Op *op, Kernel *k, const char *word, Shape shape, Role role) {
    Tensor *y = program_tensor(p, unique_name(p, op, word), shape, role);
    kernel_output(p, k, y);
    return y;
}

static Tensor *channel_vector(Program *p, const Op *op, Kernel *k, const char *word) {
    return new_output(p, op, k, word, shape1((int)kernel_get(k, "N")), k->def->level == LEVEL_BATCH ? ROLE_BATCH : ROLE_DERIVED);
}

static bool of_batch(const Program *p, Tensor *statistic) { return storage(p, statistic)->role == ROLE_BATCH; }

static Tensor *add_scale(Program *p, const Op *op, Tensor *variance, Tensor *gamma) {
    return channel_vector(p, op, add_vectors(p, of_batch(p, variance) ? &batch_scale_def : &scale_def, op, "factor", (Tensor *[]){variance, gamma}, 2), "factor");
}

static Tensor *add_shift(Program *p, const Op *op, Tensor *mean, Tensor *scale, Tensor *beta) {
    return channel_vector(p, op, add_vectors(p, of_batch(p, mean) ? &batch_shift_def : &shift_def, op, "term", (Tensor *[]){mean, scale, beta}, 3), "term");
}

/* ---- ops ---------------------------------------------------------------------------------------------------------------- */

/* y = x op vector, y NULL: another tensor like x. */
static Tensor *by_channel(Program *p, const OpDef *def, const Op *op, Tensor *x, Tensor *vector, Tensor *y) {
    Op *made = NEW(p->arena, Op);
    *made = (Op){.id = op->id, .def = def, .layer = op->layer, .input_count = 2, .output_count = 1};
    if (!y) {
        y = program_tensor(p, unique_name(p, op, def->call.name), x->shape, ROLE_ACTIVATION);
        y->producer = made;
    }
    made->inputs = NEW_ARRAY(p->arena, Tensor *, 2);
    made->outputs = NEW_ARRAY(p->arena, Tensor *, 1);
    made->inputs[0] = x, made->inputs[1] = vector, made->outputs[0] = y;
    lower_elementwise(p, made);
    return y;
}

static void lower_normalization(Program *p, const Op *op) {
    bool gamma = option(op, "scale") != 0, beta = option(op, "center") != 0;
    Tensor *scale = add_scale(p, op, op->inputs[2], gamma ? op->inputs[3] : NULL), *shift = add_shift(p, op, op->inputs[1], scale, beta ? op->inputs[3 + gamma] : NULL);
    by_channel(p, &op_bias_add, op, by_channel(p, &op_channel_scale, op, op->inputs[0], scale, NULL), shift, op->outputs[0]);
}

static void lower_grad(Program *p, const Op *op) {
    Tensor *scale = add_scale(p, op, op->inputs[1], op->input_count > 2 ? op->inputs[2] : NULL);
    by_channel(p, &op_channel_scale, op, op->inputs[0], scale, op->outputs[0]);
}

/* ---- the batch ------------------------------------------------------------------------------------------------------------
 * Each shard leaves a part: mean and sum of squares, or sums of gradients. Between the parts of a step these are combined in the order
 * of the shards, so that no bit depends on who worked on which. */

static void bind_shards(const Program *p, const Kernel *k, Bindings *b) {
    (void)k;
    bind_int(b, "SHARD", p->examples);
    bind_int(b, "STRIDE", (int64_t)p->kept / element_size(p, TYPE_REAL));
    bind_optional(b, "SHARD");
}

static void bind_gather(const Program *p, const Kernel *k, Bindings *b) {
    bind_shards(p, k, b);
    bind_int(b, "has_gamma", k->input_count > 2);
    bind_real(b, "epsilon", option(k->op, "epsilon"));
}

static void bind_move(const Program *p, const Kernel *k, Bindings *b) {
    (void)p;
    bind_real(b, "momentum", option(k->op, "momentum"));
    bind_real(b, "rest", 1 - option(k->op, "momentum"));
}

static void bind_epsilon(const Program *p, const Kernel *k, Bindings *b) { (void)p, bind_real(b, "epsilon", option(k->op, "epsilon")); }

static const KernelDef moments = {.template = "batch_normalization.moments", .level = LEVEL_SHARD};
static const KernelDef combine = {.template = "batch_normalization.combine", .level = LEVEL_BATCH, .bind = bind_shards};
static const KernelDef move = {.template = "batch_normalization.move", .level = LEVEL_BATCH, .bind = bind_move};
static const KernelDef sums = {.template = "batch_normalization.sums", .level = LEVEL_SHARD};
static const KernelDef gamma_grad = {.template = "batch_normalization.gamma_grad", .level = LEVEL_SHARD, .bind = bind_epsilon, .starts = true};
static const KernelDef beta_grad = {.template = "batch_normalization.beta_grad", .level = LEVEL_SHARD, .starts = true};
static const KernelDef gather = {.template = "batch_normalization.gather", .level = LEVEL_BATCH, .bind = bind_gather};
static const KernelDef spread = {.template = "batch_normalization.spread", .level = LEVEL_BATCH};

static Tensor *add_part(Program *p, const KernelDef *def, const Op *op, const char *word, Tensor *const *inputs, int n) {
    Kernel *k = add_vectors(p, def, op, word, inputs, n);
    k->flops = op->def->flops(op);
    return new_output(p, op, k, word, shape2(2, (int)kernel_get(k, "N")), ROLE_PARTIAL);
}

static void lower_moments(Program *p, const Op *op) {
    if (p->entry != ENTRY_TRAIN) return;
    Tensor *part = add_part(p, &moments, op, "moments", op->inputs, 1);
    Kernel *k = add_vectors(p, &combine, op, "combine", &part, 1);
    kernel_output(p, k, op->outputs[0]);
    kernel_output(p, k, op->outputs[1]);
    for (int i = 0; i < 2; i++) kernel_output(p, add_vectors(p, &move, op, "move", &op->outputs[i], 1), op->inputs[1 + i]);
}

/* Inputs: dy, x, mean, variance, gamma if there is one. */
static void lower_sums(Program *p, const Op *op) {
    Tensor *variance = op->inputs[3], *gamma = op->input_count > 4 ? op->inputs[4] : NULL, *part = add_part(p, &sums, op, "sums", op->inputs, 3);
    for (int i = 0; i < op->output_count; i++) {
        Tensor *y = op->outputs[i];
        if (y->role != ROLE_PARAMETER_GRADIENT) continue;
        bool of_gamma = gamma && gamma->gradient == y;
        kernel_output(p, add_vectors(p, of_gamma ? &gamma_grad : &beta_grad, op, of_gamma ? "gamma_grad" : "beta_grad", (Tensor *[]){part, of_gamma ? variance : NULL}, 2), y);
    }
    if (op->outputs[0]->role != ROLE_BATCH) return;
    Kernel *k = add_vectors(p, &gather, op, "gather", (Tensor *[]){part, variance, gamma}, 3);
    kernel_output(p, k, op->outputs[0]);
    kernel_output(p, k, op->outputs[1]);
}

/* Inputs: x, mean, count, dmean, dvariance. What comes from both is again a factor and a term. */
static void lower_moments_grad(Program *p, const Op *op) {
    Kernel *k = add_vectors(p, &spread, op, "spread", (Tensor *[]){op->inputs[3], op->inputs[4], op->inputs[1]}, 3);
    Tensor *slope = channel_vector(p, op, k, "slope"), *offset = channel_vector(p, op, k, "offset");
    by_channel(p, &op_bias_add, op, by_channel(p, &op_channel_scale, op, op->inputs[0], slope, NULL), offset, op->outputs[0]);
}

static const struct { const OpDef *def; void (*lower)(Program *, const Op *); } covered[] = {
    {&op_batch_normalization, lower_normalization}, {&op_batch_normalization_grad, lower_grad}, {&op_batch_normalization_sums, lower_sums},
    {&op_batch_moments, lower_moments}, {&op_batch_moments_grad, lower_moments_grad},
};

static void lower_channels(Program *p, const Op *op) {
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) covered[i].lower(p, op);
}

static bool covers(const Program *p, const Op *op) {
    (void)p;
    for (int i = 0; i < LENGTH(covered); i++)
        if (covered[i].def == op->def) return true;
    return false;
}

static double cost(const Program *p, const Op *op) { return op->def->flops(op) / p->target->lanes; }

const Algorithm algorithm_channels = {.name = "channels", .doc = "a factor and a term for each channel", .covers = covers, .cost = cost, .lower = lower_channels};
