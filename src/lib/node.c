/* SPDX-License-Identifier: MIT */
#include "lib/control.h"
#include "lib/family.h"

HAS_FORM(GetNodeId, text);
HAS_FORM(GetNodeState, number);
HAS_FORM(PauseNode, plain);
HAS_FORM(ResumeNode, plain);
HAS_FORM(CreateNodeEnum, enum);

/* The node of the service that answers: the one this program runs on. */
static DWORD open_own_node(struct object *cluster, void **ret_handle)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterName a = {0};
    DWORD error = object_ask(cluster, &cmrp_op_GetClusterName, &a, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    return object_open(cluster, LIB_HANDLE_NODE, a.node_name ? a.node_name : "", ret_handle);
}

HNODE WINAPI OpenClusterNode(HCLUSTER hCluster, LPCWSTR lpszNodeName)
{
    if (lpszNodeName)
        return family_open(hCluster, LIB_HANDLE_NODE, lpszNodeName);
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    void *node = NULL;
    DWORD error = cluster ? open_own_node(cluster, &node) : ERROR_INVALID_HANDLE;
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return node;
}

BOOL WINAPI CloseClusterNode(HNODE hNode)
{
    return object_close(hNode, LIB_HANDLE_NODE);
}

CLUSTER_NODE_STATE WINAPI GetClusterNodeState(HNODE hNode)
{
    return family_get_state(hNode, LIB_HANDLE_NODE, &cmrp_op_GetNodeState);
}

static DWORD get_own_id(LPWSTR lpszNodeId, LPDWORD lpcchName)
{
    HCLUSTER cluster = OpenCluster(NULL);
    HNODE node = cluster ? OpenClusterNode(cluster, NULL) : NULL;
    DWORD error = node ? GetClusterNodeId(node, lpszNodeId, lpcchName) : GetLastError();
    if (cluster)
        CloseCluster(cluster); /* and the node's handle with it */
    return error;
}

DWORD WINAPI GetClusterNodeId(HNODE hNode, LPWSTR lpszNodeId, LPDWORD lpcchName)
{
    if (!hNode)
        return get_own_id(lpszNodeId, lpcchName);
    return family_get_text(hNode, LIB_HANDLE_NODE, &cmrp_op_GetNodeId, lpszNodeId, lpcchName);
}

HCLUSTER WINAPI GetClusterFromNode(HNODE hNode)
{
    return family_cluster(hNode, LIB_HANDLE_NODE);
}

DWORD WINAPI PauseClusterNode(HNODE hNode)
{
    return family_call(hNode, LIB_HANDLE_NODE, &cmrp_op_PauseNode);
}

DWORD WINAPI ResumeClusterNode(HNODE hNode)
{
    return family_call(hNode, LIB_HANDLE_NODE, &cmrp_op_ResumeNode);
}

DWORD WINAPI ClusterNodeControl(HNODE hNode, HNODE hHostNode, DWORD dwControlCode,
                                LPVOID lpInBuffer, DWORD nInBufferSize, LPVOID lpOutBuffer,
                                DWORD nOutBufferSize, LPDWORD lpBytesReturned)
{
    return control(hNode, LIB_HANDLE_NODE, NULL, hHostNode, dwControlCode, lpInBuffer,
                   nInBufferSize, lpOutBuffer, nOutBufferSize, lpBytesReturned);
}

HNODEENUM WINAPI ClusterNodeOpenEnum(HNODE hNode, DWORD dwType)
{
    return family_open_enum(hNode, LIB_HANDLE_NODE, dwType, &cmrp_op_CreateNodeEnum,
                            LIB_HANDLE_NODE_ENUM);
}

DWORD WINAPI ClusterNodeGetEnumCount(HNODEENUM hNodeEnum)
{
    return enumeration_count(hNodeEnum, LIB_HANDLE_NODE_ENUM);
}

DWORD WINAPI ClusterNodeEnum(HNODEENUM hNodeEnum, DWORD dwIndex, LPDWORD lpdwType, LPWSTR lpszName,
                             LPDWORD lpcchName)
{
    return enumeration_get(hNodeEnum, LIB_HANDLE_NODE_ENUM, dwIndex, lpdwType, lpszName, lpcchName);
}

DWORD WINAPI ClusterNodeCloseEnum(HNODEENUM hNodeEnum)
{
    return enumeration_close(hNodeEnum, LIB_HANDLE_NODE_ENUM);
}
