/* predict.c: cnnc predict NET --weights W --input X.npy -o Y.npy, outputs for inputs. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct PredictOptions {
    NetworkOptions network;
    const char *net, *input, *weights, *to;
    int batch_size, threads;
} PredictOptions;

/* The output as an array of n examples; its data is to be freed. */
static cnnc_array output_array(const cnnc_tensor *t, size_t n) {
    cnnc_array a = {.dtype = cnnc_dtype_of(t->type), .rank = t->rank + 1, .count = n * t->count};
    a.shape[0] = n;
    for (int i = 0; i < t->rank; i++) a.shape[i + 1] = (size_t)t->shape[i];
    a.data = malloc(a.count * cnnc_type_size(t->type) + 1);
    return a;
}

/* y.npy, and y_1.npy ... for further outputs. */
static const char *output_path(Arena *arena, const char *path, int i) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    size_t stem = dot ? (size_t)(dot - path) : strlen(path);
    return i ? arena_printf(arena, "%.*s_%d%s", (int)stem, path, i, path + stem) : path;
}

/* False after a message: a name that promises something else. */
static bool is_npy(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (!dot || !strcasecmp(dot, ".npy")) return true;
    return say_error("outputs are written as .npy, and '%s' is none\nhint: -o Y.npy; further outputs go to Y_1.npy ...", path), false;
}

static bool run_and_write(Compilation *c, cnnc_model *model, const cnnc_dataset *data, const PredictOptions *o, cnnc_error *failure) {
    const cnnc_network *network = model->network;
    cnnc_array *outputs = NEW_ARRAY(c->arena, cnnc_array, network->output_count);
    void **memory = NEW_ARRAY(c->arena, void *, network->output_count);
    bool fine = true;
    for (int i = 0; i < network->output_count; i++) {
        outputs[i] = output_array(&network->outputs[i], data->n);
        memory[i] = outputs[i].data;
        fine = fine && memory[i];
    }
    if (!fine) {
        snprintf(failure->text, sizeof failure->text, "no memory for the outputs of %zu examples", data->n);
        failure->system = 1;
    }
    fine = fine && !cnnc_predict(model, (const void *const *)data->inputs, data->n, o->batch_size, 0, stdout, NULL, memory, failure);
    for (int i = 0; i < network->output_count; i++) {
        fine = fine && !cnnc_npy_write(output_path(c->arena, o->to, i), &outputs[i], failure);
        free(memory[i]);
    }
    return fine;
}

static int predict(Compilation *c, const PredictOptions *o) {
    Loaded loaded;
    int status;
    cnnc_error failure;
    cnnc_dataset data = {0};
    cnnc_model *model = NULL;
    const cnnc_network *network = load_network(c, o->net, &loaded, &status);
    if (!network) return status;
    bool fine = !cnnc_dataset_load(network, o->input, "test", &data, &failure) && (model = cnnc_model_new(network, o->threads, NULL, &failure)) &&
                !cnnc_weights_load(network, model->net, o->weights, &failure) && run_and_write(c, model, &data, o, &failure);
    if (!fine) say_error("%s", failure.text);
    else printf("Outputs of %zu examples written to %s\n", data.n, o->to);
    cnnc_model_free(model);
    cnnc_dataset_free(&data);
    unload_network(&loaded);
    return fine ? EXIT_FINE : status_of(&failure);
}

int command_predict(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    PredictOptions o = {0};
    const Option options[] = {
        {"--weights", &o.weights, NULL, NULL, 0, 0, "FROM", "saved weights"},
        {"--input", &o.input, NULL, NULL, 0, 0, "X.npy", "inputs, as --data of train; .npy, IDX or CSV, one file for each input, separated by commas"},
        {"-o", &o.to, NULL, NULL, 0, 0, "Y.npy", "where the outputs go"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers (one a processor)"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"predict", options, LENGTH(options), names, &o.net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network)) {
        const char *missing = !o.weights ? "--weights FILE" : !o.input ? "--input X.npy" : !o.to ? "-o Y.npy" : NULL;
        if (missing) say_error("%s is missing", missing);
        else if (is_npy(o.to)) status = predict(&c, &o);
    }
    compilation_free(&c);
    return status;
}
