/* report.c: what is said on standard error, as text for people or as JSON for programs (--diagnostics-format=json).
 *
 * One object a line, each complete in itself: {"kind", "message", "locations", "children"} as in gcc's JSON, so that what
 * was said before a crash can be read as well. docs/diagnostics.md is its reference. All that is not plain, showable
 * UTF-8 is escaped; bytes that are no UTF-8 become U+FFFD.
 */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool as_json; /* of the process, like standard error itself: what fails before the options are read is told so, too */

void diagnostics_as_json(bool wanted) { as_json = wanted; }
bool diagnostics_are_json(void) { return as_json; }

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static unsigned code_point(const char *s, size_t length) {
    unsigned point = (unsigned char)s[0] & (length == 1 ? 0x7fu : 0x7fu >> length);
    for (size_t i = 1; i < length; i++) point = point << 6 | ((unsigned char)s[i] & 0x3fu);
    return point;
}

/* A string with its quotes. */
static void add_string(StrBuf *out, const char *s, size_t n) {
    strbuf_add(out, "\"");
    for (size_t i = 0, length; i < n; i += length) {
        bool safe;
        length = utf8_length(s + i, n - i, &safe);
        if (!length) strbuf_add(out, "\\ufffd"), length = 1;
        else if (s[i] == '"' || s[i] == '\\') strbuf_printf(out, "\\%c", s[i]);
        else if (safe) strbuf_add_n(out, s + i, length);
        else strbuf_printf(out, "\\u%04x", code_point(s + i, length)); /* those are below U+10000 */
    }
    strbuf_add(out, "\"");
}

/* `column` NULL: its name stays away, as does the line where there is none. */
static void add_place(StrBuf *out, const char *name, const char *file, int line, int column) {
    strbuf_printf(out, "\"%s\":{\"file\":", name);
    add_string(out, file, strlen(file));
    if (line > 0) strbuf_printf(out, ",\"line\":%d", line);
    if (line > 0 && column > 0) strbuf_printf(out, ",\"column\":%d", column);
    strbuf_add(out, "}");
}

static void add_object(StrBuf *out, const char *kind, const char *file, Loc loc, const char *message, size_t length, const char *instead) {
    int last = loc.column + (loc.length > 1 ? loc.length - 1 : 0);
    strbuf_printf(out, "{\"kind\":\"%s\",\"message\":", kind);
    add_string(out, message, length);
    strbuf_add(out, ",\"locations\":[");
    if (file && !instead) {
        strbuf_add(out, "{");
        add_place(out, "caret", file, loc.line, loc.column);
        if (loc.line > 0 && last > loc.column) strbuf_add(out, ","), add_place(out, "finish", file, loc.line, last);
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]");
    if (file && instead) {
        strbuf_add(out, ",\"fixits\":[{");
        add_place(out, "start", file, loc.line, loc.column);
        strbuf_add(out, ",");
        add_place(out, "next", file, loc.line, last + 1);
        strbuf_add(out, ",\"string\":");
        add_string(out, instead, strlen(instead));
        strbuf_add(out, "}]");
    }
    strbuf_add(out, ",\"children\":[]}");
}

void json_diagnostic(StrBuf *out, const char *kind, const char *file, Loc loc, const char *message, size_t length) {
    add_object(out, kind, file, loc, message, length, NULL);
    strbuf_add(out, "\n");
}

/* Before the "]}" with which the last object ends. */
void json_child(StrBuf *out, const char *kind, const char *file, Loc loc, const char *message, size_t length, const char *instead) {
    static const char end[] = "]}\n";
    size_t tail = sizeof end - 1;
    if (out->length < tail) {
        json_diagnostic(out, kind, file, loc, message, length);
        return;
    }
    out->length -= tail;
    if (out->text[out->length - 1] != '[') strbuf_add(out, ",");
    add_object(out, kind, file, loc, message, length, instead);
    strbuf_add(out, end);
}

/* ---- at once on standard error --------------------------------------------------------------------------------------- */

static const char hint_mark[] = "\nhint: ";

static void print_json(const char *kind, const char *file, int line, const char *text) {
    StrBuf out = {0};
    const char *mark = strstr(text, hint_mark), *rest = mark ? mark + sizeof hint_mark - 1 : NULL;
    json_diagnostic(&out, kind, file, (Loc){line, 0, 0}, text, mark ? (size_t)(mark - text) : strlen(text));
    if (rest) json_child(&out, "hint", NULL, (Loc){0}, rest, strlen(rest), NULL);
    fwrite(out.text, 1, out.length, stderr);
    strbuf_free(&out);
}

static void print_text(const char *kind, const char *file, int line, const char *text) {
    StrBuf out = {0};
    if (!file) file = "cnnc";
    strbuf_add_shown(&out, file, strlen(file));
    if (line > 0) strbuf_printf(&out, ":%d", line);
    strbuf_printf(&out, ": %s: ", kind);
    for (size_t length; length = strcspn(text, "\n"), text[length]; text += length + 1) {
        strbuf_add_shown(&out, text, length);
        strbuf_add(&out, "\n");
    }
    strbuf_add_shown(&out, text, strlen(text));
    strbuf_add(&out, "\n");
    fwrite(out.text, 1, out.length, stderr);
    strbuf_free(&out);
}

PRINTF_LIKE(4, 0) static void say(const char *kind, const char *file, int line, const char *format, va_list args) {
    StrBuf text = {0};
    strbuf_vprintf(&text, format, args);
    (as_json ? print_json : print_text)(kind, file, line, text.text);
    strbuf_free(&text);
}

void say_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("error", NULL, 0, format, args);
    va_end(args);
}

void remark(const char *kind, const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(kind, file, line, format, args);
    va_end(args);
}

void bug(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("internal error", NULL, 0, format, args);
    va_end(args);
    if (!as_json) fputs("This is a bug in cnnc " CNNC_VERSION ", not in your network. Please report it with the file.\n", stderr);
    remove_unfinished(0);
    exit(EXIT_BUG);
}

/* Without memory. */
void out_of_memory(void) {
    fputs(as_json ? "{\"kind\":\"error\",\"message\":\"out of memory\",\"locations\":[],\"children\":[]}\n" : "cnnc: out of memory\n", stderr);
    remove_unfinished(0);
    exit(EXIT_FILE);
}
