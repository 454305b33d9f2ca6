/* SPDX-License-Identifier: MIT */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

/* Text to pointer. Keys are compared without regard to case (text_fold), as the names and ids of
 * a cluster are; the map keeps its own copy of each key. Iteration follows insertion order. */
struct map;

struct map *map_create(void);    /* NULL when out of memory */
void map_destroy(struct map *m); /* NULL is fine; the values are the caller's */
size_t map_count(const struct map *m);
void *map_get(const struct map *m, const char *key);      /* NULL when absent */
int map_put(struct map *m, const char *key, void *value); /* 0, -EEXIST, -ENOMEM; value not NULL */
void *map_remove(struct map *m, const char *key);         /* the value, or NULL */

/* `for (struct map_entry *e = map_first(m); e; e = map_next(m, e))`. The present entry, and no
 * other, may be removed in the body if its successor was taken before. */
struct map_entry {
    char *key; /* as it was put, case kept */
    void *value;
};

struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map *m, const struct map_entry *e);

static inline void map_destroyp(struct map **m)
{
    map_destroy(*m);
}

#endif
