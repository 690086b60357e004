/* template_bind.c: the names that a template sees from outside, and the values they are bound to.
 *
 * Everything bound is copied. Whether a name was used is the expansion's to note (template.c), so that bindings can
 * serve many expansions.
 */
#include "template.h"

#include <string.h>

/* ---- Names and values ---- */

TmplSymbol tmpl_symbol(const char *text) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *s = text; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619u;
    return (TmplSymbol){text, hash};
}

bool tmpl_same(TmplSymbol a, TmplSymbol b) { return a.hash == b.hash && strcmp(a.text, b.text) == 0; }

/* The slot where the name is, or belongs. There is always an empty one. */
static int *find_slot(const TmplTable *t, TmplSymbol name) {
    uint32_t mask = (uint32_t)t->slot_count - 1, i = name.hash & mask;
    while (t->slots[i] != 0 && !tmpl_same(t->symbols[t->slots[i] - 1], name))
        i = (i + 1) & mask;
    return &t->slots[i];
}

int tmpl_table_find(const TmplTable *t, TmplSymbol name) { return t->count > 0 ? *find_slot(t, name) - 1 : -1; }

int tmpl_table_add(Arena *arena, TmplTable *t, TmplSymbol name) {
    if (2 * (t->count + 1) > t->slot_count) {
        t->slot_count = t->slot_count > 0 ? 2 * t->slot_count : 16;
        t->slots = NEW_ARRAY(arena, int, t->slot_count);
        for (int i = 0; i < t->count; i++)
            *find_slot(t, t->symbols[i]) = i + 1;
    }
    int *slot = find_slot(t, name);
    if (*slot == 0) {
        *PUSH(arena, t->symbols, t->count) = name;
        *slot = t->count;
    }
    return *slot - 1;
}

TmplValue tmpl_int(int64_t value) { return (TmplValue){.kind = TMPL_INT, .integer = value}; }

TmplValue tmpl_string(const char *text, size_t length) {
    return (TmplValue){.kind = TMPL_STRING, .length = (int)length, .string = text};
}

/* ---- Bindings ---- */

Bindings *bindings_new(Arena *arena, const Bindings *parent) {
    Bindings *b = NEW(arena, Bindings);
    b->arena = arena;
    b->parent = parent;
    return b;
}

static TmplBound *find_bound(Bindings *b, const char *name) {
    int i = tmpl_table_find(&b->names, tmpl_symbol(name));
    if (i < 0) {
        i = tmpl_table_add(b->arena, &b->names, tmpl_symbol(arena_string(b->arena, name, strlen(name))));
        *PUSH(b->arena, b->bound, b->bound_count) = (TmplBound){.optional = false};
    }
    return &b->bound[i];
}

static void bind(Bindings *b, const char *name, TmplValue value) {
    TmplBound *bound = find_bound(b, name);
    if (bound->value.kind != TMPL_UNBOUND)
        bug("template name \"%s\" is bound twice", name);
    bound->value = value;
}

static TmplValue kept_string(Bindings *b, const char *name, const char *value) {
    if (!value)
        bug("template name \"%s\" is bound to no string", name);
    size_t length = strlen(value);
    return tmpl_string(arena_string(b->arena, value, length), length);
}

static void bind_list(Bindings *b, const char *name, const TmplValue *items, int n) {
    bind(b, name, (TmplValue){.kind = TMPL_LIST, .length = n, .items = items});
}

void bind_int(Bindings *b, const char *name, int64_t value) { bind(b, name, tmpl_int(value)); }
void bind_string(Bindings *b, const char *name, const char *value) { bind(b, name, kept_string(b, name, value)); }
void bind_optional(Bindings *b, const char *name) { find_bound(b, name)->optional = true; }

void bind_ints(Bindings *b, const char *name, const int64_t *values, int n) {
    TmplValue *items = NEW_ARRAY(b->arena, TmplValue, n + 1);
    for (int i = 0; i < n; i++)
        items[i] = tmpl_int(values[i]);
    bind_list(b, name, items, n);
}

void bind_strings(Bindings *b, const char *name, const char *const *values, int n) {
    TmplValue *items = NEW_ARRAY(b->arena, TmplValue, n + 1);
    for (int i = 0; i < n; i++)
        items[i] = kept_string(b, name, values[i]);
    bind_list(b, name, items, n);
}

void bind_reals(Bindings *b, const char *name, const double *values, int n) {
    TmplValue *items = NEW_ARRAY(b->arena, TmplValue, n + 1);
    for (int i = 0; i < n; i++)
        items[i] = kept_string(b, name, arena_real(b->arena, values[i]));
    bind_list(b, name, items, n);
}

void bind_records(Bindings *b, const char *name, Bindings *const *values, int n) {
    TmplValue *items = NEW_ARRAY(b->arena, TmplValue, n + 1);
    for (int i = 0; i < n; i++)
        items[i] = (TmplValue){.kind = TMPL_RECORD, .record = values[i]};
    bind_list(b, name, items, n);
}

TmplValue tmpl_field(const Bindings *record, TmplSymbol name) {
    for (const Bindings *b = record; b; b = b->parent) {
        int i = tmpl_table_find(&b->names, name);
        if (i >= 0 && b->bound[i].value.kind != TMPL_UNBOUND)
            return b->bound[i].value;
    }
    return (TmplValue){.kind = TMPL_UNBOUND};
}

void bind_real(Bindings *b, const char *name, double value) { bind_string(b, name, arena_real(b->arena, value)); }
