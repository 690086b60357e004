/* private.h: what the runtime's files share among themselves and do not show to their users. */
#ifndef CNNC_PRIVATE_H
#define CNNC_PRIVATE_H

#include "cnnc_runtime.h"

#if defined(__GNUC__) || defined(__clang__)
#define CNNC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CNNC_PRINTF(text, first)
#endif

#define CNNC_ALIGNMENT 64

/* error.c: fill in *error, when there is one. Control characters become '?'. The second: for want of memory, or a read or write
 * that failed. */
void cnnc_explain(cnnc_error *error, const char *format, ...) CNNC_PRINTF(2, 3);
void cnnc_explain_system(cnnc_error *error, const char *format, ...) CNNC_PRINTF(2, 3);
static inline int cnnc_failure(void) { return CNNC_FAILED; }
#define cnnc_fail(...) (cnnc_explain(__VA_ARGS__), cnnc_failure()) /* macros: compilers and analysers see that it is a failure */
#define cnnc_fail_system(...) (cnnc_explain_system(__VA_ARGS__), cnnc_failure())

/* file.c: all bytes of a regular file, to be freed by free(); one zero follows them. */
int cnnc_file_bytes(const char *path, unsigned char **bytes, size_t *size, cnnc_error *error);
int cnnc_file_first_bytes(const char *path, size_t most, unsigned char **bytes, size_t *size, cnnc_error *error); /* no more than so many */

/* file.c: a file that appears whole or not at all. Begin, write to stream, then commit. What exists and is no regular
 * file (/dev/null) is written to directly; a file that is replaced leaves its permissions, and a link to it stays. */
typedef struct cnnc_output {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL: written directly */
    char *target;    /* what it is renamed to; NULL: path */
} cnnc_output;

int cnnc_output_begin(cnnc_output *output, const char *path, cnnc_error *error);
int cnnc_output_commit(cnnc_output *output, cnnc_error *error); /* fails when any write failed, and leaves nothing */

const char *cnnc_metadata_of(const cnnc_safetensors *file, const char *key); /* safetensors.c: its value; "": there is none */
int cnnc_is_checkpoint(const cnnc_safetensors *file);                        /* checkpoint.c: or only weights */

/* array.c */
void *cnnc_allocate(size_t bytes); /* aligned, not zeroed, never of no bytes; NULL; free() */

typedef enum { CNNC_LITTLE_ENDIAN, CNNC_BIG_ENDIAN } cnnc_byte_order;
void cnnc_reorder(cnnc_byte_order order, void *data, size_t count, size_t size); /* elements from that order to the machine's, or back */
void cnnc_write_elements(FILE *out, const cnnc_array *array);                    /* little-endian */

/* Sets count from dtype, rank and shape, and *bytes; fails when they overflow. */
int cnnc_array_measure(cnnc_array *array, size_t *bytes);

/* As cnnc_array_convert; *bad is the element that a failure is about. */
int cnnc_array_convert_at(const cnnc_array *array, size_t first, size_t count, cnnc_type type, void *to, size_t *bad,
                          cnnc_error *error);

/* "60000x28x28" to text[size]; "scalar" for rank 0. */
void cnnc_shape_text(char *text, size_t size, int rank, const size_t *shape);
void cnnc_tensor_text(char *text, size_t size, int rank, const int *shape);

/* weights.c: all parameters as tensors; base: where they are, or a slot of theirs. */
void cnnc_list_parameters(const cnnc_network *network, void *base, cnnc_safetensor *tensors);

/* orthogonal.c: fills a matrix with orthogonal rows or, if there are fewer, columns of that length. */
void cnnc_orthogonal(cnnc_type type, void *base, size_t rows, size_t columns, double length, cnnc_random *random);

/* random.c: a * b, rounded to double and never fused with an addition. */
double cnnc_times(double a, double b);

/* model.c: the means of a batch's totals come to model->means; and the results that they make. */
int cnnc_total_count(const cnnc_network *network);
int cnnc_train_means(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error);
int cnnc_evaluate_means(cnnc_model *model, const cnnc_batch *batch, cnnc_error *error);
void cnnc_make_results(const cnnc_network *network, const double *means, double *results);

/* ---- results.c: what training and evaluation share --------------------------------------------------------------- */

int cnnc_batches(size_t n, int batch_size);
int cnnc_batch_length(size_t n, int batch_size, int batch); /* examples in it: the last one may have fewer */
int cnnc_asked_to_stop(const volatile sig_atomic_t *stop);
int cnnc_check_data(const cnnc_network *network, const cnnc_dataset *dataset, int batch_size, const char *what, cnnc_error *error);

/* Names and values in the order in which Keras shows them, which is the alphabet's. */
typedef struct cnnc_shown {
    int columns, count; /* count: with validation twice the columns */
    int *order;         /* [columns]: which result comes when */
    char *text;         /* the names with "val_" */
    const char **names; /* [2 * columns + 1] */
    double *values;
} cnnc_shown;

const char *cnnc_result_name(const cnnc_network *network, int column); /* "loss", then the metrics */
int cnnc_shown_new(cnnc_shown *s, const cnnc_network *network, cnnc_error *error);
void cnnc_shown_free(cnnc_shown *s);
void cnnc_shown_set(cnnc_shown *s, const double *results, const double *validation); /* validation may be NULL */
void cnnc_shown_rate(cnnc_shown *s, double rate); /* and the learning rate behind them */
void cnnc_show(cnnc_progress *progress, const cnnc_shown *s, int step, int finalize);
void cnnc_start_progress(cnnc_progress *progress, int verbose, FILE *out, int steps);

/* ---- monitor.c: what callbacks share ----------------------------------------------------------------------------- */

enum { CNNC_NUMBER = 400 }; /* room for the text of any double */

/* decimal.c: a double as Python's repr writes it, with a point in every locale: the shortest decimal that reads back equal. */
const char *cnnc_number_text(char text[CNNC_NUMBER], double value);

/* decimal.c: the number that text[length] is, with a point in every locale; NONE: it is none; BEYOND: it is too large or too long. */
typedef enum cnnc_decimal_result { CNNC_DECIMAL_FINE, CNNC_DECIMAL_NONE, CNNC_DECIMAL_BEYOND } cnnc_decimal_result;
cnnc_decimal_result cnnc_decimal(const char *text, size_t length, double *value);

typedef struct cnnc_monitor {
    const char *name; /* as Keras calls it: "val_loss" */
    int validation, column, maximize;
    double min_delta;
} cnnc_monitor;

/* The result of that name and the direction in which it gets better. who: for the message when there is none. */
int cnnc_monitor_find(cnnc_monitor *monitor, const cnnc_network *network, const char *name, cnnc_mode mode, double min_delta, const char *who,
                      cnnc_error *error);
double cnnc_monitor_value(const cnnc_monitor *monitor, const cnnc_event *event);
/* Whether value is better than reference by more than min_delta; anything is better than NaN, which says "none yet". */
int cnnc_monitor_improved(const cnnc_monitor *monitor, double value, double reference);

/* Says something below the progress bar; out: NULL for silence. */
void cnnc_say(FILE *out, const char *format, ...) CNNC_PRINTF(2, 3);

/* ---- tfevents.c: TensorBoard's event files ------------------------------------------------------------------------ */

uint32_t cnnc_crc32c(const void *bytes, size_t size);     /* Castagnoli's, RFC 3720 */
uint32_t cnnc_crc32c_masked(const void *bytes, size_t size); /* as TFRecord stores it */

/* A record: length, its crc, the bytes, their crc. */
int cnnc_tfrecord_write(FILE *out, const void *bytes, size_t size); /* 0, or -1 when a write failed */

/* Events: what opens a file; a session that starts at a step (what other files have from there on is void); one scalar. */
int cnnc_tfevents_version(FILE *out, double seconds);
int cnnc_tfevents_start(FILE *out, double seconds, int64_t step);
int cnnc_tfevents_scalar(FILE *out, double seconds, int64_t step, const char *tag, float number);

/* ---- recipe.c: what decides the bits of a training, as lines of text ---------------------------------------------- */

/* The network's description, the code that computes it, the hooks' options. To be freed; NULL without memory or optimizer. */
char *cnnc_recipe(const cnnc_model *model, const cnnc_hook *hooks, int count, cnnc_error *error);
/* Whether two are the same; if not, what differs first, to difference[size]. */
int cnnc_recipe_same(const char *before, const char *now, char *difference, size_t size);

/* ---- hooks.c: a training's callbacks, one after the other -------------------------------------------------------- */

/* Copies format's text to the hook as its options; CNNC_FAILED without memory. */
int cnnc_hook_options(cnnc_hook *hook, cnnc_error *error, const char *format, ...) CNNC_PRINTF(3, 4);
/* All of them get the event, whatever the first ones answer, until one fails; the gravest answer: failed, stopped, finished. */
int cnnc_hooks_call(const cnnc_hook *hooks, int count, cnnc_model *model, const cnnc_event *event);

#endif
