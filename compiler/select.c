/* select.c: an algorithm for each op, by least estimated cost, jointly over the ops of a layer and their gradients:
 * what one of them gains another may lose. It knows algorithms only by their table. */
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

static bool allowed(const Program *p, const Algorithm *a) {
    const Algorithm *asked = p->options->algorithm ? find_algorithm(p->options->algorithm) : NULL;
    return a == asked || (!a->on_request && (!asked || asked->on_request));
}

/* The cost of a layer's ops when `a` does those that it covers and plain the others. */
static double region_cost(const Program *p, const Layer *layer, const Algorithm *a, const Algorithm *plain) {
    double sum = 0;
    for (int i = 0; i < p->op_count; i++)
        if (p->ops[i]->layer == layer) sum += (a->covers(p, p->ops[i]) ? a : plain)->cost(p, p->ops[i]);
    return sum;
}

static void choose(Program *p, const Layer *layer) {
    const Algorithm *plain = find_algorithm("plain"), *best = plain;
    double plain_cost = region_cost(p, layer, plain, plain), cost = plain_cost;
    for (int i = 0; all_algorithms[i]; i++) {
        if (!allowed(p, all_algorithms[i])) continue;
        double c = region_cost(p, layer, all_algorithms[i], plain);
        if (c < cost) cost = c, best = all_algorithms[i];
    }
    for (int i = 0; i < p->op_count; i++)
        if (p->ops[i]->layer == layer) {
            const Algorithm *a = best->covers(p, p->ops[i]) ? best : plain;
            p->choices[i] = (Choice){a, a->cost(p, p->ops[i]), plain->cost(p, p->ops[i])};
        }
}

Program *select_algorithms(Graph *g, const Options *options, const Target *target, Entry entry) {
    Program *p = NEW(g->arena, Program);
    *p = (Program){.arena = g->arena, .graph = g, .options = options, .target = target, .entry = entry, .tensor_count = g->tensor_count};
    find_ops(p);
    p->choices = NEW_ARRAY(p->arena, Choice, p->op_count);
    for (int i = 0; i < p->op_count; i++)
        if (!p->choices[i].algorithm) choose(p, p->ops[i]->layer);
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
