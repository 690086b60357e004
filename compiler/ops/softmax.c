/* softmax.c: y = exp(x - max x) / sum exp(x - max x) along an axis, and its logarithm. Tensors are seen as [outer][n][inner], the axis being
 * the one of n. */
#include "ops.h"

#include <math.h>

static const AttrDef attributes[] = {{"axis", ATTR_INT, "-1", -MAX_RANK, MAX_RANK, 0, NULL, NULL, false, "along which axis, the batch being 0; -1 is the last"}};

static bool infer_log(Graph *g, Op *op) {
    if (axis_index(&op->attributes[0], op->inputs[0]->shape) < 0) return no_axis(g, &op->attributes[0], op->inputs[0]->shape, "normalize");
    return infer_like_input(g, op);
}

static bool infer(Graph *g, Op *op) {
    if (!infer_log(g, op)) return false;
    Shape s = op->outputs[0]->shape;
    if (s.dim[axis_index(&op->attributes[0], s)] == 1) {
        warning(g->diag, op->layer->loc, "softmax of a single value is 1 whatever the value");
        hint(g->diag, "for two classes write 2 units, or 1 unit with activation=sigmoid and loss=binary_crossentropy");
    }
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_softmax_grad, dy); }
static void gradient_log(Graph *g, Op *op, Tensor *dy) { gradient_from_output(g, op, &op_log_softmax_grad, dy); }

typedef struct Size { int64_t outer, n, inner; } Size;
static Size size_of(const Op *op) {
    Shape s = op->outputs[0]->shape;
    int axis = axis_index(&op->attributes[0], s);
    Size size = {1, s.dim[axis], 1};
    for (int i = 0; i < s.rank; i++) *(i < axis ? &size.outer : &size.inner) *= i == axis ? 1 : s.dim[i];
    return size;
}

/* The elements 0, step, 2 step ... below the end: of one line along the axis. b: the second input's, where there is one. */
typedef void Line(const double *a, const double *b, double *y, int64_t end, int64_t step);
#define ALONG for (int64_t i = 0; i < end; i += step)

static void each_line(const Op *op, double *const *in, double *const *out, Line *line) {
    Size s = size_of(op);
    for (int64_t r = 0; r < s.outer; r++)
        for (int64_t k = 0; k < s.inner; k++) {
            int64_t first = r * s.n * s.inner + k;
            line(in[0] + first, in[op->input_count - 1] + first, out[0] + first, s.n * s.inner, s.inner);
        }
}

static double largest_of(const double *x, int64_t end, int64_t step) {
    double largest = x[0];
    ALONG largest = fmax(largest, x[i]);
    return largest;
}

static void softmax(const double *x, const double *b, double *y, int64_t end, int64_t step) {
    double largest = largest_of(x, end, step), sum = 0;
    ALONG sum += y[i] = exp(x[i] - largest);
    ALONG y[i] /= sum;
    (void)b;
}

static void softmax_grad(const double *dy, const double *y, double *dx, int64_t end, int64_t step) {
    double dot = 0;
    ALONG dot += dy[i] * y[i];
    ALONG dx[i] = y[i] * (dy[i] - dot);
}

static void log_softmax(const double *x, const double *b, double *y, int64_t end, int64_t step) {
    double largest = largest_of(x, end, step), sum = 0;
    ALONG sum += exp(x[i] - largest);
    ALONG y[i] = x[i] - largest - log(sum);
    (void)b;
}

static void log_softmax_grad(const double *dy, const double *y, double *dx, int64_t end, int64_t step) {
    double sum = 0;
    ALONG sum += dy[i];
    ALONG dx[i] = dy[i] - exp(y[i]) * sum;
}

static void evaluate(const Op *op, double *const *in, double *const *out) { each_line(op, in, out, softmax); }
static void evaluate_grad(const Op *op, double *const *in, double *const *out) { each_line(op, in, out, softmax_grad); }
static void evaluate_log(const Op *op, double *const *in, double *const *out) { each_line(op, in, out, log_softmax); }
static void evaluate_log_grad(const Op *op, double *const *in, double *const *out) { each_line(op, in, out, log_softmax_grad); }

static void bind(const Op *op, Bindings *b) {
    Size s = size_of(op);
    bind_int(b, "ROWS", s.outer);
    bind_int(b, "N", s.n);
    bind_int(b, "INNER", s.inner);
}

static double flops(const Op *op) { return 4.0 * (double)shape_count(op->outputs[0]->shape); }

const OpDef op_softmax = {
    .call = {"softmax", "exponentials divided by their sum, along an axis", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Softmax", .min_inputs = 1,
    .max_inputs = 1, .activation = true, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "softmax.forward",
    .bind = bind, .flops = flops, .equation = "y = exp(x - max x) / sum exp(x - max x)",
};
const OpDef op_softmax_grad = {
    ACTIVATION_GRAD("softmax"), .evaluate = evaluate_grad, .plain = "softmax.grad", .bind = bind, .flops = flops, .equation = "dx = y * (dy - sum dy * y)",
};
const OpDef op_log_softmax = {
    .call = {"log_softmax", "the logarithm of softmax", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Activation", .min_inputs = 1,
    .max_inputs = 1, .activation = true, .infer = infer_log, .gradient = gradient_log, .evaluate = evaluate_log, .plain = "softmax.log_forward",
    .bind = bind, .flops = flops, .equation = "y = x - max x - log sum exp(x - max x)",
};
const OpDef op_log_softmax_grad = {
    ACTIVATION_GRAD("log_softmax"), .evaluate = evaluate_log_grad, .plain = "softmax.log_grad", .bind = bind, .flops = flops, .equation = "dx = dy - exp(y) * sum dy",
};
