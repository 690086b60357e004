/* tables.c: commands and their options as records for templates: the manual and completion are made from what parses. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* ---- what completes what --------------------------------------------------------------------------------------------- */

static const char *color_words(Arena *arena) { return (void)arena, "auto always never"; }

static const char *target_words(Arena *arena) {
    const char *text = "auto";
    for (const Target *t = targets; t->name; t++) text = arena_printf(arena, "%s %s", text, t->name);
    return text;
}

static const char *algorithm_words(Arena *arena) {
    const char *text = "";
    for (int i = 0; all_algorithms[i]; i++) text = arena_printf(arena, "%s%s%s", text, i ? " " : "", all_algorithms[i]->name);
    return text;
}

/* Every character of `drop` becomes a space, those that follow each other one. */
static const char *split_at(Arena *arena, const char *s, const char *drop) {
    char *text = arena_string(arena, s, strlen(s));
    size_t n = 0;
    for (; *s; s++)
        if (!strchr(drop, *s)) text[n++] = *s;
        else if (n && text[n - 1] != ' ') text[n++] = ' ';
    text[n] = 0;
    return text;
}

static const char *stage_words(Arena *arena) { return split_at(arena, stage_names(arena), ", "); }

static const char *value_words(Arena *arena, const Option *o) {
    static const struct { const char *option; const char *(*words)(Arena *); } rows[] = {
        {"--color", color_words}, {"--target", target_words}, {"--algorithm", algorithm_words}, {"--emit", stage_words},
    };
    if (strchr(o->value, '|')) return split_at(arena, o->value, "|");
    for (int i = 0; i < LENGTH(rows); i++)
        if (!strcmp(rows[i].option, o->name)) return rows[i].words(arena);
    return "";
}

/* How a value is completed: "words", "text" (not at all), "folder" or "file". "flag": there is none. */
static const char *value_kind(const Option *o, const char *words) {
    static const char *const texts[] = {"N", "E", "TARGET", "LIST", "NAME", "PART", "SETTINGS"};
    if (o->flag) return "flag";
    if (*words) return "words";
    if (o->number) return "text";
    for (int i = 0; i < LENGTH(texts); i++)
        if (!strcmp(texts[i], o->value)) return "text";
    return strstr(o->value, "FOLDER") ? "folder" : "file";
}

/* All words of which there is a page. */
static const char *help_words(Arena *arena) {
    StrBuf text = {0};
    const Callable *c;
    for (const CommandDef *d = commands + 1; d->name; d++) strbuf_printf(&text, "%s%s", text.length ? " " : "", d->name);
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) strbuf_printf(&text, " %s", c->name);
    const char *copy = arena_string(arena, text.text, text.length);
    strbuf_free(&text);
    return copy;
}

const char *command_words(Arena *arena) {
    const char *text = "";
    for (const CommandDef *d = commands + 1; d->name; d++) text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", d->name);
    return text;
}

/* The words that a command's arguments can be; "" where they are files or something new. */
static const char *argument_words(Arena *arena, const CommandDef *d) {
    if (strstr(d->usage, "[COMMAND|WORD]")) return help_words(arena);
    if (strstr(d->usage, "[COMMAND]")) return command_words(arena);
    const char *alternatives = strchr(d->usage, '|');
    return alternatives ? split_at(arena, strrchr(d->usage, ' ') + 1, "|") : "";
}

/* ---- records --------------------------------------------------------------------------------------------------------- */

typedef struct Recorder { Arena *arena; Escape *escape; Bindings *record; } Recorder;

static Bindings *option_record(const Recorder *r, const Option *o) {
    Bindings *b = bindings_new(r->arena, NULL);
    const char *value = o->value ? o->value : "", *words = o->value ? value_words(r->arena, o) : "";
    bind_string(b, "name", r->escape(r->arena, o->name));
    bind_string(b, "dashless", r->escape(r->arena, o->name + strspn(o->name, "-")));
    bind_int(b, "dashes", (int)strspn(o->name, "-"));
    bind_int(b, "length", (int)strlen(o->name));
    bind_string(b, "value", r->escape(r->arena, value));
    bind_string(b, "doc", r->escape(r->arena, o->doc));
    bind_string(b, "words", words);
    bind_string(b, "kind", value_kind(o, words));
    return b;
}

/* "--data= --resume -o": what a shell offers behind a dash. */
static const char *option_words(Arena *arena, const CommandLine *line) {
    const char *text = "";
    for (int i = 0; i < line->option_count; i++) {
        const Option *o = &line->options[i];
        text = arena_printf(arena, "%s%s%s%s", text, i ? " " : "", o->name, !o->flag && o->name[1] == '-' ? "=" : "");
    }
    return text;
}

static void record_options(void *context, const CommandLine *line) {
    const Recorder *r = context;
    bind_string(r->record, "option_words", option_words(r->arena, line));
    Bindings **options = NEW_ARRAY(r->arena, Bindings *, line->option_count + 1);
    for (int i = 0; i < line->option_count; i++) options[i] = option_record(r, &line->options[i]);
    bind_records(r->record, "options", options, line->option_count);
}

Bindings *command_record(Arena *arena, const CommandDef *d, Escape *escape) {
    Recorder r = {arena, escape, bindings_new(arena, NULL)};
    bind_string(r.record, "name", d->name);
    bind_string(r.record, "usage", escape(arena, d->usage));
    bind_string(r.record, "doc", escape(arena, d->doc));
    bind_string(r.record, "words", argument_words(arena, d));
    bind_int(r.record, "nets", strstr(d->usage, "NET") != NULL);
    visit_options(d, record_options, &r);
    return r.record;
}

/* All but the first, which has no name. */
Bindings **command_records(Arena *arena, Escape *escape, int *n) {
    Bindings **records = NULL;
    *n = 0;
    for (const CommandDef *d = commands + 1; d->name; d++) *PUSH(arena, records, *n) = command_record(arena, d, escape);
    return records;
}

/* ---- expansion ------------------------------------------------------------------------------------------------------- */

const char *escape_with(Arena *arena, const char *s, const char *special, const char *format) {
    StrBuf out = {0};
    for (; *s; s++)
        if (strchr(special, *s)) strbuf_printf(&out, format, *s);
        else strbuf_add_n(&out, s, 1);
    const char *text = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    return text;
}

char *expand_page(Arena *arena, const char *template, const Bindings *b) {
    StrBuf out = {0}, message = {0};
    if (!template_expand(templates_new(arena, NULL), template, b, &out, &message)) bug("%s", message.text);
    char *text = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    strbuf_free(&message);
    return text;
}

int write_page(Arena *arena, const char *path, const char *text) {
    const char *failure = NULL;
    if (path) failure = write_file(arena, path, text, strlen(text));
    else if (fputs(text, stdout) < 0 || fflush(stdout)) failure = "cannot write to standard output";
    if (!failure) return EXIT_FINE;
    say_error("%s", failure);
    return EXIT_FILE;
}
