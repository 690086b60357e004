/* fuzz.h: what fuzzers share. A fuzzer is a file fuzz_NAME.c with one function, LLVMFuzzerTestOneInput; if there is NAME.dict,
 * it has the words of the format. What it is to begin with are files in folders: see run.sh. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define REQUIRE(condition)                                                                                             \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), abort()))

/* A message is there, on one line, and safe to show. */
static inline void require_message(const char *text) {
    REQUIRE(*text);
    for (const char *c = text; *c; c++) REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f);
}

enum { SCRATCH = 512 };
/* Where this process may have a file, in TMPDIR: a disk would be waited for. */
static inline const char *scratch(char path[SCRATCH], const char *extension) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, SCRATCH, "%s/cnnc_fuzz_%ld.%s", folder ? folder : "/tmp", (long)getpid(), extension);
    return path;
}

#endif
