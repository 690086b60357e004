/* test_import_onnx.c: what cnnc-import makes of ONNX files.
 *
 *     nodes     ONNX's own tests of operators (Debian's libonnx-testdata, where it is installed): each is imported, or refused with a reason.
 *               What is imported must compute what the test says, by cnnc's interpreter. onnx_nodes.txt has which is which.
 *     models    tests/onnx, made by its make.py: small networks as exporters write them, with onnxruntime's outputs
 *
 * An operator's test has arrays where a network has one input of a batch of examples. It is tried in six ways: its inputs after the first are
 * constants or are inputs, and its first dimension is the batch or is not; then only its first output is wanted. One way that is right makes it
 * pass; a way that is wrong, fail. */
#define _XOPEN_SOURCE 700
#include "commands/interpret.h"
#include "onnx.h" /* before CMocka, whose fail is a macro */

#include "test_saying.h"

#include <math.h>

#define NODES "/usr/share/libonnx-testdata/data/node"
#define MODELS CNNC_SOURCE_DIR "/tests/onnx" /* or CNNC_ONNX_MODELS in the environment: onnx/random_models.py makes others */
#define TABLE CNNC_SOURCE_DIR "/tests/onnx_nodes.txt"

enum { WAYS = 6, MOST_INPUTS = 64 };
typedef enum { REFUSED, RIGHT, WRONG } Verdict;

/* ---- one file -------------------------------------------------------------------------------------------------------------- */

typedef struct Import {
    Model model;
    Onnx onnx;
    OnnxOptions options;
    const char *names[MOST_INPUTS], *paths[MOST_INPUTS];
} Import;

/* The names of its inputs, as the file has them; *outputs: how many there are. */
static int input_names(const char *path, const char **names, int *outputs) {
    Import import = {.model = {.arena = arena_new(), .path = path}};
    Onnx *o = &import.onnx;
    *o = (Onnx){.model = &import.model, .arena = import.model.arena, .options = &import.options};
    int n = onnx_read(o, path) && o->input_count <= MOST_INPUTS ? o->input_count : 0;
    for (int i = 0; i < n; i++) names[i] = text("%s", o->inputs[i].name);
    *outputs = o->output_count;
    arena_free(import.model.arena);
    return n;
}

/* Which element of an array lies at element i of an example. */
static size_t place_of(const Port *port, const Numbers *c, int example, int64_t i) {
    int64_t at[ONNX_RANK] = {0}, index = 0;
    if (port->batch >= 0) at[port->batch] = example;
    for (int k = port->axes - 1; k >= 0; k--) at[port->order[k]] = i % c->dims[port->order[k]], i /= c->dims[port->order[k]];
    for (int d = 0; d < c->rank; d++) index = index * c->dims[d] + at[d];
    return (size_t)index;
}

static int examples_of(const Port *port, const Numbers *c) { return port->batch >= 0 ? (int)c->dims[port->batch] : 1; }

/* ONNX's tests have numbers of bfloat16 as 16-bit integers with the same bits. */
static void bits_to_reals(Arena *arena, Numbers *x) {
    x->type = ONNX_BF16;
    x->reals = NEW_ARRAY(arena, float, x->count);
    for (size_t i = 0; i < x->count; i++) {
        uint32_t bits = (uint32_t)x->integers[i] << 16;
        memcpy(&x->reals[i], &bits, sizeof bits);
    }
}

static bool near_enough(const Interpreter *it, const Tensor *t, const Port *port, const Numbers *expected) {
    size_t count = (size_t)shape_count(t->shape);
    double most = 0, error = 0, tolerance = expected->type == ONNX_F16 ? 2e-3 : 1e-5;
    if (expected->rank != port->rank || !expected->reals || examples_of(port, expected) != it->n || expected->count != count * (size_t)it->n) return false;
    const double *values = interpreter_value(it, t);
    for (int e = 0; e < it->n; e++)
        for (size_t i = 0; i < count; i++) {
            double want = constant_at(expected, place_of(port, expected, e, (int64_t)i)), have = values[(size_t)e * count + i];
            if (!isfinite(want) || !isfinite(have)) {
                if (isnan(want) ? !isnan(have) : have != want) return false;
                continue;
            }
            most = fmax(most, fabs(want));
            error = fmax(error, fabs(want - have));
        }
    return error <= tolerance * most || error < 1e-30;
}

/* Runs the description that was written, and compares all outputs with the folder's. */
static bool outputs_match(const Import *import, const char *data, char *reason, size_t size) {
    Compilation c;
    compilation_init(&c, false);
    int status = compile(&c, text("%s/n.net", folder), "build", NULL, NULL), n = 1, k = 0;
    const Onnx *o = &import->onnx;
    bool fine = status == EXIT_FINE && read_weights(c.graph, text("%s/n.safetensors", folder), &status);
    Onnx reading = {.model = (Model *)&import->model, .arena = import->model.arena};
    Numbers *inputs[MOST_INPUTS];
    for (int i = 0; i < o->input_count && fine; i++) {
        if (o->inputs[i].node < 0) continue;
        inputs[k] = tensor_file(&reading, text("%s/input_%d.pb", data, import->options.constant_count ? 0 : i));
        fine = inputs[k] != NULL;
        if (fine && o->values[o->inputs[i].value].type == ONNX_BF16 && inputs[k]->type == ONNX_U16) bits_to_reals(reading.arena, inputs[k]);
        if (fine && !k) n = examples_of(&o->inputs[i], inputs[k]);
        k++;
    }
    if (!fine || k != c.graph->input_count || o->output_count != c.graph->output_count) return snprintf(reason, size, "cannot be run"), false;
    Interpreter it = interpreter_new(c.graph, n);
    for (int i = 0; i < c.graph->parameter_count; i++)
        memcpy(interpreter_value(&it, c.graph->parameters[i]), c.graph->parameters[i]->values, sizeof(double) * (size_t)shape_count(c.graph->parameters[i]->shape));
    for (int i = k = 0; i < o->input_count; i++) {
        if (o->inputs[i].node < 0) continue;
        int64_t count = shape_count(c.graph->inputs[k]->shape);
        fine = fine && examples_of(&o->inputs[i], inputs[k]) == n && inputs[k]->count == (size_t)count * (size_t)n;
        for (int64_t e = 0; e < count * n && fine; e++)
            interpreter_value(&it, c.graph->inputs[k])[e] = constant_at(inputs[k], place_of(&o->inputs[i], inputs[k], (int)(e / count), e % count));
        k++;
    }
    if (fine) interpret(&it, RUN_PREDICT);
    for (int i = 0; i < o->output_count && fine; i++) {
        const Numbers *expected = tensor_file(&reading, text("%s/output_%d.pb", data, i));
        fine = expected && near_enough(&it, c.graph->outputs[i], &o->outputs[i], expected);
        if (!fine) snprintf(reason, size, "output %d is wrong", i);
    }
    compilation_free(&c);
    return fine;
}

/* Imports model.onnx of a folder in one of the ways. */
static Verdict try_way(const char *path, int way, char *reason, size_t size) {
    Import *import = calloc(1, sizeof *import);
    assert_non_null(import);
    const char *file = text("%s/model.onnx", path), *data = text("%s/test_data_set_0", path);
    begin_saying();
    import->model = (Model){.arena = arena_new(), .path = file};
    import->options = (OnnxOptions){.whole = way & 1, .outputs = way & 4 ? 1 : 0, .constant_names = import->names, .constant_paths = import->paths};
    if (!(way & 2)) {
        const char *names[MOST_INPUTS];
        int outputs, n = input_names(file, names, &outputs);
        for (int i = 1; i < n; i++) import->names[i - 1] = names[i], import->paths[i - 1] = text("%s/input_%d.pb", data, i), import->options.constant_count++;
    }
    import_onnx(&import->model, file, &import->options, &import->onnx);
    bool imported = !import->model.errors && write_model(&import->model, text("%s/n.net", folder), text("%s/n.safetensors", folder)) == EXIT_FINE;
    end_saying(reason, size, file);
    Verdict verdict = !imported ? REFUSED : outputs_match(import, data, reason, size) ? RIGHT : WRONG;
    arena_free(import->model.arena);
    free(import);
    return verdict;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------- */

static int is_test(const struct dirent *entry) { return !strncmp(entry->d_name, "test_", 5); }

/* "test_abs: pass" or "test_acos: node 'y' (Acos): ..." */
static char *judge(const char *name) {
    char reasons[WAYS][512] = {{0}}, unread[512];
    const char *names[MOST_INPUTS], *file = text("%s/%s/model.onnx", NODES, name);
    bool right = false;
    int outputs;
    begin_saying();
    int inputs = input_names(file, names, &outputs);
    end_saying(unread, sizeof unread, file);
    for (int way = 0; way < WAYS; way++) {
        if ((way / 2 == 1 && inputs < 2) || (way / 2 == 2 && outputs < 2)) continue; /* the same as the first ways */
        Verdict v = try_way(text("%s/%s", NODES, name), way, reasons[way], sizeof reasons[way]);
        if (v == WRONG) {
            print_error("%s is wrong in way %d: %s\n", name, way, reasons[way]);
            return text("%s: WRONG", name);
        }
        right = right || v == RIGHT;
    }
    const char *reason = strncmp(reasons[1], "error: ", 7) ? reasons[1] : reasons[1] + 7;
    return text("%s: %s", name, right ? "pass" : reason);
}

static void nodes(void **state) {
    (void)state;
    struct dirent **entries;
    int n = scandir(NODES, &entries, is_test, alphasort), passed = 0, wrong = 0, other = 0;
    if (n <= 0) skip();
    bool update = getenv("CNNC_UPDATE_GOLDEN");
    size_t length = 0;
    char *table = access(TABLE, R_OK) ? "" : file_text(TABLE, &length);
    FILE *new = update ? fopen(TABLE, "w") : NULL;
    for (int i = 0; i < n; i++) {
        const char *only = getenv("CNNC_ONNX_NODE"), *line = only && strcmp(only, entries[i]->d_name) ? NULL : judge(entries[i]->d_name);
        if (line && new) fprintf(new, "%s\n", line);
        passed += line && strstr(line, ": pass"), wrong += line && strstr(line, ": WRONG");
        const char *known = line ? strstr(table, text("%s:", entries[i]->d_name)) : NULL; /* another version of the tests may have others */
        if (known && !update && strncmp(known, text("%s\n", line), strlen(line) + 1)) other++, print_error("not as in onnx_nodes.txt: %s\n", line);
        free(entries[i]);
    }
    free(entries);
    if (new) fclose(new);
    print_message("%d of %d pass\n", passed, n);
    assert_int_equal(wrong + other, 0);
}

/* ---- models ------------------------------------------------------------------------------------------------------------------ */

static void models(void **state) {
    (void)state;
    struct dirent **entries;
    const char *other = getenv("CNNC_ONNX_MODELS"), *all = other ? other : MODELS;
    int n = scandir(all, &entries, NULL, alphasort), seen = 0, wrong = 0;
    for (int i = 0; i < n; i++) {
        char reason[512];
        const char *path = text("%s/%s", all, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && !access(text("%s/model.onnx", path), R_OK)) {
            seen++;
            Verdict v = try_way(path, 2, reason, sizeof reason);
            if (v != RIGHT) print_error("%s: %s\n", entries[i]->d_name, reason);
            wrong += v == WRONG || (v == REFUSED && !other);
        }
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(wrong, 0);
    assert_true(seen > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nodes), cmocka_unit_test(models)};
    return cmocka_run_group_tests(tests, make_saying, remove_folder);
}
