/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "feed/layout.h"

#define RING (64u << 10)

/* The seals promise that the memory is there, and no more. */
static int sealed(const void *data, size_t size)
{
    int fd = memfd_create("feed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    CHECK(fd >= 0 && ftruncate(fd, (off_t)feed_map_size(RING)) == 0);
    CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    return fd;
}

static void read_from(const struct feed *f, uint64_t revision, size_t most)
{
    _cleanup_(buffer_fini) struct buffer run = {0};
    struct feed_cursor c;

    if (feed_seek(f, revision, &c) < 0)
        return;
    /* Each record has at least its alignment of the ring. */
    for (size_t i = 0; feed_read(f, &c, NULL, most, &run) == FEED_RECORD; i++) {
        CHECK(run.size > 0 && i <= RING / CHANGE_ALIGNMENT);
        for (size_t at = 0; at < run.size; at += change_size(run.data + at))
            CHECK(change_size(run.data + at) > 0 && change_size(run.data + at) <= run.size - at);
    }
}

/* The page's numbers as they should be, but those that the service goes on changing; then the
 * beginning of the index; then what the ring begins and ends with. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(struct feed_page) uint8_t image[FEED_PAGE + 2 * RING];
    struct feed_page *page = (struct feed_page *)image;
    const size_t ring = feed_ring_offset(RING);
    struct reader in = reader_over(data, size);
    struct feed *f;

    CHECK(feed_map_size(RING) <= sizeof(image));
    memset(image, 0, sizeof(image));
    page->magic = FEED_MAGIC;
    page->version = FEED_VERSION;
    page->ring_size = RING;
    page->index_size = (uint32_t)feed_index_size(RING);
    page->reserved = reader_u64(&in);
    page->head = reader_u64(&in);
    page->head_revision = reader_u64(&in);
    for (size_t i = 0; i < 4; i++) {
        uint64_t position = reader_u64(&in);
        memcpy(image + FEED_PAGE + i * sizeof(position), &position, sizeof(position));
    }
    if (in.failed)
        return 0;
    size_t left = MIN(reader_left(&in), (size_t)RING);
    memcpy(image + ring, data + in.at, left);
    memcpy(image + ring + RING - left, data + in.at, left);

    _cleanup_close_
    int fd = sealed(image, feed_map_size(RING));
    CHECK(feed_open(fd, &f) == 0);
    read_from(f, feed_head_revision(f) + 1, CHANGE_ALIGNMENT);
    for (uint64_t revision = 0; revision < 4; revision++)
        read_from(f, revision * FEED_INDEX_STRIDE + revision, CHANGE_ALIGNMENT << revision * 4);
    feed_unref(f);

    /* And a page that is nothing but bytes. */
    _cleanup_close_
    int other = sealed(data, size);
    if (feed_open(other, &f) == 0)
        feed_unref(f);
    return 0;
}
