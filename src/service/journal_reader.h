/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_JOURNAL_READER_H
#define SERVICE_JOURNAL_READER_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buffer.h"
#include "service/worker.h"

/* Reads old changes from the journal beside the writer, so that the loop never waits for the disk.
 */
struct journal_reader;

/* Embedded in what wants to read; `from`, `max_bytes` and `done` are the caller's. */
struct journal_reader_job {
    uint64_t from;
    uint32_t max_bytes;
    void (*done)(
        struct journal_reader_job *job); /* on the loop; records are the caller's to finish */
    int result;                          /* 0 or -errno */
    struct buffer records;
    size_t count;
    uint64_t first_kept; /* the oldest revision still to be had; 0: none */
    struct worker_job job;
    struct journal_reader *reader;
};

int journal_reader_create(sd_event *loop, const char *journal_path, struct journal_reader **ret);
void journal_reader_read(struct journal_reader *r, struct journal_reader_job *job);
void journal_reader_destroy(
    struct journal_reader *r); /* done() is called for what waits; NULL is fine */

#endif
