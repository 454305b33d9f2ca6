/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/notify_session.h"

/* A port's descriptor: an eventfd, set as long as a call on the port would not wait. Whoever takes
 * a notification sets it anew; what is published meanwhile is seen by a thread, one for all such
 * ports of a session, that sleeps on the feed. Ports without a descriptor cost it nothing. */

struct notify_event {
    struct lib_event event; /* its first reference is the handle's */
    void *word;
    int fd;
    bool set;
};

static int event_fd(struct lib_event *e)
{
    return container_of(e, struct notify_event, event)->fd;
}

static void event_release(struct handle_object *o)
{
    struct notify_event *e = container_of(o, struct notify_event, event.o);
    close(e->fd);
    free(e);
}

static void event_set(struct notify_event *e, bool set)
{
    eventfd_t value;

    if (e->set == set)
        return;
    e->set = set;
    if (set)
        eventfd_write(e->fd, 1);
    else
        eventfd_read(e->fd, &value);
}

static uint32_t event_create(struct notify_event **ret)
{
    struct notify_event *e = calloc(1, sizeof(*e));
    if (!e)
        return ERR_NOT_ENOUGH_MEMORY;
    e->event.fd = event_fd;
    e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->fd < 0) {
        uint32_t error = error_from_errno(errno);
        free(e);
        return error;
    }
    if (lib_handle_insert(&e->event.o, LIB_HANDLE_EVENT, event_release, &e->word) < 0) {
        event_release(&e->event.o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    *ret = e;
    return 0;
}

void notify_event_update_locked(struct notify_port *p)
{
    if (p->event)
        event_set(p->event, notify_port_ready_locked(p));
}

void notify_event_close(struct notify_event *e)
{
    if (!e)
        return;
    struct handle_object *o = lib_handle_remove(e->word, LIB_HANDLE_EVENT);
    event_set(e, true);
    handle_unref(o);
}

/* Under the port's lock. Another thread may have been first: then `made` is not taken. */
static uint32_t give_locked(struct notify_port *p, struct notify_event **made, int *ret_fd,
                            HANDLE *ret_handle)
{
    if (notify_port_closed_locked(p))
        return ERR_INVALID_HANDLE;
    if (!p->event) {
        p->event = TAKE_PTR(*made);
        notify_event_update_locked(p);
    }
    if (ret_fd)
        *ret_fd = p->event->fd;
    if (ret_handle)
        *ret_handle = p->event->word;
    return 0;
}

uint32_t notify_event_watch(struct notify_port *p)
{
    pthread_mutex_lock(&p->lock);
    if (p->state != NOTIFY_TIED || !p->event) {
        pthread_mutex_unlock(&p->lock);
        return 0;
    }
    struct notify_session *ns = p->session;
    bool enter = !p->pumped;
    p->inside++; /* a close waits until the pump is entered, and then leaves it */
    pthread_mutex_unlock(&p->lock);

    uint32_t error = enter ? notify_pump_enter(ns) : 0;
    if (error == 0)
        notify_pump_poke(ns);
    pthread_mutex_lock(&p->lock);
    bool entered = enter && error == 0;
    bool twice = entered && p->pumped; /* another thread was at it */
    p->pumped |= entered;
    notify_port_leave_locked(p);
    pthread_mutex_unlock(&p->lock);
    if (twice)
        notify_pump_leave(ns);
    return error;
}

uint32_t notify_event_get(struct notify_port *p, int *ret_fd, HANDLE *ret_handle)
{
    struct notify_event *made = NULL;

    pthread_mutex_lock(&p->lock);
    bool exists = p->event != NULL, watched = p->pumped;
    pthread_mutex_unlock(&p->lock);
    uint32_t error = exists ? 0 : event_create(&made);
    if (error != 0)
        return error;
    pthread_mutex_lock(&p->lock);
    error = give_locked(p, &made, ret_fd, ret_handle);
    pthread_mutex_unlock(&p->lock);
    notify_event_close(made);
    return error != 0 || watched ? error : notify_event_watch(p);
}

/* ---- the pump ---- */

struct notify_pump {
    struct session *session; /* the ports' */
    pthread_mutex_t lock;
    struct feed_sleepers sleepers;
    pthread_t thread;
    uint32_t ports; /* pumps_lock */
    uint32_t pokes;
    bool stop;
};

/* Who starts and ends pumps. Taken with nothing locked. */
static pthread_mutex_t pumps_lock = PTHREAD_MUTEX_INITIALIZER;

struct round {
    struct feed *feed; /* a reference */
    uint32_t ticket, bits;
    bool again; /* the ports have another feed than the ticket is of */
};

static void look_at_port_locked(struct notify_port *p, struct round *r)
{
    if (p->feed != r->feed) {
        feed_unref(r->feed);
        r->feed = feed_ref(p->feed);
        r->again = true;
    }
    if (!p->event->set)
        notify_event_update_locked(p);
    r->bits |= p->port->wake_bits;
}

static void look_at_ports(const struct notify_pump *pump, struct round *r)
{
    r->bits = 0;
    r->again = false;
    r->ticket = r->feed ? feed_ticket(r->feed) : 0;
    for (struct notify_port *p = NULL; (p = notify_list_next(p));) {
        pthread_mutex_lock(&p->lock);
        if (p->event && p->state == NOTIFY_TIED && p->session->session == pump->session)
            look_at_port_locked(p, r);
        pthread_mutex_unlock(&p->lock);
    }
}

static void *pump_thread(void *argument)
{
    struct notify_pump *pump = argument;
    struct round r = {0};

    pthread_mutex_lock(&pump->lock);
    while (!pump->stop) {
        uint32_t pokes = pump->pokes;
        pthread_mutex_unlock(&pump->lock);
        look_at_ports(pump, &r);
        pthread_mutex_lock(&pump->lock);
        if (!pump->stop && pokes == pump->pokes && !r.again)
            feed_sleep(&pump->sleepers, &pump->lock, r.feed, r.ticket, r.bits, NULL);
    }
    pthread_mutex_unlock(&pump->lock);
    feed_unref(r.feed);
    return NULL;
}

static void pump_free(struct notify_pump *pump)
{
    feed_sleepers_fini(&pump->sleepers);
    pthread_mutex_destroy(&pump->lock);
    free(pump);
}

static struct notify_pump *pump_start(struct session *session)
{
    struct notify_pump *pump = calloc(1, sizeof(*pump));
    if (!pump)
        return NULL;
    if (feed_sleepers_init(&pump->sleepers) < 0) {
        free(pump);
        return NULL;
    }
    pthread_mutex_init(&pump->lock, NULL);
    pump->session = session;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the program's signals are not this thread's */
    int r = pthread_create(&pump->thread, NULL, pump_thread, pump);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        return pump;
    pump_free(pump);
    return NULL;
}

uint32_t notify_pump_enter(struct notify_session *ns)
{
    pthread_mutex_lock(&pumps_lock);
    if (!ns->pump)
        ns->pump = pump_start(ns->session);
    if (ns->pump)
        ns->pump->ports++;
    uint32_t error = ns->pump ? 0 : ERR_NOT_ENOUGH_MEMORY;
    pthread_mutex_unlock(&pumps_lock);
    return error;
}

void notify_pump_leave(struct notify_session *ns)
{
    pthread_mutex_lock(&pumps_lock);
    struct notify_pump *pump = ns->pump;
    if (--pump->ports > 0)
        pump = NULL;
    else
        ns->pump = NULL;
    pthread_mutex_unlock(&pumps_lock);
    if (!pump)
        return;
    pthread_mutex_lock(&pump->lock);
    pump->stop = true;
    feed_rouse(&pump->sleepers, &pump->lock);
    pthread_mutex_unlock(&pump->lock);
    pthread_join(pump->thread, NULL);
    pump_free(pump);
}

void notify_pump_poke(struct notify_session *ns)
{
    pthread_mutex_lock(&pumps_lock);
    struct notify_pump *pump = ns->pump;
    if (pump) {
        pthread_mutex_lock(&pump->lock);
        pump->pokes++;
        feed_rouse(&pump->sleepers, &pump->lock);
        pthread_mutex_unlock(&pump->lock);
    }
    pthread_mutex_unlock(&pumps_lock);
}
