/* test_parse_bounds.c: how much the parser takes, and texts that nobody wrote: random, mutated, cut; with a fixed seed. */
#include "test_parse.h"

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static void nesting_is_bounded(void **state) {
    (void)state;
    for (int depth = 32; depth <= 33; depth++) {
        StrBuf text = {0};
        strbuf_add(&text, "x ");
        for (int i = 0; i < depth; i++) strbuf_add(&text, "f(a=");
        strbuf_add(&text, "1");
        for (int i = 0; i < depth; i++) strbuf_add(&text, ")");
        if (depth <= 32) stop(start_good(text.text));
        else assert_error(text.text, 3 + 4 * 33, "nested more than 32 deep", NULL);
        strbuf_free(&text);
    }
    StrBuf text = {0};
    strbuf_add(&text, "x ");
    for (int i = 0; i < 1000000; i++) strbuf_add(&text, "(");
    assert_error(text.text, 3 + 33, "nested more than 32 deep", NULL);
    strbuf_free(&text);
}

static void arguments_are_bounded(void **state) {
    (void)state;
    static const struct { const char *start, *repeated, *end; int before; } cases[] = {
        {"x", " 1", "", 0}, {"x a=1", ",1", "", 1}, {"x f(1", ",1", ")", 2}, {"x from a", ",a", "", 1},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        for (int limit = 4096; limit <= 4097; limit++) {
            StrBuf text = {0};
            strbuf_add(&text, cases[i].start);
            for (int n = cases[i].before; n < limit; n++) strbuf_add(&text, cases[i].repeated);
            strbuf_add(&text, cases[i].end);
            Run *run = start(text.text);
            assert_int_equal(run->ok, limit == 4096);
            if (!run->ok) assert_non_null(strstr(run->diag.out.text, "more than 4096 values in one statement"));
            stop(run);
            strbuf_free(&text);
        }
    }
}

static double seconds_to_parse(const char *unit, int n, const char *end) {
    StrBuf text = {0};
    for (int i = 0; i < n; i++) strbuf_add(&text, unit);
    strbuf_add(&text, end);
    clock_t before = clock();
    stop(start_n(text.text, text.length));
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    strbuf_free(&text);
    return seconds;
}

/* A quadratic parser would need minutes or hours for these. */
static void time_is_linear(void **state) {
    (void)state;
    static const char *const units[] = {
        "relu\n", " ", "a", "\\\n", "?\n", "?\\\n", "#", "x a=f(\n", "1x", "1", "a \\\n",
    };
    for (int i = 0; i < LENGTH(units); i++) {
        assert_true(seconds_to_parse(units[i], 300000, "") < 10);
        assert_true(seconds_to_parse(units[i], 300000, "x 1") < 10);
    }
}

/* ---- torture ----------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

/* xorshift64*: the same numbers everywhere. */
static uint32_t random_below(uint32_t n) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 33) % n;
}

/* Whatever the text, parse returns; errors are said where there are any; what is accepted survives a round trip. */
static void torture(const char *text, size_t length) {
    Run *run = start_n(text, length);
    assert_int_equal(run->ok, run->diag.errors == 0);
    assert_int_equal(run->ok, run->diag.out.length == 0);
    if (run->ok) assert_round_trip(run);
    stop(run);
}

static void random_bytes(void **state) {
    (void)state;
    random_state = 1;
    for (int i = 0; i < 5000; i++) {
        char text[200];
        size_t length = random_below(sizeof text);
        for (size_t j = 0; j < length; j++) text[j] = (char)random_below(256);
        torture(text, length);
    }
}

/* Pieces of the language in random order come much further than bytes do. */
static void random_tokens(void **state) {
    (void)state;
    static const char *const tokens[] = {
        "a", "relu", "from", "true", "x", "=", "a=", ",", "(", ")", "f(", ")x(", "(1,0)", " ", "  ", "\t", "\n", "\r\n",
        "\\\n", "\\", "#", "3", "0", "-", ".", "1/", "3x3", "1e", "e5", "9999999999999999999", "_", "\xc3\xa9", "\xff",
    };
    random_state = 2;
    for (int i = 0; i < 20000; i++) {
        StrBuf text = {0};
        for (uint32_t n = random_below(30); n > 0; n--) strbuf_add(&text, tokens[random_below(LENGTH(tokens))]);
        torture(text.text, text.length);
        strbuf_free(&text);
    }
}

/* Deletes, doubles, moves or overwrites a few stretches of a network. */
static void mutate(const char *text, size_t length) {
    static const char favourites[] = "=,()x\\#/ -.\n\r\t\"*_0ae";
    for (int i = 0; i < 300; i++) {
        StrBuf now = {0};
        strbuf_add_n(&now, text, length);
        for (uint32_t n = 1 + random_below(3); n > 0; n--) {
            size_t at = random_below((uint32_t)now.length), left = now.length - at;
            size_t many = 1 + random_below(left < 10 ? (uint32_t)left : 10);
            StrBuf next = {0};
            strbuf_add_n(&next, now.text, at);
            uint32_t kind = random_below(4);
            if (kind == 0) strbuf_add_n(&next, &favourites[random_below(sizeof favourites - 1)], 1);
            if (kind == 1) strbuf_printf(&next, "%c", 1 + (int)random_below(255));
            if (kind == 2) strbuf_add_n(&next, text + random_below((uint32_t)(length - many)), many);
            size_t keep = kind == 3 || random_below(2) ? at + many : at;
            strbuf_add_n(&next, now.text + keep, now.length - keep);
            strbuf_free(&now);
            now = next;
            if (now.length == 0) strbuf_add(&now, "x");
        }
        torture(now.text, now.length);
        strbuf_free(&now);
    }
}

static void mutated_nets(void **state) {
    (void)state;
    random_state = 3;
    for_each_net(mutate);
}

static void truncate_everywhere(const char *text, size_t length) {
    for (size_t i = 0; i <= length; i++) torture(text, i);
}

static void truncated_nets(void **state) {
    (void)state;
    for_each_net(truncate_everywhere);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(arguments_are_bounded),
        cmocka_unit_test(time_is_linear),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(random_tokens),
        cmocka_unit_test(mutated_nets),
        cmocka_unit_test(truncated_nets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
