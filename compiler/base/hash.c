/* hash.c: FNV-1a, of texts and numbers: for tables, and for names of what is kept. Not against whoever wants two to be the same. */
#include "base.h"

uint64_t hash_number(uint64_t h, uint64_t number) { return (h ^ number) * 1099511628211u; }

uint64_t hash_text(uint64_t h, const char *s) {
    for (; *s; s++) h = hash_number(h, (unsigned char)*s);
    return hash_number(h, 0xff); /* its end: which no text in UTF-8 has in it */
}
