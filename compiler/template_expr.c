/* template_expr.c: the expressions of templates, text -> tree, one function per rule of the grammar. */
#include "template.h"

#include <string.h>

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
    const char *names[FUNCTIONS];
    int f = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        names[i] = tmpl_functions[i].name;
    while (f < FUNCTIONS && strcmp(names[f], name.text) != 0)
        f++;
    if (f == FUNCTIONS) {
        const char *near = nearest(name.text, names, FUNCTIONS);
        if (near)
            tmpl_syntax(p, "there is no function \"%s\"; did you mean \"%s\"?", name.text, near);
        tmpl_syntax(p, "there is no function \"%s\" (a definition is called on a line of its own)", name.text);
    }
    if (!tmpl_functions[f].body)
        return parse_expand(p, strcmp(name.text, "each") ? EXPR_EXPAND : EXPR_EACH);
    int count;
    TmplExpr **items = parse_items(p, ")", &count);
    int least = tmpl_functions[f].least, most = tmpl_functions[f].most;
    if (count < least || count > most)
        tmpl_syntax(p, "%s() takes %d%s argument%s, not %d", name.text, least, least < most ? " or more" : "",
                    most == 1 ? "" : "s", count);
    if (f == FUNCTION_HAS && items[0]->kind == EXPR_CONSTANT && items[0]->value.kind == TMPL_STRING)
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
    for (int i = 0; i < INFIX_OPERATORS; i++) {
        if (tmpl_accept(p, tmpl_operators[i].text)) {
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
        if (op < 0 || tmpl_operators[op].precedence < precedence)
            return left;
        tmpl_expect(p, tmpl_operators[op].text);
        TmplExpr *right = parse_binary(p, tmpl_operators[op].precedence + 1);
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
