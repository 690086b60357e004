/* random_affine.c: Keras's RandomTranslation, RandomRotation and RandomZoom: while training each example is moved, turned or resized by
 * random numbers of its own. Pixel (v, h) of the output is the input at (a0 v + a1 h + a2, b0 v + b1 h + b2), between its pixels; what lies
 * outside is brought back as fill_mode says. Places are computed in double, so that all code takes the same pixels. */
#include "draws.h"

#include <math.h>
#include <string.h>

enum { FILL_MODE, INTERPOLATION, FILL_VALUE, SEED, FACTOR, WIDTH_FACTOR };

#define COMMON_DEFS                                                                                                     \
    {"fill_mode", ATTR_WORD, "reflect", 0, 0, 0, "reflect|wrap|constant|nearest", NULL, false,                          \
     "what lies outside: the picture mirrored, over and over, one value, or the pixel at the border"},                  \
    {"interpolation", ATTR_WORD, "bilinear", 0, 0, 0, "bilinear|nearest", NULL, false, "bilinear: means of four pixels; nearest: one pixel"}, \
    {"fill_value", ATTR_REAL, "0", 0, 0, 0, NULL, NULL, false, "the value of fill_mode=constant"}, SEED_DEF
#define FACTOR_DEF(name, fallback, low, doc) {name, ATTR_REALS, fallback, low, 1, 0, NULL, NULL, true, doc}

static const AttrDef translation_attributes[] = {
    COMMON_DEFS,
    FACTOR_DEF("height_factor", NULL, -1, "how far down, as a part of the height: f is -f to f, (a,b) a to b"),
    FACTOR_DEF("width_factor", NULL, -1, "likewise to the right, as a part of the width"),
};
static const AttrDef rotation_attributes[] = {COMMON_DEFS, FACTOR_DEF("factor", NULL, -1, "by how much of a full turn: f is -f to f, (a,b) a to b")};
static const AttrDef zoom_attributes[] = {
    COMMON_DEFS,
    FACTOR_DEF("height_factor", NULL, -0.999999, "how much more is seen: 0.2 is 20 % less to 20 % more of the height, (a,b) 1 + a to 1 + b times as much"),
    FACTOR_DEF("width_factor", "", -0.999999, "likewise of the width; without it the picture keeps its proportions"),
};

static Tensor *layer(Graph *g, Layer *l) {
    const Attr *a = l->attributes;
    for (int i = FACTOR; i < l->def->call.attribute_count; i++)
        if (!check_range(g, l, &a[i])) return NULL;
    return add_op(g, l->def, l, l->attributes, (Tensor *[]){l->inputs[0], key_of(g)}, 2);
}

static bool infer(Graph *g, Op *op) { return check_map(g, op) && infer_like_input(g, op); }

static void gradient(Graph *g, Op *op, Tensor *dy) {
    if (wants_gradient(op->inputs[0])) add_gradient(g, op->inputs[0], add_gradient_op(g, &op_random_affine_grad, op, (Tensor *[]){dy, op->inputs[1]}, 2));
}

/* ---- where a pixel comes from -------------------------------------------------------------------------------------------- */

static const OpDef *kind_of(const Op *op) { return (op->forward ? op->forward : op)->def; }

/* Of an example: a0, a1, a2, b0, b1, b2. */
static void draw_matrix(const Op *op, uint64_t key, double m[6]) {
    const Attr *a = op->attributes;
    uint32_t stream = stream_of(op, &a[SEED]);
    double height = op->inputs[0]->shape.dim[0], width = op->inputs[0]->shape.dim[1], first = draw_between(range_of(&a[FACTOR]), key, stream, 0);
    if (kind_of(op) == &op_random_rotation) {
        double angle = first * 6.283185307179586, x = (width - 1) / 2, y = (height - 1) / 2;
        memcpy(m, (double[]){cos(angle), -sin(angle), x - x * cos(angle) + y * sin(angle), sin(angle), cos(angle), y - x * sin(angle) - y * cos(angle)}, 6 * sizeof *m);
        return;
    }
    double second = a[WIDTH_FACTOR].present ? draw_between(range_of(&a[WIDTH_FACTOR]), key, stream, 1) : first;
    if (kind_of(op) == &op_random_translation) memcpy(m, (double[]){1, 0, -second * width, 0, 1, -first * height}, 6 * sizeof *m);
    else memcpy(m, (double[]){1 + second, 0, (width - 1) / 2 * -second, 0, 1 + first, (height - 1) / 2 * -first}, 6 * sizeof *m);
}

/* As TensorFlow's ImageProjectiveTransform does it: abc goes on as ...cba|abc|cba... or abc|abc|abc; that between the last pixel and the
 * first of a picture beside it is the last one. */
static double reflected(double at, int n) {
    double twice = 2.0 * n;
    if (at < 0) {
        at += twice * trunc(-at / twice);
        at = at < -n ? at + twice : -at - 1;
    } else if (at > n - 1) {
        at -= twice * trunc(at / twice);
        if (at >= n) at = twice - at - 1;
    }
    return fmin(fmax(at, 0), n - 1);
}

static double wrapped(double at, int n) {
    if (n == 1) return 0;
    if (at < 0) at += n * (trunc(-at / (n - 1)) + 1);
    else if (at > n - 1) at -= n * trunc(at / (n - 1));
    return fmin(fmax(at, 0), n - 1);
}

static double within(double at, int n, const char *mode) {
    if (!strcmp(mode, "reflect")) return reflected(at, n);
    if (!strcmp(mode, "wrap")) return wrapped(at, n);
    return !strcmp(mode, "nearest") ? fmin(fmax(at, 0), n - 1) : at;
}

/* The pixel at (h, v) with so much weight, channel by channel: from the input to y, or y's gradient back to it. */
typedef struct Pixels { int height, width, channels; double fill; const double *x, *dy; double *y, *dx; } Pixels;

static void take(const Pixels *p, double h, double v, double weight) {
    bool inside = h >= 0 && h < p->height && v >= 0 && v < p->width;
    int64_t at = inside ? ((int64_t)h * p->width + (int64_t)v) * p->channels : 0;
    for (int c = 0; c < p->channels; c++) {
        if (p->dx && inside) p->dx[at + c] += weight * p->dy[c];
        if (p->y) p->y[c] += weight * (inside ? p->x[at + c] : p->fill);
    }
}

static void take_place(const Pixels *p, double h, double v, bool nearest) {
    if (nearest) {
        take(p, round(h), round(v), 1);
        return;
    }
    double top = floor(h), left = floor(v), down = h - top, right = v - left;
    take(p, top, left, (1 - down) * (1 - right));
    take(p, top, left + 1, (1 - down) * right);
    take(p, top + 1, left, down * (1 - right));
    take(p, top + 1, left + 1, down * right);
}

static void resample(const Op *op, double *const *in, double *const *out, bool back) {
    Shape s = op->outputs[0]->shape;
    const Attr *a = op->attributes;
    double m[6];
    Pixels p = {s.dim[0], s.dim[1], s.dim[2], a[FILL_VALUE].real, .x = back ? NULL : in[0], .dx = back ? out[0] : NULL};
    draw_matrix(op, key_value(in[1]), m);
    memset(out[0], 0, sizeof(double) * (size_t)shape_count(s));
    for (int h = 0; h < p.height; h++)
        for (int v = 0; v < p.width; v++) {
            double across = m[0] * v + m[1] * h + m[2], down = m[3] * v + m[4] * h + m[5];
            if (back) p.dy = in[0] + ((int64_t)h * p.width + v) * p.channels;
            else p.y = out[0] + ((int64_t)h * p.width + v) * p.channels;
            take_place(&p, within(down, p.height, a[FILL_MODE].word), within(across, p.width, a[FILL_MODE].word), !strcmp(a[INTERPOLATION].word, "nearest"));
        }
}
static void evaluate(const Op *op, double *const *in, double *const *out) { resample(op, in, out, false); }
static void evaluate_grad(const Op *op, double *const *in, double *const *out) { resample(op, in, out, true); }

/* ---- the template ---------------------------------------------------------------------------------------------------------- */

static void bind_range(Bindings *b, const char *low, const char *span, const Attr *factor) {
    Range r = factor->present ? range_of(factor) : (Range){0, 0};
    bind_real(b, low, r.low);
    bind_real(b, span, r.high - r.low);
    bind_optional(b, low);
    bind_optional(b, span);
}

static void bind(const Op *op, Bindings *b) {
    const Attr *a = op->attributes;
    const OpDef *kind = kind_of(op);
    Shape s = op->outputs[0]->shape;
    bool several = kind != &op_random_rotation;
    bind_int(b, "H", s.dim[0]);
    bind_int(b, "W", s.dim[1]);
    bind_int(b, "C", s.dim[2]);
    bind_int(b, "STREAM", stream_of(op, &a[SEED]));
    bind_string(b, "kind", kind->call.name);
    bind_string(b, "fill_mode", a[FILL_MODE].word);
    bind_int(b, "nearest", !strcmp(a[INTERPOLATION].word, "nearest"));
    bind_real(b, "fill", a[FILL_VALUE].real);
    bind_optional(b, "fill");
    bind_range(b, "low", "span", &a[FACTOR]);
    bind_int(b, "alike", several && !a[WIDTH_FACTOR].present);
    bind_optional(b, "alike");
    bind_range(b, "second_low", "second_span", several ? &a[WIDTH_FACTOR] : &a[FACTOR]);
}

static double flops(const Op *op) { return 8.0 * (double)shape_count(op->outputs[0]->shape); }

#define AUGMENTS .kind = OP_LAYER, .min_inputs = 1, .max_inputs = 1, .layer = layer, .infer = infer, .idle = true, .gradient = gradient, .evaluate = evaluate, \
    .plain = "random_affine.forward", .bind = bind, .flops = flops

const OpDef op_random_translation = {
    .call = {"random_translation", "moves examples at random while training", ATTRIBUTES(translation_attributes), NULL}, .keras = "RandomTranslation", AUGMENTS,
    .equation = "y[h][v] = x[h - down][v - right]",
};
const OpDef op_random_rotation = {
    .call = {"random_rotation", "turns examples at random while training", ATTRIBUTES(rotation_attributes), NULL}, .keras = "RandomRotation", AUGMENTS,
    .equation = "y = x, turned around its middle",
};
const OpDef op_random_zoom = {
    .call = {"random_zoom", "shows more or less of examples at random while training", ATTRIBUTES(zoom_attributes), NULL}, .keras = "RandomZoom", AUGMENTS,
    .equation = "y = x, larger or smaller around its middle",
};
const OpDef op_random_affine_grad = {
    .call = {"random_affine_grad", "gradient of random_translation, random_rotation and random_zoom", NULL, 0, NULL}, .kind = OP_INTERNAL, .infer = infer_like_forward_input,
    .evaluate = evaluate_grad, .plain = "random_affine.grad", .bind = bind, .flops = flops, .equation = "dx = dy, each pixel's back to where it came from",
};
