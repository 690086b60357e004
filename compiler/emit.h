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
    Footprint memory;           /* of code that trains */
    const Constants *constants; /* of code that stands alone */
} Emitter;

const char *upper_case(Arena *, const char *);
const char *banner(const Emitter *, const char *file); /* the comment that a file begins with */
const char *predict_parameters(const Emitter *); /* of the caller's arrays: ", const uint8_t *input, float *output" */
const char *constant_name(const Emitter *, const Constant *);
const char *array_names(const Emitter *, int n, const char *name); /* of the caller's arrays: "input", or "input_0, input_1" */
void bind_architecture(Emitter *, Bindings *);
void bind_arrays(Emitter *, Bindings *);
void bind_parameters(Emitter *, Bindings *);
void bind_memory(Emitter *, Program *const *programs, int n, Bindings *);
Bindings *variant_bindings(Emitter *, const Target *, const char *text); /* what the file's skeleton takes of a variant, whose functions are in `text` */

/* emit_standalone.c: files that only predict. common: names and parameters of the entry points. */
bool emit_standalone(Emitter *, const Bindings *common, Program *const *programs, int n, StrBuf *c, StrBuf *h);

/* What emit_kernels.c and emit_alone.c share. */
typedef struct Functions { Map by_text, by_name; } Functions; /* functions already emitted for a target, by their text, and their names */
bool expand(Emitter *, const char *template, const Bindings *, StrBuf *out); /* without blank lines at the end */
const char *type_text(const Emitter *, const Tensor *);
const char *first_element(const Emitter *, const char *base, const Tensor *w, Shape); /* "&p->dense.kernel[0][0]" */
/* The function for a kernel: one that is there already and has the same text, or a new one. NULL after an error. */
const char *kernel_function(Emitter *, const Program *, const Kernel *, const Bindings *target, Functions *known, StrBuf *out);
const char *call_text(const Emitter *, const Program *, const Kernel *, bool first, const char *function);
void bind_buffers(const Emitter *, const Program *, int part, Bindings *); /* part -1: all */
const char *part_function(const Emitter *, const Program *, int part); /* the entry point of one part of a step */
/* words.c: of the words, as simd.h.tmpl gives them, those that the kernels use, directly or not. */
char *used_words(Arena *, const char *words, const char *vector, const char *kernels);
void bind_loops(const Emitter *, const Program *, int part, const char *const *calls, Bindings *); /* calls: by kernel */
/* emit_alone.c: the entry points of code that stands alone, and what fills the memory that they read parameters from. */
bool emit_alone(Emitter *, const Program *, const Bindings *target, Functions *known, StrBuf *out);
const char *pack_function(const Emitter *, const Target *);

/* The section of one target: its words, kernels, entry points and update. NULL after an error in a template. */
const char *emit_variant(Emitter *, const Target *, Program *const *programs, int n);
const char *entry_function(const Emitter *, Entry, const Target *);
const char *c_dims(Arena *, Shape); /* "[3][3]" */
#endif
