/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

static const enum change_kind added_kinds[OBJECT_QUORUM + 1] = {
    [OBJECT_GROUP] = CHANGE_GROUP_ADDED,
    [OBJECT_RESOURCE] = CHANGE_RESOURCE_ADDED,
    [OBJECT_RESOURCE_TYPE] = CHANGE_RESOURCE_TYPE_ADDED,
    [OBJECT_NETWORK_INTERFACE] = CHANGE_NETINTERFACE_ADDED,
    [OBJECT_NETWORK] = CHANGE_NETWORK_ADDED,
    [OBJECT_NODE] = CHANGE_NODE_ADDED,
};

enum change_kind change_added_kind(enum object_type type)
{
    return added_kinds[type];
}

struct change_value value_none(void)
{
    return (struct change_value){.kind = VALUE_NONE};
}

struct change_value value_number(uint32_t n)
{
    return (struct change_value){.kind = VALUE_NUMBER, .number = n};
}

struct change_value value_text(const char *s)
{
    s = text_or_empty(s);
    return (struct change_value){.kind = VALUE_TEXT, .data = s, .size = strlen(s)};
}

static const char *node_id(const struct node *n)
{
    return n ? n->o.id : "";
}

void change_describe(const struct object *o, struct change *c)
{
    c->object_id = o->id;
    c->name = o->name;
    switch (o->type) {
    case OBJECT_GROUP:
        c->parent_id = c->node_id = node_id(((const struct group *)o)->owner);
        break;
    case OBJECT_RESOURCE: {
        const struct resource *r = (const struct resource *)o;
        c->parent_id = r->group->o.id;
        c->node_id = node_id(r->group->owner);
        c->type_name = r->resource_type->o.name;
        break;
    }
    case OBJECT_NETWORK_INTERFACE: {
        const struct netinterface *i = (const struct netinterface *)o;
        c->parent_id = i->network->o.id;
        c->node_id = node_id(i->node);
        break;
    }
    case OBJECT_NODE:
        c->node_id = o->id;
        break;
    default:
        break;
    }
}

/* Requests say who and why; for what follows from them the reason is the model's. */
static void append(struct model *m, struct change *c, enum change_reason reason)
{
    struct model_output *out = m->out;
    c->revision = m->revision + 1;
    c->transaction = c->revision - out->change_count;
    c->time_ns = m->in->time_ns;
    c->actor = m->in->actor;
    c->actor.reason = reason != REASON_NONE ? reason : input_reason(m->in);
    size_t at = out->changes.size;
    if (change_encode(c, &out->changes) < 0) {
        m->failed = true;
        return;
    }
    m->last_change = at;
    m->revision++;
    out->change_count++;
}

void emit(struct model *m, enum change_kind kind, const struct object *o,
          struct change_value old_value, struct change_value new_value, enum change_reason reason)
{
    struct change c = {.kind = kind, .old_value = old_value, .new_value = new_value};
    change_describe(o, &c);
    append(m, &c, reason);
}

void emit_properties(struct model *m, enum change_kind kind, const struct object *o,
                     const struct property_table *old_values,
                     const struct property_table *new_values)
{
    _cleanup_(buffer_fini) struct buffer old_list = {0};
    _cleanup_(buffer_fini) struct buffer new_list = {0};
    check_result(m, property_list_encode(old_values, &old_list));
    check_result(m, property_list_encode(new_values, &new_list));
    if (m->failed)
        return;
    emit(m, kind, o,
         (struct change_value){
             .kind = VALUE_PROPERTIES, .data = old_list.data, .size = old_list.size},
         (struct change_value){
             .kind = VALUE_PROPERTIES, .data = new_list.data, .size = new_list.size},
         REASON_NONE);
}

void emit_text_property(struct model *m, enum change_kind kind, const struct object *o,
                        const char *property, const char *old_text, const char *new_text)
{
    _cleanup_(property_table_fini) struct property_table old_values = {0};
    _cleanup_(property_table_fini) struct property_table new_values = {0};
    check_result(m, property_set_text(&old_values, property, text_or_empty(old_text)));
    check_result(m, property_set_text(&new_values, property, text_or_empty(new_text)));
    if (!m->failed)
        emit_properties(m, kind, o, &old_values, &new_values);
}

void emit_registry(struct model *m, enum change_kind kind, const struct registry_key *key,
                   const char *value_name, struct change_value old_value,
                   struct change_value new_value)
{
    struct change c = {.kind = kind,
                       .object_id = key->o.id,
                       .parent_id = value_name,
                       .name = key->o.id,
                       .old_value = old_value,
                       .new_value = new_value};
    append(m, &c, REASON_NONE);
}

void emit_quorum(struct model *m, struct change_value old_value, struct change_value new_value,
                 enum change_reason reason)
{
    const struct resource *r = model_resource(m, m->cluster->quorum_resource_id);
    struct change c = {.kind = CHANGE_QUORUM_STATE, .old_value = old_value, .new_value = new_value};
    change_describe(&r->o, &c);
    append(m, &c, reason);
}
