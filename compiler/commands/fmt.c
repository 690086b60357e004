/* fmt.c: cnnc fmt NET..., descriptions in one form, with their comments and blank lines.
 *
 * A run of lines without a blank or a comment line between them is set in columns: word, values by position, the rest;
 * comments behind statements stand below each other. Statements come from parse, so that what is written says the same;
 * what lies between them comes from the text. Only where a line is continued is decided anew.
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 118,         /* of a line; longer statements are continued */
    WIDEST_COLUMN = 40,  /* what is longer is not waited for */
    FARTHEST_COMMENT = 90
};

typedef enum { BLANK, COMMENT, STATEMENT } LineKind;

/* A line as it is meant: continuations joined. */
typedef struct Line {
    LineKind kind;
    const Statement *statement;
    const char *comment;  /* from its '#'; NULL: none */
    const char *text;     /* of a statement, without the comment; may be several lines */
} Line;

typedef struct Lines { Line *items; int length; } Lines;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* From start, which is a '#', to the end of the line. A '\' at the very end would continue it: a space stays behind it. */
static const char *comment_text(Arena *arena, const char *start, const char *end) {
    while (end > start && is_space(end[-1])) end--;
    return arena_printf(arena, "%.*s%s", (int)(end - start), start, end[-1] == '\\' ? " " : "");
}

/* Reads one line with its continuations from *at on. */
static Line read_line(Arena *arena, const char **at, const char *end) {
    Line line = {.kind = BLANK};
    for (const char *s = *at; s < end; s++) {
        const char *after = s + 1 < end && s[1] == '\r' ? s + 2 : s + 1;
        if (*s == '\\' && after < end && *after == '\n') {
            s = after;
        } else if (*s == '#') {
            const char *stop = memchr(s, '\n', (size_t)(end - s));
            line.comment = comment_text(arena, s, stop ? stop : end);
            if (line.kind == BLANK) line.kind = COMMENT;
            *at = stop ? stop + 1 : end;
            return line;
        } else if (*s == '\n') {
            *at = s + 1;
            return line;
        } else if (!is_space(*s)) {
            line.kind = STATEMENT;
        }
    }
    *at = end;
    return line;
}

static Lines read_lines(Arena *arena, const Description *d) {
    Lines lines = {0};
    const char *at = d->source->text, *end = at + d->source->length;
    int statements = 0;
    if (end - at >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) at += 3;
    while (at < end) {
        Line line = read_line(arena, &at, end);
        if (line.kind == STATEMENT && statements == d->length) bug("more statements in the text than in the description");
        if (line.kind == STATEMENT) line.statement = &d->statements[statements++];
        *PUSH(arena, lines.items, lines.length) = line;
    }
    while (lines.length && lines.items[lines.length - 1].kind == BLANK) lines.length--;
    return lines;
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

/* What is set below each other: inputs and layers, settings (compile, fit), and nothing of network and output. */
typedef enum { LAYERS, SETTINGS, NAMES } Group;

static Group group_of(const Statement *s) {
    const Callable *c;
    for (int i = 0; (c = statement_family(i)); i++)
        if (!strcmp(c->name, s->word.text)) return SETTINGS;
    return !strcmp(s->word.text, "network") || !strcmp(s->word.text, "output") ? NAMES : LAYERS;
}

static const char *head_text(Arena *arena, const Statement *s) {
    return s->name.text ? arena_printf(arena, "%s = %s", s->name.text, s->word.text) : s->word.text;
}

static int positional_count(const Statement *s) {
    int n = 0;
    while (n < s->argument_count && !s->arguments[n].key) n++;
    return n;
}

static int positional_width(const Statement *s) {
    int width = -1, n = positional_count(s);
    for (int i = 0; i < n && width <= WIDEST_COLUMN; i++) width += 1 + (int)strlen(s->arguments[i].value.text);
    return width;
}

typedef struct Columns { int head, positional; } Columns; /* widths; 0: nothing is set below another */

static int wider(int width, int other) { return other > width && other <= WIDEST_COLUMN ? other : width; }

/* Of the statements first .. end - 1, which are of one group. */
static Columns measure_columns(Arena *arena, const Lines *lines, int first, int end) {
    Columns columns = {0};
    if (group_of(lines->items[first].statement) == NAMES) return columns;
    for (int i = first; i < end; i++) {
        const Statement *s = lines->items[i].statement;
        int n = positional_count(s);
        if (s->argument_count) columns.head = wider(columns.head, (int)strlen(head_text(arena, s)));
        if (n && n < s->argument_count) columns.positional = wider(columns.positional, positional_width(s));
    }
    return columns;
}

/* Behind the last of the statements from `first` on that are of its group and follow one another. */
static int group_end(const Lines *lines, int first) {
    Group group = group_of(lines->items[first].statement);
    int end = first + 1;
    while (end < lines->length && lines->items[end].kind == STATEMENT && group_of(lines->items[end].statement) == group) end++;
    return end;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

typedef struct Writer { StrBuf out; size_t line_start; int words; } Writer;

/* One more word, `gap` spaces behind what is there, or on a line of its own where it would not fit; the layer's word is never
 * left alone. */
static void put(Writer *w, const char *word, int gap) {
    size_t length = strlen(word), column = w->out.length - w->line_start;
    if (w->words++ > 1 && column + (size_t)gap + length > WIDTH) {
        strbuf_add(&w->out, " \\\n");
        w->line_start = w->out.length;
        gap = 4;
    }
    strbuf_printf(&w->out, "%*s%s", gap, "", word);
}

/* The gap behind something of `width`, of a column that is `widest` wide. */
static int gap_behind(int width, int widest) { return widest && width <= widest ? widest - width + 2 : widest ? 2 : 1; }

static const char *statement_text(Arena *arena, const Statement *s, Columns columns) {
    Writer w = {0};
    const char *head = head_text(arena, s);
    int n = positional_count(s);
    put(&w, head, 0);
    for (int i = 0; i < s->argument_count; i++) {
        const Argument *a = &s->arguments[i];
        int gap = i == 0 ? gap_behind((int)strlen(head), columns.head) : i == n ? gap_behind(positional_width(s), columns.positional) : 1;
        put(&w, a->key ? arena_printf(arena, "%s=%s", a->key, a->value.text) : a->value.text, gap);
    }
    for (int i = 0; i < s->from_count; i++)
        put(&w, arena_printf(arena, "%s%s%s", i ? "" : "from ", s->from[i].text, i + 1 < s->from_count ? "," : ""), 1);
    const char *text = arena_string(arena, w.out.text, w.out.length);
    strbuf_free(&w.out);
    return text;
}

static int last_line_width(const char *text) {
    const char *line = strrchr(text, '\n');
    return (int)strlen(line ? line + 1 : text);
}

/* Where the comments behind the statements first .. end - 1 stand. */
static int comment_column(const Lines *lines, int first, int end) {
    int column = 0;
    for (int i = first; i < end; i++) {
        int width = lines->items[i].comment ? last_line_width(lines->items[i].text) : 0;
        if (width > column && width <= FARTHEST_COMMENT) column = width;
    }
    return column;
}

/* The statements first .. end - 1, between which nothing else stands. */
static void write_run(Arena *arena, const Lines *lines, int first, int end, StrBuf *out) {
    for (int i = first, stop; i < end; i = stop) {
        stop = group_end(lines, i);
        Columns columns = measure_columns(arena, lines, i, stop);
        for (int k = i; k < stop; k++) lines->items[k].text = statement_text(arena, lines->items[k].statement, columns);
    }
    int column = comment_column(lines, first, end);
    for (int i = first; i < end; i++) {
        const Line *line = &lines->items[i];
        strbuf_add(out, line->text);
        if (line->comment) strbuf_printf(out, "%*s%s", gap_behind(last_line_width(line->text), column), "", line->comment);
        strbuf_add(out, "\n");
    }
}

void format_description(Arena *arena, const Description *d, StrBuf *out) {
    Lines lines = read_lines(arena, d);
    for (int i = 0, end; i < lines.length; i = end) {
        const Line *line = &lines.items[i];
        end = i + 1;
        if (line->kind == STATEMENT) {
            while (end < lines.length && lines.items[end].kind == STATEMENT) end++;
            write_run(arena, &lines, i, end, out);
        } else {
            strbuf_printf(out, "%s\n", line->kind == COMMENT ? line->comment : "");
        }
    }
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

/* Writes one description back, or says whether it would change. An exit status. */
static int format_file(const char *path, const NetworkOptions *network, bool check) {
    Compilation c;
    StrBuf out = {0};
    int status = EXIT_USAGE;
    bool input = !strcmp(path, "-");
    const char *failure = NULL;
    compilation_init(&c, false);
    if (apply_network_options(&c, network)) {
        status = compile(&c, path, "parse", NULL, NULL);
        print_diagnostics(&c);
    }
    if (status == EXIT_FINE) {
        format_description(c.arena, &c.description, &out);
        bool same = out.length == c.source.length && (!out.length || !memcmp(out.text, c.source.text, out.length));
        if (check && !same) status = EXIT_INPUT, puts(path);
        else if (!check && input && out.length) fwrite(out.text, 1, out.length, stdout);
        else if (!check && !input) failure = write_file(c.arena, path, out.text, out.length);
    }
    if (failure) say_error("%s", failure), status = EXIT_FILE;
    strbuf_free(&out);
    compilation_free(&c);
    return status;
}

int command_fmt(int argc, char **argv) {
    NetworkOptions network = {0};
    bool check = false;
    Arena *arena = arena_new();
    const char **paths = NEW_ARRAY(arena, const char *, argc);
    static const char *const names[] = {"the network's file"};
    const Option options[] = {
        {"--check", NULL, &check, NULL, 0, 0, NULL, "write nothing; name the files that would change, and end with 1 if there are any"},
        MESSAGE_OPTIONS(network),
    };
    const CommandLine line = {"fmt", options, LENGTH(options), names, paths, argc};
    int status = parse_some_options(argc, argv, &line, 1) ? EXIT_FINE : EXIT_USAGE;
    for (int i = 0; i < argc && paths[i] && status != EXIT_USAGE; i++) {
        int other = format_file(paths[i], &network, check);
        if (other > status) status = other;
    }
    arena_free(arena);
    return status;
}
