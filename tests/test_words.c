/* The words that kernels are written in, of each target that this machine runs, by each compiler: words.c says what they
 * must do, and how exact exp, tanh, sigmoid and log must be. With the argument "long" more floats are tried. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "cnnc.h"

static const char *step = "4099";

static const char *supported(const char *attribute) {
    char *rest = text("%s", attribute), *list = text("1");
    for (char *feature; (feature = strtok_r(rest, ",", &rest));) list = text("%s && __builtin_cpu_supports(\"%s\")", list, feature);
    return list;
}

/* The file that words.c includes: a target's words, and what it must know of the target. */
static void write_words(Arena *arena, const Target *t, const char *path) {
    StrBuf out = {0}, message = {0};
    Bindings *b = bindings_new(arena, NULL);
    const char *head = t->attribute ? text("__attribute__((target(\"%s\")))", t->attribute) : "";
    bind_string(b, "T", "float");
    bind_string(b, "F", "f");
    bind_string(b, "V", t->vector);
    bind_int(b, "L", t->lanes);
    bind_string(b, "INLINE", text("%s __attribute__((unused)) static inline %s", head, t->lanes > 1 ? "__attribute__((always_inline))" : ""));
    bind_optional(b, "T");
    bind_optional(b, "F");
    if (t->attribute) strbuf_printf(&out, "#include <immintrin.h>\n");
    if (!t->attribute && t->lanes > 1) strbuf_printf(&out, "#ifdef __SSE2__\n#include <immintrin.h>\n#endif\n");
    strbuf_printf(&out, "#define V %s\n#define L %d\n#define HEAD %s\n#define SUPPORTED (%s)\n", t->vector, t->lanes, head, t->attribute ? supported(t->attribute) : "1");
    if (!template_expand(templates_new(arena, NULL), "simd", b, &out, &message)) fail_msg("%s", message.text);
    if (write_file(arena, path, out.text, out.length)) fail_msg("cannot write %s", path);
    strbuf_free(&out);
    strbuf_free(&message);
}

static const char *const compilers[] = {"gcc", "clang"}, *const levels[] = {"-O2", "-O0"};

static char *program(const char *cc, const Target *t, const char *level) { return text("%s/%s_%s%s", folder, t->name, cc, level); }

static void add_compilation(const char *cc, const Target *t, const char *level) {
    Job *job = add_job(cc);
    add_words(job, "-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror");
    add_word(job, level);
    add_word(job, text("-DWORDS=\"%s/%s.h\"", folder, t->name));
    add_word(job, text("-DSTEP=%s", step));
    add_word(job, CNNC_SOURCE_DIR "/tests/words.c");
    add_words(job, "-lm -o");
    add_word(job, program(cc, t, level));
}

static void add_run(const char *cc, const Target *t, const char *level) {
    add_word(add_job(""), program(cc, t, level));
}

static void add_all(void (*add)(const char *, const Target *, const char *), const bool *there) {
    for (int c = 0; c < 2; c++)
        for (const Target *t = targets; there[c] && t->name; t++)
            for (int l = 0; l < 2; l++) add(compilers[c], t, levels[l]);
}

static void words_are_right(void **state) {
    (void)state;
    const bool there[] = {there_is(compilers[0]), there_is(compilers[1])};
    Arena *arena = arena_new();
    for (const Target *t = targets; t->name; t++) write_words(arena, t, text("%s/%s.h", folder, t->name));
    arena_free(arena);
    add_all(add_compilation, there);
    run_jobs(true);
    add_all(add_run, there);
    int bad = try_jobs();
    for (int i = 0; i < job_count; i++) print_job(&jobs[i]);
    forget_jobs();
    assert_int_equal(bad, 0);
    if (!there[0] && !there[1]) skip();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_right)};
    if (argc > 1 && !strcmp(argv[1], "long")) step = "101";
    if (make_folder(NULL)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return remove_folder(NULL) || failed;
}
