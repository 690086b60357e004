/* random_net.h: networks at random, drawn from the tables by which cnnc reads descriptions: a layer, loss, optimizer ... that is
 * added there is drawn, too. What the compiler's build stage refuses is drawn again.
 *
 * A network is kept as lines that can be taken out or made smaller, so that one on which something goes wrong can be shrunk. */
#ifndef RANDOM_NET_H
#define RANDOM_NET_H
#include "cnnc_runtime.h"

#include "cnnc.h"

enum { RANDOM_LINES = 24, RANDOM_FROM = 4, RANDOM_OUTPUTS = 3 };
typedef struct RandomLine {
    const char *word;                              /* "input", or a layer's */
    const char **arguments; int argument_count;    /* as written */
    int from[RANDOM_FROM], from_count;             /* lines above */
    const char *loss;                              /* of an output */
} RandomLine;
typedef struct RandomNet {
    Arena *arena;                                  /* not owned */
    RandomLine lines[RANDOM_LINES]; int length;    /* lines that nothing reads are the outputs */
    const char **compile; int compile_count;       /* arguments beside the losses */
    const char **fit; int fit_count;
} RandomNet;

RandomNet random_net(Arena *, uint64_t seed);
const char *random_net_text(const RandomNet *);    /* its description, in the arena */
bool random_net_builds(const RandomNet *);         /* the compiler takes it, and it is small enough */
/* The k-th way to make it smaller: a line less, an argument less, a smaller number. False past the last one. */
bool smaller_net(const RandomNet *, int k, RandomNet *out);
#endif
