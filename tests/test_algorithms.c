/* test_algorithms.c: what algorithms promise beyond agreeing with the definition. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <math.h>

#include "../compiler/algorithms/transform.h"
#include "../compiler/commands/commands.h"
#include "cnnc_runtime.h"

enum { HEIGHT = 5, WIDTH = 130, CHANNELS = 8, FILTERS = 9, KERNEL = 3, OUT_HEIGHT = HEIGHT - KERNEL + 1, OUT_WIDTH = WIDTH - KERNEL + 1 };

static const char description[] = "network sums\ninput 5x130x8\nconv2d 9 3x3\n";

/* Pixels that are not zero: at both sides of column 62, where a second word of places begins, and at the last column. */
static bool is_lit(int h, int v) { return (h == 2 && (v == 3 || v == 60)) || (h == 0 && v == 64) || (h == 4 && v == WIDTH - 1); }

static bool sees_light(int h, int v) {
    for (int i = 0; i < KERNEL * KERNEL; i++)
        if (is_lit(h + i / KERNEL, v + i % KERNEL)) return true;
    return false;
}

static void assert_sums(const float *y, const char *variant) {
    for (int h = 0; h < OUT_HEIGHT; h++)
        for (int v = 0; v < OUT_WIDTH; v++)
            for (int o = 0; o < FILTERS; o++) {
                float sum = y[(h * OUT_WIDTH + v) * FILTERS + o];
                if ((sum != 0) != sees_light(h, v)) fail_msg("%s: %g at %d, %d, %d", variant, (double)sum, h, v, o);
            }
}

/* Winograd's sums of zeros would be rounding errors, which an activation or a pooling takes for numbers. */
static void sums_of_zeros_are_zero(void **state) {
    (void)state;
    char *path = text("%s/sums.net", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(description, f);
    assert_int_equal(fclose(f), 0);
    Compilation c;
    Loaded loaded;
    int status;
    compilation_init(&c, false);
    c.options.algorithm = "winograd";
    const cnnc_network *network = load_network(&c, path, &loaded, &status);
    assert_non_null(network);
    static float x[HEIGHT * WIDTH * CHANNELS], y[OUT_HEIGHT * OUT_WIDTH * FILTERS];
    for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) x[i] = is_lit(i / CHANNELS / WIDTH, i / CHANNELS % WIDTH) ? 0.3f + (float)(i % CHANNELS) : 0;
    for (int i = 0; i < network->variant_count; i++) {
        cnnc_error failure;
        cnnc_model *model = cnnc_model_new(network, 1, network->variants[i], &failure);
        if (!model) continue; /* this machine has no such instructions */
        const void *inputs[] = {x};
        void *outputs[] = {y};
        const cnnc_batch batch = {.n = 1, .inputs = inputs, .outputs = outputs};
        assert_int_equal(cnnc_model_predict_batch(model, &batch, &failure), CNNC_OK);
        assert_sums(y, network->variants[i]);
        cnnc_model_free(model);
    }
    unload_network(&loaded);
    compilation_free(&c);
    unlink(path);
}

/* ---- rounding of Winograd's transforms ------------------------------------------------------------------------------- */

enum { DEPTH = 64, TILES = 200 };

typedef struct Matrix { int rows, columns; double of[MAX_POINTS * MAX_POINTS]; } Matrix;

static Matrix transform_of(Transform t, int m, int r) {
    Matrix x;
    transform_matrix(t, m, r, &x.rows, &x.columns, x.of);
    return x;
}

static double rounded(double x, bool to_float) { return to_float ? (double)(float)x : x; }

/* to = T from T^T, each sum rounded. */
static void apply(const Matrix *t, const double *from, double *to, bool to_float) {
    double half[MAX_POINTS * MAX_POINTS];
    for (int pass = 0; pass < 2; pass++) {
        const double *x = pass ? half : from;
        double *y = pass ? to : half;
        int n = pass ? t->rows : t->columns; /* the axis that is not transformed */
        for (int i = 0; i < t->rows; i++)
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < t->columns; k++) {
                    double factor = rounded(t->of[i * t->columns + k], to_float), value = pass ? x[j * t->columns + k] : x[k * n + j];
                    sum = rounded(sum + rounded(factor * value, to_float), to_float);
                }
                y[pass ? j * t->rows + i : i * n + j] = sum;
            }
    }
}

static double uniform(cnnc_random *random) { return 2 * cnnc_random_uniform(random) - 1; }

/* The root of the mean square of the errors of m x m sums over DEPTH channels, of that of the sums. */
static double error_of(int m, int r, bool to_float) {
    const Matrix in = transform_of(TRANSFORM_INPUT, m, r), kernel = transform_of(TRANSFORM_KERNEL, m, r), out = transform_of(TRANSFORM_OUTPUT, m, r);
    int alpha = m + r - 1, points = alpha * alpha;
    double errors = 0, squares = 0;
    cnnc_random random;
    cnnc_random_seed(&random, 3, 0);
    for (int tile = 0; tile < TILES; tile++) {
        double sums[MAX_POINTS * MAX_POINTS] = {0}, wanted[MAX_POINTS * MAX_POINTS] = {0}, y[MAX_POINTS * MAX_POINTS];
        for (int c = 0; c < DEPTH; c++) {
            double x[MAX_POINTS * MAX_POINTS], w[MAX_POINTS * MAX_POINTS], v[MAX_POINTS * MAX_POINTS], u[MAX_POINTS * MAX_POINTS];
            for (int i = 0; i < points; i++) x[i] = fmax(0, rounded(uniform(&random), true)); /* as a relu leaves them */
            for (int i = 0; i < r * r; i++) w[i] = rounded(uniform(&random), true);
            apply(&in, x, v, to_float);
            apply(&kernel, w, u, to_float);
            for (int i = 0; i < points; i++) sums[i] = rounded(sums[i] + u[i] * v[i], to_float);
            for (int i = 0; i < m * m; i++)
                for (int k = 0; k < r * r; k++) wanted[i] += x[(i / m + k / r) * alpha + i % m + k % r] * w[k];
        }
        apply(&out, sums, y, to_float);
        for (int i = 0; i < m * m; i++) errors += (y[i] - wanted[i]) * (y[i] - wanted[i]), squares += wanted[i] * wanted[i];
    }
    return sqrt(errors / squares);
}

/* Exact but for rounding, and in float no worse than the points were chosen for (0, +-1, +-2, +-1/2 are 2 to 6 times as bad). */
static void transforms_round_little(void **state) {
    (void)state;
    static const struct { int m, r; double bound; } cases[] = {{2, 3, 2.6e-7}, {3, 3, 4.1e-7}, {4, 3, 7.9e-7}, {5, 3, 1.5e-6}, {2, 5, 9.3e-7}, {3, 5, 1.55e-6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double exact = error_of(cases[i].m, cases[i].r, false), error = error_of(cases[i].m, cases[i].r, true);
        if (exact > 1e-14) fail_msg("F(%d, %d): %.1e in double", cases[i].m, cases[i].r, exact);
        if (error > cases[i].bound) fail_msg("F(%d, %d): %.2e, not %.1e", cases[i].m, cases[i].r, error, cases[i].bound);
        print_message("F(%d, %d): %.2e\n", cases[i].m, cases[i].r, error);
    }
}

/* The statements of a transform, one behind the other. */
static const char *statements_of(Transform t, int m, int r) {
    static StrBuf out;
    StrBuf message = {0};
    Arena *arena = arena_new();
    const Options options = {.target_count = 0};
    const Program p = {.arena = arena, .options = &options, .target = find_target("avx512")};
    Bindings *b = bindings_new(arena, NULL);
    FILE *f = fopen(text("%s/statements.tmpl", folder), "w");
    assert_non_null(f);
    fputs("$for s in statements\n${IN} ${OUT} ${s}\n$end\n", f);
    assert_int_equal(fclose(f), 0);
    bind_transform(&p, b, t, m, r);
    strbuf_free(&out);
    out = (StrBuf){0};
    if (!template_expand(templates_new(arena, folder), "statements", b, &out, &message)) fail_msg("%s", message.text);
    arena_free(arena);
    return out.text;
}

/* Points in pairs share their sums: 7 inputs take 18 products instead of 49. */
static void pairs_share_sums(void **state) {
    (void)state;
    static const struct { Transform t; int m, r, products; } cases[] = {
        {TRANSFORM_INPUT, 5, 3, 18}, {TRANSFORM_OUTPUT, 5, 3, 12}, {TRANSFORM_INPUT, 3, 3, 8}, {TRANSFORM_OUTPUT, 3, 3, 4}, {TRANSFORM_KERNEL, 5, 3, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *statements = statements_of(cases[i].t, cases[i].m, cases[i].r);
        int products = 0;
        for (const char *c = statements; *c; c++) products += *c == '*';
        if (products != cases[i].products) fail_msg("%d products, not %d:\n%s", products, cases[i].products, statements);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_of_zeros_are_zero), cmocka_unit_test(transforms_round_little), cmocka_unit_test(pairs_share_sums)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
