/* cnnc-images as a command: order, labels, splits, what is refused, what is written and what is not, and a training on what it made.
 * Built where libpng and libjpeg are. */
#define _POSIX_C_SOURCE 200809L
#include "test_images.h"

/* Runs cnnc-images in the folder; what it says, on both streams. */
static char *images(const char *arguments, int status) {
    char *command = text("cd %s && " CNNC_IMAGES_COMMAND " %s >said 2>&1", folder, arguments);
    int result = system(command), exited = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    char *said = file_text(text("%s/said", folder), NULL);
    if (exited != status) fail_msg("exit status %d, not %d: %s\n%s", exited, status, command, said);
    return said;
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
    says(said, "out/X.npy, out/Y.npy: 6 images of 2x3x1 (height x width x channels)\nout/classes.txt: 3 classes\n");
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
    char *command = text("cd %s && (ulimit -f 20; exec " CNNC_IMAGES_COMMAND " big -o limit) >said 2>&1", folder);
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

/* A file that cannot have its name: those before it lose theirs, what they had replaced is back, and nothing else stays. */
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
    write_bytes("names/X.npy", (Bytes){(u8 *)(uintptr_t)"old", 3});
    assert_int_equal(outputs_write(text("%s/names/", folder), &found, parts, &error), CNNC_FAILED);
    assert_string_equal(file_text(text("%s/names/X.npy", folder), NULL), "old");
    assert_int_equal(names_in("names"), 2);
    parts_free(parts);
    folder_free(&found);
}

static int begin(void **state) {
    if (make_folder(state)) return -1;
    make_pets();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_labels),       cmocka_unit_test(splits_and_shuffles),  cmocka_unit_test(sizes_and_kinds_must_agree),
        cmocka_unit_test(a_training),             cmocka_unit_test(broken_files_are_named), cmocka_unit_test(usage),
        cmocka_unit_test(files_that_cannot_be),   cmocka_unit_test(nothing_is_left_behind), cmocka_unit_test(names_are_given_to_all_or_none),
    };
    return cmocka_run_group_tests(tests, begin, remove_folder);
}
