/* help.c: the commands, and what the operator table knows. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

const CommandDef commands[] = {
    {"", command_compile, "cnnc NET.net -o OUT.c", "write OUT.c and OUT.h"},
    {"summary", command_summary, "cnnc summary NET.net", "the table of layers, shapes and parameters"},
    {"train", command_train, "cnnc train NET.net --data DIR", "compile, load data, train with a progress bar, save the weights"},
    {"evaluate", command_evaluate, "cnnc evaluate NET.net --weights W --data DIR", "loss and metrics of saved weights on test data"},
    {"predict", command_predict, "cnnc predict NET.net --weights W --input X.npy -o Y.npy", "outputs for inputs"},
    {"check", command_check, "cnnc check NET.net", "check gradients in double precision, or against a reference file"},
    {"bench", command_bench, "cnnc bench NET.net", "where the time of a training step goes: a table of kernels"},
    {"tune", command_tune, "cnnc tune NET.net -o FILE", "measure which algorithms are the fastest; --tuning=FILE uses them"},
    {"help", command_help, "cnnc help [COMMAND|LAYER]", "this list, or a page on one word"},
    {NULL, NULL, NULL, NULL},
};

static void print_family(const char *title, Family *family) {
    const Callable *c;
    printf("\n%s\n", title);
    for (int i = 0; (c = family(i)); i++) printf("  %-34s %s\n", c->name, c->doc);
}

static void print_overview(void) {
    printf("cnnc " CNNC_VERSION ": networks in, C out\n\n");
    for (const CommandDef *c = commands; c->name; c++) printf("  %-56s %s\n", c->usage, c->doc);
    printf("\nEach command tells its options with --help ('cnnc NET.net --help' for the first one), 'cnnc --version' the version.\n");
    print_family("layers", layer_family);
    print_family("statements", statement_family);
    print_family("optimizers", optimizer_family);
    print_family("losses", loss_family);
    print_family("metrics", metric_family);
    print_family("initializers", initializer_family);
}

static void print_attribute(const AttrDef *a) {
    static const char *const kinds[] = {"integer", "number", "true or false", "word", "size", "word or call", "words"};
    printf("  %-28s %s", a->name, a->doc);
    printf(" (%s", a->words ? a->words : kinds[a->kind]);
    if (!a->fallback) printf(", required");
    else if (*a->fallback) printf(", default %s", a->fallback);
    printf("%s)\n", a->positional ? ", by position" : "");
}

static bool print_callable(Family *family, const char *name) {
    const Callable *c;
    for (int i = 0; (c = family(i)); i++) {
        if (strcmp(c->name, name)) continue;
        printf("%s: %s\n", c->name, c->doc);
        for (int k = 0; k < c->attribute_count; k++) print_attribute(&c->attributes[k]);
        return true;
    }
    return false;
}

int command_help(int argc, char **argv) {
    static Family *const families[] = {layer_family, statement_family, optimizer_family, loss_family, metric_family, initializer_family};
    if (argc < 2) {
        print_overview();
        return EXIT_FINE;
    }
    for (const CommandDef *c = commands + 1; c->name; c++)
        if (!strcmp(c->name, argv[1]) && c->run != command_help) return c->run(2, (char *[]){argv[1], (char[]){"--help"}});
    for (int i = 0; i < LENGTH(families); i++)
        if (print_callable(families[i], argv[1])) return EXIT_FINE;
    say_error("there is no help on '%s'\nhint: 'cnnc help' lists what there is", argv[1]);
    return EXIT_USAGE;
}
