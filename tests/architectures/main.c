/* Predicts images with the network of HEADER: main IMAGES OUTPUTS COUNT. Outputs are written as little-endian floats on every machine. */
#include HEADER

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char workspace[MNIST_WORKSPACE_BYTES] __attribute__((aligned(64)));

static int put(float x, FILE *out) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    for (int i = 0; i < 4; i++)
        if (putc((int)(bits >> (8 * i) & 255), out) == EOF) return 1;
    return 0;
}

int main(int argc, char **argv) {
    static unsigned char image[MNIST_INPUT];
    float output[MNIST_OUTPUT];
    FILE *in = argc == 4 ? fopen(argv[1], "rb") : NULL, *out = in ? fopen(argv[2], "wb") : NULL;
    if (!out) return 1;
    for (int i = 0, n = atoi(argv[3]); i < n; i++) {
        if (fread(image, 1, sizeof image, in) != sizeof image) return 1;
        mnist_predict(workspace, image, output);
        for (int k = 0; k < MNIST_OUTPUT; k++)
            if (put(output[k], out)) return 1;
    }
    return fclose(in) || fclose(out);
}
