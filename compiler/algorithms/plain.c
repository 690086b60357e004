/* plain.c: every op by its own template, loops as in its definition; elementwise ops by the one they share. */
#include "tiles.h"

static bool covers(const Program *p, const Op *op) { return (void)p, (void)op, true; }

/* Plain loops run at about one multiply-add or element a cycle; elementwise ones use vectors. */
static double cost(const Program *p, const Op *op) {
    double flops = op->def->flops ? op->def->flops(op) : (double)shape_count(op->outputs[0]->shape);
    return op->def->view ? 0 : flops / (op->def->expression ? p->target->lanes : 1);
}

static void lower_plain(Program *p, const Op *op) {
    static const KernelDef elementwise = {.template = "elementwise", .level = LEVEL_EXAMPLE, .epilogue = true};
    const KernelDef *def = &elementwise;
    if (!op->def->expression) {
        KernelDef *own = NEW(p->arena, KernelDef);
        *own = (KernelDef){.template = op->def->plain, .level = op->def->per_shard ? LEVEL_SHARD : LEVEL_EXAMPLE, .epilogue = op->def->finishes, .schedule = schedule_nothing};
        def = own;
    }
    Kernel *k = add_kernel(p, def, op, name_in_layer(op->layer, op->def->call.name));
    for (int i = 0; i < op->input_count; i++) kernel_input(p, k, op->inputs[i]);
    for (int i = 0; i < op->output_count; i++) kernel_output(p, k, op->outputs[i]);
    k->op_bindings = !op->def->expression;
    if (!op->def->expression) return;
    kernel_int(p, k, "ROWS", row_count(op->outputs[0]->shape));
    kernel_int(p, k, "N", last_dim(op->outputs[0]->shape));
}

const Algorithm algorithm_plain = {.name = "plain", .doc = "loops as in the definition", .covers = covers, .cost = cost, .lower = lower_plain};
