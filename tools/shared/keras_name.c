/* keras_name.c: a layer's name by its class: an underscore before a capital with small letters behind it, and between a small letter and a
 * capital; all in small letters. */
#include "keras_name.h"

#include <ctype.h>
#include <string.h>

const char *keras_name(Arena *arena, const char *class) {
    size_t n = strlen(class), k = 0;
    char *name = arena_alloc(arena, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        bool capital = isupper((unsigned char)class[i]);
        if (i && capital && (islower((unsigned char)class[i - 1]) || islower((unsigned char)class[i + 1])) && name[k - 1] != '_') name[k++] = '_';
        name[k++] = (char)tolower((unsigned char)class[i]);
    }
    return name;
}
