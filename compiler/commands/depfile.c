/* depfile.c: what the generated files come from, as a rule for Make and Ninja (-MD, -MF, -MT). */
#include "commands.h"

#include <string.h>

/* As Make reads it: spaces and # after a backslash, $ twice. */
static const char *escaped(Arena *arena, const char *path) {
    const char *text = "";
    for (; *path; path++) {
        const char *before = *path == ' ' || *path == '#' || *path == '\t' ? "\\" : *path == '$' ? "$" : "";
        text = arena_printf(arena, "%s%s%c", text, before, *path);
    }
    return text;
}

const char *depfile_text(Compilation *c, const char *made, const char *net, const char *tuning) {
    int n;
    const char **templates = templates_read(c->templates, c->arena, &n), *text = arena_printf(c->arena, "%s:", made);
    const char *const sources[] = {net, tuning};
    for (int i = 0; i < LENGTH(sources); i++)
        if (sources[i] && strcmp(sources[i], "-")) text = arena_printf(c->arena, "%s %s", text, escaped(c->arena, sources[i]));
    for (int i = 0; i < n; i++) text = arena_printf(c->arena, "%s %s", text, escaped(c->arena, templates[i]));
    return arena_printf(c->arena, "%s\n", text);
}

const char *depfile_targets(Arena *arena, const char *out, const char *header) {
    return arena_printf(arena, "%s %s", escaped(arena, out), escaped(arena, header));
}
