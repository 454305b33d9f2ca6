/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "rpc/server_internal.h"

struct listener {
    struct listener *next;
    sd_event_source *io;
    int fd;
};

int rpc_server_create(const struct rpc_server_options *options, struct rpc_server **ret)
{
    struct rpc_server *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->options = *options;
    if (s->options.most_connections == 0)
        s->options.most_connections = MOST_CONNECTIONS;
    if (s->options.most_contexts == 0)
        s->options.most_contexts = MOST_CONTEXTS;
    /* Another start of the service gives other numbers: an old one is not taken for a new one. */
    if (getrandom(&s->last_group, sizeof(s->last_group), 0) < 0)
        s->last_group = (uint32_t)getpid();
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sd_event_ref(s->options.loop);
    *ret = s;
    return 0;
}

void rpc_server_destroy(struct rpc_server *s)
{
    struct listener *next;

    if (!s)
        return;
    for (struct listener *l = s->listeners; l; l = next) {
        next = l->next;
        sd_event_source_disable_unref(l->io);
        cleanup_close(&l->fd);
        free(l);
    }
    while (s->connections)
        connection_destroy(s->connections);
    cleanup_close(&s->spare_fd);
    sd_event_unref(s->options.loop);
    free(s);
}

/* Out of descriptors: without one to answer with, the loop would see the same connection for ever.
 */
static void refuse_one(struct rpc_server *s, int listener)
{
    int fd;

    if (s->spare_fd < 0)
        return;
    close(s->spare_fd);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    cleanup_close(&fd);
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* One user's programs must not keep everybody else out; root's and our own are trusted. */
static bool holds_too_many(const struct rpc_server *s, struct rpc_transport *t)
{
    struct rpc_peer peer = {0};
    unsigned count = 0;

    t->methods->peer(t, &peer);
    if (peer.uid == 0 || peer.uid == geteuid())
        return false;
    for (const struct connection *c = s->connections; c; c = c->next)
        count += c->peer.uid == peer.uid;
    return count >= s->options.most_connections / 2;
}

static int on_accept(sd_event_source *source, int listener, uint32_t events, void *userdata)
{
    struct rpc_server *s = userdata;
    struct rpc_transport *t;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)source;
    (void)events;
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            refuse_one(s, listener);
        return 0;
    }
    if (s->connection_count >= s->options.most_connections) {
        close(fd);
        return 0;
    }
    t = rpc_transport_unix(fd);
    if (t && holds_too_many(s, t))
        t->methods->destroy(t);
    else if (t)
        connection_create(s, t); /* what failed is closed: its client sees that */
    return 0;
}

int rpc_server_listen(struct rpc_server *s, int fd)
{
    struct listener *l = calloc(1, sizeof(*l));
    int r = -ENOMEM;

    /* A connection that is gone before it is accepted must not hold up the loop. */
    if (l)
        r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
    if (r == 0)
        r = sd_event_add_io(s->options.loop, &l->io, fd, EPOLLIN, on_accept, s);
    if (r < 0) {
        free(l);
        close(fd);
        return r;
    }
    l->fd = fd;
    l->next = s->listeners;
    s->listeners = l;
    return 0;
}
