/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#define GROUP_TYPE_UNKNOWN 9999 /* CLUSGROUP_TYPE, what a new group has */

/* [MS-CMRP] 3.1.4.2.46. Only those on top of the dependency tree count for Online and Offline. */
enum group_state group_derive_state(const struct group *g)
{
    size_t top = 0, online = 0;
    bool pending = false;
    for (size_t i = 0; i < g->resources.count; i++) {
        const struct resource *r = g->resources.items[i];
        if (r->o.state == RESOURCE_FAILED)
            return GROUP_FAILED;
        if (r->o.state != RESOURCE_ONLINE && r->o.state != RESOURCE_OFFLINE)
            pending = true;
        if (r->dependents.count > 0)
            continue;
        top++;
        if (r->o.state == RESOURCE_ONLINE)
            online++;
    }
    if (pending)
        return GROUP_PENDING;
    if (online == 0)
        return GROUP_OFFLINE;
    return online < top ? GROUP_PARTIAL_ONLINE : GROUP_ONLINE;
}

void group_refresh(struct model *m, struct group *g, enum change_reason reason)
{
    uint32_t old_state = g->o.state;
    uint32_t state = group_derive_state(g);
    if (state == old_state)
        return;
    g->o.state = state;
    g->o.state_sequence++;
    object_touch(m, &g->o);
    emit(m, CHANGE_GROUP_STATE, &g->o, value_number(old_state), value_number(state), reason);
}

struct group *group_add(struct model *m, const char *id, const char *name, struct node *owner)
{
    struct group *g = object_new(m, OBJECT_GROUP, sizeof(*g), id, name);
    if (!g)
        return NULL;
    g->o.state = GROUP_OFFLINE;
    g->owner = owner;
    if (object_register(m, &g->o) < 0) {
        m->failed = true;
        object_free(&g->o);
        return NULL;
    }
    if (owner)
        check_result(m, list_insert_object(&owner->groups, g));
    object_touch(m, &g->o);
    emit(m, CHANGE_GROUP_ADDED, &g->o, value_none(), value_number(GROUP_TYPE_UNKNOWN), REASON_NONE);
    return g;
}

void group_set_owner(struct model *m, struct group *g, struct node *n)
{
    struct node *old_owner = g->owner;
    if (old_owner == n)
        return;
    if (old_owner) {
        list_remove(&old_owner->groups, g);
        emit(m, CHANGE_NODE_GROUP_LOST, &old_owner->o, value_none(), value_text(g->o.id),
             REASON_NONE);
    }
    g->owner = n;
    check_result(m, list_insert_object(&n->groups, g));
    object_touch(m, &g->o);
    emit(m, CHANGE_GROUP_OWNER_NODE, &g->o, value_text(old_owner ? old_owner->o.id : ""),
         value_text(n->o.id), REASON_NONE);
    emit(m, CHANGE_NODE_GROUP_GAINED, &n->o, value_none(), value_text(g->o.id), REASON_NONE);
}

static struct node *node_of_request(const struct model *m, const struct model_input *in)
{
    struct node *n = object_find(m, OBJECT_NODE, in->actor.node);
    if (n)
        return n;
    struct map_entry *first = map_first(m->by_id[OBJECT_NODE]);
    return first ? first->value : NULL;
}

uint32_t handle_create_group(struct model *m, const struct model_input *in)
{
    uint32_t code = name_check(m, NULL, OBJECT_GROUP, in->name);
    if (code != ERR_SUCCESS)
        return code;
    if (!in->new_id || !*in->new_id)
        return ERR_INVALID_PARAMETER;
    if (object_find(m, OBJECT_GROUP, in->new_id))
        return ERR_OBJECT_ALREADY_EXISTS;
    group_add(m, in->new_id, in->name, node_of_request(m, in));
    return ERR_SUCCESS;
}

uint32_t handle_delete_group(struct model *m, const struct model_input *in)
{
    struct group *g = object_find(m, OBJECT_GROUP, in->object_id);
    if (!g)
        return ERR_GROUP_NOT_FOUND;
    if (g->resources.count > 0)
        return ERR_DIR_NOT_EMPTY;
    if (g->is_core)
        return ERR_CORE_RESOURCE;
    emit(m, CHANGE_GROUP_DELETED, &g->o, value_number(g->o.state), value_none(), REASON_NONE);
    if (g->owner)
        list_remove(&g->owner->groups, g);
    object_remove(m, &g->o);
    return ERR_SUCCESS;
}

uint32_t handle_rename_group(struct model *m, const struct model_input *in)
{
    struct group *g = object_find(m, OBJECT_GROUP, in->object_id);
    if (!g)
        return ERR_GROUP_NOT_FOUND;
    uint32_t code = name_check(m, &g->o, OBJECT_GROUP, in->name);
    if (code != ERR_SUCCESS || strcmp(g->o.name, in->name) == 0)
        return code;
    _cleanup_free_
    char *old_name = text_copy(m, g->o.name);
    object_rename(m, &g->o, in->name);
    emit_text_property(m, CHANGE_GROUP_COMMON_PROPERTY, &g->o, "Name", old_name, in->name);
    return ERR_SUCCESS;
}

static bool any_in_state(const struct group *g, enum resource_state state)
{
    for (size_t i = 0; i < g->resources.count; i++)
        if (((struct resource *)g->resources.items[i])->o.state == state)
            return true;
    return false;
}

static bool is_pending(const struct group *g)
{
    return any_in_state(g, RESOURCE_ONLINE_PENDING) || any_in_state(g, RESOURCE_OFFLINE_PENDING);
}

static void want_group(struct model *m, struct group *g, bool online)
{
    if (g->want_online == online)
        return;
    g->want_online = online;
    object_touch(m, &g->o);
}

uint32_t handle_online_group(struct model *m, const struct model_input *in)
{
    struct group *g = object_find(m, OBJECT_GROUP, in->object_id);
    if (!g)
        return ERR_GROUP_NOT_FOUND;
    struct node *n = g->owner;
    if (in->parent_id && *in->parent_id) {
        n = object_find(m, OBJECT_NODE, in->parent_id);
        if (!n)
            return ERR_CLUSTER_NODE_NOT_FOUND;
        /* Moving it there first is for a cluster of many. */
        if (n != g->owner)
            return ERR_HOST_NODE_NOT_GROUP_OWNER;
    }
    if (is_pending(g))
        return ERR_INVALID_STATE;
    if (!n || n->o.state == NODE_DOWN)
        return ERR_HOST_NODE_NOT_AVAILABLE;
    if (n->o.state == NODE_PAUSED)
        return ERR_SHARING_PAUSED;
    want_group(m, g, true);
    resources_bring_online(m, &g->resources, input_reason(in));
    return is_pending(g) ? ERR_IO_PENDING : ERR_SUCCESS;
}

uint32_t handle_offline_group(struct model *m, const struct model_input *in)
{
    struct group *g = object_find(m, OBJECT_GROUP, in->object_id);
    if (!g)
        return ERR_GROUP_NOT_FOUND;
    want_group(m, g, false);
    for (size_t i = 0; i < g->resources.count; i++)
        resource_take_offline(m, g->resources.items[i], input_reason(in));
    return is_pending(g) ? ERR_IO_PENDING : ERR_SUCCESS;
}

/* The MoveClusterGroup page: without a destination the best possible node is taken, and when no
 * node can take the group the call fails. The group's present owner is no move: naming it gives
 * success and changes nothing. */
uint32_t handle_move_group(struct model *m, const struct model_input *in)
{
    struct group *g = object_find(m, OBJECT_GROUP, in->object_id);
    if (!g)
        return ERR_GROUP_NOT_FOUND;
    const struct node *destination = NULL;
    if (in->parent_id && *in->parent_id) {
        destination = object_find(m, OBJECT_NODE, in->parent_id);
        if (!destination)
            return ERR_CLUSTER_NODE_NOT_FOUND;
    }
    if (is_pending(g))
        return ERR_INVALID_STATE;
    return destination && destination == g->owner ? ERR_SUCCESS : ERR_HOST_NODE_NOT_AVAILABLE;
}
