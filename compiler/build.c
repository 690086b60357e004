/* build.c: statements -> graph. Looks words up in the operator table, binds arguments, connects layers, infers shapes.
 *
 * It knows the statements (network, input, fit, output; build_compile.c: compile) and no layer: what a layer is made of stands in ops/. */
#include "ops/ops.h"

#include <string.h>

static const int64_t max_elements = 2147483647; /* of one tensor: generated code indexes with int */

/* ---- names: a hash table; layers and tensors may have the same ---------------------------------------------------------------------------------------- */

typedef struct NameTable {
    const char **keys;
    Layer **layers; /* NULL: no layer has this name */
    bool *tensors;  /* a tensor has it */
    int *numbers;   /* the last one given to an unnamed layer of this word */
    size_t used, capacity;
} NameTable;

static size_t slot_of(const NameTable *t, const char *key) {
    size_t h = 1469598103934665603u;
    for (const char *s = key; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    for (h &= t->capacity - 1; t->keys[h] && strcmp(t->keys[h], key); h = (h + 1) & (t->capacity - 1)) {}
    return h;
}

static void grow_names(Arena *arena, NameTable *t) {
    NameTable old = *t;
    t->capacity = old.capacity ? old.capacity * 2 : 64;
    t->keys = NEW_ARRAY(arena, const char *, t->capacity);
    t->layers = NEW_ARRAY(arena, Layer *, t->capacity);
    t->tensors = NEW_ARRAY(arena, bool, t->capacity);
    t->numbers = NEW_ARRAY(arena, int, t->capacity);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i]) continue;
        size_t s = slot_of(t, old.keys[i]);
        t->keys[s] = old.keys[i], t->layers[s] = old.layers[i], t->tensors[s] = old.tensors[i], t->numbers[s] = old.numbers[i];
    }
}

static size_t add_key(Graph *g, const char *key) {
    NameTable *t = g->names;
    if (t->used * 2 >= t->capacity) grow_names(g->arena, t);
    size_t s = slot_of(t, key);
    t->used += !t->keys[s];
    t->keys[s] = key;
    return s;
}

/* The name of a layer, or with layer NULL of a tensor. */
static void add_name(Graph *g, const char *key, Layer *layer) {
    size_t s = add_key(g, key);
    if (layer) g->names->layers[s] = layer;
    else g->names->tensors[s] = true;
}

static bool has_tensor(const Graph *g, const char *key) { return g->names->capacity && g->names->tensors[slot_of(g->names, key)]; }
static Layer *find_layer(const Graph *g, const char *key) { return g->names->capacity ? g->names->layers[slot_of(g->names, key)] : NULL; }

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

Shape shape_of(int rank, const int *dims) {
    Shape s = {.rank = rank};
    for (int i = 0; i < rank; i++) s.dim[i] = dims[i];
    return s;
}

int64_t shape_count(Shape s) {
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] && n > INT64_MAX / s.dim[i]) return INT64_MAX;
        n *= s.dim[i];
    }
    return n;
}

bool shape_equal(Shape a, Shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

static const char *join_shape(Arena *arena, Shape s, const char *separator) {
    char *text = arena_printf(arena, "%s", s.rank ? "" : "1");
    for (int i = 0; i < s.rank; i++) text = arena_printf(arena, "%s%s%d", text, i ? separator : "", s.dim[i]);
    return text;
}
const char *shape_text(Arena *arena, Shape s) { return join_shape(arena, s, "x"); }

/* ---- tensors and ops ---------------------------------------------------------------------------------------------- */

/* What an op of a layer adds to the layer's name: "conv2d_grad_input" of a conv2d is its "grad_input", "conv2d" its "out". */
const char *name_in_layer(const Layer *layer, const char *word) {
    const char *own = layer->def ? layer->def->call.name : "";
    size_t n = strlen(own);
    if (!n || strncmp(word, own, n)) return word;
    return !word[n] ? "out" : word[n] == '_' ? word + n + 1 : word;
}

Tensor *new_tensor(Graph *g, Layer *layer, const char *suffix, Shape shape, Type type, Role role) {
    Tensor *t = NEW(g->arena, Tensor);
    const char *stem = layer ? arena_printf(g->arena, "%s_%s", layer->name, name_in_layer(layer, suffix)) : suffix;
    const char *name = stem;
    for (int k = 2; has_tensor(g, name); k++) name = arena_printf(g->arena, "%s_%d", stem, k);
    add_name(g, name, NULL);
    *t = (Tensor){.id = g->tensor_count, .name = name, .shape = shape, .type = type, .role = role, .layer = layer};
    *PUSH(g->arena, g->tensors, g->tensor_count) = t;
    return t;
}

static bool check_elements(Graph *g, const Layer *layer, const char *what, Shape s) {
    if (shape_count(s) <= max_elements) return true;
    error(g->diag, layer->loc, "the %s of '%s', %s, has more than 2^31 - 1 elements", what, layer->name, shape_text(g->arena, s));
    return false;
}

/* Whether a weight of that shape can begin so. */
static bool check_initializer(Graph *g, const Attr *initializer, Shape shape, int fan_in, int fan_out) {
    Distribution d = initializer_distribution(initializer, fan_in, fan_out);
    bool matrix = !strcmp(d.kind, "IDENTITY"), vectors = !strcmp(d.kind, "ORTHOGONAL");
    if ((matrix && shape.rank != 2) || (vectors && shape.rank < 2)) {
        error(g->diag, initializer->loc, "'%s' is for weights of two axes%s, this one is %s", initializer->word, vectors ? " or more" : "", shape_text(g->arena, shape));
        return false;
    }
    if (strcmp(d.kind, "UNIFORM") != 0 || d.a <= d.b) return true;
    error(g->diag, initializer->loc, "'%s' from %g to %g: the range is empty", initializer->word, d.a, d.b);
    hint(g->diag, "minval comes before maxval");
    return false;
}

static const Attr *find_attr(const Callable *c, const Attr *attributes, const char *name) {
    for (int i = 0; i < c->attribute_count; i++)
        if (!strcmp(c->attributes[i].name, name)) return &attributes[i];
    return NULL;
}

const Attr *layer_attribute(const Layer *l, const char *name) { return l->def && l->attributes ? find_attr(&l->def->call, l->attributes, name) : NULL; }

/* The layer's option that stands beside an initializer: of "kernel_initializer" the "kernel_regularizer". NULL: it is not given. */
static const Attr *beside(Graph *g, const Layer *l, const Attr *initializer, const char *kind) {
    static const char suffix[] = "_initializer";
    for (int i = 0; i < l->def->call.attribute_count; i++) {
        const char *name = l->def->call.attributes[i].name;
        if (&l->attributes[i] != initializer || strlen(name) < sizeof suffix) continue;
        const Attr *a = layer_attribute(l, arena_printf(g->arena, "%.*s_%s", (int)(strlen(name) - sizeof suffix + 1), name, kind));
        return a && a->present ? a : NULL;
    }
    return NULL;
}

Tensor *layer_parameter(Graph *g, Layer *layer, const char *weight, Shape shape, const Attr *initializer, int fan_in, int fan_out) {
    if (!check_elements(g, layer, weight, shape) || !check_initializer(g, initializer, shape, fan_in, fan_out)) return NULL;
    Tensor *p = new_tensor(g, layer, weight, shape, TYPE_REAL, ROLE_PARAMETER);
    p->weight = weight;
    p->initializer = initializer;
    p->regularizer = beside(g, layer, initializer, "regularizer");
    p->constraint = beside(g, layer, initializer, "constraint");
    if (p->constraint && !check_constraint(g, p->constraint, shape)) return NULL;
    p->fan_in = fan_in, p->fan_out = fan_out;
    p->trainable = layer->trainable;
    p->index = g->parameter_count;
    *PUSH(g->arena, g->parameters, g->parameter_count) = p;
    return p;
}

const char *weight_path(Arena *arena, const Tensor *parameter) {
    const char *part = parameter->part;
    return arena_printf(arena, "%s/%s%s%s", parameter->layer->name, part ? part : "", part ? "/" : "", parameter->weight);
}

static Op *new_op(Graph *g, const OpDef *def, Layer *layer, Attr *attributes, Tensor **inputs, int n) {
    Op *op = NEW(g->arena, Op);
    *op = (Op){.id = g->op_count, .def = def, .attributes = attributes, .layer = layer, .input_count = n};
    op->inputs = NEW_ARRAY(g->arena, Tensor *, n);
    op->outputs = NEW_ARRAY(g->arena, Tensor *, 4);
    for (int i = 0; i < n; i++) op->inputs[i] = inputs[i];
    return op;
}

static Tensor *finish_op(Graph *g, Op *op) {
    if (!op->def->infer(g, op)) return NULL;
    for (int i = 0; i < op->output_count; i++) {
        if (!check_elements(g, op->layer, "output", op->outputs[i]->shape)) return NULL;
        op->outputs[i]->producer = op;
    }
    *PUSH(g->arena, g->ops, g->op_count) = op;
    return op->outputs[0];
}

Tensor *add_op(Graph *g, const OpDef *def, Layer *layer, Attr *attributes, Tensor **inputs, int n) {
    return finish_op(g, new_op(g, def, layer, attributes, inputs, n));
}

Tensor *add_gradient_op(Graph *g, const OpDef *def, Op *forward, Tensor **inputs, int n) {
    Op *op = new_op(g, def, forward->layer, forward->attributes, inputs, n);
    op->forward = forward;
    return finish_op(g, op);
}

Tensor *apply_activation(Graph *g, Layer *layer, const Attr *activation, Tensor *x) {
    const OpDef *def = find_op(activation->word, OP_LAYER);
    if (def->activate) return def->activate(g, layer, activation->attributes, x);
    return def->view ? x : add_op(g, def, layer, activation->attributes, (Tensor *[]){x}, 1);
}

/* ---- statements that compute ---------------------------------------------------------------------------------------- */

static const char *const reserved[] = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for", "goto", "if", "inline",
    "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
    "volatile", "while", "asm", "typeof", "alignas", "alignof", "and", "and_eq", "bitand", "bitor", "bool", "catch", "char8_t", "char16_t", "char32_t",
    "class", "compl", "concept", "const_cast", "consteval", "constexpr", "constinit", "co_await", "co_return", "co_yield", "decltype", "delete",
    "dynamic_cast", "explicit", "export", "false", "friend", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "reinterpret_cast", "requires", "static_assert", "static_cast", "template", "this", "thread_local", "throw",
    "true", "try", "typeid", "typename", "using", "virtual", "wchar_t", "xor", "xor_eq", "linux", "unix", "i386", "typeof_unqual",
    "NULL", "NAN", "INFINITY", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "math_errhandling", "errno", "EOF", "stdin", "stdout", "stderr", "I", "complex",
    "imaginary", "noreturn", "mips", "sparc",
};

/* Of the headers that generated ones include, as uint_fast8_t, and C++'s namespace: a network's name is a struct's. */
static bool is_type(const char *name) {
    static const char *const others[] = {"std", "size_t", "ptrdiff_t", "max_align_t", "nullptr_t"};
    const char *integer = name + (*name == 'u');
    size_t n = strlen(name);
    for (int i = 0; i < LENGTH(others); i++)
        if (!strcmp(name, others[i])) return true;
    return !strncmp(integer, "int", 3) && n > 5 && !strcmp(name + n - 2, "_t");
}

static bool is_ours(const char *name) { return !strcmp(name, "cnnc") || !strncmp(name, "cnnc_", 5); }

/* SIZE_MAX, M_PI, CNNC_ABI: capitals with an underscore may be a macro of any header. */
static bool looks_like_macro(const char *name) { return strchr(name, '_') && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name); }

static bool check_name(Graph *g, Name name) {
    if (looks_like_macro(name.text)) {
        error(g->diag, name.loc, "'%s' cannot be a name: it may be a macro of C", name.text);
        hint(g->diag, "in small letters it would do");
        return false;
    }
    for (int i = 0; i < LENGTH(reserved); i++)
        if (!strcmp(name.text, reserved[i])) {
            error(g->diag, name.loc, "'%s' cannot be a name: it is a keyword or macro of C or C++", name.text);
            hint(g->diag, "'%s_1' would do", name.text);
            return false;
        }
    return true;
}

const char *default_name(Graph *g, const char *word) {
    const char *name = word;
    for (size_t s; find_layer(g, name); name = arena_printf(g->arena, "%s_%d", word, g->names->numbers[s])) {
        s = add_key(g, word);
        g->names->numbers[s]++;
    }
    return name;
}

/* The layer of that name, NULL after an error. self: the one that takes from it; NULL: none. */
static Layer *layer_named(Graph *g, const char *name, Loc loc, const Layer *self) {
    Layer *l = find_layer(g, name);
    if (l && l != self) return l;
    if (l) error(g->diag, loc, "'%s' takes from itself", name);
    else error(g->diag, loc, "there is no layer '%s' before this line", name);
    const char **names = NEW_ARRAY(g->arena, const char *, g->layer_count);
    int n = 0;
    for (int i = 0; i < g->layer_count; i++)
        if (g->layers[i] != self) names[n++] = g->layers[i]->name;
    const char *near = nearest(name, names, n);
    if (near) hint_instead(g->diag, loc, near, "did you mean '%s'?", near);
    else hint(g->diag, "a layer is declared, 'NAME = ...', before others take from it");
    return NULL;
}

static bool is_tokens(const Layer *l) { return l->output && l->output->type == TYPE_I32; }

static void hint_of_embedding(Graph *g, const Layer *tokens) {
    hint(g->diag, "an embedding makes vectors of them: 'embedding %d 16'", tokens->output->classes);
}

/* Tokens go to who takes them, and to nobody else. */
static bool check_tokens(Graph *g, const OpDef *def, Loc loc, const Layer *from) {
    if (!from->output || is_tokens(from) == def->takes_tokens) return true;
    if (def->takes_tokens) {
        error(g->diag, loc, "'%s' takes tokens, and '%s' gives numbers", def->call.name, from->name);
        hint(g->diag, "tokens come straight from an input that has a vocabulary: 'input 12 vocabulary=1000'");
    } else {
        error(g->diag, loc, "'%s' takes numbers, and '%s' gives tokens", def->call.name, from->name);
        hint_of_embedding(g, from);
    }
    return false;
}

static bool resolve_inputs(Graph *g, const Statement *s, Layer *l, Layer *previous) {
    const OpDef *def = l->def;
    int n = s->from_count ? s->from_count : previous ? 1 : 0;
    bool source = def->max_inputs == 0;
    if (!source && !n) {
        error(g->diag, s->word.loc, "'%s' has nothing to work on", s->word.text);
        hint(g->diag, "begin with an input, 'input 28x28x1' say");
        return false;
    }
    if (source) {
        if (s->from_count) error(g->diag, s->from[0].loc, "an input takes nothing from other layers");
        return !s->from_count;
    }
    l->inputs = NEW_ARRAY(g->arena, Tensor *, n);
    bool fine = true;
    for (int i = 0; i < n; i++) {
        Layer *from = s->from_count ? layer_named(g, s->from[i].text, s->from[i].loc, l) : previous;
        fine = fine && from && from->output;
        if (!from) continue;
        from->used = true;
        fine = check_tokens(g, def, s->from_count ? s->from[i].loc : s->word.loc, from) && fine;
        l->inputs[l->input_count++] = from->output;
    }
    if (fine && (n < def->min_inputs || n > def->max_inputs)) {
        Loc loc = s->from_count ? s->from[0].loc : s->word.loc;
        if (def->max_inputs == 1) error(g->diag, loc, "'%s' takes one input, not %d", def->call.name, n);
        else if (def->min_inputs == def->max_inputs) error(g->diag, loc, "'%s' takes %d inputs, not %d", def->call.name, def->max_inputs, n);
        else error(g->diag, loc, "'%s' takes %d to %d inputs, not %d", def->call.name, def->min_inputs, def->max_inputs, n);
        if (def->max_inputs > 1) hint(g->diag, "name them: '%s from a, b'", def->call.name);
        else hint(g->diag, "'add' and 'concatenate' make one of several");
        fine = false;
    }
    return fine;
}

static void unknown_word(Graph *g, const Statement *s) {
    const char *words[128];
    int n = 0;
    const Callable *c;
    for (int i = 0; n < 100 && (c = layer_family(i)); i++) words[n++] = c->name;
    static const char *const others[] = {"network", "output", "compile", "fit"};
    for (int i = 0; i < LENGTH(others); i++) words[n++] = others[i];
    error(g->diag, s->word.loc, "there is no layer '%s'", s->word.text);
    const char *near = nearest(s->word.text, words, n);
    if (near) hint_instead(g->diag, s->word.loc, near, "did you mean '%s'?", near);
    else hint(g->diag, "'cnnc help' lists the layers");
}

static Tensor *make_layer(Graph *g, Layer *l) {
    if (l->def->activate && l->input_count) return l->def->activate(g, l, l->attributes, l->inputs[0]);
    return l->def->layer ? l->def->layer(g, l) : add_op(g, l->def, l, l->attributes, l->inputs, l->input_count);
}

/* Gives a layer even after an error, with output NULL, so that later lines are not blamed for it. */
static Layer *build_layer(Graph *g, const Statement *s, Layer *previous) {
    const OpDef *def = find_op(s->word.text, OP_LAYER);
    Layer *l = NEW(g->arena, Layer);
    bool fine = true;
    if (!def) unknown_word(g, s), fine = false;
    if (s->name.text && !check_name(g, s->name)) fine = false;
    Layer *same = s->name.text ? find_layer(g, s->name.text) : NULL;
    if (same) {
        error(g->diag, s->name.loc, "the name '%s' is used twice", s->name.text);
        note(g->diag, same->loc, "it is declared here");
        return l;
    }
    *l = (Layer){.def = def, .loc = s->name.text ? s->name.loc : s->word.loc, .trainable = true};
    l->name = s->name.text ? s->name.text : default_name(g, s->word.text);
    add_name(g, l->name, l);
    *PUSH(g->arena, g->layers, g->layer_count) = l;
    if (def && !resolve_inputs(g, s, l, previous)) fine = false;
    if (def) l->attributes = bind_attributes(g->arena, g->diag, &def->call, s->arguments, s->argument_count, s->word.loc);
    if (!fine || !l->attributes) return l;
    const Attr *trainable = find_attr(&def->call, l->attributes, "trainable");
    l->trainable = !trainable || trainable->real != 0;
    int errors = g->diag->errors;
    l->output = make_layer(g, l);
    if (g->diag->errors > errors) l->output = NULL;
    if (l->output) l->shape = l->output->shape;
    return l;
}

static bool is(const Statement *s, const char *word) { return !strcmp(s->word.text, word); }

/* ---- network, output, compile, fit ----------------------------------------------------------------------------------- */

static void build_network(Graph *g, const Statement *s) {
    if (s->argument_count != 1 || s->arguments[0].key || s->arguments[0].value.kind != VALUE_WORD) {
        error(g->diag, s->word.loc, "'network' takes one name");
        hint(g->diag, "it is the prefix of every generated symbol: 'network mnist'");
        return;
    }
    const Value *v = &s->arguments[0].value;
    if (g->name) error(g->diag, s->word.loc, "'network' is given twice");
    else if (g->layer_count) {
        error(g->diag, s->word.loc, "'network' must come before the layers");
        hint(g->diag, "it is the first statement: everything generated is named after it");
    }
    else if (is_ours(v->word)) {
        error(g->diag, v->loc, "a network cannot be called '%s'", v->word);
        hint(g->diag, "what begins with 'cnnc' belongs to the runtime");
    } else if (is_type(v->word)) {
        error(g->diag, v->loc, "a network cannot be called '%s'", v->word);
        hint(g->diag, "it is a type of C or a namespace of C++; '%s_1' would do", v->word);
    } else if (check_name(g, (Name){v->word, v->loc})) g->name = v->word;
}

typedef struct Outputs { Layer **layers; int length; } Outputs;

static void build_output(Graph *g, const Statement *s, Outputs *out) {
    if (!s->argument_count && !s->from_count) {
        error(g->diag, s->word.loc, "'output' needs the names of layers");
        hint(g->diag, "write 'output a, b'");
    }
    for (int i = 0; i < s->argument_count; i++) {
        const Value *v = &s->arguments[i].value, *items = v->kind == VALUE_LIST ? v->items : v;
        int n = v->kind == VALUE_LIST ? v->length : 1;
        for (int k = 0; k < n; k++) {
            if (items[k].kind != VALUE_WORD || s->arguments[i].key) {
                error(g->diag, s->arguments[i].key ? s->arguments[i].key_loc : items[k].loc, "'output' takes names of layers only");
                continue;
            }
            Layer *l = layer_named(g, items[k].word, items[k].loc, NULL);
            if (!l) continue;
            l->used = true;
            *PUSH(g->arena, out->layers, out->length) = l;
        }
    }
}

enum { FIT_EPOCHS, FIT_BATCH_SIZE, FIT_SHUFFLE, FIT_SEED, FIT_VALIDATION_SPLIT, FIT_SAMPLE_WEIGHT, FIT_CLASS_WEIGHT };
static const AttrDef fit_attributes[] = {
    {"epochs", ATTR_INT, "1", 1, 1e9, 0, NULL, NULL, false, "passes over the training data"},
    {"batch_size", ATTR_INT, "32", 1, 1 << 20, 0, NULL, NULL, false, "examples in an update"},
    {"shuffle", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "another order in each epoch"},
    {"seed", ATTR_INT, "0", 0, 2147483647, 0, NULL, NULL, false, "of initial weights and shuffling"},
    {"validation_split", ATTR_REAL, "0", 0, 1, 0, NULL, NULL, false, "part of the data, its last one, to evaluate after each epoch and not to train on"},
    {"sample_weight", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "a last array of the data says how much each example counts in the loss"},
    {"class_weight", ATTR_REALS, "", 0, 1e30, 0, NULL, NULL, false, "how much an example of each class counts in the loss while training, (1,2,0.5)"},
};
static const Callable fit_statement = {"fit", "how long, in which portions", ATTRIBUTES(fit_attributes), NULL};

const Callable *statement_family(int index) {
    static const Callable *const statements[] = {&compile_statement, &fit_statement};
    return index < LENGTH(statements) ? statements[index] : NULL;
}

static void build_fit(Graph *g, const Statement *s) {
    Attr *a = bind_attributes(g->arena, g->diag, &fit_statement, s->arguments, s->argument_count, s->word.loc);
    if (!a) return;
    g->epochs = attr_int(&a[FIT_EPOCHS]);
    g->batch_size = attr_int(&a[FIT_BATCH_SIZE]);
    g->shuffle = a[FIT_SHUFFLE].real != 0;
    g->seed = (uint64_t)a[FIT_SEED].real;
    g->validation_split = a[FIT_VALIDATION_SPLIT].real;
    g->sample_weight = a[FIT_SAMPLE_WEIGHT].real != 0;
    if (a[FIT_CLASS_WEIGHT].present) g->class_weight = &a[FIT_CLASS_WEIGHT];
    if (g->sample_weight && g->class_weight) error(g->diag, g->class_weight->loc, "there is class_weight or sample_weight, not both");
    if (g->validation_split == 1) error(g->diag, a[FIT_VALIDATION_SPLIT].loc, "a validation_split of 1 leaves nothing to train on");
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

static bool is_plain_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bool fine = *name && strchr(letters, *name) && name[strspn(name, "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
    for (int i = 0; i < LENGTH(reserved); i++) fine = fine && strcmp(name, reserved[i]);
    return fine && !is_ours(name) && strlen(name) < 64;
}

bool is_legal_name(const char *name) { return is_plain_name(name) && !looks_like_macro(name) && strcmp(name, "from"); }
bool is_network_name(const char *name) { return is_legal_name(name) && !is_type(name); }

static const char *name_from_file(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *end = strchr(base, '.');
    char *name = arena_string(arena, base, end ? (size_t)(end - base) : strlen(base));
    return is_network_name(name) ? name : "net";
}

static bool check_outputs(Graph *g, const Outputs *outputs) {
    bool fine = true;
    for (int i = 0; i < outputs->length; i++) {
        const Layer *l = outputs->layers[i];
        if (!is_tokens(l)) continue;
        error(g->diag, l->loc, "'%s' gives tokens, which cannot be an output", l->name);
        hint_of_embedding(g, l);
        fine = false;
    }
    return fine;
}

static void add_outputs(Graph *g, Outputs *outputs) {
    for (int i = 0; i < outputs->length; i++) {
        Layer *l = outputs->layers[i];
        if (!l->output) continue;
        Tensor *y = add_op(g, &op_output, l, NULL, (Tensor *[]){l->output}, 1);
        *PUSH(g->arena, g->outputs, g->output_count) = y;
    }
    for (int i = 0; i < g->layer_count; i++)
        if (!g->layers[i]->used) warning(g->diag, g->layers[i]->loc, "nothing uses the output of '%s'", g->layers[i]->name);
}

/* network, output, compile and fit are no layers: they have no name and no inputs. */
static void check_plain(Graph *g, const Statement *s) {
    if (s->name.text) error(g->diag, s->name.loc, "'%s' is no layer and has no name", s->word.text);
    if (s->from_count) {
        error(g->diag, s->from[0].loc, "'%s' is no layer and has no inputs", s->word.text);
        if (is(s, "output")) hint(g->diag, "write 'output a, b'");
    }
}

/* `once`: the statement seen before, for those that may be given only once. */
static bool first_time(Graph *g, const Statement *s, const Statement **once) {
    if (*once) {
        error(g->diag, s->word.loc, "'%s' is given twice", s->word.text);
        note(g->diag, (*once)->word.loc, "it is given here already");
        return false;
    }
    *once = s;
    return true;
}

bool build(Arena *arena, const Description *d, Diag *diag, Graph **out) {
    Graph *g = *out = NEW(arena, Graph);
    *g = (Graph){.arena = arena, .diag = diag, .epochs = 1, .batch_size = 32, .shuffle = true, .names = NEW(arena, NameTable)};
    const Statement *compile = NULL, *fit = NULL;
    Layer *last = NULL;
    Outputs outputs = {0};
    for (int i = 0; i < d->length; i++) {
        const Statement *s = &d->statements[i];
        if (is(s, "network") || is(s, "output") || is(s, "compile") || is(s, "fit")) check_plain(g, s);
        if (is(s, "network")) build_network(g, s);
        else if (is(s, "output")) build_output(g, s, &outputs);
        else if (is(s, "compile")) first_time(g, s, &compile);
        else if (is(s, "fit")) first_time(g, s, &fit);
        else last = build_layer(g, s, last);
    }
    if (!g->name) g->name = name_from_file(arena, d->source->name);
    if (!last && !diag->errors) {
        error(diag, (Loc){0}, "the description has no layers");
        hint(diag, "begin with an input, 'input 28x28x1' say");
    }
    if (last && !outputs.length) *PUSH(arena, outputs.layers, outputs.length) = last, last->used = true;
    if (fit) build_fit(g, fit);
    if (check_outputs(g, &outputs) && compile) build_compile(g, compile, outputs.layers, outputs.length);
    if (!diag->errors) add_outputs(g, &outputs);
    return !diag->errors;
}

/* ---- dump ------------------------------------------------------------------------------------------------------------- */

static const char *tensor_text(Arena *arena, const Tensor *t) {
    if (t->role == ROLE_PARAMETER) return weight_path(arena, t);
    if (t->role == ROLE_SCALE || t->role == ROLE_KEY) return t->name;
    return arena_printf(arena, "%%%d", t->id);
}

void print_graph(const Graph *g, StrBuf *out) {
    static const char *const types[] = {"real", "u8", "i32", "index"};
    strbuf_printf(out, "network %s\n", g->name);
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = g->ops[i];
        for (int k = 0; k < op->output_count; k++) {
            const Tensor *t = op->outputs[k];
            strbuf_printf(out, "%s%%%d %s[%s]", k ? ", " : "  ", t->id, types[t->type], join_shape(g->arena, t->shape, ","));
        }
        strbuf_printf(out, " = %s", op->def->call.name);
        for (int k = 0; k < op->input_count; k++) strbuf_printf(out, "%s%s", k ? ", " : " ", tensor_text(g->arena, op->inputs[k]));
        strbuf_printf(out, "   # %s\n", op->outputs[0]->name);
    }
    if (g->optimizer)
        for (int i = 0; i < g->parameter_count; i++)
            if (g->parameters[i]->gradient)
                strbuf_printf(out, "  %s = %s %s, %%%d\n", tensor_text(g->arena, g->parameters[i]), g->optimizer->call.name,
                              tensor_text(g->arena, g->parameters[i]), g->parameters[i]->gradient->id);
}
