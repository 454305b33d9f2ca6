/* SPDX-License-Identifier: MIT */
#include "model/store.h"

#include <errno.h>

#include "base/json_write.h"

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

static void put_text(struct buffer *b, const char *name, const char *text)
{
    json_key(b, name);
    json_put_text(b, text);
}

static void put_number(struct buffer *b, const char *name, uint64_t number)
{
    json_key(b, name);
    json_put_number(b, (int64_t)number);
}

static void put_flag(struct buffer *b, const char *name, bool flag)
{
    json_key(b, name);
    json_put_flag(b, flag);
}

static void put_base64(struct buffer *b, const char *name, const void *data, size_t size)
{
    json_key(b, name);
    json_put_base64(b, data, size);
}

static void put_texts(struct buffer *b, const char *name, const char *texts, size_t size)
{
    json_key(b, name);
    json_begin(b, '[');
    for (size_t at = 0; at < size; at += strlen(texts + at) + 1)
        json_put_text(b, texts + at);
    json_end(b, ']');
}

static void put_property(struct buffer *b, const struct property *p)
{
    json_begin(b, '{');
    put_text(b, "name", p->name);
    put_number(b, "format", p->format);
    if (is_number(p->format))
        put_number(b, "number", p->number);
    else if (is_text(p->format) && p->size > 0)
        put_text(b, "text", (const char *)p->data);
    else if (p->format == PROPERTY_MULTI_SZ)
        put_texts(b, "texts", (const char *)p->data, p->size);
    else
        put_base64(b, "base64", p->data, p->size);
    json_end(b, '}');
}

static void put_properties(struct buffer *b, const char *name, const struct property_table *t)
{
    json_key(b, name);
    json_begin(b, '[');
    for (size_t i = 0; i < t->count; i++)
        put_property(b, &t->items[i]);
    json_end(b, ']');
}

static void put_ids(struct buffer *b, const char *name, const struct pointer_list *l)
{
    json_key(b, name);
    json_begin(b, '[');
    for (size_t i = 0; i < l->count; i++)
        json_put_text(b, text_of(l->items[i]));
    json_end(b, ']');
}

static void put_value(struct buffer *b, const struct registry_value *v)
{
    json_begin(b, '{');
    put_text(b, "name", v->name);
    put_number(b, "type", v->type);
    put_base64(b, "base64", v->data, v->size);
    json_end(b, '}');
}

static void put_key(struct buffer *b, const struct registry_key *k)
{
    json_key(b, "values");
    json_begin(b, '[');
    for (struct map_entry *e = map_first(k->values); e; e = map_next(k->values, e))
        put_value(b, e->value);
    json_end(b, ']');
    json_key(b, "security");
    if (k->security)
        json_put_base64(b, k->security, k->security_size);
    else
        json_put_null(b);
    put_number(b, "written_ns", (uint64_t)k->written_ns);
}

static void put_group(struct buffer *b, const struct group *g)
{
    put_text(b, "owner", text_of((struct object *)g->owner));
    put_flag(b, "want_online", g->want_online);
    put_flag(b, "core", g->is_core);
}

static void put_resource(struct buffer *b, const struct resource *r)
{
    put_text(b, "group", r->group->o.id);
    put_text(b, "resource_type", r->resource_type->o.id);
    put_number(b, "flags", r->flags);
    put_flag(b, "want_online", r->want_online);
    put_ids(b, "providers", &r->providers);
}

static void put_interface(struct buffer *b, const struct netinterface *i)
{
    put_text(b, "network", i->network->o.id);
    put_text(b, "node", text_of((struct object *)i->node));
    put_text(b, "device", i->device);
    put_text(b, "address", i->address);
}

static void put_own(struct buffer *b, const struct object *o)
{
    switch (o->type) {
    case OBJECT_CLUSTER:
        put_text(b, "quorum_resource", ((const struct cluster *)o)->quorum_resource_id);
        put_number(b, "lives", ((const struct cluster *)o)->lives);
        break;
    case OBJECT_NODE:
        put_flag(b, "paused", ((const struct node *)o)->paused);
        break;
    case OBJECT_GROUP:
        put_group(b, (const struct group *)o);
        break;
    case OBJECT_RESOURCE:
        put_resource(b, (const struct resource *)o);
        break;
    case OBJECT_RESOURCE_TYPE:
        put_text(b, "definition", ((const struct resource_type *)o)->definition);
        break;
    case OBJECT_NETWORK_INTERFACE:
        put_interface(b, (const struct netinterface *)o);
        break;
    case OBJECT_REGISTRY:
        put_key(b, (const struct registry_key *)o);
        break;
    default:
        break;
    }
}

int model_object_encode(const struct object *o, struct buffer *out)
{
    size_t start = out->size;
    buffer_append(out, "{", 1);
    put_text(out, "id", o->id);
    put_text(out, "name", o->name);
    put_number(out, "state", o->state);
    put_number(out, "created", o->created);
    put_properties(out, "common", &o->common);
    put_properties(out, "private", &o->private_);
    put_own(out, o);
    json_end(out, '}');
    if (!buffer_failed(out))
        return 0;
    out->size = start;
    return -ENOMEM;
}
