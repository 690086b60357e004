/* template_eval.c: the expressions of templates, tree -> value, one function per kind of tree.
 *
 * Integers are 64 bits wide and never wrap. What a name means, and what happens to the value, is template.c's business.
 */
#include "template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Values ---- */

const char *tmpl_kind_name(TmplKind kind) {
    static const char *const names[TMPL_KINDS] = {"nothing", "an integer", "a string", "a list", "a record"};
    return names[kind];
}

void tmpl_need(TmplExpansion *x, TmplValue v, TmplKind kind, const char *what) {
    if (v.kind != kind)
        tmpl_fail(x, "%s must be %s, not %s", what, tmpl_kind_name(kind), tmpl_kind_name(v.kind));
}

int64_t tmpl_evaluate_int(TmplExpansion *x, const TmplExpr *e, const char *what) {
    TmplValue v = tmpl_evaluate(x, e);
    tmpl_need(x, v, TMPL_INT, what);
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

/* ---- Kinds of tree ---- */

static bool equal(TmplExpansion *x, TmplValue a, TmplValue b) {
    if (a.kind != b.kind || (a.kind != TMPL_INT && a.kind != TMPL_STRING))
        tmpl_fail(x, "%s cannot be compared with %s", tmpl_kind_name(a.kind), tmpl_kind_name(b.kind));
    if (a.kind == TMPL_INT)
        return a.integer == b.integer;
    tmpl_spend(x, (size_t)a.length / 64);
    return a.length == b.length && memcmp(a.string, b.string, (size_t)a.length) == 0;
}

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
    tmpl_need(x, list, TMPL_LIST, "what is indexed");
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
    return tmpl_int(tmpl_arithmetic(x, INFIX_SUB, 0, tmpl_evaluate_int(x, e->items[0], "the operand of -")));
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
            tmpl_fail(x, "an operand of %s must be an integer, not %s", tmpl_operators[op].text,
                      tmpl_kind_name(operands[i].kind));
    return tmpl_int(tmpl_arithmetic(x, op, operands[0].integer, operands[1].integer));
}

static TmplValue eval_choice(TmplExpansion *x, const TmplExpr *e) {
    return tmpl_evaluate(x, e->items[tmpl_evaluate_truth(x, e->items[0]) ? 1 : 2]);
}

static TmplValue eval_function(TmplExpansion *x, const TmplExpr *e) {
    TmplValue arguments[TMPL_MAX_FUNCTION_ARGUMENTS];
    for (int i = 0; i < e->count; i++)
        arguments[i] = tmpl_evaluate(x, e->items[i]);
    return tmpl_functions[e->op].body(x, arguments, e->count);
}

static TmplValue eval_expand(TmplExpansion *x, const TmplExpr *e) {
    TmplValue *values = tmpl_alloc(x, sizeof *values * (size_t)e->count);
    for (int i = 0; i < e->count; i++)
        values[i] = tmpl_evaluate(x, e->items[i]);
    tmpl_need(x, values[0], TMPL_STRING, "a fragment");
    return tmpl_expand_fragment(x, values[0], e->names + 1, values + 1, e->count - 1);
}

static TmplValue eval_each(TmplExpansion *x, const TmplExpr *e) {
    TmplValue fragment = tmpl_evaluate(x, e->items[0]), separator = tmpl_evaluate(x, e->items[1]);
    int64_t n = tmpl_evaluate_int(x, e->items[2], "a count");
    tmpl_need(x, fragment, TMPL_STRING, "a fragment");
    tmpl_need(x, separator, TMPL_STRING, "the separator of each()");
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
