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
static const char *header_of(Arena *arena, const char *path) {
    const char *dot = strrchr(base_name(path), '.');
    return arena_printf(arena, "%.*s.h", (int)(dot ? (size_t)(dot - path) : strlen(path)), path);
}

/* The command without folders, so that the same network gives the same bytes wherever it lies. */
static const char *command_text(Arena *arena, int argc, char **argv) {
    const char *text = "cnnc";
    for (int i = 1; i < argc; i++) {
        const char *value = !strncmp(argv[i], "--", 2) ? strchr(argv[i], '=') : NULL, *path = value ? value + 1 : argv[i];
        const char *name = !strncmp(argv[i], "--templates=", 12) ? "DIR" : base_name(path);
        text = arena_printf(arena, "%s %.*s%s", text, (int)(path - argv[i]), argv[i], name);
    }
    return text;
}

static int write_files(Compilation *c, const char *out, const char *header) {
    const char *failure = write_file(c->arena, header, c->h.text, c->h.length);
    if (!failure) failure = write_file(c->arena, out, c->c.text, c->c.length);
    if (!failure) return EXIT_FINE;
    fprintf(stderr, "cnnc: error: %s\n", failure);
    return EXIT_FILE;
}

static int run(Compilation *c, const char *net, const char *dump, const char *out, const char *header) {
    StrBuf text = {0};
    int status = compile(c, net, NULL, dump, &text);
    if (status == EXIT_FINE && dump) fwrite(text.text, 1, text.length, stdout);
    else if (status == EXIT_FINE) status = write_files(c, out, header);
    strbuf_free(&text);
    return status;
}

int command_compile(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    NetworkOptions network = {0};
    const char *net = NULL, *out = NULL, *header = NULL, *dump = NULL;
    const Option options[] = {
        {"-o", &out, NULL, NULL, 0, 0, "OUT.c", "where to write; the header goes beside it"},
        {"--header", &header, NULL, NULL, 0, 0, "FILE.h", "where the header goes"},
        {"--emit", &dump, NULL, NULL, 0, 0, "STAGE", arena_printf(c.arena, "print what a stage leaves instead: %s", stage_names(c.arena))},
        {"--input-gradient", NULL, &c.options.input_gradient, NULL, 0, 0, NULL, "training also gives the gradient in the inputs"},
        {"--double", NULL, &c.options.real_is_double, NULL, 0, 0, NULL, "plain loops in double precision"},
        NETWORK_OPTIONS(network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"", options, LENGTH(options), names, &net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &network)) {
        if (dump && !is_stage(dump)) fprintf(stderr, "cnnc: error: there is no stage '%s'\nhint: stages are %s\n", dump, stage_names(c.arena));
        else if (!dump && !out) fprintf(stderr, "cnnc: error: -o OUT.c is missing\n");
        else {
            if (!header && out) header = header_of(c.arena, out);
            if (header) c.options.header = base_name(header);
            if (c.options.real_is_double) {
                c.options.targets[0] = find_target("scalar");
                c.options.target_count = 1;
                c.options.algorithm = "plain";
            }
            c.options.command = command_text(c.arena, argc, argv);
            status = run(&c, net, dump, out, header);
            print_diagnostics(&c);
        }
    }
    compilation_free(&c);
    return status;
}
