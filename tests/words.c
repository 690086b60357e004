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

/* The relative error; where results are smaller than normal numbers they may be 0. */
static double error_of(double y, double truth)
{
    if (isnan(truth)) return isnan(y) ? 0 : INFINITY;
    if (fabs(truth) > (double)FLT_MAX * (1 + ldexp(1, -25))) return isinf(y) && signbit(y) == signbit(truth) ? 0 : INFINITY;
    if (fabs(truth) > (double)FLT_MAX && isinf(y)) return 0;
    if (fabs(truth) < (double)FLT_MIN) return fabs(y - truth) < (double)FLT_MIN ? 0 : INFINITY;
    return fabs(y - truth) / fabs(truth);
}

static void sweep(const char *name, void (*apply)(const float *, float *), double (*truth)(double), double limit)
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
            const double error = error_of((double)y[i], truth((double)x[i]));
            if (error > largest) largest = error, worst = x[i];
        }
    }
    printf("  %s: %.2e at %.9g", name, largest, (double)worst);
    CHECK(largest <= limit);
}

static void special(const char *name, void (*apply)(const float *, float *), double (*truth)(double))
{
    static const float values[] = {0, -0.0f, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, 88.7228394f, 88.72284f, 89, 90, 104, -87.4f,
                                   -103.9f, -103.98f, -104, -105, 9, 10.5f, -9, 1000, -1000, 1, -1, 0.5f, 1e-4f, -1e-4f, 1e-8f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        float x[16], y[16];
        if (truth == log && !(values[i] >= FLT_MIN && values[i] <= FLT_MAX)) continue;
        for (int k = 0; k < L; k++) x[k] = k % 2 ? NAN : values[i];
        apply(x, y);
        for (int k = 0; k < L; k++)
            if (error_of((double)y[k], truth((double)x[k])) > 2e-7) {
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

int main(void)
{
    if (!SUPPORTED) return printf("  not on this machine\n"), 0;
    lanes();
    special("exp", apply_exp, exp);
    special("tanh", apply_tanh, tanh);
    special("sigmoid", apply_sigmoid, sigmoid);
    special("log", apply_log, log);
    sweep("exp", apply_exp, exp, 2e-7);
    sweep("tanh", apply_tanh, tanh, 2e-7);
    sweep("sigmoid", apply_sigmoid, sigmoid, 2e-7);
    sweep("log", apply_log, log, 2e-7);
    sweep("sqrt", apply_sqrt, sqrt, 6e-8);
    printf("\n");
    return failures > 0;
}
