/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <errno.h>

#define PATH_DEPTH_MOST 512 /* the registry's own limit */
#define PATH_MOST 32767     /* half of what a text on the wire may have */
#define VALUE_NAME_MOST 16383
#define KEY_NAME_MOST 255
#define VALUE_MOST (1u << 20)
#define REGISTRY_MOST (32u << 20) /* all of it is read at start and stands in every snapshot */
#define RECORD_COST 256 /* of a key and of each value in a snapshot, beside its texts and data */

/* Calls each part of a path in turn; NULL when it is malformed: empty parts, too long ones. */
static const char *next_part(const char *path, char part[KEY_NAME_MOST * 4 + 1])
{
    size_t length = strcspn(path, "\\");
    if (length == 0 || length > KEY_NAME_MOST * 4)
        return NULL;
    memcpy(part, path, length);
    part[length] = 0;
    path += length;
    return *path == '\\' && path[1] ? path + 1 : *path ? NULL : path;
}

static bool path_is_valid(const char *path)
{
    char part[KEY_NAME_MOST * 4 + 1];
    if (!text_is_utf8(path, strlen(path)) || utf16_length(path) > PATH_MOST)
        return false;
    for (unsigned depth = 0; *path; depth++) {
        path = next_part(path, part);
        if (!path || depth == PATH_DEPTH_MOST || utf16_length(part) > KEY_NAME_MOST)
            return false;
    }
    return true;
}

struct registry_key *registry_find(const struct model *m, const char *path)
{
    char part[KEY_NAME_MOST * 4 + 1];
    struct registry_key *k = m->root;
    path = text_or_empty(path);
    while (k && *path) {
        path = next_part(path, part);
        if (!path)
            return NULL;
        k = map_get(k->subkeys, part);
    }
    return k;
}

struct registry_key *registry_parent(const struct model *m, const char *path)
{
    const char *last = strrchr(path, '\\');
    if (!last)
        return m->root;
    _cleanup_free_
    char *parent = strndup(path, (size_t)(last - path));
    return parent ? registry_find(m, parent) : NULL;
}

/* Without a change record. parent NULL: the root. */
struct registry_key *registry_add(struct model *m, struct registry_key *parent, const char *name)
{
    bool below_root = parent && *parent->o.id;
    _cleanup_free_
    char *path = check_memory(
        m, text_format("%s%s%s", below_root ? parent->o.id : "", below_root ? "\\" : "", name));
    if (!path)
        return NULL;
    struct registry_key *k = object_new(m, OBJECT_REGISTRY, sizeof(*k), path, name);
    if (!k)
        return NULL;
    k->parent = parent;
    k->subkeys = map_create();
    k->values = map_create();
    if (!k->subkeys || !k->values || (parent && map_put(parent->subkeys, name, k) < 0)) {
        m->failed = true;
        object_free(&k->o);
        return NULL;
    }
    if (m->in)
        k->written_ns = m->in->time_ns;
    object_touch(m, &k->o);
    return k;
}

/* A record has the key's path twice: as its object and as its name. */
static size_t record_cost(size_t path_length)
{
    return RECORD_COST + 2 * path_length;
}

void registry_account(struct model *m, struct registry_key *k)
{
    size_t record = record_cost(strlen(k->o.id)),
           size = record + strlen(k->o.name) + k->security_size;
    for (struct map_entry *e = map_first(k->values); e; e = map_next(k->values, e))
        size += record + strlen(e->key) + ((const struct registry_value *)e->value)->size;
    m->registry_size += size - k->size;
    k->size = size;
}

static bool has_room(const struct model *m, size_t size)
{
    return m->registry_size + size <= REGISTRY_MOST;
}

void registry_value_free(struct registry_value *v)
{
    if (!v)
        return;
    free(v->name);
    free(v->data);
    free(v);
}

static struct registry_value *value_new(const char *name, uint32_t type, const void *data,
                                        size_t size)
{
    struct registry_value *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->name = strdup(name);
    v->type = type;
    v->size = size;
    v->data = malloc(size + 1);
    if (!v->name || !v->data) {
        registry_value_free(v);
        return NULL;
    }
    if (size > 0)
        memcpy(v->data, data, size);
    return v;
}

int registry_put(struct registry_key *k, const char *name, uint32_t type, const void *data,
                 size_t size)
{
    struct registry_value *v = value_new(name, type, data, size);
    if (!v)
        return -ENOMEM;
    struct registry_value *old = map_get(k->values, name);
    if (old) { /* in place: the order of values is the order in which they came */
        struct registry_value was = *old;
        *old = *v;
        *v = was;
        char *swap = old->name;
        old->name = v->name;
        v->name = swap;
        registry_value_free(v);
        return 0;
    }
    int r = map_put(k->values, name, v);
    if (r < 0)
        registry_value_free(v);
    return r;
}

/* Of the key and of those above it that are missing. */
static size_t creation_cost(const struct model *m, const char *path)
{
    char part[KEY_NAME_MOST * 4 + 1];
    const struct registry_key *k = m->root;
    size_t cost = 0;
    for (const char *at = path; *at;) {
        at = next_part(at, part);
        k = k ? map_get(k->subkeys, part) : NULL;
        if (!k)
            cost += record_cost((size_t)(at - path)) + strlen(part);
    }
    return cost;
}

/* Missing parents are made too, each with its own change. An existing key is success. */
uint32_t handle_create_key(struct model *m, const struct model_input *in)
{
    const char *path = text_or_empty(in->object_id);
    if (!path_is_valid(path))
        return ERR_INVALID_NAME;
    size_t cost = creation_cost(m, path);
    if (cost > 0 && !has_room(m, cost))
        return ERR_NOT_ENOUGH_QUOTA;
    char part[KEY_NAME_MOST * 4 + 1];
    struct registry_key *k = m->root;
    while (*path && !m->failed) {
        path = next_part(path, part);
        struct registry_key *sub = map_get(k->subkeys, part);
        if (!sub) {
            sub = registry_add(m, k, part);
            if (!sub)
                return ERR_NOT_ENOUGH_MEMORY;
            registry_account(m, sub);
            k->written_ns = in->time_ns;
            emit_registry(m, CHANGE_REGISTRY_NAME, sub, "", value_none(), value_text(part));
        }
        k = sub;
    }
    return ERR_SUCCESS;
}

uint32_t handle_delete_key(struct model *m, const struct model_input *in)
{
    struct registry_key *k = registry_find(m, in->object_id);
    if (!k)
        return ERR_FILE_NOT_FOUND;
    if (!k->parent)
        return ERR_ACCESS_DENIED;
    if (map_count(k->subkeys) > 0)
        return ERR_DIR_NOT_EMPTY;
    emit_registry(m, CHANGE_REGISTRY_NAME, k, "", value_text(k->o.name), value_none());
    m->registry_size -= k->size;
    map_remove(k->parent->subkeys, k->o.name);
    k->parent->written_ns = in->time_ns;
    object_remove(m, &k->o);
    return ERR_SUCCESS;
}

uint32_t handle_set_key_security(struct model *m, const struct model_input *in)
{
    struct registry_key *k = registry_find(m, in->object_id);
    if (!k)
        return ERR_FILE_NOT_FOUND;
    if (!in->data || in->size == 0 || in->size > VALUE_MOST)
        return ERR_INVALID_PARAMETER;
    if (k->security && k->security_size == in->size && memcmp(k->security, in->data, in->size) == 0)
        return ERR_SUCCESS;
    if (!has_room(m, in->size))
        return ERR_NOT_ENOUGH_QUOTA;
    void *security = check_memory(m, malloc(in->size));
    if (!security)
        return ERR_NOT_ENOUGH_MEMORY;
    memcpy(security, in->data, in->size);
    free(k->security);
    k->security = security;
    k->security_size = in->size;
    registry_account(m, k);
    object_touch(m, &k->o);
    emit_registry(m, CHANGE_REGISTRY_ATTRIBUTES, k, "", value_none(), value_none());
    return ERR_SUCCESS;
}

static struct change_value value_registry(uint32_t type, const void *data, size_t size)
{
    return (struct change_value){
        .kind = VALUE_REGISTRY, .number = type, .data = data, .size = size};
}

uint32_t handle_set_value(struct model *m, const struct model_input *in)
{
    struct registry_key *k = registry_find(m, in->object_id);
    const char *name = text_or_empty(in->name);
    if (!k)
        return ERR_FILE_NOT_FOUND;
    if (!text_is_utf8(name, strlen(name)) || utf16_length(name) > VALUE_NAME_MOST)
        return ERR_INVALID_NAME;
    if (in->size > VALUE_MOST || (in->size > 0 && !in->data))
        return ERR_INVALID_PARAMETER;
    const struct registry_value *old = map_get(k->values, name);
    if (old && old->type == in->number && old->size == in->size &&
        (in->size == 0 || memcmp(old->data, in->data, in->size) == 0))
        return ERR_SUCCESS;
    size_t replaced = old ? MIN(old->size, in->size) : 0; /* what shrinks always has room */
    if (in->size > replaced &&
        !has_room(m, record_cost(strlen(k->o.id)) + strlen(name) + in->size - replaced))
        return ERR_NOT_ENOUGH_QUOTA;
    emit_registry(m, CHANGE_REGISTRY_VALUE, k, old ? old->name : name,
                  old ? value_registry(old->type, old->data, old->size) : value_none(),
                  value_registry(in->number, in->data, in->size));
    check_result(m, registry_put(k, name, in->number, in->data, in->size));
    registry_account(m, k);
    k->written_ns = in->time_ns;
    object_touch(m, &k->o);
    return ERR_SUCCESS;
}

uint32_t handle_delete_value(struct model *m, const struct model_input *in)
{
    struct registry_key *k = registry_find(m, in->object_id);
    struct registry_value *v = k ? map_get(k->values, text_or_empty(in->name)) : NULL;
    if (!v)
        return ERR_FILE_NOT_FOUND;
    emit_registry(m, CHANGE_REGISTRY_VALUE, k, v->name, value_registry(v->type, v->data, v->size),
                  value_none());
    map_remove(k->values, v->name);
    registry_value_free(v);
    registry_account(m, k);
    k->written_ns = in->time_ns;
    object_touch(m, &k->o);
    return ERR_SUCCESS;
}
