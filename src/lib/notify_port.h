/* SPDX-License-Identifier: MIT */
#ifndef LIB_NOTIFY_PORT_H
#define LIB_NOTIFY_PORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "clusapi.h"
#include "feed/feed.h"
#include "lib/handles.h"
#include "lib/object.h"
#include "lib/session.h"
#include "port/port.h"
#include "port/port_table.h"

/* What HCHANGE stands for: filters and a position (src/port), and the way to the changes: the feed,
 * and the journal where the feed does not reach back far enough.
 *
 * A waiting thread sleeps on the feed itself. Whatever else ends a wait (a close, a registration,
 * a connection that is back) is changed under the port's lock and followed by feed_rouse().
 *
 * Locks, outer to inner: a port's, the list of ports (notify_session.c), the session's own. None of
 * them is held while a handle is released, or while the service is asked. */

struct notify_session; /* a session as its ports share it: notify_session.h */
struct notify_event;   /* notify_event.c */

/*                 first registration
 *   NOTIFY_UNTIED ──────────────────► NOTIFY_TIED      to a cluster
 *         │            close                │
 *         └─────────► NOTIFY_CLOSING ◄──────┘          who waits is roused, and leaves
 *                           │ nobody is inside
 *                           ▼
 *                     NOTIFY_CLOSED                    nothing is looked at any more
 *
 * tests/model-checking has this life as a model, with these names, and searches all of it. */
enum notify_state { NOTIFY_UNTIED, NOTIFY_TIED, NOTIFY_CLOSING, NOTIFY_CLOSED };

/* Neighbouring records that were fetched from the feed or the journal. */
struct notify_run {
    struct buffer records;
    size_t at;     /* those before were looked at */
    uint64_t next; /* the revision after these */
};

struct notify_port {
    struct handle_object handle; /* the first field */
    void *word;                  /* the API's handle */
    enum port_version version;
    enum notify_state state;
    bool pumped;     /* its session's pump looks after `event` */
    uint32_t inside; /* threads that a close waits for */
    pthread_mutex_t lock;
    struct feed_sleepers sleepers;
    /* All NULL while NOTIFY_UNTIED. */
    struct port *port;
    struct notify_session *session;
    struct feed *feed;
    uint64_t feed_generation;
    struct port_table_slot *slot;
    struct notify_run run;          /* what comes before all that the other two have */
    struct feed_cursor cursor;      /* .revision 0: to be sought */
    struct notify_journal *journal; /* notify_source.c; NULL: the feed is enough */
    struct notify_event *event;     /* NULL: nobody asked for one */
    struct notify_list {            /* notify_session.c */
        struct notify_port *next, *previous;
        uint32_t pins;
    } list;
};

/* A new port's handle, not tied to a cluster. 0 or a Win32 code. */
uint32_t notify_port_create(enum port_version version, HCHANGE *ret);
/* NULL: not an open port of one of these versions (bit v: version v). notify_port_unref() when
 * done. */
struct notify_port *notify_port_acquire(HCHANGE h, unsigned versions);
void notify_port_unref(struct notify_port *p); /* NULL is fine; nothing is locked */
void notify_port_close(HCHANGE h);

#define NOTIFY_V1 (1u << PORT_V1)
#define NOTIFY_V2 (1u << PORT_V2)
#define NOTIFY_OWN (1u << PORT_OWN)

/* Calls add() with the port locked, tied to o's cluster, and its feed at hand. add() registers with
 * the revision that it is given, and returns 0 or -errno; what it registered ends with o's handle.
 */
typedef int (*notify_add_fn)(struct port *p, const struct object *o, const char *name,
                             uint64_t next_revision, void *context);
/* wants_name: HANDLE_CLOSE is asked for, so the object's name is read first. A Win32 code. */
uint32_t notify_port_register(struct notify_port *p, struct object *o, bool wants_name,
                              notify_add_fn add, void *context);

/* Waits for the port's next notification and gives it to take(), under the port's lock. It is
 * consumed if take() returns 0. show_lost: a lost range is one, whether a registration asks for it
 * or not. Returns what take() returns, WAIT_TIMEOUT, ERROR_INVALID_HANDLE (closed), or why changes
 * could not be read. */
typedef uint32_t (*notify_take_fn)(const struct port_notification *n, void *context);
uint32_t notify_port_next(struct notify_port *p, DWORD milliseconds, bool show_lost,
                          notify_take_fn take, void *context);

/* For those who have the port locked. */
static inline bool notify_port_closed_locked(const struct notify_port *p)
{
    return p->state >= NOTIFY_CLOSING;
}
bool notify_port_ready_locked(struct notify_port *p); /* a call would not wait */
/* The feed of a newer connection; RECONNECT comes after all that the older one held. */
void notify_port_adopt_locked(struct notify_port *p, struct feed *feed, uint64_t generation);
void notify_port_rouse_locked(struct notify_port *p);   /* waiters are to look again */
void notify_port_show_locked(struct notify_port *p);    /* its counters, in the table */
void notify_port_changed_locked(struct notify_port *p); /* these two, and its event */
void notify_port_leave_locked(struct notify_port *p);   /* ends its being `inside` */

static inline void notify_port_unrefp(struct notify_port **p)
{
    notify_port_unref(*p);
}

/* ---- notify_source.c: the port's changes, from feed and journal ---- */

struct notify_source {
    struct port_source source;
    struct notify_port *port;
    uint32_t error; /* after PORT_AWAY: why */
};

/* How soon the journal is asked again of a service that is away, should nothing rouse the port. */
#define NOTIFY_AWAY_RETRY_MS 1000

struct notify_source notify_source_of(struct notify_port *p);
void notify_source_fini(struct notify_port *p);
/* After PORT_AWAY: it passes by itself, and whoever waits on the port is roused then. */
bool notify_source_passes(uint32_t error);
/* The call that was told has had it: the next one tries again. */
void notify_source_forgive(struct notify_port *p);
/* There is another connection. What was held stays; what was asked for is asked for again. */
void notify_source_adopt(struct notify_port *p);
/* What is held of a history that was replaced from that revision on is forgotten. */
void notify_source_rewind(struct notify_port *p, uint64_t next_revision);

/* ---- notify_event.c: a descriptor that is readable while a call would not wait ---- */

uint32_t notify_event_get(struct notify_port *p, int *ret_fd, HANDLE *ret_handle);
/* Has the event looked after, as soon as there are both an event and a session. Nothing is locked.
 * A Win32 code. */
uint32_t notify_event_watch(struct notify_port *p);
void notify_event_update_locked(struct notify_port *p);
void notify_event_close(struct notify_event *e); /* NULL is fine */

#endif
