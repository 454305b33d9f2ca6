/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <string.h>

#include "base/macro.h"

#define ROOM 65536

void rig_connect(struct rig *rig)
{
    if (rig->client) {
        rpc_client_close(rig->client);
        rpc_client_unref(rig->client);
        rig->client = NULL;
    }
    assert_int_equal(rpc_client_connect_unix(service_socket(rig->service), &rig->client), 0);
}

void rig_start(struct rig *rig, const char *const extra_args[])
{
    *rig = (struct rig){.service = service_start(extra_args)};
    rig_connect(rig);
}

void rig_stop(struct rig *rig)
{
    if (rig->client) {
        rpc_client_close(rig->client);
        rpc_client_unref(rig->client);
    }
    rpc_arena_fini(&rig->arena);
    service_stop(rig->service);
}

uint32_t call_cmrp(struct rig *rig, const struct rpc_op *op, void *args)
{
    return rpc_client_call(rig->client, &rpc_cmrp, op, args, &rig->arena);
}

uint32_t call_private(struct rig *rig, const struct rpc_op *op, void *args)
{
    return rpc_client_call(rig->client, &rpc_private, op, args, &rig->arena);
}

struct rpc_context open_cluster(struct rig *rig)
{
    struct cmrp_OpenCluster a = {0};
    CALL(rig, OpenCluster, &a);
    assert_int_equal(a.status, 0);
    return a.cluster;
}

uint32_t create_group_code(struct rig *rig, const char *name)
{
    struct cmrp_CreateGroup a = {.name = (char *)name};
    CALL(rig, CreateGroup, &a);
    return a.status;
}

struct rpc_context create_group(struct rig *rig, const char *name)
{
    struct cmrp_CreateGroup a = {.name = (char *)name};
    CALL(rig, CreateGroup, &a);
    assert_int_equal(a.status, 0);
    return a.group;
}

struct rpc_context create_resource(struct rig *rig, struct rpc_context group, const char *name,
                                   const char *type)
{
    struct cmrp_CreateResource a = {
        .group = group, .name = (char *)name, .type_name = (char *)type};
    CALL(rig, CreateResource, &a);
    assert_int_equal(a.status, 0);
    return a.resource;
}

struct rpc_context root_key(struct rig *rig)
{
    struct cmrp_GetRootKey a = {0};
    CALL(rig, GetRootKey, &a);
    assert_int_equal(a.status, 0);
    return a.key;
}

uint32_t group_code(struct rig *rig, const char *name)
{
    struct cmrp_OpenGroup a = {.name = (char *)name};
    CALL(rig, OpenGroup, &a);
    return a.status;
}

struct rpc_context create_port(struct rig *rig, uint32_t filter, uint32_t key)
{
    struct cmrp_CreateNotify create = {0};
    CALL(rig, CreateNotify, &create);
    assert_int_equal(create.status, 0);
    struct cmrp_AddNotifyCluster add = {
        .notify = create.notify, .cluster = open_cluster(rig), .filter = filter, .notify_key = key};
    CALL(rig, AddNotifyCluster, &add);
    assert_int_equal(add.result, 0);
    return create.notify;
}

struct cmrp_GetNotify next_event(struct rig *rig, struct rpc_context port)
{
    struct cmrp_GetNotify a = {.notify = port};
    CALL(rig, GetNotify, &a);
    return a;
}

void wait_resource_state(struct rig *rig, struct rpc_context port, struct rpc_context resource,
                         uint32_t state)
{
    for (;;) {
        struct cmrp_GetResourceState a = {.resource = resource};
        CALL(rig, GetResourceState, &a);
        assert_int_equal(a.result, 0);
        if (a.state == state)
            return;
        assert_int_equal(next_event(rig, port).result, 0);
    }
}

uint32_t resource_control(struct rig *rig, struct rpc_context resource, uint32_t code,
                          const void *input, size_t input_size, struct rpc_bytes *ret)
{
    struct cmrp_ResourceControl a = {
        .resource = resource,
        .code = code,
        .input = {.data = (void *)input, .size = (uint32_t)input_size},
        .output = {.capacity = ROOM},
    };
    CALL(rig, ResourceControl, &a);
    *ret = a.output;
    return a.result;
}
