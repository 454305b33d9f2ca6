/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "feed/layout.h"
#include "feed/reader.h"

int feed_open(int fd, struct feed **ret)
{
    /* Without these seals the file could shrink under the mapping: SIGBUS. */
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW) ||
        fstat(fd, &st) < 0 || st.st_size < FEED_PAGE)
        return -EBADMSG;

    _cleanup_free_
    struct feed *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    size_t size = (size_t)st.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;

    f->page = map;
    f->ring_size = *(const volatile uint64_t *)&f->page->ring_size;
    f->index_size = feed_index_size(f->ring_size);
    if (f->page->magic != FEED_MAGIC || f->page->version != FEED_VERSION ||
        !feed_ring_size_valid(f->ring_size) || feed_map_size(f->ring_size) != size ||
        f->page->index_size != f->index_size) {
        munmap(map, size);
        return -EBADMSG;
    }
    f->index = (_Atomic uint64_t *)((char *)map + FEED_PAGE);
    f->ring = (_Atomic uint64_t *)((char *)map + feed_ring_offset(f->ring_size));
    atomic_init(&f->references, 1);
    *ret = TAKE_PTR(f);
    return 0;
}

struct feed *feed_ref(struct feed *f)
{
    atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);
    return f;
}

void feed_unref(struct feed *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel) > 1)
        return;
    munmap(f->page, feed_map_size(f->ring_size));
    free(f);
}

uint64_t feed_head_revision(const struct feed *f)
{
    return atomic_load_explicit(&f->page->head_revision, memory_order_acquire);
}

bool feed_ended(const struct feed *f)
{
    return atomic_load_explicit(&f->page->ended, memory_order_acquire) != 0;
}

uint64_t feed_life_revision(const struct feed *f)
{
    return f->page->life_revision;
}

int64_t feed_life_since_ns(const struct feed *f)
{
    return f->page->life_since_ns;
}

static bool lapped(const struct feed *f, uint64_t position)
{
    return atomic_load_explicit(&f->page->reserved, memory_order_acquire) - position > f->ring_size;
}

/* What is read counts only if lapped(position) is false afterwards. size: of CHANGE_ALIGNMENT. */
static void load(const struct feed *f, uint64_t position, void *to, size_t size)
{
    const _Atomic uint64_t *from = f->ring + (position & (f->ring_size - 1)) / sizeof(uint64_t);
    char *out = to;
#pragma GCC unroll 8
    for (size_t i = 0; i < size / sizeof(uint64_t); i++) {
        uint64_t word = atomic_load_explicit(&from[i], memory_order_acquire);
        memcpy(out + i * sizeof(word), &word, sizeof(word));
    }
}

/* The first words of a record or filler, understood. */
struct slot {
    uint64_t head[FEED_HEAD_WORDS];
    uint64_t size;
    uint64_t revision; /* 0: the filler at the ring's end */
    uint64_t kind;
    bool gap; /* the change itself is in the journal only */
};

static bool load_slot(const struct feed *f, uint64_t position, struct slot *ret)
{
    /* The service is trusted with its changes, not with our memory. */
    if (position % CHANGE_ALIGNMENT != 0)
        return false;
    load(f, position, ret->head, sizeof(ret->head));
    if (lapped(f, position))
        return false;
    ret->gap = false;
    if (ret->head[0] == FEED_FILLER) {
        ret->size = ret->head[1];
        ret->revision = ret->head[2];
        ret->kind = ret->head[3];
        ret->gap = ret->revision != 0;
    } else {
        ret->size = change_size(ret->head);
        ret->revision = change_peek_revision(ret->head);
        ret->kind = change_peek_kind(ret->head);
    }
    return ret->size >= CHANGE_ALIGNMENT && ret->size % CHANGE_ALIGNMENT == 0 &&
           ret->size <= f->ring_size - (position & (f->ring_size - 1));
}

int feed_seek(const struct feed *f, uint64_t revision, struct feed_cursor *ret)
{
    uint64_t head = atomic_load_explicit(&f->page->head, memory_order_acquire);
    uint64_t head_revision = feed_head_revision(f);

    if (revision > head_revision + 1)
        return -ERANGE;
    /* A cursor may stand before its record; feed_next() passes over what is older. */
    if (revision == head_revision + 1) {
        *ret = (struct feed_cursor){.position = head, .revision = revision};
        return 0;
    }
    uint64_t stride = revision / FEED_INDEX_STRIDE;
    uint64_t position =
        atomic_load_explicit(&f->index[stride & (f->index_size - 1)], memory_order_acquire);
    struct slot slot;
    if (position >= head || !load_slot(f, position, &slot))
        return -ENODATA;
    if (slot.revision == 0 || slot.revision > revision)
        return -ENODATA;
    *ret = (struct feed_cursor){.position = position, .revision = revision};
    return 0;
}

static bool wanted(const uint64_t *kinds, uint64_t kind)
{
    return !kinds || (kind < CHANGE_KIND_COUNT && (kinds[kind / 64] >> kind % 64 & 1));
}

enum feed_result feed_next(const struct feed *f, struct feed_cursor *c, const uint64_t *kinds,
                           struct buffer *out)
{
    uint64_t head = atomic_load_explicit(&f->page->head, memory_order_acquire);
    struct slot slot;

    buffer_clear(out);
    if (c->revision > c->given)
        c->position += c->given_size;
    c->given_size = 0;
    while (c->position < head) {
        if (!load_slot(f, c->position, &slot))
            return FEED_LAPPED;
        if (slot.revision > c->revision)
            return FEED_LAPPED;
        if (slot.revision == c->revision) {
            if (wanted(kinds, slot.kind))
                break;
            c->revision++;
        }
        c->position += slot.size;
    }
    if (c->position >= head)
        return FEED_EMPTY;
    if (slot.gap)
        return FEED_LAPPED;
    if (buffer_reserve(out, slot.size) < 0)
        return FEED_NO_MEMORY;
    load(f, c->position, out->data, slot.size);
    if (lapped(f, c->position) || change_size(out->data) != slot.size)
        return FEED_LAPPED;
    out->size = slot.size;
    c->given = c->revision;
    c->given_size = slot.size;
    return FEED_RECORD;
}

void feed_advance(struct feed_cursor *c, const void *record)
{
    c->position += change_size(record);
    c->revision = change_peek_revision(record) + 1;
    c->given_size = 0;
}
