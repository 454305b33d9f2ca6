/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

static void set_state(struct model *m, struct object *o, enum change_kind kind, uint32_t state)
{
    uint32_t old_state = o->state;
    if (old_state == state)
        return;
    o->state = state;
    o->state_sequence++;
    object_touch(m, o);
    emit(m, kind, o, value_number(old_state), value_number(state), REASON_NONE);
}

static void set_name(struct model *m, struct object *o, enum change_kind kind, const char *name)
{
    if (!name || !*name || strcmp(o->name, name) == 0)
        return;
    _cleanup_free_
    char *old_name = text_copy(m, o->name);
    object_rename(m, o, name);
    emit_text_property(m, kind, o, "Name", old_name, name);
}

uint32_t handle_rename_network(struct model *m, const struct model_input *in)
{
    struct network *n = object_find(m, OBJECT_NETWORK, in->object_id);
    if (!n)
        return ERR_CLUSTER_NETWORK_NOT_FOUND;
    uint32_t code = name_check(m, &n->o, OBJECT_NETWORK, in->name);
    if (code == ERR_SUCCESS)
        set_name(m, &n->o, CHANGE_NETWORK_COMMON_PROPERTY, in->name);
    return code;
}

/* The object that a report speaks of, or NULL when it is a new one. */
static void *find_seen(const struct model *m, enum object_type type, const struct model_input *in)
{
    const char *id = in->object_id && *in->object_id ? in->object_id : in->new_id;
    void *o = id && *id ? map_get(m->by_id[type], id) : NULL;
    return o ? o : map_get(m->by_name[type], text_or_empty(in->name));
}

static uint32_t check_seen(const struct model *m, const struct object *known, enum object_type type,
                           const struct model_input *in)
{
    if (known && (!in->name || !*in->name))
        return ERR_SUCCESS;
    uint32_t code = name_check(m, known, type, in->name);
    if (code == ERR_SUCCESS && !known && (!in->new_id || !*in->new_id))
        code = ERR_INVALID_PARAMETER;
    return code;
}

uint32_t handle_network_seen(struct model *m, const struct model_input *in)
{
    struct network *n = find_seen(m, OBJECT_NETWORK, in);
    uint32_t code = check_seen(m, n ? &n->o : NULL, OBJECT_NETWORK, in);
    if (code == ERR_SUCCESS && in->number > NETWORK_UP)
        code = ERR_INVALID_PARAMETER;
    if (code != ERR_SUCCESS)
        return code;
    if (n) {
        set_name(m, &n->o, CHANGE_NETWORK_COMMON_PROPERTY, in->name);
        set_state(m, &n->o, CHANGE_NETWORK_STATE, in->number);
        return ERR_SUCCESS;
    }
    n = object_new(m, OBJECT_NETWORK, sizeof(*n), in->new_id, in->name);
    if (!n)
        return ERR_NOT_ENOUGH_MEMORY;
    n->o.state = in->number;
    if (object_register(m, &n->o) < 0) {
        m->failed = true;
        object_free(&n->o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    object_touch(m, &n->o);
    emit(m, CHANGE_NETWORK_ADDED, &n->o, value_none(), value_number(n->o.state), REASON_NONE);
    return ERR_SUCCESS;
}

static void remove_interface(struct model *m, struct netinterface *i)
{
    emit(m, CHANGE_NETINTERFACE_DELETED, &i->o, value_number(i->o.state), value_none(),
         REASON_NONE);
    list_remove(&i->network->interfaces, i);
    object_remove(m, &i->o);
}

uint32_t handle_network_gone(struct model *m, const struct model_input *in)
{
    struct network *n = object_find(m, OBJECT_NETWORK, in->object_id);
    if (!n)
        return ERR_CLUSTER_NETWORK_NOT_FOUND;
    while (n->interfaces.count > 0)
        remove_interface(m, n->interfaces.items[n->interfaces.count - 1]);
    emit(m, CHANGE_NETWORK_DELETED, &n->o, value_number(n->o.state), value_none(), REASON_NONE);
    object_remove(m, &n->o);
    return ERR_SUCCESS;
}

static char *address_of(struct model *m, const struct model_input *in)
{
    return check_memory(m, in->data ? strndup(in->data, in->size) : strdup(""));
}

static bool address_is_text(const struct model_input *in)
{
    return !in->data || (text_is_utf8(in->data, in->size) && !memchr(in->data, 0, in->size));
}

static void update_interface(struct model *m, struct netinterface *i, const struct model_input *in,
                             struct network *n)
{
    set_name(m, &i->o, CHANGE_NETINTERFACE_COMMON_PROPERTY, in->name);
    if (n && n != i->network) {
        list_remove(&i->network->interfaces, i);
        check_result(m, list_insert_object(&n->interfaces, i));
        const char *old_name = i->network->o.name;
        i->network = n;
        object_touch(m, &i->o);
        emit_text_property(m, CHANGE_NETINTERFACE_COMMON_PROPERTY, &i->o, "Network", old_name,
                           n->o.name);
    }
    _cleanup_free_
    char *address = address_of(m, in);
    if (address && strcmp(address, i->address) != 0) {
        _cleanup_free_
        char *old_address = i->address;
        i->address = TAKE_PTR(address);
        object_touch(m, &i->o);
        emit_text_property(m, CHANGE_NETINTERFACE_COMMON_PROPERTY, &i->o, "Address", old_address,
                           i->address);
    }
    if (in->type_name && *in->type_name && strcmp(in->type_name, i->device) != 0) {
        _cleanup_free_
        char *old_device = text_copy(m, i->device);
        text_replace(m, &i->device, in->type_name);
        object_touch(m, &i->o);
        emit_text_property(m, CHANGE_NETINTERFACE_COMMON_PROPERTY, &i->o, "Adapter", old_device,
                           i->device);
    }
    set_state(m, &i->o, CHANGE_NETINTERFACE_STATE, in->number);
}

/* The node whose engine reports it. */
static struct node *reporting_node(const struct model *m, const struct model_input *in)
{
    struct node *n = object_find(m, OBJECT_NODE, in->actor.node);
    struct map_entry *first = map_first(m->by_id[OBJECT_NODE]);
    return n ? n : first ? first->value : NULL;
}

uint32_t handle_netinterface_seen(struct model *m, const struct model_input *in)
{
    struct netinterface *i = find_seen(m, OBJECT_NETWORK_INTERFACE, in);
    struct network *n = object_find(m, OBJECT_NETWORK, in->parent_id);
    uint32_t code = check_seen(m, i ? &i->o : NULL, OBJECT_NETWORK_INTERFACE, in);
    if (code == ERR_SUCCESS && (in->number > NETINTERFACE_UP || !address_is_text(in)))
        code = ERR_INVALID_PARAMETER;
    if (code == ERR_SUCCESS && !n && !i)
        code = ERR_CLUSTER_NETWORK_NOT_FOUND;
    if (code != ERR_SUCCESS)
        return code;
    if (i) {
        update_interface(m, i, in, n);
        return ERR_SUCCESS;
    }
    i = object_new(m, OBJECT_NETWORK_INTERFACE, sizeof(*i), in->new_id, in->name);
    if (!i)
        return ERR_NOT_ENOUGH_MEMORY;
    i->o.state = in->number;
    i->network = n;
    i->node = reporting_node(m, in);
    i->device = text_copy(m, in->type_name);
    i->address = address_of(m, in);
    if (object_register(m, &i->o) < 0) {
        m->failed = true;
        object_free(&i->o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    check_result(m, list_insert_object(&n->interfaces, i));
    object_touch(m, &i->o);
    emit(m, CHANGE_NETINTERFACE_ADDED, &i->o, value_none(), value_number(i->o.state), REASON_NONE);
    return ERR_SUCCESS;
}

uint32_t handle_netinterface_gone(struct model *m, const struct model_input *in)
{
    struct netinterface *i = object_find(m, OBJECT_NETWORK_INTERFACE, in->object_id);
    if (!i)
        return ERR_CLUSTER_NETINTERFACE_NOT_FOUND;
    remove_interface(m, i);
    return ERR_SUCCESS;
}
