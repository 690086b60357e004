/* template_expr.c: the expressions of templates.
 *
 * First half: text -> tree, one function per rule of the grammar. Second half: tree -> value, one function per kind of
 * tree. Integers are 64 bits wide and never wrap. What a name means, and what happens to the value, is template.c's
 * business.
 */
#include "template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef enum {
    INFIX_OR, INFIX_AND, INFIX_EQ, INFIX_NE, INFIX_LE, INFIX_GE, INFIX_LT, INFIX_GT, INFIX_CONCAT,
    INFIX_ADD, INFIX_SUB, INFIX_MUL, INFIX_DIV, INFIX_MOD
} Infix;
static const struct { const char *text; int precedence; } operators[] = { /* in the order of Infix */
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4}, {">", 4},
    {"~", 5}, {"+", 6}, {"-", 6}, {"*", 7}, {"/", 7}, {"%", 7},
};

typedef TmplValue FunctionBody(TmplExpansion *, const TmplValue *arguments, int count);
static FunctionBody f_min, f_max, f_len, f_abs, f_range, f_text, f_join, f_plus, f_has;
enum { MAX_FUNCTION_ARGUMENTS = 8 };
static const struct { const char *name; int least, most; FunctionBody *body; } functions[] = {
    {"min", 2, MAX_FUNCTION_ARGUMENTS, f_min}, {"max", 2, MAX_FUNCTION_ARGUMENTS, f_max},
    {"len", 1, 1, f_len}, {"abs", 1, 1, f_abs}, {"range", 1, 1, f_range}, {"text", 1, 1, f_text},
    {"join", 2, 2, f_join}, {"plus", 2, 2, f_plus}, {"has", 1, 1, f_has},
    {"expand", 1, TMPL_MAX_ARGUMENTS, NULL}, /* has a kind of tree of its own */
    {"each", 3, 3, NULL},                    /* likewise */
};

/* ---- Reading ---- */

bool tmpl_is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

void tmpl_skip_blanks(TmplParser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

bool tmpl_accept(TmplParser *p, const char *text) {
    tmpl_skip_blanks(p);
    size_t n = strlen(text);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* What stands at the cursor, for messages. */
static const char *found(TmplParser *p) {
    tmpl_skip_blanks(p);
    if (p->at == p->end)
        return "the end of the line";
    size_t n = 1, most = (size_t)(p->end - p->at);
    if (tmpl_is_letter(*p->at) || is_digit(*p->at))
        while (n < most && n < 40 && (tmpl_is_letter(p->at[n]) || is_digit(p->at[n])))
            n++;
    return arena_printf(p->arena, "\"%.*s\"", (int)n, p->at);
}

void tmpl_expect(TmplParser *p, const char *text) {
    if (!tmpl_accept(p, text))
        tmpl_syntax(p, "expected \"%s\" instead of %s", text, found(p));
}

/* The length of the name at the cursor; 0: there is none. */
static size_t name_length(TmplParser *p) {
    tmpl_skip_blanks(p);
    size_t n = 0, most = (size_t)(p->end - p->at);
    while (n < most && (tmpl_is_letter(p->at[n]) || (n > 0 && is_digit(p->at[n]))))
        n++;
    return n;
}

bool tmpl_accept_word(TmplParser *p, const char *word) {
    size_t n = name_length(p);
    if (n != strlen(word) || memcmp(p->at, word, n) != 0)
        return false;
    p->at += n;
    return true;
}

TmplSymbol tmpl_expect_name(TmplParser *p, const char *what) {
    size_t n = name_length(p);
    if (n == 0)
        tmpl_syntax(p, "expected %s instead of %s", what, found(p));
    const char *text = arena_string(p->arena, p->at, n);
    p->at += n;
    return tmpl_symbol(text);
}

/* ---- Building trees ---- */

static TmplExpr *new_expr(TmplParser *p, TmplExprKind kind, int count) {
    TmplExpr *e = NEW(p->arena, TmplExpr);
    e->kind = kind;
    e->count = count;
    e->depth = 1;
    if (count > 0)
        e->items = NEW_ARRAY(p->arena, TmplExpr *, count);
    return e;
}

static void set_item(TmplParser *p, TmplExpr *e, int i, TmplExpr *item) {
    e->items[i] = item;
    if (item->depth >= e->depth)
        e->depth = item->depth + 1;
    if (e->depth > TMPL_MAX_NESTING)
        tmpl_syntax(p, "the expression is nested more than %d deep", TMPL_MAX_NESTING);
}

static TmplExpr *constant(TmplParser *p, TmplValue value) {
    TmplExpr *e = new_expr(p, EXPR_CONSTANT, 0);
    e->value = value;
    return e;
}

static int digit_value(char c) {
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static TmplExpr *parse_number(TmplParser *p) {
    int base = 10;
    if (p->end - p->at >= 2 && p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X')) {
        base = 16;
        p->at += 2;
    }
    int64_t value = 0;
    for (; p->at < p->end && digit_value(*p->at) < base; p->at++) {
        int digit = digit_value(*p->at);
        if (value > (INT64_MAX - digit) / base)
            tmpl_syntax(p, "the number does not fit 64 bits");
        value = value * base + digit;
    }
    if (base == 16 && digit_value(p->at[-1]) > 15)
        tmpl_syntax(p, "0x needs digits");
    if (p->at < p->end && tmpl_is_letter(*p->at))
        tmpl_syntax(p, "a number must not run into %s", found(p));
    return constant(p, tmpl_int(value));
}

static TmplExpr *parse_string(TmplParser *p) {
    const char *close = ++p->at;
    while (close < p->end && *close != '"')
        close += *close == '\\' && close + 1 < p->end ? 2 : 1;
    if (close >= p->end)
        tmpl_syntax(p, "the string is not closed");
    char *text = arena_alloc(p->arena, (size_t)(close - p->at) + 1);
    size_t n = 0;
    for (; p->at < close; p->at++) {
        static const char escapes[] = "n\nt\t\"\"\\\\";
        char c = *p->at;
        if (c == '\\') {
            c = *++p->at;
            int i = 0;
            while (escapes[i] != '\0' && escapes[i] != c)
                i += 2;
            if (escapes[i] == '\0')
                tmpl_syntax(p, "a string knows only \\n \\t \\\" \\\\ after a backslash");
            c = escapes[i + 1];
        }
        text[n++] = c;
    }
    p->at = close + 1;
    return constant(p, tmpl_string(text, n));
}

/* "a, b, c" up to close, which is skipped; *count of them. */
static TmplExpr **parse_items(TmplParser *p, const char *close, int *count) {
    TmplExpr **items = NULL;
    *count = 0;
    if (tmpl_accept(p, close))
        return NULL;
    do {
        TmplExpr *item = tmpl_parse_expr(p);
        *PUSH(p->arena, items, *count) = item;
    } while (tmpl_accept(p, ","));
    tmpl_expect(p, close);
    return items;
}

TmplExpr **tmpl_parse_arguments(TmplParser *p, int *count) {
    tmpl_expect(p, "(");
    TmplExpr **items = parse_items(p, ")", count);
    if (*count > TMPL_MAX_ARGUMENTS)
        tmpl_syntax(p, "a call has at most %d arguments", TMPL_MAX_ARGUMENTS);
    return items;
}

static TmplExpr *with_items(TmplParser *p, TmplExprKind kind, TmplExpr **items, int count) {
    TmplExpr *e = new_expr(p, kind, count);
    for (int i = 0; i < count; i++)
        set_item(p, e, i, items[i]);
    return e;
}

/* expand(fragment, name = value, ...) or each(fragment, separator, name = count), from behind the "(" on. */
static TmplExpr *parse_expand(TmplParser *p, TmplExprKind kind) {
    TmplExpr *items[TMPL_MAX_ARGUMENTS];
    TmplSymbol names[TMPL_MAX_ARGUMENTS] = {{NULL, 0}};
    int n = 1;
    items[0] = tmpl_parse_expr(p);
    if (kind == EXPR_EACH) {
        tmpl_expect(p, ",");
        items[n++] = tmpl_parse_expr(p);
    }
    while (tmpl_accept(p, ",")) {
        if (n == TMPL_MAX_ARGUMENTS)
            tmpl_syntax(p, "a call has at most %d arguments", TMPL_MAX_ARGUMENTS);
        names[n] = tmpl_expect_name(p, "a name for the fragment (name = value)");
        tmpl_expect(p, "=");
        items[n++] = tmpl_parse_expr(p);
    }
    tmpl_expect(p, ")");
    if (kind == EXPR_EACH && n != 3)
        tmpl_syntax(p, "each() takes a fragment, a separator and name = count");
    tmpl_mention_all(p);
    TmplExpr *e = with_items(p, kind, items, n);
    e->names = NEW_ARRAY(p->arena, TmplSymbol, n);
    memcpy(e->names, names, sizeof *names * (size_t)n);
    return e;
}

static TmplExpr *parse_function(TmplParser *p, TmplSymbol name) {
    const char *names[LENGTH(functions)];
    int f = 0;
    for (int i = 0; i < LENGTH(functions); i++)
        names[i] = functions[i].name;
    while (f < LENGTH(functions) && strcmp(names[f], name.text) != 0)
        f++;
    if (f == LENGTH(functions)) {
        const char *near = nearest(name.text, names, LENGTH(functions));
        if (near)
            tmpl_syntax(p, "there is no function \"%s\"; did you mean \"%s\"?", name.text, near);
        tmpl_syntax(p, "there is no function \"%s\" (a definition is called on a line of its own)", name.text);
    }
    if (!functions[f].body)
        return parse_expand(p, strcmp(name.text, "each") ? EXPR_EXPAND : EXPR_EACH);
    int count;
    TmplExpr **items = parse_items(p, ")", &count);
    int least = functions[f].least, most = functions[f].most;
    if (count < least || count > most)
        tmpl_syntax(p, "%s() takes %d%s argument%s, not %d", name.text, least, least < most ? " or more" : "",
                    most == 1 ? "" : "s", count);
    if (functions[f].body == f_has && items[0]->kind == EXPR_CONSTANT && items[0]->value.kind == TMPL_STRING)
        tmpl_mention(p, tmpl_symbol(items[0]->value.string));
    TmplExpr *e = with_items(p, EXPR_FUNCTION, items, count);
    e->op = f;
    return e;
}

/* A number, a string, a list, (e), a name or, if allowed, a function with its arguments. */
static TmplExpr *parse_primary(TmplParser *p, bool functions_allowed) {
    tmpl_skip_blanks(p);
    char c = p->at < p->end ? *p->at : '\0';
    if (is_digit(c))
        return parse_number(p);
    if (c == '"')
        return parse_string(p);
    if (tmpl_accept(p, "[")) {
        int count;
        TmplExpr **items = parse_items(p, "]", &count);
        return with_items(p, EXPR_LIST, items, count);
    }
    if (tmpl_accept(p, "(")) {
        TmplExpr *e = tmpl_parse_expr(p);
        tmpl_expect(p, ")");
        return e;
    }
    TmplSymbol name = tmpl_expect_name(p, "an expression");
    if (functions_allowed && tmpl_accept(p, "("))
        return parse_function(p, name);
    tmpl_mention(p, name);
    TmplExpr *e = new_expr(p, EXPR_NAME, 0);
    e->name = name;
    return e;
}

/* a primary with any number of [i] and .field */
static TmplExpr *parse_postfix(TmplParser *p, bool functions_allowed) {
    TmplExpr *e = parse_primary(p, functions_allowed);
    for (;;) {
        if (tmpl_accept(p, "[")) {
            TmplExpr *of = e, *index = tmpl_parse_expr(p);
            tmpl_expect(p, "]");
            e = with_items(p, EXPR_INDEX, (TmplExpr *[]){of, index}, 2);
        } else if (p->end - p->at > 1 && p->at[0] == '.' && p->at[1] != '.') { /* blanks are skipped; ".." is a range */
            p->at++;
            TmplSymbol field = tmpl_expect_name(p, "the name of a field");
            e = with_items(p, EXPR_FIELD, &e, 1);
            e->name = field;
        } else {
            return e;
        }
    }
}

TmplExpr *tmpl_parse_callee(TmplParser *p) { return parse_postfix(p, false); }

static void deeper(TmplParser *p) {
    if (++p->nesting > TMPL_MAX_NESTING)
        tmpl_syntax(p, "the expression is nested more than %d deep", TMPL_MAX_NESTING);
}

static TmplExpr *parse_unary(TmplParser *p) {
    tmpl_skip_blanks(p);
    char c = p->at < p->end ? *p->at : '\0';
    if (c != '-' && c != '!')
        return parse_postfix(p, true);
    p->at++;
    deeper(p);
    TmplExpr *operand = parse_unary(p);
    p->nesting--;
    TmplExpr *e = with_items(p, EXPR_UNARY, &operand, 1);
    e->op = (unsigned char)c;
    return e;
}

/* The row of the operator at the cursor, -1: none. */
static int peek_operator(TmplParser *p) {
    const char *at = p->at;
    for (int i = 0; i < LENGTH(operators); i++) {
        if (tmpl_accept(p, operators[i].text)) {
            p->at = at;
            return i;
        }
    }
    return -1;
}

/* Operators that bind at least as tightly as precedence says; all associate to the left. */
static TmplExpr *parse_binary(TmplParser *p, int precedence) {
    TmplExpr *left = parse_unary(p);
    for (;;) {
        int op = peek_operator(p);
        if (op < 0 || operators[op].precedence < precedence)
            return left;
        tmpl_expect(p, operators[op].text);
        TmplExpr *right = parse_binary(p, operators[op].precedence + 1);
        left = with_items(p, EXPR_BINARY, (TmplExpr *[]){left, right}, 2);
        left->op = op;
    }
}

TmplExpr *tmpl_parse_expr(TmplParser *p) {
    deeper(p);
    TmplExpr *e = parse_binary(p, 1);
    if (tmpl_accept(p, "?")) {
        TmplExpr *yes = tmpl_parse_expr(p);
        tmpl_expect(p, ":");
        TmplExpr *no = tmpl_parse_expr(p);
        e = with_items(p, EXPR_CHOICE, (TmplExpr *[]){e, yes, no}, 3);
    }
    p->nesting--;
    return e;
}

/* ---- Values ---- */

const char *tmpl_kind_name(TmplKind kind) {
    static const char *const names[TMPL_KINDS] = {"nothing", "an integer", "a string", "a list", "a record"};
    return names[kind];
}

static void need(TmplExpansion *x, TmplValue v, TmplKind kind, const char *what) {
    if (v.kind != kind)
        tmpl_fail(x, "%s must be %s, not %s", what, tmpl_kind_name(kind), tmpl_kind_name(v.kind));
}

int64_t tmpl_evaluate_int(TmplExpansion *x, const TmplExpr *e, const char *what) {
    TmplValue v = tmpl_evaluate(x, e);
    need(x, v, TMPL_INT, what);
    return v.integer;
}

bool tmpl_evaluate_truth(TmplExpansion *x, const TmplExpr *e) {
    return tmpl_evaluate_int(x, e, "a condition") != 0;
}

TmplValue tmpl_text(TmplExpansion *x, TmplValue v) {
    if (v.kind == TMPL_STRING)
        return v;
    if (v.kind != TMPL_INT)
        tmpl_fail(x, "%s has no text%s", tmpl_kind_name(v.kind), v.kind == TMPL_LIST ? "; join() makes one" : "");
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%" PRId64, v.integer);
    char *text = tmpl_alloc(x, n + 1);
    memcpy(text, digits, n + 1);
    return tmpl_string(text, n);
}

TmplValue tmpl_concatenate(TmplExpansion *x, const TmplValue *values, int n, TmplValue separator) {
    TmplValue *texts = tmpl_alloc(x, sizeof *texts * (size_t)n + 1);
    size_t length = 0;
    for (int i = 0; i < n; i++) {
        texts[i] = tmpl_text(x, values[i]);
        length += (size_t)texts[i].length + (i > 0 ? (size_t)separator.length : 0);
    }
    char *text = tmpl_alloc(x, length + 1), *at = text;
    for (int i = 0; i < n; i++) {
        if (i > 0) {
            memcpy(at, separator.string, (size_t)separator.length);
            at += separator.length;
        }
        memcpy(at, texts[i].string, (size_t)texts[i].length);
        at += texts[i].length;
    }
    return tmpl_string(text, length);
}

/* ---- Arithmetic ---- */

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

static int64_t arithmetic(TmplExpansion *x, Infix op, int64_t a, int64_t b) {
    if ((op == INFIX_DIV || op == INFIX_MOD) && b == 0)
        tmpl_fail(x, "division of %" PRId64 " by zero", a);
    if (overflows(op, a, b))
        tmpl_fail(x, "%" PRId64 " %s %" PRId64 " does not fit 64 bits", a, operators[op].text, b);
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

static bool equal(TmplExpansion *x, TmplValue a, TmplValue b) {
    if (a.kind != b.kind || (a.kind != TMPL_INT && a.kind != TMPL_STRING))
        tmpl_fail(x, "%s cannot be compared with %s", tmpl_kind_name(a.kind), tmpl_kind_name(b.kind));
    if (a.kind == TMPL_INT)
        return a.integer == b.integer;
    tmpl_spend(x, (size_t)a.length / 64);
    return a.length == b.length && memcmp(a.string, b.string, (size_t)a.length) == 0;
}

/* ---- Evaluation, by kind of tree ---- */

static TmplValue eval_constant(TmplExpansion *x, const TmplExpr *e) {
    (void)x;
    return e->value;
}

static TmplValue eval_name(TmplExpansion *x, const TmplExpr *e) {
    TmplValue v = tmpl_lookup(x, e->name);
    if (v.kind == TMPL_UNBOUND)
        tmpl_fail(x, "undefined name \"%s\"%s", e->name.text, tmpl_suggest(x, e->name.text));
    return v;
}

static TmplValue eval_list(TmplExpansion *x, const TmplExpr *e) {
    TmplValue *items = tmpl_alloc(x, sizeof *items * (size_t)e->count + 1);
    for (int i = 0; i < e->count; i++)
        items[i] = tmpl_evaluate(x, e->items[i]);
    return (TmplValue){.kind = TMPL_LIST, .length = e->count, .items = items};
}

static TmplValue eval_index(TmplExpansion *x, const TmplExpr *e) {
    TmplValue list = tmpl_evaluate(x, e->items[0]);
    need(x, list, TMPL_LIST, "what is indexed");
    int64_t i = tmpl_evaluate_int(x, e->items[1], "an index");
    if (i < 0 || i >= list.length)
        tmpl_fail(x, "index %" PRId64 " is outside of a list of %d", i, list.length);
    return list.items[i];
}

static TmplValue eval_field(TmplExpansion *x, const TmplExpr *e) {
    TmplValue record = tmpl_evaluate(x, e->items[0]);
    if (record.kind != TMPL_RECORD)
        tmpl_fail(x, "%s has no field \"%s\"", tmpl_kind_name(record.kind), e->name.text);
    TmplValue v = tmpl_field(record.record, e->name);
    if (v.kind == TMPL_UNBOUND)
        tmpl_fail(x, "the record has no field \"%s\"", e->name.text);
    return v;
}

static TmplValue eval_unary(TmplExpansion *x, const TmplExpr *e) {
    if (e->op == '!')
        return tmpl_int(!tmpl_evaluate_truth(x, e->items[0]));
    return tmpl_int(arithmetic(x, INFIX_SUB, 0, tmpl_evaluate_int(x, e->items[0], "the operand of -")));
}

static TmplValue eval_binary(TmplExpansion *x, const TmplExpr *e) {
    Infix op = (Infix)e->op;
    if (op == INFIX_OR)
        return tmpl_int(tmpl_evaluate_truth(x, e->items[0]) || tmpl_evaluate_truth(x, e->items[1]));
    if (op == INFIX_AND)
        return tmpl_int(tmpl_evaluate_truth(x, e->items[0]) && tmpl_evaluate_truth(x, e->items[1]));
    TmplValue operands[2];
    for (int i = 0; i < 2; i++)
        operands[i] = tmpl_evaluate(x, e->items[i]);
    if (op == INFIX_EQ || op == INFIX_NE)
        return tmpl_int(equal(x, operands[0], operands[1]) == (op == INFIX_EQ));
    if (op == INFIX_CONCAT)
        return tmpl_concatenate(x, operands, 2, tmpl_string("", 0));
    for (int i = 0; i < 2; i++)
        if (operands[i].kind != TMPL_INT)
            tmpl_fail(x, "an operand of %s must be an integer, not %s", operators[op].text,
                      tmpl_kind_name(operands[i].kind));
    return tmpl_int(arithmetic(x, op, operands[0].integer, operands[1].integer));
}

static TmplValue eval_choice(TmplExpansion *x, const TmplExpr *e) {
    return tmpl_evaluate(x, e->items[tmpl_evaluate_truth(x, e->items[0]) ? 1 : 2]);
}

static TmplValue eval_function(TmplExpansion *x, const TmplExpr *e) {
    TmplValue arguments[MAX_FUNCTION_ARGUMENTS];
    for (int i = 0; i < e->count; i++)
        arguments[i] = tmpl_evaluate(x, e->items[i]);
    return functions[e->op].body(x, arguments, e->count);
}

static TmplValue eval_expand(TmplExpansion *x, const TmplExpr *e) {
    TmplValue *values = tmpl_alloc(x, sizeof *values * (size_t)e->count);
    for (int i = 0; i < e->count; i++)
        values[i] = tmpl_evaluate(x, e->items[i]);
    need(x, values[0], TMPL_STRING, "a fragment");
    return tmpl_expand_fragment(x, values[0], e->names + 1, values + 1, e->count - 1);
}

static TmplValue eval_each(TmplExpansion *x, const TmplExpr *e) {
    TmplValue fragment = tmpl_evaluate(x, e->items[0]), separator = tmpl_evaluate(x, e->items[1]);
    int64_t n = tmpl_evaluate_int(x, e->items[2], "a count");
    need(x, fragment, TMPL_STRING, "a fragment");
    need(x, separator, TMPL_STRING, "the separator of each()");
    if (n < 0 || n > TMPL_MAX_STEPS)
        tmpl_fail(x, "a count of %" PRId64 " is outside of 0 to %d", n, TMPL_MAX_STEPS);
    tmpl_spend(x, (size_t)n);
    TmplValue *texts = tmpl_alloc(x, sizeof *texts * (size_t)n + 1);
    for (int i = 0; i < (int)n; i++) {
        TmplValue index = tmpl_int(i);
        texts[i] = tmpl_expand_fragment(x, fragment, e->names + 2, &index, 1);
    }
    return tmpl_concatenate(x, texts, (int)n, separator);
}

TmplValue tmpl_evaluate(TmplExpansion *x, const TmplExpr *e) {
    static TmplValue (*const evaluators[EXPR_KINDS])(TmplExpansion *, const TmplExpr *) = {
        [EXPR_CONSTANT] = eval_constant, [EXPR_NAME] = eval_name, [EXPR_LIST] = eval_list,
        [EXPR_INDEX] = eval_index, [EXPR_FIELD] = eval_field, [EXPR_UNARY] = eval_unary,
        [EXPR_BINARY] = eval_binary, [EXPR_CHOICE] = eval_choice, [EXPR_FUNCTION] = eval_function,
        [EXPR_EXPAND] = eval_expand, [EXPR_EACH] = eval_each,
    };
    tmpl_enter(x);
    TmplValue v = evaluators[e->kind](x, e);
    tmpl_leave(x);
    return v;
}

/* ---- Functions ---- */

static TmplValue f_min(TmplExpansion *x, const TmplValue *arguments, int count) {
    int least = 0;
    for (int i = 0; i < count; i++) {
        need(x, arguments[i], TMPL_INT, "an argument of min()");
        least = arguments[i].integer < arguments[least].integer ? i : least;
    }
    return arguments[least];
}

static TmplValue f_max(TmplExpansion *x, const TmplValue *arguments, int count) {
    int most = 0;
    for (int i = 0; i < count; i++) {
        need(x, arguments[i], TMPL_INT, "an argument of max()");
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
    need(x, arguments[0], TMPL_INT, "the argument of abs()");
    int64_t v = arguments[0].integer;
    return tmpl_int(v < 0 ? arithmetic(x, INFIX_SUB, 0, v) : v);
}

static TmplValue f_range(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    need(x, arguments[0], TMPL_INT, "the argument of range()");
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
    need(x, arguments[0], TMPL_LIST, "the first argument of join()");
    need(x, arguments[1], TMPL_STRING, "the separator of join()");
    tmpl_spend(x, (size_t)arguments[0].length);
    return tmpl_concatenate(x, arguments[0].items, arguments[0].length, arguments[1]);
}

static TmplValue f_plus(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    need(x, arguments[0], TMPL_STRING, "the first argument of plus()");
    need(x, arguments[1], TMPL_INT, "the second argument of plus()");
    return arguments[1].integer ? tmpl_concatenate(x, arguments, 2, tmpl_string(" + ", 3)) : arguments[0];
}

static TmplValue f_has(TmplExpansion *x, const TmplValue *arguments, int count) {
    (void)count;
    need(x, arguments[0], TMPL_STRING, "the argument of has()");
    tmpl_spend(x, (size_t)arguments[0].length / 64);
    return tmpl_int(tmpl_lookup(x, tmpl_symbol(arguments[0].string)).kind != TMPL_UNBOUND);
}
