/* progress.c: Keras 3's progress bar (keras/src/utils/progbar.py), byte for byte; without colour when asked. */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20 };

static const double interval = 0.05; /* seconds between updates */

double cnnc_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

cnnc_progress_mode cnnc_progress_choose(int verbose, FILE *out) {
    if (verbose <= 0)
        return CNNC_PROGRESS_SILENT;
    return verbose == 1 && isatty(fileno(out)) ? CNNC_PROGRESS_BAR : CNNC_PROGRESS_LINE;
}

int cnnc_progress_color(FILE *out) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

void cnnc_progress_begin(cnnc_progress *progress, FILE *out, cnnc_progress_mode mode, int color, int target, double now) {
    *progress = (cnnc_progress){.out = out, .mode = mode, .color = color, .target = target, .start = now};
    progress->after_first_step = -1;
}

/* The first step is slower than the others: later estimates leave it out. */
static double step_seconds(cnnc_progress *progress, int current, double now) {
    if (current <= 0)
        return 0;
    double seconds = progress->after_first_step >= 0 && current > 1
                         ? (now - progress->after_first_step) / (current - 1)
                         : (now - progress->start) / current;
    if (current == 1)
        progress->after_first_step = now;
    return seconds;
}

static const char *escape(const cnnc_progress *progress, const char *sequence) {
    return progress->color ? sequence : "";
}

/* The functions below return the columns they have printed. */

static int print_bar(const cnnc_progress *progress, int current) {
    int digits = snprintf(NULL, 0, "%d", progress->target);
    int full = (int)(BAR * ((double)current / progress->target));
    full = full > BAR ? BAR : full;
    fputs(escape(progress, "\x1b[1m"), progress->out);
    int columns = fprintf(progress->out, "%*d/%d", digits, current, progress->target);
    fprintf(progress->out, "%s ", escape(progress, "\x1b[0m"));
    if (full > 0)
        fputs(escape(progress, "\x1b[32m"), progress->out);
    for (int i = 0; i < full; i++)
        fputs("━", progress->out);
    if (full > 0)
        fputs(escape(progress, "\x1b[0m"), progress->out);
    fputs(escape(progress, "\x1b[37m"), progress->out);
    for (int i = full; i < BAR; i++)
        fputs(progress->color ? "━" : " ", progress->out); /* without colour, full and empty have to differ otherwise */
    fputs(escape(progress, "\x1b[0m"), progress->out);
    return columns + 1 + BAR;
}

static int print_eta(FILE *out, double eta) {
    if (eta > 3600)
        return fprintf(out, "%.0f:%02d:%02d", floor(eta / 3600), (int)(fmod(eta, 3600) / 60), (int)fmod(eta, 60));
    if (eta > 60)
        return fprintf(out, "%d:%02d", (int)(eta / 60), (int)fmod(eta, 60));
    return fprintf(out, "%ds", (int)eta);
}

static int print_step_time(FILE *out, double seconds) {
    if (seconds >= 1 || seconds <= 0)
        return fprintf(out, " %.0fs/step", seconds);
    if (seconds >= 1e-3)
        return fprintf(out, " %.0fms/step", seconds * 1e3);
    return fprintf(out, " %.0fus/step", seconds * 1e6);
}

static int print_values(FILE *out, const char *const *names, const double *values, int count, int line) {
    int columns = 0;
    for (int i = 0; i < count; i++) {
        double size = line ? values[i] : fabs(values[i]); /* Keras's own asymmetry */
        if (isnan(values[i])) /* C may print its sign */
            columns += fprintf(out, " - %s: nan", names[i]);
        else
            columns += fprintf(out, size > 1e-3 ? " - %s: %.4f" : " - %s: %.4e", names[i], values[i]);
    }
    return columns;
}

static void print_line(cnnc_progress *progress, int current, const char *const *names, const double *values, int count,
                       double now, double step) {
    int digits = snprintf(NULL, 0, "%d", progress->target);
    fprintf(progress->out, "%*d/%d - %.0fs -", digits, current, progress->target, now - progress->start);
    print_step_time(progress->out, step);
    print_values(progress->out, names, values, count, 1);
    fputc('\n', progress->out);
    fflush(progress->out);
}

void cnnc_progress_update(cnnc_progress *progress, int current, const char *const *names, const double *values,
                          int count, int finalize, double now) {
    if (progress->mode == CNNC_PROGRESS_SILENT)
        return;
    FILE *out = progress->out;
    double step = step_seconds(progress, current, now);
    if (progress->mode == CNNC_PROGRESS_LINE) {
        if (finalize)
            print_line(progress, current, names, values, count, now, step);
        return;
    }
    if (now - progress->last_update < interval && !finalize)
        return;
    for (int i = 0; i < progress->width; i++)
        fputc('\b', out);
    fputc('\r', out);
    int columns = print_bar(progress, current);
    columns += 1;
    fprintf(out, " %s", escape(progress, "\x1b[1m"));
    columns += finalize ? fprintf(out, "%.0fs", now - progress->start) : print_eta(out, step * (progress->target - current));
    fputs(escape(progress, "\x1b[0m"), out);
    columns += print_step_time(out, step);
    columns += print_values(out, names, values, count, 0);
    for (int i = columns; i < progress->width; i++)
        fputc(' ', out);
    if (finalize)
        fputc('\n', out);
    fflush(out);
    progress->width = finalize ? 0 : columns;
    progress->last_update = now;
}

void cnnc_progress_break(cnnc_progress *progress) {
    if (progress->width)
        fputc('\n', progress->out);
    if (progress->mode != CNNC_PROGRESS_SILENT)
        fflush(progress->out);
    progress->width = 0;
}
