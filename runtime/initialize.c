/* initialize.c: parameters as they are before training. Drawn in double and rounded to the network's type, so that the
 * double instantiation of a network starts within a rounding of the float one. */
#include "private.h"

#include <string.h>

static double draw(const cnnc_initializer *how, cnnc_random *random) {
    double z;
    switch (how->distribution) {
    case CNNC_CONSTANT: return how->a;
    case CNNC_UNIFORM: return how->a + cnnc_times(how->b - how->a, cnnc_random_uniform(random));
    case CNNC_NORMAL: return how->a + cnnc_times(how->b, cnnc_random_normal(random));
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
        for (size_t k = p->offset; k < p->offset + p->count; k++) {
            if (network->type == CNNC_F64)
                ((double *)state->parameters)[k] = draw(&p->initializer, &random);
            else
                ((float *)state->parameters)[k] = draw_float(&p->initializer, &random);
        }
    }
    state->version++;
}
