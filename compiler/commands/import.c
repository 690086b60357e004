/* import.c: cnnc import FILE, which another program does: cnnc-import, which reads other frameworks' files with libraries that cnnc
 * itself does without. Both read the same options. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool import_options(int argc, char **argv, ImportOptions *o) {
    NetworkOptions messages = {0};
    static const char *const names[] = {"the file to import"};
    const Option options[] = {
        {"-o", &o->net, NULL, NULL, 0, 0, "NET.net", "the description; without it none is written"},
        {"--weights", &o->weights, NULL, NULL, 0, 0, "FILE", "its weights, safetensors; without it none are written"},
        {"--no-compile", NULL, &o->no_compile, NULL, 0, 0, NULL, "a network that only predicts, however the model was trained"},
        {"--diagnostics-format", &messages.format, NULL, NULL, 0, 0, "FORMAT", "of what is said on standard error: text, or json, one object a line"},
    };
    const CommandLine line = {"import", options, LENGTH(options), names, &o->path, 1};
    Compilation c;
    if (!parse_options(argc, argv, &line)) return false;
    if (!o->net && !o->weights) return say_error("there is nothing to write\nhint: cnnc import FILE -o NET.net --weights W.safetensors"), false;
    compilation_init(&c, false);
    bool fine = apply_network_options(&c, &messages);
    compilation_free(&c);
    return fine;
}

/* Runs it, if it is beside this program: in a folder of the build, in an installation. */
static void run_beside(char **argv) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    while (n > 0 && path[n - 1] != '/') n--;
    if (n <= 0 || (size_t)n + sizeof "cnnc-import" > sizeof path) return;
    memcpy(path + n, "cnnc-import", sizeof "cnnc-import");
    execv(path, argv);
}

int command_import(int argc, char **argv) {
    ImportOptions options = {0};
    static char name[] = "cnnc-import";
    if (!import_options(argc, argv, &options)) return EXIT_USAGE;
    argv[0] = name;
    run_beside(argv);
    execvp(name, argv);
    if (errno != ENOENT) return say_error("cannot run cnnc-import: %s", strerror(errno)), EXIT_FILE;
    say_error("this cnnc has no cnnc-import, which reads files of Keras and ONNX\n"
              "hint: it is built where libhdf5, libzip and jansson, or protobuf-c, are; on Debian:\n"
              "hint: apt-get install libhdf5-dev libzip-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler");
    return EXIT_FILE;
}
