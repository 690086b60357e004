/* select.c: an algorithm for each op: the one asked for, the one that tuning found, or the one of least estimated cost, an op
 * and its gradients together. It knows algorithms only by their table. */
#include "ops/ops.h"

#include <string.h>

/* The ops that the entry point's results depend on, in the graph's order. */
static void find_ops(Program *p) {
    const Graph *g = p->graph;
    int n;
    Tensor **results = graph_results(g, p->entry >= ENTRY_PREDICT, p->entry < ENTRY_PREDICT, p->entry == ENTRY_TRAIN, &n);
    const bool *keep = needed_ops(g, results, n);
    for (int i = 0; i < g->op_count; i++)
        if (keep[i]) *PUSH(p->arena, p->ops, p->op_count) = g->ops[i];
}

/* ---- candidates --------------------------------------------------------------------------------------------------------- */

const Algorithm *find_algorithm(const char *name) {
    for (int i = 0; all_algorithms[i]; i++)
        if (!strcmp(all_algorithms[i]->name, name)) return all_algorithms[i];
    return NULL;
}

static bool has_plain(const Program *p, const Op *op) {
    const Algorithm *plain = find_algorithm("plain");
    return plain && plain->covers(p, op);
}
/* Asked for by name: that one wherever it applies, elsewhere what does not round otherwise than the definition; or the only one. */
static bool allowed(const Program *p, const Op *op, const Algorithm *a) {
    const char *asked = p->options->algorithm;
    return !asked || !strcmp(a->name, asked) || !strcmp(a->name, "plain") || (!strcmp(a->name, "direct") && strcmp(asked, "plain")) || !has_plain(p, op);
}

int candidates(const Program *p, const Op *op, const Algorithm *list[MAX_ALGORITHMS]) {
    int n = 0;
    for (int i = 0; all_algorithms[i]; i++)
        if (allowed(p, op, all_algorithms[i]) && all_algorithms[i]->covers(p, op)) list[n++] = all_algorithms[i];
    return n;
}

/* ---- choices ------------------------------------------------------------------------------------------------------------ */

/* Which of n candidates someone asked for: the command line, or a tuning file; -1: nobody did. */
static int wanted(const Program *p, const Op *op, const Algorithm *const *list, int n, const char **why) {
    for (int i = 0; i < n; i++)
        if (p->options->algorithm && !strcmp(list[i]->name, p->options->algorithm)) return *why = "asked for", i;
    for (int i = 0; i < n; i++)
        if (is_tuned(p, op, list[i])) return *why = "tuned", i;
    return -1;
}

/* The one of least cost, given the algorithm of the op whose gradient it is (NULL: it is none). */
static Choice cheapest(const Program *p, const Op *op, const Algorithm *forward) {
    const Algorithm *list[MAX_ALGORITHMS];
    Choice best = {0};
    int n = candidates(p, op, list), only = wanted(p, op, list, n, &best.why);
    for (int i = 0; i < n; i++) {
        double c = list[i]->cost(p, op) - (list[i] == forward && forward->shared ? forward->shared(p, op) : 0);
        if (only >= 0 ? i == only : !best.algorithm || c < best.cost) best.algorithm = list[i], best.cost = c;
    }
    return best;
}

/* The gradient ops of each op, as lists in their order: by position in the program the first one, and the one behind each.
 * Positions from 1; 0 ends a list. */
typedef struct Gradients { int *first, *next; } Gradients;

static Gradients find_gradients(const Program *p) {
    Gradients g = {NEW_ARRAY(p->arena, int, p->op_count), NEW_ARRAY(p->arena, int, p->op_count)};
    int *position = NEW_ARRAY(p->arena, int, p->graph->op_count); /* by id */
    for (int i = 0; i < p->op_count; i++) position[p->ops[i]->id] = i;
    for (int k = p->op_count - 1; k >= 0; k--) {
        const Op *forward = p->ops[k]->forward;
        if (!forward || forward->id >= p->graph->op_count) continue; /* one that was dropped keeps its old id */
        int at = position[forward->id];
        if (p->ops[at] != forward) continue;
        g.next[k] = g.first[at];
        g.first[at] = k + 1;
    }
    return g;
}

/* Weights that are constants need a form for each algorithm in the code: one that costs little more than the cheapest and is the
 * leader's adds none; many examples take the forms of one as they are. -1: there is none such. */
static int leaders(const Program *p, const Program *leader, const Op *op, int at, const Algorithm *const *list, int n) {
    static const double more = 1.6;
    int same = -1;
    if (!leader || !(p->options->weights_path || p->entry == ENTRY_MANY)) return -1;
    for (int i = 0; i < n; i++)
        if (list[i] == leader->choices[at].algorithm) same = i;
    if (p->entry == ENTRY_MANY) return same;
    for (int i = 0; i < n && same >= 0; i++)
        if (list[same]->cost(p, op) > more * list[i]->cost(p, op)) return -1;
    return same;
}

/* An op and its gradients, jointly: what they share counts once. */
static void choose(Program *p, const Gradients *g, int at, const Program *leader) {
    const Op *op = p->ops[at];
    const Algorithm *list[MAX_ALGORITHMS];
    const char *why = NULL;
    int n = candidates(p, op, list), only = wanted(p, op, list, n, &why);
    double least = 0;
    if (only < 0 && (only = leaders(p, leader, op, at, list, n)) >= 0) why = "as its leader";
    for (int i = 0; i < n; i++) {
        if (only >= 0 && i != only) continue;
        double own = list[i]->cost(p, op), sum = own;
        for (int k = g->first[at]; k; k = g->next[k - 1]) sum += cheapest(p, p->ops[k - 1], list[i]).cost;
        if (!p->choices[at].algorithm || sum < least) p->choices[at] = (Choice){list[i], own, why}, least = sum;
    }
    for (int k = g->first[at]; k; k = g->next[k - 1]) p->choices[k - 1] = cheapest(p, p->ops[k - 1], p->choices[at].algorithm);
}

Program *select_algorithms(Graph *g, const Options *options, const Target *target, Entry entry, const Program *leader) {
    Program *p = NEW(g->arena, Program);
    *p = (Program){.arena = g->arena, .graph = g, .options = options, .target = target, .entry = entry, .tensor_count = g->tensor_count};
    p->examples = entry == ENTRY_ONE ? 1 : options->shard_size;
    find_ops(p);
    p->choices = NEW_ARRAY(p->arena, Choice, p->op_count);
    const Gradients gradients = find_gradients(p);
    for (int i = 0; i < p->op_count; i++)
        if (!p->choices[i].algorithm) choose(p, &gradients, i, leader);
    return p;
}

static void print_choice(const Program *p, const Op *op, const Choice *c, StrBuf *out) {
    const Algorithm *list[MAX_ALGORITHMS];
    int n = candidates(p, op, list);
    strbuf_printf(out, "  %-28s %-24s %-11s", op->outputs[0]->name, op->def->call.name, c->algorithm->name);
    if (c->why) strbuf_printf(out, " %s;", c->why);
    strbuf_printf(out, " %.0f cycles%s", c->cost, n == 1 ? "" : ", others");
    for (int i = 0; i < n; i++)
        if (list[i] != c->algorithm) strbuf_printf(out, " %s %.0f", list[i]->name, list[i]->cost(p, op));
    strbuf_add(out, "\n");
}

void print_selection(const Program *p, StrBuf *out) {
    strbuf_printf(out, "%s %s\n", entry_names[p->entry], p->target->name);
    for (int i = 0; i < p->op_count; i++) print_choice(p, p->ops[i], &p->choices[i], out);
}
