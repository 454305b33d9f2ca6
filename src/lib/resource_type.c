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
