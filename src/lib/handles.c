/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>

#include "lib/handles.h"

#define MOST_HANDLES (1u << 20)

_Static_assert(sizeof(void *) == sizeof(handle_t), "a handle must fit into a pointer");

static _Atomic(struct handle_table *) the_table;

struct handle_table *lib_handles(void)
{
    struct handle_table *t = atomic_load_explicit(&the_table, memory_order_acquire);
    struct handle_table *none = NULL;

    if (t)
        return t;
    t = handle_table_create(MOST_HANDLES);
    if (t && !atomic_compare_exchange_strong(&the_table, &none, t)) {
        handle_table_destroy(t); /* another thread was first */
        t = none;
    }
    return t;
}

int lib_handle_insert(struct handle_object *o, enum lib_handle_kind kind,
                      void (*release)(struct handle_object *o), void **ret_handle)
{
    struct handle_table *t = lib_handles();
    handle_t h;
    int r;

    PRE(kind != LIB_HANDLE_ANY);
    if (!t)
        return -ENOMEM;
    r = handle_insert(t, o, (uint16_t)kind, release, &h);
    if (r == 0)
        *ret_handle = lib_handle_pointer(h);
    return r;
}

struct handle_object *lib_handle_acquire(const void *handle, enum lib_handle_kind kind)
{
    struct handle_table *t = lib_handles();

    return t ? handle_acquire(t, lib_handle_word(handle), (uint16_t)kind) : NULL;
}

struct handle_object *lib_handle_remove(const void *handle, enum lib_handle_kind kind)
{
    struct handle_table *t = lib_handles();

    return t ? handle_remove(t, lib_handle_word(handle), (uint16_t)kind) : NULL;
}
