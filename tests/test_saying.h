/* test_saying.h: what functions say on standard error, for tests that call them. */
#ifndef TEST_SAYING_H
#define TEST_SAYING_H
#include "test_processes.h"

static FILE *said_file; /* of make_saying */
static int old_stderr;

/* Where what is said will be; a group's setup, with the folder. */
static int make_saying(void **state) {
    said_file = tmpfile();
    return !said_file || make_folder(state);
}

static void begin_saying(void) {
    fflush(stderr);
    rewind(said_file);
    assert_int_equal(ftruncate(fileno(said_file), 0), 0);
    old_stderr = dup(STDERR_FILENO);
    dup2(fileno(said_file), STDERR_FILENO);
}

/* What was said since, on one line, without the file's name. */
static void end_saying(char *to, size_t size, const char *file) {
    fflush(stderr);
    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    lseek(fileno(said_file), 0, SEEK_SET);
    ssize_t n = read(fileno(said_file), to, size - 1);
    to[n > 0 ? n : 0] = 0;
    char *line = strchr(to, '\n'), *name = strstr(to, file);
    if (line) *line = 0;
    if (name == to) memmove(to, to + strlen(file) + 2, strlen(to + strlen(file) + 2) + 1);
}
#endif
