/* tfevents.c: TensorBoard's event files: TFRecords, each a protobuf Event, of which only what scalars need is written. */
#include "private.h"

#include <string.h>

/* ---- records ----------------------------------------------------------------------------------------------------- */

uint32_t cnnc_crc32c(const void *bytes, size_t size) {
    const unsigned char *p = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) /* records are few and short: no table */
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

uint32_t cnnc_crc32c_masked(const void *bytes, size_t size) {
    uint32_t crc = cnnc_crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void little_endian(unsigned char *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

int cnnc_tfrecord_write(FILE *out, const void *bytes, size_t size) {
    unsigned char head[12], tail[4];
    little_endian(head, size, 8);
    little_endian(head + 8, cnnc_crc32c_masked(head, 8), 4);
    little_endian(tail, cnnc_crc32c_masked(bytes, size), 4);
    return fwrite(head, 1, 12, out) == 12 && fwrite(bytes, 1, size, out) == size && fwrite(tail, 1, 4, out) == 4 ? 0 : -1;
}

/* ---- protobuf ---------------------------------------------------------------------------------------------------- */

enum { VARINT = 0, BYTES8 = 1, LENGTH = 2, BYTES4 = 5, ROOM = 512 };

typedef struct message {
    unsigned char bytes[ROOM];
    size_t size;
} message;

static void add_varint(message *m, uint64_t value) {
    for (; value > 0x7f; value >>= 7)
        m->bytes[m->size++] = (unsigned char)(value | 0x80);
    m->bytes[m->size++] = (unsigned char)value;
}

static void add_key(message *m, int field, int type) {
    add_varint(m, (uint64_t)(field << 3 | type));
}

static void add_bytes(message *m, int field, const void *bytes, size_t size) {
    add_key(m, field, LENGTH);
    add_varint(m, size);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

/* Event: 1 wall_time, 2 step. */
static message new_event(double seconds, int64_t step) {
    message m = {.size = 0};
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    add_key(&m, 1, BYTES8);
    little_endian(m.bytes + m.size, bits, 8);
    m.size += 8;
    add_key(&m, 2, VARINT);
    add_varint(&m, (uint64_t)step);
    return m;
}

/* Event: 3 file_version. */
int cnnc_tfevents_version(FILE *out, double seconds) {
    message event = new_event(seconds, 0);
    add_bytes(&event, 3, "brain.Event:2", 13);
    return cnnc_tfrecord_write(out, event.bytes, event.size);
}

/* Event: 7 session_log; SessionLog: 1 status, of which 1 is START. */
int cnnc_tfevents_start(FILE *out, double seconds, int64_t step) {
    message event = new_event(seconds, step);
    add_bytes(&event, 7, "\x08\x01", 2);
    return cnnc_tfrecord_write(out, event.bytes, event.size);
}

/* Event: 5 summary; Summary: 1 value; Value: 1 tag, 2 simple_value. A longer tag than any metric has is cut. */
int cnnc_tfevents_scalar(FILE *out, double seconds, int64_t step, const char *tag, float number) {
    message value = {.size = 0}, summary = {.size = 0}, event = new_event(seconds, step);
    size_t length = strlen(tag);
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    add_bytes(&value, 1, tag, length < ROOM / 2 ? length : ROOM / 2);
    add_key(&value, 2, BYTES4);
    little_endian(value.bytes + value.size, bits, 4);
    value.size += 4;
    add_bytes(&summary, 1, value.bytes, value.size);
    add_bytes(&event, 5, summary.bytes, summary.size);
    return cnnc_tfrecord_write(out, event.bytes, event.size);
}
