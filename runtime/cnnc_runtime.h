/* cnnc_runtime.h: the runtime around generated networks: threads, data files, weights, training, progress, summary.
 *
 * It knows a network only by its descriptor, a cnnc_network (cnnc_network.h). Plain C11 and POSIX; needs libc, libm,
 * pthreads and, for .gz files, zlib, for .npz files, libzip (macros CNNC_ZLIB and CNNC_LIBZIP when the runtime is compiled).
 *
 * Conventions:
 * - A function that can fail returns CNNC_OK, CNNC_FAILED (or CNNC_STOPPED where it says so), or a pointer that is
 *   NULL on failure, and then leaves a message in *error when error is not NULL. The message has no line break and
 *   names the file, and the offset in it where one is known: "train.npy: at byte 10: header is not ...".
 *   A failing function frees what it had made; its output arguments then own nothing.
 * - Nothing is written to a stream except by functions that take one or say so. Nothing calls exit(). No function
 *   installs signal handlers.
 * - Shapes are those of one example, without the batch, as in cnnc_network.h. Arrays are in C order, native bytes.
 * - Who makes something frees it: every ..._new, ..._read, ..._load or ..._open has its ..._free or ..._close, which
 *   accept NULL and what is already zero.
 */
#ifndef CNNC_RUNTIME_H
#define CNNC_RUNTIME_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cnnc_network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results and errors ------------------------------------------------------------------------------------------ */

enum { CNNC_OK = 0, CNNC_FAILED = -1, CNNC_STOPPED = 1 };

typedef struct cnnc_error {
    char text[512]; /* always ends in a zero; longer messages are cut */
    int system;     /* non-zero: memory fell short, or a file could not be opened, read or written; zero: what it was given is wrong */
} cnnc_error;

/* ---- pool.c: a persistent pool of threads ------------------------------------------------------------------------ */

typedef struct cnnc_pool cnnc_pool;

/* Does items begin .. end - 1. worker is 0 .. threads - 1; a worker never runs two calls at the same time. */
typedef void cnnc_work(void *context, int worker, int begin, int end);

/* Processors online; at least 1. */
int cnnc_cores(void);

/* A pool of `threads` workers, the caller of cnnc_pool_run among them: threads - 1 threads are made, none for 1.
 * threads <= 0: one a processor online. At most 1024. NULL when a thread cannot be made. */
cnnc_pool *cnnc_pool_new(int threads, cnnc_error *error);
void cnnc_pool_free(cnnc_pool *pool);
int cnnc_pool_threads(const cnnc_pool *pool);

/* Runs items 0 .. count - 1, each exactly once, in any order, on any worker, and returns when all are done (what they
 * wrote is then visible to the caller). The caller is worker 0. Items are handed out as workers become free. Only one
 * thread at a time may call it on a pool, and not from within work. count <= 0 does nothing. */
void cnnc_pool_run(cnnc_pool *pool, cnnc_work *work, void *context, int count);

/* ---- array.c: arrays as files hold them -------------------------------------------------------------------------- */

typedef enum cnnc_dtype {
    CNNC_DTYPE_U8, CNNC_DTYPE_I8, CNNC_DTYPE_U16, CNNC_DTYPE_I16, CNNC_DTYPE_U32, CNNC_DTYPE_I32, CNNC_DTYPE_U64,
    CNNC_DTYPE_I64, CNNC_DTYPE_F16, CNNC_DTYPE_BF16, CNNC_DTYPE_F32, CNNC_DTYPE_F64
} cnnc_dtype;

#define CNNC_ARRAY_RANK 16 /* more dimensions than this are refused */

/* shape[0] x ... x shape[rank - 1] elements, the batch included. data is owned by the array and aligned to 64 bytes
 * when it comes from a ..._read function. */
typedef struct cnnc_array {
    cnnc_dtype dtype;
    int rank;
    size_t shape[CNNC_ARRAY_RANK];
    size_t count; /* product of the shape */
    void *data;
} cnnc_array;

size_t cnnc_dtype_size(cnnc_dtype dtype);      /* bytes of an element */
const char *cnnc_dtype_name(cnnc_dtype dtype); /* "u8", "f32", ... */
cnnc_dtype cnnc_dtype_of(cnnc_type type);      /* how a network's type is stored */
size_t cnnc_type_size(cnnc_type type);         /* bytes of an element */
const char *cnnc_type_name(cnnc_type type);    /* "f32", "f64", "u8", "i32" */

void cnnc_array_free(cnnc_array *array); /* and makes it zero */

/* Writes elements first .. first + count - 1 of an array to to[0 .. count - 1]. To f32 or f64: rounds to nearest. To
 * u8 or i32: only values that are integers and fit, else it fails and names the first that does not. */
int cnnc_array_convert(const cnnc_array *array, size_t first, size_t count, cnnc_type type, void *to, cnnc_error *error);

/* Reads a file that holds one array: .npy, IDX or gzipped IDX, as its first bytes say; of a CIFAR file the images,
 * of CSV all columns; .npz with one array. */
int cnnc_array_read(const char *path, cnnc_array *array, cnnc_error *error);

/* ---- idx.c, npy.c: files that hold one array --------------------------------------------------------------------- */

/* IDX, as MNIST comes in: all six element types. With zlib also gzipped; a file that inflates to more or less than its
 * header declares is refused, and no more than that is ever allocated. The _parse functions read a file's bytes that
 * are in memory already; name stands for the file in messages. */
int cnnc_idx_read(const char *path, cnnc_array *array, cnnc_error *error);
int cnnc_idx_parse(const void *bytes, size_t size, const char *name, cnnc_array *array, cnnc_error *error);

/* NumPy's .npy, versions 1 to 3: little-endian (or one-byte) integers, floats and bool (as u8), C order. */
int cnnc_npy_read(const char *path, cnnc_array *array, cnnc_error *error);
int cnnc_npy_parse(const void *bytes, size_t size, const char *name, cnnc_array *array, cnnc_error *error);

/* Writes a version 1 file, whole or not at all (temporary file beside it, fsync, rename). No BF16. */
int cnnc_npy_write(const char *path, const cnnc_array *array, cnnc_error *error);

/* ---- safetensors.c ----------------------------------------------------------------------------------------------- */

typedef struct cnnc_safetensor {
    const char *name; /* owned by the file when read */
    cnnc_array array; /* data points into the file's bytes, may be unaligned (cnnc_array_convert copes); do not free */
} cnnc_safetensor;

typedef struct cnnc_metadata {
    const char *key, *value;
} cnnc_metadata;

typedef struct cnnc_safetensors {
    int count;
    cnnc_safetensor *tensors; /* in the order of their data */
    int metadata_count;
    cnnc_metadata *metadata; /* in the order of the file */
    void *memory;            /* what owns all of it */
} cnnc_safetensors;

/* Opens a file and checks all of it: the header is the format's JSON and no more, every shape times its type is the
 * range it claims, and the ranges cover the data exactly once. */
int cnnc_safetensors_read(const char *path, cnnc_safetensors *file, cnnc_error *error);
int cnnc_safetensors_parse(const void *bytes, size_t size, const char *name, cnnc_safetensors *file, cnnc_error *error);
void cnnc_safetensors_free(cnnc_safetensors *file); /* and makes it zero */

/* The tensor of that name, or NULL. */
const cnnc_safetensor *cnnc_safetensors_find(const cnnc_safetensors *file, const char *name);

/* Writes count tensors in the order given and metadata_count entries of metadata (NULL for none). The same
 * arguments give the same bytes. The file appears whole or not at all (temporary file beside it, fsync, rename). */
int cnnc_safetensors_write(const char *path, const cnnc_safetensor *tensors, int count,
                           const cnnc_metadata *metadata, int metadata_count, cnnc_error *error);

/* ---- random.c: seeded random numbers, the same bits on every machine --------------------------------------------- */

/* xoshiro256** 1.0 (Blackman and Vigna, public domain, prng.di.unimi.it), its state filled by splitmix64. */
typedef struct cnnc_random {
    uint64_t state[4];
} cnnc_random;

void cnnc_random_seed(cnnc_random *random, uint64_t seed, uint64_t stream); /* streams of a seed are unrelated */
uint64_t cnnc_random_bits(cnnc_random *random);
uint64_t cnnc_random_below(cnnc_random *random, uint64_t bound); /* 0 .. bound - 1, unbiased; bound > 0 */
double cnnc_random_uniform(cnnc_random *random);                 /* [0, 1): a multiple of 2^-53 */
double cnnc_random_normal(cnnc_random *random);                  /* mean 0, deviation 1 (Marsaglia's polar method) */

/* index[0 .. n - 1] becomes a permutation of 0 .. n - 1 that only seed and epoch decide (Fisher-Yates). */
void cnnc_shuffle(uint32_t *index, uint32_t n, uint64_t seed, uint64_t epoch);

/* ---- initialize.c ------------------------------------------------------------------------------------------------ */

/* Fills the parameters of a handle as their initializers say and moves state->version; padding becomes zero, the
 * optimizer's state is left alone. Parameter i draws from stream i of seed; one whose initializer has a seed of its own
 * draws from that alone, so that two with the same seed start alike, as in Keras. */
void cnnc_initialize(const cnnc_network *network, void *net, uint64_t seed);

/* ---- dataset.c: examples as a network wants them ----------------------------------------------------------------- */

typedef struct cnnc_dataset {
    size_t n; /* examples, at most 2^31 - 1 */
    int input_count, target_count;
    void **inputs;  /* per input [n][shape], in the type that the network asks for */
    void **targets; /* per target likewise; target_count is 0 when there are none */
    void *memory;   /* what owns the arrays and tables; NULL: the caller does */
} cnnc_dataset;

/* Loads data for a network.
 * where: a folder with data under customary names, of which split ("train" or "test", which may also be called "t10k"; NULL:
 *   "train") picks: MNIST's ([.gz]: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-..., t10k-labels-...), CIFAR-10's
 *   (data_batch_1.bin ... data_batch_5.bin, test_batch.bin) or CIFAR-100's (train.bin, test.bin; the fine labels),
 *   train.csv and test.csv, X.npy, Y.npy, X_test.npy and Y_test.npy (or x.npy, y.npy, x_test.npy, y_test.npy), or none of these and one .npz;
 *   or one file that holds examples and labels: a CIFAR file (images become 32x32x3), CSV or NumPy's .npz;
 *   or files separated by commas, "X.npy,Y.npy": one for each input, then one for each target (.npy, IDX, IDX.gz, CSV,
 *   .npz with one array; split is not looked at). With only the inputs' files the dataset has no targets.
 * CSV: the first line names the columns; numbers with a point in every locale. The target is the columns named behind the
 *   file, "data.csv:label" ("data.csv:a:b" for two numbers); else the column "label"; else the last ones, as many as are left over
 *   by the input, which all others are in their order. Not of files in a list: there each is one array.
 * .npz (with libzip): the arrays x_train and y_train, or x_test and y_test, as split is; else x and y; else arr_0, arr_1 ...:
 *   inputs, then targets. Weights of examples: sample_weight_train or w_train (_test) beside x_train, sample_weight or w beside x.
 * Inputs: u8 from integers 0 .. 255, f32 from anything, i32 from integers, tokens of those that there are. Only the number of elements of an example
 *   must be the network's: 28x28 data fits a 28x28x1 input.
 * Targets with classes > 0 may be class indices: i32 from integers 0 .. classes - 1; f32 or f64 become one-hot unless
 *   the data already has all of the target's elements, which are then taken as they are.
 * The message says what the network expects and what the file has. */
int cnnc_dataset_load(const cnnc_network *network, const char *where, const char *split, cnnc_dataset *dataset,
                      cnnc_error *error);

/* *has: whether `where` holds examples of its own for the split "test", beside those for training. */
int cnnc_dataset_has_test(const char *where, int *has, cnnc_error *error);

/* The same from arrays in memory, whose first dimension is the example. Copies. target_count is the network's or 0.
 * names: input_count + target_count words for messages; may be NULL. */
int cnnc_dataset_make(const cnnc_network *network, const cnnc_array *inputs, const cnnc_array *targets,
                      int target_count, const char *const *names, cnnc_dataset *dataset, cnnc_error *error);

/* Examples begin .. end - 1 of a dataset (0 <= begin <= end <= n), sharing its arrays: free the view before the whole.
 * Keras's validation_split is begin = floor(n * (1 - split)), end = n, taken before any shuffling. */
int cnnc_dataset_view(const cnnc_network *network, const cnnc_dataset *dataset, size_t begin, size_t end,
                      cnnc_dataset *view, cnnc_error *error);
void cnnc_dataset_free(cnnc_dataset *dataset); /* and makes it zero */

/* ---- model.c: a network at work ---------------------------------------------------------------------------------- */

/* A network with memory and threads. Read its fields freely. One thread at a time may use it. */
typedef struct cnnc_model {
    const cnnc_network *network;
    void *net;         /* the handle, 64-byte aligned, owned */
    cnnc_state *state; /* the beginning of net */
    cnnc_pool *pool;   /* owned */
    double *means;     /* [total_count]: of the last batch's totals, where it was asked for; owned */
} cnnc_model;

/* Memory and `threads` workers (<= 0: one a processor online) for a network; variant: one of network->variants, or
 * NULL for the best this machine runs. Parameters are initialised from network->seed, the learning rate is set. NULL
 * when the ABI is another, the machine cannot run the variant or memory is short. */
cnnc_model *cnnc_model_new(const cnnc_network *network, int threads, const char *variant, cnnc_error *error);
void cnnc_model_free(cnnc_model *model);
const char *cnnc_model_variant(const cnnc_model *model); /* "" when the network has none */

/* One update from a batch. results, when not NULL: [1 + metric_count], loss and metrics averaged over the batch, as
 * they were before the update. Fails without a train phase or with batch->n < 1. */
int cnnc_model_train_batch(cnnc_model *model, const cnnc_batch *batch, double *results, cnnc_error *error);

/* Loss and metrics of a batch; changes no parameter. */
int cnnc_model_evaluate_batch(cnnc_model *model, const cnnc_batch *batch, double *results, cnnc_error *error);

/* Outputs of a batch to batch->outputs. */
int cnnc_model_predict_batch(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error);

/* Say so after changing parameters by hand. */
void cnnc_model_parameters_changed(cnnc_model *model);

/* ---- weights.c: parameters as a safetensors file ----------------------------------------------------------------- */

/* Writes all parameters, by their names, in the network's type and order. metadata as in cnnc_safetensors_write. */
int cnnc_weights_save(const cnnc_network *network, const void *net, const char *path,
                      const cnnc_metadata *metadata, int metadata_count, cnnc_error *error);

/* Reads all parameters and moves state->version: the file, of weights or a checkpoint, must have each parameter in its shape
 * and no other (the message names the first difference); any floating type. On failure the parameters are as before. */
int cnnc_weights_load(const cnnc_network *network, void *net, const char *path, cnnc_error *error);

/* Reads each parameter whose name is in the file and leaves the others as they are: to start from another network's
 * layers. *loaded: how many parameters were read. What else the file has does not matter, so it may be a checkpoint. Fails
 * when it has none of them, or one in another shape (the message has both) or of no floating type; all parameters are
 * then as before. */
int cnnc_weights_load_matching(const cnnc_network *network, void *net, const char *path, int *loaded, cnnc_error *error);

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

typedef enum cnnc_event_kind {
    CNNC_EPOCH_BEGIN, CNNC_BATCH_END, CNNC_EPOCH_END,
    CNNC_TRAIN_BEGIN, CNNC_TRAIN_END /* to hooks only; the end only when the training was not interrupted */
} cnnc_event_kind;

typedef struct cnnc_event {
    cnnc_event_kind kind;
    int epoch, epochs;        /* counted from 0; of CNNC_TRAIN_BEGIN the first that is left */
    int batch, batches;       /* counted from 0; of CNNC_BATCH_END */
    const double *results;    /* [1 + metric_count]: running averages since the epoch began; NULL at its beginning */
    const double *validation; /* [1 + metric_count]: at the epoch's end with validation data, else NULL */
    double seconds;           /* since the epoch began */
    double learning_rate;     /* before any callback changed it */
    int shows_rate;           /* non-zero: the learning rate is shown and logged as a result */
    int resumed;              /* CNNC_TRAIN_BEGIN: non-zero when a checkpoint was read */
    cnnc_error *error;        /* for a callback that fails; may be NULL */
} cnnc_event;

/* Called by cnnc_fit between batches. It may change the learning rate and save the weights. CNNC_OK: go on.
 * CNNC_FINISHED, at an epoch's end: the training is complete, as if this epoch had been the last one. CNNC_FAILED: it is not possible, and
 * *event->error says why. CNNC_STOPPED or any other: stop now. */
enum { CNNC_FINISHED = 2 };
typedef int cnnc_callback(void *context, cnnc_model *model, const cnnc_event *event);

/* A callback with a state of its own, which checkpoints keep. Those below make Keras's; any number of them work in one
 * training, in the order given. To be freed by cnnc_hook_free after it; may serve several trainings, one after the other:
 * CNNC_TRAIN_BEGIN without `resumed` starts anew. */
typedef struct cnnc_hook {
    const char *name;       /* "early_stopping" */
    char *options;          /* "monitor=val_loss patience=3": what decides how a training goes on. A checkpoint with others is
                               refused. NULL: it only looks, and may come and go */
    cnnc_callback *call;
    void *context;
    double *state;          /* [state_count], in checkpoints; NULL: none */
    int state_count;
    void *weights;          /* parameters, as cnnc_state has them, in checkpoints; NULL: none */
    int needs_validation;   /* non-zero: no training without validation data */
    int changes_rate;       /* non-zero: the learning rate is shown and logged as a result, as Keras does */
    void (*free)(void *context);
} cnnc_hook;

void cnnc_hook_free(cnnc_hook *hook); /* and makes it zero */

/* What to watch: the loss or a metric, of the validation data behind "val_". CNNC_MODE_AUTO: accuracies, auc, precision and
 * recall are to become large, everything else small. */
typedef enum cnnc_mode { CNNC_MODE_AUTO, CNNC_MODE_MIN, CNNC_MODE_MAX } cnnc_mode;

/* The makers: CNNC_FAILED when an option cannot be or the network has no such result. The options are copied, what they
 * point at is not. out: says what it does, as Keras does with verbose=1; NULL: silent. */

/* early_stopping.c: ends the training after `patience` epochs in a row without an improvement by more than min_delta.
 * state: best, wait, best epoch, epoch it stopped at (0: it did not). */
typedef struct cnnc_early_stopping {
    const char *monitor;      /* "val_loss" */
    cnnc_mode mode;           /* CNNC_MODE_AUTO */
    double min_delta;         /* 0 */
    int patience;             /* 0 */
    double baseline;          /* NaN: none. Patience counts from the start until this is beaten */
    int start_from_epoch;     /* 0: epochs before are not looked at */
    int restore_best_weights; /* 0. Non-zero: at the end the parameters are those of the best epoch */
    FILE *out;                /* NULL */
} cnnc_early_stopping;
void cnnc_early_stopping_defaults(cnnc_early_stopping *options); /* Keras's, which stand above */
int cnnc_early_stopping_new(const cnnc_network *network, const cnnc_early_stopping *options, cnnc_hook *hook, cnnc_error *error);

/* reduce_lr.c: multiplies the learning rate by `factor` after `patience` epochs without an improvement.
 * state: best, wait, epochs of cooldown left. */
typedef struct cnnc_reduce_lr {
    const char *monitor; /* "val_loss" */
    cnnc_mode mode;      /* CNNC_MODE_AUTO */
    double factor;       /* 0.1: below 1 */
    int patience;        /* 10 */
    double min_delta;    /* 0.0001 */
    int cooldown;        /* 0: epochs after a reduction that do not count */
    double min_lr;       /* 0 */
    FILE *out;           /* NULL */
} cnnc_reduce_lr;
void cnnc_reduce_lr_defaults(cnnc_reduce_lr *options);
int cnnc_reduce_lr_new(const cnnc_network *network, const cnnc_reduce_lr *options, cnnc_hook *hook, cnnc_error *error);

/* save_best.c: the weights after each epoch that was better than all before, as a weights file: whole or not at all.
 * state: best. */
typedef struct cnnc_save_best {
    const char *path;
    const char *monitor; /* "val_loss" */
    cnnc_mode mode;      /* CNNC_MODE_AUTO */
    double threshold;    /* NaN: none. Only what is better than this */
    FILE *out;           /* NULL */
} cnnc_save_best;
void cnnc_save_best_defaults(cnnc_save_best *options);
int cnnc_save_best_new(const cnnc_network *network, const cnnc_save_best *options, cnnc_hook *hook, cnnc_error *error);

/* csv_log.c: Keras's CSVLogger: a header, then a line an epoch with its number from 0 and the results in the alphabet's order,
 * flushed. A new file; a training that goes on from a checkpoint keeps the lines of the epochs before.
 * path is kept as a pointer. */
int cnnc_csv_log_new(const cnnc_network *network, const char *path, cnnc_hook *hook, cnnc_error *error);

/* tensorboard.c: scalars epoch_loss, epoch_accuracy, ... and epoch_learning_rate, by epoch from 0, in new event files in
 * folder/train and, with validation data, folder/validation, which are made. folder is kept as a pointer. */
int cnnc_tensorboard_new(const cnnc_network *network, const char *folder, cnnc_hook *hook, cnnc_error *error);

/* ---- checkpoint.c: a training that can go on where it was -------------------------------------------------------- */

typedef struct cnnc_position {
    uint64_t epoch, batch;                 /* the next batch to train on, counted from 0 */
    uint64_t examples, batch_size, seed;   /* of the training; a checkpoint with others is not loaded */
    int shuffle;
    double *sums;                          /* [total_count]: the totals' means in the epoch so far, times examples */
    uint64_t validation;                   /* examples that hooks watch results of; also of the training */
    int pending;                           /* non-zero: the end of the epoch before is still to come, with its validation */
    int finished;                          /* non-zero: a callback declared the training complete */
    const cnnc_hook *hooks;                /* their state is read and written */
    int hook_count;
} cnnc_position;

/* Writes parameters, the optimizer's state and the position; the file before is kept as PATH.previous. Whole or not at
 * all (temporary file beside it, fsync, rename). */
int cnnc_checkpoint_save(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error);

/* Puts the model, the hooks' state and position->epoch, batch, sums, pending and finished back. The message tells the first difference between what the file and
 * what the model and the other members of position have; the model is then as before. */
int cnnc_checkpoint_load(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error);

/* ---- fit.c, evaluate.c: training, evaluation, prediction --------------------------------------------------------- */

typedef struct cnnc_fit_options {
    int epochs, batch_size;
    int shuffle;   /* non-zero: another order each epoch */
    uint64_t seed; /* of the shuffling */
    int verbose;   /* 0: silent. 1: a progress bar on a terminal, else as 2. 2: one line an epoch */
    FILE *out;     /* where to; NULL: standard output */
    const cnnc_dataset *validation;    /* evaluated after each epoch; may be NULL */
    double validation_split;           /* without it: 0, or the part of the data, its last one before shuffling, that is
                                          evaluated and not trained on */
    cnnc_callback *callback;           /* may be NULL */
    void *callback_context;
    const cnnc_hook *hooks;            /* called before it, in this order */
    int hook_count;
    const volatile sig_atomic_t *stop; /* looked at after each batch; non-zero: stop. May be NULL */
    const char *checkpoint;            /* file written after each epoch and when stopped; may be NULL */
    int checkpoint_batches;            /* > 0: and after so many batches */
    int resume;                        /* non-zero: go on where the checkpoint is; epochs counts from the first one */
} cnnc_fit_options;

/* Results of the epochs that were completed. */
typedef struct cnnc_history {
    int epochs;
    int columns;        /* 1 + metric_count */
    double *results;    /* [epochs][columns] */
    double *validation; /* [epochs][columns]; NULL without validation data */
} cnnc_history;

/* Keras's validation_split: how many of n examples are trained on, the first ones before shuffling; the others validate. */
size_t cnnc_split_at(size_t n, double validation_split);

/* epochs, batch_size, shuffle, seed and validation_split from the network, verbose 1, the rest NULL. */
void cnnc_fit_defaults(const cnnc_network *network, cnnc_fit_options *options);

/* Trains. The last batch of an epoch may be shorter and is trained on too. Loss and metrics of an epoch are averaged
 * over its examples while it runs, as Keras does. At the end network->finalize is called, also when stopped.
 * CNNC_STOPPED: a callback or *stop asked for it; the model is as after the last whole batch. history may be NULL;
 * it is to be freed whatever is returned. Fails when the loss is no longer finite, or a parameter at an epoch's end: the
 * message names the update and the first parameter that is not. A training that goes on from a checkpoint ends with the bits of one that never stopped. */
int cnnc_fit(cnnc_model *model, const cnnc_dataset *dataset, const cnnc_fit_options *options, cnnc_history *history,
             cnnc_error *error);
void cnnc_history_free(cnnc_history *history); /* and makes it zero */

typedef struct cnnc_forecast {
    size_t network_bytes;           /* the handle: parameters, optimizer's state, workers' memory */
    size_t data_bytes, order_bytes; /* training and validation data; the order of the examples */
    size_t kept_bytes;              /* weights that callbacks keep */
    uint64_t updates;               /* that are left to do */
    double update_seconds, epoch_seconds; /* an epoch with its validation */
    double seconds;                 /* of all that is left */
} cnnc_forecast;

/* What cnnc_fit with the same arguments would take. Bytes are exact; the time is that of some updates and evaluations (half a
 * second), after which the handle is put back bit by bit; that needs its memory twice. Checks all that cnnc_fit checks, the
 * checkpoint with `resume` included; writes nothing. Callbacks are not called; with `resume` their state is the checkpoint's. */
int cnnc_fit_forecast(cnnc_model *model, const cnnc_dataset *dataset, const cnnc_fit_options *options, cnnc_forecast *forecast, cnnc_error *error);

/* Loss and metrics over a dataset, to results[1 + metric_count]. batch_size <= 0: the network's. verbose as in fit,
 * to out (NULL: standard output). stop as in fit (CNNC_STOPPED: results are of the batches done); may be NULL. */
int cnnc_evaluate(cnnc_model *model, const cnnc_dataset *dataset, int batch_size, int verbose, FILE *out,
                  const volatile sig_atomic_t *stop, double *results, cnnc_error *error);

/* Outputs for n examples: inputs per input [n][shape] in its type (a dataset's inputs, say), outputs per output
 * [n][shape] in the output's type, the caller's memory. The rest as in cnnc_evaluate. */
int cnnc_predict(cnnc_model *model, const void *const *inputs, size_t n, int batch_size, int verbose, FILE *out,
                 const volatile sig_atomic_t *stop, void *const *outputs, cnnc_error *error);

/* ---- progress.c: Keras 3's progress bar -------------------------------------------------------------------------- */

typedef enum cnnc_progress_mode { CNNC_PROGRESS_SILENT, CNNC_PROGRESS_BAR, CNNC_PROGRESS_LINE } cnnc_progress_mode;

typedef struct cnnc_progress {
    FILE *out;
    cnnc_progress_mode mode;
    int color;  /* bold and colours; 0: none */
    int target; /* steps in all */
    double start, last_update, after_first_step; /* seconds; after_first_step < 0: not yet */
    int width;  /* columns of the line as it stands */
} cnnc_progress;

/* What verbose 0, 1, 2 means for a stream: 1 is a bar on a terminal and one line elsewhere. */
cnnc_progress_mode cnnc_progress_choose(int verbose, FILE *out);

/* Whether a stream wants colour: a terminal, TERM is not "dumb", and NO_COLOR is unset or empty. */
int cnnc_progress_color(FILE *out);

/* now: cnnc_seconds(), or any other clock that starts above zero. */
void cnnc_progress_begin(cnnc_progress *progress, FILE *out, cnnc_progress_mode mode, int color, int target, double now);

/* After `current` steps. values[i] is called names[i]; they are shown as they are. finalize: the last update, which
 * ends the line; others are shown at most every 0.05 s, and by a bar only. */
void cnnc_progress_update(cnnc_progress *progress, int current, const char *const *names, const double *values,
                          int count, int finalize, double now);

/* Ends a line that will not be finalized, so that something else can be printed. */
void cnnc_progress_break(cnnc_progress *progress);

/* A monotonic clock, in seconds. */
double cnnc_seconds(void);

/* ---- summary.c: Keras 3's summary table -------------------------------------------------------------------------- */

/* Prints what model.summary() prints. columns: of the terminal (cnnc_columns); color: escape sequences for bold and
 * colours (cnnc_progress_color), as Keras has on a terminal. The input rows of a chain are left out, as Keras leaves
 * them out of a Sequential; any other network gets the column "Connected to". Fails when memory is short or the
 * stream's write fails. */
int cnnc_summary(const cnnc_network *network, FILE *out, int columns, int color, cnnc_error *error);

/* Columns of the terminal behind a stream: the environment's COLUMNS, else the terminal's, else 80. */
int cnnc_columns(FILE *out);

/* ---- file.c ------------------------------------------------------------------------------------------------------- */

/* Makes a folder, with those above it, unless they are there; 0, with errno: cannot. The path, not empty, is as it was afterwards. */
int cnnc_make_folders(char *path);

#ifdef __cplusplus
}
#endif
#endif
