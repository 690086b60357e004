/* npz.c: NumPy's .npz, a ZIP archive of .npy files, as np.savez and np.savez_compressed write it. Unpacking is libzip's.
 *
 * Which arrays are read: x_train and y_train, or x_test and y_test, as the split is; else x and y; else arr_0, arr_1 ...,
 * the names that np.savez gives itself: inputs, then targets. X_train is x_train. Where a network takes weights of examples, they are
 * sample_weight or w beside x and y. What an array is to unpack to has to be within deflate's reach (1032 to 1) before memory for it is taken.
 */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

static int recognise(const cnnc_file *file) {
    return file->size >= 4 && (!memcmp(file->bytes, "PK\3\4", 4) || !memcmp(file->bytes, "PK\5\6", 4)); /* the second: of nothing */
}

#ifdef CNNC_LIBZIP
#include <zip.h>

/* The first whose x is there for any split. */
static const struct pair {
    const char *x[2], *y[2], *weight[2], *w[2]; /* for the splits train, test */
} pairs[] = {
    {{"x_train", "x_test"}, {"y_train", "y_test"}, {"sample_weight_train", "sample_weight_test"}, {"w_train", "w_test"}},
    {{"x", "x"}, {"y", "y"}, {"sample_weight", "sample_weight"}, {"w", "w"}},
};

enum { PAIRS = sizeof pairs / sizeof *pairs, MOST_NAME = 200 };

typedef struct archive {
    zip_t *zip;
    const cnnc_file *file;
    cnnc_parts *parts;
    cnnc_error *error;
} archive;

static int failed(const archive *a, const char *member, zip_error_t *why) {
    const char *slash = *member ? "/" : "", *text = zip_error_strerror(why);
    if (zip_error_code_zip(why) == ZIP_ER_MEMORY)
        return cnnc_fail_system(a->error, "%s%s%s: %s", a->file->path, slash, member, text);
    return cnnc_fail(a->error, "%s%s%s: damaged archive: %s", a->file->path, slash, member, text);
}

static int open_archive(archive *a) {
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(a->file->bytes, a->file->size, 0, &why);
    a->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
    if (source && !a->zip)
        zip_source_free(source);
    int result = a->zip ? CNNC_OK : failed(a, "", &why);
    zip_error_fini(&why);
    return result;
}

/* The place of an array in the archive, of that name or else of that name in other letters, X_train say; negative: it is not there. */
static zip_int64_t locate(const archive *a, const char *key) {
    char member[MOST_NAME];
    snprintf(member, sizeof member, "%s.npy", key);
    zip_int64_t at = zip_name_locate(a->zip, member, 0);
    return at >= 0 ? at : zip_name_locate(a->zip, member, ZIP_FL_NOCASE);
}

/* Whether a member can be unpacked, and to what the archive says, before memory for it is asked for. */
static int check_member(const archive *a, zip_uint64_t at, const char *name, zip_stat_t *s) {
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    int known = zip_stat_index(a->zip, at, 0, s) == 0 && (s->valid & needed) == needed;
    if (!known || s->encryption_method != ZIP_EM_NONE)
        return cnnc_fail(a->error, "%s/%s: %s", a->file->path, name, known ? "is encrypted" : "has no whole entry in the archive's directory");
    if (s->comp_method != ZIP_CM_STORE && s->comp_method != ZIP_CM_DEFLATE)
        return cnnc_fail(a->error, "%s/%s: is packed by method %d, not by deflate as NumPy does", a->file->path, name, s->comp_method);
    if (s->comp_size > a->file->size)
        return cnnc_fail(a->error, "%s/%s: takes %ju bytes, but the archive has %zu", a->file->path, name, (uintmax_t)s->comp_size, a->file->size);
    zip_uint64_t most = s->comp_method == ZIP_CM_STORE ? s->comp_size : s->comp_size * CNNC_DEFLATE_RATIO;
    if (s->size > most || s->size > SIZE_MAX / 2)
        return cnnc_fail(a->error, "%s/%s: unpacks to %ju bytes, as the archive says, but its %ju bytes cannot hold more than %ju", a->file->path,
                         name, (uintmax_t)s->size, (uintmax_t)s->comp_size, (uintmax_t)most);
    return CNNC_OK;
}

/* All bytes of a member. One more is asked for: only then the checksum is looked at. */
static int unpack(const archive *a, zip_uint64_t at, const char *name, unsigned char *bytes, size_t size) {
    zip_file_t *member = zip_fopen_index(a->zip, at, 0);
    if (!member)
        return failed(a, name, zip_get_error(a->zip));
    size_t done = 0;
    zip_int64_t got = 1;
    unsigned char more;
    while (done < size && (got = zip_fread(member, bytes + done, size - done)) > 0)
        done += (size_t)got;
    if (got > 0 || !size)
        got = zip_fread(member, &more, 1);
    int result = CNNC_OK;
    if (got < 0)
        result = failed(a, name, zip_file_get_error(member));
    else if (got > 0 || done < size)
        result = cnnc_fail(a->error, "%s/%s: unpacks to %s than the %zu bytes that the archive says", a->file->path, name, got > 0 ? "more" : "less", size);
    zip_fclose(member);
    return result;
}

static int add_member(archive *a, zip_uint64_t at) {
    const char *member = zip_get_name(a->zip, at, 0);
    char name[MOST_NAME];
    zip_stat_t s;
    snprintf(name, sizeof name, "%s", member ? member : "");
    if (check_member(a, at, name, &s) != CNNC_OK)
        return CNNC_FAILED;
    size_t size = (size_t)s.size, length = strlen(a->file->path) + sizeof name + 1;
    unsigned char *bytes = cnnc_allocate(size);
    char *path = malloc(length);
    cnnc_array array = {0};
    int result = bytes && path ? CNNC_OK : cnnc_fail_system(a->error, "%s/%s: no memory for %zu bytes", a->file->path, name, size);
    if (result == CNNC_OK)
        result = unpack(a, at, name, bytes, size);
    if (result == CNNC_OK) {
        snprintf(path, length, "%s/%s", a->file->path, name);
        result = cnnc_npy_parse(bytes, size, path, &array, a->error);
    }
    if (result == CNNC_OK) {
        cnnc_origin origin = {.path = a->file->path, .member = name, .step = cnnc_example_bytes(&array)};
        origin.first = size - array.count * cnnc_dtype_size(array.dtype);
        result = cnnc_parts_add(a->parts, &array, origin, a->error);
    }
    free(path);
    free(bytes);
    return result;
}

static int nothing_found(const archive *a) {
    char text[200] = "";
    zip_int64_t count = zip_get_num_entries(a->zip, 0);
    for (zip_int64_t i = 0; i < count && strlen(text) + 1 < sizeof text; i++) {
        const char *name = zip_get_name(a->zip, (zip_uint64_t)i, 0);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? ", " : "", name ? name : "?");
    }
    return cnnc_fail(a->error, "%s: has none of the arrays x_train, x_test, x and arr_0; it holds %s", a->file->path, *text ? text : "nothing");
}

/* How much each example counts. */
static int read_weight(archive *a, const struct pair *pair, int split) {
    zip_int64_t w = locate(a, pair->weight[split]);
    if (w < 0)
        w = locate(a, pair->w[split]);
    if (w < 0)
        return cnnc_fail(a->error, "%s: has neither %s nor %s", a->file->path, pair->weight[split], pair->w[split]);
    return add_member(a, (zip_uint64_t)w);
}

static int read_pair(archive *a, const struct pair *pair, const cnnc_request *request) {
    int split = strcmp(request->split, "train") != 0;
    int weighted = request->inputs == 1 && request->targets == 2 && !strcmp(request->network->targets[1].name, "sample_weight");
    if (!weighted && cnnc_request_pair(request, a->file->path, "an archive with x and y has an input and a target", a->error) != CNNC_OK)
        return CNNC_FAILED;
    zip_int64_t x = locate(a, pair->x[split]), y = locate(a, pair->y[split]);
    if (x < 0)
        return cnnc_fail(a->error, "%s: has %s, but no %s", a->file->path, pair->x[!split], pair->x[split]);
    int result = add_member(a, (zip_uint64_t)x);
    if (result == CNNC_OK && request->targets && y >= 0)
        result = add_member(a, (zip_uint64_t)y);
    return result == CNNC_OK && weighted ? read_weight(a, pair, split) : result;
}

/* arr_0, arr_1 ...: as many as the network takes and there are. */
static int read_numbered(archive *a, const cnnc_request *request) {
    int result = CNNC_OK;
    for (int i = 0; i < request->inputs + request->targets && result == CNNC_OK; i++) {
        char key[32];
        snprintf(key, sizeof key, "arr_%d", i);
        zip_int64_t at = locate(a, key);
        if (at < 0 && !i)
            return nothing_found(a);
        if (at < 0)
            break;
        result = add_member(a, (zip_uint64_t)at);
    }
    return result;
}

static int read_arrays(archive *a, const cnnc_request *request) {
    zip_int64_t count = zip_get_num_entries(a->zip, 0);
    if (request->single && count != 1)
        return cnnc_fail(a->error, "%s: holds %jd arrays, here one is wanted", a->file->path, (intmax_t)count);
    if (request->single)
        return add_member(a, 0);
    for (int i = 0; i < PAIRS; i++)
        if (locate(a, pairs[i].x[0]) >= 0 || locate(a, pairs[i].x[1]) >= 0)
            return read_pair(a, &pairs[i], request);
    return read_numbered(a, request);
}

static int read_file(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    archive a = {.file = file, .parts = parts, .error = error};
    if (open_archive(&a) != CNNC_OK)
        return CNNC_FAILED;
    int result = read_arrays(&a, request);
    zip_discard(a.zip);
    return result;
}

static int has_test(const cnnc_file *file, int *has, cnnc_error *error) {
    archive a = {.file = file, .error = error};
    if (open_archive(&a) != CNNC_OK)
        return CNNC_FAILED;
    *has = locate(&a, pairs[0].x[1]) >= 0;
    zip_discard(a.zip);
    return CNNC_OK;
}

#else

static int read_file(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    (void)request;
    (void)parts;
    return cnnc_fail(error, "%s: is a ZIP archive, and this program was built without libzip: save each array by np.save, and name the files with a comma between",
                     file->path);
}

static int has_test(const cnnc_file *file, int *has, cnnc_error *error) {
    *has = 0;
    return read_file(file, NULL, NULL, error);
}

#endif

const cnnc_format cnnc_format_npz = {recognise, read_file, has_test};
