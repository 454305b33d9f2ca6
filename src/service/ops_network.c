/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "service/codes.h"
#include "service/request.h"

REFUSED(SetNetworkPriorityOrder, ERR_CALL_NOT_IMPLEMENTED)

static uint32_t open_network(struct request *r, const char *name, struct rpc_context *ret)
{
    const struct network *n = *name ? model_network(request_model(r), name) : NULL;
    return n ? request_open(r, RPC_CONTEXT_NETWORK, n->o.id, ret) : ERR_CLUSTER_NETWORK_NOT_FOUND;
}

READ(OpenNetwork)
{
    return open_network(r, a->name, &a->network);
}

READ(OpenNetworkEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : open_network(r, a->name, &a->network);
}

READ(CloseNetwork)
{
    return request_close(r, &a->network);
}

REQUEST(SetNetworkName)
{
    const struct network *n = target_network(r, &a->network);
    if (!n)
        return ERR_CLUSTER_NETWORK_NOT_FOUND;
    in->kind = INPUT_RENAME_NETWORK;
    in->object_id = n->o.id;
    in->name = a->name;
    return ERR_SUCCESS;
}

READ(GetNetworkState)
{
    const struct network *n = target_network(r, &a->network);
    if (!n)
        return ERR_CLUSTER_NETWORK_NOT_FOUND;
    a->state = n->o.state;
    return ERR_SUCCESS;
}

READ(GetNetworkId)
{
    const struct network *n = target_network(r, &a->network);
    return n ? request_give_text(r, n->o.id, &a->id) : ERR_CLUSTER_NETWORK_NOT_FOUND;
}

/* Bits that mean nothing are passed over, as Windows does. */
READ(CreateNetworkEnum)
{
    const struct network *n = target_network(r, &a->network);
    if (!n)
        return ERR_CLUSTER_NETWORK_NOT_FOUND;
    uint32_t code = enum_begin(r, n->interfaces.count, &a->list);
    bool wanted = a->type & NETWORK_ENUM_NETINTERFACES;
    for (size_t i = 0; wanted && i < n->interfaces.count && !code; i++) {
        const struct netinterface *interface = n->interfaces.items[i];
        code = enum_add(r, &a->list, NETWORK_ENUM_NETINTERFACES, interface->o.name);
    }
    return code;
}

/* ---- interfaces ---- */

static uint32_t open_netinterface(struct request *r, const char *name, struct rpc_context *ret)
{
    const struct netinterface *i = *name ? model_netinterface(request_model(r), name) : NULL;
    return i ? request_open(r, RPC_CONTEXT_NETINTERFACE, i->o.id, ret)
             : ERR_CLUSTER_NETINTERFACE_NOT_FOUND;
}

READ(OpenNetInterface)
{
    return open_netinterface(r, a->name, &a->netinterface);
}

READ(OpenNetInterfaceEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : open_netinterface(r, a->name, &a->netinterface);
}

READ(CloseNetInterface)
{
    return request_close(r, &a->netinterface);
}

READ(GetNetInterfaceState)
{
    const struct netinterface *i = target_netinterface(r, &a->netinterface);
    if (!i)
        return ERR_CLUSTER_NETINTERFACE_NOT_FOUND;
    a->state = i->o.state;
    return ERR_SUCCESS;
}

READ(GetNetInterfaceId)
{
    const struct netinterface *i = target_netinterface(r, &a->netinterface);
    return i ? request_give_text(r, i->o.id, &a->id) : ERR_CLUSTER_NETINTERFACE_NOT_FOUND;
}

READ(GetNetInterface)
{
    const struct model *m = request_model(r);
    const struct node *node = model_node(m, a->node_name);
    const struct network *network = model_network(m, a->network_name);
    for (size_t i = 0; node && network && i < network->interfaces.count; i++) {
        const struct netinterface *interface = network->interfaces.items[i];
        if (interface->node == node)
            return request_give_text(r, interface->o.name, &a->name);
    }
    return ERR_CLUSTER_NETINTERFACE_NOT_FOUND;
}
