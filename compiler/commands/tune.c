/* tune.c: cnnc tune NET -o FILE, the fastest algorithm of each op, measured.
 *
 * Op by op each algorithm that covers it takes the place of the one chosen so far, in code that is compiled, loaded and
 * trained in turns with that: what ops share, and what they do to each other's caches, counts as it will. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

typedef struct TuneOptions {
    NetworkOptions network;
    const char *net, *data, *out;
    int batch_size, threads, repeat;
} TuneOptions;

/* A network with choices, as code. */
typedef struct Candidate {
    Compilation compilation;
    Loaded loaded;
    cnnc_model *model;
} Candidate;

/* Changes must be this much faster: less is noise. */
static const double worthwhile = 0.99;

static void close_candidate(Candidate *c) {
    cnnc_model_free(c->model);
    unload_network(&c->loaded);
    compilation_free(&c->compilation);
    *c = (Candidate){0};
}

/* With the choices of `tuning`. An exit status, after a message. */
static int open_candidate(Candidate *c, const TuneOptions *o, Tuning *tuning, bool quiet) {
    int status;
    cnnc_error failure;
    compilation_init(&c->compilation, false);
    if (!apply_network_options(&c->compilation, &o->network)) return EXIT_USAGE;
    c->compilation.options.batch_size = o->batch_size;
    c->compilation.quiet = quiet;
    c->compilation.options.tuning = tuning;
    const cnnc_network *network = load_network(&c->compilation, o->net, &c->loaded, &status);
    if (!network) return status;
    if (!network->train) return remark("error", c->compilation.source.name, 0, "the network cannot be trained: it has no compile statement\nhint: add one, for example 'compile optimizer=rmsprop loss=categorical_crossentropy'"), EXIT_INPUT;
    c->model = cnnc_model_new(network, o->threads, NULL, &failure);
    if (!c->model) return say_error("%s", failure.text), status_of(&failure);
    return EXIT_FINE;
}

/* The training program of the variant that runs. */
static const Program *running_program(const Candidate *c) {
    for (int i = 0; i < c->compilation.program_count; i++) {
        const Program *p = c->compilation.programs[i];
        if (p->entry == ENTRY_TRAIN && !strcmp(p->target->name, cnnc_model_variant(c->model))) return p;
    }
    bug("there is no program that trains");
}

static int write_choices(Arena *arena, const TuneOptions *o, const Tuning *tuning) {
    const char *text = tuning_text(arena, tuning), *failure = write_file(arena, o->out, text, strlen(text));
    if (failure) say_error("%s", failure);
    return failure ? EXIT_FILE : EXIT_FINE;
}

/* One candidate for op `at` in `other`, against the one in `best`. Whether it is faster. */
static bool is_faster(const Candidate *best, Candidate *other, int at, const Algorithm *a, const TuneOptions *o, Tuning *tuning, const cnnc_dataset *examples) {
    Arena *arena = arena_new();
    const Choice *chosen = &running_program(best)->choices[at];
    const Op *op = running_program(best)->ops[at];
    double us[2];
    bool faster = false;
    printf("  %-28s %-24s ", op->outputs[0]->name, op->def->call.name);
    fflush(stdout);
    if (open_candidate(other, o, tuning, true) == EXIT_FINE) {
        compare_models(arena, best->model, other->model, examples, o->batch_size, o->repeat, us);
        faster = us[1] < us[0] * worthwhile;
        printf("%-11s %9.2f us, %-11s %9.2f us%s\n", chosen->algorithm->name, us[0], a->name, us[1], faster ? "  better" : "");
    } else {
        printf("%-11s cannot be tried\n", a->name);
    }
    arena_free(arena);
    return faster;
}

/* The candidates for op `at`, one after the other. best[0] is the best so far, best[1] free. */
static void try_op(Candidate *best[2], int at, Arena *arena, const TuneOptions *o, Tuning *tuning, const cnnc_dataset *examples) {
    const Algorithm *list[MAX_ALGORITHMS];
    const Program *p = running_program(best[0]);
    int n = candidates(p, p->ops[at], list);
    for (int i = 0; i < n; i++) {
        const Algorithm *chosen = p->choices[at].algorithm;
        if (list[i] == chosen || !strcmp(list[i]->name, "plain")) continue;
        tune(arena, tuning, p, p->ops[at], list[i]);
        if (is_faster(best[0], best[1], at, list[i], o, tuning, examples)) {
            Candidate *slower = best[0];
            best[0] = best[1], best[1] = slower;
        } else {
            tune(arena, tuning, p, p->ops[at], chosen);
        }
        close_candidate(best[1]);
        p = running_program(best[0]);
    }
}

/* Choices are written as they are made: what is known stays when somebody stops it. */
static int tune_ops(Candidate *best[2], Arena *arena, const TuneOptions *o, Tuning *tuning, const cnnc_dataset *examples) {
    const Algorithm *list[MAX_ALGORITHMS];
    int status = write_choices(arena, o, tuning), ops = running_program(best[0])->op_count;
    for (int i = 0; i < ops && status == EXIT_FINE; i++) {
        const Program *p = running_program(best[0]);
        if (candidates(p, p->ops[i], list) < 3) continue; /* one and plain */
        try_op(best, i, arena, o, tuning, examples);
        status = write_choices(arena, o, tuning);
    }
    return status;
}

static int run(TuneOptions *o, Arena *arena) {
    Candidate *slots = NEW_ARRAY(arena, Candidate, 2), *best[2] = {slots, slots + 1}; /* they stay where they are: what they hold points into them */
    Tuning tuning = {0};
    cnnc_dataset examples = {0};
    int status = open_candidate(best[0], o, &tuning, false);
    if (status == EXIT_FINE) {
        const cnnc_network *network = best[0]->model->network;
        if (!o->batch_size) o->batch_size = network->batch_size;
        printf("%s, %s: batches of %d, us an example\n", network->name, cnnc_model_variant(best[0]->model), o->batch_size);
        status = get_examples(arena, best[0]->compilation.graph, network, o->data, o->batch_size, &examples);
    }
    if (status == EXIT_FINE) status = tune_ops(best, arena, o, &tuning, &examples);
    if (status == EXIT_FINE) printf("%d choices in %s\n", tuning.length, o->out);
    if (o->data) cnnc_dataset_free(&examples);
    close_candidate(best[0]);
    return status;
}

int command_tune(int argc, char **argv) {
    TuneOptions o = {.threads = 1, .repeat = 9};
    const Option options[] = {
        {"-o", &o.out, NULL, NULL, 0, 0, "FILE", "where to write the choices; --tuning=FILE of the other commands reads them"},
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "examples as for train, instead of random ones"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers (1)"},
        {"--repeat", NULL, NULL, &o.repeat, 1, 1000, "N", "repetitions, of which the median counts (9)"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    const CommandLine line = {"tune", options, LENGTH(options), names, &o.net, 1};
    if (!parse_options(argc, argv, &line)) return EXIT_USAGE;
    if (!o.out || o.network.tuning || o.network.algorithm) {
        say_error("%s", !o.out ? "-o FILE is missing" : "tune finds the choices itself: --algorithm and --tuning are not for it");
        return EXIT_USAGE;
    }
    Arena *arena = arena_new();
    int status = run(&o, arena);
    arena_free(arena);
    return status;
}
