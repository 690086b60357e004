/* test_help.c: 'cnnc help WORD' tells everything that the tables know of each word. A new row is tested without another line here. */
#define _DEFAULT_SOURCE
#include "test_processes.h"

#include "commands/commands.h"

/* The line of a page that tells of an attribute. */
static char *line_of(char *page, const char *name) {
    char *beginning = text("\n  %s ", name), *line = strstr(page, beginning);
    if (!line) fail_msg("no line on '%s' in:\n%s", name, page);
    line = text("%.*s", (int)strcspn(line + 1, "\n"), line + 1);
    return line;
}

static void assert_in(const char *line, const char *wanted) {
    bool found = line && wanted && strstr(line, wanted);
    if (!found) fail_msg("'%s' was expected in: %s", wanted ? wanted : "(nothing)", line ? line : "(nothing)");
}

static void assert_tells_attribute(char *page, const AttrDef *a) {
    char *line = line_of(page, a->name);
    assert_in(line, a->doc);
    if (!a->fallback) assert_in(line, ", required");
    else if (*a->fallback) assert_in(line, text(", default %s", a->fallback));
    else assert_in(line, ", optional");
    if (a->words) assert_in(line, a->words);
    if (a->positional) assert_in(line, ", by position)");
    else assert_null(strstr(line, "by position"));
}

static void assert_tells(const char *word, const Callable *c, const char *kind) {
    char *arguments = text("help %s", word), *page = cnnc_says(arguments, 0);
    assert_int_equal(strncmp(page, c->name, strlen(c->name)), 0);
    assert_in(page, text("%s [", c->doc));
    assert_in(strstr(page, " ["), kind);
    for (int i = 0; i < c->attribute_count; i++) assert_tells_attribute(page, &c->attributes[i]);
}

static void every_word_has_a_page(void **state) {
    (void)state;
    const Callable *c;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) {
            assert_tells(c->name, c, f->one);
            if (c->alias) assert_tells(c->alias, c, f->one);
        }
}

static void every_word_is_listed(void **state) {
    (void)state;
    char *page = cnnc_says("help", 0);
    const Callable *c;
    for (const CommandDef *d = commands; d->name; d++) assert_in(page, d->usage), assert_in(page, d->doc);
    for (const FamilyDef *f = families; f->title; f++) {
        char *title = text("\n\n%s\n", f->title), *list = strstr(page, title);
        if (!list) fail_msg("no list of %s", f->title);
        for (int i = 0; (c = f->family(i)); i++) {
            char *line = line_of(list, c->name);
            assert_in(line, c->doc);
            if (c->alias) assert_in(line, text("(%s)", c->alias));
        }
    }
}

/* What can be given, in each kind of words. */
static void values_are_told(void **state) {
    (void)state;
    static const struct { const char *word, *attribute, *told; } cases[] = {
        {"conv2d", "filters", "(integer from 1 to 1048576, required, by position)"},
        {"conv2d", "padding", "(valid|same, default valid)"},
        {"conv2d", "use_bias", "(true|false, default true)"},
        {"conv2d", "kernel_initializer", "(one of the initializers, default glorot_uniform)"},
        {"concatenate", "axis", "(integer from -6 to 6, default -1)"},
        {"input", "scale", "(number, default 1)"},
        {"fit", "epochs", "(integer 1 or more, default 1)"},
        {"sgd", "clipnorm", "(number above 0, optional)"},
        {"sgd", "learning_rate", "(number or one of the schedules, default 0.01, by position)"},
        {"piecewise_constant_decay", "boundaries", "(numbers 0 or more, required, by position)"},
        {"compile", "metrics", "(some of the metrics, optional)"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        char *arguments = text("help %s", cases[i].word), *page = cnnc_says(arguments, 0), *line = line_of(page, cases[i].attribute);
        assert_in(line, cases[i].told);
    }
    char *page = cnnc_says("help mse", 0);
    assert_in(page, "mean_squared_error (mse): ");
    assert_in(page, " [loss, metric]\n");
    assert_ptr_equal(strstr(page, "]\n"), strrchr(page, ']')); /* told once */
}

/* A command's page is that of its --help. */
static void every_command_has_a_page(void **state) {
    (void)state;
    for (const CommandDef *d = commands + 1; d->name; d++) {
        char *help = text("help %s", d->name), *option = text("%s --help", d->name), *page = cnnc_says(help, 0), *same = cnnc_says(option, 0);
        assert_string_equal(page, same);
        assert_in(page, d->doc);
    }
}

/* ---- comparisons ---------------------------------------------------------------------------------------------------- */

#define TESTS CNNC_SOURCE_DIR "/tests"

/* Of the folder's networks that have a reference, without comments. */
static void add_descriptions(StrBuf *all, const char *where, const char *references) {
    Net nets[MAX_NETS];
    strbuf_add(all, "\n");
    for (int i = 0, n = find_nets(where, nets); i < n; i++) {
        if (access(text("%s/%s.safetensors", references, nets[i].name), R_OK)) continue;
        char *net = file_text(nets[i].path, NULL);
        for (char *c = net; (c = strchr(c, '#'));) memset(c, ' ', strcspn(c, "\n"));
        strbuf_add(all, net);
    }
}

/* In outputs at least: these have no target where training is random. What is only flipped or dropped in training has the tests of its
 * statistics. */
static void every_word_is_compared_with_keras(void **state) {
    (void)state;
    static const char *const random[] = {"random_flip", "spatial_dropout1d"};
    StrBuf all = {0};
    add_descriptions(&all, TESTS "/nets", TESTS "/reference");
    add_descriptions(&all, TESTS "/nets/oracle", TESTS "/reference");
    add_descriptions(&all, TESTS "/optimizers", TESTS "/optimizers");
    const Callable *c;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) {
            bool excepted = !strcmp(c->name, random[0]) || !strcmp(c->name, random[1]);
            bool compared = has_word(all.text, c->name) || (c->alias && has_word(all.text, c->alias));
            if (compared == excepted) fail_msg("'%s' is in %s network that is compared with Keras", c->name, compared ? "a" : "no");
        }
    strbuf_free(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_has_a_page),
        cmocka_unit_test(every_word_is_listed),
        cmocka_unit_test(values_are_told),
        cmocka_unit_test(every_command_has_a_page),
        cmocka_unit_test(every_word_is_compared_with_keras),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
