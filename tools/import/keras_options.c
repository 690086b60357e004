/* keras_options.c: what a Keras configuration says, in cnnc's words.
 *
 * Options have the same names in both, so the table of attributes by which cnnc reads a layer, an optimizer or an initializer is that of
 * the import, too: each attribute is looked up in the configuration, converted by its kind, and left out where it is the default. What the
 * configuration has besides must be one of the few options that do not matter, or be off.
 */
#include "keras.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- small ones ------------------------------------------------------------------------------------------------------------- */

/* But for capitals and underscores: "L1L2" is l1_l2, "LeakyReLU" leaky_relu. */
static bool same_word(const char *keras, const char *ours) {
    for (;; keras++, ours++) {
        while (*keras == '_') keras++;
        while (*ours == '_') ours++;
        if (tolower((unsigned char)*keras) != tolower((unsigned char)*ours)) return false;
        if (!*keras) return true;
    }
}

const Callable *find_callable(Family *family, const char *name) {
    const Callable *callable;
    for (int i = 0; (callable = family(i)); i++)
        if (same_word(name, callable->name) || (callable->alias && same_word(name, callable->alias))) return callable;
    return NULL;
}

/* "Custom>Adam" and "keras>Adam" are of packages. */
const char *class_of(json_t *object) {
    const char *name = json_string_value(json_object_get(object, "class_name")), *package = name ? strrchr(name, '>') : NULL;
    return package ? package + 1 : name;
}

json_t *config_of(json_t *object) {
    json_t *config = json_object_get(object, "config");
    return json_is_object(config) ? config : NULL;
}

const char *json_shown(Model *m, json_t *value) {
    if (json_is_real(value)) return number_text(m, json_real_value(value));
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    const char *copy = text ? shown(m, text) : "?";
    free(text);
    return copy;
}

/* Keras keeps many numbers as floats: 0.0010000000474974513 is 0.001. */
const char *number_text(Model *m, double x) {
    char text[40];
    if (x == floor(x) && fabs(x) < 1e9) return arena_printf(m->arena, "%.0f", x == 0 ? 0 : x);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        double back = strtod(text, NULL);
        if (back == x || ((double)(float)x == x && (float)back == (float)x)) return arena_string(m->arena, text, strlen(text));
    }
    for (int n = 3; n < 1 << 16; n++)
        if (x == 1.0 / n) return arena_printf(m->arena, "1/%d", n);
    for (int digits = 10; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    return arena_string(m->arena, text, strlen(text));
}

/* ---- values by kind ------------------------------------------------------------------------------------------------------------ */

/* One conversion: where it is, for messages, and what is looked for. */
typedef struct Place { Container *container; const char *place; const AttrDef *def; bool in_call; } Place;

static const char *wrong_value(const Place *p, json_t *value) {
    Model *m = p->container->model;
    return fail(m, p->place, "%s=%s is not possible in cnnc", p->def->name, json_shown(m, value)), NULL;
}

static bool is_whole(json_t *v) { return json_is_integer(v) || (json_is_real(v) && json_real_value(v) == floor(json_real_value(v)) && fabs(json_real_value(v)) < 1e15); }
static long long whole_of(json_t *v) { return json_is_integer(v) ? json_integer_value(v) : (long long)json_real_value(v); }

static const char *whole_text(const Place *p, json_t *v) {
    if (json_array_size(v) == 1) v = json_array_get(v, 0);
    return is_whole(v) ? arena_printf(p->container->model->arena, "%lld", whole_of(v)) : wrong_value(p, v);
}

static const char *real_text(const Place *p, json_t *v) {
    if (json_is_number(v)) return number_text(p->container->model, json_number_value(v));
    return p->def->family && v ? callable_text(p->container, p->place, p->def->name, p->def->family, v) : wrong_value(p, v);
}

static const char *truth_text(const Place *p, json_t *v) {
    if (is_whole(v) && (whole_of(v) == 0 || whole_of(v) == 1)) return whole_of(v) ? "true" : "false";
    return json_is_boolean(v) ? json_is_true(v) ? "true" : "false" : wrong_value(p, v);
}

static const char *word_text(const Place *p, json_t *v) {
    const char *word = json_string_value(v);
    size_t n = word ? strlen(word) : 0;
    for (const char *at = p->def->words; n && at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (!strncmp(at, word, n) && (at[n] == '|' || !at[n])) return arena_string(p->container->model->arena, word, n);
    return wrong_value(p, v);
}

static bool all_whole(json_t *list, bool *alike) {
    *alike = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *v = json_array_get(list, i);
        if (!is_whole(v)) return false;
        *alike = *alike && whole_of(v) == whole_of(json_array_get(list, 0));
    }
    return json_array_size(list) > 0 && json_array_size(list) <= 2 * MAX_RANK;
}

/* "3x3", of axes "1,2"; one number for all where it is no kernel. */
static const char *size_text(const Place *p, json_t *v) {
    bool alike, kernel = p->def->positional, axes = !p->def->rank && !(kernel && !strcmp(p->def->name, "target_shape"));
    if (!json_is_array(v)) return whole_text(p, v);
    if (!all_whole(v, &alike)) return wrong_value(p, v);
    Arena *arena = p->container->model->arena;
    size_t n = alike && p->def->rank && !kernel ? 1 : json_array_size(v);
    const char *text = "";
    for (size_t i = 0; i < n; i++) text = arena_printf(arena, "%s%s%lld", text, !i ? "" : axes ? "," : "x", whole_of(json_array_get(v, i)));
    return p->in_call && n > 1 ? arena_printf(arena, "(%s)", text) : text;
}

/* Of pairs, "(1,0)x(2,1)"; NULL: they are others. *same: one number says it. */
static const char *nested_pairs(const Place *p, json_t *v, bool *same) {
    StrBuf text = {0};
    bool fine = json_array_size(v) <= MAX_RANK, alike;
    *same = true;
    for (size_t i = 0; fine && i < json_array_size(v); i++) {
        json_t *pair = json_array_get(v, i);
        fine = json_array_size(pair) == 2 && all_whole(pair, &alike);
        if (!fine) break;
        *same = *same && alike && whole_of(json_array_get(pair, 0)) == whole_of(json_array_get(json_array_get(v, 0), 0));
        strbuf_printf(&text, "%s(%lld,%lld)", i ? "x" : "", whole_of(json_array_get(pair, 0)), whole_of(json_array_get(pair, 1)));
    }
    const char *all = keep_text(p->container->model, &text);
    return fine ? all : NULL;
}

/* [[1,0],[2,1]], for one axis [1,0], or numbers. */
static const char *pairs_text(const Place *p, json_t *v) {
    Arena *arena = p->container->model->arena;
    json_t *first = json_array_get(v, 0);
    bool alike;
    if (!json_is_array(v)) return whole_text(p, v);
    if (json_is_array(first)) {
        const char *text = nested_pairs(p, v, &alike);
        if (!text) return wrong_value(p, v);
        return alike ? arena_printf(arena, "%lld", whole_of(json_array_get(first, 0))) : text;
    }
    if (!all_whole(v, &alike)) return wrong_value(p, v);
    if (alike) return arena_printf(arena, "%lld", whole_of(first));
    long long a = whole_of(first), b = whole_of(json_array_get(v, 1));
    if (json_array_size(v) != 2) return wrong_value(p, v);
    return p->def->rank == 1 ? arena_printf(arena, "(%lld,%lld)", a, b) : arena_printf(arena, "(%lld,%lld)x(%lld,%lld)", a, a, b, b);
}

const char *numbers_text(Model *m, const double *numbers, int n) {
    StrBuf text = {0};
    for (int i = 0; i < n; i++) strbuf_printf(&text, "%s%s", i ? "," : "", number_text(m, numbers[i]));
    return keep_text(m, &text);
}

bool collect_numbers(json_t *v, int depth, double *numbers, int *n) {
    if (json_is_number(v) && *n < MOST_NUMBERS) return numbers[(*n)++] = json_number_value(v), true;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (depth > MODEL_RANK || !collect_numbers(json_array_get(v, i), depth + 1, numbers, n)) return false;
    return json_is_array(v) && depth <= MODEL_RANK;
}

static const char *reals_text(const Place *p, json_t *v) {
    Model *m = p->container->model;
    double numbers[MOST_NUMBERS];
    int n = 0;
    if (json_is_number(v)) return number_text(m, json_number_value(v));
    if (!collect_numbers(v, MODEL_RANK, numbers, &n) || !n) return wrong_value(p, v);
    return arena_printf(m->arena, "(%s)", numbers_text(m, numbers, n));
}

static const char *option_text(const Place *p, json_t *v) {
    switch (p->def->kind) {
    case ATTR_INT: return whole_text(p, v);
    case ATTR_REAL: return real_text(p, v);
    case ATTR_BOOL: return truth_text(p, v);
    case ATTR_WORD: return word_text(p, v);
    case ATTR_SIZE: return size_text(p, v);
    case ATTR_PAIRS: return pairs_text(p, v);
    case ATTR_REALS: return reals_text(p, v);
    default: return callable_text(p->container, p->place, p->def->name, p->def->family, v);
    }
}

/* Whether it says no more than the default does. */
static bool is_default(const AttrDef *def, const char *text) {
    char *end;
    if (!def->fallback || !*def->fallback) return false;
    if (!strcmp(def->fallback, text)) return true;
    double other = strtod(text, &end);
    return !*end && other == strtod(def->fallback, &end) && !*end;
}

/* ---- what need not be converted ---------------------------------------------------------------------------------------------------- */

static const char *const without_meaning[] = { /* here, whatever it is */
    "name", "seed", "implementation", "unroll", "input_length", "batch_input_shape", "batch_shape", "fn", "jit_compile", "is_legacy_optimizer", "renorm_momentum",
    "supports_masking", "module", "registered_name", "input_spec", "lora_alpha", "zero_output_for_mask", "fused", "synchronized", "input_dtype", "batch_size", "data_format",
};

/* Initializers of what a layer has not, too. */
static bool is_meaningless(const char *key) {
    if (strstr(key, "_initializer")) return true;
    for (int i = 0; i < LENGTH(without_meaning); i++)
        if (!strcmp(key, without_meaning[i])) return true;
    return false;
}

/* An option that cnnc does not know may have no effect: null, false, 0, an empty list; of what is on by itself, true. */
static bool is_off(const char *key, json_t *v) {
    static const struct { const char *key, *word; } usual[] = {{"reduction", "sum_over_batch_size"}, {"reduction", "auto"}, {"curve", "ROC"}, {"summation_method", "interpolation"}};
    if (json_is_string(v))
        for (int i = 0; i < LENGTH(usual); i++)
            if (!strcmp(key, usual[i].key) && !strcmp(json_string_value(v), usual[i].word)) return true;
    if (!strcmp(key, "reset_after") || !strcmp(key, "trainable")) return json_is_true(v);
    if (!strcmp(key, "groups")) return json_is_integer(v) && json_integer_value(v) == 1;
    if (!strcmp(key, "axis")) return is_whole(v) && whole_of(v) == -1;
    return json_is_null(v) || json_is_false(v) || (json_is_number(v) && json_number_value(v) == 0) || (json_is_array(v) && !json_array_size(v));
}

static const char *dtype_of(json_t *v) {
    json_t *config = config_of(v);
    return json_string_value(config ? json_object_get(config, "name") : v);
}

static void check_format(Container *c, const char *place, json_t *config) {
    const char *format = json_string_value(json_object_get(config, "data_format")), *dtype = dtype_of(json_object_get(config, "dtype"));
    if (format && strcmp(format, "channels_last")) fail(c->model, place, "data_format=%s: cnnc has channels last", shown(c->model, format));
    if (dtype && strcmp(dtype, "float32")) fail(c->model, place, "dtype=%s: cnnc computes in float32", shown(c->model, dtype));
}

static const AttrDef *attribute_of(const Callable *callable, const char *key) {
    for (int i = 0; i < callable->attribute_count; i++)
        if (!strcmp(callable->attributes[i].name, key)) return &callable->attributes[i];
    return NULL;
}

void check_rest(Container *c, const char *place, const Callable *callable, json_t *config) {
    const char *key;
    json_t *value;
    check_format(c, place, config);
    json_object_foreach(config, key, value) {
        if (!strcmp(key, "dtype") || is_meaningless(key) || attribute_of(callable, key) || is_off(key, value)) continue;
        fail(c->model, place, "%s=%s: cnnc's %s has no such option", shown(c->model, key), json_shown(c->model, value), callable->name);
    }
}

/* The text of an attribute that config gives another value than the default; NULL: none. *asked: it was there. */
static const char *attribute_text(Container *c, const char *place, const AttrDef *def, json_t *config, bool in_call, bool *given) {
    json_t *value = json_object_get(config, def->name);
    bool none = !value || json_is_null(value), random = !strcmp(def->name, "seed") && !json_is_integer(value);
    *given = false;
    if (value && none && def->family == activation_family && strcmp(def->fallback, "linear")) return *given = true, "linear";
    if (none || random) return NULL;
    const char *text = option_text(&(Place){c, place, def, in_call}, value);
    if (!text || is_default(def, text)) return NULL;
    *given = true;
    return text;
}

/* Those by position come first, as long as none of them is left out. */
void read_options(const Call *call, int node, const Callable *callable) {
    Model *m = call->container->model;
    bool by_position = true;
    for (int positional = 1; positional >= 0; positional--)
        for (int i = 0; i < callable->attribute_count; i++) {
            const AttrDef *def = &callable->attributes[i];
            bool given;
            if (def->positional != positional) continue;
            const char *text = attribute_text(call->container, call->place, def, call->config, false, &given);
            by_position = by_position && positional && given;
            if (given) add_setting(m, node, by_position ? NULL : def->name, "%s", text);
            else if (!def->fallback && !json_object_get(call->config, def->name)) fail(m, call->place, "has no %s", def->name);
        }
    check_rest(call->container, call->place, callable, call->config);
}

const char *arguments_text(Container *c, const char *place, const Callable *callable, json_t *config) {
    const char *all = "";
    for (int i = 0; config && i < callable->attribute_count; i++) {
        bool given;
        const char *text = attribute_text(c, place, &callable->attributes[i], config, true, &given);
        if (given) all = arena_printf(c->model->arena, "%s%s%s=%s", all, *all ? ", " : "", callable->attributes[i].name, text);
    }
    if (config) check_rest(c, place, callable, config);
    return all;
}

/* A word, or an object of class_name and config. */
const char *callable_text(Container *c, const char *place, const char *key, Family *family, json_t *value) {
    Model *m = c->model;
    const char *name = json_is_string(value) ? json_string_value(value) : class_of(value);
    if (!name) return fail(m, place, "%s=%s is not possible in cnnc", key, json_shown(m, value)), NULL;
    if (!strcmp(name, "function")) return fail(m, place, "%s is a function in Python, which is not run", key), NULL;
    const Callable *callable = find_callable(family, name);
    if (!callable) return fail(m, place, "%s=%s: there is no such in cnnc", key, shown(m, name)), NULL;
    if (c->version < 3 && !strcmp(callable->name, "hard_sigmoid")) return fail(m, place, "%s=hard_sigmoid is another function in Keras 2 than in cnnc", key), NULL;
    const char *arguments = arguments_text(c, place, callable, config_of(value));
    return *arguments ? arena_printf(m->arena, "%s(%s)", callable->name, arguments) : callable->name;
}
