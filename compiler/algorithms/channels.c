/* channels.c: a batch normalization as a factor and a term for each channel, made from its mean and variance wherever these are
 * known, and two elementwise ops, which go into the kernel before them. */
#include "tiles.h"
#include "../ops/ops.h"

#include <math.h>
#include <string.h>

/* By name, of the op or the op whose gradient it is. */
static double option(const Op *op, const char *name) {
    const Op *forward = op->forward ? op->forward : op;
    for (int i = 0; i < forward->def->call.attribute_count; i++)
        if (!strcmp(forward->def->call.attributes[i].name, name)) return forward->attributes[i].real;
    bug("'%s' has no option '%s'", forward->def->call.name, name);
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
    bind_int(b, "has_gamma", k->input_count > 1);
    bind_real(b, "epsilon", option(k->op, "epsilon"));
}

static void bind_shift(const Program *p, const Kernel *k, Bindings *b) { (void)p, bind_int(b, "has_beta", k->input_count > 2); }

static const KernelDef scale_def = {.template = "batch_normalization.scale", .level = LEVEL_DERIVE, .bind = bind_scale, .combine = evaluate_scale};
static const KernelDef shift_def = {.template = "batch_normalization.shift", .level = LEVEL_DERIVE, .bind = bind_shift, .combine = evaluate_shift};

static Tensor *new_vector(Program *p, const Op *op, const char *word) {
    const char *name = arena_printf(p->arena, "%s_%s_%d", op->layer->name, word, p->tensor_count - p->graph->tensor_count);
    return program_tensor(p, name, shape1(last_dim(op->inputs[0]->shape)), ROLE_DERIVED);
}

/* A vector made from vectors, of which those that are NULL are left out. */
static Tensor *derived(Program *p, const KernelDef *def, const Op *op, const char *word, Tensor *const *inputs, int n) {
    Kernel *k = add_kernel(p, def, op, word);
    for (int i = 0; i < n; i++)
        if (inputs[i]) kernel_input(p, k, inputs[i]);
    Tensor *y = new_vector(p, op, word);
    kernel_int(p, k, "N", last_dim(y->shape));
    kernel_output(p, k, y);
    k->flops = 0;
    return y;
}

/* ---- ops ---------------------------------------------------------------------------------------------------------------- */

/* y = x op vector, y NULL: another tensor like x. */
static Tensor *by_channel(Program *p, const OpDef *def, const Op *op, Tensor *x, Tensor *vector, Tensor *y) {
    Op *made = NEW(p->arena, Op);
    *made = (Op){.id = op->id, .def = def, .layer = op->layer, .input_count = 2, .output_count = 1};
    if (!y) {
        y = program_tensor(p, arena_printf(p->arena, "%s_%s_%d", op->layer->name, def->call.name, p->tensor_count - p->graph->tensor_count), x->shape, ROLE_ACTIVATION);
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
    Tensor *scale = derived(p, &scale_def, op, "factor", (Tensor *[]){op->inputs[2], gamma ? op->inputs[3] : NULL}, 2);
    Tensor *shift = derived(p, &shift_def, op, "term", (Tensor *[]){op->inputs[1], scale, beta ? op->inputs[3 + gamma] : NULL}, 3);
    by_channel(p, &op_bias_add, op, by_channel(p, &op_channel_scale, op, op->inputs[0], scale, NULL), shift, op->outputs[0]);
}

static void lower_grad(Program *p, const Op *op) {
    Tensor *scale = derived(p, &scale_def, op, "factor", (Tensor *[]){op->inputs[1], op->input_count > 2 ? op->inputs[2] : NULL}, 2);
    by_channel(p, &op_channel_scale, op, op->inputs[0], scale, op->outputs[0]);
}

static const struct { const OpDef *def; void (*lower)(Program *, const Op *); } covered[] = {
    {&op_batch_normalization, lower_normalization}, {&op_batch_normalization_grad, lower_grad},
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

static double cost(const Program *p, const Op *op) { return 2.0 * (double)shape_count(op->outputs[0]->shape) / p->target->lanes; }

const Algorithm algorithm_channels = {.name = "channels", .doc = "a factor and a term for each channel", .covers = covers, .cost = cost, .lower = lower_channels};
