/* arena.c: memory that lives as long as the compilation.
 *
 * Every allocation is a block of its own in a list, freed as a whole. There are no pooled chunks on purpose: a
 * compilation makes few allocations, and this way an address sanitizer sees the bounds of each. A block knows its size,
 * which is how arena_grow finds an array's capacity. Nothing is freed one by one, and no allocation ever returns NULL.
 */
#define _POSIX_C_SOURCE 200809L
#include "cnnc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 };

typedef struct Block Block;
struct Block {
    _Alignas(ALIGNMENT) Block *next;
    size_t size; /* of the memory that follows */
};

struct Arena {
    Block *blocks;
};

Arena *arena_new(void) {
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena) out_of_memory();
    return arena;
}

void arena_free(Arena *arena) {
    if (!arena) return;
    for (Block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void *arena_alloc(Arena *arena, size_t size) {
    void *memory;
    if (size > SIZE_MAX - sizeof(Block)) out_of_memory();
    if (posix_memalign(&memory, ALIGNMENT, sizeof(Block) + size) != 0) out_of_memory();
    memset(memory, 0, sizeof(Block) + size);
    Block *block = memory;
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    return block + 1;
}

char *arena_string(Arena *arena, const char *s, size_t length) {
    if (length == SIZE_MAX) out_of_memory();
    char *copy = arena_alloc(arena, length + 1);
    if (length) memcpy(copy, s, length);
    return copy;
}

char *arena_printf(Arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) bug("arena_printf: bad format '%s'", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

/* Needs items to be NULL or the start of an allocation of this arena, whichever function made it. */
void *arena_grow(Arena *arena, void *items, size_t length, size_t size) {
    size_t held = items ? ((Block *)items - 1)->size : 0;
    if (length >= SIZE_MAX / size / 2) out_of_memory();
    if ((length + 1) * size <= held) return items;
    void *grown = arena_alloc(arena, (length < 4 ? 8 : 2 * length) * size);
    if (items) memcpy(grown, items, length * size);
    return grown;
}

char *arena_real(Arena *arena, double x) {
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    bool whole = !strpbrk(text, ".en"); /* n: inf and nan */
    return arena_printf(arena, "%s%s", text, whole ? ".0" : "");
}
