/* CIFAR-10 and CIFAR-100: after the first byte, which says which. Few bytes are made to many, for records are long. */
#include "fuzz_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t records[3 * 3074];
    if (size < 4) return -1;
    size_t length = ((size_t)data[1] << 8 | data[2]) % sizeof records; /* any length */
    if (data[0] & 2) length = (size_t)(data[1] % 4) * (data[0] & 1 ? 3074 : 3073); /* or that of records */
    for (size_t i = 0; i < length; i++) records[i] = data[3 + i % (size - 3)];
    uint8_t *exact = malloc(length + !length); /* in memory of just its size */
    REQUIRE(exact);
    memcpy(exact, records, length);
    int result = fuzz_file(data[0] & 1 ? &cnnc_format_cifar100 : &cnnc_format_cifar10, "a.bin", exact, length, 0, NULL);
    free(exact);
    return result;
}
