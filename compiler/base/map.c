/* map.c: values by name.
 *
 * A hash table of open addressing, at most half full, whose memory is the arena's. Keys are not copied, nothing is ever
 * taken out, and there is no order: who needs one keeps a list beside it.
 */
#include "base.h"

#include <string.h>

/* Where the key is, or would be. Needs a capacity, a power of two, and a free place. */
static size_t place_of(const Map *map, const char *key) {
    size_t h = (size_t)hash_text(HASH_START, key);
    for (h &= map->capacity - 1; map->keys[h] && strcmp(map->keys[h], key) != 0;) h = (h + 1) & (map->capacity - 1);
    return h;
}

static void grow(Arena *arena, Map *map) {
    Map old = *map;
    map->capacity = old.capacity ? 2 * old.capacity : 64;
    map->keys = NEW_ARRAY(arena, const char *, map->capacity);
    map->values = NEW_ARRAY(arena, void *, map->capacity);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i]) continue;
        size_t at = place_of(map, old.keys[i]);
        map->keys[at] = old.keys[i];
        map->values[at] = old.values[i];
    }
}

void *map_get(const Map *map, const char *key) {
    return map->capacity ? map->values[place_of(map, key)] : NULL;
}

void map_set(Arena *arena, Map *map, const char *key, const void *value) {
    if (2 * map->used >= map->capacity) grow(arena, map);
    size_t at = place_of(map, key);
    map->used += !map->keys[at];
    map->keys[at] = key;
    map->values[at] = (void *)(uintptr_t)value;
}
