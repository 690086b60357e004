/* walk.c: finds the images of a folder of class folders, in an order that neither the file system nor the locale decides. */
#define _POSIX_C_SOURCE 200809L
#include "images.h"
#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct Names {
    char **items;
    size_t count, capacity;
} Names;

bool has_control_characters(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127) return true;
    return false;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(Names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (Names){0};
}

static bool names_add(Names *names, const char *name) {
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 64;
        char **items = realloc(names->items, capacity * sizeof *items);
        if (!items) return false;
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count] = strdup(name);
    return names->items[names->count] && ++names->count;
}

/* What is in a folder, but for what begins with a dot, sorted. */
static int list(const char *path, Names *names, cnnc_error *error) {
    *names = (Names){0};
    DIR *directory = opendir(path);
    if (!directory) return cnnc_fail_system(error, "%s: %s", path, strerror(errno));
    int result = CNNC_OK;
    errno = 0;
    for (struct dirent *e; result == CNNC_OK && (e = readdir(directory)); errno = 0)
        if (e->d_name[0] != '.' && !names_add(names, e->d_name)) result = cnnc_fail_system(error, "%s: no memory for its names", path);
    if (result == CNNC_OK && errno) result = cnnc_fail_system(error, "%s: %s", path, strerror(errno));
    closedir(directory);
    if (result != CNNC_OK) names_free(names);
    else if (names->count) qsort(names->items, names->count, sizeof *names->items, by_bytes);
    return result;
}

static char *join(const char *folder, const char *name) {
    size_t n = strlen(folder), size = n + strlen(name) + 2;
    char *path = malloc(size);
    if (path) snprintf(path, size, "%s%s%s", folder, n && folder[n - 1] != '/' ? "/" : "", name);
    return path;
}

static bool named_as_image(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

/* Adds the images of the class folder at path. */
static int add_files(Folder *folder, const char *path, cnnc_error *error) {
    Names names;
    if (list(path, &names, error) != CNNC_OK) return CNNC_FAILED;
    int result = CNNC_OK;
    ImageFile *files = realloc(folder->files, (folder->count + names.count + 1) * sizeof *files);
    if (files) folder->files = files;
    else result = cnnc_fail_system(error, "%s: no memory for its names", path);
    for (size_t i = 0; result == CNNC_OK && i < names.count; i++) {
        if (!named_as_image(names.items[i])) {
            folder->ignored++;
            continue;
        }
        ImageFile file = {join(path, names.items[i]), folder->class_count - 1};
        if (file.path) folder->files[folder->count++] = file;
        else result = cnnc_fail_system(error, "%s: no memory for its names", path);
    }
    names_free(&names);
    return result;
}

static int add_class(Folder *folder, const char *name, const char *path, cnnc_error *error) {
    if (has_control_characters(name))
        return cnnc_fail(error, "%s: a class's name is a line of classes.txt and can have no control character in it", path);
    folder->classes[folder->class_count] = strdup(name);
    if (!folder->classes[folder->class_count]) return cnnc_fail_system(error, "%s: no memory for its name", path);
    folder->class_count++;
    return add_files(folder, path, error);
}

static int add_classes(Folder *folder, const char *path, const Names *names, cnnc_error *error) {
    if (names->count > INT32_MAX - 1) return cnnc_fail(error, "%s: too many names", path);
    folder->classes = calloc(names->count + 1, sizeof *folder->classes);
    if (!folder->classes) return cnnc_fail_system(error, "%s: no memory for its names", path);
    for (size_t i = 0; i < names->count; i++) {
        char *child = join(path, names->items[i]);
        if (!child) return cnnc_fail_system(error, "%s: no memory for its names", path);
        struct stat status;
        int result = CNNC_OK;
        if (stat(child, &status) == 0 && S_ISDIR(status.st_mode)) result = add_class(folder, names->items[i], child, error);
        else folder->ignored++;
        free(child);
        if (result != CNNC_OK) return result;
    }
    if (folder->count == 0) return cnnc_fail(error, "%s: has no CLASS/NAME.png, .jpg or .jpeg in it", path);
    if (folder->count > INT32_MAX) return cnnc_fail(error, "%s: %zu images are more than the runtime takes", path, folder->count);
    return CNNC_OK;
}

int folder_walk(const char *path, Folder *folder, cnnc_error *error) {
    *folder = (Folder){0};
    Names names;
    if (list(path, &names, error) != CNNC_OK) return CNNC_FAILED;
    int result = add_classes(folder, path, &names, error);
    names_free(&names);
    if (result != CNNC_OK) folder_free(folder);
    return result;
}

void folder_free(Folder *folder) {
    for (int i = 0; i < folder->class_count; i++) free(folder->classes[i]);
    for (size_t i = 0; i < folder->count; i++) free(folder->files[i].path);
    free(folder->classes);
    free(folder->files);
    *folder = (Folder){0};
}
