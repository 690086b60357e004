/* predict.c: generated code that predicts, as a contender of predict.py.
 *
 *     predict IMAGES       a file of examples, one after the other, as the network takes them
 *
 * Does what standard input says, one command a line, and answers with a line of JSON. HOW is "one" or "cold", an example
 * a call, "cold" after caches were filled with something else; or "many", BATCH examples a call.
 *
 *     outputs HOW FILE     writes the outputs of all examples: {"examples": ...}
 *     go HOW CALLS         times so many calls: microseconds an example, {"median": ..., "p10": ..., "p90": ..., "least": ...}
 *
 * Compiled with -DHEADER="NAME.h" (quoted), -DPREDICT=NAME_predict, -DPREDICT_MANY=NAME_predict_many, -DELEMENT=uint8_t,
 * -DINPUT=NAME_INPUT, -DOUTPUT=NAME_OUTPUT, -DWORKSPACE=NAME_MANY_WORKSPACE_BYTES, -DBATCH=64. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include HEADER

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVICTED_BYTES = 64 << 20, WARM_CALLS = 50 };

typedef struct Job {
    const ELEMENT *inputs;
    float *outputs;
    void *workspace;
    unsigned char *other; /* what fills caches */
    int examples;
    int batch; /* examples a call */
    int evict;
} Job;

static int fail(const char *what)
{
    fprintf(stderr, "predict: %s\n", what);
    return EXIT_FAILURE;
}

static double microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int read_inputs(Job *job, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return fail("cannot read the examples");
    size_t size = (size_t)ftell(file), example = INPUT * sizeof(ELEMENT);
    ELEMENT *inputs = aligned_alloc(64, (size + 63) / 64 * 64);
    rewind(file);
    if (!inputs || size % (example * BATCH) || fread(inputs, 1, size, file) != size) return fail("not whole batches of examples");
    fclose(file);
    job->inputs = inputs;
    job->examples = (int)(size / example);
    job->outputs = calloc((size_t)job->examples * OUTPUT, sizeof *job->outputs);
    job->workspace = aligned_alloc(64, ((size_t)WORKSPACE + 127) / 64 * 64);
    job->other = calloc(EVICTED_BYTES, 1);
    return job->outputs && job->workspace && job->other ? 0 : fail("no memory");
}

/* The call-th of calls that go round all examples. */
static void call(const Job *job, size_t number)
{
    size_t first = number * (size_t)job->batch % (size_t)job->examples;
    const ELEMENT *input = job->inputs + first * INPUT;
    float *output = job->outputs + first * OUTPUT;
    if (job->batch == 1) PREDICT(job->workspace, input, output);
    else PREDICT_MANY(job->workspace, input, output, job->batch);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int go(const Job *job, size_t calls)
{
    double *times = calloc(calls + 1, sizeof *times);
    if (!times || !calls) return fail("no calls");
    for (size_t i = 0; i < WARM_CALLS && i < calls / 4 + 1; i++) call(job, i);
    for (size_t i = 0; i < calls; i++) {
        for (size_t at = 0; job->evict && at < EVICTED_BYTES; at += 64) job->other[at]++;
        double start = microseconds();
        call(job, i);
        times[i] = (microseconds() - start) / job->batch;
    }
    qsort(times, calls, sizeof *times, by_size);
    printf("{\"median\": %.4f, \"p10\": %.4f, \"p90\": %.4f, \"least\": %.4f}\n", times[calls / 2], times[calls / 10],
           times[calls - 1 - calls / 10], times[0]);
    free(times);
    return 0;
}

static int write_outputs(const Job *job, const char *path)
{
    size_t count = (size_t)job->examples * OUTPUT;
    memset(job->outputs, 0xff, count * sizeof *job->outputs); /* no numbers */
    for (size_t i = 0; i < (size_t)(job->examples / job->batch); i++) call(job, i);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(job->outputs, sizeof *job->outputs, count, file) != count || fclose(file)) return fail("cannot write");
    printf("{\"examples\": %d}\n", job->examples);
    return 0;
}

int main(int argc, char **argv)
{
    Job job = {0};
    char line[4096], how[8], path[4000];
    size_t calls;

    if (argc != 2) return fail("usage: predict IMAGES");
    if (read_inputs(&job, argv[1])) return EXIT_FAILURE;
    while (fgets(line, sizeof line, stdin)) {
        int status = EXIT_FAILURE;
        if (sscanf(line, "%*s %7s", how) != 1) return fail("what?");
        job.batch = strcmp(how, "many") ? 1 : BATCH;
        job.evict = !strcmp(how, "cold");
        if (sscanf(line, "go %*s %zu", &calls) == 1) status = go(&job, calls);
        else if (sscanf(line, "outputs %*s %3999[^\n]", path) == 1) status = write_outputs(&job, path);
        if (status) return EXIT_FAILURE;
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
