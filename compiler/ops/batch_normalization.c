/* batch_normalization.c: each channel by a mean and a variance; then times gamma, plus beta. Training takes those of the batch and
 * moves averages towards them; prediction, and a layer that is not trained, takes the averages.
 *
 *   mean, variance = batch_moments x      of the batch: known only when all examples have come so far. Elsewhere the averages.
 *   y = batch_normalization x, mean, variance, gamma, beta
 *
 * The gradient goes the same way back: to x at given moments, and, summed over the batch, to the moments, from there to x. */
#include "normalization.h"

#include <math.h>

enum { MOMENTUM = FIRST_OWN_OPTION, MOVING_MEAN_INITIALIZER, MOVING_VARIANCE_INITIALIZER };
enum { X, MEAN, VARIANCE, GAMMA }; /* inputs; then gamma and beta, as far as there are some */

static const AttrDef attributes[] = {
    NORMALIZATION_DEFS,
    {"momentum", ATTR_REAL, "0.99", 0, 1, 0, NULL, NULL, false, "how much of the moving averages stays at each step"},
    {"moving_mean_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how the moving mean starts"},
    {"moving_variance_initializer", ATTR_CALL, "ones", 0, 0, 0, NULL, initializer_family, false, "how the moving variance starts"},
    SCALE_AND_CENTER_DEFS,
};

static Tensor *statistic(Graph *g, Layer *l, const char *weight, const Attr *initializer) {
    Tensor *t = channel_parameter(g, l, weight, initializer);
    if (t) t->trainable = false;
    return t;
}

static bool has_gamma(const Op *op) { return op->attributes[SCALE].real != 0; }
static bool has_beta(const Op *op) { return op->attributes[CENTER].real != 0; }

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    Tensor *inputs[5] = {l->inputs[0]};
    int n = GAMMA;
    if (!check_last_axis(g, l)) return NULL;
    if (a[SCALE].real != 0) inputs[n++] = channel_parameter(g, l, "gamma", &a[GAMMA_INITIALIZER]);
    if (a[CENTER].real != 0) inputs[n++] = channel_parameter(g, l, "beta", &a[BETA_INITIALIZER]);
    inputs[MEAN] = statistic(g, l, "moving_mean", &a[MOVING_MEAN_INITIALIZER]);
    inputs[VARIANCE] = statistic(g, l, "moving_variance", &a[MOVING_VARIANCE_INITIALIZER]);
    if (g->diag->errors) return NULL;
    if (l->trainable) {
        const Op *moments = add_op(g, &op_batch_moments, l, l->attributes, inputs, VARIANCE + 1)->producer;
        inputs[MEAN] = moments->outputs[0], inputs[VARIANCE] = moments->outputs[1];
    }
    return add_op(g, &op_batch_normalization, l, l->attributes, inputs, n);
}

/* Which gradients are to be summed. */
typedef struct Wanted { bool moments, gamma, beta; } Wanted;
static Wanted wanted_of(const Op *op) {
    return (Wanted){wants_gradient(op->inputs[MEAN]), has_gamma(op) && wants_gradient(op->inputs[GAMMA]), has_beta(op) && wants_gradient(op->inputs[GAMMA + has_gamma(op)])};
}

/* What becomes of an element x of channel c: (x - mean) * factor + beta. */
static double channel_factor(const Op *op, const double *const *in, int64_t c) {
    return (has_gamma(op) ? in[GAMMA][c] : 1) / sqrt(in[VARIANCE][c] + op->attributes[EPSILON].real);
}
static double channel_term(const Op *op, const double *const *in, int64_t c) { return has_beta(op) ? in[GAMMA + has_gamma(op)][c] : 0; }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    const double *const *given = (const double *const *)in;
    int64_t n = last_dim(op->outputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++)
        out[0][i] = (in[X][i] - in[MEAN][i % n]) * channel_factor(op, given, i % n) + channel_term(op, given, i % n);
}

static void affine(const Op *op, const double *const *in, double *scale, double *shift) {
    for (int64_t c = 0; c < last_dim(op->outputs[0]->shape); c++) {
        scale[c] = channel_factor(op, in, c);
        shift[c] = channel_term(op, in, c) - in[MEAN][c] * scale[c];
    }
}

/* The gradient in x. */
static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    const double *const given[] = {NULL, NULL, in[1], in[2]};
    int64_t n = last_dim(op->outputs[0]->shape);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * channel_factor(op, given, i % n);
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[X], *mean = op->inputs[MEAN], *variance = op->inputs[VARIANCE], *gamma = has_gamma(op) ? op->inputs[GAMMA] : NULL;
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_batch_normalization_grad, op, (Tensor *[]){dy, variance, gamma}, 2 + has_gamma(op)));
    const Wanted wanted = wanted_of(op);
    if (!wanted.moments && !wanted.gamma && !wanted.beta) return;
    const Op *sums = add_gradient_op(g, &op_batch_normalization_sums, op, (Tensor *[]){dy, x, mean, variance, gamma}, 4 + has_gamma(op))->producer;
    Tensor **next = sums->outputs;
    if (wanted.moments) add_gradient(g, mean, *next++), add_gradient(g, variance, *next++);
    if (wanted.gamma) add_gradient(g, gamma, *next++);
    if (wanted.beta) add_gradient(g, op->inputs[GAMMA + has_gamma(op)], *next++);
}

static bool infer_sums(Graph *g, Op *op) {
    const Wanted wanted = wanted_of(op->forward);
    const struct { bool wanted; const char *name; Role role; } outputs[] = {
        {wanted.moments, "mean_grad", ROLE_BATCH}, {wanted.moments, "variance_grad", ROLE_BATCH},
        {wanted.gamma, "gamma_grad", ROLE_PARAMETER_GRADIENT}, {wanted.beta, "beta_grad", ROLE_PARAMETER_GRADIENT},
    };
    for (int i = 0; i < LENGTH(outputs); i++)
        if (outputs[i].wanted) op->outputs[op->output_count++] = new_tensor(g, op->layer, outputs[i].name, op->forward->inputs[MEAN]->shape, TYPE_REAL, outputs[i].role);
    return true;
}

static void evaluate_sums(const Op *op, double *const *in, double *const *out) {
    const double *const given[] = {NULL, NULL, in[3], in[4]};
    const Wanted wanted = wanted_of(op->forward);
    int64_t n = last_dim(op->forward->inputs[X]->shape);
    for (int64_t i = 0; i < shape_count(op->forward->inputs[X]->shape); i++) {
        int64_t c = i % n;
        double dy = in[0][i], centered = in[1][i] - in[2][c], factor = channel_factor(op->forward, given, c), variance = in[3][c] + op->attributes[EPSILON].real;
        double *const *next = out;
        if (wanted.moments) (*next++)[c] -= dy * factor, (*next++)[c] -= dy * centered * factor / (2 * variance);
        if (wanted.gamma) (*next++)[c] += dy * centered / sqrt(variance);
        if (wanted.beta) (*next++)[c] += dy;
    }
}

/* ---- moments of the batch ----------------------------------------------------------------------------------------------- */

static bool infer_moments(Graph *g, Op *op) {
    static const char *const names[] = {"mean", "variance", "count"};
    for (int i = 0; i < LENGTH(names); i++)
        op->outputs[op->output_count++] = new_tensor(g, op->layer, names[i], i < 2 ? op->inputs[1]->shape : shape1(1), TYPE_REAL, ROLE_BATCH);
    return true;
}

/* One more example, by Welford's rule: all weigh the same. */
static void evaluate_moments(const Op *op, double *const *in, double *const *out) {
    Shape x = op->inputs[X]->shape;
    int64_t n = last_dim(x), rows = row_count(x);
    double before = out[2][0], after = ++out[2][0];
    for (int64_t c = 0; c < n; c++) {
        double mean = 0, variance = 0;
        for (int64_t r = 0; r < rows; r++) mean += in[X][r * n + c] / (double)rows;
        for (int64_t r = 0; r < rows; r++) variance += (in[X][r * n + c] - mean) * (in[X][r * n + c] - mean) / (double)rows;
        double off = mean - out[0][c];
        out[0][c] += off / after;
        out[1][c] = (before * out[1][c] + variance + off * off * before / after) / after;
    }
}

static void gradient_of_moments(Graph *g, Op *op, Tensor *dmean) {
    Tensor *dvariance = op->outputs[1]->gradient, *x = op->inputs[X];
    Tensor *inputs[] = {x, op->outputs[0], op->outputs[2], dmean, dvariance};
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_batch_moments_grad, op, inputs, dvariance ? 5 : 4));
}

static void evaluate_moments_grad(const Op *op, double *const *in, double *const *out) {
    Shape x = op->inputs[X]->shape;
    int64_t n = last_dim(x);
    double share = 1 / (in[2][0] * (double)row_count(x));
    for (int64_t i = 0; i < shape_count(x); i++)
        out[0][i] = share * (in[3][i % n] + (op->input_count > 4 ? 2 * in[4][i % n] * (in[0][i] - in[1][i % n]) : 0));
}

static double flops(const Op *op) { return 2.0 * (double)shape_count(op->outputs[0]->shape); }
static double flops_of_input(const Op *op) { return 4.0 * (double)shape_count(op->inputs[0]->shape); }

const OpDef op_batch_normalization = {
    .call = {"batch_normalization", "each channel by its mean and variance", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "BatchNormalization",
    .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer_like_input, .same_size = true, .channelwise = 1 << MEAN | 1 << VARIANCE | 1 << GAMMA | 1 << (GAMMA + 1),
    .positive = 1 << VARIANCE, .gradient = gradient, .cancels = true, .evaluate = evaluate, .affine = affine, .flops = flops,
    .equation = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
};
const OpDef op_batch_normalization_grad = {
    .call = {"batch_normalization_grad", "gradient of batch_normalization in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad, .flops = flops, .equation = "dx = dy / sqrt(variance + epsilon) * gamma",
};
const OpDef op_batch_normalization_sums = {
    .call = {"batch_normalization_sums", "gradient of batch_normalization in all but its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_sums,
    .accumulates = true, .cancels = true, .evaluate = evaluate_sums, .flops = flops_of_input, .equation = "sums of dy and of dy * (x - mean)",
};
const OpDef op_batch_moments = {
    .call = {"batch_moments", "mean and variance of each channel over the batch", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_moments, .accumulates = true,
    .moving = true, .gradient = gradient_of_moments, .cancels = true, .evaluate = evaluate_moments, .flops = flops_of_input, .equation = "mean and variance of x over the batch",
};
const OpDef op_batch_moments_grad = {
    .call = {"batch_moments_grad", "gradient of batch_moments", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .cancels = true, .evaluate = evaluate_moments_grad,
    .flops = flops, .equation = "dx = (dmean + 2 * dvariance * (x - mean)) / count",
};
