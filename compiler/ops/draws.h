/* draws.h: what layers share that draw random numbers while training. These are a function of the run's seed, the update, the example's
 * place in the batch (these are the key), the layer and the element: the same for any number of threads, after --resume, and in the
 * gradient, which draws them again instead of keeping them. */
#ifndef DRAWS_H
#define DRAWS_H
#include "ops.h"

#include "cnnc_network.h"

#define SEED_DEF {"seed", ATTR_INT, "", 0, 2147483647, 0, NULL, NULL, false, "tells its random numbers from those of other layers; one of its own unless given"}
uint32_t stream_of(const Op *, const Attr *seed);  /* what the layer's random numbers are told apart by */
Tensor *key_of(Graph *);                           /* an op's second input */
uint64_t key_value(const double *halves);          /* as evaluate gets it */

/* Along an axis: f stands for -f to f, a pair for its own range. False after an error. */
bool check_range(Graph *, const Layer *, const Attr *factor);
typedef struct Range { double low, high; } Range;
Range range_of(const Attr *factor);
double draw_between(Range, uint64_t key, uint32_t stream, uint32_t number);
#endif
