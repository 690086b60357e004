/* optimizer.h: the options that all of Keras's optimizers share. An optimizer's own come after them. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H
#include "ops.h"

enum {
    LEARNING_RATE, WEIGHT_DECAY, CLIPNORM, CLIPVALUE, GLOBAL_CLIPNORM, USE_EMA, EMA_MOMENTUM, EMA_OVERWRITE_FREQUENCY, LOSS_SCALE_FACTOR,
    GRADIENT_ACCUMULATION_STEPS, FIRST_OWN_OPTION
};
#define OPTIMIZER_ATTRIBUTES(rate) OPTIMIZER_ATTRIBUTES_DECAYING(rate, "")
#define OPTIMIZER_ATTRIBUTES_DECAYING(rate, decay)                                                                                     \
    {"learning_rate", ATTR_REAL, rate, 0, 1e30, 0, NULL, schedule_family, true, "size of a step"},                    \
    {"weight_decay", ATTR_REAL, decay, 0, 1e30, 0, NULL, NULL, false, "each step takes learning_rate * weight_decay of the weights away"}, \
    {"clipnorm", ATTR_REAL, "", 1e-30, 1e30, 0, NULL, NULL, false, "largest L2 norm of each parameter's gradient"},   \
    {"clipvalue", ATTR_REAL, "", 1e-30, 1e30, 0, NULL, NULL, false, "largest absolute value of a gradient's element"}, \
    {"global_clipnorm", ATTR_REAL, "", 1e-30, 1e30, 0, NULL, NULL, false, "largest L2 norm of all gradients together"}, \
    {"use_ema", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "keep a moving average of the weights, theirs when training ends"}, \
    {"ema_momentum", ATTR_REAL, "0.99", 0, 1, 0, NULL, NULL, false, "of the moving average"},                          \
    {"ema_overwrite_frequency", ATTR_INT, "", 1, 1e9, 0, NULL, NULL, false, "every so many steps the average replaces the weights"}, \
    {"loss_scale_factor", ATTR_REAL, "", 1e-30, 1e30, 0, NULL, NULL, false, "the loss is multiplied by it, gradients divided again"}, \
    {"gradient_accumulation_steps", ATTR_INT, "", 2, 1e9, 0, NULL, NULL, false, "one update with the mean gradient of so many batches"}

/* Checks the options together. */
bool infer_optimizer(Graph *, Op *);
/* Binds what templates/update.c.tmpl wants to know; every name is optional. */
void bind_optimizer(const Attr *, Bindings *);
/* Names of the shared slots in use, after the optimizer's own; returns the new count. */
int shared_slots(const Attr *, const char **names, int n);

/* What the moments of Adam and its siblings have in common: their factors, below 1 because of the division by 1 - beta^t. */
#define BETA_DEF(name, fallback, text) {name, ATTR_REAL, fallback, 0, 0.99999999, 0, NULL, NULL, false, text}
#define EPSILON_DEF(text) {"epsilon", ATTR_REAL, "1e-7", 0, 1e30, 0, NULL, NULL, false, text}
void bind_factor(Bindings *, const char *name, const char *rest, double); /* and 1 less it */
#endif
