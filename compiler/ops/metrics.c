/* metrics.c: Keras's accuracies: accuracy (its choice of binary, categorical or sparse, by the target's kind), each of these by
 * its own name, and whether the right class is among the k largest; and root_mean_squared_error. */
#include "loss.h"

#include <string.h>

static int64_t argmax(const double *x, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

static bool is_sparse(const Op *op) { return op->inputs[1]->type == TYPE_I32; }

/* ---- of the largest output, or of each one ------------------------------------------------------------------------------ */

typedef enum { CATEGORICAL, SPARSE, BINARY } Hit;
static const AttrDef threshold_attributes[] = {
    {"threshold", ATTR_REAL, "0.5", 0, 1, 0, NULL, NULL, true, "outputs above it count as 1"},
};

static Hit hit_of(const Op *op) {
    const char *name = op->def->call.name;
    if (is_sparse(op)) return SPARSE;
    return !strcmp(name, "binary_accuracy") || (!strcmp(name, "accuracy") && last_dim(op->inputs[0]->shape) == 1) ? BINARY : CATEGORICAL;
}

static double threshold_of(const Op *op) { return op->def->call.attribute_count ? op->attributes[0].real : 0.5; }

/* Of a row; of a binary one how many. */
static double hits(const Op *op, const double *p, const double *t, int64_t n) {
    Hit hit = hit_of(op);
    double sum = 0;
    if (hit != BINARY) return argmax(p, n) == (hit == SPARSE ? (int64_t)t[0] : argmax(t, n));
    for (int64_t i = 0; i < n; i++) sum += (p[i] > threshold_of(op)) == t[i];
    return sum / (double)n;
}

static void evaluate_accuracy(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) out[0][0] += hits(op, in[0] + r * n, in[1] + r * (is_sparse(op) ? 1 : n), n) / (double)rows;
}

static void bind_accuracy(const Op *op, Bindings *b) {
    static const char *const kinds[] = {[CATEGORICAL] = "categorical", [SPARSE] = "sparse", [BINARY] = "binary"};
    bind_rows(op, b);
    bind_string(b, "kind", kinds[hit_of(op)]);
    bind_real(b, "threshold", threshold_of(op));
    bind_optional(b, "threshold");
}

#define ACCURACY(word, text, options, option_count, targets)                                                                \
    const OpDef op_##word = {                                                                                          \
        .call = {#word, text, options, option_count, NULL}, .kind = OP_METRIC, .accumulates = true, .infer = infer_total, \
        .evaluate = evaluate_accuracy, .plain = "metrics.accuracy", .bind = bind_accuracy, .target = targets,          \
        .equation = "accuracy += argmax p == class t"}
ACCURACY(accuracy, "share of right classes", NULL, 0, target_any);
ACCURACY(categorical_accuracy, "share of right classes, of one-hot targets", NULL, 0, target_like_prediction);
ACCURACY(sparse_categorical_accuracy, "share of right classes, of class indices", NULL, 0, target_class_index);
const OpDef op_binary_accuracy = {
    .call = {"binary_accuracy", "share of outputs on the right side of a threshold", ATTRIBUTES(threshold_attributes), NULL}, .kind = OP_METRIC,
    .accumulates = true, .infer = infer_total, .evaluate = evaluate_accuracy, .plain = "metrics.accuracy", .bind = bind_accuracy,
    .target = target_like_prediction, .equation = "binary_accuracy += mean (p > threshold) == t",
};

/* ---- among the k largest: fewer than k are larger, as in Keras ---------------------------------------------------------- */

static const AttrDef k_attributes[] = {
    {"k", ATTR_INT, "5", 1, 2147483647, 0, NULL, NULL, true, "among how many of the largest outputs"},
};

static void evaluate_top_k(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n;
        int64_t right = is_sparse(op) ? (int64_t)in[1][r] : argmax(in[1] + r * n, n), larger = 0;
        for (int64_t i = 0; i < n; i++) larger += p[i] > p[right];
        out[0][0] += ((double)larger < op->attributes[0].real) / (double)rows;
    }
}

static void bind_top_k(const Op *op, Bindings *b) {
    bind_rows(op, b);
    bind_int(b, "sparse", is_sparse(op));
    bind_int(b, "k", attr_int(&op->attributes[0]));
}

#define TOP_K(word, text, targets)                                                                                          \
    const OpDef op_##word = {                                                                                          \
        .call = {#word, text, ATTRIBUTES(k_attributes), NULL}, .kind = OP_METRIC, .accumulates = true, .infer = infer_total, \
        .evaluate = evaluate_top_k, .plain = "metrics.top_k", .bind = bind_top_k, .target = targets,                   \
        .equation = "top_k += class t among the k largest p"}
TOP_K(top_k_categorical_accuracy, "share of right classes among the k largest, of one-hot targets", target_like_prediction);
TOP_K(sparse_top_k_categorical_accuracy, "share of right classes among the k largest, of class indices", target_class_index);

/* ---- a root of a mean ----------------------------------------------------------------------------------------------------- */

static void evaluate_squares(const Op *op, double *const *in, double *const *out) { op_mean_squared_error.evaluate(op, in, out); }

const OpDef op_root_mean_squared_error = {
    .call = {"root_mean_squared_error", "root of the mean of the squared differences", NULL, 0, NULL}, .kind = OP_METRIC, .accumulates = true,
    .infer = infer_total, .evaluate = evaluate_squares, .plain = "mean_squared_error.loss", .bind = bind_rows, .target = target_like_prediction,
    .result = "root", .equation = "squares += mean (p - t)^2",
};
