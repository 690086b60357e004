/* gru.c: with x[t] = inputs kernel + bias[0] and s[t] = h[t-1] recurrent_kernel + bias[1], both in three parts, the gates z and r
 * by the recurrent activation of x + s; the candidate g = activation(x + r s); h[t] = z h[t-1] + (1 - z) g. That is Keras's
 * reset_after=true: the reset gate r applies to the product. The gradient wants to know z, r, g and the last part of s of each step. */
#include "recurrent.h"

enum { Z, R, CANDIDATE, S, KNOWN };

static const AttrDef attributes[] = {RECURRENT_DEFS, RECURRENT_ACTIVATION_DEF, RECURRENT_WEIGHT_DEFS};

static Tensor *layer(Graph *g, Layer *l) {
    const Cell cell = {"gru_cell", &op_gru, 3, 2, NULL};
    return recurrent_layer(g, l, &cell);
}

static bool infer(Graph *g, Op *op) { return infer_steps(g, op, KNOWN); }
static bool infer_grad(Graph *g, Op *op) { return infer_steps_grad(g, op, 2, 1); }

static bool infer_bias_grad(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "bias_grad", op->forward->inputs[2]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *dx = add_gradient_op(g, &op_gru_grad, op, (Tensor *[]){dy, op->inputs[1], op->outputs[1], op->outputs[0]}, 4), *ds = dx->producer->outputs[1];
    Tensor *bias = op->input_count > 2 ? op->inputs[2] : NULL;
    if (bias && wants_gradient(bias)) add_gradient(g, bias, add_gradient_op(g, &op_gru_bias_grad, op, (Tensor *[]){dx, ds}, 2));
    recurrent_gradients(g, op, dx, ds);
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    for (int64_t t = 0; t < s.steps; t++)
        for (int64_t u = 0; u < s.units; u++) {
            double x[3], state[3], *known = out[1] + t * KNOWN * s.units + u, *h = out[0] + t * s.units + u;
            for (int64_t k = 0; k < 3; k++) {
                int64_t column = k * s.units + u;
                x[k] = in[0][t * s.columns + column] + (op->input_count > 2 ? in[2][column] : 0);
                state[k] = (t ? state_product(&s, h - u - s.units, in[1], column) : 0) + (op->input_count > 2 ? in[2][s.columns + column] : 0);
            }
            double z = known[0] = activate(&op->attributes[RECURRENT_ACTIVATION], x[Z] + state[Z]);
            double r = known[R * s.units] = activate(&op->attributes[RECURRENT_ACTIVATION], x[R] + state[R]);
            double g = known[CANDIDATE * s.units] = activate(&op->attributes[ACTIVATION], x[CANDIDATE] + r * state[CANDIDATE]);
            known[S * s.units] = state[CANDIDATE];
            *h = z * (t ? h[-s.units] : 0) + (1 - z) * g;
        }
}

/* in: dy, the recurrent kernel, what is known, h; out: dx, ds, and dh of the step before. */
static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    const Attr *activation = &op->attributes[ACTIVATION], *gate = &op->attributes[RECURRENT_ACTIVATION];
    for (int64_t u = 0; u < s.units; u++) out[2][u] = 0;
    for (int64_t t = s.steps - 1; t >= 0; t--) {
        double *dx = out[0] + t * s.columns, *ds = out[1] + t * s.columns;
        for (int64_t u = 0; u < s.units; u++) {
            const double *known = in[2] + t * KNOWN * s.units + u, *h = in[3] + t * s.units + u;
            double z = known[0], r = known[R * s.units], g = known[CANDIDATE * s.units], dh = in[0][t * s.units + u] + out[2][u];
            double dg = activate_grad(activation, dh * (1 - z), g);
            ds[u] = dx[u] = activate_grad(gate, dh * ((t ? h[-s.units] : 0) - g), z);
            ds[R * s.units + u] = dx[R * s.units + u] = activate_grad(gate, dg * known[S * s.units], r);
            dx[CANDIDATE * s.units + u] = dg;
            ds[CANDIDATE * s.units + u] = dg * r;
            out[2][u] = dh * z;
        }
        for (int64_t u = 0; u < s.units; u++) out[2][u] += state_product_grad(&s, ds, in[1], u);
    }
}

static void evaluate_bias_grad(const Op *op, double *const *in, double *const *out) {
    Steps s = steps_of(op);
    for (int64_t t = 0; t < s.steps; t++)
        for (int64_t k = 0; k < s.columns; k++) {
            out[0][k] += in[0][t * s.columns + k];
            out[0][s.columns + k] += in[1][t * s.columns + k];
        }
}

static void bind(const Op *op, Bindings *b) {
    bind_steps(op, b);
    bind_int(b, "biased", op->input_count > 2);
}

const OpDef op_gru = {
    .call = {"gru", "gated recurrent unit", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "GRU", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "recurrent.gru", .bind = bind, .flops = steps_flops,
    .equation = "s = h[t-1] recurrent_kernel;  z, r = activations(x + s);  g = activation(x + r * s);  h[t] = z * h[t-1] + (1 - z) * g",
};
const OpDef op_gru_grad = {
    .call = {"gru_grad", "gradient of gru in x and s", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad,
    .plain = "recurrent.gru_grad", .bind = bind_steps, .flops = steps_flops,
    .equation = "dh = dy[t] + z[t+1] * dh[t+1] + ds[t+1] recurrent_kernel^T;  dx[t], ds[t] = activations'(z, r, g) * ...",
};
const OpDef op_gru_bias_grad = {
    .call = {"gru_bias_grad", "gradient of gru in its bias", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_bias_grad, .accumulates = true,
    .evaluate = evaluate_bias_grad, .plain = "recurrent.gru_bias_grad", .bind = bind_steps, .equation = "dbias[0] += sum dx[t];  dbias[1] += sum ds[t]",
};
