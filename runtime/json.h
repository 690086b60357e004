/* json.h: pieces of JSON for safetensors.c. */
#ifndef CNNC_JSON_H
#define CNNC_JSON_H

#include "private.h"

typedef struct cnnc_json {
    const unsigned char *file, *p, *end; /* the file's first byte, the next one to read, the header's end */
    char *text;                          /* where decoded strings go; as many bytes as the header suffice */
    const char *name;                    /* of the file */
    cnnc_error *error;
} cnnc_json;

size_t cnnc_json_at(const cnnc_json *json);
int cnnc_json_fail(const cnnc_json *json, const char *what);
void cnnc_json_space(cnnc_json *json);

/* All skip white space first. accept: 1 when c came next. The others return CNNC_OK or CNNC_FAILED. */
int cnnc_json_accept(cnnc_json *json, char c);
int cnnc_json_expect(cnnc_json *json, char c);
int cnnc_json_string(cnnc_json *json, const char **string); /* UTF-8 without zero characters */
int cnnc_json_size(cnnc_json *json, size_t *value);         /* digits only */

int cnnc_utf8_length(const unsigned char *p, const unsigned char *end); /* bytes of a valid character, or 0; needs p < end */
void cnnc_json_write_string(FILE *out, const char *string);

#endif
