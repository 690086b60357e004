/* initialize.c: parameters as they are before training. Drawn in double and rounded to the network's type, so that the
 * double instantiation of a network starts within a rounding of the float one. */
#include "private.h"

#include <math.h>
#include <string.h>

static double draw(const cnnc_initializer *how, cnnc_random *random) {
    double z;
    switch (how->distribution) {
    case CNNC_CONSTANT:
    case CNNC_UNIT_FORGET: return how->a;
    case CNNC_UNIFORM: return how->a + cnnc_times(how->b - how->a, cnnc_random_uniform(random));
    case CNNC_NORMAL: return how->a + cnnc_times(how->b, cnnc_random_normal(random));
    case CNNC_IDENTITY:
    case CNNC_ORTHOGONAL: return 0; /* not element by element */
    case CNNC_TRUNCATED_NORMAL:
        do
            z = cnnc_random_normal(random);
        while (z < -2 || z > 2);
        return how->a + cnnc_times(how->b, z);
    }
    return 0;
}

static float draw_float(const cnnc_initializer *how, cnnc_random *random) {
    float value = (float)draw(how, random);
    if (how->distribution == CNNC_UNIFORM && (float)how->a < (float)how->b)
        while (value >= (float)how->b) /* [a, b) also after rounding */
            value = (float)draw(how, random);
    return value;
}

static void fill(const cnnc_parameter *p, cnnc_type type, char *to, cnnc_random *random) {
    size_t columns = p->rank ? (size_t)p->shape[p->rank - 1] : 1, rows = columns ? p->count / columns : 0;
    if (p->initializer.distribution == CNNC_ORTHOGONAL) {
        cnnc_orthogonal(type, to, rows, columns, p->initializer.a, random);
        return;
    }
    for (size_t k = 0; k < p->count; k++) {
        int diagonal = p->initializer.distribution == CNNC_IDENTITY && k / columns == k % columns; /* NOLINT(clang-analyzer-core.DivideZero): there is an element */
        int forget = p->initializer.distribution == CNNC_UNIT_FORGET && k >= p->count / 4 && k < p->count / 2;
        double given = diagonal ? p->initializer.a : 1;
        if (type == CNNC_F64)
            ((double *)(void *)to)[k] = diagonal || forget ? given : draw(&p->initializer, random);
        else
            ((float *)(void *)to)[k] = diagonal || forget ? (float)given : draw_float(&p->initializer, random);
    }
}

void cnnc_initialize(const cnnc_network *network, void *net, uint64_t seed) {
    cnnc_state *state = net;
    memset(state->parameters, 0, network->parameter_count * cnnc_type_size(network->type));
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        cnnc_random random;
        if (p->initializer.seed >= 0)
            cnnc_random_seed(&random, (uint64_t)p->initializer.seed, UINT64_MAX);
        else
            cnnc_random_seed(&random, seed, (uint64_t)i);
        fill(p, network->type, (char *)state->parameters + p->offset * cnnc_type_size(network->type), &random);
    }
    state->version++;
}
