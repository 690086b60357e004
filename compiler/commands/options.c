/* options.c: the command line, by a table of options for each command. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OPTIONS = 64 }; /* of a command */

bool has_controls(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || (*s == '\xc2' && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0)) return true;
    return false;
}

static const Option *find_option(const CommandLine *c, const char *name, size_t length) {
    for (int i = 0; i < c->option_count; i++)
        if (strlen(c->options[i].name) == length && !strncmp(c->options[i].name, name, length)) return &c->options[i];
    return NULL;
}

enum { PAGE = 64 };

/* What tells the command's options. */
static const char *page_of(const CommandLine *c, char page[PAGE]) {
    snprintf(page, PAGE, *c->command ? "'cnnc help %s'" : "'cnnc NET.net --help'", c->command);
    return page;
}

static bool usage_error(const CommandLine *c, const char *before, const char *what, const char *after) {
    char page[PAGE];
    say_error("%s%s%s\nhint: %s tells what there is", before, what, after, page_of(c, page));
    return false;
}

bool no_such(const char *what, const char *word, const char *const *names, int n, const char *otherwise) {
    const char *near = strlen(word) > 2 ? nearest(word, names, n) : NULL; /* one letter is near to every other */
    if (near) say_error("there is no %s '%s'\nhint: did you mean '%s'?", what, word, near);
    else say_error("there is no %s '%s'\nhint: %s", what, word, otherwise);
    return false;
}

/* `name` is not terminated. */
static bool unknown_option(const CommandLine *c, const char *name, size_t length) {
    const char *names[MOST_OPTIONS];
    int n = 0;
    for (; n < c->option_count && n < LENGTH(names); n++) names[n] = c->options[n].name;
    char page[PAGE], otherwise[PAGE + 32], *word = malloc(length + 1);
    if (!word) out_of_memory();
    snprintf(word, length + 1, "%s", name);
    snprintf(otherwise, sizeof otherwise, "%s lists the options", page_of(c, page));
    no_such("option", word, names, n, otherwise);
    free(word);
    return false;
}

static bool take_number(const Option *o, const char *value) {
    char *end;
    long n = strtol(value, &end, 10);
    if (*end || end == value || n < o->min || n > o->max) {
        say_error("%s must be an integer from %d to %d, not '%s'", o->name, o->min, o->max, value);
        return false;
    }
    *o->number = (int)n;
    return true;
}

/* One option; *used: how many arguments it took; given: which were there before. */
static bool take_option(const CommandLine *c, int argc, char **argv, bool *given, int *used) {
    const char *arg = argv[0], *equals = strchr(arg, '=');
    size_t length = equals ? (size_t)(equals - arg) : strlen(arg);
    const Option *o = find_option(c, arg, length);
    *used = 1;
    if (!o) return unknown_option(c, arg, length);
    if (given[o - c->options]) return usage_error(c, "", o->name, " is given twice");
    given[o - c->options] = true;
    if (o->flag) {
        if (equals) return usage_error(c, "", o->name, " takes no value");
        *o->flag = true;
        return true;
    }
    const char *value = equals ? equals + 1 : argc > 1 ? argv[1] : NULL;
    bool is_option = value && !equals && (!strncmp(value, "--", 2) || find_option(c, value, strcspn(value, "=")));
    if (!value || is_option) return usage_error(c, "", o->name, " needs a value"); /* --name=--value would be one */
    *used = equals ? 1 : 2;
    if (o->number) return take_number(o, value);
    if (!*value) return usage_error(c, "", o->name, " needs a value that is not empty");
    *o->text = value;
    return true;
}

/* "--name=VALUE", "-o VALUE", "--flag"; a length as of snprintf. */
static int option_text(char *text, size_t size, const Option *o) {
    return snprintf(text, size, "%s%s%s", o->name, o->value ? o->name[1] == '-' ? "=" : " " : "", o->value ? o->value : "");
}

static void print_page(const CommandLine *c) {
    char left[64];
    int width = 0;
    for (int i = 0; i < c->option_count; i++) {
        int length = option_text(left, sizeof left, &c->options[i]);
        if (length > width) width = length;
    }
    for (const CommandDef *d = commands; d->name; d++)
        if (!strcmp(d->name, c->command)) printf("%s: %s\n%s", d->usage, d->doc, c->option_count ? "\noptions\n" : "");
    for (int i = 0; i < c->option_count; i++) {
        option_text(left, sizeof left, &c->options[i]);
        printf("  %-*s  %s\n", width, left, c->options[i].doc);
    }
}

/* Who wants to see the tables of options; NULL: options are parsed. */
static OptionVisitor *visitor;
static void *visitor_context;

void visit_options(const CommandDef *command, OptionVisitor *see, void *context) {
    char *argv[] = {(char *)(uintptr_t)command->name, NULL};
    visitor = see;
    visitor_context = context;
    command->run(1, argv);
    visitor = NULL;
}

bool parse_some_options(int argc, char **argv, const CommandLine *c, int least) {
    int positional = 0;
    bool only_positional = false, given[MOST_OPTIONS] = {false};
    if (visitor) return visitor(visitor_context, c), false;
    if (c->option_count > MOST_OPTIONS) bug("'%s' has too many options", c->command);
    for (int i = 1; i < argc;) {
        const char *arg = argv[i];
        int used = 1;
        if (!only_positional && !strcmp(arg, "--")) only_positional = true;
        else if (!only_positional && (!strcmp(arg, "--help") || !strcmp(arg, "-h"))) {
            print_page(c);
            exit(ferror(stdout) || fflush(stdout) ? EXIT_FILE : EXIT_FINE);
        } else if (!only_positional && arg[0] == '-' && arg[1]) {
            if (!take_option(c, argc - i, argv + i, given, &used)) return false;
        } else if (positional >= c->positional_max) return usage_error(c, "unexpected argument '", arg, "'");
        else c->positional[positional++] = arg;
        i += used;
    }
    if (positional < least) return usage_error(c, "", c->positional_names[positional], " is missing");
    return true;
}

bool parse_options(int argc, char **argv, const CommandLine *c) { return parse_some_options(argc, argv, c, c->positional_max); }

/* ---- options of networks --------------------------------------------------------------------------------------------- */

static bool no_target(Compilation *c, const char *name) {
    const char *names[16] = {"auto"}, *list = "targets are auto (all of the following)";
    int n = 1;
    for (const Target *t = targets; t->name && n < LENGTH(names); t++) {
        list = arena_printf(c->arena, "%s, %s", list, t->name);
        names[n++] = t->name;
    }
    return no_such("target", name, names, n, list);
}

static bool apply_targets(Compilation *c, const char *list) {
    if (!list || !strcmp(list, "auto")) return true;
    char *copy = arena_string(c->arena, list, strlen(list));
    c->options.target_count = 0;
    for (char *name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
        const Target *t = find_target(name);
        bool again = false;
        for (int i = 0; i < c->options.target_count; i++) again = again || c->options.targets[i] == t;
        if (!t) return no_target(c, name);
        if (again) return say_error("the target '%s' is given twice", name), false;
        c->options.targets[c->options.target_count++] = t;
    }
    if (!c->options.target_count) say_error("--target names no target");
    return c->options.target_count > 0;
}

static bool apply_algorithm(Compilation *c, const char *name) {
    c->options.algorithm = name;
    for (int i = 0; name && all_algorithms[i]; i++)
        if (!strcmp(all_algorithms[i]->name, name)) return true;
    if (!name) return true;
    const char *names[MAX_ALGORITHMS], *list = "algorithms are";
    int n = 0;
    for (; n < LENGTH(names) && all_algorithms[n]; n++) {
        names[n] = all_algorithms[n]->name;
        list = arena_printf(c->arena, "%s%s %s", list, n ? "," : "", names[n]);
    }
    return no_such("algorithm", name, names, n, list);
}

/* Choices for this compilation's targets that no op took. */
static void warn_of_tuning(Compilation *c) {
    const Tuning *t = c->options.tuning;
    for (int i = 0; t && t->path && c->program_count && i < t->length; i++) {
        const TunedChoice *choice = &t->choices[i];
        bool wanted = false;
        for (int k = 0; k < c->options.target_count; k++) wanted |= !strcmp(c->options.targets[k]->name, choice->target);
        if (!wanted || choice->used) continue;
        c->diag.warnings++;
        remark("warning", t->path, choice->line, "the network has no %s '%s' of these shapes that %s covers on %s: the choice is ignored", choice->op, choice->tensor, choice->algorithm->name, choice->target);
    }
}

static bool apply_color(Compilation *c, const char *when) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (!when || !strcmp(when, "auto")) c->diag.color = isatty(2) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
    else if (!strcmp(when, "always") || !strcmp(when, "never")) c->diag.color = *when == 'a';
    else {
        say_error("--color can be auto, always or never, not '%s'", when);
        return false;
    }
    return true;
}

/* The wish itself is older: main looks for it before anything can fail. */
static bool apply_format(const char *format) {
    if (!format || !strcmp(format, "text") || !strcmp(format, "json")) return true;
    return say_error("--diagnostics-format can be text or json, not '%s'", format), false;
}

bool apply_network_options(Compilation *c, const NetworkOptions *n) {
    if (n->shard_size) c->options.shard_size = n->shard_size;
    c->options.tuning_path = n->tuning;
    if (n->templates) c->templates = templates_new(c->arena, n->templates);
    return apply_format(n->format) && apply_color(c, n->color) && apply_targets(c, n->target) && apply_algorithm(c, n->algorithm);
}

void print_diagnostics(Compilation *c) {
    if (c->quiet && !c->diag.errors) return;
    warn_of_tuning(c);
    if (c->diag.out.length) fwrite(c->diag.out.text, 1, c->diag.out.length, stderr);
    if (c->diag.errors > 20) remark("note", NULL, 0, "%d errors, the first 20 are shown", c->diag.errors);
}

int status_of(const cnnc_error *failure) { return failure->system ? EXIT_FILE : EXIT_INPUT; }
