/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NOTIFY_STATES_H
#define TESTS_NOTIFY_STATES_H

#include "notify/loop.h"

/* States in their exact order. Version 1 does not tell them, so version 2 is asked, which gives
 * each change's own state. */

#define ONLINE ClusterResourceOnline
#define OFFLINE ClusterResourceOffline
#define FAILED ClusterResourceFailed
#define ONLINE_PENDING ClusterResourceOnlinePending
#define OFFLINE_PENDING ClusterResourceOfflinePending

HCHANGE watch_states(struct world *w); /* of all resources and groups */

#define resource_goes(port, name, state)                                                           \
    expect_state_at(port, CLUSTER_OBJECT_TYPE_RESOURCE, name, state, __FILE__, __LINE__)
#define group_goes(port, name, state)                                                              \
    expect_state_at(port, CLUSTER_OBJECT_TYPE_GROUP, name, state, __FILE__, __LINE__)
#define no_more_states(port) expect_no_state_at(port, __FILE__, __LINE__)
void expect_state_at(HCHANGE port, DWORD type, LPCWSTR name, DWORD state, const char *file,
                     int line);
void expect_no_state_at(HCHANGE port, const char *file, int line);

#endif
