/* help.c: the commands, and what the tables of operators know: a page for every word. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

const CommandDef commands[] = {
    {"", command_compile, "cnnc NET.net -o OUT.c", "write OUT.c and OUT.h; with --inference, code that only predicts"},
    {"summary", command_summary, "cnnc summary NET.net", "the table of layers, shapes and parameters"},
    {"train", command_train, "cnnc train NET.net --data DIR", "compile, load data, train with a progress bar, save the weights"},
    {"evaluate", command_evaluate, "cnnc evaluate NET.net --weights W --data DIR", "loss and metrics of saved weights on test data"},
    {"predict", command_predict, "cnnc predict NET.net --weights W --input X.npy -o Y.npy", "outputs for inputs"},
    {"check", command_check, "cnnc check NET.net", "check gradients in double precision, or against a reference file"},
    {"bench", command_bench, "cnnc bench NET.net", "where the time of a training step goes: a table of kernels"},
    {"tune", command_tune, "cnnc tune NET.net -o FILE", "measure which algorithms are the fastest; --tuning=FILE uses them"},
    {"fmt", command_fmt, "cnnc fmt NET.net...", "descriptions in one form: columns, comments kept; --check only tells which are not"},
    {"new", command_new, "cnnc new NAME", "a folder NAME with a small project: a network, a program that trains it, its build"},
    {"import", command_import, "cnnc import FILE -o NET.net --weights W", "a description and weights of a model of Keras (.keras, .h5) or ONNX"},
    {"export", command_export, "cnnc export NET.net -o FILE", "the network and its weights as ONNX (.onnx), its weights for Keras (.weights.h5)"},
    {"man", command_man, "cnnc man [COMMAND]", "a page of the manual, for man(1)"},
    {"completion", command_completion, "cnnc completion bash|zsh|fish", "what makes that shell complete cnnc's command line"},
    {"help", command_help, "cnnc help [COMMAND|WORD]", "this list, or a page on a command, layer, optimizer ..."},
    {NULL, NULL, NULL, NULL},
};

/* ---- the tables ------------------------------------------------------------------------------------------------------ */

/* The statements without options come first. */
static const Callable *all_statements(int index) {
    static const Callable plain[] = {
        {"network", "the name that generated symbols begin with: network NAME", NULL, 0, NULL},
        {"output", "what the network gives, without it the last layer's output: output a, b", NULL, 0, NULL},
    };
    return index < LENGTH(plain) ? &plain[index] : statement_family(index - LENGTH(plain));
}

const FamilyDef families[] = {
    {"layers", "layer", layer_family},          {"statements", "statement", all_statements}, {"optimizers", "optimizer", optimizer_family},
    {"losses", "loss", loss_family},            {"metrics", "metric", metric_family},        {"initializers", "initializer", initializer_family},
    {"regularizers", "regularizer", regularizer_family}, {"constraints", "constraint", constraint_family},
    {"schedules", "schedule", schedule_family},
    {NULL, NULL, NULL},
};

static const char *full_name(Arena *arena, const Callable *c) { return c->alias ? arena_printf(arena, "%s (%s)", c->name, c->alias) : c->name; }

static void print_overview(void) {
    Arena *arena = arena_new();
    const Callable *c;
    printf("cnnc " CNNC_VERSION ": networks in, C out\n\n");
    for (const CommandDef *d = commands; d->name; d++) printf("  %-56s %s\n", d->usage, d->doc);
    printf("\nEach command tells its options with --help ('cnnc NET.net --help' for the first one), 'cnnc --version' the version.\n"
           "NET.net can be '-', standard input. 'cnnc help WORD' tells the options of each word below.\n"
           "\nA description has a statement a line: [NAME =] WORD ARGUMENTS [from NAME, NAME], with '#' before a comment, '\\' where it\n"
           "goes on in the next line. A layer takes the output of the one above, or of those that 'from' names:\n"
           "\n"
           "  a = conv2d 16 3x3 padding=same activation=relu\n"
           "  b = conv2d 16 3x3 padding=same from a\n"
           "  add from a, b\n");
    for (const FamilyDef *f = families; f->title; f++) {
        printf("\n%s\n", f->title);
        for (int i = 0; (c = f->family(i)); i++) printf("  %-34s %s\n", full_name(arena, c), c->doc);
    }
    arena_free(arena);
}

/* ---- a page on a word ------------------------------------------------------------------------------------------------ */

static const char *range_text(Arena *arena, const AttrDef *a) {
    bool number = a->kind == ATTR_INT || a->kind == ATTR_REAL || a->kind == ATTR_REALS || a->kind == ATTR_SIZE || a->kind == ATTR_PAIRS;
    if (!number || a->min == a->max) return "";
    const char *least = a->min > 0 && a->min < 1e-20 ? " above 0" : arena_printf(arena, " %s%.15g", a->max < 1e9 ? "from " : "", a->min);
    if (a->max < 1e9) return arena_printf(arena, "%s to %.15g", least, a->max);
    return *least && least[1] == 'a' ? least : arena_printf(arena, "%s or more", least);
}

/* "one of the initializers", or the members where no list has them. */
static const char *family_text(Arena *arena, const AttrDef *a) {
    const char *text = "";
    const Callable *c;
    for (const FamilyDef *f = families; f->title; f++)
        if (f->family == a->family) return arena_printf(arena, "%s of the %s", a->kind == ATTR_CALLS ? "some" : "one", f->title);
    for (int i = 0; (c = a->family(i)); i++) text = arena_printf(arena, "%s%s%s", text, i ? "|" : "", c->name);
    return text;
}

const char *attribute_kind(Arena *arena, const AttrDef *a) {
    static const char *const kinds[] = {[ATTR_INT] = "integer", [ATTR_REAL] = "number", [ATTR_BOOL] = "true|false", [ATTR_SIZE] = "size", [ATTR_REALS] = "numbers", [ATTR_PAIRS] = "size or pairs"};
    if (a->words) return a->words;
    if (a->family) return arena_printf(arena, "%s%s", a->kind == ATTR_REAL ? "number or " : "", family_text(arena, a));
    return arena_printf(arena, "%s%s", kinds[a->kind], range_text(arena, a));
}

static void print_attribute(Arena *arena, const AttrDef *a) {
    printf("  %-28s %s (%s", a->name, a->doc, attribute_kind(arena, a));
    if (!a->fallback) printf(", required");
    else if (*a->fallback) printf(", default %s", a->fallback);
    else printf(", optional");
    printf("%s)\n", a->positional ? ", by position" : "");
}

static bool is_called(const Callable *c, const char *word) { return !strcmp(c->name, word) || (c->alias && !strcmp(c->alias, word)); }

/* One in several tables, as a loss that is a metric too, is told once. */
static void print_callable(Arena *arena, const Callable *wanted) {
    const char *kinds = "";
    const Callable *c;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++)
            if (c == wanted) kinds = arena_printf(arena, "%s%s%s", kinds, *kinds ? ", " : "", f->one);
    printf("%s: %s [%s]\n", full_name(arena, wanted), wanted->doc, kinds);
    for (int i = 0; i < wanted->attribute_count; i++) print_attribute(arena, &wanted->attributes[i]);
}

/* All that the word means; false: nothing. */
static bool print_word(const char *word) {
    Arena *arena = arena_new();
    const Callable **told = NULL, *c;
    int n = 0;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) {
            bool again = false;
            for (int k = 0; k < n; k++) again = again || told[k] == c;
            if (again || !is_called(c, word)) continue;
            if (n) printf("\n");
            print_callable(arena, c);
            *PUSH(arena, told, n) = c;
        }
    arena_free(arena);
    return n;
}

static int unknown_word(const char *word) {
    Arena *arena = arena_new();
    const char **names = NULL;
    const Callable *c;
    int n = 0;
    for (const CommandDef *d = commands + 1; d->name; d++) *PUSH(arena, names, n) = d->name;
    for (const FamilyDef *f = families; f->title; f++)
        for (int i = 0; (c = f->family(i)); i++) *PUSH(arena, names, n) = c->name;
    no_such("help on", word, names, n, "'cnnc help' lists what there is");
    arena_free(arena);
    return EXIT_USAGE;
}

int command_help(int argc, char **argv) {
    const char *word = NULL;
    bool markdown = false;
    const Option options[] = {{"--markdown", NULL, &markdown, NULL, 0, 0, NULL, "all words with all their options, as docs/reference.md has them"}};
    static const char *const names[] = {"the word"};
    const CommandLine line = {"help", options, LENGTH(options), names, &word, 1};
    if (!parse_some_options(argc, argv, &line, 0)) return EXIT_USAGE;
    if (markdown) return print_reference(), EXIT_FINE;
    if (!word) return print_overview(), EXIT_FINE;
    for (const CommandDef *c = commands + 1; c->name; c++)
        if (!strcmp(c->name, word)) return c->run(2, (char *[]){(char *)(uintptr_t)c->name, (char[]){"--help"}});
    return print_word(word) ? EXIT_FINE : unknown_word(word);
}
