/* describe.c: the part of a descriptor that the summary shows, and the work that is in a network, from the graph alone. */
#include "cnnc.h"
#include "cnnc_network.h"

#include <stdio.h>

static void fill_shape(int *rank, int *to, Shape s) {
    *rank = s.rank;
    for (int i = 0; i < s.rank; i++) to[i] = s.dim[i];
}

static cnnc_parameter describe_parameter(const Graph *g, const Tensor *w) {
    cnnc_parameter p = {.name = weight_path(g->arena, w), .count = (size_t)shape_count(w->shape), .trainable = w->trainable};
    fill_shape(&p.rank, p.shape, w->shape);
    return p;
}

static cnnc_layer describe_layer(const Graph *g, const Layer *l) {
    cnnc_layer row = {.name = l->name, .kind = l->def->keras, .inputs = ""};
    fill_shape(&row.rank, row.shape, l->shape);
    for (int i = 0; i < l->input_count; i++) row.inputs = arena_printf(g->arena, "%s%s%s", row.inputs, i ? ", " : "", l->inputs[i]->layer->name);
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->layer == l) row.parameters += (size_t)shape_count(g->parameters[i]->shape);
    return row;
}

cnnc_network *describe_network(const Graph *g) {
    cnnc_network *n = NEW(g->arena, cnnc_network);
    cnnc_parameter *parameters = NEW_ARRAY(g->arena, cnnc_parameter, g->parameter_count);
    cnnc_layer *layers = NEW_ARRAY(g->arena, cnnc_layer, g->layer_count);
    for (int i = 0; i < g->parameter_count; i++) parameters[i] = describe_parameter(g, g->parameters[i]);
    for (int i = 0; i < g->layer_count; i++) layers[i] = describe_layer(g, g->layers[i]);
    *n = (cnnc_network){.abi = CNNC_ABI, .name = g->name, .type = CNNC_F32, .parameters = parameters, .parameters_length = g->parameter_count,
                        .layers = layers, .layer_count = g->layer_count};
    return n;
}

bool multiplies_weights(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    for (int i = 0; op->def->flops && i < forward->input_count; i++)
        if (forward->inputs[i]->role == ROLE_PARAMETER && forward->inputs[i]->shape.rank > 1) return true;
    return false;
}

double dense_flops(const Graph *g) {
    double flops = 0;
    for (int i = 0; i < g->op_count; i++)
        if (multiplies_weights(g->ops[i])) flops += g->ops[i]->def->flops(g->ops[i]);
    return flops;
}

const char *bytes_text(char text[BYTES_TEXT], double bytes) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    int unit = 0;
    for (; unit + 1 < LENGTH(units) && bytes >= 1024; unit++) bytes /= 1024;
    snprintf(text, BYTES_TEXT, "%.2f %s", bytes, units[unit]);
    return text;
}
