/* onnx_match.c: what several nodes make together, where cnnc has one word for it, and what no output needs. Only the last node of such a group
 * is marked; the others are left out unless somebody else needs them. */
#include "onnx.h"

#include <math.h>
#include <string.h>

/* The node of this type that makes a value as its first output; NULL: another one, or none. */
static const OnnxNode *made_by(const Onnx *o, int value, const char *type) {
    int p = value < 0 || o->values[value].constant ? -1 : o->values[value].producer;
    const OnnxNode *n = p < 0 ? NULL : &o->nodes[p];
    return n && !strcmp(n->type, type) && !*n->domain && n->outputs[0] == value ? n : NULL;
}

static bool near_to(double a, double b) { return fabs(a - b) <= 1e-5 * fabs(b); }

/* One number that leaves the axes of what it is combined with as they are. */
static bool is_number(const Numbers *c, double *number) { return is_scalar(c, number) && c->rank <= 1; }

/* A node of two inputs, of which one is a number; *other: the other one. The number comes second where order matters. */
static bool with_number(const Onnx *o, const OnnxNode *n, double *number, int *other) {
    if (!n || n->input_count != 2 || !has_input(n, 0) || !has_input(n, 1)) return false;
    bool commutes = !strcmp(n->type, "Add") || !strcmp(n->type, "Mul");
    for (int i = 1; i >= (commutes ? 0 : 1); i--)
        if (is_number(constant_input(o, n, i), number) && !constant_input(o, n, !i)) return *other = n->inputs[!i], true;
    return false;
}

/* value = *factor * the result, by one multiplication or division by a number, or none. */
static int unscaled(const Onnx *o, int value, double *factor) {
    double number;
    int other;
    const OnnxNode *n = made_by(o, value, "Mul");
    *factor = 1;
    if (with_number(o, n, &number, &other)) return *factor = number, other;
    n = made_by(o, value, "Div");
    if (with_number(o, n, &number, &other)) return *factor = 1 / number, other;
    return value;
}

static Match *new_match(Onnx *o, const char *word, int input, double a, int axis) {
    Match *m = NEW(o->arena, Match);
    *m = (Match){.word = word, .input = input, .a = a, .axis = axis, .scale = -1, .offset = -1};
    return m;
}

/* ---- activations ------------------------------------------------------------------------------------------------------------------------ */

/* c * p * q = x (1 + erf(x / sqrt 2)) / 2 */
static Match *match_gelu(Onnx *o, int p, int q, double c) {
    double number, gate_factor, side_factor, inside;
    int erf_value;
    const OnnxNode *gate = made_by(o, unscaled(o, q, &gate_factor), "Add");
    if (!with_number(o, gate, &number, &erf_value) || number != 1) return NULL;
    const OnnxNode *erf_node = made_by(o, erf_value, "Erf");
    if (!erf_node || erf_node->input_count != 1) return NULL;
    int x = unscaled(o, erf_node->inputs[0], &inside), side = p;
    if (!near_to(inside, sqrt(0.5))) return NULL;
    side_factor = 1;
    if (p != x) side = unscaled(o, p, &side_factor);
    return side == x && near_to(c * gate_factor * side_factor, 0.5) ? new_match(o, "gelu", x, 0, 0) : NULL;
}

/* x * q, q of x itself */
static Match *match_gate(Onnx *o, int x, int q) {
    const OnnxNode *n = made_by(o, q, "Sigmoid");
    if (n && n->input_count == 1 && n->inputs[0] == x) return new_match(o, "silu", x, 0, 0);
    n = made_by(o, q, "HardSigmoid");
    bool keras = n && (float)attribute_real(n, "alpha", 0.2f) == 1 / 6.0f && attribute_real(n, "beta", 0.5) == 0.5;
    if (keras && n->input_count == 1 && n->inputs[0] == x) return new_match(o, "hard_silu", x, 0, 0);
    n = made_by(o, q, "Tanh");
    n = n && n->input_count == 1 ? made_by(o, n->inputs[0], "Softplus") : NULL;
    return n && n->input_count == 1 && n->inputs[0] == x ? new_match(o, "mish", x, 0, 0) : NULL;
}

static Match *match_product(Onnx *o, const OnnxNode *n) {
    double c = 1;
    int other;
    const OnnxNode *product = n;
    if (with_number(o, n, &c, &other)) product = made_by(o, other, "Mul");
    if (!product || product->input_count != 2 || product->inputs[0] < 0 || product->inputs[1] < 0) return NULL;
    Match *m = NULL;
    for (int i = 0; i < 2 && !m; i++) m = match_gelu(o, product->inputs[i], product->inputs[!i], c);
    for (int i = 0; i < 2 && !m && product == n; i++) m = match_gate(o, product->inputs[i], product->inputs[!i]);
    return m;
}

/* log(1 + e^x) */
static Match *match_log(Onnx *o, const OnnxNode *n) {
    double number;
    int other;
    if (n->input_count != 1 || !with_number(o, made_by(o, n->inputs[0], "Add"), &number, &other) || number != 1) return NULL;
    const OnnxNode *e = made_by(o, other, "Exp");
    return e && e->input_count == 1 ? new_match(o, "softplus", e->inputs[0], 0, 0) : NULL;
}

/* x > threshold ? x or min(x, most) : 0 or slope * (x - threshold), as cnnc exports it */
static Match *match_relu(Onnx *o, const OnnxNode *n) {
    double threshold, most = INFINITY, slope = 0, shift, zero;
    int x, same;
    if (!with_number(o, made_by(o, n->inputs[0], "Greater"), &threshold, &x) || threshold < 0) return NULL;
    if (n->inputs[1] != x && (!with_number(o, made_by(o, n->inputs[1], "Min"), &most, &same) || same != x || !(most >= 0))) return NULL;
    if (!is_number(constant_input(o, n, 2), &zero) || zero != 0) {
        int moved = unscaled(o, n->inputs[2], &slope);
        if (!with_number(o, made_by(o, moved, "Add"), &shift, &same) || same != x || shift != -threshold || !(slope >= 0)) return NULL;
    }
    Match *m = new_match(o, "relu", x, threshold, 0);
    m->slope = slope, m->most = most;
    return m;
}

/* ---- rows of a table ------------------------------------------------------------------------------------------------------------------------ */

static bool is_zero_row(const Numbers *table, int64_t row) {
    for (int64_t i = 0; i < table->dims[1]; i++)
        if (table->reals[row * table->dims[1] + i] != 0) return false;
    return true;
}

/* Row 1 + clip(x, -1, n) of a table of n rows between two of zeros, as cnnc exports it */
static Match *match_embedding(Onnx *o, const OnnxNode *n) {
    const Numbers *table = constant_input(o, n, 0);
    double one, least, most;
    int clipped;
    if (!table || table->rank != 2 || !table->reals || table->dims[0] < 3 || attribute_int(n, "axis", 0)) return NULL;
    if (!with_number(o, made_by(o, n->inputs[1], "Add"), &one, &clipped) || one != 1) return NULL;
    const OnnxNode *clip = made_by(o, clipped, "Clip");
    if (!clip || clip->input_count != 3 || !is_scalar(constant_input(o, clip, 1), &least) || !is_scalar(constant_input(o, clip, 2), &most)) return NULL;
    bool whole = least == -1 && most == (double)(table->dims[0] - 2) && is_zero_row(table, 0) && is_zero_row(table, table->dims[0] - 1);
    return whole ? new_match(o, "embedding", clip->inputs[0], 0, 0) : NULL;
}

/* ---- along an axis ------------------------------------------------------------------------------------------------------------------------ */

/* A reduction over one axis that stays; its axis. */
static const OnnxNode *reduces(const Onnx *o, int value, const char *type, int *axis) {
    const OnnxNode *n = made_by(o, value, type);
    int count = 0;
    if (!n && !strcmp(type, "ReduceMean") && (n = made_by(o, value, "GlobalAveragePool")) && n->input_count == 1) return *axis = SPATIAL, n;
    if (!n || n->input_count < 1 || n->inputs[0] < 0 || !attribute_int(n, "keepdims", 1)) return NULL;
    const int64_t *axes = attribute_ints(n, "axes", &count);
    const Numbers *c = constant_input(o, n, 1);
    if (c && c->integers) axes = c->integers, count = (int)c->count;
    if (count != 1 || axes[0] < -ONNX_RANK || axes[0] >= ONNX_RANK) return NULL;
    *axis = (int)axes[0];
    return n;
}

/* x - reduction(x) */
static const OnnxNode *centered(const Onnx *o, int value, const char *reduction, int *axis) {
    const OnnxNode *n = made_by(o, value, "Sub");
    if (!n || n->input_count != 2) return NULL;
    const OnnxNode *r = reduces(o, n->inputs[1], reduction, axis);
    return r && n->inputs[0] >= 0 && r->inputs[0] == n->inputs[0] ? n : NULL;
}

/* Whether a value is the square of another, or of one that is computed in the same way. */
static bool is_square(const Onnx *o, int value, const OnnxNode *of) {
    double power;
    int base;
    const OnnxNode *n = made_by(o, value, "Pow");
    if (!with_number(o, n, &power, &base) || power != 2) {
        n = made_by(o, value, "Mul");
        if (!n || n->input_count != 2 || n->inputs[0] != n->inputs[1]) return false;
        base = n->inputs[0];
    }
    const OnnxNode *other = made_by(o, base, "Sub");
    return base == of->outputs[0] || (other && other->input_count == 2 && other->inputs[0] == of->inputs[0] && other->inputs[1] == of->inputs[1]);
}

/* (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon) */
static Match *match_layer(Onnx *o, const OnnxNode *n) {
    int axis, axis_2, squares;
    double epsilon;
    const OnnxNode *d = centered(o, n->inputs[0], "ReduceMean", &axis), *root = made_by(o, n->inputs[1], "Sqrt");
    if (!d || !root || root->input_count != 1 || !with_number(o, made_by(o, root->inputs[0], "Add"), &epsilon, &squares)) return NULL;
    const OnnxNode *mean = reduces(o, squares, "ReduceMean", &axis_2);
    return mean && axis == axis_2 && epsilon >= 0 && is_square(o, mean->inputs[0], d) ? new_match(o, "layer_normalization", d->inputs[0], epsilon, axis) : NULL;
}

/* x r + (-mean x r + offset), r = scale / sqrt(mean (x - mean x)^2 + epsilon), as tf2onnx has it */
static Match *match_spread_layer(Onnx *o, const OnnxNode *n) {
    for (int i = 0; i < 2; i++) {
        const OnnxNode *left = made_by(o, n->inputs[i], "Mul"), *right = made_by(o, n->inputs[!i], "Add");
        for (int k = 0; k < 8 && left && right && left->input_count == 2 && right->input_count == 2; k++) {
            int x = left->inputs[k & 1], r = left->inputs[!(k & 1)], offset = right->inputs[!(k >> 1 & 1)], axis, axis_2, squares;
            double epsilon;
            const OnnxNode *moved = made_by(o, right->inputs[k >> 1 & 1], "Mul"), *factor = made_by(o, r, "Mul");
            if (!moved || !factor || moved->input_count != 2 || factor->input_count != 2 || moved->inputs[k >> 2] != r) continue;
            const OnnxNode *minus = made_by(o, moved->inputs[!(k >> 2)], "Neg"), *mean = minus && minus->input_count == 1 ? reduces(o, minus->inputs[0], "ReduceMean", &axis) : NULL;
            if (!mean || mean->inputs[0] != x) continue;
            for (int side = 0; side < 2; side++) {
                const OnnxNode *inverse = made_by(o, factor->inputs[side], "Reciprocal"), *root = inverse && inverse->input_count == 1 ? made_by(o, inverse->inputs[0], "Sqrt") : NULL;
                if (!root || root->input_count != 1 || !with_number(o, made_by(o, root->inputs[0], "Add"), &epsilon, &squares)) continue;
                const OnnxNode *variance = reduces(o, squares, "ReduceMean", &axis_2);
                const OnnxNode of = {.inputs = (int[]){x, minus->inputs[0]}, .outputs = (int[]){-2}};
                if (!variance || axis != axis_2 || epsilon < 0 || !is_square(o, variance->inputs[0], &of)) continue;
                Match *m = new_match(o, "layer_normalization", x, epsilon, axis);
                m->scale = factor->inputs[!side], m->offset = offset;
                return m;
            }
        }
    }
    return NULL;
}

/* e / sum e, e = exp(x - max x) */
static Match *match_softmax(Onnx *o, const OnnxNode *n) {
    int axis, axis_2;
    const OnnxNode *e = made_by(o, n->inputs[0], "Exp"), *sum = reduces(o, n->inputs[1], "ReduceSum", &axis);
    if (!e || e->input_count != 1 || !sum || sum->inputs[0] != n->inputs[0]) return NULL;
    const OnnxNode *d = centered(o, e->inputs[0], "ReduceMax", &axis_2);
    return d && axis == axis_2 ? new_match(o, "softmax", d->inputs[0], 0, axis) : NULL;
}

/* d - log sum exp d, d = x - max x */
static Match *match_log_softmax(Onnx *o, const OnnxNode *n) {
    int axis, axis_2;
    const OnnxNode *d = centered(o, n->inputs[0], "ReduceMax", &axis), *l = made_by(o, n->inputs[1], "Log");
    const OnnxNode *sum = d && l && l->input_count == 1 ? reduces(o, l->inputs[0], "ReduceSum", &axis_2) : NULL;
    const OnnxNode *e = sum && axis == axis_2 ? made_by(o, sum->inputs[0], "Exp") : NULL;
    return e && e->input_count == 1 && e->inputs[0] == n->inputs[0] ? new_match(o, "log_softmax", d->inputs[0], 0, axis) : NULL;
}

static Match *match_quotient(Onnx *o, const OnnxNode *n) {
    Match *m = match_layer(o, n);
    return m ? m : match_softmax(o, n);
}

static const struct { const char *type; int inputs; Match *(*match)(Onnx *, const OnnxNode *); } matches[] = {
    {"Mul", 2, match_product}, {"Div", 2, match_quotient}, {"Sub", 2, match_log_softmax}, {"Log", 1, match_log}, {"Add", 2, match_spread_layer},
    {"Where", 3, match_relu}, {"Gather", 2, match_embedding},
};

/* ---- what is needed -------------------------------------------------------------------------------------------------------------------------- */

static bool is_needed(const Onnx *o, const OnnxNode *n) {
    for (int i = 0; i < n->output_count; i++)
        if (n->outputs[i] >= 0 && o->values[n->outputs[i]].uses) return true;
    return false;
}

void onnx_match(Onnx *o) {
    for (int i = 0; i < o->node_count; i++)
        if (!strcmp(o->nodes[i].type, "Constant") && !*o->nodes[i].domain && o->nodes[i].output_count) o->current = &o->nodes[i], onnx_fold(o, &o->nodes[i]);
    for (int i = 0; i < o->output_count; i++) o->values[o->outputs[i].value].uses++;
    for (int i = o->node_count - 1; i >= 0; i--) {
        OnnxNode *n = &o->nodes[i];
        n->needed = is_needed(o, n);
        if (!n->needed) continue;
        for (int k = 0; k < LENGTH(matches) && !n->match && !*n->domain; k++)
            if (!strcmp(n->type, matches[k].type) && n->input_count == matches[k].inputs) n->match = matches[k].match(o, n);
        for (int k = 0; k < 2 && n->match; k++) {
            int v = k ? n->match->offset : n->match->scale;
            if (v >= 0) o->values[v].uses++;
        }
        if (n->match && n->match->input >= 0) o->values[n->match->input].uses++;
        else n->match = NULL;
        for (int k = 0; k < n->input_count && !n->match; k++)
            if (n->inputs[k] >= 0) o->values[n->inputs[k]].uses++;
    }
}
