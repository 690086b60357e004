/* batch_normalization.c: each channel by a mean and a variance; then times gamma, plus beta. Training takes those of the batch and
 * moves averages towards them; prediction, and a layer that is not trained, takes the averages. */
#include "normalization.h"

#include <math.h>

enum { MOMENTUM = FIRST_OWN_OPTION, MOVING_MEAN_INITIALIZER, MOVING_VARIANCE_INITIALIZER };
enum { X, MEAN, VARIANCE, GAMMA }; /* inputs; then gamma and beta, as far as there are some */

static const AttrDef attributes[] = {
    NORMALIZATION_DEFS,
    {"momentum", ATTR_REAL, "0.99", 0, 1, 0, NULL, NULL, false, "how much of the moving averages stays at each step"},
    {"moving_mean_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how the moving mean starts"},
    {"moving_variance_initializer", ATTR_CALL, "ones", 0, 0, 0, NULL, initializer_family, false, "how the moving variance starts"},
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
    return g->diag->errors ? NULL : add_op(g, &op_batch_normalization, l, l->attributes, inputs, n);
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
    Tensor *inputs[] = {dy, op->inputs[VARIANCE], has_gamma(op) ? op->inputs[GAMMA] : NULL};
    if (op->layer->trainable) {
        error(g->diag, op->layer->loc, "'batch_normalization' cannot be trained yet");
        hint(g->diag, "with trainable=false it keeps its averages");
    }
    if (wants_gradient(op->inputs[X])) add_gradient(g, op->inputs[X], add_gradient_op(g, &op_batch_normalization_grad, op, inputs, 2 + has_gamma(op)));
}

static double flops(const Op *op) { return 2.0 * (double)shape_count(op->outputs[0]->shape); }

const OpDef op_batch_normalization = {
    .call = {"batch_normalization", "each channel by its mean and variance", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "BatchNormalization",
    .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer_like_input, .same_size = true, .channelwise = 1 << MEAN | 1 << VARIANCE | 1 << GAMMA | 1 << (GAMMA + 1),
    .positive = 1 << VARIANCE, .gradient = gradient, .evaluate = evaluate, .affine = affine, .flops = flops,
    .equation = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
};
const OpDef op_batch_normalization_grad = {
    .call = {"batch_normalization_grad", "gradient of batch_normalization in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad, .equation = "dx = dy / sqrt(variance + epsilon) * gamma",
};
