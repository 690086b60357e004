/* optimizer.c: the options that all of Keras's optimizers share, as bindings and slots. */
#include "optimizer.h"

bool infer_optimizer(Graph *g, Op *op) {
    static const int clips[] = {CLIPNORM, CLIPVALUE, GLOBAL_CLIPNORM};
    const AttrDef *defs = op->def->call.attributes;
    int first = -1;
    for (int i = 0; i < LENGTH(clips); i++) {
        if (!op->attributes[clips[i]].present) continue;
        if (first >= 0) {
            error(g->diag, op->attributes[clips[i]].loc, "'%s' and '%s' cannot be used together", defs[first].name, defs[clips[i]].name);
            return false;
        }
        first = clips[i];
    }
    return check_schedule(g, &op->attributes[LEARNING_RATE]);
}

void bind_optimizer(const Attr *a, Bindings *b) {
    static const struct { int attr; const char *has, *value; } options[] = {
        {WEIGHT_DECAY, "has_weight_decay", "weight_decay"},
        {CLIPNORM, "has_clipnorm", "clipnorm"},
        {CLIPVALUE, "has_clipvalue", "clipvalue"},
        {GLOBAL_CLIPNORM, "has_global_clipnorm", "global_clipnorm"},
        {LOSS_SCALE_FACTOR, "has_loss_scale", "loss_scale"},
        {EMA_OVERWRITE_FREQUENCY, "has_ema_overwrite", "ema_overwrite"},
        {GRADIENT_ACCUMULATION_STEPS, "has_accumulation", "accumulation_steps"},
    };
    for (int i = 0; i < LENGTH(options); i++) {
        const Attr *o = &a[options[i].attr];
        bind_int(b, options[i].has, o->present);
        if (options[i].attr == EMA_OVERWRITE_FREQUENCY || options[i].attr == GRADIENT_ACCUMULATION_STEPS) bind_int(b, options[i].value, attr_int(o));
        else bind_real(b, options[i].value, o->real);
        bind_optional(b, options[i].has);
        bind_optional(b, options[i].value);
    }
    bind_int(b, "use_ema", a[USE_EMA].real != 0);
    bind_real(b, "ema_momentum", a[EMA_MOMENTUM].real);
    bind_real(b, "ema_rest", 1 - a[EMA_MOMENTUM].real);
    bind_optional(b, "use_ema");
    bind_optional(b, "ema_momentum");
    bind_optional(b, "ema_rest");
}

double loss_scale_factor(const Graph *g) {
    return g->optimizer && g->optimizer_attributes[LOSS_SCALE_FACTOR].present ? g->optimizer_attributes[LOSS_SCALE_FACTOR].real : 1;
}

void bind_factor(Bindings *b, const char *name, const char *rest, double factor) {
    bind_real(b, name, factor);
    bind_real(b, rest, 1 - factor);
    bind_optional(b, name);
    bind_optional(b, rest);
}

int shared_slots(const Attr *a, const char **names, int n) {
    if (a[USE_EMA].real != 0) names[n++] = "average";
    if (a[GRADIENT_ACCUMULATION_STEPS].present) names[n++] = "accumulator";
    return n;
}
