/* onnx_parts.c: parts of tensors, several as one, their elements in other places, and what is taken over whole dimensions. */
#include "onnx.h"

#include <limits.h>
#include <string.h>

enum { MOST_PIECES = 64, MOST_ALONG = 1 << 13, MOST_PADS = 1 << 20 };

/* ---- along one dimension ------------------------------------------------------------------------------------------------------------- */

/* A node of two or three axes, of which one is the dimension, and the view with that dimension as one part. */
typedef struct Lane { int node, axis, axes; int64_t shape[3]; View *view; } Lane;

static bool find_lane(Onnx *o, const OnnxNode *n, const View *v, int dim, Lane *lane) {
    int dims[ONNX_RANK], count = 0, before = 0, wanted[PARTS], parts = 0, batch = batch_dim(v);
    int64_t sizes[ONNX_RANK] = {0}, outer = 1, inner = 1;
    if (dim == batch || (batch >= 0 && !is_batch(v, batch))) return refuse(o, n, "works on the axis of the batch");
    if (!in_order(v, dims, &count))
        for (int d = count = 0; d < v->rank; d++)
            if (d != batch) dims[count++] = d;
    for (int d = 0; d < v->rank; d++) sizes[d] = view_dim(v, d);
    while (dims[before] != dim) outer *= sizes[dims[before++]];
    for (int i = before + 1; i < count; i++) inner *= sizes[dims[i]];
    for (int i = 0; i < count; i++)
        for (int p = v->begin[dims[i]]; p < v->begin[dims[i] + 1]; p++) wanted[parts++] = p;
    *lane = (Lane){.axis = outer > 1, .axes = outer > 1 ? 3 : 2, .shape = {outer, sizes[dim], inner}};
    if (outer == 1) lane->shape[0] = sizes[dim], lane->shape[1] = inner;
    if (v->axes == 3 && count == 3 && before < 2) { /* a map as it is */
        lane->axis = before, lane->axes = 3;
        for (int i = 0; i < 3; i++) lane->shape[i] = sizes[dims[i]];
    }
    lane->node = in_memory(o, n, v, wanted, parts, lane->axes, lane->shape);
    lane->view = new_view(o, lane->node, v->rank, sizes, batch, batch_size(v), dims, count);
    return lane->view;
}

/* The lane's view with another node, that has another size in place of the dimension. */
static View *lane_view(Onnx *o, const Lane *lane, int dim, int node, int64_t size, bool positive) {
    View *v = lane->view;
    int64_t sizes[ONNX_RANK];
    int dims[ONNX_RANK], count, batch = v ? batch_dim(v) : -1;
    if (!v) return NULL;
    for (int d = 0; d < v->rank; d++) sizes[d] = d == dim ? size : view_dim(v, d);
    in_order(v, dims, &count);
    View *y = new_view(o, node, v->rank, sizes, batch, batch_size(v), dims, count);
    if (!y) return NULL;
    y->axes = lane->axes;
    for (int i = 0; i < lane->axes; i++) y->shape[i] = i == lane->axis ? size : lane->shape[i];
    y->positive = positive;
    return y;
}

static int on_lane(Onnx *o, const OnnxNode *n, const Lane *lane, const char *word, int64_t before, int64_t after) {
    int node = emit_one(o, n, arena_printf(o->arena, "%s%dd", word, lane->axes - 1), lane->node);
    if (node >= 0) {
        if (lane->axes == 2) add_setting(o->model, node, NULL, "(%lld,%lld)", (long long)before, (long long)after);
        else if (lane->axis) add_setting(o->model, node, NULL, "(0,0)x(%lld,%lld)", (long long)before, (long long)after);
        else add_setting(o->model, node, NULL, "(%lld,%lld)x(0,0)", (long long)before, (long long)after);
    }
    return node;
}

static View *cut(Onnx *o, const OnnxNode *n, const View *v, int dim, int64_t start, int64_t count) {
    Lane lane = {0};
    if (!v) return NULL;
    if (start == 0 && count == view_dim(v, dim)) return (View *)v;
    if (count < 1) return refuse(o, n, "leaves nothing"), NULL;
    if (!find_lane(o, n, v, dim, &lane)) return NULL;
    return lane_view(o, &lane, dim, on_lane(o, n, &lane, "cropping", start, view_dim(v, dim) - start - count), count, v->positive);
}

static View *joined(Onnx *o, const OnnxNode *n, View *const *views, int count, int dim) {
    int order[ONNX_RANK] = {0}, axes = 0, at = 0, batch = batch_dim(views[0]), rank = views[0]->rank;
    int *nodes = NEW_ARRAY(o->arena, int, count);
    int64_t dims[ONNX_RANK], total = 0;
    bool positive = true;
    for (int d = 0; d < rank; d++) dims[d] = view_dim(views[0], d);
    const View *largest = views[0]; /* rows of 1 do not tell where they lie */
    for (int i = 1; i < count; i++)
        if (view_count(views[i]) > view_count(largest)) largest = views[i];
    if (largest->rank != rank || batch_dim(largest) != batch || !in_order(largest, order, &axes))
        for (int d = axes = 0; d < rank; d++)
            if (d != batch) order[axes++] = d;
    if (dim == batch || axes > MAX_RANK) return refuse(o, n, "joins examples of the batch, or more than %d axes", MAX_RANK), NULL;
    for (int i = 0; i < count; i++) {
        bool same = views[i]->rank == rank && batch_dim(views[i]) == batch;
        for (int d = 0; d < rank && same; d++) same = d == dim || view_dim(views[i], d) == dims[d];
        if (!same) return refuse(o, n, "its inputs do not fit each other"), NULL;
        total += view_dim(views[i], dim);
        nodes[i] = arranged(o, n, views[i], order, axes);
        positive = positive && views[i]->positive;
    }
    while (order[at] != dim) at++;
    dims[dim] = total;
    int node = emit_merge(o, n, "concatenate", nodes, count);
    if (node >= 0 && at != axes - 1) add_setting(o->model, node, "axis", "%d", at + 1);
    View *y = new_view(o, node, rank, dims, batch, batch_size(views[0]), order, axes);
    if (y) y->positive = positive;
    return y;
}

/* Rows of the border, copied one by one; `constant`: then filled. */
static View *padded_by_rows(Onnx *o, const OnnxNode *n, const View *v, int dim, int64_t before, int64_t after, const char *mode, double value) {
    int64_t size = view_dim(v, dim);
    bool reflect = !strcmp(mode, "reflect"), wrap = !strcmp(mode, "wrap");
    View *pieces[2 * MOST_PIECES + 1];
    int count = 0;
    if (before > MOST_PIECES || after > MOST_PIECES) return refuse(o, n, "pads more than %d rows", MOST_PIECES), NULL;
    if (reflect && (before >= size || after >= size)) return refuse(o, n, "reflects more than there is"), NULL;
    if (wrap && (before > size || after > size)) return refuse(o, n, "repeats more than there is"), NULL;
    bool by_one = reflect || wrap, constant = !strcmp(mode, "constant");
    View *first = by_one || (!before && !constant) ? NULL : cut(o, NULL, v, dim, 0, 1), *last = by_one || !after || constant ? NULL : cut(o, NULL, v, dim, size - 1, 1);
    if (constant) first = last = scaled(o, NULL, first, 0, value);
    for (int64_t i = 0; i < before; i++) pieces[count++] = by_one ? cut(o, NULL, v, dim, reflect ? before - i : size - before + i, 1) : first;
    pieces[count++] = (View *)v;
    for (int64_t i = 0; i < after; i++) pieces[count++] = by_one ? cut(o, NULL, v, dim, reflect ? size - 2 - i : i, 1) : last;
    for (int i = 0; i < count; i++)
        if (!pieces[i]) return NULL;
    return joined(o, n, pieces, count, dim);
}

View *with_padding(Onnx *o, const OnnxNode *n, const View *v, int dim, int64_t before, int64_t after, const char *mode, double value) {
    Lane lane = {0};
    if (!v || (!before && !after)) return (View *)v;
    if (view_dim(v, dim) == FREE || dim == batch_dim(v)) return refuse(o, n, "works on the axis of the batch"), NULL;
    if (before < 0 || after < 0) {
        int64_t front = before < 0 ? -before : 0, back = after < 0 ? -after : 0;
        if (view_dim(v, dim) - front - back < 1) return refuse(o, n, "leaves nothing"), NULL;
        return with_padding(o, n, cut(o, n, v, dim, front, view_dim(v, dim) - front - back), dim, before < 0 ? 0 : before, after < 0 ? 0 : after, mode, value);
    }
    if (strcmp(mode, "constant") || value != 0) return padded_by_rows(o, n, v, dim, before, after, mode, value);
    if (!find_lane(o, n, v, dim, &lane)) return NULL;
    return lane_view(o, &lane, dim, on_lane(o, n, &lane, "zero_padding", before, after), view_dim(v, dim) + before + after, v->positive);
}

/* ---- operators of it --------------------------------------------------------------------------------------------------------------- */

/* Elements of a dimension, by a matrix. */
static View *picked(Onnx *o, const OnnxNode *n, const View *v, int dim, const int64_t *places, int64_t count) {
    int64_t size = view_dim(v, dim);
    bool run = count > 0;
    for (int64_t i = 1; i < count && run; i++) run = places[i] == places[i - 1] + 1;
    if (run) return cut(o, n, v, dim, places[0], count);
    if (size < 1 || size > MOST_ALONG || count < 1 || count > MOST_ALONG) return refuse(o, n, "takes %lld elements, one by one", (long long)count), NULL;
    if (!afford(o, size * count)) return NULL;
    float *matrix = NEW_ARRAY(o->arena, float, size * count);
    for (int64_t i = 0; i < count; i++) matrix[places[i] * count + i] = 1;
    return along(o, n, v, dim, count, matrix);
}

bool convert_slice(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    Cut cuts[ONNX_RANK];
    int count = slice_cuts(o, n, v->rank, cuts);
    if (count < 0) return false;
    for (int i = 0; i < count && v; i++) {
        int64_t size = view_dim(v, cuts[i].axis), length;
        if (size == FREE && cuts[i].start == 0 && cuts[i].end >= INT_MAX && cuts[i].step == 1) continue; /* all of the batch */
        if (size == FREE) return refuse(o, n, "works on the axis of the batch");
        if (!clamp_cut(&cuts[i], size, &length) || length < 1) return refuse(o, n, "leaves nothing");
        if (!afford(o, 2 * length)) return false;
        int64_t *places = NEW_ARRAY(o->arena, int64_t, length);
        for (int64_t k = 0; k < length; k++) places[k] = cuts[i].start + k * cuts[i].step;
        v = picked(o, n, v, cuts[i].axis, places, length);
    }
    return set_view(o, n, 0, v ? view_like(o, v, v->node) : NULL);
}

bool convert_split(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    int axis = normal_axis(attribute_int(n, "axis", 0), v->rank), given;
    const int64_t *sizes = axis < 0 ? NULL : integers_of(o, n, 1, "split", &given);
    if (!sizes) return axis < 0 ? refuse(o, n, "has no such axis") : false;
    int64_t size = view_dim(v, axis), start = 0, each = (size + n->output_count - 1) / n->output_count;
    if (given >= 0 && given != n->output_count) return refuse(o, n, "has %d sizes for %d outputs", given, n->output_count);
    if (size == FREE || (given < 0 && o->opset < 18 && size % n->output_count)) return refuse(o, n, "does not divide its axis");
    for (int i = 0; i < n->output_count; start += given < 0 ? each : sizes[i], i++) {
        int64_t count = given >= 0 ? sizes[i] : start + each < size ? each : size - start;
        if (count < 1 || count > size - start) return refuse(o, n, "has a part of %lld of %lld", (long long)count, (long long)size);
        if (output_unused(o, n, i)) continue;
        View *y = cut(o, n, v, axis, start, count);
        if (!set_view(o, n, i, y)) return false;
    }
    return start >= size || refuse(o, n, "leaves out a part");
}

bool convert_concat(Onnx *o, const OnnxNode *n) {
    const View *first = view_input(o, n, 0);
    int axis = first ? normal_axis(attribute_int(n, "axis", INT64_MAX), first->rank) : -1;
    View **views = NEW_ARRAY(o->arena, View *, n->input_count);
    for (int i = 0; i < n->input_count; i++)
        if (!(views[i] = view_input(o, n, i))) return refuse(o, n, "has a constant among its inputs");
    if (axis < 0) return refuse(o, n, "has no such axis");
    return set_view(o, n, 0, n->input_count > 1 ? joined(o, n, views, n->input_count, axis) : view_like(o, first, first->node));
}

/* Of a constant table: an embedding. Tokens are the network's input as it is. */
bool embed(Onnx *o, const OnnxNode *n, const Numbers *table, int tokens) {
    const View *x = o->values[tokens].view;
    Node *input = &o->model->nodes[x->node];
    ElementType type = o->values[tokens].type;
    int order[ONNX_RANK], axes;
    int64_t dims[ONNX_RANK + 1];
    if (attribute_int(n, "axis", 0) || table->rank != 2 || !table->reals || !table->count) return refuse(o, n, "its table is no constant matrix of which rows are taken");
    if (strcmp(input->word, "input") || (type != ONNX_I32 && type != ONNX_I64)) return refuse(o, n, "its indices are not an input of integers");
    if (x->rank == ONNX_RANK || !in_order(x, order, &axes) || axes != x->axes) return refuse(o, n, "its indices are not in their order");
    const char *vocabulary = arena_printf(o->arena, "%lld", (long long)table->dims[0]);
    for (int i = 0; i < input->setting_count; i++)
        if (vocabulary && input->settings[i].key && !strcmp(input->settings[i].key, "vocabulary")) {
            if (strcmp(input->settings[i].value, vocabulary)) return refuse(o, n, "its indices are those of another table, too");
            vocabulary = NULL;
        }
    if (vocabulary) add_setting(o->model, x->node, "vocabulary", "%s", vocabulary);
    int node = emit_one(o, n, "embedding", x->node), batch = batch_dim(x);
    if (node < 0) return false;
    for (int i = 0; i < 2; i++) add_setting(o->model, node, NULL, "%lld", (long long)table->dims[i]);
    set_weight(o, node, "embeddings", 2, table->dims, table->reals);
    for (int d = 0; d < x->rank; d++) dims[d] = view_dim(x, d);
    dims[x->rank] = table->dims[1];
    order[axes] = x->rank;
    return set_view(o, n, 0, new_view(o, node, x->rank + 1, dims, batch, batch_size(x), order, axes + 1));
}

bool convert_gather(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0);
    const Numbers *which = constant_input(o, n, 1);
    if (!x && view_input(o, n, 1)) return embed(o, n, constant_input(o, n, 0), n->inputs[1]);
    int axis = x ? normal_axis(attribute_int(n, "axis", 0), x->rank) : -1;
    if (axis < 0 || !which || which->reals || which->rank > 1 || !which->count) return refuse(o, n, "its indices are not a constant list");
    if (!is_real_type(o->values[n->inputs[0]].type)) return refuse(o, n, "computes with integers");
    int64_t size = view_dim(x, axis), *places = NEW_ARRAY(o->arena, int64_t, which->count);
    for (size_t i = 0; i < which->count; i++) {
        if (size == FREE) return refuse(o, n, "works on the axis of the batch");
        places[i] = which->integers[i] < 0 ? which->integers[i] + size : which->integers[i];
        if (places[i] < 0 || places[i] >= size) return refuse(o, n, "takes what is not there");
    }
    View *y = picked(o, n, x, axis, places, (int64_t)which->count);
    if (y && !which->rank && is_batch(y, axis)) return refuse(o, n, "takes the axis of the batch away");
    return set_view(o, n, 0, !y ? NULL : which->rank ? view_like(o, y, y->node) : view_squeeze(o, y, 1u << axis));
}

bool convert_pad(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    const char *mode = attribute_text(n, "mode", "constant");
    double value = attribute_real(n, "value", 0);
    int count, axes;
    const int64_t *pads = integers_of(o, n, 1, "pads", &count), *axis = pads ? integers_of(o, n, 3, "axes", &axes) : NULL;
    if (!axis) return false;
    int listed = axes < 0 ? v->rank : axes;
    if (has_input(n, 2) && !is_scalar(constant_input(o, n, 2), &value)) return refuse(o, n, "its value is not constant");
    if (count != 2 * listed || listed > v->rank) return refuse(o, n, "has not two pads for each axis");
    if (strcmp(mode, "constant") && strcmp(mode, "edge") && strcmp(mode, "reflect") && strcmp(mode, "wrap")) return refuse(o, n, "has the mode '%s'", shown(o->model, mode));
    for (int i = 0; i < listed && v; i++) {
        int d = axes < 0 ? i : normal_axis(axis[i], v->rank);
        if (d < 0 || pads[i] > MOST_PADS || pads[i] < -MOST_PADS || pads[listed + i] > MOST_PADS || pads[listed + i] < -MOST_PADS)
            return refuse(o, n, "pads too much, or an axis that is not there");
        v = with_padding(o, n, v, d, pads[i], pads[listed + i], mode, value);
    }
    return set_view(o, n, 0, v ? view_like(o, v, v->node) : NULL);
}

/* A dimension so many times one after the other. */
static const View *repeated(Onnx *o, const OnnxNode *n, const View *v, int dim, int64_t times) {
    if (times == 1 || !v) return v;
    int64_t size = view_dim(v, dim);
    if (size == FREE || is_batch(v, dim)) return refuse(o, n, "works on the axis of the batch"), NULL;
    if (times < 1 || times > MOST_ALONG || size * times > MOST_ALONG) return refuse(o, n, "repeats its input %lld times", (long long)times), NULL;
    if (!afford(o, size * size * times)) return NULL;
    float *matrix = NEW_ARRAY(o->arena, float, size * size * times);
    for (int64_t i = 0; i < size * times; i++) matrix[i % size * size * times + i] = 1;
    return along(o, n, v, dim, size * times, matrix);
}

bool convert_expand(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    int count;
    const int64_t *shape = integers_of(o, n, 1, "shape", &count);
    if (!shape) return false;
    if (count < 0 || count > ONNX_RANK) return refuse(o, n, "has no shape, or one of more than %d dimensions", ONNX_RANK);
    if (count > v->rank) v = view_unsqueeze(o, v, count, (1u << (count - v->rank)) - 1);
    for (int i = 0; i < count && v; i++) {
        int d = i + v->rank - count;
        int64_t size = view_dim(v, d);
        if (shape[i] == 1 || shape[i] == size) continue;
        if (size != 1) return refuse(o, n, "its shape does not fit its input");
        v = repeated(o, n, v, d, shape[i]);
    }
    return set_view(o, n, 0, v ? view_like(o, v, v->node) : NULL);
}

bool convert_tile(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    int count;
    const int64_t *times = integers_of(o, n, 1, "repeats", &count);
    if (!times) return false;
    if (count != v->rank) return refuse(o, n, "has not a number of repeats for each axis");
    for (int d = 0; d < count && v; d++) v = repeated(o, n, v, d, times[d]);
    return set_view(o, n, 0, v ? view_like(o, v, v->node) : NULL);
}

bool convert_cumsum(Onnx *o, const OnnxNode *n) {
    const View *v = view_input(o, n, 0);
    double number;
    if (!is_scalar(constant_input(o, n, 1), &number)) return refuse(o, n, "its axis is not constant");
    int axis = number > -100 && number < 100 ? normal_axis((int64_t)number, v->rank) : -1;
    int64_t size = axis < 0 ? 0 : view_dim(v, axis);
    if (size < 1 || size > MOST_ALONG / 2) return refuse(o, n, "has no such axis, or it is long, or the batch");
    bool exclusive = attribute_int(n, "exclusive", 0), reverse = attribute_int(n, "reverse", 0);
    if (!afford(o, size * size)) return false;
    float *matrix = NEW_ARRAY(o->arena, float, size * size);
    for (int64_t i = 0; i < size; i++)
        for (int64_t k = 0; k < size; k++) matrix[i * size + k] = (i == k ? !exclusive : reverse ? i > k : i < k) ? 1 : 0;
    return set_view(o, n, 0, along(o, n, v, axis, size, matrix));
}

/* ---- over whole dimensions -------------------------------------------------------------------------------------------------------------- */

View *reduced(Onnx *o, const OnnxNode *n, const View *v, unsigned dims, const char *word, bool keep) {
    int wanted[PARTS] = {0}, count = 0;
    int64_t shape[2] = {1, 1};
    bool gone[PARTS] = {false};
    for (int d = 0; d < v->rank; d++)
        for (int p = v->begin[d]; p < v->begin[d + 1]; p++) {
            gone[p] = dims >> d & 1;
            if (gone[p] && p == v->batch) return refuse(o, n, "works on the axis of the batch"), NULL;
        }
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < v->part_count; i++)
            if (v->order[i] != v->batch && gone[v->order[i]] == !part) wanted[count++] = v->order[i], shape[part] *= v->size[v->order[i]];
    bool map = v->axes == 3 && v->shape[2] == shape[1], moved = false;
    for (int i = 0, k = 0; i < v->part_count; i++)
        if (v->order[i] != v->batch) moved = moved || wanted[k++] != v->order[i];
    map = map && !moved;
    int node = map ? v->node : in_memory(o, n, v, wanted, count, 2, shape);
    node = node < 0 ? -1 : emit_one(o, n, arena_printf(o->arena, "%s%dd", word, map ? 2 : 1), node);
    if (node < 0) return NULL;
    View *y = NEW(o->arena, View);
    *y = (View){.rank = v->rank, .batch = -1, .node = node, .axes = 1, .shape = {shape[1]}, .positive = v->positive};
    int now[PARTS];
    for (int d = 0; d < v->rank; d++) {
        y->begin[d] = y->part_count;
        for (int p = v->begin[d]; p < v->begin[d + 1]; p++)
            if (!gone[p]) now[p] = y->part_count, y->size[y->part_count++] = v->size[p];
    }
    y->begin[v->rank] = y->part_count;
    int lying = 0;
    if (v->batch >= 0) y->order[lying++] = y->batch = now[v->batch];
    for (int i = 0; i < count; i++)
        if (!gone[wanted[i]]) y->order[lying++] = now[wanted[i]];
    return keep ? y : view_squeeze(o, y, dims);
}

static const struct { const char *type, *word; bool absolute, square, negative, sum; } reductions[] = {
    {"ReduceMean", "global_average_pooling", false, false, false, false}, {"ReduceSum", "global_average_pooling", false, false, false, true},
    {"ReduceMax", "global_max_pooling", false, false, false, false}, {"ReduceMin", "global_max_pooling", false, false, true, false},
    {"ReduceL1", "global_average_pooling", true, false, false, true}, {"ReduceSumSquare", "global_average_pooling", false, true, false, true},
};

bool convert_reduce(Onnx *o, const OnnxNode *n) {
    const View *x = view_input(o, n, 0), *v = x;
    int count, k = 0;
    unsigned dims = 0;
    int64_t size = 1;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    if (!axes) return false;
    while (strcmp(n->type, reductions[k].type)) k++;
    bool none = count <= 0, nothing = none && attribute_int(n, "noop_with_empty_axes", 0);
    for (int i = 0; i < count; i++) {
        int d = normal_axis(axes[i], x->rank);
        if (d < 0) return refuse(o, n, "has no axis %lld", (long long)axes[i]);
        dims |= 1u << d;
    }
    if (none && !nothing) dims = (1u << x->rank) - 1;
    for (int d = 0; d < x->rank; d++)
        if (dims >> d & 1) {
            if (view_dim(x, d) == FREE || (x->batch >= x->begin[d] && x->batch < x->begin[d + 1])) return refuse(o, n, "works on the axis of the batch");
            size *= view_dim(x, d);
        }
    if (reductions[k].absolute) v = multiplied(o, NULL, v, scaled(o, NULL, v, -1, 0), "maximum");
    if (reductions[k].square) v = multiplied(o, NULL, v, v, "multiply");
    if (reductions[k].negative) v = scaled(o, NULL, v, -1, 0);
    View *y = !v ? NULL : dims ? reduced(o, n, v, dims, reductions[k].word, attribute_int(n, "keepdims", 1)) : view_like(o, v, v->node);
    if (y && reductions[k].sum && size > 1) y = scaled(o, NULL, y, (double)size, 0);
    if (reductions[k].negative) y = scaled(o, NULL, y, -1, 0);
    return set_view(o, n, 0, y);
}
