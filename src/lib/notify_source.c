/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/notify_port.h"
#include "lib/notify_session.h"
#include "lib/session_internal.h"

#define JOURNAL_PIECE (256u << 10)
#define FEED_PIECE (32u << 10)

/* A port's changes come in runs, copied from the feed or, because the feed does not hold them any
 * more, from a piece of the journal. The next run is fetched when all of one was looked at, so what
 * was shown is held, whatever becomes of where it came from.
 *
 *              session_read_journal()         done()
 *   FETCH_NONE ────────────────────► FETCH_ASKED ──► FETCH_HELD ──► used up: FETCH_NONE
 *        ▲                              │     └────► FETCH_FAILED
 *        └── the port was closed, or    │                 │
 *            has another feed ◄─────────┴─────────────────┘ told to a call, or old enough
 *
 * The service is asked by the session's reader, with nothing locked, so that one that does not
 * answer holds up nobody: who looks meanwhile sees SOURCE_PENDING.
 *
 * (1) A port has at most one piece; FETCH_NONE is its absence.
 * (2) A piece is its port's, but while FETCH_ASKED it is the session's: then the port lets go of it
 *     by setting `port` to NULL, under the lock of the list of ports. */
enum notify_fetch { FETCH_NONE, FETCH_ASKED, FETCH_HELD, FETCH_FAILED };

struct notify_journal {
    struct session_read read; /* its records become the port's run */
    enum notify_fetch state;
    struct notify_port *port;
    pid_t process; /* that asked: a child process gets no answer */
    int64_t again_ms;
};

static enum notify_fetch fetch_state(const struct notify_port *p)
{
    return p->journal ? p->journal->state : FETCH_NONE;
}

/* The first revision that the piece can speak of. */
static uint64_t piece_begin(const struct notify_journal *j)
{
    return MAX(j->read.from, j->read.first);
}

static void journal_free(struct notify_journal *j)
{
    buffer_fini(&j->read.records);
    free(j);
}

static void drop_journal(struct notify_port *p)
{
    struct notify_journal *j = TAKE_PTR(p->journal);
    if (!j)
        return;
    if (j->state == FETCH_ASKED)
        notify_list_disown(&j->port);
    else
        journal_free(j);
}

static void run_drop(struct notify_run *r)
{
    buffer_fini(&r->records);
    r->at = 0;
}

static void run_set(struct notify_run *r, struct buffer *records, uint64_t next)
{
    buffer_fini(&r->records);
    *r = (struct notify_run){.records = *records, .next = next};
    *records = (struct buffer){0};
}

/* On the session's reader thread. */
static void arrived(struct session_read *r)
{
    struct notify_journal *j = container_of(r, struct notify_journal, read);
    struct notify_port *p = notify_list_pin(&j->port);

    if (p)
        pthread_mutex_lock(&p->lock);
    if (!p || p->journal != j) {
        journal_free(j);
    } else {
        j->state = r->error == 0 ? FETCH_HELD : FETCH_FAILED;
        if (r->error == 0)
            run_set(&p->run, &r->records, piece_begin(j));
        j->again_ms = session_now_ms() + NOTIFY_AWAY_RETRY_MS;
        notify_port_changed_locked(p);
    }
    if (p) {
        pthread_mutex_unlock(&p->lock);
        notify_list_unpin(p);
    }
}

static uint32_t ask(struct notify_port *p, uint64_t from)
{
    struct notify_journal *j = calloc(1, sizeof(*j));
    if (!j)
        return ERR_NOT_ENOUGH_MEMORY;
    *j = (struct notify_journal){
        .read = {.from = from, .max_bytes = JOURNAL_PIECE, .done = arrived},
        .state = FETCH_ASKED,
        .port = p,
        .process = getpid(),
    };
    uint32_t error = session_read_journal(p->session->session, &j->read);
    if (error != 0)
        free(j);
    else
        p->journal = j;
    return error;
}

/* A failure that is old enough, and what a parent process asked for, are as good as none. */
static void forget_old(struct notify_port *p)
{
    struct notify_journal *j = p->journal;

    if (fetch_state(p) == FETCH_ASKED && j->process != getpid())
        p->journal = NULL;
    else if (fetch_state(p) == FETCH_FAILED && j->again_ms <= session_now_ms())
        drop_journal(p);
}

bool notify_source_passes(uint32_t error)
{
    return error == ERR_IO_PENDING || error == ERR_RPC_S_SERVER_UNAVAILABLE;
}

void notify_source_fini(struct notify_port *p)
{
    drop_journal(p);
    run_drop(&p->run);
}

void notify_source_forgive(struct notify_port *p)
{
    if (fetch_state(p) == FETCH_FAILED)
        drop_journal(p);
}

void notify_source_adopt(struct notify_port *p)
{
    if (fetch_state(p) != FETCH_HELD)
        drop_journal(p);
}

void notify_source_rewind(struct notify_port *p, uint64_t next_revision)
{
    struct notify_run *r = &p->run;

    for (size_t at = r->at; at < r->records.size;) {
        const uint8_t *record = r->records.data + at;
        if (change_peek_revision(record) >= next_revision || change_size(record) == 0)
            r->records.size = at;
        else
            at += change_size(record);
    }
    r->next = MIN(r->next, next_revision);
    if (fetch_state(p) != FETCH_HELD || r->at >= r->records.size)
        drop_journal(p);
}

static bool is_wanted(const uint64_t *kinds, unsigned kind)
{
    return kind < CHANGE_KIND_COUNT && (kinds[kind / 64] >> kind % 64 & 1);
}

/* The run's next record with a revision from `from` on; false: all of it was looked at. */
static bool next_of_run(struct notify_run *r, uint64_t from, const uint64_t *kinds,
                        const void **ret, size_t *ret_size)
{
    while (r->records.size - r->at >= CHANGE_ALIGNMENT) {
        const uint8_t *record = r->records.data + r->at;
        size_t size = change_size(record);
        if (size == 0 || size > r->records.size - r->at)
            break;
        uint64_t revision = change_peek_revision(record);
        if (revision >= from && is_wanted(kinds, change_peek_kind(record))) {
            *ret = record;
            *ret_size = size;
            return true;
        }
        r->at += size;
        r->next = MAX(r->next, revision + 1);
    }
    return false;
}

enum step {
    STEP_RUN, /* there is a run, or there may be one in the feed now */
    STEP_EMPTY,
    STEP_JOURNAL, /* the feed does not hold it */
    STEP_PENDING,
    STEP_ERROR,
};

static enum step after_piece(struct notify_source *s)
{
    struct notify_port *p = s->port;
    struct notify_journal *j = p->journal;

    switch (j->state) {
    case FETCH_ASKED:
        s->error = ERR_IO_PENDING;
        return STEP_PENDING;
    case FETCH_FAILED:
        s->error = j->read.error;
        return STEP_ERROR;
    default:
        break;
    }
    /* The journal is always ahead of the feed, so there was something; but never go round for
     * nothing. */
    bool nothing = p->run.next == piece_begin(j);
    run_drop(&p->run);
    drop_journal(p);
    return nothing ? STEP_EMPTY : STEP_RUN;
}

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
    p->run.at = 0;
    p->run.next = c->revision;
    switch (feed_read(p->feed, c, kinds, FEED_PIECE, &p->run.records)) {
    case FEED_RECORD:
        return STEP_RUN;
    case FEED_EMPTY:
        run_drop(&p->run); /* a port that waits has no need of it */
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

/* Another life's, while it is not known whether a handle was closed before it. The port takes that
 * one's feed soon, and is roused. */
static bool is_too_new(const struct notify_port *p, uint64_t revision)
{
    return p->port->unsettled_count > 0 && revision > feed_head_revision(p->feed);
}

static enum port_source_result source_next(struct port_source *source, uint64_t from,
                                           const uint64_t *kinds, const void **ret,
                                           size_t *ret_size, uint64_t *ret_next)
{
    struct notify_source *s = container_of(source, struct notify_source, source);
    struct notify_port *p = s->port;
    uint64_t asked = from;

    for (;;) {
        if (fetch_state(p) == FETCH_HELD && p->journal->read.first > from) {
            *ret_next = piece_begin(p->journal);
            return SOURCE_LOST;
        }
        if (next_of_run(&p->run, from, kinds, ret, ret_size)) {
            if (!p->journal || !is_too_new(p, change_peek_revision(*ret)))
                return SOURCE_RECORD;
            s->error = ERR_IO_PENDING;
            return SOURCE_PENDING;
        }
        from = MAX(from, p->run.next);
        forget_old(p);
        switch (p->journal ? after_piece(s) : next_of_feed(s, &from, kinds)) {
        case STEP_RUN:
            continue;
        case STEP_EMPTY:
            *ret_next = from;
            return SOURCE_EMPTY;
        case STEP_PENDING:
            return SOURCE_PENDING;
        case STEP_ERROR:
            return SOURCE_ERROR;
        case STEP_JOURNAL:
            break;
        }
        if (from > asked) { /* so that a loss is told from where it begins */
            *ret_next = from;
            return SOURCE_SKIPPED;
        }
        s->error = ask(p, from);
        if (s->error != 0)
            return SOURCE_ERROR;
    }
}

static const struct port_source_methods source_methods = {source_next};

struct notify_source notify_source_of(struct notify_port *p)
{
    return (struct notify_source){.source = {&source_methods}, .port = p};
}
