/* emit.c: plan and templates -> the .c and .h. Knows files, tables and escaping; what a function computes stands in the
 * templates, which functions there are in the programs. */
#include "emit.h"
#include "cnnc_network.h"
#include "ops/ops.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { CHUNK_ELEMENTS = 4096, MAX_CHUNKS = 256 };

/* ---- text from outside ------------------------------------------------------------------------------------------------
 * The two ways for a user's text into the C file: inside a comment, on one line; as a string. */
static const char *comment_text(Arena *arena, const char *s) {
    StrBuf out = {0};
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool plain = c >= 0x20 && c < 0x7f && c != '\\' && !(c == '?' && s[1] == '?') && !(c == '*' && s[1] == '/') && !(c == '/' && s[1] == '*');
        strbuf_printf(&out, "%c", plain ? c : '_');
    }
    const char *text = arena_string(arena, out.length ? out.text : "", out.length);
    strbuf_free(&out);
    return text;
}

/* With its quotes; what is not plain becomes an octal escape of three digits, which no digit behind it can lengthen. */
static const char *string_text(Arena *arena, const char *s) {
    StrBuf out = {0};
    strbuf_add(&out, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool plain = c >= 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '?';
        strbuf_printf(&out, plain ? "%c" : "\\%03o", c);
    }
    strbuf_add(&out, "\"");
    const char *text = arena_string(arena, out.text, out.length);
    strbuf_free(&out);
    return text;
}

/* ---- small texts -------------------------------------------------------------------------------------------------------- */

const char *upper_case(Arena *arena, const char *s) {
    char *text = arena_string(arena, s, strlen(s));
    for (char *c = text; *c; c++) *c = (char)toupper((unsigned char)*c);
    return text;
}

static const char *shape_initializer(Arena *arena, Shape s) {
    const char *text = "";
    for (int i = 0; i < s.rank; i++) text = arena_printf(arena, "%s%s%d", text, i ? ", " : "", s.dim[i]);
    return s.rank ? text : "0";
}

static const char *descriptor_type(const Emitter *e, const Tensor *t) {
    return t->type == TYPE_U8 ? "CNNC_U8" : t->type == TYPE_I32 ? "CNNC_I32" : e->options->real_is_double ? "CNNC_F64" : "CNNC_F32";
}

static const char *external_type(const Emitter *e, const Tensor *t) {
    return t->type == TYPE_U8 ? "uint8_t" : t->type == TYPE_I32 ? "int32_t" : e->real;
}

typedef struct Lines { const char **items; int length; } Lines;
static void add_line(const Emitter *e, Lines *l, const char *text) { *PUSH(e->arena, l->items, l->length) = text; }
static void bind_lines(Bindings *b, const char *name, const Lines *l) { bind_strings(b, name, l->items, l->length); }

/* ---- tables of the descriptor ------------------------------------------------------------------------------------------- */

static const char *tensor_row(const Emitter *e, const Tensor *t, const char *name) {
    return arena_printf(e->arena, "{\"%s\", %s, %d, {%s}, %lld, %d}", name, descriptor_type(e, t), t->shape.rank, shape_initializer(e->arena, t->shape),
                        (long long)shape_count(t->shape), t->classes);
}

static const Layer *output_layer(const Graph *g, int i) { return g->outputs[i]->layer; }

static void bind_tensors(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Lines inputs = {0}, outputs = {0}, wanted = {0};
    for (int i = 0; i < g->input_count; i++) add_line(e, &inputs, tensor_row(e, g->inputs[i], g->inputs[i]->layer->name));
    for (int i = 0; i < g->output_count; i++) add_line(e, &outputs, tensor_row(e, g->outputs[i], output_layer(g, i)->name));
    for (int i = 0; i < g->target_count; i++) {
        bool weight = g->sample_weight && i + 1 == g->target_count;
        add_line(e, &wanted, tensor_row(e, g->targets[i], weight ? "sample_weight" : g->output_count == 1 ? "target" : output_layer(g, i)->name));
    }
    bind_lines(b, "input_rows", &inputs);
    bind_lines(b, "output_rows", &outputs);
    bind_lines(b, "target_rows", &wanted);
    bind_optional(b, "target_rows");
}

static const char *parameter_row(const Emitter *e, const Tensor *w) {
    Distribution d = initializer_distribution(w->initializer, w->fan_in, w->fan_out);
    return arena_printf(e->arena, "{\"%s\", %d, {%s}, offsetof(%s_parameters, %s.%s) / sizeof(%s), %lld, %d, {CNNC_%s, %s, %s, %lld}}", weight_path(e->arena, w),
                        w->shape.rank, shape_initializer(e->arena, w->shape), e->graph->name, w->layer->name, w->weight, e->real,
                        (long long)shape_count(w->shape), w->trainable, d.kind, arena_real(e->arena, d.a), arena_real(e->arena, d.b), (long long)d.seed);
}

static int64_t layer_parameters(const Graph *g, const Layer *l) {
    int64_t n = 0;
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->layer == l) n += shape_count(g->parameters[i]->shape);
    return n;
}

static const char *layer_row(const Emitter *e, const Layer *l) {
    const char *inputs = "";
    for (int i = 0; i < l->input_count; i++) inputs = arena_printf(e->arena, "%s%s%s", inputs, i ? ", " : "", l->inputs[i]->layer->name);
    return arena_printf(e->arena, "{\"%s\", \"%s\", %d, {%s}, %lld, \"%s\"}", l->name, l->def->keras, l->shape.rank,
                        shape_initializer(e->arena, l->shape), (long long)layer_parameters(e->graph, l), inputs);
}

static void bind_tables(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Lines parameters = {0}, layers = {0}, metrics = {0}, slots = {0}, starts = {0};
    const char *names[8];
    int n = g->optimizer ? g->optimizer->slots(g->optimizer_attributes, names) : 0, average = 0;
    for (int i = 0; i < g->parameter_count; i++) add_line(e, &parameters, parameter_row(e, g->parameters[i]));
    for (int i = 0; i < g->layer_count; i++) add_line(e, &layers, layer_row(e, g->layers[i]));
    for (int i = 0; i + 1 < g->total_count; i++) add_line(e, &metrics, arena_printf(e->arena, "\"%s\"", g->metrics[i]));
    for (int i = 0; i < n; i++) {
        add_line(e, &slots, arena_printf(e->arena, "\"%s\"", names[i]));
        add_line(e, &starts, arena_real(e->arena, g->optimizer->slot_start ? g->optimizer->slot_start(g->optimizer_attributes, names[i]) : 0));
        if (!strcmp(names[i], "average")) average = i + 1;
    }
    bind_lines(b, "parameter_rows", &parameters);
    bind_lines(b, "layer_rows", &layers);
    bind_lines(b, "metric_names", &metrics);
    bind_lines(b, "slot_rows", &slots);
    bind_optional(b, "slot_rows");
    bind_lines(b, "slot_starts", &starts);
    bind_int(b, "slot_count", n);
    bind_int(b, "finalizes", average > 0);
    bind_int(b, "average_slot", average - 1);
    bind_optional(b, "average_slot");
}

/* What a checkpoint must come from: the description, and the algorithms of each variant. */
static void bind_recipe(Emitter *e, Program *const *programs, int n, Bindings *b) {
    Lines description = {0}, code = {0};
    const char **lines;
    int count = canonical_lines(e->graph, &lines);
    for (int i = 0; i < count; i++) add_line(e, &description, string_text(e->arena, lines[i]));
    for (int k = 0; k < n; k++) {
        count = programs[k]->entry == ENTRY_TRAIN ? code_lines(programs[k], &lines) : 0;
        for (int i = 0; i < count; i++) add_line(e, &code, string_text(e->arena, lines[i]));
    }
    bind_lines(b, "description_lines", &description);
    if (!code.length) add_line(e, &code, "\"\"");
    bind_lines(b, "code_lines", &code);
    bind_optional(b, "description_lines");
    bind_optional(b, "code_lines");
}

/* ---- parameters ----------------------------------------------------------------------------------------------------------- */

static int element_bytes(const Emitter *e) { return e->options->real_is_double ? 8 : 4; }

void bind_parameters(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Bindings **layers = NEW_ARRAY(e->arena, Bindings *, g->parameter_count);
    int n = 0;
    int64_t count = 0;
    for (int i = 0; i < g->parameter_count;) {
        const Layer *layer = g->parameters[i]->layer;
        Bindings **weights = NEW_ARRAY(e->arena, Bindings *, g->parameter_count - i);
        int w = 0;
        for (; i < g->parameter_count && g->parameters[i]->layer == layer; i++, w++) {
            weights[w] = bindings_new(e->arena, NULL);
            bind_string(weights[w], "name", g->parameters[i]->weight);
            bind_string(weights[w], "dims", c_dims(e->arena, g->parameters[i]->shape));
            count += shape_count(g->parameters[i]->shape);
        }
        layers[n] = bindings_new(e->arena, NULL);
        bind_string(layers[n], "name", layer->name);
        bind_records(layers[n++], "weights", weights, w);
    }
    bind_records(b, "parameter_layers", layers, n);
    bind_optional(b, "parameter_layers");
    bind_optional(b, "no_parameters");
    bind_string(b, "no_parameters", n ? "" : arena_printf(e->arena, "%s_ALIGN unsigned char none[64]; /* this network has no parameters */", e->upper));
    bind_int(b, "count", count);
}

/* Each trainable parameter in portions; and that the C compiler lays parameters out as the portions assume. */
static void bind_chunks(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Lines chunks = {0}, assertions = {0};
    int64_t size = e->memory.parameter_elements / MAX_CHUNKS / CHUNK_ELEMENTS * CHUNK_ELEMENTS + CHUNK_ELEMENTS, offset = 0;
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        int64_t end = offset + padded_elements(w, element_bytes(e));
        add_line(e, &assertions, arena_printf(e->arena, "offsetof(%s_parameters, %s.%s) == %lld * sizeof(%s), \"layout\"", g->name, w->layer->name, w->weight, (long long)offset, e->real));
        for (int64_t at = offset; w->gradient && at < end; at += size)
            add_line(e, &chunks, arena_printf(e->arena, "%lld, %lld, %d", (long long)at, (long long)(at + size < end ? at + size : end), i));
        offset = end;
    }
    bind_int(b, "chunk_count", chunks.length);
    if (!chunks.length) add_line(e, &chunks, "0, 0, 0");
    bind_lines(b, "chunks", &chunks);
    bind_lines(b, "assertions", &assertions);
}

/* What each result is made of; and whether any is more than a mean. */
static void bind_results(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, g->total_count + 1);
    bool finishes = false;
    const char *loss = "";
    for (int i = 0; i < g->total_count; i++) {
        const Tensor *total = g->totals[i];
        const char *result = i == 0 ? (g->output_count > 1 ? "weighted" : NULL) : total->producer->def->result;
        records[i] = bindings_new(e->arena, NULL);
        if (total->is_loss) loss = i ? arena_printf(e->arena, "%s + %s * means[%d]", loss, arena_real(e->arena, factor_of(total)), total->index) : "means[0]";
        bind_string(records[i], "result", result ? result : "plain");
        bind_int(records[i], "at", total->index);
        bind_int(records[i], "count", shape_count(total->shape));
        finishes = finishes || result;
    }
    bind_records(b, "results", records, g->total_count);
    bind_int(b, "has_results", finishes);
    bind_optional(b, "results");
    bind_string(b, "loss_sum", loss);
    bind_int(b, "several_losses", g->output_count > 1);
    bind_optional(b, "loss_sum");
    bind_optional(b, "several_losses");
}

/* Of the weights that the optimizer moves. */
static void bind_constraints(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Bindings **records = NEW_ARRAY(e->arena, Bindings *, g->parameter_count + 1);
    int n = 0;
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        if (!w->gradient || !w->constraint) continue;
        records[n] = bindings_new(e->arena, NULL);
        bind_string(records[n], "weight", arena_printf(e->arena, "%s/%s", w->layer->name, w->weight));
        bind_string(records[n], "first", first_element(e, "p", w, w->shape));
        bind_constraint(w->constraint, w->shape, e->arena, records[n++]);
    }
    bind_records(b, "constraints", records, n);
    bind_optional(b, "constraints");
}

/* ---- comments ----------------------------------------------------------------------------------------------------------------- */

const char *banner(const Emitter *e, const char *file) {
    return arena_printf(e->arena,
                        "/* %s: generated by cnnc " CNNC_VERSION ", do not edit; generate it again:\n"
                        " *     %s\n"
                        " * What cnnc generates belongs to you (0BSD). */",
                        comment_text(e->arena, file), comment_text(e->arena, e->options->command));
}

static int wider(int width, const char *text) { return (int)strlen(text) > width ? (int)strlen(text) : width; }

void bind_architecture(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Lines lines = {0};
    int name = 20, word = 20;
    for (int i = 0; i < g->layer_count; i++) name = wider(name, g->layers[i]->name), word = wider(word, g->layers[i]->def->call.name);
    for (int i = 0; i < g->layer_count; i++) {
        const Layer *l = g->layers[i];
        add_line(e, &lines, arena_printf(e->arena, "%-*s %-*s %-16s %lld parameters", name, l->name, word, l->def->call.name, shape_text(e->arena, l->shape), (long long)layer_parameters(g, l)));
    }
    bind_lines(b, "architecture", &lines);
    bind_string(b, "description", g->loss && !e->options->inference ? arena_printf(e->arena, "trained by %s on %s", g->optimizer->call.name, g->loss->call.name) : "for prediction");
}

static void add_memory_lines(Emitter *e, Lines *lines, const Program *p) {
    const char *derived = p->constants ? "" : arena_printf(e->arena, ", and derived %zu", p->derived);
    if (p->kept) derived = arena_printf(e->arena, "%s, and of each shard of the batch %zu", derived, p->kept);
    add_line(e, lines, arena_printf(e->arena, "%s, %s: %zu%s", entry_names[p->entry], p->target->name, p->workspace, derived));
    for (int id = 0; id < p->tensor_count; id++) {
        const Buffer *m = &p->buffers[id];
        if (!m->used || (p->constants && m->derived)) continue;
        const char *life = m->derived ? "a step" : m->kept ? arena_printf(e->arena, "shard, %d to %d", m->born, m->dies) : arena_printf(e->arena, "kernels %d to %d", m->born, m->dies);
        add_line(e, lines, arena_printf(e->arena, "  %8zu + %-8zu %-18s %s%s%s", m->offset, m->size, life, m->tensor->name, c_dims(e->arena, m->tensor->shape), m->examples > 1 ? arena_printf(e->arena, ", of %d examples", m->examples) : ""));
    }
}

void bind_memory(Emitter *e, Program *const *programs, int n, Bindings *b) {
    Lines lines = {0};
    for (int i = 0; i < n; i++)
        if (programs[i]->target == e->options->targets[0]) add_memory_lines(e, &lines, programs[i]);
    bind_lines(b, "memory_plan", &lines);
}

/* ---- variants ------------------------------------------------------------------------------------------------------------------- */

static const char *supported_expression(Arena *arena, const char *attribute) {
    char *list = arena_string(arena, attribute, strlen(attribute));
    const char *text = "";
    for (char *feature = strtok(list, ","); feature; feature = strtok(NULL, ","))
        text = arena_printf(arena, "%s%s__builtin_cpu_supports(\"%s\")", text, *text ? " && " : "", feature);
    return text;
}

static bool has_program(Program *const *programs, int n, const Target *t, Entry entry) {
    for (int i = 0; i < n; i++)
        if (programs[i]->target == t && programs[i]->entry == entry) return true;
    return false;
}

Bindings *variant_bindings(Emitter *e, const Target *t, const char *text) {
    bool x86 = t->attribute != NULL;
    Bindings *r = bindings_new(e->arena, NULL);
    bind_string(r, "name", t->name);
    bind_string(r, "text", text);
    bind_string(r, "rule", "=================================================================================================");
    bind_string(r, "guard", t->lanes == 1 ? "" : arena_printf(e->arena, "%s_%s", e->upper, x86 ? "X86" : "VECTORS"));
    bind_string(r, "attribute", x86 ? t->attribute : "");
    bind_string(r, "macro", upper_case(e->arena, arena_printf(e->arena, "%s_%s", e->graph->name, t->name)));
    bind_string(r, "clang", t->lanes == 16 ? ", min_vector_width(512)" : "");
    bind_string(r, "supported", x86 ? supported_expression(e->arena, t->attribute) : "");
    return r;
}

/* The parts of a training step after the first one, those of shards and those between. */
static void bind_parts(const Emitter *e, const Target *t, Program *const *programs, int n, Bindings *b) {
    Lines shards = {0}, batches = {0};
    for (int i = 0; i < n; i++)
        for (int part = 1; programs[i]->target == t && part < programs[i]->part_count; part++) add_line(e, part % 2 ? &batches : &shards, part_function(e, programs[i], part));
    bind_lines(b, "parts", &shards);
    bind_lines(b, "betweens", &batches);
}

static Bindings *variant_record(Emitter *e, const Target *t, Program *const *programs, int n) {
    const char *text = emit_variant(e, t, programs, n), *entries = "", *net = e->graph->name;
    if (!text) return NULL;
    bool updates = e->graph->optimizer != NULL;
    for (int i = 0; i <= ENTRY_PREDICT; i++)
        entries = arena_printf(e->arena, "%s%s%s", entries, i ? ", " : "", has_program(programs, n, t, (Entry)i) ? entry_function(e, (Entry)i, t) : "NULL");
    bool sums = updates && strstr(text, arena_printf(e->arena, " %s_sum_%s(", net, t->name));
    Bindings *r = variant_bindings(e, t, text);
    bind_string(r, "entries", entries);
    bind_parts(e, t, programs, n, r);
    bind_string(r, "sum", sums ? arena_printf(e->arena, "%s_sum_%s", net, t->name) : "NULL");
    bind_string(r, "update", updates ? arena_printf(e->arena, "%s_update_%s", net, t->name) : "NULL");
    return r;
}

/* ---- the files --------------------------------------------------------------------------------------------------------------------- */

static const char *array_parameters(const Emitter *e, Tensor *const *t, int n, const char *constant, const char *name) {
    const char *text = "";
    for (int i = 0; i < n; i++)
        text = arena_printf(e->arena, "%s, %s%s *%s", text, constant, external_type(e, t[i]), n == 1 ? name : arena_printf(e->arena, "%s_%d", name, i));
    return text;
}

const char *array_names(const Emitter *e, int n, const char *name) {
    const char *text = "";
    for (int i = 0; i < n; i++) text = arena_printf(e->arena, "%s%s%s", text, i ? ", " : "", n == 1 ? name : arena_printf(e->arena, "%s_%d", name, i));
    return text;
}

const char *predict_parameters(const Emitter *e) {
    const Graph *g = e->graph;
    return arena_printf(e->arena, "%s%s", array_parameters(e, g->inputs, g->input_count, "const ", "input"), array_parameters(e, g->outputs, g->output_count, "", "output"));
}

static Bindings *common_bindings(Emitter *e) {
    const Graph *g = e->graph;
    Bindings *b = bindings_new(e->arena, NULL);
    bind_string(b, "net", g->name);
    bind_string(b, "PREFIX", e->upper);
    bind_string(b, "T", e->real);
    bind_string(b, "predict_parameters", predict_parameters(e));
    if (e->options->inference) return b;
    bind_int(b, "shard", e->options->shard_size);
    bind_int(b, "worker_bytes", (int64_t)e->memory.worker_bytes);
    bind_int(b, "trains", g->loss != NULL);
    bind_int(b, "most", e->memory.batch_size);
    bind_string(b, "train_parameters", arena_printf(e->arena, "%s%s", array_parameters(e, g->inputs, g->input_count, "const ", "input"), array_parameters(e, g->targets, g->target_count, "const ", "target")));
    return b;
}

/* Names and lengths of the caller's arrays. */
void bind_arrays(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    Bindings **arrays = NEW_ARRAY(e->arena, Bindings *, g->input_count + g->output_count);
    int n = 0;
    for (int k = 0; k < g->input_count + g->output_count; k++) {
        bool in = k < g->input_count;
        int i = in ? k : k - g->input_count, total = in ? g->input_count : g->output_count;
        const char *word = in ? "INPUT" : "OUTPUT";
        arrays[n] = bindings_new(e->arena, NULL);
        bind_string(arrays[n], "macro", total == 1 ? word : arena_printf(e->arena, "%s_%d", word, i));
        bind_int(arrays[n++], "count", shape_count((in ? g->inputs[i] : g->outputs[i])->shape));
    }
    bind_records(b, "arrays", arrays, n);
}

static bool emit_header(Emitter *e, const Bindings *common, StrBuf *out) {
    Bindings *b = bindings_new(e->arena, common);
    bind_arrays(e, b);
    bind_string(b, "banner", banner(e, e->options->header));
    bind_int(b, "abi", CNNC_ABI);
    bind_int(b, "resident", e->memory.resident);
    bind_parameters(e, b);
    return template_expand(e->templates, "header", b, out, e->message);
}

static void bind_settings(Emitter *e, Bindings *b) {
    const Graph *g = e->graph;
    const Attr *attributes = g->optimizer_attributes;
    double rate = g->optimizer ? first_rate(attributes) : 0;
    bind_schedule(g->optimizer ? attributes : NULL, e->arena, b);
    bind_string(b, "learning_rate", arena_real(e->arena, rate));
    bind_string(b, "optimizer", g->optimizer ? g->optimizer->call.name : "");
    bind_string(b, "loss", g->loss ? g->loss->call.name : "");
    bind_optional(b, "optimizer");
    bind_optional(b, "loss");
    bind_int(b, "epochs", g->epochs);
    bind_int(b, "batch_size", g->batch_size);
    bind_int(b, "shuffle", g->shuffle);
    bind_string(b, "validation_split", arena_real(e->arena, g->validation_split));
    bind_int(b, "seed", (int64_t)g->seed);
    bind_int(b, "buffers", e->memory.buffers);
    bind_int(b, "totals", g->total_elements ? g->total_elements : 1);
    bind_int(b, "shard_bytes", (int64_t)e->memory.shard_bytes);
    bind_optional(b, "shard_bytes");
    bind_string(b, "type", e->options->real_is_double ? "CNNC_F64" : "CNNC_F32");
    bind_string(b, "input_names", array_names(e, g->input_count, "input"));
    bind_string(b, "target_names", array_names(e, g->target_count, "target"));
    bind_optional(b, "target_names");
    bind_string(b, "output_names", array_names(e, g->output_count, "output"));
}

static bool emit_source(Emitter *e, const Bindings *common, Program *const *programs, int n, StrBuf *out) {
    const Options *o = e->options;
    Bindings *b = bindings_new(e->arena, common), **variants = NEW_ARRAY(e->arena, Bindings *, o->target_count);
    bool norms = false;
    for (int i = 0; i < o->target_count; i++) {
        variants[i] = variant_record(e, o->targets[i], programs, n);
        if (!variants[i]) return false;
    }
    for (int k = 0; e->graph->optimizer && k < e->graph->optimizer->call.attribute_count; k++) {
        const char *name = e->graph->optimizer->call.attributes[k].name;
        norms = norms || ((!strcmp(name, "clipnorm") || !strcmp(name, "global_clipnorm")) && e->graph->optimizer_attributes[k].present);
    }
    bind_records(b, "variants", variants, o->target_count);
    bind_int(b, "norms", norms);
    bind_int(b, "profile", o->profile);
    bind_string(b, "banner", banner(e, e->graph->name));
    bind_string(b, "header", o->header);
    bind_settings(e, b);
    bind_tensors(e, b);
    bind_tables(e, b);
    bind_recipe(e, programs, n, b);
    bind_chunks(e, b);
    bind_constraints(e, b);
    bind_results(e, b);
    bind_architecture(e, b);
    bind_memory(e, programs, n, b);
    return template_expand(e->templates, "source", b, out, e->message);
}

bool emit(Graph *g, const Options *options, Program *const *programs, int n, const Constants *constants, Templates *templates, StrBuf *c, StrBuf *h, StrBuf *message) {
    Emitter e = {.arena = g->arena, .graph = g, .options = options, .templates = templates, .message = message, .constants = constants};
    e.upper = upper_case(g->arena, g->name);
    e.real = options->real_is_double ? "double" : "float";
    e.suffix = options->real_is_double ? "" : "f";
    if (!options->inference) e.memory = footprint(g, options, programs, n);
    const Bindings *common = common_bindings(&e);
    if (options->inference) return emit_standalone(&e, common, programs, n, c, h);
    return emit_header(&e, common, h) && emit_source(&e, common, programs, n, c);
}
