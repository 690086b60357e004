/* draws.c: see draws.h. */
#include "draws.h"

#include <math.h>

uint32_t stream_of(const Op *op, const Attr *seed) {
    uint32_t hash = 2166136261u; /* FNV-1a of the layer's name */
    for (const char *s = op->layer->name; *s; s++) hash = (hash ^ (unsigned char)*s) * 16777619u;
    return seed->present ? (uint32_t)seed->real : hash;
}

Tensor *key_of(Graph *g) {
    if (!g->key) g->key = new_tensor(g, NULL, "key", shape1(2), TYPE_I32, ROLE_KEY);
    return g->key;
}

uint64_t key_value(const double *halves) { return (uint64_t)halves[0] | (uint64_t)halves[1] << 32; }

bool check_range(Graph *g, const Layer *l, const Attr *factor) {
    if (!factor->present || factor->real_count <= 2) return true;
    error(g->diag, factor->loc, "'%s' takes a number or two, the ends of a range, not %d", l->def->call.name, factor->real_count);
    return false;
}

Range range_of(const Attr *factor) {
    double a = factor->reals[0], b = factor->reals[factor->real_count - 1];
    if (factor->real_count == 1) return (Range){-fabs(a), fabs(a)};
    return (Range){fmin(a, b), fmax(a, b)};
}

double draw_between(Range r, uint64_t key, uint32_t stream, uint32_t number) {
    return r.low + (r.high - r.low) * (cnnc_noise(key, stream, number) / 16777216.0);
}
