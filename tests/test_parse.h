/* test_parse.h: what the tests of the parser share: texts parsed, and what was found compared.
 *
 * Texts are parsed from memory that ends where they end, so that a sanitizer sees a byte read too far.
 */
#ifndef TEST_PARSE_H
#define TEST_PARSE_H

#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cnnc.h"

typedef struct Run {
    Arena *arena;
    Source source;
    Diag diag;
    Description description;
    bool ok;
} Run;

static inline Run *start_n(const char *text, size_t length) {
    Run *run = calloc(1, sizeof *run);
    char *copy = malloc(length ? length : 1);
    if (length) memcpy(copy, text, length);
    run->arena = arena_new();
    run->source = (Source){"t.net", copy, length};
    run->diag.source = &run->source;
    run->ok = parse(run->arena, &run->source, &run->diag, &run->description);
    return run;
}

static inline Run *start(const char *text) {
    return start_n(text, strlen(text));
}

static inline void stop(Run *run) {
    free((char *)run->source.text);
    strbuf_free(&run->diag.out);
    arena_free(run->arena);
    free(run);
}

static inline Run *start_good(const char *text) {
    Run *run = start(text);
    assert_string_equal(run->diag.out.text ? run->diag.out.text : "", "");
    assert_true(run->ok);
    return run;
}

/* The value of the only argument of the only statement. */
static inline Value *only_value(Run *run) {
    assert_int_equal(run->description.length, 1);
    assert_int_equal(run->description.statements[0].argument_count, 1);
    return &run->description.statements[0].arguments[0].value;
}

/* Parses and expects exactly this output. */
static inline void assert_bad(const char *text, const char *expected) {
    Run *run = start(text);
    assert_false(run->ok);
    assert_string_equal(run->diag.out.text ? run->diag.out.text : "", expected);
    stop(run);
}

/* Parses one statement and expects one error at this column, with this message and this text in its hint. */
static inline void assert_error(const char *text, int column, const char *message, const char *hint_part) {
    Run *run = start(text);
    assert_false(run->ok);
    assert_int_equal(run->diag.errors, 1);
    char *expected = arena_printf(run->arena, "t.net:1:%d: error: %s\n", column, message);
    char *first = arena_string(run->arena, run->diag.out.text, strcspn(run->diag.out.text, "\n") + 1);
    assert_string_equal(first, expected);
    const char *hint_text = strstr(run->diag.out.text, "hint: ");
    if (hint_part) assert_non_null(strstr(hint_text ? hint_text : "", hint_part));
    else assert_null(hint_text);
    stop(run);
}

static inline void assert_canonical(const char *text, const char *expected) {
    Run *run = start_good(text);
    StrBuf out = {0};
    print_description(&run->description, &out);
    assert_string_equal(out.text ? out.text : "", expected);
    strbuf_free(&out);
    stop(run);
}

static inline bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static inline bool same_value(const Value *a, const Value *b) {
    bool same = a->kind == b->kind && memcmp(&a->number, &b->number, sizeof a->number) == 0 && a->integer == b->integer
             && a->truth == b->truth && same_text(a->word, b->word) && same_text(a->text, b->text)
             && a->length == b->length && a->argument_count == b->argument_count;
    for (int i = 0; same && i < a->length; i++) same = same_value(&a->items[i], &b->items[i]);
    for (int i = 0; same && i < a->argument_count; i++)
        same = same_text(a->arguments[i].key, b->arguments[i].key)
            && same_value(&a->arguments[i].value, &b->arguments[i].value);
    return same;
}

static inline bool same_statement(const Statement *a, const Statement *b) {
    bool same = same_text(a->name.text, b->name.text) && same_text(a->word.text, b->word.text)
             && a->argument_count == b->argument_count && a->from_count == b->from_count;
    for (int i = 0; same && i < a->argument_count; i++)
        same = same_text(a->arguments[i].key, b->arguments[i].key)
            && same_value(&a->arguments[i].value, &b->arguments[i].value);
    for (int i = 0; same && i < a->from_count; i++) same = same_text(a->from[i].text, b->from[i].text);
    return same;
}

/* What was parsed, printed and parsed again, is the same; and printing that changes nothing any more. */
static inline void assert_round_trip(const Run *run) {
    StrBuf once = {0}, twice = {0};
    print_description(&run->description, &once);
    Run *again = start_n(once.text, once.length);
    assert_true(again->ok);
    assert_int_equal(again->description.length, run->description.length);
    for (int i = 0; i < run->description.length; i++)
        assert_true(same_statement(&run->description.statements[i], &again->description.statements[i]));
    print_description(&again->description, &twice);
    assert_true(same_text(once.text, twice.text));
    strbuf_free(&once);
    strbuf_free(&twice);
    stop(again);
}

static inline void assert_loc(Loc loc, int line, int column, int length) {
    assert_int_equal(loc.line, line);
    assert_int_equal(loc.column, column);
    assert_int_equal(loc.length, length);
}

/* Calls function with the text of every network in tests/nets/oracle. */
static inline void for_each_net(void (*function)(const char *text, size_t length)) {
    const char *folder = CNNC_SOURCE_DIR "/tests/nets/oracle";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".net")) continue;
        Arena *arena = arena_new();
        char *text;
        size_t length;
        assert_null(read_file(arena, arena_printf(arena, "%s/%s", folder, entry->d_name), &text, &length));
        function(text, length);
        arena_free(arena);
        n++;
    }
    closedir(dir);
    assert_true(n >= 15);
}

#endif
