/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

/* CLUSTER_RECONNECT and CLUSTER_STATE: what the way to the cluster's service does. */

#define RECONNECT CLUSTER_CHANGE_CLUSTER_RECONNECT
#define STATE CLUSTER_CHANGE_CLUSTER_STATE

/* Only who asks is told that the connection was made again, once for each registration; nobody
 * misses anything. */
static void test_reconnect(void **state)
{
    struct world *w = *state;
    HCHANGE asks = watch(w, RECONNECT | CLUSTER_CHANGE_GROUP_ADDED, 1);
    HCHANGE does_not = watch(w, CLUSTER_CHANGE_GROUP_ADDED, 2);

    watch_too(asks, RECONNECT, w->cluster, 3);
    HGROUP before = make_group(w, L"Before");
    service_restart(w->service);
    HGROUP after = make_group(w, L"After");
    expect_event(asks, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Before");
    expect_event(asks, RECONNECT, 1, L"testcluster");
    expect_event(asks, RECONNECT, 3, L"testcluster");
    expect_event(asks, CLUSTER_CHANGE_GROUP_ADDED, 1, L"After");
    expect_event(does_not, CLUSTER_CHANGE_GROUP_ADDED, 2, L"Before");
    expect_event(does_not, CLUSTER_CHANGE_GROUP_ADDED, 2, L"After");
    expect_nothing(asks);
    expect_nothing(does_not);
    remove_group(before);
    remove_group(after);
    assert_true(CloseClusterNotifyPort(asks));
    assert_true(CloseClusterNotifyPort(does_not));
}

/* A service that does not come back for longer than a call is patient. */
static void test_cluster_lost(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    HCHANGE asks = watch(w, STATE | RECONNECT | CLUSTER_CHANGE_GROUP_DELETED, 1);
    HCHANGE does_not = watch(w, CLUSTER_CHANGE_GROUP_DELETED, 2);
    HCHANGE own = watch(w, 0, 0);

    watch_too(own, STATE, w->cluster, 3);
    service_kill(w->service);
    expect_event(asks, STATE, 1, L"testcluster");
    expect_event(own, STATE, 3, L"testcluster");
    expect_nothing(asks);
    expect_nothing(does_not);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupStateUnknown);
    assert_int_equal(GetLastError(), RPC_S_SERVER_UNAVAILABLE);

    service_again(w->service);
    expect_event(asks, RECONNECT, 1, L"testcluster");
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
    remove_group(group);
    expect_event(asks, CLUSTER_CHANGE_GROUP_DELETED, 1, L"Group");
    expect_event(does_not, CLUSTER_CHANGE_GROUP_DELETED, 2, L"Group");
    expect_nothing(own);
    assert_true(CloseClusterNotifyPort(asks));
    assert_true(CloseClusterNotifyPort(does_not));
    assert_true(CloseClusterNotifyPort(own));
}

/* Another cluster's service is at the same place: it is not taken for the one that is away. */
static void test_another_cluster(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    HCHANGE port = watch(w, STATE | RECONNECT | CLUSTER_CHANGE_GROUP_ADDED, 1);
    struct world *elsewhere = world_start(NULL);

    service_kill(w->service);
    shell("ln -sf %s %s", service_socket(elsewhere->service), service_socket(w->service));
    HGROUP foreign = make_group(elsewhere, L"Foreign");
    expect_event(port, STATE, 1, L"testcluster");
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupStateUnknown);
    assert_int_equal(GetLastError(), RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_STATE, foreign, 2),
                     ERROR_INVALID_PARAMETER);
    assert_true(CloseClusterGroup(foreign));
    world_stop(elsewhere);

    shell("rm %s", service_socket(w->service));
    service_again(w->service);
    expect_event(port, RECONNECT, 1, L"testcluster");
    HGROUP own = make_group(w, L"Own");
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Own");
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
    remove_group(own);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_cluster_lost),
        cmocka_unit_test(test_another_cluster),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
