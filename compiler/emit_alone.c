/* emit_alone.c: the entry points of code that stands alone: that of a single example, which has no loops, and that of many; and, where
 * weights are not known, what derives from parameters what they read, once. */
#include "emit.h"

const char *pack_function(const Emitter *e, const Target *t) { return arena_printf(e->arena, "%s_pack_%s", e->graph->name, t->name); }

/* Whether a kernel that predicts reads it; others are on the way to what one reads. */
static bool is_predicted_from(const Program *p, const Constant *c) {
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n && p->kernels[i]->def->level != LEVEL_DERIVE; k++)
            if (p->constants[storage(p, all[k])->id] == c) return true;
    }
    return false;
}

/* The parameters as the entry point, or what packs them, reads them in memory: a record each, with `copy`, what they are copied from
 * ("": a kernel makes them). None where they are constants. */
static void bind_packed(const Emitter *e, const Program *p, bool packing, Bindings *b) {
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, p->tensor_count);
    int n = 0;
    for (int id = 0; id < p->tensor_count; id++) {
        const Constant *c = p->constants[id];
        if (!c || c->values || (!packing && !is_predicted_from(p, c))) continue;
        Bindings *r = records[n++] = bindings_new(e->arena, NULL);
        bind_string(r, "type", type_text(e, c->tensor));
        bind_string(r, "name", c->name);
        bind_int(r, "offset", (int64_t)c->offset);
        bind_int(r, "count", c->count);
        bind_string(r, "copy", c->tensor->role == ROLE_PARAMETER ? first_element(e, "p", c->tensor, c->tensor->shape) : "");
    }
    bind_records(b, "packed", records, n);
}

/* By kernel, calls of those that derive, or of the others; NULL for the rest. NULL after an error. */
static const char **calls_of(Emitter *e, const Program *p, bool derive, const Bindings *target, Functions *known, StrBuf *out) {
    const char **calls = NEW_ARRAY(e->arena, const char *, p->kernel_count + 1);
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        if ((k->def->level == LEVEL_DERIVE) != derive) continue;
        const char *function = kernel_function(e, p, k, target, known, out);
        if (!function) return NULL;
        calls[i] = call_text(e, p, k, false, function);
    }
    return calls;
}

/* Kernels that derive come first. */
static int deriving(const Program *p) {
    int n = 0;
    while (n < p->kernel_count && p->kernels[n]->def->level == LEVEL_DERIVE) n++;
    return n;
}

static bool emit_pack(Emitter *e, const Program *p, const Bindings *target, Functions *known, StrBuf *out) {
    const char **calls = calls_of(e, p, true, target, known, out);
    if (!calls) return false;
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", pack_function(e, p->target));
    bind_packed(e, p, true, b);
    bind_strings(b, "calls", calls, deriving(p));
    strbuf_add(out, "\n");
    return expand(e, "pack", b, out);
}

/* The caller's arrays, and by how many elements an example is long in each. */
static void bind_steps(const Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, g->input_count + g->output_count);
    int n = 0;
    for (int k = 0; k < g->input_count + g->output_count; k++) {
        bool in = k < g->input_count;
        int i = in ? k : k - g->input_count, total = in ? g->input_count : g->output_count;
        const char *word = in ? "input" : "output";
        records[n] = bindings_new(e->arena, NULL);
        bind_string(records[n], "name", total == 1 ? word : arena_printf(e->arena, "%s_%d", word, i));
        bind_int(records[n++], "count", shape_count((in ? g->inputs[i] : g->outputs[i])->shape));
    }
    bind_records(b, "steps", records, n);
}

bool emit_alone(Emitter *e, const Program *p, const Bindings *target, Functions *known, StrBuf *out) {
    bool packs = !e->options->weights_path, many = p->entry == ENTRY_MANY;
    if (packs && !many && !emit_pack(e, p, target, known, out)) return false;
    const char **calls = calls_of(e, p, false, target, known, out);
    if (!calls) return false;
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", entry_function(e, p->entry, p->target));
    bind_string(b, "arrays", predict_parameters(e));
    bind_int(b, "packs", packs);
    bind_packed(e, p, false, b);
    bind_buffers(e, p, -1, b);
    if (many) {
        bind_int(b, "most", p->examples);
        bind_steps(e, b);
        bind_loops(e, p, 0, calls, b);
    } else {
        bind_strings(b, "calls", calls + deriving(p), p->kernel_count - deriving(p));
    }
    strbuf_add(out, "\n");
    return expand(e, many ? "many" : "one", b, out);
}
