/* loss.c: what losses and metrics share: targets, totals, bindings. */
#include "loss.h"

static Tensor *make_target(Graph *g, const Op *op, Shape shape, Type type, int classes) {
    Tensor *t = new_tensor(g, op->layer, "target", shape, type, ROLE_TARGET);
    t->classes = classes;
    t->index = g->target_count;
    *PUSH(g->arena, g->targets, g->target_count) = t;
    return t;
}

bool target_like_prediction(Graph *g, Op *op, Tensor *prediction, Tensor **target) {
    if (!*target) *target = make_target(g, op, prediction->shape, TYPE_REAL, 0);
    return (*target)->type == TYPE_REAL;
}

bool target_one_hot(Graph *g, Op *op, Tensor *prediction, Tensor **target) {
    if (!*target) *target = make_target(g, op, prediction->shape, TYPE_REAL, last_dim(prediction->shape));
    return (*target)->type == TYPE_REAL;
}

bool target_class_index(Graph *g, Op *op, Tensor *prediction, Tensor **target) {
    Shape s = prediction->shape;
    s.rank--;
    if (!*target) *target = make_target(g, op, s, TYPE_I32, last_dim(prediction->shape));
    return (*target)->type == TYPE_I32;
}

bool target_any(Graph *g, Op *op, Tensor *prediction, Tensor **target) {
    (void)g, (void)op, (void)prediction;
    return *target != NULL;
}

bool infer_totals(Graph *g, Op *op, int elements) {
    Tensor *total = new_tensor(g, op->layer, op->def->call.name, shape1(elements), TYPE_REAL, ROLE_TOTAL);
    total->index = g->total_elements;
    g->total_elements += elements;
    *PUSH(g->arena, g->totals, g->total_count) = total;
    op->outputs[op->output_count++] = total;
    return true;
}

bool infer_total(Graph *g, Op *op) { return infer_totals(g, op, 1); }

void gradient_of_loss(Graph *g, Op *op, const OpDef *grad) {
    Tensor *prediction = op->inputs[0];
    Tensor *scale = g->scale;
    if (!wants_gradient(prediction)) return;
    if (factor_of(op->outputs[0]) != 1) {
        scale = new_tensor(g, NULL, "scale", shape1(1), TYPE_REAL, ROLE_SCALE);
        scale->factor = op->outputs[0]->factor;
    }
    Tensor *gradient = add_gradient_op(g, grad, op, (Tensor *[]){prediction, op->inputs[1], scale}, 3);
    if (is_weighted(op)) gradient = add_gradient_op(g, &op_weigh, op, (Tensor *[]){gradient, op->inputs[2]}, 2);
    add_gradient(g, prediction, gradient);
}

void bind_rows(const Op *op, Bindings *b) {
    bind_int(b, "ROWS", row_count(op->inputs[0]->shape));
    bind_int(b, "N", last_dim(op->inputs[0]->shape));
}
