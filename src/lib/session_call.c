/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/session_internal.h"
#include "rpc/rpc_interface.h"

/* A read that breaks the connection each time is not repeated for ever. */
#define MOST_UNANSWERED 3

/* The operations that change nothing. Control codes say it themselves: control.c. */
#define R(op) [CMRP_OPNUM_##op] = true
static const bool cmrp_reads[CMRP_OPNUM_COUNT] = {
    R(OpenCluster),
    R(OpenClusterEx),
    R(GetClusterName),
    R(GetClusterVersion),
    R(GetClusterVersion2),
    R(GetQuorumResource),
    R(CreateEnum),
    R(CreateEnumEx),
    R(OpenResource),
    R(OpenResourceEx),
    R(GetResourceState),
    R(GetResourceId),
    R(GetResourceType),
    R(CanResourceBeDependent),
    R(CreateResEnum),
    R(GetResourceDependencyExpression),
    R(GetResourceNetworkName),
    R(CreateResourceEnum),
    R(CreateResTypeEnum),
    R(GetRootKey),
    R(OpenKey),
    R(EnumKey),
    R(QueryValue),
    R(EnumValue),
    R(QueryInfoKey),
    R(GetKeySecurity),
    R(ExecuteReadBatch),
    R(OpenGroup),
    R(OpenGroupEx),
    R(GetGroupState),
    R(GetGroupId),
    R(CreateGroupResourceEnum),
    R(CreateGroupEnum),
    R(OpenNode),
    R(OpenNodeEx),
    R(GetNodeState),
    R(GetNodeId),
    R(CreateNodeEnum),
    R(CreateNodeEnumEx),
    R(OpenNetwork),
    R(OpenNetworkEx),
    R(GetNetworkState),
    R(CreateNetworkEnum),
    R(GetNetworkId),
    R(OpenNetInterface),
    R(OpenNetInterfaceEx),
    R(GetNetInterfaceState),
    R(GetNetInterface),
    R(GetNetInterfaceId),
};
#undef R

static bool changes_nothing(const struct session_call *c)
{
    if (c->read || !c->op)
        return true;
    return c->interface == &rpc_private || cmrp_reads[c->op->opnum];
}

/* How long and how often one call tries again. */
struct patience {
    int64_t since_ms; /* of its first failure; 0: none yet */
    int64_t step_ms;
    unsigned unanswered;
};

/* Waits before another attempt; false: enough. A service that was gone long before the call is
 * given one attempt only. */
static bool wait_for_service(struct session *s, struct patience *p)
{
    int64_t now = session_now_ms();
    if (p->since_ms == 0) {
        p->since_ms = now;
        p->step_ms = SESSION_RETRY_FIRST_MS;
    }
    pthread_mutex_lock(&s->lock);
    int64_t since = s->client ? p->since_ms : MIN(p->since_ms, s->lost_at_ms);
    bool again = !s->ending && s->generation > 0 && now - since < SESSION_RETRY_MS;
    if (again) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += p->step_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&s->settled, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    p->step_ms = MIN(p->step_ms * 2, SESSION_RETRY_STEP_MS);
    return again;
}

static bool is_lost(uint32_t error)
{
    return error == ERR_RPC_S_SERVER_UNAVAILABLE || error == ERR_RPC_S_CALL_FAILED;
}

/* The service could not keep what it would have answered from, and goes back to what is on disk:
 * there a read has its answer. So what a create has made can be opened, and the create is no error.
 */
static bool is_reloading(uint32_t error)
{
    return error == ERR_IO_DEVICE || error == ERR_DISK_FULL;
}

/* ---- context handles ---- */

/* On that connection. */
static uint32_t open_context(struct session *s, struct session_context *c,
                             struct rpc_client *client, uint64_t generation,
                             struct rpc_context *ret)
{
    pthread_mutex_lock(&s->lock);
    bool open = c->generation == generation;
    if (open)
        *ret = c->wire;
    pthread_mutex_unlock(&s->lock);
    if (open)
        return 0;
    struct rpc_context fresh = {0};
    uint32_t error = c->methods->open(c, client, &fresh);
    if (error != 0)
        return error;
    pthread_mutex_lock(&s->lock);
    bool first = c->generation < generation;
    if (first) {
        c->wire = fresh;
        c->generation = generation;
    }
    *ret = c->generation == generation ? c->wire : fresh;
    bool surplus = !first && c->generation == generation;
    pthread_mutex_unlock(&s->lock);
    if (surplus)
        c->methods->close(c, client, &fresh);
    return 0;
}

void session_context_close(struct session *s, struct session_context *c)
{
    pthread_mutex_lock(&s->lock);
    struct rpc_client *client = NULL;
    if (c->generation != 0 && c->generation == s->generation && s->process == getpid())
        client = s->client;
    if (client && rpc_client_silent(client))
        client = NULL; /* it goes with the connection */
    if (client)
        rpc_client_ref(client);
    struct rpc_context wire = c->wire;
    c->generation = 0;
    pthread_mutex_unlock(&s->lock);
    if (!client)
        return;
    c->methods->close(c, client, &wire);
    rpc_client_unref(client);
}

/* ---- calls ---- */

uint32_t session_try(struct session *s, session_attempt_fn attempt, void *context, bool repeatable)
{
    struct patience patience = {0};
    for (;;) {
        _cleanup_(session_client_unrefp) struct rpc_client *client = NULL;
        uint64_t generation = 0;
        bool sent = false;
        uint32_t error = session_attach(s, &client, &generation);
        if (error == 0)
            error = attempt(s, client, generation, context, &sent);
        if (repeatable && is_reloading(error) && wait_for_service(s, &patience))
            continue;
        if (!is_lost(error))
            return error;
        if (client && rpc_client_broken(client))
            session_detach(s, generation);
        bool unanswered = sent && error == ERR_RPC_S_CALL_FAILED;
        if (unanswered && (!repeatable || ++patience.unanswered == MOST_UNANSWERED))
            return error;
        if (!wait_for_service(s, &patience))
            return ERR_RPC_S_SERVER_UNAVAILABLE;
    }
}

struct call_attempt {
    const struct session_call *call;
    const void *asked; /* the arguments as they were: an attempt may have changed them */
};

static uint32_t attempt_call(struct session *s, struct rpc_client *client, uint64_t generation,
                             void *context, bool *ret_sent)
{
    const struct call_attempt *a = context;
    const struct session_call *c = a->call;
    if (c->op)
        memcpy(c->args, a->asked, c->op->args_size);
    for (size_t i = 0; i < SESSION_CALL_CONTEXTS && c->contexts[i].context; i++) {
        uint32_t error =
            open_context(s, c->contexts[i].context, client, generation, c->contexts[i].slot);
        if (error != 0)
            return error;
    }
    if (!c->op)
        return 0;
    *ret_sent = true;
    uint32_t error = rpc_client_call(client, c->interface, c->op, c->args, c->arena);
    return error != 0 ? error : rpc_op_status(c->op, c->args);
}

uint32_t session_call(struct session *s, const struct session_call *c)
{
    size_t size = c->op ? c->op->args_size : 0;
    _cleanup_free_
    void *asked = malloc(size + 1);
    if (!asked)
        return ERR_NOT_ENOUGH_MEMORY;
    if (c->op)
        memcpy(asked, c->args, size);
    struct call_attempt context = {c, asked};
    return session_try(s, attempt_call, &context, changes_nothing(c));
}

uint32_t session_context_open(struct session *s, struct session_context *c)
{
    struct rpc_context unused;
    return session_call(s, &(struct session_call){.contexts = {{c, &unused}}});
}
