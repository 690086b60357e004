/* metrics.c: accuracy (Keras's choice of binary, categorical or sparse, by the target's kind). */
#include "loss.h"

static int64_t argmax(const double *x, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

static bool is_sparse(const Op *op) { return op->inputs[1]->type == TYPE_I32; }

static void evaluate_accuracy(const Op *op, double *const *in, double *const *out) {
    int64_t n = last_dim(op->inputs[0]->shape), rows = row_count(op->inputs[0]->shape);
    for (int64_t r = 0; r < rows; r++) {
        const double *p = in[0] + r * n;
        bool hit = is_sparse(op) ? argmax(p, n) == (int64_t)in[1][r]
                   : n == 1      ? (p[0] > 0.5) == in[1][r]
                                 : argmax(p, n) == argmax(in[1] + r * n, n);
        out[0][0] += hit / (double)rows;
    }
}

static void bind_accuracy(const Op *op, Bindings *b) {
    bind_rows(op, b);
    bind_int(b, "sparse", is_sparse(op));
}

const OpDef op_accuracy = {
    .call = {"accuracy", "share of right classes", NULL, 0, NULL}, .kind = OP_METRIC, .accumulates = true, .infer = infer_total,
    .evaluate = evaluate_accuracy, .plain = "metrics.accuracy", .bind = bind_accuracy, .target = target_any,
    .equation = "accuracy += argmax p == class t",
};
