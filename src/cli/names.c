/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli.h"

struct state_name {
    DWORD number;
    const char *name;
};

static const struct state_name resource_states[] = {
    {1, "Initializing"}, {2, "Online"},          {3, "Offline"},          {4, "Failed"},
    {128, "Pending"},    {129, "OnlinePending"}, {130, "OfflinePending"}, {0, NULL}};
static const struct state_name group_states[] = {
    {0, "Online"}, {1, "Offline"}, {2, "Failed"}, {3, "PartialOnline"}, {4, "Pending"}, {0, NULL}};
static const struct state_name node_states[] = {
    {0, "Up"}, {1, "Down"}, {2, "Paused"}, {3, "Joining"}, {0, NULL}};
static const struct state_name network_states[] = {
    {0, "Unavailable"}, {1, "Down"}, {2, "Partitioned"}, {3, "Up"}, {0, NULL}};
static const struct state_name netinterface_states[] = {
    {0, "Unavailable"}, {1, "Failed"}, {2, "Unreachable"}, {3, "Up"}, {0, NULL}};

static const char *name_of(const struct state_name *names, DWORD number)
{
    for (; names->name; names++)
        if (names->number == number)
            return names->name;
    return "Unknown";
}

const char *resource_state_name(DWORD state)
{
    return name_of(resource_states, state);
}

const char *group_state_name(DWORD state)
{
    return name_of(group_states, state);
}

const char *node_state_name(DWORD state)
{
    return name_of(node_states, state);
}

const char *network_state_name(DWORD state)
{
    return name_of(network_states, state);
}

const char *netinterface_state_name(DWORD state)
{
    return name_of(netinterface_states, state);
}

const char *state_name(const char *object, DWORD state)
{
    if (strcmp(object, "resource") == 0 || strcmp(object, "quorum") == 0)
        return resource_state_name(state);
    if (strcmp(object, "group") == 0)
        return group_state_name(state);
    if (strcmp(object, "node") == 0)
        return node_state_name(state);
    if (strcmp(object, "network") == 0)
        return network_state_name(state);
    if (strcmp(object, "netinterface") == 0)
        return netinterface_state_name(state);
    return "Unknown";
}

const char *flag_name(DWORD flag)
{
    static const char *const names[32] = {"NODE_STATE",
                                          "NODE_DELETED",
                                          "NODE_ADDED",
                                          "NODE_PROPERTY",
                                          "REGISTRY_NAME",
                                          "REGISTRY_ATTRIBUTES",
                                          "REGISTRY_VALUE",
                                          "REGISTRY_SUBTREE",
                                          "RESOURCE_STATE",
                                          "RESOURCE_DELETED",
                                          "RESOURCE_ADDED",
                                          "RESOURCE_PROPERTY",
                                          "GROUP_STATE",
                                          "GROUP_DELETED",
                                          "GROUP_ADDED",
                                          "GROUP_PROPERTY",
                                          "RESOURCE_TYPE_DELETED",
                                          "RESOURCE_TYPE_ADDED",
                                          "RESOURCE_TYPE_PROPERTY",
                                          "CLUSTER_RECONNECT",
                                          "NETWORK_STATE",
                                          "NETWORK_DELETED",
                                          "NETWORK_ADDED",
                                          "NETWORK_PROPERTY",
                                          "NETINTERFACE_STATE",
                                          "NETINTERFACE_DELETED",
                                          "NETINTERFACE_ADDED",
                                          "NETINTERFACE_PROPERTY",
                                          "QUORUM_STATE",
                                          "CLUSTER_STATE",
                                          "CLUSTER_PROPERTY",
                                          "HANDLE_CLOSE"};
    for (unsigned bit = 0; bit < 32; bit++)
        if (flag == 1u << bit)
            return names[bit];
    return NULL;
}
