/* SPDX-License-Identifier: MIT */
#ifndef CLUSPORT_CLUSAPI_H
#define CLUSPORT_CLUSAPI_H

/* The Windows Failover Cluster API. Names, values and behaviour are those of Microsoft's clusapi.h;
 * where a function differs, its comment says "Differs". The public pages (MicrosoftDocs,
 * "ClusAPI functions") and [MS-CMRP] are the sources; sections named here are of [MS-CMRP].
 *
 * What holds for every function
 *   Errors    A function that returns DWORD or LONG returns ERROR_SUCCESS or an error code. One
 *             that returns a handle gives NULL, one that returns a state gives -1, one that returns
 *             BOOL gives FALSE; GetLastError() says why. Beside those named with a function, each
 *             may give ERROR_INVALID_HANDLE (closed, of another kind, or never one),
 *             ERROR_INVALID_PARAMETER (a NULL that must not be one, or a text of more than 65,535
 *             WCHARs), ERROR_ACCESS_DENIED,
 *             ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_UNICODE_TRANSLATION (a text that is no valid one),
 *             ERROR_TOO_MANY_OPEN_FILES (no descriptor is left), RPC_S_SERVER_UNAVAILABLE (the
 *             service does not answer), RPC_S_CALL_FAILED and ERROR_TIMEOUT. These last two mean
 *             that what was asked for may have been done, and only its answer is not known; after
 *             any other error nothing was changed.
 *   Blocking  What asks the cluster waits for its answer; the connection is re-established when it
 *             broke. A service that is silent is waited for 60 seconds, or as many as the variable
 *             CLUSPORT_CALL_TIMEOUT says. Opening an enumeration asks;
 *             counting, stepping and closing do not.
 *   Threads   Any function may be called from any thread at any time, also on the same handle.
 *             Closing a handle that another thread is using lets that call end in order.
 *   Handles   Belong to the caller, who closes them. CloseCluster closes those of objects and keys
 *             that were opened through it; closing one of these again is ERROR_INVALID_HANDLE. A
 *             handle follows its object through renames; when the object is deleted its handle
 *             gives ERROR_*_NOT_AVAILABLE or _NOT_FOUND, and is still to be closed. Two handles in
 *             one call must stem from the same OpenCluster, else ERROR_INVALID_HANDLE.
 *   Names     A name or an id, without regard to case. Texts the caller gives stay the caller's.
 *   Texts     "text+cch" below: a buffer of WCHARs and a pointer to its size. In: its room with the
 *             NUL; out: the text's length without the NUL. A NULL buffer asks for the length and
 *             gives ERROR_SUCCESS; one too small gives ERROR_MORE_DATA, the length without the NUL
 *             and what fits. Both may be NULL; a buffer without its size is
 *             ERROR_INVALID_PARAMETER.
 *   Outputs   Are touched only as said here; on other errors they are as they were.
 *   997       ERROR_IO_PENDING: accepted, and going on; its end is told by a notification port. */

#include "clusapi_control.h"
#include "clusapi_notify.h"
#include "clusapi_types.h"

CLUSAPI_BEGIN

/* ==== cluster ==== */

/* Whether a node's cluster service is installed, configured and running; for NULL this one.
 *   pdwClusterState  out: NODE_CLUSTER_STATE
 * Needs no cluster handle. For NULL it is ERROR_SUCCESS also when nothing runs; of another node the
 * local service is asked: RPC_S_SERVER_UNAVAILABLE if it does not run or knows no such node. */
CLUSAPI_FUNCTION DWORD WINAPI GetNodeClusterState(LPCWSTR lpszNodeName, LPDWORD pdwClusterState);

/* A handle to a cluster. NULL: the one whose service runs here (its socket is CLUSPORT_SOCKET's
 * where that is set), which also goes by its name, its node's, this machine's, "", "." and
 * "localhost". NULL on failure: RPC_S_SERVER_UNAVAILABLE (also any other name: Differs, nothing is
 * reached over the network), ERROR_ACCESS_DENIED. Differs: a local handle too survives a restart of
 * the service. 3.1.4.2.1. */
CLUSAPI_FUNCTION HCLUSTER WINAPI OpenCluster(LPCWSTR lpszClusterName);

/* Closes it; always TRUE. Ports that were registered with it for HANDLE_CLOSE get that event. */
CLUSAPI_FUNCTION BOOL WINAPI CloseCluster(HCLUSTER hCluster);

/* Renames the cluster. Success is always ERROR_RESOURCE_PROPERTIES_STORED: its name resource takes
 * it on when it next comes online. ERROR_INVALID_NAME, ERROR_FILENAME_EXCED_RANGE. 3.1.4.2.3. */
CLUSAPI_FUNCTION DWORD WINAPI SetClusterName(HCLUSTER hCluster, LPCWSTR lpszNewClusterName);

/* The cluster's name (text+cch) and version.
 *   lpClusterInfo  in: dwVersionInfoSize, the size of CLUSTERVERSIONINFO or of its older form
 *                  CLUSTERVERSIONINFO_NT4; out: the rest. May be NULL
 * ERROR_MORE_DATA (the version is given all the same), ERROR_INVALID_PARAMETER (another size). */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterInformation(HCLUSTER hCluster, LPWSTR lpszClusterName,
                                                    LPDWORD lpcchClusterName,
                                                    LPCLUSTERVERSIONINFO lpClusterInfo);

/* The quorum resource's name and device (each text+cch, "" when there is none; the device is "").
 *   lpdwMaxQuorumLogSize  out: the kind of quorum (CLUS_*_QUORUM), always 0. May be NULL
 * ERROR_MORE_DATA: both lengths are set. 3.1.4.2.6. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterQuorumResource(HCLUSTER hCluster, LPWSTR lpszResourceName,
                                                       LPDWORD lpcchResourceName,
                                                       LPWSTR lpszDeviceName,
                                                       LPDWORD lpcchDeviceName,
                                                       LPDWORD lpdwMaxQuorumLogSize);

/* Makes a resource the quorum resource. Differs: it is only named so, and need not be online.
 *   lpszDeviceName, dwMaxQuoLogSize  have no effect
 * ERROR_NOT_QUORUM_CAPABLE (its type lacks CLUS_CHAR_QUORUM), ERROR_DEPENDENCY_NOT_ALLOWED (it
 * depends on another), ERROR_RESOURCE_NOT_FOUND (it is gone). 3.1.4.2.7. */
CLUSAPI_FUNCTION DWORD WINAPI SetClusterQuorumResource(HRESOURCE hResource, LPCWSTR lpszDeviceName,
                                                       DWORD dwMaxQuoLogSize);

/* A control code (CLUSCTL_CLUSTER_*) for the cluster. This stands for all the *Control functions:
 *   hHostNode        the node to carry it out, a handle of the same cluster; NULL: the object's
 *                    owner, or the node asked. With one node it makes no difference
 *   dwControlCode    of the function's own object
 *   lpInBuffer, nInBufferSize    in: its input, in bytes (texts: with the NUL); NULL and 0: none.
 *                                More than 16 MiB (as UTF-16): ERROR_INVALID_PARAMETER
 *   lpOutBuffer, nOutBufferSize  out: its output, room in bytes; NULL and 0: the size is asked
 *   lpBytesReturned  out: bytes of output, a text's NUL counted; with ERROR_MORE_DATA the bytes
 *                    needed, else 0. May be NULL
 * ERROR_INVALID_FUNCTION: the code is not known, or another object's. ERROR_MORE_DATA: lpOutBuffer
 * is too small, and not touched. For codes that set properties: ERROR_INVALID_DATA or
 * ERROR_INVALID_PARAMETER (take them as one), ERROR_RESOURCE_PROPERTY_UNCHANGEABLE (a read-only
 * one), ERROR_INSUFFICIENT_BUFFER (the list runs past the buffer), RPC_X_BAD_STUB_DATA (no input),
 * ERROR_RESOURCE_PROPERTIES_STORED (done, in force at the next online: not a failure),
 * ERROR_NOT_ENOUGH_QUOTA (an object's common, or its private properties would be more than 4096, or
 * more than 1 MiB as the service's list). A set changes all or nothing. 3.1.4.3. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterControl(HCLUSTER hCluster, HNODE hHostNode,
                                             DWORD dwControlCode, LPVOID lpInBuffer,
                                             DWORD nInBufferSize, LPVOID lpOutBuffer,
                                             DWORD nOutBufferSize, LPDWORD lpBytesReturned);

/* ==== enumeration ====
 *
 * Open takes a picture of what is there; Enum gives the picture's entries by number. This stands
 * for all the families' enumerations:
 *   dwType     in Open: CLUSTER_ENUM_* flags (of the family's own enum)
 *   dwIndex    from 0, in any order
 *   lpdwType   out: the one flag that the entry is of
 *   lpszName   text+cch: the entry's name; of a node its name
 * Open: NULL on failure. Unknown flags are ERROR_INVALID_PARAMETER in ClusterOpenEnum, and passed
 * over in the others; no flags give no entries. Enum: ERROR_NO_MORE_ITEMS past the end,
 * ERROR_MORE_DATA (lpdwType is set). GetEnumCount: the number of entries; 0 also for an invalid
 * handle, and GetLastError() tells. CloseEnum: ERROR_SUCCESS or ERROR_INVALID_HANDLE. An open
 * enumeration outlives the cluster's handle. 3.1.4.2.8. */

CLUSAPI_FUNCTION HCLUSENUM WINAPI ClusterOpenEnum(HCLUSTER hCluster, DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterGetEnumCount(HCLUSENUM hEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterEnum(HCLUSENUM hEnum, DWORD dwIndex, LPDWORD lpdwType,
                                          LPWSTR lpszName, LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterCloseEnum(HCLUSENUM hEnum);

/* ==== node ==== */

/* NULL on failure: ERROR_CLUSTER_NODE_NOT_FOUND. Differs: a NULL name is this program's own node.
 * 3.1.4.2.67. */
CLUSAPI_FUNCTION HNODE WINAPI OpenClusterNode(HCLUSTER hCluster, LPCWSTR lpszNodeName);
/* TRUE, or FALSE with ERROR_INVALID_HANDLE; so all CloseCluster* of objects. The object is not
 * touched. A port registered with this handle for HANDLE_CLOSE gets that event. */
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterNode(HNODE hNode);
/* ClusterNodeStateUnknown on failure: GetLastError(). */
CLUSAPI_FUNCTION CLUSTER_NODE_STATE WINAPI GetClusterNodeState(HNODE hNode);
/* The node's id, a decimal number (text+cch). hNode NULL: this machine's node, for which the local
 * service is asked. ERROR_MORE_DATA. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterNodeId(HNODE hNode, LPWSTR lpszNodeId, LPDWORD lpcchName);
#define GetCurrentClusterNodeId(_lpszNodeId_, _lpcchName_)                                         \
    GetClusterNodeId(NULL, (_lpszNodeId_), (_lpcchName_))
/* A new handle to the object's cluster, to be closed with CloseCluster; so all GetClusterFrom*. */
CLUSAPI_FUNCTION HCLUSTER WINAPI GetClusterFromNode(HNODE hNode);
/* A paused node keeps its groups and takes no new ones. Pausing twice is ERROR_SUCCESS. Resuming
 * one that is not paused: ERROR_CLUSTER_NODE_NOT_PAUSED. ERROR_CLUSTER_NODE_DOWN. 3.1.4.2.70, .71.
 */
CLUSAPI_FUNCTION DWORD WINAPI PauseClusterNode(HNODE hNode);
CLUSAPI_FUNCTION DWORD WINAPI ResumeClusterNode(HNODE hNode);
/* CLUSCTL_NODE_*: see ClusterControl. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterNodeControl(HNODE hNode, HNODE hHostNode, DWORD dwControlCode,
                                                 LPVOID lpInBuffer, DWORD nInBufferSize,
                                                 LPVOID lpOutBuffer, DWORD nOutBufferSize,
                                                 LPDWORD lpBytesReturned);
/* CLUSTER_NODE_ENUM_*: its interfaces, the groups it owns. */
CLUSAPI_FUNCTION HNODEENUM WINAPI ClusterNodeOpenEnum(HNODE hNode, DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNodeGetEnumCount(HNODEENUM hNodeEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNodeEnum(HNODEENUM hNodeEnum, DWORD dwIndex, LPDWORD lpdwType,
                                              LPWSTR lpszName, LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNodeCloseEnum(HNODEENUM hNodeEnum);

/* ==== group ==== */

/* A new, empty group, offline, on the node that was asked. NULL: ERROR_OBJECT_ALREADY_EXISTS (the
 * name is taken, or another group's id), ERROR_INVALID_NAME (empty, or with control characters),
 * ERROR_FILENAME_EXCED_RANGE (more than 256 units of UTF-16), so all names; ERROR_NOT_ENOUGH_QUOTA
 * (the cluster has 16,384 objects: nodes, groups, resources, their types, networks and interfaces).
 * 3.1.4.2.43. */
CLUSAPI_FUNCTION HGROUP WINAPI CreateClusterGroup(HCLUSTER hCluster, LPCWSTR lpszGroupName);
/* NULL: ERROR_GROUP_NOT_FOUND. */
CLUSAPI_FUNCTION HGROUP WINAPI OpenClusterGroup(HCLUSTER hCluster, LPCWSTR lpszGroupName);
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterGroup(HGROUP hGroup);
CLUSAPI_FUNCTION HCLUSTER WINAPI GetClusterFromGroup(HGROUP hGroup);
/* Its state, and the node that owns it (text+cch; both may be NULL). ClusterGroupStateUnknown on
 * failure: GetLastError(), ERROR_MORE_DATA among them. An empty group is offline; else 3.1.4.2.46:
 * failed, pending, or what the resources are that no other depends on. Differs: Microsoft's page
 * calls a group partly online as soon as any resource is. */
CLUSAPI_FUNCTION CLUSTER_GROUP_STATE WINAPI GetClusterGroupState(HGROUP hGroup, LPWSTR lpszNodeName,
                                                                 LPDWORD lpcchNodeName);
/* Names as in CreateClusterGroup. The same name again, also in another case, is allowed. */
CLUSAPI_FUNCTION DWORD WINAPI SetClusterGroupName(HGROUP hGroup, LPCWSTR lpszGroupName);
/* Brings all its resources online, on hDestinationNode or, if NULL, where it is. ERROR_IO_PENDING,
 * ERROR_INVALID_STATE (a resource is pending), ERROR_HOST_NODE_NOT_AVAILABLE (its node is down, or
 * it cannot be moved to that one), ERROR_SHARING_PAUSED (the node is paused). 3.1.4.2.50. */
CLUSAPI_FUNCTION DWORD WINAPI OnlineClusterGroup(HGROUP hGroup, HNODE hDestinationNode);
/* Takes it offline where it is, moves it and brings back online what was. NULL: a node of the
 * cluster's choice. To the node that it is on: ERROR_SUCCESS, and nothing happens.
 * ERROR_INVALID_STATE (pending), ERROR_HOST_NODE_NOT_AVAILABLE: no node can take it; with one node
 * always so for NULL. 3.1.4.2.52, .53. */
CLUSAPI_FUNCTION DWORD WINAPI MoveClusterGroup(HGROUP hGroup, HNODE hDestinationNode);
/* Dependents first; failed and pending resources too. ERROR_IO_PENDING. 3.1.4.2.51. */
CLUSAPI_FUNCTION DWORD WINAPI OfflineClusterGroup(HGROUP hGroup);
/* ERROR_DIR_NOT_EMPTY while it has resources, ERROR_CORE_RESOURCE ("Cluster Group"). The handle is
 * still to be closed. 3.1.4.2.44. */
CLUSAPI_FUNCTION DWORD WINAPI DeleteClusterGroup(HGROUP hGroup);
/* CLUSCTL_GROUP_*: see ClusterControl. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterGroupControl(HGROUP hGroup, HNODE hHostNode,
                                                  DWORD dwControlCode, LPVOID lpInBuffer,
                                                  DWORD nInBufferSize, LPVOID lpOutBuffer,
                                                  DWORD nOutBufferSize, LPDWORD lpBytesReturned);
/* CLUSTER_GROUP_ENUM_*: its resources; its preferred owners, which are all nodes. */
CLUSAPI_FUNCTION HGROUPENUM WINAPI ClusterGroupOpenEnum(HGROUP hGroup, DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterGroupGetEnumCount(HGROUPENUM hGroupEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterGroupEnum(HGROUPENUM hGroupEnum, DWORD dwIndex,
                                               LPDWORD lpdwType, LPWSTR lpszResourceName,
                                               LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterGroupCloseEnum(HGROUPENUM hGroupEnum);

/* ==== resource ==== */

/* A new resource in a group, offline, with the type's defaults; all nodes may own it.
 *   lpszResourceType  a type's name ("Physical Disk"), not its display name
 *   dwFlags           CLUSTER_RESOURCE_CREATE_FLAGS; a monitor of its own is always given
 * NULL: ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND, ERROR_OBJECT_ALREADY_EXISTS,
 * ERROR_GROUP_NOT_AVAILABLE, ERROR_INVALID_PARAMETER (flags), ERROR_INVALID_NAME,
 * ERROR_NOT_ENOUGH_QUOTA (see CreateClusterGroup). 3.1.4.2.10. */
CLUSAPI_FUNCTION HRESOURCE WINAPI CreateClusterResource(HGROUP hGroup, LPCWSTR lpszResourceName,
                                                        LPCWSTR lpszResourceType, DWORD dwFlags);
/* NULL: ERROR_RESOURCE_NOT_FOUND. */
CLUSAPI_FUNCTION HRESOURCE WINAPI OpenClusterResource(HCLUSTER hCluster, LPCWSTR lpszResourceName);
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterResource(HRESOURCE hResource);
CLUSAPI_FUNCTION HCLUSTER WINAPI GetClusterFromResource(HRESOURCE hResource);
/* Offline or failed only, else ERROR_RESOURCE_ONLINE (Microsoft's page names ERROR_INVALID_STATE
 * for 2012). ERROR_DEPENDENT_RESOURCE_EXISTS, ERROR_QUORUM_RESOURCE, ERROR_INVALID_STATE (it failed
 * and is being cleaned up). The handle is still to be closed. 3.1.4.2.11. */
CLUSAPI_FUNCTION DWORD WINAPI DeleteClusterResource(HRESOURCE hResource);
/* Its state, the node that owns it and its group (each text+cch, each may be NULL).
 * ClusterResourceStateUnknown on failure: GetLastError(). With ERROR_MORE_DATA both lengths are
 * set. 3.1.4.2.13. */
CLUSAPI_FUNCTION CLUSTER_RESOURCE_STATE WINAPI GetClusterResourceState(HRESOURCE hResource,
                                                                       LPWSTR lpszNodeName,
                                                                       LPDWORD lpcchNodeName,
                                                                       LPWSTR lpszGroupName,
                                                                       LPDWORD lpcchGroupName);
/* Names as in CreateClusterGroup. */
CLUSAPI_FUNCTION DWORD WINAPI SetClusterResourceName(HRESOURCE hResource, LPCWSTR lpszResourceName);
/* Lets the cluster act as if it had failed: restart or failover by its policy. ERROR_INVALID_STATE
 * unless online or pending. 3.1.4.2.17. */
CLUSAPI_FUNCTION DWORD WINAPI FailClusterResource(HRESOURCE hResource);
/* Providers come online first. Already online: ERROR_SUCCESS. ERROR_IO_PENDING (Differs: also when
 * it is on its way already), ERROR_INVALID_STATE (it or a provider goes offline),
 * ERROR_SHARING_PAUSED, ERROR_HOST_NODE_NOT_AVAILABLE. 3.1.4.2.18. */
CLUSAPI_FUNCTION DWORD WINAPI OnlineClusterResource(HRESOURCE hResource);
/* Dependents go offline first. ERROR_IO_PENDING. A failed one goes offline too, as Microsoft's page
 * says; 3.1.4.2.19 has ERROR_RESOURCE_FAILED. Differs: one that is pending turns around; there it
 * is ERROR_INVALID_STATE. */
CLUSAPI_FUNCTION DWORD WINAPI OfflineClusterResource(HRESOURCE hResource);
/* Moves it, with all that it is bound to by dependencies, into another group, whose owner must be
 * the same node (ERROR_HOST_NODE_NOT_GROUP_OWNER). ERROR_ALREADY_EXISTS: it is there.
 * ERROR_GROUP_NOT_AVAILABLE. 3.1.4.2.26. */
CLUSAPI_FUNCTION DWORD WINAPI ChangeClusterResourceGroup(HRESOURCE hResource, HGROUP hGroup);
/* hResource shall need hDependsOn. ERROR_INVALID_PARAMETER (another group's),
 * ERROR_DEPENDENCY_ALREADY_EXISTS, ERROR_CIRCULAR_DEPENDENCY (also on itself),
 * ERROR_DEPENDENCY_NOT_ALLOWED (hResource is the quorum resource),
 * ERROR_DEPENDENCY_TREE_TOO_COMPLEX (deeper than 100, or hResource has 200), ERROR_RESOURCE_ONLINE
 * (hResource is online or pending and hDependsOn is not online). 3.1.4.2.20. */
CLUSAPI_FUNCTION DWORD WINAPI AddClusterResourceDependency(HRESOURCE hResource,
                                                           HRESOURCE hDependsOn);
/* ERROR_DEPENDENCY_NOT_FOUND. 3.1.4.2.21. */
CLUSAPI_FUNCTION DWORD WINAPI RemoveClusterResourceDependency(HRESOURCE hResource,
                                                              HRESOURCE hDependsOn);
/* TRUE if hResource could be made dependent on hResourceDependent. FALSE also on failure:
 * GetLastError() is ERROR_SUCCESS when the answer is no. */
CLUSAPI_FUNCTION BOOL WINAPI CanResourceBeDependent(HRESOURCE hResource,
                                                    HRESOURCE hResourceDependent);
/* Its dependencies as an expression of names in brackets, AND, OR and parentheses (text+cch); ""
 * for none. Here it is always of the form "([A] and [B])". ERROR_MORE_DATA. 3.1.4.2.110. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterResourceDependencyExpression(
    HRESOURCE hResource, LPWSTR lpszDependencyExpression, LPDWORD lpcchDependencyExpression);
/* CLUSCTL_RESOURCE_*: see ClusterControl. GET_RESOURCE_TYPE gives the type's name, to be compared
 * with lstrcmpi. 3.1.4.2.74. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceControl(HRESOURCE hResource, HNODE hHostNode,
                                                     DWORD dwControlCode, LPVOID lpInBuffer,
                                                     DWORD cbInBufferSize, LPVOID lpOutBuffer,
                                                     DWORD cbOutBufferSize,
                                                     LPDWORD lpBytesReturned);
/* CLUSTER_RESOURCE_ENUM_*: what it depends on, what depends on it, its possible owners. */
CLUSAPI_FUNCTION HRESENUM WINAPI ClusterResourceOpenEnum(HRESOURCE hResource, DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceGetEnumCount(HRESENUM hResEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceEnum(HRESENUM hResEnum, DWORD dwIndex,
                                                  LPDWORD lpdwType, LPWSTR lpszName,
                                                  LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceCloseEnum(HRESENUM hResEnum);

/* ==== resource type: no handles; the cluster's and the type's name ==== */

/* CLUSCTL_RESOURCE_TYPE_*: see ClusterControl. ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceTypeControl(HCLUSTER hCluster,
                                                         LPCWSTR lpszResourceTypeName,
                                                         HNODE hHostNode, DWORD dwControlCode,
                                                         LPVOID lpInBuffer, DWORD nInBufferSize,
                                                         LPVOID lpOutBuffer, DWORD nOutBufferSize,
                                                         LPDWORD lpBytesReturned);
/* Makes a type known to the cluster, until it is deleted.
 *   lpszResourceTypeName  1 to 256 characters; ERROR_ALREADY_EXISTS
 *   lpszDisplayName       for people; NULL: the name
 *   lpszResourceTypeDll   differs: its agent, "ocf:PROVIDER:AGENT" or "systemd:UNIT"
 *   dwLooksAlivePollInterval, dwIsAlivePollInterval
 *                         in milliseconds; 0: the defaults, 5000 and 60000
 * ERROR_INVALID_PARAMETER (NULL or empty name or agent), ERROR_NOT_ENOUGH_QUOTA (see
 * CreateClusterGroup). */
CLUSAPI_FUNCTION DWORD WINAPI CreateClusterResourceType(
    HCLUSTER hCluster, LPCWSTR lpszResourceTypeName, LPCWSTR lpszDisplayName,
    LPCWSTR lpszResourceTypeDll, DWORD dwLooksAlivePollInterval, DWORD dwIsAlivePollInterval);
/* ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND, ERROR_DIR_NOT_EMPTY while there are resources of it. A
 * type that has a definition file is back at the service's next start. */
CLUSAPI_FUNCTION DWORD WINAPI DeleteClusterResourceType(HCLUSTER hCluster,
                                                        LPCWSTR lpszResourceTypeName);
/* CLUSTER_RESOURCE_TYPE_ENUM_*: nodes that can have it, resources that are of it.
 * ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND. */
CLUSAPI_FUNCTION HRESTYPEENUM WINAPI ClusterResourceTypeOpenEnum(HCLUSTER hCluster,
                                                                 LPCWSTR lpszResourceTypeName,
                                                                 DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceTypeGetEnumCount(HRESTYPEENUM hResTypeEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceTypeEnum(HRESTYPEENUM hResTypeEnum, DWORD dwIndex,
                                                      LPDWORD lpdwType, LPWSTR lpszName,
                                                      LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterResourceTypeCloseEnum(HRESTYPEENUM hResTypeEnum);

/* ==== network ==== */

/* NULL: ERROR_CLUSTER_NETWORK_NOT_FOUND. */
CLUSAPI_FUNCTION HNETWORK WINAPI OpenClusterNetwork(HCLUSTER hCluster, LPCWSTR lpszNetworkName);
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterNetwork(HNETWORK hNetwork);
CLUSAPI_FUNCTION HCLUSTER WINAPI GetClusterFromNetwork(HNETWORK hNetwork);
/* ClusterNetworkStateUnknown on failure: GetLastError(). */
CLUSAPI_FUNCTION CLUSTER_NETWORK_STATE WINAPI GetClusterNetworkState(HNETWORK hNetwork);
/* Names as in CreateClusterGroup. */
CLUSAPI_FUNCTION DWORD WINAPI SetClusterNetworkName(HNETWORK hNetwork, LPCWSTR lpszName);
/* Its id (text+cch). ERROR_MORE_DATA. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterNetworkId(HNETWORK hNetwork, LPWSTR lpszNetworkId,
                                                  LPDWORD lpcchName);
/* CLUSCTL_NETWORK_*: see ClusterControl. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterNetworkControl(HNETWORK hNetwork, HNODE hHostNode,
                                                    DWORD dwControlCode, LPVOID lpInBuffer,
                                                    DWORD nInBufferSize, LPVOID lpOutBuffer,
                                                    DWORD nOutBufferSize, LPDWORD lpBytesReturned);
/* CLUSTER_NETWORK_ENUM_*: its interfaces. */
CLUSAPI_FUNCTION HNETWORKENUM WINAPI ClusterNetworkOpenEnum(HNETWORK hNetwork, DWORD dwType);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNetworkGetEnumCount(HNETWORKENUM hNetworkEnum);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNetworkEnum(HNETWORKENUM hNetworkEnum, DWORD dwIndex,
                                                 LPDWORD lpdwType, LPWSTR lpszName,
                                                 LPDWORD lpcchName);
CLUSAPI_FUNCTION DWORD WINAPI ClusterNetworkCloseEnum(HNETWORKENUM hNetworkEnum);

/* ==== network interface ==== */

/* NULL: ERROR_CLUSTER_NETINTERFACE_NOT_FOUND. */
CLUSAPI_FUNCTION HNETINTERFACE WINAPI OpenClusterNetInterface(HCLUSTER hCluster,
                                                              LPCWSTR lpszInterfaceName);
/* The name (text+cch) of a node's interface on a network. ERROR_CLUSTER_NETINTERFACE_NOT_FOUND
 * (also when there is no such node or network), ERROR_MORE_DATA. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterNetInterface(HCLUSTER hCluster, LPCWSTR lpszNodeName,
                                                     LPCWSTR lpszNetworkName,
                                                     LPWSTR lpszInterfaceName,
                                                     LPDWORD lpcchInterfaceName);
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterNetInterface(HNETINTERFACE hNetInterface);
CLUSAPI_FUNCTION HCLUSTER WINAPI GetClusterFromNetInterface(HNETINTERFACE hNetInterface);
/* ClusterNetInterfaceStateUnknown on failure: GetLastError(). */
CLUSAPI_FUNCTION CLUSTER_NETINTERFACE_STATE WINAPI
GetClusterNetInterfaceState(HNETINTERFACE hNetInterface);
/* CLUSCTL_NETINTERFACE_*: see ClusterControl. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterNetInterfaceControl(HNETINTERFACE hNetInterface,
                                                         HNODE hHostNode, DWORD dwControlCode,
                                                         LPVOID lpInBuffer, DWORD nInBufferSize,
                                                         LPVOID lpOutBuffer, DWORD nOutBufferSize,
                                                         LPDWORD lpBytesReturned);

/* ==== cluster registry ====
 *
 * Keys and values that all nodes share. Names of keys are paths with '\', relative to the key
 * given, without regard to case. Data are bytes, texts in them in the program's WCHARs with their
 * NUL counted ([MS-CMRP] 3.1.4.2.29 to .41). A deleted key's handle gives ERROR_KEY_DELETED.
 * Differs: samDesired and the keys' security decide nothing; who may change the cluster may change
 * all keys, who may read it may read all (ERROR_ACCESS_DENIED at the use). All keys and values
 * together take at most 32 MiB, each counted with some 256 bytes and twice its key's path; what
 * would go beyond is ERROR_NOT_ENOUGH_QUOTA. */

/* The root key. NULL on failure. To be closed with ClusterRegCloseKey, as every key. */
CLUSAPI_FUNCTION HKEY WINAPI GetClusterKey(HCLUSTER hCluster, REGSAM samDesired);
/* Opens a key, making it and what is missing above it.
 *   dwOptions             REG_OPTION_NON_VOLATILE (0); _VOLATILE is ERROR_INVALID_PARAMETER
 *   lpSecurityAttributes  NULL, or without a descriptor. Differs: one with a descriptor is
 *                         ERROR_NOT_SUPPORTED (ERROR_INVALID_PARAMETER if it is none);
 *                         ClusterRegSetKeySecurity sets it
 *   phkResult             out: the key
 *   lpdwDisposition       out: REG_CREATED_NEW_KEY or REG_OPENED_EXISTING_KEY; may be NULL
 * ERROR_INVALID_NAME (a part of the path is empty or longer than 255, or the whole path from the
 * root longer than 32,767 units of UTF-16 or deeper than 512). */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegCreateKey(HKEY hKey, LPCWSTR lpszSubKey, DWORD dwOptions,
                                                 REGSAM samDesired,
                                                 LPSECURITY_ATTRIBUTES lpSecurityAttributes,
                                                 PHKEY phkResult, LPDWORD lpdwDisposition);
/* ERROR_FILE_NOT_FOUND. "" opens the same key anew. */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegOpenKey(HKEY hKey, LPCWSTR lpszSubKey, REGSAM samDesired,
                                               PHKEY phkResult);
/* With its values. ERROR_DIR_NOT_EMPTY while it has subkeys; ERROR_FILE_NOT_FOUND;
 * ERROR_INVALID_PARAMETER (""). */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegDeleteKey(HKEY hKey, LPCWSTR lpszSubKey);
CLUSAPI_FUNCTION LONG WINAPI ClusterRegCloseKey(HKEY hKey);
/* The name (text+cch) of a subkey by number from 0. ERROR_NO_MORE_ITEMS, ERROR_MORE_DATA.
 *   lpftLastWriteTime  out, may be NULL: when the key or a value of it was last written */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegEnumKey(HKEY hKey, DWORD dwIndex, LPWSTR lpszName,
                                               LPDWORD lpcchName, PFILETIME lpftLastWriteTime);
/* Sets a value of type REG_* to cbData bytes; any number may be a type. ERROR_INVALID_NAME (longer
 * than 16,383). ERROR_INVALID_PARAMETER: more than 1 MiB (as UTF-16), or, with 32-bit WCHARs, a
 * text type whose data is no text or whose size no multiple of four. Programs with 16-bit ones may
 * set anything: others then get an unpaired surrogate as U+FFFD, and an odd last byte as a WCHAR.
 */
CLUSAPI_FUNCTION DWORD WINAPI ClusterRegSetValue(HKEY hKey, LPCWSTR lpszValueName, DWORD dwType,
                                                 const BYTE *lpData, DWORD cbData);
/* ERROR_FILE_NOT_FOUND. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterRegDeleteValue(HKEY hKey, LPCWSTR lpszValueName);
/* A value. ERROR_FILE_NOT_FOUND.
 *   lpdwValueType  out, may be NULL: REG_*
 *   lpData         out: the data; NULL: only the size
 *   lpcbData       in: lpData's room in bytes; out: the data's size. May be NULL if lpData is
 * ERROR_MORE_DATA: *lpcbData is the size needed. */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegQueryValue(HKEY hKey, LPCWSTR lpszValueName,
                                                  LPDWORD lpdwValueType, LPBYTE lpData,
                                                  LPDWORD lpcbData);
/* A value by number from 0: its name (text+cch), the rest as ClusterRegQueryValue.
 * ERROR_NO_MORE_ITEMS. ERROR_MORE_DATA if either is too small: both sizes are set. */
CLUSAPI_FUNCTION DWORD WINAPI ClusterRegEnumValue(HKEY hKey, DWORD dwIndex, LPWSTR lpszValueName,
                                                  LPDWORD lpcchValueName, LPDWORD lpdwType,
                                                  LPBYTE lpData, LPDWORD lpcbData);
/* Numbers about a key, each may be NULL: subkeys, the longest subkey's name, values, the longest
 * value's name (in WCHARs without the NUL), the largest data (bytes), its security (bytes), and
 * when it was last written. */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegQueryInfoKey(HKEY hKey, LPDWORD lpcSubKeys,
                                                    LPDWORD lpcchMaxSubKeyLen, LPDWORD lpcValues,
                                                    LPDWORD lpcchMaxValueNameLen,
                                                    LPDWORD lpcbMaxValueLen,
                                                    LPDWORD lpcbSecurityDescriptor,
                                                    PFILETIME lpftLastWriteTime);
/* The key's security, self-relative: the parts in RequestedInformation (*_SECURITY_INFORMATION).
 *   lpcbSecurityDescriptor  in: room in bytes; out: its size
 * ERROR_INSUFFICIENT_BUFFER: *lpcbSecurityDescriptor is the size needed. */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegGetKeySecurity(HKEY hKey,
                                                      SECURITY_INFORMATION RequestedInformation,
                                                      PSECURITY_DESCRIPTOR pSecurityDescriptor,
                                                      LPDWORD lpcbSecurityDescriptor);
/* Sets those parts. ERROR_INVALID_PARAMETER: not a valid self-relative descriptor, or one of more
 * than 64 KiB; the entries of its lists are not looked at. */
CLUSAPI_FUNCTION LONG WINAPI ClusterRegSetKeySecurity(HKEY hKey,
                                                      SECURITY_INFORMATION SecurityInformation,
                                                      PSECURITY_DESCRIPTOR pSecurityDescriptor);

CLUSAPI_END

#endif
