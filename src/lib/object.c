/* SPDX-License-Identifier: MIT */
#include "lib/object.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "lib/object_kinds.h"
#include "rpc/rpc_interface.h"

/* Guards every object's `list`; nothing else is locked, and nobody called, while it is held. */
static pthread_mutex_t lists_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- life ---- */

static void object_destroy(struct object *o)
{
    if (o->session)
        session_context_close(o->session, &o->context);
    session_unref(o->session);
    object_unref(o->cluster);
    free(o->id);
    free(o);
}

static void object_release(struct handle_object *h)
{
    object_destroy(container_of(h, struct object, handle));
}

struct object *object_ref(struct object *o)
{
    handle_ref(&o->handle);
    return o;
}

void object_unref(struct object *o)
{
    if (o)
        handle_unref(&o->handle);
}

struct object *object_acquire(const void *handle, enum lib_handle_kind kind)
{
    struct handle_object *h = lib_handle_acquire(handle, kind);
    if (!h)
        return NULL;
    if (object_kind(h->kind))
        return container_of(h, struct object, handle);
    handle_unref(h); /* a port, an enumeration, a thread */
    return NULL;
}

/* Takes over the session's reference, also on failure. */
static uint32_t create(struct session *session, struct object *cluster, enum lib_handle_kind kind,
                       const char *id, uint32_t access, struct object **ret)
{
    struct object *o = calloc(1, sizeof(*o));
    char *copy = strdup(id);
    if (!o || !copy) {
        free(o);
        free(copy);
        session_unref(session);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    o->handle.kind = (uint16_t)kind;
    o->session = session;
    o->cluster = cluster ? object_ref(cluster) : NULL;
    o->type = object_kind(kind)->type;
    o->id = copy;
    o->access = access;
    o->context.methods = object_kind(kind)->context;
    *ret = o;
    return 0;
}

/* ---- the lists ---- */

/* false: the cluster handle was closed meanwhile. */
static bool list_add(struct object *cluster, struct object *o)
{
    pthread_mutex_lock(&lists_lock);
    bool open = !cluster->list.closed;
    if (open) {
        o->list.next = cluster->list.first;
        if (o->list.next)
            o->list.next->list.previous = o;
        cluster->list.first = o;
        o->list.linked = true;
    }
    pthread_mutex_unlock(&lists_lock);
    return open;
}

static void unlink_locked(struct object *o)
{
    if (!o->list.linked)
        return;
    if (o->list.next)
        o->list.next->list.previous = o->list.previous;
    if (o->list.previous)
        o->list.previous->list.next = o->list.next;
    else
        o->cluster->list.first = o->list.next;
    o->list.linked = false;
}

static void list_remove(struct object *o)
{
    pthread_mutex_lock(&lists_lock);
    unlink_locked(o);
    pthread_mutex_unlock(&lists_lock);
}

/* The handle of something opened through it, taken off the list; NULL: there is none left, and
 * nothing is added any more. What is on the list is alive: it is taken off before it is let go. */
static void *list_take(struct object *cluster)
{
    void *word = NULL;
    pthread_mutex_lock(&lists_lock);
    cluster->list.closed = true;
    struct object *first = cluster->list.first;
    if (first) {
        word = first->word;
        unlink_locked(first);
    }
    pthread_mutex_unlock(&lists_lock);
    return word;
}

/* ---- opening ---- */

/* Takes over the caller's reference. */
static uint32_t publish(struct object *o, void **ret_handle)
{
    enum lib_handle_kind kind = o->handle.kind;
    int r = lib_handle_insert(&o->handle, kind, object_release, &o->word);
    if (r < 0) {
        object_destroy(o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    void *word = o->word;
    if (o->cluster && !list_add(o->cluster, o)) {
        handle_unref(lib_handle_remove(word, kind));
        return ERR_INVALID_HANDLE;
    }
    *ret_handle = word;
    return 0;
}

/* Its id in place of the name that it was opened by, so that a renamed object is found again. */
static uint32_t read_id(struct object *o)
{
    const struct object_kind *kind = object_kind(o->handle.kind);
    if (!kind->get_id)
        return 0;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct object_id_args a = {0};
    uint32_t error = object_call(o, kind->get_id, &a, &a.object, &arena);
    if (error != 0)
        return error;
    char *id = strdup(a.id ? a.id : "");
    if (!id)
        return ERR_NOT_ENOUGH_MEMORY;
    free(o->id);
    o->id = id;
    return 0;
}

/* Takes over the caller's reference. */
static uint32_t open_and_publish(struct object *o, void **ret_handle)
{
    uint32_t error = session_context_open(o->session, &o->context);
    if (error == 0)
        error = read_id(o);
    if (error != 0) {
        object_destroy(o);
        return error;
    }
    return publish(o, ret_handle);
}

uint32_t object_open_cluster(struct session *session, void **ret_handle)
{
    struct object *o = NULL;
    uint32_t error = create(session, NULL, LIB_HANDLE_CLUSTER, "", 0, &o);
    return error != 0 ? error : open_and_publish(o, ret_handle);
}

uint32_t object_open(struct object *cluster, enum lib_handle_kind kind, const char *name,
                     void **ret_handle)
{
    struct object *o = NULL;
    uint32_t error = create(session_ref(cluster->session), cluster, kind, name, 0, &o);
    return error != 0 ? error : open_and_publish(o, ret_handle);
}

uint32_t object_open_key(struct object *cluster, const char *path, uint32_t access,
                         void **ret_handle)
{
    struct object *o = NULL;
    uint32_t error =
        create(session_ref(cluster->session), cluster, LIB_HANDLE_KEY, path, access, &o);
    return error != 0 ? error : open_and_publish(o, ret_handle);
}

/* ---- closing ---- */

static void close_all_through(struct object *cluster)
{
    void *word;
    while ((word = list_take(cluster)))
        handle_unref(lib_handle_remove(word, LIB_HANDLE_ANY)); /* NULL: closed by another thread */
}

void object_close_created(struct object *cluster, enum lib_handle_kind kind,
                          struct rpc_context *opened)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct object_close_args a = {.object = *opened};
    object_ask(cluster, object_kind(kind)->close, &a, &arena);
}

BOOL object_close(const void *handle, enum lib_handle_kind kind)
{
    struct handle_object *h = lib_handle_remove(handle, kind);
    if (!h) {
        SetLastError(ERR_INVALID_HANDLE);
        return FALSE;
    }
    struct object *o = container_of(h, struct object, handle);
    if (o->cluster)
        list_remove(o);
    else
        close_all_through(o);
    notify_handle_closed(handle);
    handle_unref(h);
    return TRUE;
}

/* ---- calls ---- */

uint32_t object_ask(const struct object *o, const struct rpc_op *op, void *args,
                    struct rpc_arena *arena)
{
    return session_call(
        o->session,
        &(struct session_call){.interface = &rpc_cmrp, .op = op, .args = args, .arena = arena});
}

uint32_t object_call(struct object *o, const struct rpc_op *op, void *args,
                     struct rpc_context *slot, struct rpc_arena *arena)
{
    return object_call_with(o, slot, NULL, NULL, op, args, arena);
}

uint32_t object_call_with(struct object *o, struct rpc_context *slot, struct object *other,
                          struct rpc_context *other_slot, const struct rpc_op *op, void *args,
                          struct rpc_arena *arena)
{
    if (other && other->session != o->session)
        return ERR_INVALID_HANDLE;
    struct session_call c = {.interface = &rpc_cmrp, .op = op, .args = args, .arena = arena};
    c.contexts[0].context = &o->context;
    c.contexts[0].slot = slot;
    if (other) {
        c.contexts[1].context = &other->context;
        c.contexts[1].slot = other_slot;
    }
    return session_call(o->session, &c);
}
