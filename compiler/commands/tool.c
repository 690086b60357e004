/* tool.c: commands that another program does, with libraries that cnnc itself does without: found beside cnnc, then in PATH. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Runs it, if it is in this program's folder: of the build, of an installation. */
static void run_beside(const char *name, char **argv) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    while (n > 0 && path[n - 1] != '/') n--;
    if (n <= 0 || (size_t)n + strlen(name) >= sizeof path) return;
    memcpy(path + n, name, strlen(name) + 1);
    execv(path, argv);
}

int run_tool(const char *name, char **argv, const char *otherwise) {
    Arena *arena = arena_new();
    argv[0] = arena_string(arena, name, strlen(name));
    run_beside(name, argv);
    execvp(name, argv);
    if (errno == ENOENT) say_error("%s", otherwise);
    else say_error("cannot run %s: %s", name, strerror(errno));
    arena_free(arena);
    return EXIT_FILE;
}

bool begin_program(const char *name, int argc, char **argv, int *status) {
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the shell's limit is an error of write, too, not a sudden end */
    *status = EXIT_USAGE;
    for (int i = 1; i < argc; i++)
        if (has_controls(argv[i])) return say_error("argument %d has a control character in it (a line's end?)", i), false;
    *status = EXIT_FINE;
    if (argc < 2 || strcmp(argv[1], "--version")) return true;
    printf("%s %s\n", name, CNNC_VERSION);
    return false;
}
