/* keras.h: the map of the Keras reader, in the order of the way through it. */
#ifndef KERAS_H
#define KERAS_H
#include "model.h"
#include "../shared/keras_name.h"

#include <hdf5.h>
#include <jansson.h>

/* ---- keras_container.c: the file, a .keras zip or HDF5, with its texts as JSON and its weights open ---- */
typedef struct Container {
    Model *model;
    hid_t file;              /* the weights */
    void *image; size_t size; /* of a zip: the HDF5 file in it, in memory */
    uint64_t bytes;          /* length of the HDF5 file */
    uint64_t read;           /* as many of them are of datasets that were asked for */
    bool legacy;             /* one .h5 with attributes; else the parts of a .keras */
    int version;             /* of Keras, 2 or 3 */
    json_t *config, *compile; /* of the model, and of its training (NULL: none) */
    bool frozen, learns;     /* some weights are not trained; some are */
} Container;
void container_begin(Container *, Model *);
bool open_zip(Container *, const char *path); /* false after an error */
bool open_legacy(Container *, const char *path);
void container_close(Container *);

/* ---- keras_weights.c: weights, which come in another order than layers do ---- */
typedef struct Wanted {
    int node;
    const char *name;        /* "kernel", "lstm_cell/bias" */
    const char *path;        /* in a .keras */
    bool trainable;
} Wanted;
typedef struct WantedList { Wanted *items; int length; } WantedList;
/* Reads those of a .keras, each by its path; `place` is for messages. */
void read_saved_weights(Container *, const WantedList *, const char *place);
/* Those of one layer of the model in an .h5, named in order: the trainable ones first, of all layers in it. */
void read_legacy_weights(Container *, const WantedList *, const char *layer);
/* The numbers of one dataset, of at most `most`; NULL after an error. */
double *read_numbers(Container *, const char *path, const char *place, int most, int *n);
/* A string attribute; NULL: there is none. */
char *read_text_attribute(Container *, hid_t object, const char *name);

/* ---- keras_graph.c: models of layers, and models in them ---- */
void read_graph(Container *);
const char **output_names(Container *, int *n); /* by which losses and metrics may be given; n 0: they cannot be read */
/* What a layer is asked to make a node of. */
typedef struct Call {
    Container *container;
    const char *class, *name; /* name: the layer's, as the file has it */
    const char *place;        /* "layer 'x'" */
    json_t *config;
    const char *path;         /* of its weights in a .keras: "layers/dense" */
    bool trainable;           /* it and all models around it */
    const int *inputs; int input_count;
    WantedList *wanted;       /* gets its weights */
} Call;

/* ---- keras_layer.c: one layer, called once; the node of its output, -1 after an error ---- */
int read_layer(const Call *);
int read_input(Container *, const char *name, json_t *shape, json_t *config); /* shape with the batch */

/* ---- keras_options.c: options, by cnnc's own tables ---- */
/* Settings of a node by the attributes of `callable`; what else config has must mean nothing. */
void read_options(const Call *, int node, const Callable *);
/* What config has besides the attributes must mean nothing. */
void check_rest(Container *, const char *place, const Callable *, json_t *config);
/* A word with options, "he_normal(seed=3)", of what config has; NULL after an error. fallback: not said if it is that; NULL: always. */
const char *callable_text(Container *, const char *place, const char *key, Family *, json_t *value);
const char *arguments_text(Container *, const char *place, const Callable *, json_t *config); /* "a=1, b=2" */
const char *number_text(Model *, double); /* as short as the numbers that a float stands for */
enum { MOST_NUMBERS = 4096 }; /* that a statement of cnnc takes */
const char *numbers_text(Model *, const double *, int n); /* "1,0.5" */
/* Appends those of nested lists, as Keras keeps what was an array; false: they hold something else, or more than MOST_NUMBERS. */
bool collect_numbers(json_t *, int depth, double *numbers, int *n);

/* ---- keras_compile.c: the statement `compile` ---- */
void read_compile(Container *, const char *const *output_names, int n);

/* ---- small ones ---- */
const Callable *find_callable(Family *, const char *name); /* of either; NULL: there is none */
const char *class_of(json_t *object);               /* its class_name without a package; NULL: none */
json_t *config_of(json_t *object);                  /* its config, or NULL */
const char *json_shown(Model *, json_t *value);     /* for messages */

#endif
