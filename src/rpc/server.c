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

static bool is_root_or_own(void *context, const struct rpc_peer *peer)
{
    (void)context;
    return peer->uid == 0 || peer->uid == geteuid();
}

static void set_defaults(struct rpc_server_options *o)
{
    static const uint64_t most[RPC_LIMIT_COUNT] = {
        [RPC_CONNECTIONS] = MOST_CONNECTIONS,
        [RPC_CONTEXTS] = MOST_CONTEXTS,
        [RPC_MEMORY] = MOST_MEMORY,
        [RPC_REGISTRATIONS] = MOST_REGISTRATIONS,
    };

    if (!o->trusted)
        o->trusted = is_root_or_own;
    for (unsigned i = 0; i < RPC_LIMIT_COUNT; i++)
        if (o->most[i] == 0)
            o->most[i] = most[i];
}

int rpc_server_create(const struct rpc_server_options *options, struct rpc_server **ret)
{
    struct rpc_server *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->options = *options;
    set_defaults(&s->options);
    s->account = account_create(s->options.most);
    if (!s->account) {
        free(s);
        return -ENOMEM;
    }
    /* Another start of the service gives other numbers: an old one is not taken for a new one. */
    if (getrandom(&s->last_group, sizeof(s->last_group), 0) < 0)
        s->last_group = (uint32_t)getpid();
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dispose_start();
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
    account_unref(s->account);
    cleanup_close(&s->spare_fd);
    sd_event_unref(s->options.loop);
    free(s);
}

/* Out of descriptors: without one to answer with, the loop would see the same connection for ever.
 */
static void refuse_one(struct rpc_server *s, int listener)
{
    struct rpc_transport *t;
    int fd;

    cleanup_close(&s->spare_fd);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    t = fd >= 0 ? rpc_transport_unix(fd, rpc_dispose) : NULL;
    if (t)
        t->methods->destroy(t);
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Whose process may have no more is turned away, and sees that. */
static void welcome(struct rpc_server *s, struct rpc_transport *t)
{
    struct rpc_peer peer = {0};
    struct account *account;

    t->methods->peer(t, &peer);
    account = account_of_process(s->account, &peer, s->options.trusted, s->options.context);
    if (account && quota_take(&account->of[RPC_CONNECTIONS], 1))
        connection_create(s, t, &peer, account);
    else
        t->methods->destroy(t);
    account_unref(account);
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
    t = rpc_transport_unix(fd, rpc_dispose);
    if (t)
        welcome(s, t);
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
