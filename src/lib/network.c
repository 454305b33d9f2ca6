/* SPDX-License-Identifier: MIT */
#include "lib/control.h"
#include "lib/family.h"

HAS_FORM(GetNetworkId, text);
HAS_FORM(GetNetworkState, number);
HAS_FORM(SetNetworkName, text);
HAS_FORM(CreateNetworkEnum, enum);

HNETWORK WINAPI OpenClusterNetwork(HCLUSTER hCluster, LPCWSTR lpszNetworkName)
{
    return family_open(hCluster, LIB_HANDLE_NETWORK, lpszNetworkName);
}

BOOL WINAPI CloseClusterNetwork(HNETWORK hNetwork)
{
    return object_close(hNetwork, LIB_HANDLE_NETWORK);
}

HCLUSTER WINAPI GetClusterFromNetwork(HNETWORK hNetwork)
{
    return family_cluster(hNetwork, LIB_HANDLE_NETWORK);
}

CLUSTER_NETWORK_STATE WINAPI GetClusterNetworkState(HNETWORK hNetwork)
{
    return family_get_state(hNetwork, LIB_HANDLE_NETWORK, &cmrp_op_GetNetworkState);
}

DWORD WINAPI SetClusterNetworkName(HNETWORK hNetwork, LPCWSTR lpszName)
{
    return family_set_text(hNetwork, LIB_HANDLE_NETWORK, lpszName, &cmrp_op_SetNetworkName);
}

DWORD WINAPI GetClusterNetworkId(HNETWORK hNetwork, LPWSTR lpszNetworkId, LPDWORD lpcchName)
{
    return family_get_text(hNetwork, LIB_HANDLE_NETWORK, &cmrp_op_GetNetworkId, lpszNetworkId,
                           lpcchName);
}

DWORD WINAPI ClusterNetworkControl(HNETWORK hNetwork, HNODE hHostNode, DWORD dwControlCode,
                                   LPVOID lpInBuffer, DWORD nInBufferSize, LPVOID lpOutBuffer,
                                   DWORD nOutBufferSize, LPDWORD lpBytesReturned)
{
    return control(hNetwork, LIB_HANDLE_NETWORK, NULL, hHostNode, dwControlCode, lpInBuffer,
                   nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}

HNETWORKENUM WINAPI ClusterNetworkOpenEnum(HNETWORK hNetwork, DWORD dwType)
{
    return family_open_enum(hNetwork, LIB_HANDLE_NETWORK, dwType, &cmrp_op_CreateNetworkEnum,
                            LIB_HANDLE_NETWORK_ENUM);
}

DWORD WINAPI ClusterNetworkGetEnumCount(HNETWORKENUM hNetworkEnum)
{
    return enumeration_count(hNetworkEnum, LIB_HANDLE_NETWORK_ENUM);
}

DWORD WINAPI ClusterNetworkEnum(HNETWORKENUM hNetworkEnum, DWORD dwIndex, LPDWORD lpdwType,
                                LPWSTR lpszName, LPDWORD lpcchName)
{
    return enumeration_get(hNetworkEnum, LIB_HANDLE_NETWORK_ENUM, dwIndex, lpdwType, lpszName,
                           lpcchName);
}

DWORD WINAPI ClusterNetworkCloseEnum(HNETWORKENUM hNetworkEnum)
{
    return enumeration_close(hNetworkEnum, LIB_HANDLE_NETWORK_ENUM);
}
