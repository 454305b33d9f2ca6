/* SPDX-License-Identifier: MIT */
#ifndef CLUSPORT_CLUSAPI_NOTIFY_H
#define CLUSPORT_CLUSAPI_NOTIFY_H

/* Notification ports. Part of clusapi.h, which says what holds for all functions.
 *
 * A port is a set of registrations and a position in the cluster's one log of changes. What a
 * registration matches from its making on is delivered in the log's order, each to one caller;
 * a change that matches several registrations is delivered once for each ([MS-CMRP] 3.1.1.8).
 * Nothing is dropped silently: a change that can no longer be had is reported as CLUSTER_RECONNECT
 * (version 2: CLUSTER_LOST_NOTIFICATIONS). Differs: Windows keeps a queue in the cluster service;
 * here an idle port costs nothing, and a port outlives a restart of the service and loses nothing.
 *
 * Version 1 ports give a flag and a name; version 2 ports (2012 and later) give the object's type,
 * a finer flag, ids and the new value. A port is of one version for life; a function of the other
 * version refuses it with ERROR_INVALID_HANDLE.
 *
 * All functions here may be called from any thread, also on one port at a time. */

#include "clusapi_types.h"

CLUSAPI_BEGIN

/* ---- version 1 flags ([MS-CMRP] 2.2.2.7) ----
 *
 * With each comes the name of the object concerned, as it is after the change; of a registry event
 * the key's path from the root of the cluster's registry ("" is the root), of CLUSTER_* and
 * RECONNECT the cluster's name.
 *
 * _PROPERTY counts properties, a rename, owners and, for a resource, dependencies; for a group also
 * resources that come and go. REGISTRY_NAME: a key was made or deleted. REGISTRY_ATTRIBUTES: its
 * security changed. REGISTRY_VALUE: a value was set or deleted. REGISTRY_SUBTREE is only asked for,
 * with other REGISTRY flags: what lies below the key counts too. CLUSTER_PROPERTY counts the
 * cluster's name and its quorum resource; QUORUM_STATE that resource's state. CLUSTER_STATE: the
 * cluster cannot be reached any more. CLUSTER_RECONNECT: it can be again, or changes were lost.
 * HANDLE_CLOSE: a handle that was registered with this flag has been closed; it comes after all
 * that happened before, with the name that the object had at the registration, and so not before
 * the service is back if it was away at the close. Where Microsoft's pages contradict each other on
 * a flag, [MS-CMRP] has been followed. */
__extension__ typedef enum CLUSTER_CHANGE {
    CLUSTER_CHANGE_NODE_STATE = 0x00000001,
    CLUSTER_CHANGE_NODE_DELETED = 0x00000002,
    CLUSTER_CHANGE_NODE_ADDED = 0x00000004,
    CLUSTER_CHANGE_NODE_PROPERTY = 0x00000008,
    CLUSTER_CHANGE_REGISTRY_NAME = 0x00000010,
    CLUSTER_CHANGE_REGISTRY_ATTRIBUTES = 0x00000020,
    CLUSTER_CHANGE_REGISTRY_VALUE = 0x00000040,
    CLUSTER_CHANGE_REGISTRY_SUBTREE = 0x00000080,
    CLUSTER_CHANGE_RESOURCE_STATE = 0x00000100,
    CLUSTER_CHANGE_RESOURCE_DELETED = 0x00000200,
    CLUSTER_CHANGE_RESOURCE_ADDED = 0x00000400,
    CLUSTER_CHANGE_RESOURCE_PROPERTY = 0x00000800,
    CLUSTER_CHANGE_GROUP_STATE = 0x00001000,
    CLUSTER_CHANGE_GROUP_DELETED = 0x00002000,
    CLUSTER_CHANGE_GROUP_ADDED = 0x00004000,
    CLUSTER_CHANGE_GROUP_PROPERTY = 0x00008000,
    CLUSTER_CHANGE_RESOURCE_TYPE_DELETED = 0x00010000,
    CLUSTER_CHANGE_RESOURCE_TYPE_ADDED = 0x00020000,
    CLUSTER_CHANGE_RESOURCE_TYPE_PROPERTY = 0x00040000,
    CLUSTER_CHANGE_CLUSTER_RECONNECT = 0x00080000,
    CLUSTER_CHANGE_NETWORK_STATE = 0x00100000,
    CLUSTER_CHANGE_NETWORK_DELETED = 0x00200000,
    CLUSTER_CHANGE_NETWORK_ADDED = 0x00400000,
    CLUSTER_CHANGE_NETWORK_PROPERTY = 0x00800000,
    CLUSTER_CHANGE_NETINTERFACE_STATE = 0x01000000,
    CLUSTER_CHANGE_NETINTERFACE_DELETED = 0x02000000,
    CLUSTER_CHANGE_NETINTERFACE_ADDED = 0x04000000,
    CLUSTER_CHANGE_NETINTERFACE_PROPERTY = 0x08000000,
    CLUSTER_CHANGE_QUORUM_STATE = 0x10000000,
    CLUSTER_CHANGE_CLUSTER_STATE = 0x20000000,
    CLUSTER_CHANGE_CLUSTER_PROPERTY = 0x40000000,
    CLUSTER_CHANGE_HANDLE_CLOSE = 0x80000000,
    CLUSTER_CHANGE_ALL = 0xffffffff,
} CLUSTER_CHANGE;

/* ---- version 2 flags: they mean something only together with the object type
 *      ([MS-CMRP] 2.2.2.11 to 2.2.2.26) ---- */

typedef enum CLUSTER_NOTIFICATIONS_VERSION {
    CLUSTER_NOTIFICATIONS_V1 = 0x00000001,
    CLUSTER_NOTIFICATIONS_V2 = 0x00000002,
} CLUSTER_NOTIFICATIONS_VERSION;

typedef enum CLUSTER_OBJECT_TYPE {
    CLUSTER_OBJECT_TYPE_NONE = 0x00000000,
    CLUSTER_OBJECT_TYPE_CLUSTER = 0x00000001,
    CLUSTER_OBJECT_TYPE_GROUP = 0x00000002,
    CLUSTER_OBJECT_TYPE_RESOURCE = 0x00000003,
    CLUSTER_OBJECT_TYPE_RESOURCE_TYPE = 0x00000004,
    CLUSTER_OBJECT_TYPE_NETWORK_INTERFACE = 0x00000005,
    CLUSTER_OBJECT_TYPE_NETWORK = 0x00000006,
    CLUSTER_OBJECT_TYPE_NODE = 0x00000007,
    CLUSTER_OBJECT_TYPE_REGISTRY = 0x00000008,
    CLUSTER_OBJECT_TYPE_QUORUM = 0x00000009,
    CLUSTER_OBJECT_TYPE_SHARED_VOLUME = 0x0000000a,
    CLUSTER_OBJECT_TYPE_GROUPSET = 0x0000000d,
    CLUSTER_OBJECT_TYPE_AFFINITYRULE = 0x00000010,
    CLUSTER_OBJECT_TYPE_FAULTDOMAIN = 0x00000011,
} CLUSTER_OBJECT_TYPE;

typedef enum CLUSTER_CHANGE_CLUSTER_V2 {
    CLUSTER_CHANGE_CLUSTER_RECONNECT_V2 = 0x00000001,
    CLUSTER_CHANGE_CLUSTER_STATE_V2 = 0x00000002,
    CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2 = 0x00000004,
    CLUSTER_CHANGE_CLUSTER_HANDLE_CLOSE_V2 = 0x00000008,
    CLUSTER_CHANGE_CLUSTER_NETWORK_ADDED_V2 = 0x00000010,
    CLUSTER_CHANGE_CLUSTER_NODE_ADDED_V2 = 0x00000020,
    CLUSTER_CHANGE_CLUSTER_RESOURCE_TYPE_ADDED_V2 = 0x00000040,
    CLUSTER_CHANGE_CLUSTER_COMMON_PROPERTY_V2 = 0x00000080,
    CLUSTER_CHANGE_CLUSTER_PRIVATE_PROPERTY_V2 = 0x00000100,
    CLUSTER_CHANGE_CLUSTER_LOST_NOTIFICATIONS_V2 = 0x00000200,
    CLUSTER_CHANGE_CLUSTER_RENAME_V2 = 0x00000400,
    CLUSTER_CHANGE_CLUSTER_MEMBERSHIP_V2 = 0x00000800,
    CLUSTER_CHANGE_CLUSTER_UPGRADED_V2 = 0x00001000,
    CLUSTER_CHANGE_CLUSTER_ALL_V2 = 0x00001fff,
} CLUSTER_CHANGE_CLUSTER_V2;

typedef enum CLUSTER_CHANGE_GROUP_V2 {
    CLUSTER_CHANGE_GROUP_DELETED_V2 = 0x00000001,
    CLUSTER_CHANGE_GROUP_COMMON_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_GROUP_PRIVATE_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_GROUP_STATE_V2 = 0x00000008,
    CLUSTER_CHANGE_GROUP_OWNER_NODE_V2 = 0x00000010,
    CLUSTER_CHANGE_GROUP_PREFERRED_OWNERS_V2 = 0x00000020,
    CLUSTER_CHANGE_GROUP_RESOURCE_ADDED_V2 = 0x00000040,
    CLUSTER_CHANGE_GROUP_RESOURCE_GAINED_V2 = 0x00000080,
    CLUSTER_CHANGE_GROUP_RESOURCE_LOST_V2 = 0x00000100,
    CLUSTER_CHANGE_GROUP_HANDLE_CLOSE_V2 = 0x00000200,
    CLUSTER_CHANGE_GROUP_ALL_V2 = 0x000003ff,
} CLUSTER_CHANGE_GROUP_V2;

typedef enum CLUSTER_CHANGE_RESOURCE_V2 {
    CLUSTER_CHANGE_RESOURCE_COMMON_PROPERTY_V2 = 0x00000001,
    CLUSTER_CHANGE_RESOURCE_PRIVATE_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_RESOURCE_STATE_V2 = 0x00000004,
    CLUSTER_CHANGE_RESOURCE_OWNER_GROUP_V2 = 0x00000008,
    CLUSTER_CHANGE_RESOURCE_DEPENDENCIES_V2 = 0x00000010,
    CLUSTER_CHANGE_RESOURCE_DEPENDENTS_V2 = 0x00000020,
    CLUSTER_CHANGE_RESOURCE_POSSIBLE_OWNERS_V2 = 0x00000040,
    CLUSTER_CHANGE_RESOURCE_DELETED_V2 = 0x00000080,
    CLUSTER_CHANGE_RESOURCE_DLL_UPGRADED_V2 = 0x00000100,
    CLUSTER_CHANGE_RESOURCE_HANDLE_CLOSE_V2 = 0x00000200,
    CLUSTER_CHANGE_RESOURCE_TERMINAL_STATE_V2 = 0x00000400,
    CLUSTER_CHANGE_RESOURCE_ALL_V2 = 0x000007ff,
} CLUSTER_CHANGE_RESOURCE_V2;

typedef enum CLUSTER_CHANGE_RESOURCE_TYPE_V2 {
    CLUSTER_CHANGE_RESOURCE_TYPE_DELETED_V2 = 0x00000001,
    CLUSTER_CHANGE_RESOURCE_TYPE_COMMON_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_RESOURCE_TYPE_PRIVATE_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_RESOURCE_TYPE_POSSIBLE_OWNERS_V2 = 0x00000008,
    CLUSTER_CHANGE_RESOURCE_TYPE_DLL_UPGRADED_V2 = 0x00000010,
    CLUSTER_RESOURCE_TYPE_SPECIFIC_V2 = 0x00000020, /* the SDK's spelling */
    CLUSTER_CHANGE_RESOURCE_TYPE_SPECIFIC_V2 = CLUSTER_RESOURCE_TYPE_SPECIFIC_V2,
    CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2 = 0x0000003f,
} CLUSTER_CHANGE_RESOURCE_TYPE_V2;

typedef enum CLUSTER_CHANGE_NETINTERFACE_V2 {
    CLUSTER_CHANGE_NETINTERFACE_DELETED_V2 = 0x00000001,
    CLUSTER_CHANGE_NETINTERFACE_COMMON_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_NETINTERFACE_PRIVATE_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_NETINTERFACE_STATE_V2 = 0x00000008,
    CLUSTER_CHANGE_NETINTERFACE_HANDLE_CLOSE_V2 = 0x00000010,
    CLUSTER_CHANGE_NETINTERFACE_ALL_V2 = 0x0000001f,
} CLUSTER_CHANGE_NETINTERFACE_V2;

typedef enum CLUSTER_CHANGE_NETWORK_V2 {
    CLUSTER_CHANGE_NETWORK_DELETED_V2 = 0x00000001,
    CLUSTER_CHANGE_NETWORK_COMMON_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_NETWORK_PRIVATE_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_NETWORK_STATE_V2 = 0x00000008,
    CLUSTER_CHANGE_NETWORK_HANDLE_CLOSE_V2 = 0x00000010,
    CLUSTER_CHANGE_NETWORK_ALL_V2 = 0x0000001f,
} CLUSTER_CHANGE_NETWORK_V2;

typedef enum CLUSTER_CHANGE_NODE_V2 {
    CLUSTER_CHANGE_NODE_NETINTERFACE_ADDED_V2 = 0x00000001,
    CLUSTER_CHANGE_NODE_DELETED_V2 = 0x00000002,
    CLUSTER_CHANGE_NODE_COMMON_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_NODE_PRIVATE_PROPERTY_V2 = 0x00000008,
    CLUSTER_CHANGE_NODE_STATE_V2 = 0x00000010,
    CLUSTER_CHANGE_NODE_GROUP_GAINED_V2 = 0x00000020,
    CLUSTER_CHANGE_NODE_GROUP_LOST_V2 = 0x00000040,
    CLUSTER_CHANGE_NODE_HANDLE_CLOSE_V2 = 0x00000080,
    CLUSTER_CHANGE_NODE_ALL_V2 = 0x000000ff,
} CLUSTER_CHANGE_NODE_V2;

typedef enum CLUSTER_CHANGE_REGISTRY_V2 {
    CLUSTER_CHANGE_REGISTRY_ATTRIBUTES_V2 = 0x00000001,
    CLUSTER_CHANGE_REGISTRY_NAME_V2 = 0x00000002,
    CLUSTER_CHANGE_REGISTRY_SUBTREE_V2 = 0x00000004,
    CLUSTER_CHANGE_REGISTRY_VALUE_V2 = 0x00000008,
    CLUSTER_CHANGE_REGISTRY_HANDLE_CLOSE_V2 = 0x00000010,
    CLUSTER_CHANGE_REGISTRY_ALL_V2 = 0x0000001f,
} CLUSTER_CHANGE_REGISTRY_V2;

typedef enum CLUSTER_CHANGE_QUORUM_V2 {
    CLUSTER_CHANGE_QUORUM_STATE_V2 = 0x00000001,
    CLUSTER_CHANGE_QUORUM_ALL_V2 = 0x00000001,
} CLUSTER_CHANGE_QUORUM_V2;

typedef enum CLUSTER_CHANGE_SHARED_VOLUME_V2 {
    CLUSTER_CHANGE_SHARED_VOLUME_STATE_V2 = 0x00000001,
    CLUSTER_CHANGE_SHARED_VOLUME_ADDED_V2 = 0x00000002,
    CLUSTER_CHANGE_SHARED_VOLUME_REMOVED_V2 = 0x00000004,
    CLUSTER_CHANGE_SHARED_VOLUME_ALL_V2 = 0x00000007,
} CLUSTER_CHANGE_SHARED_VOLUME_V2;

/* Known by name only: there are no objects of these types here, so no event of them ever comes.
 * The spellings are the SDK's. */
typedef enum CLUSTER_CHANGE_GROUPSET_V2 {
    CLUSTER_CHANGE_GROUPSET_DELETED_v2 = 0x00000001,
    CLUSTER_CHANGE_GROUPSET_COMMON_PROPERTY_V2 = 0x00000002,
    CLUSTER_CHANGE_GROUPSET_PRIVATE_PROPERTY_V2 = 0x00000004,
    CLUSTER_CHANGE_GROUPSET_STATE_V2 = 0x00000008,
    CLUSTER_CHANGE_GROUPSET_GROUP_ADDED = 0x00000010,
    CLUSTER_CHANGE_GROUPSET_GROUP_REMOVED = 0x00000020,
    CLUSTER_CHANGE_GROUPSET_DEPENDENCIES_V2 = 0x00000040,
    CLUSTER_CHANGE_GROUPSET_DEPENDENTS_V2 = 0x00000080,
    CLUSTER_CHANGE_GROUPSET_HANDLE_CLOSE_v2 = 0x00000100,
    CLUSTER_CHANGE_GROUPSET_ALL_V2 = 0x000001ff,
} CLUSTER_CHANGE_GROUPSET_V2;

typedef enum CLUSTER_CHANGE_SPACEPORT_V2 {
    CLUSTER_CHANGE_SPACEPORT_CUSTOM_PNP_V2 = 0x00000001,
} CLUSTER_CHANGE_SPACEPORT_V2;

typedef enum CLUSTER_CHANGE_NODE_UPGRADE_PHASE_V2 {
    CLUSTER_CHANGE_UPGRADE_NODE_PREPARE = 0x00000001,
    CLUSTER_CHANGE_UPGRADE_NODE_COMMIT = 0x00000002,
    CLUSTER_CHANGE_UPGRADE_NODE_POSTCOMMIT = 0x00000004,
    CLUSTER_CHANGE_UPGRADE_ALL = 0x00000007,
} CLUSTER_CHANGE_NODE_UPGRADE_PHASE_V2;

/* A resource's creation is GROUP/RESOURCE_ADDED, a group's, network's, node's or type's is a flag
 * of CLUSTER, an interface's one of NODE. */

typedef struct _NOTIFY_FILTER_AND_TYPE {
    DWORD dwObjectType; /* CLUSTER_OBJECT_TYPE */
    LONGLONG FilterFlags;
} NOTIFY_FILTER_AND_TYPE, *PNOTIFY_FILTER_AND_TYPE;

/* The buffer of CLUSTER/CLUSTER_MEMBERSHIP. */
typedef struct _CLUSTER_MEMBERSHIP_INFO {
    BOOL HasQuorum;
    DWORD UpnodesSize; /* bytes that follow */
    BYTE Upnodes[1];
} CLUSTER_MEMBERSHIP_INFO, *PCLUSTER_MEMBERSHIP_INFO;

/* ---- functions ---- */

/* Makes a port, or adds a registration for a whole cluster to one.
 *   hChange      INVALID_HANDLE_VALUE: a new port; else the port to add to
 *   hCluster     the cluster to watch; INVALID_HANDLE_VALUE, with a new port only: none yet, and
 *                dwFilter is not looked at
 *   dwFilter     CLUSTER_CHANGE flags; registry flags watch the root key. 0 registers nothing
 *   dwNotifyKey  given back with each event; the library does not look into it
 * Returns the port, which the caller closes with CloseClusterNotifyPort; when adding, hChange. It
 * stays usable after CloseCluster. NULL on failure, and an existing port is as before:
 * ERROR_INVALID_HANDLE (either), ERROR_INVALID_PARAMETER (an existing port and no cluster, or a
 * port of another cluster), ERROR_NOT_ENOUGH_MEMORY, or the service's error. Changes from before
 * the call are not delivered. May wait for the service. [MS-CMRP] 3.1.4.2.56, .58. */
CLUSAPI_FUNCTION HCHANGE WINAPI CreateClusterNotifyPort(HCHANGE hChange, HCLUSTER hCluster,
                                                        DWORD dwFilter, DWORD_PTR dwNotifyKey);

/* Adds a registration for one object to a port.
 *   hChange       the port
 *   dwFilterType  flags of one object type: they say what hObject is. HANDLE_CLOSE goes with any.
 *                 REGISTRY_SUBTREE without another REGISTRY flag gives no events, nor does 0
 *   hObject       HCLUSTER (CLUSTER_*, RESOURCE_TYPE_*, QUORUM_STATE), HNODE, HGROUP, HRESOURCE,
 *                 HNETWORK, HNETINTERFACE or HKEY (relative to that key: the key itself, or with
 *                 REGISTRY_SUBTREE all below it too). It stays the caller's
 *   dwNotifyKey   given back with each event
 * The registration ends when hObject or the port is closed; there is no other way to end it. The
 * object is followed through renames. Registering twice delivers twice.
 * ERROR_SUCCESS; ERROR_INVALID_HANDLE (either, or of another type than the flags);
 * ERROR_INVALID_PARAMETER (flags of several types); ERROR_NOT_ENOUGH_MEMORY. Differs: network and
 * interface flags, missing from Microsoft's page, work. [MS-CMRP] 3.1.4.2.59 to .62,
 * ApiAddNotifyNetwork, ApiAddNotifyNetInterface. */
CLUSAPI_FUNCTION DWORD WINAPI RegisterClusterNotify(HCHANGE hChange, DWORD dwFilterType,
                                                    HANDLE hObject, DWORD_PTR dwNotifyKey);

/* The port's next event; waits for it.
 *   hChange         the port
 *   lpdwNotifyKey   out: the registration's key
 *   lpdwFilterType  out: exactly one CLUSTER_CHANGE flag
 *   lpszName        out: the object's name with its NUL. NULL: only the length is wanted
 *   lpcchName       in: lpszName's room in WCHARs with the NUL; out: the length without it. May be
 *                   NULL if lpszName is
 *   dwMilliseconds  the longest wait; 0 does not wait, INFINITE waits without end. A reader that
 *                   fell far behind gets its events from the service's disk: they take a moment,
 *                   and 0 may give WAIT_TIMEOUT before they are there. The event handle tells
 * ERROR_SUCCESS, and the event is consumed. ERROR_MORE_DATA: lpszName is too small; *lpcchName is
 * the length without the NUL, so call again with one more; the other outputs are set too, and the
 * event is kept for the next call. WAIT_TIMEOUT: no output is touched. ERROR_INVALID_HANDLE: no
 * such port, or it was closed during the wait. ERROR_INVALID_PARAMETER: lpdwNotifyKey or
 * lpdwFilterType is NULL, or lpcchName is while lpszName is not.
 * *lpcchName must be set anew before each call: it comes back as a length.
 * The state of the object may have gone on since: an event says that it changed, not what it is. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterNotify(HCHANGE hChange, DWORD_PTR *lpdwNotifyKey,
                                               LPDWORD lpdwFilterType, LPWSTR lpszName,
                                               LPDWORD lpcchName, DWORD dwMilliseconds);

/* Closes a port of either version. All who wait on it have returned ERROR_INVALID_HANDLE, and
 * events not yet fetched are gone, when this returns. Always TRUE, also for no port; NULL is fine.
 */
CLUSAPI_FUNCTION BOOL WINAPI CloseClusterNotifyPort(HCHANGE hChange);

/* As CreateClusterNotifyPort, for version 2.
 *   Filters        in: dwFilterCount pairs of a type and its flags; NULL if dwFilterCount is 0
 *   dwNotifyKey    one for all of them
 * Errors as there; ERROR_INVALID_PARAMETER also for an unknown type or flag: nothing is registered
 * then. [MS-CMRP] 3.1.4.2.136, .137. */
CLUSAPI_FUNCTION HCHANGE WINAPI CreateClusterNotifyPortV2(HCHANGE hChange, HCLUSTER hCluster,
                                                          NOTIFY_FILTER_AND_TYPE *Filters,
                                                          DWORD dwFilterCount,
                                                          DWORD_PTR dwNotifyKey);

/* As RegisterClusterNotify, for version 2. hObject: HGROUP for GROUP, HRESOURCE for RESOURCE,
 * HNODE, HNETWORK, HNETINTERFACE and HKEY likewise; HCLUSTER for CLUSTER, QUORUM, RESOURCE_TYPE and
 * SHARED_VOLUME. ERROR_INVALID_PARAMETER: an unknown type or flag. [MS-CMRP] 3.1.4.2.137. */
CLUSAPI_FUNCTION DWORD WINAPI RegisterClusterNotifyV2(HCHANGE hChange,
                                                      NOTIFY_FILTER_AND_TYPE Filter, HANDLE hObject,
                                                      DWORD_PTR dwNotifyKey);

/* The same for one resource type, which has no handle: Flags of CLUSTER_CHANGE_RESOURCE_TYPE_V2.
 * ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND; else as RegisterClusterNotifyV2. It ends with hCluster. */
CLUSAPI_FUNCTION DWORD WINAPI RegisterClusterResourceTypeNotifyV2(HCHANGE hChange,
                                                                  HCLUSTER hCluster, LONGLONG Flags,
                                                                  LPCWSTR resTypeName,
                                                                  DWORD_PTR dwNotifyKey);

/* The port's next event, version 2. Only hChange and lpdwNotifyKey are needed.
 *   pFilterAndType  out: the object type and exactly one flag
 *   buffer          out: what belongs to the event: a DWORD state, a property list, a text or
 *                   MULTI_SZ, an id; or nothing
 *   lpbBufferSize   in: buffer's room; out: its size; bytes, a text's NUL counted
 *   lpszObjectId, lpszParentId, lpszName, lpszType and their lpcch: as lpszName of
 *                   GetClusterNotify; "" where the event has none ([MS-CMRP] 3.1.4.2.138)
 * Without its size pointer a buffer is ERROR_INVALID_PARAMETER; a size pointer alone asks for the
 * size. ERROR_MORE_DATA if anything given is too small: all sizes are set and the event is kept.
 * The rest as GetClusterNotify. Differs: Microsoft's page speaks of lpszName alone there. */
CLUSAPI_FUNCTION DWORD WINAPI GetClusterNotifyV2(
    HCHANGE hChange, DWORD_PTR *lpdwNotifyKey, PNOTIFY_FILTER_AND_TYPE pFilterAndType,
    LPBYTE buffer, LPDWORD lpbBufferSize, LPWSTR lpszObjectId, LPDWORD lpcchObjectId,
    LPWSTR lpszParentId, LPDWORD lpcchParentId, LPWSTR lpszName, LPDWORD lpcchName, LPWSTR lpszType,
    LPDWORD lpcchType, DWORD dwMilliseconds);

/* An event handle for a port of either version, for WaitForSingleObject: signalled as long as an
 * event can be fetched without waiting or the port is closed. It belongs to the port and ends with
 * it; each call gives the same one. ERROR_SUCCESS, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER
 * (lphTargetEvent NULL), ERROR_NOT_ENOUGH_MEMORY. Microsoft's page does not say how it resets. */
CLUSAPI_FUNCTION DWORD WINAPI GetNotifyEventHandle(HCHANGE hChange, LPHANDLE lphTargetEvent);

CLUSAPI_END

#endif
