/* cnnc.h: the map. One section per stage, in the order in which a network passes through them (see passes.c). What all of them stand on
 * is in base/base.h. */
#ifndef CNNC_H
#define CNNC_H

#include "base/base.h"

#define MAX_RANK 6 /* of a tensor, without the batch */

/* ---- template.c --------------------------------------------------------------------------------------------------
 * The template engine. Templates are C with directive lines; docs/templates.md is its reference. */
typedef struct Bindings Bindings; /* names bound to integers, strings, lists and records */
Bindings *bindings_new(Arena *, const Bindings *parent); /* the parent's names need not be used, its own must */
void bind_int(Bindings *, const char *name, int64_t value);
void bind_string(Bindings *, const char *name, const char *value);   /* not copied */
void bind_real(Bindings *, const char *name, double value); /* as a string: the shortest decimal that reads back equal, "0.001" */
void bind_ints(Bindings *, const char *name, const int64_t *values, int n);
void bind_strings(Bindings *, const char *name, const char *const *values, int n);
void bind_reals(Bindings *, const char *name, const double *values, int n); /* as strings, like bind_real */
void bind_records(Bindings *, const char *name, Bindings *const *values, int n); /* fields read as ${item.field}; need not be used */
void bind_optional(Bindings *, const char *name); /* name may stay unused */

typedef struct Templates Templates; /* parsed templates: the embedded ones, or those of a folder (--templates) */
Templates *templates_new(Arena *, const char *folder); /* folder NULL: only the embedded ones; else its files override them by name */
const char *templates_problem(const Templates *); /* NULL: the folder can be read */
const char **templates_read(const Templates *, Arena *, int *n); /* paths of the folder's files that were needed */
/* Expands the body of template `name` ("softmax") or one of its parameterless definitions ("softmax.forward").
 * False after an error, whose text ("softmax.c.tmpl:12: error: ...") is appended to *message. */
bool template_expand(Templates *, const char *name, const Bindings *, StrBuf *out, StrBuf *message);
/* Embedded at build by CMake (embed.cmake): pairs of file name ("softmax.c.tmpl") and text, ended by NULL. */
extern const char *const embedded_templates[];

/* ---- parse.c: text -> statements ---------------------------------------------------------------------------------
 * Needs text. Leaves statements with places; reports all syntax errors of a run. Knows no layer: which words exist
 * and what their arguments mean is build's business. */
typedef enum { VALUE_NUMBER, VALUE_BOOL, VALUE_WORD, VALUE_SIZE, VALUE_PAIRS, VALUE_LIST, VALUE_CALL } ValueKind;
typedef struct Value Value;
typedef struct Argument Argument;
struct Value {
    ValueKind kind;
    Loc loc;
    double number;        /* VALUE_NUMBER; for a fraction 1/255 its quotient */
    bool integer;         /* VALUE_NUMBER written without '.', 'e' or '/' */
    bool truth;           /* VALUE_BOOL */
    const char *word;     /* VALUE_WORD, and the name of a VALUE_CALL */
    const char *text;     /* as written, canonical spacing */
    Value *items;         /* VALUE_SIZE: numbers; VALUE_PAIRS: sizes of two ((1,0)x(2,1)); VALUE_LIST: any */
    int length;
    Argument *arguments;  /* VALUE_CALL */
    int argument_count;
};
struct Argument { const char *key; Loc key_loc; Value value; }; /* key NULL: by position */
typedef struct Name { const char *text; Loc loc; } Name;
typedef struct Statement {
    Name name;            /* text NULL when unnamed */
    Name word;
    Argument *arguments;
    int argument_count;
    Name *from;
    int from_count;
} Statement;
typedef struct Description { const Source *source; Statement *statements; int length; } Description;
bool parse(Arena *, const Source *, Diag *, Description *out);       /* false when there were errors */
void print_description(const Description *, StrBuf *);               /* canonical form; parses to the same statements */

/* ---- attributes.c ------------------------------------------------------------------------------------------------
 * What a layer, optimizer, initializer ... takes, as a table; and the binding of written arguments to it. */
typedef enum { ATTR_INT, ATTR_REAL, ATTR_BOOL, ATTR_WORD, ATTR_SIZE, ATTR_PAIRS, ATTR_CALL, ATTR_CALLS, ATTR_REALS } AttrKind;
typedef struct Callable Callable;
typedef const Callable *Family(int index); /* the index-th member of a family of callables, NULL past the end */
typedef struct AttrDef {
    const char *name;
    AttrKind kind;
    const char *fallback;   /* default, as written; NULL: must be given; "": absent unless given */
    double min, max;        /* numbers and each part of a size */
    int rank;               /* ATTR_SIZE: parts; one number stands for all of them. 0: one part or more, as written. ATTR_PAIRS: pairs */
    const char *words;      /* ATTR_WORD: "valid|same" */
    Family *family;         /* ATTR_CALL: which words may be called, ATTR_REAL: in place of a number; ATTR_CALLS: a list of such words */
    bool positional;
    const char *doc;
} AttrDef;
struct Callable {           /* anything with a name and attributes */
    const char *name, *doc;
    const AttrDef *attributes;
    int attribute_count;
    const char *alias;      /* another word for it: "mse" */
};
typedef struct Attr Attr;
struct Attr {
    bool given;             /* written, not the default */
    bool present;           /* false: absent ("" default) */
    Loc loc;
    double real;            /* ATTR_INT, ATTR_REAL, ATTR_BOOL */
    const char *word;       /* ATTR_WORD, ATTR_CALL: the word */
    int size[MAX_RANK], rank; /* ATTR_SIZE; ATTR_PAIRS: each pair's two parts, one after the other */
    const Callable *callable; /* ATTR_CALL; ATTR_REAL: NULL for a number; ATTR_CALLS: of the first */
    double *reals; int real_count; /* ATTR_REALS */
    Attr *attributes;       /* the callable's own */
    Attr *next;             /* ATTR_CALLS: the next one of the list */
};
#define ATTRIBUTES(table) (table), LENGTH(table)
static inline int attr_int(const Attr *a) { return (int)a->real; }
/* Binds arguments to the callable's attributes; `what` is its place. NULL after errors (all of them reported). */
Attr *bind_attributes(Arena *, Diag *, const Callable *, const Argument *, int count, Loc what);

/* ---- build.c: statements -> graph ---------------------------------------------------------------------------------
 * Needs statements. Leaves a DAG of ops in topological order with inferred shapes and parameters, the loss, metrics
 * and targets of `compile`, the settings of `fit`. Shapes are those of one example; the batch is implicit. */
typedef struct Graph Graph;
typedef struct Op Op;
typedef struct OpDef OpDef;
typedef struct Layer Layer;
typedef enum { TYPE_REAL, TYPE_U8, TYPE_I32, TYPE_INDEX, TYPE_SET32, TYPE_SET64 } Type; /* REAL: float, or double in the gradient check; INDEX: u8; sets of bits */
typedef enum {
    ROLE_INPUT, ROLE_TARGET, ROLE_OUTPUT, ROLE_INPUT_GRADIENT,  /* the caller's arrays */
    ROLE_PARAMETER, ROLE_PARAMETER_GRADIENT,
    ROLE_ACTIVATION, ROLE_GRADIENT, ROLE_MASK,                  /* of each example */
    ROLE_DERIVED,                                               /* from parameters, once a step */
    ROLE_PARTIAL,                                               /* a sum over the examples of a shard */
    ROLE_BATCH,                                                 /* a statistic of the batch, once all of its shards have come so far */
    ROLE_TOTAL, ROLE_SCALE,                                     /* a sum over the batch; 1 / batch size */
    ROLE_KEY                                                    /* of an example's random numbers in training: 64 bits, as two halves */
} Role;
typedef struct Shape { int rank, dim[MAX_RANK]; } Shape;
typedef struct Tensor {
    int id;
    const char *name;       /* a C identifier, unique in the graph */
    Shape shape;
    Type type;
    Role role;
    Op *producer;           /* NULL for inputs, targets and parameters */
    Layer *layer;
    int index;              /* among the graph's inputs, outputs, targets or parameters, by role; a parameter's gradient has the parameter's; of a
                               total its first element among all totals' */
    bool trainable;         /* parameters */
    const char *weight;     /* parameters: "kernel" */
    const char *part;       /* parameters: the part of the layer that has it, "lstm_cell", for its path; NULL: the layer itself */
    const Attr *initializer, *regularizer, *constraint; /* parameters; the latter two NULL where there is none */
    int fan_in, fan_out;
    int classes;            /* targets: how many, when class indices will do; inputs: of tokens, how many there are */
    int points;             /* of a Winograd domain: shape is [points][rows][channels], with all examples' rows of a point together */
    bool is_loss;           /* totals: part of the loss */
    double factor;          /* of such a total: how much it counts; of a scale: times it. 0: 1 */
    bool wants_gradient;
    struct Tensor *gradient; /* d loss / d this, once autodiff has made it */
    const double *values;   /* parameters: what they are, when weights have been read; NULL: not known */
} Tensor;
struct Layer {              /* a statement that computes */
    const char *name;
    const OpDef *def;
    Loc loc;
    Attr *attributes;
    Tensor **inputs;
    int input_count;
    Tensor *output;
    Shape shape;            /* of the output as described; live may cut the tensor */
    bool trainable;         /* its weights */
    bool used;              /* something reads its output */
};
/* A 2-D window sliding over [height, width, channels]: geometry shared by convolutions and poolings. */
typedef struct Window {
    int ih, iw, ic;         /* input */
    int kh, kw, sh, sw, dh, dw; /* kernel or pool, strides, dilation */
    int top, left;          /* padding */
    int oh, ow, oc;         /* output */
    int groups;             /* of channels: those of the output see only those of the input that are of their group; 1: all see all */
} Window;
struct Op {
    int id;
    const OpDef *def;
    Attr *attributes;       /* in the order of def->call.attributes; gradient ops share those of their forward op */
    Tensor **inputs, **outputs;
    int input_count, output_count;
    Layer *layer;
    Op *forward;            /* of a gradient op: the op it is the gradient of */
    bool backward;          /* added by autodiff */
    Window window;          /* of ops that have one; a gradient op uses its forward op's */
};
struct Graph {
    Arena *arena;
    Diag *diag;
    const char *name;
    Tensor **tensors; int tensor_count;
    Op **ops; int op_count;
    Layer **layers; int layer_count;
    Tensor **inputs; int input_count;
    Tensor **outputs; int output_count;   /* ROLE_OUTPUT: copies of what the description's outputs compute */
    Tensor **targets; int target_count;
    Tensor **parameters; int parameter_count;
    Tensor **totals; int total_count;     /* loss, then metrics */
    int total_elements;                   /* of all of them */
    const char **metrics;                 /* total_count - 1 names */
    Tensor *scale;
    Tensor *key;                          /* NULL: nothing is drawn at random */
    const OpDef *loss, *optimizer;        /* NULL without compile; of several losses the first */
    Attr *optimizer_attributes;
    const Attr *losses;                   /* as the statement gives them */
    bool sample_weight;                   /* the last target is how much each example counts in the loss */
    const Attr *class_weight;             /* how much one of each class does, in training; NULL: all alike */
    Loc loss_loc;
    int epochs, batch_size;
    double validation_split;
    bool shuffle;
    uint64_t seed;
    struct NameTable *names;
};
Family statement_family;                  /* those with attributes: compile, fit */
extern const Callable compile_statement;  /* build_compile.c */
void build_compile(Graph *, const Statement *, Layer *const *outputs, int n);
const char *default_name(Graph *, const char *word); /* of an unnamed layer */
bool is_legal_name(const char *name);                /* of a layer */
bool is_network_name(const char *name);              /* of a network, which is a struct's, too */
static inline double factor_of(const Tensor *t) { return t->factor != 0 ? t->factor : 1; }
bool build(Arena *, const Description *, Diag *, Graph **out);
void print_graph(const Graph *, StrBuf *);
void print_dot(const Graph *, StrBuf *); /* dot.c: layers, for Graphviz */

const char *name_in_layer(const Layer *, const char *word);
const Attr *layer_attribute(const Layer *, const char *name); /* NULL: it takes none of that name */
const char *weight_path(Arena *, const Tensor *parameter); /* Keras's: "conv2d/kernel", "lstm/lstm_cell/kernel" */

/* What ops use to build. Errors are reported by the caller through error(). */
Tensor *new_tensor(Graph *, Layer *, const char *suffix, Shape, Type, Role);
Tensor *layer_parameter(Graph *, Layer *, const char *weight, Shape, const Attr *initializer, int fan_in, int fan_out); /* NULL after an error */
Tensor *add_op(Graph *, const OpDef *, Layer *, Attr *, Tensor **inputs, int n); /* infers; first output, NULL after an error */
Tensor *add_gradient_op(Graph *, const OpDef *, Op *forward, Tensor **inputs, int n);
Tensor *apply_activation(Graph *, Layer *, const Attr *activation, Tensor *); /* the tensor itself for "linear" */
Shape shape_of(int rank, const int *dims);
static inline Shape shape1(int a) { return (Shape){1, {a}}; }
static inline Shape shape2(int a, int b) { return (Shape){2, {a, b}}; }
static inline Shape shape3(int a, int b, int c) { return (Shape){3, {a, b, c}}; }
static inline Shape shape4(int a, int b, int c, int d) { return (Shape){4, {a, b, c, d}}; }
int64_t shape_count(Shape);
bool shape_equal(Shape, Shape);
const char *shape_text(Arena *, Shape); /* "28x28x1" */
static inline int last_dim(Shape s) { return s.dim[s.rank - 1]; }
static inline int64_t row_count(Shape s) { return shape_count(s) / last_dim(s); } /* positions before the last axis */

/* ---- ops.def, ops/: what operators mean -----------------------------------------------------------------------------
 * One definition an operator; gradient ops are defined beside the op whose gradient they are. */
typedef enum { OP_LAYER, OP_LOSS, OP_METRIC, OP_OPTIMIZER, OP_INTERNAL } OpKind;
/* What an op computes of a convolution, whose window is window_of(op): y of x and kernel; dx of dy and kernel; dkernel of x and dy. */
typedef enum { CONV_NONE, CONV_FORWARD, CONV_INPUT, CONV_KERNEL } ConvPass;
struct OpDef {
    Callable call;
    OpKind kind;
    const char *keras;                /* its class in the summary; NULL for internal ops */
    int min_inputs, max_inputs;       /* of a layer */
    bool activation;                  /* may be the value of activation= */
    const Callable *as_activation;    /* its options there, in the same order, where defaults are others; NULL: the layer's */
    Tensor *(*activate)(Graph *, Layer *, Attr *, Tensor *); /* of one input, layer or activation: chooses the op by the options; NULL: this one */
    bool takes_tokens;                /* its inputs are tokens, as the caller has them, and not numbers */
    bool view;                        /* only another shape for the same elements */
    bool idle;                        /* but while training its output is its input */
    bool (*copies)(const Op *);       /* whether its output is its input as it is, in another array; NULL: no */
    bool pools;                       /* a max pooling: may be fused into the kernel before it */
    bool monotone;                    /* elementwise and never falling: a max pooling may come before it */
    bool sparse;                      /* many of its outputs are exactly zero */
    int positive;                     /* bit i set: what input i holds is above 0 */
    /* Where each element of input 0 is multiplied and added to, by channel: these numbers for all channels, given the other inputs. */
    void (*affine)(const Op *, const double *const *in, double *scale, double *shift);
    bool moving;                      /* statistics of the batch: except in training inputs 1, 2 ..., moving averages, take the outputs' place */
    bool within_channel;              /* each element of its output lies between two of its input of the same channel, the last axis */
    bool kernel_by_channel;           /* its output's channels are the last axis, or axes, of its kernel, input 1: scaling one scales the other */
    bool cancels;                     /* takes differences of what may be all but equal: rounding counts by the size of its inputs */
    bool accumulates;                 /* adds to its output (parameter gradients, totals), as others may */
    bool per_shard;                   /* the same for each example: its plain template takes how many, int n, before its arguments */
    /* A layer of several ops (parameters, bias, activation); NULL: the op itself. */
    Tensor *(*layer)(Graph *, Layer *);
    bool (*infer)(Graph *, Op *);     /* checks inputs, makes outputs; false after an error */
    bool same_size;                   /* height and width of every input are the output's */
    Shape (*region)(const Op *, Shape output); /* else the part of the input, from its first row and column on, that such a
                                         part of the output needs; NULL: all of it */
    void (*gradient)(Graph *, Op *, Tensor *dy); /* adds the gradients of the inputs that want one; NULL: none flows */
    void (*evaluate)(const Op *, double *const *in, double *const *out); /* one example, plain loops: the definition */
    /* Pure elementwise ops: C of one vector in terms of ${a}, ${b} ... (inputs in order), in the words of simd.h.tmpl; numbers among the
     * attributes, of a gradient op its forward op's, stand in it by name: ${V}_splat(${alpha}). */
    const char *expression;
    int channelwise;                  /* elementwise: bit i set: input i is a vector along the last axis */
    bool scales_dy;                   /* its first input, dy, times a function of its second, the forward op's output */
    bool sums_dy;                     /* depends on dy's sum along the last axis only */
    ConvPass convolution;             /* it is one of a convolution's, and algorithms for those may compute it */
    bool routes_dy;                   /* moves elements of dy to where they came from, leaving zeros: commutes with the two above */
    const char *plain;                /* else: its plain template, "softmax.forward" */
    bool finishes;                    /* that one takes elementwise ops on its first output in registers */
    void (*bind)(const Op *, Bindings *); /* the template's integers */
    double (*flops)(const Op *);      /* of one example; NULL: one an output element */
    const char *equation;             /* for the comment in generated code */
    /* losses and metrics */
    bool (*target)(Graph *, Op *, Tensor *prediction, Tensor **target); /* makes or checks the target tensor */
    const OpDef *on_logits;           /* loss: its stable form when the prediction comes straight from softmax or sigmoid */
    const char *makes_logits;         /* then: the activation that should be there, "softmax" */
    bool probabilities;               /* a loss of predictions above 0 */
    const void *own;                  /* what only the operator's file knows */
    const char *result;               /* metric: the definition in templates/metric_results.c.tmpl that makes it of its totals; NULL: the mean */
    /* optimizers: slots in use, given the attributes */
    int (*slots)(const Attr *, const char **names);
    double (*slot_start)(const Attr *, const char *slot); /* what its elements begin with; NULL: 0 */
};
extern const OpDef *const all_ops[]; /* every line of ops.def, NULL at the end */
const OpDef *find_op(const char *name, OpKind); /* by its name or alias */
const char *op_expression(Arena *, const Op *); /* OpDef.expression with the op's numbers in it */
Family layer_family, activation_family, optimizer_family, loss_family, metric_family;

/* Windows (ops/window.c). infer_window sets op->window; false after an error. */
bool infer_window(Graph *, Op *, const Attr *size, const Attr *strides, const Attr *dilation, const Attr *padding);
static inline bool is_weighted(const Op *op) { return op->input_count == 3 && op->outputs[0]->role == ROLE_TOTAL; } /* a loss, by example */
static inline Window window_of(const Op *op) { return op->forward ? op->forward->window : op->window; }
void bind_window(const Op *, Bindings *);
Shape region_window(const Op *, Shape output); /* OpDef.region of ops with a window */
bool reads_no_padding(const Op *);             /* no window of the op, if it has one, reaches beyond the input */

/* Initializers (ops/initializers.c): Keras's names, resolved to a distribution for given fans. */
Family initializer_family;
typedef struct Distribution { const char *kind; double a, b; int64_t seed; } Distribution; /* kind: cnnc_distribution without CNNC_ */
Distribution initializer_distribution(const Attr *, int fan_in, int fan_out);
const Attr *unit_forget_initializer(Graph *, const Attr *bias); /* an LSTM's bias; NULL after an error */

/* Regularizers (ops/regularizers.c) and constraints (ops/constraints.c) of weights, by the layers' options "kernel_regularizer",
 * "kernel_constraint" ... beside "kernel_initializer". */
Family regularizer_family, constraint_family;
void add_penalties(Graph *);                                          /* to the loss, which is there */
bool check_constraint(Graph *, const Attr *constraint, Shape weight); /* false after an error */
void bind_constraint(const Attr *constraint, Shape weight, Arena *, Bindings *);

/* Learning rates (ops/schedules.c), of an optimizer's first attribute: a number or a schedule. */
Family schedule_family;
bool check_schedule(Graph *, const Attr *rate);                       /* false after an error */
double first_rate(const Attr *rate);
double loss_scale_factor(const Graph *);                              /* the optimizer's (ops/optimizer.c); 1 without one */
void bind_schedule(const Attr *rate, Arena *, Bindings *);            /* "schedule", its name or "", and its options */

/* ---- describe.c: the descriptor of a graph, without compiling it, and the work in it ---- */
struct cnnc_network *describe_network(const Graph *); /* of cnnc_network.h */
bool multiplies_weights(const Op *);  /* a layer's op that multiplies by weights, or a gradient of one */
double dense_flops(const Graph *);    /* of those ops, for one example: a multiply-add is two */
enum { BYTES_TEXT = 32 };
const char *bytes_text(char text[BYTES_TEXT], double bytes); /* "1.42 MB" */

/* ---- weights.c: parameters become known ---- Needs a graph. Leaves the values of all parameters, from a safetensors file.
 * False after a message; *status: an exit status. */
bool read_weights(Graph *, const char *path, int *status);

/* ---- readers.c: who reads a tensor ---- */
int reader_count(const Graph *, const Tensor *);
Op *only_reader(const Graph *, const Tensor *); /* NULL where there is none or are several */

/* ---- fold.c: known weights take factors and terms in ---- Needs a graph whose parameters are known. Leaves no op that multiplies and
 * adds by channel directly behind one whose kernel and bias can do so. */
void fold(Graph *);

/* ---- prune.c: channels that predictions can do without ---- Needs a forward graph whose parameters are known. Leaves convolutions and
 * dense layers without channels that nothing reads, or that are the same for every input. */
void prune(Graph *);

/* ---- still.c: without training ---- Needs a forward graph that only predicts. Leaves moving averages in place of the batch's. */
void still(Graph *);

/* ---- live.c: what is never read is not computed ------------------------------------------------------------------------
 * Needs a forward graph. Leaves tensors cut to the rows and columns that anything reads: a pooling of 11x11 by 2x2 reads
 * 10x10, and so on back to the input. Gradients, made from it, are as small. */
void live(Graph *);

/* ---- autodiff.c: gradients in the same graph ------------------------------------------------------------------------
 * Needs a graph with a loss. Leaves gradient ops behind the forward ops, only towards trainable parameters and, when
 * asked, the inputs; ops that nothing needs are dropped. */
bool autodiff(Graph *, bool input_gradient);
Tensor **graph_results(const Graph *, bool outputs, bool totals, bool gradients, int *n); /* what a graph is asked for */
bool *needed_ops(const Graph *, Tensor *const *results, int n);   /* by position: whether any of the results depends on the op */
static inline bool wants_gradient(const Tensor *t) { return t->wants_gradient; }
void add_gradient(Graph *, Tensor *of, Tensor *gradient); /* sums with what is there */

/* ---- route.c: gradients on the small side of a pooling ---- Needs gradients. Leaves those of activations and biases
 * before a pooling's, in its size. */
void route(Graph *);

/* ---- target.c: what there is to generate for -----------------------------------------------------------------------
 * A target is data. Its vector type and words are a section of templates/simd.h.tmpl. */
typedef struct Target {
    const char *name;       /* "avx512": variant and suffix of its functions */
    const char *vector;     /* "v16": prefix of the words of simd.h.tmpl */
    int lanes;              /* elements of a vector */
    int registers;          /* vector registers; of vec16 less one: on x86 a product is an instruction by itself and needs a register until it is added */
    double fma;             /* vector multiply-adds a cycle */
    const char *attribute;  /* the compiler's target string; NULL: what any machine of the family runs */
} Target;
extern const Target targets[];    /* best first, ended by a NULL name */
const Target *find_target(const char *name);

typedef struct Tuning Tuning;
typedef enum { OPTIMIZE_HOT, OPTIMIZE_COLD, OPTIMIZE_SIZE } Optimize; /* prediction by prediction; seldom, weights come from memory; least code */
typedef struct Options {    /* of one compilation */
    const Target *targets[8];     /* variants to generate, best first */
    int target_count;
    bool real_is_double;    /* the double instantiation */
    bool input_gradient;
    bool profile;           /* kernels of the train entry point are timed: see cnnc_profile in cnnc_network.h. Of one target */
    const char *algorithm;  /* only this one and plain; NULL: whichever costs least */
    const char *tuning_path; /* compile() reads choices from it; NULL: there is none */
    Tuning *tuning;         /* choices that were measured; NULL: none */
    int shard_size;         /* examples; 0, before select: as shard.c sees fit */
    int unroll;             /* bytes of code of an entry point that written-out loops may take; negative: as schedules see fit */
    int batch_size;         /* examples of an update; 0: those of the description */
    int most_examples;      /* that a batch may have, where memory is for so many; 0: those of an update */
    Optimize optimize;      /* of code that stands alone */
    bool inference;         /* code that only predicts and stands alone */
    const char *weights_path; /* its parameters are constants, from this file; NULL: they are the caller's */
    const char *header;     /* name of the header that the C file includes */
    const char *command;    /* for the banner: how to generate it again */
} Options;

/* ---- program: what stages from select to plan work on ----------------------------------------------------------------
 * One per target and entry point. The graph stays as it is; a program adds tensors of its own. */
typedef enum { ENTRY_TRAIN, ENTRY_EVALUATE, ENTRY_PREDICT, ENTRY_ONE, ENTRY_MANY, ENTRY_COUNT } Entry; /* one, many: predict, in code that stands alone */
extern const char *const entry_names[ENTRY_COUNT];
typedef enum { LEVEL_DERIVE, LEVEL_BATCH, LEVEL_SHARD, LEVEL_BLOCK, LEVEL_EXAMPLE } Level; /* once a step and worker; once between all shards; over all examples of a shard; of a block; for one */
typedef struct Program Program;
typedef struct Kernel Kernel;
typedef struct Constant Constant;
typedef struct KernelDef {
    const char *template;   /* "gemm" */
    Level level;
    bool epilogue;          /* takes elementwise ops on its output while that is in registers */
    bool pools;             /* takes a max pooling after those */
    void (*schedule)(Program *, Kernel *); /* tile sizes, once it is known what is fused and where buffers lie */
    void (*bind)(const Program *, const Kernel *, Bindings *); /* what the template needs beside integers */
    void (*evaluate)(const Kernel *, const double *in, double *out); /* LEVEL_DERIVE: the same in double; NULL: only for training */
    void (*combine)(const Kernel *, const double *const *in, double *out); /* the same from several inputs */
    bool starts;            /* where it adds to a parameter's gradient, it can as well write the first of the sums */
    bool counts;            /* its function takes the number of examples, though it works on one at a time */
} KernelDef;
typedef struct Integer { const char *name; int64_t value; } Integer;
typedef struct Epilogue { const Op *op; int first_extra; int acc; } Epilogue; /* acc: which of the op's inputs is the register; the others are extras, in order */
struct Kernel {
    const KernelDef *def;
    const Op *op;           /* what it computes, for names, comment, plain bindings */
    const char *name;       /* "conv2d_1_forward", unique in the program */
    Tensor **inputs, **extras, **outputs; /* the C function's parameters in this order; extras are operands of epilogues */
    int input_count, extra_count, output_count;
    Epilogue *epilogues; int epilogue_count;
    const Op *pool;         /* fused max pooling */
    Integer *integers; int integer_count;
    bool op_bindings;       /* also bind the op's own integers (OpDef.bind) */
    int block;              /* LEVEL_BLOCK: examples */
    int stack;              /* bytes of arrays of its own */
    double flops;           /* of one example */
};
typedef struct Algorithm {
    const char *name, *doc;
    bool (*covers)(const Program *, const Op *);
    double (*cost)(const Program *, const Op *); /* estimated cycles of one example */
    double (*shared)(const Program *, const Op *); /* those of them that a gradient saves where its op is computed so too; NULL: none */
    void (*lower)(Program *, const Op *);
} Algorithm;
extern const Algorithm *const all_algorithms[]; /* every line of algorithms.def, ended by NULL */
enum { MAX_ALGORITHMS = 16 };
typedef struct Choice { const Algorithm *algorithm; double cost; const char *why; } Choice; /* why: NULL: for its cost */
typedef struct Buffer {
    bool used;
    const Tensor *tensor;
    int examples;           /* 1: used again for each example; else one for each of a block or shard */
    bool per_shard;         /* of the shard */
    bool kept;              /* from one part of a step to a later one: in the shard's own memory, not the worker's */
    bool derived;
    size_t offset, size;    /* bytes, in the worker's workspace or derived area */
    int born, dies;         /* first and last kernel, widened to whole loops where it crosses one */
} Buffer;
typedef struct Loop { Level level; int first, end, segment, part; } Loop; /* kernels first .. end - 1, a run of one level; the segment and part it lies in */
typedef struct Segment { int first, end, block; } Segment; /* loops first .. end - 1, in blocks of examples; 0: undivided */
struct Program {
    Arena *arena;
    Graph *graph;
    const Options *options;
    const Target *target;
    Entry entry;
    int examples;                      /* of a shard */
    const Op **ops; int op_count;      /* what the entry point needs */
    Choice *choices;                   /* by position in ops */
    Kernel **kernels; int kernel_count;
    Map kernel_names;                  /* the kernel of each name, as lower made it */
    int tensor_count;                  /* ids in use: the graph's and the program's own */
    Tensor **alias; int alias_length;  /* by id: the tensor in whose memory a view lies; NULL: its own */
    Loop *loops; int loop_count;
    int *loop_of;                      /* by kernel: its loop */
    Segment *segments; int segment_count;
    Buffer *buffers;                   /* by id */
    size_t workspace, derived;         /* bytes a worker needs */
    int part_count;                    /* parts of a step: even ones work on shards, odd ones on what these left of the batch */
    size_t kept;                       /* bytes that a shard needs from part to part; 0: there is one part only */
    const Constant **constants;        /* by id: what kernels read of it; NULL: they read buffers */
};
int element_size(const Program *, Type);
void remove_gone_kernels(Program *);             /* those that are NULL */
int64_t point_stride(const Program *, Tensor *); /* elements from one point of a tensor with points to the next */
int64_t example_stride(const Tensor *);          /* elements from one example to the next, where a buffer holds several */
Tensor *storage(const Program *, Tensor *);    /* through views */
Tensor *program_tensor(Program *, const char *name, Shape, Role);
Kernel *add_kernel(Program *, const KernelDef *, const Op *, const char *suffix); /* appended; arguments by the two below */
void kernel_input(Program *, Kernel *, Tensor *);
void kernel_output(Program *, Kernel *, Tensor *);
void kernel_int(Program *, Kernel *, const char *name, int64_t);
void kernel_ints(Program *, Kernel *, const Integer *, int n);
int64_t kernel_get(const Kernel *, const char *name);
bool kernel_has(const Kernel *, const char *name);
void kernel_window(Program *, Kernel *, const Window *);
Tensor **kernel_arguments(const Program *, const Kernel *, int *n);  /* inputs, extras, outputs */
bool adds_to_gradient(const Kernel *); /* of a parameter */

/* ---- shard.c: how many examples a shard has, unless it is asked for ---- Needs a graph; of one that only predicts, the most. */
enum { MOST_SHARD = 32 };
int update_examples(const Graph *, const Options *); /* of a batch in training */
int shard_size(const Graph *, const Options *);

/* ---- select.c: ops -> an algorithm for each ----------------------------------------------------------------------------
 * Needs a graph, target and entry point. Leaves the ops that the entry point needs, each with an algorithm: jointly for
 * all ops of a layer and their gradients. */
Program *select_algorithms(Graph *, const Options *, const Target *, Entry, const Program *leader); /* leader: of the best target, or, of many, the one of one; NULL: this is it */
int candidates(const Program *, const Op *, const Algorithm *list[MAX_ALGORITHMS]); /* those that cover it; how many */
const Algorithm *find_algorithm(const char *name);
void print_selection(const Program *, StrBuf *);

/* ---- tuning.c: choices of algorithms, as a text file -------------------------------------------------------------------
 * A line each: target, tensor, op, the shapes of its inputs and output, algorithm. What the network has no longer so is left
 * to the estimate of costs. */
typedef struct TunedChoice { const char *target, *tensor, *op, *shapes; const Algorithm *algorithm; int line; bool used; } TunedChoice;
struct Tuning { const char *path; TunedChoice *choices; int length; };
const char *read_tuning(Arena *, const char *path, Tuning *, int *line); /* a message on failure; then *line: where, 0: in all of it, -1: it cannot be read */
bool is_tuned(const Program *, const Op *, const Algorithm *); /* whether that is the choice, which then counts as used */
void tune(Arena *, Tuning *, const Program *, const Op *, const Algorithm *); /* makes or changes a choice */
const char *tuning_text(Arena *, const Tuning *);              /* the file's lines */

/* ---- lower.c: ops -> kernels ---- Needs a selection. Leaves kernels in order; views are aliases, not kernels. */
void lower(Program *);

/* ---- simplify.c: fewer kernels ---- Needs kernels. Leaves none that repeats another or that nothing reads. */
void simplify(Program *);

/* ---- fuse.c: epilogues ---- Needs kernels. Leaves elementwise ops and max poolings in the kernel whose output they read. */
void fuse(Program *);

/* ---- plan.c: loops and memory ---- Needs fused kernels. Leaves the loop tree, a place for each buffer, tile sizes. */
void plan(Program *);

/* ---- unroll.c: loops over the depth, written out ---- Needs tile sizes. Leaves WRITTEN_OUT in kernels that the budget is for. */
void unroll(Program *);

/* ---- constants.c: what depends on parameters alone ---- Needs the planned programs of code that stands alone. Leaves what their
 * kernels read of parameters, transformed as they read it: where weights are known as numbers, the same ones only once for all
 * programs; else with a place in memory that each program fills before it predicts. */
struct Constant { const char *name; const Tensor *tensor; const double *values; int64_t count; size_t offset; };
typedef struct Constants { const Constant **items; int length; size_t bytes; } Constants; /* bytes: of that memory */
void find_constants(const Graph *, Program *const *programs, int n, bool known, Constants *);

void print_kernels(const Program *, StrBuf *);
void print_plan(const Program *, StrBuf *);
void verify_graph(const Graph *, const char *stage);
void verify_program(const Program *, const char *stage);

/* ---- footprint.c: what the network needs in memory ----------------------------------------------------------------------
 * Needs planned programs. */
typedef struct Footprint {
    int buffers;                    /* gradient buffers */
    int64_t parameter_elements;     /* of the struct, padding included */
    int64_t resident;               /* bytes of parameters, the optimizer's state and gradients */
    size_t entry_base[ENTRY_COUNT]; /* where the entry points' derived buffers begin in a worker's memory */
    size_t workspace_base, worker_bytes;
    size_t shard_bytes;             /* of each shard of a batch, kept from part to part */
    int batch_size;                 /* most examples of a batch, where something is kept; else 0: any number */
} Footprint;
Footprint footprint(const Graph *, const Options *, Program *const *programs, int n);
int64_t padded_elements(const Tensor *parameter, int element_bytes); /* that it takes in the struct, the padding behind it included */

/* ---- canonical.c: what decides what training computes, as lines of text: layers, optimizer and loss with all their options, as
 * written or by default; and the algorithms of a program's ops */
int canonical_lines(const Graph *, const char ***lines);     /* how many */
int code_lines(const Program *, const char ***lines);        /* "avx512 conv2d_forward: winograd" */

/* ---- emit.c, emit_standalone.c: plan, templates -> C ---- */
bool emit(Graph *, const Options *, Program *const *programs, int n, const Constants *, Templates *, StrBuf *c, StrBuf *h, StrBuf *message);

/* ---- passes.c: the table of stages, and the way through it ------------------------------------------------------------ */
typedef struct Compilation {
    Arena *arena;
    bool quiet;             /* warnings have been shown before */
    Options options;
    Source source;
    Diag diag;
    Description description;
    Graph *graph;
    Program **programs; int program_count;
    Constants constants;
    int status;             /* of a stage that failed for another reason than the description */
    Templates *templates;
    StrBuf c, h;            /* what emit wrote */
} Compilation;
/* Runs the stages up to and including `last` (NULL: all); prints what stage `dump` left (NULL: none) to *out. Returns an
 * exit status: 0; 1, diagnostics are in diag.out, or the tuning file is wrong; 3, a file cannot be read. What is wrong with other
 * files than the description has been said. */
int compile(Compilation *, const char *path, const char *last, const char *dump, StrBuf *out);
int compile_source(Compilation *, const char *last, const char *dump, StrBuf *out); /* the same from c->source */
void compilation_init(Compilation *, bool color);
void compilation_free(Compilation *);
bool is_stage(const char *name);
const char *stage_name(int i);                   /* NULL past the end */
const char *stage_names(Arena *);                /* "parse, build, ..." */

#endif
