/* sweep.h: what the sweeps of test_faults.c and test_faults_commands.c count and complain about. */
#ifndef SWEEP_H
#define SWEEP_H

#include "../test_runtime.h"

#include <dirent.h>
#include <stdbool.h>

#include "faults.h"

enum { N = 30 };

static cnnc_error why;
static long injected, bad, silent; /* silent: faults after which everything was as without them */

__attribute__((format(printf, 4, 5))) static void complain(const char *what, Fault fault, long n, const char *format, ...) {
    static const char *const names[] = {"none", "memory", "error", "short", "signal", "end", "kill", "kill half"};
    va_list arguments;
    va_start(arguments, format);
    bad++;
    print_error("%s, %s at call %ld (%s): ", what, names[fault], n, fault_call());
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    print_error("%s\n", text);
    va_end(arguments);
}

/* Files of the folder whose names end so. */
static int files_ending(const char *ending) {
    int n = 0;
    DIR *folder = opendir(test_folder);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        size_t length = strlen(e->d_name), tail = strlen(ending);
        n += length >= tail && !strcmp(e->d_name + length - tail, ending);
    }
    closedir(folder);
    return n;
}

static cnnc_array array_of(float *numbers, size_t columns) {
    return (cnnc_array){.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {N, columns}, .count = N * columns, .data = numbers};
}

/* Calls after whose failure nothing has been written. */
static bool must_tell(Fault fault, const char *call) { return fault == FAULT_ERROR && (!strcmp(call, "write") || !strcmp(call, "fsync") || !strcmp(call, "rename")); }

static void report(const char *what) {
    print_message("%s: %ld faults injected, %ld made no difference, %ld bad outcomes\n", what, injected, silent, bad);
    long outcome = bad, count = injected;
    injected = bad = silent = 0;
    assert_true(count > 0);
    assert_int_equal(outcome, 0);
}

#endif
