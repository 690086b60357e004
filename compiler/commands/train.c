/* train.c: cnnc train NET --data DIR, the notebook's fit: compile, load, train, save. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct TrainOptions {
    NetworkOptions network;
    const char *net, *data, *from, *to, *checkpoint;
    int epochs, batch_size, threads, seed, checkpoint_batches;
    bool no_shuffle, resume;
} TrainOptions;

static volatile sig_atomic_t stop; /* the signal that asked for it */
static void on_signal(int signal) { stop = signal; }

static int fail(const cnnc_error *failure) { return fprintf(stderr, "cnnc: error: %s\n", failure->text), status_of(failure); }

/* nets/mnist.net -> mnist.safetensors, here. */
static const char *default_weights(Arena *arena, const char *net) {
    const char *slash = strrchr(net, '/'), *base = slash ? slash + 1 : net, *dot = strrchr(base, '.');
    return arena_printf(arena, "%.*s.safetensors", dot > base ? (int)(dot - base) : (int)strlen(base), base);
}

/* Better known before the training than after it. */
static bool can_write(Arena *arena, const char *what, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_printf(arena, "%.*s", (int)(slash - path + 1), path) : ".";
    if (!access(folder, W_OK)) return true;
    fprintf(stderr, "cnnc: error: the %s cannot be written to %s: %s\n", what, path, strerror(errno));
    return false;
}

static int fit(cnnc_model *model, const cnnc_dataset *train, const cnnc_dataset *test, const TrainOptions *o, const char *to) {
    cnnc_error failure;
    cnnc_fit_options options;
    double results[64];
    cnnc_fit_defaults(model->network, &options);
    if (o->epochs) options.epochs = o->epochs;
    if (o->batch_size) options.batch_size = o->batch_size;
    if (o->no_shuffle) options.shuffle = 0;
    if (o->seed >= 0) options.seed = (uint64_t)o->seed;
    options.stop = &stop;
    options.checkpoint = o->checkpoint;
    options.checkpoint_batches = o->checkpoint_batches;
    options.resume = o->resume;
    int trained = cnnc_fit(model, train, &options, NULL, &failure);
    if (trained == CNNC_FAILED) return fail(&failure);
    if (cnnc_weights_save(model->network, model->net, to, NULL, 0, &failure)) return fail(&failure);
    if (trained == CNNC_STOPPED) printf("Stopped after %llu updates. ", (unsigned long long)model->state->step);
    printf("Weights saved to %s\n", to);
    if (trained == CNNC_STOPPED) return 128 + stop;
    if (test->n && cnnc_evaluate(model, test, o->batch_size, 0, stdout, &stop, results, &failure) == CNNC_FAILED) return fail(&failure);
    if (test->n) {
        printf("Test loss: %.4f", results[0]);
        for (int i = 0; i < model->network->metric_count; i++) printf(" - %s: %.4f", model->network->metrics[i], results[1 + i]);
        printf("\n");
    }
    return EXIT_FINE;
}

static int train_with(Compilation *c, const cnnc_network *network, const TrainOptions *o) {
    cnnc_error failure;
    cnnc_dataset train = {0}, test = {0};
    int status;
    cnnc_model *model = NULL;
    const char *to = o->to ? o->to : default_weights(c->arena, o->net);
    bool folder = !strchr(o->data, ',');
    if (cnnc_summary(network, stdout, cnnc_columns(stdout), cnnc_progress_color(stdout), &failure) ||
        cnnc_dataset_load(network, o->data, "train", &train, &failure) || (folder && cnnc_dataset_load(network, o->data, "t10k", &test, &failure)) ||
        !(model = cnnc_model_new(network, o->threads, NULL, &failure)))
        status = fail(&failure);
    else {
        if (o->seed >= 0) cnnc_initialize(network, model->net, (uint64_t)o->seed);
        if (o->from && cnnc_weights_load(network, model->net, o->from, &failure)) status = fail(&failure);
        else {
            printf("%zu examples, %s, %d thread%s\n", train.n, cnnc_model_variant(model), cnnc_pool_threads(model->pool), cnnc_pool_threads(model->pool) == 1 ? "" : "s");
            fflush(stdout);
            status = fit(model, &train, &test, o, to);
        }
    }
    cnnc_model_free(model);
    cnnc_dataset_free(&train);
    cnnc_dataset_free(&test);
    return status;
}

static int train(Compilation *c, const TrainOptions *o) {
    Loaded loaded;
    int status;
    const cnnc_network *network = load_network(c, o->net, &loaded, &status);
    if (!network) return status;
    if (!network->train) {
        fprintf(stderr, "%s: error: the network cannot be trained: it has no compile statement\nhint: 'compile optimizer=rmsprop loss=categorical_crossentropy' say\n", o->net);
        status = EXIT_INPUT;
    } else status = train_with(c, network, o);
    unload_network(&loaded);
    return status;
}

int command_train(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    TrainOptions o = {.seed = -1};
    const Option options[] = {
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "folder with the four MNIST files, or X.npy,Y.npy"},
        {"--weights", &o.from, NULL, NULL, 0, 0, "FROM", "start from saved weights"},
        {"-o", &o.to, NULL, NULL, 0, 0, "TO", "where to save the weights (the network's file name, .safetensors, here)"},
        {"--epochs", NULL, NULL, &o.epochs, 1, 1000000000, "N", "instead of the description's"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--no-shuffle", NULL, &o.no_shuffle, NULL, 0, 0, NULL, "keep the order of the data"},
        {"--seed", NULL, NULL, &o.seed, 0, 2147483647, "N", "of initial weights and shuffling"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers (one a processor)"},
        {"--checkpoint", &o.checkpoint, NULL, NULL, 0, 0, "FILE", "keep the state of the training there: after each epoch, and when stopped by a signal"},
        {"--checkpoint-batches", NULL, NULL, &o.checkpoint_batches, 1, 1000000000, "N", "and after so many batches"},
        {"--resume", NULL, &o.resume, NULL, 0, 0, NULL, "go on where the checkpoint is"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"train", options, LENGTH(options), names, &o.net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network)) {
        if (!o.checkpoint && (o.resume || o.checkpoint_batches)) fprintf(stderr, "cnnc: error: --checkpoint FILE is missing\n");
        else if (!o.data) fprintf(stderr, "cnnc: error: --data is missing\nhint: --data DIR, a folder with the MNIST files, or --data X.npy,Y.npy\n");
        else {
            struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
            sigaction(SIGINT, &action, NULL);
            sigaction(SIGTERM, &action, NULL);
            bool writable = can_write(c.arena, "weights", o.to ? o.to : ".") && (!o.checkpoint || can_write(c.arena, "checkpoint", o.checkpoint));
            if (writable && o.checkpoint && !o.resume && !access(o.checkpoint, F_OK)) fprintf(stderr, "cnnc: warning: %s is there and will be replaced; --resume goes on from it\n", o.checkpoint);
            status = writable ? train(&c, &o) : EXIT_FILE;
        }
    }
    compilation_free(&c);
    return status;
}
