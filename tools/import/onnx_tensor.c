/* onnx_tensor.c: numbers of a file: each kind as floats or as 64-bit integers, as many as its dimensions say and no others. */
#include "onnx.h"
#include "onnx.pb-c.h"
#include "cnnc_runtime.h"

#include <string.h>

bool is_real_type(ElementType t) { return t == ONNX_FLOAT || t == ONNX_F16 || t == ONNX_DOUBLE || t == ONNX_BF16; }

Numbers *new_constant(Onnx *o, ElementType type, int rank, const int64_t *dims) {
    Numbers *c = NEW(o->arena, Numbers);
    if (rank > ONNX_RANK || !element_count(rank, dims, &c->count)) return NULL;
    c->type = type;
    c->rank = rank;
    for (int i = 0; i < rank; i++) c->dims[i] = dims[i];
    if (is_real_type(type)) c->reals = NEW_ARRAY(o->arena, float, c->count);
    else c->integers = NEW_ARRAY(o->arena, int64_t, c->count);
    return c;
}

double constant_at(const Numbers *c, size_t i) { return c->reals ? (double)c->reals[i] : (double)c->integers[i]; }

bool is_uniform(const Numbers *c, double *value) {
    if (!c->count) return false;
    *value = constant_at(c, 0);
    for (size_t i = 1; i < c->count; i++)
        if (constant_at(c, i) != *value) return false;
    return true;
}

bool is_scalar(const Numbers *c, double *value) { return c && c->count == 1 && is_uniform(c, value); }

/* ---- kinds of numbers ---------------------------------------------------------------------------------------------------- */

static float from_16_bits(cnnc_dtype dtype, uint16_t bits) {
    const cnnc_array one = {.dtype = dtype, .count = 1, .data = &bits};
    float f = 0;
    cnnc_error error;
    (void)cnnc_array_convert(&one, 0, 1, CNNC_F32, &f, &error); /* to a float that cannot fail */
    return f;
}

static uint64_t little_endian(const uint8_t *bytes, size_t size) {
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++) n |= (uint64_t)bytes[i] << 8 * i;
    return n;
}

static float real_of(ElementType type, uint64_t bits) {
    float f;
    double d;
    uint32_t low = (uint32_t)bits;
    switch (type) {
    case ONNX_F16: return from_16_bits(CNNC_DTYPE_F16, (uint16_t)bits);
    case ONNX_BF16: return from_16_bits(CNNC_DTYPE_BF16, (uint16_t)bits);
    case ONNX_DOUBLE: return memcpy(&d, &bits, sizeof d), (float)d;
    default: return memcpy(&f, &low, sizeof f), f;
    }
}

/* Of `size` bytes, with its sign where the type has one. The least one of 64 bits, as the end of a slice, would be FREE; the next does as well. */
static int64_t integer_of(ElementType type, uint64_t bits, size_t size) {
    if (type == ONNX_I64 && (int64_t)bits == FREE) return FREE + 1;
    bool with_sign = type == ONNX_I8 || type == ONNX_I16 || type == ONNX_I32;
    uint64_t sign = (uint64_t)1 << (8 * size - 1);
    return (int64_t)(with_sign && bits & sign ? bits | ~(2 * sign - 1) : bits);
}

/* Bytes of one in raw data; 0: no type that is read. */
static size_t size_of(ElementType type) {
    static const uint8_t sizes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2};
    return (unsigned)type < sizeof sizes ? sizes[type] : 0;
}

static void read_raw(Numbers *c, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < c->count; i++) {
        uint64_t bits = little_endian(bytes + i * size, size);
        if (c->reals) c->reals[i] = real_of(c->type, bits);
        else c->integers[i] = integer_of(c->type, bits, size);
    }
}

/* Fields of their own: how many there are, and their numbers. 16-bit floats come as integers. */
static size_t field_count(const Onnx__TensorProto *t) {
    switch (t->data_type) {
    case ONNX_FLOAT: return t->n_float_data;
    case ONNX_DOUBLE: return t->n_double_data;
    case ONNX_I64: return t->n_int64_data;
    case ONNX_U32: case ONNX_U64: return t->n_uint64_data;
    default: return t->n_int32_data;
    }
}

static void read_fields(Numbers *c, const Onnx__TensorProto *t) {
    for (size_t i = 0; i < c->count; i++)
        switch (c->type) {
        case ONNX_FLOAT: c->reals[i] = t->float_data[i]; break;
        case ONNX_DOUBLE: c->reals[i] = (float)t->double_data[i]; break;
        case ONNX_F16: case ONNX_BF16: c->reals[i] = real_of(c->type, (uint16_t)t->int32_data[i]); break;
        case ONNX_I64: c->integers[i] = integer_of(c->type, (uint64_t)t->int64_data[i], 8); break;
        case ONNX_U32: case ONNX_U64: c->integers[i] = (int64_t)t->uint64_data[i]; break;
        default: c->integers[i] = t->int32_data[i];
        }
}

/* ---- tensors --------------------------------------------------------------------------------------------------------------- */

static Numbers *refuse_tensor(Onnx *o, const char *place, const char *why) { return fail(o->model, place, "%s", why), NULL; }

Numbers *tensor_constant(Onnx *o, const void *tensor, const char *place) {
    const Onnx__TensorProto *t = tensor;
    size_t size = t->data_type < 0 ? 0 : size_of((ElementType)t->data_type), count;
    if (t->data_location) return refuse_tensor(o, place, "is in another file, which is not read; save the model with all its data in one");
    if (t->segment) return refuse_tensor(o, place, "comes in segments, which are not read");
    if (!size) return fail(o->model, place, "has elements of type %d, which are not read", t->data_type), NULL;
    if (t->n_dims > ONNX_RANK) return fail(o->model, place, "has %zu dimensions, more than %d", t->n_dims, ONNX_RANK), NULL;
    if (!element_count((int)t->n_dims, t->dims, &count)) return refuse_tensor(o, place, "has a dimension below 0, or 2^31 elements or more");
    bool raw = t->raw_data.len > 0 || !field_count(t);
    if (raw ? t->raw_data.len != count * size : field_count(t) != count)
        return fail(o->model, place, "has data of %zu %s, not of %zu", raw ? t->raw_data.len : field_count(t), raw ? "bytes" : "elements", raw ? count * size : count), NULL;
    Numbers *c = new_constant(o, (ElementType)t->data_type, (int)t->n_dims, t->dims);
    if (!c) return NULL;
    if (raw) read_raw(c, t->raw_data.data, size);
    else read_fields(c, t);
    for (size_t i = 0; c->type == ONNX_U64 && i < count; i++)
        if (c->integers[i] < 0) return refuse_tensor(o, place, "has an integer of 2^63 or more");
    return c;
}

Numbers *tensor_file(Onnx *o, const char *path) {
    char *bytes;
    size_t length;
    const char *message = read_file(o->arena, path, &bytes, &length);
    if (message) return fail(o->model, NULL, "%s", message), NULL;
    Onnx__TensorProto *t = length ? onnx__tensor_proto__unpack(NULL, length, (const uint8_t *)bytes) : NULL;
    if (!t) return fail(o->model, NULL, "%s is no tensor of ONNX", path), NULL;
    Numbers *c = tensor_constant(o, t, path);
    onnx__tensor_proto__free_unpacked(t, NULL);
    return c;
}
