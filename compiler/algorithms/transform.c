/* transform.c: the linear transforms of Winograd's algorithm, made by the Toom-Cook construction, as C statements.
 *
 * For points p_j and infinity: A^T[i][j] = p_j^i; G[j][k] = p_j^k / prod (p_j - p_l); row j of B^T has the coefficients
 * of prod over l != j of (x - p_l). Points come in pairs +-p, so two rows (of B^T, A, G) or columns (of the others) differ
 * in signs only, and a pair shares its sums. */
#include "transform.h"

#include <math.h>
#include <string.h>

/* The finite points for alpha = m + r - 1 in all: infinity is the last. Of the fractions by 16 up to 2, in pairs, these lose
 * the fewest bits: a half to a sixth of the error of 0, +-1, +-2, +-1/2. */
static const double *finite_points(int alpha) {
    static const double of[][MAX_POINTS - 1] = {
        [3] = {1, -1}, [4] = {0, 1, -1}, [5] = {.375, -.375, 1.25, -1.25}, [6] = {0, .75, -.75, 1.5, -1.5}, [7] = {.3125, -.3125, .875, -.875, 1.75, -1.75},
    };
    return of[alpha];
}

static double power(double x, int n) { return n ? x * power(x, n - 1) : 1; }

/* Coefficients of prod (x - p_l) over the finite points but `without` (-1: none), lowest first. */
static void polynomial(const double *points, int n, int without, double *coefficients) {
    int degree = 0;
    memset(coefficients, 0, sizeof *coefficients * MAX_POINTS);
    coefficients[0] = 1;
    for (int l = 0; l < n; l++) {
        if (l == without) continue;
        for (int k = ++degree; k >= 0; k--) coefficients[k] = (k ? coefficients[k - 1] : 0) - points[l] * coefficients[k];
    }
}

static double output_element(const double *p, int alpha, int m, int i, int j) { return j == alpha - 1 ? i == m - 1 : power(p[j], i); }

static double kernel_element(const double *p, int alpha, int r, int j, int k) {
    double divisor = 1;
    if (j == alpha - 1) return k == r - 1;
    for (int l = 0; l < alpha - 1; l++)
        if (l != j) divisor *= p[j] - p[l];
    return power(p[j], k) / divisor;
}

static double input_element(const double *p, int alpha, int j, int k) {
    double c[MAX_POINTS];
    polynomial(p, alpha - 1, j == alpha - 1 ? -1 : j, c);
    return c[k];
}

void transform_matrix(Transform t, int m, int r, int *rows, int *columns, double matrix[MAX_POINTS * MAX_POINTS]) {
    int alpha = m + r - 1;
    const double *p = finite_points(alpha);
    bool adjoint = t >= TRANSFORM_INPUT_ADJOINT;
    Transform base = adjoint ? (Transform)(t - TRANSFORM_INPUT_ADJOINT) : t;
    int high = base == TRANSFORM_OUTPUT ? m : alpha, wide = base == TRANSFORM_KERNEL ? r : alpha;
    *rows = adjoint ? wide : high;
    *columns = adjoint ? high : wide;
    for (int i = 0; i < high; i++)
        for (int j = 0; j < wide; j++) {
            double x = base == TRANSFORM_INPUT ? input_element(p, alpha, i, j) : base == TRANSFORM_OUTPUT ? output_element(p, alpha, m, i, j) : kernel_element(p, alpha, r, i, j);
            matrix[adjoint ? j * *columns + i : i * *columns + j] = x;
        }
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

typedef struct Writer {
    Arena *arena;
    const char *vector, *suffix;
    const char **lines;
    int length, temporaries;
} Writer;

typedef struct Sum { const char *names[2 * MAX_POINTS]; double factors[2 * MAX_POINTS]; int length; } Sum;

static void add_term(Sum *s, const char *name, double factor) {
    if (factor == 0) return;
    s->names[s->length] = name;
    s->factors[s->length++] = factor;
}

/* The sum as an expression, terms without a factor and positive ones first. */
static const char *sum_text(const Writer *w, const Sum *s) {
    const char *text = "";
    for (int rank = 0; rank < 4; rank++)
        for (int i = 0; i < s->length; i++) {
            double f = s->factors[i];
            if ((f < 0) + 2 * (fabs(f) != 1) != rank) continue;
            const char *sign = *text ? f < 0 ? " - " : " + " : f < 0 ? "-" : "";
            const char *factor = fabs(f) == 1 ? "" : arena_printf(w->arena, "%s%s * ", arena_real(w->arena, fabs(f)), w->suffix);
            text = arena_printf(w->arena, "%s%s%s%s", text, sign, factor, s->names[i]);
        }
    return text;
}

static const char *define(Writer *w, const char *name, const Sum *s) {
    if (!name) name = arena_printf(w->arena, "t%d", w->temporaries++);
    *PUSH(w->arena, w->lines, w->length) = arena_printf(w->arena, "const %s %s = %s;", w->vector, name, sum_text(w, s));
    return name;
}

/* Whether rows or columns a and b, of n elements `step` apart, differ in signs only, some equal and some opposite. */
static bool paired(const double *a, const double *b, int n, int step) {
    bool same = false, opposite = false;
    for (int i = 0; i < n; i++) {
        if (fabs(a[i * step]) != fabs(b[i * step])) return false;
        same |= a[i * step] != 0 && a[i * step] == b[i * step];
        opposite |= a[i * step] != 0 && a[i * step] == -b[i * step];
    }
    return same && opposite;
}

static const char *output_name(const Writer *w, int i) { return arena_printf(w->arena, "y%d", i); }

/* y_i = E + O and y_j = E - O for rows i, j that are a pair; the others as they are. */
static void write_rows(Writer *w, const double *matrix, int rows, int columns, const char *const *names) {
    bool done[MAX_POINTS] = {false};
    for (int i = 0; i < rows; i++) {
        int partner = -1;
        for (int j = i + 1; j < rows && !done[i] && partner < 0; j++)
            if (!done[j] && paired(matrix + i * columns, matrix + j * columns, columns, 1)) partner = j;
        Sum same = {0}, opposite = {0};
        for (int k = 0; k < columns; k++) add_term(partner >= 0 && matrix[i * columns + k] != matrix[partner * columns + k] ? &opposite : &same, names[k], matrix[i * columns + k]);
        if (done[i]) continue;
        if (partner < 0) {
            define(w, output_name(w, i), &same);
            continue;
        }
        const char *e = define(w, NULL, &same), *o = define(w, NULL, &opposite);
        define(w, output_name(w, i), &(Sum){{e, o}, {1, 1}, 2});
        define(w, output_name(w, partner), &(Sum){{e, o}, {1, -1}, 2});
        done[partner] = true;
    }
}

/* Columns that are a pair are replaced by their sum and difference, each in half of the rows. */
static void write_statements(Writer *w, double *matrix, int rows, int columns) {
    const char *names[MAX_POINTS];
    bool done[MAX_POINTS] = {false};
    for (int j = 0; j < columns; j++) names[j] = arena_printf(w->arena, "x%d", j);
    for (int j = 0; j < columns; j++)
        for (int k = j + 1; k < columns && !done[j]; k++) {
            if (done[k] || !paired(matrix + j, matrix + k, rows, columns)) continue;
            const char *sum = define(w, NULL, &(Sum){{names[j], names[k]}, {1, 1}, 2}), *difference = define(w, NULL, &(Sum){{names[j], names[k]}, {1, -1}, 2});
            names[j] = sum, names[k] = difference;
            done[j] = done[k] = true;
            for (int i = 0; i < rows; i++) {
                double x = matrix[i * columns + j];
                bool same = x == matrix[i * columns + k];
                matrix[i * columns + j] = same ? x : 0;
                matrix[i * columns + k] = same ? 0 : x;
            }
        }
    write_rows(w, matrix, rows, columns, names);
}

void bind_transform(const Program *p, Bindings *b, Transform t, int m, int r) {
    double matrix[MAX_POINTS * MAX_POINTS];
    int rows, columns;
    Writer w = {.arena = p->arena, .vector = p->target->vector, .suffix = p->options->real_is_double ? "" : "f"};
    transform_matrix(t, m, r, &rows, &columns, matrix);
    write_statements(&w, matrix, rows, columns);
    bind_int(b, "IN", columns);
    bind_int(b, "OUT", rows);
    bind_strings(b, "statements", w.lines, w.length);
}
