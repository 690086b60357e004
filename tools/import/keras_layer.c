/* keras_layer.c: one layer of Keras as one of cnnc. Most are found by their class among cnnc's operators; those that are written in
 * another way have a function here. */
#include "keras.h"

#include <string.h>

static const OpDef *layer_of_class(const char *class) {
    for (int i = 0; all_ops[i]; i++)
        if (all_ops[i]->kind == OP_LAYER && all_ops[i]->keras && !strcmp(all_ops[i]->keras, class) && strcmp(class, "Activation")) return all_ops[i];
    return NULL;
}

/* A layer's name, unless Keras made it of the class: "conv2d_3". */
static const char *given_name(const Call *c) {
    const char *snake = keras_name(c->container->model->arena, c->class);
    size_t n = strlen(snake);
    if (strncmp(c->name, snake, n)) return c->name;
    const char *rest = c->name + n;
    return !*rest || (*rest == '_' && rest[1] && rest[1 + strspn(rest + 1, "0123456789")] == '\0') ? NULL : c->name;
}

static int new_node(const Call *c, const char *word) { return add_node(c->container->model, word, given_name(c), c->inputs, c->input_count); }

/* ---- weights ----------------------------------------------------------------------------------------------------------------- */

/* What a layer has, in Keras's order; those after a '?' only where that option is not false. */
static const struct { const char *word, *cell; const char *weights[4]; } weights_of[] = {
    {"conv1d", NULL, {"kernel", "bias?use_bias"}},
    {"conv2d", NULL, {"kernel", "bias?use_bias"}},
    {"depthwise_conv1d", NULL, {"kernel", "bias?use_bias"}},
    {"depthwise_conv2d", NULL, {"kernel", "bias?use_bias"}},
    {"separable_conv1d", NULL, {"depthwise_kernel", "pointwise_kernel", "bias?use_bias"}},
    {"separable_conv2d", NULL, {"depthwise_kernel", "pointwise_kernel", "bias?use_bias"}},
    {"conv1d_transpose", NULL, {"kernel", "bias?use_bias"}},
    {"conv2d_transpose", NULL, {"kernel", "bias?use_bias"}},
    {"dense", NULL, {"kernel", "bias?use_bias"}},
    {"embedding", NULL, {"embeddings"}},
    {"prelu", NULL, {"alpha"}},
    {"simple_rnn", "simple_rnn_cell", {"kernel", "recurrent_kernel", "bias?use_bias"}},
    {"lstm", "lstm_cell", {"kernel", "recurrent_kernel", "bias?use_bias"}},
    {"gru", "gru_cell", {"kernel", "recurrent_kernel", "bias?use_bias"}},
    {"batch_normalization", NULL, {"gamma?scale", "beta?center", "moving_mean", "moving_variance"}},
    {"layer_normalization", NULL, {"gamma?scale", "beta?center"}},
    {"group_normalization", NULL, {"gamma?scale", "beta?center"}},
};

static bool is_false(json_t *config, const char *key) { return json_is_false(json_object_get(config, key)); }
static bool is_true(json_t *config, const char *key) { return json_is_true(json_object_get(config, key)); }

static bool has_weight(const Call *c, const char *weight) {
    const char *mark = strchr(weight, '?');
    if (is_true(c->config, "rms_scaling")) return !strncmp(weight, "gamma", 5); /* which the other options do not matter to */
    return !mark || !is_false(c->config, mark + 1);
}

static void want_weights(const Call *c, int node) {
    Model *m = c->container->model;
    for (int i = 0; i < LENGTH(weights_of); i++) {
        if (strcmp(weights_of[i].word, m->nodes[node].word)) continue;
        const char *cell = weights_of[i].cell;
        for (int k = 0, n = 0; k < 4 && weights_of[i].weights[k]; k++) {
            const char *weight = weights_of[i].weights[k];
            if (!has_weight(c, weight)) continue;
            const char *name = arena_printf(m->arena, "%s%s%.*s", cell ? cell : "", cell ? "/" : "", (int)strcspn(weight, "?"), weight);
            const char *path = arena_printf(m->arena, "%s%s/vars/%d", c->path, cell ? "/cell" : "", n++);
            bool trainable = c->trainable && strncmp(weight, "moving_", 7);
            *(trainable ? &c->container->learns : &c->container->frozen) = true;
            *PUSH(m->arena, c->wanted->items, c->wanted->length) = (Wanted){node, name, path, trainable};
        }
    }
}

/* ---- layers that are written in another way ------------------------------------------------------------------------------------- */

static int read_plain(const Call *c, const OpDef *def) {
    int node = new_node(c, def->call.name);
    if (node < 0) return -1;
    read_options(c, node, &def->call);
    want_weights(c, node);
    return node;
}

static const char *activation_name(const char *class) { return strcmp(class, "Exp") ? class : "exponential"; } /* of keras.ops */

/* The layer of an activation: its options are written out, as a layer's defaults may be others than an activation's. */
static int activation_node(const Call *c, json_t *activation) {
    Model *m = c->container->model;
    const char *text = callable_text(c->container, c->place, "activation", activation_family, activation);
    if (!text) return -1;
    size_t n = strcspn(text, "(");
    int node = new_node(c, arena_string(m->arena, text, n));
    if (node < 0) return -1;
    if (!strcmp(text, "leaky_relu")) add_setting(m, node, "negative_slope", "0.2");
    for (const char *at = text + n; *at && *at != ')'; at += strcspn(at, ",)")) { /* "(a=1, b=2)" */
        at += strspn(at, "(, ");
        size_t key = strcspn(at, "="), value = strcspn(at + key, ",)");
        add_setting(m, node, arena_string(m->arena, at, key), "%.*s", (int)value - 1, at + key + 1);
    }
    return node;
}

static int read_activation(const Call *c) { return activation_node(c, json_object_get(c->config, "activation")); }

/* keras.ops.tanh(x) is a Tanh: unlike a layer it has no dtype. */
static bool is_operation(const Call *c) { return !json_object_get(c->config, "dtype") && find_callable(activation_family, activation_name(c->class)); }

static int read_operation(const Call *c) {
    json_t *activation = json_pack("{s:s, s:O}", "class_name", activation_name(c->class), "config", c->config);
    int node = activation_node(c, activation);
    json_decref(activation);
    return node;
}

/* Keras 2 called the slope alpha. */
static int read_leaky_relu(const Call *c) {
    json_t *alpha = json_object_get(c->config, "alpha");
    if (alpha) {
        json_object_set(c->config, "negative_slope", alpha);
        json_object_del(c->config, "alpha");
    }
    return read_plain(c, layer_of_class("LeakyReLU"));
}

/* Strides that are as large as the pool, which they are by themselves. */
static int read_pooling(const Call *c) {
    if (json_equal(json_object_get(c->config, "strides"), json_object_get(c->config, "pool_size"))) json_object_del(c->config, "strides");
    return read_plain(c, layer_of_class(c->class));
}

static int read_embedding(const Call *c) {
    if (is_true(c->config, "mask_zero")) return fail(c->container->model, c->place, "mask_zero=true: cnnc has no masks"), -1;
    return read_plain(c, layer_of_class("Embedding"));
}

static int read_gru(const Call *c) {
    json_t *after = json_object_get(c->config, "reset_after");
    if (!json_is_true(after)) return fail(c->container->model, c->place, "reset_after=false: cnnc's gru resets after the product"), -1;
    return read_plain(c, layer_of_class("GRU"));
}

/* Scales by channel are a normalization: x s + o is (x - (-o / s)) / sqrt(1 / s^2). */
static int read_rescaling(const Call *c) {
    Model *m = c->container->model;
    json_t *scales = json_object_get(c->config, "scale"), *offsets = json_object_get(c->config, "offset");
    if (json_is_number(scales) && json_is_number(offsets)) return read_plain(c, layer_of_class("Rescaling"));
    size_t n = json_is_array(scales) ? json_array_size(scales) : json_array_size(offsets);
    double means[MOST_NUMBERS], variances[MOST_NUMBERS];
    bool fine = n && n <= MOST_NUMBERS;
    for (size_t i = 0; fine && i < n; i++) {
        json_t *scale = json_is_array(scales) ? json_array_get(scales, i) : scales, *offset = json_is_array(offsets) ? json_array_get(offsets, i) : offsets;
        double s = json_number_value(scale);
        fine = json_is_number(scale) && json_is_number(offset) && s > 0;
        if (fine) means[i] = -json_number_value(offset) / s, variances[i] = 1 / (s * s);
    }
    if (!fine) return fail(m, c->place, "scale=%s offset=%s is not possible in cnnc", json_shown(m, scales), json_shown(m, offsets)), -1;
    int node = new_node(c, "normalization");
    if (node < 0) return -1;
    add_setting(m, node, "mean", "(%s)", numbers_text(m, means, (int)n));
    add_setting(m, node, "variance", "(%s)", numbers_text(m, variances, (int)n));
    check_rest(c->container, c->place, &layer_of_class("Rescaling")->call, c->config);
    return node;
}

/* One axis, or several between parentheses that the setting has not. */
static void set_axis(const Call *c, int node, json_t *axis) {
    json_t *only = json_pack("{s:O}", "axis", axis);
    const char *text = arguments_text(c->container, c->place, &layer_of_class("Normalization")->call, only), *value = text + strcspn(text, "=");
    json_decref(only);
    if (*value) value += 1 + (value[1] == '(');
    if (*text) add_setting(c->container->model, node, "axis", "%.*s", (int)strcspn(value, ")"), value);
}

/* Its mean and variance are of its configuration, or weights. */
static int read_normalization(const Call *c) {
    static const char *const keys[] = {"mean", "variance"};
    Model *m = c->container->model;
    json_t *axis = json_object_get(c->config, "axis");
    int node = new_node(c, "normalization");
    if (node < 0) return -1;
    for (int i = 0; i < LENGTH(keys); i++) {
        json_t *given = json_object_get(c->config, keys[i]);
        double several[MOST_NUMBERS], *numbers = several;
        int n = 0;
        if (given && !json_is_null(given)) {
            if (!collect_numbers(given, 0, numbers, &n)) return fail(m, c->place, "%s=%s is not possible in cnnc", keys[i], json_shown(m, given)), -1;
        } else if (!c->container->legacy) numbers = read_numbers(c->container, arena_printf(m->arena, "%s/vars/%d", c->path, i), c->place, MOST_NUMBERS, &n);
        else return fail(m, c->place, "its %s is a weight, which is read of .keras files only", keys[i]), -1;
        if (!numbers) return -1;
        if (n) add_setting(m, node, keys[i], n > 1 ? "(%s)" : "%s", numbers_text(m, numbers, n));
    }
    if (json_is_array(axis) && json_array_size(axis) == 1) axis = json_array_get(axis, 0);
    if (json_is_array(axis) && !json_array_size(axis)) axis = NULL; /* how axis=None is saved */
    if (axis && !json_is_null(axis) && !(json_is_integer(axis) && json_integer_value(axis) == -1)) set_axis(c, node, axis);
    if (is_true(c->config, "invert")) add_setting(m, node, "invert", "true");
    check_rest(c->container, c->place, &layer_of_class("Normalization")->call, c->config);
    return node;
}

/* Both directions, each a layer of its own, and what joins them. A backward sequence would have to be turned around. */
static int read_bidirectional(const Call *c) {
    static const struct { const char *mode, *word; } merges[] = {{"concat", "concatenate"}, {"sum", "add"}, {"mul", "multiply"}, {"ave", "average"}};
    static const char *const directions[] = {"forward", "backward"};
    Model *m = c->container->model;
    json_t *layers[2] = {json_object_get(c->config, "layer"), json_object_get(c->config, "backward_layer")};
    const char *mode = json_string_value(json_object_get(c->config, "merge_mode")), *word = NULL;
    int halves[2];
    for (int i = 0; mode && i < LENGTH(merges); i++)
        if (!strcmp(mode, merges[i].mode)) word = merges[i].word;
    if (!word) return fail(m, c->place, "merge_mode=%s is not possible in cnnc", json_shown(m, json_object_get(c->config, "merge_mode"))), -1;
    for (int i = 0; i < 2; i++) {
        json_t *layer = layers[i] ? layers[i] : layers[0], *config = json_copy(config_of(layer));
        const char *class = class_of(layer);
        bool sequences = is_true(config, "return_sequences");
        bool fine = config && class && (!strcmp(class, "LSTM") || !strcmp(class, "GRU") || !strcmp(class, "SimpleRNN")) && !sequences;
        if (fine && i && !layers[1]) json_object_set_new(config, "go_backwards", json_boolean(!is_true(config, "go_backwards")));
        Call half = *c;
        half.class = class, half.config = config;
        half.name = arena_printf(m->arena, "%s_%s", c->name, directions[i]);
        half.path = arena_printf(m->arena, "%s/%s_layer", c->path, directions[i]);
        halves[i] = fine ? read_layer(&half) : -1;
        json_decref(config);
        if (sequences) return fail(m, c->place, "return_sequences=true: a Bidirectional is possible in cnnc where it gives its last state"), -1;
        if (!fine) return fail(m, c->place, "a Bidirectional of %s is not possible in cnnc", class ? shown(m, class) : "nothing"), -1;
        if (halves[i] < 0) return -1;
    }
    return add_node(m, word, given_name(c), halves, 2);
}

/* ---- by class -------------------------------------------------------------------------------------------------------------------- */

static int refuse_code(const Call *c) {
    return fail(c->container->model, c->place, "%s holds Python code, which is not run", c->class), -1;
}

static const struct { const char *class; int (*read)(const Call *); } others[] = {
    {"Activation", read_activation}, {"LeakyReLU", read_leaky_relu}, {"Embedding", read_embedding}, {"GRU", read_gru}, {"Rescaling", read_rescaling},
    {"Normalization", read_normalization}, {"Bidirectional", read_bidirectional}, {"Lambda", refuse_code}, {"MaxPooling1D", read_pooling}, {"MaxPooling2D", read_pooling}, {"AveragePooling1D", read_pooling}, {"AveragePooling2D", read_pooling},
};

int read_layer(const Call *c) {
    Model *m = c->container->model;
    for (int i = 0; i < LENGTH(others); i++)
        if (!strcmp(c->class, others[i].class)) return others[i].read(c);
    const OpDef *def = layer_of_class(c->class);
    if (def) return read_plain(c, def);
    if (is_operation(c)) return read_operation(c);
    return fail(m, c->place, "there is no %s in cnnc", shown(m, c->class)), -1;
}

/* Whether Keras gave an input its name: "input_7", "input_layer", "input_layer_7". */
static bool is_made_up(const char *name) {
    static const char *const names[] = {"input", "input_layer"};
    for (int i = 0; i < LENGTH(names); i++) {
        size_t n = strlen(names[i]);
        if (strncmp(name, names[i], n)) continue;
        if (!name[n] || (name[n] == '_' && name[n + 1] && !name[n + 1 + strspn(name + n + 1, "0123456789")])) return true;
    }
    return false;
}

int read_input(Container *c, const char *name, json_t *shape, json_t *config) {
    Model *m = c->model;
    const char *place = arena_printf(m->arena, "input '%s'", shown(m, name)), *text = "";
    size_t rank = json_array_size(shape);
    if (rank < 2) return fail(m, place, "has no shape beside the batch: %s", json_shown(m, shape)), -1;
    for (size_t i = 1; i < rank; i++) {
        json_t *v = json_array_get(shape, i);
        if (json_is_null(v)) return fail(m, place, "its shape %s is not known as a whole, which cnnc wants", json_shown(m, shape)), -1;
        if (!json_is_integer(v)) return fail(m, place, "its shape cannot be %s", json_shown(m, shape)), -1;
        text = arena_printf(m->arena, "%s%s%lld", text, i > 1 ? "x" : "", (long long)json_integer_value(v));
        if (i > MAX_RANK) return fail(m, place, "has more than %d axes", MAX_RANK), -1;
    }
    const char *dtype = json_string_value(json_object_get(config, "dtype"));
    m->origin = place;
    int node = add_node(m, "input", is_made_up(name) ? NULL : name, NULL, 0);
    if (node >= 0) add_setting(m, node, NULL, "%s", text);
    if (node >= 0 && dtype && !strcmp(dtype, "uint8")) add_setting(m, node, "type", "u8");
    if (is_true(config, "sparse") || is_true(config, "ragged")) fail(m, place, "is sparse or ragged, which cnnc has not");
    return node;
}
