/* random.c: seeded random numbers, the same bits on every machine.
 *
 * The generator is xoshiro256** 1.0, seeded by splitmix64, both by David Blackman and Sebastiano Vigna, public domain
 * (prng.di.unimi.it). Normal numbers need a logarithm: libm's differ from machine to machine in the last bit, so there
 * is one here that uses nothing but IEEE additions, products and quotients, none of which may be fused; and sqrt, which
 * IEEE rounds correctly.
 */
#include "private.h"

#include <math.h>

static uint64_t rotate_left(uint64_t x, int k) {
    return x << k | x >> (64 - k);
}

/* The output function of splitmix64. */
static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void cnnc_random_seed(cnnc_random *random, uint64_t seed, uint64_t stream) {
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = mix(mix(seed + golden) ^ stream);
    for (int i = 0; i < 4; i++)
        random->state[i] = mix(x += golden);
}

uint64_t cnnc_random_bits(cnnc_random *random) {
    uint64_t *s = random->state, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t cnnc_random_below(cnnc_random *random, uint64_t bound) {
    for (;;) {
        uint64_t bits = cnnc_random_bits(random), rest = bits % bound;
        if (bits - rest <= UINT64_MAX - (bound - 1)) /* not in the last, incomplete run of `bound` numbers */
            return rest;
    }
}

double cnnc_random_uniform(cnnc_random *random) {
    return (double)(cnnc_random_bits(random) >> 11) * 0x1p-53;
}

double cnnc_times(double a, double b) {
    volatile double product = a * b;
    return product;
}

/* Natural logarithm of x > 0, to about 1e-16: x = m 2^e with m near 1, ln m = 2 artanh((m - 1) / (m + 1)). */
static double logarithm(double x) {
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    double t = (m - 1) / (m + 1), square = cnnc_times(t, t), sum = 0;
    for (int k = 23; k >= 1; k -= 2)
        sum = cnnc_times(sum, square) + 1.0 / k;
    return cnnc_times(e, 0.69314718055994531) + cnnc_times(2 * t, sum);
}

double cnnc_random_normal(cnnc_random *random) {
    for (;;) {
        double u = 2 * cnnc_random_uniform(random) - 1, v = 2 * cnnc_random_uniform(random) - 1;
        double s = cnnc_times(u, u) + cnnc_times(v, v);
        if (s > 0 && s < 1)
            return cnnc_times(u, sqrt(-2 * logarithm(s) / s));
    }
}

void cnnc_shuffle(uint32_t *index, uint32_t n, uint64_t seed, uint64_t epoch) {
    cnnc_random random;
    cnnc_random_seed(&random, seed, UINT64_C(0x73687566) << 32 ^ epoch); /* far from the parameters' streams */
    for (uint32_t i = 0; i < n; i++)
        index[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)cnnc_random_below(&random, i), kept = index[i - 1];
        index[i - 1] = index[j];
        index[j] = kept;
    }
}
