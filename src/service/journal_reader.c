/* SPDX-License-Identifier: MIT */
#include "service/journal_reader.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "journal/journal.h"

struct journal_reader {
    struct worker *worker;
    char *journal_path;
    struct journal *journal; /* the worker's; opened by the first job that needs it */
};

static int open_journal(struct journal_reader *r)
{
    if (r->journal)
        return 0;
    struct journal_options options = {.read_only = true};
    _cleanup_free_
    char *error = NULL;
    return journal_open(r->journal_path, &options, &r->journal, &error);
}

static void run(struct worker_job *w)
{
    struct journal_reader_job *job = container_of(w, struct journal_reader_job, job);
    job->result = open_journal(job->reader);
    if (job->result < 0)
        return;
    struct journal *j = job->reader->journal;
    job->result = journal_read(j, job->from, job->max_bytes, &job->records, &job->count);
    job->first_kept = journal_first_revision(j);
}

static void done(struct worker_job *w)
{
    struct journal_reader_job *job = container_of(w, struct journal_reader_job, job);
    job->done(job);
}

int journal_reader_create(sd_event *loop, const char *journal_path, struct journal_reader **ret)
{
    struct journal_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->journal_path = strdup(journal_path);
    int error = r->journal_path ? worker_create(loop, "reader", &r->worker) : -ENOMEM;
    if (error < 0) {
        journal_reader_destroy(r);
        return error;
    }
    *ret = r;
    return 0;
}

void journal_reader_read(struct journal_reader *r, struct journal_reader_job *job)
{
    job->reader = r;
    job->result = -ECANCELED;
    job->count = 0;
    job->first_kept = 0;
    job->job = (struct worker_job){.run = run, .done = done};
    worker_give(r->worker, &job->job);
}

void journal_reader_destroy(struct journal_reader *r)
{
    if (!r)
        return;
    worker_destroy(r->worker);
    journal_close(r->journal);
    free(r->journal_path);
    free(r);
}
