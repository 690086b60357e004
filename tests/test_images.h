/* test_images.h: PNG and JPEG files as a test of cnnc-images asks for them, written by the libraries that read them.
 * To be included first, below _POSIX_C_SOURCE. */
#ifndef TEST_IMAGES_H
#define TEST_IMAGES_H

#include "test_processes.h"

#include <jpeglib.h>
#include <png.h>

#include "images.h"

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc has it */
#endif
#endif

typedef unsigned char u8;

/* ---- files to read ---------------------------------------------------------------------------------------------------- */

typedef struct Bytes {
    u8 *data;
    size_t size;
} Bytes;

static void append(png_structp png, png_bytep data, size_t size) {
    Bytes *b = png_get_io_ptr(png);
    b->data = realloc(b->data, b->size + size);
    assert_non_null(b->data);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

typedef struct PngForm {
    int type, depth;
    bool interlaced, transparent; /* transparent: tRNS, of palette entry 0 or of the colour 1, 2, 3 */
} PngForm;

/* rows: [height] rows in the file's own form, 16 bits big-endian. */
MAYBE_UNUSED static Bytes make_png(PngForm form, int height, int width, const u8 *rows, size_t row_bytes) {
    static const png_color palette[] = {{10, 20, 30}, {200, 100, 0}, {0, 0, 255}, {255, 255, 255}};
    Bytes b = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &b, append, NULL);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, form.depth, form.type, form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (form.type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
    u8 alpha[] = {51};
    png_color_16 colour = {.red = 1, .green = 2, .blue = 3, .gray = 1};
    if (form.transparent) png_set_tRNS(png, info, alpha, 1, form.type == PNG_COLOR_TYPE_PALETTE ? NULL : &colour);
    png_text words = {.compression = PNG_TEXT_COMPRESSION_zTXt, .key = "Comment", .text = "words that are not looked at"};
    png_set_text(png, info, &words, 1);
    png_write_info(png, info);
    u8 *pointers[64];
    for (int y = 0; y < height; y++) pointers[y] = (u8 *)(uintptr_t)(rows + (size_t)y * row_bytes);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return b;
}

typedef enum { BASELINE, PROGRESSIVE, SCAN_A_COMPONENT } Scans;

MAYBE_UNUSED static Bytes make_jpeg(J_COLOR_SPACE colours, int components, Scans scans, int height, int width, const u8 *pixels) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    u8 *data = NULL;
    unsigned long size = 0;
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = components;
    jpeg.in_color_space = colours;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    static const jpeg_scan_info separate[] = {{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    if (scans == PROGRESSIVE) jpeg_simple_progression(&jpeg);
    if (scans == SCAN_A_COMPONENT) jpeg.scan_info = separate, jpeg.num_scans = 3;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        JSAMPROW row = (u8 *)(uintptr_t)(pixels + (size_t)y * (size_t)width * (size_t)components);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (Bytes){data, size};
}

MAYBE_UNUSED static Bytes small_gray(int height, int width, u8 value) {
    u8 pixels[4096];
    assert_true((size_t)height * (size_t)width <= sizeof pixels);
    memset(pixels, value, sizeof pixels);
    return make_png((PngForm){PNG_COLOR_TYPE_GRAY, 8, false, false}, height, width, pixels, (size_t)width);
}

static void write_bytes(const char *name, Bytes b) {
    FILE *out = fopen(text("%s/%s", folder, name), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(b.data, 1, b.size, out), b.size);
    assert_int_equal(fclose(out), 0);
}

MAYBE_UNUSED static void write_and_free(const char *name, Bytes b) {
    write_bytes(name, b);
    free(b.data);
}

MAYBE_UNUSED static void make(const char *names) {
    char *copy = text("%s", names), *rest = copy;
    for (char *name; (name = strtok_r(rest, " ", &rest));) assert_int_equal(mkdir(text("%s/%s", folder, name), 0777), 0);
}

static void says(const char *said, const char *part) {
    if (!strstr(said, part)) fail_msg("'%s' is not in:\n%s", part, said);
}

#endif
