/* keras_compile.c: how a model was trained, as the statement `compile`. A metric that cnnc has not is left out, after a warning; an
 * optimizer or a loss is an error. */
#include "keras.h"

#include <string.h>

static void set(Model *m, const char *key, const char *value) { *PUSH(m->arena, m->compile, m->compile_count) = (Setting){key, value}; }

/* ---- losses ------------------------------------------------------------------------------------------------------------------ */

/* Other names of Keras. */
static const struct { const char *keras, *ours; } names[] = {
    {"kld", "kl_divergence"}, {"KLD", "kl_divergence"}, {"kullback_leibler_divergence", "kl_divergence"},
    {"bce", "binary_crossentropy"}, {"BCE", "binary_crossentropy"}, {"acc", "accuracy"},
};

static json_t *renamed(json_t *v) {
    for (int i = 0; json_is_string(v) && i < LENGTH(names); i++)
        if (!strcmp(json_string_value(v), names[i].keras)) return json_string(names[i].ours);
    return json_incref(v);
}

static const char *loss_text(Container *c, json_t *v) {
    json_t *loss = renamed(v);
    const char *text = callable_text(c, c->legacy ? "training_config" : "compile_config", "loss", loss_family, loss);
    json_decref(loss);
    if (text && !strcmp(text, "huber") && config_of(v) && !json_object_get(config_of(v), "delta"))
        warn(c->model, "compile", "this Keras does not save the delta of Huber's loss: 1, as when Keras loads it");
    return text;
}

/* What belongs to output i of a list, or an object by outputs' names; NULL: nothing. */
static json_t *of_output(json_t *v, const char *const *outputs, int i) {
    return json_is_array(v) ? json_array_get(v, (size_t)i) : json_object_get(v, outputs[i]);
}

static bool is_by_output(json_t *v) { return json_is_array(v) || (json_is_object(v) && !json_object_get(v, "class_name")); }

/* One for all outputs or one for each; NULL after an error. */
static const char *losses_text(Container *c, json_t *v, const char *const *outputs, int n) {
    StrBuf all = {0};
    bool fine = true;
    if (!is_by_output(v)) return loss_text(c, v);
    for (int i = 0; i < n; i++) {
        json_t *one = of_output(v, outputs, i);
        bool none = !one || json_is_null(one);
        if (none) fail(c->model, "loss", "output '%s' has none, which cnnc does not know", shown(c->model, outputs[i]));
        const char *text = none ? NULL : loss_text(c, one);
        if (!text) fine = false; /* and goes on: more may be wrong */
        else strbuf_printf(&all, "%s%s", i ? "," : "", text);
    }
    const char *losses = keep_text(c->model, &all);
    return fine ? losses : NULL;
}

/* cnnc weighs outputs against each other only: the weight of a single one must be 1. */
static void read_loss_weights(Container *c, json_t *v, const char *const *outputs, int n) {
    Model *m = c->model;
    StrBuf all = {0};
    bool fine = true, plain = true;
    for (int i = 0; i < n && fine; i++) {
        json_t *one = is_by_output(v) ? of_output(v, outputs, i) : v;
        double weight = json_is_number(one) ? json_number_value(one) : 1;
        fine = !one || json_is_null(one) || json_is_number(one);
        plain = plain && weight == 1;
        strbuf_printf(&all, "%s%s", i ? "," : "", number_text(m, weight));
    }
    const char *weights = keep_text(m, &all);
    if (!fine || (!plain && (n == 1 || json_is_number(v)))) fail(m, "loss_weights", "%s is not possible in cnnc", json_shown(m, v));
    else if (!plain) set(m, "loss_weights", weights);
}

/* ---- metrics -------------------------------------------------------------------------------------------------------------------- */

/* Keras 2 wraps functions, and chooses one for "accuracy": {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn":
 * "categorical_accuracy"}}. */
static json_t *metric_of(json_t *v) {
    const char *class = class_of(v), *fn = json_string_value(json_object_get(config_of(v), "fn")), *name = json_string_value(json_object_get(config_of(v), "name"));
    if (!class || !fn || !strstr(class, "Wrapper")) return renamed(v);
    const char *last = name && strrchr(name, '_') ? strrchr(name, '_') + 1 : name;
    bool chosen = last && (!strcmp(last, "accuracy") || !strcmp(last, "acc")) && strncmp(name, fn, strlen(fn));
    return json_string(chosen ? "accuracy" : fn);
}

/* NULL after a warning. */
static const char *metric_text(Container *c, json_t *v) {
    Model *m = c->model;
    json_t *metric = metric_of(v);
    int before = m->warnings;
    m->lenient = true;
    const char *text = callable_text(c, "compile", "metrics", metric_family, metric);
    m->lenient = false;
    json_decref(metric);
    return m->warnings == before ? text : NULL;
}

enum { MOST_METRICS = 64 };

typedef struct Metrics { const char **texts; int count; } Metrics;

/* Those of nested lists and objects, each once. */
static void add_metrics(Container *c, json_t *v, int depth, Metrics *all) {
    const char *key;
    json_t *each;
    if (depth > 2 || all->count == MOST_METRICS || !v || json_is_null(v)) return;
    if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v) && i < MOST_METRICS; i++) add_metrics(c, json_array_get(v, i), depth + 1, all);
    } else if (is_by_output(v)) {
        json_object_foreach(v, key, each) add_metrics(c, each, depth + 1, all);
    } else {
        const char *text = metric_text(c, v);
        for (int i = 0; text && i < all->count; i++)
            if (!strcmp(all->texts[i], text)) return;
        if (text) *PUSH(c->model->arena, all->texts, all->count) = text;
    }
}

/* A list of plain ones is of Keras 2 for all outputs, of Keras 3 one for each if it is as long. */
static bool are_for_all(const Container *c, json_t *v, int n) {
    if (n == 1 || !is_by_output(v)) return true;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (is_by_output(json_array_get(v, i))) return false;
    return json_is_array(v) && (c->version < 3 || json_array_size(v) != (size_t)n);
}

/* cnnc has any for one output, one for each of several: where they are others, none. */
static void read_metrics(Container *c, json_t *v, const char *const *outputs, int n) {
    Model *m = c->model;
    StrBuf text = {0};
    Metrics metrics = {0};
    const char *odd = NULL; /* an output that has none, or several */
    int most = 0, odd_count = 0;
    bool for_all = are_for_all(c, v, n);
    for (int i = 0; i < n; i++) {
        if (!for_all) metrics.count = 0;
        if (!for_all || !i) add_metrics(c, for_all ? v : of_output(v, outputs, i), 0, &metrics);
        if (n > 1 && metrics.count != 1 && !odd) odd = outputs[i], odd_count = metrics.count;
        if (metrics.count > most) most = metrics.count;
        for (int k = 0; k < metrics.count; k++) strbuf_printf(&text, "%s%s", text.length ? "," : "", metrics.texts[k]);
    }
    const char *all = keep_text(m, &text);
    if (most && odd) warn(m, "compile", "metrics are left out: cnnc has one for each output, and '%s' has %s", shown(m, odd), odd_count ? "several" : "none");
    else if (most) set(m, "metrics", all);
}

/* ---- the optimizer ---------------------------------------------------------------------------------------------------------------- */

static void read_optimizer(Container *c, json_t *v) {
    Model *m = c->model;
    const char *class = json_is_string(v) ? json_string_value(v) : class_of(v), *place = "optimizer";
    const OpDef *def = NULL;
    for (int i = 0; class && all_ops[i]; i++)
        if (all_ops[i]->kind == OP_OPTIMIZER && (!strcmp(all_ops[i]->keras, class) || !strcmp(all_ops[i]->call.name, class))) def = all_ops[i];
    if (!def) {
        fail(m, place, "there is no %s in cnnc", class ? shown(m, class) : json_shown(m, v));
        return;
    }
    const char *arguments = arguments_text(c, place, &def->call, config_of(v));
    set(m, "optimizer", *arguments ? arena_printf(m->arena, "%s(%s)", def->call.name, arguments) : def->call.name);
}

void read_compile(Container *c, const char *const *output_names, int n) {
    Model *m = c->model;
    json_t *config = config_of(c->compile) ? config_of(c->compile) : c->compile, *loss = json_object_get(config, "loss");
    json_t *optimizer = json_object_get(config, c->legacy ? "optimizer_config" : "optimizer"), *weighted = json_object_get(config, "weighted_metrics");
    if (!loss || json_is_null(loss)) return;
    const char *losses = losses_text(c, loss, output_names, n);
    if (optimizer) read_optimizer(c, optimizer);
    if (losses) set(m, "loss", losses);
    read_loss_weights(c, json_object_get(config, "loss_weights"), output_names, n);
    read_metrics(c, json_object_get(config, "metrics"), output_names, n);
    if (json_array_size(weighted) || json_object_size(weighted)) warn(m, "compile", "weighted_metrics are left out: cnnc's metrics count all examples alike");
}
