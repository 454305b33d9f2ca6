/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "lib/control_translate.h"
#include "lib/descriptor_size.h"
#include "lib/family.h"
#include "lib/wide.h"

/* Room for a value whose size in the caller's form is not known beforehand. */
#define FIRST_ROOM 4096u
#define MOST_ATTEMPTS 8
/* Of a value; what is larger is not even copied. */
#define MOST_DATA ((1u << 20) / 2 * sizeof(WCHAR))

/* ---- keys ---- */

HKEY WINAPI GetClusterKey(HCLUSTER hCluster, REGSAM samDesired)
{
    _cleanup_(object_unrefp) struct object *cluster = object_acquire(hCluster, LIB_HANDLE_CLUSTER);
    void *key = NULL;
    DWORD error = ERROR_INVALID_HANDLE;
    if (cluster)
        error = object_open_key(cluster, "", samDesired, &key);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return key;
}

LONG WINAPI ClusterRegCloseKey(HKEY hKey)
{
    return object_close(hKey, LIB_HANDLE_KEY) ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}

static char *join(const char *path, const char *subkey)
{
    return text_format("%s%s%s", path, *path && *subkey ? "\\" : "", subkey);
}

/* The parent is asked first: its own deletion is another error than the subkey's absence. */
static DWORD open_subkey(struct object *parent, const char *subkey, REGSAM access, void **ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_OpenKey a = {.subkey = (char *)subkey, .access = access};
    DWORD error = object_call(parent, &cmrp_op_OpenKey, &a, &a.parent, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    object_close_created(parent->cluster, LIB_HANDLE_KEY, &a.key);
    _cleanup_free_
    char *path = join(parent->id, subkey);
    return path ? object_open_key(parent->cluster, path, access, ret) : ERROR_NOT_ENOUGH_MEMORY;
}

LONG WINAPI ClusterRegOpenKey(HKEY hKey, LPCWSTR lpszSubKey, REGSAM samDesired, PHKEY phkResult)
{
    _cleanup_(object_unrefp) struct object *parent = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_free_
    char *subkey = NULL;
    void *key = NULL;
    if (!parent)
        return ERROR_INVALID_HANDLE;
    DWORD error = phkResult ? family_text(lpszSubKey, &subkey) : ERROR_INVALID_PARAMETER;
    if (error == ERROR_SUCCESS)
        error = open_subkey(parent, subkey, samDesired, &key);
    if (error == ERROR_SUCCESS)
        *phkResult = key;
    return (LONG)error;
}

/* With the security that the caller wants for a new key. ERROR_INVALID_PARAMETER: it is none. */
static DWORD create_subkey(struct object *parent, struct cmrp_CreateKey *a,
                           const SECURITY_ATTRIBUTES *attributes, void **ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct rpc_security_attributes security = {0};
    if (attributes) {
        void *descriptor = attributes->lpSecurityDescriptor;
        security.length = attributes->nLength;
        security.inherit = (uint32_t)attributes->bInheritHandle;
        security.descriptor.data = descriptor;
        if (descriptor && !descriptor_size(descriptor, &security.descriptor.size))
            return ERROR_INVALID_PARAMETER;
        security.descriptor.capacity = security.descriptor.size;
        a->security = &security;
    }
    DWORD error = object_call(parent, &cmrp_op_CreateKey, a, &a->parent, &arena);
    if (error != ERROR_SUCCESS)
        return error;
    object_close_created(parent->cluster, LIB_HANDLE_KEY, &a->key);
    _cleanup_free_
    char *path = join(parent->id, a->subkey);
    error = path ? object_open_key(parent->cluster, path, a->access, ret) : ERROR_NOT_ENOUGH_MEMORY;
    return error_once_begun(error);
}

LONG WINAPI ClusterRegCreateKey(HKEY hKey, LPCWSTR lpszSubKey, DWORD dwOptions, REGSAM samDesired,
                                LPSECURITY_ATTRIBUTES lpSecurityAttributes, PHKEY phkResult,
                                LPDWORD lpdwDisposition)
{
    _cleanup_(object_unrefp) struct object *parent = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_free_
    char *subkey = NULL;
    void *key = NULL;
    if (!parent)
        return ERROR_INVALID_HANDLE;
    DWORD error = phkResult ? family_text(lpszSubKey, &subkey) : ERROR_INVALID_PARAMETER;
    if (error != ERROR_SUCCESS)
        return (LONG)error;
    struct cmrp_CreateKey a = {.subkey = subkey, .options = dwOptions, .access = samDesired};
    error = create_subkey(parent, &a, lpSecurityAttributes, &key);
    if (error != ERROR_SUCCESS)
        return (LONG)error;
    *phkResult = key;
    if (lpdwDisposition)
        *lpdwDisposition = a.disposition;
    return ERROR_SUCCESS;
}

HAS_FORM(DeleteKey, text);
HAS_FORM(DeleteValue, text);

LONG WINAPI ClusterRegDeleteKey(HKEY hKey, LPCWSTR lpszSubKey)
{
    return (LONG)family_set_text(hKey, LIB_HANDLE_KEY, lpszSubKey, &cmrp_op_DeleteKey);
}

static void give_time(uint64_t time, PFILETIME out)
{
    if (!out)
        return;
    out->dwLowDateTime = (DWORD)time;
    out->dwHighDateTime = (DWORD)(time >> 32);
}

LONG WINAPI ClusterRegEnumKey(HKEY hKey, DWORD dwIndex, LPWSTR lpszName, LPDWORD lpcchName,
                              PFILETIME lpftLastWriteTime)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_EnumKey a = {.index = dwIndex};
    if (!key)
        return ERROR_INVALID_HANDLE;
    DWORD error = object_call(key, &cmrp_op_EnumKey, &a, &a.key, &arena);
    if (error == ERROR_SUCCESS)
        error = wide_give(a.name, lpszName, lpcchName);
    if (error == ERROR_SUCCESS)
        give_time(a.last_write, lpftLastWriteTime);
    return (LONG)error;
}

/* ---- values ---- */

static DWORD error_of_data(int r)
{
    if (r == 0)
        return ERROR_SUCCESS;
    return r == -ENOMEM ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER;
}

DWORD WINAPI ClusterRegSetValue(HKEY hKey, LPCWSTR lpszValueName, DWORD dwType, const BYTE *lpData,
                                DWORD cbData)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(buffer_fini) struct buffer data = {0};
    _cleanup_free_
    char *name = NULL;
    if (!key)
        return ERROR_INVALID_HANDLE;
    if ((!lpData && cbData > 0) || cbData > MOST_DATA)
        return ERROR_INVALID_PARAMETER;
    DWORD error = family_text(lpszValueName, &name);
    if (error == ERROR_SUCCESS)
        error = error_of_data(translate_to_wire(registry_shape(dwType), lpData, cbData, &data));
    if (error != ERROR_SUCCESS)
        return error;
    struct cmrp_SetValue a = {.value_name = name, .type = dwType};
    a.data = (struct rpc_bytes){.data = data.data, .size = (uint32_t)data.size};
    return object_call(key, &cmrp_op_SetValue, &a, &a.key, &arena);
}

DWORD WINAPI ClusterRegDeleteValue(HKEY hKey, LPCWSTR lpszValueName)
{
    return family_set_text(hKey, LIB_HANDLE_KEY, lpszValueName, &cmrp_op_DeleteValue);
}

/* The whole value, however large, in the caller's form. */
struct value {
    char *name; /* in the arena */
    uint32_t type;
    struct buffer data;
};

static void value_fini(struct value *v)
{
    buffer_fini(&v->data);
}

static DWORD translate_value(struct value *v, const void *data, uint32_t size)
{
    int r = translate_from_wire(registry_shape(v->type), data, size, &v->data);
    return r == -EBADMSG ? ERROR_INVALID_DATA : error_of_data(r);
}

static DWORD query_value(struct object *key, char *name, struct rpc_arena *arena, struct value *v)
{
    uint32_t room = FIRST_ROOM;
    for (unsigned i = 0; i < MOST_ATTEMPTS; i++) {
        struct cmrp_QueryValue a = {.value_name = name, .data.capacity = room};
        DWORD error = object_call(key, &cmrp_op_QueryValue, &a, &a.key, arena);
        if (error == ERROR_SUCCESS) {
            v->type = a.type;
            return translate_value(v, a.data.data, MIN(a.required, a.data.size));
        }
        if (error != ERROR_MORE_DATA || a.required <= room)
            return error;
        room = a.required;
    }
    return ERROR_MORE_DATA;
}

static DWORD enum_value(struct object *key, uint32_t index, struct rpc_arena *arena,
                        struct value *v)
{
    uint32_t room = FIRST_ROOM;
    for (unsigned i = 0; i < MOST_ATTEMPTS; i++) {
        struct cmrp_EnumValue a = {.index = index, .data.capacity = room};
        DWORD error = object_call(key, &cmrp_op_EnumValue, &a, &a.key, arena);
        if (error == ERROR_SUCCESS) {
            v->name = a.value_name;
            v->type = a.type;
            return translate_value(v, a.data.data, a.data.size);
        }
        if (error != ERROR_MORE_DATA || a.total_size <= room)
            return error;
        room = a.total_size;
    }
    return ERROR_MORE_DATA;
}

static DWORD give_value(const struct value *v, LPDWORD type, LPBYTE data, LPDWORD size)
{
    if (type)
        *type = v->type;
    if (!size)
        return ERROR_SUCCESS;
    DWORD room = data ? *size : 0;
    *size = (DWORD)v->data.size;
    if (!data)
        return ERROR_SUCCESS;
    if (v->data.size > room)
        return ERROR_MORE_DATA;
    if (v->data.size > 0)
        memcpy(data, v->data.data, v->data.size);
    return ERROR_SUCCESS;
}

LONG WINAPI ClusterRegQueryValue(HKEY hKey, LPCWSTR lpszValueName, LPDWORD lpdwValueType,
                                 LPBYTE lpData, LPDWORD lpcbData)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(value_fini) struct value v = {0};
    _cleanup_free_
    char *name = NULL;
    if (!key)
        return ERROR_INVALID_HANDLE;
    if (lpData && !lpcbData)
        return ERROR_INVALID_PARAMETER;
    DWORD error = family_text(lpszValueName, &name);
    if (error == ERROR_SUCCESS)
        error = query_value(key, name, &arena, &v);
    if (error == ERROR_SUCCESS)
        error = give_value(&v, lpdwValueType, lpData, lpcbData);
    return (LONG)error;
}

DWORD WINAPI ClusterRegEnumValue(HKEY hKey, DWORD dwIndex, LPWSTR lpszValueName,
                                 LPDWORD lpcchValueName, LPDWORD lpdwType, LPBYTE lpData,
                                 LPDWORD lpcbData)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(value_fini) struct value v = {0};
    if (!key)
        return ERROR_INVALID_HANDLE;
    if (lpData && !lpcbData)
        return ERROR_INVALID_PARAMETER;
    DWORD error = enum_value(key, dwIndex, &arena, &v);
    if (error == ERROR_SUCCESS)
        error = wide_give(v.name, lpszValueName, lpcchValueName);
    if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA)
        return error;
    DWORD data_error = v.name ? give_value(&v, lpdwType, lpData, lpcbData) : ERROR_SUCCESS;
    return error != ERROR_SUCCESS ? error : data_error;
}

/* The largest value in the caller's form: a text's size differs from the service's. */
static DWORD largest_value(struct object *key, uint32_t *ret)
{
    uint32_t largest = 0;
    for (uint32_t i = 0;; i++) {
        _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
        _cleanup_(value_fini) struct value v = {0};
        DWORD error = enum_value(key, i, &arena, &v);
        if (error == ERROR_NO_MORE_ITEMS)
            break;
        if (error != ERROR_SUCCESS)
            return error;
        largest = MAX(largest, (uint32_t)v.data.size);
    }
    *ret = largest;
    return ERROR_SUCCESS;
}

static void give_number(DWORD number, LPDWORD out)
{
    if (out)
        *out = number;
}

LONG WINAPI ClusterRegQueryInfoKey(HKEY hKey, LPDWORD lpcSubKeys, LPDWORD lpcchMaxSubKeyLen,
                                   LPDWORD lpcValues, LPDWORD lpcchMaxValueNameLen,
                                   LPDWORD lpcbMaxValueLen, LPDWORD lpcbSecurityDescriptor,
                                   PFILETIME lpftLastWriteTime)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_QueryInfoKey a = {0};
    if (!key)
        return ERROR_INVALID_HANDLE;
    DWORD error = object_call(key, &cmrp_op_QueryInfoKey, &a, &a.key, &arena);
    if (error == ERROR_SUCCESS && lpcbMaxValueLen && sizeof(WCHAR) != 2)
        error = largest_value(key, &a.max_value_length);
    if (error != ERROR_SUCCESS)
        return (LONG)error;
    give_number(a.subkeys, lpcSubKeys);
    give_number(a.max_subkey_length, lpcchMaxSubKeyLen);
    give_number(a.values, lpcValues);
    give_number(a.max_value_name_length, lpcchMaxValueNameLen);
    give_number(a.max_value_length, lpcbMaxValueLen);
    give_number(a.security_descriptor_size, lpcbSecurityDescriptor);
    give_time(a.last_write, lpftLastWriteTime);
    return ERROR_SUCCESS;
}

/* ---- security ---- */

LONG WINAPI ClusterRegGetKeySecurity(HKEY hKey, SECURITY_INFORMATION RequestedInformation,
                                     PSECURITY_DESCRIPTOR pSecurityDescriptor,
                                     LPDWORD lpcbSecurityDescriptor)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    if (!key)
        return ERROR_INVALID_HANDLE;
    if (!lpcbSecurityDescriptor)
        return ERROR_INVALID_PARAMETER;
    DWORD room = pSecurityDescriptor ? *lpcbSecurityDescriptor : 0;
    struct cmrp_GetKeySecurity a = {.security_information = RequestedInformation,
                                    .descriptor.capacity = room};
    DWORD error = object_call(key, &cmrp_op_GetKeySecurity, &a, &a.key, &arena);
    bool fits = pSecurityDescriptor && a.descriptor.data && a.descriptor.size <= room;
    if (error == ERROR_SUCCESS && !fits)
        error = ERROR_INSUFFICIENT_BUFFER;
    if (error == ERROR_SUCCESS)
        memcpy(pSecurityDescriptor, a.descriptor.data, a.descriptor.size);
    if (error == ERROR_SUCCESS || error == ERROR_INSUFFICIENT_BUFFER)
        *lpcbSecurityDescriptor = a.descriptor.size;
    return (LONG)error;
}

LONG WINAPI ClusterRegSetKeySecurity(HKEY hKey, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR pSecurityDescriptor)
{
    _cleanup_(object_unrefp) struct object *key = object_acquire(hKey, LIB_HANDLE_KEY);
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_SetKeySecurity a = {.security_information = SecurityInformation,
                                    .descriptor.data = pSecurityDescriptor};
    if (!key)
        return ERROR_INVALID_HANDLE;
    if (!pSecurityDescriptor || !descriptor_size(pSecurityDescriptor, &a.descriptor.size))
        return ERROR_INVALID_PARAMETER;
    a.descriptor.capacity = a.descriptor.size;
    return (LONG)object_call(key, &cmrp_op_SetKeySecurity, &a, &a.key, &arena);
}
