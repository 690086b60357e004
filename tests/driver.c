/* driver.c: any generated network at work, by its descriptor alone and without the runtime. Compiled by
 * test_generated.c together with a generated file, -DNETWORK=<net>_network:
 *
 *     driver PREFIX      for each variant that this machine runs, writes PREFIX.<variant>
 *
 * A result file is a list of named tensors (see put), in the order in which they came to be: outputs, loss and
 * gradients of the first weights, then outputs and weights after three updates. Arrays have exactly their size, so
 * that a sanitizer sees each element too far; three workers share the work, in an order that no thread pool would take.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnnc_network.h"

extern const cnnc_network NETWORK;

enum { WORKERS = 3, MAX_TENSORS = 16 };

static FILE *results;
static uint64_t random_state;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", NETWORK.name, what);
    exit(1);
}

static void *allocate(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!p) fail("no memory");
    return p;
}

static void *exactly(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) fail("no memory");
    return p;
}

/* splitmix64, as [-1, 1) */
static double uniform(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) / 4503599627370496.0 - 1;
}

/* ---- elements of any type -------------------------------------------------------------------------------------------- */

static size_t size_of(cnnc_type type) { return type == CNNC_F64 ? 8 : type == CNNC_U8 ? 1 : 4; }

static void set(void *array, cnnc_type type, size_t i, double value)
{
    if (type == CNNC_F64) ((double *)array)[i] = value;
    else if (type == CNNC_F32) ((float *)array)[i] = (float)value;
    else if (type == CNNC_U8) ((uint8_t *)array)[i] = (uint8_t)value;
    else ((int32_t *)array)[i] = (int32_t)value;
}

static double get(const void *array, cnnc_type type, size_t i)
{
    return type == CNNC_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* A record: the name in 64 bytes, the count in 8, the elements as doubles. */
static void put(const char *name, const double *values, size_t count)
{
    char label[64] = "";
    uint64_t n = count;
    snprintf(label, sizeof label, "%s", name);
    fwrite(label, 1, sizeof label, results);
    fwrite(&n, sizeof n, 1, results);
    fwrite(values, sizeof *values, count, results);
}

static void put_array(const char *name, const void *array, cnnc_type type, size_t count)
{
    double *values = exactly(count * sizeof(double));
    for (size_t i = 0; i < count; i++) values[i] = get(array, type, i);
    put(name, values, count);
    free(values);
}

/* ---- data ------------------------------------------------------------------------------------------------------------ */

static void *random_input(const cnnc_tensor *t, int rows)
{
    void *x = exactly((size_t)rows * t->count * size_of(t->type));
    for (size_t i = 0; i < (size_t)rows * t->count; i++)
        set(x, t->type, i, t->type == CNNC_U8 ? (uniform() + 1) * 127.9 : t->classes ? (uniform() + 1) / 2 * t->classes : 1.5 * uniform());
    return x;
}

static void *random_target(const cnnc_tensor *t, int rows)
{
    const size_t n = (size_t)rows * t->count;
    void *y = exactly(n * size_of(t->type));
    for (size_t i = 0; i < n; i++) {
        const int one_hot = t->classes && t->type != CNNC_I32;
        const int class = t->classes ? (int)((uniform() + 1) / 2 * t->classes) : 0;
        if (!one_hot) set(y, t->type, i, t->classes ? (double)class : uniform());
        for (int k = 0; one_hot && i % (size_t)t->classes == 0 && k < t->classes; k++) set(y, t->type, i + (size_t)k, k == class);
    }
    return y;
}

/* ---- phases ---------------------------------------------------------------------------------------------------------- */

/* Each worker takes one run of items; the last worker comes first. */
static void run(void *net, const cnnc_phase *phases, int n, const cnnc_batch *batch)
{
    for (int p = 0; p < n; p++) {
        const int count = phases[p].count(net, batch);
        if (count < 0) fail("has no memory for the batch");
        for (int w = WORKERS - 1; w >= 0; w--) {
            const int begin = count * w / WORKERS, end = count * (w + 1) / WORKERS;
            if (begin < end) phases[p].run(net, batch, w, begin, end);
        }
    }
}

static void put_totals(const char *name, const cnnc_state *state)
{
    const int columns = NETWORK.total_count ? NETWORK.total_count : 1 + NETWORK.metric_count;
    double *sums = exactly((size_t)columns * sizeof(double));
    memset(sums, 0, (size_t)columns * sizeof(double));
    for (int b = 0; b < NETWORK.gradient_buffers; b++)
        for (int c = 0; c < columns; c++) sums[c] += state->totals[b * columns + c];
    put(name, sums, (size_t)columns);
    free(sums);
}

static void put_parameters(const char *name, const void *parameters, int sums)
{
    char label[64];
    for (int k = 0; k < NETWORK.parameters_length; k++) {
        const cnnc_parameter *p = &NETWORK.parameters[k];
        double *values = exactly(p->count * sizeof(double));
        for (size_t i = 0; i < p->count; i++) {
            values[i] = 0;
            for (int b = 0; b < (sums ? NETWORK.gradient_buffers : 1); b++)
                values[i] += get(parameters, NETWORK.type, (size_t)b * NETWORK.parameter_count + p->offset + i);
        }
        snprintf(label, sizeof label, "%s%s", name, p->name);
        if (!sums || p->trainable) put(label, values, p->count);
        free(values);
    }
}

static void initialise(cnnc_state *state)
{
    for (int k = 0; k < NETWORK.parameters_length; k++) {
        const cnnc_parameter *p = &NETWORK.parameters[k];
        const double fan = p->rank > 1 ? (double)(p->count / (size_t)p->shape[p->rank - 1]) : 4;
        double scale = 1;
        while (scale * scale * fan > 2) scale *= 0.75;
        const double middle = strstr(p->name, "variance") ? 1 + scale : 0; /* it is above 0 */
        for (size_t i = 0; i < p->count; i++) set(state->parameters, NETWORK.type, p->offset + i, middle + scale * uniform());
    }
    state->version++;
}

static void predict(void *net, const char *name, const void *const *inputs, int n)
{
    void *outputs[MAX_TENSORS];
    char label[64];
    const cnnc_batch batch = {n, inputs, NULL, NULL, outputs, NULL};
    for (int i = 0; i < NETWORK.output_count; i++) outputs[i] = exactly((size_t)n * NETWORK.outputs[i].count * size_of(NETWORK.outputs[i].type));
    run(net, NETWORK.predict, NETWORK.predict_phases, &batch);
    for (int i = 0; i < NETWORK.output_count; i++) {
        snprintf(label, sizeof label, "%s%d", name, i);
        put_array(label, outputs[i], NETWORK.outputs[i].type, (size_t)n * NETWORK.outputs[i].count);
        free(outputs[i]);
    }
}

static void train(void *net, const void *const *inputs, const void *const *targets, const uint32_t *index, int n, int first)
{
    cnnc_state *const state = net;
    void *input_gradients[MAX_TENSORS];
    const cnnc_batch batch = {n, inputs, targets, index, NULL, input_gradients};
    for (int i = 0; i < NETWORK.input_count; i++) input_gradients[i] = exactly((size_t)n * NETWORK.inputs[i].count * size_of(NETWORK.type));
    run(net, NETWORK.train, NETWORK.train_phases, &batch);
    if (first) {
        put_totals("loss", state);
        put_parameters("gradient/", state->gradients, 1);
    }
    state->step++;
    state->version++;
    if (NETWORK.schedule) state->learning_rate = NETWORK.schedule(state->step);
    for (int i = 0; i < NETWORK.input_count; i++) free(input_gradients[i]);
}

/* ---- a variant --------------------------------------------------------------------------------------------------------- */

static void work(void *net, const void *const *inputs, const void *const *targets, int rows)
{
    cnnc_state *const state = net;
    const int shard = NETWORK.shard_size;
    uint32_t *index = exactly((size_t)rows * sizeof *index);
    for (int i = 0; i < rows; i++) index[i] = (uint32_t)(rows - 1 - i);
    initialise(state);
    predict(net, "output", inputs, shard + 3);
    predict(net, "one", inputs, 1);
    if (NETWORK.train) {
        const cnnc_batch all = {rows, inputs, targets, NULL, NULL, NULL};
        train(net, inputs, targets, index, rows, 1);
        train(net, inputs, targets, NULL, shard > 1 ? shard - 1 : 1, 0);
        train(net, inputs, targets, index, 1, 0);
        run(net, NETWORK.evaluate, NETWORK.evaluate_phases, &all);
        put_totals("evaluated", state);
        if (NETWORK.finalize) NETWORK.finalize(net);
        put_parameters("after/", state->parameters, 0);
        predict(net, "output after/", inputs, shard + 3);
    }
    free(index);
}

int main(int argc, char **argv)
{
    const int rows = 3 * NETWORK.shard_size + 5;
    const size_t size = NETWORK.size(WORKERS);
    void *inputs[MAX_TENSORS], *targets[MAX_TENSORS], *memory = allocate(size);
    int ran = 0;
    if (argc != 2 || NETWORK.abi != CNNC_ABI || NETWORK.input_count > MAX_TENSORS || NETWORK.output_count > MAX_TENSORS) fail("cannot be driven");
    for (int i = 0; i < NETWORK.input_count; i++) inputs[i] = random_input(&NETWORK.inputs[i], rows);
    for (int i = 0; i < NETWORK.target_count; i++) targets[i] = random_target(&NETWORK.targets[i], rows);
    if (NETWORK.init(NULL, WORKERS, -1) || NETWORK.init((char *)memory + 4, WORKERS, -1) || NETWORK.init(memory, 0, -1) ||
        NETWORK.init(memory, WORKERS, NETWORK.variant_count))
        fail("accepts what it should refuse");
    for (int v = 0; v < NETWORK.variant_count; v++) {
        char path[4096];
        random_state = 1;
        memset(memory, 0xff, size); /* NaN: nothing may count on zeros */
        if (!NETWORK.init(memory, WORKERS, v)) continue;
        snprintf(path, sizeof path, "%s.%s", argv[1], NETWORK.variants[v]);
        results = fopen(path, "wb");
        if (!results) fail("cannot write");
        work(memory, (const void *const *)inputs, (const void *const *)targets, rows);
        if (fclose(results)) fail("cannot write");
        ran++;
    }
    if (!ran) fail("no variant runs");
    for (int i = 0; i < NETWORK.input_count; i++) free(inputs[i]);
    for (int i = 0; i < NETWORK.target_count; i++) free(targets[i]);
    free(memory);
    return 0;
}
