/* cnnc_network.h: what generated code tells the runtime about a network: types, and the random numbers that generated
 * code draws in training. It needs this header and nothing else of the runtime, and the runtime knows a network only by what stands here.
 *
 * A network's handle is one block of the caller's memory that begins with a cnnc_state. Work is done in phases; a
 * phase is a number of independent items that any workers may run in any order, one after the other phase. What a
 * phase computes does not depend on who runs which item, so results are the same bits for any number of workers.
 */
#ifndef CNNC_NETWORK_H
#define CNNC_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CNNC_ABI 3 /* generated code refuses to compile against another number: regenerate it */
#define CNNC_MAX_RANK 8

typedef enum cnnc_type { CNNC_F32, CNNC_F64, CNNC_U8, CNNC_I32 } cnnc_type;

/* An input, output or target: the shape of one example, without the batch. */
typedef struct cnnc_tensor {
    const char *name;
    cnnc_type type;
    int rank; /* 0 for a scalar (a class index) */
    int shape[CNNC_MAX_RANK];
    size_t count; /* elements of one example */
    int classes;  /* a target: number of classes when it may be given as class indices (0: real-valued); an input of tokens: how
                     many there are, 0 .. classes - 1 (0: any numbers) */
} cnnc_tensor;

typedef enum cnnc_distribution { CNNC_CONSTANT, CNNC_UNIFORM, CNNC_NORMAL, CNNC_TRUNCATED_NORMAL, CNNC_IDENTITY, CNNC_ORTHOGONAL, CNNC_UNIT_FORGET } cnnc_distribution;

/* How a parameter starts. CNNC_CONSTANT: a. CNNC_UNIFORM: [a, b). CNNC_NORMAL: mean a, standard deviation b.
 * CNNC_TRUNCATED_NORMAL: the same, redrawn beyond two standard deviations. CNNC_IDENTITY: a on the diagonal of a matrix.
 * CNNC_ORTHOGONAL: orthogonal rows or, if there are fewer, columns of length a; all axes but the last are one. CNNC_UNIT_FORGET: a, but 1 in
 * the second quarter. seed < 0: the run's own seed. */
typedef struct cnnc_initializer {
    cnnc_distribution distribution;
    double a, b;
    int64_t seed;
} cnnc_initializer;

typedef struct cnnc_parameter {
    const char *name; /* Keras's path: "conv2d/kernel" */
    int rank;
    int shape[CNNC_MAX_RANK];
    size_t offset, count; /* in elements, from the start of the parameters */
    int trainable;
    cnnc_initializer initializer;
} cnnc_parameter;

/* A row of the summary table. */
typedef struct cnnc_layer {
    const char *name, *kind; /* "conv2d_1", "Conv2D" */
    int rank;
    int shape[CNNC_MAX_RANK]; /* of its output */
    size_t parameters;
    const char *inputs; /* "a, b": names of the layers it reads; "" for an input */
} cnnc_layer;

typedef struct cnnc_batch {
    int n;                       /* examples */
    const void *const *inputs;   /* per input an array [any][shape] in the input's own type */
    const void *const *targets;  /* per target likewise; NULL in predict */
    const uint32_t *index;       /* example i is row index[i] of inputs and targets; NULL: row i */
    void *const *outputs;        /* predict: per output an array [n][shape]; else NULL */
    void *const *input_gradients; /* train, compiled with --input-gradient: per input [n][shape]; else NULL */
} cnnc_batch;

/* One parallel level: run(net, batch, worker, begin, end) does items begin .. end - 1 of count(net, batch), which is less than 0 where
 * the network has no memory for so many examples. The phases of training make the gradient, which those called "sum" and "update",
 * the last ones, work on. */
typedef struct cnnc_phase {
    const char *name;
    int (*count)(const void *net, const cnnc_batch *batch);
    void (*run)(void *net, const cnnc_batch *batch, int worker, int begin, int end);
} cnnc_phase;

/* The beginning of every handle. */
typedef struct cnnc_state {
    double learning_rate; /* of the next update; may be changed between batches, unless the network has a schedule */
    uint64_t step;        /* updates made so far */
    uint64_t seed;        /* of random numbers in training: dropout */
    uint64_t version;     /* moves whenever parameters change; workers rebuild what they derived from them */
    int workers;          /* how many the memory was laid out for */
    int variant;          /* index into cnnc_network.variants */
    void *parameters;     /* [parameter_count] elements of the network's type, laid out as <net>_parameters */
    void *slots;          /* [slot_count][parameter_count]: the optimizer's state */
    void *gradients;      /* [gradient_buffers][parameter_count]; after the phases of train before "sum" and "update" their sum is the gradient of
                             the batch (times loss_scale_factor where the optimizer has one); later phases work in them */
    double *totals;       /* [gradient_buffers][total_count]: what loss and metrics are made of, summed over the last batch */
} cnnc_state;

typedef struct cnnc_network {
    int abi; /* CNNC_ABI */
    const char *name;
    cnnc_type type; /* of parameters, activations and outputs: CNNC_F32, or CNNC_F64 in the double instantiation */
    const cnnc_tensor *inputs, *outputs, *targets;
    int input_count, output_count, target_count;
    const cnnc_parameter *parameters;
    int parameters_length;      /* entries of the table above */
    size_t parameter_count;     /* elements of <net>_parameters, padding included */
    const cnnc_layer *layers;
    int layer_count;
    const char *const *metrics; /* names */
    int metric_count;
    const char *const *slots;   /* "velocity", ...: names of the optimizer's state per parameter */
    int slot_count;
    const char *optimizer, *loss; /* words of the description, NULL when it has no compile statement */
    double learning_rate;
    int epochs, batch_size, shuffle; /* defaults from the fit statement */
    double validation_split;
    uint64_t seed;
    const char *const *description; /* what decides what training computes, a statement a line, all defaults written out */
    int description_length;
    const char *const *code;        /* and how each variant computes it: "avx512 conv2d: winograd" */
    int code_length;
    int shard_size, gradient_buffers;
    const char *const *variants; /* "avx512", ...: best first */
    int variant_count;
    size_t (*size)(int workers);                            /* bytes of a handle */
    void *(*init)(void *memory, int workers, int variant);  /* zeroed handle in memory (64-byte aligned); variant -1: the
                                                               best this machine runs; NULL when it cannot run it */
    const cnnc_phase *train, *evaluate, *predict; /* train updates; evaluate only fills totals */
    int train_phases, evaluate_phases, predict_phases;
    void (*finalize)(void *net); /* end of training: moving averages of the weights take their place; may be NULL */
    int total_count;                      /* 0: 1 + metric_count */
    void (*results)(const double *means, double *results); /* from the totals' means over examples, [total_count], loss and metrics,
                                             [1 + metric_count]; NULL: they are the same */
    double (*schedule)(uint64_t updates); /* the learning rate after so many: it is set after each update; NULL: it stays */
} cnnc_network;

/* Random numbers in training, functions of their arguments alone: the key of an example (its place in the batch), and of it the number
 * below 2^24 of an element in a layer's stream. Finalizers of D. Stafford (splitmix64) and C. Wellons (lowbias32). */
static inline uint64_t cnnc_key(uint64_t seed, uint64_t step, uint64_t example)
{
    uint64_t z = seed * 0x9e3779b97f4a7c15u + step;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u + example;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    return z ^ z >> 31;
}

static inline uint32_t cnnc_mixed(uint32_t h)
{
    h = (h ^ h >> 16) * 0x21f0aaadu;
    h = (h ^ h >> 15) * 0x735a2d97u;
    return h ^ h >> 15;
}

static inline uint32_t cnnc_noise(uint64_t key, uint32_t stream, uint32_t element)
{
    return cnnc_mixed(cnnc_mixed(element * 0x9e3779b9u + ((uint32_t)key ^ stream)) + (uint32_t)(key >> 32)) >> 8;
}

/* What code generated to be measured (cnnc bench) exports beside: <net>_profile. Clock and counters are the caller's, to
 * be set before train runs, by one worker only. */
typedef struct cnnc_profile {
    uint64_t (*clock)(void);
    uint64_t start;
    uint64_t *ticks, *calls; /* of each kernel of train, in their order */
    double (*peak)(int rounds, float factor, float *sums); /* multiply-adds in registers and nothing else; sums: [16].
                                                              Returns how many FLOPs that was */
} cnnc_profile;

#ifdef __cplusplus
}
#endif
#endif
