/* emit.h: between emit.c (files) and emit_kernels.c (the functions of one target). Nobody else includes it. */
#ifndef EMIT_H
#define EMIT_H
#include "cnnc.h"

typedef struct Emitter {
    Arena *arena;
    Graph *graph;
    const Options *options;
    Templates *templates;
    StrBuf *message;
    const char *upper;          /* the network's name in capitals, prefix of macros */
    const char *real, *suffix;  /* "float" and "f", or "double" and "" */
    Footprint memory;
} Emitter;

/* The section of one target: its words, kernels, entry points and update. NULL after an error in a template. */
const char *emit_variant(Emitter *, const Target *, Program *const *programs, int n);
const char *entry_function(const Emitter *, Entry, const Target *);
const char *c_dims(Arena *, Shape); /* "[3][3]" */
#endif
