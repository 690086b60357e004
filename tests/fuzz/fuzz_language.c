/* Descriptions: from text through every stage to C. Networks that are right but large are left after `build`, so that an input
 * takes no long time. What is right is printed canonically, and that must parse to the same. */
#include "fuzz.h"

#include "cnnc.h"

#include <string.h>

enum { MOST_LAYERS = 12, MOST_ELEMENTS = 20000, LONGEST = 8192 };

static int run(const char *text, size_t size, const char *last, Compilation *c) {
    compilation_init(c, false);
    c->source = (Source){"fuzz.net", text, size};
    for (int i = 0; i < c->options.target_count; i++) /* one with vectors, chosen by the input */
        if (size % (size_t)c->options.target_count == (size_t)i) c->options.targets[0] = c->options.targets[i];
    c->options.target_count = 1;
    c->options.input_gradient = size & 1;
    c->options.inference = size % 4 == 2;
    c->options.optimize = (Optimize)(size / 4 % 3);
    int status = compile_source(c, last, NULL, NULL);
    REQUIRE(status == EXIT_FINE || (status == EXIT_INPUT && c->diag.errors > 0 && c->diag.out.length));
    for (size_t i = 0; i < c->diag.out.length; i++) REQUIRE(c->diag.out.text[i] == '\n' || (unsigned char)c->diag.out.text[i] >= 0x20);
    return status;
}

static bool is_small(const Graph *g) {
    int64_t elements = 0;
    for (int i = 0; i < g->tensor_count; i++) {
        elements += shape_count(g->tensors[i]->shape);
        if (elements > MOST_ELEMENTS) return false;
    }
    return g->layer_count <= MOST_LAYERS;
}

static void require_same_again(const Compilation *c) {
    StrBuf once = {0}, twice = {0};
    print_description(&c->description, &once);
    Arena *arena = arena_new();
    Source source = {"again.net", once.text ? once.text : "", once.length};
    Diag diag = {.source = &source};
    Description again;
    REQUIRE(parse(arena, &source, &diag, &again));
    print_description(&again, &twice);
    REQUIRE(once.length == twice.length && (!once.length || !memcmp(once.text, twice.text, once.length)));
    strbuf_free(&once);
    strbuf_free(&twice);
    strbuf_free(&diag.out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > LONGEST) return -1;
    char *text = malloc(size + 1); /* terminated, as read_file gives it */
    REQUIRE(text);
    memcpy(text, data, size);
    text[size] = 0;
    Compilation c;
    bool whole = run(text, size, "build", &c) == EXIT_FINE && is_small(c.graph);
    if (!c.diag.errors) require_same_again(&c);
    compilation_free(&c);
    if (whole) {
        run(text, size, NULL, &c);
        compilation_free(&c);
    }
    free(text);
    return 0;
}
