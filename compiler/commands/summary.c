/* summary.c: cnnc summary NET: Keras's table, and below it the work and memory of the network. No C is compiled. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* What layers leave, of one example; a change of view leaves nothing. */
static int64_t activations(const Graph *g) {
    int64_t elements = 0;
    for (int i = 0; i < g->layer_count; i++)
        if (!g->layers[i]->def->view && g->layers[i]->input_count) elements += shape_count(g->layers[i]->shape);
    return elements;
}

/* "5,588,224" */
static const char *count_text(Arena *arena, double count) {
    const char *digits = arena_printf(arena, "%.0f", count), *text = "";
    size_t length = strlen(digits);
    for (; length > 3; length -= 3) text = arena_printf(arena, ",%.3s%s", digits + length - 3, text);
    return arena_printf(arena, "%.*s%s", (int)length, digits, text);
}

/* The graph as described; where it has a loss, training's part is added to it. */
static void print_work(Graph *described) {
    double forward = dense_flops(described), both = forward;
    if (described->loss && autodiff(described, false)) both = dense_flops(described);
    printf(" FLOPs an example: %s forward", count_text(described->arena, forward));
    if (described->loss) printf(", %s in training", count_text(described->arena, both));
    char size[BYTES_TEXT];
    printf("\n Activations an example: %s\n", bytes_text(size, (double)activations(described) * sizeof(float)));
}

/* Of the generated code, as it was planned. */
static void print_memory(Compilation *planned) {
    Footprint f = footprint(planned->graph, &planned->options, planned->programs, planned->program_count);
    char all[BYTES_TEXT], each[BYTES_TEXT];
    printf(" Memory: %s for parameters%s, ", bytes_text(all, (double)f.resident), planned->graph->loss ? ", gradients and optimizer" : "");
    printf("%s a thread\n", bytes_text(each, (double)f.worker_bytes));
}

static int print_summary(Compilation *described, Compilation *planned) {
    cnnc_error failure = {.text = ""};
    if (cnnc_summary(describe_network(described->graph), stdout, cnnc_columns(stdout), cnnc_progress_color(stdout), &failure)) {
        say_error("%s", failure.text);
        return EXIT_FILE;
    }
    print_work(described->graph);
    print_memory(planned);
    return EXIT_FINE;
}

int command_summary(int argc, char **argv) {
    Compilation described, planned;
    compilation_init(&described, false);
    compilation_init(&planned, false);
    NetworkOptions network = {0};
    const char *net = NULL;
    const Option options[] = {NETWORK_OPTIONS(network)};
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"summary", options, LENGTH(options), names, &net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&described, &network) && apply_network_options(&planned, &network)) {
        status = compile(&planned, net, "plan", NULL, NULL);
        print_diagnostics(&planned);
        described.quiet = true;
        if (status == EXIT_FINE) {
            status = compile(&described, net, "build", NULL, NULL);
            print_diagnostics(&described);
        }
        if (status == EXIT_FINE) status = print_summary(&described, &planned);
    }
    compilation_free(&described);
    compilation_free(&planned);
    return status;
}
