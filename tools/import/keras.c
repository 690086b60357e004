/* keras.c: a model of Keras, from its file to nodes. */
#include "keras.h"

static void read_container(Model *m, const char *path, bool (*open)(Container *, const char *path)) {
    Container c;
    container_begin(&c, m);
    if (open(&c, path)) {
        read_graph(&c);
        int n, before = m->errors;
        const char **names = output_names(&c, &n);
        bool trained = n && c.compile && !m->no_compile;
        if (trained && c.frozen && !c.learns) remark("note", m->path, 0, "all weights are frozen: how it was trained is left out");
        else if (trained) read_compile(&c, names, n); /* of a network with errors, too: more may be wrong */
        if (!before && m->errors) remark("note", m->path, 0, "--no-compile leaves out how it was trained");
    }
    container_close(&c);
}

void read_keras_zip(Model *m, const char *path) { read_container(m, path, open_zip); }
void read_keras_hdf5(Model *m, const char *path) { read_container(m, path, open_legacy); }
