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
        remark("warning", c->model->path, 0, "compile: this Keras does not save the delta of Huber's loss: 1, as when Keras loads it");
    return text;
}

/* What belongs to output i of a list, or an object by outputs' names; NULL: nothing. */
static json_t *of_output(json_t *v, const char *const *outputs, int i) {
    return json_is_array(v) ? json_array_get(v, (size_t)i) : json_object_get(v, outputs[i]);
}

static bool is_by_output(json_t *v) { return json_is_array(v) || (json_is_object(v) && !json_object_get(v, "class_name")); }

/* One for all outputs or one for each; NULL after an error. */
static const char *losses_text(Container *c, json_t *v, const char *const *outputs, int n) {
    if (!is_by_output(v)) return loss_text(c, v);
    const char *all = "";
    for (int i = 0; i < n; i++) {
        json_t *one = of_output(v, outputs, i);
        if (!one || json_is_null(one)) return fail(c->model, "loss", "output '%s' has none, which cnnc does not know", shown(c->model, outputs[i])), NULL;
        const char *text = loss_text(c, one);
        if (!text) return NULL;
        all = arena_printf(c->model->arena, "%s%s%s", all, i ? "," : "", text);
    }
    return all;
}

static void read_loss_weights(Container *c, json_t *v, const char *const *outputs, int n) {
    const char *all = "";
    bool plain = true;
    if (!is_by_output(v)) return;
    for (int i = 0; i < n; i++) {
        json_t *one = of_output(v, outputs, i);
        if (one && !json_is_number(one)) {
            fail(c->model, "loss_weights", "%s is not possible in cnnc", json_shown(c->model, v));
            return;
        }
        double weight = one ? json_number_value(one) : 1;
        plain = plain && weight == 1;
        all = arena_printf(c->model->arena, "%s%s%s", all, i ? "," : "", number_text(c->model, weight));
    }
    if (!plain && n > 1) set(c->model, "loss_weights", all);
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

/* Appends the metrics of nested lists and objects by output that are not there yet. */
static const char *add_metrics(Container *c, json_t *v, int depth, const char *all) {
    const char *key;
    json_t *each;
    if (depth > 4 || !v || json_is_null(v)) return all;
    if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v) && i < 64; i++) all = add_metrics(c, json_array_get(v, i), depth + 1, all);
    } else if (is_by_output(v)) {
        json_object_foreach(v, key, each) all = add_metrics(c, each, depth + 1, all);
    } else {
        const char *text = metric_text(c, v), *comma = *all ? "," : "";
        if (text && !strstr(arena_printf(c->model->arena, ",%s,", all), arena_printf(c->model->arena, ",%s,", text))) return arena_printf(c->model->arena, "%s%s%s", all, comma, text);
    }
    return all;
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

void read_compile(Container *c, const char *const *outputs, int n) {
    Model *m = c->model;
    json_t *config = config_of(c->compile) ? config_of(c->compile) : c->compile, *loss = json_object_get(config, "loss");
    json_t *optimizer = json_object_get(config, c->legacy ? "optimizer_config" : "optimizer");
    if (!loss || json_is_null(loss)) return;
    const char *losses = losses_text(c, loss, outputs, n);
    if (!losses) return;
    if (optimizer) read_optimizer(c, optimizer);
    set(m, "loss", losses);
    read_loss_weights(c, json_object_get(config, "loss_weights"), outputs, n);
    const char *metrics = add_metrics(c, json_object_get(config, "metrics"), 0, "");
    if (*metrics) set(m, "metrics", metrics);
}
