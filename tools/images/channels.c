/* channels.c: alpha away, colours to gray, gray to colours. */
#include "images.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>

static size_t pixels_of(const Image *image) {
    return (size_t)image->height * (size_t)image->width;
}

void image_over_black(Image *image) {
    size_t n = pixels_of(image), from = (size_t)image->channels, to = from - 1;
    for (size_t i = 0; i < n; i++) {
        unsigned alpha = image->data[i * from + to];
        for (size_t c = 0; c < to; c++) image->data[i * to + c] = (unsigned char)((image->data[i * from + c] * alpha + 127) / 255);
    }
    image->channels = (int)to;
}

static void to_gray(Image *image) {
    size_t n = pixels_of(image);
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = image->data + 3 * i;
        image->data[i] = (unsigned char)((299u * p[0] + 587u * p[1] + 114u * p[2] + 500) / 1000);
    }
    image->channels = 1;
}

static int to_rgb(Image *image, const char *name, cnnc_error *error) {
    size_t n = pixels_of(image);
    unsigned char *data = malloc(3 * n);
    if (!data) return cnnc_fail_system(error, "%s: no memory for %zu pixels", name, n);
    for (size_t i = 0; i < n; i++) memset(data + 3 * i, image->data[i], 3);
    free(image->data);
    image->data = data;
    image->channels = 3;
    return CNNC_OK;
}

int image_to_channels(Image *image, int channels, const char *name, cnnc_error *error) {
    if (channels == image->channels) return CNNC_OK;
    if (channels == 3) return to_rgb(image, name, error);
    to_gray(image);
    return CNNC_OK;
}
