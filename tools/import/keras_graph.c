/* keras_graph.c: models as nodes. Models in models are flattened: their inputs are what the model is called with.
 *
 * Layers of a Functional model may stand in any order. One whose inputs are not all there waits for the first that is missing, and goes on
 * from there. What waits in the end takes from itself, by way of others.
 */
#include "keras.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32, MOST_INPUTS = 1024 };

typedef struct Nodes { int *items; int length; } Nodes;

/* A tensor: the name of its layer, which call, which output. */
typedef struct Reference { const char *layer; long long call, output; const char *key; } Reference; /* key: in an object of such, or NULL */
typedef struct References { Reference *items; int length; } References;

/* One model: the outermost, or one in another. */
typedef struct Scope {
    Container *c;
    int depth;
    const char *path;     /* of its weights in a .keras, "layers/sequential", "" */
    bool trainable;
    WantedList *wanted;   /* NULL: it is the outermost, whose layers each have theirs */
} Scope;

/* One layer of a Functional model. */
typedef struct Record {
    const char *name, *class, *path;
    json_t *layer, *nodes;      /* nodes: its calls */
    Nodes outputs;              /* of its only call, or of its calls one after the other if it has no weights */
    int calls;
    References *from;           /* of each call, */
    Nodes *inputs;              /* as far as they are there: */
    int ready;                  /* of so many calls all */
    struct Record *waiting, *next; /* those that wait for it; the next one that waits for the same */
    WantedList wanted;
    bool done;
} Record;
typedef struct Records { Record *items; int length; Map by_name; } Records;

static bool model_nodes(const Scope *, json_t *model, const char *name, const Nodes *inputs, Nodes *outputs);

static bool is_model(const char *class) { return !strcmp(class, "Functional") || !strcmp(class, "Model") || !strcmp(class, "Sequential"); }
static const char *layer_place(const Scope *s, const char *name) { return arena_printf(s->c->model->arena, "layer '%s'", shown(s->c->model, name)); }
static void add(Arena *arena, Nodes *nodes, int node) { *PUSH(arena, nodes->items, nodes->length) = node; }

/* ---- one layer ----------------------------------------------------------------------------------------------------------------- */

static json_t *shape_of_input(json_t *config) {
    json_t *shape = json_object_get(config, "batch_shape");
    return shape ? shape : json_object_get(config, "batch_input_shape");
}

/* A call of a layer or of a model as a layer. False after an error. */
static bool layer_nodes(const Scope *s, json_t *layer, const char *name, const char *path, const Nodes *inputs, WantedList *wanted, Nodes *outputs) {
    Model *m = s->c->model;
    const char *class = class_of(layer), *place = layer_place(s, name);
    json_t *config = config_of(layer), *sublayers = json_object_get(layer, "config");
    if (!class || (!config && !json_is_array(sublayers))) return fail(m, place, "has no class or configuration"), false;
    bool trainable = s->trainable && !json_is_false(json_object_get(config, "trainable"));
    if (is_model(class)) {
        Scope inner = {s->c, s->depth + 1, path, trainable, wanted};
        return model_nodes(&inner, layer, name, inputs, outputs);
    }
    Call call = {s->c, class, name, place, config, path, trainable, inputs->items, inputs->length, wanted};
    m->origin = place;
    int node = read_layer(&call);
    if (node < 0) return false;
    if (!trainable && wanted->length && !json_is_false(json_object_get(config, "trainable"))) add_setting(m, node, "trainable", "false");
    add(m->arena, outputs, node);
    return true;
}

/* Weights of a layer that is done: now, or with those of the model around it. */
static void take_weights(const Scope *s, const WantedList *list, const char *name) {
    Model *m = s->c->model;
    if (!s->c->legacy) read_saved_weights(s->c, list, layer_place(s, name));
    else if (!s->wanted) read_legacy_weights(s->c, list, name);
    else
        for (int i = 0; i < list->length; i++) *PUSH(m->arena, s->wanted->items, s->wanted->length) = list->items[i];
}

/* Where Keras 3 keeps a layer's weights: by its class, numbered in the model. */
static const char *weight_place(const Scope *s, Map *numbers, const char *class) {
    Arena *arena = s->c->model->arena;
    const char *snake = keras_name(arena, class);
    int *number = map_get(numbers, snake);
    if (!number) map_set(arena, numbers, snake, number = NEW(arena, int));
    const char *suffix = *number ? arena_printf(arena, "_%d", *number) : "";
    ++*number;
    return arena_printf(arena, "%s%slayers/%s%s", s->path, *s->path ? "/" : "", snake, suffix);
}

static const char *name_of(const Scope *s, json_t *layer, int index) {
    const char *name = json_string_value(json_object_get(config_of(layer), "name"));
    if (!name) name = json_string_value(json_object_get(layer, "name"));
    return name ? name : arena_printf(s->c->model->arena, "layer_%d", index);
}

/* ---- Sequential ------------------------------------------------------------------------------------------------------------------ */

/* The input of the outermost one: a layer of its own, or a shape that the first layer or the model has. */
static int sequential_input(const Scope *s, json_t *layers, json_t *config) {
    json_t *first = json_array_get(layers, 0), *shape = shape_of_input(config_of(first));
    const char *class = class_of(first);
    bool own = class && !strcmp(class, "InputLayer");
    if (!shape) shape = json_object_get(config, "build_input_shape");
    if (!shape) return fail(s->c->model, NULL, "the model has no input shape: it was saved before it was built"), -1;
    return read_input(s->c, own ? name_of(s, first, 0) : "input", shape, own ? config_of(first) : NULL);
}

static bool sequential_nodes(const Scope *s, json_t *model, const Nodes *inputs, Nodes *outputs) {
    Model *m = s->c->model;
    json_t *config = config_of(model), *layers = config ? json_object_get(config, "layers") : json_object_get(model, "config");
    Map numbers = {0};
    Nodes now = {0};
    bool fine = true;
    if (!json_is_array(layers) || !json_array_size(layers)) return fail(m, NULL, "a Sequential model has no list of layers"), false;
    if (inputs && inputs->length != 1) return fail(m, NULL, "a Sequential model is called with %d inputs", inputs->length), false;
    int first = inputs ? inputs->items[0] : sequential_input(s, layers, config);
    if (first < 0) return false;
    add(m->arena, &now, first);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        json_t *layer = json_array_get(layers, i);
        const char *class = class_of(layer), *name = name_of(s, layer, (int)i);
        WantedList wanted = {0};
        Nodes next = {0};
        if (class && !strcmp(class, "InputLayer")) continue;
        const char *path = weight_place(s, &numbers, class ? class : "");
        if (!layer_nodes(s, layer, name, path, &now, &wanted, &next)) fine = false; /* and goes on: more may be wrong */
        else {
            take_weights(s, &wanted, name);
            if (next.length != 1) return fail(m, NULL, "layer '%s' of a Sequential model has %d outputs", shown(m, name), next.length), false;
            now = next;
        }
    }
    add(m->arena, outputs, now.items[0]);
    return fine;
}

/* ---- Functional: what stands where --------------------------------------------------------------------------------------------------- */

static bool read_reference(json_t *v, Reference *r) {
    const char *class = class_of(v);
    if (class && !strcmp(class, "__keras_tensor__")) v = json_object_get(config_of(v), "keras_history");
    json_t *call = json_array_get(v, 1), *output = json_array_get(v, 2);
    *r = (Reference){json_string_value(json_array_get(v, 0)), json_integer_value(call), json_integer_value(output), NULL};
    return r->layer && json_is_integer(call) && json_is_integer(output);
}

/* All tensors in lists of lists; what is no tensor there is an argument that cnnc does not know. */
static bool collect(Arena *arena, json_t *v, int depth, References *out) {
    Reference r;
    if (out->length == MOST_INPUTS || depth > DEEPEST) return false;
    if (read_reference(v, &r)) return *PUSH(arena, out->items, out->length) = r, true;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!collect(arena, json_array_get(v, i), depth + 1, out)) return false;
    return json_is_array(v);
}

static int compare_keys(const void *a, const void *b) { return strcmp(((const Reference *)a)->key, ((const Reference *)b)->key); }

/* A model's inputs or outputs: an object of them has the order of its keys, as in Keras's model.inputs. */
static bool collect_ends(Arena *arena, json_t *v, References *out) {
    const char *key;
    json_t *each;
    Reference r;
    if (!json_is_object(v) || class_of(v)) return collect(arena, v, 0, out) && out->length;
    json_object_foreach(v, key, each) {
        if (out->length == MOST_INPUTS || !read_reference(each, &r)) return false;
        r.key = key;
        *PUSH(arena, out->items, out->length) = r;
    }
    if (out->length) qsort(out->items, (size_t)out->length, sizeof *out->items, compare_keys);
    return out->length > 0;
}

static bool says_nothing(json_t *v, int depth) {
    for (size_t i = 0; i < json_array_size(v); i++)
        if (depth > DEEPEST || !says_nothing(json_array_get(v, i), depth + 1)) return false;
    return !v || json_is_null(v) || json_is_false(v) || json_is_array(v);
}

/* Arguments by name may say nothing: null, false; Keras 2 has them as an object behind each tensor. Random layers are called for training as
 * a rule. Keras 3 says training=false whether anybody asked for it or not, and trains such a layer; Keras 2 means it. */
static bool no_arguments(const Scope *s, const Record *r, json_t *kwargs) {
    const char *key;
    json_t *value;
    json_object_foreach(kwargs, key, value) {
        bool training = !strcmp(key, "training");
        if (!says_nothing(value, 0) && !(training && !strncmp(r->class, "Random", 6))) return false;
        if (training && json_is_false(value) && s->c->version < 3) warn(s->c->model, layer_place(s, r->name), "is called with training=false, which is left out: in training, cnnc's layers train");
    }
    return true;
}

static bool read_call(const Scope *s, const Record *r, json_t *call, References *from) {
    Arena *arena = s->c->model->arena;
    if (json_is_object(call)) return no_arguments(s, r, json_object_get(call, "kwargs")) && collect(arena, json_object_get(call, "args"), 0, from);
    for (size_t i = 0; i < json_array_size(call); i++) /* [["conv2d", 0, 0, {}], ...] */
        if (!no_arguments(s, r, json_array_get(json_array_get(call, i), 3))) return false;
    return collect(arena, call, 0, from);
}

/* Which node of a layer that is done it is; -1: there is no such. Call 0 of a Functional model is the one that made it, but for Keras 3 where
 * layers take from it. */
static int node_of(const Record *from, const Reference *r, bool made_first) {
    int each = from->calls > 1 ? 1 : from->outputs.length; /* one that is called several times has one output */
    bool skipped = made_first && is_model(from->class) && strcmp(from->class, "Sequential");
    long long at = (from->calls > 1 ? r->call - skipped : 0) * each + r->output;
    if (at < 0 || r->call < 0 || r->call > MOST_INPUTS || r->output < 0 || r->output >= each || at >= from->outputs.length) return -1;
    return from->outputs.items[at];
}

/* ---- Functional: its layers ------------------------------------------------------------------------------------------------------------- */

static bool read_records(const Scope *s, json_t *layers, Records *all) {
    Model *m = s->c->model;
    Map numbers = {0};
    size_t n = json_array_size(layers);
    if (!n || n > MODEL_NODES) return fail(m, NULL, "a model has %s layers", n ? "too many" : "no"), false;
    all->items = NEW_ARRAY(m->arena, Record, n);
    for (size_t i = 0; i < n; i++) {
        json_t *layer = json_array_get(layers, i), *nodes = json_object_get(layer, "inbound_nodes");
        Record *r = &all->items[all->length++];
        const char *name = json_string_value(json_object_get(layer, "name")), *class = class_of(layer);
        *r = (Record){.name = name ? name : name_of(s, layer, (int)i), .class = class ? class : "", .layer = layer, .nodes = nodes, .calls = (int)json_array_size(nodes)};
        r->path = weight_place(s, &numbers, r->class);
        if (map_get(&all->by_name, r->name)) return fail(m, NULL, "two layers are called '%s'", shown(m, r->name)), false;
        map_set(m->arena, &all->by_name, r->name, r);
    }
    return true;
}

/* The inputs in the model's order: new nodes, or what it is called with. */
static bool place_inputs(const Scope *s, json_t *config, Records *all, const Nodes *inputs) {
    Model *m = s->c->model;
    References names = {0};
    if (!collect_ends(m->arena, json_object_get(config, "input_layers"), &names)) return fail(m, NULL, "a model's input_layers cannot be read"), false;
    if (inputs && inputs->length != names.length) return fail(m, NULL, "a model of %d inputs is called with %d", names.length, inputs->length), false;
    for (int i = 0; i < names.length; i++) {
        Record *r = map_get(&all->by_name, names.items[i].layer);
        if (!r || r->done || strcmp(r->class, "InputLayer")) return fail(m, NULL, "a model's input_layers cannot be read"), false;
        json_t *own = config_of(r->layer);
        int node = inputs ? inputs->items[i] : read_input(s->c, r->name, shape_of_input(own), own);
        if (node < 0) return false;
        add(m->arena, &r->outputs, node);
        r->calls = 1;
        r->done = true;
    }
    return true;
}

typedef enum { LATER, DONE, WRONG } Progress;

/* The nodes that a call takes from, from where it had to wait. */
static Progress find_inputs(const Scope *s, const Records *all, Record *r, int call) {
    Model *m = s->c->model;
    References *from = &r->from[call];
    Nodes *inputs = &r->inputs[call];
    if (!from->length && (!read_call(s, r, json_array_get(r->nodes, (size_t)call), from) || !from->length))
        return fail(m, layer_place(s, r->name), "is called in a way that cnnc cannot follow"), WRONG;
    while (inputs->length < from->length) {
        const Reference *tensor = &from->items[inputs->length];
        Record *other = map_get(&all->by_name, tensor->layer);
        if (other && !other->done) return r->next = other->waiting, other->waiting = r, LATER;
        int node = other ? node_of(other, tensor, s->c->version < 3) : -1;
        if (node < 0) return fail(m, layer_place(s, r->name), "takes from '%s', which there is not", shown(m, tensor->layer)), WRONG;
        add(m->arena, inputs, node);
    }
    return DONE;
}

/* Nodes from the first one on, of models whose weights are read already. */
static bool have_weights(const Model *m, int first) {
    for (int i = first; i < m->node_count; i++)
        if (m->nodes[i].weight_count) return true;
    return false;
}

static Progress make_layer(const Scope *s, const Records *all, Record *r) {
    Model *m = s->c->model;
    if (!r->calls) return fail(m, layer_place(s, r->name), "is not called, and no input of the model"), WRONG;
    if (!r->from) r->from = NEW_ARRAY(m->arena, References, r->calls), r->inputs = NEW_ARRAY(m->arena, Nodes, r->calls);
    for (; r->ready < r->calls; r->ready++) {
        Progress progress = find_inputs(s, all, r, r->ready);
        if (progress != DONE) return progress;
    }
    int first = m->node_count;
    for (int i = 0; i < r->calls; i++) {
        if (!layer_nodes(s, r->layer, r->name, r->path, &r->inputs[i], &r->wanted, &r->outputs)) return WRONG;
        if (r->calls > 1 && (r->wanted.length || have_weights(m, first) || r->outputs.length != i + 1))
            return fail(m, layer_place(s, r->name), "is called %d times: cnnc's layers do not share weights", r->calls), WRONG;
    }
    return DONE;
}

/* In the order of the list, those that had to wait behind it. */
static bool make_layers(const Scope *s, Records *all) {
    Arena *arena = s->c->model->arena;
    Record **queue = NULL;
    int n = 0;
    bool wrong = false;
    for (int i = 0; i < all->length; i++)
        if (!all->items[i].done) *PUSH(arena, queue, n) = &all->items[i];
    for (int i = 0; i < n; i++) {
        Progress progress = make_layer(s, all, queue[i]);
        wrong = wrong || progress == WRONG; /* what takes from it waits for ever */
        if (progress != DONE) continue;
        queue[i]->done = true;
        for (Record *r = queue[i]->waiting; r; r = r->next) *PUSH(arena, queue, n) = r;
    }
    for (int i = 0; i < all->length && !wrong; i++)
        if (!all->items[i].done) wrong = true, fail(s->c->model, layer_place(s, all->items[i].name), "takes from itself, by way of others");
    return !wrong;
}

static bool functional_nodes(const Scope *s, json_t *model, const Nodes *inputs, Nodes *outputs) {
    Model *m = s->c->model;
    json_t *config = config_of(model);
    Records all = {0};
    References ends = {0};
    if (!read_records(s, json_object_get(config, "layers"), &all) || !place_inputs(s, config, &all, inputs) || !make_layers(s, &all)) return false;
    for (int i = 0; i < all.length; i++) take_weights(s, &all.items[i].wanted, all.items[i].name);
    if (!collect_ends(m->arena, json_object_get(config, "output_layers"), &ends)) return fail(m, NULL, "a model's output_layers cannot be read"), false;
    for (int i = 0; i < ends.length; i++) {
        const Record *from = map_get(&all.by_name, ends.items[i].layer);
        int node = from ? node_of(from, &ends.items[i], true) : -1;
        if (node < 0) return fail(m, NULL, "there is no output '%s'", shown(m, ends.items[i].layer)), false;
        add(m->arena, outputs, node);
    }
    return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------------- */

static bool model_nodes(const Scope *s, json_t *model, const char *name, const Nodes *inputs, Nodes *outputs) {
    Model *m = s->c->model;
    if (s->depth > DEEPEST) return fail(m, NULL, "models are nested more than %d deep", DEEPEST), false;
    const char *class = class_of(model);
    if (!strcmp(class, "Sequential")) return sequential_nodes(s, model, inputs, outputs);
    if (json_is_array(json_object_get(config_of(model), "layers"))) return functional_nodes(s, model, inputs, outputs);
    return fail(m, arena_printf(m->arena, "model '%s'", shown(m, name)), "is a class of its own, whose Python code is not run"), false;
}

/* Tokens have a vocabulary in cnnc: as many as the smallest table that they choose from has vectors. */
static void add_vocabularies(Model *m) {
    for (int input = 0; input < m->node_count; input++) {
        long long least = 0;
        if (strcmp(m->nodes[input].word, "input")) continue;
        for (int i = input + 1; i < m->node_count; i++) {
            const Node *n = &m->nodes[i];
            if (strcmp(n->word, "embedding") || n->input_count != 1 || n->inputs[0] != input || !n->setting_count) continue;
            long long vectors = strtoll(n->settings[0].value, NULL, 10);
            if (!least || vectors < least) least = vectors;
        }
        if (least) add_setting(m, input, "vocabulary", "%lld", least);
    }
}

const char **output_names(Container *c, int *n) {
    Arena *arena = c->model->arena;
    References ends = {0};
    json_t *list = json_object_get(config_of(c->config), "output_layers");
    bool several = list && collect_ends(arena, list, &ends);
    *n = several ? ends.length : !list;
    const char **names = NEW_ARRAY(arena, const char *, *n);
    for (int i = 0; i < *n; i++) names[i] = !several ? "" : ends.items[i].key ? ends.items[i].key : ends.items[i].layer;
    return names;
}

void read_graph(Container *c) {
    Model *m = c->model;
    const char *class = class_of(c->config), *name = json_string_value(json_object_get(config_of(c->config), "name"));
    Scope s = {c, 0, "", true, NULL};
    Nodes outputs = {0};
    if (!class || !is_model(class)) {
        fail(m, NULL, "the model is a %s, a class of its own, whose Python code is not run", class ? shown(m, class) : "thing without a class");
        return;
    }
    if (json_is_false(json_object_get(config_of(c->config), "trainable"))) s.trainable = false;
    if (!model_nodes(&s, c->config, name ? name : "", NULL, &outputs) || m->errors) return;
    if (name) m->name = arena_string(m->arena, name, strlen(name));
    for (int i = 0; i < outputs.length; i++) add_output(m, outputs.items[i]);
    add_vocabularies(m);
}
