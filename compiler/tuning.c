/* tuning.c: what `cnnc tune` measured: for an op of a target the algorithm that was the fastest. The file is an explicit
 * input, so that the same command gives the same code on every machine. */
#include "cnnc.h"

#include <string.h>

enum { LONGEST = 1000 }; /* line of a file */

static const char *shapes_of(Arena *arena, const Op *op) {
    const char *text = "";
    for (int i = 0; i < op->input_count; i++) text = arena_printf(arena, "%s%s%s", text, i ? "*" : "", shape_text(arena, op->inputs[i]->shape));
    return arena_printf(arena, "%s=%s", text, shape_text(arena, op->outputs[0]->shape));
}

static TunedChoice *find_choice(const Tuning *t, const char *target, const char *tensor) {
    for (int i = 0; i < t->length; i++)
        if (!strcmp(t->choices[i].target, target) && !strcmp(t->choices[i].tensor, tensor)) return &t->choices[i];
    return NULL;
}

bool is_tuned(const Program *p, const Op *op, const Algorithm *a) {
    TunedChoice *c = p->options->tuning ? find_choice(p->options->tuning, p->target->name, op->outputs[0]->name) : NULL;
    if (!c || c->algorithm != a || strcmp(c->op, op->def->call.name) || strcmp(c->shapes, shapes_of(p->arena, op))) return false;
    return c->used = true;
}

void tune(Arena *arena, Tuning *t, const Program *p, const Op *op, const Algorithm *a) {
    TunedChoice *c = find_choice(t, p->target->name, op->outputs[0]->name);
    if (!c) c = PUSH(arena, t->choices, t->length);
    *c = (TunedChoice){p->target->name, arena_printf(arena, "%s", op->outputs[0]->name), op->def->call.name, shapes_of(arena, op), a, 0, false};
}

const char *tuning_text(Arena *arena, const Tuning *t) {
    const char *text = "# cnnc tuning: the fastest algorithm of each op: target, tensor, op, shapes, algorithm\n";
    for (int i = 0; i < t->length; i++) {
        const TunedChoice *c = &t->choices[i];
        text = arena_printf(arena, "%s%s %s %s %s %s\n", text, c->target, c->tensor, c->op, c->shapes, c->algorithm->name);
    }
    return text;
}

/* One line, which it cuts into words. A message on failure. */
static const char *take_line(Arena *arena, Tuning *t, char *line, int number) {
    enum { WORDS = 5 };
    const char *words[WORDS + 1];
    int n = 0;
    for (char *word = strtok(line, " \t\r"); word && n <= WORDS; word = strtok(NULL, " \t\r")) words[n++] = word;
    if (!n || *words[0] == '#') return NULL;
    if (n != WORDS) return arena_printf(arena, "expected a target, tensor, op, shapes and an algorithm, not %s words", n < WORDS ? "fewer" : "more");
    const Algorithm *a = find_algorithm(words[4]);
    if (!a) return arena_printf(arena, "there is no algorithm '%s'", words[4]);
    if (!find_target(words[0])) return arena_printf(arena, "there is no target '%s'", words[0]);
    const TunedChoice *before = find_choice(t, words[0], words[1]);
    if (before) return arena_printf(arena, "line %d has chosen for '%s' already", before->line, words[1]);
    *PUSH(arena, t->choices, t->length) = (TunedChoice){words[0], words[1], words[2], words[3], a, number, false};
    return NULL;
}

const char *read_tuning(Arena *arena, const char *path, Tuning *t, int *line) {
    static const char blanks[] = {'\t', '\r', '\n'};
    char *text;
    size_t length;
    *t = (Tuning){.path = path};
    *line = -1;
    const char *failure = read_file(arena, path, &text, &length);
    if (failure) return failure;
    *line = 0;
    for (size_t i = 0; i < length; i++)
        if ((text[i] < ' ' && !memchr(blanks, text[i], sizeof blanks)) || text[i] > '~') return "not a text file";
    for (char *at = text, *end = text + length; at < end && !failure;) {
        ++*line;
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        if (stop - at > LONGEST) return arena_printf(arena, "a line of more than %d characters", LONGEST);
        failure = take_line(arena, t, arena_string(arena, at, (size_t)(stop - at)), *line);
        at = stop + 1;
    }
    return failure;
}
