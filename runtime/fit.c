/* fit.c: training over a whole dataset: epochs of batches, validation, callbacks, checkpoints. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cnnc_fit_defaults(const cnnc_network *network, cnnc_fit_options *options) {
    *options = (cnnc_fit_options){.epochs = network->epochs, .batch_size = network->batch_size, .verbose = 1};
    options->shuffle = network->shuffle;
    options->seed = network->seed;
    options->validation_split = network->validation_split;
}

void cnnc_history_free(cnnc_history *history) {
    if (!history)
        return;
    free(history->results);
    free(history->validation);
    *history = (cnnc_history){0};
}

typedef struct training {
    cnnc_model *model;
    const cnnc_dataset *data, *validate; /* validate: NULL without validation data */
    cnnc_dataset views[2];               /* what the two are when the data was split */
    const cnnc_fit_options *options;
    cnnc_history *history;
    int columns;
    int shows_rate;
    uint32_t *index;                              /* [n]: the order of the examples */
    int totals;                                   /* that results are made of */
    double *sums, *means;                         /* [totals]; sums owns all */
    double *batch, *averages, *validation;        /* [columns]; of the last batch, ... */
    cnnc_shown shown;
    cnnc_progress progress;
    cnnc_position position; /* the next batch to train on, when a checkpoint is made or was read */
    double began;           /* the epoch, in seconds */
    double rate;            /* of the epoch */
    cnnc_error *error;
} training;

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static cnnc_event make_event(const training *t, cnnc_event_kind kind, int epoch, int batch) {
    cnnc_event event = {.kind = kind, .epoch = epoch, .epochs = t->options->epochs, .batch = batch, .batches = cnnc_batches(t->data->n, t->options->batch_size)};
    event.results = kind == CNNC_BATCH_END || kind == CNNC_EPOCH_END ? t->averages : NULL;
    event.validation = kind == CNNC_EPOCH_END && t->validate ? t->validation : NULL;
    event.seconds = cnnc_seconds() - t->began;
    event.learning_rate = t->rate;
    event.shows_rate = t->shows_rate;
    event.resumed = t->options->resume;
    event.error = t->error;
    return event;
}

/* The hooks, then the callback. */
static int call_back(training *t, cnnc_event_kind kind, int epoch, int batch) {
    const cnnc_fit_options *o = t->options;
    cnnc_event event = make_event(t, kind, epoch, batch);
    const cnnc_hook last = {.call = o->callback, .context = o->callback_context};
    int plain = o->callback && kind != CNNC_TRAIN_BEGIN && kind != CNNC_TRAIN_END;
    int result = cnnc_hooks_call(o->hooks, o->hook_count, t->model, &event);
    if (!plain || result == CNNC_FAILED)
        return result;
    int answer = cnnc_hooks_call(&last, 1, t->model, &event);
    return answer == CNNC_OK || result == CNNC_STOPPED ? result : answer;
}

static int start_callbacks(training *t) {
    t->rate = t->model->state->learning_rate;
    t->began = cnnc_seconds();
    return call_back(t, CNNC_TRAIN_BEGIN, (int)t->position.epoch - t->position.pending, 0);
}

/* ---- what is no number ------------------------------------------------------------------------------------------- */

/* The first parameter with an element that is not finite, or NULL. */
static const char *not_finite(const cnnc_model *model) {
    const cnnc_network *network = model->network;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        for (size_t k = p->offset; k < p->offset + p->count; k++)
            if (!isfinite(network->type == CNNC_F64 ? ((const double *)model->state->parameters)[k] : ((const float *)model->state->parameters)[k]))
                return p->name;
    }
    return NULL;
}

/* For printf, which shows the sign of a NaN too. */
static double plain(double loss) {
    return isnan(loss) ? fabs(loss) : loss;
}

/* A loss that is not a number stays so: whoever waits for the end waits in vain. */
static int not_a_number(const training *t, int epoch, int batch, cnnc_error *error) {
    const char *first = not_finite(t->model);
    return cnnc_fail(error, "the loss is %g in epoch %d, batch %d (update %llu); %s%s%s", plain(t->batch[0]), epoch + 1, batch + 1,
                     (unsigned long long)t->model->state->step, first ? "'" : "all parameters are finite", first ? first : "", first ? "' is the first parameter that is not finite" : "");
}

/* The last update of an epoch may have spoilt what no later loss of it shows. */
static int check_parameters(const training *t, int epoch, cnnc_error *error) {
    const char *first = not_finite(t->model);
    return first ? cnnc_fail(error, "after epoch %d (update %llu) '%s' is the first parameter that is not finite; the loss is %g", epoch + 1,
                             (unsigned long long)t->model->state->step, first, plain(t->batch[0]))
                 : CNNC_OK;
}

/* ---- epochs ------------------------------------------------------------------------------------------------------ */

static int save_checkpoint(training *t, int epoch, int batch, int pending, int finished, cnnc_error *error) {
    t->position.epoch = (uint64_t)epoch;
    t->position.batch = (uint64_t)batch;
    t->position.pending = pending;
    t->position.finished = finished;
    return t->options->checkpoint ? cnnc_checkpoint_save(t->model, &t->position, t->options->checkpoint, error) : CNNC_OK;
}

/* What a stopped training has to do first when it goes on: the next batch, or what comes at the epoch's end. */
static int save_stopped(training *t, int epoch, int batch, cnnc_error *error) {
    int end = batch == cnnc_batches(t->data->n, t->options->batch_size);
    return save_checkpoint(t, end ? epoch + 1 : epoch, end ? 0 : batch, end, 0, error);
}

static void average(training *t, size_t seen) {
    for (int c = 0; c < t->totals; c++)
        t->means[c] = t->sums[c] / (double)seen;
    cnnc_make_results(t->model->network, t->means, t->averages);
}

static int train_one(training *t, int epoch, int b, size_t *seen, cnnc_error *error) {
    cnnc_batch batch = {.n = cnnc_batch_length(t->data->n, t->options->batch_size, b), .index = t->index + *seen};
    batch.inputs = (const void *const *)t->data->inputs;
    batch.targets = (const void *const *)t->data->targets;
    if (cnnc_train_means(t->model, &batch, error) != CNNC_OK)
        return CNNC_FAILED;
    cnnc_make_results(t->model->network, t->model->means, t->batch);
    if (!isfinite(t->batch[0]))
        return not_a_number(t, epoch, b, error);
    *seen += (size_t)batch.n;
    for (int c = 0; c < t->totals; c++)
        t->sums[c] += t->model->means[c] * batch.n;
    average(t, *seen);
    return CNNC_OK;
}

/* One epoch's batches, from the one where a checkpoint was made on: none are left when only the epoch's end was. */
static int train_batches(training *t, int epoch, int first, cnnc_error *error) {
    int size = t->options->batch_size, batches = cnnc_batches(t->data->n, size), every = t->options->checkpoint_batches;
    size_t seen = first == batches ? t->data->n : (size_t)first * (size_t)size;
    if (first == 0)
        memset(t->sums, 0, (size_t)t->totals * sizeof *t->sums);
    else
        average(t, seen);
    for (int b = first; b < batches; b++) {
        if (train_one(t, epoch, b, &seen, error) != CNNC_OK)
            return CNNC_FAILED;
        cnnc_shown_set(&t->shown, t->averages, NULL);
        if (t->progress.mode == CNNC_PROGRESS_BAR)
            cnnc_show(&t->progress, &t->shown, b + 1, 0);
        int answer = call_back(t, CNNC_BATCH_END, epoch, b), stop = answer != CNNC_OK || cnnc_asked_to_stop(t->options->stop);
        int due = every > 0 && (b + 1) % every == 0 && b + 1 < batches; /* the epoch's end has one of its own */
        if (answer == CNNC_FAILED || ((stop || due) && save_stopped(t, epoch, b + 1, error) != CNNC_OK))
            return CNNC_FAILED;
        if (stop)
            return CNNC_STOPPED;
    }
    return check_parameters(t, epoch, error);
}

static int remember(training *t, cnnc_error *error) {
    cnnc_history *h = t->history;
    if (!h)
        return CNNC_OK;
    size_t row = (size_t)t->columns, size = ((size_t)h->epochs + 1) * row * sizeof(double);
    double *results = realloc(h->results, size), *validation = NULL;
    if (results)
        h->results = results;
    if (t->validate && (validation = realloc(h->validation, size)))
        h->validation = validation;
    if (!results || (t->validate && !validation))
        return cnnc_fail_system(error, "no memory for the history of %d epochs", h->epochs + 1);
    memcpy(results + (size_t)h->epochs * row, t->averages, row * sizeof(double));
    if (validation)
        memcpy(validation + (size_t)h->epochs * row, t->validation, row * sizeof(double));
    h->epochs++;
    return CNNC_OK;
}

/* Validation, what is shown and remembered, callbacks, a checkpoint with what they left. */
static int end_epoch(training *t, int epoch, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    int batches = cnnc_batches(t->data->n, o->batch_size), result = CNNC_OK;
    if (t->validate)
        result = cnnc_evaluate(t->model, t->validate, o->batch_size, 0, NULL, o->stop, t->validation, error);
    if (result == CNNC_STOPPED && save_stopped(t, epoch, batches, error) != CNNC_OK)
        result = CNNC_FAILED;
    if (result != CNNC_OK)
        return result;
    cnnc_shown_set(&t->shown, t->averages, t->validate ? t->validation : NULL);
    if (t->shows_rate)
        cnnc_shown_rate(&t->shown, t->rate);
    cnnc_show(&t->progress, &t->shown, batches, 1);
    if (remember(t, error) != CNNC_OK)
        return CNNC_FAILED;
    int answer = call_back(t, CNNC_EPOCH_END, epoch, batches - 1);
    if (answer == CNNC_FAILED || save_checkpoint(t, epoch + 1, 0, 0, answer == CNNC_FINISHED, error) != CNNC_OK)
        return CNNC_FAILED;
    return answer;
}

static int run_epoch(training *t, int epoch, int first, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    t->began = cnnc_seconds();
    t->rate = t->model->state->learning_rate;
    cnnc_start_progress(&t->progress, o->verbose, o->out, cnnc_batches(t->data->n, o->batch_size));
    if (o->verbose > 0 && o->epochs > 1) {
        fprintf(t->progress.out, "Epoch %d/%d\n", epoch + 1, o->epochs);
        fflush(t->progress.out);
    }
    if (o->shuffle)
        cnnc_shuffle(t->index, (uint32_t)t->data->n, o->seed, (uint64_t)epoch);
    int result = call_back(t, CNNC_EPOCH_BEGIN, epoch, 0);
    if (result == CNNC_FINISHED)
        result = CNNC_STOPPED;
    if (result == CNNC_OK)
        result = train_batches(t, epoch, first, error);
    if (result == CNNC_OK)
        result = end_epoch(t, epoch, error);
    cnnc_progress_break(&t->progress);
    return result;
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

size_t cnnc_split_at(size_t n, double validation_split) { return (size_t)floor((double)n * (1 - validation_split)); }

/* Keras's split: the last part, before shuffling. */
static int split_data(training *t, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    const cnnc_network *network = t->model->network;
    t->validate = o->validation;
    if (t->validate || o->validation_split == 0)
        return CNNC_OK;
    if (!(o->validation_split > 0 && o->validation_split < 1))
        return cnnc_fail(error, "a validation split of %g, not between 0 and 1", o->validation_split);
    size_t n = t->data->n, at = cnnc_split_at(n, o->validation_split);
    if (at == 0 || at == n)
        return cnnc_fail(error, "%zu examples are too few for a validation split of %g", n, o->validation_split);
    if (cnnc_dataset_view(network, t->data, 0, at, &t->views[0], error) != CNNC_OK || cnnc_dataset_view(network, t->data, at, n, &t->views[1], error) != CNNC_OK)
        return CNNC_FAILED;
    t->data = &t->views[0];
    t->validate = &t->views[1];
    return CNNC_OK;
}

static int check_options(training *t, cnnc_error *error) {
    const cnnc_network *network = t->model->network;
    const cnnc_fit_options *o = t->options;
    if (o->epochs < 0)
        return cnnc_fail(error, "%d epochs", o->epochs);
    if (o->resume && !o->checkpoint)
        return cnnc_fail(error, "to resume a training, name its checkpoint");
    if (cnnc_check_data(network, t->data, o->batch_size, "train", error) != CNNC_OK)
        return CNNC_FAILED;
    if (o->validation && cnnc_check_data(network, o->validation, o->batch_size, "validate", error) != CNNC_OK)
        return CNNC_FAILED;
    if (split_data(t, error) != CNNC_OK)
        return CNNC_FAILED;
    for (int i = 0; i < o->hook_count; i++) {
        t->shows_rate |= o->hooks[i].changes_rate;
        if (o->hooks[i].changes_rate && network->schedule)
            return cnnc_fail(error, "%s changes the learning rate, and that of network %s follows a schedule", o->hooks[i].name, network->name);
        if (o->hooks[i].needs_validation && !t->validate)
            return cnnc_fail(error, "%s monitors a result of validation data, and there is none", o->hooks[i].name);
        if (o->hooks[i].needs_validation)
            t->position.validation = t->validate->n;
    }
    return CNNC_OK;
}

static int resume(training *t, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    if (cnnc_checkpoint_load(t->model, &t->position, o->checkpoint, error) != CNNC_OK)
        return CNNC_FAILED;
    int left = !t->position.finished && ((int)t->position.epoch < o->epochs || (t->position.pending && (int)t->position.epoch == o->epochs));
    if (o->verbose > 0)
        fprintf(o->out ? o->out : stdout, "Resumed after %llu updates%s\n", (unsigned long long)t->model->state->step, left ? "" : ": no epoch is left");
    return CNNC_OK;
}

static int open_training(training *t, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    if (check_options(t, error) != CNNC_OK || cnnc_shown_new(&t->shown, t->model->network, error) != CNNC_OK)
        return CNNC_FAILED;
    size_t totals = (size_t)t->totals;
    t->sums = calloc(2 * totals + 3 * (size_t)t->columns, sizeof *t->sums);
    t->index = malloc(t->data->n * sizeof *t->index);
    if (!t->sums || !t->index)
        return cnnc_fail_system(error, "no memory for the order of %zu examples", t->data->n);
    t->means = t->sums + totals;
    t->batch = t->means + totals;
    t->averages = t->batch + t->columns;
    t->validation = t->averages + t->columns;
    for (uint32_t i = 0; i < t->data->n; i++)
        t->index[i] = i;
    t->position.examples = t->data->n;
    t->position.batch_size = (uint64_t)o->batch_size;
    t->position.seed = o->seed;
    t->model->state->seed = o->seed;
    t->position.shuffle = o->shuffle != 0;
    t->position.sums = t->sums;
    t->position.hooks = o->hooks;
    t->position.hook_count = o->hook_count;
    return o->resume ? resume(t, error) : CNNC_OK;
}

static int run_epochs(training *t, cnnc_error *error) {
    int epoch = (int)t->position.epoch, first = (int)t->position.batch, result = CNNC_OK;
    if (t->position.pending) {
        epoch--;
        first = cnnc_batches(t->data->n, t->options->batch_size);
    }
    if (t->position.finished)
        return CNNC_FINISHED;
    for (; epoch < t->options->epochs && result == CNNC_OK; epoch++, first = 0)
        result = run_epoch(t, epoch, first, error);
    return result;
}

/* Averages of the weights take their place, then callbacks that put others there, as in Keras. */
static int end_training(training *t, int result) {
    const cnnc_network *network = t->model->network;
    if (result == CNNC_FAILED || t->options->epochs == 0)
        return result;
    if (network->finalize) {
        network->finalize(t->model->net);
        cnnc_model_parameters_changed(t->model);
    }
    if (result != CNNC_STOPPED && call_back(t, CNNC_TRAIN_END, (int)t->position.epoch - 1, 0) == CNNC_FAILED)
        return CNNC_FAILED;
    return result == CNNC_FINISHED ? CNNC_OK : result;
}

static void close_training(training *t) {
    cnnc_shown_free(&t->shown);
    cnnc_dataset_free(&t->views[0]);
    cnnc_dataset_free(&t->views[1]);
    free(t->sums);
    free(t->index);
}

int cnnc_fit(cnnc_model *model, const cnnc_dataset *dataset, const cnnc_fit_options *options, cnnc_history *history,
             cnnc_error *error) {
    training t = {.model = model, .data = dataset, .options = options, .history = history, .error = error};
    t.columns = 1 + model->network->metric_count;
    t.totals = cnnc_total_count(model->network);
    if (history)
        *history = (cnnc_history){.columns = t.columns};
    int result = open_training(&t, error);
    if (result == CNNC_OK)
        result = start_callbacks(&t);
    if (result == CNNC_OK)
        result = run_epochs(&t, error);
    result = end_training(&t, result);
    close_training(&t);
    return result;
}

/* ---- forecast ---------------------------------------------------------------------------------------------------- */

enum { TIMED = 64 }; /* updates at most */
static const double timed_seconds = 0.5;

static size_t data_bytes(const cnnc_network *network, const cnnc_dataset *data) {
    size_t bytes = 0;
    for (int i = 0; i < data->input_count; i++)
        bytes += data->n * network->inputs[i].count * cnnc_type_size(network->inputs[i].type);
    for (int i = 0; i < data->target_count; i++)
        bytes += data->n * network->targets[i].count * cnnc_type_size(network->targets[i].type);
    return bytes;
}

/* Seconds of an update: the first one, which touches memory and derives what others find, does not count when there are more. */
static int time_updates(training *t, double *seconds, cnnc_error *error) {
    int batches = cnnc_batches(t->data->n, t->options->batch_size), done = 0;
    size_t seen = 0;
    double start = cnnc_seconds();
    for (int b = 0; b < batches && b <= TIMED && cnnc_seconds() - start < timed_seconds; b++) {
        if (train_one(t, 0, b, &seen, error) != CNNC_OK)
            return CNNC_FAILED;
        if (b == 0)
            start = batches > 1 ? cnnc_seconds() : start;
        done += b > 0 || batches == 1;
    }
    *seconds = (cnnc_seconds() - start) / (done ? done : 1);
    return CNNC_OK;
}

/* Seconds of an evaluation of all validation data, from a part of it. */
static int time_validation(training *t, double *seconds, cnnc_error *error) {
    cnnc_dataset part;
    size_t n = t->validate->n, most = (size_t)t->options->batch_size * 8, few = n < most ? n : most;
    if (cnnc_dataset_view(t->model->network, t->validate, 0, few, &part, error) != CNNC_OK)
        return CNNC_FAILED;
    double start = cnnc_seconds();
    int result = cnnc_evaluate(t->model, &part, t->options->batch_size, 0, NULL, NULL, t->validation, error);
    *seconds = (cnnc_seconds() - start) * (double)n / (double)few;
    cnnc_dataset_free(&part);
    return result;
}

static int time_training(training *t, cnnc_forecast *f, cnnc_error *error) {
    const cnnc_fit_options *o = t->options;
    uint64_t batches = (uint64_t)cnnc_batches(t->data->n, o->batch_size), done = t->position.epoch * batches + t->position.batch;
    uint64_t all = (uint64_t)o->epochs * batches;
    double evaluation = 0;
    f->updates = t->position.finished || done >= all ? 0 : all - done;
    f->data_bytes = data_bytes(t->model->network, t->data) + (t->validate ? data_bytes(t->model->network, t->validate) : 0);
    f->order_bytes = t->data->n * sizeof *t->index;
    if (time_updates(t, &f->update_seconds, error) != CNNC_OK || (t->validate && time_validation(t, &evaluation, error) != CNNC_OK))
        return CNNC_FAILED;
    f->epoch_seconds = (double)batches * f->update_seconds + evaluation;
    f->seconds = (double)f->updates / (double)batches * f->epoch_seconds;
    return CNNC_OK;
}

int cnnc_fit_forecast(cnnc_model *model, const cnnc_dataset *dataset, const cnnc_fit_options *options, cnnc_forecast *forecast, cnnc_error *error) {
    cnnc_fit_options quiet = *options;
    training t = {.model = model, .data = dataset, .options = &quiet, .error = error};
    quiet.verbose = 0;
    t.columns = 1 + model->network->metric_count;
    t.totals = cnnc_total_count(model->network);
    *forecast = (cnnc_forecast){.network_bytes = model->network->size(cnnc_pool_threads(model->pool))};
    for (int i = 0; i < options->hook_count; i++)
        forecast->kept_bytes += options->hooks[i].weights ? model->network->parameter_count * cnnc_type_size(model->network->type) : 0;
    void *kept = cnnc_allocate(forecast->network_bytes);
    if (!kept)
        return cnnc_fail_system(error, "no memory to keep the %zu bytes of network %s", forecast->network_bytes, model->network->name);
    memcpy(kept, model->net, forecast->network_bytes);
    int result = open_training(&t, error);
    if (result == CNNC_OK)
        result = time_training(&t, forecast, error);
    memcpy(model->net, kept, forecast->network_bytes);
    free(kept);
    close_training(&t);
    return result;
}
