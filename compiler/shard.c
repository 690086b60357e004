/* shard.c: how many examples a shard has, where nobody says.
 *
 * A batch wants shards for workers, and small ones, whose activations stay in a cache. But each shard reads the weights and adds to their
 * gradients, which its training must outweigh. It is by the description and the batch alone: the number of workers must not change a
 * result. */
#include "cnnc.h"

enum { LEAST = 8, CACHE = 2 << 20 }; /* bytes; of one core */
static const double work = 1000, far = 4; /* FLOPs forward for each weight; how many times as many where weights and gradients come from memory (measured) */

int update_examples(const Graph *g, const Options *options) { return options->batch_size ? options->batch_size : g->batch_size; }

static double forward_flops(const Graph *g) {
    double flops = 0;
    for (int i = 0; i < g->op_count; i++)
        if (!g->ops[i]->backward && multiplies_weights(g->ops[i])) flops += g->ops[i]->def->flops(g->ops[i]);
    return flops;
}

int shard_size(const Graph *g, const Options *options) {
    double weights = 0, flops = forward_flops(g);
    int n = LEAST;
    if (!g->loss || options->inference) return MOST_SHARD;
    for (int i = 0; i < g->parameter_count; i++) weights += (double)shape_count(g->parameters[i]->shape);
    const double wanted = weights * work * (weights * 2 * sizeof(float) > CACHE ? far : 1);
    while (n < MOST_SHARD && n * flops < wanted) n *= 2;
    while (n > LEAST && 2 * n > update_examples(g, options)) n /= 2;
    return n;
}
