/* footprint.c: what a network needs in memory when it runs: parameters, optimizer state, gradients; and each worker.
 *
 * Resident is also what shards keep from one part of a step to the next. A worker's memory: the versions that its derived buffers
 * come from, the derived buffers of each entry point, and one workspace that the entry points share. Variants share all of it: one
 * of them runs. */
#include "cnnc.h"

enum { ALIGNMENT = 64, MAX_BUFFERS = 8 };

int64_t padded_elements(const Tensor *parameter, int element_bytes) {
    int64_t unit = ALIGNMENT / element_bytes;
    return (shape_count(parameter->shape) + unit - 1) / unit * unit;
}

static void lay_out_workers(Footprint *f, Program *const *programs, int n) {
    size_t at = ALIGNMENT, workspace = 0;
    for (int entry = 0; entry < ENTRY_COUNT; entry++) {
        size_t derived = 0;
        f->entry_base[entry] = at;
        for (int i = 0; i < n; i++) {
            if (programs[i]->workspace > workspace) workspace = programs[i]->workspace;
            if ((int)programs[i]->entry == entry && programs[i]->derived > derived) derived = programs[i]->derived;
        }
        at += derived;
    }
    f->workspace_base = at;
    f->worker_bytes = at + workspace;
}

Footprint footprint(const Graph *g, const Options *options, Program *const *programs, int n) {
    const char *names[8];
    int element_bytes = options->real_is_double ? 8 : 4, slots = g->optimizer ? g->optimizer->slots(g->optimizer_attributes, names) : 0;
    Footprint f = {.buffers = g->loss ? (update_examples(g, options) + options->shard_size - 1) / options->shard_size : 0};
    if (f.buffers > MAX_BUFFERS) f.buffers = MAX_BUFFERS;
    for (int i = 0; i < g->parameter_count; i++) f.parameter_elements += padded_elements(g->parameters[i], element_bytes);
    f.resident = f.parameter_elements * element_bytes * (1 + slots + f.buffers);
    for (int i = 0; i < n; i++)
        if (programs[i]->kept > f.shard_bytes) f.shard_bytes = programs[i]->kept;
    if (f.shard_bytes) {
        f.batch_size = options->most_examples ? options->most_examples : update_examples(g, options);
        f.resident += (int64_t)f.shard_bytes * ((f.batch_size + options->shard_size - 1) / options->shard_size);
    }
    lay_out_workers(&f, programs, n);
    return f;
}
