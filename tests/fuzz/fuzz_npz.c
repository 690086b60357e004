/* .npz: the first byte says whether the input is an archive, or what an archive of two arrays is made of, whose checksums are
 * then right, and where to damage that. */
#include "fuzz_file.h"

#include <string.h>
#include <zip.h>

static uint8_t archive[1 << 16];

/* An archive with x.npy, of the first half, and y.npy; its length. */
static size_t pack(const uint8_t *data, size_t size, int method) {
    static const char *const names[] = {"x.npy", "y.npy"};
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *whole = zip_source_buffer_create(NULL, 0, 0, &why);
    REQUIRE(whole);
    zip_t *zip = zip_open_from_source(whole, ZIP_CREATE | ZIP_TRUNCATE, &why);
    REQUIRE(zip);
    zip_source_keep(whole);
    for (int i = 0; i < 2; i++) {
        zip_source_t *half = zip_source_buffer(zip, data + (i ? size / 2 : 0), i ? size - size / 2 : size / 2, 0);
        zip_int64_t at = zip_file_add(zip, names[i], half, ZIP_FL_OVERWRITE);
        REQUIRE(at >= 0);
        zip_set_file_compression(zip, (zip_uint64_t)at, method ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 1);
    }
    REQUIRE(!zip_close(zip) && !zip_source_open(whole));
    zip_int64_t length = zip_source_read(whole, archive, sizeof archive);
    zip_source_close(whole);
    zip_source_free(whole);
    zip_error_fini(&why);
    REQUIRE(length > 0);
    return (size_t)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 8 || size > 1 << 14) return -1;
    if (!(data[0] & 1)) return fuzz_file(&cnnc_format_npz, "a.npz", data + 1, size - 1, data[0] & 2, NULL);
    size_t length = pack(data + 4, size - 4, data[0] & 2), at = (size_t)data[1] << 8 | data[2];
    if (data[0] & 4) archive[at % length] ^= (uint8_t)(1 << (data[0] >> 5));
    if (data[0] & 8) archive[length - 1 - at % (length < 150 ? length : 150)] = data[3]; /* in the directory */
    if (data[0] & 16) length -= at % length;
    uint8_t *exact = malloc(length); /* in memory of just its size */
    REQUIRE(exact);
    memcpy(exact, archive, length);
    int result = fuzz_file(&cnnc_format_npz, "a.npz", exact, length, 0, NULL);
    free(exact);
    return result;
}
