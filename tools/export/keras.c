/* keras.c: weights as Keras 3 saves and loads them, NAME.weights.h5: a group for each layer, layers/conv2d_1/vars, with its weights by
 * their numbers, 0, 1 ... Layers are named after their class and counted in the order that Keras's own model of this network has. */
#include "export.h"
#include "../shared/keras_name.h"

#include <hdf5.h>
#include <string.h>

/* ---- the order of layers ------------------------------------------------------------------------------------------------
 * Keras walks from the outputs back to the inputs. A layer's depth is the longest way from it to an output; layers come by falling
 * depth, those of one depth as they were met first. */

typedef struct Walk {
    const Layer **met, **finished; /* when the walk came to them; when it left them */
    int met_count, finished_count;
    Map places, depths;            /* by name: of `met` and their depth, 1 and more */
    Arena *arena;
} Walk;

static void meet(Walk *w, const Layer *l) {
    if (map_get(&w->places, l->name)) return;
    *PUSH(w->arena, w->met, w->met_count) = l;
    map_set(w->arena, &w->places, l->name, l);
    for (int i = 0; i < l->input_count; i++) meet(w, l->inputs[i]->layer);
    *PUSH(w->arena, w->finished, w->finished_count) = l;
}

static int depth_of(const Walk *w, const Layer *l) {
    const int *depth = map_get(&w->depths, l->name);
    return depth ? *depth : 0;
}

static void deepen(Walk *w, const Layer *l, int depth) {
    int *kept = NEW(w->arena, int);
    *kept = depth > depth_of(w, l) ? depth : depth_of(w, l);
    map_set(w->arena, &w->depths, l->name, kept);
}

/* Ended by NULL. */
static const Layer **keras_order(const Graph *g) {
    Walk w = {.arena = g->arena};
    int deepest = 0, n = 0;
    for (int i = 0; i < g->output_count; i++) meet(&w, g->outputs[i]->layer);
    for (int i = w.finished_count - 1; i >= 0; i--)
        for (int k = 0; k < w.finished[i]->input_count; k++) deepen(&w, w.finished[i]->inputs[k]->layer, depth_of(&w, w.finished[i]) + 1);
    for (int i = 0; i < w.met_count; i++) deepest = depth_of(&w, w.met[i]) > deepest ? depth_of(&w, w.met[i]) : deepest;
    const Layer **order = NEW_ARRAY(g->arena, const Layer *, w.met_count + g->input_count + 1);
    for (int depth = deepest; depth >= 0; depth--) {
        for (int i = 0; i < g->input_count && !depth; i++) /* those that lead to no output */
            if (!map_get(&w.places, g->inputs[i]->layer->name)) order[n++] = g->inputs[i]->layer;
        for (int i = 0; i < w.met_count; i++)
            if (depth_of(&w, w.met[i]) == depth) order[n++] = w.met[i];
    }
    return order;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* The second one of its kind gets a number. */
static const char *group_name(Arena *arena, Map *counts, const char *class) {
    const char *name = keras_name(arena, class);
    int *count = map_get(counts, name);
    if (count) return arena_printf(arena, "layers/%s_%d", name, ++*count);
    map_set(arena, counts, name, NEW(arena, int));
    return arena_printf(arena, "layers/%s", name);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

typedef struct File { Arena *arena; hid_t id, links, values; } File; /* links: groups on the way are made */

/* A folder of weights with the name of what they are of. */
static bool add_folder(const File *f, const char *path, const char *name) {
    hid_t group = H5Gcreate2(f->id, path, f->links, H5P_DEFAULT, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    bool fine = group >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
    hid_t attribute = fine ? H5Acreate2(group, "name", type, space, H5P_DEFAULT, H5P_DEFAULT) : H5I_INVALID_HID;
    fine = attribute >= 0 && H5Awrite(attribute, type, &name) >= 0;
    H5Aclose(attribute), H5Sclose(space), H5Tclose(type), H5Gclose(group);
    return fine;
}

static bool add_weight(const File *f, const char *path, const Tensor *w) {
    hsize_t shape[MAX_RANK];
    for (int i = 0; i < w->shape.rank; i++) shape[i] = (hsize_t)w->shape.dim[i];
    hid_t space = H5Screate_simple(w->shape.rank, shape, NULL);
    hid_t set = H5Dcreate2(f->id, path, H5T_IEEE_F32LE, space, f->links, f->values, H5P_DEFAULT);
    bool fine = set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, w->values) >= 0;
    H5Dclose(set), H5Sclose(space);
    return fine;
}

/* Of a recurrent layer the weights are those of its cell. */
static bool add_layer(const File *f, const Graph *g, const Layer *l, const char *group) {
    const char *folder = arena_printf(f->arena, "%s/vars", group);
    bool fine = add_folder(f, folder, l->name), in_cell = false;
    int n = 0;
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *w = g->parameters[i];
        if (w->layer != l) continue;
        if (w->part && !in_cell) {
            folder = arena_printf(f->arena, "%s/cell/vars", group);
            fine = fine && add_folder(f, folder, w->part);
            in_cell = true;
        }
        fine = fine && add_weight(f, arena_printf(f->arena, "%s/%d", folder, n++), w);
    }
    return fine;
}

static bool add_layers(const File *f, const Graph *g) {
    Map counts = {0};
    bool fine = add_folder(f, "vars", g->name);
    for (const Layer **l = keras_order(g); *l && fine; l++) fine = add_layer(f, g, *l, group_name(f->arena, &counts, (*l)->def->keras));
    return fine;
}

static bool take_image(const File *f, Bytes *out) {
    ssize_t n = H5Fflush(f->id, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(f->id, NULL, 0) : -1;
    if (n < 0) return false;
    *out = (Bytes){NEW_ARRAY(f->arena, char, n), (size_t)n};
    return H5Fget_file_image(f->id, out->data, out->length) == n;
}

/* Made in memory: the file appears whole or not at all. Without times: the same weights are the same bytes. */
bool write_keras_weights(Graph *g, Bytes *out) {
    hid_t memory = H5Pcreate(H5P_FILE_ACCESS);
    File f = {g->arena, H5I_INVALID_HID, H5Pcreate(H5P_LINK_CREATE), H5Pcreate(H5P_DATASET_CREATE)};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    bool fine = H5Pset_fapl_core(memory, 1 << 20, false) >= 0 && H5Pset_create_intermediate_group(f.links, 1) >= 0;
    fine = fine && H5Pset_obj_track_times(f.values, false) >= 0;
    if (fine) f.id = H5Fcreate("weights", H5F_ACC_TRUNC, H5P_DEFAULT, memory);
    fine = f.id >= 0 && add_layers(&f, g) && take_image(&f, out);
    H5Fclose(f.id), H5Pclose(memory), H5Pclose(f.links), H5Pclose(f.values);
    return fine || (say_error("HDF5 cannot write the weights"), false);
}
