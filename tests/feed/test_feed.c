/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "change/change.h"
#include "feed/feed.h"
#include "feed/layout.h"

#define RING (64u << 10)

/* A record whose every part follows from its revision, so that a torn copy is seen. */
static void append(struct buffer *out, uint64_t revision, enum change_kind kind, size_t payload)
{
    char name[32];
    char *data = malloc(payload + 1);
    memset(data, 'a' + (int)(revision % 26), payload);
    snprintf(name, sizeof(name), "object-%llu", (unsigned long long)revision);
    struct change c = {.revision = revision,
                       .transaction = revision,
                       .time_ns = (int64_t)revision * 1000,
                       .kind = kind,
                       .last = true,
                       .object_id = name,
                       .name = name,
                       .new_value = {VALUE_BYTES, 0, data, payload}};
    assert_int_equal(change_encode(&c, out), 0);
    free(data);
}

static int check(const struct buffer *record, uint64_t revision)
{
    struct change c;
    char name[32];

    snprintf(name, sizeof(name), "object-%llu", (unsigned long long)revision);
    if (change_decode(record->data, record->size, &c) < 0 || c.revision != revision ||
        c.time_ns != (int64_t)revision * 1000 || strcmp(c.name, name) != 0)
        return -1;
    for (size_t i = 0; i < c.new_value.size; i++)
        if (((const char *)c.new_value.data)[i] != 'a' + (int)(revision % 26))
            return -1;
    return 0;
}

static void publish(struct feed_writer *w, uint64_t revision, enum change_kind kind, size_t payload)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    append(&b, revision, kind, payload);
    feed_publish(w, b.data, b.size);
}

static struct feed *open_reader(struct feed_writer *w)
{
    struct feed *f = NULL;
    assert_int_equal(feed_open(feed_writer_fd(w), &f), 0);
    return f;
}

/* One record at a time. */
static enum feed_result next(const struct feed *f, struct feed_cursor *c, const uint64_t *kinds,
                             struct buffer *record)
{
    return feed_read(f, c, kinds, CHANGE_ALIGNMENT, record);
}

/* ---- the ring ---- */

static void every_record_arrives_in_order(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    feed_writer_begin(w, 41);
    struct feed *f = open_reader(w);
    assert_int_equal(feed_head_revision(f), 41);

    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0};
    assert_int_equal(feed_seek(f, 42, &c), 0);
    assert_int_equal(next(f, &c, NULL, &record), FEED_EMPTY);
    /* Sizes that leave every possible rest at the ring's end, many laps. */
    for (uint64_t r = 42; r < 5000; r++) {
        publish(w, r, CHANGE_RESOURCE_STATE, r * 37 % 3000);
        assert_int_equal(feed_head_revision(f), r);
        assert_int_equal(next(f, &c, NULL, &record), FEED_RECORD);
        assert_int_equal(check(&record, r), 0);
        assert_int_equal(next(f, &c, NULL, &record), FEED_EMPTY);
    }
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_reader_sees_only_its_kinds(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    for (uint64_t r = 1; r <= 100; r++)
        publish(w, r, r % 10 ? CHANGE_NODE_STATE : CHANGE_GROUP_ADDED, 8);

    uint64_t kinds[(CHANGE_KIND_COUNT + 63) / 64] = {0};
    kinds[CHANGE_GROUP_ADDED / 64] |= 1ull << CHANGE_GROUP_ADDED % 64;
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0};
    assert_int_equal(feed_seek(f, 1, &c), 0);
    for (uint64_t r = 10; r <= 100; r += 10) {
        assert_int_equal(next(f, &c, kinds, &record), FEED_RECORD);
        assert_int_equal(check(&record, r), 0);
    }
    assert_int_equal(next(f, &c, kinds, &record), FEED_EMPTY);
    assert_int_equal(c.revision, 101);
    feed_unref(f);
    feed_writer_destroy(w);
}

/* Reads all in runs, each from a cursor of its own if `seek`. What is older may be in a run. */
static void read_runs(const struct feed *f, uint64_t from, uint64_t to, size_t most, bool seek)
{
    _cleanup_(buffer_fini) struct buffer run = {0}, record = {0};
    struct feed_cursor c;

    assert_int_equal(feed_seek(f, from, &c), 0);
    while (from <= to) {
        if (seek)
            assert_int_equal(feed_seek(f, from, &c), 0);
        assert_int_equal(feed_read(f, &c, NULL, most, &run), FEED_RECORD);
        uint64_t revision = change_peek_revision(run.data);
        assert_true(revision <= from);
        for (size_t at = 0; at < run.size; at += record.size, revision++) {
            buffer_clear(&record);
            buffer_append(&record, run.data + at, change_size(run.data + at));
            assert_int_equal(check(&record, revision), 0);
        }
        assert_true(revision > from);
        assert_int_equal(c.revision, revision);
        from = revision;
    }
    assert_int_equal(feed_read(f, &c, NULL, most, &run), FEED_EMPTY);
    assert_int_equal(run.size, 0);
}

static void a_run_is_whole_records_in_order(void **state)
{
    (void)state;
    /* Word by word, and by one call; less than a record, and more than there is. */
    static const size_t sizes[] = {64, 1024, 4032, 4096, 16384, 2 * RING};
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(4 * RING, &w), 0);
    struct feed *f = open_reader(w);
    uint64_t last = 0;

    for (unsigned lap = 0; lap < 20; lap++) {
        uint64_t first = last + 1;
        for (unsigned n = 0; n < 40; n++, last++)
            publish(w, last + 1, CHANGE_RESOURCE_STATE, last % 17 ? last * 37 % 700 : 6000);
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            read_runs(f, first, last, sizes[i], false);
            read_runs(f, first + 7, last, sizes[i], true);
        }
    }
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_run_stays_good_when_the_ring_is_lapped(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer run = {0}, record = {0};
    uint64_t last = 0, revision = 1;

    assert_int_equal(feed_seek(f, 1, &c), 0);
    while (last < 40)
        publish(w, ++last, CHANGE_NODE_STATE, 100);
    assert_int_equal(feed_read(f, &c, NULL, 8192, &run), FEED_RECORD);
    while (last < 2000)
        publish(w, ++last, CHANGE_NODE_STATE, 100);
    for (size_t at = 0; at < run.size; at += record.size, revision++) {
        buffer_clear(&record);
        buffer_append(&record, run.data + at, change_size(run.data + at));
        assert_int_equal(check(&record, revision), 0);
    }
    assert_in_range(revision, 8192 / 512, 40);
    assert_int_equal(c.revision, revision);
    assert_int_equal(feed_read(f, &c, NULL, 8192, &run), FEED_LAPPED);
    assert_int_equal(c.revision, revision); /* from there on in the journal: no gap */
    assert_int_equal(run.size, 0);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void any_revision_still_held_is_found(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    feed_writer_begin(w, 1000);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0};

    assert_int_equal(feed_seek(f, 1000, &c), -ENODATA);
    assert_int_equal(feed_seek(f, 1001, &c), 0);
    assert_int_equal(feed_seek(f, 1002, &c), -ERANGE);
    uint64_t last = 1000;
    for (; last < 6000; last++)
        publish(w, last + 1, CHANGE_RESOURCE_STATE, last * 13 % 500);

    uint64_t found = 0, first = 0;
    for (uint64_t r = 1001; r <= last; r++) {
        int e = feed_seek(f, r, &c);
        if (e == -ENODATA) {
            assert_int_equal(found, 0); /* what is held is one run up to the head */
            continue;
        }
        assert_int_equal(e, 0);
        assert_int_equal(next(f, &c, NULL, &record), FEED_RECORD);
        assert_int_equal(check(&record, r), 0);
        if (!found++)
            first = r;
    }
    /* All but less than one stride of the index of what fits. */
    assert_true(found > RING / 640 - FEED_INDEX_STRIDE);
    assert_true(first > 1001);
    assert_int_equal(feed_seek(f, last + 1, &c), 0);
    assert_int_equal(next(f, &c, NULL, &record), FEED_EMPTY);
    assert_int_equal(feed_seek(f, last + 2, &c), -ERANGE);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_slow_reader_is_told_that_it_was_lapped(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0};
    assert_int_equal(feed_seek(f, 1, &c), 0);
    for (uint64_t r = 1; r <= 1000; r++)
        publish(w, r, CHANGE_NODE_STATE, 100);
    assert_int_equal(next(f, &c, NULL, &record), FEED_LAPPED);
    assert_int_equal(c.revision, 1);
    assert_int_equal(feed_seek(f, 1, &c), -ENODATA);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_record_too_big_for_the_ring_leaves_a_gap(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0};
    uint64_t nodes[(CHANGE_KIND_COUNT + 63) / 64] = {0};
    nodes[CHANGE_NODE_STATE / 64] |= 1ull << CHANGE_NODE_STATE % 64;

    publish(w, 1, CHANGE_NODE_STATE, 10);
    publish(w, 2, CHANGE_REGISTRY_VALUE, RING / 4);
    publish(w, 3, CHANGE_NODE_STATE, 10);
    assert_int_equal(feed_head_revision(f), 3);
    assert_int_equal(feed_seek(f, 1, &c), 0);
    assert_int_equal(next(f, &c, NULL, &record), FEED_RECORD);
    assert_int_equal(next(f, &c, NULL, &record), FEED_LAPPED);
    assert_int_equal(c.revision, 2);
    /* After the journal gave it, and for those who do not want it. */
    assert_int_equal(feed_seek(f, 3, &c), 0);
    assert_int_equal(next(f, &c, NULL, &record), FEED_RECORD);
    assert_int_equal(check(&record, 3), 0);
    assert_int_equal(feed_seek(f, 2, &c), 0);
    assert_int_equal(next(f, &c, nodes, &record), FEED_RECORD);
    assert_int_equal(check(&record, 3), 0);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_run_ends_before_a_gap(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer run = {0};
    uint64_t nodes[(CHANGE_KIND_COUNT + 63) / 64] = {0};
    nodes[CHANGE_NODE_STATE / 64] |= 1ull << CHANGE_NODE_STATE % 64;

    for (uint64_t r = 1; r <= 6; r++)
        publish(w, r, r == 4 ? CHANGE_REGISTRY_VALUE : CHANGE_NODE_STATE, r == 4 ? RING : 10);
    assert_int_equal(feed_seek(f, 1, &c), 0);
    assert_int_equal(feed_read(f, &c, NULL, RING, &run), FEED_RECORD);
    assert_int_equal(c.revision, 4);
    assert_int_equal(feed_read(f, &c, NULL, RING, &run), FEED_LAPPED);
    assert_int_equal(c.revision, 4);

    assert_int_equal(feed_seek(f, 1, &c), 0);
    assert_int_equal(feed_read(f, &c, nodes, RING, &run), FEED_RECORD);
    assert_int_equal(c.revision, 4);
    assert_int_equal(feed_read(f, &c, nodes, RING, &run), FEED_RECORD);
    assert_int_equal(change_peek_revision(run.data), 5);
    assert_int_equal(c.revision, 7);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_batch_may_be_bigger_than_the_ring(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct feed_cursor c;
    _cleanup_(buffer_fini) struct buffer record = {0}, batch = {0};
    assert_int_equal(feed_seek(f, 1, &c), 0);
    for (uint64_t r = 1; r <= 1000; r++)
        append(&batch, r, CHANGE_NODE_STATE, 200);
    assert_true(batch.size > 3 * RING);
    feed_publish(w, batch.data, batch.size);
    assert_int_equal(feed_head_revision(f), 1000);
    assert_int_equal(next(f, &c, NULL, &record), FEED_LAPPED);
    assert_int_equal(feed_seek(f, 990, &c), 0);
    for (uint64_t r = 990; r <= 1000; r++) {
        assert_int_equal(next(f, &c, NULL, &record), FEED_RECORD);
        assert_int_equal(check(&record, r), 0);
    }
    assert_int_equal(next(f, &c, NULL, &record), FEED_EMPTY);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void nobody_else_can_write_or_shrink_it(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    int fd = feed_writer_fd(w);
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map, 4096, PROT_READ | PROT_WRITE), -1);
    munmap(map, 4096);
    feed_writer_destroy(w);
}

static void what_is_no_feed_is_refused(void **state)
{
    (void)state;
    struct feed *f = NULL;
    struct feed_writer *w = NULL;
    _cleanup_close_
    int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(plain, 1 << 20), 0);
    assert_int_equal(feed_open(plain, &f), -EBADMSG);
    assert_int_equal(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
    assert_int_equal(feed_open(plain, &f), -EBADMSG);
    assert_int_equal(feed_open(-1, &f), -EBADMSG);
    assert_null(f);
    assert_int_equal(feed_writer_create(RING + 1, &w), -EINVAL);
    assert_int_equal(feed_writer_create(RING / 2, &w), -EINVAL);
    assert_null(w);
    feed_writer_destroy(NULL);
    feed_unref(NULL);
}

/* ---- a writer that never waits ---- */

#define RACE_RECORDS 60000

struct race {
    uint64_t read, lapped;
};

/* What is in a run is whole and in order. */
static int race_check(const struct buffer *run, uint64_t *expected, struct race *ret)
{
    for (size_t at = 0, size; at < run->size; at += size) {
        size = change_size(run->data + at);
        const struct buffer record = {.data = run->data + at, .size = size};
        uint64_t revision = change_peek_revision(record.data);
        if (size == 0 || check(&record, revision) < 0 || revision > *expected)
            return 1;
        if (revision == *expected) {
            ++*expected;
            ret->read++;
        }
    }
    return 0;
}

/* Reads to the last record; whatever it gets must be whole and in order. 0: all was well. */
static int race_read(struct feed *f, struct race *ret)
{
    _cleanup_(buffer_fini) struct buffer run = {0};
    struct feed_cursor c;
    uint64_t expected = 1;

    if (feed_seek(f, 1, &c) < 0)
        expected = 0;
    while (expected <= RACE_RECORDS) {
        uint32_t ticket = feed_ticket(f);
        size_t most = CHANGE_ALIGNMENT << expected % 9; /* word by word, and by one call */
        enum feed_result r = expected ? feed_read(f, &c, NULL, most, &run) : FEED_LAPPED;
        if (r == FEED_RECORD) {
            if (race_check(&run, &expected, ret) != 0)
                return 1;
        } else if (r == FEED_EMPTY) {
            feed_wait(f, ticket, UINT32_MAX, NULL);
        } else {
            if (expected && c.revision != expected)
                return 2;
            ret->lapped++;
            expected = feed_head_revision(f) + 1;
            if (expected > RACE_RECORDS)
                break;
            if (feed_seek(f, expected, &c) < 0)
                expected = 0;
        }
    }
    return 0;
}

static void race_write(struct feed_writer *w)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    for (uint64_t r = 1; r <= RACE_RECORDS;) {
        buffer_clear(&b);
        for (uint64_t n = r % 7 + 1; n > 0 && r <= RACE_RECORDS; n--, r++)
            append(&b, r, CHANGE_RESOURCE_STATE, r * 31 % 900);
        feed_publish(w, b.data, b.size);
    }
}

static void processes_read_beside_a_fast_writer(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    pid_t readers[3];
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            struct feed *f = NULL;
            struct race result = {0};
            if (feed_open(feed_writer_fd(w), &f) < 0 || write(ready[1], "r", 1) != 1)
                _exit(9);
            int r = race_read(f, &result);
            _exit(r ? r : result.read == 0 ? 8 : 0);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        char c;
        assert_int_equal(read(ready[0], &c, 1), 1);
    }
    race_write(w);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        int status = 0;
        assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    close(ready[0]);
    close(ready[1]);
    feed_writer_destroy(w);
}

static void *race_thread(void *f)
{
    struct race result = {0};
    int r = race_read(f, &result);
    return (void *)(intptr_t)r;
}

static void threads_share_one_mapping(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    pthread_t threads[2];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_thread, f), 0);
    race_write(w);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *r = NULL;
        pthread_join(threads[i], &r);
        assert_null(r);
    }
    feed_unref(f);
    feed_writer_destroy(w);
}

/* ---- sleeping ---- */

static struct timespec in_ms(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    struct timespec deadline = in_ms(20), now;
    assert_int_equal(feed_wait(f, feed_ticket(f), 1, &deadline), -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true(now.tv_sec > deadline.tv_sec ||
                (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec));
    /* What happens after the ticket is not slept over. */
    uint32_t ticket = feed_ticket(f);
    publish(w, 1, CHANGE_NODE_STATE, 0);
    assert_int_equal(feed_wait(f, ticket, 1, NULL), 0);
    feed_unref(f);
    feed_writer_destroy(w);
}

/* Is that thread or process asleep in the kernel's futex code? */
static void await_asleep(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    for (;;) {
        _cleanup_close_
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        ssize_t n = read(fd, text, sizeof(text) - 1);
        assert_true(n >= 0);
        text[n] = '\0';
        if (strtol(text, NULL, 10) == 202 /* futex on x86-64 */ || strncmp(text, "98 ", 3) == 0)
            return;
        sched_yield();
    }
}

static void the_kernel_leaves_the_uninterested_asleep(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    uint32_t bits[] = {feed_bits_of_kind(CHANGE_NODE_STATE), feed_bits_of_kind(CHANGE_GROUP_STATE)};
    /* The children count their wake-ups where we can see it. */
    _Atomic uint32_t *counts =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(counts, MAP_FAILED);
    pid_t sleepers[2];
    for (size_t i = 0; i < 2; i++) {
        sleepers[i] = fork();
        if (sleepers[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            struct feed *f = NULL;
            if (feed_open(feed_writer_fd(w), &f) < 0)
                _exit(1);
            while (!feed_ended(f)) {
                feed_wait(f, feed_ticket(f), bits[i], NULL);
                atomic_fetch_add(&counts[i], 1);
            }
            _exit(0);
        }
    }
    for (uint64_t r = 1; r <= 50; r++) {
        await_asleep(sleepers[0]);
        await_asleep(sleepers[1]);
        uint32_t before = atomic_load(&counts[0]);
        publish(w, r, CHANGE_NODE_STATE, 0);
        while (atomic_load(&counts[0]) == before)
            sched_yield();
    }
    assert_in_range(atomic_load(&counts[0]), 50, 55);
    assert_int_equal(atomic_load(&counts[1]), 0);
    feed_writer_destroy(w); /* ends everyone's wait */
    for (size_t i = 0; i < 2; i++) {
        int status = -1;
        assert_int_equal(waitpid(sleepers[i], &status, 0), sleepers[i]);
        assert_int_equal(status, 0);
    }
    assert_in_range(atomic_load(&counts[1]), 1, 2);
    munmap((void *)counts, 4096);
}

static void every_kind_has_a_bit_and_none_is_local(void **state)
{
    (void)state;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++) {
        assert_int_not_equal(feed_bits_of_kind(kind), 0);
        assert_int_equal(feed_bits_of_kind(kind) & FEED_BIT_LOCAL, 0);
        if (change_kind_info(kind)->v1)
            assert_int_equal(feed_bits_of_kind(kind), change_kind_info(kind)->v1);
    }
}

/* ---- rousing ---- */

struct dormitory {
    pthread_mutex_t lock;
    struct feed_sleepers sleepers;
    struct feed *feed;
    unsigned reason; /* counted up by the rouser */
    bool end;
    unsigned inside;
};

static void *sleep_until_end(void *p)
{
    struct dormitory *d = p;
    pthread_mutex_lock(&d->lock);
    while (!d->end) {
        uint32_t ticket = d->feed ? feed_ticket(d->feed) : 0;
        d->inside++;
        feed_sleep(&d->sleepers, &d->lock, d->feed, ticket, 1, NULL);
        d->inside--;
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void rouse_many_rounds(struct feed *f)
{
    struct dormitory d = {.lock = PTHREAD_MUTEX_INITIALIZER, .feed = f};
    pthread_t threads[3];

    for (unsigned round = 0; round < 400; round++) {
        d.end = false;
        assert_int_equal(feed_sleepers_init(&d.sleepers), 0);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, sleep_until_end, &d), 0);
        /* Sometimes all are asleep, sometimes some are about to be, sometimes not yet there. */
        for (unsigned spin = 0; spin < round % 4; spin++)
            sched_yield();
        pthread_mutex_lock(&d.lock);
        feed_rouse(&d.sleepers, &d.lock); /* for nothing: they sleep again */
        d.end = true;
        feed_rouse(&d.sleepers, &d.lock);
        assert_int_equal(d.inside, 0);
        pthread_mutex_unlock(&d.lock);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            pthread_join(threads[i], NULL);
        feed_sleepers_fini(&d.sleepers);
    }
}

static void nobody_sleeps_through_a_rouse(void **state)
{
    (void)state;
    struct feed_writer *w;
    assert_int_equal(feed_writer_create(RING, &w), 0);
    struct feed *f = open_reader(w);
    rouse_many_rounds(f);
    rouse_many_rounds(NULL);
    feed_unref(f);
    feed_writer_destroy(w);
}

static void a_sleep_without_a_feed_has_a_deadline(void **state)
{
    (void)state;
    struct dormitory d = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct timespec deadline = in_ms(5);
    assert_int_equal(feed_sleepers_init(&d.sleepers), 0);
    pthread_mutex_lock(&d.lock);
    int r;
    while ((r = feed_sleep(&d.sleepers, &d.lock, NULL, 0, 0, &deadline)) == 0)
        ;
    assert_int_equal(r, -ETIMEDOUT);
    pthread_mutex_unlock(&d.lock);
    feed_sleepers_fini(&d.sleepers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_arrives_in_order),
        cmocka_unit_test(a_reader_sees_only_its_kinds),
        cmocka_unit_test(a_run_is_whole_records_in_order),
        cmocka_unit_test(a_run_stays_good_when_the_ring_is_lapped),
        cmocka_unit_test(any_revision_still_held_is_found),
        cmocka_unit_test(a_slow_reader_is_told_that_it_was_lapped),
        cmocka_unit_test(a_record_too_big_for_the_ring_leaves_a_gap),
        cmocka_unit_test(a_run_ends_before_a_gap),
        cmocka_unit_test(a_batch_may_be_bigger_than_the_ring),
        cmocka_unit_test(nobody_else_can_write_or_shrink_it),
        cmocka_unit_test(what_is_no_feed_is_refused),
        cmocka_unit_test(processes_read_beside_a_fast_writer),
        cmocka_unit_test(threads_share_one_mapping),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(the_kernel_leaves_the_uninterested_asleep),
        cmocka_unit_test(every_kind_has_a_bit_and_none_is_local),
        cmocka_unit_test(nobody_sleeps_through_a_rouse),
        cmocka_unit_test(a_sleep_without_a_feed_has_a_deadline),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
