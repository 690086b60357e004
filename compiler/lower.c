/* lower.c: ops -> kernels, each op by the algorithm chosen for it. Views become aliases. */
#include "cnnc.h"

#define ALGORITHM(name) extern const Algorithm algorithm_##name;
#include "algorithms.def"
#undef ALGORITHM

const Algorithm *const all_algorithms[] = {
#define ALGORITHM(name) &algorithm_##name,
#include "algorithms.def"
#undef ALGORITHM
    NULL,
};

void lower(Program *p) {
    p->alias_length = p->graph->tensor_count;
    p->alias = NEW_ARRAY(p->arena, Tensor *, p->alias_length);
    for (int i = 0; i < p->op_count; i++) {
        const Op *op = p->ops[i];
        bool given = p->entry >= ENTRY_ONE && op->inputs[0]->role == ROLE_INPUT && op->def->copies && op->def->copies(op); /* the caller's array will do */
        for (int k = 0; op->def->moving && p->entry != ENTRY_TRAIN && k + 1 < op->input_count; k++) p->alias[op->outputs[k]->id] = op->inputs[k + 1];
        if (op->def->view || given || (op->def->idle && p->entry != ENTRY_TRAIN)) p->alias[op->outputs[0]->id] = op->inputs[0];
        else p->choices[i].algorithm->lower(p, op);
    }
}
