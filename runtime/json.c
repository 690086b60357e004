/* json.c: the few pieces of JSON that the header of a safetensors file is made of. No values in general, hence no
 * recursion: the format has three fixed levels. */
#include "private.h"

#include "json.h"

size_t cnnc_json_at(const cnnc_json *j) {
    return (size_t)(j->p - j->file);
}

int cnnc_json_fail(const cnnc_json *j, const char *what) {
    return cnnc_fail(j->error, "%s: at byte %zu: %s", j->name, cnnc_json_at(j), what);
}

void cnnc_json_space(cnnc_json *j) {
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
        j->p++;
}

int cnnc_json_accept(cnnc_json *j, char c) {
    cnnc_json_space(j);
    if (j->p == j->end || *j->p != (unsigned char)c)
        return 0;
    j->p++;
    return 1;
}

int cnnc_json_expect(cnnc_json *j, char c) {
    char what[] = "the header needs a '?' here";
    what[20] = c;
    return cnnc_json_accept(j, c) ? CNNC_OK : cnnc_json_fail(j, what);
}

/* Four hexadecimal digits. */
static int hex(cnnc_json *j, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = j->p < j->end ? *j->p : 0;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16)
            return cnnc_json_fail(j, "\\u needs four hexadecimal digits");
        *code = *code << 4 | digit;
        j->p++;
    }
    return CNNC_OK;
}

static void put_utf8(cnnc_json *j, uint32_t code) {
    if (code < 0x80) {
        *j->text++ = (char)code;
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    *j->text++ = (char)(first[more] | code >> 6 * more);
    while (more--)
        *j->text++ = (char)(0x80 | (code >> 6 * more & 0x3f));
}

static int unicode_escape(cnnc_json *j) {
    uint32_t code, low;
    if (hex(j, &code) != CNNC_OK)
        return CNNC_FAILED;
    if (code >= 0xd800 && code < 0xdc00) {
        if (j->end - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u')
            return cnnc_json_fail(j, "half a surrogate pair");
        j->p += 2;
        if (hex(j, &low) != CNNC_OK)
            return CNNC_FAILED;
        if (low < 0xdc00 || low >= 0xe000)
            return cnnc_json_fail(j, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return cnnc_json_fail(j, "half a surrogate pair");
    }
    if (!code)
        return cnnc_json_fail(j, "a zero character in a string");
    put_utf8(j, code);
    return CNNC_OK;
}

static int escape(cnnc_json *j) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned char c = j->p < j->end ? *j->p : 0;
    if (c == 'u') {
        j->p++;
        return unicode_escape(j);
    }
    for (int i = 0; from[i]; i++)
        if (c == (unsigned char)from[i]) {
            *j->text++ = to[i];
            j->p++;
            return CNNC_OK;
        }
    return cnnc_json_fail(j, "an escape that JSON does not have");
}

int cnnc_utf8_length(const unsigned char *p, const unsigned char *end) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (p == end || !*p)
        return 0;
    if (*p < 0x80)
        return 1;
    int more = *p >= 0xc2 && *p < 0xe0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : 0;
    if (!more || end - p <= more)
        return 0;
    uint32_t code = *p & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : more + 1;
}

int cnnc_json_string(cnnc_json *j, const char **string) {
    if (cnnc_json_expect(j, '"') != CNNC_OK)
        return CNNC_FAILED;
    *string = j->text;
    for (;;) {
        if (j->p == j->end)
            return cnnc_json_fail(j, "the header ends within a string");
        if (*j->p == '"')
            break;
        if (*j->p == '\\') {
            j->p++;
            if (escape(j) != CNNC_OK)
                return CNNC_FAILED;
            continue;
        }
        int length = cnnc_utf8_length(j->p, j->end);
        if (!length || *j->p < 0x20)
            return cnnc_json_fail(j, length ? "a control character in a string" : "a string that is not UTF-8");
        while (length--)
            *j->text++ = (char)*j->p++;
    }
    j->p++;
    *j->text++ = 0;
    return CNNC_OK;
}

int cnnc_json_size(cnnc_json *j, size_t *value) {
    cnnc_json_space(j);
    const unsigned char *start = j->p;
    *value = 0;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9') {
        size_t digit = (size_t)(*j->p - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return cnnc_json_fail(j, "a number that is too large");
        *value = *value * 10 + digit;
        j->p++;
    }
    if (j->p == start || (*start == '0' && j->p - start > 1))
        return cnnc_json_fail(j, "the header needs a whole number here");
    return CNNC_OK;
}

void cnnc_json_write_string(FILE *out, const char *string) {
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}
