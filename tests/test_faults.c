/* The runtime and the compiler's files when memory falls short and calls on files fail, at each call in turn: a failure with a
 * message, whole files or none, nothing leaked. */
#define _POSIX_C_SOURCE 200809L
#include "faults/sweep.h"

#include <sys/stat.h>
#include <zlib.h>

#include "cnnc.h"

/* ---- the runtime ------------------------------------------------------------------------------------------------------- */

static float xs[N * IN], ys[N * OUT];
static cnnc_dataset data;
static cnnc_model *model;
static void *xs_list[] = {xs}, *ys_list[] = {ys};
static const cnnc_tensor classes[] = {{"dense", CNNC_F32, 1, {OUT}, OUT, OUT}};
static const cnnc_tensor picture[] = {{"input", CNNC_U8, 3, {32, 32, 3}, 3072, 0}}, ten[] = {{"dense", CNNC_F32, 1, {10}, 10, 10}};
static cnnc_network labelled, pictures;
static bool has_libzip;
static FILE *nowhere; /* not one of the streams that fail */
static char files[512];
static unsigned char weights[4096];
static size_t weights_size;

static void write_idx(const char *name, int rank, bool gzipped) {
    unsigned char bytes[16 + N * IN] = {0, 0, 8, (unsigned char)rank, 0, 0, 0, N, 0, 0, 0, IN, 0, 0, 0, 1};
    size_t head = 4 + 4 * (size_t)rank, size = head + (rank == 1 ? N : N * IN);
    for (size_t i = head; i < size; i++) bytes[i] = i % 2;
    if (!gzipped) {
        write_bytes(in_folder(name), bytes, size);
        return;
    }
    gzFile out = gzopen(in_folder(name), "wb");
    assert_int_equal(gzwrite(out, bytes, (unsigned)size), size);
    gzclose(out);
}

static void write_csv(void) {
    FILE *out = fopen(in_folder("data.csv"), "wb");
    assert_non_null(out);
    for (int i = 0; i < N; i++) fputs(i ? "1,2.5,-3,1e-1,5\n" : "a,b,c,d,e\n", out);
    assert_int_equal(fclose(out), 0);
}

static void put(FILE *out, uint64_t value, int bytes) {
    for (; bytes > 0; bytes--, value >>= 8) fputc((int)(value & 255), out);
}

/* x.npy and y.npy, stored. */
static void write_npz(void) {
    static const char *const names[] = {"x.npy", "y.npy"};
    static unsigned char bytes[4096];
    size_t at[3] = {0};
    FILE *out = fopen(in_folder("data.npz"), "wb");
    assert_non_null(out);
    for (int central = 0; central < 2; central++)
        for (int i = 0; i < 2; i++) {
            size_t size = read_bytes(in_folder(names[i]), bytes, sizeof bytes);
            at[central ? 2 : i] = (size_t)ftell(out); /* at[2]: only the first of the directory counts */
            if (central && i) at[2] -= 46 + 5;
            put(out, central ? 0x02014b50 : 0x04034b50, 4);
            if (central) put(out, 20, 2);
            put(out, 20, 2), put(out, 0, 2), put(out, 0, 2), put(out, 0, 4), put(out, crc32(0, bytes, (unsigned)size), 4), put(out, size, 4), put(out, size, 4), put(out, 5, 2), put(out, 0, 2);
            if (central) put(out, 0, 10), put(out, at[i], 4);
            fwrite(names[i], 1, 5, out);
            if (!central) fwrite(bytes, 1, size, out);
        }
    put(out, 0x06054b50, 4), put(out, 0, 4), put(out, 2, 2), put(out, 2, 2), put(out, (size_t)ftell(out) - 12 - at[2], 4), put(out, at[2], 4), put(out, 0, 2);
    assert_int_equal(fclose(out), 0);
}

static void write_cifar(void) {
    static unsigned char records[2 * 3073];
    assert_int_equal(mkdir(in_folder("cifar"), 0777), 0);
    for (int i = 1; i <= 5; i++) {
        char name[40];
        snprintf(name, sizeof name, "cifar/data_batch_%d.bin", i);
        write_bytes(in_folder(name), records, sizeof records);
    }
}

static cnnc_position position_of(double *sums) {
    return (cnnc_position){.epoch = 1, .batch = 2, .examples = N, .batch_size = 8, .seed = 1, .shuffle = 1, .sums = sums};
}

static int save_weights(cnnc_error *e) {
    const cnnc_metadata metadata[] = {{"key", "value"}};
    return cnnc_weights_save(&linear_network, model->net, in_folder("saved"), metadata, 1, e);
}
static int load_weights(cnnc_error *e) { return cnnc_weights_load(&linear_network, model->net, in_folder("weights"), e); }
static int write_npy(cnnc_error *e) {
    cnnc_array x = array_of(xs, IN);
    return cnnc_npy_write(in_folder("saved.npy"), &x, e);
}
static int write_device(cnnc_error *e) {
    cnnc_array x = array_of(xs, IN);
    return cnnc_npy_write("/dev/null", &x, e);
}
static int parse_weights(cnnc_error *e) {
    cnnc_safetensors file;
    int result = cnnc_safetensors_parse(weights, weights_size, "weights", &file, e);
    cnnc_safetensors_free(&file);
    return result;
}
static int make_dataset(cnnc_error *e) {
    cnnc_array x = array_of(xs, IN), y = array_of(ys, OUT);
    cnnc_dataset made;
    int result = cnnc_dataset_make(&linear_network, &x, &y, 1, NULL, &made, e);
    cnnc_dataset_free(&made);
    return result;
}
static int save_checkpoint(cnnc_error *e) {
    double sums[2] = {1, 2};
    cnnc_position position = position_of(sums);
    return cnnc_checkpoint_save(model, &position, in_folder("saved"), e);
}
static int load_checkpoint(cnnc_error *e) {
    double sums[2];
    cnnc_position position = position_of(sums);
    return cnnc_checkpoint_load(model, &position, in_folder("checkpoint"), e);
}
static int load_from(const cnnc_network *network, const char *where, cnnc_error *e) {
    cnnc_dataset loaded, view;
    int result = cnnc_dataset_load(network, where, NULL, &loaded, e);
    if (result == CNNC_OK) result = cnnc_dataset_view(network, &loaded, 1, 5, &view, e);
    if (result == CNNC_OK) cnnc_dataset_free(&view);
    cnnc_dataset_free(&loaded);
    return result;
}
static int load_npy(cnnc_error *e) { return load_from(&linear_network, files, e); }
static int load_mnist(cnnc_error *e) { return load_from(&labelled, test_folder, e); }
static int load_csv(cnnc_error *e) { return load_from(&linear_network, in_folder("data.csv"), e); }
static int load_cifar(cnnc_error *e) { return load_from(&pictures, in_folder("cifar"), e); }
static int load_npz(cnnc_error *e) { return has_libzip ? load_from(&linear_network, in_folder("data.npz"), e) : CNNC_OK; }
static int load_archive(cnnc_error *e) { return has_libzip ? load_from(&linear_network, in_folder("archive"), e) : CNNC_OK; }
static int find_test(cnnc_error *e) {
    int has;
    return has_libzip ? cnnc_dataset_has_test(in_folder("archive"), &has, e) : CNNC_OK;
}
static int load_matching(cnnc_error *e) {
    int loaded;
    return cnnc_weights_load_matching(&linear_network, model->net, in_folder("weights"), &loaded, e);
}
static int make_model(cnnc_error *e) {
    cnnc_model *made = cnnc_model_new(&linear_network, 3, NULL, e);
    cnnc_model_free(made);
    return made ? CNNC_OK : CNNC_FAILED;
}
static int fit_with(int resume, cnnc_error *e) {
    cnnc_fit_options options;
    cnnc_history history = {0};
    cnnc_model *fresh = cnnc_model_new(&linear_network, 1, NULL, e);
    if (!fresh) return CNNC_FAILED;
    cnnc_fit_defaults(&linear_network, &options);
    options.epochs = 2;
    options.verbose = 0;
    options.validation = &data;
    options.checkpoint = in_folder(resume ? "checkpoint" : "saved");
    options.checkpoint_batches = 3;
    options.resume = resume;
    int result = cnnc_fit(fresh, &data, &options, &history, e);
    cnnc_history_free(&history);
    cnnc_model_free(fresh);
    return result;
}
static int fit(cnnc_error *e) { return fit_with(0, e); }
static int resume(cnnc_error *e) { return fit_with(1, e); }
typedef struct Callbacks { cnnc_early_stopping stopping; cnnc_reduce_lr reducing; cnnc_save_best saving; } Callbacks;

static Callbacks default_callbacks(void) {
    Callbacks o;
    cnnc_early_stopping_defaults(&o.stopping);
    cnnc_reduce_lr_defaults(&o.reducing);
    cnnc_save_best_defaults(&o.saving);
    return o;
}

static int make_hooks(cnnc_hook *hooks, int *n, cnnc_error *e) {
    static char best[256], log[256], board[256];
    Callbacks o = default_callbacks();
    o.stopping.restore_best_weights = 1;
    snprintf(best, sizeof best, "%s", in_folder("saved"));
    snprintf(log, sizeof log, "%s", in_folder("run.csv"));
    snprintf(board, sizeof board, "%s", in_folder("board"));
    o.saving.path = best;
    int result = cnnc_early_stopping_new(&linear_network, &o.stopping, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_reduce_lr_new(&linear_network, &o.reducing, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_save_best_new(&linear_network, &o.saving, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_csv_log_new(&linear_network, log, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_tensorboard_new(&linear_network, board, &hooks[(*n)++], e);
    return result;
}

/* A training with all hooks, or what it would take. */
static int with_hooks(bool forecasts, cnnc_error *e) {
    cnnc_fit_options options;
    cnnc_forecast forecast;
    cnnc_hook hooks[5];
    int n = 0, result = make_hooks(hooks, &n, e);
    cnnc_model *fresh = result == CNNC_OK ? cnnc_model_new(&linear_network, 1, NULL, e) : NULL;
    cnnc_fit_defaults(&linear_network, &options);
    options.epochs = 2;
    options.verbose = 0;
    options.validation = &data;
    options.hooks = hooks;
    options.hook_count = n;
    if (!fresh) result = CNNC_FAILED;
    else result = forecasts ? cnnc_fit_forecast(fresh, &data, &options, &forecast, e) : cnnc_fit(fresh, &data, &options, NULL, e);
    cnnc_model_free(fresh);
    while (n > 0) cnnc_hook_free(&hooks[--n]);
    return result;
}
static int fit_hooks(cnnc_error *e) { return with_hooks(false, e); }
static int forecast(cnnc_error *e) { return with_hooks(true, e); }

/* A callback whose options are wrong is nothing that would have to be freed. */
static int refuse_hooks(cnnc_error *e) {
    cnnc_hook hook;
    Callbacks o = default_callbacks();
    o.stopping.monitor = o.reducing.monitor = o.saving.monitor = "nothing";
    o.saving.path = in_folder("saved");
    for (int i = 0; i < 3; i++) {
        int result = i == 0 ? cnnc_early_stopping_new(&linear_network, &o.stopping, &hook, e) : i == 1 ? cnnc_reduce_lr_new(&linear_network, &o.reducing, &hook, e) : cnnc_save_best_new(&linear_network, &o.saving, &hook, e);
        if (result == CNNC_OK || e->system) return CNNC_FAILED;
    }
    return CNNC_OK;
}

static int evaluate(cnnc_error *e) {
    double results[2];
    return cnnc_evaluate(model, &data, 0, 0, NULL, NULL, results, e);
}
static int predict(cnnc_error *e) {
    static float outputs[N * OUT];
    void *list[] = {outputs};
    return cnnc_predict(model, (const void *const *)data.inputs, N, 0, 0, NULL, NULL, list, e);
}
static int summary(cnnc_error *e) {
    return cnnc_summary(&linear_network, nowhere, 80, 0, e);
}

static const struct Scenario { const char *name; int (*run)(cnnc_error *); } scenarios[] = {
    {"save weights", save_weights}, {"load weights", load_weights}, {"write npy", write_npy}, {"write to a device", write_device}, {"parse weights", parse_weights}, {"make a dataset", make_dataset},
    {"save checkpoint", save_checkpoint},
    {"load checkpoint", load_checkpoint}, {"load npy", load_npy}, {"load MNIST", load_mnist}, {"load CSV", load_csv}, {"load CIFAR", load_cifar}, {"make a model", make_model}, {"fit", fit},
    {"resume", resume}, {"load npz", load_npz}, {"load a folder's npz", load_archive}, {"find test data", find_test}, {"load matching weights", load_matching}, {"fit with hooks", fit_hooks}, {"forecast", forecast}, {"refuse hooks", refuse_hooks}, {"evaluate", evaluate}, {"predict", predict}, {"summary", summary},
};

/* Whatever has been written is whole. */
static void check_saved(const char *what, Fault fault, long n) {
    cnnc_safetensors file;
    cnnc_array array;
    if (!access(in_folder("saved"), F_OK)) {
        if (cnnc_safetensors_read(in_folder("saved"), &file, &why)) complain(what, fault, n, "not whole: %s", why.text);
        else cnnc_safetensors_free(&file);
    }
    static bool had_previous;
    bool previous = !access(in_folder("saved.previous"), F_OK);
    if (had_previous && !previous) complain(what, fault, n, "the previous checkpoint is lost");
    had_previous = previous;
    if (!access(in_folder("saved.npy"), F_OK)) {
        if (cnnc_npy_read(in_folder("saved.npy"), &array, &why)) complain(what, fault, n, "not whole: %s", why.text);
        else cnnc_array_free(&array);
    }
    if (files_ending(".tmp")) complain(what, fault, n, "a temporary file is left");
}

static bool fails_at(const struct Scenario *s, Fault fault, long n) {
    size_t blocks = fault_blocks();
    int descriptors = fault_descriptors();
    why = (cnnc_error){.text = ""};
    fault_arm(fault, n);
    int result = s->run(&why);
    bool reached = fault_disarm();
    injected += reached;
    silent += reached && result == CNNC_OK;
    if (!reached && result != CNNC_OK) complain(s->name, fault, n, "fails without a fault: %s", why.text);
    if (reached && fault == FAULT_SHORT && result != CNNC_OK) complain(s->name, fault, n, "%s", why.text);
    if (reached && must_tell(fault, fault_call()) && result == CNNC_OK) complain(s->name, fault, n, "no failure");
    if (reached && fault == FAULT_MEMORY && result == CNNC_OK && strcmp(s->name, "save checkpoint") && strcmp(s->name, "fit") && strcmp(s->name, "resume"))
        complain(s->name, fault, n, "no failure");
    if (result != CNNC_OK && (!*why.text || !why.system)) complain(s->name, fault, n, "result %d, the message '%s', system %d", result, why.text, why.system);
    if (fault_blocks() != blocks) complain(s->name, fault, n, "%zu blocks before, %zu after", blocks, fault_blocks());
    if (fault_descriptors() != descriptors) complain(s->name, fault, n, "%d descriptors before, %d after", descriptors, fault_descriptors());
    check_saved(s->name, fault, n);
    return reached;
}

static void make_files(void) {
    cnnc_array x = array_of(xs, IN), y = array_of(ys, OUT);
    for (int i = 0; i < N * IN; i++) xs[i] = (float)(i % 7) / 8;
    for (int i = 0; i < N * OUT; i++) ys[i] = (float)(i % 3) / 4;
    data = (cnnc_dataset){.n = N, .input_count = 1, .target_count = 1, .inputs = xs_list, .targets = ys_list};
    labelled = linear_network;
    labelled.targets = classes;
    pictures = linear_network;
    pictures.inputs = picture;
    pictures.targets = ten;
    assert_int_equal(cnnc_npy_write(in_folder("x.npy"), &x, &why), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("y.npy"), &y, &why), CNNC_OK);
    snprintf(files, sizeof files, "%s,%s", in_folder("x.npy"), in_folder("y.npy"));
    write_idx("train-images-idx3-ubyte.gz", 3, true);
    write_idx("train-labels-idx1-ubyte", 1, false);
    write_csv();
    write_npz();
    assert_int_equal(mkdir(in_folder("archive"), 0777), 0);
    assert_int_equal(symlink("../data.npz", in_folder("archive/data.npz")), 0);
    has_libzip = true;
    has_libzip = load_npz(&why) == CNNC_OK;
    if (!has_libzip) assert_says(&why, "without libzip");
    write_cifar();
    nowhere = tmpfile();
    assert_non_null(nowhere);
    model = cnnc_model_new(&linear_network, 1, NULL, &why);
    assert_non_null(model);
    double sums[2] = {0, 0};
    cnnc_position position = position_of(sums);
    assert_int_equal(cnnc_weights_save(&linear_network, model->net, in_folder("weights"), NULL, 0, &why), CNNC_OK);
    weights_size = read_bytes(in_folder("weights"), weights, sizeof weights);
    assert_int_equal(cnnc_checkpoint_save(model, &position, in_folder("checkpoint"), &why), CNNC_OK);
}

static void the_runtime(void **state) {
    (void)state;
    make_files();
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        for (Fault fault = FAULT_MEMORY; fault <= FAULT_SIGNAL; fault++)
            for (long n = 1; fails_at(&scenarios[i], fault, n); n++) assert_true(n < 5000);
    fclose(nowhere);
    cnnc_model_free(model);
    report("runtime");
}

/* Cut while it is read. */
static void a_file_that_shrinks(void **state) {
    (void)state;
    cnnc_array array;
    char expected[300];
    fault_arm(FAULT_SHORT, 1); /* the second read brings the rest */
    assert_int_equal(cnnc_npy_read(in_folder("x.npy"), &array, &why), CNNC_OK);
    assert_true(fault_disarm());
    cnnc_array_free(&array);
    fault_arm(FAULT_END, 1);
    assert_int_equal(cnnc_npy_read(in_folder("x.npy"), &array, &why), CNNC_FAILED);
    assert_true(fault_disarm());
    snprintf(expected, sizeof expected, "%s: at byte 0: the file ends here, but it had %d bytes", in_folder("x.npy"), 128 + N * IN * 4);
    assert_string_equal(why.text, expected);
}

/* ---- the compiler's files ------------------------------------------------------------------------------------------------ */

/* Reads one, writes a new one, an old one, one behind a link and a device. */
static const char *use_files(Arena *arena) {
    char *text;
    size_t length;
    const OutFile written[] = {{in_folder("new"), "new\n", 4}, {in_folder("old"), "new\n", 4}, {in_folder("linked"), "new\n", 4}, {"/dev/null", "new\n", 4}};
    const char *message = read_file(arena, in_folder("read"), &text, &length);
    return message ? message : write_files(arena, written, LENGTH(written));
}

static bool holds(const char *name, const char *wanted, const char *or) {
    char found[16] = "";
    if (!access(in_folder(name), F_OK)) found[read_bytes(in_folder(name), found, sizeof found - 1)] = 0;
    return !strcmp(found, wanted) || !strcmp(found, or);
}

static bool files_fail_at(Fault fault, long n) {
    static const char *const errors[] = {": No space left on device", ": Input/output error", ": Interrupted system call"};
    int descriptors = fault_descriptors();
    size_t blocks = fault_blocks();
    unlink(in_folder("new"));
    write_bytes(in_folder("old"), "old\n", 4);
    write_bytes(in_folder("target"), "old\n", 4);
    Arena *arena = arena_new();
    fault_arm(fault, n);
    const char *message = use_files(arena);
    bool reached = fault_disarm(), explained = !message;
    for (int i = 0; i < LENGTH(errors) && message; i++) {
        const char *found = strstr(message, errors[i]);
        explained |= found && !strcmp(found, errors[i]) && (!strncmp(message, "cannot read /", 13) || !strncmp(message, "cannot write /", 14));
    }
    injected += reached;
    silent += reached && !message;
    if (!explained) complain("files", fault, n, "says '%s'", message);
    bool may_fail = fault == FAULT_ERROR || (fault == FAULT_SIGNAL && !strcmp(fault_call(), "open"));
    if (message && !(reached && may_fail)) complain("files", fault, n, "fails: %s", message);
    if (!message && reached && must_tell(fault, fault_call())) complain("files", fault, n, "no failure");
    if (!holds("new", "new\n", message ? "" : "new\n") || !holds("old", "new\n", message ? "old\n" : "new\n") || !holds("target", "new\n", message ? "old\n" : "new\n"))
        complain("files", fault, n, "not whole");
    arena_free(arena);
    if (files_ending(".tmp")) complain("files", fault, n, "a temporary file is left");
    if (fault_descriptors() != descriptors || fault_blocks() != blocks) complain("files", fault, n, "leaks");
    return reached;
}

static void files_of_the_compiler(void **state) {
    (void)state;
    write_bytes(in_folder("read"), "text\n", 5);
    assert_int_equal(symlink(in_folder("target"), in_folder("linked")), 0);
    for (Fault fault = FAULT_ERROR; fault <= FAULT_SIGNAL; fault++)
        for (long n = 1; files_fail_at(fault, n); n++) assert_true(n < 100);
    report("files");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_runtime), cmocka_unit_test(a_file_that_shrinks), cmocka_unit_test(files_of_the_compiler)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
