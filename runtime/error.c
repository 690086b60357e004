/* error.c: messages of failures. */
#include "json.h"
#include "private.h"

#include <stdarg.h>
#include <string.h>

/* Bytes of a character that is not for showing: controls, and those that turn the direction of text. Zero: it is. */
static size_t control_length(const unsigned char *c) {
    if (c[0] < 0x20 || c[0] == 0x7f)
        return 1;
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
        return 2;
    int turns = c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
    return turns ? 3 : 0;
}

CNNC_PRINTF(3, 0)
static void fill(cnnc_error *error, int system, const char *format, va_list arguments) {
    if (!error)
        return;
    error->system = system;
    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = 0;
    unsigned char *c = (unsigned char *)error->text, *end = c + strlen(error->text);
    while (c < end) { /* names come from files: nothing in them may reach a terminal raw */
        size_t length = (size_t)cnnc_utf8_length(c, end), hidden = length ? control_length(c) : 1;
        memset(c, '?', hidden);
        c += hidden ? hidden : length;
    }
}

void cnnc_explain(cnnc_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, 0, format, arguments);
    va_end(arguments);
}

void cnnc_explain_system(cnnc_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, 1, format, arguments);
    va_end(arguments);
}
