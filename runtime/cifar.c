/* cifar.c: the binary version of CIFAR-10 and CIFAR-100.
 *
 * Records of a fixed size: the label (CIFAR-100: a coarse one, which is passed over, and the fine one), then 32x32 bytes of
 * red, as many of green and of blue. Images become 32x32x3. Such files have no header: their names tell them.
 */
#include "loader.h"

#include <stdlib.h>

enum { SIDE = 32, COLORS = 3, PIXELS = SIDE * SIDE, IMAGE = PIXELS * COLORS };

typedef struct layout {
    const char *name;
    size_t labels; /* bytes before the image; the last is the label */
    unsigned classes;
} layout;

static int is_one_of(const cnnc_file *file, const char *const *names, size_t count) {
    int is = 0;
    for (size_t i = 0; i < count; i++)
        is |= cnnc_path_is(file->path, names[i]);
    return is;
}

static int is_cifar10(const cnnc_file *file) {
    static const char *const names[] = {CNNC_CIFAR10_TRAIN, CNNC_CIFAR10_TEST};
    return is_one_of(file, names, sizeof names / sizeof *names);
}

static int is_cifar100(const cnnc_file *file) {
    static const char *const names[] = {CNNC_CIFAR100_TRAIN, CNNC_CIFAR100_TEST};
    return is_one_of(file, names, sizeof names / sizeof *names);
}

/* images[n][SIDE][SIDE][COLORS], labels[n] from the n records of the file. */
static int split_records(const cnnc_file *file, const layout *l, size_t n, unsigned char *images, unsigned char *labels,
                         cnnc_error *error) {
    const unsigned char *record = file->bytes;
    for (size_t i = 0; i < n; i++, record += l->labels + IMAGE, images += IMAGE) {
        const unsigned char *planes = record + l->labels;
        labels[i] = record[l->labels - 1];
        if (labels[i] >= l->classes)
            return cnnc_fail(error, "%s: at byte %zu: example %zu is of class %d, but %s has classes 0 .. %u", file->path,
                             (size_t)(planes - 1 - file->bytes), i, labels[i], l->name, l->classes - 1);
        for (int p = 0; p < PIXELS; p++)
            for (int c = 0; c < COLORS; c++)
                images[p * COLORS + c] = planes[c * PIXELS + p];
    }
    return CNNC_OK;
}

static int read_records(const cnnc_file *file, const layout *l, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    size_t record = l->labels + IMAGE, n = file->size / record;
    if (cnnc_request_pair(request, file->path, "a CIFAR file has images and labels", error) != CNNC_OK)
        return CNNC_FAILED;
    if (n == 0 || file->size % record)
        return cnnc_fail(error, "%s: at byte %zu: the file ends within a record: %s has records of %zu bytes, the file %zu bytes",
                         file->path, file->size, l->name, record, file->size);
    cnnc_array images = {CNNC_DTYPE_U8, 4, {n, SIDE, SIDE, COLORS}, n * IMAGE, cnnc_allocate(n * IMAGE)};
    cnnc_array labels = {CNNC_DTYPE_U8, 1, {n}, n, cnnc_allocate(n)};
    cnnc_origin origin = {.path = file->path, .first = l->labels, .step = record};
    int result = CNNC_OK;
    if (!images.data || !labels.data)
        result = cnnc_fail_system(error, "%s: no memory for %zu bytes", file->path, n * (IMAGE + 1));
    if (result == CNNC_OK)
        result = split_records(file, l, n, images.data, labels.data, error);
    if (result == CNNC_OK)
        result = cnnc_parts_add(parts, &images, origin, error);
    origin.first = l->labels - 1;
    if (result == CNNC_OK && request->targets)
        result = cnnc_parts_add(parts, &labels, origin, error);
    cnnc_array_free(&images);
    cnnc_array_free(&labels);
    return result;
}

static int read_cifar10(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    return read_records(file, &(layout){"CIFAR-10", 1, 10}, request, parts, error);
}

static int read_cifar100(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    return read_records(file, &(layout){"CIFAR-100", 2, 100}, request, parts, error);
}

const cnnc_format cnnc_format_cifar10 = {is_cifar10, read_cifar10, NULL};
const cnnc_format cnnc_format_cifar100 = {is_cifar100, read_cifar100, NULL};
