/* reshape.c: the same elements in another shape, of which -1 stands for what is left. Only a change of view: nothing is computed. */
#include "ops.h"

#include <string.h>

static const AttrDef attributes[] = {
    {"target_shape", ATTR_SIZE, NULL, -1, 1 << 30, 0, NULL, NULL, true, "of one example, 7x7x64 say; a part of -1 is what is left"},
};

/* Where `rest` stands in the shape, -1: nowhere; false after an error. */
static bool find_rest(Graph *g, const Attr *a, int *rest) {
    *rest = -1;
    for (int i = 0; i < a->rank; i++) {
        if (a->size[i] > 0) continue;
        if (a->size[i] == 0 || *rest >= 0) {
            error(g->diag, a->loc, a->size[i] ? "only one part of a shape can be -1" : "a part of a shape is zero");
            return false;
        }
        *rest = i;
    }
    return true;
}

static bool infer(Graph *g, Op *op) {
    const Attr *a = &op->attributes[0];
    Shape x = op->inputs[0]->shape, y = shape_of(a->rank, a->size);
    int rest;
    if (!find_rest(g, a, &rest)) return false;
    if (rest >= 0) y.dim[rest] = 1;
    int64_t have = shape_count(x), want = shape_count(y);
    if (rest >= 0 && have % want == 0) y.dim[rest] = (int)(have / want), want = have;
    if (want != have) {
        if (rest >= 0) error(g->diag, a->loc, "the %lld elements of %s do not divide by %lld", (long long)have, shape_text(g->arena, x), (long long)want);
        else error(g->diag, a->loc, "%s has %lld elements, its input %s has %lld", shape_text(g->arena, y), (long long)want, shape_text(g->arena, x), (long long)have);
        note_shape(g, op->inputs[0]);
        return false;
    }
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "reshape", y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_flatten_grad, op, (Tensor *[]){dy}, 1));
}

static void evaluate(const Op *op, double *const *in, double *const *out) {
    memcpy(out[0], in[0], sizeof(double) * (size_t)shape_count(op->outputs[0]->shape));
}

const OpDef op_reshape = {
    .call = {"reshape", "the input in another shape", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Reshape", .min_inputs = 1, .max_inputs = 1,
    .view = true, .infer = infer, .gradient = gradient, .evaluate = evaluate, .equation = "y = x in another shape",
};
