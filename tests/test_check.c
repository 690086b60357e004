/* test_check.c: cnnc check. Every network of tests/nets passes it: gradients of operators, generated code, all variants.
 * A reference file is worked out by hand for a network of three weights; wrong files fail as they should. */
#define _POSIX_C_SOURCE 200809L
#include "cnnc_runtime.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (int)(sizeof(a) / sizeof *(a))
#define NET CNNC_BINARY_DIR "/test_check.net"
#define REFERENCE CNNC_BINARY_DIR "/test_check.safetensors"

enum { OUTPUT_SIZE = 1 << 16 };
static char output[OUTPUT_SIZE]; /* of the last run of run_check, messages included */

/* cnnc check with these arguments, what it prints to `to`; its exit status. */
static int check_to(char *to, const char *arguments) {
    char command[4096];
    snprintf(command, sizeof command, "'%s' check %s 2>&1", CNNC_COMMAND, arguments);
    FILE *pipe = popen(command, "r");
    to[pipe ? fread(to, 1, OUTPUT_SIZE - 1, pipe) : 0] = 0;
    int status = pipe ? pclose(pipe) : -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_check(const char *arguments) { return check_to(output, arguments); }

static bool says(const char *text) { return strstr(output, text) != NULL; }

/* ---- networks ---------------------------------------------------------------------------------------------------- */

static int is_net(const struct dirent *entry) {
    size_t n = strlen(entry->d_name);
    return n > 4 && !strcmp(entry->d_name + n - 4, ".net");
}

typedef struct Job { const char *name; int status; char output[OUTPUT_SIZE]; } Job;

static void check_nets(void *context, int worker, int begin, int end) {
    (void)worker;
    for (Job *job = (Job *)context + begin; job < (Job *)context + end; job++) {
        char path[2048];
        snprintf(path, sizeof path, "'%s/tests/nets/%s'", CNNC_SOURCE_DIR, job->name);
        job->status = check_to(job->output, path);
    }
}

/* As many at a time as there are processors: most of it is the C compiler's time. */
static void every_net_passes(void **state) {
    (void)state;
    struct dirent **nets;
    int n = scandir(CNNC_SOURCE_DIR "/tests/nets", &nets, is_net, alphasort), failed = 0;
    assert_true(n > 0);
    Job *jobs = calloc((size_t)n, sizeof *jobs);
    cnnc_pool *pool = cnnc_pool_new(0, NULL);
    assert_true(jobs && pool);
    for (int i = 0; i < n; i++) jobs[i].name = nets[i]->d_name;
    cnnc_pool_run(pool, check_nets, jobs, n);
    for (int i = 0; i < n; i++) {
        if (jobs[i].status) print_error("%s: exit status %d\n%s", jobs[i].name, jobs[i].status, jobs[i].output), failed++;
        free(nets[i]);
    }
    cnnc_pool_free(pool);
    free(jobs);
    free(nets);
    assert_int_equal(failed, 0);
}

/* What only --algorithm=winograd selects: tiles of several sides, overhanging ones, both kernels' sizes, all passes. */
static void winograd_passes(void **state) {
    (void)state;
    static const char *const nets[] = {"winograd", "aligned_channels", "wide_channels", "live_concatenate"};
    for (int i = 0; i < LENGTH(nets); i++) {
        char arguments[2048];
        snprintf(arguments, sizeof arguments, "'%s/tests/nets/%s.net' --algorithm=winograd --target=avx2,vec16", CNNC_SOURCE_DIR, nets[i]);
        if (run_check(arguments)) fail_msg("%s: %s", nets[i], output);
    }
}

/* ---- references ----------------------------------------------------------------------------------------------------------
 * y = x . (0.5, -0.25) + 0.125 at x = (1, 2) is 0.125, the target 0.625: every number below is exact in floats. */

static const char net_text[] =
    "network net\n"
    "input 2\n"
    "dense 1\n"
    "compile optimizer=sgd(learning_rate=0.5) loss=mean_squared_error\n";

static void write_net(const char *text) {
    FILE *file = fopen(NET, "w");
    assert_true(file && fputs(text, file) >= 0 && !fclose(file));
}

typedef struct Entry { const char *name; int rank; size_t shape[2]; float data[2]; } Entry;
static const Entry right[] = {
    {"input", 2, {1, 2}, {1, 2}},
    {"target", 2, {1, 1}, {0.625f}},
    {"initial/dense/kernel", 2, {2, 1}, {0.5f, -0.25f}},
    {"initial/dense/bias", 1, {1}, {0.125f}},
    {"output", 2, {1, 1}, {0.125f}},
    {"loss", 1, {1}, {0.25f}},
    {"gradient/dense/kernel", 2, {2, 1}, {-1, -2}},
    {"gradient/dense/bias", 1, {1}, {-1}},
    {"gradient/input", 2, {1, 2}, {-0.5f, 0.25f}},
    {"losses", 1, {2}, {0.25f, 6.25f}}, /* an update makes of an error e the error e - 0.5 * 2e * (1 + 4 + 1) = -5e */
    {"after/dense/kernel", 2, {2, 1}, {-1.5f, -4.25f}},
    {"after/dense/bias", 1, {1}, {-1.875f}},
};

/* Writes a file of these with one entry in place of another of its name; "-name" leaves that out. */
static void write_entries(const Entry *all, const Entry *other) {
    cnnc_safetensor tensors[LENGTH(right)];
    Entry entries[LENGTH(right)];
    int n = 0;
    for (int i = 0; i < LENGTH(right); i++) {
        if (other && other->name[0] == '-' && !strcmp(other->name + 1, all[i].name)) continue;
        entries[n] = other && !strcmp(other->name, all[i].name) ? *other : all[i];
        Entry *e = &entries[n];
        cnnc_array array = {.dtype = CNNC_DTYPE_F32, .rank = e->rank, .count = 1, .data = e->data};
        for (int k = 0; k < e->rank; k++) array.shape[k] = e->shape[k], array.count *= e->shape[k];
        tensors[n++] = (cnnc_safetensor){e->name, array};
    }
    assert_int_equal(cnnc_safetensors_write(REFERENCE, tensors, n, NULL, 0, NULL), CNNC_OK);
}

static int check_reference(const Entry *other) {
    write_entries(right, other);
    return run_check("--reference '" REFERENCE "' '" NET "'");
}

static void right_reference_passes(void **state) {
    (void)state;
    int status = check_reference(NULL);
    if (status) print_error("%s", output);
    assert_int_equal(status, 0);
    assert_false(says("FAIL"));
    assert_true(says("after/dense/bias"));
}

static void wrong_number_fails(void **state) {
    (void)state;
    for (int i = 4; i < LENGTH(right); i++) { /* from "output": what comes before is the question, not the answer */
        Entry wrong = right[i];
        wrong.data[0] += 0.01f;
        assert_int_equal(check_reference(&wrong), 1);
        const char *row = strstr(output, wrong.name), *end = row ? strchr(row, '\n') : NULL, *failure = strstr(output, "FAIL");
        assert_true(row && end && failure > row && failure < end);
        assert_null(strstr(end, "FAIL"));
        wrong.data[0] = NAN;
        assert_int_equal(check_reference(&wrong), 1);
        assert_true(says("FAIL"));
    }
}

/* Nothing is to learn, but an update makes of an error e the error e - 500 * 2e * (1 + 4 + 1) = -5999e: where rounding makes
 * one, two steps take the weights anywhere. */
static void what_rounding_decides_is_told(void **state) {
    (void)state;
    Entry learnt[LENGTH(right)], wrong;
    memcpy(learnt, right, sizeof right);
    for (int i = 0; i < LENGTH(right); i++) {
        bool zero = !strncmp(learnt[i].name, "gradient/", 9) || !strncmp(learnt[i].name, "loss", 4);
        if (zero) learnt[i].data[0] = learnt[i].data[1] = 0;
        if (!strcmp(learnt[i].name, "target")) learnt[i].data[0] = 0.125f;
        if (!strncmp(learnt[i].name, "after/", 6)) memcpy(learnt[i].data, learnt[i - 8].data, sizeof learnt[i].data); /* as initially */
    }
    write_net("network net\ninput 2\ndense 1\ncompile optimizer=sgd(learning_rate=500) loss=mean_squared_error\n");
    write_entries(learnt, NULL);
    assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 0);
    assert_false(says("float"));
    wrong = learnt[LENGTH(right) - 1];
    wrong.data[0] += 0.01f;
    write_entries(learnt, &wrong);
    assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 0);
    assert_true(says("7.4e-02     1e-03  float"));
    assert_false(says("FAIL"));
    wrong.data[0] += 1000; /* not that far */
    write_entries(learnt, &wrong);
    assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 1);
    wrong = learnt[4]; /* the output, of no step */
    wrong.data[0] += 0.01f;
    write_entries(learnt, &wrong);
    assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 1);
    write_net(net_text);
}

/* The gradient of a bias that a mean is taken away from is 0 but for rounding, in the interpreter and in generated code. */
static void gradients_of_rounding_are_told(void **state) {
    (void)state;
    write_net("network net\ninput 3\ndense 2\nbatch_normalization\ndense 1\ncompile optimizer=sgd loss=mean_squared_error\n");
    assert_int_equal(run_check("'" NET "'"), 0);
    const char *row = strstr(output, "gradient dense/bias "), *end = row ? strchr(row, '\n') : NULL;
    assert_true(row && end);
    assert_memory_equal(end - 7, "  float", 7);
    write_net(net_text);
}

/* In training dropout makes of sums that are too large for floats what is no number; in evaluation the loss is right. */
static void no_number_is_no_rounding(void **state) {
    (void)state;
    write_net("network net\ninput 4\ndense 64 kernel_initializer=constant(value=3e36)\ndropout 0.99\ndense 3 trainable=false\nsoftmax\ncompile loss=categorical_crossentropy\n");
    assert_int_equal(run_check("'" NET "' --target=scalar"), 1);
    assert_true(says(" nan  FAIL\n"));
    assert_false(says(" nan  float\n"));
    write_net(net_text);
}

/* y = n . (0.5, -0.25) with n = (x - mean) / sqrt(variance + 0.001) of two numbers that differ in their fifth digit: what floats leave of
 * the difference has an error of 1e-2 of it, and so have output, loss and gradients. */
static void small_differences_explain_rows(void **state) {
    (void)state;
    const double x[] = {1, (double)1.0001f}, k[] = {0.5, -0.25}, half = (x[1] - x[0]) / 2, deviation = sqrt(half * half + 1e-3), n[] = {-half / deviation, half / deviation};
    const double y = n[0] * k[0] + n[1] * k[1], g[] = {2 * y * k[0], 2 * y * k[1]}, mean = (g[0] + g[1]) / 2, along = (g[0] * n[0] + g[1] * n[1]) / 2;
    const Entry entries[LENGTH(right)] = {
        {"input", 2, {1, 2}, {(float)x[0], (float)x[1]}}, {"target", 2, {1, 1}, {0}}, {"initial/dense/kernel", 2, {2, 1}, {0.5f, -0.25f}}, {"initial/dense/bias", 1, {1}, {0}},
        {"output", 2, {1, 1}, {(float)y}}, {"loss", 1, {1}, {(float)(y * y)}}, {"gradient/dense/kernel", 2, {2, 1}, {(float)(2 * y * n[0]), (float)(2 * y * n[1])}},
        {"gradient/dense/bias", 1, {1}, {(float)(2 * y)}},
        {"gradient/input", 2, {1, 2}, {(float)((g[0] - mean - n[0] * along) / deviation), (float)((g[1] - mean - n[1] * along) / deviation)}},
        {"not 1", 1, {1}, {0}}, {"not 2", 1, {1}, {0}}, {"not 3", 1, {1}, {0}},
    };
    write_net("network net\ninput 2\nlayer_normalization scale=false center=false\ndense 1\ncompile optimizer=sgd loss=mean_squared_error\n");
    for (int i = 4; i < 9; i++) {
        Entry other = entries[i];
        for (int j = 0; j < 2; j++) other.data[j] *= 1.0005f;
        write_entries(entries, &other);
        assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 0);
        const char *row = strstr(output, other.name), *end = row ? strchr(row, '\n') : NULL;
        assert_true(row && end);
        assert_memory_equal(end - 7, "  float", 7);
        for (int j = 0; j < 2; j++) other.data[j] *= 2;
        write_entries(entries, &other);
        assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 1);
    }
    /* A loss that is the sum of two outputs' */
    Entry twice[LENGTH(right)];
    memcpy(twice, entries, sizeof twice);
    for (int i = 5; i < 9; i++)
        for (int j = 0; j < 2; j++) twice[i].data[j] *= 2;
    twice[9] = entries[1], twice[9].name = "target_1";
    twice[10] = entries[4], twice[10].name = "output_1";
    write_net("network net\ninput 2\nlayer_normalization scale=false center=false\ndense = dense 1\na = linear from dense\nb = linear from dense\noutput a, b\n"
              "compile optimizer=sgd loss=mean_squared_error\n");
    Entry other = twice[5];
    other.data[0] *= 1.0005f;
    write_entries(twice, &other);
    assert_int_equal(run_check("--reference '" REFERENCE "' '" NET "'"), 0);
    write_net(net_text);
}

static void tolerance_may_be_given(void **state) {
    (void)state;
    Entry wrong = right[4];
    wrong.data[0] *= 1.01f;
    write_entries(right, &wrong);
    assert_int_equal(run_check("'" NET "' --reference '" REFERENCE "' --tolerance-output 0.02"), 0);
    assert_int_equal(run_check("'" NET "' --reference '" REFERENCE "' --tolerance-output=much"), 2);
}

static void missing_tensor_is_named(void **state) {
    (void)state;
    for (int i = 0; i < LENGTH(right); i++) {
        char name[64];
        snprintf(name, sizeof name, "-%s", right[i].name);
        bool needed = strcmp(name, "-target") && strcmp(name, "-losses") && strcmp(name, "-gradient/input");
        assert_int_equal(check_reference(&(Entry){.name = name}), needed);
        assert_int_equal(says("has no tensor"), needed);
        if (needed) assert_true(says(right[i].name));
        assert_false(says("FAIL"));
    }
    assert_int_equal(check_reference(&(Entry){.name = "-target"}), 0);
    assert_true(says("training is not compared"));
}

static void wrong_shape_is_named(void **state) {
    (void)state;
    for (int i = 0; i < LENGTH(right); i++) {
        Entry wrong = right[i];
        wrong.rank = 2;
        wrong.shape[0] = 1, wrong.shape[1] = right[i].rank == 2 && right[i].shape[1] == 2 ? 1 : 2;
        assert_int_equal(check_reference(&wrong), 1);
        assert_true(says("error: "));
        assert_true(says(right[i].name));
    }
}

static void unreadable_files(void **state) {
    (void)state;
    assert_int_equal(run_check("'" NET "' --reference /nonexistent"), 3);
    assert_int_equal(run_check("'" NET "' --reference '" NET "'"), 1); /* it can be read, and is no such file */
    assert_int_equal(run_check("/nonexistent.net"), 3);
    assert_int_equal(run_check(""), 2);
}

static int set_up(void **state) {
    (void)state;
    setenv("XDG_CACHE_HOME", CNNC_BINARY_DIR "/cache", 1);
    write_net(net_text);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    return unlink(NET) || unlink(REFERENCE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_net_passes),
        cmocka_unit_test(winograd_passes),
        cmocka_unit_test(right_reference_passes),
        cmocka_unit_test(wrong_number_fails),
        cmocka_unit_test(what_rounding_decides_is_told),
        cmocka_unit_test(gradients_of_rounding_are_told),
        cmocka_unit_test(no_number_is_no_rounding), cmocka_unit_test(small_differences_explain_rows),
        cmocka_unit_test(tolerance_may_be_given),
        cmocka_unit_test(missing_tensor_is_named),
        cmocka_unit_test(wrong_shape_is_named),
        cmocka_unit_test(unreadable_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
