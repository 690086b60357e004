/* As much of string.h as predictions need, for WebAssembly without a C library. */
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
