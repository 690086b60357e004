/* error.c: messages of failures. */
#include "private.h"

#include <stdarg.h>

CNNC_PRINTF(3, 0)
static void fill(cnnc_error *error, int system, const char *format, va_list arguments) {
    if (!error)
        return;
    error->system = system;
    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = 0;
    for (char *c = error->text; *c; c++) /* names come from files: nothing in them may reach a terminal raw */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
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
