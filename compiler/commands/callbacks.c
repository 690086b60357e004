/* callbacks.c: the callbacks of cnnc train, from its options: "3" or "patience=3,min_delta=0.01", in Keras's words. */
#include "callbacks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Setting { /* one of text, real, number, truth, mode */
    const char *name;
    const char **text;
    double *real;
    int *number, *truth;
    cnnc_mode *mode;
} Setting;

static bool take_mode(const char *value, cnnc_mode *mode) {
    static const char *const words[] = {"auto", "min", "max"};
    for (int i = 0; i < LENGTH(words); i++)
        if (!strcmp(value, words[i])) return *mode = (cnnc_mode)i, true;
    return false;
}

static bool take_value(const Setting *s, const char *value) {
    char *end = NULL;
    if (s->text) return *s->text = value, *value != 0;
    if (s->mode) return take_mode(value, s->mode);
    if (s->truth) return *s->truth = !strcmp(value, "true"), *s->truth || !strcmp(value, "false");
    double x = strtod(value, &end);
    if (end == value || *end || !isfinite(x) || (s->number && (x != floor(x) || fabs(x) > 1e9))) return false;
    if (s->number) *s->number = (int)x;
    else *s->real = x;
    return true;
}

static bool unknown_setting(Arena *arena, const char *option, const char *key, const Setting *settings, int n) {
    const char *names[16], *list = "it has";
    for (int i = 0; i < n; i++) {
        names[i] = settings[i].name;
        list = arena_printf(arena, "%s%s %s", list, i ? "," : "", names[i]);
    }
    const char *near = nearest(key, names, n);
    say_error("%s has no '%s'\nhint: %s", option, key, near ? arena_printf(arena, "did you mean '%s'?", near) : list);
    return false;
}

/* key=value, separated by commas; the first one may be a value alone, which is that of the first setting. */
static bool take_settings(Arena *arena, const char *option, const char *list, const Setting *settings, int n) {
    char *rest = arena_string(arena, list, strlen(list));
    for (bool first = true; rest; first = false) {
        char *comma = strchr(rest, ','), *item = rest;
        rest = comma ? *comma = 0, comma + 1 : NULL;
        char *equals = strchr(item, '=');
        const char *key = equals ? *equals = 0, item : settings[0].name, *value = equals ? equals + 1 : item;
        int i = 0;
        while (i < n && strcmp(settings[i].name, key)) i++;
        if (!equals && !first) return say_error("%s: '%s' is not NAME=VALUE", option, item), false;
        if (i == n) return unknown_setting(arena, option, key, settings, n);
        if (!take_value(&settings[i], value)) return say_error("%s: %s cannot be '%s'", option, key, value), false;
    }
    return true;
}

static bool early_stopping(Arena *arena, const CallbackOptions *o, cnnc_early_stopping *e) {
    const Setting settings[] = {
        {.name = "patience", .number = &e->patience}, {.name = "monitor", .text = &e->monitor}, {.name = "mode", .mode = &e->mode},
        {.name = "min_delta", .real = &e->min_delta}, {.name = "baseline", .real = &e->baseline}, {.name = "start_from_epoch", .number = &e->start_from_epoch},
        {.name = "restore_best_weights", .truth = &e->restore_best_weights},
    };
    cnnc_early_stopping_defaults(e);
    e->out = stdout;
    if (o->monitor) e->monitor = o->monitor;
    return take_settings(arena, "--early-stopping", o->early_stopping, settings, LENGTH(settings));
}

static bool reduce_lr(Arena *arena, const CallbackOptions *o, cnnc_reduce_lr *r) {
    const Setting settings[] = {
        {.name = "patience", .number = &r->patience}, {.name = "monitor", .text = &r->monitor}, {.name = "mode", .mode = &r->mode},
        {.name = "factor", .real = &r->factor}, {.name = "min_delta", .real = &r->min_delta}, {.name = "cooldown", .number = &r->cooldown},
        {.name = "min_lr", .real = &r->min_lr},
    };
    cnnc_reduce_lr_defaults(r);
    r->out = stdout;
    if (o->monitor) r->monitor = o->monitor;
    return take_settings(arena, "--reduce-lr", o->reduce_lr, settings, LENGTH(settings));
}

/* ---- what they watch ------------------------------------------------------------------------------------------------- */

static const char **result_names(Arena *arena, const cnnc_network *network, int *n) {
    const char **names = NULL;
    *n = 0;
    for (int i = 0; i <= network->metric_count; i++) {
        const char *name = i ? network->metrics[i - 1] : "loss";
        *PUSH(arena, names, *n) = name;
        *PUSH(arena, names, *n) = arena_printf(arena, "val_%s", name);
    }
    return names;
}

/* The result meant: one that is spelled nearly so, or begins so, as "acc". */
static const char *meant(const char *name, const char *const *names, int n) {
    const char *near = nearest(name, names, n);
    for (int i = 0; i < n && !near; i++)
        if (strlen(name) > 2 && !strncmp(names[i], name, strlen(name))) near = names[i];
    return near;
}

/* Whether there is such a result: better known before the data are loaded. */
static bool can_watch(Arena *arena, const cnnc_network *network, const char *option, const char *name, bool validated) {
    int n;
    const char **names = result_names(arena, network, &n), *list = "";
    bool known = false;
    for (int i = 0; i < n; i++) {
        known |= !strcmp(names[i], name);
        list = arena_printf(arena, "%s%s%s", list, i ? ", " : "", names[i]);
    }
    bool validation = !strncmp(name, "val_", 4);
    if (known && (validated || !validation)) return true;
    if (known) {
        say_error("%s monitors %s, a result of validation data, and there is none\nhint: --validation-split=0.1 sets examples apart, --validation-data names others, --monitor=%s does without", option, name, name + 4);
        return false;
    }
    const char *near = meant(name, names, n);
    say_error("%s: there is no result '%s' to monitor, network %s has %s\nhint: %s", option, name, network->name, list,
              near ? arena_printf(arena, "did you mean '%s'?", near) : "'metrics=' of the compile statement adds results");
    return false;
}

/* ---- what is said of them ---------------------------------------------------------------------------------------------- */

/* The runtime's names of callbacks, in checkpoints and at a message's beginning, and the options that make them. */
static const struct { const char *name, *option; } callback_names[] = {
    {"early_stopping", "--early-stopping"}, {"reduce_lr_on_plateau", "--reduce-lr"}, {"save_best", "--save-best"},
};

/* The option for the callback whose name is at s, and the name's length; else 0. */
static size_t callback_at(const char *s, const char **option) {
    for (int i = 0; i < LENGTH(callback_names); i++) {
        size_t length = strlen(callback_names[i].name);
        if (strncmp(s, callback_names[i].name, length) || !strchr(": '", s[length])) continue;
        *option = callback_names[i].option;
        return length;
    }
    return 0;
}

/* What differs from the training of a checkpoint. */
static void say_refused(const char *checkpoint, const char *difference) {
    static const char word[] = "callback ";
    StrBuf text = {0};
    const char *option;
    for (const char *s = difference; *s;) {
        size_t before = strncmp(s, word, strlen(word)) ? 0 : strlen(word), length = before ? callback_at(s + before, &option) : 0;
        if (length) strbuf_add(&text, option);
        else strbuf_add_n(&text, s, 1);
        s += length ? before + length : 1;
    }
    say_error("%s: %s\nhint: --resume goes on with the description, data and options of then; without it another training begins", checkpoint, text.text);
    strbuf_free(&text);
}

/* "PATH: " and what follows begins so. */
static const char *behind_path(const char *text, const char *path) {
    size_t length = path ? strlen(path) : 0;
    return length && !strncmp(text, path, length) && !strncmp(text + length, ": ", 2) ? text + length + 2 : NULL;
}

void say_in_options(const cnnc_error *failure, const char *checkpoint) {
    const char *option, *difference = behind_path(failure->text, checkpoint);
    bool refused = difference && (!strncmp(difference, "of another training: ", 21) || !strncmp(difference, "was made with ", 14));
    size_t length = callback_at(failure->text, &option);
    if (refused) say_refused(checkpoint, difference);
    else if (length) say_error("%s%s", option, failure->text + length);
    else say_error("%s", failure->text);
}

int callbacks_from_options(Arena *arena, const CallbackOptions *o, const cnnc_network *network, bool validated, Callbacks *c) {
    cnnc_error failure;
    *c = (Callbacks){.count = 0};
    cnnc_early_stopping e;
    cnnc_reduce_lr r;
    if ((o->early_stopping && !early_stopping(arena, o, &e)) || (o->reduce_lr && !reduce_lr(arena, o, &r))) return EXIT_USAGE;
    cnnc_save_best s;
    cnnc_save_best_defaults(&s);
    s.path = o->save_best;
    if (o->monitor) s.monitor = o->monitor;
    if ((o->early_stopping && !can_watch(arena, network, "--early-stopping", e.monitor, validated)) ||
        (o->reduce_lr && !can_watch(arena, network, "--reduce-lr", r.monitor, validated)) || (o->save_best && !can_watch(arena, network, "--save-best", s.monitor, validated)))
        return EXIT_INPUT;
    bool fine = (!o->early_stopping || !cnnc_early_stopping_new(network, &e, &c->hooks[c->count++], &failure)) &&
                (!o->reduce_lr || !cnnc_reduce_lr_new(network, &r, &c->hooks[c->count++], &failure)) &&
                (!o->save_best || !cnnc_save_best_new(network, &s, &c->hooks[c->count++], &failure)) &&
                (!o->csv_log || !cnnc_csv_log_new(network, o->csv_log, &c->hooks[c->count++], &failure)) &&
                (!o->tensorboard || !cnnc_tensorboard_new(network, o->tensorboard, &c->hooks[c->count++], &failure));
    if (!fine) say_in_options(&failure, NULL);
    return fine ? EXIT_FINE : status_of(&failure);
}

void free_callbacks(Callbacks *c) {
    for (int i = 0; i < c->count; i++) cnnc_hook_free(&c->hooks[i]);
}
