/* weights.c: what the parameters are: a file's, or what training of the network would begin with. */
#include "export.h"

#include <string.h>

static cnnc_distribution distribution_of(const char *kind) {
    static const char *const kinds[] = {"CONSTANT", "UNIFORM", "NORMAL", "TRUNCATED_NORMAL", "IDENTITY", "ORTHOGONAL", "UNIT_FORGET"};
    for (int i = 0; i < LENGTH(kinds); i++)
        if (!strcmp(kinds[i], kind)) return (cnnc_distribution)i;
    bug("no distribution '%s'", kind);
}

/* In float, as generated code draws them. */
static void initial_weights(Graph *g) {
    cnnc_network *network = describe_network(g);
    cnnc_parameter *rows = NEW_ARRAY(g->arena, cnnc_parameter, g->parameter_count);
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        Distribution d = initializer_distribution(w->initializer, w->fan_in, w->fan_out);
        rows[i] = network->parameters[i];
        rows[i].initializer = (cnnc_initializer){distribution_of(d.kind), d.a, d.b, d.seed};
        rows[i].offset = network->parameter_count;
        network->parameter_count += rows[i].count;
    }
    float *drawn = NEW_ARRAY(g->arena, float, network->parameter_count);
    double *values = NEW_ARRAY(g->arena, double, network->parameter_count);
    cnnc_state state = {.parameters = drawn};
    network->parameters = rows;
    cnnc_initialize(network, &state, g->seed);
    for (size_t i = 0; i < network->parameter_count; i++) values[i] = (double)drawn[i];
    for (int i = 0; i < g->parameter_count; i++) g->parameters[i]->values = values + rows[i].offset;
}

bool known_weights(Graph *g, const char *path, int *status) {
    if (path) return read_weights(g, path, status);
    initial_weights(g);
    return true;
}
