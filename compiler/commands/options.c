/* options.c: the command line, by a table of options for each command. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static bool usage_error(const CommandLine *c, const char *format, const char *what) {
    fprintf(stderr, "cnnc: error: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\nhint: 'cnnc help%s%s' tells what there is\n", *c->command ? " " : "", c->command);
    return false;
}

static bool unknown_option(const CommandLine *c, const char *arg) {
    const char *names[64];
    int n = 0;
    for (; n < c->option_count && n < LENGTH(names); n++) names[n] = c->options[n].name;
    const char *near = nearest(arg, names, n);
    fprintf(stderr, "cnnc: error: there is no option '%s'\n", arg);
    if (near) fprintf(stderr, "hint: did you mean '%s'?\n", near);
    else fprintf(stderr, "hint: 'cnnc help%s%s' lists the options\n", *c->command ? " " : "", c->command);
    return false;
}

static bool take_number(const CommandLine *c, const Option *o, const char *value) {
    char *end;
    long n = strtol(value, &end, 10);
    if (*end || end == value || n < o->min || n > o->max) {
        fprintf(stderr, "cnnc: error: %s must be an integer from %d to %d, not '%s'\n", o->name, o->min, o->max, value);
        return (void)c, false;
    }
    *o->number = (int)n;
    return true;
}

/* One option; *used: how many arguments it took. */
static bool take_option(const CommandLine *c, int argc, char **argv, int *used) {
    const char *arg = argv[0], *equals = strchr(arg, '=');
    size_t length = equals ? (size_t)(equals - arg) : strlen(arg);
    const Option *o = find_option(c, arg, length);
    *used = 1;
    if (!o) return unknown_option(c, arg);
    if (o->flag) {
        if (equals) return usage_error(c, "%s takes no value", o->name);
        *o->flag = true;
        return true;
    }
    const char *value = equals ? equals + 1 : argc > 1 ? argv[1] : NULL;
    if (!value) return usage_error(c, "%s needs a value", o->name);
    *used = equals ? 1 : 2;
    if (o->number) return take_number(c, o, value);
    *o->text = value;
    return true;
}

static void print_page(const CommandLine *c) {
    for (const CommandDef *d = commands; d->name; d++)
        if (!strcmp(d->name, c->command)) printf("%s: %s\n%s", d->usage, d->doc, c->option_count ? "\noptions\n" : "");
    for (int i = 0; i < c->option_count; i++) {
        const Option *o = &c->options[i];
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? o->name[1] == '-' ? "=" : " " : "", o->value ? o->value : "");
        printf("  %-24s %s\n", left, o->doc);
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
    bool only_positional = false;
    if (visitor) return visitor(visitor_context, c), false;
    for (int i = 1; i < argc;) {
        const char *arg = argv[i];
        int used = 1;
        if (!only_positional && !strcmp(arg, "--")) only_positional = true;
        else if (!only_positional && (!strcmp(arg, "--help") || !strcmp(arg, "-h"))) {
            print_page(c);
            exit(EXIT_FINE);
        } else if (!only_positional && arg[0] == '-' && arg[1]) {
            if (!take_option(c, argc - i, argv + i, &used)) return false;
        } else if (positional >= c->positional_max) return usage_error(c, "unexpected argument '%s'", arg);
        else c->positional[positional++] = arg;
        i += used;
    }
    if (positional < least) return usage_error(c, "%s is missing", c->positional_names[positional]);
    return true;
}

bool parse_options(int argc, char **argv, const CommandLine *c) { return parse_some_options(argc, argv, c, c->positional_max); }

/* ---- options of networks --------------------------------------------------------------------------------------------- */

static void list_targets(void) {
    fprintf(stderr, "hint: targets are");
    for (const Target *t = targets; t->name; t++) fprintf(stderr, "%s %s", t == targets ? "" : ",", t->name);
    fprintf(stderr, "\n");
}

static bool apply_targets(Compilation *c, const char *list) {
    if (!list || !strcmp(list, "auto")) return true;
    char *copy = arena_string(c->arena, list, strlen(list));
    c->options.target_count = 0;
    for (char *name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
        const Target *t = find_target(name);
        bool again = false;
        for (int i = 0; i < c->options.target_count; i++) again = again || c->options.targets[i] == t;
        if (!t || again) {
            fprintf(stderr, t ? "cnnc: error: the target '%s' is given twice\n" : "cnnc: error: there is no target '%s'\n", name);
            if (!t) list_targets();
            return false;
        }
        c->options.targets[c->options.target_count++] = t;
    }
    if (!c->options.target_count) fprintf(stderr, "cnnc: error: --target names no target\n");
    return c->options.target_count > 0;
}

static bool apply_algorithm(Compilation *c, const char *name) {
    c->options.algorithm = name;
    for (int i = 0; name && all_algorithms[i]; i++)
        if (!strcmp(all_algorithms[i]->name, name)) return true;
    if (!name) return true;
    fprintf(stderr, "cnnc: error: there is no algorithm '%s'\nhint: algorithms are", name);
    for (int i = 0; all_algorithms[i]; i++) fprintf(stderr, "%s %s", i ? "," : "", all_algorithms[i]->name);
    fprintf(stderr, "\n");
    return false;
}

static bool apply_tuning(Compilation *c, const char *path) {
    if (!path) return true;
    c->options.tuning = NEW(c->arena, Tuning);
    const char *failure = read_tuning(c->arena, path, c->options.tuning);
    if (failure) fprintf(stderr, "cnnc: error: %s\n", failure);
    return !failure;
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
        fprintf(stderr, "%s:%d: warning: the network has no %s '%s' of these shapes that %s covers on %s: the choice is ignored\n", t->path, choice->line, choice->op, choice->tensor, choice->algorithm->name, choice->target);
    }
}

static bool apply_color(Compilation *c, const char *when) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (!when || !strcmp(when, "auto")) c->diag.color = isatty(2) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
    else if (!strcmp(when, "always") || !strcmp(when, "never")) c->diag.color = *when == 'a';
    else {
        fprintf(stderr, "cnnc: error: --color can be auto, always or never, not '%s'\n", when);
        return false;
    }
    return true;
}

bool apply_network_options(Compilation *c, const NetworkOptions *n) {
    if (n->shard_size) c->options.shard_size = n->shard_size;
    if (n->templates) c->templates = templates_new(c->arena, n->templates);
    return apply_color(c, n->color) && apply_targets(c, n->target) && apply_algorithm(c, n->algorithm) && apply_tuning(c, n->tuning);
}

void print_diagnostics(Compilation *c) {
    if (c->quiet && !c->diag.errors) return;
    warn_of_tuning(c);
    if (c->diag.out.length) fwrite(c->diag.out.text, 1, c->diag.out.length, stderr);
    if (c->diag.errors > 20) fprintf(stderr, "cnnc: %d errors, the first 20 are shown\n", c->diag.errors);
}

int status_of(const cnnc_error *failure) { return failure->system ? EXIT_FILE : EXIT_INPUT; }
