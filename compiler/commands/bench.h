/* bench.h: between the files of `cnnc bench` and `cnnc tune`: the commands, measuring, reporting. */
#ifndef BENCH_H
#define BENCH_H
#include "commands.h"

typedef struct BenchOptions {
    NetworkOptions network;
    const char *net, *data, *json;
    int batch_size, threads, repeat;
} BenchOptions;

/* ---- bench_measure.c -------------------------------------------------------------------------------------------------
 * Times, in microseconds an example; each the median over the repetitions. */
typedef struct Times {
    int batch_size, repeat, threads, kernel_count; /* given */
    int steps;              /* of a repetition */
    double *kernels;        /* of the train entry point, by position */
    double *calls;          /* of them, an example */
    double shards, update;  /* the first phase of a training step and the others, where nothing is profiled */
    double best;            /* their sum in the best repetition */
    double peak;            /* GFLOP/s of one core's multiply-adds: the best repetition */
    double processor;       /* the part of the time that this program had its processor; less than 1: others run too */
} Times;
/* The same training in both models, side by side. plain: what `cnnc train` would run; profiled: for one worker, with the
 * profile that its code exports. */
void measure(Arena *, cnnc_model *plain, cnnc_model *profiled, cnnc_profile *, const cnnc_dataset *, Times *);
/* Medians of `repeat` repetitions in turns: microseconds an example of a and of b. */
void compare_models(Arena *, cnnc_model *a, cnnc_model *b, const cnnc_dataset *, int batch_size, int repeat, double us[2]);

/* ---- bench_examples.c: what they train on ----
 * Of the folder `data`, to be freed, or (NULL) random ones, which are the arena's. An exit status, after a message. */
int get_examples(Arena *, const Graph *, const cnnc_network *, const char *data, int batch_size, cnnc_dataset *);

/* ---- bench_report.c: what there is to say about them, as tables and as JSON --------------------------------------------
 * A number that does not apply is zero, and left out. */
typedef struct KernelRow { const Kernel *kernel; double us, share, flops, gflops, of_peak, dense_gflops, bytes, gbytes; } KernelRow;
typedef struct OperatorRow { const Op *op; int kernels; double us, share, dense_flops, dense_gflops, of_peak; } OperatorRow;
typedef struct Report {
    const Program *program;
    const Times *times;
    KernelRow *kernels; int kernel_count;
    OperatorRow *operators; int operator_count; /* products with weights: what the dense roofline counts */
    double sum, step;                           /* microseconds an example */
    double dense_flops, roofline;               /* the time they take at the peak of all threads' cores */
    double times_roofline;
} Report;
/* described: the graph with gradients, not cut by live. */
Report make_report(const Program *, const Graph *described, const Times *);
void print_report(const Report *);
const char *write_report(const Report *, const char *path); /* as JSON; a message on failure */
#endif
