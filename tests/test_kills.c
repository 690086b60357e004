/* Trainings that are killed: resumed from their checkpoint they end with the bytes of one that was not. At each call on files
 * while checkpoints are written, in this process's children; and `cnnc train` at random moments: 5 times, 200 with `long`. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "faults/faults.h"

static cnnc_error why;
static bool all;
static const char *checkpoint;

/* A checkpoint that is there is whole. */
static bool there_is_a_checkpoint(void) {
    cnnc_safetensors file;
    if (access(checkpoint, F_OK)) return false;
    if (cnnc_safetensors_read(checkpoint, &file, &why)) fail_msg("after a kill: %s", why.text);
    cnnc_safetensors_free(&file);
    return true;
}

static void remove_checkpoint(void) {
    char previous[256];
    snprintf(previous, sizeof previous, "%s.previous", checkpoint);
    unlink(checkpoint);
    unlink(previous);
}

/* ---- at each call ------------------------------------------------------------------------------------------------------ */

enum { N = 61 };
static float xs[N * IN], ys[N * OUT];

static cnnc_model *train_linear(bool resume, Fault fault, long call) {
    static void *inputs[] = {xs}, *targets[] = {ys};
    const cnnc_dataset data = {.n = N, .input_count = 1, .target_count = 1, .inputs = inputs, .targets = targets};
    cnnc_model *model = cnnc_model_new(&linear_network, 1, NULL, &why);
    assert_non_null(model);
    cnnc_fit_options options;
    cnnc_fit_defaults(&linear_network, &options);
    options.epochs = 2;
    options.verbose = 0;
    options.checkpoint = checkpoint;
    options.checkpoint_batches = 3;
    options.resume = resume;
    fault_arm(fault, call);
    int result = cnnc_fit(model, &data, &options, NULL, &why);
    fault_disarm();
    if (result != CNNC_OK) fail_msg("%s", why.text);
    return model;
}

/* False: the training came to its end. */
static bool is_killed(Fault fault, long call) {
    fflush(NULL);
    pid_t child = fork();
    int status;
    assert_true(child >= 0);
    if (!child) {
        cnnc_model_free(train_linear(false, fault, call));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) assert_int_equal(WTERMSIG(status), SIGKILL);
    else assert_int_equal(status, 0);
    return WIFSIGNALED(status);
}

static void at_each_call(void **state) {
    (void)state;
    for (int i = 0; i < N * IN; i++) xs[i] = (float)(i * 7 % 13) / 16 - 0.4f;
    for (int i = 0; i < N * OUT; i++) ys[i] = (float)(i % 5) / 8;
    cnnc_model *whole = train_linear(false, FAULT_NONE, 0);
    long kills = 0;
    for (Fault fault = FAULT_KILL; fault <= FAULT_KILL_HALF; fault++) {
        bool was_there = false;
        for (long call = 1;; call++) {
            remove_checkpoint();
            if (!is_killed(fault, call)) break;
            kills++;
            bool there = there_is_a_checkpoint();
            if (was_there && !there) fail_msg("killed at call %ld there is no checkpoint, a call earlier there was", call);
            was_there = there;
            cnnc_model *model = train_linear(there, FAULT_NONE, 0);
            assert_int_equal(model->state->step, whole->state->step);
            assert_memory_equal(model->state->parameters, whole->state->parameters, PARAMETERS * sizeof(float));
            assert_memory_equal(model->state->slots, whole->state->slots, PARAMETERS * sizeof(float));
            cnnc_model_free(model);
        }
        assert_true(was_there);
    }
    cnnc_model_free(whole);
    print_message("%ld kills at calls that write checkpoints\n", kills);
    assert_true(kills > 50);
}

/* ---- at random moments ------------------------------------------------------------------------------------------------- */

enum { EXAMPLES = 2000, WIDTH = 12 };

static pid_t start(const char *to, bool with_checkpoint, bool resume) {
    static char data[512], net[256];
    char *argv[24] = {CNNC_COMMAND, "train", net, "--data", data, "-o", (char *)(uintptr_t)to, "--threads=2"};
    int n = 8;
    snprintf(net, sizeof net, "%s", in_folder("killed.net"));
    snprintf(data, sizeof data, "%s,%s", in_folder("x.npy"), in_folder("y.npy"));
    if (with_checkpoint) {
        argv[n++] = "--checkpoint";
        argv[n++] = (char *)(uintptr_t)checkpoint;
        argv[n++] = "--checkpoint-batches=20";
    }
    if (resume) argv[n++] = "--resume";
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child) return child;
    alarm(300);
    if (!freopen("/dev/null", "w", stdout)) _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

static void finish(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status) fail_msg("cnnc train ends with status %x", (unsigned)status);
}

/* Where starting takes most of the time a few kills may all come before the first checkpoint: then there are more. */
static bool wants_more(int kills, int resumed) { return kills < (all ? 200 : 5) || (!resumed && kills < 200); }

/* Lets it run for a random time, at most so many seconds; false: it came to its end before. */
static bool kill_soon(pid_t child, double most, cnnc_random *random) {
    double seconds = most * cnnc_random_uniform(random);
    struct timespec time = {(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)};
    nanosleep(&time, NULL);
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && status) fail_msg("cnnc train ends with status %x", (unsigned)status);
    return WIFSIGNALED(status);
}

static void assert_same_weights(const char *a, const char *b) {
    static char one[1 << 16], other[1 << 16];
    size_t n = read_bytes(a, one, sizeof one), m = read_bytes(b, other, sizeof other);
    assert_true(n > 200 && n < sizeof one);
    assert_int_equal(n, m);
    assert_memory_equal(one, other, n);
}

static void make_training(void) {
    static float x[EXAMPLES * WIDTH], y[EXAMPLES * 3];
    static const char text[] = "network killed\ninput 12\ndense 16 activation=relu\ndense 3 activation=softmax\n"
                               "compile optimizer=rmsprop loss=categorical_crossentropy metrics=accuracy\nfit epochs=30 batch_size=8\n";
    cnnc_random random;
    cnnc_random_seed(&random, 3, 0);
    for (int i = 0; i < EXAMPLES * WIDTH; i++) x[i] = (float)cnnc_random_uniform(&random);
    for (int i = 0; i < EXAMPLES; i++) y[i * 3 + (int)(x[i * WIDTH] * 3)] = 1;
    cnnc_array a = {.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {EXAMPLES, WIDTH}, .count = EXAMPLES * WIDTH, .data = x};
    cnnc_array b = {.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {EXAMPLES, 3}, .count = EXAMPLES * 3, .data = y};
    assert_int_equal(cnnc_npy_write(in_folder("x.npy"), &a, &why), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("y.npy"), &b, &why), CNNC_OK);
    write_bytes(in_folder("killed.net"), text, sizeof text - 1);
}

static void at_random_moments(void **state) {
    (void)state;
    char wanted[128], had[128];
    snprintf(wanted, sizeof wanted, "%s", in_folder("wanted"));
    snprintf(had, sizeof had, "%s", in_folder("had"));
    make_training();
    finish(start(wanted, false, false)); /* fills the cache: what follows does not compile */
    double begin = cnnc_seconds();
    finish(start(wanted, false, false));
    double seconds = cnnc_seconds() - begin;
    cnnc_random random;
    cnnc_random_seed(&random, 4, 0);
    int kills = 0, resumed = 0, trainings = 0;
    while (wants_more(kills, resumed)) {
        bool killed = true;
        remove_checkpoint();
        unlink(had);
        while (killed && wants_more(kills, resumed)) {
            bool there = there_is_a_checkpoint();
            killed = kill_soon(start(had, true, there), seconds, &random);
            resumed += there;
            kills += killed;
        }
        if (killed) finish(start(had, true, there_is_a_checkpoint()));
        assert_same_weights(had, wanted);
        trainings++;
    }
    print_message("%d kills at random moments of %d trainings, resumed %d times\n", kills, trainings, resumed);
    assert_true(resumed > 0);
}

static int set_up(void **state) {
    static char path[128];
    if (make_folder(state)) return -1;
    snprintf(path, sizeof path, "%s/checkpoint", test_folder);
    checkpoint = path;
    return setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
}

int main(int argc, char **argv) {
    all = argc > 1 && !strcmp(argv[1], "long");
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_each_call), cmocka_unit_test(at_random_moments)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
