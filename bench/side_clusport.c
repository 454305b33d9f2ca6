/* SPDX-License-Identifier: MIT */
#include <clusapi.h>

#include "feed_host.h"
#include "side.h"

static HCHANGE port;

static void subscribe(void)
{
    HCLUSTER cluster = OpenCluster(NULL);
    port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_RESOURCE_STATE, 1);
    if (!port)
        fail("no port: %u", GetLastError());
}

static void wait_for_one(void)
{
    WCHAR name[128];
    DWORD what, size = 128;
    DWORD_PTR key;
    DWORD error = GetClusterNotify(port, &key, &what, name, &size, INFINITE);
    if (error != ERROR_SUCCESS || what != CLUSTER_CHANGE_RESOURCE_STATE)
        fail("GetClusterNotify: %u", error);
}

const struct side side_clusport = {.name = "ClusPort",
                                   .start = feed_host_start,
                                   .stop = feed_host_stop,
                                   .subscribe = subscribe,
                                   .wait = wait_for_one,
                                   .publish = feed_host_publish};
