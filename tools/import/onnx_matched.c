/* onnx_matched.c: what onnx_match.c found several nodes to be, as the Model has it. */
#include "onnx.h"

#include <math.h>
#include <string.h>

/* Without the rows of zeros around its table. */
static bool matched_embedding(Onnx *o, const OnnxNode *n) {
    Numbers table = *constant_input(o, n, 0);
    size_t length = (size_t)table.dims[1];
    table.dims[0] -= 2, table.count -= 2 * length, table.reals += length;
    return embed(o, n, &table, n->match->input);
}

static View *matched_relu(Onnx *o, const OnnxNode *n, const View *x) {
    const Match *m = n->match;
    View *y = apply(o, n, x, "relu");
    if (y && isfinite(m->most)) set_real(o, y->node, "max_value", m->most);
    if (y && m->slope > 0) set_real(o, y->node, "negative_slope", m->slope);
    if (y && m->a > 0) set_real(o, y->node, "threshold", m->a);
    return y;
}

bool convert_match(Onnx *o, const OnnxNode *n) {
    const Match *m = n->match;
    const Edge *from = &o->values[m->input];
    if (from->constant) return refuse(o, n, "of a constant is not computed");
    if (!from->view) return false;
    if (!strcmp(m->word, "embedding")) return matched_embedding(o, n);
    if (!is_real_type(from->type)) return refuse(o, n, "computes with integers");
    const View *x = from->view;
    if (!strcmp(m->word, "relu")) return set_view(o, n, 0, matched_relu(o, n, x));
    if (!strcmp(m->word, "layer_normalization")) return set_view(o, n, 0, matched_layer_normalization(o, n, x));
    if (!strstr(m->word, "softmax")) return set_view(o, n, 0, apply(o, n, x, m->word));
    int axis = normal_axis(m->axis, x->rank);
    return axis < 0 ? refuse(o, n, "has no such axis") : set_view(o, n, 0, softmax(o, n, x, axis, false, m->word));
}
