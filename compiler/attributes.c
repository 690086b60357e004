/* attributes.c: binds the arguments of a statement or call to a table of attributes.
 *
 * Checks presence, kind, range and spelling, so that whoever reads an Attr afterwards need not. It knows no layer:
 * tables say what is allowed. */
#include "cnnc.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CANDIDATES = 64, FEW_CANDIDATES = 6 };

typedef struct Binder {
    Arena *arena;
    Diag *diag;
    bool failed;
} Binder;

static void bind_value(Binder *, const AttrDef *, const Value *, Attr *);

static void fail(Binder *b, Loc loc, const AttrDef *def, const char *expected) {
    error(b->diag, loc, "'%s' must be %s", def->name, expected);
    b->failed = true;
}

static const char *plural(int n) { return n == 1 ? "" : "s"; }

static const Callable *find_callable(Family *family, const char *name, const char **candidates, int *n) {
    *n = 0;
    const Callable *c;
    for (int i = 0; (c = family(i)); i++) {
        if (!strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name))) return c;
        if (*n < MAX_CANDIDATES) candidates[(*n)++] = c->name;
    }
    return NULL;
}

/* The nearest candidate; all of them where none is near, or where they are few and a near one may not be what was meant. */
static void suggest(Binder *b, Loc loc, const char *word, const char *const *candidates, int n, int few) {
    const char *near = nearest(word, candidates, n);
    if (near && n > few) {
        hint_instead(b->diag, loc, near, "did you mean '%s'?", near);
        return;
    }
    StrBuf list = {0};
    for (int i = 0; i < n; i++) strbuf_printf(&list, "%s%s", i ? ", " : "", candidates[i]);
    if (near) hint_instead(b->diag, loc, near, "did you mean '%s'? It can be %s", near, list.text);
    else hint(b->diag, "it can be %s", list.text);
    strbuf_free(&list);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool number_in_range(const AttrDef *def, double x) { return def->min == def->max || (x >= def->min && x <= def->max); }

static const char *range_text(Binder *b, const AttrDef *def, const char *what) {
    if (def->min == def->max) return what;
    if (def->max >= INT_MAX) return arena_printf(b->arena, "%s of %.15g or more", what, def->min);
    return arena_printf(b->arena, "%s from %.15g to %.15g", what, def->min, def->max);
}

static void bind_number(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    bool whole = def->kind == ATTR_INT;
    if (v->kind == VALUE_NUMBER && !whole && fabs(v->number) > FLT_MAX) {
        fail(b, v->loc, def, "a number that a float can hold");
        return;
    }
    if (v->kind != VALUE_NUMBER || (whole && !v->integer) || !isfinite(v->number) || !number_in_range(def, v->number)) {
        fail(b, v->loc, def, range_text(b, def, whole ? "an integer" : "a number"));
        return;
    }
    if (whole && fabs(v->number) > INT_MAX) {
        fail(b, v->loc, def, "an integer below 2^31");
        return;
    }
    out->real = v->number;
}

/* A list of numbers, or a single one. */
static void bind_real_list(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    bool list = v->kind == VALUE_LIST;
    AttrDef one = *def;
    one.kind = ATTR_REAL;
    out->real_count = list ? v->length : 1;
    out->reals = NEW_ARRAY(b->arena, double, out->real_count + 1);
    for (int i = 0; i < out->real_count && !b->failed; i++) {
        Attr element = {0};
        bind_number(b, &one, list ? &v->items[i] : v, &element);
        out->reals[i] = element.real;
    }
}

static void bind_size(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    const Value *parts = v->items;
    int n = v->length;
    if (v->kind == VALUE_NUMBER) parts = v, n = 1;
    else if (v->kind != VALUE_SIZE && v->kind != VALUE_LIST) n = 0;
    bool right = n >= 1 && n <= MAX_RANK && (def->rank == 0 || n == 1 || n == def->rank);
    for (int i = 0; right && i < n; i++) {
        double x = parts[i].number;
        right = parts[i].kind == VALUE_NUMBER && parts[i].integer && x <= INT_MAX && number_in_range(def, x);
        out->size[i] = right ? (int)x : 1;
    }
    if (!right) {
        const char *form = def->rank == 2 ? "a size N or AxB" : def->rank == 1 ? "a size N" : "a size N, AxB, AxBxC ...";
        fail(b, v->loc, def, arena_printf(b->arena, "%s, each part %s", form, range_text(b, def, "an integer")));
        return;
    }
    out->rank = n;
    for (; out->rank < def->rank; out->rank++) out->size[out->rank] = out->size[0];
}

/* Before and after, along each axis: pairs (1,0)x(2,1), of one axis (1,0); numbers stand for both sides: 2x1, of all axes: 2. */
static void bind_pairs(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    bool pairs = v->kind == VALUE_PAIRS || (v->kind == VALUE_LIST && def->rank == 1);
    const Value *items = v->kind == VALUE_NUMBER ? v : v->items;
    int n = v->kind == VALUE_NUMBER ? 1 : pairs || v->kind == VALUE_SIZE || v->kind == VALUE_LIST ? v->length : 0;
    bool right = n == def->rank || v->kind == VALUE_NUMBER || (v->kind == VALUE_LIST && n == 2);
    for (int i = 0; right && i < 2 * def->rank; i++) {
        const Value *part = v->kind == VALUE_PAIRS ? &items[i / 2].items[i % 2] : &items[n == 1 ? 0 : pairs ? i : i / 2];
        right = part->kind == VALUE_NUMBER && part->integer && number_in_range(def, part->number);
        out->size[i] = right ? (int)part->number : 0;
    }
    out->rank = 2 * def->rank;
    const char *form = def->rank == 1 ? "N or a pair (A,B)" : "N, AxB or pairs (A,B)x(C,D)";
    if (!right) fail(b, v->loc, def, arena_printf(b->arena, "%s, each number %s", form, range_text(b, def, "an integer")));
}

/* ---- words and calls ---------------------------------------------------------------------------------------------- */

static void bind_word(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    const char *candidates[MAX_CANDIDATES];
    int n = 0;
    char *words = arena_string(b->arena, def->words, strlen(def->words));
    for (char *w = strtok(words, "|"); w && n < MAX_CANDIDATES; w = strtok(NULL, "|")) {
        if (v->kind == VALUE_WORD && !strcmp(w, v->word)) {
            out->word = w;
            return;
        }
        candidates[n++] = w;
    }
    if (v->kind == VALUE_WORD) error(b->diag, v->loc, "'%s' cannot be '%s'", def->name, v->word);
    else error(b->diag, v->loc, "'%s' must be a word", def->name);
    suggest(b, v->loc, v->kind == VALUE_WORD ? v->word : "", candidates, n, FEW_CANDIDATES);
    b->failed = true;
}

static void bind_call(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    if (v->kind != VALUE_WORD && v->kind != VALUE_CALL) {
        fail(b, v->loc, def, "a word or a call, word(option=value, ...)");
        return;
    }
    const char *candidates[MAX_CANDIDATES];
    int n;
    out->callable = find_callable(def->family, v->word, candidates, &n);
    out->word = out->callable ? out->callable->name : v->word;
    if (!out->callable) {
        error(b->diag, v->loc, "'%s' cannot be '%s'", def->name, v->word);
        suggest(b, (Loc){v->loc.line, v->loc.column, (int)strlen(v->word)}, v->word, candidates, n, FEW_CANDIDATES);
        b->failed = true;
        return;
    }
    out->attributes = bind_attributes(b->arena, b->diag, out->callable, v->arguments, v->argument_count, v->loc);
    if (!out->attributes) b->failed = true;
}

static void bind_calls(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    const Value *items = v->kind == VALUE_LIST ? v->items : v;
    int n = v->kind == VALUE_LIST ? v->length : 1;
    for (int i = 0; i < n; i++) {
        bind_call(b, def, &items[i], out);
        out->loc = items[i].loc;
        out->present = true;
        if (i + 1 < n) out = out->next = NEW(b->arena, Attr);
    }
}

static void bind_real_or_call(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    if (def->family && (v->kind == VALUE_CALL || v->kind == VALUE_WORD)) bind_call(b, def, v, out);
    else bind_number(b, def, v, out);
}

static void bind_bool(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    if (v->kind != VALUE_BOOL) fail(b, v->loc, def, "true or false");
    else out->real = v->truth;
}

static void bind_value(Binder *b, const AttrDef *def, const Value *v, Attr *out) {
    static void (*const by_kind[])(Binder *, const AttrDef *, const Value *, Attr *) = {
        [ATTR_INT] = bind_number, [ATTR_REAL] = bind_real_or_call, [ATTR_BOOL] = bind_bool,   [ATTR_WORD] = bind_word,
        [ATTR_SIZE] = bind_size,  [ATTR_CALL] = bind_call,   [ATTR_CALLS] = bind_calls,
        [ATTR_REALS] = bind_real_list, [ATTR_PAIRS] = bind_pairs,
    };
    out->loc = v->loc;
    out->present = true;
    by_kind[def->kind](b, def, v, out);
}

/* ---- defaults ----------------------------------------------------------------------------------------------------- */

static void bind_fallback(Binder *b, const AttrDef *def, Attr *out, Loc what) {
    Value v = {.loc = what, .word = def->fallback, .text = def->fallback};
    char *end;
    v.number = strtod(def->fallback, &end);
    if (!*def->fallback) return;
    if (!*end) v.kind = VALUE_NUMBER, v.integer = v.number == floor(v.number);
    else if (def->kind == ATTR_BOOL) v.kind = VALUE_BOOL, v.truth = !strcmp(def->fallback, "true");
    else v.kind = VALUE_WORD;
    bind_value(b, def, &v, out);
    if (b->failed && !b->diag->errors) bug("the default of '%s' does not fit its own definition", def->name);
}

static int find_attribute(Binder *b, const Callable *callable, const Argument *a) {
    const char *candidates[MAX_CANDIDATES];
    int n = 0;
    for (int i = 0; i < callable->attribute_count; i++) {
        if (!strcmp(callable->attributes[i].name, a->key)) return i;
        if (n < MAX_CANDIDATES) candidates[n++] = callable->attributes[i].name;
    }
    error(b->diag, a->key_loc, "'%s' has no option '%s'", callable->name, a->key);
    if (n) suggest(b, a->key_loc, a->key, candidates, n, 0);
    else hint(b->diag, "it takes no options");
    b->failed = true;
    return -1;
}

/* The attribute that the next positional argument gives, -1 when there is none left. */
static int next_positional(const Callable *callable, int after) {
    for (int i = after + 1; i < callable->attribute_count; i++)
        if (callable->attributes[i].positional) return i;
    return -1;
}

static void too_many(Binder *b, const Callable *callable, Loc loc) {
    int n = 0, others = 0;
    const char *names = "";
    for (int i = 0; i < callable->attribute_count; i++) {
        const AttrDef *def = &callable->attributes[i];
        if (def->positional) n++;
        else names = arena_printf(b->arena, "%s%s%s=", names, others++ ? " " : "", def->name);
    }
    if (n) error(b->diag, loc, "'%s' takes %d value%s by position", callable->name, n, plural(n));
    else error(b->diag, loc, "'%s' takes no value by position", callable->name);
    if (others) hint(b->diag, "by name it takes %s", names);
    else if (!n) hint(b->diag, "it takes no options");
    b->failed = true;
}

Attr *bind_attributes(Arena *arena, Diag *diag, const Callable *callable, const Argument *arguments, int count, Loc what) {
    Binder b = {arena, diag, false};
    Attr *out = NEW_ARRAY(arena, Attr, callable->attribute_count + 1);
    int positional = -1;
    for (int k = 0; k < count; k++) {
        const Argument *a = &arguments[k];
        int i = a->key ? find_attribute(&b, callable, a) : (positional = next_positional(callable, positional));
        if (i < 0) {
            if (!a->key) {
                too_many(&b, callable, a->value.loc);
                break;
            }
            continue;
        }
        if (out[i].given) {
            error(diag, a->key ? a->key_loc : a->value.loc, "'%s' is given twice", callable->attributes[i].name);
            note(diag, out[i].loc, "it is given here already");
            b.failed = true;
            continue;
        }
        out[i].given = true;
        bind_value(&b, &callable->attributes[i], &a->value, &out[i]);
    }
    for (int i = 0; i < callable->attribute_count && !b.failed; i++) {
        const AttrDef *def = &callable->attributes[i];
        if (out[i].given) continue;
        if (def->fallback) bind_fallback(&b, def, &out[i], what);
        else {
            error(diag, what, "'%s' needs '%s': %s", callable->name, def->name, def->doc);
            b.failed = true;
        }
    }
    return b.failed ? NULL : out;
}
