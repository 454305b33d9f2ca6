/* SPDX-License-Identifier: MIT */
#include "lib/object_kinds.h"

#include "base/error.h"
#include "clusapi.h"

#define SAME_FORM(op, form) _Static_assert(sizeof(struct cmrp_##op) == sizeof(struct form), #op)
#define SAME_FORMS(kind)                                                                           \
    SAME_FORM(Open##kind, object_open_args);                                                       \
    SAME_FORM(Close##kind, object_close_args);                                                     \
    SAME_FORM(Get##kind##Id, object_id_args)
SAME_FORMS(Node);
SAME_FORMS(Group);
SAME_FORMS(Resource);
SAME_FORMS(Network);
SAME_FORMS(NetInterface);
SAME_FORM(CloseCluster, object_close_args);
SAME_FORM(CloseKey, object_close_args);

static const struct object *context_object(const struct session_context *c)
{
    return container_of(c, const struct object, context);
}

/* Of the call, or of the operation. */
static uint32_t call(struct rpc_client *client, const struct rpc_op *op, void *args,
                     struct rpc_arena *arena)
{
    uint32_t error = rpc_client_call(client, &rpc_cmrp, op, args, arena);
    return error != 0 ? error : rpc_op_status(op, args);
}

static void close_context(const struct session_context *c, struct rpc_client *client,
                          struct rpc_context *wire)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct object_close_args a = {.object = *wire};
    call(client, object_kind(context_object(c)->handle.kind)->close, &a, &arena);
}

static uint32_t open_named(const struct session_context *c, struct rpc_client *client,
                           struct rpc_context *ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    const struct object *o = context_object(c);
    struct object_open_args a = {.name = o->id};
    uint32_t error = call(client, object_kind(o->handle.kind)->open, &a, &arena);
    if (error == 0)
        *ret = a.object;
    return error;
}

static uint32_t open_cluster(const struct session_context *c, struct rpc_client *client,
                             struct rpc_context *ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    (void)c;
    struct cmrp_OpenCluster a = {0};
    uint32_t error = call(client, &cmrp_op_OpenCluster, &a, &arena);
    if (error == 0)
        *ret = a.cluster;
    return error;
}

/* By way of the root, which is closed again. */
static uint32_t open_key(const struct session_context *c, struct rpc_client *client,
                         struct rpc_context *ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    const struct object *o = context_object(c);
    struct cmrp_GetRootKey root = {.access = o->access};
    uint32_t error = call(client, &cmrp_op_GetRootKey, &root, &arena);
    if (error != 0)
        return error;
    if (*o->id == '\0') {
        *ret = root.key;
        return 0;
    }
    struct cmrp_OpenKey a = {.parent = root.key, .subkey = o->id, .access = o->access};
    error = call(client, &cmrp_op_OpenKey, &a, &arena);
    close_context(c, client, &root.key);
    if (error == 0)
        *ret = a.key;
    /* A key that was there when its handle was opened. */
    return error == ERR_FILE_NOT_FOUND && o->word ? ERR_KEY_DELETED : error;
}

static const struct session_context_methods named_context = {open_named, close_context};
static const struct session_context_methods cluster_context = {open_cluster, close_context};
static const struct session_context_methods key_context = {open_key, close_context};

#define NAMED(object, kind, code)                                                                  \
    {                                                                                              \
        .type = (object), .context = &named_context, .open = &cmrp_op_Open##kind,                  \
        .close = &cmrp_op_Close##kind, .get_id = &cmrp_op_Get##kind##Id,                           \
        .control = &cmrp_op_##kind##Control, .node_control = &cmrp_op_Node##kind##Control,         \
        .get_name = (code),                                                                        \
    }

static const struct object_kind kinds[] = {
    [LIB_HANDLE_CLUSTER] = {.type = OBJECT_CLUSTER,
                            .context = &cluster_context,
                            .close = &cmrp_op_CloseCluster,
                            .control = &cmrp_op_ClusterControl,
                            .node_control = &cmrp_op_NodeClusterControl},
    [LIB_HANDLE_NODE] = NAMED(OBJECT_NODE, Node, CLUSCTL_NODE_GET_NAME),
    [LIB_HANDLE_GROUP] = NAMED(OBJECT_GROUP, Group, CLUSCTL_GROUP_GET_NAME),
    [LIB_HANDLE_RESOURCE] = NAMED(OBJECT_RESOURCE, Resource, CLUSCTL_RESOURCE_GET_NAME),
    [LIB_HANDLE_NETWORK] = NAMED(OBJECT_NETWORK, Network, CLUSCTL_NETWORK_GET_NAME),
    [LIB_HANDLE_NETINTERFACE] =
        NAMED(OBJECT_NETWORK_INTERFACE, NetInterface, CLUSCTL_NETINTERFACE_GET_NAME),
    [LIB_HANDLE_KEY] = {.type = OBJECT_REGISTRY,
                        .context = &key_context,
                        .close = &cmrp_op_CloseKey},
};

const struct object_kind *object_kind(unsigned kind)
{
    return kind < ARRAY_SIZE(kinds) && kinds[kind].context ? &kinds[kind] : NULL;
}
