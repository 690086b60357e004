/* check_steps.c: how exact steps of training by floats can be: the same steps by the network's double code, once as they are and some
 * times with all weights moved at random before each step as the rounding of floats does. Where maxima that are nearly equal change
 * places, or a step is as long for a gradient of rounding as for any other, these part as far from each other as float code does. */
#include "interpret.h"

#include <math.h>
#include <string.h>

static const double noise = 2e-6; /* of a weight, or of its tensor's root mean square: what rounding makes of sums, and Winograd's algorithm */
enum { SEED = 1, MOVED = 4 };

typedef struct Steps { double *losses, **after; } Steps;

static void move_weights(cnnc_model *model, cnnc_random *random) {
    const cnnc_network *network = model->network;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        double *x = (double *)model->state->parameters + p->offset, size = root_mean_square(x, p->count);
        for (size_t k = 0; p->trainable && k < p->count; k++)
            x[k] += noise * fmax(fabs(x[k]), size) * (2 * cnnc_random_uniform(random) - 1);
    }
    cnnc_model_parameters_changed(model);
}

/* random: NULL, nothing is moved. */
static bool train(Arena *arena, cnnc_model *model, const cnnc_batch *batch, size_t steps, cnnc_random *random, Steps *s, cnnc_error *failure) {
    const cnnc_network *network = model->network;
    double *results = NEW_ARRAY(arena, double, 1 + network->metric_count);
    s->losses = NEW_ARRAY(arena, double, steps + 1);
    for (size_t k = 0; k < steps; k++) {
        if (random) move_weights(model, random);
        if (cnnc_model_train_batch(model, batch, results, failure)) return false;
        s->losses[k] = results[0];
    }
    s->after = NEW_ARRAY(arena, double *, network->parameters_length + 1);
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        s->after[i] = load_numbers(arena, network->type, (double *)model->state->parameters + p->offset, p->count);
    }
    return true;
}

/* s: the steps as they are, then the moved ones. */
static bool run_all(Arena *arena, const cnnc_network *network, double *const *weights, const Batch *b, size_t steps, Steps s[1 + MOVED], cnnc_error *failure) {
    void **inputs = store_all(arena, network->inputs, network->input_count, b->inputs, b->n);
    void **wanted = store_all(arena, network->targets, network->target_count, b->targets, b->n);
    const cnnc_batch batch = {
        .n = b->n, .inputs = (const void *const *)inputs, .targets = (const void *const *)wanted,
        .input_gradients = new_arrays(arena, network->inputs, network->input_count, b->n, network->type),
    };
    for (int k = 0; k <= MOVED; k++) {
        cnnc_model *model = cnnc_model_new(network, 0, NULL, failure);
        cnnc_random random;
        cnnc_random_seed(&random, SEED, 200 + (uint64_t)k);
        if (model) set_model(arena, model, weights);
        bool fine = model && train(arena, model, &batch, steps, k ? &random : NULL, &s[k], failure);
        cnnc_model_free(model);
        if (!fine) return false;
    }
    return true;
}

/* A step of any weight may be as long as that of the one that parts most: in a moved training it may be another's. What is not trained
 * only follows. */
static void measure(Arena *arena, const cnnc_network *network, const Steps s[1 + MOVED], size_t steps, ExpectedSteps *e) {
    double most = 0;
    e->losses = s->losses, e->after = s->after;
    e->after_spreads = NEW_ARRAY(arena, double, network->parameters_length + 1);
    for (int k = 1; k <= MOVED; k++) {
        e->losses_spread = fmax(e->losses_spread, absolute_error(s[k].losses, s->losses, steps));
        for (int i = 0; i < network->parameters_length; i++) {
            const cnnc_parameter *p = &network->parameters[i];
            e->after_spreads[i] = fmax(e->after_spreads[i], absolute_error(s[k].after[i], s->after[i], p->count));
            if (p->trainable) most = fmax(most, e->after_spreads[i]);
        }
    }
    for (int i = 0; i < network->parameters_length; i++)
        if (network->parameters[i].trainable) e->after_spreads[i] = most;
}

const ExpectedSteps *expect_steps(Compilation *doubles, const char *net, double *const *weights, const Batch *batch, size_t steps) {
    ExpectedSteps *e = NEW(doubles->arena, ExpectedSteps);
    Steps s[1 + MOVED];
    Loaded loaded;
    int status;
    cnnc_error failure;
    doubles->quiet = true;
    const cnnc_network *network = load_network(doubles, net, &loaded, &status);
    if (!network) return NULL;
    bool fine = run_all(doubles->arena, network, weights, batch, steps, s, &failure);
    if (fine) measure(doubles->arena, network, s, steps, e);
    unload_network(&loaded);
    if (!fine) say_error("%s", failure.text);
    return fine ? e : NULL;
}
