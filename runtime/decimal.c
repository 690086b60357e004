/* decimal.c: decimal numbers of text files, read and written, the same in every locale. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* This thread's numbers have a point from enter to leave. */
typedef struct plain_locale {
    locale_t plain, before;
} plain_locale;

static int enter_plain(plain_locale *l) {
    l->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant of the C library: takes no memory */
    if (l->plain)
        l->before = uselocale(l->plain);
    return l->plain != (locale_t)0;
}

static void leave_plain(const plain_locale *l) {
    uselocale(l->before);
    freelocale(l->plain);
}

static size_t digits(const char *text, size_t length, size_t from) {
    size_t i = from;
    while (i < length && text[i] >= '0' && text[i] <= '9')
        i++;
    return i - from;
}

/* Whether it is [+-] digits [. digits] [e [+-] digits], and where the exponent begins. */
static int is_decimal(const char *text, size_t length, size_t *mantissa) {
    size_t i = length > 0 && (text[0] == '+' || text[0] == '-');
    size_t whole = digits(text, length, i), fraction = 0;
    i += whole;
    if (i < length && text[i] == '.') {
        fraction = digits(text, length, ++i);
        i += fraction;
    }
    *mantissa = i;
    if (!whole && !fraction)
        return 0;
    if (i < length && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        i += i < length && (text[i] == '+' || text[i] == '-');
        size_t exponent = digits(text, length, i);
        if (!exponent)
            return 0;
        i += exponent;
    }
    return i == length;
}

/* Few digits and no exponent: an integer by a power of ten, both exact, whose quotient is rounded once. */
static int convert_short(const char *text, size_t length, double *value) {
    double mantissa = 0, power = 1;
    int point = 0;
    if (length > 15)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.')
            point = 1;
        else if (text[i] != '-' && text[i] != '+') {
            mantissa = mantissa * 10 + (text[i] - '0');
            power *= point ? 10 : 1;
        }
    }
    *value = text[0] == '-' ? -(mantissa / power) : mantissa / power;
    return 1;
}

cnnc_decimal_result cnnc_decimal(const char *text, size_t length, double *value) {
    size_t mantissa;
    char copy[CNNC_NUMBER];
    if (!is_decimal(text, length, &mantissa))
        return CNNC_DECIMAL_NONE;
    if (mantissa == length && convert_short(text, length, value))
        return CNNC_DECIMAL_FINE;
    if (length >= sizeof copy)
        return CNNC_DECIMAL_BEYOND;
    memcpy(copy, text, length);
    copy[length] = 0;
    plain_locale locale;
    if (!enter_plain(&locale))
        return CNNC_DECIMAL_BEYOND;
    *value = strtod(copy, NULL);
    leave_plain(&locale);
    return isfinite(*value) ? CNNC_DECIMAL_FINE : CNNC_DECIMAL_BEYOND;
}

static void shortest(char text[CNNC_NUMBER], double value) {
    int digits = 1;
    do
        snprintf(text, CNNC_NUMBER, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && digits++ < 17);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 16)
        snprintf(text, CNNC_NUMBER, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 1, value);
}

const char *cnnc_number_text(char text[CNNC_NUMBER], double value) {
    plain_locale locale;
    int entered = enter_plain(&locale);
    if (isfinite(value))
        shortest(text, value);
    else
        snprintf(text, CNNC_NUMBER, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    if (entered)
        leave_plain(&locale);
    return text;
}
