/* SPDX-License-Identifier: MIT */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buffer.h"

/* The ring of changes in shared memory: one writer, any number of readers, no locks. A sealed memfd
 * that only its maker can write. The writer never waits; a reader copies, then checks that it was
 * not lapped. Positions are bytes since the feed was made; records are those of change.h. */

#define FEED_DEFAULT_SIZE (16u << 20)

/* Writer: the service's loop thread only. */
struct feed_writer;

int feed_writer_create(size_t ring_size,
                       struct feed_writer **ret); /* a power of two, at least 64 KiB */
void feed_writer_destroy(
    struct feed_writer *w); /* marks the feed ended and wakes all; NULL is fine */
int feed_writer_fd(const struct feed_writer *w); /* the writer's; to be sent to readers */
/* The records of one commit, encoded, their revisions following the last. One wake-up for the
 * batch. Cannot fail. */
void feed_publish(struct feed_writer *w, const void *records, size_t size);
/* Before the first publish: so that a reader knows from which revision on this feed speaks. */
void feed_writer_begin(struct feed_writer *w, uint64_t revision_before);
/* What was published so far is of the service's lives before; before the first reader. */
void feed_writer_restored(struct feed_writer *w);

/* Reader: any thread; a struct feed may be shared, a cursor is one thread's at a time. */
struct feed;

int feed_open(
    int fd, struct feed **ret); /* maps it read-only; fd stays the caller's. 0, -EBADMSG, -ENOMEM */
struct feed *feed_ref(struct feed *f);
void feed_unref(struct feed *f); /* NULL is fine */

uint64_t feed_head_revision(const struct feed *f); /* of the last change published */
bool feed_ended(const struct feed *f);             /* its service stopped in order */
/* The first revision that this life of the service gives, and when it began (CLOCK_MONOTONIC). */
uint64_t feed_life_revision(const struct feed *f);
int64_t feed_life_since_ns(const struct feed *f);

static inline void feed_unrefp(struct feed **f)
{
    feed_unref(*f);
}

struct feed_cursor {
    uint64_t position; /* of the next record */
    uint64_t revision; /* the next record's, once known: records before it are passed over */
};

/* A cursor whose next change is `revision`. 0; -ENODATA: the ring no longer holds it, read the
 * journal; a revision after the head + 1 is -ERANGE. */
int feed_seek(const struct feed *f, uint64_t revision, struct feed_cursor *ret);

enum feed_result {
    FEED_RECORD,
    FEED_EMPTY,
    FEED_LAPPED,    /* overwritten, or too big for the ring: read the journal from c->revision on */
    FEED_NO_MEMORY, /* for the copy; nothing is passed over */
};
/* The next run: whole records with neighbouring revisions, copied into `run` (cleared first), of
 * which at least one is from the cursor's revision on and of a kind in kinds (bit k of the array:
 * kind k; NULL: all). About `most` bytes, but at least one record; most: of CHANGE_ALIGNMENT. The
 * cursor stands behind the run afterwards. Every change of these kinds from the cursor's revision
 * on is in a run, or the result is FEED_LAPPED. What was copied stays good when the ring is lapped:
 * one look at the writer's position is enough for a run. */
enum feed_result feed_read(const struct feed *f, struct feed_cursor *c, const uint64_t *kinds,
                           size_t most, struct buffer *run);

/* Sleeps in the kernel until a change with one of `bits` (version 1 flags; kinds without one use
 * feed_bits_of_kind) is published after the ticket, feed_wake_local() is called, or the deadline
 * (CLOCK_MONOTONIC, NULL: none) passes. Take the ticket, look for records and for whatever else
 * ends the wait, then sleep with the ticket: a wake-up by a change between the two is not lost.
 * 0: look again; -ETIMEDOUT. */
uint32_t feed_ticket(const struct feed *f);
int feed_wait(const struct feed *f, uint32_t ticket, uint32_t bits,
              const struct timespec *deadline);
/* Wakes, once, those who sleep on this feed in whatever process, for something other than the
 * feed. */
void feed_wake_local(const struct feed *f);

/* Rousing sleepers for a reason of their own process: a port closed, a connection lost. A reader
 * cannot change the shared word, so a sleeper that looked just before and sleeps just after would
 * miss a single wake-up. Therefore sleepers announce themselves under the owner's lock, which also
 * guards the reason, and the rouser repeats its call until each of them has looked again.
 *
 * Both are called with the lock held, give it up while they wait, and hold it when they return. */
struct feed_sleeper;
struct feed_sleepers {
    struct feed_sleeper *list;
    uint32_t round, rousers;
    pthread_cond_t moved;
};

int feed_sleepers_init(struct feed_sleepers *s); /* 0 or -errno */
void feed_sleepers_fini(struct feed_sleepers *s);
/* feed_wait(), to be roused. f NULL: only roused, or -ETIMEDOUT. */
int feed_sleep(struct feed_sleepers *s, pthread_mutex_t *lock, struct feed *f, uint32_t ticket,
               uint32_t bits, const struct timespec *deadline);
/* Change the reason under the lock, then call. Returns when all who were asleep have returned from
 * feed_sleep(), on whatever feed they slept. */
void feed_rouse(struct feed_sleepers *s, pthread_mutex_t *lock);

#define FEED_BIT_LOCAL                                                                             \
    0x80000000u /* HANDLE_CLOSE is never published: its bit wakes for local reasons */
uint32_t feed_bits_of_kind(unsigned kind);

#endif
