/* csv_log.c: a line of results an epoch, as Keras's CSVLogger writes it. A training that goes on from a checkpoint keeps the
 * lines of the epochs before, and no others: the file is that of a training that never stopped. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct logger {
    const char *path;
    cnnc_shown shown;
    int needs_header;
} logger;

static int write_failed(const logger *l, cnnc_error *error) {
    return cnnc_fail_system(error, "%s: cannot be written: %s", l->path, errno ? strerror(errno) : "a write failed");
}

/* Columns by name; "learning_rate" among them. */
static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static double value_of(const cnnc_shown *s, const char *name) {
    int i = 0;
    while (strcmp(s->names[i], name))
        i++;
    return s->values[i];
}

static int write_row(logger *l, const cnnc_event *event, FILE *out) {
    cnnc_shown *s = &l->shown;
    char text[CNNC_NUMBER];
    cnnc_shown_set(s, event->results, event->validation);
    if (event->shows_rate)
        cnnc_shown_rate(s, event->learning_rate);
    const char **sorted = malloc((size_t)s->count * sizeof *sorted);
    if (!sorted)
        return -1;
    memcpy(sorted, s->names, (size_t)s->count * sizeof *sorted);
    qsort(sorted, (size_t)s->count, sizeof *sorted, by_name);
    if (l->needs_header) {
        fprintf(out, "epoch");
        for (int i = 0; i < s->count; i++)
            fprintf(out, ",%s", sorted[i]);
        fprintf(out, "\r\n");
        l->needs_header = 0;
    }
    fprintf(out, "%d", event->epoch);
    for (int i = 0; i < s->count; i++)
        fprintf(out, ",%s", cnnc_number_text(text, value_of(s, sorted[i])));
    fprintf(out, "\r\n");
    free(sorted);
    return 0;
}

static int after_epoch(logger *l, const cnnc_event *event) {
    errno = 0;
    FILE *out = fopen(l->path, "ab");
    if (!out)
        return write_failed(l, event->error);
    int bad = write_row(l, event, out) != 0 || ferror(out);
    bad |= fclose(out) != 0;
    return bad ? write_failed(l, event->error) : CNNC_OK;
}

/* How many bytes the header and whole lines of epochs below `epoch` take. */
static size_t kept_bytes(const char *bytes, size_t size, int epoch) {
    size_t kept = 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(bytes + at, '\n', size - at);
        if (!end || (at > 0 && strtol(bytes + at, NULL, 10) >= epoch))
            break;
        kept = at = (size_t)(end - bytes) + 1;
    }
    return kept;
}

/* The log of the training that goes on; none where there is no file, or a device. */
static int read_log(const logger *l, unsigned char **bytes, size_t *size, cnnc_error *error) {
    struct stat status;
    if (stat(l->path, &status) != 0)
        return errno == ENOENT ? CNNC_OK : cnnc_fail_system(error, "%s: %s", l->path, strerror(errno));
    return S_ISREG(status.st_mode) ? cnnc_file_bytes(l->path, bytes, size, error) : CNNC_OK;
}

static int begin(logger *l, const cnnc_event *event) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (event->resumed && read_log(l, &bytes, &size, event->error) != CNNC_OK)
        return CNNC_FAILED;
    if (bytes)
        size = kept_bytes((const char *)bytes, size, event->epoch);
    l->needs_header = size == 0;
    cnnc_output output;
    int result = cnnc_output_begin(&output, l->path, event->error);
    if (result == CNNC_OK) {
        if (size > 0)
            fwrite(bytes, 1, size, output.stream);
        result = cnnc_output_commit(&output, event->error);
    }
    free(bytes);
    return result;
}

static int call(void *context, cnnc_model *model, const cnnc_event *event) {
    (void)model;
    if (event->kind == CNNC_TRAIN_BEGIN)
        return begin(context, event);
    return event->kind == CNNC_EPOCH_END ? after_epoch(context, event) : CNNC_OK;
}

static void free_logger(void *context) {
    logger *l = context;
    cnnc_shown_free(&l->shown);
    free(l);
}

int cnnc_csv_log_new(const cnnc_network *network, const char *path, cnnc_hook *hook, cnnc_error *error) {
    logger *l = calloc(1, sizeof *l);
    *hook = (cnnc_hook){0};
    if (!l)
        return cnnc_fail_system(error, "no memory for the log %s", path);
    l->path = path;
    if (cnnc_shown_new(&l->shown, network, error) != CNNC_OK) {
        free(l);
        return CNNC_FAILED;
    }
    *hook = (cnnc_hook){.name = "csv_log", .call = call, .context = l, .free = free_logger};
    return CNNC_OK;
}
