/* canonical.c: what decides what training computes, as lines of text: layers, optimizer and loss with all their options; the
 * algorithms of a program's ops. For people and comparison; nothing reads it back. */
#include "cnnc.h"

#include <stdlib.h>
#include <string.h>

static void write_call(Arena *, StrBuf *, const Callable *, const Attr *, const char *separator);
static bool has_options(const Callable *, const Attr *);

static void write_value(Arena *arena, StrBuf *out, const AttrDef *def, const Attr *a) {
    if (!a->present) strbuf_add(out, "none");
    else if (def->kind == ATTR_INT) strbuf_printf(out, "%d", attr_int(a));
    else if (def->kind == ATTR_REAL && !a->callable) strbuf_add(out, arena_real(arena, a->real));
    else if (def->kind == ATTR_REALS)
        for (int i = 0; i < a->real_count; i++) strbuf_printf(out, "%s%s%s", i ? "," : "(", arena_real(arena, a->reals[i]), i + 1 < a->real_count ? "" : ")");
    else if (def->kind == ATTR_BOOL) strbuf_add(out, a->real != 0 ? "true" : "false");
    else if (def->kind == ATTR_WORD) strbuf_add(out, a->word);
    else if (def->kind == ATTR_SIZE || def->kind == ATTR_PAIRS)
        for (int i = 0; i < a->rank; i++) strbuf_printf(out, "%s%d", i ? "x" : "", a->size[i]);
    else
        for (const Attr *one = a; one && one->present; one = one->next) {
            bool options = has_options(one->callable, one->attributes);
            strbuf_printf(out, "%s%s%s", one == a ? "" : ",", one->callable->name, options ? "(" : "");
            write_call(arena, out, one->callable, one->attributes, ",");
            strbuf_add(out, options ? ")" : "");
        }
}

/* Of an activation only options that are not as usual are told: "relu" is enough. */
static bool is_untold(const Callable *c, const AttrDef *def, const Attr *a) {
    const OpDef *op = find_op(c->name, OP_LAYER);
    if (!op || !op->activation || !def->fallback) return false;
    if (!*def->fallback) return !a->present;
    return a->real == (def->kind == ATTR_BOOL ? !strcmp(def->fallback, "true") : strtod(def->fallback, NULL));
}

static bool has_options(const Callable *c, const Attr *attributes) {
    int told = 0;
    for (int i = 0; i < c->attribute_count; i++) told += !is_untold(c, &c->attributes[i], &attributes[i]);
    return told > 0;
}

/* Without spaces but for the separator, so that words can be compared. */
static void write_call(Arena *arena, StrBuf *out, const Callable *c, const Attr *attributes, const char *separator) {
    const char *before = "";
    for (int i = 0; i < c->attribute_count; i++) {
        if (is_untold(c, &c->attributes[i], &attributes[i])) continue;
        strbuf_printf(out, "%s%s=", before, c->attributes[i].name);
        write_value(arena, out, &c->attributes[i], &attributes[i]);
        before = separator;
    }
}

static const char *take_text(Arena *arena, StrBuf *s) {
    const char *text = arena_string(arena, s->text, s->length);
    strbuf_free(s);
    return text;
}

static const char *call_line(Arena *arena, const char *head, const Callable *c, const Attr *attributes) {
    StrBuf out = {0};
    strbuf_printf(&out, "%s: %s%s", head, c->name, has_options(c, attributes) ? " " : "");
    write_call(arena, &out, c, attributes, " ");
    return take_text(arena, &out);
}

static const char *layer_line(const Graph *g, const Layer *l) {
    const char *line = call_line(g->arena, l->name, &l->def->call, l->attributes);
    for (int i = 0; i < l->input_count; i++) line = arena_printf(g->arena, "%s%s%s", line, i ? "," : " from=", l->inputs[i]->layer->name);
    return line;
}

static const char *class_weight_line(const Graph *g) {
    const char *line = "class_weight:";
    for (int i = 0; i < g->class_weight->real_count; i++) line = arena_printf(g->arena, "%s %s", line, arena_real(g->arena, g->class_weight->reals[i]));
    return line;
}

static const char *weights_line(const Graph *g) {
    const char *line = "loss_weights:";
    for (int i = 1; i <= g->output_count; i++) line = arena_printf(g->arena, "%s %s", line, arena_real(g->arena, factor_of(g->totals[i])));
    return line;
}

int canonical_lines(const Graph *g, const char ***lines) {
    int n = 0;
    const char **list = NULL;
    for (int i = 0; i < g->layer_count; i++) *PUSH(g->arena, list, n) = layer_line(g, g->layers[i]);
    if (g->loss) {
        const char *metrics = "metrics:";
        for (int i = 0; i + 1 < g->total_count; i++) metrics = arena_printf(g->arena, "%s %s", metrics, g->metrics[i]);
        *PUSH(g->arena, list, n) = call_line(g->arena, "optimizer", &g->optimizer->call, g->optimizer_attributes);
        for (const Attr *a = g->losses; a; a = a->next) *PUSH(g->arena, list, n) = call_line(g->arena, "loss", a->callable, a->attributes);
        if (g->output_count > 1) *PUSH(g->arena, list, n) = weights_line(g);
        if (g->class_weight) *PUSH(g->arena, list, n) = class_weight_line(g);
        if (g->sample_weight) *PUSH(g->arena, list, n) = "sample_weight: true";
        *PUSH(g->arena, list, n) = metrics;
    }
    *lines = list;
    return n;
}

/* Whether the options do not matter here: there is one way to compute it. */
static bool no_choice(const Program *p, const Op *op) {
    int n = 0;
    for (int i = 0; all_algorithms[i]; i++) n += all_algorithms[i]->covers(p, op);
    return n < 2;
}

int code_lines(const Program *p, const char ***lines) {
    int n = 0;
    *lines = NULL;
    for (int i = 0; i < p->op_count; i++)
        if (!no_choice(p, p->ops[i]))
            *PUSH(p->arena, *lines, n) = arena_printf(p->arena, "%s %s: %s", p->target->name, p->ops[i]->outputs[0]->name, p->choices[i].algorithm->name);
    return n;
}
