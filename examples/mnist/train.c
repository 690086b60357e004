/* train.c: the MNIST convnet trained by a program of one's own: generated code and the runtime, no cnnc command.
 *
 *     ./train FOLDER [EPOCHS]      FOLDER has the four MNIST files, gzipped or not
 */
#include "cnnc_runtime.h"
#include "mnist_net.h"

#include <stdio.h>
#include <stdlib.h>

static int fail(const cnnc_error *error)
{
    fprintf(stderr, "train: %s\n", error->text);
    return EXIT_FAILURE;
}

/* The digit that the network sees in one image. */
static int classify(struct mnist *net, const unsigned char *image)
{
    float probabilities[MNIST_OUTPUT];
    int best = 0;
    mnist_predict(net, image, probabilities, 1);
    for (int i = 1; i < MNIST_OUTPUT; i++)
        if (probabilities[i] > probabilities[best]) best = i;
    return best;
}

static void show(const unsigned char *image)
{
    for (int y = 0; y < 28; y += 2) {
        for (int x = 0; x < 28; x++) putchar(" .:*#"[image[y * 28 + x] / 52]);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    cnnc_error error;
    cnnc_dataset train = {0}, test = {0};
    cnnc_fit_options options;
    double results[2]; /* loss, accuracy */

    if (argc < 2) return fprintf(stderr, "usage: train FOLDER [EPOCHS]\n"), EXIT_FAILURE;
    if (cnnc_dataset_load(&mnist_network, argv[1], "train", &train, &error)) return fail(&error);
    if (cnnc_dataset_load(&mnist_network, argv[1], "t10k", &test, &error)) return fail(&error);

    cnnc_model *model = cnnc_model_new(&mnist_network, 0, NULL, &error);
    if (!model) return fail(&error);
    cnnc_fit_defaults(&mnist_network, &options);
    if (argc > 2) options.epochs = atoi(argv[2]);
    if (cnnc_fit(model, &train, &options, NULL, &error)) return fail(&error);
    if (cnnc_evaluate(model, &test, 0, 0, NULL, NULL, results, &error)) return fail(&error);
    printf("test loss %.4f, accuracy %.4f\n", results[0], results[1]);
    if (cnnc_weights_save(&mnist_network, model->net, "mnist.safetensors", NULL, 0, &error)) return fail(&error);

    const unsigned char *image = test.inputs[0];
    show(image);
    printf("looks like a %d\n", classify(model->net, image));

    cnnc_model_free(model);
    cnnc_dataset_free(&train);
    cnnc_dataset_free(&test);
    return EXIT_SUCCESS;
}
