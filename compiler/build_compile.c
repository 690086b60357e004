/* build_compile.c: the statement `compile`: an optimizer, a loss for each output, metrics.
 *
 * With one output the loss is the first total. With several the first total has only what regularizers add; behind it comes the loss
 * of each output, and the loss of the network is their sum, by their weights. */
#include "ops/ops.h"

#include <string.h>

enum { OPTIMIZER, LOSS, METRICS, LOSS_WEIGHTS };
static const AttrDef compile_attributes[] = {
    {"optimizer", ATTR_CALL, "rmsprop", 0, 0, 0, NULL, optimizer_family, false, "how weights follow their gradients"},
    {"loss", ATTR_CALLS, NULL, 0, 0, 0, NULL, loss_family, false, "what training makes small: one for all outputs or one for each"},
    {"metrics", ATTR_CALLS, "", 0, 0, 0, NULL, metric_family, false, "what is reported beside the loss: with several outputs one for each"},
    {"loss_weights", ATTR_REALS, "", 1e-30, 1e30, 0, NULL, NULL, false, "of several outputs: how much each one's loss counts"},
};
const Callable compile_statement = {"compile", "how the network is trained", ATTRIBUTES(compile_attributes), NULL};

/* What a compile statement is about to add. */
typedef struct Totals {
    Graph *graph;
    Layer *layer;     /* they are named after it */
    bool several;     /* outputs */
    Tensor *weight;   /* of an example's losses; NULL: 1 */
} Totals;

static int count_calls(const Attr *a) {
    int n = 0;
    for (; a && a->present; a = a->next) n++;
    return n;
}

/* A loss or metric over the prediction; makes the target where there is none yet. NULL after an error. */
static Tensor *add_total(const Totals *t, const OpDef *def, const Attr *a, const char *loss, Tensor *prediction, Tensor **target, Tensor *weight) {
    Graph *g = t->graph;
    Op whose = {.def = def, .layer = t->layer};
    if (!def->target(g, &whose, prediction, target)) {
        error(g->diag, a->loc, "'%s' does not fit the targets of '%s'", a->word, loss);
        hint(g->diag, (*target)->type == TYPE_I32 ? "those are class indices: loss=categorical_crossentropy makes arrays of them" : "those are arrays of the output's shape, not class indices");
        return NULL;
    }
    return add_op(g, def, t->layer, a->attributes, (Tensor *[]){prediction, *target, weight}, weight ? 3 : 2);
}

/* Sums of products are no probabilities: nothing has brought them between 0 and 1. */
static void warn_of_logits(Graph *g, const OpDef *def, const Attr *loss, const Tensor *prediction) {
    const Op *op = prediction->producer;
    bool sums = false;
    for (int i = 0; i < op->input_count; i++) sums = sums || op->inputs[i]->role == ROLE_PARAMETER;
    if (!sums) return;
    warning(g->diag, loss->loc, "'%s' takes probabilities, and '%s' gives sums of any size", loss->word, prediction->layer->name);
    hint(g->diag, "end the network in a %s, or write loss=%s(from_logits=true)", def->makes_logits, loss->word);
}

static bool is_from_logits(const OpDef *def, const Attr *loss) {
    for (int i = 0; i < def->call.attribute_count; i++)
        if (!strcmp(def->call.attributes[i].name, "from_logits")) return loss->attributes[i].real != 0;
    return false;
}

/* The loss's stable form where there are logits; *prediction becomes these. */
static const OpDef *loss_form(Graph *g, const Attr *loss, Tensor **prediction) {
    const OpDef *def = find_op(loss->word, OP_LOSS);
    const Op *op = (*prediction)->producer;
    if (!def->on_logits) return def;
    bool from_logits = is_from_logits(def, loss);
    if (op->def == &op_softmax || op->def == &op_sigmoid) { /* as Keras: both keep logits, and these are taken, from_logits or not */
        if (from_logits) {
            warning(g->diag, loss->loc, "'%s' is to take logits, but '%s' ends in a %s: what that takes is taken for them", loss->word, (*prediction)->layer->name, op->def->call.name);
            hint(g->diag, "leave from_logits out: the loss is the same");
        }
        *prediction = op->inputs[0];
        return def->on_logits;
    }
    if (from_logits) return def->on_logits;
    warn_of_logits(g, def, loss, *prediction);
    return def;
}

static void name_total(const Totals *t, const Tensor *prediction, const char *word) {
    Graph *g = t->graph;
    int n = g->total_count - 2;
    *PUSH(g->arena, g->metrics, n) = t->several ? arena_printf(g->arena, "%s_%s", prediction->layer->name, word) : word;
}

/* False after an error. */
static bool add_loss(const Totals *t, const Attr *loss, Tensor *prediction, Tensor **target, double weight) {
    Tensor *from = prediction;
    const OpDef *def = loss_form(t->graph, loss, &from);
    Tensor *total = add_total(t, def, loss, loss->word, from, target, t->weight);
    if (!total) return false;
    total->is_loss = true;
    total->factor = weight;
    if (t->several) name_total(t, prediction, "loss");
    return true;
}

/* Of two metrics of the same name, whose options are numbers. */
static bool same_options(const Attr *a, const Attr *b) {
    for (int i = 0; i < a->callable->attribute_count; i++)
        if (a->attributes[i].real != b->attributes[i].real) return false;
    return true;
}

/* Results go by the metrics' names; those that differ in options only are counted up, as in Keras: precision, precision_1. NULL after an
 * error. */
static const char *metric_name(const Totals *t, const Attr *first, const Attr *metric) {
    Graph *g = t->graph;
    int before = 0;
    for (; first != metric; first = first->next) {
        if (strcmp(first->word, metric->word)) continue;
        if (same_options(first, metric)) return error(g->diag, metric->loc, "the metric '%s' is given twice", metric->word), NULL;
        before++;
    }
    return before ? arena_printf(g->arena, "%s_%d", metric->word, before) : metric->word;
}

static bool add_metric(const Totals *t, const Attr *metric, const char *name, const char *loss, Tensor *prediction, Tensor **target) {
    const OpDef *def = find_op(metric->word, OP_METRIC);
    Tensor *from = prediction;
    if (!def) def = loss_form(t->graph, metric, &from);
    if (!add_total(t, def, metric, loss, from, target, NULL)) return false;
    name_total(t, prediction, name);
    return true;
}

static bool add_metrics(const Totals *t, const Attr *metrics, const Attr *losses, Layer *const *outputs, Tensor **wanted) {
    int k = 0;
    for (const Attr *m = metrics; m && m->present; m = m->next) {
        const char *name = t->several ? m->word : metric_name(t, metrics, m);
        if (!name || !add_metric(t, m, name, losses->word, outputs[k]->output, &wanted[k])) return false;
        if (t->several) k++, losses = losses->next ? losses->next : losses;
    }
    return true;
}

/* As many as there are outputs. */
static bool check_count(Graph *g, const Attr *a, const char *name, int n, int outputs, bool one_will_do) {
    if (!a->present || n == outputs || (one_will_do && n == 1)) return true;
    error(g->diag, a->loc, "%d %s for %d output%s", n, name, outputs, outputs == 1 ? "" : "s");
    hint(g->diag, one_will_do && outputs > 1 ? "give one for all outputs or one for each, in their order" : "give one for each output, in their order");
    return false;
}

/* Results go by the outputs' names. */
static bool check_outputs(Graph *g, const Attr *loss, Layer *const *outputs, int n) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            if (outputs[i] == outputs[k]) {
                error(g->diag, loss->loc, "'%s' is an output twice, and losses go by the outputs' names", outputs[i]->name);
                hint(g->diag, "'linear from %s' gives it another name", outputs[i]->name);
                return false;
            }
    return true;
}

static bool check_counts(Graph *g, const Attr *a, int outputs) {
    bool fine = check_count(g, &a[LOSS], "losses", count_calls(&a[LOSS]), outputs, true);
    fine = check_count(g, &a[LOSS_WEIGHTS], "loss_weights", a[LOSS_WEIGHTS].real_count, outputs, false) && fine;
    return (outputs == 1 || check_count(g, &a[METRICS], "metrics", count_calls(&a[METRICS]), outputs, false)) && fine;
}

/* ---- how much an example counts ------------------------------------------------------------------------------------------ */

static Tensor *sample_weight(const Totals *t) {
    Graph *g = t->graph;
    Tensor *w = new_tensor(g, t->layer, "sample_weight", shape1(1), TYPE_REAL, ROLE_TARGET);
    w->index = g->target_count;
    *PUSH(g->arena, g->targets, g->target_count) = w;
    return add_op(g, &op_sample_weight, t->layer, NULL, (Tensor *[]){w}, 1);
}

static Tensor *class_weight(const Totals *t, Tensor *prediction, Tensor *target) {
    Graph *g = t->graph;
    const Attr *weights = g->class_weight;
    int classes = last_dim(prediction->shape) == 1 ? 2 : last_dim(prediction->shape);
    if (t->several || row_count(prediction->shape) > 1) {
        error(g->diag, weights->loc, "'class_weight' is for networks with one class for each example");
        return NULL;
    }
    if (weights->real_count != classes) {
        error(g->diag, weights->loc, "'class_weight' has %d numbers for %d classes", weights->real_count, classes);
        return NULL;
    }
    Attr *attributes = NEW(g->arena, Attr);
    *attributes = *weights;
    Tensor *one = add_op(g, &op_unit_weight, t->layer, NULL, NULL, 0);
    return add_op(g, &op_class_weight, t->layer, attributes, (Tensor *[]){one, target}, 2);
}

/* Behind the targets, which are made first. NULL after an error. */
static Tensor *example_weight(const Totals *t, const Attr *loss, Layer *const *outputs, int n, Tensor **wanted) {
    for (int i = 0; i < n; i++) {
        const OpDef *def = find_op(loss->word, OP_LOSS);
        Op whose = {.def = def, .layer = t->layer};
        def->target(t->graph, &whose, outputs[i]->output, &wanted[i]);
        if (loss->next) loss = loss->next;
    }
    return t->graph->sample_weight ? sample_weight(t) : class_weight(t, outputs[0]->output, wanted[0]);
}

static void remember(Graph *g, const Attr *a) {
    g->loss = find_op(a[LOSS].word, OP_LOSS);
    g->loss_loc = a[LOSS].loc;
    g->losses = &a[LOSS];
    g->optimizer = find_op(a[OPTIMIZER].word, OP_OPTIMIZER);
    g->optimizer_attributes = a[OPTIMIZER].attributes;
}

void build_compile(Graph *g, const Statement *s, Layer *const *outputs, int n) {
    const Attr *a = bind_attributes(g->arena, g->diag, &compile_statement, s->arguments, s->argument_count, s->word.loc);
    for (int i = 0; i < n; i++)
        if (!outputs[i]->output) return;
    if (!a || !n || !check_counts(g, a, n) || !check_outputs(g, &a[LOSS], outputs, n)) return;
    Layer *layer = NEW(g->arena, Layer);
    *layer = (Layer){.name = default_name(g, "loss"), .loc = s->word.loc};
    Totals t = {g, layer, n > 1, NULL};
    remember(g, a);
    Op update = {.def = g->optimizer, .attributes = a[OPTIMIZER].attributes, .layer = layer};
    if (!g->optimizer->infer(g, &update)) return;
    g->scale = new_tensor(g, NULL, "scale", shape1(1), TYPE_REAL, ROLE_SCALE);
    if (t.several) {
        Op sum = {.def = g->loss, .layer = layer, .outputs = NEW_ARRAY(g->arena, Tensor *, 1)};
        infer_total(g, &sum);
        sum.outputs[0]->is_loss = true;
    }
    Tensor **wanted = NEW_ARRAY(g->arena, Tensor *, n);
    const Attr *loss = &a[LOSS];
    if ((g->sample_weight || g->class_weight) && !(t.weight = example_weight(&t, loss, outputs, n, wanted))) return;
    for (int i = 0; i < n; i++) {
        double weight = a[LOSS_WEIGHTS].present ? a[LOSS_WEIGHTS].reals[i] : 1;
        if (!add_loss(&t, loss, outputs[i]->output, &wanted[i], weight)) return;
        if (loss->next) loss = loss->next;
    }
    add_penalties(g);
    add_metrics(&t, &a[METRICS], &a[LOSS], outputs, wanted);
}
