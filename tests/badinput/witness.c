/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <clusport.h>

/* A program that listens to everything by ports of all versions, until the registry's value "end"
 * is set. Each revision must come, and whatever the others do, each event must be deliverable. */

#define WAIT_MS 60000
#define ROOM 65536

static void give_up(const char *what, unsigned long long number)
{
    printf("%s (%llu)\n", what, number);
    exit(1);
}

static void check(const char *what, DWORD error)
{
    if (error != ERROR_SUCCESS)
        give_up(what, error);
}

static HCHANGE listen_v2(HCLUSTER cluster)
{
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_CLUSTER,
         CLUSTER_CHANGE_CLUSTER_ALL_V2 & ~(LONGLONG)CLUSTER_CHANGE_CLUSTER_RECONNECT_V2},
        {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE, CLUSTER_CHANGE_RESOURCE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE_TYPE, CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_NETWORK_INTERFACE, CLUSTER_CHANGE_NETINTERFACE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_NETWORK, CLUSTER_CHANGE_NETWORK_ALL_V2},
        {CLUSTER_OBJECT_TYPE_NODE, CLUSTER_CHANGE_NODE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_REGISTRY, CLUSTER_CHANGE_REGISTRY_ALL_V2},
        {CLUSTER_OBJECT_TYPE_QUORUM, CLUSTER_CHANGE_QUORUM_ALL_V2},
    };
    return CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, cluster, filters,
                                     sizeof(filters) / sizeof(filters[0]), 2);
}

static HCHANGE listen_v1(HCLUSTER cluster)
{
    const DWORD filter =
        CLUSTER_CHANGE_ALL & ~(CLUSTER_CHANGE_CLUSTER_RECONNECT | CLUSTER_CHANGE_CLUSTER_STATE);
    return CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, filter, 1);
}

struct counts {
    unsigned long long v1, v2;
};

static bool next_is_end(HCHANGE own, ULONGLONG *revision, struct counts *wanted)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    check("no notification", ClusportGetNotification(own, WAIT_MS, &n));
    if (n->ullRevision != *revision + 1)
        give_up("a gap", n->ullRevision);
    *revision = n->ullRevision;
    wanted->v1 += n->dwFlag != 0;
    wanted->v2 += n->llFlag != 0;
    bool end = strcmp(n->pszKind, "registry.value") == 0 && lstrcmpW(n->pszParentId, L"end") == 0;
    ClusportFreeNotification(n);
    return end;
}

/* All that was told is there already: nothing is waited for. */
static unsigned long long drain_v1(HCHANGE port)
{
    static WCHAR name[ROOM];
    for (unsigned long long count = 0;; count++) {
        DWORD_PTR key = 0;
        DWORD flag = 0, cch = ROOM;
        DWORD error = GetClusterNotify(port, &key, &flag, name, &cch, 0);
        if (error == WAIT_TIMEOUT)
            return count;
        check("version 1", error);
    }
}

static unsigned long long drain_v2(HCHANGE port)
{
    static WCHAR id[ROOM], parent[ROOM], name[ROOM], type[ROOM];
    static BYTE data[8u << 20];
    for (unsigned long long count = 0;; count++) {
        NOTIFY_FILTER_AND_TYPE filter = {0};
        DWORD_PTR key = 0;
        DWORD size = sizeof(data), c1 = ROOM, c2 = ROOM, c3 = ROOM, c4 = ROOM;
        DWORD error = GetClusterNotifyV2(port, &key, &filter, data, &size, id, &c1, parent, &c2,
                                         name, &c3, type, &c4, 0);
        if (error == WAIT_TIMEOUT)
            return count;
        check("version 2", error);
    }
}

/* What the others leave can be read, whatever they put there. */
static void read_values(HCLUSTER cluster)
{
    static BYTE data[8u << 20];
    static WCHAR name[ROOM];
    HKEY root = GetClusterKey(cluster, KEY_READ), key = NULL;
    DWORD count = 0, largest = 0;
    check("no key", (DWORD)ClusterRegOpenKey(root, L"stage", KEY_READ, &key));
    check("no information",
          (DWORD)ClusterRegQueryInfoKey(key, NULL, NULL, &count, NULL, &largest, NULL, NULL));
    for (DWORD i = 0; i < count; i++) {
        DWORD cch = ROOM, type = 0, size = sizeof(data);
        check("no value by number", ClusterRegEnumValue(key, i, name, &cch, &type, data, &size));
        if (size > largest)
            give_up("larger than the largest", size);
        size = sizeof(data);
        check("no value by name", (DWORD)ClusterRegQueryValue(key, name, &type, data, &size));
    }
    ClusterRegCloseKey(key);
    ClusterRegCloseKey(root);
}

int main(void)
{
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE v1 = listen_v1(cluster), v2 = listen_v2(cluster), own = NULL;
    ULONGLONG revision = 0;
    struct counts wanted = {0};

    if (!v1 || !v2)
        give_up("no port", GetLastError());
    check("no revision", ClusportGetRevision(cluster, &revision));
    check("no port", ClusportCreatePort(cluster, NULL, 0, NULL, &own));
    printf("ready\n");
    fflush(stdout);
    while (!next_is_end(own, &revision, &wanted))
        ;
    if (drain_v1(v1) != wanted.v1)
        give_up("version 1 was not told all of", wanted.v1);
    if (drain_v2(v2) != wanted.v2)
        give_up("version 2 was not told all of", wanted.v2);
    read_values(cluster);
    CloseClusterNotifyPort(own);
    CloseClusterNotifyPort(v1);
    CloseClusterNotifyPort(v2);
    CloseCluster(cluster);
    printf("all was told\n");
    return 0;
}
