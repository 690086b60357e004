/* ops.h: the definitions by name, for operators that build others. */
#ifndef OPS_H
#define OPS_H
#include "../cnnc.h"

#define OP(name) extern const OpDef op_##name;
#include "../ops.def"
#undef OP

/* The table entries that many layers share. */
#define ATTR_ACTIVATION_DEF {"activation", ATTR_CALL, "linear", 0, 0, 0, NULL, activation_family, false, "applied to the output"}
#define ATTR_USE_BIAS_DEF {"use_bias", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "add a trainable bias"}
#define ATTR_KERNEL_INITIALIZER_DEF {"kernel_initializer", ATTR_CALL, "glorot_uniform", 0, 0, 0, NULL, initializer_family, false, "how the kernel starts"}
#define ATTR_BIAS_INITIALIZER_DEF {"bias_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how the bias starts"}
/* Beside the initializer of a weight, "kernel" say; layer_parameter finds them by the initializer's name. */
#define WEIGHT_OPTION_DEFS(weight)                                                                                     \
    {weight "_regularizer", ATTR_CALL, "", 0, 0, 0, NULL, regularizer_family, false, "what the size of " weight " adds to the loss"}, \
    {weight "_constraint", ATTR_CALL, "", 0, 0, 0, NULL, constraint_family, false, "what holds for the " weight " after each update"}
#define ATTR_ACTIVITY_REGULARIZER_DEF                                                                                  \
    {"activity_regularizer", ATTR_CALL, "", 0, 0, 0, NULL, regularizer_family, false, "what the size of the output adds to the loss"}
#define ATTR_TRAINABLE_DEF {"trainable", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "false: training leaves the layer's weights alone"}
/* What comes behind the sizes of layers with a kernel and a bias. */
#define KERNEL_LAYER_DEFS                                                                                              \
    ATTR_ACTIVATION_DEF, ATTR_USE_BIAS_DEF, ATTR_KERNEL_INITIALIZER_DEF, ATTR_BIAS_INITIALIZER_DEF, ATTR_TRAINABLE_DEF, WEIGHT_OPTION_DEFS("kernel"), \
        WEIGHT_OPTION_DEFS("bias"), ATTR_ACTIVITY_REGULARIZER_DEF

/* Poolings: their attributes, and their window; false after an error. */
#define POOLING_DEFS                                                                                                   \
    {"pool_size", ATTR_SIZE, "2", 1, 1 << 15, 2, NULL, NULL, true, "height x width of the window"},                   \
    {"strides", ATTR_SIZE, "", 1, 1 << 16, 2, NULL, NULL, false, "steps of the window; as large as the window unless given"}, \
    {"padding", ATTR_WORD, "valid", 0, 0, 0, "valid|same", NULL, false, "valid: only whole windows; same: windows may hang over"}
bool infer_pooling(Graph *, Op *);

/* Whether the op's input is height x width x channels; whether a window is as large as cnnc takes at most. */
bool check_map(Graph *, const Op *);
bool check_reach(Graph *, const Attr *size, int64_t high, int64_t wide);

/* Shape inference of many: the first output like the first input; a gradient like its forward op's first input. */
bool infer_like_input(Graph *, Op *);
bool infer_like_forward_input(Graph *, Op *);
/* After an error about shapes: where one of them comes from. */
void note_shape(Graph *, const Tensor *);
/* Whether the first input has so many axes, 1 to 3; else an error. */
bool check_rank(Graph *, Op *, int rank);
/* An axis as Keras counts, the batch being 0, as an index into the shape of an example, below 0 if there is none: then the error. */
int axis_index(const Attr *axis, Shape);
bool no_axis(Graph *, const Attr *axis, Shape, const char *verb);
/* Elements of two tensors side by side (ops/walk.c): axes from the outermost, each with its length and a stride in both. */
enum { MAX_WALK = MAX_RANK + 2 };
typedef struct Walk { int rank; int64_t n[MAX_WALK], from[MAX_WALK], to[MAX_WALK], from_start, to_start; } Walk;
void add_axis(Walk *, int64_t n, int64_t from, int64_t to);
int64_t stride_of(Shape, int axis);         /* elements from one index along the axis to the next */
Walk backwards(const Walk *);
void evaluate_walk(const Op *, const Walk *, double *const *in, double *const *out); /* copies, adding up what comes to one place; else 0 */
void bind_walk(const Op *, const Walk *, Bindings *); /* for the template `walk`, which does the same */
void bind_axes(const Walk *, Bindings *);             /* of them only the lists AXES, FROM, TO, as few axes as will do */
/* What an op whose walk `walk_of(op)` gives needs, and its gradient op, which goes the same way back. */
#define WALK(walk_of) \
    static void evaluate_forth(const Op *op, double *const *in, double *const *out) { Walk w = walk_of(op); evaluate_walk(op, &w, in, out); } \
    static void bind_forth(const Op *op, Bindings *b) { Walk w = walk_of(op); bind_walk(op, &w, b); }
#define WALK_BACK(walk_of) \
    static Walk back_of(const Op *op) { Walk w = walk_of(op->forward); return backwards(&w); } \
    static void evaluate_back(const Op *op, double *const *in, double *const *out) { Walk w = back_of(op); evaluate_walk(op, &w, in, out); } \
    static void bind_back(const Op *op, Bindings *b) { Walk w = back_of(op); bind_walk(op, &w, b); }
#define WALK_DEFS .evaluate = evaluate_forth, .plain = "walk", .bind = bind_forth
#define WALK_BACK_DEFS .evaluate = evaluate_back, .plain = "walk", .bind = bind_back
/* Layers of two inputs or more of one shape (ops/merge.c): a chain of ops of two; NULL after an error. */
#define MERGE .kind = OP_LAYER, .min_inputs = 2, .max_inputs = 64, .infer = infer_like_input, .same_size = true
Tensor *merge(Graph *, Layer *, const OpDef *);
/* A layer's usual end: bias (when asked for), then activation. */
Tensor *bias_and_activation(Graph *, Layer *, Tensor *, const Attr *use_bias, const Attr *bias_initializer, const Attr *activation);
/* Makes a total, the output of a loss or metric of one element. */
bool infer_total(Graph *, Op *);
/* For elementwise activations whose gradient needs dy and the output y, or the input x. */
void gradient_from_output(Graph *, Op *, const OpDef *grad, Tensor *dy);
void gradient_from_input(Graph *, Op *, const OpDef *grad, Tensor *dy);
/* y = f(x) of each element; dx = dy * slope of y or x, the second input. */
void evaluate_each(const Op *, double *const *in, double *const *out, double (*f)(const Op *, double));
void evaluate_slope(const Op *, double *const *in, double *const *out, double (*slope)(const Op *, double));
/* Of all elementwise activations, and of their gradients. The two functions that evaluate one are made of `value` and `slope`. */
#define ACTIVATION_LAYER .kind = OP_LAYER, .min_inputs = 1, .max_inputs = 1, .activation = true, .infer = infer_like_input, .same_size = true
#define ACTIVATION_GRAD(name) .call = {name "_grad", "gradient of " name, NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input
#define EVALUATE(function, value) \
    static void function(const Op *op, double *const *in, double *const *out) { evaluate_each(op, in, out, value); }
#define EVALUATE_GRAD(function, slope) \
    static void function(const Op *op, double *const *in, double *const *out) { evaluate_slope(op, in, out, slope); }
#endif
