/* SPDX-License-Identifier: MIT */
#ifndef CLUSPORT_CLUSAPI_TYPES_H
#define CLUSPORT_CLUSAPI_TYPES_H

/* Handles, states and the constants of the object families. Part of clusapi.h. */

#include "windows.h"

CLUSAPI_BEGIN

#define CLUSAPI_VERSION_SERVER2008 0x00000600
#define CLUSAPI_VERSION_SERVER2008R2 0x00000700
#define CLUSAPI_VERSION_WINDOWS8 0x00000701
#ifndef CLUSAPI_VERSION
#define CLUSAPI_VERSION CLUSAPI_VERSION_WINDOWS8
#endif

/* ---- handles: opaque, checked at each use, of no meaning in another process ---- */

typedef struct _HCLUSTER *HCLUSTER;
typedef struct _HNODE *HNODE;
typedef struct _HGROUP *HGROUP;
typedef struct _HRESOURCE *HRESOURCE;
typedef struct _HNETWORK *HNETWORK;
typedef struct _HNETINTERFACE *HNETINTERFACE;
typedef struct _HCHANGE *HCHANGE;
typedef struct _HCLUSENUM *HCLUSENUM;
typedef struct _HNODEENUM *HNODEENUM;
typedef struct _HGROUPENUM *HGROUPENUM;
typedef struct _HRESENUM *HRESENUM;
typedef struct _HRESTYPEENUM *HRESTYPEENUM;
typedef struct _HNETWORKENUM *HNETWORKENUM;

/* ---- cluster ---- */

#define MAX_CLUSTERNAME_LENGTH 63

typedef enum CLUSTER_QUORUM_TYPE { OperationalQuorum = 0, ModifyQuorum = 1 } CLUSTER_QUORUM_TYPE;

#define CLUSTER_VERSION_FLAG_MIXED_MODE 0x00000001
#define CLUSTER_VERSION_UNKNOWN 0xffffffff
#define NT4_MAJOR_VERSION 1
#define NT4SP4_MAJOR_VERSION 2
#define NT5_MAJOR_VERSION 3
#define NT51_MAJOR_VERSION 4
#define NT6_MAJOR_VERSION 5
#define NT7_MAJOR_VERSION 6
#define NT8_MAJOR_VERSION 7
#define NT9_MAJOR_VERSION 8
#define NT10_MAJOR_VERSION 9
#define CLUSTER_MAKE_VERSION(_maj, _min) (((_maj) << 16) | (_min))
#define CLUSTER_GET_MAJOR_VERSION(_ver) ((_ver) >> 16)
#define CLUSTER_GET_MINOR_VERSION(_ver) ((_ver)&0xFFFF)

/* Texts are cut to fit, with their NUL. */
typedef struct CLUSTERVERSIONINFO_NT4 {
    DWORD dwVersionInfoSize;
    WORD MajorVersion;
    WORD MinorVersion;
    WORD BuildNumber;
    WCHAR szVendorId[64];
    WCHAR szCSDVersion[64];
} CLUSTERVERSIONINFO_NT4, *PCLUSTERVERSIONINFO_NT4;

typedef struct CLUSTERVERSIONINFO {
    DWORD dwVersionInfoSize; /* in: its size in bytes, or that of the struct above */
    WORD MajorVersion;
    WORD MinorVersion;
    WORD BuildNumber;
    WCHAR szVendorId[64];
    WCHAR szCSDVersion[64];
    DWORD dwClusterHighestVersion;
    DWORD dwClusterLowestVersion;
    DWORD dwFlags;
    DWORD dwReserved;
} CLUSTERVERSIONINFO, *LPCLUSTERVERSIONINFO, *PCLUSTERVERSIONINFO;

#define CLUSTER_INSTALLED 0x00000001
#define CLUSTER_CONFIGURED 0x00000002
#define CLUSTER_RUNNING 0x00000010

typedef enum NODE_CLUSTER_STATE {
    ClusterStateNotInstalled = 0x00000000,
    ClusterStateNotConfigured = CLUSTER_INSTALLED,
    ClusterStateNotRunning = CLUSTER_INSTALLED | CLUSTER_CONFIGURED,
    ClusterStateRunning = CLUSTER_INSTALLED | CLUSTER_CONFIGURED | CLUSTER_RUNNING,
} NODE_CLUSTER_STATE;

#define CLUSAPI_READ_ACCESS 0x00000001
#define CLUSAPI_CHANGE_ACCESS 0x00000002
#define CLUSAPI_NO_ACCESS 0x00000004
#define CLUSAPI_ALL_ACCESS (CLUSAPI_READ_ACCESS | CLUSAPI_CHANGE_ACCESS)

__extension__ typedef enum CLUSTER_ENUM {
    CLUSTER_ENUM_NODE = 0x00000001,
    CLUSTER_ENUM_RESTYPE = 0x00000002,
    CLUSTER_ENUM_RESOURCE = 0x00000004,
    CLUSTER_ENUM_GROUP = 0x00000008,
    CLUSTER_ENUM_NETWORK = 0x00000010,
    CLUSTER_ENUM_NETINTERFACE = 0x00000020,
    CLUSTER_ENUM_INTERNAL_NETWORK = 0x80000000,
    CLUSTER_ENUM_ALL = 0x0000003f,
} CLUSTER_ENUM;

/* ---- node ---- */

typedef enum CLUSTER_NODE_STATE {
    ClusterNodeStateUnknown = -1,
    ClusterNodeUp = 0,
    ClusterNodeDown = 1,
    ClusterNodePaused = 2,
    ClusterNodeJoining = 3,
} CLUSTER_NODE_STATE;

typedef enum CLUSTER_NODE_ENUM {
    CLUSTER_NODE_ENUM_NETINTERFACES = 0x00000001,
    CLUSTER_NODE_ENUM_GROUPS = 0x00000002,
    CLUSTER_NODE_ENUM_ALL = 0x00000003,
} CLUSTER_NODE_ENUM;

/* ---- group ---- */

typedef enum CLUSTER_GROUP_STATE {
    ClusterGroupStateUnknown = -1,
    ClusterGroupOnline = 0,
    ClusterGroupOffline = 1,
    ClusterGroupFailed = 2,
    ClusterGroupPartialOnline = 3,
    ClusterGroupPending = 4,
} CLUSTER_GROUP_STATE;

typedef enum CLUSTER_GROUP_ENUM {
    CLUSTER_GROUP_ENUM_CONTAINS = 0x00000001,
    CLUSTER_GROUP_ENUM_NODES = 0x00000002,
    CLUSTER_GROUP_ENUM_ALL = 0x00000003,
} CLUSTER_GROUP_ENUM;

typedef enum CLUSTER_GROUP_AUTOFAILBACK_TYPE {
    ClusterGroupPreventFailback = 0,
    ClusterGroupAllowFailback = 1,
    ClusterGroupFailbackTypeCount = 2,
} CLUSTER_GROUP_AUTOFAILBACK_TYPE,
    CGAFT;

/* ---- resource ---- */

typedef enum CLUSTER_RESOURCE_STATE {
    ClusterResourceStateUnknown = -1,
    ClusterResourceInherited = 0,
    ClusterResourceInitializing = 1,
    ClusterResourceOnline = 2,
    ClusterResourceOffline = 3,
    ClusterResourceFailed = 4,
    ClusterResourcePending = 128,
    ClusterResourceOnlinePending = 129,
    ClusterResourceOfflinePending = 130,
} CLUSTER_RESOURCE_STATE;

typedef enum CLUSTER_RESOURCE_RESTART_ACTION {
    ClusterResourceDontRestart = 0,
    ClusterResourceRestartNoNotify = 1,
    ClusterResourceRestartNotify = 2,
    ClusterResourceRestartActionCount = 3,
} CLUSTER_RESOURCE_RESTART_ACTION,
    CRRA;

typedef enum CLUSTER_RESOURCE_CREATE_FLAGS {
    CLUSTER_RESOURCE_DEFAULT_MONITOR = 0,
    CLUSTER_RESOURCE_SEPARATE_MONITOR = 1,
    CLUSTER_RESOURCE_VALID_FLAGS = 1,
} CLUSTER_RESOURCE_CREATE_FLAGS;

typedef enum CLUSTER_RESOURCE_ENUM {
    CLUSTER_RESOURCE_ENUM_DEPENDS = 0x00000001,
    CLUSTER_RESOURCE_ENUM_PROVIDES = 0x00000002,
    CLUSTER_RESOURCE_ENUM_NODES = 0x00000004,
    CLUSTER_RESOURCE_ENUM_ALL = 0x00000007,
} CLUSTER_RESOURCE_ENUM;

typedef enum CLUSTER_RESOURCE_TYPE_ENUM {
    CLUSTER_RESOURCE_TYPE_ENUM_NODES = 0x00000001,
    CLUSTER_RESOURCE_TYPE_ENUM_RESOURCES = 0x00000002,
    CLUSTER_RESOURCE_TYPE_ENUM_ALL = 0x00000003,
} CLUSTER_RESOURCE_TYPE_ENUM;

/* ---- network and network interface ---- */

typedef enum CLUSTER_NETWORK_STATE {
    ClusterNetworkStateUnknown = -1,
    ClusterNetworkUnavailable = 0,
    ClusterNetworkDown = 1,
    ClusterNetworkPartitioned = 2,
    ClusterNetworkUp = 3,
} CLUSTER_NETWORK_STATE;

typedef enum CLUSTER_NETWORK_ENUM {
    CLUSTER_NETWORK_ENUM_NETINTERFACES = 0x00000001,
    CLUSTER_NETWORK_ENUM_ALL = 0x00000001,
} CLUSTER_NETWORK_ENUM;

typedef enum CLUSTER_NETWORK_ROLE {
    ClusterNetworkRoleNone = 0,
    ClusterNetworkRoleInternalUse = 1,
    ClusterNetworkRoleClientAccess = 2,
    ClusterNetworkRoleInternalAndClient = 3,
} CLUSTER_NETWORK_ROLE;

/* [MS-CMRP] prints other numbers; these are the header's, which programs are compiled with. */
typedef enum CLUSTER_NETINTERFACE_STATE {
    ClusterNetInterfaceStateUnknown = -1,
    ClusterNetInterfaceUnavailable = 0,
    ClusterNetInterfaceFailed = 1,
    ClusterNetInterfaceUnreachable = 2,
    ClusterNetInterfaceUp = 3,
} CLUSTER_NETINTERFACE_STATE;

CLUSAPI_END

#endif
