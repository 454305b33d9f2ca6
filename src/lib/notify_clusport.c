/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "clusport.h"
#include "lib/notify_describe.h"
#include "lib/notify_port.h"
#include "port/filter.h"
#include "rpc/rpc_interface.h"

/* The ports of clusport.h. */

/* One name or pattern: "resource.state", "resource.*", "*". false: no kind matches. */
static bool add_pattern(uint64_t *kinds, const char *pattern, size_t length)
{
    bool star = length > 0 && pattern[length - 1] == '*';
    size_t prefix = star ? length - 1 : length;
    bool any = false;

    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++) {
        const char *name = change_kind_info(kind)->json;
        if (strncmp(name, pattern, prefix) != 0 || (!star && name[prefix] != '\0'))
            continue;
        filter_add_kind(kinds, kind);
        any = true;
    }
    return any;
}

static bool parse_kinds(const char *names, uint64_t *kinds)
{
    for (const char *at = names ? names : "*";;) {
        size_t length = strcspn(at, ",");
        if (!add_pattern(kinds, at, length))
            return false;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

/* What a port is made from. */
struct request {
    struct own_filter {
        uint64_t kinds[PORT_KIND_WORDS];
        char *object_id;
        uint64_t key;
    } * filters;
    DWORD count;
    uint64_t from; /* 0: the next change */
    struct buffer snapshot;
};

static void request_fini(struct request *r)
{
    for (DWORD i = 0; r->filters && i < r->count; i++)
        free(r->filters[i].object_id);
    free(r->filters);
    buffer_fini(&r->snapshot);
}

/* Ids are unique within a type of object only. */
static uint32_t take_object(struct own_filter *f, HANDLE handle, const struct object *cluster)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, LIB_HANDLE_ANY);
    if (!o || (o != cluster && o->cluster != cluster))
        return ERR_INVALID_HANDLE;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        if (change_kind_info(kind)->object != o->type)
            f->kinds[kind / 64] &= ~(1ull << kind % 64);
    if (o->type == OBJECT_CLUSTER)
        return 0;
    f->object_id = strdup(o->id);
    return f->object_id ? 0 : ERR_NOT_ENOUGH_MEMORY;
}

static uint32_t take_filter(struct own_filter *f, const CLUSPORT_FILTER *from,
                            const struct object *cluster)
{
    if (from->cbSize < sizeof(*from) || !parse_kinds(from->pszKinds, f->kinds))
        return ERR_INVALID_PARAMETER;
    f->key = from->dwKey;
    return from->hObject ? take_object(f, from->hObject, cluster) : 0;
}

static uint32_t take_filters(struct request *r, const CLUSPORT_FILTER *filters, DWORD count,
                             const struct object *cluster)
{
    static const CLUSPORT_FILTER everything = {.cbSize = sizeof(everything)};

    r->count = count ? count : 1;
    r->filters = calloc(r->count, sizeof(*r->filters));
    if (!r->filters)
        return ERR_NOT_ENOUGH_MEMORY;
    if (count == 0)
        return take_filter(&r->filters[0], &everything, cluster);
    for (DWORD i = 0; i < count; i++) {
        uint32_t error = take_filter(&r->filters[i], &filters[i], cluster);
        if (error != 0)
            return error;
    }
    return 0;
}

static uint32_t read_snapshot(struct session *s, struct request *r)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct private_Snapshot a = {0};
    struct session_call call = {.interface = &rpc_private,
                                .op = &private_op_Snapshot,
                                .args = &a,
                                .arena = &arena,
                                .read = true};
    uint32_t error = session_call(s, &call);
    if (error != 0)
        return error;
    r->from = (uint64_t)a.revision + 1;
    if (buffer_append(&r->snapshot, a.objects.data, a.objects.size) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    return 0;
}

static uint32_t take_options(struct request *r, const CLUSPORT_OPTIONS *o, struct session *s)
{
    if (!o)
        return 0;
    if (o->cbSize < sizeof(*o) || (o->fSince && o->fSnapshot) ||
        (o->fSince && o->ullSince == UINT64_MAX))
        return ERR_INVALID_PARAMETER;
    if (o->fSince)
        r->from = o->ullSince + 1;
    return o->fSnapshot ? read_snapshot(s, r) : 0;
}

static int add_own(struct port *p, const struct object *o, const char *name, uint64_t next_revision,
                   void *context)
{
    struct request *r = context;
    (void)o;
    (void)name;
    if (r->from > next_revision)
        return -EINVAL;
    for (DWORD i = 0; i < r->count; i++) {
        const struct own_filter *f = &r->filters[i];
        int e = port_add_kinds(p, f->kinds, f->object_id, f->key, 0, NULL,
                               r->from ? r->from : next_revision);
        if (e < 0)
            return e;
    }
    if (r->snapshot.size > 0)
        port_set_snapshot(p, &r->snapshot);
    return 0;
}

static uint32_t make_port(struct object *cluster, struct request *r, HCHANGE *ret)
{
    HCHANGE h = NULL;
    uint32_t error = notify_port_create(PORT_OWN, &h);
    if (error != 0)
        return error;
    _cleanup_(notify_port_unrefp) struct notify_port *p = notify_port_acquire(h, NOTIFY_OWN);
    error = p ? notify_port_register(p, cluster, false, add_own, r) : ERR_INVALID_HANDLE;
    if (error != 0)
        notify_port_close(h);
    else
        *ret = h;
    return error;
}

DWORD WINAPI ClusportCreatePort(HCLUSTER hCluster, const CLUSPORT_FILTER *pFilters, DWORD dwCount,
                                const CLUSPORT_OPTIONS *pOptions, HCHANGE *phPort)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(request_fini) struct request r = {0};

    if (!cluster)
        return ERR_INVALID_HANDLE;
    if (!phPort || (dwCount > 0 && !pFilters))
        return ERR_INVALID_PARAMETER;
    uint32_t error = take_filters(&r, pFilters, dwCount, cluster);
    if (error == 0)
        error = take_options(&r, pOptions, cluster->session);
    return error == 0 ? make_port(cluster, &r, phPort) : error;
}

DWORD WINAPI ClusportGetFd(HCHANGE hPort, int *pfd)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p =
        notify_port_acquire(hPort, NOTIFY_V1 | NOTIFY_V2 | NOTIFY_OWN);
    if (!p)
        return ERR_INVALID_HANDLE;
    if (!pfd)
        return ERR_INVALID_PARAMETER;
    return notify_event_get(p, pfd, NULL);
}

static uint32_t take_all(const struct port_notification *n, void *context)
{
    int r = notify_describe(n, context);
    return r < 0 ? error_from_errno(r) : 0;
}

DWORD WINAPI ClusportGetNotification(HCHANGE hPort, DWORD dwMilliseconds,
                                     CLUSPORT_NOTIFICATION **ppNotification)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p =
        notify_port_acquire(hPort, NOTIFY_V1 | NOTIFY_V2 | NOTIFY_OWN);
    if (!p)
        return ERR_INVALID_HANDLE;
    if (!ppNotification)
        return ERR_INVALID_PARAMETER;
    return notify_port_next(p, dwMilliseconds, true, take_all, ppNotification);
}

void WINAPI ClusportFreeNotification(CLUSPORT_NOTIFICATION *pNotification)
{
    free(pNotification);
}
