/* SPDX-License-Identifier: MIT */
#include "service/codes.h"
#include "service/request.h"

/* A cluster of one node keeps it. */
REFUSED(EvictNode, ERR_CALL_NOT_IMPLEMENTED)

static uint32_t open_node(struct request *r, const char *name, struct rpc_context *ret)
{
    const struct node *n = *name ? model_node(request_model(r), name) : NULL;
    return n ? request_open(r, RPC_CONTEXT_NODE, n->o.id, ret) : ERR_CLUSTER_NODE_NOT_FOUND;
}

READ(OpenNode)
{
    return open_node(r, a->name, &a->node);
}

READ(OpenNodeEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : open_node(r, a->name, &a->node);
}

READ(CloseNode)
{
    return request_close(r, &a->node);
}

READ(GetNodeState)
{
    const struct node *n = target_node(r, &a->node);
    if (!n)
        return ERR_CLUSTER_NODE_NOT_FOUND;
    a->state = n->o.state;
    return ERR_SUCCESS;
}

READ(GetNodeId)
{
    const struct node *n = target_node(r, &a->node);
    return n ? request_give_text(r, n->o.id, &a->id) : ERR_CLUSTER_NODE_NOT_FOUND;
}

static uint32_t ask_node(const struct rpc_context *node, enum input_kind kind,
                         struct model_input *in)
{
    in->kind = kind;
    in->object_id = target_of(node)->id;
    return ERR_SUCCESS;
}

REQUEST(PauseNode)
{
    return ask_node(&a->node, INPUT_PAUSE_NODE, in);
}

REQUEST(ResumeNode)
{
    return ask_node(&a->node, INPUT_RESUME_NODE, in);
}

/* There is nowhere to drain a single node to: its groups stay. */
REQUEST(PauseNodeEx)
{
    return ask_node(&a->node, INPUT_PAUSE_NODE, in);
}

REQUEST(PauseNodeWithDrainTarget)
{
    return ask_node(&a->node, INPUT_PAUSE_NODE, in);
}

REQUEST(ResumeNodeEx)
{
    return ask_node(&a->node, INPUT_RESUME_NODE, in);
}

/* ---- enumeration ---- */

static uint32_t add_object(const struct request *r, uint32_t bit, const struct object *o,
                           struct rpc_enum_list *names, struct rpc_enum_list *ids)
{
    uint32_t code = enum_add(r, names, bit, o->name);
    return code || !ids ? code : enum_add(r, ids, bit, o->id);
}

static uint32_t enumerate(const struct request *r, const struct rpc_context *node, uint32_t bits,
                          struct rpc_enum_list *names, struct rpc_enum_list *ids)
{
    const struct model *m = request_model(r);
    const struct node *n = target_node(r, node);
    if (!n)
        return ERR_CLUSTER_NODE_NOT_FOUND;
    const struct map *interfaces = model_objects(m, OBJECT_NETWORK_INTERFACE);
    size_t most = map_count(interfaces) + n->groups.count;
    uint32_t code = enum_begin(r, most, names);
    if (!code && ids)
        code = enum_begin(r, most, ids);
    for (struct map_entry *e = map_first(interfaces); e && !code; e = map_next(interfaces, e)) {
        const struct netinterface *i = e->value;
        if ((bits & NODE_ENUM_NETINTERFACES) && i->node == n)
            code = add_object(r, NODE_ENUM_NETINTERFACES, &i->o, names, ids);
    }
    for (size_t i = 0; i < n->groups.count && !code && (bits & NODE_ENUM_GROUPS); i++) {
        const struct group *g = n->groups.items[i];
        code = add_object(r, NODE_ENUM_GROUPS, &g->o, names, ids);
    }
    return code;
}

/* Bits that mean nothing are passed over here, and refused by the younger call. */
READ(CreateNodeEnum)
{
    return enumerate(r, &a->node, a->type, &a->list, NULL);
}

READ(CreateNodeEnumEx)
{
    if (a->type & ~NODE_ENUM_ALL)
        return ERR_INVALID_PARAMETER;
    return enumerate(r, &a->node, a->type, &a->names, &a->ids);
}
