/* dense.c: y[r][o] = sum over i of x[r][i] * kernel[i][o], on the last axis; rows r are all the axes before it. */
#include "ops.h"

enum { UNITS, ACTIVATION, USE_BIAS, KERNEL_INITIALIZER, BIAS_INITIALIZER };

static const AttrDef attributes[] = {
    {"units", ATTR_INT, NULL, 1, 1 << 24, 0, NULL, NULL, true, "number of outputs"},
    KERNEL_LAYER_DEFS,
};

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    int in = last_dim(l->inputs[0]->shape), units = attr_int(&a[UNITS]);
    Tensor *kernel = layer_parameter(g, l, "kernel", shape2(in, units), &a[KERNEL_INITIALIZER], in, units);
    if (!kernel) return NULL;
    Tensor *y = add_op(g, &op_dense, l, l->attributes, (Tensor *[]){l->inputs[0], kernel}, 2);
    return bias_and_activation(g, l, y, &a[USE_BIAS], &a[BIAS_INITIALIZER], &a[ACTIVATION]);
}

static bool infer(Graph *g, Op *op) {
    Shape y = op->inputs[0]->shape;
    y.dim[y.rank - 1] = last_dim(op->inputs[1]->shape);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "dense", y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_grad_kernel(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "kernel_grad", op->forward->inputs[1]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *kernel = op->inputs[1];
    if (wants_gradient(kernel)) add_gradient(g, kernel, add_gradient_op(g, &op_dense_grad_kernel, op, (Tensor *[]){x, dy}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_dense_grad_input, op, (Tensor *[]){dy, kernel}, 2));
}

typedef struct Size { int64_t rows, in, out; } Size;
static Size size_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    Shape x = forward->inputs[0]->shape;
    return (Size){row_count(x), last_dim(x), last_dim(forward->outputs[0]->shape)};
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t o = 0; o < s.out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < s.in; i++) sum += in[0][r * s.in + i] * in[1][i * s.out + o];
            out[0][r * s.out + o] = sum;
        }
}

static void evaluate_grad_input(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t i = 0; i < s.in; i++) {
            double sum = 0;
            for (int64_t o = 0; o < s.out; o++) sum += in[0][r * s.out + o] * in[1][i * s.out + o];
            out[0][r * s.in + i] = sum;
        }
}

static void evaluate_grad_kernel(const Op *op, double *const *in, double *const *out) {
    Size s = size_of(op);
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t i = 0; i < s.in; i++)
            for (int64_t o = 0; o < s.out; o++) out[0][i * s.out + o] += in[0][r * s.in + i] * in[1][r * s.out + o];
}

static void bind(const Op *op, Bindings *b) {
    Size s = size_of(op);
    bind_int(b, "ROWS", s.rows);
    bind_int(b, "I", s.in);
    bind_int(b, "O", s.out);
}

static double flops(const Op *op) {
    Size s = size_of(op);
    return 2.0 * (double)s.rows * (double)s.in * (double)s.out;
}

const OpDef op_dense = {
    .call = {"dense", "fully connected layer on the last axis", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Dense", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .kernel_by_channel = true, .gradient = gradient, .evaluate = evaluate, .plain = "dense.forward", .bind = bind, .flops = flops,
    .equation = "y[r][o] = sum x[r][i] * kernel[i][o]",
};
const OpDef op_dense_grad_input = {
    .call = {"dense_grad_input", "gradient of dense in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad_input, .plain = "dense.grad_input", .bind = bind, .flops = flops,
    .equation = "dx[r][i] = sum dy[r][o] * kernel[i][o]",
};
const OpDef op_dense_grad_kernel = {
    .call = {"dense_grad_kernel", "gradient of dense in its kernel", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad_kernel, .accumulates = true,
    .evaluate = evaluate_grad_kernel, .plain = "dense.grad_kernel", .bind = bind, .flops = flops,
    .equation = "dkernel[i][o] += x[r][i] * dy[r][o]",
};
