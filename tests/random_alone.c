/* random_alone.c: predictions of code that stands alone, for random_run.c: with the weights in it or packed at run time, by the entry
 * point of one example or that of many. */
#define _POSIX_C_SOURCE 200809L
#include "random_alone.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 12 };
typedef void Function(const void *, const void *, const void *, const void *, const void *, const void *, const void *, const void *, const void *, const void *, const void *,
                      const void *);

/* memory: as many of them as there are; then one place for each input and output, and n where it is not 0. Arguments behind those that the
 * function has it does not see. */
static bool call(void *library, const char *name, const void *const *memory, int memories, void *const *arrays, int count, int n) {
    const void *a[MOST_ARGUMENTS] = {NULL};
    int at = 0;
    Function *function;
    void *symbol = dlsym(library, name);
    if (!symbol || memories + count + 1 > MOST_ARGUMENTS) return false;
    memcpy(&function, &symbol, sizeof function);
    for (int i = 0; i < memories; i++) a[at++] = memory[i];
    for (int i = 0; i < count; i++) a[at++] = arrays[i];
    a[at] = (const void *)(intptr_t)n;
    function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    return true;
}

/* A number of the header, as memory of so many bytes without zeros. */
static void *memory_of(Arena *arena, const char *header, const char *name) {
    const char *define = arena_printf(arena, "#define NET_%s ", name), *at = strstr(header, define);
    if (!at) bug("the header has no %s", name);
    size_t bytes = (size_t)strtoull(at + strlen(define), NULL, 10);
    char *memory = arena_alloc(arena, bytes + 128);
    memory += 64 - (uintptr_t)memory % 64;
    return memset(memory, 0xa5, bytes);
}

static void *load(Arena *arena, const char *net, const Alone *how, const cnnc_model *model, const char **header) {
    Compilation c;
    cnnc_error error;
    const char *base = arena_printf(arena, "%s/alone", how->folder), *weights = arena_printf(arena, "%s.safetensors", base);
    compilation_init(&c, false);
    c.source = (Source){"random.net", net, strlen(net)};
    c.quiet = c.options.inference = true;
    c.options.optimize = how->optimize;
    c.options.header = "alone.h";
    c.options.algorithm = how->algorithm;
    if (how->known) {
        if (cnnc_weights_save(model->network, model->net, weights, NULL, 0, &error)) bug("%s", error.text);
        c.options.weights_path = weights;
    }
    int status = compile_source(&c, NULL, NULL, NULL);
    if (status) printf("%s\n", c.diag.out.text ? c.diag.out.text : "refused");
    const char *failure = status ? "not generated" : write_file(arena, arena_printf(arena, "%s.c", base), c.c.text, c.c.length);
    if (!failure) failure = write_file(arena, arena_printf(arena, "%s.h", base), c.h.text, c.h.length);
    *header = failure ? NULL : arena_string(arena, c.h.text, c.h.length);
    compilation_free(&c);
    const char *command = arena_printf(arena, "%s -std=c11 %s -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fPIC -shared -o %s.so %s.c -lm", how->compiler, how->flags, base, base);
    fflush(stdout);
    if (failure || system(command)) return NULL;
    return dlopen(arena_printf(arena, "%s.so", base), RTLD_NOW | RTLD_LOCAL);
}

/* The places of example i. */
static void places(const cnnc_network *network, void *const *inputs, void *const *outputs, int i, void **arrays) {
    for (int k = 0; k < network->input_count; k++) arrays[k] = (char *)inputs[k] + (size_t)i * network->inputs[k].count * cnnc_type_size(network->inputs[k].type);
    for (int k = 0; k < network->output_count; k++) arrays[network->input_count + k] = (char *)outputs[k] + (size_t)i * network->outputs[k].count * sizeof(float);
}

double **alone_outputs(Arena *arena, const char *net, const Alone *how, const cnnc_model *model, const Batch *batch) {
    const cnnc_network *network = model->network;
    const char *header;
    void *library = load(arena, net, how, model, &header), *arrays[MOST_ARGUMENTS];
    if (!library || network->input_count + network->output_count > MOST_ARGUMENTS - 3) return NULL;
    bool many = how->many && dlsym(library, "net_predict_many");
    void *packed = how->known ? NULL : memory_of(arena, header, "PACKED_BYTES"), *workspace = memory_of(arena, header, many ? "MANY_WORKSPACE_BYTES" : "WORKSPACE_BYTES");
    const void *memory[2] = {how->known ? workspace : packed, workspace}, *pack[2] = {packed, model->state->parameters};
    void **inputs = store_all(arena, network->inputs, network->input_count, batch->inputs, batch->n), **outputs = new_arrays(arena, network->outputs, network->output_count, batch->n, CNNC_F32);
    bool fine = how->known || call(library, "net_pack", pack, 2, NULL, 0, 0);
    for (int i = 0; fine && i < (many ? 1 : batch->n); i++) {
        places(network, inputs, outputs, i, arrays);
        fine = call(library, many ? "net_predict_many" : "net_predict", memory, how->known ? 1 : 2, arrays, network->input_count + network->output_count, many ? batch->n : 0);
    }
    double **numbers = NEW_ARRAY(arena, double *, network->output_count + 1);
    for (int k = 0; k < network->output_count; k++) numbers[k] = load_numbers(arena, CNNC_F32, outputs[k], network->outputs[k].count * (size_t)batch->n);
    return fine ? numbers : NULL;
}
