/* prelu.c: y = x above 0, alpha x below, alpha being trained: one for each element, or for several, those along shared axes. The gradients at
 * 0 are 0. */
#include "ops.h"

enum { SHARED_AXES, ALPHA_INITIALIZER };

static const AttrDef attributes[] = {
    {"shared_axes", ATTR_SIZE, "", 1, MAX_RANK, 0, NULL, NULL, false, "axes along which all have the same alpha, the batch being 0: 1,2"},
    {"alpha_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how alpha starts"},
    ATTR_TRAINABLE_DEF,
    WEIGHT_OPTION_DEFS("alpha"),
};

/* False after an error. */
static bool alpha_shape(Graph *g, const Attr *shared, Shape x, Shape *alpha) {
    *alpha = x;
    for (int i = 0; shared->present && i < shared->rank; i++) {
        if (shared->size[i] > x.rank) {
            error(g->diag, shared->loc, "there is no axis %d to share alpha along in %s", shared->size[i], shape_text(g->arena, x));
            hint(g->diag, "axis 0 is the batch; 1 to %d are those of an example", x.rank);
            return false;
        }
        alpha->dim[shared->size[i] - 1] = 1;
    }
    return true;
}

static Tensor *layer(Graph *g, Layer *l) {
    Tensor *x = l->inputs[0];
    Shape s;
    if (!alpha_shape(g, &l->attributes[SHARED_AXES], x->shape, &s)) return NULL;
    int spread = 1; /* fans as Keras counts them: the last two axes are those of channels */
    for (int i = 0; i < s.rank - 2; i++) spread *= s.dim[i];
    int in = s.rank > 1 ? spread * s.dim[s.rank - 2] : s.dim[0], out = s.rank > 1 ? spread * last_dim(s) : s.dim[0];
    Tensor *alpha = layer_parameter(g, l, "alpha", s, &l->attributes[ALPHA_INITIALIZER], in, out);
    if (!alpha) return NULL;
    bool channels = shape_count(s) == last_dim(x->shape) && last_dim(s) == last_dim(x->shape);
    return add_op(g, channels ? &op_prelu_channels : &op_prelu, l, l->attributes, (Tensor *[]){x, alpha}, 2);
}

static bool infer_grad_alpha(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "alpha_grad", op->forward->inputs[1]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *alpha = op->inputs[1];
    if (wants_gradient(alpha)) add_gradient(g, alpha, add_gradient_op(g, &op_prelu_grad_alpha, op, (Tensor *[]){dy, x}, 2));
    if (wants_gradient(x)) add_gradient(g, x, add_gradient_op(g, &op_prelu_grad_input, op, (Tensor *[]){dy, x, alpha}, 3));
}

/* From the elements of x to those of alpha. */
static Walk walk_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    Shape x = forward->inputs[0]->shape, alpha = forward->inputs[1]->shape;
    Walk w = {0};
    for (int i = 0; i < x.rank; i++) add_axis(&w, x.dim[i], stride_of(x, i), alpha.dim[i] == 1 ? 0 : stride_of(alpha, i));
    return w;
}

static int64_t alpha_at(const Walk *w, int64_t x) {
    int64_t at = 0;
    for (int i = w->rank - 1; i >= 0; x /= w->n[i--]) at += x % w->n[i] * w->to[i];
    return at;
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Walk w = walk_of(op);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] > 0 ? in[0][i] : in[0][i] * in[1][alpha_at(&w, i)];
}

static void evaluate_grad_input(const Op *op, double *const *in, double *const *out) {
    Walk w = walk_of(op);
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++)
        out[0][i] = in[1][i] > 0 ? in[0][i] : in[1][i] < 0 ? in[0][i] * in[2][alpha_at(&w, i)] : 0;
}

static void evaluate_grad_alpha(const Op *op, double *const *in, double *const *out) {
    Walk w = walk_of(op);
    for (int64_t i = 0; i < shape_count(op->inputs[0]->shape); i++) out[0][alpha_at(&w, i)] += in[1][i] < 0 ? in[0][i] * in[1][i] : 0;
}

static void bind(const Op *op, Bindings *b) {
    Walk w = walk_of(op);
    bind_axes(&w, b);
}

static double flops(const Op *op) { return (double)shape_count(op->inputs[0]->shape); }

#define VALUE .infer = infer_like_input, .same_size = true, .channelwise = 1 << 1, .gradient = gradient, .evaluate = evaluate, .equation = "y = x > 0 ? x : alpha * x"

const OpDef op_prelu = {
    .call = {"prelu", "x above 0, alpha x below, alpha being trained", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "PReLU", .min_inputs = 1,
    .max_inputs = 1, .layer = layer, VALUE, .plain = "prelu.forward", .bind = bind, .flops = flops,
};
const OpDef op_prelu_channels = {
    .call = {"prelu_channels", "prelu with an alpha for each channel", ATTRIBUTES(attributes), NULL}, .kind = OP_INTERNAL, VALUE,
    .expression = "${V}_where_greater(${a}, ${V}_zero(), ${a}, ${a} * ${b})",
};
const OpDef op_prelu_grad_input = {
    .call = {"prelu_grad_input", "gradient of prelu in its input", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad_input, .plain = "prelu.grad_input", .bind = bind, .flops = flops, .equation = "dx = x > 0 ? dy : x < 0 ? alpha * dy : 0",
};
const OpDef op_prelu_grad_alpha = {
    .call = {"prelu_grad_alpha", "gradient of prelu in alpha", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad_alpha, .accumulates = true,
    .evaluate = evaluate_grad_alpha, .plain = "prelu.grad_alpha", .bind = bind, .flops = flops, .equation = "dalpha += x < 0 ? x * dy : 0",
};
