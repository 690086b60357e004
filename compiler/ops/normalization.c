/* normalization.c: what normalizations share: their weights, and the standardization of groups within an example. */
#include "normalization.h"

#include <math.h>

bool check_last_axis(Graph *g, const Layer *l) {
    const Attr *axis = &l->attributes[AXIS];
    int rank = l->inputs[0]->shape.rank;
    if (attr_int(axis) == -1 || attr_int(axis) == rank) return true;
    error(g->diag, axis->loc, "'%s' works along the last axis of %s, -1 or %d, not %d", l->def->call.name, shape_text(g->arena, l->inputs[0]->shape), rank, attr_int(axis));
    return false;
}

Tensor *channel_parameter(Graph *g, Layer *l, const char *weight, const Attr *initializer) {
    int channels = last_dim(l->inputs[0]->shape);
    return layer_parameter(g, l, weight, shape1(channels), initializer, channels, channels);
}

Tensor *scale_and_center(Graph *g, Layer *l, Tensor *y, bool scale, bool center) {
    const Attr *a = l->attributes;
    Tensor *gamma = scale ? channel_parameter(g, l, "gamma", &a[GAMMA_INITIALIZER]) : NULL, *beta = center ? channel_parameter(g, l, "beta", &a[BETA_INITIALIZER]) : NULL;
    if (g->diag->errors) return NULL;
    if (gamma) y = add_op(g, &op_channel_scale, l, NULL, (Tensor *[]){y, gamma}, 2);
    if (beta) y = add_op(g, &op_bias_add, l, NULL, (Tensor *[]){y, beta}, 2);
    return y;
}

/* ---- groups ------------------------------------------------------------------------------------------------------------- */

/* Calls the body for the elements i of group k of row r. */
#define FOR_EACH_ELEMENT(s, r, k, i, body)                                                                             \
    for (int64_t p = 0; p < s->positions; p++)                                                                         \
        for (int64_t d = 0; d < s->depth; d++) {                                                                       \
            int64_t i = ((r * s->positions + p) * s->groups + k) * s->depth + d;                                       \
            body;                                                                                                      \
        }

static double count_of(const Groups *s) { return (double)(s->positions * s->depth); }

static Groups groups_of(const Op *op) { return ((const Standardized *)op->def->own)->groups(op); }

void standardize(const Op *op, double *const *in, double *const *out) {
    const Groups groups = groups_of(op), *s = &groups;
    const double *x = in[0], epsilon = op->attributes[EPSILON].real;
    double *y = out[0], *deviation = out[1];
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t k = 0; k < s->groups; k++) {
            double mean = 0, variance = 0;
            FOR_EACH_ELEMENT(s, r, k, i, mean += x[i] / count_of(s))
            FOR_EACH_ELEMENT(s, r, k, i, variance += (x[i] - mean) * (x[i] - mean) / count_of(s))
            double inverse = deviation[r * s->groups + k] = 1 / sqrt(variance + epsilon);
            FOR_EACH_ELEMENT(s, r, k, i, y[i] = (s->centered ? x[i] - mean : x[i]) * inverse)
        }
}

void standardize_grad(const Op *op, double *const *in, double *const *out) {
    const Groups groups = groups_of(op), *s = &groups;
    const double *dy = in[0], *y = in[1], *deviation = in[2];
    double *dx = out[0];
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t k = 0; k < s->groups; k++) {
            double mean = 0, product = 0; /* of dy, or where x keeps its mean, of y; and of dy * y */
            FOR_EACH_ELEMENT(s, r, k, i, mean += (s->centered ? dy[i] : y[i]) / count_of(s); product += dy[i] * y[i] / count_of(s))
            double inverse = deviation[r * s->groups + k];
            FOR_EACH_ELEMENT(s, r, k, i, dx[i] = inverse * (s->centered ? dy[i] - mean - y[i] * product : dy[i] - (y[i] - mean) * product))
        }
}

void bind_standardized(const Op *op, Bindings *b) {
    Groups s = groups_of(op);
    bind_int(b, "ROWS", s.rows);
    bind_int(b, "P", s.positions);
    bind_int(b, "G", s.groups);
    bind_int(b, "D", s.depth);
    bind_int(b, "centered", s.centered);
    bind_real(b, "epsilon", op->attributes[EPSILON].real);
    bind_optional(b, "epsilon");
}

bool infer_standardized(Graph *g, Op *op, Shape deviation) {
    if (!infer_like_input(g, op)) return false;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "deviation", deviation, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

void gradient_of_standardized(Graph *g, Op *op, const OpDef *grad, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, grad, op, (Tensor *[]){dy, op->outputs[0], op->outputs[1]}, 3));
}

double standardize_flops(const Op *op) { return 7.0 * (double)shape_count(op->outputs[0]->shape); }
