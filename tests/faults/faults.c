#define _GNU_SOURCE /* fopencookie */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
int __real_posix_memalign(void **, size_t, size_t);
char *__real_strdup(const char *);
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
FILE *__real_open_memstream(char **, size_t *);
int __real_inflateInit2_(void *, int, const char *, int);
int __real_open(const char *, int, ...);
ssize_t __real_read(int, void *, size_t);
ssize_t __real_write(int, const void *, size_t);
int __real_fsync(int);
int __real_close(int);
int __real_rename(const char *, const char *);
int __real_linkat(int, const char *, int, const char *, int);
int __real_unlink(const char *);
int __real_stat(const char *, struct stat *);
int __real_fstat(int, struct stat *);
int __real_fchmod(int, mode_t);
int __real_mkdir(const char *, mode_t);
DIR *__real_opendir(const char *);
int __real_fileno(FILE *);
int __real_fclose(FILE *);
int __real_inflate(void *, int);
char *__real_realpath(const char *, char *);
__attribute__((weak)) void *__real_zip_open_from_source(void *, int, void *); /* weak: where there is a libzip */
__attribute__((weak)) void zip_error_set(void *, int, int);

/* ---- which call fails -------------------------------------------------------------------------------------------------- */

static Fault armed;
static long at, left; /* which call; how many until then */
static const char *struck;

void fault_arm(Fault fault, long call) {
    armed = fault;
    at = left = call;
    struck = NULL;
}

bool fault_disarm(void) {
    armed = FAULT_NONE;
    return struck != NULL;
}

long fault_count(void) { return at - left; }
const char *fault_call(void) { return struck ? struck : ""; }

static bool strike(const char *name) {
    if (--left != 0) return false;
    struck = name;
    return true;
}

static bool memory_fails(const char *name) {
    if (armed != FAULT_MEMORY || !strike(name)) return false;
    errno = ENOMEM;
    return true;
}

/* Whether a call on files is not to be made; errno says why. */
static bool file_fails(const char *name, bool writes, bool waits) {
    if (armed == FAULT_NONE || armed == FAULT_MEMORY || armed == FAULT_SHORT || armed == FAULT_END) return false;
    if (armed == FAULT_SIGNAL && !waits) return false;
    if (!strike(name)) return false;
    if (armed == FAULT_KILL || armed == FAULT_KILL_HALF) raise(SIGKILL);
    errno = armed == FAULT_SIGNAL ? EINTR : writes ? ENOSPC : EIO;
    return true;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

/* Addresses of blocks, by open addressing; a mark stays where one was freed. */
enum { SLOTS = 1 << 20 };
static uintptr_t slots[SLOTS];
static size_t blocks;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static size_t first_slot(uintptr_t p) { return (size_t)((p >> 4) * 2654435761u) % SLOTS; }

static void *keep(void *memory) {
    if (!memory) return NULL;
    while (atomic_flag_test_and_set(&busy)) {}
    size_t i = first_slot((uintptr_t)memory);
    while (slots[i] > 1) i = (i + 1) % SLOTS;
    slots[i] = (uintptr_t)memory;
    blocks++;
    atomic_flag_clear(&busy);
    return memory;
}

static void forget(void *memory) {
    while (atomic_flag_test_and_set(&busy)) {}
    size_t i = first_slot((uintptr_t)memory);
    while (memory && slots[i] && slots[i] != (uintptr_t)memory) i = (i + 1) % SLOTS;
    if (memory && slots[i]) slots[i] = 1, blocks--;
    atomic_flag_clear(&busy);
}

size_t fault_blocks(void) { return blocks; }

void *__wrap_malloc(size_t size) { return memory_fails("malloc") ? NULL : keep(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return memory_fails("calloc") ? NULL : keep(__real_calloc(n, size)); }
char *__wrap_strdup(const char *s) { return memory_fails("strdup") ? NULL : keep(__real_strdup(s)); }

void *__wrap_realloc(void *old, size_t size) {
    if (memory_fails("realloc")) return NULL;
    forget(old);
    void *memory = __real_realloc(old, size);
    keep(memory ? memory : old);
    return memory;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
    if (memory_fails("posix_memalign")) return ENOMEM;
    int result = __real_posix_memalign(memory, alignment, size);
    if (!result) keep(*memory);
    return result;
}

void __wrap_free(void *memory) {
    forget(memory);
    __real_free(memory);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    return memory_fails("pthread_create") ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);
}

int __wrap_inflateInit2_(void *stream, int bits, const char *version, int size) {
    return memory_fails("inflateInit2") ? -4 /* Z_MEM_ERROR */ : __real_inflateInit2_(stream, bits, version, size);
}

int __wrap_inflate(void *stream, int flush) { return memory_fails("inflate") ? -4 : __real_inflate(stream, flush); }

void *__wrap_zip_open_from_source(void *source, int flags, void *why) {
    if (!memory_fails("zip_open_from_source")) return __real_zip_open_from_source(source, flags, why);
    zip_error_set(why, 14 /* ZIP_ER_MEMORY */, 0);
    return NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static size_t half(const char *name, size_t size) {
    return armed == FAULT_SHORT && size > 1 && strike(name) ? size / 2 : size;
}

int __wrap_open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return file_fails("open", flags & O_CREAT, true) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_read(int descriptor, void *to, size_t size) {
    if (armed == FAULT_END && strike("read")) return 0;
    return file_fails("read", false, true) ? -1 : __real_read(descriptor, to, half("read", size));
}

ssize_t __wrap_write(int descriptor, const void *from, size_t size) {
    if (armed == FAULT_KILL_HALF && left == 1 && size > 1) (void)!__real_write(descriptor, from, size / 2);
    return file_fails("write", true, true) ? -1 : __real_write(descriptor, from, half("write", size));
}

int __wrap_close(int descriptor) { /* closed in any case, as on Linux */
    bool fails = file_fails("close", false, false);
    int number = errno, result = __real_close(descriptor);
    if (!fails) return result;
    errno = number;
    return -1;
}

int __wrap_fsync(int descriptor) { return file_fails("fsync", true, false) ? -1 : __real_fsync(descriptor); }
int __wrap_rename(const char *from, const char *to) { return file_fails("rename", true, false) ? -1 : __real_rename(from, to); }
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags) { return file_fails("linkat", true, false) ? -1 : __real_linkat(a, from, b, to, flags); }
int __wrap_unlink(const char *path) { return file_fails("unlink", true, false) ? -1 : __real_unlink(path); }
int __wrap_stat(const char *path, struct stat *status) { return file_fails("stat", false, false) ? -1 : __real_stat(path, status); }
int __wrap_fstat(int descriptor, struct stat *status) { return file_fails("fstat", false, false) ? -1 : __real_fstat(descriptor, status); }
int __wrap_mkdir(const char *path, mode_t mode) { return file_fails("mkdir", true, false) ? -1 : __real_mkdir(path, mode); }
char *__wrap_realpath(const char *path, char *resolved) { return file_fails("realpath", false, false) ? NULL : __real_realpath(path, resolved); }
DIR *__wrap_opendir(const char *path) { return file_fails("opendir", false, false) ? NULL : __real_opendir(path); }
int __wrap_fchmod(int descriptor, mode_t mode) { return file_fails("fchmod", true, false) ? -1 : __real_fchmod(descriptor, mode); }

int fault_descriptors(void) {
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return 0;
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

/* ---- streams: the library's own, over the functions above ------------------------------------------------------------------ */

enum { STREAMS = 16 };
static struct { FILE *stream; int descriptor; } streams[STREAMS]; /* descriptor -1: memory */

static FILE *keep_stream(FILE *stream, int descriptor) {
    for (int i = 0; stream && i < STREAMS; i++)
        if (!streams[i].stream) {
            streams[i].stream = stream;
            streams[i].descriptor = descriptor;
            break;
        }
    return stream;
}

static ssize_t stream_read(void *cookie, char *to, size_t size) { return __wrap_read((int)(intptr_t)cookie, to, size); }

static int stream_seek(void *cookie, off64_t *offset, int whence) {
    off64_t place = lseek64((int)(intptr_t)cookie, *offset, whence);
    if (place < 0) return -1;
    *offset = place;
    return 0;
}

static ssize_t stream_write(void *cookie, const char *from, size_t size) {
    size_t done = 0;
    while (done < size) { /* as the C library does; an interruption is an error to it */
        ssize_t n = __wrap_write((int)(intptr_t)cookie, from + done, size - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int stream_close(void *cookie) {
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].stream && streams[i].descriptor == (int)(intptr_t)cookie) streams[i].stream = NULL;
    return __wrap_close((int)(intptr_t)cookie);
}

static FILE *open_stream(int descriptor, const char *mode) {
    const cookie_io_functions_t functions = {.read = stream_read, .write = stream_write, .seek = stream_seek, .close = stream_close};
    return keep_stream(fopencookie((void *)(intptr_t)descriptor, mode, functions), descriptor);
}

/* Reading, too: with it libgcov adds to the counts that are there, which it would replace otherwise. */
FILE *__wrap_fdopen(int descriptor, const char *mode) { return memory_fails("fdopen") ? NULL : open_stream(descriptor, mode); }

FILE *__wrap_fopen(const char *path, const char *mode) {
    int flags = *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | (*mode == 'a' ? O_APPEND : O_TRUNC);
    if (strchr(mode, '+')) flags = (flags & ~O_WRONLY) | O_RDWR;
    if (memory_fails("fopen")) return NULL;
    int descriptor = __wrap_open(path, flags | O_CLOEXEC, 0666);
    if (descriptor < 0) return NULL;
    return open_stream(descriptor, mode);
}

FILE *__wrap_open_memstream(char **text, size_t *size) {
    return memory_fails("open_memstream") ? NULL : keep_stream(__real_open_memstream(text, size), -1);
}

/* What is written to memory may find none, which is known at its end. */
int __wrap_fclose(FILE *stream) {
    bool in_memory = false;
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].stream == stream && streams[i].descriptor < 0) streams[i].stream = NULL, in_memory = true;
    int result = __real_fclose(stream);
    return in_memory && memory_fails("fclose") ? EOF : result;
}

int __wrap_fileno(FILE *stream) {
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].stream == stream) return streams[i].descriptor;
    return __real_fileno(stream);
}
