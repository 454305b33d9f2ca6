/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static DWORD cluster_name(void *context, LPWSTR buffer, LPDWORD cch)
{
    return GetClusterInformation(context, buffer, cch, NULL);
}

static void names_of_the_local_service(void **state)
{
    (void)state;
    static const LPCWSTR names[] = {NULL, L"", L".", L"localhost", L"node1", L"TESTCLUSTER"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        HCLUSTER c = OpenCluster(names[i]);
        assert_non_null(c);
        assert_int_not_equal(c, cluster);
        check_text(cluster_name, c, L"testcluster");
        assert_true(CloseCluster(c));
    }
    char host[256] = "";
    WCHAR wide[256] = {0};
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    for (size_t i = 0; host[i]; i++)
        wide[i] = (WCHAR)host[i];
    HCLUSTER c = OpenCluster(wide);
    assert_non_null(c);
    CloseCluster(c);
    assert_fails(OpenCluster(L"elsewhere"), RPC_S_SERVER_UNAVAILABLE);
    static const WCHAR bad[] = {0xd800, 0};
    assert_fails(OpenCluster(bad), ERROR_NO_UNICODE_TRANSLATION);
}

static void no_service(void **state)
{
    (void)state;
    setenv("CLUSPORT_SOCKET", "/nonexistent/socket", 1);
    assert_fails(OpenCluster(NULL), RPC_S_SERVER_UNAVAILABLE);
    DWORD s = 99;
    assert_int_equal(GetNodeClusterState(NULL, &s), ERROR_SUCCESS);
    assert_int_not_equal(s, ClusterStateRunning);
    setenv("CLUSPORT_SOCKET", service_socket(service), 1);
}

static void node_cluster_state(void **state)
{
    (void)state;
    DWORD s = 99;
    assert_int_equal(GetNodeClusterState(NULL, &s), ERROR_SUCCESS);
    assert_int_equal(s, ClusterStateRunning);
    assert_int_equal(GetNodeClusterState(L"node1", &s), ERROR_SUCCESS);
    assert_int_equal(s, ClusterStateRunning);
    assert_int_equal(GetNodeClusterState(L"elsewhere", &s), RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(GetNodeClusterState(NULL, NULL), ERROR_INVALID_PARAMETER);
}

static void information(void **state)
{
    (void)state;
    check_text(cluster_name, cluster, L"testcluster");
    CLUSTERVERSIONINFO info = {.dwVersionInfoSize = sizeof(info)};
    assert_int_equal(GetClusterInformation(cluster, NULL, NULL, &info), ERROR_SUCCESS);
    assert_true(info.MajorVersion > 0);
    assert_true(lstrlenW(info.szVendorId) > 0);
    assert_true(info.dwClusterHighestVersion >= info.dwClusterLowestVersion);
    CLUSTERVERSIONINFO small = {.dwVersionInfoSize = sizeof(CLUSTERVERSIONINFO_NT4),
                                .dwReserved = 77};
    assert_int_equal(GetClusterInformation(cluster, NULL, NULL, &small), ERROR_SUCCESS);
    assert_int_equal(small.MajorVersion, info.MajorVersion);
    assert_int_equal(small.dwReserved, 77);
    small.dwVersionInfoSize = 7;
    assert_int_equal(GetClusterInformation(cluster, NULL, NULL, &small), ERROR_INVALID_PARAMETER);
}

static void renaming_the_cluster(void **state)
{
    (void)state;
    assert_int_equal(SetClusterName(cluster, NULL), ERROR_INVALID_PARAMETER);
    DWORD r = SetClusterName(cluster, L"n\u00e4me");
    assert_true(r == ERROR_SUCCESS || r == ERROR_RESOURCE_PROPERTIES_STORED);
    check_text(cluster_name, cluster, L"n\u00e4me");
    SetClusterName(cluster, L"testcluster");
    check_text(cluster_name, cluster, L"testcluster");
}

static bool enum_holds(DWORD flag, LPCWSTR wanted)
{
    HCLUSENUM e = ClusterOpenEnum(cluster, flag);
    assert_non_null(e);
    DWORD count = ClusterGetEnumCount(e);
    bool found = false;
    for (DWORD i = 0; i < count; i++) {
        WCHAR name[256];
        DWORD type = 0, cch = 256;
        assert_int_equal(ClusterEnum(e, i, &type, name, &cch), ERROR_SUCCESS);
        assert_int_equal(type, flag);
        assert_int_equal(cch, lstrlenW(name));
        found = found || lstrcmpiW(name, wanted) == 0;
    }
    WCHAR name[256];
    DWORD type = 0, cch = 256;
    assert_int_equal(ClusterEnum(e, count, &type, name, &cch), ERROR_NO_MORE_ITEMS);
    assert_int_equal(ClusterCloseEnum(e), ERROR_SUCCESS);
    assert_int_equal(ClusterCloseEnum(e), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusterEnum(e, 0, &type, name, &cch), ERROR_INVALID_HANDLE);
    assert_fails(ClusterGetEnumCount(e), ERROR_INVALID_HANDLE);
    return found;
}

static DWORD first_entry(void *context, LPWSTR buffer, LPDWORD cch)
{
    DWORD type = 0;
    return ClusterEnum(context, 0, &type, buffer, cch);
}

static void enumeration(void **state)
{
    (void)state;
    HGROUP group = CreateClusterGroup(cluster, L"enumerated");
    assert_true(enum_holds(CLUSTER_ENUM_NODE, L"node1"));
    assert_true(enum_holds(CLUSTER_ENUM_GROUP, L"enumerated"));
    assert_true(enum_holds(CLUSTER_ENUM_RESTYPE, L"Physical Disk"));
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    CloseClusterGroup(group);
    assert_false(enum_holds(CLUSTER_ENUM_GROUP, L"enumerated"));

    HCLUSENUM e = ClusterOpenEnum(cluster, CLUSTER_ENUM_NODE);
    check_text(first_entry, e, L"node1");
    WCHAR name[8];
    DWORD cch = 8;
    assert_int_equal(ClusterEnum(e, 0, NULL, name, &cch), ERROR_SUCCESS);
    ClusterCloseEnum(e);
    assert_fails(ClusterOpenEnum(cluster, 0x100), ERROR_INVALID_PARAMETER);
    assert_fails(ClusterOpenEnum(NULL, CLUSTER_ENUM_NODE), ERROR_INVALID_HANDLE);
}

static void control_codes(void **state)
{
    (void)state;
    BYTE buffer[16384];
    DWORD size = 0;
    assert_int_equal(ClusterControl(cluster, NULL, CLUSCTL_CLUSTER_GET_COMMON_PROPERTIES, NULL, 0,
                                    buffer, sizeof(buffer), &size),
                     ERROR_SUCCESS);
    assert_true(size >= 4);
    assert_int_equal(ClusterControl(cluster, NULL, CLUSCTL_CLUSTER_GET_COMMON_PROPERTIES, NULL, 0,
                                    NULL, 5, &size),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterControl(cluster, NULL, CLUSCTL_CLUSTER_UNKNOWN, NULL, 0, NULL, 0, NULL),
                     ERROR_INVALID_FUNCTION);
    assert_int_equal(ClusterControl(cluster, NULL, CLUSCTL_NODE_GET_NAME, NULL, 0, NULL, 0, NULL),
                     ERROR_INVALID_FUNCTION);
}

static void quorum_resource(void **state)
{
    (void)state;
    WCHAR name[64], device[64];
    DWORD cch_name = 64, cch_device = 64, log_size = 0;
    assert_int_equal(
        GetClusterQuorumResource(cluster, name, &cch_name, device, &cch_device, &log_size),
        ERROR_SUCCESS);
    assert_int_equal(cch_name, lstrlenW(name));
    assert_int_equal(
        GetClusterQuorumResource(NULL, name, &cch_name, device, &cch_device, &log_size),
        ERROR_INVALID_HANDLE);
    assert_int_equal(SetClusterQuorumResource(NULL, NULL, 0), ERROR_INVALID_HANDLE);
}

static DWORD node_id(void *context, LPWSTR buffer, LPDWORD cch)
{
    return GetClusterNodeId(context, buffer, cch);
}

static void nodes(void **state)
{
    (void)state;
    HNODE node = OpenClusterNode(cluster, L"NODE1"), own = OpenClusterNode(cluster, NULL);
    assert_non_null(node);
    assert_non_null(own);
    assert_int_not_equal(node, own);
    WCHAR id[64];
    DWORD cch = 64;
    assert_int_equal(GetClusterNodeId(node, id, &cch), ERROR_SUCCESS);
    check_text(node_id, node, id);
    check_text(node_id, NULL, id);
    HNODE by_id = OpenClusterNode(cluster, id);
    assert_non_null(by_id);
    assert_int_equal(GetClusterNodeState(by_id), ClusterNodeUp);
    assert_fails(OpenClusterNode(cluster, L"nobody"), ERROR_CLUSTER_NODE_NOT_FOUND);
    assert_fails(OpenClusterNode(NULL, L"node1"), ERROR_INVALID_HANDLE);

    assert_int_equal(ResumeClusterNode(node), ERROR_CLUSTER_NODE_NOT_PAUSED);
    assert_int_equal(PauseClusterNode(node), ERROR_SUCCESS);
    assert_int_equal(GetClusterNodeState(own), ClusterNodePaused);
    assert_int_equal(PauseClusterNode(node), ERROR_SUCCESS);
    assert_int_equal(ResumeClusterNode(node), ERROR_SUCCESS);
    assert_int_equal(GetClusterNodeState(own), ClusterNodeUp);

    WCHAR name[64];
    DWORD size = 0;
    assert_int_equal(
        ClusterNodeControl(node, NULL, CLUSCTL_NODE_GET_NAME, NULL, 0, name, sizeof(name), &size),
        ERROR_SUCCESS);
    assert_wide_equal(name, L"node1");
    assert_int_equal(size, sizeof(L"node1"));

    HCLUSTER other = GetClusterFromNode(node);
    assert_non_null(other);
    check_text(cluster_name, other, L"testcluster");
    CloseCluster(other);
    HNODEENUM e = ClusterNodeOpenEnum(node, CLUSTER_NODE_ENUM_ALL);
    assert_non_null(e);
    assert_int_equal(ClusterNodeEnum(e, ClusterNodeGetEnumCount(e), NULL, NULL, NULL),
                     ERROR_NO_MORE_ITEMS);
    assert_int_equal(ClusterNodeCloseEnum(e), ERROR_SUCCESS);

    assert_true(CloseClusterNode(node));
    assert_fails(CloseClusterNode(node), ERROR_INVALID_HANDLE);
    SetLastError(0);
    assert_int_equal(GetClusterNodeState(node), ClusterNodeStateUnknown);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    CloseClusterNode(own);
    CloseClusterNode(by_id);
}

static void networks(void **state)
{
    (void)state;
    HCLUSENUM e = ClusterOpenEnum(cluster, CLUSTER_ENUM_NETWORK | CLUSTER_ENUM_NETINTERFACE);
    assert_non_null(e);
    for (DWORD i = 0; i < ClusterGetEnumCount(e); i++) {
        WCHAR name[256], again[256];
        DWORD type = 0, cch = 256, size = 0;
        assert_int_equal(ClusterEnum(e, i, &type, name, &cch), ERROR_SUCCESS);
        if (type == CLUSTER_ENUM_NETWORK) {
            HNETWORK n = OpenClusterNetwork(cluster, name);
            assert_non_null(n);
            assert_int_not_equal(GetClusterNetworkState(n), ClusterNetworkStateUnknown);
            assert_int_equal(ClusterNetworkControl(n, NULL, CLUSCTL_NETWORK_GET_NAME, NULL, 0,
                                                   again, sizeof(again), &size),
                             ERROR_SUCCESS);
            assert_wide_equal(again, name);
            cch = 256;
            assert_int_equal(GetClusterNetworkId(n, again, &cch), ERROR_SUCCESS);
            HNETWORKENUM interfaces = ClusterNetworkOpenEnum(n, CLUSTER_NETWORK_ENUM_ALL);
            assert_true(ClusterNetworkGetEnumCount(interfaces) > 0);
            cch = 256;
            assert_int_equal(ClusterNetworkEnum(interfaces, 0, &type, again, &cch), ERROR_SUCCESS);
            assert_int_equal(ClusterNetworkCloseEnum(interfaces), ERROR_SUCCESS);
            WCHAR interface[256];
            cch = 256;
            assert_int_equal(GetClusterNetInterface(cluster, L"node1", name, interface, &cch),
                             ERROR_SUCCESS);
            assert_wide_equal(interface, again);
            HCLUSTER other = GetClusterFromNetwork(n);
            assert_non_null(other);
            CloseCluster(other);
            assert_int_equal(SetClusterNetworkName(n, L"Backbone"), ERROR_SUCCESS);
            HNETWORK renamed = OpenClusterNetwork(cluster, L"backbone");
            assert_non_null(renamed);
            assert_true(CloseClusterNetwork(renamed));
            assert_int_equal(SetClusterNetworkName(n, name), ERROR_SUCCESS);
            assert_true(CloseClusterNetwork(n));
        } else {
            HNETINTERFACE n = OpenClusterNetInterface(cluster, name);
            assert_non_null(n);
            assert_int_not_equal(GetClusterNetInterfaceState(n), ClusterNetInterfaceStateUnknown);
            assert_int_equal(ClusterNetInterfaceControl(n, NULL, CLUSCTL_NETINTERFACE_GET_NODE,
                                                        NULL, 0, again, sizeof(again), &size),
                             ERROR_SUCCESS);
            assert_wide_equal(again, L"node1");
            HCLUSTER other = GetClusterFromNetInterface(n);
            assert_non_null(other);
            CloseCluster(other);
            assert_true(CloseClusterNetInterface(n));
        }
    }
    assert_true(ClusterGetEnumCount(e) >= 2);
    ClusterCloseEnum(e);
    DWORD cch = 0;
    assert_fails(OpenClusterNetwork(cluster, L"no such"), ERROR_CLUSTER_NETWORK_NOT_FOUND);
    assert_fails(OpenClusterNetInterface(cluster, L"no such"),
                 ERROR_CLUSTER_NETINTERFACE_NOT_FOUND);
    assert_int_not_equal(GetClusterNetInterface(cluster, L"node1", L"no such", NULL, &cch),
                         ERROR_SUCCESS);
    assert_int_equal(GetClusterNetworkState(NULL), ClusterNetworkStateUnknown);
    assert_int_equal(GetClusterNetInterfaceState(NULL), ClusterNetInterfaceStateUnknown);
}

static void resource_types(void **state)
{
    (void)state;
    BYTE buffer[16384];
    DWORD size = 0;
    assert_int_equal(ClusterResourceTypeControl(cluster, L"physical disk", NULL,
                                                CLUSCTL_RESOURCE_TYPE_GET_COMMON_PROPERTIES, NULL,
                                                0, buffer, sizeof(buffer), &size),
                     ERROR_SUCCESS);
    assert_true(size > 4);
    assert_int_equal(ClusterResourceTypeControl(cluster, L"no such", NULL,
                                                CLUSCTL_RESOURCE_TYPE_GET_COMMON_PROPERTIES, NULL,
                                                0, buffer, sizeof(buffer), &size),
                     ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(ClusterResourceTypeControl(cluster, NULL, NULL,
                                                CLUSCTL_RESOURCE_TYPE_GET_COMMON_PROPERTIES, NULL,
                                                0, buffer, sizeof(buffer), &size),
                     ERROR_INVALID_PARAMETER);
    HRESTYPEENUM e =
        ClusterResourceTypeOpenEnum(cluster, L"Physical Disk", CLUSTER_RESOURCE_TYPE_ENUM_NODES);
    assert_non_null(e);
    assert_int_equal(ClusterResourceTypeGetEnumCount(e), 1);
    WCHAR name[64];
    DWORD cch = 64, type = 0;
    assert_int_equal(ClusterResourceTypeEnum(e, 0, &type, name, &cch), ERROR_SUCCESS);
    assert_wide_equal(name, L"node1");
    assert_int_equal(type, CLUSTER_RESOURCE_TYPE_ENUM_NODES);
    assert_int_equal(ClusterResourceTypeCloseEnum(e), ERROR_SUCCESS);
    assert_fails(ClusterResourceTypeOpenEnum(cluster, L"no such", 1),
                 ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    LPCWSTR agent = L"ocf:heartbeat:Dummy";
    assert_int_equal(CreateClusterResourceType(cluster, L"Own", L"Our own", agent, 700, 0),
                     ERROR_SUCCESS);
    assert_int_equal(CreateClusterResourceType(cluster, L"OWN", NULL, agent, 0, 0),
                     ERROR_ALREADY_EXISTS);
    assert_int_equal(CreateClusterResourceType(cluster, L"Other", NULL, L"", 0, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(CreateClusterResourceType(cluster, NULL, NULL, agent, 0, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(CreateClusterResourceType(NULL, L"Other", NULL, agent, 0, 0),
                     ERROR_INVALID_HANDLE);
    HGROUP group = CreateClusterGroup(cluster, L"of our own");
    HRESOURCE resource = CreateClusterResource(group, L"one of our own", L"own", 0);
    assert_non_null(resource);
    assert_int_equal(DeleteClusterResourceType(cluster, L"Own"), ERROR_DIR_NOT_EMPTY);
    assert_int_equal(DeleteClusterResource(resource), ERROR_SUCCESS);
    assert_true(CloseClusterResource(resource));
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
    assert_int_equal(DeleteClusterResourceType(cluster, L"own"), ERROR_SUCCESS);
    assert_int_equal(DeleteClusterResourceType(cluster, L"own"),
                     ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(DeleteClusterResourceType(cluster, NULL), ERROR_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_local_service),
        cmocka_unit_test(no_service),
        cmocka_unit_test(node_cluster_state),
        cmocka_unit_test(information),
        cmocka_unit_test(renaming_the_cluster),
        cmocka_unit_test(enumeration),
        cmocka_unit_test(control_codes),
        cmocka_unit_test(quorum_resource),
        cmocka_unit_test(nodes),
        cmocka_unit_test(networks),
        cmocka_unit_test(resource_types),
    };
    return cmocka_run_group_tests(tests, start_service, stop_service);
}
