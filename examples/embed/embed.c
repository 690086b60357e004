/* embed.c: an application that reads digits, and learns from those that it got wrong.
 *
 *     embed WEIGHTS FOLDER         digits.safetensors of 'cnnc train digits.net'; the folder with the MNIST files
 *
 * It was trained on light digits on a dark ground. Then a scanner delivers dark ones on paper. The application goes on training
 * with each batch that comes in labelled, and reads both kinds afterwards.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cnnc_runtime.h"
#include "digits_net.h"

/* What the 10,000 test images are for: light ones as known before; dark ones that come labelled; both kinds to judge by. */
enum { LEARNT = 3000, JUDGED = 2000, BATCH = 64, PASSES = 5 };

static void fail(const cnnc_error *error) {
    fprintf(stderr, "embed: %s\n", error->text);
    exit(EXIT_FAILURE);
}

/* The digit that the network sees in an image. */
static int classify(cnnc_model *model, const uint8_t *image) {
    float probabilities[DIGITS_OUTPUT];
    int best = 0;
    digits_predict(model->net, image, probabilities, 1);
    for (int i = 1; i < DIGITS_OUTPUT; i++)
        if (probabilities[i] > probabilities[best]) best = i;
    return best;
}

static double accuracy(cnnc_model *model, const uint8_t *images, const int32_t *labels, int n) {
    int right = 0;
    for (int i = 0; i < n; i++) right += classify(model, images + (size_t)i * DIGITS_INPUT) == labels[i];
    return (double)right / n;
}

static void show(const uint8_t *image) {
    for (int y = 0; y < 28; y += 2) {
        for (int x = 0; x < 28; x++) putchar(" .:*#"[image[y * 28 + x] / 52]);
        putchar('\n');
    }
}

/* Goes on training: each batch has as many light digits, the first LEARNT ones, as dark ones, the LEARNT after them, so that what was known
 * is not forgotten. A batch names rows of the arrays; no image is copied. */
static void learn(cnnc_model *model, const cnnc_dataset *data) {
    cnnc_error error;
    uint32_t rows[BATCH];
    const cnnc_batch batch = {.n = BATCH, .inputs = (const void *const *)data->inputs, .targets = (const void *const *)data->targets, .index = rows};
    for (uint32_t first = 0; first + BATCH / 2 <= LEARNT; first += BATCH / 2) {
        for (uint32_t i = 0; i < BATCH / 2; i++) rows[2 * i] = first + i, rows[2 * i + 1] = LEARNT + first + i;
        if (cnnc_model_train_batch(model, &batch, NULL, &error) != CNNC_OK) fail(&error);
    }
}

static void report(cnnc_model *model, const char *when, const uint8_t *dark, const uint8_t *light, const int32_t *labels) {
    printf("%s: accuracy %.4f on dark digits, %.4f on light ones\n", when, accuracy(model, dark, labels, JUDGED),
           accuracy(model, light, labels + JUDGED, JUDGED));
}

int main(int argc, char **argv) {
    cnnc_error error;
    cnnc_dataset data;
    if (argc != 3) return fprintf(stderr, "usage: embed WEIGHTS FOLDER\n"), EXIT_FAILURE;
    cnnc_model *model = cnnc_model_new(&digits_network, 0, NULL, &error);
    if (!model || cnnc_weights_load(&digits_network, model->net, argv[1], &error) != CNNC_OK) fail(&error);
    if (cnnc_dataset_load(&digits_network, argv[2], "t10k", &data, &error) != CNNC_OK) fail(&error);

    uint8_t *images = data.inputs[0], *dark = images + (size_t)2 * LEARNT * DIGITS_INPUT, *light = dark + (size_t)JUDGED * DIGITS_INPUT;
    const int32_t *labels = (const int32_t *)data.targets[0] + 2 * LEARNT; /* of dark, then of light */
    for (uint8_t *p = images + (size_t)LEARNT * DIGITS_INPUT; p < light; p++) *p = (uint8_t)(255 - *p); /* the scanner */

    show(dark);
    printf("a %d, looks like a %d\n", labels[0], classify(model, dark));
    report(model, "before", dark, light, labels);
    for (int pass = 0; pass < PASSES; pass++) learn(model, &data);
    report(model, "after", dark, light, labels);
    printf("it looks like a %d now\n", classify(model, dark));

    cnnc_dataset_free(&data);
    cnnc_model_free(model);
    return EXIT_SUCCESS;
}
