/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "service/codes.h"
#include "service/request.h"

/* Dependencies are "all of them"; they are set one by one. */
REFUSED(SetResourceDependencyExpression, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(RestartResource, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(ChangeCsvState, ERR_CALL_NOT_IMPLEMENTED)

static uint32_t open_resource(struct request *r, const char *name, struct rpc_context *ret)
{
    const struct resource *found = *name ? model_resource(request_model(r), name) : NULL;
    return found ? request_open(r, RPC_CONTEXT_RESOURCE, found->o.id, ret) : ERR_RESOURCE_NOT_FOUND;
}

READ(OpenResource)
{
    return open_resource(r, a->name, &a->resource);
}

READ(OpenResourceEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : open_resource(r, a->name, &a->resource);
}

READ(CloseResource)
{
    return request_close(r, &a->resource);
}

static uint32_t resource_created(struct request *r, uint32_t result)
{
    struct cmrp_CreateResource *a = r->args;
    return result ? result : request_open(r, RPC_CONTEXT_RESOURCE, r->new_id, &a->resource);
}

REQUEST(CreateResource)
{
    if (!target_group(r, &a->group))
        return ERR_GROUP_NOT_AVAILABLE;
    in->kind = INPUT_CREATE_RESOURCE;
    in->parent_id = target_of(&a->group)->id;
    in->name = a->name;
    in->type_name = a->type_name;
    in->number = a->flags;
    r->finish = resource_created;
    return request_new_id(r, in);
}

READ(GetResourceState)
{
    const struct resource *res = target_resource(r, &a->resource);
    if (!res)
        return ERR_RESOURCE_NOT_AVAILABLE;
    const struct node *owner = res->group->owner;
    a->state = res->o.state;
    uint32_t code = request_give_text(r, owner ? owner->o.name : "", &a->node_name);
    return code ? code : request_give_text(r, res->group->o.name, &a->group_name);
}

READ(GetResourceId)
{
    const struct resource *res = target_resource(r, &a->resource);
    return res ? request_give_text(r, res->o.id, &a->id) : ERR_RESOURCE_NOT_AVAILABLE;
}

READ(GetResourceType)
{
    const struct resource *res = target_resource(r, &a->resource);
    return res ? request_give_text(r, res->resource_type->o.name, &a->type_name)
               : ERR_RESOURCE_NOT_AVAILABLE;
}

static uint32_t ask_resource(const struct request *r, const struct rpc_context *resource,
                             enum input_kind kind, struct model_input *in)
{
    if (!target_resource(r, resource))
        return ERR_RESOURCE_NOT_AVAILABLE;
    in->kind = kind;
    in->object_id = target_of(resource)->id;
    return ERR_SUCCESS;
}

REQUEST(DeleteResource)
{
    return ask_resource(r, &a->resource, INPUT_DELETE_RESOURCE, in);
}

REQUEST(SetResourceName)
{
    in->name = a->name;
    return ask_resource(r, &a->resource, INPUT_RENAME_RESOURCE, in);
}

REQUEST(FailResource)
{
    return ask_resource(r, &a->resource, INPUT_FAIL_RESOURCE, in);
}

REQUEST(OnlineResource)
{
    return ask_resource(r, &a->resource, INPUT_ONLINE_RESOURCE, in);
}

REQUEST(OnlineResourceEx)
{
    return ask_resource(r, &a->resource, INPUT_ONLINE_RESOURCE, in);
}

REQUEST(OfflineResource)
{
    return ask_resource(r, &a->resource, INPUT_OFFLINE_RESOURCE, in);
}

REQUEST(OfflineResourceEx)
{
    return ask_resource(r, &a->resource, INPUT_OFFLINE_RESOURCE, in);
}

/* ---- group, owners ---- */

static uint32_t ask_other_group(const struct request *r, const struct rpc_context *resource,
                                const struct rpc_context *group, struct model_input *in)
{
    if (!target_group(r, group))
        return ERR_GROUP_NOT_AVAILABLE;
    in->parent_id = target_of(group)->id;
    return ask_resource(r, resource, INPUT_CHANGE_RESOURCE_GROUP, in);
}

REQUEST(ChangeResourceGroup)
{
    return ask_other_group(r, &a->resource, &a->group, in);
}

REQUEST(ChangeResourceGroupEx)
{
    return ask_other_group(r, &a->resource, &a->group, in);
}

/* Every node is a possible owner of every resource, from its making on. */
READ(AddResourceNode)
{
    if (!target_resource(r, &a->resource))
        return ERR_RESOURCE_NOT_AVAILABLE;
    return target_node(r, &a->node) ? ERR_OBJECT_IN_LIST : ERR_CLUSTER_NODE_NOT_FOUND;
}

REFUSED(RemoveResourceNode, ERR_CALL_NOT_IMPLEMENTED)

/* ---- dependencies ---- */

static uint32_t ask_dependency(const struct request *r, const struct rpc_context *resource,
                               const struct rpc_context *provider, enum input_kind kind,
                               struct model_input *in)
{
    if (!target_resource(r, provider))
        return ERR_RESOURCE_NOT_AVAILABLE;
    in->parent_id = target_of(provider)->id;
    return ask_resource(r, resource, kind, in);
}

REQUEST(AddResourceDependency)
{
    return ask_dependency(r, &a->resource, &a->depends_on, INPUT_ADD_DEPENDENCY, in);
}

REQUEST(RemoveResourceDependency)
{
    return ask_dependency(r, &a->resource, &a->depends_on, INPUT_REMOVE_DEPENDENCY, in);
}

/* Each resource once: there may be very many ways from one to another. ERROR_SUCCESS: there is
 * none.
 */
static uint32_t reaches(const struct resource *from, const struct resource *to)
{
    _cleanup_(map_destroyp) struct map *seen = map_create();
    int error = seen ? map_put(seen, from->o.id, (void *)from) : -ENOMEM;
    if (error < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    for (struct map_entry *e = map_first(seen); e; e = map_next(seen, e)) {
        const struct resource *each = e->value;
        if (each == to)
            return ERR_DEPENDENCY_NOT_ALLOWED;
        for (size_t i = 0; i < each->providers.count; i++) {
            struct resource *provider = each->providers.items[i];
            if (map_put(seen, provider->o.id, provider) == -ENOMEM)
                return ERR_NOT_ENOUGH_MEMORY;
        }
    }
    return ERR_SUCCESS;
}

READ(CanResourceBeDependent)
{
    /* The page of CanResourceBeDependent: hResource would depend on hResourceDependent. */
    const struct resource *dependent = target_resource(r, &a->resource);
    const struct resource *provider = target_resource(r, &a->dependent);
    if (!provider || !dependent)
        return ERR_RESOURCE_NOT_AVAILABLE;
    return provider->group == dependent->group ? reaches(provider, dependent)
                                               : ERR_DEPENDENCY_NOT_ALLOWED;
}

READ(GetResourceDependencyExpression)
{
    const struct resource *res = target_resource(r, &a->resource);
    if (!res)
        return ERR_RESOURCE_NOT_AVAILABLE;
    _cleanup_(buffer_fini) struct buffer text = {0};
    for (size_t i = 0; i < res->providers.count; i++) {
        const struct resource *provider = res->providers.items[i];
        buffer_printf(&text, "%s[%s]", i ? " and " : "(", provider->o.name);
    }
    if (res->providers.count > 0)
        buffer_append(&text, ")", 1);
    buffer_append_zero(&text, 1);
    if (buffer_failed(&text))
        return ERR_NOT_ENOUGH_MEMORY;
    return request_give_text(r, (const char *)text.data, &a->expression);
}

/* ---- enumeration ---- */

static uint32_t add_resources(const struct request *r, uint32_t bit,
                              const struct pointer_list *resources, struct rpc_enum_list *list)
{
    uint32_t code = ERR_SUCCESS;
    for (size_t i = 0; i < resources->count && !code; i++)
        code = enum_add(r, list, bit, ((const struct resource *)resources->items[i])->o.name);
    return code;
}

/* Bits that mean nothing are passed over, as Windows does. */
READ(CreateResEnum)
{
    const struct resource *res = target_resource(r, &a->resource);
    if (!res)
        return ERR_RESOURCE_NOT_AVAILABLE;
    const struct map *nodes = model_objects(request_model(r), OBJECT_NODE);
    size_t most = res->providers.count + res->dependents.count + map_count(nodes);
    uint32_t code = enum_begin(r, most, &a->list);
    if (!code && (a->type & RESOURCE_ENUM_DEPENDS))
        code = add_resources(r, RESOURCE_ENUM_DEPENDS, &res->providers, &a->list);
    if (!code && (a->type & RESOURCE_ENUM_PROVIDES))
        code = add_resources(r, RESOURCE_ENUM_PROVIDES, &res->dependents, &a->list);
    if (a->type & RESOURCE_ENUM_NODES)
        for (struct map_entry *e = map_first(nodes); e && !code; e = map_next(nodes, e))
            code =
                enum_add(r, &a->list, RESOURCE_ENUM_NODES, ((const struct object *)e->value)->name);
    return code;
}

static uint32_t fill_entry(const struct request *r, const struct resource *res,
                           const struct map *names, const struct map *ro_names,
                           struct rpc_resource_enum_entry *e)
{
    uint32_t code = request_give_text(r, res->o.name, &e->name);
    if (!code)
        code = request_give_text(r, res->o.id, &e->id);
    if (!code)
        code = request_give_text(r, res->group->o.name, &e->owner_name);
    if (!code)
        code = request_give_text(r, res->group->o.id, &e->owner_id);
    if (!code)
        code = properties_chosen(r, &res->o, PROPERTIES_COMMON, names, &e->properties);
    if (!code)
        code =
            properties_chosen(r, &res->o, PROPERTIES_COMMON_READ_ONLY, ro_names, &e->ro_properties);
    return code;
}

READ(CreateResourceEnum)
{
    const struct map *resources = model_objects(request_model(r), OBJECT_RESOURCE);
    size_t room = MAX(map_count(resources), (size_t)1) * sizeof(*a->list.entries);
    a->list.entries = request_alloc(r, room);
    if (!a->list.entries)
        return ERR_NOT_ENOUGH_MEMORY;
    _cleanup_(map_destroyp) struct map *names = NULL;
    _cleanup_(map_destroyp) struct map *ro_names = NULL;
    uint32_t code = names_of(&a->properties, &names);
    if (!code)
        code = names_of(&a->ro_properties, &ro_names);
    for (struct map_entry *e = map_first(resources); e && !code; e = map_next(resources, e))
        code = fill_entry(r, e->value, names, ro_names, &a->list.entries[a->list.count++]);
    return code;
}

/* The name that a Network Name resource of the group stands for. */
READ(GetResourceNetworkName)
{
    const struct resource *res = target_resource(r, &a->resource);
    if (!res)
        return ERR_RESOURCE_NOT_AVAILABLE;
    for (size_t i = 0; i < res->group->resources.count; i++) {
        const struct resource *other = res->group->resources.items[i];
        if (!text_equal(other->resource_type->o.name, "Network Name"))
            continue;
        const struct property *name = property_find(&other->o.private_, "Name");
        if (name && name->format == PROPERTY_SZ)
            return request_give_text(r, name->data, &a->name);
    }
    return request_give_text(r, "", &a->name);
}
