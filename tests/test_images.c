/* cnnc-images: pixels of real PNG and JPEG files, sizes, channels, order, splits, what is refused, and a training on what it made.
 * Built where libpng and libjpeg are. */
#define _POSIX_C_SOURCE 200809L
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

/* Texts stay until the end. */
enum { MOST_TEXTS = 1024 };
static char *texts[MOST_TEXTS];
static int text_count;

static char *keep(char *s) {
    assert_in_range(text_count, 0, MOST_TEXTS - 1);
    return texts[text_count++] = s;
}
#define text(...) keep(text(__VA_ARGS__))
#define file_text(path, length) keep(file_text(path, length))

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
static Bytes make_png(PngForm form, int height, int width, const u8 *rows, size_t row_bytes) {
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

static Bytes make_jpeg(J_COLOR_SPACE colours, int components, Scans scans, int height, int width, const u8 *pixels) {
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

static Bytes small_gray(int height, int width, u8 value) {
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

static void write_and_free(const char *name, Bytes b) {
    write_bytes(name, b);
    free(b.data);
}

static void make(const char *names) {
    char *copy = text("%s", names), *rest = copy;
    for (char *name; (name = strtok_r(rest, " ", &rest));) assert_int_equal(mkdir(text("%s/%s", folder, name), 0777), 0);
}

/* ---- pixels ------------------------------------------------------------------------------------------------------------ */

static Image decoded(Bytes b) {
    Image image;
    cnnc_error error = {0};
    if (image_decode(b.data, b.size, "image", &image, &error) != CNNC_OK) fail_msg("%s", error.text);
    free(b.data);
    return image;
}

static void assert_pixels(Bytes b, int height, int width, int channels, const u8 *want) {
    Image image = decoded(b);
    assert_int_equal(image.height, height);
    assert_int_equal(image.width, width);
    assert_int_equal(image.channels, channels);
    assert_memory_equal(image.data, want, (size_t)(height * width * channels));
    free(image.data);
}

static void every_kind_of_png(void **state) {
    (void)state;
    u8 rgb[9 * 11 * 3];
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (u8)(i * 89);
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, false, false}, 9, 11, rgb, 33), 9, 11, 3, rgb);
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, true, false}, 9, 11, rgb, 33), 9, 11, 3, rgb);
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_GRAY, 8, false, false}, 9, 11, rgb, 11), 9, 11, 1, rgb);
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_GRAY, 1, false, false}, 2, 8, (u8[]){0xa0, 0x01}, 1), 2, 8, 1,
                  (u8[]){255, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255});
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_GRAY, 4, true, false}, 1, 2, (u8[]){0x3f}, 1), 1, 2, 1, (u8[]){51, 255});
    /* 16 bits: v * 255 / 65535, rounded */
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_GRAY, 16, false, false}, 1, 4, (u8[]){0xff, 0xff, 0x12, 0x34, 0x00, 0x81, 0x00, 0x7f}, 8), 1, 4, 1,
                  (u8[]){255, 18, 1, 0});
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_PALETTE, 2, false, false}, 1, 4, (u8[]){0x1b}, 1), 1, 4, 3,
                  (u8[]){10, 20, 30, 200, 100, 0, 0, 0, 255, 255, 255, 255});
}

static void alpha_is_laid_over_black(void **state) {
    (void)state;
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_RGB_ALPHA, 8, false, false}, 1, 3, (u8[]){255, 100, 3, 128, 9, 9, 9, 0, 7, 8, 9, 255}, 12), 1, 3, 3,
                  (u8[]){128, 50, 2, 0, 0, 0, 7, 8, 9});
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_GRAY_ALPHA, 8, true, false}, 1, 2, (u8[]){200, 51, 200, 255}, 4), 1, 2, 1, (u8[]){40, 200});
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_PALETTE, 2, false, true}, 1, 2, (u8[]){0x10}, 1), 1, 2, 3, (u8[]){2, 4, 6, 200, 100, 0});
    assert_pixels(make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, false, true}, 1, 2, (u8[]){1, 2, 3, 1, 2, 4}, 6), 1, 2, 3, (u8[]){0, 0, 0, 1, 2, 4});
}

static void assert_near(Bytes b, int height, int width, int channels, const u8 *want, int tolerance) {
    Image image = decoded(b);
    assert_int_equal(image.height, height);
    assert_int_equal(image.width, width);
    assert_int_equal(image.channels, channels);
    for (int i = 0; i < height * width * channels; i++)
        if (abs(image.data[i] - want[i]) > tolerance) fail_msg("element %d is %d, not %d", i, image.data[i], want[i]);
    free(image.data);
}

static void jpeg_gray_and_colours(void **state) {
    (void)state;
    u8 gray[13 * 19], rgb[13 * 19 * 3];
    for (int i = 0; i < 13 * 19; i++) {
        gray[i] = (u8)(i % 19 * 10 + i / 19 * 5);
        rgb[3 * i] = gray[i], rgb[3 * i + 1] = (u8)(255 - gray[i]), rgb[3 * i + 2] = 77;
    }
    for (Scans scans = BASELINE; scans <= SCAN_A_COMPONENT; scans++) {
        if (scans != SCAN_A_COMPONENT) assert_near(make_jpeg(JCS_GRAYSCALE, 1, scans, 13, 19, gray), 13, 19, 1, gray, 2);
        assert_near(make_jpeg(JCS_RGB, 3, scans, 13, 19, rgb), 13, 19, 3, rgb, 14); /* colours are stored at half the size */
    }
}

static void channels(void **state) {
    (void)state;
    Image image = decoded(make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, false, false}, 1, 4, (u8[]){255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}, 12));
    assert_int_equal(image_to_channels(&image, 1, "image", NULL), CNNC_OK);
    assert_memory_equal(image.data, ((u8[]){76, 150, 29, 18}), 4);
    assert_int_equal(image_to_channels(&image, 3, "image", NULL), CNNC_OK);
    assert_memory_equal(image.data, ((u8[]){76, 76, 76, 150, 150, 150, 29, 29, 29, 18, 18, 18}), 12);
    free(image.data);
}

/* The same filter in floating point, straight from its definition. */
static double triangle_mean(const Image *image, int y, int x, int c, int height, int width) {
    double scale_y = (double)image->height / height, scale_x = (double)image->width / width, sum = 0, weights = 0;
    double reach_y = scale_y > 1 ? scale_y : 1, reach_x = scale_x > 1 ? scale_x : 1;
    for (int j = 0; j < image->height; j++)
        for (int i = 0; i < image->width; i++) {
            double dy = (j + 0.5 - (y + 0.5) * scale_y) / reach_y, dx = (i + 0.5 - (x + 0.5) * scale_x) / reach_x;
            double wy = 1 - (dy < 0 ? -dy : dy), wx = 1 - (dx < 0 ? -dx : dx);
            if (wy <= 0 || wx <= 0) continue;
            sum += wy * wx * image->data[(j * image->width + i) * image->channels + c];
            weights += wy * wx;
        }
    return sum / weights;
}

static void resizing(void **state) {
    (void)state;
    u8 from[17 * 23 * 3], to[40 * 50 * 3];
    static const int sizes[][2] = {{17, 23}, {1, 1}, {5, 7}, {8, 40}, {40, 9}, {34, 46}, {16, 22}};
    for (size_t i = 0; i < sizeof from; i++) from[i] = (u8)(i * i * 31 >> 3);
    for (int ch = 1; ch <= 3; ch += 2)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            Image image = {17, 23, ch, from};
            int height = sizes[s][0], width = sizes[s][1];
            assert_int_equal(image_resize(&image, height, width, to, NULL), CNNC_OK);
            for (int i = 0; i < height * width * ch; i++) {
                double want = triangle_mean(&image, i / ch / width, i / ch % width, i % ch, height, width);
                if (to[i] < want - 0.51 || to[i] > want + 0.51) fail_msg("%dx%d: element %d is %d, not %g", height, width, i, to[i], want);
            }
        }
}

/* What would overflow narrower sums: the longest side there is, all white. */
static void the_longest_side(void **state) {
    (void)state;
    u8 *from = malloc(MAX_SIDE), to[4];
    assert_non_null(from);
    memset(from, 255, MAX_SIDE);
    Image image = {MAX_SIDE, 1, 1, from};
    assert_int_equal(image_resize(&image, 2, 2, to, NULL), CNNC_OK);
    assert_memory_equal(to, "\xff\xff\xff\xff", 4);
    image = (Image){1, MAX_SIDE, 1, from};
    assert_int_equal(image_resize(&image, 1, 1, to, NULL), CNNC_OK);
    assert_int_equal(to[0], 255);
    free(from);
}

/* ---- the command ------------------------------------------------------------------------------------------------------- */

/* Runs cnnc-images in the folder; what it says, on both streams. */
static char *images(const char *arguments, int status) {
    char *command = text("cd %s && " CNNC_IMAGES_COMMAND " %s >said 2>&1", folder, arguments);
    int result = system(command), exited = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    char *said = file_text(text("%s/said", folder), NULL);
    if (exited != status) fail_msg("exit status %d, not %d: %s\n%s", exited, status, command, said);
    return said;
}

static void says(const char *said, const char *part) {
    if (!strstr(said, part)) fail_msg("'%s' is not in:\n%s", part, said);
}

static bool there(const char *name) { return !access(text("%s/%s", folder, name), F_OK); }

static int names_in(const char *name) {
    DIR *directory = opendir(text("%s/%s", folder, name));
    assert_non_null(directory);
    int n = -2;
    while (readdir(directory)) n++;
    closedir(directory);
    return n;
}

static cnnc_array array_of(const char *name) {
    cnnc_array array;
    cnnc_error error = {0};
    if (cnnc_npy_read(text("%s/%s", folder, name), &array, &error) != CNNC_OK) fail_msg("%s", error.text);
    return array;
}

/* Gray 2x3 images whose value tells the file; names in an order that a locale would change. */
static void make_pets(void) {
    static const struct {
        const char *name;
        u8 value;
    } files[] = {{"pets/cat/b.png", 2}, {"pets/cat/B.PNG", 1}, {"pets/\xc3\xa9l/x.png", 6}, {"pets/Zebra/10.png", 10}, {"pets/Zebra/9.png", 9}, {"pets/cat/\xc3\xa4.png", 3}};
    make("pets pets/cat pets/\xc3\xa9l pets/Zebra pets/.git pets/cat/deeper");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) write_and_free(files[i].name, small_gray(2, 3, files[i].value));
    write_bytes("pets/cat/.hidden.png", (Bytes){(u8 *)(uintptr_t)"x", 1});
    write_bytes("pets/cat/notes.txt", (Bytes){(u8 *)(uintptr_t)"x", 1});
    write_bytes("pets/readme", (Bytes){(u8 *)(uintptr_t)"x", 1});
}

static void order_and_labels(void **state) {
    (void)state;
    make("out");
    const char *said = images("pets -o out/", 0);
    says(said, "warning: ignored 3 names");
    says(said, "out/X.npy, Y.npy: 6 images of 2x3x1 (height x width x channels)\nout/classes.txt: 3 classes\n");
    assert_int_equal(names_in("out"), 3);
    assert_string_equal(file_text(text("%s/out/classes.txt", folder), NULL), "Zebra\ncat\n\xc3\xa9l\n");
    cnnc_array x = array_of("out/X.npy"), y = array_of("out/Y.npy");
    assert_int_equal(x.dtype, CNNC_DTYPE_U8);
    assert_int_equal(y.dtype, CNNC_DTYPE_I32);
    assert_int_equal(x.rank, 4);
    assert_int_equal(y.rank, 1);
    static const u8 values[] = {10, 9, 1, 2, 3, 6};
    static const int32_t classes[] = {0, 0, 1, 1, 1, 2};
    for (int i = 0; i < 36; i++) assert_int_equal(((u8 *)x.data)[i], values[i / 6]);
    assert_memory_equal(y.data, classes, sizeof classes);
    cnnc_array_free(&x);
    cnnc_array_free(&y);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    images("pets/ -o again_", 0);
    assert_same_files(text("%s/out/X.npy", folder), text("%s/again_X.npy", folder));
    assert_int_equal(unsetenv("LC_ALL"), 0);
}

/* Which values are where, in the order of the files; each label has to be its value's class. */
static u8 *values_of(const char *x_name, const char *y_name, size_t *n) {
    static const int class_of[] = {-1, 1, 1, 1, -1, -1, 2, -1, -1, 0, 0};
    cnnc_array x = array_of(x_name), y = array_of(y_name);
    assert_int_equal(x.shape[0], y.shape[0]);
    u8 *values = malloc(*n = x.shape[0]);
    assert_non_null(values);
    for (size_t i = 0; i < *n; i++) {
        values[i] = ((u8 *)x.data)[i * 6];
        assert_int_equal(((int32_t *)y.data)[i], class_of[values[i]]);
    }
    cnnc_array_free(&x);
    cnnc_array_free(&y);
    return values;
}

static void splits_and_shuffles(void **state) {
    (void)state;
    images("pets -o s_ --split=0.4 --seed=1", 0); /* of 2, 3 and 1: 1, 1 and 0 */
    size_t n, m;
    u8 *train = values_of("s_X.npy", "s_Y.npy", &n), *test = values_of("s_X_test.npy", "s_Y_test.npy", &m);
    assert_int_equal(n, 4);
    assert_int_equal(m, 2);
    int sum = 0;
    for (size_t i = 0; i < n; i++) sum += 1 << train[i];
    for (size_t i = 0; i < m; i++) sum += 1 << test[i];
    assert_int_equal(sum, 1 << 10 | 1 << 9 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6); /* each once */
    assert_true(test[0] >= 9 && test[1] <= 3);
    images("pets -o t_ --split=0.4 --seed=1", 0);
    assert_same_files(text("%s/s_X.npy", folder), text("%s/t_X.npy", folder));
    int moved = 0, different = 0;
    for (int seed = 0; seed < 8; seed++) {
        images(text("pets -o u_ --shuffle --seed=%d", seed), 0);
        u8 *values = values_of("u_X.npy", "u_Y.npy", &n);
        assert_int_equal(n, 6);
        moved += memcmp(values, "\x0a\x09\x01\x02\x03\x06", 6) != 0;
        free(values);
        images(text("pets -o u_ --split=0.4 --seed=%d", seed), 0);
        values = values_of("u_X_test.npy", "u_Y_test.npy", &m);
        different += memcmp(values, test, m) != 0;
        free(values);
    }
    assert_true(moved >= 6);
    assert_in_range(different, 1, 7);
    says(images("pets --split=0.1", 1), "--split=0.1 of each class leaves no images for tests");
    free(train);
    free(test);
}

static void sizes_and_kinds_must_agree(void **state) {
    (void)state;
    make("mixed mixed/a mixed/b");
    write_and_free("mixed/a/1.png", small_gray(4, 6, 50));
    write_and_free("mixed/b/2.png", small_gray(6, 4, 70));
    u8 rgb[36];
    memset(rgb, 90, sizeof rgb);
    says(images("mixed", 1), "error: mixed/b/2.png: is 6x4 (height x width), but mixed/a/1.png is 4x6: give --size=HxW");
    write_and_free("mixed/b/3.jpg", make_jpeg(JCS_RGB, 3, BASELINE, 4, 3, rgb)); /* PNG and JPEG by what is in them */
    says(images("mixed --size=3x5", 1), "error: mixed/b/3.jpg: is RGB, but mixed/a/1.png is gray: give --rgb or --grayscale");
    assert_false(there("X.npy") || there("Y.npy") || there("classes.txt"));
    for (int ch = 1; ch <= 3; ch += 2) {
        says(images(ch == 1 ? "mixed --size=3x5 --grayscale" : "mixed --size=3x5 --rgb", 0), text("X.npy, Y.npy: 3 images of 3x5x%d", ch));
        cnnc_array x = array_of("X.npy");
        assert_int_equal(x.shape[1], 3);
        assert_int_equal(x.shape[2], 5);
        assert_int_equal(x.shape[3], ch);
        for (int i = 0; i < 45 * ch; i++) assert_in_range(((u8 *)x.data)[i], i < 15 * ch ? 50 : i < 30 * ch ? 70 : 89, i < 15 * ch ? 50 : i < 30 * ch ? 70 : 91);
        cnnc_array_free(&x);
    }
}

/* Bright and dark images, which a small network tells apart. */
static void a_training(void **state) {
    (void)state;
    make("photos photos/bright photos/dark");
    u8 rgb[12 * 10 * 3];
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < 360; k++) rgb[k] = (u8)(i % 2 * 150 + (k * 7 + i * 13) % 90);
        write_and_free(text("photos/%s/%d.%s", i % 2 ? "bright" : "dark", i, i % 3 ? "jpg" : "png"),
                       i % 3 ? make_jpeg(JCS_RGB, 3, BASELINE, 12, 10, rgb) : make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, false, false}, 12, 10, rgb, 30));
    }
    images("photos --size=8x8 --split=0.2 --shuffle -o p_", 0);
    const char *net = "network photos\ninput 8x8x3 type=u8 scale=1/255\nconv2d 4 3x3 activation=tanh\nflatten\ndense 2 activation=softmax\n"
                      "compile optimizer=rmsprop(learning_rate=0.01) loss=categorical_crossentropy metrics=accuracy\nfit epochs=10 batch_size=8\n";
    write_bytes("photos.net", (Bytes){(u8 *)(uintptr_t)net, strlen(net)});
    assert_int_equal(system(text("cd %s && " CNNC_COMMAND " train photos.net --data p_X.npy,p_Y.npy --validation-split=0.2 >said 2>&1", folder)), 0);
    assert_int_equal(system(text("cd %s && " CNNC_COMMAND " evaluate photos.net --weights photos.safetensors --data p_X_test.npy,p_Y_test.npy >said 2>&1", folder)), 0);
    says(file_text(text("%s/said", folder), NULL), "accuracy: 1.0000");
}

/* ---- what is refused --------------------------------------------------------------------------------------------------- */

static void broken_files_are_named(void **state) {
    (void)state;
    u8 rgb[32 * 32 * 3];
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (u8)(i * i >> 4);
    make("bad bad/a");
    Bytes png = make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, false, false}, 32, 32, rgb, 96), jpeg = make_jpeg(JCS_RGB, 3, BASELINE, 32, 32, rgb);
    write_bytes("bad/a/1.png", (Bytes){png.data, png.size / 2});
    write_bytes("bad/a/2.png", (Bytes){png.data, png.size - 12}); /* no IEND */
    png.data[png.size / 2] ^= 1;
    write_and_free("bad/a/3.png", png);
    write_bytes("bad/a/4.jpg", (Bytes){jpeg.data, jpeg.size / 2});
    write_bytes("bad/a/5.jpg", (Bytes){jpeg.data, 4});
    write_bytes("bad/a/6.jpg", (Bytes){jpeg.data, 0});
    write_bytes("bad/a/7.png", (Bytes){(u8 *)(uintptr_t)"GIF89a", 6});
    write_and_free("bad/a/8.jpeg", make_jpeg(JCS_CMYK, 4, BASELINE, 16, 16, rgb));
    write_and_free("bad/a/9.jpg", jpeg);
    const char *said = images("bad", 1);
    says(said, "bad/a/1.png: at byte ");
    says(said, ": not readable as PNG: the file ends here\n");
    says(said, "bad/a/2.png: at byte ");
    says(said, "bad/a/3.png: at byte ");
    says(said, "bad/a/4.jpg: not readable as JPEG: Premature end of JPEG file\n");
    says(said, "bad/a/5.jpg: not readable as JPEG: Premature end of JPEG file\n");
    says(said, "bad/a/6.jpg: at byte 0: neither a PNG nor a JPEG file\n");
    says(said, "bad/a/7.png: at byte 0: neither a PNG nor a JPEG file\n");
    says(said, "bad/a/8.jpeg: is a CMYK image: convert it to RGB\n");
    assert_null(strstr(said, "9.jpg"));
    for (int i = 0; i < 30; i++) write_bytes(text("bad/a/b%d.png", i), (Bytes){rgb, 9});
    int lines = 0;
    for (const char *s = images("bad", 1); (s = strchr(s, '\n')); s++) lines++;
    assert_int_equal(lines, MAX_ERRORS);
}

/* PNG's checksum of a chunk whose type and data are at p. */
static void set_crc(u8 *p, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    for (int k = 0; k < 4; k++) p[size + (size_t)k] = (u8)(crc >> (24 - 8 * k));
}

/* Files of a few hundred bytes that declare more than anyone has. */
static void declared_sizes_are_limited(void **state) {
    (void)state;
    static const u8 sides[][4] = {{0x7f, 0xff, 0xff, 0xff}, {0, 1, 0, 0}, {0, 0, 0xff, 0xff}};
    static const char *const reasons[] = {"not readable as PNG: Invalid IHDR", "65536x65536 (height x width) is too large", "65535x65535 (height x width) is too large"};
    Image image;
    cnnc_error error = {0};
    for (int i = 0; i < 3; i++) {
        Bytes png = small_gray(3, 3, 0);
        memcpy(png.data + 16, sides[i], 4);
        memcpy(png.data + 20, sides[i], 4);
        set_crc(png.data + 12, 17);
        assert_int_equal(image_decode(png.data, png.size, "big.png", &image, &error), CNNC_FAILED);
        says(error.text, "big.png: ");
        says(error.text, reasons[i]);
        assert_null(image.data);
        free(png.data);
    }
    u8 pixels[64] = {0};
    Bytes jpeg = make_jpeg(JCS_GRAYSCALE, 1, PROGRESSIVE, 8, 8, pixels);
    for (size_t i = 0; i + 8 < jpeg.size; i++)
        if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == 0xc2) memset(jpeg.data + i + 5, 0xff, 4), jpeg.data[i + 5] = 0xfe, jpeg.data[i + 7] = 0xfe;
    assert_int_equal(image_decode(jpeg.data, jpeg.size, "big.jpg", &image, &error), CNNC_FAILED);
    says(error.text, "big.jpg: 65279x65279 (height x width) is too large");
    free(jpeg.data);
}

/* A file that says the same again and again, each time for the whole image. */
static void scans_are_limited(void **state) {
    (void)state;
    u8 pixels[3 * 64];
    for (int i = 0; i < 3 * 64; i++) pixels[i] = (u8)i;
    Bytes jpeg = make_jpeg(JCS_RGB, 3, SCAN_A_COMPONENT, 8, 8, pixels);
    size_t begin = 0;
    for (size_t i = 0; i + 2 < jpeg.size; i++)
        if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == 0xda) begin = i; /* the last scan */
    size_t length = jpeg.size - 2 - begin, repeats = 600;
    Bytes bomb = {malloc(jpeg.size + repeats * length), jpeg.size - 2};
    assert_non_null(bomb.data);
    memcpy(bomb.data, jpeg.data, jpeg.size - 2);
    for (size_t i = 0; i < repeats; i++, bomb.size += length) memcpy(bomb.data + bomb.size, jpeg.data + begin, length);
    memcpy(bomb.data + bomb.size, "\xff\xd9", 2);
    bomb.size += 2;
    Image image;
    cnnc_error error = {0};
    assert_int_equal(image_decode(bomb.data, bomb.size, "scans.jpg", &image, &error), CNNC_FAILED);
    says(error.text, "scans.jpg: not readable as JPEG: more than 500 scans");
    free(bomb.data);
    free(jpeg.data);
}

/* Any byte changed, any end missing: an image or a message; the sanitizers look on. */
static void changed_bytes(void **state) {
    (void)state;
    u8 pixels[16 * 16 * 4];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (u8)(i * i >> 3);
    Bytes files[] = {
        make_png((PngForm){PNG_COLOR_TYPE_RGB_ALPHA, 8, true, false}, 16, 16, pixels, 64), make_png((PngForm){PNG_COLOR_TYPE_PALETTE, 2, false, true}, 16, 16, pixels, 4),
        make_jpeg(JCS_RGB, 3, BASELINE, 16, 16, pixels), make_jpeg(JCS_RGB, 3, PROGRESSIVE, 16, 16, pixels),
    };
    cnnc_random random;
    cnnc_random_seed(&random, 1, 0);
    int fine = 0, refused = 0;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        for (int i = 0; i < 1500; i++) {
            Bytes b = {malloc(files[f].size), files[f].size};
            assert_non_null(b.data);
            memcpy(b.data, files[f].data, b.size);
            if (i % 3 == 0) b.size = (size_t)cnnc_random_below(&random, b.size);
            else b.data[8 + cnnc_random_below(&random, b.size - 8)] = (u8)cnnc_random_bits(&random);
            if (f < 2 && i % 3 == 1) set_crc(b.data + 12, 17); /* the header's values arrive */
            Image image;
            cnnc_error error = {0};
            if (image_decode(b.data, b.size, "changed", &image, &error) == CNNC_OK) fine++;
            else refused++, says(error.text, "changed: ");
            free(image.data);
            free(b.data);
        }
        free(files[f].data);
    }
    assert_true(refused > 2000 && fine > 100);
}

static void usage(void **state) {
    (void)state;
    says(images("--help", 0), "usage: cnnc-images DIR");
    says(images("--version", 0), "cnnc-images 0.");
    says(images("", 2), "no folder is given");
    says(images("pets mixed", 2), "more than one folder");
    says(images("pets --wrong", 2), "hint: cnnc-images --help");
    says(images("pets --rgb --grayscale", 2), "exclude each other");
    static const char *const wrong[] = {"--size=0", "--size=3x", "--size=3x4x5", "--size=9000", "--size=-3", "--size=99999999999999999999",
                                        "--split=0", "--split=1", "--split=nan", "--split=half", "--seed=-1", "--seed=1.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) says(images(text("pets %s", wrong[i]), 2), " must be ");
    says(images("'pe\nts'", 2), "control character");
}

static void files_that_cannot_be(void **state) {
    (void)state;
    says(images("nowhere", 3), "error: nowhere: No such file or directory");
    says(images("said", 3), "error: said: Not a directory");
    says(images("pets -o nowhere/", 3), "error: nowhere/X.npy: cannot be written: No such file or directory");
    make("none none/a void full full_Y.npy");
    says(images("void", 1), "error: void: has no CLASS/NAME.png, .jpg or .jpeg in it");
    says(images("none", 1), "error: none: has no CLASS/NAME.png, .jpg or .jpeg in it");
    says(images("pets -o full_", 3), "error: full_Y.npy: cannot be written: is there and no regular file");
    assert_false(there("full_X.npy"));
    write_and_free("none/1.png", small_gray(2, 3, 1)); /* not in a class */
    says(images("none", 1), "has no CLASS/NAME.png");
    make("none/b");
    write_and_free("none/b/1.png", small_gray(2, 3, 1));
    says(images("none -o none_", 0), "warning: class 'a' has no images");
    assert_int_equal(symlink("gone", text("%s/none/b/2.png", folder)), 0);
    says(images("none -o other_", 3), "error: none/b/2.png: No such file or directory");
    assert_int_equal(unlink(text("%s/none/b/2.png", folder)), 0);
    assert_int_equal(mkfifo(text("%s/none/b/2.png", folder), 0666), 0);
    says(images("none -o other_", 3), "error: none/b/2.png: not a regular file");
    assert_false(there("other_X.npy"));
    assert_int_equal(mkdir(text("%s/none/c\nd", folder), 0777), 0);
    says(images("none", 1), "error: none/c?d: a class's name is a line of classes.txt");
}

/* Disk full and memory short: nothing is written, what was there stays. */
static void nothing_is_left_behind(void **state) {
    (void)state;
    make("limit big big/a");
    for (int i = 0; i < 9; i++) write_and_free(text("big/a/%d.png", i), small_gray(60, 60, 5));
    images("pets -o limit/", 0);
    char *before = file_text(text("%s/limit/classes.txt", folder), NULL);
    char *command = text("cd %s && (ulimit -f 20; trap '' XFSZ; exec " CNNC_IMAGES_COMMAND " big -o limit/) >said 2>&1", folder);
    int result = system(command);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 3);
    says(file_text(text("%s/said", folder), NULL), "error: limit/X.npy: not written: ");
    assert_int_equal(names_in("limit"), 3);
    assert_string_equal(file_text(text("%s/limit/classes.txt", folder), NULL), before);
#if !defined __SANITIZE_ADDRESS__
    result = system(text("cd %s && (ulimit -v 200000; exec " CNNC_IMAGES_COMMAND " big --size=8000 -o limit/) >said 2>&1", folder));
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 3);
    says(file_text(text("%s/said", folder), NULL), "error: no memory for 9 images of 8000x8000x1");
#endif
    assert_int_equal(names_in("limit"), 3);
}

/* A file that cannot have its name: those before it lose theirs, and nothing else stays. */
static void names_are_given_to_all_or_none(void **state) {
    (void)state;
    make("names names/Y.npy");
    Folder found;
    Part parts[2];
    cnnc_error error = {0};
    ConvertOptions options = {0};
    assert_int_equal(folder_walk(text("%s/pets", folder), &found, &error), CNNC_OK);
    assert_int_equal(folder_convert(&found, &options, NULL, parts, &error), CNNC_OK);
    assert_int_equal(outputs_write(text("%s/names/", folder), &found, parts, &error), CNNC_FAILED);
    says(error.text, "names/Y.npy: cannot be written: ");
    assert_int_equal(error.system, 1);
    assert_int_equal(names_in("names"), 1);
    parts_free(parts);
    folder_free(&found);
}

static int clean_up(void **state) {
    while (text_count) free(texts[--text_count]);
    return remove_folder(state);
}

static int begin(void **state) {
    if (make_folder(state)) return -1;
    make_pets();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_png),        cmocka_unit_test(alpha_is_laid_over_black), cmocka_unit_test(jpeg_gray_and_colours),
        cmocka_unit_test(channels),                 cmocka_unit_test(resizing),                 cmocka_unit_test(the_longest_side),
        cmocka_unit_test(order_and_labels),         cmocka_unit_test(splits_and_shuffles),      cmocka_unit_test(sizes_and_kinds_must_agree),
        cmocka_unit_test(a_training),               cmocka_unit_test(broken_files_are_named),   cmocka_unit_test(declared_sizes_are_limited),
        cmocka_unit_test(scans_are_limited),        cmocka_unit_test(changed_bytes),            cmocka_unit_test(usage),
        cmocka_unit_test(files_that_cannot_be),     cmocka_unit_test(nothing_is_left_behind),   cmocka_unit_test(names_are_given_to_all_or_none),
    };
    return cmocka_run_group_tests(tests, begin, clean_up);
}
