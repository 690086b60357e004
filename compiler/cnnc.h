/* cnnc.h: the map. One section per stage, in the order in which a network passes through them (see main.c).
 *
 * Two kinds of failure: error() and note() speak to the user (file:line:column, caret, hint); bug() is ours.
 * One arena per compilation; nothing is freed one by one.
 */
#ifndef CNNC_H
#define CNNC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CNNC_VERSION "0.1.0"
#define MAX_RANK 6 /* of a tensor, without the batch */

#if defined __GNUC__
#define PRINTF_LIKE(format, first) __attribute__((format(printf, format, first)))
#define NORETURN __attribute__((noreturn))
#else
#define PRINTF_LIKE(format, first)
#define NORETURN
#endif
#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- base/arena.c ------------------------------------------------------------------------------------------------
 * Memory that lives as long as the compilation. Allocation failure prints a message and exits with status 3. */
typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *);
void *arena_alloc(Arena *, size_t size);                     /* zeroed, 16-byte aligned */
char *arena_string(Arena *, const char *s, size_t length);   /* a terminated copy */
char *arena_printf(Arena *, const char *format, ...) PRINTF_LIKE(2, 3);
/* Grows an array: at least length + 1 elements, old contents kept. Used as items = arena_grow(a, items, n, sizeof *items) */
void *arena_grow(Arena *, void *items, size_t length, size_t size);
#define NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define NEW_ARRAY(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (size_t)(n)))
#define PUSH(arena, items, n) ((items) = arena_grow(arena, items, (size_t)(n), sizeof *(items)), (items) + (n)++)

/* ---- base/strbuf.c -----------------------------------------------------------------------------------------------
 * Text under construction; always terminated. */
typedef struct StrBuf { char *text; size_t length, capacity; } StrBuf; /* {0} is an empty one; freed by strbuf_free */
void strbuf_free(StrBuf *);
void strbuf_add(StrBuf *, const char *s);
void strbuf_add_n(StrBuf *, const char *s, size_t n);
void strbuf_printf(StrBuf *, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- base/diag.c -------------------------------------------------------------------------------------------------
 * Diagnostics like a compiler's. A Source keeps the text so that the line can be shown. */
typedef struct Source { const char *name; const char *text; size_t length; } Source;
typedef struct Loc { int line, column, length; } Loc; /* from 1; columns count bytes; length of the underlined text */
typedef struct Diag {
    const Source *source;
    bool color;
    int errors, warnings;
    int limit;      /* after this many errors (20) the rest is only counted */
    StrBuf out;     /* the text, printed to standard error by the driver at the end of a failing stage */
} Diag;
void error(Diag *, Loc, const char *format, ...) PRINTF_LIKE(3, 4);
void warning(Diag *, Loc, const char *format, ...) PRINTF_LIKE(3, 4);
void note(Diag *, Loc, const char *format, ...) PRINTF_LIKE(3, 4);   /* belongs to the last error; hidden with it */
void hint(Diag *, const char *format, ...) PRINTF_LIKE(2, 3);        /* "hint: ..." without a place */
/* The candidate nearest to word by edit distance, or NULL when none is near enough to suggest. */
const char *nearest(const char *word, const char *const *candidates, int n);
/* Our own mistake: prints "internal error", asks for a report, exits with status 4. */
NORETURN void bug(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- base/file.c -------------------------------------------------------------------------------------------------
 * Whole files. Errors are returned as a message (NULL: fine). */
const char *read_file(Arena *, const char *path, char **text, size_t *length);       /* "-": standard input */
const char *write_file(Arena *, const char *path, const char *text, size_t length);  /* whole or not at all; unchanged contents keep their time stamp */

/* ---- template.c --------------------------------------------------------------------------------------------------
 * The template engine. Templates are C with directive lines; docs/templates.md is its reference. */
typedef struct Bindings Bindings; /* names bound to integers, strings, lists and records */
Bindings *bindings_new(Arena *, const Bindings *parent); /* the parent's names need not be used, its own must */
void bind_int(Bindings *, const char *name, int64_t value);
void bind_string(Bindings *, const char *name, const char *value);
void bind_ints(Bindings *, const char *name, const int64_t *values, int n);
void bind_strings(Bindings *, const char *name, const char *const *values, int n);
void bind_records(Bindings *, const char *name, Bindings *const *values, int n); /* fields read as ${item.field}; need not be used */
void bind_optional(Bindings *, const char *name); /* name may stay unused */

typedef struct Templates Templates; /* parsed templates: the embedded ones, or those of a folder (--templates) */
Templates *templates_new(Arena *, const char *folder); /* folder NULL: only the embedded ones; else its files override them by name */
/* Expands the body of template `name` ("softmax") or one of its parameterless definitions ("softmax.forward").
 * False after an error, whose text ("softmax.c.tmpl:12: error: ...") is appended to *message. */
bool template_expand(Templates *, const char *name, const Bindings *, StrBuf *out, StrBuf *message);
/* Embedded at build by CMake (embed.cmake): pairs of file name ("softmax.c.tmpl") and text, ended by NULL. */
extern const char *const embedded_templates[];

/* ---- parse.c: text -> statements ---------------------------------------------------------------------------------
 * Needs text. Leaves statements with places; reports all syntax errors of a run. Knows no layer: which words exist
 * and what their arguments mean is build's business. */
typedef enum { VALUE_NUMBER, VALUE_BOOL, VALUE_WORD, VALUE_SIZE, VALUE_PAIRS, VALUE_LIST, VALUE_CALL } ValueKind;
typedef struct Value Value;
typedef struct Argument Argument;
struct Value {
    ValueKind kind;
    Loc loc;
    double number;        /* VALUE_NUMBER; for a fraction 1/255 its quotient */
    bool integer;         /* VALUE_NUMBER written without '.', 'e' or '/' */
    bool truth;           /* VALUE_BOOL */
    const char *word;     /* VALUE_WORD, and the name of a VALUE_CALL */
    const char *text;     /* as written, canonical spacing */
    Value *items;         /* VALUE_SIZE: numbers; VALUE_PAIRS: sizes of two ((1,0)x(2,1)); VALUE_LIST: any */
    int length;
    Argument *arguments;  /* VALUE_CALL */
    int argument_count;
};
struct Argument { const char *key; Loc key_loc; Value value; }; /* key NULL: by position */
typedef struct Name { const char *text; Loc loc; } Name;
typedef struct Statement {
    Name name;            /* text NULL when unnamed */
    Name word;
    Argument *arguments;
    int argument_count;
    Name *from;
    int from_count;
} Statement;
typedef struct Description { const Source *source; Statement *statements; int length; } Description;
bool parse(Arena *, const Source *, Diag *, Description *out);       /* false when there were errors */
void print_description(const Description *, StrBuf *);               /* canonical form; parses to the same statements */

#endif
