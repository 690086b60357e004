/* png.c: PNG by libpng. What is not pixels (texts, colour profiles, time) is not looked at, gamma is left as it is. */
#include "images.h"
#include "private.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

/* All that changes between setjmp and longjmp is in here. */
typedef struct Reader {
    const unsigned char *bytes;
    size_t size, at;
    const char *name;
    cnnc_error *error;
    png_structp png;
    png_infop info;
    png_bytep *rows;
    Image image;
    bool short_of_memory;
} Reader;

static PNG_NORETURN void fail_png(png_structp png, png_const_charp reason) {
    Reader *r = png_get_error_ptr(png);
    if (r->short_of_memory) (void)cnnc_fail_system(r->error, "%s: no memory for libpng", r->name);
    else cnnc_explain(r->error, "%s: at byte %zu: not readable as PNG: %s", r->name, r->at, reason);
    png_longjmp(png, 1);
}

/* As libpng's own, but it remembers when there was none: libpng tells it by the same function as what is wrong with a file. */
static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    Reader *r = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (!memory) r->short_of_memory = true;
    return memory;
}

static void release(png_structp png, png_voidp memory) {
    (void)png;
    free(memory);
}

static void ignore_warning(png_structp png, png_const_charp reason) {
    (void)png;
    (void)reason;
}

static void read_bytes(png_structp png, png_bytep to, size_t count) {
    Reader *r = png_get_io_ptr(png);
    if (count > r->size - r->at) {
        r->at = r->size;
        png_error(png, "the file ends here");
    }
    memcpy(to, r->bytes + r->at, count);
    r->at += count;
}

/* Chunks that may inflate to much and say nothing about pixels are passed over unread. */
static void limit_chunks(png_structp png) {
    static const png_byte passed[] = "tEXt\0zTXt\0iTXt\0iCCP\0sPLT\0eXIf"; /* names of four letters, each with a zero */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, passed, (int)(sizeof passed / 5));
    png_set_chunk_cache_max(png, 16);
}

static int decode(Reader *r) {
    if (setjmp(png_jmpbuf(r->png))) return CNNC_FAILED;
    png_set_read_fn(r->png, r, read_bytes);
    limit_chunks(r->png);
    png_read_info(r->png, r->info);
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t height = png_get_image_height(r->png, r->info), width = png_get_image_width(r->png, r->info);
    int channels = png_get_channels(r->png, r->info);
    if (image_allocate(&r->image, height, width, channels, r->name, r->error) != CNNC_OK) return CNNC_FAILED;
    r->rows = malloc(height * sizeof *r->rows);
    if (!r->rows) return cnnc_fail_system(r->error, "%s: no memory for %zu rows", r->name, height);
    for (size_t y = 0; y < height; y++) r->rows[y] = r->image.data + y * width * (size_t)channels;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    return CNNC_OK;
}

int png_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error) {
    *image = (Image){0};
    Reader r = {.bytes = bytes, .size = size, .name = name, .error = error};
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, fail_png, ignore_warning, &r, allocate, release);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    int result = r.info ? decode(&r) : cnnc_fail_system(error, "%s: no memory for libpng", name);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rows);
    if (result != CNNC_OK) {
        free(r.image.data);
        return result;
    }
    if (r.image.channels == 2 || r.image.channels == 4) image_over_black(&r.image);
    *image = r.image;
    return CNNC_OK;
}
