/* early_stopping.c: ends a training that no longer gets better, as Keras's EarlyStopping. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEST, WAIT, BEST_EPOCH, STOPPED_EPOCH, STATE };

typedef struct stopper {
    cnnc_early_stopping options;
    cnnc_monitor monitor;
    double state[STATE];
    void *weights; /* of the best epoch; NULL: not wanted */
    size_t size;   /* of them, in bytes */
} stopper;

void cnnc_early_stopping_defaults(cnnc_early_stopping *options) {
    *options = (cnnc_early_stopping){.monitor = "val_loss", .baseline = NAN};
}

static void keep_weights(stopper *s, const cnnc_model *model, int epoch) {
    s->state[BEST_EPOCH] = epoch;
    if (s->weights)
        memcpy(s->weights, model->state->parameters, s->size);
}

static int after_epoch(stopper *s, const cnnc_model *model, const cnnc_event *event) {
    double value = cnnc_monitor_value(&s->monitor, event);
    if (event->epoch < s->options.start_from_epoch)
        return CNNC_OK;
    if (s->state[BEST_EPOCH] < 0) /* of the weights; the first are the best */
        keep_weights(s, model, event->epoch);
    s->state[WAIT]++;
    if (cnnc_monitor_improved(&s->monitor, value, s->state[BEST])) {
        s->state[BEST] = value;
        keep_weights(s, model, event->epoch);
        if (cnnc_monitor_improved(&s->monitor, value, s->options.baseline))
            s->state[WAIT] = 0;
    } else if (s->state[WAIT] >= s->options.patience && event->epoch > 0) {
        s->state[STOPPED_EPOCH] = event->epoch;
        return CNNC_FINISHED;
    }
    return CNNC_OK;
}

/* A training that stopped early is complete, and stays so however many epochs there are now. */
static void before_training(stopper *s, const cnnc_event *event) {
    if (!event->resumed)
        memcpy(s->state, (double[STATE]){NAN, 0, -1, 0}, sizeof s->state);
    else if (s->state[STOPPED_EPOCH] > 0)
        cnnc_say(s->options.out, "It had stopped early, at epoch %.0f: this training is complete\n", s->state[STOPPED_EPOCH] + 1);
}

static void after_training(const stopper *s, cnnc_model *model) {
    if (s->state[STOPPED_EPOCH] > 0)
        cnnc_say(s->options.out, "Epoch %.0f: early stopping\n", s->state[STOPPED_EPOCH] + 1);
    if (!s->weights || s->state[BEST_EPOCH] < 0)
        return;
    cnnc_say(s->options.out, "Restoring model weights from the end of the best epoch: %.0f.\n", s->state[BEST_EPOCH] + 1);
    memcpy(model->state->parameters, s->weights, s->size);
    cnnc_model_parameters_changed(model);
}

static int call(void *context, cnnc_model *model, const cnnc_event *event) {
    stopper *s = context;
    if (event->kind == CNNC_TRAIN_BEGIN)
        before_training(s, event);
    if (event->kind == CNNC_TRAIN_END)
        after_training(s, model);
    return event->kind == CNNC_EPOCH_END ? after_epoch(s, model, event) : CNNC_OK;
}

static void free_stopper(void *context) {
    stopper *s = context;
    free(s->weights);
    free(s);
}

int cnnc_early_stopping_new(const cnnc_network *network, const cnnc_early_stopping *options, cnnc_hook *hook, cnnc_error *error) {
    char delta[CNNC_NUMBER], baseline[CNNC_NUMBER];
    stopper *s = calloc(1, sizeof *s);
    *hook = (cnnc_hook){.name = "early_stopping", .call = call, .context = s, .free = free_stopper, .state_count = STATE};
    if (!s) {
        *hook = (cnnc_hook){0};
        return cnnc_fail_system(error, "no memory for early_stopping");
    }
    s->options = *options;
    s->size = network->parameter_count * cnnc_type_size(network->type);
    hook->state = s->state;
    int result = cnnc_monitor_find(&s->monitor, network, options->monitor, options->mode, options->min_delta, hook->name, error);
    if (result == CNNC_OK && (options->patience < 0 || options->start_from_epoch < 0))
        result = cnnc_fail(error, "early_stopping: a patience of %d epochs from epoch %d on", options->patience, options->start_from_epoch);
    if (result == CNNC_OK && options->restore_best_weights && !(hook->weights = s->weights = cnnc_allocate(s->size)))
        result = cnnc_fail_system(error, "early_stopping: no memory for the %zu bytes of the best weights", s->size);
    if (result == CNNC_OK)
        result = cnnc_hook_options(hook, error, "monitor=%s mode=%s min_delta=%s patience=%d baseline=%s start_from_epoch=%d restore_best_weights=%s",
                                   options->monitor, s->monitor.maximize ? "max" : "min", cnnc_number_text(delta, options->min_delta), options->patience,
                                   cnnc_number_text(baseline, options->baseline), options->start_from_epoch, s->weights ? "true" : "false");
    hook->needs_validation = s->monitor.validation;
    if (s->weights)
        memset(s->weights, 0, s->size); /* what a checkpoint holds before there is a best epoch */
    if (result != CNNC_OK)
        cnnc_hook_free(hook);
    return result;
}
