/* IDX, plain or gzipped as its first bytes say. */
#include "fuzz_array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_array(cnnc_idx_parse, data, size); }
