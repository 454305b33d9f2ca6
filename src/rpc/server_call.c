/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/macro.h"
#include "rpc/server_internal.h"

struct rpc_call *call_create(struct connection *c, const struct pdu_header *h,
                             const struct pdu_stub *stub)
{
    struct rpc_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->association = association_ref(c->association);
    call->context = c->server->options.context;
    call->id = h->call_id;
    call->context_id = stub->context_id;
    call->opnum = stub->opnum;
    call->arena.limit = MOST_CALL_MEMORY;
    call->arena.quota = &call->association->account->of[RPC_MEMORY];
    call->reply_fd = -1;
    call->connection = c;
    call->next = c->calls;
    if (call->next)
        call->next->previous = call;
    c->calls = call;
    c->call_count++;
    return call;
}

static void detach(struct rpc_call *call)
{
    struct connection *c = call->connection;

    if (!c)
        return;
    if (call->previous)
        call->previous->next = call->next;
    else
        c->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    call->previous = call->next = NULL;
    if (c->assembling == call)
        c->assembling = NULL;
    c->call_count--;
    call->connection = NULL;
    connection_update_events(c);
}

void call_free_stub(struct rpc_call *call)
{
    quota_give(call->arena.quota, call->stub.size);
    buffer_fini(&call->stub);
}

static void call_destroy(struct rpc_call *call)
{
    detach(call);
    for (unsigned i = 0; i < call->held_count; i++)
        handle_unref(call->held[i]);
    cleanup_close(&call->reply_fd);
    call_free_stub(call);
    rpc_arena_fini(&call->arena);
    association_unref(call->association);
    free(call);
}

void call_abandon(struct rpc_call *call)
{
    bool assembling = call->connection && call->connection->assembling == call;

    detach(call);
    if (assembling)
        call_destroy(call);
    else if (call->on_gone)
        call->on_gone(call, call->on_gone_data);
}

static bool resolve_contexts(struct rpc_call *call)
{
    for (unsigned i = 0; i < call->op->param_count; i++) {
        const struct rpc_param *p = &call->op->params[i];
        struct handle_object *o;

        if (!rpc_type_is_context(p->type) || !(p->direction & RPC_IN))
            continue;
        PRE(call->held_count < MOST_CONTEXTS_OF_OP);
        o = association_resolve(call->association, p->type,
                                (struct rpc_context *)((uint8_t *)call->args + p->offset));
        if (!o)
            return false;
        call->held[call->held_count++] = o;
    }
    return true;
}

/* The fault that the request deserves, 0 if none. */
static uint32_t call_decode(struct rpc_call *call)
{
    int r;

    if (!call->service)
        return NCA_UNKNOWN_INTERFACE;
    call->op = rpc_interface_op(call->service->interface, call->opnum);
    if (!call->op)
        return NCA_OP_RANGE_ERROR;
    call->args = rpc_arena_alloc(&call->arena, call->op->args_size);
    if (!call->args || call->too_long)
        return NCA_REMOTE_NO_MEMORY;
    r = ndr_decode(call->op, RPC_IN, call->stub.data, call->stub.size, &call->arena, call->args);
    call_free_stub(call);
    if (r < 0)
        return r == -ENOMEM ? NCA_REMOTE_NO_MEMORY : NCA_BAD_STUB_DATA;
    return resolve_contexts(call) ? 0 : NCA_CONTEXT_MISMATCH;
}

void call_dispatch(struct rpc_call *call)
{
    uint32_t fault = call_decode(call);

    if (fault != 0) {
        rpc_fault(call, fault);
    } else if (!call->service->handlers[call->opnum]) {
        rpc_op_set_status(call->op, call->args, ERR_CALL_NOT_IMPLEMENTED);
        rpc_reply(call);
    } else {
        call->service->handlers[call->opnum](call, call->args);
    }
}

/* Nobody will ever know these handles: their answer does not arrive. */
static void close_opened(struct rpc_call *call)
{
    for (unsigned i = 0; call->op && call->args && i < call->op->param_count; i++) {
        const struct rpc_param *p = &call->op->params[i];

        if (rpc_type_is_context(p->type) && p->direction == RPC_OUT)
            rpc_context_close(call->association,
                              (struct rpc_context *)((uint8_t *)call->args + p->offset));
    }
}

static uint32_t fault_of_shortage(const struct rpc_call *call)
{
    return call->changed ? NCA_UNSPECIFIED : NCA_REMOTE_NO_MEMORY;
}

/* The whole response; the fault to send instead, 0 if none. */
static uint32_t call_encode(struct rpc_call *call, struct buffer *pdus)
{
    _cleanup_(buffer_fini) struct buffer stub = {0};
    int r = ndr_encode(call->op, RPC_OUT, call->args, &stub);

    if (r == 0 && stub.size > RPC_MOST_REPLY)
        r = -ENOMEM;
    if (r == 0)
        r = pdu_response_encode(pdus, call->connection->most_sent, call->id, call->context_id,
                                stub.data, stub.size);
    return r == 0 ? 0 : r == -ENOMEM ? fault_of_shortage(call) : NCA_UNSPECIFIED;
}

uint32_t rpc_try_reply(struct rpc_call *call)
{
    _cleanup_(buffer_fini) struct buffer pdus = {0};
    uint32_t fault;

    if (!call->connection || call->connection->broken)
        return NCA_UNSPECIFIED;
    fault = call->reply_fd_lost ? fault_of_shortage(call) : call_encode(call, &pdus);
    if (fault == 0 && !connection_send(call->connection, &pdus, call->reply_fd))
        fault = fault_of_shortage(call);
    if (fault != 0)
        return fault;
    call->reply_fd = -1;
    call_destroy(call);
    return 0;
}

void rpc_reply(struct rpc_call *call)
{
    uint32_t fault = rpc_try_reply(call);

    if (fault != 0)
        rpc_fault(call, fault);
}

void rpc_fault(struct rpc_call *call, uint32_t nca_status)
{
    close_opened(call);
    if (call->connection)
        connection_send_fault(call->connection, call->id, call->context_id, nca_status);
    call_destroy(call);
}

void *rpc_call_context(struct rpc_call *call)
{
    return call->context;
}

const struct rpc_peer *rpc_call_peer(const struct rpc_call *call)
{
    return &call->association->peer;
}

void rpc_call_changed(struct rpc_call *call)
{
    call->changed = true;
}

struct rpc_arena *rpc_call_arena(struct rpc_call *call)
{
    return &call->arena;
}

struct rpc_association *rpc_call_association(struct rpc_call *call)
{
    return call->association;
}

void rpc_reply_fd(struct rpc_call *call, int fd)
{
    cleanup_close(&call->reply_fd);
    call->reply_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    call->reply_fd_lost = call->reply_fd < 0;
}

int rpc_call_take_fd(struct rpc_call *call)
{
    struct rpc_transport *t = call->connection ? call->connection->transport : NULL;

    return t ? t->methods->take_descriptor(t) : -1;
}

void rpc_call_on_gone(struct rpc_call *call, void (*on_gone)(struct rpc_call *c, void *data),
                      void *data)
{
    call->on_gone = on_gone;
    call->on_gone_data = data;
}
