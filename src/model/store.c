/* SPDX-License-Identifier: MIT */
#include "model/store.h"

#include <errno.h>

#include "base/base64.h"

/* Objects as JSON for the journal: readable with a database shell when no service runs. */

static const char *text_of(const struct object *o)
{
    return o ? o->id : "";
}

/* Properties: [{"name", "format", "number" | "text" | "texts" | "base64"}] */

static bool is_number(enum property_format f)
{
    return f == PROPERTY_DWORD || f == PROPERTY_LONG || f == PROPERTY_WORD ||
           f == PROPERTY_ULARGE_INTEGER || f == PROPERTY_LARGE_INTEGER || f == PROPERTY_FILETIME;
}

static bool is_text(enum property_format f)
{
    return f == PROPERTY_SZ || f == PROPERTY_EXPAND_SZ || f == PROPERTY_EXPANDED_SZ;
}

json_t *store_base64(const void *data, size_t size)
{
    _cleanup_free_
    char *text = base64_encode(data, size);
    return text ? json_string(text) : NULL;
}

static json_t *encode_texts(const char *texts, size_t size)
{
    json_t *list = json_array();
    for (size_t at = 0; list && at < size; at += strlen(texts + at) + 1) {
        if (json_array_append_new(list, json_string(texts + at)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *encode_property(const struct property *p)
{
    const char *key = "base64";
    json_t *value;
    if (is_number(p->format)) {
        key = "number";
        value = json_integer((json_int_t)p->number);
    } else if (is_text(p->format) && p->size > 0) {
        key = "text";
        value = json_string(p->data);
    } else if (p->format == PROPERTY_MULTI_SZ) {
        key = "texts";
        value = encode_texts(p->data, p->size);
    } else {
        value = store_base64(p->data, p->size);
    }
    return json_pack("{s:s, s:i, s:o}", "name", p->name, "format", (int)p->format, key, value);
}

static json_t *encode_properties(const struct property_table *t)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < t->count; i++) {
        if (json_array_append_new(list, encode_property(&t->items[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *encode_ids(const struct pointer_list *l)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < l->count; i++) {
        if (json_array_append_new(list, json_string(text_of(l->items[i]))) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *encode_values(const struct registry_key *k)
{
    json_t *list = json_array();
    for (struct map_entry *e = map_first(k->values); list && e; e = map_next(k->values, e)) {
        const struct registry_value *v = e->value;
        json_t *each = json_pack("{s:s, s:I, s:o}", "name", v->name, "type", (json_int_t)v->type,
                                 "base64", store_base64(v->data, v->size));
        if (json_array_append_new(list, each) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *encode_key(const struct registry_key *k)
{
    json_t *security = k->security ? store_base64(k->security, k->security_size) : json_null();
    return json_pack("{s:o, s:o, s:I}", "values", encode_values(k), "security", security,
                     "written_ns", (json_int_t)k->written_ns);
}

static json_t *encode_own(const struct object *o)
{
    switch (o->type) {
    case OBJECT_CLUSTER: {
        const struct cluster *c = (const struct cluster *)o;
        return json_pack("{s:s, s:I}", "quorum_resource", c->quorum_resource_id, "lives",
                         (json_int_t)c->lives);
    }
    case OBJECT_NODE:
        return json_pack("{s:b}", "paused", ((const struct node *)o)->paused);
    case OBJECT_GROUP: {
        const struct group *g = (const struct group *)o;
        return json_pack("{s:s, s:b, s:b}", "owner", text_of((struct object *)g->owner),
                         "want_online", g->want_online, "core", g->is_core);
    }
    case OBJECT_RESOURCE: {
        const struct resource *r = (const struct resource *)o;
        return json_pack("{s:s, s:s, s:I, s:b, s:o}", "group", r->group->o.id, "resource_type",
                         r->resource_type->o.id, "flags", (json_int_t)r->flags, "want_online",
                         r->want_online, "providers", encode_ids(&r->providers));
    }
    case OBJECT_RESOURCE_TYPE:
        return json_pack("{s:s}", "definition", ((const struct resource_type *)o)->definition);
    case OBJECT_NETWORK_INTERFACE: {
        const struct netinterface *i = (const struct netinterface *)o;
        return json_pack("{s:s, s:s, s:s, s:s}", "network", i->network->o.id, "node",
                         text_of((struct object *)i->node), "device", i->device, "address",
                         i->address);
    }
    case OBJECT_REGISTRY:
        return encode_key((const struct registry_key *)o);
    default:
        return json_object();
    }
}

static int append_to_buffer(const char *data, size_t size, void *buffer)
{
    return buffer_append(buffer, data, size) < 0 ? -1 : 0;
}

int model_object_encode(const struct object *o, struct buffer *out)
{
    _cleanup_(json_decrefp) json_t *own = encode_own(o);
    _cleanup_(json_decrefp) json_t *j =
        json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "id", o->id, "name", o->name, "state",
                  (json_int_t)o->state, "created", (json_int_t)o->created, "common",
                  encode_properties(&o->common), "private", encode_properties(&o->private_));
    size_t start = out->size;
    if (!own || !j || json_object_update(j, own) < 0 ||
        json_dump_callback(j, append_to_buffer, out, JSON_COMPACT) < 0) {
        out->size = start;
        return -ENOMEM;
    }
    return 0;
}
