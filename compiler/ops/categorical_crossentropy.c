/* categorical_crossentropy.c: - sum t log p, with one-hot targets or class indices. Straight from softmax it works on
 * the logits; on probabilities it follows Keras: categorical divides by their sum, then clips to [1e-7, 1 - 1e-7];
 * sparse clips first, then normalizes. */
#include "loss.h"

#include <math.h>

enum { FROM_LOGITS, LABEL_SMOOTHING };

static const AttrDef attributes[] = {
    ATTR_FROM_LOGITS_DEF,
    ATTR_LABEL_SMOOTHING_DEF,
};
static const AttrDef sparse_attributes[] = {
    ATTR_FROM_LOGITS_DEF,
};

static const double epsilon = 1e-7; /* keras.config.epsilon() */

static double clip(double p) { return p < epsilon ? epsilon : p > 1 - epsilon ? 1 - epsilon : p; } /* what is no number stays none */
static bool inside(double p) { return p >= epsilon && p <= 1 - epsilon; }

/* A one-hot target moved towards all n classes alike. */
static double smooth(const Op *op, double t, int64_t n) {
    double s = op->attributes[LABEL_SMOOTHING].real;
    return t * (1 - s) + s / (double)n;
}

static void bind_smoothed(const Op *op, Bindings *b) {
    double s = op->attributes[LABEL_SMOOTHING].real;
    bind_rows(op, b);
    bind_int(b, "smooths", s > 0);
    bind_real(b, "kept", 1 - s);
    bind_real(b, "spread", s / last_dim(op->inputs[0]->shape));
    bind_optional(b, "kept");
    bind_optional(b, "spread");
}

/* ---- on probabilities ---------------------------------------------------------------------------------------------- */

static void evaluate(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n, *t = in[1] + r * n;
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += p[i];
        for (int64_t i = 0; i < n; i++) out[0][0] -= smooth(op, t[i], n) * log(clip(p[i] / sum)) / (double)rows;
    }
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n, *t = in[1] + r * n;
        double sum = 0, dot = 0, *dp = out[0] + r * n;
        for (int64_t i = 0; i < n; i++) sum += p[i];
        for (int64_t i = 0; i < n; i++) {
            double q = p[i] / sum;
            dp[i] = inside(q) ? -smooth(op, t[i], n) / q : 0;
            dot += dp[i] * q;
        }
        for (int64_t i = 0; i < n; i++) dp[i] = (dp[i] - dot) / sum * in[2][0] / (double)rows;
    }
}

static void evaluate_sparse(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n;
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += clip(p[i]);
        out[0][0] += (log(sum) - log(clip(p[(int)in[1][r]]))) / (double)rows;
    }
}

static void evaluate_sparse_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n;
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += clip(p[i]);
        for (int64_t i = 0; i < n; i++)
            out[0][r * n + i] = inside(p[i]) ? (1 / sum - ((int)in[1][r] == i) / p[i]) * in[2][0] / (double)rows : 0;
    }
}

/* ---- on logits: the log of softmax without its rounding ------------------------------------------------------------- */

static double log_sum_exp(const double *x, int64_t n) {
    double largest = x[0], sum = 0;
    for (int64_t i = 1; i < n; i++) largest = fmax(largest, x[i]);
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - largest);
    return largest + log(sum);
}

static void evaluate_logits(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        double lse = log_sum_exp(in[0] + r * n, n);
        for (int64_t i = 0; i < n; i++) out[0][0] += smooth(op, in[1][r * n + i], n) * (lse - in[0][r * n + i]) / (double)rows;
    }
}

static void evaluate_logits_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        double lse = log_sum_exp(in[0] + r * n, n);
        for (int64_t i = r * n; i < (r + 1) * n; i++) out[0][i] = (exp(in[0][i] - lse) - smooth(op, in[1][i], n)) * in[2][0] / (double)rows;
    }
}

static void evaluate_sparse_logits(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) out[0][0] += (log_sum_exp(in[0] + r * n, n) - in[0][r * n + (int)in[1][r]]) / (double)rows;
}

static void evaluate_sparse_logits_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        double lse = log_sum_exp(in[0] + r * n, n);
        for (int64_t i = 0; i < n; i++) out[0][r * n + i] = (exp(in[0][r * n + i] - lse) - ((int)in[1][r] == i)) * in[2][0] / (double)rows;
    }
}

static void gradient(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, &op_categorical_crossentropy_grad); }
static void gradient_logits(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, &op_categorical_crossentropy_logits_grad); }
static void gradient_sparse(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, &op_sparse_categorical_crossentropy_grad); }
static void gradient_sparse_logits(Graph *g, Op *op, Tensor *dy) { (void)dy, gradient_of_loss(g, op, &op_sparse_categorical_crossentropy_logits_grad); }

#define GRADIENT_OP(op, evaluation, file, binds, text)                                                                        \
    {.call = {op "_grad", "gradient of " op, NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,         \
     .evaluate = evaluation, .plain = file ".grad", .bind = binds, .equation = text}

const OpDef op_categorical_crossentropy = {
    .call = {"categorical_crossentropy", "- sum t log p over one-hot targets", ATTRIBUTES(attributes), NULL}, .kind = OP_LOSS, .accumulates = true,
    .infer = infer_total, .gradient = gradient, .evaluate = evaluate, .plain = "categorical_crossentropy.loss", .bind = bind_smoothed,
    .target = target_one_hot, .probabilities = true, .on_logits = &op_categorical_crossentropy_logits, .makes_logits = "softmax", .equation = "loss = - sum t log clip(p / sum p)",
};
const OpDef op_categorical_crossentropy_grad =
    GRADIENT_OP("categorical_crossentropy", evaluate_grad, "categorical_crossentropy", bind_smoothed, "dp = d loss / dp");
const OpDef op_categorical_crossentropy_logits = {
    .call = {"categorical_crossentropy_logits", "categorical_crossentropy of softmax's input", NULL, 0, NULL}, .kind = OP_INTERNAL, .accumulates = true,
    .infer = infer_total, .gradient = gradient_logits, .evaluate = evaluate_logits, .plain = "categorical_crossentropy_logits.loss",
    .bind = bind_smoothed, .target = target_one_hot, .equation = "loss = sum t (log sum exp x - x)",
};
const OpDef op_categorical_crossentropy_logits_grad =
    GRADIENT_OP("categorical_crossentropy_logits", evaluate_logits_grad, "categorical_crossentropy_logits", bind_smoothed, "dx = (softmax x - t) * scale");
const OpDef op_sparse_categorical_crossentropy = {
    .call = {"sparse_categorical_crossentropy", "- log p of the target class", ATTRIBUTES(sparse_attributes), NULL}, .kind = OP_LOSS, .accumulates = true,
    .infer = infer_total, .gradient = gradient_sparse, .evaluate = evaluate_sparse, .plain = "sparse_categorical_crossentropy.loss",
    .bind = bind_rows, .target = target_class_index, .probabilities = true, .on_logits = &op_sparse_categorical_crossentropy_logits, .makes_logits = "softmax",
    .equation = "loss = log sum clip(p) - log clip(p[t])",
};
const OpDef op_sparse_categorical_crossentropy_grad =
    GRADIENT_OP("sparse_categorical_crossentropy", evaluate_sparse_grad, "sparse_categorical_crossentropy", bind_rows, "dp = d loss / dp");
const OpDef op_sparse_categorical_crossentropy_logits = {
    .call = {"sparse_categorical_crossentropy_logits", "sparse_categorical_crossentropy of softmax's input", NULL, 0, NULL}, .kind = OP_INTERNAL,
    .accumulates = true, .infer = infer_total, .gradient = gradient_sparse_logits, .evaluate = evaluate_sparse_logits,
    .plain = "sparse_categorical_crossentropy_logits.loss", .bind = bind_rows, .target = target_class_index,
    .equation = "loss = log sum exp x - x[t]",
};
const OpDef op_sparse_categorical_crossentropy_logits_grad =
    GRADIENT_OP("sparse_categorical_crossentropy_logits", evaluate_sparse_logits_grad, "sparse_categorical_crossentropy_logits",
                bind_rows, "dx = (softmax x - onehot t) * scale");
