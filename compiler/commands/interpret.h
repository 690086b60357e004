/* interpret.h: what the files of `cnnc check` share: the interpreter, and what a network computes as plain numbers. */
#ifndef INTERPRET_H
#define INTERPRET_H
#include "commands.h"

/* ---- interpret.c -----------------------------------------------------------------------------------------------------
 * A graph in double, op by op and example by example, by each op's evaluate. */
enum { MAX_OPERANDS = 64 };                            /* inputs of an op, and outputs */
typedef struct Interpreter {
    const Graph *graph;
    int n;            /* examples */
    double **values;  /* by tensor id: [n][count], or [count] where examples share it; NULL where no op touches it */
    double noise;     /* what ops make is moved by so much of its size, or root mean square, at random: how exact a result can be. 0: it is not */
    cnnc_random random;
    double *in[MAX_OPERANDS], *out[MAX_OPERANDS]; /* of the op that runs, one example's */
} Interpreter;
typedef enum { RUN_PREDICT, RUN_FORWARD, RUN_ALL } RunMode; /* as outside training; as in training; gradients, too */
Interpreter interpreter_new(const Graph *, int n);     /* the scale is 1 / n, all else zero */
double *interpreter_value(const Interpreter *, const Tensor *);
void interpret(Interpreter *, RunMode);                    /* sums that examples share start at zero */
void interpret_op(Interpreter *, const Op *);
bool is_shared(const Tensor *);                        /* by the examples: parameters, their gradients, statistics, totals */
bool has_statistics(const Graph *);                    /* of the batch: examples depend on each other */

/* ---- check_results.c ---------------------------------------------------------------------------------------------------
 * What one batch gives, whoever computed it. Arrays are in the order of the graph's lists, which is the descriptor's. */
typedef struct Batch { int n; double **inputs, **targets; } Batch;   /* [n][count] each; NULL targets: only outputs are wanted */
typedef struct Results {
    double **outputs;          /* [n][count] each */
    double *totals;            /* of the training pass, all their elements: loss, then metrics; NULL without compile */
    double *evaluated;         /* the same of the evaluating pass */
    double **gradients;        /* by parameter */
    double **input_gradients;  /* by input, [n][count] */
} Results;
void *store_numbers(Arena *, cnnc_type, const double *from, size_t n);   /* as the caller of generated code has them */
double *load_numbers(Arena *, cnnc_type, const void *from, size_t n);
void **store_all(Arena *, const cnnc_tensor *, int count, double *const *values, int n); /* likewise, of each of these tensors for n examples */
void **new_arrays(Arena *, const cnnc_tensor *, int count, int n, cnnc_type); /* for n examples of each, zero */
Results interpreter_results(Interpreter *, const Batch *);               /* parameters are set already */
/* Runs phases of generated code without updating anything; inputs and targets in the network's own types. Gradients are those of the loss, without
 * the optimizer's loss_scale_factor. */
bool model_results(const Graph *, cnnc_model *, int n, void *const *inputs, void *const *targets, Results *, cnnc_error *);
void draw_example(cnnc_random *, const Tensor *, double *);              /* by the tensor's type and classes */
double root_mean_square(const double *, size_t n);
double largest(const double *, size_t n);                                /* magnitude; NAN when there is one */
double absolute_error(const double *, const double *expected, size_t n);
double relative_error(const double *, const double *expected, size_t n); /* to the largest expected element */

/* ---- check_batch.c: weights and examples at random, all functions of the seed ------------------------------------------ */
double **draw_parameters(Arena *, const cnnc_model *, uint64_t seed); /* initial values that floats hold exactly; those that start alike get noise */
void set_model(Arena *, cnnc_model *, double *const *parameters);
void set_interpreter(Interpreter *, double *const *parameters);
/* n examples, none near a kink where that can be had; they are drawn by an interpreter of one example, or of all n where they depend on
 * each other. *redrawn: how many attempts were near one. */
Batch draw_batch(Interpreter *, int n, uint64_t seed, int *redrawn);

/* ---- check_noise.c: how exact float results can be --------------------------------------------------------------------- */
enum { NOISES = 5 };
#define ABOUT_FLOAT "  float: as far away as numbers in double that are moved as the rounding of floats does\n"
typedef struct Expected { Interpreter it; Results exact, noisy[NOISES]; } Expected; /* it: after the exact ones */
Interpreter interpreter_at(const Graph *, double *const *parameters, uint64_t step, int n); /* with the random numbers of that update */
Expected expect_results(const Graph *, double *const *parameters, uint64_t step, const Batch *, uint64_t seed);
double spread_of(const double *exact, double *const noisy[NOISES], size_t n); /* how far noise moves one of n numbers at most */
bool is_rounding(double error, double spread);                              /* whether that explains the error */

/* ---- check_steps.c: how exact steps of training by floats can be -------------------------------------------------------- */
typedef struct ExpectedSteps {
    double *losses, **after;               /* before each step; weights after all, by parameter */
    double losses_spread, *after_spreads;  /* how far rounding moves one of them at most */
} ExpectedSteps;
/* By double code on one batch; NULL after a message. doubles: not compiled yet. */
const ExpectedSteps *expect_steps(Compilation *doubles, const char *net, double *const *weights, const Batch *, size_t steps);

/* ---- the three checks: a table each on standard output; exit statuses -------------------------------------------- */
bool check_operators(const Graph *);                   /* check_operators.c: false when one fails */
int check_network(Compilation *doubles, Compilation *floats, const char *path); /* check_network.c */
typedef struct Tolerances { double output, gradient, losses, after; } Tolerances;
int reference_examples(const char *reference);  /* how many it has; 0: it cannot be read, or has none */
int check_reference(Compilation *, Compilation *doubles, const char *net, const char *reference, const Tolerances *); /* check_reference.c */
#endif
