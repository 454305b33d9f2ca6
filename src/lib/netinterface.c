/* SPDX-License-Identifier: MIT */
#include "lib/control.h"
#include "lib/family.h"
#include "lib/wide.h"

HAS_FORM(GetNetInterfaceState, number);

HNETINTERFACE WINAPI OpenClusterNetInterface(HCLUSTER hCluster, LPCWSTR lpszInterfaceName)
{
    return family_open(hCluster, LIB_HANDLE_NETINTERFACE, lpszInterfaceName);
}

DWORD WINAPI GetClusterNetInterface(HCLUSTER hCluster, LPCWSTR lpszNodeName,
                                    LPCWSTR lpszNetworkName, LPWSTR lpszInterfaceName,
                                    LPDWORD lpcchInterfaceName)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *node = NULL;
    _cleanup_free_
    char *network = NULL;
    if (!cluster)
        return ERROR_INVALID_HANDLE;
    DWORD error = family_text(lpszNodeName, &node);
    if (error == ERROR_SUCCESS)
        error = family_text(lpszNetworkName, &network);
    if (error != ERROR_SUCCESS)
        return error;
    struct cmrp_GetNetInterface a = {.node_name = node, .network_name = network};
    error = object_ask(cluster, &cmrp_op_GetNetInterface, &a, &arena);
    return error != ERROR_SUCCESS ? error
                                  : wide_give(a.name, lpszInterfaceName, lpcchInterfaceName);
}

BOOL WINAPI CloseClusterNetInterface(HNETINTERFACE hNetInterface)
{
    return object_close(hNetInterface, LIB_HANDLE_NETINTERFACE);
}

HCLUSTER WINAPI GetClusterFromNetInterface(HNETINTERFACE hNetInterface)
{
    return family_cluster(hNetInterface, LIB_HANDLE_NETINTERFACE);
}

CLUSTER_NETINTERFACE_STATE WINAPI GetClusterNetInterfaceState(HNETINTERFACE hNetInterface)
{
    return family_get_state(hNetInterface, LIB_HANDLE_NETINTERFACE, &cmrp_op_GetNetInterfaceState);
}

DWORD WINAPI ClusterNetInterfaceControl(HNETINTERFACE hNetInterface, HNODE hHostNode,
                                        DWORD dwControlCode, LPVOID lpInBuffer, DWORD nInBufferSize,
                                        LPVOID lpOutBuffer, DWORD nOutBufferSize,
                                        LPDWORD lpBytesReturned)
{
    return control(hNetInterface, LIB_HANDLE_NETINTERFACE, NULL, hHostNode, dwControlCode,
                   lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}
