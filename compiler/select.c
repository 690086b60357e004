/* select.c: an algorithm for each op, by least estimated cost. It knows algorithms only by their table. */
#include "ops/ops.h"

#include <string.h>

/* The ops that the entry point's results depend on, in the graph's order. */
static void find_ops(Program *p) {
    const Graph *g = p->graph;
    int n;
    Tensor **results = graph_results(g, p->entry == ENTRY_PREDICT, p->entry != ENTRY_PREDICT, p->entry == ENTRY_TRAIN, &n);
    const bool *keep = needed_ops(g, results, n);
    for (int i = 0; i < g->op_count; i++)
        if (keep[i]) *PUSH(p->arena, p->ops, p->op_count) = g->ops[i];
}

static const Algorithm *find_algorithm(const char *name) {
    for (int i = 0; all_algorithms[i]; i++)
        if (!strcmp(all_algorithms[i]->name, name)) return all_algorithms[i];
    bug("there is no algorithm '%s'", name);
}

/* Asked for by name: that one wherever it applies, elsewhere what does not round otherwise than the definition. */
static bool allowed(const Program *p, const Algorithm *a) {
    const Algorithm *asked = p->options->algorithm ? find_algorithm(p->options->algorithm) : NULL;
    return !asked || a == asked || !strcmp(a->name, "plain") || (!strcmp(a->name, "direct") && strcmp(asked->name, "plain"));
}

static void choose(Program *p, int i) {
    const Op *op = p->ops[i];
    const Algorithm *plain = find_algorithm("plain"), *asked = p->options->algorithm ? find_algorithm(p->options->algorithm) : NULL;
    double plain_cost = plain->cost(p, op);
    Choice *best = &p->choices[i];
    *best = (Choice){plain, plain_cost, plain_cost};
    for (int k = 0; all_algorithms[k]; k++) {
        const Algorithm *a = all_algorithms[k];
        if (!allowed(p, a) || !a->covers(p, op)) continue;
        double c = a->cost(p, op);
        if (c < best->cost || a == asked) *best = (Choice){a, c, plain_cost};
        if (a == asked) return;
    }
}

Program *select_algorithms(Graph *g, const Options *options, const Target *target, Entry entry) {
    Program *p = NEW(g->arena, Program);
    *p = (Program){.arena = g->arena, .graph = g, .options = options, .target = target, .entry = entry, .tensor_count = g->tensor_count};
    find_ops(p);
    p->choices = NEW_ARRAY(p->arena, Choice, p->op_count);
    for (int i = 0; i < p->op_count; i++) choose(p, i);
    return p;
}

void print_selection(const Program *p, StrBuf *out) {
    strbuf_printf(out, "%s %s\n", entry_names[p->entry], p->target->name);
    for (int i = 0; i < p->op_count; i++) {
        const Choice *c = &p->choices[i];
        strbuf_printf(out, "  %-28s %-24s %-8s %12.0f cycles", p->ops[i]->outputs[0]->name, p->ops[i]->def->call.name, c->algorithm->name, c->cost);
        if (c->cost != c->plain_cost) strbuf_printf(out, ", plain %.0f", c->plain_cost);
        strbuf_add(out, "\n");
    }
}
