/* test_template.c: the template engine: what comes out, what is refused and where, and that nothing hostile harms.
 *
 * Most cases are rows of a table: a template, and its expansion or a part of its error. Templates are added to the
 * catalogue through template.h as if they were embedded; folders are tested apart.
 */
#define _POSIX_C_SOURCE 200809L
#include "template.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The names that the tables below may use; none has to be used. */
static Bindings *standard_bindings(Arena *a) {
    static const int64_t ints[] = {3, 1, 2};
    static const char *const strings[] = {"a", "b"};
    static const char *const all[] = {"n", "minus", "V", "gelu", "lines", "nothing", "list", "words", "records",
        "which",
                                      "big", "least"};
    Bindings *parent = bindings_new(a, NULL), *b = bindings_new(a, parent);
    bind_string(parent, "from_parent", "p");
    bind_int(b, "n", 4);
    bind_int(b, "minus", -7);
    bind_string(b, "V", "avx2");
    bind_string(b, "gelu", "${V}_mul(${x}, ${V}_set($$1, ${n}))");
    bind_string(b, "lines", "one\n  two\n\nthree\n");
    bind_string(b, "nothing", "");
    bind_ints(b, "list", ints, LENGTH(ints));
    bind_strings(b, "words", strings, LENGTH(strings));
    bind_string(b, "which", "twice");
    bind_int(b, "big", INT64_MAX);
    bind_int(b, "least", INT64_MIN);
    Bindings *records[2];
    for (int i = 0; i < 2; i++) {
        records[i] = bindings_new(a, NULL);
        bind_string(records[i], "name", i == 0 ? "kernel" : "bias");
        bind_int(records[i], "size", 10 * (i + 1));
        bind_int(records[i], "unused", 0);
    }
    bind_records(b, "records", records, 2);
    for (int i = 0; i < LENGTH(all); i++)
        bind_optional(b, all[i]);
    return b;
}

/* Expands one template; the caller frees *out and *message. */
static bool expand_text(const char *text, const char *entry, StrBuf *out, StrBuf *message) {
    Arena *a = arena_new();
    Templates *t = templates_new(a, NULL);
    tmpl_add(t, "t.c.tmpl", text);
    tmpl_add(t, "lib.c.tmpl", "$let width = 2 * n\n$def box(x)\n[${x}:${width}]\n$end\n$def pair\n$box(1)\n$end\n");
    bool ok = template_expand(t, entry, standard_bindings(a), out, message);
    arena_free(a);
    return ok;
}

typedef struct Case { const char *template, *expected; } Case;

static void check_expansions(const Case *cases, int n) {
    for (int i = 0; i < n; i++) {
        StrBuf out = {0}, message = {0};
        strbuf_add(&out, "");
        if (!expand_text(cases[i].template, "t", &out, &message))
            fail_msg("template:\n%s\nerror: %s", cases[i].template, message.text);
        if (strcmp(out.text, cases[i].expected) != 0)
            fail_msg("template:\n%s\nexpected:\n%s\ngot:\n%s", cases[i].template, cases[i].expected, out.text);
        strbuf_free(&out);
        strbuf_free(&message);
    }
}

static void check_errors(const Case *cases, int n) {
    for (int i = 0; i < n; i++) {
        StrBuf out = {0}, message = {0};
        strbuf_add(&out, "kept");
        if (expand_text(cases[i].template, "t", &out, &message))
            fail_msg("template:\n%s\nexpected the error: %s\ngot:\n%s", cases[i].template, cases[i].expected, out.text);
        if (!strstr(message.text, cases[i].expected))
            fail_msg("template:\n%s\nexpected the error: %s\ngot: %s", cases[i].template, cases[i].expected,
                message.text);
        assert_string_equal(out.text, "kept");
        strbuf_free(&out);
        strbuf_free(&message);
    }
}

static void test_text(void **state) {
    static const Case cases[] = {
        {"", ""},
        {"a\n\n  b", "a\n\n  b\n"},
        {"a\r\nb  \r\n \t\n", "a\nb\n\n"},
        {"cost $5 $x a$ $(y) $", "cost $5 $x a$ $(y) $\n"},
        {"$$ $$$$ $${n}", "$ $$ ${n}\n"},
        {"$# a comment\nx\n   $# another\n", "x\n"},
        {"x[${n}] = ${V}_load(p + ${n * 8});", "x[4] = avx2_load(p + 32);\n"},
        {"${n}${minus}", "4-7\n"},
        {"${ \"}\" }", "}\n"},
        {"  ${lines}\nend", "  one\n    two\n\n  three\nend\n"},
        {"a ${lines}b", "a one\n  two\n\nthree\nb\n"},
        {"a\n  ${nothing}\nb", "a\nb\n"},
        {"a${nothing}  \n  ${nothing}${nothing}\nb", "a\n\nb\n"},
        {"\tx\n\t\ty", "\tx\n\t\ty\n"},
        {"${from_parent}", "p\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_expressions(void **state) {
    static const Case cases[] = {
        {"${1 + 2 * 3 - 4}", "3\n"}, {"${(1 + 2) * 3}", "9\n"}, {"${10 - 3 - 2}", "5\n"},
        {"${-7 / 2} ${-7 % 2}", "-3 -1\n"},
        {"${0x1F} ${0xff} ${0X1f} ${- -3} ${!0}${!5} ${!-1}", "31 255 31 3 10 0\n"},
        {"${1 < 2}${2 <= 1}${1 == 1}${1 != 1}${2 > 1}${2 >= 3}", "101010\n"},
        {"${\"a\" == \"a\"}${\"a\" != \"b\"}${\"a\" == \"ab\"}", "110\n"},
        {"${1 && 0 || 1}${0 && 1 / 0}${1 || 1 / 0}", "101\n"},
        {"${n > 3 ? \"big\" : \"small\"} ${0 ? 1 : 0 ? 2 : 3} ${1 ? 2 : 1 / 0}", "big 3 2\n"},
        {"${\"x\" ~ n + 1 ~ \"y\"} ${1 ~ 2} ${\"a\" ~ \"b\" == \"ab\"}", "x5y 12 1\n"},
        {"${list[0]} ${[[1, 2], [3]][0][1]} ${len(list)} ${len([])} ${len(V)}", "3 2 3 0 4\n"},
        {"${records[1].name} ${records[0].size + 1}", "bias 11\n"},
        {"${min(3, 1, 2)} ${max(3, n)} ${abs(minus)} ${abs(3)}", "1 4 7 3\n"},
        {"${join(range(4), \", \")} ${join([], \",\")}${join(words, \"\")} ${join([1, V], \"+\")}",
         "0, 1, 2, 3 ab 1+avx2\n"},
        {"${len(text(123))} ${text(\"s\")} ${len(range(0))}", "3 s 0\n"},
        {"${has(\"n\")}${has(\"absent\")} ${has(\"n\") ? n : absent}", "10 4\n"},
        {"${\"q\\\"\\\\ \\t\"}|", "q\"\\ \t|\n"}, {"${\"a\\nb\"}", "a\nb\n"},
        {"${9223372036854775807} ${big} ${least} ${-9223372036854775807 - 1}",
         "9223372036854775807 9223372036854775807 -9223372036854775808 -9223372036854775808\n"},
        {"${big * -1 - 1} ${least / 2 * 2} ${least + big}", "-9223372036854775808 -9223372036854775808 -1\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_blocks(void **state) {
    static const Case cases[] = {
        {"$for i in 0..3\n  x${i}\n$end", "x0\nx1\nx2\n"},
        {"$for i in 0..7 step 3\nx${i}\n$end\ny", "x0\nx3\nx6\ny\n"},
        {"$for i in 3..0 step -2\n${i}\n$end", "3\n1\n"},
        {"$for i in 3..3\n${i}\n$end", ""},
        {"$for i in big - 1..big step 5\nonce\n$end", "once\n"},
        {"$for i in least + 1..least step -5\nonce\n$end", "once\n"},
        {"$for x in list\n${x}\n$end", "3\n1\n2\n"},
        {"$for i, x in words\n${i}${x}\n$end", "0a\n1b\n"},
        {"$for r in records\n${r.name}=${r.size};\n$end", "kernel=10;\nbias=20;\n"},
        {"$for i in 0..2\n$for j in 0..2\n${i}${j}\n$end\n$end", "00\n01\n10\n11\n"},
        {"$if n > 3\nyes\n$else\nno\n$end", "yes\n"},
        {"$if n > 4\na\n$elif n == 4\nb\n$elif 1 / 0\nc\n$else\nd\n$end", "b\n"},
        {"$if 0\na\n$elif 0\nb\n$else\nc\n$end", "c\n"},
        {"$if 0\na\n$end", ""}, {"$if 1\n$end\nx", "x\n"},
        {"$let k = n * 2\n${k}", "8\n"},
        {"${k}\n$let k = j\n$let j = 5", "5\n"},
        {"$let n = has(\"n\") ? n + 1 : 0\n${n}", "5\n"},
        {"$let _k = 7\nx", "x\n"},
        {"$if n\n$assert n == 4, \"n is \" ~ n\nx\n$end", "x\n"},
        {"$for i in 0..2\n$let k = i * i\n$let k2 = k + 1\n${k2}\n$end", "1\n2\n"},
        {"$for n in 0..1\n${n}\n$end\n${n}", "0\n4\n"},
        {"$assert n == 4, \"n is \" ~ n\nx", "x\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_indentation(void **state) {
    static const Case cases[] = {
        {"f {\n    $for i in 0..2\n        x;\n        if (a)\n            y;\n    $end\n}",
         "f {\n    x;\n    if (a)\n        y;\n    x;\n    if (a)\n        y;\n}\n"},
        {"f {\n$for i in 0..1\n    x;\n    $if 1\n        y;\n\n        z;\n    $else\n      w;\n    $end\n$end\n}",
         "f {\nx;\ny;\n\nz;\n}\n"},
        {"    $if 1\n    same\n  less\n$end", "    same\n  less\n"},
        {"  $if 1\n\n      x\n y\n  $end", "\n  x\ny\n"},
        {"$def two(a)\n    ${a} {\n        x\n\n    }\n$end\nf {\n        $two(1)\n    $two(\"b\")\n}",
         "f {\n        1 {\n            x\n\n        }\n    b {\n        x\n\n    }\n}\n"},
        {"$def inner\n#if 1\n  ${lines}\n$end\n$def outer\n  {\n    $inner()\n  }\n$end\n$if 1\n  $if 1\n"
         "    $outer()\n  $end\n$end",
         "{\n  #if 1\n    one\n      two\n\n    three\n}\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_definitions(void **state) {
    static const Case cases[] = {
        {"$twice(3)\n$def twice(x)\n${2 * x}\n$end", "6\n"},
        {"$def twice(x)\n${2 * x} ${n}\n$end\n$call which(1)\n$call (\"tw\" ~ \"ice\")(2)", "2 4\n4 4\n"},
        {"$def down(k)\n$if k > 0\n${k}\n$down(k - 1)\n$end\n$end\n$down(3)", "3\n2\n1\n"},
        {"$let k = 7\n$def f\n${k}\n$end\n$for k in 0..1\n$f()\n$end", "7\n"},
        {"$def f(_spare, x)\n${x}\n$end\n$f(1, 2)", "2\n"},
        {"$include \"lib\"\n$box(n)\n$pair()", "[4:8]\n[1:8]\n"},
        {"$include \"l\" ~ \"ib\"\n$def box(x)\nmine ${x}\n$end\n$box(n)\n$pair()", "mine 4\n[1:8]\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_fragments(void **state) {
    static const Case cases[] = {
        {"y = ${expand(gelu, x = \"v\" ~ 1)};", "y = avx2_mul(v1, avx2_set($1, 4));\n"},
        {"${expand(\"plain\", x = 1)} ${expand(\"${a}${b}\", a = 1, b = \"z\")}", "plain 1z\n"},
        {"$for i in 0..2\n${expand(\"${i}/${n}\", n = i + 10)} ${n}\n$end", "0/10 4\n1/11 4\n"},
        {"${expand(\"${expand(f, x = 1)}\", f = \"<${x}>\")}", "<1>\n"},
        {"$def f(x, y)\n${expand(\"${x}\")}\n$end\n$f(1, 2)", "1\n"},
        {"${expand(\"$if $for ${1}\\n$let\")}", "$if $for 1\n$let\n"},
    };
    (void)state;
    check_expansions(cases, LENGTH(cases));
}

static void test_syntax_errors(void **state) {
    static const Case cases[] = {
        {"a\n${", "t.c.tmpl:2: error: expected an expression instead of the end of the line"},
        {"${n", "expected \"}\" instead of the end of the line"},
        {"${n n}", "expected \"}\" instead of \"n\""},
        {"${\"abc}", "the string is not closed"}, {"${\"a\\\"}", "not closed"}, {"${\"\\q\"}", "after a backslash"},
        {"${[1, 2}", "expected \"]\""}, {"${1 +}", "expected an expression"}, {"${a ? 1}", "expected \":\""},
        {"${9223372036854775808}", "does not fit 64 bits"}, {"${12ab}", "run into \"ab\""},
        {"${0x}", "0x needs digits"},
        {"${mix(1, 2)}", "there is no function \"mix\"; did you mean \"m"},
        {"${softplus(1)}", "a definition is called on a line of its own"},
        {"${each(gelu, \", \", x = 1, y = 2)}", "t.c.tmpl:1: error: each() takes a fragment, a separator and name = count"},
        {"${each(gelu, \", \")}", "each() takes a fragment, a separator and name = count"},
        {"${each(gelu, \", \", x = minus)}", "t.c.tmpl:1: error: a count of -7 is outside of 0 to 10000000"},
        {"${each(gelu, \", \", x = 10000001)}", "a count of 10000001 is outside of 0 to 10000000"},
        {"${expand(gelu, a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1, i = 1, j = 1, k = 1, l = 1, m = 1, n = 1, o = 1, p = 1, q = 1, r = 1, s = 1, t = 1,"
         " u = 1, v = 1, w = 1, x = 1, y = 1, z = 1, A = 1, B = 1, C = 1, D = 1, E = 1, F = 1)}", "t.c.tmpl:1: error: a call has at most 32 arguments"},
        {"${min(1)}", "min() takes 2 or more arguments, not 1"}, {"${len(1, 2)}", "len() takes 1 argument, not 2"},
        {"${expand(gelu, 1)}", "expected a name for the fragment"}, {"${expand()}", "expected an expression"},
        {"x\n$fro i in 0..1\n$end", "t.c.tmpl:2: error: unknown directive \"$fro\"; did you mean \"$for\"?"},
        {"$whatever", "unknown directive \"$whatever\" (a call needs"},
        {"$for i 0..1\n$end", "expected \"in\""}, {"$for i, j in 0..1\n$end", "has one variable"},
        {"$for 1 in x\n$end", "the variable of the $for"},
        {"x\n$for i in 0..1\n$if 1\n$end\n", "t.c.tmpl:2: error: the $for has no $end"},
        {"$if 1\n", "t.c.tmpl:1: error: the $if has no $end"}, {"$def f\nx", "the $def has no $end"},
        {"x\n$end", "t.c.tmpl:2: error: $end without a block"}, {"$else", "$else without a block"},
        {"$for i in 0..1\n$else\n$end", "$else in a $for block"}, {"$if 1\n$else\n$elif 1\n$end", "$elif after $else"},
        {"$if 1\n$def f\n$end\n$end", "$def inside of a block"}, {"$if 1\n$include \"lib\"\n$end", "$include inside"},
        {"$end x", "$end without"}, {"$if 1\n$end x", "unexpected \"x\""}, {"$if 1 {\n$end", "unexpected \"{\""},
        {"$let = 3", "a name after $let"}, {"$let k 3", "expected \"=\""},
        {"$let k = 1\n$let k = 2\n${k}", "stands twice"},
        {"$assert 1", "expected \",\""}, {"$def if\n$end", "which is a directive"}, {"$def f(a, a)\n$end", "twice"},
        {"$def f\n$end\n$def f\n$end", "t.c.tmpl:3: error: \"f\" is already defined"},
        {"$f(1);", "stands on a line of its own"}, {"$f(1", "expected \")\""}, {"$call which", "expected \"(\""},
        {"x\n$let k = 1", "t.c.tmpl:2: error: $let \"k\" is never used"},
        {"$if 1\n$let k = 1\n$end\n$let k = 2\n${k}", "t.c.tmpl:2: error: $let \"k\" is never used"},
        {"$def f(a, b)\n${a}\n$end", "t.c.tmpl:1: error: parameter \"b\" is never used"},
    };
    (void)state;
    check_errors(cases, LENGTH(cases));
}

static void test_expansion_errors(void **state) {
    static const Case cases[] = {
        {"a\n${wide}", "t.c.tmpl:2: error: undefined name \"wide\""},
        {"${wodrs[0]}", "did you mean \"words\"?"},
        {"${1 / (n - 4)}", "division of 1 by zero"}, {"${1 % 0}", "by zero"}, {"${least / -1}", "does not fit 64 bits"},
        {"${least % -1}", "does not fit"}, {"${big + 1}", "9223372036854775807 + 1 does not fit 64 bits"},
        {"${least - 1}", "does not fit"}, {"${-least}", "does not fit"}, {"${abs(least)}", "does not fit"},
        {"${big * 2}", "does not fit"}, {"${least * -1}", "does not fit"}, {"${-1 * least}", "does not fit"},
        {"${n + V}", "an operand of + must be an integer, not a string"}, {"${n == V}", "cannot be compared"},
        {"${V < V}", "must be an integer"}, {"${list == list}", "cannot be compared"}, {"${!V}", "a condition must be"},
        {"$if V\n$end", "a condition must be an integer, not a string"},
        {"${list}", "a list has no text; join() makes one"}, {"${records[0]}", "a record has no text"},
        {"${list[3]}", "index 3 is outside of a list of 3"}, {"${list[-1]}", "index -1"},
        {"${n[0]}", "what is indexed"},
        {"${list[V]}", "an index must be"}, {"${records[0].shape}", "no field \"shape\""}, {"${n.x}", "has no field"},
        {"$for x in n\n$end", "$for goes over a list, not over an integer"}, {"$for i in V..2\n$end", "the beginning"},
        {"$for i in 0..3 step n - 4\n$end", "the step of a $for is zero"},
        {"$assert n == 5, \"n is \" ~ n", "t.c.tmpl:1: error: assertion failed: n is 4"},
        {"$if n\n$assert n == 5, \"n is \" ~ n\n$end", "t.c.tmpl:2: error: assertion failed: n is 4"},
        {"${len(1)}", "has no length"}, {"${join(1, \"\")}", "the first argument of join()"},
        {"${range(-1)}", "range(-1)"},
        {"${min(1, V)}", "an argument of min()"}, {"${has(1)}", "the argument of has()"},
        {"${expand(1)}", "a fragment"},
        {"$nowhere()", "there is no definition \"nowhere\""}, {"$def twice\n$end\n$twise()", "did you mean \"twice\"?"},
        {"\n$def f(a)\n${a}\n$end\n$f()", "t.c.tmpl:5: error: \"f\" (t.c.tmpl:2) takes 1 argument, not 0"},
        {"$call n()", "$call needs the name of a definition, not an integer"},
        {"$include \"labs\"", "t.c.tmpl:1: error: there is no template \"labs\""},
        {"$include 1", "$include needs the name"},
        {"$def f(a)\n${a / 0}\n$end\n$def g\n\n$f(1)\n$end\n\n$g()",
         "t.c.tmpl:2: error: division of 1 by zero\n  in f called from t.c.tmpl:6\n  in g called from t.c.tmpl:9\n"},
        {"$include \"lib\"\n\n$def f(k)\n${k}\n$end\n$for n in 0..1\n$box(range(n))\n$end",
         "lib.c.tmpl:3: error: a list has no text; join() makes one\n  in box called from t.c.tmpl:7\n"},
        {"a\n${expand(\"${u}\")}",
         "t.c.tmpl:2: error: undefined name \"u\"\n  in the fragment \"${u}\" called from t.c.tmpl:2"},
        {"${expand(\"${u\")}", "expected \"}\""},
        {"$for k in 0..1\n$f()\n$end\n$def f\n${k}\n$end", "undefined name \"k\""},
        {"$if 1\n$let a = 1\n${a}\n$end\n${a}", "undefined name \"a\""},
        {"$let a = b\n$let b = a\n${a}", "undefined name \"a\""},
    };
    (void)state;
    check_errors(cases, LENGTH(cases));
}

static void test_hostile(void **state) {
    static const Case cases[] = {
        {"$def f\n$f()\n$end\n$f()", "nested more than 64 deep"},
        {"$let f = \"${expand(f)}\"\n${expand(f)}", "nested more than 64 deep"},
        {"$for i in 0..big\n$for j in 0..big\n$end\n$end", "more than 10000000 steps"},
        {"$for i in 0..1000000\n$let s = \"0123456789012345678901234567890123456789\"\n$let t = s~s~s~s~s~s~s~s~s\n"
         "${t~t~t}\n$end",
         "bytes"},
        {"$def f(s)\n$f(s ~ s)\n$end\n$f(\"0123456789\")", "bytes of temporary memory"},
        {"${range(big)}", "outside of 0 to"}, {"$for i in 0..1000\n${len(range(1000000))}\n$end", "steps"},
        {"$for i in range(9000000)\n$for j in range(9)\n$end\n$end", "steps"},
    };
    (void)state;
    check_errors(cases, LENGTH(cases));
    static const struct { const char *begin, *middle, *end; } nests[] = {
        {"${", "(", "}"}, {"${", "-", "1}"}, {"${", "[", "}"}, {"${1", " + 1", "}"}, {"${n", "[0]", "}"},
        {"${", "1?", "}"},
        {"", "$if 1\n", ""}, {"", "$for i in 0..1\n", ""}, {"${", "min(1,", "}"}, {"$if 0\n", "$elif 0\n", "$end"},
        {"", "$def f\n", ""}, {"$let a = 1\n$if 1\n", "$let a = a\n", "$end"}, {"${", "n ? n : ", "n}"},
        {"$f(", "1,", "1)"},
    };
    for (int i = 0; i < LENGTH(nests); i++) {
        StrBuf text = {0}, out = {0}, message = {0};
        strbuf_add(&text, nests[i].begin);
        for (int j = 0; j < 50000; j++)
            strbuf_add(&text, nests[i].middle);
        strbuf_add(&text, nests[i].end);
        bool ok = expand_text(text.text, "t", &out, &message);
        assert_true(ok == (strcmp(nests[i].middle, "$elif 0\n") == 0));
        assert_true(message.length < 5000);
        strbuf_free(&text);
        strbuf_free(&out);
        strbuf_free(&message);
    }
}

/* As many parameters as there may be, and one more. */
static void test_parameter_limit(void **state) {
    (void)state;
    for (int n = TMPL_MAX_ARGUMENTS; n <= TMPL_MAX_ARGUMENTS + 1; n++) {
        StrBuf text = {0}, out = {0}, message = {0};
        strbuf_add(&text, "$def f(");
        for (int i = 0; i < n; i++) strbuf_printf(&text, i ? ", p%d" : "p%d", i);
        strbuf_add(&text, ")\nx\n$end\ntext\n");
        assert_false(expand_text(text.text, "t", &out, &message)); /* they are not used either */
        bool too_many = strstr(message.text, "a definition has at most 32 parameters");
        assert_true(too_many == (n > TMPL_MAX_ARGUMENTS));
        strbuf_free(&text);
        strbuf_free(&out);
        strbuf_free(&message);
    }
}

static void test_entries(void **state) {
    static const char text[] = "$assert n == 4, \"no\"\n$let m = n + 1\ntext\n$def forward\n  ${m}\n    x\n$end\n"
        "$def f(a)\n${a}\n$end\n";
    static const struct { const char *entry; bool ok; const char *expected; } cases[] = {
        {"t", true, "text\n"}, {"t.forward", true, "5\n  x\n"},
        {"t.backward", false, "there is no definition \"backward\""},
        {"t.f", false, "t.c.tmpl:8: error: \"t.f\" has parameters"}, {"u", false, "error: there is no template \"u\""},
        {"", false, "error: there is no template \"\""}, {"lib.pair", true, "[1:8]\n"},
    };
    (void)state;
    for (int i = 0; i < LENGTH(cases); i++) {
        StrBuf out = {0}, message = {0};
        assert_int_equal(expand_text(text, cases[i].entry, &out, &message), cases[i].ok);
        if (cases[i].ok)
            assert_string_equal(out.text, cases[i].expected);
        else if (!strstr(message.text, cases[i].expected))
            fail_msg("expected %s\ngot %s", cases[i].expected, message.text);
        strbuf_free(&out);
        strbuf_free(&message);
    }
}

static void test_unused_bindings(void **state) {
    (void)state;
    Arena *a = arena_new();
    Templates *t = templates_new(a, NULL);
    tmpl_add(t, "t.c.tmpl", "${a}\n$if has(\"b\")\n$end\n");
    Bindings *parent = bindings_new(a, NULL), *b = bindings_new(a, parent);
    StrBuf out = {0}, message = {0};
    bind_int(parent, "parent_only", 1);
    bind_optional(b, "later");
    bind_int(b, "later", 1);
    bind_optional(b, "never_bound");
    bind_int(b, "a", 1);
    bind_int(b, "b", 2);
    assert_true(template_expand(t, "t", b, &out, &message));
    assert_true(template_expand(t, "t", b, &out, &message));
    assert_string_equal(out.text, "1\n1\n");
    bind_int(b, "tile", 3);
    assert_false(template_expand(t, "t", b, &out, &message));
    assert_string_equal(message.text, "t.c.tmpl:1: error: \"tile\" is bound but never used by t\n");
    assert_string_equal(out.text, "1\n1\n");
    message.length = 0;
    assert_false(template_expand(t, "t", NULL, &out, &message));
    assert_string_equal(message.text, "t.c.tmpl:1: error: undefined name \"a\"\n");
    strbuf_free(&out);
    strbuf_free(&message);
    arena_free(a);
}

static void write_text(const char *folder, const char *name, const char *text, size_t length) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, length, f), length);
    fclose(f);
}

static void check_folder(const char *folder, const char *name, bool ok, const char *expected) {
    Arena *a = arena_new();
    StrBuf out = {0}, message = {0};
    Templates *t = templates_new(a, folder);
    assert_int_equal(template_expand(t, name, NULL, &out, &message), ok);
    if (!strstr(ok ? out.text : message.text, expected))
        fail_msg("%s: expected %s\ngot %s", name, expected, ok ? out.text : message.text);
    strbuf_free(&out);
    strbuf_free(&message);
    arena_free(a);
}

static void test_folder(void **state) {
    (void)state;
    char folder[] = "/tmp/test_template_XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const struct { const char *file, *text; size_t length; bool ok; const char *expected; } files[] = {
        {"good.c.tmpl", "fine\n", 5, true, "fine\n"}, {"plain.tmpl", "$include \"good\"\n", 16, true, ""},
        {"zero.c.tmpl", "a\0b\n", 4, false, "/zero.c.tmpl:1: error: the template has a zero byte"},
        {"bad.h.tmpl", "\n${", 3, false, "/bad.h.tmpl:2: error: expected"},
        {"ignored.c", "x", 1, false, "no template \"ignored\""},
        {"two.c.tmpl", "x", 1, false, "two.h.tmpl\" are templates"},
        {"two.h.tmpl", "x", 1, false, "of the same name"}, {"empty.tmpl", "", 0, true, ""},
    };
    for (int i = 0; i < LENGTH(files); i++)
        write_text(folder, files[i].file, files[i].text, files[i].length);
    for (int i = 0; i < LENGTH(files); i++) {
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(files[i].file, "."), files[i].file);
        if (files[i].length > 0 && strcmp(name, "plain") != 0)
            check_folder(folder, name, files[i].ok, files[i].expected);
    }
    char *large = calloc(1, TMPL_MAX_FILE + 2);
    assert_non_null(large);
    write_text(folder, "large.tmpl", large, TMPL_MAX_FILE + 1);
    free(large);
    check_folder(folder, "large", false, "is longer than");
    check_folder("/nonexistent/folder",
        "good", false, "error: cannot read the folder of templates \"/nonexistent/folder\"");
    char path[200];
    for (int i = 0; i < LENGTH(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].file);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/large.tmpl", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

/* A file of the folder replaces the embedded template of that name. */
static void test_override(void **state) {
    (void)state;
    if (!embedded_templates[0])
        skip();
    char folder[] = "/tmp/test_template_XXXXXX", path[300];
    assert_non_null(mkdtemp(folder));
    write_text(folder, embedded_templates[0], "mine\n", 5);
    char name[100];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(embedded_templates[0], "."), embedded_templates[0]);
    check_folder(folder, name, true, "mine\n");
    snprintf(path, sizeof path, "%s/%s", folder, embedded_templates[0]);
    unlink(path);
    rmdir(folder);
}

/* ---- Torture: mutated templates end, in text or in an error ---- */

static uint64_t random_state = 20240229;

static unsigned next_random(unsigned below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

static const char torture_seed[] =
    "$# seed\n$include \"lib\"\n$let tile = min(n, 8)\n$assert tile > 0, \"tile \" ~ tile\n"
    "$def load(i, what)\n    ${V}_load(${what} + ${i * 8});\n    $if i > 0\n        $load(i - 1, what ~ \"x\")\n"
    "    $end\n$end\n"
    "static void f(void) {\n    $for i, r in records\n        // ${i}: ${r.name} ${r.size}\n"
    "        $load(i, r.name)\n    $end\n"
    "    $for i in 0..tile step 2\n        $let y = expand(gelu, x = \"v\" ~ i)\n        ${y};\n"
    "        $if i % 4 == 0 && V != \"sse\"\n            a$$\n"
    "        $elif has(\"words\") || !1\n            ${join(words, \", \")}\n"
    "        $else\n            b[${list[i % 3]}]\n        $end\n"
    "    $end\n    ${lines}\n    $call which(n)\n    $box(abs(minus) / 2)\n}\n"
    "$def twice(k)\n${k > 2 ? 2 * k : -k}\n$end\n"
    "$def plain\n$for x in range(n) \n    $twice(x)\n$end\n$end\n";

static const char *const tokens[] = {
    "$for i in 0..9\n", "$if 1\n", "$end\n", "$else\n", "$elif n\n", "$let n = ", "$load(", "$def ", "$include ",
    "$call ", " step ", "${", "}", "(", ")", "[", "]", "\"", "\n", "    ", "$", "$$", "..", ".", ",", "~", "?", ":",
    "-", "*", "/", "%", "==", "&&", "\\", "\t", "\r", "\xff", "0x", "9223372036854775807", "n", "V", "list", "records",
    "gelu", "lines", "which", "range(", "expand(", "has(",
};

static char *mutate(const char *seed, size_t length, size_t *mutated_length) {
    StrBuf b = {0};
    strbuf_add_n(&b, seed, length);
    for (unsigned edits = 1 + next_random(4); edits > 0; edits--) {
        size_t at = next_random((unsigned)b.length + 1), n = next_random(next_random(4) == 0 ? 80 : 4);
        StrBuf next = {0};
        n = n < b.length - at ? n : b.length - at;
        strbuf_add_n(&next, b.text, at);
        if (next_random(3) > 0)
            strbuf_add(&next, tokens[next_random(LENGTH(tokens))]);
        else if (next_random(2) > 0) /* move or repeat a piece */
            strbuf_add_n(&next, b.text + at / 2, n);
        else
            strbuf_printf(&next, "%c", (int)(1 + next_random(255)));
        strbuf_add_n(&next, b.text + at + (next_random(2) > 0 ? n : 0), b.length - at - n);
        strbuf_free(&b);
        b = next;
    }
    *mutated_length = b.length;
    return b.text;
}

static void test_torture(void **state) {
    (void)state;
    int fine = 0;
    for (int i = 0; i < 6000; i++) {
        StrBuf out = {0}, message = {0};
        size_t length;
        char *text = mutate(torture_seed, strlen(torture_seed), &length);
        if (expand_text(text, i % 5 == 0 ? "t.plain" : "t", &out, &message))
            fine++;
        else
            assert_non_null(strstr(message.text, "error: "));
        free(text);
        strbuf_free(&out);
        strbuf_free(&message);
    }
    assert_in_range(fine, 100, 5900);
    StrBuf out = {0}, message = {0};
    if (!expand_text(torture_seed, "t", &out, &message) || !expand_text(torture_seed, "t.plain", &out, &message))
        fail_msg("%s", message.text);
    strbuf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_expressions), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_indentation), cmocka_unit_test(test_definitions), cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_syntax_errors), cmocka_unit_test(test_expansion_errors), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_parameter_limit), cmocka_unit_test(test_entries), cmocka_unit_test(test_unused_bindings), cmocka_unit_test(test_folder),
        cmocka_unit_test(test_override), cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
