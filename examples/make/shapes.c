/* shapes.c: two networks in one program: quarters.net learns which quarters of a square are full, disc.net a disc. */
#include <stdio.h>
#include <stdlib.h>

#include "cnnc_runtime.h"
#include "disc_net.h"
#include "quarters_net.h"

enum { SIDE = 16, POINTS = SIDE * SIDE, STEPS = 1000 };

static float quarters_of(float x, float y) { return (x < 0) != (y < 0); }

static float disc_of(float x, float y) { return x * x + y * y < 0.5f; }

static int learn(const cnnc_network *network, float of(float x, float y)) {
    static float points[POINTS][2], wanted[POINTS], seen[POINTS];
    const void *inputs[] = {points}, *targets[] = {wanted};
    void *outputs[] = {seen};
    const cnnc_batch batch = {.n = POINTS, .inputs = inputs, .targets = targets, .outputs = outputs};
    cnnc_error error;
    double loss;
    int right = 0;

    for (int i = 0; i < POINTS; i++) {
        points[i][0] = (float)(2 * (i % SIDE) + 1) / SIDE - 1, points[i][1] = (float)(2 * (i / SIDE) + 1) / SIDE - 1;
        wanted[i] = of(points[i][0], points[i][1]);
    }
    cnnc_model *model = cnnc_model_new(network, 1, NULL, &error);
    if (!model) return fprintf(stderr, "%s\n", error.text), EXIT_FAILURE;
    for (int step = 0; step < STEPS; step++)
        if (cnnc_model_train_batch(model, &batch, &loss, &error) != CNNC_OK) return fprintf(stderr, "%s\n", error.text), EXIT_FAILURE;
    if (cnnc_model_predict_batch(model, &batch, &error) != CNNC_OK) return fprintf(stderr, "%s\n", error.text), EXIT_FAILURE;
    for (int i = 0; i < POINTS; i++) {
        right += (seen[i] > 0.5f) == (wanted[i] > 0.5f);
        printf("%s%s", seen[i] > 0.5f ? "##" : "..", i % SIDE == SIDE - 1 ? "\n" : "");
    }
    printf("%s: loss %.4f, %d of %d points right\n", network->name, loss, right, POINTS);
    cnnc_model_free(model);
    return EXIT_SUCCESS;
}

int main(void) { return learn(&quarters_network, quarters_of) || learn(&disc_network, disc_of); }
