/* check_noise.c: how exact a result of floats can be: the interpreter's results once as they are, and some times with what operators make
 * moved at random as the rounding of floats does. Where a gradient is 0 but for rounding, or a network multiplies small differences, all
 * float code is as far away from these results as they are from each other. */
#include "interpret.h"

#include <math.h>

static const double noise = 5e-7;  /* of what an operator makes: some roundings of floats */
static const double leeway = 5;

Interpreter interpreter_at(const Graph *g, double *const *parameters, uint64_t step, int n) {
    Interpreter it = interpreter_new(g, n);
    for (int i = 0; g->key && i < n; i++) {
        uint64_t key = cnnc_key(g->seed, step, (uint64_t)i);
        it.values[g->key->id][2 * i] = (double)(uint32_t)key, it.values[g->key->id][2 * i + 1] = (double)(key >> 32);
    }
    set_interpreter(&it, parameters);
    return it;
}

Expected expect_results(const Graph *g, double *const *parameters, uint64_t step, const Batch *batch, uint64_t seed) {
    Expected e = {.it = interpreter_at(g, parameters, step, batch->n)};
    e.exact = interpreter_results(&e.it, batch);
    for (int k = 0; k < NOISES; k++) {
        Interpreter it = interpreter_at(g, parameters, step, batch->n);
        it.noise = noise;
        cnnc_random_seed(&it.random, seed, 100 + (uint64_t)k);
        e.noisy[k] = interpreter_results(&it, batch);
    }
    return e;
}

double spread_of(const double *exact, double *const noisy[NOISES], size_t n) {
    double most = 0;
    for (int k = 0; k < NOISES; k++) most = fmax(most, absolute_error(noisy[k], exact, n));
    return most;
}

bool is_rounding(double error, double spread) { return error <= leeway * spread; }
