/* words.c: of the words of a target (simd.h.tmpl) those that its kernels use: what nobody calls is not worth reading.
 *
 * The text is cut into definitions: each begins at a line that is neither indented nor a brace; #if to #endif is one. A word may use
 * those before it only. */
#include "emit.h"

#include <ctype.h>
#include <string.h>

typedef struct Definition { const char *text; size_t length; bool used; } Definition;

static const char *line_end(const char *s) { return s + strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n'); }
static bool goes_on(const char *s) { return *s == ' ' || *s == '\t' || *s == '{' || *s == '}'; }

/* Behind the definition that begins at s. */
static const char *definition_end(const char *s) {
    int conditions = 0, braces = 0;
    do {
        const char *end = line_end(s);
        if (!strncmp(s, "#if", 3)) conditions++;
        if (!strncmp(s, "#endif", 6)) conditions--;
        for (; s < end; s++) braces += (*s == '{') - (*s == '}');
    } while (*s && (conditions || braces || goes_on(s)));
    return s;
}

/* Whether the name stands in the text as a whole word. */
static bool mentions(const char *text, size_t size, const char *name, size_t length) {
    for (const char *at = text; (at = memchr(at, *name, (size_t)(text + size - at))) && (size_t)(text + size - at) >= length; at++) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'), ends = at + length == text + size || !(isalnum((unsigned char)at[length]) || at[length] == '_');
        if (begins && ends && !memcmp(at, name, length)) return true;
    }
    return false;
}

/* Whether one of the words that d makes, which begin with the vector type's name and are followed by parameters, is in the text. */
static bool is_used(const Definition *d, const char *vector, const char *text, size_t size) {
    size_t prefix = strlen(vector);
    bool makes = false;
    for (const char *line = d->text, *end = d->text + d->length; line < end; line = line_end(line)) {
        if (goes_on(line) || *line == '\n') continue;
        for (const char *at = line; (at = strstr(at, vector)) && at < line_end(line); at += prefix) {
            size_t length = prefix;
            while (isalnum((unsigned char)at[length]) || at[length] == '_') length++;
            if (at[length] != '(' || length == prefix) continue;
            makes = true;
            if (mentions(text, size, at, length)) return true;
            break; /* what else is on the line it calls */
        }
    }
    return !makes; /* a type, say */
}

char *used_words(Arena *arena, const char *words, const char *vector, const char *kernels) {
    Definition *all = NULL;
    StrBuf later = {0}, kept = {0};
    int n = 0;
    for (const char *s = words; *s; s = definition_end(s)) *PUSH(arena, all, n) = (Definition){s, (size_t)(definition_end(s) - s), false};
    strbuf_add(&later, kernels);
    for (int i = n - 1; i >= 0; i--) {
        all[i].used = is_used(&all[i], vector, later.text, later.length);
        if (all[i].used) strbuf_add_n(&later, all[i].text, all[i].length);
    }
    strbuf_add(&kept, "");
    for (int i = 0; i < n; i++)
        if (all[i].used) strbuf_add_n(&kept, all[i].text, all[i].length);
    char *text = arena_string(arena, kept.text, kept.length);
    strbuf_free(&later);
    strbuf_free(&kept);
    return text;
}
