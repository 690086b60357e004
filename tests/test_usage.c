/* test_usage.c: wrong command lines. Whatever options the pages of --help tell of, each is tried without its value, twice, with a
 * value of the wrong kind and misspelled: exit status 2, a message that names it, and nothing is written. A new option is tested
 * without another line here. */
#define _DEFAULT_SOURCE
#include "test_processes.h"

typedef struct Option { char name[64], value[64]; } Option; /* value: as the page calls it, "" for none */

/* command: its words before its options, "train NET" */
static void for_each_option(const char *command, void (*try)(const char *command, const Option *)) {
    char *arguments = text("%s --help", command), *page = cnnc_says(arguments, 0), *rest = strstr(page, "\noptions\n");
    assert_non_null(rest);
    int n = 0;
    for (char *line; (line = strtok_r(rest, "\n", &rest));) {
        Option option = {"", ""};
        char separator = 0;
        if (line[0] != ' ' || line[2] != '-' || sscanf(line, "  %63[^= ]%c%63[^ ]", option.name, &separator, option.value) < 1) continue;
        if (separator == ' ' && line[2 + strlen(option.name) + 1] == ' ') *option.value = 0; /* what follows is its description */
        try(command, &option);
        n++;
    }
    assert_true(n > 0);
}

static void assert_refused(const char *arguments, const char *says) {
    char *said = cnnc_says(arguments, 2);
    if (!strstr(said, says)) fail_msg("cnnc %s: '%s' was expected in: %s", arguments, says, said);
    if (strncmp(said, "cnnc: error: ", 13) != 0) fail_msg("cnnc %s: %s", arguments, said);
}

static void try_value(const char *command, const Option *o) {
    const char *one = *o->value ? " 1" : "";
    char *without = text("%s %s", command, o->name), *needs = text("%s needs a value", o->name);
    char *with = text("%s %s=1", command, o->name), *takes = text("%s takes no value", o->name);
    char *twice = text("%s %s%s %s%s", command, o->name, one, o->name, one), *given = text("%s is given twice", o->name);
    if (*o->value) assert_refused(without, needs);
    else assert_refused(with, takes);
    assert_refused(twice, given);
}

static void try_kind(const char *command, const Option *o) {
    if (strcmp(o->value, "N") != 0) return;
    static const char *const wrong[] = {"many", "1x", "1.5", "-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *arguments = text("%s %s=%s", command, o->name, wrong[i]), *says = text("not '%s'", wrong[i]);
        assert_refused(arguments, o->name);
        assert_refused(arguments, says);
    }
}

/* Two letters change places. */
static void try_misspelled(const char *command, const Option *o) {
    size_t n = strlen(o->name);
    char *name = text("%s", o->name), last = name[n - 1];
    if (n > 5 && name[n - 2] != last) {
        name[n - 1] = name[n - 2];
        name[n - 2] = last;
        char *arguments = text("%s %s=1", command, name), *says = text("there is no option '%s'\nhint: did you mean '%s'?\n", name, o->name);
        assert_refused(arguments, says);
    }
}

static char *net;

static int set_up(void **state) {
    if (make_folder(state)) return -1;
    net = text("%s/a.net", folder);
    FILE *out = fopen(net, "w");
    return !out || fputs("input 4\ndense 2\ncompile loss=mse\n", out) < 0 || fclose(out);
}

static void assert_nothing_written(void) {
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    int n = 0;
    for (struct dirent *e; (e = readdir(directory));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(directory);
    assert_int_equal(n, 1);
}

/* Every command that has options, by the list of commands. */
static void for_each_command(void (*try)(const char *command, const Option *)) {
    char *page = cnnc_says("help", 0), *rest = page;
    int n = 0;
    for_each_option(net, try);
    for (char *line; (line = strtok_r(rest, "\n", &rest));) {
        char word[32];
        if (sscanf(line, "  cnnc %31[a-z]", word) != 1 || line[7 + strlen(word)] != ' ' || !strcmp(word, "help")) continue;
        char *arguments = text("%s --help", word), *options = cnnc_says(arguments, 0);
        char *command = text(strstr(options, "NET") ? "%s %s" : "%s", word, net);
        if (strstr(options, "\noptions\n  ")) for_each_option(command, try), n++;
    }
    assert_true(n >= 7);
    assert_nothing_written();
}

static void values_are_needed_once(void **state) { (void)state, for_each_command(try_value); }
static void values_are_of_their_kind(void **state) { (void)state, for_each_command(try_kind); }
static void misspelled_options_are_recognized(void **state) { (void)state, for_each_command(try_misspelled); }

/* Not ended by the signal that the system has for it, which would leave temporary files. */
static void a_file_beyond_the_limit_is_an_error(void **state) {
    (void)state;
    char *command = text("cd %s && (ulimit -f 4; exec " CNNC_COMMAND " a.net -o a.c) 2>/dev/null", folder);
    int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_nothing_written();
}

static void the_rest_is_told(void **state) {
    (void)state;
    static const struct { const char *arguments, *says; } cases[] = {
        {"--nonsense-of-no-kind", "there is no option '--nonsense-of-no-kind'\nhint: 'cnnc NET.net --help' "},
        {"train --nonsense-of-no-kind=3", "there is no option '--nonsense-of-no-kind'\nhint: 'cnnc help train' "},
        {"summary", "the network's file is missing\nhint: 'cnnc help summary' "},
        {"summary a.net b.net", "unexpected argument 'b.net'"},
        {"summary -- -a.net --color", "unexpected argument '--color'"},
        {"trian a.net", "there is no command 'trian'\nhint: did you mean 'train'?\n"},
        {"frobnicate", "there is no command 'frobnicate'\nhint: 'cnnc help' lists the commands"},
        {"a.net -o a.c --emit=bild", "there is no stage 'bild'\nhint: "},
        {"a.net -o a.c --target=avx51", "there is no target 'avx51'\nhint: "},
        {"a.net -o a.c --target=avx2,avx2", "the target 'avx2' is given twice"},
        {"a.net -o a.c --target=,", "--target names no target"},
        {"a.net -o a.c --algorithm=winogrd", "there is no algorithm 'winogrd'\nhint: "},
        {"a.net -o a.c --color=blue", "--color can be auto, always or never, not 'blue'"},
        {"a.net", "-o OUT.c is missing"},
        {"train a.net", "--data is missing\nhint: "},
        {"evaluate a.net --weights w", "--data DIR is missing"},
        {"evaluate a.net --data d", "--weights FILE is missing"},
        {"predict a.net --weights w --input x.npy", "-o Y.npy is missing"},
        {"tune a.net", "-o FILE is missing"},
        {"check a.net --tolerance-after=1", "--tolerance-after without --reference"},
        {"check a.net --reference r --tolerance-output=much", "--tolerance-output must be a number, 0 or more, not 'much'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_refused(cases[i].arguments, cases[i].says);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_needed_once),
        cmocka_unit_test(values_are_of_their_kind),
        cmocka_unit_test(misspelled_options_are_recognized),
        cmocka_unit_test(a_file_beyond_the_limit_is_an_error),
        cmocka_unit_test(the_rest_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
