/* SPDX-License-Identifier: MIT */
#include "storm/wire_library.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "rpc/rpc_interface.h"

#define EXPORTED __attribute__((visibility("default")))
#define NAME_ROOM 256

/* What any handle stands for. Never freed, so that no handle comes twice. */
struct wire_object {
    struct wire_object *next;
    struct wire_object *cluster; /* itself for a cluster */
    struct rpc_client *client;   /* a cluster's */
    struct rpc_context context;
    const struct rpc_op *add; /* registers it on a port; NULL: a key, or nothing that can be */
    /* A port's: what the last call brought and was not given yet. */
    struct rpc_arena arena;
    struct rpc_notifications list;
    struct rpc_notifications_v2 list_v2;
    unsigned calls;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wire_object *all;

static struct wire_object *make(struct wire_object *cluster, struct rpc_context context)
{
    struct wire_object *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->cluster = cluster ? cluster : o;
    o->context = context;
    pthread_mutex_lock(&lock);
    o->next = all;
    all = o;
    pthread_mutex_unlock(&lock);
    return o;
}

/* The call's code, or the operation's. */
static DWORD call_in(struct wire_object *o, const struct rpc_op *op, void *args,
                     struct rpc_arena *arena)
{
    DWORD error = rpc_client_call(o->cluster->client, &rpc_cmrp, op, args, arena);
    return error != 0 ? error : rpc_op_status(op, args);
}

static DWORD call(struct wire_object *o, const struct rpc_op *op, void *args)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    return call_in(o, op, args, &arena);
}

static char *narrow(LPCWSTR text, char out[NAME_ROOM])
{
    size_t i = 0;
    for (; text[i]; i++) {
        if (i == NAME_ROOM - 1 || text[i] > 0x7e)
            abort();
        out[i] = (char)text[i];
    }
    out[i] = '\0';
    return out;
}

static void widen(const char *text, LPWSTR out, LPDWORD length)
{
    DWORD i = 0;
    if (!out)
        return;
    for (; text[i]; i++) {
        if (i + 1 >= *length)
            abort();
        out[i] = (unsigned char)text[i];
    }
    out[i] = 0;
    *length = i;
}

/* ---- handles ---- */

EXPORTED HCLUSTER WINAPI OpenCluster(LPCWSTR name)
{
    struct rpc_client *client = NULL;
    struct cmrp_OpenCluster a = {0};
    (void)name;
    if (rpc_client_connect_unix(getenv("CLUSPORT_SOCKET"), &client) != 0)
        return NULL;
    struct wire_object *o = make(NULL, (struct rpc_context){0});
    o->client = client;
    if (call(o, &cmrp_op_OpenCluster, &a) != 0) {
        rpc_client_unref(TAKE_PTR(o->client));
        return NULL;
    }
    o->context = a.cluster;
    return (HCLUSTER)o;
}

EXPORTED BOOL WINAPI CloseCluster(HCLUSTER cluster)
{
    struct wire_object *o = (struct wire_object *)cluster;
    rpc_client_unref(TAKE_PTR(o->client));
    return TRUE;
}

bool wire_broken(HCLUSTER cluster, int milliseconds)
{
    struct rpc_client *client = ((struct wire_object *)cluster)->client;
    struct pollfd watch = {.fd = rpc_client_watch_fd(client)};
    return poll(&watch, 1, milliseconds) > 0;
}

static void *make_object(struct wire_object *cluster, struct rpc_context context,
                         const struct rpc_op *add)
{
    struct wire_object *o = make(cluster, context);
    o->add = add;
    return o;
}

#define OBJECT(kind, field, type)                                                                  \
    EXPORTED type WINAPI OpenCluster##kind(HCLUSTER cluster, LPCWSTR name)                         \
    {                                                                                              \
        char text[NAME_ROOM];                                                                      \
        struct wire_object *c = (struct wire_object *)cluster;                                     \
        struct cmrp_Open##kind a = {.name = narrow(name, text)};                                   \
        return call(c, &cmrp_op_Open##kind, &a) == 0                                               \
                   ? make_object(c, a.field, &cmrp_op_AddNotify##kind)                             \
                   : NULL;                                                                         \
    }                                                                                              \
    EXPORTED BOOL WINAPI CloseCluster##kind(type h)                                                \
    {                                                                                              \
        struct wire_object *o = (struct wire_object *)h;                                           \
        struct cmrp_Close##kind a = {.field = o->context};                                         \
        return call(o, &cmrp_op_Close##kind, &a) == 0;                                             \
    }
OBJECT(Node, node, HNODE)
OBJECT(Group, group, HGROUP)
OBJECT(Resource, resource, HRESOURCE)

EXPORTED HKEY WINAPI GetClusterKey(HCLUSTER cluster, REGSAM access)
{
    struct wire_object *c = (struct wire_object *)cluster;
    struct cmrp_GetRootKey a = {.access = access};
    return call(c, &cmrp_op_GetRootKey, &a) == 0 ? (HKEY)make(c, a.key) : NULL;
}

EXPORTED LONG WINAPI ClusterRegOpenKey(HKEY key, LPCWSTR name, REGSAM access, PHKEY opened)
{
    char text[NAME_ROOM];
    struct wire_object *o = (struct wire_object *)key;
    struct cmrp_OpenKey a = {.parent = o->context, .subkey = narrow(name, text), .access = access};
    DWORD error = call(o, &cmrp_op_OpenKey, &a);
    if (error == 0)
        *opened = (HKEY)make(o->cluster, a.key);
    return (LONG)error;
}

EXPORTED LONG WINAPI ClusterRegCloseKey(HKEY key)
{
    struct wire_object *o = (struct wire_object *)key;
    struct cmrp_CloseKey a = {.key = o->context};
    return (LONG)call(o, &cmrp_op_CloseKey, &a);
}

/* ---- ports ---- */

static HCHANGE make_port(struct wire_object *c, const struct rpc_op *op)
{
    struct cmrp_CreateNotify a = {0};
    return call(c, op, &a) == 0 ? (HCHANGE)make(c, a.notify) : NULL;
}

EXPORTED HCHANGE WINAPI CreateClusterNotifyPort(HCHANGE port, HCLUSTER cluster, DWORD filter,
                                                DWORD_PTR key)
{
    struct wire_object *c = (struct wire_object *)cluster;
    if (port == INVALID_HANDLE_VALUE)
        port = make_port(c, &cmrp_op_CreateNotify);
    if (!port || filter == 0)
        return port;
    struct cmrp_AddNotifyCluster a = {.notify = ((struct wire_object *)port)->context,
                                      .cluster = c->context,
                                      .filter = filter,
                                      .notify_key = (uint32_t)key};
    return call(c, &cmrp_op_AddNotifyCluster, &a) == 0 ? port : NULL;
}

_Static_assert(sizeof(struct cmrp_AddNotifyGroup) == sizeof(struct cmrp_AddNotifyNode), "");
_Static_assert(sizeof(struct cmrp_AddNotifyGroup) == sizeof(struct cmrp_AddNotifyResource), "");
_Static_assert(sizeof(struct cmrp_CreateNotify) == sizeof(struct cmrp_CreateNotifyV2), "");

EXPORTED DWORD WINAPI RegisterClusterNotify(HCHANGE port, DWORD filter, HANDLE h, DWORD_PTR key)
{
    struct wire_object *o = h;
    const struct rpc_context *p = &((struct wire_object *)port)->context;

    if (o->add) {
        struct cmrp_AddNotifyGroup a = {
            .notify = *p, .group = o->context, .filter = filter, .notify_key = (uint32_t)key};
        return call(o, o->add, &a);
    }
    struct cmrp_AddNotifyKey a = {.notify = *p,
                                  .key = o->context,
                                  .notify_key = (uint32_t)key,
                                  .filter = filter & ~(DWORD)CLUSTER_CHANGE_REGISTRY_SUBTREE,
                                  .watch_subtree = (filter & CLUSTER_CHANGE_REGISTRY_SUBTREE) != 0};
    return call(o, &cmrp_op_AddNotifyKey, &a);
}

static DWORD add_v2(struct wire_object *o, HCHANGE port, NOTIFY_FILTER_AND_TYPE filter,
                    DWORD_PTR key, bool targeted)
{
    struct cmrp_AddNotifyV2 a = {
        .notify = ((struct wire_object *)port)->context,
        .object = o->context,
        .filter = {.object_type = filter.dwObjectType, .flags = filter.FilterFlags},
        .notify_key = (uint32_t)key,
        .version = 2,
        .targeted = targeted};
    return call(o, &cmrp_op_AddNotifyV2, &a);
}

EXPORTED HCHANGE WINAPI CreateClusterNotifyPortV2(HCHANGE port, HCLUSTER cluster,
                                                  PNOTIFY_FILTER_AND_TYPE filters, DWORD count,
                                                  DWORD_PTR key)
{
    struct wire_object *c = (struct wire_object *)cluster;
    if (port == INVALID_HANDLE_VALUE)
        port = make_port(c, &cmrp_op_CreateNotifyV2);
    for (DWORD i = 0; port && i < count; i++)
        if (add_v2(c, port, filters[i], key, false) != 0)
            return NULL;
    return port;
}

EXPORTED DWORD WINAPI RegisterClusterNotifyV2(HCHANGE port, NOTIFY_FILTER_AND_TYPE filter, HANDLE h,
                                              DWORD_PTR key)
{
    return add_v2(h, port, filter, key, true);
}

EXPORTED BOOL WINAPI CloseClusterNotifyPort(HCHANGE port)
{
    struct wire_object *p = (struct wire_object *)port;
    struct cmrp_CloseNotify a = {.notify = p->context};
    rpc_arena_fini(&p->arena);
    return call(p, &cmrp_op_CloseNotify, &a) == 0;
}

/* ---- events: by the call that brings one, and by that which brings many ---- */

static DWORD get_one(struct wire_object *p, struct rpc_notification *ret)
{
    struct cmrp_GetNotify a = {.notify = p->context};
    DWORD error = call_in(p, &cmrp_op_GetNotify, &a, &p->arena);
    *ret = (struct rpc_notification){.key = a.notify_key, .filter = a.filter, .name = a.name};
    return error;
}

static DWORD get_many(struct wire_object *p)
{
    struct cmrp_GetNotifyAsync a = {.notify = p->context};
    DWORD error = call_in(p, &cmrp_op_GetNotifyAsync, &a, &p->arena);
    if (error == 0)
        p->list = a.notifications;
    return error;
}

EXPORTED DWORD WINAPI GetClusterNotify(HCHANGE port, DWORD_PTR *key, LPDWORD filter, LPWSTR name,
                                       LPDWORD length, DWORD milliseconds)
{
    struct wire_object *p = (struct wire_object *)port;
    struct rpc_notification n;
    (void)milliseconds;
    if (p->list.count == 0) {
        rpc_arena_fini(&p->arena);
        bool one = p->calls++ % 2 == 0;
        DWORD error = one ? get_one(p, &n) : get_many(p);
        if (error != 0)
            return error;
        if (one)
            p->list = (struct rpc_notifications){.entries = &n, .count = 1};
    }
    const struct rpc_notification *first = p->list.entries++;
    p->list.count--;
    *key = first->key;
    *filter = first->filter;
    widen(first->name, name, length);
    return 0;
}

EXPORTED DWORD WINAPI GetClusterNotifyV2(HCHANGE port, DWORD_PTR *key,
                                         PNOTIFY_FILTER_AND_TYPE filter, LPBYTE buffer,
                                         LPDWORD size, LPWSTR id, LPDWORD id_length, LPWSTR parent,
                                         LPDWORD parent_length, LPWSTR name, LPDWORD name_length,
                                         LPWSTR type, LPDWORD type_length, DWORD milliseconds)
{
    struct wire_object *p = (struct wire_object *)port;
    (void)milliseconds;
    if (p->list_v2.count == 0) {
        struct cmrp_GetNotifyV2 a = {.notify = p->context};
        rpc_arena_fini(&p->arena);
        DWORD error = call_in(p, &cmrp_op_GetNotifyV2, &a, &p->arena);
        if (error != 0)
            return error;
        p->list_v2 = a.notifications;
    }
    const struct rpc_notification_v2 *n = p->list_v2.entries++;
    p->list_v2.count--;
    *key = n->key;
    *filter = (NOTIFY_FILTER_AND_TYPE){n->filter.object_type, n->filter.flags};
    if (n->buffer.size > *size)
        abort();
    memcpy(buffer, n->buffer.data, n->buffer.size);
    *size = n->buffer.size;
    widen(n->object_id, id, id_length);
    widen(n->parent_id, parent, parent_length);
    widen(n->name, name, name_length);
    widen(n->type, type, type_length);
    return 0;
}
