/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/macro.h"
#include "clusapi.h"
#include "lib/notify_api.h"
#include "lib/wide.h"

/* The notification calls of version 1. */

struct v1_request {
    uint32_t flags;
    uint64_t key;
    bool targeted; /* at the handle's object; else at all of the cluster */
};

static int add_v1(struct port *p, const struct object *o, const char *name, uint64_t next_revision,
                  void *context)
{
    const struct v1_request *r = context;
    return port_add_v1(p, r->flags, o->type, r->targeted ? o->id : NULL, r->key,
                       lib_handle_word(o->word), name, next_revision);
}

static uint32_t register_v1(struct notify_port *p, struct object *o, void *request)
{
    struct v1_request *r = request;
    if (r->flags == 0)
        return 0;
    return notify_port_register(p, o, r->flags & CLUSTER_CHANGE_HANDLE_CLOSE, add_v1, r);
}

HCHANGE WINAPI CreateClusterNotifyPort(HCHANGE hChange, HCLUSTER hCluster, DWORD dwFilter,
                                       DWORD_PTR dwNotifyKey)
{
    struct v1_request r = {.flags = dwFilter, .key = dwNotifyKey};
    return notify_api_create(hChange, hCluster, PORT_V1, register_v1, &r);
}

DWORD WINAPI RegisterClusterNotify(HCHANGE hChange, DWORD dwFilterType, HANDLE hObject,
                                   DWORD_PTR dwNotifyKey)
{
    struct v1_request r = {.flags = dwFilterType, .key = dwNotifyKey, .targeted = true};
    return notify_api_register(hChange, hObject, PORT_V1, register_v1, &r);
}

struct v1_result {
    DWORD_PTR *key;
    DWORD *filter;
    WCHAR *name;
    DWORD *name_length;
};

static uint32_t take_v1(const struct port_notification *n, void *context)
{
    const struct v1_result *r = context;
    *r->key = (DWORD_PTR)n->key;
    *r->filter = n->v1_flag;
    return wide_give(n->name, r->name, r->name_length);
}

DWORD WINAPI GetClusterNotify(HCHANGE hChange, DWORD_PTR *lpdwNotifyKey, LPDWORD lpdwFilterType,
                              LPWSTR lpszName, LPDWORD lpcchName, DWORD dwMilliseconds)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p = notify_port_acquire(hChange, NOTIFY_V1);
    if (!p)
        return ERR_INVALID_HANDLE;
    if (!lpdwNotifyKey || !lpdwFilterType || (lpszName && !lpcchName))
        return ERR_INVALID_PARAMETER;
    struct v1_result r = {lpdwNotifyKey, lpdwFilterType, lpszName, lpcchName};
    return notify_port_next(p, dwMilliseconds, false, take_v1, &r);
}

BOOL WINAPI CloseClusterNotifyPort(HCHANGE hChange)
{
    notify_port_close(hChange);
    return TRUE;
}

DWORD WINAPI GetNotifyEventHandle(HCHANGE hChange, LPHANDLE lphTargetEvent)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p =
        notify_port_acquire(hChange, NOTIFY_V1 | NOTIFY_V2 | NOTIFY_OWN);
    if (!p)
        return ERR_INVALID_HANDLE;
    if (!lphTargetEvent)
        return ERR_INVALID_PARAMETER;
    return notify_event_get(p, NULL, lphTargetEvent);
}
