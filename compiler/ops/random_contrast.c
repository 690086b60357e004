/* random_contrast.c: Keras's RandomContrast: while training what an example's channels have beside their means is multiplied by a random
 * number; results are kept within value_range. */
#include "draws.h"

#include <math.h>

enum { FACTOR, VALUE_RANGE, SEED };
static const AttrDef attributes[] = {
    {"factor", ATTR_REALS, NULL, -1, 1, 0, NULL, NULL, true, "f: by 1 to 1 + f, as Keras has it; (a,b): by 1 - a to 1 + b"},
    {"value_range", ATTR_REALS, "", 0, 0, 0, NULL, NULL, false, "the least and the largest value of the result; (0,255) unless given"},
    SEED_DEF,
};

static bool check_values(Graph *g, const Attr *range) {
    if (!range->present || (range->real_count == 2 && range->reals[0] < range->reals[1])) return true;
    error(g->diag, range->loc, "'value_range' must be two numbers, the smaller one first");
    return false;
}

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *factor = &l->attributes[FACTOR];
    if (factor->real_count == 1 && factor->reals[0] < 0) {
        error(g->diag, factor->loc, "a single 'factor' of 'random_contrast' must be 0 or more");
        return NULL;
    }
    if (!check_range(g, l, factor) || !check_values(g, &l->attributes[VALUE_RANGE])) return NULL;
    return add_op(g, l->def, l, l->attributes, (Tensor *[]){l->inputs[0], key_of(g)}, 2);
}

static bool infer(Graph *g, Op *op) { return check_map(g, op) && infer_like_input(g, op); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_random_contrast_grad, op, (Tensor *[]){dy, op->inputs[1], op->inputs[0]}, 3));
}

/* ---- what it computes ------------------------------------------------------------------------------------------------------- */

static Range factors_of(const Op *op) {
    const Attr *f = &op->attributes[FACTOR];
    Range r = f->real_count == 1 ? (Range){0, f->reals[0]} : range_of(f);
    return (Range){1 - r.low, 1 + r.high};
}

static Range values_of(const Op *op) {
    const Attr *v = &op->attributes[VALUE_RANGE];
    return v->present ? (Range){v->reals[0], v->reals[1]} : (Range){0, 255};
}

static double mean_of(const double *x, int64_t pixels, int channels) {
    double sum = 0;
    for (int64_t i = 0; i < pixels; i++) sum += x[i * channels];
    return sum / (double)pixels;
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    int64_t n = shape_count(op->outputs[0]->shape);
    int channels = last_dim(op->outputs[0]->shape);
    Range values = values_of(op);
    double factor = draw_between(factors_of(op), key_value(in[1]), stream_of(op, &op->attributes[SEED]), 0);
    for (int c = 0; c < channels; c++) {
        double mean = mean_of(in[0] + c, n / channels, channels);
        for (int64_t i = c; i < n; i += channels) out[0][i] = fmin(fmax((in[0][i] - mean) * factor + mean, values.low), values.high);
    }
}

/* dy where the result was not cut, d: dx = factor d + (1 - factor) mean d. */
static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    int64_t n = shape_count(op->outputs[0]->shape);
    int channels = last_dim(op->outputs[0]->shape);
    Range values = values_of(op);
    double factor = draw_between(factors_of(op), key_value(in[1]), stream_of(op, &op->attributes[SEED]), 0);
    for (int c = 0; c < channels; c++) {
        double mean = mean_of(in[2] + c, n / channels, channels);
        for (int64_t i = c; i < n; i += channels) {
            double y = (in[2][i] - mean) * factor + mean;
            out[0][i] = y >= values.low && y <= values.high ? in[0][i] : 0;
        }
        double share = (1 - factor) * mean_of(out[0] + c, n / channels, channels);
        for (int64_t i = c; i < n; i += channels) out[0][i] = factor * out[0][i] + share;
    }
}

static void bind(const Op *op, Bindings *b) {
    Range factors = factors_of(op), values = values_of(op);
    bind_int(b, "PIXELS", row_count(op->outputs[0]->shape));
    bind_int(b, "C", last_dim(op->outputs[0]->shape));
    bind_int(b, "STREAM", stream_of(op, &op->attributes[SEED]));
    bind_real(b, "low", factors.low);
    bind_real(b, "span", factors.high - factors.low);
    bind_real(b, "least", values.low);
    bind_real(b, "most", values.high);
}

static double flops(const Op *op) { return 4.0 * (double)shape_count(op->outputs[0]->shape); }

const OpDef op_random_contrast = {
    .call = {"random_contrast", "changes the contrast of examples at random while training", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "RandomContrast",
    .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer, .idle = true, .gradient = gradient, .evaluate = evaluate, .plain = "random_contrast.forward", .bind = bind,
    .flops = flops, .equation = "y = clip((x - mean x) factor + mean x), channel by channel",
};
const OpDef op_random_contrast_grad = {
    .call = {"random_contrast_grad", "gradient of random_contrast", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, .evaluate = evaluate_grad,
    .plain = "random_contrast.grad", .bind = bind, .flops = flops, .equation = "dx = factor d + (1 - factor) mean d, d being dy where y was not cut",
};
