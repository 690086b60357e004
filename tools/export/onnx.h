/* onnx.h: an ONNX graph under construction, op by op of cnnc's graph.
 *
 * A tensor of cnnc's graph is a value of ONNX's in one or both of two layouts: as cnnc has it, channels last, or channels first, as
 * convolutions and poolings of ONNX want it. It is transposed where somebody asks for the layout that is not there, and once only. */
#ifndef ONNX_H
#define ONNX_H
#include "export.h"
#include "../../compiler/ops/ops.h"
#include "onnx.pb-c.h"

enum { IR_VERSION = 8, OPSET = 17 };

typedef enum { LAST, FIRST, LAYOUTS } Layout; /* channels last, first */
typedef struct Named {
    const char *names[LAYOUTS]; /* NULL: not there yet */
    const Tensor *flattened;    /* what it is the elements of, in a row, once somebody asks for it */
} Named;
typedef struct Onnx {
    Graph *graph;
    Arena *arena;
    Named **values;             /* by tensor id; a view shares that of what it views */
    bool *rows;                 /* by tensor id: a sequence as a map of one row, which has two axes here, too */
    bool *done;                 /* by op id: written with the op before it */
    Map names;                  /* in use */
    const char **output_names;  /* those of the layers, which nothing within takes */
    Onnx__NodeProto **nodes; int node_count;
    Onnx__TensorProto **constants; int constant_count;
    double bytes;               /* of constants */
} Onnx;

/* ---- onnx_file.c: nodes, attributes, constants, the file ---- */
#define IN(...) (const char *const[]){__VA_ARGS__}, LENGTH(((const char *const[]){__VA_ARGS__}))
const char *new_name(Onnx *, const char *wanted);
const char *add_node(Onnx *, const Op *, const char *type, const char *const *inputs, int n); /* of one output, which it returns */
const char *add_output(Onnx *, const Op *);                     /* one more of the last node */
/* Attributes of the last node. */
void set_int(Onnx *, const char *name, int64_t);
void set_real(Onnx *, const char *name, double);
void set_word(Onnx *, const char *name, const char *);
void set_ints(Onnx *, const char *name, const int64_t *, int n);
void set_reals(Onnx *, const char *name, const double *, int n);
void set_words(Onnx *, const char *name, const char *const *, int n);
/* Constants; their names. */
const char *constant(Onnx *, const char *name, Shape, const double *values);
const char *number(Onnx *, const Op *, double);
const char *integers(Onnx *, const Op *, const int64_t *, int n);
const char *integer32(Onnx *, const Op *, int32_t);
const double *permuted(Arena *, const double *, Shape, const int *order); /* axis i of the result is axis order[i] */
void rename_value(Onnx *, const char *from, const char *to);    /* wherever it stands */
void pack_model(Onnx *, Bytes *);

/* ---- onnx_values.c: tensors in layouts ---- */
Layout layout_of(const Onnx *, const Tensor *);                 /* first, where it is there */
const char *value_in(Onnx *, const Tensor *, Layout);
void set_value(Onnx *, const Tensor *, Layout, const char *name);
void set_alias(Onnx *, const Tensor *, const Tensor *of);
void set_flattened(Onnx *, const Tensor *, const Tensor *of);
const char *flattened_first(Onnx *, const Tensor *, Shape *of); /* NULL: it is not there so; *of: before it was flattened */
int rank_of(const Onnx *, const Tensor *);                      /* without the batch */
int64_t axis_in(const Onnx *, const Tensor *, Layout, int axis); /* ONNX's number of an example's axis */
Shape vector_shape(const Onnx *, const Tensor *, Layout);       /* of a vector along the channels, beside the tensor */

/* ---- what ops become ---- `type`: of the node, or what the writer makes of it */
typedef void OpWriter(Onnx *, const Op *, const char *type);
OpWriter write_convolution, write_pooling, write_global_pooling;                                    /* onnx_windows.c */
OpWriter write_unary, write_clipped, write_activation, write_softmax, write_prelu, write_merge, write_scaled; /* onnx_elementwise.c */
OpWriter write_flatten, write_reshape, write_permute, write_padding, write_cropping, write_up_sampling, write_repeat, write_concatenation; /* onnx_shapes.c */
OpWriter write_dense, write_vector, write_embedding, write_normalization, write_batch_normalization, write_layer_normalization,
    write_group_normalization; /* onnx_layers.c */
OpWriter write_recurrent;                                                                           /* onnx_recurrent.c */
bool is_recurrent(const Layer *);
const Attr *attribute_of(const Op *, const char *name);
const Op *bias_behind(Onnx *, const Op *); /* which adds a bias to what only it reads, and then counts as written; NULL: there is none */
#endif
