/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "feed/layout.h"

struct feed_writer {
    int fd;
    struct feed_page *page;
    _Atomic uint64_t *index;
    _Atomic uint64_t *ring; /* in words */
    uint64_t ring_size;
    uint64_t position;    /* of the next record; ahead of page->head within a batch */
    uint64_t last_stride; /* the last index entry made; one above the number, 0: none yet */
};

static int make_memory(size_t size)
{
    _cleanup_close_
    int fd = memfd_create("clusport-feed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static void lay_out(struct feed_writer *w)
{
    w->index = (_Atomic uint64_t *)((char *)w->page + FEED_PAGE);
    w->ring = (_Atomic uint64_t *)((char *)w->page + feed_ring_offset(w->ring_size));
    for (size_t i = 0; i < feed_index_size(w->ring_size); i++)
        atomic_store_explicit(&w->index[i], FEED_NO_POSITION, memory_order_relaxed);
    w->page->magic = FEED_MAGIC;
    w->page->version = FEED_VERSION;
    w->page->index_size = (uint32_t)feed_index_size(w->ring_size);
    w->page->ring_size = w->ring_size;
}

int feed_writer_create(size_t ring_size, struct feed_writer **ret)
{
    if (!feed_ring_size_valid(ring_size))
        return -EINVAL;
    _cleanup_free_
    struct feed_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    size_t size = feed_map_size(ring_size);
    _cleanup_close_
    int fd = make_memory(size);
    if (fd < 0)
        return fd;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;

    w->page = map;
    w->ring_size = ring_size;
    lay_out(w);
    /* After the one writable mapping is made, nobody who gets the descriptor can make another. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) <
        0) {
        int r = -errno;
        munmap(map, size);
        return r;
    }
    w->fd = TAKE_FD(fd);
    *ret = TAKE_PTR(w);
    return 0;
}

void feed_writer_destroy(struct feed_writer *w)
{
    if (!w)
        return;
    atomic_store_explicit(&w->page->ended, 1, memory_order_release);
    atomic_fetch_add_explicit(&w->page->sequence, 1, memory_order_release);
    feed_futex_wake(&w->page->sequence, UINT32_MAX);
    munmap(w->page, feed_map_size(w->ring_size));
    close(w->fd);
    free(w);
}

int feed_writer_fd(const struct feed_writer *w)
{
    return w->fd;
}

void feed_writer_begin(struct feed_writer *w, uint64_t revision_before)
{
    PRE(w->position == 0);
    atomic_store_explicit(&w->page->head_revision, revision_before, memory_order_release);
}

void feed_writer_restored(struct feed_writer *w)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    w->page->life_revision =
        atomic_load_explicit(&w->page->head_revision, memory_order_relaxed) + 1;
    w->page->life_since_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* After this, readers of what lay there find themselves lapped: invariant (2). */
static void reserve(struct feed_writer *w, uint64_t size)
{
    atomic_store_explicit(&w->page->reserved, w->position + size, memory_order_release);
}

static void store(struct feed_writer *w, const void *data, size_t size)
{
    _Atomic uint64_t *to = w->ring + (w->position & (w->ring_size - 1)) / sizeof(uint64_t);
    const char *from = data;
    for (size_t i = 0; i < size / sizeof(uint64_t); i++) {
        uint64_t word;
        memcpy(&word, from + i * sizeof(word), sizeof(word));
        atomic_store_explicit(&to[i], word, memory_order_release);
    }
}

static void put_filler(struct feed_writer *w, uint64_t size, uint64_t revision, uint64_t kind)
{
    struct feed_filler filler = {FEED_FILLER, size, revision, kind};
    reserve(w, size);
    store(w, &filler, sizeof(filler));
    w->position += size;
}

static void note_in_index(struct feed_writer *w, uint64_t revision)
{
    uint64_t stride = revision / FEED_INDEX_STRIDE;
    if (w->last_stride == stride + 1)
        return;
    w->last_stride = stride + 1;
    atomic_store_explicit(&w->index[stride & (w->page->index_size - 1)], w->position,
                          memory_order_release);
}

static void put_record(struct feed_writer *w, const void *record, size_t size)
{
    uint64_t revision = change_peek_revision(record);
    bool too_big = size > w->ring_size / 4;
    size_t takes = too_big ? CHANGE_ALIGNMENT : size;
    uint64_t left = w->ring_size - (w->position & (w->ring_size - 1));

    if (left < takes)
        put_filler(w, left, 0, 0);
    note_in_index(w, revision);
    if (too_big) {
        put_filler(w, CHANGE_ALIGNMENT, revision, change_peek_kind(record));
        return;
    }
    reserve(w, size);
    store(w, record, size);
    w->position += size;
}

void feed_publish(struct feed_writer *w, const void *records, size_t size)
{
    uint64_t revision = atomic_load_explicit(&w->page->head_revision, memory_order_relaxed);
    uint32_t bits = 0;

    for (const char *at = records, *end = at + size; at < end;) {
        size_t record_size = change_size(at);
        PRE(record_size > 0 && record_size <= (size_t)(end - at));
        PRE(change_peek_revision(at) == revision + 1);
        revision++;
        bits |= feed_bits_of_kind(change_peek_kind(at));
        put_record(w, at, record_size);
        at += record_size;
    }
    if (!bits)
        return;
    atomic_store_explicit(&w->page->head_revision, revision, memory_order_release);
    atomic_store_explicit(&w->page->head, w->position, memory_order_release);
    atomic_fetch_add_explicit(&w->page->sequence, 1, memory_order_release);
    feed_futex_wake(&w->page->sequence, bits);
}
