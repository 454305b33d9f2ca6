/* SPDX-License-Identifier: MIT */
#ifndef FEED_LAYOUT_H
#define FEED_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "change/change.h"

/* The shared memory: this page, the index, the ring.
 *
 * A position counts bytes since the feed was made; it lies at ring[position % ring_size]. Records
 * lie whole and 64-byte aligned; what is left at the ring's end is a filler. A record too big for
 * the ring leaves a gap in its place: its readers go to the journal.
 *
 * (1) reserved >= head, and bytes of positions below reserved - ring_size may be overwritten.
 * (2) The writer moves `reserved` before it stores into the ring (both in order of release), and
 *     `head` after. A reader that loads words (acquire), or copies by a call and a full barrier,
 *     and afterwards finds reserved - position <= ring_size has read what was written there.
 * (3) head_revision is stored before head: whoever sees a head sees at least its revision.
 * (4) index[(r / FEED_INDEX_STRIDE) % index_size] is the position of a record with a revision not
 *     above r, or of a newer one: never of a later place in the same lap. */

#define FEED_MAGIC 0x31444545464c4343ull /* "CCLFEED1" */
#define FEED_VERSION 1
#define FEED_PAGE 4096
#define FEED_INDEX_STRIDE 64
#define FEED_NO_POSITION UINT64_MAX

struct feed_page {
    uint64_t magic;
    uint32_t version;
    uint32_t index_size; /* entries; a power of two */
    uint64_t ring_size;  /* bytes; a power of two */
    /* On a line of their own: every reader polls them, only the writer stores. */
    _Alignas(64) _Atomic uint64_t reserved;
    _Atomic uint64_t head;
    _Atomic uint64_t head_revision;
    _Alignas(64) _Atomic uint32_t sequence; /* the futex: one up a batch */
    _Atomic uint32_t ended;
    /* Set once, before anybody is given the feed. */
    uint64_t life_revision;
    int64_t life_since_ns;
};

/* Both halves are above CHANGE_MAX_SIZE: no record begins so, wherever its size stands. */
#define FEED_FILLER 0xf1f1f1f1f1f1f1f1ull

struct feed_filler {
    uint64_t mark;
    uint64_t size;     /* to the next record */
    uint64_t revision; /* of the change that is not here; 0: none, the ring's end */
    uint64_t kind;
};

#define FEED_HEAD_WORDS (CHANGE_ALIGNMENT / sizeof(uint64_t))

static inline size_t feed_index_size(uint64_t ring_size)
{
    return ring_size / (CHANGE_HEAD_SIZE * FEED_INDEX_STRIDE) * 2;
}

static inline size_t feed_ring_offset(uint64_t ring_size)
{
    size_t index = feed_index_size(ring_size) * sizeof(uint64_t);
    return FEED_PAGE + (index + FEED_PAGE - 1) / FEED_PAGE * FEED_PAGE;
}

static inline size_t feed_map_size(uint64_t ring_size)
{
    return feed_ring_offset(ring_size) + ring_size;
}

static inline bool feed_ring_size_valid(uint64_t size)
{
    return size >= 64u << 10 && size <= 1u << 30 && (size & (size - 1)) == 0;
}

/* One wake-up of those who wait with any of bits. A reader may call it: futexes only read. */
void feed_futex_wake(const _Atomic uint32_t *sequence, uint32_t bits);

#endif
