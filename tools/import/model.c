/* model.c: making a Model, and saying what is wrong with a file. */
#include "model.h"

#include <string.h>

enum { MOST_SAID = 1000, LONGEST_SHOWN = 80 };

const char *keep_text(Model *m, StrBuf *text) {
    const char *copy = arena_string(m->arena, text->text ? text->text : "", text->length);
    strbuf_free(text);
    return copy;
}

const char *shown(Model *m, const char *s) {
    StrBuf out = {0};
    size_t n = strlen(s);
    strbuf_add(&out, "");
    for (size_t i = 0, length; i < n; i += length) {
        bool safe;
        length = utf8_length(s + i, n - i, &safe);
        if (out.length >= LONGEST_SHOWN) {
            strbuf_add(&out, "...");
            break;
        }
        if (length && safe) strbuf_add_n(&out, s + i, length);
        else strbuf_printf(&out, "\\x%02x", (unsigned char)s[i]), length = 1;
    }
    return keep_text(m, &out);
}

static void say(Model *m, bool lenient, const char *place, const char *format, va_list args) {
    StrBuf text = {0};
    int *count = lenient ? &m->warnings : &m->errors;
    const char *kind = lenient ? "warning" : "error";
    strbuf_vprintf(&text, format, args);
    if (++*count <= MOST_SAID) remark(kind, m->path, 0, "%s%s%s", place ? place : "", place ? ": " : "", text.text);
    else if (*count == MOST_SAID + 1) remark("note", m->path, 0, "there are more %ss than these %d", kind, MOST_SAID);
    strbuf_free(&text);
}

void fail(Model *m, const char *place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(m, m->lenient, place, format, args);
    va_end(args);
}

void warn(Model *m, const char *place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(m, true, place, format, args);
    va_end(args);
}

int add_node(Model *m, const char *word, const char *name, const int *inputs, int input_count) {
    if (m->node_count == MODEL_NODES) return fail(m, NULL, "more than %d layers", MODEL_NODES), -1;
    Node node = {.word = word, .name = name ? arena_string(m->arena, name, strlen(name)) : NULL, .inputs = NEW_ARRAY(m->arena, int, input_count), .input_count = input_count, .origin = m->origin};
    for (int i = 0; i < input_count; i++) {
        if (inputs[i] < 0 || inputs[i] >= m->node_count) bug("node %d of the model takes from %d", m->node_count, inputs[i]);
        node.inputs[i] = inputs[i];
    }
    *PUSH(m->arena, m->nodes, m->node_count) = node;
    return m->node_count - 1;
}

void add_setting(Model *m, int node, const char *key, const char *format, ...) {
    StrBuf value = {0};
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&value, format, args);
    va_end(args);
    Node *n = &m->nodes[node];
    *PUSH(m->arena, n->settings, n->setting_count) = (Setting){key, keep_text(m, &value)};
}

bool element_count(int rank, const int64_t *shape, size_t *count) {
    uint64_t n = 1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0 || shape[i] > INT32_MAX) return false;
        n *= (uint64_t)shape[i];
        if (n > INT32_MAX) return false;
    }
    *count = (size_t)n;
    return true;
}

float *add_weight(Model *m, int node, const char *name, int rank, const int64_t *shape) {
    Node *n = &m->nodes[node];
    Weight w = {.name = name, .rank = rank};
    size_t count;
    if (rank > MODEL_RANK || !element_count(rank, shape, &count)) return fail(m, n->name ? shown(m, n->name) : n->word, "%s is too large", name), NULL;
    for (int i = 0; i < rank; i++) w.shape[i] = shape[i];
    w.data = NEW_ARRAY(m->arena, float, count);
    *PUSH(m->arena, n->weights, n->weight_count) = w;
    return w.data;
}

void add_output(Model *m, int node) { *PUSH(m->arena, m->outputs, m->output_count) = node; }
