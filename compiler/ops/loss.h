/* loss.h: what losses and metrics share. Their inputs are (prediction, target), a gradient's (prediction, target,
 * scale) with scale = 1 / batch size. A loss is the mean over the positions (rows) of an example. */
#ifndef LOSS_H
#define LOSS_H
#include "ops.h"

/* The target tensor: made when *target is NULL, else checked to be of that kind. */
bool target_like_prediction(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_one_hot(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_class_index(Graph *, Op *, Tensor *prediction, Tensor **target);
bool target_any(Graph *, Op *, Tensor *prediction, Tensor **target);
bool infer_total(Graph *, Op *);
void gradient_of_loss(Graph *, Op *, const OpDef *grad);
void bind_rows(const Op *, Bindings *); /* ROWS, N of the prediction */
#endif
