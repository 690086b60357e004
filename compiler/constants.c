/* constants.c: what depends on parameters alone: what kernels derive, as far as others read it, and parameters that are read as they
 * are. Where weights are known kernels that derive are run here, in double precision. */
#include "cnnc.h"

#include <string.h>

enum { ALIGNMENT = 64 }; /* the first so many bytes say which program has filled the memory */

typedef struct Finder {
    Program *program;
    const Program *one;     /* of many examples: the program of one, whose memory it reads; else NULL */
    const double **values;  /* by id, where weights are known */
    Constants *found;
    size_t end;             /* of the memory, where they are not */
} Finder;

static int64_t elements_of(const Program *p, Tensor *t) {
    return t->role == ROLE_PARAMETER ? shape_count(t->shape) : (int64_t)p->buffers[t->id].size / element_size(p, t->type);
}

static void derive(Finder *f) {
    const Program *p = f->program;
    for (int i = 0; i < p->kernel_count && p->kernels[i]->def->level == LEVEL_DERIVE; i++) {
        const Kernel *k = p->kernels[i];
        Tensor *to = storage(p, k->outputs[0]);
        const double **in = NEW_ARRAY(p->arena, const double *, k->input_count);
        double *values = NEW_ARRAY(p->arena, double, elements_of(p, to));
        for (int j = 0; j < k->input_count; j++) {
            Tensor *from = storage(p, k->inputs[j]);
            in[j] = from->role == ROLE_PARAMETER ? from->values : f->values[from->id];
        }
        if (k->def->combine) k->def->combine(k, in, values);
        else if (k->def->evaluate) k->def->evaluate(k, in[0], values);
        else bug("kernel '%s' derives what no constant can be", k->name);
        f->values[to->id] = values;
    }
}

/* The same numbers with whatever name they have, else new ones. */
static const Constant *constant_of(Finder *f, const Tensor *t, const double *values, int64_t count) {
    Constants *all = f->found;
    bool taken = false;
    for (int i = 0; i < all->length; i++) {
        if (all->items[i]->count == count && !memcmp(all->items[i]->values, values, sizeof *values * (size_t)count)) return all->items[i];
        taken = taken || !strcmp(all->items[i]->name, t->name);
    }
    Constant *c = NEW(f->program->arena, Constant);
    const char *name = taken ? arena_printf(f->program->arena, "%s_%s", t->name, f->program->target->name) : t->name;
    *c = (Constant){name, t, values, count, 0};
    *PUSH(f->program->arena, all->items, all->length) = c;
    return c;
}

static const Constant *place_of(Finder *f, Tensor *t) {
    Constant *c = NEW(f->program->arena, Constant);
    *c = (Constant){t->name, t, NULL, elements_of(f->program, t), f->end};
    f->end += ((size_t)(c->count * element_size(f->program, TYPE_REAL)) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return c;
}

/* What the program of one example reads in t's place: the parameter, or what the same kernel derives. */
static const Constant *shared_place(const Program *one, const Program *p, const Tensor *t) {
    if (t->role == ROLE_PARAMETER) return one->constants[t->id];
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        if (k->outputs[0] != t) continue;
        for (int j = 0; j < one->kernel_count; j++)
            if (one->kernels[j]->def == k->def && one->kernels[j]->op == k->op) return one->constants[one->kernels[j]->outputs[0]->id];
    }
    return NULL;
}

static const Constant *find_place(Finder *f, Tensor *t) {
    if (!f->one) return place_of(f, t);
    const Constant *c = shared_place(f->one, f->program, t);
    if (!c) bug("many examples read '%s', which one does not", t->name);
    return c;
}

static void find_read(Finder *f) {
    Program *p = f->program;
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        bool derives = p->kernels[i]->def->level == LEVEL_DERIVE;
        if (derives && (f->values || f->one)) continue;
        for (int k = 0; k < n; k++) {
            Tensor *t = storage(p, all[k]);
            if (p->constants[t->id] || (t->role != ROLE_PARAMETER && t->role != ROLE_DERIVED)) continue;
            if (derives && t->role == ROLE_PARAMETER) continue; /* these read the caller's */
            if (!f->values) p->constants[t->id] = find_place(f, t);
            else p->constants[t->id] = constant_of(f, t, t->role == ROLE_PARAMETER ? t->values : f->values[t->id], elements_of(p, t));
        }
    }
}

void find_constants(const Graph *g, Program *const *programs, int n, bool known, Constants *found) {
    for (int i = 0; i < n; i++) {
        const Program *one = programs[i]->entry == ENTRY_MANY ? programs[i - 1] : NULL;
        Finder f = {programs[i], one, known ? NEW_ARRAY(g->arena, const double *, programs[i]->tensor_count) : NULL, found, ALIGNMENT};
        programs[i]->constants = NEW_ARRAY(g->arena, const Constant *, programs[i]->tensor_count);
        if (known) derive(&f);
        find_read(&f);
        if (f.end > found->bytes) found->bytes = f.end;
    }
}
