/* parse_value.c: numbers, sizes, lists, calls; parse.c has the grammar.
 *
 * A lone (1,0) could be a pair or a list: here it is always a VALUE_LIST of two numbers, and who wants a pair takes
 * that as one. VALUE_PAIRS has two pairs or more. A list in a list has no meaning in the language and is refused.
 */
#include "parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_INTEGER = 9007199254740992.0; /* 2^53: up to here a double holds every integer */

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* Sets a value's place and text from what was parsed since the cursor was at start. */
static void finish_value(Parser *p, Value *v, Loc loc, size_t canonical_start) {
    v->loc = loc;
    v->text = arena_string(p->arena, p->canonical.text + canonical_start, p->canonical.length - canonical_start);
}

static void skip_digits(Parser *p) {
    while (is_digit(peek(p, 0))) p->at++;
}

/* One decimal number, without fraction or size. Needs v zeroed. */
static bool parse_decimal(Parser *p, const char *expected, Value *v) {
    const char *start = p->at;
    size_t canonical_start = p->canonical.length;
    ptrdiff_t sign = peek(p, 0) == '-', point = peek(p, sign) == '.';
    if (!is_digit(peek(p, sign + point))) {
        if (sign) p->at++;
        return unexpected(p, sign ? "a number after '-'" : expected);
    }
    p->at += sign;
    skip_digits(p);
    v->integer = peek(p, 0) != '.';
    if (peek(p, 0) == '.') p->at++;
    skip_digits(p);
    char exponent = peek(p, 0), exponent_sign = peek(p, 1);
    if (exponent == 'e' || exponent == 'E') {
        p->at += exponent_sign == '+' || exponent_sign == '-' ? 2 : 1;
        if (!is_digit(peek(p, 0))) return unexpected(p, "the digits of an exponent");
        skip_digits(p);
        v->integer = false;
    }
    v->kind = VALUE_NUMBER;
    strbuf_add_n(&p->canonical, start, (size_t)(p->at - start));
    finish_value(p, v, place(p, start), canonical_start);
    v->number = strtod(v->text, NULL);
    bool vanished = v->number == 0 && is_digit(v->text[strcspn(v->text, "123456789eE")]);
    bool inexact = v->integer && fabs(v->number) > LARGEST_INTEGER;
    if (isfinite(v->number) && !vanished && !inexact) return true;
    error(p->diag, v->loc, "this number is out of range");
    if (inexact) hint(p->diag, "integers go up to 2^53");
    return false;
}

/* After a number: nothing that would make it part of something else may follow. */
static bool check_number_end(Parser *p, const char *start) {
    ptrdiff_t n = 0;
    while (is_name(peek(p, n)) || peek(p, n) == '.' || peek(p, n) == '/') n++;
    if (n == 0) return true;
    char next = peek(p, 0);
    p->at += n;
    error(p->diag, place(p, start), "malformed number '%.*s'", (int)(p->at - start < 40 ? p->at - start : 40), start);
    if (next == 'X') hint(p->diag, "sizes are written with a small x: 3x3");
    else if (is_name(next)) hint(p->diag, "names start with a letter, and arguments are separated by spaces");
    return false;
}

static bool check_size_part(Parser *p, const Value *part) {
    if (!part->integer || peek(p, 0) == '/') {
        error(p->diag, part->loc, "the parts of a size are integers");
        return false;
    }
    return true;
}

/* The rest of a size, from the first "x"; first is the number before it. */
static bool parse_size(Parser *p, Value first, Value *v) {
    v->kind = VALUE_SIZE;
    if (!check_size_part(p, &first)) return false;
    *PUSH(p->arena, v->items, v->length) = first;
    while (peek(p, 0) == 'x') {
        Value part = {0};
        p->at++;
        strbuf_add(&p->canonical, "x");
        if (!parse_decimal(p, "a number after 'x'", &part)) {
            if (peek(p, 0) == ' ' || peek(p, 0) == '\t') hint(p->diag, "a size is written without spaces: 3x3");
            return false;
        }
        if (!check_size_part(p, &part)) return false;
        *PUSH(p->arena, v->items, v->length) = part;
    }
    return true;
}

static bool parse_fraction(Parser *p, Value numerator, Value *v) {
    Value denominator = {0};
    p->at++;
    strbuf_add(&p->canonical, "/");
    if (!is_digit(peek(p, 0)) && peek(p, 0) != '.') return unexpected(p, "a number after '/'");
    if (!parse_decimal(p, "a number after '/'", &denominator)) return false;
    v->kind = VALUE_NUMBER;
    v->number = numerator.number / denominator.number;
    if (isfinite(v->number)) return true;
    error(p->diag, denominator.loc, denominator.number == 0 ? "division by zero" : "this number is out of range");
    return false;
}

/* A number, a fraction or a size. */
static bool parse_numeric(Parser *p, Value *v) {
    const char *start = p->at;
    Value first = {0};
    if (!parse_decimal(p, "a number", &first)) return false;
    if (peek(p, 0) == 'x') {
        if (!parse_size(p, first, v)) return false;
    } else if (peek(p, 0) == '/') {
        if (!parse_fraction(p, first, v)) return false;
        v->loc = place(p, start);
        if (peek(p, 0) == 'x') return check_size_part(p, v);
    } else {
        *v = first;
    }
    return check_number_end(p, start);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool parse_item(Parser *p, Value *v, int depth);

static bool unclosed(Parser *p, Loc open) {
    error(p->diag, open, "this '(' is not closed");
    hint(p->diag, "a statement ends with its line unless a '\\' at the very end continues it");
    return false;
}

typedef enum { MORE, CLOSED, FAILED } Next;

/* Before the next element of "( ... )", of which count are read: finds it, or consumes the ")". */
static Next next_element(Parser *p, Loc open, int count, const char *separator) {
    skip_spaces(p);
    if (at_statement_end(p)) return unclosed(p, open), FAILED;
    if (peek(p, 0) == ')') {
        p->at++;
        strbuf_add(&p->canonical, ")");
        return CLOSED;
    }
    if (count == 0) return MORE;
    if (peek(p, 0) != ',') return unexpected(p, "',' or ')'"), FAILED;
    p->at++;
    strbuf_add(&p->canonical, separator);
    skip_spaces(p);
    return at_statement_end(p) ? (unclosed(p, open), FAILED) : MORE;
}

/* Adds an element to a list, which cannot hold a list or a key=value. */
static bool parse_element(Parser *p, Value *list, int depth) {
    Value item = {0};
    if (at_key(p)) {
        error(p->diag, place_of_length(p, name_length(p) + 1), "a list cannot hold a key=value");
        hint(p->diag, depth ? "the options of a call follow its name without a space: name(key=value)"
                            : "arguments are separated by spaces, without commas");
        return false;
    }
    if (!parse_item(p, &item, depth)) return false;
    if (item.kind == VALUE_LIST) {
        error(p->diag, item.loc, "a list in a list");
        hint(p->diag, "pairs are written (1,0)x(2,1)");
        return false;
    }
    *PUSH(p->arena, list->items, list->length) = item;
    return true;
}

/* "(a,b)", from its "(". */
static bool parse_list(Parser *p, Value *v, int depth) {
    Loc open = place_of_length(p, 1);
    Next next;
    v->kind = VALUE_LIST;
    p->at++;
    strbuf_add(&p->canonical, "(");
    while ((next = next_element(p, open, v->length, ",")) == MORE)
        if (!parse_element(p, v, depth + 1)) return false;
    if (next == FAILED) return false;
    if (v->length > 0) return true;
    error(p->diag, open, "an empty list");
    return false;
}

/* Turns a list into one pair of pairs. */
static bool add_pair(Parser *p, Value *pairs, Value list) {
    if (list.length != 2 || !list.items[0].integer || !list.items[1].integer) {
        error(p->diag, list.loc, "a pair holds two integers: (1,0)x(2,1)");
        return false;
    }
    list.kind = VALUE_SIZE;
    *PUSH(p->arena, pairs->items, pairs->length) = list;
    return true;
}

/* "(a,b)" or "(a,b)x(c,d)": a list until an "x" follows. */
static bool parse_parenthesized(Parser *p, Value *v, int depth) {
    Value pairs = {.kind = VALUE_PAIRS};
    for (;;) {
        const char *start = p->at;
        Loc loc = place(p, start);
        size_t canonical_start = p->canonical.length;
        Value list = {0};
        if (!parse_list(p, &list, depth)) return false;
        loc.length = (int)(p->at - start);
        finish_value(p, &list, loc, canonical_start);
        bool another = peek(p, 0) == 'x';
        if (!another && pairs.length == 0) {
            *v = list;
            return true;
        }
        if (!add_pair(p, &pairs, list)) return false;
        *v = pairs;
        if (!another) return true;
        p->at++;
        strbuf_add(&p->canonical, "x");
        if (peek(p, 0) != '(') return unexpected(p, "'(' after 'x'");
    }
}

/* One argument of a call. Around its "=" spaces are allowed: there is no other way to read them. */
static bool parse_option(Parser *p, Argument *a, int depth) {
    ptrdiff_t length = name_length(p), n = length;
    while (length && (peek(p, n) == ' ' || peek(p, n) == '\t')) n++;
    if (length && peek(p, n) == '=') {
        Name key = {0};
        if (!parse_name(p, "a key", &key)) return false;
        a->key = key.text;
        a->key_loc = key.loc;
        strbuf_printf(&p->canonical, "%s=", key.text);
        skip_spaces(p);
        p->at++;
        skip_spaces(p);
    }
    return parse_item(p, &a->value, depth);
}

/* A word, a boolean or a call. */
static bool parse_word(Parser *p, Value *v, int depth) {
    Name name = {0};
    if (!parse_name(p, "a word", &name)) return false;
    strbuf_add(&p->canonical, name.text);
    v->kind = VALUE_WORD;
    v->word = name.text;
    if (peek(p, 0) == '(') {
        Loc open = place_of_length(p, 1);
        Next next;
        v->kind = VALUE_CALL;
        p->at++;
        strbuf_add(&p->canonical, "(");
        while ((next = next_element(p, open, v->argument_count, ", ")) == MORE) {
            Argument a = {0};
            if (!parse_option(p, &a, depth + 1)) return false;
            *PUSH(p->arena, v->arguments, v->argument_count) = a;
        }
        return next == CLOSED;
    }
    v->truth = strcmp(name.text, "true") == 0;
    if (v->truth || strcmp(name.text, "false") == 0) {
        v->kind = VALUE_BOOL;
        v->word = NULL;
    } else if (strcmp(name.text, "True") == 0 || strcmp(name.text, "False") == 0) {
        error(p->diag, name.loc, "'%s' is written '%s'", name.text, name.text[0] == 'T' ? "true" : "false");
        return false;
    }
    return true;
}

static bool parse_item(Parser *p, Value *v, int depth) {
    const char *start = p->at;
    Loc loc = place(p, start);
    size_t canonical_start = p->canonical.length;
    if (depth > DEEPEST) {
        error(p->diag, place_of_length(p, 1), "nested more than %d deep", DEEPEST);
        return false;
    }
    if (++p->values > MOST_VALUES) {
        error(p->diag, place_of_length(p, 1), "more than %d values in one statement", MOST_VALUES);
        return false;
    }
    char c = peek(p, 0);
    bool fine = c == '('                                  ? parse_parenthesized(p, v, depth)
                : is_letter(c)                            ? parse_word(p, v, depth)
                : is_digit(c) || c == '-' || c == '.'     ? parse_numeric(p, v)
                                                          : unexpected(p, "a value");
    if (!fine) return false;
    loc.length = (int)(p->at - start);
    finish_value(p, v, loc, canonical_start);
    return true;
}

bool parse_value(Parser *p, Value *v) {
    const char *start = p->at;
    Loc loc = place(p, start);
    size_t canonical_start = p->canonical.length;
    Value list = {.kind = VALUE_LIST};
    if (!parse_item(p, v, 0)) return false;
    skip_spaces(p);
    if (peek(p, 0) != ',') return true;
    if (v->kind == VALUE_LIST) {
        error(p->diag, v->loc, "a list in a list");
        hint(p->diag, "pairs are written (1,0)x(2,1)");
        return false;
    }
    *PUSH(p->arena, list.items, list.length) = *v;
    while (peek(p, 0) == ',') {
        p->at++;
        strbuf_add(&p->canonical, ",");
        skip_spaces(p);
        if (!parse_element(p, &list, 0)) return false;
        loc.length = (int)(p->at - start);
        skip_spaces(p);
    }
    finish_value(p, &list, loc, canonical_start);
    *v = list;
    return true;
}
