/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/text.h"
#include "lib/control.h"
#include "lib/family.h"
#include "lib/wide.h"

HAS_FORM(SetGroupName, text);
HAS_FORM(OnlineGroup, plain);
HAS_FORM(OfflineGroup, plain);
HAS_FORM(MoveGroup, plain);
HAS_FORM(MoveGroupToNode, other);
HAS_FORM(CreateGroupResourceEnum, enum);

static DWORD create_group(struct object *cluster, const char *name, void **ret_handle)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_CreateGroup a = {.name = (char *)name};
    DWORD error = object_ask(cluster, &cmrp_op_CreateGroup, &a, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    error = object_open(cluster, LIB_HANDLE_GROUP, name, ret_handle);
    object_close_created(cluster, LIB_HANDLE_GROUP, &a.group);
    return error_once_begun(error);
}

HGROUP WINAPI CreateClusterGroup(HCLUSTER hCluster, LPCWSTR lpszGroupName)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_free_
    char *name = NULL;
    void *group = NULL;
    DWORD error = cluster ? family_text(lpszGroupName, &name) : ERROR_INVALID_HANDLE;
    if (error == ERROR_SUCCESS)
        error = create_group(cluster, name, &group);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return group;
}

HGROUP WINAPI OpenClusterGroup(HCLUSTER hCluster, LPCWSTR lpszGroupName)
{
    return family_open(hCluster, LIB_HANDLE_GROUP, lpszGroupName);
}

BOOL WINAPI CloseClusterGroup(HGROUP hGroup)
{
    return object_close(hGroup, LIB_HANDLE_GROUP);
}

HCLUSTER WINAPI GetClusterFromGroup(HGROUP hGroup)
{
    return family_cluster(hGroup, LIB_HANDLE_GROUP);
}

CLUSTER_GROUP_STATE WINAPI GetClusterGroupState(HGROUP hGroup, LPWSTR lpszNodeName,
                                                LPDWORD lpcchNodeName)
{
    _cleanup_(object_unrefp) struct object *group = object_acquire(hGroup, LIB_HANDLE_GROUP);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetGroupState a = {0};
    DWORD error = ERROR_INVALID_HANDLE;
    if (group)
        error = object_call(group, &cmrp_op_GetGroupState, &a, &a.group, &arena);
    if (error == ERROR_SUCCESS)
        error = wide_give(a.node_name, lpszNodeName, lpcchNodeName);
    if (error == ERROR_SUCCESS)
        return (CLUSTER_GROUP_STATE)a.state;
    SetLastError(error);
    return ClusterGroupStateUnknown;
}

DWORD WINAPI SetClusterGroupName(HGROUP hGroup, LPCWSTR lpszGroupName)
{
    return family_set_text(hGroup, LIB_HANDLE_GROUP, lpszGroupName, &cmrp_op_SetGroupName);
}

/* Does the node own the group? */
static DWORD is_owner(struct object *group, struct object *node, bool *ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *name = NULL;
    struct cmrp_GetGroupState a = {0};
    DWORD error = object_call(group, &cmrp_op_GetGroupState, &a, &a.group, &arena);
    if (error == ERROR_SUCCESS)
        error = object_read_name(node, &name);
    if (error == ERROR_SUCCESS)
        *ret = text_equal(name, a.node_name);
    return error;
}

/* MS-CMRP's call has no node: the group is moved there first. */
DWORD WINAPI OnlineClusterGroup(HGROUP hGroup, HNODE hDestinationNode)
{
    _cleanup_(object_unrefp) struct object *group = object_acquire(hGroup, LIB_HANDLE_GROUP);
    _cleanup_(object_unrefp) struct object *node = NULL;
    if (hDestinationNode)
        node = object_acquire(hDestinationNode, LIB_HANDLE_NODE);
    if (!group || (hDestinationNode && (!node || node->session != group->session)))
        return ERROR_INVALID_HANDLE;
    bool there = true;
    DWORD error = node ? is_owner(group, node, &there) : ERROR_SUCCESS;
    if (error == ERROR_SUCCESS && !there)
        error = MoveClusterGroup(hGroup, hDestinationNode);
    if (error != ERROR_SUCCESS)
        return error;
    error = family_call(hGroup, LIB_HANDLE_GROUP, &cmrp_op_OnlineGroup);
    return there ? error : error_once_begun(error);
}

DWORD WINAPI MoveClusterGroup(HGROUP hGroup, HNODE hDestinationNode)
{
    if (!hDestinationNode)
        return family_call(hGroup, LIB_HANDLE_GROUP, &cmrp_op_MoveGroup);
    return family_call_other(hGroup, LIB_HANDLE_GROUP, hDestinationNode, LIB_HANDLE_NODE,
                             &cmrp_op_MoveGroupToNode);
}

DWORD WINAPI OfflineClusterGroup(HGROUP hGroup)
{
    return family_call(hGroup, LIB_HANDLE_GROUP, &cmrp_op_OfflineGroup);
}

DWORD WINAPI DeleteClusterGroup(HGROUP hGroup)
{
    _cleanup_(object_unrefp) struct object *group = object_acquire(hGroup, LIB_HANDLE_GROUP);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_DeleteGroup a = {.force = 0};
    return group ? object_call(group, &cmrp_op_DeleteGroup, &a, &a.group, &arena)
                 : ERROR_INVALID_HANDLE;
}

DWORD WINAPI ClusterGroupControl(HGROUP hGroup, HNODE hHostNode, DWORD dwControlCode,
                                 LPVOID lpInBuffer, DWORD nInBufferSize, LPVOID lpOutBuffer,
                                 DWORD nOutBufferSize, LPDWORD lpBytesReturned)
{
    return control(hGroup, LIB_HANDLE_GROUP, NULL, hHostNode, dwControlCode, lpInBuffer,
                   nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}

HGROUPENUM WINAPI ClusterGroupOpenEnum(HGROUP hGroup, DWORD dwType)
{
    return family_open_enum(hGroup, LIB_HANDLE_GROUP, dwType, &cmrp_op_CreateGroupResourceEnum,
                            LIB_HANDLE_GROUP_ENUM);
}

DWORD WINAPI ClusterGroupGetEnumCount(HGROUPENUM hGroupEnum)
{
    return enumeration_count(hGroupEnum, LIB_HANDLE_GROUP_ENUM);
}

DWORD WINAPI ClusterGroupEnum(HGROUPENUM hGroupEnum, DWORD dwIndex, LPDWORD lpdwType,
                              LPWSTR lpszResourceName, LPDWORD lpcchName)
{
    return enumeration_get(hGroupEnum, LIB_HANDLE_GROUP_ENUM, dwIndex, lpdwType, lpszResourceName,
                           lpcchName);
}

DWORD WINAPI ClusterGroupCloseEnum(HGROUPENUM hGroupEnum)
{
    return enumeration_close(hGroupEnum, LIB_HANDLE_GROUP_ENUM);
}
