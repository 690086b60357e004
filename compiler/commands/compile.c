/* compile.c: cnnc NET -o OUT.c, writes OUT.c and its header. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* What follows the last slash. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* out.c -> out.h */
static const char *with_ending(Arena *arena, const char *path, const char *ending) {
    const char *dot = strrchr(base_name(path), '.');
    return arena_printf(arena, "%.*s%s", (int)(dot ? (size_t)(dot - path) : strlen(path)), path, ending);
}

/* The command without folders, so that the same network gives the same bytes wherever it lies. */
static const char *command_text(Arena *arena, int argc, char **argv) {
    const char *text = "cnnc";
    for (int i = 1; i < argc; i++) {
        bool said = !strcmp(argv[i], "--diagnostics-format");
        i += said;
        if (said || !strncmp(argv[i], "--diagnostics-format=", 21)) continue; /* what is said changes nothing that is written */
        const char *value = !strncmp(argv[i], "--", 2) ? strchr(argv[i], '=') : NULL, *path = value ? value + 1 : argv[i];
        const char *name = !strncmp(argv[i], "--templates=", 12) ? "DIR" : base_name(path);
        text = arena_printf(arena, "%s %.*s%s", text, (int)(path - argv[i]), argv[i], name);
    }
    return text;
}

typedef struct CompileOptions {
    NetworkOptions network;
    const char *net, *out, *header, *dump, *depfile, *targets;
    const char *optimize;
    bool depends, strict;
} CompileOptions;

/* The rule last: whoever reads it finds what it speaks of. */
static int write_outputs(Compilation *c, const CompileOptions *o) {
    const char *rule = "", *failure = o->depends ? depfile_text(c, o->targets, o->net, o->network.tuning, &rule) : NULL;
    const OutFile files[] = {{o->header, c->h.text, c->h.length}, {o->out, c->c.text, c->c.length}, {o->depfile, rule, strlen(rule)}};
    if (!failure) failure = write_files(c->arena, files, o->depends ? 3 : 2);
    if (!failure) return EXIT_FINE;
    say_error("%s", failure);
    return EXIT_FILE;
}

static int run(Compilation *c, const CompileOptions *o) {
    StrBuf text = {0};
    int status = compile(c, o->net, NULL, o->dump, &text);
    print_diagnostics(c);
    if (status == EXIT_FINE && o->strict && c->diag.warnings) {
        say_error("warnings are errors (-Werror)");
        status = EXIT_INPUT;
    }
    if (status == EXIT_FINE && o->dump) fwrite(text.text, 1, text.length, stdout);
    else if (status == EXIT_FINE) status = write_outputs(c, o);
    strbuf_free(&text);
    return status;
}

static bool no_stage(Arena *arena, const char *name) {
    const char *names[32];
    int n = 0;
    while (n < LENGTH(names) && stage_name(n)) names[n] = stage_name(n), n++;
    return no_such("stage", name, names, n, arena_printf(arena, "stages are %s", stage_names(arena)));
}

/* An output may replace neither what is read nor another output. */
static bool are_apart(const Compilation *c, const CompileOptions *o) {
    const char *const files[] = {o->net, o->network.tuning, c->options.weights_path, o->out, o->header, o->depends ? o->depfile : NULL};
    for (int i = 3; i < LENGTH(files); i++)
        for (int k = 0; k < i; k++)
            if (files[i] && files[k] && same_file(files[i], files[k])) return say_error("'%s' would be written over '%s'", files[i], files[k]), false;
    return true;
}

static bool apply_optimize(Compilation *c, const CompileOptions *o) {
    static const char *const words[] = {[OPTIMIZE_HOT] = "hot", [OPTIMIZE_COLD] = "cold", [OPTIMIZE_SIZE] = "size"};
    if (!o->optimize) return true;
    if (!c->options.inference) return say_error("--optimize needs --inference"), false;
    for (int i = 0; i < LENGTH(words); i++)
        if (!strcmp(o->optimize, words[i])) c->options.optimize = (Optimize)i;
    if (strcmp(o->optimize, words[c->options.optimize])) return say_error("--optimize can be hot, cold or size, not '%s'", o->optimize), false;
    if (c->options.optimize == OPTIMIZE_SIZE && !o->network.target) {
        c->options.targets[0] = find_target("scalar");
        c->options.target_count = 1;
    }
    return true;
}

/* What follows from the options that are there. False after a message. */
static bool complete(Compilation *c, CompileOptions *o) {
    if (c->options.weights_path && !c->options.inference) return say_error("--weights needs --inference\nhint: code that trains takes its weights when it runs"), false;
    if (c->options.inference && c->options.input_gradient) return say_error("--input-gradient is of code that trains, --inference of code that does not"), false;
    if (!apply_optimize(c, o)) return false;
    if (o->dump && !is_stage(o->dump)) return no_stage(c->arena, o->dump);
    if (o->dump && o->out) return say_error("--emit writes to standard output, not to '%s'", o->out), false;
    if (o->dump && (o->depends || o->depfile || o->targets)) return say_error("--emit writes no rule for Make"), false;
    if (o->out && !strcmp(o->out, "-")) return say_error("-o needs the name of a file\nhint: --emit=c writes to standard output"), false;
    if (!o->dump && !o->out) return say_error("-o OUT.c is missing\nhint: 'cnnc NET.net -o OUT.c' writes OUT.c and OUT.h"), false;
    if (!o->header && o->out) o->header = with_ending(c->arena, o->out, ".h");
    if (o->header) c->options.header = base_name(o->header);
    if (o->header && (strpbrk(c->options.header, "\"\\") || strstr(c->options.header, "??")))
        return say_error("the header's name '%s' cannot stand in an #include\nhint: --header=FILE.h gives it another", c->options.header), false;
    o->depends = o->depends || o->depfile || o->targets;
    if (o->depends && !o->depfile) o->depfile = with_ending(c->arena, o->out, ".d");
    if (o->depends && !o->targets) o->targets = depfile_targets(c->arena, o->out, o->header);
    if (o->depends && !o->targets)
        return say_error("the name '%s' or '%s' cannot stand in a rule for Make\nhint: -MT TARGET writes what you like", o->out, o->header), false;
    if (!o->dump && !are_apart(c, o)) return false;
    if (c->options.real_is_double) {
        c->options.targets[0] = find_target("scalar");
        c->options.target_count = 1;
        c->options.algorithm = "plain";
    }
    return true;
}

int command_compile(int argc, char **argv) {
    Compilation c;
    CompileOptions o = {.net = NULL};
    compilation_init(&c, false);
    const Option options[] = {
        {"-o", &o.out, NULL, NULL, 0, 0, "OUT.c", "where to write; the header goes beside it"},
        {"--header", &o.header, NULL, NULL, 0, 0, "FILE.h", "where the header goes"},
        {"--emit", &o.dump, NULL, NULL, 0, 0, "STAGE", arena_printf(c.arena, "print what a stage leaves instead: %s", stage_names(c.arena))},
        {"-MD", NULL, &o.depends, NULL, 0, 0, NULL, "also write OUT.d, a rule for Make or Ninja: what the output comes from"},
        {"-MF", &o.depfile, NULL, NULL, 0, 0, "FILE", "where that goes"},
        {"-MT", &o.targets, NULL, NULL, 0, 0, "TARGET", "what the rule makes, as it is to be written"},
        {"-Werror", NULL, &o.strict, NULL, 0, 0, NULL, "after a warning nothing is written"},
        {"--input-gradient", NULL, &c.options.input_gradient, NULL, 0, 0, NULL, "training also gives the gradient in the inputs"},
        {"--inference", NULL, &c.options.inference, NULL, 0, 0, NULL, "code that only predicts, and needs nothing but standard headers"},
        {"--weights", &c.options.weights_path, NULL, NULL, 0, 0, "FILE", "with --inference: its parameters become constants in the code"},
        {"--optimize", &o.optimize, NULL, NULL, 0, 0, "FOR", "with --inference: hot, one prediction after the other (the default); cold, seldom; size, the least code"},
        {"--unroll", NULL, NULL, &c.options.unroll, 0, 1 << 24, "BYTES", "so much longer loops that are written out may make the code of an entry point (only those that pay)"},
        {"--double", NULL, &c.options.real_is_double, NULL, 0, 0, NULL, "plain loops in double precision"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"", options, LENGTH(options), names, &o.net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network) && complete(&c, &o)) {
        c.options.command = command_text(c.arena, argc, argv);
        status = run(&c, &o);
    }
    compilation_free(&c);
    return status;
}
