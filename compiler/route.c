/* route.c: gradients on the small side of a pooling, by rules that hold for any network.
 *
 *   f'(y) * route(dy)   -> route(f'(pooled y) * dy): a quarter of the work, and the large y can die
 *   sum of route(dy)    -> sum of dy */
#include "ops/ops.h"

#include <string.h>

/* The op that routes what `op` reads as dy; NULL: none does. */
static Op *routing_before(const Op *op) {
    Op *producer = op->inputs[0]->producer;
    return producer && producer->def->routes_dy ? producer : NULL;
}

static int position_of(const Graph *g, const Op *op) {
    int i = 0;
    while (g->ops[i] != op) i++;
    return i;
}

/* The scaling at `at` and the routing before it change places. */
static void commute_scaling(Graph *g, int at) {
    Op *scale = g->ops[at], *route = scale->def->scales_dy ? routing_before(scale) : NULL;
    if (!route || scale->inputs[1] != route->forward->inputs[0] || reader_count(g, route->outputs[0]) != 1) return;
    Tensor *large = scale->outputs[0], *pooled = route->forward->outputs[0];
    Tensor *small = new_tensor(g, scale->layer, arena_printf(g->arena, "%s_pooled", scale->def->call.name), pooled->shape, large->type, ROLE_GRADIENT);
    int from = position_of(g, route);
    scale->inputs[0] = route->inputs[0];
    scale->inputs[1] = pooled;
    scale->outputs[0] = small;
    small->producer = scale;
    route->inputs[0] = small;
    route->outputs[0] = large;
    large->producer = route;
    memmove(&g->ops[from + 1], &g->ops[from], sizeof *g->ops * (size_t)(at - from));
    g->ops[from] = scale;
}

void route(Graph *g) {
    for (int i = 0; i < g->op_count; i++) commute_scaling(g, i);
    for (int i = 0; i < g->op_count; i++) {
        Op *producer = g->ops[i]->def->sums_dy ? routing_before(g->ops[i]) : NULL;
        if (producer) g->ops[i]->inputs[0] = producer->inputs[0];
    }
}
