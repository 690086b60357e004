/* NumPy's .npy. */
#include "fuzz_array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_array(cnnc_npy_parse, data, size); }
