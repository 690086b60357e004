/* emit_one.c: the entry point of a single example, which has no loops; and, where weights are not known, what derives from
 * parameters what it reads, once. */
#include "emit.h"

const char *pack_function(const Emitter *e, const Target *t) { return arena_printf(e->arena, "%s_pack_%s", e->graph->name, t->name); }

/* The parameters as the entry point reads them, in memory: a record each, with `copy`, what they are copied from ("": a kernel makes
 * them). None where they are constants. */
static void bind_packed(const Emitter *e, const Program *p, Bindings *b) {
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, p->tensor_count);
    int n = 0;
    for (int id = 0; id < p->tensor_count; id++) {
        const Constant *c = p->constants[id];
        if (!c || c->values) continue;
        Bindings *r = records[n++] = bindings_new(e->arena, NULL);
        bind_string(r, "type", type_text(e, c->tensor));
        bind_string(r, "name", c->name);
        bind_int(r, "offset", (int64_t)c->offset);
        bind_int(r, "count", c->count);
        bind_string(r, "copy", c->tensor->role == ROLE_PARAMETER ? first_element(e, "p", c->tensor, c->tensor->shape) : "");
    }
    bind_records(b, "packed", records, n);
}

/* Calls of the kernels that derive, or of the others. NULL after an error. */
static const char **calls_of(Emitter *e, const Program *p, bool derive, const Bindings *target, Functions *known, StrBuf *out, int *n) {
    const char **calls = NEW_ARRAY(e->arena, const char *, p->kernel_count);
    *n = 0;
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        if ((k->def->level == LEVEL_DERIVE) != derive) continue;
        const char *function = kernel_function(e, p, k, target, known, out);
        if (!function) return NULL;
        calls[(*n)++] = call_text(e, p, k, false, function);
    }
    return calls;
}

static bool emit_pack(Emitter *e, const Program *p, const Bindings *target, Functions *known, StrBuf *out) {
    int n;
    const char **calls = calls_of(e, p, true, target, known, out, &n);
    if (!calls) return false;
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", pack_function(e, p->target));
    bind_packed(e, p, b);
    bind_strings(b, "calls", calls, n);
    strbuf_add(out, "\n");
    return expand(e, "pack", b, out);
}

bool emit_one(Emitter *e, const Program *p, const Bindings *target, Functions *known, StrBuf *out) {
    int n;
    bool packs = !e->options->weights_path;
    if (packs && !emit_pack(e, p, target, known, out)) return false;
    const char **calls = calls_of(e, p, false, target, known, out, &n);
    if (!calls) return false;
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", entry_function(e, p->entry, p->target));
    bind_string(b, "arrays", predict_parameters(e));
    bind_int(b, "packs", packs);
    bind_packed(e, p, b);
    bind_buffers(e, p, b);
    bind_strings(b, "calls", calls, n);
    strbuf_add(out, "\n");
    return expand(e, "one", b, out);
}
