/* passes.c: the stages in their order, each with what it prints and what must hold after it. The only place that knows
 * the order. */
#include "cnnc.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct Pass {
    const char *name;
    bool (*run)(Compilation *);
    void (*print)(const Compilation *, StrBuf *);
    void (*verify)(const Compilation *, const char *stage);
} Pass;

/* ---- stages on the description and graph ------------------------------------------------------------------------------ */

static bool run_parse(Compilation *c) { return parse(c->arena, &c->source, &c->diag, &c->description); }
static bool run_build(Compilation *c) { return build(c->arena, &c->description, &c->diag, &c->graph); }
static bool run_dot(Compilation *c) { return (void)c, true; } /* a picture of what build left */
static bool run_weights(Compilation *c) {
    if (c->options.inference) still(c->graph);
    if (!c->options.weights_path) return true;
    if (!read_weights(c->graph, c->options.weights_path, &c->status)) return false;
    fold(c->graph);
    if (c->options.inference) prune(c->graph);
    return true;
}
static bool run_live(Compilation *c) { return live(c->graph), true; }
static bool run_autodiff(Compilation *c) { return c->options.inference || autodiff(c->graph, c->options.input_gradient); }
static bool run_route(Compilation *c) { return route(c->graph), true; }
static void print_parse(const Compilation *c, StrBuf *out) { print_description(&c->description, out); }
static void print_build(const Compilation *c, StrBuf *out) { print_graph(c->graph, out); }
static void print_picture(const Compilation *c, StrBuf *out) { print_dot(c->graph, out); }
static void verify_build(const Compilation *c, const char *stage) { verify_graph(c->graph, stage); }

/* ---- stages on programs: one for each target and entry point ------------------------------------------------------------ */

static bool is_wanted(const Compilation *c, Entry e) {
    if (c->options.inference) return e == ENTRY_ONE || (e == ENTRY_MANY && c->options.optimize != OPTIMIZE_SIZE);
    return e == ENTRY_PREDICT || (e < ENTRY_PREDICT && c->graph->loss);
}

/* The program whose choices others follow: of the best target; where there are many examples, that of one. NULL: none yet. */
static const Program *leader_of(const Compilation *c, Entry e) {
    if (e == ENTRY_MANY) return c->programs[c->program_count - 1];
    for (int i = 0; i < c->program_count; i++)
        if (c->programs[i]->entry == e) return c->programs[i];
    return NULL;
}

static bool run_select(Compilation *c) {
    if (!c->options.shard_size) c->options.shard_size = shard_size(c->graph, &c->options);
    for (int t = 0; t < c->options.target_count; t++)
        for (int e = 0; e < ENTRY_COUNT; e++) {
            if (!is_wanted(c, (Entry)e)) continue;
            Program *p = select_algorithms(c->graph, &c->options, c->options.targets[t], (Entry)e, leader_of(c, (Entry)e));
            *PUSH(c->arena, c->programs, c->program_count) = p;
        }
    return true;
}

static bool for_each_program(Compilation *c, void (*run)(Program *)) {
    for (int i = 0; i < c->program_count; i++) run(c->programs[i]);
    return true;
}
static bool run_lower(Compilation *c) { return for_each_program(c, lower); }
static bool run_simplify(Compilation *c) { return for_each_program(c, simplify); }
static bool run_fuse(Compilation *c) { return for_each_program(c, fuse); }

/* What shards keep is as large for all variants. */
static void share_kept(Compilation *c) {
    size_t most = 0;
    for (int i = 0; i < c->program_count; i++)
        if (c->programs[i]->kept > most) most = c->programs[i]->kept;
    for (int i = 0; i < c->program_count; i++)
        if (c->programs[i]->kept) c->programs[i]->kept = most;
}

/* Generated code counts the elements of a buffer in int. */
static bool run_plan(Compilation *c) {
    for_each_program(c, plan);
    share_kept(c);
    for (int i = 0; i < c->program_count; i++)
        for (int k = 0; k < c->programs[i]->tensor_count; k++) {
            const Buffer *b = &c->programs[i]->buffers[k];
            if (!b->used || b->size / (size_t)element_size(c->programs[i], b->tensor->type) <= INT_MAX) continue;
            error(&c->diag, b->tensor->layer ? b->tensor->layer->loc : (Loc){0}, "'%s' of %d examples has more than 2^31 - 1 elements", b->tensor->name, b->examples);
            hint(&c->diag, "a smaller --shard-size would do");
            return false;
        }
    return true;
}

static bool run_unroll(Compilation *c) { return for_each_program(c, unroll); }

/* Of known weights, each of which a float holds, others are made that may be too large: an infinity that nobody asked for. */
static bool check_constants(Compilation *c) {
    for (int i = 0; i < c->constants.length; i++) {
        const Constant *one = c->constants.items[i];
        for (int64_t k = 0; one->values && k < one->count; k++) {
            if (fabs(one->values[k]) <= FLT_MAX) continue;
            const Layer *l = one->tensor->layer;
            error(&c->diag, l ? l->loc : (Loc){0}, "'%s' of these weights has numbers beyond a float's range", one->tensor->name);
            return false;
        }
    }
    return true;
}

static bool run_constants(Compilation *c) {
    if (!c->options.inference) return true;
    find_constants(c->graph, c->programs, c->program_count, c->options.weights_path != NULL, &c->constants);
    return check_constants(c);
}

static void print_each(const Compilation *c, StrBuf *out, void (*print)(const Program *, StrBuf *)) {
    for (int i = 0; i < c->program_count; i++) print(c->programs[i], out);
}
static void print_select(const Compilation *c, StrBuf *out) { print_each(c, out, print_selection); }
static void print_lower(const Compilation *c, StrBuf *out) { print_each(c, out, print_kernels); }
static void print_plans(const Compilation *c, StrBuf *out) { print_each(c, out, print_plan); }

static void verify_programs(const Compilation *c, const char *stage) {
    for (int i = 0; i < c->program_count; i++) verify_program(c->programs[i], stage);
}

/* ---- emit ------------------------------------------------------------------------------------------------------------------ */

static bool run_emit(Compilation *c) {
    StrBuf message = {0};
    bool fine = emit(c->graph, &c->options, c->programs, c->program_count, &c->constants, c->templates, &c->c, &c->h, &message);
    if (!fine) foreign_error(&c->diag, message.text);
    strbuf_free(&message);
    return fine;
}
static void print_c(const Compilation *c, StrBuf *out) { strbuf_add(out, c->c.text); }

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static const Pass passes[] = {
    {"parse", run_parse, print_parse, NULL},
    {"build", run_build, print_build, verify_build},
    {"dot", run_dot, print_picture, NULL},
    {"weights", run_weights, print_build, verify_build},
    {"live", run_live, print_build, verify_build},
    {"autodiff", run_autodiff, print_build, verify_build},
    {"route", run_route, print_build, verify_build},
    {"select", run_select, print_select, NULL},
    {"lower", run_lower, print_lower, verify_programs},
    {"simplify", run_simplify, print_lower, verify_programs},
    {"fuse", run_fuse, print_lower, verify_programs},
    {"plan", run_plan, print_plans, verify_programs},
    {"unroll", run_unroll, print_plans, verify_programs},
    {"constants", run_constants, print_plans, verify_programs},
    {"c", run_emit, print_c, NULL},
};

const char *stage_name(int i) { return i < LENGTH(passes) ? passes[i].name : NULL; }

bool is_stage(const char *name) {
    for (int i = 0; i < LENGTH(passes); i++)
        if (!strcmp(passes[i].name, name)) return true;
    return false;
}

const char *stage_names(Arena *arena) {
    const char *text = "";
    for (int i = 0; i < LENGTH(passes); i++) text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", passes[i].name);
    return text;
}

void compilation_init(Compilation *c, bool color) {
    *c = (Compilation){.arena = arena_new()};
    c->diag = (Diag){.source = &c->source, .color = color};
    c->options.unroll = -1;
    c->options.header = "network.h";
    c->options.command = "cnnc";
    for (const Target *t = targets; t->name; t++) c->options.targets[c->options.target_count++] = t;
}

void compilation_free(Compilation *c) {
    strbuf_free(&c->c);
    strbuf_free(&c->h);
    strbuf_free(&c->diag.out);
    arena_free(c->arena);
}

/* Of a tuning file. */
static int read_choices(Compilation *c) {
    const char *path = c->options.tuning_path;
    int line;
    if (!path) return EXIT_FINE;
    c->options.tuning = NEW(c->arena, Tuning);
    const char *failure = read_tuning(c->arena, path, c->options.tuning, &line);
    if (!failure) return EXIT_FINE;
    c->options.tuning = NULL;
    c->diag.errors++;
    if (line < 0) say_error("%s", failure);
    else remark("error", path, line, "%s", failure);
    return line < 0 ? EXIT_FILE : EXIT_INPUT;
}

int compile(Compilation *c, const char *path, const char *last, const char *dump, StrBuf *out) {
    char *text;
    const char *failure = read_file(c->arena, path, &text, &c->source.length);
    c->source.name = strcmp(path, "-") ? path : "<stdin>";
    c->source.text = text;
    if (failure) {
        c->diag.errors++;
        say_error("%s", failure);
        return EXIT_FILE;
    }
    int status = read_choices(c);
    if (status != EXIT_FINE) return status;
    return compile_source(c, last, dump, out);
}

int compile_source(Compilation *c, const char *last, const char *dump, StrBuf *out) {
    if (!c->templates) c->templates = templates_new(c->arena, NULL);
    if (templates_problem(c->templates)) {
        c->diag.errors++;
        say_error("%s", templates_problem(c->templates));
        return EXIT_FILE;
    }
    for (int i = 0; i < LENGTH(passes); i++) {
        if (!passes[i].run(c)) return c->status ? c->status : EXIT_INPUT;
        if (passes[i].verify) passes[i].verify(c, passes[i].name);
        if (dump && !strcmp(dump, passes[i].name)) passes[i].print(c, out);
        if ((last && !strcmp(last, passes[i].name)) || (dump && !strcmp(dump, passes[i].name))) break;
    }
    return EXIT_FINE;
}
