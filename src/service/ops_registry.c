/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "service/codes.h"
#include "service/descriptor.h"
#include "service/request.h"

#define OPTION_VOLATILE 1u
#define FILETIME_OF_1970 116444736000000000ull /* in units of 100 ns since 1601 */

/* Several commands in one go, and ports that tell of them. */
REFUSED(ExecuteBatch, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(ExecuteReadBatch, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(CreateBatchPort, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(GetBatchNotification, ERR_CALL_NOT_IMPLEMENTED)
REFUSED(CloseBatchPort, ERR_CALL_NOT_IMPLEMENTED)

static uint64_t filetime(int64_t time_ns)
{
    return (uint64_t)(time_ns / 100) + FILETIME_OF_1970;
}

/* In the call's arena. NULL: memory is short. */
static char *key_path(const struct request *r, const struct rpc_context *parent, const char *subkey)
{
    const char *base = target_of(parent)->id;
    if (!*base || !*subkey)
        return request_text(r, *base ? base : subkey);
    size_t size = strlen(base) + strlen(subkey) + 2;
    char *path = request_alloc(r, size);
    if (path)
        snprintf(path, size, "%s\\%s", base, subkey);
    return path;
}

static uint32_t open_key(struct request *r, const char *path, struct rpc_context *ret)
{
    if (!path)
        return ERR_NOT_ENOUGH_MEMORY;
    const struct registry_key *key = model_key(request_model(r), path);
    return key ? request_open(r, RPC_CONTEXT_KEY, key->o.id, ret) : ERR_FILE_NOT_FOUND;
}

READ(GetRootKey)
{
    return open_key(r, "", &a->key);
}

READ(OpenKey)
{
    if (!target_key(r, &a->parent))
        return ERR_KEY_DELETED;
    return open_key(r, key_path(r, &a->parent, a->subkey), &a->key);
}

READ(CloseKey)
{
    return request_close(r, &a->key);
}

static uint32_t key_created(struct request *r, uint32_t result)
{
    struct cmrp_CreateKey *a = r->args;
    if (result)
        return result;
    a->disposition = KEY_CREATED;
    return open_key(r, key_path(r, &a->parent, a->subkey), &a->key);
}

REQUEST(CreateKey)
{
    if (a->options & OPTION_VOLATILE)
        return ERR_INVALID_PARAMETER;
    if (a->security && a->security->descriptor.size > 0)
        return ERR_NOT_SUPPORTED;
    if (!target_key(r, &a->parent))
        return ERR_KEY_DELETED;
    char *path = key_path(r, &a->parent, a->subkey);
    if (!path)
        return ERR_NOT_ENOUGH_MEMORY;
    if (model_key(request_model(r), path)) {
        a->disposition = KEY_OPENED;
        return open_key(r, path, &a->key);
    }
    in->kind = INPUT_CREATE_KEY;
    in->object_id = path;
    r->finish = key_created;
    return ERR_SUCCESS;
}

REQUEST(DeleteKey)
{
    if (!target_key(r, &a->key))
        return ERR_KEY_DELETED;
    if (!*a->subkey)
        return ERR_INVALID_PARAMETER;
    in->kind = INPUT_DELETE_KEY;
    in->object_id = key_path(r, &a->key, a->subkey);
    return in->object_id ? ERR_SUCCESS : ERR_NOT_ENOUGH_MEMORY;
}

REQUEST(SetValue)
{
    if (!target_key(r, &a->key))
        return ERR_KEY_DELETED;
    in->kind = INPUT_SET_VALUE;
    in->object_id = target_of(&a->key)->id;
    in->name = a->value_name;
    in->number = a->type;
    in->data = a->data.data;
    in->size = a->data.size;
    return ERR_SUCCESS;
}

REQUEST(DeleteValue)
{
    if (!target_key(r, &a->key))
        return ERR_KEY_DELETED;
    in->kind = INPUT_DELETE_VALUE;
    in->object_id = target_of(&a->key)->id;
    in->name = a->value_name;
    return ERR_SUCCESS;
}

/* ---- reading ---- */

/* NULL: there are fewer. */
static const struct map_entry *entry_at(const struct map *m, uint32_t index)
{
    const struct map_entry *e = m ? map_first(m) : NULL;
    while (e && index-- > 0)
        e = map_next(m, e);
    return e;
}

READ(EnumKey)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    const struct map_entry *e = entry_at(key->subkeys, a->index);
    if (!e)
        return ERR_NO_MORE_ITEMS;
    const struct registry_key *subkey = e->value;
    a->last_write = filetime(subkey->written_ns);
    return request_give_text(r, subkey->o.name, &a->name);
}

/* Fills a buffer whose room the caller stated; its size stays 0 when it is too small. */
static uint32_t give_into(const struct request *r, const void *data, size_t size,
                          struct rpc_bytes *ret)
{
    if (size > ret->capacity)
        return ERR_MORE_DATA;
    return request_give_bytes(r, data, size, ret);
}

READ(EnumValue)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    const struct map_entry *e = entry_at(key->values, a->index);
    if (!e)
        return ERR_NO_MORE_ITEMS;
    const struct registry_value *value = e->value;
    a->type = value->type;
    a->total_size = (uint32_t)value->size;
    uint32_t code = request_give_text(r, value->name, &a->value_name);
    return code ? code : give_into(r, value->data, value->size, &a->data);
}

READ(QueryValue)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    const struct registry_value *value = key->values ? map_get(key->values, a->value_name) : NULL;
    if (!value)
        return ERR_FILE_NOT_FOUND;
    a->type = value->type;
    a->required = (uint32_t)value->size;
    return give_into(r, value->data, value->size, &a->data);
}

static uint32_t key_descriptor(const struct registry_key *key, uint32_t parts, struct buffer *out)
{
    const void *stored = key->security ? key->security : descriptor_default;
    size_t size = key->security ? key->security_size : descriptor_default_size;
    return descriptor_choose(stored, size, parts, out) < 0 ? ERR_NOT_ENOUGH_MEMORY : ERR_SUCCESS;
}

READ(QueryInfoKey)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    for (const struct map_entry *e = entry_at(key->subkeys, 0); e; e = map_next(key->subkeys, e)) {
        uint32_t length = (uint32_t)utf16_length(((const struct registry_key *)e->value)->o.name);
        a->max_subkey_length = MAX(a->max_subkey_length, length);
        a->subkeys++;
    }
    for (const struct map_entry *e = entry_at(key->values, 0); e; e = map_next(key->values, e)) {
        const struct registry_value *value = e->value;
        uint32_t length = (uint32_t)utf16_length(value->name);
        a->max_value_name_length = MAX(a->max_value_name_length, length);
        a->max_value_length = MAX(a->max_value_length, (uint32_t)value->size);
        a->values++;
    }
    _cleanup_(buffer_fini) struct buffer descriptor = {0};
    uint32_t code = key_descriptor(key, DESCRIPTOR_ALL, &descriptor);
    a->security_descriptor_size = (uint32_t)descriptor.size;
    a->last_write = filetime(key->written_ns);
    return code;
}

/* ---- security ---- */

READ(GetKeySecurity)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    _cleanup_(buffer_fini) struct buffer descriptor = {0};
    uint32_t code = key_descriptor(key, a->security_information, &descriptor);
    if (code)
        return code;
    uint32_t room = a->descriptor.capacity;
    a->descriptor.data = NULL;
    a->descriptor.size = (uint32_t)descriptor.size;
    if (descriptor.size > room)
        return ERR_INSUFFICIENT_BUFFER;
    return request_give_bytes(r, descriptor.data, descriptor.size, &a->descriptor);
}

REQUEST(SetKeySecurity)
{
    const struct registry_key *key = target_key(r, &a->key);
    if (!key)
        return ERR_KEY_DELETED;
    if (!descriptor_is_valid(a->descriptor.data, a->descriptor.size))
        return ERR_INVALID_PARAMETER;
    const void *stored = key->security ? key->security : descriptor_default;
    size_t size = key->security ? key->security_size : descriptor_default_size;
    _cleanup_(buffer_fini) struct buffer merged = {0};
    if (descriptor_merge(stored, size, a->descriptor.data, a->descriptor.size,
                         a->security_information, &merged) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    struct rpc_bytes copy = {0};
    uint32_t code = request_give_bytes(r, merged.data, merged.size, &copy);
    in->kind = INPUT_SET_KEY_SECURITY;
    in->object_id = target_of(&a->key)->id;
    in->data = copy.data;
    in->size = copy.size;
    return code;
}
