/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <stdlib.h>

#include "history/recorder.h"

/* The public functions that the promises speak of, in front of the library's. */

#define EXPORTED __attribute__((visibility("default")))
#define NEXT(function)                                                                             \
    static __typeof__(&function) next;                                                             \
    if (!next)                                                                                     \
    next = (__typeof__(&function))find_next(#function)

/* A function whose arguments are put by `put_arguments`, and which is called as `call`. */
#define RECORDED(type, function, parameters, call, put_arguments, put_results)                     \
    EXPORTED type WINAPI function parameters                                                       \
    {                                                                                              \
        NEXT(function);                                                                            \
        if (!is_recording())                                                                       \
            return next call;                                                                      \
        struct line l;                                                                             \
        line_begin(&l, #function);                                                                 \
        put_arguments;                                                                             \
        line_write(&l);                                                                            \
        type result = next call;                                                                   \
        line_end(&l, (uint64_t)result);                                                            \
        put_results;                                                                               \
        line_write(&l);                                                                            \
        return result;                                                                             \
    }

/* ---- handles ---- */

RECORDED(
    HCLUSTER, OpenCluster, (LPCWSTR name), (name), {
        put_wide(&l, "name", name);
        put_plain(&l, "socket", getenv("CLUSPORT_SOCKET"));
    }, )

#define OPENS(type, function)                                                                      \
    RECORDED(                                                                                      \
        type, function, (HCLUSTER cluster, LPCWSTR name), (cluster, name), {                       \
            put_handle(&l, "through", cluster);                                                    \
            put_wide(&l, "name", name);                                                            \
        }, )
OPENS(HNODE, OpenClusterNode)
OPENS(HGROUP, OpenClusterGroup)
OPENS(HRESOURCE, OpenClusterResource)
OPENS(HNETWORK, OpenClusterNetwork)
OPENS(HNETINTERFACE, OpenClusterNetInterface)
OPENS(HGROUP, CreateClusterGroup)
RECORDED(
    HRESOURCE, CreateClusterResource, (HGROUP group, LPCWSTR name, LPCWSTR kind, DWORD flags),
    (group, name, kind, flags), {
        put_handle(&l, "group", group);
        put_wide(&l, "name", name);
    }, )

#define ON_HANDLE(type, function, handle_type)                                                     \
    RECORDED(type, function, (handle_type h), (h), put_handle(&l, "h", h), )
ON_HANDLE(HCLUSTER, GetClusterFromNode, HNODE)
ON_HANDLE(HCLUSTER, GetClusterFromGroup, HGROUP)
ON_HANDLE(HCLUSTER, GetClusterFromResource, HRESOURCE)
ON_HANDLE(HCLUSTER, GetClusterFromNetwork, HNETWORK)
ON_HANDLE(HCLUSTER, GetClusterFromNetInterface, HNETINTERFACE)
ON_HANDLE(BOOL, CloseCluster, HCLUSTER)
ON_HANDLE(BOOL, CloseClusterNode, HNODE)
ON_HANDLE(BOOL, CloseClusterGroup, HGROUP)
ON_HANDLE(BOOL, CloseClusterResource, HRESOURCE)
ON_HANDLE(BOOL, CloseClusterNetwork, HNETWORK)
ON_HANDLE(BOOL, CloseClusterNetInterface, HNETINTERFACE)
ON_HANDLE(LONG, ClusterRegCloseKey, HKEY)
ON_HANDLE(BOOL, CloseClusterNotifyPort, HCHANGE)
ON_HANDLE(DWORD, DeleteClusterGroup, HGROUP)
ON_HANDLE(DWORD, DeleteClusterResource, HRESOURCE)

/* ---- the registry ---- */

RECORDED(HKEY, GetClusterKey, (HCLUSTER cluster, REGSAM access), (cluster, access),
         put_handle(&l, "through", cluster), )
RECORDED(
    LONG, ClusterRegOpenKey, (HKEY key, LPCWSTR name, REGSAM access, PHKEY opened),
    (key, name, access, opened),
    {
        put_handle(&l, "h", key);
        put_wide(&l, "name", name);
    },
    if (result == 0) put_handle(&l, "key", *opened))
RECORDED(
    LONG, ClusterRegCreateKey,
    (HKEY key, LPCWSTR name, DWORD options, REGSAM access, LPSECURITY_ATTRIBUTES security,
     PHKEY opened, LPDWORD disposition),
    (key, name, options, access, security, opened, disposition),
    {
        put_handle(&l, "h", key);
        put_wide(&l, "name", name);
    },
    if (result == 0) put_handle(&l, "key", *opened))
RECORDED(
    LONG, ClusterRegDeleteKey, (HKEY key, LPCWSTR name), (key, name), {
        put_handle(&l, "h", key);
        put_wide(&l, "name", name);
    }, )
RECORDED(
    DWORD, ClusterRegSetValue, (HKEY key, LPCWSTR name, DWORD type, CONST BYTE *data, DWORD size),
    (key, name, type, data, size), {
        put_handle(&l, "h", key);
        put_wide(&l, "name", name);
        put_number(&l, "type", type);
        put_bytes(&l, "data", data, size);
    }, )
RECORDED(
    DWORD, ClusterRegDeleteValue, (HKEY key, LPCWSTR name), (key, name), {
        put_handle(&l, "h", key);
        put_wide(&l, "name", name);
    }, )

/* ---- ports ---- */

#define PORT_LEFT 234u /* ERROR_MORE_DATA: the event is shown, and stays */

RECORDED(
    HCHANGE, CreateClusterNotifyPort, (HCHANGE port, HCLUSTER cluster, DWORD filter, DWORD_PTR key),
    (port, cluster, filter, key), {
        put_handle(&l, "port", port);
        put_handle(&l, "h", cluster);
        put_number(&l, "flags", filter);
        put_number(&l, "key", key);
    }, )
RECORDED(
    DWORD, RegisterClusterNotify, (HCHANGE port, DWORD filter, HANDLE h, DWORD_PTR key),
    (port, filter, h, key), {
        put_handle(&l, "port", port);
        put_handle(&l, "h", h);
        put_number(&l, "flags", filter);
        put_number(&l, "key", key);
    }, )

/* Longer lists than any test's are cut: the line says how many there were. */
#define FILTERS_MOST 64

static void put_filters(struct line *l, const NOTIFY_FILTER_AND_TYPE *filters, DWORD count)
{
    char name[16] = "type0";
    put_number(l, "count", count);
    for (DWORD i = 0; filters && i < count && i < FILTERS_MOST; i++) {
        name[4] = (char)('0' + i);
        put_number(l, name, filters[i].dwObjectType);
        char flags[] = {'f', 'l', 'a', 'g', name[4], '\0'};
        put_number(l, flags, (uint64_t)filters[i].FilterFlags);
    }
}

RECORDED(
    HCHANGE, CreateClusterNotifyPortV2,
    (HCHANGE port, HCLUSTER cluster, NOTIFY_FILTER_AND_TYPE *filters, DWORD count, DWORD_PTR key),
    (port, cluster, filters, count, key), {
        put_handle(&l, "port", port);
        put_handle(&l, "h", cluster);
        put_filters(&l, filters, count);
        put_number(&l, "key", key);
    }, )
RECORDED(
    DWORD, RegisterClusterNotifyV2,
    (HCHANGE port, NOTIFY_FILTER_AND_TYPE filter, HANDLE h, DWORD_PTR key), (port, filter, h, key),
    {
        put_handle(&l, "port", port);
        put_handle(&l, "h", h);
        put_filters(&l, &filter, 1);
        put_number(&l, "key", key);
    }, )
RECORDED(
    DWORD, RegisterClusterResourceTypeNotifyV2,
    (HCHANGE port, HCLUSTER h, LONGLONG flags, LPCWSTR name, DWORD_PTR key),
    (port, h, flags, name, key), {
        put_handle(&l, "port", port);
        put_handle(&l, "h", h);
        put_number(&l, "flags", (uint64_t)flags);
        put_wide(&l, "name", name);
        put_number(&l, "key", key);
    }, )

RECORDED(
    DWORD, GetClusterNotify,
    (HCHANGE port, DWORD_PTR *key, LPDWORD filter, LPWSTR name, LPDWORD length, DWORD ms),
    (port, key, filter, name, length, ms),
    {
        put_handle(&l, "port", port);
        put_number(&l, "ms", ms);
    },
    if (result == 0 || result == PORT_LEFT) {
        put_number(&l, "key", *key);
        put_number(&l, "flag", *filter);
        if (length)
            put_number(&l, "length", *length);
        if (result == 0)
            put_wide(&l, "name", name);
    })

struct v2_text {
    const char *name;
    const WCHAR *text;
    const DWORD *length;
};

static void put_v2(struct line *l, DWORD result, const struct v2_text *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char length[] = {t[i].name[0], 'l', '\0'};
        if (t[i].length)
            put_number(l, length, *t[i].length);
        if (result == 0)
            put_wide(l, t[i].name, t[i].text);
    }
}

RECORDED(
    DWORD, GetClusterNotifyV2,
    (HCHANGE port, DWORD_PTR *key, PNOTIFY_FILTER_AND_TYPE filter, LPBYTE buffer, LPDWORD size,
     LPWSTR id, LPDWORD id_length, LPWSTR parent, LPDWORD parent_length, LPWSTR name,
     LPDWORD name_length, LPWSTR type, LPDWORD type_length, DWORD ms),
    (port, key, filter, buffer, size, id, id_length, parent, parent_length, name, name_length, type,
     type_length, ms),
    {
        put_handle(&l, "port", port);
        put_number(&l, "ms", ms);
    },
    if (result == 0 || result == PORT_LEFT) {
        put_number(&l, "key", *key);
        if (filter) {
            put_number(&l, "otype", filter->dwObjectType);
            put_number(&l, "oflag", (uint64_t)filter->FilterFlags);
        }
        if (size && buffer && result == 0)
            put_bytes(&l, "buffer", buffer, *size);
        put_v2(&l, result,
               (struct v2_text[]){{"id", id, id_length},
                                  {"parent", parent, parent_length},
                                  {"name", name, name_length},
                                  {"type", type, type_length}},
               4);
    })

static void put_create(struct line *l, HCLUSTER cluster, const CLUSPORT_FILTER *filters,
                       DWORD count, const CLUSPORT_OPTIONS *options)
{
    put_handle(l, "h", cluster);
    put_number(l, "count", count);
    for (DWORD i = 0; filters && i < count && i < FILTERS_MOST; i++) {
        char kinds[] = {'k', 'i', 'n', 'd', (char)('0' + i), '\0'};
        char object[] = {'o', 'b', 'j', (char)('0' + i), '\0'};
        char key[] = {'k', 'e', 'y', (char)('0' + i), '\0'};
        put_plain(l, kinds, filters[i].pszKinds);
        put_handle(l, object, filters[i].hObject);
        put_number(l, key, filters[i].dwKey);
    }
    if (options && options->fSince)
        put_number(l, "since", options->ullSince);
    if (options && options->fSnapshot)
        put_number(l, "snapshot", 1);
}

RECORDED(DWORD, ClusportCreatePort,
         (HCLUSTER cluster, const CLUSPORT_FILTER *filters, DWORD count,
          const CLUSPORT_OPTIONS *options, HCHANGE *made),
         (cluster, filters, count, options, made), put_create(&l, cluster, filters, count, options),
         if (result == 0) put_handle(&l, "port", *made))

static void put_notification(struct line *l, const CLUSPORT_NOTIFICATION *n)
{
    put_number(l, "key", n->dwKey);
    put_number(l, "flag", n->dwFlag);
    put_plain(l, "kind", n->pszKind);
    put_number(l, "revision", n->ullRevision);
    put_number(l, "transaction", n->ullTransaction);
    put_number(l, "last", (uint64_t)n->fLast);
    put_number(l, "initial", (uint64_t)n->fInitial);
    put_number(l, "time", (uint64_t)n->llTime);
    put_wide(l, "id", n->pszObjectId);
    put_wide(l, "parent", n->pszParentId);
    put_wide(l, "node", n->pszNodeId);
    put_wide(l, "name", n->pszName);
    put_wide(l, "type", n->pszTypeName);
    put_number(l, "old", n->dwOldState);
    put_number(l, "new", n->dwNewState);
    if (n->ullLostFirst) {
        put_number(l, "lost_first", n->ullLostFirst);
        put_number(l, "lost_last", n->ullLostLast);
        put_number(l, "lost_count", n->ullLostCount);
    }
}

RECORDED(
    DWORD, ClusportGetNotification, (HCHANGE port, DWORD ms, CLUSPORT_NOTIFICATION **n),
    (port, ms, n),
    {
        put_handle(&l, "port", port);
        put_number(&l, "ms", ms);
    },
    if (result == 0) put_notification(&l, *n))

RECORDED(DWORD, ClusportGetRevision, (HCLUSTER cluster, ULONGLONG *revision), (cluster, revision),
         put_handle(&l, "h", cluster), if (result == 0) put_number(&l, "revision", *revision))
