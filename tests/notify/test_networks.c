/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <sched.h>

/* NETWORK_* and NETINTERFACE_*, from links of a network namespace of the test's own: of a pair
 * "clus0" and "far0" the cluster looks at the first. */

#define NETWORK L"Cluster Network 1"
#define INTERFACE L"node1 - clus0"
#define NETWORK_FLAGS                                                                              \
    (CLUSTER_CHANGE_NETWORK_STATE | CLUSTER_CHANGE_NETWORK_DELETED |                               \
     CLUSTER_CHANGE_NETWORK_ADDED | CLUSTER_CHANGE_NETWORK_PROPERTY)
#define INTERFACE_FLAGS                                                                            \
    (CLUSTER_CHANGE_NETINTERFACE_STATE | CLUSTER_CHANGE_NETINTERFACE_DELETED |                     \
     CLUSTER_CHANGE_NETINTERFACE_ADDED | CLUSTER_CHANGE_NETINTERFACE_PROPERTY)

static HCHANGE all; /* cluster-wide, key 1 */
static HCHANGE one; /* the handles alone, keys 2 and 3 */
static HNETWORK network;
static HNETINTERFACE interface;

/* Told to the cluster-wide registration and to the handle's. */
static void expect_both(DWORD flag, DWORD_PTR key, LPCWSTR name)
{
    expect_event(all, flag, 1, name);
    expect_event(one, flag, key, name);
}

static void expect_end(void)
{
    expect_nothing(all);
    expect_nothing(one);
}

static void comes(struct world *w)
{
    all = watch(w, NETWORK_FLAGS | INTERFACE_FLAGS, 1);
    one = watch(w, 0, 0);
    shell("ip link add clus0 type veth peer name far0");
    expect_event(all, CLUSTER_CHANGE_NETWORK_ADDED, 1, NETWORK);
    expect_event(all, CLUSTER_CHANGE_NETINTERFACE_ADDED, 1, INTERFACE);
    network = OpenClusterNetwork(w->cluster, NETWORK);
    interface = OpenClusterNetInterface(w->cluster, INTERFACE);
    assert_non_null(network);
    assert_non_null(interface);
    assert_int_equal(GetClusterNetworkState(network), ClusterNetworkDown);
    watch_too(one, NETWORK_FLAGS | CLUSTER_CHANGE_HANDLE_CLOSE, network, 2);
    watch_too(one, INTERFACE_FLAGS | CLUSTER_CHANGE_HANDLE_CLOSE, interface, 3);
}

static void goes_up_and_down(void)
{
    shell("ip link set clus0 up && ip link set far0 up");
    expect_both(CLUSTER_CHANGE_NETWORK_STATE, 2, NETWORK);
    expect_both(CLUSTER_CHANGE_NETINTERFACE_STATE, 3, INTERFACE);
    assert_int_equal(GetClusterNetworkState(network), ClusterNetworkUp);
    assert_int_equal(GetClusterNetInterfaceState(interface), ClusterNetInterfaceUp);
    shell("ip link set far0 down");
    expect_both(CLUSTER_CHANGE_NETWORK_STATE, 2, NETWORK);
    expect_both(CLUSTER_CHANGE_NETINTERFACE_STATE, 3, INTERFACE);
    assert_int_equal(GetClusterNetworkState(network), ClusterNetworkDown);
    assert_int_equal(GetClusterNetInterfaceState(interface), ClusterNetInterfaceFailed);
    expect_end();
}

static void gets_properties(void)
{
    shell("ip addr add 192.0.2.1/24 dev clus0");
    expect_both(CLUSTER_CHANGE_NETINTERFACE_PROPERTY, 3, INTERFACE);
    struct property p = text(L"Description", L"the blue cable");
    assert_int_equal(ClusterNetInterfaceControl(interface, NULL,
                                                CLUSCTL_NETINTERFACE_SET_COMMON_PROPERTIES, p.data,
                                                p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    expect_both(CLUSTER_CHANGE_NETINTERFACE_PROPERTY, 3, INTERFACE);
    assert_int_equal(ClusterNetworkControl(network, NULL, CLUSCTL_NETWORK_SET_COMMON_PROPERTIES,
                                           p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    expect_both(CLUSTER_CHANGE_NETWORK_PROPERTY, 2, NETWORK);
    assert_int_equal(SetClusterNetworkName(network, L"Blue"), ERROR_SUCCESS);
    expect_both(CLUSTER_CHANGE_NETWORK_PROPERTY, 2, L"Blue");
    expect_end();
}

static void goes(void)
{
    shell("ip addr del 192.0.2.1/24 dev clus0");
    expect_both(CLUSTER_CHANGE_NETINTERFACE_PROPERTY, 3, INTERFACE);
    shell("ip link del clus0");
    expect_both(CLUSTER_CHANGE_NETINTERFACE_DELETED, 3, INTERFACE);
    expect_both(CLUSTER_CHANGE_NETWORK_DELETED, 2, L"Blue");
    expect_end();
    assert_true(CloseClusterNetInterface(interface));
    expect_event(one, CLUSTER_CHANGE_HANDLE_CLOSE, 3, INTERFACE);
    assert_true(CloseClusterNetwork(network));
    expect_event(one, CLUSTER_CHANGE_HANDLE_CLOSE, 2, NETWORK);
    expect_end();
    assert_true(CloseClusterNotifyPort(all));
    assert_true(CloseClusterNotifyPort(one));
}

static void test_a_link_comes_and_goes(void **state)
{
    comes(*state);
    goes_up_and_down();
    gets_properties();
    goes();
}

static int stage_setup(void **state)
{
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    /* Or each link would have an address of its own making. */
    shell("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    *state = world_start((const char *[]){"--networks", "clus*", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_link_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, stage_setup, world_teardown);
}
