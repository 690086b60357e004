/* loss.h: what losses and metrics share. Their inputs are (prediction, target), a gradient's (prediction, target,
 * scale) with scale = 1 / batch size. A loss is the mean over the positions (rows) of an example; where examples have weights, its
 * third input, its total and gradient are multiplied by that: see example_weight.c. */
#ifndef LOSS_H
#define LOSS_H
#include "ops.h"

/* The target tensor: made when *target is NULL, else checked to be of that kind. */
bool target_like_prediction(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_one_hot(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_class_index(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_any(Graph *, Op *, Tensor *prediction, Tensor **target);
#define ATTR_FROM_LOGITS_DEF {"from_logits", ATTR_BOOL, "false", 0, 0, 0, NULL, NULL, false, "the prediction is logits, not probabilities"}
#define ATTR_LABEL_SMOOTHING_DEF {"label_smoothing", ATTR_REAL, "0", 0, 1, 0, NULL, NULL, false, "how far targets are moved towards all classes alike"}

bool infer_totals(Graph *, Op *, int elements);
void gradient_of_loss(Graph *, Op *, const OpDef *grad);
void bind_rows(const Op *, Bindings *); /* ROWS, N of the prediction */
#endif
