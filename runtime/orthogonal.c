/* orthogonal.c: initial weights whose rows (or, where there are fewer, columns) are orthogonal vectors of one length: random ones,
 * each made orthogonal to those before it (Gram and Schmidt). The sums are in an order of their own and nothing is fused, so that
 * they are the same bits on every machine. */
#if defined __clang__
#pragma STDC FP_CONTRACT OFF
#elif defined __GNUC__
#pragma GCC optimize("fp-contract=off")
#endif
#include "private.h"

#include <math.h>

/* Of vectors of n elements that are `stride` apart, in memory of a type. */
typedef struct vectors {
    cnnc_type type;
    void *base;
    size_t n, stride;
} vectors;

enum { SUMS = 4 };

static double add_up(const double sums[SUMS]) {
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static double product(const vectors *v, size_t a, size_t b) {
    double sums[SUMS] = {0};
    if (v->type == CNNC_F64) {
        const double *x = (const double *)v->base + a, *y = (const double *)v->base + b;
        for (size_t i = 0; i < v->n; i++)
            sums[i % SUMS] += x[i * v->stride] * y[i * v->stride];
    } else {
        const float *x = (const float *)v->base + a, *y = (const float *)v->base + b;
        for (size_t i = 0; i < v->n; i++)
            sums[i % SUMS] += (double)x[i * v->stride] * (double)y[i * v->stride];
    }
    return add_up(sums);
}

/* a = a * scale - b * factor. */
static void combine(const vectors *v, size_t a, double scale, size_t b, double factor) {
    if (v->type == CNNC_F64) {
        double *x = (double *)v->base + a;
        const double *y = (const double *)v->base + b;
        for (size_t i = 0; i < v->n; i++)
            x[i * v->stride] = x[i * v->stride] * scale - y[i * v->stride] * factor;
    } else {
        float *x = (float *)v->base + a;
        const float *y = (const float *)v->base + b;
        for (size_t i = 0; i < v->n; i++)
            x[i * v->stride] = (float)((double)x[i * v->stride] * scale - (double)y[i * v->stride] * factor);
    }
}

static void draw(const vectors *v, size_t a, cnnc_random *random) {
    for (size_t i = 0; i < v->n; i++) {
        double z = cnnc_random_normal(random);
        if (v->type == CNNC_F64)
            ((double *)v->base)[a + i * v->stride] = z;
        else
            ((float *)v->base)[a + i * v->stride] = (float)z;
    }
}

void cnnc_orthogonal(cnnc_type type, void *base, size_t rows, size_t columns, double length, cnnc_random *random) {
    size_t count = rows < columns ? rows : columns, next = rows < columns ? columns : 1;
    const vectors v = {type, base, rows < columns ? columns : rows, rows < columns ? 1 : columns};
    for (size_t k = 0; k < count; k++) {
        double before, square = 0;
        draw(&v, k * next, random);
        do { /* once more where little is left: rounding counts then */
            before = square > 0 ? square : product(&v, k * next, k * next);
            for (size_t j = 0; j < k; j++)
                combine(&v, k * next, 1, j * next, product(&v, k * next, j * next));
            square = product(&v, k * next, k * next);
        } while (square < before / 2 && square > 0);
        combine(&v, k * next, 1 / sqrt(square), k * next, 0);
    }
    for (size_t k = 0; k < count; k++)
        combine(&v, k * next, length, k * next, 0);
}
