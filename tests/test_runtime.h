/* test_runtime.h: what the runtime's tests share: temporary files, mutations, and a network made by hand: linear 3 -> 2
 * with mean squared error, SGD with momentum, shards of 4 examples, two gradient buffers. It obeys cnnc_network.h to
 * the letter, so it is also an example of it.
 */
#ifndef TEST_RUNTIME_H
#define TEST_RUNTIME_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cnnc_runtime.h"

#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* A folder of this test's own; names in it. Removed by remove_folder(). */
static char test_folder[] = "/tmp/test_runtime_XXXXXX";

MAYBE_UNUSED static int make_folder(void **state) {
    (void)state;
    return mkdtemp(test_folder) ? 0 : -1;
}

MAYBE_UNUSED static int remove_folder(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", test_folder);
    return system(command);
}

MAYBE_UNUSED static const char *in_folder(const char *name) {
    static char paths[8][128];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

MAYBE_UNUSED static void write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

MAYBE_UNUSED static size_t read_bytes(const char *path, void *bytes, size_t room) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t size = fread(bytes, 1, room, in);
    fclose(in);
    return size;
}

MAYBE_UNUSED static void assert_says(const cnnc_error *error, const char *part) {
    if (!strstr(error->text, part))
        fail_msg("'%s' does not say '%s'", error->text, part);
}

/* A damaged copy of size bytes, in memory of exactly its own size, so that a sanitizer sees each byte too far. */
MAYBE_UNUSED static unsigned char *mutate(const unsigned char *bytes, size_t size, cnnc_random *random, size_t *mutated) {
    static const unsigned char liked[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ']', ',', ':', '0', '9', '\\', ' '};
    size_t n = size;
    unsigned char *copy = malloc(size + 16);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    for (uint64_t changes = 1 + cnnc_random_below(random, 4); changes > 0 && n > 0; changes--) {
        size_t at = (size_t)cnnc_random_below(random, n < 200 ? n : cnnc_random_below(random, 2) ? n : 200);
        switch (cnnc_random_below(random, 6)) {
        case 0: copy[at] ^= (unsigned char)(1u << cnnc_random_below(random, 8)); break;
        case 1: copy[at] = (unsigned char)cnnc_random_bits(random); break;
        case 2: copy[at] = liked[cnnc_random_below(random, sizeof liked)]; break;
        case 3: n = cnnc_random_below(random, 8) ? n : at; break;
        case 4: /* one more */
            if (n < size + 16) {
                memmove(copy + at + 1, copy + at, n - at);
                copy[at] = liked[cnnc_random_below(random, sizeof liked)];
                n++;
            }
            break;
        default: /* one fewer */
            memmove(copy + at, copy + at + 1, n - at - 1);
            n--;
        }
    }
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, copy, n);
    free(copy);
    *mutated = n;
    return exact;
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

enum { IN = 3, OUT = 2, SHARD = 4, BUFFERS = 2, PARAMETERS = 16, BIAS = 8 };

/* What a worker keeps: the kernel transposed, rebuilt when the version moves. */
typedef struct linear_worker {
    uint64_t version;
    int valid;
    float transposed[OUT][IN];
} linear_worker;

typedef struct linear {
    cnnc_state state;
    float parameters[PARAMETERS], slots[PARAMETERS], gradients[BUFFERS][PARAMETERS];
    double totals[BUFFERS][2];
    int finalized;
    linear_worker workers[];
} linear;

static size_t linear_size(int workers) {
    return sizeof(linear) + (size_t)workers * sizeof(linear_worker);
}

static void *linear_init(void *memory, int workers, int variant) {
    if (variant > 1) /* the third variant runs nowhere */
        return NULL;
    memset(memory, 0, linear_size(workers));
    linear *net = memory;
    net->state.workers = workers;
    net->state.variant = variant < 0 ? 0 : variant;
    net->state.parameters = net->parameters;
    net->state.slots = net->slots;
    net->state.gradients = net->gradients;
    net->state.totals = net->totals[0];
    return net;
}

static const linear_worker *linear_derived(linear *net, int worker) {
    linear_worker *w = &net->workers[worker];
    if (!w->valid || w->version != net->state.version) {
        for (int o = 0; o < OUT; o++)
            for (int i = 0; i < IN; i++)
                w->transposed[o][i] = net->parameters[i * OUT + o];
        w->version = net->state.version;
        w->valid = 1;
    }
    return w;
}

static const float *linear_row(const void *array, const cnnc_batch *batch, int i, int count) {
    return (const float *)array + (batch->index ? batch->index[i] : (uint32_t)i) * (size_t)count;
}

static void linear_forward(linear *net, int worker, const float *x, float *y) {
    const linear_worker *w = linear_derived(net, worker);
    for (int o = 0; o < OUT; o++) {
        y[o] = net->parameters[BIAS + o];
        for (int i = 0; i < IN; i++)
            y[o] += x[i] * w->transposed[o][i];
    }
}

/* Buffer b: shards b, b + 2, ... in order. */
static void linear_shards(linear *net, const cnnc_batch *batch, int worker, int b, int train) {
    memset(net->totals[b], 0, sizeof net->totals[b]);
    memset(net->gradients[b], 0, sizeof net->gradients[b]);
    for (int i = 0; i < batch->n; i++) {
        if (i / SHARD % BUFFERS != b)
            continue;
        float y[OUT];
        const float *x = linear_row(batch->inputs[0], batch, i, IN), *t = linear_row(batch->targets[0], batch, i, OUT);
        linear_forward(net, worker, x, y);
        for (int o = 0; o < OUT; o++) {
            float difference = y[o] - t[o], slope = 2 * difference / (float)(OUT * batch->n);
            net->totals[b][0] += (double)(difference * difference) / OUT;
            net->totals[b][1] += fabs((double)difference) / OUT;
            for (int k = 0; train && k < IN; k++)
                net->gradients[b][k * OUT + o] += slope * x[k];
            net->gradients[b][BIAS + o] += train ? slope : 0;
        }
    }
}

static int linear_buffer_count(const void *net, const cnnc_batch *batch) {
    (void)net;
    (void)batch;
    return BUFFERS;
}

static void linear_train(void *net, const cnnc_batch *batch, int worker, int begin, int end) {
    for (int b = begin; b < end; b++)
        linear_shards(net, batch, worker, b, 1);
}

static void linear_evaluate(void *net, const cnnc_batch *batch, int worker, int begin, int end) {
    for (int b = begin; b < end; b++)
        linear_shards(net, batch, worker, b, 0);
}

static int linear_parameter_count(const void *net, const cnnc_batch *batch) {
    (void)net;
    (void)batch;
    return PARAMETERS;
}

static void linear_update(void *memory, const cnnc_batch *batch, int worker, int begin, int end) {
    linear *net = memory;
    (void)batch;
    (void)worker;
    for (int k = begin; k < end; k++) {
        float gradient = net->gradients[0][k] + net->gradients[1][k];
        net->slots[k] = 0.9f * net->slots[k] - (float)net->state.learning_rate * gradient;
        net->parameters[k] += net->slots[k];
    }
}

static int linear_example_count(const void *net, const cnnc_batch *batch) {
    (void)net;
    return batch->n;
}

static void linear_predict(void *net, const cnnc_batch *batch, int worker, int begin, int end) {
    for (int i = begin; i < end; i++)
        linear_forward(net, worker, linear_row(batch->inputs[0], batch, i, IN), (float *)batch->outputs[0] + i * OUT);
}

static void linear_finalize(void *net) {
    ((linear *)net)->finalized++;
}

static const cnnc_tensor linear_inputs[] = {{"input", CNNC_F32, 1, {IN}, IN, 0}};
static const cnnc_tensor linear_outputs[] = {{"dense", CNNC_F32, 1, {OUT}, OUT, 0}};
static const cnnc_tensor linear_targets[] = {{"dense", CNNC_F32, 1, {OUT}, OUT, 0}};
static const cnnc_parameter linear_parameters[] = {
    {"dense/kernel", 2, {IN, OUT}, 0, IN * OUT, 1, {CNNC_UNIFORM, -1, 1, -1}},
    {"dense/bias", 1, {OUT}, BIAS, OUT, 1, {CNNC_CONSTANT, 0, 0, -1}},
};
static const cnnc_layer linear_layers[] = {{"input", "InputLayer", 1, {IN}, 0, ""},
                                           {"dense", "Dense", 1, {OUT}, 8, "input"}};
static const char *const linear_metrics[] = {"mae"};
static const char *const linear_slots[] = {"velocity"};
static const char *const linear_variants[] = {"fast", "plain", "alien"};
static const cnnc_phase linear_train_phases[] = {{"shards", linear_buffer_count, linear_train},
                                                 {"update", linear_parameter_count, linear_update}};
static const cnnc_phase linear_evaluate_phases[] = {{"shards", linear_buffer_count, linear_evaluate}};
static const cnnc_phase linear_predict_phases[] = {{"examples", linear_example_count, linear_predict}};

MAYBE_UNUSED static const cnnc_network linear_network = {
    .abi = CNNC_ABI,
    .name = "linear",
    .type = CNNC_F32,
    .inputs = linear_inputs,
    .outputs = linear_outputs,
    .targets = linear_targets,
    .input_count = 1,
    .output_count = 1,
    .target_count = 1,
    .parameters = linear_parameters,
    .parameters_length = 2,
    .parameter_count = PARAMETERS,
    .layers = linear_layers,
    .layer_count = 2,
    .metrics = linear_metrics,
    .metric_count = 1,
    .slots = linear_slots,
    .slot_count = 1,
    .optimizer = "sgd(learning_rate=0.05, momentum=0.9)",
    .loss = "mean_squared_error",
    .learning_rate = 0.05,
    .epochs = 3,
    .batch_size = 8,
    .shuffle = 1,
    .seed = 1,
    .shard_size = SHARD,
    .gradient_buffers = BUFFERS,
    .variants = linear_variants,
    .variant_count = 3,
    .size = linear_size,
    .init = linear_init,
    .train = linear_train_phases,
    .evaluate = linear_evaluate_phases,
    .predict = linear_predict_phases,
    .train_phases = 2,
    .evaluate_phases = 1,
    .predict_phases = 1,
    .finalize = linear_finalize,
};

/* n examples for it at random, the same ones each time, in arrays of the caller's. */
MAYBE_UNUSED static cnnc_dataset random_data(float *xs, float *ys, int n) {
    static void *inputs[1], *targets[1];
    cnnc_random random;
    cnnc_random_seed(&random, 5, 0);
    for (int i = 0; i < n * IN; i++)
        xs[i] = (float)cnnc_random_uniform(&random) - 0.5f;
    for (int i = 0; i < n * OUT; i++)
        ys[i] = (float)cnnc_random_uniform(&random);
    inputs[0] = xs;
    targets[0] = ys;
    return (cnnc_dataset){.n = (size_t)n, .input_count = 1, .target_count = 1, .inputs = inputs, .targets = targets};
}

#endif
