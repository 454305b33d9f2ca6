/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "rpc/client_internal.h"
#include "rpc/ndr.h"

#define MOST_CONNECTIONS 64 /* for calls, beside the one that is watched */

/* The watched connection makes the association and carries no calls, so that a hang-up is all that
 * ever happens on it. The others are made as threads need them. One that breaks under a call breaks
 * the client as a whole: its handles may be gone, and half a client helps nobody. */
struct rpc_client {
    atomic_uint references;
    char *path;
    unsigned timeout_ms;
    struct client_connection *watched;
    atomic_bool broken, silent;

    pthread_mutex_t lock;
    pthread_cond_t idle_or_broken;
    struct client_connection *idle;
    struct client_connection *all; /* without the watched one */
    unsigned count;
};

static void connection_destroy(struct client_connection *c)
{
    if (!c)
        return;
    c->transport->methods->destroy(c->transport);
    buffer_fini(&c->input);
    free(c);
}

/* What is short here is no sign that there is no server. */
static uint32_t error_of_connecting(int r)
{
    switch (r) {
    case -EACCES:
    case -EPERM:
    case -ENOMEM:
    case -EMFILE:
    case -ENFILE:
        return error_from_errno(r);
    case -EAGAIN:
        return ERR_TIMEOUT;
    default:
        return ERR_RPC_S_SERVER_UNAVAILABLE;
    }
}

static uint32_t connection_open(const struct rpc_client_options *o, uint32_t group,
                                struct client_connection **ret)
{
    struct client_connection *c = calloc(1, sizeof(*c));
    uint32_t error;
    int r;

    if (!c)
        return ERR_NOT_ENOUGH_MEMORY;
    c->timeout_ms = o->timeout_ms;
    r = rpc_transport_unix_connect(o->path, o->timeout_ms, o->cancel_fd, &c->transport);
    if (r < 0) {
        free(c);
        return error_of_connecting(r);
    }
    error = client_bind(c, group, o->cancel_fd);
    if (error == 0 && !(c->accepted & 1))
        error = ERR_RPC_S_PROTOCOL_ERROR;
    if (error != 0) {
        connection_destroy(c);
        return error;
    }
    *ret = c;
    return 0;
}

uint32_t rpc_client_connect(const struct rpc_client_options *o, struct rpc_client **ret)
{
    struct rpc_client *c = calloc(1, sizeof(*c));
    uint32_t error = ERR_NOT_ENOUGH_MEMORY;

    if (!c)
        return error;
    c->timeout_ms = o->timeout_ms;
    c->path = strdup(o->path);
    if (c->path)
        error = connection_open(o, 0, &c->watched);
    if (error != 0) {
        free(c->path);
        free(c);
        return error;
    }
    atomic_init(&c->references, 1);
    atomic_init(&c->broken, false);
    atomic_init(&c->silent, false);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle_or_broken, NULL);
    *ret = c;
    return 0;
}

uint32_t rpc_client_connect_unix(const char *path, struct rpc_client **ret)
{
    return rpc_client_connect(&(struct rpc_client_options){.path = path, .cancel_fd = -1}, ret);
}

void rpc_client_ref(struct rpc_client *c)
{
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
}

void rpc_client_unref(struct rpc_client *c)
{
    struct client_connection *next;

    if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) > 1)
        return;
    for (struct client_connection *i = c->all; i; i = next) {
        next = i->next_of_client;
        connection_destroy(i);
    }
    connection_destroy(c->watched);
    pthread_cond_destroy(&c->idle_or_broken);
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
}

/* Whoever polls the watched connection learns of it, whoever waits for a connection too. */
static void mark_broken(struct rpc_client *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->broken, true);
    c->watched->transport->methods->shut_down(c->watched->transport);
    pthread_cond_broadcast(&c->idle_or_broken);
    pthread_mutex_unlock(&c->lock);
}

void rpc_client_close(struct rpc_client *c)
{
    if (!c)
        return;
    mark_broken(c);
    pthread_mutex_lock(&c->lock);
    for (struct client_connection *i = c->all; i; i = i->next_of_client)
        i->transport->methods->shut_down(i->transport);
    pthread_mutex_unlock(&c->lock);
}

int rpc_client_watch_fd(const struct rpc_client *c)
{
    return c->watched->transport->methods->fd(c->watched->transport);
}

bool rpc_client_broken(const struct rpc_client *c)
{
    struct pollfd watch = {.fd = rpc_client_watch_fd(c)};

    return atomic_load(&c->broken) || poll(&watch, 1, 0) > 0;
}

bool rpc_client_silent(const struct rpc_client *c)
{
    return atomic_load(&c->silent);
}

/* A connection for one call: an idle one, a new one, or the first that comes free. */
static uint32_t take_connection(struct rpc_client *c, struct client_connection **ret)
{
    struct client_connection *taken;
    uint32_t error;

    pthread_mutex_lock(&c->lock);
    while (!atomic_load(&c->broken) && !c->idle && c->count >= MOST_CONNECTIONS)
        pthread_cond_wait(&c->idle_or_broken, &c->lock);
    if (atomic_load(&c->broken)) {
        pthread_mutex_unlock(&c->lock);
        return ERR_RPC_S_SERVER_UNAVAILABLE;
    }
    taken = c->idle;
    if (taken)
        c->idle = taken->next;
    else
        c->count++;
    pthread_mutex_unlock(&c->lock);
    if (taken) {
        *ret = taken;
        return 0;
    }

    error = connection_open(&(struct rpc_client_options){.path = c->path,
                                                         .timeout_ms = c->timeout_ms,
                                                         .cancel_fd = rpc_client_watch_fd(c)},
                            c->watched->group, &taken);
    pthread_mutex_lock(&c->lock);
    if (error == 0 && atomic_load(&c->broken)) { /* rpc_client_close() did not see it */
        connection_destroy(taken);
        error = ERR_RPC_S_SERVER_UNAVAILABLE;
    }
    if (error == 0) {
        INVARIANT(taken);
        taken->next_of_client = c->all;
        c->all = taken;
        *ret = taken;
    } else {
        c->count--;
        pthread_cond_signal(&c->idle_or_broken);
    }
    pthread_mutex_unlock(&c->lock);
    return error;
}

static void give_back(struct rpc_client *c, struct client_connection *used)
{
    pthread_mutex_lock(&c->lock);
    used->next = c->idle;
    c->idle = used;
    pthread_cond_signal(&c->idle_or_broken);
    pthread_mutex_unlock(&c->lock);
}

/* Its answer may still come, so nobody can use it any more. */
static void abandon(struct rpc_client *c, struct client_connection *used)
{
    struct client_connection **link = &c->all;

    pthread_mutex_lock(&c->lock);
    while (*link != used)
        link = &(*link)->next_of_client;
    *link = used->next_of_client;
    c->count--;
    pthread_cond_signal(&c->idle_or_broken);
    pthread_mutex_unlock(&c->lock);
    connection_destroy(used);
}

static uint32_t error_of_fault(uint32_t fault)
{
    switch (fault) {
    case NCA_CONTEXT_MISMATCH:
        return ERR_INVALID_HANDLE;
    case NCA_OP_RANGE_ERROR:
    case NCA_UNKNOWN_INTERFACE:
        return ERR_RPC_S_PROCNUM_OUT_OF_RANGE;
    case NCA_REMOTE_NO_MEMORY:
        return ERR_NOT_ENOUGH_MEMORY;
    case NCA_BAD_STUB_DATA:
        return ERR_RPC_X_BAD_STUB_DATA;
    case ERR_ACCESS_DENIED:
        return ERR_ACCESS_DENIED;
    default:
        return ERR_RPC_S_CALL_FAILED;
    }
}

static bool find_interface(const struct client_connection *c, const struct rpc_interface *interface,
                           uint16_t *ret_context_id)
{
    for (unsigned i = 0; i < CLIENT_INTERFACES; i++)
        if (client_interfaces[i] == interface && (c->accepted & (1u << i))) {
            *ret_context_id = (uint16_t)i;
            return true;
        }
    return false;
}

/* One exchange on a connection of the pool. */
static uint32_t exchange(struct rpc_client *c, const struct rpc_interface *interface,
                         const struct rpc_op *op, const struct buffer *stub, int send_fd,
                         struct client_answer *answer)
{
    struct client_connection *used;
    uint16_t context_id;
    uint32_t error;
    bool sent = false;

    error = take_connection(c, &used);
    if (error == ERR_TIMEOUT)
        atomic_store(&c->silent, true);
    if (error != 0)
        return error;
    if (!find_interface(used, interface, &context_id)) {
        give_back(c, used);
        return ERR_RPC_S_PROCNUM_OUT_OF_RANGE;
    }
    error = client_exchange(used, context_id, op->opnum, stub, send_fd, answer, &sent);
    if (error == ERR_TIMEOUT) { /* the others may fare better */
        atomic_store(&c->silent, true);
        abandon(c, used);
        return error;
    }
    if (error != 0 && (sent || error != ERR_NOT_ENOUGH_MEMORY)) {
        /* It stays among `all`, which frees it, but no call gets it again. */
        used->transport->methods->shut_down(used->transport);
        mark_broken(c);
        return error;
    }
    give_back(c, used);
    if (error != 0)
        return error;
    if (atomic_load(&c->silent))
        atomic_store(&c->silent, false);
    return answer->fault != 0 ? error_of_fault(answer->fault) : 0;
}

uint32_t rpc_client_call_fd(struct rpc_client *c, const struct rpc_interface *i,
                            const struct rpc_op *op, void *args, struct rpc_arena *arena,
                            int send_fd, int *ret_fd)
{
    _cleanup_(buffer_fini) struct buffer stub = {0};
    struct client_answer answer = {.fd = -1};
    uint32_t error;
    int r;

    r = ndr_encode(op, RPC_IN, args, &stub);
    if (r == 0 && stub.size > RPC_MOST_REQUEST)
        r = -EINVAL; /* the server would end the connection */
    if (r < 0)
        return r == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : ERR_INVALID_PARAMETER;
    error = exchange(c, i, op, &stub, send_fd, &answer);
    if (error == 0) {
        r = ndr_decode(op, RPC_OUT, answer.stub.data, answer.stub.size, arena, args);
        if (r < 0)
            error = r == -ENOMEM ? ERR_RPC_S_CALL_FAILED : ERR_RPC_X_BAD_STUB_DATA;
    }
    if (error == 0 && ret_fd)
        *ret_fd = TAKE_FD(answer.fd);
    cleanup_close(&answer.fd);
    buffer_fini(&answer.stub);
    return error;
}

uint32_t rpc_client_call(struct rpc_client *c, const struct rpc_interface *i,
                         const struct rpc_op *op, void *args, struct rpc_arena *arena)
{
    return rpc_client_call_fd(c, i, op, args, arena, -1, NULL);
}
