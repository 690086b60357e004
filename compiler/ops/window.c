/* window.c: the geometry of a 2-D window, shared by convolutions and poolings. Padding is TensorFlow's: 'same' gives
 * ceil(input / stride) outputs, an odd row of padding goes to the bottom and right. 'causal' gives as many, all padding before. */
#include "ops.h"

#include <string.h>

static int outputs(int in, int k, int stride, bool same) { return same ? (in + stride - 1) / stride : in < k ? 0 : (in - k) / stride + 1; }

static int padding_before(int in, int k, int stride, int out, bool same) {
    int total = (out - 1) * stride + k - in;
    return same && total > 0 ? total / 2 : 0;
}

static void note_origin(Graph *g, const Tensor *x) {
    if (x->layer) note(g->diag, x->layer->loc, "the input comes from '%s', declared here", x->layer->name);
}

bool check_map(Graph *g, const Op *op) {
    Shape x = op->inputs[0]->shape;
    if (x.rank == 3) return true;
    error(g->diag, op->layer->loc, "'%s' needs an input of height x width x channels, not %s", op->layer->def->call.name, shape_text(g->arena, x));
    if (x.rank == 2) hint(g->diag, "with one channel that is %sx1", shape_text(g->arena, x));
    note_origin(g, op->inputs[0]);
    return false;
}

bool check_reach(Graph *g, const Attr *size, int64_t high, int64_t wide) {
    bool fine = high <= 1 << 20 && wide <= 1 << 20;
    if (!fine) error(g->diag, size->loc, "a window of %lldx%lld is beyond what cnnc takes", (long long)high, (long long)wide);
    return fine;
}

bool infer_window(Graph *g, Op *op, const Attr *size, const Attr *strides, const Attr *dilation, const Attr *padding) {
    Shape x = op->inputs[0]->shape;
    Window *w = &op->window;
    if (!check_map(g, op)) return false;
    bool causal = !strcmp(padding->word, "causal"), same = causal || !strcmp(padding->word, "same");
    *w = (Window){.ih = x.dim[0], .iw = x.dim[1], .ic = x.dim[2], .kh = size->size[0], .kw = size->size[1], .sh = strides->size[0],
                  .sw = strides->size[1], .dh = dilation ? dilation->size[0] : 1, .dw = dilation ? dilation->size[1] : 1, .oc = x.dim[2], .groups = 1};
    int64_t high = (int64_t)(w->kh - 1) * w->dh + 1, wide = (int64_t)(w->kw - 1) * w->dw + 1;
    if (!same && (high > w->ih || wide > w->iw)) {
        error(g->diag, size->loc, "%s %dx%d is larger than its input %s", dilation ? "kernel" : "pool", w->kh, w->kw, shape_text(g->arena, x));
        if (dilation && (w->dh > 1 || w->dw > 1)) hint(g->diag, "with dilation_rate %dx%d it spans %lldx%lld", w->dh, w->dw, (long long)high, (long long)wide);
        note_origin(g, op->inputs[0]);
        return false;
    }
    if (!check_reach(g, size, high, wide)) return false;
    w->oh = outputs(w->ih, (int)high, w->sh, same);
    w->ow = outputs(w->iw, (int)wide, w->sw, same);
    w->top = causal ? (int)high - 1 : padding_before(w->ih, (int)high, w->sh, w->oh, same);
    w->left = causal ? (int)wide - 1 : padding_before(w->iw, (int)wide, w->sw, w->ow, same);
    return true;
}

bool infer_pooling(Graph *g, Op *op) {
    const Attr *size = &op->attributes[0], *strides = &op->attributes[1], *padding = &op->attributes[2];
    return infer_window(g, op, size, strides->present ? strides : size, NULL, padding);
}

Shape region_window(const Op *op, Shape output) {
    const Window *w = &op->window;
    int high = (output.dim[0] - 1) * w->sh + (w->kh - 1) * w->dh + 1 - w->top, wide = (output.dim[1] - 1) * w->sw + (w->kw - 1) * w->dw + 1 - w->left;
    return shape3(high < w->ih ? high : w->ih, wide < w->iw ? wide : w->iw, w->ic);
}

void bind_window(const Op *op, Bindings *b) {
    const Window window = window_of(op), *w = &window;
    const struct { const char *name; int value; } integers[] = {
        {"IH", w->ih}, {"IW", w->iw}, {"C", w->ic},   {"KH", w->kh},   {"KW", w->kw}, {"SH", w->sh}, {"SW", w->sw},
        {"DH", w->dh}, {"DW", w->dw}, {"TOP", w->top}, {"LEFT", w->left}, {"OH", w->oh}, {"OW", w->ow},
    };
    for (int i = 0; i < LENGTH(integers); i++) {
        bind_int(b, integers[i].name, integers[i].value);
        bind_optional(b, integers[i].name);
    }
}

bool reads_no_padding(const Op *op) {
    const Window *w = &op->window;
    return !w->kh || (!w->top && !w->left && (w->oh - 1) * w->sh + (w->kh - 1) * w->dh < w->ih && (w->ow - 1) * w->sw + (w->kw - 1) * w->dw < w->iw);
}
