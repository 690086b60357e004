/* test_build.c: what build makes of correct statements: names, shapes, parameters, connections, settings. What it says
 * about wrong ones is in golden/errors. */
#define _XOPEN_SOURCE 700
#include "test_network.h"

/* ---- names --------------------------------------------------------------------------------------------------------- */

static void unnamed_layers_are_numbered(void **state) {
    (void)state;
    Run *r = start_built("input 9x9x1\nconv2d 2 2x2\nconv2d 2 2x2\nmine = conv2d 2 2x2\nconv2d 2 2x2\nrelu\nflatten\nrelu\n");
    static const char *const names[] = {"input", "conv2d", "conv2d_1", "mine", "conv2d_2", "relu", "flatten", "relu_1"};
    assert_int_equal(r->graph->layer_count, LENGTH(names));
    for (int i = 0; i < LENGTH(names); i++) assert_string_equal(r->graph->layers[i]->name, names[i]);
    stop(r);
}

static void a_taken_name_is_skipped(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense = relu\ndense 3\n");
    assert_string_equal(r->graph->layers[2]->name, "dense_1");
    stop(r);
}

static void layers_may_be_called_like_tensors(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense 3 activation=relu\ndense_relu = dense 2\ndense_out = dense 2\ndense_kernel = dense 2\n");
    for (int i = 0; i < r->graph->tensor_count; i++)
        for (int k = 0; k < i; k++) assert_string_not_equal(r->graph->tensors[i]->name, r->graph->tensors[k]->name);
    stop(r);
}

static void the_network_has_a_name(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"mnist.net", "mnist"}, {"/some/where/lenet_5.net", "lenet_5"}, {"a.b.net", "a"}, {"2nd.net", "net"}, {"my-net.net", "net"},
        {"double.net", "net"},  {"<stdin>", "net"},                     {"cnnc.net", "net"}, {"cnnc_x.net", "net"}, {".net", "net"},
        {"SIZE_MAX.net", "net"}, {"std.net", "net"}, {"uint_fast8_t.net", "net"}, {"int_t.net", "int_t"}, {"integer.net", "integer"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Run *r = start("input 4\n");
        r->source.name = cases[i][0];
        assert_true(build(r->arena, &r->description, &r->diag, &r->graph));
        assert_string_equal(r->graph->name, cases[i][1]);
        stop(r);
    }
    Run *r = start_built("network given\ninput 4\n");
    assert_string_equal(r->graph->name, "given");
    stop(r);
}

/* ---- shapes -------------------------------------------------------------------------------------------------------- */

static void windows_have_keras_shapes(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"28x28x1", "conv2d 32 3x3", "26x26x32"},
        {"28x28x1", "conv2d 32 3x3 padding=same", "28x28x32"},
        {"28x28x1", "conv2d 8 5 strides=2", "12x12x8"},
        {"28x27x1", "conv2d 8 5 strides=2 padding=same", "14x14x8"},
        {"9x10x3", "conv2d 4 3x2 strides=2x3", "4x3x4"},
        {"9x10x3", "conv2d 4 2x3 dilation_rate=2x3", "7x4x4"},
        {"9x10x3", "conv2d 4 7x7 padding=same", "9x10x4"},
        {"3x3x2", "conv2d 1 3x3", "1x1x1"},
        {"9x10x3", "max_pooling2d", "4x5x3"},
        {"9x10x3", "max_pooling2d 3x2", "3x5x3"},
        {"9x10x3", "max_pooling2d 2 padding=same", "5x5x3"},
        {"9x10x3", "max_pooling2d 3 strides=1", "7x8x3"},
        {"9x10x3", "average_pooling2d 2 padding=same strides=4", "3x3x3"},
        {"9x10x3", "flatten", "270"},
        {"9x10x3", "dense 7", "9x10x7"},
        {"5", "dense 7", "7"},
        {"2x3x4x5x6x7", "dense 2", "2x3x4x5x6x2"},
        {"9x10x3", "softmax", "9x10x3"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "input %s\nlast = %s\n", cases[i][0], cases[i][1]);
        Run *r = start_built(text);
        assert_shape(layer(r, "last")->output->shape, cases[i][2]);
        assert_shape(r->graph->outputs[0]->shape, cases[i][2]);
        stop(r);
    }
}

static void merges_have_shapes(void **state) {
    (void)state;
    Run *r = start_built("a = input 4x3x2\nb = input 4x3x2\nc = input 4x5x2\nsum = add from a, b, a\nc1 = concatenate from a, b, sum\n"
                         "c2 = concatenate axis=2 from a, c\nc3 = concatenate axis=-2 from c, a\nc4 = concatenate axis=1 from a, b\noutput c1, c2, c3, c4\n");
    assert_shape(layer(r, "sum")->output->shape, "4x3x2");
    assert_shape(layer(r, "c1")->output->shape, "4x3x6");
    assert_shape(layer(r, "c2")->output->shape, "4x8x2");
    assert_shape(layer(r, "c3")->output->shape, "4x8x2");
    assert_shape(layer(r, "c4")->output->shape, "8x3x2");
    stop(r);
}

static void counts_do_not_overflow(void **state) {
    (void)state;
    assert_int_equal(shape_count((Shape){.rank = 0}), 1);
    assert_int_equal(shape_count(shape3(28, 28, 3)), 2352);
    assert_true(shape_count(shape4(65536, 65536, 65536, 65536)) == INT64_MAX);
    assert_false(shape_equal(shape2(2, 3), shape3(2, 3, 1)));
    assert_false(shape_equal(shape2(2, 3), shape2(3, 2)));
    assert_true(shape_equal(shape2(2, 3), shape2(2, 3)));
}

/* ---- parameters ---------------------------------------------------------------------------------------------------- */

static int64_t parameter_total(const Run *r) {
    int64_t n = 0;
    for (int i = 0; i < r->graph->parameter_count; i++) n += shape_count(r->graph->parameters[i]->shape);
    return n;
}

static void the_notebook_has_93322_parameters(void **state) {
    (void)state;
    static const char trunk[] = "input 28x28x1\nconv2d 32 3x3 activation=relu\nmax_pooling2d 2x2\nconv2d 64 3x3 activation=relu\nmax_pooling2d 2x2\n"
                                "conv2d 64 3x3 activation=relu\n";
    char whole[1000];
    snprintf(whole, sizeof whole, "%sflatten\ndense 64 activation=relu\ndense 10 activation=softmax\n", trunk);
    Run *r = start_built(trunk);
    assert_int_equal(parameter_total(r), 55744);
    stop(r);
    r = start_built(whole);
    assert_int_equal(parameter_total(r), 93322);
    stop(r);
}

static void parameters_are_in_keras_layout(void **state) {
    (void)state;
    Run *r = start_built("input 9x9x3\nconv2d 4 2x5\nflatten\ndense 6 use_bias=false trainable=false\ndense 2 kernel_initializer=he_normal(seed=3)\n");
    static const char *const names[][2] = {{"conv2d", "kernel"}, {"conv2d", "bias"}, {"dense", "kernel"}, {"dense_1", "kernel"}, {"dense_1", "bias"}};
    assert_int_equal(r->graph->parameter_count, LENGTH(names));
    for (int i = 0; i < LENGTH(names); i++) {
        assert_ptr_equal(r->graph->parameters[i], parameter(r, names[i][0], names[i][1]));
        assert_int_equal(r->graph->parameters[i]->index, i);
    }
    const Tensor *kernel = parameter(r, "conv2d", "kernel");
    assert_shape(kernel->shape, "2x5x3x4");
    assert_int_equal(kernel->fan_in, 2 * 5 * 3);
    assert_int_equal(kernel->fan_out, 2 * 5 * 4);
    assert_string_equal(kernel->initializer->word, "glorot_uniform");
    assert_true(kernel->trainable);
    assert_shape(parameter(r, "conv2d", "bias")->shape, "4");
    assert_string_equal(parameter(r, "conv2d", "bias")->initializer->word, "zeros");
    assert_shape(parameter(r, "dense", "kernel")->shape, "160x6");
    assert_false(parameter(r, "dense", "kernel")->trainable);
    assert_string_equal(parameter(r, "dense_1", "kernel")->initializer->word, "he_normal");
    stop(r);
}

/* ---- connections --------------------------------------------------------------------------------------------------- */

static void layers_follow_each_other_or_from(void **state) {
    (void)state;
    Run *r = start_built("a = input 4\nb = dense 3\nc = dense 3 from a\nd = add from c, b\ne = relu\noutput d, e\n");
    assert_ptr_equal(layer(r, "b")->inputs[0], layer(r, "a")->output);
    assert_ptr_equal(layer(r, "c")->inputs[0], layer(r, "a")->output);
    assert_ptr_equal(layer(r, "d")->inputs[0], layer(r, "c")->output);
    assert_ptr_equal(layer(r, "d")->inputs[1], layer(r, "b")->output);
    assert_ptr_equal(layer(r, "e")->inputs[0], layer(r, "d")->output);
    assert_int_equal(r->graph->output_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(r->graph->outputs[i]->role, ROLE_OUTPUT);
        assert_int_equal(r->graph->outputs[i]->index, i);
    }
    assert_ptr_equal(r->graph->outputs[1]->producer->inputs[0], layer(r, "e")->output);
    assert_int_equal(r->diag.warnings, 0);
    stop(r);
}

static void inputs_have_types(void **state) {
    (void)state;
    Run *r = start_built("a = input 4 type=u8 scale=1/255 offset=-0.5\nb = input 4\nadd from a, b\n");
    assert_int_equal(r->graph->input_count, 2);
    assert_int_equal(r->graph->inputs[0]->type, TYPE_U8);
    assert_int_equal(r->graph->inputs[1]->type, TYPE_REAL);
    assert_int_equal(layer(r, "a")->output->type, TYPE_REAL);
    assert_int_equal(layer(r, "a")->attributes[2].real * 255, 1);
    stop(r);
}

static void a_layer_is_bias_and_activation_too(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense 3 activation=tanh\ndense 3 use_bias=false activation=linear\n");
    const Op *activation = layer(r, "dense")->output->producer, *bias = activation->inputs[0]->producer;
    assert_string_equal(activation->def->call.name, "tanh");
    assert_string_equal(bias->def->call.name, "bias_add");
    assert_string_equal(bias->inputs[0]->producer->def->call.name, "dense");
    assert_string_equal(layer(r, "dense_1")->output->producer->def->call.name, "dense");
    stop(r);
}

/* ---- compile and fit ----------------------------------------------------------------------------------------------- */

static void without_compile_there_is_no_loss(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense 3\n");
    assert_null(r->graph->loss);
    assert_null(r->graph->optimizer);
    assert_int_equal(r->graph->total_count, 0);
    assert_int_equal(r->graph->target_count, 0);
    assert_int_equal(r->graph->epochs, 1);
    assert_int_equal(r->graph->batch_size, 32);
    assert_true(r->graph->shuffle);
    stop(r);
}

static void fit_is_taken_over(void **state) {
    (void)state;
    Run *r = start_built("fit epochs=7 batch_size=128 shuffle=false seed=42\ninput 4\ndense 3\ncompile loss=mse\n");
    assert_int_equal(r->graph->epochs, 7);
    assert_int_equal(r->graph->batch_size, 128);
    assert_false(r->graph->shuffle);
    assert_int_equal(r->graph->seed, 42);
    assert_string_equal(r->graph->optimizer->call.name, "rmsprop");
    stop(r);
}

static void losses_make_their_targets(void **state) {
    (void)state;
    static const struct { const char *output, *loss; Type type; const char *shape; int classes; const char *op; } cases[] = {
        {"dense 5 activation=softmax", "categorical_crossentropy", TYPE_REAL, "5", 5, "categorical_crossentropy_logits"},
        {"dense 5 activation=sigmoid", "categorical_crossentropy", TYPE_REAL, "5", 5, "categorical_crossentropy_logits"},
        {"dense 5 activation=relu", "categorical_crossentropy", TYPE_REAL, "5", 5, "categorical_crossentropy"},
        {"dense 5", "categorical_crossentropy(from_logits=true)", TYPE_REAL, "5", 5, "categorical_crossentropy_logits"},
        {"dense 5 activation=softmax", "sparse_categorical_crossentropy", TYPE_I32, "1", 5, "sparse_categorical_crossentropy_logits"},
        {"softmax", "sparse_categorical_crossentropy", TYPE_I32, "1", 4, "sparse_categorical_crossentropy_logits"},
        {"dense 5", "mse", TYPE_REAL, "5", 0, "mean_squared_error"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        char text[300];
        snprintf(text, sizeof text, "input 4\ndense 4\n%s\ncompile loss=%s metrics=accuracy\n", cases[i].output, cases[i].loss);
        Run *r = start_built(text);
        assert_int_equal(r->graph->target_count, 1);
        assert_int_equal(r->graph->targets[0]->type, cases[i].type);
        assert_shape(r->graph->targets[0]->shape, cases[i].shape);
        assert_int_equal(r->graph->targets[0]->classes, cases[i].classes);
        assert_int_equal(r->graph->total_count, 2);
        assert_string_equal(r->graph->totals[0]->producer->def->call.name, cases[i].op);
        assert_string_equal(r->graph->totals[1]->producer->def->call.name, "accuracy");
        stop(r);
    }
}

static void metrics_keep_their_order(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense 5\ncompile loss=mse metrics=(mae,mse,accuracy)\n");
    static const char *const names[] = {"mean_absolute_error", "mean_squared_error", "accuracy"};
    assert_int_equal(r->graph->total_count, 1 + LENGTH(names));
    for (int i = 0; i < LENGTH(names); i++) {
        assert_string_equal(r->graph->metrics[i], names[i]);
        assert_int_equal(r->graph->totals[1 + i]->index, 1 + i);
    }
    assert_int_equal(r->graph->target_count, 1);
    stop(r);
}

static void metrics_of_a_name_are_counted(void **state) {
    (void)state;
    Run *r = start_built("input 4\ndense 5\ncompile loss=binary_crossentropy metrics=(precision,recall,precision(0.9),recall(0.2),precision(0.1))\n");
    static const char *const names[] = {"precision", "recall", "precision_1", "recall_1", "precision_2"};
    assert_int_equal(r->graph->total_count, 1 + LENGTH(names));
    for (int i = 0; i < LENGTH(names); i++) assert_string_equal(r->graph->metrics[i], names[i]);
    stop(r);
}

/* ---- size ---------------------------------------------------------------------------------------------------------- */

static void thousands_of_layers_are_no_trouble(void **state) {
    (void)state;
    StrBuf text = {0};
    strbuf_add(&text, "input 4\n");
    for (int i = 0; i < 5000; i++) strbuf_add(&text, "relu\n");
    Run *r = start_built(text.text);
    assert_string_equal(r->graph->layers[5000]->name, "relu_4999");
    assert_int_equal(r->graph->op_count, 5002);
    stop(r);
    strbuf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unnamed_layers_are_numbered),
        cmocka_unit_test(a_taken_name_is_skipped),
        cmocka_unit_test(layers_may_be_called_like_tensors),
        cmocka_unit_test(the_network_has_a_name),
        cmocka_unit_test(windows_have_keras_shapes),
        cmocka_unit_test(merges_have_shapes),
        cmocka_unit_test(counts_do_not_overflow),
        cmocka_unit_test(the_notebook_has_93322_parameters),
        cmocka_unit_test(parameters_are_in_keras_layout),
        cmocka_unit_test(layers_follow_each_other_or_from),
        cmocka_unit_test(inputs_have_types),
        cmocka_unit_test(a_layer_is_bias_and_activation_too),
        cmocka_unit_test(without_compile_there_is_no_loss),
        cmocka_unit_test(fit_is_taken_over),
        cmocka_unit_test(losses_make_their_targets),
        cmocka_unit_test(metrics_keep_their_order), cmocka_unit_test(metrics_of_a_name_are_counted),
        cmocka_unit_test(thousands_of_layers_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
