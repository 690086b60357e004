/* parse.c: text -> statements.
 *
 *     statement   = [name "="] word {argument} ["from" name {"," name}]       one a line
 *     argument    = [key "="] value                      no spaces around this "="; arguments are separated by spaces
 *     value       = item {"," item}                      with a comma: VALUE_LIST
 *     item        = number | size | pairs | list | call | "true" | "false" | word
 *     number      = decimal ["/" decimal]                3  -2  0.1  1e-7  1/255
 *     size        = integer "x" integer {"x" integer}    28x28x1
 *     pairs       = list "x" list {"x" list}             (1,0)x(2,1): each of two integers
 *     list        = "(" item {"," item} ")"
 *     call        = word "(" [option {"," option}] ")"   sgd(learning_rate=0.01, momentum=0.9)
 *     option      = [key "="] item                       spaces are allowed around this "="
 *
 * A trailing "\" continues a line (and is then a space), "#" starts a comment, a byte order mark and CRLF are accepted.
 *
 * A lone (1,0) could be a pair or a list: here it is always a VALUE_LIST of two numbers, and who wants a pair takes
 * that as one. VALUE_PAIRS has two pairs or more. A list in a list has no meaning in the language and is refused.
 *
 * Deliberately not here: which words and keys exist, what may follow what, keys given twice. Statements are
 * independent: an error ends its statement, and the next line starts afresh. Time and memory are linear in the text;
 * nesting and the number of values of a statement are bounded.
 */
#include "cnnc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 63, DEEPEST = 32, MOST_VALUES = 4096, MOST_STATEMENTS = 10000 };

static const double LARGEST_INTEGER = 9007199254740992.0; /* 2^53: up to here a double holds every integer */

typedef struct Parser {
    Arena *arena;
    Diag *diag;
    const char *at, *end;   /* the cursor and the end of the text */
    const char *line_start;
    int line;
    int values;             /* of this statement so far, however nested */
    StrBuf canonical;       /* the values of this statement so far, in canonical spacing */
} Parser;

/* ---- the cursor -------------------------------------------------------------------------------------------------- */

/* The character k places on; '\0' past the end (the text has no NUL, see parse). */
static char peek(const Parser *p, ptrdiff_t k) {
    return k < p->end - p->at ? p->at[k] : '\0';
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/* The place of the text from start, on this line, to the cursor. */
static Loc place(const Parser *p, const char *start) {
    return (Loc){p->line, (int)(start - p->line_start) + 1, (int)(p->at - start)};
}

static Loc place_of_length(const Parser *p, ptrdiff_t length) {
    return (Loc){p->line, (int)(p->at - p->line_start) + 1, (int)length};
}

/* The length of the line end k places on: 0 if there is none, 2 for CRLF. */
static int line_end(const Parser *p, ptrdiff_t k) {
    return peek(p, k) == '\n' ? 1 : peek(p, k) == '\r' && peek(p, k + 1) == '\n' ? 2 : 0;
}

static void start_line(Parser *p) {
    p->line++;
    p->line_start = p->at;
}

static void skip_spaces(Parser *p) {
    for (;;) {
        if (peek(p, 0) == ' ' || peek(p, 0) == '\t') {
            p->at++;
        } else if (peek(p, 0) == '\\' && line_end(p, 1)) {
            p->at += 1 + line_end(p, 1);
            start_line(p);
        } else {
            return;
        }
    }
}

static bool after_space(const Parser *p) {
    return p->at[-1] == ' ' || p->at[-1] == '\t' || p->at == p->line_start;
}

static bool at_statement_end(const Parser *p) {
    return peek(p, 0) == '\0' || peek(p, 0) == '#' || line_end(p, 0);
}

/* Goes to the line after this statement, over whatever is left of it. */
static void skip_statement(Parser *p) {
    for (bool continued = true; continued && p->at < p->end;) {
        const char *stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
        const char *last = stop ? stop : p->end;
        if (last > p->at && last[-1] == '\r') last--;
        continued = last > p->at && last[-1] == '\\';
        p->at = stop ? stop + 1 : p->end;
        start_line(p);
    }
}

/* ---- what went wrong --------------------------------------------------------------------------------------------- */

static const struct { const char *found, *hint; } mistakes[] = {
    {"\"", "words are written without quotes"},
    {"'", "words are written without quotes"},
    {"\xe2\x80\x9c", "words are written without quotes"},
    {"*", "sizes are written with the letter x: 3x3"},
    {"\xc3\x97", "sizes are written with the letter x: 3x3"},
    {"/", "a fraction is two numbers without spaces: 1/255"},
    {"+", "positive numbers are written without a sign"},
    {"\xe2\x88\x92", "this is a typographic minus, not '-'"},
    {"\xc2\xa0", "this is a no-break space; replace it by a plain one"},
    {"[", "lists are written a,b or (a,b)"},
    {"{", "options are written in parentheses: name(option=value)"},
    {":", "options are written key=value"},
    {";", "each statement has a line of its own"},
    {".", "words have no dots: the layer is 'dense', not 'layers.Dense'"},
    {"\\", "to continue a line the '\\' must be its last character"},
    {"_", "names start with a letter"},
    {"-", "'-' begins a number; names have letters, digits and '_'"},
};

/* Reports what is at the cursor instead of what was expected. Always false, for return unexpected(...). */
static bool unexpected(Parser *p, const char *expected) {
    char c = peek(p, 0);
    ptrdiff_t length = 1;
    if ((unsigned char)c >= 0x80)
        while (length < 4 && ((unsigned char)peek(p, length) & 0xc0) == 0x80) length++;
    if (at_statement_end(p)) {
        error(p->diag, place_of_length(p, 1), "expected %s before the end of the statement", expected);
    } else if (c == ' ' || c == '\t') {
        error(p->diag, place_of_length(p, 1), "expected %s, found a space", expected);
    } else if ((unsigned char)c < 0x20 || c == 0x7f) {
        error(p->diag, place_of_length(p, 1), "expected %s, found the byte 0x%02x", expected, (unsigned)c);
    } else {
        error(p->diag, place_of_length(p, length), "expected %s, found '%.*s'", expected, (int)length, p->at);
    }
    for (int i = 0; i < LENGTH(mistakes); i++) {
        size_t n = strlen(mistakes[i].found);
        if (n == (size_t)length && n <= (size_t)(p->end - p->at) && memcmp(p->at, mistakes[i].found, n) == 0)
            hint(p->diag, "%s", mistakes[i].hint);
    }
    return false;
}

static bool unclosed(Parser *p, Loc open) {
    error(p->diag, open, "this '(' is not closed");
    hint(p->diag, "a statement ends with its line unless a '\\' at the very end continues it");
    return false;
}

/* ---- names and numbers ------------------------------------------------------------------------------------------- */

/* The length of the name at the cursor, 0 if there is none. */
static ptrdiff_t name_length(const Parser *p) {
    ptrdiff_t n = 0;
    if (!is_letter(peek(p, 0))) return 0;
    while (is_name(peek(p, n))) n++;
    return n;
}

static bool parse_name(Parser *p, const char *expected, Name *name) {
    ptrdiff_t length = name_length(p);
    if (length == 0) return unexpected(p, expected), false;
    name->loc = place_of_length(p, length);
    if (length > LONGEST_NAME) {
        error(p->diag, name->loc, "this name has %td characters; at most %d are allowed", length, LONGEST_NAME);
        return false;
    }
    name->text = arena_string(p->arena, p->at, (size_t)length);
    p->at += length;
    return true;
}

/* Is a key at the cursor, a name directly followed by "="? */
static bool at_key(const Parser *p) {
    ptrdiff_t length = name_length(p);
    return length > 0 && peek(p, length) == '=';
}

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
    if (part->number == 0) {
        error(p->diag, part->loc, "a part of a size is zero");
        hint(p->diag, "sizes begin at 1; where a side is padded or cropped, write pairs: (0,0)x(2,2)");
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

/* An item, or a list a,b without parentheses. */
static bool parse_value(Parser *p, Value *v) {
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

/* ---- statements -------------------------------------------------------------------------------------------------- */

/* Is a size torn apart ("3 x 3") at the cursor? previous is the argument before it. */
static bool at_stray_x(const Parser *p, const Argument *previous) {
    ValueKind kind = previous->value.kind;
    char next = peek(p, 1);
    return (kind == VALUE_NUMBER || kind == VALUE_SIZE || kind == VALUE_PAIRS || kind == VALUE_LIST)
        && peek(p, 0) == 'x' && (is_digit(next) || next == ' ' || next == '\t' || next == '(');
}

/* Is there a key with a space before its "=" at the cursor? */
static bool at_spaced_key(const Parser *p) {
    ptrdiff_t n = name_length(p);
    if (n == 0 || (peek(p, n) != ' ' && peek(p, n) != '\t')) return false;
    while (peek(p, n) == ' ' || peek(p, n) == '\t') n++;
    return peek(p, n) == '=';
}

static bool spaces_around_equals(Parser *p, Loc loc, const char *key, int length) {
    error(p->diag, loc, "spaces around the '=' of an argument");
    hint(p->diag, "write %.*s=value", length, key);
    return false;
}

static bool parse_argument(Parser *p, Argument *a) {
    if (at_spaced_key(p)) {
        ptrdiff_t length = name_length(p);
        return spaces_around_equals(p, place_of_length(p, length), p->at, (int)length);
    }
    if (at_key(p)) {
        Name key = {0};
        if (!parse_name(p, "a key", &key)) return false;
        a->key = key.text;
        a->key_loc = key.loc;
        p->at++;
        Loc whole = {key.loc.line, key.loc.column, key.loc.length + 1};
        skip_spaces(p);
        if (at_statement_end(p)) {
            error(p->diag, whole, "'%s=' has no value", key.text);
            return false;
        }
        if (after_space(p)) return spaces_around_equals(p, whole, key.text, key.loc.length);
        if (strcmp(key.text, "from") == 0) {
            error(p->diag, whole, "'from' is not an argument");
            hint(p->diag, "write from a, b at the end of the statement");
            return false;
        }
    }
    return parse_value(p, &a->value);
}

/* The names after "from", to the statement's end. */
static bool parse_from(Parser *p, Statement *s) {
    p->at += strlen("from");
    do {
        Name name;
        if (s->from_count > 0) p->at++;
        skip_spaces(p);
        if (!parse_name(p, "the name of a layer", &name)) return false;
        if (++p->values > MOST_VALUES) {
            error(p->diag, name.loc, "more than %d values in one statement", MOST_VALUES);
            return false;
        }
        *PUSH(p->arena, s->from, s->from_count) = name;
        skip_spaces(p);
    } while (peek(p, 0) == ',');
    if (at_statement_end(p)) return true;
    unexpected(p, "',' or the end of the statement");
    hint(p->diag, "'from' comes last, its names separated by commas");
    return false;
}

static bool parse_arguments(Parser *p, Statement *s) {
    while (skip_spaces(p), !at_statement_end(p)) {
        if (!after_space(p)) return unexpected(p, "a space");
        if (name_length(p) == 4 && memcmp(p->at, "from", 4) == 0 && peek(p, 4) != '=' && peek(p, 4) != '(')
            return parse_from(p, s);
        if (s->argument_count > 0 && at_stray_x(p, &s->arguments[s->argument_count - 1])) {
            error(p->diag, place_of_length(p, 1), "a size with spaces in it");
            hint(p->diag, "a size is written without spaces: 3x3");
            return false;
        }
        Argument a = {0};
        if (!parse_argument(p, &a)) return false;
        *PUSH(p->arena, s->arguments, s->argument_count) = a;
    }
    return true;
}

/* Words with a meaning of their own cannot name a layer. */
static bool check_name(Parser *p, const Name *name) {
    static const char *const reserved[] = {"from", "true", "false"};
    for (int i = 0; i < LENGTH(reserved); i++) {
        if (strcmp(name->text, reserved[i]) != 0) continue;
        error(p->diag, name->loc, "'%s' cannot be a name", name->text);
        return false;
    }
    return true;
}

static bool parse_statement(Parser *p, Statement *s) {
    p->values = 0;
    p->canonical.length = 0;
    if (!parse_name(p, "a statement", &s->word)) return false;
    const char *after_word = p->at;
    skip_spaces(p);
    if (peek(p, 0) == '=') {
        s->name = s->word;
        if (!check_name(p, &s->name)) return false;
        p->at++;
        skip_spaces(p);
        if (!parse_name(p, "a layer after '='", &s->word)) return false;
        after_word = p->at;
    }
    if (strcmp(s->word.text, "from") == 0) {
        error(p->diag, s->word.loc, "'from' without a layer before it");
        hint(p->diag, "it belongs to the layer's own line; a '\\' at the end of that line continues it");
        return false;
    }
    if (p->at == after_word && peek(p, 0) == '(') {
        error(p->diag, place_of_length(p, 1), "a layer is written without parentheses");
        hint(p->diag, "arguments follow the word, separated by spaces: conv2d 32 3x3 activation=relu");
        return false;
    }
    return parse_arguments(p, s);
}

/* A comment takes no continuation: a statement on the next line would vanish with it. */
static void check_comment(Parser *p) {
    if (peek(p, 0) != '#') return;
    const char *stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
    if (!stop) return;
    if (stop[-1] == '\r') stop--;
    if (stop[-1] != '\\') return;
    p->at = stop - 1;
    error(p->diag, place_of_length(p, 1), "a comment cannot be continued");
    hint(p->diag, "the '\\' would make the next line part of the comment; end the comment with something else");
}

/* Only text of a size whose places fit an int and without NUL bytes can be parsed at all. */
static bool check_text(const Source *source, Diag *diag) {
    if (source->length > INT32_MAX / 2) {
        error(diag, (Loc){0}, "the file is too large");
        return false;
    }
    const char *nul = source->length ? memchr(source->text, '\0', source->length) : NULL;
    if (!nul) return true;
    Loc loc = {1, 1, 1};
    for (const char *s = source->text; s < nul; s++, loc.column++)
        if (*s == '\n') loc.line++, loc.column = 0;
    error(diag, loc, "a NUL byte: this is not a text file in UTF-8");
    return false;
}

bool parse(Arena *arena, const Source *source, Diag *diag, Description *out) {
    *out = (Description){.source = source};
    if (!check_text(source, diag)) return false;
    int errors = diag->errors;
    Parser p = {.arena = arena, .diag = diag, .at = source->text, .end = source->text + source->length};
    if (source->length >= 3 && memcmp(p.at, "\xef\xbb\xbf", 3) == 0) p.at += 3;
    start_line(&p);
    while (p.at < p.end) {
        Statement statement = {0};
        skip_spaces(&p);
        if (at_statement_end(&p)) check_comment(&p);
        else if (out->length == MOST_STATEMENTS) {
            error(diag, place_of_length(&p, 1), "more than %d statements", MOST_STATEMENTS);
            break;
        } else if (parse_statement(&p, &statement)) {
            *PUSH(arena, out->statements, out->length) = statement;
            check_comment(&p);
        }
        skip_statement(&p);
    }
    strbuf_free(&p.canonical);
    return diag->errors == errors;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

void print_description(const Description *description, StrBuf *out) {
    for (int i = 0; i < description->length; i++) {
        const Statement *s = &description->statements[i];
        if (s->name.text) strbuf_printf(out, "%s = ", s->name.text);
        strbuf_add(out, s->word.text);
        for (int j = 0; j < s->argument_count; j++) {
            const Argument *a = &s->arguments[j];
            strbuf_printf(out, " %s%s%s", a->key ? a->key : "", a->key ? "=" : "", a->value.text);
        }
        for (int j = 0; j < s->from_count; j++)
            strbuf_printf(out, "%s%s", j ? ", " : " from ", s->from[j].text);
        strbuf_add(out, "\n");
    }
}
