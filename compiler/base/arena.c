/* arena.c: memory that lives as long as the compilation.
 *
 * Allocations are cut from chunks, larger ones have a chunk of their own; all are freed together. So that an address
 * sanitizer sees the bounds of each, with one every allocation is a chunk. An allocation knows its size, which is how
 * arena_grow finds an array's capacity. Nothing is freed one by one, and no allocation ever returns NULL.
 */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined SANITIZED || defined __SANITIZE_ADDRESS__
enum { CHUNK = 0 };
#else
enum { CHUNK = 16 << 10 };
#endif
enum { ALIGNMENT = _Alignof(max_align_t) };

typedef struct Chunk Chunk;
struct Chunk {
    _Alignas(ALIGNMENT) Chunk *next;
};
typedef struct Block { /* before each allocation */
    _Alignas(ALIGNMENT) size_t size;
} Block;

struct Arena {
    Chunk *chunks;
    unsigned char *free; /* of the chunk that is cut */
    size_t left;
};

Arena *arena_new(void) {
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena) out_of_memory();
    return arena;
}

void arena_free(Arena *arena) {
    if (!arena) return;
    for (Chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(arena);
}

/* A chunk of so many bytes, zeroed. */
static unsigned char *add_chunk(Arena *arena, size_t size) {
    Chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk) out_of_memory();
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return (unsigned char *)(chunk + 1);
}

void *arena_alloc(Arena *arena, size_t size) {
    if (size > SIZE_MAX - 2 * sizeof(Block) - sizeof(Chunk)) out_of_memory();
    size_t taken = sizeof(Block) + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Block *block;
    if (taken > CHUNK / 4) block = (Block *)(void *)add_chunk(arena, sizeof(Block) + size);
    else {
        if (taken > arena->left) arena->free = add_chunk(arena, arena->left = CHUNK);
        block = (Block *)(void *)arena->free;
        arena->free += taken;
        arena->left -= taken;
    }
    block->size = size;
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
