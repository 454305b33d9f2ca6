/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "clusport.h"
#include "lib/object.h"
#include "lib/wide.h"
#include "port/filter.h"
#include "port/port_table.h"
#include "rpc/rpc_interface.h"

/* What clusport.h tells about the log and those who read it. */

#define VERSION "0.1.0"

const char *WINAPI ClusportVersion(void)
{
    return VERSION;
}

DWORD WINAPI ClusportEnumKinds(DWORD dwIndex, CLUSPORT_KIND *pKind)
{
    if (!pKind)
        return ERR_INVALID_PARAMETER;
    if (dwIndex >= CHANGE_KIND_COUNT - 1)
        return ERR_NO_MORE_ITEMS;
    const struct change_kind_info *info = change_kind_info(dwIndex + 1);
    *pKind = (CLUSPORT_KIND){.pszName = info->json,
                             .pszObject = object_type_name(info->object),
                             .dwFlag = info->v1,
                             .dwObjectType = info->v2_type,
                             .llFlag = info->v2_flag};
    return ERR_SUCCESS;
}

static uint32_t read_head(struct session *s, uint64_t *ret)
{
    _cleanup_(feed_unrefp) struct feed *feed = NULL;
    uint32_t error = session_feed(s, &feed, NULL);
    if (error == 0)
        *ret = feed_head_revision(feed);
    return error;
}

DWORD WINAPI ClusportGetRevision(HCLUSTER hCluster, ULONGLONG *pullRevision)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    if (!cluster)
        return ERR_INVALID_HANDLE;
    if (!pullRevision)
        return ERR_INVALID_PARAMETER;
    return read_head(cluster->session, pullRevision);
}

static uint32_t private_call(struct session *s, const struct rpc_op *op, void *args,
                             struct rpc_arena *arena)
{
    struct session_call call = {
        .interface = &rpc_private, .op = op, .args = args, .arena = arena, .read = true};
    return session_call(s, &call);
}

/* ---- ports ---- */

/* The array, and behind it the texts that it points to; offsets until they lie there. */
struct list {
    CLUSPORT_PORT *ports;
    size_t count, capacity;
    struct buffer texts;
};

static void list_fini(struct list *l)
{
    free(l->ports);
    buffer_fini(&l->texts);
}

static const char *add_text(struct list *l, const char *text, size_t size)
{
    size_t offset = l->texts.size;
    buffer_append(&l->texts, text, size);
    return (const char *)(uintptr_t)offset;
}

static const char *add_kinds(struct list *l, const uint64_t *kinds)
{
    size_t offset = l->texts.size;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        if (filter_has_kind(kinds, kind))
            buffer_printf(&l->texts, "%s%s", l->texts.size > offset ? "," : "",
                          change_kind_info(kind)->json);
    buffer_append(&l->texts, "", 1);
    return (const char *)(uintptr_t)offset;
}

static int list_add(struct list *l, const struct port_listing *from, uint64_t head)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 16;
        CLUSPORT_PORT *ports = reallocarray(l->ports, capacity, sizeof(*ports));
        if (!ports)
            return -ENOMEM;
        l->ports = ports;
        l->capacity = capacity;
    }
    const struct port_info *p = &from->port;
    uint64_t position = p->revision ? p->revision - 1 : 0;
    l->ports[l->count++] = (CLUSPORT_PORT){
        .cbSize = sizeof(CLUSPORT_PORT),
        .dwPid = from->pid,
        .dwUid = from->uid,
        .dwVersion = p->version,
        .dwRegistrations = p->registrations,
        .dwWaiting = p->waiting,
        .pszProgram = add_text(l, from->program, strlen(from->program) + 1),
        .pszKinds = add_kinds(l, p->kinds),
        .ullId = p->id,
        .llCreated = p->created_ns,
        .ullPosition = position,
        .ullLag = head > position ? head - position : 0,
        .ullDelivered = p->delivered,
        .ullLost = p->lost,
    };
    return buffer_failed(&l->texts) ? -ENOMEM : 0;
}

static int list_read(struct list *l, const void *data, size_t size, uint64_t head)
{
    struct reader r = reader_over(data, size);
    struct port_listing line;
    int e;

    while ((e = port_listing_next(&r, &line)) > 0) {
        e = list_add(l, &line, head);
        if (e < 0)
            break;
    }
    return e;
}

static CLUSPORT_PORT *list_finish(const struct list *l)
{
    size_t size = l->count * sizeof(CLUSPORT_PORT);
    CLUSPORT_PORT *ports = malloc(size + l->texts.size + 1);
    if (!ports)
        return NULL;
    char *texts = (char *)ports + size;
    if (l->count > 0) {
        memcpy(ports, l->ports, size);
        memcpy(texts, l->texts.data, l->texts.size);
    }
    for (size_t i = 0; i < l->count; i++) {
        ports[i].pszProgram = texts + (uintptr_t)ports[i].pszProgram;
        ports[i].pszKinds = texts + (uintptr_t)ports[i].pszKinds;
    }
    return ports;
}

DWORD WINAPI ClusportListPorts(HCLUSTER hCluster, CLUSPORT_PORT **ppPorts, DWORD *pdwCount)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(list_fini) struct list l = {0};
    struct private_ListPorts a = {0};
    uint64_t head = 0;

    if (!cluster)
        return ERR_INVALID_HANDLE;
    if (!ppPorts || !pdwCount)
        return ERR_INVALID_PARAMETER;
    uint32_t error = private_call(cluster->session, &private_op_ListPorts, &a, &arena);
    if (error == 0)
        error = read_head(cluster->session, &head);
    if (error != 0)
        return error;
    int e = list_read(&l, a.ports.data, a.ports.size, head);
    if (e < 0)
        return error_from_errno(e);
    CLUSPORT_PORT *ports = list_finish(&l);
    if (!ports)
        return ERR_NOT_ENOUGH_MEMORY;
    *ppPorts = ports;
    *pdwCount = (DWORD)l.count;
    return ERR_SUCCESS;
}

void WINAPI ClusportFreePorts(CLUSPORT_PORT *pPorts)
{
    free(pPorts);
}

/* ---- the service ---- */

static void cut(char *to, size_t room, const char *text)
{
    size_t length = MIN(strlen(text), room - 1);
    memcpy(to, text, length);
    to[length] = '\0';
}

DWORD WINAPI ClusportGetServiceInfo(HCLUSTER hCluster, CLUSPORT_SERVICE_INFO *pInfo)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct private_ServiceInfo a = {0};

    if (!cluster)
        return ERR_INVALID_HANDLE;
    if (!pInfo || pInfo->cbSize < sizeof(*pInfo))
        return ERR_INVALID_PARAMETER;
    uint32_t error = private_call(cluster->session, &private_op_ServiceInfo, &a, &arena);
    if (error != 0)
        return error;
    CLUSPORT_SERVICE_INFO info = {.cbSize = sizeof(info),
                                  .dwPid = a.pid,
                                  .ullFirstRevision = (ULONGLONG)a.first_revision,
                                  .ullLastRevision = (ULONGLONG)a.last_revision};
    DWORD room = ARRAY_SIZE(info.szClusterName);
    cut(info.szVersion, sizeof(info.szVersion), a.version ? a.version : "");
    wide_give(a.cluster_name, info.szClusterName, &room);
    room = ARRAY_SIZE(info.szNodeName);
    wide_give(a.node_name, info.szNodeName, &room);
    *pInfo = info;
    return ERR_SUCCESS;
}
