/* Callbacks: Keras's rules on results that are given, and a training with all of them that stops and goes on. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"
#include "test_runtime.h"

enum { N = 61, EPOCHS = 14, BATCH = 8, BATCHES = 6 /* of the 48 examples that a fifth for validation leaves */ };

static const double RATE = 0.01; /* little enough for a dozen epochs of progress */

static cnnc_error error;
static float xs[N * IN], ys[N * OUT];

static cnnc_model *new_model(void) {
    cnnc_model *model = cnnc_model_new(&linear_network, 1, NULL, &error);
    if (!model)
        fail_msg("%s", error.text);
    model->state->learning_rate = RATE;
    return model;
}

/* Gives an epoch's results to a hook: loss and mae, of validation val and val. */
static int epoch(const cnnc_hook *hook, cnnc_model *model, int number, double loss, double val) {
    double results[2] = {loss, loss}, validation[2] = {val, val};
    cnnc_event event = {.kind = CNNC_EPOCH_END, .epoch = number, .epochs = 100, .results = results, .validation = validation, .error = &error};
    event.learning_rate = model->state->learning_rate;
    ((float *)model->state->parameters)[0] = (float)number;
    return hook->call(hook->context, model, &event);
}

static void at(const cnnc_hook *hook, cnnc_model *model, cnnc_event_kind kind) {
    cnnc_event event = {.kind = kind, .error = &error};
    assert_int_equal(hook->call(hook->context, model, &event), CNNC_OK);
}

/* The epoch after which a training with these results ends, -1: it does not; *best: the weights that it ends with. */
static int stops_after(const cnnc_early_stopping *options, const double *values, int n, int *best) {
    cnnc_model *model = new_model();
    cnnc_hook hook;
    if (cnnc_early_stopping_new(&linear_network, options, &hook, &error))
        fail_msg("%s", error.text);
    int stopped = -1;
    for (int round = 0; round < 2; round++) { /* and once more: it starts anew */
        stopped = -1;
        at(&hook, model, CNNC_TRAIN_BEGIN);
        for (int i = 0; i < n && stopped < 0; i++)
            if (epoch(&hook, model, i, 9, values[i]) == CNNC_FINISHED)
                stopped = i;
        at(&hook, model, CNNC_TRAIN_END);
    }
    *best = (int)((float *)model->state->parameters)[0];
    cnnc_hook_free(&hook);
    cnnc_model_free(model);
    return stopped;
}

static void early_stopping(void **state) {
    (void)state;
    const double values[] = {1, 0.8, 0.79, 0.85, 0.7, 0.9, 0.9, 0.9, 0.9};
    int n = 9, best;
    cnnc_early_stopping o;
    cnnc_early_stopping_defaults(&o);
    assert_true(!strcmp(o.monitor, "val_loss") && o.patience == 0 && o.min_delta == 0 && !o.restore_best_weights && o.mode == CNNC_MODE_AUTO);
    assert_int_equal(stops_after(&o, values, n, &best), 3);
    assert_int_equal(best, 3);
    o.restore_best_weights = 1;
    assert_int_equal(stops_after(&o, values, n, &best), 3);
    assert_int_equal(best, 2);
    o.patience = 2;
    assert_int_equal(stops_after(&o, values, n, &best), 6);
    assert_int_equal(best, 4);
    o.min_delta = 0.05; /* 0.79 is no improvement then */
    assert_int_equal(stops_after(&o, values, n, &best), 3);
    assert_int_equal(best, 1);
    o.min_delta = -0.05; /* its sign does not matter */
    assert_int_equal(stops_after(&o, values, n, &best), 3);
    o.min_delta = 0;
    o.mode = CNNC_MODE_MAX;
    assert_int_equal(stops_after(&o, values, n, &best), 2);
    assert_int_equal(best, 0);
    o.mode = CNNC_MODE_MIN;
    o.start_from_epoch = 4;
    assert_int_equal(stops_after(&o, values, n, &best), 6);
    o.start_from_epoch = 0;
    o.baseline = 0.75; /* improvements that do not beat it do not start the waiting anew */
    assert_int_equal(stops_after(&o, values, n, &best), 3);
    o.baseline = NAN;
    o.patience = 8;
    assert_int_equal(stops_after(&o, values, n, &best), -1);
    assert_int_equal(best, 4); /* the best weights, also when nothing stopped it */
    o.patience = 2;
    o.monitor = "loss";
    assert_int_equal(stops_after(&o, values, n, &best), 2);
    o.monitor = "val_loss";
    o.patience = 0;
    assert_int_equal(stops_after(&o, (const double[]){NAN, 1, 2}, 3, &best), 2); /* never after the first epoch */
}

static void reducing(void **state) {
    (void)state;
    const double values[] = {1, 1, 1, 1, 0.5, 0.49995, 0.5, 0.5};
    const double rates[][8] = {{1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25}, {1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, {1, 1, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4},
                              {1, 1, 1, 1, 1, 1, 1, 1}};
    const struct { int cooldown; double least; } cases[] = {{1, 0}, {1, 0.5}, {1, 0.4}, {1, 2}};
    cnnc_reduce_lr o;
    cnnc_reduce_lr_defaults(&o);
    assert_true(o.factor == 0.1 && o.patience == 10 && o.min_delta == 1e-4 && o.cooldown == 0 && o.min_lr == 0 && !strcmp(o.monitor, "val_loss"));
    o.factor = 0.5;
    o.patience = 2;
    for (int c = 0; c < 4; c++) {
        cnnc_model *model = new_model();
        cnnc_hook hook;
        o.cooldown = cases[c].cooldown;
        o.min_lr = cases[c].least;
        assert_int_equal(cnnc_reduce_lr_new(&linear_network, &o, &hook, &error), CNNC_OK);
        assert_true(hook.changes_rate && hook.needs_validation);
        model->state->learning_rate = 1;
        at(&hook, model, CNNC_TRAIN_BEGIN);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(epoch(&hook, model, i, 9, values[i]), CNNC_OK);
            if (model->state->learning_rate != rates[c][i])
                fail_msg("case %d, epoch %d: the rate is %g, not %g", c, i, model->state->learning_rate, rates[c][i]);
        }
        cnnc_hook_free(&hook);
        cnnc_model_free(model);
    }
}

static void the_best_weights(void **state) {
    (void)state;
    const double values[] = {3, 2, 2.5, 1, 1};
    const int saved[] = {0, 1, 1, 3, 3};
    cnnc_model *model = new_model(), *other = new_model();
    cnnc_hook hook;
    cnnc_save_best o;
    cnnc_save_best_defaults(&o);
    o.path = in_folder("best.safetensors");
    assert_int_equal(cnnc_save_best_new(&linear_network, &o, &hook, &error), CNNC_OK);
    at(&hook, model, CNNC_TRAIN_BEGIN);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(epoch(&hook, model, i, 9, values[i]), CNNC_OK);
        assert_int_equal(cnnc_weights_load(&linear_network, other->net, o.path, &error), CNNC_OK);
        assert_true(((float *)other->state->parameters)[0] == (float)saved[i]);
    }
    cnnc_hook_free(&hook);
    o.path = in_folder("none/best.safetensors");
    assert_int_equal(cnnc_save_best_new(&linear_network, &o, &hook, &error), CNNC_OK);
    at(&hook, model, CNNC_TRAIN_BEGIN);
    assert_int_equal(epoch(&hook, model, 0, 9, 1), CNNC_FAILED);
    assert_says(&error, "none/best.safetensors: cannot be written");
    cnnc_hook_free(&hook);
    cnnc_model_free(model);
    cnnc_model_free(other);
}

static void what_cannot_be(void **state) {
    (void)state;
    cnnc_hook hook;
    cnnc_early_stopping e;
    cnnc_reduce_lr r;
    cnnc_early_stopping_defaults(&e);
    e.monitor = "val_accuracy";
    assert_int_equal(cnnc_early_stopping_new(&linear_network, &e, &hook, &error), CNNC_FAILED);
    assert_says(&error, "early_stopping: there is no result 'val_accuracy' to monitor, network linear has loss, val_loss, mae, val_mae");
    cnnc_early_stopping_defaults(&e);
    e.patience = -1;
    assert_int_equal(cnnc_early_stopping_new(&linear_network, &e, &hook, &error), CNNC_FAILED);
    cnnc_reduce_lr_defaults(&r);
    r.factor = 1;
    assert_int_equal(cnnc_reduce_lr_new(&linear_network, &r, &hook, &error), CNNC_FAILED);
    assert_says(&error, "a factor of 1");
    cnnc_early_stopping_defaults(&e);
    assert_int_equal(cnnc_early_stopping_new(&linear_network, &e, &hook, &error), CNNC_OK);
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    cnnc_fit_options options;
    cnnc_fit_defaults(&linear_network, &options);
    options.verbose = 0;
    options.hooks = &hook;
    options.hook_count = 1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "early_stopping monitors a result of validation data, and there is none");
    options.validation_split = 0.001; /* Keras's floor: 60 of 61 */
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_OK);
    options.validation_split = 0.999;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "61 examples are too few for a validation split of 0.999");
    options.validation_split = 1;
    assert_int_equal(cnnc_fit(model, &data, &options, NULL, &error), CNNC_FAILED);
    cnnc_hook_free(&hook);
    cnnc_model_free(model);
}

/* ---- several answers ----------------------------------------------------------------------------------------------- */

static int calls;
static int answer(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)model;
    (void)event;
    calls++;
    return *(const int *)context;
}

/* Of two hooks; a failure is the last word. */
static void the_gravest_answer_counts(void **state) {
    (void)state;
    static const struct { int answers[2], result, calls; } cases[] = {
        {{CNNC_OK, CNNC_OK}, CNNC_OK, 2},                   {{CNNC_OK, CNNC_FINISHED}, CNNC_FINISHED, 2},
        {{CNNC_FINISHED, CNNC_OK}, CNNC_FINISHED, 2},       {{CNNC_FINISHED, CNNC_STOPPED}, CNNC_STOPPED, 2},
        {{CNNC_STOPPED, CNNC_FINISHED}, CNNC_STOPPED, 2},   {{CNNC_STOPPED, CNNC_FAILED}, CNNC_FAILED, 2},
        {{CNNC_FINISHED, CNNC_FAILED}, CNNC_FAILED, 2},     {{CNNC_FAILED, CNNC_STOPPED}, CNNC_FAILED, 1},
        {{CNNC_OK, 77}, CNNC_STOPPED, 2}, /* a number of no name */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int answers[] = {cases[i].answers[0], cases[i].answers[1]};
        const cnnc_hook hooks[] = {{.call = answer, .context = &answers[0]}, {.call = answer, .context = &answers[1]}};
        const cnnc_event event = {.kind = CNNC_BATCH_END};
        calls = 0;
        assert_int_equal(cnnc_hooks_call(hooks, 2, NULL, &event), cases[i].result);
        assert_int_equal(calls, cases[i].calls);
    }
}

/* ---- all of them, stopped anywhere ------------------------------------------------------------------------------- */

typedef struct setup {
    cnnc_hook hooks[4];
    cnnc_fit_options options;
    char best[128], log[128], checkpoint[128];
} setup;

static void set_up(setup *s, const char *name) {
    cnnc_early_stopping e;
    cnnc_reduce_lr r;
    cnnc_save_best b;
    snprintf(s->best, sizeof s->best, "%s/%s.best", test_folder, name);
    snprintf(s->log, sizeof s->log, "%s/%s.csv", test_folder, name);
    snprintf(s->checkpoint, sizeof s->checkpoint, "%s/%s.checkpoint", test_folder, name);
    cnnc_early_stopping_defaults(&e);
    e.patience = 2;
    e.min_delta = 0.01;
    e.restore_best_weights = 1;
    cnnc_reduce_lr_defaults(&r);
    r.patience = 1;
    r.min_delta = 0.03;
    r.factor = 0.3;
    cnnc_save_best_defaults(&b);
    b.path = s->best;
    b.monitor = "val_mae";
    assert_int_equal(cnnc_early_stopping_new(&linear_network, &e, &s->hooks[0], &error), CNNC_OK);
    assert_int_equal(cnnc_reduce_lr_new(&linear_network, &r, &s->hooks[1], &error), CNNC_OK);
    assert_int_equal(cnnc_save_best_new(&linear_network, &b, &s->hooks[2], &error), CNNC_OK);
    assert_int_equal(cnnc_csv_log_new(&linear_network, s->log, &s->hooks[3], &error), CNNC_OK);
    cnnc_fit_defaults(&linear_network, &s->options);
    s->options.epochs = EPOCHS;
    s->options.batch_size = BATCH;
    s->options.verbose = 0;
    s->options.validation_split = 0.2;
    s->options.hooks = s->hooks;
    s->options.hook_count = 4;
}

static void tear_down(setup *s) {
    for (int i = 0; i < 4; i++)
        cnnc_hook_free(&s->hooks[i]);
}

static volatile sig_atomic_t stop;
static int stop_at;            /* this many batches, */
static uint64_t stop_after;    /* or in the validation after so many updates */

static int count_down(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)context;
    (void)model;
    return event->kind == CNNC_BATCH_END && --stop_at == 0;
}

/* Evaluates as ever, but the signal comes meanwhile. */
static void stopping_evaluate(void *net, const cnnc_batch *batch, int worker, int begin, int end) {
    linear_evaluate(net, batch, worker, begin, end);
    if (((cnnc_state *)net)->step == stop_after)
        stop = 1;
}

static void same_files(const char *a, const char *b) {
    static unsigned char x[1 << 16], y[1 << 16];
    size_t n = read_bytes(a, x, sizeof x), m = read_bytes(b, y, sizeof y);
    assert_true(n > 0 && n < sizeof x);
    if (n != m || memcmp(x, y, n))
        fail_msg("%s and %s differ:\n%.*s---\n%.*s", a, b, (int)n, (char *)x, (int)m, (char *)y);
}

static void stopped_and_resumed(const setup *whole, const cnnc_model *wanted, int where) {
    static const cnnc_phase phases[] = {{"shards", linear_buffer_count, stopping_evaluate}};
    cnnc_network network = linear_network;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *first = new_model(), *second = new_model();
    setup s, again;
    set_up(&s, "part");
    set_up(&again, "part");
    network.evaluate = phases;
    first->network = &network;
    s.options.callback = count_down;
    s.options.stop = &stop;
    s.options.checkpoint = again.options.checkpoint = s.checkpoint;
    stop = 0;
    stop_at = where > 0 ? where : 0;
    stop_after = where < 0 ? (uint64_t)-where * BATCHES : 0;
    if (cnnc_fit(first, &data, &s.options, NULL, &error) != CNNC_STOPPED)
        fail_msg("%d: not stopped", where);
    again.options.resume = 1;
    static unsigned char kept[1 << 16];
    size_t size = read_bytes(s.checkpoint, kept, sizeof kept);
    if (cnnc_fit(second, &data, &again.options, NULL, &error) != CNNC_OK)
        fail_msg("%d: %s", where, error.text);
    assert_int_equal(second->state->step, wanted->state->step);
    assert_true(second->state->learning_rate == wanted->state->learning_rate);
    assert_memory_equal(second->state->parameters, wanted->state->parameters, PARAMETERS * sizeof(float));
    assert_memory_equal(second->state->slots, wanted->state->slots, PARAMETERS * sizeof(float));
    for (int i = 0; i < 3; i++)
        assert_memory_equal(again.hooks[i].state, whole->hooks[i].state, (size_t)again.hooks[i].state_count * sizeof(double));
    same_files(s.best, whole->best);
    same_files(s.log, whole->log);
    /* Once more: there is nothing left to do, and the end is the same. */
    cnnc_model *third = new_model();
    assert_int_equal(cnnc_fit(third, &data, &again.options, NULL, &error), CNNC_OK);
    assert_memory_equal(third->state->parameters, wanted->state->parameters, PARAMETERS * sizeof(float));
    same_files(s.log, whole->log);
    /* From the first checkpoint again, as if it had been killed before it wrote another: what it had logged is not there twice. */
    write_bytes(s.checkpoint, kept, size);
    assert_int_equal(cnnc_fit(third, &data, &again.options, NULL, &error), CNNC_OK);
    assert_memory_equal(third->state->parameters, wanted->state->parameters, PARAMETERS * sizeof(float));
    same_files(s.best, whole->best);
    same_files(s.log, whole->log);
    tear_down(&s);
    tear_down(&again);
    cnnc_model_free(first);
    cnnc_model_free(second);
    cnnc_model_free(third);
    unlink(s.log);
    unlink(s.best);
}

/* While validation data are evaluated, too. */
static void a_stop_that_cannot_be_kept_fails(void **state) {
    (void)state;
    static const cnnc_phase phases[] = {{"shards", linear_buffer_count, stopping_evaluate}};
    cnnc_network network = linear_network;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    setup s;
    set_up(&s, "unkept");
    network.evaluate = phases;
    model->network = &network;
    s.options.stop = &stop;
    s.options.checkpoint = "/none/checkpoint";
    stop = 0;
    stop_after = BATCHES;
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_FAILED);
    assert_int_equal(model->state->step, BATCHES);
    assert_says(&error, "/none/checkpoint");
    tear_down(&s);
    cnnc_model_free(model);
    unlink(s.log);
    unlink(s.best);
}

/* As Keras shows them. */
static void results_come_in_the_order_of_the_alphabet(void **state) {
    (void)state;
    static const char *const metrics[] = {"b", "c", "a"}, *const expected[] = {"a", "b", "c", "loss"};
    cnnc_network network = linear_network;
    cnnc_shown shown;
    network.metrics = metrics;
    for (network.metric_count = 0; network.metric_count <= 3; network.metric_count++) {
        assert_int_equal(cnnc_shown_new(&shown, &network, &error), CNNC_OK);
        assert_int_equal(shown.columns, 1 + network.metric_count);
        for (int i = 0; i + 1 < shown.columns; i++)
            assert_true(strcmp(shown.names[i], shown.names[i + 1]) < 0);
        if (network.metric_count == 3)
            for (int i = 0; i < 4; i++)
                assert_string_equal(shown.names[i], expected[i]);
        cnnc_shown_free(&shown);
    }
}

static void resuming_anywhere(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    cnnc_history history;
    setup whole;
    set_up(&whole, "whole");
    if (cnnc_fit(model, &data, &whole.options, &history, &error) != CNNC_OK)
        fail_msg("%s", error.text);
    /* The test has something to test: it stopped early, at other weights than the last, with a reduced rate. */
    const double *stopping = whole.hooks[0].state;
    assert_true(history.epochs > 3 && history.epochs < EPOCHS);
    assert_true(stopping[2] == history.epochs - 3 && stopping[3] == history.epochs - 1);
    assert_true(model->state->learning_rate < RATE);
    int batches = (int)model->state->step;
    assert_int_equal(batches, history.epochs * BATCHES);
    for (int where = 1; where <= batches; where++)
        stopped_and_resumed(&whole, model, where);
    for (int where = 1; where <= history.epochs; where++)
        stopped_and_resumed(&whole, model, -where);
    cnnc_history_free(&history);
    tear_down(&whole);
    cnnc_model_free(model);
}

/* Another patience, no callback where there was one, other validation data: another training. */
static void other_callbacks_are_refused(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    setup s;
    set_up(&s, "other");
    s.options.checkpoint = s.checkpoint;
    s.options.epochs = 2;
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_OK);
    s.options.resume = 1;
    s.options.hook_count = 3; /* a log may go */
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_OK);
    s.options.hook_count = 2;
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "of another training: there is no 'callback save_best: monitor=val_mae mode=min threshold=nan' any more");
    s.options.hook_count = 4;
    s.options.validation_split = 0.1;
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "was made with examples 48, now it is 54");
    s.options.validation_split = 0.2;
    char *options = strstr(s.hooks[0].options, "patience=2");
    options[9] = '3';
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_FAILED);
    assert_says(&error, "of another training: 'callback early_stopping' was patience=2, now it is patience=3");
    tear_down(&s);
    cnnc_model_free(model);
}

/* The progress line has the validation's results and the rate where Keras has them. */
static void what_is_shown(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    char text[8192] = {0};
    FILE *out = tmpfile();
    setup s;
    set_up(&s, "shown");
    s.options.verbose = 2;
    s.options.out = out;
    assert_int_equal(cnnc_fit(model, &data, &s.options, NULL, &error), CNNC_OK);
    rewind(out);
    assert_true(fread(text, 1, sizeof text - 1, out) > 0);
    fclose(out);
    char *line = strstr(text, "Epoch 1/14\n6/6 - ");
    assert_non_null(line);
    const char *const parts[] = {" - loss: ", " - mae: ", " - val_loss: ", " - val_mae: ", " - learning_rate: 0.0100\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_non_null(line = strstr(line, parts[i]));
    assert_non_null(strstr(text, " - learning_rate: 0.0030\n"));
    tear_down(&s);
    cnnc_model_free(model);
}

/* Times and sizes are told; the model is what it was. */
static void a_forecast_changes_nothing(void **state) {
    (void)state;
    cnnc_dataset data = random_data(xs, ys, N);
    cnnc_model *model = new_model();
    static unsigned char before[1 << 16];
    size_t size = linear_network.size(1);
    cnnc_forecast f;
    setup s;
    set_up(&s, "forecast");
    assert_true(size <= sizeof before);
    memcpy(before, model->net, size);
    if (cnnc_fit_forecast(model, &data, &s.options, &f, &error))
        fail_msg("%s", error.text);
    assert_memory_equal(model->net, before, size);
    assert_true(f.network_bytes == size && f.data_bytes == N * (IN + OUT) * sizeof(float) && f.order_bytes == 48 * sizeof(uint32_t));
    assert_true(f.kept_bytes == PARAMETERS * sizeof(float) && f.updates == EPOCHS * BATCHES);
    assert_true(f.update_seconds > 0 && f.epoch_seconds > f.update_seconds && f.seconds > f.epoch_seconds);
    assert_int_equal(access(s.log, F_OK), -1);
    s.options.checkpoint = s.checkpoint;
    s.options.resume = 1;
    assert_int_equal(cnnc_fit_forecast(model, &data, &s.options, &f, &error), CNNC_FAILED);
    assert_memory_equal(model->net, before, size);
    tear_down(&s);
    cnnc_model_free(model);
}

static void differences_are_named(void **state) {
    (void)state;
    const char *was = "dense: dense units=8 use_bias=true\noptimizer: sgd rate=0.5\n";
    const struct { const char *now, *says; } cases[] = {
        {"dense: dense units=8 use_bias=true\noptimizer: sgd rate=0.5\n", NULL},
        {"dense: dense units=8 use_bias=true\noptimizer: sgd rate=0.55\n", "'optimizer' was rate=0.5, now it is rate=0.55"},
        {"dense: dense units=80 use_bias=true\noptimizer: sgd rate=0.5\n", "'dense' was units=8, now it is units=80"},
        {"dense: dense units=8 use_bias=true\n", "there is no 'optimizer: sgd rate=0.5' any more"},
        {"dense: dense units=8 use_bias=true\noptimizer: sgd rate=0.5\nloss: mse\n", "there was no 'loss: mse'"},
        {"flat: flatten\ndense: dense units=8 use_bias=true\n", "there was 'dense: dense units=8 use_bias=true', now 'flat: flatten' stands there"},
        {"", "there is no 'dense: dense units=8 use_bias=true' any more"},
    };
    char difference[400];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cnnc_recipe_same(was, cases[i].now, difference, sizeof difference), !cases[i].says);
        if (cases[i].says)
            assert_string_equal(difference, cases[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_stopping),
        cmocka_unit_test(reducing),
        cmocka_unit_test(the_best_weights),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(the_gravest_answer_counts),
        cmocka_unit_test(resuming_anywhere),
        cmocka_unit_test(other_callbacks_are_refused),
        cmocka_unit_test(what_is_shown),
        cmocka_unit_test(a_stop_that_cannot_be_kept_fails),
        cmocka_unit_test(results_come_in_the_order_of_the_alphabet),
        cmocka_unit_test(a_forecast_changes_nothing),
        cmocka_unit_test(differences_are_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
