/* test_bench.c: cnnc bench. Its table and its JSON have every kernel of the program, in order, and numbers that can be;
 * no time is expected of anything. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <math.h>

#include "cnnc.h"
#include "cnnc_runtime.h"

/* ---- JSON ------------------------------------------------------------------------------------------------------------
 * A reader that knows just enough: each fails the test where the text is not JSON. */

typedef struct Json { const char *at; int numbers; } Json;

static void skip_space(Json *j) { j->at += strspn(j->at, " \n\r\t"); }

static bool accept(Json *j, char c) {
    skip_space(j);
    return *j->at == c ? j->at++, true : false;
}

static void expect(Json *j, char c) {
    if (!accept(j, c)) fail_msg("'%c' is missing at: %.40s", c, j->at);
}

static void read_string(Json *j) {
    expect(j, '"');
    j->at += strcspn(j->at, "\"\\\n");
    expect(j, '"');
}

static void read_number(Json *j) {
    char *end;
    double x = strtod(j->at, &end);
    if (end == j->at || strchr("+.iInN", *j->at)) fail_msg("not a value: %.40s", j->at);
    if (!isfinite(x) || x <= 0) fail_msg("not finite and positive: %.40s", j->at);
    j->at = end;
    j->numbers++;
}

static void read_value(Json *j);

static void read_list(Json *j, char open, char close) {
    expect(j, open);
    if (accept(j, close)) return;
    do {
        if (open == '{') read_string(j), expect(j, ':');
        read_value(j);
    } while (accept(j, ','));
    expect(j, close);
}

static void read_value(Json *j) {
    skip_space(j);
    if (*j->at == '{') read_list(j, '{', '}');
    else if (*j->at == '[') read_list(j, '[', ']');
    else if (*j->at == '"') read_string(j);
    else read_number(j);
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

static char *bench(const char *arguments, int status) {
    char *words = text("bench %s", arguments), *said = cnnc_says(words, status);
    return said;
}

static const Program *planned(Compilation *c, const char *net, const char *target, const char *algorithm) {
    compilation_init(c, false);
    c->options.targets[0] = find_target(target);
    c->options.target_count = 1;
    c->options.algorithm = algorithm;
    assert_int_equal(compile(c, net, "plan", NULL, NULL), 0);
    assert_int_equal(c->programs[0]->entry, ENTRY_TRAIN);
    return c->programs[0];
}

/* Every kernel has a line of the table and an object of the JSON, in the order in which they run. */
static void assert_kernels(const Program *p, const char *table, const char *json) {
    for (int i = 0; i < p->kernel_count; i++) {
        const char *name = p->kernels[i]->name, *template = p->kernels[i]->def->template;
        char *row = text("\n  %s ", name), *object = text("{\"name\": \"%s\", \"template\": \"%s\"", name, template);
        table = strstr(table, row);
        json = strstr(json, object);
        if (!table || !json) fail_msg("kernel %d, %s, is missing in the %s", i, name, table ? "JSON" : "table");
        table++;
        json++;
        assert_non_null(strstr(table, template));
    }
}

/* "gflops" is what "us" and "flops" of the same object say; so many objects have them. */
static int assert_rates(const char *json) {
    int found = 0;
    for (const char *at = json; (at = strstr(at, "{\"name\": ")); at++) {
        const char *end = strchr(at, '}'), *us = strstr(at, "\"us\": "), *flops = strstr(at, "\"flops\": "), *rate = strstr(at, "\"gflops\": ");
        if (!us || us > end || !flops || flops > end) continue;
        assert_true(rate && rate < end);
        double expected = strtod(strchr(flops, ' '), NULL) / strtod(strchr(us, ' '), NULL) / 1e3;
        assert_true(fabs(strtod(strchr(rate, ' '), NULL) / expected - 1) < 1e-6);
        found++;
    }
    return found;
}

static void assert_report(const char *net, const char *target, const char *algorithm, const char *options) {
    char *path = text("%s/bench.json", folder);
    const char *repeat = strstr(options, "--repeat") ? "" : " --repeat=1";
    char *arguments = text("%s --target=%s%s%s%s --json=%s %s", net, target, algorithm ? " --algorithm=" : "", algorithm ? algorithm : "", repeat, path, options);
    char *table = bench(arguments, 0);
    char *json = file_text(path, NULL);
    Json j = {json, 0};
    read_value(&j);
    skip_space(&j);
    if (*j.at) fail_msg("something follows the JSON: %.40s", j.at);
    Compilation c;
    const Program *p = planned(&c, net, target, algorithm);
    assert_kernels(p, table, json);
    assert_true(assert_rates(json) > 0);
    assert_true(j.numbers > 4 * p->kernel_count);
    assert_non_null(strstr(table, "sum of the kernels"));
    assert_non_null(strstr(json, "\"update_us\": "));
    compilation_free(&c);
    unlink(path);
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

#define NETS CNNC_SOURCE_DIR "/tests/nets/"

static void every_kernel_is_there(void **state) {
    (void)state;
    assert_report(NETS "conv2d.net", "scalar", NULL, "");
    assert_report(NETS "winograd.net", "vec16", "winograd", "");
    assert_report(NETS "two_inputs.net", "vec16", NULL, "");
}

static void options_are_taken(void **state) {
    (void)state;
    assert_report(NETS "dense.net", "vec16", "plain", "--threads=2 --batch-size=11 --shard-size=4 --repeat 2");
}

/* Fewer examples than a batch takes. */
static void examples_may_be_given(void **state) {
    (void)state;
    Compilation c;
    const Graph *g = planned(&c, NETS "dense.net", "vec16", NULL)->graph;
    const Tensor *sides[] = {g->inputs[0], g->targets[0]};
    char *paths[] = {text("%s/x.npy", folder), text("%s/y.npy", folder)};
    for (int i = 0; i < 2; i++) {
        size_t n = (size_t)shape_count(sides[i]->shape);
        float *zeros = calloc(3 * n, sizeof *zeros);
        cnnc_array array = {.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {3, n}, .count = 3 * n, .data = zeros};
        assert_int_equal(cnnc_npy_write(paths[i], &array, NULL), CNNC_OK);
        free(zeros);
    }
    char *both = text("--data=%s,%s", paths[0], paths[1]), *inputs = text(NETS "dense.net --data=%s", paths[0]);
    assert_report(NETS "dense.net", "vec16", NULL, both);
    bench(inputs, 1);
    for (int i = 0; i < 2; i++) unlink(paths[i]);
    compilation_free(&c);
}

static void what_cannot_be_measured(void **state) {
    (void)state;
    const struct { const char *arguments, *says; int status; } cases[] = {
        {NETS "predict_only.net", "cannot be trained", 1},
        {"/nonexistent.net", "cannot read", 3},
        {NETS "dense.net --repeat=0", "--repeat must be", 2},
        {NETS "dense.net --batch-size=1048577", "--batch-size must be", 2},
        {NETS "dense.net --target=vec16 --repeat=1 --json=/nonexistent/bench.json", "cannot write", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *said = bench(cases[i].arguments, cases[i].status);
        if (!strstr(said, cases[i].says)) fail_msg("%s: %s", cases[i].arguments, said);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_is_there),
        cmocka_unit_test(options_are_taken),
        cmocka_unit_test(examples_may_be_given),
        cmocka_unit_test(what_cannot_be_measured),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
