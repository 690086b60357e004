/* bench_measure.c: training steps timed as a whole and kernel by kernel, and what a core can do at most. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEED = 1, WARM_UP = 4, ROUNDS = 200000, TRIES = 3, READINGS = 1000 };
/* Seconds that the steps of one take, at least: so short that most are over before another program has its turn. */
static const double repetition = 0.01;

/* ---- training steps --------------------------------------------------------------------------------------------------- */

/* A model on its way through the examples. */
typedef struct Course {
    cnnc_model *model;
    const cnnc_dataset *examples;
    const uint32_t *order; /* of the examples, as an epoch has it; batches do not go beyond `length` */
    size_t length, next;
    int batch_size;
} Course;

static const uint32_t *draw_order(Arena *arena, size_t n, size_t length) {
    uint32_t *order = NEW_ARRAY(arena, uint32_t, length);
    cnnc_shuffle(order, (uint32_t)n, SEED, 0);
    for (size_t i = n; i < length; i++) order[i] = order[i - n];
    return order;
}

typedef struct Work { void *net; const cnnc_batch *batch; const cnnc_phase *phase; } Work;
static void do_work(void *context, int worker, int begin, int end) {
    const Work *w = context;
    w->phase->run(w->net, w->batch, worker, begin, end);
}

typedef struct Seconds { double shards, update; } Seconds;

static void take_step(Course *c, Seconds *spent) {
    const cnnc_network *network = c->model->network;
    const cnnc_batch batch = {c->batch_size, (const void *const *)c->examples->inputs, (const void *const *)c->examples->targets, c->order + c->next, NULL, NULL};
    for (int i = 0; i < network->train_phases; i++) {
        Work work = {c->model->net, &batch, &network->train[i]};
        double start = cnnc_seconds();
        cnnc_pool_run(c->model->pool, do_work, &work, work.phase->count(c->model->net, &batch));
        *(is_update(work.phase) ? &spent->update : &spent->shards) += cnnc_seconds() - start;
    }
    c->model->state->step++;
    c->model->state->version++;
    c->next += (size_t)c->batch_size;
    if (c->next >= c->length) c->next = 0;
}

static Seconds take_steps(Course *c, int n) {
    Seconds spent = {0, 0};
    for (int i = 0; i < n; i++) take_step(c, &spent);
    return spent;
}

/* ---- clocks ------------------------------------------------------------------------------------------------------------ */

/* Cheap, in a unit of its own. What came before is done when it is read: a kernel's time is not that of the next one. */
static uint64_t read_clock(void) {
#if defined __GNUC__ && defined __x86_64__
    __builtin_ia32_lfence();
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)(cnnc_seconds() * 1e9);
#endif
}

/* What a look at the clock adds to the time of a call. */
static double clock_cost(const cnnc_profile *profile) {
    double least = 0;
    for (int k = 0; k < TRIES; k++) {
        uint64_t sum = 0;
        for (int i = 0; i < READINGS; i++) {
            uint64_t start = profile->clock();
            sum += profile->clock() - start;
        }
        double mean = (double)sum / READINGS;
        if (k == 0 || mean < least) least = mean;
    }
    return least;
}

static double peak_gflops(const cnnc_profile *profile) {
    float sums[16];
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        double start = cnnc_seconds(), flops = profile->peak(ROUNDS, 0.5f, sums), rate = flops / (cnnc_seconds() - start) / 1e9;
        if (rate > best) best = rate;
    }
    return best;
}

/* ---- repetitions ------------------------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over repetitions of value i: values[repeat][n]. */
static double median(Arena *arena, const double *values, int repeat, int n, int i) {
    double *sorted = NEW_ARRAY(arena, double, repeat);
    for (int r = 0; r < repeat; r++) sorted[r] = values[r * n + i];
    qsort(sorted, (size_t)repeat, sizeof *sorted, compare_doubles);
    return (sorted[(repeat - 1) / 2] + sorted[repeat / 2]) / 2;
}

/* Profiled steps; us[kernels] an example. Returns the part of the time that this program had the processor. */
static double time_kernels(Course *c, const cnnc_profile *profile, double cost, const Times *t, double *us) {
    double examples = (double)t->steps * t->batch_size, processor = (double)clock();
    for (int i = 0; i < t->kernel_count; i++) profile->ticks[i] = profile->calls[i] = 0;
    double start = cnnc_seconds();
    uint64_t ticks = profile->clock();
    take_steps(c, t->steps);
    double seconds = cnnc_seconds() - start, tick = seconds / (double)(profile->clock() - ticks);
    for (int i = 0; i < t->kernel_count; i++) {
        double calls = (double)profile->calls[i], own = (double)profile->ticks[i] - cost * calls;
        us[i] = (own > calls ? own : calls) * tick / examples * 1e6; /* a tick a call at least */
        t->calls[i] = calls / examples;
    }
    return ((double)clock() - processor) / CLOCKS_PER_SEC / seconds;
}

/* How many steps make a repetition. */
static int warm_up(Course *c) {
    double least = repetition;
    for (int i = 0; i < WARM_UP; i++) {
        Seconds one = take_steps(c, 1);
        if (one.shards + one.update < least) least = one.shards + one.update;
    }
    return (int)(repetition / least) + 1;
}

/* What is compared is measured in turns; each turn begins with a step that finds the caches as the other left them. */
static void repeat_steps(Arena *arena, Course *plain, Course *profiled, const cnnc_profile *profile, Times *t) {
    int n = t->kernel_count;
    double *us = NEW_ARRAY(arena, double, n * t->repeat + 1), *phases = NEW_ARRAY(arena, double, 2 * t->repeat), cost = clock_cost(profile);
    for (int r = 0; r < t->repeat; r++) {
        double peak = peak_gflops(profile), scale = 1e6 / t->steps / t->batch_size;
        if (peak > t->peak) t->peak = peak;
        take_steps(plain, 1);
        Seconds spent = take_steps(plain, t->steps);
        phases[2 * r] = spent.shards * scale;
        phases[2 * r + 1] = spent.update * scale;
        if (r == 0 || phases[2 * r] + phases[2 * r + 1] < t->best) t->best = phases[2 * r] + phases[2 * r + 1];
        take_steps(profiled, 1);
        t->processor += time_kernels(profiled, profile, cost, t, us + r * n) / t->repeat;
    }
    for (int i = 0; i < n; i++) t->kernels[i] = median(arena, us, t->repeat, n, i);
    t->shards = median(arena, phases, t->repeat, 2, 0);
    t->update = median(arena, phases, t->repeat, 2, 1);
}

void measure(Arena *arena, cnnc_model *plain, cnnc_model *profiled, cnnc_profile *profile, const cnnc_dataset *examples, Times *t) {
    size_t batch = (size_t)t->batch_size, length = (examples->n + batch - 1) / batch * batch;
    const uint32_t *order = draw_order(arena, examples->n, length);
    Course a = {plain, examples, order, length, 0, t->batch_size}, b = {profiled, examples, order, length, 0, t->batch_size};
    profile->clock = read_clock;
    profile->ticks = NEW_ARRAY(arena, uint64_t, t->kernel_count + 1);
    profile->calls = NEW_ARRAY(arena, uint64_t, t->kernel_count + 1);
    t->kernels = NEW_ARRAY(arena, double, t->kernel_count + 1);
    t->calls = NEW_ARRAY(arena, double, t->kernel_count + 1);
    t->steps = warm_up(&a);
    take_steps(&b, WARM_UP);
    repeat_steps(arena, &a, &b, profile, t);
}

/* As it was when it was made: how sparse activations are depends on how far it is. */
static void begin_again(cnnc_model *m) {
    const cnnc_network *network = m->network;
    memset(m->state->slots, 0, (size_t)network->slot_count * network->parameter_count * cnnc_type_size(network->type));
    m->state->step = 0;
    cnnc_initialize(network, m->net, network->seed);
}

void compare_models(Arena *arena, cnnc_model *a, cnnc_model *b, const cnnc_dataset *examples, int batch_size, int repeat, double us[2]) {
    begin_again(a);
    begin_again(b);
    size_t batch = (size_t)batch_size, length = (examples->n + batch - 1) / batch * batch;
    const uint32_t *order = draw_order(arena, examples->n, length);
    Course courses[] = {{a, examples, order, length, 0, batch_size}, {b, examples, order, length, 0, batch_size}};
    double *values = NEW_ARRAY(arena, double, 2 * repeat);
    int steps = warm_up(&courses[0]);
    warm_up(&courses[1]);
    for (int i = 0; i < 2 * repeat; i++) {
        take_steps(&courses[i % 2], 1);
        Seconds spent = take_steps(&courses[i % 2], steps);
        values[i] = (spent.shards + spent.update) / steps / batch_size * 1e6;
    }
    for (int i = 0; i < 2; i++) us[i] = median(arena, values, repeat, 2, i);
}
