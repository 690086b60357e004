/* template_parse.c: text of a template -> tree, line by line, one function per directive.
 *
 * What can be known without bindings is checked here: unknown directives, blocks without an end, a $let or parameter
 * that is never used. Indentation is settled here too: a line keeps what it has beyond its block (node->lead), so that
 * expansion needs to know nothing of dedenting. Definitions are not looked for: that is expansion's.
 */
#include "template.h"

#include <string.h>

enum { DIR_FOR, DIR_IF, DIR_LET, DIR_ASSERT, DIR_DEF, DIR_INCLUDE, DIR_CALL, DIR_ELIF, DIR_ELSE, DIR_END };
typedef TmplNode *LineParser(TmplParser *, int removed); /* the node, NULL where the directive leaves none */
static LineParser parse_for, parse_if, parse_let, parse_assert, parse_def, parse_include, parse_call;
static const struct { const char *word; LineParser *parse; } directives[] = { /* in the order of DIR_... */
    {"for", parse_for}, {"if", parse_if}, {"let", parse_let}, {"assert", parse_assert}, {"def", parse_def},
    {"include", parse_include}, {"call", parse_call}, {"elif", NULL}, {"else", NULL}, {"end", NULL},
};
enum { AT_END_OF_FILE = -1 }; /* parser->closing, beside DIR_ELIF and on */

/* ---- Lines ---- */

static bool next_line(TmplParser *p) {
    if (p->next >= p->limit)
        return false;
    const char *newline = memchr(p->next, '\n', (size_t)(p->limit - p->next));
    p->begin = p->at = p->next;
    p->end = newline ? newline : p->limit;
    p->next = newline ? newline + 1 : p->limit;
    if (p->end > p->begin && p->end[-1] == '\r')
        p->end--;
    p->line++;
    tmpl_skip_blanks(p);
    p->indent = (int)(p->at - p->begin);
    return true;
}

/* Indentation of the first line that is not blank, from the next line on. */
static int next_indent(const TmplParser *p) {
    int indent = 0;
    for (const char *s = p->next; s < p->limit; s++) {
        if (*s == '\n')
            indent = 0;
        else if (*s == ' ' || *s == '\t' || *s == '\r')
            indent++;
        else
            return indent;
    }
    return 0;
}

static void expect_end_of_line(TmplParser *p) {
    tmpl_skip_blanks(p);
    if (p->at == p->end)
        return;
    int most = p->end - p->at > 40 ? 40 : (int)(p->end - p->at);
    tmpl_syntax(p, "unexpected \"%.*s\" at the end of the directive", most, p->at);
}

static TmplNode *new_node(TmplParser *p, TmplNodeKind kind, int removed) {
    TmplNode *n = NEW(p->arena, TmplNode);
    n->kind = kind;
    n->line = p->line;
    int left = p->indent > removed ? p->indent - removed : 0;
    n->lead = p->begin + p->indent - left;
    n->lead_length = (size_t)left;
    return n;
}

/* ---- Names in scope: only to find those that are never used ---- */

static void declare(TmplParser *p, TmplSymbol name, const char *role) {
    if (p->local_count == TMPL_MAX_LOCALS)
        tmpl_syntax(p, "more than %d names are in scope", TMPL_MAX_LOCALS);
    *PUSH(p->arena, p->locals, p->local_count) = (TmplLocal){name, p->line, false, name.text[0] == '_' ? NULL : role};
}

static void close_scope(TmplParser *p, int from) {
    for (int i = from; i < p->local_count; i++) {
        const TmplLocal *local = &p->locals[i];
        if (!local->used && local->role)
            tmpl_fail_at(p->expansion, p->file, local->line, "%s \"%s\" is never used", local->role, local->name.text);
    }
    p->local_count = from;
}

void tmpl_mention(TmplParser *p, TmplSymbol name) {
    for (int i = p->local_count - 1; i >= 0; i--) {
        if (tmpl_same(p->locals[i].name, name)) {
            p->locals[i].used = true;
            return;
        }
    }
    tmpl_table_add(p->arena, &p->mentioned, name);
}

void tmpl_mention_all(TmplParser *p) {
    for (int i = 0; i < p->local_count; i++)
        p->locals[i].used = true;
    p->expands = true;
}

static void check_lets_are_used(TmplParser *p) {
    for (int i = 0; i < p->tree->let_count && !p->expands; i++) {
        TmplSymbol name = p->tree->let_names.symbols[i];
        if (name.text[0] != '_' && tmpl_table_find(&p->mentioned, name) < 0)
            tmpl_fail_at(p->expansion, p->file, p->tree->lets[i].line, "$let \"%s\" is never used", name.text);
    }
}

/* ---- Text ---- */

/* Cuts what is left of the line at its ${expressions}. */
static TmplPiece *parse_pieces(TmplParser *p, int *count) {
    TmplPiece *pieces = NULL;
    *count = 0;
    const char *from = p->at;
    while (p->at < p->end) {
        const char *dollar = memchr(p->at, '$', (size_t)(p->end - p->at));
        if (!dollar || dollar + 1 == p->end)
            break;
        p->at = dollar + 1;
        if (*p->at != '$' && *p->at != '{')
            continue;
        bool escaped = *p->at++ == '$'; /* the first of two dollars is text */
        size_t length = (size_t)(dollar - from) + (escaped ? 1 : 0);
        if (length > 0)
            *PUSH(p->arena, pieces, *count) = (TmplPiece){from, length, NULL};
        if (!escaped) {
            TmplExpr *e = tmpl_parse_expr(p);
            tmpl_expect(p, "}");
            *PUSH(p->arena, pieces, *count) = (TmplPiece){NULL, 0, e};
        }
        from = p->at;
    }
    if (from < p->end)
        *PUSH(p->arena, pieces, *count) = (TmplPiece){from, (size_t)(p->end - from), NULL};
    return pieces;
}

static TmplNode *parse_text(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_TEXT, removed);
    while (p->end > p->at && (p->end[-1] == ' ' || p->end[-1] == '\t'))
        p->end--;
    n->pieces = parse_pieces(p, &n->piece_count);
    return n;
}

TmplPiece *tmpl_parse_fragment(TmplExpansion *x, Arena *arena, const char *file, int line, TmplValue text, int *count) {
    TmplParser p = {.expansion = x, .arena = arena, .file = file, .line = line};
    p.begin = p.at = text.string;
    p.end = p.limit = text.string + text.length;
    return parse_pieces(&p, count);
}

/* ---- Directives ---- */

static TmplNode *parse_block(TmplParser *p, int removed);

/* A block below a directive, which stands where the parser is; as much as it is deeper is removed. */
static TmplNode *parse_body(TmplParser *p, int removed, bool to_column_zero) {
    expect_end_of_line(p);
    int indent = next_indent(p), extra = indent > p->indent ? indent - p->indent : 0;
    return parse_block(p, to_column_zero ? indent : removed + extra);
}

/* After a body: it must have ended in $end. */
static void expect_end(TmplParser *p, const char *word, int line) {
    if (p->closing == AT_END_OF_FILE)
        tmpl_fail_at(p->expansion, p->file, line, "the $%s has no $end", word);
    if (p->closing != DIR_END)
        tmpl_syntax(p, "$%s in a $%s block", directives[p->closing].word, word);
    expect_end_of_line(p);
}

/* $for i in a..b step s, $for x in list, $for i, x in list */
static TmplNode *parse_for(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_FOR, removed);
    n->name = tmpl_expect_name(p, "the variable of the $for");
    if (tmpl_accept(p, ",")) {
        n->index = n->name;
        n->name = tmpl_expect_name(p, "the second variable of the $for");
    }
    if (!tmpl_accept_word(p, "in"))
        tmpl_syntax(p, "expected \"in\" after the variable of the $for");
    n->expr = tmpl_parse_expr(p);
    if (tmpl_accept(p, "..")) {
        if (n->index.text)
            tmpl_syntax(p, "a $for over a range has one variable");
        n->to = tmpl_parse_expr(p);
        if (tmpl_accept_word(p, "step"))
            n->step = tmpl_parse_expr(p);
    }
    int outside = p->local_count;
    if (n->index.text)
        declare(p, n->index, NULL);
    declare(p, n->name, NULL);
    n->body = parse_body(p, removed, false);
    expect_end(p, "for", n->line);
    close_scope(p, outside);
    return n;
}

static TmplNode *parse_if(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_IF, removed);
    bool other = false; /* in the $else */
    do {
        TmplArm arm = {.line = p->line};
        arm.condition = other ? NULL : tmpl_parse_expr(p);
        arm.body = parse_body(p, removed, false);
        *PUSH(p->arena, n->arms, n->arm_count) = arm;
        if (p->closing == AT_END_OF_FILE || p->closing == DIR_END)
            break;
        if (other)
            tmpl_syntax(p, "$%s after $else", directives[p->closing].word);
        other = p->closing == DIR_ELSE;
    } while (true);
    expect_end(p, "if", n->line);
    return n;
}

static TmplNode *parse_let(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_LET, removed);
    n->name = tmpl_expect_name(p, "a name after $let");
    tmpl_expect(p, "=");
    n->expr = tmpl_parse_expr(p);
    expect_end_of_line(p);
    if (p->level > 1) {
        declare(p, n->name, "$let");
        return n;
    }
    if (tmpl_table_find(&p->tree->let_names, n->name) >= 0)
        tmpl_syntax(p, "$let \"%s\" stands twice at the level of the file", n->name.text);
    tmpl_table_add(p->arena, &p->tree->let_names, n->name);
    *PUSH(p->arena, p->tree->lets, p->tree->let_count) = (TmplLine){n->expr, n->line};
    return NULL;
}

static TmplNode *parse_assert(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_ASSERT, removed);
    n->expr = tmpl_parse_expr(p);
    tmpl_expect(p, ",");
    n->message = tmpl_parse_expr(p);
    expect_end_of_line(p);
    if (p->level > 1)
        return n;
    *p->last_assert = n;
    p->last_assert = &n->next;
    return NULL;
}

static TmplNode *parse_include(TmplParser *p, int removed) {
    (void)removed;
    if (p->level > 1)
        tmpl_syntax(p, "$include inside of a block");
    TmplLine include = {tmpl_parse_expr(p), p->line};
    expect_end_of_line(p);
    *PUSH(p->arena, p->tree->includes, p->tree->include_count) = include;
    return NULL;
}

static void parse_parameters(TmplParser *p, TmplDef *def) {
    if (!tmpl_accept(p, "(") || tmpl_accept(p, ")"))
        return;
    do {
        TmplSymbol name = tmpl_expect_name(p, "a parameter");
        for (int i = 0; i < def->parameter_count; i++)
            if (tmpl_same(def->parameters[i], name))
                tmpl_syntax(p, "parameter \"%s\" stands twice", name.text);
        if (def->parameter_count == TMPL_MAX_ARGUMENTS)
            tmpl_syntax(p, "a definition has at most %d parameters", TMPL_MAX_ARGUMENTS);
        *PUSH(p->arena, def->parameters, def->parameter_count) = name;
        declare(p, name, "parameter");
    } while (tmpl_accept(p, ","));
    tmpl_expect(p, ")");
}

static TmplNode *parse_def(TmplParser *p, int removed) {
    if (p->level > 1)
        tmpl_syntax(p, "$def inside of a block; is an $end missing above?");
    TmplDef def = {.line = p->line};
    def.name = tmpl_expect_name(p, "the name of the definition");
    for (int i = 0; i < LENGTH(directives); i++)
        if (strcmp(directives[i].word, def.name.text) == 0)
            tmpl_syntax(p, "a definition cannot be called \"%s\", which is a directive", def.name.text);
    if (tmpl_table_find(&p->tree->def_names, def.name) >= 0)
        tmpl_syntax(p, "\"%s\" is already defined in this file", def.name.text);
    tmpl_table_add(p->arena, &p->tree->def_names, def.name);
    parse_parameters(p, &def);
    def.body = parse_body(p, removed, true);
    expect_end(p, "def", def.line);
    close_scope(p, 0);
    *PUSH(p->arena, p->tree->defs, p->tree->def_count) = def;
    p->closing = DIR_DEF; /* the $end was the definition's */
    return NULL;
}

/* $call expr(a, b); also finishes $name(a, b) */
static TmplNode *parse_call(TmplParser *p, int removed) {
    TmplNode *n = new_node(p, NODE_CALL, removed);
    n->expr = tmpl_parse_callee(p);
    n->arguments = tmpl_parse_arguments(p, &n->argument_count);
    expect_end_of_line(p);
    return n;
}

/* A line "$word ...": a directive, of which the parser now stands behind the word, or a call. */
static TmplNode *parse_directive(TmplParser *p, int removed) {
    p->at++;
    TmplSymbol word = tmpl_expect_name(p, "a directive");
    const char *words[LENGTH(directives)];
    for (int i = 0; i < LENGTH(directives); i++) {
        words[i] = directives[i].word;
        if (strcmp(words[i], word.text) != 0)
            continue;
        p->closing = i;
        return directives[i].parse ? directives[i].parse(p, removed) : NULL;
    }
    if (p->at < p->end && *p->at == '(') {
        TmplNode *n = new_node(p, NODE_CALL, removed);
        n->name = word;
        n->arguments = tmpl_parse_arguments(p, &n->argument_count);
        tmpl_skip_blanks(p);
        if (p->at < p->end)
            tmpl_syntax(p, "a call of \"%s\" stands on a line of its own", word.text);
        return n;
    }
    const char *near = nearest(word.text, words, LENGTH(words));
    if (near)
        tmpl_syntax(p, "unknown directive \"$%s\"; did you mean \"$%s\"?", word.text, near);
    tmpl_syntax(p, "unknown directive \"$%s\" (a call needs parentheses, a dollar in front of a line is \"$$\")",
                word.text);
}

typedef enum { LINE_TEXT, LINE_COMMENT, LINE_DIRECTIVE } LineKind;
static LineKind line_kind(const TmplParser *p) {
    if (p->end - p->at < 2 || *p->at != '$')
        return LINE_TEXT;
    return p->at[1] == '#' ? LINE_COMMENT : tmpl_is_letter(p->at[1]) ? LINE_DIRECTIVE : LINE_TEXT;
}

/* Lines up to an $elif, $else, $end or the end of the file, which parser->closing tells. */
static TmplNode *parse_block(TmplParser *p, int removed) {
    TmplNode *first = NULL, **last = &first;
    int outside = p->local_count;
    if (++p->level > TMPL_MAX_BLOCKS)
        tmpl_syntax(p, "blocks are nested more than %d deep", TMPL_MAX_BLOCKS);
    int closing = AT_END_OF_FILE;
    while (closing == AT_END_OF_FILE && next_line(p)) {
        LineKind kind = line_kind(p);
        if (kind == LINE_COMMENT)
            continue;
        p->closing = AT_END_OF_FILE;
        TmplNode *n = kind == LINE_TEXT ? parse_text(p, removed) : parse_directive(p, removed);
        if (n) {
            *last = n;
            last = &n->next;
        } else if (p->closing >= DIR_ELIF) {
            closing = p->closing;
        }
    }
    p->closing = closing;
    p->level--;
    close_scope(p, outside);
    return first;
}

const TmplTree *tmpl_parse(TmplExpansion *x, Arena *arena, const char *file, const char *text, size_t length) {
    TmplParser p = {.expansion = x, .arena = arena, .file = file, .next = text, .limit = text + length};
    p.tree = NEW(arena, TmplTree);
    p.last_assert = &p.tree->asserts;
    p.tree->body = parse_block(&p, 0);
    if (p.closing != AT_END_OF_FILE)
        tmpl_syntax(&p, "$%s without a block", directives[p.closing].word);
    check_lets_are_used(&p);
    return p.tree;
}
