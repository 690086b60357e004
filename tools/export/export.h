/* export.h: a network that predicts, with its weights, as bytes of another program's file. */
#ifndef EXPORT_H
#define EXPORT_H
#include "../../compiler/commands/commands.h"

typedef struct Bytes { char *data; size_t length; } Bytes; /* in the graph's arena */

/* weights.c: the values of all parameters, from a file or, path NULL, those that training begins with. False after a message;
 * *status: an exit status. */
bool known_weights(Graph *, const char *path, int *status);

/* Writers need a graph that only predicts, its parameters known. False after errors, or a message without a place. */
typedef bool ExportWriter(Graph *, Bytes *);
ExportWriter write_onnx, write_keras_weights;
#endif
