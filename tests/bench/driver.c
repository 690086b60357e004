/* driver.c: a generated network as a contender of the benchmarks.
 *
 *     driver X.npy,Y.npy THREADS [VARIANT]     VARIANT: "avx512" ...; without it, or empty, the best
 *
 * Says {"manner": VARIANT}, then does what standard input says, one command a line, and answers with a line of JSON:
 *
 *     go EXAMPLES         trains on so many: {"seconds": ..., "loss": ...}; whole epochs when there are fewer examples
 *     gradients FILE.npy  the gradients in all parameters of the first batch, as one array: {"gradients": COUNT}
 *
 * Compiled with -DNETWORK_HEADER="NAME_net.h" (quoted) and -DNETWORK=NAME_network. */
#include "cnnc_runtime.h"
#include NETWORK_HEADER

#include <stdlib.h>
#include <string.h>

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

/* All gradient buffers summed, after the first phase of training on the first examples. */
static int gradients(cnnc_model *model, const cnnc_dataset *data, const char *path)
{
    cnnc_error error;
    const cnnc_phase *phase = &NETWORK.train[0];
    size_t count = NETWORK.parameter_count;
    int n = data->n < (size_t)NETWORK.batch_size ? (int)data->n : NETWORK.batch_size;
    cnnc_batch batch = {.n = n, .inputs = (const void *const *)data->inputs,
                        .targets = (const void *const *)data->targets};
    float *sum = calloc(count, sizeof *sum);
    const float *buffers = model->state->gradients;

    if (!sum) return CNNC_FAILED;
    phase->run(model->net, &batch, 0, 0, phase->count(model->net, &batch));
    for (int b = 0; b < NETWORK.gradient_buffers; b++)
        for (size_t i = 0; i < count; i++) sum[i] += buffers[(size_t)b * count + i];
    cnnc_array array = {.dtype = CNNC_DTYPE_F32, .rank = 1, .shape = {count}, .count = count, .data = sum};
    int status = cnnc_npy_write(path, &array, &error);
    if (status) fail(&error);
    else printf("{\"gradients\": %zu}\n", count);
    free(sum);
    return status;
}

int main(int argc, char **argv)
{
    cnnc_error error;
    cnnc_dataset data = {0};
    char line[4096], word[4000];
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
        else if (sscanf(line, "gradients %3999s", word) == 1) status = gradients(model, &data, word);
        if (status) return EXIT_FAILURE;
        fflush(stdout);
    }
    cnnc_model_free(model);
    cnnc_dataset_free(&data);
    return EXIT_SUCCESS;
}
