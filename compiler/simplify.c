/* simplify.c: fewer kernels, by rules that hold for any network.
 *
 *   the same kernel twice        -> once (a padded input serves forward and the kernel's gradient)
 *   a kernel that nothing reads  -> gone
 *   a copy for the caller of what nothing else reads -> made in the caller's array, where there is a single example */
#include "cnnc.h"

#include <string.h>

static void grow_aliases(Program *p) {
    Tensor **alias = NEW_ARRAY(p->arena, Tensor *, p->tensor_count);
    memcpy(alias, p->alias, sizeof *alias * (size_t)p->alias_length);
    p->alias = alias;
    p->alias_length = p->tensor_count;
}

/* ---- common kernels ------------------------------------------------------------------------------------------------- */

static bool same_kernel(const Program *p, const Kernel *a, const Kernel *b) {
    if (a->def != b->def || a->op_bindings || b->op_bindings || a->input_count != b->input_count || a->integer_count != b->integer_count) return false;
    if (a->op->def->expression || a->op->def->accumulates || b->op->def->accumulates) {
        bool helper = a->outputs[0] != a->op->outputs[0] && b->outputs[0] != b->op->outputs[0]; /* a padding, say */
        if (!helper) return false;
    }
    for (int i = 0; i < a->input_count; i++)
        if (storage(p, a->inputs[i]) != storage(p, b->inputs[i])) return false;
    for (int i = 0; i < a->integer_count; i++)
        if (strcmp(a->integers[i].name, b->integers[i].name) || a->integers[i].value != b->integers[i].value) return false;
    return true;
}

/* Of what same_kernel compares: the same for kernels that it finds to be the same. */
static size_t hash_of(const Program *p, const Kernel *k) {
    uint64_t h = hash_text(HASH_START, k->def->template);
    for (int i = 0; i < k->input_count; i++) h = hash_number(h, (uint64_t)storage(p, k->inputs[i])->id);
    for (int i = 0; i < k->integer_count; i++) h = hash_number(h, (uint64_t)k->integers[i].value);
    return (size_t)(h ^ h >> 32);
}

/* Kernels of one hash are a list, in their order: each is compared with those before it. Whatever a kernel reads was made before
 * it, so that what its inputs are aliases of is known by then. */
static void share_common(Program *p) {
    size_t lists = 64;
    while (lists < (size_t)p->kernel_count) lists *= 2;
    int *first = NEW_ARRAY(p->arena, int, lists), *next = NEW_ARRAY(p->arena, int, p->kernel_count); /* positions from 1; 0 ends a list */
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *b = p->kernels[i];
        int *place = &first[hash_of(p, b) & (lists - 1)];
        while (*place && !same_kernel(p, p->kernels[*place - 1], b)) place = &next[*place - 1];
        if (!*place) {
            *place = i + 1;
            continue;
        }
        const Kernel *a = p->kernels[*place - 1];
        for (int k = 0; k < a->output_count; k++) p->alias[b->outputs[k]->id] = a->outputs[k];
        p->kernels[i] = NULL;
    }
    remove_gone_kernels(p);
}

/* ---- dead kernels ------------------------------------------------------------------------------------------------------ */

/* A parameter that is made: a moving average. */
static bool is_result(Role role) { return role == ROLE_OUTPUT || role == ROLE_INPUT_GRADIENT || role == ROLE_PARAMETER_GRADIENT || role == ROLE_TOTAL || role == ROLE_PARAMETER; }

static void remove_dead(Program *p) {
    bool *read = NEW_ARRAY(p->arena, bool, p->tensor_count);
    for (int i = p->kernel_count - 1; i >= 0; i--) {
        Kernel *k = p->kernels[i];
        bool needed = false;
        for (int j = 0; j < k->output_count; j++) needed = needed || is_result(k->outputs[j]->role) || read[storage(p, k->outputs[j])->id];
        for (int j = 0; needed && j < k->input_count; j++) read[storage(p, k->inputs[j])->id] = true;
        if (!needed) p->kernels[i] = NULL;
    }
    remove_gone_kernels(p);
}

/* ---- copies ---------------------------------------------------------------------------------------------------------------- */

static int count_readings(const Program *p, const Tensor *t) {
    int n = 0;
    for (int i = 0; i < p->kernel_count; i++)
        for (int k = 0; k < p->kernels[i]->input_count; k++) n += storage(p, p->kernels[i]->inputs[k]) == t;
    return n;
}

static void make_in_place(Program *p) {
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *copy = p->kernels[i];
        if (copy->outputs[0]->role != ROLE_OUTPUT || !copy->op->def->copies || !copy->op->def->copies(copy->op)) continue;
        const Tensor *t = storage(p, copy->inputs[0]);
        if (count_readings(p, t) != 1) continue;
        bool made = false;
        for (int k = 0; k < i; k++)
            for (int j = 0; p->kernels[k] && j < p->kernels[k]->output_count; j++) {
                if (storage(p, p->kernels[k]->outputs[j]) != t) continue;
                p->kernels[k]->outputs[j] = copy->outputs[0];
                made = true;
            }
        if (made) p->kernels[i] = NULL;
        remove_gone_kernels(p);
        i -= made;
    }
}

void simplify(Program *p) {
    grow_aliases(p);
    share_common(p);
    remove_dead(p);
    if (p->entry >= ENTRY_ONE) make_in_place(p);
}
