/* Code that only predicts, from references of tests/reference: outputs are Keras's, with weights in the code and packed at run time,
 * for each target; nothing but what is promised is in it, and the stack is what the header says. With "long": all networks under
 * all targets and compilers. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <dlfcn.h>
#include <math.h>

#include "cnnc_runtime.h"

#define WARNINGS "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
enum { MOST_ARRAYS = 3 };

static bool all;
static Net nets[MAX_NETS];
static int net_count;
static const char *compiler; /* what works: gcc, else clang */
static cnnc_error error;

static const char *const few[] = {"add_itself", "batch_normalization", "conv2d_strides", "dense_rows", "input_u8", "layer_normalization", "lstm_options", "conv2d_transpose_wide", "max_pooling2d_overlap", "two_inputs", "winograd"};

static bool among_few(const Net *net) {
    for (size_t i = 0; i < sizeof few / sizeof *few; i++)
        if (!strcmp(few[i], net->name)) return true;
    return all;
}

/* ---- references -------------------------------------------------------------------------------------------------------- */

static char *reference_path(const Net *net) { return text(CNNC_SOURCE_DIR "/tests/reference/%s.safetensors", net->name); }
static char *weights_path(const Net *net) { return text("%s/%s.weights", folder, net->name); }

/* What the reference has as initial/... as a file of weights. */
static void write_weights(const Net *net) {
    static const char initial[] = "initial/";
    cnnc_safetensors file;
    if (cnnc_safetensors_read(reference_path(net), &file, &error)) fail_msg("%s", error.text);
    cnnc_safetensor *weights = calloc((size_t)file.count + 1, sizeof *weights);
    int n = 0;
    for (int i = 0; i < file.count; i++)
        if (!strncmp(file.tensors[i].name, initial, sizeof initial - 1)) weights[n] = file.tensors[i], weights[n++].name += sizeof initial - 1;
    if (cnnc_safetensors_write(weights_path(net), weights, n, NULL, 0, &error)) fail_msg("%s", error.text);
    free(weights);
    cnnc_safetensors_free(&file);
}

/* ---- code -------------------------------------------------------------------------------------------------------------- */

static void generate(const Net *net, const char *options, const char *suffix, bool known) {
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_word(job, net->path);
    add_words(job, "--inference");
    if (known) add_word(job, text("--weights=%s", weights_path(net)));
    add_words(job, options);
    add_word(job, "-o");
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
}

static void compile(const char *cc, const char *flags, const Net *net, const char *suffix) {
    Job *job = add_job(cc);
    add_words(job, "-std=c11 " WARNINGS);
    add_words(job, flags);
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
    add_words(job, "-lm -o");
    add_word(job, text("%s/%s%s.so", folder, net->name, suffix));
}

/* A number of the header. */
static size_t number_in(const char *header, const char *name) {
    const char *define = text("#define %s ", name), *at = strstr(header, define);
    assert_non_null(at);
    return (size_t)strtoull(at + strlen(define), NULL, 10);
}

static char *upper_case(const char *s) {
    char *copy = text("%s", s);
    for (char *c = copy; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    return copy;
}

/* The name that the description gives itself. */
static char *network_name(const Net *net) {
    char *header = file_text(text("%s/%s.h", folder, net->name), NULL), *at = strstr(header, "#ifndef ");
    char *name = text("%.*s", (int)strcspn(at + 8, "\n") - 2, at + 8);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    return name;
}

/* ---- predictions --------------------------------------------------------------------------------------------------------- */

typedef struct Arrays {
    const unsigned char *at[2 * MOST_ARRAYS]; /* inputs, then outputs */
    size_t bytes[2 * MOST_ARRAYS];            /* of one example */
    int inputs, outputs;
    size_t examples;
} Arrays;

/* input, input_1, ... or output, output_1, ... of the reference. */
static int find_arrays(const cnnc_safetensors *file, const char *word, Arrays *a, int first) {
    int n = 0;
    for (;; n++) {
        const cnnc_safetensor *t = cnnc_safetensors_find(file, n ? text("%s_%d", word, n) : word);
        if (!t) return n;
        assert_true(n < MOST_ARRAYS);
        a->examples = t->array.shape[0];
        a->bytes[first + n] = t->array.count / t->array.shape[0] * (t->array.dtype == CNNC_DTYPE_U8 ? 1 : 4);
        a->at[first + n] = t->array.data;
    }
}

enum { MOST_ARGUMENTS = 8 };
typedef void Function(const void *, const void *, const void *, const void *, const void *, const void *, const void *, const void *);

/* Calls what is named `name`: memory (packed, unless NULL, and the workspace), arrays, and the number of examples, unless 0. Arguments
 * behind those that it has it does not see. */
static void call(void *library, const char *name, const void *packed, const void *workspace, const void *const *arrays, int count, int examples) {
    void *symbol = dlsym(library, name);
    const void *a[MOST_ARGUMENTS + 1] = {NULL};
    int n = 0;
    Function *function;
    assert_non_null(symbol);
    memcpy(&function, &symbol, sizeof function);
    if (packed) a[n++] = packed;
    a[n++] = workspace;
    for (int i = 0; i < count; i++) a[n++] = arrays[i];
    a[n++] = (const void *)(intptr_t)examples;
    assert_true(n <= MOST_ARGUMENTS);
    function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static void *aligned(size_t size) {
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    assert_non_null(memory);
    memset(memory, 0xa5, (size + 63) / 64 * 64); /* no zeros by chance */
    return memory;
}

/* initial/<layer>/<weight> of the reference, or that of a part of the layer, initial/<layer>/<part>/<weight>. */
static const cnnc_safetensor *initial_weight(const cnnc_safetensors *file, const char *layer, const char *weight) {
    const char *before = text("initial/%s/", layer), *behind = text("/%s", weight);
    for (int i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        size_t n = strlen(name), m = strlen(behind);
        if (!strncmp(name, before, strlen(before)) && n > m && !strcmp(name + n - m, behind)) return &file->tensors[i];
    }
    fail_msg("the reference has no '%s%s'", before, weight);
    return NULL;
}

/* The struct of parameters, each at a multiple of 64 bytes, in the reference's order, which is the file's. */
static void *parameters_of(const char *header, const cnnc_safetensors *file) {
    static unsigned char memory[8 << 20] __attribute__((aligned(64)));
    size_t at = 0;
    char layer[128] = "";
    for (const char *line = strstr(header, "_parameters {"), *end; line && strncmp(line, "} ", 2); line = *end ? end + 1 : NULL) {
        end = line + strcspn(line, "\n");
        const char *number = strstr(line, " float "), *closing = strstr(line, "    } ");
        if (strstr(line, "    struct {") && strstr(line, "    struct {") < end) { /* its name comes behind the weights */
            const char *behind = strstr(line, "    } ");
            snprintf(layer, sizeof layer, "%.*s", (int)strcspn(behind + 6, ";"), behind + 6);
        } else if (number && number < end && (!closing || number < closing)) {
            const cnnc_safetensor *t = initial_weight(file, layer, text("%.*s", (int)strcspn(number + 7, "[;"), number + 7));
            assert_true(at + t->array.count * 4 <= sizeof memory);
            memcpy(memory + at, t->array.data, t->array.count * 4);
            at += (t->array.count * 4 + 63) / 64 * 64;
        }
    }
    return memory;
}

static bool outputs_agree(const char *what, const Arrays *a, const float *const *outputs, size_t example) {
    for (int o = 0; o < a->outputs; o++) {
        const float *expected = (const float *)(const void *)(a->at[a->inputs + o] + example * a->bytes[a->inputs + o]);
        double largest = 0, difference = 0;
        for (size_t i = 0; i < a->bytes[a->inputs + o] / 4; i++) {
            largest = fmax(largest, fabs((double)expected[i]));
            difference = isfinite(outputs[o][i]) ? fmax(difference, fabs((double)outputs[o][i] - (double)expected[i])) : INFINITY;
        }
        if (difference <= 1e-5 * largest) continue;
        print_error("%s, example %zu: output %d differs by %.1e of %.1e\n", what, example, o, difference, largest);
        return false;
    }
    return true;
}

/* Whether the entry point of many examples gives the reference's outputs, and the same bits for examples in groups of two. */
static bool predicts_many(const char *what, const Arrays *a, void *library, const char *name, const void *packed, const void *workspace) {
    unsigned char *arrays[2][MOST_ARRAYS * 2];
    int count = a->inputs + a->outputs;
    bool fine = true;
    for (int way = 0; way < 2; way++) {
        size_t step = way ? 2 : a->examples;
        for (int k = 0; k < count; k++) arrays[way][k] = k < a->inputs ? memcpy(malloc(a->bytes[k] * a->examples), a->at[k], a->bytes[k] * a->examples) : calloc(a->examples, a->bytes[k]);
        for (size_t i = 0; i < a->examples; i += step) {
            const void *at[MOST_ARRAYS * 2];
            for (int k = 0; k < count; k++) at[k] = arrays[way][k] + i * a->bytes[k];
            call(library, name, packed, workspace, at, count, (int)(i + step < a->examples ? step : a->examples - i));
        }
    }
    for (size_t i = 0; i < a->examples && fine; i++) {
        const float *outputs[MOST_ARRAYS];
        for (int o = 0; o < a->outputs; o++) outputs[o] = (const float *)(const void *)(arrays[0][a->inputs + o] + i * a->bytes[a->inputs + o]);
        fine = outputs_agree(text("%s, many", what), a, outputs, i);
    }
    for (int k = 0; k < count; k++) {
        if (memcmp(arrays[0][k], arrays[1][k], a->bytes[k] * a->examples)) fine = false, print_error("%s: an example's outputs depend on where it stands\n", what);
        free(arrays[0][k]);
        free(arrays[1][k]);
    }
    return fine;
}

/* Whether the entry point of one example gives the reference's outputs. */
static bool predicts_one(const char *what, const Arrays *a, void *library, const char *name, const void *packed, const void *workspace) {
    bool fine = true;
    for (size_t i = 0; i < a->examples && fine; i++) {
        void *arrays[MOST_ARRAYS * 2];
        const float *outputs[MOST_ARRAYS];
        for (int k = 0; k < a->inputs + a->outputs; k++) arrays[k] = malloc(a->bytes[k]); /* of their own, aligned to nothing much */
        for (int k = 0; k < a->inputs; k++) memcpy(arrays[k], a->at[k] + i * a->bytes[k], a->bytes[k]);
        for (int o = 0; o < a->outputs; o++) outputs[o] = arrays[a->inputs + o];
        call(library, name, packed, workspace, (const void *const *)arrays, a->inputs + a->outputs, 0);
        fine = outputs_agree(what, a, outputs, i);
        for (int k = 0; k < a->inputs + a->outputs; k++) free(arrays[k]);
    }
    return fine;
}

/* Whether predictions of <net><suffix>.so are the reference's. */
static bool predicts(const Net *net, const char *suffix, bool known) {
    cnnc_safetensors file;
    Arrays a = {.inputs = 0};
    char *header = file_text(text("%s/%s%s.h", folder, net->name, suffix), NULL), *name = network_name(net), *upper = upper_case(name);
    if (cnnc_safetensors_read(reference_path(net), &file, &error)) fail_msg("%s", error.text);
    a.inputs = find_arrays(&file, "input", &a, 0);
    a.outputs = find_arrays(&file, "output", &a, a.inputs);
    void *library = dlopen(text("%s/%s%s.so", folder, net->name, suffix), RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    assert_true(known == !dlsym(library, text("%s_pack", name)));
    void *workspace = aligned(number_in(header, text("%s_WORKSPACE_BYTES", upper)));
    void *more = aligned(number_in(header, text("%s_MANY_WORKSPACE_BYTES", upper)));
    void *packed = known ? NULL : aligned(number_in(header, text("%s_PACKED_BYTES", upper)));
    const void *parameters = known ? NULL : parameters_of(header, &file);
    if (!known) call(library, text("%s_pack", name), NULL, packed, &parameters, 1, 0);
    bool fine = predicts_one(text("%s%s", net->name, suffix), &a, library, text("%s_predict", name), packed, workspace);
    fine &= predicts_many(text("%s%s", net->name, suffix), &a, library, text("%s_predict_many", name), packed, more);
    free(workspace);
    free(more);
    free(packed);
    dlclose(library);
    cnnc_safetensors_free(&file);
    return fine;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

/* For all that the file can be, and for one target at a time. */
static void outputs_are_kerass(void **state) {
    (void)state;
    static const char *const ways[][2] = {{"", ""}, {"--target=avx512", "_avx512"}, {"--target=avx2", "_avx2"}, {"--target=vec16", "_vec16"}, {"--target=scalar", "_scalar"}, {"--target=avx2 --unroll=60000", "_unrolled"},
                                        {"--shard-size=3", "_blocks"}, {"--optimize=cold", "_cold"}, {"--optimize=size", "_size"}};
    int bad = 0, n = (int)(sizeof ways / sizeof *ways);
    for (int i = 0; i < net_count; i++)
        for (int w = 0; w < (among_few(&nets[i]) ? n : 1); w++) generate(&nets[i], ways[w][0], ways[w][1], true);
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        for (int w = 0; w < (among_few(&nets[i]) ? n : 1); w++) compile(compiler, all && !w ? "-O2 -shared -fPIC" : "-O1 -shared -fPIC", &nets[i], ways[w][1]);
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        for (int w = 0; w < (among_few(&nets[i]) ? n : 1); w++)
            if (w != 1 || __builtin_cpu_supports("avx512bw")) bad += !predicts(&nets[i], ways[w][1], true);
    assert_int_equal(bad, 0);
}

static void packed_parameters_predict(void **state) {
    (void)state;
    int bad = 0;
    for (int i = 0; i < net_count; i++)
        if (among_few(&nets[i])) generate(&nets[i], "", "_packed", false);
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (among_few(&nets[i])) compile(compiler, "-O1 -shared -fPIC", &nets[i], "_packed");
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (among_few(&nets[i])) bad += !predicts(&nets[i], "_packed", false);
    assert_int_equal(bad, 0);
}

/* An input's scale and a normalization's factors go into known weights. */
static void factors_go_into_weights(void **state) {
    (void)state;
    static const struct { const char *net, *there; } cases[] = {
        {"input_u8", "kernel_scaled"}, {"input_scale", "kernel_scaled"}, {"batch_normalization_frozen", "kernel_folded"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int i = 0; i < net_count; i++) {
            if (strcmp(nets[i].name, cases[c].net)) continue;
            generate(&nets[i], "--target=scalar", "_folded", true);
            run_jobs(true);
            const char *code = file_text(text("%s/%s_folded.c", folder, nets[i].name), NULL);
            assert_non_null(strstr(code, cases[c].there));
        }
}

/* A token that the table does not have gives zeros, whichever it is; the table has one row more than there are tokens. */
static void tokens_outside_give_zeros(void **state) {
    (void)state;
    enum { TOKENS = 5, OUTPUTS = 2 };
    static const int32_t rows[3][TOKENS] = {{-1, -1, -1, -1, -1}, {10, INT32_MIN, INT32_MAX, 11, 1 << 30}, {9, 9, 9, 9, 9}};
    float outputs[3][OUTPUTS] = {{0}};
    void *library = dlopen(text("%s/embedding.so", folder), RTLD_NOW | RTLD_LOCAL); /* made by the first test */
    assert_non_null(library);
    char *header = file_text(text("%s/embedding.h", folder), NULL);
    void *workspace = aligned(number_in(header, "EMBEDDING_WORKSPACE_BYTES"));
    for (int i = 0; i < 3; i++) call(library, "embedding_predict", NULL, workspace, (const void *const[]){rows[i], outputs[i]}, 2, 0);
    assert_memory_equal(outputs[0], outputs[1], sizeof outputs[0]);
    assert_memory_not_equal(outputs[0], outputs[2], sizeof outputs[0]);
    free(workspace);
    dlclose(library);
}

/* Loops that are written out make the code longer, by no more than what both entry points may take. */
static void unrolled_code_keeps_its_budget(void **state) {
    (void)state;
    enum { BUDGET = 5000 };
    const Net *net = NULL;
    for (int i = 0; i < net_count; i++)
        if (!strcmp(nets[i].name, "winograd")) net = &nets[i];
    assert_non_null(net);
    generate(net, "--target=avx2 --unroll=0", "_looped", true);
    generate(net, text("--target=avx2 --unroll=%d", BUDGET), "_longer", true);
    run_jobs(true);
    compile(compiler, "-O2 -c", net, "_looped");
    compile(compiler, "-O2 -c", net, "_longer");
    run_jobs(true);
    size_t looped, longer;
    file_text(text("%s/winograd_looped.so", folder), &looped);
    file_text(text("%s/winograd_longer.so", folder), &longer);
    assert_true(longer > looped + BUDGET / 2);
    assert_true(longer < looped + 2 * BUDGET);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_kerass),
        cmocka_unit_test(packed_parameters_predict),
        cmocka_unit_test(factors_go_into_weights),
        cmocka_unit_test(tokens_outside_give_zeros),
        cmocka_unit_test(unrolled_code_keeps_its_budget),
    };
    all = argc > 1 && !strcmp(argv[1], "long");
    net_count = find_nets(CNNC_SOURCE_DIR "/tests/nets", nets);
    int kept = 0;
    for (int i = 0; i < net_count; i++)
        if (!access(reference_path(&nets[i]), R_OK)) nets[kept++] = nets[i];
    net_count = kept;
    if (make_folder(NULL)) return 1;
    for (int i = 0; i < net_count; i++) write_weights(&nets[i]);
    compiler = there_is("gcc") ? "gcc" : there_is("clang") ? "clang" : NULL;
    if (!compiler) printf("skipped: neither gcc nor clang\n");
    int failed = compiler ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
    return remove_folder(NULL) || failed;
}
