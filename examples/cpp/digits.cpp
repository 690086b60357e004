// digits.cpp: trains on MNIST by cnnc.hpp, saves, and reads digits with another model that loads what was saved.
//
//     digits FOLDER        FOLDER has the MNIST files; writes digits.safetensors
#include <algorithm>
#include <cstdio>

#include "cnnc.hpp"
#include "digits_net.h"

static void run(const char *folder) {
    constexpr std::size_t batch = 64;
    const cnnc::dataset train(digits_network, folder, "train"), test(digits_network, folder, "t10k");
    cnnc::model model(digits_network);

    std::printf("before: accuracy %.4f\n", model.evaluate(test)[1]);
    const auto images = train.inputs<uint8_t>();
    const auto labels = train.targets<int32_t>();
    for (std::size_t i = 0; i + batch <= labels.size(); i += batch)
        model.train(images.part(i * DIGITS_INPUT, batch * DIGITS_INPUT), labels.part(i, batch));
    std::printf("after: accuracy %.4f\n", model.evaluate(test)[1]);
    model.save("digits.safetensors");

    cnnc::model reader(digits_network, 1);
    reader.load("digits.safetensors");
    const std::vector<float> probabilities = reader.predict(test.inputs<uint8_t>().part(0, 10 * DIGITS_INPUT));
    std::printf("reads:");
    for (auto p = probabilities.begin(); p != probabilities.end(); p += DIGITS_OUTPUT)
        std::printf(" %d", static_cast<int>(std::max_element(p, p + DIGITS_OUTPUT) - p));
    std::printf("\nis:   ");
    for (int32_t label : test.targets<int32_t>().part(0, 10)) std::printf(" %d", label);
    std::printf("\n");
}

int main(int argc, char **argv) {
    if (argc != 2) return std::fprintf(stderr, "usage: digits FOLDER\n"), 1;
    try {
        run(argv[1]);
    } catch (const std::exception &e) {
        return std::fprintf(stderr, "digits: %s\n", e.what()), 1;
    }
}
