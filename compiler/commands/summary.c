/* summary.c: cnnc summary NET, Keras's table. Nothing is compiled. */
#include "commands.h"

#include <stdio.h>

int command_summary(int argc, char **argv) {
    Compilation c;
    compilation_init(&c, false);
    NetworkOptions network = {0};
    const char *net = NULL;
    const Option options[] = {NETWORK_OPTIONS(network)};
    static const char *const names[] = {"the network's file"};
    int status = EXIT_USAGE;
    const CommandLine line = {"summary", options, LENGTH(options), names, &net, 1};
    if (parse_options(argc, argv, &line) && apply_network_options(&c, &network)) {
        cnnc_error failure = {.text = ""};
        status = compile(&c, net, "build", NULL, NULL);
        print_diagnostics(&c);
        if (status == EXIT_FINE && cnnc_summary(describe_network(c.graph), stdout, cnnc_columns(stdout), cnnc_progress_color(stdout), &failure)) {
            fprintf(stderr, "cnnc: error: %s\n", failure.text);
            status = EXIT_FILE;
        }
    }
    compilation_free(&c);
    return status;
}
