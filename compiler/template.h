/* template.h: what the files of the template engine share; nobody else includes it (cnnc.h has the interface).
 *
 * template_bind.c    names, values, bindings
 * template_parse.c   lines and directives -> a tree of nodes, once per template
 * template_expr.c    expressions: text -> tree
 * template_operations.c  operators and functions
 * template_eval.c    expressions: tree -> value
 * template_catalogue.c   the templates there are
 * template.c         nodes -> text
 *
 * Every error leaves through tmpl_fail(), which writes the message and jumps back to template_expand().
 */
#ifndef CNNC_TEMPLATE_H
#define CNNC_TEMPLATE_H

#include "cnnc.h"

/* ---- Limits: a template may be hostile; it ends in an error, not in our crash ---- */
enum {
    TMPL_MAX_FILE = 1 << 20,        /* bytes of a template */
    TMPL_MAX_STEPS = 10000000,      /* nodes executed by an expansion */
    TMPL_MAX_BYTES = 256 << 20,     /* of output, and of temporary values */
    TMPL_MAX_CALLS = 64,            /* nested calls and expand()s */
    TMPL_MAX_DEPTH = 1500,          /* nested C calls */
    TMPL_MAX_BLOCKS = 64,           /* nested blocks */
    TMPL_MAX_NESTING = 200,         /* of an expression */
    TMPL_MAX_ARGUMENTS = 32,        /* of a call */
    TMPL_MAX_FUNCTION_ARGUMENTS = 8,
    TMPL_MAX_LOCALS = 1000          /* names in scope */
};

/* ---- Names ---- */
typedef struct TmplSymbol { const char *text; uint32_t hash; } TmplSymbol;
typedef struct TmplTable { TmplSymbol *symbols; int *slots; int count, slot_count; } TmplTable; /* name -> 0, 1 ... */
TmplSymbol tmpl_symbol(const char *text);
int tmpl_table_find(const TmplTable *, TmplSymbol);         /* -1: not there */
int tmpl_table_add(Arena *, TmplTable *, TmplSymbol);       /* its number, old or new */
bool tmpl_same(TmplSymbol, TmplSymbol);

/* ---- Values ---- */
typedef enum { TMPL_UNBOUND, TMPL_INT, TMPL_STRING, TMPL_LIST, TMPL_RECORD, TMPL_KINDS } TmplKind;
typedef struct TmplValue {
    TmplKind kind;
    int length; /* of a string (bytes) or a list */
    union {
        int64_t integer;
        const char *string; /* terminated */
        const struct TmplValue *items;
        const Bindings *record;
    };
} TmplValue;
TmplValue tmpl_int(int64_t value);
TmplValue tmpl_string(const char *text, size_t length);

typedef struct TmplBound { TmplValue value; bool optional; } TmplBound;
struct Bindings {
    Arena *arena;
    const Bindings *parent;
    TmplTable names;
    TmplBound *bound; /* bound[number in names] */
    int bound_count;
};

/* ---- Trees ---- */
typedef enum {
    EXPR_CONSTANT, EXPR_NAME, EXPR_LIST, EXPR_INDEX, EXPR_FIELD, EXPR_UNARY, EXPR_BINARY, EXPR_CHOICE,
    EXPR_FUNCTION, EXPR_EXPAND, EXPR_EACH, EXPR_KINDS
} TmplExprKind;
typedef struct TmplExpr {
    TmplExprKind kind;
    int op;                     /* character of an EXPR_UNARY, row of an EXPR_BINARY or EXPR_FUNCTION in its table */
    int depth;                  /* of the tree from here down */
    int count;
    struct TmplExpr **items;    /* operands, elements, arguments */
    TmplSymbol name;            /* EXPR_NAME, EXPR_FIELD */
    TmplSymbol *names;          /* EXPR_EXPAND: names[i] is given the value of items[i], from 1; EXPR_EACH: names[2] counts */
    TmplValue value;            /* EXPR_CONSTANT */
} TmplExpr;

typedef struct TmplPiece { const char *text; size_t length; TmplExpr *expr; } TmplPiece; /* expr NULL: literal */
typedef enum { NODE_TEXT, NODE_FOR, NODE_IF, NODE_LET, NODE_ASSERT, NODE_CALL, NODE_KINDS } TmplNodeKind;
typedef struct TmplNode TmplNode;
typedef struct TmplArm { TmplExpr *condition; TmplNode *body; int line; } TmplArm; /* condition NULL: $else */
struct TmplNode {
    TmplNodeKind kind;
    int line;
    TmplNode *next;
    const char *lead;           /* NODE_TEXT, NODE_CALL: indentation that is left after dedenting */
    size_t lead_length;
    TmplPiece *pieces;          /* NODE_TEXT */
    int piece_count;
    TmplSymbol name, index;     /* variables of a NODE_FOR (index.text NULL: none), NODE_LET, callee of a NODE_CALL */
    TmplExpr *expr;             /* list or first of a NODE_FOR, NODE_LET, condition, computed callee of a NODE_CALL */
    TmplExpr *to, *step;        /* NODE_FOR over a range; to NULL: over a list; step NULL: 1 */
    TmplExpr *message;          /* NODE_ASSERT */
    TmplExpr **arguments;       /* NODE_CALL */
    int argument_count;
    TmplNode *body;             /* NODE_FOR */
    TmplArm *arms;              /* NODE_IF */
    int arm_count;
};

typedef struct TmplDef {
    TmplSymbol name;
    TmplSymbol *parameters;
    int parameter_count;
    TmplNode *body;
    int line;
} TmplDef;
typedef struct TmplLine { TmplExpr *expr; int line; } TmplLine;
typedef struct TmplTree { /* a parsed template */
    TmplNode *body;                                     /* the text outside of definitions */
    TmplTable def_names; TmplDef *defs; int def_count;  /* defs[number in def_names] */
    TmplTable let_names; TmplLine *lets; int let_count; /* $let at file level, likewise */
    TmplNode *asserts;                                  /* $assert at file level */
    TmplLine *includes; int include_count;
} TmplTree;
typedef struct TmplTemplate {
    const char *file;           /* as messages name it */
    const char *path;           /* to be read from there; NULL: text is the embedded one */
    const char *text;
    const char *rival;          /* another file of the same name and origin; NULL: none */
    const TmplTree *tree;       /* NULL: not yet parsed */
} TmplTemplate;

/* ---- An expansion ---- */
typedef struct TmplExpansion TmplExpansion;
typedef struct TmplFragment TmplFragment;
struct TmplFragment {
    const char *text;
    int length;
    uint32_t hash;
    TmplPiece *pieces;
    int piece_count;
    TmplFragment *next;
};

NORETURN void tmpl_fail(TmplExpansion *, const char *format, ...) PRINTF_LIKE(2, 3); /* at the line being expanded */
NORETURN void tmpl_fail_at(TmplExpansion *, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
void *tmpl_alloc(TmplExpansion *, size_t size);             /* lives as long as the expansion; counted */
void tmpl_spend(TmplExpansion *, size_t steps);
TmplValue tmpl_lookup(TmplExpansion *, TmplSymbol);         /* TMPL_UNBOUND when there is none; counts as a use */
TmplValue tmpl_field(const Bindings *record, TmplSymbol);
const char *tmpl_suggest(TmplExpansion *, const char *name); /* "; did you mean ...", or "" */
TmplValue tmpl_expand_fragment(TmplExpansion *, TmplValue text, const TmplSymbol *names, const TmplValue *, int n);
void tmpl_enter(TmplExpansion *);                           /* guards the C stack, with tmpl_leave */
void tmpl_leave(TmplExpansion *);

/* ---- template_parse.c ---- */
typedef struct TmplParser TmplParser;
typedef struct TmplLocal {
    TmplSymbol name;
    int line;
    bool used;
    const char *role;           /* NULL: may stay unused */
} TmplLocal;
struct TmplParser {
    TmplExpansion *expansion;   /* for errors */
    Arena *arena;
    const char *file;
    const char *begin, *at, *end; /* the line, and how far it is read */
    const char *next, *limit;   /* what follows the line */
    int line, indent;
    int level, nesting;         /* of blocks, of expressions */
    int closing;                /* directive that ended the last block, or -1 at the end of the file */
    TmplTree *tree;
    TmplNode **last_assert;
    TmplLocal *locals;
    int local_count;
    TmplTable mentioned;        /* names used that are no locals */
    bool expands;               /* there is an expand(), which may use any name */
};
const TmplTree *tmpl_parse(TmplExpansion *, Arena *, const char *file, const char *text, size_t length);
TmplPiece *tmpl_parse_fragment(TmplExpansion *, Arena *, const char *file, int line, TmplValue text, int *count);
NORETURN void tmpl_syntax(TmplParser *, const char *format, ...) PRINTF_LIKE(2, 3);
void tmpl_mention(TmplParser *, TmplSymbol);
void tmpl_mention_all(TmplParser *);

/* ---- template_expr.c ---- */
TmplExpr *tmpl_parse_expr(TmplParser *);
TmplExpr *tmpl_parse_callee(TmplParser *);                  /* a name or a computed one, before "(" */
TmplExpr **tmpl_parse_arguments(TmplParser *, int *count);  /* "(a, b)" */
void tmpl_skip_blanks(TmplParser *);
bool tmpl_accept(TmplParser *, const char *text);           /* skips blanks, then text if it is there */
void tmpl_expect(TmplParser *, const char *text);
bool tmpl_accept_word(TmplParser *, const char *word);
TmplSymbol tmpl_expect_name(TmplParser *, const char *what);
bool tmpl_is_letter(char);                                  /* that may begin a name */

/* ---- template_operations.c ---- */
typedef enum {
    INFIX_OR, INFIX_AND, INFIX_EQ, INFIX_NE, INFIX_LE, INFIX_GE, INFIX_LT, INFIX_GT, INFIX_CONCAT,
    INFIX_ADD, INFIX_SUB, INFIX_MUL, INFIX_DIV, INFIX_MOD, INFIX_OPERATORS
} Infix;
typedef struct TmplOperator { const char *text; int precedence; } TmplOperator;
extern const TmplOperator tmpl_operators[INFIX_OPERATORS];
int64_t tmpl_arithmetic(TmplExpansion *, Infix, int64_t a, int64_t b); /* of comparisons too; fails where 64 bits are too few */

enum { FUNCTION_HAS = 8, FUNCTIONS = 11 }; /* has() takes the name of what it looks for as text */
typedef struct TmplFunction {
    const char *name;
    int least, most;            /* arguments */
    TmplValue (*body)(TmplExpansion *, const TmplValue *arguments, int count);
} TmplFunction;
extern const TmplFunction tmpl_functions[FUNCTIONS];

/* ---- template_eval.c ---- */
TmplValue tmpl_evaluate(TmplExpansion *, const TmplExpr *);
int64_t tmpl_evaluate_int(TmplExpansion *, const TmplExpr *, const char *what);
bool tmpl_evaluate_truth(TmplExpansion *, const TmplExpr *);
TmplValue tmpl_text(TmplExpansion *, TmplValue);            /* an integer or a string as a string */
TmplValue tmpl_concatenate(TmplExpansion *, const TmplValue *, int n, TmplValue separator);
const char *tmpl_kind_name(TmplKind);                       /* "a list" */
void tmpl_need(TmplExpansion *, TmplValue, TmplKind, const char *what); /* fails when it is of another kind */

/* ---- template_catalogue.c ---- */
struct Templates {
    Arena *arena;
    TmplTable names;
    TmplTemplate *templates;    /* templates[number in names] */
    int count;
    const char *problem;        /* with the folder; NULL: none */
};
void tmpl_add(Templates *, const char *file, const char *text); /* for tests and fuzzers: one more template, as if embedded */

#endif
