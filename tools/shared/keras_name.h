/* keras_name.h: names that Keras makes, for what reads its files and what writes them. */
#ifndef KERAS_NAME_H
#define KERAS_NAME_H
#include "base/base.h"

/* Of a layer by its class, Keras's own rule: BatchNormalization is batch_normalization, Conv2D conv2d, PReLU p_re_lu. */
const char *keras_name(Arena *, const char *class);
#endif
