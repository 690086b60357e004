/* jpeg.c: JPEG by libjpeg (libjpeg-turbo). The orientation that EXIF may ask for is not applied. */
#include "images.h"
#include "private.h"

#include <setjmp.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

enum { MAX_SCANS = 500 }; /* of a progressive file; each takes time in proportion to the image, whatever its length */

/* All that changes between setjmp and longjmp is in here. */
typedef struct Reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    const char *name;
    cnnc_error *error;
    Image image;
} Reader;

static void fail_jpeg(j_common_ptr jpeg) {
    Reader *r = jpeg->client_data;
    char reason[JMSG_LENGTH_MAX];
    r->errors.format_message(jpeg, reason);
    if (r->errors.msg_code == JERR_OUT_OF_MEMORY) cnnc_explain_system(r->error, "%s: %s", r->name, reason);
    else cnnc_explain(r->error, "%s: not readable as JPEG: %s", r->name, reason);
    longjmp(r->failed, 1);
}

/* What libjpeg only warns of, filling in gray, is an error here; but for what costs no pixel. */
static void judge_message(j_common_ptr jpeg, int level) {
    Reader *r = jpeg->client_data;
    int code = r->errors.msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM) fail_jpeg(jpeg);
}

static void limit_scans(j_common_ptr jpeg) {
    Reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= MAX_SCANS) return;
    cnnc_explain(r->error, "%s: not readable as JPEG: more than %d scans", r->name, MAX_SCANS);
    longjmp(r->failed, 1);
}

static int choose_colours(Reader *r) {
    switch (r->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE: r->jpeg.out_color_space = JCS_GRAYSCALE; return CNNC_OK;
    case JCS_RGB:
    case JCS_YCbCr: r->jpeg.out_color_space = JCS_RGB; return CNNC_OK;
    case JCS_CMYK:
    case JCS_YCCK: return cnnc_fail(r->error, "%s: is a CMYK image: convert it to RGB", r->name);
    default: return cnnc_fail(r->error, "%s: %d components of unknown colours, neither gray nor RGB", r->name, r->jpeg.num_components);
    }
}

static int decode(Reader *r, const unsigned char *bytes, size_t size) {
    if (setjmp(r->failed)) return CNNC_FAILED;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    jpeg_mem_src(&r->jpeg, bytes, (unsigned long)size);
    jpeg_read_header(&r->jpeg, TRUE);
    if (choose_colours(r) != CNNC_OK) return CNNC_FAILED;
    int channels = r->jpeg.out_color_space == JCS_RGB ? 3 : 1;
    if (image_allocate(&r->image, r->jpeg.image_height, r->jpeg.image_width, channels, r->name, r->error) != CNNC_OK) return CNNC_FAILED;
    jpeg_start_decompress(&r->jpeg);
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        JSAMPROW row = r->image.data + (size_t)r->jpeg.output_scanline * r->jpeg.output_width * (size_t)channels;
        jpeg_read_scanlines(&r->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&r->jpeg);
    return CNNC_OK;
}

int jpeg_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error) {
    *image = (Image){0};
    Reader r = {.name = name, .error = error};
    r.jpeg.err = jpeg_std_error(&r.errors);
    r.jpeg.client_data = &r;
    r.errors.error_exit = fail_jpeg;
    r.errors.emit_message = judge_message;
    r.progress.progress_monitor = limit_scans;
    int result = decode(&r, bytes, size);
    jpeg_destroy_decompress(&r.jpeg);
    if (result == CNNC_OK) *image = r.image;
    else free(r.image.data);
    return result;
}
