/* SPDX-License-Identifier: MIT */
#ifndef CLUSPORT_H
#define CLUSPORT_H

/* What ClusPort gives beyond the Windows Failover Cluster API. Include clusapi.h, or this alone.
 *
 * The cluster keeps one log of changes. Each change has a revision, a 64-bit number that counts up
 * by one and is the same on every node. A notification port is a set of filters and a position in
 * that log. So a program can name the place where it is, come back to it in another process, and
 * join "how things are" with "what happens from then on" without a gap.
 *
 * Promises, for every port:
 * - Order: notifications come in the order of revisions; those of one change in the order in which
 *   the registrations were made.
 * - No silent gap: a change that matches is delivered, or lies in a range of revisions that is
 *   reported as lost. A range is lost when a reader falls behind what the service keeps on disk.
 *   Version 1 ports can only show it as CLUSTER_CHANGE_CLUSTER_RECONNECT, and only to registrations
 *   with that flag; version 2 ports as CLUSTER_CHANGE_CLUSTER_LOST_NOTIFICATIONS_V2 likewise. The
 *   calls here always show it, with its extent.
 * - Once committed, then visible: what a notification tells has been written to disk.
 * - A port survives a restart of the service, and goes on where it was.
 *
 * Functions return a Win32 error code, 0 (ERROR_SUCCESS) for success, and touch no output on
 * failure. Beside those named with a function, each may give those that clusapi.h names for all.
 * All may be called from any thread. Strings of type char are UTF-8. A struct that begins with
 * cbSize grows at its end only: set cbSize to sizeof before a call that reads it. */

#include "clusapi.h"

CLUSAPI_BEGIN

/* The library's version, "0.1.0"; static. */
CLUSAPI_FUNCTION const char *WINAPI ClusportVersion(void);

/* ---- kinds of changes ---- */

typedef struct CLUSPORT_KIND {
    const char *pszName;   /* "resource.state"; static, and never changes its meaning */
    const char *pszObject; /* what it is about: "resource", "group", ... */
    DWORD dwFlag;          /* version 1's CLUSTER_CHANGE flag; 0: version 1 has none */
    DWORD dwObjectType;    /* version 2's CLUSTER_OBJECT_TYPE and flag */
    LONGLONG llFlag;
} CLUSPORT_KIND;

/* The kinds of changes, by index from 0. ERROR_NO_MORE_ITEMS after the last;
 * ERROR_INVALID_PARAMETER (pKind NULL). */
CLUSAPI_FUNCTION DWORD WINAPI ClusportEnumKinds(DWORD dwIndex, CLUSPORT_KIND *pKind);

/* ---- ports ---- */

typedef struct CLUSPORT_FILTER {
    DWORD cbSize;
    /* Names of kinds with commas between them: "resource.state", "group.*", "*". NULL: all. */
    const char *pszKinds;
    /* Changes of this object only: a handle of any kind that clusapi.h opens; a key counts with all
     * that is below it. NULL: of all objects. It may be closed after the call. */
    HANDLE hObject;
    DWORD_PTR dwKey; /* given back with each notification */
} CLUSPORT_FILTER;

typedef struct CLUSPORT_OPTIONS {
    DWORD cbSize;
    /* Begin with the change after this revision; only if fSince. A revision that was read from
     * ClusportGetRevision() or a notification, perhaps by another process. */
    BOOL fSince;
    ULONGLONG ullSince;
    /* First every object that there is, as notifications with fInitial; then every change after
     * them. Each object is given to each filter that has a kind of its type of object. */
    BOOL fSnapshot;
} CLUSPORT_OPTIONS;

/* Makes a port that ClusportGetNotification() reads; the notification calls of clusapi.h refuse it
 * with ERROR_INVALID_HANDLE, but for GetNotifyEventHandle and CloseClusterNotifyPort, which ends
 * it. hCluster   may be closed after the call pFilters   dwCount of them; a change that matches
 * several is given once for each. dwCount 0: one filter for everything, its key 0 pOptions   NULL:
 * begin with the next change phPort     out ERROR_INVALID_HANDLE (hCluster, a filter's object),
 * ERROR_INVALID_PARAMETER (a name that matches no kind, fSince with fSnapshot, a revision that lies
 * ahead, a cbSize), ERROR_NOT_ENOUGH_MEMORY, or the service's error. May wait for the service. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportCreatePort(HCLUSTER hCluster, const CLUSPORT_FILTER *pFilters,
                                                 DWORD dwCount, const CLUSPORT_OPTIONS *pOptions,
                                                 HCHANGE *phPort);

/* A descriptor that is readable (poll, epoll, select) as long as a call on the port would not wait
 * or the port is closed. It is made at the first call and belongs to the port: do not read from it
 * and do not close it; take it out of your loop before you close the port. Any port.
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (pfd NULL), ERROR_NOT_ENOUGH_MEMORY,
 * ERROR_TOO_MANY_OPEN_FILES. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportGetFd(HCHANGE hPort, int *pfd);

typedef enum CLUSPORT_VALUE_KIND {
    ClusportValueNone = 0,
    ClusportValueNumber = 1,     /* dwNumber */
    ClusportValueText = 2,       /* a WCHAR text with its NUL */
    ClusportValueTextList = 3,   /* a MULTI_SZ of WCHARs */
    ClusportValueProperties = 4, /* a property list, as the control codes give */
    ClusportValueRegistry = 5,   /* dwNumber: the REG_* type; the data as ClusterRegQueryValue's */
    ClusportValueBytes = 6,
} CLUSPORT_VALUE_KIND;

typedef struct CLUSPORT_VALUE {
    DWORD dwKind; /* CLUSPORT_VALUE_KIND */
    DWORD dwNumber;
    const void *pData; /* NULL if cbData is 0 */
    DWORD cbData;
} CLUSPORT_VALUE;

/* All that is known of one event. No pointer in it is NULL but those of values; a text that does
 * not apply is "". */
typedef struct CLUSPORT_NOTIFICATION {
    DWORD cbSize;
    DWORD dwFlag;       /* version 1's; 0: none */
    DWORD dwObjectType; /* version 2's */
    LONGLONG llFlag;
    DWORD_PTR dwKey; /* of the registration that it is for */
    /* The kind: a name of ClusportEnumKinds(), or one of those that the port makes itself:
     * "port.lost", "port.reconnect", "port.cluster-lost", "port.handle-close". These have no
     * revision. */
    const char *pszKind;
    const char *pszObject;    /* "resource", ...; "" for the port's own */
    ULONGLONG ullRevision;    /* 0: the port's own */
    ULONGLONG ullTransaction; /* the revision of the first change that was made together with it */
    BOOL fLast;               /* the last change of those */
    BOOL fInitial;            /* not a change: an object, as the snapshot found it */
    LONGLONG llTime;          /* nanoseconds since 1970, by the clock of the node that made it */
    const WCHAR *pszObjectId;
    const WCHAR *pszParentId; /* a resource's group, a group's node, a registry value's name */
    const WCHAR *pszNodeId;   /* of the node that hosts it */
    const WCHAR *pszName;     /* as it is after the change; of a key, its path */
    const WCHAR *pszTypeName; /* of a resource */
    DWORD dwOldState;         /* the API's numbers; (DWORD)-1: not a change of state */
    DWORD dwNewState;
    CLUSPORT_VALUE OldValue;
    CLUSPORT_VALUE NewValue;
    /* Who did it, and why: "request", "failure", "failover", "dependency", "admin", "engine". */
    const WCHAR *pszActorNode;
    const WCHAR *pszActorProgram;
    DWORD dwActorUid;
    DWORD dwActorPid;
    const char *pszReason;
    /* "port.lost": the changes with these revisions could not be kept for this port. Else 0. */
    ULONGLONG ullLostFirst;
    ULONGLONG ullLostLast;
    ULONGLONG ullLostCount;
} CLUSPORT_NOTIFICATION;

/* The port's next notification; waits for it. Any port: on those of clusapi.h it gives the events
 * that GetClusterNotify or GetClusterNotifyV2 would have given, and losses always.
 *   dwMilliseconds  as GetClusterNotify's: 0 does not wait, INFINITE waits without end
 *   ppNotification  out: the caller's, to be freed with ClusportFreeNotification()
 * WAIT_TIMEOUT; ERROR_INVALID_HANDLE: no port, or it was closed during the wait;
 * ERROR_INVALID_PARAMETER (ppNotification NULL); ERROR_NOT_ENOUGH_MEMORY: the notification is kept
 * for the next call. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportGetNotification(HCHANGE hPort, DWORD dwMilliseconds,
                                                      CLUSPORT_NOTIFICATION **ppNotification);
/* NULL is fine. */
CLUSAPI_FUNCTION void WINAPI ClusportFreeNotification(CLUSPORT_NOTIFICATION *pNotification);

/* ---- the cluster's log, and who reads it ---- */

/* The revision of the last change. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportGetRevision(HCLUSTER hCluster, ULONGLONG *pullRevision);

typedef struct CLUSPORT_PORT {
    DWORD cbSize;
    DWORD dwPid;
    DWORD dwUid;
    DWORD dwVersion;        /* 1, 2; 3: made by ClusportCreatePort */
    DWORD dwRegistrations;  /* filters that it has */
    DWORD dwWaiting;        /* threads in a call on it */
    const char *pszProgram; /* the process's name when it connected */
    const char *pszKinds;   /* all that it listens to, as in CLUSPORT_FILTER */
    ULONGLONG ullId;        /* within its process */
    LONGLONG llCreated;     /* nanoseconds since 1970 */
    ULONGLONG ullPosition;  /* revision of the last change that it is done with */
    ULONGLONG ullLag;       /* changes after that, whether they match or not */
    ULONGLONG ullDelivered; /* notifications */
    ULONGLONG ullLost;      /* changes */
} CLUSPORT_PORT;

/* The ports of all local programs. *ppPorts: *pdwCount of them, the caller's, to be freed with
 * ClusportFreePorts(). Each process keeps its own counters, and they are as true as it is. A port
 * that has had no registration yet is not in the list. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportListPorts(HCLUSTER hCluster, CLUSPORT_PORT **ppPorts,
                                                DWORD *pdwCount);
/* NULL is fine. */
CLUSAPI_FUNCTION void WINAPI ClusportFreePorts(CLUSPORT_PORT *pPorts);

typedef struct CLUSPORT_SERVICE_INFO {
    DWORD cbSize; /* in: sizeof */
    DWORD dwPid;
    char szVersion[32];
    WCHAR szClusterName[64];
    WCHAR szNodeName[64];
    ULONGLONG ullFirstRevision; /* the oldest change that is still kept; 0: none yet */
    ULONGLONG ullLastRevision;
} CLUSPORT_SERVICE_INFO;

/* About the service behind the handle. Texts are cut to fit. */
CLUSAPI_FUNCTION DWORD WINAPI ClusportGetServiceInfo(HCLUSTER hCluster,
                                                     CLUSPORT_SERVICE_INFO *pInfo);

CLUSAPI_END

#endif
