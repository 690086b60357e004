/* file.c: whole files.
 *
 * Reading takes what is there, whatever its size was a moment ago. Writing is all or nothing: a temporary file beside
 * each target, fsync, and only when all are whole rename; unchanged contents are left alone, so that make sees no change. Contents are bytes: no
 * encoding, no line ends. Folders are not created, and a process that is killed may leave a ".cnnc-*.tmp" behind.
 */
#define _XOPEN_SOURCE 700 /* realpath is not in plain POSIX */
#include "base.h"

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

/* Adds all that comes to *contents. */
static const char *read_to_end(Arena *arena, const char *path, int fd, StrBuf *contents) {
    char chunk[CHUNK];
    ssize_t n = 0;
    while (contents->length <= MOST_BYTES && (n = read_some(fd, chunk)) > 0) strbuf_add_n(contents, chunk, (size_t)n);
    if (contents->length > MOST_BYTES) return cannot_read(arena, path, "it is larger than 16 MiB");
    return n < 0 ? cannot_read(arena, path, strerror(errno)) : NULL;
}

static const char *read_descriptor(Arena *arena, const char *path, int fd, char **text, size_t *length) {
    StrBuf contents = {0};
    const char *message = read_to_end(arena, path, fd, &contents);
    if (!message) {
        *text = arena_string(arena, contents.text, contents.length);
        *length = contents.length;
    }
    strbuf_free(&contents);
    return message;
}

/* What it had to say is kept: a pipe says it once, and a command may compile its network several times. */
static const char *read_input(Arena *arena, char **text, size_t *length) {
    static StrBuf kept;
    static bool complete;
    const char *message = complete ? NULL : read_to_end(arena, "standard input", STDIN_FILENO, &kept);
    if (message) return message;
    complete = true;
    *text = arena_string(arena, kept.text, kept.length);
    *length = kept.length;
    return NULL;
}

/* What is read is followed by a terminator that *length does not count. */
const char *read_file(Arena *arena, const char *path, char **text, size_t *length) {
    if (strcmp(path, "-") == 0) return read_input(arena, text, length);
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

/* A file on its way: whole, under another name. */
typedef struct Pending {
    char *temporary;      /* NULL: there is nothing to rename */
    const char *target;
    bool through;
} Pending;

/* mode: the permissions of the file replaced, 0 for a new one. */
static const char *write_temporary(Arena *arena, const OutFile *file, mode_t mode, Pending *pending) {
    int fd = open_temporary(arena, pending->target, &pending->temporary), failure = 0;
    if (fd < 0) failure = errno;
    else {
        add_unfinished(pending->temporary);
        if ((mode && fchmod(fd, mode) != 0) || !write_all(fd, file->text, file->length) || fsync(fd) != 0) failure = errno;
        if (close(fd) != 0 && !failure) failure = errno;
    }
    return failure ? cannot_write(arena, pending->target, failure) : NULL;
}

static const char *prepare(Arena *arena, const OutFile *file, Pending *pending) {
    struct stat status;
    *pending = (Pending){.target = file->path};
    if (stat(file->path, &status) != 0) return errno == ENOENT ? write_temporary(arena, file, 0, pending) : cannot_write(arena, file->path, errno); /* what is not known is not replaced */
    pending->through = !S_ISREG(status.st_mode);
    if (pending->through || has_contents(file->path, file->text, file->length)) return NULL;
    if (access(file->path, W_OK) != 0) return cannot_write(arena, file->path, errno);
    char *resolved = realpath(file->path, NULL); /* through a link: the file is replaced, the link stays */
    if (!resolved) return cannot_write(arena, file->path, errno);
    pending->target = arena_string(arena, resolved, strlen(resolved));
    free(resolved);
    return write_temporary(arena, file, status.st_mode & 07777, pending);
}

static const char *finish(Arena *arena, Pending *pending) {
    if (!pending->temporary) return NULL;
    return rename(pending->temporary, pending->target) != 0 ? cannot_write(arena, pending->target, errno) : NULL;
}

const char *write_files(Arena *arena, const OutFile *files, int n) {
    Pending *pending = NEW_ARRAY(arena, Pending, n);
    const char *failure = NULL;
    int mark = count_unfinished();
    for (int i = 0; i < n && !failure; i++) failure = prepare(arena, &files[i], &pending[i]);
    for (int i = 0; i < n && !failure; i++)
        if (pending[i].through) failure = write_through(arena, files[i].path, files[i].text, files[i].length);
    for (int i = 0; i < n && !failure; i++) failure = finish(arena, &pending[i]);
    if (failure) remove_unfinished(mark);
    forget_unfinished(mark);
    return failure;
}

const char *write_file(Arena *arena, const char *path, const char *text, size_t length) {
    return write_files(arena, &(OutFile){path, text, length}, 1);
}

/* The folder's status of a path, and the name in it. */
static const char *split_path(const char *path, struct stat *folder) {
    char text[4096];
    const char *slash = strrchr(path, '/');
    snprintf(text, sizeof text, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    return stat(text, folder) == 0 ? slash ? slash + 1 : path : NULL;
}

bool same_file(const char *a, const char *b) {
    struct stat x, y;
    bool a_there = stat(a, &x) == 0, b_there = stat(b, &y) == 0;
    if (a_there && b_there) return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    if (a_there || b_there) return false;
    const char *name = split_path(a, &x), *other = split_path(b, &y);
    return name && other && !strcmp(name, other) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
