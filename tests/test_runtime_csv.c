/* CSV files: columns and labels, quotes, ends of lines, numbers; what is refused, and where. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#include <locale.h>

#include "../runtime/private.h"

static cnnc_error error;
static cnnc_dataset d;

static const cnnc_tensor inputs[] = {{"input", CNNC_F64, 1, {2}, 2, 0}};
static const cnnc_tensor classes[] = {{"dense", CNNC_F32, 1, {3}, 3, 3}}, numbers[] = {{"dense", CNNC_F64, 1, {2}, 2, 0}}, number[] = {{"dense", CNNC_F64, 1, {1}, 1, 0}};
static const cnnc_network network = {.name = "n", .inputs = inputs, .input_count = 1, .targets = number, .target_count = 1};

static const char *csv(const char *content) {
    write_bytes(in_folder("a.csv"), content, strlen(content));
    return in_folder("a.csv");
}

static int load(const cnnc_network *n, const char *content, const char *suffix) {
    char where[200];
    snprintf(where, sizeof where, "%s%s", csv(content), suffix);
    return cnnc_dataset_load(n, where, NULL, &d, &error);
}

static void expect(const cnnc_network *n, const char *content, const char *suffix, size_t examples, const double *x, const double *y) {
    if (load(n, content, suffix) != CNNC_OK) fail_msg("%s: %s", content, error.text);
    assert_int_equal(d.n, examples);
    assert_memory_equal(d.inputs[0], x, examples * 2 * sizeof *x);
    if (y) assert_memory_equal(d.targets[0], y, examples * n->targets[0].count * sizeof *y);
    else assert_int_equal(d.target_count, 0);
    cnnc_dataset_free(&d);
}

static void refuse_for(const cnnc_network *n, const char *content, const char *suffix, const char *why) {
    assert_int_equal(load(n, content, suffix), CNNC_FAILED);
    assert_says(&error, why);
    assert_int_equal(error.system, 0);
    assert_null(d.memory);
}

static void refuse(const char *content, const char *why) { refuse_for(&network, content, "", why); }

static const double x[] = {1, -2.5, 3, 4e-3}, y[] = {7, 8};

static void the_label_is_found(void **state) {
    (void)state;
    cnnc_network without = network;
    without.target_count = 0;
    expect(&network, "a,b,c\n1,-2.5,7\n3,4e-3,8\n", "", 2, x, y);             /* the last column */
    expect(&network, "a,label,b\n1,7,-2.5\n3,8,4e-3\n", "", 2, x, y);         /* that of this name */
    expect(&network, "c,label,b\n7,1,-2.5\n8,3,4e-3\n", ":c", 2, x, y);       /* the named one */
    expect(&network, "\"a \"\"b\"\"\",b,c\n7,1,-2.5\n8,3,4e-3\n", ":a \"b\"", 2, x, y);
    expect(&network, "a\"bc,b,c\n7,1,-2.5\n8,3,4e-3\n", ":a\"bc", 2, x, y); /* without quotes around it one in it is one */
    expect(&network, "a,b\n1,-2.5\n3,4e-3\n", "", 2, x, NULL);                /* to predict */
    expect(&without, "a,b\n1,-2.5\n3,4e-3\n", "", 2, x, NULL);
    expect(&without, "label,a,b\n7,1,-2.5\n8,3,4e-3\n", "", 2, x, NULL);      /* what is not asked for is passed over */
    refuse("a,label\n1,2\n", "a.csv:1:1: 2 columns, 1 of them labels"); /* a label, not the second number of the input */
    refuse_for(&network, "a,b,c\n1,2,3\n", ":d", "a.csv:1:1: there is no column 'd'; the first is 'a', the last 'c'");
    refuse_for(&network, "a,b,c\n1,2,3\n", ":c:c", "a.csv:1:5: the column 'c'");
    refuse_for(&network, "a,c,c\n1,2,3\n", ":c", "a.csv:1:5: the column 'c'");
    refuse_for(&network, "a,b,c\n1,2,3\n", ":", "there is no column ''");
}

/* As an array of its own: a column is a vector, several are a matrix. */
static void columns_are_an_array(void **state) {
    (void)state;
    static const double all[] = {1, -2.5, 7, 3, 4e-3, 8};
    cnnc_array a;
    assert_int_equal(cnnc_array_read(csv("a,b,c\n1,-2.5,7\n3,4e-3,8\n"), &a, &error), CNNC_OK);
    assert_int_equal(a.rank, 2);
    assert_int_equal(a.shape[0], 2);
    assert_int_equal(a.shape[1], 3);
    assert_memory_equal(a.data, all, sizeof all);
    cnnc_array_free(&a);
    assert_int_equal(cnnc_array_read(csv("a\n7\n8\n"), &a, &error), CNNC_OK);
    assert_int_equal(a.rank, 1);
    assert_int_equal(a.shape[0], 2);
    assert_memory_equal(a.data, y, sizeof y);
    cnnc_array_free(&a);
}

static void targets_of_every_kind(void **state) {
    (void)state;
    cnnc_network n = network;
    static const double pairs[] = {7, 5, 8, 6};
    n.targets = numbers;
    expect(&n, "a,b,c,d\n1,-2.5,7,5\n3,4e-3,8,6\n", "", 2, x, pairs);
    expect(&n, "d,c,a,b\n5,7,1,-2.5\n6,8,3,4e-3\n", ":c:d", 2, x, pairs);
    refuse_for(&n, "a,b,c\n1,2,3\n", "", "a.csv:1:1: 3 columns, 1 of them labels, but the input 'input' of network n takes 2, the target 'dense' 2");
    refuse_for(&n, "a,b,c,d,e\n1,2,3,4,5\n", "", "a.csv:1:1: 5 columns, 3 of them labels");
    n.targets = classes;
    static const float one_hot[] = {0, 0, 1, 1, 0, 0}, soft[] = {0.5f, 0.25f, 0.25f};
    assert_int_equal(load(&n, "a,b,class\n1,2,2\n3,4,0\n", ""), CNNC_OK);
    assert_memory_equal(d.targets[0], one_hot, sizeof one_hot);
    cnnc_dataset_free(&d);
    assert_int_equal(load(&n, "a,b,p,q,r\n1,2,.5,.25,0.25\n", ""), CNNC_OK);
    assert_memory_equal(d.targets[0], soft, sizeof soft);
    cnnc_dataset_free(&d);
    refuse_for(&n, "a,b,class\n1,2,2\n3,4,3\n", "", "a.csv:3: example 1 is of class 3, but the target 'dense' of network n has classes 0 .. 2");
    refuse_for(&n, "a,b,class\n1,2,-1\n3,4,3\n", "", "a.csv:2: example 0 is of class -1");
    refuse_for(&n, "a,b,class\n1,2,2\n3,4,1.5\n", "", "a.csv:3: for the target 'dense' of network n: element 1 is 1.5, not an integer");
    refuse_for(&n, "a,b,c,class\n1,2,3,0\n", "", "4 columns, 2 of them labels, but the input 'input' of network n takes 2, the target 'dense' 3 or one, the class");
    n.input_count = 2;
    refuse_for(&n, "a,b,class\n1,2,2\n", "", "a CSV file has an input and a target, but network n has 2 inputs and 1 targets");
}

static void quotes_and_ends_of_lines(void **state) {
    (void)state;
    expect(&network, "a,b,c\r\n1,-2.5,7\r\n3,4e-3,8\r\n", "", 2, x, y);
    expect(&network, "\xef\xbb\xbf\"a\",b,c\n\"1\",\"-2.5\",7\n 3 ,\t+.004 ,8", "", 2, x, y);
    expect(&network, "a,\"b\r\n\"\"b\"\"\",c\n1,-2.5,7\n3,4e-3,8\n\n\r\n", "", 2, x, y);
    refuse("a,\"b\nb\",c\n1,2,3\n1,2,q\n", "a.csv:4:5: 'q' in column 'c' is not a number"); /* the name has a line's end in it */
}

static void what_is_not_a_table_of_numbers(void **state) {
    (void)state;
    refuse("", "a.csv:1:1: the file is empty");
    refuse("\n\r\n", "a.csv:1:1: the file is empty");
    refuse("1,2,3\n4,5,6\n", "a.csv:1:1: the first line has to name the columns, but has numbers only: begin the file with a line of 3 names, as x1,...,label");
    refuse("1,2\n4,5\n", "begin the file with a line of 2 names, as x1,label");
    refuse("a,b,c\n", "a.csv:2:1: no examples follow");
    refuse("a,b,c", "a.csv:2:1: no examples follow");
    refuse("a,b,c\n1,2,3\n1,,3\n", "a.csv:3:3: there is no value in column 'b'");
    refuse("a,b,c\n1,2,3\n1,2,\n", "a.csv:3:5: there is no value in column 'c'");
    refuse("a,b,c\n1,2,3\n1,2,\"\"\n", "a.csv:3:5: there is no value in column 'c'");
    refuse("a,b,c\n1,2,3\n\n1,2,3\n", "a.csv:3:1: there is no value in column 'a'");
    refuse("a,b,c\n1,2,3\n1, x2,3\n", "a.csv:3:4: 'x2' in column 'b' is not a number");
    refuse("a,b,c\n1,2,3\n1,2\n", "a.csv:3:4: the line ends after 2 of 3 fields");
    refuse("a,b,c\n1,2,3\n1,2,3,4\n", "a.csv:3:6: more than the 3 fields that the first line names");
    refuse("a,b,c\n1,\"2,3\n1,2,3\n", "a.csv:2:3: the quoted field does not end");
    refuse("a,b,\"c\n", "a.csv:1:5: the quoted field does not end");
    refuse("a,b,\"", "a.csv:1:5: the quoted field does not end");
    refuse("a,b,c\n1,\"2\"2,3\n", "a.csv:2:6: a comma has to follow the quoted field");
    refuse("a,\"b\nb\"x,c\n1,2,3\n", "a.csv:2:3: a comma has to follow the quoted field");
    refuse("a,b\n1,2\n,\n", "a.csv:3:1: there is no value");
    refuse("a;b;c\n1;2;3\n", "1 columns, 0 of them labels");
    static const char *const no_numbers[] = {"nan", "inf", "-", ".", "e3", "1e", "1e+", "0x10", "1_000", "1 2", "--1", "1.2.3", "NA", "1.5f", "1\r", "\x01"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        char line[64];
        snprintf(line, sizeof line, "a,b,c\n1,%s,3\n", no_numbers[i]);
        refuse(line, "in column 'b' is not a number");
    }
    refuse("a,b,c\n1,1e999,3\n", "a.csv:2:3: '1e999' in column 'b' is beyond the numbers of 64 bits");
    write_bytes(in_folder("a.csv"), "a,b,c\n1,2\0,3\n", 14);
    assert_int_equal(cnnc_dataset_load(&network, in_folder("a.csv"), NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "a.csv:2:3: '2' in column 'b' is not a number");
}

static void folders_and_lists(void **state) {
    (void)state;
    int has;
    char list[200];
    write_bytes(in_folder("train.csv"), "a,b,label\n1,-2.5,7\n3,4e-3,8\n", 28);
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "train", &d, &error), CNNC_OK);
    assert_memory_equal(d.inputs[0], x, sizeof x);
    cnnc_dataset_free(&d);
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "test", &d, &error), CNNC_FAILED);
    assert_says(&error, "test.csv");
    assert_int_equal(cnnc_dataset_has_test(test_folder, &has, &error), CNNC_OK);
    assert_false(has);
    write_bytes(in_folder("test.csv"), "a,b,label\n1,-2.5,7\n", 19);
    assert_int_equal(cnnc_dataset_has_test(test_folder, &has, &error), CNNC_OK);
    assert_true(has);
    assert_int_equal(cnnc_dataset_load(&network, test_folder, "test", &d, &error), CNNC_OK);
    assert_int_equal(d.n, 1);
    cnnc_dataset_free(&d);
    write_bytes(in_folder("x.csv"), "a,b\n1,-2.5\n3,4e-3\n", 18); /* an array each */
    write_bytes(in_folder("y.csv"), "c\n7\n8\n", 6);
    snprintf(list, sizeof list, "%s,%s", in_folder("x.csv"), in_folder("y.csv"));
    assert_int_equal(cnnc_dataset_load(&network, list, NULL, &d, &error), CNNC_OK);
    assert_memory_equal(d.inputs[0], x, sizeof x);
    assert_memory_equal(d.targets[0], y, sizeof y);
    cnnc_dataset_free(&d);
    snprintf(list, sizeof list, "%s:a,%s", in_folder("x.csv"), in_folder("y.csv"));
    assert_int_equal(cnnc_dataset_load(&network, list, NULL, &d, &error), CNNC_FAILED);
    assert_says(&error, "a column is named only of a file that has input and target");
}

/* Whether a file has examples for the test its first bytes tell: one is asked that no memory holds. */
static void a_file_is_not_read_for_its_kind(void **state) {
    (void)state;
    int has = 1;
    write_bytes(in_folder("large.csv"), "a,b,label\n", 10);
    if (truncate(in_folder("large.csv"), (off_t)1 << 42)) skip(); /* no such files here */
    assert_int_equal(cnnc_dataset_has_test(in_folder("large.csv"), &has, &error), CNNC_OK);
    assert_false(has);
}

/* As strtod reads them, to the last bit. */
static void decimals(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 11, 0);
    for (int i = 0; i < 20000; i++) {
        char text[CNNC_NUMBER];
        uint64_t bits = cnnc_random_bits(&random);
        double any, value;
        memcpy(&any, &bits, sizeof any);
        if (!isfinite(any)) continue;
        int digits = 1 + (int)cnnc_random_below(&random, 17);
        if (i % 2) snprintf(text, sizeof text, "%.*g", digits, any);
        else snprintf(text, sizeof text, "%.*f", digits % 8, ldexp((double)(int64_t)bits, -(int)(i % 60)));
        assert_int_equal(cnnc_decimal(text, strlen(text), &value), CNNC_DECIMAL_FINE);
        double expected = strtod(text, NULL);
        assert_memory_equal(&value, &expected, sizeof value);
    }
    double zero;
    assert_int_equal(cnnc_decimal("-0", 2, &zero), CNNC_DECIMAL_FINE);
    assert_true(zero == 0 && signbit(zero));
    char *digits = malloc(1000);
    assert_non_null(digits);
    memset(digits, '1', 1000); /* without a zero behind it */
    assert_int_equal(cnnc_decimal(digits, 1000, &zero), CNNC_DECIMAL_BEYOND);
    free(digits);
    if (setlocale(LC_ALL, "de_DE.UTF-8")) { /* where it is installed */
        assert_int_equal(cnnc_decimal("1.5e-3", 6, &zero), CNNC_DECIMAL_FINE);
        assert_true(zero == 1.5e-3);
        assert_int_equal(cnnc_decimal("1,5", 3, &zero), CNNC_DECIMAL_NONE);
        setlocale(LC_ALL, "C");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_label_is_found), cmocka_unit_test(columns_are_an_array), cmocka_unit_test(targets_of_every_kind), cmocka_unit_test(quotes_and_ends_of_lines),
        cmocka_unit_test(what_is_not_a_table_of_numbers), cmocka_unit_test(folders_and_lists), cmocka_unit_test(a_file_is_not_read_for_its_kind), cmocka_unit_test(decimals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
