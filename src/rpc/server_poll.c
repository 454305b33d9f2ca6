/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/macro.h"
#include "rpc/server_internal.h"

/* The connections have epoll sets of their own. In the loop's, each of those that are ready would
 * cost two looks at all of them. */

#define MOST_AT_ONCE 64
#define LONGEST_TURN_NS                                                                            \
    2000000u /* then the rest of the loop has its turn; the others stay ready                      \
              */

uint64_t rpc_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Those that are given and not served go to the list's end, behind others that were served: so no
 * more are taken than there was time for. A connection that is served may destroy itself, none of
 * the others. */
static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct poll_set *set = userdata;
    struct epoll_event ready[MOST_AT_ONCE];
    const uint64_t begun = rpc_now_ns();
    int count = epoll_wait(fd, ready, set->most, 0), i = 0;

    (void)source;
    (void)events;
    while (i < count && (i == 0 || rpc_now_ns() - begun < LONGEST_TURN_NS)) {
        connection_serve(ready[i].data.ptr, ready[i].events);
        i++;
    }
    set->most = i < count ? i : MIN(2 * set->most, set->limit);
    return 0;
}

static int create_set(struct poll_set *set, sd_event *loop, int limit, int64_t priority)
{
    int r;

    set->most = set->limit = limit;
    set->fd = epoll_create1(EPOLL_CLOEXEC);
    if (set->fd < 0)
        return -errno;
    r = sd_event_add_io(loop, &set->source, set->fd, EPOLLIN, on_ready, set);
    if (r >= 0)
        r = sd_event_source_set_priority(set->source, priority);
    return r;
}

int poller_create(struct poller *p, sd_event *loop)
{
    int r;

    *p = (struct poller){.prompt.fd = -1, .late.fd = -1};
    r = create_set(&p->prompt, loop, MOST_AT_ONCE, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = create_set(&p->late, loop, 1, SD_EVENT_PRIORITY_IDLE);
    if (r < 0)
        poller_destroy(p);
    return MIN(r, 0);
}

static void destroy_set(struct poll_set *set)
{
    set->source = sd_event_source_disable_unref(set->source);
    cleanup_close(&set->fd);
}

void poller_destroy(struct poller *p)
{
    destroy_set(&p->prompt);
    destroy_set(&p->late);
}

static struct poll_set *set_of(struct poller *p, const struct connection *c)
{
    return c->late ? &p->late : &p->prompt;
}

static int control(struct poller *p, struct connection *c, int operation)
{
    struct epoll_event event = {.events = c->events, .data.ptr = c};

    return epoll_ctl(set_of(p, c)->fd, operation, c->transport->methods->fd(c->transport), &event) <
                   0
               ? -errno
               : 0;
}

int poller_add(struct poller *p, struct connection *c)
{
    return control(p, c, EPOLL_CTL_ADD);
}

void poller_remove(struct poller *p, struct connection *c)
{
    control(p, c, EPOLL_CTL_DEL);
}

int poller_update(struct poller *p, struct connection *c, uint32_t events)
{
    c->events = events;
    return control(p, c, EPOLL_CTL_MOD);
}

int poller_move(struct poller *p, struct connection *c, bool late)
{
    control(p, c, EPOLL_CTL_DEL);
    c->late = late;
    return control(p, c, EPOLL_CTL_ADD);
}
