/* main.c: cnnc-export, what cnnc export runs: networks of cnnc as files of other programs. */
#include "export.h"

#ifdef HAVE_ONNX
#define ONNX write_onnx
#else
#define ONNX NULL
#endif
#ifdef HAVE_KERAS
#define KERAS write_keras_weights
#else
#define KERAS NULL
#endif
static const struct { const char *what; ExportWriter *write; const char *needs; } formats[] = {
    [EXPORT_ONNX] = {"ONNX", ONNX, "protobuf-c"},
    [EXPORT_KERAS] = {"weights for Keras", KERAS, "libhdf5"},
};

/* The file, once everything is known. An exit status. */
static int write_network(Graph *g, const char *path) {
    Bytes bytes;
    if (!formats[export_format(path)].write(g, &bytes)) return EXIT_INPUT;
    const char *failure = write_file(g->arena, path, bytes.data, bytes.length);
    return failure ? say_error("%s", failure), EXIT_FILE : EXIT_FINE;
}

static int run(Compilation *c, const ExportOptions *o) {
    c->options.inference = true;
    int status = compile(c, o->net, "build", NULL, NULL);
    if (status == EXIT_FINE) {
        still(c->graph);
        if (!known_weights(c->graph, o->weights, &status)) return status;
        status = write_network(c->graph, o->out);
    }
    print_diagnostics(c);
    return status;
}

int main(int argc, char **argv) {
    Compilation c;
    ExportOptions options = {0};
    int status;
    if (!begin_program("cnnc-export", argc, argv, &status)) return status;
    compilation_init(&c, false);
    status = EXIT_USAGE;
    if (export_options(argc, argv, &c, &options)) {
        const ExportFormat format = export_format(options.out);
        if (formats[format].write) status = run(&c, &options);
        else say_error("this cnnc-export was built without %s, which %s takes", formats[format].needs, formats[format].what);
    }
    compilation_free(&c);
    return status;
}
