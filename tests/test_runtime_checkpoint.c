/* A training that stops and goes on, on the hand-made network. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { N = 61, EPOCHS = 3, BATCH = 8, BATCHES = 8, ALL = EPOCHS * BATCHES };

static cnnc_error error;
static float xs[N * IN], ys[N * OUT];
static const char *path, *previous;

static int make_paths(void **state) {
    if (make_folder(state))
        return -1;
    path = in_folder("checkpoint");
    previous = in_folder("checkpoint.previous");
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    unlink(path);
    unlink(previous);
    return 0;
}

static cnnc_fit_options quiet(void) {
    cnnc_fit_options options;
    cnnc_fit_defaults(&linear_network, &options);
    options.epochs = EPOCHS;
    options.batch_size = BATCH;
    options.verbose = 0;
    return options;
}

static cnnc_model *new_model(void) {
    cnnc_model *model = cnnc_model_new(&linear_network, 1, NULL, &error);
    if (!model)
        fail_msg("%s", error.text);
    return model;
}

static int stop_at; /* this many batches */

static int count_down(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)context;
    (void)model;
    return event->kind == CNNC_BATCH_END && --stop_at == 0;
}

static void assert_same(const cnnc_model *a, const cnnc_model *b) {
    assert_int_equal(a->state->step, b->state->step);
    assert_memory_equal(a->state->parameters, b->state->parameters, PARAMETERS * sizeof(float));
    assert_memory_equal(a->state->slots, b->state->slots, PARAMETERS * sizeof(float));
}

/* Stopped after any batch, a training ends with the bits and the results of one that was not. */
static void resuming_anywhere(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_fit_options options = quiet();
    cnnc_model *whole = new_model();
    cnnc_history wanted, had;
    assert_int_equal(cnnc_fit(whole, &data, &options, &wanted, &error), CNNC_OK);
    assert_int_equal(whole->state->step, ALL);
    for (int stop = 1; stop < ALL; stop++) {
        cnnc_model *first = new_model(), *second = new_model();
        options = quiet();
        options.checkpoint = path;
        options.callback = count_down;
        stop_at = stop;
        assert_int_equal(cnnc_fit(first, &data, &options, NULL, &error), CNNC_STOPPED);
        assert_int_equal(first->state->step, stop);
        options.callback = NULL;
        options.resume = 1;
        if (cnnc_fit(second, &data, &options, &had, &error) != CNNC_OK)
            fail_msg("%s", error.text);
        assert_same(second, whole);
        size_t columns = (size_t)wanted.columns, rows = (size_t)had.epochs;
        assert_memory_equal(had.results, wanted.results + (EPOCHS - rows) * columns, rows * columns * sizeof(double));
        cnnc_history_free(&had);
        cnnc_model_free(first);
        cnnc_model_free(second);
        remove_files(NULL);
    }
    cnnc_history_free(&wanted);
    cnnc_model_free(whole);
}

/* Each slot, the learning rate and the number of updates; what was derived from other parameters is stale. */
static void all_of_the_state_comes_back(void **state) {
    (void)state;
    static const char *const slots[] = {"velocity", "average"};
    cnnc_network network = linear_network;
    network.slots = slots;
    network.slot_count = 2;
    cnnc_model *model = new_model();
    float numbers[2 * PARAMETERS] = {0}, kept[2 * PARAMETERS], parameters[PARAMETERS];
    for (int i = 0; i < 2 * PARAMETERS; i++)
        if (i % PARAMETERS < IN * OUT || (i % PARAMETERS >= BIAS && i % PARAMETERS < BIAS + OUT)) /* between lies nothing */
            numbers[i] = (float)i + 0.5f;
    memcpy(kept, numbers, sizeof kept);
    memcpy(parameters, model->state->parameters, sizeof parameters);
    model->network = &network;
    model->state->slots = numbers;
    model->state->learning_rate = 0.125;
    model->state->step = 7;
    double sums[2] = {3, 4};
    cnnc_position position = {.epoch = 1, .batch = 2, .examples = N, .batch_size = BATCH, .seed = 1, .shuffle = 1, .sums = sums};
    assert_int_equal(cnnc_checkpoint_save(model, &position, path, &error), CNNC_OK);
    memset(numbers, 0, sizeof numbers);
    memset(model->state->parameters, 0, sizeof parameters);
    uint64_t version = model->state->version;
    model->state->learning_rate = 1;
    model->state->step = 0;
    position.epoch = position.batch = 0;
    sums[0] = sums[1] = 0;
    if (cnnc_checkpoint_load(model, &position, path, &error) != CNNC_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(numbers, kept, sizeof kept);
    assert_memory_equal(model->state->parameters, parameters, sizeof parameters);
    assert_true(model->state->learning_rate == 0.125 && model->state->step == 7 && model->state->version != version);
    assert_true(position.epoch == 1 && position.batch == 2 && sums[0] == 3 && sums[1] == 4);
    cnnc_model_free(model);
}

/* Callbacks have numbers, a copy of the weights, both, or nothing to come back. */
static void callbacks_come_back(void **state) {
    (void)state;
    cnnc_model *model = new_model();
    double sums[2] = {1, 2}, numbers[2] = {3, 4};
    float weights[PARAMETERS], kept[PARAMETERS];
    for (int i = 0; i < PARAMETERS; i++)
        kept[i] = weights[i] = i == 6 || i == 7 || i >= BIAS + OUT ? 0 : (float)i; /* between lies nothing */
    cnnc_hook hooks[] = {{.name = "nothing"}, {.name = "weights", .weights = weights}, {.name = "numbers", .state = numbers, .state_count = 2}};
    cnnc_position position = {.epoch = 1, .batch = 2, .examples = N, .batch_size = BATCH, .seed = 1, .shuffle = 1, .sums = sums, .hooks = hooks, .hook_count = 3};
    assert_int_equal(cnnc_checkpoint_save(model, &position, path, &error), CNNC_OK);
    cnnc_safetensors file;
    assert_int_equal(cnnc_safetensors_read(path, &file, &error), CNNC_OK);
    assert_non_null(cnnc_safetensors_find(&file, "callbacks/0/weights/dense/kernel"));
    assert_non_null(cnnc_safetensors_find(&file, "callbacks/1/numbers/state"));
    cnnc_safetensors_free(&file);
    memset(weights, 0, sizeof weights);
    numbers[0] = numbers[1] = 0;
    if (cnnc_checkpoint_load(model, &position, path, &error) != CNNC_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(weights, kept, sizeof kept);
    assert_true(numbers[0] == 3 && numbers[1] == 4);
    cnnc_model_free(model);
}

/* The file before is kept; with a number of batches there is one as often. */
static void files_on_the_way(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_fit_options options = quiet();
    cnnc_model *model = new_model(), *other = new_model();
    options.checkpoint = path;
    options.checkpoint_batches = 3;
    options.epochs = 1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    double sums[2] = {0, 0};
    cnnc_position position = {.examples = N, .batch_size = BATCH, .seed = options.seed, .shuffle = 1, .sums = sums};
    assert_int_equal(cnnc_checkpoint_load(other, &position, path, &error), CNNC_OK);
    assert_true(position.epoch == 1 && position.batch == 0);
    assert_same(other, model);
    assert_int_equal(cnnc_checkpoint_load(other, &position, previous, &error), CNNC_OK);
    assert_true(position.epoch == 0 && position.batch == 6 && sums[0] > 0);
    assert_int_equal(other->state->step, 6);
    cnnc_model_free(model);
    cnnc_model_free(other);
}

/* Without a file there is none before it; a pipe is none. */
static void what_is_kept_as_previous(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_fit_options options = quiet();
    cnnc_model *model = new_model();
    char kept[9] = {0};
    options.checkpoint = path;
    options.epochs = 1;
    write_bytes(previous, "previous", 8);
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    assert_int_equal(read_bytes(previous, kept, sizeof kept), 8);
    assert_string_equal(kept, "previous");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(previous), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    assert_int_equal(access(previous, F_OK), -1);
    close(reader);
    cnnc_model_free(model);
}

/* The file before is that which the link meant, with its own bytes. */
static void a_link_stays_a_link(void **state) {
    (void)state;
    cnnc_model *model = new_model();
    double sums[3] = {0};
    cnnc_position position = {.sums = sums};
    struct stat status;
    char kept[7] = {0}, file[64];
    snprintf(file, sizeof file, "%s", in_folder("meant"));
    write_bytes(file, "before", 6);
    assert_int_equal(symlink("meant", path), 0);
    assert_int_equal(cnnc_checkpoint_save(model, &position, path, &error), CNNC_OK);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(file, &status), 0);
    assert_true(S_ISREG(status.st_mode) && status.st_size > 100);
    assert_int_equal(lstat(previous, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(read_bytes(previous, kept, sizeof kept), 6);
    assert_string_equal(kept, "before");
    cnnc_model_free(model);
}

static void without_optimizer(void **state) {
    (void)state;
    cnnc_model *model = new_model(), predicts = *model;
    cnnc_network network = *model->network;
    double sums[3] = {0};
    cnnc_position position = {.sums = sums};
    network.optimizer = NULL;
    predicts.network = &network;
    assert_int_equal(cnnc_checkpoint_save(model, &position, path, &error), CNNC_OK);
    assert_int_equal(cnnc_checkpoint_load(&predicts, &position, path, &error), CNNC_FAILED);
    assert_says(&error, "is not trained: it has no optimizer");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cnnc_checkpoint_save(&predicts, &position, path, &error), CNNC_FAILED);
    assert_says(&error, "is not trained: it has no optimizer");
    assert_int_equal(access(path, F_OK), -1);
    cnnc_model_free(model);
}

static void assert_refused(cnnc_model *model, const cnnc_network *network, cnnc_position position, const char *says) {
    cnnc_model untouched = *model;
    float before[PARAMETERS];
    memcpy(before, model->state->parameters, sizeof before);
    untouched.network = network;
    assert_int_equal(cnnc_checkpoint_load(&untouched, &position, path, &error), CNNC_FAILED);
    assert_says(&error, says);
    assert_memory_equal(before, model->state->parameters, sizeof before);
    assert_int_equal(model->state->step, 0);
}

static double some_sums[] = {1, 2};
static const cnnc_position position = {.epoch = 1, .batch = 2, .examples = N, .batch_size = BATCH, .seed = 1, .shuffle = 1, .sums = some_sums};

/* The file of a training after ten updates. */
static void save_checkpoint(void) {
    cnnc_model *model = new_model();
    cnnc_position saved = position;
    model->state->step = 10;
    assert_int_equal(cnnc_checkpoint_save(model, &saved, path, &error), CNNC_OK);
    cnnc_model_free(model);
}

static void other_trainings_are_refused(void **state) {
    (void)state;
    cnnc_model *fresh = new_model();
    save_checkpoint();
    cnnc_position other = position;
    other.batch_size = 16;
    assert_refused(fresh, &linear_network, other, "was made with batch size 8, now it is 16");
    other = position;
    other.examples = 60;
    assert_refused(fresh, &linear_network, other, "was made with examples 61, now it is 60");
    other = position;
    other.seed = 2;
    assert_refused(fresh, &linear_network, other, "was made with seed 1, now it is 2");
    cnnc_model_free(fresh);
}

static void other_networks_are_refused(void **state) {
    (void)state;
    cnnc_model *fresh = new_model();
    save_checkpoint();
    cnnc_network network = linear_network;
    network.optimizer = "rmsprop";
    assert_refused(fresh, &network, position, "of the optimizer sgd(learning_rate=0.05, momentum=0.9), network linear has rmsprop");
    static const char *const slots[] = {"average"};
    network = linear_network;
    network.slots = slots;
    assert_refused(fresh, &network, position, "lacks 'optimizer/average/");
    network = linear_network;
    network.slot_count = 0;
    assert_refused(fresh, &network, position, "tensors, network linear has");
    cnnc_parameter parameters[8];
    network = linear_network;
    assert_in_range(network.parameters_length, 1, 8);
    memcpy(parameters, network.parameters, (size_t)network.parameters_length * sizeof *parameters);
    parameters[0].shape[0]++;
    network.parameters = parameters;
    assert_refused(fresh, &network, position, ", in network linear it is ");
    char whole[4096];
    size_t size = read_bytes(path, whole, sizeof whole), at = 0;
    while (memcmp(whole + at, "\"F32\"", 5))
        assert_true(++at < size - 5);
    whole[at + 1] = 'I'; /* of the same size */
    write_bytes(path, whole, size);
    assert_refused(fresh, &linear_network, position, "of i32, in network linear it is 3x2 of f32");
    cnnc_model_free(fresh);
}

static void places_that_cannot_be_are_refused(void **state) {
    (void)state;
    cnnc_model *model = new_model(), *fresh = new_model();
    static const struct { uint64_t epoch, batch; int pending; const char *says; } places[] = {
        {1, BATCHES, 0, "epoch 1, batch 8 of 8 cannot be"},
        {1, 1, 1, "epoch 1, batch 1 of 8 cannot be"}, /* the end of the epoch before cannot be ahead in the middle of one, */
        {0, 0, 1, "epoch 0, batch 0 of 8 cannot be"}, /* nor before the first */
        {(uint64_t)INT32_MAX + 1, 0, 0, "epoch 2147483648, batch 0 of 8 cannot be"},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        cnnc_position saved = position;
        saved.epoch = places[i].epoch;
        saved.batch = places[i].batch;
        saved.pending = places[i].pending;
        assert_int_equal(cnnc_checkpoint_save(model, &saved, path, &error), CNNC_OK);
        assert_refused(fresh, &linear_network, position, places[i].says);
    }
    cnnc_model_free(model);
    cnnc_model_free(fresh);
}

static void no_checkpoints_are_refused(void **state) {
    (void)state;
    cnnc_model *model = new_model(), *fresh = new_model();
    const cnnc_metadata old[] = {{"format", "cnnc checkpoint 1"}};
    assert_int_equal(cnnc_weights_save(&linear_network, model->net, path, old, 1, &error), CNNC_OK);
    assert_refused(fresh, &linear_network, position, "is a 'cnnc checkpoint 1', this runtime reads a 'cnnc checkpoint 2'");
    assert_int_equal(cnnc_weights_save(&linear_network, model->net, path, NULL, 0, &error), CNNC_OK);
    assert_refused(fresh, &linear_network, position, "not a checkpoint");
    unlink(path);
    assert_refused(fresh, &linear_network, position, "No such file");
    cnnc_model_free(model);
    cnnc_model_free(fresh);
}

static int spoil(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)context;
    if (event->kind == CNNC_BATCH_END && event->batch == BATCHES - 1) /* no loss of this epoch shows it */
        ((float *)model->state->parameters)[BIAS + 1] = -INFINITY;
    return CNNC_OK;
}

static void what_is_infinite_stops(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_fit_options options = quiet();
    cnnc_model *model = new_model();
    options.callback = spoil;
    options.checkpoint = path;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "after epoch 1 (update 8) 'dense/bias' is the first parameter that is not finite");
    assert_int_equal(access(path, F_OK), -1); /* no checkpoint of that */
    cnnc_model_free(model);
}

static void what_is_no_number_stops(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_fit_options options = quiet();
    cnnc_model *model = new_model();
    options.shuffle = 0;
    xs[(BATCH + 1) * IN] = NAN;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "in epoch 1, batch 2 (update 2); '");
    assert_says(&error, "is the first parameter that is not finite");
    options = quiet();
    options.resume = 1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "name its checkpoint");
    cnnc_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(resuming_anywhere, remove_files),
        cmocka_unit_test_teardown(all_of_the_state_comes_back, remove_files),
        cmocka_unit_test_teardown(callbacks_come_back, remove_files),
        cmocka_unit_test_teardown(files_on_the_way, remove_files),
        cmocka_unit_test_teardown(what_is_kept_as_previous, remove_files),
        cmocka_unit_test_teardown(a_link_stays_a_link, remove_files),
        cmocka_unit_test_teardown(without_optimizer, remove_files),
        cmocka_unit_test_teardown(other_trainings_are_refused, remove_files),
        cmocka_unit_test_teardown(other_networks_are_refused, remove_files),
        cmocka_unit_test_teardown(places_that_cannot_be_are_refused, remove_files),
        cmocka_unit_test_teardown(no_checkpoints_are_refused, remove_files),
        cmocka_unit_test(what_is_infinite_stops),
        cmocka_unit_test(what_is_no_number_stops),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_folder);
}
