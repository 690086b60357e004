/* strbuf.c: text under construction.
 *
 * A buffer that doubles. From the first addition on (an empty one too) the text is terminated; before it, text is NULL.
 * It knows nothing of lines or encodings, and may hold NUL bytes.
 */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for n more bytes and the terminator. */
static void reserve(StrBuf *b, size_t n) {
    if (b->text && n < b->capacity - b->length) return;
    size_t capacity = 2 * (b->length + n) + 32;
    char *text = n < SIZE_MAX / 4 - b->length ? realloc(b->text, capacity) : NULL;
    if (!text) out_of_memory();
    b->text = text;
    b->capacity = capacity;
}

void strbuf_free(StrBuf *b) {
    free(b->text);
    *b = (StrBuf){0};
}

void strbuf_add(StrBuf *b, const char *s) {
    strbuf_add_n(b, s, strlen(s));
}

void strbuf_add_n(StrBuf *b, const char *s, size_t n) {
    reserve(b, n);
    if (n) memcpy(b->text + b->length, s, n);
    b->length += n;
    b->text[b->length] = '\0';
}

void strbuf_vprintf(StrBuf *b, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) bug("strbuf_printf: bad format '%s'", format);
    reserve(b, (size_t)length);
    vsnprintf(b->text + b->length, (size_t)length + 1, format, args);
    b->length += (size_t)length;
}

void strbuf_printf(StrBuf *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    strbuf_vprintf(b, format, args);
    va_end(args);
}
