/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "lib/control.h"
#include "lib/family.h"
#include "lib/wide.h"

HAS_FORM(DeleteResource, plain);
HAS_FORM(SetResourceName, text);
HAS_FORM(FailResource, plain);
HAS_FORM(OnlineResource, plain);
HAS_FORM(OfflineResource, plain);
HAS_FORM(ChangeResourceGroup, other);
HAS_FORM(CreateResEnum, enum);

static DWORD create_resource(struct object *group, LPCWSTR name, LPCWSTR type_name, DWORD flags,
                             void **ret_handle)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_CreateResource a = {.flags = flags};
    _cleanup_free_
    char *name_text = NULL;
    _cleanup_free_
    char *type_text = NULL;
    DWORD error = family_text(name, &name_text);
    if (error == ERROR_SUCCESS)
        error = family_text(type_name, &type_text);
    if (error != ERROR_SUCCESS)
        return error;
    a.name = name_text;
    a.type_name = type_text;
    error = object_call(group, &cmrp_op_CreateResource, &a, &a.group, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    error = object_open(group->cluster, LIB_HANDLE_RESOURCE, name_text, ret_handle);
    object_close_created(group->cluster, LIB_HANDLE_RESOURCE, &a.resource);
    return error_once_begun(error);
}

HRESOURCE WINAPI CreateClusterResource(HGROUP hGroup, LPCWSTR lpszResourceName,
                                       LPCWSTR lpszResourceType, DWORD dwFlags)
{
    _cleanup_(object_unrefp) struct object *group = object_acquire(hGroup, LIB_HANDLE_GROUP);
    void *resource = NULL;
    DWORD error = ERROR_INVALID_HANDLE;
    if (group)
        error = create_resource(group, lpszResourceName, lpszResourceType, dwFlags, &resource);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return resource;
}

HRESOURCE WINAPI OpenClusterResource(HCLUSTER hCluster, LPCWSTR lpszResourceName)
{
    return family_open(hCluster, LIB_HANDLE_RESOURCE, lpszResourceName);
}

BOOL WINAPI CloseClusterResource(HRESOURCE hResource)
{
    return object_close(hResource, LIB_HANDLE_RESOURCE);
}

HCLUSTER WINAPI GetClusterFromResource(HRESOURCE hResource)
{
    return family_cluster(hResource, LIB_HANDLE_RESOURCE);
}

DWORD WINAPI DeleteClusterResource(HRESOURCE hResource)
{
    return family_call(hResource, LIB_HANDLE_RESOURCE, &cmrp_op_DeleteResource);
}

CLUSTER_RESOURCE_STATE WINAPI GetClusterResourceState(HRESOURCE hResource, LPWSTR lpszNodeName,
                                                      LPDWORD lpcchNodeName, LPWSTR lpszGroupName,
                                                      LPDWORD lpcchGroupName)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(hResource, LIB_HANDLE_RESOURCE);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetResourceState a = {0};
    DWORD error = ERROR_INVALID_HANDLE;
    if (o)
        error = object_call(o, &cmrp_op_GetResourceState, &a, &a.resource, &arena);
    if (error == ERROR_SUCCESS)
        error = family_give_two(a.node_name, lpszNodeName, lpcchNodeName, a.group_name,
                                lpszGroupName, lpcchGroupName);
    if (error == ERROR_SUCCESS)
        return (CLUSTER_RESOURCE_STATE)a.state;
    SetLastError(error);
    return ClusterResourceStateUnknown;
}

DWORD WINAPI SetClusterResourceName(HRESOURCE hResource, LPCWSTR lpszResourceName)
{
    return family_set_text(hResource, LIB_HANDLE_RESOURCE, lpszResourceName,
                           &cmrp_op_SetResourceName);
}

DWORD WINAPI FailClusterResource(HRESOURCE hResource)
{
    return family_call(hResource, LIB_HANDLE_RESOURCE, &cmrp_op_FailResource);
}

DWORD WINAPI OnlineClusterResource(HRESOURCE hResource)
{
    return family_call(hResource, LIB_HANDLE_RESOURCE, &cmrp_op_OnlineResource);
}

DWORD WINAPI OfflineClusterResource(HRESOURCE hResource)
{
    return family_call(hResource, LIB_HANDLE_RESOURCE, &cmrp_op_OfflineResource);
}

DWORD WINAPI ChangeClusterResourceGroup(HRESOURCE hResource, HGROUP hGroup)
{
    return family_call_other(hResource, LIB_HANDLE_RESOURCE, hGroup, LIB_HANDLE_GROUP,
                             &cmrp_op_ChangeResourceGroup);
}

DWORD WINAPI ClusterResourceControl(HRESOURCE hResource, HNODE hHostNode, DWORD dwControlCode,
                                    LPVOID lpInBuffer, DWORD cbInBufferSize, LPVOID lpOutBuffer,
                                    DWORD cbOutBufferSize, LPDWORD lpBytesReturned)
{
    return control(hResource, LIB_HANDLE_RESOURCE, NULL, hHostNode, dwControlCode, lpInBuffer,
                   cbInBufferSize, lpOutBuffer, cbOutBufferSize, lpBytesReturned);
}

HRESENUM WINAPI ClusterResourceOpenEnum(HRESOURCE hResource, DWORD dwType)
{
    return family_open_enum(hResource, LIB_HANDLE_RESOURCE, dwType, &cmrp_op_CreateResEnum,
                            LIB_HANDLE_RESOURCE_ENUM);
}

DWORD WINAPI ClusterResourceGetEnumCount(HRESENUM hResEnum)
{
    return enumeration_count(hResEnum, LIB_HANDLE_RESOURCE_ENUM);
}

DWORD WINAPI ClusterResourceEnum(HRESENUM hResEnum, DWORD dwIndex, LPDWORD lpdwType,
                                 LPWSTR lpszName, LPDWORD lpcchName)
{
    return enumeration_get(hResEnum, LIB_HANDLE_RESOURCE_ENUM, dwIndex, lpdwType, lpszName,
                           lpcchName);
}

DWORD WINAPI ClusterResourceCloseEnum(HRESENUM hResEnum)
{
    return enumeration_close(hResEnum, LIB_HANDLE_RESOURCE_ENUM);
}
