/* onnx_message.h: small models of ONNX as bytes of protobuf, written by tests: what no exporter writes, too.
 *
 *     static Message m;  message_input(&m, "x", ONNX_FLOAT, "n,3");  message_constant(&m, "w", ONNX_FLOAT, "3,4", "0.5,-1");
 *     message_node(&m, "MatMul", "x,w", "y", "");  message_node(&m, "Slice", "y", "z", "starts=[0] ends=[2] note=text");
 *     message_model(&m, 13, "z") gives the file's bytes; the next message begins with a Message of {0} again. */
#ifndef ONNX_MESSAGE_H
#define ONNX_MESSAGE_H
#include "onnx.h"

#include <stdlib.h>

typedef struct Message { StrBuf graph; } Message;

static void put_varint(StrBuf *b, uint64_t n) {
    for (; n > 127; n >>= 7) strbuf_add_n(b, &(char){(char)((n & 127) | 128)}, 1);
    strbuf_add_n(b, &(char){(char)n}, 1);
}

static void put_integer(StrBuf *b, unsigned field, int64_t n) { put_varint(b, field << 3), put_varint(b, (uint64_t)n); }

static void put_bytes(StrBuf *b, unsigned field, const char *bytes, size_t n) { put_varint(b, field << 3 | 2), put_varint(b, n), strbuf_add_n(b, bytes, n); }

/* The part's bytes, which is done then. */
static void put_part(StrBuf *b, unsigned field, StrBuf *part) {
    put_bytes(b, field, part->text ? part->text : "", part->length);
    strbuf_free(part);
    *part = (StrBuf){0};
}

/* The next of a list with commas; NULL: it is over. */
static char *next_item(const char **list, char *to, size_t size) {
    if (!**list) return NULL;
    size_t n = strcspn(*list, ",");
    snprintf(to, size, "%.*s", (int)n, *list);
    *list += n + ((*list)[n] == ',');
    return to;
}

/* Sizes are numbers, what is free a name. */
MAYBE_UNUSED static void message_input(Message *m, const char *name, ElementType type, const char *dims) {
    StrBuf shape = {0}, tensor = {0}, kind = {0}, info = {0};
    for (char item[32]; next_item(&dims, item, sizeof item);) {
        StrBuf dim = {0};
        if (*item >= '0' && *item <= '9') put_integer(&dim, 1, atoll(item));
        else put_bytes(&dim, 2, item, strlen(item));
        put_part(&shape, 1, &dim);
    }
    put_integer(&tensor, 1, type), put_part(&tensor, 2, &shape), put_part(&kind, 1, &tensor);
    put_bytes(&info, 1, name, strlen(name)), put_part(&info, 2, &kind), put_part(&m->graph, 11, &info);
}

/* With these numbers again and again; no dims: a scalar. */
static void message_constant(Message *m, const char *name, ElementType type, const char *dims, const char *numbers) {
    StrBuf t = {0}, data = {0};
    int64_t count = 1;
    for (char item[32]; next_item(&dims, item, sizeof item); count *= atoll(item)) put_integer(&t, 1, atoll(item));
    const char *at = numbers;
    for (char item[32]; count > 0; count--) {
        if (!*at) at = numbers;
        next_item(&at, item, sizeof item);
        float real = strtof(item, NULL);
        int64_t integer = strtoll(item, NULL, 10); /* little endian, of as many bytes as the type has */
        if (type == ONNX_FLOAT) strbuf_add_n(&data, (char *)&real, sizeof real);
        else strbuf_add_n(&data, (char *)&integer, type == ONNX_I32 ? 4 : 8);
    }
    put_integer(&t, 2, type), put_bytes(&t, 8, name, strlen(name)), put_part(&t, 9, &data), put_part(&m->graph, 5, &t);
}

MAYBE_UNUSED static void message_integers(Message *m, const char *name, const char *numbers) {
    int count = *numbers != 0;
    for (const char *c = numbers; *c; c++) count += *c == ',';
    message_constant(m, name, ONNX_I64, text("%d", count), numbers);
}

static void message_attribute(StrBuf *node, const char *given) {
    StrBuf a = {0};
    size_t n = strcspn(given, "=");
    const char *value = given + n + 1, *list = value + 1;
    const bool listed = *value == '[', reals = listed && strchr(value, '.'), number = (*value >= '0' && *value <= '9') || *value == '-';
    char item[32];
    put_bytes(&a, 1, given, n);
    while (listed && next_item(&list, item, sizeof item)) {
        float real = strtof(item, NULL);
        if (!reals) put_integer(&a, 8, strtoll(item, NULL, 10));
        else put_varint(&a, 7 << 3 | 5), strbuf_add_n(&a, (char *)&real, sizeof real);
    }
    if (!listed && number) put_integer(&a, 3, strtoll(value, NULL, 10));
    if (!listed && !number) put_bytes(&a, 4, value, strlen(value));
    put_integer(&a, 20, reals ? 6 : listed ? 7 : number ? 2 : 3); /* AttributeProto's types */
    put_part(node, 5, &a);
}

static void message_node(Message *m, const char *type, const char *inputs, const char *outputs, const char *attributes) {
    StrBuf node = {0};
    char item[128];
    while (next_item(&inputs, item, sizeof item)) put_bytes(&node, 1, item, strlen(item));
    while (next_item(&outputs, item, sizeof item)) put_bytes(&node, 2, item, strlen(item));
    put_bytes(&node, 4, type, strlen(type));
    while (*attributes) {
        size_t n = strcspn(attributes, " ");
        snprintf(item, sizeof item, "%.*s", (int)n, attributes);
        message_attribute(&node, item);
        attributes += n + (attributes[n] == ' ');
    }
    put_part(&m->graph, 1, &node);
}

/* The bytes of a file; of a graph without another output than those. */
static StrBuf message_model(Message *m, int opset, const char *outputs) {
    StrBuf model = {0}, set = {0};
    for (char item[32]; next_item(&outputs, item, sizeof item);) {
        StrBuf info = {0};
        put_bytes(&info, 1, item, strlen(item)), put_part(&m->graph, 12, &info);
    }
    put_integer(&set, 2, opset), put_part(&model, 8, &set), put_part(&model, 7, &m->graph);
    return model;
}
#endif
