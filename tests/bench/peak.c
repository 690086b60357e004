/* peak.c: how many FLOPs a second the processors can do: fused multiply-adds in registers, single precision.
 *
 *     peak THREADS
 *
 * Says {"manner": WIDTH}, then answers each line of standard input with {"gflops": ...} of all threads together.
 * x86-64 with AVX-512 or AVX2, both tried where both are there; elsewhere what the compiler makes of 16-byte vectors. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 12, STEPS = 20 * 1000 * 1000 }; /* chains: above latency times units, below the registers of AVX2 */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The empty asm keeps each chain in a register and the compiler from computing ahead. */
#ifdef __x86_64__
#define IN_REGISTER "+v"
#else
#define IN_REGISTER "+w"
#endif
#define MULTIPLY_ADDS(NAME, BYTES, TARGET)                                                            \
    typedef float NAME##_vector __attribute__((vector_size(BYTES)));                                  \
    TARGET static double NAME(void)                                                                   \
    {                                                                                                 \
        NAME##_vector a0 = {0}, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;                          \
        NAME##_vector a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;                         \
        NAME##_vector x = a0 + 0.5f, y = a0 + 0.25f;                                                  \
        for (int i = 0; i < STEPS; i++) {                                                             \
            __asm__ volatile("" : IN_REGISTER(x), IN_REGISTER(y));                                    \
            a0 = a0 * x + y, a1 = a1 * x + y, a2 = a2 * x + y, a3 = a3 * x + y;                       \
            a4 = a4 * x + y, a5 = a5 * x + y, a6 = a6 * x + y, a7 = a7 * x + y;                       \
            a8 = a8 * x + y, a9 = a9 * x + y, a10 = a10 * x + y, a11 = a11 * x + y;                   \
            __asm__ volatile("" : IN_REGISTER(a0), IN_REGISTER(a1), IN_REGISTER(a2), IN_REGISTER(a3)); \
            __asm__ volatile("" : IN_REGISTER(a4), IN_REGISTER(a5), IN_REGISTER(a6), IN_REGISTER(a7)); \
            __asm__ volatile("" : IN_REGISTER(a8), IN_REGISTER(a9), IN_REGISTER(a10), IN_REGISTER(a11)); \
        }                                                                                             \
        return 2.0 * CHAINS * (BYTES / 4) * STEPS;                                                    \
    }

typedef double work(void); /* does FLOPs and says how many */

#ifdef __x86_64__
MULTIPLY_ADDS(avx512, 64, __attribute__((target("avx512f,fma"))))
MULTIPLY_ADDS(avx2, 32, __attribute__((target("avx2,fma"))))
#else
MULTIPLY_ADDS(vec16, 16, )
#endif

static int supported(work **works)
{
    int n = 0;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) works[n++] = avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) works[n++] = avx2;
#else
    works[n++] = vec16;
#endif
    return n;
}

static void *run(void *to_run)
{
    (*(work **)to_run)();
    return NULL;
}

static double gflops(work *todo, int threads)
{
    pthread_t others[1024];
    double start = seconds();
    for (int i = 1; i < threads; i++)
        if (pthread_create(&others[i], NULL, run, &todo)) abort();
    double flops = todo();
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
    return 1e-9 * flops * threads / (seconds() - start);
}

int main(int argc, char **argv)
{
    work *works[2];
    int count = supported(works), threads = argc > 1 ? atoi(argv[1]) : 1;
    char line[256];

    if (count < 1 || threads < 1 || threads > 1024)
        return fprintf(stderr, "peak: no multiply-adds, or not 1 to 1024 threads\n"), EXIT_FAILURE;
    printf("{\"manner\": \"FMA peak\"}\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double best = 0;
        for (int i = 0; i < count; i++) {
            double one = gflops(works[i], threads);
            if (one > best) best = one;
        }
        printf("{\"gflops\": %.3f}\n", best);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
