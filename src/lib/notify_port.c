/* SPDX-License-Identifier: MIT */
#include "lib/notify_port.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/notify_session.h"

/* ---- life ---- */

static void port_free(struct notify_port *p)
{
    if (p->slot)
        port_table_remove(p->session->table, p->slot);
    INVARIANT(!p->journal);
    port_destroy(p->port);
    feed_unref(p->feed);
    notify_session_leave(p->session);
    feed_sleepers_fini(&p->sleepers);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void port_release(struct handle_object *h)
{
    port_free(container_of(h, struct notify_port, handle));
}

uint32_t notify_port_create(enum port_version version, HCHANGE *ret)
{
    struct notify_port *p = calloc(1, sizeof(*p));
    if (!p)
        return ERR_NOT_ENOUGH_MEMORY;
    if (feed_sleepers_init(&p->sleepers) < 0) {
        free(p);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    pthread_mutex_init(&p->lock, NULL);
    p->version = version;
    /* In the list first: whoever can guess the handle may close it. */
    notify_list_add(p);
    if (lib_handle_insert(&p->handle, LIB_HANDLE_PORT, port_release, &p->word) < 0) {
        notify_list_remove(p);
        port_free(p);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    *ret = p->word;
    return 0;
}

struct notify_port *notify_port_acquire(HCHANGE h, unsigned versions)
{
    struct handle_object *o = lib_handle_acquire(h, LIB_HANDLE_PORT);
    if (!o)
        return NULL;
    struct notify_port *p = container_of(o, struct notify_port, handle);
    if (versions & 1u << p->version)
        return p;
    handle_unref(o);
    return NULL;
}

void notify_port_unref(struct notify_port *p)
{
    if (p)
        handle_unref(&p->handle);
}

void notify_port_close(HCHANGE h)
{
    struct handle_object *o = lib_handle_remove(h, LIB_HANDLE_PORT);
    if (!o)
        return;
    struct notify_port *p = container_of(o, struct notify_port, handle);

    pthread_mutex_lock(&p->lock);
    p->state = NOTIFY_CLOSING;
    feed_rouse(&p->sleepers, &p->lock);
    while (p->inside > 0)
        pthread_cond_wait(&p->sleepers.moved, &p->lock);
    p->state = NOTIFY_CLOSED;
    notify_source_fini(p);
    struct notify_event *event = TAKE_PTR(p->event);
    bool pumped = p->pumped;
    pthread_mutex_unlock(&p->lock);

    notify_list_remove(p);
    notify_event_close(event);
    if (pumped)
        notify_pump_leave(p->session);
    handle_unref(o);
}

/* ---- with the port locked ---- */

void notify_port_rouse_locked(struct notify_port *p)
{
    if (p->sleepers.list)
        feed_rouse(&p->sleepers, &p->lock);
}

void notify_port_leave_locked(struct notify_port *p)
{
    p->inside--;
    if (p->state == NOTIFY_CLOSING && p->inside == 0)
        pthread_cond_broadcast(&p->sleepers.moved);
}

void notify_port_show_locked(struct notify_port *p)
{
    if (p->state == NOTIFY_TIED)
        port_table_update(p->slot, p->port, p->inside);
}

void notify_port_changed_locked(struct notify_port *p)
{
    notify_port_rouse_locked(p);
    notify_event_update_locked(p);
    notify_port_show_locked(p);
}

bool notify_port_ready_locked(struct notify_port *p)
{
    if (p->state != NOTIFY_TIED)
        return notify_port_closed_locked(p);
    struct notify_source s = notify_source_of(p);
    struct port_notification n;
    enum port_result r = port_peek(p->port, &s.source, &n);
    return r == PORT_NOTIFICATION || (r == PORT_AWAY && !notify_source_passes(s.error));
}

void notify_port_adopt_locked(struct notify_port *p, struct feed *feed, uint64_t generation)
{
    if (generation <= p->feed_generation)
        return;
    p->feed_generation = generation;
    if (p->feed == feed)
        return;
    uint64_t next = feed_head_revision(feed) + 1;
    if (p->feed) {
        uint64_t before = feed_head_revision(p->feed) + 1;
        if (next < MAX(before, p->port->revision)) {
            port_rewind(p->port, next);
            notify_source_rewind(p, next);
        }
        port_reconnected(p->port, MIN(next, before));
        port_settle(p->port, feed_life_since_ns(feed), MIN(feed_life_revision(feed), next), next);
    }
    feed_unref(p->feed);
    p->feed = feed_ref(feed);
    p->cursor = (struct feed_cursor){0};
    notify_source_adopt(p);
}

/* ---- registering ---- */

struct registration {
    struct notify_port *port;
    struct object *object;
    struct notify_session *session; /* entered, for a port that is not tied yet */
    char *name;
};

static void registration_fini(struct registration *r)
{
    notify_session_leave(r->session);
    free(r->name);
}

/* Everything that may wait for the service, with nothing locked. */
static uint32_t prepare(struct registration *r, bool wants_name)
{
    struct notify_port *p = r->port;
    _cleanup_(feed_unrefp) struct feed *mapped = NULL;

    pthread_mutex_lock(&p->lock);
    struct notify_session *tied = p->session; /* never changes once it is set */
    pthread_mutex_unlock(&p->lock);

    struct session *session = tied ? tied->session : r->object->session;
    if (!session_same_cluster(session, r->object->session))
        return ERR_INVALID_PARAMETER;
    uint32_t error = tied ? 0 : notify_session_enter(session, &r->session);
    if (error == 0)
        error = session_feed(session, &mapped, NULL);
    if (error != 0)
        return error;
    /* The object may be gone already; its handle can be closed all the same. */
    if (wants_name && object_read_name(r->object, &r->name) != 0)
        r->name = NULL;
    return 0;
}

/* The port's first registration ties it to its cluster. The feed that prepare() got may be an older
 * one by now, and who was not tied yet was not told: the session knows the newest. */
static uint32_t tie_locked(struct registration *r)
{
    struct notify_port *p = r->port;

    if (notify_port_closed_locked(p))
        return ERR_INVALID_HANDLE;
    bool tied = p->state == NOTIFY_TIED;
    if (tied && r->session && !session_same_cluster(p->session->session, r->session->session))
        return ERR_INVALID_PARAMETER; /* another thread was faster with another cluster */
    INVARIANT(tied || r->session);
    struct session *session = (tied ? p->session : r->session)->session;
    uint64_t generation;
    _cleanup_(feed_unrefp) struct feed *feed = session_mapped_feed(session, &generation);
    if (!tied) {
        p->port =
            port_create(p->version, session_cluster_name(session), feed_head_revision(feed) + 1);
        if (!p->port)
            return ERR_NOT_ENOUGH_MEMORY;
        p->session = TAKE_PTR(r->session);
        p->slot = notify_table_add(p);
        p->state = NOTIFY_TIED;
    }
    notify_port_adopt_locked(p, feed, generation);
    return 0;
}

/* After this only add() can fail. */
static uint32_t tie(struct registration *r)
{
    pthread_mutex_lock(&r->port->lock);
    uint32_t error = tie_locked(r);
    pthread_mutex_unlock(&r->port->lock);
    return error != 0 ? error : notify_event_watch(r->port);
}

static uint32_t register_locked(struct registration *r, notify_add_fn add, void *context)
{
    struct notify_port *p = r->port;
    const struct object *o = r->object;

    if (notify_port_closed_locked(p))
        return ERR_INVALID_HANDLE;
    size_t first = p->port->filter_count;
    int e = add(p->port, o, r->name ? r->name : "", feed_head_revision(p->feed) + 1, context);
    if (e < 0) {
        port_take_back(p->port, first);
        return error_from_errno(e);
    }
    if (o->cluster)
        port_set_parent(p->port, first, lib_handle_word(o->cluster->word));
    notify_port_changed_locked(p); /* they sleep without the new bits */
    return 0;
}

static bool is_open(const struct object *o)
{
    struct object *found = object_acquire(o->word, LIB_HANDLE_ANY);
    object_unref(found);
    return found != NULL;
}

uint32_t notify_port_register(struct notify_port *p, struct object *o, bool wants_name,
                              notify_add_fn add, void *context)
{
    _cleanup_(registration_fini) struct registration r = {.port = p, .object = o};
    uint32_t error = prepare(&r, wants_name);
    if (error == 0)
        error = tie(&r);
    if (error != 0)
        return error;

    pthread_mutex_lock(&p->lock);
    error = register_locked(&r, add, context);
    pthread_mutex_unlock(&p->lock);
    if (error == 0)
        error = notify_event_watch(p); /* it is already: the pump is told of new bits */
    if (error != 0)
        return error;
    if (!is_open(o)) /* closed while we registered: that close has not seen us */
        notify_handle_closed(o->word);
    return 0;
}

/* ---- waiting ---- */

static struct timespec deadline_after(DWORD milliseconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += milliseconds / 1000;
    t.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

enum look {
    LOOK_DONE,
    LOOK_EMPTY,
    LOOK_AWAY, /* at the journal: the feed has nothing for us before it was read */
};

/* One look. LOOK_DONE: *ret_error is the call's result. */
static enum look look_locked(struct notify_port *p, bool show_lost, notify_take_fn take,
                             void *context, uint32_t *ret_error)
{
    struct port_notification n;
    enum look look = LOOK_EMPTY;

    if (notify_port_closed_locked(p)) {
        *ret_error = ERR_INVALID_HANDLE;
        return LOOK_DONE;
    }
    if (p->state == NOTIFY_UNTIED)
        return LOOK_EMPTY;
    p->port->show_lost = show_lost;
    struct notify_source s = notify_source_of(p);
    switch (port_peek(p->port, &s.source, &n)) {
    case PORT_NOTIFICATION:
        *ret_error = take(&n, context);
        if (*ret_error == 0)
            port_consume(p->port);
        look = LOOK_DONE;
        break;
    case PORT_EMPTY:
        break;
    case PORT_AWAY:
        if (notify_source_passes(s.error)) {
            look = LOOK_AWAY;
            break;
        }
        *ret_error = s.error;
        notify_source_forgive(p);
        look = LOOK_DONE;
        break;
    }
    return look;
}

static int sleep_locked(struct notify_port *p, uint32_t ticket, enum look look,
                        const struct timespec *deadline)
{
    struct timespec again;
    bool retry = false;
    if (look == LOOK_AWAY) {
        again = deadline_after(NOTIFY_AWAY_RETRY_MS);
        retry = !deadline || is_before(&again, deadline);
    }
    uint32_t bits = p->state == NOTIFY_TIED ? p->port->wake_bits : 0;
    struct feed *feed = look == LOOK_AWAY ? NULL : p->feed;

    int r = feed_sleep(&p->sleepers, &p->lock, feed, ticket, bits, retry ? &again : deadline);
    return retry ? 0 : r;
}

uint32_t notify_port_next(struct notify_port *p, DWORD milliseconds, bool show_lost,
                          notify_take_fn take, void *context)
{
    struct timespec deadline;
    uint32_t error = WAIT_TIMEOUT;
    bool last_look = milliseconds == 0;

    if (milliseconds != 0 && milliseconds != INFINITE)
        deadline = deadline_after(milliseconds);
    pthread_mutex_lock(&p->lock);
    p->inside++;
    for (;;) {
        uint32_t ticket = p->feed ? feed_ticket(p->feed) : 0;
        uint32_t result = WAIT_TIMEOUT;
        enum look look = look_locked(p, show_lost, take, context, &result);
        if (look == LOOK_DONE || last_look) {
            error = look == LOOK_DONE ? result : WAIT_TIMEOUT;
            break;
        }
        notify_port_show_locked(p);
        last_look = sleep_locked(p, ticket, look, milliseconds == INFINITE ? NULL : &deadline) < 0;
    }
    notify_port_leave_locked(p);
    notify_event_update_locked(p);
    notify_port_show_locked(p);
    pthread_mutex_unlock(&p->lock);
    return error;
}
