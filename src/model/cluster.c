/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#define CORE_GROUP "Cluster Group"
#define REG_SZ 1

/* The core group needs an id of its own, and the model makes nothing up: the cluster's with its
 * last digit changed is as unique as the cluster's. */
static char *derived_id(struct model *m, const char *cluster_id)
{
    char *id = text_copy(m, cluster_id);
    if (id && *id) {
        char *last = id + strlen(id) - 1;
        *last = *last == '0' ? '1' : '0';
    }
    return id;
}

static void make_hive(struct model *m)
{
    struct registry_key *root = registry_add(m, NULL, "");
    if (!root)
        return;
    m->root = root;
    emit_registry(m, CHANGE_REGISTRY_NAME, root, "", value_none(), value_text(""));
    _cleanup_(buffer_fini) struct buffer id = {0};
    check_result(m, utf16_append(&id, m->cluster->o.id, true));
    check_result(m, registry_put(root, "ClusterInstanceID", REG_SZ, id.data, id.size));
    registry_account(m, root);
    struct change_value value = {
        .kind = VALUE_REGISTRY, .number = REG_SZ, .data = id.data, .size = id.size};
    if (!m->failed)
        emit_registry(m, CHANGE_REGISTRY_VALUE, root, "ClusterInstanceID", value_none(), value);
}

uint32_t handle_form_cluster(struct model *m, const struct model_input *in)
{
    if (m->cluster)
        return ERR_ALREADY_EXISTS;
    if (!in->new_id || !*in->new_id)
        return ERR_INVALID_PARAMETER;
    uint32_t code = name_check(m, NULL, OBJECT_CLUSTER, in->name);
    if (code != ERR_SUCCESS)
        return code;
    struct cluster *c = object_new(m, OBJECT_CLUSTER, sizeof(*c), in->new_id, in->name);
    if (!c)
        return ERR_NOT_ENOUGH_MEMORY;
    m->cluster = c;
    c->quorum_resource_id = text_copy(m, "");
    object_touch(m, &c->o);
    emit(m, CHANGE_CLUSTER_RENAME, &c->o, value_none(), value_text(c->o.name), REASON_NONE);
    make_hive(m);
    _cleanup_free_
    char *core_id = derived_id(m, in->new_id);
    struct group *core = m->failed ? NULL : group_add(m, core_id, CORE_GROUP, NULL);
    if (core)
        core->is_core = true;
    return ERR_SUCCESS;
}

/* A cluster's name takes effect on the network when its name resource is next brought online, and
 * so the code is always "stored". */
uint32_t handle_set_cluster_name(struct model *m, const struct model_input *in)
{
    struct cluster *c = m->cluster;
    uint32_t code = name_check(m, &c->o, OBJECT_CLUSTER, in->name);
    if (code != ERR_SUCCESS)
        return code;
    if (strcmp(c->o.name, in->name) == 0)
        return ERR_RESOURCE_PROPERTIES_STORED;
    _cleanup_free_
    char *old_name = text_copy(m, c->o.name);
    text_replace(m, &c->o.name, in->name);
    object_touch(m, &c->o);
    emit(m, CHANGE_CLUSTER_RENAME, &c->o, value_text(old_name), value_text(c->o.name), REASON_NONE);
    return ERR_RESOURCE_PROPERTIES_STORED;
}

uint32_t handle_set_quorum_resource(struct model *m, const struct model_input *in)
{
    struct cluster *c = m->cluster;
    const struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    if (!r)
        return ERR_RESOURCE_NOT_FOUND;
    if (!(r->resource_type->characteristics & CHARACTERISTIC_QUORUM))
        return ERR_NOT_QUORUM_CAPABLE;
    if (r->providers.count > 0)
        return ERR_DEPENDENCY_NOT_ALLOWED;
    if (text_equal(c->quorum_resource_id, r->o.id))
        return ERR_SUCCESS;
    const struct resource *old = model_resource(m, c->quorum_resource_id);
    _cleanup_free_
    char *old_name = text_copy(m, old ? old->o.name : "");
    text_replace(m, &c->quorum_resource_id, r->o.id);
    object_touch(m, &c->o);
    emit_text_property(m, CHANGE_CLUSTER_COMMON_PROPERTY, &c->o, "QuorumResource", old_name,
                       r->o.name);
    emit_quorum(m, value_none(), value_number(r->o.state), REASON_NONE);
    return ERR_SUCCESS;
}

/* Nodes */

static void set_node_state(struct model *m, struct node *n, enum node_state state)
{
    uint32_t old_state = n->o.state;
    if (old_state == (uint32_t)state)
        return;
    n->o.state = state;
    n->o.state_sequence++;
    object_touch(m, &n->o);
    emit(m, CHANGE_NODE_STATE, &n->o, value_number(old_state), value_number(state), REASON_NONE);
}

static struct node *node_add(struct model *m, const char *id, const char *name)
{
    struct node *n = object_new(m, OBJECT_NODE, sizeof(*n), id, name);
    if (!n)
        return NULL;
    n->o.state = NODE_UP;
    if (object_register(m, &n->o) < 0) {
        m->failed = true;
        object_free(&n->o);
        return NULL;
    }
    object_touch(m, &n->o);
    emit(m, CHANGE_NODE_ADDED, &n->o, value_none(), value_number(n->o.state), REASON_NONE);
    return n;
}

/* What was made before there was any node goes to the first. */
static void adopt_orphans(struct model *m, struct node *n)
{
    for (struct map_entry *e = map_first(m->by_id[OBJECT_GROUP]); e;
         e = map_next(m->by_id[OBJECT_GROUP], e))
        if (!((struct group *)e->value)->owner)
            group_set_owner(m, e->value, n);
    for (struct map_entry *e = map_first(m->by_id[OBJECT_NETWORK_INTERFACE]); e;
         e = map_next(m->by_id[OBJECT_NETWORK_INTERFACE], e)) {
        struct netinterface *i = e->value;
        if (i->node)
            continue;
        i->node = n;
        object_touch(m, &i->o);
        emit_text_property(m, CHANGE_NETINTERFACE_COMMON_PROPERTY, &i->o, "Node", "", n->o.name);
    }
}

static void node_rename(struct model *m, struct node *n, const char *name)
{
    if (strcmp(n->o.name, name) == 0)
        return;
    _cleanup_free_
    char *old_name = text_copy(m, n->o.name);
    object_rename(m, &n->o, name);
    emit_text_property(m, CHANGE_NODE_COMMON_PROPERTY, &n->o, "NodeName", old_name, name);
}

uint32_t handle_node_started(struct model *m, const struct model_input *in)
{
    struct node *n = in->object_id ? map_get(m->by_id[OBJECT_NODE], in->object_id) : NULL;
    uint32_t code = name_check(m, n ? &n->o : NULL, OBJECT_NODE, in->name);
    if (code != ERR_SUCCESS)
        return code;
    if (!in->object_id || !*in->object_id)
        return ERR_INVALID_PARAMETER;
    m->cluster->lives++;
    m->effects = 0;
    object_touch(m, &m->cluster->o);
    if (n) {
        node_rename(m, n, in->name);
        set_node_state(m, n, n->paused ? NODE_PAUSED : NODE_UP);
    } else {
        n = node_add(m, in->object_id, in->name);
        if (!n)
            return ERR_NOT_ENOUGH_MEMORY;
    }
    adopt_orphans(m, n);
    resource_resume_life(m, n);
    return ERR_SUCCESS;
}

uint32_t handle_node_stopped(struct model *m, const struct model_input *in)
{
    struct node *n = object_find(m, OBJECT_NODE, in->object_id);
    if (!n)
        return ERR_CLUSTER_NODE_NOT_FOUND;
    set_node_state(m, n, NODE_DOWN);
    return ERR_SUCCESS;
}

uint32_t handle_pause_node(struct model *m, const struct model_input *in)
{
    struct node *n = object_find(m, OBJECT_NODE, in->object_id);
    if (!n)
        return ERR_CLUSTER_NODE_NOT_FOUND;
    if (n->o.state == NODE_DOWN)
        return ERR_CLUSTER_NODE_DOWN;
    n->paused = true;
    set_node_state(m, n, NODE_PAUSED);
    return ERR_SUCCESS;
}

uint32_t handle_resume_node(struct model *m, const struct model_input *in)
{
    struct node *n = object_find(m, OBJECT_NODE, in->object_id);
    if (!n)
        return ERR_CLUSTER_NODE_NOT_FOUND;
    if (n->o.state == NODE_DOWN)
        return ERR_CLUSTER_NODE_DOWN;
    if (!n->paused)
        return ERR_CLUSTER_NODE_NOT_PAUSED;
    n->paused = false;
    set_node_state(m, n, NODE_UP);
    return ERR_SUCCESS;
}
