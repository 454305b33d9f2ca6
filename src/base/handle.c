/* SPDX-License-Identifier: MIT */
#include "base/handle.h"

#include <errno.h>
#include <pthread.h>

/* A handle, from the top: 24 bits generation (from 1), 16 bits kind, 24 bits slot. The last slot
 * number is never given out, so no handle is all ones, as INVALID_HANDLE_VALUE is. A slot whose
 * generations are used up is retired: no handle is ever given out twice. */
#define SLOT_BITS 24
#define KIND_BITS 16
#define SLOTS_MOST ((1u << SLOT_BITS) - 1)
#define GENERATION_MOST ((1u << 24) - 1)
#define SLOTS_FIRST 16
#define NO_SLOT UINT32_MAX

struct slot {
    struct handle_object *object; /* NULL: free */
    uint32_t generation;          /* of the present handle, or of the next one */
    uint32_t next_free;
};

struct handle_table {
    pthread_mutex_t lock;
    struct slot *slots;
    uint32_t used; /* slots that were ever in use */
    uint32_t capacity;
    uint32_t free; /* the first free one of these */
    uint32_t count;
    uint32_t most;
};

struct handle_table *handle_table_create(uint32_t most)
{
    struct handle_table *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        return NULL;
    }
    t->free = NO_SLOT;
    t->most = MIN(most, SLOTS_MOST);
    return t;
}

void handle_table_destroy(struct handle_table *t)
{
    if (!t)
        return;
    /* A release function may still remove other handles. */
    for (uint32_t i = 0; i < t->used; i++)
        handle_unref(TAKE_PTR(t->slots[i].object));
    pthread_mutex_destroy(&t->lock);
    free(t->slots);
    free(t);
}

static int grow_locked(struct handle_table *t)
{
    if (t->capacity == SLOTS_MOST)
        return -ENOSPC;
    uint32_t capacity = MIN(MAX(t->capacity * 2, (uint32_t)SLOTS_FIRST), SLOTS_MOST);
    struct slot *slots = reallocarray(t->slots, capacity, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    t->slots = slots;
    t->capacity = capacity;
    return 0;
}

static int take_slot_locked(struct handle_table *t, uint32_t *ret)
{
    if (t->count >= t->most)
        return -ENOSPC;
    if (t->free != NO_SLOT) {
        *ret = t->free;
        t->free = t->slots[*ret].next_free;
        return 0;
    }
    if (t->used == t->capacity) {
        int r = grow_locked(t);
        if (r < 0)
            return r;
    }
    *ret = t->used++;
    t->slots[*ret] = (struct slot){.generation = 1};
    return 0;
}

int handle_insert(struct handle_table *t, struct handle_object *o, uint16_t kind,
                  void (*release)(struct handle_object *o), handle_t *ret_handle)
{
    PRE(kind != 0);
    uint32_t slot;

    pthread_mutex_lock(&t->lock);
    int r = take_slot_locked(t, &slot);
    if (r == 0) {
        o->release = release;
        o->kind = kind;
        __atomic_store_n(&o->references, 1, __ATOMIC_RELAXED);
        t->slots[slot].object = o;
        t->count++;
        *ret_handle = (uint64_t)t->slots[slot].generation << (SLOT_BITS + KIND_BITS) |
                      (uint64_t)kind << SLOT_BITS | slot;
    }
    pthread_mutex_unlock(&t->lock);
    return r;
}

static struct slot *find_locked(struct handle_table *t, handle_t h, uint16_t kind)
{
    const uint32_t slot = h & SLOTS_MOST;
    const uint16_t handle_kind = (uint16_t)(h >> SLOT_BITS);

    if (slot >= t->used || (kind != 0 && handle_kind != kind))
        return NULL;
    struct slot *s = &t->slots[slot];
    if (!s->object || s->generation != h >> (SLOT_BITS + KIND_BITS) ||
        s->object->kind != handle_kind)
        return NULL;
    return s;
}

struct handle_object *handle_acquire(struct handle_table *t, handle_t h, uint16_t kind)
{
    pthread_mutex_lock(&t->lock);
    struct slot *s = find_locked(t, h, kind);
    struct handle_object *o = s ? handle_ref(s->object) : NULL;
    pthread_mutex_unlock(&t->lock);
    return o;
}

struct handle_object *handle_remove(struct handle_table *t, handle_t h, uint16_t kind)
{
    struct handle_object *o = NULL;

    pthread_mutex_lock(&t->lock);
    struct slot *s = find_locked(t, h, kind);
    if (s) {
        o = TAKE_PTR(s->object);
        t->count--;
        if (s->generation < GENERATION_MOST) {
            s->generation++;
            s->next_free = t->free;
            t->free = (uint32_t)(s - t->slots);
        }
    }
    pthread_mutex_unlock(&t->lock);
    return o;
}

struct handle_object *handle_ref(struct handle_object *o)
{
    __atomic_fetch_add(&o->references, 1, __ATOMIC_RELAXED);
    return o;
}

void handle_unref(struct handle_object *o)
{
    if (o && __atomic_fetch_sub(&o->references, 1, __ATOMIC_ACQ_REL) == 1)
        o->release(o);
}

uint32_t handle_count(struct handle_table *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t count = t->count;
    pthread_mutex_unlock(&t->lock);
    return count;
}
