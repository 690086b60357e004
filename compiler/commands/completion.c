/* completion.c: cnnc completion SHELL, what makes the shell complete cnnc's command line; from the tables of options. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* Names and words are letters, digits, '-' and '_' and need no quotes; what people read stands in single ones. */
static const char *escape_nothing(Arena *arena, const char *s) { return arena_string(arena, s, strlen(s)); }

static const char *escape_fish(Arena *arena, const char *s) { return escape_with(arena, s, "'\\", "\\%c"); }

/* Also what _arguments and _describe would read: [doc], name:doc. */
static const char *escape_zsh(Arena *arena, const char *s) {
    StrBuf out = {0};
    for (const char *e = escape_with(arena, s, "[]:\\", "\\%c"); *e; e++)
        if (*e == '\'') strbuf_add(&out, "'\\''");
        else strbuf_add_n(&out, e, 1);
    const char *text = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    return text;
}

static const struct { const char *shell, *template; Escape *escape; } shells[] = {
    {"bash", "completion_bash", escape_nothing},
    {"zsh", "completion_zsh", escape_zsh},
    {"fish", "completion_fish", escape_fish},
};

int command_completion(int argc, char **argv) {
    const char *shell = NULL, *out = NULL;
    static const char *const names[] = {"the shell (bash, zsh or fish)"};
    const Option options[] = {{"-o", &out, NULL, NULL, 0, 0, "FILE", "where to write, instead of standard output"}};
    const CommandLine line = {"completion", options, LENGTH(options), names, &shell, 1};
    if (!parse_options(argc, argv, &line)) return EXIT_USAGE;
    for (int i = 0; i < LENGTH(shells); i++) {
        if (strcmp(shells[i].shell, shell)) continue;
        Arena *arena = arena_new();
        Bindings *b = bindings_new(arena, NULL), *first = command_record(arena, commands, shells[i].escape);
        int n;
        Bindings **records = command_records(arena, shells[i].escape, &n);
        bind_records(b, "commands", records, n);
        bind_records(b, "first", &first, 1);
        bind_string(b, "command_words", command_words(arena));
        bind_optional(b, "command_words");
        int status = write_page(arena, out, expand_page(arena, shells[i].template, b));
        arena_free(arena);
        return status;
    }
    say_error("there is no completion for '%s'\nhint: there is for bash, zsh and fish", shell);
    return EXIT_USAGE;
}
