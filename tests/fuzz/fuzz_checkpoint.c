/* A checkpoint of a small network: taken whole, or refused with the model as it was. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include "../test_runtime.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static cnnc_model *model;
    static unsigned char before[sizeof(linear)];
    cnnc_error error = {.text = ""};
    if (!model) model = cnnc_model_new(&linear_network, 1, NULL, &error);
    REQUIRE(model);
    memcpy(before, model->net, sizeof before);
    char path[64];
    int memory = memfd_create("checkpoint", 0);
    REQUIRE(memory >= 0 && write(memory, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    double sums[2] = {0, 0};
    cnnc_position position = {.examples = 61, .batch_size = 8, .seed = 1, .shuffle = 1, .sums = sums};
    if (cnnc_checkpoint_load(model, &position, path, &error) == CNNC_OK) {
        REQUIRE(position.batch < 8 && position.epoch <= INT32_MAX && position.examples == 61 && position.batch_size == 8);
        memset(model->state->parameters, 0, sizeof(float) * PARAMETERS);
    } else {
        require_message(error.text);
        REQUIRE(!memcmp(before, model->net, sizeof before) && !position.epoch && !position.batch && !sums[0] && !sums[1]);
    }
    close(memory);
    return 0;
}
