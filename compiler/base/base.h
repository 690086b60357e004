/* base.h: what the compiler stands on, and no stage: memory, strings, hashes, messages, files.
 *
 * Two kinds of failure: error() and note() speak to the user (file:line:column, caret, hint); bug() is ours.
 * One arena per compilation; nothing is freed one by one.
 */
#ifndef CNNC_BASE_H
#define CNNC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CNNC_VERSION "0.1.0"
enum { EXIT_FINE, EXIT_INPUT, EXIT_USAGE, EXIT_FILE, EXIT_BUG }; /* exit statuses */

#if defined __GNUC__
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))
#define NORETURN __attribute__((noreturn))
#else
#define PRINTF_LIKE(position, first)
#define NORETURN
#endif
#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- base/arena.c ------------------------------------------------------------------------------------------------
 * Memory that lives as long as the compilation. Allocation failure prints a message and exits with status 3. */
typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *);
void *arena_alloc(Arena *, size_t size);                     /* zeroed, aligned for any type */
char *arena_string(Arena *, const char *s, size_t length);   /* a terminated copy */
char *arena_printf(Arena *, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_real(Arena *, double); /* the shortest decimal that reads back equal, with a point or exponent: "0.001", "2.0" */
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
void strbuf_vprintf(StrBuf *, const char *format, va_list) PRINTF_LIKE(2, 0);

/* ---- base/hash.c: FNV-1a; the first h is HASH_START ---- */
#define HASH_START UINT64_C(1469598103934665603)
uint64_t hash_number(uint64_t h, uint64_t number);
uint64_t hash_text(uint64_t h, const char *s); /* and its end: "ab" and "c" are not "a" and "bc" */

/* ---- base/map.c: values by name ---- */
typedef struct Map { const char **keys; void **values; size_t used, capacity; } Map; /* {0} is an empty one */
void *map_get(const Map *, const char *key);                              /* NULL when there is none */
void map_set(Arena *, Map *, const char *key, const void *value);         /* the key is not copied */

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
void hint_instead(Diag *, Loc, const char *word, const char *format, ...) PRINTF_LIKE(4, 5); /* a hint that `word` belongs at the place */
/* An error of a template, as template_expand tells it. */
void foreign_error(Diag *, const char *message);
/* The candidate nearest to word by edit distance, or NULL when none is near enough to suggest. */
const char *nearest(const char *word, const char *const *candidates, int n);
/* The length of the UTF-8 character at s, 0 if it is none; *safe: it may be shown. Needs n > 0. */
size_t utf8_length(const char *s, size_t n, bool *safe);
/* Appends text as a terminal may show it (out NULL: only counts) and returns its columns. */
int strbuf_add_shown(StrBuf *out, const char *s, size_t n);

/* ---- base/report.c -----------------------------------------------------------------------------------------------
 * What is said on standard error, as text or as JSON, one object a line. The first functions say it at once; "\nhint: "
 * in the format begins a hint. */
void say_error(const char *format, ...) PRINTF_LIKE(1, 2);            /* "cnnc: error: ..." */
void remark(const char *kind, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5); /* "FILE:LINE: KIND: ...", "cnnc: KIND: ..." */
/* Our own mistake: prints "internal error", asks for a report, exits with status 4. */
NORETURN void bug(const char *format, ...) PRINTF_LIKE(1, 2);
NORETURN void out_of_memory(void);                                   /* a message, and exit status 3 */
void diagnostics_as_json(bool);                                      /* of the process */
bool diagnostics_are_json(void);
/* Appends an object and a line's end; appends a child to the last object. file NULL: no place; `instead`: what belongs there. */
void json_diagnostic(StrBuf *out, const char *kind, const char *file, Loc, const char *message, size_t length);
void json_child(StrBuf *out, const char *kind, const char *file, Loc, const char *message, size_t length, const char *instead);

/* ---- base/file.c -------------------------------------------------------------------------------------------------
 * Whole files. Errors are returned as a message (NULL: fine). */
const char *read_file(Arena *, const char *path, char **text, size_t *length);       /* "-": standard input, each time all of it */
const char *write_file(Arena *, const char *path, const char *text, size_t length);  /* whole or not at all; unchanged contents keep their time stamp */
typedef struct OutFile { const char *path, *text; size_t length; } OutFile;
const char *write_files(Arena *, const OutFile *, int n);  /* the same for all of them together; they appear in this order */

bool same_file(const char *a, const char *b); /* whether writing one would be writing the other; not of devices */

/* ---- base/unfinished.c -------------------------------------------------------------------------------------------
 * Files and empty folders that out_of_memory() and bug() remove, the last one first. Paths are not copied. Who adds some
 * takes the count before, and removes or forgets in the end what came since. */
int count_unfinished(void);
void add_unfinished(const char *path);
void remove_unfinished(int from);
void forget_unfinished(int from);
#endif
