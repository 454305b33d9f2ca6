/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/macro.h"
#include "port/filter.h"
#include "service/notify_port.h"

#define NOTIFICATIONS_VERSION_2 2

/* Made by the client's library, never by a server. */
#define CLIENT_MADE_V1 (V1_CLUSTER_STATE | V1_HANDLE_CLOSE)
#define CLIENT_MADE_V2_CLUSTER (V2_CLUSTER_RECONNECT | V2_CLUSTER_STATE)

static struct notify_port *port_of(const struct rpc_context *c)
{
    return c->object;
}

static void close_port(void *object)
{
    notify_port_close(object);
}

static uint32_t open_port(struct request *r, enum port_version version, struct rpc_context *ret)
{
    struct notify_port *p;
    struct rpc_association *a = rpc_call_association(r->call);
    if (notify_port_create(r->service, version, a, rpc_call_peer(r->call), &p) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    if (rpc_context_open(a, RPC_CONTEXT_NOTIFY, p, close_port, ret) < 0) {
        notify_port_close(p);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    ret->object = p;
    return ERR_SUCCESS;
}

READ(CreateNotify)
{
    return open_port(r, PORT_V1, &a->notify);
}

READ(CreateNotifyV2)
{
    return open_port(r, PORT_V2, &a->notify);
}

/* A call that waits holds the handle: it is ended first. */
READ(CloseNotify)
{
    notify_port_end_calls(port_of(&a->notify), ERR_NO_MORE_ITEMS);
    return request_close(r, &a->notify);
}

READ(UnblockGetNotifyCall)
{
    notify_port_end_calls(port_of(&a->notify), ERR_INVALID_FUNCTION);
    return ERR_SUCCESS;
}

/* ---- registrations ---- */

static uint32_t add_error(int r)
{
    switch (r) {
    case 0:
        return ERR_SUCCESS;
    case -EINVAL:
        return ERR_INVALID_PARAMETER;
    case -EBADF:
        return ERR_INVALID_HANDLE;
    default:
        return ERR_NOT_ENOUGH_MEMORY;
    }
}

static uint32_t add_v1(const struct rpc_context *notify, uint32_t flags, struct target *t,
                       const char *object_id, uint32_t key)
{
    struct notify_port *p = port_of(notify);
    if (p->port->version != PORT_V1)
        return ERR_INVALID_HANDLE;
    if (!notify_port_has_room(p))
        return ERR_NOT_ENOUGH_MEMORY;
    t->registered = true;
    return add_error(port_add_v1(p->port, flags, t->type, object_id, key, t->owner, "",
                                 notify_port_next_revision(p)));
}

/* With RECONNECT, so that what is lost can be told of. */
READ(AddNotifyCluster)
{
    uint32_t flags = (a->filter & ~CLIENT_MADE_V1) | V1_CLUSTER_RECONNECT;
    return add_v1(&a->notify, flags, target_of(&a->cluster), NULL, a->notify_key);
}

READ(AddNotifyKey)
{
    struct target *t = target_of(&a->key);
    uint32_t flags = a->filter & ~CLIENT_MADE_V1;
    if (a->watch_subtree)
        flags |= V1_REGISTRY_SUBTREE;
    return add_v1(&a->notify, flags, t, t->id, a->notify_key);
}

static uint32_t add_object(const struct request *r, const struct rpc_context *notify,
                           const struct rpc_context *object, uint32_t filter, uint32_t key,
                           uint32_t *ret_sequence)
{
    struct target *t = target_of(object);
    const struct object *o = target_object(r, t);
    *ret_sequence = o ? o->state_sequence : 0;
    return add_v1(notify, filter & ~CLIENT_MADE_V1, t, t->id, key);
}

/* The flag that tells of the state of that type of object. */
static uint32_t state_flag(enum object_type type)
{
    switch (type) {
    case OBJECT_NODE:
        return change_kind_info(CHANGE_NODE_STATE)->v1;
    case OBJECT_GROUP:
        return change_kind_info(CHANGE_GROUP_STATE)->v1;
    case OBJECT_RESOURCE:
        return change_kind_info(CHANGE_RESOURCE_STATE)->v1;
    case OBJECT_NETWORK:
        return change_kind_info(CHANGE_NETWORK_STATE)->v1;
    default:
        return change_kind_info(CHANGE_NETINTERFACE_STATE)->v1;
    }
}

/* The client was away: if the state is another one now, it is told so at once. */
static uint32_t add_object_again(const struct request *r, const struct rpc_context *notify,
                                 const struct rpc_context *object, uint32_t filter, uint32_t key,
                                 uint32_t sequence)
{
    uint32_t now;
    uint32_t code = add_object(r, notify, object, filter, key, &now);
    const struct object *o = target_object(r, target_of(object));
    if (code || !o || now == sequence)
        return code;
    return add_error(
        notify_port_put_state(port_of(notify), key, state_flag(o->type), now, o->name));
}

#define ADD_NOTIFY(op, field)                                                                      \
    READ(op)                                                                                       \
    {                                                                                              \
        return add_object(r, &a->notify, &a->field, a->filter, a->notify_key, &a->state_sequence); \
    }
ADD_NOTIFY(AddNotifyNode, node)
ADD_NOTIFY(AddNotifyGroup, group)
ADD_NOTIFY(AddNotifyResource, resource)
ADD_NOTIFY(AddNotifyNetwork, network)
ADD_NOTIFY(AddNotifyNetInterface, netinterface)

#define READD_NOTIFY(op, field)                                                                    \
    READ(op)                                                                                       \
    {                                                                                              \
        return add_object_again(r, &a->notify, &a->field, a->filter, a->notify_key,                \
                                a->state_sequence);                                                \
    }
READD_NOTIFY(ReAddNotifyNode, node)
READD_NOTIFY(ReAddNotifyGroup, group)
READD_NOTIFY(ReAddNotifyResource, resource)
READD_NOTIFY(ReAddNotifyNetwork, network)
READD_NOTIFY(ReAddNotifyNetInterface, netinterface)

READ(AddNotifyV2)
{
    struct notify_port *p = port_of(&a->notify);
    if (a->object.kind == RPC_CONTEXT_NOTIFY || p->port->version != PORT_V2)
        return ERR_INVALID_HANDLE;
    if (a->version != NOTIFICATIONS_VERSION_2)
        return ERR_INVALID_PARAMETER;
    struct target *t = target_of(&a->object);
    const char *object_id = a->targeted ? t->id : NULL;
    if (object_id && t->type == OBJECT_CLUSTER)
        object_id = model_cluster(request_model(r))->o.id;
    int64_t flags = a->filter.flags & ~filter_v2_handle_close(a->filter.object_type);
    if (a->filter.object_type == OBJECT_CLUSTER)
        flags &= ~(int64_t)CLIENT_MADE_V2_CLUSTER;
    if (!notify_port_has_room(p))
        return ERR_NOT_ENOUGH_MEMORY;
    t->registered = true;
    return add_error(port_add_v2(p->port, a->filter.object_type, flags, t->type, object_id,
                                 a->notify_key, t->owner, "", notify_port_next_revision(p)));
}

/* ---- waiting ---- */

static void wait_for(struct rpc_call *call, const struct rpc_op *op, void *args,
                     const struct rpc_context *notify, enum notify_form form)
{
    struct request *r = request_begin(call, op, args);
    if (!r)
        return;
    uint32_t code = request_access(r, ACCESS_READ);
    bool is_v2 = form == NOTIFY_MANY_V2;
    if (!code && is_v2 != (port_of(notify)->port->version == PORT_V2))
        code = ERR_INVALID_HANDLE;
    if (code)
        request_reply(r, code);
    else
        notify_port_wait(port_of(notify), r, form);
}

void op_GetNotify(struct rpc_call *call, void *args)
{
    struct cmrp_GetNotify *a = args;
    wait_for(call, &cmrp_op_GetNotify, args, &a->notify, NOTIFY_ONE);
}

void op_GetNotifyAsync(struct rpc_call *call, void *args)
{
    struct cmrp_GetNotifyAsync *a = args;
    wait_for(call, &cmrp_op_GetNotifyAsync, args, &a->notify, NOTIFY_MANY);
}

void op_GetNotifyV2(struct rpc_call *call, void *args)
{
    struct cmrp_GetNotifyV2 *a = args;
    wait_for(call, &cmrp_op_GetNotifyV2, args, &a->notify, NOTIFY_MANY_V2);
}
