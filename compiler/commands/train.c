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

static int fail(const cnnc_error *failure) { return say_error("%s", failure->text), status_of(failure); }

/* nets/mnist.net -> mnist.safetensors, here. */
static const char *default_weights(Arena *arena, const char *net) {
    const char *slash = strrchr(net, '/'), *base = slash ? slash + 1 : net, *dot = strrchr(base, '.');
    return arena_printf(arena, "%.*s.safetensors", dot > base ? (int)(dot - base) : (int)strlen(base), base);
}

/* ---- what is written ----------------------------------------------------------------------------------------------- */

enum { WEIGHTS, CHECKPOINT, BEST, LOG, EVENTS, OUTPUTS };

/* Without a path: it is not written, or not known yet where. */
static void list_outputs(const TrainOptions *o, Output outputs[OUTPUTS]) {
    const Output list[OUTPUTS] = {
        [WEIGHTS] = {"the weights", o->to, false},
        [CHECKPOINT] = {"a checkpoint", o->checkpoint, false},
        [BEST] = {"the best weights", o->callbacks.save_best, false},
        [LOG] = {"a log", o->callbacks.csv_log, false},
        [EVENTS] = {"event files", o->callbacks.tensorboard, true},
    };
    memcpy(outputs, list, sizeof list);
}

/* An exit status, after a message. */
static int check_outputs(Arena *arena, const TrainOptions *o) {
    Output outputs[OUTPUTS];
    const char **inputs = NULL;
    int n = 0;
    list_outputs(o, outputs);
    *PUSH(arena, inputs, n) = o->net;
    inputs = data_files(arena, o->data, inputs, &n);
    inputs = data_files(arena, o->validation_data, inputs, &n);
    if (!outputs_apart(outputs, OUTPUTS, inputs, n)) return EXIT_USAGE;
    if (!outputs_writable(arena, outputs, OUTPUTS)) return EXIT_FILE;
    if (o->checkpoint) /* not beside the checkpoint itself: after a kill both may be one file */
        outputs[CHECKPOINT] = (Output){"the checkpoint before", arena_printf(arena, "%s.previous", o->checkpoint), false};
    return outputs_apart(outputs, OUTPUTS, inputs, n) ? EXIT_FINE : EXIT_USAGE;
}

/* ---- training -------------------------------------------------------------------------------------------------------- */

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

static int save(cnnc_model *model, const char *to) {
    cnnc_error failure;
    if (cnnc_weights_save(model->network, model->net, to, NULL, 0, &failure)) return fail(&failure);
    printf("Weights saved to %s\n", to);
    return EXIT_FINE;
}

/* Half-trained weights take no earlier ones' place. */
static int end_stopped(Arena *arena, cnnc_model *model, const TrainOptions *o) {
    struct stat status;
    bool there = !stat(o->to, &status) && S_ISREG(status.st_mode);
    printf("Stopped after %llu updates. ", (unsigned long long)model->state->step);
    if (o->checkpoint) printf("The same command with --resume goes on from %s\n", o->checkpoint);
    else if (save(model, there ? arena_printf(arena, "%s.stopped", o->to) : o->to)) return EXIT_FILE;
    else if (there) printf("%s is what it was before\n", o->to);
    return 128 + stop;
}

static int fit(Arena *arena, cnnc_model *model, const Data *data, const TrainOptions *o, const cnnc_fit_options *options) {
    cnnc_error failure;
    int trained = cnnc_fit(model, &data->train, options, NULL, &failure);
    if (trained == CNNC_FAILED) return say_in_options(&failure, o->checkpoint), status_of(&failure);
    if (trained == CNNC_STOPPED) return end_stopped(arena, model, o);
    int status = save(model, o->to);
    return !status && data->test.n ? test(model, data, o) : status;
}

/* What a training would write, need and take; it does not begin. */
static int dry_run(cnnc_model *model, const Data *data, const TrainOptions *o, const cnnc_fit_options *options) {
    cnnc_error failure;
    cnnc_forecast f;
    Output outputs[OUTPUTS];
    if (cnnc_fit_forecast(model, &data->train, options, &f, &failure)) return say_in_options(&failure, o->checkpoint), status_of(&failure);
    list_outputs(o, outputs);
    for (int i = 0; i < OUTPUTS; i++)
        if (outputs[i].path) printf("Would write %s to %s\n", outputs[i].what, outputs[i].path);
    char all[BYTES_TEXT], parts[4][BYTES_TEXT];
    printf("Forecast: %llu updates in about %.3g s (%.3g s an epoch); %s of memory: network %s, data %s, order %s, callbacks %s\n", (unsigned long long)f.updates, f.seconds,
           f.epoch_seconds, bytes_text(all, (double)f.network_bytes + (double)f.data_bytes + (double)f.order_bytes + (double)f.kept_bytes),
           bytes_text(parts[0], (double)f.network_bytes), bytes_text(parts[1], (double)f.data_bytes), bytes_text(parts[2], (double)f.order_bytes), bytes_text(parts[3], (double)f.kept_bytes));
    return EXIT_FINE;
}

static bool load_data(const cnnc_network *network, const TrainOptions *o, Data *data, cnnc_error *failure) {
    int has_test;
    return !cnnc_dataset_load(network, o->data, "train", &data->train, failure) && !cnnc_dataset_has_test(o->data, &has_test, failure) &&
           (!has_test || !cnnc_dataset_load(network, o->data, "test", &data->test, failure)) &&
           (!o->validation_data || !cnnc_dataset_load(network, o->validation_data, "test", &data->validation, failure));
}

static int train_model(Arena *arena, cnnc_model *model, const Data *data, const TrainOptions *o, const Callbacks *callbacks) {
    cnnc_error failure;
    cnnc_fit_options options;
    int threads = cnnc_pool_threads(model->pool);
    if (o->seed >= 0) cnnc_initialize(model->network, model->net, (uint64_t)o->seed);
    if (load_weights(model, o, &failure)) return fail(&failure);
    fit_options(o, model->network, data, callbacks, &options);
    size_t apart = options.validation ? 0 : data->train.n - cnnc_split_at(data->train.n, options.validation_split), validating = options.validation ? data->validation.n : apart;
    printf("%zu examples, ", data->train.n - apart);
    if (validating) printf("%zu to validate, ", validating);
    printf("%s, %d thread%s\n", cnnc_model_variant(model), threads, threads == 1 ? "" : "s");
    fflush(stdout);
    return o->dry_run ? dry_run(model, data, o, &options) : fit(arena, model, data, o, &options);
}

static int train_with(Compilation *c, const cnnc_network *network, const TrainOptions *o) {
    cnnc_error failure;
    Data data = {.results = NEW_ARRAY(c->arena, double, 1 + network->metric_count)};
    Callbacks callbacks;
    cnnc_model *model = NULL;
    bool validated = o->validation_data || (o->split >= 0 ? o->split : network->validation_split) > 0;
    int status = callbacks_from_options(c->arena, &o->callbacks, network, validated, &callbacks);
    if (status == EXIT_FINE) {
        if (cnnc_summary(network, stdout, cnnc_columns(stdout), cnnc_progress_color(stdout), &failure) || !load_data(network, o, &data, &failure) ||
            !(model = cnnc_model_new(network, o->threads, NULL, &failure)))
            status = fail(&failure);
        else status = train_model(c->arena, model, &data, o, &callbacks);
    }
    free_callbacks(&callbacks);
    cnnc_model_free(model);
    cnnc_dataset_free(&data.validation);
    cnnc_dataset_free(&data.train);
    cnnc_dataset_free(&data.test);
    return status;
}

static int train(Compilation *c, TrainOptions *o) {
    Loaded loaded;
    int status;
    const cnnc_network *network = load_network(c, o->net, &loaded, &status);
    if (!network) return stop ? 128 + stop : status;
    if (!network->train) {
        remark("error", c->source.name, 0, "the network cannot be trained: it has no compile statement\nhint: add one, for example 'compile optimizer=rmsprop loss=categorical_crossentropy'");
        status = EXIT_INPUT;
    } else {
        bool unknown = !o->to; /* until now: the description came from standard input */
        if (unknown) o->to = default_weights(c->arena, network->name);
        if (!unknown || !(status = check_outputs(c->arena, o))) status = train_with(c, network, o);
    }
    unload_network(&loaded);
    return status;
}

static bool watches(const CallbackOptions *o) { return o->early_stopping || o->reduce_lr || o->save_best; }

/* Usage that the table of options cannot tell. */
static bool check_usage(TrainOptions *o) {
    char *end;
    if (!o->checkpoint && (o->resume || o->checkpoint_batches)) return say_error("--checkpoint FILE is missing\nhint: %s goes with it", o->resume ? "--resume" : "--checkpoint-batches"), false;
    if (o->partial && !o->from) return say_error("--partial without --weights FROM\nhint: it takes of FROM only the layers that the network has, too"), false;
    if (o->from && o->resume) return say_error("--weights and --resume exclude each other\nhint: a checkpoint has its own weights"), false;
    if (o->callbacks.monitor && !watches(&o->callbacks)) return say_error("--monitor without --early-stopping, --reduce-lr or --save-best\nhint: it tells them what to watch"), false;
    if (o->validation_split && o->validation_data) return say_error("--validation-split and --validation-data exclude each other"), false;
    if (!o->data) return say_error("--data is missing\nhint: --data DIR, a folder with the files of MNIST or CIFAR, or --data data.csv:label, data.npz or X.npy,Y.npy"), false;
    if (!o->validation_split) return true;
    o->split = strtod(o->validation_split, &end);
    if (!*end && end != o->validation_split && o->split >= 0 && o->split < 1) return true;
    return say_error("--validation-split must be a number from 0 to below 1, not '%s'", o->validation_split), false;
}

/* False: there is none to go on from. */
static bool checkpoint_there(const TrainOptions *o) {
    if (!o->checkpoint) return true;
    bool there = !access(o->checkpoint, F_OK);
    if (o->resume && !there) say_error("%s: %s\nhint: without --resume a training begins, and makes it", o->checkpoint, strerror(errno));
    if (!o->resume && !o->dry_run && there) remark("warning", NULL, 0, "%s is there and will be replaced; --resume goes on from it", o->checkpoint);
    return there || !o->resume;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int command_train(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    TrainOptions o = {.seed = -1, .split = -1};
    const Option options[] = {
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "folder with the files of MNIST or CIFAR, train.csv, X.npy and Y.npy, or one .npz; or data.npz, data.csv:label, or X.npy,Y.npy"},
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
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network) && check_usage(&o)) {
        catch_signals();
        c.options.batch_size = o.batch_size;
        if (!o.to && strcmp(o.net, "-")) o.to = default_weights(c.arena, o.net); /* else the network's name has to be read first */
        status = check_outputs(c.arena, &o);
        if (!status) status = checkpoint_there(&o) ? train(&c, &o) : EXIT_FILE;
    }
    compilation_free(&c);
    return status;
}
