/* SPDX-License-Identifier: MIT */
#include "model/schema.h"

#include <errno.h>

/* Of an object's properties of one scope, as the list that GET gives. A change carries such a list
 * twice, and both must fit its record. */
#define LIST_MOST (1u << 20)

/* Borrowed views: nothing in a struct property made here is to be freed. */

static struct property number_property(const char *name, uint32_t n)
{
    return (struct property){.name = (char *)name, .format = PROPERTY_DWORD, .number = n};
}

/* PersistentState is a field, because the failover manager goes by it. */
static bool persistent_state(const struct object *o)
{
    return o->type == OBJECT_RESOURCE ? ((const struct resource *)o)->want_online
                                      : ((const struct group *)o)->want_online;
}

static void set_persistent_state(struct object *o, bool online)
{
    if (o->type == OBJECT_RESOURCE)
        ((struct resource *)o)->want_online = online;
    else
        ((struct group *)o)->want_online = online;
}

/* A resource's default comes from its type where the type has one, a type's from its definition. */
static uint32_t default_number(const struct object *o, const struct property_schema *s)
{
    if (o->type == OBJECT_RESOURCE && text_equal(s->name, "PendingTimeout")) {
        const struct object *t = &((const struct resource *)o)->resource_type->o;
        const struct property *p = property_find(&t->common, s->name);
        return p ? (uint32_t)p->number : ((const struct resource_type *)t)->pending_timeout_ms;
    }
    if (o->type == OBJECT_RESOURCE_TYPE) {
        const struct resource_type *t = (const struct resource_type *)o;
        if (text_equal(s->name, "PendingTimeout"))
            return t->pending_timeout_ms;
        if (text_equal(s->name, "LooksAlivePollInterval"))
            return t->looks_alive_ms;
        if (text_equal(s->name, "IsAlivePollInterval"))
            return t->is_alive_ms;
    }
    return s->number;
}

static struct property default_common(const struct object *o, const struct property_schema *s)
{
    struct property p = {.name = (char *)s->name, .format = s->format};
    if (s->format == PROPERTY_DWORD) {
        p.number = default_number(o, s);
    } else {
        p.data = "";
        p.size = s->format == PROPERTY_SZ ? 1 : 0;
    }
    return p;
}

static struct property effective_common(const struct object *o, const struct property_schema *s)
{
    if (text_equal(s->name, PERSISTENT_STATE))
        return number_property(s->name, persistent_state(o));
    const struct property *set = property_find(&o->common, s->name);
    return set ? *set : default_common(o, s);
}

uint32_t object_dword(const struct object *o, const char *name)
{
    const struct property_schema *s = schema_find(o->type, name);
    PRE(s);
    return (uint32_t)effective_common(o, s).number;
}

static const struct property_table *private_schema(const struct object *o)
{
    return o->type == OBJECT_RESOURCE ? &((const struct resource *)o)->resource_type->schema : NULL;
}

/* NULL: not set, and no schema knows it. */
static const struct property *effective_private(const struct object *o, const char *name)
{
    const struct property *set = property_find(&o->private_, name);
    if (set)
        return set;
    const struct property_table *schema = private_schema(o);
    return schema ? property_find(schema, name) : NULL;
}

/* Reading */

static int read_common(const struct object *o, struct property_table *ret)
{
    int r = 0;
    for (const struct property_schema *s = schema_common(o->type); s && s->name && r == 0; s++) {
        struct property p = effective_common(o, s);
        r = property_set(ret, &p);
    }
    return r;
}

static int read_private(const struct object *o, struct property_table *ret)
{
    int r = 0;
    const struct property_table *schema = private_schema(o);
    for (size_t i = 0; schema && i < schema->count && r == 0; i++)
        r = property_set(ret, effective_private(o, schema->items[i].name));
    for (size_t i = 0; i < o->private_.count && r == 0; i++)
        r = property_set(ret, &o->private_.items[i]);
    return r;
}

static int read_only_of_resource(const struct resource *r, struct property_table *ret)
{
    const struct resource_type *t = r->resource_type;
    int result = property_set_text(ret, "Type", t->o.name);
    if (result == 0)
        result = property_set_dword(ret, "Class", t->class_);
    if (result == 0)
        result = property_set_dword(ret, "Subclass", t->subclass);
    if (result == 0)
        result = property_set_dword(ret, "Characteristics", t->characteristics);
    if (result == 0)
        result = property_set_dword(ret, "Flags", 0);
    if (result == 0)
        result = property_set_dword(ret, "CoreResource", 0);
    return result;
}

static int read_only_of_interface(const struct netinterface *i, struct property_table *ret)
{
    int r = property_set_text(ret, "Node", i->node ? i->node->o.name : "");
    if (r == 0)
        r = property_set_text(ret, "Network", i->network->o.name);
    if (r == 0)
        r = property_set_text(ret, "Adapter", i->device);
    if (r == 0)
        r = property_set_text(ret, "Address", i->address);
    return r;
}

static int read_only_of_type(const struct resource_type *t, struct property_table *ret)
{
    int r = property_set_dword(ret, "Class", t->class_);
    if (r == 0)
        r = property_set_dword(ret, "Subclass", t->subclass);
    if (r == 0)
        r = property_set_dword(ret, "Characteristics", t->characteristics);
    return r;
}

static int read_common_read_only(const struct object *o, struct property_table *ret)
{
    const char *name = o->name;
    if (o->type == OBJECT_RESOURCE_TYPE)
        name = ((const struct resource_type *)o)->display_name;
    int r = property_set_text(ret, o->type == OBJECT_NODE ? "NodeName" : "Name", name);
    if (r < 0)
        return r;
    switch (o->type) {
    case OBJECT_RESOURCE:
        return read_only_of_resource((const struct resource *)o, ret);
    case OBJECT_RESOURCE_TYPE:
        return read_only_of_type((const struct resource_type *)o, ret);
    case OBJECT_NETWORK_INTERFACE:
        return read_only_of_interface((const struct netinterface *)o, ret);
    case OBJECT_NODE:
        return property_set_text(ret, "NodeInstanceID", o->id);
    default:
        return 0;
    }
}

int model_properties(const struct model *m, const struct object *o, enum property_scope scope,
                     struct property_table *ret)
{
    (void)m;
    switch (scope) {
    case PROPERTIES_COMMON:
        return read_common(o, ret);
    case PROPERTIES_COMMON_READ_ONLY:
        return read_common_read_only(o, ret);
    case PROPERTIES_PRIVATE:
        return read_private(o, ret);
    case PROPERTIES_PRIVATE_READ_ONLY:
        return 0;
    }
    return 0;
}

/* Setting */

/* An empty value of these formats stands for the default, whatever the property's own format. */
static bool asks_for_default(const struct property *p)
{
    return p->size == 0 && (p->format == PROPERTY_BINARY || p->format == PROPERTY_SZ ||
                            p->format == PROPERTY_EXPAND_SZ);
}

static bool is_read_only_common(const struct object *o, const char *name)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    return read_common_read_only(o, &t) == 0 && property_find(&t, name);
}

static uint32_t check_common(const struct object *o, const struct property *p)
{
    const struct property_schema *s = schema_find(o->type, p->name);
    if (!s)
        return is_read_only_common(o, p->name) ? ERR_RESOURCE_PROPERTY_UNCHANGEABLE
                                               : ERR_INVALID_PARAMETER;
    if (asks_for_default(p))
        return ERR_SUCCESS;
    if (p->format != s->format)
        return ERR_INVALID_DATA;
    if (s->format == PROPERTY_DWORD && (p->number < s->least || p->number > s->most))
        return ERR_INVALID_PARAMETER;
    return ERR_SUCCESS;
}

static uint32_t check_private(const struct object *o, const struct property *p)
{
    const struct property_table *schema = private_schema(o);
    const struct property *known = schema ? property_find(schema, p->name) : NULL;
    if (!known || asks_for_default(p))
        return ERR_SUCCESS;
    bool both_text = (known->format == PROPERTY_SZ || known->format == PROPERTY_EXPAND_SZ) &&
                     (p->format == PROPERTY_SZ || p->format == PROPERTY_EXPAND_SZ);
    return both_text || p->format == known->format ? ERR_SUCCESS : ERR_INVALID_DATA;
}

static uint32_t decode(const void *list, size_t size, struct property_table *ret)
{
    switch (property_list_decode(list, size, ret)) {
    case 0:
        return ERR_SUCCESS;
    case -ENOMEM:
        return ERR_NOT_ENOUGH_MEMORY;
    case -ENOBUFS:
        return ERR_INSUFFICIENT_BUFFER;
    default:
        return ERR_INVALID_DATA;
    }
}

/* What is accepted can always be told, and be set again as it was got. */
static uint32_t check_room(const struct model *m, const struct object *o, enum property_scope scope,
                           const struct property_table *values)
{
    _cleanup_(property_table_fini) struct property_table after = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    int r = model_properties(m, o, scope, &after);
    for (size_t i = 0; i < values->count && r == 0; i++) {
        const struct property *p = &values->items[i];
        if (asks_for_default(p))
            property_remove(&after, p->name);
        else
            r = property_set(&after, p);
    }
    if (r == 0)
        r = property_list_encode(&after, &list);
    if (r < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    return after.count > PROPERTY_LIST_MOST || list.size > LIST_MOST ? ERR_NOT_ENOUGH_QUOTA
                                                                     : ERR_SUCCESS;
}

static uint32_t decode_checked(const struct model *m, const struct object *o,
                               enum property_scope scope, const void *list, size_t size,
                               struct property_table *ret)
{
    if (scope != PROPERTIES_COMMON && scope != PROPERTIES_PRIVATE)
        return ERR_INVALID_PARAMETER;
    uint32_t code = decode(list, size, ret);
    for (size_t i = 0; i < ret->count && code == ERR_SUCCESS; i++) {
        const struct property *p = &ret->items[i];
        code = *p->name == 0                ? ERR_INVALID_PARAMETER
               : scope == PROPERTIES_COMMON ? check_common(o, p)
                                            : check_private(o, p);
    }
    return code == ERR_SUCCESS ? check_room(m, o, scope, ret) : code;
}

uint32_t model_validate_properties(const struct model *m, const struct object *o,
                                   enum property_scope scope, const void *list, size_t size)
{
    _cleanup_(property_table_fini) struct property_table values = {0};
    return decode_checked(m, o, scope, list, size, &values);
}

static struct object *find_object(const struct model *m, const struct model_input *in)
{
    if (in->object_type == OBJECT_CLUSTER)
        return &m->cluster->o;
    return object_find(m, in->object_type, in->object_id);
}

static uint32_t not_found(enum object_type type)
{
    static const uint32_t codes[OBJECT_QUORUM + 1] = {
        [OBJECT_GROUP] = ERR_GROUP_NOT_FOUND,
        [OBJECT_RESOURCE] = ERR_RESOURCE_NOT_FOUND,
        [OBJECT_RESOURCE_TYPE] = ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND,
        [OBJECT_NETWORK_INTERFACE] = ERR_CLUSTER_NETINTERFACE_NOT_FOUND,
        [OBJECT_NETWORK] = ERR_CLUSTER_NETWORK_NOT_FOUND,
        [OBJECT_NODE] = ERR_CLUSTER_NODE_NOT_FOUND,
    };
    uint32_t code = type <= OBJECT_QUORUM ? codes[type] : 0;
    return code ? code : ERR_INVALID_PARAMETER;
}

static enum change_kind property_kind(enum object_type type, enum property_scope scope)
{
    static const enum change_kind kinds[OBJECT_QUORUM + 1][2] = {
        [OBJECT_CLUSTER] = {CHANGE_CLUSTER_COMMON_PROPERTY, CHANGE_CLUSTER_PRIVATE_PROPERTY},
        [OBJECT_GROUP] = {CHANGE_GROUP_COMMON_PROPERTY, CHANGE_GROUP_PRIVATE_PROPERTY},
        [OBJECT_RESOURCE] = {CHANGE_RESOURCE_COMMON_PROPERTY, CHANGE_RESOURCE_PRIVATE_PROPERTY},
        [OBJECT_RESOURCE_TYPE] = {CHANGE_RESOURCE_TYPE_COMMON_PROPERTY,
                                  CHANGE_RESOURCE_TYPE_PRIVATE_PROPERTY},
        [OBJECT_NETWORK_INTERFACE] = {CHANGE_NETINTERFACE_COMMON_PROPERTY,
                                      CHANGE_NETINTERFACE_PRIVATE_PROPERTY},
        [OBJECT_NETWORK] = {CHANGE_NETWORK_COMMON_PROPERTY, CHANGE_NETWORK_PRIVATE_PROPERTY},
        [OBJECT_NODE] = {CHANGE_NODE_COMMON_PROPERTY, CHANGE_NODE_PRIVATE_PROPERTY},
    };
    return kinds[type][scope == PROPERTIES_PRIVATE];
}

static void store_common(struct object *o, const struct property *p, struct model *m)
{
    if (text_equal(p->name, PERSISTENT_STATE))
        set_persistent_state(o, !asks_for_default(p) && p->number != 0);
    else if (asks_for_default(p))
        property_remove(&o->common, p->name);
    else
        check_result(m, property_set(&o->common, p));
}

static void store_private(struct object *o, const struct property *p, struct model *m)
{
    if (asks_for_default(p))
        property_remove(&o->private_, p->name);
    else
        check_result(m, property_set(&o->private_, p));
}

/* Notes in the tables what the value was and is, when setting p has changed it. */
static void set_common(struct model *m, struct object *o, const struct property *p,
                       struct property_table *old_values, struct property_table *new_values)
{
    const struct property_schema *s = schema_find(o->type, p->name);
    struct property before = effective_common(o, s);
    struct property after = asks_for_default(p) ? default_common(o, s) : *p;
    if (property_equal(&before, &after))
        return;
    check_result(m, property_set(old_values, &before)); /* before it is overwritten */
    store_common(o, p, m);
    after = effective_common(o, s);
    check_result(m, property_set(new_values, &after));
}

static void set_private(struct model *m, struct object *o, const struct property *p,
                        struct property_table *old_values, struct property_table *new_values)
{
    const struct property *before = effective_private(o, p->name);
    if (asks_for_default(p) ? !property_find(&o->private_, p->name)
                            : before && property_equal(before, p))
        return;
    size_t noted = old_values->count;
    if (before)
        check_result(m, property_set(old_values, before));
    store_private(o, p, m);
    const struct property *after = effective_private(o, p->name);
    if (before && after && !m->failed && property_equal(&old_values->items[noted], after)) {
        property_remove(old_values, p->name); /* set to what is the default anyway */
        return;
    }
    if (after)
        check_result(m, property_set(new_values, after));
}

static uint32_t set_properties(struct model *m, const struct model_input *in,
                               enum property_scope scope)
{
    struct object *o = find_object(m, in);
    if (!o)
        return not_found(in->object_type);
    _cleanup_(property_table_fini) struct property_table values = {0};
    _cleanup_(property_table_fini) struct property_table old_values = {0};
    _cleanup_(property_table_fini) struct property_table new_values = {0};
    uint32_t code = decode_checked(m, o, scope, in->data, in->size, &values);
    if (code != ERR_SUCCESS)
        return code;
    for (size_t i = 0; i < values.count; i++) {
        if (scope == PROPERTIES_COMMON)
            set_common(m, o, &values.items[i], &old_values, &new_values);
        else
            set_private(m, o, &values.items[i], &old_values, &new_values);
    }
    if (old_values.count == 0 && new_values.count == 0)
        return ERR_SUCCESS;
    object_touch(m, o);
    emit_properties(m, property_kind(o->type, scope), o, &old_values, &new_values);
    bool runs =
        o->type == OBJECT_RESOURCE && o->state != RESOURCE_OFFLINE && o->state != RESOURCE_FAILED;
    return runs && scope == PROPERTIES_PRIVATE ? ERR_RESOURCE_PROPERTIES_STORED : ERR_SUCCESS;
}

uint32_t handle_set_common_properties(struct model *m, const struct model_input *in)
{
    return set_properties(m, in, PROPERTIES_COMMON);
}

uint32_t handle_set_private_properties(struct model *m, const struct model_input *in)
{
    return set_properties(m, in, PROPERTIES_PRIVATE);
}
