/* The CSV log: numbers as Python writes them, lines as Keras's CSVLogger has them, files that are none. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"
#include "test_runtime.h"

#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

static cnnc_error error;

static void numbers_as_python_writes_them(void **state) {
    (void)state;
    const struct { double value; const char *text; } cases[] = {
        {0, "0.0"}, {1, "1.0"}, {-2.5, "-2.5"}, {0.1, "0.1"}, {100, "100.0"}, {0.8500000238418579, "0.8500000238418579"}, {1e-4, "0.0001"}, {1e-5, "1e-05"},
        {1.25e-7, "1.25e-07"}, {1e15, "1000000000000000.0"}, {1e16, "1e+16"}, {1e22, "1e+22"}, {123456.789, "123456.789"}, {NAN, "nan"}, {INFINITY, "inf"}, {-INFINITY, "-inf"},
    };
    char text[CNNC_NUMBER];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(cnnc_number_text(text, cases[i].value), cases[i].text);
}

/* Sets a locale with a decimal comma, installed or made here; false where neither can be. */
static int set_comma(void) {
    static const char source[] = "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \"\"\ngrouping -1\nEND LC_NUMERIC\n";
    char command[512];
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        return 1;
    write_bytes(in_folder("comma.source"), source, sizeof source - 1);
    snprintf(command, sizeof command, "localedef -c -f ANSI_X3.4-1968 -i %s %s >%s 2>&1", in_folder("comma.source"), in_folder("comma"), in_folder("said"));
    return system(command) != -1 && !setenv("LOCPATH", test_folder, 1) && setlocale(LC_NUMERIC, "comma");
}

static void numbers_have_points_everywhere(void **state) {
    char text[CNNC_NUMBER];
    if (!set_comma()) {
        print_message("no locale with a decimal comma: localedef or its character maps are missing\n");
        skip();
    }
    snprintf(text, sizeof text, "%.1f", 1.5);
    assert_string_equal(text, "1,5");
    numbers_as_python_writes_them(state);
    snprintf(text, sizeof text, "%.1f", 1.5);
    assert_string_equal(text, "1,5"); /* the application's locale is what it was */
    setlocale(LC_NUMERIC, "C");
    unsetenv("LOCPATH");
}

/* Columns in the alphabet's order, line ends as Python's csv has them; lines of epochs that are done again go. */
static void the_log(void **state) {
    (void)state;
    const char *path = in_folder("log.csv");
    char text[512] = {0};
    double results[2] = {0.5, 0.25}, validation[2] = {1, 2};
    cnnc_hook hook;
    cnnc_event begin = {.kind = CNNC_TRAIN_BEGIN, .error = &error};
    cnnc_event end = {.kind = CNNC_EPOCH_END, .results = results, .validation = validation, .learning_rate = 0.001, .shows_rate = 1, .error = &error};
    assert_int_equal(cnnc_csv_log_new(&linear_network, path, &hook, &error), CNNC_OK);
    for (int round = 0; round < 2; round++) { /* a new one each time */
        assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_OK);
        for (end.epoch = 0; end.epoch < 12; end.epoch++)
            assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    }
    begin.resumed = 1;
    begin.epoch = 1;
    assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_OK);
    end.epoch = 1;
    assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    read_bytes(path, text, sizeof text - 1);
    assert_string_equal(text, "epoch,learning_rate,loss,mae,val_loss,val_mae\r\n0,0.001,0.5,0.25,1.0,2.0\r\n1,0.001,0.5,0.25,1.0,2.0\r\n");
    cnnc_hook_free(&hook);
    unlink(path);
    end.validation = NULL;
    end.shows_rate = 0;
    assert_int_equal(cnnc_csv_log_new(&linear_network, path, &hook, &error), CNNC_OK);
    assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_OK); /* resumed, but there is none */
    assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    memset(text, 0, sizeof text);
    read_bytes(path, text, sizeof text - 1);
    assert_string_equal(text, "epoch,loss,mae\r\n1,0.5,0.25\r\n");
    cnnc_hook_free(&hook);
}

/* Pipes have no end to seek, and a log that cannot be read is not one that is not there. */
static void logs_that_are_no_plain_files(void **state) {
    (void)state;
    const char *path = in_folder("pipe");
    char text[512] = {0};
    double results[2] = {0.5, 0.25};
    cnnc_hook hook;
    cnnc_event begin = {.kind = CNNC_TRAIN_BEGIN, .error = &error};
    cnnc_event end = {.kind = CNNC_EPOCH_END, .results = results, .error = &error};
    assert_int_equal(mkfifo(path, 0666), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(cnnc_csv_log_new(&linear_network, path, &hook, &error), CNNC_OK);
    for (begin.resumed = 0; begin.resumed < 2; begin.resumed++) {
        assert_int_equal(hook.call(hook.context, NULL, &begin), CNNC_OK);
        for (end.epoch = 0; end.epoch < 2; end.epoch++)
            assert_int_equal(hook.call(hook.context, NULL, &end), CNNC_OK);
    }
    assert_true(read(reader, text, sizeof text - 1) > 0);
    assert_string_equal(text, "epoch,loss,mae\r\n0,0.5,0.25\r\n1,0.5,0.25\r\nepoch,loss,mae\r\n0,0.5,0.25\r\n1,0.5,0.25\r\n");
    close(reader);
    cnnc_hook_free(&hook);
    const char *log = in_folder("unreadable.csv");
    int root = geteuid() == 0; /* who may read everything */
    write_bytes(log, "epoch,loss\r\n", 12);
    assert_int_equal(chmod(log, 0200), 0);
    assert_int_equal(chmod(test_folder, 0777), 0);
    assert_int_equal(cnnc_csv_log_new(&linear_network, log, &hook, &error), CNNC_OK);
    if (root)
        assert_int_equal(chown(log, 65534, 65534) || seteuid(65534), 0);
    int result = hook.call(hook.context, NULL, &begin);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(result, CNNC_FAILED);
    assert_says(&error, "unreadable.csv: Permission denied");
    assert_true(error.system);
    assert_int_equal(chmod(log, 0600), 0);
    assert_int_equal(read_bytes(log, text, sizeof text), 12);
    cnnc_hook_free(&hook);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_as_python_writes_them),
        cmocka_unit_test(numbers_have_points_everywhere),
        cmocka_unit_test(the_log),
        cmocka_unit_test(logs_that_are_no_plain_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
