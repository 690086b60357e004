/* diag.c: diagnostics like a compiler's.
 *
 *     mnist.net:7:19: error: kernel 5x5 is larger than its input 4x4x64
 *         conv2d         64 5x5   activation=relu
 *                           ^~~
 *
 * They are collected as text, or as JSON (report.c); printing them and the exit status are the driver's business. What comes from the user's
 * file is shown safely: no control character, no invalid UTF-8 and no bidirectional override reaches the terminal, in a
 * message no more than in a source line. Every character counts as one terminal column; wide and combining ones are
 * not measured, so that a caret may be off on a line that has them.
 */
#include "base.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_LIMIT = 20,  /* errors shown when Diag.limit is 0 */
    WINDOW = 110,        /* bytes shown of a longer line: 120 columns with the indentation and two "..." */
    BEFORE_CARET = 50,   /* of these, before the caret */
    LONGEST_WORD = 63    /* that nearest() looks at; names are no longer */
};

#define INDENT "    "
#define RESET "\033[0m"
#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define MAGENTA "\033[1;35m"
#define CYAN "\033[1;36m"

/* ---- showing text ------------------------------------------------------------------------------------------------ */

static bool continues(char c) {
    return ((unsigned char)c & 0xc0) == 0x80; /* a later byte of a UTF-8 character */
}

size_t utf8_length(const char *s, size_t n, bool *safe) {
    static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned c = (unsigned char)s[0];
    *safe = c >= 0x20 && c != 0x7f;
    if (c < 0x80) return 1;
    size_t length = c > 0xf4 ? 0 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
    if (length == 0 || length > n) return 0;
    unsigned point = c & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!continues(s[i])) return 0;
        point = point << 6 | ((unsigned char)s[i] & 0x3fu);
    }
    bool valid = point >= smallest[length] && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    *safe = !(point < 0xa0 || (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069));
    return valid ? length : 0;
}

/* The length of the character at s, or 0 if it is invalid or must not be shown. */
static size_t showable(const char *s, size_t n) {
    bool safe;
    size_t length = utf8_length(s, n, &safe);
    return safe ? length : 0;
}

int strbuf_add_shown(StrBuf *out, const char *s, size_t n) {
    int columns = 0;
    for (size_t i = 0, length; i < n; i += length, columns++) {
        length = showable(s + i, n - i);
        if (out && length) strbuf_add_n(out, s + i, length);
        if (out && !length) strbuf_add(out, s[i] == '\t' ? " " : "?");
        if (!length) length = 1;
    }
    return columns;
}

/* Finds a line, from 1, without its end and without a byte order mark; false when there is no such line. */
static bool find_line(const Source *source, int number, const char **line, size_t *length) {
    const char *start = source->text, *end = start + source->length, *stop;
    if (end - start >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) start += 3;
    while (stop = memchr(start, '\n', (size_t)(end - start)), --number > 0) {
        if (!stop) return false;
        start = stop + 1;
    }
    if (!stop) stop = end;
    if (stop > start && stop[-1] == '\r') stop--;
    *line = start;
    *length = (size_t)(stop - start);
    return true;
}

/* The source line and the caret below it; of a very long line a window around the caret. */
static void add_line(Diag *d, Loc loc) {
    const char *line;
    size_t length;
    if (!find_line(d->source, loc.line, &line, &length)) return;
    size_t from = loc.column > 1 ? (size_t)loc.column - 1 : 0, first = 0, last = length;
    if (from > length) from = length;
    if (length > WINDOW) {
        first = from > BEFORE_CARET ? from - BEFORE_CARET : 0;
        while (first < from && continues(line[first])) first++;
        if (length - first > WINDOW) last = first + WINDOW;
        for (int i = 0; i < 3 && last < length && continues(line[last]); i++) last--;
    }
    size_t to = loc.length > 1 ? from + (size_t)loc.length : from + 1;
    if (to > last) to = last;

    strbuf_add(&d->out, first ? INDENT "..." : INDENT);
    strbuf_add_shown(&d->out, line + first, last - first);
    strbuf_add(&d->out, last < length ? "...\n" INDENT : "\n" INDENT);
    int blanks = strbuf_add_shown(NULL, line + first, from - first) + (first ? 3 : 0);
    int marks = to > from ? strbuf_add_shown(NULL, line + from, to - from) : 1;
    strbuf_printf(&d->out, "%*s", blanks, "");
    if (d->color) strbuf_add(&d->out, GREEN);
    for (int i = 0; i < marks; i++) strbuf_add(&d->out, i ? "~" : "^");
    strbuf_add(&d->out, d->color ? RESET "\n" : "\n");
}

/* ---- reporting --------------------------------------------------------------------------------------------------- */

/* Everything after the last error within the limit is only counted. */
static bool hidden(const Diag *d) {
    return d->errors > (d->limit > 0 ? d->limit : DEFAULT_LIMIT);
}

static void add_text(Diag *d, Loc loc, const char *kind, const char *color, const StrBuf *message) {
    if (d->source) {
        if (d->color) strbuf_add(&d->out, BOLD);
        strbuf_add_shown(&d->out, d->source->name, strlen(d->source->name));
        if (loc.line > 0) strbuf_printf(&d->out, ":%d:%d", loc.line, loc.column);
        strbuf_add(&d->out, d->color ? ": " RESET : ": ");
    }
    if (d->color) strbuf_add(&d->out, color);
    strbuf_printf(&d->out, d->color ? "%s:" RESET " " : "%s: ", kind);
    strbuf_add_shown(&d->out, message->text, message->length);
    strbuf_add(&d->out, "\n");
    if (d->source && loc.line > 0) add_line(d, loc);
}

PRINTF_LIKE(5, 0)
static void report(Diag *d, Loc loc, const char *kind, const char *color, const char *format, va_list args) {
    if (hidden(d)) return;
    StrBuf message = {0};
    strbuf_vprintf(&message, format, args);
    const char *file = d->source ? d->source->name : NULL;
    if (!diagnostics_are_json()) add_text(d, loc, kind, color, &message);
    else if (strcmp(kind, "note")) json_diagnostic(&d->out, kind, file, loc, message.text, message.length);
    else json_child(&d->out, kind, file, loc, message.text, message.length, NULL);
    strbuf_free(&message);
}

void error(Diag *d, Loc loc, const char *format, ...) {
    va_list args;
    va_start(args, format);
    d->errors++;
    report(d, loc, "error", RED, format, args);
    va_end(args);
}

void warning(Diag *d, Loc loc, const char *format, ...) {
    va_list args;
    va_start(args, format);
    d->warnings++;
    report(d, loc, "warning", MAGENTA, format, args);
    va_end(args);
}

void note(Diag *d, Loc loc, const char *format, ...) {
    va_list args;
    va_start(args, format);
    report(d, loc, "note", CYAN, format, args);
    va_end(args);
}

/* word NULL: nothing to put in a place. */
PRINTF_LIKE(4, 0) static void add_hint(Diag *d, Loc loc, const char *word, const char *format, va_list args) {
    if (hidden(d)) return;
    StrBuf message = {0};
    strbuf_vprintf(&message, format, args);
    if (diagnostics_are_json()) json_child(&d->out, "hint", d->source && word ? d->source->name : NULL, loc, message.text, message.length, word);
    else {
        strbuf_add(&d->out, d->color ? CYAN "hint:" RESET " " : "hint: ");
        strbuf_add_shown(&d->out, message.text, message.length);
        strbuf_add(&d->out, "\n");
    }
    strbuf_free(&message);
}

void hint(Diag *d, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_hint(d, (Loc){0}, NULL, format, args);
    va_end(args);
}

void hint_instead(Diag *d, Loc loc, const char *word, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_hint(d, loc, word, format, args);
    va_end(args);
}

/* "FILE:LINE: error: MESSAGE", then lines that tell how it came there. */
void foreign_error(Diag *d, const char *message) {
    static const char mark[] = "error: ";
    d->errors++;
    if (!diagnostics_are_json()) {
        strbuf_add(&d->out, message);
        return;
    }
    const char *found = strstr(message, mark), *text = found ? found + sizeof mark - 1 : message;
    size_t length = strcspn(text, "\n");
    StrBuf file = {0};
    strbuf_add_n(&file, message, found > message + 2 ? (size_t)(found - message) - 2 : 0);
    char *colon = strrchr(file.text, ':');
    int line = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
    if (colon) *colon = '\0';
    json_diagnostic(&d->out, "error", *file.text ? file.text : NULL, (Loc){line, 0, 0}, text, length);
    strbuf_free(&file);
    for (text += length; *text; text += length) {
        text += strspn(text, "\n ");
        length = strcspn(text, "\n");
        if (length) json_child(&d->out, "note", NULL, (Loc){0}, text, length, NULL);
    }
}

/* ---- suggesting -------------------------------------------------------------------------------------------------- */

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Edit distance: insertions, deletions, substitutions and swaps of neighbours. Case is ignored, so that what Keras
 * spells with capitals is near. Needs lengths up to LONGEST_WORD. */
static int distance(const char *a, int length_a, const char *b, int length_b) {
    int d[LONGEST_WORD + 1][LONGEST_WORD + 1];
    for (int i = 0; i <= length_a; i++) d[i][0] = i;
    for (int j = 0; j <= length_b; j++) d[0][j] = j;
    for (int i = 1; i <= length_a; i++) {
        for (int j = 1; j <= length_b; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            d[i][j] = smaller(d[i - 1][j - 1] + (ca != cb), smaller(d[i - 1][j], d[i][j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2])
                                          && cb == tolower((unsigned char)a[i - 2]);
            if (swapped) d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[length_a][length_b];
}

/* Near enough is a third of the word's letters, but never all of them. */
const char *nearest(const char *word, const char *const *candidates, int n) {
    size_t length = strlen(word);
    if (length > LONGEST_WORD) return NULL;
    int limit = length < 6 ? 1 : (int)length / 3, best = smaller(limit, (int)length - 1) + 1;
    const char *found = NULL;
    for (int i = 0; i < n; i++) {
        size_t other = strlen(candidates[i]);
        if (other > LONGEST_WORD) continue;
        int d = distance(word, (int)length, candidates[i], (int)other);
        if (d < best) best = d, found = candidates[i];
    }
    return found;
}
