/* fuse.c: elementwise ops and max poolings move into the kernel whose output they read, where the values still are in
 * registers; what lay between never reaches memory. Only when nothing else reads it. */
#include "ops/ops.h"

/* How often kernels read a tensor, the sum of these kernels' positions (of one reading: its place), and the first kernel that makes
 * it, -1 for what is given or derived. By id, through views; a kernel that moves into another takes its readings along. */
typedef struct Use { int readings, maker; int64_t places; } Use;
typedef struct Fusion { Program *program; Use *uses; } Fusion;

static Use *use_of(const Fusion *f, Tensor *t) { return &f->uses[storage(f->program, t)->id]; }

static void find_uses(Fusion *f) {
    Program *p = f->program;
    f->uses = NEW_ARRAY(p->arena, Use, p->tensor_count);
    for (int i = 0; i < p->tensor_count; i++) f->uses[i].maker = -1;
    for (int i = p->kernel_count - 1; i >= 0; i--) {
        const Kernel *k = p->kernels[i];
        for (int j = 0; j < k->output_count && k->def->level != LEVEL_DERIVE; j++) use_of(f, k->outputs[j])->maker = i;
        for (int j = 0; j < k->input_count; j++) use_of(f, k->inputs[j])->readings++, use_of(f, k->inputs[j])->places += i;
    }
}

/* The position of the only kernel that reads t, -1 when there are more or none. */
static int place_of_reader(const Fusion *f, Tensor *t) { return use_of(f, t)->readings == 1 ? (int)use_of(f, t)->places : -1; }

/* Kernel `from` has become part of kernel `to`, which now reads t in its place. */
static void move_reading(Fusion *f, Tensor *t, int from, int to) { use_of(f, t)->places += to - from; }

/* Kernel `at` makes t now. What it made before is no more, and nothing asks for it. */
static void move_output(Fusion *f, Tensor *t, int at) {
    Use *use = use_of(f, t);
    if (use->maker > at) use->maker = at;
}

/* Everything else that `next` reads must be there when kernel `at` runs. */
static bool operands_ready(const Fusion *f, const Kernel *next, Tensor *t, int at) {
    for (int i = 0; i < next->input_count; i++)
        if (storage(f->program, next->inputs[i]) != t && use_of(f, next->inputs[i])->maker >= at) return false;
    for (int i = 0; i < next->extra_count; i++)
        if (use_of(f, next->extras[i])->maker >= at) return false;
    return true;
}

/* Whether an operand is a vector along the last axis, which must then be that of what the kernel itself computes. */
static bool uses_channels(const Kernel *k) {
    int channelwise = k->op->def->channelwise;
    for (int i = 0; i < k->epilogue_count; i++) channelwise |= k->epilogues[i].op->def->channelwise;
    return channelwise != 0;
}

static bool fuse_elementwise(Fusion *f, int at) {
    Program *p = f->program;
    Kernel *k = p->kernels[at];
    Tensor *t = storage(p, k->outputs[0]);
    int reader = k->pool ? -1 : place_of_reader(f, t);
    if (reader < 0) return false;
    Kernel *next = p->kernels[reader];
    if (!next->op->def->expression || !operands_ready(f, next, t, at)) return false;
    if (shape_count(next->outputs[0]->shape) != shape_count(t->shape) || (uses_channels(next) && last_dim(next->outputs[0]->shape) != last_dim(k->op->outputs[0]->shape))) return false;
    Epilogue *e = PUSH(p->arena, k->epilogues, k->epilogue_count);
    *e = (Epilogue){.op = next->op, .first_extra = k->extra_count};
    for (int i = 0; i < next->input_count; i++) {
        if (storage(p, next->inputs[i]) == t) {
            e->acc = i;
            continue;
        }
        *PUSH(p->arena, k->extras, k->extra_count) = next->inputs[i];
        move_reading(f, next->inputs[i], reader, at);
    }
    for (int i = 0; i < next->epilogue_count; i++) {
        Epilogue *further = PUSH(p->arena, k->epilogues, k->epilogue_count);
        *further = next->epilogues[i];
        further->first_extra += k->extra_count;
    }
    for (int i = 0; i < next->extra_count; i++) {
        *PUSH(p->arena, k->extras, k->extra_count) = next->extras[i];
        move_reading(f, next->extras[i], reader, at);
    }
    k->outputs[0] = next->outputs[0];
    move_output(f, k->outputs[0], at);
    p->kernels[reader] = NULL;
    return true;
}

/* Whether the epilogues read vectors along the last axis only: what lies pixel by pixel is not at hand in a window. */
static bool only_channels(const Kernel *k) {
    for (int i = 0; i < k->epilogue_count; i++) {
        const Op *op = k->epilogues[i].op;
        if (op->input_count > 1 && !(op->def->channelwise & 1 << (1 - k->epilogues[i].acc))) return false;
    }
    return true;
}

static void fuse_pooling(Fusion *f, int at) {
    Program *p = f->program;
    Kernel *k = p->kernels[at];
    int reader = k->pool || !k->def->pools || !only_channels(k) ? -1 : place_of_reader(f, k->outputs[0]);
    if (reader < 0 || !p->kernels[reader]->op->def->pools) return;
    Kernel *next = p->kernels[reader];
    Window w = window_of(next->op);
    bool whole = w.sh == w.kh && w.sw == w.kw && !w.top && !w.left && w.oh * w.kh <= w.ih && w.ow * w.kw <= w.iw;
    if (!whole || w.kh * w.kw + 2 > p->target->registers) return;
    k->pool = next->op;
    k->outputs = next->outputs;
    k->output_count = use_of(f, next->outputs[1])->readings ? 2 : 1; /* the argmax matters to gradients only */
    for (int i = 0; i < k->output_count; i++) move_output(f, k->outputs[i], at);
    p->kernels[reader] = NULL;
}

/* Kernels that moved into another are NULL until all is done, so that positions stay. */
void fuse(Program *p) {
    Fusion f = {.program = p};
    find_uses(&f);
    for (int i = 0; i < p->kernel_count; i++) {
        if (!p->kernels[i] || !p->kernels[i]->def->epilogue) continue;
        while (fuse_elementwise(&f, i)) {}
        fuse_pooling(&f, i);
    }
    remove_gone_kernels(p);
}
