/* summary.c: Keras 3's summary table (keras/src/utils/summary_utils.py), as rich draws it: the same widths, the same
 * wrapping, the same ellipses, the same colours.
 *
 * A cell is a text in which each character has a style. It is wrapped at spaces to the width of its column; a word that
 * is too long for it is cut by an ellipsis.
 */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 4, CELL = 1024, LINES = 64, NARROWEST = 40 };

typedef enum look { PLAIN, BOLD, SYMBOL, NUMBER, NOTHING } look;

static const char *const sequences[] = {"", "\x1b[1m", "\x1b[38;5;33m", "\x1b[38;5;34m", "\x1b[38;5;45m"};

typedef struct cell {
    char text[CELL]; /* longer ones are cut */
    unsigned char styles[CELL];
    int length;
} cell;

typedef struct table {
    FILE *out;
    int color, columns;
    int width[COLUMNS]; /* of the text; a space on either side comes to it */
    cell cells[COLUMNS];
} table;

static void put(cell *c, look style, const char *text) {
    for (; *text && c->length < CELL; text++) {
        c->styles[c->length] = (unsigned char)style;
        c->text[c->length++] = *text;
    }
}

/* 1,234,567 */
static void put_count(cell *c, look style, size_t count) {
    char digits[32], text[48];
    int n = snprintf(digits, sizeof digits, "%zu", count), used = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
    put(c, style, text);
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static void spaces(FILE *out, int n) {
    while (n-- > 0)
        fputc(' ', out);
}

static void print_run(const table *t, look style, const char *text, int length) {
    int sequence = t->color && style != PLAIN;
    fprintf(t->out, "%s%.*s%s", sequence ? sequences[style] : "", length, text, sequence ? "\x1b[0m" : "");
}

/* Where the lines of a cell begin, as rich wraps; there are *count of them. starts[*count] is the cell's length. */
static void wrap(const cell *c, int width, int starts[LINES + 1], int *count) {
    int used = 0;
    *count = 0;
    starts[(*count)++] = 0;
    for (int i = 0; i < c->length;) {
        int end = i, next;
        while (end < c->length && c->text[end] != ' ')
            end++;
        for (next = end; next < c->length && c->text[next] == ' ';)
            next++;
        if (end - i > width - used && i > 0 && *count < LINES) {
            starts[(*count)++] = i;
            used = 0;
        }
        used += next - i;
        i = next;
    }
    starts[*count] = c->length;
}

/* Characters begin .. end - 1 of a cell in runs of one style, at most width columns of them. */
static void print_line(const table *t, const cell *c, int begin, int end, int width, int right) {
    while (end > begin && c->text[end - 1] == ' ')
        end--;
    int cut = end - begin > width, shown = cut ? width - 1 : end - begin;
    if (right)
        spaces(t->out, width - shown - cut);
    for (int i = begin; i < begin + shown;) {
        int run = i;
        while (run < begin + shown && c->styles[run] == c->styles[i])
            run++;
        if (cut && run == begin + shown && c->styles[run] == c->styles[i]) { /* the ellipsis belongs to this run */
            char text[CELL + 4];
            int length = snprintf(text, sizeof text, "%.*s…", run - i, c->text + i);
            print_run(t, c->styles[i], text, length);
            cut = 0;
            shown++;
            break;
        }
        print_run(t, c->styles[i], c->text + i, run - i);
        i = run;
    }
    if (cut)
        fputs("…", t->out);
    if (!right)
        spaces(t->out, width - shown - cut);
}

static void print_rule(const table *t, const char *left, const char *line, const char *cross, const char *right) {
    for (int c = 0; c < t->columns; c++) {
        fputs(c ? cross : left, t->out);
        for (int i = 0; i < t->width[c] + 2; i++)
            fputs(line, t->out);
    }
    fprintf(t->out, "%s\n", right);
}

static int right_aligned(int column) {
    return column == 2;
}

/* The cells, and empties them. */
static void print_row(table *t) {
    int starts[COLUMNS][LINES + 1], counts[COLUMNS], lines = 1;
    for (int c = 0; c < t->columns; c++) {
        wrap(&t->cells[c], t->width[c], starts[c], &counts[c]);
        lines = counts[c] > lines ? counts[c] : lines;
    }
    for (int k = 0; k < lines; k++) {
        for (int c = 0; c < t->columns; c++) {
            fputs("│ ", t->out);
            int there = k < counts[c];
            print_line(t, &t->cells[c], there ? starts[c][k] : 0, there ? starts[c][k + 1] : 0, t->width[c],
                       right_aligned(c));
            fputc(' ', t->out);
        }
        fputs("│\n", t->out);
    }
    for (int c = 0; c < t->columns; c++)
        t->cells[c].length = 0;
}

static void print_header(const table *t) {
    static const char *const names[] = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
    for (int c = 0; c < t->columns; c++) {
        char text[CELL];
        fputs("┃", t->out);
        snprintf(text, sizeof text, right_aligned(c) ? "%*s" : "%-*s", t->width[c], names[c]);
        print_run(t, BOLD, " ", 1);
        print_run(t, BOLD, text, t->width[c]);
        print_run(t, BOLD, " ", 1);
    }
    fputs("┃\n", t->out);
}

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static int half_even(int numerator, int denominator) {
    int quotient = numerator / denominator, twice = 2 * (numerator % denominator);
    return quotient + (twice > denominator || (twice == denominator && quotient % 2));
}

/* Keras asks for widths that do not leave room for padding and borders; rich takes what is missing evenly from all. */
static void set_widths(table *t, int terminal) {
    static const double chain[] = {0.45, 0.80, 1.0}, graph[] = {0.3, 0.56, 0.74, 1.0};
    const double *positions = t->columns == 3 ? chain : graph;
    int most = t->columns == 3 ? 88 : 108, total = terminal - 4 < most ? terminal - 4 : most, begin = 0, sum = 0;
    total = total < NARROWEST ? NARROWEST : total;
    for (int c = 0; c < t->columns; c++) {
        int end = (int)(positions[c] * total);
        t->width[c] = end - begin + 2;
        sum += t->width[c];
        begin = end;
    }
    int excess = sum - (total - t->columns - 1);
    for (int c = 0; c < t->columns; c++) {
        int less = half_even(excess, t->columns - c);
        t->width[c] -= less + 2;
        excess -= less;
    }
}

/* ---- content ----------------------------------------------------------------------------------------------------- */

/* Whether each layer reads the one before it and nothing else. */
static int is_chain(const cnnc_network *network) {
    for (int i = 0; i < network->layer_count; i++) {
        const char *inputs = network->layers[i].inputs;
        if (i == 0 ? *inputs != 0 : strcmp(inputs, network->layers[i - 1].name) != 0)
            return 0;
    }
    return network->output_count <= 1;
}

static void put_layer(table *t, const cnnc_layer *layer) {
    cell *name = &t->cells[0], *shape = &t->cells[1], *connected = &t->cells[3];
    put(name, PLAIN, layer->name);
    put(name, PLAIN, " (");
    put(name, SYMBOL, layer->kind);
    put(name, PLAIN, ")");
    put(shape, PLAIN, "(");
    put(shape, NOTHING, "None");
    for (int i = 0; i < layer->rank; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", layer->shape[i]);
        put(shape, PLAIN, ", ");
        put(shape, NUMBER, text);
    }
    put(shape, PLAIN, ")");
    put_count(&t->cells[2], NUMBER, layer->parameters);
    if (t->columns < 4)
        return;
    for (const char *p = layer->inputs; *p;) {
        char from[128];
        size_t length = strcspn(p, ",");
        snprintf(from, sizeof from, "%.*s[", (int)length, p);
        put(connected, PLAIN, from);
        put(connected, NUMBER, "0");
        put(connected, PLAIN, "][");
        put(connected, NUMBER, "0");
        put(connected, PLAIN, "]");
        p += length;
        if (*p)
            put(connected, PLAIN, ", ");
        p += strspn(p, ", ");
    }
    if (!*layer->inputs)
        put(connected, PLAIN, "-");
}

static void print_total(const table *t, const char *what, size_t count, size_t element) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    cell number = {.length = 0};
    double size = (double)count * (double)element;
    int unit = 0;
    for (; unit < 5 && size / 1024 >= 1; unit++)
        size /= 1024;
    put_count(&number, NUMBER, count);
    print_run(t, BOLD, what, (int)strlen(what));
    print_run(t, NUMBER, number.text, number.length);
    fprintf(t->out, " (%.2f %s)\n", size, units[unit]);
}

int cnnc_summary(const cnnc_network *network, FILE *out, int columns, int color, cnnc_error *error) {
    table *t = calloc(1, sizeof *t);
    if (!t)
        return cnnc_fail_system(error, "no memory for the summary");
    int chain = is_chain(network);
    t->out = out;
    t->color = color;
    t->columns = chain ? 3 : 4;
    set_widths(t, columns);
    fprintf(out, "%sModel: \"%s\"%s\n", color ? "\x1b[1m" : "", network->name, color ? "\x1b[0m" : "");
    print_rule(t, "┏", "━", "┳", "┓");
    print_header(t);
    print_rule(t, "┡", "━", "╇", "┩");
    int first = chain && network->layer_count > 0; /* a chain's input has no row */
    for (int i = first; i < network->layer_count; i++) {
        if (i > first)
            print_rule(t, "├", "─", "┼", "┤");
        put_layer(t, &network->layers[i]);
        print_row(t);
    }
    print_rule(t, "└", "─", "┴", "┘");
    size_t trainable = 0, fixed = 0, element = cnnc_type_size(network->type);
    for (int i = 0; i < network->parameters_length; i++)
        *(network->parameters[i].trainable ? &trainable : &fixed) += network->parameters[i].count;
    print_total(t, " Total params: ", trainable + fixed, element);
    print_total(t, " Trainable params: ", trainable, element);
    print_total(t, " Non-trainable params: ", fixed, element);
    free(t);
    return fflush(out) == 0 && !ferror(out) ? CNNC_OK : cnnc_fail_system(error, "the summary cannot be written");
}

int cnnc_columns(FILE *out) {
    const char *columns = getenv("COLUMNS");
    long asked = columns ? strtol(columns, NULL, 10) : 0;
    if (asked > 0 && asked < 10000)
        return (int)asked;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
#endif
    return 80;
}
