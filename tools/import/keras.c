/* keras.c: a model of Keras, from its file to nodes. */
#include "keras.h"

/* The layers' names that outputs have in the file, by which losses and metrics may be given. */
static void read_training(Container *c) {
    Model *m = c->model;
    json_t *list = json_object_get(config_of(c->config), "output_layers");
    const char **names = NEW_ARRAY(m->arena, const char *, m->output_count);
    for (int i = 0; i < m->output_count; i++) {
        json_t *one = json_is_array(json_array_get(list, 0)) ? json_array_get(list, (size_t)i) : list; /* Keras 3 has a single one without a list */
        const char *name = json_string_value(json_array_get(one, 0));
        names[i] = name ? name : "";
    }
    read_compile(c, names, m->output_count);
}

static void read_container(Model *m, const char *path, bool (*open)(Container *, const char *path)) {
    Container c;
    container_begin(&c, m);
    if (open(&c, path)) {
        read_graph(&c);
        if (!m->errors && c.compile && !m->no_compile) {
            read_training(&c);
            if (m->errors) remark("note", m->path, 0, "--no-compile leaves out how it was trained");
        }
    }
    container_close(&c);
}

void read_keras_zip(Model *m, const char *path) { read_container(m, path, open_zip); }
void read_keras_hdf5(Model *m, const char *path) { read_container(m, path, open_legacy); }
