/* reduce_lr.c: a smaller learning rate where a training no longer gets better, as Keras's ReduceLROnPlateau. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEST, WAIT, COOLDOWN, STATE };

typedef struct reducer {
    cnnc_reduce_lr options;
    cnnc_monitor monitor;
    double state[STATE];
} reducer;

void cnnc_reduce_lr_defaults(cnnc_reduce_lr *options) {
    *options = (cnnc_reduce_lr){.monitor = "val_loss", .factor = 0.1, .patience = 10, .min_delta = 1e-4};
}

static void reduce(reducer *r, cnnc_state *state, int epoch) {
    char text[CNNC_NUMBER];
    state->learning_rate = fmax(cnnc_times(state->learning_rate, r->options.factor), r->options.min_lr);
    r->state[COOLDOWN] = r->options.cooldown;
    r->state[WAIT] = 0;
    cnnc_say(r->options.out, "\nEpoch %d: ReduceLROnPlateau reducing learning rate to %s.\n", epoch + 1, cnnc_number_text(text, state->learning_rate));
}

static void after_epoch(reducer *r, cnnc_state *state, const cnnc_event *event) {
    double value = cnnc_monitor_value(&r->monitor, event);
    if (r->state[COOLDOWN] > 0) {
        r->state[COOLDOWN]--;
        r->state[WAIT] = 0;
    }
    if (cnnc_monitor_improved(&r->monitor, value, r->state[BEST])) {
        r->state[BEST] = value;
        r->state[WAIT] = 0;
    } else if (r->state[COOLDOWN] <= 0 && ++r->state[WAIT] >= r->options.patience && state->learning_rate > r->options.min_lr) {
        reduce(r, state, event->epoch);
    }
}

static int call(void *context, cnnc_model *model, const cnnc_event *event) {
    reducer *r = context;
    if (event->kind == CNNC_TRAIN_BEGIN && !event->resumed)
        memcpy(r->state, (double[STATE]){NAN, 0, 0}, sizeof r->state);
    if (event->kind == CNNC_EPOCH_END)
        after_epoch(r, model->state, event);
    return CNNC_OK;
}

int cnnc_reduce_lr_new(const cnnc_network *network, const cnnc_reduce_lr *options, cnnc_hook *hook, cnnc_error *error) {
    char factor[CNNC_NUMBER], delta[CNNC_NUMBER], least[CNNC_NUMBER];
    reducer *r = calloc(1, sizeof *r);
    *hook = (cnnc_hook){.name = "reduce_lr_on_plateau", .call = call, .context = r, .free = free, .state_count = STATE, .changes_rate = 1};
    if (!r) {
        *hook = (cnnc_hook){0};
        return cnnc_fail_system(error, "no memory for reduce_lr_on_plateau");
    }
    r->options = *options;
    hook->state = r->state;
    int result = cnnc_monitor_find(&r->monitor, network, options->monitor, options->mode, options->min_delta, hook->name, error);
    if (result == CNNC_OK && !(options->factor > 0 && options->factor < 1))
        result = cnnc_fail(error, "reduce_lr_on_plateau: a factor of %g, not between 0 and 1", options->factor);
    if (result == CNNC_OK && (options->patience < 0 || options->cooldown < 0 || !(options->min_lr >= 0)))
        result = cnnc_fail(error, "reduce_lr_on_plateau: patience %d, cooldown %d, min_lr %g: none may be negative", options->patience, options->cooldown,
                           options->min_lr);
    if (result == CNNC_OK)
        result = cnnc_hook_options(hook, error, "monitor=%s mode=%s factor=%s patience=%d min_delta=%s cooldown=%d min_lr=%s", options->monitor,
                                   r->monitor.maximize ? "max" : "min", cnnc_number_text(factor, options->factor), options->patience,
                                   cnnc_number_text(delta, options->min_delta), options->cooldown, cnnc_number_text(least, options->min_lr));
    hook->needs_validation = r->monitor.validation;
    if (result != CNNC_OK)
        cnnc_hook_free(hook);
    return result;
}
