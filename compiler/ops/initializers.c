/* initializers.c: Keras's initializers, resolved to a distribution once the fans are known. */
#include "ops.h"

#include <math.h>
#include <string.h>

typedef struct Initializer {
    Callable call;
    Distribution (*resolve)(const Attr *, int fan_in, int fan_out);
} Initializer;

#define SEED_DEF {"seed", ATTR_INT, "", 0, 2147483647, 0, NULL, NULL, false, "its own seed instead of the run's"}
#define ANY 0, 0, 0, NULL, NULL, false

static int64_t seed_of(const Attr *a) { return a->present ? (int64_t)a->real : -1; }

/* Keras's VarianceScaling: variance = scale / fan; a truncated normal's deviation is corrected for the cut. */
static Distribution scaled(double scale, double fan, const char *kind, const Attr *seed) {
    double variance = scale / fmax(1, fan);
    if (!strcmp(kind, "UNIFORM")) return (Distribution){kind, -sqrt(3 * variance), sqrt(3 * variance), seed_of(seed)};
    bool truncated = !strcmp(kind, "TRUNCATED_NORMAL");
    return (Distribution){kind, 0, sqrt(variance) / (truncated ? .87962566103423978 : 1), seed_of(seed)};
}

static const AttrDef only_seed[] = {SEED_DEF};
static Distribution glorot_uniform(const Attr *a, int in, int out) { return scaled(1, ((double)in + out) / 2, "UNIFORM", a); }
static Distribution glorot_normal(const Attr *a, int in, int out) { return scaled(1, ((double)in + out) / 2, "TRUNCATED_NORMAL", a); }
static Distribution he_uniform(const Attr *a, int in, int out) { return (void)out, scaled(2, in, "UNIFORM", a); }
static Distribution he_normal(const Attr *a, int in, int out) { return (void)out, scaled(2, in, "TRUNCATED_NORMAL", a); }
static Distribution lecun_uniform(const Attr *a, int in, int out) { return (void)out, scaled(1, in, "UNIFORM", a); }
static Distribution lecun_normal(const Attr *a, int in, int out) { return (void)out, scaled(1, in, "TRUNCATED_NORMAL", a); }

static Distribution zeros(const Attr *a, int in, int out) { return (void)a, (void)in, (void)out, (Distribution){"CONSTANT", 0, 0, -1}; }
static Distribution ones(const Attr *a, int in, int out) { return (void)a, (void)in, (void)out, (Distribution){"CONSTANT", 1, 0, -1}; }

static const AttrDef constant_attributes[] = {{"value", ATTR_REAL, "0", ANY, "of every element"}};
static Distribution constant(const Attr *a, int in, int out) { return (void)in, (void)out, (Distribution){"CONSTANT", a[0].real, 0, -1}; }

static const AttrDef uniform_attributes[] = {{"minval", ATTR_REAL, "-0.05", ANY, "smallest value"}, {"maxval", ATTR_REAL, "0.05", ANY, "values stay below it"}, SEED_DEF};
static Distribution random_uniform(const Attr *a, int in, int out) {
    return (void)in, (void)out, (Distribution){"UNIFORM", a[0].real, a[1].real, seed_of(&a[2])};
}

static const AttrDef normal_attributes[] = {{"mean", ATTR_REAL, "0", ANY, "of the values"}, {"stddev", ATTR_REAL, "0.05", 0, 1e30, 0, NULL, NULL, false, "their standard deviation"}, SEED_DEF};
static Distribution random_normal(const Attr *a, int in, int out) {
    return (void)in, (void)out, (Distribution){"NORMAL", a[0].real, a[1].real, seed_of(&a[2])};
}
static Distribution truncated_normal(const Attr *a, int in, int out) {
    return (void)in, (void)out, (Distribution){"TRUNCATED_NORMAL", a[0].real, a[1].real, seed_of(&a[2])};
}

static const AttrDef variance_attributes[] = {
    {"scale", ATTR_REAL, "1", 1e-30, 1e30, 0, NULL, NULL, false, "of the variance"},
    {"mode", ATTR_WORD, "fan_in", 0, 0, 0, "fan_in|fan_out|fan_avg", NULL, false, "what the variance is divided by"},
    {"distribution", ATTR_WORD, "truncated_normal", 0, 0, 0, "truncated_normal|untruncated_normal|uniform", NULL, false, "of the values"},
    SEED_DEF,
};
static Distribution variance_scaling(const Attr *a, int in, int out) {
    double fan = !strcmp(a[1].word, "fan_in") ? in : !strcmp(a[1].word, "fan_out") ? out : ((double)in + out) / 2;
    const char *kind = !strcmp(a[2].word, "uniform") ? "UNIFORM" : !strcmp(a[2].word, "untruncated_normal") ? "NORMAL" : "TRUNCATED_NORMAL";
    return scaled(a[0].real, fan, kind, &a[3]);
}

static const AttrDef identity_attributes[] = {{"gain", ATTR_REAL, "1", ANY, "on the diagonal"}};
static Distribution identity(const Attr *a, int in, int out) { return (void)in, (void)out, (Distribution){"IDENTITY", a[0].real, 0, -1}; }

static const AttrDef orthogonal_attributes[] = {{"gain", ATTR_REAL, "1", ANY, "length of the vectors"}, SEED_DEF};
static Distribution orthogonal(const Attr *a, int in, int out) {
    return (void)in, (void)out, (Distribution){"ORTHOGONAL", a[0].real, 0, seed_of(&a[1])};
}

static const Initializer initializers[] = {
    {{"glorot_uniform", "uniform, variance 2 / (fan_in + fan_out)", ATTRIBUTES(only_seed), NULL}, glorot_uniform},
    {{"glorot_normal", "truncated normal, variance 2 / (fan_in + fan_out)", ATTRIBUTES(only_seed), NULL}, glorot_normal},
    {{"he_uniform", "uniform, variance 2 / fan_in", ATTRIBUTES(only_seed), NULL}, he_uniform},
    {{"he_normal", "truncated normal, variance 2 / fan_in", ATTRIBUTES(only_seed), NULL}, he_normal},
    {{"lecun_uniform", "uniform, variance 1 / fan_in", ATTRIBUTES(only_seed), NULL}, lecun_uniform},
    {{"lecun_normal", "truncated normal, variance 1 / fan_in", ATTRIBUTES(only_seed), NULL}, lecun_normal},
    {{"zeros", "all 0", NULL, 0, "zero"}, zeros},
    {{"ones", "all 1", NULL, 0, "one"}, ones},
    {{"constant", "all the same", ATTRIBUTES(constant_attributes), NULL}, constant},
    {{"random_uniform", "uniform between two values", ATTRIBUTES(uniform_attributes), "uniform"}, random_uniform},
    {{"random_normal", "normal", ATTRIBUTES(normal_attributes), "normal"}, random_normal},
    {{"truncated_normal", "normal, redrawn beyond two standard deviations", ATTRIBUTES(normal_attributes), NULL}, truncated_normal},
    {{"variance_scaling", "variance scale / fan", ATTRIBUTES(variance_attributes), NULL}, variance_scaling},
    {{"identity", "1 on the diagonal of a matrix", ATTRIBUTES(identity_attributes), NULL}, identity},
    {{"orthogonal", "orthogonal rows or, if there are fewer, columns", ATTRIBUTES(orthogonal_attributes), NULL}, orthogonal},
};

/* An LSTM's bias, whose second quarter, that of the forget gate, starts at 1 and the rest as described. */
static Distribution unit_forget(const Attr *a, int in, int out) { return (void)in, (void)out, (Distribution){"UNIT_FORGET", a[0].real, 0, -1}; }

const Attr *unit_forget_initializer(Graph *g, const Attr *bias) {
    static const Initializer forget = {{"unit_forget", "of an LSTM's bias", ATTRIBUTES(constant_attributes), NULL}, unit_forget};
    Distribution d = initializer_distribution(bias, 1, 1);
    if (strcmp(d.kind, "CONSTANT") != 0) {
        error(g->diag, bias->loc, "'%s' cannot be where the forget gate's bias starts at 1", bias->word);
        hint(g->diag, "write unit_forget_bias=false, or a constant");
        return NULL;
    }
    Attr *a = NEW(g->arena, Attr);
    *a = *bias;
    a->callable = &forget.call;
    a->attributes = NEW(g->arena, Attr);
    a->attributes[0].real = d.a;
    return a;
}

const Callable *initializer_family(int index) { return index < LENGTH(initializers) ? &initializers[index].call : NULL; }

Distribution initializer_distribution(const Attr *a, int fan_in, int fan_out) {
    return ((const Initializer *)(const void *)a->callable)->resolve(a->attributes, fan_in, fan_out);
}
