/* emit_standalone.c: files that only predict and need nothing beside them: parameters as constants or packed at run time. */
#include "emit.h"
#include "ops/ops.h"

#include <math.h>

/* ---- numbers ---------------------------------------------------------------------------------------------------------- */

/* A float as a hexadecimal constant of C, exact and as short as it can be: the same text on every machine. */
static void add_real(StrBuf *out, float x) {
    enum { WIDTH = 24 };
    int exponent;
    double mantissa = frexp((double)x, &exponent);
    uint64_t bits = (uint64_t)ldexp(fabs(mantissa), WIDTH);
    if (!bits) {
        strbuf_add(out, signbit(mantissa) ? "-0." : "0");
        return;
    }
    for (exponent -= WIDTH; !(bits & 15); bits >>= 4) exponent += 4;
    strbuf_printf(out, "%s0x%llxp%d", mantissa < 0 ? "-" : "", (unsigned long long)bits, exponent);
}

static void add_constant(const Emitter *e, const Constant *c, StrBuf *out) {
    enum { A_LINE = 8 };
    strbuf_printf(out, "\n/* %s%s */\n%s_ALIGN static const %s %s[%lld] = {", c->tensor->name, c_dims(e->arena, c->tensor->shape), e->upper, e->real, constant_name(e, c), (long long)c->count);
    for (int64_t i = 0; i < c->count; i++) {
        strbuf_add(out, i % A_LINE ? "," : i ? ",\n    " : "\n    ");
        add_real(out, (float)c->values[i]);
    }
    strbuf_add(out, "\n};\n");
}

/* ---- the files ---------------------------------------------------------------------------------------------------------- */

static int64_t workspace_of(Program *const *programs, int n, Entry last) {
    size_t most = 64;
    for (int i = 0; i < n; i++)
        if (programs[i]->entry <= last && programs[i]->workspace > most) most = programs[i]->workspace;
    return (int64_t)most;
}

/* Of the kernel with the most arrays of its own, what written-out kernels, which may be inlined into one function, keep at hand, and what
 * any function needs for registers that it saves and spills. */
static int64_t stack_of_program(const Program *p) {
    enum { FRAMES = 4096, SCALAR_FRAMES = 1024 };
    int64_t arrays = 0, held = 0;
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        if (k->stack > arrays) arrays = k->stack;
        if (kernel_has(k, "WRITTEN_OUT") && kernel_get(k, "WRITTEN_OUT") && kernel_has(k, "HELD")) held += kernel_get(k, "HELD");
    }
    return arrays + held + (p->target->lanes > 1 ? FRAMES : SCALAR_FRAMES);
}

static int64_t stack_of(Program *const *programs, int n) {
    int64_t most = 0;
    for (int i = 0; i < n; i++)
        if (stack_of_program(programs[i]) > most) most = stack_of_program(programs[i]);
    return most;
}

static bool emit_header(Emitter *e, const Bindings *common, Program *const *programs, int n, StrBuf *out) {
    Bindings *b = bindings_new(e->arena, common);
    bool packs = !e->options->weights_path;
    bind_string(b, "banner", banner(e, e->options->header));
    bind_int(b, "packs", packs);
    bind_int(b, "packed_bytes", (int64_t)e->constants->bytes);
    bind_optional(b, "packed_bytes");
    bind_parameters(e, b);
    bind_int(b, "workspace", workspace_of(programs, n, ENTRY_ONE));
    bind_int(b, "many_workspace", workspace_of(programs, n, ENTRY_MANY));
    bind_int(b, "stack", stack_of(programs, n));
    bind_arrays(e, b);
    bind_architecture(e, b);
    return template_expand(e->templates, "standalone_header", b, out, e->message);
}

/* The caller's arrays, a place further with each example. */
static const char *arguments_of(const Emitter *e) {
    const Graph *g = e->graph;
    const char *text = "";
    for (int k = 0; k < g->input_count + g->output_count; k++) {
        bool in = k < g->input_count;
        const Tensor *t = in ? g->inputs[k] : g->outputs[k - g->input_count];
        int i = in ? k : k - g->input_count, total = in ? g->input_count : g->output_count;
        const char *word = in ? "input" : "output", *name = total == 1 ? word : arena_printf(e->arena, "%s_%d", word, i);
        text = arena_printf(e->arena, "%s, %s + (size_t)i * %lld", text, name, (long long)shape_count(t->shape));
    }
    return text;
}

static const char *names_of(const Emitter *e) {
    return arena_printf(e->arena, "%s, %s", array_names(e, e->graph->input_count, "input"), array_names(e, e->graph->output_count, "output"));
}

/* What has to be defined for there to be a variant at all: the plain C is always there, x86 has vectors of 16 bytes, too. */
static const char *needed_macro(const Emitter *e) {
    const char *needs = "X86";
    for (int i = 0; i < e->options->target_count; i++) {
        const Target *t = e->options->targets[i];
        if (t->lanes == 1) return "";
        if (!t->attribute) needs = "VECTORS";
    }
    return arena_printf(e->arena, "%s_%s", e->upper, needs);
}

static bool emit_source(Emitter *e, const Bindings *common, Program *const *programs, int n, StrBuf *out) {
    const Options *o = e->options;
    Bindings *b = bindings_new(e->arena, common), **variants = NEW_ARRAY(e->arena, Bindings *, o->target_count);
    for (int i = 0; i < o->target_count; i++) {
        const char *text = emit_variant(e, o->targets[i], programs, n);
        if (!text) return false;
        variants[i] = variant_bindings(e, o->targets[i], text);
        bind_string(variants[i], "pack", pack_function(e, o->targets[i]));
        bind_string(variants[i], "one", entry_function(e, ENTRY_ONE, o->targets[i]));
        bind_string(variants[i], "many", entry_function(e, ENTRY_MANY, o->targets[i]));
        bind_optional(variants[i], "many");
    }
    StrBuf constants = {0};
    strbuf_add(&constants, "");
    for (int i = 0; i < e->constants->length; i++) add_constant(e, e->constants->items[i], &constants);
    bind_string(b, "constants", constants.text);
    bind_optional(b, "constants");
    bind_int(b, "packs", !o->weights_path);
    bind_int(b, "loops", o->optimize == OPTIMIZE_SIZE);
    bind_optional(b, "arguments");
    bind_records(b, "variants", variants, o->target_count);
    bind_string(b, "needs", needed_macro(e));
    bind_string(b, "banner", banner(e, e->graph->name));
    bind_string(b, "header", o->header);
    bind_string(b, "arguments", arguments_of(e));
    bind_string(b, "names", names_of(e));
    bind_architecture(e, b);
    bind_memory(e, programs, n, b);
    bool fine = template_expand(e->templates, "standalone", b, out, e->message);
    strbuf_free(&constants);
    return fine;
}

bool emit_standalone(Emitter *e, const Bindings *common, Program *const *programs, int n, StrBuf *c, StrBuf *h) {
    return emit_header(e, common, programs, n, h) && emit_source(e, common, programs, n, c);
}
