/* test_pages.c: cnnc help, the manual and completion tell all that the tables have. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "commands/commands.h"

static Arena *arena;

static void expect_text(const char *page, const char *wanted, const char *what) {
    if (!strstr(page, wanted)) fail_msg("'%s' is missing on the page on %s:\n%s", wanted, what, page);
}

/* As troff wants it: the dashes of an option, and the values' quotes, are escaped. */
static const char *roff(const char *s) {
    StrBuf out = {0};
    for (; *s; s++) {
        if (*s == '-' || *s == '\\') strbuf_add(&out, "\\");
        if (*s == '\'') strbuf_add(&out, "\\(aq");
        else strbuf_add_n(&out, *s == '\\' ? "e" : s, 1);
    }
    const char *text = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    return text;
}

/* ---- operators --------------------------------------------------------------------------------------------------------- */

static void expect_attribute(const char *page, const AttrDef *a, const char *what) {
    const char *row = strstr(page, arena_printf(arena, "\n  %-28s %s (", a->name, a->doc));
    if (!row) fail_msg("'%s' is missing on the page on %s:\n%s", a->name, what, page);
    const char *end = strchr(row + 1, '\n');
    const char *line = arena_string(arena, row, (size_t)(end - row));
    expect_text(line, !a->fallback ? "required" : *a->fallback ? arena_printf(arena, "default %s", a->fallback) : "optional", what);
    if (a->words) expect_text(line, a->words, what);
}

/* Every word of every table has a page, on which each of its options has a line. */
static void words_have_pages(void **state) {
    (void)state;
    int attributes = 0;
    char *overview = cnnc_says("help", 0);
    const Callable *c;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) {
            char *page = cnnc_says(arena_printf(arena, "help %s", c->name), 0);
            expect_text(page, c->doc, c->name);
            expect_text(page, f->one, c->name);
            expect_text(overview, c->doc, "everything");
            for (int k = 0; k < c->attribute_count; k++, attributes++) expect_attribute(page, &c->attributes[k], c->name);
            free(page);
        }
    assert_true(attributes > 60);
    for (const CommandDef *d = commands; d->name; d++) expect_text(overview, d->usage, "everything");
    free(overview);
    char *alias = cnnc_says("help mse", 0), *near = cnnc_says("help conv2", 2);
    expect_text(alias, "mean_squared_error (mse): ", "mse");
    expect_text(near, "did you mean 'conv2d'?", "conv2");
    free(alias), free(near);
}

/* ---- commands ---------------------------------------------------------------------------------------------------------- */

typedef struct Pages { const char *name; char *help, *manual, *bash, *fish; int options; } Pages;

static void expect_options(void *context, const CommandLine *line) {
    Pages *p = context;
    for (int i = 0; i < line->option_count; i++, p->options++) {
        const Option *o = &line->options[i];
        const char *dashless = o->name + strspn(o->name, "-");
        expect_text(p->help, o->name, p->name);
        expect_text(p->help, o->doc, p->name);
        expect_text(p->manual, roff(o->name), p->name);
        expect_text(p->manual, roff(o->doc), p->name);
        expect_text(p->bash, o->name, p->name);
        if (*p->name) expect_text(p->fish, arena_printf(arena, "'__fish_seen_subcommand_from %s' -%c %s", p->name, o->name[1] == '-' ? 'l' : o->name[2] ? 'o' : 's', dashless), p->name);
    }
}

static void options_are_everywhere(void **state) {
    (void)state;
    Pages p = {.bash = cnnc_says("completion bash", 0), .fish = cnnc_says("completion fish", 0)};
    for (const CommandDef *d = commands; d->name; d++) {
        p.name = d->name;
        p.help = cnnc_says(*d->name ? arena_printf(arena, "help %s", d->name) : "x.net --help", 0);
        p.manual = cnnc_says(arena_printf(arena, "man %s", d->name), 0);
        visit_options(d, expect_options, &p);
        free(p.help), free(p.manual);
    }
    assert_true(p.options > 60);
    free(p.bash), free(p.fish);
    free(cnnc_says("man nothing", 2)), free(cnnc_says("completion csh", 2)), free(cnnc_says("help one two", 2));
}

static int begin(void **state) { return arena = arena_new(), make_folder(state); }
static int end(void **state) { return arena_free(arena), remove_folder(state); }

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_have_pages), cmocka_unit_test(options_are_everywhere)};
    return cmocka_run_group_tests(tests, begin, end);
}
