/* Generated code under real compilers: silent, valid C++ headers, clean under sanitizers, the same numbers with and
 * without vectors. By default a compiler reads all networks of tests/nets, and a few go through everything; with the
 * argument "long" all of them do. (`cnnc check` runs all variants of all of them, too: test_check.)
 */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <math.h>

#define WARNINGS "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
#define RUNTIME CNNC_SOURCE_DIR "/runtime"

static bool all;
static Net nets[MAX_NETS];
static int net_count;
static const char *compiler; /* what works: gcc, else clang */

/* Chosen so that every template and every way to round a size is among them. */
static const char *const few[] = {
    "add_itself", "average_pooling2d", "batch_normalization", "categorical_crossentropy", "conv2d_strides", "dense_rows", "group_normalization", "gru_options", "input_u8", "lstm_options", "max_pooling2d_overlap", "one_pixel",
    "predict_only", "shards", "simple_rnn_options", "sparse_categorical_crossentropy_map", "tokens", "two_outputs",
};
static const char *const fewest[] = {"max_pooling2d_input", "two_inputs"};

static bool among(const Net *net, const char *const *names, int n) {
    for (int i = 0; i < n; i++)
        if (!strcmp(net->name, names[i])) return true;
    return all;
}
#define AMONG(net, names) among(net, names, (int)(sizeof(names) / sizeof *(names)))

/* ---- cnnc ------------------------------------------------------------------------------------------------------------- */

static void generate(const Net *net, const char *options, const char *suffix) {
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_word(job, net->path);
    add_words(job, options);
    add_word(job, "-o");
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
}

static void cnnc_is_silent(void **state) {
    (void)state;
    for (int i = 0; i < net_count; i++) generate(&nets[i], "", "");
    run_jobs(true);
}

/* ---- compilers ---------------------------------------------------------------------------------------------------------- */

static void compile(const char *cc, const char *flags, const Net *net, const char *suffix, const char *object) {
    Job *job = add_job(cc);
    add_words(job, "-std=c11 -c " WARNINGS);
    add_words(job, flags);
    add_word(job, "-I" RUNTIME);
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
    add_word(job, "-o");
    static int thrown_away;
    add_word(job, object ? text("%s/%s%s", folder, net->name, object) : text("%s/%d.none", folder, thrown_away++));
}

static void all_nets_compile(void **state) {
    (void)state;
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) compile(compiler, all ? "-O2" : "-O1", &nets[i], "", ".o");
        else compile(compiler, "-fsyntax-only", &nets[i], "", NULL);
    run_jobs(true);
}

static void compile_matrix(void **state) {
    (void)state;
    static const char *const compilers[] = {"gcc", "clang"}, *const levels[] = {"-O0", "-O1", "-O2", "-O3"};
    bool skipped = false;
    for (int c = 0; c < 2; c++) {
        if (!there_is(compilers[c])) {
            print_message("skipped: no %s\n", compilers[c]);
            skipped = true;
            continue;
        }
        for (int i = 0; i < net_count; i++)
            for (int o = 0; AMONG(&nets[i], fewest) && o < 4; o++) {
                compile(compilers[c], levels[o], &nets[i], "", NULL);
                if (o % 2 || all) compile(compilers[c], text("%s -DCNNC_NO_VECTORS", levels[o]), &nets[i], "", NULL);
            }
        run_jobs(true);
    }
    if (skipped) skip();
}

/* Other ways to generate are silent too. */
static void options_compile(void **state) {
    (void)state;
    static const char *const options[][2] = {
        {"--double", "_double"}, {"--input-gradient", "_gradient"}, {"--target=scalar", "_scalar"}, {"--target=vec16,avx512", "_two"},
        {"--algorithm=plain", "_plain"}, {"--shard-size=1", "_shard"},
    };
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        for (int i = 0; i < net_count; i++)
            if (AMONG(&nets[i], fewest)) generate(&nets[i], options[o][0], options[o][1]);
    run_jobs(true);
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        for (int i = 0; i < net_count; i++)
            if (AMONG(&nets[i], fewest)) compile(compiler, "-O1", &nets[i], options[o][1], NULL);
    run_jobs(true);
}

/* Each header alone, then all of them in one file, next to the runtime's. */
static void headers_are_cplusplus(void **state) {
    (void)state;
    static const char *const compilers[] = {"g++", "clang++", "c++"};
    char *together = text("%s/together.cc", folder);
    FILE *out = fopen(together, "w");
    assert_non_null(out);
    for (int i = 0; i < net_count; i++) fprintf(out, "#include \"%s.h\"\n", nets[i].name);
    fprintf(out, "#include \"cnnc_runtime.h\"\nconst cnnc_network *network() { return &conv2d_network; }\n");
    for (int i = 0; i < net_count; i++) fprintf(out, "static_assert(alignof(%s_parameters) %s 64, \"\");\n", nets[i].name, strcmp(nets[i].name, "conv2d") ? "<=" : "==");
    fclose(out);
    int tried = 0;
    for (int c = 0; c < 3 && tried < 2; c++) {
        if (!there_is(compilers[c])) continue;
        tried++;
        for (int i = -1; i < net_count; i++) {
            if (i >= 0 && !AMONG(&nets[i], few)) continue;
            Job *job = add_job(compilers[c]);
            add_words(job, "-x c++ -std=c++17 -fsyntax-only " WARNINGS);
            add_word(job, "-I" RUNTIME);
            add_word(job, i < 0 ? together : text("%s/%s.h", folder, nets[i].name));
        }
        run_jobs(true);
    }
    if (!tried) {
        print_message("skipped: no C++ compiler\n");
        skip();
    }
}

/* ---- the driver ----------------------------------------------------------------------------------------------------------- */

/* Compiles driver.c with `what` (an object or a source) into <net><suffix>. */
static void link_driver(const char *cc, const char *flags, const Net *net, const char *what, const char *suffix) {
    Job *job = add_job(cc);
    add_words(job, "-std=c11 " WARNINGS);
    add_words(job, flags);
    add_word(job, "-I" RUNTIME);
    add_word(job, text("-DNETWORK=%s_network", net->name));
    add_word(job, CNNC_SOURCE_DIR "/tests/driver.c");
    add_word(job, text("%s/%s%s", folder, net->name, what));
    add_words(job, "-lm -o");
    add_word(job, text("%s/%s%s", folder, net->name, suffix));
}

static void drive(const Net *net, const char *suffix) {
    Job *job = add_job("");
    add_word(job, text("%s/%s%s", folder, net->name, suffix));
    add_word(job, text("%s/%s%s", folder, net->name, suffix));
}

/* Largest element of each tensor sets the scale. Weights after updates may differ more: RMSprop divides by what may be
 * almost nothing. */
static bool same_results(const char *a, const char *b) {
    size_t n, m;
    char *s = file_text(a, &n), *t = file_text(b, &m);
    bool fine = n == m && n > 0;
    for (size_t at = 0; fine && at < n;) {
        uint64_t count;
        double largest = 0, error = 0;
        const char *name = s + at;
        fine = !memcmp(s + at, t + at, 64 + sizeof count);
        memcpy(&count, s + at + 64, sizeof count);
        at += 64 + sizeof count;
        for (uint64_t i = 0; fine && i < count; i++, at += sizeof(double)) {
            double x, y;
            memcpy(&x, s + at, sizeof x);
            memcpy(&y, t + at, sizeof y);
            largest = fmax(largest, fabs(y));
            error = isfinite(x) && isfinite(y) ? fmax(error, fabs(x - y)) : INFINITY;
        }
        bool after = strstr(name, "after/") || !strcmp(name, "evaluated");
        if (error > (after ? 1e-3 : 1e-5) * largest) {
            print_error("%s, %s: %s differs by %.1e of %.1e\n", a, b, name, error, largest);
            fine = false;
        }
    }
    return fine;
}

static bool exists(const char *path) { return !access(path, R_OK); }

/* Results of all variants of program <net><suffix> against the scalar ones of <net><base>. */
static int disagreeing(const Net *net, const char *suffix, const char *base) {
    static const char *const variants[] = {"avx512", "avx2", "vec16", "scalar"};
    int bad = 0, seen = 0;
    char *scalar = text("%s/%s%s.scalar", folder, net->name, base);
    for (int v = 0; v < 4; v++) {
        char *path = text("%s/%s%s.%s", folder, net->name, suffix, variants[v]);
        if (exists(path)) seen++, bad += !same_results(path, scalar);
    }
    return bad + !seen;
}

static void variants_agree(void **state) {
    (void)state;
    int bad = 0;
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) link_driver(compiler, "-O1", &nets[i], ".o", "_driver");
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) drive(&nets[i], "_driver");
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) bad += disagreeing(&nets[i], "_driver", "_driver");
    assert_int_equal(bad, 0);
}

static void vectors_switched_off(void **state) {
    (void)state;
    int bad = 0;
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) link_driver(compiler, "-O2 -DCNNC_NO_VECTORS", &nets[i], ".c", "_plain");
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) drive(&nets[i], "_plain");
    run_jobs(true);
    for (int i = 0; i < net_count; i++) {
        if (!AMONG(&nets[i], few)) continue;
        if (exists(text("%s/%s_plain.vec16", folder, nets[i].name))) fail_msg("%s has vectors", nets[i].name);
        bad += disagreeing(&nets[i], "_driver", "_plain");
    }
    assert_int_equal(bad, 0);
}

static void sanitizers(void **state) {
    (void)state;
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) link_driver(compiler, "-O0 -g -fsanitize=address,undefined -fno-sanitize-recover=all", &nets[i], ".c", "_sanitized");
    run_jobs(true);
    for (int i = 0; i < net_count; i++)
        if (AMONG(&nets[i], few)) drive(&nets[i], "_sanitized");
    run_jobs(true);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cnnc_is_silent),  cmocka_unit_test(all_nets_compile),     cmocka_unit_test(compile_matrix),
        cmocka_unit_test(options_compile), cmocka_unit_test(headers_are_cplusplus), cmocka_unit_test(variants_agree),
        cmocka_unit_test(vectors_switched_off), cmocka_unit_test(sanitizers),
    };
    all = argc > 1 && !strcmp(argv[1], "long");
    net_count = find_nets(CNNC_SOURCE_DIR "/tests/nets", nets);
    if (make_folder(NULL)) return 1;
    compiler = there_is("gcc") ? "gcc" : there_is("clang") ? "clang" : NULL;
    if (!compiler) printf("skipped: neither gcc nor clang\n");
    int failed = compiler ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
    return remove_folder(NULL) || failed;
}
