/* SPDX-License-Identifier: MIT */
#include "lib/notify_session.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/session_internal.h"
#include "rpc/rpc_interface.h"

static pthread_mutex_t lists_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unpinned = PTHREAD_COND_INITIALIZER;
static struct notify_port *first_port;
static struct notify_session *first_session;

/* ---- the list of ports ---- */

void notify_list_add(struct notify_port *p)
{
    pthread_mutex_lock(&lists_lock);
    p->list.next = first_port;
    if (first_port)
        first_port->list.previous = p;
    first_port = p;
    pthread_mutex_unlock(&lists_lock);
}

void notify_list_remove(struct notify_port *p)
{
    pthread_mutex_lock(&lists_lock);
    while (p->list.pins > 0)
        pthread_cond_wait(&unpinned, &lists_lock);
    if (p->list.next)
        p->list.next->list.previous = p->list.previous;
    if (p->list.previous)
        p->list.previous->list.next = p->list.next;
    else
        first_port = p->list.next;
    pthread_mutex_unlock(&lists_lock);
}

static void unpin_locked(struct notify_port *p)
{
    if (p && --p->list.pins == 0)
        pthread_cond_broadcast(&unpinned);
}

struct notify_port *notify_list_next(struct notify_port *previous)
{
    pthread_mutex_lock(&lists_lock);
    struct notify_port *p = previous ? previous->list.next : first_port;
    if (p)
        p->list.pins++;
    unpin_locked(previous);
    pthread_mutex_unlock(&lists_lock);
    return p;
}

struct notify_port *notify_list_pin(struct notify_port *const *link)
{
    pthread_mutex_lock(&lists_lock);
    struct notify_port *p = *link;
    if (p)
        p->list.pins++;
    pthread_mutex_unlock(&lists_lock);
    return p;
}

void notify_list_unpin(struct notify_port *p)
{
    pthread_mutex_lock(&lists_lock);
    unpin_locked(p);
    pthread_mutex_unlock(&lists_lock);
}

void notify_list_disown(struct notify_port **link)
{
    pthread_mutex_lock(&lists_lock);
    *link = NULL;
    pthread_mutex_unlock(&lists_lock);
}

/* ---- the table of ports, for the service's list ---- */

struct port_table_slot *notify_table_add(const struct notify_port *p)
{
    struct timespec now;
    if (!p->session->table)
        return NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    return port_table_add(p->session->table, lib_handle_word(p->word), p->version,
                          (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

static struct notify_session *find_locked(const struct session *s)
{
    struct notify_session *ns = first_session;
    while (ns && ns->session != s)
        ns = ns->next;
    return ns;
}

/* The table's descriptor, once for each connection; -1: it has it, or there is none. A copy, since
 * the last port may go while the service is asked. */
static int take_table_fd(const struct session *s, uint64_t generation)
{
    int fd = -1;

    pthread_mutex_lock(&lists_lock);
    struct notify_session *ns = find_locked(s);
    if (ns && ns->table && generation != 0 && ns->published != generation) {
        ns->published = generation;
        fd = fcntl(port_table_fd(ns->table), F_DUPFD_CLOEXEC, 0);
    }
    pthread_mutex_unlock(&lists_lock);
    return fd;
}

/* Without it only the service's list of ports is poorer. */
static void publish_table(struct session *s)
{
    _cleanup_close_
    int fd = take_table_fd(s, session_generation(s)), none = -1;
    if (fd < 0)
        return;

    _cleanup_(session_client_unrefp) struct rpc_client *client = session_present_client(s);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct private_PublishPorts a = {0};
    if (client)
        rpc_client_call_fd(client, &rpc_private, &private_op_PublishPorts, &a, &arena, fd, &none);
}

/* ---- what the watch of a session tells ---- */

/* Locks a port of that session; false, and not locked: it is another's. */
static bool lock_if_of(struct notify_port *p, const struct session *s)
{
    pthread_mutex_lock(&p->lock);
    if (p->state == NOTIFY_TIED && p->session->session == s)
        return true;
    pthread_mutex_unlock(&p->lock);
    return false;
}

static void unlock_changed(struct notify_port *p)
{
    notify_port_changed_locked(p);
    pthread_mutex_unlock(&p->lock);
}

/* The old feed is silent, and who sleeps on it sleeps on. */
static void on_lost(struct session *s)
{
    (void)s;
}

static void on_given_up(struct session *s)
{
    for (struct notify_port *p = NULL; (p = notify_list_next(p));) {
        if (!lock_if_of(p, s))
            continue;
        port_cluster_lost(p->port, feed_head_revision(p->feed) + 1);
        unlock_changed(p);
    }
}

static bool on_back(struct session *s)
{
    _cleanup_(feed_unrefp) struct feed *feed = NULL;
    uint64_t generation = 0;
    if (session_feed(s, &feed, &generation) != 0)
        return false;

    for (struct notify_port *p = NULL; (p = notify_list_next(p));) {
        if (!lock_if_of(p, s))
            continue;
        struct notify_session *ns = p->session; /* the pin on p keeps it */
        notify_port_adopt_locked(p, feed, generation);
        unlock_changed(p);
        notify_pump_poke(ns);
    }
    publish_table(s); /* last, with no port pinned: it asks the service */
    return true;
}

static const struct session_watch watch = {on_lost, on_given_up, on_back};

/* ---- sessions ---- */

static void session_free(struct notify_session *ns)
{
    port_table_destroy(ns->table);
    session_unref(ns->session);
    free(ns);
}

uint32_t notify_session_enter(struct session *s, struct notify_session **ret)
{
    struct notify_session *made = calloc(1, sizeof(*made));
    if (!made)
        return ERR_NOT_ENOUGH_MEMORY;
    made->session = session_ref(s);

    pthread_mutex_lock(&lists_lock);
    struct notify_session *ns = find_locked(s);
    bool is_new = !ns;
    if (is_new) {
        ns = made;
        port_table_create(&ns->table); /* without it, the service's list is poorer */
        ns->next = first_session;
        first_session = ns;
    }
    ns->ports++;
    pthread_mutex_unlock(&lists_lock);
    if (!is_new)
        session_free(made);

    uint32_t error = session_watch_start(s, &watch);
    if (error != 0) {
        notify_session_leave(ns);
        return error;
    }
    publish_table(s);
    *ret = ns;
    return 0;
}

void notify_session_leave(struct notify_session *ns)
{
    if (!ns)
        return;
    pthread_mutex_lock(&lists_lock);
    bool last = --ns->ports == 0;
    if (last) {
        struct notify_session **link = &first_session;
        while (*link != ns)
            link = &(*link)->next;
        *link = ns->next;
    }
    pthread_mutex_unlock(&lists_lock);
    if (!last)
        return;
    session_free(ns);
}

/* ---- a handle is closed ---- */

/* The port has not heard of the present service yet, or there is none. */
static bool is_behind_locked(const struct notify_port *p)
{
    return session_generation(p->session->session) != p->feed_generation;
}

static bool ends_something_locked(const struct notify_port *p, uint64_t owner)
{
    return p->state == NOTIFY_TIED && port_has_owner(p->port, owner);
}

/* The registrations end after all that has happened, and so the port has to know the present
 * service; by one attempt. */
static void bring_up_to_date(struct notify_port *p, uint64_t owner)
{
    _cleanup_(feed_unrefp) struct feed *feed = NULL;
    uint64_t generation = 0;

    pthread_mutex_lock(&p->lock);
    bool behind = ends_something_locked(p, owner) && is_behind_locked(p);
    struct session *s = behind ? p->session->session : NULL;
    pthread_mutex_unlock(&p->lock);
    if (!behind || session_feed_now(s, &feed, &generation) != 0)
        return;
    pthread_mutex_lock(&p->lock);
    notify_port_adopt_locked(p, feed, generation);
    unlock_changed(p);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void notify_handle_closed(const void *handle)
{
    uint64_t word = lib_handle_word(handle);
    int64_t closed_ns = now_ns(); /* before a service that begins now is looked for */

    for (struct notify_port *p = NULL; (p = notify_list_next(p));) {
        bring_up_to_date(p, word);
        pthread_mutex_lock(&p->lock);
        if (!ends_something_locked(p, word)) {
            pthread_mutex_unlock(&p->lock);
            continue;
        }
        if (is_behind_locked(p))
            port_handle_closed_away(p->port, word, closed_ns);
        else
            port_handle_closed(p->port, word, feed_head_revision(p->feed) + 1);
        unlock_changed(p);
    }
}
