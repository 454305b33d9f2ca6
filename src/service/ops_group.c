/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "service/codes.h"
#include "service/request.h"

/* With one node every group has the same owners, and nothing can be cancelled half-way. */
REFUSED(SetGroupNodeList, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(CancelClusterGroupOperation, ERR_CALL_NOT_IMPLEMENTED)

static uint32_t open_group(struct request *r, const char *name, struct rpc_context *ret)
{
    const struct group *g = *name ? model_group(request_model(r), name) : NULL;
    return g ? request_open(r, RPC_CONTEXT_GROUP, g->o.id, ret) : ERR_GROUP_NOT_FOUND;
}

READ(OpenGroup)
{
    return open_group(r, a->name, &a->group);
}

READ(OpenGroupEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : open_group(r, a->name, &a->group);
}

READ(CloseGroup)
{
    return request_close(r, &a->group);
}

static uint32_t group_created(struct request *r, uint32_t result)
{
    struct cmrp_CreateGroup *a = r->args;
    return result ? result : request_open(r, RPC_CONTEXT_GROUP, r->new_id, &a->group);
}

REQUEST(CreateGroup)
{
    in->kind = INPUT_CREATE_GROUP;
    in->name = a->name;
    r->finish = group_created;
    return request_new_id(r, in);
}

static uint32_t group_ex_created(struct request *r, uint32_t result)
{
    struct cmrp_CreateGroupEx *a = r->args;
    return result ? result : request_open(r, RPC_CONTEXT_GROUP, r->new_id, &a->group);
}

REQUEST(CreateGroupEx)
{
    in->kind = INPUT_CREATE_GROUP;
    in->name = a->name;
    r->finish = group_ex_created;
    return request_new_id(r, in);
}

READ(GetGroupState)
{
    const struct group *g = target_group(r, &a->group);
    if (!g)
        return ERR_GROUP_NOT_AVAILABLE;
    a->state = g->o.state;
    return request_give_text(r, g->owner ? g->owner->o.name : "", &a->node_name);
}

READ(GetGroupId)
{
    const struct group *g = target_group(r, &a->group);
    return g ? request_give_text(r, g->o.id, &a->id) : ERR_GROUP_NOT_AVAILABLE;
}

static uint32_t ask_group(const struct request *r, const struct rpc_context *group,
                          enum input_kind kind, struct model_input *in)
{
    if (!target_group(r, group))
        return ERR_GROUP_NOT_AVAILABLE;
    in->kind = kind;
    in->object_id = target_of(group)->id;
    return ERR_SUCCESS;
}

static uint32_t ask_move(const struct request *r, const struct rpc_context *group,
                         const struct rpc_context *node, struct model_input *in)
{
    if (node && !target_node(r, node))
        return ERR_HOST_NODE_NOT_AVAILABLE;
    in->parent_id = node ? target_of(node)->id : NULL;
    return ask_group(r, group, INPUT_MOVE_GROUP, in);
}

REQUEST(DeleteGroup)
{
    return ask_group(r, &a->group, INPUT_DELETE_GROUP, in);
}

REQUEST(SetGroupName)
{
    in->name = a->name;
    return ask_group(r, &a->group, INPUT_RENAME_GROUP, in);
}

REQUEST(OnlineGroup)
{
    return ask_group(r, &a->group, INPUT_ONLINE_GROUP, in);
}

REQUEST(OnlineGroupEx)
{
    return ask_group(r, &a->group, INPUT_ONLINE_GROUP, in);
}

REQUEST(OfflineGroup)
{
    return ask_group(r, &a->group, INPUT_OFFLINE_GROUP, in);
}

REQUEST(OfflineGroupEx)
{
    return ask_group(r, &a->group, INPUT_OFFLINE_GROUP, in);
}

REQUEST(MoveGroup)
{
    return ask_move(r, &a->group, NULL, in);
}

REQUEST(MoveGroupEx)
{
    return ask_move(r, &a->group, NULL, in);
}

REQUEST(MoveGroupToNode)
{
    return ask_move(r, &a->group, &a->node, in);
}

REQUEST(MoveGroupToNodeEx)
{
    return ask_move(r, &a->group, &a->node, in);
}

/* Bits that mean nothing are passed over, as Windows does. */
READ(CreateGroupResourceEnum)
{
    const struct group *g = target_group(r, &a->group);
    if (!g)
        return ERR_GROUP_NOT_AVAILABLE;
    const struct map *nodes = model_objects(request_model(r), OBJECT_NODE);
    uint32_t code = enum_begin(r, g->resources.count + map_count(nodes), &a->list);
    for (size_t i = 0; (a->type & GROUP_ENUM_CONTAINS) && i < g->resources.count && !code; i++) {
        const struct resource *resource = g->resources.items[i];
        code = enum_add(r, &a->list, GROUP_ENUM_CONTAINS, resource->o.name);
    }
    if (a->type & GROUP_ENUM_NODES)
        for (struct map_entry *e = map_first(nodes); e && !code; e = map_next(nodes, e))
            code = enum_add(r, &a->list, GROUP_ENUM_NODES, ((const struct object *)e->value)->name);
    return code;
}

static uint32_t fill_entry(const struct request *r, const struct group *g, const struct map *names,
                           const struct map *ro_names, struct rpc_group_enum_entry *e)
{
    const char *owner = g->owner ? g->owner->o.name : "";
    e->state = g->o.state;
    uint32_t code = request_give_text(r, g->o.name, &e->name);
    if (!code)
        code = request_give_text(r, g->o.id, &e->id);
    if (!code)
        code = request_give_text(r, owner, &e->owner);
    if (!code)
        code = properties_chosen(r, &g->o, PROPERTIES_COMMON, names, &e->properties);
    if (!code)
        code =
            properties_chosen(r, &g->o, PROPERTIES_COMMON_READ_ONLY, ro_names, &e->ro_properties);
    return code;
}

READ(CreateGroupEnum)
{
    const struct map *groups = model_objects(request_model(r), OBJECT_GROUP);
    size_t room = MAX(map_count(groups), (size_t)1) * sizeof(*a->list.entries);
    a->list.entries = request_alloc(r, room);
    if (!a->list.entries)
        return ERR_NOT_ENOUGH_MEMORY;
    _cleanup_(map_destroyp) struct map *names = NULL;
    _cleanup_(map_destroyp) struct map *ro_names = NULL;
    uint32_t code = names_of(&a->properties, &names);
    if (!code)
        code = names_of(&a->ro_properties, &ro_names);
    for (struct map_entry *e = map_first(groups); e && !code; e = map_next(groups, e))
        code = fill_entry(r, e->value, names, ro_names, &a->list.entries[a->list.count++]);
    return code;
}
