/* cross.c: trains a little and prints losses and outputs, to be compared between machines. */
#include <stdio.h>

#include "cnnc_runtime.h"
#include "cross_net.h"

enum { N = 48, STEPS = 10 };

int main(void) {
    static float x[N][CROSS_INPUT], y[N][CROSS_OUTPUT];
    static int32_t labels[N];
    const void *inputs[] = {x}, *targets[] = {labels};
    void *outputs[] = {y};
    const cnnc_batch batch = {.n = N, .inputs = inputs, .targets = targets, .outputs = outputs};
    cnnc_random random;
    cnnc_error error;
    double loss;

    cnnc_random_seed(&random, 1, 0);
    for (int i = 0; i < N; i++) {
        labels[i] = i % CROSS_OUTPUT;
        for (int k = 0; k < CROSS_INPUT; k++) x[i][k] = (float)cnnc_random_uniform(&random);
    }
    cnnc_model *model = cnnc_model_new(&cross_network, 2, NULL, &error);
    if (!model) return fprintf(stderr, "%s\n", error.text), 1;
    fprintf(stderr, "%s\n", cnnc_model_variant(model));
    for (int step = 0; step < STEPS; step++) {
        if (cnnc_model_train_batch(model, &batch, &loss, &error) != CNNC_OK) return fprintf(stderr, "%s\n", error.text), 1;
        printf("%.9g\n", loss);
    }
    if (cnnc_model_predict_batch(model, &batch, &error) != CNNC_OK) return fprintf(stderr, "%s\n", error.text), 1;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < CROSS_OUTPUT; k++) printf("%.9g\n", (double)y[i][k]);
    cnnc_model_free(model);
    return 0;
}
