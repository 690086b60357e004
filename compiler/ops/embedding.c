/* embedding.c: y[i] = embeddings[x[i]], a vector for each token. A token that the table does not have gives zeros: data are
 * checked where they are read, but the caller of generated code may give anything. */
#include "ops.h"

enum { INPUT_DIM, OUTPUT_DIM, INITIALIZER };

static const AttrDef attributes[] = {
    {"input_dim", ATTR_INT, NULL, 1, 1 << 30, 0, NULL, NULL, true, "vectors in the table: as many as tokens, or more"},
    {"output_dim", ATTR_INT, NULL, 1, 1 << 24, 0, NULL, NULL, true, "length of a vector"},
    {"embeddings_initializer", ATTR_CALL, "random_uniform", 0, 0, 0, NULL, initializer_family, false, "how the vectors start"},
    ATTR_TRAINABLE_DEF,
    WEIGHT_OPTION_DEFS("embeddings"),
};

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    const Tensor *x = l->inputs[0];
    int rows = attr_int(&a[INPUT_DIM]), length = attr_int(&a[OUTPUT_DIM]);
    if (x->classes > rows) {
        error(g->diag, a[INPUT_DIM].loc, "a table of %d vectors is too small for a vocabulary of %d", rows, x->classes);
        note(g->diag, x->layer->loc, "the tokens are those of '%s', declared here", x->layer->name);
        return NULL;
    }
    if (x->shape.rank == MAX_RANK) {
        error(g->diag, l->loc, "'embedding' adds an axis to %s, which has %d already", shape_text(g->arena, x->shape), MAX_RANK);
        hint(g->diag, "a tensor has %d axes at most", MAX_RANK);
        return NULL;
    }
    Tensor *table = layer_parameter(g, l, "embeddings", shape2(rows, length), &a[INITIALIZER], rows, length);
    return table ? add_op(g, &op_embedding, l, l->attributes, (Tensor *[]){l->inputs[0], table}, 2) : NULL;
}

static bool infer(Graph *g, Op *op) {
    Shape y = op->inputs[0]->shape;
    y.dim[y.rank++] = last_dim(op->inputs[1]->shape);
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "embedding", y, TYPE_REAL, ROLE_ACTIVATION);
    return true;
}

static bool infer_grad(Graph *g, Op *op) {
    op->outputs[op->output_count++] = new_tensor(g, op->layer, "embeddings_grad", op->forward->inputs[1]->shape, TYPE_REAL, ROLE_PARAMETER_GRADIENT);
    return true;
}

static void gradient(Graph *g, Op *op, Tensor *dy) {
    Tensor *x = op->inputs[0], *table = op->inputs[1];
    if (wants_gradient(table)) add_gradient(g, table, add_gradient_op(g, &op_embedding_grad, op, (Tensor *[]){x, dy}, 2));
}

typedef struct Table { int64_t tokens, rows, length; } Table;
static Table table_of(const Op *op) {
    const Op *forward = op->forward ? op->forward : op;
    Shape table = forward->inputs[1]->shape;
    return (Table){shape_count(forward->inputs[0]->shape), table.dim[0], table.dim[1]};
}

static bool in_table(const Table *t, double token) { return token >= 0 && token < (double)t->rows; }

static void evaluate(const Op *op, double *const *in, double *const *out) {
    Table t = table_of(op);
    for (int64_t i = 0; i < t.tokens; i++)
        for (int64_t k = 0; k < t.length; k++) out[0][i * t.length + k] = in_table(&t, in[0][i]) ? in[1][(int64_t)in[0][i] * t.length + k] : 0;
}

static void evaluate_grad(const Op *op, double *const *in, double *const *out) {
    Table t = table_of(op);
    for (int64_t i = 0; i < t.tokens; i++)
        for (int64_t k = 0; in_table(&t, in[0][i]) && k < t.length; k++) out[0][(int64_t)in[0][i] * t.length + k] += in[1][i * t.length + k];
}

static void bind(const Op *op, Bindings *b) {
    Table t = table_of(op);
    bind_int(b, "TOKENS", t.tokens);
    bind_int(b, "ROWS", t.rows);
    bind_int(b, "N", t.length);
}

static double flops(const Op *op) { return (double)shape_count(op->inputs[1]->shape); }

const OpDef op_embedding = {
    .call = {"embedding", "a vector for each token", ATTRIBUTES(attributes), NULL}, .kind = OP_LAYER, .keras = "Embedding", .min_inputs = 1, .max_inputs = 1,
    .takes_tokens = true, .layer = layer, .infer = infer, .gradient = gradient, .evaluate = evaluate, .plain = "embedding.forward", .bind = bind,
    .equation = "y[i] = embeddings[x[i]]",
};
const OpDef op_embedding_grad = {
    .call = {"embedding_grad", "gradient of embedding in its table", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_grad, .accumulates = true,
    .evaluate = evaluate_grad, .plain = "embedding.grad", .bind = bind, .flops = flops, .equation = "dembeddings[x[i]] += dy[i]",
};
