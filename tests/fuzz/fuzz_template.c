/* The template engine: any text ends in an expansion or in a message with its line. The word after the first line end is a
 * second template, which the first may include. */
#include "fuzz.h"

#include "template.h"

#include <string.h>

static Bindings *some_bindings(Arena *a) {
    static const int64_t ints[] = {3, 1, 2};
    static const char *const strings[] = {"a", "b"}, *const names[] = {"n", "minus", "V", "gelu", "list", "words", "records"};
    Bindings *b = bindings_new(a, NULL), *records[2];
    bind_int(b, "n", 4);
    bind_int(b, "minus", -7);
    bind_string(b, "V", "avx2");
    bind_string(b, "gelu", "${V}_mul(${x}, ${V}_set($$1, ${n}))");
    bind_ints(b, "list", ints, LENGTH(ints));
    bind_strings(b, "words", strings, LENGTH(strings));
    for (int i = 0; i < 2; i++) {
        records[i] = bindings_new(a, NULL);
        bind_string(records[i], "name", i ? "bias" : "kernel");
        bind_int(records[i], "size", 10 * (i + 1));
    }
    bind_records(b, "records", records, 2);
    for (int i = 0; i < LENGTH(names); i++) bind_optional(b, names[i]);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096 || memchr(data, 0, size)) return -1;
    Arena *a = arena_new();
    Templates *t = templates_new(a, NULL);
    StrBuf out = {0}, message = {0};
    tmpl_add(t, "t.c.tmpl", arena_string(a, (const char *)data, size));
    tmpl_add(t, "lib.c.tmpl", "$let width = 2 * n\n$def box(x)\n[${x}:${width}]\n$end\n$def pair\n$box(1)\n$end\n");
    if (!template_expand(t, "t", some_bindings(a), &out, &message)) {
        REQUIRE(message.length);
        REQUIRE(strstr(message.text, "error: "));
    }
    strbuf_free(&out);
    strbuf_free(&message);
    arena_free(a);
    return 0;
}
