/* reference.c: docs/reference.md: what `cnnc help WORD` tells of all words, and for layers what they compute, in Markdown. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* A cell of a table: '|' ends one. */
static const char *cell(Arena *arena, const char *text) {
    StrBuf out = {0};
    for (; *text; text++) strbuf_printf(&out, *text == '|' ? "\\|" : "%c", *text);
    const char *copy = arena_string(arena, out.text ? out.text : "", out.length);
    strbuf_free(&out);
    return copy;
}

static const char *presence(Arena *arena, const AttrDef *a) {
    if (!a->fallback) return "required";
    return *a->fallback ? arena_printf(arena, "`%s`", a->fallback) : "";
}

static void print_options(Arena *arena, const Callable *c) {
    int position = 0;
    if (!c->attribute_count) return;
    printf("\n| option | position | value | default | |\n|---|---|---|---|---|\n");
    for (int i = 0; i < c->attribute_count; i++) {
        const AttrDef *a = &c->attributes[i];
        const char *place = a->positional ? arena_printf(arena, "%d", ++position) : "";
        printf("| `%s` | %s | %s | %s | %s |\n", a->name, place, cell(arena, attribute_kind(arena, a)), presence(arena, a), cell(arena, a->doc));
    }
}

static void print_inputs(const OpDef *op) {
    if (op->max_inputs > 1) printf("\nInputs: %s%d%s, named by `from`.\n", op->min_inputs < op->max_inputs ? "from " : "", op->min_inputs, op->min_inputs < op->max_inputs ? " on" : "");
}

static void print_section(Arena *arena, const FamilyDef *f, const Callable *c) {
    const OpDef *op = f->family == layer_family ? find_op(c->name, OP_LAYER) : f->family == optimizer_family ? find_op(c->name, OP_OPTIMIZER) : NULL;
    printf("\n### %s\n\n", c->name);
    printf("%s", cell(arena, c->doc));
    if (c->alias) printf("; also `%s`", c->alias);
    if (op && op->keras) printf("; Keras's `%s`", op->keras);
    printf(".\n");
    if (op && op->equation) printf("\n```\n%s\n```\n", op->equation);
    if (op) print_inputs(op);
    print_options(arena, c);
    if (op && op->as_activation) {
        printf("\nAs a value of `activation=`:\n");
        print_options(arena, op->as_activation);
    }
}

/* A loss is a metric, too. */
static bool told_before(const FamilyDef *family, const Callable *wanted) {
    const Callable *c;
    for (const FamilyDef *f = families; f != family; f++)
        for (int i = 0; (c = f->family(i)); i++)
            if (c == wanted) return true;
    return false;
}

void print_reference(void) {
    Arena *arena = arena_new();
    const Callable *c;
    printf("# All words\n\nWritten by `cnnc help --markdown` from the tables by which cnnc reads descriptions; [language.md](language.md) tells how to write one.\n");
    for (const FamilyDef *f = families; f->title; f++) {
        printf("\n%s: ", f->title);
        for (int i = 0; (c = f->family(i)); i++) printf("%s[`%s`](#%s)", i ? " " : "", c->name, c->name);
        printf("\n");
    }
    for (const FamilyDef *f = families; f->title; f++) {
        printf("\n## %s\n", f->title);
        for (int i = 0; (c = f->family(i)); i++)
            if (!told_before(f, c)) print_section(arena, f, c);
    }
    arena_free(arena);
}
