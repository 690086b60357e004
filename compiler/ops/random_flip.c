/* random_flip.c: Keras's RandomFlip: while training every other example or so is mirrored; with both ways at once, both or neither. */
#include "draws.h"

#include <string.h>

enum { MODE, SEED };
static const AttrDef attributes[] = {
    {"mode", ATTR_WORD, "horizontal_and_vertical", 0, 0, 0, "horizontal|vertical|horizontal_and_vertical", NULL, true, "left and right change places, top and bottom, or both at once"},
    SEED_DEF,
};
enum { HALF = 1 << 23 }; /* of 2^24 equally likely numbers */

static Tensor *layer(Graph *g, Layer *l) { return add_op(g, l->def, l, l->attributes, (Tensor *[]){l->inputs[0], key_of(g)}, 2); }
static bool infer(Graph *g, Op *op) { return check_map(g, op) && infer_like_input(g, op); }
static bool flips(const Op *op, const char *way) { return strstr(op->attributes[MODE].word, way) != NULL; }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_random_flip_grad, op, (Tensor *[]){dy, op->inputs[1]}, 2));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Shape s = op->outputs[0]->shape;
    bool flip = cnnc_noise(key_value(in[1]), stream_of(op, &op->attributes[SEED]), 0) < HALF;
    for (int h = 0; h < s.dim[0]; h++)
        for (int v = 0; v < s.dim[1]; v++) {
            int64_t row = flip && flips(op, "vertical") ? s.dim[0] - 1 - h : h, column = flip && flips(op, "horizontal") ? s.dim[1] - 1 - v : v;
            memcpy(out[0] + ((int64_t)h * s.dim[1] + v) * s.dim[2], in[0] + (row * s.dim[1] + column) * s.dim[2], sizeof(double) * (size_t)s.dim[2]);
        }
}

static void bind(const Op *op, Bindings *b) {
    Shape s = op->outputs[0]->shape;
    bind_int(b, "H", s.dim[0]);
    bind_int(b, "W", s.dim[1]);
    bind_int(b, "C", s.dim[2]);
    bind_int(b, "STREAM", stream_of(op, &op->attributes[SEED]));
    bind_int(b, "HALF", HALF);
    bind_int(b, "horizontal", flips(op, "horizontal"));
    bind_int(b, "vertical", flips(op, "vertical"));
    bind_optional(b, "vertical"); /* else it is that one */
}

#define MIRRORS .evaluate = evaluate, .plain = "random_flip", .bind = bind

const OpDef op_random_flip = {
    .call = {"random_flip", "mirrors examples at random while training", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "RandomFlip", .min_inputs = 1, .max_inputs = 1,
    .layer = layer, .infer = infer, .idle = true, .gradient = gradient, MIRRORS, .equation = "y = x, or its mirror image",
};
const OpDef op_random_flip_grad = {
    .call = {"random_flip_grad", "gradient of random_flip", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, MIRRORS, .equation = "dx = dy, or its mirror image",
};
