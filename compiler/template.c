/* template.c: the template engine: expansion, tree -> text.
 *
 * A template is parsed at its first use (template_parse.c) and kept. An expansion has an arena of its own for
 * temporary values, counts its steps and bytes, and ends at the first error. The engine knows nothing of networks or of
 * C; docs/templates.md is the reference of its language.
 */
#define _POSIX_C_SOURCE 200809L
#include "template.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- An expansion and its errors ---- */

typedef struct Unit { /* a template within an expansion */
    const TmplTemplate *source;
    const TmplTree *tree;
    TmplValue *lets;            /* evaluated at first use; TMPL_UNBOUND: not yet */
    bool *evaluating;
    struct Unit **includes;
    int include_count;
    unsigned visit;             /* number of the search that saw it last */
} Unit;

typedef struct Frame { /* a call in progress */
    struct Frame *caller;
    Unit *unit;
    int line;
    int first_local;
    const char *what;           /* is being expanded: name of a definition or text of a fragment */
    bool fragment;
} Frame;

typedef struct Local { TmplSymbol name; TmplValue value; } Local;
enum { FRAGMENT_BUCKETS = 256 };

struct TmplExpansion {
    jmp_buf error;
    Arena *arena;
    Templates *templates;
    const Bindings *bindings;
    bool *used;                 /* used[number in bindings->names] */
    StrBuf *out, *message;
    size_t out_begin, line_begin; /* in *out */
    size_t indent;              /* of the call that is expanded */
    Frame *frame;
    Unit **units;
    int unit_count;
    Local *locals;
    int local_count;
    size_t steps, bytes;
    int depth, calls;
    unsigned visit;
    TmplFragment *fragments[FRAGMENT_BUCKETS];
};

static void add_trace(TmplExpansion *x) {
    int shown = 0;
    for (const Frame *f = x->frame; f && f->caller; f = f->caller) {
        if (++shown > 12) {
            strbuf_add(x->message, "  ...\n");
            break;
        }
        strbuf_printf(x->message, f->fragment ? "  in the fragment \"%.60s\"" : "  in %.60s", f->what);
        strbuf_printf(x->message, " called from %s:%d\n", f->caller->unit->source->file, f->caller->line);
    }
}

static void begin_error(TmplExpansion *x, const char *file, int line) {
    if (file)
        strbuf_printf(x->message, "%s:%d: ", file, line);
    strbuf_add(x->message, "error: ");
}

static NORETURN void end_error(TmplExpansion *x) {
    strbuf_add(x->message, "\n");
    add_trace(x);
    longjmp(x->error, 1);
}

static void add_message(TmplExpansion *x, const char *format, va_list arguments) {
    char text[600]; /* names in it may be long: cut */
    vsnprintf(text, sizeof text, format, arguments);
    strbuf_add(x->message, text);
}

void tmpl_fail_at(TmplExpansion *x, const char *file, int line, const char *format, ...) {
    va_list arguments;
    begin_error(x, file, line);
    va_start(arguments, format);
    add_message(x, format, arguments);
    va_end(arguments);
    end_error(x);
}

void tmpl_fail(TmplExpansion *x, const char *format, ...) {
    va_list arguments;
    begin_error(x, x->frame ? x->frame->unit->source->file : NULL, x->frame ? x->frame->line : 0);
    va_start(arguments, format);
    add_message(x, format, arguments);
    va_end(arguments);
    end_error(x);
}

void tmpl_syntax(TmplParser *p, const char *format, ...) {
    va_list arguments;
    begin_error(p->expansion, p->file, p->line);
    va_start(arguments, format);
    add_message(p->expansion, format, arguments);
    va_end(arguments);
    end_error(p->expansion);
}

void tmpl_spend(TmplExpansion *x, size_t steps) {
    x->steps += steps;
    if (x->steps > TMPL_MAX_STEPS)
        tmpl_fail(x, "the expansion takes more than %d steps", TMPL_MAX_STEPS);
}

void *tmpl_alloc(TmplExpansion *x, size_t size) {
    if (size > TMPL_MAX_BYTES - x->bytes)
        tmpl_fail(x, "the expansion takes more than %d bytes of temporary memory", TMPL_MAX_BYTES);
    x->bytes += size;
    return arena_alloc(x->arena, size);
}

void tmpl_enter(TmplExpansion *x) {
    tmpl_spend(x, 1);
    if (++x->depth > TMPL_MAX_DEPTH)
        tmpl_fail(x, "the expansion is nested too deep");
}

void tmpl_leave(TmplExpansion *x) { x->depth--; }

/* ---- Looking up names ---- */

static void push_local(TmplExpansion *x, TmplSymbol name, TmplValue value) {
    if (x->local_count - x->frame->first_local >= TMPL_MAX_LOCALS)
        tmpl_fail(x, "more than %d names are in scope", TMPL_MAX_LOCALS);
    *PUSH(x->arena, x->locals, x->local_count) = (Local){name, value};
}

/* Evaluates a $let at file level, which sees no locals. While it is evaluated its own name means the binding. */
static TmplValue unit_let(TmplExpansion *x, Unit *unit, int i) {
    if (unit->lets[i].kind == TMPL_UNBOUND) {
        const TmplLine *let = &unit->tree->lets[i];
        Frame frame = {x->frame, unit, let->line, x->local_count, unit->tree->let_names.symbols[i].text, false};
        x->frame = &frame;
        unit->evaluating[i] = true;
        unit->lets[i] = tmpl_evaluate(x, let->expr);
        unit->evaluating[i] = false;
        x->frame = frame.caller;
    }
    return unit->lets[i];
}

TmplValue tmpl_lookup(TmplExpansion *x, TmplSymbol name) {
    const Frame *frame = x->frame;
    for (int i = x->local_count - 1; i >= frame->first_local; i--)
        if (tmpl_same(x->locals[i].name, name))
            return x->locals[i].value;
    int let = tmpl_table_find(&frame->unit->tree->let_names, name);
    if (let >= 0 && !frame->unit->evaluating[let])
        return unit_let(x, frame->unit, let);
    if (!x->bindings)
        return (TmplValue){.kind = TMPL_UNBOUND};
    int own = tmpl_table_find(&x->bindings->names, name);
    if (own >= 0)
        x->used[own] = true;
    return tmpl_field(x->bindings, name);
}

static const char *suggestion(TmplExpansion *x, const char *name, const char *const *candidates, int n) {
    if (strlen(name) > 100)
        return "";
    const char *near = nearest(name, candidates, n);
    return near ? arena_printf(x->arena, "; did you mean \"%s\"?", near) : "";
}

enum { MAX_CANDIDATES = 300 };

static int add_candidates(const TmplTable *t, const char **candidates, int n) {
    for (int i = 0; i < t->count && n < MAX_CANDIDATES; i++)
        if (strlen(t->symbols[i].text) <= 100)
            candidates[n++] = t->symbols[i].text;
    return n;
}

const char *tmpl_suggest(TmplExpansion *x, const char *name) {
    const char *candidates[MAX_CANDIDATES];
    int n = 0;
    for (int i = x->local_count - 1; i >= x->frame->first_local && n < MAX_CANDIDATES / 3; i--)
        if (strlen(x->locals[i].name.text) <= 100)
            candidates[n++] = x->locals[i].name.text;
    n = add_candidates(&x->frame->unit->tree->let_names, candidates, n);
    for (const Bindings *b = x->bindings; b; b = b->parent)
        n = add_candidates(&b->names, candidates, n);
    return suggestion(x, name, candidates, n);
}

/* ---- Templates and definitions ---- */

static const TmplTree *template_tree(TmplExpansion *x, TmplTemplate *t) {
    if (t->tree)
        return t->tree;
    if (t->rival)
        tmpl_fail(x, "\"%s\" and \"%s\" are templates of the same name", t->file, t->rival);
    const char *text = t->text;
    size_t length = 0;
    if (t->path) {
        struct stat status;
        if (stat(t->path, &status) == 0 && status.st_size > TMPL_MAX_FILE)
            tmpl_fail(x, "\"%s\" is longer than %d bytes", t->path, TMPL_MAX_FILE);
        char *read;
        const char *problem = read_file(x->templates->arena, t->path, &read, &length);
        if (problem)
            tmpl_fail(x, "%s", problem);
        text = read;
    } else {
        length = strlen(text);
    }
    if (length > TMPL_MAX_FILE)
        tmpl_fail(x, "\"%s\" is longer than %d bytes", t->file, TMPL_MAX_FILE);
    if (memchr(text, '\0', length)) /* NOLINT(bugprone-not-null-terminated-result): it searches, and copies nothing */
        tmpl_fail_at(x, t->file, 1, "the template has a zero byte");
    return t->tree = tmpl_parse(x, x->templates->arena, t->file, text, length);
}

static Unit *open_unit(TmplExpansion *x, const char *name);

static void open_includes(TmplExpansion *x, Unit *unit) {
    Frame frame = {x->frame, unit, 1, x->local_count, "its $include", false};
    x->frame = &frame;
    unit->includes = tmpl_alloc(x, sizeof *unit->includes * (size_t)unit->tree->include_count + 1);
    for (int i = 0; i < unit->tree->include_count; i++) {
        frame.line = unit->tree->includes[i].line;
        TmplValue name = tmpl_evaluate(x, unit->tree->includes[i].expr);
        if (name.kind != TMPL_STRING)
            tmpl_fail(x, "$include needs the name of a template, not %s", tmpl_kind_name(name.kind));
        unit->includes[unit->include_count++] = open_unit(x, name.string);
    }
    x->frame = frame.caller;
}

/* The template of that name, parsed and with its includes, once per expansion. */
static Unit *open_unit(TmplExpansion *x, const char *name) {
    Templates *t = x->templates;
    int number = tmpl_table_find(&t->names, tmpl_symbol(name));
    if (number < 0) {
        const char *candidates[MAX_CANDIDATES];
        int n = add_candidates(&t->names, candidates, 0);
        tmpl_fail(x, "there is no template \"%s\"%s", name, suggestion(x, name, candidates, n));
    }
    tmpl_spend(x, (size_t)x->unit_count + 1);
    for (int i = 0; i < x->unit_count; i++)
        if (x->units[i]->source == &t->templates[number])
            return x->units[i];
    tmpl_enter(x);
    const TmplTree *tree = template_tree(x, &t->templates[number]);
    Unit *unit = tmpl_alloc(x, sizeof *unit);
    unit->source = &t->templates[number];
    unit->tree = tree;
    unit->lets = tmpl_alloc(x, sizeof *unit->lets * (size_t)tree->let_count + 1);
    unit->evaluating = tmpl_alloc(x, (size_t)tree->let_count + 1);
    *PUSH(x->arena, x->units, x->unit_count) = unit;
    open_includes(x, unit);
    tmpl_leave(x);
    return unit;
}

/* A definition of the unit, or else of what it includes, in order; *home becomes the unit where it is. */
static const TmplDef *search_def(TmplExpansion *x, Unit *unit, TmplSymbol name, Unit **home) {
    unit->visit = x->visit;
    int i = tmpl_table_find(&unit->tree->def_names, name);
    if (i >= 0) {
        *home = unit;
        return &unit->tree->defs[i];
    }
    const TmplDef *def = NULL;
    tmpl_enter(x);
    for (i = 0; i < unit->include_count && !def; i++)
        if (unit->includes[i]->visit != x->visit)
            def = search_def(x, unit->includes[i], name, home);
    tmpl_leave(x);
    return def;
}

static const TmplDef *find_def(TmplExpansion *x, TmplSymbol name, Unit **home) {
    x->visit++;
    const TmplDef *def = search_def(x, x->frame->unit, name, home);
    if (def)
        return def;
    const char *candidates[MAX_CANDIDATES];
    int n = 0;
    for (int i = 0; i < x->unit_count; i++)
        if (x->units[i]->visit == x->visit)
            n = add_candidates(&x->units[i]->tree->def_names, candidates, n);
    tmpl_fail(x, "there is no definition \"%s\"%s", name.text, suggestion(x, name.text, candidates, n));
}

/* ---- Output ---- */

static void put(TmplExpansion *x, const char *text, size_t length) {
    if (length > TMPL_MAX_BYTES - (x->out->length - x->out_begin))
        tmpl_fail(x, "the output is longer than %d bytes", TMPL_MAX_BYTES);
    strbuf_add_n(x->out, text, length);
}

static void put_newline(TmplExpansion *x) {
    StrBuf *out = x->out;
    while (out->length > x->line_begin && (out->text[out->length - 1] == ' ' || out->text[out->length - 1] == '\t'))
        out->length--;
    put(x, "\n", 1);
    x->line_begin = out->length;
}

static void put_indent(TmplExpansion *x, const TmplNode *n) {
    static const char blanks[] = "                                                                ";
    size_t width = sizeof blanks - 1;
    for (size_t left = x->indent; left > 0; left -= left < width ? left : width)
        put(x, blanks, left < width ? left : width);
    put(x, n->lead, n->lead_length);
}

/* Text within a line; it may have lines of its own. */
static void put_text(TmplExpansion *x, const char *text, size_t length) {
    const char *end = text + length, *newline;
    while ((newline = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        put(x, text, (size_t)(newline - text));
        put_newline(x);
        text = newline + 1;
    }
    put(x, text, (size_t)(end - text));
}

static void put_value(TmplExpansion *x, TmplValue v) {
    char digits[24];
    if (v.kind == TMPL_INT) {
        put(x, digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, v.integer));
        return;
    }
    v = tmpl_text(x, v);
    put_text(x, v.string, (size_t)v.length);
}

/* A line that is only ${expr}: each line of the value goes to its place, an empty value leaves no line. */
static void put_lines(TmplExpansion *x, const TmplNode *n, TmplValue v) {
    v = tmpl_text(x, v);
    const char *text = v.string, *end = text + v.length;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;
        put_indent(x, n);
        put(x, text, (size_t)(stop - text));
        put_newline(x);
        text = stop + 1;
    }
}

/* ---- Nodes ---- */

static void run_block(TmplExpansion *x, const TmplNode *n);

static void run_text(TmplExpansion *x, const TmplNode *n) {
    if (n->piece_count == 1 && n->pieces[0].expr) {
        put_lines(x, n, tmpl_evaluate(x, n->pieces[0].expr));
        return;
    }
    put_indent(x, n);
    for (int i = 0; i < n->piece_count; i++) {
        if (n->pieces[i].expr)
            put_value(x, tmpl_evaluate(x, n->pieces[i].expr));
        else
            put(x, n->pieces[i].text, n->pieces[i].length);
    }
    put_newline(x);
}

/* One turn of a loop. */
static void run_turn(TmplExpansion *x, const TmplNode *n, TmplValue index, TmplValue value) {
    int outside = x->local_count;
    tmpl_spend(x, 1);
    if (n->index.text)
        push_local(x, n->index, index);
    push_local(x, n->name, value);
    run_block(x, n->body);
    x->local_count = outside;
    x->frame->line = n->line;
}

static void run_range(TmplExpansion *x, const TmplNode *n, int64_t from) {
    int64_t to = tmpl_evaluate_int(x, n->to, "the end of the range");
    int64_t step = n->step ? tmpl_evaluate_int(x, n->step, "the step") : 1;
    if (step == 0)
        tmpl_fail(x, "the step of a $for is zero");
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step) {
        run_turn(x, n, tmpl_int(0), tmpl_int(i));
        if (step > 0 ? i > INT64_MAX - step : i < INT64_MIN - step)
            break;
    }
}

static void run_for(TmplExpansion *x, const TmplNode *n) {
    TmplValue v = tmpl_evaluate(x, n->expr);
    if (n->to) {
        if (v.kind != TMPL_INT)
            tmpl_fail(x, "the beginning of the range must be an integer, not %s", tmpl_kind_name(v.kind));
        run_range(x, n, v.integer);
        return;
    }
    if (v.kind != TMPL_LIST)
        tmpl_fail(x, "$for goes over a list, not over %s", tmpl_kind_name(v.kind));
    for (int i = 0; i < v.length; i++)
        run_turn(x, n, tmpl_int(i), v.items[i]);
}

static void run_if(TmplExpansion *x, const TmplNode *n) {
    for (int i = 0; i < n->arm_count; i++) {
        x->frame->line = n->arms[i].line;
        if (!n->arms[i].condition || tmpl_evaluate_truth(x, n->arms[i].condition)) {
            run_block(x, n->arms[i].body);
            return;
        }
    }
}

static void run_let(TmplExpansion *x, const TmplNode *n) { push_local(x, n->name, tmpl_evaluate(x, n->expr)); }

static void run_assert(TmplExpansion *x, const TmplNode *n) {
    if (!tmpl_evaluate_truth(x, n->expr))
        tmpl_fail(x, "assertion failed: %s", tmpl_text(x, tmpl_evaluate(x, n->message)).string);
}

static void enter_frame(TmplExpansion *x, Frame *frame) {
    if (++x->calls > TMPL_MAX_CALLS)
        tmpl_fail(x, "calls are nested more than %d deep", TMPL_MAX_CALLS);
    x->frame = frame;
}

static void leave_frame(TmplExpansion *x, int outside) {
    x->local_count = outside;
    x->frame = x->frame->caller;
    x->calls--;
}

static void run_call(TmplExpansion *x, const TmplNode *n) {
    TmplSymbol name = n->name;
    if (n->expr) {
        TmplValue v = tmpl_evaluate(x, n->expr);
        if (v.kind != TMPL_STRING)
            tmpl_fail(x, "$call needs the name of a definition, not %s", tmpl_kind_name(v.kind));
        name = tmpl_symbol(v.string);
        tmpl_spend(x, (size_t)v.length / 64);
    }
    Unit *home = NULL;
    const TmplDef *def = find_def(x, name, &home);
    if (def->parameter_count != n->argument_count)
        tmpl_fail(x, "\"%s\" (%s:%d) takes %d argument%s, not %d", name.text, home->source->file, def->line,
                  def->parameter_count, def->parameter_count == 1 ? "" : "s", n->argument_count);
    TmplValue arguments[TMPL_MAX_ARGUMENTS];
    for (int i = 0; i < n->argument_count; i++)
        arguments[i] = tmpl_evaluate(x, n->arguments[i]);
    int outside = x->local_count;
    size_t indent = x->indent;
    Frame frame = {x->frame, home, def->line, outside, def->name.text, false};
    enter_frame(x, &frame);
    x->indent += n->lead_length;
    for (int i = 0; i < n->argument_count; i++)
        push_local(x, def->parameters[i], arguments[i]);
    run_block(x, def->body);
    x->indent = indent;
    leave_frame(x, outside);
}

static void run_block(TmplExpansion *x, const TmplNode *n) {
    static void (*const runners[NODE_KINDS])(TmplExpansion *, const TmplNode *) = {
        [NODE_TEXT] = run_text, [NODE_FOR] = run_for, [NODE_IF] = run_if, [NODE_LET] = run_let,
        [NODE_ASSERT] = run_assert, [NODE_CALL] = run_call,
    };
    int outside = x->local_count;
    tmpl_enter(x);
    for (; n; n = n->next) {
        tmpl_spend(x, 1);
        x->frame->line = n->line;
        runners[n->kind](x, n);
    }
    tmpl_leave(x);
    x->local_count = outside;
}

/* ---- Fragments ---- */

/* The fragment parsed, once per expansion. */
static const TmplFragment *find_fragment(TmplExpansion *x, TmplValue text) {
    uint32_t hash = tmpl_symbol(text.string).hash;
    TmplFragment **bucket = &x->fragments[hash % FRAGMENT_BUCKETS], *f = *bucket;
    for (; f; f = f->next) {
        tmpl_spend(x, 1);
        if (f->hash == hash && f->length == text.length && memcmp(f->text, text.string, (size_t)text.length) == 0)
            return f;
    }
    tmpl_spend(x, (size_t)text.length);
    f = tmpl_alloc(x, sizeof *f + 64 * (size_t)text.length); /* counts the tree that parsing is about to build */
    *f = (TmplFragment){.text = text.string, .length = text.length, .hash = hash};
    f->pieces = tmpl_parse_fragment(x, x->arena, x->frame->unit->source->file, x->frame->line, text, &f->piece_count);
    f->next = *bucket;
    return *bucket = f;
}

TmplValue tmpl_expand_fragment(TmplExpansion *x, TmplValue text, const TmplSymbol *names, const TmplValue *values,
                               int n) {
    tmpl_spend(x, (size_t)text.length / 16);
    if (!memchr(text.string, '$', (size_t)text.length))
        return text;
    int outside = x->local_count;
    Frame frame = {x->frame, x->frame->unit, x->frame->line, x->frame->first_local, text.string, true};
    enter_frame(x, &frame);
    const TmplFragment *f = find_fragment(x, text);
    for (int i = 0; i < n; i++)
        push_local(x, names[i], values[i]);
    TmplValue *pieces = tmpl_alloc(x, sizeof *pieces * (size_t)f->piece_count + 1);
    for (int i = 0; i < f->piece_count; i++)
        pieces[i] = f->pieces[i].expr ? tmpl_evaluate(x, f->pieces[i].expr)
                                      : tmpl_string(f->pieces[i].text, f->pieces[i].length);
    TmplValue whole = tmpl_concatenate(x, pieces, f->piece_count, tmpl_string("", 0));
    leave_frame(x, outside);
    return whole;
}

/* ---- The whole ---- */

static void check_all_used(TmplExpansion *x, const char *name) {
    const Bindings *b = x->bindings;
    for (int i = 0; b && i < b->bound_count; i++)
        if (!x->used[i] && !b->bound[i].optional && b->bound[i].value.kind != TMPL_UNBOUND)
            tmpl_fail_at(x, x->frame->unit->source->file, x->frame->line, "\"%s\" is bound but never used by %s",
                         b->names.symbols[i].text, name);
}

static void expand(TmplExpansion *x, const char *name) {
    size_t stem = strcspn(name, ".");
    Unit *unit = open_unit(x, arena_string(x->arena, name, stem));
    Frame frame = {NULL, unit, 1, 0, name, false};
    x->frame = &frame;
    run_block(x, unit->tree->asserts);
    const TmplNode *body = unit->tree->body;
    int line = 1;
    if (name[stem] == '.') {
        Unit *home = NULL;
        const TmplDef *def = find_def(x, tmpl_symbol(name + stem + 1), &home);
        if (def->parameter_count > 0)
            tmpl_fail_at(x, home->source->file, def->line, "\"%s\" has parameters: it cannot be expanded alone", name);
        frame.unit = home;
        body = def->body;
        line = def->line;
    }
    run_block(x, body);
    frame.line = line;
    check_all_used(x, name);
}

bool template_expand(Templates *templates, const char *name, const Bindings *bindings, StrBuf *out, StrBuf *message) {
    Arena *arena = arena_new();
    TmplExpansion *x = NEW(arena, TmplExpansion);
    x->arena = arena;
    x->templates = templates;
    x->bindings = bindings;
    x->used = NEW_ARRAY(arena, bool, bindings ? bindings->bound_count + 1 : 1);
    x->out = out;
    x->message = message;
    x->out_begin = x->line_begin = out->length;
    if (setjmp(x->error)) {
        if (out->text) {
            out->length = x->out_begin;
            out->text[out->length] = '\0';
        }
        arena_free(arena);
        return false;
    }
    if (templates->problem)
        tmpl_fail(x, "%s", templates->problem);
    expand(x, name);
    arena_free(arena);
    return true;
}
