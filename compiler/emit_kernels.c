/* emit_kernels.c: a program's kernels and entry points as C functions of one target. Two kernels with the same text are
 * one function. */
#include "emit.h"
#include "ops/ops.h"

#include <string.h>

const char *c_dims(Arena *arena, Shape s) {
    const char *text = "";
    for (int i = 0; i < s.rank; i++) text = arena_printf(arena, "%s[%d]", text, s.dim[i]);
    return text;
}

const char *entry_function(const Emitter *e, Entry entry, const Target *target) {
    return arena_printf(e->arena, "%s_%s_%s", e->graph->name, entry_names[entry], target->name);
}

const char *part_function(const Emitter *e, const Program *p, int part) {
    if (!part) return entry_function(e, p->entry, p->target);
    return arena_printf(e->arena, "%s_%s_%s%d_%s", e->graph->name, entry_names[p->entry], part % 2 ? "batch" : "part", part / 2 + part % 2, p->target->name);
}

static const char *attribute_macro(const Emitter *e, const Target *t) {
    char *upper = arena_printf(e->arena, "%s_%s", e->upper, t->name);
    for (char *c = upper; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    return upper;
}

/* Expands a template; blank lines between its definitions do not count as its text. */
bool expand(Emitter *e, const char *template, const Bindings *b, StrBuf *out) {
    bool fine = template_expand(e->templates, template, b, out, e->message);
    while (out->length > 1 && out->text[out->length - 1] == '\n' && out->text[out->length - 2] == '\n') out->text[--out->length] = 0;
    return fine;
}

/* What every template of a target may use. */
static Bindings *target_bindings(const Emitter *e, const Target *t) {
    Bindings *b = bindings_new(e->arena, NULL);
    const char *macro = attribute_macro(e, t);
    bool wide = t->lanes > 1;
    bind_string(b, "T", e->real);
    bind_string(b, "F", e->suffix);
    bind_string(b, "V", t->vector);
    bind_int(b, "L", t->lanes);
    bind_string(b, "net", e->graph->name);
    bind_string(b, "target", t->name);
    bind_string(b, "HEAD", t->attribute ? arena_printf(e->arena, "%s static", macro) : "static");
    bind_string(b, "UNROLL", arena_printf(e->arena, "%s_UNROLL", e->upper));
    const char *word = arena_printf(e->arena, "%s_WORD", e->upper);
    if (wide) word = arena_printf(e->arena, "%s __attribute__((always_inline))", word);
    bind_string(b, "INLINE", t->attribute ? arena_printf(e->arena, "%s %s", macro, word) : word);
    return b;
}

/* ---- arguments ----------------------------------------------------------------------------------------------------- */

const char *type_text(const Emitter *e, const Tensor *t) {
    static const char *const texts[] = {[TYPE_U8] = "uint8_t", [TYPE_I32] = "int32_t", [TYPE_INDEX] = "uint8_t", [TYPE_SET32] = "uint32_t", [TYPE_SET64] = "uint64_t"};
    return t->role == ROLE_TOTAL ? "double" : t->type == TYPE_REAL ? e->real : texts[t->type];
}

static const char *parameter_name(const Emitter *e, const Kernel *k, int i) {
    if (i < k->input_count) return arena_printf(e->arena, "%c", 'a' + i);
    i -= k->input_count;
    if (i < k->extra_count) return arena_printf(e->arena, "e%d", i);
    return arena_printf(e->arena, "%c", "yzvw"[i - k->extra_count]);
}

static const char *signature_of(const Emitter *e, const Program *p, const Kernel *k) {
    int n;
    Tensor **all = kernel_arguments(p, k, &n);
    const char *text = k->def->starts && adds_to_gradient(k) ? "int fresh, " : "";
    for (int i = 0; i < n; i++) {
        bool read_only = i < k->input_count + k->extra_count;
        const char *comma = i ? ", " : "", *constant = read_only ? "const " : "";
        if (all[i]->role == ROLE_SCALE) text = arena_printf(e->arena, "%s%s%s %s", text, comma, type_text(e, all[i]), parameter_name(e, k, i));
        else if (all[i]->role == ROLE_KEY) text = arena_printf(e->arena, "%s%suint64_t %s", text, comma, parameter_name(e, k, i));
        else text = arena_printf(e->arena, "%s%s%s%s *restrict %s", text, comma, constant, type_text(e, all[i]), parameter_name(e, k, i));
    }
    return text;
}

const char *first_element(const Emitter *e, const char *base, const Tensor *w, Shape shape) {
    const char *text = arena_printf(e->arena, "&%s->%s.%s", base, w->layer->name, w->weight);
    for (int i = 0; i < shape.rank; i++) text = arena_printf(e->arena, "%s[0]", text);
    return text;
}

/* The parameter whose gradient t is. */
static const Tensor *gradient_owner(const Emitter *e, const Tensor *t) {
    const Tensor *owner = e->graph->parameters[t->index];
    if (owner->gradient != t) bug("the gradient '%s' belongs to no parameter", t->name);
    return owner;
}

static const char *row_of(const Emitter *e, const char *constant, const Tensor *t, const char *array, const char *row) {
    return arena_printf(e->arena, "(%s%s *)batch->%s[%d] + %s * %lld", constant, type_text(e, t), array, t->index, row, (long long)shape_count(t->shape));
}

const char *constant_name(const Emitter *e, const Constant *c) { return c->values ? arena_printf(e->arena, "%s_%s", e->graph->name, c->name) : c->name; }

/* Of code that stands alone: the caller's array, or the part of it that a kernel on this level works on. */
static const char *caller_array(const Emitter *e, const Program *p, const Tensor *t, Level level) {
    bool in = t->role == ROLE_INPUT;
    const char *name = in ? "input" : "output";
    if ((in ? e->graph->input_count : e->graph->output_count) > 1) name = arena_printf(e->arena, "%s_%d", name, t->index);
    if (p->entry == ENTRY_ONE || level == LEVEL_SHARD) return name;
    return arena_printf(e->arena, "%s + (size_t)%s * %lld", name, level == LEVEL_BLOCK ? "at" : "i", (long long)shape_count(t->shape));
}

/* How a kernel's argument is written in the entry point. */
static const char *argument_text(const Emitter *e, const Program *p, Tensor *t, Level level) {
    t = storage(p, t);
    if (level != LEVEL_DERIVE && p->constants && p->constants[t->id]) return constant_name(e, p->constants[t->id]);
    if (p->entry >= ENTRY_ONE && (t->role == ROLE_INPUT || t->role == ROLE_OUTPUT)) return caller_array(e, p, t, level);
    switch (t->role) {
    case ROLE_INPUT: return row_of(e, "const ", t, "inputs", "row");
    case ROLE_TARGET: return row_of(e, "const ", t, "targets", "row");
    case ROLE_OUTPUT: return row_of(e, "", t, "outputs", "(size_t)(first + i)");
    case ROLE_INPUT_GRADIENT: return row_of(e, "", t, "input_gradients", "(size_t)(first + i)");
    case ROLE_PARAMETER: return first_element(e, "p", t, t->shape);
    case ROLE_PARAMETER_GRADIENT: return first_element(e, "g", gradient_owner(e, t), t->shape);
    case ROLE_TOTAL: return t->index ? arena_printf(e->arena, "totals + %d", t->index) : "totals";
    case ROLE_KEY: return "cnnc_key(net->state.seed, net->state.step, (uint64_t)(first + i))";
    case ROLE_SCALE: return factor_of(t) == 1 ? "scale" : arena_printf(e->arena, "scale * %s%s", arena_real(e->arena, t->factor), e->suffix);
    default: break;
    }
    const Buffer *b = &p->buffers[t->id];
    long long step = example_stride(t);
    if (b->examples == 1 || level <= LEVEL_SHARD || (level == LEVEL_BLOCK && !b->per_shard)) return t->name;
    if (level == LEVEL_BLOCK) return arena_printf(e->arena, "%s + at * %lld", t->name, step);
    return arena_printf(e->arena, b->per_shard ? "%s + i * %lld" : "%s + (i - at) * %lld", t->name, step);
}

/* ---- one kernel ---------------------------------------------------------------------------------------------------- */

static bool channelwise(const Op *op, int input) { return op->def->channelwise & 1 << input; }

static void bind_epilogues(const Emitter *e, const Kernel *k, Bindings *b) {
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, k->epilogue_count);
    for (int i = 0; i < k->epilogue_count; i++) {
        const Epilogue *epilogue = &k->epilogues[i];
        int operand = epilogue->op->input_count > 1 ? 1 - epilogue->acc : 0;
        records[i] = bindings_new(e->arena, NULL);
        bind_string(records[i], "expression", op_expression(e->arena, epilogue->op));
        bind_int(records[i], "acc", epilogue->acc);
        bind_string(records[i], "operand", arena_printf(e->arena, "e%d", epilogue->first_extra));
        bind_int(records[i], "channelwise", channelwise(epilogue->op, operand));
    }
    bind_records(b, "epilogues", records, k->epilogue_count);
    bind_optional(b, "epilogues");
}

static void bind_elementwise(const Emitter *e, const Kernel *k, Bindings *b) {
    const char *const names[] = {"channelwise_a", "channelwise_b"};
    bind_string(b, "expression", op_expression(e->arena, k->op));
    bind_int(b, "binary", k->input_count > 1);
    for (int i = 0; i < 2; i++) {
        bind_int(b, names[i], channelwise(k->op, i));
        bind_optional(b, names[i]);
    }
}

static Bindings *kernel_bindings(const Emitter *e, const Program *p, const Kernel *k, const Bindings *target, const char *name) {
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", name);
    bind_string(b, "signature", signature_of(e, p, k));
    for (int i = 0; i < k->integer_count; i++) {
        bind_int(b, k->integers[i].name, k->integers[i].value);
        bind_optional(b, k->integers[i].name);
    }
    if (k->def->bind) k->def->bind(p, k, b);
    if (k->op_bindings && k->op->def->bind) k->op->def->bind(k->op, b);
    if (k->outputs[0]->role == ROLE_TOTAL) {
        bind_string(b, "weight", k->op && is_weighted(k->op) ? "(double)*c * " : "");
        bind_optional(b, "weight");
    }
    if (k->def->epilogue) bind_epilogues(e, k, b);
    if (k->op && k->def->epilogue && !k->def->schedule) bind_elementwise(e, k, b);
    if (k->def->pools) {
        bind_int(b, "pooled", k->pool != NULL);
        bind_int(b, "argmax", k->pool && k->output_count > 1);
        bind_optional(b, "argmax");
    }
    return b;
}

static void add_comment(const Emitter *e, const Program *p, const Kernel *k, StrBuf *out) {
    int n;
    Tensor **all = kernel_arguments(p, k, &n);
    bool helper = k->outputs[0]->producer == NULL;
    strbuf_printf(out, "\n/* %s", helper ? k->def->template : k->op->def->equation);
    for (int i = 0; i < k->epilogue_count; i++) strbuf_printf(out, ";  %s", k->epilogues[i].op->def->equation);
    if (k->pool) strbuf_printf(out, ";  %s", k->pool->def->equation);
    strbuf_add(out, "\n *");
    for (int i = 0; i < n; i++) strbuf_printf(out, "%s %s %s%s", i ? "," : "", parameter_name(e, k, i), all[i]->name, c_dims(e->arena, all[i]->shape));
    strbuf_add(out, "\n * ");
    for (int i = 0; i < k->integer_count; i++)
        if (!strcmp(k->integers[i].name, "VECTORS")) strbuf_printf(out, "tile %lld vectors deep; ", (long long)k->integers[i].value);
    strbuf_printf(out, "%.0f FLOPs an example; template %s */\n", k->flops, k->def->template);
}

const char *kernel_function(Emitter *e, const Program *p, const Kernel *k, const Bindings *target, Functions *known, StrBuf *out) {
    StrBuf text = {0};
    static const char placeholder[] = "@"; /* cannot stand in C: no name has it */
    if (!expand(e, k->def->template, kernel_bindings(e, p, k, target, placeholder), &text)) return NULL;
    const char *name = map_get(&known->by_text, text.text);
    if (name) {
        strbuf_free(&text);
        return name;
    }
    name = arena_printf(e->arena, "%s_%s_%s", e->graph->name, k->name, p->target->name);
    for (int i = 2; map_get(&known->by_name, name); i++) name = arena_printf(e->arena, "%s_%s_%d_%s", e->graph->name, k->name, i, p->target->name);
    map_set(e->arena, &known->by_text, arena_string(e->arena, text.text, text.length), name);
    map_set(e->arena, &known->by_name, name, name);
    add_comment(e, p, k, out);
    for (const char *at = text.text, *next; *at; at = next + 1) {
        next = strchr(at, '@');
        strbuf_add_n(out, at, next ? (size_t)(next - at) : strlen(at));
        if (!next) break;
        strbuf_add(out, name);
    }
    strbuf_free(&text);
    return name;
}

/* ---- an entry point -------------------------------------------------------------------------------------------------- */

/* By kernel: whether it is the first one that adds to the gradient of a parameter. */
static const bool *first_adders(const Emitter *e, const Program *p) {
    bool *first = NEW_ARRAY(e->arena, bool, p->kernel_count), *made = NEW_ARRAY(e->arena, bool, e->graph->parameter_count);
    for (int i = 0; i < p->kernel_count; i++) {
        if (!adds_to_gradient(p->kernels[i])) continue;
        bool *seen = &made[gradient_owner(e, p->kernels[i]->outputs[0])->index];
        first[i] = !*seen;
        *seen = true;
    }
    return first;
}

const char *call_text(const Emitter *e, const Program *p, const Kernel *k, bool first, const char *function) {
    int n;
    Tensor **all = kernel_arguments(p, k, &n);
    const char *count = k->def->level == LEVEL_BATCH ? "batch->n, " : k->def->level == LEVEL_SHARD ? "n, " : k->def->level == LEVEL_BLOCK ? "m, " : k->def->counts ? "1, " : "";
    if (*count && p->entry == ENTRY_ONE) count = "1, ";
    const char *text = arena_printf(e->arena, "%s(%s", function, count);
    if (k->def->starts && adds_to_gradient(k)) text = arena_printf(e->arena, "%s%s, ", text, first ? "fresh" : "0");
    for (int i = 0; i < n; i++) text = arena_printf(e->arena, "%s%s%s", text, i ? ", " : "", argument_text(e, p, all[i], k->def->level));
    return arena_printf(e->arena, "%s);", text);
}

/* The call between two looks at the clock. */
static const char *timed_call(const Emitter *e, const char *call, int kernel) {
    return arena_printf(e->arena, "%s_timer_start();\n%s\n%s_timer_stop(%d);", e->graph->name, call, e->graph->name, kernel);
}

/* Whether a kernel belongs to a part: those that derive to each that works on shards, which any worker may begin with. part -1: all. */
static bool in_part(const Program *p, int kernel, int part) {
    const Loop *l = &p->loops[p->loop_of[kernel]];
    return part < 0 || (l->level == LEVEL_DERIVE ? part % 2 == 0 : l->part == part);
}

/* By tensor: whether kernels of the part read or make it. */
static const bool *used_by(const Program *p, int part) {
    bool *used = NEW_ARRAY(p->arena, bool, p->tensor_count);
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n && in_part(p, i, part); k++) used[storage(p, all[k])->id] = true;
    }
    return used;
}

static bool reads_rows(const Program *p, const Loop *l) {
    for (int i = l->first; i < l->end; i++)
        for (int k = 0; k < p->kernels[i]->input_count; k++)
            if (p->kernels[i]->inputs[k]->role == ROLE_INPUT || p->kernels[i]->inputs[k]->role == ROLE_TARGET) return true;
    return false;
}

/* What the loop reads of the caller's inputs, one call an input: the next example's comes into the cache meanwhile. Longer ones
 * are left to the processor after their beginning. */
static void bind_ahead(const Emitter *e, const Program *p, const Loop *l, Bindings *record) {
    enum { MOST_BYTES = 4096 };
    const char **calls = NEW_ARRAY(e->arena, const char *, e->graph->input_count);
    int n = 0;
    for (int x = 0; x < e->graph->input_count; x++) {
        const Tensor *t = e->graph->inputs[x];
        bool read = false;
        for (int i = l->first; i < l->end; i++)
            for (int k = 0; k < p->kernels[i]->input_count; k++) read |= p->kernels[i]->inputs[k] == t;
        int64_t bytes = shape_count(t->shape) * element_size(p, t->type);
        if (read) calls[n++] = arena_printf(e->arena, "%s_prefetch(%s, %lld);", e->graph->name, row_of(e, "const ", t, "inputs", "next"), (long long)(bytes < MOST_BYTES ? bytes : MOST_BYTES));
    }
    bind_strings(record, "ahead", calls, n);
}

/* Where a buffer lies: the memory and the place in it. */
static void bind_place(const Emitter *e, const Program *p, const Buffer *b, Bindings *record) {
    size_t base = p->entry >= ENTRY_ONE || b->kept ? 0 : b->derived ? e->memory.entry_base[p->entry] : e->memory.workspace_base;
    bind_string(record, "memory", !b->kept ? "memory" : b->tensor->role == ROLE_BATCH ? "common" : "kept");
    bind_int(record, "base", (int64_t)base);
    bind_int(record, "offset", (int64_t)b->offset);
}

void bind_buffers(const Emitter *e, const Program *p, int part, Bindings *b) {
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, p->tensor_count);
    const bool *used = used_by(p, part);
    int n = 0;
    for (int id = 0; id < p->tensor_count; id++) {
        const Buffer *buffer = &p->buffers[id];
        if (!buffer->used || !used[id] || (p->constants && buffer->derived)) continue;
        const Tensor *t = buffer->tensor;
        Bindings *r = records[n++] = bindings_new(e->arena, NULL);
        bind_string(r, "type", type_text(e, t));
        bind_string(r, "name", t->name);
        bind_place(e, p, buffer, r);
        bind_string(r, "note", arena_printf(e->arena, "%s%s", buffer->examples > 1 ? arena_printf(e->arena, "[%d]", buffer->examples) : "", c_dims(e->arena, t->shape)));
    }
    bind_records(b, "buffers", records, n);
}

static Bindings *segment_record(const Emitter *e, const Program *p, const Segment *s, const char *const *calls) {
    Bindings *record = bindings_new(e->arena, NULL), **loops = NEW_ARRAY(e->arena, Bindings *, s->end - s->first);
    for (int i = s->first; i < s->end; i++) {
        const Loop *l = &p->loops[i];
        Bindings *r = loops[i - s->first] = bindings_new(e->arena, NULL);
        bind_int(r, "each", l->level == LEVEL_EXAMPLE);
        bind_int(r, "rows", p->entry < ENTRY_ONE && reads_rows(p, l)); /* of a batch in any order */
        bind_ahead(e, p, l, r);
        bind_strings(r, "calls", calls + l->first, l->end - l->first);
    }
    bind_records(record, "loops", loops, s->end - s->first);
    bind_int(record, "block", s->block);
    return record;
}

static bool derives(const Program *p) { return p->loop_count && p->loops[0].level == LEVEL_DERIVE; }

void bind_loops(const Emitter *e, const Program *p, int part, const char *const *calls, Bindings *b) {
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, p->segment_count);
    int n = 0;
    for (int i = derives(p) ? 1 : 0; i < p->segment_count; i++)
        if (p->loops[p->segments[i].first].part == part) records[n++] = segment_record(e, p, &p->segments[i], calls);
    bind_records(b, "segments", records, n);
}

/* Gradients that have to be zero before a kernel adds the first sum to them. */
static void bind_cleared(const Emitter *e, const Program *p, int part, const bool *first, Bindings *b) {
    const char **weights = NEW_ARRAY(e->arena, const char *, p->kernel_count);
    int n = 0;
    for (int i = 0; i < p->kernel_count; i++) {
        const Kernel *k = p->kernels[i];
        if (k->def->starts || !first[i] || !in_part(p, i, part)) continue;
        const Tensor *w = gradient_owner(e, k->outputs[0]);
        weights[n++] = arena_printf(e->arena, "g->%s.%s", w->layer->name, w->weight);
    }
    bind_strings(b, "cleared", weights, n);
}

static bool uses_scale(const Program *p, int part) {
    for (int i = 0; i < p->kernel_count; i++)
        for (int k = 0; k < p->kernels[i]->input_count && in_part(p, i, part); k++)
            if (p->kernels[i]->inputs[k]->role == ROLE_SCALE) return true;
    return false;
}

/* A part that works on a shard. */
static bool emit_part(Emitter *e, const Program *p, int part, const char *const *calls, const bool *first, const Bindings *target, StrBuf *out) {
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", part_function(e, p, part));
    bind_int(b, "entry", p->entry);
    bind_optional(b, "entry");
    bind_int(b, "keeps", p->kept > 0);
    bind_int(b, "uses_scale", uses_scale(p, part));
    bind_real(b, "loss_scale", loss_scale_factor(e->graph));
    bind_optional(b, "loss_scale");
    bind_buffers(e, p, part, b);
    bind_cleared(e, p, part, first, b);
    bind_strings(b, "derive", calls, derives(p) ? p->loops[0].end : 0);
    bind_loops(e, p, part, calls, b);
    strbuf_add(out, "\n");
    return expand(e, "entry", b, out);
}

/* A part between those, of the batch. */
static bool emit_between(Emitter *e, const Program *p, int part, const char *const *calls, const Bindings *target, StrBuf *out) {
    const char **own = NEW_ARRAY(e->arena, const char *, p->kernel_count);
    int n = 0;
    for (int i = 0; i < p->kernel_count; i++)
        if (in_part(p, i, part)) own[n++] = calls[i];
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "name", part_function(e, p, part));
    bind_buffers(e, p, part, b);
    bind_strings(b, "calls", own, n);
    strbuf_add(out, "\n");
    return expand(e, "entry.between", b, out);
}

static bool emit_program(Emitter *e, const Program *p, const Bindings *target, Functions *known, StrBuf *out) {
    if (p->entry >= ENTRY_ONE) return emit_alone(e, p, target, known, out);
    const char **calls = NEW_ARRAY(e->arena, const char *, p->kernel_count);
    const bool *first = first_adders(e, p);
    for (int i = 0; i < p->kernel_count; i++) {
        const char *function = kernel_function(e, p, p->kernels[i], target, known, out);
        if (!function) return false;
        calls[i] = call_text(e, p, p->kernels[i], first[i], function);
        if (e->options->profile && p->entry == ENTRY_TRAIN) calls[i] = timed_call(e, calls[i], i);
    }
    bool fine = true;
    for (int part = 0; fine && part < p->part_count; part++)
        fine = part % 2 ? emit_between(e, p, part, calls, target, out) : emit_part(e, p, part, calls, first, target, out);
    return fine;
}

static bool emit_update(Emitter *e, const Bindings *target, StrBuf *out) {
    const Graph *g = e->graph;
    const Op update = {.def = g->optimizer, .attributes = g->optimizer_attributes};
    const char *slots[8];
    int n = g->optimizer->slots(g->optimizer_attributes, slots);
    Bindings *b = bindings_new(e->arena, target);
    bind_string(b, "optimizer", g->optimizer->plain);
    bind_strings(b, "slot_names", slots, n);
    bind_int(b, "PARAMETERS", e->memory.parameter_elements);
    bind_int(b, "BUFFERS", e->memory.buffers);
    bind_optional(b, "PARAMETERS");
    g->optimizer->bind(&update, b);
    strbuf_printf(out, "\n/* %s */\n", g->optimizer->equation);
    return expand(e, "update", b, out);
}

static bool emit_peak(Emitter *e, const Target *t, const Bindings *target, StrBuf *out) {
    Bindings *b = bindings_new(e->arena, target);
    bind_int(b, "chains", t->registers / 2 + 4); /* more than latency times units of any machine; factor and term fit beside them */
    strbuf_add(out, "\n");
    return expand(e, "peak", b, out);
}

const char *emit_variant(Emitter *e, const Target *t, Program *const *programs, int n) {
    StrBuf words = {0}, out = {0};
    Functions known = {0};
    const Bindings *target = target_bindings(e, t);
    bool fine = expand(e, "simd", bindings_new(e->arena, target), &words);
    for (int i = 0; fine && i < n; i++)
        if (programs[i]->target == t) fine = emit_program(e, programs[i], target, &known, &out);
    if (fine && e->graph->optimizer && !e->options->inference) fine = emit_update(e, target, &out);
    if (fine && e->options->profile) fine = emit_peak(e, t, target, &out);
    const char *text = fine ? arena_printf(e->arena, "%s%s", used_words(e->arena, words.text, t->vector, out.text), out.text) : NULL;
    strbuf_free(&words);
    strbuf_free(&out);
    return text;
}
