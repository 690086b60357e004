/* What predictions need where there is no C library, for WebAssembly, and arrays that wasm.mjs sees. */
#include HEADER
#include <math.h>
#include <string.h>

static unsigned char workspace[MNIST_WORKSPACE_BYTES] __attribute__((aligned(64))), image[MNIST_INPUT];
static float output[MNIST_OUTPUT];

__attribute__((export_name("image"))) unsigned char *image_at(void) { return image; }
__attribute__((export_name("outputs"))) int outputs(void) { return MNIST_OUTPUT; }
__attribute__((export_name("inputs"))) int inputs(void) { return MNIST_INPUT; }

__attribute__((export_name("predict"))) float *predict(void) {
    mnist_predict(workspace, image, output);
    return output;
}

/* Bytes, one after the other, that no compiler turns back into a call. */
void *memcpy(void *to, const void *from, size_t n) {
    volatile unsigned char *t = to;
    const unsigned char *f = from;
    for (size_t i = 0; i < n; i++) t[i] = f[i];
    return to;
}

void *memset(void *to, int byte, size_t n) {
    volatile unsigned char *t = to;
    for (size_t i = 0; i < n; i++) t[i] = (unsigned char)byte;
    return to;
}

/* e^x = 2^n e^r with |r| <= ln 2 / 2, where seven terms of the series in double are more than a float holds. */
float expf(float x) {
    if (!(x > -104.0f)) return x != x ? x : 0;
    if (x > 89.0f) return __builtin_inff();
    double n = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5)), r = x - n * 0.6931471805599453, sum = 1, power = 1;
    for (int k = 1; k < 10; k++) sum += power *= r / k;
    uint64_t bits = (uint64_t)((int)n + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return (float)(sum * scale);
}
