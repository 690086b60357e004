/* words.c: the words of templates/simd.h.tmpl of one target at work. test_words.c compiles it with
 *
 *     -DWORDS="file"    which has the words, and the macros V (v16), L (16), HEAD (attributes of functions that use them),
 *                       SUPPORTED (whether this machine runs them)
 *     -DSTEP=n          of all floats every n-th is tried
 *
 * Prints the largest relative error of each function; the exit status is 0, 1 when a word is wrong. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined __clang__
#pragma STDC FP_CONTRACT ON
#elif defined __GNUC__
#pragma GCC optimize("fp-contract=fast")
#endif
#include WORDS

#define JOIN(a, b) a##_##b
#define JOINED(a, b) JOIN(a, b)
#define W(word) JOINED(V, word)
#define PARTS (L > 1) /* scalars have no partial vectors */

static int failures;
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition) && failures++ < 20) printf("line %d: %s\n", __LINE__, #condition);                            \
    } while (0)

/* ---- functions of one number ------------------------------------------------------------------------------------------ */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

HEAD static void apply_exp(const float *x, float *y) { W(store)(y, W(exp)(W(load)(x))); }
HEAD static void apply_tanh(const float *x, float *y) { W(store)(y, W(tanh)(W(load)(x))); }
HEAD static void apply_sigmoid(const float *x, float *y) { W(store)(y, W(sigmoid)(W(load)(x))); }
HEAD static void apply_log(const float *x, float *y) { W(store)(y, W(log)(W(load)(x))); }
HEAD static void apply_sqrt(const float *x, float *y) { W(store)(y, W(sqrt)(W(load)(x))); }

/* Those of activations, and their slopes. */
static double softplus(double x) { return log1p(exp(-fabs(x))) + (x < 0 ? 0 : x); }
static double normal(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }
static double gelu_slope(double x) { return normal(x) + x * exp(-0.5 * x * x) * 0.3989422804014327; }
static double near_normal(double x) { return sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x)); }
static double gelu_near_slope(double x)
{
    const double s = near_normal(x);
    return s == 0 || s == 1 ? s : s + x * s * (1 - s) * 1.5957691216057308 * (1 + 0.134145 * x * x);
}
static double silu_slope(double x) { return sigmoid(x) * (1 + x * sigmoid(-x)); }
static double mish(double x) { return x * tanh(softplus(x)); }
static double mish_slope(double x)
{
    const double t = tanh(softplus(x));
    return t + x * (1 - t * t) * sigmoid(x);
}
static double hard_sigmoid(double x) { return (x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6; }
static double hard_silu_slope(double x) { return hard_sigmoid(x) + (x > -3 && x < 3 ? x / 6 : 0); }

HEAD static void apply_expm1(const float *x, float *y) { W(store)(y, W(expm1)(W(load)(x))); }
HEAD static void apply_softplus(const float *x, float *y) { W(store)(y, W(softplus)(W(load)(x))); }
HEAD static void apply_normal(const float *x, float *y) { W(store)(y, W(normal)(W(load)(x))); }
HEAD static void apply_gelu_slope(const float *x, float *y) { W(store)(y, W(gelu_slope)(W(load)(x))); }
HEAD static void apply_near_normal(const float *x, float *y) { W(store)(y, W(near_normal)(W(load)(x))); }
HEAD static void apply_gelu_near_slope(const float *x, float *y) { W(store)(y, W(gelu_near_slope)(W(load)(x))); }
HEAD static void apply_silu_slope(const float *x, float *y) { W(store)(y, W(silu_slope)(W(load)(x))); }
HEAD static void apply_mish(const float *x, float *y) { W(store)(y, W(mish)(W(load)(x))); }
HEAD static void apply_mish_slope(const float *x, float *y) { W(store)(y, W(mish_slope)(W(load)(x))); }
HEAD static void apply_hard_sigmoid(const float *x, float *y) { W(store)(y, W(hard_sigmoid)(W(load)(x))); }
HEAD static void apply_hard_silu_slope(const float *x, float *y) { W(store)(y, W(hard_silu_slope)(W(load)(x))); }
HEAD static void apply_abs(const float *x, float *y) { W(store)(y, W(abs)(W(load)(x))); }

/* The relative error; where results are smaller than normal numbers they may be 0. */
static double error_of(double y, double truth)
{
    if (isnan(truth)) return isnan(y) ? 0 : INFINITY;
    if (fabs(truth) > (double)FLT_MAX * (1 + ldexp(1, -25))) return isinf(y) && signbit(y) == signbit(truth) ? 0 : INFINITY;
    if (fabs(truth) > (double)FLT_MAX && isinf(y)) return 0;
    if (fabs(truth) < (double)FLT_MIN) return fabs(y - truth) < (double)FLT_MIN ? 0 : INFINITY;
    return fabs(y - truth) / fabs(truth);
}

/* Where results go through 0, or their tails are of no interest: of numbers, the error beside 1. */
static double difference_of(double y, double truth) { return isnan(truth) ? 0 : isnan(y) ? INFINITY : fabs(y - truth) / fmax(1, fabs(truth)); }

static void sweep_by(double (*error_of_one)(double, double), const char *name, void (*apply)(const float *, float *), double (*truth)(double), double limit)
{
    float x[16] = {0}, y[16] = {0}, worst = 0;
    double largest = 0;
    int n = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += n || bits ? STEP : 1) {
        const uint32_t pattern = (uint32_t)bits;
        float next;
        memcpy(&next, &pattern, sizeof next);
        if (truth == log && !(next >= FLT_MIN && next <= FLT_MAX) && !isnan(next)) continue;
        x[n++] = next;
        if (n < L) continue;
        apply(x, y);
        n = 0;
        for (int i = 0; i < L; i++) {
            const double error = error_of_one((double)y[i], truth((double)x[i]));
            if (error > largest) largest = error, worst = x[i];
        }
    }
    printf("  %s: %.2e at %.9g", name, largest, (double)worst);
    CHECK(largest <= limit);
}

static void sweep(const char *name, void (*apply)(const float *, float *), double (*truth)(double), double limit)
{
    sweep_by(error_of, name, apply, truth, limit);
}

static void special(const char *name, void (*apply)(const float *, float *), double (*truth)(double), double limit)
{
    static const float values[] = {0, -0.0f, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, 88.7228394f, 88.72284f, 89, 90, 104, -87.4f,
                                   -103.9f, -103.98f, -104, -105, 9, 10.5f, -9, 1000, -1000, 1, -1, 0.5f, 1e-4f, -1e-4f, 1e-8f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        float x[16], y[16];
        if (truth == log && !(values[i] >= FLT_MIN && values[i] <= FLT_MAX)) continue;
        for (int k = 0; k < L; k++) x[k] = k % 2 ? NAN : values[i];
        apply(x, y);
        for (int k = 0; k < L; k++)
            if (error_of((double)y[k], truth((double)x[k])) > limit) {
                printf("%s(%.9g) = %.9g\n", name, (double)x[k], (double)y[k]);
                failures++;
            }
        if (truth == tanh && !signbit(x[0]) != !signbit(y[0])) failures++;
    }
}

/* ---- words of lanes, against plain loops ---------------------------------------------------------------------------- */

static uint32_t state = 1;
static uint32_t draw(uint32_t n) { return (state = state * 1664525u + 1013904223u) / 65536u % n; }

static float some_float(void)
{
    static const float values[] = {0, -0.0f, 1, -1, 2.5f, -2.5f, 1e-45f, NAN, INFINITY, -INFINITY};
    return draw(2) ? values[draw(10)] : (float)draw(1000) - 500;
}

static int same(float a, float b) { return a == b ? !signbit(a) == !signbit(b) : isnan(a) && isnan(b); }
static int all_same(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        if (!same(a[i], b[i])) return 0;
    return 1;
}

typedef struct Case { float a[16], b[16], y[16], want[16]; uint8_t z[16], put[20]; uint32_t w[16], bits[16]; } Case;
#define EACH(expression)                                                                                               \
    for (int i = 0; i < L; i++) expression

HEAD static void compare_words(Case *c)
{
    const V a = W(load)(c->a), b = W(load)(c->b);
    EACH(c->want[i] = c->a[i] > c->b[i] ? c->a[i] : c->b[i]);
    W(store)(c->y, W(max)(a, b));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = c->a[i] < c->b[i] ? c->a[i] : c->b[i]);
    W(store)(c->y, W(min)(a, b));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = c->a[i] > c->b[i] ? 3 : c->b[i]);
    W(store)(c->y, W(where_greater)(a, b, W(splat)(3), b));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = c->a[i] > 0 ? c->b[i] : 0);
    W(store)(c->y, W(where_positive)(a, b));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = isnan(c->a[i]) || isnan(c->b[i]) ? NAN : fmaxf(fabsf(c->a[i]), fabsf(c->b[i])));
    W(store)(c->y, W(absmax)(a, b));
    CHECK(all_same(c->y, c->want, L));
    W(store)(c->y, W(zero)());
    EACH(CHECK(same(c->y[i], 0)));
    EACH(c->want[i] = c->b[0]);
    W(store)(c->y, W(splat)(c->b[0]));
    CHECK(all_same(c->y, c->want, L));
}

HEAD static void set_words(Case *c, int k)
{
    const uint32_t m = draw(1u << L), b = 1u << draw(32);
    uint32_t nonzero = 0, equal = 0;
    for (int i = 0; i < L; i++) {
        nonzero |= (uint32_t)(c->a[i] != 0) << i;
        equal |= (uint32_t)(c->z[i] == k) << i;
        c->want[i] = c->z[i] == k ? c->b[i] : 0;
    }
    CHECK(W(mask_nonzero)(W(load)(c->a)) == nonzero);
    CHECK(W(index_bits)(c->z, k) == equal);
    W(bits_store)(c->bits, W(or_where)(W(bits_load)(c->w), m, b));
    EACH(CHECK(c->bits[i] == (m >> i & 1 ? c->w[i] | b : c->w[i])));
    W(store)(c->y, W(where_equal)(W(bytes)(c->z), (uint32_t)k, W(load)(c->b)));
    CHECK(all_same(c->y, c->want, L));
    W(store)(c->y, W(number)(W(bytes)(c->z)));
    EACH(CHECK(same(c->y[i], c->z[i])));
    W(store)(c->y, W(unit)(k % 20 - 2));
    EACH(CHECK(c->y[i] == (i == k % 20 - 2)));
    memset(c->put, 7, sizeof c->put);
    W(store_index)(c->put, W(number)(W(bytes)(c->z)));
    CHECK(!memcmp(c->put, c->z, L) && c->put[L] == 7);
    W(bits_store)(c->bits, W(bits_zero)());
    EACH(CHECK(!c->bits[i]));
    W(bits_store)(c->bits, W(bits_splat)(b));
    EACH(CHECK(c->bits[i] == b));
}

HEAD static void sum_words(Case *c)
{
    float x[16], most = -INFINITY;
    double sum = 0;
    for (int i = 0; i < L; i++) {
        x[i] = (float)draw(1000) - 500;
        sum += (double)x[i];
        most = fmaxf(most, x[i]);
    }
    CHECK(W(sum)(W(load)(x)) == sum);
    CHECK(W(largest)(W(load)(x)) == most);
    (void)c;
}

#if L > 1
HEAD static void equal_words(Case *c)
{
    uint32_t equal = 0;
    for (int i = 0; i < L; i++) equal |= (uint32_t)(c->a[i] == c->b[i]) << i;
    CHECK(W(mask_equal)(W(load)(c->a), W(load)(c->b)) == equal);
    if (equal) CHECK((equal & -equal) == 1u << W(first_lane)(equal));
}

HEAD static void part_words(Case *c, int k, int n)
{
    EACH(c->want[i] = i < n ? c->a[i] : 0);
    W(store)(c->y, W(load_part)(c->a, n));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = i < n ? c->b[i] : c->y[i]);
    W(store_part)(c->y, W(load)(c->b), n);
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = i < n ? c->b[i] : -INFINITY);
    W(store)(c->y, W(pad)(W(load)(c->b), n, -INFINITY));
    CHECK(all_same(c->y, c->want, L));
    EACH(c->want[i] = i < n ? c->z[i] : 0);
    W(store)(c->y, W(number)(W(bytes_part)(c->z, n)));
    CHECK(all_same(c->y, c->want, L));
    CHECK(W(index_bits_part)(c->z, k, n) == (W(index_bits)(c->z, k) & ((1u << n) - 1)));
    memset(c->put, 7, sizeof c->put);
    W(store_index_part)(c->put, W(number)(W(bytes)(c->z)), n);
    CHECK(!memcmp(c->put, c->z, (size_t)n) && c->put[n] == 7);
}
#endif

static void lanes(void)
{
    for (int round = 0; round < 20000; round++) {
        Case c;
        const int k = (int)draw(256);
        for (int i = 0; i < 16; i++) {
            c.a[i] = some_float();
            c.b[i] = some_float();
            c.z[i] = (uint8_t)(draw(3) ? (uint32_t)k : draw(256));
            c.w[i] = draw(65536) << 16 | draw(65536);
        }
        compare_words(&c);
        set_words(&c, k);
        sum_words(&c);
#if L > 1
        equal_words(&c);
        part_words(&c, k, 1 + (int)draw(L - 1));
#endif
    }
}

static void activations(void)
{
    special("expm1", apply_expm1, expm1, 3e-7);
    special("softplus", apply_softplus, softplus, 3e-7);
    special("normal", apply_normal, normal, 8e-7);
    special("hard_sigmoid", apply_hard_sigmoid, hard_sigmoid, 2e-7);
    sweep("expm1", apply_expm1, expm1, 3e-7);
    sweep("softplus", apply_softplus, softplus, 3e-7);
    sweep("normal", apply_normal, normal, 8e-7);
    sweep("abs", apply_abs, fabs, 0);
    sweep_by(difference_of, "near_normal", apply_near_normal, near_normal, 4e-7);
    sweep_by(difference_of, "gelu_slope", apply_gelu_slope, gelu_slope, 4e-7);
    sweep_by(difference_of, "gelu_near_slope", apply_gelu_near_slope, gelu_near_slope, 1e-6);
    sweep_by(difference_of, "silu_slope", apply_silu_slope, silu_slope, 4e-7);
    sweep_by(difference_of, "mish", apply_mish, mish, 4e-7);
    sweep_by(difference_of, "mish_slope", apply_mish_slope, mish_slope, 4e-7);
    sweep_by(difference_of, "hard_sigmoid", apply_hard_sigmoid, hard_sigmoid, 2e-7);
    sweep_by(difference_of, "hard_silu_slope", apply_hard_silu_slope, hard_silu_slope, 4e-7);
}

int main(void)
{
    if (!SUPPORTED) return printf("  not on this machine\n"), 0;
    lanes();
    special("exp", apply_exp, exp, 2e-7);
    special("tanh", apply_tanh, tanh, 2e-7);
    special("sigmoid", apply_sigmoid, sigmoid, 2e-7);
    special("log", apply_log, log, 2e-7);
    sweep("exp", apply_exp, exp, 2e-7);
    sweep("tanh", apply_tanh, tanh, 2e-7);
    sweep("sigmoid", apply_sigmoid, sigmoid, 2e-7);
    sweep("log", apply_log, log, 2e-7);
    sweep("sqrt", apply_sqrt, sqrt, 6e-8);
    activations();
    printf("\n");
    return failures > 0;
}
