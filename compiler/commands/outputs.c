/* outputs.c: what a command is going to write: whether it can, and nothing over what it reads or writes besides. Better known
 * before the work than after it. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder_of(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    return !slash ? "." : slash == path ? "/" : arena_printf(arena, "%.*s", (int)(slash - path), path);
}

/* The folder of a file that is there, of the one itself where the path is a link. */
static const char *real_folder(Arena *arena, const char *path) {
    char *resolved = realpath(path, NULL);
    const char *folder = resolved ? folder_of(arena, arena_string(arena, resolved, strlen(resolved))) : NULL;
    free(resolved);
    return folder;
}

/* What must be writable: a device itself; a file, and its folder, since it is replaced by another; of folders that are made, the
 * nearest one that is there. NULL: errno tells why not. */
static const char *written_place(Arena *arena, const Output *output) {
    struct stat status;
    bool there = !stat(output->path, &status);
    if (!output->folder && there && S_ISDIR(status.st_mode)) return errno = EISDIR, NULL;
    if (!output->folder && there && !S_ISREG(status.st_mode)) return output->path;
    if (!output->folder && there && access(output->path, W_OK)) return NULL;
    const char *path = output->folder ? output->path : there ? real_folder(arena, output->path) : folder_of(arena, output->path);
    if (!path) return NULL;
    while (output->folder && access(path, F_OK) && strcmp(path, folder_of(arena, path))) path = folder_of(arena, path);
    return arena_printf(arena, "%s/.", path); /* which a file has not */
}

bool outputs_writable(Arena *arena, const Output *outputs, int n) {
    for (int i = 0; i < n; i++) {
        if (!outputs[i].path) continue;
        const char *place = written_place(arena, &outputs[i]);
        if (place && !access(place, W_OK)) continue;
        say_error("%s cannot be written to %s: %s", outputs[i].what, outputs[i].path, strerror(errno));
        return false;
    }
    return true;
}

bool outputs_apart(const Output *outputs, int n, const char *const *inputs, int input_count) {
    for (int i = 0; i < n; i++)
        for (int k = -input_count; k < i; k++) {
            const char *path = outputs[i].path, *other = k < 0 ? inputs[-k - 1] : outputs[k].path, *role = k < 0 ? "what is read" : outputs[k].what;
            if (path && other && same_file(path, other)) return say_error("%s, '%s', would be written over %s, '%s'", outputs[i].what, path, role, other), false;
        }
    return true;
}

const char **data_files(Arena *arena, const char *list, const char **files, int *n) {
    for (const char *word = list; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        const char *file = arena_string(arena, word, strcspn(word, ",")), *columns = strstr(file, ".csv:");
        if (columns && access(file, F_OK)) file = arena_string(arena, file, (size_t)(columns - file) + strlen(".csv"));
        *PUSH(arena, files, *n) = file;
    }
    return files;
}
