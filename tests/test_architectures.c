/* The same generated C under every compiler, for every architecture: the reference network's outputs for images of digits, on this
 * machine, emulated (qemu) and as WebAssembly (node); the names in its object files; the depth of its stack. What is missing is
 * skipped and told. By default a few images and networks; with "long" 10,000 images here, 500 under emulation, all networks. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <math.h>

#include "cnnc_runtime.h"

#define WARNINGS "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
#define HERE CNNC_SOURCE_DIR "/tests/architectures"
#define MNIST CNNC_SOURCE_DIR "/examples/mnist"
#define WASM "-O2 --target=wasm32 -nostdlib -Wl,--no-entry -I" HERE
enum { CLASSES = 10 };

static bool all;
static cnnc_error error;
static const Net mnist = {(char *)MNIST "/mnist.net", (char *)"mnist"};

/* ---- compilers and machines ---------------------------------------------------------------------------------------------- */

typedef struct Machine {
    const char *name, *compiler, *flags, *runner; /* runner NULL: it runs here */
    const char *target;                           /* of --target; "": all of them */
    bool few;                                     /* in a hurry, too */
} Machine;

static const Machine machines[] = {
    {"gcc", "gcc", "-O2", NULL, "", true},
    {"gcc -O0", "gcc", "-O0", NULL, "", false},
    {"gcc -O3 -march=native", "gcc", "-O3 -march=native", NULL, "", false},
    {"gcc -DCNNC_NO_VECTORS", "gcc", "-O2 -DCNNC_NO_VECTORS", NULL, "", true},
    {"gcc --target=avx512", "gcc", "-O2", NULL, "avx512", false},
    {"gcc --target=avx2", "gcc", "-O2", NULL, "avx2", false},
    {"gcc --target=vec16", "gcc", "-O2", NULL, "vec16", false},
    {"gcc --target=scalar", "gcc", "-O2", NULL, "scalar", false},
    {"clang", "clang", "-O2", NULL, "", true},
    {"clang -DCNNC_NO_VECTORS", "clang", "-O2 -DCNNC_NO_VECTORS", NULL, "", false},
    {"clang --target=avx512", "clang", "-O2", NULL, "avx512", false},
    {"clang --target=avx2", "clang", "-O2", NULL, "avx2", false},
    {"clang --target=vec16", "clang", "-O2", NULL, "vec16", false},
    {"clang --target=scalar", "clang", "-O2", NULL, "scalar", false},
    {"tcc", "tcc", "", NULL, "", true},
    {"tcc -DCNNC_NO_VECTORS", "tcc", "-DCNNC_NO_VECTORS", NULL, "", false},
    {"tcc --target=scalar", "tcc", "", NULL, "scalar", false},
    {"i686, x87", "i686-linux-gnu-gcc", "-O2 -static", "qemu-i386", "", true},
    {"i686, SSE2", "i686-linux-gnu-gcc", "-O2 -static -msse2 -mfpmath=sse", "qemu-i386", "", false},
    {"aarch64", "aarch64-linux-gnu-gcc", "-O2 -static", "qemu-aarch64", "", true},
    {"armhf", "arm-linux-gnueabihf-gcc", "-O2 -static", "qemu-arm", "", true},
    {"armhf, NEON", "arm-linux-gnueabihf-gcc", "-O2 -static -mfpu=neon-vfpv4", "qemu-arm", "", false},
    {"riscv64", "riscv64-linux-gnu-gcc", "-O2 -static", "qemu-riscv64", "", false},
    {"s390x, big-endian", "s390x-linux-gnu-gcc", "-O2 -static", "qemu-s390x", "", true},
    {"s390x, z14's vectors", "s390x-linux-gnu-gcc", "-O2 -static -march=z14", "qemu-s390x", "", false},
    {"ppc64el", "powerpc64le-linux-gnu-gcc", "-O2 -static", "qemu-ppc64le", "", false},
    {"wasm32", "clang", WASM, "node", "", false},
    {"wasm32, SIMD128", "clang", WASM " -msimd128", "node", "", true},
};
enum { MACHINES = sizeof machines / sizeof *machines };


static bool is_wasm(const Machine *m) { return m->runner && !strcmp(m->runner, "node"); }

/* Programs are asked for once. */
static bool is_there(const char *program) {
    static struct { const char *name; bool there; } asked[32];
    int n = 0;
    for (; asked[n].name; n++)
        if (!strcmp(asked[n].name, program)) return asked[n].there;
    assert_true(n < 31);
    asked[n].name = program;
    return asked[n].there = there_is(program);
}

static bool makes_wasm(void) {
    static int known = -1;
    if (known >= 0) return known;
    Job *job = add_job("clang " WASM " -Wl,--export=f -x c -o");
    char *source = text("%s/f.c", folder);
    FILE *out = fopen(source, "w");
    assert_non_null(out);
    fprintf(out, "int f(void) { return 1; }\n");
    fclose(out);
    add_word(job, text("%s/f.wasm", folder));
    add_word(job, source);
    known = !try_jobs();
    forget_jobs();
    return known;
}

/* What a machine lacks; NULL: nothing, "": it is not asked for. */
static const char *lack_of(const Machine *m) {
    if (!m->few && !all) return "";
    if (!is_there(m->compiler)) return m->compiler;
    if (m->runner && !is_there(m->runner)) return m->runner;
    if (is_wasm(m) && !makes_wasm()) return "wasm-ld, or a clang that has WebAssembly";
#ifdef __x86_64__
    if (!strcmp(m->target, "avx512") && !__builtin_cpu_supports("avx512bw")) return "a processor with AVX-512";
    if (!strcmp(m->target, "avx2") && !__builtin_cpu_supports("avx2")) return "a processor with AVX2";
#else
    if (strstr(m->target, "avx")) return "an x86 processor";
#endif
    return NULL;
}

static const char *lacks[MACHINES];

/* ---- code -------------------------------------------------------------------------------------------------------------- */

static char *weights(void) { return text("%s/weights.safetensors", folder); }

/* <net><suffix>.c; without weights parameters come at run time. */
static void generate(const Net *net, const char *options, const char *suffix, bool known) {
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_word(job, net->path);
    add_words(job, "--inference");
    if (known) add_word(job, text("--weights=%s", weights()));
    add_words(job, options);
    add_word(job, "-o");
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
}

static void generate_mnist(void) {
    static const char *const targets[] = {"avx512", "avx2", "vec16", "scalar"};
    generate(&mnist, "", "", true);
    for (int i = 0; i < 4; i++) generate(&mnist, text("--target=%s", targets[i]), text("_%s", targets[i]), true);
    run_jobs(true);
}

static void compile(const char *compiler, const char *flags, const Net *net, const char *suffix, const char *object) {
    Job *job = add_job(compiler);
    add_words(job, "-std=c11 -c " WARNINGS);
    add_words(job, flags);
    add_word(job, text("%s/%s%s.c", folder, net->name, suffix));
    add_word(job, "-o");
    add_word(job, object);
}

/* ---- images ------------------------------------------------------------------------------------------------------------ */

static unsigned char *labels;
static int image_count;

/* The test images one after the other, as programs of any kind read them. */
static bool write_images(void) {
    cnnc_array images, classes;
    if (cnnc_idx_read(MNIST "/t10k-images-idx3-ubyte.gz", &images, &error)) return false;
    if (cnnc_idx_read(MNIST "/t10k-labels-idx1-ubyte.gz", &classes, &error)) fail_msg("%s", error.text);
    FILE *out = fopen(text("%s/images", folder), "wb");
    assert_non_null(out);
    assert_true(fwrite(images.data, 1, images.count, out) == images.count && !fclose(out));
    labels = memcpy(malloc(classes.count), classes.data, classes.count);
    image_count = (int)classes.count;
    cnnc_array_free(&images);
    cnnc_array_free(&classes);
    return true;
}

/* One epoch; in a hurry of the test images only. */
static void train(void) {
    char *data = text("%s/data", folder);
    static const char *const parts[] = {"images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"};
    if (!all) {
        assert_int_equal(mkdir(data, 0777), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(symlink(text(MNIST "/t10k-%s", parts[i]), text("%s/train-%s", data, parts[i])), 0);
            assert_int_equal(symlink(text(MNIST "/t10k-%s", parts[i]), text("%s/t10k-%s", data, parts[i])), 0);
        }
    }
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_words(job, "train --epochs=1 --seed=1 -o");
    add_word(job, weights());
    add_word(job, text("--data=%s", all ? MNIST : data));
    add_word(job, mnist.path);
    run_jobs(false);
}

/* ---- predictions --------------------------------------------------------------------------------------------------------- */

static char *place(int machine, const char *what) { return text("%s/machine_%d%s", folder, machine, what); }
static int images_for(const Machine *m) { return all ? (m->runner && !is_wasm(m) ? 500 : image_count) : m->runner ? 30 : 200; }

static void build(const Machine *m, int k) {
    char *suffix = text("%s%s", *m->target ? "_" : "", m->target);
    Job *job = add_job(m->compiler);
    add_words(job, "-std=c11 " WARNINGS);
    add_words(job, m->flags);
    add_word(job, text("-DHEADER=\"mnist%s.h\"", suffix));
    add_word(job, text("-I%s", folder));
    add_word(job, is_wasm(m) ? HERE "/wasm.c" : HERE "/main.c");
    add_word(job, text("%s/mnist%s.c", folder, suffix));
    if (!is_wasm(m)) add_word(job, "-lm");
    add_word(job, "-o");
    add_word(job, place(k, ""));
}

static void predict(const Machine *m, int k) {
    Job *job = add_job(m->runner ? m->runner : "");
    if (is_wasm(m)) add_word(job, HERE "/wasm.mjs");
    add_word(job, place(k, ""));
    add_word(job, text("%s/images", folder));
    add_word(job, place(k, ".outputs"));
    add_word(job, text("%d", images_for(m)));
}

static float number(const unsigned char *p) {
    uint32_t bits = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int best(const unsigned char *outputs) {
    int label = 0;
    for (int i = 1; i < CLASSES; i++)
        if (number(outputs + 4 * i) > number(outputs + 4 * label)) label = i;
    return label;
}

/* A line of the table; whether outputs are those of the first machine. */
static bool compare(int k, int first) {
    size_t length;
    const unsigned char *here = (void *)file_text(place(first, ".outputs"), NULL), *there = (void *)file_text(place(k, ".outputs"), &length);
    int n = images_for(&machines[k]), same = 0;
    double difference = 0;
    assert_int_equal(length, (size_t)n * CLASSES * 4);
    for (int i = 0; i < n; i++) same += best(here + i * CLASSES * 4) == best(there + i * CLASSES * 4);
    for (int i = 0; i < n * CLASSES; i++) {
        double d = fabs((double)number(here + 4 * i) - (double)number(there + 4 * i));
        difference = d <= difference ? difference : isfinite(d) ? d : (double)INFINITY;
    }
    printf("%-28s %7d %12d %20.1e\n", machines[k].name, n, same, difference);
    return same == n && difference <= 1e-5;
}

static void predictions_agree(void **state) {
    (void)state;
    int first = -1, right = 0, bad = 0;
    for (int k = 0; k < MACHINES; k++) lacks[k] = lack_of(&machines[k]);
    for (int k = 0; k < MACHINES; k++)
        if (!lacks[k]) build(&machines[k], k);
    run_jobs(true);
    for (int k = 0; k < MACHINES; k++)
        if (!lacks[k]) predict(&machines[k], k);
    run_jobs(true);
    printf("%-28s %7s %12s %20s\n", "compiler, architecture", "images", "same labels", "largest difference");
    for (int k = 0; k < MACHINES; k++) {
        if (lacks[k]) {
            if (*lacks[k]) printf("%-28s skipped: no %s\n", machines[k].name, lacks[k]);
            continue;
        }
        if (first < 0) first = k;
        bad += !compare(k, first);
    }
    const unsigned char *outputs = (void *)file_text(place(first, ".outputs"), NULL);
    int n = images_for(&machines[first]);
    for (int i = 0; i < n; i++) right += best(outputs + i * CLASSES * 4) == labels[i];
    printf("%d of %d labels are right\n", right, n);
    assert_true(right >= n / 10 * 9); /* labels mean something */
    assert_int_equal(bad, 0);
}

/* Where nothing is left of a file a compiler has to say so: it would be a prediction that does nothing. */
static void no_target_is_an_error(void **state) {
    (void)state;
    static const char *const compilers[] = {"gcc -DCNNC_NO_VECTORS", "clang -DCNNC_NO_VECTORS", "tcc"}, *const targets[] = {"avx512", "avx2", "vec16"};
    for (int c = 0; c < 3; c++)
        for (int t = 0; t < 3 && is_there(text("%.*s", (int)strcspn(compilers[c], " "), compilers[c])); t++) {
            compile(compilers[c], "", &mnist, text("_%s", targets[t]), text("%s/nothing_%d_%d.o", folder, c, t));
            assert_int_equal(try_jobs(), 1);
            assert_non_null(strstr(file_text(log_of(&jobs[0]), NULL), "this compiler makes nothing of the targets that mnist was generated for"));
            forget_jobs();
        }
}

/* ---- object files ---------------------------------------------------------------------------------------------------------- */

typedef struct Tools {
    const char *compiler, *nm;
    bool stack; /* -fcallgraph-info tells what functions take of the stack */
} Tools;

static const Tools tools[] = {
    {"gcc", "nm", true},
    {"clang", "nm", false},
    {"tcc", "nm", false},
    {"i686-linux-gnu-gcc", "i686-linux-gnu-nm", true},
    {"aarch64-linux-gnu-gcc", "aarch64-linux-gnu-nm", true},
    {"arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-nm", true},
    {"riscv64-linux-gnu-gcc", "riscv64-linux-gnu-nm", true},
    {"s390x-linux-gnu-gcc", "s390x-linux-gnu-nm", true},
    {"powerpc64le-linux-gnu-gcc", "powerpc64le-linux-gnu-nm", true},
    {"arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16", "arm-none-eabi-nm", true},
};
enum { TOOLS = sizeof tools / sizeof *tools };

static bool has_tools(const Tools *t, bool tell) {
    char *compiler = text("%.*s", (int)strcspn(t->compiler, " "), t->compiler);
    const char *none = !is_there(compiler) ? compiler : !is_there(t->nm) ? t->nm : NULL;
    if (none && tell) printf("%-28s skipped: no %s\n", compiler, none);
    return !none;
}

/* Files that are compiled for it: the network of digits in all ways, others with parameters at run time. */
typedef struct Unit {
    const Net *net;
    const char *suffix, *prefix; /* of its names */
    size_t stack;                /* that the header tells */
    bool few;                    /* for every compiler and level; others for this machine's first compiler, with "long" */
} Unit;

static Net nets[MAX_NETS];
static Unit units[MAX_NETS + 16];
static int unit_count;

static void add_unit(const Net *net, const char *options, const char *suffix, bool known) {
    static const char *const names[] = {"max_pooling2d_overlap", "tanh", "two_inputs", "conv2d_strides", "winograd"};
    bool few = net == &mnist && (!*suffix || all);
    for (int i = 0; i < (all ? 5 : 2); i++) few |= !strcmp(names[i], net->name);
    if (!few && !all) return;
    generate(net, options, suffix, known);
    units[unit_count++] = (Unit){.net = net, .suffix = suffix, .few = few};
}

/* What the header tells. */
static void read_header(Unit *u) {
    char *header = file_text(text("%s/%s%s.h", folder, u->net->name, u->suffix), NULL), *at = strstr(header, "#ifndef ") + 8;
    char *prefix = text("%.*s", (int)strcspn(at, "\n") - 2, at);
    const char *define = text("#define %s_STACK_BYTES ", prefix);
    at = strstr(header, define);
    assert_non_null(at);
    u->stack = (size_t)strtoull(at + strlen(define), NULL, 10);
    for (char *c = prefix; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    u->prefix = prefix;
}

static void generate_units(void) {
    static const char *const ways[][2] = {
        {"", ""}, {"--target=avx512", "_avx512"}, {"--target=avx2", "_avx2"}, {"--target=vec16", "_vec16"}, {"--target=scalar", "_scalar"},
        {"--optimize=hot", "_hot"}, {"--optimize=cold", "_cold"}, {"--optimize=size", "_size"},
    };
    int n = find_nets(CNNC_SOURCE_DIR "/tests/nets", nets);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) add_unit(&mnist, ways[i][0], ways[i][1], true);
    add_unit(&mnist, "", "_packed", false);
    for (int i = 0; i < n; i++) add_unit(&nets[i], "", "", false);
    run_jobs(true);
    for (int i = 0; i < unit_count; i++) read_header(&units[i]);
}

static char *object_of(int unit) { return text("%s/%s%s.o", folder, units[unit].net->name, units[unit].suffix); }

/* A file for other machines only: x86's vectors elsewhere, vectors where there are none. */
static bool is_for(const Unit *u, const Tools *t) {
    if (!u->few && t != tools) return false;
    bool x86 = !strcmp(t->nm, "nm") || !strncmp(t->nm, "i686", 4), vectors = strcmp(t->compiler, "tcc") && strncmp(t->nm, "i686", 4);
#ifndef __x86_64__
    x86 = false;
#endif
    return (x86 && vectors) || !strstr(u->suffix, "_avx") ? vectors || strcmp(u->suffix, "_vec16") : false;
}

static void compile_units(const Tools *t, const char *flags) {
    for (int i = 0; i < unit_count; i++)
        if (is_for(&units[i], t)) compile(t->compiler, flags, units[i].net, units[i].suffix, object_of(i));
    run_jobs(true);
}

/* Defined names are <net>_predict, _predict_many and _pack; what has to come from outside is little. */
static bool may_be_there(const char *name, bool defined, const Unit *u) {
    static const char *const ends[] = {"_predict", "_predict_many", "_pack"};
    static const char *const outside[] = {
        "memcpy", "memset", "expf",       /* of the C library */
        "__cpu_model",                    /* of libgcc, what the processor can */
        "_GLOBAL_OFFSET_TABLE_", ".TOC.", /* of the linker */
    };
    static const char *const of_words[][2] = { /* of the C library, where the description has that word; the network of digits has none */
        {"tanhf", ""}, {"sqrtf", "batch_normalization"}, {"sqrtf", "layer_normalization"}, {"sqrtf", "group_normalization"}, {"sqrtf", "normalization"}, {"logf", "log_softmax"}, {"log1pf", "softplus"}, {"expm1f", "elu"}, {"expm1f", "selu"}, {"memmove", "aligned_channels"}, /* gcc's, for a copy */
    };
    for (int i = 0; defined && i < 3; i++)
        if (!strcmp(name, text("%s%s", u->prefix, ends[i]))) return true;
    if (defined) return !strncmp(name, "__x86.get_pc_thunk.", 19); /* where code is: 32-bit x86; hidden, one for all files */
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (!strcmp(name, outside[i])) return true;
    for (size_t i = 0; u->net != &mnist && i < sizeof of_words / sizeof *of_words; i++)
        if (!strcmp(name, of_words[i][0]) && (!*of_words[i][1] || has_word(file_text(u->net->path, NULL), of_words[i][1]))) return true;
    return !strncmp(name, "_save", 5) || !strncmp(name, "_rest", 5); /* registers kept by the linker's code: PowerPC, -Os */
}

static bool names_are_few(char *said, const Unit *u, const char *what) {
    bool fine = true, predicts = false;
    for (char *line; (line = strtok_r(said, "\n", &said));) {
        char name[256], type;
        if (sscanf(line, "%255s %c", name, &type) != 2) continue;
        bool defined = type != 'U' && type != 'w';
        predicts |= type == 'T' && !strcmp(name, text("%s_predict", u->prefix));
        if (may_be_there(name, defined, u)) continue;
        print_error("%s, %s%s: %s\n", what, u->net->name, u->suffix, line);
        fine = false;
    }
    return fine && predicts;
}

/* Asks nm for the names in all objects. */
static int wrong_names(const Tools *t, const char *level) {
    int bad = 0, at = 0;
    for (int i = 0; i < unit_count; i++) {
        if (!is_for(&units[i], t)) continue;
        Job *job = add_job(t->nm);
        add_words(job, "-P -g");
        add_word(job, object_of(i));
    }
    assert_int_equal(try_jobs(), 0);
    for (int i = 0; i < unit_count; i++)
        if (is_for(&units[i], t)) bad += !names_are_few(file_text(log_of(&jobs[at++]), NULL), &units[i], text("%s %s", t->compiler, level));
    forget_jobs();
    return bad;
}

/* ---- the stack ----------------------------------------------------------------------------------------------------------------- */

typedef struct Function {
    char *name;
    size_t frame, deepest; /* with what it calls */
    bool known;
} Function;

enum { MOST_FUNCTIONS = 512 };
static Function functions[MOST_FUNCTIONS];
static int function_count;

static char *quoted(const char *line, const char *key) {
    const char *at = strstr(line, text("%s: \"", key));
    if (!at) return NULL;
    at += strlen(key) + 3;
    return text("%.*s", (int)strcspn(at, "\""), at);
}

static Function *function_named(const char *name) {
    for (int i = 0; i < function_count; i++)
        if (!strcmp(functions[i].name, name)) return &functions[i];
    return NULL;
}

static void read_functions(const char *graph) {
    function_count = 0;
    for (const char *line = graph; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *node = text("%.*s", (int)strcspn(line, "\n"), line), *bytes = strstr(node, " bytes (");
        if (strncmp(node, "node: ", 6) || !bytes) continue; /* functions of others have no size */
        if (!strncmp(bytes, " bytes (dynamic)", 16)) fail_msg("a frame of any size: %s", node);
        while (bytes[-1] >= '0' && bytes[-1] <= '9') bytes--;
        assert_true(function_count < MOST_FUNCTIONS);
        functions[function_count++] = (Function){quoted(node, "title"), (size_t)strtoull(bytes, NULL, 10), 0, false};
    }
}

static size_t deepest(const char *graph, Function *f) {
    if (f->known) return f->deepest;
    char *edge = text("edge: { sourcename: \"%s\"", f->name);
    f->known = true;
    for (const char *at = graph; (at = strstr(at, edge)); at++) {
        Function *called = function_named(quoted(at, "targetname"));
        size_t below = called ? deepest(graph, called) : 0;
        if (below > f->deepest) f->deepest = below;
    }
    return f->deepest += f->frame;
}

/* Of the unit as it was compiled. */
static size_t stack_of(int unit) {
    char *object = object_of(unit);
    char *graph = file_text(text("%.*s.ci", (int)strlen(object) - 2, object), NULL);
    read_functions(graph);
    Function *f = function_named(text("%s_predict_many", units[unit].prefix));
    assert_non_null(f);
    return deepest(graph, f);
}

/* Tells how deep the stack is of what was compiled, and counts what is deeper than its header says. */
static int wrong_stacks(const Tools *t, const char *level) {
    int bad = 0, most = 0;
    size_t of_mnist = stack_of(0);
    for (int i = 0; i < unit_count; i++) {
        if (!is_for(&units[i], t)) continue;
        size_t n = stack_of(i);
        if ((int)(100 * n / units[i].stack) > most) most = (int)(100 * n / units[i].stack);
        if (n <= units[i].stack) continue;
        print_error("%s %s: %s%s takes %zu bytes of the stack, its header says %zu\n", t->compiler, level, units[i].net->name, units[i].suffix, n, units[i].stack);
        bad++;
    }
    printf("%-28s %-4s %11zu %11zu %18d%%\n", text("%.*s", (int)strcspn(t->compiler, " "), t->compiler), level, of_mnist, units[0].stack, most);
    return bad;
}

/* Names are those of the header and few others; the stack is at most what it says. */
static void objects_are_as_promised(void **state) {
    (void)state;
    static const char *const levels[] = {"-O2", "-Os", "-O0", "-O3"};
    int names = 0, stacks = 0;
    generate_units();
    printf("%-28s %-4s %11s %11s %19s\n", "stack, in bytes", "", "mnist", "its header", "most, of header's");
    for (int k = 0; k < TOOLS; k++)
        for (int o = 0; o < (!all ? 1 : k ? 2 : 4) && has_tools(&tools[k], !o); o++) {
            const char *level = levels[all ? o : k > 0]; /* in a hurry -O2 here, -Os for others */
            compile_units(&tools[k], text("%s%s", level, tools[k].stack ? " -fcallgraph-info=su" : ""));
            names += wrong_names(&tools[k], level);
            if (tools[k].stack && strcmp(level, "-O0")) stacks += wrong_stacks(&tools[k], level);
        }
    assert_int_equal(names, 0);
    assert_int_equal(stacks, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_agree),
        cmocka_unit_test(no_target_is_an_error),
        cmocka_unit_test(objects_are_as_promised),
    };
    all = argc > 1 && !strcmp(argv[1], "long");
    if (make_folder(NULL)) return 1;
    bool compiles = there_is("gcc") || there_is("clang"), reads = write_images();
    if (!compiles) printf("skipped: neither gcc nor clang\n");
    else if (!reads) printf("skipped: the images: %s\n", error.text);
    if (compiles && reads) train(), generate_mnist();
    int failed = compiles && reads ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
    free(labels);
    return remove_folder(NULL) || failed;
}
