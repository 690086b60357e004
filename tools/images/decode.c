/* decode.c: a file's pixels, by the decoder for what its first bytes say it is. */
#define _POSIX_C_SOURCE 200809L
#include "images.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int image_allocate(Image *image, size_t height, size_t width, int channels, const char *name, cnnc_error *error) {
    if (height == 0 || width == 0) return cnnc_fail(error, "%s: has no pixels", name);
    if (height > MAX_PIXELS / width || height > MAX_SIDE || width > MAX_SIDE)
        return cnnc_fail(error, "%s: %zux%zu (height x width) is too large: at most %d pixels, %d on a side", name, height, width, MAX_PIXELS, MAX_SIDE);
    *image = (Image){(int)height, (int)width, channels, malloc(height * width * (size_t)channels)};
    return image->data ? CNNC_OK : cnnc_fail_system(error, "%s: no memory for %zux%zu pixels", name, height, width);
}

static const struct {
    const char *magic;
    size_t length;
    int (*decode)(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error);
} decoders[] = {
    {"\x89PNG\r\n\x1a\n", 8, png_decode},
    {"\xff\xd8\xff", 3, jpeg_decode},
};

int image_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error) {
    *image = (Image){0};
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
        if (size >= decoders[i].length && !memcmp(bytes, decoders[i].magic, decoders[i].length))
            return decoders[i].decode(bytes, size, name, image, error);
    return cnnc_fail(error, "%s: at byte 0: neither a PNG nor a JPEG file", name);
}

int image_read(const char *path, Image *image, cnnc_error *error) {
    *image = (Image){0};
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > MAX_FILE_BYTES)
        return cnnc_fail(error, "%s: its %jd bytes are more than the %d that are read", path, (intmax_t)status.st_size, MAX_FILE_BYTES);
    unsigned char *bytes;
    size_t size;
    if (cnnc_file_bytes(path, &bytes, &size, error) != CNNC_OK) return CNNC_FAILED;
    int result = image_decode(bytes, size, path, image, error);
    free(bytes);
    return result;
}
