/* driver.c: a generated network as a contender of the benchmarks.
 *
 *     driver X.npy,Y.npy THREADS [VARIANT]     VARIANT: "avx512" ...; without it, or empty, the best
 *
 * Says {"manner": VARIANT}, then does what standard input says, one command a line, and answers with a line of JSON:
 *
 *     go EXAMPLES      trains on so many: {"seconds": ..., "loss": ...}; whole epochs when there are fewer examples
 *     steps EXAMPLES   training steps without shuffling, with gradients in the input if compiled so: the same
 *
 * Compiled with -DNETWORK_HEADER="NAME_net.h" (quoted) and -DNETWORK=NAME_network. */
#include "cnnc_runtime.h"
#include NETWORK_HEADER

#include <stdlib.h>

static int fail(const cnnc_error *error)
{
    fprintf(stderr, "driver: %s\n", error->text);
    return CNNC_FAILED;
}

static int train(cnnc_model *model, const cnnc_dataset *all, size_t examples, uint64_t round)
{
    cnnc_error error;
    cnnc_fit_options options;
    cnnc_history history = {0};
    cnnc_dataset view = {0};
    size_t n = examples < all->n ? examples : all->n;

    if (cnnc_dataset_view(&NETWORK, all, 0, n, &view, &error)) return fail(&error);
    cnnc_fit_defaults(&NETWORK, &options);
    options.epochs = (int)((examples + n - 1) / n);
    options.verbose = 0;
    options.seed = round;
    double start = cnnc_seconds();
    int status = cnnc_fit(model, &view, &options, &history, &error);
    double seconds = cnnc_seconds() - start;
    if (status) fail(&error);
    else printf("{\"seconds\": %.6f, \"loss\": %.6f}\n", seconds, history.results[0]);
    cnnc_history_free(&history);
    cnnc_dataset_free(&view);
    return status;
}

/* Training steps on one batch after the other, with gradients in the inputs where the code gives them: what a layer in
 * the middle of a network costs. No shuffling. */
static int step(cnnc_model *model, const cnnc_dataset *data, size_t examples)
{
    cnnc_error error;
    double results[CNNC_MAX_RANK + 1] = {0};
    size_t size = (size_t)NETWORK.batch_size, count = NETWORK.inputs[0].count;
    float *gradient = calloc(size * count, sizeof *gradient);

    if (!gradient || data->n < size || NETWORK.metric_count > CNNC_MAX_RANK) return free(gradient), CNNC_FAILED;
    double start = cnnc_seconds();
    for (size_t done = 0; done < examples; done += size) {
        size_t first = done % (data->n - data->n % size);
        const void *input = (const char *)data->inputs[0] + first * count * cnnc_type_size(NETWORK.inputs[0].type);
        const void *target = (const char *)data->targets[0] +
                             first * NETWORK.targets[0].count * cnnc_type_size(NETWORK.targets[0].type);
        cnnc_batch batch = {.n = (int)size, .inputs = &input, .targets = &target,
                            .input_gradients = (void *const[]){gradient}};
        if (cnnc_model_train_batch(model, &batch, results, &error)) return free(gradient), fail(&error);
    }
    printf("{\"seconds\": %.6f, \"loss\": %.6f}\n", cnnc_seconds() - start, results[0]);
    free(gradient);
    return CNNC_OK;
}

int main(int argc, char **argv)
{
    cnnc_error error;
    cnnc_dataset data = {0};
    char line[256];
    size_t examples;

    if (argc < 3) return fprintf(stderr, "usage: driver X.npy,Y.npy THREADS [VARIANT]\n"), EXIT_FAILURE;
    const char *variant = argc > 3 && *argv[3] ? argv[3] : NULL;
    if (cnnc_dataset_load(&NETWORK, argv[1], NULL, &data, &error)) return fail(&error), EXIT_FAILURE;
    cnnc_model *model = cnnc_model_new(&NETWORK, atoi(argv[2]), variant, &error);
    if (!model) return fail(&error), EXIT_FAILURE;
    printf("{\"manner\": \"%s\"}\n", cnnc_model_variant(model));
    fflush(stdout);
    for (uint64_t round = 0; fgets(line, sizeof line, stdin); round++) {
        int status = CNNC_FAILED;
        if (sscanf(line, "go %zu", &examples) == 1) status = train(model, &data, examples, round);
        else if (sscanf(line, "steps %zu", &examples) == 1) status = step(model, &data, examples);
        if (status) return EXIT_FAILURE;
        fflush(stdout);
    }
    cnnc_model_free(model);
    cnnc_dataset_free(&data);
    return EXIT_SUCCESS;
}
