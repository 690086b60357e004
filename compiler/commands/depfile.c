/* depfile.c: what the generated files come from, as a rule for Make and Ninja (-MD, -MF, -MT). */
#include "commands.h"

#include <string.h>

/* As Make and Ninja read it: spaces and # after a backslash, with twice the backslashes before that; $ twice. */
static const char *escaped(Arena *arena, const char *path) {
    StrBuf out = {0};
    size_t slashes = 0;
    strbuf_add(&out, "");
    for (; *path; path++) {
        bool special = *path == ' ' || *path == '#' || *path == '\t';
        for (size_t i = 0; special && i < slashes + 1; i++) strbuf_add(&out, "\\");
        if (*path == '$') strbuf_add(&out, "$");
        strbuf_add_n(&out, path, 1);
        slashes = *path == '\\' ? slashes + 1 : 0;
    }
    const char *text = arena_string(arena, out.text, out.length);
    strbuf_free(&out);
    return text;
}

/* What follows a ; would be a command, what follows a | need not be newer, a : makes a target of what is before it, a % a
 * pattern, and a backslash at the end takes the blank that separates names. */
static bool fits_a_rule(const char *path) {
    size_t length = strlen(path);
    return length && path[length - 1] != '\\' && !strpbrk(path, ":%;|\n\r");
}

const char *depfile_text(Compilation *c, const char *made, const char *net, const char *tuning, const char **text) {
    int n;
    const char **templates = templates_read(c->templates, c->arena, &n), *const named[] = {net, tuning, c->options.weights_path};
    *text = arena_printf(c->arena, "%s:", made);
    for (int i = 0; i < LENGTH(named) + n; i++) {
        const char *path = i < LENGTH(named) ? named[i] : templates[i - LENGTH(named)];
        if (!path || !strcmp(path, "-")) continue;
        if (!fits_a_rule(path)) return arena_printf(c->arena, "the name '%s' cannot stand in a rule for Make", path);
        *text = arena_printf(c->arena, "%s %s", *text, escaped(c->arena, path));
    }
    *text = arena_printf(c->arena, "%s\n", *text);
    return NULL;
}

const char *depfile_targets(Arena *arena, const char *out, const char *header) {
    return fits_a_rule(out) && fits_a_rule(header) ? arena_printf(arena, "%s %s", escaped(arena, out), escaped(arena, header)) : NULL;
}
