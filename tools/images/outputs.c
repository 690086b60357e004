/* outputs.c: the files written, all or none. They are made in a folder of their own beside the place where they go. */
#define _XOPEN_SOURCE 700
#include "images.h"
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const output_names[OUTPUTS] = {"X.npy", "Y.npy", "classes.txt", "X_test.npy", "Y_test.npy"};

/* The folder in which the outputs are made, and the names in it and behind the prefix. */
typedef struct Stage {
    char *folder;
    char *made[OUTPUTS], *final[OUTPUTS], *old[OUTPUTS];
} Stage;

static void stage_free(Stage *stage) {
    for (int i = 0; i < OUTPUTS; i++) {
        free(stage->made[i]);
        free(stage->final[i]);
        free(stage->old[i]);
    }
    free(stage->folder);
}

static char *concatenate(const char *a, const char *b, const char *c) {
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(n);
    if (text) snprintf(text, n, "%s%s%s", a, b, c);
    return text;
}

static int stage_begin(Stage *stage, const char *prefix, cnnc_error *error) {
    *stage = (Stage){.folder = concatenate(prefix, "cnnc-images.", "XXXXXX")};
    bool fine = stage->folder;
    for (int i = 0; fine && i < OUTPUTS; i++) {
        stage->final[i] = concatenate(prefix, output_names[i], "");
        fine = stage->final[i];
    }
    int result = fine ? CNNC_OK : cnnc_fail_system(error, "%s: no memory for the outputs' names", prefix);
    if (result == CNNC_OK && !mkdtemp(stage->folder)) result = cnnc_fail_system(error, "%s: cannot be written: %s", stage->final[0], strerror(errno));
    if (result != CNNC_OK) stage_free(stage);
    return result;
}

/* Removes what is left in the folder, and the folder. */
static void stage_end(Stage *stage) {
    for (int i = 0; i < OUTPUTS; i++) {
        if (stage->made[i]) unlink(stage->made[i]);
        if (stage->old[i]) unlink(stage->old[i]);
    }
    rmdir(stage->folder);
    stage_free(stage);
}

int outputs_check(const char *prefix, int count, cnnc_error *error) {
    Stage stage;
    if (stage_begin(&stage, prefix, error) != CNNC_OK) return CNNC_FAILED;
    int result = CNNC_OK;
    struct stat status;
    for (int i = 0; i < count && result == CNNC_OK; i++)
        if (lstat(stage.final[i], &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
            result = cnnc_fail_system(error, "%s: cannot be written: is there and no regular file", stage.final[i]);
    stage_end(&stage);
    return result;
}

static int write_classes(const char *path, const Folder *folder, cnnc_error *error) {
    cnnc_output output;
    if (cnnc_output_begin(&output, path, error) != CNNC_OK) return CNNC_FAILED;
    for (int i = 0; i < folder->class_count; i++) fprintf(output.stream, "%s\n", folder->classes[i]);
    return cnnc_output_commit(&output, error);
}

static int write_output(int i, const char *path, const Folder *folder, const Part parts[2], cnnc_error *error) {
    switch (i) {
    case 0: return cnnc_npy_write(path, &parts[0].x, error);
    case 1: return cnnc_npy_write(path, &parts[0].y, error);
    case 2: return write_classes(path, folder, error);
    case 3: return cnnc_npy_write(path, &parts[1].x, error);
    default: return cnnc_npy_write(path, &parts[1].y, error);
    }
}

/* Writes an output into the folder; a message names it as it is called in the end. */
static int make(Stage *stage, int i, const Folder *folder, const Part parts[2], cnnc_error *error) {
    char *path = stage->made[i] = concatenate(stage->folder, "/", output_names[i]);
    if (!path) return cnnc_fail_system(error, "%s: no memory for its name", stage->final[i]);
    cnnc_error wrong = {0};
    if (write_output(i, path, folder, parts, &wrong) == CNNC_OK) return CNNC_OK;
    size_t n = strlen(path);
    return cnnc_fail_system(error, "%s%s", stage->final[i], strncmp(wrong.text, path, n) ? ": cannot be written" : wrong.text + n);
}

/* Keeps a file under another name, by a link, so that there is never none; by a rename where the file system has no links. */
static bool put_aside(const char *path, const char *aside) {
    struct stat status;
    if (link(path, aside) == 0) return true;
    int reason = errno;
    if (reason != ENOENT && lstat(path, &status) == 0 && !S_ISDIR(status.st_mode)) return rename(path, aside) == 0;
    return errno = reason, false;
}

/* Gives file i its name. What had that name is kept in the folder as old[i], which stays NULL where there was nothing. */
static int replace(Stage *stage, int i, cnnc_error *error) {
    char *old = concatenate(stage->folder, "/old.", output_names[i]);
    if (!old) return cnnc_fail_system(error, "%s: no memory for its old file's name", stage->final[i]);
    bool kept = put_aside(stage->final[i], old);
    if (kept) stage->old[i] = old;
    else free(old);
    if ((kept || errno == ENOENT) && rename(stage->made[i], stage->final[i]) == 0) return CNNC_OK;
    return cnnc_fail_system(error, "%s: cannot be written: %s", stage->final[i], strerror(errno));
}

/* Gives the files their names; when one cannot have its, all is as it was before. */
static int publish(Stage *stage, int count, cnnc_error *error) {
    for (int i = 0; i < count; i++) {
        if (replace(stage, i, error) == CNNC_OK) continue;
        for (int k = i; k >= 0; k--)
            if (stage->old[k]) (void)rename(stage->old[k], stage->final[k]); /* the failure is told already */
            else if (k < i) unlink(stage->final[k]);
        return CNNC_FAILED;
    }
    return CNNC_OK;
}

int outputs_write(const char *prefix, const Folder *folder, const Part parts[2], cnnc_error *error) {
    Stage stage;
    if (stage_begin(&stage, prefix, error) != CNNC_OK) return CNNC_FAILED;
    int result = CNNC_OK, count = parts[1].x.count ? OUTPUTS : OUTPUTS - 2;
    for (int i = 0; i < count && result == CNNC_OK; i++) result = make(&stage, i, folder, parts, error);
    if (result == CNNC_OK) result = publish(&stage, count, error);
    stage_end(&stage);
    return result;
}
