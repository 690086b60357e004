/* onnx_fold.h: what onnx_fold.c and onnx_fold_shape.c share: constants as results of nodes. */
#ifndef ONNX_FOLD_H
#define ONNX_FOLD_H
#include "onnx.h"

bool set_constant(Onnx *, const OnnxNode *, Numbers *);                                          /* its output; false after an error */
Numbers *reshaped_constant(Onnx *, const Numbers *, int rank, const int64_t *dims);              /* of the same elements */
Numbers *made_constant(Onnx *, const OnnxNode *, ElementType, int rank, const int64_t *dims);    /* zero; NULL after an error */
void move_element(Numbers *y, size_t to, const Numbers *x, size_t from);

typedef bool Fold(Onnx *, const OnnxNode *);
Fold fold_where, fold_gather, fold_slice, fold_concat, fold_transpose, fold_shape, fold_size, fold_reshape, fold_flatten, fold_squeeze, fold_unsqueeze;
#endif
