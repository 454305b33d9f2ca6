/* SPDX-License-Identifier: MIT */
#include "service/codes.h"
#include "service/request.h"

/* The level of the API that is spoken: that of Windows Server 2012 R2. */
#define API_MAJOR 6
#define API_MINOR 3
#define API_BUILD 9600
#define CLUSTER_LEVEL (9u << 16)

REFUSED(GetClusterVersion, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(BackupClusterDatabase, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(SetServiceAccountPassword, ERR_CALL_NOT_IMPLEMENTED)

READ(OpenCluster)
{
    return request_open(r, RPC_CONTEXT_CLUSTER, "", &a->cluster);
}

READ(OpenClusterEx)
{
    uint32_t code = request_granted(r, a->desired_access, &a->granted_access);
    return code ? code : request_open(r, RPC_CONTEXT_CLUSTER, "", &a->cluster);
}

READ(CloseCluster)
{
    return request_close(r, &a->cluster);
}

static uint32_t name_stored(_unused_ struct request *r, uint32_t result)
{
    return result == ERR_SUCCESS ? ERR_RESOURCE_PROPERTIES_STORED : result;
}

REQUEST(SetClusterName)
{
    in->kind = INPUT_SET_CLUSTER_NAME;
    in->name = a->name;
    r->finish = name_stored;
    return ERR_SUCCESS;
}

READ(GetClusterName)
{
    const struct model *m = request_model(r);
    uint32_t code = request_give_text(r, model_cluster(m)->o.name, &a->cluster_name);
    return code ? code : request_give_text(r, r->service->options->node_name, &a->node_name);
}

READ(GetClusterVersion2)
{
    a->major_version = API_MAJOR;
    a->minor_version = API_MINOR;
    a->build_number = API_BUILD;
    a->version_info = (struct rpc_version_info){
        .size = 20, .highest_version = CLUSTER_LEVEL, .lowest_version = CLUSTER_LEVEL};
    uint32_t code = request_give_text(r, "ClusPort", &a->vendor_id);
    return code ? code : request_give_text(r, "", &a->csd_version);
}

READ(GetQuorumResource)
{
    const struct model *m = request_model(r);
    const struct resource *quorum = model_resource(m, model_cluster(m)->quorum_resource_id);
    uint32_t code = request_give_text(r, quorum ? quorum->o.name : "", &a->resource_name);
    return code ? code : request_give_text(r, "", &a->device_name);
}

REQUEST(SetQuorumResource)
{
    in->kind = INPUT_SET_QUORUM_RESOURCE;
    in->object_id = target_of(&a->resource)->id;
    return ERR_SUCCESS;
}

/* ---- enumeration ---- */

static const struct {
    uint32_t bit;
    enum object_type type;
} enumerated[] = {
    {ENUM_NODE, OBJECT_NODE},
    {ENUM_RESTYPE, OBJECT_RESOURCE_TYPE},
    {ENUM_RESOURCE, OBJECT_RESOURCE},
    {ENUM_GROUP, OBJECT_GROUP},
    {ENUM_NETWORK, OBJECT_NETWORK},
    {ENUM_NETINTERFACE, OBJECT_NETWORK_INTERFACE},
    {ENUM_INTERNAL_NETWORK, OBJECT_NETWORK},
};

static size_t count_enumerated(const struct model *m, uint32_t bits)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(enumerated); i++)
        if (bits & enumerated[i].bit)
            count += map_count(model_objects(m, enumerated[i].type));
    return count;
}

static uint32_t enumerate(const struct request *r, uint32_t bits, struct rpc_enum_list *names,
                          struct rpc_enum_list *ids)
{
    const struct model *m = request_model(r);
    if (bits & ~ENUM_CLUSTER_ALL)
        return ERR_INVALID_PARAMETER;
    size_t count = count_enumerated(m, bits);
    uint32_t code = enum_begin(r, count, names);
    if (!code && ids)
        code = enum_begin(r, count, ids);
    for (size_t i = 0; i < ARRAY_SIZE(enumerated); i++) {
        if (!(bits & enumerated[i].bit))
            continue;
        const struct map *objects = model_objects(m, enumerated[i].type);
        for (struct map_entry *e = map_first(objects); e && !code; e = map_next(objects, e)) {
            const struct object *o = e->value;
            code = enum_add(r, names, enumerated[i].bit, o->name);
            if (!code && ids)
                code = enum_add(r, ids, enumerated[i].bit, o->id);
        }
    }
    return code;
}

READ(CreateEnum)
{
    return enumerate(r, a->type, &a->list, NULL);
}

READ(CreateEnumEx)
{
    return enumerate(r, a->type, &a->names, &a->ids);
}
