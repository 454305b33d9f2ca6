/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "feed/layout.h"
#include "feed/reader.h"

/* From so many bytes on, one call is cheaper than the page faults and word by word. */
#define LEAST_BY_CALL 4096

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
    f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* without it, reading is slower */
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
    if (f->fd >= 0)
        close(f->fd);
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

/* The same by one call, which takes no page fault for each page of the ring. */
static bool load_by_call(const struct feed *f, uint64_t position, void *to, size_t size)
{
    off_t offset = (off_t)(feed_ring_offset(f->ring_size) + (position & (f->ring_size - 1)));
    if (f->fd < 0 || pread(f->fd, to, size, offset) != (ssize_t)size)
        return false;
    __sync_synchronize(); /* what was read, before lapped() */
    return true;
}

static enum feed_result copy(const struct feed *f, uint64_t position, size_t size,
                             struct buffer *out)
{
    buffer_clear(out);
    if (buffer_reserve(out, size) < 0)
        return FEED_NO_MEMORY;
    if (size < LEAST_BY_CALL || !load_by_call(f, position, out->data, size))
        load(f, position, out->data, size);
    if (lapped(f, position))
        return FEED_LAPPED;
    out->size = size;
    return FEED_RECORD;
}

/* The first words of a record or filler, understood. */
struct slot {
    bool filler;
    uint64_t size;     /* 0: it makes no sense */
    uint64_t revision; /* of a filler: the change that is in the journal only; 0: the ring's end */
    uint64_t kind;
};

/* most: what is left of the ring. The service is trusted with its changes, not with our memory. */
static struct slot understand(const void *head, uint64_t most)
{
    struct feed_filler filler;
    struct slot s;

    memcpy(&filler, head, sizeof(filler));
    if (filler.mark == FEED_FILLER)
        s = (struct slot){true, filler.size, filler.revision, filler.kind};
    else
        s = (struct slot){false, change_size(head), change_peek_revision(head),
                          change_peek_kind(head)};
    if (s.size % CHANGE_ALIGNMENT != 0 || s.size > most)
        s.size = 0;
    return s;
}

static uint64_t left_of_ring(const struct feed *f, uint64_t position)
{
    return f->ring_size - (position & (f->ring_size - 1));
}

int feed_seek(const struct feed *f, uint64_t revision, struct feed_cursor *ret)
{
    uint64_t head = atomic_load_explicit(&f->page->head, memory_order_acquire);
    uint64_t head_revision = feed_head_revision(f);

    if (revision > head_revision + 1)
        return -ERANGE;
    /* A cursor may stand before its record; feed_read() passes over what is older. */
    if (revision == head_revision + 1) {
        *ret = (struct feed_cursor){.position = head, .revision = revision};
        return 0;
    }
    uint64_t stride = revision / FEED_INDEX_STRIDE;
    uint64_t position =
        atomic_load_explicit(&f->index[stride & (f->index_size - 1)], memory_order_acquire);
    uint64_t start[FEED_HEAD_WORDS];
    if (position >= head || position % CHANGE_ALIGNMENT != 0)
        return -ENODATA;
    load(f, position, start, sizeof(start));
    struct slot s = understand(start, left_of_ring(f, position));
    if (lapped(f, position) || s.size == 0 || s.revision == 0 || s.revision > revision)
        return -ENODATA;
    *ret = (struct feed_cursor){.position = position, .revision = revision};
    return 0;
}

static bool wanted(const uint64_t *kinds, uint64_t kind)
{
    return !kinds || (kind < CHANGE_KIND_COUNT && (kinds[kind / 64] >> kind % 64 & 1));
}

/* The records that are whole at the beginning of what was copied, of a stretch of `left` bytes.
 * FEED_EMPTY: none of them is wanted, or there are none. */
static enum feed_result take_whole(struct feed_cursor *c, uint64_t left, const uint64_t *kinds,
                                   struct buffer *run)
{
    bool any = false;
    size_t at = 0;

    while (at < run->size) {
        struct slot s = understand(run->data + at, left - at);
        if (s.filler || s.size == 0 || s.size > run->size - at || s.revision > c->revision)
            break;
        if (s.revision == c->revision) {
            any |= wanted(kinds, s.kind);
            c->revision++;
        }
        at += s.size;
    }
    c->position += at;
    run->size = at;
    return any ? FEED_RECORD : FEED_EMPTY;
}

static bool is_same(struct slot a, struct slot b)
{
    return a.filler == b.filler && a.size == b.size && a.revision == b.revision && a.kind == b.kind;
}

/* A filler, or a record that was not copied to its end. */
static enum feed_result take_other(const struct feed *f, struct feed_cursor *c, uint64_t left,
                                   const uint64_t *kinds, struct buffer *run)
{
    struct slot s = understand(run->data, left);
    enum feed_result r = FEED_EMPTY;

    if (s.size == 0 || s.revision > c->revision)
        return FEED_LAPPED; /* by a writer who does not keep to the rules */
    if (s.revision == c->revision) {
        if (wanted(kinds, s.kind))
            r = s.filler ? FEED_LAPPED : copy(f, c->position, s.size, run);
        if (r == FEED_RECORD && !is_same(understand(run->data, left), s))
            r = FEED_LAPPED;
        if (r != FEED_EMPTY && r != FEED_RECORD)
            return r;
        c->revision++;
    }
    c->position += s.size;
    return r;
}

static enum feed_result read_some(const struct feed *f, struct feed_cursor *c, uint64_t head,
                                  const uint64_t *kinds, size_t most, struct buffer *run)
{
    uint64_t left = MIN(head - c->position, left_of_ring(f, c->position));

    if (c->position % CHANGE_ALIGNMENT != 0 || left % CHANGE_ALIGNMENT != 0)
        return FEED_LAPPED;
    enum feed_result r = copy(f, c->position, MIN(left, most), run);
    if (r != FEED_RECORD)
        return r;
    r = take_whole(c, left, kinds, run);
    return run->size > 0 ? r : take_other(f, c, left, kinds, run);
}

enum feed_result feed_read(const struct feed *f, struct feed_cursor *c, const uint64_t *kinds,
                           size_t most, struct buffer *run)
{
    uint64_t head = atomic_load_explicit(&f->page->head, memory_order_acquire);
    enum feed_result r = FEED_EMPTY;

    buffer_clear(run);
    while (r == FEED_EMPTY && c->position < head)
        r = read_some(f, c, head, kinds, most, run);
    if (r != FEED_RECORD)
        buffer_clear(run);
    return r;
}
