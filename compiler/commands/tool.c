/* tool.c: commands that another program does, with libraries that cnnc itself does without: found beside cnnc, then in PATH. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Runs it, if it is in this program's folder: of the build, of an installation. */
static void run_beside(const char *name, char **argv) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    while (n > 0 && path[n - 1] != '/') n--;
    if (n <= 0 || (size_t)n + strlen(name) >= sizeof path) return;
    strcpy(path + n, name);
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
