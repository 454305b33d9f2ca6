/* SPDX-License-Identifier: MIT */
#include "badinput/wire_stub.h"

#include <string.h>

#include "base/macro.h"

#define VICTIM "victim"

#define OPEN(p, op, handle, ...)                                                                   \
    ({                                                                                             \
        struct cmrp_##op a_ = {__VA_ARGS__};                                                       \
        PEER_CALL(p, op, &a_);                                                                     \
        assert_int_equal(a_.status, 0);                                                            \
        a_.handle;                                                                                 \
    })

/* The group and the resource, made again when the last operation deleted or renamed them. */
static void open_victims(struct peer *p, struct handles *h)
{
    struct cmrp_OpenGroup group = {.name = VICTIM};
    PEER_CALL(p, OpenGroup, &group);
    if (group.status)
        group.group = OPEN(p, CreateGroup, group, .name = VICTIM);
    h->of[RPC_CONTEXT_GROUP] = group.group;
    struct cmrp_OpenResource resource = {.name = VICTIM};
    PEER_CALL(p, OpenResource, &resource);
    if (resource.status)
        resource.resource = OPEN(p, CreateResource, resource, .group = group.group, .name = VICTIM,
                                 .type_name = "ocf:heartbeat:Dummy");
    h->of[RPC_CONTEXT_RESOURCE] = resource.resource;
}

/* The only one of its type, however it is called by now. */
static char *only(struct peer *p, uint32_t type)
{
    struct cmrp_CreateEnum a = {.type = type};
    PEER_CALL(p, CreateEnum, &a);
    assert_int_equal(a.list.count, 1);
    return a.list.entries[0].name;
}

void open_handles(struct peer *p, struct handles *h)
{
    open_victims(p, h);
    h->of[RPC_CONTEXT_CLUSTER] = OPEN(p, OpenCluster, cluster);
    h->of[RPC_CONTEXT_NODE] = OPEN(p, OpenNode, node, .name = "node1");
    h->of[RPC_CONTEXT_KEY] = OPEN(p, GetRootKey, key);
    h->of[RPC_CONTEXT_NETWORK] = OPEN(p, OpenNetwork, network, .name = only(p, 0x10));
    h->of[RPC_CONTEXT_NETINTERFACE] =
        OPEN(p, OpenNetInterface, netinterface, .name = only(p, 0x20));
    h->of[RPC_CONTEXT_NOTIFY] = OPEN(p, CreateNotify, notify);
    h->port_v2 = OPEN(p, CreateNotifyV2, notify);
    h->of[RPC_CONTEXT_BATCH_PORT] = (struct rpc_context){.wire = {1, 2, 3}}; /* there are none */
    h->of[RPC_CONTEXT_ANY] = h->of[RPC_CONTEXT_GROUP];
}

bool op_is_about_v2(const struct rpc_op *op)
{
    return op == &cmrp_op_GetNotifyV2 || op == &cmrp_op_AddNotifyV2;
}

bool op_waits(const struct rpc_op *op)
{
    return op == &cmrp_op_GetNotify || op == &cmrp_op_GetNotifyAsync || op == &cmrp_op_GetNotifyV2;
}

/* A value of that type that decodes, and makes sense where it can. */
static void fill(struct peer *p, const struct rpc_op *op, const struct rpc_param *param,
                 const struct handles *h, void *field)
{
    static char *texts[] = {"one", "two"};
    static uint8_t bytes[64] = {1, 0, 4, 0x80};
    struct rpc_bytes some = {.data = bytes, .size = sizeof(bytes), .capacity = sizeof(bytes)};
    struct rpc_security_attributes *security = rpc_arena_alloc(&p->arena, sizeof(*security));
    struct rpc_group_info *info = rpc_arena_alloc(&p->arena, sizeof(*info));
    *security = (struct rpc_security_attributes){.length = 12, .descriptor = some};
    *info = (struct rpc_group_info){.version = 1, .group_type = 9999};

    if (rpc_type_is_context(param->type)) {
        bool v2 = op_is_about_v2(op) && param->type == RPC_CONTEXT_NOTIFY;
        *(struct rpc_context *)field = v2 ? h->port_v2 : h->of[param->type];
        return;
    }
    switch ((enum rpc_type)param->type) {
    case RPC_U16:
        *(uint16_t *)field = 1;
        break;
    case RPC_U32:
    case RPC_BOOL:
        *(uint32_t *)field = 1;
        break;
    case RPC_I64:
    case RPC_FILETIME:
        *(uint64_t *)field = 1;
        break;
    case RPC_STRING:
    case RPC_UNIQUE_STRING:
        *(char **)field = VICTIM;
        break;
    case RPC_BYTES:
    case RPC_UNIQUE_BYTES:
    case RPC_COUNTED_BYTES:
    case RPC_BUFFER:
    case RPC_FULL_BUFFER:
    case RPC_RESIZED_BUFFER:
    case RPC_SECURITY_DESCRIPTOR:
        *(struct rpc_bytes *)field = some;
        break;
    case RPC_SECURITY_ATTRIBUTES:
        *(struct rpc_security_attributes **)field = security;
        break;
    case RPC_GROUP_INFO:
        *(struct rpc_group_info **)field = info;
        break;
    case RPC_MULTI_SZ:
    case RPC_STRING_ARRAY:
        *(struct rpc_texts *)field = (struct rpc_texts){.items = texts, .count = 2};
        break;
    case RPC_FILTER:
        *(struct rpc_filter *)field = (struct rpc_filter){.object_type = 3, .flags = 1};
        break;
    default:
        fail_msg("a type of input that this test does not know: %u", param->type);
    }
}

void make_stub(struct peer *p, const struct rpc_op *op, const struct handles *h, struct buffer *out)
{
    uint8_t *args = rpc_arena_alloc(&p->arena, op->args_size);
    for (unsigned i = 0; i < op->param_count; i++)
        if (op->params[i].direction & RPC_IN)
            fill(p, op, &op->params[i], h, args + op->params[i].offset);
    assert_int_equal(ndr_encode(op, RPC_IN, args, out), 0);
}
