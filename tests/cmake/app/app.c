/* app.c: predicts with two networks that it knows by their descriptors, and says what the probabilities sum to. */
#include <stdio.h>

#include "cnnc_runtime.h"
#include "first_net.h"
#include "second_net.h"

static int predict(const cnnc_network *network)
{
    static const float x[32] = {0.5f, 1, -1};
    float y[8] = {0}, sum = 0;
    const void *inputs[] = {x};
    void *outputs[] = {y};
    const cnnc_batch batch = {.n = 1, .inputs = inputs, .outputs = outputs};
    cnnc_error error;
    cnnc_model *model = cnnc_model_new(network, 1, NULL, &error);
    if (!model || cnnc_model_predict_batch(model, &batch, &error) != CNNC_OK) return fprintf(stderr, "%s\n", error.text), 1;
    for (int i = 0; i < 8; i++) sum += y[i];
    printf("%s %.3f\n", network->name, (double)sum);
    cnnc_model_free(model);
    return 0;
}

int main(void) { return predict(&first_network) || predict(&second_network); }
