/* pointwise_losses.c: losses that are a mean over all elements of a function of prediction p and target t, and
 * kl_divergence, whose elements along the last axis are summed. A row of functions in double each, and the same in C; the
 * rest is shared, templates/pointwise_loss.c.tmpl too. What is added before a logarithm or clipped is Keras's epsilon. */
#include "loss.h"

#include <math.h>

typedef double Function(double p, double t, const Attr *);
typedef struct Pointwise {
    double (*target)(double t, const Attr *); /* NULL: as it is given */
    Function *value, *slope;                  /* slope: d value / dp */
    const char *target_c, *value_c, *slope_c; /* of one element, in terms of b, p and t, F and the options */
    bool sums;                                /* along the last axis */
    const OpDef *grad;
} Pointwise;

static const Pointwise *parts_of(const Op *op) { return (op->forward ? op->forward : op)->def->own; }

static double target_at(const Pointwise *f, const Op *op, double t) { return f->target ? f->target(t, op->attributes) : t; }

static int64_t divisor_of(const Op *op) {
    Shape s = op->inputs[0]->shape;
    return parts_of(op)->sums ? row_count(s) : shape_count(s);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    const Pointwise *f = parts_of(op);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++)
        out[0][0] += f->value(in[0][i], target_at(f, op, in[1][i]), op->attributes) / (double)divisor_of(op);
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    const Pointwise *f = parts_of(op);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++)
        out[0][i] = f->slope(in[0][i], target_at(f, op, in[1][i]), op->attributes) / (double)divisor_of(op) * in[2][0];
}

static void gradient(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, parts_of(op)->grad); }

/* Those of its own options that are numbers, by their names. */
static void bind_options(const Op *op, Bindings *b) {
    const Callable *c = &(op->forward ? op->forward : op)->def->call;
    for (int i = 0; i < c->attribute_count; i++) {
        bind_real(b, c->attributes[i].name, op->attributes[i].real);
        bind_optional(b, c->attributes[i].name);
    }
}

static void bind_shared(const Op *op, Bindings *b) {
    const Pointwise *f = parts_of(op);
    bind_int(b, "COUNT", shape_count(op->inputs[0]->shape));
    bind_int(b, "DIVISOR", divisor_of(op));
    bind_string(b, "target", f->target_c ? f->target_c : "b[i]");
    bind_options(op, b);
}

static void bind(const Op *op, Bindings *b) {
    bind_shared(op, b);
    bind_string(b, "value", parts_of(op)->value_c);
}

static void bind_grad(const Op *op, Bindings *b) {
    bind_shared(op, b);
    bind_string(b, "slope", parts_of(op)->slope_c);
}

/* A loss and its gradient; form is OP_LOSS or, of one on logits, OP_INTERNAL; behind it other members. */
#define LOSS(...) DEFINE_LOSS(__VA_ARGS__)
#define DEFINE_LOSS(word, of, text, short_word, options, option_count, form, ...)                                      \
    const OpDef op_##word = {                                                                                          \
        .call = {#word, text, options, option_count, short_word}, .kind = form, .accumulates = true, .infer = infer_total, \
        .gradient = gradient, .evaluate = evaluate, .plain = "pointwise_loss.loss", .bind = bind,                      \
        .target = target_like_prediction, .own = &word, .equation = "loss = mean " of, __VA_ARGS__};                   \
    const OpDef op_##word##_grad = {                                                                                   \
        .call = {#word "_grad", "gradient of " #word, NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, \
        .evaluate = evaluate_grad, .plain = "pointwise_loss.grad", .bind = bind_grad, .equation = "dp = d loss / dp * scale"}
#define NOTHING_MORE .min_inputs = 0
#define PROBABILITIES .probabilities = true

/* ---- differences ---------------------------------------------------------------------------------------------------- */

static double absolute(double p, double t, const Attr *a) { return (void)a, fabs(p - t); }
static double absolute_slope(double p, double t, const Attr *a) { return (void)a, (p > t) - (p < t); }
static const Pointwise mean_absolute_error = {
    .value = absolute, .slope = absolute_slope, .value_c = "fabs${F}(p - t)", .slope_c = "(${T})((p > t) - (p < t))", .grad = &op_mean_absolute_error_grad,
};
LOSS(mean_absolute_error, "|p - t|", "mean of the absolute differences", "mae", NULL, 0, OP_LOSS, NOTHING_MORE);

static const AttrDef huber_attributes[] = {
    {"delta", ATTR_REAL, "1", 1e-30, 1e30, 0, NULL, NULL, true, "differences beyond it count by their size, not its square"},
};
static double huber_value(double p, double t, const Attr *a) {
    double e = fabs(p - t), delta = a[0].real;
    return e <= delta ? e * e / 2 : delta * e - delta * delta / 2;
}
static double huber_slope(double p, double t, const Attr *a) { return fmin(fmax(p - t, -a[0].real), a[0].real); }
static const Pointwise huber = {
    .value = huber_value, .slope = huber_slope, .grad = &op_huber_grad,
    .value_c = "fabs${F}(p - t) <= ${delta}${F} ? 0.5${F} * (p - t) * (p - t) : ${delta}${F} * fabs${F}(p - t) - 0.5${F} * ${delta}${F} * ${delta}${F}",
    .slope_c = "(p - t > ${delta}${F} ? ${delta}${F} : p - t < -${delta}${F} ? -${delta}${F} : p - t)",
};
LOSS(huber, "(|e| <= delta ? e^2 / 2 : delta |e| - delta^2 / 2), e = p - t", "squared difference, beyond delta its size", NULL, ATTRIBUTES(huber_attributes),
     OP_LOSS, NOTHING_MORE);

/* log cosh e = e + log(1 + exp(-2 e)) - log 2, here of |e|: the same, and nothing overflows. */
static double log_cosh_value(double p, double t, const Attr *a) { return (void)a, fabs(p - t) + log1p(exp(-2 * fabs(p - t))) - log(2); }
static double log_cosh_slope(double p, double t, const Attr *a) { return (void)a, tanh(p - t); }
static const Pointwise log_cosh = {
    .value = log_cosh_value, .slope = log_cosh_slope, .grad = &op_log_cosh_grad, .slope_c = "tanh${F}(p - t)",
    .value_c = "fabs${F}(p - t) + log1p${F}(exp${F}(-2 * fabs${F}(p - t))) - 0.693147180559945309${F}",
};
LOSS(log_cosh, "log cosh (p - t)", "logarithm of the differences' hyperbolic cosine", NULL, NULL, 0, OP_LOSS, NOTHING_MORE);

/* ---- margins: targets are -1 and 1; 0 is taken for -1 -------------------------------------------------------------- */

static double sign_target(double t, const Attr *a) { return (void)a, t == 0 ? -1 : t; }
static double hinge_value(double p, double t, const Attr *a) { return (void)a, fmax(1 - t * p, 0); }
static double hinge_slope(double p, double t, const Attr *a) { return (void)a, 1 - t * p >= 0 ? -t : 0; }
static const Pointwise hinge = {
    .target = sign_target, .value = hinge_value, .slope = hinge_slope, .grad = &op_hinge_grad, .target_c = "b[i] == 0 ? -1 : b[i]",
    .value_c = "1 - t * p > 0 ? 1 - t * p : 0", .slope_c = "(1 - t * p >= 0 ? -t : 0)",
};
LOSS(hinge, "max(1 - t p, 0)", "what is missing to a margin of 1, targets -1 and 1", NULL, NULL, 0, OP_LOSS, NOTHING_MORE);

static double squared_hinge_value(double p, double t, const Attr *a) { return hinge_value(p, t, a) * hinge_value(p, t, a); }
static double squared_hinge_slope(double p, double t, const Attr *a) { return -2 * t * hinge_value(p, t, a); }
static const Pointwise squared_hinge = {
    .target = sign_target, .value = squared_hinge_value, .slope = squared_hinge_slope, .grad = &op_squared_hinge_grad, .target_c = "b[i] == 0 ? -1 : b[i]",
    .value_c = "1 - t * p > 0 ? (1 - t * p) * (1 - t * p) : 0", .slope_c = "(1 - t * p > 0 ? -2 * t * (1 - t * p) : 0)",
};
LOSS(squared_hinge, "max(1 - t p, 0)^2", "hinge, squared", NULL, NULL, 0, OP_LOSS, NOTHING_MORE);

/* ---- probabilities and rates ---------------------------------------------------------------------------------------- */

#define EPSILON_C "1e-7${F}"
static const double epsilon = 1e-7; /* keras.config.epsilon() */

static double kl_clip(double x, const Attr *a) { return (void)a, x < epsilon ? epsilon : x > 1 ? 1 : x; }
static double kl_value(double p, double t, const Attr *a) { return t * log(t / kl_clip(p, a)); }
static double kl_slope(double p, double t, const Attr *a) { return (void)a, p >= epsilon && p <= 1 ? -t / p : 0; }
static const Pointwise kl_divergence = {
    .target = kl_clip, .value = kl_value, .slope = kl_slope, .sums = true, .grad = &op_kl_divergence_grad,
    .target_c = "b[i] < " EPSILON_C " ? " EPSILON_C " : b[i] > 1 ? 1 : b[i]",
    .value_c = "t * log${F}(t / (p < " EPSILON_C " ? " EPSILON_C " : p > 1 ? 1 : p))", .slope_c = "(p < " EPSILON_C " || p > 1 ? 0 : -t / p)",
};
LOSS(kl_divergence, "sum t log(t / p), both clipped to [1e-7, 1]", "Kullback-Leibler divergence, summed along the last axis", NULL, NULL, 0, OP_LOSS, PROBABILITIES);

static double poisson_value(double p, double t, const Attr *a) { return (void)a, p - t * log(p + epsilon); }
static double poisson_slope(double p, double t, const Attr *a) { return (void)a, 1 - t / (p + epsilon); }
static const Pointwise poisson = {
    .value = poisson_value, .slope = poisson_slope, .value_c = "p - t * log${F}(p + " EPSILON_C ")", .slope_c = "(1 - t / (p + " EPSILON_C "))",
    .grad = &op_poisson_grad,
};
LOSS(poisson, "p - t log(p + 1e-7)", "of counts with predicted rates above 0", NULL, NULL, 0, OP_LOSS, PROBABILITIES);

/* ---- binary cross-entropy --------------------------------------------------------------------------------------------- */

enum { FROM_LOGITS, LABEL_SMOOTHING };
static const AttrDef binary_attributes[] = {
    ATTR_FROM_LOGITS_DEF,
    ATTR_LABEL_SMOOTHING_DEF,
};
#define SMOOTH_C "b[i] * (1 - ${label_smoothing}${F}) + 0.5${F} * ${label_smoothing}${F}"

static double smooth(double t, const Attr *a) { return t * (1 - a[LABEL_SMOOTHING].real) + a[LABEL_SMOOTHING].real / 2; }

static double clip(double p) { return p < epsilon ? epsilon : p > 1 - epsilon ? 1 - epsilon : p; }
static double binary_value(double p, double t, const Attr *a) { return (void)a, -t * log(clip(p)) - (1 - t) * log(1 - clip(p)); }
static double binary_slope(double p, double t, const Attr *a) { return (void)a, clip(p) == p ? (1 - t) / (1 - p) - t / p : 0; }
#define CLIP_C "(p < " EPSILON_C " ? " EPSILON_C " : p > 1 - " EPSILON_C " ? 1 - " EPSILON_C " : p)"
static const Pointwise binary_crossentropy = {
    .target = smooth, .value = binary_value, .slope = binary_slope, .grad = &op_binary_crossentropy_grad, .target_c = SMOOTH_C,
    .value_c = "-t * log${F}" CLIP_C " - (1 - t) * log${F}(1 - " CLIP_C ")",
    .slope_c = "(p < " EPSILON_C " || p > 1 - " EPSILON_C " ? 0 : (1 - t) / (1 - p) - t / p)",
};
#define ON_LOGITS PROBABILITIES, .on_logits = &op_binary_crossentropy_logits, .makes_logits = "sigmoid"
LOSS(binary_crossentropy, "- t log clip(p) - (1 - t) log(1 - clip(p))", "of independent probabilities, targets 0 and 1", NULL, ATTRIBUTES(binary_attributes), OP_LOSS, .cancels = true,
     ON_LOGITS);

static double logits_value(double p, double t, const Attr *a) { return (void)a, fmax(p, 0) - p * t + log1p(exp(-fabs(p))); }
static double logits_slope(double p, double t, const Attr *a) { return (void)a, 1 / (1 + exp(-p)) - t; }
static const Pointwise binary_crossentropy_logits = {
    .target = smooth, .value = logits_value, .slope = logits_slope, .grad = &op_binary_crossentropy_logits_grad, .target_c = SMOOTH_C,
    .value_c = "(p > 0 ? p : 0) - p * t + log1p${F}(exp${F}(-fabs${F}(p)))", .slope_c = "(1 / (1 + exp${F}(-p)) - t)",
};
LOSS(binary_crossentropy_logits, "max(x, 0) - x t + log(1 + exp(-|x|))", "binary_crossentropy of sigmoid's input", NULL, ATTRIBUTES(binary_attributes), OP_INTERNAL,
     NOTHING_MORE);
