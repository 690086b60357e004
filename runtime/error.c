/* error.c: messages of failures. */
#include "private.h"

#include <stdarg.h>

void cnnc_explain(cnnc_error *error, const char *format, ...) {
    if (!error)
        return;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = 0;
    va_end(arguments);
    for (char *c = error->text; *c; c++) /* names come from files: nothing in them may reach a terminal raw */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}
