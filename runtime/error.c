/* error.c: messages of failures. */
#include "private.h"

#include <stdarg.h>

CNNC_PRINTF(3, 0)
static int fill(cnnc_error *error, int system, const char *format, va_list arguments) {
    if (!error)
        return CNNC_FAILED;
    error->system = system;
    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = 0;
    for (char *c = error->text; *c; c++) /* names come from files: nothing in them may reach a terminal raw */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return CNNC_FAILED;
}

int cnnc_fail(cnnc_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int result = fill(error, 0, format, arguments);
    va_end(arguments);
    return result;
}

int cnnc_fail_system(cnnc_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int result = fill(error, 1, format, arguments);
    va_end(arguments);
    return result;
}
