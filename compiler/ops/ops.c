/* ops.c: the table of operators, and what several of them share. */
#include "ops.h"

#include <string.h>

const OpDef *const all_ops[] = {
#define OP(name) &op_##name,
#include "../ops.def"
#undef OP
    NULL,
};

static bool is_called(const Callable *c, const char *name) { return !strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name)); }

const OpDef *find_op(const char *name, OpKind kind) {
    for (int i = 0; all_ops[i]; i++)
        if (all_ops[i]->kind == kind && is_called(&all_ops[i]->call, name)) return all_ops[i];
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
const Callable *activation_family(int i) {
    const Callable *layer = member(is_activation, i);
    const OpDef *def = layer ? find_op(layer->name, OP_LAYER) : NULL;
    return def && def->as_activation ? def->as_activation : layer;
}
const Callable *optimizer_family(int i) { return member(is_optimizer, i); }
const Callable *loss_family(int i) { return member(is_loss, i); }
const Callable *metric_family(int i) { return member(is_metric, i); }

/* ---- expressions --------------------------------------------------------------------------------------------------- */

/* The number that `name`, n characters, stands for; absent ones are no limits. NULL: it is no attribute. */
static const char *number_text(Arena *arena, const Op *op, const char *name, size_t n) {
    const Callable *c = &(op->forward ? op->forward : op)->def->call;
    for (int i = 0; op->attributes && i < c->attribute_count; i++) {
        const Attr *a = &op->attributes[i];
        if (c->attributes[i].kind != ATTR_REAL || strlen(c->attributes[i].name) != n || strncmp(c->attributes[i].name, name, n)) continue;
        return !a->present ? "(${T})INFINITY" : arena_printf(arena, a->real < 0 ? "(%s${F})" : "%s${F}", arena_real(arena, a->real));
    }
    return NULL;
}

const char *op_expression(Arena *arena, const Op *op) {
    StrBuf out = {0};
    for (const char *s = op->def->expression; *s; s++) {
        size_t n = strncmp(s, "${", 2) ? 0 : strcspn(s + 2, "}");
        const char *number = n ? number_text(arena, op, s + 2, n) : NULL;
        if (number) strbuf_add(&out, number), s += n + 2;
        else strbuf_add_n(&out, s, 1);
    }
    const char *text = arena_string(arena, out.text, out.length);
    strbuf_free(&out);
    return text;
}

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

bool check_rank(Graph *g, Op *op, int rank) {
    static const char *const forms[] = {"", "a vector", "steps x channels", "height x width x channels"};
    Shape x = op->inputs[0]->shape;
    if (x.rank == rank) return true;
    error(g->diag, op->layer->loc, "'%s' needs an input of %s, not %s", op->layer->def->call.name, forms[rank], shape_text(g->arena, x));
    note_shape(g, op->inputs[0]);
    return false;
}

int axis_index(const Attr *axis, Shape s) {
    int at = attr_int(axis) < 0 ? s.rank + attr_int(axis) : attr_int(axis) - 1;
    return at < s.rank ? at : -1;
}

bool no_axis(Graph *g, const Attr *axis, Shape s, const char *verb) {
    error(g->diag, axis->loc, "there is no axis %d to %s %s along", attr_int(axis), verb, shape_text(g->arena, s));
    hint(g->diag, "axis 0 is the batch; 1 to %d and -1 to -%d are those of an example", s.rank, s.rank);
    return false;
}

Tensor *bias_and_activation(Graph *g, Layer *layer, Tensor *y, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation) {
    if (y && use_bias->real != 0) {
        int channels = last_dim(y->shape);
        Tensor *bias = layer_parameter(g, layer, "bias", shape1(channels), bias_initializer, channels, channels);
        y = add_op(g, &op_bias_add, layer, NULL, (Tensor *[]){y, bias}, 2);
    }
    return y ? apply_activation(g, layer, activation, y) : NULL;
}

void gradient_from_input(Graph *g, Op *op, const OpDef *grad, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, grad, op, (Tensor *[]){dy, op->inputs[0]}, 2));
}

void gradient_from_output(Graph *g, Op *op, const OpDef *grad, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, grad, op, (Tensor *[]){dy, op->outputs[0]}, 2));
}

void evaluate_each(const Op *op, double *const *in, double *const *out, double (*f)(const Op *, double)) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = f(op, in[0][i]);
}

void evaluate_slope(const Op *op, double *const *in, double *const *out, double (*slope)(const Op *, double)) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * slope(op, in[1][i]);
}
