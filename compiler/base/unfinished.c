/* unfinished.c: what is removed when the process has to end before its outputs are whole. */
#include "base.h"

#include <stdio.h>

enum { MAX_UNFINISHED = 32 };
static const char *paths[MAX_UNFINISHED];
static int count;

int count_unfinished(void) { return count; }

void add_unfinished(const char *path) {
    if (count == MAX_UNFINISHED) bug("more than %d unfinished files", MAX_UNFINISHED);
    paths[count++] = path;
}

void remove_unfinished(int from) {
    while (count > from) (void)remove(paths[--count]); /* what is not there any more need not be removed */
}

void forget_unfinished(int from) { count = from; }
