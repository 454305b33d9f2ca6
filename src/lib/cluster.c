/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "lib/control.h"
#include "lib/family.h"
#include "lib/wide.h"

#define STATE_FOLDER "/var/lib/clusport"

/* ---- opening and closing ---- */

static DWORD open_cluster(LPCWSTR name, void **ret_handle)
{
    _cleanup_free_
    char *text = NULL;
    struct session *session = NULL;
    DWORD error = name ? family_text(name, &text) : ERROR_SUCCESS;
    if (error == ERROR_SUCCESS)
        error = session_open(text, &session);
    return error != ERROR_SUCCESS ? error : object_open_cluster(session, ret_handle);
}

HCLUSTER WINAPI OpenCluster(LPCWSTR lpszClusterName)
{
    void *handle = NULL;
    DWORD error = open_cluster(lpszClusterName, &handle);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return handle;
}

BOOL WINAPI CloseCluster(HCLUSTER hCluster)
{
    object_close(hCluster, LIB_HANDLE_CLUSTER);
    return TRUE;
}

static DWORD check_text(LPCWSTR text)
{
    _cleanup_free_
    char *utf8 = NULL;
    return text ? family_text(text, &utf8) : ERROR_SUCCESS;
}

/* Of another node, as the local service sees it. */
static DWORD state_of_node(HCLUSTER cluster, LPCWSTR name, DWORD *ret)
{
    HNODE node = OpenClusterNode(cluster, name);
    CLUSTER_NODE_STATE state = node ? GetClusterNodeState(node) : ClusterNodeStateUnknown;
    if (state == ClusterNodeStateUnknown)
        return RPC_S_SERVER_UNAVAILABLE;
    *ret = state == ClusterNodeUp || state == ClusterNodePaused ? ClusterStateRunning
                                                                : ClusterStateNotRunning;
    return ERROR_SUCCESS;
}

DWORD WINAPI GetNodeClusterState(LPCWSTR lpszNodeName, LPDWORD pdwClusterState)
{
    DWORD before = GetLastError();
    DWORD error = pdwClusterState ? check_text(lpszNodeName) : ERROR_INVALID_PARAMETER;
    if (error != ERROR_SUCCESS)
        return error;
    HCLUSTER cluster = OpenCluster(lpszNodeName);
    if (cluster) {
        *pdwClusterState = ClusterStateRunning;
    } else if (!lpszNodeName) {
        struct stat st;
        *pdwClusterState =
            stat(STATE_FOLDER, &st) == 0 ? ClusterStateNotRunning : ClusterStateNotConfigured;
    } else {
        cluster = OpenCluster(NULL);
        error = cluster ? state_of_node(cluster, lpszNodeName, pdwClusterState)
                        : RPC_S_SERVER_UNAVAILABLE;
    }
    if (cluster)
        CloseCluster(cluster);
    SetLastError(before);
    return error;
}

/* ---- name and version ---- */

DWORD WINAPI SetClusterName(HCLUSTER hCluster, LPCWSTR lpszNewClusterName)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *name = NULL;
    if (!cluster)
        return ERROR_INVALID_HANDLE;
    DWORD error = family_text(lpszNewClusterName, &name);
    if (error != ERROR_SUCCESS)
        return error;
    struct cmrp_SetClusterName a = {.name = name};
    return object_ask(cluster, &cmrp_op_SetClusterName, &a, &arena);
}

static void give_cut(const char *text, WCHAR *buffer, DWORD room)
{
    wide_give(text, buffer, &room); /* what fits is given, with a NUL */
}

static DWORD read_version(struct object *cluster, LPCLUSTERVERSIONINFO info)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterVersion2 a = {0};
    DWORD error = object_ask(cluster, &cmrp_op_GetClusterVersion2, &a, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    info->MajorVersion = a.major_version;
    info->MinorVersion = a.minor_version;
    info->BuildNumber = a.build_number;
    give_cut(a.vendor_id, info->szVendorId, ARRAY_SIZE(info->szVendorId));
    give_cut(a.csd_version, info->szCSDVersion, ARRAY_SIZE(info->szCSDVersion));
    if (info->dwVersionInfoSize < sizeof(CLUSTERVERSIONINFO))
        return ERROR_SUCCESS;
    info->dwClusterHighestVersion = a.version_info.highest_version;
    info->dwClusterLowestVersion = a.version_info.lowest_version;
    info->dwFlags = a.version_info.flags;
    info->dwReserved = a.version_info.reserved;
    return ERROR_SUCCESS;
}

DWORD WINAPI GetClusterInformation(HCLUSTER hCluster, LPWSTR lpszClusterName,
                                   LPDWORD lpcchClusterName, LPCLUSTERVERSIONINFO lpClusterInfo)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterName a = {0};
    if (!cluster)
        return ERROR_INVALID_HANDLE;
    if ((lpClusterInfo && lpClusterInfo->dwVersionInfoSize != sizeof(CLUSTERVERSIONINFO) &&
         lpClusterInfo->dwVersionInfoSize != sizeof(CLUSTERVERSIONINFO_NT4)) ||
        (lpszClusterName && !lpcchClusterName))
        return ERROR_INVALID_PARAMETER;
    DWORD error = object_ask(cluster, &cmrp_op_GetClusterName, &a, &arena);
    if (error == ERROR_SUCCESS && lpClusterInfo)
        error = read_version(cluster, lpClusterInfo);
    if (error != ERROR_SUCCESS)
        return error;
    return wide_give(a.cluster_name, lpszClusterName, lpcchClusterName);
}

/* ---- the quorum resource ---- */

DWORD WINAPI GetClusterQuorumResource(HCLUSTER hCluster, LPWSTR lpszResourceName,
                                      LPDWORD lpcchResourceName, LPWSTR lpszDeviceName,
                                      LPDWORD lpcchDeviceName, LPDWORD lpdwMaxQuorumLogSize)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetQuorumResource a = {0};
    if (!cluster)
        return ERROR_INVALID_HANDLE;
    DWORD error = object_ask(cluster, &cmrp_op_GetQuorumResource, &a, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    error = family_give_two(a.resource_name, lpszResourceName, lpcchResourceName, a.device_name,
                            lpszDeviceName, lpcchDeviceName);
    if (lpdwMaxQuorumLogSize && (error == ERROR_SUCCESS || error == ERROR_MORE_DATA))
        *lpdwMaxQuorumLogSize = a.max_log_size;
    return error;
}

DWORD WINAPI SetClusterQuorumResource(HRESOURCE hResource, LPCWSTR lpszDeviceName,
                                      DWORD dwMaxQuoLogSize)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(hResource, LIB_HANDLE_RESOURCE);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *device = NULL;
    if (!o)
        return ERROR_INVALID_HANDLE;
    DWORD error = lpszDeviceName ? family_text(lpszDeviceName, &device) : ERROR_SUCCESS;
    if (error != ERROR_SUCCESS)
        return error;
    struct cmrp_SetQuorumResource a = {.device_name = device ? device : "",
                                       .max_log_size = dwMaxQuoLogSize};
    return object_call(o, &cmrp_op_SetQuorumResource, &a, &a.resource, &arena);
}

/* ---- control codes and enumeration ---- */

DWORD WINAPI ClusterControl(HCLUSTER hCluster, HNODE hHostNode, DWORD dwControlCode,
                            LPVOID lpInBuffer, DWORD nInBufferSize, LPVOID lpOutBuffer,
                            DWORD nOutBufferSize, LPDWORD lpBytesReturned)
{
    return control(hCluster, LIB_HANDLE_CLUSTER, NULL, hHostNode, dwControlCode, lpInBuffer,
                   nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}

HCLUSENUM WINAPI ClusterOpenEnum(HCLUSTER hCluster, DWORD dwType)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_CreateEnum a = {.type = dwType};
    DWORD error =
        cluster ? object_ask(cluster, &cmrp_op_CreateEnum, &a, &arena) : ERROR_INVALID_HANDLE;
    if (error == ERROR_SUCCESS)
        return enumeration_create(&a.list, LIB_HANDLE_CLUSTER_ENUM);
    SetLastError(error);
    return NULL;
}

DWORD WINAPI ClusterGetEnumCount(HCLUSENUM hEnum)
{
    return enumeration_count(hEnum, LIB_HANDLE_CLUSTER_ENUM);
}

DWORD WINAPI ClusterEnum(HCLUSENUM hEnum, DWORD dwIndex, LPDWORD lpdwType, LPWSTR lpszName,
                         LPDWORD lpcchName)
{
    return enumeration_get(hEnum, LIB_HANDLE_CLUSTER_ENUM, dwIndex, lpdwType, lpszName, lpcchName);
}

DWORD WINAPI ClusterCloseEnum(HCLUSENUM hEnum)
{
    return enumeration_close(hEnum, LIB_HANDLE_CLUSTER_ENUM);
}
