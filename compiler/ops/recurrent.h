/* recurrent.h: what lstm, gru and simple_rnn share. A layer is several ops: the product of all steps' inputs with the kernel
 * (dense), the steps themselves, which multiply each state by the recurrent kernel, and the last step's output where only that is
 * wanted. Going backwards the inputs are reversed first. */
#ifndef RECURRENT_H
#define RECURRENT_H
#include "ops.h"

enum { UNITS, ACTIVATION, USE_BIAS, KERNEL_INITIALIZER, RECURRENT_INITIALIZER, BIAS_INITIALIZER, RETURN_SEQUENCES, GO_BACKWARDS, TRAINABLE, RECURRENT_ACTIVATION };

#define RECURRENT_DEFS                                                                                                                     \
    {"units", ATTR_INT, NULL, 1, 1 << 20, 0, NULL, NULL, true, "length of the state, which is the output"},                               \
    {"activation", ATTR_CALL, "tanh", 0, 0, 0, NULL, activation_family, false, "of the state"},                                           \
    ATTR_USE_BIAS_DEF,                                                                                                                     \
    ATTR_KERNEL_INITIALIZER_DEF,                                                                                                           \
    {"recurrent_initializer", ATTR_CALL, "orthogonal", 0, 0, 0, NULL, initializer_family, false, "how the recurrent kernel starts"},      \
    ATTR_BIAS_INITIALIZER_DEF,                                                                                                             \
    {"return_sequences", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "the states of all steps, not only the last one"},               \
    {"go_backwards", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "the last step first; so come the states, too"},                     \
    ATTR_TRAINABLE_DEF
#define RECURRENT_WEIGHT_DEFS WEIGHT_OPTION_DEFS("kernel"), WEIGHT_OPTION_DEFS("recurrent"), WEIGHT_OPTION_DEFS("bias"), ATTR_ACTIVITY_REGULARIZER_DEF
#define RECURRENT_ACTIVATION_DEF {"recurrent_activation", ATTR_CALL, "sigmoid", 0, 0, 0, NULL, activation_family, false, "of the gates"}

typedef struct Cell {
    const char *name;                  /* Keras's: "lstm_cell", part of its weights' paths */
    const OpDef *steps;
    int gates;                         /* columns of the kernels, in units */
    int biases;                        /* 1: added to the inputs' product; 2: the steps take them, [2][columns] */
    const Attr *bias_initializer;      /* NULL: as described */
} Cell;
Tensor *recurrent_layer(Graph *, Layer *, const Cell *);

/* Of the steps, or of their gradient. */
typedef struct Steps { int64_t steps, units, columns; } Steps;
Steps steps_of(const Op *);
void bind_steps(const Op *, Bindings *); /* sizes and activations */
double steps_flops(const Op *);

/* The output, [steps][units], and what the gradient wants to know of each step, [steps][known * units]; known 0: nothing more. */
bool infer_steps(Graph *, Op *, int known);
/* Gradients in the products, `count` of them, and what goes from step to step, [carried][units]. */
bool infer_steps_grad(Graph *, Op *, int count, int carried);

/* Gradients of the steps' inputs: dproducts is that in the product with the kernel, dstate that in the product with the recurrent one. */
void recurrent_gradients(Graph *, Op *, Tensor *dproducts, Tensor *dstate);

/* Plain loops: an activation and its gradient, which depends on its output; what a column gets from state h, and an element of h from
 * the gradients in all columns. */
double activate(const Attr *, double x);
double activate_grad(const Attr *, double dy, double y);
double state_product(const Steps *, const double *h, const double *kernel, int64_t column);
double state_product_grad(const Steps *, const double *dproducts, const double *kernel, int64_t unit);
#endif
