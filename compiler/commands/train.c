/* train.c: cnnc train NET --data DIR, the notebook's fit: compile, load, train, save. */
#define _POSIX_C_SOURCE 200809L
#include "callbacks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct TrainOptions {
    NetworkOptions network;
    CallbackOptions callbacks;
    const char *net, *data, *from, *to, *checkpoint, *validation_data, *validation_split;
    int epochs, batch_size, threads, seed, checkpoint_batches;
    bool no_shuffle, resume, partial, dry_run;
    double split; /* of validation_split; below 0: the description's */
} TrainOptions;

typedef struct Data {
    cnnc_dataset train, validation, test;
    double *results; /* of the test: loss and metrics */
} Data;

static volatile sig_atomic_t stop; /* the signal that asked for it */
static void on_signal(int signal) { stop = signal; }

static int fail(const cnnc_error *failure) { return say_in_options(failure), status_of(failure); }

/* nets/mnist.net -> mnist.safetensors, here. */
static const char *default_weights(Arena *arena, const char *net) {
    const char *slash = strrchr(net, '/'), *base = slash ? slash + 1 : net, *dot = strrchr(base, '.');
    return arena_printf(arena, "%.*s.safetensors", dot > base ? (int)(dot - base) : (int)strlen(base), base);
}

/* Better known before the training than after it. */
static bool can_write(Arena *arena, const char *what, const char *path) {
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_printf(arena, "%.*s", (int)(slash - path + 1), path) : ".";
    bool device = !stat(path, &status) && !S_ISREG(status.st_mode); /* written to as it is; a file is replaced by another of its folder */
    if (!access(device ? path : folder, W_OK)) return true;
    say_error("the %s cannot be written to %s: %s", what, path, strerror(errno));
    return false;
}

static int load_weights(cnnc_model *model, const TrainOptions *o, cnnc_error *failure) {
    if (!o->from) return CNNC_OK;
    return o->partial ? load_partly(model, o->from, failure) : cnnc_weights_load(model->network, model->net, o->from, failure);
}

static void fit_options(const TrainOptions *o, const cnnc_network *network, const Data *data, const Callbacks *callbacks, cnnc_fit_options *options) {
    cnnc_fit_defaults(network, options);
    if (o->epochs) options->epochs = o->epochs;
    if (o->batch_size) options->batch_size = o->batch_size;
    if (o->no_shuffle) options->shuffle = 0;
    if (o->seed >= 0) options->seed = (uint64_t)o->seed;
    if (o->split >= 0) options->validation_split = o->split;
    if (data->validation.n) options->validation = &data->validation;
    options->hooks = callbacks->hooks;
    options->hook_count = callbacks->count;
    options->stop = &stop;
    options->checkpoint = o->checkpoint;
    options->checkpoint_batches = o->checkpoint_batches;
    options->resume = o->resume;
}

static int test(cnnc_model *model, const Data *data, const TrainOptions *o) {
    cnnc_error failure;
    int tested = cnnc_evaluate(model, &data->test, o->batch_size, 0, stdout, &stop, data->results, &failure);
    if (tested == CNNC_FAILED) return fail(&failure);
    if (tested == CNNC_STOPPED) return printf("Stopped while testing\n"), 128 + stop;
    print_test(model->network, data->results);
    return EXIT_FINE;
}

static int fit(cnnc_model *model, const Data *data, const TrainOptions *o, const cnnc_fit_options *options, const char *to) {
    cnnc_error failure;
    int trained = cnnc_fit(model, &data->train, options, NULL, &failure);
    if (trained == CNNC_FAILED) return fail(&failure);
    if (cnnc_weights_save(model->network, model->net, to, NULL, 0, &failure)) return fail(&failure);
    if (trained == CNNC_STOPPED) printf("Stopped after %llu updates. ", (unsigned long long)model->state->step);
    printf("Weights saved to %s\n", to);
    if (trained == CNNC_STOPPED) return 128 + stop;
    return data->test.n ? test(model, data, o) : EXIT_FINE;
}

/* What a training would write, need and take; it does not begin. */
static int dry_run(cnnc_model *model, const Data *data, const TrainOptions *o, const cnnc_fit_options *options, const char *to) {
    cnnc_error failure;
    cnnc_forecast f;
    const struct { const char *what, *path; } files[] = {
        {"the weights to", to}, {"a checkpoint to", o->checkpoint}, {"the best weights to", o->callbacks.save_best},
        {"a log to", o->callbacks.csv_log}, {"event files to", o->callbacks.tensorboard},
    };
    if (cnnc_fit_forecast(model, &data->train, options, &f, &failure)) return fail(&failure);
    for (int i = 0; i < LENGTH(files); i++)
        if (files[i].path) printf("Would write %s %s\n", files[i].what, files[i].path);
    printf("Forecast: %llu updates in about %.3g s (%.3g s an epoch); %zu bytes of memory: network %zu, data %zu, order %zu, callbacks %zu\n", (unsigned long long)f.updates,
           f.seconds, f.epoch_seconds, f.network_bytes + f.data_bytes + f.order_bytes + f.kept_bytes, f.network_bytes, f.data_bytes, f.order_bytes, f.kept_bytes);
    return EXIT_FINE;
}

static bool load_data(const cnnc_network *network, const TrainOptions *o, Data *data, cnnc_error *failure) {
    int has_test;
    return !cnnc_dataset_load(network, o->data, "train", &data->train, failure) && !cnnc_dataset_has_test(o->data, &has_test, failure) &&
           (!has_test || !cnnc_dataset_load(network, o->data, "test", &data->test, failure)) &&
           (!o->validation_data || !cnnc_dataset_load(network, o->validation_data, "test", &data->validation, failure));
}

static int train_model(cnnc_model *model, const Data *data, const TrainOptions *o, const Callbacks *callbacks, const char *to) {
    cnnc_error failure;
    cnnc_fit_options options;
    int threads = cnnc_pool_threads(model->pool);
    if (o->seed >= 0) cnnc_initialize(model->network, model->net, (uint64_t)o->seed);
    if (load_weights(model, o, &failure)) return fail(&failure);
    fit_options(o, model->network, data, callbacks, &options);
    printf("%zu examples, %s, %d thread%s\n", data->train.n, cnnc_model_variant(model), threads, threads == 1 ? "" : "s");
    fflush(stdout);
    return (o->dry_run ? dry_run : fit)(model, data, o, &options, to);
}

static int train_with(Compilation *c, const cnnc_network *network, const TrainOptions *o) {
    cnnc_error failure;
    Data data = {.results = NEW_ARRAY(c->arena, double, 1 + network->metric_count)};
    Callbacks callbacks;
    cnnc_model *model = NULL;
    const char *to = o->to ? o->to : default_weights(c->arena, strcmp(o->net, "-") ? o->net : network->name);
    bool validated = o->validation_data || (o->split >= 0 ? o->split : network->validation_split) > 0;
    int status = callbacks_from_options(c->arena, &o->callbacks, network, validated, &callbacks);
    if (status == EXIT_FINE) {
        if (cnnc_summary(network, stdout, cnnc_columns(stdout), cnnc_progress_color(stdout), &failure) || !load_data(network, o, &data, &failure) ||
            !(model = cnnc_model_new(network, o->threads, NULL, &failure)))
            status = fail(&failure);
        else status = train_model(model, &data, o, &callbacks, to);
    }
    free_callbacks(&callbacks);
    cnnc_model_free(model);
    cnnc_dataset_free(&data.validation);
    cnnc_dataset_free(&data.train);
    cnnc_dataset_free(&data.test);
    return status;
}

static int train(Compilation *c, const TrainOptions *o) {
    Loaded loaded;
    int status;
    const cnnc_network *network = load_network(c, o->net, &loaded, &status);
    if (!network) return status;
    if (!network->train) {
        remark("error", c->source.name, 0, "the network cannot be trained: it has no compile statement\nhint: 'compile optimizer=rmsprop loss=categorical_crossentropy' say");
        status = EXIT_INPUT;
    } else status = train_with(c, network, o);
    unload_network(&loaded);
    return status;
}

static bool watches(const CallbackOptions *o) { return o->early_stopping || o->reduce_lr || o->save_best; }

/* Usage that the table of options cannot tell. */
static bool check_usage(TrainOptions *o) {
    char *end;
    if (!o->checkpoint && (o->resume || o->checkpoint_batches)) return say_error("--checkpoint FILE is missing\nhint: %s goes with it", o->resume ? "--resume" : "--checkpoint-batches"), false;
    if (o->partial && !o->from) return say_error("--partial without --weights FROM\nhint: it takes of FROM only the layers that the network has, too"), false;
    if (o->callbacks.monitor && !watches(&o->callbacks)) return say_error("--monitor without --early-stopping, --reduce-lr or --save-best\nhint: it tells them what to watch"), false;
    if (o->validation_split && o->validation_data) return say_error("--validation-split and --validation-data exclude each other"), false;
    if (!o->data) return say_error("--data is missing\nhint: --data DIR, a folder with the files of MNIST or CIFAR, or --data data.csv:label, data.npz or X.npy,Y.npy"), false;
    if (!o->validation_split) return true;
    o->split = strtod(o->validation_split, &end);
    if (!*end && end != o->validation_split && o->split >= 0 && o->split < 1) return true;
    return say_error("--validation-split must be a number from 0 to below 1, not '%s'", o->validation_split), false;
}

static bool all_writable(Arena *arena, const TrainOptions *o) {
    return can_write(arena, "weights", o->to ? o->to : ".") && (!o->checkpoint || can_write(arena, "checkpoint", o->checkpoint)) &&
           (!o->callbacks.save_best || can_write(arena, "best weights", o->callbacks.save_best)) && (!o->callbacks.csv_log || can_write(arena, "log", o->callbacks.csv_log));
}

/* What one output writes must not be written over by another. */
static bool outputs_apart(Arena *arena, const TrainOptions *o) {
    const char *to = o->to ? o->to : strcmp(o->net, "-") ? default_weights(arena, o->net) : NULL;
    const char *const files[] = {o->net, to, o->checkpoint, o->callbacks.save_best, o->callbacks.csv_log};
    for (int i = 1; i < LENGTH(files); i++)
        for (int k = 0; k < i; k++)
            if (files[i] && files[k] && same_file(files[i], files[k])) return say_error("'%s' would be written over '%s'", files[i], files[k]), false;
    return true;
}

int command_train(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    TrainOptions o = {.seed = -1, .split = -1};
    const Option options[] = {
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "folder with the files of MNIST or CIFAR, or with train.csv and test.csv; or data.npz, data.csv:label, or X.npy,Y.npy"},
        {"--weights", &o.from, NULL, NULL, 0, 0, "FROM", "start from saved weights"},
        {"--partial", NULL, &o.partial, NULL, 0, 0, NULL, "of FROM, only the layers that the network has too, by name; the others start as without it"},
        {"-o", &o.to, NULL, NULL, 0, 0, "TO", "where to save the weights (the network's file name, .safetensors, here)"},
        {"--epochs", NULL, NULL, &o.epochs, 1, 1000000000, "N", "instead of the description's"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--no-shuffle", NULL, &o.no_shuffle, NULL, 0, 0, NULL, "keep the order of the data"},
        {"--seed", NULL, NULL, &o.seed, 0, 2147483647, "N", "of initial weights and shuffling"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers (one a processor)"},
        {"--checkpoint", &o.checkpoint, NULL, NULL, 0, 0, "FILE", "keep the state of the training there: after each epoch, and when stopped by a signal"},
        {"--checkpoint-batches", NULL, NULL, &o.checkpoint_batches, 1, 1000000000, "N", "and after so many batches"},
        {"--validation-split", &o.validation_split, NULL, NULL, 0, 0, "PART", "evaluate the last PART of the data after each epoch (0.1, say) and do not train on it"},
        {"--validation-data", &o.validation_data, NULL, NULL, 0, 0, "DIR", "evaluate other data after each epoch: a folder's test files, data.npz, data.csv:label, or X.npy,Y.npy"},
        CALLBACK_OPTIONS(o.callbacks),
        {"--dry-run", NULL, &o.dry_run, NULL, 0, 0, NULL, "all up to the first update, what would be written, memory and time; nothing is written"},
        {"--resume", NULL, &o.resume, NULL, 0, 0, NULL, "go on where the checkpoint is"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"train", options, LENGTH(options), names, &o.net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network) && check_usage(&o) && outputs_apart(c.arena, &o)) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        bool writable = all_writable(c.arena, &o);
        if (writable && o.checkpoint && !o.resume && !o.dry_run && !access(o.checkpoint, F_OK)) remark("warning", NULL, 0, "%s is there and will be replaced; --resume goes on from it", o.checkpoint);
        status = writable ? train(&c, &o) : EXIT_FILE;
    }
    compilation_free(&c);
    return status;
}
