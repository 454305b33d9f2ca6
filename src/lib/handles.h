/* SPDX-License-Identifier: MIT */
#ifndef LIB_HANDLES_H
#define LIB_HANDLES_H

#include <stdint.h>

#include "base/handle.h"

/* Every handle that the library gives out, of whatever kind, is a word in one table of the process.
 * So a handle of the wrong kind is told from the right one, also where the API says only HANDLE. */

enum lib_handle_kind {
    LIB_HANDLE_ANY, /* for lib_handle_acquire() only */
    LIB_HANDLE_CLUSTER,
    LIB_HANDLE_NODE,
    LIB_HANDLE_GROUP,
    LIB_HANDLE_RESOURCE,
    LIB_HANDLE_NETWORK,
    LIB_HANDLE_NETINTERFACE,
    LIB_HANDLE_KEY,
    LIB_HANDLE_CLUSTER_ENUM,
    LIB_HANDLE_NODE_ENUM,
    LIB_HANDLE_GROUP_ENUM,
    LIB_HANDLE_RESOURCE_ENUM,
    LIB_HANDLE_TYPE_ENUM,
    LIB_HANDLE_NETWORK_ENUM,
    LIB_HANDLE_PORT,
    LIB_HANDLE_THREAD,
    LIB_HANDLE_EVENT,
};

/* Made at the first call, never destroyed; NULL only when there was no memory for it. */
struct handle_table *lib_handles(void);

static inline void *lib_handle_pointer(handle_t h)
{
    return (void *)(uintptr_t)h;
}

static inline handle_t lib_handle_word(const void *handle)
{
    return (handle_t)(uintptr_t)handle;
}

/* As handle.h's, on the one table and on the API's pointers. insert: 0, -ENOMEM, -ENOSPC. */
int lib_handle_insert(struct handle_object *o, enum lib_handle_kind kind,
                      void (*release)(struct handle_object *o), void **ret_handle);
struct handle_object *lib_handle_acquire(const void *handle, enum lib_handle_kind kind);
struct handle_object *lib_handle_remove(const void *handle, enum lib_handle_kind kind);

/* What an event handle stands for, to be embedded in its maker's object and inserted as
 * LIB_HANDLE_EVENT. WaitForSingleObject holds a reference while it polls the descriptor, so
 * whoever ends the event removes the handle first, then makes the descriptor readable, and closes
 * it only in release(). CloseHandle leaves the handle to its maker. */
struct lib_event {
    struct handle_object o;
    int (*fd)(struct lib_event *e); /* a descriptor, readable as long as signalled; -errno */
};

#endif
