/* SPDX-License-Identifier: MIT */
#include "change/change.h"

#include <string.h>

#include "base/text.h"

static const char *const type_names[] = {
    [OBJECT_NONE] = "",
    [OBJECT_CLUSTER] = "cluster",
    [OBJECT_GROUP] = "group",
    [OBJECT_RESOURCE] = "resource",
    [OBJECT_RESOURCE_TYPE] = "resource-type",
    [OBJECT_NETWORK_INTERFACE] = "netinterface",
    [OBJECT_NETWORK] = "network",
    [OBJECT_NODE] = "node",
    [OBJECT_REGISTRY] = "registry",
    [OBJECT_QUORUM] = "quorum",
};

static const char *const reason_names[REASON_COUNT] = {
    [REASON_NONE] = "none",
    [REASON_REQUEST] = "request",
    [REASON_FAILURE] = "failure",
    [REASON_FAILOVER] = "failover",
    [REASON_DEPENDENCY] = "dependency",
    [REASON_ADMIN] = "admin",
    [REASON_ENGINE] = "engine",
};

#define STATE_UNKNOWN UINT32_MAX

/* The numbers are the API's: CLUSTER_RESOURCE_STATE, CLUSTER_GROUP_STATE and so on. */
struct state {
    uint32_t number;
    const char *name; /* NULL ends a table */
};

static const struct state resource_states[] = {
    {STATE_UNKNOWN, "Unknown"},
    {0, "Inherited"},
    {1, "Initializing"},
    {2, "Online"},
    {3, "Offline"},
    {4, "Failed"},
    {128, "Pending"},
    {129, "OnlinePending"},
    {130, "OfflinePending"},
    {0, NULL},
};

static const struct state group_states[] = {
    {STATE_UNKNOWN, "Unknown"}, {0, "Online"},  {1, "Offline"}, {2, "Failed"},
    {3, "PartialOnline"},       {4, "Pending"}, {0, NULL},
};

static const struct state node_states[] = {
    {STATE_UNKNOWN, "Unknown"}, {0, "Up"}, {1, "Down"}, {2, "Paused"}, {3, "Joining"}, {0, NULL},
};

static const struct state network_states[] = {
    {STATE_UNKNOWN, "Unknown"}, {0, "Unavailable"}, {1, "Down"},
    {2, "Partitioned"},         {3, "Up"},          {0, NULL},
};

static const struct state netinterface_states[] = {
    {STATE_UNKNOWN, "Unknown"}, {0, "Unavailable"}, {1, "Failed"},
    {2, "Unreachable"},         {3, "Up"},          {0, NULL},
};

static const struct state no_states[] = {{0, NULL}};

static const struct state *states_of(enum object_type type)
{
    switch (type) {
    case OBJECT_GROUP:
        return group_states;
    case OBJECT_RESOURCE:
    case OBJECT_QUORUM: /* the quorum's state is its resource's */
        return resource_states;
    case OBJECT_NETWORK_INTERFACE:
        return netinterface_states;
    case OBJECT_NETWORK:
        return network_states;
    case OBJECT_NODE:
        return node_states;
    case OBJECT_NONE:
    case OBJECT_CLUSTER:
    case OBJECT_RESOURCE_TYPE:
    case OBJECT_REGISTRY:
        break;
    }
    return no_states;
}

const char *object_type_name(enum object_type type)
{
    return (size_t)type < ARRAY_SIZE(type_names) ? type_names[type] : "";
}

enum object_type object_type_from_name(const char *name)
{
    for (size_t i = OBJECT_NONE + 1; i < ARRAY_SIZE(type_names); i++) {
        if (strcmp(type_names[i], name) == 0)
            return i;
    }
    return OBJECT_NONE;
}

const char *change_reason_name(enum change_reason reason)
{
    return (size_t)reason < REASON_COUNT ? reason_names[reason] : "";
}

const char *object_state_name(enum object_type type, uint32_t state)
{
    for (const struct state *s = states_of(type); s->name; s++) {
        if (s->number == state)
            return s->name;
    }
    return "";
}

int64_t object_state_from_name(enum object_type type, const char *name)
{
    for (const struct state *s = states_of(type); s->name; s++) {
        if (text_equal(s->name, name))
            return s->number;
    }
    return -1;
}
