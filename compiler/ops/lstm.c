/* lstm.c: with z[t] + h[t-1] recurrent_kernel, z being x kernel + bias, in four parts: the gates i, f, o by the recurrent activation,
 * the candidate g, third of them, by the activation; c[t] = f c[t-1] + i g; h[t] = o activation(c[t]). The gradient wants to know
 * i, f, g, o and c of each step. */
#include "recurrent.h"

enum { UNIT_FORGET_BIAS = RECURRENT_ACTIVATION + 1 };
enum { IN, FORGET, CANDIDATE, OUT, CELL, KNOWN };

static const AttrDef attributes[] = {
    RECURRENT_DEFS,
    RECURRENT_ACTIVATION_DEF,
    {"unit_forget_bias", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "the bias of the forget gate starts at 1; bias_initializer is a constant then"},
    RECURRENT_WEIGHT_DEFS,
};

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes, *bias = NULL;
    if (a[USE_BIAS].real != 0 && a[UNIT_FORGET_BIAS].real != 0 && !(bias = unit_forget_initializer(g, &a[BIAS_INITIALIZER]))) return NULL;
    const Cell cell = {"lstm_cell", &op_lstm, 4, 1, bias};
    return recurrent_layer(g, l, &cell);
}

static bool infer(Graph *g, Op *op) { return infer_steps(g, op, KNOWN); }
static bool infer_grad(Graph *g, Op *op) { return infer_steps_grad(g, op, 1, 2); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *dz = add_gradient_op(g, &op_lstm_grad, op, (Tensor *[]){dy, op->inputs[1], op->outputs[1]}, 3);
    recurrent_gradients(g, op, dz, dz);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    for (int64_t t = 0; t < s.steps; t++)
        for (int64_t u = 0; u < s.units; u++) {
            double *known = out[1] + t * KNOWN * s.units + u;
            for (int64_t k = 0; k < 4; k++) {
                int64_t column = k * s.units + u;
                double z = in[0][t * s.columns + column] + (t ? state_product(&s, out[0] + (t - 1) * s.units, in[1], column) : 0);
                known[k * s.units] = activate(&op->attributes[k == CANDIDATE ? ACTIVATION : RECURRENT_ACTIVATION], z);
            }
            double before = t ? known[(CELL - KNOWN) * s.units] : 0;
            double cell = known[CELL * s.units] = known[FORGET * s.units] * before + known[IN * s.units] * known[CANDIDATE * s.units];
            out[0][t * s.units + u] = known[OUT * s.units] * activate(&op->attributes[ACTIVATION], cell);
        }
}

/* in: dy, the recurrent kernel, what is known; out: dz, and dh and dc of the step before. */
static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    const Attr *activation = &op->attributes[ACTIVATION], *gate = &op->attributes[RECURRENT_ACTIVATION];
    for (int64_t i = 0; i < 2 * s.units; i++) out[1][i] = 0;
    for (int64_t t = s.steps - 1; t >= 0; t--) {
        double *dz = out[0] + t * s.columns, *dc = out[1] + s.units;
        for (int64_t u = 0; u < s.units; u++) {
            const double *known = in[2] + t * KNOWN * s.units + u;
            double i = known[0], f = known[FORGET * s.units], g = known[CANDIDATE * s.units], o = known[OUT * s.units];
            double squashed = activate(activation, known[CELL * s.units]), before = t ? known[(CELL - KNOWN) * s.units] : 0;
            double dh = in[0][t * s.units + u] + out[1][u];
            dc[u] += activate_grad(activation, dh * o, squashed);
            dz[u] = activate_grad(gate, dc[u] * g, i);
            dz[FORGET * s.units + u] = activate_grad(gate, dc[u] * before, f);
            dz[CANDIDATE * s.units + u] = activate_grad(activation, dc[u] * i, g);
            dz[OUT * s.units + u] = activate_grad(gate, dh * squashed, o);
            dc[u] *= f;
        }
        for (int64_t u = 0; u < s.units; u++) out[1][u] = state_product_grad(&s, dz, in[1], u);
    }
}

const OpDef op_lstm = {
    .call = {"lstm", "long short-term memory", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "LSTM", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "recurrent.lstm", .bind = bind_steps, .flops = steps_flops,
    .equation = "i, f, g, o = activations(z[t] + h[t-1] recurrent_kernel);  c[t] = f * c[t-1] + i * g;  h[t] = o * activation(c[t])",
};
const OpDef op_lstm_grad = {
    .call = {"lstm_grad", "gradient of lstm in z", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad,
    .plain = "recurrent.lstm_grad", .bind = bind_steps, .flops = steps_flops,
    .equation = "dh = dy[t] + dz[t+1] recurrent_kernel^T;  dc = activation'(c[t]) * o * dh + f[t+1] * dc[t+1];  dz[t] = activations'(i, f, g, o) * ...",
};
