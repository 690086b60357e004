/* What cnnc-import says of configurations of Keras: of how a model was trained, and of what cnnc has not. Built where cnnc-import is. */
#define _DEFAULT_SOURCE /* wait4 */
#include "test_import_craft.h"

#include <hdf5.h>

/* An .h5 of Keras 2, of layers without weights. */
static char *craft_old(const char *name, const char *config, const char *training) {
    const char *const configs[][2] = {{"keras_version", "2.15.0"}, {"model_config", config}, {"training_config", training}};
    char *path = in_folder(name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    for (int i = 0; i < 3 && configs[i][1]; i++) {
        H5Tset_size(type, strlen(configs[i][1]));
        hid_t attribute = H5Acreate2(file, configs[i][0], type, space, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(H5Awrite(attribute, type, configs[i][1]) >= 0);
        H5Aclose(attribute);
    }
    H5Tclose(type), H5Sclose(space), H5Fclose(file);
    return path;
}

/* What it says of a file, all of it but the file's name, which each line begins with; lines are joined by '|'. */
static void says(const char *file, int exited, const char *expected) {
    int status;
    size_t length = strlen(file);
    remove_outputs();
    char *said = import_file(file, NULL, &status), *lines = keep(calloc(strlen(said) + 1, 1)), *to = lines;
    for (const char *line = said, *end; *line; line = end + 1) {
        end = line + strcspn(line, "\n");
        bool named = !strncmp(line, file, length) && !strncmp(line + length, ": ", 2);
        const char *from = named ? line + length + 2 : line;
        to += sprintf(to, "%s%.*s", to > lines ? "|" : "", (int)(end - from), from);
        if (!*end) break;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != exited || strcmp(lines, expected)) fail_msg("%s: exit status %d: %s\nand not: %s", file, WEXITSTATUS(status), lines, expected);
}

/* Text of the description. */
static void writes(const char *expected) {
    const char *net = file_text(in_folder("o.net"), NULL);
    if (!strstr(net, expected)) fail_msg("%s\nand not: %s", net, expected);
}

/* ---- training ----------------------------------------------------------------------------------------------------------------------- */

#define TRAINED(compile) TRAINED_OF("", compile)
#define TRAINED_OF(options, compile) "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" INPUT "," DENSE("d", "2", options) "]},\"compile_config\":{\"optimizer\":\"sgd\",\"loss\":\"mse\"," compile "}}"

/* A weight of the only loss is an error, what can be left out is said. */
static void training(void **state) {
    (void)state;
    says(craft_with(TRAINED("\"loss_weights\":[0.5]"), NULL), 1, "error: loss_weights: [0.5] is not possible in cnnc|note: --no-compile leaves out how it was trained");
    says(craft_with(TRAINED("\"loss_weights\":0.5"), NULL), 1, "error: loss_weights: 0.5 is not possible in cnnc|note: --no-compile leaves out how it was trained");
    says(craft_with(TRAINED("\"loss_weights\":[1.0],\"weighted_metrics\":[\"mae\"]"), NULL), 0, "warning: compile: weighted_metrics are left out: cnnc's metrics count all examples alike");
    says(craft_with(TRAINED_OF(",\"trainable\":false", "\"metrics\":[\"mae\"]"), NULL), 0, "note: all weights are frozen: how it was trained is left out");
    says(craft_old("old.h5", FUNCTIONAL(LAYER("a", "Dropout", "\"rate\":0.5", "[[[\"x\",0,0,{\"training\":false}]]]"), "a"), NULL), 0,
         "warning: layer 'a': is called with training=false, which is left out: in training, cnnc's layers train");
}

/* Two outputs, b before a. */
#define TWO LAYER("a", "ReLU", "", TENSOR("x")) "," LAYER("b", "Softmax", "", TENSOR("x"))
#define LEFT_OUT "warning: compile: metrics are left out: cnnc has one for each output, and "

/* Metrics go with their outputs, however they are given; there is one for each output, or none. */
static void metrics(void **state) {
    (void)state;
    static const struct { const char *given, *said, *written; } cases[] = {
        {"{\"a\":[\"mae\"],\"b\":[\"accuracy\"]}", "", " metrics=accuracy,mean_absolute_error\n"}, {"{\"a\":\"mae\",\"b\":\"accuracy\"}", "", " metrics=accuracy,mean_absolute_error\n"},
        {"[[\"accuracy\"],[\"mae\"]]", "", " metrics=accuracy,mean_absolute_error\n"}, {"[\"accuracy\",\"mae\"]", "", " metrics=accuracy,mean_absolute_error\n"},
        {"[[\"mae\"],[\"mae\"]]", "", " metrics=mean_absolute_error,mean_absolute_error\n"}, {"[\"mae\",\"mae\"]", "", " metrics=mean_absolute_error,mean_absolute_error\n"},
        {"[\"mae\"]", "", " metrics=mean_absolute_error,mean_absolute_error\n"}, {"\"mae\"", "", " metrics=mean_absolute_error,mean_absolute_error\n"},
        {"{\"b\":[\"accuracy\"]}", LEFT_OUT "'a' has none", " loss=mean_squared_error\n"}, {"[[\"accuracy\"],[]]", LEFT_OUT "'a' has none", " loss=mean_squared_error\n"},
        {"[null,\"mae\"]", LEFT_OUT "'b' has none", " loss=mean_squared_error\n"}, {"{\"a\":[\"mae\"],\"b\":[\"accuracy\",\"mse\"]}", LEFT_OUT "'b' has several", " loss=mean_squared_error\n"},
        {"[[\"mae\"],[\"F1Score\",\"mae\"]]", "warning: compile: metrics=F1Score: there is no such in cnnc", " metrics=mean_absolute_error,mean_absolute_error\n"},
        {"[\"F1Score\"]", "warning: compile: metrics=F1Score: there is no such in cnnc", " loss=mean_squared_error\n"}, {"[[],[]]", "", " loss=mean_squared_error\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        says(craft_with(text(FUNCTIONAL_OF("[\"x\",0,0]", TWO, "[[\"b\",0,0],[\"a\",0,0]]") ",\"compile_config\":{\"optimizer\":\"sgd\",\"loss\":\"mse\",\"metrics\":%s}}", cases[i].given), NULL), 0, cases[i].said);
        writes("\noutput b,a\n");
        writes(cases[i].written);
    }
    says(craft_old("two.h5", FUNCTIONAL_OF("[[\"x\",0,0]]", TWO, "[[\"b\",0,0],[\"a\",0,0]]") "}", "{\"optimizer_config\":\"sgd\",\"loss\":\"mse\",\"metrics\":[\"mae\",\"mse\"]}"), 0, LEFT_OUT "'b' has several");
    says(craft_with(TRAINED("\"metrics\":[[\"mae\",\"mae\"]]"), NULL), 0, "");
    writes(" metrics=mean_absolute_error\n");
}

/* ---- what cnnc has not -------------------------------------------------------------------------------------------------------------- */

#define WITHOUT_COMPILE "|note: --no-compile leaves out how it was trained"

/* All of it, a line each. */
static void several(void **state) {
    (void)state;
    says(craft_with(SEQUENTIAL("{\"class_name\":\"Lambda\",\"config\":{\"name\":\"f\"}}," DENSE("d", "2", ",\"lora_rank\":4") ",{\"class_name\":\"Dot\",\"config\":{\"name\":\"g\"}}"), NULL), 1,
         "error: layer 'f': Lambda holds Python code, which is not run|error: layer 'd': lora_rank=4: cnnc's dense has no such option|error: layer 'g': there is no Dot in cnnc");
    static const char compile[] = ",\"compile_config\":{\"optimizer\":\"ftrl\",\"loss\":[\"Dice\",\"Circle\"],\"loss_weights\":2,\"metrics\":[[\"F1Score\"]]}}";
    static const char all[] = "error: compile_config: loss=Dice: there is no such in cnnc|error: compile_config: loss=Circle: there is no such in cnnc|error: optimizer: there is no ftrl in cnnc|"
                              "error: loss_weights: 2 is not possible in cnnc|warning: compile: metrics=F1Score: there is no such in cnnc";
    says(craft_with(text(FUNCTIONAL_OF("[\"x\",0,0]", TWO, "[[\"b\",0,0],[\"a\",0,0]]") "%s", compile), NULL), 1, text("%s" WITHOUT_COMPILE, all));
    says(craft_with(text(FUNCTIONAL_OF("[\"x\",0,0]", TWO "," LAYER("c", "Dot", "", TENSOR("x")), "[[\"b\",0,0],[\"a\",0,0]]") "%s", compile), NULL), 1, text("error: layer 'c': there is no Dot in cnnc|%s", all));
}

#define CELL(options) "{\"class_name\":\"LSTM\",\"config\":{\"name\":\"l\",\"units\":2" options "}}"
#define TWO_CALLS "[[[\"x\",0,0,{}]],[[\"x\",0,0,{}]]]"
#define INNER(layer) "{\"name\":\"m\",\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" LAYER("i", "InputLayer", "\"batch_shape\":[null,3]", "[]") "," layer \
    "],\"input_layers\":[\"i\",0,0],\"output_layers\":[\"o\",0,0]},\"inbound_nodes\":" TWO_CALLS "}"

/* Of a dense layer without a bias in a model. */
static char *craft_weights(void) {
    char *path = in_folder("inner.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), link = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(2, (hsize_t[]){3, 2}, NULL);
    H5Pset_create_intermediate_group(link, 1);
    hid_t data = H5Dcreate2(file, "layers/functional/layers/dense/vars/0", H5T_IEEE_F32LE, space, link, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, (float[6]){0}) >= 0);
    H5Dclose(data), H5Sclose(space), H5Pclose(link), H5Fclose(file);
    return path;
}

/* What it says of layers. */
static void layers(void **state) {
    (void)state;
    static const struct { const char *config, *said; } cases[] = {
        {SEQUENTIAL("{\"class_name\":\"Bidirectional\",\"config\":{\"name\":\"both\",\"merge_mode\":\"concat\",\"layer\":" CELL(",\"return_sequences\":true") "}}"),
         "layer 'both': return_sequences=true: a Bidirectional is possible in cnnc where it gives its last state"},
        {SEQUENTIAL(DENSE("d", "2", ",\"dropout\":0.20000000000000001,\"rates\":[0.1,30]")), "layer 'd': dropout=0.2: cnnc's dense has no such option|error: layer 'd': rates=[0.1,30]: cnnc's dense has no such option"},
        {FUNCTIONAL_OF("[\"x\",0,0]", INNER(LAYER("o", "ReLU", "", TENSOR("i"))), "[[\"m\",0,0],[\"m\",1,0]]") "}", "there is no output 'm'"},
        {SEQUENTIAL("{\"class_name\":\"Own>Tanh\",\"config\":{\"name\":\"t\",\"dtype\":\"float32\"}}"), "layer 't': there is no Tanh in cnnc"},
        {FUNCTIONAL_OF("{\"p\":[\"x\",0,0]}", TWO, "{\"a\":[\"a\",0,0],\"b\":[[\"b\",0,0]]}") "}", "a model's output_layers cannot be read"},
        {FUNCTIONAL_OF("{}", TWO, "{\"a\":[\"a\",0,0]}") "}", "a model's input_layers cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) says(craft_with(cases[i].config, NULL), 1, text("error: %s", cases[i].said));
    says(craft_with(FUNCTIONAL_OF("[\"x\",0,0]", INNER(LAYER("o", "Dense", "\"units\":2,\"use_bias\":false", TENSOR("i"))), "[[\"m\",1,0],[\"m\",2,0]]") "}", craft_weights()), 1,
         "error: layer 'm': is called 2 times: cnnc's layers do not share weights");
}

/* What cnnc says to the description, which is not there then: with the layer's name in Keras. */
static void refused_by_cnnc(void **state) {
    (void)state;
    says(craft_with(SEQUENTIAL("{\"class_name\":\"Reshape\",\"config\":{\"name\":\"reshape_7\",\"target_shape\":[7]}}"), NULL), 1,
         text("note: of the description that would be written:|%s:4:9: error: 7 has 7 elements, its input 3 has 3|    reshape 7  # layer 'reshape_7'|            ^|"
              "%s:3:1: note: 3 is the shape of 'x', declared here|    x = input 3  # input 'x'|    ^|error: cnnc does not take this network, for the reasons above", in_folder("o.net"), in_folder("o.net")));
    assert_false(is_there("o.net"));
}

/* ---- what is taken ------------------------------------------------------------------------------------------------------------------- */

/* Outputs are named by their keys, and have these's order; losses and metrics go by them. */
static void dictionaries(void **state) {
    (void)state;
    says(craft_with(FUNCTIONAL_OF("{\"p\":[\"x\",0,0]}", TWO, "{\"v\":[\"a\",0,0],\"u\":[\"b\",0,0]}") ",\"compile_config\":{\"optimizer\":\"sgd\",\"loss\":{\"v\":\"mse\",\"u\":\"mae\"},\"metrics\":{\"v\":\"mae\",\"u\":\"accuracy\"}}}", NULL), 0, "");
    writes("\noutput b,a\n");
    writes(" loss=mean_absolute_error,mean_squared_error metrics=accuracy,mean_absolute_error\n");
}

/* An input of another type than float32 is one of float32: only layers compute. */
static void types(void **state) {
    (void)state;
    says(craft_with("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,3],\"name\":\"x\",\"dtype\":\"float64\"}}," DENSE("d", "2", ",\"dtype\":\"float32\"") "]}}", NULL), 0, "");
    writes("x = input  3\n");
}

/* Two layers whose names are one in cnnc. */
static void numbered(void **state) {
    (void)state;
    says(craft_with(SEQUENTIAL("{\"class_name\":\"ReLU\",\"config\":{\"name\":\"a-b\"}},{\"class_name\":\"ReLU\",\"config\":{\"name\":\"a_b\"}}"), NULL), 0, "note: 'a_b' becomes a_b_1: another layer has the name");
    writes("\na_b_1 = relu\n");
}

/* Names that people give to inputs stay; Keras's own say nothing. */
static void inputs(void **state) {
    (void)state;
    static const char *const names[][2] = {{"input_ids", "input_ids = input"}, {"input_1x", "input_1x = input"}, {"input_", "input_ = input"}, {"inputs", "inputs = input"},
                                           {"input_7", "\ninput"}, {"input_layer", "\ninput"}, {"input_layer_12", "\ninput"}, {"input", "\ninput"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *config = text("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":[{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,3],\"name\":\"%s\"}}," DENSE("d", "2", "") "]}}", names[i][0]);
        says(craft_with(config, NULL), 0, "");
        writes(names[i][1]);
    }
}

/* What a struct of C or C++ cannot be called. */
static void network_names(void **state) {
    (void)state;
    static const char *const names[][2] = {{"std", "network a_std\n"}, {"uint_fast8_t", "network a_uint_fast8_t\n"}, {"cnnc_net", "network a_cnnc_net\n"}, {"mine", "network mine\n"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        says(craft_with(text("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"%s\",\"layers\":[" INPUT "," DENSE("size_t", "2", "") "]}}", names[i][0]), NULL), 0, "");
        writes(names[i][1]);
        writes("\nsize_t = dense");
    }
}

/* Of all axes together; Keras saves axis=None as a list of none. */
static void one_mean(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        says(craft_with(text("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":[" INPUT ",{\"class_name\":\"Normalization\",\"config\":{\"name\":\"n\",\"axis\":%s,\"mean\":0.5,\"variance\":2}}]}}", i ? "[]" : "null"), NULL), 0, "");
        writes("normalization  mean=0.5 variance=2");
    }
}

/* Files without the bytes that tell what they are: the ending does. */
static void endings(void **state) {
    (void)state;
    static const struct { const char *name, *bytes, *said; } cases[] = {
        {"empty.keras", "", "cannot be read: it is no whole zip"}, {"short.keras", "P", "cannot be read: it is no whole zip"},
        {"empty.h5", "", "is no whole HDF5 file"}, {"short.h5", "\x89", "is no whole HDF5 file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *file = fopen(in_folder(cases[i].name), "wb");
        assert_non_null(file);
        fputs(cases[i].bytes, file);
        assert_int_equal(fclose(file), 0);
        says(in_folder(cases[i].name), 1, text("error: %s", cases[i].said));
    }
}

/* By the command, as programs ask for it: an object a line, of what is said at once and of what cnnc says to the description. */
static void as_json(void **state) {
    (void)state;
    static const char *const configs[] = {
        SEQUENTIAL("{\"class_name\":\"Dot\",\"config\":{\"name\":\"g\"}}"), SEQUENTIAL("{\"class_name\":\"Reshape\",\"config\":{\"name\":\"r\",\"target_shape\":[7]}}"),
    };
    static const char *const words[] = {"{\"kind\":\"error\",\"message\":\"layer 'g': there is no Dot in cnnc\",\"locations\":[{\"caret\":{\"file\":\"", "{\"kind\":\"error\",\"message\":\"7 has 7 elements, its input 3 has 3\","};
    for (int i = 0; i < 2; i++) {
        const char *command = text("%s import %s -o %s --diagnostics-format=json 2>%s", CNNC_COMMAND, craft_with(configs[i], NULL), in_folder("o.net"), in_folder("said"));
        assert_int_equal(system(command) >> 8, 1);
        const char *said = file_text(in_folder("said"), NULL);
        if (!strstr(said, words[i])) fail_msg("%s", said);
        for (const char *line = said; *line; line = strchr(line, '\n') + 1) assert_int_equal(*line, '{');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(training), cmocka_unit_test(metrics), cmocka_unit_test(several), cmocka_unit_test(layers), cmocka_unit_test(refused_by_cnnc), cmocka_unit_test(dictionaries), cmocka_unit_test(types), cmocka_unit_test(numbered), cmocka_unit_test(inputs), cmocka_unit_test(network_names), cmocka_unit_test(one_mean), cmocka_unit_test(endings), cmocka_unit_test(as_json)};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
