/* npy.c: NumPy's .npy files, versions 1 to 3.
 *
 * Magic, version, length of the header, the header (a Python dictionary of exactly descr, fortran_order and shape), the
 * elements. Read: little-endian or one-byte numbers and bool in C order. Not: objects, records, strings, complex
 * numbers, big-endian or Fortran order; the message says how to convert.
 */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    char descr[4];
    cnnc_dtype dtype;
} descrs[] = {
    {"|u1", CNNC_DTYPE_U8},  {"|i1", CNNC_DTYPE_I8},  {"<u2", CNNC_DTYPE_U16}, {"<i2", CNNC_DTYPE_I16},
    {"<u4", CNNC_DTYPE_U32}, {"<i4", CNNC_DTYPE_I32}, {"<u8", CNNC_DTYPE_U64}, {"<i8", CNNC_DTYPE_I64},
    {"<f2", CNNC_DTYPE_F16}, {"<f4", CNNC_DTYPE_F32}, {"<f8", CNNC_DTYPE_F64}, {"|b1", CNNC_DTYPE_U8}, /* last: read only */
};

enum { DESCRS = sizeof descrs / sizeof *descrs };

typedef struct header {
    const unsigned char *begin, *p, *end; /* of the whole file, at the moment, of the header */
    const char *name;
    cnnc_error *error;
} header;

static size_t at(const header *h) {
    return (size_t)(h->p - h->begin);
}

static void skip_space(header *h) {
    while (h->p < h->end && (*h->p == ' ' || *h->p == '\n' || *h->p == '\t'))
        h->p++;
}

/* The character c after white space, if it comes next. */
static int accept(header *h, char c) {
    skip_space(h);
    if (h->p == h->end || *h->p != (unsigned char)c)
        return 0;
    h->p++;
    return 1;
}

static int expect(header *h, char c) {
    if (accept(h, c))
        return CNNC_OK;
    return cnnc_fail(h->error, "%s: at byte %zu: the header needs a '%c' here", h->name, at(h), c);
}

/* A quoted word of fewer than size bytes. */
static int word(header *h, char *text, size_t size) {
    skip_space(h);
    if (h->p == h->end || (*h->p != '\'' && *h->p != '"'))
        return cnnc_fail(h->error, "%s: at byte %zu: the header needs a quoted word here%s", h->name, at(h),
                         h->p < h->end && *h->p == '[' ? " (records cannot be read)" : "");
    unsigned char quote = *h->p++;
    size_t n = 0;
    while (h->p < h->end && *h->p != quote && n + 1 < size)
        text[n++] = (char)*h->p++;
    text[n] = 0;
    if (h->p == h->end || *h->p != quote)
        return cnnc_fail(h->error, "%s: at byte %zu: the header's word '%s' does not end", h->name, at(h), text);
    h->p++;
    return CNNC_OK;
}

static int element_type(header *h, cnnc_array *array) {
    char descr[32];
    size_t start = at(h);
    if (word(h, descr, sizeof descr) != CNNC_OK)
        return CNNC_FAILED;
    for (int i = 0; i < DESCRS; i++) {
        int any_order = descrs[i].descr[0] == '|' && (descr[0] == '<' || descr[0] == '>' || descr[0] == '=');
        if (!strcmp(descr, descrs[i].descr) || (any_order && !strcmp(descr + 1, descrs[i].descr + 1))) {
            array->dtype = descrs[i].dtype;
            return CNNC_OK;
        }
    }
    return cnnc_fail(h->error, "%s: at byte %zu: elements of type '%s' cannot be read%s", h->name, start, descr,
                     descr[0] == '>' ? ": save a.astype(a.dtype.newbyteorder('<'))" : "");
}

static int order(header *h) {
    skip_space(h);
    size_t left = (size_t)(h->end - h->p);
    if (left >= 5 && memcmp(h->p, "False", 5) == 0) {
        h->p += 5;
        return CNNC_OK;
    }
    if (left >= 4 && memcmp(h->p, "True", 4) == 0)
        return cnnc_fail(h->error, "%s: at byte %zu: Fortran order cannot be read: save np.ascontiguousarray(a)", h->name,
                         at(h));
    return cnnc_fail(h->error, "%s: at byte %zu: the header needs True or False here", h->name, at(h));
}

static int number(header *h, size_t *value) {
    skip_space(h);
    const unsigned char *start = h->p;
    *value = 0;
    while (h->p < h->end && *h->p >= '0' && *h->p <= '9') {
        size_t digit = (size_t)(*h->p - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return cnnc_fail(h->error, "%s: at byte %zu: the dimension is too large", h->name, at(h));
        *value = *value * 10 + digit;
        h->p++;
    }
    if (h->p == start)
        return cnnc_fail(h->error, "%s: at byte %zu: the header needs a number here", h->name, at(h));
    return CNNC_OK;
}

static int shape(header *h, cnnc_array *array) {
    if (expect(h, '(') != CNNC_OK)
        return CNNC_FAILED;
    array->rank = 0;
    while (!accept(h, ')')) {
        if (array->rank == CNNC_ARRAY_RANK)
            return cnnc_fail(h->error, "%s: at byte %zu: more than %d dimensions", h->name, at(h), CNNC_ARRAY_RANK);
        if (number(h, &array->shape[array->rank]) != CNNC_OK)
            return CNNC_FAILED;
        array->rank++;
        if (!accept(h, ','))
            return array->rank > 1 ? expect(h, ')') : expect(h, ','); /* (3) is no tuple, (3,) is */
    }
    return CNNC_OK;
}

static int dictionary(header *h, cnnc_array *array) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    int seen = 0;
    if (expect(h, '{') != CNNC_OK)
        return CNNC_FAILED;
    while (!accept(h, '}')) {
        char key[32];
        size_t start = at(h);
        if (word(h, key, sizeof key) != CNNC_OK || expect(h, ':') != CNNC_OK)
            return CNNC_FAILED;
        int which = 0;
        while (which < 3 && strcmp(key, keys[which]))
            which++;
        if (which == 3 || seen & 1 << which)
            return cnnc_fail(h->error, "%s: at byte %zu: the header has '%s' %s", h->name, start, key,
                             which == 3 ? "of all things" : "twice");
        seen |= 1 << which;
        int result = which == 0 ? element_type(h, array) : which == 1 ? order(h) : shape(h, array);
        if (result != CNNC_OK)
            return CNNC_FAILED;
        if (!accept(h, ',')) {
            if (expect(h, '}') != CNNC_OK)
                return CNNC_FAILED;
            break;
        }
    }
    skip_space(h);
    if (h->p != h->end)
        return cnnc_fail(h->error, "%s: at byte %zu: the header goes on after its end", h->name, at(h));
    for (int i = 0; i < 3; i++)
        if (!(seen & 1 << i))
            return cnnc_fail(h->error, "%s: at byte %zu: the header lacks '%s'", h->name, at(h), keys[i]);
    return CNNC_OK;
}

/* Finds the header within the file. */
static int frame(header *h, const unsigned char *bytes, size_t size) {
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return cnnc_fail(h->error, "%s: at byte 0: not a .npy file", h->name);
    int major = bytes[6];
    if (major < 1 || major > 3 || bytes[7] != 0)
        return cnnc_fail(h->error, "%s: at byte 6: version %d.%d is not known", h->name, major, bytes[7]);
    size_t start = major == 1 ? 10 : 12;
    if (size < start)
        return cnnc_fail(h->error, "%s: at byte %zu: the file ends within its header", h->name, size);
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - start)
        return cnnc_fail(h->error, "%s: at byte 8: a header of %zu bytes, but the file has %zu more", h->name, length,
                         size - start);
    h->begin = bytes;
    h->p = bytes + start;
    h->end = h->p + length;
    return CNNC_OK;
}

int cnnc_npy_parse(const void *bytes, size_t size, const char *name, cnnc_array *array, cnnc_error *error) {
    header h = {.name = name, .error = error};
    cnnc_array made = {0};
    *array = made;
    if (frame(&h, bytes, size) != CNNC_OK || dictionary(&h, &made) != CNNC_OK)
        return CNNC_FAILED;
    size_t want, start = at(&h), have = size - start;
    char text[128];
    cnnc_shape_text(text, sizeof text, made.rank, made.shape);
    if (cnnc_array_measure(&made, &want) != CNNC_OK)
        return cnnc_fail(error, "%s: at byte %zu: %s elements are more than any file holds", name, start, text);
    if (want != have)
        return cnnc_fail(error, "%s: at byte %zu: %s %s elements take %zu bytes, but %zu follow", name, start, text,
                         cnnc_dtype_name(made.dtype), want, have);
    made.data = cnnc_allocate(want);
    if (!made.data)
        return cnnc_fail_system(error, "%s: no memory for %zu bytes", name, want);
    if (want)
        memcpy(made.data, h.end, want);
    cnnc_reorder(CNNC_LITTLE_ENDIAN, made.data, made.count, cnnc_dtype_size(made.dtype));
    *array = made;
    return CNNC_OK;
}

int cnnc_npy_read(const char *path, cnnc_array *array, cnnc_error *error) {
    *array = (cnnc_array){0};
    unsigned char *bytes;
    size_t size;
    if (cnnc_file_bytes(path, &bytes, &size, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = cnnc_npy_parse(bytes, size, path, array, error);
    free(bytes);
    return result;
}

/* ---- as a format of data files ----------------------------------------------------------------------------------- */

static int recognise(const cnnc_file *file) {
    return file->size >= 6 && memcmp(file->bytes, "\x93NUMPY", 6) == 0;
}

static int read_file(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    (void)request; /* one array, whatever is asked for */
    cnnc_array array;
    if (cnnc_npy_parse(file->bytes, file->size, file->path, &array, error) != CNNC_OK)
        return CNNC_FAILED;
    cnnc_origin origin = {.path = file->path, .step = cnnc_example_bytes(&array)};
    origin.first = file->size - array.count * cnnc_dtype_size(array.dtype);
    return cnnc_parts_add(parts, &array, origin, error);
}

const cnnc_format cnnc_format_npy = {recognise, read_file, NULL};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The header as NumPy itself writes it, with its reserve for a growing first dimension; the length of the whole. */
static size_t format_header(const cnnc_array *array, const char *descr, char *text, size_t size) {
    size_t n = 10;
    n += (size_t)snprintf(text + n, size - n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < array->rank; i++)
        n += (size_t)snprintf(text + n, size - n, i ? ", %zu" : "%zu", array->shape[i]);
    n += (size_t)snprintf(text + n, size - n, "%s), }", array->rank == 1 ? "," : "");
    if (array->rank > 0)
        n += (size_t)snprintf(text + n, size - n, "%*s", 21 - snprintf(NULL, 0, "%zu", array->shape[0]), "");
    while ((n + 1) % 64)
        text[n++] = ' ';
    text[n++] = '\n';
    memcpy(text, "\x93NUMPY\1", 8);
    text[8] = (char)((n - 10) & 255);
    text[9] = (char)((n - 10) >> 8);
    return n;
}

int cnnc_npy_write(const char *path, const cnnc_array *array, cnnc_error *error) {
    const char *descr = NULL;
    for (int i = DESCRS - 1; i >= 0; i--) /* backwards: u8 ends at |u1 */
        if (descrs[i].dtype == array->dtype)
            descr = descrs[i].descr;
    if (!descr)
        return cnnc_fail(error, "%s: .npy has no %s elements", path, cnnc_dtype_name(array->dtype));
    if (array->rank < 0 || array->rank > CNNC_ARRAY_RANK)
        return cnnc_fail(error, "%s: %d dimensions, not 0 to %d", path, array->rank, CNNC_ARRAY_RANK);
    char text[1024]; /* 16 dimensions of 22 characters, and the words */
    size_t length = format_header(array, descr, text, sizeof text);
    cnnc_output output;
    if (cnnc_output_begin(&output, path, error) != CNNC_OK)
        return CNNC_FAILED;
    fwrite(text, 1, length, output.stream);
    cnnc_write_elements(output.stream, array);
    return cnnc_output_commit(&output, error);
}
