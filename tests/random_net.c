/* random_net.c: see random_net.h. */
#include "random_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a whole network; a layer, a loss and an optimizer are tried so often with other options, and then given up. */
static const int most_parameters = 20000, most_elements = 3000;
static const double most_flops = 3e6;
enum { TRIES = 40, MOST_LAYERS = 10 };

typedef struct Draw { Arena *arena; cnnc_random random; } Draw;

static int below(Draw *d, int n) { return (int)cnnc_random_below(&d->random, (uint64_t)n); }
static bool chance(Draw *d, double p) { return cnnc_random_uniform(&d->random) < p; }

/* ---- values, by the table ------------------------------------------------------------------------------------------ */

static const char *draw_value(Draw *, const AttrDef *, Shape x, bool inside);

static double within(const AttrDef *a, double x) { return a->min == a->max ? x : fmin(fmax(x, a->min), a->max); }

/* Around the default, or where there is none or it is 0 something of the size of 1. */
static const char *draw_real(Draw *d, const AttrDef *a) {
    static const double factors[] = {0.25, 0.5, 1, 2}, sizes[] = {0, 0.1, 0.25, 0.5, 0.75, 1};
    double usual = a->fallback ? strtod(a->fallback, NULL) : 0, x = usual != 0 ? usual * factors[below(d, LENGTH(factors))] : sizes[below(d, LENGTH(sizes))];
    if (x == 0 && a->min > 0) x = 1;
    return arena_printf(d->arena, "%.9g", within(a, chance(d, 0.1) && (a->min < 0 || a->min == a->max) ? -x : x));
}

static const char *draw_int(Draw *d, const AttrDef *a) {
    static const int wide[] = {8, 16, 17, 20, 32, 33};
    int x = a->fallback && *a->fallback && chance(d, 0.3) ? atoi(a->fallback) : chance(d, 0.15) ? wide[below(d, LENGTH(wide))] : 1 + below(d, 6);
    if (a->min < 0 && chance(d, 0.5)) x = -1 - below(d, 3);
    return arena_printf(d->arena, "%d", (int)within(a, x));
}

static const char *draw_size(Draw *d, const AttrDef *a, Shape x, bool inside) {
    int rank = a->rank ? chance(d, 0.4) ? 1 : a->rank : 1 + below(d, 4);
    const char *s = "";
    for (int i = 0; i < rank; i++) {
        int part = a->rank == 0 && x.rank && chance(d, 0.5) ? x.dim[below(d, x.rank)] : 1 + below(d, 4);
        if (a->min < 0 && chance(d, 0.4)) part = -1;
        if (a->min == 0 && chance(d, 0.3)) part = 0;
        s = arena_printf(d->arena, "%s%s%d", s, i ? a->min < 0 || a->rank == 0 ? "," : "x" : "", (int)within(a, part));
    }
    return rank > 1 && inside ? arena_printf(d->arena, "(%s)", s) : s;
}

static const char *draw_pairs(Draw *d, const AttrDef *a) {
    const char *s = "";
    if (chance(d, 0.3)) return arena_printf(d->arena, "%d", below(d, 3));
    for (int i = 0; i < a->rank; i++) s = arena_printf(d->arena, "%s%s(%d,%d)", s, i ? "x" : "", below(d, 3), below(d, 3));
    return s;
}

static const char *draw_word(Draw *d, const AttrDef *a) {
    int n = 1, k;
    for (const char *s = a->words; *s; s++) n += *s == '|';
    const char *s = a->words;
    for (k = below(d, n); k; k--) s = strchr(s, '|') + 1;
    return arena_string(d->arena, s, strcspn(s, "|"));
}

static int family_size(Family *family) {
    int n = 0;
    while (family(n)) n++;
    return n;
}

/* Arguments of a callable: those that must be there, and some of the others. */
static const char **draw_arguments(Draw *d, const Callable *c, double often, Shape x, bool inside, int *n) {
    const char **arguments = NEW_ARRAY(d->arena, const char *, c->attribute_count + 1);
    *n = 0;
    for (int i = 0; i < c->attribute_count; i++) {
        const AttrDef *a = &c->attributes[i];
        if (a->fallback && !chance(d, often)) continue;
        arguments[(*n)++] = arena_printf(d->arena, "%s=%s", a->name, draw_value(d, a, x, inside));
    }
    return arguments;
}

static const char *draw_call(Draw *d, const Callable *c, double often) {
    int n;
    const char **arguments = draw_arguments(d, c, often, (Shape){0}, true, &n), *s = arena_printf(d->arena, "%s%s", c->name, n ? "(" : "");
    for (int i = 0; i < n; i++) s = arena_printf(d->arena, "%s%s%s", s, i ? ", " : "", arguments[i]);
    return arena_printf(d->arena, "%s%s", s, n ? ")" : "");
}

static const char *draw_member(Draw *d, const AttrDef *a) { return draw_call(d, a->family(below(d, family_size(a->family))), 0.3); }

static const char *draw_list(Draw *d, const char *(*item)(Draw *, const AttrDef *), const AttrDef *a) {
    const char *s = item(d, a);
    int n = below(d, 3);
    for (int i = 0; i < n; i++) s = arena_printf(d->arena, "%s,%s", s, item(d, a));
    return n ? arena_printf(d->arena, "(%s)", s) : s;
}

static const char *draw_value(Draw *d, const AttrDef *a, Shape x, bool inside) {
    switch (a->kind) {
    case ATTR_INT: return draw_int(d, a);
    case ATTR_BOOL: return chance(d, 0.5) ? "true" : "false";
    case ATTR_WORD: return draw_word(d, a);
    case ATTR_SIZE: return draw_size(d, a, x, inside);
    case ATTR_PAIRS: return draw_pairs(d, a);
    case ATTR_REALS: return draw_list(d, draw_real, a);
    case ATTR_REAL:
        if (!a->family || chance(d, 0.6)) return draw_real(d, a);
        break;
    case ATTR_CALLS: return draw_list(d, draw_member, a);
    case ATTR_CALL: break;
    }
    return draw_member(d, a);
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

static bool is_read(const RandomNet *net, int line) {
    for (int i = line + 1; i < net->length; i++)
        for (int k = 0; k < net->lines[i].from_count; k++)
            if (net->lines[i].from[k] == line) return true;
    return false;
}

static void add_line(const RandomNet *net, int at, StrBuf *out) {
    const RandomLine *l = &net->lines[at];
    strbuf_printf(out, "n%d = %s", at, l->word);
    for (int i = 0; i < l->argument_count; i++) strbuf_printf(out, " %s", l->arguments[i]);
    for (int i = 0; i < l->from_count; i++) strbuf_printf(out, "%s n%d", i ? "," : " from", l->from[i]);
    strbuf_add(out, "\n");
}

const char *random_net_text(const RandomNet *net) {
    StrBuf out = {0}, outputs = {0}, losses = {0};
    strbuf_add(&out, "network net\n");
    for (int i = 0; i < net->length; i++) {
        add_line(net, i, &out);
        if (is_read(net, i)) continue;
        strbuf_printf(&outputs, "%s n%d", outputs.length ? "," : "", i);
        if (net->lines[i].loss) strbuf_printf(&losses, "%s%s", losses.length ? "," : "", net->lines[i].loss);
    }
    strbuf_printf(&out, "output%s\n", outputs.text);
    if (losses.length) strbuf_printf(&out, "compile loss=%s", losses.text);
    for (int i = 0; losses.length && i < net->compile_count; i++) strbuf_printf(&out, " %s", net->compile[i]);
    strbuf_add(&out, losses.length ? "\n" : "");
    if (net->fit_count) strbuf_add(&out, "fit");
    for (int i = 0; i < net->fit_count; i++) strbuf_printf(&out, " %s", net->fit[i]);
    strbuf_add(&out, net->fit_count ? "\n" : "");
    const char *text = arena_string(net->arena, out.text, out.length);
    strbuf_free(&out);
    strbuf_free(&outputs);
    strbuf_free(&losses);
    return text;
}

/* ---- what the compiler takes ---------------------------------------------------------------------------------------- */

typedef struct Built { bool fine; Shape shapes[RANDOM_LINES]; Type types[RANDOM_LINES]; } Built;

static bool is_small(const Graph *g) {
    int64_t parameters = 0;
    double flops = 0;
    for (int i = 0; i < g->parameter_count; i++) parameters += shape_count(g->parameters[i]->shape);
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        flops += op->def->flops ? op->def->flops(op) : 0;
        for (int k = 0; k < op->output_count; k++)
            if (shape_count(op->outputs[k]->shape) > most_elements) return false;
    }
    return parameters <= most_parameters && flops <= most_flops;
}

static Built build_net(const RandomNet *net) {
    Compilation c;
    Built b = {false};
    compilation_init(&c, false);
    c.quiet = true;
    c.source.name = "random.net";
    c.source.text = random_net_text(net);
    c.source.length = strlen(c.source.text);
    b.fine = !compile_source(&c, "autodiff", NULL, NULL) && is_small(c.graph);
    for (int i = 0; b.fine && i < c.graph->layer_count; i++) {
        int line = atoi(c.graph->layers[i]->name + 1);
        b.shapes[line] = c.graph->layers[i]->shape;
        b.types[line] = c.graph->layers[i]->output->type;
    }
    compilation_free(&c);
    return b;
}

bool random_net_builds(const RandomNet *net) { return build_net(net).fine; }

/* ---- layers --------------------------------------------------------------------------------------------------------- */

static void draw_input(Draw *d, RandomNet *net) {
    static const int lengths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17};
    RandomLine *l = &net->lines[net->length++];
    int rank = 1 + below(d, 3) + chance(d, 0.1);
    const char *shape = "";
    *l = (RandomLine){.word = "input", .arguments = NEW_ARRAY(d->arena, const char *, 4)};
    bool tokens = chance(d, 0.15);
    if (tokens) rank = 1;
    for (int i = 0; i < rank; i++) shape = arena_printf(d->arena, "%s%s%d", shape, i ? "x" : "", lengths[below(d, rank > 2 && i < 2 ? 11 : rank > 1 ? 9 : LENGTH(lengths))]);
    l->arguments[l->argument_count++] = shape;
    if (tokens) l->arguments[l->argument_count++] = arena_printf(d->arena, "vocabulary=%d", 2 + below(d, 9));
    else if (chance(d, 0.15)) {
        l->arguments[l->argument_count++] = "type=u8";
        l->arguments[l->argument_count++] = "scale=1/255";
        if (chance(d, 0.5)) l->arguments[l->argument_count++] = "offset=-0.5";
    }
}

static const OpDef *draw_layer(Draw *d) {
    for (;;) {
        const OpDef *def = find_op(layer_family(below(d, family_size(layer_family)))->name, OP_LAYER);
        if (!def->activation || chance(d, 0.3)) return def;
    }
}

/* Its inputs: the line before or any other one; further ones of the first one's shape, where there are any. */
static void draw_from(Draw *d, const RandomNet *net, const OpDef *def, const Built *b, RandomLine *l) {
    l->from[0] = chance(d, 0.6) ? net->length - 1 : below(d, net->length);
    l->from_count = 1;
    int most = def->max_inputs < RANDOM_FROM ? def->max_inputs : RANDOM_FROM, n = def->min_inputs + (most > def->min_inputs ? below(d, most - def->min_inputs + 1) : 0);
    while (l->from_count < n) {
        int other = below(d, net->length);
        for (int k = 0; k < 8 && !shape_equal(b->shapes[other], b->shapes[l->from[0]]); k++) other = below(d, net->length);
        l->from[l->from_count++] = other;
    }
}

static bool add_layer(Draw *d, RandomNet *net, const OpDef *def, Built *b) {
    RandomLine *l = &net->lines[net->length];
    for (int i = 0; i < TRIES; i++) {
        *l = (RandomLine){.word = def->call.name};
        draw_from(d, net, def, b, l);
        l->arguments = draw_arguments(d, &def->call, 0.2, b->shapes[l->from[0]], false, &l->argument_count);
        net->length++;
        Built now = build_net(net);
        if (now.fine) return *b = now, true;
        net->length--;
    }
    return false;
}

/* ---- outputs and losses ------------------------------------------------------------------------------------------------ */

static void take_line(RandomNet *net, int line) {
    for (int i = line; i + 1 < net->length; i++) net->lines[i] = net->lines[i + 1];
    net->length--;
    for (int i = line; i < net->length; i++)
        for (int k = 0; k < net->lines[i].from_count; k++) net->lines[i].from[k] -= net->lines[i].from[k] > line;
}

static bool is_input(const RandomLine *l) { return !strcmp(l->word, "input"); }

/* Inputs that nothing reads, and outputs beyond the most that there may be, the first ones. */
static void trim(RandomNet *net) {
    int outputs = 0;
    for (int i = net->length - 1; i >= 0; i--) {
        if (is_read(net, i)) continue;
        if (is_input(&net->lines[i]) || ++outputs > RANDOM_OUTPUTS) take_line(net, i);
    }
}

/* A loss of probabilities gets some, and now and then not straight from what makes them. */
static void make_probabilities(Draw *d, RandomNet *net, const OpDef *loss, int *line) {
    static const char *const makers[] = {"softmax", "sigmoid", "softplus"};
    if (net->length + 2 > RANDOM_LINES) return;
    net->lines[net->length] = (RandomLine){.word = makers[below(d, loss->on_logits ? 2 : 3)], .from = {*line}, .from_count = 1};
    *line = net->length++;
    if (chance(d, 0.8)) return;
    net->lines[net->length] = (RandomLine){.word = "flatten", .from = {*line}, .from_count = 1};
    *line = net->length++;
}

static bool add_loss(Draw *d, RandomNet *net, int line) {
    const RandomNet kept = *net;
    for (int i = 0; i < TRIES; i++) {
        const Callable *loss = loss_family(below(d, family_size(loss_family)));
        int at = line;
        const OpDef *def = find_op(loss->name, OP_LOSS);
        if (def->probabilities || def->on_logits) make_probabilities(d, net, def, &at);
        net->lines[at].loss = draw_call(d, loss, 0.3);
        if (build_net(net).fine) return true;
        *net = kept;
    }
    return false;
}

/* All outputs are to have losses: with fewer than that many the compiler refuses, so that each is tried alone. */
static bool add_losses(Draw *d, RandomNet *net) {
    int outputs[RANDOM_LINES], n = 0;
    for (int i = 0; i < net->length; i++)
        if (!is_read(net, i)) outputs[n++] = i;
    for (int i = 0; i < n; i++) net->lines[outputs[i]].loss = "mse";
    if (!build_net(net).fine) return false; /* nothing is trainable */
    for (int i = 0; i < n; i++) {
        net->lines[outputs[i]].loss = NULL;
        if (!add_loss(d, net, outputs[i])) return false;
    }
    return true;
}

/* Optimizer, metrics, weights of losses. */
static void add_options(Draw *d, RandomNet *net) {
    net->compile = NEW_ARRAY(d->arena, const char *, compile_statement.attribute_count);
    for (int i = 0; i < compile_statement.attribute_count; i++) {
        const AttrDef *a = &compile_statement.attributes[i];
        if (!strcmp(a->name, "loss")) continue;
        for (int k = 0; k < TRIES; k++) {
            net->compile[net->compile_count++] = arena_printf(d->arena, "%s=%s", a->name, draw_value(d, a, (Shape){0}, false));
            if (build_net(net).fine) break;
            net->compile_count--;
        }
    }
}

/* What `fit` says of examples and random numbers: now and then. */
static void add_fit(Draw *d, RandomNet *net) {
    const Callable *fit = statement_family(1);
    for (int i = 0; chance(d, 0.3) && i < TRIES; i++) {
        net->fit = draw_arguments(d, fit, 0.3, (Shape){0}, false, &net->fit_count);
        if (build_net(net).fine) return;
        net->fit_count = 0;
    }
}

RandomNet random_net(Arena *arena, uint64_t seed) {
    Draw d = {.arena = arena};
    cnnc_random_seed(&d.random, seed, 0);
    for (;;) {
        RandomNet net = {.arena = arena};
        int inputs = chance(&d, 0.7) ? 1 : 2, layers = 1 + below(&d, MOST_LAYERS);
        for (int i = 0; i < inputs; i++) draw_input(&d, &net);
        Built b = build_net(&net);
        for (int i = 0; b.fine && i < 4 * layers && net.length < inputs + layers; i++) add_layer(&d, &net, draw_layer(&d), &b);
        trim(&net);
        if (!net.length || !build_net(&net).fine || !add_losses(&d, &net)) continue;
        add_options(&d, &net);
        add_fit(&d, &net);
        return net;
    }
}

/* ---- shrinking ---------------------------------------------------------------------------------------------------------- */

/* A line that makes probabilities of anything for a loss of such has to stay. */
static bool wants_probabilities(const RandomLine *l) {
    if (!l->loss) return false;
    for (int i = 0; all_ops[i]; i++) {
        size_t n = strlen(all_ops[i]->call.name);
        bool needs = all_ops[i]->kind == OP_LOSS && (all_ops[i]->probabilities || all_ops[i]->on_logits);
        if (needs && !strncmp(l->loss, all_ops[i]->call.name, n) && strchr("(", l->loss[n])) return true;
    }
    return false;
}

static bool is_needed(const RandomNet *net, int line) {
    for (int i = line + 1; i < net->length; i++)
        if (wants_probabilities(&net->lines[i]) && net->lines[i].from[0] == line && !strcmp(net->lines[i].word, "flatten")) return true;
    return wants_probabilities(&net->lines[line]);
}

/* Without a line: what read it reads its first input, and where it was an output that becomes one. */
static bool without_line(const RandomNet *net, int line, bool output, RandomNet *out) {
    const RandomLine gone = net->lines[line];
    *out = *net;
    if (output ? is_read(net, line) : is_input(&gone) || is_needed(net, line) || (gone.loss && is_input(&net->lines[gone.from[0]]))) return false;
    for (int i = line + 1; i < net->length; i++)
        for (int k = 0; k < net->lines[i].from_count; k++)
            if (net->lines[i].from[k] == line) out->lines[i].from[k] = gone.from[0];
    if (!output && gone.loss) out->lines[gone.from[0]].loss = gone.loss;
    take_line(out, line);
    for (int i = out->length - 1; i >= 0; i--)
        if (!is_read(out, i) && (is_input(&out->lines[i]) || !out->lines[i].loss)) take_line(out, i);
    for (int i = 0; i < out->length; i++)
        if (is_read(out, i)) out->lines[i].loss = NULL;
    return out->length > 1;
}

static const char **without(Arena *arena, const char **arguments, int n, int gone) {
    const char **rest = NEW_ARRAY(arena, const char *, n);
    for (int i = 0, k = 0; i < n; i++)
        if (i != gone) rest[k++] = arguments[i];
    return rest;
}

/* The k-th smaller form of an argument: without the options of a call, or a number halved, or less by one. NULL past the last. */
static const char *smaller_argument(Arena *arena, const char *s, int k) {
    const char *call = strchr(s, '(');
    if (call && call > s && k-- == 0) return arena_string(arena, s, (size_t)(call - s));
    for (const char *at = s; *at;) {
        size_t n = strspn(at, "0123456789");
        if (!n) {
            at++;
            continue;
        }
        int x = atoi(at);
        for (int way = 0; way < 2; way++) {
            int less = way ? x - 1 : x / 2;
            bool part = at > s && (strchr(".-/", at[-1]) || (at[-1] >= 'a' && at[-1] <= 'z' && at[-1] != 'x'));
            if (!part && at[n] != '.' && at[n] != 'e' && x > 1 && less > 0 && k-- == 0) return arena_printf(arena, "%.*s%d%s", (int)(at - s), s, less, at + n);
        }
        at += n;
    }
    return NULL;
}

/* Ways to make one list of arguments smaller; *k counts them down. */
static bool smaller_list(Arena *arena, const char ***arguments, int *n, int *k) {
    for (int i = 0; i < *n; i++) {
        if ((*k)-- == 0) {
            *arguments = without(arena, *arguments, *n, i);
            return --*n, true;
        }
        for (int way = 0;; way++) {
            const char *s = smaller_argument(arena, (*arguments)[i], way);
            if (!s) break;
            if ((*k)-- > 0) continue;
            const char **copy = NEW_ARRAY(arena, const char *, *n);
            memcpy(copy, *arguments, sizeof *copy * (size_t)*n);
            copy[i] = s;
            *arguments = copy;
            return true;
        }
    }
    return false;
}

bool smaller_net(const RandomNet *net, int k, RandomNet *out) {
    for (int i = net->length - 1; i >= 0; i--)
        for (int output = 1; output >= 0; output--)
            if (without_line(net, i, output, out) && k-- == 0) return true;
    *out = *net;
    if (smaller_list(net->arena, &out->compile, &out->compile_count, &k)) return true;
    if (smaller_list(net->arena, &out->fit, &out->fit_count, &k)) return true;
    for (int i = 0; i < net->length; i++)
        if (smaller_list(net->arena, &out->lines[i].arguments, &out->lines[i].argument_count, &k)) return true;
    for (int i = 0; i < net->length; i++)
        if (net->lines[i].loss && strchr(net->lines[i].loss, '(') && k-- == 0) {
            out->lines[i].loss = arena_string(net->arena, net->lines[i].loss, strcspn(net->lines[i].loss, "("));
            return true;
        }
    return false;
}
