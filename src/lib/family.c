/* SPDX-License-Identifier: MIT */
#include "lib/family.h"

#include "base/error.h"
#include "lib/wide.h"

DWORD family_text(LPCWSTR text, char **ret)
{
    if (!text)
        return ERROR_INVALID_PARAMETER;
    int r = wide_to_utf8(text, ret);
    return r < 0 ? error_from_errno(r) : ERROR_SUCCESS;
}

void *family_open(const void *cluster, enum lib_handle_kind kind, LPCWSTR name)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(cluster, LIB_HANDLE_CLUSTER);
    _cleanup_free_
    char *text = NULL;
    void *handle = NULL;
    DWORD error = o ? family_text(name, &text) : ERROR_INVALID_HANDLE;
    if (error == ERROR_SUCCESS)
        error = object_open(o, kind, text, &handle);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return handle;
}

HCLUSTER family_cluster(const void *handle, enum lib_handle_kind kind)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    void *cluster = NULL;
    DWORD error = o ? object_open_cluster(session_ref(o->session), &cluster) : ERROR_INVALID_HANDLE;
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return cluster;
}

DWORD family_call(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct form_plain a = {0};
    return o ? object_call(o, op, &a, &a.object, &arena) : ERROR_INVALID_HANDLE;
}

DWORD family_call_other(const void *handle, enum lib_handle_kind kind, const void *other,
                        enum lib_handle_kind other_kind, const struct rpc_op *op)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(object_unrefp) struct object *second = object_acquire(other, other_kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct form_other a = {0};
    if (!o || !second)
        return ERROR_INVALID_HANDLE;
    return object_call_with(o, &a.object, second, &a.other, op, &a, &arena);
}

DWORD family_set_text(const void *handle, enum lib_handle_kind kind, LPCWSTR text,
                      const struct rpc_op *op)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    char *utf8 = NULL;
    if (!o)
        return ERROR_INVALID_HANDLE;
    DWORD error = family_text(text, &utf8);
    if (error != ERROR_SUCCESS)
        return error;
    struct form_text a = {.text = utf8};
    return object_call(o, op, &a, &a.object, &arena);
}

DWORD family_get_text(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op,
                      LPWSTR buffer, LPDWORD cch)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct form_text a = {0};
    if (!o)
        return ERROR_INVALID_HANDLE;
    DWORD error = object_call(o, op, &a, &a.object, &arena);
    return error != ERROR_SUCCESS ? error : wide_give(a.text, buffer, cch);
}

int family_get_state(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct form_number a = {0};
    DWORD error = o ? object_call(o, op, &a, &a.object, &arena) : ERROR_INVALID_HANDLE;
    if (error == ERROR_SUCCESS)
        return (int)a.number;
    SetLastError(error);
    return -1;
}

DWORD family_give_two(const char *first, LPWSTR first_buffer, LPDWORD first_cch, const char *second,
                      LPWSTR second_buffer, LPDWORD second_cch)
{
    if ((first_buffer && !first_cch) || (second_buffer && !second_cch))
        return ERROR_INVALID_PARAMETER; /* before either is touched */
    DWORD error = wide_give(first, first_buffer, first_cch);
    if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA)
        return error;
    DWORD second_error = wide_give(second, second_buffer, second_cch);
    return second_error != ERROR_SUCCESS ? second_error : error;
}
