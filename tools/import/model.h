/* model.h: the map of cnnc-import. A reader makes a Model of a file, write.c a description and weights of the Model.
 *
 * All memory is the model's arena. Files are hostile until checked: a reader says what is wrong by fail(), goes on where more may be
 * wrong, and returns; model->errors tells whether anything was. No reader executes what a file holds.
 */
#ifndef MODEL_H
#define MODEL_H
#include "cnnc.h"

enum { MODEL_RANK = 8, MODEL_NODES = 10000 }; /* as many statements as cnnc takes */

typedef struct Setting { const char *key, *value; } Setting; /* key NULL: by position; the value as the description has it: "3x3" */
typedef struct Weight {
    const char *name;      /* as cnnc has it, without the layer's: "kernel", "lstm_cell/bias" */
    int rank;
    int64_t shape[MODEL_RANK]; /* in cnnc's layout, which is Keras's */
    float *data;
} Weight;
typedef struct Node {      /* a statement: an input or a layer */
    const char *word;      /* "conv2d"; must be one of cnnc's */
    const char *name;      /* as the file has it, whatever its bytes: write.c makes it legal and unique; NULL: cnnc's default */
    Setting *settings; int setting_count;
    int *inputs; int input_count; /* nodes before this one */
    Weight *weights; int weight_count;
    const char *origin;    /* what of the file it is made of, "layer 'x'", for messages; NULL: not known */
} Node;
typedef struct Model {
    Arena *arena;
    const char *path;      /* of the file, for messages */
    const char *name;      /* for `network`, made legal like a node's; NULL: none */
    Node *nodes; int node_count;
    int *outputs; int output_count; /* nodes; none: the last one */
    Setting *compile; int compile_count; /* of the statement `compile`; none: it only predicts */
    bool no_compile;       /* nobody asked for it */
    const char *origin;    /* of the nodes that are added now */
    int errors;
    bool lenient; int warnings; /* fail() only warns, and counts here: what is wrong can be left out */
} Model;

/* ---- model.c: making one ---- */
int add_node(Model *, const char *word, const char *name, const int *inputs, int input_count); /* its index; -1 after an error: too many */
void add_setting(Model *, int node, const char *key, const char *format, ...) PRINTF_LIKE(4, 5);
/* Room for a weight, zeroed; NULL after an error: more than 2^31 elements, a negative dimension. Reserve it only when the file is known to
 * have as many bytes. */
float *add_weight(Model *, int node, const char *name, int rank, const int64_t *shape);
void add_output(Model *, int node);
/* An error, "FILE: PLACE: text", said at once; place NULL: of the file. Text from a file goes through shown(). */
void fail(Model *, const char *place, const char *format, ...) PRINTF_LIKE(3, 4);
void warn(Model *, const char *place, const char *format, ...) PRINTF_LIKE(3, 4); /* likewise, of what may be left out */
const char *shown(Model *, const char *s);          /* what may be shown: control characters escaped, cut after 80 bytes */
const char *keep_text(Model *, StrBuf *);           /* a copy in the arena, "" of none; frees it */
bool element_count(int rank, const int64_t *shape, size_t *count); /* false: a dimension below 0, or 2^31 elements and more */

/* ---- readers: each fills the model or fails ---- */
void read_keras_zip(Model *, const char *path);  /* keras.c: .keras */
void read_keras_hdf5(Model *, const char *path); /* .h5 */
void read_onnx(Model *, const char *path);  /* onnx.c */

/* ---- write.c: the description and the weights ---- both or none; an exit status, after a message. Checks with cnnc that it takes the
 * description and that there is each weight, in its shape. */
int write_model(Model *, const char *net, const char *weights);

#endif
