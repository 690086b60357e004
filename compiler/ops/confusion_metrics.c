/* confusion_metrics.c: Keras's precision, recall and AUC: ratios of counts over all outputs. Each is a total of several elements;
 * templates/metric_results.c.tmpl makes the result of their means. */
#include "loss.h"

#include <math.h>

/* ---- precision and recall: right among those found, or among those there are ---------------------------------------------- */

static const AttrDef thresholds_attributes[] = {
    {"thresholds", ATTR_REAL, "0.5", 0, 1, 0, NULL, NULL, true, "outputs above it count as found"},
};

static bool infer_pair(Graph *g, Op *op) { return infer_totals(g, op, 2); }

static void evaluate_counts(const Op *op, double *const *in, double *const *out) {
    bool recall = op->def == &op_recall;
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) {
        bool found = in[0][i] > op->attributes[0].real, there = in[1][i] != 0;
        out[0][0] += found && there;
        out[0][1] += recall ? there : found;
    }
}

static void bind_counts(const Op *op, Bindings *b) {
    bind_int(b, "COUNT", shape_count(op->inputs[0]->shape));
    bind_int(b, "recall", op->def == &op_recall);
    bind_real(b, "threshold", op->attributes[0].real);
}

#define RATIO(word, text, of)                                                                                               \
    const OpDef op_##word = {                                                                                          \
        .call = {#word, text, ATTRIBUTES(thresholds_attributes), NULL}, .kind = OP_METRIC, .accumulates = true, .infer = infer_pair, \
        .evaluate = evaluate_counts, .plain = "confusion_metrics.counts", .bind = bind_counts, .target = target_like_prediction, \
        .result = "ratio", .equation = #word " = right of those " of}
RATIO(precision, "share of right ones among outputs above a threshold", "found");
RATIO(recall, "share of targets whose outputs are above a threshold", "there");

/* ---- the area under the curve of true positives over false ones ---------------------------------------------------------------
 * Outputs are counted by the thresholds, evenly spread from 0 to 1, that they lie between: right ones, then wrong ones. */

static const AttrDef auc_attributes[] = {
    {"num_thresholds", ATTR_INT, "200", 2, 10000, 0, NULL, NULL, true, "evenly spread from 0 to 1"},
};

static int intervals(const Op *op) { return attr_int(&op->attributes[0]) - 1; }
static bool infer_auc(Graph *g, Op *op) { return infer_totals(g, op, 2 * intervals(op)); }

static void evaluate_auc(const Op *op, double *const *in, double *const *out) {
    int n = intervals(op);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) {
        int k = (int)fmax(ceil(fmin(fmax(in[0][i], 0), 1) * n) - 1, 0);
        bool there = in[1][i] != 0; /* as Keras, which takes targets for bool */
        out[0][k] += there;
        out[0][n + k] += !there;
    }
}

static void bind_auc(const Op *op, Bindings *b) {
    bind_int(b, "COUNT", shape_count(op->inputs[0]->shape));
    bind_int(b, "INTERVALS", intervals(op));
}

const OpDef op_auc = {
    .call = {"auc", "area under the ROC curve", ATTRIBUTES(auc_attributes), NULL}, .kind = OP_METRIC, .accumulates = true, .infer = infer_auc,
    .evaluate = evaluate_auc, .plain = "confusion_metrics.auc", .bind = bind_auc, .target = target_like_prediction, .result = "area",
    .equation = "counts of p by threshold, of targets that are not 0 and that are",
};
