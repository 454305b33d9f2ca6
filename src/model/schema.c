/* SPDX-License-Identifier: MIT */
#include "model/schema.h"

/* The common properties that can be set, by the pages "<object> Common Properties". */

#define TEXT(name)                                                                                 \
    {                                                                                              \
        name, PROPERTY_SZ, 0, 0, 0                                                                 \
    }
#define TEXTS(name)                                                                                \
    {                                                                                              \
        name, PROPERTY_MULTI_SZ, 0, 0, 0                                                           \
    }
#define NUMBER(name, value, least, most)                                                           \
    {                                                                                              \
        name, PROPERTY_DWORD, value, least, most                                                   \
    }
#define ANY_NUMBER(name, value) NUMBER(name, value, 0, UINT32_MAX)

static const struct property_schema cluster_schema[] = {
    TEXT("Description"),
    ANY_NUMBER("AddEvictDelay", 60),
    NUMBER("ClusterEnforcedAntiAffinity", 0, 0, 1),
    ANY_NUMBER("ClusterGroupWaitDelay", 120),
    NUMBER("ClusterLogLevel", 3, 0, 5),
    ANY_NUMBER("ClusterLogSize", 1536),
    ANY_NUMBER("ClusSvcHangTimeout", 60),
    NUMBER("CrossSubnetDelay", 1000, 250, 4000),
    NUMBER("CrossSubnetThreshold", 20, 1, 120),
    NUMBER("DefaultNetworkRole", 2, 0, 3),
    NUMBER("HangRecoveryAction", 3, 0, 3),
    NUMBER("PlumbAllCrossSubnetRoutes", 0, 0, 3),
    ANY_NUMBER("QuorumArbitrationTimeMax", 20),
    ANY_NUMBER("RequestReplyTimeout", 60),
    NUMBER("RouteHistoryLength", 10, 0, 80),
    NUMBER("SameSubnetDelay", 1000, 250, 2000),
    NUMBER("SameSubnetThreshold", 10, 1, 120),
    {"Security", PROPERTY_BINARY, 0, 0, 0},
    {0},
};

static const struct property_schema node_schema[] = {
    TEXT("Description"),
    NUMBER("NodeWeight", 1, 0, 1),
    {0},
};

static const struct property_schema group_schema[] = {
    TEXTS("AntiAffinityClassNames"),
    NUMBER("AutoFailbackType", 0, 0, 1),
    ANY_NUMBER("DefaultOwner", UINT32_MAX),
    TEXT("Description"),
    ANY_NUMBER("FailbackWindowEnd", UINT32_MAX),
    ANY_NUMBER("FailbackWindowStart", UINT32_MAX),
    NUMBER("FailoverPeriod", 6, 0, 1193),
    ANY_NUMBER("FailoverThreshold", UINT32_MAX),
    ANY_NUMBER("GroupType", 9999),
    NUMBER(PERSISTENT_STATE, 0, 0, 1),
    NUMBER("Priority", 2000, 0, 4999),
    {0},
};

static const struct property_schema resource_schema[] = {
    ANY_NUMBER("DeadlockTimeout", 300000),
    TEXT("Description"),
    NUMBER("EmbeddedFailureAction", 2, 0, 2),
    ANY_NUMBER("IsAlivePollInterval", UINT32_MAX),
    ANY_NUMBER("LooksAlivePollInterval", UINT32_MAX),
    NUMBER("PendingTimeout", 180000, 10, UINT32_MAX),
    NUMBER(PERSISTENT_STATE, 0, 0, 1),
    NUMBER("RestartAction", RESTART_NOTIFY, RESTART_NOT, RESTART_NOTIFY),
    ANY_NUMBER("RestartDelay", 500),
    ANY_NUMBER("RestartPeriod", 900000),
    ANY_NUMBER("RestartThreshold", 3),
    ANY_NUMBER("RetryPeriodOnFailure", 3600000),
    NUMBER("SeparateMonitor", 0, 0, 1),
    {0},
};

static const struct property_schema resource_type_schema[] = {
    TEXTS("AdminExtensions"),
    ANY_NUMBER("DeadlockTimeout", 300000),
    TEXT("Description"),
    ANY_NUMBER("IsAlivePollInterval", 60000),
    ANY_NUMBER("LooksAlivePollInterval", 5000),
    NUMBER("PendingTimeout", 180000, 10, UINT32_MAX),
    {0},
};

static const struct property_schema network_schema[] = {
    NUMBER("AutoMetric", 1, 0, 1),
    TEXT("Description"),
    ANY_NUMBER("Metric", 0),
    NUMBER("Role", 3, 0, 3),
    {0},
};

static const struct property_schema netinterface_schema[] = {
    TEXT("Description"),
    {0},
};

const struct property_schema *schema_common(enum object_type type)
{
    static const struct property_schema *const by_type[] = {
        [OBJECT_CLUSTER] = cluster_schema,
        [OBJECT_GROUP] = group_schema,
        [OBJECT_RESOURCE] = resource_schema,
        [OBJECT_RESOURCE_TYPE] = resource_type_schema,
        [OBJECT_NETWORK_INTERFACE] = netinterface_schema,
        [OBJECT_NETWORK] = network_schema,
        [OBJECT_NODE] = node_schema,
    };
    return type < ARRAY_SIZE(by_type) ? by_type[type] : NULL;
}

const struct property_schema *schema_find(enum object_type type, const char *name)
{
    const struct property_schema *s = schema_common(type);
    while (s && s->name && !text_equal(s->name, name))
        s++;
    return s && s->name ? s : NULL;
}
