/* regularizers.c: Keras's regularizers: what the size of trainable weights or of a layer's output adds to the loss,
 * l1 sum |x| + l2 sum x^2, and the ops that compute it. A weight's is the same for every example: it is computed once for all of a
 * shard. */
#include "ops.h"

#include <math.h>
#include <string.h>

/* ---- the words -------------------------------------------------------------------------------------------------------- */

#define FACTOR_DEF(name, fallback, text) {name, ATTR_REAL, fallback, 0, 1e30, 0, NULL, NULL, true, text}
#define L1_DEF(fallback) FACTOR_DEF("l1", fallback, "times the sum of absolute values")
#define L2_DEF(fallback) FACTOR_DEF("l2", fallback, "times the sum of squares")
static const AttrDef l1_attributes[] = {L1_DEF("0.01")};
static const AttrDef l2_attributes[] = {L2_DEF("0.01")};
static const AttrDef l1_l2_attributes[] = {L1_DEF("0"), L2_DEF("0")};

static const Callable regularizers[] = {
    {"l1", "absolute values", ATTRIBUTES(l1_attributes), NULL},
    {"l2", "squares", ATTRIBUTES(l2_attributes), NULL},
    {"l1_l2", "absolute values and squares", ATTRIBUTES(l1_l2_attributes), NULL},
};

const Callable *regularizer_family(int index) { return index < LENGTH(regularizers) ? &regularizers[index] : NULL; }

/* ---- the ops: their attributes are the factors ------------------------------------------------------------------------ */

enum { L1, L2, FACTORS };

static Attr *factors_of(Graph *g, const Attr *regularizer) {
    static const char *const names[FACTORS] = {"l1", "l2"};
    Attr *factors = NEW_ARRAY(g->arena, Attr, FACTORS);
    for (int f = 0; f < FACTORS; f++)
        for (int i = 0; i < regularizer->callable->attribute_count; i++)
            if (!strcmp(regularizer->callable->attributes[i].name, names[f])) factors[f] = regularizer->attributes[i];
    return factors;
}

/* It adds to the loss, which is there already, but in a graph of its own. */
static bool infer(Graph *g, Op *op) {
    Tensor *loss = g->total_count ? g->totals[0] : new_tensor(g, op->layer, "loss", shape1(1), TYPE_REAL, ROLE_TOTAL);
    op->outputs[op->output_count++] = loss;
    return true;
}

static bool infer_weight_grad(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "penalty_grad", op->forward->inputs[0]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void add_penalty_gradient(Graph *g, Op *op, const OpDef *grad) {
    Tensor *x = op->inputs[0];
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, grad, op, (Tensor *[]){x, g->scale}, 2));
}
static void gradient_of_weight(Graph *g, Op *op, Tensor *dy) { (void)dy, add_penalty_gradient(g, op, &op_weight_penalty_grad); }
static void gradient_of_activity(Graph *g, Op *op, Tensor *dy) { (void)dy, add_penalty_gradient(g, op, &op_activity_penalty_grad); }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++)
        out[0][0] += op->attributes[L1].real * fabs(in[0][i]) + op->attributes[L2].real * in[0][i] * in[0][i];
}

static double slope(const Op *op, double x) { return op->attributes[L1].real * ((x > 0) - (x < 0)) + 2 * op->attributes[L2].real * x; }

static void evaluate_weight_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) out[0][i] += slope(op, in[0][i]) * in[1][0];
}

static void evaluate_activity_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) out[0][i] = slope(op, in[0][i]) * in[1][0];
}

static void bind(const Op *op, Bindings *b) {
    bind_int(b, "COUNT", shape_count(op->inputs[0]->shape));
    bind_int(b, "has_l1", op->attributes[L1].real > 0);
    bind_int(b, "has_l2", op->attributes[L2].real > 0);
    bind_real(b, "l1", op->attributes[L1].real);
    bind_real(b, "l2", op->attributes[L2].real);
    bind_optional(b, "l1");
    bind_optional(b, "l2");
}

const OpDef op_weight_penalty = {
    .call = {"weight_penalty", "what a regularizer of a weight adds to the loss", NULL, 0, NULL}, .kind = OP_INTERNAL, .accumulates = true, .per_shard = true,
    .infer = infer, .gradient = gradient_of_weight, .evaluate = evaluate, .plain = "penalty.of_weight", .bind = bind,
    .equation = "loss += l1 sum |w| + l2 sum w^2",
};
const OpDef op_weight_penalty_grad = {
    .call = {"weight_penalty_grad", "gradient of weight_penalty", NULL, 0, NULL}, .kind = OP_INTERNAL, .accumulates = true, .per_shard = true,
    .infer = infer_weight_grad, .evaluate = evaluate_weight_grad, .plain = "penalty.grad_of_weight", .bind = bind,
    .equation = "dw += (l1 sign w + 2 l2 w) * scale",
};
const OpDef op_activity_penalty = {
    .call = {"activity_penalty", "what a regularizer of a layer's output adds to the loss", NULL, 0, NULL}, .kind = OP_INTERNAL, .accumulates = true,
    .infer = infer, .gradient = gradient_of_activity, .evaluate = evaluate, .plain = "penalty.of_activity", .bind = bind,
    .equation = "loss += l1 sum |y| + l2 sum y^2",
};
const OpDef op_activity_penalty_grad = {
    .call = {"activity_penalty_grad", "gradient of activity_penalty", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_activity_grad, .plain = "penalty.grad_of_activity", .bind = bind, .equation = "dy = (l1 sign y + 2 l2 y) * scale",
};

/* ---- a network's ------------------------------------------------------------------------------------------------------- */

/* The last op to the front: its gradient then comes last, behind what makes the weight's own. */
static void move_to_front(Graph *g) {
    Op *last = g->ops[g->op_count - 1];
    memmove(g->ops + 1, g->ops, sizeof *g->ops * (size_t)(g->op_count - 1));
    g->ops[0] = last;
}

static bool counts(const Attr *factors) { return factors[L1].real > 0 || factors[L2].real > 0; }

void add_penalties(Graph *g) {
    for (int i = g->parameter_count - 1; i >= 0; i--) {
        Tensor *w = g->parameters[i];
        if (!w->trainable || !w->regularizer || !counts(factors_of(g, w->regularizer))) continue;
        add_op(g, &op_weight_penalty, w->layer, factors_of(g, w->regularizer), (Tensor *[]){w}, 1);
        move_to_front(g);
    }
    for (int i = 0; i < g->layer_count; i++) {
        Layer *l = g->layers[i];
        const Attr *regularizer = layer_attribute(l, "activity_regularizer");
        if (regularizer && regularizer->present && counts(factors_of(g, regularizer))) add_op(g, &op_activity_penalty, l, factors_of(g, regularizer), (Tensor *[]){l->output}, 1);
    }
}
