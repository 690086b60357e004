/* test_parse.c: the language as the parser reads it. One feature per test; test_parse_bounds.c has its limits and torture.
 *
 * What words mean is not tested here: the parser does not know either.
 */
#include "test_parse.h"

/* ---- good input: statements -------------------------------------------------------------------------------------- */

static void nothing_is_no_statement(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n", "  \n\t\n", "# only a comment", "#\n#\r\n", "\xef\xbb\xbf", "\\\n"};
    for (int i = 0; i < LENGTH(texts); i++) {
        Run *run = start_good(texts[i]);
        assert_int_equal(run->description.length, 0);
        stop(run);
    }
}

static void statement_has_word_and_arguments(void **state) {
    (void)state;
    Run *run = start_good("  conv2d   32 3x3\tactivation=relu # comment\n");
    const Statement *s = run->description.statements;
    assert_int_equal(run->description.length, 1);
    assert_null(s->name.text);
    assert_string_equal(s->word.text, "conv2d");
    assert_loc(s->word.loc, 1, 3, 6);
    assert_int_equal(s->argument_count, 3);
    assert_null(s->arguments[0].key);
    assert_true(s->arguments[0].value.number == 32);
    assert_int_equal(s->arguments[1].value.kind, VALUE_SIZE);
    assert_loc(s->arguments[1].value.loc, 1, 15, 3);
    assert_string_equal(s->arguments[2].key, "activation");
    assert_loc(s->arguments[2].key_loc, 1, 19, 10);
    assert_string_equal(s->arguments[2].value.word, "relu");
    assert_loc(s->arguments[2].value.loc, 1, 30, 4);
    assert_int_equal(s->from_count, 0);
    stop(run);
}

static void statement_may_be_named(void **state) {
    (void)state;
    Run *run = start_good("a = relu\nb=conv2d 3\n  c  =\tdense 4 units=3");
    assert_int_equal(run->description.length, 3);
    const Statement *s = run->description.statements;
    assert_string_equal(s[0].name.text, "a");
    assert_string_equal(s[0].word.text, "relu");
    assert_string_equal(s[1].name.text, "b");
    assert_string_equal(s[1].word.text, "conv2d");
    assert_string_equal(s[2].name.text, "c");
    assert_loc(s[2].name.loc, 3, 3, 1);
    assert_string_equal(s[2].arguments[1].key, "units");
    stop(run);
}

static void from_gives_names(void **state) {
    (void)state;
    Run *run = start_good("x = add scale=2 from a , b2,c_3  # inputs");
    const Statement *s = run->description.statements;
    assert_int_equal(s->argument_count, 1);
    assert_int_equal(s->from_count, 3);
    assert_string_equal(s->from[0].text, "a");
    assert_string_equal(s->from[1].text, "b2");
    assert_string_equal(s->from[2].text, "c_3");
    assert_loc(s->from[1].loc, 1, 26, 2);
    stop(run);
}

static void names_that_begin_like_from_are_words(void **state) {
    (void)state;
    Run *run = start_good("output fromage from_, fro from(a, b)");
    assert_int_equal(run->description.statements[0].from_count, 0);
    assert_int_equal(run->description.statements[0].argument_count, 3);
    assert_int_equal(run->description.statements[0].arguments[2].value.kind, VALUE_CALL);
    stop(run);
}

static void backslash_continues_a_line(void **state) {
    (void)state;
    Run *run = start_good("a = conv2d \\\n  32 3x3 \\\r\n   activation=relu m=f(a=1, \\\n b=2) \\\n"
                          " from b,\\\nc\nrelu");
    const Statement *s = run->description.statements;
    assert_int_equal(run->description.length, 2);
    assert_int_equal(s->argument_count, 4);
    assert_loc(s->arguments[0].value.loc, 2, 3, 2);
    assert_loc(s->arguments[1].value.loc, 2, 6, 3);
    assert_loc(s->arguments[2].key_loc, 3, 4, 10);
    assert_loc(s->arguments[3].value.arguments[1].key_loc, 4, 2, 1);
    assert_loc(s->from[1].loc, 6, 1, 1);
    assert_loc(s[1].word.loc, 7, 1, 4);
    stop(run);
}

static void crlf_and_byte_order_mark_are_accepted(void **state) {
    (void)state;
    Run *run = start_good("\xef\xbb\xbfnetwork a\r\n\r\nrelu # c\r\ndense 3\r\n");
    assert_int_equal(run->description.length, 3);
    assert_loc(run->description.statements[0].word.loc, 1, 1, 7);
    assert_loc(run->description.statements[2].word.loc, 4, 1, 5);
    stop(run);
}

/* ---- good input: values ------------------------------------------------------------------------------------------ */

static void numbers(void **state) {
    (void)state;
    static const struct { const char *text; double number; bool integer; } cases[] = {
        {"x 3", 3, true}, {"x -2", -2, true}, {"x 0", 0, true}, {"x 007", 7, true}, {"x 0.1", 0.1, false},
        {"x 1e-7", 1e-7, false}, {"x 2E+3", 2000, false}, {"x .5", 0.5, false}, {"x 5.", 5, false},
        {"x -.5e1", -5, false}, {"x 1/255", 1.0 / 255, false}, {"x -1/4", -0.25, false}, {"x 1.5/0.5", 3, false},
        {"x 9007199254740992", 9007199254740992.0, true}, {"x 0.0e9", 0, false}, {"x 1e308", 1e308, false},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Run *run = start_good(cases[i].text);
        const Value *v = only_value(run);
        assert_int_equal(v->kind, VALUE_NUMBER);
        assert_true(v->number == cases[i].number);
        assert_int_equal(v->integer, cases[i].integer);
        assert_string_equal(v->text, cases[i].text + 2);
        assert_loc(v->loc, 1, 3, (int)strlen(cases[i].text) - 2);
        stop(run);
    }
}

static void booleans_and_words(void **state) {
    (void)state;
    static const struct { const char *text; ValueKind kind; bool truth; const char *word; } cases[] = {
        {"f a=true", VALUE_BOOL, true, NULL},      {"f false", VALUE_BOOL, false, NULL},
        {"f a=x3", VALUE_WORD, false, "x3"},       {"f trues", VALUE_WORD, false, "trues"},
        {"f A_b9", VALUE_WORD, false, "A_b9"},     {"f e1", VALUE_WORD, false, "e1"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Run *run = start_good(cases[i].text);
        const Value *v = only_value(run);
        assert_int_equal(v->kind, cases[i].kind);
        assert_int_equal(v->truth, cases[i].truth);
        assert_true(same_text(v->word, cases[i].word));
        stop(run);
    }
    assert_error("f a=True", 5, "'True' is written 'true'", NULL);
    assert_error("f False", 3, "'False' is written 'false'", NULL);
}

static void sizes(void **state) {
    (void)state;
    Run *run = start_good("input shape=28x-1x3");
    const Value *v = only_value(run);
    assert_int_equal(v->kind, VALUE_SIZE);
    assert_int_equal(v->length, 3);
    assert_true(v->items[0].number == 28 && v->items[1].number == -1 && v->items[2].number == 3);
    assert_true(v->items[1].integer);
    assert_loc(v->items[1].loc, 1, 16, 2);
    assert_string_equal(v->text, "28x-1x3");
    stop(run);
}

static void pairs(void **state) {
    (void)state;
    Run *run = start_good("zero_padding2d ( 1, 0)x(2 ,-1 )x(0,0)");
    const Value *v = only_value(run);
    assert_int_equal(v->kind, VALUE_PAIRS);
    assert_int_equal(v->length, 3);
    assert_int_equal(v->items[1].kind, VALUE_SIZE);
    assert_int_equal(v->items[1].length, 2);
    assert_true(v->items[1].items[0].number == 2 && v->items[1].items[1].number == -1);
    assert_string_equal(v->items[1].text, "(2,-1)");
    assert_string_equal(v->text, "(1,0)x(2,-1)x(0,0)");
    stop(run);
}

static void a_lone_pair_is_a_list(void **state) {
    (void)state;
    Run *run = start_good("zero_padding1d (1,0)");
    const Value *v = only_value(run);
    assert_int_equal(v->kind, VALUE_LIST);
    assert_int_equal(v->length, 2);
    assert_loc(v->loc, 1, 16, 5);
    assert_loc(v->items[1].loc, 1, 19, 1);
    stop(run);
}

static void lists(void **state) {
    (void)state;
    Run *run = start_good("compile metrics=accuracy , f(a=1),\t3x3,1/2 loss=mse");
    const Value *v = &run->description.statements[0].arguments[0].value;
    assert_int_equal(run->description.statements[0].argument_count, 2);
    assert_int_equal(v->kind, VALUE_LIST);
    assert_int_equal(v->length, 4);
    assert_int_equal(v->items[1].kind, VALUE_CALL);
    assert_int_equal(v->items[2].kind, VALUE_SIZE);
    assert_string_equal(v->text, "accuracy,f(a=1),3x3,1/2");
    assert_loc(v->loc, 1, 17, 26);
    stop(run);
}

static void a_list_of_one(void **state) {
    (void)state;
    Run *run = start_good("compile metrics=(accuracy)");
    assert_int_equal(only_value(run)->kind, VALUE_LIST);
    assert_int_equal(only_value(run)->length, 1);
    stop(run);
}

static void calls(void **state) {
    (void)state;
    Run *run = start_good("compile optimizer=sgd( learning_rate = decay(a=0.1,b=(1,2)) ,0.5, nesterov=true)");
    const Value *v = only_value(run);
    assert_int_equal(v->kind, VALUE_CALL);
    assert_string_equal(v->word, "sgd");
    assert_int_equal(v->argument_count, 3);
    assert_string_equal(v->arguments[0].key, "learning_rate");
    assert_int_equal(v->arguments[0].value.kind, VALUE_CALL);
    assert_int_equal(v->arguments[0].value.arguments[1].value.kind, VALUE_LIST);
    assert_null(v->arguments[1].key);
    assert_true(v->arguments[2].value.truth);
    assert_string_equal(v->text, "sgd(learning_rate=decay(a=0.1, b=(1,2)), 0.5, nesterov=true)");
    stop(run);
}

static void a_call_may_be_empty(void **state) {
    (void)state;
    Run *run = start_good("compile optimizer=adam( )");
    assert_int_equal(only_value(run)->kind, VALUE_CALL);
    assert_int_equal(only_value(run)->argument_count, 0);
    stop(run);
}

static void canonical_form(void **state) {
    (void)state;
    assert_canonical("# c\n\n a=relu\nadd   from a ,b # d\ninput  28x28x1  scale=1/255 \\\n\n",
                     "a = relu\nadd from a, b\ninput 28x28x1 scale=1/255\n");
    assert_canonical("output a , b", "output a,b\n");
    assert_canonical("z ( 1 , 0 )x( 2,1 ) k=f( a = (1 , 2),b=3 )\r\n", "z (1,0)x(2,1) k=f(a=(1,2), b=3)\n");
}

static void round_trip(const char *text, size_t length) {
    Run *run = start_n(text, length);
    assert_true(run->ok);
    assert_true(run->description.length > 3);
    assert_round_trip(run);
    stop(run);
}

static void every_net_survives_a_round_trip(void **state) {
    (void)state;
    for_each_net(round_trip);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

static void errors_show_the_place(void **state) {
    (void)state;
    assert_bad("network a\n\tdense 1/0  # zero\n",
               "t.net:2:10: error: division by zero\n"
               "     dense 1/0  # zero\n"
               "             ^\n");
}

static void every_bad_line_is_reported(void **state) {
    (void)state;
    Run *run = start("network\n3d\nrelu from\n# fine\ndense 3\nconv2d a=\nrelu )\n");
    assert_false(run->ok);
    assert_int_equal(run->diag.errors, 4);
    assert_int_equal(run->description.length, 2);
    assert_string_equal(run->description.statements[1].word.text, "dense");
    static const char *const places[] = {"t.net:2:1:", "t.net:3:10:", "t.net:6:8:", "t.net:7:6:"};
    for (int i = 0; i < LENGTH(places); i++) assert_non_null(strstr(run->diag.out.text, places[i]));
    stop(run);
}

static void an_error_ends_with_its_continued_line(void **state) {
    (void)state;
    Run *run = start("dense ? \\\n ? ? \\\r\n ?\nrelu\n");
    assert_int_equal(run->diag.errors, 1);
    assert_int_equal(run->description.length, 1);
    assert_loc(run->description.statements[0].word.loc, 4, 1, 4);
    stop(run);
}

static void python_calls(void **state) {
    (void)state;
    assert_error("conv2d(32, 3)", 7, "a layer is written without parentheses", "conv2d 32 3x3");
    assert_error("x = conv2d(32)", 11, "a layer is written without parentheses", "separated by spaces");
    assert_error("x = layers.Dense(3)", 11, "expected a space, found '.'", "no dots");
    assert_error("conv2d 32, activation=relu", 12, "a list cannot hold a key=value", "without commas");
    assert_error("dense 3 use_bias=False", 18, "'False' is written 'false'", NULL);
    assert_error("dense 3 kernel=[3, 3]", 16, "expected a value, found '['", "a,b");
    assert_error("zero_padding2d ((1,0),(2,1))", 17, "a list in a list", "(1,0)x(2,1)");
    assert_error("zero_padding2d (1,0),(2,1)", 16, "a list in a list", "(1,0)x(2,1)");
}

static void sizes_with_spaces(void **state) {
    (void)state;
    assert_error("conv2d 32 3 x 3", 13, "a size with spaces in it", "without spaces: 3x3");
    assert_error("conv2d 32 3 x3", 13, "a size with spaces in it", "3x3");
    assert_error("conv2d 32 3x 3", 13, "expected a number after 'x', found a space", "3x3");
    assert_error("z (1,0) x (2,1)", 9, "a size with spaces in it", "3x3");
    assert_error("z (1,0) x(2,1)", 9, "a size with spaces in it", "3x3");
    assert_error("z 3\tx\t3", 5, "a size with spaces in it", "3x3");
    assert_error("z (1,0)x", 9, "expected '(' after 'x' before the end of the statement", NULL);
    stop(start_good("z 3 x_ 3 xy a=3 x"));
}

static void sizes_may_have_zeros(void **state) {
    (void)state;
    stop(start_good("zero_padding2d 28x0"));
    stop(start_good("zero_padding2d 0x28"));
}

static void bad_sizes(void **state) {
    (void)state;
    assert_error("input 2.5x3", 7, "the parts of a size are integers", NULL);
    assert_error("input 3x2.5", 9, "the parts of a size are integers", NULL);
    assert_error("input 1/2x3", 7, "the parts of a size are integers", NULL);
    assert_error("input 3x1/2", 9, "the parts of a size are integers", NULL);
    assert_error("input 3X3", 7, "malformed number '3X3'", "small x");
    assert_error("input 3*3", 8, "expected a space, found '*'", "3x3");
    assert_error("input 3\xc3\x97" "3", 8, "expected a space, found '\xc3\x97'", "3x3");
    assert_error("input 3xa", 9, "expected a number after 'x', found 'a'", NULL);
    assert_error("z (1,0)x(2,1,3)", 9, "a pair holds two integers: (1,0)x(2,1)", NULL);
    assert_error("z (1,a)x(2,1)", 3, "a pair holds two integers: (1,0)x(2,1)", NULL);
}

static void spaces_around_equals(void **state) {
    (void)state;
    assert_error("dense 3 activation = relu", 9, "spaces around the '=' of an argument", "activation=value");
    assert_error("dense 3 activation =relu", 9, "spaces around the '=' of an argument", "activation=value");
    assert_error("dense 3 activation= relu", 9, "spaces around the '=' of an argument", "activation=value");
}

static void missing_parts(void **state) {
    (void)state;
    assert_error("dense 3 activation=", 9, "'activation=' has no value", NULL);
    assert_error("dense 3 activation= # relu", 9, "'activation=' has no value", NULL);
    assert_error("a =", 4, "expected a layer after '=' before the end of the statement", NULL);
    assert_error("a = 3", 5, "expected a layer after '=', found '3'", NULL);
    assert_error("add from", 9, "expected the name of a layer before the end of the statement", NULL);
    assert_error("add from a,", 12, "expected the name of a layer before the end of the statement", NULL);
    assert_error("output a,", 10, "expected a value before the end of the statement", NULL);
    assert_error("f a=(1,)", 8, "expected a value, found ')'", NULL);
    assert_error("f a=()", 5, "an empty list", NULL);
    assert_error("f a=g(b=)", 9, "expected a value, found ')'", NULL);
    assert_error("f -", 4, "expected a number after '-' before the end of the statement", NULL);
}

static void bad_from(void **state) {
    (void)state;
    assert_error("from a, b", 1, "'from' without a layer before it", "continues it");
    assert_error("add from a b", 12, "expected ',' or the end of the statement, found 'b'", "commas");
    assert_error("add from a axis=1", 12, "expected ',' or the end of the statement, found 'a'", "comes last");
    assert_error("add from=a", 5, "'from' is not an argument", "write from a, b");
    assert_error("add from 3", 10, "expected the name of a layer, found '3'", NULL);
}

static void bad_names(void **state) {
    (void)state;
    char text[80], expected[80];
    memset(text, 'n', 64);
    strcpy(text + 63, " = relu");
    Run *run = start_good(text);
    assert_int_equal(strlen(run->description.statements[0].name.text), 63);
    stop(run);
    memset(text, 'n', 64);
    strcpy(text + 64, " = relu");
    snprintf(expected, sizeof expected, "this name has 64 characters; at most 63 are allowed");
    assert_error(text, 1, expected, NULL);
    static const struct { const char *before, *after; } places[] = {{"", ""}, {"a=", ""}, {"", "=1"}, {"f(", "=1)"}, {"f(", ")"}, {"from ", ""}};
    for (int i = 0; i < LENGTH(places); i++) {
        char line[100];
        snprintf(line, sizeof line, "relu %s%.64s%s", places[i].before, text, places[i].after);
        assert_error(line, 6 + (int)strlen(places[i].before), expected, NULL);
    }
    assert_error("_a = relu", 1, "expected a statement, found '_'", "start with a letter");
    assert_error("3d = relu", 1, "expected a statement, found '3'", NULL);
    assert_error("d\xc3\xa9" "but = relu", 2, "expected a space, found '\xc3\xa9'", NULL);
    assert_error("a-b = relu", 2, "expected a space, found '-'", "names have letters");
    assert_error("from = relu", 1, "'from' cannot be a name", NULL);
    assert_error("true = relu", 1, "'true' cannot be a name", NULL);
}

static void unclosed_parentheses(void **state) {
    (void)state;
    assert_error("compile optimizer=sgd(learning_rate=0.1", 22, "this '(' is not closed", "continues it");
    assert_error("compile optimizer=sgd(learning_rate=0.1,", 22, "this '(' is not closed", "continues it");
    assert_error("f a=g(h(b=1) # )", 6, "this '(' is not closed", "continues it");
    assert_error("f a=(1,2", 5, "this '(' is not closed", "continues it");
    assert_error("f a=g(b=1))", 11, "expected a space, found ')'", NULL);
    assert_error("f a=g(b=1 c=2)", 11, "expected ',' or ')', found 'c'", NULL);
    assert_error("f a=g (b=1)", 8, "a list cannot hold a key=value", "without a space");
}

static void stray_characters(void **state) {
    (void)state;
    assert_error("dense 3 activation=\"relu\"", 20, "expected a value, found '\"'", "without quotes");
    assert_error("dense 3 activation='relu'", 20, "expected a value, found '''", "without quotes");
    assert_error("dense 3 activation=\xe2\x80\x9crelu", 20, "expected a value, found '\xe2\x80\x9c'", "without quotes");
    assert_error("dense\xc2\xa0" "3", 6, "expected a space, found '\xc2\xa0'", "no-break space");
    assert_error("dense +3", 7, "expected a value, found '+'", "without a sign");
    assert_error("dense 3 activation: relu", 19, "expected a space, found ':'", "key=value");
    assert_error("dense 3; relu", 8, "expected a space, found ';'", "line of its own");
    assert_error("dense 1 / 255", 9, "expected a value, found '/'", "1/255");
    assert_error("dense \\ 3", 7, "expected a value, found '\\'", "last character");
    assert_error("dense 3 \\", 9, "expected a value, found '\\'", "last character");
    assert_error("dense \x1b", 7, "expected a value, found the byte 0x1b", NULL);
    assert_error("dense 3\rrelu", 8, "expected a space, found the byte 0x0d", NULL);
    assert_error("dense \xff", 7, "expected a value, found '?'", NULL);
    assert_error("dense 3 a==b", 11, "expected a value, found '='", NULL);
    assert_error(", a", 1, "expected a statement, found ','", NULL);
}

static void bad_numbers(void **state) {
    (void)state;
    assert_error("dense 1/0", 9, "division by zero", NULL);
    assert_error("dense 0/0.0", 9, "division by zero", NULL);
    assert_error("dense 1e999", 7, "this number is out of range", NULL);
    assert_error("dense 1e-999", 7, "this number is out of range", NULL);
    assert_error("dense 1e300/1e-300", 13, "this number is out of range", NULL);
    assert_error("dense 9007199254740994", 7, "this number is out of range", "2^53");
    assert_error("dense 32filters", 7, "malformed number '32filters'", "separated by spaces");
    assert_error("dense 1.2.3", 7, "malformed number '1.2.3'", NULL);
    assert_error("dense 1/2/3", 7, "malformed number '1/2/3'", NULL);
    assert_error("dense 1e", 9, "expected the digits of an exponent before the end of the statement", NULL);
    assert_error("dense 1/x", 9, "expected a number after '/', found 'x'", NULL);
    assert_error("dense 1/-3", 9, "expected a number after '/', found '-'", "begins a number");
    assert_error("dense .", 7, "expected a number, found '.'", "no dots");
}

static void a_comment_takes_no_continuation(void **state) {
    (void)state;
    assert_bad("relu # c \\\n", "t.net:1:10: error: a comment cannot be continued\n"
                               "    relu # c \\\n"
                               "             ^\n"
                               "hint: the '\\' would make the next line part of the comment; "
                               "end the comment with something else\n");
    assert_error("# c \\\r\nrelu", 5, "a comment cannot be continued", "end the comment");
    stop(start_good("# back\\slash\nrelu # at the end of the file \\"));
}

static void nul_bytes_are_refused(void **state) {
    (void)state;
    Run *run = start_n("relu\n# a\0b\n", 11);
    assert_false(run->ok);
    assert_non_null(strstr(run->diag.out.text, "t.net:2:4: error: a NUL byte"));
    stop(run);
}

/* Places have to fit an int; its text is not looked at. */
static void a_file_too_large_is_refused(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Source source = {"t.net", "relu", (size_t)INT32_MAX / 2 + 1};
    Diag diag = {.source = &source};
    Description description;
    assert_false(parse(arena, &source, &diag, &description));
    assert_string_equal(diag.out.text, "t.net: error: the file is too large\n");
    assert_int_equal(description.length, 0);
    strbuf_free(&diag.out);
    arena_free(arena);
}

static void errors_of_before_do_not_count(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Source source = {"t.net", "relu", 4};
    Diag diag = {.source = &source, .errors = 3};
    Description description;
    assert_true(parse(arena, &source, &diag, &description));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_statement),
        cmocka_unit_test(statement_has_word_and_arguments),
        cmocka_unit_test(statement_may_be_named),
        cmocka_unit_test(from_gives_names),
        cmocka_unit_test(names_that_begin_like_from_are_words),
        cmocka_unit_test(backslash_continues_a_line),
        cmocka_unit_test(crlf_and_byte_order_mark_are_accepted),
        cmocka_unit_test(numbers),
        cmocka_unit_test(booleans_and_words),
        cmocka_unit_test(sizes),
        cmocka_unit_test(pairs),
        cmocka_unit_test(a_lone_pair_is_a_list),
        cmocka_unit_test(lists),
        cmocka_unit_test(a_list_of_one),
        cmocka_unit_test(calls),
        cmocka_unit_test(a_call_may_be_empty),
        cmocka_unit_test(canonical_form),
        cmocka_unit_test(every_net_survives_a_round_trip),
        cmocka_unit_test(errors_show_the_place),
        cmocka_unit_test(every_bad_line_is_reported),
        cmocka_unit_test(an_error_ends_with_its_continued_line),
        cmocka_unit_test(python_calls),
        cmocka_unit_test(sizes_with_spaces),
        cmocka_unit_test(sizes_may_have_zeros),
        cmocka_unit_test(bad_sizes),
        cmocka_unit_test(spaces_around_equals),
        cmocka_unit_test(missing_parts),
        cmocka_unit_test(bad_from),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(unclosed_parentheses),
        cmocka_unit_test(stray_characters),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(a_comment_takes_no_continuation),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(a_file_too_large_is_refused),
        cmocka_unit_test(errors_of_before_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
