/* man.c: cnnc man [COMMAND], the manual's pages; from the tables of options and operators. */
#include "commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text that troff sets as it is: hyphens are those of the command line, no line begins with a request. */
static const char *escape_roff(Arena *arena, const char *s) {
    StrBuf out = {0};
    for (const char *c = s; *c; c++)
        if (*c == '\\') strbuf_add(&out, "\\e");
        else if (*c == '-') strbuf_add(&out, "\\-");
        else if (*c == '\'') strbuf_add(&out, "\\(aq");
        else if (*c == '^') strbuf_add(&out, "\\(ha");
        else if (*c == '~') strbuf_add(&out, "\\(ti");
        else if (*c == '`') strbuf_add(&out, "\\(ga");
        else if (*c == '.' && c == s) strbuf_add(&out, "\\&.");
        else strbuf_add_n(&out, c, 1);
    const char *text = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    return text;
}

/* "cnnc train NET.net --data DIR": what is typed bold, what stands for something italic. */
static const char *synopsis(Arena *arena, const char *usage) {
    StrBuf out = {0};
    char *words = arena_string(arena, usage, strlen(usage));
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        bool typed = word[0] == '-' || islower((unsigned char)word[0]);
        strbuf_printf(&out, "%s\\f%c%s\\fR", out.length ? " " : "", typed ? 'B' : 'I', escape_roff(arena, word));
    }
    const char *text = arena_string(arena, out.text, out.length);
    strbuf_free(&out);
    return text;
}

static const char *capitals(Arena *arena, const char *s) {
    char *text = arena_string(arena, s, strlen(s));
    for (char *c = text; *c; c++) *c = (char)toupper((unsigned char)*c);
    return text;
}

static Bindings *page_record(Arena *arena, const CommandDef *d) {
    Bindings *b = command_record(arena, d, escape_roff);
    bind_string(b, "synopsis", synopsis(arena, d->usage));
    bind_string(b, "title", capitals(arena, d->name));
    return b;
}

static Bindings *family_record(Arena *arena, const FamilyDef *f) {
    Bindings *b = bindings_new(arena, NULL), **members = NULL;
    const Callable *c;
    int n = 0;
    for (int i = 0; (c = f->family(i)); i++) {
        Bindings *m = *PUSH(arena, members, n) = bindings_new(arena, NULL);
        bind_string(m, "name", escape_roff(arena, c->name));
        bind_string(m, "doc", escape_roff(arena, c->doc));
    }
    bind_string(b, "title", capitals(arena, f->title));
    bind_records(b, "members", members, n);
    return b;
}

/* The page on one command; of the first, which has no name, the one on cnnc. */
static char *page(Arena *arena, const CommandDef *d) {
    Bindings *b = bindings_new(arena, NULL), *own = page_record(arena, d), **others = NULL, **kinds = NULL;
    int n = 0, kind_count = 0;
    for (const CommandDef *c = commands + 1; c->name; c++) *PUSH(arena, others, n) = page_record(arena, c);
    for (const FamilyDef *f = families; f->title; f++) *PUSH(arena, kinds, kind_count) = family_record(arena, f);
    bind_string(b, "version", escape_roff(arena, CNNC_VERSION));
    bind_records(b, "page", &own, 1);
    if (!*d->name) {
        bind_records(b, "commands", others, n);
        bind_records(b, "families", kinds, kind_count);
    }
    return expand_page(arena, *d->name ? "man.command" : "man", b);
}

static int write_all(Arena *arena, const char *folder) {
    int status = EXIT_FINE;
    for (const CommandDef *d = commands; d->name && status == EXIT_FINE; d++)
        status = write_page(arena, arena_printf(arena, "%s/cnnc%s%s.1", folder, *d->name ? "-" : "", d->name), page(arena, d));
    return status;
}

int command_man(int argc, char **argv) {
    const char *word = NULL, *folder = NULL;
    static const char *const names[] = {"the command"};
    const Option options[] = {{"--all", &folder, NULL, NULL, 0, 0, "FOLDER", "write all pages there: cnnc.1, cnnc-train.1 ..."}};
    const CommandLine line = {"man", options, LENGTH(options), names, &word, 1};
    if (!parse_some_options(argc, argv, &line, 0)) return EXIT_USAGE;
    const CommandDef *d = commands;
    if (word)
        for (d = commands + 1; d->name && strcmp(d->name, word);) d++;
    if (!d->name) {
        say_error("there is no command '%s'\nhint: 'cnnc help' lists the commands", word);
        return EXIT_USAGE;
    }
    Arena *arena = arena_new();
    int status = folder ? write_all(arena, folder) : write_page(arena, NULL, page(arena, d));
    arena_free(arena);
    return status;
}
