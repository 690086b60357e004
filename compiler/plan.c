/* plan.c: the loop tree and the memory.
 *
 *   derive                 once a step and worker: what is made from parameters (turned kernels)
 *   shard                  a fixed number of examples, one worker; the order of summation hangs on it, not on workers
 *     kernels over the shard (matrix products)
 *     loop over examples   runs of kernels that work on one example
 *
 * A tensor that lives inside one loop over examples has one buffer, used again for each; one that crosses a loop has
 * one for each example of the shard. Buffers whose lives do not overlap share memory. */
#include "cnnc.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

static size_t aligned(size_t n) { return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* Kernels that derive come first; the others keep their order and are cut into runs of one level. */
static void make_loops(Program *p) {
    int n = 0;
    Kernel **sorted = NEW_ARRAY(p->arena, Kernel *, p->kernel_count);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < p->kernel_count; i++)
            if ((p->kernels[i]->def->level == LEVEL_DERIVE) == !pass) sorted[n++] = p->kernels[i];
    p->kernels = sorted;
    for (int i = 0; i < n; i++) {
        Level level = p->kernels[i]->def->level;
        if (!i || p->kernels[i - 1]->def->level != level) *PUSH(p->arena, p->loops, p->loop_count) = (Loop){level, i, i};
        p->loops[p->loop_count - 1].end = i + 1;
    }
}

static const Loop *loop_of(const Program *p, int kernel) {
    for (int i = 0; i < p->loop_count; i++)
        if (kernel < p->loops[i].end) return &p->loops[i];
    bug("kernel %d is in no loop", kernel);
}

static bool needs_buffer(const Tensor *t) {
    return t->role == ROLE_ACTIVATION || t->role == ROLE_GRADIENT || t->role == ROLE_MASK || t->role == ROLE_DERIVED;
}

/* The lives of buffers, in kernels; one that crosses loops lives through the whole of them. */
static void find_lives(Program *p) {
    for (int i = 0; i < p->kernel_count; i++) {
        const Loop *loop = loop_of(p, i);
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n; k++) {
            Tensor *t = storage(p, all[k]);
            Buffer *b = &p->buffers[t->id];
            if (!needs_buffer(t)) continue;
            if (!b->used) *b = (Buffer){.used = true, .derived = t->role == ROLE_DERIVED, .born = i, .size = (size_t)shape_count(t->shape) * (size_t)element_size(p, t->type)};
            b->per_shard = !b->derived && (b->per_shard || loop->level == LEVEL_SHARD || loop != loop_of(p, b->born));
            b->dies = i;
        }
    }
    for (int i = 0; i < p->tensor_count; i++) {
        Buffer *b = &p->buffers[i];
        if (!b->used || !b->per_shard) continue;
        b->born = loop_of(p, b->born)->first;
        b->dies = loop_of(p, b->dies)->end - 1;
        b->size *= (size_t)p->options->shard_size;
    }
}

static int by_size(const void *a, const void *b) {
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->born != y->born ? (x->born > y->born) - (x->born < y->born) : (x > y) - (x < y);
}

/* The lowest place for b that no buffer placed before it and alive at the same time takes. */
static size_t lowest_place(Buffer *const *placed, int n, const Buffer *b) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < n; i++) {
            const Buffer *o = placed[i];
            bool together = o->derived || (o->born <= b->dies && b->born <= o->dies);
            if (!together || o->offset >= offset + b->size || o->offset + aligned(o->size) <= offset) continue;
            offset = o->offset + aligned(o->size);
            moved = true;
        }
    }
    return offset;
}

/* Largest first. Derived buffers and the workspace are two areas. */
static size_t place_buffers(Program *p, bool derived) {
    Buffer **order = NEW_ARRAY(p->arena, Buffer *, p->tensor_count);
    int n = 0;
    size_t end = 0;
    for (int i = 0; i < p->tensor_count; i++)
        if (p->buffers[i].used && p->buffers[i].derived == derived) order[n++] = &p->buffers[i];
    qsort(order, (size_t)n, sizeof *order, by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_place(order, i, order[i]);
        if (order[i]->offset + aligned(order[i]->size) > end) end = order[i]->offset + aligned(order[i]->size);
    }
    return end;
}

void plan(Program *p) {
    make_loops(p);
    p->buffers = NEW_ARRAY(p->arena, Buffer, p->tensor_count);
    find_lives(p);
    p->workspace = place_buffers(p, false);
    p->derived = place_buffers(p, true);
    for (int i = 0; i < p->kernel_count; i++)
        if (p->kernels[i]->def->schedule) p->kernels[i]->def->schedule(p, p->kernels[i]);
}

void print_plan(const Program *p, StrBuf *out) {
    static const char *const levels[] = {"derive", "shard", "for each example"};
    strbuf_printf(out, "%s %s: workspace %zu bytes, derived %zu bytes a worker\n", entry_names[p->entry], p->target->name, p->workspace, p->derived);
    for (int l = 0; l < p->loop_count; l++) {
        strbuf_printf(out, "  %s\n", levels[p->loops[l].level]);
        for (int i = p->loops[l].first; i < p->loops[l].end; i++) {
            strbuf_printf(out, "    %d %s:", i, p->kernels[i]->name);
            int n;
            Tensor **all = kernel_arguments(p, p->kernels[i], &n);
            for (int k = 0; k < n; k++) {
                const Buffer *b = &p->buffers[storage(p, all[k])->id];
                strbuf_printf(out, " %s", all[k]->name);
                if (b->used) strbuf_printf(out, "@%zu+%zu[%d-%d]%s", b->offset, b->size, b->born, b->dies, b->per_shard ? "*" : "");
            }
            strbuf_add(out, "\n");
        }
    }
}
