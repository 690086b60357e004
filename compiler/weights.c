/* weights.c: parameters become constants: their values, from a safetensors file of weights or a checkpoint. */
#include "cnnc.h"
#include "cnnc_runtime.h"

#include <float.h>
#include <math.h>

static int failed(const cnnc_error *why) {
    say_error("%s", why->text);
    return why->system ? EXIT_FILE : EXIT_INPUT;
}

/* Numbers that are none, or too large for a float, could not stand in generated code, and nothing that they take part in is worth
 * predicting. */
static bool all_finite(const Graph *g, const char *path) {
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        for (int64_t k = 0; k < shape_count(w->shape); k++)
            if (!(fabs(w->values[k]) <= FLT_MAX)) return say_error("%s: element %lld of '%s' is not a finite number of a float's range", path, (long long)k, weight_path(g->arena, w)), false;
    }
    return true;
}

bool read_weights(Graph *g, const char *path, int *status) {
    cnnc_network *network = describe_network(g);
    cnnc_parameter *rows = NEW_ARRAY(g->arena, cnnc_parameter, g->parameter_count);
    cnnc_error why = {0};
    size_t count = 0;
    network->type = CNNC_F64;
    for (int i = 0; i < g->parameter_count; i++) {
        rows[i] = network->parameters[i];
        rows[i].offset = count;
        count += rows[i].count;
    }
    double *values = NEW_ARRAY(g->arena, double, count);
    cnnc_state state = {.parameters = values};
    network->parameters = rows;
    if (cnnc_weights_load(network, &state, path, &why) != CNNC_OK) return *status = failed(&why), false;
    for (int i = 0; i < g->parameter_count; i++) g->parameters[i]->values = values + rows[i].offset;
    if (!all_finite(g, path)) return *status = EXIT_INPUT, false;
    return true;
}
