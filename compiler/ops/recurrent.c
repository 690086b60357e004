/* recurrent.c: what recurrent layers share: the ops that they are made of, their gradients, activations in the steps. */
#include "recurrent.h"

#include <string.h>

/* ---- activations in the steps: elementwise, without options, the gradient a function of the output ------------------ */

static const OpDef *gradient_of(const OpDef *activation) {
    for (int i = 0; all_ops[i]; i++) {
        const char *name = all_ops[i]->call.name;
        size_t n = strlen(activation->call.name);
        if (all_ops[i]->scales_dy && all_ops[i]->expression && !strncmp(name, activation->call.name, n) && !strcmp(name + n, "_grad")) return all_ops[i];
    }
    return NULL;
}

/* The op of a layer's activation. */
static const OpDef *op_of(const Attr *activation) {
    const OpDef *def = find_op(activation->word, OP_LAYER);
    if (!def) bug("there is no op '%s'", activation->word);
    return def;
}

static bool can_be_inside(const OpDef *d) {
    return d->activation && (d->view || (d->expression && (!d->call.attribute_count || d->activate) && gradient_of(d)));
}

static bool check_activation(Graph *g, const Attr *a, const Layer *l) {
    bool plain = true;
    const Attr *usual = bind_attributes(g->arena, g->diag, a->callable, NULL, 0, a->loc);
    for (int i = 0; i < a->callable->attribute_count; i++) plain = plain && a->attributes[i].present == usual[i].present && a->attributes[i].real == usual[i].real;
    if (plain && can_be_inside(op_of(a))) return true;
    const char *others = "";
    for (int i = 0; all_ops[i]; i++)
        if (can_be_inside(all_ops[i])) others = arena_printf(g->arena, "%s%s%s", others, *others ? ", " : "", all_ops[i]->call.name);
    error(g->diag, a->loc, "'%s'%s cannot be an activation inside of '%s'", a->word, plain ? "" : " with options", l->def->call.name);
    hint(g->diag, "these can: %s", others);
    return false;
}

/* Runs an elementwise op on one number. */
static double run_op(const OpDef *def, double a, double b) {
    Tensor one = {.shape = shape1(1)}, *tensors[] = {&one, &one};
    Op op = {.def = def, .inputs = tensors, .outputs = tensors, .input_count = 2, .output_count = 1};
    double y = 0, *in[] = {&a, &b}, *out[] = {&y};
    def->evaluate(&op, in, out);
    return y;
}

double activate(const Attr *a, double x) { return run_op(op_of(a), x, 0); }

double activate_grad(const Attr *a, double dy, double y) {
    const OpDef *def = op_of(a);
    return def->view ? dy : run_op(gradient_of(def), dy, y);
}

static void bind_activation(const Attr *a, const char *name, const char *name_grad, Bindings *b) {
    const OpDef *def = op_of(a), *grad = def->view ? NULL : gradient_of(def);
    bind_string(b, name, def->view ? "${a}" : def->expression);
    bind_string(b, name_grad, grad ? grad->expression : "${a}");
    bind_optional(b, name);
    bind_optional(b, name_grad);
}

/* ---- the layer ------------------------------------------------------------------------------------------------------ */

static Tensor *parameter(Graph *g, Layer *l, const Cell *cell, const char *weight, Shape shape, const Attr *initializer) {
    Tensor *w = layer_parameter(g, l, weight, shape, initializer, shape.dim[0], last_dim(shape));
    if (w) w->part = cell->name;
    return w;
}

static bool check_layer(Graph *g, const Layer *l, const Cell *cell) {
    const Attr *a = l->attributes;
    Shape x = l->inputs[0]->shape;
    bool fine = check_activation(g, &a[ACTIVATION], l);
    if (cell->gates > 1 && !check_activation(g, &a[RECURRENT_ACTIVATION], l)) fine = false;
    if (x.rank == 2) return fine;
    error(g->diag, l->loc, "'%s' works on steps x features, not on %s", l->def->call.name, shape_text(g->arena, x));
    note_shape(g, l->inputs[0]);
    if (x.rank == 1) hint(g->diag, "'input %dx1' has one feature in each step; a recurrent layer gives all steps with return_sequences=true", x.dim[0]);
    return false;
}

Tensor *recurrent_layer(Graph *g, Layer *l, const Cell *cell) {
    const Attr *a = l->attributes;
    if (!check_layer(g, l, cell)) return NULL;
    Tensor *x = l->inputs[0], *bias = NULL;
    int units = attr_int(&a[UNITS]), columns = cell->gates * units;
    Tensor *kernel = parameter(g, l, cell, "kernel", shape2(last_dim(x->shape), columns), &a[KERNEL_INITIALIZER]);
    Tensor *recurrent = parameter(g, l, cell, "recurrent_kernel", shape2(units, columns), &a[RECURRENT_INITIALIZER]);
    if (a[USE_BIAS].real != 0) {
        bias = parameter(g, l, cell, "bias", cell->biases > 1 ? shape2(cell->biases, columns) : shape1(columns), &a[BIAS_INITIALIZER]);
        if (!bias) return NULL;
        if (cell->bias_initializer) bias->initializer = cell->bias_initializer;
    }
    if (!kernel || !recurrent) return NULL;
    if (a[GO_BACKWARDS].real != 0) x = add_op(g, &op_reverse_rows, l, NULL, (Tensor *[]){x}, 1);
    Tensor *products = x ? add_op(g, &op_dense, l, NULL, (Tensor *[]){x, kernel}, 2) : NULL;
    if (products && bias && cell->biases == 1) products = add_op(g, &op_bias_add, l, NULL, (Tensor *[]){products, bias}, 2);
    if (!products) return NULL;
    Tensor *y = add_op(g, cell->steps, l, l->attributes, (Tensor *[]){products, recurrent, bias}, bias && cell->biases > 1 ? 3 : 2);
    return !y || a[RETURN_SEQUENCES].real != 0 ? y : add_op(g, &op_last_row, l, NULL, (Tensor *[]){y}, 1);
}

/* ---- the steps ------------------------------------------------------------------------------------------------------- */

Steps steps_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    Shape products = forward->inputs[0]->shape, recurrent = forward->inputs[1]->shape;
    return (Steps){products.dim[0], recurrent.dim[0], recurrent.dim[1]};
}

void bind_steps(const Op *op, Bindings *b) {
    Steps s = steps_of(op);
    bind_int(b, "STEPS", s.steps);
    bind_int(b, "U", s.units);
    bind_int(b, "G", s.columns / s.units);
    bind_activation(&op->attributes[ACTIVATION], "activation", "activation_grad", b);
    if (s.columns > s.units) bind_activation(&op->attributes[RECURRENT_ACTIVATION], "recurrent_activation", "recurrent_activation_grad", b);
}

double steps_flops(const Op *op) {
    Steps s = steps_of(op);
    return 2.0 * (double)s.steps * (double)s.units * (double)s.columns;
}

static void output(Graph *g, Op *op, const char *suffix, int64_t rows, int64_t length, Role role) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, suffix, shape2((int)rows, (int)length), TYPE_REAL, role);
}

bool infer_steps(Graph *g, Op *op, int known) {
    Steps s = steps_of(op);
    output(g, op, op->def->call.name, s.steps, s.units, ROLE_ACTIVATION);
    if (known) output(g, op, "known", s.steps, known * s.units, ROLE_ACTIVATION);
    return true;
}

bool infer_steps_grad(Graph *g, Op *op, int count, int carried) {
    Steps s = steps_of(op);
    for (int i = 0; i < count; i++) output(g, op, "products_grad", s.steps, s.columns, ROLE_GRADIENT);
    output(g, op, "carried", carried, s.units, ROLE_GRADIENT);
    return true;
}

/* The recurrent kernel's gradient is that of a dense layer on the states before each step, which no op of the graph is. */
void recurrent_gradients(Graph *g, Op *op, Tensor *dproducts, Tensor *dstate) {
    Tensor *products = op->inputs[0], *recurrent = op->inputs[1];
    if (wants_gradient(products)) add_gradient(g, products, dproducts);
    if (!wants_gradient(recurrent)) return;
    Tensor *before = add_op(g, &op_shift_rows, op->layer, NULL, (Tensor *[]){op->outputs[0]}, 1);
    Op *product = NEW(g->arena, Op);
    *product = (Op){.id = op->id, .def = &op_dense, .layer = op->layer, .input_count = 2, .output_count = 1};
    product->inputs = NEW_ARRAY(g->arena, Tensor *, 2), product->outputs = NEW_ARRAY(g->arena, Tensor *, 1);
    product->inputs[0] = before, product->inputs[1] = recurrent, product->outputs[0] = dstate;
    add_gradient(g, recurrent, add_gradient_op(g, &op_dense_grad_kernel, product, (Tensor *[]){before, dstate}, 2));
}

double state_product(const Steps *s, const double *h, const double *kernel, int64_t column) {
    double sum = 0;
    for (int64_t k = 0; k < s->units; k++) sum += h[k] * kernel[k * s->columns + column];
    return sum;
}

double state_product_grad(const Steps *s, const double *dproducts, const double *kernel, int64_t unit) {
    double sum = 0;
    for (int64_t k = 0; k < s->columns; k++) sum += dproducts[k] * kernel[unit * s->columns + k];
    return sum;
}
