/* SPDX-License-Identifier: MIT */
#include "base/handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A handle, from the top: 24 bits generation (from 1), 16 bits kind, 24 bits slot. The last slot
 * number is never given out, so no handle is all ones, as INVALID_HANDLE_VALUE is. A slot whose
 * generations are used up is retired: no handle is ever given out twice.
 *
 * A slot's word has the handle's upper 40 bits, then one bit that says that the handle is open, and
 * how often it was acquired. So acquiring is one compare-and-swap that finds out whether the handle
 * is good, and counts, in one step; it waits for nobody, and those of different handles touch
 * nothing in common. What is acquired is given back at the object:
 *
 * (1) the object's references + its slot's count - IN_TABLE (while it has one) are those held.
 * (2) removing closes the word, and only then moves its count to the object: references do not
 *     reach 0 before, since nobody holds as many as IN_TABLE.
 * (3) a count that grows big is credited to the object before it is taken out of the word, by a
 *     thread that holds a reference meanwhile: held too long for a moment, never too short.
 * (4) a slot's object changes only while its word is closed, and a word never comes back. So the
 *     object that was read before a successful compare-and-swap is that word's. */
#define SLOT_BITS 24
#define KIND_BITS 16
#define SLOTS_MOST ((1u << SLOT_BITS) - 1)
#define GENERATION_MOST ((1u << 24) - 1)
#define GENERATION_SHIFT (SLOT_BITS + KIND_BITS)
#define NO_SLOT UINT32_MAX

#define WORD_OPEN (1ull << (SLOT_BITS - 1))
#define WORD_COUNT (WORD_OPEN - 1)
#define COUNT_MOST (1u << 16) /* the rest is for threads that add to it at this moment */
#define IN_TABLE (1ll << 60)

/* Slots lie in segments that never move; each but the first is as big as all before it. */
#define SEGMENT_BITS 4
#define SEGMENTS (SLOT_BITS - SEGMENT_BITS + 1)

struct slot {
    _Atomic uint64_t word;
    _Atomic(struct handle_object *) object;
    uint32_t next_free; /* the table's lock */
};

struct handle_table {
    _Atomic(struct slot *) segments[SEGMENTS];
    pthread_mutex_t lock; /* of what follows */
    uint32_t used;        /* slots that were ever in use */
    uint32_t free;        /* the first free one of these */
    uint32_t count;
    uint32_t most;
};

static unsigned segment_of(uint32_t slot)
{
    return slot >> SEGMENT_BITS == 0 ? 0 : 32 - SEGMENT_BITS - (unsigned)__builtin_clz(slot);
}

static uint32_t segment_first(unsigned segment)
{
    return segment == 0 ? 0 : 1u << (SEGMENT_BITS + segment - 1);
}

static uint32_t segment_size(unsigned segment)
{
    return segment == 0 ? 1u << SEGMENT_BITS : segment_first(segment);
}

/* NULL: never in use. */
static struct slot *slot_at(struct handle_table *t, uint32_t slot)
{
    unsigned segment = segment_of(slot);
    if (segment >= SEGMENTS)
        return NULL;
    struct slot *slots = atomic_load_explicit(&t->segments[segment], memory_order_acquire);
    return slots ? &slots[slot - segment_first(segment)] : NULL;
}

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
    for (uint32_t i = 0; i < t->used; i++) {
        uint64_t word = atomic_load(&slot_at(t, i)->word);
        handle_unref(handle_remove(t, (word & ~(WORD_OPEN | WORD_COUNT)) | i, 0));
    }
    pthread_mutex_destroy(&t->lock);
    for (unsigned i = 0; i < SEGMENTS; i++)
        free(t->segments[i]);
    free(t);
}

static int add_segment_locked(struct handle_table *t, unsigned segment)
{
    struct slot *slots = calloc(segment_size(segment), sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    atomic_store_explicit(&t->segments[segment], slots, memory_order_release);
    return 0;
}

static int take_slot_locked(struct handle_table *t, uint32_t *ret)
{
    if (t->count >= t->most)
        return -ENOSPC;
    if (t->free != NO_SLOT) {
        *ret = t->free;
        t->free = slot_at(t, *ret)->next_free;
        return 0;
    }
    if (t->used == SLOTS_MOST)
        return -ENOSPC;
    if (!slot_at(t, t->used)) {
        int r = add_segment_locked(t, segment_of(t->used));
        if (r < 0)
            return r;
    }
    *ret = t->used++;
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
        struct slot *s = slot_at(t, slot);
        uint64_t before = atomic_load_explicit(&s->word, memory_order_relaxed);
        uint64_t word = ((before >> GENERATION_SHIFT) + 1) << GENERATION_SHIFT | (uint64_t)kind
                                                                                     << SLOT_BITS;
        o->release = release;
        o->kind = kind;
        __atomic_store_n(&o->references, IN_TABLE, __ATOMIC_RELAXED);
        atomic_store_explicit(&s->object, o, memory_order_relaxed);
        t->count++;
        *ret_handle = word | slot; /* before it can be found */
        atomic_store_explicit(&s->word, word | WORD_OPEN, memory_order_release);
    }
    pthread_mutex_unlock(&t->lock);
    return r;
}

static bool is_open(uint64_t word, handle_t h, uint16_t kind)
{
    return word >> SLOT_BITS == h >> SLOT_BITS && (word & WORD_OPEN) != 0 &&
           (kind == 0 || (uint16_t)(h >> SLOT_BITS) == kind);
}

static void credit(struct handle_object *o, int64_t references)
{
    __atomic_fetch_add(&o->references, references, __ATOMIC_ACQ_REL);
}

/* (3). The word is as it was when the caller acquired o. */
static void relieve(struct slot *s, struct handle_object *o, uint64_t word)
{
    const uint64_t mine = word & ~WORD_COUNT;

    credit(o, COUNT_MOST);
    do {
        if ((word & ~WORD_COUNT) != mine || (word & WORD_COUNT) < COUNT_MOST) {
            credit(o, -(int64_t)COUNT_MOST); /* who removed it, or was faster, has counted it */
            return;
        }
    } while (!atomic_compare_exchange_weak_explicit(&s->word, &word, word - COUNT_MOST,
                                                    memory_order_acq_rel, memory_order_acquire));
}

struct handle_object *handle_acquire(struct handle_table *t, handle_t h, uint16_t kind)
{
    struct slot *s = slot_at(t, h & SLOTS_MOST);
    if (!s)
        return NULL;
    uint64_t word = atomic_load_explicit(&s->word, memory_order_acquire);
    struct handle_object *o;
    do {
        if (!is_open(word, h, kind))
            return NULL;
        o = atomic_load_explicit(&s->object, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&s->word, &word, word + 1, memory_order_acq_rel,
                                                    memory_order_acquire));
    if ((word & WORD_COUNT) >= COUNT_MOST)
        relieve(s, o, word + 1);
    return o;
}

static void free_slot(struct handle_table *t, struct slot *s, uint32_t slot)
{
    pthread_mutex_lock(&t->lock);
    t->count--;
    if (atomic_load_explicit(&s->word, memory_order_relaxed) >> GENERATION_SHIFT <
        GENERATION_MOST) {
        s->next_free = t->free;
        t->free = slot;
    }
    pthread_mutex_unlock(&t->lock);
}

struct handle_object *handle_remove(struct handle_table *t, handle_t h, uint16_t kind)
{
    struct slot *s = slot_at(t, h & SLOTS_MOST);
    if (!s)
        return NULL;
    uint64_t word = atomic_load_explicit(&s->word, memory_order_acquire);
    struct handle_object *o;
    do {
        if (!is_open(word, h, kind))
            return NULL;
        o = atomic_load_explicit(&s->object, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&s->word, &word,
                                                    word & ~(WORD_OPEN | WORD_COUNT),
                                                    memory_order_acq_rel, memory_order_acquire));
    free_slot(t, s, h & SLOTS_MOST);
    credit(o, (int64_t)(word & WORD_COUNT) + 1 - IN_TABLE);
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
