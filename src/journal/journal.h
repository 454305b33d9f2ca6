/* SPDX-License-Identifier: MIT */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "change/change.h"

/* The durable part: objects and changes in one SQLite file (WAL, synchronous=FULL), one transaction
 * a batch. Not tied to threads by itself: a journal is used by one thread at a time; open a second
 * one, read-only, to read beside the writer. Everything blocks on the disk. */

struct journal;

struct journal_options {
    uint64_t keep_changes; /* retention: at most so many changes */
    uint64_t keep_bytes;   /* ... and so many bytes of them; 0: no limit */
    bool read_only;
};

#define JOURNAL_KEEP_CHANGES 1000000
#define JOURNAL_KEEP_BYTES (1ull << 30)

/* 0; -errno, with *ret_error (malloc'ed, may be NULL) saying for people what is wrong and what to
 * do. One writer at a time: a second one gets -EBUSY (`<path>-lock`). That file remembers too that
 * there was a journal: one that was lost or emptied since then is refused, -ENOMEDIUM, not made
 * anew. What a writer finds is on disk when this returns, also when it was killed before its fsync.
 */
int journal_open(const char *path, const struct journal_options *options, struct journal **ret,
                 char **ret_error);
void journal_close(struct journal *j); /* NULL is fine */

/* What one commit holds: the work of all steps that were waiting. */
struct journal_batch {
    struct buffer changes;                  /* encoded, revisions consecutive */
    uint64_t first_revision, last_revision; /* 0, 0: none */
    struct journal_row {
        enum object_type type;
        char *key;
        char *json; /* NULL: delete it */
    } * rows;
    size_t row_count, row_capacity;
};

void journal_batch_fini(struct journal_batch *b);
int journal_batch_put(struct journal_batch *b, enum object_type type, const char *key,
                      const char *json, size_t size);

/* Returns after fsync. 0; -ENOSPC, -EIO, -ENOMEM, -ENOENT (the file was removed): nothing of the
 * batch is kept, nor found after a crash. -ENOTRECOVERABLE: it cannot be said whether the next who
 * opens the journal finds the batch; nobody may be told of either, so close it and end. Retention
 * is applied here, a bounded piece at a time. */
int journal_commit(struct journal *j, const struct journal_batch *b);

uint64_t journal_first_revision(struct journal *j); /* the oldest kept, 0: none yet */
uint64_t journal_last_revision(struct journal *j);
/* Appends encoded changes from revision `from` on, at most max_bytes (but at least one), in order.
 * Revisions before journal_first_revision() are gone: reading begins at the first that is kept. */
int journal_read(struct journal *j, uint64_t from, size_t max_bytes, struct buffer *out,
                 size_t *ret_count);
/* Calls back for every object. Stops at and returns the callback's first non-zero. */
int journal_load(struct journal *j,
                 int (*each)(void *context, enum object_type type, const char *key,
                             const char *json, size_t size),
                 void *context);
int journal_check(
    struct journal *j); /* SQLite's integrity check and dense revisions; 0, -EBADMSG, -errno */

#endif
