/* still.c: a graph that only predicts takes moving averages where training takes statistics of the batch, which are not computed. */
#include "cnnc.h"

static Tensor *standing(Tensor *t) {
    const Op *op = t->producer;
    for (int k = 0; op && op->def->moving && k + 1 < op->input_count; k++)
        if (op->outputs[k] == t) return op->inputs[k + 1];
    return t;
}

void still(Graph *g) {
    int kept = 0;
    for (int i = 0; i < g->op_count; i++) {
        Op *op = g->ops[i];
        if (op->def->moving) continue;
        for (int k = 0; k < op->input_count; k++) op->inputs[k] = standing(op->inputs[k]);
        op->id = kept;
        g->ops[kept++] = op;
    }
    g->op_count = kept;
}
