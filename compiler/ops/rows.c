/* rows.c: rows of a sequence in another order: all of them reversed, each in place of the one behind it, the last one alone. */
#include "ops.h"

#include <string.h>

static size_t rows_of(const Op *op) { return (size_t)(op->forward ? op->forward : op)->inputs[0]->shape.dim[0]; }
static size_t length_of(const Op *op) { return (size_t)last_dim(op->inputs[0]->shape); }

static bool infer_rows(Graph *g, Op *op) {
    Role role = op->forward ? ROLE_GRADIENT : ROLE_ACTIVATION;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, op->inputs[0]->shape, TYPE_REAL, role);
    return true;
}

static bool infer_last(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "last_row", shape1(last_dim(op->inputs[0]->shape)), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

/* Reversed twice rows are as they were. */
static void gradient_reverse(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_reverse_rows, op, (Tensor *[]){dy}, 1));
}

static void gradient_last(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_last_row_grad, op, (Tensor *[]){dy}, 1));
}

static void evaluate_reverse(const Op *op, double *const *in, double *const *out) {
    size_t rows = rows_of(op), n = length_of(op);
    for (size_t r = 0; r < rows; r++) memcpy(out[0] + r * n, in[0] + (rows - 1 - r) * n, n * sizeof(double));
}

static void evaluate_shift(const Op *op, double *const *in, double *const *out) {
    size_t rows = rows_of(op), n = length_of(op);
    for (size_t i = 0; i < n; i++) out[0][i] = 0;
    memcpy(out[0] + n, in[0], (rows - 1) * n * sizeof(double));
}

static void evaluate_last(const Op *op, double *const *in, double *const *out) {
    size_t n = length_of(op);
    memcpy(out[0], in[0] + (rows_of(op) - 1) * n, n * sizeof(double));
}

static void evaluate_last_grad(const Op *op, double *const *in, double *const *out) {
    size_t rows = rows_of(op), n = length_of(op);
    for (size_t i = 0; i < (rows - 1) * n; i++) out[0][i] = 0;
    memcpy(out[0] + (rows - 1) * n, in[0], n * sizeof(double));
}

static void bind(const Op *op, Bindings *b) {
    bind_int(b, "ROWS", (int64_t)rows_of(op));
    bind_int(b, "N", (int64_t)length_of(op));
}

const OpDef op_reverse_rows = {
    .call = {"reverse_rows", "its rows, the last one first", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_rows, .gradient = gradient_reverse,
    .evaluate = evaluate_reverse, .plain = "rows.reverse", .bind = bind, .equation = "y[r] = x[rows - 1 - r]",
};
const OpDef op_shift_rows = {
    .call = {"shift_rows", "the row before each row", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_rows, .evaluate = evaluate_shift,
    .plain = "rows.shift", .bind = bind, .equation = "y[0] = 0;  y[r] = x[r - 1]",
};
const OpDef op_last_row = {
    .call = {"last_row", "the last row", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_last, .gradient = gradient_last, .evaluate = evaluate_last,
    .plain = "rows.last", .bind = bind, .equation = "y = x[rows - 1]",
};
const OpDef op_last_row_grad = {
    .call = {"last_row_grad", "gradient of last_row", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_last_grad,
    .plain = "rows.last_grad", .bind = bind, .equation = "dx[rows - 1] = dy, else 0",
};
