/* fuse.c: elementwise ops and max poolings move into the kernel whose output they read, where the values still are in
 * registers; what lay between never reaches memory. Only when nothing else reads it. */
#include "ops/ops.h"

/* The position of the only kernel that reads t, -1 when there are more or none. */
static int only_reader(const Program *p, Tensor *t) {
    int found = -1;
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        for (int j = 0; j < k->input_count + k->extra_count; j++) {
            if (storage(p, j < k->input_count ? k->inputs[j] : k->extras[j - k->input_count]) != t) continue;
            if (found >= 0) return -1;
            found = i;
        }
    }
    return found;
}

/* Everything else that `next` reads must be there when kernel `at` runs. */
static bool operands_ready(const Program *p, const Kernel *next, Tensor *t, int at) {
    for (int i = 0; i < next->input_count; i++)
        if (storage(p, next->inputs[i]) != t && kernel_making(p, storage(p, next->inputs[i])) >= at) return false;
    for (int i = 0; i < next->extra_count; i++)
        if (kernel_making(p, storage(p, next->extras[i])) >= at) return false;
    return true;
}

/* Whether an operand is a vector along the last axis, which must then be the same before and after. */
static bool uses_channels(const Kernel *k) {
    int channelwise = k->op->def->channelwise;
    for (int i = 0; i < k->epilogue_count; i++) channelwise |= k->epilogues[i].op->def->channelwise;
    return channelwise != 0;
}

static bool fuse_elementwise(Program *p, int at) {
    Kernel *k = p->kernels[at];
    Tensor *t = storage(p, k->outputs[0]);
    int reader = k->pool ? -1 : only_reader(p, t);
    if (reader < 0) return false;
    Kernel *next = p->kernels[reader];
    if (!next->op->def->expression || !operands_ready(p, next, t, at)) return false;
    if (shape_count(next->outputs[0]->shape) != shape_count(t->shape) || (uses_channels(next) && last_dim(next->outputs[0]->shape) != last_dim(k->outputs[0]->shape))) return false;
    Epilogue *e = PUSH(p->arena, k->epilogues, k->epilogue_count);
    *e = (Epilogue){.op = next->op, .first_extra = k->extra_count};
    for (int i = 0; i < next->input_count; i++) {
        if (storage(p, next->inputs[i]) == t) e->acc = i;
        else *PUSH(p->arena, k->extras, k->extra_count) = next->inputs[i];
    }
    for (int i = 0; i < next->epilogue_count; i++) {
        Epilogue *further = PUSH(p->arena, k->epilogues, k->epilogue_count);
        *further = next->epilogues[i];
        further->first_extra += k->extra_count;
    }
    for (int i = 0; i < next->extra_count; i++) *PUSH(p->arena, k->extras, k->extra_count) = next->extras[i];
    k->outputs[0] = next->outputs[0];
    remove_kernel(p, reader);
    return true;
}

static bool is_read(const Program *p, const Tensor *t) {
    for (int i = 0; i < p->kernel_count; i++)
        for (int k = 0; k < p->kernels[i]->input_count; k++)
            if (p->kernels[i]->inputs[k] == t) return true;
    return false;
}

/* Whether the epilogues read vectors along the last axis only: what lies pixel by pixel is not at hand in a window. */
static bool only_channels(const Kernel *k) {
    for (int i = 0; i < k->epilogue_count; i++) {
        const Op *op = k->epilogues[i].op;
        if (op->input_count > 1 && !(op->def->channelwise & 1 << (1 - k->epilogues[i].acc))) return false;
    }
    return true;
}

static bool fuse_pooling(Program *p, int at) {
    Kernel *k = p->kernels[at];
    int reader = k->pool || !k->def->pools || !only_channels(k) ? -1 : only_reader(p, storage(p, k->outputs[0]));
    if (reader < 0 || !p->kernels[reader]->op->def->pools) return false;
    Kernel *next = p->kernels[reader];
    Window w = window_of(next->op);
    bool whole = w.sh == w.kh && w.sw == w.kw && !w.top && !w.left && w.oh * w.kh <= w.ih && w.ow * w.kw <= w.iw;
    if (!whole || w.kh * w.kw + 2 > p->target->registers) return false;
    k->pool = next->op;
    k->outputs = next->outputs;
    k->output_count = is_read(p, next->outputs[1]) ? 2 : 1; /* the argmax matters to gradients only */
    remove_kernel(p, reader);
    return true;
}

void fuse(Program *p) {
    for (int i = 0; i < p->kernel_count; i++) {
        if (!p->kernels[i]->def->epilogue) continue;
        while (fuse_elementwise(p, i)) {}
        fuse_pooling(p, i);
    }
}
