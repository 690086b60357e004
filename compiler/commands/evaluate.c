/* evaluate.c: cnnc evaluate NET --weights W --data DIR, loss and metrics of saved weights on the test data. */
#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct EvaluateOptions {
    NetworkOptions network;
    const char *net, *data, *weights, *confusion_csv;
    bool confusion;
    int batch_size, threads;
} EvaluateOptions;

void print_test(const cnnc_network *network, const double *results) {
    for (int i = 0; i <= network->metric_count; i++) {
        double value = isnan(results[i]) ? fabs(results[i]) : results[i]; /* printf shows the sign of a NaN too */
        printf("%s%s: %.4f", i ? " - " : "Test ", i ? network->metrics[i - 1] : "loss", value);
    }
    printf("\n");
}

static int evaluate_with(Arena *arena, const cnnc_network *network, const EvaluateOptions *o) {
    cnnc_error failure;
    cnnc_dataset test = {0};
    cnnc_model *model = NULL;
    double *results = NEW_ARRAY(arena, double, 1 + network->metric_count);
    bool fine = !cnnc_dataset_load(network, o->data, "test", &test, &failure) && (model = cnnc_model_new(network, o->threads, NULL, &failure)) &&
                !cnnc_weights_load(network, model->net, o->weights, &failure) &&
                !cnnc_evaluate(model, &test, o->batch_size, 1, stdout, NULL, results, &failure);
    if (!fine) say_error("%s", failure.text);
    else print_test(network, results);
    int status = fine ? EXIT_FINE : status_of(&failure);
    if (fine && (o->confusion || o->confusion_csv)) status = print_confusion(arena, model, &test, o->confusion_csv, &failure);
    cnnc_model_free(model);
    cnnc_dataset_free(&test);
    return status;
}

static int evaluate(Compilation *c, const EvaluateOptions *o) {
    Loaded loaded;
    int status;
    const cnnc_network *network = load_network(c, o->net, &loaded, &status);
    if (!network) return status;
    if (network->evaluate) status = evaluate_with(c->arena, network, o);
    else {
        remark("error", c->source.name, 0, "the network has no loss to evaluate: it has no compile statement\nhint: add one, for example 'compile optimizer=rmsprop loss=categorical_crossentropy'");
        status = EXIT_INPUT;
    }
    unload_network(&loaded);
    return status;
}

int command_evaluate(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    EvaluateOptions o = {0};
    const Option options[] = {
        {"--weights", &o.weights, NULL, NULL, 0, 0, "FROM", "saved weights"},
        {"--data", &o.data, NULL, NULL, 0, 0, "DIR", "folder with the files of MNIST or CIFAR, test.csv, X_test.npy and Y_test.npy, or one .npz; or data.npz, data.csv:label, or X.npy,Y.npy"},
        {"--confusion", NULL, &o.confusion, NULL, 0, 0, NULL, "the confusion matrix, too: how many of each class were taken for which"},
        {"--confusion-csv", &o.confusion_csv, NULL, NULL, 0, 0, "FILE", "the same, and into a file"},
        {"--batch-size", NULL, NULL, &o.batch_size, 1, 1 << 20, "N", "instead of the description's"},
        {"--threads", NULL, NULL, &o.threads, 1, 1024, "N", "workers (one a processor)"},
        NETWORK_OPTIONS(o.network),
    };
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"evaluate", options, LENGTH(options), names, &o.net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &o.network)) {
        if (!o.data || !o.weights) say_error("%s is missing", o.data ? "--weights FILE" : "--data DIR");
        else status = evaluate(&c, &o);
    }
    compilation_free(&c);
    return status;
}
