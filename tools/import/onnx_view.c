/* onnx_view.c: how tensors of ONNX lie in the memory of cnnc's, and what it takes to have them otherwise (onnx.h tells what a View is). */
#include "onnx.h"

#include <string.h>

enum { MOST_ELEMENTS = INT32_MAX }; /* of an example, as cnnc takes them */

/* ---- what there is ------------------------------------------------------------------------------------------------------- */

int64_t view_count(const View *v) {
    int64_t n = 1;
    for (int p = 0; p < v->part_count; p++) n *= p == v->batch ? 1 : v->size[p];
    return n;
}

int64_t view_dim(const View *v, int d) {
    int64_t n = 1;
    for (int p = v->begin[d]; p < v->begin[d + 1]; p++) {
        if (!v->size[p]) return FREE;
        n *= v->size[p];
    }
    return n;
}

int batch_dim(const View *v) {
    for (int d = 0; d < v->rank; d++)
        if (v->batch >= v->begin[d] && v->batch < v->begin[d + 1]) return d;
    return -1;
}

bool is_batch(const View *v, int d) { return v->batch == v->begin[d] && v->begin[d + 1] == v->batch + 1; }

const char *size_text(Onnx *o, const int64_t *dims, int n) {
    const char *text = "";
    for (int i = 0; i < n; i++) text = arena_printf(o->arena, "%s%s%lld", text, i ? "x" : "", (long long)dims[i]);
    return text;
}

View *view_like(Onnx *o, const View *v, int node) {
    if (node < 0) return NULL;
    View *y = NEW(o->arena, View);
    *y = *v;
    y->node = node;
    y->positive = false;
    return y;
}

/* False after an error. */
static bool fits(Onnx *o, int rank, const int64_t *dims, int batch) {
    int64_t n = 1;
    for (int d = 0; d < rank; d++) {
        if (d == batch) continue;
        if (dims[d] < 1 || dims[d] > MOST_ELEMENTS / n) return refuse(o, NULL, "makes an example of no elements, or of more than 2^31");
        n *= dims[d];
    }
    return true;
}

View *new_view(Onnx *o, int node, int rank, const int64_t *dims, int batch, int64_t batch_size, const int *order, int axes) {
    if (node < 0 || !fits(o, rank, dims, batch)) return NULL;
    View *v = NEW(o->arena, View);
    int part[ONNX_RANK] = {0}, lying = 0;
    *v = (View){.rank = rank, .batch = -1, .node = node, .axes = axes};
    for (int d = 0; d < rank; d++) {
        v->begin[d] = v->part_count;
        part[d] = d == batch || dims[d] != 1 ? v->part_count : -1;
        if (d == batch) v->batch = v->part_count;
        if (part[d] >= 0) v->size[v->part_count++] = d == batch ? batch_size : dims[d];
    }
    v->begin[rank] = v->part_count;
    if (batch >= 0) v->order[lying++] = v->batch;
    for (int i = 0; i < axes; i++) {
        v->shape[i] = dims[order[i]];
        if (part[order[i]] >= 0) v->order[lying++] = part[order[i]];
    }
    if (!axes) v->shape[v->axes++] = 1; /* cnnc has no examples of rank 0 */
    if (lying != v->part_count) bug("an axis of a view lies nowhere");
    return v;
}

/* ---- other views of the same memory ----------------------------------------------------------------------------------------- */

View *view_transpose(Onnx *o, const View *v, const int *perm) {
    View *y = NEW(o->arena, View);
    int now[PARTS], n = 0;
    *y = *v;
    for (int d = 0; d < v->rank; d++) {
        y->begin[d] = n;
        for (int p = v->begin[perm[d]]; p < v->begin[perm[d] + 1]; p++) now[p] = n, y->size[n++] = v->size[p];
    }
    y->begin[v->rank] = n;
    for (int i = 0; i < n; i++) y->order[i] = now[v->order[i]];
    if (v->batch >= 0) y->batch = now[v->batch];
    return y;
}

void dim_to_end(int rank, int dim, int *perm, int *back) {
    for (int d = 0; d < rank; d++) perm[d] = d < dim ? d : d < rank - 1 ? d + 1 : dim;
    for (int d = 0; d < rank; d++) back[perm[d]] = d;
}

View *view_merge(Onnx *o, const View *v, int first, int last) {
    View *y = NEW(o->arena, View);
    *y = *v;
    y->rank = 0;
    for (int d = 0; d <= v->rank; d++) {
        if (d > first && d < last) continue;
        if (d < v->rank) y->begin[y->rank++] = v->begin[d];
    }
    y->begin[y->rank] = v->part_count;
    return y;
}

View *view_squeeze(Onnx *o, const View *v, unsigned dims) {
    View *y = NEW(o->arena, View);
    *y = *v;
    y->rank = 0;
    for (int d = 0; d < v->rank; d++)
        if (!(dims >> d & 1)) y->begin[y->rank++] = v->begin[d];
    y->begin[y->rank] = v->part_count;
    return y;
}

View *view_unsqueeze(Onnx *o, const View *v, int rank, unsigned dims) {
    View *y = NEW(o->arena, View);
    *y = *v;
    y->rank = rank;
    for (int d = 0, from = 0; d < rank; d++) y->begin[d] = v->begin[dims >> d & 1 ? from : from++];
    y->begin[rank] = v->part_count;
    return y;
}

/* ---- reshape ------------------------------------------------------------------------------------------------------------------ */

typedef struct Extent { bool free; int64_t count; } Extent; /* a dimension: count times, perhaps, the batch */

/* Part p of v becomes two, the first of them of that size. */
static bool split_part(View *v, int p, int64_t size) {
    int at = 0;
    if (v->part_count == PARTS) return false;
    for (int i = v->part_count; i > p + 1; i--) v->size[i] = v->size[i - 1];
    v->size[p + 1] = v->size[p] / size;
    v->size[p] = size;
    for (int i = 0; i < v->part_count; i++) {
        if (v->order[i] == p) at = i;
        if (v->order[i] > p) v->order[i]++;
    }
    for (int i = v->part_count; i > at + 1; i--) v->order[i] = v->order[i - 1];
    v->order[at + 1] = p + 1;
    if (v->batch > p) v->batch++;
    v->part_count++;
    return true;
}

/* Cuts the parts, in ONNX's order, into dimensions of these extents; false: they do not fall together. */
static bool regroup(View *v, int rank, const Extent *want) {
    int p = 0;
    for (int d = 0; d < rank; d++) {
        Extent left = want[d];
        v->begin[d] = p;
        for (;; p++) {
            bool batch = p < v->part_count && p == v->batch;
            if (left.count == 1 && !left.free && !(batch && v->size[p] == 1 && v->begin[d] == p)) break;
            if (p == v->part_count) return false;
            if (batch && !v->size[p]) {
                if (!left.free) return false;
                left.free = false;
                continue;
            }
            if (left.count % v->size[p]) {
                if (batch || v->size[p] % left.count || left.count == 1 || !split_part(v, p, left.count)) return false;
            }
            left.count /= v->size[p];
        }
    }
    v->rank = rank;
    v->begin[rank] = v->part_count;
    return p == v->part_count;
}

/* The example in ONNX's order, as one part; the batch must come first. NULL: it does not. */
static View *in_one(Onnx *o, const OnnxNode *n, const View *v) {
    int dims[ONNX_RANK], count = 0;
    if (v->batch > 0) return NULL;
    View squeezed = *v;
    if (v->batch == 0 && !is_batch(v, batch_dim(v))) { /* the batch by itself, and the rest */
        squeezed.rank = 2;
        squeezed.begin[0] = 0, squeezed.begin[1] = 1, squeezed.begin[2] = v->part_count;
    }
    for (int d = 0; d < squeezed.rank; d++)
        if (!is_batch(&squeezed, d)) dims[count++] = d;
    int64_t all[2] = {0, view_count(v)};
    int node = arranged(o, n, &squeezed, dims, count);
    if (node < 0) return NULL;
    View *y = v->batch < 0 ? new_view(o, node, 1, all + 1, -1, 0, (int[]){0}, 1) : new_view(o, node, 2, all, 0, v->size[0], (int[]){1}, 1);
    for (int i = 0; i < count; i++) y->shape[i] = view_dim(&squeezed, dims[i]), y->axes = count;
    y->positive = v->positive;
    return y;
}

View *view_reshape(Onnx *o, const OnnxNode *n, const View *v, int rank, const int64_t *dims) {
    Extent want[ONNX_RANK];
    int rest = -1;
    int64_t have = 1, known = 1;
    bool free_batch = v->batch >= 0 && !v->size[v->batch], free_known = false;
    for (int p = 0; p < v->part_count; p++) have *= v->size[p] ? v->size[p] : 1;
    for (int d = 0; d < rank; d++) {
        want[d] = (Extent){dims[d] == FREE, dims[d] == FREE || dims[d] == -1 ? 1 : dims[d]};
        if (dims[d] == -1) {
            if (rest >= 0) return refuse(o, n, "has -1 twice in its shape"), NULL;
            rest = d;
        } else if (want[d].count <= 0 || want[d].count > INT32_MAX || (known *= want[d].count) > INT32_MAX) return refuse(o, n, "its shape is wrong"), NULL;
        free_known = free_known || want[d].free;
    }
    if (rest >= 0) {
        if (have % known) return refuse(o, n, "its shape does not divide %lld elements", (long long)have), NULL;
        want[rest] = (Extent){free_batch && !free_known, have / known};
        free_known = free_known || free_batch, known = have;
    }
    if (free_known != free_batch) return refuse(o, n, "its shape needs a certain size of the batch, which is free"), NULL;
    if (known != have) return refuse(o, n, "its shape has %lld elements where there are %lld", (long long)known, (long long)have), NULL;
    View *y = NEW(o->arena, View);
    *y = *v;
    if (regroup(y, rank, want)) return y;
    int errors = o->model->errors;
    View *one = in_one(o, n, v);
    if (one && regroup(one, rank, want)) return one;
    if (o->model->errors == errors) refuse(o, n, "its shape mixes examples of the batch");
    return NULL;
}

/* ---- other memory ---------------------------------------------------------------------------------------------------------------- */

/* A node that only moves what another one has made: there may be one already. */
static int moved(Onnx *o, const char *word, int node, const char *setting) {
    const Model *m = o->model;
    for (int i = node + 1; node >= 0 && i < m->node_count; i++)
        if (m->nodes[i].input_count == 1 && m->nodes[i].inputs[0] == node && !strcmp(m->nodes[i].word, word) && (!setting || !strcmp(m->nodes[i].settings[0].value, setting))) return i;
    int y = node < 0 ? -1 : add_node(o->model, word, NULL, &node, 1);
    if (y >= 0 && setting) add_setting(o->model, y, NULL, "%s", setting);
    return y;
}

int reshaped(Onnx *o, int node, int axes, const int64_t *shape) {
    return moved(o, axes == 1 ? "flatten" : "reshape", node, axes == 1 ? NULL : size_text(o, shape, axes));
}

static bool same_shape(const View *v, int axes, const int64_t *shape) {
    return v->axes == axes && !memcmp(v->shape, shape, sizeof *shape * (size_t)axes);
}

/* Runs of parts that stay together are the axes of what is permuted. */
static int permuted(Onnx *o, const OnnxNode *n, const View *v, const int *now, const int *wanted, int count, int axes, const int64_t *shape) {
    int run_of[PARTS], runs = 0, place[PARTS], order[PARTS] = {0}, seen = 0;
    int64_t sizes[PARTS] = {0};
    bool same = true;
    for (int i = 0; i < count; i++) place[wanted[i]] = i;
    for (int i = 0; i < count; i++) {
        if (i && place[now[i]] == place[now[i - 1]] + 1) sizes[runs - 1] *= v->size[now[i]];
        else sizes[runs++] = v->size[now[i]];
        run_of[now[i]] = runs - 1;
    }
    for (int i = 0; i < count; i++)
        if (!i || run_of[wanted[i]] != run_of[wanted[i - 1]]) order[seen++] = run_of[wanted[i]];
    if (runs > MAX_RANK) return refuse(o, n, "moves more than %d axes", MAX_RANK), -1;
    int node = same_shape(v, runs, sizes) ? v->node : reshaped(o, v->node, runs, sizes);
    const char *text = "";
    for (int i = 0; i < runs; i++) text = arena_printf(o->arena, "%s%s%d", text, i ? "," : "", order[i] + 1);
    node = moved(o, "permute", node, text);
    for (int i = 0; i < runs && same; i++) same = runs == axes && sizes[order[i]] == shape[i];
    return same ? node : reshaped(o, node, axes, shape);
}

int in_memory(Onnx *o, const OnnxNode *n, const View *v, const int *parts, int count, int axes, const int64_t *shape) {
    int now[PARTS], there = 0;
    for (int i = 0; i < v->part_count; i++)
        if (v->order[i] != v->batch) now[there++] = v->order[i];
    if (there != count) bug("%d parts of %d are arranged", count, there);
    if (axes > MAX_RANK) return refuse(o, n, "works on more than %d axes", MAX_RANK), -1;
    if (!memcmp(now, parts, sizeof *now * (size_t)count)) return same_shape(v, axes, shape) ? v->node : reshaped(o, v->node, axes, shape);
    return permuted(o, n, v, now, parts, count, axes, shape);
}

int arranged(Onnx *o, const OnnxNode *n, const View *v, const int *dims, int axes) {
    int parts[PARTS], part_count = 0;
    int64_t shape[ONNX_RANK + 1];
    unsigned listed = 0;
    for (int i = 0; i < axes; i++) {
        listed |= 1u << dims[i];
        shape[i] = view_dim(v, dims[i]);
        for (int p = v->begin[dims[i]]; p < v->begin[dims[i] + 1]; p++) {
            if (p == v->batch) return refuse(o, n, "works on the axis of the batch"), -1;
            parts[part_count++] = p;
        }
    }
    for (int d = 0; d < v->rank; d++)
        if (!(listed >> d & 1) && !is_batch(v, d) && v->begin[d] != v->begin[d + 1]) return refuse(o, n, "has several examples, but no batch first"), -1;
    if (!axes) shape[axes++] = 1; /* cnnc has no examples of rank 0 */
    return in_memory(o, n, v, parts, part_count, axes, shape);
}

int64_t batch_size(const View *v) { return v->batch < 0 ? 0 : v->size[v->batch]; }

bool in_order(const View *v, int *dims, int *count) {
    int place[PARTS], lies[ONNX_RANK], n = 0, last = -1;
    for (int i = 0; i < v->part_count; i++) place[v->order[i]] = i;
    for (int d = 0; d < v->rank; d++) {
        if (is_batch(v, d)) continue;
        for (int p = v->begin[d]; p < v->begin[d + 1]; p++)
            if (p == v->batch || (p > v->begin[d] && place[p] != place[p - 1] + 1)) return false;
        int k = n++;
        if (v->begin[d] < v->begin[d + 1]) last = place[v->begin[d]]; /* one of size 1 stays behind the one before it */
        for (; k > 0 && lies[k - 1] > last; k--) lies[k] = lies[k - 1], dims[k] = dims[k - 1];
        lies[k] = last, dims[k] = d;
    }
    *count = n;
    return true;
}

/* ---- the last ones, in whatever order ----------------------------------------------------------------------------------------------- */

/* Which element of ONNX's dimensions from `first` on each is that comes in memory. */
static int64_t *elements_of(Onnx *o, const View *v, const int *parts, int count, int64_t total, int first) {
    int64_t *at = NEW_ARRAY(o->arena, int64_t, total + 1), stride[PARTS] = {0}, each = 1;
    for (int p = v->part_count - 1; p >= v->begin[first]; p--) stride[p] = each, each *= v->size[p];
    for (int64_t i = 0; i < total; i++) {
        int64_t left = i;
        for (int k = count - 1; k >= 0; k--) at[i] += left % v->size[parts[k]] * stride[parts[k]], left /= v->size[parts[k]];
    }
    return at;
}

View *last_as_rows(Onnx *o, const OnnxNode *n, const View *v, int first, int64_t **elements) {
    int wanted[PARTS], outer = 0, count = 0;
    int64_t shape[PARTS + 1], total = 1;
    if (v->batch >= v->begin[first]) return refuse(o, n, "works on the axis of the batch"), NULL;
    for (int i = 0; i < v->part_count; i++)
        if (v->order[i] != v->batch && v->order[i] < v->begin[first]) shape[outer] = v->size[v->order[i]], wanted[outer++] = v->order[i];
    for (int i = count = outer; i - outer < v->part_count; i++)
        if (v->order[i - outer] >= v->begin[first]) wanted[count++] = v->order[i - outer];
    for (int i = outer; i < count; i++) total *= v->size[wanted[i]];
    if (elements && !afford(o, 2 * total)) return NULL;
    if (elements) *elements = elements_of(o, v, wanted + outer, count - outer, total, first);
    if (outer >= MAX_RANK)
        for (; outer > 1; outer--) shape[0] *= shape[outer - 1];
    int axes = outer;
    shape[axes++] = total;
    if (v->axes && v->axes <= MAX_RANK && v->shape[v->axes - 1] == total) axes = v->axes, memcpy(shape, v->shape, sizeof *shape * (size_t)axes); /* as it may be already */
    int node = in_memory(o, n, v, wanted, count, axes, shape);
    View *y = view_like(o, v, node);
    if (!y) return NULL;
    y->positive = v->positive;
    y->axes = axes;
    memcpy(y->shape, shape, sizeof *shape * (size_t)axes);
    int lying = 0;
    if (v->batch >= 0) y->order[lying++] = v->batch;
    for (int i = 0; i < count; i++) y->order[lying++] = wanted[i];
    return y;
}

View *replace_last(Onnx *o, const View *v, int first, int node, int64_t size) {
    View *y = view_like(o, v, node);
    if (!y) return NULL;
    int lying = 0;
    for (int i = 0; i < v->part_count; i++)
        if (v->order[i] < v->begin[first]) y->order[lying++] = v->order[i];
    y->part_count = v->begin[first];
    y->rank = first + 1;
    y->begin[first] = y->part_count;
    if (size < 1 || size > MOST_ELEMENTS / view_count(y)) return refuse(o, NULL, "makes an example of no elements, or of more than 2^31"), NULL;
    if (size > 1 && y->part_count == PARTS) return refuse(o, NULL, "has axes of more than %d parts", PARTS), NULL;
    if (size > 1) y->order[lying++] = y->part_count, y->size[y->part_count++] = size;
    y->begin[first + 1] = y->part_count;
    y->shape[y->axes - 1] = size;
    return y;
}

/* ---- constants ------------------------------------------------------------------------------------------------------------------------ */

float *spread(Onnx *o, const View *v, const Numbers *c, const char **why) {
    int64_t stride[PARTS] = {0}, each = 1, count = view_count(v);
    if (!c->reals) return *why = "its constant has integers", NULL;
    for (int d = c->rank - 1; d >= 0; d--) {
        int own = d + v->rank - c->rank;
        if (c->dims[d] != 1 && (own < 0 || view_dim(v, own) != c->dims[d])) return *why = "its constant has not its input's shape", NULL;
        if (c->dims[d] == 1) continue;
        for (int p = v->begin[own + 1] - 1; p >= v->begin[own]; p--) {
            if (p == v->batch && v->size[p] != 1) return *why = "its constant is another one for each example", NULL;
            stride[p] = each;
            each *= v->size[p];
        }
    }
    if (!afford(o, count)) return *why = NULL, NULL;
    float *all = NEW_ARRAY(o->arena, float, count + 1);
    for (int64_t i = 0; i < count; i++) {
        int64_t left = i, at = 0;
        for (int k = v->part_count - 1; k >= 0; k--) {
            int p = v->order[k];
            if (p == v->batch) continue;
            at += left % v->size[p] * stride[p], left /= v->size[p];
        }
        all[i] = c->reals[at];
    }
    return all;
}
