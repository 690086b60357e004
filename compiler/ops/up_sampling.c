/* up_sampling.c: each pixel or step several times; a vector several times. */
#include "ops.h"

#include <string.h>

static const AttrDef size2d[] = {
    {"size", ATTR_SIZE, "2", 1, 1 << 15, 2, NULL, NULL, true, "how often rows and columns are repeated"},
    {"interpolation", ATTR_WORD, "nearest", 0, 0, 0, "nearest|bilinear", NULL, false, "nearest: pixels are repeated; bilinear: there are means between them"},
};
static const AttrDef size1d[] = {{"size", ATTR_INT, "2", 1, 1 << 15, 0, NULL, NULL, true, "how often each step is repeated"}};
static const AttrDef times[] = {{"n", ATTR_INT, NULL, 1, 1 << 24, 0, NULL, NULL, true, "how often"}};

static bool is_2d(const Op *op) { return op->def == &op_up_sampling2d || op->def == &op_up_sampling_bilinear; }

/* How often an axis is repeated, element by element. */
static int factor(const Op *op, int axis) {
    if (is_2d(op)) return axis < 2 ? op->attributes[0].size[axis] : 1;
    return axis < 1 ? attr_int(&op->attributes[0]) : 1;
}

static bool infer(Graph *g, Op *op) {
    if (!check_rank(g, op, is_2d(op) ? 3 : 2)) return false;
    Shape y = op->inputs[0]->shape;
    for (int i = 0; i < y.rank; i++) {
        if ((int64_t)y.dim[i] * factor(op, i) > INT32_MAX) {
            error(g->diag, op->attributes[0].loc, "%d times %d is beyond what cnnc takes", factor(op, i), y.dim[i]);
            return false;
        }
        y.dim[i] *= factor(op, i);
    }
    op->outputs[op->output_count++] = new_tensor(g, op->layer, op->def->call.name, y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_repeat(Graph *g, Op *op) {
    if (!check_rank(g, op, 1)) return false;
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "repeat_vector", shape2(attr_int(&op->attributes[0]), op->inputs[0]->shape.dim[0]), TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_up_sampling_grad, op, (Tensor *[]){dy}, 1));
}

/* Along each axis of the output the elements of the input, the repetitions of each innermost. */
static Walk walk_of(const Op *op) {
    Shape x = op->inputs[0]->shape, y = op->outputs[0]->shape;
    Walk w = {0};
    if (op->def == &op_repeat_vector) add_axis(&w, y.dim[0], 0, y.dim[1]), add_axis(&w, y.dim[1], 1, 1);
    else
        for (int i = 0; i < x.rank; i++) {
            add_axis(&w, x.dim[i], stride_of(x, i), factor(op, i) * stride_of(y, i));
            if (factor(op, i) > 1) add_axis(&w, factor(op, i), 0, stride_of(y, i));
        }
    return w;
}

WALK(walk_of)
WALK_BACK(walk_of)

/* ---- bilinear --------------------------------------------------------------------------------------------------------- */

/* Row or column i of the output lies between two of the input, `part` of the way from the first to the second; at the border they are one. */
typedef struct Between { int first, second; double part; } Between;
static Between between(int i, int factor, int n) {
    double at = (i + 0.5) / factor - 0.5;
    int first = (int)at;
    return at < 0 ? (Between){0, 0, 0} : (Between){first, first + 1 < n ? first + 1 : first, at - first};
}

/* How much each pixel of the input is of each of the output. */
static void each_share(const Op *forward, void (*visit)(size_t x, size_t y, double share, const double *in, double *out), const double *in, double *out) {
    Shape x = forward->inputs[0]->shape, y = forward->outputs[0]->shape;
    const int *size = forward->attributes[0].size;
    for (int h = 0; h < y.dim[0]; h++)
        for (int v = 0; v < y.dim[1]; v++)
            for (int corner = 0; corner < 4; corner++) {
                Between rows = between(h, size[0], x.dim[0]), columns = between(v, size[1], x.dim[1]);
                int row = corner / 2 ? rows.second : rows.first, column = corner % 2 ? columns.second : columns.first;
                double share = (corner / 2 ? rows.part : 1 - rows.part) * (corner % 2 ? columns.part : 1 - columns.part);
                for (int c = 0; c < x.dim[2]; c++)
                    visit(((size_t)row * (size_t)x.dim[1] + (size_t)column) * (size_t)x.dim[2] + (size_t)c,
                          ((size_t)h * (size_t)y.dim[1] + (size_t)v) * (size_t)x.dim[2] + (size_t)c, share, in, out);
            }
}

static void to_output(size_t x, size_t y, double share, const double *in, double *out) { out[y] += share * in[x]; }
static void to_input(size_t x, size_t y, double share, const double *in, double *out) { out[x] += share * in[y]; }

static void evaluate_bilinear(const Op *op, double *const *in, double *const *out) {
    for (int64_t i = 0; i < shape_count(op->outputs[0]->shape); i++) out[0][i] = 0;
    each_share(op->forward ? op->forward : op, op->forward ? to_input : to_output, in[0], out[0]);
}

static void gradient_bilinear(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_up_sampling_bilinear_grad, op, (Tensor *[]){dy}, 1));
}

static void bind_bilinear(const Op *op, Bindings *b) {
    const Op *forward = op->forward ? op->forward : op;
    Shape x = forward->inputs[0]->shape;
    const struct { const char *name; int value; } integers[] = {{"H", x.dim[0]}, {"W", x.dim[1]}, {"C", x.dim[2]}, {"SH", forward->attributes[0].size[0]}, {"SW", forward->attributes[0].size[1]}};
    for (int i = 0; i < LENGTH(integers); i++) bind_int(b, integers[i].name, integers[i].value);
}

static double flops_bilinear(const Op *op) { return 6.0 * (double)shape_count((op->forward ? op->forward : op)->outputs[0]->shape); }

static Tensor *layer(Graph *g, Layer *l) {
    return add_op(g, strcmp(l->attributes[1].word, "bilinear") ? &op_up_sampling2d : &op_up_sampling_bilinear, l, l->attributes, l->inputs, 1);
}

#define REPEATED(name, doc, table, class) \
    .call = {name, doc, ATTRIBUTES(table), NULL}, .kind = OP_LAYER, .keras = class, .min_inputs = 1, .max_inputs = 1, .gradient = gradient, WALK_DEFS

const OpDef op_up_sampling2d = {REPEATED("up_sampling2d", "rows and columns repeated", size2d, "UpSampling2D"), .layer = layer, .infer = infer, .equation = "y[h][w] = x[h / size][w / size]"};
const OpDef op_up_sampling1d = {REPEATED("up_sampling1d", "steps repeated", size1d, "UpSampling1D"), .infer = infer, .equation = "y[t] = x[t / size]"};
const OpDef op_repeat_vector = {REPEATED("repeat_vector", "a vector repeated", times, "RepeatVector"), .infer = infer_repeat, .equation = "y[t] = x"};
const OpDef op_up_sampling_grad = {
    .call = {"up_sampling_grad", "gradient of up_sampling", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input, WALK_BACK_DEFS,
    .equation = "dx = sums of dy",
};
const OpDef op_up_sampling_bilinear = {
    .call = {"up_sampling_bilinear", "up_sampling2d with means in between", ATTRIBUTES(size2d), NULL}, .kind = OP_INTERNAL, .infer = infer, .gradient = gradient_bilinear,
    .evaluate = evaluate_bilinear, .plain = "bilinear.forward", .bind = bind_bilinear, .flops = flops_bilinear, .equation = "y[h][w] = means of four neighbours in x",
};
const OpDef op_up_sampling_bilinear_grad = {
    .call = {"up_sampling_bilinear_grad", "gradient of up_sampling_bilinear", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_bilinear, .plain = "bilinear.grad", .bind = bind_bilinear, .flops = flops_bilinear, .equation = "dx = shares of dy",
};
