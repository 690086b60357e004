/* test_import.h: cnnc-import as a command, for test_import, test_import_keras and test_import_hostile. */
#ifndef TEST_IMPORT_H
#define TEST_IMPORT_H
#include "test_processes.h"

#include <sys/resource.h>

#define MODELS CNNC_SOURCE_DIR "/tests/import"

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

/* What the last import_file took, with the processes it began. */
static long import_kilobytes; /* of memory, at most */
static double import_seconds; /* of processors */

/* Runs cnnc-import FILE -o o.net --weights o.safetensors OPTIONS in the folder; what it says. *status: as wait has it. */
static char *import_file(const char *file, const char *option, int *status) {
    char *said = in_folder("said");
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        int out = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
        alarm(60);
        setenv("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0", 1); /* what libhdf5 does on damaged files is a crash then, too */
        execl(CNNC_IMPORT_COMMAND, "cnnc-import", file, "-o", in_folder("o.net"), "--weights", in_folder("o.safetensors"), option, (char *)NULL);
        _exit(127);
    }
    struct rusage usage;
    assert_int_equal(wait4(pid, status, 0, &usage), pid);
    import_kilobytes = usage.ru_maxrss;
    import_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return file_text(said, NULL);
}

MAYBE_UNUSED static bool is_there(const char *name) { return !access(in_folder(name), F_OK); }

static void remove_outputs(void) {
    unlink(in_folder("o.net"));
    unlink(in_folder("o.safetensors"));
}

#endif
