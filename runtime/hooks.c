/* hooks.c: a training's callbacks, one after the other. */
#include "private.h"

#include <stdarg.h>
#include <stdlib.h>

void cnnc_hook_free(cnnc_hook *hook) {
    if (!hook)
        return;
    if (hook->free)
        hook->free(hook->context);
    free(hook->options);
    *hook = (cnnc_hook){0};
}

int cnnc_hook_options(cnnc_hook *hook, cnnc_error *error, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    hook->options = length < 0 ? NULL : malloc((size_t)length + 1);
    if (hook->options)
        vsnprintf(hook->options, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return hook->options ? CNNC_OK : cnnc_fail_system(error, "no memory for %s", hook->name);
}

/* A failure is graver than being stopped, and that than being finished. */
static int graver(int a, int b) {
    static const int order[] = {CNNC_FAILED, CNNC_STOPPED, CNNC_FINISHED};
    for (int i = 0; i < 3; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CNNC_OK;
}

int cnnc_hooks_call(const cnnc_hook *hooks, int count, cnnc_model *model, const cnnc_event *event) {
    int result = CNNC_OK;
    for (int i = 0; i < count; i++) {
        int answer = hooks[i].call(hooks[i].context, model, event);
        result = graver(result, answer == CNNC_OK || answer == CNNC_FAILED || answer == CNNC_FINISHED ? answer : CNNC_STOPPED);
        if (result == CNNC_FAILED)
            break;
    }
    return result;
}
