/* random_alone.h: what code that stands alone predicts. */
#ifndef RANDOM_ALONE_H
#define RANDOM_ALONE_H
#include "commands/interpret.h"

typedef struct Alone {
    const char *folder, *compiler, *flags, *algorithm;
    Optimize optimize;
    bool known, many;   /* weights are constants of the code; the entry point of many examples, where there is one */
} Alone;
/* Outputs for the batch with the model's weights, [n][count] each; NULL when it cannot be made, after a message. */
double **alone_outputs(Arena *, const char *net, const Alone *, const cnnc_model *, const Batch *);
#endif
