/* CSV: after the first byte, which says how the file is asked for. */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const columns[] = {NULL, NULL, "a", "b:c"};
    if (size < 1) return -1;
    return fuzz_file(&cnnc_format_csv, "a.csv", data + 1, size - 1, data[0] % 4 == 1, columns[data[0] % 4]);
}
