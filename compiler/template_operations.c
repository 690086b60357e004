/* template_operations.c: the operators and the functions of templates: a table of each, and what they do. */
#include "template.h"

#include <inttypes.h>
#include <string.h>

/* ---- Operators ---- */

const TmplOperator tmpl_operators[INFIX_OPERATORS] = {
    [INFIX_OR] = {"||", 1}, [INFIX_AND] = {"&&", 2}, [INFIX_EQ] = {"==", 3}, [INFIX_NE] = {"!=", 3}, [INFIX_LE] = {"<=", 4},
    [INFIX_GE] = {">=", 4}, [INFIX_LT] = {"<", 4}, [INFIX_GT] = {">", 4}, [INFIX_CONCAT] = {"~", 5}, [INFIX_ADD] = {"+", 6},
    [INFIX_SUB] = {"-", 6}, [INFIX_MUL] = {"*", 7}, [INFIX_DIV] = {"/", 7}, [INFIX_MOD] = {"%", 7},
};

static bool product_overflows(int64_t a, int64_t b) {
    if (a == 0 || b == 0)
        return false;
    if (a > 0)
        return b > 0 ? a > INT64_MAX / b : b < INT64_MIN / a;
    return b > 0 ? a < INT64_MIN / b : a < INT64_MAX / b;
}

static bool overflows(Infix op, int64_t a, int64_t b) {
    switch (op) {
    case INFIX_ADD: return b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b;
    case INFIX_SUB: return b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b;
    case INFIX_MUL: return product_overflows(a, b);
    case INFIX_DIV:
    case INFIX_MOD: return a == INT64_MIN && b == -1;
    default: return false;
    }
}

int64_t tmpl_arithmetic(TmplExpansion *x, Infix op, int64_t a, int64_t b) {
    if ((op == INFIX_DIV || op == INFIX_MOD) && b == 0)
        tmpl_fail(x, "division of %" PRId64 " by zero", a);
    if (overflows(op, a, b))
        tmpl_fail(x, "%" PRId64 " %s %" PRId64 " does not fit 64 bits", a, tmpl_operators[op].text, b);
    switch (op) {
    case INFIX_LE: return a <= b;
    case INFIX_GE: return a >= b;
    case INFIX_LT: return a < b;
    case INFIX_GT: return a > b;
    case INFIX_ADD: return a + b;
    case INFIX_SUB: return a - b;
    case INFIX_MUL: return a * b;
    case INFIX_DIV: return a / b;
    case INFIX_MOD: return a % b;
    default: bug("template operator %d is not arithmetic", (int)op);
    }
}

/* ---- Functions ---- */

static TmplValue f_min(TmplExpansion *x, const TmplValue *arguments, int count) {
    int least = 0;
    for (int i = 0; i < count; i++) {
        tmpl_need(x, arguments[i], TMPL_INT, "an argument of min()");
        least = arguments[i].integer < arguments[least].integer ? i : least;
    }
    return arguments[least];
}

static TmplValue f_max(TmplExpansion *x, const TmplValue *arguments, int count) {
    int most = 0;
    for (int i = 0; i < count; i++) {
        tmpl_need(x, arguments[i], TMPL_INT, "an argument of max()");
        most = arguments[i].integer > arguments[most].integer ? i : most;
    }
    return arguments[most];
}

static TmplValue f_len(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    if (arguments[0].kind != TMPL_LIST && arguments[0].kind != TMPL_STRING)
        tmpl_fail(x, "%s has no length", tmpl_kind_name(arguments[0].kind));
    return tmpl_int(arguments[0].length);
}

static TmplValue f_abs(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    tmpl_need(x, arguments[0], TMPL_INT, "the argument of abs()");
    int64_t v = arguments[0].integer;
    return tmpl_int(v < 0 ? tmpl_arithmetic(x, INFIX_SUB, 0, v) : v);
}

static TmplValue f_range(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    tmpl_need(x, arguments[0], TMPL_INT, "the argument of range()");
    int64_t n = arguments[0].integer;
    if (n < 0 || n > TMPL_MAX_STEPS)
        tmpl_fail(x, "range(%" PRId64 ") is outside of 0 to %d", n, TMPL_MAX_STEPS);
    tmpl_spend(x, (size_t)n);
    TmplValue *items = tmpl_alloc(x, sizeof *items * (size_t)n + 1);
    for (int i = 0; i < (int)n; i++)
        items[i] = tmpl_int(i);
    return (TmplValue){.kind = TMPL_LIST, .length = (int)n, .items = items};
}

static TmplValue f_text(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    return tmpl_text(x, arguments[0]);
}

static TmplValue f_join(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    tmpl_need(x, arguments[0], TMPL_LIST, "the first argument of join()");
    tmpl_need(x, arguments[1], TMPL_STRING, "the separator of join()");
    tmpl_spend(x, (size_t)arguments[0].length);
    return tmpl_concatenate(x, arguments[0].items, arguments[0].length, arguments[1]);
}

static TmplValue f_plus(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    tmpl_need(x, arguments[0], TMPL_STRING, "the first argument of plus()");
    tmpl_need(x, arguments[1], TMPL_INT, "the second argument of plus()");
    return arguments[1].integer ? tmpl_concatenate(x, arguments, 2, tmpl_string(" + ", 3)) : arguments[0];
}

static TmplValue f_has(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    tmpl_need(x, arguments[0], TMPL_STRING, "the argument of has()");
    tmpl_spend(x, (size_t)arguments[0].length / 64);
    return tmpl_int(tmpl_lookup(x, tmpl_symbol(arguments[0].string)).kind != TMPL_UNBOUND);
}

const TmplFunction tmpl_functions[FUNCTIONS] = {
    {"min", 2, TMPL_MAX_FUNCTION_ARGUMENTS, f_min}, {"max", 2, TMPL_MAX_FUNCTION_ARGUMENTS, f_max},
    {"len", 1, 1, f_len}, {"abs", 1, 1, f_abs}, {"range", 1, 1, f_range}, {"text", 1, 1, f_text},
    {"join", 2, 2, f_join}, {"plus", 2, 2, f_plus}, [FUNCTION_HAS] = {"has", 1, 1, f_has},
    {"expand", 1, TMPL_MAX_ARGUMENTS, NULL}, /* has a kind of tree of its own */
    {"each", 3, 3, NULL},                    /* likewise */
};
