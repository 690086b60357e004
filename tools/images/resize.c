/* resize.c: an image in another size, by a triangle filter in integers.
 *
 * Along a side of n pixels that becomes m, the centre of input pixel j is at (2j + 1) m and that of output pixel i at (2i + 1) n, in a
 * grid that is 2 n m long. The weight of j in i is 2 max(n, m) less their distance, if that is positive. Their sum is what is divided by.
 */
#include "images.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>

typedef struct Taps {
    int first, last; /* input pixels with a weight */
    int64_t from, to, centre, reach;
    uint64_t sum;
} Taps;

static uint64_t weight(const Taps *t, int j) {
    int64_t distance = (2 * (int64_t)j + 1) * t->to - t->centre;
    return (uint64_t)(t->reach - (distance < 0 ? -distance : distance));
}

static Taps taps_of(int i, int from, int to) {
    Taps t = {.from = from, .to = to, .centre = (2 * (int64_t)i + 1) * from, .reach = 2 * (int64_t)(from > to ? from : to)};
    int64_t low = t.centre - t.reach - to, high = t.centre + t.reach - to; /* of 2 j to, both excluded */
    t.first = low < 0 ? 0 : (int)(low / (2 * t.to) + 1);
    t.last = (int)((high - 1) / (2 * t.to));
    if (t.last >= from) t.last = from - 1;
    for (int j = t.first; j <= t.last; j++) t.sum += weight(&t, j);
    return t;
}

/* Output row i over all columns of the input, in 1/256 of a value. The weights' sum is below 2 * MAX_SIDE^2 = 2^33. */
static void mix_rows(const Image *image, int i, int height, uint64_t *sums, uint16_t *row) {
    Taps t = taps_of(i, image->height, height);
    size_t n = (size_t)image->width * (size_t)image->channels;
    memset(sums, 0, n * sizeof *sums);
    for (int j = t.first; j <= t.last; j++) {
        const unsigned char *from = image->data + (size_t)j * n;
        uint64_t w = weight(&t, j);
        for (size_t k = 0; k < n; k++) sums[k] += w * from[k];
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the pixel nearest to the centre has a weight */
    for (size_t k = 0; k < n; k++) row[k] = (uint16_t)((sums[k] * 256 + t.sum / 2) / t.sum);
}

static void mix_columns(const uint16_t *row, const Taps *taps, int width, int channels, unsigned char *to) {
    for (int i = 0; i < width; i++)
        for (int c = 0; c < channels; c++) {
            const Taps *t = &taps[i];
            uint64_t sum = 0;
            for (int j = t->first; j <= t->last; j++) sum += weight(t, j) * row[(size_t)j * (size_t)channels + (size_t)c];
            /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): as above */
            to[(size_t)i * (size_t)channels + (size_t)c] = (unsigned char)((sum + t->sum * 128) / (t->sum * 256));
        }
}

int image_resize(const Image *image, int height, int width, unsigned char *to, cnnc_error *error) {
    size_t in = (size_t)image->width * (size_t)image->channels, out = (size_t)width * (size_t)image->channels;
    if (height == image->height && width == image->width) {
        memcpy(to, image->data, (size_t)height * out);
        return CNNC_OK;
    }
    uint64_t *sums = malloc(in * sizeof *sums);
    uint16_t *row = malloc(in * sizeof *row);
    Taps *taps = malloc((size_t)width * sizeof *taps);
    int result = sums && row && taps ? CNNC_OK : cnnc_fail_system(error, "no memory for a row of %d pixels", image->width);
    if (result == CNNC_OK) {
        for (int i = 0; i < width; i++) taps[i] = taps_of(i, image->width, width);
        for (int i = 0; i < height; i++) {
            mix_rows(image, i, height, sums, row);
            mix_columns(row, taps, width, image->channels, to + (size_t)i * out);
        }
    }
    free(sums);
    free(row);
    free(taps);
    return result;
}
