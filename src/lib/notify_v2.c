/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "clusapi.h"
#include "lib/control_translate.h"
#include "lib/notify_api.h"
#include "lib/wide.h"
#include "port/filter.h"

/* The notification calls of version 2. */

struct v2_request {
    const NOTIFY_FILTER_AND_TYPE *filters;
    DWORD count;
    uint64_t key;
    bool targeted;         /* at the handle's object; else at all of the cluster */
    const char *type_name; /* not NULL: at this resource type */
};

/* A type has no handle of its own: registered through the cluster's, all types are meant. */
static const char *target_of(const struct v2_request *r, const struct object *o, DWORD type)
{
    if (r->type_name)
        return r->type_name;
    return r->targeted && type != CLUSTER_OBJECT_TYPE_RESOURCE_TYPE ? o->id : NULL;
}

static int add_v2(struct port *p, const struct object *o, const char *name, uint64_t next_revision,
                  void *context)
{
    const struct v2_request *r = context;
    for (DWORD i = 0; i < r->count; i++) {
        const NOTIFY_FILTER_AND_TYPE *f = &r->filters[i];
        if (r->targeted && f->dwObjectType == CLUSTER_OBJECT_TYPE_RESOURCE_TYPE &&
            o->type != OBJECT_CLUSTER)
            return -EBADF;
        int e = port_add_v2(p, f->dwObjectType, f->FilterFlags, o->type,
                            target_of(r, o, f->dwObjectType), r->key, lib_handle_word(o->word),
                            name, next_revision);
        if (e < 0)
            return e;
    }
    return 0;
}

static uint32_t register_v2(struct notify_port *p, struct object *o, void *request)
{
    struct v2_request *r = request;
    bool wants_name = false;

    if (r->count == 0)
        return 0;
    if (!r->filters)
        return ERR_INVALID_PARAMETER;
    for (DWORD i = 0; i < r->count; i++)
        wants_name |=
            (r->filters[i].FilterFlags & filter_v2_handle_close(r->filters[i].dwObjectType)) != 0;
    return notify_port_register(p, o, wants_name, add_v2, r);
}

HCHANGE WINAPI CreateClusterNotifyPortV2(HCHANGE hChange, HCLUSTER hCluster,
                                         NOTIFY_FILTER_AND_TYPE *Filters, DWORD dwFilterCount,
                                         DWORD_PTR dwNotifyKey)
{
    struct v2_request r = {.filters = Filters, .count = dwFilterCount, .key = dwNotifyKey};
    return notify_api_create(hChange, hCluster, PORT_V2, register_v2, &r);
}

DWORD WINAPI RegisterClusterNotifyV2(HCHANGE hChange, NOTIFY_FILTER_AND_TYPE Filter, HANDLE hObject,
                                     DWORD_PTR dwNotifyKey)
{
    struct v2_request r = {.filters = &Filter, .count = 1, .key = dwNotifyKey, .targeted = true};
    return notify_api_register(hChange, hObject, PORT_V2, register_v2, &r);
}

DWORD WINAPI RegisterClusterResourceTypeNotifyV2(HCHANGE hChange, HCLUSTER hCluster, LONGLONG Flags,
                                                 LPCWSTR resTypeName, DWORD_PTR dwNotifyKey)
{
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_RESOURCE_TYPE, Flags};
    _cleanup_free_
    char *name = NULL;
    if (!resTypeName)
        return ERR_INVALID_PARAMETER;
    int e = wide_to_utf8(resTypeName, &name);
    if (e < 0)
        return error_from_errno(e);
    CLUS_RESOURCE_CLASS_INFO info;
    DWORD error = ClusterResourceTypeControl(hCluster, resTypeName, NULL,
                                             CLUSCTL_RESOURCE_TYPE_GET_CLASS_INFO, NULL, 0, &info,
                                             sizeof(info), NULL);
    if (error != 0)
        return error;
    struct v2_request r = {
        .filters = &filter, .count = 1, .key = dwNotifyKey, .targeted = true, .type_name = name};
    return notify_api_register(hChange, hCluster, PORT_V2, register_v2, &r);
}

struct v2_text {
    WCHAR *buffer;
    DWORD *length;
};

struct v2_result {
    DWORD_PTR *key;
    NOTIFY_FILTER_AND_TYPE *filter;
    BYTE *buffer;
    DWORD *buffer_size;
    struct v2_text object_id, parent_id, name, type_name;
};

static enum shape shape_of(const struct change *c)
{
    const struct change_kind_info *info = change_kind_info(c->kind);
    if (info->buffer == BUFFER_PARENT || info->buffer == BUFFER_NODE)
        return SHAPE_TEXT;
    const struct change_value *v = info->buffer == BUFFER_OLD ? &c->old_value : &c->new_value;
    switch (v->kind) {
    case VALUE_TEXT:
    case VALUE_TEXT_LIST:
        return SHAPE_TEXT;
    case VALUE_PROPERTIES:
        return SHAPE_PROPERTIES;
    default:
        return SHAPE_BYTES;
    }
}

static uint32_t give_buffer(const struct v2_result *r, const struct change *c)
{
    _cleanup_(buffer_fini) struct buffer wire = {0}, native = {0};
    if (!r->buffer_size)
        return 0;
    int e = 0;
    if (c->kind != CHANGE_NONE) {
        e = change_v2_buffer(c, &wire);
        if (e == 0 && wire.size > 0)
            e = translate_from_wire(shape_of(c), wire.data, wire.size, &native);
    }
    if (e < 0)
        return error_from_errno(e);
    DWORD room = *r->buffer_size;
    *r->buffer_size = (DWORD)native.size;
    if (!r->buffer || native.size == 0)
        return 0;
    if (native.size > room)
        return ERR_MORE_DATA;
    memcpy(r->buffer, native.data, native.size);
    return 0;
}

/* All sizes are told, also when the first buffer is too small. */
static uint32_t take_v2(const struct port_notification *n, void *context)
{
    struct v2_result *r = context;
    const struct {
        const struct v2_text *to;
        const char *text;
    } texts[] = {{&r->object_id, n->object_id},
                 {&r->parent_id, n->parent_id},
                 {&r->name, n->name},
                 {&r->type_name, n->type_name}};

    *r->key = (DWORD_PTR)n->key;
    if (r->filter)
        *r->filter = (NOTIFY_FILTER_AND_TYPE){n->v2_type, n->v2_flag};
    uint32_t error = give_buffer(r, &n->change);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        uint32_t e = wide_give(texts[i].text, texts[i].to->buffer, texts[i].to->length);
        if (error == 0 || (error == ERR_MORE_DATA && e != 0))
            error = e;
    }
    return error;
}

DWORD WINAPI GetClusterNotifyV2(HCHANGE hChange, DWORD_PTR *lpdwNotifyKey,
                                PNOTIFY_FILTER_AND_TYPE pFilterAndType, LPBYTE buffer,
                                LPDWORD lpbBufferSize, LPWSTR lpszObjectId, LPDWORD lpcchObjectId,
                                LPWSTR lpszParentId, LPDWORD lpcchParentId, LPWSTR lpszName,
                                LPDWORD lpcchName, LPWSTR lpszType, LPDWORD lpcchType,
                                DWORD dwMilliseconds)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p = notify_port_acquire(hChange, NOTIFY_V2);
    if (!p)
        return ERR_INVALID_HANDLE;
    if (!lpdwNotifyKey || (buffer && !lpbBufferSize) || (lpszObjectId && !lpcchObjectId) ||
        (lpszParentId && !lpcchParentId) || (lpszName && !lpcchName) || (lpszType && !lpcchType))
        return ERR_INVALID_PARAMETER;
    struct v2_result r = {
        .key = lpdwNotifyKey,
        .filter = pFilterAndType,
        .buffer = buffer,
        .buffer_size = lpbBufferSize,
        .object_id = {lpszObjectId, lpcchObjectId},
        .parent_id = {lpszParentId, lpcchParentId},
        .name = {lpszName, lpcchName},
        .type_name = {lpszType, lpcchType},
    };
    return notify_port_next(p, dwMilliseconds, false, take_v2, &r);
}
