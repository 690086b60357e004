/* transform.h: the linear transforms of Winograd's algorithm as C statements. */
#ifndef TRANSFORM_H
#define TRANSFORM_H
#include "../cnnc.h"

enum { MAX_POINTS = 7 };
typedef enum {
    TRANSFORM_INPUT, TRANSFORM_OUTPUT, TRANSFORM_KERNEL,                         /* B^T, A^T, G */
    TRANSFORM_INPUT_ADJOINT, TRANSFORM_OUTPUT_ADJOINT, TRANSFORM_KERNEL_ADJOINT  /* B, A, G^T */
} Transform;
/* The matrix of F(m, r), row by row; returns its size through rows and columns. */
void transform_matrix(Transform, int m, int r, int *rows, int *columns, double matrix[MAX_POINTS * MAX_POINTS]);
/* Binds IN and OUT, the lengths, and `statements`: C from vectors x0, x1 ... to vectors y0, y1 ... */
void bind_transform(const Program *, Bindings *, Transform, int m, int r);
#endif
