/* finetune.c: what was learnt from many digits 0 to 4 helps to learn 5 to 9 from a few.
 *
 *     finetune FOLDER          FOLDER has the MNIST files; writes low.safetensors
 *
 * low.net is trained on all digits 0 to 4 and saved. high.net takes the layers of the same names from that file, keeps them as they
 * are (trainable=false) and learns a new dense layer from FEW examples. The same with convolutions as they begin, for comparison.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnnc_runtime.h"
#include "high_net.h"
#include "low_net.h"

enum { FEW = 100, CLASSES = 5, PIXELS = LOW_INPUT };

static void fail(const cnnc_error *error) {
    fprintf(stderr, "finetune: %s\n", error->text);
    exit(EXIT_FAILURE);
}

static void read_file(const char *folder, const char *file, cnnc_array *array) {
    char path[4096];
    cnnc_error error;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (cnnc_array_read(path, array, &error) != CNNC_OK) fail(&error);
}

/* The digits first .. first + CLASSES - 1 of a pair of MNIST's files, as classes 0 .. CLASSES - 1; `most` of them at most. */
static cnnc_dataset load(const cnnc_network *network, const char *folder, const char *split, int first, size_t most) {
    char file[64];
    cnnc_array images, labels;
    cnnc_dataset data;
    cnnc_error error;
    snprintf(file, sizeof file, "%s-images-idx3-ubyte.gz", split);
    read_file(folder, file, &images);
    snprintf(file, sizeof file, "%s-labels-idx1-ubyte.gz", split);
    read_file(folder, file, &labels);

    uint8_t *pixels = images.data, *digits = labels.data;
    size_t kept = 0, n = labels.count < images.count / PIXELS ? labels.count : images.count / PIXELS;
    for (size_t i = 0; i < n && kept < most; i++) {
        if (digits[i] < first || digits[i] >= first + CLASSES) continue;
        memmove(pixels + kept * PIXELS, pixels + i * PIXELS, PIXELS);
        digits[kept++] = (uint8_t)(digits[i] - first);
    }
    images.shape[0] = labels.shape[0] = labels.count = kept, images.count = kept * PIXELS;
    if (cnnc_dataset_make(network, &images, &labels, 1, NULL, &data, &error) != CNNC_OK) fail(&error);
    cnnc_array_free(&images);
    cnnc_array_free(&labels);
    return data;
}

/* Trains as the fit statement says, without a progress bar; accuracy on the other examples. */
static double train(cnnc_model *model, const cnnc_dataset *train_data, const cnnc_dataset *test_data) {
    cnnc_error error;
    cnnc_fit_options options;
    double results[2]; /* loss, accuracy */
    cnnc_fit_defaults(model->network, &options);
    options.verbose = 0;
    if (cnnc_fit(model, train_data, &options, NULL, &error) != CNNC_OK) fail(&error);
    if (cnnc_evaluate(model, test_data, 0, 0, NULL, NULL, results, &error) != CNNC_OK) fail(&error);
    return results[1];
}

static void train_low(const char *folder, const char *weights) {
    cnnc_error error;
    cnnc_dataset some = load(&low_network, folder, "train", 0, SIZE_MAX), others = load(&low_network, folder, "t10k", 0, SIZE_MAX);
    cnnc_model *model = cnnc_model_new(&low_network, 0, NULL, &error);
    if (!model) fail(&error);
    double accuracy = train(model, &some, &others);
    printf("0 to 4, %zu examples: accuracy %.4f\n", some.n, accuracy);
    if (cnnc_weights_save(&low_network, model->net, weights, NULL, 0, &error) != CNNC_OK) fail(&error);
    cnnc_model_free(model);
    cnnc_dataset_free(&some);
    cnnc_dataset_free(&others);
}

/* weights: of another network with layers of the same names; NULL: none. */
static void train_high(const char *folder, const char *weights) {
    cnnc_error error;
    int loaded = 0;
    cnnc_dataset few = load(&high_network, folder, "train", CLASSES, FEW), others = load(&high_network, folder, "t10k", CLASSES, SIZE_MAX);
    cnnc_model *model = cnnc_model_new(&high_network, 0, NULL, &error);
    if (!model) fail(&error);
    if (weights && cnnc_weights_load_matching(&high_network, model->net, weights, &loaded, &error) != CNNC_OK) fail(&error);
    const high_parameters *parameters = high_get_parameters(model->net);
    const high_parameters before = *parameters;
    double accuracy = train(model, &few, &others);
    int kept = !memcmp(&before.shapes, &parameters->shapes, sizeof before.shapes) && !memcmp(&before.edges, &parameters->edges, sizeof before.edges);
    printf("5 to 9, %zu examples, %d parameters from %s: accuracy %.4f, convolutions %s\n", few.n, loaded, weights ? weights : "nowhere", accuracy,
           kept ? "as before" : "changed");
    cnnc_model_free(model);
    cnnc_dataset_free(&few);
    cnnc_dataset_free(&others);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: finetune FOLDER\n"), EXIT_FAILURE;
    train_low(argv[1], "low.safetensors");
    train_high(argv[1], NULL);
    train_high(argv[1], "low.safetensors");
    return EXIT_SUCCESS;
}
