/* onnx_dense.c: products with constant matrices, and all that is one in disguise: linear maps of one dimension. */
#include "onnx.h"

#include <string.h>

enum { MOST_MATRIX = 1 << 26 };

/* The dimensions from `first` on times a matrix [from][to], in ONNX's order; bias NULL: none. */
static View *dense(Onnx *o, const OnnxNode *n, const View *v, int first, int64_t to, const float *matrix, const float *bias, bool fixed) {
    int64_t *elements;
    View *rows = v ? last_as_rows(o, n, v, first, &elements) : NULL;
    if (!rows) return NULL;
    int64_t from = rows->shape[rows->axes - 1], shape[] = {from, to};
    if (from > MOST_MATRIX / to) return refuse(o, n, "needs a matrix of %lldx%lld", (long long)from, (long long)to), NULL;
    if (!afford(o, from * to)) return NULL;
    float *kernel = NEW_ARRAY(o->arena, float, from * to);
    for (int64_t i = 0; i < from; i++) memcpy(kernel + i * to, matrix + elements[i] * to, sizeof *kernel * (size_t)to);
    int node = emit_one(o, n, "dense", rows->node);
    if (node < 0) return NULL;
    add_setting(o->model, node, NULL, "%lld", (long long)to);
    if (!bias) add_setting(o->model, node, "use_bias", "false");
    if (fixed) add_setting(o->model, node, "trainable", "false");
    set_weight(o, node, "kernel", 2, shape, kernel);
    if (bias) set_weight(o, node, "bias", 1, &to, bias);
    return replace_last(o, rows, first, node, to);
}

View *along(Onnx *o, const OnnxNode *n, const View *v, int dim, int64_t size, const float *matrix) {
    int perm[ONNX_RANK], back[ONNX_RANK];
    if (!v) return NULL;
    dim_to_end(v->rank, dim, perm, back);
    View *y = dense(o, n, view_transpose(o, v, perm), v->rank - 1, size, matrix, NULL, true);
    return y ? view_transpose(o, y, back) : NULL;
}

static View *last_two_turned(Onnx *o, const View *v) {
    int perm[ONNX_RANK];
    for (int d = 0; d < v->rank; d++) perm[d] = d < v->rank - 2 ? d : 2 * v->rank - 3 - d;
    return view_transpose(o, v, perm);
}

static float *transposed(Onnx *o, const float *matrix, int64_t rows, int64_t columns) {
    float *y = NEW_ARRAY(o->arena, float, rows * columns);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++) y[k * rows + i] = matrix[i * columns + k];
    return y;
}

/* A constant of one matrix, [rows][columns]; false after an error. */
static bool matrix_of(Onnx *o, const OnnxNode *n, const Numbers *c, int64_t *rows, int64_t *columns) {
    if (!c || !c->reals || !c->count) return refuse(o, n, "multiplies two computed matrices, or integers");
    for (int d = 0; d < c->rank - 2; d++)
        if (c->dims[d] != 1) return refuse(o, n, "has several constant matrices");
    *columns = c->rank ? c->dims[c->rank - 1] : 1;
    *rows = c->rank > 1 ? c->dims[c->rank - 2] : 1;
    return c->rank > 0 || refuse(o, n, "multiplies by a number");
}

bool convert_matmul(Onnx *o, const OnnxNode *n) {
    const View *a = view_input(o, n, 0), *b = view_input(o, n, 1);
    const Numbers *c = constant_input(o, n, a ? 1 : 0);
    int64_t rows, columns;
    if ((a && b) || n->input_count != 2) return refuse(o, n, "multiplies two computed matrices");
    if (!matrix_of(o, n, c, &rows, &columns)) return false;
    const float *kernel = c->reals;
    if (c->rank == 1) rows = columns, columns = 1;
    const View *v = a ? a : b;
    if (!v->rank || (c->rank > v->rank && c->rank > 2)) return refuse(o, n, "its matrix has more dimensions than its input");
    if (!a) { /* C x = (x' C')' */
        if (c->rank > 1) kernel = transposed(o, c->reals, rows, columns), rows = c->dims[c->rank - 1], columns = c->dims[c->rank - 2];
        if (v->rank > 1) v = last_two_turned(o, v);
    }
    if (view_dim(v, v->rank - 1) != rows) return refuse(o, n, "its matrix does not fit its input");
    View *y = dense(o, n, v, v->rank - 1, columns, kernel, NULL, false);
    if (y && c->rank == 1) y = view_squeeze(o, y, 1u << (y->rank - 1));
    else if (y && !a && v->rank > 1) y = last_two_turned(o, y);
    return set_view(o, n, 0, y);
}

/* Its constant C as a bias of so many units; NULL: it is none. */
static float *gemm_bias(Onnx *o, const Numbers *c, double beta, int64_t units) {
    if (!c || !c->reals || (c->count != 1 && (int64_t)c->count != units) || (c->rank && c->dims[c->rank - 1] != (int64_t)c->count)) return NULL;
    float *bias = NEW_ARRAY(o->arena, float, units);
    for (int64_t i = 0; i < units; i++) bias[i] = (float)(beta * (double)c->reals[c->count == 1 ? 0 : i]);
    return bias;
}

/* What is not a bias is added by itself. */
static View *add_matrix(Onnx *o, const OnnxNode *n, const View *y, int input, double beta) {
    const Numbers *c = constant_input(o, n, input);
    const char *why;
    if (!y || !has_input(n, input)) return (View *)y;
    if (!c) return multiplied(o, n, y, scaled(o, n, view_input(o, n, input), beta, 0), "add");
    float *all = spread(o, y, c, &why);
    if (!all) return why ? (refuse(o, n, "%s", why), NULL) : NULL;
    for (int64_t i = 0; i < view_count(y); i++) all[i] = (float)(beta * (double)all[i]);
    return affine(o, n, y, NULL, all, view_count(y));
}

bool convert_gemm(Onnx *o, const OnnxNode *n) {
    const View *a = view_input(o, n, 0), *b = view_input(o, n, 1), *v = a ? a : b;
    const Numbers *c = constant_input(o, n, a ? 1 : 0);
    double alpha = attribute_real(n, "alpha", 1), beta = attribute_real(n, "beta", 1);
    int64_t rows = 1, columns = 1;
    if (!a == !b || n->input_count < 2 || n->input_count > 3) return refuse(o, n, "multiplies two computed matrices, or two constants");
    if (!matrix_of(o, n, c, &rows, &columns)) return false;
    if (c->rank != 2 || v->rank != 2) return refuse(o, n, "takes matrices only");
    bool turn_input = attribute_int(n, a ? "transA" : "transB", 0) != 0, turn_matrix = attribute_int(n, a ? "transB" : "transA", 0) != 0;
    if (!a) turn_input = !turn_input, turn_matrix = !turn_matrix; /* C x = (x' C')' */
    if (!afford(o, rows * columns)) return false;
    float *kernel = turn_matrix ? transposed(o, c->reals, rows, columns) : memcpy(NEW_ARRAY(o->arena, float, c->count), c->reals, sizeof *kernel * c->count);
    int64_t units = turn_matrix ? rows : columns;
    for (size_t i = 0; i < c->count; i++) kernel[i] = (float)(alpha * (double)kernel[i]);
    if (turn_input) v = last_two_turned(o, v);
    if (view_dim(v, 1) != (turn_matrix ? columns : rows)) return refuse(o, n, "its matrix does not fit its input");
    float *bias = a ? gemm_bias(o, constant_input(o, n, 2), beta, units) : NULL;
    View *y = dense(o, n, v, 1, units, kernel, bias, false);
    if (y && !a) y = last_two_turned(o, y);
    return set_view(o, n, 0, bias ? y : add_matrix(o, n, y, 2, beta));
}
