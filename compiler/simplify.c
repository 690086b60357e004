/* simplify.c: fewer kernels, by rules that hold for any network.
 *
 *   the same kernel twice        -> once (a padded input serves forward and the kernel's gradient)
 *   a kernel that nothing reads  -> gone */
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

static void share_common(Program *p) {
    for (int i = 0; i < p->kernel_count; i++)
        for (int j = i + 1; j < p->kernel_count;) {
            Kernel *a = p->kernels[i], *b = p->kernels[j];
            if (!same_kernel(p, a, b)) {
                j++;
                continue;
            }
            for (int k = 0; k < a->output_count; k++) p->alias[b->outputs[k]->id] = a->outputs[k];
            remove_kernel(p, j);
        }
}

/* ---- dead kernels ------------------------------------------------------------------------------------------------------ */

static bool is_result(Role role) { return role == ROLE_OUTPUT || role == ROLE_INPUT_GRADIENT || role == ROLE_PARAMETER_GRADIENT || role == ROLE_TOTAL; }

static void remove_dead(Program *p) {
    bool *read = NEW_ARRAY(p->arena, bool, p->tensor_count);
    for (int i = p->kernel_count - 1; i >= 0; i--) {
        Kernel *k = p->kernels[i];
        bool needed = false;
        for (int j = 0; j < k->output_count; j++) needed = needed || is_result(k->outputs[j]->role) || read[storage(p, k->outputs[j])->id];
        for (int j = 0; needed && j < k->input_count; j++) read[storage(p, k->inputs[j])->id] = true;
        if (!needed) remove_kernel(p, i);
    }
}

void simplify(Program *p) {
    grow_aliases(p);
    share_common(p);
    remove_dead(p);
}
