/* write.c: a Model as a description, in the form of cnnc fmt, and as weights.
 *
 * Names from files never get there as they are: letters, digits and '_' only, unique, none that C has taken. A layer is named where its
 * name is another than cnnc's default, `from` stands where a layer does not take from the line before it. What comes out is compiled as far
 * as shapes are known: cnnc must take it, and its weights must be those of the model.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "model.h"
#include "../../compiler/commands/commands.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_NAME = 48 };

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static const char *legal_name(Arena *arena, const char *wanted, bool (*is_legal)(const char *)) {
    bool begins = isalpha((unsigned char)*wanted) && (unsigned char)*wanted < 0x80, small = false;
    char *name = arena_printf(arena, "%s%.*s", begins ? "" : "layer_", LONGEST_NAME, wanted);
    for (char *c = name; *c; c++) {
        if ((unsigned char)*c >= 0x80 || !isalnum((unsigned char)*c)) *c = '_';
        small = small || islower((unsigned char)*c);
    }
    for (char *c = name; *c && !small; c++) *c = (char)tolower((unsigned char)*c); /* what may be a macro */
    return is_legal(name) ? name : arena_printf(arena, "a_%s", name);
}

typedef struct Names {
    Map taken;   /* all names: by which Node */
    Map numbers; /* by the base of some, the number up to which they are taken */
} Names;

/* The first of base, base_1 ... that nothing has. */
static const char *unique_name(Arena *arena, Names *names, const char *base) {
    int *number = map_get(&names->numbers, base);
    if (!map_get(&names->taken, base)) return base;
    if (!number) map_set(arena, &names->numbers, base, number = NEW(arena, int));
    const char *name;
    for (*number += !*number;; ++*number)
        if (!map_get(&names->taken, name = arena_printf(arena, "%s_%d", base, *number))) return name;
}

enum { MOST_NOTES = 20 };

/* Another has the name that the file gives it, or one that is as legal. */
static void note_number(Model *m, const char *given, const char *name, int count) {
    if (count <= MOST_NOTES) remark("note", m->path, 0, "'%s' becomes %s: another layer has the name", shown(m, given), name);
    else if (count == MOST_NOTES + 1) remark("note", m->path, 0, "there are more such names than these %d", MOST_NOTES);
}

/* Of what the file has as one, several nodes may be made. */
static bool is_of_same(const Node *a, const Node *b) { return a->origin && a->origin == b->origin; }

/* The nodes' names; NULL in written: cnnc would give it that by itself. */
static const char **name_nodes(Model *m, const char **written) {
    const char **names = NEW_ARRAY(m->arena, const char *, m->node_count);
    Names all = {0};
    int notes = 0;
    for (int i = 0; i < m->node_count; i++) {
        const Node *n = &m->nodes[i];
        const char *fallback = unique_name(m->arena, &all, n->word), *legal = n->name ? legal_name(m->arena, n->name, is_legal_name) : NULL;
        names[i] = legal ? unique_name(m->arena, &all, legal) : fallback;
        if (legal && strcmp(names[i], legal) && !is_of_same(n, map_get(&all.taken, legal))) note_number(m, n->name, names[i], ++notes);
        written[i] = strcmp(names[i], fallback) ? names[i] : NULL;
        map_set(m->arena, &all.taken, names[i], &m->nodes[i]);
    }
    return names;
}

/* ---- the description ----------------------------------------------------------------------------------------------------- */

static void add_settings(StrBuf *out, const Setting *settings, int n) {
    for (int i = 0; i < n; i++) strbuf_printf(out, " %s%s%s", settings[i].key ? settings[i].key : "", settings[i].key ? "=" : "", settings[i].value);
}

static void add_names(StrBuf *out, const char *before, const char *const *names, const int *which, int n) {
    for (int i = 0; i < n; i++) strbuf_printf(out, "%s%s", i ? ", " : before, names[which[i]]);
}

static void add_statement(StrBuf *out, const Model *m, int i, const char *const *names, const char *written) {
    const Node *n = &m->nodes[i];
    if (written) strbuf_printf(out, "%s = ", written);
    strbuf_add(out, n->word);
    add_settings(out, n->settings, n->setting_count);
    if (n->input_count && (n->input_count != 1 || n->inputs[0] != i - 1)) add_names(out, " from ", names, n->inputs, n->input_count);
}

/* With what each statement is made of, as comments, where that is asked for. */
static void describe(const Model *m, const char *const *names, const char *const *written, bool origins, StrBuf *out) {
    if (m->name) strbuf_printf(out, "network %s\n\n", legal_name(m->arena, m->name, is_network_name));
    for (int i = 0; i < m->node_count; i++) {
        add_statement(out, m, i, names, written[i]);
        if (origins && m->nodes[i].origin) strbuf_printf(out, "  # %s", m->nodes[i].origin);
        strbuf_add(out, "\n");
    }
    if (m->output_count && (m->output_count > 1 || m->outputs[0] != m->node_count - 1)) {
        add_names(out, "\noutput ", names, m->outputs, m->output_count);
        strbuf_add(out, "\n");
    }
    if (!m->compile_count) return;
    strbuf_add(out, "\ncompile");
    add_settings(out, m->compile, m->compile_count);
    strbuf_add(out, "\n");
}

/* ---- what cnnc says to it ---------------------------------------------------------------------------------------------- */

static const char *weight_shape(Arena *arena, const Weight *w) {
    const char *text = w->rank ? "" : "a number";
    for (int i = 0; i < w->rank; i++) text = arena_printf(arena, "%s%s%lld", text, i ? "x" : "", (long long)w->shape[i]);
    return text;
}

static bool same_shape(const Weight *w, Shape s) {
    bool same = w->rank == s.rank;
    for (int i = 0; i < s.rank && same; i++) same = w->shape[i] == s.dim[i];
    return same;
}

/* All weights by their paths, "conv2d/kernel". */
static Map weights_by_path(const Model *m, const char *const *names) {
    Map all = {0};
    for (int i = 0; i < m->node_count; i++)
        for (int k = 0; k < m->nodes[i].weight_count; k++) {
            const Weight *w = &m->nodes[i].weights[k];
            map_set(m->arena, &all, arena_printf(m->arena, "%s/%s", names[i], w->name), w);
        }
    return all;
}

/* The weights in the order of the network's parameters; false after errors. */
static bool match_weights(Model *m, const Graph *g, const Map *all, cnnc_safetensor *tensors) {
    int before = m->errors, there = 0;
    for (int i = 0; i < m->node_count; i++) there += m->nodes[i].weight_count;
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *p = g->parameters[i];
        const char *path = weight_path(m->arena, p);
        const Weight *w = map_get(all, path);
        if (!w) fail(m, path, "the file has no such weight");
        else if (!same_shape(w, p->shape)) fail(m, path, "is %s, where the layer has %s", weight_shape(m->arena, w), shape_text(m->arena, p->shape));
        else {
            tensors[i] = (cnnc_safetensor){path, {.dtype = CNNC_DTYPE_F32, .rank = w->rank, .count = 1, .data = w->data}};
            for (int d = 0; d < w->rank; d++) tensors[i].array.shape[d] = (size_t)w->shape[d], tensors[i].array.count *= (size_t)w->shape[d];
        }
    }
    if (m->errors == before && there != g->parameter_count) fail(m, NULL, "has %d weights, its layers have %d", there, g->parameter_count);
    return m->errors == before;
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

/* Where a link leads, when that is a file that is there, with its permissions; or a file that is not yet. NULL: devices are written to as
 * they are. */
static const char *replaced_file(Arena *arena, const char *path, mode_t *mode) {
    struct stat status;
    if (stat(path, &status)) return path;
    char *resolved = S_ISREG(status.st_mode) ? realpath(path, NULL) : NULL;
    const char *file = resolved ? arena_string(arena, resolved, strlen(resolved)) : NULL;
    free(resolved);
    *mode = status.st_mode & 07777;
    return file;
}

/* The weights wait under another name until the description is there: what fails before leaves both as they were. Where the last rename fails,
 * of a file that could be written just before, the description stays without its weights. */
static int write_both(Model *m, const char *net, const StrBuf *text, const char *weights, const cnnc_safetensor *tensors, int count) {
    const Output outputs[] = {{"the description", net, false}, {"the weights", weights, false}};
    cnnc_error error = {0};
    if (!outputs_writable(m->arena, outputs, LENGTH(outputs))) return EXIT_FILE;
    mode_t mode = 0;
    const char *file = weights ? replaced_file(m->arena, weights, &mode) : NULL, *waiting = file ? arena_printf(m->arena, "%s.cnnc-%ld.tmp", file, (long)getpid()) : NULL;
    int mark = count_unfinished();
    if (waiting) add_unfinished(waiting);
    const char *message = weights && cnnc_safetensors_write(waiting ? waiting : weights, tensors, count, NULL, 0, &error) != CNNC_OK ? error.text : NULL;
    if (!message && net) message = write_file(m->arena, net, text->text, text->length);
    if (!message && waiting && ((mode && chmod(waiting, mode)) || rename(waiting, file))) message = arena_printf(m->arena, "cannot write %s: %s", weights, strerror(errno));
    if (message) remove_unfinished(mark);
    forget_unfinished(mark);
    return message ? say_error("%s", message), EXIT_FILE : EXIT_FINE;
}

/* What cnnc does not take, in a description that nobody has: its lines say what of the file they are. */
static void explain_refusal(Model *m, const char *net, const char *const *names, const char *const *written) {
    StrBuf text = {0};
    Compilation c;
    compilation_init(&c, false);
    describe(m, names, written, true, &text);
    c.source = (Source){net ? net : "the description", text.text, text.length};
    compile_source(&c, "build", NULL, NULL);
    remark("note", m->path, 0, "of the description that would be written:");
    print_diagnostics(&c);
    fail(m, NULL, "cnnc does not take this network, for the reasons above");
    strbuf_free(&text);
    compilation_free(&c);
}

int write_model(Model *m, const char *net, const char *weights) {
    const char **written = NEW_ARRAY(m->arena, const char *, m->node_count), **names = name_nodes(m, written);
    StrBuf plain = {0}, text = {0};
    Compilation c;
    compilation_init(&c, false);
    describe(m, names, written, false, &plain);
    c.source = (Source){net ? net : "the description", plain.text, plain.length};
    int status = compile_source(&c, "parse", NULL, NULL);
    if (status == EXIT_FINE) {
        format_description(c.arena, &c.description, &text);
        c.source = (Source){c.source.name, text.text, text.length};
        c.description = (Description){0};
        status = compile_source(&c, "build", NULL, NULL);
    }
    if (status != EXIT_FINE) explain_refusal(m, net, names, written);
    else {
        print_diagnostics(&c);
        Map all = weights_by_path(m, names);
        cnnc_safetensor *tensors = NEW_ARRAY(m->arena, cnnc_safetensor, c.graph->parameter_count);
        status = !match_weights(m, c.graph, &all, tensors) ? EXIT_INPUT : write_both(m, net, &text, weights, tensors, c.graph->parameter_count);
    }
    strbuf_free(&plain);
    strbuf_free(&text);
    compilation_free(&c);
    return status;
}
