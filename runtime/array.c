/* array.c: arrays as files hold them, and their conversion to a network's types. */
#define _DEFAULT_SOURCE
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [CNNC_DTYPE_U8] = {"u8", 1},   [CNNC_DTYPE_I8] = {"i8", 1},   [CNNC_DTYPE_U16] = {"u16", 2},
    [CNNC_DTYPE_I16] = {"i16", 2}, [CNNC_DTYPE_U32] = {"u32", 4}, [CNNC_DTYPE_I32] = {"i32", 4},
    [CNNC_DTYPE_U64] = {"u64", 8}, [CNNC_DTYPE_I64] = {"i64", 8}, [CNNC_DTYPE_F16] = {"f16", 2},
    [CNNC_DTYPE_BF16] = {"bf16", 2}, [CNNC_DTYPE_F32] = {"f32", 4}, [CNNC_DTYPE_F64] = {"f64", 8},
};

size_t cnnc_dtype_size(cnnc_dtype dtype) {
    return dtypes[dtype].size;
}

const char *cnnc_dtype_name(cnnc_dtype dtype) {
    return dtypes[dtype].name;
}

cnnc_dtype cnnc_dtype_of(cnnc_type type) {
    static const cnnc_dtype stored[] = {
        [CNNC_F32] = CNNC_DTYPE_F32, [CNNC_F64] = CNNC_DTYPE_F64, [CNNC_U8] = CNNC_DTYPE_U8, [CNNC_I32] = CNNC_DTYPE_I32};
    return stored[type];
}

size_t cnnc_type_size(cnnc_type type) {
    return cnnc_dtype_size(cnnc_dtype_of(type));
}

const char *cnnc_type_name(cnnc_type type) {
    return cnnc_dtype_name(cnnc_dtype_of(type));
}

void cnnc_array_free(cnnc_array *array) {
    if (!array)
        return;
    free(array->data);
    *array = (cnnc_array){0};
}

/* 0 when it overflows. */
static int multiply(size_t a, size_t b, size_t *product) {
    if (b && a > SIZE_MAX / b)
        return 0;
    *product = a * b;
    return 1;
}

/* Large arrays ask for huge pages: training goes through all of its memory, and images come in any order. */
void *cnnc_allocate(size_t bytes) {
    static const size_t huge_page = (size_t)2 << 20;
    void *memory = NULL;
    size_t alignment = bytes < huge_page ? CNNC_ALIGNMENT : huge_page;
    if (bytes > SIZE_MAX - alignment)
        return NULL;
    bytes = bytes ? (bytes + alignment - 1) / alignment * alignment : alignment;
    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (alignment == huge_page)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* advice: nothing is lost where it is not taken */
#endif
    return memory;
}

static cnnc_byte_order machine_order(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first ? CNNC_LITTLE_ENDIAN : CNNC_BIG_ENDIAN;
}

void cnnc_reorder(cnnc_byte_order order, void *data, size_t count, size_t size) {
    unsigned char *element = data;
    if (size == 1 || order == machine_order())
        return;
    for (size_t i = 0; i < count; i++, element += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            unsigned char byte = element[low];
            element[low] = element[high];
            element[high] = byte;
        }
}

void cnnc_write_elements(FILE *out, const cnnc_array *array) {
    unsigned char chunk[65536];
    size_t size = cnnc_dtype_size(array->dtype), most = sizeof chunk / size;
    const unsigned char *from = array->data;
    for (size_t left = array->count, n; left > 0; left -= n, from += n * size) {
        n = left < most ? left : most;
        memcpy(chunk, from, n * size);
        cnnc_reorder(CNNC_LITTLE_ENDIAN, chunk, n, size);
        fwrite(chunk, size, n, out);
    }
}

int cnnc_array_measure(cnnc_array *array, size_t *bytes) {
    int empty = 0;
    size_t count = 1; /* of the dimensions that are not zero: even an empty array has to have a sane shape */
    for (int i = 0; i < array->rank; i++) {
        if (!array->shape[i])
            empty = 1;
        else if (!multiply(count, array->shape[i], &count))
            return CNNC_FAILED;
    }
    if (!multiply(count, cnnc_dtype_size(array->dtype), bytes) || *bytes > SIZE_MAX / 2)
        return CNNC_FAILED;
    array->count = empty ? 0 : count;
    *bytes = empty ? 0 : *bytes;
    return CNNC_OK;
}

void cnnc_shape_text(char *text, size_t size, int rank, const size_t *shape) {
    size_t used = 0;
    snprintf(text, size, "scalar");
    for (int i = 0; i < rank && used < size; i++) {
        int more = snprintf(text + used, size - used, i ? "x%zu" : "%zu", shape[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

void cnnc_tensor_text(char *text, size_t size, int rank, const int *shape) {
    size_t wide[CNNC_MAX_RANK];
    for (int i = 0; i < rank; i++)
        wide[i] = (size_t)shape[i];
    cnnc_shape_text(text, size, rank, wide);
}

/* IEEE half precision, exactly. */
static double from_half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                    : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -value : value;
}

static double from_bfloat(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

/* Element at p, which may be unaligned. 64-bit integers are rounded to double. */
static double load(cnnc_dtype dtype, const unsigned char *p) {
#define LOAD(type, expression) \
    {                          \
        type v;                \
        memcpy(&v, p, sizeof v); \
        return expression;     \
    }
    switch (dtype) {
    case CNNC_DTYPE_U8: return p[0];
    case CNNC_DTYPE_I8: LOAD(int8_t, v)
    case CNNC_DTYPE_U16: LOAD(uint16_t, v)
    case CNNC_DTYPE_I16: LOAD(int16_t, v)
    case CNNC_DTYPE_U32: LOAD(uint32_t, v)
    case CNNC_DTYPE_I32: LOAD(int32_t, v)
    case CNNC_DTYPE_U64: LOAD(uint64_t, (double)v)
    case CNNC_DTYPE_I64: LOAD(int64_t, (double)v)
    case CNNC_DTYPE_F16: LOAD(uint16_t, from_half(v))
    case CNNC_DTYPE_BF16: LOAD(uint16_t, from_bfloat(v))
    case CNNC_DTYPE_F32: LOAD(float, (double)v)
    case CNNC_DTYPE_F64: LOAD(double, v)
    }
#undef LOAD
    return 0;
}

static void to_floating(const cnnc_array *array, const unsigned char *from, size_t count, cnnc_type type, void *to) {
    size_t size = cnnc_dtype_size(array->dtype);
    if (type == CNNC_F64)
        for (size_t i = 0; i < count; i++)
            ((double *)to)[i] = load(array->dtype, from + i * size);
    else if (array->dtype == CNNC_DTYPE_U8)
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = from[i];
    else
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = (float)load(array->dtype, from + i * size);
}

static int to_integer(const cnnc_array *array, const unsigned char *from, size_t first, size_t count, cnnc_type type,
                      void *to, size_t *bad, cnnc_error *error) {
    size_t size = cnnc_dtype_size(array->dtype);
    double low = type == CNNC_U8 ? 0 : INT32_MIN, high = type == CNNC_U8 ? UINT8_MAX : INT32_MAX;
    for (size_t i = 0; i < count; i++) {
        double value = load(array->dtype, from + i * size);
        if (!(value >= low && value <= high) || value != floor(value)) {
            *bad = first + i;
            return cnnc_fail(error, "element %zu is %.9g, not an integer from %.0f to %.0f", first + i, value, low, high);
        }
        if (type == CNNC_U8)
            ((uint8_t *)to)[i] = (uint8_t)value;
        else
            ((int32_t *)to)[i] = (int32_t)value;
    }
    return CNNC_OK;
}

int cnnc_array_convert(const cnnc_array *array, size_t first, size_t count, cnnc_type type, void *to, cnnc_error *error) {
    size_t bad;
    return cnnc_array_convert_at(array, first, count, type, to, &bad, error);
}

int cnnc_array_convert_at(const cnnc_array *array, size_t first, size_t count, cnnc_type type, void *to, size_t *bad,
                          cnnc_error *error) {
    *bad = first;
    if (first > array->count || count > array->count - first)
        return cnnc_fail(error, "elements %zu .. %zu + %zu are not all among the array's %zu", first, first, count,
                         array->count);
    if (!count)
        return CNNC_OK;
    const unsigned char *from = (const unsigned char *)array->data + first * cnnc_dtype_size(array->dtype);
    if (array->dtype == cnnc_dtype_of(type))
        memcpy(to, from, count * cnnc_dtype_size(array->dtype));
    else if (type == CNNC_F32 || type == CNNC_F64)
        to_floating(array, from, count, type, to);
    else
        return to_integer(array, from, first, count, type, to, bad, error);
    return CNNC_OK;
}
