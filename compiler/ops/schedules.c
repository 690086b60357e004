/* schedules.c: Keras's learning-rate schedules: the rate as a function of the updates (batches) so far. Their formulas are in
 * templates/schedules.c.tmpl, a definition each of the schedule's name; here are the options and the first rate. */
#include "ops.h"

typedef struct Schedule {
    Callable call;
    double (*first)(const Attr *);
    bool (*check)(Graph *, const Attr *); /* options together; NULL: there is nothing to check */
} Schedule;

#define INITIAL_DEF {"initial_learning_rate", ATTR_REAL, NULL, 0, 1e30, 0, NULL, NULL, true, "of the first update"}
#define STEPS_DEF(name, text) {name, ATTR_INT, NULL, 1, 2147483647, 0, NULL, NULL, true, text}
#define REAL_DEF(name, fallback, text) {name, ATTR_REAL, fallback, 0, 1e30, 0, NULL, NULL, false, text}
#define STAIRCASE_DEF {"staircase", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "by whole multiples of decay_steps"}

static double initial(const Attr *a) { return a[0].real; }

static const AttrDef decay_attributes[] = {
    INITIAL_DEF, STEPS_DEF("decay_steps", "updates in which the rate decays once"),
    {"decay_rate", ATTR_REAL, NULL, 0, 1e30, 0, NULL, NULL, true, "how much it decays"}, STAIRCASE_DEF,
};

static const AttrDef polynomial_attributes[] = {
    INITIAL_DEF, STEPS_DEF("decay_steps", "updates until end_learning_rate"), REAL_DEF("end_learning_rate", "0.0001", "the last one"),
    REAL_DEF("power", "1", "of the part that is left; 1: linear"), {"cycle", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "begin again after decay_steps, more slowly"},
};

enum { INITIAL, DECAY_STEPS, ALPHA, WARMUP_TARGET, WARMUP_STEPS };
static const AttrDef cosine_attributes[] = {
    INITIAL_DEF, STEPS_DEF("decay_steps", "updates of the decay, after those of the warm-up"),
    REAL_DEF("alpha", "0", "part of the rate that is left in the end"), REAL_DEF("warmup_target", "", "where a linear warm-up leads and the decay begins"),
    {"warmup_steps", ATTR_INT, "0", 0, 2147483647, 0, NULL, NULL, false, "updates of the warm-up, if there is a warmup_target"},
};
static double first_of_cosine(const Attr *a) { return a[WARMUP_TARGET].present && a[WARMUP_STEPS].real == 0 ? a[WARMUP_TARGET].real : a[INITIAL].real; }

static const AttrDef restarts_attributes[] = {
    INITIAL_DEF, STEPS_DEF("first_decay_steps", "updates of the first decay"), REAL_DEF("t_mul", "2", "how much longer each decay is than the last"),
    REAL_DEF("m_mul", "1", "its first rate, in parts of the last one's"), REAL_DEF("alpha", "0", "part of the rate that is left in the end"),
};

enum { BOUNDARIES, VALUES };
static const AttrDef piecewise_attributes[] = {
    {"boundaries", ATTR_REALS, NULL, 0, 1e15, 0, NULL, NULL, true, "updates after which the rate changes, rising"},
    {"values", ATTR_REALS, NULL, 0, 1e30, 0, NULL, NULL, true, "the rates, one more than boundaries"},
};
static double first_of_values(const Attr *a) { return a[VALUES].reals[0]; }

static bool check_piecewise(Graph *g, const Attr *a) {
    const Attr *b = &a[BOUNDARIES], *v = &a[VALUES];
    if (v->real_count != b->real_count + 1) {
        error(g->diag, v->loc, "%d boundaries need %d values, not %d", b->real_count, b->real_count + 1, v->real_count);
        return false;
    }
    for (int i = 1; i < b->real_count; i++)
        if (b->reals[i] <= b->reals[i - 1]) {
            error(g->diag, b->loc, "the boundaries do not rise: %g comes after %g", b->reals[i], b->reals[i - 1]);
            return false;
        }
    return true;
}

static const Schedule schedules[] = {
    {{"exponential_decay", "initial_learning_rate * decay_rate^(step / decay_steps)", ATTRIBUTES(decay_attributes), NULL}, initial, NULL},
    {{"inverse_time_decay", "initial_learning_rate / (1 + decay_rate * step / decay_steps)", ATTRIBUTES(decay_attributes), NULL}, initial, NULL},
    {{"polynomial_decay", "from initial_learning_rate to end_learning_rate", ATTRIBUTES(polynomial_attributes), NULL}, initial, NULL},
    {{"cosine_decay", "half a cosine, after a warm-up", ATTRIBUTES(cosine_attributes), NULL}, first_of_cosine, NULL},
    {{"cosine_decay_restarts", "half a cosine, again and again", ATTRIBUTES(restarts_attributes), NULL}, initial, NULL},
    {{"piecewise_constant_decay", "rates by intervals", ATTRIBUTES(piecewise_attributes), NULL}, first_of_values, check_piecewise},
};

const Callable *schedule_family(int index) { return index < LENGTH(schedules) ? &schedules[index].call : NULL; }

static const Schedule *schedule_of(const Attr *rate) { return (const Schedule *)(const void *)rate->callable; }

bool check_schedule(Graph *g, const Attr *rate) {
    return !rate->callable || !schedule_of(rate)->check || schedule_of(rate)->check(g, rate->attributes);
}

double first_rate(const Attr *rate) { return rate->callable ? schedule_of(rate)->first(rate->attributes) : rate->real; }

void bind_schedule(const Attr *rate, Arena *arena, Bindings *b) {
    bind_string(b, "schedule", rate && rate->callable ? rate->callable->name : "");
    for (int i = 0; rate && rate->callable && i < rate->callable->attribute_count; i++) {
        const AttrDef *def = &rate->callable->attributes[i];
        const Attr *a = &rate->attributes[i];
        const char **list = NEW_ARRAY(arena, const char *, a->real_count + 1);
        for (int k = 0; k < a->real_count; k++) list[k] = arena_real(arena, a->reals[k]);
        if (def->kind == ATTR_REALS) bind_strings(b, def->name, list, a->real_count);
        else if (def->kind == ATTR_BOOL) bind_int(b, def->name, a->real != 0);
        else bind_string(b, def->name, a->present ? arena_real(arena, a->real) : "");
        bind_optional(b, def->name);
    }
}
