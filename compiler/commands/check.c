/* check.c: cnnc check NET, which of the checks. Without a reference: operators, then generated code; with one: against it. */
#include "interpret.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct CheckOptions {
    NetworkOptions network;
    const char *net, *reference, *output, *gradient, *losses, *after;
} CheckOptions;

/* A network's own three compilations: its graph, double code, float code. */
static bool begin(Compilation *c, const CheckOptions *o, bool doubles) {
    compilation_init(c, false);
    c->options.input_gradient = true;
    if (!apply_network_options(c, &o->network)) return false;
    c->options.most_examples = 2 * (c->options.shard_size ? c->options.shard_size : MOST_SHARD) + 5; /* what check_network takes at most */
    if (!doubles) return true;
    c->options.real_is_double = true;
    c->options.targets[0] = find_target("scalar");
    c->options.target_count = 1;
    c->options.algorithm = "plain";
    return true;
}

/* *fine: what the check says, when there is a graph to check. */
static int check_graph(const CheckOptions *o, bool *fine) {
    Compilation c;
    int status = EXIT_USAGE;
    if (begin(&c, o, true)) {
        status = compile(&c, o->net, "autodiff", NULL, NULL);
        if (status == EXIT_FINE) *fine = check_operators(c.graph);
        else print_diagnostics(&c);
    }
    compilation_free(&c);
    return status;
}

static int check_code(const CheckOptions *o) {
    Compilation doubles, floats;
    bool fine = begin(&doubles, o, true);
    fine = begin(&floats, o, false) && fine;
    int status = fine ? check_network(&doubles, &floats, o->net) : EXIT_USAGE;
    compilation_free(&floats);
    compilation_free(&doubles);
    return status;
}

static int check_against(const CheckOptions *o, const Tolerances *tolerances) {
    Compilation doubles, floats;
    bool fine = begin(&doubles, o, true);
    fine = begin(&floats, o, false) && fine;
    doubles.options.most_examples = floats.options.most_examples = reference_examples(o->reference);
    int status = fine ? check_reference(&floats, &doubles, o->net, o->reference, tolerances) : EXIT_USAGE;
    compilation_free(&floats);
    compilation_free(&doubles);
    return status;
}

/* Of sums in another order; they are the file's. */
static bool take_tolerances(const CheckOptions *o, Tolerances *t) {
    const struct { const char *text, *name; double *to, fallback; } rows[] = {
        {o->output, "output", &t->output, 1e-6}, {o->gradient, "gradient", &t->gradient, 1e-5},
        {o->losses, "losses", &t->losses, 1e-4}, {o->after, "after", &t->after, 1e-3},
    };
    for (int i = 0; i < LENGTH(rows); i++) {
        char *end = "";
        *rows[i].to = rows[i].text ? strtod(rows[i].text, &end) : rows[i].fallback;
        if (*end || (rows[i].text && !*rows[i].text) || !(*rows[i].to >= 0)) return say_error("--tolerance-%s must be a number, 0 or more, not '%s'", rows[i].name, rows[i].text), false;
        if (rows[i].text && !o->reference) return say_error("--tolerance-%s without --reference\nhint: it is of a file's numbers", rows[i].name), false;
    }
    return true;
}

int command_check(int argc, char **argv) {
    CheckOptions o = {0};
    Tolerances tolerances;
    const Option options[] = {
        {"--reference", &o.reference, NULL, NULL, 0, 0, "FILE", "a safetensors file of outputs, gradients ... to compare with"},
        {"--tolerance-output", &o.output, NULL, NULL, 0, 0, "E", "with --reference: largest error of outputs, of the largest element (1e-6)"},
        {"--tolerance-gradient", &o.gradient, NULL, NULL, 0, 0, "E", "of loss and gradients, likewise (1e-5)"},
        {"--tolerance-losses", &o.losses, NULL, NULL, 0, 0, "E", "of the losses of some steps, likewise (1e-4)"},
        {"--tolerance-after", &o.after, NULL, NULL, 0, 0, "E", "of weights after these, likewise (1e-3)"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    const CommandLine line = {"check", options, LENGTH(options), names, &o.net, 1};
    if (!parse_options(argc, argv, &line) || !take_tolerances(&o, &tolerances)) return EXIT_USAGE;
    if (o.reference) return check_against(&o, &tolerances);
    bool fine = true;
    int status = check_graph(&o, &fine);
    if (status == EXIT_FINE) status = check_code(&o);
    return status == EXIT_FINE && !fine ? EXIT_INPUT : status;
}
