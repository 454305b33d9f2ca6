/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define BUCKETS_FIRST 16

struct node {
    struct map_entry entry;
    uint64_t hash;
    struct node *chain;           /* the next in the bucket */
    struct node *previous, *next; /* insertion order */
    char key[];
};

struct map {
    struct node **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    struct node *first, *last;
};

struct map *map_create(void)
{
    struct map *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->bucket_count = BUCKETS_FIRST;
    m->buckets = calloc(m->bucket_count, sizeof(*m->buckets));
    if (!m->buckets) {
        free(m);
        return NULL;
    }
    return m;
}

void map_destroy(struct map *m)
{
    if (!m)
        return;
    for (struct node *n = m->first, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(m->buckets);
    free(m);
}

size_t map_count(const struct map *m)
{
    return m->count;
}

/* Where the link to the key's node is, or would be. */
static struct node **find_link(const struct map *m, const char *key, uint64_t hash)
{
    struct node **link = &m->buckets[hash & (m->bucket_count - 1)];
    while (*link && ((*link)->hash != hash || !text_equal((*link)->key, key)))
        link = &(*link)->chain;
    return link;
}

void *map_get(const struct map *m, const char *key)
{
    const struct node *n = *find_link(m, key, text_hash(key));
    return n ? n->entry.value : NULL;
}

/* Without memory the chains grow longer; nothing else suffers. */
static void grow(struct map *m)
{
    const size_t count = m->bucket_count * 2;
    struct node **buckets = calloc(count, sizeof(*buckets));
    if (!buckets)
        return;
    for (struct node *n = m->first; n; n = n->next) {
        struct node **head = &buckets[n->hash & (count - 1)];
        n->chain = *head;
        *head = n;
    }
    free(m->buckets);
    m->buckets = buckets;
    m->bucket_count = count;
}

int map_put(struct map *m, const char *key, void *value)
{
    PRE(value);
    const uint64_t hash = text_hash(key);
    if (*find_link(m, key, hash))
        return -EEXIST;

    const size_t key_size = strlen(key) + 1;
    struct node *n = malloc(sizeof(*n) + key_size);
    if (!n)
        return -ENOMEM;
    if (m->count >= m->bucket_count)
        grow(m);

    memcpy(n->key, key, key_size);
    n->entry = (struct map_entry){.key = n->key, .value = value};
    n->hash = hash;
    struct node **head = &m->buckets[hash & (m->bucket_count - 1)];
    n->chain = *head;
    *head = n;
    n->previous = m->last;
    n->next = NULL;
    *(m->last ? &m->last->next : &m->first) = n;
    m->last = n;
    m->count++;
    return 0;
}

void *map_remove(struct map *m, const char *key)
{
    struct node **link = find_link(m, key, text_hash(key));
    struct node *n = *link;
    if (!n)
        return NULL;

    *link = n->chain;
    *(n->previous ? &n->previous->next : &m->first) = n->next;
    *(n->next ? &n->next->previous : &m->last) = n->previous;
    m->count--;
    void *value = n->entry.value;
    free(n);
    return value;
}

struct map_entry *map_first(const struct map *m)
{
    return m->first ? &m->first->entry : NULL;
}

struct map_entry *map_next(const struct map *m, const struct map_entry *e)
{
    (void)m;
    const struct node *n = container_of(e, const struct node, entry);
    return n->next ? &n->next->entry : NULL;
}
