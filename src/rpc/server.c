/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/macro.h"
#include "rpc/server_internal.h"

/* Who is not accepted waits, and the listener stays readable: it is left alone for so long. */
#define PAUSE_USEC 100000u

struct listener {
    struct listener *next;
    struct rpc_server *server;
    sd_event_source *io, *pause;
    bool paused; /* since the last connection that was accepted */
    int fd;
};

static void listener_destroy(struct listener *l)
{
    sd_event_source_disable_unref(l->io);
    sd_event_source_disable_unref(l->pause);
    cleanup_close(&l->fd);
    free(l);
}

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

static void open_spare(struct rpc_server *s)
{
    if (s->spare_fd < 0)
        s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int rpc_server_create(const struct rpc_server_options *options, struct rpc_server **ret)
{
    struct rpc_server *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    if (!s)
        return -ENOMEM;
    s->options = *options;
    set_defaults(&s->options);
    s->account = account_create(s->options.most);
    if (s->account)
        r = poller_create(&s->poller, options->loop);
    if (r < 0) {
        account_unref(s->account);
        free(s);
        return r;
    }
    /* Another start of the service gives other numbers: an old one is not taken for a new one. */
    if (getrandom(&s->last_group, sizeof(s->last_group), 0) < 0)
        s->last_group = (uint32_t)getpid();
    s->spare_fd = -1;
    open_spare(s);
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
        listener_destroy(l);
    }
    while (s->connections)
        connection_destroy(s->connections);
    poller_destroy(&s->poller);
    account_unref(s->account);
    cleanup_close(&s->spare_fd);
    sd_event_unref(s->options.loop);
    free(s);
}

/* Out of descriptors: whoever comes is to see that. false: not even that can be had. */
static bool refuse_one(struct rpc_server *s, int listener)
{
    struct rpc_transport *t;
    int fd;

    cleanup_close(&s->spare_fd);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    t = fd >= 0 ? rpc_transport_unix(fd, rpc_dispose) : NULL;
    if (t)
        t->methods->destroy(t);
    open_spare(s);
    return fd >= 0;
}

static void pause_listener(struct listener *l, int error)
{
    if (!l->paused)
        log_warning("accept_failed error=%s", log_quote(strerror(error)));
    l->paused = true;
    if (sd_event_source_set_time_relative(l->pause, PAUSE_USEC) >= 0 &&
        sd_event_source_set_enabled(l->pause, SD_EVENT_ONESHOT) >= 0)
        sd_event_source_set_enabled(l->io, SD_EVENT_OFF);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct listener *l = userdata;

    (void)source;
    (void)usec;
    open_spare(l->server);
    sd_event_source_set_enabled(l->io, SD_EVENT_ON);
    return 0;
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

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct listener *l = userdata;
    struct rpc_transport *t;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), error = errno;

    (void)source;
    (void)events;
    if (accepted < 0) {
        bool gone = error == EAGAIN || error == EINTR || error == ECONNABORTED;
        bool full = error == EMFILE || error == ENFILE;
        if (!gone && !(full && refuse_one(l->server, fd)))
            pause_listener(l, error);
        return 0;
    }
    l->paused = false;
    t = rpc_transport_unix(accepted, rpc_dispose);
    if (t)
        welcome(l->server, t);
    return 0;
}

static int add_sources(struct listener *l, int fd)
{
    sd_event *loop = l->server->options.loop;
    int r = sd_event_add_io(loop, &l->io, fd, EPOLLIN, on_accept, l);

    if (r >= 0)
        r = sd_event_add_time_relative(loop, &l->pause, CLOCK_MONOTONIC, PAUSE_USEC, 0,
                                       on_pause_over, l);
    return r < 0 ? r : sd_event_source_set_enabled(l->pause, SD_EVENT_OFF);
}

int rpc_server_listen(struct rpc_server *s, int fd)
{
    struct listener *l = calloc(1, sizeof(*l));

    if (!l) {
        close(fd);
        return -ENOMEM;
    }
    l->server = s;
    l->fd = fd;
    /* A connection that is gone before it is accepted must not hold up the loop. */
    int r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : add_sources(l, fd);
    if (r < 0) {
        listener_destroy(l);
        return r;
    }
    l->next = s->listeners;
    s->listeners = l;
    return 0;
}
