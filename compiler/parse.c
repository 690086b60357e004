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
 * Deliberately not here: which words and keys exist, what may follow what, keys given twice. Statements are
 * independent: an error ends its statement, and the next line starts afresh. Time and memory are linear in the text;
 * nesting and the number of values of a statement are bounded.
 */
#include "parse.h"

#include <string.h>

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
