/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "lib/family.h"
#include "lib/wide.h"

/* A picture of the entries as they were when it was opened; it needs no cluster any more. */
struct enumeration {
    struct handle_object handle; /* the first field */
    struct rpc_enum_entry *entries;
    uint32_t count;
};

static void enumeration_destroy(struct enumeration *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->count; i++)
        free(e->entries[i].name);
    free(e->entries);
    free(e);
}

static void enumeration_destroyp(struct enumeration **e)
{
    enumeration_destroy(*e);
}

static void enumeration_release(struct handle_object *h)
{
    enumeration_destroy(container_of(h, struct enumeration, handle));
}

static DWORD copy_entries(const struct rpc_enum_list *list, struct enumeration **ret)
{
    _cleanup_(enumeration_destroyp) struct enumeration *e = calloc(1, sizeof(*e));
    if (!e)
        return ERROR_NOT_ENOUGH_MEMORY;
    e->entries = calloc((size_t)list->count + 1, sizeof(*e->entries));
    if (!e->entries)
        return ERROR_NOT_ENOUGH_MEMORY;
    for (; e->count < list->count; e->count++) {
        const struct rpc_enum_entry *from = &list->entries[e->count];
        char *name = strdup(from->name ? from->name : "");
        if (!name)
            return ERROR_NOT_ENOUGH_MEMORY;
        e->entries[e->count] = (struct rpc_enum_entry){.type = from->type, .name = name};
    }
    *ret = TAKE_PTR(e);
    return ERROR_SUCCESS;
}

void *enumeration_create(const struct rpc_enum_list *list, enum lib_handle_kind enum_kind)
{
    struct enumeration *e = NULL;
    void *handle = NULL;
    DWORD error = copy_entries(list, &e);
    if (error == ERROR_SUCCESS &&
        lib_handle_insert(&e->handle, enum_kind, enumeration_release, &handle) < 0) {
        enumeration_destroy(e);
        error = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return handle;
}

void *family_open_enum(const void *handle, enum lib_handle_kind kind, DWORD type,
                       const struct rpc_op *op, enum lib_handle_kind enum_kind)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct form_enum a = {.type = type};
    DWORD error = o ? object_call(o, op, &a, &a.object, &arena) : ERROR_INVALID_HANDLE;
    if (error == ERROR_SUCCESS)
        return enumeration_create(&a.list, enum_kind);
    SetLastError(error);
    return NULL;
}

DWORD enumeration_count(const void *handle, enum lib_handle_kind enum_kind)
{
    struct handle_object *h = lib_handle_acquire(handle, enum_kind);
    if (!h) {
        SetLastError(ERROR_INVALID_HANDLE);
        return 0;
    }
    DWORD count = container_of(h, struct enumeration, handle)->count;
    handle_unref(h);
    return count;
}

DWORD enumeration_get(const void *handle, enum lib_handle_kind enum_kind, DWORD index, LPDWORD type,
                      LPWSTR name, LPDWORD cch)
{
    struct handle_object *h = lib_handle_acquire(handle, enum_kind);
    if (!h)
        return ERROR_INVALID_HANDLE;
    const struct enumeration *e = container_of(h, struct enumeration, handle);
    DWORD error = ERROR_NO_MORE_ITEMS;
    if (index < e->count) {
        error = wide_give(e->entries[index].name, name, cch);
        if (type && (error == ERROR_SUCCESS || error == ERROR_MORE_DATA))
            *type = e->entries[index].type;
    }
    handle_unref(h);
    return error;
}

DWORD enumeration_close(const void *handle, enum lib_handle_kind enum_kind)
{
    struct handle_object *h = lib_handle_remove(handle, enum_kind);
    if (!h)
        return ERROR_INVALID_HANDLE;
    handle_unref(h);
    return ERROR_SUCCESS;
}
