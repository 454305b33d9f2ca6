/* SPDX-License-Identifier: MIT */
#include "lib/control.h"
#include "lib/family.h"

/* Types have no handles: the cluster's and the type's name stand for one. */

DWORD WINAPI ClusterResourceTypeControl(HCLUSTER hCluster, LPCWSTR lpszResourceTypeName,
                                        HNODE hHostNode, DWORD dwControlCode, LPVOID lpInBuffer,
                                        DWORD nInBufferSize, LPVOID lpOutBuffer,
                                        DWORD nOutBufferSize, LPDWORD lpBytesReturned)
{
    if (!lpszResourceTypeName)
        return ERROR_INVALID_PARAMETER;
    return control(hCluster, LIB_HANDLE_CLUSTER, lpszResourceTypeName, hHostNode, dwControlCode,
                   lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}

DWORD WINAPI CreateClusterResourceType(HCLUSTER hCluster, LPCWSTR lpszResourceTypeName,
                                       LPCWSTR lpszDisplayName, LPCWSTR lpszResourceTypeDll,
                                       DWORD dwLooksAlivePollInterval, DWORD dwIsAlivePollInterval)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *name = NULL;
    _cleanup_free_
    char *display = NULL;
    _cleanup_free_
    char *agent = NULL;

    if (!cluster)
        return ERROR_INVALID_HANDLE;
    DWORD error = family_text(lpszResourceTypeName, &name);
    if (error == ERROR_SUCCESS)
        error = family_text(lpszDisplayName ? lpszDisplayName : lpszResourceTypeName, &display);
    if (error == ERROR_SUCCESS)
        error = family_text(lpszResourceTypeDll, &agent);
    if (error != ERROR_SUCCESS)
        return error;
    struct cmrp_CreateResourceType a = {.type_name = name,
                                        .display_name = display,
                                        .dll_name = agent,
                                        .looks_alive = dwLooksAlivePollInterval,
                                        .is_alive = dwIsAlivePollInterval};
    return object_ask(cluster, &cmrp_op_CreateResourceType, &a, &arena);
}

DWORD WINAPI DeleteClusterResourceType(HCLUSTER hCluster, LPCWSTR lpszResourceTypeName)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *name = NULL;
    struct cmrp_DeleteResourceType a = {0};
    DWORD error = cluster ? family_text(lpszResourceTypeName, &name) : ERROR_INVALID_HANDLE;
    a.type_name = name;
    return error == ERROR_SUCCESS ? object_ask(cluster, &cmrp_op_DeleteResourceType, &a, &arena)
                                  : error;
}

HRESTYPEENUM WINAPI ClusterResourceTypeOpenEnum(HCLUSTER hCluster, LPCWSTR lpszResourceTypeName,
                                                DWORD dwType)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *name = NULL;
    struct cmrp_CreateResTypeEnum a = {.type = dwType};
    DWORD error = cluster ? family_text(lpszResourceTypeName, &name) : ERROR_INVALID_HANDLE;
    a.type_name = name;
    if (error == ERROR_SUCCESS)
        error = object_ask(cluster, &cmrp_op_CreateResTypeEnum, &a, &arena);
    if (error == ERROR_SUCCESS)
        return enumeration_create(&a.list, LIB_HANDLE_TYPE_ENUM);
    SetLastError(error);
    return NULL;
}

DWORD WINAPI ClusterResourceTypeGetEnumCount(HRESTYPEENUM hResTypeEnum)
{
    return enumeration_count(hResTypeEnum, LIB_HANDLE_TYPE_ENUM);
}

DWORD WINAPI ClusterResourceTypeEnum(HRESTYPEENUM hResTypeEnum, DWORD dwIndex, LPDWORD lpdwType,
                                     LPWSTR lpszName, LPDWORD lpcchName)
{
    return enumeration_get(hResTypeEnum, LIB_HANDLE_TYPE_ENUM, dwIndex, lpdwType, lpszName,
                           lpcchName);
}

DWORD WINAPI ClusterResourceTypeCloseEnum(HRESTYPEENUM hResTypeEnum)
{
    return enumeration_close(hResTypeEnum, LIB_HANDLE_TYPE_ENUM);
}
