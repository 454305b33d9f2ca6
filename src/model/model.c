/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

static const input_handler handlers[INPUT_KIND_COUNT] = {
    [INPUT_SET_CLUSTER_NAME] = handle_set_cluster_name,
    [INPUT_SET_QUORUM_RESOURCE] = handle_set_quorum_resource,
    [INPUT_SET_COMMON_PROPERTIES] = handle_set_common_properties,
    [INPUT_SET_PRIVATE_PROPERTIES] = handle_set_private_properties,
    [INPUT_CREATE_GROUP] = handle_create_group,
    [INPUT_DELETE_GROUP] = handle_delete_group,
    [INPUT_RENAME_GROUP] = handle_rename_group,
    [INPUT_ONLINE_GROUP] = handle_online_group,
    [INPUT_OFFLINE_GROUP] = handle_offline_group,
    [INPUT_MOVE_GROUP] = handle_move_group,
    [INPUT_CREATE_RESOURCE] = handle_create_resource,
    [INPUT_DELETE_RESOURCE] = handle_delete_resource,
    [INPUT_RENAME_RESOURCE] = handle_rename_resource,
    [INPUT_ONLINE_RESOURCE] = handle_online_resource,
    [INPUT_OFFLINE_RESOURCE] = handle_offline_resource,
    [INPUT_FAIL_RESOURCE] = handle_fail_resource,
    [INPUT_ADD_DEPENDENCY] = handle_add_dependency,
    [INPUT_REMOVE_DEPENDENCY] = handle_remove_dependency,
    [INPUT_CHANGE_RESOURCE_GROUP] = handle_change_resource_group,
    [INPUT_PAUSE_NODE] = handle_pause_node,
    [INPUT_RESUME_NODE] = handle_resume_node,
    [INPUT_CREATE_KEY] = handle_create_key,
    [INPUT_DELETE_KEY] = handle_delete_key,
    [INPUT_SET_KEY_SECURITY] = handle_set_key_security,
    [INPUT_SET_VALUE] = handle_set_value,
    [INPUT_DELETE_VALUE] = handle_delete_value,
    [INPUT_FORM_CLUSTER] = handle_form_cluster,
    [INPUT_NODE_STARTED] = handle_node_started,
    [INPUT_NODE_STOPPED] = handle_node_stopped,
    [INPUT_DEFINE_TYPE] = handle_define_type,
    [INPUT_REMOVE_TYPE] = handle_remove_type,
    [INPUT_OPERATION_DONE] = resource_operation_done,
    [INPUT_TIMER] = resource_timer,
    [INPUT_RENAME_NETWORK] = handle_rename_network,
    [INPUT_NETWORK_SEEN] = handle_network_seen,
    [INPUT_NETWORK_GONE] = handle_network_gone,
    [INPUT_NETINTERFACE_SEEN] = handle_netinterface_seen,
    [INPUT_NETINTERFACE_GONE] = handle_netinterface_gone,
};

static bool has_objects(enum object_type type)
{
    return type >= OBJECT_GROUP && type <= OBJECT_NODE;
}

struct model *model_create(void)
{
    struct model *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->waiting = map_create();
    if (!m->waiting) {
        free(m);
        return NULL;
    }
    for (enum object_type t = OBJECT_GROUP; t <= OBJECT_NODE; t++) {
        m->by_id[t] = map_create();
        m->by_name[t] = map_create();
        if (!m->by_id[t] || !m->by_name[t]) {
            model_destroy(m);
            return NULL;
        }
    }
    return m;
}

static void free_removed(struct model *m)
{
    for (size_t i = 0; i < m->removed.count; i++)
        object_free(m->removed.items[i]);
    m->removed.count = 0;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    for (enum object_type t = OBJECT_GROUP; t <= OBJECT_NODE; t++) {
        for (struct map_entry *e = m->by_id[t] ? map_first(m->by_id[t]) : NULL; e;
             e = map_next(m->by_id[t], e))
            object_free(e->value);
        map_destroy(m->by_id[t]);
        map_destroy(m->by_name[t]);
    }
    free_removed(m);
    load_forget(m);
    map_destroy(m->waiting);
    list_fini(&m->removed);
    list_fini(&m->touched);
    object_free((struct object *)m->root);
    object_free((struct object *)m->cluster);
    free(m);
}

void model_output_fini(struct model_output *o)
{
    buffer_fini(&o->changes);
    for (size_t i = 0; i < o->effect_count; i++) {
        free(o->effects[i].resource_id);
        free(o->effects[i].resource_name);
        free(o->effects[i].type_name);
        property_table_fini(&o->effects[i].properties);
    }
    free(o->effects);
    for (size_t i = 0; i < o->stored_count; i++)
        free(o->stored[i].key);
    free(o->stored);
    *o = (struct model_output){0};
}

static void store_row(struct model *m, const struct object *o, bool deleted)
{
    struct model_output *out = m->out;
    if (out->stored_count == out->stored_capacity) {
        size_t capacity = out->stored_capacity ? out->stored_capacity * 2 : 8;
        void *rows = reallocarray(out->stored, capacity, sizeof(*out->stored));
        if (!check_memory(m, rows))
            return;
        out->stored = rows;
        out->stored_capacity = capacity;
    }
    char *key = text_copy(m, o->id);
    if (!key)
        return;
    out->stored[out->stored_count++] =
        (struct stored_object){.type = o->type, .key = key, .object = deleted ? NULL : o};
}

static void finish_transaction(struct model *m)
{
    struct model_output *out = m->out;
    if (out->change_count > 0)
        change_put_revision(out->changes.data + m->last_change, m->revision,
                            m->revision - out->change_count + 1, true);
    /* Deletions first: what was deleted and made anew under its old key must stay. */
    for (size_t i = 0; i < m->removed.count; i++)
        store_row(m, m->removed.items[i], true);
    for (size_t i = 0; i < m->touched.count; i++) {
        struct object *o = m->touched.items[i];
        o->dirty = false;
        store_row(m, o, false);
    }
    m->touched.count = 0;
}

static bool needs_cluster(enum input_kind kind)
{
    return kind != INPUT_FORM_CLUSTER;
}

uint32_t model_step(struct model *m, const struct model_input *in, struct model_output *out)
{
    if (in->kind <= INPUT_NONE || in->kind >= INPUT_KIND_COUNT || !handlers[in->kind])
        return ERR_INVALID_PARAMETER;
    if (needs_cluster(in->kind) && !m->cluster)
        return ERR_CLUSTER_NODE_NOT_READY;
    free_removed(m);
    m->in = in;
    m->out = out;
    m->failed = false;
    uint32_t code = handlers[in->kind](m, in);
    finish_transaction(m);
    m->in = NULL;
    m->out = NULL;
    return m->failed ? ERR_NOT_ENOUGH_MEMORY : code;
}

uint64_t model_revision(const struct model *m)
{
    return m->revision;
}

/* Objects */

void *check_memory(struct model *m, void *p)
{
    if (!p)
        m->failed = true;
    return p;
}

void check_result(struct model *m, int r)
{
    if (r < 0)
        m->failed = true;
}

char *text_copy(struct model *m, const char *s)
{
    return check_memory(m, strdup(text_or_empty(s)));
}

void text_replace(struct model *m, char **s, const char *value)
{
    char *copy = text_copy(m, value);
    if (!copy)
        return;
    free(*s);
    *s = copy;
}

void *object_find(const struct model *m, enum object_type type, const char *id_or_name)
{
    if (!id_or_name || !has_objects(type))
        return NULL;
    void *o = map_get(m->by_id[type], id_or_name);
    return o ? o : map_get(m->by_name[type], id_or_name);
}

void *object_new(struct model *m, enum object_type type, size_t size, const char *id,
                 const char *name)
{
    struct object *o = check_memory(m, calloc(1, size));
    if (!o)
        return NULL;
    o->type = type;
    o->state = NO_STATE;
    o->created = m->revision + 1;
    o->id = text_copy(m, id);
    o->name = text_copy(m, name);
    if (o->id && o->name)
        return o;
    object_free(o);
    return NULL;
}

int object_register(struct model *m, struct object *o)
{
    int r = map_put(m->by_id[o->type], o->id, o);
    if (r < 0)
        return r;
    r = map_put(m->by_name[o->type], o->name, o);
    if (r < 0)
        map_remove(m->by_id[o->type], o->id);
    return r;
}

void object_touch(struct model *m, struct object *o)
{
    if (o->dirty)
        return;
    o->dirty = true;
    check_result(m, list_append(&m->touched, o));
}

void object_remove(struct model *m, struct object *o)
{
    if (has_objects(o->type)) {
        map_remove(m->by_id[o->type], o->id);
        map_remove(m->by_name[o->type], o->name);
    }
    list_remove(&m->touched, o);
    if (list_append(&m->removed, o) < 0) {
        m->failed = true;
        object_free(o);
    }
}

void object_rename(struct model *m, struct object *o, const char *name)
{
    map_remove(m->by_name[o->type], o->name);
    text_replace(m, &o->name, name);
    check_result(m, map_put(m->by_name[o->type], o->name, o));
    object_touch(m, o);
}

#define NAME_MOST                                                                                  \
    256 /* MAX_PATH less what the API's own buffers need for a NUL and a backslash                 \
         */

/* What is read at start and stands in every snapshot has an end, as the registry has its own. */
#define OBJECTS_MOST 16384

static size_t count_objects(const struct model *m)
{
    size_t count = 0;
    for (enum object_type t = OBJECT_GROUP; t <= OBJECT_NODE; t++)
        count += map_count(m->by_id[t]);
    return count;
}

/* Names share one space with the ids of their type, because either may be given to Open. */
uint32_t name_check(const struct model *m, const struct object *self, enum object_type type,
                    const char *name)
{
    size_t size = strlen(text_or_empty(name));
    if (size == 0 || !text_is_utf8(name, size))
        return ERR_INVALID_NAME;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return ERR_INVALID_NAME;
    if (utf16_length(name) > NAME_MOST)
        return ERR_FILENAME_EXCED_RANGE;
    const struct object *other = has_objects(type) ? object_find(m, type, name) : NULL;
    if (other && other != self)
        return ERR_OBJECT_ALREADY_EXISTS;
    return !self && count_objects(m) >= OBJECTS_MOST ? ERR_NOT_ENOUGH_QUOTA : ERR_SUCCESS;
}

/* Reading */

const struct cluster *model_cluster(const struct model *m)
{
    return m->cluster;
}

const struct node *model_node(const struct model *m, const char *id_or_name)
{
    return object_find(m, OBJECT_NODE, id_or_name);
}

const struct group *model_group(const struct model *m, const char *id_or_name)
{
    return object_find(m, OBJECT_GROUP, id_or_name);
}

const struct resource *model_resource(const struct model *m, const char *id_or_name)
{
    return object_find(m, OBJECT_RESOURCE, id_or_name);
}

const struct resource_type *model_resource_type(const struct model *m, const char *name)
{
    return object_find(m, OBJECT_RESOURCE_TYPE, name);
}

const struct network *model_network(const struct model *m, const char *id_or_name)
{
    return object_find(m, OBJECT_NETWORK, id_or_name);
}

const struct netinterface *model_netinterface(const struct model *m, const char *id_or_name)
{
    return object_find(m, OBJECT_NETWORK_INTERFACE, id_or_name);
}

const struct registry_key *model_key(const struct model *m, const char *path)
{
    return registry_find(m, path);
}

const struct map *model_objects(const struct model *m, enum object_type type)
{
    return has_objects(type) ? m->by_id[type] : NULL;
}
