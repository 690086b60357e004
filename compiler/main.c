/* main.c: which command. Everything else is the command's. */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

/* A word that is neither a command nor looks like a file. */
static int unknown_command(const char *word) {
    const char *names[32];
    int n = 0;
    for (const CommandDef *c = commands + 1; c->name && n < LENGTH(names); c++) names[n++] = c->name;
    const char *near = nearest(word, names, n);
    fprintf(stderr, "cnnc: error: there is no command '%s'\n", word);
    if (near) fprintf(stderr, "hint: did you mean '%s'?\n", near);
    else fprintf(stderr, "hint: 'cnnc help' lists the commands; a network's file is called NAME.net\n");
    return EXIT_USAGE;
}

static int run(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (has_controls(argv[i])) return fprintf(stderr, "cnnc: error: argument %d has a control character in it (a line's end?)\n", i), EXIT_USAGE;
    if (argc > 1 && !strcmp(argv[1], "--version")) return puts("cnnc " CNNC_VERSION), EXIT_FINE;
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
    int status = run(argc, argv);
    if (!fflush(stdout) && !ferror(stdout)) return status;
    fprintf(stderr, "cnnc: error: cannot write to standard output\n");
    return status == EXIT_FINE ? EXIT_FILE : status;
}
