/* keras.c: a model of Keras, from its file to nodes. */
#include "keras.h"

static void read_container(Model *m, const char *path, bool (*open)(Container *, const char *path)) {
    Container c;
    container_begin(&c, m);
    if (open(&c, path)) {
        read_graph(&c);
        int n, before = m->errors;
        const char **names = output_names(&c, &n);
        if (n && c.compile && !m->no_compile) read_compile(&c, names, n); /* of a network with errors, too: more may be wrong */
        if (!before && m->errors) remark("note", m->path, 0, "--no-compile leaves out how it was trained");
    }
    container_close(&c);
}

void read_keras_zip(Model *m, const char *path) { read_container(m, path, open_zip); }
void read_keras_hdf5(Model *m, const char *path) { read_container(m, path, open_legacy); }
