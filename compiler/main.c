/* main.c: which command. Everything else is the command's. */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "--version")) return puts("cnnc " CNNC_VERSION), EXIT_FINE;
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) return command_help(1, argv);
    for (const CommandDef *c = commands + 1; argc > 1 && c->name; c++)
        if (!strcmp(argv[1], c->name)) return c->run(argc - 1, argv + 1);
    if (argc > 1) return commands[0].run(argc, argv);
    command_help(1, argv);
    return EXIT_USAGE;
}
