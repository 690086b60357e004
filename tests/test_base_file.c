/* test_base_file.c: what compiler/base/file.c promises: files are read whole, and written whole or not at all. test_faults.c
 * has calls that fail.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cnnc.h"

typedef struct Folder { Arena *arena; char path[64]; } Folder;

static int make_folder(void **state) {
    Folder *folder = calloc(1, sizeof *folder);
    folder->arena = arena_new();
    strcpy(folder->path, "/tmp/cnnc-test-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_folder(void **state) {
    Folder *folder = *state;
    DIR *dir = opendir(folder->path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlink(arena_printf(folder->arena, "%s/%s", folder->path, entry->d_name));
    if (dir) closedir(dir);
    int failed = rmdir(folder->path);
    arena_free(folder->arena);
    free(folder);
    return failed;
}

static char *path_in(Folder *folder, const char *name) {
    return arena_printf(folder->arena, "%s/%s", folder->path, name);
}

static int files_in(Folder *folder) {
    int n = 0;
    DIR *dir = opendir(folder->path);
    for (struct dirent *entry; (entry = readdir(dir));) n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(dir);
    return n;
}

static void assert_file(Folder *folder, const char *path, const char *expected, size_t expected_length) {
    char *text = NULL;
    size_t length = 0;
    errno = EINTR; /* of a call long before */
    assert_null(read_file(folder->arena, path, &text, &length));
    assert_int_equal(length, expected_length);
    assert_memory_equal(text, expected, length + 1);
}

static void written_is_read(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c");
    assert_null(write_file(folder->arena, path, "one\0two\n", 8));
    assert_file(folder, path, "one\0two\n", 8);
    assert_null(write_file(folder->arena, path, "", 0));
    assert_file(folder, path, "", 0);
    assert_int_equal(files_in(folder), 1);
}

static void large_files_are_whole(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c");
    size_t length = 3 * 65536 + 17;
    char *text = arena_alloc(folder->arena, length + 1);
    for (size_t i = 0; i < length; i++) text[i] = (char)(i * 7 + i / 251);
    assert_null(write_file(folder->arena, path, text, length));
    assert_file(folder, path, text, length);
}

static void set_old(const char *path) {
    const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_old(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mtime == 1000000;
}

static void unchanged_contents_keep_the_time(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c");
    assert_null(write_file(folder->arena, path, "text", 4));
    set_old(path);
    assert_null(write_file(folder->arena, path, "text", 4));
    assert_true(is_old(path));
    static const char *const others[] = {"texT", "tex", "text!", ""};
    for (int i = 0; i < LENGTH(others); i++) {
        assert_null(write_file(folder->arena, path, "text", 4));
        set_old(path);
        assert_null(write_file(folder->arena, path, others[i], strlen(others[i])));
        assert_false(is_old(path));
        assert_file(folder, path, others[i], strlen(others[i]));
    }
}

static void permissions_are_kept(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c");
    struct stat status;
    assert_null(write_file(folder->arena, path, "1", 1));
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(write_file(folder->arena, path, "2", 1));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void a_link_stays_a_link(void **state) {
    Folder *folder = *state;
    char *file = path_in(folder, "a.c"), *link = path_in(folder, "link.c");
    struct stat status;
    assert_null(write_file(folder->arena, file, "1", 1));
    assert_int_equal(symlink(file, link), 0);
    assert_null(write_file(folder->arena, link, "2", 1));
    assert_file(folder, file, "2", 1);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void devices_are_written_to(void **state) {
    Folder *folder = *state;
    struct stat status;
    assert_null(write_file(folder->arena, "/dev/null", "text", 4));
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    const char *message = write_file(folder->arena, "/dev/full", "text", 4);
    assert_string_equal(message, "cannot write /dev/full: No space left on device");
}

static void a_failed_write_leaves_nothing(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c"), *text = arena_alloc(folder->arena, 100000);
    struct rlimit old, small;
    assert_null(write_file(folder->arena, path, "old", 3));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const char *message = write_file(folder->arena, path, text, 100000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(message);
    assert_file(folder, path, "old", 3);
    assert_int_equal(files_in(folder), 1);
}

static void unreachable_targets_are_reported(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "none/a.c");
    const char *message = write_file(folder->arena, path, "1", 1);
    assert_string_equal(message, arena_printf(folder->arena, "cannot write %s: No such file or directory", path));
    message = write_file(folder->arena, folder->path, "1", 1);
    assert_string_equal(message, arena_printf(folder->arena, "cannot write %s: Is a directory", folder->path));
    assert_int_equal(files_in(folder), 0);
}

/* What may not be written is not replaced either, though its folder would allow it. */
static void protected_files_stay(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c");
    bool privileged = !geteuid(); /* access() goes by the real user, all else by the effective one */
    assert_null(write_file(folder->arena, path, "old", 3));
    assert_int_equal(chmod(path, 0444), 0);
    if (privileged) assert_int_equal(setreuid(65534, 0), 0);
    const char *message = write_file(folder->arena, path, "new", 3);
    if (privileged) assert_int_equal(setreuid(0, 0), 0);
    assert_string_equal(message, arena_printf(folder->arena, "cannot write %s: Permission denied", path));
    assert_file(folder, path, "old", 3);
    assert_int_equal(files_in(folder), 1);
}

/* Planted under the names of temporary files, links too. */
static void names_that_are_taken_are_left_alone(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.c"), *precious = path_in(folder, "precious");
    assert_null(write_file(folder->arena, precious, "p", 1));
    for (int free = 99; free <= 100; free++) { /* the last name is free; none is */
        for (int i = 0; i < free; i++) {
            const char *taken = arena_printf(folder->arena, "%s/.cnnc-%ld-%d.tmp", folder->path, (long)getpid(), i);
            if (symlink(precious, taken)) assert_int_equal(errno, EEXIST);
        }
        const char *message = write_file(folder->arena, path, free < 100 ? "1" : "2", 1);
        if (free < 100) assert_null(message);
        else assert_string_equal(message, arena_printf(folder->arena, "cannot write %s: File exists", path));
        assert_file(folder, path, "1", 1);
    }
    assert_file(folder, precious, "p", 1);
    assert_int_equal(files_in(folder), 102);
}

static void the_same_file(void **state) {
    Folder *folder = *state;
    char *a = path_in(folder, "a"), *b = path_in(folder, "b"), *link = path_in(folder, "link"), *none = path_in(folder, "none");
    assert_null(write_file(folder->arena, a, "1", 1));
    assert_null(write_file(folder->arena, b, "1", 1));
    assert_int_equal(symlink(a, link), 0);
    const struct { const char *a, *b; bool same; } cases[] = {
        {a, a, true}, {a, link, true}, {a, b, false}, {a, none, false}, {none, a, false}, {a, "/proc/self/status", false},
        {"/dev/null", "/dev/null", false}, {a, folder->path, false},
        {none, none, true}, {none, path_in(folder, "./none"), true}, {none, path_in(folder, "other"), false},
        {none, "/tmp/none", false}, {none, "/proc/none", false}, {"cnnc_none", "./cnnc_none", true}, {"cnnc_none", "/proc/cnnc_none", false},
        {path_in(folder, "no/none"), none, false}, {none, path_in(folder, "no/none"), false},
    };
    for (int i = 0; i < LENGTH(cases); i++)
        if (same_file(cases[i].a, cases[i].b) != cases[i].same) fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void texts_end_at_16_MiB(void **state) {
    Folder *folder = *state;
    char *path = path_in(folder, "a.net"), *text;
    size_t length;
    assert_null(write_file(folder->arena, path, "", 0));
    assert_int_equal(truncate(path, 16 << 20), 0);
    assert_null(read_file(folder->arena, path, &text, &length));
    assert_int_equal(length, 16 << 20);
    assert_int_equal(truncate(path, (16 << 20) + 1), 0);
    assert_string_equal(read_file(folder->arena, path, &text, &length), arena_printf(folder->arena, "cannot read %s: it is larger than 16 MiB", path));
}

static void unreadable_sources_are_reported(void **state) {
    Folder *folder = *state;
    char *text = NULL, *path = path_in(folder, "fifo");
    size_t length;
    assert_int_equal(mkfifo(path, 0600), 0);
    const char *const paths[] = {path_in(folder, "none"), folder->path, path, "/dev/zero"};
    const char *const why[] = {"No such file or directory", "it is a folder", "it is not a regular file",
                               "it is not a regular file"};
    for (int i = 0; i < LENGTH(paths); i++) {
        const char *message = read_file(folder->arena, paths[i], &text, &length);
        assert_string_equal(message, arena_printf(folder->arena, "cannot read %s: %s", paths[i], why[i]));
        assert_null(text);
    }
}

static void dash_is_standard_input(void **state) {
    Folder *folder = *state;
    int ends[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_file(folder, "-", "from a pipe", 11);
    assert_file(folder, "-", "from a pipe", 11); /* again, though the pipe is empty */
    dup2(saved, STDIN_FILENO);
    close(saved);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(written_is_read),
        WITH_FOLDER(large_files_are_whole),
        WITH_FOLDER(unchanged_contents_keep_the_time),
        WITH_FOLDER(permissions_are_kept),
        WITH_FOLDER(a_link_stays_a_link),
        WITH_FOLDER(devices_are_written_to),
        WITH_FOLDER(a_failed_write_leaves_nothing),
        WITH_FOLDER(unreachable_targets_are_reported),
        WITH_FOLDER(protected_files_stay),
        WITH_FOLDER(names_that_are_taken_are_left_alone),
        WITH_FOLDER(the_same_file),
        WITH_FOLDER(texts_end_at_16_MiB),
        WITH_FOLDER(unreadable_sources_are_reported),
        WITH_FOLDER(dash_is_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
