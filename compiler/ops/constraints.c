/* constraints.c: Keras's constraints: what holds for a weight after each update. Their formulas are in templates/constraints.c.tmpl. */
#include "ops.h"

#include <string.h>

#define ANY_AXES {"axis", ATTR_SIZE, "0", -MAX_RANK, MAX_RANK - 1, 0, NULL, NULL, false, "a norm is taken along this axis, or these, (0,1,2)"}
#define NORM_DEF(name, fallback, text) {name, ATTR_REAL, fallback, 0, 1e30, 0, NULL, NULL, true, text}

static const AttrDef max_norm_attributes[] = {NORM_DEF("max_value", "2", "the largest norm"), ANY_AXES};
static const AttrDef unit_norm_attributes[] = {ANY_AXES};
enum { MIN_VALUE, MAX_VALUE };
static const AttrDef min_max_norm_attributes[] = {
    NORM_DEF("min_value", "0", "the smallest norm"), NORM_DEF("max_value", "1", "the largest norm"),
    {"rate", ATTR_REAL, "1", 0, 1, 0, NULL, NULL, true, "how far a norm is moved there in each update"}, ANY_AXES,
};

static const Callable constraints[] = {
    {"max_norm", "norms up to a largest", ATTRIBUTES(max_norm_attributes), NULL},
    {"unit_norm", "norms of 1", ATTRIBUTES(unit_norm_attributes), NULL},
    {"min_max_norm", "norms between two", ATTRIBUTES(min_max_norm_attributes), NULL},
    {"non_neg", "nothing below 0", NULL, 0, NULL},
};

const Callable *constraint_family(int index) { return index < LENGTH(constraints) ? &constraints[index] : NULL; }

static const Attr *option(const Attr *constraint, const char *name) {
    for (int i = 0; i < constraint->callable->attribute_count; i++)
        if (!strcmp(constraint->callable->attributes[i].name, name)) return &constraint->attributes[i];
    return NULL;
}

/* By axis of the weight: whether norms are taken along it. */
static bool find_axes(const Attr *axis, int rank, bool reduced[MAX_RANK], int *bad) {
    for (int i = 0; axis && i < axis->rank; i++) {
        int a = axis->size[i] < 0 ? axis->size[i] + rank : axis->size[i];
        *bad = axis->size[i];
        if (a < 0 || a >= rank || reduced[a]) return false;
        reduced[a] = true;
    }
    return true;
}

bool check_constraint(Graph *g, const Attr *constraint, Shape weight) {
    bool reduced[MAX_RANK] = {false};
    int bad = 0;
    const Attr *axis = option(constraint, "axis"), *a = constraint->attributes;
    if (!find_axes(axis, weight.rank, reduced, &bad)) {
        Loc loc = axis->given ? axis->loc : constraint->loc;
        bool there = bad >= -weight.rank && bad < weight.rank;
        if (there) error(g->diag, loc, "axis %d is given twice", bad);
        else error(g->diag, loc, "the weight is %s, it has no axis %d", shape_text(g->arena, weight), bad);
        return false;
    }
    if (!strcmp(constraint->word, "min_max_norm") && a[MIN_VALUE].real > a[MAX_VALUE].real) {
        error(g->diag, constraint->loc, "min_value %g is larger than max_value %g", a[MIN_VALUE].real, a[MAX_VALUE].real);
        return false;
    }
    return true;
}

/* ---- loops ------------------------------------------------------------------------------------------------------------ */

/* Neighbouring axes of one kind are one loop. Where the last axis is kept its elements, `lanes` of them, go side by side. */
typedef struct Loops { const char *kept, *kept_at, *reduced, *reduced_at; int64_t lanes; int count; } Loops;

static void add_loop(Arena *arena, Loops *l, bool reduced, int64_t n, int64_t stride) {
    const char **text = reduced ? &l->reduced : &l->kept, **at = reduced ? &l->reduced_at : &l->kept_at;
    int k = l->count++;
    *text = arena_printf(arena, "%s%sfor (size_t i%d = 0; i%d < %lld; i%d++)", *text, **text ? " " : "", k, k, (long long)n, k);
    *at = arena_printf(arena, stride == 1 ? "%s + i%d" : "%s + i%d * %lld", *at, k, (long long)stride);
}

static Loops make_loops(Arena *arena, const Attr *axis, Shape s) {
    bool reduced[MAX_RANK] = {false};
    int bad;
    find_axes(axis, s.rank, reduced, &bad);
    Loops l = {"", "", "", "", 1, 0};
    int64_t stride = shape_count(s);
    for (int i = 0; i < s.rank;) {
        int64_t n = 1;
        int first = i;
        for (; i < s.rank && reduced[i] == reduced[first]; i++) n *= s.dim[i];
        stride /= n;
        if (i == s.rank && !reduced[first]) l.lanes = n;
        else add_loop(arena, &l, reduced[first], n, stride);
    }
    return l;
}

void bind_constraint(const Attr *constraint, Shape weight, Arena *arena, Bindings *b) {
    Loops l = make_loops(arena, option(constraint, "axis"), weight);
    bind_string(b, "kind", constraint->word);
    bind_string(b, "kept", l.kept);
    bind_string(b, "kept_at", l.kept_at);
    bind_string(b, "reduced", l.reduced);
    bind_string(b, "reduced_at", l.reduced_at);
    bind_int(b, "lanes", l.lanes);
    bind_int(b, "count", shape_count(weight));
    static const char *const names[] = {"min_value", "max_value", "rate"};
    for (int i = 0; i < LENGTH(names); i++) {
        const Attr *a = option(constraint, names[i]);
        bind_real(b, names[i], a ? a->real : 0);
    }
}
