/* tensorboard.c: results for TensorBoard, where and as Keras's callback writes those of its epochs. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct board {
    const cnnc_network *network;
    const char *folder;
    FILE *files[2]; /* of training, of validation; NULL: not begun */
    int first;      /* epoch of this process */
    int resumed;
} board;

static const char *const parts[] = {"train", "validation"};

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int file_failed(const board *b, cnnc_error *error) {
    return cnnc_fail_system(error, "%s: an event file cannot be written: %s", b->folder, strerror(errno));
}

/* Each run has a file of its own, which a reader puts after older ones. One that goes on voids what others have of its epochs. */
static int open_file(board *b, int part, cnnc_error *error) {
    size_t room = strlen(b->folder) + 512;
    char host[256] = "", *path = malloc(room);
    double now = wall_clock();
    if (!path)
        return cnnc_fail_system(error, "%s: no memory", b->folder);
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        *c = *c == '/' ? '_' : *c;
    int length = snprintf(path, room, "%s/%s", b->folder, parts[part]);
    if (cnnc_make_folders(path)) {
        snprintf(path + length, room - (size_t)length, "/events.out.tfevents.%017.6f.%s.%ld.%d.v2", now, host, (long)getpid(), part);
        b->files[part] = fopen(path, "ab");
    }
    free(path);
    if (!b->files[part] || cnnc_tfevents_version(b->files[part], now) != 0 || (b->resumed && cnnc_tfevents_start(b->files[part], now, b->first) != 0))
        return file_failed(b, error);
    return CNNC_OK;
}

static int write_results(board *b, int part, const double *results, const cnnc_event *event) {
    char tag[256];
    int bad = 0;
    if (!b->files[part] && open_file(b, part, event->error) != CNNC_OK)
        return CNNC_FAILED;
    for (int i = 0; i <= b->network->metric_count && !bad; i++) {
        snprintf(tag, sizeof tag, "epoch_%s", cnnc_result_name(b->network, i));
        bad = cnnc_tfevents_scalar(b->files[part], wall_clock(), event->epoch, tag, (float)results[i]);
    }
    if (part == 0 && !bad)
        bad = cnnc_tfevents_scalar(b->files[part], wall_clock(), event->epoch, "epoch_learning_rate", (float)event->learning_rate);
    return bad || fflush(b->files[part]) != 0 ? file_failed(b, event->error) : CNNC_OK;
}

static void close_files(board *b) {
    for (int i = 0; i < 2; i++)
        if (b->files[i])
            fclose(b->files[i]);
    b->files[0] = b->files[1] = NULL;
}

static int call(void *context, cnnc_model *model, const cnnc_event *event) {
    board *b = context;
    (void)model;
    if (event->kind == CNNC_TRAIN_BEGIN) {
        close_files(b);
        b->first = event->epoch;
        b->resumed = event->resumed;
        return open_file(b, 0, event->error); /* that it cannot be is better known now than after an epoch */
    }
    if (event->kind != CNNC_EPOCH_END)
        return CNNC_OK;
    int result = write_results(b, 0, event->results, event);
    return result == CNNC_OK && event->validation ? write_results(b, 1, event->validation, event) : result;
}

static void free_board(void *context) {
    close_files(context);
    free(context);
}

int cnnc_tensorboard_new(const cnnc_network *network, const char *folder, cnnc_hook *hook, cnnc_error *error) {
    board *b = calloc(1, sizeof *b);
    *hook = (cnnc_hook){0};
    if (!b)
        return cnnc_fail_system(error, "no memory for event files");
    b->network = network;
    b->folder = folder;
    *hook = (cnnc_hook){.name = "tensorboard", .call = call, .context = b, .free = free_board};
    return CNNC_OK;
}
