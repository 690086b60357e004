/* import.c: cnnc import FILE, which another program does: cnnc-import, which reads other frameworks' files with libraries that cnnc
 * itself does without. Both read the same options. */
#include "commands.h"

#include <string.h>

static bool is_stream(const char *path) { return path && !strcmp(path, "-"); }

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
    diagnostics_as_json(messages.format && !strcmp(messages.format, "json")); /* cnnc-import's own */
    if (!o->net && !o->weights) return say_error("there is nothing to write\nhint: cnnc import FILE -o NET.net --weights W.safetensors"), false;
    const Output outputs[] = {{"the description", o->net, false}, {"the weights", o->weights, false}};
    if (is_stream(o->path) || is_stream(o->net) || is_stream(o->weights)) return say_error("'-' is no file that is imported, or written"), false;
    if (!outputs_apart(outputs, LENGTH(outputs), &o->path, 1)) return false;
    compilation_init(&c, false);
    bool fine = apply_network_options(&c, &messages);
    compilation_free(&c);
    return fine;
}

int command_import(int argc, char **argv) {
    ImportOptions options = {0};
    if (!import_options(argc, argv, &options)) return EXIT_USAGE;
    return run_tool("cnnc-import", argv,
                    "this cnnc has no cnnc-import, which reads files of Keras and ONNX\n"
                    "hint: it is built where libhdf5, libzip and jansson, or protobuf-c, are; on Debian:\n"
                    "hint: apt-get install libhdf5-dev libzip-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler");
}
