/* folder.c: folders that hold data under the names under which it is customarily published. */
#define _POSIX_C_SOURCE 200809L
#include "loader.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names under which a file of MNIST is found, each ending in a zero. */
#define IDX_NAMES(stem, rank) \
    stem "-idx" rank "-ubyte\0" stem "-idx" rank "-ubyte.gz\0" stem ".idx" rank "-ubyte\0" stem ".idx" rank "-ubyte.gz\0"

enum { TRAIN, TEST, SPLITS, MOST_FILES = 5 };

/* What a folder may hold: for each split its files; of a file the names it may have. The first file says that the layout
 * is meant, and then all have to be there. The order is that in which layouts are looked for. */
static const struct layout {
    int pieces; /* the files are pieces of one set of examples; else an array each */
    const char *files[SPLITS][MOST_FILES];
} layouts[] = {
    {0,
     {{IDX_NAMES("train-images", "3"), IDX_NAMES("train-labels", "1")}, {IDX_NAMES("t10k-images", "3"), IDX_NAMES("t10k-labels", "1")}}},
    {1,
     {{"data_batch_1.bin\0", "data_batch_2.bin\0", "data_batch_3.bin\0", "data_batch_4.bin\0", "data_batch_5.bin\0"},
      {"test_batch.bin\0"}}},
    {1, {{"train.bin\0"}, {"test.bin\0"}}},
    {1, {{"train.csv\0"}, {"test.csv\0"}}},
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts };

/* The path of the first of the names that exists, to be freed; NULL: there is none, or no memory. */
static char *find(const char *folder, const char *names) {
    for (const char *name = names; *name; name += strlen(name) + 1) {
        size_t size = strlen(folder) + strlen(name) + 2;
        char *path = malloc(size);
        if (!path)
            return NULL;
        snprintf(path, size, "%s/%s", folder, name);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* The one .npz file of a folder, to be freed. NULL: there is none, or (then it fails) more than one. */
static int find_npz(const char *folder, char **path, cnnc_error *error) {
    *path = NULL;
    DIR *directory = opendir(folder);
    int result = CNNC_OK;
    for (struct dirent *entry; directory && result == CNNC_OK && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || !cnnc_path_ends(entry->d_name, ".npz"))
            continue;
        char name[sizeof entry->d_name + 1] = {0}; /* a list of one name */
        memcpy(name, entry->d_name, strlen(entry->d_name));
        if (*path)
            result = cnnc_fail(error, "%s: has several .npz files, %s among them: name one", folder, name);
        else if (!(*path = find(folder, name)))
            result = cnnc_fail(error, "%s/%s: cannot be read", folder, name);
    }
    if (directory)
        closedir(directory);
    if (result != CNNC_OK) {
        free(*path);
        *path = NULL;
    }
    return result;
}

static const struct layout *find_layout(const char *folder, int split) {
    for (int i = 0; i < LAYOUTS; i++) {
        char *path = find(folder, layouts[i].files[split][0]);
        free(path);
        if (path)
            return &layouts[i];
    }
    return NULL;
}

static int nothing_found(const char *folder, int split, cnnc_error *error) {
    char text[300] = "";
    for (int i = 0; i < LAYOUTS; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", layouts[i].files[split][0]);
        if (!i) /* the name after it is the same with .gz */
            snprintf(text + strlen(text), sizeof text - strlen(text), "[.gz]");
    }
    return cnnc_fail(error, "%s: has no %s or .npz file", folder, text);
}

static int load_layout(const char *folder, const struct layout *layout, int split, const cnnc_request *request,
                       cnnc_parts *parts, cnnc_error *error) {
    cnnc_request one = *request;
    if (!layout->pieces)
        one.single = one.inputs = 1, one.targets = 0;
    const char *const *files = layout->files[split];
    int result = cnnc_request_pair(request, folder, error), count = 0;
    while (count < MOST_FILES && files[count] && (layout->pieces || count < request->inputs + request->targets))
        count++;
    for (int i = 0; i < count && result == CNNC_OK; i++) {
        char *path = find(folder, files[i]);
        if (!path)
            result = cnnc_fail(error, "%s: has %s, but no %s", folder, files[0], files[i]);
        else if (layout->pieces && i > 0)
            result = cnnc_load_more(path, &one, parts, error);
        else
            result = cnnc_load_file(path, &one, parts, error);
        free(path);
    }
    return result;
}

int cnnc_folder_load(const char *folder, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    int split = strcmp(request->split, "train") ? TEST : TRAIN;
    const struct layout *layout = find_layout(folder, split);
    if (layout)
        return load_layout(folder, layout, split, request, parts, error);
    char *path;
    if (find_npz(folder, &path, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = path ? cnnc_load_file(path, request, parts, error) : nothing_found(folder, split, error);
    free(path);
    return result;
}

int cnnc_folder_has_test(const char *folder) {
    char *path = NULL;
    if (find_layout(folder, TEST))
        return 1;
    int has = find_npz(folder, &path, NULL) == CNNC_OK && path && cnnc_npz_has(path, "x_test");
    free(path);
    return has;
}
