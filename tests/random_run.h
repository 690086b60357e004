/* random_run.h: one network, generated in some way, against the interpreter. */
#ifndef RANDOM_RUN_H
#define RANDOM_RUN_H
#include <stdbool.h>
#include <stdint.h>

/* How code is generated and compiled. */
typedef struct RandomRun {
    const char *folder;      /* where to work */
    uint64_t seed;           /* of weights and examples */
    const char *targets;     /* "avx2", or several separated by commas; NULL: all */
    const char *algorithm;   /* NULL: the cheapest */
    int shard_size;
    bool input_gradient;
    const char *compiler, *flags;
} RandomRun;

/* Exit statuses of a process that runs a network; what is wrong is printed. Another status, or a signal, is a crash. */
enum {
    RUN_FINE,
    RUN_HARD,    /* within what float arithmetic allows, though not within the tolerance */
    RUN_UNFIT,   /* numbers grow beyond what one would compare */
    RUN_WRONG,   /* numbers differ */
    RUN_REFUSED, /* cnnc takes it for wrong */
    RUN_SILENT,  /* the C compiler does not take the code without a warning */
};
int random_run(const char *net, const RandomRun *how);
#endif
