/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/notify_port.h"
#include "lib/notify_session.h"

#define JOURNAL_PIECE (256u << 10)

/* A piece of the journal, read because the feed does not hold it. */
struct notify_journal {
    struct buffer records;
    size_t at;
    uint64_t next; /* the revision after what was passed */
};

static void drop_journal(struct notify_port *p)
{
    if (!p->journal)
        return;
    buffer_fini(&p->journal->records);
    free(p->journal);
    p->journal = NULL;
}

void notify_source_fini(struct notify_port *p)
{
    drop_journal(p);
    buffer_fini(&p->record);
}

void notify_source_rewind(struct notify_port *p, uint64_t next_revision)
{
    struct notify_journal *j = p->journal;

    if (p->record.size > 0 && change_peek_revision(p->record.data) >= next_revision)
        buffer_fini(&p->record);
    for (size_t at = j ? j->at : 0; j && at < j->records.size;) {
        const uint8_t *record = j->records.data + at;
        if (change_peek_revision(record) >= next_revision || change_size(record) == 0)
            j->records.size = at;
        else
            at += change_size(record);
    }
    if (j)
        j->next = MIN(j->next, next_revision);
}

static bool is_wanted(const uint64_t *kinds, unsigned kind)
{
    return kind < CHANGE_KIND_COUNT && (kinds[kind / 64] >> kind % 64 & 1);
}

/* The next record of the piece with a revision from `from` on; false: the piece is used up. */
static bool next_of_piece(struct notify_port *p, uint64_t from, const uint64_t *kinds,
                          const void **ret, size_t *ret_size)
{
    struct notify_journal *j = p->journal;

    while (j->records.size - j->at >= CHANGE_ALIGNMENT) {
        const uint8_t *record = j->records.data + j->at;
        size_t size = change_size(record);
        if (size == 0 || size > j->records.size - j->at)
            break;
        uint64_t revision = change_peek_revision(record);
        if (revision >= from && is_wanted(kinds, change_peek_kind(record))) {
            *ret = record;
            *ret_size = size;
            return true;
        }
        j->at += size;
        j->next = revision + 1;
    }
    return false;
}

/* *ret_first: the oldest that the journal still holds. A Win32 code. */
static uint32_t read_piece(struct notify_port *p, uint64_t from, uint64_t *ret_first)
{
    struct notify_journal *j = calloc(1, sizeof(*j));
    if (!j)
        return ERR_NOT_ENOUGH_MEMORY;
    drop_journal(p);
    uint32_t error =
        session_read_journal(p->session->session, from, JOURNAL_PIECE, &j->records, ret_first);
    if (error != 0) {
        buffer_fini(&j->records);
        free(j);
        return error;
    }
    j->next = MAX(from, *ret_first);
    p->journal = j;
    return 0;
}

enum step { STEP_RECORD, STEP_EMPTY, STEP_JOURNAL, STEP_ERROR };

static enum step next_of_feed(struct notify_source *s, uint64_t *from, const uint64_t *kinds)
{
    struct notify_port *p = s->port;
    struct feed_cursor *c = &p->cursor;

    if (c->revision == 0 || c->revision > *from) {
        int r = feed_seek(p->feed, *from, c);
        if (r == -ERANGE)
            return STEP_EMPTY;
        if (r < 0) {
            c->revision = 0;
            return STEP_JOURNAL;
        }
    }
    c->revision = MAX(c->revision, *from);
    switch (feed_next(p->feed, c, kinds, &p->record)) {
    case FEED_RECORD:
        return STEP_RECORD;
    case FEED_EMPTY:
        *from = c->revision;
        return STEP_EMPTY;
    case FEED_LAPPED:
        *from = c->revision;
        c->revision = 0;
        return STEP_JOURNAL;
    case FEED_NO_MEMORY:
        break;
    }
    s->error = ERR_NOT_ENOUGH_MEMORY;
    return STEP_ERROR;
}

static enum port_source_result source_next(struct port_source *source, uint64_t from,
                                           const uint64_t *kinds, const void **ret,
                                           size_t *ret_size, uint64_t *ret_next)
{
    struct notify_source *s = container_of(source, struct notify_source, source);
    struct notify_port *p = s->port;
    uint64_t asked = from;

    if (p->record.size > 0 && change_peek_revision(p->record.data) == from &&
        is_wanted(kinds, change_peek_kind(p->record.data))) {
        *ret = p->record.data;
        *ret_size = p->record.size;
        return SOURCE_RECORD;
    }
    for (;;) {
        if (p->journal) {
            if (p->journal->next <= from && next_of_piece(p, from, kinds, ret, ret_size))
                return SOURCE_RECORD;
            from = MAX(from, p->journal->next);
            drop_journal(p);
        }
        switch (next_of_feed(s, &from, kinds)) {
        case STEP_RECORD:
            *ret = p->record.data;
            *ret_size = p->record.size;
            return SOURCE_RECORD;
        case STEP_EMPTY:
            *ret_next = from;
            return SOURCE_EMPTY;
        case STEP_ERROR:
            return SOURCE_ERROR;
        case STEP_JOURNAL:
            break;
        }
        if (from > asked) { /* so that a loss is told from where it begins */
            *ret_next = from;
            return SOURCE_SKIPPED;
        }
        uint64_t first = 0;
        s->error = read_piece(p, from, &first);
        if (s->error != 0)
            return SOURCE_ERROR;
        if (first > from) {
            *ret_next = first;
            return SOURCE_LOST;
        }
        /* The journal is always ahead of the feed, so there is something; but never go round for
         * nothing. */
        if (p->journal->records.size == 0) {
            drop_journal(p);
            *ret_next = from;
            return SOURCE_EMPTY;
        }
    }
}

static const struct port_source_methods source_methods = {source_next};

struct notify_source notify_source_of(struct notify_port *p)
{
    return (struct notify_source){.source = {&source_methods}, .port = p};
}
