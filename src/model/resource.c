/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#define FLAG_SEPARATE_MONITOR                                                                      \
    1u /* CLUSTER_RESOURCE_SEPARATE_MONITOR; agents are separate anyway                            \
        */

static uint32_t check_create(struct model *m, const struct model_input *in)
{
    if (!object_find(m, OBJECT_GROUP, in->parent_id))
        return ERR_GROUP_NOT_FOUND;
    if (in->number & ~FLAG_SEPARATE_MONITOR || !in->new_id || !*in->new_id)
        return ERR_INVALID_PARAMETER;
    uint32_t code = name_check(m, NULL, OBJECT_RESOURCE, in->name);
    if (code != ERR_SUCCESS)
        return code;
    if (object_find(m, OBJECT_RESOURCE, in->new_id))
        return ERR_OBJECT_ALREADY_EXISTS;
    if (!object_find(m, OBJECT_RESOURCE_TYPE, in->type_name))
        return ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND;
    return ERR_SUCCESS;
}

static void gained(struct model *m, struct group *g, const struct resource *r)
{
    emit(m, CHANGE_GROUP_RESOURCE_GAINED, &g->o, value_none(), value_text(r->o.id), REASON_NONE);
}

static void lost(struct model *m, struct group *g, const struct resource *r)
{
    emit(m, CHANGE_GROUP_RESOURCE_LOST, &g->o, value_none(), value_text(r->o.id), REASON_NONE);
}

uint32_t handle_create_resource(struct model *m, const struct model_input *in)
{
    uint32_t code = check_create(m, in);
    if (code != ERR_SUCCESS)
        return code;
    struct resource *r = object_new(m, OBJECT_RESOURCE, sizeof(*r), in->new_id, in->name);
    if (!r)
        return ERR_NOT_ENOUGH_MEMORY;
    r->o.state = RESOURCE_OFFLINE;
    r->group = object_find(m, OBJECT_GROUP, in->parent_id);
    r->resource_type = object_find(m, OBJECT_RESOURCE_TYPE, in->type_name);
    r->flags = in->number;
    if (object_register(m, &r->o) < 0) {
        m->failed = true;
        object_free(&r->o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    check_result(m, list_insert_object(&r->group->resources, r));
    object_touch(m, &r->o);
    emit(m, CHANGE_RESOURCE_ADDED, &r->o, value_none(), value_number(r->o.state), REASON_NONE);
    gained(m, r->group, r);
    group_refresh(m, r->group, REASON_NONE);
    return ERR_SUCCESS;
}

static uint32_t check_delete(const struct model *m, const struct resource *r)
{
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    if (text_equal(m->cluster->quorum_resource_id, r->o.id))
        return ERR_QUORUM_RESOURCE;
    if (r->dependents.count > 0)
        return ERR_DEPENDENT_RESOURCE_EXISTS;
    if (r->o.state != RESOURCE_OFFLINE && r->o.state != RESOURCE_FAILED)
        return ERR_RESOURCE_ONLINE;
    /* Its agent is just cleaning up: what it leaves must not be left for ever. */
    if (r->operation != 0)
        return ERR_INVALID_STATE;
    return ERR_SUCCESS;
}

uint32_t handle_delete_resource(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    uint32_t code = check_delete(m, r);
    if (code != ERR_SUCCESS)
        return code;
    struct group *g = r->group;
    resource_forget_effects(m, r);
    while (r->providers.count > 0 && !m->failed)
        dependency_unlink(m, r, r->providers.items[r->providers.count - 1]);
    emit(m, CHANGE_RESOURCE_DELETED, &r->o, value_number(r->o.state), value_none(), REASON_NONE);
    list_remove(&g->resources, r);
    lost(m, g, r);
    object_remove(m, &r->o);
    group_refresh(m, g, REASON_NONE);
    return ERR_SUCCESS;
}

uint32_t handle_rename_resource(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    uint32_t code = name_check(m, &r->o, OBJECT_RESOURCE, in->name);
    if (code != ERR_SUCCESS || strcmp(r->o.name, in->name) == 0)
        return code;
    _cleanup_free_
    char *old_name = text_copy(m, r->o.name);
    object_rename(m, &r->o, in->name);
    emit_text_property(m, CHANGE_RESOURCE_COMMON_PROPERTY, &r->o, "Name", old_name, in->name);
    return ERR_SUCCESS;
}

/* Could it be brought online: itself and all that it needs. */
static uint32_t check_online(struct model *m, struct resource *r)
{
    const struct node *n = r->group->owner;
    if (!n || n->o.state == NODE_DOWN)
        return ERR_HOST_NODE_NOT_AVAILABLE;
    if (n->o.state == NODE_PAUSED)
        return ERR_SHARING_PAUSED;
    _cleanup_(list_fini) struct pointer_list needed = {0};
    if (dependency_closure(r, PROVIDERS, &needed) < 0) {
        m->failed = true;
        return ERR_NOT_ENOUGH_MEMORY;
    }
    for (size_t i = 0; i < needed.count; i++)
        if (((struct resource *)needed.items[i])->o.state == RESOURCE_OFFLINE_PENDING)
            return ERR_INVALID_STATE;
    return ERR_SUCCESS;
}

static uint32_t pending_or_success(const struct resource *r)
{
    bool is_pending =
        r->o.state == RESOURCE_ONLINE_PENDING || r->o.state == RESOURCE_OFFLINE_PENDING;
    return is_pending ? ERR_IO_PENDING : ERR_SUCCESS;
}

uint32_t handle_online_resource(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    if (r->o.state == RESOURCE_ONLINE || r->o.state == RESOURCE_ONLINE_PENDING)
        return pending_or_success(r);
    uint32_t code = check_online(m, r);
    if (code != ERR_SUCCESS)
        return code;
    if (!r->group->want_online) {
        r->group->want_online = true;
        object_touch(m, &r->group->o);
    }
    resource_bring_online(m, r, input_reason(in));
    return pending_or_success(r);
}

/* A failed resource goes Offline with success (the OfflineClusterResource page). */
uint32_t handle_offline_resource(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    resource_take_offline(m, r, input_reason(in));
    return pending_or_success(r);
}

uint32_t handle_fail_resource(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    if (r->o.state == RESOURCE_OFFLINE || r->o.state == RESOURCE_FAILED)
        return ERR_INVALID_STATE;
    resource_fail(m, r, input_reason(in));
    return ERR_SUCCESS;
}

/* The whole dependency tree goes. */
uint32_t handle_change_resource_group(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    struct group *to = object_find(m, OBJECT_GROUP, in->parent_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    if (!to)
        return ERR_GROUP_NOT_FOUND;
    struct group *from = r->group;
    if (from == to)
        return ERR_ALREADY_EXISTS;
    if (from->owner != to->owner)
        return ERR_HOST_NODE_NOT_GROUP_OWNER;
    _cleanup_(list_fini) struct pointer_list tree = {0};
    if (dependency_closure(r, BOTH, &tree) < 0) {
        m->failed = true;
        return ERR_NOT_ENOUGH_MEMORY;
    }
    for (size_t i = 0; i < tree.count; i++) {
        struct resource *each = tree.items[i];
        list_remove(&from->resources, each);
        check_result(m, list_insert_object(&to->resources, each));
        each->group = to;
        object_touch(m, &each->o);
        emit(m, CHANGE_RESOURCE_OWNER_GROUP, &each->o, value_text(from->o.id), value_text(to->o.id),
             REASON_NONE);
        lost(m, from, each);
        gained(m, to, each);
    }
    group_refresh(m, from, REASON_NONE);
    group_refresh(m, to, REASON_NONE);
    return ERR_SUCCESS;
}
