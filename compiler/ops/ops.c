/* ops.c: the table of operators, and what several of them share. */
#include "ops.h"

#include <string.h>

const OpDef *const all_ops[] = {
#define OP(name) &op_##name,
#include "../ops.def"
#undef OP
    NULL,
};

const OpDef *find_op(const char *name, OpKind kind) {
    for (int i = 0; all_ops[i]; i++)
        if (all_ops[i]->kind == kind && !strcmp(all_ops[i]->call.name, name)) return all_ops[i];
    return NULL;
}

/* ---- families ---------------------------------------------------------------------------------------------------- */

static bool is_layer(const OpDef *d) { return d->kind == OP_LAYER; }
static bool is_activation(const OpDef *d) { return d->activation; }
static bool is_optimizer(const OpDef *d) { return d->kind == OP_OPTIMIZER; }
static bool is_loss(const OpDef *d) { return d->kind == OP_LOSS; }
static bool is_metric(const OpDef *d) { return d->kind == OP_METRIC || d->kind == OP_LOSS; } /* as Keras: a loss will do */

static const Callable *member(bool (*belongs)(const OpDef *), int index) {
    for (int i = 0; all_ops[i]; i++)
        if (belongs(all_ops[i]) && index-- == 0) return &all_ops[i]->call;
    return NULL;
}
const Callable *layer_family(int i) { return member(is_layer, i); }
const Callable *activation_family(int i) { return member(is_activation, i); }
const Callable *optimizer_family(int i) { return member(is_optimizer, i); }
const Callable *loss_family(int i) { return member(is_loss, i); }
const Callable *metric_family(int i) { return member(is_metric, i); }

/* ---- shared pieces ------------------------------------------------------------------------------------------------ */

bool infer_like_input(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, op->inputs[0]->shape, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

bool infer_like_forward_input(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, op->forward->inputs[0]->shape, TYPE_REAL, ROLE_GRADIENT);
    return true;
}

void note_shape(Graph *g, const Tensor *t) {
    if (t->layer) note(g->diag, t->layer->loc, "%s is the shape of '%s', declared here", shape_text(g->arena, t->shape), t->layer->name);
}

Tensor *bias_and_activation(Graph *g, Layer *layer, Tensor *y, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation) {
    if (y && use_bias->real != 0) {
        int channels = last_dim(y->shape);
        Tensor *bias = layer_parameter(g, layer, "bias", shape1(channels), bias_initializer, channels, channels);
        y = add_op(g, &op_bias_add, layer, NULL, (Tensor *[]){y, bias}, 2);
    }
    return y ? apply_activation(g, layer, activation, y) : NULL;
}

void gradient_from_output(Graph *g, Op *op, const OpDef *grad, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, grad, op, (Tensor *[]){dy, op->outputs[0]}, 2));
}
