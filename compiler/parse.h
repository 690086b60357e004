/* parse.h: what the files of the parser share; nobody else includes it (cnnc.h has the interface).
 *
 * parse_cursor.c     the way through the text: spaces, line ends, names, and what stands there instead of what was expected
 * parse_value.c      numbers, sizes, lists, calls
 * parse.c            statements
 *
 * What parses returns false when it has reported an error, and leaves the cursor where that is.
 */
#ifndef PARSE_H
#define PARSE_H

#include "cnnc.h"

enum { LONGEST_NAME = 63, DEEPEST = 32, MOST_VALUES = 4096, MOST_STATEMENTS = 10000 };

typedef struct Parser {
    Arena *arena;
    Diag *diag;
    const char *at, *end;   /* the cursor and the end of the text */
    const char *line_start;
    int line;
    int values;             /* of this statement so far, however nested */
    StrBuf canonical;       /* the values of this statement so far, in canonical spacing */
} Parser;

/* ---- parse_cursor.c ---- */

/* The character k places on; '\0' past the end (the text has no NUL, see parse). */
static inline char peek(const Parser *p, ptrdiff_t k) {
    return k < p->end - p->at ? p->at[k] : '\0';
}

static inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/* The place of the text from start, on this line, to the cursor. */
static inline Loc place(const Parser *p, const char *start) {
    return (Loc){p->line, (int)(start - p->line_start) + 1, (int)(p->at - start)};
}

static inline Loc place_of_length(const Parser *p, ptrdiff_t length) {
    return (Loc){p->line, (int)(p->at - p->line_start) + 1, (int)length};
}

/* The length of the line end k places on: 0 if there is none, 2 for CRLF. */
static inline int line_end(const Parser *p, ptrdiff_t k) {
    return peek(p, k) == '\n' ? 1 : peek(p, k) == '\r' && peek(p, k + 1) == '\n' ? 2 : 0;
}

static inline bool after_space(const Parser *p) {
    return p->at[-1] == ' ' || p->at[-1] == '\t' || p->at == p->line_start;
}

static inline bool at_statement_end(const Parser *p) {
    return peek(p, 0) == '\0' || peek(p, 0) == '#' || line_end(p, 0);
}

void start_line(Parser *);
void skip_spaces(Parser *);    /* and over continued lines */
void skip_statement(Parser *); /* to the line after this statement, over whatever is left of it */
bool unexpected(Parser *, const char *expected); /* reports what is at the cursor instead. Always false, for return unexpected(...) */
ptrdiff_t name_length(const Parser *);           /* of the name at the cursor, 0 if there is none */
bool at_key(const Parser *);                     /* is a name at the cursor, directly followed by "="? */
bool parse_name(Parser *, const char *expected, Name *);

/* ---- parse_value.c ---- */

bool parse_value(Parser *, Value *); /* an item, or a list a,b without parentheses */

#endif
