/* Memory that falls short and calls on files that fail, at each call in turn: the right exit status, a message, whole files or
 * none, nothing leaked. `test_faults long` takes each call of all commands; without it commands are tried at some of them. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "test_runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zlib.h>

#include "commands/commands.h"
#include "faults/faults.h"

enum { N = 30, SOME = 60 };

static cnnc_error why;
static bool all;                   /* each call of commands too */
static long injected, bad, silent; /* silent: faults after which everything was as without them */
static char source[4096];

__attribute__((format(printf, 4, 5))) static void complain(const char *what, Fault fault, long n, const char *format, ...) {
    static const char *const names[] = {"none", "memory", "error", "short", "signal", "end", "kill", "kill half"};
    va_list arguments;
    va_start(arguments, format);
    bad++;
    print_error("%s, %s at call %ld (%s): ", what, names[fault], n, fault_call());
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    print_error("%s\n", text);
    va_end(arguments);
}

/* Files of the folder whose names end so. */
static int files_ending(const char *ending) {
    int n = 0;
    DIR *folder = opendir(test_folder);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        size_t length = strlen(e->d_name), tail = strlen(ending);
        n += length >= tail && !strcmp(e->d_name + length - tail, ending);
    }
    closedir(folder);
    return n;
}

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

static cnnc_array array_of(float *numbers, size_t columns) {
    return (cnnc_array){.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {N, columns}, .count = N * columns, .data = numbers};
}

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
static int make_hooks(cnnc_hook *hooks, int *n, cnnc_error *e) {
    static char best[256], log[256], board[256];
    cnnc_early_stopping stopping;
    cnnc_reduce_lr reducing;
    cnnc_save_best saving;
    cnnc_early_stopping_defaults(&stopping);
    cnnc_reduce_lr_defaults(&reducing);
    cnnc_save_best_defaults(&saving);
    stopping.restore_best_weights = 1;
    snprintf(best, sizeof best, "%s", in_folder("saved"));
    snprintf(log, sizeof log, "%s", in_folder("run.csv"));
    snprintf(board, sizeof board, "%s", in_folder("board"));
    saving.path = best;
    int result = cnnc_early_stopping_new(&linear_network, &stopping, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_reduce_lr_new(&linear_network, &reducing, &hooks[(*n)++], e);
    if (result == CNNC_OK) result = cnnc_save_best_new(&linear_network, &saving, &hooks[(*n)++], e);
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
    {"resume", resume}, {"load npz", load_npz}, {"load a folder's npz", load_archive}, {"find test data", find_test}, {"load matching weights", load_matching}, {"fit with hooks", fit_hooks}, {"forecast", forecast}, {"evaluate", evaluate}, {"predict", predict}, {"summary", summary},
};

/* Calls after whose failure nothing has been written. */
static bool must_tell(Fault fault, const char *call) { return fault == FAULT_ERROR && (!strcmp(call, "write") || !strcmp(call, "fsync") || !strcmp(call, "rename")); }

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

static void report(const char *what) {
    print_message("%s: %ld faults injected, %ld made no difference, %ld bad outcomes\n", what, injected, silent, bad);
    long outcome = bad, count = injected;
    injected = bad = silent = 0;
    assert_true(count > 0);
    assert_int_equal(outcome, 0);
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

/* ---- commands ---------------------------------------------------------------------------------------------------------- */

/* What a child leaves. */
typedef struct Outcome { bool reached, returned; long calls, blocks; int descriptors; char call[32]; } Outcome;
static Outcome *outcome;

static int run_command(Command *command, char **argv, Fault fault, long n) {
    fflush(NULL);
    *outcome = (Outcome){0};
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        int argc = 0, null = open("/dev/null", O_WRONLY), log = open(in_folder("log"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (chdir(test_folder) || dup2(null, 1) < 0 || dup2(log, 2) < 0) _exit(126);
        while (argv[argc]) argc++;
        size_t blocks = fault_blocks();
        int descriptors = fault_descriptors();
        alarm(60);
        outcome->reached = true; /* unless it is known that it was not: it may end within */
        fault_arm(fault, n);
        int status = command(argc, argv);
        outcome->calls = fault_count();
        outcome->reached = fault_disarm();
        outcome->blocks = (long)fault_blocks() - (long)blocks;
        outcome->descriptors = fault_descriptors() - descriptors;
        outcome->returned = true;
        snprintf(outcome->call, sizeof outcome->call, "%s", fault_call());
        exit(status); /* not _exit, which forgets what a build that counts has counted */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

enum { MADE = 6 };
typedef struct Run {
    const char *name;
    Command *command;
    char *argv[20];
    const char *made[MADE];
} Run;

static char contents[MADE][1 << 20]; /* of what is made, as it must become */
static size_t sizes[MADE];

/* The one that is made with what is in it: nothing may be there before. NULL: none. */
static const char *made_folder(const Run *r) {
    static char name[64];
    size_t length = r->made[0] ? strcspn(r->made[0], "/") : 0;
    if (!length || !r->made[0][length]) return NULL;
    snprintf(name, sizeof name, "%.*s", (int)length, r->made[0]);
    return name;
}

static void reset_made(const Run *r, bool old) {
    for (int i = 0; r->made[i]; i++) {
        unlink(in_folder(r->made[i]));
        if (old) write_bytes(in_folder(r->made[i]), "old\n", 4);
    }
    if (made_folder(r)) rmdir(in_folder(made_folder(r)));
    unlink(in_folder("trained.checkpoint.previous"));
}

static bool is_whole(const Run *r, int i, bool old, bool new_only) {
    static char found[1 << 20];
    if (access(in_folder(r->made[i]), F_OK)) return !old && !new_only;
    size_t size = read_bytes(in_folder(r->made[i]), found, sizeof found);
    if (size == sizes[i] && !memcmp(found, contents[i], size)) return true;
    return old && !new_only && size == 4 && !memcmp(found, "old\n", 4);
}

static bool command_fails_at(const Run *r, Fault fault, long n, bool old) {
    char said[512] = "", what[128];
    snprintf(what, sizeof what, "%s%s", r->name, old ? " over old files" : "");
    reset_made(r, old);
    int status = run_command(r->command, (char **)r->argv, fault, n);
    said[read_bytes(in_folder("log"), said, sizeof said - 1)] = 0;
    injected += outcome->reached;
    silent += outcome->reached && !status;
    if (!outcome->reached && status) complain(what, fault, n, "status %d without a fault: %s", status, said);
    if (status != 0 && status != 3) complain(what, fault, n, "%s: status %d: %s", outcome->call, status, said);
    if (outcome->reached && outcome->returned && !status && must_tell(fault, outcome->call)) complain(what, fault, n, "%s: no failure", outcome->call);
    if (status == 3 && !*said) complain(what, fault, n, "%s: no message", outcome->call);
    if (outcome->returned && (outcome->blocks || outcome->descriptors)) complain(what, fault, n, "%s: %ld blocks, %d descriptors leaked", outcome->call, outcome->blocks, outcome->descriptors);
    for (int i = 0; r->made[i]; i++)
        if (!strstr(r->made[i], ".checkpoint") && !is_whole(r, i, old, !status)) complain(what, fault, n, "%s: status %d: %s is not whole", outcome->call, status, r->made[i]);
    if (status && made_folder(r) && !access(in_folder(made_folder(r)), F_OK)) complain(what, fault, n, "%s: status %d: %s is left", outcome->call, status, made_folder(r));
    if (files_ending(".tmp")) complain(what, fault, n, "%s: a temporary file is left", outcome->call);
    return outcome->reached;
}

static void sweep_command(const Run *r) {
    reset_made(r, false);
    int status = run_command(r->command, (char **)r->argv, FAULT_NONE, LONG_MAX); /* fills the cache, too */
    if (status) {
        char said[2048] = "";
        said[read_bytes(in_folder("log"), said, sizeof said - 1)] = 0;
        fail_msg("%s: status %d: %s", r->name, status, said);
    }
    for (int i = 0; r->made[i]; i++) sizes[i] = read_bytes(in_folder(r->made[i]), contents[i], sizeof contents[i]);
    for (Fault fault = FAULT_MEMORY; fault <= FAULT_SIGNAL; fault++)
        for (int old = 0; old < 2; old++) {
            reset_made(r, old);
            run_command(r->command, (char **)r->argv, fault, LONG_MAX);
            long calls = outcome->calls, step = all || calls < SOME ? 1 : calls / SOME;
            for (long n = 1; n <= calls + 1; n += n < SOME / 4 || n > calls - 8 ? 1 : step) command_fails_at(r, fault, n, old);
            if (!r->made[0] || made_folder(r)) break;
        }
}

static char *net(const char *name) {
    static char paths[8][4200];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/tests/nets/%s.net", source, name);
    return path;
}

static void compiling(void **state) {
    (void)state;
    const Run runs[] = {
        {"compile", command_compile, {"cnnc", net("conv2d"), "-o", "out.c", "-MD"}, {"out.c", "out.h", "out.d"}},
        {"compile for one target", command_compile, {"cnnc", net("two_inputs"), "-o", "one.c", "--header=two.h", "--target=scalar"}, {"one.c", "two.h"}},
        {"summary", command_summary, {"summary", net("diamond")}, {NULL}},
        {"manual", command_man, {"man", "train"}, {NULL}},
        {"completion", command_completion, {"completion", "bash", "-o", "cnnc.bash"}, {"cnnc.bash"}},
        {"format", command_fmt, {"fmt", "--check", net("../../examples/mnist/mnist")}, {NULL}},
        {"new", command_new, {"new", "project"}, {"project/project.net", "project/CMakeLists.txt", "project/main.c", "project/README.md"}},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) sweep_command(&runs[i]);
    report("compiler");
}

static void make_training_files(void) {
    static float x[N * 4], y[N * 2];
    for (int i = 0; i < N * 4; i++) x[i] = (float)(i % 11) / 8;
    for (int i = 0; i < N; i++) y[i * 2 + i % 2] = 1;
    cnnc_array a = array_of(x, 4), b = array_of(y, 2);
    assert_int_equal(cnnc_npy_write(in_folder("a.npy"), &a, &why), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("b.npy"), &b, &why), CNNC_OK);
    static const char text[] = "network tiny\ninput 4\ndense 2 activation=softmax\ncompile optimizer=sgd(momentum=0.9) loss=categorical_crossentropy\nfit epochs=2 batch_size=8\n";
    write_bytes(in_folder("tiny.net"), text, sizeof text - 1);
}

static void training(void **state) {
    (void)state;
    make_training_files();
    const Run runs[] = {
        {"train", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "-o", "trained", "--threads=1", "--target=scalar", "--checkpoint", "trained.checkpoint"}, {"trained", "trained.checkpoint"}},
        {"evaluate", command_evaluate, {"evaluate", "tiny.net", "--data=a.npy,b.npy", "--weights=trained.keep", "--threads=1", "--target=scalar"}, {NULL}},
        {"predict", command_predict, {"predict", "tiny.net", "--input=a.npy", "--weights=trained.keep", "--threads=1", "-o", "outputs.npy", "--target=scalar"}, {"outputs.npy"}},
        {"train with callbacks", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "--weights=trained.keep", "--partial", "--validation-split=0.2", "-o", "called", "--threads=1", "--target=scalar",
                                                 "--early-stopping=1", "--reduce-lr=patience=0", "--save-best=best", "--csv-log=epochs.csv"}, {"called"}},
        {"check", command_check, {"check", "tiny.net", "--target=scalar"}, {NULL}},
        {"dry run", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "--dry-run", "--threads=1", "--target=scalar"}, {NULL}},
    };
    sweep_command(&runs[0]);
    write_bytes(in_folder("trained.keep"), contents[0], sizes[0]);
    for (size_t i = 1; i < sizeof runs / sizeof *runs; i++) sweep_command(&runs[i]);
    report("commands");
}

static int set_up(void **state) {
    snprintf(source, sizeof source, "%s", CNNC_SOURCE_DIR);
    outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED || make_folder(state)) return -1;
    return setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
}

int main(int argc, char **argv) {
    all = argc > 1 && !strcmp(argv[1], "long");
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_runtime), cmocka_unit_test(a_file_that_shrinks), cmocka_unit_test(files_of_the_compiler), cmocka_unit_test(compiling), cmocka_unit_test(training)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
