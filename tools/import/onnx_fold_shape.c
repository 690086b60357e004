/* onnx_fold_shape.c: of constants: elements in other places, other shapes, and shapes as constants. */
#include "onnx_fold.h"

#include <string.h>

/* ---- elements elsewhere ------------------------------------------------------------------------------------------------------ */

bool fold_where(Onnx *o, const OnnxNode *n) {
    const Numbers *which = constant_input(o, n, 0), *a = constant_input(o, n, 1), *b = constant_input(o, n, 2);
    if (!which || !a || !b || which->reals || a->rank != b->rank || which->rank != a->rank || memcmp(a->dims, b->dims, sizeof *a->dims * (size_t)a->rank) ||
        memcmp(a->dims, which->dims, sizeof *a->dims * (size_t)a->rank) || !a->reals != !b->reals)
        return refuse(o, n, "of constants of different shapes is not computed");
    Numbers *y = made_constant(o, n, a->type, a->rank, a->dims);
    for (size_t i = 0; y && i < y->count; i++) move_element(y, i, which->integers[i] ? a : b, i);
    return y && set_constant(o, n, y);
}

/* Of an axis only the given places. */
static Numbers *pick(Onnx *o, const OnnxNode *n, const Numbers *x, int axis, const int64_t *places, size_t count) {
    int64_t dims[ONNX_RANK] = {0};
    size_t outer = 1, inner = 1, size = (size_t)x->dims[axis];
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d], *(d < axis ? &outer : d > axis ? &inner : &size) *= d == axis ? 1 : (size_t)x->dims[d];
    dims[axis] = (int64_t)count;
    Numbers *y = made_constant(o, n, x->type, x->rank, dims);
    for (size_t a = 0; y && a < outer; a++)
        for (size_t k = 0; k < count; k++)
            for (size_t b = 0; b < inner; b++) move_element(y, (a * count + k) * inner + b, x, (a * size + (size_t)places[k]) * inner + b);
    return y;
}

bool fold_gather(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0), *which = constant_input(o, n, 1);
    int axis = x ? normal_axis(attribute_int(n, "axis", 0), x->rank) : -1, rank = 0;
    int64_t dims[2 * ONNX_RANK];
    if (axis < 0 || !which || which->reals) return refuse(o, n, "has no such axis, or no integers");
    int64_t *places = NEW_ARRAY(o->arena, int64_t, which->count + 1);
    for (size_t i = 0; i < which->count; i++) {
        places[i] = which->integers[i] < 0 ? which->integers[i] + x->dims[axis] : which->integers[i];
        if (which->integers[i] < -x->dims[axis] || places[i] >= x->dims[axis]) return refuse(o, n, "takes what is not there");
    }
    for (int d = 0; d < axis; d++) dims[rank++] = x->dims[d];
    for (int d = 0; d < which->rank; d++) dims[rank++] = which->dims[d];
    for (int d = axis + 1; d < x->rank; d++) dims[rank++] = x->dims[d];
    if (rank > ONNX_RANK) return refuse(o, n, "would have more than %d dimensions", ONNX_RANK);
    Numbers *y = pick(o, n, x, axis, places, which->count);
    return y && set_constant(o, n, reshaped_constant(o, y, rank, dims));
}

bool clamp_cut(Cut *c, int64_t size, int64_t *count) {
    int64_t least = c->step < 0 ? -1 : 0, most = c->step < 0 ? size - 1 : size;
    int64_t *ends[] = {&c->start, &c->end};
    if (!c->step || c->step == INT64_MIN) return false;
    for (int i = 0; i < 2; i++) {
        if (*ends[i] < 0) *ends[i] = *ends[i] < -size ? least : *ends[i] + size;
        if (*ends[i] < least) *ends[i] = least;
        if (*ends[i] > most) *ends[i] = most;
    }
    int64_t way = c->step > 0 ? c->end - c->start : c->start - c->end, step = c->step > 0 ? c->step : -c->step;
    *count = way > 0 ? (way - 1) / step + 1 : 0;
    return true;
}

int slice_cuts(Onnx *o, const OnnxNode *n, int rank, Cut *cuts) {
    int starts, ends, axes, steps;
    const int64_t *start = integers_of(o, n, 1, "starts", &starts), *end = start ? integers_of(o, n, 2, "ends", &ends) : NULL;
    const int64_t *axis = end ? integers_of(o, n, 3, "axes", &axes) : NULL, *step = axis ? integers_of(o, n, 4, "steps", &steps) : NULL;
    if (!step) return -1;
    unsigned seen = 0;
    if (starts < 0 || starts != ends || (axes >= 0 && axes != starts) || (steps >= 0 && steps != starts) || starts > rank)
        return refuse(o, n, "its starts, ends, axes and steps differ in number"), -1;
    for (int i = 0; i < starts; i++) {
        cuts[i] = (Cut){axes < 0 ? i : normal_axis(axis[i], rank), start[i], end[i], steps < 0 ? 1 : step[i]};
        if (cuts[i].axis < 0 || seen >> cuts[i].axis & 1 || !cuts[i].step) return refuse(o, n, "has an axis twice, or one that is not there, or a step of 0"), -1;
        seen |= 1u << cuts[i].axis;
    }
    return starts;
}

bool fold_slice(Onnx *o, const OnnxNode *n) {
    Numbers *x = constant_input(o, n, 0);
    Cut cuts[ONNX_RANK];
    int count = slice_cuts(o, n, x->rank, cuts);
    if (count < 0) return false;
    for (int i = 0; i < count && x; i++) {
        int64_t length;
        if (!clamp_cut(&cuts[i], x->dims[cuts[i].axis], &length)) return refuse(o, n, "has a wrong step");
        if (!afford(o, 2 * length)) return false;
        int64_t *places = NEW_ARRAY(o->arena, int64_t, length + 1);
        for (int64_t k = 0; k < length; k++) places[k] = cuts[i].start + k * cuts[i].step;
        x = pick(o, n, x, cuts[i].axis, places, (size_t)length);
    }
    return x && set_constant(o, n, x);
}

bool fold_concat(Onnx *o, const OnnxNode *n) {
    const Numbers *first = constant_input(o, n, 0);
    int axis = normal_axis(attribute_int(n, "axis", 0), first ? first->rank : 0);
    if (!first || axis < 0) return refuse(o, n, "has no such axis");
    int64_t dims[ONNX_RANK] = {0}, size = 0, before = 0;
    size_t outer = 1, inner = 1;
    for (int d = 0; d < first->rank; d++) dims[d] = first->dims[d], *(d < axis ? &outer : &inner) *= d == axis ? 1 : (size_t)first->dims[d];
    for (int i = 0; i < n->input_count; i++) {
        const Numbers *x = constant_input(o, n, i);
        bool same = x && x->rank == first->rank && !x->reals == !first->reals;
        for (int d = 0; same && d < x->rank; d++) same = d == axis || x->dims[d] == dims[d];
        if (!same) return refuse(o, n, "its constants do not fit each other");
        size += x->dims[axis];
    }
    dims[axis] = size;
    Numbers *y = made_constant(o, n, first->type, first->rank, dims);
    for (int i = 0; y && i < n->input_count; i++)
        if (constant_input(o, n, i)->free != first->free || first->free == axis + 1) return refuse(o, n, "depends on the size of the batch, which is free");
    if (y) y->free = first->free;
    for (int i = 0; y && i < n->input_count; before += constant_input(o, n, i)->dims[axis], i++) {
        const Numbers *x = constant_input(o, n, i);
        size_t length = (size_t)x->dims[axis] * inner;
        for (size_t a = 0; a < outer; a++)
            for (size_t b = 0; b < length; b++) move_element(y, (a * (size_t)size + (size_t)before) * inner + b, x, a * length + b);
    }
    return y && set_constant(o, n, y);
}

bool fold_transpose(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int perm[ONNX_RANK] = {0};
    int64_t dims[ONNX_RANK] = {0};
    if (!read_perm(n, x->rank, perm)) return refuse(o, n, "its perm is no order of its input's axes");
    for (int i = 0; i < x->rank; i++) dims[i] = x->dims[perm[i]];
    Numbers *y = made_constant(o, n, x->type, x->rank, dims);
    for (size_t i = 0; y && i < y->count; i++) {
        size_t at[ONNX_RANK] = {0}, from = 0, left = i;
        for (int d = x->rank - 1; d >= 0; d--) {
            size_t size = dims[d] > 0 ? (size_t)dims[d] : 1;
            at[perm[d]] = left % size, left /= size;
        }
        for (int d = 0; d < x->rank; d++) from = from * (size_t)x->dims[d] + at[d];
        move_element(y, i, x, from);
    }
    return y && set_constant(o, n, y);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------------- */

/* Of a constant, or of what is computed. */
static int shape_of_input(const Onnx *o, const OnnxNode *n, int64_t *dims) {
    const Numbers *c = constant_input(o, n, 0);
    const View *v = view_input(o, n, 0);
    int rank = c ? c->rank : v->rank;
    for (int d = 0; d < rank; d++) dims[d] = c ? c->dims[d] : view_dim(v, d);
    return rank;
}

bool fold_shape(Onnx *o, const OnnxNode *n) {
    int64_t dims[ONNX_RANK], start = attribute_int(n, "start", 0), end = attribute_int(n, "end", INT64_MAX);
    int rank = shape_of_input(o, n, dims);
    Cut c = {0, start, end, 1};
    int64_t count = 0;
    clamp_cut(&c, rank, &count);
    const View *v = view_input(o, n, 0);
    for (int d = 0; v && d < rank; d++)
        if (dims[d] == FREE && !is_batch(v, d)) return refuse(o, n, "dimension %d is the batch times another number", d);
    Numbers *y = new_constant(o, ONNX_I64, 1, &count);
    memcpy(y->integers, dims + c.start, sizeof *dims * (size_t)count);
    return set_constant(o, n, y);
}

bool fold_size(Onnx *o, const OnnxNode *n) {
    int64_t dims[ONNX_RANK] = {0};
    int rank = shape_of_input(o, n, dims);
    Numbers *y = new_constant(o, ONNX_I64, 0, NULL);
    *y->integers = 1;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == FREE) return refuse(o, n, "depends on the size of the batch, which is free");
        *y->integers *= dims[d];
    }
    return set_constant(o, n, y);
}

bool fold_reshape(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int count, left = -1;
    const int64_t *shape = integers_of(o, n, 1, "shape", &count);
    int64_t dims[ONNX_RANK], known = 1;
    if (!shape) return false;
    if (count < 0 || count > ONNX_RANK) return refuse(o, n, "has no shape, or one of more than %d dimensions", ONNX_RANK);
    for (int i = 0; i < count; i++) {
        dims[i] = shape[i] == 0 && !attribute_int(n, "allowzero", 0) && i < x->rank ? x->dims[i] : shape[i];
        if (dims[i] == -1 && left < 0) left = i;
        else if (dims[i] < 0 || dims[i] > INT32_MAX || (known *= dims[i]) > INT32_MAX) return refuse(o, n, "its shape is wrong");
    }
    if (left >= 0) dims[left] = known ? (int64_t)x->count / known : 0, known *= dims[left];
    if (known != (int64_t)x->count) return refuse(o, n, "its shape has other than %zu elements", x->count);
    return set_constant(o, n, reshaped_constant(o, x, count, dims));
}

bool fold_flatten(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int64_t axis = attribute_int(n, "axis", 1), dims[2] = {1, 1};
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank) return refuse(o, n, "has no such axis");
    for (int d = 0; d < x->rank; d++) dims[d >= axis] *= x->dims[d];
    return set_constant(o, n, reshaped_constant(o, x, 2, dims));
}

bool fold_squeeze(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int count, rank = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[ONNX_RANK] = {0};
    unsigned gone = 0;
    for (int i = 0; axes && i < count; i++) {
        int axis = normal_axis(axes[i], x->rank);
        if (axis < 0 || x->dims[axis] != 1) return refuse(o, n, "has an axis that is not 1");
        gone |= 1u << axis;
    }
    for (int d = 0; d < x->rank; d++)
        if (count < 0 ? x->dims[d] != 1 : !(gone >> d & 1)) dims[rank++] = x->dims[d];
    return axes && set_constant(o, n, reshaped_constant(o, x, rank, dims));
}

bool fold_unsqueeze(Onnx *o, const OnnxNode *n) {
    const Numbers *x = constant_input(o, n, 0);
    int count, from = 0;
    const int64_t *axes = integers_of(o, n, 1, "axes", &count);
    int64_t dims[ONNX_RANK] = {0};
    unsigned new = 0;
    if (!axes) return false;
    if (count < 0 || x->rank + count > ONNX_RANK) return refuse(o, n, "has no axes, or too many");
    for (int i = 0; i < count; i++) {
        int axis = normal_axis(axes[i], x->rank + count);
        if (axis < 0 || new >> axis & 1) return refuse(o, n, "has an axis twice, or one that is not there");
        new |= 1u << axis;
    }
    Numbers *y = reshaped_constant(o, x, x->rank + count, dims);
    for (int d = 0; d < y->rank; d++) {
        bool is_new = new >> d & 1;
        y->dims[d] = is_new ? 1 : x->dims[from++];
        if (!is_new && from == x->free) y->free = d + 1;
    }
    return set_constant(o, n, y);
}
