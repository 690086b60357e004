/* recipe.c: what decides the bits of a training, as lines of text: "HEAD: WORD WORD ..." each. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 150 }; /* characters of a line in a message */

typedef struct text {
    char *bytes; /* NULL: only measured */
    size_t length;
} text;

static void add(text *t, const char *s) {
    size_t n = strlen(s);
    if (t->bytes)
        memcpy(t->bytes + t->length, s, n + 1);
    t->length += n;
}

static void add_line(text *t, const char *a, const char *b, const char *c) {
    add(t, a);
    add(t, b);
    add(t, c);
    add(t, "\n");
}

/* Lines of the code begin with the variant that they are of. */
static void write_code(text *t, const cnnc_model *model) {
    const cnnc_network *network = model->network;
    const char *variant = cnnc_model_variant(model);
    char line[96];
    snprintf(line, sizeof line, "code: %s shard_size=%d gradient_buffers=%d variant=", cnnc_type_name(network->type), network->shard_size, network->gradient_buffers);
    add_line(t, line, variant, "");
    size_t length = strlen(variant);
    for (int i = 0; i < network->code_length; i++)
        if (!strncmp(network->code[i], variant, length) && network->code[i][length] == ' ')
            add_line(t, "code of ", network->code[i] + length + 1, "");
}

static void write_recipe(text *t, const cnnc_model *model, const cnnc_hook *hooks, int count) {
    const cnnc_network *network = model->network;
    for (int i = 0; i < network->description_length; i++)
        add_line(t, network->description[i], "", "");
    write_code(t, model);
    for (int i = 0; i < count; i++)
        if (hooks[i].options) {
            add(t, "callback ");
            add_line(t, hooks[i].name, ": ", hooks[i].options);
        }
}

char *cnnc_recipe(const cnnc_model *model, const cnnc_hook *hooks, int count, cnnc_error *error) {
    text t = {0};
    if (!model->network->optimizer) {
        cnnc_fail(error, "network %s is not trained: it has no optimizer", model->network->name);
        return NULL;
    }
    write_recipe(&t, model, hooks, count);
    t.bytes = malloc(t.length + 1);
    if (!t.bytes) {
        cnnc_fail_system(error, "no memory for the description of network %s", model->network->name);
        return NULL;
    }
    t.length = 0;
    write_recipe(&t, model, hooks, count);
    return t.bytes;
}

static int length_until(const char *s, const char *stops) {
    size_t n = strcspn(s, stops);
    return n < SHOWN ? (int)n : SHOWN;
}

/* Two lines with one head: the first word of their rest that differs. a and b are different. */
static void differing_word(const char *a, const char *b, char *difference, size_t size) {
    int head = length_until(a, ":");
    size_t same = 0, word = 0; /* word: where the one begins that `same` is in */
    for (; a[same] == b[same] && a[same] && a[same] != '\n'; same++)
        if (a[same] == ' ')
            word = same + 1;
    snprintf(difference, size, "'%.*s' was %.*s, now it is %.*s", head, a, length_until(a + word, " \n"), a + word, length_until(b + word, " \n"), b + word);
}

static void differing_line(const char *a, const char *b, char *difference, size_t size) {
    int n = length_until(a, "\n"), m = length_until(b, "\n");
    if (!*a || !*b)
        snprintf(difference, size, *b ? "there was no '%.*s'" : "there is no '%.*s' any more", *b ? m : n, *b ? b : a);
    else
        snprintf(difference, size, "there was '%.*s', now '%.*s' stands there", n, a, m, b);
}

static int same_head(const char *a, const char *b) {
    size_t n = strcspn(a, ":\n");
    return a[n] == ':' && strcspn(b, ":\n") == n && !strncmp(a, b, n + 1);
}

int cnnc_recipe_same(const char *before, const char *now, char *difference, size_t size) {
    while (*before && *now) {
        size_t n = strcspn(before, "\n"), m = strcspn(now, "\n");
        if (n != m || strncmp(before, now, n))
            break;
        before += n + (before[n] == '\n');
        now += m + (now[m] == '\n');
    }
    if (!*before && !*now)
        return 1;
    if (same_head(before, now))
        differing_word(before, now, difference, size);
    else
        differing_line(before, now, difference, size);
    return 0;
}
