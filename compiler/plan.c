/* plan.c: the loop tree and the memory.
 *
 *   derive                   once a step and worker: what is made from parameters (turned, transformed kernels)
 *   shard                    a fixed number of examples, one worker; the order of summation hangs on it, not on workers
 *     kernels over the shard (matrix products)
 *     segment                in blocks of examples, where a kernel works on a block: its data stay in the cache
 *       kernels over the block
 *       loop over examples   runs of kernels that work on one example
 *
 * What needs all shards of the batch, statistics of a batch normalization say, cuts the step into parts, each of which is an entry
 * point for a shard of its own. Between two of them the kernels of LEVEL_BATCH run once, when all shards have come so far:
 *
 *   part 0   shards          as above, up to what a shard leaves of a statistic
 *   part 1   batch           that of all shards together, in their order
 *   part 2   shards          go on from there
 *
 * What a part leaves to a later one cannot lie in a worker's memory: another worker may go on. It is kept in memory of the shard's,
 * for which there is room in as many examples as a batch has. Statistics of the batch lie in the first shard's. Most networks
 * have one part, and nothing is kept.
 *
 * A tensor that lives inside one loop over examples has one buffer, used again for each; one that crosses loops of a
 * segment has one for each example of a block, one that crosses segments for each of the shard. Buffers whose lives do
 * not overlap share memory. */
#include "cnnc.h"

#include <stdlib.h>
#include <string.h>

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
    p->loop_of = NEW_ARRAY(p->arena, int, n);
    for (int i = 0; i < n; i++) {
        Level level = p->kernels[i]->def->level;
        if (!i || p->kernels[i - 1]->def->level != level) {
            bool cut = (level == LEVEL_BATCH) != (i && p->kernels[i - 1]->def->level == LEVEL_BATCH);
            int part = p->loop_count ? p->loops[p->loop_count - 1].part + cut : cut;
            *PUSH(p->arena, p->loops, p->loop_count) = (Loop){level, i, i, 0, part};
        }
        p->loops[p->loop_count - 1].end = i + 1;
        p->loop_of[i] = p->loop_count - 1;
    }
    p->part_count = p->loop_count ? p->loops[p->loop_count - 1].part + 1 : 1;
}

/* Runs of examples and blocks between kernels over the shard; a segment has one size of block. */
static void make_segments(Program *p) {
    for (int i = 0; i < p->loop_count; i++) {
        Loop *l = &p->loops[i];
        int block = l->level == LEVEL_BLOCK ? p->kernels[l->first]->block : 0;
        Segment *last = p->segment_count ? &p->segments[p->segment_count - 1] : NULL;
        bool apart = l->level < LEVEL_BLOCK || !last || p->loops[last->first].level < LEVEL_BLOCK || (block && last->block && block != last->block);
        if (apart) *(last = PUSH(p->arena, p->segments, p->segment_count)) = (Segment){i, i, 0};
        last->end = i + 1;
        l->segment = p->segment_count - 1;
        if (block) last->block = block;
    }
}

static const Loop *loop_of(const Program *p, int kernel) { return &p->loops[p->loop_of[kernel]]; }
static const Segment *segment_of(const Program *p, int kernel) { return &p->segments[loop_of(p, kernel)->segment]; }

static bool needs_buffer(const Tensor *t) {
    return t->role == ROLE_ACTIVATION || t->role == ROLE_GRADIENT || t->role == ROLE_MASK || t->role == ROLE_DERIVED || t->role == ROLE_PARTIAL || t->role == ROLE_BATCH;
}

/* How many examples the buffer of a tensor holds that kernel `i` uses, so far `had`. */
static void widen(const Program *p, Buffer *b, const Tensor *t, int i) {
    const Segment *segment = segment_of(p, i);
    if (t->role == ROLE_DERIVED) return;
    b->kept = b->kept || t->role == ROLE_BATCH || loop_of(p, i)->part != loop_of(p, b->born)->part;
    if (t->role == ROLE_PARTIAL || t->role == ROLE_BATCH) return;
    bool apart = loop_of(p, i) != loop_of(p, b->born);
    if (p->kernels[i]->def->level == LEVEL_SHARD || segment != segment_of(p, b->born) || (apart && !segment->block)) b->per_shard = true;
    else if (apart && b->examples < segment->block) b->examples = segment->block;
    if (p->kernels[i]->def->level == LEVEL_BLOCK && b->examples < segment->block) b->examples = segment->block;
    if (b->per_shard) b->examples = p->examples;
}

/* The lives of buffers, in kernels; one that holds several examples lives through whole loops. */
static void find_lives(Program *p) {
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n; k++) {
            Tensor *t = storage(p, all[k]);
            Buffer *b = &p->buffers[t->id];
            if (!needs_buffer(t)) continue;
            if (!b->used) *b = (Buffer){.used = true, .tensor = t, .derived = t->role == ROLE_DERIVED, .born = i, .examples = 1};
            widen(p, b, t, i);
            b->dies = i;
        }
    }
}

/* Shards use a statistic of the batch in any order: it lives through whole parts. */
static void widen_statistic(const Program *p, Buffer *b) {
    int first = p->loop_of[b->born], last = p->loop_of[b->dies];
    while (first > 0 && p->loops[first - 1].part == p->loops[first].part) first--;
    while (last + 1 < p->loop_count && p->loops[last + 1].part == p->loops[last].part) last++;
    b->born = p->loops[first].first;
    b->dies = p->loops[last].end - 1;
}

static void widen_lives(Program *p) {
    for (int i = 0; i < p->tensor_count; i++) {
        Buffer *b = &p->buffers[i];
        if (b->used && b->tensor->role == ROLE_BATCH) widen_statistic(p, b);
        if (!b->used || b->examples == 1) continue;
        bool across = b->per_shard;
        b->born = across ? p->loops[segment_of(p, b->born)->first].first : loop_of(p, b->born)->first;
        b->dies = (across ? p->loops[segment_of(p, b->dies)->end - 1].end : loop_of(p, b->dies)->end) - 1;
    }
}

static void find_sizes(Program *p) {
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n; k++) {
            Tensor *t = storage(p, all[k]);
            int64_t elements = t->points ? t->points * point_stride(p, t) : shape_count(t->shape) * p->buffers[t->id].examples;
            p->buffers[t->id].size = (size_t)elements * (size_t)element_size(p, t->type);
        }
    }
}

static int by_size(const void *a, const void *b) {
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->born != y->born ? (x->born > y->born) - (x->born < y->born) : (x > y) - (x < y);
}

/* The lowest place for b that no buffer placed before it, in order of offsets, and alive at the same time takes. */
static size_t lowest_place(Buffer *const *placed, int n, const Buffer *b) {
    size_t offset = 0;
    for (int i = 0; i < n && placed[i]->offset < offset + b->size; i++) {
        const Buffer *o = placed[i];
        bool together = o->derived || (o->born <= b->dies && b->born <= o->dies);
        if (together && o->offset + aligned(o->size) > offset) offset = o->offset + aligned(o->size);
    }
    return offset;
}

/* Into the list of those placed, behind those of the same offset. */
static void insert(Buffer **placed, int n, Buffer *b) {
    int at = n;
    while (at > 0 && placed[at - 1]->offset > b->offset) at--;
    memmove(&placed[at + 1], &placed[at], sizeof *placed * (size_t)(n - at));
    placed[at] = b;
}

/* Largest first. Derived buffers, those of a shard and the workspace are areas of their own. */
static size_t place_buffers(Program *p, bool derived, bool kept) {
    Buffer **order = NEW_ARRAY(p->arena, Buffer *, p->tensor_count), **placed = NEW_ARRAY(p->arena, Buffer *, p->tensor_count);
    int n = 0;
    size_t end = 0;
    for (int i = 0; i < p->tensor_count; i++)
        if (p->buffers[i].used && p->buffers[i].derived == derived && p->buffers[i].kept == kept) order[n++] = &p->buffers[i];
    qsort(order, (size_t)n, sizeof *order, by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_place(placed, i, order[i]);
        insert(placed, i, order[i]);
        if (order[i]->offset + aligned(order[i]->size) > end) end = order[i]->offset + aligned(order[i]->size);
    }
    return end;
}

void plan(Program *p) {
    make_loops(p);
    make_segments(p);
    p->buffers = NEW_ARRAY(p->arena, Buffer, p->tensor_count);
    find_lives(p);
    widen_lives(p);
    find_sizes(p);
    p->workspace = place_buffers(p, false, false);
    p->derived = place_buffers(p, true, false);
    p->kept = place_buffers(p, false, true);
    for (int i = 0; i < p->kernel_count; i++)
        if (p->kernels[i]->def->schedule) p->kernels[i]->def->schedule(p, p->kernels[i]);
}

void print_plan(const Program *p, StrBuf *out) {
    static const char *const levels[] = {"derive", "batch", "shard", "block", "for each example"};
    strbuf_printf(out, "%s %s: workspace %zu bytes, derived %zu bytes a worker", entry_names[p->entry], p->target->name, p->workspace, p->derived);
    if (p->kept) strbuf_printf(out, ", kept %zu bytes a shard", p->kept);
    strbuf_add(out, "\n");
    for (int l = 0, segment = 0; l < p->loop_count; l++) {
        if (l == p->segments[segment].end) segment++;
        if (l == p->segments[segment].first && p->segments[segment].block) strbuf_printf(out, "  in blocks of %d\n", p->segments[segment].block);
        strbuf_printf(out, "  %s\n", levels[p->loops[l].level]);
        for (int i = p->loops[l].first; i < p->loops[l].end; i++) {
            strbuf_printf(out, "    %d %s:", i, p->kernels[i]->name);
            int n;
            Tensor **all = kernel_arguments(p, p->kernels[i], &n);
            for (int k = 0; k < n; k++) {
                const Buffer *b = &p->buffers[storage(p, all[k])->id];
                strbuf_printf(out, " %s", all[k]->name);
                if (b->used) strbuf_printf(out, "@%zu+%zu[%d-%d]%s", b->offset, b->size, b->born, b->dies, b->kept ? "!" : b->per_shard ? "*" : b->examples > 1 ? "+" : "");
            }
            strbuf_add(out, "\n");
        }
    }
}
