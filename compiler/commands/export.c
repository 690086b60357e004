/* export.c: cnnc export NET, which another program does: cnnc-export (tools/export), with libraries that cnnc itself does without. Both
 * read the same options. */
#include "commands.h"

#include <string.h>

static const char *const endings[] = {".onnx", ".weights.h5"};

static bool has_ending(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcmp(path + n - m, ending);
}

static bool is_known(const char *path) {
    for (int i = 0; i < LENGTH(endings); i++)
        if (has_ending(path, endings[i])) return true;
    return say_error("what '%s' should be, its ending does not tell\nhint: -o NAME.onnx writes ONNX, -o NAME.weights.h5 weights for Keras", path), false;
}

ExportFormat export_format(const char *path) { return has_ending(path, endings[EXPORT_ONNX]) ? EXPORT_ONNX : EXPORT_KERAS; }

bool export_options(int argc, char **argv, Compilation *c, ExportOptions *o) {
    NetworkOptions messages = {0};
    static const char *const names[] = {"the network's file"};
    const Option options[] = {
        {"-o", &o->out, NULL, NULL, 0, 0, "FILE", "NAME.onnx, the network that predicts, or NAME.weights.h5, its weights for Keras's load_weights"},
        {"--weights", &o->weights, NULL, NULL, 0, 0, "FILE", "safetensors, of cnnc train say; without it the weights are those that training begins with"},
        MESSAGE_OPTIONS(messages),
    };
    const CommandLine line = {"export", options, LENGTH(options), names, &o->net, 1};
    if (!parse_options(argc, argv, &line) || !apply_network_options(c, &messages)) return false;
    diagnostics_as_json(messages.format && !strcmp(messages.format, "json")); /* cnnc-export's own */
    if (!o->out) return say_error("-o FILE is missing\nhint: -o NAME.onnx writes ONNX, -o NAME.weights.h5 weights for Keras"), false;
    const char *const inputs[] = {o->net, o->weights};
    const Output output = {"the network", o->out, false};
    return is_known(o->out) && outputs_apart(&output, 1, inputs, LENGTH(inputs));
}

int command_export(int argc, char **argv) {
    Compilation c;
    ExportOptions options = {0};
    compilation_init(&c, false);
    bool fine = export_options(argc, argv, &c, &options);
    compilation_free(&c);
    if (!fine) return EXIT_USAGE;
    return run_tool("cnnc-export", argv,
                    "this cnnc has no cnnc-export, which writes files of ONNX and Keras\n"
                    "hint: it is built where protobuf-c or libhdf5 are; on Debian: apt-get install libprotobuf-c-dev protobuf-c-compiler libhdf5-dev");
}
