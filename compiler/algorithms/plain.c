/* plain.c: every op by its own template, loops as in its definition; elementwise ops by the one they share. */
#include "tiles.h"

static bool covers(const Program *p, const Op *op) { return (void)p, op->def->plain || op->def->expression || op->def->view; }

/* Plain loops run at about one multiply-add or element a cycle; elementwise ones use vectors. */
static double cost(const Program *p, const Op *op) {
    double flops = op->def->flops ? op->def->flops(op) : (double)shape_count(op->outputs[0]->shape);
    return op->def->view ? 0 : flops / (op->def->expression ? p->target->lanes : 1);
}

/* A kernel that computes the op as it is. */
static Kernel *lower_alone(Program *p, const KernelDef *def, const Op *op) {
    Kernel *k = add_kernel(p, def, op, name_in_layer(op->layer, op->def->call.name));
    for (int i = 0; i < op->input_count; i++) kernel_input(p, k, op->inputs[i]);
    for (int i = 0; i < op->output_count; i++) kernel_output(p, k, op->outputs[i]);
    return k;
}

void lower_elementwise(Program *p, const Op *op) {
    static const KernelDef elementwise = {.template = "elementwise", .level = LEVEL_EXAMPLE, .epilogue = true};
    Kernel *k = lower_alone(p, &elementwise, op);
    kernel_int(p, k, "ROWS", row_count(op->outputs[0]->shape));
    kernel_int(p, k, "N", last_dim(op->outputs[0]->shape));
}

static void lower_plain(Program *p, const Op *op) {
    if (op->def->expression) {
        lower_elementwise(p, op);
        return;
    }
    KernelDef *own = NEW(p->arena, KernelDef);
    *own = (KernelDef){.template = op->def->plain, .level = op->def->per_shard ? LEVEL_SHARD : LEVEL_EXAMPLE, .epilogue = op->def->finishes, .schedule = schedule_nothing};
    lower_alone(p, own, op)->op_bindings = true;
}

const Algorithm algorithm_plain = {.name = "plain", .doc = "loops as in the definition", .covers = covers, .cost = cost, .lower = lower_plain};
