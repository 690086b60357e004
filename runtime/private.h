/* private.h: what the runtime's files share among themselves and do not show to their users. */
#ifndef CNNC_PRIVATE_H
#define CNNC_PRIVATE_H

#include "cnnc_runtime.h"

#if defined(__GNUC__) || defined(__clang__)
#define CNNC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CNNC_PRINTF(text, first)
#endif

#define CNNC_ALIGNMENT 64

/* error.c: fills in *error, when there is one. Control characters become '?'. */
void cnnc_explain(cnnc_error *error, const char *format, ...) CNNC_PRINTF(2, 3);
static inline int cnnc_failure(void) { return CNNC_FAILED; }
#define cnnc_fail(...) (cnnc_explain(__VA_ARGS__), cnnc_failure()) /* a macro: compilers and analysers see that it is a failure */

/* file.c: all bytes of a regular file, to be freed by free(); one zero follows them. */
int cnnc_file_bytes(const char *path, unsigned char **bytes, size_t *size, cnnc_error *error);

/* file.c: a file that appears whole or not at all. Begin, write to stream, then commit or abandon. What exists and is
 * no regular file (/dev/null) is written to directly. */
typedef struct cnnc_output {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL: written directly */
} cnnc_output;

int cnnc_output_begin(cnnc_output *output, const char *path, cnnc_error *error);
int cnnc_output_commit(cnnc_output *output, cnnc_error *error); /* fails when any write failed, and then abandons */
void cnnc_output_abandon(cnnc_output *output);

/* array.c */
int cnnc_multiply(size_t a, size_t b, size_t *product); /* 0 when it overflows */
void *cnnc_allocate(size_t bytes);                      /* aligned, not zeroed, never of no bytes; NULL; free() */
int cnnc_big_endian(void);
void cnnc_swap_bytes(void *data, size_t count, size_t size); /* of each of count elements */

/* Sets count from dtype, rank and shape, and *bytes; fails when they overflow. */
int cnnc_array_measure(cnnc_array *array, size_t *bytes);

/* "60000x28x28" to text[size]; "scalar" for rank 0. */
void cnnc_shape_text(char *text, size_t size, int rank, const size_t *shape);
void cnnc_tensor_text(char *text, size_t size, int rank, const int *shape);

/* weights.c: all parameters as tensors; base: where they are, or a slot of theirs. */
void cnnc_list_parameters(const cnnc_network *network, void *base, cnnc_safetensor *tensors);

/* random.c: a * b, rounded to double and never fused with an addition. */
double cnnc_times(double a, double b);

#endif
