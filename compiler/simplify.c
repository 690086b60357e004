/* simplify.c: fewer and smaller kernels, by rules that hold for any network.
 *
 *   the same kernel twice        -> once (a padded input serves forward and the kernel's gradient)
 *   f'(y) * route(dy)            -> route(f'(pooled y) * dy): a quarter of the work, and the large y can die
 *   sum of route(dy)             -> sum of dy
 *   a kernel that nothing reads  -> gone */
#include "cnnc.h"

#include <string.h>

static int reader_count(const Program *p, Tensor *t) {
    int n = 0;
    for (int i = 0; i < p->kernel_count; i++)
        for (int k = 0; k < p->kernels[i]->input_count; k++) n += storage(p, p->kernels[i]->inputs[k]) == t;
    return n;
}

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

/* ---- gradients on the small side of a pooling ------------------------------------------------------------------------- */

/* The kernel that routes what k reads as dy, if k is its only reader. -1: none. */
static int routing_before(const Program *p, const Kernel *k) {
    Tensor *dy = storage(p, k->inputs[0]);
    int g = kernel_making(p, dy);
    return g >= 0 && p->kernels[g]->op->def->routes_dy ? g : -1;
}

static bool commute_scaling(Program *p, int at) {
    Kernel *scale = p->kernels[at];
    if (!scale->op->def->scales_dy || scale->outputs[0] != scale->op->outputs[0]) return false;
    int g = routing_before(p, scale);
    if (g < 0 || reader_count(p, storage(p, scale->inputs[0])) != 1) return false;
    Kernel *route = p->kernels[g];
    const Op *pool = route->op->forward;
    if (storage(p, scale->inputs[1]) != storage(p, pool->inputs[0])) return false;
    Tensor *small = program_tensor(p, arena_printf(p->arena, "%s_pooled", scale->outputs[0]->name), pool->outputs[0]->shape, ROLE_GRADIENT);
    Tensor *large = scale->outputs[0];
    scale->inputs[0] = route->inputs[0];
    scale->inputs[1] = pool->outputs[0];
    scale->outputs[0] = small;
    scale->flops = (double)shape_count(small->shape);
    kernel_int(p, scale, "ROWS", row_count(small->shape));
    route->inputs[0] = small;
    route->outputs[0] = large;
    memmove(&p->kernels[g + 1], &p->kernels[g], sizeof *p->kernels * (size_t)(at - g));
    p->kernels[g] = scale;
    return true;
}

static void commute_sum(Program *p, int at) {
    Kernel *sum = p->kernels[at];
    int g = sum->op->def->sums_dy ? routing_before(p, sum) : -1;
    if (g < 0) return;
    Op *smaller = NEW(p->arena, Op);
    *smaller = *sum->op;
    smaller->inputs = NEW(p->arena, Tensor *);
    smaller->inputs[0] = sum->inputs[0] = p->kernels[g]->inputs[0];
    sum->op = smaller;
    sum->flops = sum->op->def->flops(smaller);
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
    for (int i = 0; i < p->kernel_count; i++) commute_scaling(p, i);
    for (int i = 0; i < p->kernel_count; i++) commute_sum(p, i);
    grow_aliases(p);
    remove_dead(p);
}
