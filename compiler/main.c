/* main.c: which command. Everything else is the command's. */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

/* A word that is neither a command nor looks like a file. */
static int unknown_command(const char *word) {
    const char *names[32];
    int n = 0;
    for (const CommandDef *c = commands + 1; c->name; c++) names[n++] = c->name;
    no_such("command", word, names, n, "'cnnc help' lists the commands; a network's file is called NAME.net");
    return EXIT_USAGE;
}

/* Before anything is read, because that may fail, too. */
static bool wants_json(int argc, char **argv) {
    static const char option[] = "--diagnostics-format";
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (strncmp(argv[i], option, sizeof option - 1)) continue;
        const char *rest = argv[i] + sizeof option - 1;
        if (!strcmp(rest, "=json") || (!*rest && i + 1 < argc && !strcmp(argv[i + 1], "json"))) return true;
    }
    return false;
}

static int run(int argc, char **argv) {
    int status;
    if (!begin_program("cnnc", argc, argv, &status)) return status;
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) return command_help(1, argv);
    for (const CommandDef *c = commands + 1; argc > 1 && c->name; c++)
        if (!strcmp(argv[1], c->name)) return c->run(argc - 1, argv + 1);
    if (argc > 1 && argv[1][0] != '-' && !strpbrk(argv[1], "./")) return unknown_command(argv[1]);
    if (argc > 1) return commands[0].run(argc, argv);
    command_help(1, argv);
    return EXIT_USAGE;
}

/* What is lost on a full disk is no success. */
int main(int argc, char **argv) {
    diagnostics_as_json(wants_json(argc, argv));
    int status = run(argc, argv);
    if (!fflush(stdout) && !ferror(stdout)) return status;
    say_error("cannot write to standard output");
    return status == EXIT_FINE ? EXIT_FILE : status;
}
