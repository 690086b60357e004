/* program.c: what the stages from select to plan share: kernels under construction, and the program's verifier. */
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

const char *const entry_names[ENTRY_COUNT] = {"train", "evaluate", "predict", "one", "many"};

int element_size(const Program *p, Type type) {
    static const int sizes[] = {[TYPE_U8] = 1, [TYPE_I32] = 4, [TYPE_INDEX] = 1, [TYPE_SET32] = 4, [TYPE_SET64] = 8};
    return type != TYPE_REAL ? sizes[type] : p->options->real_is_double ? 8 : 4;
}

/* Rows of all examples that the buffer holds, and a little more: strides off powers of two spare the caches. */
int64_t point_stride(const Program *p, Tensor *t) {
    t = storage(p, t);
    int64_t rows = (int64_t)t->shape.dim[1] * (t->role == ROLE_DERIVED || !p->buffers ? 1 : p->buffers[t->id].examples);
    return rows * t->shape.dim[2] + 16;
}

int64_t example_stride(const Tensor *t) { return shape_count(t->shape) / (t->points ? t->points : 1); }

Tensor *storage(const Program *p, Tensor *t) {
    while (t->id < p->alias_length && p->alias[t->id]) t = p->alias[t->id];
    return t;
}

Tensor *program_tensor(Program *p, const char *name, Shape shape, Role role) {
    Tensor *t = NEW(p->arena, Tensor);
    *t = (Tensor){.id = p->tensor_count++, .name = name, .shape = shape, .type = TYPE_REAL, .role = role};
    return t;
}

Kernel *add_kernel(Program *p, const KernelDef *def, const Op *op, const char *suffix) {
    Kernel *k = NEW(p->arena, Kernel);
    const char *stem = arena_printf(p->arena, "%s_%s", op->layer->name, suffix), *name = stem;
    for (int i = 2; map_get(&p->kernel_names, name); i++) name = arena_printf(p->arena, "%s_%d", stem, i);
    *k = (Kernel){.def = def, .op = op, .name = name, .flops = op->def->flops ? op->def->flops(op) : (double)shape_count(op->outputs[0]->shape)};
    map_set(p->arena, &p->kernel_names, name, k);
    *PUSH(p->arena, p->kernels, p->kernel_count) = k;
    return k;
}

void kernel_input(Program *p, Kernel *k, Tensor *t) { *PUSH(p->arena, k->inputs, k->input_count) = t; }
void kernel_output(Program *p, Kernel *k, Tensor *t) { *PUSH(p->arena, k->outputs, k->output_count) = t; }

void kernel_int(Program *p, Kernel *k, const char *name, int64_t value) {
    for (int i = 0; i < k->integer_count; i++)
        if (!strcmp(k->integers[i].name, name)) {
            k->integers[i].value = value;
            return;
        }
    *PUSH(p->arena, k->integers, k->integer_count) = (Integer){name, value};
}

void kernel_ints(Program *p, Kernel *k, const Integer *integers, int n) {
    for (int i = 0; i < n; i++) kernel_int(p, k, integers[i].name, integers[i].value);
}

int64_t kernel_get(const Kernel *k, const char *name) {
    for (int i = 0; i < k->integer_count; i++)
        if (!strcmp(k->integers[i].name, name)) return k->integers[i].value;
    bug("kernel '%s' has no integer '%s'", k->name, name);
}

bool kernel_has(const Kernel *k, const char *name) {
    for (int i = 0; i < k->integer_count; i++)
        if (!strcmp(k->integers[i].name, name)) return true;
    return false;
}

void kernel_window(Program *p, Kernel *k, const Window *w) {
    const Integer integers[] = {
        {"IH", w->ih}, {"IW", w->iw}, {"C", w->ic},  {"KH", w->kh}, {"KW", w->kw}, {"SH", w->sh},
        {"SW", w->sw}, {"DH", w->dh}, {"DW", w->dw}, {"OH", w->oh}, {"OW", w->ow},
    };
    kernel_ints(p, k, integers, LENGTH(integers));
}

bool adds_to_gradient(const Kernel *k) { return k->outputs[0]->role == ROLE_PARAMETER_GRADIENT; }

void remove_gone_kernels(Program *p) {
    int kept = 0;
    for (int i = 0; i < p->kernel_count; i++)
        if (p->kernels[i]) p->kernels[kept++] = p->kernels[i];
    p->kernel_count = kept;
}

Tensor **kernel_arguments(const Program *p, const Kernel *k, int *n) {
    Tensor **all = NEW_ARRAY(p->arena, Tensor *, k->input_count + k->extra_count + k->output_count);
    *n = 0;
    for (int i = 0; i < k->input_count; i++) all[(*n)++] = k->inputs[i];
    for (int i = 0; i < k->extra_count; i++) all[(*n)++] = k->extras[i];
    for (int i = 0; i < k->output_count; i++) all[(*n)++] = k->outputs[i];
    return all;
}

/* ---- dump --------------------------------------------------------------------------------------------------------- */

static void print_tensors(StrBuf *out, Tensor *const *t, int n) {
    for (int i = 0; i < n; i++) strbuf_printf(out, "%s%s", i ? ", " : " ", t[i]->name);
}

void print_kernels(const Program *p, StrBuf *out) {
    static const char *const levels[] = {"derive", "batch", "shard", "block", "example"};
    strbuf_printf(out, "%s %s\n", entry_names[p->entry], p->target->name);
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        strbuf_printf(out, "  %-7s %s:", levels[k->def->level], k->name);
        print_tensors(out, k->outputs, k->output_count);
        strbuf_printf(out, " = %s", k->def->template);
        print_tensors(out, k->inputs, k->input_count);
        for (int e = 0; e < k->epilogue_count; e++) strbuf_printf(out, " > %s", k->epilogues[e].op->def->call.name);
        if (k->pool) strbuf_printf(out, " > %s", k->pool->def->call.name);
        if (k->extra_count) strbuf_add(out, " with"), print_tensors(out, k->extras, k->extra_count);
        for (int j = 0; j < k->integer_count; j++) strbuf_printf(out, "%s%s=%lld", j ? " " : "   # ", k->integers[j].name, (long long)k->integers[j].value);
        strbuf_add(out, "\n");
    }
}

/* ---- verifiers ------------------------------------------------------------------------------------------------------ */

static bool is_given(const Tensor *t) {
    return t->role == ROLE_INPUT || t->role == ROLE_TARGET || t->role == ROLE_PARAMETER || t->role == ROLE_SCALE || t->role == ROLE_KEY;
}

static void verify_shapes(const Op *op, int i, const char *stage) {
    const Window *w = &op->window;
    Shape y = op->outputs[0]->shape;
    for (int k = 0; op->def->same_size && k < op->input_count; k++)
        if (!(op->def->channelwise & 1 << k) && !shape_equal(op->inputs[k]->shape, y)) bug("after %s: op %d, '%s', reads '%s' of another size", stage, i, op->def->call.name, op->inputs[k]->name);
    if (!w->kh) return;
    bool back = op->def->convolution == CONV_INPUT; /* from the window's output to its input */
    Shape x = back ? y : op->inputs[0]->shape;
    if (back) y = op->inputs[0]->shape;
    if (w->ih != x.dim[0] || w->iw != x.dim[1] || w->oh != y.dim[0] || w->ow != y.dim[1]) bug("after %s: op %d, '%s', has another window than tensors", stage, i, op->def->call.name);
}

/* Every op reads only what was there before it, in the sizes it takes, and its outputs are its own, unless it adds to them. */
void verify_graph(const Graph *g, const char *stage) {
    bool *made = NEW_ARRAY(g->arena, bool, g->tensor_count);
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        verify_shapes(op, i, stage);
        for (int k = 0; k < op->input_count; k++)
            if (!is_given(op->inputs[k]) && !made[op->inputs[k]->id]) bug("after %s: op %d, '%s', reads '%s' before it is made", stage, i, op->def->call.name, op->inputs[k]->name);
        for (int k = 0; k < op->output_count; k++) {
            if (op->outputs[k]->producer != op && !op->def->accumulates) bug("after %s: op %d, '%s', does not own its output '%s'", stage, i, op->def->call.name, op->outputs[k]->name);
            made[op->outputs[k]->id] = true;
        }
    }
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        if (w->gradient && !shape_equal(w->shape, w->gradient->shape)) bug("after %s: the gradient of '%s' has another shape", stage, w->name);
    }
}

static bool overlap(const Buffer *a, const Buffer *b) {
    return a->derived == b->derived && a->kept == b->kept && a->offset < b->offset + b->size && b->offset < a->offset + a->size &&
           (a->derived || (a->born <= b->dies && b->born <= a->dies));
}

static int by_offset(const void *a, const void *b) {
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    return x->offset != y->offset ? (x->offset > y->offset) - (x->offset < y->offset) : (x > y) - (x < y);
}

/* Each is compared with those that begin before it ends. */
static void verify_buffers(const Program *p, const char *stage) {
    const Buffer **order = NEW_ARRAY(p->arena, const Buffer *, p->tensor_count);
    int n = 0;
    for (int i = 0; i < p->tensor_count; i++)
        if (p->buffers[i].used) order[n++] = &p->buffers[i];
    if (n) qsort(order, (size_t)n, sizeof *order, by_offset);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n && order[j]->offset < order[i]->offset + order[i]->size; j++)
            if (overlap(order[i], order[j])) bug("after %s: the buffers of '%s' and '%s' overlap", stage, order[i]->tensor->name, order[j]->tensor->name);
}

/* Kernels that derive run before all others, wherever they stand. */
void verify_program(const Program *p, const char *stage) {
    bool *made = NEW_ARRAY(p->arena, bool, p->tensor_count);
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        for (int j = 0; j < k->input_count + k->extra_count; j++) {
            Tensor *t = storage(p, j < k->input_count ? k->inputs[j] : k->extras[j - k->input_count]);
            bool before = t->role == ROLE_DERIVED && k->def->level != LEVEL_DERIVE;
            if (!is_given(t) && !before && !made[t->id]) bug("after %s: kernel '%s' reads '%s' before it is made", stage, k->name, t->name);
        }
        for (int j = 0; j < k->output_count; j++) made[storage(p, k->outputs[j])->id] = true;
    }
    if (p->buffers) verify_buffers(p, stage);
}
