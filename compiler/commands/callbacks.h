/* callbacks.h: the callbacks of cnnc train, from its options. */
#ifndef CALLBACKS_H
#define CALLBACKS_H
#include "commands.h"

typedef struct CallbackOptions { const char *early_stopping, *reduce_lr, *save_best, *csv_log, *tensorboard, *monitor; } CallbackOptions;
#define CALLBACK_OPTIONS(o)                                                                                                                       \
    {"--early-stopping", &(o).early_stopping, NULL, NULL, 0, 0, "SETTINGS", "Keras's EarlyStopping: 'patience=3,restore_best_weights=true', or the patience alone"}, \
    {"--reduce-lr", &(o).reduce_lr, NULL, NULL, 0, 0, "SETTINGS", "Keras's ReduceLROnPlateau: 'patience=2,factor=0.5', or the patience alone"},     \
    {"--save-best", &(o).save_best, NULL, NULL, 0, 0, "FILE", "keep the weights of the best epoch there"},                                         \
    {"--monitor", &(o).monitor, NULL, NULL, 0, 0, "NAME", "what tells better epochs: loss, accuracy, val_accuracy ... (val_loss)"},                 \
    {"--csv-log", &(o).csv_log, NULL, NULL, 0, 0, "FILE", "a line of results an epoch, as Keras's CSVLogger writes it"},                           \
    {"--tensorboard", &(o).tensorboard, NULL, NULL, 0, 0, "DIR", "results for TensorBoard, in DIR/train and DIR/validation"}

typedef struct Callbacks { cnnc_hook hooks[5]; int count; } Callbacks;
/* An exit status, after a message unless EXIT_FINE. Free them whatever it is. validated: there will be validation data. */
int callbacks_from_options(Arena *, const CallbackOptions *, const cnnc_network *, bool validated, Callbacks *);
void free_callbacks(Callbacks *);
/* An error of the runtime that may be about callbacks, in the words of the options that made them, or about a checkpoint that is of another training. */
void say_in_options(const cnnc_error *, const char *checkpoint);
#endif
