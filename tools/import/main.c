/* main.c: cnnc-import, what cnnc import runs: models of Keras and ONNX as descriptions and weights of cnnc. */
#define _XOPEN_SOURCE 700
#include "model.h"
#include "../../compiler/commands/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

/* What a file is, its first bytes say, and only where they say nothing its ending. ONNX, which has none of its own, is the last one. */
typedef struct Reader { const char *magic, *ending; void (*read)(Model *, const char *path); const char *otherwise; } Reader; /* without it */
#ifdef IMPORT_KERAS
#define KERAS_ZIP read_keras_zip
#define KERAS_HDF5 read_keras_hdf5
#else
#define KERAS_ZIP NULL
#define KERAS_HDF5 NULL
#endif
#ifdef IMPORT_ONNX
#define ONNX read_onnx
#else
#define ONNX NULL
#endif
#define NO_KERAS "is of Keras, which this cnnc-import was built without: libhdf5, libzip and jansson"
static const Reader readers[] = {
    {"PK\3\4", ".keras", KERAS_ZIP, NO_KERAS},
    {"\x89HDF\r\n\x1a\n", ".h5", KERAS_HDF5, NO_KERAS},
    {"", "", ONNX, "is not of Keras, and this cnnc-import was built without what reads ONNX, protobuf-c"},
};

static bool begins(const Reader *r, const char *bytes, size_t n) { return n >= strlen(r->magic) && !memcmp(bytes, r->magic, strlen(r->magic)); }

static bool ends(const Reader *r, const char *path) {
    size_t n = strlen(path), length = strlen(r->ending);
    return n >= length && !strcmp(path + n - length, r->ending);
}

/* NULL after a message; *status: an exit status. */
static const Reader *reader_of(const char *path, int *status) {
    char bytes[8] = {0};
    *status = EXIT_FILE;
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    int failure = !file || ferror(file) ? errno : 0;
    if (file) fclose(file);
    if (failure) return say_error("cannot read %s: %s", path, strerror(failure)), NULL;
    const Reader *r = readers;
    while (!begins(r, bytes, n)) r++;
    if (!*r->magic)
        for (r = readers; !ends(r, path);) r++;
    *status = EXIT_INPUT;
    if (!r->read) remark("error", path, 0, "%s", r->otherwise);
    return r->read ? r : NULL;
}

static int import(const ImportOptions *options) {
    int status;
    const Reader *reader = reader_of(options->path, &status);
    if (!reader) return status;
    Model model = {.arena = arena_new(), .path = options->path, .no_compile = options->no_compile};
    reader->read(&model, options->path);
    status = model.errors ? EXIT_INPUT : write_model(&model, options->net, options->weights);
    arena_free(model.arena);
    return status;
}

/* Nobody waits for what a child does whose parent was killed. */
static void end_with(pid_t parent) {
#ifdef __linux__
    if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() != parent) _exit(EXIT_FILE);
#else
    (void)parent;
#endif
}

/* In a process of its own: the library that reads HDF5 may crash on what is damaged. */
static int import_apart(const ImportOptions *options) {
    fflush(NULL);
    int status;
    pid_t parent = getpid(), child = fork();
    if (child < 0) return say_error("cannot start a process: %s", strerror(errno)), EXIT_FILE;
    if (!child) {
        end_with(parent);
        status = import(options);
        exit(fflush(stdout) ? EXIT_FILE : status);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return say_error("cannot wait for a process: %s", strerror(errno)), EXIT_FILE;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int with = WTERMSIG(status);
    if (with != SIGSEGV && with != SIGBUS && with != SIGABRT && with != SIGFPE && with != SIGILL)
        return remark("error", options->path, 0, "was not read to its end: signal %d stopped that", with), EXIT_FILE;
    remark("error", options->path, 0, "cannot be read: what reads it crashed (signal %d), so that it is damaged, or worse", with);
    return EXIT_INPUT;
}

int main(int argc, char **argv) {
    ImportOptions options = {0};
    int status;
    if (!begin_program("cnnc-import", argc, argv, &status)) return status;
    if (!import_options(argc, argv, &options)) return EXIT_USAGE;
    return import_apart(&options);
}
