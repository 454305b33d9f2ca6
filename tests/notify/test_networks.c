/* SPDX-License-Identifier: MIT */
#include "notify/v2.h"

#include <sched.h>
#include <wchar.h>

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

static void test_version_2(void **state)
{
    struct world *w = *state;
    HCHANGE of_cluster = watch_v2(w, ALL(CLUSTER)), of_node = watch_v2(w, ALL(NODE));
    HCHANGE of_networks = watch_v2(w, ALL(NETWORK));
    HCHANGE of_interfaces =
        watch_v2(w, CLUSTER_OBJECT_TYPE_NETWORK_INTERFACE, CLUSTER_CHANGE_NETINTERFACE_ALL_V2);
    HCHANGE ports[] = {of_cluster, of_node, of_networks, of_interfaces};
    WCHAR id[64], interface_id[64];
    DWORD length = 64;

    HCHANGE added = watch(w, CLUSTER_CHANGE_NETINTERFACE_ADDED, 0);
    shell("ip link add clus0 type veth peer name far0");
    expect_event(added, CLUSTER_CHANGE_NETINTERFACE_ADDED, 0, INTERFACE);
    network = OpenClusterNetwork(w->cluster, NETWORK);
    interface = OpenClusterNetInterface(w->cluster, INTERFACE);
    assert_int_equal(GetClusterNetworkId(network, id, &length), ERROR_SUCCESS);
    assert_int_equal(ClusterNetInterfaceControl(interface, NULL, CLUSCTL_NETINTERFACE_GET_ID, NULL,
                                                0, interface_id, sizeof interface_id, NULL),
                     ERROR_SUCCESS);
    has_nothing(told(of_cluster, CLUSTER, CLUSTER_NETWORK_ADDED, id, NULL, NETWORK, NULL));
    has_text(told(of_node, NODE, NODE_NETINTERFACE_ADDED, interface_id, NULL, INTERFACE, NULL),
             L"1");
    shell("ip link set clus0 up && ip link set far0 up");
    has_number(told(of_networks, NETWORK, NETWORK_STATE, id, NULL, NETWORK, NULL),
               ClusterNetworkUp);
    has_number(told(of_interfaces, NETWORK_INTERFACE, NETINTERFACE_STATE, interface_id, L"1",
                    INTERFACE, NULL),
               ClusterNetInterfaceUp);
    shell("ip addr add 192.0.2.1/24 dev clus0");
    has_list(told(of_interfaces, NETWORK_INTERFACE, NETINTERFACE_COMMON_PROPERTY, interface_id,
                  L"1", INTERFACE, NULL),
             text(L"Address", L"192.0.2.1"));
    struct property p = number(L"Role", ClusterNetworkRoleNone);
    assert_int_equal(ClusterNetworkControl(network, NULL, CLUSCTL_NETWORK_SET_COMMON_PROPERTIES,
                                           p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(of_networks, NETWORK, NETWORK_COMMON_PROPERTY, id, NULL, NETWORK, NULL), p);
    shell("ip addr del 192.0.2.1/24 dev clus0");
    has_list(told(of_interfaces, NETWORK_INTERFACE, NETINTERFACE_COMMON_PROPERTY, interface_id,
                  L"1", INTERFACE, NULL),
             text(L"Address", L""));
    shell("ip link set clus0 down");
    has_number(told(of_networks, NETWORK, NETWORK_STATE, id, NULL, NETWORK, NULL),
               ClusterNetworkDown);
    has_number(told(of_interfaces, NETWORK_INTERFACE, NETINTERFACE_STATE, interface_id, L"1",
                    INTERFACE, NULL),
               ClusterNetInterfaceFailed);
    shell("ip link del clus0");
    has_nothing(told(of_interfaces, NETWORK_INTERFACE, NETINTERFACE_DELETED, interface_id, L"1",
                     INTERFACE, NULL));
    has_nothing(told(of_networks, NETWORK, NETWORK_DELETED, id, NULL, NETWORK, NULL));
    assert_true(CloseClusterNetInterface(interface));
    assert_true(CloseClusterNetwork(network));
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        silent(ports[i]);
        assert_true(CloseClusterNotifyPort(ports[i]));
    }
    assert_true(CloseClusterNotifyPort(added));
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
        cmocka_unit_test(test_version_2),
    };
    return cmocka_run_group_tests(tests, stage_setup, world_teardown);
}
