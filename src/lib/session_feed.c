/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/macro.h"
#include "lib/session_internal.h"
#include "rpc/rpc_interface.h"

/* Asks that connection's service for its feed and maps it. */
static uint32_t open_feed(struct rpc_client *client, struct feed **ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_close_
    int fd = -1;
    struct private_OpenFeed a = {0};
    uint32_t error =
        rpc_client_call_fd(client, &rpc_private, &private_op_OpenFeed, &a, &arena, -1, &fd);
    if (error == 0)
        error = a.result;
    if (error != 0)
        return error;
    if (fd < 0)
        return ERR_RPC_S_PROTOCOL_ERROR;
    int r = feed_open(fd, ret);
    return r < 0 ? error_from_errno(r) : 0;
}

/* The one that is mapped already, of that generation. */
static bool take_mapped(struct session *s, uint64_t generation, struct feed **ret)
{
    pthread_mutex_lock(&s->lock);
    bool mapped = s->feed && s->feed_generation == generation;
    if (mapped)
        *ret = feed_ref(s->feed);
    pthread_mutex_unlock(&s->lock);
    return mapped;
}

/* Another thread may have been faster: then its mapping is the one. */
static void keep_mapped(struct session *s, uint64_t generation, struct feed **feed)
{
    pthread_mutex_lock(&s->lock);
    struct feed *old = NULL;
    if (s->feed_generation < generation) {
        old = s->feed;
        s->feed = feed_ref(*feed);
        s->feed_generation = generation;
    } else if (s->feed_generation == generation) {
        old = *feed;
        *feed = feed_ref(s->feed);
    }
    pthread_mutex_unlock(&s->lock);
    feed_unref(old);
}

struct feed_attempt {
    struct feed *feed;
    uint64_t generation;
};

static uint32_t attempt_feed(struct session *s, struct rpc_client *client, uint64_t generation,
                             void *context, bool *ret_sent)
{
    struct feed_attempt *a = context;
    *ret_sent = true;
    a->generation = generation;
    if (take_mapped(s, generation, &a->feed))
        return 0;
    uint32_t error = open_feed(client, &a->feed);
    if (error == 0)
        keep_mapped(s, generation, &a->feed);
    return error;
}

uint32_t session_feed(struct session *s, struct feed **ret, uint64_t *ret_generation)
{
    struct feed_attempt a = {0};
    uint32_t error = session_try(s, attempt_feed, &a, true);
    if (error != 0)
        return error;
    *ret = a.feed;
    if (ret_generation)
        *ret_generation = a.generation;
    return 0;
}

uint32_t session_feed_now(struct session *s, struct feed **ret, uint64_t *ret_generation)
{
    _cleanup_(session_client_unrefp) struct rpc_client *client = NULL;
    struct feed_attempt a = {0};
    uint64_t generation = 0;
    bool sent;
    uint32_t error = session_silent(s) ? ERR_TIMEOUT : session_attach(s, &client, &generation);
    if (error == 0)
        error = attempt_feed(s, client, generation, &a, &sent);
    if (error != 0)
        return error;
    *ret = a.feed;
    *ret_generation = a.generation;
    return 0;
}

struct feed *session_mapped_feed(struct session *s, uint64_t *ret_generation)
{
    pthread_mutex_lock(&s->lock);
    struct feed *feed = s->feed ? feed_ref(s->feed) : NULL;
    *ret_generation = s->feed_generation;
    pthread_mutex_unlock(&s->lock);
    return feed;
}
