/* onnx.h: the map of the ONNX reader, in the order in which a file passes through it:
 *
 *   onnx_read.c     protobuf -> values and nodes in an order in which they can be computed; onnx_tensor.c: numbers
 *   onnx_match.c    what several nodes make together (a GELU, a layer normalization) becomes one; what no output needs goes
 *   onnx_fold.c     what depends on constants only is a constant; onnx_fold_shape.c: shapes, and elements elsewhere
 *   onnx_view.c     how ONNX's axes lie in cnnc's memory
 *   onnx_convert.c  node by node to the Model's, by the table of onnx_ops.def; onnx_<family>.c: the functions of that table;
 *                   onnx_matched.c: those of onnx_match.c
 *
 * ONNX has channels first, and the batch somewhere; cnnc has channels last, and the batch before all. Axes are therefore not moved but
 * renamed: a View tells how a tensor of ONNX lies in memory, a Transpose only changes the View, a Reshape nearly always. Who needs an order
 * asks for it, and only what is not so by then is moved.
 */
#ifndef ONNX_H
#define ONNX_H
#include "model.h"

enum { ONNX_RANK = 8, PARTS = 20 };
#define FREE INT64_MIN /* among integers that tell a shape: the batch, however many that will be */

typedef enum { ONNX_FLOAT = 1, ONNX_U8, ONNX_I8, ONNX_U16, ONNX_I16, ONNX_I32, ONNX_I64, ONNX_STRING, ONNX_BOOL, ONNX_F16, ONNX_DOUBLE, ONNX_U32, ONNX_U64, ONNX_BF16 = 16 } ElementType;

typedef struct Numbers {
    ElementType type;
    int rank;
    int64_t dims[ONNX_RANK];
    size_t count;
    float *reals;       /* of types with fractions; else NULL */
    int64_t *integers;  /* of the others */
    int free;           /* which dimension, from 1, stands for a batch that is free, its elements being the same for all examples; 0: none */
} Numbers;

/* A tensor of ONNX is made of parts, its dimension d of parts begin[d] .. begin[d + 1] - 1, the last of them innermost; one of size 1 has
 * none. In memory the parts come in another order, the batch, if there is one, first. */
typedef struct View {
    int rank, begin[ONNX_RANK + 1];
    int64_t size[PARTS];      /* of parts: 2 or more; of the batch 0 where it is free */
    int batch;                /* which part it is; -1: there is none */
    int order[PARTS];         /* part_count of them, as they lie in memory */
    int part_count;
    int node;                 /* of the Model, whose output it is */
    int axes; int64_t shape[ONNX_RANK]; /* of that output, without the batch */
    bool positive;            /* no element is below 0 */
} View;

typedef struct Edge {
    const char *name;
    ElementType type;         /* of a View's elements, as the file has it */
    Numbers *constant;       /* one of these, once it is known; neither: it could not be converted */
    View *view;
    int producer;             /* a node; -1: none */
    int uses;                 /* by nodes that are needed, and as an output */
} Edge;

typedef struct OnnxNode {
    const char *name, *type, *domain;
    int *inputs, *outputs;    /* values; -1: left out */
    int input_count, output_count;
    const void *attributes;   /* of the file, read by attribute_int() ... */
    bool needed;
    struct Match *match;      /* what it makes of others' inputs; NULL: it is by itself */
} OnnxNode;

/* How an input or output of the Model lies, that has its axes in another order than ONNX's: axis i, the batch left out, is ONNX's order[i]. */
typedef struct Port { const char *name; int value, node, rank, axes, order[ONNX_RANK], batch; int64_t dims[ONNX_RANK]; } Port;

typedef struct OnnxOptions {
    bool whole;                         /* there is no batch: a tensor's first dimension is as the others */
    int outputs;                        /* only so many, the first ones; 0: all */
    int constant_count;                 /* inputs that are constants, in place of the file's own */
    const char *const *constant_names;
    const char *const *constant_paths;  /* files of a TensorProto */
} OnnxOptions;

typedef struct Onnx {
    Model *model;
    Arena *arena;
    const OnnxOptions *options;
    int opset;
    const OnnxNode *current;  /* that is being converted */
    int64_t spent;            /* elements that were made, beyond those of the file */
    Edge *values; int value_count;
    OnnxNode *nodes; int node_count; /* each after those that it takes from */
    Port *inputs, *outputs;
    int input_count, output_count;
} Onnx;

/* ---- onnx.c ---- */
void import_onnx(Model *, const char *path, const OnnxOptions *, Onnx *); /* with onnx->inputs and outputs for who wants to feed it */

/* ---- onnx_read.c ---- */
bool onnx_read(Onnx *, const char *path);
const char *node_place(Onnx *, const OnnxNode *); /* "node 'x' (Type)" */
bool refuse(Onnx *, const OnnxNode *, const char *format, ...) PRINTF_LIKE(3, 4); /* false, after "node 'x' (Type): ..."; NULL: the current one */
bool afford(Onnx *, int64_t count);                        /* whether so many elements more may be made; false after an error */
bool has_attribute(const OnnxNode *, const char *name);
int64_t attribute_int(const OnnxNode *, const char *name, int64_t fallback);
double attribute_real(const OnnxNode *, const char *name, double fallback);
const char *attribute_text(const OnnxNode *, const char *name, const char *fallback);
const int64_t *attribute_ints(const OnnxNode *, const char *name, int *count);       /* NULL where there is none */
const float *attribute_reals(const OnnxNode *, const char *name, int *count);
const char *attribute_texts(const OnnxNode *, const char *name, int i, int *count);
const void *attribute_tensor(const OnnxNode *, const char *name);

/* ---- onnx_tensor.c ---- */
Numbers *tensor_constant(Onnx *, const void *tensor, const char *place);     /* of a TensorProto; NULL after an error */
Numbers *tensor_file(Onnx *, const char *path);                              /* of a file of one */
Numbers *new_constant(Onnx *, ElementType, int rank, const int64_t *dims);   /* zero; NULL: too large, nothing is said */
double constant_at(const Numbers *, size_t i);
bool is_real_type(ElementType);
bool is_scalar(const Numbers *, double *value);                              /* one element */
bool is_uniform(const Numbers *, double *value);                             /* all the same */

/* ---- onnx_match.c ---- */
enum { SPATIAL = 100 };        /* in place of an axis: all behind the channels */
typedef struct Match {
    const char *word; int input, axis; /* `word` of the value */
    double a, slope, most;             /* a: epsilon, or relu's threshold */
    int scale, offset;                 /* two more values or -1 */
} Match;
void onnx_match(Onnx *);       /* and marks what is needed */

/* ---- onnx_fold.c, onnx_fold_shape.c ---- */
bool can_fold(const OnnxNode *);
bool takes_free(const OnnxNode *); /* a constant of a batch that is free */
bool onnx_fold(Onnx *, const OnnxNode *); /* with all inputs constant; false after an error */
int normal_axis(int64_t axis, int rank);  /* from 0; -1 when there is no such one */
bool read_perm(const OnnxNode *, int rank, int *perm); /* of a Transpose; false: it is no order of so many axes */
/* The inputs or attributes of a Slice: count of axes; -1 after an error. */
typedef struct Cut { int axis; int64_t start, end, step; } Cut;
int slice_cuts(Onnx *, const OnnxNode *, int rank, Cut *);
bool clamp_cut(Cut *, int64_t size, int64_t *count);
/* Integers that later versions of ONNX have as an input and earlier ones as an attribute; *count -1: there are none. NULL after an error. */
const int64_t *integers_of(Onnx *, const OnnxNode *, int input, const char *attribute, int *count);

/* ---- onnx_view.c ---- */
View *new_view(Onnx *, int node, int rank, const int64_t *dims, int batch, int64_t batch_size, const int *order, int axes); /* a part each; axes in memory by `order` */
View *view_like(Onnx *, const View *, int node);           /* of the same elements in the same places */
int64_t view_dim(const View *, int d);                     /* FREE: with a free batch in it */
int64_t view_count(const View *);                          /* elements of an example */
int batch_dim(const View *);                               /* -1: none */
int64_t batch_size(const View *);                          /* 0 where it is free, or there is none */
bool is_batch(const View *, int d);                        /* nothing else */
View *view_transpose(Onnx *, const View *, const int *perm);
View *view_reshape(Onnx *, const OnnxNode *, const View *, int rank, const int64_t *dims); /* -1: what is left, FREE: the batch */
void dim_to_end(int rank, int dim, int *perm, int *back);  /* the order of axes with one of them last, and that back */
View *view_merge(Onnx *, const View *, int first, int last); /* dimensions first .. last - 1 as one */
View *view_squeeze(Onnx *, const View *, unsigned dims);   /* without these, all of size 1 */
View *view_unsqueeze(Onnx *, const View *, int rank, unsigned dims); /* these are new */
/* The node that has the example with these dimensions of ONNX as its axes, all others being 1 or the batch; -1 after an error. */
int arranged(Onnx *, const OnnxNode *, const View *, const int *dims, int axes);
int in_memory(Onnx *, const OnnxNode *, const View *, const int *parts, int count, int axes, const int64_t *shape); /* all parts but the batch, in this order and shape */
/* Dimensions first .. innermost, as one axis, in whatever order; *elements: which element of ONNX's each is. NULL after an error. */
View *last_as_rows(Onnx *, const OnnxNode *, const View *, int first, int64_t **elements);
View *replace_last(Onnx *, const View *v, int first, int node, int64_t size); /* of these rows, with so many elements in place of those */
bool in_order(const View *, int *dims, int *count);        /* dimensions as they lie, each whole; false: they are interleaved */
/* A constant's elements where those of the view lie; NULL: it does not fit, or is not the same for all examples; *why NULL: it has been said. */
float *spread(Onnx *, const View *, const Numbers *, const char **why);
int reshaped(Onnx *, int node, int axes, const int64_t *shape); /* a node after this one */
const char *size_text(Onnx *, const int64_t *, int n);     /* "3x4" */

/* ---- onnx_convert.c ---- */
typedef bool Convert(Onnx *, const OnnxNode *);
void onnx_convert(Onnx *);
Numbers *constant_input(const Onnx *, const OnnxNode *, int i); /* NULL: none */
View *view_input(const Onnx *, const OnnxNode *, int i);         /* likewise */
bool has_input(const OnnxNode *, int i);
bool output_unused(const Onnx *, const OnnxNode *, int i);
bool set_view(Onnx *, const OnnxNode *, int output, View *);     /* true; false when view is NULL */
int emit_one(Onnx *, const OnnxNode *, const char *word, int input); /* a node of the Model */
int emit_merge(Onnx *, const OnnxNode *, const char *word, const int *inputs, int count);
void set_real(Onnx *, int node, const char *key, double);        /* a setting */
void set_weight(Onnx *, int node, const char *name, int rank, const int64_t *shape, const float *data); /* of no data after an error */

/* ---- onnx_elementwise.c: what several families write, as do the next ---- */
View *apply(Onnx *, const OnnxNode *, const View *, const char *word); /* an activation */
View *affine(Onnx *, const OnnxNode *, const View *, const float *scale, const float *offset, int64_t count); /* by the last axis, or, count all, each element; NULLs are 1 and 0 */
View *scaled(Onnx *, const OnnxNode *, const View *, double scale, double offset);
View *softmax(Onnx *, const OnnxNode *, const View *, int axis, bool all, const char *word); /* or log_softmax */
View *multiplied(Onnx *, const OnnxNode *, const View *, const View *, const char *word); /* any merging word */

/* ---- onnx_dense.c ---- */
View *along(Onnx *, const OnnxNode *, const View *, int dim, int64_t size, const float *matrix); /* a linear map of one dimension: [from][to] */

/* ---- onnx_parts.c ---- */
View *reduced(Onnx *, const OnnxNode *, const View *, unsigned dims, const char *word, bool keep); /* global_..._pooling1d over these */
View *with_padding(Onnx *, const OnnxNode *, const View *, int dim, int64_t before, int64_t after, const char *mode, double value);
bool embed(Onnx *, const OnnxNode *, const Numbers *table, int tokens); /* the rows of these, a value, as its output */

/* ---- onnx_norm.c, onnx_matched.c ---- */
View *matched_layer_normalization(Onnx *, const OnnxNode *, const View *);
bool convert_match(Onnx *, const OnnxNode *); /* of a node that has a match, in its place */

#define OP(type, function) Convert convert_##function;
#define ANY(type, function) Convert convert_##function;
#define MOVES(type, function) Convert convert_##function;
#include "onnx_ops.def"
#undef OP
#undef ANY
#undef MOVES
#endif
