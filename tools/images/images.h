/* images.h: what the files of cnnc-images share. In the order of work: walk finds the files, decode (png, jpeg) makes pixels of one,
 * channels and resize bring it to the form asked for, convert fills the arrays, outputs writes them.
 *
 * Functions that can fail return CNNC_OK or CNNC_FAILED and leave a message in *error, as in cnnc_runtime.h; then their output owns
 * nothing.
 */
#ifndef CNNC_IMAGES_H
#define CNNC_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnnc_runtime.h"

enum {
    MAX_PIXELS = 1 << 26,      /* of an image: 8192x8192; looked at before anything is allocated for them */
    MAX_FILE_BYTES = 1 << 28,  /* of an image's file */
    MAX_SIDE = 65535,          /* of an image, as JPEG has it */
    MAX_SIZE = 8192,           /* of a side that --size asks for */
    MAX_ERRORS = 20            /* after so many images that cannot be read a conversion ends */
};

/* ---- walk.c: which files ------------------------------------------------------------------------------------------ */

typedef struct ImageFile {
    char *path; /* folder/class/name */
    int class;
} ImageFile;

typedef struct Folder {
    char **classes; /* names in byte order; their indices are the labels */
    int class_count;
    ImageFile *files; /* by class, within it by name in byte order */
    size_t count;
    size_t ignored; /* files and folders that are neither a class nor named as an image */
} Folder;

/* Lists path/<class>/<name>.png, .jpg and .jpeg (in any case). Names that begin with a dot are not looked at. Symbolic links are
 * followed. Fails when there is no image, and on a class with a control character in its name. */
int folder_walk(const char *path, Folder *folder, cnnc_error *error);
void folder_free(Folder *folder);
bool has_control_characters(const char *s);

/* ---- decode.c, png.c, jpeg.c: pixels of one file -------------------------------------------------------------------- */

typedef struct Image {
    int height, width, channels; /* channels: 1 (gray) or 3 (RGB) */
    unsigned char *data;         /* [height][width][channels], freed by free() */
} Image;

int image_read(const char *path, Image *image, cnnc_error *error); /* PNG or JPEG: which, its first bytes say */
/* The same from bytes in memory; name stands for the file in messages. */
int image_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error);

/* Any PNG: palettes become RGB, 1, 2, 4 and 16 bits become 8, alpha is laid over black. */
int png_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error);
/* Gray and RGB JPEG, baseline or progressive; not CMYK. A file in which anything is missing is refused. */
int jpeg_decode(const unsigned char *bytes, size_t size, const char *name, Image *image, cnnc_error *error);

/* Sets the sizes and allocates data for so many channels, which may be 2 or 4 while alpha is there. Fails beyond MAX_PIXELS and MAX_SIDE. */
int image_allocate(Image *image, size_t height, size_t width, int channels, const char *name, cnnc_error *error);

/* ---- channels.c: in place, but for the second half of image_to_channels --------------------------------------------- */

void image_over_black(Image *image); /* 2 or 4 channels, the last of them alpha, become 1 or 3: value * alpha / 255, rounded */
/* To 1 channel: 0.299 R + 0.587 G + 0.114 B, rounded; to 3: the gray three times. */
int image_to_channels(Image *image, int channels, const char *name, cnnc_error *error);

/* ---- resize.c ------------------------------------------------------------------------------------------------------- */

/* Writes the image as [height][width][channels]. Each output pixel is the mean of the input's under a triangle as wide as two pixels of
 * the coarser of both grids, rows and columns apart: bilinear interpolation where it grows, antialiased where it shrinks. Only integers
 * are used: the same bytes everywhere. */
int image_resize(const Image *image, int height, int width, unsigned char *to, cnnc_error *error);

/* ---- convert.c: a folder becomes arrays ----------------------------------------------------------------------------- */

typedef struct ConvertOptions {
    int height, width; /* 0: all images must have the same */
    int channels;      /* 1, 3, or 0: all images must have the same */
    double split;      /* of each class, this part becomes the test part; 0: there is none */
    bool shuffle;      /* examples of a part in an order drawn from the seed, not by class and name */
    uint64_t seed;
} ConvertOptions;

typedef struct Part {
    cnnc_array x, y; /* u8 [n][height][width][channels], i32 [n]: class indices */
} Part;

/* parts[0]: for training, parts[1]: for tests, of no examples without a split; freed by parts_free. report is called for each image that
 * cannot be decoded, after which others are tried (MAX_ERRORS); the conversion then fails with an empty message. */
int folder_convert(const Folder *folder, const ConvertOptions *options, void report(const char *message), Part parts[2], cnnc_error *error);
void parts_free(Part parts[2]);

/* ---- outputs.c ------------------------------------------------------------------------------------------------------ */

enum { OUTPUTS = 5 };

/* The names behind the prefix, in order: X.npy, Y.npy, classes.txt, and for the test part X_test.npy, Y_test.npy. */
extern const char *const output_names[OUTPUTS];

/* Whether they could be written; to be asked before the work. */
int outputs_check(const char *prefix, int count, cnnc_error *error);
/* Writes the files, all of them or none: they are complete on disk before the first one gets its name. */
int outputs_write(const char *prefix, const Folder *folder, const Part parts[2], cnnc_error *error);

#endif
