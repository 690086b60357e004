/* simple_rnn.c: h[t] = activation(z[t] + h[t-1] recurrent_kernel), z being x kernel + bias. */
#include "recurrent.h"

static const AttrDef attributes[] = {RECURRENT_DEFS, RECURRENT_WEIGHT_DEFS};

static Tensor *layer(Graph *g, Layer *l) {
    const Cell cell = {"simple_rnn_cell", &op_simple_rnn, 1, 1, NULL};
    return recurrent_layer(g, l, &cell);
}

static bool infer(Graph *g, Op *op) { return infer_steps(g, op, 0); }
static bool infer_grad(Graph *g, Op *op) { return infer_steps_grad(g, op, 1, 1); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *dz = add_gradient_op(g, &op_simple_rnn_grad, op, (Tensor *[]){dy, op->inputs[1], op->outputs[0]}, 3);
    recurrent_gradients(g, op, dz, dz);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    for (int64_t t = 0; t < s.steps; t++)
        for (int64_t u = 0; u < s.units; u++) {
            double z = in[0][t * s.units + u] + (t ? state_product(&s, out[0] + (t - 1) * s.units, in[1], u) : 0);
            out[0][t * s.units + u] = activate(&op->attributes[ACTIVATION], z);
        }
}

/* in: dy, the recurrent kernel, h; out: dz, and dh of the step before. */
static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    for (int64_t t = s.steps - 1; t >= 0; t--) {
        double *dz = out[0] + t * s.units;
        for (int64_t u = 0; u < s.units; u++) {
            double dh = in[0][t * s.units + u] + (t < s.steps - 1 ? out[1][u] : 0);
            dz[u] = activate_grad(&op->attributes[ACTIVATION], dh, in[2][t * s.units + u]);
        }
        for (int64_t u = 0; u < s.units; u++) out[1][u] = state_product_grad(&s, dz, in[1], u);
    }
}

const OpDef op_simple_rnn = {
    .call = {"simple_rnn", "fully connected recurrent layer", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "SimpleRNN", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "recurrent.simple", .bind = bind_steps, .flops = steps_flops,
    .equation = "h[t] = activation(z[t] + h[t-1] recurrent_kernel)",
};
const OpDef op_simple_rnn_grad = {
    .call = {"simple_rnn_grad", "gradient of simple_rnn in z", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad,
    .plain = "recurrent.simple_grad", .bind = bind_steps, .flops = steps_flops, .equation = "dz[t] = activation'(h[t]) * (dy[t] + dz[t+1] recurrent_kernel^T)",
};
