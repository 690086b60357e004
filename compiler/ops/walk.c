/* walk.c: elements of two tensors side by side, axis by axis with a stride in each: what copies, pads, repeats and transposes. A stride of 0
 * in one stays where it is while the other goes on. */
#include "ops.h"

#include <string.h>

void add_axis(Walk *w, int64_t n, int64_t from, int64_t to) {
    if (w->rank == MAX_WALK) bug("a walk of more than %d axes", MAX_WALK);
    w->n[w->rank] = n, w->from[w->rank] = from, w->to[w->rank] = to;
    w->rank++;
}

int64_t stride_of(Shape s, int axis) {
    int64_t stride = 1;
    for (int i = axis + 1; i < s.rank; i++) stride *= s.dim[i];
    return stride;
}

/* Without axes of 1; neighbours that are one in both tensors are one axis. */
static Walk simplest(const Walk *w) {
    Walk out = {.from_start = w->from_start, .to_start = w->to_start};
    for (int i = 0; i < w->rank; i++) {
        int last = out.rank - 1;
        if (w->n[i] == 1) continue;
        if (last >= 0 && out.from[last] == w->from[i] * w->n[i] && out.to[last] == w->to[i] * w->n[i])
            out.n[last] *= w->n[i], out.from[last] = w->from[i], out.to[last] = w->to[i];
        else add_axis(&out, w->n[i], w->from[i], w->to[i]);
    }
    return out;
}

Walk backwards(const Walk *w) {
    Walk back = *w;
    memcpy(back.from, w->to, sizeof back.from);
    memcpy(back.to, w->from, sizeof back.to);
    back.from_start = w->to_start, back.to_start = w->from_start;
    return back;
}

static int64_t steps_of(const Walk *w) {
    int64_t n = 1;
    for (int i = 0; i < w->rank; i++) n *= w->n[i];
    return n;
}

/* Several elements come to one place: they are added up. */
static bool adds(const Walk *w) {
    for (int i = 0; i < w->rank; i++)
        if (w->n[i] > 1 && w->to[i] == 0) return true;
    return false;
}

void evaluate_walk(const Op *op, const Walk *w, double *const *in, double *const *out) {
    const int64_t count = shape_count(op->outputs[0]->shape), steps = steps_of(w);
    for (int64_t i = 0; i < count; i++) out[0][i] = 0;
    for (int64_t step = 0; step < steps; step++) {
        int64_t from = w->from_start, to = w->to_start, rest = step;
        for (int i = w->rank - 1; i >= 0; i--) {
            from += rest % w->n[i] * w->from[i];
            to += rest % w->n[i] * w->to[i];
            rest /= w->n[i];
        }
        out[0][to] += in[0][from];
    }
}

void bind_axes(const Walk *walk, Bindings *b) {
    const Walk w = simplest(walk);
    const struct { const char *name; const int64_t *values; } lists[] = {{"AXES", w.n}, {"FROM", w.from}, {"TO", w.to}};
    for (int i = 0; i < LENGTH(lists); i++) {
        bind_ints(b, lists[i].name, lists[i].values, w.rank);
        bind_optional(b, lists[i].name);
    }
}

void bind_walk(const Op *op, const Walk *w, Bindings *b) {
    int64_t count = shape_count(op->outputs[0]->shape);
    bind_axes(w, b);
    bind_int(b, "FROM_START", w->from_start);
    bind_optional(b, "FROM_START");
    bind_int(b, "TO_START", w->to_start);
    bind_optional(b, "TO_START");
    bind_int(b, "ADDS", adds(w));
    bind_int(b, "STEPS", steps_of(w));
    bind_int(b, "COUNT", count);
}
