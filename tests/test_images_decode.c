/* What cnnc-images makes of one file: pixels of real PNG and JPEG files, channels, sizes, and what is refused. */
#define _POSIX_C_SOURCE 200809L
#include "test_images.h"

#ifdef __linux__
#include "faults/faults.h"
#endif

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

/* Each allocation in turn, libpng's own among them: that is no fault of the image. */
static void memory_falls_short(void **state) {
    (void)state;
#ifdef __linux__
    u8 rgb[9 * 11 * 3] = {0};
    Bytes b = make_png((PngForm){PNG_COLOR_TYPE_RGB, 8, true, false}, 9, 11, rgb, 33);
    size_t blocks = fault_blocks();
    long n = 0;
    for (bool reached = true; reached;) {
        Image image;
        cnnc_error error = {0};
        fault_arm(FAULT_MEMORY, ++n);
        int result = image_decode(b.data, b.size, "image", &image, &error);
        reached = fault_disarm();
        if (result == CNNC_OK) free(image.data);
        assert_int_equal(result, reached ? CNNC_FAILED : CNNC_OK);
        assert_int_equal(error.system, reached);
        if (reached) says(error.text, "image: no memory for ");
        assert_int_equal(fault_blocks(), blocks);
    }
    assert_in_range(n, 6, 100);
    free(b.data);
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_png), cmocka_unit_test(alpha_is_laid_over_black),   cmocka_unit_test(jpeg_gray_and_colours),
        cmocka_unit_test(channels),          cmocka_unit_test(resizing),                   cmocka_unit_test(the_longest_side),
        cmocka_unit_test(scans_are_limited), cmocka_unit_test(declared_sizes_are_limited), cmocka_unit_test(changed_bytes),
        cmocka_unit_test(memory_falls_short),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
