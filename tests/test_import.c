/* What cnnc-import makes of models that Keras saved (import/make_models.py): the description, in full, and that cnnc's interpreter computes
 * from the weights what Keras did. Built where cnnc-import is. */
#define _DEFAULT_SOURCE /* wait4 */
#include "test_import.h"

#include "commands/interpret.h"

#include <math.h>

static const double TOLERANCE = 1e-5; /* of the largest output */

/* ---- what the network computes ------------------------------------------------------------------------------------------------ */

static cnnc_safetensors open_tensors(const char *path) {
    cnnc_safetensors file;
    cnnc_error error = {0};
    if (cnnc_safetensors_read(path, &file, &error) != CNNC_OK) fail_msg("%s", error.text);
    return file;
}

/* Numbers of a tensor, which must have as many. */
static void take(const cnnc_safetensors *file, const char *name, double *to, size_t count) {
    cnnc_error error = {0};
    const cnnc_safetensor *t = cnnc_safetensors_find(file, name);
    if (!t) fail_msg("there is no tensor %s", name);
    assert_int_equal(t->array.count, count);
    if (cnnc_array_convert(&t->array, 0, count, CNNC_F64, to, &error) != CNNC_OK) fail_msg("%s", error.text);
}

static char *numbered(const char *what, int i) { return i ? text("%s_%d", what, i) : text("%s", what); }

static void compare(const Graph *g, const cnnc_safetensors *reference, const cnnc_safetensors *weights, int n) {
    Interpreter it = interpreter_new(g, n);
    for (int i = 0; i < g->parameter_count; i++)
        take(weights, weight_path(g->arena, g->parameters[i]), interpreter_value(&it, g->parameters[i]), (size_t)shape_count(g->parameters[i]->shape));
    for (int i = 0; i < g->input_count; i++)
        take(reference, numbered("input", i), interpreter_value(&it, g->inputs[i]), (size_t)n * (size_t)shape_count(g->inputs[i]->shape));
    interpret(&it, RUN_PREDICT);
    for (int i = 0; i < g->output_count; i++) {
        size_t count = (size_t)n * (size_t)shape_count(g->outputs[i]->shape);
        double *expected = malloc(count * sizeof *expected);
        assert_non_null(expected);
        take(reference, numbered("output", i), expected, count);
        double error = relative_error(interpreter_value(&it, g->outputs[i]), expected, count);
        if (!(error < TOLERANCE)) fail_msg("output %d of %s is %g of the largest away", i, g->name, error);
        free(expected);
    }
}

static void check_outputs(const char *model) {
    Compilation c;
    cnnc_safetensors reference = open_tensors(text(MODELS "/%s.safetensors", model)), weights = open_tensors(in_folder("o.safetensors"));
    compilation_init(&c, false);
    assert_int_equal(compile(&c, in_folder("o.net"), "build", NULL, NULL), EXIT_FINE);
    const char *said = c.diag.out.text ? c.diag.out.text : "";
    const char *warning = strstr(said, "warning: "); /* Keras warns of a sigmoid before a loss of logits, too */
    if (strcmp(model, "keras2_adam.h5")) assert_string_equal(said, "");
    else assert_true(warning && strstr(warning, "is to take logits") && !strstr(warning + 1, "warning: ") && !strstr(said, "error: "));
    assert_int_equal(reference_examples(text(MODELS "/%s.safetensors", model)), 3);
    compare(c.graph, &reference, &weights, 3);
    compilation_free(&c);
    cnnc_safetensors_free(&reference);
    cnnc_safetensors_free(&weights);
}

/* ---- models --------------------------------------------------------------------------------------------------------------------- */

/* CNNC_UPDATE_GOLDEN=1 writes the descriptions that are expected. */
static void import_model(const char *model) {
    int status;
    remove_outputs();
    char *said = import_file(text(MODELS "/%s", model), NULL, &status), *expected = text(MODELS "/%s.net", model);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("%s: %s", model, said);
    if (getenv("CNNC_UPDATE_GOLDEN")) assert_int_equal(system(text("cp %s %s", in_folder("o.net"), expected)), 0);
    assert_same_files(in_folder("o.net"), expected);
    check_outputs(model);
}

static void all_models(void **state) {
    (void)state;
    static const char *const models[] = {
        "convolutions.keras", "keras2_convolutions.h5", "sequences.keras", "keras2_sequences.h5", "normalizations.keras", "functional.keras", "functional.h5",
        "keras2_functional.h5", "activations.keras", "operations.keras", "options.keras", "adam.keras", "adamax.keras", "nadam.keras", "adagrad.keras", "adadelta.keras", "lion.keras",
        "rmsprop.keras", "keras2_adam.h5", "keras2_legacy_sgd.h5",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) import_model(models[i]);
}

/* By the command, as a user would, and the generated code. */
static void import_and_predict(void **state) {
    (void)state;
    cnnc_error error = {0};
    cnnc_array y;
    char *net = in_folder("o.net"), *weights = in_folder("o.safetensors"), *x_path = in_folder("x.npy"), *y_path = in_folder("y.npy");
    cnnc_safetensors reference = open_tensors(MODELS "/convolutions.keras.safetensors");
    remove_outputs();
    cnnc_says(text("import " MODELS "/convolutions.keras -o %s --weights %s", net, weights), EXIT_FINE);
    assert_int_equal(cnnc_npy_write(x_path, &cnnc_safetensors_find(&reference, "input")->array, &error), CNNC_OK);
    cnnc_says(text("predict %s --weights %s --input %s -o %s", net, weights, x_path, y_path), EXIT_FINE);
    assert_int_equal(cnnc_npy_read(y_path, &y, &error), CNNC_OK);
    double expected[3 * 7], got[3 * 7];
    assert_int_equal(y.count, 3 * 7);
    assert_int_equal(cnnc_array_convert(&y, 0, y.count, CNNC_F64, got, &error), CNNC_OK);
    take(&reference, "output", expected, y.count);
    assert_true(relative_error(got, expected, y.count) < TOLERANCE);
    cnnc_array_free(&y);
    cnnc_safetensors_free(&reference);
}

static void without_training(void **state) {
    (void)state;
    int status;
    remove_outputs();
    import_file(MODELS "/adam.keras", "--no-compile", &status);
    assert_int_equal(status, 0);
    assert_null(strstr(file_text(in_folder("o.net"), NULL), "compile"));
}

/* A link to the weights stays one, and what it leads to keeps its permissions. */
static void weights_are_replaced(void **state) {
    (void)state;
    int exited;
    struct stat status;
    char *link = in_folder("o.safetensors"), *file = in_folder("meant.safetensors");
    remove_outputs();
    assert_int_equal(close(open(file, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(symlink("meant.safetensors", link), 0);
    import_file(MODELS "/adam.keras", NULL, &exited);
    assert_int_equal(exited, 0);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_size > 0);
    remove_outputs();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_models), cmocka_unit_test(import_and_predict), cmocka_unit_test(without_training), cmocka_unit_test(weights_are_replaced)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
