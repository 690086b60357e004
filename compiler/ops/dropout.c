/* dropout.c: Keras's Dropout, SpatialDropout1D, SpatialDropout2D and GaussianNoise: only while training; else y = x. */
#include "draws.h"

#include <math.h>

enum { RATE, SEED };

static const AttrDef dropout_attributes[] = {
    {"rate", ATTR_REAL, NULL, 0, 0.999999, 0, NULL, NULL, true, "part of the elements that is dropped"}, SEED_DEF,
};
static const AttrDef spatial_attributes[] = {
    {"rate", ATTR_REAL, NULL, 0, 0.999999, 0, NULL, NULL, true, "part of the channels that is dropped"}, SEED_DEF,
};
static const AttrDef noise_attributes[] = {
    {"stddev", ATTR_REAL, NULL, 0, 1e30, 0, NULL, NULL, true, "standard deviation of what is added"}, SEED_DEF,
};

static Tensor *add(Graph *g, Layer *l, const OpDef *def) {
    if (l->attributes[0].real == 0) return add_op(g, &op_linear, l, NULL, l->inputs, 1);
    return add_op(g, def, l, l->attributes, (Tensor *[]){l->inputs[0], key_of(g)}, 2);
}

static Tensor *dropout(Graph *g, Layer *l) { return add(g, l, &op_dropout); }
static Tensor *noise(Graph *g, Layer *l) { return add(g, l, &op_gaussian_noise); }

static Tensor *spatial(Graph *g, Layer *l, int rank, const char *axes) {
    if (l->inputs[0]->shape.rank == rank) return add(g, l, &op_spatial_dropout2d);
    error(g->diag, l->loc, "'%s' works on %s", l->def->call.name, axes);
    note_shape(g, l->inputs[0]);
    return NULL;
}
static Tensor *spatial_1d(Graph *g, Layer *l) { return spatial(g, l, 2, "length x channels"); }
static Tensor *spatial_2d(Graph *g, Layer *l) { return spatial(g, l, 3, "height x width x channels"); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    const OpDef *def = op->def == &op_dropout ? &op_dropout_grad : &op_spatial_dropout2d_grad;
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, def, op, (Tensor *[]){dy, op->inputs[1]}, 2));
}

static void gradient_of_noise(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], dy);
}

/* ---- what they compute ---------------------------------------------------------------------------------------------------- */

/* The least of 2^24 equally likely numbers that keeps an element. */
static uint32_t least_kept(const Op *op) { return (uint32_t)ceil(op->attributes[RATE].real * 16777216); }

static void drop(const Op *op, double *const *in, double *const *out, bool channels) {
    int64_t n = shape_count(op->outputs[0]->shape), width = last_dim(op->outputs[0]->shape);
    for (int64_t i = 0; i < n; i++) {
        uint32_t drawn = cnnc_noise(key_value(in[1]), stream_of(op, &op->attributes[SEED]), (uint32_t)(channels ? i % width : i));
        out[0][i] = drawn >= least_kept(op) ? in[0][i] / (1 - op->attributes[RATE].real) : 0;
    }
}
static void evaluate(const Op *op, double *const *in, double *const *out) { drop(op, in, out, false); }
static void evaluate_spatial(const Op *op, double *const *in, double *const *out) { drop(op, in, out, true); }

/* Box and Muller, A Note on the Generation of Random Normal Deviates, 1958. */
static void evaluate_noise(const Op *op, double *const *in, double *const *out) {
    static const double turn = 6.283185307179586 / 16777216;
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) {
        uint32_t radius = cnnc_noise(key_value(in[1]), stream_of(op, &op->attributes[SEED]), (uint32_t)i), angle = cnnc_noise(key_value(in[1]), ~stream_of(op, &op->attributes[SEED]), (uint32_t)i);
        out[0][i] = in[0][i] + op->attributes[0].real * sqrt(-2 * log((radius + 0.5) / 16777216)) * cos(turn * angle);
    }
}

static void bind_all(const Op *op, Bindings *b, bool channels) {
    bind_int(b, "ROWS", channels ? row_count(op->outputs[0]->shape) : 1);
    bind_int(b, "N", channels ? last_dim(op->outputs[0]->shape) : shape_count(op->outputs[0]->shape));
    bind_int(b, "STREAM", stream_of(op, &op->attributes[SEED]));
    bind_int(b, "LEAST", least_kept(op));
    bind_real(b, "scale", 1 / (1 - op->attributes[RATE].real));
}
static void bind(const Op *op, Bindings *b) { bind_all(op, b, false); }
static void bind_spatial(const Op *op, Bindings *b) { bind_all(op, b, true); }
static void bind_noise(const Op *op, Bindings *b) {
    bind_int(b, "N", shape_count(op->outputs[0]->shape));
    bind_int(b, "STREAM", stream_of(op, &op->attributes[SEED]));
    bind_real(b, "stddev", op->attributes[0].real);
}

#define DROPS(name) .infer = infer_like_input, .idle = true, .gradient = gradient, .plain = "dropout.drop", .equation = name

const OpDef op_dropout = {
    .call = {"dropout", "drops elements at random while training, and scales the others up", ATTRIBUTES(dropout_attributes), NULL}, .kind = OP_LAYER, .keras = "Dropout",
    .min_inputs = 1, .max_inputs = 1, .layer = dropout, DROPS("y = x / (1 - rate) or 0"), .evaluate = evaluate, .bind = bind,
};
const OpDef op_dropout_grad = {
    .call = {"dropout_grad", "gradient of dropout", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate,
    .plain = "dropout.drop", .bind = bind, .equation = "dx = dy / (1 - rate) or 0",
};
const OpDef op_spatial_dropout1d = {
    .call = {"spatial_dropout1d", "drops channels at random while training, and scales the others up", ATTRIBUTES(spatial_attributes), NULL}, .kind = OP_LAYER,
    .keras = "SpatialDropout1D", .min_inputs = 1, .max_inputs = 1, .layer = spatial_1d,
};
const OpDef op_spatial_dropout2d = {
    .call = {"spatial_dropout2d", "drops channels at random while training, and scales the others up", ATTRIBUTES(spatial_attributes), NULL}, .kind = OP_LAYER,
    .keras = "SpatialDropout2D", .min_inputs = 1, .max_inputs = 1, .layer = spatial_2d, DROPS("y = x / (1 - rate) or 0, by channels"),
    .evaluate = evaluate_spatial, .bind = bind_spatial,
};
const OpDef op_spatial_dropout2d_grad = {
    .call = {"spatial_dropout2d_grad", "gradient of spatial_dropout2d", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_spatial, .plain = "dropout.drop", .bind = bind_spatial, .equation = "dx = dy / (1 - rate) or 0, by channels",
};
const OpDef op_gaussian_noise = {
    .call = {"gaussian_noise", "adds normal random numbers while training", ATTRIBUTES(noise_attributes), NULL}, .kind = OP_LAYER, .keras = "GaussianNoise",
    .min_inputs = 1, .max_inputs = 1, .layer = noise, .infer = infer_like_input, .idle = true, .gradient = gradient_of_noise, .evaluate = evaluate_noise,
    .plain = "dropout.noise", .bind = bind_noise, .equation = "y = x + stddev * normal",
};
