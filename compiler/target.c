/* target.c: the instruction sets that code is generated for, as data. */
#include "cnnc.h"

#include <string.h>

const Target targets[] = {
    {"avx512", "v16", 16, 32, 1, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"},
    {"avx2", "v8", 8, 16, 2, "avx2,fma"},
    {"vec16", "v4", 4, 15, 1, NULL},
    {"scalar", "f1", 1, 16, 1, NULL},
    {NULL, NULL, 0, 0, 0, NULL},
};

const Target *find_target(const char *name) {
    for (const Target *t = targets; t->name; t++)
        if (!strcmp(t->name, name)) return t;
    return NULL;
}
