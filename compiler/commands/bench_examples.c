/* bench_examples.c: what the networks that are measured train on. */
#include "bench.h"
#include "interpret.h"

enum { SEED = 1, EXAMPLES = 2048, MOST_ELEMENTS = 1 << 22 };

static void **draw_arrays(Arena *arena, cnnc_random *random, Tensor *const *tensors, const cnnc_tensor *as, int count, int n) {
    void **arrays = NEW_ARRAY(arena, void *, count + 1);
    for (int i = 0; i < count; i++) {
        double *x = NEW_ARRAY(arena, double, as[i].count * (size_t)n);
        for (int k = 0; k < n; k++) draw_example(random, tensors[i], x + (size_t)k * as[i].count);
        arrays[i] = store_numbers(arena, as[i].type, x, as[i].count * (size_t)n);
    }
    return arrays;
}

/* So many that caches and branch predictors do not know them by heart. */
static cnnc_dataset random_examples(Arena *arena, const Graph *g, const cnnc_network *network, int batch_size) {
    size_t elements = 1;
    cnnc_random random;
    cnnc_random_seed(&random, SEED, 0);
    for (int i = 0; i < network->input_count; i++) elements += network->inputs[i].count;
    for (int i = 0; i < network->target_count; i++) elements += network->targets[i].count;
    int n = MOST_ELEMENTS / elements < EXAMPLES ? (int)(MOST_ELEMENTS / elements) : EXAMPLES;
    if (n < batch_size) n = batch_size;
    cnnc_dataset d = {.n = (size_t)n, .input_count = network->input_count, .target_count = network->target_count};
    d.inputs = draw_arrays(arena, &random, g->inputs, network->inputs, network->input_count, n);
    d.targets = draw_arrays(arena, &random, g->targets, network->targets, network->target_count, n);
    return d;
}

int get_examples(Arena *arena, const Graph *g, const cnnc_network *network, const char *data, int batch_size, cnnc_dataset *examples) {
    cnnc_error failure;
    if (!data) {
        *examples = random_examples(arena, g, network, batch_size);
        return EXIT_FINE;
    }
    int status = EXIT_INPUT;
    if (cnnc_dataset_load(network, data, "train", examples, &failure)) say_error("%s", failure.text), status = status_of(&failure);
    else if (!examples->target_count) say_error("--data %s has no targets", data);
    else return EXIT_FINE;
    cnnc_dataset_free(examples);
    return status;
}
