/* fold.c: known weights take factors and terms in, in double precision, and these cost nothing: what multiplies and adds by channel (a
 * normalization that predicts) directly behind a convolution or dense layer, and the scale and offset of an input that one of them reads.
 *
 *   (x kernel + bias) * scale + shift  ->  x (kernel * scale) + (bias * scale + shift)
 *   (x * scale + offset) kernel + bias ->  x (kernel * scale) + (bias + offset * sum of the kernel) */
#include "ops/ops.h"

/* The numbers of both vectors; false where not all that they come from is known. */
static bool find_numbers(Graph *g, const Op *op, double **scale, double **shift) {
    const double **in = NEW_ARRAY(g->arena, const double *, op->input_count);
    int channels = last_dim(op->outputs[0]->shape);
    for (int i = 1; i < op->input_count; i++)
        if (!(in[i] = op->inputs[i]->values)) return false;
    *scale = NEW_ARRAY(g->arena, double, channels), *shift = NEW_ARRAY(g->arena, double, channels);
    op->def->affine(op, in, *scale, *shift);
    return true;
}

/* A parameter with other numbers than the file's: values (NULL: none) * scale + shift (NULL: none), the last of its axes being the channels. */
static Tensor *changed(Graph *g, Layer *layer, const char *suffix, Shape shape, int channels, const double *values, const double *scale, const double *shift) {
    Tensor *t = new_tensor(g, layer, suffix, shape, TYPE_REAL, ROLE_PARAMETER);
    double *to = NEW_ARRAY(g->arena, double, shape_count(shape));
    for (int64_t i = 0; i < shape_count(shape); i++) to[i] = (values ? values[i] * scale[i % channels] : 0) + (shift ? shift[i % channels] : 0);
    t->values = to, t->weight = suffix;
    return t;
}

static void drop(Graph *g, const Op *gone) {
    int kept = 0;
    for (int i = 0; i < g->op_count; i++) {
        if (g->ops[i] == gone) continue;
        g->ops[i]->id = kept;
        g->ops[kept++] = g->ops[i];
    }
    g->op_count = kept;
}

/* Whether the op is gone. */
static bool fold_op(Graph *g, Op *op) {
    double *scale, *shift;
    Op *before = op->def->affine ? op->inputs[0]->producer : NULL, *bias = before && before->def == &op_bias_add ? before : NULL;
    Op *linear = bias ? bias->inputs[0]->producer : before;
    if (!linear || !linear->def->kernel_by_channel || reader_count(g, linear->outputs[0]) != 1 || reader_count(g, before->outputs[0]) != 1) return false;
    Tensor *kernel = linear->inputs[1], *old = bias ? bias->inputs[1] : NULL;
    int channels = last_dim(linear->outputs[0]->shape);
    if (!kernel->values || (old && !old->values) || !find_numbers(g, op, &scale, &shift)) return false;
    linear->inputs[1] = changed(g, linear->layer, "kernel_folded", kernel->shape, channels, kernel->values, scale, NULL);
    Tensor *term = changed(g, linear->layer, "bias_folded", shape1(channels), channels, old ? old->values : NULL, scale, shift);
    if (!bias) { /* the op itself becomes one */
        *op = (Op){.id = op->id, .def = &op_bias_add, .inputs = op->inputs, .outputs = op->outputs, .input_count = 2, .output_count = 1, .layer = op->layer};
        op->inputs[1] = term;
        return false;
    }
    bias->inputs[1] = term;
    bias->outputs[0] = op->outputs[0];
    bias->outputs[0]->producer = bias;
    drop(g, op);
    return true;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------------- */

static void fold_input(Graph *g, Op *op) {
    double scale = 1, shift = 0;
    if (!op->def->affine || op->inputs[0]->role != ROLE_INPUT) return;
    op->def->affine(op, NULL, &scale, &shift);
    Op *linear = only_reader(g, op->outputs[0]);
    while (linear && linear->def->view) linear = only_reader(g, linear->outputs[0]);
    Op *bias = linear ? only_reader(g, linear->outputs[0]) : NULL;
    if ((scale == 1 && shift == 0) || !linear || !linear->def->kernel_by_channel || !linear->inputs[1]->values) return;
    if (shift != 0 && (!bias || bias->def != &op_bias_add || !bias->inputs[1]->values || !reads_no_padding(linear))) return;
    const Tensor *kernel = linear->inputs[1];
    int channels = last_dim(linear->outputs[0]->shape);
    double *scales = NEW_ARRAY(g->arena, double, channels), *ones = NEW_ARRAY(g->arena, double, channels), *sums = NEW_ARRAY(g->arena, double, channels);
    for (int c = 0; c < channels; c++) scales[c] = scale, ones[c] = 1;
    for (int64_t i = 0; i < shape_count(kernel->shape); i++) sums[i % channels] += shift * kernel->values[i];
    linear->inputs[1] = changed(g, linear->layer, "kernel_scaled", kernel->shape, channels, kernel->values, scales, NULL);
    if (shift != 0) bias->inputs[1] = changed(g, linear->layer, "bias_shifted", shape1(channels), channels, bias->inputs[1]->values, ones, sums);
    op->def = &op_input_as_it_is;
}

void fold(Graph *g) {
    for (int i = 0; i < g->op_count;)
        if (!fold_op(g, g->ops[i])) i++;
    for (int i = 0; i < g->op_count; i++) fold_input(g, g->ops[i]);
}
