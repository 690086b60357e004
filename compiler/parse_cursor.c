/* parse_cursor.c: the way through a description's text: spaces, line ends, names, and what stands there instead of what was
 * expected. */
#include "parse.h"

#include <string.h>

void start_line(Parser *p) {
    p->line++;
    p->line_start = p->at;
}

void skip_spaces(Parser *p) {
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

void skip_statement(Parser *p) {
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

bool unexpected(Parser *p, const char *expected) {
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

/* ---- names ----------------------------------------------------------------------------------------------------------- */

ptrdiff_t name_length(const Parser *p) {
    ptrdiff_t n = 0;
    if (!is_letter(peek(p, 0))) return 0;
    while (is_name(peek(p, n))) n++;
    return n;
}

bool parse_name(Parser *p, const char *expected, Name *name) {
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

bool at_key(const Parser *p) {
    ptrdiff_t length = name_length(p);
    return length > 0 && peek(p, length) == '=';
}
