/* safetensors.c: files of named tensors.
 *
 * Eight bytes, the header's length, little-endian; the header, {"name": {"dtype": "F32", "shape": [3, 4],
 * "data_offsets": [0, 48]}, ..., "__metadata__": {"key": "value"}}, padded with spaces; the tensors' little-endian bytes,
 * which cover what is left of the file without holes or overlaps.
 */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 100 * 1000 * 1000 }; /* as in the format's own library */

static const char *const type_names[] = {
    [CNNC_DTYPE_U8] = "U8",   [CNNC_DTYPE_I8] = "I8",   [CNNC_DTYPE_U16] = "U16", [CNNC_DTYPE_I16] = "I16",
    [CNNC_DTYPE_U32] = "U32", [CNNC_DTYPE_I32] = "I32", [CNNC_DTYPE_U64] = "U64", [CNNC_DTYPE_I64] = "I64",
    [CNNC_DTYPE_F16] = "F16", [CNNC_DTYPE_BF16] = "BF16", [CNNC_DTYPE_F32] = "F32", [CNNC_DTYPE_F64] = "F64",
};

enum { TYPES = sizeof type_names / sizeof *type_names };

/* What cnnc_safetensors.memory points to. */
typedef struct body {
    unsigned char *bytes; /* the file */
    char *text;           /* the decoded strings */
} body;

typedef struct reader {
    cnnc_json json;
    cnnc_safetensors *file;
    unsigned char *data; /* the first byte after the header */
    size_t size;         /* bytes from there */
    int room, metadata_room;
} reader;

/* Makes room for one more element of an array; a header of MAX_HEADER bytes names far fewer than an int counts. */
static void *grow(void *array, int count, int *room, size_t size) {
    if (count < *room)
        return array;
    int more = *room * 2 + 16;
    void *larger = realloc(array, (size_t)more * size);
    if (larger)
        *room = more;
    return larger;
}

static int parse_metadata(reader *r) {
    cnnc_json *j = &r->json;
    if (cnnc_json_expect(j, '{') != CNNC_OK)
        return CNNC_FAILED;
    if (cnnc_json_accept(j, '}'))
        return CNNC_OK;
    do {
        cnnc_metadata *larger = grow(r->file->metadata, r->file->metadata_count, &r->metadata_room, sizeof *larger);
        if (!larger)
            return cnnc_fail_system(j->error, "%s: no memory for the metadata", j->name);
        r->file->metadata = larger;
        cnnc_metadata *entry = &larger[r->file->metadata_count];
        if (cnnc_json_string(j, &entry->key) != CNNC_OK || cnnc_json_expect(j, ':') != CNNC_OK ||
            cnnc_json_string(j, &entry->value) != CNNC_OK)
            return CNNC_FAILED;
        r->file->metadata_count++;
    } while (cnnc_json_accept(j, ','));
    return cnnc_json_expect(j, '}');
}

static int parse_dtype(cnnc_json *j, cnnc_array *array) {
    const char *name;
    if (cnnc_json_string(j, &name) != CNNC_OK)
        return CNNC_FAILED;
    int i = 0;
    while (i < TYPES && strcmp(name, type_names[i]))
        i++;
    array->dtype = i < TYPES ? (cnnc_dtype)i : CNNC_DTYPE_U8;
    if (i < TYPES || !strcmp(name, "BOOL"))
        return CNNC_OK;
    return cnnc_fail(j->error, "%s: at byte %zu: dtype '%s' cannot be read", j->name, cnnc_json_at(j), name);
}

static int parse_shape(cnnc_json *j, cnnc_array *array) {
    if (cnnc_json_expect(j, '[') != CNNC_OK)
        return CNNC_FAILED;
    array->rank = 0;
    if (cnnc_json_accept(j, ']'))
        return CNNC_OK;
    do {
        if (array->rank == CNNC_ARRAY_RANK)
            return cnnc_json_fail(j, "too many dimensions");
        if (cnnc_json_size(j, &array->shape[array->rank]) != CNNC_OK)
            return CNNC_FAILED;
        array->rank++;
    } while (cnnc_json_accept(j, ','));
    return cnnc_json_expect(j, ']');
}

static int parse_offsets(cnnc_json *j, size_t offsets[2]) {
    if (cnnc_json_expect(j, '[') != CNNC_OK || cnnc_json_size(j, &offsets[0]) != CNNC_OK ||
        cnnc_json_expect(j, ',') != CNNC_OK || cnnc_json_size(j, &offsets[1]) != CNNC_OK)
        return CNNC_FAILED;
    return cnnc_json_expect(j, ']');
}

/* Whether a tensor's shape and its range agree, and where that is. */
static int place(reader *r, cnnc_safetensor *tensor, const size_t offsets[2]) {
    const cnnc_json *j = &r->json;
    size_t bytes;
    char shape[128];
    cnnc_shape_text(shape, sizeof shape, tensor->array.rank, tensor->array.shape);
    if (cnnc_array_measure(&tensor->array, &bytes) != CNNC_OK)
        return cnnc_fail(j->error, "%s: at byte %zu: '%s': %s elements are more than any file holds", j->name,
                         cnnc_json_at(j), tensor->name, shape);
    if (offsets[0] > offsets[1] || offsets[1] > r->size)
        return cnnc_fail(j->error, "%s: at byte %zu: '%s': the range %zu .. %zu is not within the %zu bytes of data",
                         j->name, cnnc_json_at(j), tensor->name, offsets[0], offsets[1], r->size);
    if (offsets[1] - offsets[0] != bytes)
        return cnnc_fail(j->error, "%s: at byte %zu: '%s': %s %s elements take %zu bytes, its range has %zu", j->name,
                         cnnc_json_at(j), tensor->name, shape, cnnc_dtype_name(tensor->array.dtype), bytes,
                         offsets[1] - offsets[0]);
    tensor->array.data = r->data + offsets[0];
    return CNNC_OK;
}

static int parse_tensor(reader *r, const char *name) {
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    cnnc_json *j = &r->json;
    cnnc_safetensor tensor = {.name = name};
    size_t offsets[2];
    int seen = 0;
    if (cnnc_json_expect(j, '{') != CNNC_OK)
        return CNNC_FAILED;
    for (int i = 0; i < 3; i++) {
        const char *key;
        if ((i && cnnc_json_expect(j, ',') != CNNC_OK) || cnnc_json_string(j, &key) != CNNC_OK ||
            cnnc_json_expect(j, ':') != CNNC_OK)
            return CNNC_FAILED;
        int which = 0;
        while (which < 3 && strcmp(key, keys[which]))
            which++;
        if (which == 3 || seen & 1 << which)
            return cnnc_json_fail(j, "a tensor has dtype, shape and data_offsets, once each and nothing else");
        seen |= 1 << which;
        int result = which == 0   ? parse_dtype(j, &tensor.array)
                     : which == 1 ? parse_shape(j, &tensor.array)
                                  : parse_offsets(j, offsets);
        if (result != CNNC_OK)
            return CNNC_FAILED;
    }
    if (cnnc_json_expect(j, '}') != CNNC_OK || place(r, &tensor, offsets) != CNNC_OK)
        return CNNC_FAILED;
    cnnc_safetensor *larger = grow(r->file->tensors, r->file->count, &r->room, sizeof *larger);
    if (!larger)
        return cnnc_fail_system(j->error, "%s: no memory for the list of tensors", j->name);
    r->file->tensors = larger;
    larger[r->file->count++] = tensor;
    return CNNC_OK;
}

static int parse_header(reader *r) {
    cnnc_json *j = &r->json;
    int metadata_seen = 0;
    if (j->p == j->end || *j->p != '{')
        return cnnc_json_fail(j, "the header has to begin with '{'");
    j->p++;
    if (!cnnc_json_accept(j, '}')) {
        do {
            const char *name;
            if (cnnc_json_string(j, &name) != CNNC_OK || cnnc_json_expect(j, ':') != CNNC_OK)
                return CNNC_FAILED;
            int is_metadata = !strcmp(name, "__metadata__");
            if (is_metadata && metadata_seen)
                return cnnc_json_fail(j, "__metadata__ comes twice");
            metadata_seen |= is_metadata;
            if ((is_metadata ? parse_metadata(r) : parse_tensor(r, name)) != CNNC_OK)
                return CNNC_FAILED;
        } while (cnnc_json_accept(j, ','));
        if (cnnc_json_expect(j, '}') != CNNC_OK)
            return CNNC_FAILED;
    }
    cnnc_json_space(j);
    return j->p == j->end ? CNNC_OK : cnnc_json_fail(j, "the header goes on after its end");
}

static int by_data(const void *left, const void *right) {
    const cnnc_safetensor *a = left, *b = right;
    uintptr_t p = (uintptr_t)a->array.data, q = (uintptr_t)b->array.data;
    if (p != q)
        return p < q ? -1 : 1;
    int emptiness = (a->array.count > 0) - (b->array.count > 0); /* empty ones first */
    return emptiness ? emptiness : strcmp(a->name, b->name);
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The first name that comes twice, or NULL. names is sorted. */
static const char *repeated(const char **names, int count) {
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 1; i < count; i++)
        if (!strcmp(names[i - 1], names[i]))
            return names[i];
    return NULL;
}

static int check_names(const char *path, const cnnc_safetensor *tensors, int count, const cnnc_metadata *metadata,
                       int metadata_count, cnnc_error *error) {
    int most = count > metadata_count ? count : metadata_count;
    const char **names = malloc(((size_t)most + 1) * sizeof *names);
    if (!names)
        return cnnc_fail_system(error, "%s: no memory for the names", path);
    for (int i = 0; i < count; i++)
        names[i] = tensors[i].name;
    const char *twice = repeated(names, count);
    if (!twice) {
        for (int i = 0; i < metadata_count; i++)
            names[i] = metadata[i].key;
        twice = repeated(names, metadata_count);
    }
    free(names);
    return twice ? cnnc_fail(error, "%s: the name '%s' comes twice", path, twice) : CNNC_OK;
}

/* Sorts the tensors by their data and makes sure that they cover it exactly once. */
static int check_cover(reader *r) {
    cnnc_safetensors *file = r->file;
    size_t end = 0;
    if (file->count)
        qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_data);
    for (int i = 0; i < file->count; i++) {
        const cnnc_array *array = &file->tensors[i].array;
        size_t begin = (size_t)((unsigned char *)array->data - r->data);
        if (begin != end)
            return cnnc_fail(r->json.error, "%s: '%s' begins at byte %zu of the data, the tensor before it ends at %zu",
                             r->json.name, file->tensors[i].name, begin, end);
        end = begin + array->count * cnnc_dtype_size(array->dtype);
    }
    if (end != r->size)
        return cnnc_fail(r->json.error, "%s: the tensors end at byte %zu of the data, which has %zu", r->json.name, end,
                         r->size);
    return check_names(r->json.name, file->tensors, file->count, file->metadata, file->metadata_count, r->json.error);
}

/* The header's length, checked against the file's. */
static int header_length(const unsigned char *bytes, size_t size, const char *name, size_t *length, cnnc_error *error) {
    if (size < 8)
        return cnnc_fail(error, "%s: at byte %zu: the file ends within its first eight bytes", name, size);
    uint64_t declared = 0;
    for (int i = 7; i >= 0; i--)
        declared = declared << 8 | bytes[i];
    if (declared > size - 8 || declared > MAX_HEADER)
        return cnnc_fail(error, "%s: at byte 0: not safetensors: a header of %ju bytes in a file of %zu", name,
                         (uintmax_t)declared, size);
    *length = (size_t)declared;
    return CNNC_OK;
}

/* Parses bytes, which it owns from now on. */
static int parse(unsigned char *bytes, size_t size, const char *name, cnnc_safetensors *file, cnnc_error *error) {
    size_t length = 0;
    *file = (cnnc_safetensors){0};
    body *b = calloc(1, sizeof *b);
    if (!b) {
        free(bytes);
        return cnnc_fail_system(error, "%s: no memory", name);
    }
    file->memory = b;
    b->bytes = bytes;
    int result = header_length(bytes, size, name, &length, error);
    if (result == CNNC_OK && !(b->text = malloc(length + 1)))
        result = cnnc_fail_system(error, "%s: no memory for its header", name);
    if (result == CNNC_OK) {
        reader r = {.file = file, .data = bytes + 8 + length, .size = size - 8 - length};
        r.json = (cnnc_json){bytes, bytes + 8, bytes + 8 + length, b->text, name, error};
        result = parse_header(&r);
        if (result == CNNC_OK)
            result = check_cover(&r);
    }
    if (result != CNNC_OK) {
        cnnc_safetensors_free(file);
        return result;
    }
    for (int i = 0; i < file->count; i++)
        cnnc_reorder(CNNC_LITTLE_ENDIAN, file->tensors[i].array.data, file->tensors[i].array.count,
                     cnnc_dtype_size(file->tensors[i].array.dtype));
    return CNNC_OK;
}

int cnnc_safetensors_parse(const void *bytes, size_t size, const char *name, cnnc_safetensors *file, cnnc_error *error) {
    *file = (cnnc_safetensors){0};
    unsigned char *copy = malloc(size + 1);
    if (!copy)
        return cnnc_fail_system(error, "%s: no memory for %zu bytes", name, size);
    if (size)
        memcpy(copy, bytes, size);
    return parse(copy, size, name, file, error);
}

int cnnc_safetensors_read(const char *path, cnnc_safetensors *file, cnnc_error *error) {
    *file = (cnnc_safetensors){0};
    unsigned char *bytes;
    size_t size;
    if (cnnc_file_bytes(path, &bytes, &size, error) != CNNC_OK)
        return CNNC_FAILED;
    return parse(bytes, size, path, file, error);
}

void cnnc_safetensors_free(cnnc_safetensors *file) {
    if (!file)
        return;
    body *b = file->memory;
    if (b) {
        free(b->bytes);
        free(b->text);
        free(b);
    }
    free(file->tensors);
    free(file->metadata);
    *file = (cnnc_safetensors){0};
}

const char *cnnc_metadata_of(const cnnc_safetensors *file, const char *key) {
    for (int i = 0; i < file->metadata_count; i++)
        if (!strcmp(file->metadata[i].key, key))
            return file->metadata[i].value;
    return "";
}

const cnnc_safetensor *cnnc_safetensors_find(const cnnc_safetensors *file, const char *name) {
    for (int i = 0; i < file->count; i++)
        if (!strcmp(file->tensors[i].name, name))
            return &file->tensors[i];
    return NULL;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int valid_utf8(const char *text) {
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    while (p < end) {
        int length = cnnc_utf8_length(p, end);
        if (!length)
            return 0;
        p += length;
    }
    return 1;
}

static int check_writable(const char *path, const cnnc_safetensor *tensors, int count, const cnnc_metadata *metadata,
                          int metadata_count, cnnc_error *error) {
    for (int i = 0; i < count; i++)
        if (!valid_utf8(tensors[i].name) || !strcmp(tensors[i].name, "__metadata__"))
            return cnnc_fail(error, "%s: '%s' cannot be a tensor's name", path, tensors[i].name);
    for (int i = 0; i < metadata_count; i++)
        if (!valid_utf8(metadata[i].key) || !valid_utf8(metadata[i].value))
            return cnnc_fail(error, "%s: metadata '%s' is not UTF-8", path, metadata[i].key);
    return check_names(path, tensors, count, metadata, metadata_count, error);
}

static void write_header(FILE *out, const cnnc_safetensor *tensors, int count, const cnnc_metadata *metadata,
                         int metadata_count) {
    size_t offset = 0;
    fputc('{', out);
    for (int i = 0; i < metadata_count; i++) {
        fputs(i ? "," : "\"__metadata__\":{", out);
        cnnc_json_write_string(out, metadata[i].key);
        fputc(':', out);
        cnnc_json_write_string(out, metadata[i].value);
    }
    fputs(metadata_count > 0 ? "}" : "", out);
    for (int i = 0; i < count; i++) {
        const cnnc_array *array = &tensors[i].array;
        fputs(i || metadata_count > 0 ? "," : "", out);
        cnnc_json_write_string(out, tensors[i].name);
        fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", type_names[array->dtype]);
        for (int k = 0; k < array->rank; k++)
            fprintf(out, k ? ",%zu" : "%zu", array->shape[k]);
        size_t end = offset + array->count * cnnc_dtype_size(array->dtype);
        fprintf(out, "],\"data_offsets\":[%zu,%zu]}", offset, end);
        offset = end;
    }
    fputc('}', out);
}

int cnnc_safetensors_write(const char *path, const cnnc_safetensor *tensors, int count, const cnnc_metadata *metadata,
                           int metadata_count, cnnc_error *error) {
    if (!metadata)
        metadata_count = 0;
    if (check_writable(path, tensors, count, metadata, metadata_count, error) != CNNC_OK)
        return CNNC_FAILED;
    char *header = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&header, &length);
    if (!memory)
        return cnnc_fail_system(error, "%s: no memory for its header", path);
    write_header(memory, tensors, count, metadata, metadata_count);
    int bad = ferror(memory);
    bad |= fclose(memory) != 0;
    cnnc_output output;
    if (bad || cnnc_output_begin(&output, path, error) != CNNC_OK) {
        free(header);
        return bad ? cnnc_fail_system(error, "%s: no memory for its header", path) : CNNC_FAILED;
    }
    size_t padded = (length + 7) / 8 * 8; /* the tensors begin at a multiple of 8 */
    for (int i = 0; i < 8; i++)
        fputc((int)((uint64_t)padded >> 8 * i & 255), output.stream);
    fwrite(header, 1, length, output.stream);
    for (; length < padded; length++)
        fputc(' ', output.stream);
    free(header);
    for (int i = 0; i < count; i++)
        cnnc_write_elements(output.stream, &tensors[i].array);
    return cnnc_output_commit(&output, error);
}
