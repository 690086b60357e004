/* normalization.h: what normalizations share. Their own options come after the shared ones. */
#ifndef NORMALIZATION_H
#define NORMALIZATION_H
#include "ops.h"

enum { AXIS, EPSILON, CENTER, SCALE, BETA_INITIALIZER, GAMMA_INITIALIZER, TRAINABLE, FIRST_OWN_OPTION };
#define NORMALIZATION_DEFS                                                                                             \
    {"axis", ATTR_INT, "-1", -MAX_RANK, MAX_RANK, 0, NULL, NULL, false, "the last axis, -1 or its number, the batch being 0"}, \
    {"epsilon", ATTR_REAL, "1e-3", 0, 1e30, 0, NULL, NULL, false, "added to the variance"},                           \
    {"center", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "add a trainable vector, beta"},                        \
    {"scale", ATTR_BOOL, "true", 0, 0, 0, NULL, NULL, false, "multiply by a trainable vector, gamma"},                \
    {"beta_initializer", ATTR_CALL, "zeros", 0, 0, 0, NULL, initializer_family, false, "how beta starts"},            \
    {"gamma_initializer", ATTR_CALL, "ones", 0, 0, 0, NULL, initializer_family, false, "how gamma starts"},           \
    ATTR_TRAINABLE_DEF
/* Behind a layer's own options. */
#define SCALE_AND_CENTER_DEFS WEIGHT_OPTION_DEFS("beta"), WEIGHT_OPTION_DEFS("gamma")

/* False after an error: the axis is not the last one. */
bool check_last_axis(Graph *, const Layer *);
/* A vector along the last axis of the layer's input. */
Tensor *channel_parameter(Graph *, Layer *, const char *weight, const Attr *initializer);
/* What becomes of standardized elements: times gamma, plus beta, as far as they are asked for. */
Tensor *scale_and_center(Graph *, Layer *, Tensor *, bool scale, bool center);

/* Elements of one example, [rows][positions][groups][depth]: those of one row and group, whatever their position and place in the
 * depth, are standardized together. A second output has 1 / sqrt(variance + epsilon) of each row and group. */
typedef struct Groups { int64_t rows, positions, groups, depth; bool centered; } Groups; /* centered: the mean is taken away */
typedef struct Standardized { Groups (*groups)(const Op *); } Standardized; /* OpDef.own of an operator that standardizes, and of its gradient */
void standardize(const Op *, double *const *in, double *const *out);
void standardize_grad(const Op *, double *const *in, double *const *out);
void bind_standardized(const Op *, Bindings *);
bool infer_standardized(Graph *, Op *, Shape deviation);
void gradient_of_standardized(Graph *, Op *, const OpDef *grad, Tensor *dy);
double standardize_flops(const Op *);
#endif
