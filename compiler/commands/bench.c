/* bench.c: cnnc bench NET, where the time of a training step goes.
 *
 * The network is compiled twice: as for training, and for the variant that this machine runs with a timer around each
 * kernel. Both train on the same examples. */
#include "bench.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* A network as code, and the compilation it comes from. */
typedef struct Subject {
    Compilation compilation;
    Loaded loaded;
    const cnnc_network *network;
    cnnc_model *model;
} Subject;

static void close_subject(Subject *s) {
    cnnc_model_free(s->model);
    unload_network(&s->loaded);
    compilation_free(&s->compilation);
}

/* target: the only one to generate; NULL: those of the command line. */
static int open_subject(Subject *s, const BenchOptions *o, const Target *target) {
    Compilation *c = &s->compilation;
    cnnc_error failure;
    int status;
    compilation_init(c, false);
    if (!apply_network_options(c, &o->network)) return EXIT_USAGE;
    c->options.batch_size = o->batch_size;
    if (target) {
        c->quiet = c->options.profile = true;
        c->options.targets[0] = target;
        c->options.target_count = 1;
    }
    s->network = load_network(c, o->net, &s->loaded, &status);
    if (!s->network) return status;
    if (!s->network->train) {
        remark("error", c->source.name, 0, "the network cannot be trained: it has no compile statement\nhint: add one, for example 'compile optimizer=rmsprop loss=categorical_crossentropy'");
        return EXIT_INPUT;
    }
    s->model = cnnc_model_new(s->network, target ? 1 : o->threads, NULL, &failure);
    if (s->model) return EXIT_FINE;
    say_error("%s", failure.text);
    return status_of(&failure);
}

static const Program *train_program(const Compilation *c) {
    for (int i = 0; i < c->program_count; i++)
        if (c->programs[i]->entry == ENTRY_TRAIN) return c->programs[i];
    bug("there is no program that trains");
}

static int report(const Program *p, const BenchOptions *o, const Times *times) {
    Compilation described;
    const char *failure = NULL;
    compilation_init(&described, false);
    if (compile(&described, o->net, "build", NULL, NULL) != EXIT_FINE || !autodiff(described.graph, false)) bug("'%s' does not build again", o->net);
    Report r = make_report(p, described.graph, times);
    print_report(&r);
    if (o->json) failure = write_report(&r, o->json);
    if (failure) say_error("%s", failure);
    compilation_free(&described);
    return failure ? EXIT_FILE : EXIT_FINE;
}

static int bench_subjects(Subject *plain, Subject *profiled, const BenchOptions *o) {
    Compilation *c = &profiled->compilation;
    const Program *p = train_program(c);
    Times times = {.batch_size = o->batch_size ? o->batch_size : plain->network->batch_size, .repeat = o->repeat, .threads = o->threads, .kernel_count = p->kernel_count};
    cnnc_profile *profile = dlsym(profiled->loaded.library, arena_printf(c->arena, "%s_profile", c->graph->name));
    cnnc_dataset examples = {0};
    if (!profile) bug("the profiled network exports no profile");
    int status = get_examples(c->arena, c->graph, plain->network, o->data, times.batch_size, &examples);
    if (status != EXIT_FINE) return status;
    measure(c->arena, plain->model, profiled->model, profile, &examples, &times);
    if (o->data) cnnc_dataset_free(&examples);
    return report(p, o, &times);
}

static int bench(const BenchOptions *o) {
    Subject plain = {0}, profiled = {0};
    int status = open_subject(&plain, o, NULL);
    if (status == EXIT_FINE) {
        status = open_subject(&profiled, o, find_target(cnnc_model_variant(plain.model)));
        if (status == EXIT_FINE) status = bench_subjects(&plain, &profiled, o);
        close_subject(&profiled);
    }
    close_subject(&plain);
    return status;
}

int command_bench(int argc, char **argv) {
    BenchOptions o = {.threads = 1, .repeat = 15};
    const Option options[] = {
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "examples as for train, instead of random ones"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers of what is not profiled (1); kernels are timed with one"},
        {"--repeat", NULL, NULL, &o.repeat, 1, 1000, "N", "repetitions, of which the median is shown (15)"},
        {"--json", &o.json, NULL, NULL, 0, 0, "FILE", "write the numbers there too"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    const CommandLine line = {"bench", options, LENGTH(options), names, &o.net, 1};
    return parse_options(argc, argv, &line) ? bench(&o) : EXIT_USAGE;
}
