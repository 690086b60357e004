/* readers.c: who reads a tensor. */
#include "cnnc.h"

int reader_count(const Graph *g, const Tensor *t) {
    int n = 0;
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i]->input_count; k++) n += g->ops[i]->inputs[k] == t;
    return n;
}

Op *only_reader(const Graph *g, const Tensor *t) {
    Op *reader = NULL;
    if (reader_count(g, t) != 1) return NULL;
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i]->input_count; k++)
            if (g->ops[i]->inputs[k] == t) reader = g->ops[i];
    return reader;
}
