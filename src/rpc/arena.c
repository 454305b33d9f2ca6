/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/macro.h"
#include "rpc/rpc.h"

#define BLOCK_SIZE 1024 /* enough for most calls */
#define ALIGNMENT 16

struct rpc_arena_block {
    struct rpc_arena_block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) uint8_t data[];
};

void rpc_arena_fini(struct rpc_arena *a)
{
    struct rpc_arena_block *next;

    for (struct rpc_arena_block *b = a->blocks; b; b = next) {
        next = b->next;
        quota_give(a->quota, b->size);
        free(b);
    }
    a->blocks = NULL;
    a->used = 0;
}

void *rpc_arena_alloc(struct rpc_arena *a, size_t size)
{
    struct rpc_arena_block *b = a->blocks;
    void *p;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = ALIGN_UP(MAX(size, (size_t)1), (size_t)ALIGNMENT);
    if (a->limit > 0 && (size > a->limit || a->used > a->limit - size))
        return NULL;
    if (!b || b->size - b->used < size) {
        size_t room = MAX(size, (size_t)BLOCK_SIZE);

        if (!quota_take(a->quota, room))
            return NULL;
        b = calloc(1, sizeof(*b) + room);
        if (!b) {
            quota_give(a->quota, room);
            return NULL;
        }
        b->size = room;
        b->next = a->blocks;
        a->blocks = b;
    }
    p = b->data + b->used;
    b->used += size;
    a->used += size;
    return p;
}

char *rpc_arena_text(struct rpc_arena *a, const char *text)
{
    size_t size;
    char *copy;

    if (!text)
        return NULL;
    size = strlen(text) + 1;
    copy = rpc_arena_alloc(a, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}
