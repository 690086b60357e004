/* file.c: whole files.
 *
 * Reading takes what is there, whatever its size was a moment ago. Writing is all or nothing, of several files too: a temporary
 * file beside each target, fsync, and when all are there, rename; unchanged contents are left alone, so that make sees no change. Contents are bytes: no
 * encoding, no line ends. Folders are not created, and a process that is killed may leave a ".cnnc-*.tmp" behind.
 */
#define _XOPEN_SOURCE 700 /* realpath is not in plain POSIX */
#include "cnnc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 65536, MOST_BYTES = 16 << 20 }; /* of a text that is read: endless ones come to an end */

static ssize_t read_some(int fd, char *buffer) {
    ssize_t n;
    do n = read(fd, buffer, CHUNK);
    while (n < 0 && errno == EINTR);
    return n;
}

/* False with errno set. */
static bool write_all(int fd, const char *text, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const char *cannot_read(Arena *arena, const char *path, const char *why) {
    return arena_printf(arena, "cannot read %s: %s", path, why);
}

static const char *read_descriptor(Arena *arena, const char *path, int fd, char **text, size_t *length) {
    StrBuf contents = {0};
    char chunk[CHUNK];
    ssize_t n = 0;
    while (contents.length <= MOST_BYTES && (n = read_some(fd, chunk)) > 0) strbuf_add_n(&contents, chunk, (size_t)n);
    const char *message = n < 0 ? cannot_read(arena, path, strerror(errno)) : NULL;
    if (contents.length > MOST_BYTES) message = cannot_read(arena, path, "it is larger than 16 MiB");
    if (!message) {
        *text = arena_string(arena, contents.text, contents.length);
        *length = contents.length;
    }
    strbuf_free(&contents);
    return message;
}

/* What is read is followed by a terminator that *length does not count. */
const char *read_file(Arena *arena, const char *path, char **text, size_t *length) {
    if (strcmp(path, "-") == 0) return read_descriptor(arena, "standard input", STDIN_FILENO, text, length);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait */
    if (fd < 0) return cannot_read(arena, path, strerror(errno));
    struct stat status;
    const char *message = NULL;
    if (fstat(fd, &status) != 0) message = cannot_read(arena, path, strerror(errno));
    else if (S_ISDIR(status.st_mode)) message = cannot_read(arena, path, "it is a folder");
    else if (!S_ISREG(status.st_mode)) message = cannot_read(arena, path, "it is not a regular file");
    else message = read_descriptor(arena, path, fd, text, length);
    close(fd);
    return message;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static const char *cannot_write(Arena *arena, const char *path, int number) {
    return arena_printf(arena, "cannot write %s: %s", path, strerror(number));
}

static bool has_contents(const char *path, const char *text, size_t length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    char chunk[CHUNK];
    ssize_t n;
    while ((n = read_some(fd, chunk)) > 0) {
        if ((size_t)n > length || memcmp(chunk, text, (size_t)n) != 0) break;
        text += n;
        length -= (size_t)n;
    }
    close(fd);
    return n == 0 && length == 0;
}

/* A device or a pipe (/dev/null, /dev/stdout) is written to: it cannot be replaced, and must not be. */
static const char *write_through(Arena *arena, const char *path, const char *text, size_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return cannot_write(arena, path, errno);
    int failure = write_all(fd, text, length) ? 0 : errno;
    if (close(fd) != 0 && !failure) failure = errno;
    return failure ? cannot_write(arena, path, failure) : NULL;
}

/* Creates a new file in the target's folder: O_EXCL never follows a planted link, and umask applies. */
static int open_temporary(Arena *arena, const char *target, char **path) {
    const char *slash = strrchr(target, '/');
    int folder = slash ? (int)(slash + 1 - target) : 0, fd = -1;
    for (int attempt = 0; attempt < 100 && fd < 0; attempt++) {
        *path = arena_printf(arena, "%.*s.cnnc-%ld-%d.tmp", folder, target, (long)getpid(), attempt);
        fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) break;
    }
    return fd;
}

/* What is ready to become a file. */
typedef struct Staged {
    const char *target;
    char *temporary; /* NULL: nothing is to be renamed */
    bool through;    /* a device */
} Staged;

/* mode: the permissions of the file replaced, 0 for a new one. */
static const char *stage(Arena *arena, Staged *s, mode_t mode, const FileText *f) {
    char *temporary;
    int fd = open_temporary(arena, s->target, &temporary), failure = 0;
    if (fd < 0) return cannot_write(arena, s->target, errno);
    if ((mode && fchmod(fd, mode) != 0) || !write_all(fd, f->text, f->length) || fsync(fd) != 0) failure = errno;
    if (close(fd) != 0 && !failure) failure = errno;
    s->temporary = temporary;
    return failure ? cannot_write(arena, s->target, failure) : NULL;
}

static const char *prepare(Arena *arena, Staged *s, const FileText *f) {
    struct stat status;
    *s = (Staged){.target = f->path};
    if (stat(f->path, &status) != 0) return errno == ENOENT ? stage(arena, s, 0, f) : cannot_write(arena, f->path, errno); /* what is not known is not replaced */
    if (S_ISDIR(status.st_mode)) return cannot_write(arena, f->path, EISDIR);
    s->through = !S_ISREG(status.st_mode);
    if (s->through || has_contents(f->path, f->text, f->length)) return NULL;
    if (access(f->path, W_OK) != 0) return cannot_write(arena, f->path, errno);
    char *resolved = realpath(f->path, NULL); /* through a link: the file is replaced, the link stays */
    if (!resolved) return cannot_write(arena, f->path, errno);
    s->target = arena_string(arena, resolved, strlen(resolved));
    free(resolved);
    return stage(arena, s, status.st_mode & 07777, f);
}

static const char *give_name(Arena *arena, Staged *s) {
    if (!s->temporary) return NULL;
    if (rename(s->temporary, s->target) != 0) return cannot_write(arena, s->target, errno);
    s->temporary = NULL;
    return NULL;
}

const char *write_files(Arena *arena, const FileText *files, int n) {
    Staged *staged = NEW_ARRAY(arena, Staged, n);
    const char *message = NULL;
    for (int i = 0; i < n && !message; i++) message = prepare(arena, &staged[i], &files[i]);
    for (int i = 0; i < n && !message; i++)
        if (staged[i].through) message = write_through(arena, files[i].path, files[i].text, files[i].length);
    for (int i = 0; i < n && !message; i++) message = give_name(arena, &staged[i]);
    for (int i = 0; i < n; i++)
        if (staged[i].temporary) unlink(staged[i].temporary);
    return message;
}

const char *write_file(Arena *arena, const char *path, const char *text, size_t length) {
    return write_files(arena, &(FileText){path, text, length}, 1);
}
