/* input.c: the caller's arrays become tensors (y = x * scale + offset, as Keras's Rescaling) and tensors the caller's. */
#include "ops.h"

#include <string.h>

enum { SHAPE, TYPE, SCALE, OFFSET, VOCABULARY };

static const AttrDef attributes[] = {
    {"shape", ATTR_SIZE, NULL, 1, 1 << 24, 0, NULL, NULL, true, "of one example, 28x28x1 say"},
    {"type", ATTR_WORD, "f32", 0, 0, 0, "f32|u8", NULL, false, "of the caller's elements"},
    {"scale", ATTR_REAL, "1", 0, 0, 0, NULL, NULL, false, "elements are multiplied by it"},
    {"offset", ATTR_REAL, "0", 0, 0, 0, NULL, NULL, false, "and this is added"},
    {"vocabulary", ATTR_INT, "", 1, 1 << 30, 0, NULL, NULL, false, "elements are tokens, integers from 0 to this less one, for an embedding"},
};

/* Tokens are what they are: the caller's integers, which no op copies. */
static Tensor *tokens(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    for (int i = TYPE; i <= OFFSET; i++) {
        if (!a[i].given) continue;
        error(g->diag, a[i].loc, "tokens have no '%s'", attributes[i].name);
        hint(g->diag, "with a vocabulary elements are integers of 32 bits, which choose vectors of an embedding");
        return NULL;
    }
    Tensor *x = new_tensor(g, l, "x", shape_of(a[SHAPE].rank, a[SHAPE].size), TYPE_I32, ROLE_INPUT);
    x->classes = attr_int(&a[VOCABULARY]);
    return x;
}

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    Type type = strcmp(a[TYPE].word, "u8") ? TYPE_REAL : TYPE_U8;
    Tensor *x = a[VOCABULARY].present ? tokens(g, l) : new_tensor(g, l, "x", shape_of(a[SHAPE].rank, a[SHAPE].size), type, ROLE_INPUT);
    if (!x) return NULL;
    x->index = g->input_count;
    *PUSH(g->arena, g->inputs, g->input_count) = x;
    return x->type == TYPE_I32 ? x : add_op(g, &op_input, l, l->attributes, (Tensor *[]){x}, 1);
}

static bool infer_external(Graph *g, Op *op, Role role, int index) {
    Tensor *y = new_tensor(g, op->layer, op->def->call.name, op->inputs[0]->shape, TYPE_REAL, role);
    y->index = index;
    op->outputs[op->output_count++] = y;
    return true;
}
static bool infer_grad(Graph *g, Op *op) { return infer_external(g, op, ROLE_INPUT_GRADIENT, op->forward->inputs[0]->index); }
static bool infer_output(Graph *g, Op *op) { return infer_external(g, op, ROLE_OUTPUT, g->output_count); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_input_grad, op, (Tensor *[]){dy}, 1));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * op->attributes[SCALE].real + op->attributes[OFFSET].real;
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = in[0][i] * op->attributes[SCALE].real;
}

static void evaluate_copy(const Op *op, double *const *in, double *const *out) {
    memcpy(out[0], in[0], sizeof(double) * (size_t)shape_count(op->outputs[0]->shape));
}

static bool is_copied(const Op *op) { return op->inputs[0]->type == TYPE_REAL && op->attributes[SCALE].real == 1 && op->attributes[OFFSET].real == 0; }
static bool is_real(const Op *op) { return op->inputs[0]->type == TYPE_REAL; }
static bool is_always_copied(const Op *op) { return (void)op, true; }

static void affine(const Op *op, const double *const *in, double *scale, double *shift) {
    (void)in, *scale = op->attributes[SCALE].real, *shift = op->attributes[OFFSET].real;
}

static void bind_scaling(const Op *op, Bindings *b, double scale, double offset) {
    bind_int(b, "N", shape_count(op->outputs[0]->shape));
    bind_int(b, "bytes", op->inputs[0]->type == TYPE_U8);
    bind_int(b, "scaled", scale != 1 || offset != 0);
    bind_int(b, "shifted", offset != 0);
    bind_real(b, "scale", scale);
    bind_real(b, "offset", offset);
    bind_optional(b, "scale");
    bind_optional(b, "offset");
    bind_optional(b, "shifted");
}
static void bind(const Op *op, Bindings *b) { bind_scaling(op, b, op->attributes[SCALE].real, op->attributes[OFFSET].real); }
static void bind_grad(const Op *op, Bindings *b) { bind_scaling(op, b, op->attributes[SCALE].real, 0); }
static void bind_copy(const Op *op, Bindings *b) { bind_scaling(op, b, 1, 0); }

const OpDef op_input = {
    .call = {"input", "what the network is given", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "InputLayer", .layer = layer,
    .infer = infer_like_input, .gradient = gradient, .evaluate = evaluate, .affine = affine, .copies = is_copied, .plain = "input.copy", .bind = bind, .equation = "y = x * scale + offset",
};
const OpDef op_input_as_it_is = {
    .call = {"input_as_it_is", "the input without its scale and offset", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_input, .evaluate = evaluate_copy,
    .copies = is_real, .plain = "input.copy", .bind = bind_copy, .equation = "y = x",
};
const OpDef op_input_grad = {
    .call = {"input_grad", "gradient in the input as given", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .evaluate = evaluate_grad,
    .plain = "input.copy", .bind = bind_grad, .equation = "dx = dy * scale",
};
const OpDef op_output = {
    .call = {"output", "what the network gives", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_output, .evaluate = evaluate_copy, .copies = is_always_copied,
    .plain = "input.copy", .bind = bind_copy, .equation = "output = y",
};
