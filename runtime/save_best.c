/* save_best.c: the weights of the best epoch as a file, as Keras's ModelCheckpoint with save_best_only. */
#include "private.h"

#include <math.h>
#include <stdlib.h>

typedef struct saver {
    cnnc_save_best options;
    cnnc_monitor monitor;
    double best;
} saver;

void cnnc_save_best_defaults(cnnc_save_best *options) {
    *options = (cnnc_save_best){.monitor = "val_loss", .threshold = NAN};
}

static int after_epoch(saver *s, const cnnc_model *model, const cnnc_event *event) {
    double value = cnnc_monitor_value(&s->monitor, event);
    const char *name = s->monitor.name, *path = s->options.path;
    if (!cnnc_monitor_improved(&s->monitor, value, s->best)) {
        cnnc_say(s->options.out, "\nEpoch %d: %s did not improve from %.5f\n", event->epoch + 1, name, s->best);
        return CNNC_OK;
    }
    if (isnan(s->best))
        cnnc_say(s->options.out, "\nEpoch %d: %s improved from None to %.5f, saving model to %s\n", event->epoch + 1, name, value, path);
    else
        cnnc_say(s->options.out, "\nEpoch %d: %s improved from %.5f to %.5f, saving model to %s\n", event->epoch + 1, name, s->best, value, path);
    s->best = value;
    return cnnc_weights_save(model->network, model->net, path, NULL, 0, event->error);
}

static int call(void *context, cnnc_model *model, const cnnc_event *event) {
    saver *s = context;
    if (event->kind == CNNC_TRAIN_BEGIN && !event->resumed)
        s->best = s->options.threshold;
    return event->kind == CNNC_EPOCH_END ? after_epoch(s, model, event) : CNNC_OK;
}

int cnnc_save_best_new(const cnnc_network *network, const cnnc_save_best *options, cnnc_hook *hook, cnnc_error *error) {
    char threshold[CNNC_NUMBER];
    saver *s = calloc(1, sizeof *s);
    *hook = (cnnc_hook){.name = "save_best", .call = call, .context = s, .free = free, .state_count = 1};
    if (!s) {
        *hook = (cnnc_hook){0};
        return cnnc_fail_system(error, "no memory for save_best");
    }
    s->options = *options;
    hook->state = &s->best;
    int result = cnnc_monitor_find(&s->monitor, network, options->monitor, options->mode, 0, hook->name, error);
    if (result == CNNC_OK)
        result = cnnc_hook_options(hook, error, "monitor=%s mode=%s threshold=%s", options->monitor, s->monitor.maximize ? "max" : "min",
                                   cnnc_number_text(threshold, options->threshold));
    hook->needs_validation = s->monitor.validation;
    if (result != CNNC_OK)
        cnnc_hook_free(hook);
    return result;
}
