/* Gzipped IDX whose outside is right: the input is what has been compressed, and where to damage that. A checksum is hard to
 * guess: without this hardly an input would come as far as the end. */
#include "fuzz_array.h"

#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t gz[1 << 16];
    if (size < 4 || size > 1 << 15) return -1;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)(data + 4), .avail_in = (uInt)(size - 4), .next_out = gz, .avail_out = sizeof gz - 16};
    if (deflateInit2(&stream, data[0] % 10, Z_DEFLATED, 15 + 16, 8, data[0] % 3) != Z_OK) return -1;
    int status = deflate(&stream, Z_FINISH);
    size_t length = stream.total_out;
    deflateEnd(&stream);
    if (status != Z_STREAM_END) return -1;
    if (data[1] & 1) gz[(data[2] << 8 | data[3]) % length] ^= (uint8_t)(1 << (data[1] >> 5));
    if (data[1] & 2) length -= (data[2] << 8 | data[3]) % length;
    if (data[1] & 4) memset(gz + length, data[3], data[2] % 16), length += data[2] % 16;
    uint8_t *exact = malloc(length); /* in memory of just its size */
    REQUIRE(exact);
    memcpy(exact, gz, length);
    fuzz_array(cnnc_idx_parse, exact, length);
    free(exact);
    return 0;
}
