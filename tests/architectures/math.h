/* As much of math.h as generated code speaks of, for WebAssembly without a C library; the network uses expf. */
float expf(float x);
float fabsf(float x);
float logf(float x);
float sqrtf(float x);
float tanhf(float x);
