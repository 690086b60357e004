/* fit.c: training, evaluation and prediction over whole datasets. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cnnc_fit_defaults(const cnnc_network *network, cnnc_fit_options *options) {
    *options = (cnnc_fit_options){.epochs = network->epochs, .batch_size = network->batch_size, .verbose = 1};
    options->shuffle = network->shuffle;
    options->seed = network->seed;
}

void cnnc_history_free(cnnc_history *history) {
    if (!history)
        return;
    free(history->results);
    free(history->validation);
    *history = (cnnc_history){0};
}

/* ---- what all three need ----------------------------------------------------------------------------------------- */

static int batches_of(size_t n, int batch_size) {
    return (int)((n + (size_t)batch_size - 1) / (size_t)batch_size);
}

/* Examples in batch number `batch`: the last one may have fewer. */
static int batch_length(size_t n, int batch_size, int batch) {
    size_t left = n - (size_t)batch * (size_t)batch_size;
    return left < (size_t)batch_size ? (int)left : batch_size;
}

static int asked_to_stop(const volatile sig_atomic_t *stop) {
    return stop && *stop;
}

static int check_data(const cnnc_network *network, const cnnc_dataset *dataset, int batch_size, const char *what,
                      cnnc_error *error) {
    if (batch_size < 1)
        return cnnc_fail(error, "a batch size of %d", batch_size);
    if (dataset->n < 1 || dataset->n > INT32_MAX)
        return cnnc_fail(error, "%zu examples to %s, not 1 to %d", dataset->n, what, INT32_MAX);
    if (dataset->input_count != network->input_count || dataset->target_count != network->target_count)
        return cnnc_fail(error, "to %s, network %s needs %d inputs and %d targets, the data has %d and %d", what,
                         network->name, network->input_count, network->target_count, dataset->input_count,
                         dataset->target_count);
    return CNNC_OK;
}

/* to[i] = from[i] moved on by `first` examples. */
static void advance(const cnnc_tensor *tensors, int count, const void *const *from, size_t first, const void **to) {
    for (int i = 0; i < count; i++)
        to[i] = (const char *)from[i] + first * tensors[i].count * cnnc_type_size(tensors[i].type);
}

/* Names and values in the order in which Keras shows them, which is the alphabet's. */
typedef struct shown {
    int columns, count; /* count: with validation twice the columns */
    int *order;         /* [columns]: which result comes when */
    char *text;         /* the names with "val_" */
    const char **names;
    double *values;
} shown;

static const char *result_name(const cnnc_network *network, int column) {
    return column ? network->metrics[column - 1] : "loss";
}

static void shown_free(shown *s) {
    free(s->order);
    free(s->text);
    free(s->names);
    free(s->values);
    *s = (shown){0};
}

static int shown_new(shown *s, const cnnc_network *network, cnnc_error *error) {
    int columns = 1 + network->metric_count;
    size_t length = 1;
    for (int i = 0; i < columns; i++)
        length += strlen(result_name(network, i)) + 5;
    *s = (shown){.columns = columns, .count = columns};
    s->order = malloc((size_t)columns * sizeof *s->order);
    s->names = malloc(2 * (size_t)columns * sizeof *s->names);
    s->values = calloc(2 * (size_t)columns, sizeof *s->values);
    s->text = malloc(length);
    if (!s->order || !s->names || !s->values || !s->text) {
        shown_free(s);
        return cnnc_fail_system(error, "no memory for the names of %d results", columns);
    }
    for (int i = 0; i < columns; i++) { /* insertion sort: there are few */
        int k = i;
        for (; k > 0 && strcmp(result_name(network, s->order[k - 1]), result_name(network, i)) > 0; k--)
            s->order[k] = s->order[k - 1];
        s->order[k] = i;
    }
    char *text = s->text;
    for (int i = 0; i < columns; i++) {
        const char *name = result_name(network, s->order[i]);
        s->names[i] = name;
        s->names[columns + i] = text;
        text += sprintf(text, "val_%s", name) + 1;
    }
    return CNNC_OK;
}

static void shown_set(shown *s, const double *results, const double *validation) {
    s->count = validation ? 2 * s->columns : s->columns;
    for (int i = 0; i < s->columns; i++) {
        s->values[i] = results[s->order[i]];
        if (validation)
            s->values[s->columns + i] = validation[s->order[i]];
    }
}

static void show(cnnc_progress *progress, const shown *s, int step, int finalize) {
    cnnc_progress_update(progress, step, s->names, s->values, s->count, finalize, cnnc_seconds());
}

static void start_progress(cnnc_progress *progress, int verbose, FILE *out, int steps) {
    out = out ? out : stdout;
    cnnc_progress_mode mode = cnnc_progress_choose(verbose, out);
    cnnc_progress_begin(progress, out, mode, cnnc_progress_color(out), steps, cnnc_seconds());
}

/* ---- fit --------------------------------------------------------------------------------------------------------- */

typedef struct training {
    cnnc_model *model;
    const cnnc_dataset *data;
    const cnnc_fit_options *options;
    cnnc_history *history;
    int columns;
    uint32_t *index;                              /* [n]: the order of the examples */
    double *batch, *sums, *averages, *validation; /* [columns] each; batch owns all */
    shown shown;
    cnnc_progress progress;
    cnnc_position position; /* the next batch to train on, when a checkpoint is made or was read */
    double began; /* the epoch, in seconds */
} training;

static int call_back(training *t, cnnc_event_kind kind, int epoch, int batch, int batches) {
    if (!t->options->callback)
        return 0;
    cnnc_event event = {.kind = kind, .epoch = epoch, .epochs = t->options->epochs, .batch = batch, .batches = batches};
    event.results = kind == CNNC_EPOCH_BEGIN ? NULL : t->averages;
    event.validation = kind == CNNC_EPOCH_END && t->options->validation ? t->validation : NULL;
    event.seconds = cnnc_seconds() - t->began;
    return t->options->callback(t->options->callback_context, t->model, &event);
}

/* A loss that is not a number stays so: whoever waits for the end waits in vain. */
static int not_a_number(const training *t, int epoch, int batch, cnnc_error *error) {
    const cnnc_network *network = t->model->network;
    const cnnc_state *state = t->model->state;
    const char *first = NULL;
    for (int i = 0; i < network->parameters_length && !first; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        for (size_t k = p->offset; k < p->offset + p->count && !first; k++)
            if (!isfinite(network->type == CNNC_F64 ? ((const double *)state->parameters)[k] : ((const float *)state->parameters)[k]))
                first = p->name;
    }
    return cnnc_fail(error, "the loss is %g in epoch %d, batch %d (update %llu); %s%s%s", t->batch[0], epoch + 1, batch + 1,
                     (unsigned long long)state->step, first ? "'" : "all parameters are finite", first ? first : "", first ? "' is the first parameter that is not finite" : "");
}

static int save_checkpoint(training *t, int epoch, int batch, cnnc_error *error) {
    t->position.epoch = (uint64_t)epoch;
    t->position.batch = (uint64_t)batch;
    return t->options->checkpoint ? cnnc_checkpoint_save(t->model, &t->position, t->options->checkpoint, error) : CNNC_OK;
}

/* One epoch's batches, from the one where a checkpoint was made on. */
static int train_batches(training *t, int epoch, int first, cnnc_error *error) {
    int size = t->options->batch_size, batches = batches_of(t->data->n, size), every = t->options->checkpoint_batches;
    size_t n = t->data->n, seen = (size_t)first * (size_t)size;
    if (first == 0)
        memset(t->sums, 0, (size_t)t->columns * sizeof *t->sums);
    for (int b = first; b < batches; b++) {
        cnnc_batch batch = {.n = batch_length(n, size, b), .index = t->index + seen};
        batch.inputs = (const void *const *)t->data->inputs;
        batch.targets = (const void *const *)t->data->targets;
        if (cnnc_model_train_batch(t->model, &batch, t->batch, error) != CNNC_OK)
            return CNNC_FAILED;
        if (!isfinite(t->batch[0]))
            return not_a_number(t, epoch, b, error);
        seen += (size_t)batch.n;
        for (int c = 0; c < t->columns; c++) {
            t->sums[c] += t->batch[c] * batch.n;
            t->averages[c] = t->sums[c] / (double)seen;
        }
        shown_set(&t->shown, t->averages, NULL);
        if (t->progress.mode == CNNC_PROGRESS_BAR)
            show(&t->progress, &t->shown, b + 1, 0);
        int stop = call_back(t, CNNC_BATCH_END, epoch, b, batches) || asked_to_stop(t->options->stop);
        int last = b + 1 == batches, due = every > 0 && (b + 1) % every == 0 && !last; /* the epoch's end has one of its own */
        if ((stop || due) && save_checkpoint(t, last ? epoch + 1 : epoch, last ? 0 : b + 1, error) != CNNC_OK)
            return CNNC_FAILED;
        if (stop)
            return CNNC_STOPPED;
    }
    return CNNC_OK;
}

static int remember(training *t, cnnc_error *error) {
    cnnc_history *h = t->history;
    if (!h)
        return CNNC_OK;
    size_t row = (size_t)t->columns, size = ((size_t)h->epochs + 1) * row * sizeof(double);
    double *results = realloc(h->results, size), *validation = NULL;
    if (results)
        h->results = results;
    if (t->options->validation && (validation = realloc(h->validation, size)))
        h->validation = validation;
    if (!results || (t->options->validation && !validation))
        return cnnc_fail_system(error, "no memory for the history of %d epochs", h->epochs + 1);
    memcpy(results + (size_t)h->epochs * row, t->averages, row * sizeof(double));
    if (validation)
        memcpy(validation + (size_t)h->epochs * row, t->validation, row * sizeof(double));
    h->epochs++;
    return CNNC_OK;
}

static int run_epoch(training *t, int epoch, int first, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    int batches = batches_of(t->data->n, o->batch_size);
    t->began = cnnc_seconds();
    start_progress(&t->progress, o->verbose, o->out, batches);
    if (o->verbose > 0 && o->epochs > 1) {
        fprintf(t->progress.out, "Epoch %d/%d\n", epoch + 1, o->epochs);
        fflush(t->progress.out);
    }
    if (o->shuffle)
        cnnc_shuffle(t->index, (uint32_t)t->data->n, o->seed, (uint64_t)epoch);
    if (call_back(t, CNNC_EPOCH_BEGIN, epoch, 0, batches))
        return CNNC_STOPPED;
    int result = train_batches(t, epoch, first, error);
    if (result == CNNC_OK && o->validation)
        result = cnnc_evaluate(t->model, o->validation, o->batch_size, 0, NULL, o->stop, t->validation, error);
    if (result != CNNC_OK) {
        cnnc_progress_break(&t->progress);
        return result;
    }
    shown_set(&t->shown, t->averages, o->validation ? t->validation : NULL);
    show(&t->progress, &t->shown, batches, 1);
    if (remember(t, error) != CNNC_OK || save_checkpoint(t, epoch + 1, 0, error) != CNNC_OK)
        return CNNC_FAILED;
    return call_back(t, CNNC_EPOCH_END, epoch, batches - 1, batches) ? CNNC_STOPPED : CNNC_OK;
}

static int open_training(training *t, cnnc_error *error) {
    const cnnc_network *network = t->model->network;
    const cnnc_fit_options *o = t->options;
    if (o->epochs < 0)
        return cnnc_fail(error, "%d epochs", o->epochs);
    if (o->resume && !o->checkpoint)
        return cnnc_fail(error, "to resume a training, name its checkpoint");
    if (check_data(network, t->data, o->batch_size, "train", error) != CNNC_OK)
        return CNNC_FAILED;
    if (o->validation && check_data(network, o->validation, o->batch_size, "validate", error) != CNNC_OK)
        return CNNC_FAILED;
    if (shown_new(&t->shown, network, error) != CNNC_OK)
        return CNNC_FAILED;
    size_t columns = (size_t)t->columns;
    t->batch = calloc(4 * columns, sizeof *t->batch);
    t->index = malloc(t->data->n * sizeof *t->index);
    if (!t->batch || !t->index)
        return cnnc_fail_system(error, "no memory for the order of %zu examples", t->data->n);
    t->sums = t->batch + columns;
    t->averages = t->sums + columns;
    t->validation = t->averages + columns;
    for (uint32_t i = 0; i < t->data->n; i++)
        t->index[i] = i;
    t->position = (cnnc_position){.examples = t->data->n, .batch_size = (uint64_t)o->batch_size, .seed = o->seed, .shuffle = o->shuffle != 0, .sums = t->sums};
    if (!o->resume)
        return CNNC_OK;
    if (cnnc_checkpoint_load(t->model, &t->position, o->checkpoint, error) != CNNC_OK)
        return CNNC_FAILED;
    if (o->verbose > 0)
        fprintf(o->out ? o->out : stdout, "Resumed after %llu updates%s\n", (unsigned long long)t->model->state->step,
                (int)t->position.epoch < o->epochs ? "" : ": no epoch is left");
    return CNNC_OK;
}

int cnnc_fit(cnnc_model *model, const cnnc_dataset *dataset, const cnnc_fit_options *options, cnnc_history *history,
             cnnc_error *error) {
    const cnnc_network *network = model->network;
    training t = {.model = model, .data = dataset, .options = options, .history = history};
    t.columns = 1 + network->metric_count;
    if (history)
        *history = (cnnc_history){.columns = t.columns};
    int result = open_training(&t, error);
    int opened = result == CNNC_OK;
    for (int epoch = (int)t.position.epoch, first = (int)t.position.batch; epoch < options->epochs && result == CNNC_OK; epoch++, first = 0)
        result = run_epoch(&t, epoch, first, error);
    if (opened && result != CNNC_FAILED && options->epochs > 0 && network->finalize) {
        network->finalize(model->net);
        cnnc_model_parameters_changed(model);
    }
    shown_free(&t.shown);
    free(t.batch);
    free(t.index);
    return result;
}

/* ---- evaluate ---------------------------------------------------------------------------------------------------- */

typedef struct evaluation {
    const void **arrays;  /* inputs, then targets, of the batch */
    double *batch, *sums; /* [columns]; batch owns both */
    shown shown;
} evaluation;

static int evaluate_batches(evaluation *e, cnnc_model *model, const cnnc_dataset *data, int size, cnnc_progress *progress,
                            const volatile sig_atomic_t *stop, double *results, cnnc_error *error) {
    const cnnc_network *network = model->network;
    int batches = batches_of(data->n, size), columns = 1 + network->metric_count;
    size_t seen = 0;
    for (int b = 0; b < batches; b++) {
        const void **targets = e->arrays + data->input_count;
        advance(network->inputs, data->input_count, (const void *const *)data->inputs, seen, e->arrays);
        advance(network->targets, data->target_count, (const void *const *)data->targets, seen, targets);
        cnnc_batch batch = {.n = batch_length(data->n, size, b), .inputs = e->arrays, .targets = targets};
        if (cnnc_model_evaluate_batch(model, &batch, e->batch, error) != CNNC_OK)
            return CNNC_FAILED;
        seen += (size_t)batch.n;
        for (int c = 0; c < columns; c++) {
            e->sums[c] += e->batch[c] * batch.n;
            results[c] = e->sums[c] / (double)seen;
        }
        shown_set(&e->shown, results, NULL);
        if (progress->mode == CNNC_PROGRESS_BAR)
            show(progress, &e->shown, b + 1, 0);
        if (asked_to_stop(stop) && b + 1 < batches)
            return CNNC_STOPPED;
    }
    show(progress, &e->shown, batches, 1);
    return CNNC_OK;
}

int cnnc_evaluate(cnnc_model *model, const cnnc_dataset *dataset, int batch_size, int verbose, FILE *out,
                  const volatile sig_atomic_t *stop, double *results, cnnc_error *error) {
    const cnnc_network *network = model->network;
    batch_size = batch_size > 0 ? batch_size : network->batch_size;
    if (check_data(network, dataset, batch_size, "evaluate", error) != CNNC_OK)
        return CNNC_FAILED;
    evaluation e = {0};
    if (shown_new(&e.shown, network, error) != CNNC_OK)
        return CNNC_FAILED;
    size_t columns = (size_t)e.shown.columns, arrays = (size_t)(dataset->input_count + dataset->target_count);
    e.arrays = calloc(arrays + 1, sizeof *e.arrays);
    e.batch = calloc(2 * columns, sizeof *e.batch);
    memset(results, 0, columns * sizeof *results);
    int result;
    if (e.arrays && e.batch) {
        e.sums = e.batch + columns;
        cnnc_progress progress;
        start_progress(&progress, verbose, out, batches_of(dataset->n, batch_size));
        result = evaluate_batches(&e, model, dataset, batch_size, &progress, stop, results, error);
        cnnc_progress_break(&progress);
    } else {
        result = cnnc_fail_system(error, "no memory to evaluate");
    }
    free(e.arrays);
    free(e.batch);
    shown_free(&e.shown);
    return result;
}

/* ---- predict ----------------------------------------------------------------------------------------------------- */

/* pointers: room for the batch's inputs and outputs. */
static int predict_batches(cnnc_model *model, const void *const *inputs, size_t n, int size, cnnc_progress *progress,
                           const volatile sig_atomic_t *stop, void *const *outputs, const void **in, void **out,
                           cnnc_error *error) {
    const cnnc_network *network = model->network;
    int batches = batches_of(n, size);
    for (int b = 0; b < batches; b++) {
        size_t first = (size_t)b * (size_t)size;
        advance(network->inputs, network->input_count, inputs, first, in);
        for (int i = 0; i < network->output_count; i++) {
            const cnnc_tensor *tensor = &network->outputs[i];
            out[i] = (char *)outputs[i] + first * tensor->count * cnnc_type_size(tensor->type);
        }
        cnnc_batch batch = {.n = batch_length(n, size, b), .inputs = in, .outputs = out};
        if (cnnc_model_predict_batch(model, &batch, error) != CNNC_OK)
            return CNNC_FAILED;
        cnnc_progress_update(progress, b + 1, NULL, NULL, 0, 0, cnnc_seconds());
        if (asked_to_stop(stop) && b + 1 < batches)
            return CNNC_STOPPED;
    }
    cnnc_progress_update(progress, batches, NULL, NULL, 0, 1, cnnc_seconds());
    return CNNC_OK;
}

int cnnc_predict(cnnc_model *model, const void *const *inputs, size_t n, int batch_size, int verbose, FILE *out,
                 const volatile sig_atomic_t *stop, void *const *outputs, cnnc_error *error) {
    const cnnc_network *network = model->network;
    batch_size = batch_size > 0 ? batch_size : network->batch_size;
    if (batch_size < 1)
        return cnnc_fail(error, "a batch size of %d", batch_size);
    if (n < 1 || n > INT32_MAX)
        return cnnc_fail(error, "%zu examples to predict, not 1 to %d", n, INT32_MAX);
    const void **in = calloc((size_t)network->input_count + 1, sizeof *in);
    void **to = calloc((size_t)network->output_count + 1, sizeof *to);
    int result;
    if (in && to) {
        cnnc_progress progress;
        start_progress(&progress, verbose, out, batches_of(n, batch_size));
        result = predict_batches(model, inputs, n, batch_size, &progress, stop, outputs, in, to, error);
        cnnc_progress_break(&progress);
    } else {
        result = cnnc_fail_system(error, "no memory to predict");
    }
    free(in);
    free(to);
    return result;
}
