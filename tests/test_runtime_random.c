/* Random numbers, shuffling and initial parameters: the same bits everywhere, the right distributions. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

static void the_generator_is_the_published_one(void **state) {
    (void)state;
    /* The first outputs of the authors' xoshiro256** for state {1, 2, 3, 4}. */
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u};
    cnnc_random random = {{1, 2, 3, 4}};
    for (int i = 0; i < 5; i++)
        assert_true(cnnc_random_bits(&random) == expected[i]);
}

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* These change only if results are meant to change for every user. */
static void bits_are_fixed(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 1, 2);
    assert_true(cnnc_random_bits(&random) == UINT64_C(0x166e83888ee9e3ae));
    assert_true(bits_of(cnnc_random_uniform(&random)) == UINT64_C(0x3fdf45e4e49a5b12));
    assert_true(bits_of(cnnc_random_normal(&random)) == UINT64_C(0x3fc2bae712d9bec7));
    uint64_t sum = 0;
    for (int i = 0; i < 10000; i++)
        sum = sum * 3 + bits_of(cnnc_random_normal(&random));
    assert_true(sum == UINT64_C(0x4722b015a3d3604e));
    uint32_t index[10];
    static const uint32_t expected[10] = {0, 8, 5, 6, 7, 4, 2, 3, 1, 9};
    cnnc_shuffle(index, 10, 1, 0);
    assert_memory_equal(index, expected, sizeof index);
}

static void moments(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 5, 0);
    enum { N = 200000 };
    double mean = 0, square = 0, fourth = 0, uniform = 0;
    int beyond = 0;
    for (int i = 0; i < N; i++) {
        double z = cnnc_random_normal(&random), u = cnnc_random_uniform(&random);
        assert_true(u >= 0 && u < 1);
        mean += z / N;
        square += z * z / N;
        fourth += z * z * z * z / N;
        beyond += fabs(z) > 2;
        uniform += u / N;
    }
    assert_true(fabs(mean) < 0.01 && fabs(square - 1) < 0.02 && fabs(fourth - 3) < 0.15 && fabs(uniform - 0.5) < 0.005);
    assert_true(fabs((double)beyond / N - 0.0455) < 0.003);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++)
        counts[cnnc_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
    assert_true(cnnc_random_below(&random, 1) == 0);
    for (int i = 0; i < 100; i++)
        assert_true(cnnc_random_below(&random, UINT64_MAX) < UINT64_MAX);
}

static void shuffling(void **state) {
    (void)state;
    enum { N = 1000 };
    static uint32_t a[N], b[N];
    cnnc_shuffle(a, N, 7, 3);
    cnnc_shuffle(b, N, 7, 3);
    assert_memory_equal(a, b, sizeof a);
    cnnc_shuffle(b, N, 7, 4);
    assert_memory_not_equal(a, b, sizeof a);
    cnnc_shuffle(b, N, 8, 3);
    assert_memory_not_equal(a, b, sizeof a);
    char seen[N] = {0};
    for (int i = 0; i < N; i++) {
        assert_in_range(a[i], 0, N - 1);
        assert_false(seen[a[i]]++);
    }
    cnnc_shuffle(a, 1, 7, 3);
    assert_int_equal(a[0], 0);
    cnnc_shuffle(a, 0, 7, 3);
}

/* ---- initial parameters ------------------------------------------------------------------------------------------ */

enum { EACH = 20000 };

static const cnnc_parameter drawn[] = {
    {"constant", 1, {EACH}, 0, EACH, 1, {CNNC_CONSTANT, 0.25, 0, -1}},
    {"uniform", 1, {EACH}, EACH + 4, EACH, 1, {CNNC_UNIFORM, -0.5, 1, -1}},
    {"normal", 1, {EACH}, 2 * EACH + 4, EACH, 1, {CNNC_NORMAL, 1, 2, -1}},
    {"truncated", 1, {EACH}, 3 * EACH + 4, EACH, 1, {CNNC_TRUNCATED_NORMAL, 1, 2, -1}},
    {"seeded", 1, {EACH}, 4 * EACH + 4, EACH, 1, {CNNC_NORMAL, 1, 2, 9}},
    {"seeded too", 1, {EACH}, 5 * EACH + 4, EACH, 1, {CNNC_NORMAL, 1, 2, 9}},
};
enum { DRAWN = 6 * EACH + 4 };

static void moments_of(const float *v, double *mean, double *deviation, double *low, double *high) {
    double square = 0;
    *mean = 0, *low = 1e9, *high = -1e9;
    for (int i = 0; i < EACH; i++) {
        double x = (double)v[i];
        *mean += x / EACH;
        square += x * x / EACH;
        *low = x < *low ? x : *low;
        *high = x > *high ? x : *high;
    }
    *deviation = sqrt(square - *mean * *mean);
}

static void kerass_distributions(void **state) {
    (void)state;
    cnnc_network network = {.type = CNNC_F32, .parameters = drawn, .parameters_length = 6, .parameter_count = DRAWN};
    float *v = calloc(DRAWN, sizeof *v), *w = calloc(DRAWN, sizeof *w);
    assert_non_null(v);
    assert_non_null(w);
    memset(v, 1, DRAWN * sizeof *v);
    cnnc_state net = {.parameters = v, .version = 5};
    cnnc_initialize(&network, &net, 3);
    assert_int_equal(net.version, 6);
    double mean, deviation, low, high;
    assert_true(v[0] == 0.25f && v[EACH - 1] == 0.25f && v[EACH] == 0); /* padding */
    moments_of(v + EACH + 4, &mean, &deviation, &low, &high);
    assert_true(low >= -0.5 && high < 1 && fabs(mean - 0.25) < 0.01 && fabs(deviation - 1.5 / sqrt(12)) < 0.01);
    moments_of(v + 2 * EACH + 4, &mean, &deviation, &low, &high);
    assert_true(low < -4 && high > 6 && fabs(mean - 1) < 0.06 && fabs(deviation - 2) < 0.05);
    moments_of(v + 3 * EACH + 4, &mean, &deviation, &low, &high);
    assert_true(low >= -3 && high <= 5 && fabs(mean - 1) < 0.05 && fabs(deviation - 2 * 0.8796256610342398) < 0.05);
    assert_memory_equal(v + 4 * EACH + 4, v + 5 * EACH + 4, EACH * sizeof *v);
    net.parameters = w;
    cnnc_initialize(&network, &net, 4);
    assert_memory_not_equal(v + EACH + 4, w + EACH + 4, EACH * sizeof *v);
    assert_memory_equal(v + 4 * EACH + 4, w + 4 * EACH + 4, 2 * EACH * sizeof *v); /* seeds of their own */
    cnnc_initialize(&network, &net, 3);
    assert_memory_equal(v, w, DRAWN * sizeof *v);
    free(v);
    free(w);
}

enum { SIDE = 40, LONG = 90 };
static const cnnc_parameter matrices[] = {
    {"identity", 2, {SIDE, LONG}, 0, SIDE * LONG, 1, {CNNC_IDENTITY, 0.5, 0, -1}},
    {"rows", 3, {5, 8, LONG}, SIDE * LONG, SIDE * LONG, 1, {CNNC_ORTHOGONAL, 2, 0, -1}},
    {"columns", 2, {LONG, SIDE}, 2 * SIDE * LONG, SIDE * LONG, 1, {CNNC_ORTHOGONAL, 1, 0, -1}},
    {"both", 2, {SIDE, SIDE}, 3 * SIDE * LONG, SIDE * SIDE, 1, {CNNC_ORTHOGONAL, 1, 0, 7}},
};

/* SIDE vectors of n elements: each of that length, orthogonal to all others. */
static void assert_orthogonal(const float *v, int n, int next, int stride, double length) {
    for (int a = 0; a < SIDE; a++)
        for (int b = 0; b <= a; b++) {
            double product = 0;
            for (int i = 0; i < n; i++)
                product += (double)v[a * next + i * stride] * (double)v[b * next + i * stride];
            assert_true(fabs(product - (a == b ? length * length : 0)) < 2e-6);
        }
}

static void whole_matrices(void **state) {
    (void)state;
    enum { COUNT = 3 * SIDE * LONG + SIDE * SIDE };
    cnnc_network network = {.type = CNNC_F32, .parameters = matrices, .parameters_length = 4, .parameter_count = COUNT};
    static float v[COUNT];
    static double w[COUNT];
    cnnc_state net = {.parameters = v};
    cnnc_initialize(&network, &net, 3);
    for (int i = 0; i < SIDE * LONG; i++)
        assert_true(v[i] == (i / LONG == i % LONG ? 0.5f : 0));
    assert_orthogonal(v + SIDE * LONG, LONG, LONG, 1, 2);
    assert_orthogonal(v + 2 * SIDE * LONG, LONG, 1, SIDE, 1);
    assert_orthogonal(v + 3 * SIDE * LONG, SIDE, SIDE, 1, 1);
    assert_orthogonal(v + 3 * SIDE * LONG, SIDE, 1, SIDE, 1);
    network.type = CNNC_F64;
    net.parameters = w;
    cnnc_initialize(&network, &net, 3);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabs(w[i] - (double)v[i]) < 1e-4);
}

static void double_rounds_to_float(void **state) {
    (void)state;
    cnnc_network network = {.type = CNNC_F32, .parameters = drawn, .parameters_length = 6, .parameter_count = DRAWN};
    float *v = calloc(DRAWN, sizeof *v);
    double *w = calloc(DRAWN, sizeof *w);
    assert_non_null(v);
    assert_non_null(w);
    cnnc_state net = {.parameters = v};
    cnnc_initialize(&network, &net, 3);
    net.parameters = w;
    network.type = CNNC_F64;
    cnnc_initialize(&network, &net, 3);
    for (int i = 0; i < DRAWN; i++)
        assert_true(v[i] == (float)w[i]);
    free(v);
    free(w);
}

/* [a, b) without a float between: it must not search forever. */
static void narrow_intervals_end(void **state) {
    (void)state;
    cnnc_parameter p = {"p", 1, {4}, 0, 4, 1, {CNNC_UNIFORM, 1, 1 + 1e-12, -1}};
    cnnc_network network = {.type = CNNC_F32, .parameters = &p, .parameters_length = 1, .parameter_count = 4};
    float v[4];
    cnnc_state net = {.parameters = v};
    cnnc_initialize(&network, &net, 3);
    assert_true(v[0] == 1);
    p.initializer = (cnnc_initializer){CNNC_UNIFORM, 1, 1 + 0x1p-23, -1};
    cnnc_initialize(&network, &net, 3);
    assert_true(v[0] == 1 && v[1] == 1 && v[2] == 1 && v[3] == 1);
}

static void gates_that_do_not_forget(void **state) {
    (void)state;
    static const cnnc_parameter bias = {"forget", 1, {8}, 0, 8, 1, {CNNC_UNIT_FORGET, 0.5, 0, -1}};
    cnnc_network network = {.type = CNNC_F32, .parameters = &bias, .parameters_length = 1, .parameter_count = 8};
    float v[8];
    cnnc_state net = {.parameters = v};
    cnnc_initialize(&network, &net, 3);
    for (int i = 0; i < 8; i++) assert_true(v[i] == (i == 2 || i == 3 ? 1 : 0.5f));
}

/* What dropout draws: even bits, no likeness between elements, streams, examples, updates and seeds that are neighbours. */
static void noise_is_even(void **state) {
    (void)state;
    enum { N = 1 << 16, BINS = 64 };
    for (int other = 0; other < 5; other++) {
        uint64_t key = cnnc_key(1, 2, 3);
        double mean = 0, square = 0, product = 0, chi = 0;
        int bins[BINS] = {0}, bits[24] = {0};
        for (uint32_t i = 0; i < N; i++) {
            uint32_t x = cnnc_noise(key, 5, i), y = other == 0 ? cnnc_noise(key, 5, i + 1) : other == 1 ? cnnc_noise(key, 6, i)
                         : other == 2 ? cnnc_noise(cnnc_key(1, 2, 4), 5, i) : other == 3 ? cnnc_noise(cnnc_key(1, 3, 3), 5, i) : cnnc_noise(cnnc_key(2, 2, 3), 5, i);
            double u = x / 16777216. - .5, v = y / 16777216. - .5;
            mean += u, square += u * u, product += u * v;
            bins[x >> 18]++;
            for (int b = 0; b < 24; b++) bits[b] += x >> b & 1;
            assert_true(x < 1 << 24);
        }
        for (int b = 0; b < BINS; b++) chi += (bins[b] - N / BINS) * (double)(bins[b] - N / BINS) / (N / BINS);
        assert_true(fabs(mean / N) < 4 / sqrt(12. * N));
        assert_true(fabs(square / N - 1 / 12.) < 4 * sqrt(1 / 180. / N));
        assert_true(fabs(product / N) < 4 / 12. / sqrt(N));
        assert_true(chi > BINS - 1 - 4 * sqrt(2 * (BINS - 1)) && chi < BINS - 1 + 4 * sqrt(2 * (BINS - 1)));
        for (int b = 0; b < 24; b++) assert_true(fabs(bits[b] - N / 2.) < 4 * sqrt(N / 4.));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_the_published_one),
        cmocka_unit_test(bits_are_fixed),
        cmocka_unit_test(moments),
        cmocka_unit_test(shuffling),
        cmocka_unit_test(kerass_distributions), cmocka_unit_test(whole_matrices),
        cmocka_unit_test(double_rounds_to_float),
        cmocka_unit_test(narrow_intervals_end),
        cmocka_unit_test(gates_that_do_not_forget),
        cmocka_unit_test(noise_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
