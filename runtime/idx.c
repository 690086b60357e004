/* idx.c: IDX files, the format of MNIST, plain or gzipped.
 *
 * Two zero bytes, the element type, the number of dimensions, each dimension as four bytes, then the elements; all
 * big-endian. The declared size has to agree with the file's before anything is allocated; of a gzipped file, whose size
 * is not known beforehand, it has to be within deflate's reach (1032 to 1), and what inflates beyond it is refused.
 */
#include "loader.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifdef CNNC_ZLIB
#include <zlib.h>
#endif

enum { MAX_HEADER = 4 + 4 * CNNC_ARRAY_RANK };

/* The bytes of the file as they come out of it. */
typedef struct source {
    const unsigned char *bytes;
    size_t size, position; /* of bytes */
    size_t taken;          /* bytes handed out so far, for messages */
    const char *name;
    int gzipped;
#ifdef CNNC_ZLIB
    z_stream stream;
    int ended;
#endif
} source;

#ifdef CNNC_ZLIB

static int open_gzip(source *s, cnnc_error *error) {
    if (inflateInit2(&s->stream, 15 + 16) != Z_OK)
        return cnnc_fail_system(error, "%s: zlib does not start", s->name);
    return CNNC_OK;
}

static void close_gzip(source *s) {
    inflateEnd(&s->stream);
}

/* Inflates up to size bytes, and says how many there were. */
static int inflate_some(source *s, unsigned char *to, size_t size, size_t *got, cnnc_error *error) {
    *got = 0;
    while (*got < size && !s->ended) {
        size_t in = s->size - s->position, out = size - *got;
        uInt in_step = in < INT_MAX ? (uInt)in : INT_MAX, out_step = out < INT_MAX ? (uInt)out : INT_MAX;
        s->stream.next_in = (z_const Bytef *)(uintptr_t)(s->bytes + s->position);
        s->stream.avail_in = in_step;
        s->stream.next_out = to + *got;
        s->stream.avail_out = out_step;
        int status = inflate(&s->stream, Z_NO_FLUSH);
        size_t eaten = in_step - s->stream.avail_in, made = out_step - s->stream.avail_out;
        s->position += eaten;
        *got += made;
        if (status == Z_STREAM_END)
            s->ended = 1;
        else if (status == Z_MEM_ERROR)
            return cnnc_fail_system(error, "%s: no memory to inflate it", s->name);
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return cnnc_fail(error, "%s: at byte %zu: damaged gzip data (%s)", s->name, s->position,
                             s->stream.msg ? s->stream.msg : "zlib's error");
        else if (!eaten && !made)
            return cnnc_fail(error, "%s: at byte %zu: the gzip data ends in the middle", s->name, s->position);
    }
    return CNNC_OK;
}

/* The checksum at the end is only looked at when one asks for a byte more. */
static int end_gzip(source *s, cnnc_error *error) {
    unsigned char more;
    size_t got;
    if (inflate_some(s, &more, 1, &got, error) != CNNC_OK)
        return CNNC_FAILED;
    if (got)
        return cnnc_fail(error, "%s: it inflates to more than the %zu bytes its header declares", s->name, s->taken);
    if (s->position != s->size)
        return cnnc_fail(error, "%s: at byte %zu: %zu bytes follow the gzip data", s->name, s->position,
                         s->size - s->position);
    return CNNC_OK;
}

#else

static int open_gzip(source *s, cnnc_error *error) {
    return cnnc_fail(error, "%s: is gzipped, and this program was built without zlib: gunzip it first", s->name);
}

static void close_gzip(source *s) {
    (void)s;
}

static int inflate_some(source *s, unsigned char *to, size_t size, size_t *got, cnnc_error *error) {
    (void)to;
    (void)size;
    *got = 0;
    return open_gzip(s, error);
}

static int end_gzip(source *s, cnnc_error *error) {
    return open_gzip(s, error);
}

#endif

/* The next size bytes, or a failure that says which part of the file they were to be. */
static int take(source *s, void *to, size_t size, const char *what, cnnc_error *error) {
    size_t got;
    if (s->gzipped) {
        if (inflate_some(s, to, size, &got, error) != CNNC_OK)
            return CNNC_FAILED;
    } else {
        got = s->size - s->position < size ? s->size - s->position : size;
        if (got)
            memcpy(to, s->bytes + s->position, got);
        s->position += got;
    }
    s->taken += got;
    if (got < size)
        return cnnc_fail(error, "%s: at byte %zu%s: the file ends within its %s", s->name, s->taken,
                         s->gzipped ? " inflated" : "", what);
    return CNNC_OK;
}

static int element_type(unsigned char code, cnnc_dtype *dtype) {
    switch (code) {
    case 0x08: *dtype = CNNC_DTYPE_U8; return 1;
    case 0x09: *dtype = CNNC_DTYPE_I8; return 1;
    case 0x0b: *dtype = CNNC_DTYPE_I16; return 1;
    case 0x0c: *dtype = CNNC_DTYPE_I32; return 1;
    case 0x0d: *dtype = CNNC_DTYPE_F32; return 1;
    case 0x0e: *dtype = CNNC_DTYPE_F64; return 1;
    default: return 0;
    }
}

static int read_header(source *s, cnnc_array *array, cnnc_error *error) {
    unsigned char head[MAX_HEADER];
    if (take(s, head, 4, "first four bytes", error) != CNNC_OK)
        return CNNC_FAILED;
    if (head[0] || head[1])
        return cnnc_fail(error, "%s: at byte 0: not an IDX file: it begins with %02x %02x, not 00 00", s->name, head[0],
                         head[1]);
    if (!element_type(head[2], &array->dtype))
        return cnnc_fail(error, "%s: at byte 2: 0x%02x is no IDX element type", s->name, head[2]);
    if (head[3] < 1 || head[3] > CNNC_ARRAY_RANK)
        return cnnc_fail(error, "%s: at byte 3: %d dimensions, not 1 to %d", s->name, head[3], CNNC_ARRAY_RANK);
    array->rank = head[3];
    if (take(s, head + 4, 4 * (size_t)array->rank, "dimensions", error) != CNNC_OK)
        return CNNC_FAILED;
    for (int i = 0; i < array->rank; i++) {
        const unsigned char *b = head + 4 + 4 * i;
        array->shape[i] = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    }
    return CNNC_OK;
}

/* Whether the elements can be there, before memory for them is asked for. */
static int check_size(const source *s, const cnnc_array *array, int measured, size_t bytes, cnnc_error *error) {
    char shape[128];
    cnnc_shape_text(shape, sizeof shape, array->rank, array->shape);
    size_t left = s->size - s->position;
    if (measured != CNNC_OK)
        return cnnc_fail(error, "%s: at byte 4: %s elements are more than any file holds", s->name, shape);
    if (s->gzipped && bytes / CNNC_DEFLATE_RATIO > s->size)
        return cnnc_fail(error, "%s: at byte 4 inflated: %s elements are more than %zu gzipped bytes can hold", s->name,
                         shape, s->size);
    if (!s->gzipped && bytes != left)
        return cnnc_fail(error, "%s: at byte %zu: %s %s elements take %zu bytes, but %zu follow", s->name, s->position,
                         shape, cnnc_dtype_name(array->dtype), bytes, left);
    return CNNC_OK;
}

static int read_array(source *s, cnnc_array *array, cnnc_error *error) {
    if (read_header(s, array, error) != CNNC_OK)
        return CNNC_FAILED;
    size_t bytes = 0;
    int measured = cnnc_array_measure(array, &bytes);
    if (check_size(s, array, measured, bytes, error) != CNNC_OK)
        return CNNC_FAILED;
    array->data = cnnc_allocate(bytes);
    if (!array->data)
        return cnnc_fail_system(error, "%s: no memory for %zu bytes", s->name, bytes);
    if (take(s, array->data, bytes, "elements", error) != CNNC_OK)
        return CNNC_FAILED;
    cnnc_reorder(CNNC_BIG_ENDIAN, array->data, array->count, cnnc_dtype_size(array->dtype));
    return s->gzipped ? end_gzip(s, error) : CNNC_OK;
}

static const char gzip[] = "\x1f\x8b";

static int begins(const unsigned char *bytes, size_t size, const char *two) {
    return size >= 2 && !memcmp(bytes, two, 2);
}

int cnnc_idx_parse(const void *bytes, size_t size, const char *name, cnnc_array *array, cnnc_error *error) {
    source s = {.bytes = bytes, .size = size, .name = name};
    *array = (cnnc_array){0};
    s.gzipped = begins(bytes, size, gzip);
    if (s.gzipped && open_gzip(&s, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = read_array(&s, array, error);
    if (s.gzipped)
        close_gzip(&s);
    if (result != CNNC_OK)
        cnnc_array_free(array);
    return result;
}

int cnnc_idx_read(const char *path, cnnc_array *array, cnnc_error *error) {
    *array = (cnnc_array){0};
    unsigned char *bytes;
    size_t size;
    if (cnnc_file_bytes(path, &bytes, &size, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = cnnc_idx_parse(bytes, size, path, array, error);
    free(bytes);
    return result;
}

/* ---- as a format of data files ----------------------------------------------------------------------------------- */

static int recognise(const cnnc_file *file) {
    return begins(file->bytes, file->size, gzip) || begins(file->bytes, file->size, "\0\0");
}

static int read_file(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    (void)request; /* one array, whatever is asked for */
    cnnc_array array;
    if (cnnc_idx_parse(file->bytes, file->size, file->path, &array, error) != CNNC_OK)
        return CNNC_FAILED;
    cnnc_origin origin = {.path = file->path, .step = cnnc_example_bytes(&array)};
    origin.unit = begins(file->bytes, file->size, gzip) ? CNNC_AT_INFLATED_BYTE : CNNC_AT_BYTE;
    origin.first = 4 + 4 * (size_t)array.rank;
    return cnnc_parts_add(parts, &array, origin, error);
}

const cnnc_format cnnc_format_idx = {recognise, read_file, NULL};
