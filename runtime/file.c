/* file.c: whole files, read into memory or written so that they appear whole or not at all. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int descriptor, const char *path, unsigned char *bytes, size_t size, cnnc_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t got = read(descriptor, bytes + done, size - done < 1u << 30 ? size - done : 1u << 30);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cnnc_fail_system(error, "%s: at byte %zu: %s", path, done, strerror(errno));
        if (got == 0)
            return cnnc_fail_system(error, "%s: at byte %zu: the file ends here, but it had %zu bytes", path, done, size);
        done += (size_t)got;
    }
    bytes[size] = 0;
    return CNNC_OK;
}

int cnnc_file_first_bytes(const char *path, size_t most, unsigned char **bytes, size_t *size, cnnc_error *error) {
    *bytes = NULL;
    *size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not to hang on a FIFO */
    if (descriptor < 0)
        return cnnc_fail_system(error, "%s: %s", path, strerror(errno));
    struct stat status;
    int result = CNNC_OK;
    if (fstat(descriptor, &status) != 0)
        result = cnnc_fail_system(error, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        result = cnnc_fail_system(error, "%s: not a regular file", path);
    uintmax_t length = result == CNNC_OK && (uintmax_t)status.st_size < most ? (uintmax_t)status.st_size : most;
    if (result == CNNC_OK && (length >= SIZE_MAX || !(*bytes = malloc((size_t)length + 1))))
        result = cnnc_fail_system(error, "%s: no memory for its %ju bytes", path, length);
    if (result == CNNC_OK)
        result = read_all(descriptor, path, *bytes, *size = (size_t)length, error);
    close(descriptor);
    if (result != CNNC_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return result;
}

int cnnc_file_bytes(const char *path, unsigned char **bytes, size_t *size, cnnc_error *error) {
    return cnnc_file_first_bytes(path, SIZE_MAX, bytes, size, error);
}

int cnnc_make_folders(char *path) {
    for (char *slash = path + 1;; slash++) {
        if (*slash && *slash != '/')
            continue;
        char kept = *slash;
        *slash = 0;
        int made = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = kept;
        if (!made || !kept)
            return made;
    }
}

/* A new file beside the path; its name is in *temporary. */
static int open_temporary(const char *path, char **temporary) {
    size_t length = strlen(path) + 48;
    *temporary = malloc(length);
    if (!*temporary)
        return -1;
    for (int i = 0; i < 100; i++) {
        snprintf(*temporary, length, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        int descriptor = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            return descriptor;
    }
    return -1;
}

/* What takes the place of a file has its permissions; a link to it stays one. */
static int open_replacement(cnnc_output *output, mode_t mode) {
    if (access(output->path, W_OK) != 0 || !(output->target = realpath(output->path, NULL)))
        return -1;
    int descriptor = open_temporary(output->target, &output->temporary);
    if (descriptor < 0 || fchmod(descriptor, mode & 07777) == 0)
        return descriptor;
    int reason = errno;
    close(descriptor);
    unlink(output->temporary);
    errno = reason;
    return -1;
}

static void output_free(cnnc_output *output) {
    free(output->temporary);
    free(output->target);
    *output = (cnnc_output){0};
}

int cnnc_output_begin(cnnc_output *output, const char *path, cnnc_error *error) {
    *output = (cnnc_output){.path = path};
    struct stat status;
    int there = stat(path, &status) == 0;
    if (!there && errno != ENOENT) /* what is not known is not replaced: it may be a device */
        return cnnc_fail_system(error, "%s: cannot be written: %s", path, strerror(errno));
    if (there && S_ISDIR(status.st_mode))
        return cnnc_fail_system(error, "%s: is a folder", path);
    int descriptor = !there                     ? open_temporary(path, &output->temporary)
                     : S_ISREG(status.st_mode) ? open_replacement(output, status.st_mode)
                                               : open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor >= 0)
        output->stream = fdopen(descriptor, "wb");
    if (output->stream)
        return CNNC_OK;
    int result = cnnc_fail_system(error, "%s: cannot be written: %s", path, strerror(errno));
    if (descriptor >= 0) {
        close(descriptor);
        if (output->temporary)
            unlink(output->temporary);
    }
    output_free(output);
    return result;
}

int cnnc_output_commit(cnnc_output *output, cnnc_error *error) {
    errno = 0;
    int bad = ferror(output->stream) || fflush(output->stream) != 0;
    if (!bad && output->temporary)
        bad = fsync(fileno(output->stream)) != 0;
    if (fclose(output->stream) != 0)
        bad = 1;
    if (!bad && output->temporary)
        bad = rename(output->temporary, output->target ? output->target : output->path) != 0;
    int result = CNNC_OK;
    if (bad) {
        result = cnnc_fail_system(error, "%s: not written: %s", output->path, errno ? strerror(errno) : "a write failed");
        if (output->temporary)
            unlink(output->temporary);
    }
    output_free(output);
    return result;
}
