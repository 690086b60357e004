/* Models of ONNX: from bytes to a description and weights, which cnnc takes (write_model sees to that), or to messages. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include "onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const OnnxOptions none;
    char path[SCRATCH], net[SCRATCH], weights[SCRATCH];
    unlink(scratch(net, "net")), unlink(scratch(weights, "safetensors"));
    FILE *f = fopen(scratch(path, "onnx"), "wb");
    REQUIRE(f && fwrite(data, 1, size, f) == size && !fclose(f));
    Model m = {.arena = arena_new(), .path = path};
    Onnx o;
    import_onnx(&m, path, &none, &o);
    int status = m.errors ? EXIT_INPUT : write_model(&m, net, weights);
    REQUIRE(status == EXIT_FINE || status == EXIT_INPUT);
    REQUIRE((status == EXIT_FINE) == !access(net, F_OK) && (status == EXIT_FINE) == !access(weights, F_OK));
    arena_free(m.arena);
    return 0;
}
