/* csv.c: CSV files (RFC 4180) whose first line names the columns: numbers, a line for each example.
 *
 * Fields may be quoted; lines end in LF or CRLF; a byte order mark is passed over. Which columns are the target: those that
 * stand behind the file's name ("data.csv:label"); else the column "label"; else the last ones. All others are the input,
 * in their order.
 */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

typedef struct field {
    const char *text; /* without quotes around it; two quotes in it mean one */
    size_t length;
    int quoted;
    size_t line, column; /* where it begins, from 1; columns in bytes */
} field;

typedef struct reader {
    const char *name;
    const char *p, *end, *line_start;
    size_t line;
    cnnc_error *error;
} reader;

/* The columns of a file. */
typedef struct table {
    const char *name;
    field *columns;
    size_t count, labels;
    size_t *place; /* 0: a feature; else 1 + its index among the labels */
    cnnc_error *error;
} table;

static size_t column(const reader *r) {
    return (size_t)(r->p - r->line_start) + 1;
}

static int at_line_end(const reader *r) {
    return r->p == r->end || *r->p == '\n' || (*r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n');
}

static void next_line(reader *r) {
    if (r->p < r->end && *r->p == '\r')
        r->p++;
    if (r->p < r->end)
        r->p++;
    r->line++;
    r->line_start = r->p;
}

/* Of a field, for "%.*s". */
static int shown(const field *f) {
    return f->length < 40 ? (int)f->length : 40;
}

/* Whether only ends of lines follow. */
static int at_end(const reader *r) {
    const char *p = r->p;
    while (p < r->end && (*p == '\n' || *p == '\r'))
        p++;
    return p == r->end;
}

static int quoted(reader *r, field *f) {
    f->text = ++r->p;
    f->quoted = 1;
    for (;; r->p++) {
        if (r->p == r->end)
            return cnnc_fail(r->error, "%s:%zu:%zu: the quoted field does not end", r->name, f->line, f->column);
        if (*r->p == '\n') {
            r->line++;
            r->line_start = r->p + 1;
        } else if (*r->p == '"') {
            if (r->p + 1 == r->end || r->p[1] != '"')
                break;
            r->p++;
        }
    }
    f->length = (size_t)(r->p++ - f->text);
    if (!at_line_end(r) && *r->p != ',')
        return cnnc_fail(r->error, "%s:%zu:%zu: a comma has to follow the quoted field", r->name, r->line, column(r));
    return CNNC_OK;
}

/* The field at the reader, without blanks around it; the reader then is at the comma or the line's end. */
static int read_field(reader *r, field *f) {
    *f = (field){.line = r->line, .column = column(r)};
    if (r->p < r->end && *r->p == '"')
        return quoted(r, f);
    f->text = r->p;
    while (!at_line_end(r) && *r->p != ',')
        r->p++;
    f->length = (size_t)(r->p - f->text);
    while (f->length && (*f->text == ' ' || *f->text == '\t'))
        f->text++, f->length--, f->column++;
    while (f->length && (f->text[f->length - 1] == ' ' || f->text[f->length - 1] == '\t'))
        f->length--;
    return CNNC_OK;
}

static int is_named(const field *f, const char *name, size_t length) {
    size_t i = 0;
    for (size_t k = 0; k < f->length; k++, i++) {
        if (i == length || f->text[k] != name[i])
            return 0;
        k += f->quoted && f->text[k] == '"';
    }
    return i == length;
}

/* ---- the first line ---------------------------------------------------------------------------------------------- */

static int add_column(table *t, const field *f, size_t *room) {
    if (t->count == *room) {
        *room = *room ? 2 * *room : 16; /* of a line that is in memory: cannot overflow */
        field *more = realloc(t->columns, *room * sizeof *more);
        if (!more)
            return cnnc_fail_system(t->error, "%s: no memory for %zu columns", t->name, *room);
        t->columns = more;
    }
    t->columns[t->count++] = *f;
    return CNNC_OK;
}

static int read_names(reader *r, table *t) {
    size_t room = 0, numbers = 0;
    double number;
    if (at_end(r))
        return cnnc_fail(r->error, "%s:1:1: the file is empty", r->name);
    for (;; r->p++) {
        field f;
        if (read_field(r, &f) != CNNC_OK || add_column(t, &f, &room) != CNNC_OK)
            return CNNC_FAILED;
        numbers += cnnc_decimal(f.text, f.length, &number) != CNNC_DECIMAL_NONE;
        if (at_line_end(r))
            break;
    }
    if (numbers == t->count)
        return cnnc_fail(r->error, "%s:1:1: the first line has to name the columns, but has numbers only: begin the file with a line of %zu names, as %s%slabel",
                         r->name, t->count, t->count > 1 ? "x1," : "", t->count > 2 ? "...," : "");
    next_line(r);
    t->place = calloc(t->count, sizeof *t->place);
    return t->place ? CNNC_OK : cnnc_fail_system(r->error, "%s: no memory for %zu columns", r->name, t->count);
}

/* Makes the column of that name the next label. found may be NULL when there has to be one. */
static int name_label(table *t, const char *name, size_t length, int *found) {
    size_t at = t->count;
    for (size_t i = 0; i < t->count; i++)
        if (is_named(&t->columns[i], name, length)) {
            if (at < t->count || t->place[i])
                return cnnc_fail(t->error, "%s:%zu:%zu: the column '%.*s' is there, or named as the label, twice", t->name,
                                 t->columns[i].line, t->columns[i].column, (int)length, name);
            at = i;
        }
    if (found)
        *found = at < t->count;
    if (at < t->count)
        t->place[at] = ++t->labels;
    else if (!found)
        return cnnc_fail(t->error, "%s:1:1: there is no column '%.*s'; the first is '%.*s', the last '%.*s'", t->name, (int)length, name,
                         shown(&t->columns[0]), t->columns[0].text, shown(&t->columns[t->count - 1]), t->columns[t->count - 1].text);
    return CNNC_OK;
}

/* The columns of a list "a:b". */
static int name_labels(table *t, const char *list) {
    for (const char *name = list;; name++) {
        size_t length = strcspn(name, ":");
        if (name_label(t, name, length, NULL) != CNNC_OK)
            return CNNC_FAILED;
        name += length;
        if (!*name)
            return CNNC_OK;
    }
}

/* Which columns are labels, when nobody names them. */
static int find_labels(table *t, size_t inputs) {
    int found = 0;
    size_t labels = t->count > inputs ? t->count - inputs : 0;
    if (labels <= 1 && name_label(t, "label", 5, &found) != CNNC_OK)
        return CNNC_FAILED;
    for (size_t i = t->count - labels; !found && i < t->count; i++)
        t->place[i] = ++t->labels;
    return CNNC_OK;
}

/* Whether input and target of the network are as many columns as there are. */
static int check_columns(const table *t, const cnnc_request *request) {
    const cnnc_tensor *input = &request->network->inputs[0];
    size_t features = t->count - t->labels;
    int fine = features == input->count;
    char target[160] = "";
    if (request->targets) {
        const cnnc_tensor *y = &request->network->targets[0];
        fine = fine && (t->labels == 0 || t->labels == y->count || (t->labels == 1 && y->classes > 0));
        snprintf(target, sizeof target, ", the target '%.60s' %zu%s", y->name, y->count, y->classes > 0 && y->count != 1 ? " or one, the class" : "");
    }
    if (fine)
        return CNNC_OK;
    return cnnc_fail(t->error, "%s:1:1: %zu columns, %zu of them labels, but the input '%s' of network %s takes %zu%s", t->name, t->count,
                     t->labels, input->name, request->network->name, input->count, target);
}

static int choose_labels(table *t, const cnnc_request *request) {
    if (request->single)
        return request->columns ? cnnc_fail(t->error, "%s: '%s': a column is named only of a file that has input and target", t->name, request->columns)
                                : CNNC_OK;
    int result = request->columns ? name_labels(t, request->columns) : find_labels(t, request->network->inputs[0].count);
    return result == CNNC_OK ? check_columns(t, request) : CNNC_FAILED;
}

/* ---- the other lines --------------------------------------------------------------------------------------------- */

static int refuse(const table *t, const field *f, size_t i, cnnc_decimal_result why) {
    const field *c = &t->columns[i];
    if (!f->length)
        return cnnc_fail(t->error, "%s:%zu:%zu: there is no value in column '%.*s'", t->name, f->line, f->column, shown(c), c->text);
    return cnnc_fail(t->error, "%s:%zu:%zu: '%.*s' in column '%.*s' %s", t->name, f->line, f->column, shown(f), f->text, shown(c), c->text,
                     why == CNNC_DECIMAL_BEYOND ? "is beyond the numbers of 64 bits" : "is not a number");
}

static int read_line(reader *r, const table *t, double *features, double *labels) {
    for (size_t i = 0; i < t->count; i++) {
        field f;
        double value;
        if (i && at_line_end(r))
            return cnnc_fail(r->error, "%s:%zu:%zu: the line ends after %zu of %zu fields", r->name, r->line, column(r), i, t->count);
        r->p += i > 0;
        if (read_field(r, &f) != CNNC_OK)
            return CNNC_FAILED;
        cnnc_decimal_result result = cnnc_decimal(f.text, f.length, &value);
        if (result != CNNC_DECIMAL_FINE)
            return refuse(t, &f, i, result);
        if (t->place[i])
            labels[t->place[i] - 1] = value;
        else
            *features++ = value;
    }
    if (!at_line_end(r))
        return cnnc_fail(r->error, "%s:%zu:%zu: more than the %zu fields that the first line names", r->name, r->line, column(r), t->count);
    next_line(r);
    return CNNC_OK;
}

/* At most so many lines follow: each has a line's end, and a digit and a separator for each column. */
static size_t most_lines(const reader *r, const table *t) {
    size_t ends = 1, left = (size_t)(r->end - r->p);
    for (const char *p = r->p; p < r->end && (p = memchr(p, '\n', (size_t)(r->end - p))); p++)
        ends++;
    return ends < left / 2 / t->count + 1 ? ends : left / 2 / t->count + 1;
}

static void *numbers(cnnc_array *array, size_t n, size_t each) {
    *array = (cnnc_array){.dtype = CNNC_DTYPE_F64, .rank = each == 1 ? 1 : 2, .shape = {n, each}};
    return array->data = cnnc_allocate(n * each * sizeof(double)); /* at most four times the file: cannot overflow */
}

static int read_lines(reader *r, const table *t, cnnc_array *x, cnnc_array *y) {
    size_t most = most_lines(r, t), n = 0, features = t->count - t->labels;
    if (at_end(r))
        return cnnc_fail(r->error, "%s:%zu:1: no examples follow the names of the columns", r->name, r->line);
    if (!numbers(x, most, features) || !numbers(y, most, t->labels))
        return cnnc_fail_system(r->error, "%s: no memory for %zu examples", r->name, most);
    for (; n < most && !at_end(r); n++)
        if (read_line(r, t, (double *)x->data + n * features, (double *)y->data + n * t->labels) != CNNC_OK)
            return CNNC_FAILED;
    x->shape[0] = y->shape[0] = n;
    x->count = n * features;
    y->count = n * t->labels;
    return CNNC_OK;
}

static int read_table(reader *r, table *t, const cnnc_request *request, cnnc_parts *parts) {
    cnnc_array x = {0}, y = {0};
    cnnc_origin origin = {.path = r->name, .unit = CNNC_AT_LINE, .step = 1};
    int result = read_names(r, t);
    if (result == CNNC_OK)
        result = choose_labels(t, request);
    origin.first = r->line;
    if (result == CNNC_OK)
        result = read_lines(r, t, &x, &y);
    if (result == CNNC_OK)
        result = cnnc_parts_add(parts, &x, origin, r->error);
    if (result == CNNC_OK && t->labels && request->targets)
        result = cnnc_parts_add(parts, &y, origin, r->error);
    cnnc_array_free(&x);
    cnnc_array_free(&y);
    return result;
}

static int recognise(const cnnc_file *file) {
    return cnnc_path_ends(file->path, ".csv");
}

static int read_file(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error) {
    const char *text = (const char *)file->bytes;
    reader r = {.name = file->path, .p = text, .end = text + file->size, .line_start = text, .line = 1, .error = error};
    table t = {.name = file->path, .error = error};
    if (!request->single && cnnc_request_pair(request, file->path, "a CSV file has an input and a target", error) != CNNC_OK)
        return CNNC_FAILED;
    if (file->size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        r.p = r.line_start = text + 3;
    int result = read_table(&r, &t, request, parts);
    free(t.columns);
    free(t.place);
    return result;
}

const cnnc_format cnnc_format_csv = {recognise, read_file, NULL};
