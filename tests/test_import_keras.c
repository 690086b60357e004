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

#define TRAINED(compile) "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" INPUT "," DENSE("d", "2", "") "]},\"compile_config\":{\"optimizer\":\"sgd\",\"loss\":\"mse\"," compile "}}"

/* A weight of the only loss is an error, what can be left out is said. */
static void training(void **state) {
    (void)state;
    says(craft_with(TRAINED("\"loss_weights\":[0.5]"), NULL), 1, "error: loss_weights: [0.5] is not possible in cnnc|note: --no-compile leaves out how it was trained");
    says(craft_with(TRAINED("\"loss_weights\":0.5"), NULL), 1, "error: loss_weights: 0.5 is not possible in cnnc|note: --no-compile leaves out how it was trained");
    says(craft_with(TRAINED("\"loss_weights\":[1.0],\"weighted_metrics\":[\"mae\"]"), NULL), 0, "warning: compile: weighted_metrics are left out: cnnc's metrics count all examples alike");
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

/* All that cnnc has not, a line each. */
static void several(void **state) {
    (void)state;
    says(craft_with(SEQUENTIAL("{\"class_name\":\"Lambda\",\"config\":{\"name\":\"f\"}}," DENSE("d", "2", ",\"lora_rank\":4") ",{\"class_name\":\"Dot\",\"config\":{\"name\":\"g\"}}"), NULL), 1,
         "error: layer 'f': Lambda holds Python code, which is not run|error: layer 'd': lora_rank=4: cnnc's dense has no such option|error: layer 'g': there is no Dot in cnnc");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(training), cmocka_unit_test(metrics), cmocka_unit_test(several)};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
