/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

struct snapshot {
    const struct model *m;
    struct buffer *out;
    size_t count;
    int result; /* the first failure */
};

static void append(struct snapshot *s, struct change *c)
{
    if (s->result < 0)
        return;
    c->initial = true;
    c->revision = c->transaction = s->m->revision;
    c->actor.reason = REASON_NONE;
    s->result = change_encode(c, s->out);
    s->count++;
}

static void append_object(struct snapshot *s, enum change_kind kind, const struct object *o)
{
    struct change c = {.kind = kind};
    c.new_value = o->state == NO_STATE ? value_none() : value_number(o->state);
    change_describe(o, &c);
    append(s, &c);
}

static void append_all(struct snapshot *s, enum object_type type)
{
    const struct map *objects = s->m->by_id[type];
    for (struct map_entry *e = map_first(objects); e; e = map_next(objects, e))
        append_object(s, change_added_kind(type), e->value);
}

static void append_key(struct snapshot *s, const struct registry_key *k)
{
    struct change c = {.kind = CHANGE_REGISTRY_NAME,
                       .object_id = k->o.id,
                       .name = k->o.id,
                       .new_value = value_text(k->o.name)};
    append(s, &c);
    for (struct map_entry *e = map_first(k->values); e; e = map_next(k->values, e)) {
        const struct registry_value *v = e->value;
        c = (struct change){
            .kind = CHANGE_REGISTRY_VALUE,
            .object_id = k->o.id,
            .parent_id = v->name,
            .name = k->o.id,
            .new_value = {
                .kind = VALUE_REGISTRY, .number = v->type, .data = v->data, .size = v->size}};
        append(s, &c);
    }
    for (struct map_entry *e = map_first(k->subkeys); e; e = map_next(k->subkeys, e))
        append_key(s, e->value);
}

/* The cluster has no ADDED kind: its name stands for it. */
static void append_cluster(struct snapshot *s)
{
    const struct cluster *cluster = s->m->cluster;
    if (!cluster)
        return;
    struct change c = {.kind = CHANGE_CLUSTER_RENAME, .new_value = value_text(cluster->o.name)};
    change_describe(&cluster->o, &c);
    append(s, &c);
}

int model_snapshot(const struct model *m, struct buffer *out, size_t *ret_count)
{
    struct snapshot s = {.m = m, .out = out};
    size_t start = out->size;
    append_cluster(&s);
    append_all(&s, OBJECT_NODE);
    append_all(&s, OBJECT_NETWORK);
    append_all(&s, OBJECT_NETWORK_INTERFACE);
    append_all(&s, OBJECT_RESOURCE_TYPE);
    append_all(&s, OBJECT_GROUP);
    append_all(&s, OBJECT_RESOURCE);
    if (m->root)
        append_key(&s, m->root);
    if (s.result < 0) {
        out->size = start;
        return s.result;
    }
    *ret_count = s.count;
    return 0;
}
