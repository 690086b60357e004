/* folder.c: folders that hold data under the names under which it is customarily published. */
#define _POSIX_C_SOURCE 200809L
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Names under which a file of MNIST is found, each ending in a zero. */
#define IDX_NAMES(stem, rank) \
    stem "-idx" rank "-ubyte\0" stem "-idx" rank "-ubyte.gz\0" stem ".idx" rank "-ubyte\0" stem ".idx" rank "-ubyte.gz\0"

enum { TRAIN, TEST, SPLITS, MOST_FILES = 5 };

/* What a folder may hold: for each split its files; of a file the names it may have. The first file says that the layout
 * is meant, and then all have to be there. The order is that in which layouts are looked for. */
static const struct layout {
    const char *holds;
    int pieces; /* the files are pieces of one set of examples; else an array each */
    const char *files[SPLITS][MOST_FILES];
} layouts[] = {
    {"a folder has images and labels", 0,
     {{IDX_NAMES("train-images", "3"), IDX_NAMES("train-labels", "1")}, {IDX_NAMES("t10k-images", "3"), IDX_NAMES("t10k-labels", "1")}}},
    {"a folder of CIFAR-10 has images and labels", 1,
     {{CNNC_CIFAR10_TRAIN}, {CNNC_CIFAR10_TEST}}},
    {"a folder of CIFAR-100 has images and labels", 1, {{CNNC_CIFAR100_TRAIN}, {CNNC_CIFAR100_TEST}}},
    {"a CSV file has an input and a target", 1, {{"train.csv\0"}, {"test.csv\0"}}},
    {"a folder has X.npy and Y.npy", 0, {{"X.npy\0x.npy\0", "Y.npy\0y.npy\0"}, {"X_test.npy\0x_test.npy\0", "Y_test.npy\0y_test.npy\0"}}},
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static int split_of(const cnnc_request *request) {
    return strcmp(request->split, "train") ? TEST : TRAIN;
}

/* *path: that of the first of the names that exists, to be freed; NULL when there is none. */
static int find(const char *folder, const char *names, char **path, cnnc_error *error) {
    *path = NULL;
    for (const char *name = names; *name; name += strlen(name) + 1) {
        size_t size = strlen(folder) + strlen(name) + 2;
        char *candidate = malloc(size);
        if (!candidate)
            return cnnc_fail_system(error, "%s: no memory", folder);
        snprintf(candidate, size, "%s/%s", folder, name);
        if (access(candidate, F_OK) == 0) {
            *path = candidate;
            return CNNC_OK;
        }
        free(candidate);
    }
    return CNNC_OK;
}

/* The first layout whose first file of the split is there; NULL when none is. */
static int find_layout(const char *folder, int split, const struct layout **layout, cnnc_error *error) {
    *layout = NULL;
    for (int i = 0; i < LAYOUTS && !*layout; i++) {
        char *path;
        if (find(folder, layouts[i].files[split][0], &path, error) != CNNC_OK)
            return CNNC_FAILED;
        if (path)
            *layout = &layouts[i];
        free(path);
    }
    return CNNC_OK;
}

static int nothing_found(const char *folder, int split, cnnc_error *error) {
    char text[300] = "";
    for (int i = 0; i < LAYOUTS; i++) {
        const char *name = layouts[i].files[split][0];
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s%s", !i ? "" : i < LAYOUTS - 1 ? ", " : " or ", name, cnnc_path_ends(name + strlen(name) + 1, ".gz") ? "[.gz]" : "");
    }
    return cnnc_fail(error, "%s: has no %s, nor one .npz alone", folder, text);
}

/* *path: the folder's .npz, to be freed, in which both splits are; NULL when there is none, or files of a layout, whose splits they are. */
static int find_archive(const char *folder, char **path, cnnc_error *error) {
    const struct layout *layout = NULL;
    *path = NULL;
    for (int split = 0; split < SPLITS; split++)
        if (find_layout(folder, split, &layout, error) != CNNC_OK || layout)
            return layout ? CNNC_OK : CNNC_FAILED;
    DIR *names = opendir(folder);
    if (!names)
        return cnnc_fail_system(error, "%s: %s", folder, strerror(errno));
    int result = CNNC_OK, count = 0;
    for (const struct dirent *entry; result == CNNC_OK && (entry = readdir(names));) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length < 4 || strcasecmp(entry->d_name + length - 4, ".npz"))
            continue;
        size_t size = strlen(folder) + length + 2;
        if (count++)
            result = cnnc_fail(error, "%s: has more than one .npz; name the one wanted", folder);
        else if (!(*path = malloc(size)))
            result = cnnc_fail_system(error, "%s: no memory", folder);
        else
            snprintf(*path, size, "%s/%s", folder, entry->d_name);
    }
    closedir(names);
    if (result == CNNC_OK)
        return CNNC_OK;
    free(*path);
    *path = NULL;
    return CNNC_FAILED;
}

static int load_layout(const char *folder, const struct layout *layout, const cnnc_request *request, cnnc_parts *parts,
                       cnnc_error *error) {
    cnnc_request one = *request;
    if (!layout->pieces)
        one.single = one.inputs = 1, one.targets = 0;
    const char *const *files = layout->files[split_of(request)];
    int result = cnnc_request_pair(request, folder, layout->holds, error), count = 0;
    while (count < MOST_FILES && files[count] && (layout->pieces || count < request->inputs + request->targets))
        count++;
    for (int i = 0; i < count && result == CNNC_OK; i++) {
        char *path;
        result = find(folder, files[i], &path, error);
        if (result == CNNC_OK && !path)
            result = cnnc_fail(error, "%s: has %s, but no %s", folder, files[0], files[i]);
        else if (result == CNNC_OK)
            result = (layout->pieces && i > 0 ? cnnc_load_more : cnnc_load_file)(path, &one, parts, error);
        free(path);
    }
    return result;
}

int cnnc_folder_load(const char *folder, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    const struct layout *layout;
    char *archive;
    if (find_layout(folder, split_of(request), &layout, error) != CNNC_OK)
        return CNNC_FAILED;
    if (layout)
        return load_layout(folder, layout, request, parts, error);
    if (find_archive(folder, &archive, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = archive ? cnnc_load_file(archive, request, parts, error) : nothing_found(folder, split_of(request), error);
    free(archive);
    return result;
}

int cnnc_folder_has_test(const char *folder, int *has, cnnc_error *error) {
    const struct layout *layout;
    char *archive;
    *has = 0;
    if (find_layout(folder, TEST, &layout, error) != CNNC_OK)
        return CNNC_FAILED;
    *has = layout != NULL;
    if (layout)
        return CNNC_OK;
    if (find_archive(folder, &archive, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = archive ? cnnc_file_has_test(archive, has, error) : CNNC_OK;
    free(archive);
    return result;
}
