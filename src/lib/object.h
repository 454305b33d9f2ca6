/* SPDX-License-Identifier: MIT */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "change/change.h"
#include "lib/handles.h"
#include "lib/session.h"
#include "windows.h"

/* What HCLUSTER, HNODE, HGROUP, HRESOURCE, HNETWORK, HNETINTERFACE and HKEY stand for. Two handles
 * of one cluster object are two of these. All but the marked fields stay as they were made. */
struct object {
    struct handle_object handle; /* the first field; handle.kind is an enum lib_handle_kind */
    struct session *session;     /* a reference */
    struct object *cluster;      /* that it was opened through, a reference; of a cluster: NULL */
    enum object_type type;
    void *word; /* the API's handle */
    /* By which it is found again: a GUID, a node's number, a key's path from the root; "" for the
     * cluster. While it is being opened: the name that the caller gave. */
    char *id;
    uint32_t access;                /* asked for; 0: the open without a choice of access */
    uint32_t granted;               /* by the first opening, before anybody else knows the object */
    struct session_context context; /* the session's lock */
    struct object_list {            /* lists_lock of object.c */
        struct object *first;       /* cluster: what was opened through it and not closed */
        struct object *next, *previous;
        bool linked;
        bool closed; /* cluster: nothing is opened through it any more */
    } list;
};

/* NULL: not such a handle (LIB_HANDLE_ANY: any of the kinds above). object_unref() when done. */
struct object *object_acquire(const void *handle, enum lib_handle_kind kind);
struct object *object_ref(struct object *o);
void object_unref(struct object *o); /* NULL is fine */

static inline void object_unrefp(struct object **o)
{
    object_unref(*o);
}

/* The name as it is now, malloc'ed; "" for a key. A Win32 code. */
uint32_t object_read_name(struct object *o, char **ret);

/* ---- making and closing ---- */

/* A handle to its cluster. Takes over the session's reference. */
uint32_t object_open_cluster(struct session *session, void **ret_handle);
/* Finds it by name or id. */
uint32_t object_open(struct object *cluster, enum lib_handle_kind kind, const char *name,
                     void **ret_handle);
/* A key, by its path from the root. */
uint32_t object_open_key(struct object *cluster, const char *path, uint32_t access,
                         void **ret_handle);
/* The context that a create operation opened, and nobody needs. */
void object_close_created(struct object *cluster, enum lib_handle_kind kind,
                          struct rpc_context *opened);
/* TRUE, or FALSE with ERROR_INVALID_HANDLE as the last error. A cluster's: all that were opened
 * through it are closed too, without notifications. */
BOOL object_close(const void *handle, enum lib_handle_kind kind);

/* Implemented by the notification calls: the program closed this handle. Nothing is locked. */
void notify_handle_closed(const void *handle);

/* ---- calls ---- */

/* session_call() of an MS-CMRP operation that takes no context handle. */
uint32_t object_ask(const struct object *o, const struct rpc_op *op, void *args,
                    struct rpc_arena *arena);
/* session_call() of an MS-CMRP operation with o's context in the slot, and perhaps other's. */
uint32_t object_call(struct object *o, const struct rpc_op *op, void *args,
                     struct rpc_context *slot, struct rpc_arena *arena);
uint32_t object_call_with(struct object *o, struct rpc_context *slot, struct object *other,
                          struct rpc_context *other_slot, const struct rpc_op *op, void *args,
                          struct rpc_arena *arena);

#endif
