/* A network at work: models, batches, weights, fit, evaluate, predict, on the hand-made network. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

enum { N = 61, EPOCHS = 4, BATCH = 8 };

static cnnc_error error;
static float xs[N * IN], ys[N * OUT];

/* y = A x + b with a little that no linear map explains. */
static cnnc_dataset linear_data(void) {
    static void *inputs[1], *targets[1];
    cnnc_random random;
    cnnc_random_seed(&random, 11, 0);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < IN; k++)
            xs[i * IN + k] = (float)(2 * cnnc_random_uniform(&random) - 1);
        ys[i * OUT] = xs[i * IN] - 0.5f * xs[i * IN + 1] + 0.25f;
        ys[i * OUT + 1] = 0.75f * xs[i * IN + 2] - 1 + 0.1f * xs[i * IN] * xs[i * IN + 1];
    }
    inputs[0] = xs;
    targets[0] = ys;
    return (cnnc_dataset){.n = N, .input_count = 1, .target_count = 1, .inputs = inputs, .targets = targets};
}

static cnnc_model *new_model(int threads) {
    cnnc_model *model = cnnc_model_new(&linear_network, threads, NULL, &error);
    if (!model)
        fail_msg("%s", error.text);
    return model;
}

static cnnc_fit_options quiet(void) {
    cnnc_fit_options options;
    cnnc_fit_defaults(&linear_network, &options);
    assert_int_equal(options.epochs, 3);
    assert_int_equal(options.batch_size, 8);
    assert_int_equal(options.shuffle, 1);
    options.verbose = 0;
    options.epochs = EPOCHS;
    return options;
}

/* Loss and metric of the parameters as they are, in double. */
static void reference(const cnnc_model *model, double results[2]) {
    const float *p = model->state->parameters;
    results[0] = results[1] = 0;
    for (int i = 0; i < N; i++)
        for (int o = 0; o < OUT; o++) {
            double y = (double)p[BIAS + o];
            for (int k = 0; k < IN; k++)
                y += (double)xs[i * IN + k] * (double)p[k * OUT + o];
            y -= (double)ys[i * OUT + o];
            results[0] += y * y / (N * OUT);
            results[1] += fabs(y) / (N * OUT);
        }
}

static void models(void **state) {
    (void)state;
    cnnc_model *model = new_model(3);
    assert_int_equal((uintptr_t)model->net % 64, 0);
    assert_int_equal(model->state->workers, 3);
    assert_true(model->state->learning_rate == 0.05);
    assert_string_equal(cnnc_model_variant(model), "fast");
    const float *p = model->state->parameters;
    assert_true(p[0] != 0 && fabsf(p[0]) <= 1 && p[BIAS] == 0);
    cnnc_model_free(model);
    model = cnnc_model_new(&linear_network, 1, "plain", &error);
    assert_non_null(model);
    assert_string_equal(cnnc_model_variant(model), "plain");
    cnnc_model_free(model);
    assert_null(cnnc_model_new(&linear_network, 1, "alien", &error));
    assert_says(&error, "this machine cannot run network linear in variant alien");
    assert_null(cnnc_model_new(&linear_network, 1, "quantum", &error));
    assert_says(&error, "no variant 'quantum', only: fast, plain, alien");
    cnnc_network other = linear_network;
    other.abi = CNNC_ABI + 1;
    assert_null(cnnc_model_new(&other, 1, NULL, &error));
    assert_says(&error, "regenerate it");
    cnnc_model_free(NULL);
}

static int no_memory(const void *net, const cnnc_batch *batch) {
    (void)net, (void)batch;
    return -1;
}

static void batches(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_model *model = new_model(2);
    double results[2], expected[2];
    cnnc_batch batch = {.n = N, .inputs = (const void *const *)data.inputs, .targets = (const void *const *)data.targets};
    reference(model, expected);
    assert_int_equal(cnnc_model_evaluate_batch(model, &batch, results, &error), CNNC_OK);
    assert_true(fabs(results[0] - expected[0]) < 1e-6 && fabs(results[1] - expected[1]) < 1e-6);
    uint64_t version = model->state->version;
    assert_int_equal(model->state->step, 0);
    assert_int_equal(cnnc_model_train_batch(model, &batch, results, &error), CNNC_OK);
    assert_true(fabs(results[0] - expected[0]) < 1e-6);
    assert_int_equal(model->state->step, 1);
    assert_int_equal(model->state->version, version + 1);
    assert_int_equal(cnnc_model_evaluate_batch(model, &batch, results, &error), CNNC_OK);
    assert_true(results[0] < expected[0]);
    ((float *)model->state->parameters)[BIAS] += 100;
    cnnc_model_parameters_changed(model);
    assert_int_equal(cnnc_model_evaluate_batch(model, &batch, results, NULL), CNNC_OK);
    assert_true(results[0] > 1000);
    batch.n = 0;
    assert_int_equal(cnnc_model_evaluate_batch(model, &batch, results, &error), CNNC_FAILED);
    cnnc_model_free(model);
    cnnc_network other = linear_network;
    other.train_phases = 0;
    model = cnnc_model_new(&other, 1, NULL, &error);
    assert_non_null(model);
    batch.n = 1;
    assert_int_equal(cnnc_model_train_batch(model, &batch, NULL, &error), CNNC_FAILED);
    assert_says(&error, "network linear was not compiled to train");
    cnnc_model_free(model);
    const cnnc_phase small[] = {{"shards", no_memory, NULL}};
    other.train = small, other.train_phases = 1;
    model = cnnc_model_new(&other, 1, NULL, &error);
    assert_non_null(model);
    assert_int_equal(cnnc_model_train_batch(model, &batch, NULL, &error), CNNC_FAILED);
    assert_says(&error, "a batch of 1 examples is larger than network linear was compiled for: give 'fit' a larger batch_size");
    cnnc_model_free(model);
}

/* The metric becomes the ratio of its mean and the loss's: no mean of batches' ratios. */
static void ratio(const double *means, double *results) {
    results[0] = means[0];
    results[1] = means[1] / means[0];
}

static void results_of_totals(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_network other = linear_network;
    other.results = ratio;
    cnnc_model *model = cnnc_model_new(&other, 2, NULL, &error);
    double expected[2], results[2];
    reference(model, expected);
    for (int size = 3; size <= N; size += N - 3) {
        assert_int_equal(cnnc_evaluate(model, &data, size, 0, NULL, NULL, results, &error), CNNC_OK);
        assert_true(fabs(results[0] - expected[0]) < 1e-6 && fabs(results[1] - expected[1] / expected[0]) < 1e-6);
    }
    cnnc_batch batch = {.n = N, .inputs = (const void *const *)data.inputs, .targets = (const void *const *)data.targets};
    assert_int_equal(cnnc_model_train_batch(model, &batch, results, &error), CNNC_OK);
    assert_true(fabs(results[1] - expected[1] / expected[0]) < 1e-6);
    cnnc_model_free(model);
}

static double halving(uint64_t updates) { return 0.5 / (double)(1 + updates); }

static void schedules(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_network other = linear_network;
    other.schedule = halving;
    cnnc_model *model = cnnc_model_new(&other, 2, NULL, &error);
    cnnc_batch batch = {.n = N, .inputs = (const void *const *)data.inputs, .targets = (const void *const *)data.targets};
    assert_int_equal(cnnc_model_evaluate_batch(model, &batch, NULL, &error), CNNC_OK);
    assert_true(model->state->learning_rate == 0.05);
    for (uint64_t i = 1; i < 4; i++) {
        assert_int_equal(cnnc_model_train_batch(model, &batch, NULL, &error), CNNC_OK);
        assert_true(model->state->learning_rate == halving(i));
    }
    cnnc_hook hook = {.name = "reduce_lr", .changes_rate = 1};
    cnnc_fit_options options;
    cnnc_fit_defaults(&other, &options);
    options.verbose = 0;
    options.hooks = &hook;
    options.hook_count = 1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "reduce_lr changes the learning rate, and that of network linear follows a schedule");
    cnnc_model_free(model);
}

/* ---- fit --------------------------------------------------------------------------------------------------------- */

typedef struct diary {
    int begun, ended, batches, stop_after;
    double last[2], weighted[2];
    const cnnc_model *model;
} diary;

static int note(void *context, cnnc_model *model, const cnnc_event *event) {
    diary *d = context;
    d->model = model;
    assert_int_equal(event->epochs, EPOCHS);
    assert_int_equal(event->batches, 8);
    assert_true(event->seconds >= 0);
    if (event->kind == CNNC_EPOCH_BEGIN) {
        assert_int_equal(event->epoch, d->begun++);
        assert_null(event->results);
        return 0;
    }
    memcpy(d->last, event->results, sizeof d->last);
    if (event->kind == CNNC_BATCH_END)
        return ++d->batches == d->stop_after;
    d->ended++;
    assert_non_null(event->validation);
    return 0;
}

static void training_learns(void **state) {
    (void)state;
    cnnc_dataset data = linear_data(), validation;
    cnnc_model *model = new_model(2);
    cnnc_fit_options options = quiet();
    cnnc_history history;
    diary d = {0};
    assert_int_equal(cnnc_dataset_view(&linear_network, &data, 40, N, &validation, &error), CNNC_OK);
    options.validation = &validation;
    options.callback = note;
    options.callback_context = &d;
    assert_int_equal(cnnc_fit(model, &data, &options, &history, &error), CNNC_OK);
    assert_int_equal(d.begun, EPOCHS);
    assert_int_equal(d.ended, EPOCHS);
    assert_int_equal(d.batches, 8 * EPOCHS); /* 61 = 7 x 8 + 5: the rest is trained on */
    assert_ptr_equal(d.model, model);
    assert_int_equal(model->state->step, 8 * EPOCHS);
    assert_int_equal(((linear *)model->net)->finalized, 1);
    assert_int_equal(history.epochs, EPOCHS);
    assert_int_equal(history.columns, 2);
    assert_memory_equal(history.results + 2 * (EPOCHS - 1), d.last, sizeof d.last);
    assert_true(history.results[0] > 4 * history.results[2 * (EPOCHS - 1)]);
    double results[2], expected[2];
    assert_int_equal(cnnc_evaluate(model, &validation, 7, 0, NULL, NULL, results, &error), CNNC_OK);
    assert_true(fabs(results[0] - history.validation[2 * (EPOCHS - 1)]) < 1e-12);
    assert_int_equal(cnnc_evaluate(model, &data, 0, 0, NULL, NULL, results, &error), CNNC_OK);
    cnnc_network sizeless = *model->network;
    const cnnc_network *network = model->network;
    void *const outputs[] = {NULL};
    sizeless.batch_size = 0; /* by hand: no description has it */
    model->network = &sizeless;
    assert_int_equal(cnnc_predict(model, (const void *const *)data.inputs, 1, 0, 0, NULL, NULL, outputs, &error), CNNC_FAILED);
    assert_says(&error, "a batch size of 0");
    model->network = network;
    reference(model, expected);
    assert_true(fabs(results[0] - expected[0]) < 1e-6 && fabs(results[1] - expected[1]) < 1e-6);
    cnnc_history_free(&history);
    cnnc_dataset_free(&validation);
    cnnc_model_free(model);
}

/* An epoch's results are the batches' weighted by their examples; without shuffling the order is the data's. */
static void epochs_average_as_keras_does(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_model *model = new_model(1), *twin = new_model(1);
    cnnc_fit_options options = quiet();
    cnnc_history history;
    options.epochs = 1;
    options.shuffle = 0;
    assert_int_equal(cnnc_fit(model, &data, &options, &history, &error), CNNC_OK);
    double sums[2] = {0, 0};
    for (int first = 0; first < N; first += BATCH) {
        const void *inputs[] = {xs + first * IN}, *targets[] = {ys + first * OUT};
        cnnc_batch batch = {.n = N - first < BATCH ? N - first : BATCH, .inputs = inputs, .targets = targets};
        double results[2];
        assert_int_equal(cnnc_model_train_batch(twin, &batch, results, &error), CNNC_OK);
        sums[0] += results[0] * batch.n;
        sums[1] += results[1] * batch.n;
    }
    assert_true(history.results[0] == sums[0] / N && history.results[1] == sums[1] / N);
    assert_memory_equal(model->state->parameters, twin->state->parameters, PARAMETERS * sizeof(float));
    assert_null(history.validation);
    cnnc_history_free(&history);
    cnnc_model_free(model);
    cnnc_model_free(twin);
}

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 3, 7};
    cnnc_dataset data = linear_data();
    float parameters[4][PARAMETERS], outputs[4][N * OUT];
    double results[4][2], losses[4][EPOCHS * 2];
    for (int k = 0; k < 4; k++) {
        cnnc_model *model = new_model(threads[k]);
        cnnc_fit_options options = quiet();
        cnnc_history history;
        void *out[] = {outputs[k]};
        assert_int_equal(cnnc_fit(model, &data, &options, &history, &error), CNNC_OK);
        assert_int_equal(cnnc_evaluate(model, &data, 16, 0, NULL, NULL, results[k], &error), CNNC_OK);
        assert_int_equal(cnnc_predict(model, (const void *const *)data.inputs, N, 13, 0, NULL, NULL, out, &error), CNNC_OK);
        memcpy(parameters[k], model->state->parameters, sizeof parameters[k]);
        memcpy(losses[k], history.results, sizeof losses[k]);
        cnnc_history_free(&history);
        cnnc_model_free(model);
        assert_memory_equal(parameters[k], parameters[0], sizeof parameters[0]);
        assert_memory_equal(losses[k], losses[0], sizeof losses[0]);
        assert_memory_equal(results[k], results[0], sizeof results[0]);
        assert_memory_equal(outputs[k], outputs[0], sizeof outputs[0]);
    }
    for (int i = 0; i < N; i++)
        for (int o = 0; o < OUT; o++) {
            float y = parameters[0][BIAS + o];
            for (int k = 0; k < IN; k++)
                y += xs[i * IN + k] * parameters[0][k * OUT + o];
            assert_true(fabsf(y - outputs[0][i * OUT + o]) < 1e-5f);
        }
}

static volatile sig_atomic_t stop;

static int stop_later(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)context;
    (void)model;
    stop = event->kind == CNNC_BATCH_END && event->epoch == 1 && event->batch == 2;
    return 0;
}

static void stopping(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_model *model = new_model(2);
    cnnc_fit_options options = quiet();
    cnnc_history history;
    stop = 0;
    options.stop = &stop;
    options.callback = stop_later;
    assert_int_equal(cnnc_fit(model, &data, &options, &history, &error), CNNC_STOPPED);
    assert_int_equal(model->state->step, 8 + 3);
    assert_int_equal(history.epochs, 1);
    assert_int_equal(((linear *)model->net)->finalized, 1);
    cnnc_history_free(&history);
    double results[2];
    float outputs[N * OUT];
    void *out[] = {outputs};
    stop = 1;
    assert_int_equal(cnnc_evaluate(model, &data, 8, 0, NULL, &stop, results, &error), CNNC_STOPPED);
    assert_int_equal(cnnc_predict(model, (const void *const *)data.inputs, N, 8, 0, NULL, &stop, out, &error), CNNC_STOPPED);
    diary d = {.stop_after = 2};
    options = quiet();
    options.validation = &data;
    options.callback = note;
    options.callback_context = &d;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_STOPPED);
    assert_int_equal(d.batches, 2);
    cnnc_model_free(model);
}

static void bad_calls_are_refused(void **state) {
    (void)state;
    cnnc_dataset data = linear_data(), none = data, unlabelled = data;
    cnnc_model *model = new_model(1);
    cnnc_fit_options options = quiet();
    double results[2];
    none.n = 0;
    unlabelled.target_count = 0;
    assert_int_equal(cnnc_fit(model, &none, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "0 examples to train");
    assert_int_equal(cnnc_fit(model, &unlabelled, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "needs 1 inputs and 1 targets, the data has 1 and 0");
    options.validation = &unlabelled;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    options.validation = NULL;
    options.batch_size = 0;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    options.batch_size = 1;
    options.epochs = -1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    options.epochs = 0;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    assert_int_equal(((linear *)model->net)->finalized, 0);
    assert_int_equal(cnnc_evaluate(model, &none, 1, 0, NULL, NULL, results, &error), CNNC_FAILED);
    assert_int_equal(cnnc_predict(model, NULL, 0, 1, 0, NULL, NULL, NULL, &error), CNNC_FAILED);
    cnnc_model_free(model);
}

static void what_is_printed(void **state) {
    (void)state;
    cnnc_dataset data = linear_data();
    cnnc_model *model = new_model(1);
    cnnc_fit_options options = quiet();
    char *text = NULL;
    FILE *out = tmpfile();
    assert_non_null(out);
    options.verbose = 1;
    options.out = out;
    options.epochs = 2;
    options.validation = &data;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    double results[2];
    assert_int_equal(cnnc_evaluate(model, &data, 8, 1, out, NULL, results, &error), CNNC_OK);
    rewind(out);
    text = calloc(4096, 1);
    assert_non_null(text);
    assert_true(fread(text, 1, 4095, out) > 0);
    assert_true(strncmp(text, "Epoch 1/2\n8/8 - ", 16) == 0);
    char *second = strstr(text, "\nEpoch 2/2\n8/8 - ");
    assert_non_null(second);
    const char *loss = strstr(second, "/step - loss: "), *mae = strstr(second, " - mae: ");
    const char *val_loss = strstr(second, " - val_loss: "), *val_mae = strstr(second, " - val_mae: ");
    assert_true(loss && loss < mae && mae < val_loss && val_loss < val_mae);
    free(text);
    fclose(out);
    cnnc_model_free(model);
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static void weights_come_back(void **state) {
    (void)state;
    cnnc_model *model = new_model(1), *other = new_model(1);
    const char *path = in_folder("w.safetensors");
    const cnnc_metadata metadata[] = {{"format", "pt"}};
    cnnc_initialize(&linear_network, other->net, 77);
    float before[PARAMETERS];
    memcpy(before, other->state->parameters, sizeof before);
    assert_memory_not_equal(before, model->state->parameters, sizeof before);
    assert_int_equal(cnnc_weights_save(&linear_network, model->net, path, metadata, 1, &error), CNNC_OK);
    uint64_t version = other->state->version;
    assert_int_equal(cnnc_weights_load(&linear_network, other->net, path, &error), CNNC_OK);
    assert_int_equal(other->state->version, version + 1);
    assert_memory_equal(other->state->parameters, model->state->parameters, sizeof before);
    cnnc_model_free(model);
    cnnc_model_free(other);
}

static void refuse(cnnc_model *model, const cnnc_safetensor *tensors, int count, const char *why) {
    const char *path = in_folder("bad.safetensors");
    float before[PARAMETERS];
    memcpy(before, model->state->parameters, sizeof before);
    assert_int_equal(cnnc_safetensors_write(path, tensors, count, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load(&linear_network, model->net, path, &error), CNNC_FAILED);
    assert_says(&error, why);
    assert_memory_equal(before, model->state->parameters, sizeof before);
}

static void weights_of_others_are_refused(void **state) {
    (void)state;
    cnnc_model *model = new_model(1);
    float values[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    double doubles[2] = {0.5, 0.25};
    cnnc_safetensor tensors[] = {{"dense/kernel", {CNNC_DTYPE_F32, 2, {3, 2}, 6, values}},
                                 {"dense/bias", {CNNC_DTYPE_F64, 1, {2}, 2, doubles}},
                                 {"extra", {CNNC_DTYPE_F32, 1, {1}, 1, values}}};
    refuse(model, tensors, 1, "lacks 'dense/bias' (2), which network linear has");
    refuse(model, tensors + 1, 1, "lacks 'dense/kernel' (3x2)");
    refuse(model, tensors, 3, "has 'extra', which network linear has not");
    tensors[0].array.shape[0] = 2, tensors[0].array.shape[1] = 3;
    refuse(model, tensors, 2, "'dense/kernel' is 2x3, in network linear it is 3x2");
    tensors[0].array.rank = 3, tensors[0].array.shape[0] = 3, tensors[0].array.shape[1] = 2, tensors[0].array.shape[2] = 1;
    refuse(model, tensors, 2, "'dense/kernel' is 3x2x1, in network linear it is 3x2");
    tensors[0].array.rank = 2, tensors[0].array.dtype = CNNC_DTYPE_I32;
    refuse(model, tensors, 2, "'dense/kernel' is of type i32, not floating");
    tensors[0].array.dtype = CNNC_DTYPE_F32;
    const char *path = in_folder("good.safetensors");
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load(&linear_network, model->net, path, &error), CNNC_OK); /* f64 into f32 */
    const float *p = model->state->parameters;
    assert_true(p[5] == 6 && p[BIAS] == 0.5f && p[BIAS + 1] == 0.25f);
    assert_int_equal(cnnc_weights_load(&linear_network, model->net, in_folder("none"), &error), CNNC_FAILED);
    cnnc_model_free(model);
}

/* Those that the file has by name, whatever else it has; whole or not at all. */
static void weights_of_the_same_name(void **state) {
    (void)state;
    cnnc_model *model = new_model(1);
    const char *path = in_folder("part.safetensors");
    float values[6] = {1, 2, 3, 4, 5, 6}, before[PARAMETERS];
    double doubles[2] = {0.5, 0.25};
    cnnc_safetensor tensors[] = {{"dense/bias", {CNNC_DTYPE_F64, 1, {2}, 2, doubles}},
                                 {"dense_1/kernel", {CNNC_DTYPE_F32, 2, {2, 3}, 6, values}},
                                 {"dense/kernel", {CNNC_DTYPE_F32, 2, {2, 3}, 6, values}}};
    uint64_t version = model->state->version;
    int loaded = -1;
    memcpy(before, model->state->parameters, sizeof before);
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load_matching(&linear_network, model->net, path, &loaded, &error), CNNC_OK);
    float *p = model->state->parameters;
    assert_int_equal(loaded, 1);
    assert_int_equal(model->state->version, version + 1);
    assert_true(p[BIAS] == 0.5f && p[BIAS + 1] == 0.25f);
    assert_memory_equal(p, before, IN * OUT * sizeof *p);
    p[BIAS] = 7;
    assert_int_equal(cnnc_safetensors_write(path, tensors, 3, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load_matching(&linear_network, model->net, path, &loaded, &error), CNNC_FAILED);
    assert_says(&error, "'dense/kernel' is 2x3, in network linear it is 3x2");
    tensors[2].array = (cnnc_array){CNNC_DTYPE_I32, 2, {3, 2}, 6, values};
    assert_int_equal(cnnc_safetensors_write(path, tensors, 3, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load_matching(&linear_network, model->net, path, &loaded, &error), CNNC_FAILED);
    assert_says(&error, "'dense/kernel' is of type i32, not floating");
    assert_int_equal(cnnc_safetensors_write(path, tensors + 1, 1, NULL, 0, &error), CNNC_OK);
    assert_int_equal(cnnc_weights_load_matching(&linear_network, model->net, path, &loaded, &error), CNNC_FAILED);
    assert_says(&error, "has no parameter of network linear");
    assert_int_equal(cnnc_weights_load_matching(&linear_network, model->net, in_folder("none"), &loaded, &error), CNNC_FAILED);
    assert_true(p[BIAS] == 7 && !memcmp(p, before, IN * OUT * sizeof *p) && model->state->version == version + 1);
    cnnc_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models),
        cmocka_unit_test(batches), cmocka_unit_test(results_of_totals), cmocka_unit_test(schedules),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(epochs_average_as_keras_does),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(stopping),
        cmocka_unit_test(bad_calls_are_refused),
        cmocka_unit_test(what_is_printed),
        cmocka_unit_test(weights_come_back),
        cmocka_unit_test(weights_of_others_are_refused),
        cmocka_unit_test(weights_of_the_same_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
