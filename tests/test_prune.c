/* test_prune.c: channels that predictions can do without go (compiler/prune.c), and what is predicted stays, in double precision. */
#include "test_network.h"

#include "commands/interpret.h"

#include <math.h>

enum { EXAMPLES = 20 };

/* ---- weights ---------------------------------------------------------------------------------------------------------------- */

/* The same ones for the same description, none of them zero. */
static Run *start_with_weights(const char *text) {
    Run *r = start_built(text);
    cnnc_random random;
    cnnc_random_seed(&random, 1, 0);
    for (int i = 0; i < r->graph->parameter_count; i++) {
        Tensor *p = r->graph->parameters[i];
        double *values = NEW_ARRAY(r->arena, double, shape_count(p->shape));
        for (int64_t k = 0; k < shape_count(p->shape); k++) values[k] = 0.05 + cnnc_random_uniform(&random) * (k % 3 ? 0.3 : -0.3);
        p->values = values;
    }
    return r;
}

/* Of all weights of an output channel, the magnitude times the factor. */
static void set_column(Run *r, const char *layer_name, int channel, double factor) {
    Tensor *kernel = parameter(r, layer_name, "kernel");
    double *values = (double *)kernel->values;
    int columns = last_dim(kernel->shape);
    for (int64_t i = channel; i < shape_count(kernel->shape); i += columns) values[i] = factor * fabs(values[i]);
}

/* All weights for an input channel are zero. */
static void clear_rows(Run *r, const char *layer_name, int channel, int channels) {
    Tensor *kernel = parameter(r, layer_name, "kernel");
    int columns = last_dim(kernel->shape);
    for (int64_t i = 0; i < shape_count(kernel->shape); i++)
        if (i / columns % channels == channel) ((double *)kernel->values)[i] = 0;
}

static void set_bias(Run *r, const char *layer_name, int channel, double value) { ((double *)parameter(r, layer_name, "bias")->values)[channel] = value; }

/* ---- predictions -------------------------------------------------------------------------------------------------------------- */

static const double *predict(Run *r, size_t *count) {
    const Graph *g = r->graph;
    Interpreter it = interpreter_new(g, EXAMPLES);
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i]->input_count; k++) {
            const Tensor *t = g->ops[i]->inputs[k];
            if (t->role == ROLE_PARAMETER) memcpy(interpreter_value(&it, t), t->values, sizeof(double) * (size_t)shape_count(t->shape));
        }
    cnnc_random random;
    cnnc_random_seed(&random, 2, 0);
    double *x = interpreter_value(&it, g->inputs[0]);
    for (int64_t i = 0; i < EXAMPLES * shape_count(g->inputs[0]->shape); i++) x[i] = floor(256 * cnnc_random_uniform(&random));
    interpret(&it, RUN_PREDICT);
    *count = EXAMPLES * (size_t)shape_count(g->outputs[0]->shape);
    return interpreter_value(&it, g->outputs[0]);
}

/* The network without idle channels, which predicts as before; `damage` makes them idle. */
static Run *pruned(const char *text, void (*damage)(Run *)) {
    Run *whole = start_with_weights(text), *less = start_with_weights(text);
    damage(whole);
    damage(less);
    fold(less->graph);
    prune(less->graph);
    verify_graph(less->graph, "weights");
    size_t count, same_count;
    const double *expected = predict(whole, &count), *got = predict(less, &same_count);
    assert_int_equal(count, same_count);
    assert_true(largest(expected, count) > 0);
    assert_true(absolute_error(got, expected, count) < 1e-12 * largest(expected, count));
    stop(whole);
    return less;
}

static int channels_of(const Run *r, const char *layer_name) {
    for (int i = 0; i < r->graph->op_count; i++) {
        const Op *op = r->graph->ops[i];
        if (op->def->kernel_by_channel && !strcmp(op->layer->name, layer_name)) return last_dim(op->outputs[0]->shape);
    }
    fail_msg("'%s' is gone", layer_name);
    return 0;
}

/* ---- what goes ------------------------------------------------------------------------------------------------------------------ */

#define INPUT "network n\ninput 9x9x2 type=u8 scale=1/255\n"

static void never_above_zero(Run *r) {
    set_column(r, "a", 1, -1), set_bias(r, "a", 1, -0.01); /* zero for all bytes */
    set_column(r, "a", 2, -1), set_bias(r, "a", 2, 0.01);  /* above zero for black images */
}

static void relu_that_is_never_above_zero_goes(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nmax_pooling2d 2x2\nb = conv2d 3 3x3 padding=same\nflatten\nc = dense 2\n", never_above_zero);
    assert_int_equal(channels_of(r, "a"), 3);
    assert_int_equal(channels_of(r, "b"), 3);
    assert_int_equal(channels_of(r, "c"), 2);
    stop(r);
}

static void turned_images(Run *r) {
    set_column(r, "a", 1, 1), set_bias(r, "a", 1, -10);    /* zero for all bytes */
    set_column(r, "a", 2, -1), set_bias(r, "a", 2, -0.01); /* above zero for white images, which are below it */
}

/* An offset that padding has not stays with the input. */
static void inputs_may_be_below_zero(void **state) {
    (void)state;
    Run *r = pruned("network n\ninput 9x9x2 type=u8 scale=-1/255 offset=0.25\na = conv2d 4 3x3 padding=same activation=relu\nflatten\nc = dense 2\n", turned_images);
    assert_int_equal(channels_of(r, "a"), 3);
    stop(r);
}

static void constant(Run *r) { set_column(r, "a", 0, 0), set_column(r, "b", 2, 0); }

static void constants_go_into_biases(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 activation=gelu\naverage_pooling2d 2x2\nb = conv2d 3 2x2 activation=tanh\nflatten\nc = dense 2\n", constant);
    assert_int_equal(channels_of(r, "a"), 3);
    assert_int_equal(channels_of(r, "b"), 2);
    stop(r);
}

/* Zeros around a constant that is not zero: the next layer does not see the same everywhere. Without a bias it has no place to go. */
static void constants_stay_where_nothing_takes_them(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 activation=sigmoid\nb = conv2d 3 3x3 padding=same activation=tanh\nflatten\nc = dense 2 use_bias=false\n", constant);
    assert_int_equal(channels_of(r, "a"), 4);
    assert_int_equal(channels_of(r, "b"), 3);
    stop(r);
}

static void unread(Run *r) {
    clear_rows(r, "c", 1, 3);
    clear_rows(r, "b", 3, 4);
    set_column(r, "b", 1, 1); /* which reads channel 3 of a, but is not read itself */
}

static void what_nothing_reads_goes_and_what_it_reads_too(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 strides=2 activation=swish\nb = conv2d 3 2x2 activation=relu\nglobal_average_pooling2d\nc = dense 2\n", unread);
    assert_int_equal(channels_of(r, "b"), 2);
    assert_int_equal(channels_of(r, "a"), 3);
    stop(r);
}

static void read_by_one(Run *r) {
    clear_rows(r, "b", 0, 4), clear_rows(r, "b", 1, 4);
    clear_rows(r, "c", 1, 4), clear_rows(r, "c", 2, 4);
}

static void what_one_of_two_layers_reads_stays(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nb = conv2d 2 1x1\nc = conv2d 2 1x1 from a\nadd from b, c\n", read_by_one);
    assert_int_equal(channels_of(r, "a"), 3);
    stop(r);
}

static void all_zero(Run *r) {
    for (int i = 0; i < 4; i++) set_column(r, "a", i, 0);
}

/* A layer without any channel would be no layer; sums by element, groups of channels and outputs need all. */
static void one_channel_stays_and_so_does_what_others_read(void **state) {
    (void)state;
    Run *r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nb = conv2d 2 1x1\n", all_zero);
    assert_int_equal(channels_of(r, "a"), 1);
    stop(r);
    r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nb = conv2d 4 1x1 groups=2\n", all_zero);
    assert_int_equal(channels_of(r, "a"), 4);
    stop(r);
    r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nb = conv2d 4 1x1\nadd from a, b\n", all_zero);
    assert_int_equal(channels_of(r, "a"), 4);
    stop(r);
    r = pruned(INPUT "a = conv2d 4 3x3 activation=relu\nb = conv2d 4 1x1\noutput b, a\n", all_zero);
    assert_int_equal(channels_of(r, "a"), 4);
    stop(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_that_is_never_above_zero_goes),
        cmocka_unit_test(inputs_may_be_below_zero),
        cmocka_unit_test(constants_go_into_biases),
        cmocka_unit_test(constants_stay_where_nothing_takes_them),
        cmocka_unit_test(what_nothing_reads_goes_and_what_it_reads_too),
        cmocka_unit_test(what_one_of_two_layers_reads_stays),
        cmocka_unit_test(one_channel_stays_and_so_does_what_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
