/* test_base.c: what compiler/base promises: arena, strbuf, diag. test_base_file.c has files. One feature per test.
 *
 * What exits the process runs in a child. Running out of memory for real is not provoked, only sizes that overflow.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cnnc.h"
#include "test_child.h"

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

static Source source_of(const char *text) {
    return (Source){"mnist.net", text, strlen(text)};
}

static void assert_diag(Diag *d, const char *expected) {
    assert_string_equal(d->out.text ? d->out.text : "", expected);
    strbuf_free(&d->out);
}

/* ---- arena ------------------------------------------------------------------------------------------------------- */

static void arena_memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    Arena *arena = arena_new();
    for (size_t size = 0; size < 200; size++) {
        char *memory = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(memory[i], 0);
        if (size) memset(memory, 0xff, size);
    }
    arena_free(arena);
    arena_free(NULL);
}

static void arena_string_terminates(void **state) {
    (void)state;
    Arena *arena = arena_new();
    assert_string_equal(arena_string(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_string(arena, NULL, 0), "");
    assert_memory_equal(arena_string(arena, "a\0b", 3), "a\0b", 4);
    arena_free(arena);
}

static void arena_printf_formats_any_length(void **state) {
    (void)state;
    Arena *arena = arena_new();
    assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    assert_int_equal(strlen(arena_printf(arena, "%10000d", 1)), 10000);
    arena_free(arena);
}

static void push_keeps_the_elements(void **state) {
    (void)state;
    Arena *arena = arena_new();
    int *items = NULL, n = 0;
    for (int i = 0; i < 10000; i++) *PUSH(arena, items, n) = i * 3;
    assert_int_equal(n, 10000);
    for (int i = 0; i < n; i++) assert_int_equal(items[i], i * 3);
    arena_free(arena);
}

static void push_grows_an_array_of_fixed_size(void **state) {
    (void)state;
    Arena *arena = arena_new();
    int n = 3;
    int *items = NEW_ARRAY(arena, int, 3);
    items[2] = 5;
    for (int i = 0; i < 100; i++) *PUSH(arena, items, n) = i;
    assert_int_equal(items[2], 5);
    assert_int_equal(items[102], 99);
    arena_free(arena);
}

static Arena *volatile lost; /* by the child that exits; known here so that no leak is reported */
static void allocate_too_much(void *none) { (void)none, lost = arena_new(), arena_alloc(lost, SIZE_MAX - 3); }
static void grow_too_much(void *none) { (void)none, lost = arena_new(), arena_grow(lost, NULL, SIZE_MAX / 8, 16); }
static void copy_too_much(void *none) { (void)none, lost = arena_new(), arena_string(lost, "", SIZE_MAX); }
static void append_too_much(void *none) { (void)none, strbuf_add_n(&(StrBuf){0}, "", SIZE_MAX - 1); }
static void append_too_much_more(void *none) {
    (void)none;
    static StrBuf kept;
    strbuf_add(&kept, "text");
    strbuf_add_n(&kept, "", SIZE_MAX / 4 - 4);
}

static void sizes_that_overflow_exit_3(void **state) {
    (void)state;
    void (*const cases[])(void *) = {allocate_too_much, grow_too_much, copy_too_much, append_too_much, append_too_much_more};
    for (int i = 0; i < LENGTH(cases); i++) {
        char text[200];
        assert_int_equal(run_child(cases[i], NULL, text, sizeof text), 3);
        assert_string_equal(text, "cnnc: out of memory\n");
    }
}

/* ---- strbuf ------------------------------------------------------------------------------------------------------ */

static void strbuf_appends(void **state) {
    (void)state;
    StrBuf b = {0};
    strbuf_add(&b, "");
    assert_string_equal(b.text, "");
    strbuf_add(&b, "one");
    strbuf_add_n(&b, " two three", 4);
    strbuf_printf(&b, " %d%%", 42);
    assert_string_equal(b.text, "one two 42%");
    assert_int_equal(b.length, strlen(b.text));
    strbuf_free(&b);
    assert_null(b.text);
}

static void strbuf_grows(void **state) {
    (void)state;
    StrBuf b = {0};
    for (int i = 0; i < 5000; i++) strbuf_printf(&b, "%04d", i);
    assert_int_equal(b.length, 20000);
    for (int i = 0; i < 5000; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%04d", i);
        assert_memory_equal(b.text + 4 * i, expected, 4);
    }
    assert_int_equal(b.text[20000], '\0');
    strbuf_free(&b);
}

/* ---- diag -------------------------------------------------------------------------------------------------------- */

static void error_shows_line_and_caret(void **state) {
    (void)state;
    Source s = source_of("network a\nconv2d         64 5x5   activation=relu\nflatten\n");
    Diag d = {.source = &s};
    error(&d, (Loc){2, 19, 3}, "kernel %dx%d is larger than its input %s", 5, 5, "4x4x64");
    note(&d, (Loc){1, 1, 7}, "the input comes from '%s', declared here", "a");
    hint(&d, "use padding=%s", "same");
    assert_int_equal(d.errors, 1);
    assert_diag(&d, "mnist.net:2:19: error: kernel 5x5 is larger than its input 4x4x64\n"
                    "    conv2d         64 5x5   activation=relu\n"
                    "                      ^~~\n"
                    "mnist.net:1:1: note: the input comes from 'a', declared here\n"
                    "    network a\n"
                    "    ^~~~~~~\n"
                    "hint: use padding=same\n");
}

static void warning_is_counted_apart(void **state) {
    (void)state;
    Source s = source_of("relu");
    Diag d = {.source = &s};
    warning(&d, (Loc){1, 1, 4}, "w");
    assert_int_equal(d.errors, 0);
    assert_int_equal(d.warnings, 1);
    assert_diag(&d, "mnist.net:1:1: warning: w\n    relu\n    ^~~~\n");
}

static void json_has_an_object_a_line(void **state) {
    (void)state;
    Source s = source_of("denze 3\nrelu\n"), named = {"\xff\"\\\xe2\x80\xae.net", "", 0};
    Diag d = {.source = &s};
    diagnostics_as_json(true);
    error(&d, (Loc){1, 1, 5}, "no '%s'", "\"\\\t\x7f\xc2\x85\xc3\xa9\xff\xed\xa0\x80\xe2\x80\xa8\xf0\x9f\x90\x88");
    note(&d, (Loc){2, 1, 1}, "n");
    hint_instead(&d, (Loc){1, 1, 5}, "dense", "dense?");
    hint(&d, "h");
    warning(&d, (Loc){0}, "w");
    d.source = &named;
    error(&d, (Loc){1, 2, 0}, "e");
    diagnostics_as_json(false);
    assert_diag(&d,
        "{\"kind\":\"error\",\"message\":\"no '\\\"\\\\\\u0009\\u007f\\u0085\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\\u2028\xf0\x9f\x90\x88'\","
        "\"locations\":[{\"caret\":{\"file\":\"mnist.net\",\"line\":1,\"column\":1},\"finish\":{\"file\":\"mnist.net\",\"line\":1,\"column\":5}}],\"children\":["
        "{\"kind\":\"note\",\"message\":\"n\",\"locations\":[{\"caret\":{\"file\":\"mnist.net\",\"line\":2,\"column\":1}}],\"children\":[]},"
        "{\"kind\":\"hint\",\"message\":\"dense?\",\"locations\":[],\"fixits\":[{\"start\":{\"file\":\"mnist.net\",\"line\":1,\"column\":1},"
        "\"next\":{\"file\":\"mnist.net\",\"line\":1,\"column\":6},\"string\":\"dense\"}],\"children\":[]},"
        "{\"kind\":\"hint\",\"message\":\"h\",\"locations\":[],\"children\":[]}]}\n"
        "{\"kind\":\"warning\",\"message\":\"w\",\"locations\":[{\"caret\":{\"file\":\"mnist.net\"}}],\"children\":[]}\n"
        "{\"kind\":\"error\",\"message\":\"e\",\"locations\":[{\"caret\":{\"file\":\"\\ufffd\\\"\\\\\\u202e.net\",\"line\":1,\"column\":2}}],\"children\":[]}\n");
}

/* Errors of templates, as their engine words them; and words without its form. */
static void errors_of_templates(void **state) {
    (void)state;
    static const struct { const char *message, *json; } cases[] = {
        {"a.c.tmpl:12: error: no \"x\"\n  in f called from b.c.tmpl:3\n  ...\n",
         "{\"kind\":\"error\",\"message\":\"no \\\"x\\\"\",\"locations\":[{\"caret\":{\"file\":\"a.c.tmpl\",\"line\":12}}],\"children\":["
         "{\"kind\":\"note\",\"message\":\"in f called from b.c.tmpl:3\",\"locations\":[],\"children\":[]},"
         "{\"kind\":\"note\",\"message\":\"...\",\"locations\":[],\"children\":[]}]}\n"},
        {"error: m\n", "{\"kind\":\"error\",\"message\":\"m\",\"locations\":[],\"children\":[]}\n"},
        {"a: error: m", "{\"kind\":\"error\",\"message\":\"m\",\"locations\":[{\"caret\":{\"file\":\"a\"}}],\"children\":[]}\n"},
        {"m", "{\"kind\":\"error\",\"message\":\"m\",\"locations\":[],\"children\":[]}\n"},
    };
    Source s = source_of("");
    for (int i = 0; i < LENGTH(cases); i++) {
        Diag plain = {.source = &s}, json = plain;
        foreign_error(&plain, cases[i].message);
        assert_int_equal(plain.errors, 1);
        assert_diag(&plain, cases[i].message);
        diagnostics_as_json(true);
        foreign_error(&json, cases[i].message);
        diagnostics_as_json(false);
        assert_diag(&json, cases[i].json);
    }
    Diag nowhere = {0}; /* and a hint without a source */
    diagnostics_as_json(true);
    error(&nowhere, (Loc){1, 1, 1}, "m");
    hint_instead(&nowhere, (Loc){1, 1, 1}, "w", "h");
    diagnostics_as_json(false);
    assert_diag(&nowhere, "{\"kind\":\"error\",\"message\":\"m\",\"locations\":[],\"children\":[{\"kind\":\"hint\",\"message\":\"h\",\"locations\":[],\"children\":[]}]}\n");
}

static void line_0_has_no_place(void **state) {
    (void)state;
    Source s = source_of("");
    Diag d = {.source = &s}, nowhere = {0};
    error(&d, (Loc){0}, "no input");
    assert_diag(&d, "mnist.net: error: no input\n");
    error(&nowhere, (Loc){1, 1, 1}, "no source");
    assert_diag(&nowhere, "error: no source\n");
}

static void tabs_become_spaces(void **state) {
    (void)state;
    Source s = source_of("\tdense\t\t3\n");
    Diag d = {.source = &s};
    error(&d, (Loc){1, 9, 1}, "m");
    assert_diag(&d, "mnist.net:1:9: error: m\n     dense  3\n            ^\n");
}

static void caret_may_stand_at_the_end(void **state) {
    (void)state;
    Source s = source_of("dense\r\nrelu");
    Diag d = {.source = &s};
    error(&d, (Loc){1, 6, 1}, "m");
    error(&d, (Loc){2, 3, 99}, "m");
    error(&d, (Loc){2, 99, 5}, "m");
    error(&d, (Loc){7, 1, 1}, "m");
    assert_diag(&d, "mnist.net:1:6: error: m\n    dense\n         ^\n"
                    "mnist.net:2:3: error: m\n    relu\n      ^~\n"
                    "mnist.net:2:99: error: m\n    relu\n        ^\n"
                    "mnist.net:7:1: error: m\n");
}

static void utf8_is_shown_and_counted_by_character(void **state) {
    (void)state;
    Source s = source_of("\xef\xbb\xbf" "dense \xc3\xa9\xe2\x82\xac x");
    Diag d = {.source = &s};
    error(&d, (Loc){1, 7, 5}, "m");
    error(&d, (Loc){1, 13, 1}, "m");
    assert_diag(&d, "mnist.net:1:7: error: m\n    dense \xc3\xa9\xe2\x82\xac x\n          ^~\n"
                    "mnist.net:1:13: error: m\n    dense \xc3\xa9\xe2\x82\xac x\n             ^\n");
}

static void dangerous_text_is_masked(void **state) {
    (void)state;
    static const struct { const char *text, *shown; } characters[] = {
        {"\x1f", "?"}, {"\x7f", "?"}, {"\xc2\x9f", "??"}, {"\xc2\xa0", "\xc2\xa0"}, {"\xe0\x9f\xbf", "???"}, {"\xf0\x8f\xbf\xbf", "????"}, {"\xf4\x90\x80\x80", "????"},
        {"\xe2\x80\xa7", "\xe2\x80\xa7"}, {"\xe2\x80\xa8", "???"}, {"\xe2\x80\xae", "???"}, {"\xe2\x80\xaf", "\xe2\x80\xaf"},
        {"\xe2\x81\xa5", "\xe2\x81\xa5"}, {"\xe2\x81\xa6", "???"}, {"\xe2\x81\xa9", "???"}, {"\xe2\x81\xaa", "\xe2\x81\xaa"}, {"\xee\x80\x80", "\xee\x80\x80"},
    };
    for (int i = 0; i < LENGTH(characters); i++) {
        Source named = {characters[i].text, "", 0};
        Diag d = {.source = &named};
        char expected[40];
        error(&d, (Loc){0}, "m");
        snprintf(expected, sizeof expected, "%s: error: m\n", characters[i].shown);
        assert_diag(&d, expected);
    }
    Source s = {"a\033.net", "x\033[2J \xff\xc3 \xe2\x80\xae \xc2\x9b \xed\xa0\x80 \0.", 22};
    Diag d = {.source = &s};
    error(&d, (Loc){1, 1, 1}, "in '%s'", "\a\xf0\x9f");
    assert_diag(&d, "a?.net:1:1: error: in '\?\?\?'\n    x?[2J \?\? \?\?\? \?\? \?\?\? ?.\n    ^\n");
}

static void long_lines_are_windowed(void **state) {
    (void)state;
    char text[1001];
    for (int i = 0; i < 1000; i++) text[i] = (char)('a' + i % 26);
    text[1000] = '\0';
    Source s = source_of(text);
    const int columns[] = {1, 30, 500, 990, 1001};
    for (int i = 0; i < LENGTH(columns); i++) {
        Diag d = {.source = &s};
        error(&d, (Loc){1, columns[i], 300}, "m");
        char *line = strchr(d.out.text, '\n') + 1, *marks = strchr(line, '\n') + 1;
        assert_true(marks - line <= 121);
        assert_true(strlen(marks) <= 121);
        char *caret = strchr(marks, '^');
        assert_non_null(caret);
        if (columns[i] <= 1000) assert_int_equal(line[caret - marks], text[columns[i] - 1]);
        strbuf_free(&d.out);
    }
}

static void colors_only_when_asked(void **state) {
    (void)state;
    Source s = source_of("relu");
    Diag d = {.source = &s, .color = true};
    error(&d, (Loc){1, 1, 2}, "m");
    hint(&d, "h");
    assert_diag(&d, "\033[1mmnist.net:1:1: \033[0m\033[1;31merror:\033[0m m\n    relu\n    \033[1;32m^~\033[0m\n"
                    "\033[1;36mhint:\033[0m h\n");
}

static void the_rest_is_only_counted(void **state) {
    (void)state;
    Source s = source_of("relu");
    Diag d = {.source = &s, .limit = 2}, by_default = {.source = &s};
    for (int i = 0; i < 5; i++) {
        error(&d, (Loc){0}, "e%d", i);
        note(&d, (Loc){0}, "n%d", i);
        hint(&d, "h%d", i);
    }
    assert_int_equal(d.errors, 5);
    assert_diag(&d, "mnist.net: error: e0\nmnist.net: note: n0\nhint: h0\n"
                    "mnist.net: error: e1\nmnist.net: note: n1\nhint: h1\n");
    for (int i = 0; i < 30; i++) error(&by_default, (Loc){0}, "x");
    assert_int_equal(by_default.out.length, 20 * strlen("mnist.net: error: x\n"));
    strbuf_free(&by_default.out);
}

static void nearest_finds_typing_mistakes(void **state) {
    (void)state;
    static const char *const words[] = {"conv2d", "dense", "max_pooling2d", "relu", "gru", "relu6"};
    static const char *const cases[][2] = {
        {"dense", "dense"}, {"desne", "dense"}, {"dens", "dense"}, {"densee", "dense"}, {"Conv2D", "conv2d"},
        {"MaxPooling2D", "max_pooling2d"}, {"maxpool2d", NULL}, {"rleu", "relu"}, {"gr", "gru"}, {"x", NULL},
        {"", NULL}, {"attention", NULL}, {"ReLU", "relu"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        const char *found = nearest(cases[i][0], words, LENGTH(words));
        if (cases[i][1]) assert_string_equal(found ? found : "nothing", cases[i][1]);
        else assert_null(found);
    }
}

static void nearest_survives_long_words(void **state) {
    (void)state;
    char lengthy[200];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    const char *const words[] = {lengthy, lengthy + 199 - 63};
    assert_null(nearest(lengthy, words, 2));
    assert_ptr_equal(nearest(lengthy + 199 - 62, words, 2), words[1]);
    assert_null(nearest("a", words, 0));
}

/* As long as words can be: something more in front, something less behind, and the other way round. */
static void nearest_finds_mistakes_in_long_words(void **state) {
    (void)state;
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char first[64], last[64], other[64]; /* the last one has three other letters */
    snprintf(first, sizeof first, "_%s", alphabet);
    snprintf(last, sizeof last, "%s_", alphabet);
    snprintf(other, sizeof other, "%s", first);
    other[20] = other[30] = other[40] = '_';
    assert_int_equal(strlen(first), 63);
    assert_ptr_equal(nearest(first, (const char *const[]){other, last}, 2), last);
    assert_ptr_equal(nearest(last, (const char *const[]){first}, 1), first);
}

static void cause_bug(void *none) { (void)none, bug("tensor %d has no shape", 7); }

static void bug_exits_4(void **state) {
    (void)state;
    char text[500];
    assert_int_equal(run_child(cause_bug, NULL, text, sizeof text), 4);
    assert_non_null(strstr(text, "internal error: tensor 7 has no shape\n"));
    assert_non_null(strstr(text, "report"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
        cmocka_unit_test(arena_string_terminates),
        cmocka_unit_test(arena_printf_formats_any_length),
        cmocka_unit_test(push_keeps_the_elements),
        cmocka_unit_test(push_grows_an_array_of_fixed_size),
        cmocka_unit_test(sizes_that_overflow_exit_3),
        cmocka_unit_test(strbuf_appends),
        cmocka_unit_test(strbuf_grows),
        cmocka_unit_test(error_shows_line_and_caret),
        cmocka_unit_test(warning_is_counted_apart),
        cmocka_unit_test(json_has_an_object_a_line),
        cmocka_unit_test(errors_of_templates),
        cmocka_unit_test(line_0_has_no_place),
        cmocka_unit_test(tabs_become_spaces),
        cmocka_unit_test(caret_may_stand_at_the_end),
        cmocka_unit_test(utf8_is_shown_and_counted_by_character),
        cmocka_unit_test(dangerous_text_is_masked),
        cmocka_unit_test(long_lines_are_windowed),
        cmocka_unit_test(colors_only_when_asked),
        cmocka_unit_test(the_rest_is_only_counted),
        cmocka_unit_test(nearest_finds_typing_mistakes),
        cmocka_unit_test(nearest_finds_mistakes_in_long_words), cmocka_unit_test(nearest_survives_long_words),
        cmocka_unit_test(bug_exits_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
