/* tiles.h: how kernels cut the last axis and matrix products into register tiles. */
#ifndef TILES_H
#define TILES_H
#include "../cnnc.h"

static inline int parts(int n, int size) { return (n + size - 1) / size; } /* pieces of a size that hold n */
/* Not to train on the scalar target: that is what any compiler takes, in plain loops. */
static inline bool takes_tiles(const Program *p) { return p->target->lanes > 1 || p->entry >= ENTRY_ONE; }
int vectors_of(const Program *, int channels);
int groups_of(const Op *); /* of channels, of a convolution's op; 1: of others */
/* Integers that tell a template how the last axis of `channels` is cut: BLOCKS blocks of VECTORS vectors, a last one of
 * LAST vectors whose last vector has LANES lanes. */
void cut_channels(Program *, Kernel *, int channels, int deep);
/* Of products over `depth` steps, once the last axis is cut, in tiles of n heights: what writing the steps out would take. */
void count_steps(Program *, Kernel *, int64_t depth, const int *rows, int n);
/* TILE rows by two vectors, from the kernel's N. */
void schedule_gemm(Program *, Kernel *);
/* Cycles in which so many weights come to one example: from the second cache, or from memory. */
double load_cost(const Program *, double weights);
/* Cycles of `points` matrix products for one example. */
double products_cost(const Program *, int points, int rows, int depth, int columns);
/* x with zeros around: element i of an axis at `before + i * step` of `size`. The tensor itself where nothing is added. */
Tensor *padded(Program *, const Op *, Tensor *x, int top, int left, int sh, int sw, int height, int width);
/* The input as the windows see it: with the zeros that 'same' puts around. Widens w's input to match. */
Tensor *window_input(Program *, const Op *, Window *w, Tensor *x);
/* Whether a fused max pooling may come before the epilogues. */
bool monotone_epilogues(const Kernel *);
/* The kernel keeps so many vectors in an array of its own. */
void keep_vectors(const Program *, Kernel *, int vectors);
/* Whether many elements of x are exactly zero, as an activation has left them. */
bool is_sparse(const Tensor *x);
/* A kernel for an elementwise op (algorithms/plain.c). */
void lower_elementwise(Program *, const Op *);
/* Of kernels that have epilogues and no tile. */
void schedule_nothing(Program *, Kernel *);
/* kernel[KH][KW][C][O] turned by 180 degrees, its channels exchanged: [KH][KW][O][C]. Of C or O it has only those of a group. */
Tensor *turned(Program *, const Op *, Tensor *kernel, const Window *);
/* kernel[KH][row][O], a row of taps and input channels side by side, as [KH][O][row], zeros up to whole vectors. */
Tensor *turned_rows(Program *, const Op *, Tensor *kernel, int kh, int row, int o);
#endif
