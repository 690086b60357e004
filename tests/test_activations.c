/* test_activations.c: slopes of activations where straight lines meet, as Keras has them. */
#include "test_network.h"

#include <math.h>

typedef struct Kink { const char *layer; double x, slope; } Kink;

/* The slope at x: the gradient ops of the layer `k` by their definitions, with a dy of 1. */
static double slope_at(const char *layer, double x) {
    char text[256];
    snprintf(text, sizeof text, "input 1\nk = %s\ndense 1\ncompile loss=mse\n", layer);
    Run *r = start_autodiff(text, true);
    double y = 0, slope = NAN;
    for (int i = 0; i < r->graph->op_count; i++) {
        const Op *op = r->graph->ops[i];
        if (!op->layer || strcmp(op->layer->name, "k")) continue;
        if (op->backward) op->def->evaluate(op, (double *[]){&(double){1}, op->inputs[1] == op->forward->outputs[0] ? &y : &x}, (double *[]){&slope});
        else op->def->evaluate(op, (double *[]){&x}, (double *[]){&y});
    }
    stop(r);
    return slope;
}

static void slopes_at_kinks(void **state) {
    (void)state;
    static const Kink kinks[] = {
        {"relu", 0, 0},
        {"relu6", 0, 0}, {"relu6", 6, 0}, {"relu6", 5.5, 1},
        {"relu max_value=6", 6, 0},
        {"relu max_value=2", 0, 0}, {"relu max_value=2", 2, 1}, {"relu max_value=2", 2.5, 0},
        {"relu threshold=1", 1, 0}, {"relu threshold=1", 1.5, 1},
        {"relu negative_slope=0.5", 0, 0.5},
        {"relu negative_slope=0.5 threshold=1", 1, 0}, {"relu negative_slope=0.5 threshold=1", 0.5, 0.5},
        {"relu negative_slope=0.5 max_value=2", 0, 0}, {"relu negative_slope=0.5 max_value=2", 2, 1},
        {"relu negative_slope=0.5 max_value=6", 6, 0},
        {"leaky_relu", 0, 0.3}, {"leaky_relu negative_slope=0.1", 0, 0.1},
        {"elu", 0, 1}, {"elu alpha=0.5", 0, 0.5},
        {"selu", 0, 1.0507009873554805},
        {"hard_sigmoid", -3, 0}, {"hard_sigmoid", 3, 0}, {"hard_sigmoid", 0, 1.0 / 6},
        {"hard_silu", -3, 0}, {"hard_silu", 3, 1},
        {"hard_tanh", -1, 1}, {"hard_tanh", 1, 1}, {"hard_tanh", 1.5, 0},
        {"softsign", 0, 1},
    };
    for (int i = 0; i < LENGTH(kinks); i++) {
        double slope = slope_at(kinks[i].layer, kinks[i].x);
        if (fabs(slope - kinks[i].slope) > 1e-15) fail_msg("%s at %g: a slope of %g, not %g", kinks[i].layer, kinks[i].x, slope, kinks[i].slope);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(slopes_at_kinks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
