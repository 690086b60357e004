/* shard.c: how many examples a shard has, where nobody says.
 *
 * A batch wants shards for workers, and small ones, whose activations stay in a cache. But each reads all weights and adds to all
 * gradients, which training must outweigh. It is the description's alone: the number of workers must not change a result. */
#include "cnnc.h"

enum { LEAST = 8 };
static const double work = 2500; /* FLOPs of a shard's training for each weight: what it reads and adds is a few percent then (measured) */

int shard_size(const Graph *g) {
    double weights = 0, flops = dense_flops(g);
    int n = LEAST;
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->trainable) weights += (double)shape_count(g->parameters[i]->shape);
    while (n < MOST_SHARD && n * flops < work * weights) n *= 2;
    while (n > LEAST && 2 * n > g->batch_size) n /= 2;
    return n;
}
